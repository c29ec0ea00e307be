//! Variance of ratios by Taylor linearisation, with finite population corrections at both stages.

pub(crate) mod linearization;

use serde::{Deserialize, Serialize};

/// What to do where only one unit was drawn of several, so that their variance cannot be estimated: a stratum with one
/// sampled hamlet, or a hamlet with one responding household.
///
/// Named as `options(survey.lonely.psu = …)` in R.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LonelyPsu {
    /// Count its squared distance from the population mean, which for linearised values is zero. The default: it tends to
    /// overstate the variance rather than understate it.
    #[default]
    Adjust,
    /// Treat it as drawn with certainty: it adds nothing, and the variance is understated.
    Certainty,
    /// Give no standard error.
    Fail,
}
