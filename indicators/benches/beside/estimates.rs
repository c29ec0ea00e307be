//! Estimates with Taylor standard errors from microdata, beside R's package survey and Python's package svy: the same columns,
//! the same design, compared figure by figure.
//!
//! The others are measured on the parts that [`COMPARISONS`] states, because all of it would take them hours.

use super::{Program, median, number, print, write};
use crate::persons::{Answers, COMMUNES, DISTRICTS, PERSONS, Persons};
use indicators::intervals::ConfidenceLevel;
use indicators::survey::{
    EstimateSettings, Partition, PartitionRatio, SurveyDesign, SurveyEstimate, Values, VarianceEstimator,
    partition_ratios,
};
use std::collections::BTreeMap;
use std::path::Path;

const R_SCRIPT: &str = include_str!("estimates.R");
const PYTHON_SCRIPT: &str = include_str!("estimates.py");
/// Relative difference up to which figures agree.
const AGREEMENT: f64 = 1e-9;

/// Which program estimates which parts of so many persons.
const COMPARISONS: [(Program, usize, &[Part]); 3] = [
    (
        Program::Svy,
        PERSONS,
        &[(Unit::Province, 10), (Unit::District, 10), (Unit::Commune, 1)],
    ),
    (Program::R, PERSONS / 100, &[(Unit::Province, 1), (Unit::District, 1)]),
    (Program::R, PERSONS / 10, &[(Unit::Province, 1)]),
];

/// The first so many indicators of each unit of a kind.
type Part = (Unit, u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Province,
    District,
    Commune,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Province => "province",
            Unit::District => "district",
            Unit::Commune => "commune",
        }
    }

    fn count(self) -> usize {
        match self {
            Unit::Province => 1,
            Unit::District => DISTRICTS as usize,
            Unit::Commune => COMMUNES as usize,
        }
    }
}

/// What a program answered.
#[derive(Default)]
struct Answer {
    /// By "design" or the part's name.
    seconds: BTreeMap<String, f64>,
    /// Part, indicator, domain, point and standard error.
    estimates: Vec<(String, usize, usize, f64, f64)>,
}

/// Measures.
pub(crate) fn measure() {
    for (program, count, parts) in COMPARISONS {
        if program.announce(count).is_some() {
            compare(program, &Persons::draw(count), parts);
        }
    }
}

fn compare(program: Program, persons: &Persons, parts: &[Part]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let largest = parts.iter().map(|(_, indicators)| *indicators).max().unwrap_or(0);
    let answers: Vec<Answers> = (0..largest).map(|number| persons.indicator(number)).collect();
    write_columns(folder.path(), persons, &answers);
    let answer = run(program, folder.path(), persons.rows(), parts);

    let (design_seconds, design) = median(|| persons.design());
    print("design", design_seconds, answer.seconds["design"]);
    let (whole, district) = (vec![0; persons.rows()], persons.district());
    for &(unit, indicators) in parts {
        let codes = match unit {
            Unit::Province => &whole,
            Unit::District => &district,
            Unit::Commune => &persons.commune,
        };
        let (seconds, estimates) = median(|| estimate(&design, codes, unit, &answers[..indicators as usize]));
        let part = format!("{}:{indicators}", unit.name());
        let what = format!("{} × {indicators} indicators", unit.count());
        print(&what, seconds, answer.seconds[&part]);
        print(
            &format!("{what}, with the design"),
            seconds + design_seconds,
            answer.seconds[&part] + answer.seconds["design"],
        );
        check(&part, &answer, &estimates);
    }
}

fn estimate(design: &SurveyDesign, codes: &[u32], unit: Unit, answers: &[Answers]) -> Vec<Vec<SurveyEstimate>> {
    let settings = EstimateSettings {
        level: ConfidenceLevel::NINETY_FIVE_PERCENT,
        is_proportion: true,
        method: None,
    };
    let partition = Partition::new(design, codes, unit.count()).expect("every person has a domain");
    let estimator = VarianceEstimator::new(design);
    answers
        .iter()
        .map(|answers| {
            let of = PartitionRatio {
                numerator: Values::new("counted", &answers.counted),
                denominator: Values::new("asked", &answers.asked),
            };
            partition_ratios(&estimator, &partition, &of, &settings).expect("values are finite")
        })
        .collect()
}

fn write_columns(folder: &Path, persons: &Persons, answers: &[Answers]) {
    for (name, codes) in [
        ("commune", &persons.commune),
        ("hamlet", &persons.hamlet),
        ("household", &persons.household),
        ("district", &persons.district()),
    ] {
        write(folder, name, codes.iter().map(|&code| f64::from(code)));
    }
    for (name, values) in [
        ("weights", &persons.weights),
        ("hamlets", &persons.hamlets),
        ("households", &persons.households),
    ] {
        write(folder, name, values.iter().copied());
    }
    for (number, answers) in answers.iter().enumerate() {
        write(folder, &format!("counted{number}"), answers.counted.iter().copied());
        write(folder, &format!("asked{number}"), answers.asked.iter().copied());
    }
}

fn run(program: Program, folder: &Path, rows: usize, parts: &[Part]) -> Answer {
    let script = match program {
        Program::R => R_SCRIPT,
        Program::Svy => PYTHON_SCRIPT,
    };
    let mut arguments = vec![rows.to_string()];
    arguments.extend(
        parts
            .iter()
            .map(|(unit, indicators)| format!("{}:{indicators}", unit.name())),
    );
    let mut answer = Answer::default();
    for words in program.run(script, folder, &arguments) {
        match words[0].as_str() {
            "seconds" => {
                answer.seconds.insert(words[1].clone(), number(&words[2]));
            }
            "estimate" => answer.estimates.push((
                words[1].clone(),
                number(&words[2]) as usize,
                number(&words[3]) as usize,
                number(&words[4]),
                number(&words[5]),
            )),
            _ => {}
        }
    }
    answer
}

/// Ends the benchmark where the figures are not the same.
fn check(part: &str, answer: &Answer, estimates: &[Vec<SurveyEstimate>]) {
    let mut largest = 0.0_f64;
    let mut compared = 0;
    for (of_part, indicator, domain, point, error) in &answer.estimates {
        if of_part != part {
            continue;
        }
        let ours = &estimates[*indicator][*domain];
        for (ours, theirs) in [(ours.point, point), (ours.standard_error, error)] {
            let ours = ours.expect("every domain has an estimate");
            largest = largest.max((ours - theirs).abs() / theirs.abs());
            compared += 1;
        }
    }
    let expected: usize = estimates.iter().map(Vec::len).sum();
    assert_eq!(compared, 2 * expected, "{part}: every figure must be compared");
    assert!(largest <= AGREEMENT, "{part}: figures differ by {largest:e}");
    println!(
        "{:<45} {compared} figures, largest relative difference {largest:.1e}",
        ""
    );
}
