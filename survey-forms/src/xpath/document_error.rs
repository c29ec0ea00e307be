//! Why XML text cannot be read.

use thiserror::Error;

use super::document::{MAX_ATTRIBUTES, MAX_DOCUMENT_BYTES, MAX_ELEMENT_DEPTH, MAX_NODES, MAX_PREFIXES};

/// Why an XML document cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {kind}")]
pub struct DocumentError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub kind: DocumentErrorKind,
}

/// What is wrong in an XML document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DocumentErrorKind {
    /// The document is longer than [`MAX_DOCUMENT_BYTES`].
    #[error("the document has {0} bytes; at most {MAX_DOCUMENT_BYTES} are read")]
    TooLong(usize),
    /// Elements nest deeper than [`MAX_ELEMENT_DEPTH`].
    #[error("elements nest too deeply; at most {MAX_ELEMENT_DEPTH} levels are read")]
    TooDeep,
    /// There are more nodes than [`MAX_NODES`].
    #[error("the document has more than {MAX_NODES} nodes")]
    TooManyNodes,
    /// An element has more attributes than [`MAX_ATTRIBUTES`].
    #[error("the element has more than {MAX_ATTRIBUTES} attributes")]
    TooManyAttributes,
    /// There are more declarations of prefixes than [`MAX_PREFIXES`].
    #[error("more than {MAX_PREFIXES} prefixes are declared")]
    TooManyPrefixes,
    /// The rules of XML are broken, in the words of the XML reader.
    #[error("not well-formed XML: {0}")]
    NotWellFormed(String),
    /// An entity other than the five that XML predefines.
    #[error("&{0}; is unknown; only &lt; &gt; &amp; &apos; &quot; and character references such as &#233; are read")]
    UnknownEntity(String),
    /// A prefix that no `xmlns:` attribute around it binds.
    #[error("the prefix {0}: is not declared; add xmlns:{0}=\"…\"")]
    UnboundPrefix(String),
    /// Something that is no XML name.
    #[error("{0:?} is not a name of an element or attribute")]
    BadName(String),
    /// An attribute that is written twice.
    #[error("the attribute {0} is written twice")]
    RepeatedAttribute(String),
    /// Text before or after the outermost element.
    #[error("text stands outside the outermost element")]
    TextOutside,
    /// A second outermost element.
    #[error("a document has one outermost element; this is a second one")]
    SecondElement,
    /// `<!DOCTYPE` after an element.
    #[error("a document type stands before the outermost element")]
    LateDocumentType,
    /// An element is not closed.
    #[error("the document ends inside an element that is not closed")]
    Unclosed,
    /// There is no element.
    #[error("the document has no element")]
    NoElement,
}

impl DocumentError {
    /// The error at a byte of the document.
    pub(super) fn at(xml: &str, offset: usize, kind: DocumentErrorKind) -> Self {
        let mut offset = offset.min(xml.len());
        while !xml.is_char_boundary(offset) {
            offset -= 1;
        }
        let (before, _) = xml.split_at(offset);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
            kind,
        }
    }

    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        let what = match &self.kind {
            DocumentErrorKind::TooLong(bytes) => {
                format!("tài liệu dài {bytes} byte; chỉ đọc tối đa {MAX_DOCUMENT_BYTES} byte")
            }
            DocumentErrorKind::TooDeep => format!("phần tử lồng quá sâu; tối đa {MAX_ELEMENT_DEPTH} tầng"),
            DocumentErrorKind::TooManyNodes => format!("tài liệu có quá {MAX_NODES} nút"),
            DocumentErrorKind::TooManyAttributes => format!("phần tử có quá {MAX_ATTRIBUTES} thuộc tính"),
            DocumentErrorKind::TooManyPrefixes => format!("khai báo quá {MAX_PREFIXES} tiền tố"),
            DocumentErrorKind::NotWellFormed(reason) => format!("XML không đúng quy tắc: {reason}"),
            DocumentErrorKind::UnknownEntity(name) => {
                format!("không biết &{name};; chỉ đọc &lt; &gt; &amp; &apos; &quot; và mã ký tự như &#233;")
            }
            DocumentErrorKind::UnboundPrefix(prefix) => {
                format!("tiền tố {prefix}: chưa được khai báo; hãy thêm xmlns:{prefix}=\"…\"")
            }
            DocumentErrorKind::BadName(name) => format!("{name:?} không phải tên phần tử hay thuộc tính"),
            DocumentErrorKind::RepeatedAttribute(name) => format!("thuộc tính {name} viết hai lần"),
            DocumentErrorKind::TextOutside => "có chữ nằm ngoài phần tử ngoài cùng".to_owned(),
            DocumentErrorKind::SecondElement => {
                "tài liệu chỉ có một phần tử ngoài cùng; đây là phần tử thứ hai".to_owned()
            }
            DocumentErrorKind::LateDocumentType => "khai báo DOCTYPE phải đứng trước phần tử ngoài cùng".to_owned(),
            DocumentErrorKind::Unclosed => "tài liệu kết thúc khi còn phần tử chưa đóng".to_owned(),
            DocumentErrorKind::NoElement => "tài liệu không có phần tử nào".to_owned(),
        };
        format!("dòng {}, cột {}: {what}", self.line, self.column)
    }
}
