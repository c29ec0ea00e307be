//! `POST /api/v1/forward`: a hub brings what its phones wrote, and gets what is new in its scope.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_bytes::ByteBuf;
use sha2::{Digest as _, Sha256};
use sqlx::SqlitePool;
use sync_core::exchange::answering::CursorState;
use sync_core::exchange::delivery::Delivery;
use sync_core::exchange::forwarding::{FORWARDING_VERSION, ForwardRequest, ForwardResponse, HubMemory, Piece};
use sync_core::exchange::{Cursor, Limits, admit_carried, wire};

use super::error::HubError;
use super::frame::frame;
use super::piece;
use super::reach::{erase_all, kept_attestations, read_roster};
use super::upstream::encoded;
use crate::app::App;
use crate::clock;
use crate::devices::{Caller, RosterError, import_roster, roster_of};
use crate::http::{Problem, Text};
use crate::store::{Store, StoreError};
use crate::sync::carrying::CarriedEntries;
use crate::sync::{ErasureError, Heard, Source, blocking, check_encoding, cursor_state, head, take};

/// The routes of this module.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/forward", post(forward))
        .route("/api/v1/rounds/{round}/frame", get(frame))
}

async fn forward(State(app): State<App>, caller: Caller, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    check_encoding(&headers)?;
    let remembered = memory(&app.store.readers, caller.device_key).await?;
    let limits = Limits::default();
    let (body, _room) = app.bodies.whole_body(body, &limits).await?;
    let _turn = app.exchanges.acquire().await.map_err(|_| StoreError::ShuttingDown)?;
    let (request, verdicts) = blocking(move || {
        let request: ForwardRequest = wire::decode(&body, &limits)?;
        let verdicts = admit_carried(&request.carried, &limits)?;
        Ok::<_, HubError>((request, verdicts))
    })
    .await??;

    let readers = &app.store.readers;
    if let Some(roster) = &request.roster {
        let roster = read_roster(roster)?;
        import_roster(&app.store, roster, Some(&caller.hamlets))
            .await
            .map_err(HubError::from)?;
    }
    let cursors = cursor_state(readers, request.cursor.into_iter().chain(request.acknowledged)).await?;
    let delivery = Delivery::new(verdicts, kept_attestations(&request.carried));
    let heard = Heard {
        device_key: caller.device_key,
        device: caller.device,
        predecessors: BTreeSet::new(),
        clock_ahead: request.device_time.saturating_sub(clock::now()),
    };
    let taken = take(&app.store, delivery, Source::Hub(heard, caller.hamlets.clone())).await?;
    erase_all(&app.store, request.erased.clone(), Some(&caller.hamlets)).await?;
    if taken.changed {
        app.logged();
    }

    let memory = remembered.after(&request);
    let with_own = memory.set_back || request.restoring;
    let piece = match cursors {
        CursorState::Known => Some(news(readers, &caller, request.cursor, with_own).await?),
        CursorState::Foreign => None,
    };
    let roster = roster_for(readers, &caller, &request).await?;
    // What the hub has brought is remembered last: whatever failed before, it brings again.
    remember(&app.store, caller.device_key, memory).await?;
    let unknown_cursor = piece.is_none();
    let Piece {
        carried,
        erased,
        until,
        more,
    } = piece.unwrap_or_default();
    let answer = ForwardResponse {
        version: FORWARDING_VERSION,
        server_time: clock::now(),
        waiting: taken.waiting,
        refused: taken.refused,
        roster,
        carried,
        erased,
        cursor: until,
        acknowledged: head(readers)
            .await?
            .filter(|head| until.or(request.cursor) != Some(*head)),
        unknown_cursor,
        set_back: memory.set_back,
        more,
    };
    let bytes = blocking(move || wire::encode(&answer)).await??;
    Ok((
        [
            (CONTENT_TYPE, wire::CONTENT_TYPE),
            (CONTENT_ENCODING, wire::CONTENT_ENCODING),
        ],
        bytes,
    )
        .into_response())
}

/// What is new for a hub after its cursor.
async fn news(
    readers: &SqlitePool,
    caller: &Caller,
    cursor: Option<Cursor>,
    with_own: bool,
) -> Result<Piece, StoreError> {
    let after = cursor.map_or(0, |cursor| cursor.sequence().cast_signed());
    let hamlets = caller.hamlets.iter().map(|hamlet| hamlet.0).collect();
    let without = (!with_own).then_some(caller.device_key);
    piece::read(readers, after, Some(hamlets), without, &CarriedEntries::default()).await
}

/// The roster of the devices in the hub's scope, where the hub has another one.
async fn roster_for(
    readers: &SqlitePool,
    caller: &Caller,
    request: &ForwardRequest,
) -> Result<Option<ByteBuf>, StoreError> {
    let roster = encoded(&roster_of(readers, Some(&caller.hamlets)).await?)?.into_bytes();
    let digest = Sha256::digest(&roster);
    let known = request
        .roster_known
        .as_ref()
        .is_some_and(|known| known[..] == digest[..]);
    Ok((!known).then(|| ByteBuf::from(roster)))
}

/// What is remembered of a hub.
///
/// # Errors
/// [`Problem`] when the device is no hub.
pub(super) async fn memory(readers: &SqlitePool, device_key: i64) -> Result<HubMemory, Problem> {
    let hub: Option<(String,)> = sqlx::query_as("SELECT memory FROM hub WHERE device_key = $1")
        .bind(device_key)
        .fetch_optional(readers)
        .await?;
    let Some((memory,)) = hub else {
        return Err(Problem::new(
            "no-hub",
            StatusCode::FORBIDDEN,
            Text::new("Thiết bị không phải trạm trung chuyển", "The device is no hub"),
            Text::new(
                "Thiết bị này chỉ được gửi thay đổi do chính nó ghi; hãy xin mã dành cho trạm (device invite --hub).",
                "This device may bring only what it wrote itself; ask for a hub's code (device invite --hub).",
            ),
        ));
    };
    Ok(serde_json::from_str(&memory).map_err(|error| StoreError::Damaged {
        table: "hub",
        reason: error.to_string(),
    })?)
}

async fn remember(store: &Store, device_key: i64, memory: HubMemory) -> Result<(), StoreError> {
    let memory = encoded(&memory)?;
    store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE hub SET memory = $2 WHERE device_key = $1 AND memory <> $2")
                    .bind(device_key)
                    .bind(memory)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
}

impl From<HubError> for Problem {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Wire(error) => error.into(),
            HubError::Admission(error) => error.into(),
            HubError::Store(error)
            | HubError::Roster(RosterError::Store(error))
            | HubError::Erasure(ErasureError::Store(error)) => error.into(),
            HubError::RosterShape { .. } | HubError::Roster(_) => Self::new(
                "malformed-message",
                StatusCode::BAD_REQUEST,
                Text::new("Gói tin sai cấu trúc", "Malformed message"),
                Text::new(error.vietnamese(), error.to_string()),
            ),
            other => Self::internal(&other),
        }
    }
}
