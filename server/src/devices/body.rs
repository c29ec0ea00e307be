//! What a device sends in JSON, when it is not what it should be.

use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;

use crate::http::{Problem, Text};

/// A kind of request, for those who are told that theirs is none.
pub(crate) struct Subject {
    /// The last part of the problem's type.
    pub(crate) problem: &'static str,
    /// What it is called, in Vietnamese and English, amid a sentence.
    pub(crate) name: (&'static str, &'static str),
    /// The title of the problem.
    pub(crate) title: (&'static str, &'static str),
}

impl Subject {
    /// It says something that it cannot.
    pub(super) fn malformed(&self, detail: Text) -> Problem {
        let title = Text::new(self.title.0, self.title.1);
        Problem::new(self.problem, StatusCode::BAD_REQUEST, title, detail)
    }

    /// The body is no JSON of this kind.
    pub(crate) fn unreadable(&self, rejection: &JsonRejection) -> Problem {
        let (vietnamese, english) = self.name;
        let reason = rejection.body_text();
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                Text::new("Yêu cầu quá lớn", "The request is too large"),
                Text::new(
                    format!("{vietnamese} lớn hơn giới hạn"),
                    format!("the {english} is larger than the limit"),
                ),
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Text::new("Kiểu nội dung không được hỗ trợ", "Unsupported media type"),
                Text::new(
                    "cần Content-Type: application/json",
                    "Content-Type: application/json is needed",
                ),
            ),
            _ => self.malformed(Text::new(
                format!("nội dung không phải {vietnamese} dạng JSON: {reason}"),
                format!("the body is no {english} in JSON: {reason}"),
            )),
        }
    }
}

/// A signature that is not its signer's. `detail` says whose.
pub(super) fn wrong_signature(detail: Text) -> Problem {
    Problem::new(
        "wrong-signature",
        StatusCode::UNPROCESSABLE_ENTITY,
        Text::new("Chữ ký sai", "Wrong signature"),
        detail,
    )
}
