//! Rotation: a device puts a new key in the place of the one that it has, and goes on with a new token.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnection;
use sync_core::device::Succession;

use super::authentication::{Token, revoked, succeeded, unknown_token};
use super::body::{Subject, wrong_signature};
use super::succession::{StatedSuccession, SuccessionError, keep};
use super::{new_token, secret_hash};
use crate::app::App;
use crate::clock;
use crate::http::{Problem, Text};
use crate::store::StoreError;

/// What a device gets when its key was rotated.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rotation {
    /// The bearer token of the new key. It is told once; the server keeps only its hash.
    pub token: String,
}

const SUBJECT: Subject = Subject {
    problem: "malformed-succession",
    name: ("yêu cầu thay khóa", "succession"),
    title: ("Yêu cầu thay khóa không đúng", "Malformed succession"),
};

/// The routes of this module.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/devices/rotate", post(rotate))
}

async fn rotate(
    State(app): State<App>,
    token: Token,
    request: Result<Json<StatedSuccession>, JsonRejection>,
) -> Result<(StatusCode, Json<Rotation>), Problem> {
    let Json(request) = request.map_err(|rejection| SUBJECT.unreadable(&rejection))?;
    let succession = request.verified().map_err(|error| {
        let detail = Text::new(error.vietnamese(), error.to_string());
        match error {
            SuccessionError::Signature(_) => wrong_signature(detail),
            SuccessionError::NoHex { .. } | SuccessionError::SameKey => SUBJECT.malformed(detail),
        }
    })?;
    let (told, token_hash) = new_token().map_err(|error| Problem::internal(&error))?;
    let old_hash = secret_hash(token.secret());
    app.store
        .writer
        .write(move |connection| Box::pin(async move { write(connection, &succession, &old_hash, &token_hash).await }))
        .await?
        .map_err(Refused::problem)?;
    Ok((StatusCode::CREATED, Json(Rotation { token: told })))
}

/// Why a key is not rotated.
#[derive(Debug, Clone, Copy)]
enum Refused {
    UnknownToken,
    OtherDevice,
    Revoked,
    Succeeded,
    KeyInUse,
}

impl Refused {
    fn problem(self) -> Problem {
        match self {
            Self::UnknownToken => unknown_token(),
            Self::Revoked => revoked(),
            Self::Succeeded => succeeded(),
            Self::OtherDevice => Problem::new(
                "other-device",
                StatusCode::FORBIDDEN,
                Text::new("Mã truy cập của thiết bị khác", "Another device's token"),
                Text::new(
                    "Mã truy cập không phải của khóa cũ hay khóa mới; hãy gửi bằng mã của khóa cũ.",
                    "The token is neither the old key's nor the new one's; send it with the old key's token.",
                ),
            ),
            Self::KeyInUse => Problem::new(
                "key-in-use",
                StatusCode::CONFLICT,
                Text::new("Khóa đã được dùng", "The key is in use"),
                Text::new(
                    "Khóa mới đã thuộc về một thiết bị; hãy tạo khóa khác.",
                    "The new key is a device's already; draw another one.",
                ),
            ),
        }
    }
}

/// A device as it is to who wants to rotate its key.
#[derive(Debug)]
struct Row {
    device_key: i64,
    revoked_at: Option<i64>,
    successor_key: Option<i64>,
    has_token: bool,
}

/// Rotates a key. Who asks again with the same new key, by the token of either, is told another token, since the answer
/// to the first time may have been lost.
async fn write(
    connection: &mut SqliteConnection,
    succession: &Succession,
    old_hash: &[u8],
    token_hash: &[u8],
) -> Result<Result<(), Refused>, StoreError> {
    let mut rows = Vec::with_capacity(2);
    for key in [&succession.predecessor, &succession.successor] {
        let row: Option<(i64, Option<i64>, Option<i64>, bool)> = sqlx::query_as(
            "SELECT device_key, revoked_at, successor_key, token_hash = $2 AS has_token
             FROM device WHERE public_key = $1",
        )
        .bind(key.0.as_slice())
        .bind(old_hash)
        .fetch_optional(&mut *connection)
        .await?;
        rows.push(row.map(|(device_key, revoked_at, successor_key, has_token)| Row {
            device_key,
            revoked_at,
            successor_key,
            has_token,
        }));
    }
    let [old, new] = <[Option<Row>; 2]>::try_from(rows).unwrap_or_default();
    let holds = |row: &Option<Row>| row.as_ref().is_some_and(|row| row.has_token);
    if !holds(&old) && !holds(&new) {
        let known: Option<i64> = sqlx::query_scalar("SELECT device_key FROM device WHERE token_hash = $1")
            .bind(old_hash)
            .fetch_optional(&mut *connection)
            .await?;
        return Ok(Err(known.map_or(Refused::UnknownToken, |_| Refused::OtherDevice)));
    }
    let Some(old) = old else {
        return Ok(Err(Refused::OtherDevice));
    };
    if old.revoked_at.is_some() || new.as_ref().is_some_and(|new| new.revoked_at.is_some()) {
        return Ok(Err(Refused::Revoked));
    }
    match (old.successor_key, new) {
        (Some(successor), Some(new)) if successor == new.device_key => {
            sqlx::query("UPDATE device SET token_hash = $2 WHERE device_key = $1")
                .bind(successor)
                .bind(token_hash)
                .execute(&mut *connection)
                .await?;
            return Ok(Ok(()));
        }
        (Some(_), _) => return Ok(Err(Refused::Succeeded)),
        (None, Some(_)) => return Ok(Err(Refused::KeyInUse)),
        (None, None) => {}
    }
    let device_key: i64 = sqlx::query_scalar(
        "INSERT INTO device (public_key, name, token_hash, enrolled_at, grants, grants_read, leader)
         SELECT $2, name, $3, $4, grants, grants_read, leader FROM device WHERE device_key = $1 RETURNING device_key",
    )
    .bind(old.device_key)
    .bind(succession.successor.0.as_slice())
    .bind(token_hash)
    .bind(clock::now())
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO device_scope (device_key, hamlet_key, granted_at, withdrawn_at)
         SELECT $2, hamlet_key, granted_at, withdrawn_at FROM device_scope WHERE device_key = $1",
    )
    .bind(old.device_key)
    .bind(device_key)
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO hub (device_key, memory) SELECT $2, memory FROM hub WHERE device_key = $1")
        .bind(old.device_key)
        .bind(device_key)
        .execute(&mut *connection)
        .await?;
    keep(connection, succession).await?;
    Ok(Ok(()))
}
