//! What can be wrong with a form that is read from an XForm, and what of it a form here cannot hold.

use thiserror::Error;

use crate::Phrase;

/// What is wrong with an XForm, or worth a look though it can be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the fields are what the message shows of them
pub enum XFormProblem {
    /// The text is no well-formed XML.
    #[error("the XML is malformed ({0}); correct it with an XML editor, or export the form again")]
    Malformed(String),
    /// A declaration of a document type, by which a small text could grow without bounds.
    #[error("the XML declares a document type or entities of its own; remove <!DOCTYPE …> and write the characters")]
    DocumentType,
    /// A prefix without a namespace.
    #[error("the prefix of {0:?} is not declared; add xmlns:prefix=\"address\" to the outermost element")]
    UnknownPrefix(String),
    /// An attribute that stands twice.
    #[error("the attribute {0:?} stands twice; keep one")]
    DuplicateAttribute(String),
    /// An element that every XForm has.
    #[error("there is no element {0}; an XForm needs it")]
    MissingElement(&'static str),
    /// An attribute that the element needs.
    #[error("the element has no attribute {0}; it is needed here")]
    MissingAttribute(&'static str),
    /// A path that leads to no element of the primary instance.
    #[error("{0:?} is no element of the primary instance; add it there or correct the path")]
    Nowhere(String),
    /// Two binds of one element.
    #[error("{path:?} has a bind already in line {first}; keep one bind for each element")]
    DuplicateBind { path: String, first: u32 },
    /// Two elements of one name that are no instances of a repeat.
    #[error("{0:?} stands twice here, and no <repeat> is about it; rename one or add the repeat")]
    DuplicateElement(String),
    /// A text that the translations lack.
    #[error("no translation has a text with the id {0:?}; add <text id={0:?}> to every <translation>")]
    UnknownText(String),
    /// An instance that is not in the form.
    #[error("there is no <instance id={0:?}>; add it or correct the name")]
    UnknownInstance(String),
    /// Something that a form here cannot hold.
    #[error("{what}: {found:?}; {cure}")]
    NotHeld { what: Phrase, found: String, cure: Phrase },
    /// Something that was read as something else that means nearly the same.
    #[error("{what}: {found:?}")]
    Changed { what: Phrase, found: String },
}

impl XFormProblem {
    /// The problem in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Malformed(detail) => {
                format!("XML sai cú pháp ({detail}); hãy sửa bằng trình soạn XML hoặc xuất lại biểu mẫu")
            }
            Self::DocumentType => {
                "XML khai báo DOCTYPE hoặc thực thể riêng; hãy bỏ <!DOCTYPE …> và ghi thẳng ký tự".to_owned()
            }
            Self::UnknownPrefix(name) => {
                format!("tiền tố của {name:?} chưa khai báo; hãy thêm xmlns:tiền_tố=\"địa chỉ\" vào phần tử ngoài cùng")
            }
            Self::DuplicateAttribute(name) => format!("thuộc tính {name:?} bị lặp; chỉ giữ một"),
            Self::MissingElement(name) => format!("thiếu phần tử {name}; XForm cần có phần tử này"),
            Self::MissingAttribute(name) => format!("phần tử thiếu thuộc tính {name}"),
            Self::Nowhere(path) => {
                format!("{path:?} không có trong bản ghi chính (instance); hãy thêm vào đó hoặc sửa đường dẫn")
            }
            Self::DuplicateBind { path, first } => {
                format!("{path:?} đã có bind ở dòng {first}; mỗi phần tử chỉ một bind")
            }
            Self::DuplicateElement(name) => {
                format!("{name:?} bị lặp ở đây mà không có <repeat>; hãy đổi tên hoặc thêm nhóm lặp")
            }
            Self::UnknownText(id) => {
                format!("không bản dịch nào có văn bản {id:?}; hãy thêm <text id={id:?}> vào mọi <translation>")
            }
            Self::UnknownInstance(id) => format!("không có <instance id={id:?}>; hãy thêm hoặc sửa tên"),
            Self::NotHeld { what, found, cure } => {
                format!("{}: {found:?}; {}", what.vietnamese, cure.vietnamese)
            }
            Self::Changed { what, found } => format!("{}: {found:?}", what.vietnamese),
        }
    }
}
