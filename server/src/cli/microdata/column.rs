//! A column of a file that holds columns: each different text once, and a number of it per row.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// The number of a cell that is missing.
const MISSING: u32 = u32::MAX;

/// A column's cells as texts.
#[derive(Debug, Default)]
pub(super) struct Column {
    texts: Vec<String>,
    /// The place of each row's text, or [`MISSING`].
    cells: Vec<u32>,
}

impl Column {
    /// The texts of the rows; `None` where a cell is missing.
    pub(super) fn texts(&self) -> impl Iterator<Item = Option<&str>> {
        self.cells
            .iter()
            .map(|place| self.texts.get(*place as usize).map(String::as_str))
    }
}

/// Makes a column from values, each of which is turned into text only once.
#[derive(Debug)]
pub(super) struct ColumnBuilder<K> {
    places: HashMap<K, u32>,
    column: Column,
}

impl<K: Hash + Eq> ColumnBuilder<K> {
    pub(super) fn new() -> Self {
        Self {
            places: HashMap::new(),
            column: Column::default(),
        }
    }

    /// Adds a row. `text` gives the text of a value that is new, or none where it means that the cell is missing.
    pub(super) fn push<E>(
        &mut self,
        value: Option<K>,
        text: impl FnOnce(&K) -> Result<Option<String>, E>,
    ) -> Result<(), E> {
        let place = match value.map(|value| self.places.entry(value)) {
            None => MISSING,
            Some(Entry::Occupied(known)) => *known.get(),
            Some(Entry::Vacant(new)) => {
                let place = match text(new.key())? {
                    None => MISSING,
                    Some(text) => {
                        self.column.texts.push(text);
                        self.column.texts.len() as u32 - 1
                    }
                };
                *new.insert(place)
            }
        };
        self.column.cells.push(place);
        Ok(())
    }

    /// The finished column.
    pub(super) fn build(self) -> Column {
        self.column
    }
}
