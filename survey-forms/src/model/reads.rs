//! What an expression looks at: its paths followed through the form's rows instead of through a filled form.

use std::collections::{BTreeSet, HashMap};

use super::definition::{FormDefinition, FormNode};
use super::kind::NodeKind;
use crate::xpath::{Axis, BinaryOperator, Call, Expression, NodeTest, Path, PathStart, Step};

/// One row that an expression looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Read {
    /// The row.
    pub(crate) row: usize,
    /// The innermost repeat whose instance around the expression's own place the path never leaves: rows of another
    /// instance of that repeat are not looked at. None where the path may reach the whole form.
    pub(crate) scope: Option<usize>,
}

/// The rows as a tree, without answers.
#[derive(Debug)]
pub(crate) struct Outline<'a> {
    nodes: &'a [FormNode],
    children: Vec<Vec<usize>>,
    top: Vec<usize>,
    /// The innermost repeat around each row, or the row itself where it is one.
    repeats: Vec<Option<usize>>,
    names: &'a HashMap<&'a str, Vec<usize>>,
}

/// A place that a path can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spot {
    Document,
    /// The outermost element.
    Root,
    Row(usize),
}

/// A place with the scope of the path that led there.
type Reached = BTreeSet<(Spot, Option<usize>)>;

impl<'a> Outline<'a> {
    pub(crate) fn new(definition: &'a FormDefinition, names: &'a HashMap<&'a str, Vec<usize>>) -> Self {
        let nodes = definition.nodes.as_slice();
        let mut outline = Self {
            nodes,
            children: vec![Vec::new(); nodes.len()],
            top: Vec::new(),
            repeats: Vec::with_capacity(nodes.len()),
            names,
        };
        for (position, node) in nodes.iter().enumerate() {
            let parent = node.parent.filter(|parent| *parent < position);
            match parent.and_then(|parent| outline.children.get_mut(parent)) {
                Some(siblings) => siblings.push(position),
                None => outline.top.push(position),
            }
            let around = parent.and_then(|parent| outline.repeat_of(parent));
            let own = (node.kind == NodeKind::Repeat).then_some(position);
            outline.repeats.push(own.or(around));
        }
        outline
    }

    /// What `expression` of the row at `origin` looks at.
    pub(crate) fn reads(&self, expression: &Expression, origin: usize) -> BTreeSet<Read> {
        self.reads_from(expression, Spot::Row(origin), self.repeat_of(origin))
    }

    /// What the number of a repeat's instances looks at: it is worked out beside the instances, so before there are any.
    pub(crate) fn reads_of_count(&self, expression: &Expression, repeat: usize) -> BTreeSet<Read> {
        let (spot, scope) = self.parent((Spot::Row(repeat), Some(repeat)));
        self.reads_from(expression, spot, scope)
    }

    fn reads_from(&self, expression: &Expression, spot: Spot, scope: Option<usize>) -> BTreeSet<Read> {
        let mut reader = Reader {
            outline: self,
            origin: (spot, scope),
            found: BTreeSet::new(),
        };
        let context = Reached::from([(spot, scope)]);
        reader.value(expression, &context);
        reader.found
    }

    /// The repeats around a row from the inside out, itself included, as far as they stand inside `scope`: their
    /// instances decide how many nodes a path to the row finds.
    pub(crate) fn repeats_within(&self, read: Read) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.repeat_of(read.row), |repeat| self.repeat_around(*repeat))
            .take_while(move |repeat| Some(*repeat) != read.scope)
    }

    fn repeat_of(&self, row: usize) -> Option<usize> {
        self.repeats.get(row).copied().flatten()
    }

    /// The innermost repeat around a row, the row itself left out.
    fn repeat_around(&self, row: usize) -> Option<usize> {
        self.repeat_of(self.nodes.get(row)?.parent?)
    }

    fn children(&self, spot: Spot) -> Vec<Spot> {
        match spot {
            Spot::Document => vec![Spot::Root],
            Spot::Root => self.top.iter().copied().map(Spot::Row).collect(),
            Spot::Row(row) => self
                .children
                .get(row)
                .into_iter()
                .flatten()
                .copied()
                .map(Spot::Row)
                .collect(),
        }
    }

    fn descendants(&self, spot: Spot) -> Vec<Spot> {
        let mut found = Vec::new();
        let mut next = self.children(spot);
        while let Some(inner) = next.pop() {
            found.push(inner);
            next.extend(self.children(inner));
        }
        found
    }

    /// The parent of a place; leaving the scope's own instance widens the scope.
    fn parent(&self, (spot, scope): (Spot, Option<usize>)) -> (Spot, Option<usize>) {
        match spot {
            Spot::Document | Spot::Root => (Spot::Document, None),
            Spot::Row(row) => {
                let scope = if scope == Some(row) {
                    self.repeat_around(row)
                } else {
                    scope
                };
                match self.nodes.get(row).and_then(|node| node.parent) {
                    Some(parent) => (Spot::Row(parent), scope),
                    None => (Spot::Root, scope),
                }
            }
        }
    }

    fn passes(&self, test: &NodeTest, spot: Spot) -> bool {
        match (test, spot) {
            (NodeTest::Node | NodeTest::Any, _) => true,
            (NodeTest::Text | NodeTest::Comment | NodeTest::ProcessingInstruction(_), _) => false,
            (NodeTest::AnyWithPrefix(prefix), Spot::Row(row)) => self.name(row).starts_with(&format!("{prefix}:")),
            (NodeTest::Name { prefix, local }, Spot::Row(row)) => match prefix {
                None => self.name(row) == local,
                Some(prefix) => self.name(row) == format!("{prefix}:{local}"),
            },
            // Whatever the outermost element is called, an absolute path names it first.
            (NodeTest::Name { .. }, Spot::Root) => true,
            (NodeTest::AnyWithPrefix(_) | NodeTest::Name { .. }, _) => false,
        }
    }

    fn name(&self, row: usize) -> &str {
        self.nodes.get(row).map_or("", |node| &node.name)
    }

    fn step(&self, from: &Reached, step: &Step) -> Reached {
        let mut reached = Reached::new();
        for place in from {
            let (spot, scope) = *place;
            let ancestors = || {
                std::iter::successors(Some(*place), |place| {
                    (place.0 != Spot::Document).then(|| self.parent(*place))
                })
            };
            let with_scope = |spots: Vec<Spot>| spots.into_iter().map(|spot| (spot, scope)).collect::<Vec<_>>();
            let on_axis: Vec<(Spot, Option<usize>)> = match step.axis {
                Axis::SelfNode => vec![*place],
                Axis::Child => with_scope(self.children(spot)),
                Axis::Parent => ancestors().skip(1).take(1).collect(),
                Axis::Ancestor => ancestors().skip(1).collect(),
                Axis::AncestorOrSelf => ancestors().collect(),
                Axis::Descendant => with_scope(self.descendants(spot)),
                Axis::DescendantOrSelf => {
                    let below = with_scope(self.descendants(spot));
                    below.into_iter().chain([*place]).collect()
                }
                Axis::FollowingSibling | Axis::PrecedingSibling => {
                    let (parent, scope) = self.parent(*place);
                    self.children(parent).into_iter().map(|spot| (spot, scope)).collect()
                }
                Axis::Following | Axis::Preceding => {
                    let everywhere = self.descendants(Spot::Document).into_iter();
                    everywhere.map(|spot| (spot, None)).collect()
                }
                Axis::Attribute | Axis::Namespace => Vec::new(),
            };
            reached.extend(on_axis.into_iter().filter(|(spot, _)| self.passes(&step.test, *spot)));
        }
        reached
    }

    /// The rows that `${name}` means at `origin`, with the innermost repeat that they share with it.
    fn question(&self, name: &str, origin: (Spot, Option<usize>)) -> Reached {
        let around = |row| std::iter::successors(row, |repeat| self.repeat_around(*repeat));
        let own = match origin.0 {
            Spot::Row(row) => self.repeat_of(row),
            Spot::Document | Spot::Root => None,
        };
        let rows = self.names.get(name).into_iter().flatten();
        let reached = rows.map(|row| {
            // From inside an instance, the name of its repeat means all instances beside it.
            let shared = around(self.repeat_around(*row)).find(|repeat| around(own).any(|own| own == *repeat));
            (Spot::Row(*row), shared)
        });
        reached.collect()
    }
}

/// Gathers what one expression looks at.
struct Reader<'o, 'a> {
    outline: &'o Outline<'a>,
    origin: (Spot, Option<usize>),
    found: BTreeSet<Read>,
}

impl Reader<'_, '_> {
    /// An expression whose value is used.
    fn value(&mut self, expression: &Expression, context: &Reached) {
        match expression {
            Expression::Number(_) | Expression::Literal(_) | Expression::Variable(_) => {}
            Expression::Negate(inner) => self.value(inner, context),
            Expression::Binary(operator, left, right) if *operator != BinaryOperator::Union => {
                self.value(left, context);
                self.value(right, context);
            }
            Expression::Call(call) => match (call.function.name, call.arguments.as_slice()) {
                ("count" | "name" | "local-name" | "namespace-uri", [argument]) => {
                    let reached = self.nodes(argument, context);
                    self.existence(&reached);
                }
                ("position", [argument]) => {
                    // A place among siblings depends on the siblings.
                    let reached = self.nodes(argument, context);
                    let siblings = reached.iter().map(|place| (place.0, self.outline.parent(*place).1));
                    self.existence(&siblings.collect());
                }
                _ => {
                    let reached = self.nodes(expression, context);
                    self.content(&reached);
                }
            },
            Expression::Unresolved(call) => {
                call.arguments.iter().for_each(|argument| self.value(argument, context));
            }
            Expression::Binary(..) | Expression::Path(_) => {
                let reached = self.nodes(expression, context);
                self.content(&reached);
            }
        }
    }

    /// An expression that may give nodes: what is looked at on the way is noted, what is reached is returned.
    fn nodes(&mut self, expression: &Expression, context: &Reached) -> Reached {
        match expression {
            Expression::Path(path) => self.path(path, context),
            Expression::Binary(BinaryOperator::Union, left, right) => {
                let mut reached = self.nodes(left, context);
                reached.extend(self.nodes(right, context));
                reached
            }
            Expression::Call(call) => match (call.function.name, call.arguments.as_slice()) {
                ("current", []) => Reached::from([self.origin]),
                ("randomize", [nodes, rest @ ..]) => {
                    rest.iter().for_each(|argument| self.value(argument, context));
                    self.nodes(nodes, context)
                }
                ("indexed-repeat", [target, pairs @ ..]) => {
                    for pair in pairs.chunks(2) {
                        if let Some(repeat) = pair.first() {
                            let reached = self.everywhere(repeat, context);
                            self.existence(&reached);
                        }
                        if let Some(index) = pair.get(1) {
                            self.value(index, context);
                        }
                    }
                    self.everywhere(target, context)
                }
                ("count" | "position" | "name" | "local-name" | "namespace-uri", [_]) => {
                    self.value(expression, context);
                    Reached::new()
                }
                ("once", [argument]) => {
                    self.value(argument, context);
                    // The value that there is already comes first.
                    self.content(context);
                    Reached::new()
                }
                (_, arguments) => {
                    arguments.iter().for_each(|argument| self.value(argument, context));
                    Reached::new()
                }
            },
            _ => {
                self.value(expression, context);
                Reached::new()
            }
        }
    }

    /// As [`Self::nodes`]; a bare `${question}` means the question in every instance, as `indexed-repeat` takes it.
    fn everywhere(&mut self, expression: &Expression, context: &Reached) -> Reached {
        let reached = self.nodes(expression, context);
        match expression {
            Expression::Path(Path {
                start: PathStart::Question(_),
                steps,
                ..
            }) if steps.is_empty() => reached.into_iter().map(|(spot, _)| (spot, None)).collect(),
            _ => reached,
        }
    }

    fn path(&mut self, path: &Path, context: &Reached) -> Reached {
        let mut reached = match &path.start {
            PathStart::Context => context.clone(),
            PathStart::Root => Reached::from([(Spot::Document, None)]),
            PathStart::Question(name) => self.outline.question(name, self.origin),
            // Another form's answers do not change while this one is filled.
            PathStart::LastSaved(_) => Reached::new(),
            PathStart::Expression(inner) => self.nodes(inner, context),
        };
        path.predicates
            .iter()
            .for_each(|predicate| self.value(predicate, &reached));
        for step in &path.steps {
            reached = self.outline.step(&reached, step);
            step.predicates
                .iter()
                .for_each(|predicate| self.value(predicate, &reached));
        }
        reached
    }

    /// Only whether the nodes exist and are to be asked matters.
    fn existence(&mut self, reached: &Reached) {
        for (spot, scope) in reached {
            if let Spot::Row(row) = *spot {
                self.found.insert(Read { row, scope: *scope });
            }
        }
    }

    /// The text matters, which of a group is all text inside it.
    fn content(&mut self, reached: &Reached) {
        self.existence(reached);
        for (spot, scope) in reached {
            let below = self.outline.descendants(*spot).into_iter().map(|spot| (spot, *scope));
            self.existence(&below.collect());
        }
    }
}

/// A `repeat_count` as it reads beside the instances. It is written as seen from an instance (ODK XForms, "Repeats",
/// `jr:count`), where the first step `..` leads to what is around the repeat; there it is worked out, once for all
/// instances.
pub(crate) fn beside_instances(expression: &Expression) -> Expression {
    match expression {
        Expression::Number(_) | Expression::Literal(_) | Expression::Variable(_) | Expression::Unresolved(_) => {
            expression.clone()
        }
        Expression::Negate(inner) => Expression::Negate(Box::new(beside_instances(inner))),
        Expression::Binary(operator, left, right) => Expression::Binary(
            *operator,
            Box::new(beside_instances(left)),
            Box::new(beside_instances(right)),
        ),
        Expression::Call(call) => Expression::Call(Call {
            arguments: call.arguments.iter().map(beside_instances).collect(),
            ..call.clone()
        }),
        Expression::Path(path) => {
            let mut path = path.clone();
            let from_instance = match &path.start {
                PathStart::Context => true,
                PathStart::Expression(start) => {
                    matches!(start.as_ref(), Expression::Call(call) if call.function.name == "current")
                }
                _ => false,
            };
            let leaves = path.steps.first().is_some_and(|step| {
                step.axis == Axis::Parent && step.test == NodeTest::Node && step.predicates.is_empty()
            });
            if from_instance && leaves {
                path.steps.remove(0);
            }
            Expression::Path(path)
        }
    }
}
