//! Survey statistics of Khảo Sát: plain numbers in, plain numbers out, no input or output of its own.
//!
//! Every indicator is a ratio of weighted totals, R = Σ w·y / Σ w·x, where y and x are a household's numerator and
//! denominator (a count of persons, or 0 and 1). The way through the crate:
//!
//! 1. [`summary::PsuSummary`] keeps, per hamlet, the exact sums that estimates need; one changed household updates it in
//!    O(1) per indicator.
//! 2. [`design::Design`] states strata and hamlets with their counts in the frame; [`design::Sample`] joins it to the
//!    summaries and checks that they fit; [`design::Domain`] and [`design::UnitTree`] say for which hamlets to estimate.
//! 3. [`estimators::ratio`] gives one [`estimators::Estimate`], [`estimators::evaluate_tree`] those of a whole tree of
//!    admin units, [`bounds::bounded_ratio`] those that unsettled conflicts and suspected duplicates leave possible.
//! 4. [`decision::decide`] compares with a target; [`publication::PublicationRules`] says what may be shown.
//!
//! Beside this live path stands one for microdata with one entry per row: [`survey`] reads any design of several stages,
//! [`weights`] makes weights that agree with known totals, [`replicates`] estimates variances by changing them, [`missing`]
//! counts and fills gaps. `docs/statistics.md` describes them.
//! Before a round, [`sampling`] plans and draws its sample; after it, [`small_areas`] models communes with few interviews.
//!
//! The README of the crate has the formulas, their sources and what is assumed.

pub mod bounds;
pub mod decision;
pub mod design;
pub mod estimators;
pub mod intervals;
pub mod linear_algebra;
pub mod missing;
pub mod publication;
pub mod replicates;
pub mod sampling;
pub mod small_areas;
pub mod summary;
pub mod survey;
pub mod variance;
pub mod weights;
