//! The reader of workbooks: what it makes of each container, against pyxform and by hand, and what it refuses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

mod bad_input;
mod binary_writer;
mod containers;
mod markdown;
mod pyxform;
