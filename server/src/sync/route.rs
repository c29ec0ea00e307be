//! `POST /api/v1/sync`.

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use sync_core::exchange::message::PROTOCOL_VERSION;
use sync_core::exchange::wire;
use sync_core::exchange::{AdmissionError, Limits, SyncRequest, SyncResponse, WireError, admit, attested_hashes};

use super::delivery::{Delivery, take};
use super::log::{self, Heard, KeptAttestation};
use crate::app::App;
use crate::clock;
use crate::devices::{Authors, Caller};
use crate::http::{Problem, Text};
use crate::store::StoreError;

/// The routes of this module.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/sync", post(sync))
}

async fn sync(State(app): State<App>, caller: Caller, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    check_encoding(&headers)?;
    let limits = Limits::default();
    let body = read(body, &limits).await?;
    let _turn = app.exchanges.acquire().await.map_err(|_| StoreError::ShuttingDown)?;
    // Inflating, hashing and verifying keep a core busy for a while, so they leave the threads that serve connections.
    let (request, verdicts, attestations) = blocking(move || {
        let request = wire::decode_request(&body, &limits)?;
        let verdicts = admit(&request, &limits)?;
        let attestations = kept_attestations(&request);
        Ok::<_, Problem>((request, verdicts, attestations))
    })
    .await??;

    let sent = verdicts.len();
    let clock_ahead = request.device_time.saturating_sub(clock::now());
    let readers = &app.store.readers;
    let (device_key, cursor) = (caller.device_key, request.cursor);
    let reader = log::Reader {
        device_key,
        cursor,
        // Before this request's own changes make the log longer.
        foreign_cursor: log::log_head(readers).await?.unsigned_abs() < cursor,
        wants_own: request.restoring || cursor == 0,
    };
    // Also a request without changes is written: that the device was heard from, and how wrong its clock is.
    let delivery = Delivery {
        verdicts,
        attestations,
        authors: Authors::only(&caller),
        heard: Some(Heard {
            device_key,
            clock_ahead,
        }),
    };
    let taken = take(&app.store, delivery).await?;
    if taken.changed {
        app.projector.wake();
    }

    let pulled = log::pull(readers, &reader, caller.hamlets.iter().copied()).await?;
    let response = SyncResponse {
        version: PROTOCOL_VERSION,
        accepted: u32::try_from(sent - taken.refused.len()).unwrap_or(u32::MAX) - taken.waiting,
        waiting: taken.waiting,
        refused: taken.refused,
        responses: pulled.responses,
        cursor: pulled.cursor,
        more: pulled.more,
        server_time: clock::now(),
    };
    let bytes = blocking(move || wire::encode(&response)).await??;
    Ok((
        [
            (CONTENT_TYPE, wire::CONTENT_TYPE),
            (CONTENT_ENCODING, wire::CONTENT_ENCODING),
        ],
        bytes,
    )
        .into_response())
}

/// The attestations with the hashes that they sign, which the wire leaves out.
fn kept_attestations(request: &SyncRequest) -> Vec<KeptAttestation> {
    request
        .attestations
        .iter()
        .zip(attested_hashes(request))
        .map(|(attestation, hashes)| KeptAttestation {
            hashes: hashes.iter().flat_map(|hash| hash.0).collect(),
            signature: attestation.signature,
        })
        .collect()
}

fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let is = |name, wanted: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.eq_ignore_ascii_case(wanted))
    };
    if is(CONTENT_TYPE, wire::CONTENT_TYPE) && is(CONTENT_ENCODING, wire::CONTENT_ENCODING) {
        return Ok(());
    }
    Err(Problem::new(
        "unsupported-media-type",
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Text::new("Kiểu nội dung không được hỗ trợ", "Unsupported media type"),
        Text::new(
            format!(
                "cần Content-Type: {} và Content-Encoding: {}",
                wire::CONTENT_TYPE,
                wire::CONTENT_ENCODING
            ),
            format!(
                "Content-Type: {} and Content-Encoding: {} are needed",
                wire::CONTENT_TYPE,
                wire::CONTENT_ENCODING
            ),
        ),
    ))
}

async fn read(body: Body, limits: &Limits) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        Problem::from(WireError::CompressedTooLarge {
            limit: limits.compressed_bytes,
        })
    };
    // Who says that more will come than is allowed need not send it.
    if body.size_hint().lower() > limits.compressed_bytes as u64 {
        return Err(too_large());
    }
    match Limited::new(body, limits.compressed_bytes).collect().await {
        Ok(collected) => Ok(collected.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Problem::new(
            "broken-body",
            StatusCode::BAD_REQUEST,
            Text::new("Nội dung bị đứt giữa chừng", "The body broke off"),
            Text::new(
                "Kết nối bị ngắt khi đang gửi; hãy gửi lại.",
                "The connection broke while sending; send it again.",
            ),
        )),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Problem::internal(&error))
}

impl From<WireError> for Problem {
    fn from(error: WireError) -> Self {
        let detail = Text::new(error.vietnamese(), error.to_string());
        match error {
            WireError::CompressedTooLarge { .. } | WireError::InflatedTooLarge { .. } | WireError::TooMany { .. } => {
                Self::new(
                    "too-large",
                    StatusCode::PAYLOAD_TOO_LARGE,
                    Text::new("Gói tin quá lớn", "The message is too large"),
                    detail,
                )
            }
            WireError::UnsupportedVersion { .. } => Self::new(
                "unsupported-version",
                StatusCode::BAD_REQUEST,
                Text::new("Phiên bản giao thức không được hỗ trợ", "Unsupported protocol version"),
                detail,
            ),
            WireError::NotBrotli | WireError::Malformed { .. } => Self::new(
                "malformed-message",
                StatusCode::BAD_REQUEST,
                Text::new("Gói tin sai cấu trúc", "Malformed message"),
                detail,
            ),
        }
    }
}

impl From<AdmissionError> for Problem {
    fn from(error: AdmissionError) -> Self {
        Self::new(
            "invalid-attestation",
            StatusCode::UNPROCESSABLE_ENTITY,
            Text::new("Xác nhận của thiết bị không hợp lệ", "Invalid attestation"),
            Text::new(error.vietnamese(), error.to_string()),
        )
    }
}
