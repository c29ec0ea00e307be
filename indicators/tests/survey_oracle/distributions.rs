//! Compares quantiles and tables.

use crate::comparison::{Comparisons, LINEARISED};
use crate::statistics::{Context, EXACT, ROOTS};
use indicators::intervals::ConfidenceLevel;
use indicators::survey::{QuantileInterval, Undefined, cross_tabulation, quantile};

impl Context<'_> {
    pub(crate) fn quantile(&self, comparisons: &mut Comparisons) {
        let domain = self.fixture.domain(self.statistic);
        let probability = self.statistic["probability"].as_f64().unwrap();
        for (method, field) in [
            (QuantileInterval::Mean, "mean"),
            (QuantileInterval::Logit, "xlogit"),
            (QuantileInterval::Beta, "beta"),
        ] {
            let level = ConfidenceLevel::NINETY_FIVE_PERCENT;
            let found = quantile(
                &self.estimator,
                &self.values("value"),
                &domain,
                probability,
                method,
                level,
            )
            .unwrap();
            let expected = self.expected(field);
            if method == QuantileInterval::Mean {
                let point = (self.expected("point"), EXACT, 1.0);
                self.number(comparisons, "point", Some(found.point), point);
            }
            if found.lower == Err(Undefined::NoVariation) {
                // R's interval has no length, or ends beyond 1 by rounding.
                let holds = matches!(expected["standard_error"].as_f64(), None | Some(0.0));
                comparisons.require(&self.place("no variation"), holds, "R has a standard error");
                continue;
            }
            let figure = format!("{field} interval");
            self.number(comparisons, &figure, found.lower.ok(), (&expected["lower"], ROOTS, 1.0));
            self.number(comparisons, &figure, found.upper.ok(), (&expected["upper"], ROOTS, 1.0));
            let standard_error = found.standard_error.ok();
            self.number(
                comparisons,
                "standard error",
                standard_error,
                (&expected["standard_error"], ROOTS, 1.0),
            );
            // The quantile as a statistic has the same standard error, by the engine.
            if let (Ok(linearised), Some(standard_error)) = (&found.linearised, standard_error) {
                let variance = self.estimator.variance(linearised).unwrap();
                let close = (variance.sqrt() - standard_error).abs() <= 1e-9 * standard_error;
                comparisons.require(
                    &self.place(LINEARISED),
                    close,
                    "the engine gives another standard error",
                );
            }
        }
    }

    pub(crate) fn table(&self, comparisons: &mut Comparisons) {
        let domain = self.fixture.domain(self.statistic);
        let (rows, columns) = (
            self.fixture.codes(&self.statistic["rows"]),
            self.fixture.codes(&self.statistic["columns"]),
        );
        let table = cross_tabulation(&self.estimator, rows, columns, &domain).unwrap();
        for (cell, of_row) in table.shares_of_rows().into_iter().enumerate() {
            let at = |field: &str, scale: f64| (&self.expected(field)[cell], EXACT, scale);
            self.number(comparisons, "share", Some(table.shares[cell]), at("shares", 1.0));
            self.number(comparisons, "total", Some(table.totals[cell]), at("totals", 1.0));
            self.number(comparisons, "share of row", Some(of_row.share), at("row_shares", 1.0));
            let standard_error = Some(of_row.standard_error);
            self.number(
                comparisons,
                "its standard error",
                standard_error,
                at("row_standard_errors", 1.0),
            );
            let standard_error = Some(table.covariance.standard_error(cell));
            self.number(
                comparisons,
                "standard error",
                standard_error,
                at("standard_errors", 1.0),
            );
        }
        let test = table.independence().unwrap();
        for (actual, field) in [
            (test.pearson, "pearson"),
            (test.second_order, "second_order"),
            (test.numerator_degrees, "numerator_degrees"),
            (test.denominator_degrees, "denominator_degrees"),
        ] {
            self.number(
                comparisons,
                "statistic and degrees",
                Some(actual),
                (self.expected(field), EXACT, 1.0),
            );
        }
        for (actual, field) in [
            (test.first_order_p, "first_order_p"),
            (test.second_order_p, "second_order_p"),
        ] {
            self.number(
                comparisons,
                "p-value",
                Some(actual),
                (self.expected(field), EXACT * 10.0, 1.0),
            );
        }
    }
}
