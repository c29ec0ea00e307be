//! The test forms, and definitions without what an XForm cannot say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use survey_forms::model::{ChoiceSource, Form, FormDefinition, FormNode, Metadata, NodeKind, Settings, Translations};

/// A test form that the library reads.
pub(crate) struct TestForm {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) form: Form,
}

/// The test forms that the library reads, and the names of those that it does not.
pub(crate) fn read_all() -> (Vec<TestForm>, Vec<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/forms");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    paths.sort();
    let (mut forms, mut refused) = (Vec::new(), Vec::new());
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let file_name = format!("{name}.md");
        match survey_forms::xlsform::read_file(&bytes, Some(&file_name)) {
            Ok(reading) => forms.push(TestForm {
                name,
                path,
                form: reading.form,
            }),
            Err(_) => refused.push(name),
        }
    }
    (forms, refused)
}
