//! Reads tokens into the syntax tree by recursive descent with operator precedence (XPath 1.0 §2 and §3).

use std::ops::Range;

use super::ast::{
    Axis, BinaryOperator, Call, Expression, NEGATE_PRECEDENCE, NodeTest, Path, PathStart, Step, UnresolvedCall,
};
use super::functions;
use super::lexer::{LocatedToken, SyntaxError, SyntaxErrorKind, Token, tokens};
use crate::Phrase;

/// How deeply brackets, calls, predicates and operators may nest.
pub const MAX_DEPTH: usize = 64;

/// Reads an expression.
///
/// Operators of equal precedence associate to the left. Names are case-sensitive. An empty text is an error.
///
/// # Errors
/// With the byte offset and the kind of error, see [`SyntaxErrorKind`].
pub fn parse(source: &str) -> Result<Expression, SyntaxError> {
    Parser::new(source, Unresolved::Refuse)?
        .read()
        .map(|parsed| parsed.expression)
}

/// Reads an expression as ODK's engines do: a function that there is not, or one with the wrong number of arguments, is an
/// error only where it is reached, so that `false() and explode()` is false. For evaluating what others wrote; a form's own
/// expressions are better read with [`parse`], which finds such mistakes before the form is used.
///
/// # Errors
/// As [`parse`], for everything but calls.
pub fn parse_lazily(source: &str) -> Result<Expression, SyntaxError> {
    Parser::new(source, Unresolved::Keep)?
        .read()
        .map(|parsed| parsed.expression)
}

/// An expression with the place of each of its parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parsed {
    pub(crate) expression: Expression,
    /// The bytes of the source from which each expression was read, in the order of [`Expression::walk`]. They stand beside
    /// the tree, not in it, so equal expressions are equal wherever they are written.
    pub(crate) spans: Vec<Range<usize>>,
}

/// As [`parse`], with places.
pub(crate) fn parse_with_spans(source: &str) -> Result<Parsed, SyntaxError> {
    Parser::new(source, Unresolved::Refuse)?.read()
}

/// What becomes of a call that has no meaning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unresolved {
    Refuse,
    Keep,
}

struct Parser {
    tokens: Vec<LocatedToken>,
    next: usize,
    end: usize,
    depth: usize,
    unresolved: Unresolved,
    spans: Vec<Range<usize>>,
}

impl Parser {
    fn new(source: &str, unresolved: Unresolved) -> Result<Self, SyntaxError> {
        Ok(Self {
            tokens: tokens(source)?,
            next: 0,
            end: source.len(),
            depth: 0,
            unresolved,
            spans: Vec::new(),
        })
    }

    fn read(mut self) -> Result<Parsed, SyntaxError> {
        let expression = self.expression(0)?;
        if self.peek().is_some() {
            return Err(self.unexpected(Phrase::new(
                "an operator or the end",
                "một phép toán hoặc hết biểu thức",
            )));
        }
        Ok(Parsed {
            expression,
            spans: self.spans,
        })
    }

    /// Notes where an expression stands that began at byte `start` and ends with the last token. `outer` is how many spans
    /// there were before it: an outer expression is known after what is inside it, but comes before.
    fn note_span(&mut self, outer: usize, start: usize) {
        let last = self.next.checked_sub(1).and_then(|last| self.tokens.get(last));
        let end = last.map_or(start, |token| token.span.end);
        self.spans.insert(outer.min(self.spans.len()), start..end);
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|located| &located.token)
    }

    fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.next + 1).map(|located| &located.token)
    }

    fn offset(&self) -> usize {
        self.tokens
            .get(self.next)
            .map_or(self.end, |located| located.span.start)
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol)
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.next += 1;
        }
        found
    }

    fn error(&self, kind: SyntaxErrorKind) -> SyntaxError {
        SyntaxError {
            offset: self.offset(),
            kind,
        }
    }

    fn unexpected(&self, expected: Phrase) -> SyntaxError {
        let found = self.peek().map(Token::describe);
        self.error(SyntaxErrorKind::Unexpected { expected, found })
    }

    fn expect(&mut self, symbol: &str, expected: Phrase) -> Result<(), SyntaxError> {
        if self.take_symbol(symbol) {
            Ok(())
        } else {
            Err(self.unexpected(expected))
        }
    }

    /// Runs `read` one level deeper, refusing to go beyond [`MAX_DEPTH`].
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, SyntaxError>) -> Result<T, SyntaxError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error(SyntaxErrorKind::TooDeep));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// An expression whose operators all bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Expression, SyntaxError> {
        self.deeper(|parser| {
            let (outer, start) = (parser.spans.len(), parser.offset());
            let mut left = parser.unary()?;
            // A chain `a + b + c` becomes a tree that leans left, as deep as it is long; the limit covers it too.
            let mut length = parser.depth;
            while let Some(operator) = parser.operator() {
                if operator.precedence() < least.max(1) {
                    break;
                }
                length += 1;
                if length > MAX_DEPTH * 8 {
                    return Err(parser.error(SyntaxErrorKind::TooDeep));
                }
                parser.next += 1;
                let right = parser.expression(operator.precedence() + 1)?;
                left = Expression::Binary(operator, Box::new(left), Box::new(right));
                parser.note_span(outer, start);
            }
            Ok(left)
        })
    }

    /// The operator at the next token, if it is one. Only called where an operand has just ended, so a name or `*` here
    /// is an operator (XPath 1.0 §3.7).
    fn operator(&self) -> Option<BinaryOperator> {
        Some(match self.peek()? {
            Token::Name { prefix: None, local } => match local.as_str() {
                "or" => BinaryOperator::Or,
                "and" => BinaryOperator::And,
                "div" => BinaryOperator::Divide,
                "mod" => BinaryOperator::Remainder,
                _ => return None,
            },
            Token::Symbol(symbol) => match *symbol {
                "=" => BinaryOperator::Equal,
                "!=" => BinaryOperator::NotEqual,
                "<" => BinaryOperator::Less,
                "<=" => BinaryOperator::LessOrEqual,
                ">" => BinaryOperator::Greater,
                ">=" => BinaryOperator::GreaterOrEqual,
                "+" => BinaryOperator::Add,
                "-" => BinaryOperator::Subtract,
                "*" => BinaryOperator::Multiply,
                "|" => BinaryOperator::Union,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn unary(&mut self) -> Result<Expression, SyntaxError> {
        let (outer, start) = (self.spans.len(), self.offset());
        if self.take_symbol("-") {
            let inner = self.deeper(|parser| parser.expression(NEGATE_PRECEDENCE))?;
            self.note_span(outer, start);
            return Ok(Expression::Negate(Box::new(inner)));
        }
        self.path()
    }

    /// A location path, or a primary expression with predicates and further steps.
    fn path(&mut self) -> Result<Expression, SyntaxError> {
        let (outer, start) = (self.spans.len(), self.offset());
        if self.is_symbol("/") || self.is_symbol("//") {
            let mut steps = Vec::new();
            if self.take_symbol("//") {
                steps.push(any_descendant());
                self.steps(&mut steps)?;
            } else {
                self.next += 1;
                if self.at_step() {
                    self.steps(&mut steps)?;
                }
            }
            self.note_span(outer, start);
            return Ok(Expression::Path(Path {
                start: PathStart::Root,
                predicates: Vec::new(),
                steps,
            }));
        }
        if self.at_step() {
            let mut steps = Vec::new();
            self.steps(&mut steps)?;
            self.note_span(outer, start);
            return Ok(Expression::Path(Path {
                start: PathStart::Context,
                predicates: Vec::new(),
                steps,
            }));
        }
        let primary = self.primary()?;
        let predicates = self.predicates()?;
        let mut steps = Vec::new();
        if self.take_symbol("//") {
            steps.push(any_descendant());
            self.steps(&mut steps)?;
        } else if self.take_symbol("/") {
            self.steps(&mut steps)?;
        }
        if let Expression::Path(path) = &primary
            && let PathStart::Question(_) | PathStart::LastSaved(_) = path.start
            && path.steps.is_empty()
            && path.predicates.is_empty()
        {
            // The question's own span gives way to that of the path.
            if outer < self.spans.len() {
                self.spans.remove(outer);
            }
            self.note_span(outer, start);
            return Ok(Expression::Path(Path {
                start: path.start.clone(),
                predicates,
                steps,
            }));
        }
        if predicates.is_empty() && steps.is_empty() {
            return Ok(primary);
        }
        self.note_span(outer, start);
        Ok(Expression::Path(Path {
            start: PathStart::Expression(Box::new(primary)),
            predicates,
            steps,
        }))
    }

    /// Whether a step starts at the next token; a name followed by `(` is a function unless it is a node type.
    fn at_step(&self) -> bool {
        match self.peek() {
            Some(Token::Symbol(symbol)) => matches!(*symbol, "." | ".." | "@" | "*"),
            Some(Token::AnyWithPrefix(_)) => true,
            Some(Token::Name { prefix, local }) => {
                let call = matches!(self.peek_second(), Some(Token::Symbol("(")));
                !call || (prefix.is_none() && is_node_type(local))
            }
            _ => false,
        }
    }

    fn steps(&mut self, steps: &mut Vec<Step>) -> Result<(), SyntaxError> {
        loop {
            steps.push(self.step()?);
            if steps.len() > MAX_DEPTH * 4 {
                return Err(self.error(SyntaxErrorKind::TooDeep));
            }
            if self.take_symbol("//") {
                steps.push(any_descendant());
            } else if !self.take_symbol("/") {
                return Ok(());
            }
        }
    }

    fn step(&mut self) -> Result<Step, SyntaxError> {
        for (symbol, axis) in [("..", Axis::Parent), (".", Axis::SelfNode)] {
            if self.take_symbol(symbol) {
                // XPath 1.0 allows no predicate after an abbreviated step; ODK forms write them, so they are read.
                let predicates = self.predicates()?;
                return Ok(Step {
                    axis,
                    test: NodeTest::Node,
                    predicates,
                });
            }
        }
        let axis = self.axis()?;
        let test = self.node_test()?;
        let predicates = self.predicates()?;
        Ok(Step { axis, test, predicates })
    }

    fn axis(&mut self) -> Result<Axis, SyntaxError> {
        if self.take_symbol("@") {
            return Ok(Axis::Attribute);
        }
        if let Some(Token::Name { prefix: None, local }) = self.peek()
            && matches!(self.peek_second(), Some(Token::Symbol("::")))
        {
            let axis = Axis::ALL.iter().find(|(_, name)| name == local).map(|(axis, _)| *axis);
            let axis = axis.ok_or_else(|| self.error(SyntaxErrorKind::UnknownAxis(local.clone())))?;
            self.next += 2;
            return Ok(axis);
        }
        Ok(Axis::Child)
    }

    fn node_test(&mut self) -> Result<NodeTest, SyntaxError> {
        const EXPECTED: Phrase = Phrase::new("the name of a question or group", "tên câu hỏi hoặc nhóm");
        if self.take_symbol("*") {
            return Ok(NodeTest::Any);
        }
        match self.peek().cloned() {
            Some(Token::AnyWithPrefix(prefix)) => {
                self.next += 1;
                Ok(NodeTest::AnyWithPrefix(prefix))
            }
            Some(Token::Name { prefix, local }) => {
                if !matches!(self.peek_second(), Some(Token::Symbol("("))) {
                    self.next += 1;
                    return Ok(NodeTest::Name { prefix, local });
                }
                if prefix.is_some() || !is_node_type(&local) {
                    return Err(self.unexpected(EXPECTED));
                }
                self.next += 2;
                let target = match self.peek().cloned() {
                    Some(Token::Literal(target)) if local == "processing-instruction" => {
                        self.next += 1;
                        Some(target)
                    }
                    _ => None,
                };
                self.expect(")", Phrase::new("a closing bracket )", "dấu đóng ngoặc )"))?;
                Ok(match local.as_str() {
                    "text" => NodeTest::Text,
                    "comment" => NodeTest::Comment,
                    "processing-instruction" => NodeTest::ProcessingInstruction(target),
                    _ => NodeTest::Node,
                })
            }
            _ => Err(self.unexpected(EXPECTED)),
        }
    }

    fn predicates(&mut self) -> Result<Vec<Expression>, SyntaxError> {
        let mut predicates = Vec::new();
        while self.take_symbol("[") {
            predicates.push(self.expression(0)?);
            self.expect("]", Phrase::new("a closing bracket ]", "dấu đóng ngoặc ]"))?;
        }
        Ok(predicates)
    }

    fn primary(&mut self) -> Result<Expression, SyntaxError> {
        let (outer, start) = (self.spans.len(), self.offset());
        let bracket = self.is_symbol("(");
        let primary = self.primary_without_span()?;
        // What is in brackets has its span already.
        if !bracket {
            self.note_span(outer, start);
        }
        Ok(primary)
    }

    fn primary_without_span(&mut self) -> Result<Expression, SyntaxError> {
        match self.peek().cloned() {
            Some(Token::Number(number)) => {
                self.next += 1;
                Ok(Expression::Number(number))
            }
            Some(Token::Literal(text)) => {
                self.next += 1;
                Ok(Expression::Literal(text))
            }
            Some(Token::Variable(name)) => {
                self.next += 1;
                Ok(Expression::Variable(name))
            }
            Some(Token::Question(name)) => {
                self.next += 1;
                Ok(Expression::Path(Path {
                    start: PathStart::Question(name),
                    predicates: Vec::new(),
                    steps: Vec::new(),
                }))
            }
            Some(Token::LastSaved(name)) => {
                self.next += 1;
                Ok(Expression::Path(Path {
                    start: PathStart::LastSaved(name),
                    predicates: Vec::new(),
                    steps: Vec::new(),
                }))
            }
            Some(Token::Symbol("(")) => {
                self.next += 1;
                let inner = self.expression(0)?;
                self.expect(")", Phrase::new("a closing bracket )", "dấu đóng ngoặc )"))?;
                // `(${a})` and `${a}` are one tree; other paths in brackets stay apart, for `(//a)[1]` is not `//a[1]`.
                Ok(inner)
            }
            Some(Token::Name { prefix, local }) => self.call(prefix, &local),
            _ => Err(self.unexpected(Phrase::new(
                "a value, a question or a function",
                "một giá trị, câu hỏi hoặc hàm",
            ))),
        }
    }

    fn call(&mut self, prefix: Option<String>, local: &str) -> Result<Expression, SyntaxError> {
        let written = prefix.map_or_else(|| local.to_owned(), |prefix| format!("{prefix}:{local}"));
        let start = self.offset();
        let function = functions::find(&written);
        if function.is_none() && self.unresolved == Unresolved::Refuse {
            return Err(self.error(SyntaxErrorKind::UnknownFunction(written)));
        }
        self.next += 1;
        self.expect("(", Phrase::new("an opening bracket (", "dấu mở ngoặc ("))?;
        let mut arguments = Vec::new();
        if !self.take_symbol(")") {
            loop {
                arguments.push(self.expression(0)?);
                if self.take_symbol(")") {
                    break;
                }
                self.expect(
                    ",",
                    Phrase::new("a comma or a closing bracket )", "dấu phẩy hoặc dấu đóng ngoặc )"),
                )?;
            }
        }
        let reason = match function {
            Some(function) if function.takes(arguments.len()) => {
                return Ok(Expression::Call(Call::new(function, arguments)));
            }
            Some(function) => SyntaxErrorKind::WrongArity {
                name: function.name,
                expected: function.arity_in_words(),
                found: arguments.len(),
            },
            None => SyntaxErrorKind::UnknownFunction(written.clone()),
        };
        match self.unresolved {
            Unresolved::Refuse => Err(SyntaxError {
                offset: start,
                kind: reason,
            }),
            Unresolved::Keep => Ok(Expression::Unresolved(UnresolvedCall {
                name: written,
                arguments,
                reason,
            })),
        }
    }
}

fn any_descendant() -> Step {
    Step {
        axis: Axis::DescendantOrSelf,
        test: NodeTest::Node,
        predicates: Vec::new(),
    }
}

fn is_node_type(name: &str) -> bool {
    matches!(name, "node" | "text" | "comment" | "processing-instruction")
}
