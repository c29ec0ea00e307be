//! Errors over HTTP: problem details (RFC 9457), in the caller's language.

use axum::Json;
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_LANGUAGE, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{Language, Text};
use crate::store::StoreError;

/// One problem, told in both languages until the caller's is known. Many a `Result` has room for one, so it is kept small.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The last part of the problem's type, `/problems/<name>`.
    pub name: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// What kind of problem it is.
    pub title: Text,
    /// What happened this time and what would be right.
    pub detail: Box<Text>,
    /// What a program needs to know beyond that: extension members (RFC 9457, section 3.2), by name.
    members: Map<String, Value>,
}

impl Problem {
    /// A problem.
    pub fn new(name: &'static str, status: StatusCode, title: Text, detail: Text) -> Self {
        Self {
            name,
            status,
            title,
            detail: Box::new(detail),
            members: Map::new(),
        }
    }

    /// The problem with one more member, whose name is none of RFC 9457's own.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// Something is wrong inside the server; the caller learns that, the log learns what.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request failed inside the server");
        Self::new(
            "internal",
            StatusCode::INTERNAL_SERVER_ERROR,
            Text::new("Lỗi trong máy chủ", "Internal error"),
            Text::new(
                "Máy chủ gặp lỗi; dữ liệu đã xác nhận vẫn an toàn. Hãy thử lại sau, và báo quản trị viên nếu lỗi lặp lại.",
                "The server met an error; what was acknowledged is safe. Try again later and tell the administrator if it persists.",
            ),
        )
    }

    /// There is nothing at this address.
    pub fn not_found(detail: Text) -> Self {
        Self::new(
            "not-found",
            StatusCode::NOT_FOUND,
            Text::new("Không tìm thấy", "Not found"),
            detail,
        )
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::ShuttingDown => Self::new(
                "shutting-down",
                StatusCode::SERVICE_UNAVAILABLE,
                Text::new("Máy chủ đang dừng", "The server is shutting down"),
                Text::new("Hãy gửi lại sau ít phút.", "Send it again in a few minutes."),
            ),
            other => Self::internal(&other),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of every [`Problem`] that a route answered, in the language of the request, and gives one to answers
/// that have none, such as the router's own «404» and «405».
pub async fn render_problems(request: Request, next: Next) -> Response {
    let language = Language::of_request(request.headers());
    let mut response = next.run(request).await;
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None => match bare(&response) {
            Some(problem) => problem,
            None => return response,
        },
    };
    let mut body = problem.members;
    body.insert("type".to_owned(), json!(format!("/problems/{}", problem.name)));
    body.insert("title".to_owned(), json!(problem.title.get(language)));
    body.insert("status".to_owned(), json!(problem.status.as_u16()));
    body.insert("detail".to_owned(), json!(problem.detail.get(language)));
    let mut rendered = (problem.status, Json(body)).into_response();
    let headers = rendered.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    // RFC 9110: a 405 says what is allowed (section 15.5.6), a 401 how to authenticate (section 15.5.2).
    if let Some(allowed) = response.headers_mut().remove(ALLOW) {
        headers.insert(ALLOW, allowed);
    }
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    rendered
}

/// The problem of an error answer that came from the router or an extractor rather than from a route.
fn bare(response: &Response) -> Option<Problem> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let (name, vi, en) = match status {
        StatusCode::NOT_FOUND => (
            "not-found",
            "Không có gì tại địa chỉ này.",
            "There is nothing at this address.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => (
            "method-not-allowed",
            "Địa chỉ này không nhận phương thức đó.",
            "This address does not take that method.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "too-large",
            "Nội dung gửi lên lớn hơn giới hạn.",
            "The body is larger than the limit.",
        ),
        _ => (
            "bad-request",
            "Yêu cầu không đúng định dạng.",
            "The request is malformed.",
        ),
    };
    let reason = status.canonical_reason().unwrap_or("error");
    Some(Problem::new(name, status, Text::new(vi, reason), Text::new(vi, en)))
}
