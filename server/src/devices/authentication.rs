//! Who is asking: a bearer token (RFC 6750) leads to a device and its scope.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use sqlx::SqlitePool;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::Narrowing;
use sync_core::exchange::intake::HamletKey;

use super::authors::public_key_of;
use super::grants::Grants;
use super::secret_hash;
use super::succession::predecessors;
use crate::app::App;
use crate::http::{Problem, Text};

/// The device that sent a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The database's number of the device.
    pub device_key: i64,
    /// Its public key.
    pub device: DevicePublicKey,
    /// The database's numbers of the hamlets that it may read now.
    pub hamlets: BTreeSet<HamletKey>,
    /// What was withdrawn from it.
    pub narrowing: Narrowing,
    /// The keys that it had before.
    pub predecessors: BTreeSet<DevicePublicKey>,
    /// Whether it has begun to read since it got its hamlets.
    pub(super) grants: Grants,
}

/// The secret with which a device says who it is. It is shown nowhere.
pub struct Token(String);

impl Token {
    /// The secret itself, to be hashed.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl FromRequestParts<App> for Token {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or_else(|| {
                unauthorised(
                    "Yêu cầu thiếu mã truy cập của thiết bị (Authorization: Bearer …); hãy đăng ký thiết bị trước.",
                    "The request has no device token (Authorization: Bearer …); enrol the device first.",
                )
            })?;
        Ok(Self(token.to_owned()))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = Token::from_request_parts(parts, app).await?;
        Self::of_token(&app.store.readers, &token).await
    }
}

/// A device that brings what it wrote. One that was revoked may do so too, so that nothing is lost, but reads nothing.
#[derive(Debug, Clone)]
pub struct Deliverer(pub Caller);

impl FromRequestParts<App> for Deliverer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = Token::from_request_parts(parts, app).await?;
        let (caller, _) = Caller::known(&app.store.readers, &token).await?;
        Ok(Self(caller))
    }
}

impl Caller {
    /// The device with this token, and its scope as it is now.
    ///
    /// # Errors
    /// [`Problem`] when no device has it, or the device was revoked.
    pub async fn of_token(readers: &SqlitePool, token: &Token) -> Result<Self, Problem> {
        match Self::known(readers, token).await? {
            (caller, false) => Ok(caller),
            (_, true) => Err(revoked()),
        }
    }

    /// The device with this token, and whether it was revoked; then it may read nothing.
    async fn known(readers: &SqlitePool, token: &Token) -> Result<(Self, bool), Problem> {
        let row: Option<(i64, Vec<u8>, bool, bool, i64, i64)> = sqlx::query_as(
            "SELECT device_key, public_key, revoked_at IS NOT NULL, successor_key IS NOT NULL, grants, grants_read
             FROM device WHERE token_hash = $1",
        )
        .bind(secret_hash(&token.0))
        .fetch_optional(readers)
        .await?;
        let (device_key, public_key, revoked, replaced, made, read) = row.ok_or_else(unknown_token)?;
        if replaced && !revoked {
            return Err(succeeded());
        }
        let scope: Vec<(i64, bool)> =
            sqlx::query_as("SELECT hamlet_key, withdrawn_at IS NOT NULL FROM device_scope WHERE device_key = $1")
                .bind(device_key)
                .fetch_all(readers)
                .await?;
        let hamlets = |withdrawn: bool| {
            let hamlets = scope.iter().filter(|(_, is_withdrawn)| *is_withdrawn == withdrawn);
            hamlets
                .map(|(hamlet, _)| HamletKey(*hamlet))
                .collect::<BTreeSet<HamletKey>>()
        };
        let (hamlets, narrowing) = match revoked {
            true => (BTreeSet::new(), Narrowing::EVERYTHING),
            false => (hamlets(false), Narrowing::of(&hamlets(true))),
        };
        let caller = Self {
            device_key,
            device: public_key_of(public_key)?,
            hamlets,
            narrowing,
            predecessors: predecessors(readers, device_key).await?,
            grants: Grants { made, read },
        };
        Ok((caller, revoked))
    }
}

/// No device has the token.
pub(super) fn unknown_token() -> Problem {
    unauthorised(
        "Mã truy cập không đúng; hãy đăng ký lại thiết bị.",
        "The token is wrong; enrol the device again.",
    )
}

/// The device was revoked.
pub(super) fn revoked() -> Problem {
    Problem::new(
        "device-revoked",
        StatusCode::FORBIDDEN,
        Text::new("Thiết bị đã bị thu hồi quyền", "The device was revoked"),
        Text::new(
            "Thiết bị này đã bị thu hồi quyền; hãy liên hệ cán bộ xã.",
            "This device was revoked; ask the commune official.",
        ),
    )
}

/// Another key has taken the place of the device's.
pub(super) fn succeeded() -> Problem {
    Problem::new(
        "device-succeeded",
        StatusCode::FORBIDDEN,
        Text::new("Khóa của thiết bị đã được thay", "The device's key was replaced"),
        Text::new(
            "Khóa của thiết bị này đã được thay bằng khóa khác, có thể trên một máy sao chép. Hãy tạo khóa mới và xin cán bộ xã một mã mời; câu trả lời trên máy vẫn được giữ và sẽ được gửi bằng khóa mới.",
            "Another key has taken the place of this device's, perhaps on a copy of it. Draw a new key and ask the commune official for an invitation; the answers on the device are kept and will be sent by the new key.",
        ),
    )
}

fn unauthorised(vi: &str, en: &str) -> Problem {
    Problem::new(
        "unauthorised",
        StatusCode::UNAUTHORIZED,
        Text::new("Chưa xác thực", "Not authenticated"),
        Text::new(vi, en),
    )
}
