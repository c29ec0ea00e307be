//! Hiding small counts so that nobody can work them out again.

use serde::{Deserialize, Serialize};

use super::PublicationError;
use super::flow::{Direction, Movement, UNLIMITED};
use super::table::{Cell, CountTable};

/// Which counts are hidden, and how well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionRules {
    /// Counts from 1 to one below this are hidden: the threshold rule. Zeros are shown.
    pub smallest_shown: u64,
    /// Whoever works with the table must find counts lower by this possible (or 0, where that is nearer) …
    pub protection_below: u64,
    /// … and counts higher by this.
    pub protection_above: u64,
}

impl Default for SuppressionRules {
    /// Counts below 5 are hidden, and may be anything from 5 less to 5 more.
    fn default() -> Self {
        Self {
            smallest_shown: 5,
            protection_below: 5,
            protection_above: 5,
        }
    }
}

/// Whether a cell is shown, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellStatus {
    /// Shown.
    Shown,
    /// Hidden because its count is small.
    Primary,
    /// Hidden because a small count could be worked out from it.
    Complementary,
}

/// What somebody who knows the shown cells, and that counts are whole and not negative, can say of a hidden one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Attainable {
    /// The cell.
    #[serde(skip)]
    pub cell: Cell,
    /// The smallest count that is possible.
    pub lower: u64,
    /// The largest; none where nothing limits it.
    pub upper: Option<u64>,
}

/// A table that may be published with its hidden cells left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedTable {
    /// The status of each cell of [`CountTable::cells`], in that order.
    pub statuses: Vec<CellStatus>,
    /// What can be said of each hidden cell.
    pub attainable: Vec<Attainable>,
}

/// Hides the small counts of a table, margins included, and as many others as it takes to protect them.
///
/// Primary suppression by the threshold rule; complementary suppression along cheapest paths of the table's network, one
/// small count after the other, smaller counts and inner cells first; at the end an exact check of every small count
/// ([`attainable`]). The result is protected but not the least that would do. A. Hundepool et al., *Statistical Disclosure
/// Control* (2012), chapter 4; L. H. Cox (1980), "Suppression Methodology and Statistical Disclosure Control", Journal of
/// the American Statistical Association 75, 377–385; Cox (1995), "Network Models for Complementary Cell Suppression",
/// Journal of the American Statistical Association 90, 1453–1462.
///
/// Assumed is that nobody knows a hidden count beforehand: whoever is the only one counted in a cell knows one more. Counts
/// of 0 are never hidden to protect others, as it is often known where nobody can be.
///
/// # Errors
/// [`PublicationError::Rules`] for rules that hide nothing, [`PublicationError::Unprotectable`] where a small count can be
/// worked out whatever else is hidden.
pub fn protect(table: &CountTable, rules: &SuppressionRules) -> Result<ProtectedTable, PublicationError> {
    if rules.smallest_shown == 0 || rules.protection_above == 0 {
        return Err(PublicationError::Rules);
    }
    let mut statuses: Vec<CellStatus> = table
        .cells()
        .map(|cell| match (1..rules.smallest_shown).contains(&table.count(cell)) {
            true => CellStatus::Primary,
            false => CellStatus::Shown,
        })
        .collect();
    let small: Vec<Cell> = table
        .cells()
        .filter(|cell| statuses[table.place(*cell)] == CellStatus::Primary)
        .collect();
    // Margins are hidden last: each costs more than all inner cells together.
    let margin = table
        .cells()
        .map(|cell| table.count(cell).saturating_add(1))
        .sum::<u64>();
    for cell in &small {
        for direction in [Direction::Up, Direction::Down] {
            let wanted = wanted(table, rules, *cell, direction);
            let mut movement = Movement::new(table, *cell, direction);
            let cost = |other: Cell| match (statuses[table.place(other)], table.count(other)) {
                (CellStatus::Shown, 0) => None,
                (CellStatus::Shown, count) if table.is_margin(other) => Some(count.saturating_add(margin)),
                (CellStatus::Shown, count) => Some(count.saturating_add(1)),
                _ => Some(0),
            };
            let used = movement.go(wanted, &cost);
            if movement.amount < wanted {
                return Err(unprotectable(*cell));
            }
            for other in used {
                statuses[table.place(other)] = CellStatus::Complementary;
            }
        }
    }
    let is_hidden: Vec<bool> = statuses.iter().map(|status| *status != CellStatus::Shown).collect();
    let attainable = attainable(table, &is_hidden);
    for cell in small {
        let known = attainable.iter().find(|known| known.cell == cell);
        let count = table.count(cell);
        let is_protected = known.is_some_and(|known| {
            let below = wanted(table, rules, cell, Direction::Down);
            let above = wanted(table, rules, cell, Direction::Up);
            known.lower + below <= count && known.upper.is_none_or(|upper| upper >= count + above)
        });
        if !is_protected {
            return Err(unprotectable(cell));
        }
    }
    Ok(ProtectedTable { statuses, attainable })
}

/// How far a small count must be able to move.
fn wanted(table: &CountTable, rules: &SuppressionRules, cell: Cell, direction: Direction) -> u64 {
    match direction {
        Direction::Up => rules.protection_above.min(UNLIMITED / 4),
        Direction::Down => rules.protection_below.min(table.count(cell)),
    }
}

fn unprotectable(cell: Cell) -> PublicationError {
    PublicationError::Unprotectable {
        row: cell.row,
        column: cell.column,
    }
}

/// For each hidden cell the smallest and the largest count with which the shown cells, whole counts and sums agree. Exact:
/// a two-way table is a network, in which the largest flow is whole (Cox 1995).
///
/// `is_hidden` has one entry for each cell of [`CountTable::cells`]; missing entries mean shown.
pub fn attainable(table: &CountTable, is_hidden: &[bool]) -> Vec<Attainable> {
    let hidden = |cell: Cell| is_hidden.get(table.place(cell)).copied().unwrap_or(false);
    let cost = |cell: Cell| hidden(cell).then_some(0);
    let reach = |cell: Cell, direction: Direction| {
        let mut movement = Movement::new(table, cell, direction);
        let most = match direction {
            Direction::Up => UNLIMITED / 2,
            Direction::Down => table.count(cell),
        };
        movement.go(most, &cost);
        movement.reached(direction)
    };
    let cells = table.cells().filter(|cell| hidden(*cell));
    cells
        .map(|cell| Attainable {
            cell,
            lower: reach(cell, Direction::Down).unwrap_or(0),
            upper: reach(cell, Direction::Up),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::SampleGenerator;

    /// The smallest and largest count of each hidden inner cell over all tables with counts up to `largest` that agree with
    /// the shown cells, by trying them all.
    fn by_trial(table: &CountTable, is_hidden: &[bool], largest: u64) -> Vec<(u64, u64)> {
        let (rows, columns) = (table.rows(), table.columns());
        let inner: Vec<Cell> = table.cells().filter(|cell| !table.is_margin(*cell)).collect();
        let free: Vec<usize> = (0..inner.len())
            .filter(|place| is_hidden[table.place(inner[*place])])
            .collect();
        let mut counts: Vec<u64> = inner.iter().map(|cell| table.count(*cell)).collect();
        let mut bounds = vec![(u64::MAX, 0); free.len()];
        for combination in 0..(largest + 1).pow(free.len() as u32) {
            let mut rest = combination;
            for place in &free {
                counts[*place] = rest % (largest + 1);
                rest /= largest + 1;
            }
            let tried = CountTable::new(rows, columns, &counts).unwrap();
            if table
                .cells()
                .all(|cell| is_hidden[table.place(cell)] || tried.count(cell) == table.count(cell))
            {
                for (bounds, place) in bounds.iter_mut().zip(&free) {
                    *bounds = (bounds.0.min(counts[*place]), bounds.1.max(counts[*place]));
                }
            }
        }
        bounds
    }

    fn random_table(generator: &mut SampleGenerator, rows: usize, columns: usize, below: u64) -> CountTable {
        let counts: Vec<u64> = (0..rows * columns).map(|_| generator.below(below)).collect();
        CountTable::new(rows, columns, &counts).unwrap()
    }

    #[test]
    fn what_can_be_worked_out_is_what_trying_all_tables_leaves() {
        let mut generator = SampleGenerator::new(17, 0);
        for _ in 0..40 {
            let table = random_table(&mut generator, 3, 3, 3);
            // Shown margins keep every count at 6 or below; five hidden cells are enough to try.
            let mut left = 5;
            let mut hide = |cell| {
                let hides = left > 0 && !table.is_margin(cell) && generator.below(3) > 0;
                left -= i32::from(hides);
                hides
            };
            let is_hidden: Vec<bool> = table.cells().map(&mut hide).collect();
            let expected = by_trial(&table, &is_hidden, 6);
            let found: Vec<(u64, u64)> = attainable(&table, &is_hidden)
                .into_iter()
                .map(|known| (known.lower, known.upper.unwrap()))
                .collect();
            assert_eq!(found, expected, "{table:?} {is_hidden:?}");
        }
    }

    #[test]
    fn hidden_margins_count_as_unknown_too() {
        // Row 0 and its total hidden in column 0 and 1: the columns' totals still say what stands there.
        let table = CountTable::new(2, 2, &[2, 7, 6, 9]).unwrap();
        let hide = |cells: &[(usize, usize)]| -> Vec<bool> {
            table
                .cells()
                .map(|cell| cells.contains(&(cell.row, cell.column)))
                .collect()
        };
        let known = attainable(&table, &hide(&[(0, 0), (0, 1), (0, 2)]));
        assert!(known.iter().all(|known| Some(known.lower) == known.upper));
        // With column 0's total hidden instead, cell (0, 0) and the total move together, held by the grand total.
        let known = attainable(&table, &hide(&[(0, 0), (2, 0)]));
        assert!(known.iter().all(|known| Some(known.lower) == known.upper));
        // With all totals of the cell hidden, nothing limits it.
        let known = attainable(&table, &hide(&[(0, 0), (0, 2), (2, 0), (2, 2)]));
        assert_eq!((known[0].lower, known[0].upper), (0, None));
    }

    #[test]
    fn small_counts_are_hidden_and_protected_in_many_tables() {
        let mut generator = SampleGenerator::new(3, 0);
        let rules = SuppressionRules::default();
        let (mut complementary, mut protected) = (0, 0);
        for round in 0..300 {
            let (rows, columns) = (2 + generator.below(5) as usize, 2 + generator.below(5) as usize);
            let table = random_table(&mut generator, rows, columns, 5 + 10 * (round % 4));
            let Ok(result) = protect(&table, &rules) else { continue };
            protected += 1;
            for cell in table.cells() {
                let (status, count) = (result.statuses[table.place(cell)], table.count(cell));
                assert_eq!(status == CellStatus::Primary, (1..5).contains(&count));
                complementary += usize::from(status == CellStatus::Complementary);
                if status == CellStatus::Primary {
                    let known = result.attainable.iter().find(|known| known.cell == cell).unwrap();
                    assert!(known.lower == 0 && known.upper.is_none_or(|upper| upper >= count + 5));
                }
            }
        }
        assert!(protected >= 200 && complementary >= 500, "{protected} {complementary}");
    }

    #[test]
    fn a_single_small_count_takes_a_rectangle() {
        // 3 can only be hidden with another cell of its row, one of its column and the fourth corner. The cheapest corners
        // that can move by 5 are 8, 9 and 12.
        let table = CountTable::new(3, 3, &[3, 8, 50, 9, 12, 60, 70, 80, 90]).unwrap();
        let result = protect(&table, &SuppressionRules::default()).unwrap();
        let hidden: Vec<u64> = table
            .cells()
            .filter(|cell| result.statuses[table.place(*cell)] != CellStatus::Shown)
            .map(|cell| table.count(cell))
            .collect();
        assert_eq!(hidden, [3, 8, 9, 12]);
        // 3 + 8 = 11 and 3 + 9 = 12: the small count is from 0 to 11.
        assert_eq!((result.attainable[0].lower, result.attainable[0].upper), (0, Some(11)));
    }

    #[test]
    fn what_cannot_be_protected_is_not_published() {
        // All others are 0, which is never hidden.
        let table = CountTable::new(2, 2, &[3, 0, 0, 0]).unwrap();
        let error = protect(&table, &SuppressionRules::default());
        // The cell, its totals and the whole are small and hidden together, which nothing limits.
        assert!(error.is_ok());
        let table = CountTable::new(2, 2, &[3, 0, 0, 40]).unwrap();
        let result = protect(&table, &SuppressionRules::default());
        let shown = |result: &ProtectedTable, row, column| {
            result.statuses[table.place(Cell { row, column })] == CellStatus::Shown
        };
        // Hiding the whole (43) protects 3 upwards; nothing else could.
        assert!(result.is_ok_and(|result| !shown(&result, 2, 2) && shown(&result, 0, 1)));
        assert_eq!(
            protect(
                &table,
                &SuppressionRules {
                    smallest_shown: 0,
                    ..SuppressionRules::default()
                }
            ),
            Err(PublicationError::Rules)
        );
        assert!(CountTable::new(1, 3, &[1, 2, 3]).is_err());
        assert!(CountTable::new(2, 2, &[u64::MAX, 1, 1, 1]).is_err());
        let error = CountTable::new(1_000, 1_000, &[]).unwrap_err();
        assert!(error.vietnamese().contains("chia nhỏ"));
    }
}
