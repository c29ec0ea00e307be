//! Whatever responses came, were corrected or were taken out, the live estimates are those that a full recomputation from
//! the hamlets gives.

// What cannot be set up fails the test.
#![allow(clippy::unwrap_used)]

mod surveys;

use indicators::design::{Design, DesignError, Domain, Sample};
use indicators::estimators::{
    Estimate, EstimationError, Indicator, LiveError, LiveEstimates, Measure, Settings, ratio,
};
use indicators::summary::{Contribution, PsuSummary, SummaryError};
use indicators::variance::LonelyPsu;
use proptest::prelude::*;
use surveys::{Household, MEASURES, Plan, Survey};

fn plan() -> impl Strategy<Value = Plan> {
    let policy = prop_oneof![
        Just(LonelyPsu::Adjust),
        Just(LonelyPsu::Certainty),
        Just(LonelyPsu::Fail)
    ];
    let sizes = prop_oneof![Just(((1, 7), (1, 12))), Just(((5, 30), (8, 60)))];
    (
        any::<u64>(),
        1..4_usize,
        1..12_u64,
        1..9_u64,
        sizes,
        any::<bool>(),
        policy,
    )
        .prop_map(
            |(seed, strata, sampled, responding, (frame_psus, frame_households), lists_frame, lonely_psu)| Plan {
                seed,
                strata,
                frame_psus,
                sampled_psus: (1, sampled),
                frame_households,
                responding: (0, responding),
                lists_frame,
                lonely_psu,
            },
        )
}

/// Those of the survey, the first hamlets of each stratum, and every other hamlet of all.
fn domains(survey: &Survey, design: &Design) -> Vec<Domain> {
    let psus = design.psus();
    let mut domains: Vec<Domain> = survey.domains().into_iter().map(|(_, domain)| domain).collect();
    for stratum in 0..design.strata().len() {
        let members = (0..psus.len()).filter(|&psu| psus[psu].stratum == stratum).take(3);
        domains.push(Domain::new(design, members, None).unwrap());
    }
    domains.push(Domain::from_predicate(design, &|psu| psu % 2 == 0, None).unwrap());
    domains
}

/// How near two estimates must be: a relative difference, and for the ends of intervals one on the scale of proportions.
#[derive(Clone, Copy)]
struct Nearness(f64);

impl Nearness {
    /// Of sums that are kept and those that are made anew.
    const KEPT: Self = Self(1e-12);
    /// Of those and a pass over the hamlets in plain doubles, which takes variances as differences of sums of squares and so
    /// loses digits of a small one.
    const BY_A_PASS: Self = Self(1e-9);

    fn holds(self, what: &str, least: f64, one: Option<f64>, other: Option<f64>) -> Result<(), TestCaseError> {
        match (one, other) {
            (Some(one), Some(other)) => {
                let (difference, size) = ((one - other).abs(), other.abs().max(least));
                prop_assert!(
                    difference <= self.0 * size,
                    "{what}: {one:e} live, {other:e} recomputed"
                );
            }
            _ => prop_assert_eq!(one, other, "{}", what),
        }
        Ok(())
    }

    fn holds_for(self, live: &Estimate, recomputed: &Estimate) -> Result<(), TestCaseError> {
        let counts = |estimate: &Estimate| {
            (
                estimate.degrees_of_freedom,
                estimate.psus,
                estimate.households,
                estimate.households_with_denominator,
                estimate.numerator_observed,
                estimate.denominator_observed,
                estimate.unrepresented_strata,
                estimate.absences,
                estimate.interval.map(|interval| interval.method),
            )
        };
        prop_assert_eq!(counts(live), counts(recomputed));
        let ends = |estimate: &Estimate| {
            let ends = estimate.interval.map(|interval| (interval.lower, interval.upper));
            (ends.map(|ends| ends.0), ends.map(|ends| ends.1))
        };
        let totals = |estimate: &Estimate| {
            let totals = [
                estimate.numerator_total,
                estimate.denominator_total,
                estimate.households_total,
            ];
            totals.map(Some)
        };
        for (one, other) in totals(live).into_iter().zip(totals(recomputed)) {
            self.holds("total", 0.0, one, other)?;
        }
        self.holds("point", 0.0, live.point, recomputed.point)?;
        self.holds("standard error", 0.0, live.standard_error, recomputed.standard_error)?;
        self.holds("design effect", 0.0, live.design_effect, recomputed.design_effect)?;
        // An end near 0 is e^−s with a large s, which multiplies its relative difference.
        self.holds("lower end", 1.0, ends(live).0, ends(recomputed).0)?;
        self.holds("upper end", 1.0, ends(live).1, ends(recomputed).1)
    }
}

/// Compares all domains and indicators with sums made anew, and with passes over the hamlets.
fn assert_recomputed(live: &LiveEstimates, settings: &Settings) -> Result<(), TestCaseError> {
    let (design, domains) = (live.design().clone(), live.domains().cloned().collect());
    let anew = LiveEstimates::new(design, domains, live.summaries().to_vec(), *settings).unwrap();
    let sample = Sample::new(live.design(), live.summaries()).unwrap();
    for (number, domain) in live.domains().enumerate() {
        for (index, measure) in MEASURES.into_iter().enumerate() {
            let indicator = Indicator { index, measure };
            let found = live.estimate(number, indicator).unwrap().unwrap();
            Nearness::KEPT.holds_for(&found, &anew.estimate(number, indicator).unwrap().unwrap())?;
            Nearness::BY_A_PASS.holds_for(&found, &ratio(&sample, domain, indicator, settings).unwrap())?;
        }
    }
    Ok(())
}

fn settings(plan: &Plan) -> Settings {
    Settings {
        lonely_psu: plan.lonely_psu,
        ..Settings::default()
    }
}

fn start(survey: &Survey, summaries: Vec<PsuSummary>, plan: &Plan) -> LiveEstimates {
    let design = survey.design();
    let domains = domains(survey, &design);
    LiveEstimates::new(design, domains, summaries, settings(plan)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn live_estimates_are_those_recomputed(plan in plan(), steps in prop::collection::vec((any::<u32>(), 0..6_u8), 1..60)) {
        let survey = Survey::draw(&plan);
        prop_assume!(!survey.households.is_empty());
        let mut live = start(&survey, survey.summaries(), &plan);
        assert_recomputed(&live, &settings(&plan))?;
        // What each household counts as now.
        let mut counted: Vec<Option<Vec<Contribution>>> =
            survey.households.iter().map(|household| Some(household.contributions.clone())).collect();
        for (at, kind) in steps {
            let place = at as usize % counted.len();
            let Household { psu, contributions } = &survey.households[place];
            if kind > 3 {
                // A household more in the frame, or one less where somebody never responds.
                let responding = survey.households.iter().filter(|household| household.psu == *psu).count() as u64;
                let size = live.design().psus()[*psu].households;
                let corrected = if kind == 4 { size + 1 } else { (size - 1).max(responding) };
                live.set_households(*psu, corrected).unwrap();
                assert_recomputed(&live, &settings(&plan))?;
                continue;
            }
            let neighbour = &survey.households[(place + 1) % counted.len()].contributions;
            let new = match kind {
                0 => None,
                1 => Some(contributions.clone()),
                _ => Some(neighbour.clone()),
            };
            live.apply(*psu, counted[place].as_deref(), new.as_deref()).unwrap();
            counted[place] = new;
            assert_recomputed(&live, &settings(&plan))?;
        }
        // Everybody is taken out, and comes back.
        for (household, counted) in survey.households.iter().zip(&mut counted) {
            live.apply(household.psu, counted.take().as_deref(), None).unwrap();
        }
        assert_recomputed(&live, &settings(&plan))?;
        for (psu, hamlet) in survey.design().psus().iter().enumerate() {
            live.set_households(psu, hamlet.households).unwrap();
        }
        assert_recomputed(&live, &settings(&plan))?;
        for household in &survey.households {
            live.apply(household.psu, None, Some(&household.contributions)).unwrap();
        }
        assert_recomputed(&live, &settings(&plan))?;
    }
}

/// A hundred corrections of each household leave no more rounding behind than one.
#[test]
fn many_changes_do_not_add_up() {
    let plan = Plan {
        seed: 3,
        strata: 3,
        frame_psus: (20, 30),
        sampled_psus: (8, 12),
        frame_households: (30, 80),
        responding: (4, 9),
        lists_frame: true,
        lonely_psu: LonelyPsu::Adjust,
    };
    let survey = Survey::draw(&plan);
    let mut live = start(&survey, survey.summaries(), &plan);
    let count = survey.households.len();
    for step in 0..100 * count {
        let place = (step * 7919) % count;
        let Household { psu, contributions } = &survey.households[place];
        let neighbour = &survey.households[(place + 1) % count].contributions;
        live.apply(*psu, Some(contributions), Some(neighbour)).unwrap();
        live.apply(*psu, Some(neighbour), Some(contributions)).unwrap();
    }
    assert_eq!(live.summaries(), survey.summaries());
    assert_recomputed(&live, &settings(&plan)).unwrap();
}

#[test]
fn what_cannot_be_counted_changes_nothing() {
    let plan = Plan {
        seed: 5,
        strata: 1,
        frame_psus: (3, 3),
        sampled_psus: (3, 3),
        frame_households: (2, 2),
        responding: (2, 2),
        lists_frame: true,
        lonely_psu: LonelyPsu::Adjust,
    };
    let survey = Survey::draw(&plan);
    let mut live = start(&survey, survey.summaries(), &plan);
    let household = &survey.households[0];
    let too_many = live.apply(household.psu, None, Some(&household.contributions));
    let expected = DesignError::MoreHouseholdsThanFrame {
        psu: household.psu,
        responding: 3,
        frame: 2,
    };
    assert_eq!(too_many, Err(LiveError::Design(expected)));
    let nowhere = live.apply(9, None, Some(&household.contributions)).unwrap_err();
    assert!(nowhere.vietnamese().contains("không có ấp 9"), "{nowhere}");
    let short = live.apply(household.psu, Some(&household.contributions), Some(&[]));
    let expected = SummaryError::ContributionCount {
        given: 0,
        expected: MEASURES.len(),
    };
    assert_eq!(short, Err(LiveError::Summary(expected)));
    let too_small = DesignError::MoreHouseholdsThanFrame {
        psu: household.psu,
        responding: 2,
        frame: 1,
    };
    assert_eq!(live.set_households(household.psu, 1), Err(too_small));
    assert!(matches!(live.set_households(9, 3), Err(DesignError::UnknownPsu { .. })));
    assert_eq!(live.design(), &survey.design());
    assert_eq!(live.summaries(), survey.summaries());
    assert_recomputed(&live, &settings(&plan)).unwrap();
    let unknown = Indicator {
        index: MEASURES.len(),
        measure: Measure::Proportion,
    };
    assert!(matches!(
        live.estimate(0, unknown),
        Err(EstimationError::UnknownIndicator { .. })
    ));
    let first = Indicator {
        index: 0,
        measure: Measure::Proportion,
    };
    assert_eq!(live.estimate(99, first), Ok(None));
}
