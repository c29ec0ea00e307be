//! `khaosat estimate --data` as an analyst uses it: data sets of the R package survey give R's figures, and every mistake
//! in a file is told with its line and column.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

#[path = "estimate_files/analyst.rs"]
mod analyst;
#[path = "estimate_files/bad_input.rs"]
mod bad_input;
#[path = "estimate_files/calibration.rs"]
mod calibration;
#[path = "estimate_files/designs.rs"]
mod designs;
#[path = "estimate_files/documentation.rs"]
mod documentation;
#[path = "estimate_files/hot_deck.rs"]
mod hot_deck;
#[path = "estimate_files/mutations.rs"]
mod mutations;
#[path = "estimate_files/output.rs"]
mod output;
#[path = "estimate_files/parquet.rs"]
mod parquet;
#[path = "estimate_files/publication.rs"]
mod publication;
#[path = "estimate_files/replicates.rs"]
mod replicates;
#[path = "estimate_files/small_areas.rs"]
mod small_areas;
#[path = "estimate_files/tabulate.rs"]
mod tabulate;
