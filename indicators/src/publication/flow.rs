//! How far counts can move when some cells are hidden, as flows in the table's network.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::table::{Cell, CountTable};

/// What no count reaches.
pub(super) const UNLIMITED: u64 = 1 << 60;

/// In which direction a cell's count shall move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// What it costs to hide a cell, beside those that are hidden; none where it must be shown.
pub(super) type Cost<'a> = &'a dyn Fn(Cell) -> Option<u64>;

/// What it costs to come to a node, and in how many steps.
type Reached = (u64, u32);

/// A step along a cell, with its flow or against it.
#[derive(Debug, Clone, Copy)]
struct Step {
    cell: Cell,
    from: usize,
    direction: Direction,
}

/// The changes of the other cells that go with a change of one.
#[derive(Debug)]
pub(super) struct Movement<'a> {
    table: &'a CountTable,
    moved_cell: Cell,
    /// For each cell, how much is added to it.
    added: Vec<i64>,
    /// How much the cell moves.
    pub(super) amount: u64,
    /// The other cells, by the nodes they start or end at.
    around: Vec<Vec<Cell>>,
    start: usize,
    end: usize,
}

impl<'a> Movement<'a> {
    /// Nothing has moved yet.
    pub(super) fn new(table: &'a CountTable, cell: Cell, direction: Direction) -> Self {
        let (from, to) = table.ends(cell);
        let (start, end) = match direction {
            Direction::Up => (to, from),
            Direction::Down => (from, to),
        };
        let mut around = vec![Vec::new(); table.nodes()];
        for other in table.cells().filter(|other| *other != cell) {
            let (from, to) = table.ends(other);
            around[from].push(other);
            around[to].push(other);
        }
        Self {
            table,
            moved_cell: cell,
            added: vec![0; table.cells().count()],
            amount: 0,
            around,
            start,
            end,
        }
    }

    /// Moves the cell up to `wanted` in all, as cheaply as paths one after the other allow. Returns the cells used that
    /// cost anything.
    ///
    /// Successive cheapest paths in the residual network (R. K. Ahuja, T. L. Magnanti & J. B. Orlin, *Network Flows*, 1993,
    /// chapters 6 and 9); with every cost 0 it is the maximum flow, so that `amount` is exact.
    pub(super) fn go(&mut self, wanted: u64, cost: Cost<'_>) -> Vec<Cell> {
        let mut used = Vec::new();
        while self.amount < wanted {
            let Some(path) = self.cheapest_path(cost) else { break };
            let least = path.iter().map(|step| self.room(*step)).min().unwrap_or(0);
            let amount = least.min(wanted - self.amount);
            for step in &path {
                let place = self.table.place(step.cell);
                self.added[place] += match step.direction {
                    Direction::Up => amount as i64,
                    Direction::Down => -(amount as i64),
                };
                if cost(step.cell).is_some_and(|cost| cost > 0) {
                    used.push(step.cell);
                }
            }
            self.amount += amount;
        }
        used
    }

    /// How much a step can carry: a count can rise without limit and fall to 0.
    fn room(&self, step: Step) -> u64 {
        let added = self.added[self.table.place(step.cell)];
        let now = self.table.count(step.cell).saturating_add_signed(added);
        match step.direction {
            Direction::Up => UNLIMITED.saturating_sub(now),
            Direction::Down => now,
        }
    }

    /// Dijkstra's algorithm with the number of steps deciding between equal costs.
    fn cheapest_path(&self, cost: Cost<'_>) -> Option<Vec<Step>> {
        let mut best: Vec<Option<(Reached, Option<Step>)>> = vec![None; self.around.len()];
        let mut queue = BinaryHeap::from([Reverse(((0, 0), self.start))]);
        best[self.start] = Some(((0, 0), None));
        while let Some(Reverse((reached, node))) = queue.pop() {
            if node == self.end {
                break;
            }
            if best[node].is_some_and(|(known, _)| known < reached) {
                continue;
            }
            for cell in &self.around[node] {
                let Some(price) = cost(*cell) else { continue };
                let (from, to) = self.table.ends(*cell);
                let (next, direction) = match from == node {
                    true => (to, Direction::Up),
                    false => (from, Direction::Down),
                };
                let step = Step {
                    cell: *cell,
                    from: node,
                    direction,
                };
                if self.room(step) == 0 {
                    continue;
                }
                let there = (reached.0 + price, reached.1 + 1);
                if best[next].is_none_or(|(known, _)| there < known) {
                    best[next] = Some((there, Some(step)));
                    queue.push(Reverse((there, next)));
                }
            }
        }
        let mut path = Vec::new();
        let mut node = self.end;
        while let Some(step) = best[node]?.1 {
            path.push(step);
            node = step.from;
        }
        Some(path)
    }

    /// The count that the cell has moved to, none where it has no limit.
    pub(super) fn reached(&self, direction: Direction) -> Option<u64> {
        let count = self.table.count(self.moved_cell);
        match direction {
            Direction::Up => (self.amount < UNLIMITED / 2).then_some(count + self.amount),
            Direction::Down => Some(count.saturating_sub(self.amount)),
        }
    }
}
