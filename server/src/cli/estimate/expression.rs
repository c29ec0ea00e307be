//! What an indicator's cell says of the columns: a column, or comparisons of columns with constants.

use crate::cli::microdata::Data;
use crate::http::Text;
use crate::table::Faults;

/// A column's numbers, or comparisons that must all hold, which count as 1 and 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Column(String),
    Comparisons(Vec<Comparison>),
}

/// A column compared with a constant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Comparison {
    column: String,
    operator: Operator,
    constant: Constant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Debug, Clone, PartialEq)]
enum Constant {
    Number(f64),
    Text(String),
}

/// Longer signs before those that they begin with.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::AtMost),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::More),
];

/// Reads an expression.
///
/// # Errors
/// What is wrong: an unknown column, a comparison that cannot be read.
pub(super) fn parse(text: &str, data: &Data) -> Result<Expression, Text> {
    // A column's name may hold anything, also signs.
    if data.has(text) {
        return Ok(Expression::Column(text.to_owned()));
    }
    let parts = conjuncts(text);
    if let [only] = parts.as_slice()
        && split(only).is_none()
    {
        return Err(data.unknown(text));
    }
    let comparisons: Result<Vec<_>, Text> = parts.iter().map(|part| comparison(part, data)).collect();
    Ok(Expression::Comparisons(comparisons?))
}

/// The parts between the words «and», which do not count within quotes.
fn conjuncts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (place, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '\'' | '"') => quote = Some(character),
            (None, ' ') if place >= start && text[place..].starts_with(" and ") => {
                parts.push(text[start..place].trim());
                start = place + " and ".len();
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default().trim());
    parts
}

/// A comparison's column, operator and constant.
fn split(text: &str) -> Option<(&str, Operator, &str)> {
    let place = text.find(['!', '<', '>', '='])?;
    let (sign, operator) = OPERATORS.iter().find(|(sign, _)| text[place..].starts_with(sign))?;
    Some((text[..place].trim(), *operator, text[place + sign.len()..].trim()))
}

fn comparison(text: &str, data: &Data) -> Result<Comparison, Text> {
    let unreadable = || {
        Text::new(
            format!("không đọc được {text:?}; hãy viết tên cột, hoặc so sánh như age >= 15 and sex = 'nu'"),
            format!("cannot read {text:?}; write a column, or comparisons such as age >= 15 and sex = 'female'"),
        )
    };
    let (column, operator, constant) = split(text).ok_or_else(unreadable)?;
    if !data.has(column) {
        return Err(data.unknown(column));
    }
    let quoted = ['\'', '"']
        .iter()
        .find_map(|quote| constant.strip_prefix(*quote)?.strip_suffix(*quote));
    let number = constant.parse().ok().filter(|number: &f64| number.is_finite());
    let constant = match (quoted, number) {
        (Some(text), _) => Constant::Text(text.to_owned()),
        (None, Some(number)) => Constant::Number(number),
        (None, None) if constant.is_empty() || constant.contains(['!', '<', '>', '=', '\'', '"']) => {
            return Err(unreadable());
        }
        (None, None) => Constant::Text(constant.to_owned()),
    };
    let is_order = !matches!(operator, Operator::Equal | Operator::NotEqual);
    if is_order && matches!(constant, Constant::Text(_)) {
        return Err(Text::new(
            format!("{text:?}: chỉ so sánh lớn nhỏ với một số"),
            format!("{text:?}: order can only be compared with a number"),
        ));
    }
    Ok(Comparison {
        column: column.to_owned(),
        operator,
        constant,
    })
}

impl Operator {
    fn holds<T: PartialOrd>(self, left: T, right: T) -> bool {
        match self {
            Operator::Equal => left == right,
            Operator::NotEqual => left != right,
            Operator::Less => left < right,
            Operator::AtMost => left <= right,
            Operator::More => left > right,
            Operator::AtLeast => left >= right,
        }
    }
}

impl Comparison {
    fn holds(&self, data: &Data, faults: &mut Faults) -> Vec<Option<bool>> {
        match &self.constant {
            Constant::Number(constant) => data
                .numbers(&self.column, faults)
                .into_iter()
                .map(|number| number.map(|number| self.operator.holds(number, *constant)))
                .collect(),
            Constant::Text(constant) => data
                .texts(&self.column)
                .map(|text| text.map(|text| self.operator.holds(text, constant.as_str())))
                .collect(),
        }
    }
}

impl Expression {
    /// The columns that it looks at.
    pub(super) fn columns(&self) -> Vec<&str> {
        match self {
            Expression::Column(column) => vec![column],
            Expression::Comparisons(comparisons) => comparisons
                .iter()
                .map(|comparison| comparison.column.as_str())
                .collect(),
        }
    }

    /// The value in each row; `None` where a missing cell leaves it open.
    pub(super) fn values(&self, data: &Data, faults: &mut Faults) -> Vec<Option<f64>> {
        match self {
            Expression::Column(column) => data.numbers(column, faults),
            Expression::Comparisons(comparisons) => {
                let mut all = vec![Some(true); data.rows()];
                for comparison in comparisons {
                    for (all, this) in all.iter_mut().zip(comparison.holds(data, faults)) {
                        *all = match (*all, this) {
                            (Some(false), _) | (_, Some(false)) => Some(false),
                            (None, _) | (_, None) => None,
                            (Some(true), Some(true)) => Some(true),
                        };
                    }
                }
                all.into_iter()
                    .map(|holds| holds.map(|holds| f64::from(u8::from(holds))))
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> Data {
        Data::of(b"age,sex,a<b\n14,nam,1\n15,nu,2\n,nu,3\n40,NA,4\n".to_vec()).unwrap()
    }

    fn values(text: &str) -> Vec<Option<f64>> {
        let (data, mut faults) = (data(), Faults::default());
        let values = parse(text, &data).unwrap().values(&data, &mut faults);
        faults.or(values).unwrap()
    }

    #[test]
    fn comparisons_are_joined_and_know_what_is_missing() {
        assert_eq!(values("age >= 15"), [Some(0.0), Some(1.0), None, Some(1.0)]);
        assert_eq!(values("age>=15 and sex='nu'"), [Some(0.0), Some(1.0), None, None]);
        // What is false by one part is false whatever the other.
        assert_eq!(
            values("age != 40 and sex = nu"),
            [Some(0.0), Some(1.0), None, Some(0.0)]
        );
        assert_eq!(values("sex = ' and '"), [Some(0.0), Some(0.0), Some(0.0), None]);
    }

    #[test]
    fn a_name_with_a_sign_is_a_column_first() {
        assert_eq!(values("a<b"), [Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let problem = |text: &str| parse(text, &data()).unwrap_err().en;
        assert!(problem("agee").contains("did you mean \"age\""));
        assert!(problem("agee > 3").contains("did you mean \"age\""));
        assert!(problem("age >").starts_with("cannot read"));
        assert!(problem("age > 3 > 2").starts_with("cannot read"));
        assert!(problem("sex < nu").contains("order"));
        assert!(problem("age > 3 and ").starts_with("cannot read"));
    }
}
