//! What to settle first, as a page or a terminal shows it.

use indicators::bounds::{Importance, Matter};
use indicators::decision::Decision;
use indicators::estimators::Estimate;
use serde::Serialize;

use super::suspects::OpenResponses;
use super::view::BoundsView;

/// What is open about an indicator's estimate in a unit, what to settle first at the front. Shares are from 0 to 1.
#[derive(Debug, Clone, Serialize)]
pub struct LiveImportance {
    /// The estimate, for publication rules.
    #[serde(skip)]
    pub estimate: Estimate,
    /// The point estimate.
    pub point: Option<f64>,
    /// The smallest and largest point estimate over all ways to settle what is open.
    pub bounds: Option<BoundsView>,
    /// Whether the bounds are exact.
    pub bounds_exact: bool,
    /// The decision on the target by the estimate alone.
    pub decision_as_counted: Decision,
    /// The decision over the bounds.
    pub decision: Decision,
    /// Whether the decision is in doubt because of what is open.
    pub is_in_doubt: bool,
    /// So many from the front suffice: once they are settled as they are counted now, the decision is sure whatever the
    /// others turn out to be. Fewer others may suffice too. None where the estimate alone does not decide.
    pub sufficient: Option<usize>,
    /// What is open.
    pub matters: Vec<OpenMatter>,
}

/// One conflicted response, or a group of suspected duplicates.
#[derive(Debug, Clone, Serialize)]
pub struct OpenMatter {
    /// Whether it is a group of suspected duplicates, one of which stays at least.
    pub is_suspected_duplicate: bool,
    /// The response, or those of the group that bring something to the estimate.
    pub responses: Vec<OpenResponse>,
    /// The smallest estimate that settling it leads to, all others as they are counted now.
    pub lower: Option<f64>,
    /// The largest one.
    pub upper: Option<f64>,
    /// How far settling it can move the estimate at most.
    pub reach: Option<f64>,
    /// Whether some way to settle it leaves no denominator.
    pub denominator_may_vanish: bool,
}

/// A response about which something is open.
#[derive(Debug, Clone, Serialize)]
pub struct OpenResponse {
    /// The database's number of the response.
    #[serde(skip)]
    pub key: i64,
    /// The code of its hamlet.
    pub hamlet: String,
    /// The numerator and denominator as they are counted now.
    pub counted: (f64, f64),
    /// Every numerator and denominator that settling its own conflicts can lead to.
    pub possible: Vec<(f64, f64)>,
}

/// The view of what is open, with the code of each hamlet by its place in the design.
pub(super) fn view(
    importance: Importance,
    open: &OpenResponses<'_>,
    bounds_exact: bool,
    hamlet: impl Fn(usize) -> Option<String>,
) -> LiveImportance {
    let response = |position: usize| {
        let (household, key) = (open.unsettled.households.get(position)?, open.keys.get(position)?);
        Some(OpenResponse {
            key: *key,
            hamlet: hamlet(household.psu)?,
            counted: (household.counted.numerator, household.counted.denominator),
            possible: household
                .options
                .iter()
                .map(|option| (option.numerator, option.denominator))
                .collect(),
        })
    };
    let matters = importance.effects.iter().map(|effect| {
        let members: Vec<usize> = match effect.matter {
            Matter::Household(household) => vec![household],
            Matter::Group(group) => {
                let group = open.unsettled.groups.get(group);
                group
                    .into_iter()
                    .flat_map(|group| group.members.iter().copied().flatten())
                    .collect()
            }
        };
        OpenMatter {
            is_suspected_duplicate: matches!(effect.matter, Matter::Group(_)),
            responses: members.into_iter().filter_map(&response).collect(),
            lower: effect.lower,
            upper: effect.upper,
            reach: effect.reach,
            denominator_may_vanish: effect.denominator_may_vanish,
        }
    });
    let matters = matters.collect();
    let bounded = importance.bounded;
    let point = |end: Option<Estimate>| end.and_then(|end| end.point);
    let bounds = point(bounded.lower).zip(point(bounded.upper));
    LiveImportance {
        point: bounded.estimate.point,
        estimate: bounded.estimate,
        bounds: bounds.map(|(lower, upper)| BoundsView { lower, upper }),
        bounds_exact,
        decision_as_counted: importance.decision_as_counted,
        decision: importance.decision,
        is_in_doubt: importance.is_in_doubt,
        sufficient: importance.sufficient,
        matters,
    }
}
