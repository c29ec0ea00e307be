//! Writes forms as XForms, for ODK Collect and every other app that reads them (ODK XForms specification,
//! getodk.github.io/xforms-spec), and reads those that other programs write ([`read`]).
//!
//! The form's three parts have their own modules: the model's `instance` (the empty form), `secondary` (data to look
//! up), `binds` and `itext`, and the `body`. `paths` writes `${question}` as XPath, `texts` as `<output>`; `entities`
//! writes metadata. What is written is what pyxform writes from the same workbook, but for the differences that
//! docs/decisions/0007-the-xform-that-pyxform-writes.md gives reasons for.

mod binds;
mod body;
mod element;
mod entities;
mod instance;
mod itemset;
mod itext;
mod paths;
#[cfg(feature = "workbook")]
mod read;
mod rows;
mod secondary;
mod texts;
mod types;

use crate::model::{Form, NodeKind};
use element::Element;
use itext::Itext;
use paths::Paths;
#[cfg(feature = "workbook")]
pub use read::{XFormReading, read, read_definition, read_with_warnings};

/// The version of the specification that is followed.
const XFORMS_VERSION: &str = "1.0.0";

const NAMESPACES: [(&str, &str); 7] = [
    ("xmlns", "http://www.w3.org/2002/xforms"),
    ("xmlns:h", "http://www.w3.org/1999/xhtml"),
    ("xmlns:ev", "http://www.w3.org/2001/xml-events"),
    ("xmlns:xsd", "http://www.w3.org/2001/XMLSchema"),
    ("xmlns:jr", "http://openrosa.org/javarosa"),
    ("xmlns:orx", "http://openrosa.org/xforms"),
    ("xmlns:odk", "http://www.opendatakit.org/xforms"),
];

const ENTITIES_NAMESPACE: (&str, &str) = ("xmlns:entities", "http://www.opendatakit.org/xforms/entities");

/// The XForm document of a form.
pub fn write(form: &Form) -> String {
    let paths = Paths { form };
    let settings = form.settings();
    let title = Element::new("h:title").with_text(settings.shown_title());
    let head = Element::new("h:head").containing([title, model(&paths)]);
    let mut body = Element::new("h:body");
    if let Some(style) = &settings.style {
        body.set("class", style);
    }
    body.extend(body::controls(&paths, None));
    let mut html = Element::new("h:html");
    for (name, uri) in NAMESPACES {
        html.set(name, uri);
    }
    for (prefix, uri) in further_namespaces(settings.namespaces.as_deref().unwrap_or_default()) {
        let name = format!("xmlns:{prefix}");
        if !NAMESPACES.iter().any(|(known, _)| *known == name) {
            html.set(&name, uri);
        }
    }
    if !form.definition().entities.is_empty() {
        html.set(ENTITIES_NAMESPACE.0, ENTITIES_NAMESPACE.1);
    }
    format!("<?xml version=\"1.0\"?>{}", html.containing([head, body]))
}

/// `prefix="uri"` separated by white space.
fn further_namespaces(written: &str) -> impl Iterator<Item = (&str, String)> {
    written.split_whitespace().filter_map(|pair| {
        let (prefix, uri) = pair.split_once('=')?;
        let is_pair = !prefix.is_empty() && !uri.contains('=');
        is_pair.then(|| (prefix, uri.replace(['"', '\''], "")))
    })
}

fn model(paths: &Paths<'_>) -> Element {
    let form = paths.form;
    let mut model = Element::new("model").with("odk:xforms-version", XFORMS_VERSION);
    if let Some(version) = entities_version(form) {
        model.set("entities:entities-version", version);
    }
    model.extend(submission(form));
    model.extend(Itext::of(paths).element(paths));
    model.push(Element::new("instance").containing([instance::element(paths)]));
    model.extend(secondary::elements(form));
    model.extend(binds::elements(paths));
    model
}

/// The version of the entities specification that the form needs: the older one can only declare one entity about the
/// whole form.
fn entities_version(form: &Form) -> Option<&'static str> {
    let declared = form.definition().entities.len();
    let in_repeat = (0..declared)
        .filter_map(|declared| form.entity_place(declared))
        .any(|place| {
            let mut around = std::iter::successors(Some(place), |place| form.nodes().get(*place)?.parent);
            around.any(|place| {
                form.nodes()
                    .get(place)
                    .is_some_and(|node| node.kind == NodeKind::Repeat)
            })
        });
    match declared {
        0 => None,
        1 if !in_repeat => Some("2024.1.0"),
        _ => Some("2025.1.0"),
    }
}

/// How the filled form is sent, where the settings say so.
fn submission(form: &Form) -> Option<Element> {
    let settings = &form.settings().submission;
    let mut submission = Element::new("submission");
    let mut is_empty = true;
    let mut set = |name: &str, value: &str| {
        submission.set(name, value);
        is_empty = false;
    };
    if let Some(url) = &settings.url {
        set("action", url);
        set("method", "post");
    }
    for (name, value) in [
        ("base64RsaPublicKey", &settings.public_key),
        ("orx:auto-send", &settings.auto_send),
        ("orx:auto-delete", &settings.auto_delete),
    ] {
        if let Some(value) = value {
            set(name, value);
        }
    }
    if settings.client_editable {
        set("odk:client-editable", "true");
    }
    (!is_empty).then_some(submission)
}
