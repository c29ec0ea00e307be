//! What a phone fetches after it has enrolled: the form and the households to visit.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::assignment::{assignment, definition};
use crate::app::App;
use crate::devices::Caller;
use crate::hex;
use crate::http::{Problem, Text};

/// The media type of an XLSX workbook.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A household to visit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssignedUnit {
    /// The unit's code.
    pub code: String,
    /// Its hamlet's code.
    pub hamlet: String,
    /// Where it is to be found.
    pub address: String,
    /// Whether it was not on the list and was added in the field; left out where not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub added: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The routes of this module.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/rounds/{round}/assignment", get(assignment))
        .route("/api/v1/rounds/{round}/definition", get(definition))
        .route("/api/v1/rounds/{round}/form", get(form))
        .route("/api/v1/rounds/{round}/units", get(assigned_units))
}

async fn form(State(app): State<App>, _caller: Caller, Path(round): Path<Uuid>) -> Result<Response, Problem> {
    let row: Option<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT form.hash, form.workbook FROM round JOIN form ON form.hash = round.form_hash WHERE round.id = $1",
    )
    .bind(round)
    .fetch_optional(&app.store.readers)
    .await?;
    let (hash, workbook) = row.ok_or_else(unknown_round)?;
    let tag = format!("\"{}\"", hex::encode(&hash));
    Ok((
        [
            (CONTENT_TYPE, XLSX),
            (ETAG, tag.as_str()),
            (CACHE_CONTROL, "private, no-cache"),
        ],
        workbook,
    )
        .into_response())
}

/// The households in the caller's own hamlets and no others.
async fn assigned_units(
    State(app): State<App>,
    caller: Caller,
    Path(round): Path<Uuid>,
) -> Result<Json<Vec<AssignedUnit>>, Problem> {
    let known: Option<i64> = sqlx::query_scalar("SELECT round_key FROM round WHERE id = $1")
        .bind(round)
        .fetch_optional(&app.store.readers)
        .await?;
    let round_key = known.ok_or_else(unknown_round)?;
    Ok(Json(assigned_units_of(&app, &caller, round_key).await?))
}

/// The households of a round in the caller's own hamlets.
pub(super) async fn assigned_units_of(
    app: &App,
    caller: &Caller,
    round_key: i64,
) -> Result<Vec<AssignedUnit>, Problem> {
    let rows: Vec<(String, String, String, bool)> = sqlx::query_as(
        "SELECT sampled_unit.code, frame_hamlet.code, sampled_unit.address, sampled_unit.added
         FROM device_scope
         JOIN sampled_unit USING (hamlet_key)
         JOIN frame_hamlet USING (hamlet_key)
         WHERE device_scope.device_key = $1 AND device_scope.withdrawn_at IS NULL AND sampled_unit.round_key = $2
         ORDER BY sampled_unit.code",
    )
    .bind(caller.device_key)
    .bind(round_key)
    .fetch_all(&app.store.readers)
    .await?;
    let units = rows
        .into_iter()
        .map(|(code, hamlet, address, added)| AssignedUnit {
            code,
            hamlet,
            address,
            added,
        })
        .collect();
    Ok(units)
}

/// There is no round with the identity that was asked for.
pub(crate) fn unknown_round() -> Problem {
    Problem::not_found(Text::new(
        "Máy chủ không có đợt khảo sát này.",
        "The server has no such round.",
    ))
}
