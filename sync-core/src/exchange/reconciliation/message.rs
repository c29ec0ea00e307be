//! The bytes of request and answer. Numbers have their most significant byte first; `docs/protocol-reconciliation.md`
//! tells every field.

use super::cell::Cell;
use super::error::{Fault, ReconciliationError};
use super::limits::Limits;
use super::set::{Salt, SetDigest};

/// The version of the messages that this code speaks.
pub const VERSION: u8 = 1;
/// Cells that have numbers, from 0: with more, choosing a hash's cells would need whole numbers of more than 64 bits.
pub const MAX_CELLS: u16 = u16::MAX;
/// Bytes of a request, always: version, kind, salt, half a digest, first cell, number of cells.
pub const REQUEST_BYTES: usize = 2 + 16 + CLAIM_BYTES + 2 + 2;

/// Bytes of an answer before its cells: version, kind, digest, number of changes, first cell, number of cells.
pub(super) const ANSWER_HEAD_BYTES: usize = 2 + 32 + 4 + 2 + 2;
/// Bytes of a cell at most, and at least.
pub(super) const CELL_BYTES_MOST: usize = CELL_BYTES_LEAST - 1 + COUNT_BYTES_MOST;
pub(super) const CELL_BYTES_LEAST: usize = 32 + 8 + 1;

/// Bytes of a deviation at most: 33 bits in groups of seven.
const COUNT_BYTES_MOST: usize = 5;
/// Bytes of the initiator's digest that a request shows. The responder's digest comes whole, so who does not have the
/// initiator's set cannot claim to.
const CLAIM_BYTES: usize = 16;
const REQUEST_KIND: u8 = 1;
const ANSWER_KIND: u8 = 2;

/// What the initiator sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) salt: Salt,
    /// The first half of the digest of the initiator's set.
    pub(super) claim: [u8; CLAIM_BYTES],
    /// The number of the first cell that it wants.
    pub(super) first: u16,
    /// How many it wants, at least one.
    pub(super) count: u16,
}

/// What the responder sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The digest of the responder's set under the request's salt.
    pub(super) digest: SetDigest,
    /// How many changes it has.
    pub(super) changes: u32,
    /// The number of the first cell.
    pub(super) first: u16,
    /// Cells of its set, at most as many as were asked for; none where the request's claim is that of its own set.
    pub(super) cells: Vec<Cell>,
}

/// The first half of a digest.
pub(super) fn claim(digest: &SetDigest) -> [u8; CLAIM_BYTES] {
    let mut claim = [0; CLAIM_BYTES];
    claim.iter_mut().zip(digest).for_each(|(claim, byte)| *claim = *byte);
    claim
}

impl Request {
    /// Where the cells are named.
    pub(super) const CELLS_AT: usize = REQUEST_BYTES - 4;

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(REQUEST_BYTES);
        bytes.extend([VERSION, REQUEST_KIND]);
        bytes.extend(self.salt.0);
        bytes.extend(self.claim);
        bytes.extend(self.first.to_be_bytes());
        bytes.extend(self.count.to_be_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ReconciliationError> {
        let mut reader = Reader::new(bytes, REQUEST_BYTES, REQUEST_KIND)?;
        let (salt, claim) = (Salt(reader.take()?), reader.take()?);
        let (first, count) = (u16::from_be_bytes(reader.take()?), u16::from_be_bytes(reader.take()?));
        if count == 0 || first.checked_add(count).is_none() {
            return Err(malformed(Self::CELLS_AT, Fault::WrongCells));
        }
        reader.end()?;
        Ok(Self {
            salt,
            claim,
            first,
            count,
        })
    }
}

impl Answer {
    /// Where the cells are named.
    pub(super) const CELLS_AT: usize = ANSWER_HEAD_BYTES - 4;

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ANSWER_HEAD_BYTES + self.cells.len() * CELL_BYTES_MOST);
        bytes.extend([VERSION, ANSWER_KIND]);
        bytes.extend(self.digest);
        bytes.extend(self.changes.to_be_bytes());
        bytes.extend(self.first.to_be_bytes());
        bytes.extend(u16::try_from(self.cells.len()).unwrap_or(u16::MAX).to_be_bytes());
        for (number, cell) in (u64::from(self.first)..).zip(&self.cells) {
            bytes.extend(cell.sum);
            bytes.extend(cell.check.to_be_bytes());
            let deviation = cell.count - expected(self.changes, number);
            // Zigzag, so that small negative numbers are short too.
            let mut rest = (deviation << 1 ^ deviation >> 63).cast_unsigned();
            while rest >= 0x80 {
                bytes.push((rest & 0x7f) as u8 | 0x80);
                rest >>= 7;
            }
            bytes.push(rest as u8);
        }
        bytes
    }

    /// Reads the answer to `request`.
    pub(super) fn decode(bytes: &[u8], request: &Request, limits: &Limits) -> Result<Self, ReconciliationError> {
        let mut reader = Reader::new(bytes, limits.answer_bytes(), ANSWER_KIND)?;
        let digest = reader.take()?;
        let changes = u32::from_be_bytes(reader.take()?);
        if changes > limits.changes {
            return Err(ReconciliationError::TooManyChanges {
                changes: u64::from(changes),
                limit: limits.changes,
            });
        }
        let (first, count) = (u16::from_be_bytes(reader.take()?), u16::from_be_bytes(reader.take()?));
        if first != request.first || count > request.count {
            return Err(malformed(Self::CELLS_AT, Fault::WrongCells));
        }
        // No memory for cells that cannot be there.
        if reader.rest().len() < usize::from(count) * CELL_BYTES_LEAST {
            return Err(malformed(bytes.len(), Fault::EndsEarly));
        }
        let mut cells = Vec::with_capacity(usize::from(count));
        for number in u64::from(first)..u64::from(first) + u64::from(count) {
            let (sum, check) = (reader.take()?, u64::from_be_bytes(reader.take()?));
            cells.push(Cell {
                sum,
                check,
                count: reader.count(changes, number)?,
            });
        }
        reader.end()?;
        Ok(Self {
            digest,
            changes,
            first,
            cells,
        })
    }
}

/// How many of `changes` hashes are expected in the cell of this number, rounded down. Only the deviation travels.
fn expected(changes: u32, number: u64) -> i64 {
    i64::try_from(2 * u64::from(changes) / (number + 2)).unwrap_or(i64::MAX)
}

/// Reads a message and knows the place.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], limit: usize, kind: u8) -> Result<Self, ReconciliationError> {
        if bytes.len() > limit {
            return Err(ReconciliationError::TooLarge {
                bytes: bytes.len(),
                limit,
            });
        }
        let mut reader = Self { bytes, at: 0 };
        let [version] = reader.take()?;
        if version != VERSION {
            return Err(ReconciliationError::UnsupportedVersion { version });
        }
        let [found] = reader.take()?;
        if found != kind {
            return Err(malformed(1, Fault::WrongKind));
        }
        Ok(reader)
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ReconciliationError> {
        let taken = self.rest().first_chunk();
        let taken = taken.ok_or_else(|| malformed(self.bytes.len(), Fault::EndsEarly))?;
        self.at += N;
        Ok(*taken)
    }

    /// The count of a cell: its deviation from what is expected, zigzag, in groups of seven bits, least first.
    fn count(&mut self, changes: u32, number: u64) -> Result<i64, ReconciliationError> {
        let place = self.at;
        let wrong = || malformed(place, Fault::WrongCount);
        let mut zigzag = 0u64;
        for group in 0..COUNT_BYTES_MOST {
            let [byte] = self.take()?;
            zigzag |= u64::from(byte & 0x7f) << (7 * group);
            if byte & 0x80 == 0 {
                // A last group of zeros would write the same number in another way.
                if group > 0 && byte == 0 {
                    return Err(wrong());
                }
                let deviation = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
                let count = expected(changes, number) + deviation;
                return if (0..=i64::from(changes)).contains(&count) {
                    Ok(count)
                } else {
                    Err(wrong())
                };
            }
        }
        Err(wrong())
    }

    fn end(&self) -> Result<(), ReconciliationError> {
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(malformed(self.at, Fault::GoesOn))
        }
    }
}

fn malformed(byte: usize, fault: Fault) -> ReconciliationError {
    ReconciliationError::Malformed { byte, fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(first: u16, count: u16) -> Request {
        Request {
            salt: Salt([1; 16]),
            claim: [2; CLAIM_BYTES],
            first,
            count,
        }
    }

    /// An answer with one cell, number 8, whose set has this many changes and which holds `count` of them.
    fn answer(changes: u32, count: i64) -> Answer {
        Answer {
            digest: [3; 32],
            changes,
            first: 8,
            cells: vec![Cell {
                sum: [4; 32],
                check: 5,
                count,
            }],
        }
    }

    /// Of 1,000,000 changes the cell 8 is expected to hold a fifth. Zigzag and groups of seven bits as in protocol
    /// buffers, whose documentation has 0, -1 and 1 as 0, 1 and 2, and 150 as 96 01.
    #[test]
    fn deviations_are_written_as_zigzag_varints() {
        for (deviation, written) in [
            (0, &[0u8][..]),
            (-1, &[1]),
            (1, &[2]),
            (63, &[0x7e]),
            (-64, &[0x7f]),
            (75, &[0x96, 0x01]),
            (8_192, &[0x80, 0x80, 0x01]),
            (-200_000, &[0xff, 0xb4, 0x18]),
        ] {
            let answer = answer(1_000_000, 200_000 + deviation);
            let bytes = answer.encode();
            assert_eq!(bytes[ANSWER_HEAD_BYTES + 40..], *written, "{deviation}");
            assert_eq!(Answer::decode(&bytes, &request(8, 1), &Limits::default()), Ok(answer));
        }
    }

    #[test]
    fn the_largest_counts_fit() {
        let limits = Limits {
            changes: u32::MAX,
            ..Limits::default()
        };
        for count in [0, i64::from(u32::MAX)] {
            let answer = answer(u32::MAX, count);
            let bytes = answer.encode();
            assert!(bytes.len() <= ANSWER_HEAD_BYTES + CELL_BYTES_MOST);
            assert_eq!(Answer::decode(&bytes, &request(8, 1), &limits), Ok(answer));
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let limits = Limits::default();
        let malformed = |byte, fault| Err(ReconciliationError::Malformed { byte, fault });
        let decode = |bytes: &[u8]| Answer::decode(bytes, &request(8, 1), &limits);
        let good = answer(10, 2).encode();
        let with = |place: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[place] = byte;
            bytes
        };
        assert_eq!(decode(&[]), malformed(0, Fault::EndsEarly));
        assert_eq!(
            decode(&with(0, 9)),
            Err(ReconciliationError::UnsupportedVersion { version: 9 })
        );
        assert_eq!(decode(&with(1, 1)), malformed(1, Fault::WrongKind));
        assert_eq!(decode(&with(39, 7)), malformed(Answer::CELLS_AT, Fault::WrongCells));
        assert_eq!(decode(&with(41, 2)), malformed(Answer::CELLS_AT, Fault::WrongCells));
        assert_eq!(decode(&with(41, 0)), malformed(ANSWER_HEAD_BYTES, Fault::GoesOn));
        // The cell 8 of a set of 10 is expected to hold 2, and cannot hold 11 nor −1.
        assert_eq!(decode(&with(82, 18)), malformed(82, Fault::WrongCount));
        assert_eq!(decode(&with(82, 5)), malformed(82, Fault::WrongCount));
        let longer = [with(82, 0x80), vec![0]].concat();
        assert_eq!(decode(&longer), malformed(82, Fault::WrongCount));
        for end in 2..good.len() {
            assert_eq!(decode(&good[..end]), malformed(end, Fault::EndsEarly));
        }
        let huge = vec![1; limits.answer_bytes() + 1];
        assert_eq!(
            decode(&huge),
            Err(ReconciliationError::TooLarge {
                bytes: huge.len(),
                limit: limits.answer_bytes()
            })
        );

        let asked = |first, count| Request::decode(&request(first, count).encode());
        assert_eq!(asked(3, 4), Ok(request(3, 4)));
        let wrong_cells = ReconciliationError::Malformed {
            byte: Request::CELLS_AT,
            fault: Fault::WrongCells,
        };
        assert_eq!(asked(3, 0), Err(wrong_cells.clone()));
        assert_eq!(asked(u16::MAX, 1), Err(wrong_cells));
        assert_eq!(request(3, 4).encode().len(), REQUEST_BYTES);
    }
}
