//! Chance without a source of its own: everything follows from a seed that the caller draws.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// 128 bits from the system's generator, drawn by the caller once a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomSeed(pub [u8; 16]);

impl RandomSeed {
    /// Bytes that look random for each place and each draw there: SHA-256 of seed, place and draw.
    pub(crate) fn bytes_at(self, place: u32, draw: u32) -> [u8; 32] {
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
pub(crate) fn shuffle<T>(items: &mut [T], seed: i64) {
    const MODULUS: i64 = 2_147_483_647;
    const MULTIPLIER: i64 = 16_807;
    let mut state = seed % MODULUS;
    if state <= 0 {
        state += MODULUS - 1;
    }
    for place in 0..items.len() {
        state = state * MULTIPLIER % MODULUS;
        let share = (state - 1) as f64 / (MODULUS - 1) as f64;
        let other = ((share * (place + 1) as f64) as usize).min(place);
        items.swap(place, other);
    }
}

/// The seed that a value means, as in JavaRosa (`XPathFuncExpr.toLongHash`): fractions are dropped, infinite numbers
/// become the largest whole ones, blank is 0, and a text which is no number counts by the first 64 bits of its SHA-256.
pub(crate) fn seed_of(number: f64, text: &str) -> i64 {
    if !number.is_nan() || text.is_empty() {
        // A conversion with `as` stops at the ends of the range, as Java's does, and makes NaN zero.
        return number as i64;
    }
    seed_from(&Sha256::digest(text.as_bytes()).into())
}

/// The seed in the first 64 bits.
pub(crate) fn seed_from(bytes: &[u8; 32]) -> i64 {
    i64::from_be_bytes(bytes.first_chunk().copied().unwrap_or_default())
}
