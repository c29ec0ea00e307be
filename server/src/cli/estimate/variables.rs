//! An indicator's numbers in each row.

use indicators::survey::Partition;

use super::expression::Expression;
use super::registry::{Indicator, Kind};
use crate::cli::microdata::Data;
use crate::http::Text;
use crate::table::{Faults, TableError};

/// What an indicator takes of each row.
#[derive(Clone)]
pub(super) struct Variables {
    /// y; anything where the row does not count.
    pub(super) numerator: Vec<f64>,
    /// x; 1 where the indicator has no denominator.
    pub(super) denominator: Vec<f64>,
    /// Rows of the indicator's domain that have all its values.
    pub(super) complete: Vec<bool>,
    /// Rows that lack one, or of which it is not known whether they are in the domain.
    pub(super) missing: Vec<bool>,
    /// Of those, the ones that are known to be in the domain.
    pub(super) fillable: Vec<bool>,
}

impl Variables {
    /// Reads and computes an indicator's values.
    ///
    /// # Errors
    /// [`TableError`] with every cell that is no number; with every row whose parts are no proportion; and, if missing
    /// values are refused, with every row that has one.
    pub(super) fn read(indicator: &Indicator, data: &Data, weights: &[f64], refuse: bool) -> Result<Self, TableError> {
        let mut faults = Faults::default();
        let of = |expression: &Option<Expression>, faults: &mut Faults| match expression {
            Some(expression) => expression.values(data, faults),
            None => vec![Some(1.0); data.rows()],
        };
        let numerator = indicator.numerator.values(data, &mut faults);
        let denominator = of(&indicator.denominator, &mut faults);
        let domain = of(&indicator.domain, &mut faults);
        faults.or(())?;
        let mut faults = Faults::default();
        let name = indicator.numerator.columns().join(", ");
        let mut variables = Self {
            numerator: vec![0.0; data.rows()],
            denominator: vec![1.0; data.rows()],
            complete: vec![false; data.rows()],
            missing: vec![false; data.rows()],
            fillable: vec![false; data.rows()],
        };
        for row in 0..data.rows() {
            if domain[row] == Some(0.0) {
                continue;
            }
            let is_proportion = indicator.kind == Kind::Proportion;
            // A proportion's numerator is at most its denominator, so who is not asked counts as 0 of 0.
            let y = numerator[row].or((is_proportion && denominator[row] == Some(0.0)).then_some(0.0));
            let (Some(y), Some(x), Some(_)) = (y, denominator[row], domain[row]) else {
                variables.missing[row] = true;
                variables.fillable[row] = domain[row].is_some();
                if refuse && weights[row] > 0.0 {
                    faults.cell(
                        data.line(row),
                        &missing_columns(indicator, [y, denominator[row], domain[row]]),
                        refused(),
                    );
                }
                continue;
            };
            if is_proportion && !(0.0 <= y && y <= x) {
                let problem = if indicator.denominator.is_some() {
                    Text::new(
                        format!("tử số {y}, mẫu số {x}; một tỷ lệ cần 0 <= tử số <= mẫu số, nếu không hãy dùng ratio"),
                        format!(
                            "numerator {y}, denominator {x}; a proportion needs 0 <= numerator <= denominator, else use ratio"
                        ),
                    )
                } else {
                    Text::new(
                        format!("giá trị {y}; một tỷ lệ cần 0 hoặc 1, hoặc một so sánh như {name} = {y}"),
                        format!("{y}; a proportion needs 0 or 1, or a comparison such as {name} = {y}"),
                    )
                };
                faults.cell(data.line(row), &name, problem);
                continue;
            }
            variables.numerator[row] = y;
            variables.denominator[row] = x;
            variables.complete[row] = true;
        }
        faults.or(variables)
    }

    /// The domain of each row that counts.
    pub(super) fn codes_of(&self, codes: &[u32]) -> Vec<u32> {
        let counted = codes.iter().zip(&self.complete);
        counted
            .map(|(&code, &complete)| if complete { code } else { Partition::NONE })
            .collect()
    }
}

/// The columns of the parts that are missing.
fn missing_columns(indicator: &Indicator, parts: [Option<f64>; 3]) -> String {
    let expressions = [
        Some(&indicator.numerator),
        indicator.denominator.as_ref(),
        indicator.domain.as_ref(),
    ];
    let columns = expressions
        .into_iter()
        .zip(parts)
        .filter(|(_, part)| part.is_none())
        .filter_map(|(expression, _)| expression)
        .flat_map(Expression::columns);
    columns.collect::<Vec<_>>().join(", ")
}

fn refused() -> Text {
    Text::new(
        "thiếu giá trị; missing = \"refuse\" không cho phép",
        "the value is missing, which missing = \"refuse\" does not allow",
    )
}
