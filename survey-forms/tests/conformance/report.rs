//! Writes `docs/xlsform-support.md` from what happened to the test forms.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::justified::JUSTIFIED;
use super::reference::{Feature, features};
use super::results::{FormResult, RefusalResult, Results};

/// Where the report stands.
pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/xlsform-support.md")
}

/// The report.
pub(crate) fn report(results: &Results) -> String {
    let mut text = String::from(INTRODUCTION);
    write_totals(results, &mut text);
    write_features(results, &mut text);
    text.push_str(BEYOND);
    write_forms(&results.forms, &mut text);
    write_differences(&results.forms, &mut text);
    write_refusals(&results.refusals, &mut text);
    text
}

const INTRODUCTION: &str = "\
# XLSForm support

What this library does with every row of the XLSForm reference. This page is written by the test `conformance` of
`survey-forms` and never by hand: each number counts test forms (`survey-forms/tests/forms`) with which the thing was done
while the test ran.

- **Forms**: test forms that use the feature.
- **Read**: the library reads them.
- **Filled**: a session takes an answer to every question that it asks.
- **Written**: the library writes them as XForms.
- **pyxform**: that XForm says the same as the one that pyxform 4.5.0 makes, but for the differences listed below.
- **Validate**: ODK Validate accepts that XForm.
- **Web Forms**: the engine of ODK Web Forms 0.22.0 opens that XForm.

Run `KHAOSAT_UPDATE=1 cargo xtask test` to write this page anew.
";

/// What is no part of the reference.
const BEYOND: &str = "
## What a form can ask of the phone beyond the reference

Other programs ignore both, so that a form with them is still everybody's.

- The appearance word `same-as-previous` on a question of a repeat: an instance whose predecessor has an answer to it offers
  that answer, as a button on the question and, for all such questions at once, on the instance's card. It is checked like any
  other answer, and nothing is filled in without being asked for. A default such as
  `indexed-repeat(${place}, ${members}, position(..) - 1)`, which is the reference's own means, answers before anybody has asked.
- A soft check: an `acknowledge` that is not `required`, with a `relevant` that says when answers are odd together. It is told at
  the end of an interview, may be confirmed there or ticked in its place, and is never in the way of ending.

The row `audit` is honoured with its parameters, except that nobody is asked for reasons (`track-changes-reasons`); the
files are those of ODK Collect ([decision 24](decisions/0024-paradata.md)).
";

/// How many of some forms went well, in each respect.
struct Counts {
    forms: usize,
    read: usize,
    filled: usize,
    written: usize,
    like_pyxform: usize,
    valid: usize,
    like_web_forms: usize,
}

impl Counts {
    fn of<'a>(forms: impl Iterator<Item = &'a FormResult>) -> Self {
        let mut counts = Self {
            forms: 0,
            read: 0,
            filled: 0,
            written: 0,
            like_pyxform: 0,
            valid: 0,
            like_web_forms: 0,
        };
        for form in forms {
            counts.forms += 1;
            counts.read += usize::from(form.read.is_ok());
            counts.filled += usize::from(form.filled.is_ok());
            counts.written += usize::from(form.xform.is_some());
            counts.like_pyxform += usize::from(form.agrees_with_pyxform());
            counts.valid += usize::from(form.agrees_with_odk_validate());
            counts.like_web_forms += usize::from(form.agrees_with_web_forms());
        }
        counts
    }

    /// The cells of a table's row.
    fn cells(&self) -> String {
        let parts = [
            self.read,
            self.filled,
            self.written,
            self.like_pyxform,
            self.valid,
            self.like_web_forms,
        ];
        let cells = parts.map(|count| match count {
            0 => "–".to_owned(),
            count if count == self.forms => "all".to_owned(),
            count => count.to_string(),
        });
        format!("{} | {}", self.forms, cells.join(" | "))
    }
}

const COLUMNS: &str = "Forms | Read | Filled | Written | pyxform | Validate | Web Forms";
const RULE: &str = "---: | ---: | ---: | ---: | ---: | ---: | ---:";

fn write_totals(results: &Results, text: &mut String) {
    let refused = results
        .refusals
        .iter()
        .filter(|refusal| refusal.xform.is_none())
        .count();
    let counts = Counts::of(results.forms.iter()).cells();
    line(
        text,
        &format!("\n## All forms\n\n| {COLUMNS} | Broken forms | Refused |\n| {RULE} | ---: | ---: |"),
    );
    line(text, &format!("| {counts} | {} | {refused} |", results.refusals.len()));
}

fn write_features(results: &Results, text: &mut String) {
    line(text, "\n## Features");
    let mut open = String::new();
    for feature in features() {
        let Feature { sheet, name, note, .. } = &feature;
        if *sheet != open {
            line(
                text,
                &format!("\n### Sheet `{sheet}`\n\n| Feature | {COLUMNS} | Note |\n| --- | {RULE} | --- |"),
            );
            open.clone_from(sheet);
        }
        let counts = Counts::of(results.forms.iter().filter(|form| feature.is_used_by(&form.file)));
        line(text, &format!("| `{}` | {} | {note} |", cell(name), counts.cells()));
    }
}

fn write_forms(forms: &[FormResult], text: &mut String) {
    line(text, "\n## Forms that fall short\n");
    let mut none = true;
    for form in forms {
        let name = &form.file.name;
        let problem = match (&form.read, &form.filled) {
            (Err(problems), _) => format!("is not read: {}", first_line(problems)),
            (_, Err(question)) => format!("cannot be filled: `{question}` takes no answer"),
            _ => continue,
        };
        line(text, &format!("- `{name}` ({}) {problem}", form.file.title));
        none = false;
    }
    if none {
        line(text, "None: every form is read and can be filled.");
    }
}

fn write_differences(forms: &[FormResult], text: &mut String) {
    line(text, "\n## Differences from pyxform\n");
    if JUSTIFIED.is_empty() {
        line(text, "None is meant.");
        return;
    }
    line(text, "| Forms | Place | Times | Reason |\n| --- | --- | ---: | --- |");
    for (position, justified) in JUSTIFIED.iter().enumerate() {
        let reasons = forms.iter().flat_map(|form| &form.differences);
        let times = reasons.filter(|(_, reason)| *reason == Some(position)).count();
        let (form, place, reason) = (justified.form, cell(justified.place), justified.reason);
        line(text, &format!("| `{form}` | `{place}` | {times} | {reason} |"));
    }
}

fn write_refusals(refusals: &[RefusalResult], text: &mut String) {
    line(text, "\n## Broken forms\n");
    line(
        text,
        "Each has one mistake. **Refused by** names who refuses it besides this library. A form that ODK Collect would \
         open, if not as its author meant, is warned of and not refused.\n",
    );
    line(
        text,
        "| Form | Refused by | Here | Our message | In Vietnamese |\n| --- | --- | --- | --- | --- |",
    );
    for refusal in refusals {
        let kind = match refusal.xform {
            None => "refused",
            Some(_) if refusal.message.is_some() => "warned of",
            Some(_) => "accepted",
        };
        let (english, vietnamese) = match &refusal.message {
            Some((english, vietnamese)) => (first_line(english), first_line(vietnamese)),
            None => (
                "our XForm says it so that ODK Validate accepts it".to_owned(),
                String::new(),
            ),
        };
        let by = match refusal.form.refused_by.as_str() {
            "Khảo Sát" => format!("nobody else: {}", refusal.form.reason),
            other => other.to_owned(),
        };
        line(
            text,
            &format!("| `{}` | {by} | {kind} | {english} | {vietnamese} |", refusal.form.name),
        );
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a text takes every line");
}

/// A text inside a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The first problem of several, inside a cell of a table, and how many more there are.
fn first_line(problems: &str) -> String {
    let mut lines = problems.lines();
    let first = cell(lines.next().unwrap_or(""));
    match lines.count() {
        0 => first,
        more => format!("{first} (and {more} more)"),
    }
}
