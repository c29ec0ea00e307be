//! What a caller says of a design: columns with one entry per sampled element.

use serde::{Deserialize, Serialize};

/// The columns of a survey's design. Every column has one entry per row, a row being a sampled element (a person, a
/// household); the order of rows is the caller's.
#[derive(Debug, Clone)]
pub struct DesignColumns<'a> {
    /// Sampling weights: how many elements of the population each row stands for. Zero is allowed and leaves a row in the
    /// design but out of every estimate.
    pub weights: &'a [f64],
    /// Stages of sampling, the first one first.
    pub stages: Vec<StageColumns<'a>>,
    /// Whether codes of first-stage clusters are unique.
    pub labels: Labels,
    /// What to do where a stratum has one sampled unit of several.
    pub single_units: SingleUnits,
}

/// One stage of sampling: in each stratum of it, units were drawn.
#[derive(Debug, Clone)]
pub struct StageColumns<'a> {
    /// Code of the unit that the row belongs to; below the first stage it need be unique only within the unit above.
    /// `None` where every row is a unit of its own.
    pub clusters: Option<&'a [u32]>,
    /// Code of the stratum in which the unit was drawn; below the first stage strata lie within the unit above. `None`
    /// where units were drawn from all together.
    pub strata: Option<&'a [u32]>,
    /// How units were drawn.
    pub selection: Selection<'a>,
}

/// How the units of a stage were drawn in each stratum.
#[derive(Debug, Clone)]
pub enum Selection<'a> {
    /// With replacement, with equal or unequal probabilities (the weights have them), or without replacement of so many
    /// that it makes no difference. Later stages then add nothing to the variance's estimate, which the differences
    /// between this stage's units contain already.
    WithReplacement,
    /// By simple random sampling without replacement from so many units: one count per row, the same within a stratum.
    /// Infinity means with replacement in that stratum; a count equal to the number sampled, that all were taken.
    WithoutReplacement {
        /// Number of units in the stratum.
        population: &'a [f64],
    },
    /// Without replacement with unequal probabilities.
    UnequalProbabilities {
        /// Inclusion probability of the unit at this stage: one per row, the same within a unit, 1 for units taken with
        /// certainty.
        inclusion: &'a [f64],
        /// What stands for the joint inclusion probabilities.
        joint: Joint<'a>,
    },
}

/// What is known, or assumed, of joint inclusion probabilities of units drawn with unequal probabilities.
#[derive(Debug, Clone, Copy)]
pub enum Joint<'a> {
    /// Nothing is needed: each unit counts with 1 − π of its own in the variance between units (Brewer 2002, *Combined
    /// Survey Sampling Inference*). The only choice for stages after the first. As `pps = "brewer"` in R.
    Brewer,
    /// Overton's approximation for random systematic sampling (Stehman & Overton 1989, *Proceedings of the Survey
    /// Research Methods Section, ASA*). As `pps = "overton"` in R.
    Overton(PairForm),
    /// Hartley & Rao's approximation (1962, *Annals of Mathematical Statistics* 33, 350–374).
    HartleyRao {
        /// Σ π² / n over all units of the stratum's population: one per row, the same within a stratum. `None` to take
        /// the mean of π over the sample, which estimates it. As `HR(...)` in R.
        mean_probability: Option<&'a [f64]>,
        /// The form of the variance.
        form: PairForm,
    },
    /// The probabilities themselves.
    Exact {
        /// π_ij of the sampled first-stage units, row by row; a unit's number is its place in the order in which units
        /// first appear among the rows. The diagonal is π_i. As `ppsmat` in R.
        probabilities: &'a [f64],
        /// The form of the variance.
        form: PairForm,
    },
}

/// The two unbiased forms of the variance of a total from joint inclusion probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairForm {
    /// Horvitz & Thompson (1952, *JASA* 47, 663–685): works for any design, may be negative.
    HorvitzThompson,
    /// Yates & Grundy (1953, *JRSS B* 15, 253–261) and Sen: for a fixed number of units; zero where values are
    /// proportional to π.
    YatesGrundy,
}

/// Whether the codes of first-stage clusters are unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// A code means one cluster; to find it in two strata is an error.
    #[default]
    Unique,
    /// Codes start anew in each stratum. As `nest = TRUE` in R.
    WithinStrata,
}

/// What to do where a stratum, at any stage, has one sampled unit of several, so that their variance cannot be estimated.
///
/// The first four are those of `options(survey.lonely.psu = ...)` in R, where `Certainty` is also called "remove". A
/// stratum of which the only unit was taken needs no policy: it adds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SingleUnits {
    /// Give no standard error for statistics that have a value in such a stratum. The default, because every other choice
    /// is an assumption.
    #[default]
    Fail,
    /// Take the unit as drawn with certainty: it adds nothing, and the variance is understated.
    Certainty,
    /// Count its squared distance from the mean of the population, which is zero for linearised values. Tends to overstate.
    Adjust,
    /// Let it add as much as the other strata do on average.
    Average,
    /// Join the stratum with the next one in the order of their codes (the last with the one before), both counts of
    /// the population added. Codes should therefore be given so that neighbours are alike, before the data are seen
    /// (Rust & Kalton 1987, *Journal of Official Statistics* 3, 69–81). Tends to overstate. Strata taken whole are
    /// passed over; where there is none to join with, no standard error is given.
    Collapse,
}
