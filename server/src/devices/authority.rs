//! What officials decide about devices: hamlets are granted and withdrawn, leaders appointed, devices revoked.

use serde::Serialize;
use sqlx::sqlite::SqliteConnection;
use sync_core::device::DevicePublicKey;

use crate::clock;
use crate::hex;
use crate::store::{Store, StoreError};
use crate::sync;

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// No device has this key.
    #[error("no device has the key {0}; `khaosat device list` shows them")]
    UnknownDevice(DevicePublicKey),
    /// The device was revoked, so it can be granted nothing any more.
    #[error("the device was revoked; enrol it under a new key instead")]
    Revoked,
    /// The round's frame has no such hamlet.
    #[error("the round has no hamlet {0}")]
    UnknownHamlet(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthorityError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::UnknownDevice(key) => format!("không có thiết bị nào có khóa {key}; xem `khaosat device list`"),
            Self::Revoked => "thiết bị đã bị thu hồi quyền; hãy đăng ký lại bằng khóa mới".to_owned(),
            Self::UnknownHamlet(code) => format!("đợt khảo sát không có ấp, khu phố {code}"),
            Self::Store(source) => source.vietnamese(),
        }
    }
}

/// A device as officials see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedDevice {
    /// Its public key, 64 hexadecimal digits.
    pub public_key: String,
    /// Its name for people.
    pub name: String,
    /// Whether its user leads the team of its hamlets.
    pub leader: bool,
    /// When it was enrolled.
    pub enrolled_at: String,
    /// When it was revoked, if it was.
    pub revoked_at: Option<String>,
    /// Why.
    pub revocation_reason: Option<String>,
    /// When it was last heard from.
    pub last_heard_at: Option<String>,
    /// How far its clock was ahead then, in milliseconds.
    pub clock_ahead: Option<i64>,
    /// The codes of the hamlets that it may read and write.
    pub hamlets: Vec<String>,
    /// The codes of the hamlets that were withdrawn from it.
    pub withdrawn: Vec<String>,
    /// How many of its changes are in quarantine.
    pub quarantined: i64,
}

/// All devices, in the order in which they enrolled.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn list(store: &Store) -> Result<Vec<ListedDevice>, StoreError> {
    type Row = (
        i64,
        Vec<u8>,
        String,
        bool,
        i64,
        Option<i64>,
        Option<String>,
        Option<i64>,
        Option<i64>,
        i64,
    );
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT device_key, public_key, name, leader, enrolled_at, revoked_at, revocation_reason, last_heard_at, clock_ahead,
             (SELECT COUNT(*) FROM quarantined_change WHERE quarantined_change.device_key = device.device_key)
         FROM device ORDER BY device_key",
    )
    .fetch_all(&store.readers)
    .await?;
    let mut devices = Vec::with_capacity(rows.len());
    for (
        key,
        public_key,
        name,
        leader,
        enrolled_at,
        revoked_at,
        revocation_reason,
        heard_at,
        clock_ahead,
        quarantined,
    ) in rows
    {
        let hamlets: Vec<(String, bool)> = sqlx::query_as(
            "SELECT code, withdrawn_at IS NULL FROM device_scope JOIN frame_hamlet USING (hamlet_key)
             WHERE device_key = $1 ORDER BY code",
        )
        .bind(key)
        .fetch_all(&store.readers)
        .await?;
        let (hamlets, withdrawn): (Vec<_>, Vec<_>) = hamlets.into_iter().partition(|(_, in_force)| *in_force);
        let codes = |hamlets: Vec<(String, bool)>| hamlets.into_iter().map(|(code, _)| code).collect();
        devices.push(ListedDevice {
            public_key: hex::encode(&public_key),
            name,
            leader,
            enrolled_at: clock::rfc3339(enrolled_at),
            revoked_at: revoked_at.map(clock::rfc3339),
            revocation_reason,
            last_heard_at: heard_at.map(clock::rfc3339),
            clock_ahead,
            hamlets: codes(hamlets),
            withdrawn: codes(withdrawn),
            quarantined,
        });
    }
    Ok(devices)
}

/// What an official decides about a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is revoked for good: what was logged of it stays, what comes of it from now on goes into quarantine, and so does
    /// what waits of it.
    Revoke {
        /// Why, to be kept.
        reason: String,
    },
    /// It may read and write these hamlets, by code, of a round, by the database's number.
    Grant {
        /// The round.
        round_key: i64,
        /// The hamlets.
        hamlets: Vec<String>,
    },
    /// It may read these hamlets no more, and what it writes there from now on goes into quarantine.
    Withdraw {
        /// The round.
        round_key: i64,
        /// The hamlets.
        hamlets: Vec<String>,
    },
    /// It may supervise the field work of its hamlets.
    Appoint,
    /// It may supervise no more; what it decided stays.
    Dismiss,
}

/// Carries a decision out, and says whether it changed anything.
///
/// # Errors
/// [`AuthorityError`]; nothing is changed then.
pub async fn decide(store: &Store, device: DevicePublicKey, decision: Decision) -> Result<bool, AuthorityError> {
    store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                match carry_out(connection, device, decision).await {
                    Err(AuthorityError::Store(error)) => Err(error),
                    outcome => Ok(outcome),
                }
            })
        })
        .await?
}

async fn carry_out(
    connection: &mut SqliteConnection,
    device: DevicePublicKey,
    decision: Decision,
) -> Result<bool, AuthorityError> {
    let now = clock::now();
    let found: Option<(i64, bool)> =
        sqlx::query_as("SELECT device_key, revoked_at IS NOT NULL FROM device WHERE public_key = $1")
            .bind(device.0.as_slice())
            .fetch_optional(&mut *connection)
            .await
            .map_err(StoreError::from)?;
    let (device_key, revoked) = found.ok_or(AuthorityError::UnknownDevice(device))?;
    let mut changed = 0;
    match decision {
        Decision::Revoke { reason } => {
            changed += u64::from(revoke(connection, device_key, now, Some(&reason)).await?);
        }
        Decision::Grant { .. } | Decision::Appoint if revoked => return Err(AuthorityError::Revoked),
        Decision::Grant { round_key, hamlets } => {
            for hamlet_key in hamlet_keys(connection, round_key, hamlets).await? {
                changed += grant(connection, device_key, hamlet_key, now).await?;
            }
        }
        Decision::Withdraw { round_key, hamlets } => {
            for hamlet_key in hamlet_keys(connection, round_key, hamlets).await? {
                changed += withdraw(connection, device_key, hamlet_key, now).await?;
            }
        }
        Decision::Appoint => changed += set_leader(connection, device_key, true).await?,
        Decision::Dismiss => changed += set_leader(connection, device_key, false).await?,
    }
    Ok(changed > 0)
}

/// Gives a device the role of a team's leader or takes it away; how many devices that changed.
pub(super) async fn set_leader(
    connection: &mut SqliteConnection,
    device_key: i64,
    leader: bool,
) -> Result<u64, StoreError> {
    let done = sqlx::query("UPDATE device SET leader = $2 WHERE device_key = $1 AND leader <> $2")
        .bind(device_key)
        .bind(leader)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

async fn hamlet_keys(
    connection: &mut SqliteConnection,
    round_key: i64,
    codes: Vec<String>,
) -> Result<Vec<i64>, AuthorityError> {
    let mut keys = Vec::with_capacity(codes.len());
    for code in codes {
        let key: Option<i64> =
            sqlx::query_scalar("SELECT hamlet_key FROM frame_hamlet WHERE round_key = $1 AND code = $2")
                .bind(round_key)
                .bind(&code)
                .fetch_optional(&mut *connection)
                .await
                .map_err(StoreError::from)?;
        keys.push(key.ok_or(AuthorityError::UnknownHamlet(code))?);
    }
    Ok(keys)
}

/// Revokes a device, unless it is revoked already.
pub(super) async fn revoke(
    connection: &mut SqliteConnection,
    device_key: i64,
    at: i64,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    let revoked = sqlx::query(
        "UPDATE device SET revoked_at = $2, revocation_reason = $3 WHERE device_key = $1 AND revoked_at IS NULL",
    )
    .bind(device_key)
    .bind(at)
    .bind(reason)
    .execute(&mut *connection)
    .await?
    .rows_affected()
        > 0;
    if revoked {
        sync::quarantine_waiting(connection, device_key).await?;
    }
    Ok(revoked)
}

/// Lets a device read and write a hamlet; counts what changed.
pub(super) async fn grant(
    connection: &mut SqliteConnection,
    device_key: i64,
    hamlet_key: i64,
    at: i64,
) -> Result<u64, StoreError> {
    let granted = sqlx::query(
        "INSERT INTO device_scope (device_key, hamlet_key, granted_at) VALUES ($1, $2, $3)
         ON CONFLICT DO UPDATE SET granted_at = excluded.granted_at, withdrawn_at = NULL WHERE withdrawn_at IS NOT NULL",
    )
    .bind(device_key)
    .bind(hamlet_key)
    .bind(at);
    let changed = granted.execute(&mut *connection).await?.rows_affected();
    if changed > 0 {
        sqlx::query("UPDATE device SET grants = grants + 1 WHERE device_key = $1")
            .bind(device_key)
            .execute(connection)
            .await?;
    }
    Ok(changed)
}

/// Withdraws a hamlet from a device; counts what changed.
pub(super) async fn withdraw(
    connection: &mut SqliteConnection,
    device_key: i64,
    hamlet_key: i64,
    at: i64,
) -> Result<u64, StoreError> {
    let withdrawn = sqlx::query(
        "UPDATE device_scope SET withdrawn_at = $3
         WHERE device_key = $1 AND hamlet_key = $2 AND withdrawn_at IS NULL",
    )
    .bind(device_key)
    .bind(hamlet_key)
    .bind(at);
    Ok(withdrawn.execute(connection).await?.rows_affected())
}
