//! Random numbers that a seed determines.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// Random whole numbers, the same from the same seed on every machine.
///
/// The numbers are the key stream of ChaCha with 20 rounds (D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008), read
/// as 64-bit words with the lowest byte first. The key is the seed's eight bytes, lowest first, and 24 zero bytes; the
/// 64-bit nonce is the stream, the block counter starts at 0. So anybody can draw a sample again with any ChaCha20.
///
/// Different streams of one seed are independent: strata and hamlets have their own, and one more unit in one of them
/// leaves the samples of all others as they are.
#[derive(Debug, Clone)]
pub struct SampleGenerator {
    words: ChaCha20Rng,
}

impl SampleGenerator {
    /// The generator of this seed, for one of its streams.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut words = ChaCha20Rng::from_seed(key);
        words.set_stream(stream);
        Self { words }
    }

    /// A whole number from 0 to `bound` − 1, each with exactly the same chance; 0 where the bound is 0.
    ///
    /// Multiplication and rejection: D. Lemire, "Fast Random Integer Generation in an Interval" (2019, ACM Transactions on
    /// Modeling and Computer Simulation 29(1), article 3), algorithm 5.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        // 2^64 mod bound: so many words more than a multiple of the bound there are.
        let excess = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.words.next_u64()) * u128::from(bound);
            if product as u64 >= excess {
                return (product >> 64) as u64;
            }
        }
    }

    /// One of a list; `None` where it is empty.
    pub(crate) fn one_of(&mut self, list: &[u32]) -> Option<u32> {
        list.get(self.below(list.len() as u64) as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_key_stream_of_chacha20() {
        // Strombergson, "Test Vectors for the Stream Cipher ChaCha" (2013), TC1: key and nonce of zeros, 20 rounds.
        let expected = [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90];
        assert_eq!(SampleGenerator::new(0, 0).words.next_u64().to_le_bytes(), expected);
        // TC2 of the same: the first byte of the key is 1.
        let expected = [0xc5, 0xd3, 0x0a, 0x7c, 0xe1, 0xec, 0x11, 0x93];
        assert_eq!(SampleGenerator::new(1, 0).words.next_u64().to_le_bytes(), expected);
    }

    #[test]
    fn streams_differ_and_bounds_hold() {
        let mut first = SampleGenerator::new(7, 0);
        let mut second = SampleGenerator::new(7, 1);
        let draws = |generator: &mut SampleGenerator| (0..64).map(|_| generator.below(1000)).collect::<Vec<_>>();
        let (first, second) = (draws(&mut first), draws(&mut second));
        assert_ne!(first, second);
        assert!(first.iter().chain(&second).all(|value| *value < 1000));
        assert_eq!(SampleGenerator::new(7, 0).below(0), 0);
        assert_eq!(SampleGenerator::new(7, 0).below(1), 0);
    }
}
