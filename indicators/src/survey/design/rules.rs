//! What each stratum adds to the variance, decided once when the design is read.

use super::columns::SingleUnits;

/// How the units of a stratum make its part of a variance. z_i are a unit's totals of linearised values, n the number of
/// units sampled there; every part is multiplied by the stratum's scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// Adds nothing: all units were taken, or a single one counts as certain.
    Nothing,
    /// Σ c_i (z_i − z̄)², with c_i = 1 or, with unequal probabilities, 1 − π_i.
    Centred,
    /// Σ c_i z_i², of one unit.
    Uncentred,
    /// Σ (1 − π_i) z_i² + Σ_{i≠j} (a + b(π_i + π_j)) z_i z_j, or, if `centred`, the form of Yates & Grundy with the same
    /// coefficients.
    Pairs {
        /// a.
        constant: f64,
        /// b.
        slope: f64,
        /// Whether the form is that of Yates & Grundy.
        yates_grundy: bool,
    },
    /// By the matrix of joint probabilities, which spans all strata.
    Matrix,
    /// A single unit of several: no variance can be given for what has a value here.
    Undefined,
}

/// The rule of a stratum with one sampled unit of several. `Average` is settled afterwards, once it is known how many
/// strata have a variance.
pub(super) fn single_unit_rule(policy: SingleUnits) -> Rule {
    match policy {
        SingleUnits::Fail | SingleUnits::Collapse => Rule::Undefined,
        SingleUnits::Certainty | SingleUnits::Average => Rule::Nothing,
        SingleUnits::Adjust => Rule::Uncentred,
    }
}
