//! What happened to each test form: the evidence behind every cell of the report.

use std::collections::BTreeSet;
use std::path::Path;

use survey_forms::model::Form;

use super::comparison::{Difference, compare};
use super::justified::JUSTIFIED;
use super::library;
use super::oracles::{Conversion, WebFormsRecord, odk_validate, pyxform, web_forms_objection, web_forms_records};
use super::reference::{BrokenForm, broken_forms};
use super::sheets::{FormFile, folder, read_folder};

/// What happened to a form that must be accepted.
pub(crate) struct FormResult {
    pub(crate) file: FormFile,
    /// Whether the library read it, else what it said.
    pub(crate) read: Result<(), String>,
    /// Whether a session could be filled, else the question that took no answer. An error where it was not read.
    pub(crate) filled: Result<(), String>,
    /// What the library wrote.
    pub(crate) xform: Option<String>,
    /// What pyxform wrote.
    pub(crate) conversion: Conversion,
    /// Differences between the two, each with the position in [`JUSTIFIED`] of its reason.
    pub(crate) differences: Vec<(Difference, Option<usize>)>,
    /// What ODK Web Forms says against pyxform's XForm; None where it opens it.
    pub(crate) web_forms: Option<String>,
    /// Whether ODK Validate accepts what the library wrote, or pyxform's XForm where it wrote none.
    pub(crate) valid: bool,
}

/// What happened to a form that must be refused.
pub(crate) struct RefusalResult {
    pub(crate) form: BrokenForm,
    /// What the library said, in English and Vietnamese; None where it accepts the form.
    pub(crate) message: Option<(String, String)>,
    pub(crate) conversion: Conversion,
    /// Whether ODK Validate refuses pyxform's XForm; false where pyxform wrote none.
    pub(crate) invalid: bool,
}

/// What happened to all forms.
pub(crate) struct Results {
    pub(crate) forms: Vec<FormResult>,
    pub(crate) refusals: Vec<RefusalResult>,
    /// Everything ODK Validate said.
    pub(crate) validator_said: String,
}

impl FormResult {
    /// Whether the library's XForm says what pyxform's says, but for differences that are meant.
    pub(crate) fn agrees_with_pyxform(&self) -> bool {
        self.xform.is_some() && self.differences.iter().all(|(_, reason)| reason.is_some())
    }

    /// Whether ODK Web Forms opens pyxform's XForm, and the library's says the same.
    pub(crate) fn agrees_with_web_forms(&self) -> bool {
        self.agrees_with_pyxform() && self.web_forms.is_none()
    }

    /// Whether ODK Validate accepts the library's own XForm.
    pub(crate) fn agrees_with_odk_validate(&self) -> bool {
        self.xform.is_some() && self.valid
    }
}

/// Runs every form through the library and the oracles.
pub(crate) fn run() -> Results {
    let files = read_folder(&folder());
    let broken_files = read_folder(&folder().join("refused"));
    let paths: Vec<&Path> = files
        .iter()
        .chain(&broken_files)
        .map(|file| file.path.as_path())
        .collect();
    let mut oracle = pyxform(&paths);
    let broken_conversions = oracle.conversions.split_off(files.len());

    let recorded = web_forms_records();
    let mut forms: Vec<FormResult> = files
        .into_iter()
        .zip(oracle.conversions)
        .map(|(file, conversion)| form_result(file, conversion, &recorded))
        .collect();
    write_xforms(&forms);
    let mut refusals: Vec<RefusalResult> = broken_files
        .into_iter()
        .zip(broken_conversions)
        .map(|(file, conversion)| refusal_result(&file, conversion))
        .collect();

    let judged = forms.iter().map(|form| {
        let theirs = form
            .conversion
            .as_ref()
            .map_or("", |conversion| conversion.plain.as_str());
        (form.file.name.as_str(), form.xform.as_deref().unwrap_or(theirs))
    });
    let broken = refusals.iter().filter_map(|refusal| {
        let conversion = refusal.conversion.as_ref().ok()?;
        Some((refusal.form.name.as_str(), conversion.plain.as_str()))
    });
    let xforms: Vec<(&str, &str)> = judged.chain(broken).collect();
    let (refused, validator_said) = odk_validate(&oracle.validator, &xforms);
    for form in &mut forms {
        form.valid = !refused.contains(&form.file.name);
    }
    for refusal in &mut refusals {
        refusal.invalid = refused.contains(&refusal.form.name);
    }
    Results {
        forms,
        refusals,
        validator_said,
    }
}

/// Writes pyxform's XForms into the folder that `KHAOSAT_XFORMS` names, a file each, to be looked at or recorded with.
fn write_xforms(forms: &[FormResult]) {
    let Some(folder) = std::env::var_os("KHAOSAT_XFORMS") else {
        return;
    };
    for form in forms {
        if let Ok(conversion) = &form.conversion {
            let path = Path::new(&folder).join(format!("{}.xml", form.file.name));
            std::fs::write(path, &conversion.plain).unwrap();
        }
    }
}

fn form_result(file: FormFile, conversion: Conversion, recorded: &[WebFormsRecord]) -> FormResult {
    let form: Result<Form, String> = library::read(&file).map_err(|problems| problems.to_string());
    let xform = form.as_ref().ok().zip(library::WRITER).map(|(form, write)| write(form));
    let differences = match (&xform, &conversion) {
        (Some(ours), Ok(theirs)) => compare(ours, &theirs.plain),
        _ => Vec::new(),
    };
    let reason = |difference: &Difference| {
        JUSTIFIED
            .iter()
            .position(|reason| reason.covers(&file.name, difference))
    };
    FormResult {
        differences: differences
            .into_iter()
            .map(|difference| {
                let reason = reason(&difference);
                (difference, reason)
            })
            .collect(),
        filled: form.as_ref().map_err(Clone::clone).and_then(library::fill),
        read: form.map(|_| ()),
        web_forms: web_forms_objection(&file.name, &conversion, recorded),
        xform,
        conversion,
        valid: false,
        file,
    }
}

fn refusal_result(file: &FormFile, conversion: Conversion) -> RefusalResult {
    let form = broken_forms().into_iter().find(|form| form.name == file.name);
    let message = library::read(file)
        .err()
        .map(|problems| (problems.to_string(), problems.vietnamese()));
    RefusalResult {
        form: form.unwrap_or_else(|| panic!("refused.csv does not name {}", file.name)),
        message,
        conversion,
        invalid: false,
    }
}

/// The reasons that no difference has.
pub(crate) fn unused_reasons(forms: &[FormResult]) -> Vec<usize> {
    let used: BTreeSet<usize> = forms
        .iter()
        .flat_map(|form| form.differences.iter().filter_map(|(_, reason)| *reason))
        .collect();
    (0..JUSTIFIED.len()).filter(|reason| !used.contains(reason)).collect()
}
