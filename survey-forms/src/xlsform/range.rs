//! The scale of a `range` question: its parameters must fit together.

use super::report::Reporter;
use crate::Phrase;
use crate::model::{ChoiceLists, FormNode, ProblemKind};

/// The first value where `parameters` give none.
pub(crate) const DEFAULT_START: &str = "1";
/// The last value where `parameters` give none.
pub(crate) const DEFAULT_END: &str = "10";
/// The distance of values where `parameters` give none.
pub(crate) const DEFAULT_STEP: &str = "1";

/// A decimal number as written, exactly: `digits` × 10^-`scale`.
#[derive(Debug, Clone, Copy)]
struct Decimal {
    digits: i128,
    scale: u32,
}

/// How many digits a number may have; more are not exact in 128 bits.
const MAX_DIGITS: usize = 15;

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
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

    fn at_scale(self, scale: u32) -> i128 {
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

/// Checks the parameters of a range.
pub(super) fn check(node: &FormNode, choices: &ChoiceLists, reporter: &mut Reporter<'_>) {
    let mut bad = |name: &str, found: &str, english, vietnamese| {
        let kind = ProblemKind::BadParameter {
            name: name.to_owned(),
            found: found.to_owned(),
            expected: Phrase::new(english, vietnamese),
        };
        reporter.report(node.row, "parameters", kind);
    };
    let appearance = node.appearance.as_deref().unwrap_or_default();
    let has_scale = appearance.is_empty() || appearance.contains("vertical") || appearance.contains("no-ticks");
    let mut numbers = Vec::new();
    for (name, default) in [
        ("start", Some(DEFAULT_START)),
        ("end", Some(DEFAULT_END)),
        ("step", Some(DEFAULT_STEP)),
        ("tick_interval", None),
        ("placeholder", None),
    ] {
        let written = node.parameters.get(name).map(String::as_str);
        if written.is_some() && default.is_none() && !has_scale {
            bad(
                name,
                appearance,
                "no appearance but vertical or no-ticks",
                "không có kiểu hiển thị nào ngoài vertical hoặc no-ticks",
            );
        }
        let number = written.or(default).map(Decimal::parse);
        if number.is_some_and(|number| number.is_none()) {
            bad(name, written.unwrap_or_default(), "a number", "một số");
            return;
        }
        numbers.push(number.flatten());
    }
    let labels = node.parameters.get("tick_labelset");
    if labels.is_some() && !has_scale {
        bad(
            "tick_labelset",
            appearance,
            "no appearance but vertical or no-ticks",
            "không có kiểu hiển thị nào ngoài vertical hoặc no-ticks",
        );
    }
    let listed = labels.map(|list| (list, choices.get(list)));
    if let Some((list, None)) = listed {
        bad(
            "tick_labelset",
            list,
            "the name of a choice list",
            "tên một danh sách lựa chọn",
        );
    }
    let labels = listed.and_then(|(_, choices)| choices);
    let written = labels
        .into_iter()
        .flatten()
        .map(|choice| (&choice.name, Decimal::parse(&choice.name)));
    let written: Vec<(&String, Option<Decimal>)> = written.collect();
    let all = numbers
        .iter()
        .flatten()
        .chain(written.iter().filter_map(|(_, number)| number.as_ref()));
    let scale = all.map(|number| number.scale).max().unwrap_or(0);
    let value = |number: &Option<Decimal>| number.map(|number| number.at_scale(scale));
    let values: Vec<Option<i128>> = numbers.iter().map(value).collect();
    let [Some(start), Some(end), Some(step), interval, placeholder] = values.as_slice() else {
        return;
    };
    let (start, end, step) = (*start, *end, *step);
    let width = (end - start).abs();
    let shown = |name: &str| node.parameters.get(name).cloned().unwrap_or_default();
    for (name, length) in [("step", Some(step)), ("tick_interval", *interval)] {
        match length {
            Some(0) => bad(name, "0", "another number than 0", "số khác 0"),
            Some(length) if length > width => bad(
                name,
                &shown(name),
                "at most the distance from start to end",
                "không lớn hơn khoảng từ start đến end",
            ),
            Some(length) if step != 0 && length % step != 0 => {
                bad(name, &shown(name), "a multiple of step", "bội số của step");
            }
            _ => {}
        }
    }
    if step == 0 || *interval == Some(0) {
        return;
    }
    let outside = |value: i128| value < start.min(end) || value > start.max(end);
    if let Some(placeholder) = *placeholder {
        let found = shown("placeholder");
        if (placeholder - start) % step != 0 {
            bad(
                "placeholder",
                &found,
                "start and a multiple of step",
                "start cộng bội số của step",
            );
        } else if outside(placeholder) {
            bad(
                "placeholder",
                &found,
                "a number from start to end",
                "số từ start đến end",
            );
        }
    }
    let distance = interval.unwrap_or(step);
    for (name, number) in &written {
        match value(number) {
            None => bad(
                "tick_labelset",
                name,
                "choices whose names are numbers",
                "các lựa chọn có tên là số",
            ),
            Some(value) if outside(value) => {
                bad(
                    "tick_labelset",
                    name,
                    "choices from start to end",
                    "các lựa chọn từ start đến end",
                );
            }
            Some(value) if (value - start) % distance != 0 => bad(
                "tick_labelset",
                name,
                "choices at the ticks of the scale",
                "các lựa chọn nằm đúng vạch chia",
            ),
            Some(value) if appearance.contains("no-ticks") && value != start && value != end => bad(
                "tick_labelset",
                name,
                "only the choices of start and end, as there are no ticks",
                "chỉ lựa chọn của start và end, vì không có vạch chia",
            ),
            Some(_) => {}
        }
    }
    let has = |end: i128| written.iter().any(|(_, number)| value(number) == Some(end));
    if labels.is_some() && appearance.contains("no-ticks") && !(has(start) && has(end)) {
        bad(
            "tick_labelset",
            labels
                .and_then(|choices| choices.first())
                .map_or("", |choice| &choice.name),
            "the choices of start and end, as there are no ticks",
            "lựa chọn của start và end, vì không có vạch chia",
        );
    }
}
