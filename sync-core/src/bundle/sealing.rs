//! Sealing sections to one recipient: HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and
//! ChaCha20-Poly1305.
//!
//! Base mode hides and authenticates the content, not the sender: that is what the carrier's signature under the header
//! and the authors' attestations inside are for.

use std::fmt;
use std::str::FromStr;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::CryptoRng;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::header::BundleHeader;
use crate::device::{DeviceKey, DevicePublicKey};

type PublicKey = <X25519HkdfSha256 as hpke::Kem>::PublicKey;
type PrivateKey = <X25519HkdfSha256 as hpke::Kem>::PrivateKey;
type EncappedKey = <X25519HkdfSha256 as hpke::Kem>::EncappedKey;

/// HPKE's application information: these seals are of no other use.
const INFO: &[u8] = b"khaosat/bundle-seal/1";
/// Starts what the name of a recipient's key is the hash of.
const RECIPIENT_DOMAIN: &[u8] = b"khaosat/recipient/1";
/// Bytes of the encapsulated key before each sealed section (RFC 9180, section 7.1).
const ENCAPSULATED_BYTES: usize = 32;
/// Bytes that sealing adds to a section: the encapsulated key and the tag (RFC 9180, sections 7.1 and 7.3).
pub(super) const SEAL_BYTES: usize = ENCAPSULATED_BYTES + 16;
/// Hexadecimal digits of a key in writing: 32 bytes and 4 bytes to notice mistakes by.
const DIGITS: usize = 72;

/// The key that others seal bundles to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecipientKey([u8; 32]);

/// The name of a recipient's key: the first 16 bytes of the SHA-256 of a domain and the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecipientId(#[serde(with = "serde_bytes")] [u8; 16]);

impl RecipientKey {
    /// The key to which bundles for a device are sealed: its Ed25519 key as the point of X25519's curve that it is. None where
    /// it is no key that a device can have.
    pub fn of_device(device: &DevicePublicKey) -> Option<Self> {
        device.on_curve25519().map(Self)
    }

    /// The key's name.
    pub fn id(&self) -> RecipientId {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(RECIPIENT_DOMAIN)
            .chain_update(self.0)
            .finalize()
            .into();
        let [id, _] = digest.as_chunks::<16>().0 else {
            return RecipientId([0; 16]);
        };
        RecipientId(*id)
    }

    /// Seals one section; none where the key is no usable point.
    pub(super) fn seal(
        &self,
        plain: &[u8],
        header: &BundleHeader,
        section: u32,
        random: &mut impl CryptoRng,
    ) -> Option<Vec<u8>> {
        let key = PublicKey::from_bytes(&self.0).ok()?;
        let (encapsulated, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &key,
            INFO,
            plain,
            &associated(header, section),
            random,
        )
        .ok()?;
        let mut bytes = Vec::with_capacity(ENCAPSULATED_BYTES + sealed.len());
        bytes.extend_from_slice(&encapsulated.to_bytes());
        bytes.extend_from_slice(&sealed);
        Some(bytes)
    }
}

/// In writing: the key in hexadecimal digits and the first 8 of its name, so that a mistake in copying is noticed before
/// a bundle is sealed to nobody.
impl fmt::Display for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = self.id();
        let bytes = self.0.iter().chain(check.0.iter().take(4));
        bytes.copied().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for RecipientKey {
    type Err = RecipientKeyError;

    fn from_str(text: &str) -> Result<Self, RecipientKeyError> {
        let found = text.chars().count();
        if found != DIGITS {
            return Err(RecipientKeyError::Length { found });
        }
        let mut bytes = [0u8; DIGITS / 2];
        for (place, character) in text.chars().enumerate() {
            let digit = character.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let digit = digit.ok_or(RecipientKeyError::Digit { place, character })?;
            if let Some(byte) = bytes.get_mut(place / 2) {
                *byte = *byte << 4 | digit;
            }
        }
        let (key, check) = bytes.split_at(32);
        let key = Self(key.try_into().map_err(|_| RecipientKeyError::Check)?);
        if key.id().0.starts_with(check) {
            Ok(key)
        } else {
            Err(RecipientKeyError::Check)
        }
    }
}

/// A text that is no recipient's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecipientKeyError {
    /// It is too short or too long.
    #[error("a recipient's key has {DIGITS} hexadecimal digits, not {found}; copy it whole from `khaosat bundle key`")]
    Length {
        /// How many characters there are.
        found: usize,
    },
    /// A character is no digit.
    #[error("{character:?} at place {place} of the recipient's key is no hexadecimal digit")]
    Digit {
        /// The place, from 0.
        place: usize,
        /// What stands there.
        character: char,
    },
    /// A digit is wrong.
    #[error("the recipient's key was copied with a mistake; copy it again from `khaosat bundle key`")]
    Check,
}

impl RecipientKeyError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Length { found } => format!(
                "khóa người nhận có {DIGITS} chữ số thập lục phân, không phải {found}; hãy chép đủ từ `khaosat bundle key`"
            ),
            Self::Digit { place, character } => {
                format!("{character:?} ở vị trí {place} của khóa người nhận không phải chữ số thập lục phân")
            }
            Self::Check => "khóa người nhận bị chép sai; hãy chép lại từ `khaosat bundle key`".to_owned(),
        }
    }
}

impl fmt::Display for RecipientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RecipientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What opens bundles that are sealed to the [`RecipientKey`].
pub struct RecipientSecret {
    secret: PrivateKey,
    public: RecipientKey,
}

impl RecipientSecret {
    /// The key pair that follows from these 32 secret bytes (RFC 9180, section 7.1.3), which the caller draws from a secure
    /// random source.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        let (secret, public) = X25519HkdfSha256::derive_keypair(secret);
        Self {
            secret,
            public: RecipientKey(public.to_bytes().into()),
        }
    }

    /// What opens bundles that are sealed to a device ([`RecipientKey::of_device`]); none only where the key is not usable,
    /// which no secret that was drawn at random is.
    pub fn of_device(device: &DeviceKey) -> Option<Self> {
        let public = RecipientKey::of_device(&device.public())?;
        let secret = PrivateKey::from_bytes(&device.scalar()).ok()?;
        Some(Self { secret, public })
    }

    /// The half that others know.
    pub fn public(&self) -> RecipientKey {
        self.public
    }

    /// Opens one section; none where it is sealed to another key or was changed.
    pub(super) fn open(&self, sealed: &[u8], header: &BundleHeader, section: u32) -> Option<Vec<u8>> {
        let (encapsulated, sealed) = sealed.split_at_checked(ENCAPSULATED_BYTES)?;
        let encapsulated = EncappedKey::from_bytes(encapsulated).ok()?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.secret,
            &encapsulated,
            INFO,
            sealed,
            &associated(header, section),
        )
        .ok()
    }
}

impl fmt::Debug for RecipientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecipientSecret").field(&self.public.id()).finish()
    }
}

/// What a seal holds for besides the content: its carrier, time and place, so that nobody can put it elsewhere.
fn associated(header: &BundleHeader, section: u32) -> Vec<u8> {
    let mut associated = header.carrier.0.to_vec();
    associated.extend_from_slice(&header.created_at.to_be_bytes());
    associated.extend_from_slice(&section.to_be_bytes());
    associated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_writing_and_a_mistake_in_copying_is_noticed() {
        let key = RecipientSecret::from_secret(&[7; 32]).public();
        let text = key.to_string();
        assert_eq!(text.parse(), Ok(key));
        assert_eq!(text.to_uppercase().parse(), Ok(key));
        for place in 0..text.len() {
            let mut digits: Vec<char> = text.chars().collect();
            digits[place] = if digits[place] == '0' { '1' } else { '0' };
            let copied: String = digits.into_iter().collect();
            assert_eq!(copied.parse::<RecipientKey>(), Err(RecipientKeyError::Check));
        }
        assert_eq!(
            text[1..].parse::<RecipientKey>(),
            Err(RecipientKeyError::Length { found: 71 })
        );
        let accented = format!("á{}", &text[1..]);
        let refused = accented.parse::<RecipientKey>();
        assert_eq!(
            refused,
            Err(RecipientKeyError::Digit {
                place: 0,
                character: 'á'
            })
        );
    }

    fn bytes(digits: &str) -> [u8; 32] {
        let byte = |place| u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).unwrap();
        std::array::from_fn(byte)
    }

    /// Secret, Ed25519 key and X25519 key by libsodium's `crypto_sign_seed_keypair` and
    /// `crypto_sign_ed25519_pk_to_curve25519`; the first is of libsodium's own test `ed25519_convert`.
    const CONVERTED: [[&str; 3]; 4] = [
        [
            "421151a459faeade3d247115f94aedae42318124095afabe4d1451a559faedee",
            "b5076a8474a832daee4dd5b4040983b6623b5f344aca57d4d6ee4baf3f259e6e",
            "f1814f0e8ff1043d8a44d25babff3cedcae6c22c3edaa48f857ae70de2baae50",
        ],
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "04d3be256c58caa83f87008d3537fe3928b814f2ef6fe09d0a00cd090a74cfa1",
            "eb64f2a4c47780072dfa2a85a6b84bbc998d85be867bd88f8852a31e88ad1574",
        ],
        [
            "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a",
            "4eeaaadf130120ede39396a95a48a46377e1a81503b1161a777116e56c9c8174",
            "05e63de0bc622f0e704b872570f589854861fd5864c9724579a791be13c40442",
        ],
        [
            "084fed08b978af4d7d196a7446a86b58009e636b611db16211b65a9aadff29c5",
            "93fbce7316450a74e8a7f12dfb32131096cc06f4f08b63cbf649317b21869db8",
            "172654d7b4b28b5e1b1940d06dc8cb4ec8bcd70da4f01d44d9a3363d1dbb691e",
        ],
    ];

    #[test]
    fn a_device_has_the_key_that_libsodium_gives_it() {
        for [secret, signing, sealing] in CONVERTED {
            let device = DeviceKey::from_secret(&bytes(secret));
            assert_eq!(device.public().0, bytes(signing));
            let public = RecipientKey::of_device(&device.public()).unwrap();
            assert_eq!(public.0, bytes(sealing));
            let opening = RecipientSecret::of_device(&device).unwrap();
            assert_eq!(opening.public(), public);
            // Both halves belong together.
            assert_eq!(
                <[u8; 32]>::from(X25519HkdfSha256::sk_to_pk(&opening.secret).to_bytes()),
                public.0
            );
        }
    }

    /// The points of order 1, 2, 4 and 8 (RFC 7748, section 6.1, calls for refusing what they lead to), and no point at all.
    #[test]
    fn what_is_no_device_s_key_is_sealed_to_by_nobody() {
        for key in [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "0200000000000000000000000000000000000000000000000000000000000000",
        ] {
            assert_eq!(RecipientKey::of_device(&DevicePublicKey(bytes(key))), None, "{key}");
        }
    }

    #[test]
    fn debug_output_never_shows_the_secret() {
        let secret = RecipientSecret::from_secret(&[7; 32]);
        let bytes = secret.secret.to_bytes();
        let digits = bytes
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert!(!format!("{secret:?}").contains(&digits[..8]));
    }
}
