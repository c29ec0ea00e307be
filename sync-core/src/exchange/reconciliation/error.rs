//! Why a reconciliation ends without a result.

use std::fmt;

use super::message::VERSION;

/// Why a reconciliation ends without a result. Nothing is lost by it: the caller exchanges everything instead, or begins
/// anew with another salt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconciliationError {
    /// The message is over the limit.
    #[error("the message has {bytes} bytes; at most {limit} are allowed")]
    TooLarge {
        /// How many it has.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The message is of a version that this code does not speak.
    #[error("the message has version {version}; this side speaks version {VERSION}")]
    UnsupportedVersion {
        /// The message's version.
        version: u8,
    },
    /// The message is not of the shape that it should have.
    #[error("the message is malformed at byte {byte}: {fault}")]
    Malformed {
        /// Where.
        byte: usize,
        /// What is wrong there.
        fault: Fault,
    },
    /// A set is over the limit.
    #[error("the set has {changes} changes; at most {limit} can be reconciled")]
    TooManyChanges {
        /// How many it has.
        changes: u64,
        /// The limit.
        limit: u32,
    },
    /// The sets differ so much that exchanging everything is cheaper, or that the cells would be too many.
    #[error("the sets differ by about {estimate} changes, too many to look for; exchange everything")]
    TooDifferent {
        /// About how many changes one side has and the other lacks.
        estimate: u64,
    },
    /// The cells are not those of any set.
    #[error("the other side's cells contradict each other")]
    Contradiction,
    /// The difference that the cells tell does not lead to the other side's set.
    #[error("the difference found does not lead to the other side's set")]
    Unverified,
    /// The other side needed too many answers.
    #[error("no difference was found in {limit} answers")]
    TooManyAnswers {
        /// The most answers that are read.
        limit: u16,
    },
    /// The other side answers without comparing.
    #[error("the other side does not compare what it has")]
    NotCompared,
    /// The session has ended already.
    #[error("this reconciliation has ended")]
    Ended,
}

/// What is wrong at one place of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The message ends there and should go on.
    EndsEarly,
    /// The message should have ended there.
    GoesOn,
    /// The kind of message is another than is due.
    WrongKind,
    /// The cells are others than were asked for, or are numbered past the last one.
    WrongCells,
    /// The answer brings no cells, although the sets differ.
    NoCells,
    /// A cell's count is outside the set's size, or written longer than needed.
    WrongCount,
}

impl ReconciliationError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::TooLarge { bytes, limit } => format!("gói tin có {bytes} byte; chỉ cho phép tối đa {limit} byte"),
            Self::UnsupportedVersion { version } => {
                format!("gói tin theo phiên bản {version}; bên này dùng phiên bản {VERSION}")
            }
            Self::Malformed { byte, fault } => {
                format!("gói tin sai cấu trúc tại byte {byte}: {}", fault.vietnamese())
            }
            Self::TooManyChanges { changes, limit } => {
                format!("có {changes} thay đổi; chỉ đối chiếu được tối đa {limit} thay đổi")
            }
            Self::TooDifferent { estimate } => {
                format!("hai bên khác nhau khoảng {estimate} thay đổi, quá nhiều để đối chiếu; hãy trao đổi toàn bộ")
            }
            Self::Contradiction => "các ô của bên kia mâu thuẫn với nhau".to_owned(),
            Self::Unverified => "phần khác biệt tìm được không khớp với dữ liệu của bên kia".to_owned(),
            Self::TooManyAnswers { limit } => format!("sau {limit} lần trả lời vẫn chưa tìm ra phần khác biệt"),
            Self::NotCompared => "bên kia không đối chiếu dữ liệu".to_owned(),
            Self::Ended => "lần đối chiếu này đã kết thúc".to_owned(),
        }
    }
}

impl Fault {
    /// The fault in Vietnamese.
    pub fn vietnamese(self) -> &'static str {
        match self {
            Self::EndsEarly => "gói tin bị cắt ngắn",
            Self::GoesOn => "còn byte thừa sau khi gói tin đã hết",
            Self::WrongKind => "không phải loại gói tin đang chờ",
            Self::WrongCells => "không phải các ô đã hỏi, hoặc số ô vượt quá giới hạn",
            Self::NoCells => "hai bên khác nhau mà trả lời không có ô nào",
            Self::WrongCount => "số đếm của ô vượt quá số thay đổi, hoặc được ghi dài hơn cần thiết",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndsEarly => "the message ends too early",
            Self::GoesOn => "bytes follow the end of the message",
            Self::WrongKind => "this is not the kind of message that is due",
            Self::WrongCells => "these are not the cells that were asked for, or there are no such cells",
            Self::NoCells => "the sets differ, but the answer brings no cells",
            Self::WrongCount => "the cell's count is outside the size of the set, or is written longer than needed",
        })
    }
}
