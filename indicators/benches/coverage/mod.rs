//! The parts of the coverage study.
//!
//! | part | subject |
//! | --- | --- |
//! | [`population`] | the fixed population and what is true of it |
//! | [`campaign`] | how many hamlets and households are visited, and one sample of them |
//! | [`interval`] | the ways to an interval that are compared |
//! | [`repetition`] | the estimates of one sample by every way |
//! | [`tally`] | how often intervals held the truth |
//! | [`report`] | what is printed |

pub(crate) mod campaign;
pub(crate) mod interval;
pub(crate) mod population;
pub(crate) mod repetition;
pub(crate) mod report;
pub(crate) mod tally;
