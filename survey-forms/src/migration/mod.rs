//! From one version of a form to the next: what changed, and how answers given under the old version are read under the
//! new one.
//!
//! [`diff`] lists every change between two versions and says of each whether a round in the field can take it.
//! [`Migration`] reads a store of old answers as the new form would have them: [`MigratedAnswers`] finds a renamed
//! question's answer under its old name and converts what a change of type can keep. Nothing in the store is changed or
//! removed; [`migrate`] tells of each old answer what becomes of it.
//!
//! A row of the new form continues a row of the old one if it has the same name at the same place, else if its answers
//! are kept under the same name ([`Form::key`](crate::model::Form::key)), else if its column `renamed_from` names the
//! old row. That column may hold several former names, the latest first, so that a form needs no memory of which version
//! a household was asked with. Choices are renamed by the same column of the sheet `choices`.

mod columns;
mod comparison;
mod conversion;
mod difference;
mod lineage;
mod lists;
mod reading;
mod report;
mod wording;

pub use comparison::diff;
pub use difference::{Change, ChangeKind, DifferenceError, FormDifference, FormVersion, Safety};
pub use reading::{MigratedAnswers, Migration};
pub use report::{CarriedAnswer, KeptAnswer, KeptInstance, KeptReason, Migrated, migrate};
