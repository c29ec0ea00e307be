//! `khaosat serve`.

use indicators::publication::PublicationRules;

use super::Failure;
use crate::app::App;
use crate::config::Config;
use crate::store::{DataFolder, Store};

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?.lock()?;
    let store = Store::open(&folder.database()).await?;
    let app = App::load(store, PublicationRules { minimum_households: config.minimum_households }).await?;
    if !config.listen.ip().is_loopback() {
        tracing::warn!(address = %config.listen, "serving beyond this machine without TLS: put a proxy with TLS before it");
    }
    let ready = |address| tracing::info!("http://{address}/ — Khảo Sát");
    Ok(app.serve(config.listen, ready, stop_signal()).await?)
}

/// Ends when the process is asked to stop (Ctrl-C, SIGTERM).
async fn stop_signal() {
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
