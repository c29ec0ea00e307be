//! Errors of weights, replicates and imputation say the same in English and in Vietnamese.

use indicators::linear_algebra::LinearAlgebraError;
use indicators::missing::MissingError;
use indicators::replicates::ReplicatesError;
use indicators::weights::{Constraint, WeightColumn, WeightsError};
use std::collections::BTreeSet;

/// The numbers from 10 on in a message: those given here, not limits such as 0 or 1 that a text may put in words.
fn numbers(message: &str) -> BTreeSet<String> {
    let parts = message.split(|letter: char| !(letter.is_ascii_digit() || letter == '.'));
    let parts = parts
        .map(|part| part.trim_matches('.'))
        .filter(|part| part.parse().is_ok_and(|value: f64| value >= 10.0));
    parts.map(str::to_owned).collect()
}

#[track_caller]
fn check(english: String, vietnamese: String, named: &[&str]) {
    assert_eq!(numbers(&english), numbers(&vietnamese), "{english}\n{vietnamese}");
    for name in named {
        assert!(numbers(&english).contains(*name), "{english} does not say {name}");
    }
    assert!(!vietnamese.is_ascii(), "{vietnamese}");
    assert!(english.is_ascii(), "{english}");
}

#[test]
fn errors_of_weights() {
    let category = Constraint::Category {
        margin: 31,
        category: 41,
    };
    let column = Constraint::Column {
        auxiliary: 51,
        category: 61,
    };
    let columns = [
        WeightColumn::Weights,
        WeightColumn::Probabilities { stage: 71 },
        WeightColumn::Dispositions,
        WeightColumn::Classes,
        WeightColumn::Margin { margin: 72 },
        WeightColumn::Auxiliary { auxiliary: 73 },
        WeightColumn::Variances,
        WeightColumn::Households,
    ];
    for column in columns {
        for (error, named) in [
            (
                WeightsError::Length {
                    column,
                    given: 11,
                    expected: 12,
                },
                ["11", "12"],
            ),
            (
                WeightsError::Value {
                    column,
                    row: 13,
                    value: 14.5,
                },
                ["13", "14.5"],
            ),
            (
                WeightsError::UnknownCode {
                    column,
                    row: 15,
                    code: 16,
                    count: 17,
                },
                ["15", "16"],
            ),
        ] {
            check(error.to_string(), error.vietnamese(), &named);
        }
    }
    for constraint in [category, column] {
        let place = if constraint == category {
            ["31", "41"]
        } else {
            ["51", "61"]
        };
        for error in [
            WeightsError::Total {
                constraint,
                value: 18.5,
            },
            WeightsError::EmptyCategory {
                constraint,
                total: 19.5,
            },
            WeightsError::Singular { constraint },
            WeightsError::OutOfReach {
                constraint,
                total: 20.5,
                smallest: 21.5,
                largest: 22.5,
            },
            WeightsError::NotConverged {
                iterations: 23,
                constraint,
                deviation: 24.5,
            },
        ] {
            check(error.to_string(), error.vietnamese(), &place);
        }
    }
    for error in [
        WeightsError::NoRows,
        WeightsError::TotalsLength {
            given: 25,
            expected: 26,
        },
        WeightsError::NoConstraints,
        WeightsError::TooManyColumns { columns: 41, most: 42 },
        WeightsError::ContradictoryMargins {
            margin: 27,
            total: 28.5,
            first_total: 29.5,
        },
        WeightsError::Bounds {
            lower: 30.5,
            upper: 31.5,
        },
        WeightsError::Settings {
            tolerance: 32.5,
            iterations: 33,
        },
        WeightsError::NoRespondents,
        WeightsError::CollapsingRule {
            minimum_respondents: 34,
            largest_factor: 35.5,
        },
        WeightsError::TrimmingBounds {
            lower: 36.5,
            upper: 37.5,
        },
        WeightsError::NothingLeftToTrim {
            lower: 38.5,
            upper: 39.5,
            total: 40.5,
        },
    ] {
        check(error.to_string(), error.vietnamese(), &[]);
    }
}

#[test]
fn errors_of_replicates() {
    for error in [
        ReplicatesError::NoRows,
        ReplicatesError::Length {
            given: 11,
            expected: 12,
        },
        ReplicatesError::Weight { row: 13, value: 14.5 },
        ReplicatesError::ReplicateWeight {
            row: 15,
            replicate: 16,
            value: 17.5,
        },
        ReplicatesError::ClusterInTwoStrata {
            row: 18,
            cluster: 19,
            stratum: 20,
        },
        ReplicatesError::PopulationSize {
            row: 21,
            stratum: 22,
            value: 23.5,
            sampled: 24,
        },
        ReplicatesError::LonelyPsu { stratum: 25 },
        ReplicatesError::NotPaired {
            stratum: 26,
            psus: 27,
            pairing: true,
        },
        ReplicatesError::NotPaired {
            stratum: 28,
            psus: 29,
            pairing: false,
        },
        ReplicatesError::NothingSampled,
        ReplicatesError::Fay { rho: 30.5 },
        ReplicatesError::ReplicateCount {
            replicates: 31,
            most: 32,
        },
        ReplicatesError::Draws {
            stratum: 33,
            draws: 34,
            most: 35,
        },
        ReplicatesError::Scale {
            replicate: 36,
            value: 37.5,
        },
        ReplicatesError::NotFinite {
            replicate: Some(38),
            statistic: 39,
            value: 40.5,
        },
        ReplicatesError::NotFinite {
            replicate: None,
            statistic: 41,
            value: 42.5,
        },
        ReplicatesError::TooManyStatistics {
            statistics: 46,
            replicates: 47,
            most: 48,
        },
        ReplicatesError::StatisticCount {
            replicate: 43,
            given: 44,
            expected: 45,
        },
    ] {
        check(error.to_string(), error.vietnamese(), &[]);
    }
}

#[test]
fn errors_of_gaps_and_matrices() {
    for error in [
        MissingError::NoRows,
        MissingError::Length {
            column: 11,
            given: 12,
            expected: 13,
        },
        MissingError::Weight { row: 14, value: 15.5 },
        MissingError::Value {
            row: 16,
            column: 17,
            value: 18.5,
        },
        MissingError::NoDonor { row: 19, class: 20 },
        MissingError::NotObserved { row: 21 },
        MissingError::Imputations {
            imputation: 22,
            fewest: 23,
            most: 24,
        },
        MissingError::Estimate {
            imputation: 25,
            value: 26.5,
        },
        MissingError::DegreesOfFreedom { value: 27.5 },
    ] {
        check(error.to_string(), error.vietnamese(), &[]);
    }
    for error in [
        LinearAlgebraError::Length {
            given: 11,
            expected: 12,
        },
        LinearAlgebraError::NotSquare { rows: 13, columns: 14 },
        LinearAlgebraError::NotFinite { row: 15, column: 16 },
        LinearAlgebraError::Singular { column: 17 },
    ] {
        check(error.to_string(), error.vietnamese(), &[]);
    }
}
