//! Evaluates expressions over a tree (XPath 1.0 §2 and §3).

use std::borrow::Cow;
use std::cell::Cell;

use super::ast::{Axis, BinaryOperator, Expression, NodeTest, Path, PathStart, Step};
use super::axes;
use super::comparison::Atom;
use super::context::{EvaluationContext, RegexMatching, Variables};
use super::evaluation_error::{EvaluationError, MAX_VISITS};
use super::functions;
use super::object::{Object, text_to_number};
use super::pattern::Pattern;
use super::tree::{NodeId, NodeKind, Tree};

/// Evaluates `expression` at `origin`.
///
/// # Errors
/// When a variable or question is unknown, a function is given a value where it needs nodes, or too much is visited.
pub fn evaluate(
    expression: &Expression,
    tree: &Tree,
    origin: NodeId,
    context: &EvaluationContext,
    variables: &Variables,
) -> Result<Object, EvaluationError> {
    let effort = Effort::default();
    Scope {
        tree,
        context,
        variables,
        origin,
        node: origin,
        position: 1,
        size: 1,
        effort: &effort,
    }
    .evaluate(expression)
}

/// Where an expression is being evaluated (XPath 1.0 §1, "context").
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The document.
    pub tree: &'a Tree,
    /// What the caller knows.
    pub context: &'a EvaluationContext,
    /// The values of variables.
    pub variables: &'a Variables,
    /// The node at which the whole expression is evaluated: ODK's `current()`.
    pub origin: NodeId,
    /// The context node.
    pub node: NodeId,
    /// The context position, from 1.
    pub position: usize,
    /// The context size.
    pub size: usize,
    effort: &'a Effort,
}

/// What one evaluation has used up so far.
#[derive(Debug, Default)]
struct Effort {
    /// Nodes looked at.
    visits: Cell<u64>,
    /// Random numbers drawn.
    draws: Cell<u32>,
}

impl<'a> Scope<'a> {
    /// Evaluates `expression` here.
    ///
    /// # Errors
    /// See [`evaluate`].
    pub fn evaluate(&self, expression: &Expression) -> Result<Object, EvaluationError> {
        Ok(match expression {
            Expression::Number(number) => Object::Number(*number),
            Expression::Literal(text) => Object::Text(text.clone()),
            Expression::Variable(name) => Object::Number(
                *self
                    .variables
                    .get(name)
                    .ok_or_else(|| EvaluationError::UnknownVariable(name.clone()))?,
            ),
            Expression::Negate(inner) => Object::Number(-self.number(inner)?),
            Expression::Binary(operator, left, right) if !matches!(left.as_ref(), Expression::Binary(..)) => {
                self.binary(*operator, left, right)?
            }
            Expression::Binary(..) => self.chain(expression)?,
            Expression::Call(call) => match &call.pattern {
                Some(pattern) => self.matches(&call.arguments, pattern)?,
                None => (call.function.evaluate)(self, &call.arguments)?,
            },
            Expression::Unresolved(call) => {
                return Err(EvaluationError::Unresolved(Box::new(call.reason.clone())));
            }
            Expression::Path(path) => Object::Nodes(self.path(path)?),
        })
    }

    /// Evaluates to a number.
    ///
    /// # Errors
    /// See [`evaluate`].
    pub fn number(&self, expression: &Expression) -> Result<f64, EvaluationError> {
        let offset = self.context.now.utc_offset_minutes;
        match expression {
            Expression::Number(number) => Ok(*number),
            Expression::Path(_) => Ok(text_to_number(&self.borrowed_text(expression)?, offset)),
            _ => Ok(self.evaluate(expression)?.to_number(self.tree, offset)),
        }
    }

    /// Evaluates to text.
    ///
    /// # Errors
    /// See [`evaluate`].
    pub fn text(&self, expression: &Expression) -> Result<String, EvaluationError> {
        Ok(self.evaluate(expression)?.to_text(self.tree))
    }

    /// Evaluates to a truth value.
    ///
    /// # Errors
    /// See [`evaluate`].
    pub fn boolean(&self, expression: &Expression) -> Result<bool, EvaluationError> {
        match expression {
            Expression::Binary(_, left, _) if matches!(left.as_ref(), Expression::Binary(..)) => {
                Ok(self.chain(expression)?.to_boolean())
            }
            Expression::Binary(BinaryOperator::And, left, right) => Ok(self.boolean(left)? && self.boolean(right)?),
            Expression::Binary(BinaryOperator::Or, left, right) => Ok(self.boolean(left)? || self.boolean(right)?),
            _ => Ok(self.evaluate(expression)?.to_boolean()),
        }
    }

    /// Evaluates to nodes, in document order; `place` names who needs them.
    ///
    /// # Errors
    /// See [`evaluate`].
    pub fn nodes(&self, expression: &Expression, place: &'static str) -> Result<Vec<NodeId>, EvaluationError> {
        match self.evaluate(expression)? {
            Object::Nodes(nodes) => Ok(nodes),
            _ => Err(EvaluationError::NotNodes(place)),
        }
    }

    /// Text as a number, dates included.
    pub fn text_number(&self, text: &str) -> f64 {
        text_to_number(text, self.context.now.utc_offset_minutes)
    }

    fn binary(
        &self,
        operator: BinaryOperator,
        left: &Expression,
        right: &Expression,
    ) -> Result<Object, EvaluationError> {
        use BinaryOperator as Op;
        Ok(match operator {
            Op::Or => Object::Boolean(self.boolean(left)? || self.boolean(right)?),
            Op::And => Object::Boolean(self.boolean(left)? && self.boolean(right)?),
            Op::Add => Object::Number(self.number(left)? + self.number(right)?),
            Op::Subtract => Object::Number(self.number(left)? - self.number(right)?),
            Op::Multiply => Object::Number(self.number(left)? * self.number(right)?),
            Op::Divide => Object::Number(self.number(left)? / self.number(right)?),
            // The remainder of a truncating division, as Rust's (XPath 1.0 §3.5).
            Op::Remainder => Object::Number(self.number(left)? % self.number(right)?),
            Op::Union => self.united(self.nodes(left, "|")?, right)?,
            Op::Equal | Op::NotEqual | Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
                // Comparing one question with a written value is by far the commonest expression of a form.
                if let Expression::Path(path) = left
                    && let Some(result) = self.compare_question(operator, path, right)?
                {
                    return Ok(Object::Boolean(result));
                }
                let (left_object, right_object) = (self.evaluate(left)?, self.evaluate(right)?);
                Object::Boolean(self.compare(operator, left, &left_object, right, &right_object)?)
            }
        })
    }

    /// A chain such as `a + b + c`, whose tree leans left and may be hundreds of levels deep: from the inside out without
    /// recursion, for a phone's stack is small.
    fn chain(&self, outermost: &Expression) -> Result<Object, EvaluationError> {
        let mut links = Vec::new();
        let mut inner = outermost;
        while let Expression::Binary(operator, left, right) = inner {
            links.push((*operator, left, right));
            inner = left;
        }
        let mut value = match links.pop() {
            Some((operator, left, right)) => self.binary(operator, left, right)?,
            None => return self.evaluate(outermost),
        };
        while let Some((operator, left, right)) = links.pop() {
            value = self.link(operator, left, value, right)?;
        }
        Ok(value)
    }

    /// As [`Self::binary`] where the left operand's value is known.
    fn link(
        &self,
        operator: BinaryOperator,
        left: &Expression,
        value: Object,
        right: &Expression,
    ) -> Result<Object, EvaluationError> {
        use BinaryOperator as Op;
        let number = |value: &Object| value.to_number(self.tree, self.context.now.utc_offset_minutes);
        Ok(match operator {
            Op::Or => Object::Boolean(value.to_boolean() || self.boolean(right)?),
            Op::And => Object::Boolean(value.to_boolean() && self.boolean(right)?),
            Op::Add => Object::Number(number(&value) + self.number(right)?),
            Op::Subtract => Object::Number(number(&value) - self.number(right)?),
            Op::Multiply => Object::Number(number(&value) * self.number(right)?),
            Op::Divide => Object::Number(number(&value) / self.number(right)?),
            Op::Remainder => Object::Number(number(&value) % self.number(right)?),
            Op::Union => match value {
                Object::Nodes(nodes) => self.united(nodes, right)?,
                _ => return Err(EvaluationError::NotNodes("|")),
            },
            Op::Equal | Op::NotEqual | Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual => {
                let right_value = self.evaluate(right)?;
                Object::Boolean(self.compare(operator, left, &value, right, &right_value)?)
            }
        })
    }

    fn united(&self, mut nodes: Vec<NodeId>, right: &Expression) -> Result<Object, EvaluationError> {
        nodes.extend(self.nodes(right, "|")?);
        nodes.sort_unstable();
        nodes.dedup();
        Ok(Object::Nodes(nodes))
    }

    /// Visits the nodes of a bare `${question}` or of one plain child name; false for other paths.
    pub(super) fn each_of_single_step(
        &self,
        path: &Path,
        visit: &mut dyn FnMut(NodeId),
    ) -> Result<bool, EvaluationError> {
        if let Some(name) = path.plain_name() {
            for child in self.tree.children(self.node) {
                let own = self.tree.name(child);
                if own.local == name
                    && own.prefix.is_none()
                    && self.tree.kind(child) == NodeKind::Element
                    && self.tree.is_relevant(child)
                {
                    visit(child);
                }
            }
            return Ok(true);
        }
        match &path.start {
            PathStart::Question(name) if is_single_question(path) => {
                for node in self.question(name)? {
                    visit(*node);
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The nodes that `${name}` means here; those not to be asked now are left out.
    ///
    /// In a predicate on the form's own nodes, a question of a repeat that the expression does not stand in is the one
    /// beside the node that is tested, as JavaRosa has it (`TreeReference.contextualize`): `${members}[${age} > 17]` are
    /// the adults.
    fn question(&self, name: &str) -> Result<impl Iterator<Item = &'a NodeId> + use<'a>, EvaluationError> {
        let tree = self.tree;
        let is_test = self.node != self.origin && !self.node.is_secondary();
        let own = tree.referenced_inside(name, self.origin);
        let found = own
            .or_else(|| tree.referenced_inside(name, self.node).filter(|_| is_test))
            .or_else(|| tree.referenced(name, self.origin))
            .ok_or_else(|| EvaluationError::UnknownQuestion(name.to_owned()))?;
        Ok(found.iter().filter(|node| tree.is_relevant(**node)))
    }

    /// Whether the text of the first argument matches a pattern.
    pub(crate) fn matches(&self, arguments: &[Expression], pattern: &Pattern) -> Result<Object, EvaluationError> {
        let text = match arguments.first() {
            Some(argument) => self.borrowed_text(argument)?,
            None => Cow::Borrowed(""),
        };
        Ok(Object::Boolean(match self.context.regex_matching {
            RegexMatching::Whole => pattern.matches_whole(&text),
            RegexMatching::Part => pattern.matches_part(&text),
        }))
    }

    /// Evaluates to text, borrowed where the expression is a literal or a single question.
    pub(crate) fn borrowed_text<'e>(&self, expression: &'e Expression) -> Result<Cow<'e, str>, EvaluationError>
    where
        'a: 'e,
    {
        match expression {
            Expression::Literal(text) => return Ok(Cow::Borrowed(text)),
            Expression::Path(path) => {
                let mut first = None;
                if self.each_of_single_step(path, &mut |node| first = first.or(Some(node)))? {
                    return Ok(first.map_or(Cow::Borrowed(""), |node| self.tree.text_of(node)));
                }
            }
            _ => {}
        }
        Ok(Cow::Owned(self.text(expression)?))
    }

    /// The text of a node, counting what is below it: an outer element's text is all of a document's.
    pub(crate) fn node_text(&self, node: NodeId) -> Result<Cow<'a, str>, EvaluationError> {
        self.count_visits(self.tree.below(node).len() as u64)?;
        Ok(self.tree.text_of(node))
    }

    /// The nodes of a path, in document order.
    fn path(&self, path: &Path) -> Result<Vec<NodeId>, EvaluationError> {
        let mut nodes = match &path.start {
            PathStart::Context => vec![self.node],
            PathStart::Root => vec![self.tree.start()],
            PathStart::Question(name) => self.question(name)?.copied().collect(),
            PathStart::LastSaved(name) => functions::last_saved(self.tree, name),
            PathStart::Expression(inner) => self.nodes(inner, "a path")?,
        };
        self.filter(&mut nodes, &path.predicates)?;
        for step in &path.steps {
            nodes = self.step(&nodes, step)?;
        }
        Ok(nodes)
    }

    fn step(&self, from: &[NodeId], step: &Step) -> Result<Vec<NodeId>, EvaluationError> {
        let mut reached = Vec::new();
        let mut on_axis = Vec::new();
        for node in from {
            on_axis.clear();
            if let Some(found) = self.looked_up(*node, step)? {
                on_axis.extend(found);
                let others = step.predicates.get(1..).unwrap_or_default();
                self.filter(&mut on_axis, others)?;
                reached.extend_from_slice(&on_axis);
                continue;
            }
            let visited = axes::collect(self.tree, *node, step, &mut on_axis);
            self.count_visits(visited)?;
            self.filter(&mut on_axis, &step.predicates)?;
            reached.extend_from_slice(&on_axis);
        }
        if from.len() > 1 {
            reached.sort_unstable();
            reached.dedup();
        } else if step.axis.is_reverse() {
            reached.reverse();
        }
        Ok(reached)
    }

    pub(crate) fn count_visits(&self, visited: u64) -> Result<(), EvaluationError> {
        let total = self.effort.visits.get().saturating_add(visited);
        self.effort.visits.set(total);
        if total > MAX_VISITS {
            return Err(EvaluationError::TooManyVisits);
        }
        Ok(())
    }

    /// The nodes that a step over a secondary instance reaches and that its first predicate keeps, found in an index;
    /// none where the step is not of the form `item[column = value]` with a value that is text and the same for every
    /// item. The result is the same as that of looking at every item.
    fn looked_up(&self, node: NodeId, step: &Step) -> Result<Option<Vec<NodeId>>, EvaluationError> {
        let (true, Axis::Child, NodeTest::Name { prefix: None, local }) = (node.is_secondary(), step.axis, &step.test)
        else {
            return Ok(None);
        };
        let Some(Expression::Binary(BinaryOperator::Equal, left, right)) = step.predicates.first() else {
            return Ok(None);
        };
        let (column, value) = match (column_of(left), column_of(right)) {
            (Some(column), _) if !right.depends_on_context() => (column, right),
            (_, Some(column)) if !left.depends_on_context() => (column, left),
            _ => return Ok(None),
        };
        let object = self.evaluate(value)?;
        let mut found = Vec::new();
        for atom in self.operand(value, &object)? {
            let Atom::Text(text) = atom else { return Ok(None) };
            found.extend(self.tree.secondary().lookup(self.tree, node, local, column, &text));
        }
        found.sort_unstable();
        found.dedup();
        self.count_visits(found.len() as u64)?;
        Ok(Some(found))
    }

    /// The next 32 random bytes here: the hash of seed, place and how many were drawn before, so that a question keeps
    /// its value however often it is computed, and no two questions share one.
    ///
    /// # Errors
    /// Where the context has no seed.
    pub(crate) fn random_bytes(&self, function: &'static str) -> Result<[u8; 32], EvaluationError> {
        let seed = self
            .context
            .random_seed
            .ok_or(EvaluationError::NoRandomSeed(function))?;
        let draw = self.effort.draws.get();
        self.effort.draws.set(draw.wrapping_add(1));
        Ok(seed.bytes_at(self.origin.0, draw))
    }

    /// Keeps the nodes for which every predicate holds (XPath 1.0 §2.4). `nodes` stand in the axis's own order.
    fn filter(&self, nodes: &mut Vec<NodeId>, predicates: &[Expression]) -> Result<(), EvaluationError> {
        for predicate in predicates {
            let size = nodes.len();
            let mut kept = 0;
            for index in 0..size {
                let scope = Scope {
                    node: nodes[index],
                    position: index + 1,
                    size,
                    ..*self
                };
                let holds = match predicate {
                    Expression::Binary(..) => scope.boolean(predicate)?,
                    _ => match scope.evaluate(predicate)? {
                        Object::Number(number) => number == (index + 1) as f64,
                        other => other.to_boolean(),
                    },
                };
                if holds {
                    nodes[kept] = nodes[index];
                    kept += 1;
                }
            }
            nodes.truncate(kept);
        }
        Ok(())
    }
}

/// The name, if an operand is one plain child name.
fn column_of(side: &Expression) -> Option<&str> {
    match side {
        Expression::Path(path) => path.plain_name(),
        _ => None,
    }
}

/// Whether the path is a bare `${question}`, which stands for one value.
pub(super) fn is_single_question(path: &Path) -> bool {
    matches!(path.start, PathStart::Question(_)) && path.predicates.is_empty() && path.steps.is_empty()
}
