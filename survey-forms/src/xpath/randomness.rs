//! Chance without a source of its own: everything follows from a seed that the caller draws.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::tree::NodeId;

/// 128 bits from the system's generator, drawn by the caller once a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomSeed(pub [u8; 16]);

impl RandomSeed {
    /// Bytes that look random for each place and each draw there: SHA-256 of seed, place and draw.
    pub(super) fn bytes_at(self, place: u32, draw: u32) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(place.to_be_bytes());
        hash.update(draw.to_be_bytes());
        hash.finalize().into()
    }
}

/// A number from 0 to 1, 1 excluded, from the first 53 bits.
pub(super) fn unit_interval(bytes: &[u8; 32]) -> f64 {
    let bits = bytes
        .iter()
        .take(8)
        .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// The permutation of `randomize()` with a seed: the same as in JavaRosa and ODK Web Forms. Numbers come from the
/// "minimal standard" generator (S. K. Park, K. W. Miller, "Random number generators: good ones are hard to find",
/// Communications of the ACM 31, 1988), places from the inside-out shuffle (D. E. Knuth, The Art of Computer
/// Programming, volume 2, §3.4.2, algorithm P).
pub(super) fn shuffled(nodes: &[NodeId], seed: i64) -> Vec<NodeId> {
    const MODULUS: i64 = 2_147_483_647;
    const MULTIPLIER: i64 = 16_807;
    let mut state = seed % MODULUS;
    if state <= 0 {
        state += MODULUS - 1;
    }
    let mut shuffled: Vec<NodeId> = Vec::with_capacity(nodes.len());
    for (place, node) in nodes.iter().enumerate() {
        state = state * MULTIPLIER % MODULUS;
        let share = (state - 1) as f64 / (MODULUS - 1) as f64;
        let other = ((share * (place + 1) as f64) as usize).min(place);
        shuffled.push(*node);
        shuffled.swap(place, other);
    }
    shuffled
}

/// The seed of `randomize()` that a text which is no number means: the first 64 bits of its SHA-256.
pub(super) fn seed_of_text(text: &str) -> i64 {
    let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let bits = hash
        .iter()
        .take(8)
        .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    bits.cast_signed()
}
