//! Estimates of communes by the area-level model: what the interviews of all communes say about each of them.
//!
//! A commune's direct estimate may rest on a dozen interviews. The model joins it with what the frame knows of all communes
//! (which share of their households lives in urban hamlets, how many households they have) and with the other communes'
//! estimates; `indicators::small_areas` has the formulas. Nothing is decided about a target by a modelled figure.

use std::collections::BTreeMap;

use indicators::estimators::Estimate;
use indicators::intervals::{ConfidenceLevel, IntervalMethod};
use indicators::linear_algebra::Matrix;
use indicators::publication::PublicationRules;
use indicators::small_areas::{
    AreaEstimate, AreaInterviews, AreaModel, Benchmark, DirectEstimate, SmallAreaError, Source, VarianceMethod,
    benchmark, fit, smoothed_variances,
};
use serde::{Deserialize, Serialize};

use super::live::LiveRound;
use crate::units::Level;

/// The official kind of an urban hamlet; others are villages (ấp).
const URBAN_HAMLET: &str = "khu phố";

/// The 97.5 % quantile of the normal distribution: an interval of that many errors each way has a level of 95 %.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// A model of the communes of a round for one indicator.
#[derive(Debug, Serialize, Deserialize)]
pub struct ModelView {
    /// Communes with interviews enough to take part with a direct estimate.
    pub communes_with_interviews: u64,
    /// Communes that the model estimates.
    pub communes: u64,
    /// What it knows of each.
    pub covariates: Vec<Covariate>,
    /// How much communes differ beyond the covariates: a standard deviation, as a share.
    pub between_communes: f64,
    /// Which share of the differences the covariates explain; none where communes do not differ by more than sampling does.
    pub explained: Option<f64>,
    /// The design effect by which sampling variances were smoothed, against a simple random sample of what is counted.
    pub design_effect: f64,
}

/// What the frame knows of a commune.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covariate {
    /// The share of its households that live in urban hamlets.
    UrbanShare,
    /// The logarithm of its number of households.
    Households,
}

/// The model's figure for one commune. Shares are from 0 to 1.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ModelledView {
    /// The estimate, brought into agreement with the direct estimate of the whole and held between 0 and 1.
    pub point: f64,
    /// The root of its mean squared error, before it was brought into agreement.
    pub root_mean_squared_error: f64,
    /// The estimate less 1.96 times that, held between 0 and 1.
    pub lower: f64,
    /// The estimate and 1.96 times that, held between 0 and 1.
    pub upper: f64,
    /// The confidence level of the interval between them.
    pub level: f64,
    /// Whether interviews of the commune itself took part.
    pub source: Source,
    /// How much they count, from 0 to 1.
    pub direct_weight: f64,
}

/// Why there is no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotModelled {
    /// The whole round has no estimate to agree with.
    NoEstimate,
    /// Too few communes have interviews, or all said the same.
    TooFewCommunes,
}

/// A fitted model, and its figures by the communes' numbers in the tree.
pub(super) struct Modelled {
    pub(super) view: ModelView,
    pub(super) figures: BTreeMap<usize, ModelledView>,
}

/// A commune as the model sees it.
struct Commune {
    node: usize,
    households: f64,
    urban_share: f64,
    estimate: Option<Estimate>,
}

impl Commune {
    fn of(live: &LiveRound, node: usize, measured: usize) -> Self {
        let (mut households, mut urban) = (0.0, 0.0);
        for (of_hamlet, hamlet) in live.hamlet_nodes(node) {
            households += hamlet.households as f64;
            if of_hamlet.kind.to_lowercase() == URBAN_HAMLET {
                urban += hamlet.households as f64;
            }
        }
        Self {
            node,
            households,
            urban_share: urban / households,
            estimate: live.direct_estimate(node, measured),
        }
    }

    /// The share of a commune of which everything is known, which needs no model.
    fn enumerated(&self) -> Option<f64> {
        let estimate = self.estimate.as_ref()?;
        let is_census = estimate
            .interval
            .is_some_and(|interval| interval.method == IntervalMethod::Census);
        estimate.point.filter(|_| is_census)
    }

    /// What the commune's interviews say, where they are enough to be shown.
    fn interviews(&self, rules: &PublicationRules, whole: &Estimate) -> Option<(f64, AreaInterviews)> {
        let estimate = self.estimate.as_ref()?;
        if estimate.households < rules.minimum_households {
            return None;
        }
        let respondents = estimate.denominator_observed.round() as u64;
        let interviews = AreaInterviews {
            respondents: respondents.max(1),
            sampling_variance: estimate.standard_error.map(|error| error * error),
            // One more yes and one more no keep it off the ends, where nothing would be left to vary.
            expected_proportion: (whole.numerator_observed + 1.0) / (whole.denominator_observed + 2.0),
        };
        Some((estimate.point?, interviews))
    }

    fn covariate(&self, covariate: Covariate) -> f64 {
        match covariate {
            Covariate::UrbanShare => self.urban_share,
            Covariate::Households => self.households.ln(),
        }
    }
}

/// Models one indicator of a round. Communes with fewer responding households than may be shown take part without a direct
/// estimate; those of which everything is known are left out, and what they have is taken from the whole.
pub(super) fn model(live: &LiveRound, measured: usize, rules: &PublicationRules) -> Result<Modelled, NotModelled> {
    let whole = live.direct_estimate(0, measured).ok_or(NotModelled::NoEstimate)?;
    let whole_point = whole.point.ok_or(NotModelled::NoEstimate)?;
    let nodes = live.tree.nodes().iter().enumerate();
    let communes = nodes
        .filter(|(_, node)| node.level == Level::Commune)
        .map(|(node, _)| Commune::of(live, node, measured))
        .filter(|commune| commune.households > 0.0);
    let (enumerated, modelled): (Vec<Commune>, Vec<Commune>) =
        communes.partition(|commune| commune.enumerated().is_some());

    let interviews: Vec<_> = modelled
        .iter()
        .map(|commune| commune.interviews(rules, &whole))
        .collect();
    let for_variances: Vec<_> = interviews
        .iter()
        .map(|given| given.map(|(_, interviews)| interviews))
        .collect();
    let smoothed = smoothed_variances(&for_variances).map_err(|_| NotModelled::TooFewCommunes)?;
    let direct: Vec<Option<DirectEstimate>> = interviews
        .iter()
        .zip(&smoothed.variances)
        .map(|(given, variance)| {
            Some(DirectEstimate {
                estimate: given.as_ref()?.0,
                sampling_variance: (*variance)?,
            })
        })
        .collect();
    let (covariates, fitted) = fit_most(&modelled, &direct).ok_or(NotModelled::TooFewCommunes)?;

    // What is left of the whole for the modelled communes.
    let everybody: f64 = enumerated
        .iter()
        .chain(&modelled)
        .map(|commune| commune.households)
        .sum();
    let known: f64 = enumerated
        .iter()
        .filter_map(|commune| Some(commune.households * commune.enumerated()?))
        .sum();
    let weights: Vec<f64> = modelled.iter().map(|commune| commune.households).collect();
    let rest = (whole_point * everybody - known) / weights.iter().sum::<f64>();
    let agreeing = benchmark(&fitted, &weights, rest, Benchmark::ErrorWeighted)
        .or_else(|_| benchmark(&fitted, &weights, rest, Benchmark::Difference))
        .map_err(|_| NotModelled::TooFewCommunes)?;
    let figures = modelled.iter().zip(fitted.areas.iter().zip(agreeing));
    Ok(Modelled {
        figures: figures
            .map(|(commune, (area, point))| (commune.node, figure(area, point)))
            .collect(),
        view: ModelView {
            communes_with_interviews: direct.iter().flatten().count() as u64,
            communes: modelled.len() as u64,
            covariates,
            between_communes: fitted.between_area_variance.sqrt(),
            explained: fitted.diagnostics.explained_variance,
            design_effect: smoothed.design_effect,
        },
    })
}

/// The model with as many of the covariates as the communes with interviews allow: where all of them are villages, say, their
/// urban share says nothing.
fn fit_most(communes: &[Commune], direct: &[Option<DirectEstimate>]) -> Option<(Vec<Covariate>, AreaModel)> {
    let choices: [&[Covariate]; 4] = [
        &[Covariate::UrbanShare, Covariate::Households],
        &[Covariate::UrbanShare],
        &[Covariate::Households],
        &[],
    ];
    choices.into_iter().find_map(|covariates| {
        let row = |commune: &Commune| {
            let values = covariates.iter().map(|covariate| commune.covariate(*covariate));
            std::iter::once(1.0).chain(values).collect::<Vec<f64>>()
        };
        let values = communes.iter().flat_map(row).collect();
        let fitted = Matrix::new(communes.len(), covariates.len() + 1, values)
            .map_err(SmallAreaError::from)
            .and_then(|matrix| fit(direct, &matrix, VarianceMethod::RestrictedMaximumLikelihood));
        Some((covariates.to_vec(), fitted.ok()?))
    })
}

fn figure(area: &AreaEstimate, point: f64) -> ModelledView {
    let level = ConfidenceLevel::NINETY_FIVE_PERCENT;
    let error = area.mean_squared_error.sqrt();
    let margin = NORMAL_QUANTILE * error;
    ModelledView {
        point: point.clamp(0.0, 1.0),
        root_mean_squared_error: error,
        lower: (point - margin).clamp(0.0, 1.0),
        upper: (point + margin).clamp(0.0, 1.0),
        level: level.fraction(),
        source: area.source,
        direct_weight: area.direct_weight,
    }
}
