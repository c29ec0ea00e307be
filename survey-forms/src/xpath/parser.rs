//! Reads tokens into the syntax tree by recursive descent with operator precedence (XPath 1.0 §2 and §3).

use super::ast::{Axis, BinaryOperator, Call, Expression, NEGATE_PRECEDENCE, NodeTest, Path, PathStart, Step};
use super::functions;
use super::lexer::{SyntaxError, SyntaxErrorKind, Token, tokens};
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
    let mut parser = Parser {
        tokens: tokens(source)?,
        next: 0,
        end: source.len(),
        depth: 0,
    };
    let expression = parser.expression(0)?;
    if parser.peek().is_some() {
        return Err(parser.unexpected(Phrase::new(
            "an operator or the end",
            "một phép toán hoặc hết biểu thức",
        )));
    }
    Ok(expression)
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.next + 1).map(|(_, token)| token)
    }

    fn offset(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(offset, _)| *offset)
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
        if self.take_symbol("-") {
            let inner = self.deeper(|parser| parser.expression(NEGATE_PRECEDENCE))?;
            return Ok(Expression::Negate(Box::new(inner)));
        }
        self.path()
    }

    /// A location path, or a primary expression with predicates and further steps.
    fn path(&mut self) -> Result<Expression, SyntaxError> {
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
            return Ok(Expression::Path(Path {
                start: PathStart::Root,
                predicates: Vec::new(),
                steps,
            }));
        }
        if self.at_step() {
            let mut steps = Vec::new();
            self.steps(&mut steps)?;
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
            && let PathStart::Question(_) = path.start
            && path.steps.is_empty()
            && path.predicates.is_empty()
        {
            return Ok(Expression::Path(Path {
                start: path.start.clone(),
                predicates,
                steps,
            }));
        }
        if predicates.is_empty() && steps.is_empty() {
            return Ok(primary);
        }
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
        let function = functions::find(&written).ok_or(SyntaxError {
            offset: start,
            kind: SyntaxErrorKind::UnknownFunction(written),
        })?;
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
        if !function.takes(arguments.len()) {
            return Err(SyntaxError {
                offset: start,
                kind: SyntaxErrorKind::WrongArity {
                    name: function.name,
                    expected: function.arity_in_words(),
                    found: arguments.len(),
                },
            });
        }
        Ok(Expression::Call(Call { function, arguments }))
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
