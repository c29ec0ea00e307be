//! What is wrong with a form's expressions.

use super::super::choices::ChoiceSource;
use super::super::definition::{FormDefinition, FormNode};
use super::super::form::Formulas;
use super::super::kind::NodeKind;
use super::super::problem::{FormProblem, Place, ProblemKind};
use super::spelling::nearest;
use super::{Checker, INSTANCE_ID};
use crate::xpath::{self, Axis, BinaryOperator, Expression, NodeTest, Path, PathStart, Severity, parse_and_check};

/// Where an expression stands.
#[derive(Clone, Copy)]
struct Spot<'a> {
    sheet: &'a str,
    row: u32,
    column: &'a str,
    /// The columns that plain names may mean, in the filter of a list.
    columns: Option<&'a [&'a str]>,
    /// The row whose expression it is; none outside the sheet `survey`.
    node: Option<&'a FormNode>,
}

impl Checker<'_> {
    /// Parses and checks the expressions of a row.
    pub(super) fn formulas(&mut self, definition: &FormDefinition, node: &FormNode) -> Formulas {
        if let Some(list) = node.list()
            && !definition.choices.contains_key(list)
        {
            self.report(node.row, "type", ProblemKind::UnknownList(list.to_owned()));
        }
        if node.kind == NodeKind::Calculate && node.calculation.is_none() && node.default.is_none() {
            self.report(node.row, "calculation", ProblemKind::MissingCalculation);
        }
        let default = node.default.as_deref().filter(|_| node.has_dynamic_default());
        let columns = filter_columns(definition, node);
        let mut formula = |column, source: Option<&str>| {
            let spot = Spot {
                sheet: "survey",
                row: node.row,
                column,
                columns: columns.as_deref().filter(|_| column == "choice_filter"),
                node: Some(node),
            };
            self.expression(definition, spot, source?)
        };
        let formulas = Formulas {
            required: formula("required", node.required.as_deref()),
            relevant: formula("relevant", node.relevant.as_deref()),
            constraint: formula("constraint", node.constraint.as_deref()),
            calculation: formula("calculation", node.calculation.as_deref()),
            default: formula("default", default),
            read_only: formula("read_only", node.read_only.as_deref()),
            choice_filter: formula("choice_filter", node.choice_filter.as_deref()),
            repeat_count: formula("repeat_count", node.repeat_count.as_deref()),
        };
        if let Some(Expression::Literal(text)) = &formulas.repeat_count
            && text.trim().parse::<f64>().is_err()
        {
            let kind = ProblemKind::NotACount(text.clone());
            self.warn_in("survey", node.row, "repeat_count", kind);
        }
        formulas
    }

    /// Checks the expressions of the sheets besides `survey`.
    pub(super) fn other_expressions(&mut self, definition: &FormDefinition) {
        let mut check = |sheet, row, column, source: &Option<String>| {
            let spot = Spot {
                sheet,
                row,
                column,
                columns: None,
                node: None,
            };
            if let Some(source) = source {
                self.expression(definition, spot, source);
            }
        };
        check(
            "settings",
            SETTINGS_ROW,
            "instance_name",
            &definition.settings.instance_name,
        );
        for declared in &definition.entities {
            check("entities", declared.row, "entity_id", &declared.entity_id);
            check("entities", declared.row, "create_if", &declared.create_if);
            check("entities", declared.row, "update_if", &declared.update_if);
            check("entities", declared.row, "label", &declared.label);
        }
    }

    fn expression(&mut self, definition: &FormDefinition, spot: Spot<'_>, source: &str) -> Option<Expression> {
        let (expression, findings) = match parse_and_check(source) {
            Ok(parsed) => parsed,
            Err(error) => {
                let source_text = source.to_owned();
                self.report_in(
                    spot.sheet,
                    spot.row,
                    spot.column,
                    ProblemKind::Syntax { error, source_text },
                );
                return None;
            }
        };
        for finding in findings {
            let severity = finding.severity();
            let problem = FormProblem {
                place: Place::new(spot.sheet, Some(spot.row), Some(spot.column)),
                kind: ProblemKind::Finding {
                    finding,
                    source_text: source.to_owned(),
                },
            };
            match severity {
                Severity::Error => self.problems.push(problem),
                Severity::Warning => self.warnings.push(problem),
            }
        }
        let mut names = Names::default();
        names.collect(&expression, spot.columns.is_some());
        for name in names.variables {
            self.report_in(
                spot.sheet,
                spot.row,
                spot.column,
                ProblemKind::Variable(name.to_owned()),
            );
        }
        for name in names.questions {
            if !self.is_known(definition, name) {
                self.report_in(spot.sheet, spot.row, spot.column, self.unknown(name));
            }
        }
        // A filter of a list made of answers is about the instance of each answer.
        let operands = names.operands.into_iter().filter(|_| spot.column != "choice_filter");
        for name in operands {
            if let Some(repeat) = self.repeat_not_shared(definition, spot, name) {
                let kind = ProblemKind::SeveralValues {
                    name: name.to_owned(),
                    repeat: repeat.to_owned(),
                };
                self.report_in(spot.sheet, spot.row, spot.column, kind);
            }
        }
        for name in names.columns {
            let columns = spot.columns.unwrap_or_default();
            let may_be_question = self.positions.contains_key(name);
            if !columns.is_empty() && !columns.contains(&name) && !may_be_question {
                let kind = ProblemKind::UnknownColumn {
                    name: name.to_owned(),
                    columns: columns.join(", "),
                };
                self.warn_in(spot.sheet, spot.row, spot.column, kind);
            }
        }
        // XPath lets a path lead nowhere, and forms in use write `null` or `FALSE` so; only what looks like a slip of the
        // pen is refused. In a default and a label a name is more likely a word than a question.
        let is_likely_word = spot.column == "default" || spot.sheet != "survey";
        for name in names.plain {
            let is_near = nearest(name, self.positions.keys().copied()).is_some();
            if is_near && !self.is_known(definition, name) {
                match is_likely_word {
                    true => self.warn_in(spot.sheet, spot.row, spot.column, self.unknown(name)),
                    false => self.report_in(spot.sheet, spot.row, spot.column, self.unknown(name)),
                }
            }
        }
        Some(expression)
    }

    /// The name of a repeat around the question that the expression does not stand in, so that there are as many answers
    /// as instances.
    fn repeat_not_shared<'d>(&self, definition: &'d FormDefinition, spot: Spot<'_>, name: &str) -> Option<&'d str> {
        let around = |parent: Option<usize>| {
            std::iter::successors(parent, |parent| {
                definition.nodes.get(*parent).and_then(|node| node.parent)
            })
        };
        let [target] = self.positions.get(name)?.as_slice() else {
            return None;
        };
        let own: Vec<usize> = around(spot.node?.parent).collect();
        let mut outside = around(definition.nodes.get(*target)?.parent).filter(|place| !own.contains(place));
        let repeat = outside.find_map(|place| {
            let node = definition.nodes.get(place)?;
            (node.kind == NodeKind::Repeat).then_some(node)
        })?;
        // The conditions of a repeat itself are those of each instance.
        let is_own = spot.node.is_some_and(|node| node.name == repeat.name);
        (!is_own).then_some(&repeat.name)
    }

    fn is_known(&self, definition: &FormDefinition, name: &str) -> bool {
        let has_identity = !definition.settings.omit_instance_id;
        self.positions.contains_key(name) || (name == INSTANCE_ID && has_identity)
    }

    fn unknown(&self, name: &str) -> ProblemKind {
        ProblemKind::UnknownQuestion {
            name: name.to_owned(),
            nearest: nearest(name, self.positions.keys().copied()),
        }
    }
}

/// The only row of the sheet `settings`.
const SETTINGS_ROW: u32 = 2;

/// The columns that a filter may use; none where they are in a file that is not at hand.
fn filter_columns<'d>(definition: &'d FormDefinition, node: &FormNode) -> Option<Vec<&'d str>> {
    let ChoiceSource::List(list) = node.kind.choice_source()? else {
        return None;
    };
    let choices = definition.choices.get(list)?;
    let mut columns = vec!["name", "label", "itextId"];
    for column in choices.iter().flat_map(|choice| choice.other.keys()) {
        if !columns.contains(&column.as_str()) {
            columns.push(column);
        }
    }
    Some(columns)
}

/// The names in an expression by what they must be.
#[derive(Default)]
struct Names<'e> {
    variables: Vec<&'e str>,
    /// `${name}` and the question of `jr:choice-name`.
    questions: Vec<&'e str>,
    /// Names in paths of the form.
    plain: Vec<&'e str>,
    /// Single names in the filter of a list.
    columns: Vec<&'e str>,
    /// `${name}` that is computed with or compared, outside every predicate.
    operands: Vec<&'e str>,
}

impl<'e> Names<'e> {
    /// `of_item` says whether plain names mean the columns of a list's item.
    fn collect(&mut self, expression: &'e Expression, of_item: bool) {
        match expression {
            Expression::Number(_) | Expression::Literal(_) => {}
            Expression::Variable(name) => self.variables.push(name),
            Expression::Negate(inner) => self.collect(inner, of_item),
            Expression::Binary(operator, left, right) => {
                if !matches!(
                    operator,
                    BinaryOperator::Union | BinaryOperator::And | BinaryOperator::Or
                ) {
                    self.operands
                        .extend([left, right].into_iter().filter_map(|side| bare_question(side)));
                }
                self.collect(left, of_item);
                self.collect(right, of_item);
            }
            Expression::Call(call) => {
                if call.function.name == "jr:choice-name"
                    && let Some(Expression::Literal(written)) = call.arguments.get(1)
                {
                    self.questions.push(xpath::functions::choice_name_question(written));
                }
                for argument in &call.arguments {
                    self.collect(argument, of_item);
                }
            }
            Expression::Unresolved(call) => {
                for argument in &call.arguments {
                    self.collect(argument, of_item);
                }
            }
            Expression::Path(path) => self.path(path, of_item),
        }
    }

    fn path(&mut self, path: &'e Path, of_item: bool) {
        let mut is_of_form = !of_item;
        match &path.start {
            PathStart::Question(name) | PathStart::LastSaved(name) => {
                self.questions.push(name);
                is_of_form = true;
            }
            PathStart::Expression(start) => {
                self.collect(start, of_item);
                is_of_form = !looks_into_instance(start);
            }
            PathStart::Context => {
                if of_item && let Some(name) = path.plain_name() {
                    self.columns.push(name);
                }
            }
            PathStart::Root => is_of_form = true,
        }
        // What is tested in the predicates of an item's path is the item.
        for predicate in &path.predicates {
            self.collect_in_predicate(predicate, is_of_form);
        }
        // The first step of an absolute path is the document's outermost element, which is no row of the form.
        let skipped = usize::from(path.start == PathStart::Root);
        for (place, step) in path.steps.iter().enumerate() {
            if let NodeTest::Name { prefix: None, local } = &step.test
                && step.axis != Axis::Attribute
                && is_of_form
                && place >= skipped
            {
                self.plain.push(local);
            }
            for predicate in &step.predicates {
                self.collect_in_predicate(predicate, is_of_form);
            }
        }
    }

    /// Plain names in the predicates of an item's path are the item's own; those of filters were seen before. A question
    /// of a repeat is the one beside the node that is tested.
    fn collect_in_predicate(&mut self, predicate: &'e Expression, is_of_form: bool) {
        let (columns, operands) = (self.columns.len(), self.operands.len());
        self.collect(predicate, !is_of_form);
        self.columns.truncate(columns);
        self.operands.truncate(operands);
    }
}

/// The question of a path that is only `${question}`.
fn bare_question(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Path(Path {
            start: PathStart::Question(name),
            predicates,
            steps,
        }) if predicates.is_empty() && steps.is_empty() => Some(name),
        _ => None,
    }
}

/// Whether nodes come from a secondary instance.
fn looks_into_instance(start: &Expression) -> bool {
    match start {
        Expression::Call(call) => matches!(call.function.name, "instance" | "randomize" | "current"),
        Expression::Path(path) => match &path.start {
            PathStart::Expression(start) => looks_into_instance(start),
            _ => false,
        },
        _ => false,
    }
}
