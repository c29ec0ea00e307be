//! The server as a process of its own, started again when it dies, as a service manager would.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::Request;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::network::{self, Break};
use crate::cli::Failure;

/// The server's log in the data folder.
const LOG: &str = "server.log";
/// How long a server may take to answer for the first time, in steps of [`STEP`].
const STEPS: u32 = 1200;
const STEP: Duration = Duration::from_millis(50);
/// How often in a row a server may die before it has answered once.
const FAILED_STARTS: u32 = 5;

/// A server that runs until it is told to stop.
pub(super) struct Supervisor {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Supervisor {
    /// Starts `khaosat serve` on the folder and waits until it answers.
    pub(super) async fn start(folder: &Path, address: SocketAddr, minimum_households: u64) -> Result<Self, Failure> {
        let server = Server {
            folder: folder.to_owned(),
            address,
            minimum_households,
        };
        let child = server.spawn()?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.supervise(child, stopped));
        for _ in 0..STEPS {
            if answers(address).await {
                return Ok(Self { stop, task });
            }
            if task.is_finished() {
                break;
            }
            tokio::time::sleep(STEP).await;
        }
        let log = folder.join(LOG);
        Err(Failure::new(
            format!("máy chủ không khởi động được; xem {}", log.display()),
            format!("the server does not start; see {}", log.display()),
        ))
    }

    /// Stops the server and waits until it has stopped.
    pub(super) async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// A server process, with the input whose end asks it to stop. The input is kept apart from the process, because waiting
/// for a process closes the input that it holds.
struct Running {
    child: Child,
    input: Option<ChildStdin>,
}

impl Running {
    async fn stop(mut self) {
        drop(self.input.take());
        let _ = self.child.wait().await;
    }
}

struct Server {
    folder: PathBuf,
    address: SocketAddr,
    minimum_households: u64,
}

impl Server {
    fn spawn(&self) -> Result<Running, Failure> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join(LOG))?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("serve")
            .arg("--until-input-ends")
            .arg("--data")
            .arg(&self.folder)
            .arg("--listen")
            .arg(self.address.to_string())
            .arg("--minimum-households")
            .arg(self.minimum_households.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take();
        Ok(Running { child, input })
    }

    async fn supervise(self, mut running: Running, mut stopped: oneshot::Receiver<()>) {
        let mut failed_starts = 0;
        loop {
            tokio::select! {
                _ = &mut stopped => {
                    running.stop().await;
                    return;
                }
                status = running.child.wait() => {
                    tracing::warn!(?status, "the server died; starting it again");
                }
            }
            tokio::time::sleep(STEP).await;
            // Somebody else may have started a server on this folder in the meantime: then that one is used.
            while answers(self.address).await {
                tokio::select! {
                    _ = &mut stopped => return,
                    () = tokio::time::sleep(STEP * 10) => {}
                }
            }
            match self.spawn() {
                Ok(next) => running = next,
                Err(error) => {
                    tracing::error!(%error, "the server cannot be started again");
                    return;
                }
            }
            let mut answered = false;
            for _ in 0..STEPS {
                if running.child.try_wait().is_ok_and(|status| status.is_some()) {
                    break;
                }
                if answers(self.address).await {
                    answered = true;
                    break;
                }
                tokio::time::sleep(STEP).await;
            }
            failed_starts = if answered { 0 } else { failed_starts + 1 };
            if failed_starts == FAILED_STARTS {
                tracing::error!("the server died {FAILED_STARTS} times while starting; giving up");
                return;
            }
        }
    }
}

/// Whether a server answers at the address.
async fn answers(address: SocketAddr) -> bool {
    let request = Request::builder().uri("/api/v1/health").body(Full::new(Bytes::new()));
    match request {
        Ok(request) => network::send(address, request, Break::Never)
            .await
            .is_ok_and(|answer| answer.status().is_success()),
        Err(_) => false,
    }
}
