//! The web interfaces, which are part of the program: the console at `/`, the phone app at `/phone/`.

mod files;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use rust_embed::Embed;

use crate::app::App;
use crate::http::{Problem, Text};
use files::answer;

#[derive(Embed)]
#[folder = "../web/console/dist"]
#[allow_missing = true]
struct Console;

#[derive(Embed)]
#[folder = "../web/phone/dist"]
#[allow_missing = true]
struct Phone;

/// Where the phone app is.
const PHONE: &str = "/phone/";

/// As for everything else, and what the app needs beyond: its core is WebAssembly, photos and recordings are shown before
/// they are sent, and a worker holds the data.
const PHONE_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob:; \
    media-src 'self' blob:; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
    object-src 'none'";
/// What questions ask of the phone: where it is, pictures, sound.
const PHONE_PERMISSIONS: &str = "geolocation=(self), camera=(self), microphone=(self)";

/// Shown where the program was built without the interfaces.
const NOT_BUILT: &str = "<!doctype html><html lang=\"vi\"><meta charset=\"utf-8\"><title>Khảo Sát</title>\
<p>Chương trình được dựng mà không có trang web; hãy chạy <code>cargo xtask web</code> rồi dựng lại.</p>\
<p lang=\"en\">This program was built without its web pages; run <code>cargo xtask web</code> and build again.</p></html>";

/// The routes of this module.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/phone", get(to_phone))
        .route(PHONE, get(phone))
        .route("/phone/{*path}", get(phone))
        .fallback(console)
}

/// Relative, so that it also holds behind a proxy that mounts the server below another path.
async fn to_phone() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "phone/")]).into_response()
}

async fn phone(request: Request) -> Response {
    let path = request.uri().path().strip_prefix(PHONE).unwrap_or_default();
    let mut response = page::<Phone>(path, &request);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PHONE_POLICY));
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(PHONE_PERMISSIONS),
    );
    response
}

async fn console(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if path.starts_with("api/") {
        return Problem::not_found(Text::new(
            "API không có địa chỉ này.",
            "The API has nothing at this address.",
        ))
        .into_response();
    }
    page::<Console>(path, &request)
}

fn page<F: Embed>(path: &str, request: &Request) -> Response {
    let path = if path.is_empty() { "index.html" } else { path };
    match answer::<F>(path, request.headers()) {
        Some(response) => response,
        None if path == "index.html" => Html(NOT_BUILT).into_response(),
        None => Problem::not_found(Text::new("Không có trang này.", "There is no such page.")).into_response(),
    }
}
