//! Files of an interface over HTTP: compressed where the caller can read that, and only when the caller has not got them.

use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::{Embed, EmbeddedFile};

use crate::hex;

/// Files whose names carry a hash of their content never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ALWAYS_ASK: &str = "no-cache";

/// The folder of files whose names carry a hash.
const HASHED: &str = "assets/";
/// What the build appends to the name of a file that it has compressed by Brotli (RFC 7932).
const COMPRESSED: &str = ".br";
const BROTLI: &str = "br";

/// Bytes of a content's hash that make an entity tag.
const TAG_BYTES: usize = 16;

/// Media types that the extension alone does not tell everybody.
const MEDIA_TYPES: [(&str, &str); 3] = [
    // Without it a browser does not compile while it loads.
    (".wasm", "application/wasm"),
    (".webmanifest", "application/manifest+json"),
    (".html", "text/html; charset=utf-8"),
];

/// The answer with the file at this path, or nothing where there is none.
pub(super) fn answer<F: Embed>(path: &str, request: &HeaderMap) -> Option<Response> {
    // Compressed files are no files of their own.
    if path.ends_with(COMPRESSED) {
        return None;
    }
    let plain = F::get(path)?;
    let compressed = F::get(&format!("{path}{COMPRESSED}"));
    let varies = compressed.is_some();
    let compressed = compressed.filter(|_| accepts_brotli(request));
    let (file, encoded) = match &compressed {
        Some(compressed) => (compressed, true),
        None => (&plain, false),
    };
    let tag = entity_tag(file);
    let mut response = if is_known(request, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = file.data.clone().into_owned().into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, media_type(path, &plain));
        if encoded {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(BROTLI));
        }
        response
    };
    let headers = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    if varies {
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    let cached = if path.starts_with(HASHED) { FOR_EVER } else { ALWAYS_ASK };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cached));
    Some(response)
}

fn media_type(path: &str, file: &EmbeddedFile) -> HeaderValue {
    let known = MEDIA_TYPES.iter().find(|(extension, _)| path.ends_with(extension));
    let name = known.map_or_else(|| file.metadata.mimetype(), |(_, name)| name);
    HeaderValue::from_str(name).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// A strong entity tag (RFC 9110, section 8.8.3): each encoding of a file has its own.
fn entity_tag(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    format!("\"{}\"", hex::encode(&hash[..TAG_BYTES]))
}

/// Whether the caller has what the tag names (RFC 9110, section 13.1.2).
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    items(request, IF_NONE_MATCH.as_str()).any(|item| item == "*" || item.trim_start_matches("W/") == tag)
}

/// Whether the caller reads Brotli (RFC 9110, section 12.5.3).
fn accepts_brotli(request: &HeaderMap) -> bool {
    items(request, ACCEPT_ENCODING.as_str()).any(|item| {
        let mut parameters = item.split(';').map(str::trim);
        let is_brotli = parameters.next().is_some_and(|name| name.eq_ignore_ascii_case(BROTLI));
        let weight = parameters.find_map(|parameter| parameter.strip_prefix("q="));
        is_brotli && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

/// The items of a header that is a list.
fn items<'r>(request: &'r HeaderMap, name: &str) -> impl Iterator<Item = &'r str> {
    let values = request.get_all(name).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))])
    }

    #[test]
    fn brotli_is_sent_to_whoever_reads_it() {
        for value in ["br", "gzip, deflate, br, zstd", "gzip;q=1.0, BR;q=0.5", "br; q=1"] {
            assert!(accepts_brotli(&accepting(value)), "{value}");
        }
        for value in ["", "gzip", "br;q=0", "br;q=0.000", "brotli", "identity;q=1"] {
            assert!(!accepts_brotli(&accepting(value)), "{value}");
        }
        assert!(!accepts_brotli(&HeaderMap::new()));
    }
}
