//! Seeded random surveys, household by household, for the tests.

// A survey that cannot be drawn fails the test that asked for it.
#![allow(clippy::unwrap_used)]

use indicators::design::{Design, Domain, Psu, Stratum};
use indicators::estimators::Measure;
use indicators::summary::{Contribution, PsuSummary};
use indicators::variance::LonelyPsu;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Kind of each of the indicators that [`Survey::draw`] makes.
pub(crate) const MEASURES: [Measure; 8] = [
    // A household's attribute.
    Measure::Proportion,
    // Persons among persons, where some households have none.
    Measure::Proportion,
    // Nobody, and everybody.
    Measure::Proportion,
    Measure::Proportion,
    // Nobody is asked.
    Measure::Proportion,
    // Devices per person.
    Measure::Mean,
    // Nearly everybody.
    Measure::Proportion,
    // Half of the persons of every household.
    Measure::Proportion,
];

/// What kind of survey to draw. Ranges are inclusive and capped by what there is.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) strata: usize,
    pub(crate) frame_psus: (u64, u64),
    pub(crate) sampled_psus: (u64, u64),
    pub(crate) frame_households: (u64, u64),
    pub(crate) responding: (u64, u64),
    /// Whether hamlets without responses are listed in the design.
    pub(crate) lists_frame: bool,
    pub(crate) lonely_psu: LonelyPsu,
}

/// One responding household.
#[derive(Debug, Clone)]
pub(crate) struct Household {
    pub(crate) psu: usize,
    pub(crate) contributions: Vec<Contribution>,
}

/// A drawn survey.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    pub(crate) strata: Vec<Stratum>,
    pub(crate) psus: Vec<Psu>,
    pub(crate) households: Vec<Household>,
}

impl Survey {
    pub(crate) fn draw(plan: &Plan) -> Survey {
        let mut random = ChaCha8Rng::seed_from_u64(plan.seed);
        let mut survey = Survey {
            strata: Vec::new(),
            psus: Vec::new(),
            households: Vec::new(),
        };
        for stratum in 0..plan.strata {
            let frame = within(&mut random, plan.frame_psus);
            let sampled = within(&mut random, plan.sampled_psus).min(frame);
            survey.strata.push(Stratum { psus: frame });
            for position in 0..if plan.lists_frame { frame } else { sampled } {
                let households = within(&mut random, plan.frame_households);
                let psu = survey.psus.len();
                survey.psus.push(Psu { stratum, households });
                let responding = within(&mut random, plan.responding).min(households);
                let level = random.random_range(0.2..0.9);
                for _ in 0..if position < sampled { responding } else { 0 } {
                    survey.households.push(Household {
                        psu,
                        contributions: contributions(&mut random, level),
                    });
                }
            }
        }
        survey
    }

    pub(crate) fn design(&self) -> Design {
        Design::new(self.strata.clone(), self.psus.clone()).unwrap()
    }

    pub(crate) fn summaries(&self) -> Vec<PsuSummary> {
        let mut summaries = vec![PsuSummary::new(MEASURES.len()); self.psus.len()];
        for household in &self.households {
            summaries[household.psu].add(&household.contributions).unwrap();
        }
        summaries
    }

    /// Named domains: the province, strata as districts, pieces of districts, a domain across strata, hamlets, and none.
    pub(crate) fn domains(&self) -> Vec<(String, Domain)> {
        let design = self.design();
        let mut domains = vec![("province".to_owned(), Domain::whole(&design))];
        let mut push = |name: String, contains: &dyn Fn(usize) -> bool, population: Option<u64>| {
            let listed = (0..self.psus.len()).filter(|&psu| contains(psu)).count() as u64;
            let population = if design.lists_whole_frame() {
                None
            } else {
                population.map(|more| listed + more)
            };
            domains.push((name, Domain::from_predicate(&design, contains, population).unwrap()));
        };
        for (stratum, &Stratum { psus }) in self.strata.iter().enumerate() {
            let in_stratum = |psu: usize| self.psus[psu].stratum == stratum;
            let listed = self.psus.iter().filter(|psu| psu.stratum == stratum).count() as u64;
            push(format!("district {stratum}"), &in_stratum, Some(psus - listed));
            push(
                format!("taken whole {stratum}"),
                &|psu| in_stratum(psu) && psu % 2 == 0,
                Some(0),
            );
            push(
                format!("partly taken {stratum}"),
                &|psu| in_stratum(psu) && psu % 3 != 0,
                None,
            );
        }
        push("one hamlet of more".to_owned(), &|psu| psu == 0, Some(2));
        push("across".to_owned(), &|psu| psu % 3 == 1, Some(1));
        push("nothing".to_owned(), &|_| false, Some(3));
        for psu in 0..self.psus.len().min(7) {
            push(format!("hamlet {psu}"), &|other| other == psu, Some(0));
        }
        domains
    }
}

fn within(random: &mut impl Rng, (low, high): (u64, u64)) -> u64 {
    random.random_range(low..=high)
}

/// A household's values of all indicators; `level` is how common attributes are in its hamlet.
fn contributions(random: &mut impl Rng, level: f64) -> Vec<Contribution> {
    let persons = random.random_range(1..=6_u32);
    let adults = random.random_range(0..=persons);
    let smart = (0..adults).filter(|_| random.random_bool(level)).count();
    let attribute = f64::from(u8::from(random.random_bool(level)));
    let nearly = f64::from(adults) - f64::from(u8::from(adults > 0 && random.random_bool(0.03)));
    let pairs = [
        (attribute, 1.0),
        (smart as f64, f64::from(adults)),
        (0.0, f64::from(persons)),
        (f64::from(persons), f64::from(persons)),
        (0.0, 0.0),
        (f64::from(random.random_range(0..=9_u32)), f64::from(persons)),
        (nearly, f64::from(adults)),
        (f64::from(persons), f64::from(2 * persons)),
    ];
    pairs
        .into_iter()
        .map(|(numerator, denominator)| Contribution { numerator, denominator })
        .collect()
}
