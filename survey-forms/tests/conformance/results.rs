//! What happened to each test form: the evidence behind every cell of the report.

use std::collections::BTreeSet;
use std::path::Path;

use survey_forms::model::{Form, FormProblems};

use super::comparison::{Difference, compare};
use super::justified::JUSTIFIED;
use super::library;
use super::oracles::{Conversion, odk_validate, pyxform, web_forms};
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
    /// What ODK Web Forms says against the library's XForm; None where it opens it.
    pub(crate) web_forms: Option<String>,
    /// Whether ODK Validate accepts what the library wrote, or pyxform's XForm where it wrote none.
    pub(crate) valid: bool,
}

/// What happened to a form that must be refused, or at least warned of.
pub(crate) struct RefusalResult {
    pub(crate) form: BrokenForm,
    /// What the library said, in English and Vietnamese: why it refuses the form, else what it warns of.
    pub(crate) message: Option<(String, String)>,
    /// What the library wrote, where it does not refuse the form.
    pub(crate) xform: Option<String>,
    /// Whether ODK Validate accepts what the library wrote.
    pub(crate) ours_is_valid: bool,
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

    /// Whether ODK Web Forms opens the library's XForm.
    pub(crate) fn agrees_with_web_forms(&self) -> bool {
        self.xform.is_some() && self.web_forms.is_none()
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

    let mut forms: Vec<FormResult> = files
        .into_iter()
        .zip(oracle.conversions)
        .map(|(file, conversion)| form_result(file, conversion))
        .collect();
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
    let ours: Vec<(&str, &str)> = forms
        .iter()
        .filter_map(|form| Some((form.file.name.as_str(), form.xform.as_deref()?)))
        .collect();
    let mut objections = web_forms(&ours);
    let (refused_of_ours, validator_said_of_ours) = odk_validate(&oracle.validator, &xforms_of_broken_forms(&refusals));
    for form in &mut forms {
        form.valid = !refused.contains(&form.file.name);
        form.web_forms = objections.remove(&form.file.name).flatten();
    }
    for refusal in &mut refusals {
        refusal.invalid = refused.contains(&refusal.form.name);
        refusal.ours_is_valid = refusal.xform.is_some() && !refused_of_ours.contains(&refusal.form.name);
    }
    let validator_said = format!("{validator_said}\n{validator_said_of_ours}");
    Results {
        forms,
        refusals,
        validator_said,
    }
}

fn form_result(file: FormFile, conversion: Conversion) -> FormResult {
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
        web_forms: None,
        xform,
        conversion,
        valid: false,
        file,
    }
}

fn refusal_result(file: &FormFile, conversion: Conversion) -> RefusalResult {
    let form = broken_forms().into_iter().find(|form| form.name == file.name);
    let read = library::read_with_warnings(file);
    let said = match &read {
        Err(problems) => Some(problems.clone()),
        Ok(reading) if reading.warnings.is_empty() => None,
        Ok(reading) => Some(FormProblems(reading.warnings.clone())),
    };
    RefusalResult {
        form: form.unwrap_or_else(|| panic!("refused.csv does not name {}", file.name)),
        message: said.map(|problems| (problems.to_string(), problems.vietnamese())),
        xform: read
            .ok()
            .zip(library::WRITER)
            .map(|(reading, write)| write(&reading.form)),
        ours_is_valid: false,
        conversion,
        invalid: false,
    }
}

fn xforms_of_broken_forms(refusals: &[RefusalResult]) -> Vec<(&str, &str)> {
    let written = refusals.iter();
    written
        .filter_map(|refusal| Some((refusal.form.name.as_str(), refusal.xform.as_deref()?)))
        .collect()
}

/// The reasons that no difference has.
pub(crate) fn unused_reasons(forms: &[FormResult]) -> Vec<usize> {
    let used: BTreeSet<usize> = forms
        .iter()
        .flat_map(|form| form.differences.iter().filter_map(|(_, reason)| *reason))
        .collect();
    (0..JUSTIFIED.len()).filter(|reason| !used.contains(reason)).collect()
}
