//! What the caller of an evaluation supplies.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::calendar::Moment;
use super::randomness::RandomSeed;

/// What the caller knows and the engine must not find out by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationContext {
    /// What `today()` and `now()` say.
    pub now: Moment,
    /// The code of the language in which labels and messages are wanted, such as `vi`.
    pub language: String,
    /// The enrolled device's identity, for `deviceid` metadata.
    pub device_id: Option<String>,
    /// Where `random()`, `uuid()` and `randomize()` without a seed of its own take chance from; without it they are
    /// errors.
    #[serde(default)]
    pub random_seed: Option<RandomSeed>,
    /// What `regex()` compares with its pattern.
    #[serde(default)]
    pub regex_matching: RegexMatching,
    /// How `extract-signed()` verifies; without it the function is an error.
    #[serde(skip)]
    pub signature_verifier: Option<SignatureVerifier>,
}

/// Verifies Ed25519 signatures (RFC 8032): whether the key of 32 bytes made the signature of 64 bytes over the message.
/// The caller brings it, because whoever fills in forms signs what it sends and so has the algorithm anyway.
#[derive(Clone, Copy)]
pub struct SignatureVerifier(pub fn(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool);

impl fmt::Debug for SignatureVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignatureVerifier")
    }
}

impl PartialEq for SignatureVerifier {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

/// What `regex()` compares with its pattern: the two engines of ODK differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RegexMatching {
    /// The whole text, as JavaRosa (ODK Collect) does and ODK's documentation for form designers says: a constraint
    /// `regex(., '[0-9]{9}')` refuses ten digits.
    #[default]
    Whole,
    /// Any part of the text, as ODK Web Forms does.
    Part,
}

impl EvaluationContext {
    /// A context without a device.
    pub fn new(now: Moment, language: impl Into<String>) -> Self {
        Self {
            now,
            language: language.into(),
            device_id: None,
            random_seed: None,
            regex_matching: RegexMatching::default(),
            signature_verifier: None,
        }
    }

    /// The same with a way to verify signatures.
    #[must_use]
    pub fn with_signature_verifier(mut self, verifier: SignatureVerifier) -> Self {
        self.signature_verifier = Some(verifier);
        self
    }

    /// The same with chance: equal seeds give equal results at equal places, so a form filled in twice with the same
    /// answers looks the same. A new session needs a new seed from the system's generator.
    #[must_use]
    pub fn with_random_seed(mut self, seed: RandomSeed) -> Self {
        self.random_seed = Some(seed);
        self
    }
}

/// The values of `$name` variables.
pub type Variables = BTreeMap<String, f64>;
