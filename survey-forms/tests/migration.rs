//! Versions of a form: what a difference says, how old answers are read, and that none is ever lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

#[path = "migration/differences.rs"]
mod differences;
#[path = "migration/laws.rs"]
mod laws;
#[path = "migration/reading.rs"]
mod reading;

use survey_forms::model::{Choice, Form, FormDefinition, FormNode, Language, NodeKind, Settings, Translations};

/// A form of these rows, with a list `colours`.
fn form(nodes: Vec<FormNode>) -> Form {
    Form::compile(definition(nodes)).unwrap()
}

fn definition(nodes: Vec<FormNode>) -> FormDefinition {
    FormDefinition {
        settings: Settings {
            form_id: "household".to_owned(),
            version: "1".to_owned(),
            root_name: Settings::DEFAULT_ROOT_NAME.to_owned(),
            ..Settings::default()
        },
        languages: vec![Language {
            code: "vi".to_owned(),
            name: "Tiếng Việt (vi)".to_owned(),
        }],
        nodes,
        choices: [("colours".to_owned(), ["red", "green", "blue"].map(choice).to_vec())].into(),
        external_choices: Default::default(),
        osm_tags: Default::default(),
        entities: Vec::new(),
    }
}

fn choice(name: &str) -> Choice {
    Choice {
        name: name.to_owned(),
        label: Translations::plain(name),
        media: Default::default(),
        other: Default::default(),
        row: 0,
    }
}

fn row(name: &str, kind: NodeKind) -> FormNode {
    let mut row = FormNode::new(name, kind, None);
    row.label = Translations::plain(name);
    row
}

fn within(parent: usize, mut row: FormNode) -> FormNode {
    row.parent = Some(parent);
    row
}

fn renamed(former: &str, mut row: FormNode) -> FormNode {
    row.other.insert("renamed_from".to_owned(), former.to_owned());
    row
}

fn one_colour() -> NodeKind {
    NodeKind::SelectOne {
        list: "colours".to_owned(),
    }
}

fn colours() -> NodeKind {
    NodeKind::SelectMultiple {
        list: "colours".to_owned(),
    }
}
