//! What can be decided about a unit, and why a decision is not taken.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::http::Text;

/// Characters of a reason at most.
pub(super) const REASON_CHARACTERS: usize = 500;

/// A decision about a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Drawn by whoever decides, so that the same decision is known again.
    pub id: Uuid,
    /// When, by that clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// The unit's code.
    pub unit: String,
    /// What is decided.
    pub decision: Judgement,
}

/// What is decided about a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Who is to do it: a device by its actor in hexadecimal, or whoever comes.
    Assign(Option<String>),
    /// What was found of its interview.
    Review(Review),
}

/// What was found of an interview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// How it stands.
    pub state: ReviewState,
    /// Why, for whoever made the interview.
    #[serde(default)]
    pub reason: String,
    /// The hashes of the response's changes that were looked at, 64 hexadecimal digits each; absent where everything was
    /// that the log has when the decision comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Vec<String>>,
}

/// How an interview stands; the words are those of ODK Central's review states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum ReviewState {
    /// Nobody has said anything about it as it is now.
    Received,
    /// It goes back to whoever made it.
    HasIssues,
    /// It is good.
    Approved,
    /// It is of no use.
    Rejected,
}

impl ReviewState {
    /// The state's word, as everywhere outside.
    pub fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::HasIssues => "has_issues",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// The state of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Received, Self::HasIssues, Self::Approved, Self::Rejected];
        all.into_iter().find(|state| state.word() == word)
    }

    /// Whether it is nothing without a reason.
    pub(super) fn needs_reason(self) -> bool {
        matches!(self, Self::HasIssues | Self::Rejected)
    }
}

/// Why a decision is not taken. Others that came with it are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The round has no such unit, or it is not in the decider's hamlets.
    OutsideScope,
    /// Whoever is to do it is not known, or may not write its hamlet.
    UnknownAssignee,
    /// There is no interview to review.
    NoResponse,
    /// The reason is missing.
    ReasonNeeded,
    /// The reason is too long.
    ReasonTooLong,
    /// What was looked at is not told as hashes.
    MalformedSeen,
    /// Another decision has the identity.
    IdInUse,
    /// The round takes no answers any more.
    RoundClosed,
    /// There are too many decisions about the unit already.
    TooMany,
}

impl Refusal {
    /// The refusal as people read it.
    pub fn text(self) -> Text {
        let (vi, en) = match self {
            Self::OutsideScope => (
                "Hộ này không thuộc địa bàn của ông/bà.",
                "This household is not in your hamlets.",
            ),
            Self::UnknownAssignee => (
                "Người được giao không có quyền ở ấp, khu phố của hộ này; hãy chọn người khác.",
                "Whoever was chosen may not work in this household's hamlet; choose somebody else.",
            ),
            Self::NoResponse => (
                "Máy chủ chưa có phiếu của hộ này để duyệt.",
                "The server has no response of this household to review yet.",
            ),
            Self::ReasonNeeded => (
                "Hãy ghi lý do để người phỏng vấn biết phải sửa gì.",
                "Give a reason, so that the interviewer knows what to correct.",
            ),
            Self::ReasonTooLong => ("Lý do dài quá 500 chữ cái.", "The reason has more than 500 characters."),
            Self::MalformedSeen => (
                "Danh sách thay đổi đã xem không đúng: mỗi mã cần 64 chữ số thập lục phân.",
                "The list of changes that were seen is wrong: each needs 64 hexadecimal digits.",
            ),
            Self::IdInUse => (
                "Mã của quyết định này đã dùng cho quyết định khác.",
                "Another decision has this identity already.",
            ),
            Self::RoundClosed => (
                "Đợt khảo sát đã khóa; chỉ cán bộ còn quyết định được.",
                "The round is closed; only officials can still decide.",
            ),
            Self::TooMany => (
                "Hộ này đã có quá nhiều quyết định; hãy hỏi cán bộ phụ trách.",
                "There are too many decisions about this household; ask the official in charge.",
            ),
        };
        Text::new(vi, en)
    }
}
