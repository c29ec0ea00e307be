//! How many cells will be needed.
//!
//! The cells that came tell how many hashes differ before they can be solved. Of `d` differing hashes, of which the other
//! side has `s` more than this one, cell `i` holds each with probability p = 1 / (1 + i/2); so its surplus has mean `s·p`
//! and variance `d·p·(1 − p)`. The first cell holds all and tells `s`; the squared deviations of the others from their
//! means, over the sum of p·(1 − p), are `d` without bias, and with 31 cells to a fourth. An estimate steers how many cells
//! are asked for and never what is found.

/// Cells for each differing hash. In the paper's figures 1.35 do for many hashes and 1.7 for a few.
const CELLS_PER_HASH: f64 = 1.5;
/// How many standard deviations of the estimate are asked for beyond it, so that one more answer mostly does.
const MARGIN: f64 = 1.0;
/// Cells beyond that, for few hashes.
const SPARE_CELLS: f64 = 8.0;

/// An estimate of how many hashes differ, by the surplus of the other side in each cell from the first. At least one, and
/// at most `all`, the hashes of both sides together.
pub(super) fn differing(surplus: &[i64], all: f64) -> f64 {
    let Some((whole, rest)) = surplus.split_first() else {
        return 1.0;
    };
    let whole = *whole as f64;
    let (mut squares, mut variances) = (0.0, 0.0);
    for (number, surplus) in (1..).map(f64::from).zip(rest) {
        let probability = 2.0 / (number + 2.0);
        squares += (*surplus as f64 - whole * probability).powi(2);
        variances += probability * (1.0 - probability);
    }
    let spread = if variances > 0.0 { squares / variances } else { 0.0 };
    spread.min(all).max(whole.abs()).max(1.0)
}

/// How many cells to have in all, where `differing` was estimated from `cells` that were not enough.
pub(super) fn cells(differing: f64, cells: u16) -> u16 {
    // The relative error of a variance from n deviations is the square root of 2/n.
    let error = (2.0 / f64::from(cells.max(2))).sqrt();
    let wanted = differing * (1.0 + MARGIN * error) * CELLS_PER_HASH + SPARE_CELLS;
    // The cells that came were not enough, whatever the estimate says.
    let least = f64::from(cells) * 1.5;
    wanted.max(least).min(f64::from(u16::MAX)) as u16
}
