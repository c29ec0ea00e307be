//! Storage as a database on a phone or a server behaves when the power fails.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// A log of transactions, each of which is there as a whole or not at all, and in order. What was written but not
/// flushed may be lost in a crash, from some transaction on.
#[derive(Debug, Clone)]
pub(super) struct Disk<T> {
    flushed: Vec<T>,
    unflushed: Vec<T>,
    /// Whether there is no room for more.
    pub(super) full: bool,
}

/// There is no room; nothing was written.
#[derive(Debug)]
pub(super) struct DiskFull;

impl<T: Clone> Disk<T> {
    pub(super) fn new() -> Self {
        Self {
            flushed: Vec::new(),
            unflushed: Vec::new(),
            full: false,
        }
    }

    pub(super) fn write(&mut self, transaction: T) -> Result<(), DiskFull> {
        if self.full {
            return Err(DiskFull);
        }
        self.unflushed.push(transaction);
        Ok(())
    }

    pub(super) fn flush(&mut self) {
        self.flushed.append(&mut self.unflushed);
    }

    /// What survives for certain.
    pub(super) fn flushed(&self) -> &[T] {
        &self.flushed
    }

    /// What was written, flushed or not.
    pub(super) fn written(&self) -> impl Iterator<Item = &T> {
        self.flushed.iter().chain(&self.unflushed)
    }

    /// The power fails: of what was not flushed some first part happens to be there.
    pub(super) fn crash(&mut self, luck: &mut ChaCha8Rng) {
        let kept = luck.random_range(0..=self.unflushed.len());
        self.unflushed.truncate(kept);
        self.flush();
    }

    /// Sets the storage back to a copy that was made earlier.
    pub(super) fn restore(&mut self, backup: Vec<T>) {
        self.flushed = backup;
        self.unflushed.clear();
    }
}
