//! Columns that cannot be used are refused by name, and what is undefined is not a number.

// What cannot be set up fails the test.
#![allow(clippy::unwrap_used, clippy::panic)]

mod small_designs;

use indicators::survey::{
    Column, DesignColumns, Domain, Joint, Labels, PairForm, Partition, Requirement, Selection, SingleUnits,
    StatisticError, SurveyDesign, SurveyError, Undefined, Values, VarianceEstimator, Within, combination,
    cross_tabulation, estimate, mean, quotient, ratio, total,
};
use small_designs::{read, settings, stage};

/// Rows and columns are named in both languages.
fn assert_told(error: &SurveyError, english: &str, vietnamese: &str) {
    assert!(error.to_string().contains(english), "{error}");
    assert!(error.vietnamese().contains(vietnamese), "{}", error.vietnamese());
}

#[test]
fn weights_are_numbers_of_elements() {
    for wrong in [f64::NAN, f64::INFINITY, -1.0, 1e16] {
        let error = read(&[1.0, wrong], vec![stage(None, None, Selection::WithReplacement)]).unwrap_err();
        assert!(matches!(
            &error,
            SurveyError::Number {
                row: 1,
                column: Column::Weight,
                must: Requirement::Weight,
                ..
            }
        ));
        assert_told(&error, "row 1: the column of weights", "dòng 1: cột trọng số");
    }
    assert_eq!(read(&[], vec![]).unwrap_err(), SurveyError::NoRows);
    assert_eq!(read(&[1.0], vec![]).unwrap_err(), SurveyError::NoStages);
}

#[test]
fn columns_have_one_entry_per_row() {
    let short: &[u32] = &[1];
    let error = read(&[1.0; 2], vec![stage(Some(short), None, Selection::WithReplacement)]).unwrap_err();
    assert_eq!(
        error,
        SurveyError::Length {
            column: Column::Cluster { stage: 1 },
            given: 1,
            expected: 2
        }
    );
    assert_told(&error, "clusters of stage 1", "cụm ở bước 1");
    let design = read(&[1.0; 2], vec![stage(None, None, Selection::WithReplacement)]).unwrap();
    let marks = [true];
    let values = Values::new("y", &[1.0, 2.0]);
    let columns = |result: Result<_, StatisticError>| match result {
        Err(StatisticError::Columns(error)) => error,
        other => panic!("{other:?}"),
    };
    let error = columns(total(&design, &values, &Domain::Rows(&marks)));
    assert!(matches!(
        error,
        SurveyError::Length {
            column: Column::Domain,
            ..
        }
    ));
    let error = columns(total(&design, &Values::new("tuổi", &[1.0]), &Domain::Everyone));
    assert_told(&error, "values of «tuổi» has 1 entries", "«tuổi» có 1 giá trị");
}

#[test]
fn a_cluster_has_one_stratum() {
    let (clusters, strata) = ([7, 8, 7, 9], [1, 1, 2, 2]);
    let stages = || vec![stage(Some(&clusters), Some(&strata), Selection::WithReplacement)];
    let error = read(&[1.0; 4], stages()).unwrap_err();
    assert_eq!(
        error,
        SurveyError::ClusterInTwoStrata {
            row: 2,
            stage: 1,
            cluster: 7,
            stratum: 2,
            other_stratum: 1,
            other_row: 0
        }
    );
    assert_told(&error, "row 2: cluster 7", "dòng 2: cụm 7");
    // Codes may start anew in each stratum, when that is said.
    let design = SurveyDesign::new(&DesignColumns {
        weights: &[1.0; 4],
        stages: stages(),
        labels: Labels::WithinStrata,
        single_units: SingleUnits::Fail,
    })
    .unwrap();
    assert_eq!((design.first_stage_units(), design.first_stage_strata()), (4, 2));
    // At the second stage, strata lie within the first-stage unit.
    let (households, kinds) = ([1, 1, 1, 1], [1, 2, 1, 1]);
    let error = read(
        &[1.0; 4],
        vec![
            stage(Some(&strata), None, Selection::WithReplacement),
            stage(Some(&households), Some(&kinds), Selection::WithReplacement),
        ],
    )
    .unwrap_err();
    assert!(matches!(
        error,
        SurveyError::ClusterInTwoStrata {
            row: 1,
            stage: 2,
            cluster: 1,
            ..
        }
    ));
}

#[test]
fn a_population_holds_its_sample() {
    let clusters = [1, 2, 3];
    let with = |population: &[f64]| {
        let selection = Selection::WithoutReplacement { population };
        read(&[1.0; 3], vec![stage(Some(&clusters), None, selection)])
    };
    let error = with(&[2.0; 3]).unwrap_err();
    assert!(matches!(
        &error,
        SurveyError::Number {
            row: 0,
            column: Column::PopulationSize { stage: 1 },
            must: Requirement::AtLeast(3),
            ..
        }
    ));
    assert_told(&error, "at least 3", "ít nhất 3");
    assert!(with(&[f64::NAN; 3]).is_err());
    let error = with(&[9.0, 8.0, 9.0]).unwrap_err();
    assert_eq!(
        error,
        SurveyError::Varies {
            row: 1,
            column: Column::PopulationSize { stage: 1 },
            value: 8.0,
            other_value: 9.0,
            other_row: 0,
            within: Within::Stratum
        }
    );
    assert_told(&error, "row 1", "dòng 1");
    assert!(with(&[f64::INFINITY; 3]).is_ok());
}

#[test]
fn probabilities_are_probabilities() {
    let with = |inclusion: &[f64], joint: Joint<'_>| {
        let selection = Selection::UnequalProbabilities { inclusion, joint };
        read(&[1.0; 2], vec![stage(None, None, selection)])
    };
    for wrong in [0.0, 1.1, f64::NAN] {
        let error = with(&[0.5, wrong], Joint::Brewer).unwrap_err();
        assert_told(
            &error,
            "row 1: the column of inclusion probabilities of stage 1",
            "xác suất chọn ở bước 1",
        );
    }
    fn exact(probabilities: &[f64]) -> Joint<'_> {
        Joint::Exact {
            probabilities,
            form: PairForm::HorvitzThompson,
        }
    }
    let sound = [0.5, 0.2, 0.2, 0.6];
    assert!(with(&[0.5, 0.6], exact(&sound)).is_ok());
    for wrong in [
        [0.5, 0.2, 0.3, 0.6],
        [0.5, 0.55, 0.55, 0.6],
        [0.4, 0.2, 0.2, 0.6],
        [0.5, 0.0, 0.0, 0.6],
    ] {
        let error = with(&[0.5, 0.6], exact(&wrong)).unwrap_err();
        assert!(
            matches!(
                error,
                SurveyError::Number {
                    column: Column::JointProbability,
                    ..
                }
            ),
            "{error}"
        );
    }
    assert!(matches!(
        with(&[0.5, 0.6], exact(&sound[..3])),
        Err(SurveyError::Length { expected: 4, .. })
    ));
    let later = Selection::UnequalProbabilities {
        inclusion: &[0.5, 0.6],
        joint: Joint::Overton(PairForm::HorvitzThompson),
    };
    let stages = vec![
        stage(Some(&[1, 1]), None, Selection::WithReplacement),
        stage(None, None, later),
    ];
    let error = read(&[1.0; 2], stages).unwrap_err();
    assert_eq!(error, SurveyError::JointProbabilitiesBelowFirstStage { stage: 2 });
}

#[test]
fn missing_values_matter_only_inside_the_domain() {
    let design = read(&[2.0; 3], vec![stage(None, None, Selection::WithReplacement)]).unwrap();
    let values = Values::new("hours", &[1.0, f64::NAN, 3.0]);
    let error = mean(&design, &values, &Domain::Everyone).unwrap_err();
    let StatisticError::Columns(error) = error else {
        panic!("{error}")
    };
    assert_told(
        &error,
        "row 1: the column of values of «hours»",
        "dòng 1: cột giá trị của «hours»",
    );
    let observed = values.observed();
    assert_eq!(mean(&design, &values, &Domain::Rows(&observed)).unwrap().point, 2.0);
}

#[test]
fn nothing_undefined_comes_out_as_a_number() {
    let design = read(&[2.0, 2.0, 0.0], vec![stage(None, None, Selection::WithReplacement)]).unwrap();
    let (ones, zeros) = (Values::new("ones", &[1.0; 3]), Values::new("zeros", &[0.0; 3]));
    let nobody = Domain::Rows(&[false; 3]);
    let weightless = Domain::Rows(&[false, false, true]);
    for domain in [nobody, weightless] {
        assert_eq!(mean(&design, &ones, &domain), Err(Undefined::EmptyDomain.into()));
        let estimator = VarianceEstimator::new(&design);
        let found = estimate(&estimator, Err(Undefined::EmptyDomain), &domain, &settings(true));
        assert_eq!((found.point, found.standard_error, found.interval), (None, None, None));
        assert_eq!(found.absences.interval, Some(Undefined::EmptyDomain));
        assert_eq!(found.degrees_of_freedom, 0);
    }
    let everyone = Domain::Everyone;
    assert_eq!(
        ratio(&design, &ones, &zeros, &everyone),
        Err(Undefined::ZeroDenominator.into())
    );
    let one = total(&design, &ones, &everyone).unwrap();
    let zero = total(&design, &zeros, &everyone).unwrap();
    assert_eq!(quotient(&one, &zero), Err(Undefined::ZeroDenominator.into()));
    assert!(matches!(
        combination(&[&one], &[1.0, 2.0]),
        Err(StatisticError::Columns(SurveyError::Coefficients {
            given: 2,
            expected: 1
        }))
    ));
    let huge = Values::new("huge", &[f64::MAX; 3]);
    assert_eq!(total(&design, &huge, &everyone), Err(Undefined::TooLarge.into()));
    let large = total(&design, &Values::new("large", &[1e200, -1e200, 0.0]), &everyone);
    assert!(large.is_err() || VarianceEstimator::new(&design).variance(&large.unwrap()) == Err(Undefined::TooLarge));
    let mut foreign = one.clone();
    foreign.influence.pop();
    assert_eq!(
        VarianceEstimator::new(&design).variance(&foreign),
        Err(Undefined::ForeignStatistic)
    );
    assert!(Undefined::TooLarge.vietnamese().contains("quá lớn"));
}

#[test]
fn small_tables_and_unknown_domains_are_told() {
    let design = read(&[1.0; 3], vec![stage(None, None, Selection::WithReplacement)]).unwrap();
    let estimator = VarianceEstimator::new(&design);
    let table = cross_tabulation(&estimator, &[1, 1, 1], &[1, 2, 2], &Domain::Everyone).unwrap();
    assert_eq!(table.totals, [1.0, 2.0]);
    assert_eq!(table.independence(), Err(Undefined::TableTooSmall));
    let error = Partition::new(&design, &[0, 5, Partition::NONE], 2).unwrap_err();
    assert_eq!(
        error,
        SurveyError::UnknownDomain {
            row: 1,
            code: 5,
            domains: 2
        }
    );
    assert_told(&error, "row 1", "dòng 1");
}
