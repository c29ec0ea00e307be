//! The general path for survey microdata: any design of several stages, any statistic, one variance engine.
//!
//! Data are plain columns with one entry per row, a row being a sampled element (a person, a household). The way through:
//!
//! 1. [`DesignColumns`] states weights and stages; [`SurveyDesign::new`] checks and sorts them once.
//! 2. [`total`], [`mean`], [`ratio`], [`proportion`] and [`quantile`] make a [`Linearised`] statistic of a [`Domain`]: its
//!    point and, per row, how much that row moves it. [`combination`], [`difference`] and [`quotient`] make others of them.
//! 3. [`VarianceEstimator`] gives the covariances of any such statistics; [`estimate`] adds interval, design effect and
//!    degrees of freedom, and says why where something is undefined.
//! 4. [`partition_ratios`] and [`partition_totals`] do all this for many domains that divide the rows (communes) in one pass.
//! 5. [`cross_tabulation`] and its tests of independence.
//!
//! The live path, from sums per hamlet, is [`crate::estimators`]; for the same design both give the same.
//! `docs/statistics.md` has formulas and sources.

mod column;
mod design;
mod domain;
mod error;
mod estimate;
mod estimators;
mod intervals;
mod partition;
mod quantiles;
mod tables;
mod undefined;
mod variance;

pub use column::Values;
pub use design::{DesignColumns, Joint, Labels, PairForm, Selection, SingleUnits, StageColumns, SurveyDesign};
pub use domain::Domain;
pub use error::{Column, Quantity, Requirement, StatisticError, SurveyError, Within};
pub use estimate::{EstimateAbsences, EstimateSettings, SurveyEstimate, estimate, estimate_with_variance};
pub use estimators::{Linearised, SimpleRandom, combination, difference, mean, proportion, quotient, ratio, total};
pub use intervals::{IntervalChoice, IntervalReason, ProportionMethod, proportion_interval};
pub use partition::{Partition, PartitionRatio, partition_ratios, partition_totals};
pub use quantiles::{Quantile, QuantileInterval, quantile};
pub use tables::{CrossTabulation, IndependenceTest, ShareOfRow, cross_tabulation};
pub use undefined::Undefined;
pub use variance::{Covariance, InfluenceRegression, ResidualAdjustment, StagesUsed, VarianceEstimator};
