//! Computes each statistic of a case and compares it with what R gave.

use crate::comparison::{Comparisons, ONE_BY_ONE, Place};
use crate::fixture::Fixture;
use indicators::intervals::ConfidenceLevel;
use indicators::survey::{
    Domain, EstimateSettings, Linearised, Partition, PartitionRatio, ProportionMethod, ResidualAdjustment, StagesUsed,
    SurveyEstimate, Undefined, Values, VarianceEstimator, combination, estimate, mean, partition_ratios,
    proportion_interval, quotient, ratio, total,
};
use serde_json::Value;

/// Points and standard errors.
pub(crate) const EXACT: f64 = 1e-9;
/// What has been through a root-finder on either side.
pub(crate) const ROOTS: f64 = 1e-6;

/// One statistic of a case on its way to comparison.
pub(crate) struct Context<'a> {
    pub(crate) fixture: &'a Fixture<'a>,
    pub(crate) case: &'a str,
    pub(crate) estimator: VarianceEstimator<'a>,
    pub(crate) statistic: &'a Value,
    pub(crate) detail: String,
}

pub(crate) fn compare_case(fixture: &Fixture<'_>, case: &Value, comparisons: &mut Comparisons) {
    let design = fixture.design(&case["design"]);
    let stages = match case["design"]["first_stage_only"].as_bool() {
        Some(true) => StagesUsed::First,
        _ => StagesUsed::All,
    };
    let adjustment = fixture.adjustment(&case["design"]);
    let estimator = VarianceEstimator {
        design: &design,
        stages,
        adjustment: adjustment
            .as_ref()
            .map(|adjustment| adjustment as &dyn ResidualAdjustment),
    };
    for statistic in case["statistics"].as_array().unwrap() {
        let mut arguments = statistic.clone();
        arguments.as_object_mut().unwrap().remove("expected");
        let context = Context {
            fixture,
            case: case["name"].as_str().unwrap(),
            estimator,
            statistic,
            detail: arguments.to_string(),
        };
        match statistic["kind"].as_str().unwrap() {
            "total" | "mean" | "ratio" => context.location(comparisons),
            "proportion" => context.proportion(comparisons),
            "quantile" => context.quantile(comparisons),
            "covariances" => context.covariances(comparisons),
            "combination" | "quotient" => context.combination(comparisons),
            "partition" => context.partition(comparisons),
            "table" => context.table(comparisons),
            other => panic!("unknown statistic {other}"),
        }
    }
}

fn settings(level: f64, is_proportion: bool) -> EstimateSettings {
    EstimateSettings {
        level: ConfidenceLevel::new(level).unwrap(),
        is_proportion,
        method: None,
    }
}

impl Context<'_> {
    pub(crate) fn place(&self, figure: &str) -> Place<'_> {
        Place {
            dataset: self.fixture.dataset(),
            case: self.case,
            statistic: format!("{}, {figure}", self.statistic["kind"].as_str().unwrap()),
            detail: &self.detail,
        }
    }

    pub(crate) fn expected(&self, field: &str) -> &Value {
        &self.statistic["expected"][field]
    }

    pub(crate) fn values(&self, argument: &str) -> Values<'_> {
        let name = &self.statistic[argument];
        Values::new(name.as_str().unwrap(), self.fixture.numbers(name))
    }

    /// Compares a figure that both have, or that neither has.
    pub(crate) fn number(
        &self,
        comparisons: &mut Comparisons,
        figure: &str,
        actual: Option<f64>,
        (expected, tolerance, scale): (&Value, f64, f64),
    ) {
        match (actual, expected.as_f64()) {
            (Some(actual), Some(expected)) => {
                comparisons.compare(&self.place(figure), actual, expected, tolerance, scale);
            }
            (None, None) => comparisons.require(&self.place(figure), true, ""),
            (actual, expected) => {
                let what = format!("{actual:?} here, {expected:?} in R");
                comparisons.require(&self.place(figure), false, &what);
            }
        }
    }

    fn location(&self, comparisons: &mut Comparisons) {
        let (design, domain) = (self.estimator.design, self.fixture.domain(self.statistic));
        let statistic = match self.statistic["kind"].as_str().unwrap() {
            "total" => total(design, &self.values("value"), &domain),
            "mean" => mean(design, &self.values("value"), &domain),
            _ => ratio(design, &self.values("numerator"), &self.values("denominator"), &domain),
        }
        .unwrap();
        let estimate = estimate(&self.estimator, Ok(&statistic), &domain, &settings(0.95, false));
        let point = estimate.point.unwrap();
        let scale = point.abs();
        let expected = |field| (self.expected(field), EXACT, scale);
        self.number(comparisons, "point", Some(point), expected("point"));
        self.number(
            comparisons,
            "standard error",
            estimate.standard_error,
            expected("standard_error"),
        );
        let degrees = estimate.degrees_of_freedom as f64;
        self.number(
            comparisons,
            "degrees of freedom",
            Some(degrees),
            expected("degrees_of_freedom"),
        );
        if let Some(interval) = estimate.interval {
            self.number(comparisons, "t interval", Some(interval.lower), expected("lower"));
            self.number(comparisons, "t interval", Some(interval.upper), expected("upper"));
        }
        for (actual, field) in [
            (estimate.design_effect, "design_effect"),
            (
                estimate.design_effect_with_replacement,
                "design_effect_with_replacement",
            ),
        ] {
            if let (Some(actual), Some(_)) = (actual, self.expected(field).as_f64()) {
                self.number(
                    comparisons,
                    "design effect",
                    Some(actual),
                    (self.expected(field), EXACT, 1.0),
                );
            }
        }
    }

    fn proportion(&self, comparisons: &mut Comparisons) {
        let domain = self.fixture.domain(self.statistic);
        let level = self.statistic["level"].as_f64().unwrap();
        let design = self.estimator.design;
        let statistic = mean(design, &self.values("value"), &domain).unwrap();
        let SurveyEstimate {
            point,
            standard_error,
            degrees_of_freedom,
            rows,
            ..
        } = estimate(&self.estimator, Ok(&statistic), &domain, &settings(level, true));
        let (point, standard_error) = (point.unwrap(), standard_error.unwrap());
        self.number(comparisons, "point", Some(point), (self.expected("point"), EXACT, 1.0));
        let expected = (self.expected("standard_error"), EXACT, 1.0);
        self.number(comparisons, "standard error", Some(standard_error), expected);
        for (method, field) in [
            (ProportionMethod::Logit, "logit"),
            (ProportionMethod::KornGraubard, "beta"),
            (ProportionMethod::StudentT, "mean"),
            (ProportionMethod::Wilson, "wilson"),
        ] {
            let level = ConfidenceLevel::new(level).unwrap();
            let interval = proportion_interval(point, standard_error, degrees_of_freedom, rows, Some(method), level);
            let (interval, _) = interval.unwrap();
            for (position, actual) in [interval.lower, interval.upper].into_iter().enumerate() {
                let expected = (&self.expected(field)[position], ROOTS, 1.0);
                self.number(comparisons, &format!("{field} interval"), Some(actual), expected);
            }
        }
    }

    fn covariances(&self, comparisons: &mut Comparisons) {
        let domain = self.fixture.domain(self.statistic);
        let names = self.statistic["values"].as_array().unwrap();
        let means: Vec<Linearised> = names
            .iter()
            .map(|name| {
                let values = Values::new(name.as_str().unwrap(), self.fixture.numbers(name));
                mean(self.estimator.design, &values, &domain).unwrap()
            })
            .collect();
        let covariance = self.estimator.covariance(&means.iter().collect::<Vec<_>>()).unwrap();
        for (position, mean) in means.iter().enumerate() {
            let expected = (&self.expected("points")[position], EXACT, 1.0);
            self.number(comparisons, "point", Some(mean.point), expected);
        }
        for one in 0..names.len() {
            for other in 0..names.len() {
                let expected = &self.expected("covariances")[one * names.len() + other];
                // Where two are nearly uncorrelated, what matters is their standard errors' product.
                let scale = 1e2 * covariance.standard_error(one) * covariance.standard_error(other);
                let actual = Some(covariance.get(one, other));
                self.number(comparisons, "covariance", actual, (expected, EXACT, scale));
            }
        }
    }

    fn combination(&self, comparisons: &mut Comparisons) {
        let design = self.estimator.design;
        let column = self.fixture.codes(&self.statistic["by"]);
        let codes = self.statistic["codes"].as_array().unwrap().iter();
        let is_quotient = self.statistic["kind"] == "quotient";
        let parts: Vec<Linearised> = codes
            .map(|code| {
                let domain = Domain::Category {
                    codes: column,
                    code: code.as_u64().unwrap() as u32,
                };
                let of_domain = if is_quotient { total } else { mean };
                of_domain(design, &self.values("value"), &domain).unwrap()
            })
            .collect();
        let combined = if is_quotient {
            quotient(&parts[0], &parts[1]).unwrap()
        } else {
            let coefficients = self.statistic["coefficients"].as_array().unwrap().iter();
            let coefficients: Vec<f64> = coefficients.map(|value| value.as_f64().unwrap()).collect();
            combination(&parts.iter().collect::<Vec<_>>(), &coefficients).unwrap()
        };
        let scale = parts.iter().map(|part| part.point.abs()).fold(0.0, f64::max);
        self.number(
            comparisons,
            "point",
            Some(combined.point),
            (self.expected("point"), EXACT, scale),
        );
        let standard_error = self.estimator.variance(&combined).unwrap().sqrt();
        let expected = (self.expected("standard_error"), EXACT, scale);
        self.number(comparisons, "standard error", Some(standard_error), expected);
    }

    fn partition(&self, comparisons: &mut Comparisons) {
        let design = self.estimator.design;
        let listed: Vec<u32> = self
            .expected("codes")
            .as_array()
            .unwrap()
            .iter()
            .map(|code| code.as_u64().unwrap() as u32)
            .collect();
        let column = self.fixture.codes(&self.statistic["by"]);
        let codes: Vec<u32> = column
            .iter()
            .map(|code| listed.iter().position(|other| other == code).unwrap() as u32)
            .collect();
        let partition = Partition::new(design, &codes, listed.len()).unwrap();
        let of = PartitionRatio {
            numerator: self.values("numerator"),
            denominator: self.values("denominator"),
        };
        let estimates = partition_ratios(&self.estimator, &partition, &of, &settings(0.95, false)).unwrap();
        for (position, found) in estimates.iter().enumerate() {
            let at = |field: &str, scale: f64| (&self.expected(field)[position], EXACT, scale);
            self.number(comparisons, "point", found.point, at("points", 1.0));
            if found.absences.standard_error == Some(Undefined::SingleUnitInDomain) {
                // R gives zero there, or what later stages add; its degrees of freedom say that this is all.
                let holds = self.expected("degrees_of_freedom")[position] == 0;
                comparisons.require(&self.place("single unit"), holds, "R has degrees of freedom");
            } else {
                self.number(
                    comparisons,
                    "standard error",
                    found.standard_error,
                    at("standard_errors", 1.0),
                );
            }
            if found.design_effect.is_some() {
                self.number(
                    comparisons,
                    "design effect",
                    found.design_effect,
                    at("design_effects", 1.0),
                );
            }
            let degrees = found.degrees_of_freedom as f64;
            self.number(
                comparisons,
                "degrees of freedom",
                Some(degrees),
                at("degrees_of_freedom", 1.0),
            );
            // One by one, through the other accumulation of the engine.
            let domain = Domain::Category {
                codes: &codes,
                code: position as u32,
            };
            let alone = ratio(design, &of.numerator, &of.denominator, &domain);
            let statistic = alone.as_ref().map_err(|_| Undefined::ZeroDenominator);
            let alone = estimate(&self.estimator, statistic, &domain, &settings(0.95, false));
            let same = |one: Option<f64>, other: Option<f64>| match (one, other) {
                (Some(one), Some(other)) => (one - other).abs() <= 1e-12 * one.abs().max(1e-9),
                (one, other) => one.is_none() && other.is_none(),
            };
            let agrees = same(found.point, alone.point)
                && same(found.standard_error, alone.standard_error)
                && same(
                    found.design_effect.map(|effect| effect * 1e-3),
                    alone.design_effect.map(|effect| effect * 1e-3),
                )
                && found.degrees_of_freedom == alone.degrees_of_freedom
                && found.absences == alone.absences;
            let what = format!("{found:?}, alone {alone:?}");
            comparisons.require(&self.place(ONE_BY_ONE), agrees, &what);
        }
    }
}
