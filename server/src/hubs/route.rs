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
use sqlx::sqlite::SqliteConnection;
use sync_core::ChangeHash;
use sync_core::exchange::answering::CursorState;
use sync_core::exchange::delivery::Delivery;
use sync_core::exchange::forwarding::{FORWARDING_VERSION, ForwardRequest, ForwardResponse, HubMemory, Piece};
use sync_core::exchange::{CarriedChanges, Cursor, Limits, Reconciliation, admit_carried, reconciliation, wire};

use super::error::HubError;
use super::frame::frame;
use super::piece;
use super::reach::{erase_all, kept_attestations, read_roster};
use super::upstream::encoded;
use crate::app::App;
use crate::clock;
use crate::devices::{Caller, RosterError, import_roster, roster_of};
use crate::http::{Problem, Text};
use crate::store::StoreError;
use crate::sync::carrying::CarriedEntries;
use crate::sync::{ErasureError, Heard, Source, blocking, change_set, coding, forwarded_erasures, head, take};

/// The routes of this module.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/forward", post(forward))
        .route("/api/v1/rounds/{round}/frame", get(frame))
}

async fn forward(State(app): State<App>, caller: Caller, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let coding = coding(&headers)?;
    // Whoever is no hub is refused before anything is read.
    memory(&app.store.readers, caller.device_key).await?;
    let limits = Limits::default();
    let (body, _room) = app.bodies.whole_body(body, &limits).await?;
    let _turn = app.exchanges.acquire().await.map_err(|_| StoreError::ShuttingDown)?;
    let (request, verdicts) = blocking(move || {
        let request: ForwardRequest = wire::decode_as(&body, coding, &limits)?;
        let verdicts = admit_carried(&request.carried, &limits)?;
        Ok::<_, HubError>((request, verdicts))
    })
    .await??;

    let readers = &app.store.readers;
    let narrowed = |cursor: Option<Cursor>| cursor.map(|cursor| cursor.narrowed(caller.narrowing));
    let request = ForwardRequest {
        cursor: narrowed(request.cursor),
        acknowledged: narrowed(request.acknowledged),
        ..request
    };
    if let Some(roster) = &request.roster {
        let roster = read_roster(roster)?;
        import_roster(&app.store, roster, Some(&caller.hamlets))
            .await
            .map_err(HubError::from)?;
    }
    let cursors = request.cursor.into_iter().chain(request.acknowledged);
    if cursors.clone().next().is_none() {
        caller.begins_to_read(&app.store).await?;
    }
    let cursors = caller.cursor_state(readers, cursors).await?;
    let delivery = Delivery::new(verdicts, kept_attestations(&request.carried));
    let heard = Heard {
        device_key: caller.device_key,
        device: caller.device,
        predecessors: BTreeSet::new(),
        clock_ahead: request.device_time.saturating_sub(clock::now()),
    };
    let source = Source::Hub(heard, caller.hamlets.clone(), HubVisit::of(&request));
    let taken = take(&app.store, delivery, source).await?;
    erase_all(&app.store, request.erased.clone(), Some(&caller.hamlets)).await?;
    if taken.changed {
        app.logged();
    }

    let memory = memory(readers, caller.device_key).await?;
    let with_own = memory.set_back || request.restoring;
    let mut compared = None;
    let piece = match (&request.reconciliation, cursors) {
        (Some(Reconciliation::Compare(asked)), _) => {
            let piece;
            (piece, compared) = compare(readers, &caller, asked.clone()).await?;
            Some(piece)
        }
        (Some(Reconciliation::Fetch(hashes)), _) => {
            let hashes: Vec<ChangeHash> = hashes.iter().map(|hash| ChangeHash(**hash)).collect();
            Some(piece::wanted(readers, &hashes, Some(&hamlets_of(&caller))).await?)
        }
        (None, CursorState::Known) => Some(news(readers, &caller, request.cursor, with_own).await?),
        (None, CursorState::Foreign) => None,
    };
    let roster = roster_for(readers, &caller, &request).await?;
    let unknown_cursor = matches!(cursors, CursorState::Foreign);
    let Piece {
        carried,
        erased,
        until,
        more,
        unlogged: _,
    } = piece.unwrap_or_default();
    let answer = ForwardResponse {
        version: FORWARDING_VERSION,
        server_time: clock::now(),
        waiting: taken.waiting,
        refused: taken.refused,
        roster,
        carried,
        erased,
        cursor: narrowed(until),
        acknowledged: narrowed(
            head(readers)
                .await?
                .filter(|head| until.or(request.cursor) != Some(*head)),
        ),
        reconciliation: compared,
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
    let without = (!with_own).then_some(caller.device_key);
    let hamlets = Some(hamlets_of(caller));
    piece::read(readers, after, hamlets, without, &CarriedEntries::default()).await
}

/// The answer to a comparison, none where it cannot be compared, and a piece without changes: the tombstones and the entry
/// up to which the log was compared.
async fn compare(readers: &SqlitePool, caller: &Caller, asked: ByteBuf) -> Result<(Piece, Option<ByteBuf>), Problem> {
    let (changes, head) = change_set(readers, &caller.hamlets).await?;
    let limits = reconciliation::Limits::default();
    let compared = blocking(move || reconciliation::answer(&changes, &asked, &limits)).await?;
    let end = head.map_or(0, |head| head.sequence().cast_signed());
    let piece = Piece {
        erased: forwarded_erasures(readers, Some(&hamlets_of(caller)), 0, end).await?,
        until: head,
        ..Piece::default()
    };
    Ok((piece, compared.ok().map(ByteBuf::from)))
}

fn hamlets_of(caller: &Caller) -> Vec<i64> {
    caller.hamlets.iter().map(|hamlet| hamlet.0).collect()
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
    Ok(decoded(&memory)?)
}

/// How far a request brings a hub's log: kept in the transaction that takes in what it brings. Were it kept later, an upstream
/// whose power fails in between would not notice that a hub was set back to before that request.
#[derive(Debug, Clone)]
pub(crate) struct HubVisit {
    request: ForwardRequest,
    unlogged: BTreeSet<ChangeHash>,
}

impl HubVisit {
    /// Of a request, without what it carries.
    fn of(request: &ForwardRequest) -> Self {
        let unlogged = request.unlogged.iter().map(|hash| ChangeHash(**hash)).collect();
        let reconciliation = request
            .reconciliation
            .as_ref()
            .map(|reconciliation| match reconciliation {
                Reconciliation::Compare(_) => Reconciliation::Compare(ByteBuf::new()),
                Reconciliation::Fetch(_) => Reconciliation::Fetch(Vec::new()),
            });
        let request = ForwardRequest {
            version: request.version,
            device_time: request.device_time,
            roster: None,
            roster_known: None,
            forwarded: request.forwarded,
            until: request.until,
            carried: CarriedChanges::default(),
            unlogged: Vec::new(),
            erased: Vec::new(),
            cursor: request.cursor,
            acknowledged: request.acknowledged,
            restoring: request.restoring,
            reconciliation,
        };
        Self { request, unlogged }
    }

    /// Whether a change waits at the hub only, so that it is not one of the hub's own.
    pub(crate) fn is_unlogged(&self, hash: &ChangeHash) -> bool {
        self.unlogged.contains(hash)
    }

    /// Goes on from what is remembered now, since another request of the hub may have been answered in the meantime.
    pub(crate) async fn write(&self, connection: &mut SqliteConnection, device_key: i64) -> Result<(), StoreError> {
        let memory: Option<String> = sqlx::query_scalar("SELECT memory FROM hub WHERE device_key = $1")
            .bind(device_key)
            .fetch_optional(&mut *connection)
            .await?;
        let Some(memory) = memory else { return Ok(()) };
        sqlx::query("UPDATE hub SET memory = $2 WHERE device_key = $1 AND memory <> $2")
            .bind(device_key)
            .bind(encoded(&decoded(&memory)?.after(&self.request))?)
            .execute(connection)
            .await?;
        Ok(())
    }
}

fn decoded(memory: &str) -> Result<HubMemory, StoreError> {
    serde_json::from_str(memory).map_err(|error| StoreError::Damaged {
        table: "hub",
        reason: error.to_string(),
    })
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
