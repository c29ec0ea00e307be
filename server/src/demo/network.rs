//! A phone's connection: one request, over a link that may break at any byte.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Bytes of an answer at most.
const ANSWER_BYTES: usize = 64 << 20;
/// How long a phone waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Where a connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// It does not.
    Never,
    /// After so many bytes were sent: the server sees half a request.
    Sending(usize),
    /// After so many bytes came back: the server has done its work and the phone does not know.
    Receiving(usize),
}

/// A request that got no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NetworkError {
    /// Nobody listens, as when the server is down.
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// Sends a request over a connection of its own and reads the whole answer.
pub(super) async fn send(
    server: SocketAddr,
    mut request: Request<Full<Bytes>>,
    at: Break,
) -> Result<Response<Bytes>, NetworkError> {
    let broken = |error: &dyn std::fmt::Display| NetworkError::Broken(error.to_string());
    let stream = TcpStream::connect(server).await.map_err(NetworkError::Connect)?;
    stream.set_nodelay(true).map_err(NetworkError::Connect)?;
    if let Ok(host) = server.to_string().parse() {
        request.headers_mut().insert(HOST, host);
    }
    let exchange = async {
        let link = Link {
            stream,
            at,
            sent: 0,
            received: 0,
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(link))
            .await
            .map_err(|error| broken(&error))?;
        let connection = tokio::spawn(connection);
        let answer = async {
            let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES)
                .collect()
                .await
                .map_err(|error| broken(&error))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        }
        .await;
        connection.abort();
        answer
    };
    tokio::time::timeout(TIMEOUT, exchange)
        .await
        .map_err(|error| broken(&error))?
}

/// A TCP connection that breaks where it is told to.
struct Link {
    stream: TcpStream,
    at: Break,
    sent: usize,
    received: usize,
}

impl Link {
    fn broke<T>() -> Poll<io::Result<T>> {
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::ConnectionReset,
            "the signal was lost",
        )))
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.received += buffer.filled().len() - before;
        match self.at {
            Break::Receiving(limit) if self.received > limit => Self::broke(),
            _ => outcome,
        }
    }
}

impl AsyncWrite for Link {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let bytes = match self.at {
            Break::Sending(limit) if self.sent >= limit => return Self::broke(),
            Break::Sending(limit) => &bytes[..bytes.len().min(limit - self.sent)],
            _ => bytes,
        };
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = outcome {
            self.sent += written;
        }
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
