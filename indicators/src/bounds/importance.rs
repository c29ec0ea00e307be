//! What to settle first: how far each open matter can move an estimate, and how many of them leave a decision in doubt.

use super::BoundsError;
use super::estimates::{BoundedEstimate, Question, Unsettled};
use super::optimum::{BoundEnd, SuspectedGroup, WeightedOptions, WeightedTotals, ratio_bounds};
use crate::decision::{Decision, Target, decide};
use crate::design::{Domain, Sample};
use crate::estimators::{Evaluation, Indicator, Settings};
use serde::Serialize;

/// Something that is settled as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// The conflicts of one household, by its position in [`Unsettled::households`].
    Household(usize),
    /// Which of suspected duplicates remain and with which values, by the position in [`Unsettled::groups`].
    Group(usize),
}

/// How far settling one matter can move an estimate while all others stay as they are counted now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Effect {
    /// What is settled.
    pub matter: Matter,
    /// The smallest estimate that settling it leads to; `None` if no way to settle it leaves a denominator.
    pub lower: Option<f64>,
    /// The largest estimate that settling it leads to; `None` if no way to settle it leaves a denominator.
    pub upper: Option<f64>,
    /// How far settling it can move the estimate at most, in the ratio's own unit; `None` if there is no estimate now, or
    /// none once it is settled.
    pub reach: Option<f64>,
    /// Whether some way to settle it leaves no denominator.
    pub denominator_may_vanish: bool,
}

/// What is open about an estimate, in the order in which to settle it, and what that means for the decision on a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Importance {
    /// The estimate with the bounds that everything open leaves.
    pub bounded: BoundedEstimate,
    /// The decision by the estimate alone, with everything as it is counted now.
    pub decision_as_counted: Decision,
    /// The decision over the bounds.
    pub decision: Decision,
    /// Whether the decision is in doubt because of what is open: the estimate alone would decide, and the bounds do not.
    pub is_in_doubt: bool,
    /// Every open matter, what to settle first at the front: what may leave no denominator, then what can move the estimate
    /// furthest against the decision as counted (either way where that is undecided), then what can move it furthest.
    pub effects: Vec<Effect>,
    /// So many matters from the front suffice: if they are settled as they are counted now, the decision is the one as
    /// counted, whatever the others turn out to be. Found by taking matters in this order, so fewer others may suffice
    /// too: an upper bound of the smallest such number. `None` where the estimate alone does not decide.
    pub sufficient: Option<usize>,
}

/// Orders what is open about one indicator in one domain by what to settle first for the decision on a target.
///
/// Costs a few passes over the options, and for [`Importance::sufficient`] one evaluation of the bounds for each doubling of
/// the number of matters.
///
/// # Errors
/// [`BoundsError`] as [`super::bounded_ratio`].
pub fn importance(
    sample: &Sample<'_>,
    domain: &Domain,
    indicator: Indicator,
    settings: &Settings,
    unsettled: &Unsettled<'_>,
    target: &Target,
) -> Result<Importance, BoundsError> {
    let mut evaluation = Evaluation::new(sample, settings);
    let question = Question::new(&evaluation, sample, domain, indicator, unsettled)?;
    let bounded = question.bounded(&mut evaluation, |_| false)?;
    let decision_as_counted = decide(target, [&bounded.estimate]);
    let decision = bounded.decide(target);

    let now = AsCounted::of(&question, &bounded);
    let mut effects = matters(unsettled)
        .map(|(matter, members)| now.effect(&question, matter, &members))
        .collect::<Result<Vec<Effect>, _>>()?;
    let urgency = |effect: &Effect| {
        let against = match (decision_as_counted, now.point) {
            (Decision::Met, Some(point)) => effect.lower.map(|lower| point - lower),
            (Decision::Missed, Some(point)) => effect.upper.map(|upper| upper - point),
            _ => effect.reach,
        };
        (against.unwrap_or(0.0), effect.reach.unwrap_or(0.0))
    };
    effects.sort_by(|one, other| {
        let ((one_against, one_reach), (other_against, other_reach)) = (urgency(one), urgency(other));
        (other.denominator_may_vanish.cmp(&one.denominator_may_vanish))
            .then(other_against.total_cmp(&one_against))
            .then(other_reach.total_cmp(&one_reach))
    });
    let sufficient = match decision_as_counted {
        Decision::Undecided => None,
        _ if decision == decision_as_counted => Some(0),
        _ => Some(sufficient(&question, &mut evaluation, &effects, |bounded| {
            bounded.decide(target) == decision_as_counted
        })?),
    };
    Ok(Importance {
        bounded,
        decision_as_counted,
        decision,
        is_in_doubt: decision != decision_as_counted,
        effects,
        sufficient,
    })
}

/// Everything that is settled as one, with the positions of its households. Groups of which no household brings anything
/// are left out.
fn matters<'a>(unsettled: &'a Unsettled<'_>) -> impl Iterator<Item = (Matter, Vec<usize>)> + 'a {
    let members = |group: &SuspectedGroup<'_>| group.members.iter().flatten().copied().collect::<Vec<usize>>();
    let mut grouped = vec![false; unsettled.households.len()];
    for member in unsettled.groups.iter().flat_map(members) {
        // That the position exists was checked with the bounds.
        if let Some(grouped) = grouped.get_mut(member) {
            *grouped = true;
        }
    }
    let groups = unsettled.groups.iter().enumerate();
    let groups = groups.map(move |(number, group)| (Matter::Group(number), members(group)));
    let alone = grouped.into_iter().enumerate().filter(|(_, grouped)| !grouped);
    let alone = alone.map(|(household, _)| (Matter::Household(household), vec![household]));
    groups.filter(|(_, members)| !members.is_empty()).chain(alone)
}

/// The first number of matters from the front, among those that halving tries, that makes sure when they are settled as
/// counted. Settling one more leaves fewer outcomes, so that nearly always all larger numbers do too; intervals at the ends
/// may be wider there, though, and a number is returned only if it was tried or leaves nothing open.
fn sufficient(
    question: &Question<'_>,
    evaluation: &mut Evaluation<'_>,
    effects: &[Effect],
    is_sure: impl Fn(&BoundedEstimate) -> bool,
) -> Result<usize, BoundsError> {
    let mut rank = vec![usize::MAX; question.unsettled.households.len()];
    for (place, effect) in effects.iter().enumerate() {
        match effect.matter {
            Matter::Household(household) => rank[household] = place,
            Matter::Group(group) => {
                for &member in question.unsettled.groups[group].members.iter().flatten() {
                    rank[member] = place;
                }
            }
        }
    }
    let (mut too_few, mut enough) = (0, effects.len());
    while enough - too_few > 1 {
        let tried = too_few.midpoint(enough);
        if is_sure(&question.bounded(evaluation, |household| rank[household] < tried)?) {
            enough = tried;
        } else {
            too_few = tried;
        }
    }
    Ok(enough)
}

/// The totals as everything is counted now.
struct AsCounted {
    point: Option<f64>,
    numerator: f64,
    denominator: f64,
    households_with_denominator: u64,
}

impl AsCounted {
    fn of(question: &Question<'_>, bounded: &BoundedEstimate) -> Self {
        let estimate = &bounded.estimate;
        AsCounted {
            point: estimate.point,
            numerator: estimate.numerator_total,
            denominator: estimate.denominator_total,
            households_with_denominator: question
                .sampled
                .iter()
                .map(|psu| psu.sums.households_with_denominator)
                .sum(),
        }
    }

    fn effect(&self, question: &Question<'_>, matter: Matter, members: &[usize]) -> Result<Effect, BoundsError> {
        let Unsettled { households, groups } = question.unsettled;
        let open: Vec<WeightedOptions<'_>> = members
            .iter()
            .map(|&member| WeightedOptions {
                weight: question.weights[member],
                options: &households[member].options,
            })
            .collect();
        let group = match matter {
            Matter::Household(_) => None,
            Matter::Group(group) => Some(&groups[group]),
        };
        // The same group, with its households numbered as they are listed here.
        let group = group.map(|group| {
            let numbered = |numbers: &mut usize, member: &Option<usize>| {
                let number = member.map(|_| *numbers);
                *numbers += usize::from(member.is_some());
                Some(number)
            };
            SuspectedGroup {
                members: group.members.iter().scan(0, numbered).collect(),
                remaining: group.remaining,
            }
        });
        let others = self.without(question, members);
        let bounds = ratio_bounds(others, &open, group.as_slice())?;
        // R' − R = Σ w·((y' − y) − R·(x' − x)) / X', which is exactly 0 where nothing changes.
        let change = |point: f64, end: &BoundEnd| {
            let (mut difference, mut denominator) = (0.0, others.denominator);
            for ((&member, open), choice) in members.iter().zip(&open).zip(&end.choices) {
                let counted = households[member].counted;
                let (numerator, own) = choice.map_or((0.0, 0.0), |choice| {
                    (open.options[choice].numerator, open.options[choice].denominator)
                });
                difference += open.weight * ((numerator - counted.numerator) - point * (own - counted.denominator));
                denominator += open.weight * own;
            }
            difference / denominator
        };
        let at = |end: &BoundEnd| match self.point {
            Some(point) => point + change(point, end),
            None => end.ratio,
        };
        let ends = bounds.lower.as_ref().zip(bounds.upper.as_ref());
        let reach = ends
            .zip(self.point)
            .map(|((lower, upper), point)| change(point, lower).abs().max(change(point, upper).abs()));
        Ok(Effect {
            matter,
            lower: bounds.lower.as_ref().map(at),
            upper: bounds.upper.as_ref().map(at),
            reach,
            denominator_may_vanish: bounds.denominator_may_vanish,
        })
    }

    /// The totals without these households.
    fn without(&self, question: &Question<'_>, members: &[usize]) -> WeightedTotals {
        let mut totals = WeightedTotals {
            numerator: self.numerator,
            denominator: self.denominator,
        };
        let mut others_with_denominator = self.households_with_denominator;
        for &member in members {
            let (weight, counted) = (question.weights[member], question.unsettled.households[member].counted);
            totals.numerator -= weight * counted.numerator;
            totals.denominator -= weight * counted.denominator;
            others_with_denominator -= u64::from(counted.denominator > 0.0);
        }
        // Whether any denominator is left is counted, since rounding may leave something of a difference that is zero.
        totals.denominator = match others_with_denominator {
            0 => 0.0,
            _ => totals.denominator.max(0.0),
        };
        totals
    }
}
