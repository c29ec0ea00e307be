//! Raking to 5 margins, and the variance of a ratio from a bootstrap of 1,000 replicates: 1.8 million persons, then a part of
//! them beside R's package survey, which keeps a weight for each person and replicate.

use super::{Program, median, number, print, write};
use crate::persons::{Answers, DISTRICTS, PERSONS, Persons};
use indicators::replicates::{BootstrapSettings, FirstStage, ReplicateEstimate, Replicates};
use indicators::variance::LonelyPsu;
use indicators::weights::{Margin, RakingSettings, rake};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const R_SCRIPT: &str = include_str!("raking.R");
const REPLICATES: usize = 1_000;
/// Sex, age group, education, kind of settlement; the fifth margin is the district.
const CATEGORIES: [u32; 4] = [2, 14, 6, 2];

/// Raked points agree as far as R rakes: to totals that are met to a millionth.
const POINTS: f64 = 1e-4;
/// Standard errors come from other draws: each has a relative error of about 1/√(2·1,000), so that both together are
/// hardly ever further apart than this.
const ERRORS: f64 = 0.15;

struct Setting {
    persons: Persons,
    answers: Answers,
    margins: Vec<(Vec<u32>, Vec<f64>)>,
}

impl Setting {
    /// Margins whose totals are up to a fifth away from those of the weights.
    fn new(count: usize) -> Self {
        let persons = Persons::draw(count);
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut columns: Vec<(Vec<u32>, u32)> = CATEGORIES
            .into_iter()
            .map(|categories| {
                let codes = (0..persons.rows()).map(|_| random.random_range(0..categories));
                (codes.collect(), categories)
            })
            .collect();
        columns.push((persons.district(), DISTRICTS));
        let all: f64 = persons.weights.iter().sum();
        let margins = columns.into_iter().map(|(codes, categories)| {
            let mut totals = vec![0.0; categories as usize];
            for (&code, weight) in codes.iter().zip(&persons.weights) {
                totals[code as usize] += weight * random.random_range(0.9..1.1);
            }
            for total in &mut totals {
                *total *= random.random_range(0.8..1.2);
            }
            let sum: f64 = totals.iter().sum();
            totals.iter_mut().for_each(|total| *total *= all / sum);
            (codes, totals)
        });
        Setting {
            margins: margins.collect(),
            answers: persons.indicator(0),
            persons,
        }
    }

    fn rake(&self) -> Vec<f64> {
        let margins: Vec<Margin<'_>> = self
            .margins
            .iter()
            .map(|(categories, totals)| Margin { categories, totals })
            .collect();
        rake(&self.persons.weights, &margins, &RakingSettings::default())
            .expect("the margins can be met")
            .weights
    }

    fn bootstrap(&self, weights: &[f64]) -> ReplicateEstimate {
        let stage = FirstStage::new(&self.persons.hamlet, Some(&self.persons.commune), None).expect("a sound design");
        let settings = BootstrapSettings {
            replicates: REPLICATES,
            seed: 1,
            draws: None,
            lonely: LonelyPsu::Fail,
        };
        Replicates::bootstrap(weights, &stage, &settings)
            .expect("every stratum has several hamlets")
            .variance_of_totals(&[&self.answers.counted, &self.answers.asked], |totals| {
                vec![totals[0] / totals[1]]
            })
            .expect("every replicate has persons")
    }
}

/// Measures.
pub(crate) fn measure() {
    let whole = Setting::new(PERSONS);
    let (raking, weights) = median(|| whole.rake());
    let (bootstrap, _) = median(|| whole.bootstrap(&weights));
    println!(
        "{} persons: raking to {} margins {raking:.2} s, bootstrap of {REPLICATES} replicates {bootstrap:.2} s",
        whole.persons.rows(),
        whole.margins.len()
    );
    drop((whole, weights));
    let count = PERSONS / 100;
    if Program::R.announce(count).is_some() {
        compare(&Setting::new(count));
    }
}

fn compare(setting: &Setting) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    let codes = |codes: &[u32]| codes.iter().map(|&code| f64::from(code)).collect::<Vec<_>>();
    write(path, "commune", codes(&setting.persons.commune).into_iter());
    write(path, "hamlet", codes(&setting.persons.hamlet).into_iter());
    write(path, "weights", setting.persons.weights.iter().copied());
    write(path, "counted", setting.answers.counted.iter().copied());
    write(path, "asked", setting.answers.asked.iter().copied());
    for (number, (categories, totals)) in setting.margins.iter().enumerate() {
        write(path, &format!("margin{number}"), codes(categories).into_iter());
        write(path, &format!("total{number}"), totals.iter().copied());
    }
    let arguments = [setting.persons.rows(), setting.margins.len(), REPLICATES].map(|number| number.to_string());
    let lines = Program::R.run(R_SCRIPT, path, &arguments);
    let found = |first: &str, second: Option<&str>| {
        lines
            .iter()
            .find(|words| words[0] == first && second.is_none_or(|second| words[1] == second))
            .expect("R prints it")
    };
    let (raking, weights) = median(|| setting.rake());
    let (bootstrap, estimate) = median(|| setting.bootstrap(&weights));
    print("raking", raking, number(&found("seconds", Some("raking"))[2]));
    print("bootstrap", bootstrap, number(&found("seconds", Some("bootstrap"))[2]));
    let theirs = found("estimate", None);
    for (what, ours, theirs, tolerance) in [
        ("point", estimate.points[0], number(&theirs[1]), POINTS),
        (
            "standard error",
            estimate.standard_errors()[0],
            number(&theirs[2]),
            ERRORS,
        ),
    ] {
        let difference = (ours - theirs).abs() / theirs;
        println!("{what}: {ours:.6} here, {theirs:.6} in R");
        assert!(difference <= tolerance, "{what}s differ by {difference:e}");
    }
}
