//! Hashes and their encodings (ODK XForms specification, "Utility functions").

use std::fmt::Write as _;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::super::context::SignatureVerifier;
use super::{EvaluationError, Expression, Object, Scope};

/// The algorithms of `digest()`.
pub(crate) const DIGEST_ALGORITHMS: [&str; 5] = ["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512"];
/// The encodings of `digest()`.
pub(crate) const DIGEST_ENCODINGS: [&str; 2] = ["base64", "hex"];

/// `digest(text, algorithm, encoding?)`: the hash of the text's UTF-8 bytes, in base64 unless `hex` is asked for.
pub(super) fn digest(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let text = scope.text(&arguments[0])?;
    let algorithm = scope.text(&arguments[1])?;
    let bytes = text.as_bytes();
    let hash = match algorithm.as_str() {
        "MD5" => Md5::digest(bytes).to_vec(),
        "SHA-1" => Sha1::digest(bytes).to_vec(),
        "SHA-256" => Sha256::digest(bytes).to_vec(),
        "SHA-384" => Sha384::digest(bytes).to_vec(),
        "SHA-512" => Sha512::digest(bytes).to_vec(),
        _ => return Err(EvaluationError::UnknownDigest(algorithm)),
    };
    let encoding = match arguments.get(2) {
        Some(encoding) => scope.text(encoding)?,
        None => "base64".to_owned(),
    };
    Ok(Object::Text(match encoding.as_str() {
        "base64" => base64_encoded(&hash),
        "hex" => hash.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        }),
        _ => return Err(EvaluationError::UnknownEncoding(encoding)),
    }))
}

/// `base64-decode(text)`: the UTF-8 text that the bytes are, wrong bytes replaced by U+FFFD; blank where the text is no
/// base64.
pub(super) fn base64_decode(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let bytes = base64_decoded(&scope.text(&arguments[0])?).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    Ok(Object::Text(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
}

/// `extract-signed(signed, key)`: the text that was signed, where the signature is the key's; blank otherwise. Both are
/// base64: the Ed25519 signature of 64 bytes with the text after it, and the public key of 32 bytes (as JavaRosa reads
/// them in `Ed25519.extractSigned`).
pub(super) fn extract_signed(scope: &Scope<'_>, arguments: &[Expression]) -> Result<Object, EvaluationError> {
    let signed = base64_decoded(&scope.text(&arguments[0])?).unwrap_or_default();
    let key = base64_decoded(&scope.text(&arguments[1])?).unwrap_or_default();
    let verifier = scope.context.signature_verifier;
    let SignatureVerifier(verify) = verifier.ok_or(EvaluationError::NoSignatureVerifier)?;
    let text = match (<&[u8; 32]>::try_from(key.as_slice()), signed.split_first_chunk()) {
        (Ok(key), Some((signature, text))) if verify(key, text, signature) => text,
        _ => &[],
    };
    Ok(Object::Text(String::from_utf8_lossy(text).into_owned()))
}

/// RFC 4648 §4.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64_encoded(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .enumerate()
            .fold(0_u32, |bits, (place, byte)| bits | u32::from(*byte) << (16 - 8 * place));
        for place in 0..4 {
            let index = (bits >> (18 - 6 * place) & 63) as usize;
            let letter = if place > chunk.len() {
                '='
            } else {
                ALPHABET.get(index).copied().map_or('=', char::from)
            };
            text.push(letter);
        }
    }
    text
}

/// White space is skipped and padding may be missing (WHATWG Infra Standard, "forgiving-base64 decode").
fn base64_decoded(text: &str) -> Option<Vec<u8>> {
    let mut letters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if letters.len().is_multiple_of(4) {
        let padding = letters
            .iter()
            .rev()
            .take(2)
            .take_while(|letter| **letter == b'=')
            .count();
        letters.truncate(letters.len() - padding);
    }
    if letters.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3);
    for chunk in letters.chunks(4) {
        let mut bits = 0_u32;
        for letter in chunk {
            let value = ALPHABET.iter().position(|known| known == letter)?;
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        bits <<= 6 * (4 - chunk.len());
        bytes.extend(bits.to_be_bytes().into_iter().skip(1).take(chunk.len() - 1));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_standards_examples() {
        // RFC 4648 §10.
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64_encoded(plain.as_bytes()), encoded);
            assert_eq!(base64_decoded(encoded).unwrap(), plain.as_bytes());
            assert_eq!(base64_decoded(encoded.trim_end_matches('=')).unwrap(), plain.as_bytes());
        }
        for wrong in ["Z", "Zg=", "Z===", "Zm9v!", "Zm=v"] {
            assert_eq!(base64_decoded(wrong), None, "{wrong}");
        }
    }
}
