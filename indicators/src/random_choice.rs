//! Random choices that are the same on every platform for the same seed.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Whole numbers from the key stream of ChaCha with 20 rounds (Bernstein 2008), read as 64-bit words with the lowest byte
/// first: the key is the seed's eight bytes and 24 zeros, the nonce the stream. Streams of one seed, such as replicates or
/// imputations, are independent.
pub(crate) struct RandomChoice(ChaCha20Rng);

impl RandomChoice {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha20Rng::from_seed(key);
        generator.set_stream(stream);
        RandomChoice(generator)
    }

    /// A whole number from 0 to below `count`, all equally likely; 0 if there is none. By multiplication with rejection
    /// (Lemire 2019, *ACM Transactions on Modeling and Computer Simulation* 29, 3).
    pub(crate) fn below(&mut self, count: u64) -> u64 {
        if count == 0 {
            return 0;
        }
        let unfair = count.wrapping_neg() % count;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(count);
            if product as u64 >= unfair {
                return (product >> 64) as u64;
            }
        }
    }

    /// One of a list; `None` if it is empty.
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
        assert_eq!(RandomChoice::new(0, 0).0.next_u64().to_le_bytes(), expected);
    }

    #[test]
    fn choices_are_reproducible_and_even() {
        let draw = |seed, stream| {
            let mut choice = RandomChoice::new(seed, stream);
            (0..9_000).map(|_| choice.below(3)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        for value in 0..3 {
            let count = draw(7, 1).into_iter().filter(|&drawn| drawn == value).count() as f64;
            // Five standard deviations of a binomial count with n = 9,000 and p = 1/3.
            assert!((count - 3_000.0).abs() < 5.0 * 2_000.0_f64.sqrt(), "{value}: {count}");
        }
        let mut choice = RandomChoice::new(1, 1);
        assert_eq!((choice.below(0), choice.below(1)), (0, 0));
        assert_eq!((choice.one_of(&[]), choice.one_of(&[9])), (None, Some(9)));
    }
}
