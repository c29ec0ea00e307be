//! How much a device sends at once over a link that it does not know.

/// The size of the next piece of an exchange, in bytes of uncompressed changes.
///
/// A piece that breaks off is sent again as a whole, so on a link that breaks every few seconds only small ones ever
/// arrive; each piece costs a round trip, so on a good link large ones are faster. The size doubles with every answer and
/// falls to a quarter with every break: what gets through is found within a few attempts, and a single break costs little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PieceSize(usize);

impl PieceSize {
    /// The smallest piece: about the answers of one household, of which nothing is gained by sending less.
    pub const SMALLEST: usize = 4 << 10;
    /// The largest: some thousands of households.
    pub const LARGEST: usize = 1 << 20;

    /// The size in bytes.
    pub fn bytes(self) -> usize {
        self.0
    }

    /// The size after an answer came.
    #[must_use]
    pub fn answered(self) -> Self {
        Self((self.0 * 2).min(Self::LARGEST))
    }

    /// The size after none came.
    #[must_use]
    pub fn broken(self) -> Self {
        Self((self.0 / 4).max(Self::SMALLEST))
    }
}

impl Default for PieceSize {
    /// A day's work of one volunteer.
    fn default() -> Self {
        Self(64 << 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a link on which a piece arrives when it is no larger than `largest`: the bytes that were sent in vain, and
    /// the attempts, until `total` bytes have arrived.
    fn play(largest: usize, mut total: usize) -> (usize, usize) {
        let (mut size, mut wasted, mut attempts) = (PieceSize::default(), 0, 0);
        while total > 0 {
            attempts += 1;
            let piece = size.bytes().min(total);
            if piece <= largest {
                total -= piece;
                size = size.answered();
            } else {
                wasted += piece;
                size = size.broken();
            }
        }
        (wasted, attempts)
    }

    #[test]
    fn everything_arrives_over_a_link_that_takes_the_smallest_piece() {
        let (wasted, attempts) = play(PieceSize::SMALLEST, 1 << 20);
        // Every other attempt tries 8 KiB, which break: 2 to 1.
        assert!(attempts <= 2 * 256 + 4, "{attempts}");
        assert!(wasted <= (2 << 20) + (64 << 10), "{wasted}");
    }

    #[test]
    fn a_good_link_soon_takes_the_largest_pieces() {
        let (wasted, attempts) = play(usize::MAX, 16 << 20);
        assert_eq!(wasted, 0);
        // 64, 128, 256, 512 KiB, then 1 MiB at a time.
        assert_eq!(attempts, 4 + 16);
    }

    #[test]
    fn a_single_break_costs_a_few_pieces() {
        let before = PieceSize(PieceSize::LARGEST);
        assert_eq!(before.broken().answered().answered(), before);
        assert_eq!(PieceSize(PieceSize::SMALLEST).broken().bytes(), PieceSize::SMALLEST);
    }
}
