//! Comparisons (XPath 1.0 §3.4).

use std::borrow::Cow;

use super::ast::{BinaryOperator, Expression, Path};
use super::calendar::Moment;
use super::evaluation::{Scope, is_single_question};
use super::evaluation_error::EvaluationError;
use super::object::Object;

/// A value in a comparison.
pub(super) enum Atom<'a> {
    Number(f64),
    Text(Cow<'a, str>),
}

impl<'a> Scope<'a> {
    /// Compares a single question with a text, number or variable without building node sets; none where the operands
    /// are of other kinds. The result is the same as that of the general comparison.
    pub(super) fn compare_question(
        &self,
        operator: BinaryOperator,
        path: &Path,
        right: &Expression,
    ) -> Result<Option<bool>, EvaluationError> {
        let right = match right {
            Expression::Literal(text) => Atom::Text(Cow::Borrowed(text)),
            Expression::Number(number) => Atom::Number(*number),
            Expression::Variable(_) => Atom::Number(self.number(right)?),
            _ => return Ok(None),
        };
        let mut holds = false;
        let mut found = 0_usize;
        let simple = self.each_of_single_step(path, &mut |node| {
            found += 1;
            holds |= self.compare_atoms(operator, &Atom::Text(self.tree.text_of(node)), &right);
        })?;
        if !simple {
            return Ok(None);
        }
        if found == 0 && is_single_question(path) {
            // A question that is not to be asked now reads as blank in ODK, so that `${q} = ''` holds for it.
            holds = self.compare_atoms(operator, &Atom::Text(Cow::Borrowed("")), &right);
        }
        Ok(Some(holds))
    }

    /// Comparison by XPath 1.0 §3.4.
    pub(super) fn compare(
        &self,
        operator: BinaryOperator,
        left_expression: &Expression,
        left: &Object,
        right_expression: &Expression,
        right: &Object,
    ) -> Result<bool, EvaluationError> {
        if let (Object::Boolean(_), _) | (_, Object::Boolean(_)) = (left, right) {
            return Ok(if is_equality(operator) {
                (left.to_boolean() == right.to_boolean()) == (operator == BinaryOperator::Equal)
            } else {
                let as_number = |object: &Object| f64::from(u8::from(object.to_boolean()));
                // Against a boolean a node set is a boolean first; other operands keep their own number.
                let number = |object: &Object| match object {
                    Object::Nodes(_) => as_number(object),
                    other => other.to_number(self.tree, self.context.now.utc_offset_minutes),
                };
                compare_numbers(operator, number(left), number(right))
            });
        }
        let left = self.operand(left_expression, left)?;
        let right = self.operand(right_expression, right)?;
        for atom in &left {
            self.count_visits(right.len() as u64)?;
            if right.iter().any(|other| self.compare_atoms(operator, atom, other)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The values to compare: one for a value, one a node for a node set.
    pub(super) fn operand<'o>(
        &self,
        expression: &Expression,
        object: &'o Object,
    ) -> Result<Vec<Atom<'o>>, EvaluationError>
    where
        'a: 'o,
    {
        Ok(match object {
            Object::Number(number) => vec![Atom::Number(*number)],
            Object::Boolean(value) => vec![Atom::Number(f64::from(u8::from(*value)))],
            Object::Text(text) => vec![Atom::Text(Cow::Borrowed(text))],
            Object::Date(date) => vec![Atom::Number(date.moment.map_or(f64::NAN, Moment::days))],
            Object::Nodes(nodes) if nodes.is_empty() => match expression {
                Expression::Path(path) if is_single_question(path) => vec![Atom::Text(Cow::Borrowed(""))],
                _ => Vec::new(),
            },
            Object::Nodes(nodes) => nodes
                .iter()
                .map(|node| self.node_text(*node).map(Atom::Text))
                .collect::<Result<_, _>>()?,
        })
    }

    fn compare_atoms(&self, operator: BinaryOperator, left: &Atom<'_>, right: &Atom<'_>) -> bool {
        if let (Atom::Text(left), Atom::Text(right)) = (left, right)
            && is_equality(operator)
        {
            return (left == right) == (operator == BinaryOperator::Equal);
        }
        let number = |atom: &Atom<'_>| match atom {
            Atom::Number(number) => *number,
            Atom::Text(text) => self.text_number(text),
        };
        compare_numbers(operator, number(left), number(right))
    }
}

fn is_equality(operator: BinaryOperator) -> bool {
    matches!(operator, BinaryOperator::Equal | BinaryOperator::NotEqual)
}

fn compare_numbers(operator: BinaryOperator, left: f64, right: f64) -> bool {
    match operator {
        BinaryOperator::Equal => left == right,
        BinaryOperator::NotEqual => left != right,
        BinaryOperator::Less => left < right,
        BinaryOperator::LessOrEqual => left <= right,
        BinaryOperator::Greater => left > right,
        BinaryOperator::GreaterOrEqual => left >= right,
        _ => false,
    }
}
