//! The rows of a form: each element of the instance with its bind, its control and what happens to it.

use std::collections::HashMap;

use super::actions::{ByElement, Happenings};
use super::kinds;
use super::outline::{Outline, Slot};
use super::report::Report;
use super::selects::{Lists, Offer};
use super::texts::{Itext, Reader};
use super::tree::{Element, Spot};
use crate::Phrase;
use crate::model::lexical::{is_dynamic_default, is_reference};
use crate::model::{FormNode, Metadata, NodeKind, UNTYPED};
use crate::xform::paths::{Context, Style};
use crate::xform::types;

/// What rows are made from.
pub(super) struct Rows<'r, 'x, 'f> {
    pub(super) outline: &'r Outline<'x>,
    pub(super) itext: &'r Itext<'x>,
    pub(super) offer: Offer<'r, 'x>,
    pub(super) happenings: &'r ByElement<'x>,
    /// The position of the row of each element that has one.
    pub(super) positions: &'r HashMap<usize, usize>,
    pub(super) reader: Reader<'r, 'f>,
    pub(super) lists: Lists,
    /// The calculations of repeats' numbers of instances, by the repeat's element.
    pub(super) counts: &'r HashMap<usize, usize>,
    pub(super) report: &'r mut Report,
}

impl<'x> Rows<'_, 'x, '_> {
    fn convert(&self, text: &str, context: Context) -> String {
        self.reader.references.convert(text, context, Style::default())
    }

    /// The row of an element.
    pub(super) fn row(&mut self, slot: usize, parent: Option<usize>) -> Option<FormNode> {
        let found = self.outline.get(slot)?;
        let context = self.reader.references.context(*self.positions.get(&slot)?);
        let kind = match found.is_container() {
            true if found.is_repeat => NodeKind::Repeat,
            true => NodeKind::Group,
            false => kinds::kind(found, self.happenings.get(&slot)),
        };
        Some(self.row_of(slot, found, kind, parent, context))
    }

    /// The log of filling.
    pub(super) fn audit(&mut self, slot: usize, context: Context) -> Option<FormNode> {
        let found = self.outline.get(slot)?;
        Some(self.row_of(slot, found, NodeKind::Metadata(Metadata::Audit), None, context))
    }

    fn row_of(
        &mut self,
        slot: usize,
        found: &Slot<'x>,
        kind: NodeKind,
        parent: Option<usize>,
        context: Context,
    ) -> FormNode {
        let mut node = FormNode::new(found.name.clone(), kind, parent);
        node.row = found.spot().line;
        if found.is_repeat {
            self.repeat_count(slot, found, &mut node, context);
        }
        if let Some(control) = found.control {
            self.control(slot, found, control, &mut node, context);
        }
        if let Some(bind) = found.bind {
            self.bind(bind, &mut node, context);
        }
        if !node.is_container() && !found.is_group_label {
            self.value(slot, found, &mut node, context);
            self.data_type(found, &mut node);
        }
        for (name, value) in &found.element.attributes {
            if name != "jr:template" && !is_of_entities(name) {
                let value = self.convert(value, context);
                node.attributes.instance.insert(name.clone(), value);
            }
        }
        node
    }

    fn repeat_count(&mut self, slot: usize, found: &Slot<'x>, node: &mut FormNode, context: Context) {
        if let Some(count) = self.counts.get(&slot) {
            let bind = self.outline.get(*count).and_then(|count| count.bind);
            let calculation = bind.and_then(|bind| bind.get("calculate")).unwrap_or_default();
            node.repeat_count = Some(self.convert(calculation, context));
        } else if let Some(count) = found.control.and_then(|control| control.get("jr:count")) {
            node.repeat_count = Some(self.convert(count, context)).filter(|count| !count.is_empty());
        }
    }

    fn control(&mut self, slot: usize, found: &Slot<'x>, control: &Element, node: &mut FormNode, context: Context) {
        let texts = found.wrapper.unwrap_or(control);
        if let Some(label) = texts.child("label") {
            let text = self.itext.text(label, context, &mut self.reader, self.report);
            node.label = text.label;
            node.media = text.media;
            // An explanation that stands with the label is shown like one that stands with the hint.
            node.guidance_hint = text.guidance;
        }
        if let Some(hint) = texts.child("hint").or_else(|| texts.child("help")) {
            let text = self.itext.text(hint, context, &mut self.reader, self.report);
            node.hint = text.label;
            if !text.guidance.is_empty() {
                node.guidance_hint = text.guidance;
            }
            if !text.media.is_empty() {
                let what = Phrase::new("media of a hint are left out", "phương tiện của gợi ý bị bỏ qua");
                self.report.changed(&hint.spot, what, &node.name);
            }
        }
        if found.is_group_label {
            return;
        }
        let outside = found.wrapper.into_iter().flat_map(|wrapper| &wrapper.attributes);
        for (name, value) in control.attributes.iter().chain(outside) {
            self.control_attribute(name, value, node, context, &control.spot);
        }
        if node.is_container() {
            return;
        }
        if control.name == "secret" {
            let what = Phrase::new("the answer is shown while it is typed", "câu trả lời hiện rõ khi gõ");
            self.report.changed(&control.spot, what, &node.name);
        }
        let into = (&mut self.lists, &mut self.reader, &mut *self.report);
        self.offer.read(slot, control, context, node, into);
    }

    fn control_attribute(&mut self, name: &str, value: &str, node: &mut FormNode, context: Context, spot: &Spot) {
        let value = match node.kind {
            NodeKind::Group if name == "appearance" => value.trim().to_owned(),
            _ => self.convert(value, context),
        };
        match name {
            "ref" | "bind" | "nodeset" | "jr:count" | "query" => return,
            "appearance" if node.appearance.is_some() => return,
            "appearance" => {
                node.appearance = Some(value).filter(|value| !value.is_empty());
                return;
            }
            "mediatype" if types::media_type(&node.kind) == Some(&value) => return,
            _ => {}
        }
        let is_number = value.parse::<f64>().is_ok();
        let parameter = match (&node.kind, name) {
            (NodeKind::Text, "rows") if is_number => "rows",
            (NodeKind::Geopoint, "accuracyThreshold") if is_number => "capture-accuracy",
            (NodeKind::Geopoint, "unacceptableAccuracyThreshold") if is_number => "warning-accuracy",
            (NodeKind::Image, "intent") if value.contains('.') && !value.contains('(') => "app",
            (NodeKind::Range, "odk:tick-interval") => "tick_interval",
            (NodeKind::Range, "odk:placeholder") => "placeholder",
            (NodeKind::Range, "start") => "start",
            (NodeKind::Range, "end") => "end",
            (NodeKind::Range, "step") => "step",
            (NodeKind::Geotrace | NodeKind::Geoshape, "incremental") if value == "true" => "incremental",
            _ => {
                if is_unsafe(name) {
                    let what = Phrase::new("this attribute is left out", "thuộc tính này bị bỏ qua");
                    self.report.changed(spot, what, name);
                } else {
                    node.attributes.control.entry(name.to_owned()).or_insert(value);
                }
                return;
            }
        };
        node.parameters.insert(parameter.to_owned(), value);
    }

    fn bind(&mut self, bind: &Element, node: &mut FormNode, context: Context) {
        for (name, value) in &bind.attributes {
            let expression = || Some(self.reader.references.convert(value, context, Style::default()));
            let expression = || expression().filter(|expression| !expression.is_empty());
            match name.as_str() {
                "nodeset" | "ref" | "id" | "type" => {}
                "required" => node.required = expression(),
                "relevant" => node.relevant = expression(),
                "constraint" => node.constraint = expression(),
                "calculate" => node.calculation = expression(),
                "readonly" if node.kind == NodeKind::Note && value.trim() == "true()" => {}
                "readonly" => node.read_only = expression(),
                "jr:constraintMsg" | "constraintMsg" | "jr:requiredMsg" | "requiredMsg" | "jr:noAppErrorString" => {
                    let message = self
                        .itext
                        .message(value, &bind.spot, context, &mut self.reader, self.report);
                    match name.as_str() {
                        "jr:constraintMsg" | "constraintMsg" => node.constraint_message = message,
                        "jr:requiredMsg" | "requiredMsg" => node.required_message = message,
                        _ => node.no_app_message = message,
                    }
                }
                "jr:preload" | "jr:preloadParams" if types::preload(&node.kind).is_some() => {}
                "entities:saveto" => node.save_to = Some(value.clone()),
                name => {
                    let parameter = match &node.kind {
                        NodeKind::Metadata(Metadata::Audit) => name.strip_prefix("odk:"),
                        NodeKind::Audio => Some("quality").filter(|_| name == "odk:quality"),
                        NodeKind::Image => Some("max-pixels").filter(|_| name == "orx:max-pixels"),
                        NodeKind::Geopoint | NodeKind::Geotrace | NodeKind::Geoshape => {
                            Some("allow-mock-accuracy").filter(|_| name == "odk:allow-mock-accuracy")
                        }
                        _ => None,
                    };
                    match parameter {
                        Some(parameter) => {
                            node.parameters.insert(parameter.to_owned(), value.clone());
                        }
                        None => {
                            let value = self.convert(value, context);
                            node.attributes.bind.insert(name.to_owned(), value);
                        }
                    }
                }
            }
        }
    }

    /// The value of a new form, and what sets it later.
    fn value(&mut self, slot: usize, found: &Slot<'x>, node: &mut FormNode, context: Context) {
        const PICTURES: &str = "jr://images/";
        let text = found.element.text();
        let text = match text.contains('\n') {
            true => text.trim(),
            false => text.as_str(),
        };
        let bare = match node.kind {
            NodeKind::Image => text.strip_prefix(PICTURES).unwrap_or(text),
            _ => text,
        };
        if !bare.trim().is_empty() {
            node.default = Some(fixed(bare, &node.kind));
        }
        let Some(happenings) = self.happenings.get(&slot) else {
            return;
        };
        if let Some(action) = happenings.default {
            node.default = self.default(action, &node.kind, context);
        }
        if let Some(recording) = happenings.recording
            && let Some(quality) = recording.get("odk:quality")
        {
            node.parameters.insert("quality".to_owned(), quality.to_owned());
        }
        self.triggers(found, happenings, node);
    }

    fn default(&self, action: &Element, kind: &NodeKind, context: Context) -> Option<String> {
        let Some(value) = action.get("value") else {
            let text = action.text();
            return Some(text.trim())
                .filter(|text| !text.is_empty())
                .map(|text| fixed(text, kind));
        };
        let value = self.convert(value, context);
        if value.is_empty() || is_dynamic_default(&value, kind) {
            return Some(value).filter(|value| !value.is_empty());
        }
        let literal = |quote: char| {
            let inner = value.strip_prefix(quote)?.strip_suffix(quote)?;
            (!inner.contains(quote)).then_some(inner)
        };
        let literal = literal('\'').or_else(|| literal('"'));
        let is_number = value.parse::<f64>().is_ok();
        match literal.or(Some(value.as_str()).filter(|_| is_number)) {
            Some(literal) => Some(fixed(literal, kind)),
            // What does not look like an expression would be taken for a value.
            None => Some(format!("string({value})")),
        }
    }

    fn triggers(&mut self, found: &Slot<'x>, happenings: &Happenings<'x>, node: &mut FormNode) {
        let mut values: Vec<String> = Vec::new();
        let mut questions = Vec::new();
        for (question, action) in &happenings.triggered {
            let Some(position) = self.positions.get(question) else {
                continue;
            };
            let context = self.reader.references.context(*position);
            let text = action.text();
            let value = match action.get("value") {
                Some(value) => self.convert(value, context),
                None if text.trim().is_empty() => String::new(),
                None => quoted(text.trim()),
            };
            if !values.contains(&value) {
                values.push(value);
            }
            questions.push((*question, *action));
        }
        let located = happenings.located.iter().map(|question| (*question, found.element));
        questions.extend(located);
        let spot = questions.first().map_or(found.spot(), |(_, action)| &action.spot);
        for (question, _) in &questions {
            let Some(question) = self.outline.get(*question) else {
                continue;
            };
            if self.reader.references.is_unique(&question.name) {
                node.triggers.push(question.name.clone());
            } else {
                let what = Phrase::new(
                    "several rows have the name of this trigger",
                    "nhiều hàng trùng tên trigger này",
                );
                let cure = Phrase::new("rename all but one", "hãy đổi tên, chỉ giữ một");
                self.report.not_held(spot, what, &question.name, cure);
            }
        }
        if values.len() > 1 || (!values.is_empty() && node.calculation.is_some()) {
            let what = Phrase::new(
                "the element is set by several different expressions",
                "phần tử nhận giá trị từ nhiều biểu thức khác nhau",
            );
            let cure = Phrase::new("use one calculation", "hãy dùng một biểu thức");
            self.report.not_held(spot, what, &node.name, cure);
        } else if let Some(value) = values.pop() {
            node.calculation = Some(value).filter(|value| !value.is_empty());
        }
        // An action without a value clears; that is no calculation.
        if node.kind == NodeKind::Calculate && node.calculation.is_none() {
            node.kind = NodeKind::Hidden;
        }
    }

    /// Keeps the data type where a row of its kind would be written with another.
    fn data_type(&mut self, found: &Slot<'x>, node: &mut FormNode) {
        let written = found.bind.and_then(|bind| bind.get("type")).map(str::trim);
        let Some(written) = written.filter(|written| !written.is_empty()) else {
            if node.kind == NodeKind::Acknowledge {
                node.attributes.bind.insert(UNTYPED.to_owned(), String::new());
            }
            return;
        };
        let kept = match kinds::data_type(found.bind) {
            Some(known) if known == types::data_type(node) => return,
            Some(known) => known.to_owned(),
            None => {
                let local = written.rsplit(':').next().unwrap_or(written);
                if !matches!(local, "boolean" | "intent") {
                    let what = Phrase::new(
                        "this data type is not known; the answer is kept as text",
                        "không có kiểu dữ liệu này; câu trả lời được giữ dạng văn bản",
                    );
                    self.report.changed(found.spot(), what, written);
                }
                local.to_owned()
            }
        };
        node.attributes.bind.insert("type".to_owned(), kept);
    }
}

/// Whether a control cannot have the attribute: what has an unknown name would change how the control is read.
fn is_unsafe(name: &str) -> bool {
    matches!(name, "id" | "class" | "model")
}

/// Whether an attribute belongs to what declares entities.
fn is_of_entities(name: &str) -> bool {
    name.starts_with("entities:")
}

/// A value as a default that is not taken for an expression.
fn fixed(value: &str, kind: &NodeKind) -> String {
    if is_dynamic_default(value, kind) || is_reference(value) {
        format!("string({})", quoted(value))
    } else {
        value.to_owned()
    }
}

/// A text as an expression.
fn quoted(text: &str) -> String {
    if !text.contains('\'') {
        return format!("'{text}'");
    }
    if !text.contains('"') {
        return format!("\"{text}\"");
    }
    let parts: Vec<String> = text.split('"').map(|part| format!("\"{part}\"")).collect();
    format!("concat({})", parts.join(", '\"', "))
}
