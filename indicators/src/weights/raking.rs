//! Raking: weights that meet several margins at once.

use super::base::check_weights;
use super::margins::{check_margins, worst_of};
use super::residuals::{MarginResiduals, Sweeps};
use super::{Margin, WeightDiagnosis, WeightsError};

/// When raking stops.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RakingSettings {
    /// Largest |weighted sum − total| / (1 + |total|) that counts as met.
    pub tolerance: f64,
    /// Most sweeps over all margins.
    pub iterations: usize,
}

impl Default for RakingSettings {
    fn default() -> Self {
        RakingSettings {
            tolerance: 1e-10,
            iterations: 1_000,
        }
    }
}

/// Raked weights.
#[derive(Debug, Clone)]
pub struct Raked<'a> {
    /// The new weights, one per row.
    pub weights: Vec<f64>,
    /// What was done.
    pub diagnosis: WeightDiagnosis,
    /// Turns influence values into residuals for the variance.
    pub residuals: MarginResiduals<'a>,
}

/// Post-stratifies by one margin after the other until all are met (iterative proportional fitting: Deming & Stephan 1940,
/// *Annals of Mathematical Statistics* 11, 427–444; as `rake` in the R package survey). Where it converges, the weights
/// are those of calibration with the exponential distance, whatever the order of the margins (Deville, Särndal & Sautory
/// 1993, *Journal of the American Statistical Association* 88, 1013–1020).
///
/// # Errors
/// As [`post_stratify`](super::post_stratify); [`WeightsError::NoConstraints`] without a margin;
/// [`WeightsError::ContradictoryMargins`] if margins add up to different populations; [`WeightsError::NotConverged`]
/// naming the category that is furthest off, as happens where combinations of categories without a row make the margins
/// impossible together.
pub fn rake<'a>(weights: &[f64], margins: &[Margin<'a>], settings: &RakingSettings) -> Result<Raked<'a>, WeightsError> {
    check_weights(weights)?;
    check_settings(settings.tolerance, settings.iterations)?;
    check_margins(weights, margins)?;
    let mut new = weights.to_vec();
    let mut worst = worst_of(margins, &new).ok_or(WeightsError::NoConstraints)?;
    let mut iterations = 0;
    while worst.relative > settings.tolerance {
        if iterations == settings.iterations {
            return Err(WeightsError::NotConverged {
                iterations,
                constraint: worst.constraint,
                deviation: worst.relative,
            });
        }
        for margin in margins {
            let factors: Vec<f64> = margin
                .sums(&new)
                .into_iter()
                .zip(margin.totals)
                .map(|(sum, total)| if sum > 0.0 { total / sum } else { 1.0 })
                .collect();
            for (weight, &category) in new.iter_mut().zip(margin.categories) {
                *weight *= factors[category as usize];
            }
        }
        iterations += 1;
        worst = worst_of(margins, &new).ok_or(WeightsError::NoConstraints)?;
    }
    let columns = margins.iter().map(|margin| margin.categories).collect();
    Ok(Raked {
        diagnosis: WeightDiagnosis::new(weights, &new, iterations, worst),
        residuals: MarginResiduals::new(columns, weights.to_vec(), new.clone(), Sweeps::UntilConverged)?,
        weights: new,
    })
}

pub(super) fn check_settings(tolerance: f64, iterations: usize) -> Result<(), WeightsError> {
    if tolerance > 0.0 && tolerance.is_finite() && iterations > 0 {
        Ok(())
    } else {
        Err(WeightsError::Settings { tolerance, iterations })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Constraint;
    use super::*;

    const SEX: [u32; 4] = [0, 0, 1, 1];
    const AGE: [u32; 4] = [0, 1, 0, 1];

    fn margins<'a>(sex: &'a [f64], age: &'a [f64]) -> [Margin<'a>; 2] {
        [
            Margin {
                categories: &SEX,
                totals: sex,
            },
            Margin {
                categories: &AGE,
                totals: age,
            },
        ]
    }

    #[test]
    fn independent_margins_multiply() {
        // With all starting weights 1, raking gives row total · column total / grand total.
        let raked = rake(
            &[1.0; 4],
            &margins(&[40.0, 60.0], &[30.0, 70.0]),
            &RakingSettings::default(),
        )
        .unwrap();
        for (weight, expected) in raked.weights.iter().zip([12.0, 28.0, 18.0, 42.0]) {
            assert!((weight - expected).abs() < 1e-12);
        }
        assert_eq!(raked.diagnosis.iterations, 1);
    }

    #[test]
    fn contradictions_are_named() {
        let settings = RakingSettings::default();
        let contradictory = rake(&[1.0; 4], &margins(&[40.0, 60.0], &[30.0, 71.0]), &settings).unwrap_err();
        assert_eq!(
            contradictory,
            WeightsError::ContradictoryMargins {
                margin: 1,
                total: 101.0,
                first_total: 100.0
            }
        );
        assert!(contradictory.vietnamese().contains("biên 1 cộng lại được 101"));
        assert_eq!(
            rake(&[1.0; 4], &[], &settings).unwrap_err(),
            WeightsError::NoConstraints
        );
        let hasty = RakingSettings {
            iterations: 0,
            ..settings
        };
        assert!(matches!(
            rake(&[1.0; 4], &margins(&[1.0, 1.0], &[1.0, 1.0]), &hasty).unwrap_err(),
            WeightsError::Settings { .. }
        ));
    }

    #[test]
    fn impossible_margins_do_not_converge() {
        // Men are all young and women all old, so 40 men cannot go with 30 young.
        let margins = [
            Margin {
                categories: &[0, 1],
                totals: &[40.0, 60.0],
            },
            Margin {
                categories: &[0, 1],
                totals: &[30.0, 70.0],
            },
        ];
        let error = rake(&[1.0; 2], &margins, &RakingSettings::default()).unwrap_err();
        let WeightsError::NotConverged {
            iterations: 1_000,
            constraint: Constraint::Category { margin: 0, .. },
            deviation,
        } = error
        else {
            panic!("{error}");
        };
        assert!((deviation - 10.0 / 41.0).abs() < 1e-12);
    }
}
