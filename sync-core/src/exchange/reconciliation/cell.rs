//! Cells: sums over parts of a set that another set's sums can be taken from.
//!
//! A hash is added to cell 0 and to cell `i` with probability 1 / (1 + i/2), the density for which the paper shows that
//! about 1.35 cells a hash solve a large difference, and 1.7 a small one. All follows from the hash and the salt.

use automerge::ChangeHash;
use sha2::{Digest as _, Sha256};

use super::set::{ChangeSet, Salt};

/// The sum of some hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cell {
    /// The hashes, added without carry (exclusive or).
    pub(super) sum: [u8; 32],
    /// Their checksums, added likewise.
    pub(super) check: u64,
    /// How many they are; of a difference, how many more the other side has.
    pub(super) count: i64,
}

/// Which way a hash goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Into the cell.
    Add,
    /// Out of it.
    Remove,
}

impl Cell {
    fn apply(&mut self, hash: &ChangeHash, key: &Key, direction: Direction) {
        for (sum, byte) in self.sum.iter_mut().zip(hash.0) {
            *sum ^= byte;
        }
        self.check ^= key.check;
        self.count = match direction {
            Direction::Add => self.count.saturating_add(1),
            Direction::Remove => self.count.saturating_sub(1),
        };
    }

    /// What this cell has over another of the same number.
    pub(super) fn less(&self, other: &Self) -> Self {
        let mut less = *self;
        for (sum, byte) in less.sum.iter_mut().zip(other.sum) {
            *sum ^= byte;
        }
        less.check ^= other.check;
        less.count = less.count.saturating_sub(other.count);
        less
    }

    /// The one hash that the cell is the sum of, where it is one, with its key and whether the other side has it
    /// ([`Direction::Add`]) or this one.
    pub(super) fn single(&self, salt: &Salt) -> Option<(ChangeHash, Key, Direction)> {
        let direction = match self.count {
            1 => Direction::Add,
            -1 => Direction::Remove,
            _ => return None,
        };
        let hash = ChangeHash(self.sum);
        let key = Key::of(&hash, salt);
        (key.check == self.check).then_some((hash, key, direction))
    }
}

/// What follows from a hash and the salt: SHA-256 of the salt and the hash, of which the first eight bytes are the
/// checksum and the next eight start the choice of cells, most significant byte first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    check: u64,
    seed: u64,
}

impl Key {
    pub(super) fn of(hash: &ChangeHash, salt: &Salt) -> Self {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(salt.0)
            .chain_update(hash.0)
            .finalize()
            .into();
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        let (check, rest) = digest.split_at(8);
        Self {
            check: number(check),
            seed: number(rest.get(..8).unwrap_or_default()),
        }
    }

    /// The numbers below `end` of the cells that the hash is added to, ascending.
    pub(super) fn cells(self, end: u16) -> Cells {
        Cells {
            next: Some(0),
            state: self.seed,
            end: u64::from(end),
        }
    }
}

/// Numbers of cells.
///
/// After cell `i` a hash skips all cells to `n` with probability ∏ (j/2) / (1 + j/2) over j from i + 1 to n, which is
/// (i + 1)(i + 2) / ((n + 1)(n + 2)). So the next cell is the first n for which this is at most u, for a u drawn evenly
/// from (0, 1]: (r + 1) / 2³² with 32 random bits r, which keeps all in whole numbers of 64 bits.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    next: Option<u64>,
    state: u64,
    end: u64,
}

impl Cells {
    /// 32 random bits: the upper half of SplitMix64 (G. Steele, D. Lea, C. Flood, *Fast Splittable Pseudorandom Number
    /// Generators*, OOPSLA 2014).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) >> 32
    }

    fn after(&mut self, cell: u64) -> Option<u64> {
        // Below 2⁶⁴, since no cell's number is over 65,534 (MAX_CELLS).
        let least = (((cell + 1) * (cell + 2)) << 32).div_ceil(self.random() + 1);
        if least > self.end * (self.end + 1) {
            return None;
        }
        // The first n with (n + 1)(n + 2) ≥ least, which is (2n + 3)² ≥ 4 · least + 1.
        let square = 4 * least + 1;
        let mut root = square.isqrt();
        if root * root < square {
            root += 1;
        }
        Some((root.saturating_sub(2) / 2).max(cell + 1))
    }
}

impl Iterator for Cells {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let cell = self.next.filter(|cell| *cell < self.end)?;
        self.next = self.after(cell);
        usize::try_from(cell).ok()
    }
}

/// The cells numbered `first` to `first + count − 1` of a set.
pub(super) fn cells_of(set: &ChangeSet, salt: &Salt, first: u16, count: u16) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); usize::from(count)];
    for hash in set.iter() {
        apply(&mut cells, first, hash, &Key::of(hash, salt), Direction::Add, |_, _| {});
    }
    cells
}

/// Adds a hash to those of `cells` that it belongs to, or removes it; the first of `cells` has the number `first`. Tells
/// `seen` the place of every cell that it changed, and the cell.
pub(super) fn apply(
    cells: &mut [Cell],
    first: u16,
    hash: &ChangeHash,
    key: &Key,
    direction: Direction,
    mut seen: impl FnMut(usize, &Cell),
) {
    let end = u16::try_from(usize::from(first) + cells.len()).unwrap_or(u16::MAX);
    for number in key.cells(end) {
        let place = number.checked_sub(usize::from(first));
        if let Some((place, cell)) = place.and_then(|place| Some((place, cells.get_mut(place)?))) {
            cell.apply(hash, key, direction);
            seen(place, cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_go_into_the_cells_that_another_implementation_chooses() {
        let vectors = include_str!("../../../tests/vectors/reconciliation.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
        let choices = vectors["choices"].as_array().unwrap();
        assert!(!choices.is_empty());
        for choice in choices {
            let seed = u64::from_str_radix(choice["seed"].as_str().unwrap(), 16).unwrap();
            let end = u16::try_from(choice["end"].as_u64().unwrap()).unwrap();
            let cells: Vec<u64> = Key { check: 0, seed }.cells(end).map(|cell| cell as u64).collect();
            assert_eq!(choice["cells"], serde_json::json!(cells), "seed {seed:016x}");
        }
    }

    /// Cell `i` holds a hash with probability 1 / (1 + i/2): of n seeds np, give or take six standard deviations, which
    /// chance exceeds once in 10⁹ cells; and the seeds are always the same.
    #[test]
    fn cells_are_as_full_as_the_method_wants() {
        const SEEDS: u32 = 20_000;
        const CELLS: u16 = 200;
        let mut loads = [0.0; CELLS as usize];
        for seed in 0..u64::from(SEEDS) {
            for cell in (Key { check: 0, seed }).cells(CELLS) {
                loads[cell] += 1.0;
            }
        }
        for (cell, load) in loads.iter().enumerate() {
            let probability = 1.0 / (1.0 + cell as f64 / 2.0);
            let mean = f64::from(SEEDS) * probability;
            let deviation = (mean * (1.0 - probability)).sqrt();
            assert!((load - mean).abs() <= 6.0 * deviation, "cell {cell}: {load} for {mean}");
        }
    }

    #[test]
    fn cells_from_the_middle_are_those_of_the_whole() {
        let set: ChangeSet = (0..50u8).map(|byte| ChangeHash([byte; 32])).collect();
        let salt = Salt([3; 16]);
        let whole = cells_of(&set, &salt, 0, 40);
        for first in 0..40u16 {
            assert_eq!(cells_of(&set, &salt, first, 40 - first), whole[usize::from(first)..]);
        }
    }
}
