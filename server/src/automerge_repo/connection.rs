//! One peer's WebSocket (RFC 6455) from joining to leaving.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use sync_core::automerge_repo::{Received, RepoError, Request, Session};
use tokio::time::{Instant, interval, timeout};

use super::documents;
use crate::app::App;
use crate::devices::{Caller, Token};
use crate::hex;
use crate::http::{Language, Text};
use crate::store::StoreError;

/// Documents that one connection opens at most.
const DOCUMENTS: usize = 1_000;
/// How often a peer is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);
/// After how long without a word, not even an answer to that, a peer is taken for gone.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a peer may take to introduce itself.
const INTRODUCTION: Duration = Duration::from_secs(20);
/// How long one frame may take to be sent.
const SENDING: Duration = Duration::from_secs(20);
/// How long a peer may take to agree that the connection is closed.
const CLOSING: Duration = Duration::from_secs(5);
/// Bytes of one message at most. A peer sends what it asks for and what it has, never documents that count.
const MESSAGE_BYTES: usize = 64 << 10;
/// At how many bytes a message is no longer read. What lies between is read and refused with the reason.
pub(super) const UNREAD_BYTES: usize = 4 * MESSAGE_BYTES;

/// Why a connection ends.
enum End {
    /// The connection broke or was closed by the peer.
    Gone,
    /// The peer said that it leaves.
    Left,
    /// The peer was silent for too long.
    Silent,
    /// The server stops.
    Stopping,
    /// A frame was text.
    NotBinary,
    /// A frame was too large.
    TooLarge,
    /// A frame was no message, or one that is not borne.
    Refused(RepoError),
    /// The token counts no more.
    NotAllowed,
    /// The server failed.
    Failed,
}

impl From<RepoError> for End {
    fn from(error: RepoError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::ShuttingDown => Self::Stopping,
            error => {
                tracing::error!(%error, "a live connection failed inside the server");
                Self::Failed
            }
        }
    }
}

impl End {
    /// The code and reason of the closing frame (RFC 6455, section 7.4), and what the peer is told before it.
    fn told(&self) -> Option<(u16, &'static str, Text)> {
        let told = match self {
            Self::Gone => return None,
            Self::Left => (close_code::NORMAL, "left", Text::new("tạm biệt", "goodbye")),
            Self::Silent => (
                close_code::POLICY,
                "silent",
                Text::new("bên kia im lặng quá lâu", "the peer was silent for too long"),
            ),
            Self::Stopping => (
                close_code::AWAY,
                "shutting-down",
                Text::new("máy chủ đang dừng", "the server is shutting down"),
            ),
            Self::NotBinary => (
                close_code::UNSUPPORTED,
                "not-binary",
                Text::new(
                    "thông điệp phải nằm trong khung nhị phân (CBOR)",
                    "messages must be binary frames (CBOR)",
                ),
            ),
            Self::TooLarge => (
                close_code::SIZE,
                "too-large",
                Text::new(
                    format!("một thông điệp dài nhất {MESSAGE_BYTES} byte"),
                    format!("a message has at most {MESSAGE_BYTES} bytes"),
                ),
            ),
            Self::Refused(error) => (
                close_code::PROTOCOL,
                error.name(),
                Text::new(error.vietnamese(), error.to_string()),
            ),
            Self::NotAllowed => (
                close_code::POLICY,
                "unauthorised",
                Text::new(
                    "mã truy cập không còn hiệu lực; hãy đăng ký lại thiết bị",
                    "the token counts no more; enrol the device again",
                ),
            ),
            Self::Failed => (
                close_code::ERROR,
                "internal",
                Text::new(
                    "máy chủ gặp lỗi; hãy thử lại sau",
                    "the server met an error; try again later",
                ),
            ),
        };
        Some(told)
    }
}

/// Serves the peer until one side ends the connection, and tells it why.
pub(super) async fn run(mut socket: WebSocket, app: &App, token: &Token, language: Language) {
    let mut name = [0; 8];
    if getrandom::fill(&mut name).is_err() {
        return;
    }
    let session = Session::new(format!("khaosat-{}", hex::encode(&name)), DOCUMENTS);
    let mut connection = Connection {
        socket: &mut socket,
        session,
        app,
        token,
    };
    let Err(end) = connection.serve().await;
    let farewell = end.told().map(|(code, reason, text)| {
        let frame = connection.session.farewell(text.get(language));
        (code, reason, frame)
    });
    if let Some((code, reason, frame)) = farewell {
        tracing::debug!(reason, "a live connection was ended");
        let goodbye = async {
            if !matches!(end, End::Left) {
                socket.send(Message::Binary(frame.into())).await?;
            }
            let reason = reason.into();
            socket.send(Message::Close(Some(CloseFrame { code, reason }))).await
        };
        if !matches!(timeout(SENDING, goodbye).await, Ok(Ok(()))) {
            return;
        }
    }
    // Hung up on while the peer still sends, it might never read why (RFC 6455, section 7.1.1).
    let closed = async { while socket.recv().await.is_some_and(|frame| frame.is_ok()) {} };
    let _ = timeout(CLOSING, closed).await;
}

struct Connection<'a> {
    socket: &'a mut WebSocket,
    session: Session,
    app: &'a App,
    token: &'a Token,
}

impl Connection<'_> {
    async fn serve(&mut self) -> Result<std::convert::Infallible, End> {
        let mut news = self.app.events.subscribe();
        let mut told = news.borrow_and_update().ok_or(End::Stopping)?;
        let start = Instant::now();
        let mut heard = start;
        let mut ping = interval(PING);
        loop {
            tokio::select! {
                frame = self.socket.recv() => {
                    heard = Instant::now();
                    match frame {
                        Some(Ok(Message::Binary(frame))) if frame.len() > MESSAGE_BYTES => return Err(End::TooLarge),
                        Some(Ok(Message::Binary(frame))) => self.receive(&frame).await?,
                        Some(Ok(Message::Text(_))) => return Err(End::NotBinary),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(End::Gone),
                    }
                }
                changed = news.changed() => {
                    changed.map_err(|_| End::Stopping)?;
                    let current = news.borrow_and_update().ok_or(End::Stopping)?;
                    self.tell(told, current).await?;
                    told = current;
                }
                _ = ping.tick() => {
                    let unknown = !self.session.has_joined() && start.elapsed() > INTRODUCTION;
                    if unknown || heard.elapsed() > SILENCE {
                        return Err(End::Silent);
                    }
                    self.send(Message::Ping(Default::default())).await?;
                }
            }
        }
    }

    async fn receive(&mut self, frame: &[u8]) -> Result<(), End> {
        match self.session.receive(frame)? {
            Received::Nothing => Ok(()),
            Received::Reply(frame) => self.send(Message::Binary(frame.into())).await,
            Received::Asked(request) => self.answer(request).await,
            Received::Leave => Err(End::Left),
        }
    }

    async fn answer(&mut self, request: Request) -> Result<(), End> {
        let caller = caller(self.app, self.token).await?;
        let mut response = documents::read(&self.app.store.readers, request.response, &caller.hamlets).await?;
        match self.session.answer(request, response.as_mut())? {
            Some(frame) => self.send(Message::Binary(frame.into())).await,
            None => Ok(()),
        }
    }

    /// Tells what changed in open documents after one sequence number of the log and up to another.
    async fn tell(&mut self, after: i64, up_to: i64) -> Result<(), End> {
        if self.session.documents().next().is_none() {
            return Ok(());
        }
        let caller = caller(self.app, self.token).await?;
        let readers = &self.app.store.readers;
        for id in documents::changed(readers, after, up_to, &caller.hamlets).await? {
            if !self.session.has_open(id) {
                continue;
            }
            let Some(response) = documents::read(readers, id, &caller.hamlets).await? else {
                continue;
            };
            if let Some(frame) = self.session.update(&response) {
                self.send(Message::Binary(frame.into())).await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(SENDING, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }
}

/// Who is asking, by what counts now.
async fn caller(app: &App, token: &Token) -> Result<Caller, End> {
    let counts = Caller::of_token(&app.store.readers, token).await;
    counts.map_err(|problem| {
        if problem.status.is_server_error() {
            End::Failed
        } else {
            End::NotAllowed
        }
    })
}
