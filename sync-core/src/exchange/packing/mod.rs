//! Changes of many responses, column by column.
//!
//! An Automerge change names its author, what it depends on, and keys and values of its operations. In a batch of changes
//! most of that is alike or follows from the response: packing tells it once, and what differs stands beside its like,
//! where the compression of the message finds it. A change that would not come back byte for byte travels as it is.
//!
//! The layout is described, for other implementations, in `docs/protocol-packing.md`.

mod operations;
mod reading;
mod section;
mod shape;
mod writing;

pub use reading::unpack;
pub use section::Section;
pub use writing::pack;

/// How the changes of a message are written. Whoever reads takes both, also mixed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// In columns, where a change comes back from them byte for byte.
    #[default]
    Packed,
    /// Each as it is, for readers that know no columns.
    Plain,
}

/// Bytes that are no packed form of changes, or of too many.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackingError {
    /// The bytes are not those that packing gives.
    #[error("the packed changes are malformed at byte {byte}, in the column {section:?}: {problem}")]
    Malformed {
        /// The column.
        section: Section,
        /// Where in the packed form.
        byte: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// The columns tell a change that cannot be.
    #[error("packed change {change} cannot be: {problem}")]
    Impossible {
        /// The change's number in the message, from 0.
        change: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A column is too long.
    #[error("the packed changes have more than {limit} {what:?}; send them in smaller pieces")]
    TooMany {
        /// The column.
        what: Section,
        /// The most that is allowed.
        limit: usize,
    },
    /// The changes are too large together.
    #[error("the changes unpack to more than {limit} bytes; send them in smaller pieces")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A change is too large.
    #[error("packed change {change} has more than {limit} bytes")]
    ChangeTooLarge {
        /// The change's number in the message, from 0.
        change: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

impl PackingError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Malformed { section, byte, problem } => {
                format!("các thay đổi đóng gói sai cấu trúc tại byte {byte}, cột {section:?}: {problem}")
            }
            Self::Impossible { change, problem } => {
                format!("thay đổi đóng gói số {change} không thể có: {problem}")
            }
            Self::TooMany { what, limit } => {
                format!("các thay đổi đóng gói có nhiều hơn {limit} mục ({what:?}); hãy gửi thành nhiều phần nhỏ")
            }
            Self::TooLarge { limit } => {
                format!("các thay đổi mở ra lớn hơn {limit} byte; hãy gửi thành nhiều phần nhỏ")
            }
            Self::ChangeTooLarge { change, limit } => {
                format!("thay đổi đóng gói số {change} lớn hơn {limit} byte")
            }
        }
    }
}
