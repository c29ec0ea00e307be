//! What the module weighs, and what it may weigh.

use std::fmt;

/// The most bytes that a phone may download for forms, compressed: 250 KiB.
pub const BUDGET: usize = 250 * 1024;
/// Brotli's slowest quality: the module is compressed once a release and downloaded by every phone (RFC 7932 defines the
/// format; qualities are those of the reference encoder).
const QUALITY: i32 = 11;
/// The binary logarithm of the window: the largest that every browser takes, so that it spans the whole module.
const WINDOW: i32 = 24;

/// The weight of a module in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// As it stands on disk.
    pub plain: usize,
    /// As it travels: compressed with brotli at its best.
    pub brotli: usize,
}

impl Size {
    /// Weighs a module.
    ///
    /// # Errors
    /// When the encoder fails, which in memory it does only for want of memory.
    pub fn of(module: &[u8]) -> std::io::Result<Self> {
        let parameters = brotli::enc::BrotliEncoderParams {
            quality: QUALITY,
            lgwin: WINDOW,
            size_hint: module.len(),
            ..Default::default()
        };
        let mut compressed = Vec::new();
        let brotli = brotli::BrotliCompress(&mut &*module, &mut compressed, &parameters)?;
        Ok(Self {
            plain: module.len(),
            brotli,
        })
    }

    /// Whether it may be downloaded.
    pub fn is_within_budget(self) -> bool {
        self.brotli <= BUDGET
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} bytes, {} with brotli, of a budget of {BUDGET}: {:.2}",
            self.plain,
            self.brotli,
            self.brotli as f64 / BUDGET as f64
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that no compressor makes smaller: the highest bytes of a linear congruential sequence.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut bytes = Vec::with_capacity(length);
        for _ in 0..length {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            bytes.push((state >> 56) as u8);
        }
        bytes
    }

    #[test]
    fn what_compresses_fits_and_what_does_not_is_over_the_budget() {
        let even = Size::of(&vec![7; 4 * BUDGET]).unwrap();
        assert_eq!(even.plain, 4 * BUDGET);
        assert!(even.brotli < 100 && even.is_within_budget(), "{even}");
        let noisy = Size::of(&noise(BUDGET)).unwrap();
        assert!(noisy.brotli > BUDGET && !noisy.is_within_budget(), "{noisy}");
    }
}
