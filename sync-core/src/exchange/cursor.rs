//! How far a reader has come in a log, and whether it is the same log.

use std::collections::BTreeSet;

use automerge::ChangeHash;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::intake::HamletKey;

/// Bytes of a mark.
const MARK_BYTES: usize = 8;

/// What a log holds up to one of its entries, in few bytes: the first 8 bytes of the SHA-256 of the mark before and the
/// entry's change hash.
///
/// Two logs that begin alike have the same marks as far as they do, and then, but for one chance in 2⁶⁴, never again. So
/// a log knows its own readers: a server that was set back to a backup, or another server, finds that a reader's mark is
/// not its own, however long its log is. It protects from accidents, not from readers who lie about what they have read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogMark(#[serde(with = "serde_bytes")] pub [u8; MARK_BYTES]);

impl LogMark {
    /// The mark of an entry with this change, after the entry with the mark `self`. The mark before a log's first entry
    /// is the default, zeros.
    #[must_use]
    pub fn then(self, change: &ChangeHash) -> Self {
        let digest = Sha256::new().chain_update(self.0).chain_update(change.0).finalize();
        Self(digest.first_chunk().copied().unwrap_or_default())
    }
}

/// The last entry of a log that a reader has: its sequence number and its mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor(pub u64, pub LogMark);

impl Cursor {
    /// The entry's sequence number, from 1.
    pub fn sequence(&self) -> u64 {
        self.0
    }

    /// The entry's mark.
    pub fn mark(&self) -> LogMark {
        self.1
    }

    /// The cursor as a reader has it from whom something was withdrawn, and back.
    #[must_use]
    pub fn narrowed(self, narrowing: Narrowing) -> Self {
        let Self(sequence, LogMark(mark)) = self;
        let mark = std::array::from_fn(|byte| mark[byte] ^ narrowing.0[byte]);
        Self(sequence, LogMark(mark))
    }
}

/// What was withdrawn from a reader, to be laid over the marks of its cursors.
///
/// A cursor passes what its reader may not read. If a log is set back to a backup of before the withdrawal and then gets the
/// very same entries again, the log would know the cursor, and the reader would never get what the cursor has passed. So a
/// cursor counts only while as much is withdrawn as when it was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Narrowing([u8; MARK_BYTES]);

impl Narrowing {
    /// Of a reader who may read nothing any more.
    pub const EVERYTHING: Self = Self([0xff; MARK_BYTES]);

    /// Of a reader from whom these hamlets were withdrawn. Without any the marks stay as they are.
    pub fn of(withdrawn: &BTreeSet<HamletKey>) -> Self {
        if withdrawn.is_empty() {
            return Self::default();
        }
        let mut digest = Sha256::new();
        for hamlet in withdrawn {
            digest.update(hamlet.0.to_le_bytes());
        }
        Self(digest.finalize().first_chunk().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_that_differ_once_never_have_the_same_mark_again() {
        let hash = |number: u8| ChangeHash([number; 32]);
        let marks = |changes: &[u8]| -> Vec<LogMark> {
            let mut mark = LogMark::default();
            let next = |number: &u8| {
                mark = mark.then(&hash(*number));
                mark
            };
            changes.iter().map(next).collect()
        };
        let (one, other) = (marks(&[1, 2, 3, 4, 5]), marks(&[1, 2, 9, 4, 5]));
        assert_eq!(one[..2], other[..2]);
        assert!(one[2..].iter().zip(&other[2..]).all(|(one, other)| one != other));
        assert_ne!(marks(&[1, 2]).last(), marks(&[2, 1]).last(), "the order counts");
    }

    #[test]
    fn a_cursor_counts_only_while_as_much_is_withdrawn() {
        let cursor = Cursor(3, LogMark([7; 8]));
        let of = |hamlets: &[i64]| Narrowing::of(&hamlets.iter().copied().map(HamletKey).collect());
        assert_eq!(cursor.narrowed(of(&[])), cursor);
        let narrowings = [of(&[]), of(&[1]), of(&[2]), of(&[1, 2]), Narrowing::EVERYTHING];
        for (place, narrowing) in narrowings.into_iter().enumerate() {
            let given = cursor.narrowed(narrowing);
            for (other, then) in narrowings.into_iter().enumerate() {
                assert_eq!(
                    given.narrowed(then) == cursor,
                    place == other,
                    "{narrowing:?}, then {then:?}"
                );
            }
        }
    }

    #[test]
    fn the_mark_is_what_the_protocol_says() {
        // Python: hashlib.sha256(bytes(8) + bytes(range(32))).digest()[:8].hex()
        let change = ChangeHash(std::array::from_fn(|byte| byte as u8));
        assert_eq!(LogMark::default().then(&change).0, MARK);
    }

    const MARK: [u8; 8] = [0xf4, 0xb3, 0x29, 0x77, 0xb2, 0x59, 0xa8, 0x7e];
}
