//! Whether every `${question}` in a workbook exists, whatever column it stands in.

use std::collections::HashMap;

use super::headings::{self, Columns};
use crate::model::lexical;
use crate::model::{FormNode, FormProblem, INSTANCE_ID, Metadata, NodeKind, Place, ProblemKind, nearest_name};
use crate::workbook::{Sheet, Workbook};

/// Checks the sheets whose texts may refer to questions; `has_identity` says whether filled forms have one, which may be
/// referred to as `${instanceID}`.
pub(super) fn check(workbook: &Workbook, nodes: &[FormNode], has_identity: bool, problems: &mut Vec<FormProblem>) {
    let mut rows: HashMap<&str, Vec<u32>> = HashMap::new();
    for node in nodes {
        rows.entry(&node.name).or_default().push(node.row);
    }
    let names = Names { rows, has_identity };
    // A choice's further columns may hold anything; only its texts refer to questions.
    let is_shown = |parts: &[String]| matches!(parts[0].as_str(), "label" | "media");
    let not_name = |parts: &[String]| !matches!(parts[0].as_str(), "type" | "name" | "trigger");
    let not_list = |parts: &[String]| !matches!(parts[0].as_str(), "dataset" | "repeat");
    type Refers<'r> = &'r dyn Fn(&[String]) -> bool;
    let sheets: [(&str, &Columns, Refers<'_>); 4] = [
        ("settings", &headings::SETTINGS, &|_| true),
        ("survey", &headings::SURVEY, &not_name),
        ("choices", &headings::CHOICES, &is_shown),
        ("entities", &headings::ENTITIES, &not_list),
    ];
    for (name, columns, refers) in sheets {
        if let Some(sheet) = workbook.sheet(name) {
            names.check_sheet(sheet, columns, refers, problems);
        }
    }
    for node in nodes.iter().filter(|node| !node.is_container()) {
        for trigger in &node.triggers {
            let mut questions = nodes
                .iter()
                .filter(|other| other.name == *trigger && !other.is_container());
            let kind = match questions.next() {
                None => names.unknown(trigger),
                Some(question) if question.is_visible() || is_background_geopoint(node) => continue,
                Some(_) => ProblemKind::HiddenTrigger(trigger.clone()),
            };
            problems.push(FormProblem {
                place: Place::new("survey", Some(node.row), Some("trigger")),
                kind,
            });
        }
    }
}

fn is_background_geopoint(node: &FormNode) -> bool {
    node.kind == NodeKind::Metadata(Metadata::BackgroundGeopoint)
}

struct Names<'a> {
    /// The rows of each name.
    rows: HashMap<&'a str, Vec<u32>>,
    has_identity: bool,
}

impl Names<'_> {
    fn unknown(&self, name: &str) -> ProblemKind {
        ProblemKind::UnknownQuestion {
            name: name.to_owned(),
            nearest: nearest_name(name, self.rows.keys().copied()),
        }
    }

    fn check_sheet(
        &self,
        sheet: &Sheet,
        columns: &Columns,
        refers: &dyn Fn(&[String]) -> bool,
        problems: &mut Vec<FormProblem>,
    ) {
        let headings = columns.headings(sheet, &mut Vec::new());
        for row in &sheet.rows {
            for (column, text) in &row.cells {
                let Some(heading) = headings.get(column).filter(|heading| refers(&heading.parts)) else {
                    continue;
                };
                for kind in self.problems_of(text) {
                    problems.push(FormProblem {
                        place: Place::new(&sheet.name, Some(row.number), Some(&heading.written)),
                        kind,
                    });
                }
            }
        }
    }

    fn problems_of(&self, text: &str) -> Vec<ProblemKind> {
        let mut found = Vec::new();
        if let Some(place) = lexical::malformed_reference(text) {
            found.push(ProblemKind::MalformedReference(text[..place].chars().count() + 1));
        }
        for reference in lexical::references(text) {
            match self.rows.get(reference.name).map(Vec::as_slice) {
                Some([_]) => {}
                None if reference.name == INSTANCE_ID && self.has_identity => {}
                None | Some([]) => found.push(self.unknown(reference.name)),
                Some(rows) => found.push(ProblemKind::AmbiguousReference {
                    name: reference.name.to_owned(),
                    rows: rows.to_vec(),
                }),
            }
        }
        found
    }
}
