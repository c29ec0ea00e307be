//! `GET /api/v1/rounds/{round}/frame`: a round as a hub needs it to be the same round there.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use sync_core::identity::RoundId;
use uuid::Uuid;

use super::error::HubError;
use super::link::Link;
use super::route::memory;
use crate::app::App;
use crate::devices::Caller;
use crate::http::{Problem, Text};
use crate::rounds::{self, FrameHamlet, NewRound, SampledUnit, unknown_round};
use crate::store::{Store, StoreError};

/// Bytes of a frame or a form at most: half a million households have some fifty million.
const BYTES: u64 = 256 << 20;

/// All of a round but its form. A hub gets the whole frame, since its figures are estimates over it, but addresses only of
/// its own hamlets' households.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RoundFrame {
    name_vi: String,
    name_en: String,
    reference_date: String,
    units_on: String,
    root_code: String,
    simulated: bool,
    hamlets: Vec<FrameHamlet>,
    households: Vec<SampledUnit>,
}

pub(super) async fn frame(
    State(app): State<App>,
    caller: Caller,
    Path(round): Path<Uuid>,
) -> Result<Json<RoundFrame>, Problem> {
    let readers = &app.store.readers;
    memory(readers, caller.device_key).await?;
    let all = rounds::load(readers).await?;
    let round = all.into_iter().find(|known| known.id.0 == round);
    let round = round.ok_or_else(unknown_round)?;
    Ok(Json(RoundFrame {
        hamlets: hamlets(readers, round.key).await?,
        households: households(readers, round.key, caller.device_key).await?,
        name_vi: round.name.vi,
        name_en: round.name.en,
        reference_date: round.reference_date,
        units_on: round.units_on,
        root_code: round.root_code,
        simulated: round.simulated,
    }))
}

async fn hamlets(readers: &SqlitePool, round_key: i64) -> Result<Vec<FrameHamlet>, StoreError> {
    type Row = (String, String, String, String, String, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT code, name, kind, commune_code, stratum, households FROM frame_hamlet
         WHERE round_key = $1 ORDER BY hamlet_key",
    )
    .bind(round_key)
    .fetch_all(readers)
    .await?;
    let hamlet = |(code, name, kind, commune_code, stratum, households): Row| FrameHamlet {
        code,
        name,
        kind,
        commune_code,
        stratum,
        households: households.unsigned_abs(),
    };
    Ok(rows.into_iter().map(hamlet).collect())
}

/// The frame's list. Added households come to the hub with their responses.
async fn households(readers: &SqlitePool, round_key: i64, hub: i64) -> Result<Vec<SampledUnit>, StoreError> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT sampled_unit.code, frame_hamlet.code, IIF(sampled_unit.hamlet_key IN
             (SELECT hamlet_key FROM device_scope WHERE device_key = $2 AND withdrawn_at IS NULL), address, '')
         FROM sampled_unit JOIN frame_hamlet USING (hamlet_key)
         WHERE sampled_unit.round_key = $1 AND NOT sampled_unit.added ORDER BY sampled_unit.code",
    )
    .bind(round_key)
    .bind(hub)
    .fetch_all(readers)
    .await?;
    let unit = |(code, hamlet_code, address)| SampledUnit {
        code,
        hamlet_code,
        address,
    };
    Ok(rows.into_iter().map(unit).collect())
}

/// Makes the upstream's round here too, as a hub of it.
///
/// # Errors
/// [`HubError`]; nothing is kept then.
pub(super) async fn fetch(store: &Store, link: &Link, token: &str, round: RoundId) -> Result<(), HubError> {
    let (asked, token) = (link.clone(), token.to_owned());
    let (frame, workbook) = tokio::task::spawn_blocking(move || {
        let frame = asked.get(&token, &format!("/api/v1/rounds/{round}/frame"), BYTES)?;
        let workbook = asked.get(&token, &format!("/api/v1/rounds/{round}/form"), BYTES)?;
        Ok::<_, HubError>((frame, workbook))
    })
    .await
    .map_err(|_| StoreError::ShuttingDown)??;
    let frame: RoundFrame = serde_json::from_slice(&frame).map_err(|error| HubError::Unreachable {
        address: link.address().to_owned(),
        reason: error.to_string(),
    })?;
    let round = NewRound {
        id: round,
        name: Text::new(frame.name_vi, frame.name_en),
        reference_date: frame.reference_date,
        units_on: frame.units_on,
        root_code: frame.root_code,
        simulated: frame.simulated,
        workbook,
        hamlets: frame.hamlets,
        households: frame.households,
    };
    Ok(rounds::create(store, round).await?)
}
