//! Reads answers as people write them in JSON.
//!
//! A question inside groups may stand beside those outside or inside an object under its group's name; a repeat is an
//! array with one object an instance. `null` is a blank.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value as Json};
use survey_forms::answers::{AnswerMap, AnswerPath, AnswersMut as _, InstanceId, Value};
use survey_forms::model::{Form, FormNode, NodeKind, nearest_name};

use crate::cli::Failure;

/// The answers, and the questions that are blank on purpose.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) answers: AnswerMap,
    pub(super) blanks: Vec<AnswerPath>,
}

/// Reads the answers to a form.
///
/// # Errors
/// At the first name that the form does not have at its place, or value that its question does not take; the message
/// names the place in the JSON.
pub(super) fn read(form: &Form, json: &Json) -> Result<Given, Failure> {
    let mut reading = Reading {
        form,
        given: Given::default(),
        seen: HashSet::new(),
    };
    let top = Place {
        container: None,
        instance: None,
        written: String::new(),
    };
    reading.object(json, &top)?;
    Ok(reading.given)
}

/// Where in the JSON and in the form an object stands.
struct Place {
    /// The position of the group or repeat.
    container: Option<usize>,
    /// The innermost repeat instance.
    instance: Option<InstanceId>,
    /// The place in the JSON, for messages.
    written: String,
}

impl Place {
    fn below(&self, name: &str) -> String {
        if self.written.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.written)
        }
    }
}

struct Reading<'f> {
    form: &'f Form,
    given: Given,
    /// The questions that have been read.
    seen: HashSet<AnswerPath>,
}

impl Reading<'_> {
    fn object(&mut self, json: &Json, place: &Place) -> Result<(), Failure> {
        let Json::Object(entries) = json else {
            return Err(wrong(
                &place.written,
                "một đối tượng {\"câu hỏi\": giá trị}",
                "an object {\"question\": value}",
                json,
            ));
        };
        self.entries(entries, place)
    }

    fn entries(&mut self, entries: &Map<String, Json>, place: &Place) -> Result<(), Failure> {
        for (name, json) in entries {
            let position = self.find(name, place)?;
            let Some(node) = self.form.nodes().get(position) else {
                continue;
            };
            let written = place.below(name);
            match (&node.kind, json) {
                (NodeKind::Group | NodeKind::Repeat, Json::Null) => {}
                (NodeKind::Group, json) => {
                    let inside = Place {
                        container: Some(position),
                        instance: place.instance.clone(),
                        written,
                    };
                    self.object(json, &inside)?;
                }
                (NodeKind::Repeat, Json::Array(items)) => self.instances(position, items, place, &written)?,
                (NodeKind::Repeat, _) => {
                    return Err(wrong(
                        &written,
                        "một mảng, mỗi phần tử một lần lặp",
                        "an array with one object an instance",
                        json,
                    ));
                }
                _ => self.leaf(position, node, json, place, &written)?,
            }
        }
        Ok(())
    }

    fn instances(&mut self, position: usize, items: &[Json], place: &Place, written: &str) -> Result<(), Failure> {
        let key = self.form.key(position);
        for (number, item) in (1..).zip(items) {
            let outer = place.instance.as_ref().map_or("", InstanceId::as_str);
            let instance = InstanceId::new(format!("{outer}/{key}[{number}]"));
            let Ok(()) = self.given.answers.add_instance(key, place.instance.as_ref(), &instance);
            let inside = Place {
                container: Some(position),
                instance: Some(instance),
                written: format!("{written}[{number}]"),
            };
            self.object(item, &inside)?;
        }
        Ok(())
    }

    fn leaf(
        &mut self,
        position: usize,
        node: &FormNode,
        json: &Json,
        place: &Place,
        written: &str,
    ) -> Result<(), Failure> {
        let is_computed = node.calculation.is_some() && node.triggers.is_empty();
        if is_computed || matches!(node.kind, NodeKind::Note | NodeKind::ExternalData(_)) {
            return Err(Failure::new(
                format!("{written}: mục này được tính hoặc chỉ hiển thị nên không nhận câu trả lời; hãy bỏ đi"),
                format!("{written}: the row is computed or only shown and takes no answer; leave it out"),
            ));
        }
        let path = AnswerPath {
            instance: place.instance.clone(),
            question: self.form.key(position).to_owned(),
        };
        if !self.seen.insert(path.clone()) {
            return Err(Failure::new(
                format!("{written}: câu hỏi này đã có câu trả lời ở chỗ khác; chỉ giữ một"),
                format!("{written}: the question is answered elsewhere too; keep one answer"),
            ));
        }
        match value(&node.kind, json) {
            Ok(Some(value)) => {
                let Ok(()) = self.given.answers.put_answer(&path, &value);
                Ok(())
            }
            Ok(None) => {
                self.given.blanks.push(path);
                Ok(())
            }
            Err((vi, en)) => Err(wrong(written, vi, en, json)),
        }
    }

    /// The row that a name means inside a container: one directly there, one by its key, or the only one within groups.
    fn find(&self, name: &str, place: &Place) -> Result<usize, Failure> {
        let candidates = self.rows_within_groups(place.container);
        let row = |position: &usize| self.form.nodes().get(*position);
        let named = |position: &&usize| row(position).is_some_and(|node| node.name == name);
        let direct = |position: &&usize| row(position).is_some_and(|node| node.parent == place.container);
        if let Some(position) = candidates.iter().filter(named).find(direct) {
            return Ok(*position);
        }
        if let Some(position) = candidates.iter().find(|position| self.form.key(**position) == name) {
            return Ok(*position);
        }
        let found: Vec<&usize> = candidates.iter().filter(named).collect();
        let written = place.below(name);
        match found.as_slice() {
            [position] => Ok(**position),
            [] => {
                let names = candidates.iter().filter_map(row).map(|node| node.name.as_str());
                let nearest = nearest_name(name, names);
                let meant = nearest.map_or_else(Default::default, |nearest| {
                    (
                        format!("; có phải là {nearest:?}?"),
                        format!("; did you mean {nearest:?}?"),
                    )
                });
                Err(Failure::new(
                    format!("{written}: ở đây biểu mẫu không có câu hỏi {name:?}{}", meant.0),
                    format!("{written}: the form has no question {name:?} here{}", meant.1),
                ))
            }
            several => {
                let keys: Vec<&str> = several.iter().map(|position| self.form.key(**position)).collect();
                let keys = keys.join(", ");
                Err(Failure::new(
                    format!("{written}: {name:?} có thể là nhiều câu hỏi; hãy viết một trong {keys}"),
                    format!("{written}: {name:?} may be any of several questions; write one of {keys}"),
                ))
            }
        }
    }

    /// The rows inside a container, those inside its groups too, but not those inside its repeats.
    fn rows_within_groups(&self, container: Option<usize>) -> Vec<usize> {
        let children = |container: Option<usize>| match container {
            Some(position) => self.form.children(position),
            None => self.form.top(),
        };
        let mut rows = Vec::new();
        let mut next: Vec<usize> = children(container).to_vec();
        while let Some(position) = next.pop() {
            rows.push(position);
            if self
                .form
                .nodes()
                .get(position)
                .is_some_and(|node| node.kind == NodeKind::Group)
            {
                next.extend(children(Some(position)));
            }
        }
        rows.sort_unstable();
        rows
    }
}

fn wrong(written: &str, vi: &str, en: &str, found: &Json) -> Failure {
    let mut shown: String = found.to_string().chars().take(60).collect();
    if shown.len() < found.to_string().len() {
        shown.push('…');
    }
    let separator = if written.is_empty() { "" } else { ": " };
    Failure::new(
        format!("{written}{separator}cần {vi}, nhưng gặp {shown}"),
        format!("{written}{separator}expected {en}, found {shown}"),
    )
}

/// The answer that a JSON value means to a question; none for a blank. Otherwise what would be right, in both languages.
fn value(kind: &NodeKind, json: &Json) -> Result<Option<Value>, (&'static str, &'static str)> {
    let text = match json {
        Json::Null => return Ok(None),
        Json::String(text) if text.is_empty() => return Ok(None),
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let value = match kind {
        NodeKind::Integer => {
            let whole = json
                .as_f64()
                .filter(|number| number.fract() == 0.0 && number.abs() < 9e15);
            let written = text.and_then(|text| text.trim().parse().ok());
            let number = written.or_else(|| whole.map(|number| number as i64));
            number.map(Value::Integer).ok_or(("một số nguyên", "a whole number"))
        }
        NodeKind::Decimal | NodeKind::Range => {
            let whole = text.as_deref().and_then(|text| text.trim().parse().ok());
            let number = text.as_deref().and_then(|text| text.trim().parse::<f64>().ok());
            let number = number.filter(|number| number.is_finite());
            let value = whole.map(Value::Integer).or_else(|| number.map(Value::Decimal));
            value.ok_or(("một số", "a number"))
        }
        NodeKind::SelectMultiple { .. } => names(json)
            .map(|names| Value::Choices(names.into_iter().collect::<BTreeSet<String>>()))
            .ok_or(("một mảng tên lựa chọn", "an array of choice names")),
        NodeKind::Rank { .. } => names(json)
            .map(|names| Value::Text(names.join(" ")))
            .ok_or(("một mảng tên lựa chọn", "an array of choice names")),
        NodeKind::Acknowledge => match json {
            Json::Bool(true) => Ok(Value::from("OK")),
            Json::Bool(false) => return Ok(None),
            _ => text.map(Value::Text).ok_or(("\"OK\" hoặc true", "\"OK\" or true")),
        },
        _ => text.map(Value::Text).ok_or(("một chuỗi", "a text")),
    };
    let value = value?;
    let is_blank = matches!(&value, Value::Choices(names) if names.is_empty()) || value == Value::from("");
    Ok((!is_blank).then_some(value))
}

/// Names of choices, in an array or separated by spaces.
fn names(json: &Json) -> Option<Vec<String>> {
    let name = |json: &Json| match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match json {
        Json::Array(items) => items.iter().map(name).collect(),
        other => name(other).map(|text| text.split_whitespace().map(str::to_owned).collect()),
    }
}
