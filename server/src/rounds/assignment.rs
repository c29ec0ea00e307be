//! What an enrolled phone is to do, in one answer: its hamlets and households, the round, the form's version, who else
//! writes there, and the key to which bundles for this server are sealed. And the form as a phone reads it.

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use survey_forms::model::Form;
use sync_core::identity::RoundId;
use uuid::Uuid;

use super::routes::{AssignedUnit, assigned_units_of, unknown_round};
use crate::app::App;
use crate::devices::{Caller, public_key_of};
use crate::hex;
use crate::http::{Problem, Text};
use crate::supervision::{self, ReviewState, Standing};

/// How hard JSON is compressed: it is done anew for each phone.
const QUALITY: u32 = 5;
/// Bytes that the compressor works on at a time, and the logarithm of its window's.
const BUFFER: usize = 4096;
const WINDOW: u32 = 20;

/// What a phone is to do in a round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Assignment {
    /// The phone.
    pub device: AssignedDevice,
    /// The round.
    pub round: AssignedRound,
    /// The form.
    pub form: AssignedForm,
    /// The households of the phone's hamlets.
    pub units: Vec<SupervisedUnit>,
    /// The other devices that may write in the phone's hamlets.
    pub teammates: Vec<Teammate>,
    /// The key to which bundles for this server are sealed, as `khaosat bundle key` prints it.
    pub sealing_key: String,
}

/// The phone, as the server knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssignedDevice {
    /// Its name: that of the invitation.
    pub name: String,
    /// Whether its user leads the team of its hamlets.
    pub leader: bool,
    /// Its hamlets.
    pub hamlets: Vec<AssignedHamlet>,
}

/// A hamlet that the phone may read and write.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssignedHamlet {
    /// The code.
    pub code: String,
    /// The name, with the kind before it.
    pub name: String,
    /// The commune's name, with the kind before it.
    pub commune: String,
}

/// The round, as far as a phone shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssignedRound {
    /// Its name everywhere else.
    pub id: RoundId,
    /// Its name for people.
    pub name: Text,
    /// Whether it takes responses.
    pub open: bool,
    /// Whether its answers are simulated.
    pub simulated: bool,
}

/// Which form in which version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssignedForm {
    /// The hash of its content, which is also the entity tag of the definition.
    pub tag: String,
    /// Its title.
    pub title: String,
    /// Its author's label of the version.
    pub version: String,
}

/// Another device: by its name people know who wrote what, to its key a phone seals what it gives, and what it wrote in its
/// hamlets another phone believes before the server has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Teammate {
    /// Its actor in hexadecimal.
    pub actor: String,
    /// Its name.
    pub name: String,
    /// Its public key in hexadecimal.
    pub public_key: String,
    /// The hamlets of the phone's in which it may write now; none where its rights have ended, or it is an official, who has no
    /// phone to be given anything to.
    pub hamlets: Vec<String>,
    /// Whether its user leads a team.
    pub leader: bool,
}

/// A household to visit, and what was decided about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SupervisedUnit {
    /// The household.
    #[serde(flatten)]
    pub unit: AssignedUnit,
    /// Who is to do it, by the device's actor in hexadecimal; whoever comes, where nobody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    /// What was found of its interview as the server has it now; nothing, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<UnitReview>,
}

/// What was found of an interview.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnitReview {
    /// How it stands.
    pub state: ReviewState,
    /// Why, for whoever made the interview.
    pub reason: String,
    /// The name of the leader who decided; nothing, where an official did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When the server learned of it, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
}

/// `GET /api/v1/rounds/{round}/assignment`.
pub(super) async fn assignment(
    State(app): State<App>,
    caller: Caller,
    Path(round): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    type RoundRow = (i64, String, String, bool, bool, Vec<u8>);
    let row: Option<RoundRow> =
        sqlx::query_as("SELECT round_key, name_vi, name_en, open, simulated, form_hash FROM round WHERE id = $1")
            .bind(round)
            .fetch_optional(&app.store.readers)
            .await?;
    let (round_key, vi, en, open, simulated, form_hash) = row.ok_or_else(unknown_round)?;
    let form = form_of(&app, &form_hash).await?;
    let settings = form.settings();
    let (name, leader): (String, bool) = sqlx::query_as("SELECT name, leader FROM device WHERE device_key = $1")
        .bind(caller.device_key)
        .fetch_one(&app.store.readers)
        .await?;
    let assignment = Assignment {
        device: AssignedDevice {
            name,
            leader,
            hamlets: hamlets(&app, &caller, round_key).await?,
        },
        round: AssignedRound {
            id: RoundId(round),
            name: Text { vi, en },
            open,
            simulated,
        },
        form: AssignedForm {
            tag: hex::encode(&form_hash),
            title: settings.shown_title().to_owned(),
            version: settings.version.clone(),
        },
        units: units(&app, &caller, round_key).await?,
        teammates: teammates(&app, &caller, round_key).await?,
        sealing_key: app.sealing_key.clone(),
    };
    let json = serde_json::to_vec(&assignment).map_err(|error| Problem::internal(&error))?;
    let tag = hex::encode(&Sha256::digest(&json)[..16]);
    Ok(answer(&headers, &tag, &json))
}

/// `GET /api/v1/rounds/{round}/definition`: the form as its definition in JSON.
pub(super) async fn definition(
    State(app): State<App>,
    _caller: Caller,
    Path(round): Path<Uuid>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let form_hash: Option<Vec<u8>> = sqlx::query_scalar("SELECT form_hash FROM round WHERE id = $1")
        .bind(round)
        .fetch_optional(&app.store.readers)
        .await?;
    let form_hash = form_hash.ok_or_else(unknown_round)?;
    let form = form_of(&app, &form_hash).await?;
    let json = serde_json::to_vec(form.definition()).map_err(|error| Problem::internal(&error))?;
    Ok(answer(&headers, &hex::encode(&form_hash), &json))
}

async fn form_of(app: &App, hash: &[u8]) -> Result<Form, Problem> {
    let workbook = super::workbook(&app.store.readers, hash).await?.unwrap_or_default();
    survey_forms::xlsform::read(&workbook).map_err(|error| Problem::internal(&error))
}

/// JSON with an entity tag (RFC 9110, section 8.8.3), compressed where the caller can read that; nothing but the tag where
/// the caller has it already.
fn answer(asked: &HeaderMap, tag: &str, json: &[u8]) -> Response {
    let tag = format!("\"{tag}\"");
    let says = |name: HeaderName, what: &str| {
        let value = asked
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        value
            .split(',')
            .any(|part| part.split(';').next().unwrap_or_default().trim() == what)
    };
    let common = [
        (ETAG, tag.as_str()),
        (CACHE_CONTROL, "private, no-cache"),
        (VARY, "accept-encoding, authorization"),
    ];
    if says(IF_NONE_MATCH, &tag) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let json_type = [(CONTENT_TYPE, "application/json")];
    if !says(ACCEPT_ENCODING, "br") {
        return (common, json_type, json.to_vec()).into_response();
    }
    let mut compressed = Vec::new();
    let mut compressor = brotli::CompressorReader::new(json, BUFFER, QUALITY, WINDOW);
    match std::io::Read::read_to_end(&mut compressor, &mut compressed) {
        Ok(_) => (common, json_type, [(CONTENT_ENCODING, "br")], compressed).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

/// The caller's hamlets with their names.
async fn hamlets(app: &App, caller: &Caller, round_key: i64) -> Result<Vec<AssignedHamlet>, Problem> {
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT frame_hamlet.code, frame_hamlet.kind, frame_hamlet.name, frame_hamlet.commune_code
         FROM device_scope JOIN frame_hamlet USING (hamlet_key)
         WHERE device_scope.device_key = $1 AND device_scope.withdrawn_at IS NULL AND frame_hamlet.round_key = $2
         ORDER BY frame_hamlet.code",
    )
    .bind(caller.device_key)
    .bind(round_key)
    .fetch_all(&app.store.readers)
    .await?;
    let rounds = app.live.read().await;
    let tree = rounds
        .iter()
        .find(|live| live.round.key == round_key)
        .map(|live| &live.tree);
    let commune = |code: &str| {
        let node = tree.and_then(|tree| Some(&tree.nodes()[tree.find(code)?]));
        node.map_or_else(|| code.to_owned(), |node| named(&node.kind, &node.name))
    };
    Ok(rows
        .into_iter()
        .map(|(code, kind, name, commune_code)| AssignedHamlet {
            name: named(&kind, &name),
            commune: commune(&commune_code),
            code,
        })
        .collect())
}

/// The caller's households, and what was decided about them.
async fn units(app: &App, caller: &Caller, round_key: i64) -> Result<Vec<SupervisedUnit>, Problem> {
    let mut standing = supervision::standing(&app.store.readers, round_key, Some(&caller.hamlets)).await?;
    let units = assigned_units_of(app, caller, round_key).await?.into_iter();
    Ok(units
        .map(|unit| {
            let Standing { assignee, review } = standing.remove(&unit.code).unwrap_or_default();
            SupervisedUnit {
                unit,
                assignee: assignee.map(|person| person.actor),
                review: review.map(|review| UnitReview {
                    state: review.state,
                    reason: review.reason,
                    by: review.by.map(|person| person.name),
                    at: review.received_at,
                }),
            }
        })
        .collect())
}

/// The other devices of the caller's hamlets that are not hubs, those too whose rights have ended: what they wrote stays.
async fn teammates(app: &App, caller: &Caller, round_key: i64) -> Result<Vec<Teammate>, Problem> {
    let rows: Vec<(Vec<u8>, String, bool, String)> = sqlx::query_as(
        "SELECT device.public_key, device.name, device.leader,
             json_group_array(frame_hamlet.code ORDER BY frame_hamlet.code) FILTER (WHERE theirs.withdrawn_at IS NULL
                 AND device.revoked_at IS NULL AND device.successor_key IS NULL AND NOT device.official)
         FROM device_scope AS own
         JOIN frame_hamlet ON frame_hamlet.hamlet_key = own.hamlet_key AND frame_hamlet.round_key = $2
         JOIN device_scope AS theirs ON theirs.hamlet_key = own.hamlet_key AND theirs.device_key <> own.device_key
         JOIN device ON device.device_key = theirs.device_key
         WHERE own.device_key = $1 AND own.withdrawn_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM hub WHERE hub.device_key = device.device_key)
         GROUP BY device.device_key
         ORDER BY device.name, device.public_key",
    )
    .bind(caller.device_key)
    .bind(round_key)
    .fetch_all(&app.store.readers)
    .await?;
    let named = rows.into_iter().map(|(key, name, leader, hamlets)| {
        let key = public_key_of(key)?;
        Ok(Teammate {
            actor: key.actor().to_string(),
            name,
            leader,
            public_key: key.to_string(),
            hamlets: serde_json::from_str(&hamlets).map_err(|error| Problem::internal(&error))?,
        })
    });
    named.collect()
}

/// A unit's name with its kind before it, capitalised.
fn named(kind: &str, name: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let whole = format!("{}{} {name}", first.unwrap_or_default(), letters.as_str());
    whole.trim().to_owned()
}
