//! Sampling variances of proportions, smoothed over areas.

use serde::{Deserialize, Serialize};

use super::SmallAreaError;

/// What an area's interviews say of the sampling variance of its proportion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AreaInterviews {
    /// Respondents n_i, at least 1.
    pub respondents: u64,
    /// ψ̂_i, the variance of the direct estimate as the design gives it; 0 where all answered alike. None where it cannot be
    /// estimated, as with interviews in a single hamlet.
    pub sampling_variance: Option<f64>,
    /// p̃_i, the proportion to expect of the area, above 0 and below 1: that of the district or province around it, or of a
    /// regression. It must not be the area's own estimate, which is as uncertain as ψ̂_i and goes with it: an area with
    /// few interviews and a small p̂_i would be given a small variance for that, and so too much weight.
    pub expected_proportion: f64,
}

/// Smoothed sampling variances, with what they were made with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SmoothedVariances {
    /// The design effect of all areas together.
    pub design_effect: f64,
    /// ψ_i, above 0, one per area in the order given; none for areas without interviews.
    pub variances: Vec<Option<f64>>,
}

/// Sampling variances by a generalised variance function: ψ_i = d·p̃_i(1 − p̃_i)/n_i with one design effect d for all areas.
///
/// d = Σ n_i²·ψ̂_i / Σ n_i·p̃_i(1 − p̃_i) over the areas whose ψ̂_i is known, so that Σ n_i²·ψ_i is what the design gave. That is
/// the weighted least squares fit of ψ̂_i on p̃_i(1 − p̃_i)/n_i through the origin in which areas with many respondents count
/// most. An area whose own variance is 0 or unknown gets one that fits its respondents.
///
/// `areas` has one entry an area, none where nobody was interviewed. The variances are for [`super::DirectEstimate`].
///
/// What is assumed: one design effect everywhere, as when interviews were taken in the same way in all areas.
///
/// K. M. Wolter, *Introduction to Variance Estimation* (2nd edition, 2007), chapter 7, derives generalised variance functions
/// of proportions from one design effect; Rao & Molina (2015), chapter 6, take variances so smoothed as known.
///
/// # Errors
/// [`SmallAreaError`] when an area has no respondents, an expected proportion is not between 0 and 1, a variance is negative
/// or not finite, or no known variance is above 0.
pub fn smoothed_variances(areas: &[Option<AreaInterviews>]) -> Result<SmoothedVariances, SmallAreaError> {
    let (mut squared, mut binomial) = (0.0, 0.0);
    for (area, interviews) in areas.iter().enumerate() {
        let Some(interviews) = interviews else { continue };
        let proportion = interviews.expected_proportion;
        if interviews.respondents == 0 {
            return Err(SmallAreaError::NoRespondents { area });
        }
        if !(proportion > 0.0 && proportion < 1.0) {
            return Err(SmallAreaError::ExpectedProportion {
                area,
                given: proportion,
            });
        }
        let Some(variance) = interviews.sampling_variance else {
            continue;
        };
        if !(variance >= 0.0 && variance.is_finite()) {
            return Err(SmallAreaError::DesignVariance { area, given: variance });
        }
        let respondents = interviews.respondents as f64;
        squared += respondents * respondents * variance;
        binomial += respondents * interviews.element_variance();
    }
    let design_effect = squared / binomial;
    if !(design_effect > 0.0 && design_effect.is_finite()) {
        return Err(SmallAreaError::NoDesignEffect);
    }
    let smoothed =
        |interviews: &AreaInterviews| design_effect * interviews.element_variance() / interviews.respondents as f64;
    Ok(SmoothedVariances {
        design_effect,
        variances: areas
            .iter()
            .map(|interviews| interviews.as_ref().map(smoothed))
            .collect(),
    })
}

impl AreaInterviews {
    /// p̃(1 − p̃), the variance of one answer.
    fn element_variance(&self) -> f64 {
        self.expected_proportion * (1.0 - self.expected_proportion)
    }
}
