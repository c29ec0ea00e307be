//! Gaps filled from other rows several times over, and one estimate from all fillings.

use indicators::intervals::{ConfidenceLevel, logit_t, normal_quantile, student_t, student_t_quantile};
use indicators::missing::{CombinedEstimate, HotDeck, HotDeckSettings, MissingError, combine};
use indicators::survey::{EstimateAbsences, ProportionMethod, SurveyEstimate, Undefined};

use super::Fault;
use super::design::{Design, HotDeckEntry, Missing};
use super::grouping::grouping;
use super::registry::Indicator;
use super::report::ImputationView;
use super::variables::Variables;
use crate::cli::Failure;
use crate::cli::microdata::Data;
use crate::http::Text;
use crate::table::Faults;

/// Degrees of freedom at most that the quantile of Student's t takes; beyond, it is the normal one.
const MOST_DEGREES: f64 = 1e9;

/// How gaps are filled.
pub(super) struct Filling {
    settings: HotDeckSettings,
    /// The class of each row.
    classes: Vec<u32>,
}

impl Filling {
    /// Reads the classes; `None` where the design asks for no hot deck.
    ///
    /// # Errors
    /// A [`Fault`]: keys that contradict one another, a class that is missing.
    pub(super) fn read(design: &Design, data: &Data) -> Result<Option<Self>, Fault> {
        let Some(entry) = &design.entries.hot_deck else {
            return Ok(None);
        };
        let wrong = |vi: &str, en: &str| Err(Fault::Design(design.failure(&entry.imputations, &Text::new(vi, en))));
        if design.entries.missing == Missing::Refuse {
            return wrong(
                "[hot_deck] không dùng cùng missing = \"refuse\"",
                "[hot_deck] does not go with missing = \"refuse\"",
            );
        }
        if !matches!(
            design.entries.interval,
            None | Some(ProportionMethod::Logit | ProportionMethod::StudentT)
        ) {
            return wrong(
                "với [hot_deck], interval chỉ có thể là \"logit\" hoặc \"student_t\"",
                "with [hot_deck], interval can only be \"logit\" or \"student_t\"",
            );
        }
        let mut faults = Faults::default();
        for column in &entry.classes {
            data.required_codes(column.get_ref(), &mut faults);
        }
        faults.or(()).map_err(Fault::Data)?;
        let settings = HotDeckSettings {
            imputations: *entry.imputations.get_ref(),
            seed: entry.seed,
        };
        // That the number of imputations is possible is said before anything is estimated.
        let tried = HotDeck::new(&[true], &[0], settings);
        tried.map_err(|error| Fault::Design(design.failure(&entry.imputations, &text(&error))))?;
        Ok(Some(Self {
            settings,
            classes: classes(entry, data)?,
        }))
    }

    /// An indicator's variables with the gaps filled, once for each imputation; `None` where there are no gaps to fill. Rows
    /// of which it is not known whether they are in the domain stay out.
    ///
    /// # Errors
    /// A [`Fault`] that names a row in whose class nobody answered.
    pub(super) fn fill(
        &self,
        indicator: &Indicator,
        variables: &Variables,
        data: &Data,
    ) -> Result<Option<Vec<Variables>>, Fault> {
        if !variables.fillable.contains(&true) {
            return Ok(None);
        }
        let rows: Vec<usize> = (0..data.rows())
            .filter(|row| variables.complete[*row] || variables.fillable[*row])
            .collect();
        let is_observed: Vec<bool> = rows.iter().map(|row| variables.complete[*row]).collect();
        let classes: Vec<u32> = rows.iter().map(|row| self.classes[*row]).collect();
        let fault = |error: MissingError| match error {
            MissingError::NoDonor { row, .. } => {
                let problem = Text::new(
                    format!(
                        "thiếu giá trị của {}, và không ai trong lớp này có; hãy gộp các lớp",
                        indicator.code
                    ),
                    format!(
                        "a value of {} is missing, and nobody in this class has one; join classes",
                        indicator.code
                    ),
                );
                let mut faults = Faults::default();
                faults.cell(data.line(rows[row]), &indicator.numerator.columns().join(", "), problem);
                faults.or(()).map_or_else(Fault::Data, |()| told(&error))
            }
            other => told(&other),
        };
        let deck = HotDeck::new(&is_observed, &classes, self.settings).map_err(fault)?;
        let filled = (0..deck.imputations()).map(|imputation| {
            let donors = deck.donors(imputation).map_err(|error| told(&error))?;
            let mut filled = variables.clone();
            for (row, donor) in rows.iter().zip(donors) {
                let donor = rows[donor as usize];
                filled.numerator[*row] = variables.numerator[donor];
                filled.denominator[*row] = variables.denominator[donor];
                filled.complete[*row] = true;
            }
            Ok(filled)
        });
        filled.collect::<Result<_, _>>().map(Some)
    }
}

/// The class of each row: the pairs, or more, of values that its columns have.
fn classes(entry: &HotDeckEntry, data: &Data) -> Result<Vec<u32>, Fault> {
    let columns: Vec<&str> = entry.classes.iter().map(|column| column.get_ref().as_str()).collect();
    Ok(match columns.is_empty() {
        true => vec![0; data.rows()],
        false => grouping(data, &columns).codes,
    })
}

fn text(error: &MissingError) -> Text {
    Text::new(error.vietnamese(), error.to_string())
}

fn told(error: &MissingError) -> Fault {
    Fault::Other(Failure::new(error.vietnamese(), error.to_string()))
}

/// One estimate of a domain from those of all imputations, by Rubin's rules.
///
/// # Errors
/// A [`Fault`] for numbers that cannot be combined.
pub(super) fn combined(
    each: &[&SurveyEstimate],
    is_logit: bool,
    level: ConfidenceLevel,
) -> Result<(SurveyEstimate, Option<ImputationView>), Fault> {
    let Some(&first) = each.first() else {
        return Err(told(&MissingError::NoRows));
    };
    // What one imputation lacks, all together lack.
    if let Some(lacking) = each
        .iter()
        .find(|estimate| estimate.point.is_none() || estimate.standard_error.is_none())
    {
        return Ok(((*lacking).clone(), None));
    }
    let points: Vec<f64> = each.iter().filter_map(|estimate| estimate.point).collect();
    let variances = each.iter().filter_map(|estimate| estimate.standard_error);
    let variances: Vec<f64> = variances.map(|error| error * error).collect();
    let complete = Some(first.degrees_of_freedom as f64).filter(|degrees| *degrees > 0.0);
    let rubin = combine(&points, &variances, complete).map_err(|error| told(&error))?;
    let view = ImputationView {
        imputations: each.len(),
        within: rubin.within,
        between: rubin.between,
        degrees_of_freedom: rubin.degrees_of_freedom,
        missing_information: rubin.missing_information,
    };
    // Nothing varies, in no imputation and between none: the interval of one is that of all.
    if rubin.variance == 0.0 {
        return Ok((first.clone(), Some(view)));
    }
    let interval = match complete {
        None => None,
        Some(_) => Some(interval(&rubin, is_logit, level)?),
    };
    let estimate = SurveyEstimate {
        point: Some(rubin.point),
        standard_error: Some(rubin.standard_error()),
        interval,
        choice: None,
        design_effect: None,
        design_effect_with_replacement: None,
        degrees_of_freedom: rubin
            .degrees_of_freedom
            .map_or(first.degrees_of_freedom, |degrees| degrees as u64),
        absences: EstimateAbsences {
            interval: interval.is_none().then_some(Undefined::NoDegreesOfFreedom),
            design_effect: Some(Undefined::Combined),
            ..EstimateAbsences::default()
        },
        ..first.clone()
    };
    Ok((estimate, Some(view)))
}

fn interval(
    rubin: &CombinedEstimate,
    is_logit: bool,
    level: ConfidenceLevel,
) -> Result<indicators::intervals::Interval, Fault> {
    let probability = 1.0 - level.tail();
    let t = match rubin.degrees_of_freedom.filter(|degrees| *degrees <= MOST_DEGREES) {
        Some(degrees) => student_t_quantile(probability, degrees),
        None => normal_quantile(probability),
    };
    let failed =
        |error: indicators::intervals::QuantileError| Fault::Other(Failure::new(error.vietnamese(), error.to_string()));
    let (t, error) = (t.map_err(failed)?, rubin.standard_error());
    match is_logit && rubin.point > 0.0 && rubin.point < 1.0 {
        true => logit_t(rubin.point, error, t, level).map_err(failed),
        false => Ok(student_t(rubin.point, error, t, level)),
    }
}
