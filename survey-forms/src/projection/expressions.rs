//! Numerators and denominators: parsed once, checked against the form, with what they depend on.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::additive::repeat_counted_over;
use crate::model::{Form, references};
use crate::xpath::{Expression, SyntaxError, Variables, parse};

/// Which expression of an indicator or round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpressionRole {
    /// What is counted.
    Numerator,
    /// Out of what.
    Denominator,
    /// Whether the response counts.
    Respondent,
}

impl ExpressionRole {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Numerator => ("numerator", "tử số"),
            Self::Denominator => ("denominator", "mẫu số"),
            Self::Respondent => ("respondent expression", "điều kiện trả lời"),
        }
    }
}

/// Why an indicator's expression cannot be used with a form.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ExpressionError {
    /// The text is no expression.
    #[error("{}: {error}\n{}", .role.words().0, error.caret(source_text))]
    Syntax {
        /// Which expression.
        role: ExpressionRole,
        /// What is wrong and where.
        error: SyntaxError,
        /// The whole text.
        source_text: String,
    },
    /// A question that the form does not have.
    #[error("{}: the form has no question {name:?}{}", .role.words().0, meant(.nearest))]
    UnknownQuestion {
        /// Which expression.
        role: ExpressionRole,
        /// The name.
        name: String,
        /// The form's name nearest to it, if one is near.
        nearest: Option<String>,
    },
    /// A variable that is not among the parameters.
    #[error("{}: ${name} is not among the indicator's parameters; add {name}=value", .role.words().0)]
    UnknownParameter {
        /// Which expression.
        role: ExpressionRole,
        /// The name.
        name: String,
    },
    /// A value that would change with the day on which it is computed.
    #[error(
        "{}: {} asks for today or now, so the result would change by itself; use a date that is answered",
        .role.words().0,
        .question.as_deref().unwrap_or("the expression")
    )]
    DependsOnClock {
        /// Which expression.
        role: ExpressionRole,
        /// The question whose relevance or calculation asks for it; none where the expression itself does.
        question: Option<String>,
    },
}

fn meant(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}

impl ExpressionError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Syntax {
                role,
                error,
                source_text,
            } => {
                format!(
                    "{}: {}\n{}",
                    role.words().1,
                    error.vietnamese(),
                    error.caret(source_text)
                )
            }
            Self::UnknownQuestion { role, name, nearest } => {
                let meant = nearest
                    .as_ref()
                    .map_or_else(String::new, |name| format!("; có phải là {name:?}?"));
                format!("{}: biểu mẫu không có câu hỏi {name:?}{meant}", role.words().1)
            }
            Self::DependsOnClock { role, question } => format!(
                "{}: {} dùng ngày giờ hiện tại nên kết quả tự thay đổi; hãy dùng một ngày đã trả lời",
                role.words().1,
                question.as_deref().unwrap_or("biểu thức")
            ),
            Self::UnknownParameter { role, name } => {
                format!(
                    "{}: ${name} không có trong các tham số; hãy thêm {name}=giá trị",
                    role.words().1
                )
            }
        }
    }
}

/// An expression with everything that its result may depend on.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub(super) expression: Expression,
    pub(super) variables: Variables,
    /// The positions of the questions it mentions and of all that these depend on.
    pub(super) depends_on: BTreeSet<usize>,
    /// The repeat whose instances contribute independently of one another, if the expression is such a sum.
    pub(super) counted_over: Option<usize>,
}

impl Compiled {
    pub(super) fn new(
        form: &Form,
        role: ExpressionRole,
        source: &str,
        parameters: &Variables,
    ) -> Result<Self, ExpressionError> {
        let expression = parse(source).map_err(|error| ExpressionError::Syntax {
            role,
            error,
            source_text: source.to_owned(),
        })?;
        let mut mentioned = BTreeSet::new();
        for name in references(&expression) {
            let position = form.position(name).ok_or_else(|| ExpressionError::UnknownQuestion {
                role,
                name: name.to_owned(),
                nearest: crate::model::nearest_name(name, form.nodes().iter().map(|node| node.name.as_str())),
            })?;
            mentioned.insert(position);
        }
        let mut unknown = None;
        expression.walk(&mut |inner| {
            if let Expression::Variable(name) = inner
                && !parameters.contains_key(name)
            {
                unknown.get_or_insert(name);
            }
        });
        if let Some(name) = unknown {
            let name = name.clone();
            return Err(ExpressionError::UnknownParameter { role, name });
        }
        let depends_on = form.dependencies().closure(mentioned);
        if reads_clock(&expression) {
            return Err(ExpressionError::DependsOnClock { role, question: None });
        }
        if let Some(question) = clock_reader(form, &depends_on) {
            let question = Some(question);
            return Err(ExpressionError::DependsOnClock { role, question });
        }
        let counted_over = repeat_counted_over(form, &expression, &depends_on);
        Ok(Self {
            expression,
            variables: parameters.clone(),
            depends_on,
            counted_over,
        })
    }
}

/// Whether the expression asks for today or now.
fn reads_clock(expression: &Expression) -> bool {
    let mut reads = false;
    expression.walk(&mut |inner| {
        reads |= matches!(inner, Expression::Call(call) if matches!(call.function.name, "today" | "now"));
    });
    reads
}

/// The first question whose relevance or calculation asks for today or now.
fn clock_reader(form: &Form, depends_on: &BTreeSet<usize>) -> Option<String> {
    let asks = |position: &&usize| {
        form.formulas(**position).is_some_and(|formulas| {
            let formulas = [&formulas.relevant, &formulas.calculation];
            formulas.into_iter().flatten().any(reads_clock)
        })
    };
    let position = depends_on.iter().find(asks)?;
    form.nodes().get(*position).map(|node| node.name.clone())
}

/// The numerator and denominator of one indicator, checked against one form.
#[derive(Debug, Clone)]
pub struct IndicatorExpressions {
    pub(super) numerator: Compiled,
    pub(super) denominator: Compiled,
}

impl IndicatorExpressions {
    /// Reads the expressions of a registry entry. `${question}` refers to the form, plain names inside `${repeat}[…]` to
    /// the questions of each instance, and `$name` to one of the `parameters`.
    ///
    /// # Errors
    /// When an expression cannot be read, or mentions a question or parameter that does not exist, or asks
    /// for the clock.
    pub fn compile(
        form: &Form,
        numerator: &str,
        denominator: &str,
        parameters: &BTreeMap<String, f64>,
    ) -> Result<Self, ExpressionError> {
        Ok(Self {
            numerator: Compiled::new(form, ExpressionRole::Numerator, numerator, parameters)?,
            denominator: Compiled::new(form, ExpressionRole::Denominator, denominator, parameters)?,
        })
    }

    /// Whether the indicator depends on the question, directly or through relevance and calculations.
    pub fn depends_on(&self, form: &Form, question: &str) -> bool {
        form.position(question)
            .is_some_and(|position| self.depends_on_position(position))
    }

    pub(super) fn depends_on_position(&self, position: usize) -> bool {
        self.numerator.depends_on.contains(&position) || self.denominator.depends_on.contains(&position)
    }

    /// The repeat over whose instances both sides are sums of independent contributions.
    pub(super) fn counted_over(&self) -> Option<usize> {
        self.numerator
            .counted_over
            .filter(|repeat| self.denominator.counted_over == Some(*repeat))
    }
}
