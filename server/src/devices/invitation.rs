//! Invitations: codes that let a phone, or each phone of a team, enrol for certain hamlets.

use std::time::Duration;

use super::team;
use crate::clock;
use crate::store::{Store, StoreError};

/// How long a code can be used.
pub(super) const VALIDITY: Duration = Duration::from_secs(14 * 24 * 3600);

/// Characters of a code: no 0/O, 1/I/L or U, which people confuse (Crockford's base 32 alphabet).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code; 16 of 5 bits make 80 bits, far beyond guessing over a network.
const CHARACTERS: usize = 16;
/// Characters between two hyphens.
const GROUP: usize = 4;

/// Who is invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationKind {
    /// A phone, which brings what it wrote itself.
    Phone,
    /// A phone whose user leads the team of its hamlets.
    Leader,
    /// A hub, which brings also what other devices wrote, and enrols devices for its hamlets by itself.
    Hub,
}

/// A code and what it allows.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Invitation {
    /// The code to type or to show as QR. It is told once; the server keeps only its hash.
    pub code: String,
    /// The device's name for people; empty where each device of a team takes its own.
    pub name: String,
    /// The names of a team.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub team: Vec<String>,
    /// The hamlets' codes.
    pub hamlets: Vec<String>,
    /// Until when it can be used, in milliseconds since 1970-01-01T00:00:00Z.
    pub expires_at: i64,
}

/// Why nobody can be invited.
#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    /// A hamlet is not in the round's frame.
    #[error("the round's frame has no hamlet {hamlet}")]
    UnknownHamlet {
        /// The code.
        hamlet: String,
    },
    /// No hamlets are named.
    #[error("name at least one hamlet that the device may write responses of")]
    NoHamlets,
    /// A name is longer than lists have room for.
    #[error("the name {name} is too long")]
    LongName {
        /// The name.
        name: String,
    },
    /// Two people of a team could not tell which name is whose.
    #[error("the team has the name {name} twice; add what tells them apart, for example the hamlet")]
    SameName {
        /// The name.
        name: String,
    },
    /// A team has nobody, or more people than a phone can list.
    #[error("a team has 1 to {most} names, and these are {count}")]
    WrongCount {
        /// How many names were given.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl InvitationError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::UnknownHamlet { hamlet } => format!("đợt khảo sát không có ấp, khu phố mã {hamlet}"),
            Self::NoHamlets => "hãy nêu ít nhất một ấp, khu phố mà thiết bị được ghi phiếu".to_owned(),
            Self::LongName { name } => format!("tên quá dài: {name}"),
            Self::SameName { name } => {
                format!("tên {name} có hai lần trong tổ; hãy ghi thêm để phân biệt, ví dụ tên ấp")
            }
            Self::WrongCount { count, most } => format!("một tổ có từ 1 đến {most} tên, ở đây là {count}"),
            Self::Random(error) => format!("hệ thống không cung cấp số ngẫu nhiên: {error}"),
            Self::Store(error) => error.vietnamese(),
        }
    }
}

/// For whom an invitation is.
#[derive(Debug, Clone, Copy)]
pub enum Invitee<'a> {
    /// One device of this name.
    One(&'a str),
    /// A device for each of these names ([`super::team_of`]).
    Team(&'a [String]),
}

/// Makes a code with which a device, or one for each name of a team, can enrol for these hamlets of the round with this key.
///
/// # Errors
/// [`InvitationError`] when a hamlet is unknown.
pub async fn invite(
    store: &Store,
    round_key: i64,
    kind: InvitationKind,
    invitee: Invitee<'_>,
    hamlets: &[String],
) -> Result<Invitation, InvitationError> {
    if hamlets.is_empty() {
        return Err(InvitationError::NoHamlets);
    }
    let mut hamlet_keys = Vec::with_capacity(hamlets.len());
    for hamlet in hamlets {
        let key: Option<i64> =
            sqlx::query_scalar("SELECT hamlet_key FROM frame_hamlet WHERE round_key = $1 AND code = $2")
                .bind(round_key)
                .bind(hamlet)
                .fetch_optional(&store.readers)
                .await
                .map_err(StoreError::from)?;
        hamlet_keys.push(key.ok_or_else(|| InvitationError::UnknownHamlet { hamlet: hamlet.clone() })?);
    }
    let (name, team) = match invitee {
        Invitee::One(name) => (name.to_owned(), Vec::new()),
        Invitee::Team(names) => (String::new(), names.to_vec()),
    };
    let invitation = Invitation {
        code: random_code()?,
        name,
        team,
        hamlets: hamlets.to_vec(),
        expires_at: clock::now() + VALIDITY.as_millis() as i64,
    };
    let (hash, kept) = (super::secret_hash(&normalised(&invitation.code)), invitation.clone());
    store
        .writer
        .write(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO invitation (code_hash, name, expires_at, hub, team, leader) VALUES ($1, $2, $3, $4, $5, $6)",
                )
                .bind(&hash)
                .bind(&kept.name)
                .bind(kept.expires_at)
                .bind(kind == InvitationKind::Hub)
                .bind(!kept.team.is_empty())
                .bind(kind == InvitationKind::Leader)
                .execute(&mut *connection)
                .await?;
                team::keep(connection, &hash, &kept.team).await?;
                for key in hamlet_keys {
                    sqlx::query("INSERT INTO invitation_scope (code_hash, hamlet_key) VALUES ($1, $2)")
                        .bind(&hash)
                        .bind(key)
                        .execute(&mut *connection)
                        .await?;
                }
                Ok(())
            })
        })
        .await?;
    Ok(invitation)
}

fn random_code() -> Result<String, getrandom::Error> {
    let mut random = [0; CHARACTERS];
    getrandom::fill(&mut random)?;
    let mut code = String::with_capacity(CHARACTERS + CHARACTERS / GROUP);
    for (place, byte) in random.iter().enumerate() {
        if place > 0 && place % GROUP == 0 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    Ok(code)
}

/// A code as it is hashed: without hyphens and spaces, in capitals, with the letters that people confuse read as what
/// they were meant to be (Crockford's rules for decoding).
pub(super) fn normalised(code: &str) -> String {
    code.chars()
        .filter(|character| character.is_alphanumeric())
        .map(|character| match character.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_survives_being_read_out_and_typed() {
        assert_eq!(normalised("abcd-0123 EfGh-IlO9"), "ABCD0123EFGH1109");
    }

    #[test]
    fn codes_have_the_promised_form_and_differ() {
        let code = random_code().unwrap();
        assert_eq!(code.len(), 19);
        assert!(
            code.split('-')
                .all(|group| group.len() == 4 && group.bytes().all(|byte| ALPHABET.contains(&byte)))
        );
        assert_eq!(normalised(&code), code.replace('-', ""));
        assert_ne!(code, random_code().unwrap());
    }
}
