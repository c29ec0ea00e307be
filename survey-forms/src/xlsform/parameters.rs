//! The column `parameters`: settings of a question's type, written `name=value name=value`.

use std::collections::BTreeMap;

use super::report::Reporter;
use crate::Phrase;
use crate::model::lexical::{is_qualified_name, is_reference};
use crate::model::{FormNode, Metadata, NodeKind, ProblemKind};

/// Names and values by name. Values are in lower case except those of `label` and `value`, which name columns of files.
pub(super) type Parameters = BTreeMap<String, String>;

/// Reads `name=value name=value`; commas and semicolons separate too. None where it cannot be read.
pub(super) fn read(written: &str) -> Option<Parameters> {
    // White space may stand around `=`, so the text is cut into words and signs first.
    let mut words: Vec<&str> = Vec::new();
    for piece in written.split(|separator: char| separator.is_whitespace() || matches!(separator, ',' | ';')) {
        let mut rest = piece;
        while let Some(sign) = rest.find('=') {
            words.extend((sign > 0).then(|| &rest[..sign]));
            words.push("=");
            rest = &rest[sign + 1..];
        }
        words.extend((!rest.is_empty()).then_some(rest));
    }
    let mut parameters = Parameters::new();
    for triple in words.chunks(3) {
        let [name, "=", value] = triple else { return None };
        if *name == "=" || *value == "=" {
            return None;
        }
        let name = name.to_lowercase();
        let keeps_case = matches!(name.as_str(), "label" | "value");
        let value = if keeps_case {
            (*value).to_owned()
        } else {
            value.to_lowercase()
        };
        parameters.insert(name, value);
    }
    Some(parameters)
}

/// The names that a type of question takes; none where any may stand.
fn accepted(kind: &NodeKind, from_file: bool) -> Option<&'static [&'static str]> {
    Some(match kind {
        NodeKind::Text => &["rows"],
        NodeKind::Image => &["app", "max-pixels"],
        NodeKind::Audio | NodeKind::Metadata(Metadata::BackgroundAudio) => &["quality"],
        NodeKind::Metadata(Metadata::Audit) => &[
            "identify-user",
            "location-max-age",
            "location-min-interval",
            "location-priority",
            "track-changes",
            "track-changes-reasons",
        ],
        NodeKind::Geopoint => &[
            "allow-mock-accuracy",
            "capture-accuracy",
            "reference-geometry",
            "warning-accuracy",
        ],
        NodeKind::Geotrace | NodeKind::Geoshape => &["allow-mock-accuracy", "incremental", "reference-geometry"],
        NodeKind::Range => &["end", "placeholder", "start", "step", "tick_interval", "tick_labelset"],
        NodeKind::SelectOne { .. } | NodeKind::SelectMultiple { .. } if from_file => {
            &["label", "randomize", "seed", "value"]
        }
        kind if kind.choice_source().is_some() => &["randomize", "seed"],
        _ => return None,
    })
}

/// Checks a row's parameters; `from_file` says whether a select takes its choices from a file.
pub(super) fn check(node: &FormNode, from_file: bool, reporter: &mut Reporter<'_>) {
    let parameters = &node.parameters;
    let Some(accepted) = accepted(&node.kind, from_file) else {
        return;
    };
    let unknown = parameters.keys().find(|name| !accepted.contains(&name.as_str()));
    if let Some(unknown) = unknown {
        let kind = ProblemKind::UnknownParameter {
            name: unknown.clone(),
            accepted: accepted.join(", "),
        };
        reporter.report(node.row, "parameters", kind);
        return;
    }
    // Another app takes pictures only where nothing else is done with them.
    let calls_app = matches!(node.appearance.as_deref(), None | Some("annotate"));
    for (name, value) in parameters.iter().filter(|(name, _)| *name != "app" || calls_app) {
        if let Some(expected) = expected_value(&node.kind, name, value) {
            let kind = ProblemKind::BadParameter {
                name: name.clone(),
                found: value.clone(),
                expected,
            };
            reporter.report(node.row, "parameters", kind);
        }
    }
    check_together(node, reporter);
}

/// What the value of a parameter should be, where it is not that.
fn expected_value(kind: &NodeKind, name: &str, value: &str) -> Option<Phrase> {
    let one_of = |words: &[&str], expected| (!words.contains(&value)).then_some(expected);
    let unless = |fits: bool, english, vietnamese| (!fits).then_some(Phrase::new(english, vietnamese));
    let is_number = value.parse::<f64>().is_ok();
    match name {
        "rows" | "max-pixels" => unless(value.parse::<i64>().is_ok(), "a whole number", "số nguyên"),
        "location-max-age" | "location-min-interval" => unless(
            value.parse::<u64>().is_ok(),
            "a whole number of seconds, 0 or more",
            "số giây nguyên, từ 0 trở lên",
        ),
        "app" => unless(
            is_android_package(value),
            "an Android package such as org.example.camera",
            "tên gói Android, ví dụ org.example.camera",
        ),
        "quality" if *kind == NodeKind::Audio => one_of(
            &["voice-only", "low", "normal", "external"],
            Phrase::new(
                "voice-only, low, normal or external",
                "voice-only, low, normal hoặc external",
            ),
        ),
        "quality" => one_of(
            &["voice-only", "low", "normal"],
            Phrase::new("voice-only, low or normal", "voice-only, low hoặc normal"),
        ),
        "track-changes" | "identify-user" | "randomize" | "allow-mock-accuracy" => {
            one_of(&["true", "false"], Phrase::new("true or false", "true hoặc false"))
        }
        "track-changes-reasons" => one_of(&["on-form-edit"], Phrase::new("on-form-edit", "on-form-edit")),
        "location-priority" => one_of(
            &["no-power", "low-power", "balanced", "high-accuracy"],
            Phrase::new(
                "no-power, low-power, balanced or high-accuracy",
                "no-power, low-power, balanced hoặc high-accuracy",
            ),
        ),
        "incremental" => one_of(&["true", "yes", "true()"], Phrase::new("true", "true")),
        "capture-accuracy" | "warning-accuracy" => unless(is_number, "a number of metres", "số mét"),
        "seed" => unless(
            is_number || is_reference(value),
            "a number or ${question}",
            "một số hoặc ${câu hỏi}",
        ),
        "value" | "label" => unless(is_qualified_name(value), "the name of a column", "tên một cột"),
        _ => None,
    }
}

/// Parameters that need one another.
fn check_together(node: &FormNode, reporter: &mut Reporter<'_>) {
    let parameters = &node.parameters;
    let mut missing = |name: &str, needed: &str| {
        let kind = ProblemKind::MissingParameter {
            name: name.to_owned(),
            needed: needed.to_owned(),
        };
        reporter.report(node.row, "parameters", kind);
    };
    if parameters.contains_key("seed") && !parameters.contains_key("randomize") {
        missing("seed", "randomize=true");
    }
    const LOCATION: [&str; 3] = ["location-priority", "location-min-interval", "location-max-age"];
    let given = LOCATION.iter().find(|name| parameters.contains_key(**name));
    let absent = LOCATION.iter().find(|name| !parameters.contains_key(**name));
    if let (Some(given), Some(absent)) = (given, absent) {
        missing(given, absent);
    }
    let seconds = |name: &str| parameters.get(name).and_then(|value| value.parse::<u64>().ok());
    if let (Some(interval), Some(age)) = (seconds("location-min-interval"), seconds("location-max-age"))
        && age < interval
    {
        let kind = ProblemKind::BadParameter {
            name: "location-max-age".to_owned(),
            found: age.to_string(),
            expected: Phrase::new("at least location-min-interval", "ít nhất bằng location-min-interval"),
        };
        reporter.report(node.row, "parameters", kind);
    }
}

/// The name of an Android app: parts separated by dots, each beginning with a letter.
fn is_android_package(name: &str) -> bool {
    name.contains('.')
        && name.split('.').all(|part| {
            part.starts_with(|first: char| first.is_ascii_alphabetic())
                && part
                    .chars()
                    .all(|character| character.is_ascii_alphanumeric() || character == '_')
        })
}
