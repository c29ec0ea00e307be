//! What a form makes of its answers beyond itself: entities (ODK Entities specification, 2024.1 and 2025.1).

use serde::{Deserialize, Serialize};

/// A row of the `entities` sheet: answers of this form create or update an entity of a list.
///
/// Without `entity_id` an entity is created; with it one is updated; with both conditions, what is true is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityDeclaration {
    /// `list_name` (or `dataset`): the list that the entity belongs to.
    pub list_name: String,
    /// `label`: an expression that gives what people call the entity.
    pub label: Option<String>,
    /// `entity_id`: an expression that gives the identity of the entity to update.
    pub entity_id: Option<String>,
    /// `create_if`: an expression; an entity is created only where it is true.
    pub create_if: Option<String>,
    /// `update_if`: an expression; the entity is updated only where it is true.
    pub update_if: Option<String>,
    /// The sheet's row, for messages; 0 where the form does not come from a workbook.
    #[serde(skip)]
    pub row: u32,
}
