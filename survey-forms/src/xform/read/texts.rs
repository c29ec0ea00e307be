//! Texts that people read: in place or in the translations (ODK XForms, "Languages"), with `<output>` as `${question}`.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::references::References;
use super::report::{Report, shortened};
use super::tree::{Content, Element, Spot};
use crate::Phrase;
use crate::model::lexical::is_reference;
use crate::model::{Media, MediaKind, Translations, XFormProblem};
use crate::xform::paths::{Context, Style};
use crate::xlsform::languages::{Languages, UNNAMED_LANGUAGE};

/// What programs write where a text has no translation.
const MISSING: &str = "-";

/// The values of a text by form, then by language code.
type Values<'x> = BTreeMap<String, IndexMap<String, &'x Element>>;

/// The translations.
pub(super) struct Itext<'x> {
    texts: IndexMap<String, Values<'x>>,
    languages: Languages,
    /// The code of the language that texts without a language are in, where the translations have it.
    default_code: Option<String>,
    /// The setting `default_language`.
    pub(super) default_language: Option<String>,
}

/// A label or hint.
#[derive(Default)]
pub(super) struct Text {
    pub(super) label: Translations,
    pub(super) guidance: Translations,
    pub(super) media: Media,
}

/// A calculation for an `<output>` that a text here cannot hold.
pub(super) struct Computed {
    pub(super) name: String,
    pub(super) container: Option<usize>,
    pub(super) calculation: String,
    pub(super) spot: Spot,
}

/// What texts are read with.
pub(super) struct Reader<'r, 'f> {
    pub(super) references: &'r References<'f>,
    pub(super) computed: Vec<Computed>,
}

impl<'x> Itext<'x> {
    pub(super) fn read(itext: Option<&'x Element>, report: &mut Report) -> Self {
        let translations = || itext.into_iter().flat_map(Element::elements);
        let translations = || translations().filter(|element| element.name == "translation");
        let is_default = |element: &&Element| element.get("default").is_some_and(|value| value != "false()");
        let named = |element: &Element| element.get("lang").map(|name| name.trim().to_owned());
        let default = translations().find(is_default).and_then(named);
        let default_language = default.filter(|name| name != UNNAMED_LANGUAGE);
        let mut languages = Languages::new(default_language.as_deref());
        let mut texts: IndexMap<String, Values<'x>> = IndexMap::new();
        for translation in translations() {
            let Some(language) = named(translation) else {
                report.refuse(&translation.spot, XFormProblem::MissingAttribute("lang"));
                continue;
            };
            let code = languages.code(&language);
            for text in translation.elements().filter(|element| element.name == "text") {
                let Some(id) = text.get("id") else {
                    report.refuse(&text.spot, XFormProblem::MissingAttribute("id"));
                    continue;
                };
                let values = texts.entry(id.to_owned()).or_default();
                for value in text.elements().filter(|element| element.name == "value") {
                    let form = value.get("form").unwrap_or_default();
                    let by_language = values.entry(form.to_owned()).or_default();
                    by_language.entry(code.clone()).or_insert(value);
                }
            }
        }
        let default = default_language.clone().or_else(|| {
            let is_unnamed = |element: &'x Element| named(element).as_deref() == Some(UNNAMED_LANGUAGE);
            translations().any(is_unnamed).then(|| UNNAMED_LANGUAGE.to_owned())
        });
        let default_code = default.map(|name| languages.code(&name));
        Self {
            texts,
            languages,
            default_code,
            default_language,
        }
    }

    /// The languages, the default one first.
    pub(super) fn languages(self) -> Vec<crate::model::Language> {
        self.languages.finish()
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.texts.contains_key(id)
    }

    /// A label or hint; `context` is where the references in it start.
    pub(super) fn text(
        &self,
        element: &Element,
        context: Context,
        reader: &mut Reader<'_, '_>,
        report: &mut Report,
    ) -> Text {
        let written = element.get("ref").map(str::trim).filter(|path| !path.is_empty());
        match written {
            Some(written) => match text_id(written) {
                Some(id) if self.has(id) => self.by_id(id, context, reader, report),
                Some(id) if element.children.is_empty() => {
                    report.refuse(&element.spot, XFormProblem::UnknownText(shortened(id)));
                    Text::default()
                }
                Some(id) => {
                    report.warn(&element.spot, XFormProblem::UnknownText(shortened(id)));
                    in_place(reader.content(element, context))
                }
                // The label is an answer.
                None => in_place(reader.output(written, "", context, &element.spot)),
            },
            None => in_place(reader.content(element, context)),
        }
    }

    /// A text of the translations.
    pub(super) fn by_id(&self, id: &str, context: Context, reader: &mut Reader<'_, '_>, report: &mut Report) -> Text {
        let mut text = Text::default();
        let Some(values) = self.texts.get(id) else { return text };
        let plain = ["", "long", "short"]
            .into_iter()
            .find(|form| values.contains_key(*form));
        for (form, by_language) in values {
            let first = by_language.values().next();
            let texts = |reader: &mut Reader<'_, '_>| {
                let mut texts: BTreeMap<String, String> = by_language
                    .iter()
                    .map(|(code, value)| (code.clone(), reader.content(value, context)))
                    .collect();
                let is_missing = |text: &String| text.trim() == MISSING;
                if values.len() > 1 || texts.values().any(|text| !is_missing(text)) {
                    texts.retain(|_, text| !is_missing(text));
                }
                texts.retain(|_, text| !text.is_empty());
                texts
            };
            let kind = MediaKind::ALL.into_iter().find(|kind| kind.name() == form);
            match (kind, form.as_str()) {
                (Some(kind), _) => {
                    let mut files = texts(reader);
                    for file in files.values_mut() {
                        let bare = ["jr://images/", "jr://image/", "jr://audio/", "jr://video/"];
                        if let Some(name) = bare.into_iter().find_map(|folder| file.strip_prefix(folder)) {
                            *file = name.to_owned();
                        }
                    }
                    if !files.is_empty() {
                        text.media.insert(kind, self.plain_if(true, files));
                    }
                }
                (None, "guidance") => text.guidance = self.plain_if(true, texts(reader)),
                (None, form) if Some(form) == plain => text.label = Translations(texts(reader)),
                (None, form) => {
                    let what = Phrase::new("this form of the text is left out", "dạng này của văn bản bị bỏ qua");
                    if let Some(first) = first {
                        report.changed(&first.spot, what, form);
                    }
                }
            }
        }
        let stays = !text.media.is_empty() || !text.guidance.is_empty();
        text.label = self.plain_if(stays, text.label.0);
        text
    }

    /// A message of a bind: its text, or a reference to the translations.
    pub(super) fn message(
        &self,
        written: &str,
        spot: &Spot,
        context: Context,
        reader: &mut Reader<'_, '_>,
        report: &mut Report,
    ) -> Translations {
        match text_id(written) {
            None if written.is_empty() => Translations::default(),
            None => Translations::plain(written),
            Some(id) if self.has(id) => {
                let label = self.by_id(id, context, reader, report).label;
                let mut texts = label.0.values();
                let refers = texts.any(|text| crate::model::lexical::references(text).next().is_some());
                self.plain_if(refers, label.0)
            }
            Some(id) => {
                report.refuse(spot, XFormProblem::UnknownText(shortened(id)));
                Translations::default()
            }
        }
    }

    /// A text that is only in the language without a name has none, where it `stays` in the translations anyway.
    pub(super) fn plain_if(&self, stays: bool, mut texts: BTreeMap<String, String>) -> Translations {
        if let Some(default) = &self.default_code
            && self.default_language.is_none()
            && stays
            && texts.len() == 1
            && let Some(only) = texts.remove(default)
        {
            return Translations::plain(only);
        }
        Translations(texts)
    }
}

fn in_place(text: String) -> Text {
    let label = match text.is_empty() {
        true => Translations::default(),
        false => Translations::plain(text),
    };
    Text {
        label,
        ..Text::default()
    }
}

/// The identity in `jr:itext('…')`.
pub(super) fn text_id(written: &str) -> Option<&str> {
    let inner = written.trim().strip_prefix("jr:itext(")?.strip_suffix(')')?.trim();
    let bare = |quote: char| inner.strip_prefix(quote)?.strip_suffix(quote);
    bare('\'').or_else(|| bare('"'))
}

impl Reader<'_, '_> {
    /// The text of an element, with references for its outputs.
    pub(super) fn content(&mut self, element: &Element, context: Context) -> String {
        let mut text = String::new();
        let mut has_output = false;
        self.push_content(element, context, &mut text, &mut has_output);
        let is_broken_at_edge = |edge: &str| edge.contains('\n');
        let start = &text[..text.len() - text.trim_start().len()];
        let end = &text[text.trim_end().len()..];
        // Programs that indent XML do so around texts too.
        if has_output || is_broken_at_edge(start) || is_broken_at_edge(end) {
            return text.trim().to_owned();
        }
        text
    }

    fn push_content(&mut self, element: &Element, context: Context, text: &mut String, has_output: &mut bool) {
        let mut children = element.children.iter().peekable();
        while let Some(child) = children.next() {
            match child {
                Content::Text(found) => text.push_str(found),
                Content::Element(output) if output.name == "output" => {
                    let value = output.get("value").or_else(|| output.get("ref")).unwrap_or_default();
                    let next = match children.peek() {
                        Some(Content::Text(next)) => next.as_str(),
                        _ => "",
                    };
                    let written = self.output(value, next, context, &output.spot);
                    text.push_str(&written);
                    *has_output = true;
                }
                Content::Element(inner) => self.push_content(inner, context, text, has_output),
            }
        }
    }

    /// What stands in a text for the value of an expression; `next` is the text after it.
    fn output(&mut self, value: &str, next: &str, context: Context, spot: &Spot) -> String {
        let converted = self.references.convert(value, context, Style::default());
        let ends = next.is_empty() || next.starts_with(char::is_whitespace);
        if converted.is_empty()
            || is_reference(&converted)
            || (ends && self.references.is_output(&converted, value, context))
        {
            return converted;
        }
        let name = format!("generated_output_{}", self.computed.len() + 1);
        self.computed.push(Computed {
            name: name.clone(),
            container: context.container,
            calculation: converted,
            spot: spot.clone(),
        });
        format!("${{{name}}}")
    }
}
