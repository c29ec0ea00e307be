//! The registry's expressions on households worked out by hand, and the values that open conflicts leave possible.

use std::collections::{BTreeMap, BTreeSet};

use survey_forms::answers::{AnswerMap, AnswerPath, AnswersMut, InstanceId, Value};
use survey_forms::model::Form;
use survey_forms::projection::{IndicatorExpressions, OpenConflict, Projection, Projector, Ratio};

use crate::{CONSENTED, add_member, fill, household, open, repository};

/// The registry's expressions for the household survey, by code.
fn registry(form: &Form) -> (Vec<String>, Vec<IndicatorExpressions>) {
    let mut reader = csv::Reader::from_path(repository().join("server/reference/indicators.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let (mut codes, mut indicators) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.unwrap();
        let column = |name: &str| {
            record
                .get(headers.iter().position(|header| header == name).unwrap())
                .unwrap()
        };
        if column("numerator").is_empty() {
            continue;
        }
        let parameters: BTreeMap<String, f64> = column("parameters")
            .split(';')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
            .collect();
        codes.push(column("code").to_owned());
        let compiled = IndicatorExpressions::compile(form, column("numerator"), column("denominator"), &parameters);
        indicators.push(compiled.unwrap_or_else(|error| panic!("{}: {error}", column("code"))));
    }
    (codes, indicators)
}

fn project(form: &Form, answers: &AnswerMap, conflicts: &[OpenConflict]) -> (BTreeMap<String, usize>, Projection) {
    let (codes, indicators) = registry(form);
    let respondent = &form.settings().other["respondent_expression"];
    let projector = Projector::new(form.clone().into(), indicators, respondent).unwrap();
    let places = codes.into_iter().zip(0..).collect();
    (places, projector.project(answers, conflicts))
}

/// `(y, x)` by indicator.
fn ratios(form: &Form, answers: &AnswerMap) -> BTreeMap<String, (f64, f64)> {
    let (places, projection) = project(form, answers, &[]);
    let value = |place: usize| projection.indicators[place].value;
    places
        .into_iter()
        .map(|(code, place)| (code, (value(place).y, value(place).x)))
        .collect()
}

/// Five people: a couple, a grandmother, a teenager, and a son who lives elsewhere.
fn family(form: &Form) -> AnswerMap {
    let mut session = open(form);
    fill(&mut session, None, &CONSENTED);
    fill(
        &mut session,
        None,
        &[
            ("fibre_available", "yes"),
            ("fibre_subscribed", "no"),
            ("connection_other", "mobile_data"),
        ],
    );
    add_member(
        &mut session,
        "hoa",
        &[
            ("member_name", "Hoa"),
            ("relation", "head"),
            ("sex", "female"),
            ("birth_year", "1970"),
            ("lives_here", "yes"),
            ("health_record", "seen"),
            ("smartphone", "own"),
            ("online", "yes"),
            ("account", "bank|e_wallet"),
            ("protection", "screen_lock|updates"),
            ("skills_training", "team"),
            ("skills_year", "2024"),
            ("signature", "vneid"),
            ("public_service", "with_help"),
            ("telehealth", "no"),
        ],
    );
    add_member(
        &mut session,
        "binh",
        &[
            ("member_name", "Bình"),
            ("relation", "spouse"),
            ("sex", "male"),
            ("birth_year", "1965"),
            ("lives_here", "yes"),
            ("health_record", "dont_know"),
            ("smartphone", "shared"),
            ("online", "yes"),
            ("account", "refused"),
            ("protection", "screen_lock"),
            ("skills_training", "none"),
            ("signature", "dont_know"),
            ("public_service", "no"),
            ("telehealth", "refused"),
        ],
    );
    add_member(
        &mut session,
        "ba",
        &[
            ("member_name", "Bà Tư"),
            ("relation", "parent"),
            ("sex", "female"),
            ("age", "82"),
            ("lives_here", "yes"),
            ("health_record", "told"),
            ("smartphone", "none"),
            ("online", "no"),
            ("account", "none"),
            ("signature", "none"),
            ("public_service", "no"),
            ("telehealth", "yes"),
        ],
    );
    add_member(
        &mut session,
        "an",
        &[
            ("member_name", "An"),
            ("relation", "child"),
            ("sex", "male"),
            ("birth_year", "2009"),
            ("lives_here", "yes"),
            ("health_record", "no"),
            ("smartphone", "own"),
            ("online", "yes"),
            ("account", "mobile_money"),
            ("protection", "none"),
            ("skills_training", "school"),
            ("skills_year", "2023"),
        ],
    );
    add_member(
        &mut session,
        "nam",
        &[
            ("member_name", "Nam"),
            ("relation", "child"),
            ("sex", "male"),
            ("birth_year", "1995"),
            ("lives_here", "no"),
        ],
    );
    assert_eq!(session.validate(), []);
    session.into_store()
}

#[test]
fn the_indicators_of_a_family_are_as_worked_out_by_hand() {
    let form = household();
    let expected = [
        // Adults who live here and answered: Hoa (55, own), Bình (60, shared), Bà Tư (82, none). One owns.
        ("XHS-01", (1.0, 3.0)),
        // 15 and over: Hoa has accounts, Bình refused (leaves both), Bà Tư none, An (16) Mobile Money.
        ("XHS-02", (2.0, 3.0)),
        // Adults: Hoa signs with VNeID, Bình does not know (leaves both), Bà Tư none.
        ("XHS-03", (1.0, 2.0)),
        // Working age (men 15–61, women 15–56): Hoa 55 trained, Bình 60 not, An 16 trained. Bà Tư is not asked.
        ("XHS-04", (2.0, 3.0)),
        ("XHS-05", (1.0, 1.0)),
        // Online and 15 and over: Hoa has two measures, Bình one, An none. The basic level is two.
        ("XHS-06", (1.0, 3.0)),
        // Adults: Hoa with help, Bình and Bà Tư not.
        ("XHS-07", (1.0, 3.0)),
        // Adults: Hoa no, Bình refused (leaves both), Bà Tư yes.
        ("XHS-08", (1.0, 2.0)),
        // Everybody who lives here: Hoa seen, Bình does not know (leaves both), Bà Tư told, An no.
        ("XHS-09", (2.0, 3.0)),
    ];
    let expected: BTreeMap<String, (f64, f64)> = expected
        .into_iter()
        .map(|(code, pair)| (code.to_owned(), pair))
        .collect();
    assert_eq!(ratios(&form, &family(&form)), expected);
}

#[test]
fn unanswered_is_never_no() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    fill(&mut session, None, &[("fibre_available", "refused")]);
    let answers = [
        ("member_name", "A"),
        ("relation", "head"),
        ("sex", "male"),
        ("age", "40"),
        ("lives_here", "yes"),
    ];
    add_member(&mut session, "a", &answers);
    for (code, pair) in ratios(&form, &session.into_store()) {
        assert_eq!(pair, (0.0, 0.0), "{code}");
    }
}

#[test]
fn working_age_ends_differently_for_men_and_women() {
    let form = household();
    let trained = |sex: &str, age: &str| {
        let mut session = open(&form);
        fill(&mut session, None, &CONSENTED);
        let answers = [
            ("sex", sex),
            ("age", age),
            ("lives_here", "yes"),
            ("skills_training", "work"),
        ];
        add_member(&mut session, "a", &answers);
        ratios(&form, &session.into_store())["XHS-04"]
    };
    for (sex, age, counted) in [
        ("male", "15", 1.0),
        ("male", "61", 1.0),
        ("male", "62", 0.0),
        ("female", "56", 1.0),
        ("female", "57", 0.0),
    ] {
        assert_eq!(trained(sex, age), (counted, counted), "{sex} {age}");
    }
}

#[test]
fn nonrespondents_contribute_nothing() {
    let form = household();
    let mut answers = family(&form);
    let outcome = AnswerPath::top("visit_outcome");
    for (name, responded) in [
        ("completed", true),
        ("partly", true),
        ("refused", false),
        ("moved_away", false),
    ] {
        answers.put_answer(&outcome, &Value::from(name)).unwrap();
        let (_, projection) = project(&form, &answers, &[]);
        assert_eq!(projection.responded, responded, "{name}");
        assert_eq!(
            projection.indicators.iter().all(|found| found.value == Ratio::ZERO),
            !responded
        );
        assert!(
            projection
                .indicators
                .iter()
                .all(|found| found.possible.is_empty() && found.exact)
        );
    }
}

fn conflict(path: AnswerPath, values: &[Option<&str>]) -> OpenConflict {
    OpenConflict {
        path,
        values: values.iter().map(|value| value.map(Value::from)).collect(),
    }
}

fn pairs(ratios: &[Ratio]) -> Vec<(f64, f64)> {
    ratios.iter().map(|ratio| (ratio.y, ratio.x)).collect()
}

#[test]
fn a_conflict_touches_only_the_indicators_that_depend_on_its_question() {
    let form = household();
    let answers = family(&form);
    let binh = InstanceId::new("binh");
    let open = [conflict(
        AnswerPath::within(&binh, "smartphone"),
        &[Some("shared"), Some("own"), None],
    )];
    let (places, projection) = project(&form, &answers, &open);
    assert_eq!(projection.possible_responded, BTreeSet::from([true]));
    for (code, place) in places {
        let found = &projection.indicators[place];
        if code == "XHS-01" {
            // Bình unanswered: 1 of 2; shared: 1 of 3; own: 2 of 3.
            assert_eq!(pairs(&found.possible), [(1.0, 2.0), (1.0, 3.0), (2.0, 3.0)]);
            assert!(found.exact);
        } else {
            assert!(found.possible.is_empty(), "{code}");
        }
    }
}

#[test]
fn conflicts_reach_indicators_through_calculations_and_relevance() {
    let form = household();
    let answers = family(&form);
    let an = InstanceId::new("an");
    // As 2009 (16) An is counted among those of 15 and over; as 2012 (13) he is not even asked about accounts.
    let open = [OpenConflict {
        path: AnswerPath::within(&an, "birth_year"),
        values: vec![Some(Value::Integer(2009)), Some(Value::Integer(2012))],
    }];
    let (places, projection) = project(&form, &answers, &open);
    let possible = |code: &str| pairs(&projection.indicators[places[code]].possible);
    assert_eq!(possible("XHS-02"), [(1.0, 2.0), (2.0, 3.0)]);
    assert_eq!(possible("XHS-04"), [(1.0, 2.0), (2.0, 3.0)]);
    assert_eq!(possible("XHS-06"), [(1.0, 2.0), (1.0, 3.0)]);
    assert_eq!(possible("XHS-05"), []);
}

#[test]
fn a_conflict_about_the_outcome_makes_nonresponse_possible_everywhere() {
    let form = household();
    let answers = family(&form);
    let open = [
        conflict(AnswerPath::top("visit_outcome"), &[Some("completed"), Some("refused")]),
        conflict(AnswerPath::top("fibre_available"), &[Some("yes"), Some("no")]),
    ];
    let (places, projection) = project(&form, &answers, &open);
    assert_eq!(projection.possible_responded, BTreeSet::from([false, true]));
    assert_eq!(
        pairs(&projection.indicators[places["XHS-05"]].possible),
        [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
    );
    assert_eq!(
        pairs(&projection.indicators[places["XHS-01"]].possible),
        [(0.0, 0.0), (1.0, 3.0)]
    );
}

#[test]
fn conflicts_of_many_members_stay_exact_and_quick() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    let mut open = Vec::new();
    for number in 0..20 {
        let answers = [("age", "40"), ("lives_here", "yes"), ("smartphone", "own")];
        let member = add_member(&mut session, &format!("m{number}"), &answers);
        open.push(conflict(
            AnswerPath::within(&member, "smartphone"),
            &[Some("own"), Some("none")],
        ));
        open.push(conflict(
            AnswerPath::within(&member, "lives_here"),
            &[Some("yes"), Some("no")],
        ));
    }
    // 2^40 ways to settle; every member is (1, 1), (0, 1) or (0, 0), so all 0 ≤ y ≤ x ≤ 20 are reached: 231 pairs.
    let (places, projection) = project(&form, &session.into_store(), &open);
    let found = &projection.indicators[places["XHS-01"]];
    assert!(found.exact);
    assert_eq!(found.possible.len(), 231);
    assert!(
        found
            .possible
            .iter()
            .all(|ratio| 0.0 <= ratio.y && ratio.y <= ratio.x && ratio.x <= 20.0)
    );
}
