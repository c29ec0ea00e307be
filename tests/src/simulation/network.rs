//! A network that does what networks do.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// How bad the network is, as chances from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    pub(super) lost: f64,
    pub(super) repeated: f64,
    pub(super) cut: f64,
    /// The longest delay in milliseconds.
    pub(super) delay: u64,
}

impl Weather {
    /// Everything arrives, at once.
    pub(super) const FINE: Self = Self {
        lost: 0.0,
        repeated: 0.0,
        cut: 0.0,
        delay: 1,
    };

    /// Some chances.
    pub(super) fn drawn(luck: &mut ChaCha8Rng) -> Self {
        Self {
            lost: luck.random_range(0.0..0.4),
            repeated: luck.random_range(0.0..0.2),
            cut: luck.random_range(0.0..0.2),
            delay: luck.random_range(1..4_000),
        }
    }

    /// What becomes of a message: when each copy of it arrives, in milliseconds from now, and what is left of it.
    pub(super) fn carry(&self, bytes: &[u8], luck: &mut ChaCha8Rng) -> Vec<(u64, Vec<u8>)> {
        let copies = match (luck.random_bool(self.lost), luck.random_bool(self.repeated)) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        };
        (0..copies)
            .map(|_| {
                let whole = !luck.random_bool(self.cut);
                let length = if whole {
                    bytes.len()
                } else {
                    luck.random_range(0..bytes.len())
                };
                (luck.random_range(1..=self.delay), bytes[..length].to_vec())
            })
            .collect()
    }
}
