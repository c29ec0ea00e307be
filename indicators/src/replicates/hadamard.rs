//! Hadamard matrices: square, entries +1 and −1, any two rows orthogonal.

/// A Hadamard matrix whose first row is all +1, by the constructions of Sylvester and of Paley and their products
/// (Hedayat & Wallis 1978, *Annals of Statistics* 6, 1184–1238). Entries are computed when asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hadamard {
    core: Core,
    /// Factors of 2 by Sylvester's construction.
    doublings: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Core {
    /// The matrix (1).
    One,
    /// Paley's first construction, order q + 1, for a prime q of the form 4k + 3; `squares[r]` says whether r is a square
    /// modulo q.
    First { squares: Vec<bool> },
    /// Paley's second construction, order 2(q + 1), for a prime q of the form 4k + 1.
    Second { squares: Vec<bool> },
}

/// Largest order made.
const LARGEST: usize = 1 << 16;

impl Hadamard {
    /// The smallest matrix of at least an order that these constructions give; `None` above 65,536.
    pub fn at_least(order: usize) -> Option<Self> {
        if order > LARGEST {
            return None;
        }
        // Powers of two are among the orders, so the search ends.
        (order.max(1)..=LARGEST).find_map(Hadamard::of_order)
    }

    /// A matrix of exactly an order; `None` if these constructions give none. Those by fewer different ideas are
    /// preferred: Sylvester's alone, then Paley's with the fewest doublings.
    fn of_order(order: usize) -> Option<Self> {
        if order.is_power_of_two() {
            return Some(Hadamard {
                core: Core::One,
                doublings: order.trailing_zeros(),
            });
        }
        (0..=order.trailing_zeros()).find_map(|doublings| {
            let left = order >> doublings;
            let core = if left.is_multiple_of(4) && is_prime(left - 1) {
                Core::First {
                    squares: squares(left - 1),
                }
            } else if left.is_multiple_of(4) && (left / 2) % 4 == 2 && is_prime(left / 2 - 1) {
                Core::Second {
                    squares: squares(left / 2 - 1),
                }
            } else {
                return None;
            };
            Some(Hadamard { core, doublings })
        })
    }

    /// Number of rows and columns.
    pub fn order(&self) -> usize {
        let core = match &self.core {
            Core::One => 1,
            Core::First { squares } => squares.len() + 1,
            Core::Second { squares } => 2 * (squares.len() + 1),
        };
        core << self.doublings
    }

    /// Whether the entry at a row and column is +1; both are from 0 to below the order, and beyond it entries mean nothing.
    pub fn is_plus(&self, row: usize, column: usize) -> bool {
        let low = (1_usize << self.doublings) - 1;
        let sylvester = (row & column & low).count_ones().is_multiple_of(2);
        let (row, column) = (row >> self.doublings, column >> self.doublings);
        // A column times the sign of its first entry makes the first row all +1.
        let core = self.core.is_plus(row, column) == self.core.is_plus(0, column);
        sylvester == core
    }
}

impl Core {
    fn is_plus(&self, row: usize, column: usize) -> bool {
        match self {
            Core::One => true,
            // I + S, where S has +1 in its first row, −1 in its first column and squares of differences elsewhere.
            Core::First { squares } => match (row, column) {
                (0, _) => true,
                (_, 0) => false,
                (row, column) => row == column || is_square_difference(squares, row - 1, column - 1),
            },
            // C ⊗ (1 1; 1 −1) + I ⊗ (1 −1; −1 −1), where C is symmetric with zeros on its diagonal.
            Core::Second { squares } => {
                let within = (row % 2, column % 2);
                match (row / 2, column / 2) {
                    (row, column) if row == column => within == (0, 0),
                    (row, column) => {
                        let conference = row == 0 || column == 0 || is_square_difference(squares, row - 1, column - 1);
                        conference == (within != (1, 1))
                    }
                }
            }
        }
    }
}

fn is_square_difference(squares: &[bool], one: usize, other: usize) -> bool {
    let modulus = squares.len();
    squares[(one % modulus + modulus - other % modulus) % modulus]
}

/// Which residues other than 0 are squares modulo a prime.
fn squares(prime: usize) -> Vec<bool> {
    let mut squares = vec![false; prime];
    for root in 1..prime {
        squares[root * root % prime] = true;
    }
    squares
}

fn is_prime(number: usize) -> bool {
    number >= 2 && (2..=number.isqrt()).all(|divisor| !number.is_multiple_of(divisor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_orthogonal() {
        let mut orders = Vec::new();
        for order in 1..=130 {
            let Some(hadamard) = Hadamard::of_order(order) else {
                continue;
            };
            assert_eq!(hadamard.order(), order);
            for one in 0..order {
                for other in 0..=one {
                    let agree =
                        (0..order).filter(|&column| hadamard.is_plus(one, column) == hadamard.is_plus(other, column));
                    let expected = if one == other { order } else { order / 2 };
                    assert_eq!(agree.count(), expected, "order {order}, rows {one} and {other}");
                }
            }
            assert!((0..order).all(|column| hadamard.is_plus(0, column)));
            orders.push(order);
        }
        // Every multiple of 4 but those that need other constructions (52, 92, 100, 116).
        let expected: Vec<usize> = [1, 2].into_iter().chain((4..=130).step_by(4)).collect();
        let missing: Vec<usize> = expected
            .iter()
            .copied()
            .filter(|order| !orders.contains(order))
            .collect();
        assert_eq!(missing, [52, 92, 100, 116]);
    }

    #[test]
    fn the_smallest_is_taken() {
        let order = |least| Hadamard::at_least(least).unwrap().order();
        assert_eq!([0, 1, 3, 5, 9, 13, 50, 90].map(order), [1, 1, 4, 8, 12, 16, 56, 96]);
        assert_eq!(Hadamard::at_least(LARGEST + 1), None);
    }
}
