//! The changes between two versions of a form, as data.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Two forms that are no versions of one another.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DifferenceError {
    /// The identities differ.
    #[error(
        "the forms are different ones: form_id is {old:?} in one and {new:?} in the other; versions of a form keep its \
         form_id"
    )]
    OtherForm {
        /// The one form's identity.
        old: String,
        /// The other's.
        new: String,
    },
}

impl DifferenceError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::OtherForm { old, new } => format!(
                "hai biểu mẫu khác nhau: form_id là {old:?} và {new:?}; các phiên bản của một biểu mẫu phải giữ nguyên \
                 form_id"
            ),
        }
    }
}

/// Everything that differs between two versions of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormDifference {
    /// The form's identity, the same in both.
    pub form_id: String,
    /// The old version.
    pub old: FormVersion,
    /// The new version.
    pub new: FormVersion,
    /// The changes: of the settings, then of the rows in the new form's order, then removed rows, then of choices.
    pub changes: Vec<Change>,
}

/// One version of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormVersion {
    /// The label that its author gave.
    pub version: String,
    /// The SHA-256 of its content in hexadecimal digits.
    pub content_hash: String,
}

impl FormDifference {
    /// Whether a round in the field can go on with the new version.
    pub fn is_safe(&self) -> bool {
        self.changes.iter().all(|change| change.safety != Safety::Unsafe)
    }

    /// The changes in Vietnamese, one a line.
    pub fn vietnamese(&self) -> String {
        let lines: Vec<String> = self.changes.iter().map(Change::vietnamese).collect();
        lines.join("\n")
    }
}

impl fmt::Display for FormDifference {
    /// The changes in English, one a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, change) in self.changes.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            change.fmt(f)?;
        }
        Ok(())
    }
}

/// Whether a round in the field can take a change: responses are there already, and old and new versions will be in use
/// side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Safety {
    /// It can.
    Safe,
    /// It can, but the author should look.
    Warning,
    /// Responses before and after would not mean the same, or need work.
    Unsafe,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The sheet.
    pub sheet: String,
    /// The row's name, by which its answers are kept; `list/choice` of a choice; empty where the whole sheet is meant.
    pub name: String,
    /// The row in the old workbook; none where it has none or the form does not come from a workbook.
    pub old_row: Option<u32>,
    /// The row in the new workbook.
    pub new_row: Option<u32>,
    /// Whether a round in the field can take it.
    pub safety: Safety,
    /// What changed.
    #[serde(flatten)]
    pub kind: ChangeKind,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum ChangeKind {
    /// A row is new.
    RowAdded {
        /// Its type as in a workbook.
        #[serde(rename = "type")]
        kind: String,
        /// Whether finished responses lack an answer that is now required.
        required: bool,
    },
    /// A row is gone; its answers are kept.
    RowRemoved {
        /// Its type as in a workbook.
        #[serde(rename = "type")]
        kind: String,
    },
    /// The row's answers are kept under a new name.
    Renamed {
        /// The name before.
        from: String,
    },
    /// `renamed_from` names no row or choice that the old form has and the new one lacks.
    RenamedFromNothing {
        /// What it names.
        from: String,
    },
    /// The type differs.
    TypeChanged {
        /// The type before.
        from: String,
        /// The type now.
        to: String,
        /// Whether every old answer has its equal.
        lossless: bool,
    },
    /// The row stands in another group.
    MovedToGroup {
        /// The group before; none at the top.
        from: Option<String>,
        /// The group now.
        to: Option<String>,
        /// Whether the row is asked under the same conditions.
        same_relevance: bool,
    },
    /// The row was moved into a repeat, out of one or to another.
    MovedAcrossRepeats {
        /// The repeat before; none at the top.
        from: Option<String>,
        /// The repeat now.
        to: Option<String>,
    },
    /// Rows stand in another order.
    OrderChanged,
    /// An expression (or a default) differs by more than spelling and renamed questions.
    ExpressionChanged {
        /// The column.
        column: String,
        /// The expression before.
        from: Option<String>,
        /// The expression now.
        to: Option<String>,
    },
    /// A text that people see differs.
    TextChanged {
        /// The column.
        column: String,
        /// The language's code; empty for a text in none.
        language: String,
        /// The text before.
        from: Option<String>,
        /// The text now.
        to: Option<String>,
    },
    /// Any other column differs.
    ColumnChanged {
        /// The column.
        column: String,
        /// The cell before.
        from: Option<String>,
        /// The cell now.
        to: Option<String>,
    },
    /// A choice is new.
    ChoiceAdded,
    /// A choice is gone.
    ChoiceRemoved,
    /// A choice has a new name.
    ChoiceRenamed {
        /// The name before.
        from: String,
    },
    /// A language is new.
    LanguageAdded,
    /// A language is gone.
    LanguageRemoved,
    /// Another language is the default one.
    DefaultLanguageChanged {
        /// The code before.
        from: String,
    },
    /// A setting differs.
    SettingChanged {
        /// The value before.
        from: Option<String>,
        /// The value now.
        to: Option<String>,
    },
    /// The content differs but the version's label does not.
    VersionUnchanged {
        /// The label.
        version: String,
    },
    /// What the form makes of its answers as entities differs.
    EntitiesChanged,
}
