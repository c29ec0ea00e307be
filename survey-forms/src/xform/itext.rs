//! The texts of a form in all its languages (ODK XForms, "Languages").

use indexmap::IndexMap;

use super::element::Element;
use super::paths::{Context, Paths};
use super::texts;
use crate::model::{Form, Media, MediaKind, NO_LANGUAGE, Translations, is_translated_list, needs_translation};

/// What stands where a text has no translation.
const MISSING: &str = "-";

/// One of the forms that a text has (ODK XForms, "Languages": the attribute `form`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum TextForm {
    Plain,
    Guidance,
    Media(MediaKind),
}

/// A text in one language and form, with what its references start from.
type Entry<'f> = (&'f str, Option<Context>);

/// The translations of a form: by language, then by the text's identity, then by form.
#[derive(Default)]
pub(super) struct Itext<'f> {
    languages: IndexMap<&'f str, IndexMap<String, IndexMap<TextForm, Entry<'f>>>>,
}

/// What a row's texts are called in the translations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowText {
    Label,
    Hint,
    ConstraintMessage,
    RequiredMessage,
    NoAppMessage,
}

impl RowText {
    fn suffix(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Hint => "hint",
            Self::ConstraintMessage => "jr:constraintMsg",
            Self::RequiredMessage => "jr:requiredMsg",
            Self::NoAppMessage => "jr:noAppErrorString",
        }
    }
}

/// The identity of a row's text.
pub(super) fn row_text_id(paths: &Paths<'_>, position: usize, text: RowText) -> String {
    format!("{}:{}", paths.of(position), text.suffix())
}

/// The identity of a choice's label.
pub(super) fn choice_text_id(list: &str, index: usize) -> String {
    format!("{list}-{index}")
}

/// Whether a row's label is written as a reference to the translations.
pub(super) fn label_is_translated(label: &Translations, media: &Media) -> bool {
    !media.is_empty() || (!label.is_empty() && label.as_plain().is_none())
}

impl<'f> Itext<'f> {
    /// Gathers every translated text of a form.
    pub(super) fn of(paths: &Paths<'f>) -> Self {
        let form = paths.form;
        let mut itext = Self::default();
        // The languages stand in the form's order, whichever text comes first.
        for language in form.languages() {
            itext.languages.insert(&language.name, IndexMap::new());
        }
        for (list, choices) in &form.definition().choices {
            if is_translated_list(choices) {
                for (index, choice) in choices.iter().enumerate() {
                    let id = choice_text_id(list, index);
                    itext.add(form, &id, TextForm::Plain, &choice.label, None);
                    itext.add_media(form, &id, &choice.media, None);
                }
            }
        }
        for (position, node) in form.nodes().iter().enumerate() {
            let context = Some(paths.context(position));
            let id = |text| row_text_id(paths, position, text);
            for (text, message) in [
                (RowText::ConstraintMessage, &node.constraint_message),
                (RowText::RequiredMessage, &node.required_message),
            ] {
                if needs_translation(message) {
                    itext.add(form, &id(text), TextForm::Plain, message, context);
                }
            }
            if node.no_app_message.as_plain().is_none() {
                itext.add(
                    form,
                    &id(RowText::NoAppMessage),
                    TextForm::Plain,
                    &node.no_app_message,
                    context,
                );
            }
            if label_is_translated(&node.label, &node.media) {
                itext.add(form, &id(RowText::Label), TextForm::Plain, &node.label, context);
            }
            let has_guidance = !node.guidance_hint.is_empty();
            if has_guidance || node.hint.as_plain().is_none() {
                itext.add(form, &id(RowText::Hint), TextForm::Plain, &node.hint, context);
                itext.add(
                    form,
                    &id(RowText::Hint),
                    TextForm::Guidance,
                    &node.guidance_hint,
                    context,
                );
            }
            itext.add_media(form, &id(RowText::Label), &node.media, context);
        }
        itext.languages.retain(|_, texts| !texts.is_empty());
        itext
    }

    fn add(
        &mut self,
        form: &'f Form,
        id: &str,
        text_form: TextForm,
        texts: &'f Translations,
        context: Option<Context>,
    ) {
        for (code, text) in &texts.0 {
            let language = language_name(form, code);
            let entries = self
                .languages
                .entry(language)
                .or_default()
                .entry(id.to_owned())
                .or_default();
            entries.insert(text_form, (text, context));
        }
    }

    fn add_media(&mut self, form: &'f Form, id: &str, media: &'f Media, context: Option<Context>) {
        for (kind, files) in media {
            self.add(form, id, TextForm::Media(*kind), files, context);
        }
    }

    /// The element `<itext>`; none where nothing is translated. Each language has every text, so that none falls back to
    /// another language unseen.
    pub(super) fn element(&self, paths: &Paths<'f>) -> Option<Element> {
        if self.languages.is_empty() {
            return None;
        }
        let mut ids: IndexMap<&str, Vec<TextForm>> = IndexMap::new();
        for (id, entries) in self.languages.values().flatten() {
            let forms = ids.entry(id).or_default();
            for form in entries.keys() {
                if !forms.contains(form) {
                    forms.push(*form);
                }
            }
        }
        let mut itext = Element::new("itext");
        for (language, texts) in &self.languages {
            let mut translation = Element::new("translation").with("lang", *language);
            if *language == default_language(paths.form) {
                translation.set("default", "true()");
            }
            for (id, forms) in &ids {
                let mut text = Element::new("text").with("id", *id);
                for form in forms {
                    let entry = texts.get(*id).and_then(|entries| entries.get(form));
                    text.extend(value(paths, *form, entry.copied()));
                }
                translation.push(text);
            }
            itext.push(translation);
        }
        Some(itext)
    }
}

fn value(paths: &Paths<'_>, form: TextForm, entry: Option<Entry<'_>>) -> Option<Element> {
    let (text, context) = entry.unwrap_or((MISSING, None));
    let element = Element::new("value");
    let content = texts::content(paths, text, context);
    let media_type = match form {
        TextForm::Plain => return Some(element.with_content(content)),
        TextForm::Guidance => return Some(element.with("form", "guidance").with_content(content)),
        TextForm::Media(_) if text == MISSING => return None,
        TextForm::Media(kind) => kind,
    };
    let folder = match media_type {
        MediaKind::Image | MediaKind::BigImage => "images",
        other => other.name(),
    };
    let prefix = Element::new("value")
        .with("form", media_type.name())
        .with_text(&format!("jr://{folder}/"));
    Some(prefix.with_content(content).joined())
}

/// The name of the language in which texts stand whose columns name none.
fn default_language(form: &Form) -> &str {
    form.settings().default_language.as_deref().unwrap_or("default")
}

fn language_name<'f>(form: &'f Form, code: &'f str) -> &'f str {
    if code == NO_LANGUAGE {
        return default_language(form);
    }
    let language = form.languages().iter().find(|language| language.code == code);
    language.map_or(code, |language| &language.name)
}
