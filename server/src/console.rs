//! The console's files, which are part of the program.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::Embed;

use crate::app::App;
use crate::http::{Problem, Text};

#[derive(Embed)]
#[folder = "../web/console/dist"]
#[allow_missing = true]
struct Files;

/// Files whose names carry a hash of their content never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ALWAYS_ASK: &str = "no-cache";

/// Shown where the program was built without the console.
const NOT_BUILT: &str = "<!doctype html><html lang=\"vi\"><meta charset=\"utf-8\"><title>Khảo Sát</title>\
<p>Chương trình được dựng mà không có trang điều hành; hãy chạy <code>cargo xtask web</code> rồi dựng lại.</p>\
<p lang=\"en\">This program was built without the console; run <code>cargo xtask web</code> and build again.</p></html>";

/// The routes of this module.
pub(crate) fn routes() -> Router<App> {
    Router::new().fallback(file)
}

async fn file(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path.starts_with("api/") {
        return Problem::not_found(Text::new(
            "API không có địa chỉ này.",
            "The API has nothing at this address.",
        ))
        .into_response();
    }
    let path = if path.is_empty() { "index.html" } else { path };
    match Files::get(path) {
        Some(file) => {
            let cached = if path.starts_with("assets/") {
                FOR_EVER
            } else {
                ALWAYS_ASK
            };
            (
                [(CONTENT_TYPE, file.metadata.mimetype()), (CACHE_CONTROL, cached)],
                file.data.into_owned(),
            )
                .into_response()
        }
        None if path == "index.html" => (StatusCode::OK, Html(NOT_BUILT)).into_response(),
        None => Problem::not_found(Text::new("Không có trang này.", "There is no such page.")).into_response(),
    }
}
