//! Why an expression has no result.

use thiserror::Error;

use super::functions::MAX_UUID_LENGTH;
use super::lexer::SyntaxErrorKind;
use super::pattern::PatternError;

/// How many nodes one evaluation may visit; a form that needs more is refused rather than left to freeze a phone.
pub(super) const MAX_VISITS: u64 = 20_000_000;

/// Why an expression has no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvaluationError {
    /// A variable without a value.
    #[error("the variable ${0} has no value; the caller must supply it")]
    UnknownVariable(String),
    /// A question that the form does not have.
    #[error("the form has no question {0}")]
    UnknownQuestion(String),
    /// Something other than nodes where nodes are needed.
    #[error("{0} needs questions or groups (a node set) here, not a number or text")]
    NotNodes(&'static str),
    /// The expression visits more nodes than allowed.
    #[error("the expression visits more than {MAX_VISITS} nodes")]
    TooManyVisits,
    /// A call that [`super::parse_lazily`] let pass is reached.
    #[error("{0}")]
    Unresolved(Box<SyntaxErrorKind>),
    /// A function of chance without a seed in the context.
    #[error("{0} needs a random seed; the caller must supply it")]
    NoRandomSeed(&'static str),
    /// `extract-signed()` without a verifier in the context.
    #[error("extract-signed() needs a way to verify signatures; the caller must supply it")]
    NoSignatureVerifier,
    /// A secondary instance that the form does not have.
    #[error("the form has no instance {0:?}")]
    UnknownInstance(String),
    /// A regular expression that cannot be used.
    #[error("the pattern {pattern:?} cannot be used: {reason}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// Why not.
        reason: PatternError,
    },
    /// A hash algorithm that `digest()` does not have.
    #[error("digest() has no algorithm {0:?}; use MD5, SHA-1, SHA-256, SHA-384 or SHA-512")]
    UnknownDigest(String),
    /// An encoding that `digest()` does not have.
    #[error("digest() has no encoding {0:?}; use base64 or hex")]
    UnknownEncoding(String),
    /// Something that is not a line of at least two points.
    #[error("{0} needs at least two points, each latitude and longitude in degrees")]
    NotPoints(&'static str),
    /// A length that cannot be.
    #[error("uuid() needs a length from 0 to {}", MAX_UUID_LENGTH)]
    BadLength,
    /// A pair of arguments whose second is missing.
    #[error("{0} needs its arguments in pairs")]
    OddArguments(&'static str),
}

impl EvaluationError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::UnknownVariable(name) => format!("biến ${name} chưa có giá trị; nơi gọi phải cung cấp"),
            Self::UnknownQuestion(name) => format!("biểu mẫu không có câu hỏi {name}"),
            Self::NotNodes(place) => format!("{place} cần tập câu hỏi hoặc nhóm, không phải số hay chữ"),
            Self::TooManyVisits => format!("biểu thức duyệt quá {MAX_VISITS} nút"),
            Self::Unresolved(kind) => kind.vietnamese(),
            Self::NoRandomSeed(function) => {
                format!("{function} cần một hạt giống ngẫu nhiên; nơi gọi phải cung cấp")
            }
            Self::NoSignatureVerifier => "extract-signed() cần cách kiểm tra chữ ký; nơi gọi phải cung cấp".to_owned(),
            Self::UnknownInstance(id) => format!("biểu mẫu không có danh sách {id:?}"),
            Self::BadPattern { pattern, reason } => {
                format!("không dùng được mẫu {pattern:?}: {}", reason.vietnamese())
            }
            Self::UnknownDigest(name) => {
                format!("digest() không có thuật toán {name:?}; dùng MD5, SHA-1, SHA-256, SHA-384 hoặc SHA-512")
            }
            Self::UnknownEncoding(name) => format!("digest() không có cách mã hoá {name:?}; dùng base64 hoặc hex"),
            Self::NotPoints(function) => {
                format!("{function} cần ít nhất hai điểm, mỗi điểm gồm vĩ độ và kinh độ tính bằng độ")
            }
            Self::BadLength => {
                format!("uuid() cần độ dài từ 0 đến {}", MAX_UUID_LENGTH)
            }
            Self::OddArguments(function) => format!("{function} cần các đối số theo từng cặp"),
        }
    }
}
