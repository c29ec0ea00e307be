//! Which rows' expressions need which other rows, and the order of computing that follows from it.

use std::collections::{BTreeSet, HashMap};

use super::definition::FormDefinition;
use super::form::Formulas;
use super::reads::{Outline, Read, beside_instances};
use crate::xpath::functions::choice_name_question;
use crate::xpath::{Axis, Expression, NodeTest, PathStart};

/// What the rows' relevance, values and numbers of instances depend on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dependencies {
    /// For each row, the rows that its relevance, its calculation and its number of instances refer to, and its parent.
    direct: Vec<BTreeSet<usize>>,
    /// Every row, those that others depend on first.
    order: Vec<usize>,
    /// The place of each row in `order`.
    ranks: Vec<usize>,
    /// For each row, who looks at its value or relevance.
    readers: Vec<Vec<Reader>>,
    /// For each repeat, whose result depends on how many instances it has.
    counters: Vec<Vec<Reader>>,
    /// The numbers of instances, as expressions to be evaluated beside the instances.
    counts: Vec<Option<Expression>>,
    /// Whether each row's calculation happens once only.
    once: Vec<bool>,
}

/// A row that must be computed anew when another changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reader {
    /// The row.
    pub(crate) row: usize,
    /// What of it.
    pub(crate) part: Part,
    /// Only the nodes within the same instance of this repeat are touched by the change; none where all are.
    pub(crate) scope: Option<usize>,
}

/// What of a row is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The number of a repeat's instances.
    Count,
    /// Relevance and value.
    Content,
}

/// Rows whose expressions need one another's result.
pub(super) struct Circle {
    /// The rows; the first stands at the end again.
    pub(super) rows: Vec<usize>,
    /// The column of the first row's expression.
    pub(super) column: &'static str,
}

impl Dependencies {
    /// Works out the order, or names the rows of a circle.
    ///
    /// What makes a circle is what makes one in JavaRosa (`TriggerableDag`): an expression that reads a row depends on
    /// that row's relevance, that of every group around it, and its calculation, whatever instance is meant. A
    /// calculation that waits for a trigger is no part of it. An expression that says whether an answer is required or may
    /// be changed must not read that answer.
    pub(super) fn new(
        definition: &FormDefinition,
        formulas: &[Formulas],
        positions: &HashMap<&str, Vec<usize>>,
    ) -> Result<Self, Circle> {
        let outline = Outline::new(definition, positions);
        let rows = definition.nodes.len();
        let mut readers = vec![BTreeSet::new(); rows];
        let mut counters = vec![BTreeSet::new(); rows];
        let mut direct = Vec::with_capacity(rows);
        let mut counts = Vec::with_capacity(rows);
        let mut once = Vec::with_capacity(rows);
        for (row, (node, formulas)) in definition.nodes.iter().zip(formulas).enumerate() {
            let mut needs: BTreeSet<usize> = node.parent.into_iter().collect();
            let mut add = |reads: BTreeSet<Read>, part| {
                for read in reads {
                    needs.insert(read.row);
                    let scope = read.scope;
                    let reader = Reader { row, part, scope };
                    if let Some(readers) = readers.get_mut(read.row) {
                        readers.insert(reader);
                    }
                    for repeat in outline.repeats_within(read) {
                        if let Some(counters) = counters.get_mut(repeat) {
                            counters.insert(reader);
                        }
                    }
                }
            };
            let calculation = formulas.calculation.as_ref().filter(|_| node.triggers.is_empty());
            once.push(calculation.is_some_and(calls_once));
            if let Some(expression) = &formulas.relevant {
                add(outline.reads(expression, row), Part::Content);
            }
            if let Some(expression) = calculation {
                let mut reads = outline.reads(expression, row);
                if calls_once(expression) {
                    // Its own last value is what such a calculation starts from.
                    reads.retain(|read| read.row != row);
                }
                add(reads, Part::Content);
            }
            let count = formulas.repeat_count.as_ref().map(beside_instances);
            if let Some(expression) = &count {
                add(outline.reads_of_count(expression, row), Part::Count);
            }
            counts.push(count);
            direct.push(needs);
            for (column, expression) in [("required", &formulas.required), ("read_only", &formulas.read_only)] {
                let reads = expression.iter().flat_map(|expression| outline.reads(expression, row));
                if reads.into_iter().any(|read| read.row == row) {
                    let rows = vec![row, row];
                    return Err(Circle { rows, column });
                }
            }
        }
        let order = order(&direct).map_err(|rows| {
            let first = rows.first().and_then(|row| formulas.get(*row));
            let is_calculated = first.is_some_and(|formulas| formulas.calculation.is_some());
            let column = if is_calculated { "calculation" } else { "relevant" };
            Circle { rows, column }
        })?;
        let mut ranks = vec![0; rows];
        for (rank, row) in order.iter().enumerate() {
            ranks[*row] = rank;
        }
        let lists = |sets: Vec<BTreeSet<Reader>>| sets.into_iter().map(|set| set.into_iter().collect()).collect();
        Ok(Self {
            direct,
            order,
            ranks,
            readers: lists(readers),
            counters: lists(counters),
            counts,
            once,
        })
    }

    /// The place of a row in [`Self::order`].
    pub(crate) fn rank(&self, position: usize) -> usize {
        self.ranks.get(position).copied().unwrap_or(0)
    }

    /// The number of a repeat's instances, where an expression gives it: to be evaluated at what is around the repeat.
    pub(crate) fn count(&self, repeat: usize) -> Option<&Expression> {
        self.counts.get(repeat)?.as_ref()
    }

    /// Whether the row's calculation keeps the value that it once had, by the function `once()`.
    pub(crate) fn happens_once(&self, position: usize) -> bool {
        self.once.get(position).copied().unwrap_or(false)
    }

    /// Who looks at the row's value or relevance.
    pub(crate) fn readers(&self, position: usize) -> &[Reader] {
        self.readers.get(position).map_or(&[], Vec::as_slice)
    }

    /// Whose result depends on how many instances the repeat has.
    pub(crate) fn counters(&self, repeat: usize) -> &[Reader] {
        self.counters.get(repeat).map_or(&[], Vec::as_slice)
    }

    /// The rows in the order in which their relevance and value are to be computed.
    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    /// What the row refers to directly.
    pub(crate) fn direct(&self, position: usize) -> impl Iterator<Item = usize> + '_ {
        self.direct.get(position).into_iter().flatten().copied()
    }

    /// `from` and everything that their relevance and calculations depend on, through any number of steps.
    pub(crate) fn closure(&self, from: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<usize> = from.into_iter().collect();
        while let Some(position) = next.pop() {
            if reached.insert(position) {
                next.extend(self.direct(position));
            }
        }
        reached
    }
}

fn calls_once(expression: &Expression) -> bool {
    let mut found = false;
    expression.walk(&mut |inner| found |= matches!(inner, Expression::Call(call) if call.function.name == "once"));
    found
}

/// The names of questions and groups that an expression mentions: `${name}`, the names in paths, and the question of
/// `jr:choice-name`. Names are unique in a form, so a name in a path can mean one row only.
pub(crate) fn references(expression: &Expression) -> impl Iterator<Item = &str> {
    let mut names: Vec<&str> = Vec::new();
    expression.walk(&mut |inner| match inner {
        Expression::Path(path) => {
            if let PathStart::Question(name) = &path.start {
                names.push(name);
            }
            // The first step of an absolute path is the document's outermost element, which is no row of the form.
            let skipped = usize::from(path.start == PathStart::Root);
            for step in path.steps.iter().skip(skipped) {
                if let NodeTest::Name { prefix: None, local } = &step.test
                    && step.axis != Axis::Attribute
                {
                    names.push(local);
                }
            }
        }
        Expression::Call(call) if call.function.name == "jr:choice-name" => {
            if let Some(Expression::Literal(written)) = call.arguments.get(1) {
                names.push(choice_name_question(written));
            }
        }
        _ => {}
    });
    names.into_iter()
}

/// Depth-first topological order without recursion; the rows of a circle where there is one.
fn order(direct: &[BTreeSet<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; direct.len()];
    let mut order = Vec::with_capacity(direct.len());
    for start in 0..direct.len() {
        let mut path: Vec<(usize, Vec<usize>)> = Vec::new();
        if marks[start] == Mark::New {
            marks[start] = Mark::Open;
            path.push((start, direct[start].iter().copied().collect()));
        }
        while let Some((position, rest)) = path.last_mut() {
            let position = *position;
            match rest.pop() {
                None => {
                    marks[position] = Mark::Done;
                    order.push(position);
                    path.pop();
                }
                Some(next) => match marks.get(next) {
                    Some(Mark::New) => {
                        marks[next] = Mark::Open;
                        path.push((next, direct[next].iter().copied().collect()));
                    }
                    Some(Mark::Open) => {
                        let from = path.iter().position(|(open, _)| *open == next).unwrap_or(0);
                        let mut circle: Vec<usize> = path[from..].iter().map(|(open, _)| *open).collect();
                        circle.push(next);
                        return Err(circle);
                    }
                    _ => {}
                },
            }
        }
    }
    Ok(order)
}
