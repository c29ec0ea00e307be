//! Which rows' expressions need which other rows, and the order of computing that follows from it.

use std::collections::{BTreeSet, HashMap};

use super::definition::FormDefinition;
use super::form::Formulas;
use crate::xpath::functions::choice_name_question;
use crate::xpath::{Axis, Expression, NodeTest, PathStart};

/// What a row's value and relevance depend on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dependencies {
    /// For each row, the rows that its relevance and its calculation refer to, and its parent.
    direct: Vec<BTreeSet<usize>>,
    /// Every row, those that others depend on first.
    order: Vec<usize>,
}

impl Dependencies {
    /// Works out the order, or names the rows of a circle.
    pub(super) fn new(
        definition: &FormDefinition,
        formulas: &[Formulas],
        positions: &HashMap<&str, Vec<usize>>,
    ) -> Result<Self, Vec<usize>> {
        let direct: Vec<BTreeSet<usize>> = definition
            .nodes
            .iter()
            .zip(formulas)
            .enumerate()
            .map(|(own, (node, formulas))| {
                let mut needs: BTreeSet<usize> = node.parent.into_iter().collect();
                for expression in [&formulas.relevant, &formulas.calculation].into_iter().flatten() {
                    for named in references(expression).filter_map(|name| positions.get(name)) {
                        // A path to one of several rows of a name hardly ever means the row that it stands in.
                        let others = named.iter().filter(|position| named.len() == 1 || **position != own);
                        needs.extend(others);
                    }
                }
                needs
            })
            .collect();
        let order = order(&direct)?;
        Ok(Self { direct, order })
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

/// The names in `${name}` and in `jr:choice-name`, which must be those of rows.
pub(super) fn question_references(expression: &Expression) -> impl Iterator<Item = &str> {
    let mut names: Vec<&str> = Vec::new();
    expression.walk(&mut |inner| match inner {
        Expression::Path(path) => {
            if let PathStart::Question(name) = &path.start {
                names.push(name);
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
