//! What the author of a form should look at though the form works.

use thiserror::Error;

/// Advice to a form's author.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the fields are what the message shows of them
pub enum Advice {
    /// A row without type, name and label.
    #[error("the row has neither type nor name and is left out")]
    CommentRow,
    /// The column `disabled`.
    #[error("the column disabled is not part of XLSForm; use relevant")]
    Disabled,
    /// Pictures at full size.
    #[error("without max-pixels pictures are sent at full size; write max-pixels=1024 in parameters")]
    LargePictures,
    /// A repeat that people cannot tell from others.
    #[error("the repeat has no label; people are asked whether to add another one without knowing of what")]
    RepeatWithoutLabel,
    /// A choice whose name is shown.
    #[error("the choice has no label; its name is shown")]
    ChoiceWithoutLabel,
    /// Metadata that devices no longer give.
    #[error("most devices no longer give this value")]
    NoLongerGiven,
    /// A column of choices that cannot be an element.
    #[error("the column {0:?} is left out, for its heading holds a space; use _ if choice_filter needs it")]
    ColumnLeftOut(String),
    /// A setting of a discontinued app.
    #[error("the setting flat was made for ODK Tables and does nothing; groups stay groups")]
    Flat,
    /// A cell in a column without a heading.
    #[error("the cell is left out, for its column has no heading")]
    CellWithoutHeading,
    /// Both ways to write the form's identity.
    #[error("form_id and id_string are the same setting; keep one")]
    TwoFormIds,
    /// A sheet whose name is nearly that of one that is missing.
    #[error("there is no sheet {meant}; is {found:?} meant? A sheet of notes may begin with _")]
    MisspelledSheet { found: String, meant: &'static str },
    /// Two names that differ in capitals only.
    #[error("{0:?} differs from another name in capitals only; many analysis programs take both for the same")]
    NamesDifferInCapitals(String),
}

impl Advice {
    /// The advice in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::CommentRow => "hàng không có type và name nên bị bỏ qua".to_owned(),
            Self::Disabled => "cột disabled không thuộc XLSForm; hãy dùng relevant".to_owned(),
            Self::LargePictures => {
                "không có max-pixels thì ảnh được gửi nguyên cỡ; hãy ghi max-pixels=1024 ở cột parameters".to_owned()
            }
            Self::RepeatWithoutLabel => "nhóm lặp chưa có nhãn; người dùng không biết đang thêm gì".to_owned(),
            Self::ChoiceWithoutLabel => "lựa chọn chưa có nhãn nên tên được hiển thị".to_owned(),
            Self::NoLongerGiven => "đa số thiết bị không còn cung cấp giá trị này".to_owned(),
            Self::ColumnLeftOut(column) => {
                format!("cột {column:?} bị bỏ qua vì tiêu đề có dấu cách; hãy dùng _ nếu choice_filter cần đến")
            }
            Self::Flat => "cài đặt flat dành cho ODK Tables nên không có tác dụng; nhóm vẫn là nhóm".to_owned(),
            Self::CellWithoutHeading => "ô bị bỏ qua vì cột không có tiêu đề".to_owned(),
            Self::TwoFormIds => "form_id và id_string là một; chỉ giữ một cột".to_owned(),
            Self::MisspelledSheet { found, meant } => {
                format!("không có trang {meant}; có phải là {found:?}? Trang ghi chú có thể bắt đầu bằng _")
            }
            Self::NamesDifferInCapitals(name) => {
                format!("{name:?} chỉ khác một tên khác ở chữ hoa; nhiều phần mềm phân tích coi là một")
            }
        }
    }
}
