//! Codes of households that are not on the frame's list and were added in the field.
//!
//! A phone without a network has to name such a household by itself, so that nobody else gives the same name to another one,
//! and the code has to say in which hamlet the household is, since no list does:
//!
//! ```text
//! added = hamlet "+" 12( DIGIT / "a" – "f" )     such as 28249-01+9f3a60c1d27b
//! ```
//!
//! The digits are chance: with a thousand added households in a hamlet, two share a code in one of half a billion surveys.
//! Codes of listed units have no plus sign, and frames with one are not taken.

use std::fmt;

/// Separates the hamlet's code from chance. A listed unit's code does not have it.
pub const ADDED_SEPARATOR: char = '+';
/// Bytes of chance.
const CHANCE: usize = 6;

/// The code of a household that was added in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddedUnit<'a> {
    hamlet: &'a str,
    chance: [u8; CHANCE],
}

impl<'a> AddedUnit<'a> {
    /// The code of a new household of a hamlet.
    pub fn new(hamlet: &'a str, chance: [u8; CHANCE]) -> Self {
        Self { hamlet, chance }
    }

    /// Reads a unit's code; none where it is not that of an added household. There is one way to write each.
    pub fn parse(code: &'a str) -> Option<Self> {
        let (hamlet, digits) = code.rsplit_once(ADDED_SEPARATOR)?;
        if hamlet.is_empty() || digits.len() != 2 * CHANCE {
            return None;
        }
        let mut chance = [0; CHANCE];
        for (byte, pair) in chance.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            for digit in pair {
                let value = match digit {
                    b'0'..=b'9' => digit - b'0',
                    b'a'..=b'f' => digit - b'a' + 10,
                    _ => return None,
                };
                *byte = *byte << 4 | value;
            }
        }
        Some(Self { hamlet, chance })
    }

    /// The code of its hamlet.
    pub fn hamlet(&self) -> &'a str {
        self.hamlet
    }
}

impl fmt::Display for AddedUnit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{ADDED_SEPARATOR}", self.hamlet)?;
        self.chance.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_names_its_hamlet() {
        let code = AddedUnit::new("28249-01", [0x9f, 0x3a, 0x60, 0xc1, 0xd2, 0x7b]).to_string();
        assert_eq!(code, "28249-01+9f3a60c1d27b");
        assert_eq!(AddedUnit::parse(&code).map(|unit| unit.hamlet()), Some("28249-01"));
    }

    #[test]
    fn what_is_almost_such_a_code_is_none() {
        for code in [
            "28249-01-0007",
            "28249-01+",
            "+9f3a60c1d27b",
            "28249-01+9f3a60c1d27",
            "28249-01+9f3a60c1d27b0",
            "28249-01+9F3A60C1D27B",
            "28249-01+9f3a60c1d27g",
            "28249-01+9f3a60c1d2é",
            "28249-01 9f3a60c1d27b",
            "",
        ] {
            assert_eq!(AddedUnit::parse(code), None, "{code}");
        }
    }

    proptest! {
        #[test]
        fn every_code_is_read_as_it_was_made(hamlet in ".{1,40}", chance: [u8; CHANCE]) {
            let made = AddedUnit::new(&hamlet, chance);
            let code = made.to_string();
            prop_assert_eq!(AddedUnit::parse(&code), Some(made));
        }

        #[test]
        fn what_is_read_is_written_again(code in ".{0,8}\\+[0-9a-fA-F+]{10,14}") {
            if let Some(unit) = AddedUnit::parse(&code) {
                prop_assert_eq!(unit.to_string(), code);
            }
        }
    }
}
