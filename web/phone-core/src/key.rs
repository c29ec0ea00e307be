//! The key that a PIN opens the storage with.

use argon2::{Algorithm, Argon2, Params, Version};

use crate::problem::PhoneError;

/// Bytes of a key for AES-256.
const KEY_BYTES: usize = 32;

/// Derives a key from a PIN by Argon2id (RFC 9106), on one lane.
///
/// # Errors
/// [`PhoneError::Key`] when a parameter is outside what RFC 9106 allows: fewer than 8 KiB, no pass, a salt of fewer than
/// 8 bytes.
pub(crate) fn derive(pin: &str, salt: &[u8], memory_kib: u32, iterations: u32) -> Result<Vec<u8>, PhoneError> {
    let wrong = |error: argon2::Error| PhoneError::Key(error.to_string());
    let params = Params::new(memory_kib, iterations, 1, Some(KEY_BYTES)).map_err(wrong)?;
    let mut key = vec![0; KEY_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(pin.as_bytes(), salt, &mut key)
        .map_err(wrong)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_argon2_does_not_allow_is_refused() {
        assert!(derive("1234", &[0; 4], 64, 1).is_err());
        assert!(derive("1234", &[0; 16], 1, 1).is_err());
        assert!(derive("1234", &[0; 16], 64, 0).is_err());
    }
}
