//! Random choices that are the same on every platform for the same seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A generator for one of many independent streams of a seed, such as one replicate or one class.
pub(crate) struct RandomChoice(ChaCha8Rng);

impl RandomChoice {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        RandomChoice(generator)
    }

    /// A whole number from 0 to below `count`, all equally likely; 0 if there is none. By multiplication with rejection
    /// (Lemire 2019, *ACM Transactions on Modeling and Computer Simulation* 29, 3).
    pub(crate) fn below(&mut self, count: u32) -> usize {
        if count == 0 {
            return 0;
        }
        let unfair = count.wrapping_neg() % count;
        loop {
            let product = u64::from(self.0.next_u32()) * u64::from(count);
            if product as u32 >= unfair {
                return (product >> 32) as usize;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
