//! What can go wrong between a hub and its upstream.

use std::io;
use std::path::PathBuf;

use sync_core::exchange::{AdmissionError, WireError};

use crate::devices::{InstallationKeyError, RosterError};
use crate::rounds::RoundError;
use crate::store::StoreError;
use crate::sync::ErasureError;

/// Why upstream was not reached, or not understood. What was exchanged before stays; the next occasion goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The installation is no hub.
    #[error("this installation has no upstream; join one: khaosat upstream join ADDRESS CODE")]
    NoUpstream,
    /// The address is not one to send answers to.
    #[error("{address}: the upstream's address must begin with https:// (http:// only on this machine itself)")]
    Address {
        /// The address.
        address: String,
    },
    /// The file with the token cannot be read or written.
    #[error("{path}: {source}")]
    Token {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Nobody answered.
    #[error("{address} cannot be reached: {reason}")]
    Unreachable {
        /// The upstream's address.
        address: String,
        /// Why, in the words of the HTTP client.
        reason: String,
    },
    /// Upstream answered with a problem.
    #[error("{address} answered {status}: {detail}")]
    Refused {
        /// The upstream's address.
        address: String,
        /// The HTTP status.
        status: u16,
        /// The problem's title and detail.
        detail: String,
    },
    /// Upstream's answer is no message.
    #[error("the answer is malformed: {0}")]
    Wire(#[from] WireError),
    /// Upstream brings changes whose signatures do not hold.
    #[error("the answer brings changes that nobody signed: {0}")]
    Admission(#[from] AdmissionError),
    /// A roster is no JSON of the right shape.
    #[error("the roster in the answer is malformed at line {line}, column {column}: {reason}")]
    RosterShape {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A roster cannot be taken.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// A response cannot be erased.
    #[error(transparent)]
    Erasure(#[from] ErasureError),
    /// The upstream's round cannot be made here.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// The installation's keys cannot be read.
    #[error(transparent)]
    Keys(#[from] InstallationKeyError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl HubError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::NoUpstream => {
                "nơi này chưa có máy chủ cấp trên; hãy kết nối: khaosat upstream join ĐỊA_CHỈ MÃ".to_owned()
            }
            Self::Address { address } => format!(
                "{address}: địa chỉ máy chủ cấp trên phải bắt đầu bằng https:// (http:// chỉ dùng trên chính máy này)"
            ),
            Self::Token { path, source } => format!("{}: {source}", path.display()),
            Self::Unreachable { address, reason } => format!("không kết nối được {address}: {reason}"),
            Self::Refused {
                address,
                status,
                detail,
            } => format!("{address} trả lời {status}: {detail}"),
            Self::Wire(error) => format!("trả lời sai cấu trúc: {}", error.vietnamese()),
            Self::Admission(error) => format!("trả lời có thay đổi không ai ký: {}", error.vietnamese()),
            Self::RosterShape { line, column, reason } => {
                format!("danh sách thiết bị trong trả lời sai cấu trúc ở dòng {line}, cột {column}: {reason}")
            }
            Self::Roster(error) => error.vietnamese(),
            Self::Erasure(error) => error.vietnamese(),
            Self::Round(error) => error.vietnamese(),
            Self::Keys(error) => error.vietnamese(),
            Self::Store(error) => error.vietnamese(),
        }
    }
}
