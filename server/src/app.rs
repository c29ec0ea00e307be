//! The running server: what its routes share, and how they are put together.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use indicators::publication::PublicationRules;
use listenfd::ListenFd;
use sync_core::bundle::RecipientSecret;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, oneshot};

use crate::attachments;
use crate::automerge_repo::{self, Viewers};
use crate::devices::{self, InstallationKeys};
use crate::estimates::{self, EstimatesError, Events, Live, Projector};
use crate::http::{render_problems, security_headers};
use crate::hubs::{self, Upstream};
use crate::interfaces;
use crate::rounds;
use crate::store::{Store, StoreError};
use crate::supervision;
use crate::sync::{self, BodyRoom};

/// How long requests that are under way may take to finish once the server is asked to stop. Changes that were not
/// acknowledged by then are sent again.
const GRACE: Duration = Duration::from_secs(10);

/// Exchanges that are worked on at the same time; each may hold a whole inflated message. Others wait their turn.
const EXCHANGES: usize = 64;

/// What routes share. Cloning it is cheap.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub store: Store,
    /// Current figures.
    pub live: Arc<Live>,
    /// Tells open pages that figures have changed.
    pub events: Events,
    /// Follows the log.
    pub projector: Projector,
    /// Told when the log has become longer, for whoever brings it to an upstream.
    pub arrivals: Arc<Notify>,
    /// What may be published.
    pub publication: PublicationRules,
    /// Turns for exchanges that are being worked on, so that memory stays bounded however many phones call at once.
    pub exchanges: Arc<Semaphore>,
    /// Room for the bodies of exchanges, of those too that wait their turn or are still arriving.
    pub bodies: BodyRoom,
    /// Peers that look into responses live.
    pub viewers: Viewers,
    /// The key to which phones seal what they carry by hand, as text.
    pub sealing_key: String,
    /// What opens bundles that are sealed to this installation.
    pub opening_key: Option<Arc<RecipientSecret>>,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The figures cannot be loaded.
    #[error(transparent)]
    Estimates(#[from] EstimatesError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Serving failed.
    #[error("serving failed: {0}")]
    Io(#[from] io::Error),
}

impl ServeError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Listen { address, source } => format!("không mở được địa chỉ {address}: {source}"),
            Self::Estimates(error) => error.vietnamese(),
            Self::Store(error) => error.vietnamese(),
            Self::Io(error) => format!("máy chủ gặp lỗi: {error}"),
        }
    }
}

impl App {
    /// Loads what a server needs.
    ///
    /// # Errors
    /// [`EstimatesError`] when a round's form, registry or frame does not fit.
    pub async fn load(store: Store, publication: PublicationRules) -> Result<Self, EstimatesError> {
        let live = Live::load(&store).await?;
        let sequence = live.read().await.iter().map(|live| live.sequence).min().unwrap_or(0);
        let live = Arc::new(live);
        Ok(Self {
            store,
            live,
            events: Events::new(sequence),
            projector: Projector::default(),
            arrivals: Arc::default(),
            publication,
            exchanges: Arc::new(Semaphore::new(EXCHANGES)),
            bodies: BodyRoom::default(),
            viewers: Viewers::default(),
            sealing_key: String::new(),
            opening_key: None,
        })
    }

    /// The same, telling phones to seal to this installation, and opening what they have sealed to it.
    #[must_use]
    pub fn with_keys(mut self, keys: InstallationKeys) -> Self {
        self.sealing_key = keys.sealing.public().to_string();
        self.opening_key = Some(Arc::new(keys.sealing));
        self
    }

    /// Brings the figures up to the end of the log.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        while estimates::advance(&self.store, &self.live, &self.events).await? {}
        Ok(())
    }

    /// All routes.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(sync::routes())
            .merge(automerge_repo::routes())
            .merge(devices::routes())
            .merge(hubs::routes())
            .merge(rounds::routes())
            .merge(attachments::routes())
            .merge(supervision::routes())
            .merge(estimates::routes())
            .route("/api/v1/health", get(health))
            .merge(interfaces::routes())
            .layer(from_fn(render_problems))
            .layer(from_fn(security_headers))
            .with_state(self.clone())
    }

    /// Lets everybody know who waits for the log to become longer.
    pub(crate) fn logged(&self) {
        self.projector.wake();
        self.arrivals.notify_one();
    }

    /// Serves until `stop` comes, then finishes what is under way and closes the database.
    ///
    /// It listens on the socket that it was started with ([`listen`]), or else on `address`. `ready` learns the address,
    /// which matters where port 0 was asked for. A hub follows its `upstream` meanwhile.
    ///
    /// # Errors
    /// [`ServeError`] when the address is taken or serving fails.
    pub(crate) async fn serve(
        self,
        address: SocketAddr,
        upstream: Option<Upstream>,
        ready: impl FnOnce(SocketAddr),
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let cannot_listen = |source| ServeError::Listen { address, source };
        let listener = listen(address).await.map_err(cannot_listen)?;
        ready(listener.local_addr().map_err(cannot_listen)?);
        let projector = tokio::spawn(self.projector.clone().run(
            self.store.clone(),
            Arc::clone(&self.live),
            self.events.clone(),
        ));
        let follower = upstream.map(|upstream| {
            let arrivals = Arc::clone(&self.arrivals);
            tokio::spawn(hubs::follow(
                self.store.clone(),
                upstream,
                self.projector.clone(),
                arrivals,
            ))
        });
        let events = self.events.clone();
        let (stopping, asked_to_stop) = oneshot::channel();
        let stop = async move {
            stop.await;
            tracing::info!("stopping: finishing what is under way");
            events.close();
            let _ = stopping.send(());
        };
        let overdue = async move {
            if asked_to_stop.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(GRACE).await;
        };
        let served = axum::serve(listener, self.router()).with_graceful_shutdown(stop);
        tokio::select! {
            served = served.into_future() => served?,
            () = overdue => tracing::warn!("hanging up on clients that did not finish in {GRACE:?}"),
        }
        // Their sockets are no longer requests of the HTTP server, and want to be told that it stops.
        self.viewers.gone(GRACE).await;
        // Wherever it is cut off, the next start goes on from there.
        if let Some(follower) = follower {
            follower.abort();
            let _ = follower.await;
        }
        // It ends by itself: cut off in the middle it would leave the database open for a moment.
        self.projector.wake();
        let _ = projector.await;
        self.store.close().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// The socket that a service manager opened for this process and told in `LISTEN_FDS` (systemd's socket activation), or
/// else one of its own. Phones that call while the service manager starts the server anew wait instead of being refused.
async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    match ListenFd::from_env().take_tcp_listener(0)? {
        Some(listener) => {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        }
        None => TcpListener::bind(address).await,
    }
}

async fn health() -> axum::Json<serde_json::Value> {
    axum::Json(serde_json::json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}
