//! The ways to an interval that are compared.

use indicators::intervals::ConfidenceLevel;
use indicators::survey::{ProportionMethod, SurveyEstimate, proportion_interval};

/// A way from a sample to an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The general path, which chooses the method.
    Default,
    /// The live path, which works from sums per hamlet.
    Live,
    /// The general path with a method asked for.
    Method(ProportionMethod),
}

impl Way {
    pub(crate) const ALL: [Way; 6] = [
        Way::Default,
        Way::Live,
        Way::Method(ProportionMethod::Logit),
        Way::Method(ProportionMethod::Wilson),
        Way::Method(ProportionMethod::KornGraubard),
        Way::Method(ProportionMethod::StudentT),
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::Default => "default",
            Way::Live => "live path",
            Way::Method(ProportionMethod::Logit) => "logit",
            Way::Method(ProportionMethod::Wilson) => "wilson",
            Way::Method(ProportionMethod::KornGraubard) => "korn_graubard",
            Way::Method(ProportionMethod::StudentT) => "student_t",
        }
    }

    /// The interval of an estimate of the general path that was made by default; `None` where there is none. An estimate
    /// whose variance is zero has the same interval whatever is asked for.
    pub(crate) fn of_survey(self, estimate: &SurveyEstimate, level: ConfidenceLevel) -> Option<(f64, f64)> {
        let interval = match self {
            Way::Method(method) if estimate.standard_error? > 0.0 => {
                let (point, error) = (estimate.point?, estimate.standard_error?);
                let degrees_of_freedom = estimate.degrees_of_freedom;
                proportion_interval(point, error, degrees_of_freedom, estimate.rows, Some(method), level)
                    .ok()?
                    .0
            }
            _ => estimate.interval?,
        };
        Some((interval.lower, interval.upper))
    }
}
