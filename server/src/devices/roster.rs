//! Rosters: the devices that one installation enrolled, in a file that it signs, so that another installation can check
//! what they wrote without having met them.
//!
//! The file is text. Its first line is `khaosat-roster 1 KEY SIGNATURE`: the installation's public key (64 hexadecimal
//! digits) and its Ed25519 signature (128) under everything after the first line, which is one JSON document. Tokens and
//! other secrets are not in it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnection;
use sync_core::device::{DeviceKey, DevicePublicKey, SignatureError};
use sync_core::exchange::intake::HamletKey;
use sync_core::identity::RoundId;
use uuid::Uuid;

use super::authority;
use super::succession::{StatedSuccession, SuccessionError, keep};
use crate::clock;
use crate::hex;
use crate::store::{Store, StoreError};

/// What every roster starts with: its name and version.
const FIRST_WORDS: &str = "khaosat-roster 1 ";
/// Bytes of a roster at most.
pub const ROSTER_BYTES: u64 = 64 << 20;
/// Characters of a device's name at most.
const NAME_CHARACTERS: usize = 200;

/// The devices of one installation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// When it was written, in milliseconds since 1970-01-01T00:00:00Z.
    pub exported_at: i64,
    /// The devices.
    pub devices: Vec<RosterDevice>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterDevice {
    /// Its public key, 64 hexadecimal digits.
    pub public_key: String,
    /// Its name for people.
    pub name: String,
    /// When it was enrolled, in milliseconds since 1970-01-01T00:00:00Z.
    pub enrolled_at: i64,
    /// When it was revoked, if it was.
    pub revoked_at: Option<i64>,
    /// What it may read and write, and what was withdrawn from it.
    pub hamlets: Vec<RosterHamlet>,
    /// The key that took this one's place, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succession: Option<StatedSuccession>,
}

/// One hamlet of a device's scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterHamlet {
    /// The round.
    pub round: RoundId,
    /// The hamlet's code.
    pub code: String,
    /// When it was granted last, in milliseconds since 1970-01-01T00:00:00Z.
    pub granted_at: i64,
    /// When it was withdrawn, if it was.
    pub withdrawn_at: Option<i64>,
}

/// What importing a roster did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Devices in the roster.
    pub devices: u64,
    /// Those of them that were not known before.
    pub new_devices: u64,
    /// Devices that were revoked by it.
    pub revoked: u64,
    /// Hamlets that devices may write now and might not before.
    pub new_hamlets: u64,
    /// Hamlets that were withdrawn from devices.
    pub withdrawn_hamlets: u64,
    /// Hamlets of rounds that this installation does not have.
    pub unknown_hamlets: u64,
}

/// Why a roster is not taken. Nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The first line is not a roster's.
    #[error("line 1: this is no roster of version 1; choose a file that `khaosat device export` made")]
    FirstLine,
    /// It is another installation's.
    #[error("the roster is signed by {found}, not by {wanted}; ask for the key by another way than the file came")]
    OtherInstallation {
        /// Who signed.
        found: DevicePublicKey,
        /// Who should have.
        wanted: DevicePublicKey,
    },
    /// It was changed on the way.
    #[error("the roster was damaged or forged: {0}")]
    Signature(#[from] SignatureError),
    /// What is signed is no roster.
    #[error("line {line}, column {column}: the roster is malformed: {reason}")]
    Malformed {
        /// The line in the file, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A device's key is none.
    #[error("device {number}: the public key must be 64 hexadecimal digits")]
    PublicKey {
        /// The device's place in the roster, from 0.
        number: usize,
    },
    /// A device's succession is none.
    #[error("device {number}: the succession of its key is wrong: {source}")]
    Succession {
        /// The device's place in the roster, from 0.
        number: usize,
        /// Why.
        source: SuccessionError,
    },
    /// A device's succession is another device's.
    #[error("device {number}: the succession is of another key")]
    OtherSuccession {
        /// The device's place in the roster, from 0.
        number: usize,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RosterError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::FirstLine => {
                "dòng 1: đây không phải danh sách thiết bị phiên bản 1; hãy chọn tệp do `khaosat device export` tạo ra"
                    .to_owned()
            }
            Self::OtherInstallation { found, wanted } => {
                format!("danh sách do {found} ký, không phải {wanted}; hãy hỏi khóa bằng đường khác với đường gửi tệp")
            }
            Self::Signature(error) => format!("danh sách bị hỏng hoặc bị giả mạo: {}", error.vietnamese()),
            Self::Malformed { line, column, reason } => {
                format!("dòng {line}, cột {column}: danh sách sai cấu trúc: {reason}")
            }
            Self::PublicKey { number } => format!("thiết bị {number}: khóa công khai cần 64 chữ số thập lục phân"),
            Self::Succession { number, source } => {
                format!(
                    "thiết bị {number}: việc thay khóa không hợp lệ: {}",
                    source.vietnamese()
                )
            }
            Self::OtherSuccession { number } => format!("thiết bị {number}: việc thay khóa là của khóa khác"),
            Self::Random(error) => format!("hệ thống không cung cấp số ngẫu nhiên: {error}"),
            Self::Store(error) => error.vietnamese(),
        }
    }
}

/// The devices of an installation, with what each may write within `hamlets`, or everywhere where none are named. A device
/// that may write nothing there is left out then, unless the log has something there that it wrote and an official let in.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn roster_of(
    readers: &SqlitePool,
    hamlets: Option<&BTreeSet<HamletKey>>,
) -> Result<Vec<RosterDevice>, StoreError> {
    let hamlets = hamlets.map(json_of).transpose()?;
    type Row = (
        Vec<u8>,
        String,
        i64,
        Option<i64>,
        Option<Vec<u8>>,
        Option<Vec<u8>>,
        Option<Uuid>,
        Option<String>,
        Option<i64>,
        Option<i64>,
    );
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT device.public_key, device.name, device.enrolled_at, device.revoked_at,
             successor.public_key, device.succession, round.id, frame_hamlet.code,
             device_scope.granted_at, device_scope.withdrawn_at
         FROM device LEFT JOIN device AS successor ON successor.device_key = device.successor_key
         LEFT JOIN device_scope ON device_scope.device_key = device.device_key
             AND ($1 IS NULL OR device_scope.hamlet_key IN (SELECT value FROM json_each($1)))
         LEFT JOIN frame_hamlet USING (hamlet_key)
         LEFT JOIN round USING (round_key)
         WHERE $1 IS NULL OR device_scope.hamlet_key IS NOT NULL
             OR device.device_key IN (SELECT device_key FROM change_log
                 WHERE change_log.hamlet_key IN (SELECT value FROM json_each($1)))
         ORDER BY device.device_key, frame_hamlet.hamlet_key",
    )
    .bind(hamlets)
    .fetch_all(readers)
    .await?;
    let mut devices: Vec<RosterDevice> = Vec::new();
    for (public_key, name, enrolled_at, revoked_at, successor, signatures, round, code, granted_at, withdrawn_at) in
        rows
    {
        let public_key = hex::encode(&public_key);
        let hamlet = round.zip(code).map(|(round, code)| RosterHamlet {
            round: RoundId(round),
            code,
            granted_at: granted_at.unwrap_or(0),
            withdrawn_at,
        });
        match devices.last_mut() {
            Some(device) if device.public_key == public_key => device.hamlets.extend(hamlet),
            _ => devices.push(RosterDevice {
                succession: StatedSuccession::kept(&public_key, successor, signatures),
                public_key,
                name,
                enrolled_at,
                revoked_at,
                hamlets: hamlet.into_iter().collect(),
            }),
        }
    }
    Ok(devices)
}

fn json_of(hamlets: &BTreeSet<HamletKey>) -> Result<String, StoreError> {
    let hamlets: Vec<i64> = hamlets.iter().map(|hamlet| hamlet.0).collect();
    serde_json::to_string(&hamlets).map_err(|error| StoreError::Database(sqlx::Error::Encode(Box::new(error))))
}

/// Writes the roster of all devices of an installation.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn export_roster(store: &Store, key: &DeviceKey) -> Result<String, StoreError> {
    let roster = Roster {
        exported_at: clock::now(),
        devices: roster_of(&store.readers, None).await?,
    };
    let json = serde_json::to_string_pretty(&roster)
        .map_err(|error| StoreError::Database(sqlx::Error::Encode(Box::new(error))))?;
    let signature = hex::encode(&key.sign_roster(json.as_bytes()));
    Ok(format!("{FIRST_WORDS}{} {signature}\n{json}", key.public()))
}

/// Reads a roster that the installation with the key `from` must have signed.
///
/// # Errors
/// [`RosterError`].
pub fn read_roster(file: &[u8], from: &DevicePublicKey) -> Result<Roster, RosterError> {
    let end = file
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or(RosterError::FirstLine)?;
    let (first, json) = (&file[..end], &file[end + 1..]);
    let words = std::str::from_utf8(first)
        .ok()
        .and_then(|line| line.strip_prefix(FIRST_WORDS)?.trim_end().split_once(' '));
    let (key, signature) = words
        .and_then(|(key, signature)| Some((hex::decode(key)?, hex::decode(signature)?)))
        .ok_or(RosterError::FirstLine)?;
    let found = DevicePublicKey(key);
    if found != *from {
        return Err(RosterError::OtherInstallation { found, wanted: *from });
    }
    found.verify_roster(json, &signature)?;
    serde_json::from_slice(json).map_err(|error| RosterError::Malformed {
        line: error.line() + 1,
        column: error.column(),
        reason: error.to_string(),
    })
}

/// Enrols a roster's devices here, as far as the rounds are here. Of what two installations decided about the same hamlet of
/// a device the later counts; a revocation always does, and that one key took the place of another, as both have signed. A
/// device gets no token: to speak with this server itself it needs an invitation as any other.
///
/// Where the roster is of somebody who answers for certain hamlets only, these are `within`: no device is given others,
/// and none is revoked that may write others.
///
/// # Errors
/// [`RosterError`]; nothing is changed then.
pub async fn import_roster(
    store: &Store,
    roster: Vec<RosterDevice>,
    within: Option<&BTreeSet<HamletKey>>,
) -> Result<Imported, RosterError> {
    let within = within.map(json_of).transpose()?;
    let mut devices = Vec::with_capacity(roster.len());
    let mut successions = Vec::new();
    for (number, device) in roster.into_iter().enumerate() {
        let key: [u8; 32] = hex::decode(&device.public_key).ok_or(RosterError::PublicKey { number })?;
        if let Some(stated) = &device.succession {
            let succession = stated
                .verified()
                .map_err(|source| RosterError::Succession { number, source })?;
            if succession.predecessor.0 != key {
                return Err(RosterError::OtherSuccession { number });
            }
            successions.push(succession);
        }
        // Nobody knows a token with this hash.
        let mut token_hash = [0; 32];
        getrandom::fill(&mut token_hash)?;
        devices.push((key, token_hash, device));
    }
    let imported = store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                let mut imported = Imported::default();
                for (key, token_hash, device) in devices {
                    import_device(connection, &key, &token_hash, device, within.as_deref(), &mut imported).await?;
                }
                // When all of the roster's devices are here.
                for succession in &successions {
                    keep(connection, succession).await?;
                }
                Ok(imported)
            })
        })
        .await?;
    Ok(imported)
}

async fn import_device(
    connection: &mut SqliteConnection,
    key: &[u8],
    token_hash: &[u8],
    device: RosterDevice,
    within: Option<&str>,
    imported: &mut Imported,
) -> Result<(), StoreError> {
    imported.devices += 1;
    let inserted = sqlx::query(
        "INSERT INTO device (public_key, name, token_hash, enrolled_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(key)
    .bind(device.name.chars().take(NAME_CHARACTERS).collect::<String>())
    .bind(token_hash)
    .bind(device.enrolled_at)
    .execute(&mut *connection)
    .await?;
    imported.new_devices += inserted.rows_affected();
    let device_key: i64 = sqlx::query_scalar("SELECT device_key FROM device WHERE public_key = $1")
        .bind(key)
        .fetch_one(&mut *connection)
        .await?;
    let elsewhere: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM device_scope
             WHERE device_key = $1 AND $2 IS NOT NULL AND hamlet_key NOT IN (SELECT value FROM json_each($2)))",
    )
    .bind(device_key)
    .bind(within)
    .fetch_one(&mut *connection)
    .await?;
    if let Some(revoked_at) = device.revoked_at
        && !elsewhere
    {
        imported.revoked += u64::from(authority::revoke(connection, device_key, revoked_at, None).await?);
    }
    for hamlet in device.hamlets {
        let hamlet_key: Option<i64> = sqlx::query_scalar(
            "SELECT hamlet_key FROM frame_hamlet JOIN round USING (round_key)
             WHERE round.id = $1 AND frame_hamlet.code = $2
             AND ($3 IS NULL OR hamlet_key IN (SELECT value FROM json_each($3)))",
        )
        .bind(hamlet.round.0)
        .bind(&hamlet.code)
        .bind(within)
        .fetch_optional(&mut *connection)
        .await?;
        match hamlet_key {
            None => imported.unknown_hamlets += 1,
            Some(hamlet_key) => import_scope(connection, device_key, hamlet_key, &hamlet, imported).await?,
        }
    }
    Ok(())
}

/// Grants or withdraws a hamlet as a roster has it, unless something later was decided here.
async fn import_scope(
    connection: &mut SqliteConnection,
    device_key: i64,
    hamlet_key: i64,
    hamlet: &RosterHamlet,
    imported: &mut Imported,
) -> Result<(), StoreError> {
    let decided_here: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(granted_at, COALESCE(withdrawn_at, granted_at)) FROM device_scope
         WHERE device_key = $1 AND hamlet_key = $2",
    )
    .bind(device_key)
    .bind(hamlet_key)
    .fetch_optional(&mut *connection)
    .await?;
    let decided_there = hamlet.withdrawn_at.unwrap_or(hamlet.granted_at);
    if decided_here.is_some_and(|here| here >= decided_there) {
        return Ok(());
    }
    let granted = authority::grant(connection, device_key, hamlet_key, hamlet.granted_at).await?;
    match hamlet.withdrawn_at {
        None => imported.new_hamlets += granted,
        Some(withdrawn_at) => {
            imported.withdrawn_hamlets += authority::withdraw(connection, device_key, hamlet_key, withdrawn_at).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sync_core::device::Succession;
    use sync_core::exchange::RefusalReason;

    use super::*;
    use crate::devices::enrolled;
    use crate::devices::succession::predecessors;

    fn file(key: &DeviceKey, json: &str) -> Vec<u8> {
        let signature = hex::encode(&key.sign_roster(json.as_bytes()));
        format!("{FIRST_WORDS}{} {signature}\n{json}", key.public()).into_bytes()
    }

    #[test]
    fn a_roster_is_believed_only_whole_and_from_whom_it_should_be() {
        let (key, other) = (DeviceKey::from_secret(&[1; 32]), DeviceKey::from_secret(&[2; 32]));
        let honest = file(&key, r#"{"exported_at":5,"devices":[]}"#);
        assert_eq!(read_roster(&honest, &key.public()).unwrap().exported_at, 5);
        assert!(matches!(
            read_roster(&honest, &other.public()),
            Err(RosterError::OtherInstallation { .. })
        ));
        for place in 0..honest.len() {
            let mut changed = honest.clone();
            changed[place] ^= 1;
            assert!(read_roster(&changed, &key.public()).is_err(), "byte {place}");
            assert!(read_roster(&honest[..place], &key.public()).is_err(), "{place} bytes");
        }
        let malformed = read_roster(&file(&key, "{\n  \"exported_at\": x}"), &key.public());
        assert!(
            matches!(malformed, Err(RosterError::Malformed { line: 3, .. })),
            "{malformed:?}"
        );
    }

    #[tokio::test]
    async fn a_device_is_enrolled_once_and_stays_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("khaosat.sqlite")).await.unwrap();
        let device = DeviceKey::from_secret(&[1; 32]).public();
        let import = async |revoked_at| {
            let device = RosterDevice {
                public_key: device.to_string(),
                name: "Điện thoại".to_owned(),
                enrolled_at: 1,
                revoked_at,
                hamlets: vec![RosterHamlet {
                    round: RoundId(Uuid::nil()),
                    code: "28249-01".to_owned(),
                    granted_at: 1,
                    withdrawn_at: None,
                }],
                succession: None,
            };
            import_roster(&store, vec![device], None).await.unwrap()
        };
        let refused = async |device: DevicePublicKey| {
            let enrolled = enrolled(&store.readers, &[device].into()).await.unwrap();
            enrolled
                .get(&device)
                .and_then(|enrolled| enrolled.author.as_ref().err().copied())
        };
        let first = import(None).await;
        assert_eq!((first.new_devices, first.new_hamlets, first.unknown_hamlets), (1, 0, 1));
        assert_eq!(import(None).await.new_devices, 0);
        assert_eq!(refused(device).await, None);
        for revoked_at in [Some(5), None] {
            import(revoked_at).await;
            assert_eq!(refused(device).await, Some(RefusalReason::RevokedDevice));
        }
        store.close().await;
    }
    #[tokio::test]
    async fn a_succession_is_followed_where_both_keys_signed_it() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (folder.path().join("here.sqlite"), folder.path().join("there.sqlite"));
        let (here, there) = (Store::open(&here).await.unwrap(), Store::open(&there).await.unwrap());
        let keys: Vec<DeviceKey> = (1..=3).map(|secret| DeviceKey::from_secret(&[secret; 32])).collect();
        let device = |key: &DeviceKey, succession: Option<Succession>| RosterDevice {
            public_key: key.public().to_string(),
            name: "Điện thoại".to_owned(),
            enrolled_at: 1,
            revoked_at: None,
            hamlets: vec![],
            succession: succession.map(StatedSuccession::from),
        };
        let honest = Succession::sign(&keys[0], &keys[1]);
        let forged = Succession {
            by_successor: honest.by_predecessor,
            ..honest
        };
        let wrong = import_roster(
            &here,
            vec![device(&keys[1], None), device(&keys[0], Some(forged))],
            None,
        )
        .await;
        assert!(
            matches!(wrong, Err(RosterError::Succession { number: 1, .. })),
            "{wrong:?}"
        );
        let wrong = import_roster(&here, vec![device(&keys[2], Some(honest))], None).await;
        assert!(
            matches!(wrong, Err(RosterError::OtherSuccession { number: 0 })),
            "{wrong:?}"
        );
        assert!(roster_of(&here.readers, None).await.unwrap().is_empty());

        let chain = [
            device(&keys[0], Some(honest)),
            device(&keys[1], Some(Succession::sign(&keys[1], &keys[2]))),
            device(&keys[2], None),
        ];
        import_roster(&here, chain.to_vec(), None).await.unwrap();
        // It is handed on as it was signed.
        let handed_on = roster_of(&here.readers, None).await.unwrap();
        assert_eq!(handed_on, chain);
        import_roster(&there, handed_on, None).await.unwrap();
        let before = predecessors(&there.readers, 3).await.unwrap();
        assert_eq!(before, [keys[0].public(), keys[1].public()].into());
        assert_eq!(predecessors(&there.readers, 1).await.unwrap(), [].into());
        for store in [here, there] {
            store.close().await;
        }
    }
}
