//! Calibration of the weights to known totals, as the design states them.

use std::collections::BTreeMap;
use std::path::Path;

use indicators::weights::{
    Auxiliaries, Auxiliary, Calibrated, CalibrationSettings, Constraint, Distance, WeightsError, calibrate,
};

use super::Fault;
use super::design::{CalibrationEntry, CalibrationMethod, Design, MarginEntry};
use crate::cli::microdata::Data;
use crate::cli::{Failure, read_file, table_failure};
use crate::http::Text;
use crate::table::{Faults, Table, TableError};

/// Relative difference of the sums of two margins that is still put down to rounding.
const SAME_POPULATION: f64 = 1e-9;

/// Variables with known totals, and the distance that weights are to be changed by.
pub(super) struct Calibration {
    distance: Distance,
    variables: Vec<Variable>,
}

enum Variable {
    Constant {
        total: f64,
    },
    Numbers {
        column: String,
        values: Vec<f64>,
        total: f64,
    },
    Categories {
        column: String,
        labels: Vec<String>,
        codes: Vec<u32>,
        totals: Vec<f64>,
        /// Whether the first category follows from a margin before.
        omit_first: bool,
    },
}

impl Calibration {
    /// Reads margins and their columns; `None` where the design has no calibration.
    ///
    /// # Errors
    /// A [`Fault`]: contradictory or incomplete margins, a category of the data without a total, a total that no row has.
    pub(super) fn read(design: &Design, data: &Data, design_file: &Path) -> Result<Option<Self>, Fault> {
        let Some(entry) = &design.entries.calibration else {
            return Ok(None);
        };
        let wrong = |vi: &str, en: &str| Fault::Design(design.failure(&entry.method, &Text::new(vi, en)));
        let distance = distance(entry, &wrong)?;
        let mut variables = Vec::new();
        // The first margin of categories and what it adds up to.
        let mut population: Option<(String, f64)> = None;
        let mut faults = Faults::default();
        for margin in &entry.margin {
            let column = margin.column.get_ref().clone();
            if let Some(total) = margin.total {
                if margin.totals.is_some() || margin.file.is_some() {
                    return Err(Fault::Design(design.failure(&margin.column, &one_of_three())));
                }
                let values = data.required_numbers(&column, &mut faults);
                variables.push(Variable::Numbers { column, values, total });
                continue;
            }
            let totals = totals(design, margin, design_file)?;
            let sum: f64 = totals.values().sum();
            match &population {
                None => population = Some((column.clone(), sum)),
                Some((first, of_first)) if (sum - of_first).abs() > SAME_POPULATION * of_first => {
                    let problem = Text::new(
                        format!(
                            "biên {column} cộng lại được {sum}, biên {first} được {of_first}; mọi biên phải cộng lại \
                             bằng cùng một tổng thể"
                        ),
                        format!(
                            "margin {column} adds up to {sum} and margin {first} to {of_first}; all margins must add up \
                             to the same population"
                        ),
                    );
                    return Err(Fault::Design(design.failure(&margin.column, &problem)));
                }
                Some(_) => {}
            }
            let codes = categories(data, &column, &totals, &mut faults);
            let omit_first = variables
                .iter()
                .any(|variable| matches!(variable, Variable::Categories { .. }));
            variables.push(Variable::Categories {
                column,
                codes,
                labels: totals.keys().cloned().collect(),
                totals: totals.into_values().collect(),
                omit_first,
            });
        }
        faults.or(()).map_err(Fault::Data)?;
        match (&entry.population, population) {
            (Some(stated), Some((first, sum))) if (stated.get_ref() - sum).abs() > SAME_POPULATION * sum => {
                let stated_number = stated.get_ref();
                let problem = Text::new(
                    format!("population là {stated_number}, nhưng biên {first} cộng lại được {sum}"),
                    format!("population is {stated_number}, but margin {first} adds up to {sum}"),
                );
                return Err(Fault::Design(design.failure(stated, &problem)));
            }
            (Some(stated), None) => variables.insert(
                0,
                Variable::Constant {
                    total: *stated.get_ref(),
                },
            ),
            _ => {}
        }
        if *entry.method.get_ref() == CalibrationMethod::PostStrata
            && !matches!(variables.as_slice(), [Variable::Categories { .. }])
        {
            return Err(wrong(
                "post_strata cần đúng một biên có các nhóm",
                "post_strata needs exactly one margin, of categories",
            ));
        }
        if variables.is_empty() {
            return Err(wrong(
                "cần ít nhất một [[calibration.margin]] hoặc population",
                "at least one [[calibration.margin]] or population is needed",
            ));
        }
        Ok(Some(Self { distance, variables }))
    }

    /// Weights that meet the totals, and the residuals that the variance is then computed from.
    ///
    /// # Errors
    /// A [`Failure`] that names column and category.
    pub(super) fn calibrate(&self, weights: &[f64]) -> Result<Calibrated<'_>, Failure> {
        self.calibrated(weights).map_err(|error| {
            let text = self.describe(&error);
            Failure::new(text.vi, text.en)
        })
    }

    fn calibrated(&self, weights: &[f64]) -> Result<Calibrated<'_>, WeightsError> {
        let auxiliaries = self.variables.iter().map(Variable::auxiliary).collect();
        let auxiliaries = Auxiliaries::new(weights.len(), auxiliaries)?;
        let totals: Vec<f64> = self.variables.iter().flat_map(Variable::totals).collect();
        calibrate(weights, &auxiliaries, &totals, &CalibrationSettings::new(self.distance))
    }

    /// The error with the names of columns and categories.
    fn describe(&self, error: &WeightsError) -> Text {
        match *error {
            WeightsError::EmptyCategory { constraint, total } => {
                let (vi, en) = self.name(constraint);
                Text::new(
                    format!("{vi} có tổng {total} nhưng không có dòng nào có trọng số dương; hãy gộp nhóm hoặc bỏ"),
                    format!(
                        "{en} has the total {total} but no row of positive weight; join it with another or leave it out"
                    ),
                )
            }
            WeightsError::Singular { constraint } => {
                let (vi, en) = self.name(constraint);
                Text::new(
                    format!("{vi} phụ thuộc tuyến tính vào các biên trước nó, hoặc bằng 0 ở mọi dòng; hãy bỏ đi"),
                    format!("{en} depends linearly on the margins before it, or is zero in all rows; leave it out"),
                )
            }
            WeightsError::OutOfReach {
                constraint,
                total,
                smallest,
                largest,
            } => {
                let (vi, en) = self.name(constraint);
                Text::new(
                    format!("{vi} có tổng {total}; trọng số trong giới hạn chỉ đạt từ {smallest} đến {largest}"),
                    format!("{en} has the total {total}; weights within the bounds reach from {smallest} to {largest}"),
                )
            }
            WeightsError::NotConverged {
                iterations,
                constraint,
                deviation,
            } => {
                let (vi, en) = self.name(constraint);
                Text::new(
                    format!(
                        "sau {iterations} vòng lặp, {vi} vẫn lệch {deviation} so với tổng của nó; hãy nới giới hạn, gộp \
                         nhóm nhỏ hoặc sửa các tổng"
                    ),
                    format!(
                        "after {iterations} iterations {en} still deviates from its total by {deviation} of it; widen \
                         the bounds, join small categories or correct the totals"
                    ),
                )
            }
            ref other => Text::new(other.vietnamese(), other.to_string()),
        }
    }

    fn name(&self, constraint: Constraint) -> (String, String) {
        let (Constraint::Column { auxiliary, category }
        | Constraint::Category {
            margin: auxiliary,
            category,
        }) = constraint;
        match self.variables.get(auxiliary) {
            Some(Variable::Categories { column, labels, .. }) => {
                let label = labels.get(category).map_or("", String::as_str);
                (
                    format!("biên {column}, nhóm {label:?}"),
                    format!("margin {column}, category {label:?}"),
                )
            }
            Some(Variable::Numbers { column, .. }) => (format!("biên {column}"), format!("margin {column}")),
            Some(Variable::Constant { .. }) | None => ("population".to_owned(), "population".to_owned()),
        }
    }
}

impl Variable {
    fn auxiliary(&self) -> Auxiliary<'_> {
        match self {
            Variable::Constant { .. } => Auxiliary::Constant,
            Variable::Numbers { values, .. } => Auxiliary::Values(values),
            Variable::Categories {
                codes,
                labels,
                omit_first,
                ..
            } => Auxiliary::Categories {
                codes,
                categories: labels.len(),
                omit_first: *omit_first,
            },
        }
    }

    fn totals(&self) -> Vec<f64> {
        match self {
            Variable::Constant { total } | Variable::Numbers { total, .. } => vec![*total],
            Variable::Categories { totals, omit_first, .. } => {
                totals.iter().copied().skip(usize::from(*omit_first)).collect()
            }
        }
    }
}

fn one_of_three() -> Text {
    Text::new(
        "mỗi biên cần đúng một trong: totals, file, total",
        "a margin needs exactly one of: totals, file, total",
    )
}

fn distance(entry: &CalibrationEntry, wrong: &impl Fn(&str, &str) -> Fault) -> Result<Distance, Fault> {
    let bounds = match (entry.lower, entry.upper) {
        (None, None) => None,
        (lower, upper) => Some((lower.unwrap_or(0.0), upper.unwrap_or(f64::INFINITY))),
    };
    if let Some((lower, upper)) = bounds
        && !((0.0..1.0).contains(&lower) && upper > 1.0)
    {
        return Err(wrong(
            "cần 0 <= lower < 1 < upper",
            "there must be 0 <= lower < 1 < upper",
        ));
    }
    match (*entry.method.get_ref(), bounds) {
        // For one margin of categories, every distance gives post-stratification.
        (CalibrationMethod::PostStrata, None) | (CalibrationMethod::Linear, None) => Ok(Distance::Linear),
        (CalibrationMethod::PostStrata, Some(_)) => {
            Err(wrong("post_strata không có giới hạn", "post_strata has no bounds"))
        }
        (CalibrationMethod::Linear, Some((lower, upper))) => Ok(Distance::TruncatedLinear { lower, upper }),
        (CalibrationMethod::Raking, None) => Ok(Distance::Raking),
        (CalibrationMethod::Raking, Some((lower, upper))) => Ok(Distance::TruncatedRaking { lower, upper }),
        (CalibrationMethod::Logit, Some((lower, upper))) if upper.is_finite() && entry.lower.is_some() => {
            Ok(Distance::Logit { lower, upper })
        }
        (CalibrationMethod::Logit, _) => Err(wrong("logit cần lower và upper", "logit needs lower and upper")),
    }
}

/// The totals of a margin's categories, all above 0.
fn totals(design: &Design, margin: &MarginEntry, design_file: &Path) -> Result<BTreeMap<String, f64>, Fault> {
    let totals = match (&margin.totals, &margin.file) {
        (Some(totals), None) => totals.clone(),
        (None, Some(file)) => {
            let file = design_file.parent().unwrap_or(Path::new("")).join(file);
            let bytes = read_file(&file).map_err(Fault::Other)?;
            totals_of_file(&bytes).map_err(|error| Fault::Other(table_failure(&file, &error)))?
        }
        _ => return Err(Fault::Design(design.failure(&margin.column, &one_of_three()))),
    };
    let wrong = totals.iter().find(|(_, total)| !(**total > 0.0 && total.is_finite()));
    if let Some((category, total)) = wrong {
        let problem = Text::new(
            format!("nhóm {category:?} có tổng {total}; phải là số hữu hạn lớn hơn 0"),
            format!("category {category:?} has the total {total}; it must be a finite number above 0"),
        );
        return Err(Fault::Design(design.failure(&margin.column, &problem)));
    }
    if totals.is_empty() {
        return Err(Fault::Design(design.failure(&margin.column, &one_of_three())));
    }
    Ok(totals)
}

fn totals_of_file(bytes: &[u8]) -> Result<BTreeMap<String, f64>, TableError> {
    let table = Table::read(bytes, &["category", "total"])?;
    let mut faults = Faults::default();
    let mut totals = BTreeMap::new();
    for (line, cells) in table.rows() {
        let category = cells.required("category", &mut faults);
        let total = cells.parse("total", &mut faults, "một số", "a number");
        if totals.insert(category.clone(), total.unwrap_or(1.0)).is_some() {
            faults.repeated(line, "category", ("nhóm", "category"), &format!("{category:?}"));
        }
    }
    faults.or(totals)
}

/// The number of each row's category among those with totals.
fn categories(data: &Data, column: &str, totals: &BTreeMap<String, f64>, faults: &mut Faults) -> Vec<u32> {
    let numbers: BTreeMap<&str, u32> = totals.keys().map(String::as_str).zip(0..).collect();
    let codes = data.texts(column).enumerate().map(|(row, text)| {
        let code = text.and_then(|text| numbers.get(text).copied());
        if code.is_none() {
            let text = text.unwrap_or_default();
            let known = totals.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let problem = Text::new(
                format!("nhóm {text:?} không có tổng; các nhóm có tổng: {known}"),
                format!("category {text:?} has no total; there are totals for: {known}"),
            );
            faults.cell(data.line(row), column, problem);
        }
        code.unwrap_or(0)
    });
    codes.collect()
}

/// Refuses weights below zero, which linear calibration without bounds can give.
///
/// # Errors
/// [`TableError`] with every row.
pub(super) fn check_weights(weights: &[f64], data: &Data, column: &str) -> Result<(), TableError> {
    let mut faults = Faults::default();
    for (row, weight) in weights.iter().enumerate().filter(|(_, weight)| **weight < 0.0) {
        let problem = Text::new(
            format!("sau hiệu chỉnh, trọng số là {weight}; hãy đặt lower trong [calibration] hoặc dùng raking"),
            format!("the calibrated weight is {weight}; set lower in [calibration], or use raking"),
        );
        faults.cell(data.line(row), column, problem);
    }
    faults.or(())
}
