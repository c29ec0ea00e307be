//! The typed syntax tree of an expression, and its printing.

use std::fmt;
use std::sync::Arc;

use super::functions::Function;
use super::lexer::LAST_SAVED;
use super::lexer::SyntaxErrorKind;
use super::pattern::Pattern;

/// An expression (XPath 1.0 §3), with `${question}` references of XLSForm as an additional start of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A number as written; never negative and never NaN.
    Number(f64),
    /// Quoted text.
    Literal(String),
    /// `$name`, whose value the caller supplies.
    Variable(String),
    /// Unary minus.
    Negate(Box<Expression>),
    /// Two operands joined by an operator.
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    /// A function call.
    Call(Call),
    /// A call of a function that there is not, or with the wrong number of arguments. Only [`super::parse_lazily`] gives
    /// one; it is an error when it is reached.
    Unresolved(UnresolvedCall),
    /// A location path or a filter expression.
    Path(Path),
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOperator {
    /// `or`
    Or,
    /// `and`
    And,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `div`
    Divide,
    /// `mod`
    Remainder,
    /// `|`
    Union,
}

impl BinaryOperator {
    /// How tightly the operator binds; a higher number binds tighter (XPath 1.0 §3.5 and the grammar's nesting).
    pub(crate) fn precedence(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual => 3,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => 4,
            Self::Add | Self::Subtract => 5,
            Self::Multiply | Self::Divide | Self::Remainder => 6,
            Self::Union => 8,
        }
    }

    /// Whether the result is a truth value.
    pub(crate) fn gives_truth(self) -> bool {
        self.precedence() <= Self::Less.precedence()
    }

    /// The operator as written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "div",
            Self::Remainder => "mod",
            Self::Union => "|",
        }
    }
}

/// Precedence of unary minus, between the multiplicative operators and union (XPath 1.0 §3.5).
pub(crate) const NEGATE_PRECEDENCE: u8 = 7;

/// A call of a function from the table in [`super::functions`].
#[derive(Debug, Clone)]
pub struct Call {
    /// The table's entry.
    pub function: &'static Function,
    /// The arguments, as many as the entry allows.
    pub arguments: Vec<Expression>,
    /// Of a `regex()` whose pattern is written out, the pattern, compiled once; none if it cannot be used.
    pub(crate) pattern: Option<Arc<Pattern>>,
}

impl Call {
    /// A call.
    pub fn new(function: &'static Function, arguments: Vec<Expression>) -> Self {
        let pattern = match arguments.as_slice() {
            [_, Expression::Literal(pattern)] if function.name == "regex" => Pattern::new(pattern).ok().map(Arc::new),
            _ => None,
        };
        Self {
            function,
            arguments,
            pattern,
        }
    }
}

/// A call that has no meaning, see [`Expression::Unresolved`].
#[derive(Debug, Clone, PartialEq)]
pub struct UnresolvedCall {
    /// The function's name as written.
    pub name: String,
    /// The arguments.
    pub arguments: Vec<Expression>,
    /// What is wrong.
    pub reason: SyntaxErrorKind,
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name && self.arguments == other.arguments
    }
}

/// A location path or a filter expression: where it starts, predicates on the start, and steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Where the path starts.
    pub start: PathStart,
    /// Predicates directly on the start (XPath 1.0 §3.3); empty for the context and the root.
    pub predicates: Vec<Expression>,
    /// The steps, outermost first.
    pub steps: Vec<Step>,
}

/// The start of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum PathStart {
    /// The context node: a relative path.
    Context,
    /// The document's root: an absolute path.
    Root,
    /// `${name}`: the question of that name that shares the innermost repeat instance with the expression's own place.
    Question(String),
    /// `${last-saved#name}`: the question of that name in the form saved last on the device.
    LastSaved(String),
    /// Any other expression whose result is a node set.
    Expression(Box<Expression>),
}

/// One step of a path (XPath 1.0 §2.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The direction.
    pub axis: Axis,
    /// Which nodes on the axis.
    pub test: NodeTest,
    /// Conditions, applied in order.
    pub predicates: Vec<Expression>,
}

/// The direction of a step (XPath 1.0 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each variant is the standard's axis of that name
pub enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Following,
    FollowingSibling,
    Namespace,
    Parent,
    Preceding,
    PrecedingSibling,
    SelfNode,
}

impl Axis {
    /// Every axis with its written name.
    pub(crate) const ALL: [(Axis, &'static str); 13] = [
        (Self::Ancestor, "ancestor"),
        (Self::AncestorOrSelf, "ancestor-or-self"),
        (Self::Attribute, "attribute"),
        (Self::Child, "child"),
        (Self::Descendant, "descendant"),
        (Self::DescendantOrSelf, "descendant-or-self"),
        (Self::Following, "following"),
        (Self::FollowingSibling, "following-sibling"),
        (Self::Namespace, "namespace"),
        (Self::Parent, "parent"),
        (Self::Preceding, "preceding"),
        (Self::PrecedingSibling, "preceding-sibling"),
        (Self::SelfNode, "self"),
    ];

    /// The axis as written.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(axis, _)| *axis == self)
            .map_or("child", |(_, name)| name)
    }

    /// Whether positions on this axis count backwards in document order (XPath 1.0 §2.4).
    pub(crate) fn is_reverse(self) -> bool {
        matches!(
            self,
            Self::Ancestor | Self::AncestorOrSelf | Self::Preceding | Self::PrecedingSibling
        )
    }
}

/// Which nodes of an axis a step takes (XPath 1.0 §2.3).
#[derive(Debug, Clone, PartialEq)]
pub enum NodeTest {
    /// `*`
    Any,
    /// `prefix:*`
    AnyWithPrefix(String),
    /// `name` or `prefix:name`
    Name {
        /// The prefix, if written.
        prefix: Option<String>,
        /// The local part.
        local: String,
    },
    /// `node()`
    Node,
    /// `text()`
    Text,
    /// `comment()`
    Comment,
    /// `processing-instruction()` or `processing-instruction('target')`
    ProcessingInstruction(Option<String>),
}

impl Expression {
    /// Calls `visit` on this expression and on every expression inside it, outer before inner.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expression)) {
        visit(self);
        match self {
            Self::Number(_) | Self::Literal(_) | Self::Variable(_) => {}
            Self::Negate(inner) => inner.walk(visit),
            Self::Binary(_, left, right) => {
                left.walk(visit);
                right.walk(visit);
            }
            Self::Call(Call { arguments, .. }) | Self::Unresolved(UnresolvedCall { arguments, .. }) => {
                arguments.iter().for_each(|argument| argument.walk(visit));
            }
            Self::Path(path) => {
                if let PathStart::Expression(start) = &path.start {
                    start.walk(visit);
                }
                path.predicates.iter().for_each(|predicate| predicate.walk(visit));
                for step in &path.steps {
                    step.predicates.iter().for_each(|predicate| predicate.walk(visit));
                }
            }
        }
    }

    /// Whether the value may depend on the context node, position or size where it is evaluated, or on chance; `current()`
    /// and absolute paths do not.
    pub(crate) fn depends_on_context(&self) -> bool {
        const WITHOUT_ARGUMENTS: [&str; 7] = ["current", "false", "now", "pi", "today", "true", "version"];
        const ALWAYS: [&str; 5] = ["lang", "once", "position", "randomize", "uuid"];
        match self {
            Self::Number(_) | Self::Literal(_) | Self::Variable(_) => false,
            Self::Negate(inner) => inner.depends_on_context(),
            Self::Binary(_, left, right) => left.depends_on_context() || right.depends_on_context(),
            Self::Call(call) if call.arguments.is_empty() => !WITHOUT_ARGUMENTS.contains(&call.function.name),
            Self::Call(call) => {
                ALWAYS.contains(&call.function.name) || call.arguments.iter().any(Self::depends_on_context)
            }
            Self::Unresolved(_) => true,
            Self::Path(path) => match &path.start {
                PathStart::Context => true,
                PathStart::Root | PathStart::Question(_) | PathStart::LastSaved(_) => false,
                PathStart::Expression(start) => start.depends_on_context(),
            },
        }
    }

    fn precedence(&self) -> u8 {
        match self {
            Self::Binary(operator, ..) => operator.precedence(),
            Self::Negate(_) => NEGATE_PRECEDENCE,
            _ => u8::MAX,
        }
    }

    /// Prints the expression, in brackets where it binds less tightly than `least`.
    fn print(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        if self.precedence() < least {
            f.write_str("(")?;
            self.print(f, 0)?;
            return f.write_str(")");
        }
        match self {
            Self::Number(number) => f.write_str(&super::object::number_to_text(*number)),
            Self::Literal(text) => write_literal(f, text),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Negate(inner) => {
                f.write_str("-")?;
                inner.print(f, NEGATE_PRECEDENCE)
            }
            Self::Binary(operator, left, right) => {
                left.print(f, operator.precedence())?;
                write!(f, " {} ", operator.symbol())?;
                right.print(f, operator.precedence() + 1)
            }
            Self::Call(call) => print_call(f, call.function.name, &call.arguments),
            Self::Unresolved(call) => print_call(f, &call.name, &call.arguments),
            Self::Path(path) => write!(f, "{path}"),
        }
    }
}

fn print_call(f: &mut fmt::Formatter<'_>, name: &str, arguments: &[Expression]) -> fmt::Result {
    write!(f, "{name}(")?;
    for (position, argument) in arguments.iter().enumerate() {
        if position > 0 {
            f.write_str(", ")?;
        }
        argument.print(f, 0)?;
    }
    f.write_str(")")
}

fn write_literal(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    // A literal cannot hold its own quote (XPath 1.0 §3.7), so at most one of the two occurs in it.
    let quote = if text.contains('\'') { '"' } else { '\'' };
    write!(f, "{quote}{text}{quote}")
}

impl fmt::Display for Expression {
    /// The expression in a form that [`super::parse`] reads back to the same tree.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, 0)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separate = true;
        match &self.start {
            PathStart::Context => separate = false,
            // In brackets, for a name or `*` after a lone slash would be read as its step.
            PathStart::Root if self.steps.is_empty() => return f.write_str("(/)"),
            PathStart::Root => {
                f.write_str("/")?;
                separate = false;
            }
            PathStart::Question(name) => write!(f, "${{{name}}}")?,
            PathStart::LastSaved(name) => write!(f, "${{{LAST_SAVED}{name}}}")?,
            PathStart::Expression(inner) => match inner.as_ref() {
                // A path in brackets is a different tree from the path itself.
                Expression::Path(_) => write!(f, "({inner})")?,
                inner => inner.print(f, u8::MAX)?,
            },
        }
        for predicate in &self.predicates {
            write!(f, "[{predicate}]")?;
        }
        for step in &self.steps {
            if separate {
                f.write_str("/")?;
            }
            separate = true;
            write!(f, "{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.axis, &self.test) {
            (Axis::SelfNode, NodeTest::Node) if self.predicates.is_empty() => return f.write_str("."),
            (Axis::Parent, NodeTest::Node) if self.predicates.is_empty() => return f.write_str(".."),
            (Axis::Child, _) => {}
            (Axis::Attribute, _) => f.write_str("@")?,
            (axis, _) => write!(f, "{}::", axis.name())?,
        }
        write!(f, "{}", self.test)?;
        for predicate in &self.predicates {
            write!(f, "[{predicate}]")?;
        }
        Ok(())
    }
}

impl fmt::Display for NodeTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::AnyWithPrefix(prefix) => write!(f, "{prefix}:*"),
            Self::Name { prefix: None, local } => f.write_str(local),
            Self::Name {
                prefix: Some(prefix),
                local,
            } => write!(f, "{prefix}:{local}"),
            Self::Node => f.write_str("node()"),
            Self::Text => f.write_str("text()"),
            Self::Comment => f.write_str("comment()"),
            Self::ProcessingInstruction(None) => f.write_str("processing-instruction()"),
            Self::ProcessingInstruction(Some(target)) => {
                f.write_str("processing-instruction(")?;
                write_literal(f, target)?;
                f.write_str(")")
            }
        }
    }
}

impl Expression {
    /// The expression with every path that is one plain name replaced by text, where `text_of` knows the name. Choice
    /// filters are written over the columns of a choice in this way.
    pub(crate) fn with_names_replaced(&self, text_of: &dyn Fn(&str) -> Option<String>) -> Self {
        let again = |inner: &Self| inner.with_names_replaced(text_of);
        match self {
            Self::Number(_) | Self::Literal(_) | Self::Variable(_) => self.clone(),
            Self::Negate(inner) => Self::Negate(Box::new(again(inner))),
            Self::Binary(operator, left, right) => {
                Self::Binary(*operator, Box::new(again(left)), Box::new(again(right)))
            }
            Self::Call(call) => {
                let arguments = call.arguments.iter().map(again).collect();
                match &call.pattern {
                    // A pattern is written out, so nothing in it is replaced, and it need not be compiled again.
                    Some(pattern) => Self::Call(Call {
                        function: call.function,
                        arguments,
                        pattern: Some(Arc::clone(pattern)),
                    }),
                    None => Self::Call(Call::new(call.function, arguments)),
                }
            }
            Self::Unresolved(_) => self.clone(),
            Self::Path(path) => match path.plain_name().and_then(text_of) {
                Some(text) => Self::Literal(text),
                None => self.clone(),
            },
        }
    }
}

impl Path {
    /// The name, if the path is a relative path of one plain child name.
    pub(crate) fn plain_name(&self) -> Option<&str> {
        match (&self.start, self.steps.as_slice()) {
            (
                PathStart::Context,
                [
                    Step {
                        axis: Axis::Child,
                        test: NodeTest::Name { prefix: None, local },
                        predicates,
                    },
                ],
            ) if predicates.is_empty() => Some(local),
            _ => None,
        }
    }
}
