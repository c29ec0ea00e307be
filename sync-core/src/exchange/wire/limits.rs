//! What is refused before memory is spent on it, and how that is told.

use super::super::packing::PackingError;

/// What is refused before memory is spent on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a compressed message.
    pub compressed_bytes: usize,
    /// Bytes of an inflated message.
    pub inflated_bytes: usize,
    /// Changes in a message.
    pub changes: usize,
    /// Bytes of one change.
    pub change_bytes: usize,
    /// Bytes of a unit's code.
    pub unit_bytes: usize,
    /// Operations of packed changes in a message.
    pub operations: usize,
    /// CBOR items in a message, nested ones among them. An item of one byte on the wire takes dozens in memory.
    pub items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            compressed_bytes: 4 << 20,
            inflated_bytes: 32 << 20,
            changes: 20_000,
            change_bytes: 256 << 10,
            unit_bytes: 64,
            operations: 1 << 20,
            items: 400_000,
        }
    }
}

/// Bytes that are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The compressed message is over the limit.
    #[error("the message has more than {limit} bytes; send it in smaller pieces")]
    CompressedTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The message inflates over the limit.
    #[error("the message inflates to more than {limit} bytes; send it in smaller pieces")]
    InflatedTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The bytes are no whole stream of the content coding that they are said to have.
    #[error("the body is no whole stream of the content encoding {coding}")]
    NotCompressed {
        /// The coding's name.
        coding: &'static str,
    },
    /// The inflated bytes are no CBOR of the message's shape.
    #[error("the message is malformed at byte {byte}: {reason}")]
    Malformed {
        /// Where in the inflated message.
        byte: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The message is of a version that this server does not speak.
    #[error("the message has protocol version {version}; this server speaks version {spoken}")]
    UnsupportedVersion {
        /// The message's version.
        version: u16,
        /// The one that is spoken here.
        spoken: u16,
    },
    /// The changes in the message are not packed as they should be, or are too many.
    #[error(transparent)]
    Packing(#[from] PackingError),
    /// A list in the message is too long.
    #[error("the message has more than {limit} {what}; send it in smaller pieces")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The most that is allowed.
        limit: usize,
    },
}

impl WireError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::CompressedTooLarge { limit } => format!("gói tin lớn hơn {limit} byte; hãy gửi thành nhiều phần nhỏ"),
            Self::InflatedTooLarge { limit } => {
                format!("gói tin giải nén lớn hơn {limit} byte; hãy gửi thành nhiều phần nhỏ")
            }
            Self::NotCompressed { coding } => {
                format!("nội dung không phải là một luồng nén {coding} trọn vẹn (content encoding {coding})")
            }
            Self::Malformed { byte, reason } => format!("gói tin sai cấu trúc tại byte {byte}: {reason}"),
            Self::UnsupportedVersion { version, spoken } => {
                format!("gói tin theo giao thức phiên bản {version}; máy chủ này dùng phiên bản {spoken}")
            }
            Self::Packing(error) => error.vietnamese(),
            Self::TooMany { what, limit } => {
                format!("gói tin có nhiều hơn {limit} mục ({what}); hãy gửi thành nhiều phần nhỏ")
            }
        }
    }
}

pub(super) fn malformed(error: impl std::fmt::Display) -> WireError {
    WireError::Malformed {
        byte: 0,
        reason: error.to_string(),
    }
}
