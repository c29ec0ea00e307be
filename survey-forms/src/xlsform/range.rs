//! The scale of a `range` question: its parameters must fit together.

use super::report::Reporter;
use crate::Phrase;
use crate::model::scale::{DEFAULT_END, DEFAULT_START, DEFAULT_STEP, Decimal};
use crate::model::{ChoiceLists, FormNode, ProblemKind};

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
