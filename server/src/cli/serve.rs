//! `khaosat serve`.

use indicators::publication::PublicationRules;

use super::Failure;
use crate::app::App;
use crate::config::Config;
use crate::store::{DataFolder, Store};

/// Serve phones and the console until stopped.
#[derive(Debug, clap::Args)]
pub(super) struct ServeArguments {
    /// Stop also when standard input ends: for a parent process that must not leave a server behind
    #[arg(long)]
    until_input_ends: bool,
}

pub(super) async fn run(arguments: &ServeArguments, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?.lock()?;
    let store = Store::open(&folder.database()).await?;
    let app = App::load(
        store,
        PublicationRules {
            minimum_households: config.minimum_households,
        },
    )
    .await?;
    if !config.listen.ip().is_loopback() {
        tracing::warn!(address = %config.listen, "serving beyond this machine without TLS: put a proxy with TLS before it");
    }
    let ready = |address| tracing::info!("http://{address}/ — Khảo Sát");
    Ok(app
        .serve(config.listen, ready, stop_signal(arguments.until_input_ends))
        .await?)
}

/// Ends when the process is asked to stop: Ctrl-C, SIGTERM, or the end of its input.
async fn stop_signal(until_input_ends: bool) {
    tokio::select! {
        () = terminated() => {}
        () = input_ended(), if until_input_ends => {}
    }
}

async fn input_ended() {
    let mut input = tokio::io::stdin();
    let _ = tokio::io::copy(&mut input, &mut tokio::io::sink()).await;
}

async fn terminated() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => drop(interrupt.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}
