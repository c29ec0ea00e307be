//! Several small files in one message, compressed together. The logs of visits are much alike: in one stream each takes a
//! fraction of what it would alone, and a line with a slow answer is waited for once.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::wire::{self, Limits, Message, WireError};

/// Files of some units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileBatch {
    /// The files, in any order.
    pub files: Vec<BatchedFile>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchedFile {
    /// The code of the unit that it belongs to.
    pub unit: String,
    /// Its name: the first 32 hexadecimal digits of its content's SHA-256, a full stop and an extension.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its content.
    pub bytes: ByteBuf,
}

impl Message for FileBatch {
    fn to_cbor(&self) -> Result<Vec<u8>, WireError> {
        wire::to_cbor(self)
    }

    fn from_cbor(inflated: &[u8], limits: &Limits) -> Result<Self, WireError> {
        wire::from_limited_cbor(inflated, limits)
    }
}
