//! The data that a form's expressions and choices look into besides its answers: its own lists, the files that come with
//! it, and the form saved last (ODK XForms specification, "Secondary instances").

use std::sync::Arc;

use thiserror::Error;

use crate::answers::{AnswerPath, Answers};
use crate::model::{DataFile, Form, is_translated_list};
use crate::xpath::functions::LAST_SAVED_INSTANCE;
use crate::xpath::{Expression, SecondaryInstanceError, SecondaryInstances, SecondaryInstancesBuilder};

/// Data beside a form; cheap to share between sessions.
#[derive(Debug, Clone, Default)]
pub struct FormData {
    instances: Arc<SecondaryInstances>,
}

/// Why data cannot be used.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum FormDataError {
    /// A file that the form does not use.
    #[error("the form uses no file {0:?}")]
    UnusedFile(String),
    /// A file whose content cannot be read.
    #[error(transparent)]
    Unreadable(#[from] SecondaryInstanceError),
}

impl FormDataError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::UnusedFile(name) => format!("biểu mẫu không dùng tệp {name:?}"),
            Self::Unreadable(error) => error.vietnamese(),
        }
    }
}

impl FormData {
    /// The form's lists together with the texts of files, each as (name, text), and the answers of the form saved last.
    /// [`Form::data_sources`] tells what a form needs.
    ///
    /// # Errors
    /// When the form uses no file of that name, or a text is no CSV, XML or GeoJSON.
    pub fn new(form: &Form, files: &[(&str, &str)], last_saved: Option<&dyn Answers>) -> Result<Self, FormDataError> {
        let mut builder = SecondaryInstancesBuilder::new();
        let sources = form.data_sources();
        for (name, text) in files {
            let source = sources.iter().find(|source| source.file_name() == Some(*name));
            let id = source.ok_or_else(|| FormDataError::UnusedFile((*name).to_owned()))?.id;
            match DataFile::of_name(name) {
                Some(DataFile::Xml) => builder.add_xml(id, text)?,
                Some(DataFile::GeoJson) => builder.add_geojson(id, text)?,
                Some(DataFile::Csv) | None => builder.add_csv(id, text)?,
            }
        }
        if let Some(answers) = last_saved {
            let rows = top_answers(form, answers);
            let row = rows.iter().map(|(name, text)| (name.as_str(), text.as_str()));
            builder.add_rows(LAST_SAVED_INSTANCE, [row])?;
        }
        add_lists(form, &mut builder)?;
        Ok(Self {
            instances: builder.finish(),
        })
    }

    /// The form's own lists, where an expression looks into secondary instances; nothing else would miss them.
    pub(crate) fn own(form: &Form) -> Self {
        let instances = form.lists(|| {
            let mut builder = SecondaryInstancesBuilder::new();
            if form.expressions().any(looks_into_instances) {
                // A list that cannot be an instance (a column of a strange name) is one that no expression can look into.
                let _ = add_lists(form, &mut builder);
            }
            builder.finish()
        });
        Self { instances }
    }

    pub(crate) fn instances(&self) -> Arc<SecondaryInstances> {
        self.instances.clone()
    }
}

fn looks_into_instances(expression: &Expression) -> bool {
    let mut found = false;
    expression.walk(&mut |inner| {
        found |= matches!(inner, Expression::Call(call) if matches!(call.function.name, "instance" | "pulldata"));
    });
    found
}

/// The answers outside every repeat by question.
fn top_answers(form: &Form, answers: &dyn Answers) -> Vec<(String, String)> {
    let rows = form.nodes().iter().enumerate();
    let outside = rows.filter(|(position, node)| !node.is_container() && form.repeat_of(*position).is_none());
    let found = outside.filter_map(|(position, node)| {
        let value = answers.answer(&AnswerPath::top(form.key(position)))?;
        Some((node.name.clone(), value.to_string()))
    });
    found.collect()
}

/// Adds the lists of the form's own sheets as an XForm has them.
fn add_lists(form: &Form, builder: &mut SecondaryInstancesBuilder) -> Result<(), SecondaryInstanceError> {
    for (list, choices) in &form.definition().choices {
        let is_translated = is_translated_list(choices);
        let ids: Vec<String> = (0..choices.len()).map(|index| format!("{list}-{index}")).collect();
        let rows = choices.iter().zip(&ids).map(|(choice, id)| {
            let mut row: Vec<(&str, &str)> = Vec::with_capacity(choice.other.len() + 2);
            if is_translated {
                row.push(("itextId", id));
            }
            row.push(("name", &choice.name));
            if let Some(label) = choice.label.as_plain().filter(|_| !is_translated) {
                row.push(("label", label));
            }
            row.extend(
                choice
                    .other
                    .iter()
                    .map(|(column, text)| (column.as_str(), text.as_str())),
            );
            row
        });
        builder.add_rows(list, rows)?;
    }
    Ok(())
}
