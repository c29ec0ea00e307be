//! The server as a process of its own, started again when it dies, as a service manager would.

use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener};
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
/// How often a server is asked whether it answers, before it counts as failed.
const STEPS: u32 = 1200;
const STEP: Duration = Duration::from_millis(50);
/// How often in a row a server may die before it has answered once.
const FAILED_STARTS: u32 = 5;
/// The file descriptor of the first inherited socket (`SD_LISTEN_FDS_START`, sd_listen_fds(3)).
#[cfg(unix)]
const FIRST_INHERITED: std::os::fd::RawFd = 3;

/// A server that runs until it is told to stop.
pub(super) struct Supervisor {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Supervisor {
    /// Starts `khaosat serve` on the folder and waits until it answers on the socket.
    pub(super) async fn start(folder: &Path, listener: TcpListener, minimum_households: u64) -> Result<Self, Failure> {
        let server = Server {
            folder: folder.to_owned(),
            address: listener.local_addr()?,
            // A process of another system cannot take the socket over, and opens its own.
            listener: cfg!(unix).then_some(listener),
            minimum_households,
        };
        let mut running = server.spawn()?;
        if !running.answers(server.address).await {
            let log = folder.join(LOG);
            return Err(Failure::new(
                format!("máy chủ không khởi động được; xem {}", log.display()),
                format!("the server does not start; see {}", log.display()),
            ));
        }
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.supervise(running, stopped));
        Ok(Self { stop, task })
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
    /// Waits until the server answers; false where it ends before, or takes too long.
    async fn answers(&mut self, address: SocketAddr) -> bool {
        let answered = async {
            for _ in 0..STEPS {
                if answers(address).await {
                    return true;
                }
                tokio::time::sleep(STEP).await;
            }
            false
        };
        tokio::select! {
            answered = answered => answered,
            _ = self.child.wait() => false,
        }
    }

    async fn stop(mut self) {
        drop(self.input.take());
        let _ = self.child.wait().await;
    }
}

struct Server {
    folder: PathBuf,
    address: SocketAddr,
    /// It stays open while no server runs, so that phones wait for the next one, and nobody else takes the port.
    listener: Option<TcpListener>,
    minimum_households: u64,
}

impl Server {
    fn spawn(&self) -> Result<Running, Failure> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join(LOG))?;
        let mut command = Command::new(std::env::current_exe()?);
        if let Some(listener) = &self.listener {
            hand_over(listener, &mut command)?;
        }
        let mut child = command
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
            match self.spawn() {
                Ok(next) => running = next,
                Err(error) => {
                    tracing::error!(%error, "the server cannot be started again");
                    return;
                }
            }
            let answered = tokio::select! {
                _ = &mut stopped => {
                    running.stop().await;
                    return;
                }
                answered = running.answers(self.address) => answered,
            };
            failed_starts = if answered { 0 } else { failed_starts + 1 };
            if failed_starts == FAILED_STARTS {
                tracing::error!("the server died {FAILED_STARTS} times while starting; giving up");
                return;
            }
        }
    }
}

/// Lets the process inherit the socket, as systemd's socket activation would.
#[cfg(unix)]
fn hand_over(listener: &TcpListener, command: &mut Command) -> Result<(), Failure> {
    use command_fds::{CommandFdExt as _, FdMapping};

    let socket = FdMapping {
        parent_fd: listener.try_clone()?.into(),
        child_fd: FIRST_INHERITED,
    };
    command
        .env("LISTEN_FDS", "1")
        .env_remove("LISTEN_PID")
        .fd_mappings(vec![socket])
        .map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
    Ok(())
}

#[cfg(not(unix))]
fn hand_over(_: &TcpListener, _: &mut Command) -> Result<(), Failure> {
    Ok(())
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
