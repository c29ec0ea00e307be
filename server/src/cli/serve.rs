//! `khaosat serve`.

use std::io;

use super::Failure;
use crate::app::App;
use crate::config::Config;
use crate::devices::InstallationKeys;
use crate::hubs::Upstream;
use crate::store::{DataFolder, Store};

/// Serve phones and the console until stopped.
#[derive(Debug, clap::Args)]
pub(super) struct ServeArguments {
    /// Stop also when standard input ends: for a parent process that must not leave a server behind
    #[arg(long)]
    until_input_ends: bool,
    /// Serve as a hub below this server, which `khaosat upstream join` joined before: nothing else is forwarded to
    #[arg(long, value_name = "ADDRESS")]
    upstream: Option<String>,
}

pub(super) async fn run(arguments: &ServeArguments, config: &Config) -> Result<(), Failure> {
    // Whoever reads that the server is ready may ask it to stop at once.
    let stop = stop_signal(arguments.until_input_ends)?;
    let folder = DataFolder::open(&config.data)?.lock()?;
    let store = Store::open(&folder.database()).await?;
    let upstream = Upstream::of(&store, folder.path()).await?;
    if let Some(wanted) = &arguments.upstream {
        let joined = upstream.as_ref().map(Upstream::address);
        if joined != Some(wanted.trim_end_matches('/')) {
            return Err(Failure::new(
                format!("chưa kết nối với {wanted}; hãy chạy: khaosat upstream join {wanted} MÃ"),
                format!("{wanted} was not joined; run: khaosat upstream join {wanted} CODE"),
            ));
        }
    }
    let keys = InstallationKeys::of(&folder)?;
    let app = App::load(store, config.publication_rules()).await?.with_keys(keys);
    if !config.listen.ip().is_loopback() {
        tracing::warn!(address = %config.listen, "serving beyond this machine without TLS: put a proxy with TLS before it");
    }
    let ready = |address| tracing::info!("http://{address}/ — Khảo Sát");
    Ok(app.serve(config.listen, upstream, ready, stop).await?)
}

/// Ends when the process is asked to stop: Ctrl-C, SIGTERM, or the end of its input. It listens from now on and not only
/// once it is awaited.
fn stop_signal(until_input_ends: bool) -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let asked_to_stop = asked_to_stop()?;
    Ok(async move {
        tokio::select! {
            () = asked_to_stop => {}
            () = input_ended(), if until_input_ends => {}
        }
    })
}

async fn input_ended() {
    let mut input = tokio::io::stdin();
    let _ = tokio::io::copy(&mut input, &mut tokio::io::sink()).await;
}

#[cfg(unix)]
fn asked_to_stop() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn asked_to_stop() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
