//! What leaders' phones send.

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sync_core::identity::RoundId;
use uuid::Uuid;

use super::deciding::{Decider, decide};
use super::decision::{Decision, Refusal};
use crate::app::App;
use crate::devices::{Caller, Subject};
use crate::http::{Language, Problem, Text};
use crate::rounds::unknown_round;

/// Decisions of one request at most.
const MAX_DECISIONS: usize = 200;
/// Bytes of a request at most: that many decisions with the changes that they are about.
const MAX_BYTES: usize = 1 << 20;

const SUBJECT: Subject = Subject {
    problem: "malformed-decisions",
    name: ("danh sách quyết định", "list of decisions"),
    title: ("Danh sách quyết định không đúng", "Malformed decisions"),
};

/// What a leader decided.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SupervisionRequest {
    decisions: Vec<Decision>,
}

/// What became of it.
#[derive(Debug, Serialize)]
struct SupervisionResponse {
    /// Of each decision of the request, in its order.
    verdicts: Vec<Verdict>,
}

#[derive(Debug, Serialize)]
struct Verdict {
    id: Uuid,
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Refusal>,
    /// The reason as people read it, in the language of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// The routes of this module.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/rounds/{round}/supervision", post(supervise))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
}

/// Takes a leader's decisions. They are on disk when the answer comes; sending them again changes nothing.
async fn supervise(
    State(app): State<App>,
    caller: Caller,
    Path(round): Path<Uuid>,
    headers: HeaderMap,
    request: Result<Json<SupervisionRequest>, JsonRejection>,
) -> Result<Json<SupervisionResponse>, Problem> {
    let Json(request) = request.map_err(|rejection| SUBJECT.unreadable(&rejection))?;
    let known: Option<i64> = sqlx::query_scalar("SELECT round_key FROM round WHERE id = $1")
        .bind(round)
        .fetch_optional(&app.store.readers)
        .await?;
    known.ok_or_else(unknown_round)?;
    if request.decisions.len() > MAX_DECISIONS {
        return Err(Problem::new(
            "too-large",
            StatusCode::PAYLOAD_TOO_LARGE,
            Text::new("Yêu cầu quá lớn", "The request is too large"),
            Text::new(
                format!("mỗi lần gửi tối đa {MAX_DECISIONS} quyết định"),
                format!("send at most {MAX_DECISIONS} decisions at once"),
            ),
        ));
    }
    let ids: Vec<Uuid> = request.decisions.iter().map(|decision| decision.id).collect();
    let decider = Decider::Leader(caller.device_key);
    let outcomes = decide(&app.store, RoundId(round), decider, request.decisions).await?;
    let outcomes = outcomes.ok_or_else(no_leader)?;
    let language = Language::of_request(&headers);
    let verdicts = ids.into_iter().zip(outcomes).map(|(id, outcome)| {
        let reason = outcome.err();
        Verdict {
            id,
            accepted: reason.is_none(),
            reason,
            detail: reason.map(|reason| reason.text().get(language).to_owned()),
        }
    });
    Ok(Json(SupervisionResponse {
        verdicts: verdicts.collect(),
    }))
}

fn no_leader() -> Problem {
    Problem::new(
        "not-a-leader",
        StatusCode::FORBIDDEN,
        Text::new("Không phải tổ trưởng", "Not a team leader"),
        Text::new(
            "Máy này không phải của tổ trưởng; hãy liên hệ cán bộ xã.",
            "This device is not a team leader's; ask the commune official.",
        ),
    )
}
