//! Enrolment: a phone brings a code and its public key, and gets its scope and a token.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sync_core::device::DevicePublicKey;
use sync_core::exchange::forwarding::HubMemory;
use sync_core::identity::RoundId;
use uuid::Uuid;

use super::authentication::succeeded;
use super::authority;
use super::body::{Subject, wrong_signature};
use super::invitation::normalised;
use super::team::{self, Taken};
use super::{new_token, secret_hash};
use crate::app::App;
use crate::clock;
use crate::hex;
use crate::http::{Problem, Text};

/// Bytes of a device's name at most.
pub(super) const NAME_BYTES: usize = 200;

const SUBJECT: Subject = Subject {
    problem: "malformed-enrolment",
    name: ("yêu cầu đăng ký", "enrolment"),
    title: ("Yêu cầu đăng ký không đúng", "Malformed enrolment"),
};

/// What a phone sends to enrol.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnrolmentRequest {
    /// The code.
    pub code: String,
    /// The device's Ed25519 public key, 64 hexadecimal digits.
    pub public_key: String,
    /// The device's signature under the code, 128 hexadecimal digits: proof that it holds the key.
    pub signature: String,
    /// The name that it takes of a team's invitation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What it gets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Enrolment {
    /// The bearer token for all later requests. It is told once; the server keeps only its hash.
    pub token: String,
    /// The round.
    pub round: RoundId,
    /// The hamlets that the device may read and write.
    pub hamlets: Vec<String>,
}

/// The routes of this module.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/devices/enrol", post(enrol))
}

async fn enrol(
    State(app): State<App>,
    request: Result<Json<EnrolmentRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<Enrolment>), Problem> {
    let Json(request) = request.map_err(|rejection| SUBJECT.unreadable(&rejection))?;
    let key = key_of(&request.public_key, &SUBJECT)?;
    let signature: [u8; 64] = hex::decode(&request.signature).ok_or_else(|| no_hex(&SUBJECT, "signature", 128))?;
    let device = DevicePublicKey(key);
    device
        .verify_enrolment(&request.code, &signature)
        .map_err(|error| wrong_signature(Text::new(error.vietnamese(), error.to_string())))?;
    // A key that was replaced is somebody else's as well, perhaps.
    let replaced: Option<i64> =
        sqlx::query_scalar("SELECT device_key FROM device WHERE public_key = $1 AND successor_key IS NOT NULL")
            .bind(device.0.as_slice())
            .fetch_optional(&app.store.readers)
            .await?;
    if replaced.is_some() {
        return Err(succeeded());
    }

    let (token, token_hash) = new_token().map_err(|error| Problem::internal(&error))?;
    let code_hash = secret_hash(&normalised(&request.code));
    let wanted = request.name;
    let unknown_hub = serde_json::to_string(&HubMemory::default()).map_err(|error| Problem::internal(&error))?;
    let hamlets = app
        .store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                let now = clock::now();
                // The code is used up by the same transaction that enrols, so it works once however many phones try. The
                // same phone may try again, for example when the first answer was lost.
                let used: bool = sqlx::query_scalar(
                    "SELECT EXISTS (SELECT 1 FROM invitation WHERE code_hash = $1 AND used_by = $2)",
                )
                .bind(&code_hash)
                .bind(device.0.as_slice())
                .fetch_one(&mut *connection)
                .await?;
                let invitation: Option<(String, bool, bool, bool)> = sqlx::query_as(
                    "UPDATE invitation SET used_by = CASE WHEN team THEN NULL ELSE $2 END
                     WHERE code_hash = $1 AND expires_at > $3 AND (used_by IS NULL OR used_by = $2)
                     RETURNING name, hub, team, leader",
                )
                .bind(&code_hash)
                .bind(device.0.as_slice())
                .bind(now)
                .fetch_optional(&mut *connection)
                .await?;
                let Some((name, hub, is_team, leader)) = invitation else {
                    return Ok(Err(unknown_code()));
                };
                let (name, used) = match is_team {
                    false => (name, used),
                    true => match team::take(connection, &code_hash, &device.0, wanted.as_deref()).await? {
                        Taken::Own { name, again } => (name, again),
                        Taken::NotFree => return Ok(Err(team::not_free())),
                        Taken::NotNamed => return Ok(Err(team::not_named())),
                    },
                };
                let device_key: i64 = sqlx::query_scalar(
                    "INSERT INTO device (public_key, name, token_hash, enrolled_at) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (public_key) DO UPDATE SET token_hash = excluded.token_hash, name = excluded.name
                     RETURNING device_key",
                )
                .bind(device.0.as_slice())
                .bind(name.chars().take(NAME_BYTES).collect::<String>())
                .bind(&token_hash)
                .bind(now)
                .fetch_one(&mut *connection)
                .await?;
                if hub {
                    sqlx::query("INSERT INTO hub (device_key, memory) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                        .bind(device_key)
                        .bind(&unknown_hub)
                        .execute(&mut *connection)
                        .await?;
                }
                // A code that comes again grants nothing anew: its hamlets or the role may have been withdrawn since.
                if leader && !used {
                    authority::set_leader(connection, device_key, true).await?;
                }
                let granted: Vec<i64> =
                    sqlx::query_scalar("SELECT hamlet_key FROM invitation_scope WHERE code_hash = $1 AND NOT $2")
                        .bind(&code_hash)
                        .bind(used)
                        .fetch_all(&mut *connection)
                        .await?;
                for hamlet_key in granted {
                    authority::grant(connection, device_key, hamlet_key, now).await?;
                }
                let hamlets: Vec<(Uuid, String)> = sqlx::query_as(
                    "SELECT round.id, frame_hamlet.code FROM invitation_scope
                     JOIN frame_hamlet USING (hamlet_key) JOIN round USING (round_key)
                     WHERE code_hash = $1 ORDER BY frame_hamlet.code",
                )
                .bind(&code_hash)
                .fetch_all(&mut *connection)
                .await?;
                Ok(Ok(hamlets))
            })
        })
        .await??;
    let round = hamlets
        .first()
        .map(|(round, _)| RoundId(*round))
        .ok_or_else(unknown_code)?;
    let hamlets = hamlets.into_iter().map(|(_, code)| code).collect();
    Ok((StatusCode::CREATED, Json(Enrolment { token, round, hamlets })))
}

/// The problem of a code by which nobody can enrol, or nobody else.
pub(super) fn unknown_code() -> Problem {
    Problem::new(
        "unknown-code",
        StatusCode::FORBIDDEN,
        Text::new("Mã không dùng được", "Unusable code"),
        Text::new(
            "Mã mời không đúng, đã hết hạn hoặc đã được thiết bị khác dùng; hãy xin cán bộ xã một mã mới.",
            "The code is wrong, expired or used by another device; ask the commune official for a new one.",
        ),
    )
}

/// The public key that a device sends.
pub(super) fn key_of(text: &str, subject: &Subject) -> Result<[u8; 32], Problem> {
    hex::decode(text).ok_or_else(|| no_hex(subject, "public_key", 64))
}

fn no_hex(subject: &Subject, field: &str, digits: usize) -> Problem {
    subject.malformed(Text::new(
        format!("{field}: cần {digits} chữ số thập lục phân"),
        format!("{field}: {digits} hexadecimal digits are needed"),
    ))
}
