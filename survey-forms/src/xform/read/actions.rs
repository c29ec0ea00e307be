//! What happens to elements (ODK XForms, "Actions and Events"): defaults, triggered values, recordings.

use std::collections::HashMap;

use super::body::{self, Action};
use super::outline::Outline;
use super::report::{Report, shortened};
use super::tree::Element;
use crate::Phrase;
use crate::model::XFormProblem;

/// What happens to an element.
#[derive(Default)]
pub(super) struct Happenings<'x> {
    /// What is put into a new form or instance.
    pub(super) default: Option<&'x Element>,
    /// The questions whose change sets a value, with the actions that do.
    pub(super) triggered: Vec<(usize, &'x Element)>,
    /// The questions whose change records where the device is.
    pub(super) located: Vec<usize>,
    /// Whether the device's place is recorded when the form is opened.
    pub(super) starts_located: bool,
    /// The recording that is made while the form is filled.
    pub(super) recording: Option<&'x Element>,
}

/// What happens, by element.
pub(super) type ByElement<'x> = HashMap<usize, Happenings<'x>>;

/// Sorts the actions of the model and of the body by the element that they change.
pub(super) fn sort<'x>(
    model: &'x Element,
    in_body: Vec<Action<'x>>,
    outline: &Outline<'x>,
    report: &mut Report,
) -> ByElement<'x> {
    let mut found = ByElement::new();
    let in_model = model.elements().filter(|element| body::is_action(element));
    let in_model = in_model.map(|element| Action {
        element,
        question: None,
        around: None,
    });
    for action in in_model.chain(in_body) {
        add(&mut found, &action, outline, report);
    }
    found
}

fn add<'x>(found: &mut ByElement<'x>, action: &Action<'x>, outline: &Outline<'x>, report: &mut Report) {
    let element = action.element;
    let spot = &element.spot;
    let by_bind = |id: &str| outline.by_bind.get(id).copied();
    let target = match (element.get("ref"), element.get("bind")) {
        (Some(path), _) => outline.resolve(path, action.around),
        (None, Some(id)) => by_bind(id).map(|slot| super::outline::Target {
            slot: Some(slot),
            attribute: None,
        }),
        (None, None) => {
            report.refuse(spot, XFormProblem::MissingAttribute("ref"));
            return;
        }
    };
    let Some(target) = target else {
        let path = element.get("ref").or_else(|| element.get("bind")).unwrap_or_default();
        report.refuse(spot, XFormProblem::Nowhere(shortened(path)));
        return;
    };
    // The attributes of entities are set by what declares them.
    let (Some(slot), None) = (target.slot, target.attribute) else {
        return;
    };
    let happenings = found.entry(slot).or_default();
    let events = element
        .get("event")
        .or_else(|| element.get("ev:event"))
        .unwrap_or_default();
    for event in events.split_whitespace() {
        match (element.name.as_str(), event) {
            ("setvalue", "odk-instance-first-load" | "odk-new-repeat") => {
                happenings.default.get_or_insert(element);
            }
            ("setvalue", "xforms-ready" | "odk-instance-load" | "jr-insert") => {
                let what = Phrase::new(
                    "the value is set in new forms only, not each time one is opened",
                    "giá trị chỉ được đặt ở phiếu mới, không phải mỗi lần mở",
                );
                report.changed(spot, what, event);
                happenings.default.get_or_insert(element);
            }
            ("setvalue", "xforms-value-changed") if action.question.is_some() => {
                happenings
                    .triggered
                    .extend(action.question.map(|question| (question, element)));
            }
            ("odk:setgeopoint", "xforms-value-changed") if action.question.is_some() => {
                happenings.located.extend(action.question);
            }
            ("odk:setgeopoint", "odk-instance-first-load" | "odk-instance-load" | "xforms-ready") => {
                happenings.starts_located = true;
            }
            ("odk:recordaudio", _) => happenings.recording = Some(element),
            _ => {
                let what = Phrase::new("this event has no effect here", "sự kiện này không có tác dụng ở đây");
                report.changed(spot, what, event);
            }
        }
    }
    if events.trim().is_empty() {
        report.refuse(spot, XFormProblem::MissingAttribute("event"));
    }
}
