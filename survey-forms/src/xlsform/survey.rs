//! The sheet `survey`: one row for each question, note, calculation, and beginning or end of a group or repeat.

use std::collections::BTreeMap;

use super::cells::{Cells, Cleaning};
use super::drafts::{Draft, flatten, unroll};
use super::headings::{self, Heading};
use super::languages::Languages;
use super::report::Reporter;
use super::selects::{self, TableList};
use super::types::{self, Container, QuestionType, RowType};
use super::{parameters, range};
use crate::Phrase;
use crate::model::lexical;
use crate::model::{
    Advice, Choice, ChoiceLists, EntityProblem, FormNode, Metadata, NodeKind, ProblemKind, Settings, Translations,
    UNTYPED,
};
use crate::workbook::Sheet;

/// What the other sheets say that rows of this one depend on; rows may add to it.
pub(super) struct Surroundings<'a> {
    pub(super) settings: &'a mut Settings,
    pub(super) languages: &'a mut Languages,
    pub(super) choices: &'a mut ChoiceLists,
    pub(super) external_choices: &'a ChoiceLists,
    pub(super) cleaning: Cleaning,
    /// Whether a choice "none" is added to every `select_multiple` (a setting of old forms).
    pub(super) adds_none: bool,
}

/// Reads the rows in order.
pub(super) fn read(sheet: &Sheet, surroundings: Surroundings<'_>, reporter: &mut Reporter<'_>) -> Vec<FormNode> {
    let headings = headings::SURVEY.headings(sheet, reporter.problems);
    let cleaning = surroundings.cleaning;
    let mut rows = Rows {
        reporter,
        surroundings,
        done: Vec::new(),
        open: Vec::new(),
        table_list: None,
    };
    for row in &sheet.rows {
        rows.row(Cells::new(row, &headings, cleaning), &headings);
    }
    rows.close_all();
    flatten(rows.done)
}

/// A group, repeat or loop whose end has not come yet.
struct Open {
    container: Container,
    draft: Draft,
    /// The choices that a loop runs over.
    over: Vec<Choice>,
}

struct Rows<'a, 'p> {
    reporter: &'a mut Reporter<'p>,
    surroundings: Surroundings<'a>,
    done: Vec<Draft>,
    open: Vec<Open>,
    /// The table that the rows stand in: a group with the appearance `table-list`.
    table_list: Option<TableList>,
}

impl Rows<'_, '_> {
    fn add(&mut self, draft: impl Into<Draft>) {
        let siblings = self.open.last_mut().map(|open| &mut open.draft.children);
        siblings.unwrap_or(&mut self.done).push(draft.into());
    }

    fn row(&mut self, mut cells: Cells<'_>, headings: &BTreeMap<u32, Heading>) {
        let row = cells.row;
        if let Some(disabled) = cells.take(&["disabled"]) {
            self.reporter
                .warn(row, "disabled", ProblemKind::Advice(Advice::Disabled));
            if is_yes(&disabled) {
                return;
            }
        }
        if cells.is_empty() {
            return;
        }
        let Some(written) = cells.take(&["type"]) else {
            if cells.has("name") || cells.has("label") {
                let what = Phrase::new("the type of the question", "loại câu hỏi");
                self.reporter.report(row, "type", ProblemKind::MissingValue(what));
                self.keep_name(&mut cells);
            } else {
                self.reporter.warn(row, "type", ProblemKind::Advice(Advice::CommentRow));
            }
            return;
        };
        match types::read(&written) {
            Ok(RowType::Setting(setting)) => self.setting(setting, cells.take(&["name"]).unwrap_or_default()),
            Ok(RowType::End(container)) => {
                if cells.take(&["bind", "entities:saveto"]).is_some() {
                    let kind = ProblemKind::Entity(EntityProblem::PropertyOfGroup);
                    self.reporter.report(row, "save_to", kind);
                }
                self.end(row, container);
            }
            Ok(RowType::Begin(kind)) => {
                let container = match kind {
                    NodeKind::Repeat => Container::Repeat,
                    _ => Container::Group,
                };
                self.begin(cells, container, kind, Vec::new());
            }
            Ok(RowType::BeginLoop(list)) => {
                let over = self.loop_choices(row, list);
                self.begin(cells, Container::Loop, NodeKind::Group, over);
            }
            Ok(RowType::Select(select)) => self.select(cells, select),
            Ok(RowType::Question(question)) => self.question(cells, question, headings),
            Err(problem) => {
                self.reporter.report(row, "type", problem);
                self.keep_name(&mut cells);
            }
        }
    }

    /// The name of a row that cannot be read still counts, so that references to it are not reported as unknown.
    fn keep_name(&mut self, cells: &mut Cells<'_>) {
        if let Some(name) = cells.take(&["name"]) {
            let mut node = FormNode::new(name, NodeKind::Hidden, None);
            node.row = cells.row;
            self.add(node);
        }
    }

    fn setting(&mut self, setting: &str, value: String) {
        let settings = &mut self.surroundings.settings;
        match setting {
            "title" => settings.title = value,
            "id_string" => settings.form_id = value,
            _ => settings.compact_prefix = Some(value),
        }
    }

    fn name(&mut self, cells: &mut Cells<'_>, kind: &NodeKind) -> Option<String> {
        let row = cells.row;
        let name = cells.take(&["name"]);
        match kind {
            NodeKind::Metadata(Metadata::Audit) => {
                if name.is_some_and(|name| name != AUDIT_NAME) {
                    self.reporter.report(row, "name", ProblemKind::AuditName);
                }
                return Some(AUDIT_NAME.to_owned());
            }
            NodeKind::Note if name.is_none() => return Some(format!("generated_note_name_{row}")),
            _ => {}
        }
        if name.is_none() {
            let what = Phrase::new("the name of the question", "tên câu hỏi");
            self.reporter.report(row, "name", ProblemKind::MissingValue(what));
        }
        name
    }

    /// The node of a row whose type and name are taken; takes every other cell.
    fn node(&mut self, name: String, kind: NodeKind, mut cells: Cells<'_>) -> FormNode {
        let row = cells.row;
        let languages = &mut *self.surroundings.languages;
        let mut node = FormNode::new(name, kind, None);
        node.row = row;
        node.label = cells.translations(&["label"], languages);
        node.hint = cells.translations(&["hint"], languages);
        node.guidance_hint = cells.translations(&["guidance_hint"], languages);
        node.media = cells.media(languages);
        node.required = cells.take(&["bind", "required"]).map(yes_or_expression);
        node.required_message = cells.translations(&["bind", "jr:requiredMsg"], languages);
        node.relevant = cells.take(&["bind", "relevant"]).map(yes_or_expression);
        node.constraint = cells.take(&["bind", "constraint"]).map(yes_or_expression);
        node.constraint_message = cells.translations(&["bind", "jr:constraintMsg"], languages);
        node.no_app_message = cells.translations(&["bind", "jr:noAppErrorString"], languages);
        node.calculation = cells.take(&["bind", "calculate"]).map(yes_or_expression);
        node.read_only = cells.take(&["bind", "readonly"]).map(yes_or_expression);
        node.save_to = cells.take(&["bind", "entities:saveto"]);
        node.appearance = cells.take(&["control", "appearance"]);
        node.repeat_count = cells.take(&["control", "jr:count"]);
        if node.appearance.as_deref() == Some("label") && node.label.is_empty() {
            // The question heads a table of others and may itself have nothing to say.
            node.label = Translations::plain(" ");
        }
        node.default = cells.take(&["default"]);
        node.choice_filter = cells.take(&["choice_filter"]);
        if let Some(written) = cells.take(&["parameters"]) {
            match parameters::read(&written) {
                Some(parameters) => node.parameters = parameters,
                None => self
                    .reporter
                    .report(row, "parameters", ProblemKind::MalformedParameters),
            }
        }
        if let Some(written) = cells.take(&["trigger"]) {
            node.triggers = self.triggers(row, &written);
        }
        if node.is_container()
            && let Some(intent) = cells.take(&["intent"])
        {
            node.attributes.control.insert("intent".to_owned(), intent);
        }
        node.attributes.bind = cells.attributes("bind");
        node.attributes.control.extend(cells.attributes("control"));
        node.attributes.instance = cells.attributes("instance");
        node.other = cells.rest().collect();
        node
    }

    /// `${a}, ${b}`: names of questions.
    fn triggers(&mut self, row: u32, written: &str) -> Vec<String> {
        let mut names = Vec::new();
        for part in written.split(',') {
            let mut references = lexical::references(part);
            match (references.next(), references.next(), lexical::malformed_reference(part)) {
                (Some(reference), None, None) => names.push(reference.name.to_owned()),
                (None, None, None) if part.trim().is_empty() => {}
                _ => self
                    .reporter
                    .report(row, "trigger", ProblemKind::BadTrigger(part.trim().to_owned())),
            }
        }
        names
    }

    fn question(&mut self, mut cells: Cells<'_>, question: QuestionType, headings: &BTreeMap<u32, Heading>) {
        let row = cells.row;
        let Some(name) = self.name(&mut cells, &question.kind) else {
            return;
        };
        let mut node = self.node(name, question.kind, cells);
        if node.constraint.is_none() {
            node.constraint = question.constraint.map(str::to_owned);
        }
        if let Some(hint) = question.hint
            && node.hint.is_empty()
        {
            node.hint = Translations::plain(hint);
        }
        if question.untyped {
            node.attributes.bind.insert(UNTYPED.to_owned(), String::new());
        }
        parameters::check(&node, false, self.reporter);
        match node.kind {
            NodeKind::Range => range::check(&node, self.surroundings.choices, self.reporter),
            NodeKind::Calculate if node.calculation.is_none() && !node.has_dynamic_default() => {
                self.reporter
                    .report(row, "calculation", ProblemKind::MissingCalculation);
            }
            NodeKind::Metadata(Metadata::SubscriberId | Metadata::SimSerial) => {
                self.reporter
                    .warn(row, "type", ProblemKind::Advice(Advice::NoLongerGiven));
            }
            NodeKind::Metadata(Metadata::BackgroundGeopoint) => {
                if node.triggers.is_empty() {
                    let what = Phrase::new("the question that triggers it", "câu hỏi kích hoạt");
                    self.reporter.report(row, "trigger", ProblemKind::MissingValue(what));
                }
                if node.calculation.is_some() {
                    self.reporter
                        .report(row, "calculation", ProblemKind::CalculatedGeopoint);
                }
            }
            NodeKind::Image if !node.parameters.contains_key("max-pixels") => {
                let has_column = headings.values().any(|heading| heading.parts[0] == "parameters");
                let column = if has_column { "parameters" } else { "type" };
                self.reporter
                    .warn(row, column, ProblemKind::Advice(Advice::LargePictures));
            }
            _ => {}
        }
        self.check_texts(&node);
        self.add(node);
    }

    fn select(&mut self, mut cells: Cells<'_>, select: types::SelectType) {
        let row = cells.row;
        let kind = select.kind();
        let Some(name) = self.name(&mut cells, &kind) else {
            return;
        };
        let mut node = self.node(name, kind, cells);
        parameters::check(&node, select.from_file, self.reporter);
        selects::check(&node, &select, &mut self.surroundings, self.reporter);
        let other = select
            .or_other
            .then(|| selects::specify_other(&node, self.surroundings.choices));
        if self.surroundings.adds_none {
            selects::add_none(&mut node, self.surroundings.choices);
        }
        if let Some(table) = &mut self.table_list {
            let header = table.head(&mut node, &select, row, self.reporter);
            if let Some(header) = header {
                self.add(header);
            }
        }
        self.check_texts(&node);
        self.add(node);
        if let Some(other) = other {
            self.add(other);
        }
    }

    fn loop_choices(&mut self, row: u32, list: Option<String>) -> Vec<Choice> {
        let problem = match &list {
            None => ProblemKind::MissingList("begin loop over"),
            Some(list) => match self.surroundings.choices.get(list) {
                Some(choices) => return choices.clone(),
                None => ProblemKind::UnknownList(list.clone()),
            },
        };
        self.reporter.report(row, "type", problem);
        Vec::new()
    }

    fn begin(&mut self, mut cells: Cells<'_>, container: Container, kind: NodeKind, over: Vec<Choice>) {
        let row = cells.row;
        // Without a name the rows inside would be reported too; it gets one for the time being.
        let name = self.name(&mut cells, &kind).unwrap_or_else(|| format!("row_{row}"));
        let mut node = self.node(name, kind, cells);
        if node.kind == NodeKind::Repeat && node.label.is_empty() && node.media.is_empty() {
            self.reporter
                .warn(row, "label", ProblemKind::Advice(Advice::RepeatWithoutLabel));
        }
        let mut children = Vec::new();
        if node.has_appearance(TABLE_LIST) {
            self.table_list = Some(TableList::default());
            children.extend(selects::table_label(&mut node).map(Draft::from));
        }
        self.open.push(Open {
            container,
            draft: Draft { node, children },
            over,
        });
    }

    fn end(&mut self, row: u32, container: Container) {
        match self.open.last() {
            Some(open) if open.container == container => {
                self.table_list = None;
                let Some(mut open) = self.open.pop() else { return };
                if open.container == Container::Loop {
                    open.draft.children = unroll(&open.draft.children, &open.over);
                }
                self.add(open.draft);
            }
            open => {
                let open = open.map(|open| begin_and_end(open.container).1);
                let found = begin_and_end(container).1;
                self.reporter
                    .report(row, "type", ProblemKind::UnexpectedEnd { found, open });
            }
        }
    }

    fn close_all(&mut self) {
        while let Some(open) = self.open.pop() {
            let (begin, end) = begin_and_end(open.container);
            let row = open.draft.node.row;
            self.reporter.report(row, "type", ProblemKind::NeverClosed(begin, end));
            self.add(open.draft);
        }
    }

    /// Whether people can tell what a question asks.
    fn check_texts(&mut self, node: &FormNode) {
        let has_text = !node.label.is_empty() || !node.media.is_empty() || !node.hint.is_empty();
        let is_shown = node.is_asked() || node.kind == NodeKind::Note;
        let is_computed =
            (node.calculation.is_some() || !node.triggers.is_empty()) && node.label.is_empty() && node.hint.is_empty();
        if is_shown && !is_computed && !has_text {
            let what = Phrase::new("the text to show", "nội dung hiển thị");
            self.reporter.report(node.row, "label", ProblemKind::MissingValue(what));
        }
        use crate::model::MediaKind;
        if node.media.contains_key(&MediaKind::BigImage) && !node.media.contains_key(&MediaKind::Image) {
            self.reporter.report(node.row, "big-image", ProblemKind::BigImageAlone);
        }
    }
}

/// The appearance of a group whose selects share one list and are shown as a table.
pub(super) const TABLE_LIST: &str = "table-list";

/// The name that the log of filling always has (ODK XForms, "Metadata").
const AUDIT_NAME: &str = "audit";

fn begin_and_end(container: Container) -> (&'static str, &'static str) {
    match container {
        Container::Repeat => ("begin_repeat", "end_repeat"),
        Container::Group => ("begin_group", "end_group"),
        Container::Loop => ("begin_loop", "end_loop"),
    }
}

/// Whether a cell says yes.
pub(super) fn is_yes(written: &str) -> bool {
    matches!(written, "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "true()")
}

/// `yes` and `no` as XLSForm authors write them, or an expression.
fn yes_or_expression(written: String) -> String {
    match written.as_str() {
        "no" | "No" | "NO" | "false" | "False" | "FALSE" => "false()".to_owned(),
        _ if is_yes(&written) => "true()".to_owned(),
        _ => written,
    }
}
