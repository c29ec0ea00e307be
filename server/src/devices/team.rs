//! A team's invitation: one code for a whole meeting, of whose names every volunteer takes his own.

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use super::body::Subject;
use super::enrolment::{NAME_BYTES, key_of, unknown_code};
use super::invitation::{InvitationError, normalised};
use super::secret_hash;
use crate::app::App;
use crate::clock;
use crate::http::{Problem, Text};
use crate::store::StoreError;

/// Names of one invitation at most; what a phone shows as one list.
const NAMES: usize = 200;

const SUBJECT: Subject = Subject {
    problem: "malformed-invitation",
    name: ("câu hỏi về mã mời", "question about an invitation"),
    title: ("Câu hỏi về mã mời không đúng", "Malformed question about an invitation"),
};

/// What a phone sends to learn whom a code invites.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InvitationQuestion {
    /// The code.
    pub code: String,
    /// The public key with which this phone has tried to enrol by this code: a name that it took is still its own.
    #[serde(default)]
    pub public_key: Option<String>,
}

/// Whom a code invites.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invited {
    /// The names that are free, in the official's order; null where the code is for one phone, which has a name already.
    pub names: Option<Vec<String>>,
}

/// The routes of this module.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/api/v1/devices/invitation", post(invited))
}

/// The code travels in the body, as in enrolment, so that it stands in no log of addresses.
async fn invited(
    State(app): State<App>,
    question: Result<Json<InvitationQuestion>, JsonRejection>,
) -> Result<Json<Invited>, Problem> {
    let Json(question) = question.map_err(|rejection| SUBJECT.unreadable(&rejection))?;
    let device = match &question.public_key {
        Some(key) => key_of(key, &SUBJECT)?.to_vec(),
        None => Vec::new(),
    };
    let code_hash = secret_hash(&normalised(&question.code));
    let usable: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM invitation
                        WHERE code_hash = $1 AND expires_at > $2 AND (used_by IS NULL OR used_by = $3))",
    )
    .bind(&code_hash)
    .bind(clock::now())
    .bind(&device)
    .fetch_one(&app.store.readers)
    .await?;
    if !usable {
        return Err(unknown_code());
    }
    let names: Vec<(String, bool)> = sqlx::query_as(
        "SELECT name, used_by IS NULL OR used_by = $2 FROM invitation_name WHERE code_hash = $1 ORDER BY place",
    )
    .bind(&code_hash)
    .bind(&device)
    .fetch_all(&app.store.readers)
    .await?;
    let names = (!names.is_empty()).then(|| {
        let free = names.into_iter().filter(|(_, free)| *free);
        free.map(|(name, _)| name).collect()
    });
    Ok(Json(Invited { names }))
}

/// Names as an official writes them, without the space around them.
///
/// # Errors
/// [`InvitationError`] when there are none or too many, or one is too long or stands twice.
pub fn team_of<'a>(written: impl Iterator<Item = &'a str>) -> Result<Vec<String>, InvitationError> {
    let mut names: Vec<String> = Vec::new();
    for name in written.map(str::trim).filter(|name| !name.is_empty()) {
        if name.len() > NAME_BYTES {
            return Err(InvitationError::LongName { name: name.to_owned() });
        }
        if names.iter().any(|earlier| earlier == name) {
            return Err(InvitationError::SameName { name: name.to_owned() });
        }
        names.push(name.to_owned());
    }
    match names.len() {
        1..=NAMES => Ok(names),
        count => Err(InvitationError::WrongCount { count, most: NAMES }),
    }
}

/// Keeps the names of an invitation.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    code_hash: &[u8],
    names: &[String],
) -> Result<(), StoreError> {
    for (place, name) in (0_i64..).zip(names) {
        sqlx::query("INSERT INTO invitation_name (code_hash, place, name) VALUES ($1, $2, $3)")
            .bind(code_hash)
            .bind(place)
            .bind(name)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// What became of the name that a device asked for.
pub(super) enum Taken {
    /// It is the device's.
    Own {
        /// The name.
        name: String,
        /// Whether the device had taken a name by this code before.
        again: bool,
    },
    /// Somebody else was quicker, or the invitation has no such name.
    NotFree,
    /// The device named none.
    NotNamed,
}

/// Takes a name of an invitation that has names; the name that the device had by the same invitation becomes free.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    code_hash: &[u8],
    device: &[u8],
    name: Option<&str>,
) -> Result<Taken, StoreError> {
    let Some(name) = name else { return Ok(Taken::NotNamed) };
    let taken: Option<String> = sqlx::query_scalar(
        "SELECT name FROM invitation_name WHERE code_hash = $1 AND name = $3 AND (used_by IS NULL OR used_by = $2)",
    )
    .bind(code_hash)
    .bind(device)
    .bind(name)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(name) = taken else { return Ok(Taken::NotFree) };
    let left = sqlx::query("UPDATE invitation_name SET used_by = NULL WHERE code_hash = $1 AND used_by = $2")
        .bind(code_hash)
        .bind(device)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE invitation_name SET used_by = $2 WHERE code_hash = $1 AND name = $3")
        .bind(code_hash)
        .bind(device)
        .bind(&name)
        .execute(&mut *connection)
        .await?;
    let again = left.rows_affected() > 0;
    Ok(Taken::Own { name, again })
}

/// The problem of a device that has to choose a name.
pub(super) fn not_named() -> Problem {
    Problem::new(
        "name-needed",
        StatusCode::CONFLICT,
        Text::new("Hãy chọn tên", "Choose a name"),
        Text::new(
            "Mã mời này dùng chung cho cả tổ; hãy chọn tên của mình.",
            "This code is for a whole team; choose your own name.",
        ),
    )
}

/// The problem of a device whose name is not free.
pub(super) fn not_free() -> Problem {
    Problem::new(
        "name-taken",
        StatusCode::CONFLICT,
        Text::new("Tên này đã có người nhận", "Somebody has taken this name"),
        Text::new(
            "Hãy chọn lại tên của mình trong các tên còn lại; nếu không còn, hãy báo cán bộ xã.",
            "Choose your own name among those that are left; if it is not there, tell the commune official.",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_a_line_or_from_lines() {
        let names = team_of(" Nguyễn Văn A, Trần Thị B,Lê C, ".split(',')).unwrap();
        assert_eq!(names, ["Nguyễn Văn A", "Trần Thị B", "Lê C"]);
        let names = team_of("Nguyễn Văn A\r\nTrần Thị B\n\nLê C\n".lines()).unwrap();
        assert_eq!(names, ["Nguyễn Văn A", "Trần Thị B", "Lê C"]);
    }

    #[test]
    fn names_that_cannot_be_told_apart_are_refused() {
        let refused = team_of("Nguyễn Văn A, Nguyễn Văn A".split(',')).unwrap_err();
        assert!(matches!(refused, InvitationError::SameName { name } if name == "Nguyễn Văn A"));
        assert!(matches!(
            team_of([" "].into_iter()),
            Err(InvitationError::WrongCount { count: 0, .. })
        ));
    }
}
