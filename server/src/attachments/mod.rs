//! Pictures, recordings and other files that belong to answers. An answer holds the name of its file, which begins with the
//! hash of the content, so that a file is the same wherever it comes from and can be sent again without harm.

mod export;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{post, put};
use axum::{Json, Router};
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnection;
use sync_core::exchange::{BatchedFile, FileBatch, Limits, WireError, wire};
use sync_core::identity::{ResponseId, RoundId};
use uuid::Uuid;

use crate::app::App;
use crate::clock;
use crate::devices::Caller;
use crate::hex;
use crate::http::{Problem, Text};
use crate::rounds::added;
use crate::store::StoreError;
use crate::sync::{blocking, coding};

pub(crate) use export::write as write_files;

/// Bytes of a file at most: a picture of a phone's camera, some minutes of speech.
const MAX_BYTES: usize = 8 << 20;
/// Files in one message at most.
const MAX_FILES: usize = 1_000;
/// Hexadecimal digits of the content's SHA-256 that a name begins with.
const HASH_DIGITS: usize = 32;
/// Characters of the extension, and bytes of the media type, at most.
const EXTENSION: usize = 8;
const MEDIA_TYPE_BYTES: usize = 100;

/// The routes of this module.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/api/v1/rounds/{round}/units/{unit}/attachments/{name}", put(take))
        .route("/api/v1/rounds/{round}/attachments", post(take_several))
}

/// Keeps a file. It is on disk when the answer comes; sending it again changes nothing.
async fn take(
    State(app): State<App>,
    caller: Caller,
    Path((round, unit, name)): Path<(Uuid, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let hash = hash_of_name(&name).ok_or_else(malformed_name)?.to_owned();
    let limits = Limits {
        compressed_bytes: MAX_BYTES,
        ..Limits::default()
    };
    let (bytes, room) = app.bodies.whole_body(body, &limits).await?;
    if !hex::encode(&Sha256::digest(&bytes)).starts_with(&hash) {
        return Err(other_content());
    }
    let told = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = told.unwrap_or("application/octet-stream").to_owned();
    if media_type.len() > MEDIA_TYPE_BYTES {
        return Err(malformed_name());
    }
    let kept = app
        .store
        .writer
        .write(move |connection| {
            let file = File {
                round: RoundId(round),
                unit,
                name,
                media_type,
                bytes,
            };
            Box::pin(async move { keep(connection, &caller, &file).await })
        })
        .await?;
    drop(room);
    match kept {
        Kept::New => Ok(StatusCode::CREATED),
        Kept::Known => Ok(StatusCode::NO_CONTENT),
        Kept::UnknownUnit => Err(Problem::not_found(Text::new(
            "Đợt khảo sát không có hộ này, hoặc hộ không thuộc địa bàn của thiết bị.",
            "The round has no such unit, or it is not in the device's hamlets.",
        ))),
        Kept::Erased => Err(Problem::new(
            "erased",
            StatusCode::GONE,
            Text::new("Phiếu đã được xóa", "The response was erased"),
            Text::new(
                "Phiếu này đã được xóa theo yêu cầu; hãy xóa tệp trên máy.",
                "This response was erased on request; delete the file on the device.",
            ),
        )),
    }
}

/// What became of several files: for each, in their order, the status that it would have got alone.
#[derive(Debug, Serialize)]
struct FileStatuses {
    statuses: Vec<u16>,
}

/// Keeps several files that came in one message. Those that are kept are on disk when the answer comes.
async fn take_several(
    State(app): State<App>,
    caller: Caller,
    Path(round): Path<Uuid>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FileStatuses>, Problem> {
    let coding = coding(&headers)?;
    let limits = Limits {
        inflated_bytes: MAX_BYTES,
        ..Limits::default()
    };
    let (body, room) = app.bodies.whole_body(body, &limits).await?;
    let files = blocking(move || {
        let batch: FileBatch = wire::decode_as(&body, coding, &limits)?;
        if batch.files.len() > MAX_FILES {
            return Err(WireError::TooMany {
                what: "files",
                limit: MAX_FILES,
            });
        }
        Ok(batch
            .files
            .into_iter()
            .map(|file| checked(round, file))
            .collect::<Vec<_>>())
    })
    .await??;
    let statuses = app
        .store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                let mut statuses = Vec::with_capacity(files.len());
                for file in &files {
                    let status = match file {
                        Err(status) => *status,
                        Ok(file) => match keep(connection, &caller, file).await? {
                            Kept::New => StatusCode::CREATED,
                            Kept::Known => StatusCode::NO_CONTENT,
                            Kept::UnknownUnit => StatusCode::NOT_FOUND,
                            Kept::Erased => StatusCode::GONE,
                        },
                    };
                    statuses.push(status.as_u16());
                }
                Ok(statuses)
            })
        })
        .await?;
    drop(room);
    Ok(Json(FileStatuses { statuses }))
}

/// A file whose name says what it holds, or the status of what is wrong with it.
fn checked(round: Uuid, file: BatchedFile) -> Result<File, StatusCode> {
    let hash = hash_of_name(&file.name).ok_or(StatusCode::BAD_REQUEST)?;
    if file.media_type.len() > MEDIA_TYPE_BYTES {
        return Err(StatusCode::BAD_REQUEST);
    }
    if !hex::encode(&Sha256::digest(&file.bytes)).starts_with(hash) {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    Ok(File {
        round: RoundId(round),
        unit: file.unit,
        name: file.name,
        media_type: file.media_type,
        bytes: file.bytes.into_vec(),
    })
}

/// A file that came.
struct File {
    round: RoundId,
    unit: String,
    name: String,
    media_type: String,
    bytes: Vec<u8>,
}

/// What became of it.
#[derive(Debug, Clone, Copy)]
enum Kept {
    New,
    Known,
    UnknownUnit,
    Erased,
}

/// Keeps a file of a unit in any hamlet that the device has, or had when it took the picture.
async fn keep(connection: &mut SqliteConnection, caller: &Caller, file: &File) -> Result<Kept, StoreError> {
    let id = ResponseId::of(file.round, &file.unit);
    let hamlet = added::hamlet_of(&mut *connection, file.round, &file.unit).await?;
    sqlx::query(
        "INSERT INTO response (id, round_key, unit, hamlet_key)
         SELECT $1, round_key, $3, hamlet_key
         FROM round JOIN device_scope ON device_scope.hamlet_key = $5
         WHERE round.id = $2 AND device_scope.device_key = $4 ON CONFLICT DO NOTHING",
    )
    .bind(id.0)
    .bind(file.round.0)
    .bind(&file.unit)
    .bind(caller.device_key)
    .bind(hamlet)
    .execute(&mut *connection)
    .await?;
    let response: Option<(i64, bool)> = sqlx::query_as(
        "SELECT response_key, EXISTS (SELECT 1 FROM erasure WHERE erasure.response_key = response.response_key)
         FROM response JOIN device_scope USING (hamlet_key) WHERE id = $1 AND device_scope.device_key = $2",
    )
    .bind(id.0)
    .bind(caller.device_key)
    .fetch_optional(&mut *connection)
    .await?;
    let response_key = match response {
        None => return Ok(Kept::UnknownUnit),
        Some((_, true)) => return Ok(Kept::Erased),
        Some((response_key, false)) => response_key,
    };
    let done = sqlx::query(
        "INSERT INTO attachment (response_key, name, media_type, bytes, device_key, received_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(response_key)
    .bind(&file.name)
    .bind(&file.media_type)
    .bind(&file.bytes)
    .bind(caller.device_key)
    .bind(clock::now())
    .execute(&mut *connection)
    .await?;
    Ok(if done.rows_affected() > 0 {
        Kept::New
    } else {
        Kept::Known
    })
}

/// The hash in a file's name: `HASH.extension`, in lower case.
fn hash_of_name(name: &str) -> Option<&str> {
    let (hash, extension) = name.split_once('.')?;
    let is_hash = hash.len() == HASH_DIGITS && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_extension = (1..=EXTENSION).contains(&extension.len())
        && extension
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (is_hash && is_extension).then_some(hash)
}

fn malformed_name() -> Problem {
    Problem::new(
        "malformed-attachment",
        StatusCode::BAD_REQUEST,
        Text::new("Tên tệp không đúng", "Malformed attachment"),
        Text::new(
            "Tên tệp phải gồm 32 chữ số thập lục phân đầu của SHA-256 của nội dung, dấu chấm và phần mở rộng.",
            "A file's name is the first 32 hexadecimal digits of its content's SHA-256, a full stop and an extension.",
        ),
    )
}

fn other_content() -> Problem {
    Problem::new(
        "other-content",
        StatusCode::UNPROCESSABLE_ENTITY,
        Text::new("Nội dung tệp bị hỏng", "The content is damaged"),
        Text::new(
            "Nội dung không khớp với mã băm trong tên tệp; hãy gửi lại.",
            "The content does not have the hash in the file's name; send it again.",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_lead_elsewhere() {
        let hash = "0123456789abcdef0123456789abcdef";
        assert_eq!(hash_of_name(&format!("{hash}.jpg")), Some(hash));
        for name in [
            "photo.jpg".to_owned(),
            hash.to_owned(),
            format!("{hash}."),
            format!("{hash}.J"),
            format!("{hash}.a/b"),
            format!("{hash}.a.b"),
            format!("../{hash}.jpg"),
            format!("{hash}0.jpg"),
        ] {
            assert_eq!(hash_of_name(&name), None, "{name}");
        }
    }
}
