//! What all HTTP routes share: problems, languages, security headers.

mod headers;
mod language;
mod problem;

pub use headers::security_headers;
pub use language::{Language, Text};
pub use problem::{Problem, render_problems};
