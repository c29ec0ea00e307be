//! Distances between old and new weights, each given by the function F that it leads to: new weight = old weight · F(u).

use super::WeightsError;

/// How calibration measures the distance of new weights from old ones (Deville & Särndal 1992, *Journal of the American
/// Statistical Association* 87, 376–382, section 2 and its cases 1, 2, 6 and 7). Bounds are of the ratio of new to old
/// weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Distance {
    /// F(u) = 1 + u: the generalised regression estimator (GREG). Always solvable, but weights can become negative.
    Linear,
    /// 1 + u cut off at the bounds; `calfun = "linear"` with bounds in R.
    TruncatedLinear {
        /// Smallest ratio, from 0 to below 1.
        lower: f64,
        /// Largest ratio, above 1; may be infinite.
        upper: f64,
    },
    /// F(u) = exp(u): weights stay positive, some can become very large.
    Raking,
    /// exp(u) cut off at the bounds; `calfun = "raking"` with bounds in R.
    TruncatedRaking {
        /// Smallest ratio, from 0 to below 1.
        lower: f64,
        /// Largest ratio, above 1; may be infinite.
        upper: f64,
    },
    /// A logistic curve that comes close to the bounds and reaches neither.
    Logit {
        /// Smallest ratio, from 0 to below 1.
        lower: f64,
        /// Largest ratio, above 1 and finite.
        upper: f64,
    },
}

impl Distance {
    /// The smallest and the largest ratio; some are never reached.
    pub(super) fn bounds(self) -> (f64, f64) {
        match self {
            Distance::Linear => (f64::NEG_INFINITY, f64::INFINITY),
            Distance::Raking => (0.0, f64::INFINITY),
            Distance::TruncatedLinear { lower, upper }
            | Distance::TruncatedRaking { lower, upper }
            | Distance::Logit { lower, upper } => (lower, upper),
        }
    }

    pub(super) fn check(self) -> Result<(), WeightsError> {
        let (lower, upper) = self.bounds();
        let is_open = match self {
            Distance::Linear | Distance::Raking => return Ok(()),
            Distance::TruncatedLinear { .. } | Distance::TruncatedRaking { .. } => true,
            Distance::Logit { .. } => false,
        };
        if (0.0..1.0).contains(&lower) && upper > 1.0 && (upper.is_finite() || is_open) {
            Ok(())
        } else {
            Err(WeightsError::Bounds { lower, upper })
        }
    }

    /// F(u).
    pub(super) fn ratio(self, u: f64) -> f64 {
        match self {
            Distance::Linear => 1.0 + u,
            Distance::TruncatedLinear { lower, upper } => (1.0 + u).clamp(lower, upper),
            Distance::Raking => libm::exp(u),
            Distance::TruncatedRaking { lower, upper } => libm::exp(u).clamp(lower, upper),
            Distance::Logit { lower, upper } => {
                // Written with exp(-au) where exp(au) would overflow.
                let power = logit_rate(lower, upper) * u;
                let share = if power > 0.0 {
                    (1.0 - lower) / ((upper - 1.0) * libm::exp(-power) + 1.0 - lower)
                } else {
                    let growth = (1.0 - lower) * libm::exp(power);
                    growth / (upper - 1.0 + growth)
                };
                lower + (upper - lower) * share
            }
        }
    }

    /// F′ where F takes the value `ratio`. Zero where F is cut off.
    pub(super) fn slope(self, ratio: f64) -> f64 {
        match self {
            Distance::Linear => 1.0,
            Distance::Raking => ratio,
            Distance::TruncatedLinear { lower, upper } => f64::from(u8::from(ratio > lower && ratio < upper)),
            Distance::TruncatedRaking { lower, upper } => {
                if ratio > lower && ratio < upper {
                    ratio
                } else {
                    0.0
                }
            }
            Distance::Logit { lower, upper } => {
                logit_rate(lower, upper) * (ratio - lower) * (upper - ratio) / (upper - lower)
            }
        }
    }

    /// The largest value of F′ where there is one.
    pub(super) fn steepest(self) -> f64 {
        match self {
            Distance::Linear | Distance::TruncatedLinear { .. } | Distance::Raking => 1.0,
            Distance::TruncatedRaking { upper, .. } if upper.is_finite() => upper,
            Distance::TruncatedRaking { .. } => 1.0,
            Distance::Logit { lower, upper } => (logit_rate(lower, upper) * (upper - lower) / 4.0).max(1.0),
        }
    }
}

fn logit_rate(lower: f64, upper: f64) -> f64 {
    (upper - lower) / ((upper - 1.0) * (1.0 - lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Distance; 5] = [
        Distance::Linear,
        Distance::TruncatedLinear { lower: 0.4, upper: 2.5 },
        Distance::Raking,
        Distance::TruncatedRaking { lower: 0.4, upper: 2.5 },
        Distance::Logit { lower: 0.4, upper: 2.5 },
    ];

    #[test]
    fn every_curve_starts_at_one_with_slope_one() {
        for distance in ALL {
            assert!((distance.ratio(0.0) - 1.0).abs() < 1e-15, "{distance:?}");
            assert!((distance.slope(1.0) - 1.0).abs() < 1e-15, "{distance:?}");
        }
    }

    #[test]
    fn slopes_are_those_of_the_curves() {
        for distance in ALL {
            for u in [-3.0, -0.5, -0.1, 0.2, 0.6, 4.0] {
                let step = 1e-6;
                let numeric = (distance.ratio(u + step) - distance.ratio(u - step)) / (2.0 * step);
                let slope = distance.slope(distance.ratio(u));
                assert!((numeric - slope).abs() <= 1e-7 * slope.max(1.0), "{distance:?} at {u}");
            }
        }
    }

    #[test]
    fn far_out_the_bounds_hold() {
        let logit = Distance::Logit { lower: 0.4, upper: 2.5 };
        assert_eq!((logit.ratio(-1e4), logit.ratio(1e4)), (0.4, 2.5));
        assert_eq!(logit.slope(2.5), 0.0);
    }

    #[test]
    fn bounds_must_leave_room() {
        for (lower, upper) in [(1.0, 2.0), (0.5, 1.0), (-0.1, 2.0), (f64::NAN, 2.0), (0.5, f64::NAN)] {
            assert!(Distance::TruncatedLinear { lower, upper }.check().is_err());
            assert!(Distance::TruncatedRaking { lower, upper }.check().is_err());
        }
        let open = Distance::Logit {
            lower: 0.0,
            upper: f64::INFINITY,
        };
        assert!(
            open.check()
                .unwrap_err()
                .vietnamese()
                .contains("hữu hạn khi hiệu chỉnh logit")
        );
    }
}
