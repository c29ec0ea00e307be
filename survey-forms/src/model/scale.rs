//! The scale of a `range` question, in exact decimals.

use super::definition::FormNode;

/// The first value where `parameters` give none.
pub(crate) const DEFAULT_START: &str = "1";
/// The last value where `parameters` give none.
pub(crate) const DEFAULT_END: &str = "10";
/// The distance of values where `parameters` give none.
pub(crate) const DEFAULT_STEP: &str = "1";

/// A decimal number as written, exactly: `digits` × 10^-`scale`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal {
    digits: i128,
    pub(crate) scale: u32,
}

/// How many digits a number may have; more are not exact in 128 bits.
const MAX_DIGITS: usize = 15;

impl Decimal {
    /// Reads a number such as `0.25`, `-3` or `1e3`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let unsigned = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        let all = format!("{unsigned}{fraction}");
        if all.is_empty() || all.len() > MAX_DIGITS || !all.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let digits: i128 = all.parse().ok()?;
        let digits = if whole.starts_with('-') { -digits } else { digits };
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        match u32::try_from(scale) {
            Ok(scale) if scale <= MAX_DIGITS as u32 => Some(Self { digits, scale }),
            Ok(_) => None,
            Err(_) if scale >= -(MAX_DIGITS as i32) => Some(Self {
                digits: digits * 10_i128.pow(scale.unsigned_abs()),
                scale: 0,
            }),
            Err(_) => None,
        }
    }

    /// The number × 10^`scale`, which is at least its own.
    #[cfg(feature = "workbook")]
    pub(crate) fn at_scale(self, scale: u32) -> i128 {
        self.digits * 10_i128.pow(scale - self.scale)
    }

    fn is_whole(self) -> bool {
        self.digits % 10_i128.pow(self.scale) == 0
    }
}

/// Whether the values of a range have fractions, so that its answers are decimals.
pub(crate) fn has_fractions(node: &FormNode) -> bool {
    ["start", "end", "step", "tick_interval", "placeholder"]
        .into_iter()
        .filter_map(|name| Decimal::parse(node.parameters.get(name)?))
        .any(|number| !number.is_whole())
}
