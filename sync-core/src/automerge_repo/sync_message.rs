//! A peer's sync message, made harmless before Automerge looks into it.
//!
//! Automerge believes what a message says of its Bloom filters: one that has entries but no bits stops the program (a
//! division by zero), and the number of probes, which is not backed by any bytes, is allocated. Both are checked here.

use automerge::sync::{ChunkList, Have, Message};

use super::RepoError;

/// Hashes in each list of a message at most: concurrent heads of one response, or changes that a peer missed.
const HASHES: usize = 256;
/// Probes of a Bloom filter at most; Automerge makes filters with 7.
const PROBES: u64 = 32;

/// Reads a sync message and leaves out the changes that it carries.
///
/// # Errors
/// [`RepoError::BadSyncMessage`] when the bytes are none, or claim more than is borne.
pub(super) fn read(data: &[u8]) -> Result<Message, RepoError> {
    let bad = |reason: String| RepoError::BadSyncMessage { reason };
    let mut message = Message::decode(data).map_err(|error| bad(error.to_string()))?;
    message.changes = ChunkList::empty();
    let lists = [&message.heads, &message.need]
        .into_iter()
        .chain(message.have.iter().map(|have| &have.last_sync));
    if message.have.len() > HASHES || lists.into_iter().any(|list| list.len() > HASHES) {
        return Err(bad(format!("it names more than {HASHES} hashes in one list")));
    }
    if !message.have.iter().all(is_sound) {
        return Err(bad("its Bloom filter cannot be".to_owned()));
    }
    Ok(message)
}

/// Whether a Bloom filter can be asked: it has no entries, or bits for them and a bearable number of probes.
fn is_sound(have: &Have) -> bool {
    let bytes = have.bloom.to_bytes();
    let mut rest = bytes.as_slice();
    let numbers: Option<[u64; 3]> = (|| Some([number(&mut rest)?, number(&mut rest)?, number(&mut rest)?]))();
    match numbers {
        // A filter without entries is written as nothing at all.
        None => bytes.is_empty(),
        Some([_, _, probes]) => !rest.is_empty() && probes <= PROBES,
    }
}

/// Takes one number in LEB128 from the front.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message with one `have` whose Bloom filter has these bytes.
    fn with_bloom(bloom: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x42, 0, 0, 1, 0, u8::try_from(bloom.len()).unwrap()];
        bytes.extend(bloom);
        bytes.push(0);
        bytes
    }

    #[test]
    fn bloom_filters_that_automerge_would_believe_are_refused() {
        // Entries, bits an entry, probes, bits.
        for sound in [&[][..], &[1, 10, 7, 0xff, 0xff], &[0, 0, 0]] {
            assert!(read(&with_bloom(sound)).is_ok(), "{sound:?}");
        }
        let no_bits = [1, 0, 7];
        let endless = [1, 10, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff];
        for unsound in [&no_bits[..], &endless, &[1, 10, 33, 0xff, 0xff]] {
            let refused = read(&with_bloom(unsound));
            assert!(matches!(refused, Err(RepoError::BadSyncMessage { .. })), "{unsound:?}");
        }
    }

    #[test]
    fn lists_are_bounded() {
        let mut many = vec![0x42, 0x81, 0x02];
        many.extend([7; 257 * 32]);
        many.extend([0, 0, 0]);
        assert!(matches!(read(&many), Err(RepoError::BadSyncMessage { .. })));
        let claimed = [0x42, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
        assert!(matches!(read(&claimed), Err(RepoError::BadSyncMessage { .. })));
    }

    #[test]
    fn changes_are_left_out() {
        let message = read(&[0x42, 0, 0, 0, 1, 3, 1, 2, 3]).unwrap();
        assert!(message.changes.is_empty());
    }
}
