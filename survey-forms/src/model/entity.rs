//! What a form makes of its answers beyond itself: entities (ODK Entities specification, 2024.1 and 2025.1).

use serde::{Deserialize, Serialize};
use thiserror::Error;

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

/// What can be wrong with the entities of a form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the fields are what the message shows of them
pub enum EntityProblem {
    /// A column that the sheet does not have.
    #[error(
        "the sheet entities has no column {0:?}; its columns are list_name, label, entity_id, create_if and update_if"
    )]
    UnknownColumn(String),
    /// The name of a list of entities.
    #[error(
        "{0:?} cannot name a list of entities; use letters, digits, _ and -, not beginning with __ and without a dot"
    )]
    BadListName(String),
    /// Two rows for one list.
    #[error("the list {0:?} is declared twice; declare each list once")]
    DuplicateList(String),
    /// A condition for updating, without saying which entity.
    #[error("update_if needs entity_id: which entity is updated?")]
    UpdateWithoutId,
    /// An identity given for an entity that is only created.
    #[error(
        "with entity_id and create_if, update_if is needed too: an entity has an identity only where it is updated"
    )]
    IdWhenCreating,
    /// A new entity without a label.
    #[error("a new entity needs a label; write an expression such as ${{name}}")]
    NoLabel,
    /// `save_to` in a form without entities.
    #[error("save_to needs a sheet entities that declares the list")]
    NoDeclaration,
    /// `save_to` with more than one `#`.
    #[error("save_to is written property, or list#property")]
    MalformedProperty,
    /// `save_to` without a list where there are several.
    #[error("the form has several lists of entities; write list#property")]
    ListNotNamed,
    /// `save_to` names a list that is not declared.
    #[error("the sheet entities declares no list {0:?}")]
    UnknownList(String),
    /// `save_to` on a group.
    #[error("a group or repeat cannot be saved to a property; put save_to on a question")]
    PropertyOfGroup,
    /// The name of a property.
    #[error("{0:?} cannot name a property; name, label and what begins with __ are the specification's own")]
    BadProperty(String),
    /// Two questions saved to one property.
    #[error("the property {property:?} is saved already in row {first}; each property has one question")]
    DuplicateProperty { property: String, first: u32 },
    /// An entity made from answers of different repeats.
    #[error(
        "what the list {0:?} is made from lies in different repeats; an entity belongs to one repeat or to the form"
    )]
    SeveralScopes(String),
    /// Two entities in one group.
    #[error(
        "no group is left for this entity beside that of row {other}; put the questions of each into a group of its own"
    )]
    NoPlace { other: u32 },
}

impl EntityProblem {
    /// The problem in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::UnknownColumn(column) => format!(
                "trang entities không có cột {column:?}; các cột là list_name, label, entity_id, create_if, update_if"
            ),
            Self::BadListName(name) => format!(
                "{name:?} không đặt tên danh sách thực thể được; dùng chữ, số, _ và -, không bắt đầu bằng __, không có dấu chấm"
            ),
            Self::DuplicateList(name) => format!("danh sách {name:?} khai báo hai lần; mỗi danh sách chỉ một hàng"),
            Self::UpdateWithoutId => "update_if cần entity_id: cập nhật thực thể nào?".to_owned(),
            Self::IdWhenCreating => {
                "đã có entity_id và create_if thì cần cả update_if: chỉ thực thể được cập nhật mới có sẵn mã".to_owned()
            }
            Self::NoLabel => "thực thể mới cần label; hãy ghi biểu thức, ví dụ ${name}".to_owned(),
            Self::NoDeclaration => "save_to cần trang entities khai báo danh sách".to_owned(),
            Self::MalformedProperty => "save_to ghi là thuộc_tính hoặc danh_sách#thuộc_tính".to_owned(),
            Self::ListNotNamed => "biểu mẫu có nhiều danh sách thực thể; hãy ghi danh_sách#thuộc_tính".to_owned(),
            Self::UnknownList(list) => format!("trang entities không khai báo danh sách {list:?}"),
            Self::PropertyOfGroup => "không lưu nhóm vào thuộc tính được; hãy đặt save_to ở câu hỏi".to_owned(),
            Self::BadProperty(name) => {
                format!("{name:?} không đặt tên thuộc tính được; name, label và __… là tên dành riêng")
            }
            Self::DuplicateProperty { property, first } => {
                format!("thuộc tính {property:?} đã được lưu ở hàng {first}; mỗi thuộc tính một câu hỏi")
            }
            Self::SeveralScopes(list) => format!(
                "danh sách {list:?} lấy dữ liệu từ các nhóm lặp khác nhau; mỗi thực thể thuộc một nhóm lặp hoặc cả biểu mẫu"
            ),
            Self::NoPlace { other } => format!(
                "không còn nhóm cho thực thể này bên cạnh thực thể ở hàng {other}; hãy để câu hỏi của mỗi thực thể vào nhóm riêng"
            ),
        }
    }
}
