//! Paradata: the files in which phones tell how the answers of a visit came about, and the times in them.

mod log;
mod times;

pub(crate) use log::{Fault, read};
pub(crate) use times::{Sum, Times};
