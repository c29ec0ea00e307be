//! Administrative units: the tree of province, districts, communes and hamlets at a date.

mod import;
mod tree;

pub use import::{AdminUnit, Succession, import_successions, import_units, read_successions, read_units};
pub use tree::{Level, Node, UnitTree};
