//! Suspected duplicates: pairs of responses that may be about one household, because it was listed twice.
//!
//! An official settles each pair: the two are different, or they are the same and one of them stays. The other is then the
//! response of a duplicate listing, which is out of scope: it counts zero in every estimate, while the weights stay. Nothing
//! of it is deleted, and a pair that is reopened counts again as before.

mod decisions;
mod households;
mod import;
mod list;

pub use decisions::{Raised, Settlement, reopen, settle, suspect};
pub(crate) use households::{Group, Households};
pub use import::{Suspicion, import, read};
pub use list::{ListedPair, Standing, list};

use sqlx::{SqliteExecutor, SqlitePool};

use crate::store::StoreError;

/// Bytes of a reason at most.
const REASON_BYTES: usize = 1_000;

/// Two responses that may be about one household, by their numbers in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The smaller number.
    pub(crate) first: i64,
    /// The larger number.
    pub(crate) second: i64,
    /// What an official found; none while it is open.
    pub(crate) verdict: Option<Verdict>,
}

/// What an official found about a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are two households.
    Different,
    /// They are one household.
    Same {
        /// The response that stays.
        kept: i64,
    },
}

/// Why a pair is not taken or settled. Units are those of the two responses.
#[derive(Debug, thiserror::Error)]
pub enum DuplicateError {
    /// There is no response of this unit.
    #[error("unit {0} has no response in this round")]
    NoResponse(String),
    /// A response cannot be a duplicate of itself.
    #[error("unit {0} is named twice; a pair is of two units")]
    OneUnit(String),
    /// No reason is given.
    #[error("the reason is empty; say why the two may be one household, without personal data")]
    NoReason,
    /// The reason is too long.
    #[error("the reason has more than {REASON_BYTES} bytes")]
    LongReason,
    /// The pair was not raised.
    #[error(
        "units {0} and {1} are not suspected to be one household; `khaosat duplicate list` shows the pairs that are"
    )]
    NotSuspected(String, String),
    /// The response that shall stay is not one of the two.
    #[error("unit {kept} is none of the two; the response that stays is that of {first} or of {second}")]
    KeptElsewhere {
        /// The unit named.
        kept: String,
        /// The pair's first unit.
        first: String,
        /// The pair's second unit.
        second: String,
    },
    /// The pair was settled otherwise.
    #[error("units {0} and {1} are settled otherwise; reopen the pair first by `khaosat duplicate reopen`")]
    SettledOtherwise(String, String),
    /// One of the two is known to be a duplicate of a third.
    #[error("unit {duplicate} is settled as a duplicate of {kept}; suspect and settle the pair with {kept}")]
    KnownDuplicate {
        /// The unit whose response counts zero.
        duplicate: String,
        /// The unit whose response stays for it.
        kept: String,
    },
    /// Other pairs say that they are one household.
    #[error("units {0} and {1} are one household by other pairs that are settled; reopen one of those first")]
    KnownSame(String, String),
    /// Other pairs say that they are two households.
    #[error("units {0} and {1} are two households by other pairs that are settled; reopen one of those first")]
    KnownDifferent(String, String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for DuplicateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl DuplicateError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::NoResponse(unit) => format!("hộ {unit} chưa có phiếu trong đợt khảo sát này"),
            Self::OneUnit(unit) => format!("hộ {unit} được nêu hai lần; một cặp gồm hai hộ"),
            Self::NoReason => {
                "chưa ghi lý do; hãy ghi vì sao nghi là cùng một hộ, không ghi dữ liệu cá nhân".to_owned()
            }
            Self::LongReason => format!("lý do dài hơn {REASON_BYTES} byte"),
            Self::NotSuspected(first, second) => {
                format!("hộ {first} và {second} chưa bị nghi trùng; xem các cặp bằng `khaosat duplicate list`")
            }
            Self::KeptElsewhere { kept, first, second } => {
                format!("hộ {kept} không thuộc cặp này; phiếu giữ lại là của {first} hoặc {second}")
            }
            Self::SettledOtherwise(first, second) => format!(
                "hộ {first} và {second} đã được kết luận khác; hãy mở lại trước bằng `khaosat duplicate reopen`"
            ),
            Self::KnownDuplicate { duplicate, kept } => {
                format!("hộ {duplicate} đã được kết luận trùng với {kept}; hãy nêu và kết luận cặp với {kept}")
            }
            Self::KnownSame(first, second) => format!(
                "theo các cặp đã kết luận, hộ {first} và {second} là một hộ; hãy mở lại một trong các cặp đó trước"
            ),
            Self::KnownDifferent(first, second) => format!(
                "theo các cặp đã kết luận, hộ {first} và {second} là hai hộ khác nhau; hãy mở lại một trong các cặp đó trước"
            ),
            Self::Store(error) => error.vietnamese(),
        }
    }
}

/// The pairs of a round.
pub(crate) async fn load(executor: impl SqliteExecutor<'_>, round_key: i64) -> Result<Vec<Pair>, StoreError> {
    let rows: Vec<(i64, i64, Option<bool>, Option<i64>)> = sqlx::query_as(
        "SELECT first_key, second_key, is_same, kept_key FROM suspected_duplicate WHERE round_key = $1
         ORDER BY first_key, second_key",
    )
    .bind(round_key)
    .fetch_all(executor)
    .await?;
    rows.into_iter()
        .map(|(first, second, is_same, kept)| {
            let verdict = match (is_same, kept) {
                (None, _) => None,
                (Some(false), _) => Some(Verdict::Different),
                (Some(true), Some(kept)) => Some(Verdict::Same { kept }),
                (Some(true), None) => {
                    return Err(StoreError::Damaged {
                        table: "suspected_duplicate",
                        reason: "a pair is the same and none of the two stays".to_owned(),
                    });
                }
            };
            Ok(Pair { first, second, verdict })
        })
        .collect()
}

/// How often the pairs of a round have changed.
pub(crate) async fn revision(readers: &SqlitePool, round_key: i64) -> Result<i64, StoreError> {
    let revision: Option<i64> = sqlx::query_scalar("SELECT revision FROM duplicate_revision WHERE round_key = $1")
        .bind(round_key)
        .fetch_optional(readers)
        .await?;
    Ok(revision.unwrap_or(0))
}
