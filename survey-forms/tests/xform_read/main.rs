//! Reading XForms: what the library and pyxform write of the test forms must be read back as those forms, and what other
//! programs write must keep its meaning.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own functions fail by panicking

mod broken;
#[allow(dead_code)] // shared with the conformance test, which needs more of it
#[path = "../conformance/comparison.rs"]
mod comparison;
#[allow(dead_code)] // as above
#[path = "../conformance/document.rs"]
mod document;
mod forms;
mod habits;
#[allow(dead_code)] // as above
#[path = "../conformance/oracles.rs"]
mod oracles;
mod pyxform;
mod round_trip;
#[allow(dead_code)] // as above
#[path = "../conformance/sheets.rs"]
mod sheets;
