//! Device keys and attestations: who wrote a change, provable through any carrier.
//!
//! A device owns an Ed25519 key (RFC 8032). Its Automerge actor comes from the public half, so a change names its
//! author; an attestation signs the hashes of changes, so nobody else can write in that author's name.

use std::fmt;

use automerge::{ActorId, ChangeHash};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of an actor identity.
const ACTOR_BYTES: usize = 16;

/// Starts every signed attestation, so that a signature can never be taken for one of another kind.
const ATTESTATION_DOMAIN: &[u8] = b"khaosat/attestation/1";

/// Starts every signed enrolment.
const ENROLMENT_DOMAIN: &[u8] = b"khaosat/enrolment/1";

/// Starts what a carrier signs of a bundle.
const BUNDLE_DOMAIN: &[u8] = b"khaosat/bundle/1";

/// Starts every signed list of enrolled devices.
const ROSTER_DOMAIN: &[u8] = b"khaosat/roster/1";

/// Starts every statement that one key takes the place of another.
const SUCCESSION_DOMAIN: &[u8] = b"khaosat/succession/1";

/// A device's secret key.
#[derive(Clone)]
pub struct DeviceKey(SigningKey);

impl DeviceKey {
    /// The key with these 32 secret bytes, which the caller draws from a secure random source.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// The half that others know.
    pub fn public(&self) -> DevicePublicKey {
        DevicePublicKey(self.0.verifying_key().to_bytes())
    }

    /// The Automerge actor that this device writes as.
    pub fn actor(&self) -> ActorId {
        self.public().actor()
    }

    /// Signs that this device wrote the changes with these hashes.
    pub fn attest(&self, hashes: &[ChangeHash]) -> AttestationSignature {
        AttestationSignature(self.0.sign(&attestation_message(hashes)).to_bytes())
    }

    /// Signs an enrolment code, which proves to the server that the device holds the key it enrols.
    pub fn sign_enrolment(&self, code: &str) -> [u8; 64] {
        self.0.sign(&enrolment_message(code)).to_bytes()
    }

    /// Signs a bundle's header, which names everything else in the bundle by its hash.
    pub fn sign_bundle(&self, header: &[u8]) -> [u8; 64] {
        self.0.sign(&[BUNDLE_DOMAIN, header].concat()).to_bytes()
    }

    /// The secret scalar of this key, which is one of X25519 as well: the first half of the SHA-512 of the secret bytes, as
    /// Ed25519 itself takes it (RFC 8032, section 5.1.5).
    pub(crate) fn scalar(&self) -> [u8; 32] {
        self.0.to_scalar_bytes()
    }

    /// Signs a list of enrolled devices, as it is written in the file that carries it.
    pub fn sign_roster(&self, roster: &[u8]) -> [u8; 64] {
        self.0.sign(&[ROSTER_DOMAIN, roster].concat()).to_bytes()
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeviceKey").field(&self.public()).finish()
    }
}

/// The public half of a device's key, and the device's lasting name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DevicePublicKey(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl DevicePublicKey {
    /// The Automerge actor of the device with this key: the first 16 bytes of the key's SHA-256.
    pub fn actor(&self) -> ActorId {
        let digest = Sha256::digest(self.0);
        ActorId::from(&digest[..ACTOR_BYTES])
    }

    /// The same point on X25519's curve (RFC 7748, section 4.1: the birational map); none where the key is no point, or one
    /// of those few that anybody shares a secret with.
    pub(crate) fn on_curve25519(&self) -> Option<[u8; 32]> {
        let key = VerifyingKey::from_bytes(&self.0).ok()?;
        (!key.is_weak()).then(|| key.to_montgomery().to_bytes())
    }

    /// Whether the device with this key signed exactly these hashes in this order.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_attestation(
        &self,
        hashes: &[ChangeHash],
        signature: &AttestationSignature,
    ) -> Result<(), SignatureError> {
        self.verify(&attestation_message(hashes), &signature.0)
    }

    /// Whether the device with this key signed the enrolment code.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_enrolment(&self, code: &str, signature: &[u8; 64]) -> Result<(), SignatureError> {
        self.verify(&enrolment_message(code), signature)
    }

    /// Whether the device with this key signed the bundle with this header.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_bundle(&self, header: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
        self.verify(&[BUNDLE_DOMAIN, header].concat(), signature)
    }

    /// Whether the installation with this key signed the list of enrolled devices.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_roster(&self, roster: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
        self.verify(&[ROSTER_DOMAIN, roster].concat(), signature)
    }

    /// Whether the owner of this key signed the message (RFC 8032, section 5.1.7, with the strict checks against
    /// small-order keys).
    ///
    /// # Errors
    /// [`SignatureError`] when the key is no valid point or the signature is not its own.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| SignatureError { device: *self })?;
        key.verify_strict(message, &Signature::from_bytes(signature))
            .map_err(|_| SignatureError { device: *self })
    }
}

impl fmt::Display for DevicePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DevicePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The signature of an attestation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttestationSignature(#[serde(with = "serde_bytes")] pub [u8; 64]);

/// The statement that one key takes the place of another: the device that held the one writes with the other from now on.
/// Signed by both, since nobody may give a key away that he does not hold, or take another's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Succession {
    /// The key that is no longer used.
    pub predecessor: DevicePublicKey,
    /// The key in its place.
    pub successor: DevicePublicKey,
    /// The predecessor's signature, over `khaosat/succession/1`, its key and the successor's.
    pub by_predecessor: [u8; 64],
    /// The successor's signature over the same.
    pub by_successor: [u8; 64],
}

impl Succession {
    /// The holder of both keys states it.
    pub fn sign(predecessor: &DeviceKey, successor: &DeviceKey) -> Self {
        let message = succession_message(&predecessor.public(), &successor.public());
        Self {
            predecessor: predecessor.public(),
            successor: successor.public(),
            by_predecessor: predecessor.0.sign(&message).to_bytes(),
            by_successor: successor.0.sign(&message).to_bytes(),
        }
    }

    /// Whether the holders of both keys signed it.
    ///
    /// # Errors
    /// [`SignatureError`] of the first that did not.
    pub fn verify(&self) -> Result<(), SignatureError> {
        let message = succession_message(&self.predecessor, &self.successor);
        self.predecessor.verify(&message, &self.by_predecessor)?;
        self.successor.verify(&message, &self.by_successor)
    }
}

/// A signature that is not the named device's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not that of device {device}")]
pub struct SignatureError {
    /// Who is said to have signed.
    pub device: DevicePublicKey,
}

impl SignatureError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        format!("chữ ký không phải của thiết bị {}", self.device)
    }
}

fn attestation_message(hashes: &[ChangeHash]) -> Vec<u8> {
    let mut message = Vec::with_capacity(ATTESTATION_DOMAIN.len() + 8 + hashes.len() * 32);
    message.extend_from_slice(ATTESTATION_DOMAIN);
    message.extend_from_slice(&(hashes.len() as u64).to_be_bytes());
    for hash in hashes {
        message.extend_from_slice(&hash.0);
    }
    message
}

fn enrolment_message(code: &str) -> Vec<u8> {
    [ENROLMENT_DOMAIN, code.as_bytes()].concat()
}

fn succession_message(predecessor: &DevicePublicKey, successor: &DevicePublicKey) -> Vec<u8> {
    [SUCCESSION_DOMAIN, &predecessor.0, &successor.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_hashes_in_order_and_nothing_else() {
        let key = DeviceKey::from_secret(&[7; 32]);
        let other = DeviceKey::from_secret(&[8; 32]);
        let hashes = [ChangeHash([1; 32]), ChangeHash([2; 32])];
        let signature = key.attest(&hashes);

        assert_eq!(key.public().verify_attestation(&hashes, &signature), Ok(()));
        assert!(
            key.public()
                .verify_attestation(&[hashes[1], hashes[0]], &signature)
                .is_err()
        );
        assert!(key.public().verify_attestation(&hashes[..1], &signature).is_err());
        assert!(other.public().verify_attestation(&hashes, &signature).is_err());
    }

    #[test]
    fn an_enrolment_signature_is_no_attestation() {
        let key = DeviceKey::from_secret(&[7; 32]);
        let signature = key.sign_enrolment("ABCD");
        assert_eq!(key.public().verify_enrolment("ABCD", &signature), Ok(()));
        assert!(key.public().verify_enrolment("ABCE", &signature).is_err());
        assert!(
            key.public()
                .verify_attestation(&[], &AttestationSignature(signature))
                .is_err()
        );
    }

    #[test]
    fn a_signature_of_one_kind_is_none_of_another() {
        let key = DeviceKey::from_secret(&[7; 32]);
        let (bundle, roster) = (key.sign_bundle(b"x"), key.sign_roster(b"x"));
        assert_eq!(key.public().verify_bundle(b"x", &bundle), Ok(()));
        assert_eq!(key.public().verify_roster(b"x", &roster), Ok(()));
        assert!(key.public().verify_bundle(b"x", &roster).is_err());
        assert!(key.public().verify_roster(b"x", &bundle).is_err());
        assert!(key.public().verify_enrolment("x", &bundle).is_err());
    }

    #[test]
    fn a_succession_is_what_both_keys_signed_and_in_this_direction() {
        let (old, new, other) = (
            DeviceKey::from_secret(&[7; 32]),
            DeviceKey::from_secret(&[8; 32]),
            DeviceKey::from_secret(&[9; 32]),
        );
        let honest = Succession::sign(&old, &new);
        assert_eq!(honest.verify(), Ok(()));
        let foreign = Succession::sign(&other, &new);
        let wrong = |device: &DeviceKey| {
            Err(SignatureError {
                device: device.public(),
            })
        };
        let stolen = Succession {
            by_predecessor: foreign.by_predecessor,
            ..honest
        };
        assert_eq!(stolen.verify(), wrong(&old));
        let usurped = Succession {
            successor: other.public(),
            by_successor: Succession::sign(&old, &other).by_successor,
            ..honest
        };
        assert_eq!(usurped.verify(), wrong(&old));
        let unwilling = Succession {
            by_successor: honest.by_predecessor,
            ..honest
        };
        assert_eq!(unwilling.verify(), wrong(&new));
        let reversed = Succession {
            predecessor: honest.successor,
            successor: honest.predecessor,
            by_predecessor: honest.by_successor,
            by_successor: honest.by_predecessor,
        };
        assert!(reversed.verify().is_err());
    }

    #[test]
    fn debug_output_never_shows_the_secret() {
        let shown = format!("{:?}", DeviceKey::from_secret(&[7; 32]));
        assert!(!shown.contains(&"07".repeat(32)));
    }

    /// RFC 8032, section 7.1, test 1: the public key of a known secret.
    #[test]
    fn public_keys_are_those_of_rfc_8032() {
        let secret = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
            0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        assert_eq!(
            DeviceKey::from_secret(&secret).public().to_string(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
    }
}
