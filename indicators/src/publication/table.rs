//! Counts in two ways with their margins.

use super::PublicationError;

/// Cells of a table at most, margins included.
pub(super) const LARGEST_TABLE: usize = 20_000;
/// Counts below this are exact in floating point as well.
const LARGEST_TOTAL: u64 = 1 << 53;

/// A two-way table of counts with the totals of its rows and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountTable {
    rows: usize,
    columns: usize,
    /// (rows + 1)·(columns + 1) counts row by row, the last of each the total.
    counts: Vec<u64>,
}

/// A cell, margins included: row `rows` has the columns' totals, column `columns` the rows'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Its row.
    pub row: usize,
    /// Its column.
    pub column: usize,
}

impl CountTable {
    /// The table with these counts, row by row, without totals.
    ///
    /// # Errors
    /// [`PublicationError`] unless there are at least two rows and columns, not too many cells, one count for each, and a
    /// total of at most 2^53.
    pub fn new(rows: usize, columns: usize, counts: &[u64]) -> Result<Self, PublicationError> {
        let cells = rows.saturating_add(1).saturating_mul(columns.saturating_add(1));
        if cells > LARGEST_TABLE {
            return Err(PublicationError::TooLarge { cells });
        }
        if rows < 2 || columns < 2 || counts.len() != rows * columns {
            let given = counts.len();
            return Err(PublicationError::Shape { rows, columns, given });
        }
        let total = counts.iter().try_fold(0_u64, |total, count| total.checked_add(*count));
        if total.is_none_or(|total| total > LARGEST_TOTAL) {
            return Err(PublicationError::TotalTooLarge);
        }
        let mut all = vec![0; cells];
        for row in 0..rows {
            for column in 0..columns {
                let count = counts[row * columns + column];
                for (to_row, to_column) in [(row, column), (row, columns), (rows, column), (rows, columns)] {
                    all[to_row * (columns + 1) + to_column] += count;
                }
            }
        }
        Ok(Self {
            rows,
            columns,
            counts: all,
        })
    }

    /// Rows without the totals.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns without the totals.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The count of a cell; 0 where the table has no such cell.
    pub fn count(&self, cell: Cell) -> u64 {
        let is_there = cell.row <= self.rows && cell.column <= self.columns;
        let count = self.counts.get(self.place(cell)).filter(|_| is_there);
        count.copied().unwrap_or(0)
    }

    /// All cells, margins included, row by row.
    pub fn cells(&self) -> impl Iterator<Item = Cell> + use<> {
        let (rows, columns) = (self.rows, self.columns);
        (0..=rows).flat_map(move |row| (0..=columns).map(move |column| Cell { row, column }))
    }

    /// Whether a cell is a total.
    pub fn is_margin(&self, cell: Cell) -> bool {
        cell.row == self.rows || cell.column == self.columns
    }

    /// Where a cell stands in lists that go row by row.
    pub(super) fn place(&self, cell: Cell) -> usize {
        cell.row.saturating_mul(self.columns + 1).saturating_add(cell.column)
    }

    /// The cell's count as a flow from one node to another. Rows are nodes 0 …, columns follow, then the node that gathers
    /// the columns' totals and the one that gives out the rows'. That each total is the sum of its cells is that as much
    /// flows out of each node as into it.
    pub(super) fn ends(&self, cell: Cell) -> (usize, usize) {
        let (gathered, given_out) = (self.rows + self.columns, self.rows + self.columns + 1);
        match (cell.row == self.rows, cell.column == self.columns) {
            (false, false) => (cell.row, self.rows + cell.column),
            (false, true) => (given_out, cell.row),
            (true, false) => (self.rows + cell.column, gathered),
            (true, true) => (gathered, given_out),
        }
    }

    /// Nodes of that network.
    pub(super) fn nodes(&self) -> usize {
        self.rows + self.columns + 2
    }
}
