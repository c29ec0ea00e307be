//! The server's side of automerge-repo's network protocol, for peers that look in and never write.
//!
//! ```text
//! peer                                server
//! join    ──────────────────────────►
//!         ◄──────────────────────────  peer
//! request (document, sync message) ──►
//!         ◄──────────────────────────  sync (document, sync message), or doc-unavailable
//! sync    ◄─────────────────────────►  sync, until both have said what they have; later, whenever changes come in
//! ```
//!
//! Each message is one CBOR map in one binary WebSocket frame. A document is a response; its automerge-repo name is the
//! response's UUID ([`document_id`]). What a peer sends of changes is dropped before Automerge sees it, and every answer
//! says that this side is read-only, so that a current peer sends none.
//!
//! Source: automerge-repo, "The automerge-repo sync protocol", version 1 (packages `automerge-repo-network-websocket` and
//! `automerge-repo`, release 2.5.6); Automerge, module `sync`, for the sync messages.

mod document_id;
mod message;
mod session;
mod sync_message;

pub use document_id::{document_id, response_of};
pub use session::{Received, Request, Session};

/// Why a peer's frame is refused; the connection ends with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepoError {
    /// The frame is not one CBOR map with the fields of a message.
    #[error("the frame is no message of automerge-repo (one CBOR map): {reason}")]
    Malformed {
        /// What was found in place of it.
        reason: String,
    },
    /// A message that has to carry this field does not.
    #[error("a {kind:?} message needs the field {field}")]
    MissingField {
        /// The type of the message.
        kind: String,
        /// The field.
        field: &'static str,
    },
    /// The first message is not `join`.
    #[error("the first message must be \"join\", not {kind:?}")]
    NotJoined {
        /// What it is.
        kind: String,
    },
    /// A second `join`.
    #[error("this connection has joined already; a second \"join\" needs a second connection")]
    JoinedAlready,
    /// The peer speaks no version of the protocol that is spoken here.
    #[error("the protocol's version \"1\" is spoken here; the peer offers {offered:?}")]
    UnsupportedVersion {
        /// What the peer speaks.
        offered: Vec<String>,
    },
    /// A peer's name is too long.
    #[error("a peer's name has at most {limit} bytes")]
    LongName {
        /// The limit in bytes.
        limit: usize,
    },
    /// The data of a message are no Automerge sync message, or one that claims more than is borne.
    #[error("the data of the message are no Automerge sync message: {reason}")]
    BadSyncMessage {
        /// What is wrong.
        reason: String,
    },
    /// Too many documents are open.
    #[error("one connection opens at most {limit} documents; open another connection")]
    TooManyDocuments {
        /// The limit.
        limit: usize,
    },
}

impl RepoError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Malformed { reason } => {
                format!("khung không phải là thông điệp automerge-repo (một map CBOR): {reason}")
            }
            Self::MissingField { kind, field } => format!("thông điệp {kind:?} thiếu trường {field}"),
            Self::NotJoined { kind } => format!("thông điệp đầu tiên phải là \"join\", không phải {kind:?}"),
            Self::JoinedAlready => "kết nối này đã \"join\"; muốn \"join\" lần nữa hãy mở kết nối khác".to_owned(),
            Self::UnsupportedVersion { offered } => {
                format!("máy chủ dùng phiên bản giao thức \"1\"; bên kia có {offered:?}")
            }
            Self::LongName { limit } => format!("tên của bên kết nối dài nhất {limit} byte"),
            Self::BadSyncMessage { reason } => {
                format!("dữ liệu không phải là thông điệp đồng bộ của Automerge: {reason}")
            }
            Self::TooManyDocuments { limit } => {
                format!("một kết nối mở nhiều nhất {limit} tài liệu; hãy mở thêm kết nối")
            }
        }
    }

    /// The error's name, short enough for the reason of a closing WebSocket.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Malformed { .. } | Self::MissingField { .. } => "malformed-message",
            Self::NotJoined { .. } => "not-joined",
            Self::JoinedAlready => "joined-already",
            Self::UnsupportedVersion { .. } => "unsupported-version",
            Self::LongName { .. } => "long-name",
            Self::BadSyncMessage { .. } => "bad-sync-message",
            Self::TooManyDocuments { .. } => "too-many-documents",
        }
    }
}
