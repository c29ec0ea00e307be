//! `POST /api/v1/sync`.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::json;
use sync_core::exchange::answering::{self, ArrivalError, Peer};
use sync_core::exchange::message::PROTOCOL_VERSION;
use sync_core::exchange::packing::PackingError;
use sync_core::exchange::wire;
use sync_core::exchange::{AdmissionError, Coding, Limits, WireError};

use super::bundles;
use super::delivery::take;
use super::lookup::look_up;
use super::source::{Heard, Source};
use crate::app::App;
use crate::clock;
use crate::devices::Deliverer;
use crate::http::{Problem, Text};
use crate::store::StoreError;

/// The routes of this module.
pub fn routes() -> Router<App> {
    Router::new().route("/api/v1/sync", post(sync)).merge(bundles::routes())
}

async fn sync(
    State(app): State<App>,
    Deliverer(caller): Deliverer,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let coding = coding(&headers)?;
    let limits = Limits::default();
    let (body, _room) = app.bodies.whole_body(body, &limits).await?;
    let _turn = app.exchanges.acquire().await.map_err(|_| StoreError::ShuttingDown)?;
    let readers = &app.store.readers;
    let peer = Peer {
        device: caller.device,
        scope: caller.hamlets.clone(),
        narrowing: caller.narrowing,
    };
    // Inflating, hashing and verifying keep a core busy for a while, so they leave the threads that serve connections.
    let (delivery, question) = blocking(move || answering::read(&body, coding, peer, &limits)).await??;
    // Also a request without changes is written: that the device was heard from, and how wrong its clock is.
    let heard = Heard {
        device_key: caller.device_key,
        device: caller.device,
        predecessors: caller.predecessors.clone(),
        clock_ahead: question.clock_ahead(clock::now()),
    };
    if question.cursors().next().is_none() {
        caller.begins_to_read(&app.store).await?;
    }
    let query = question.query(caller.cursor_state(readers, question.cursors()).await?);
    let taken = take(&app.store, delivery, Source::Phone(heard)).await?;
    if taken.changed {
        app.logged();
    }
    let found = match query {
        Some(query) => Some(look_up(readers, &query, caller.device_key).await?),
        None => None,
    };
    let form = question.answer_form();
    let bytes = blocking(move || wire::encode_answer(&question.answer(taken, found, clock::now()), form)).await??;
    Ok((
        [
            (CONTENT_TYPE, wire::CONTENT_TYPE),
            (CONTENT_ENCODING, wire::CONTENT_ENCODING),
        ],
        bytes,
    )
        .into_response())
}

/// How a request's message is compressed.
///
/// # Errors
/// A problem that names what is needed, where the request does not say that it is a message compressed in a way known here.
pub(crate) fn coding(headers: &HeaderMap) -> Result<Coding, Problem> {
    let said = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    if said(CONTENT_TYPE).eq_ignore_ascii_case(wire::CONTENT_TYPE)
        && let Some(coding) = Coding::named(said(CONTENT_ENCODING))
    {
        return Ok(coding);
    }
    let known: Vec<&str> = Coding::ALL.iter().map(|coding| coding.name()).collect();
    Err(Problem::new(
        "unsupported-media-type",
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Text::new("Kiểu nội dung không được hỗ trợ", "Unsupported media type"),
        Text::new(
            format!(
                "cần Content-Type: {} và Content-Encoding: {}",
                wire::CONTENT_TYPE,
                known.join(" hoặc ")
            ),
            format!(
                "Content-Type: {} and Content-Encoding: {} are needed",
                wire::CONTENT_TYPE,
                known.join(" or ")
            ),
        ),
    ))
}

/// Does what keeps a core busy away from the threads that serve connections.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Problem::internal(&error))
}

impl From<WireError> for Problem {
    fn from(error: WireError) -> Self {
        let detail = Text::new(error.vietnamese(), error.to_string());
        match error {
            WireError::CompressedTooLarge { .. }
            | WireError::InflatedTooLarge { .. }
            | WireError::TooMany { .. }
            | WireError::Packing(
                PackingError::TooMany { .. } | PackingError::TooLarge { .. } | PackingError::ChangeTooLarge { .. },
            ) => Self::new(
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                Text::new("Gói tin quá lớn", "The message is too large"),
                detail,
            ),
            WireError::UnsupportedVersion { .. } => Self::new(
                "unsupported-version",
                StatusCode::BAD_REQUEST,
                Text::new("Phiên bản giao thức không được hỗ trợ", "Unsupported protocol version"),
                detail,
            )
            .with("versions", json!([PROTOCOL_VERSION])),
            WireError::NotCompressed { .. } | WireError::Malformed { .. } | WireError::Packing(_) => Self::new(
                "malformed-message",
                StatusCode::BAD_REQUEST,
                Text::new("Gói tin sai cấu trúc", "Malformed message"),
                detail,
            ),
        }
    }
}

impl From<ArrivalError> for Problem {
    fn from(error: ArrivalError) -> Self {
        match error {
            ArrivalError::Wire(error) => error.into(),
            ArrivalError::Admission(error) => error.into(),
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
