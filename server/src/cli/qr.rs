//! QR codes as images.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};

use super::Failure;

/// The quiet zone of ISO/IEC 18004, in modules on each side.
const QUIET: i32 = 4;

/// A text as a code, for an HTML page.
///
/// # Errors
/// [`Failure`] when the text is too long for a code.
pub(super) fn element(text: &str) -> Result<String, Failure> {
    drawn(text, "")
}

/// A text as a code, for an SVG file of its own.
///
/// # Errors
/// [`Failure`] when the text is too long for a code.
pub(super) fn image(text: &str) -> Result<String, Failure> {
    drawn(text, " xmlns=\"http://www.w3.org/2000/svg\" style=\"background:#fff\"")
}

fn drawn(text: &str, attributes: &str) -> Result<String, Failure> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium)
        .map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
    let side = code.size() + 2 * QUIET;
    let mut svg = format!("<svg{attributes} viewBox=\"0 0 {side} {side}\"><path d=\"");
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            // Dark modules side by side are one rectangle.
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let run = i32::try_from(run).unwrap_or(1);
            if run > 0 {
                let _ = write!(svg, "M{} {}h{run}v1h-{run}z", x + QUIET, y + QUIET);
            }
            x += run + 1;
        }
    }
    svg.push_str("\"/></svg>\n");
    Ok(svg)
}
