//! Solving the cells: what one side has and the other lacks.

use std::collections::BTreeMap;

use automerge::ChangeHash;

use super::cell::{Cell, Direction, Key, apply, cells_of};
use super::error::ReconciliationError;
use super::initiator::Difference;
use super::set::{ChangeSet, Salt};

/// Cells of the other side less those of this one, as far as they came, and what they told so far.
///
/// A cell that is the sum of one hash tells it; taken out of its other cells, it may leave them with one. Every hash that
/// is told must be one that this side can have or lack, and none is told twice, so other people's cells cannot keep this
/// going for longer than there are cells.
#[derive(Debug)]
pub(super) struct Peeling {
    salt: Salt,
    /// What remains of each cell.
    cells: Vec<Cell>,
    /// How many more hashes the other side has in each cell, before anything was taken out.
    surplus: Vec<i64>,
    found: BTreeMap<ChangeHash, (Key, Direction)>,
}

impl Peeling {
    pub(super) fn new(salt: Salt) -> Self {
        Self {
            salt,
            cells: Vec::new(),
            surplus: Vec::new(),
            found: BTreeMap::new(),
        }
    }

    /// How many cells have come.
    pub(super) fn cells(&self) -> u16 {
        u16::try_from(self.cells.len()).unwrap_or(u16::MAX)
    }

    /// How many more hashes the other side has in each cell.
    pub(super) fn surplus(&self) -> &[i64] {
        &self.surplus
    }

    /// Takes the next cells of the other side, and gives the difference when they are solved.
    ///
    /// # Errors
    /// [`ReconciliationError::Contradiction`] when no two sets have such cells.
    pub(super) fn extend(
        &mut self,
        set: &ChangeSet,
        theirs: &[Cell],
    ) -> Result<Option<Difference>, ReconciliationError> {
        let first = self.cells();
        let ours = cells_of(set, &self.salt, first, u16::try_from(theirs.len()).unwrap_or(u16::MAX));
        let mut fresh: Vec<Cell> = theirs
            .iter()
            .zip(&ours)
            .map(|(theirs, ours)| theirs.less(ours))
            .collect();
        self.surplus.extend(fresh.iter().map(|cell| cell.count));
        for (hash, (key, direction)) in &self.found {
            apply(&mut fresh, first, hash, key, opposite(*direction), |_, _| {});
        }
        let mut candidates: Vec<usize> = (usize::from(first)..).take(fresh.len()).collect();
        self.cells.append(&mut fresh);

        while let Some(place) = candidates.pop() {
            let single = self.cells.get(place).and_then(|cell| cell.single(&self.salt));
            let Some((hash, key, direction)) = single else { continue };
            let lacking = direction == Direction::Add;
            if set.contains(&hash) == lacking || self.found.insert(hash, (key, direction)).is_some() {
                return Err(ReconciliationError::Contradiction);
            }
            if self.found.len() > self.cells.len() {
                return Err(ReconciliationError::Contradiction);
            }
            apply(&mut self.cells, 0, &hash, &key, opposite(direction), |place, cell| {
                if cell.count.abs() == 1 {
                    candidates.push(place);
                }
            });
        }

        // Every hash is in the first cell, so with that one empty all must be.
        let nothing = Cell::default();
        if self.cells.first() != Some(&nothing) {
            return Ok(None);
        }
        if self.cells.iter().any(|cell| *cell != nothing) {
            return Err(ReconciliationError::Contradiction);
        }
        let all = |wanted: Direction| {
            let found = self.found.iter().filter(|(_, (_, direction))| *direction == wanted);
            found.map(|(hash, _)| *hash).collect()
        };
        Ok(Some(Difference {
            missing_here: all(Direction::Add),
            missing_there: all(Direction::Remove),
        }))
    }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Add => Direction::Remove,
        Direction::Remove => Direction::Add,
    }
}
