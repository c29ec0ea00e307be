//! What concerns the whole form: title, identity, version, submission, namespaces.

use super::report::Report;
use super::tree::{Document, Element};
use crate::Phrase;
use crate::model::{Settings, Submission};

/// The parts of an XForm.
pub(super) struct Parts<'x> {
    pub(super) title: String,
    pub(super) model: &'x Element,
    /// The outermost element of the primary instance.
    pub(super) root: &'x Element,
    pub(super) body: &'x Element,
}

/// The settings that need no other part of the form.
pub(super) fn read(document: &Document, parts: &Parts<'_>, report: &mut Report) -> Settings {
    let root = parts.root;
    let mut settings = Settings {
        title: parts.title.clone(),
        root_name: super::outline::local(&root.name).to_owned(),
        style: parts.body.get("class").map(str::to_owned),
        ..Settings::default()
    };
    let is_usual = |namespace: &&String| {
        !matches!(
            namespace.as_str(),
            "http://www.w3.org/2002/xforms" | "http://www.w3.org/1999/xhtml" | ""
        )
    };
    let namespace = root.namespace.as_ref().filter(is_usual).cloned();
    for (name, value) in &root.attributes {
        match name.as_str() {
            "id" => settings.form_id = value.trim().to_owned(),
            "version" => settings.version.clone_from(value),
            "odk:prefix" => settings.compact_prefix = Some(value.clone()),
            "odk:delimiter" => settings.compact_delimiter = Some(value.clone()),
            _ => {
                settings.attributes.insert(name.clone(), value.clone());
            }
        }
    }
    if settings.form_id.is_empty() {
        settings.form_id = namespace.clone().unwrap_or_else(|| root.name.clone());
        let what = Phrase::new(
            "the form has no id; it is known by this",
            "biểu mẫu không có id; nó được nhận biết bằng tên này",
        );
        report.changed(&root.spot, what, &settings.form_id);
    }
    settings.instance_namespace = namespace;
    settings.submission = submission(parts.model, report);
    if !document.namespaces.is_empty() {
        let pairs = document.namespaces.iter();
        let pairs: Vec<String> = pairs
            .map(|(prefix, address)| format!("{prefix}=\"{address}\""))
            .collect();
        settings.namespaces = Some(pairs.join(" "));
    }
    settings
}

fn submission(model: &Element, report: &mut Report) -> Submission {
    let mut submission = Submission::default();
    let Some(element) = model.child("submission") else {
        return submission;
    };
    for (name, value) in &element.attributes {
        let text = Some(value.clone()).filter(|value| !value.is_empty());
        match name.as_str() {
            "action" => submission.url = text,
            "base64RsaPublicKey" => submission.public_key = text,
            "orx:auto-send" => submission.auto_send = text,
            "orx:auto-delete" => submission.auto_delete = text,
            "odk:client-editable" => submission.client_editable = value == "true",
            // Every form is sent in this way.
            "method" if matches!(value.as_str(), "post" | "form-data-post") => {}
            _ => {
                let what = Phrase::new(
                    "this attribute of the submission is left out",
                    "thuộc tính này của submission bị bỏ qua",
                );
                report.changed(&element.spot, what, name);
            }
        }
    }
    submission
}
