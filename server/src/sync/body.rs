//! Bodies of requests: how much memory they take together, and how long one may stand still.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use sync_core::exchange::{Limits, WireError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::http::{Problem, Text};
use crate::store::StoreError;

/// Bytes of all bodies that are held at the same time: thousands of usual ones, or 32 of the largest.
const ROOM: usize = 128 << 20;
/// Bytes that are taken from it at a time.
const PARCEL: usize = 1 << 10;
/// How long a body may stand still before its room is given to others. Phones whose signal is lost do not hang up.
const STILL: Duration = Duration::from_secs(60);

/// Room for the bodies of requests, so that memory stays bounded however many phones call at once. Whoever finds none
/// waits before the first byte is read.
#[derive(Clone)]
pub struct BodyRoom(Arc<Semaphore>);

impl Default for BodyRoom {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM / PARCEL)))
    }
}

impl BodyRoom {
    /// A request's compressed message, if it is within the limit, and the room that it takes as long as it is held.
    pub(crate) async fn whole_body(
        &self,
        mut body: Body,
        limits: &Limits,
    ) -> Result<(Vec<u8>, OwnedSemaphorePermit), Problem> {
        let limit = limits.compressed_bytes;
        let too_large = || Problem::from(WireError::CompressedTooLarge { limit });
        // Who says that more will come than is allowed need not send it.
        let announced = body.size_hint();
        if announced.lower() > limit as u64 {
            return Err(too_large());
        }
        let most = announced
            .exact()
            .and_then(|length| usize::try_from(length).ok())
            .unwrap_or(limit);
        let parcels = u32::try_from(most.div_ceil(PARCEL)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.0).acquire_many_owned(parcels).await;
        let room = room.map_err(|_| StoreError::ShuttingDown)?;
        let mut bytes = Vec::new();
        loop {
            let frame = match timeout(STILL, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) => return Ok((bytes, room)),
                Ok(Some(Err(_))) | Err(_) => return Err(broken()),
            };
            // Trailers, which follow a body of no stated length, say nothing here.
            if let Ok(data) = frame.into_data() {
                if data.len() > limit.saturating_sub(bytes.len()) {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&data);
            }
        }
    }
}

fn broken() -> Problem {
    Problem::new(
        "broken-body",
        StatusCode::BAD_REQUEST,
        Text::new("Nội dung bị đứt giữa chừng", "The body broke off"),
        Text::new(
            "Kết nối bị ngắt khi đang gửi; hãy gửi lại.",
            "The connection broke while sending; send it again.",
        ),
    )
}
