//! The sheet `survey`: one row for each question, note, calculation, and beginning or end of a group or repeat.

use std::collections::BTreeMap;

use super::columns::{Cells, Languages, headings};
use crate::Phrase;
use crate::model::{FormNode, FormProblem, Metadata, NodeKind, Place, ProblemKind, QUESTION_TYPES};
use crate::workbook::{Row, Sheet};

/// The types that take no further words, with the ways to write them.
const SIMPLE_TYPES: [(&[&str], NodeKind); 13] = [
    (&["text", "string"], NodeKind::Text),
    (&["integer", "int"], NodeKind::Integer),
    (&["decimal"], NodeKind::Decimal),
    (&["date"], NodeKind::Date),
    (&["geopoint", "gps", "location"], NodeKind::Geopoint),
    (&["note"], NodeKind::Note),
    (&["calculate"], NodeKind::Calculate),
    (&["hidden"], NodeKind::Hidden),
    (&["acknowledge", "trigger"], NodeKind::Acknowledge),
    (&["start"], NodeKind::Metadata(Metadata::Start)),
    (&["end"], NodeKind::Metadata(Metadata::End)),
    (&["today"], NodeKind::Metadata(Metadata::Today)),
    (&["deviceid", "imei"], NodeKind::Metadata(Metadata::DeviceId)),
];

/// What a cell of the column `type` says.
enum RowType {
    Question(NodeKind),
    Begin(NodeKind),
    End(NodeKind),
}

/// Reads the rows in order; rows without a type are skipped, as pyxform does where they are empty.
pub(super) fn read(sheet: &Sheet, languages: &mut Languages, problems: &mut Vec<FormProblem>) -> Vec<FormNode> {
    let headings = headings(sheet, languages, problems);
    for column in ["type", "name"] {
        if !headings.values().any(|heading| heading.name == column) {
            problems.push(FormProblem {
                place: Place::new(&sheet.name, None, None),
                kind: ProblemKind::MissingColumn(column),
            });
        }
    }
    let mut reader = Rows {
        sheet: &sheet.name,
        problems,
        nodes: Vec::new(),
        open: Vec::new(),
    };
    for row in &sheet.rows {
        reader.row(row, Cells::new(row, &headings), languages);
    }
    reader.close_all();
    reader.nodes
}

struct Rows<'a> {
    sheet: &'a str,
    problems: &'a mut Vec<FormProblem>,
    nodes: Vec<FormNode>,
    /// The positions of the groups and repeats that are open, outermost first.
    open: Vec<usize>,
}

impl Rows<'_> {
    fn report(&mut self, row: u32, column: &str, kind: ProblemKind) {
        self.problems.push(FormProblem {
            place: Place::new(self.sheet, Some(row), Some(column)),
            kind,
        });
    }

    fn row(&mut self, row: &Row, mut cells: Cells<'_>, languages: &mut Languages) {
        let Some(written) = cells.take("type") else {
            if let Some(name) = cells.take("name") {
                self.report(
                    row.number,
                    "type",
                    ProblemKind::MissingValue(Phrase::new("the type of the question", "loại câu hỏi")),
                );
                // The name still counts, so that references to it are not reported as unknown.
                let parent = self.open.last().copied();
                let mut node = FormNode::new(name, NodeKind::Text, parent);
                node.row = row.number;
                self.nodes.push(node);
            }
            return;
        };
        let kind = match row_type(written) {
            Ok(RowType::End(kind)) => return self.end(row.number, &kind),
            Ok(RowType::Begin(kind) | RowType::Question(kind)) => kind,
            Err(problem) => {
                self.report(row.number, "type", problem);
                NodeKind::Text
            }
        };
        let Some(name) = cells.take("name") else {
            self.report(
                row.number,
                "name",
                ProblemKind::MissingValue(Phrase::new("the name of the question", "tên câu hỏi")),
            );
            if matches!(kind, NodeKind::Group | NodeKind::Repeat) {
                let parent = self.open.last().copied();
                let mut node = FormNode::new(format!("row_{}", row.number), kind, parent);
                node.row = row.number;
                self.open.push(self.nodes.len());
                self.nodes.push(node);
            }
            return;
        };
        let mut node = FormNode::new(name, kind, self.open.last().copied());
        node.row = row.number;
        node.label = cells.translations("label", languages);
        node.hint = cells.translations("hint", languages);
        node.required = cells.take("required").and_then(yes_or_expression);
        node.required_message = cells.translations("required_message", languages);
        node.relevant = cells.take("relevant").map(expression_text);
        node.constraint = cells.take("constraint").map(expression_text);
        node.constraint_message = cells.translations("constraint_message", languages);
        node.calculation = cells.take("calculation").map(expression_text);
        node.default = cells.take("default").map(expression_text);
        node.appearance = cells.take("appearance").map(str::to_owned);
        node.read_only = cells.take("read_only").and_then(yes_or_expression);
        node.choice_filter = cells.take("choice_filter").map(expression_text);
        node.repeat_count = cells.take("repeat_count").map(expression_text);
        node.parameters = parameters(cells.take("parameters").unwrap_or_default());
        node.other = cells.rest();
        if node.label.is_empty() && needs_label(&node) {
            self.report(
                row.number,
                "label",
                ProblemKind::MissingValue(Phrase::new("the text to show", "nội dung hiển thị")),
            );
        }
        if node.is_container() {
            self.open.push(self.nodes.len());
        }
        self.nodes.push(node);
    }

    fn end(&mut self, row: u32, kind: &NodeKind) {
        let open = self.open.last().and_then(|position| self.nodes.get(*position));
        match open {
            Some(node) if node.kind == *kind => {
                self.open.pop();
            }
            open => {
                let open = open.map(|node| begin_and_end(&node.kind).1);
                let found = begin_and_end(kind).1;
                self.report(row, "type", ProblemKind::UnexpectedEnd { found, open });
            }
        }
    }

    fn close_all(&mut self) {
        for position in std::mem::take(&mut self.open) {
            if let Some(node) = self.nodes.get(position) {
                let (row, (begin, end)) = (node.row, begin_and_end(&node.kind));
                self.report(row, "type", ProblemKind::NeverClosed(begin, end));
            }
        }
    }
}

fn begin_and_end(kind: &NodeKind) -> (&'static str, &'static str) {
    match kind {
        NodeKind::Repeat => ("begin_repeat", "end_repeat"),
        _ => ("begin_group", "end_group"),
    }
}

/// Whether people could not answer the row without a text: a calculated value and a group may do without.
fn needs_label(node: &FormNode) -> bool {
    (node.is_asked() && node.calculation.is_none()) || node.kind == NodeKind::Note
}

fn row_type(written: &str) -> Result<RowType, ProblemKind> {
    let words: Vec<&str> = written.split_whitespace().collect();
    // `begin group` and `begin_group`, `select one yes_no` and `select_one yes_no` are the same.
    let (joined, rest): (String, &[&str]) = match words.as_slice() {
        [first @ ("begin" | "end"), second, rest @ ..] => (format!("{first}_{second}"), rest),
        ["select", second @ ("one" | "multiple"), rest @ ..] => (format!("select_{second}"), rest),
        [first, rest @ ..] => ((*first).to_owned(), rest),
        [] => (String::new(), &[]),
    };
    let kind = match joined.to_lowercase().as_str() {
        "begin_group" => return Ok(RowType::Begin(NodeKind::Group)),
        "begin_repeat" => return Ok(RowType::Begin(NodeKind::Repeat)),
        "end_group" => return Ok(RowType::End(NodeKind::Group)),
        "end_repeat" => return Ok(RowType::End(NodeKind::Repeat)),
        "select_one" | "select1" => {
            let list = select_list("select_one", written, rest)?;
            return Ok(RowType::Question(NodeKind::SelectOne { list }));
        }
        "select_multiple" => {
            let list = select_list("select_multiple", written, rest)?;
            return Ok(RowType::Question(NodeKind::SelectMultiple { list }));
        }
        simple => SIMPLE_TYPES
            .iter()
            .find(|(ways, _)| ways.contains(&simple) && rest.is_empty())
            .map(|(_, kind)| kind.clone()),
    };
    match kind {
        Some(kind) => Ok(RowType::Question(kind)),
        None => Err(unknown_type(written)),
    }
}

fn select_list(kind: &'static str, written: &str, rest: &[&str]) -> Result<String, ProblemKind> {
    match rest {
        [] => Err(ProblemKind::MissingList(kind)),
        [list] => Ok((*list).to_owned()),
        _ => Err(unknown_type(written)),
    }
}

fn unknown_type(written: &str) -> ProblemKind {
    let word = written.split_whitespace().next().unwrap_or_default();
    ProblemKind::UnknownType {
        found: written.to_owned(),
        nearest: crate::model::nearest_name(word, QUESTION_TYPES.into_iter()),
    }
}

/// `yes` and `no` as XLSForm authors write them, or an expression; `no` is the same as nothing.
fn yes_or_expression(written: &str) -> Option<String> {
    match written.to_lowercase().as_str() {
        "yes" | "true" | "true()" => Some("true()".to_owned()),
        "no" | "false" | "false()" => None,
        _ => Some(expression_text(written)),
    }
}

/// An expression without the curly quotes that spreadsheet programs put in place of straight ones.
fn expression_text(written: &str) -> String {
    written
        .replace(['\u{2018}', '\u{2019}'], "'")
        .replace(['\u{201c}', '\u{201d}'], "\"")
}

/// Reads `name=value name=value`; commas and semicolons separate too.
fn parameters(written: &str) -> BTreeMap<String, String> {
    written
        .split([' ', ',', ';'])
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}
