//! The household questionnaire `forms/household.xlsx`: its skip logic, its checks, and the indicators computed from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use survey_forms::answers::{AnswerMap, AnswerPath, AnswersMut, InstanceId, Value};
use survey_forms::model::{Form, NodeKind};
use survey_forms::projection::{IndicatorExpressions, OpenConflict, Projection, Projector, Ratio};
use survey_forms::session::{AnswerError, AnswerProblemKind, Refusal, Session, Severity};
use survey_forms::xlsform;
use survey_forms::xpath::{EvaluationContext, Moment};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn household() -> Form {
    let bytes = std::fs::read(repository().join("forms/household.xlsx")).unwrap();
    xlsform::read(&bytes).unwrap_or_else(|problems| panic!("{problems}"))
}

fn context() -> EvaluationContext {
    EvaluationContext::new(Moment::parse("2025-10-15T08:30:00+07:00", 420).unwrap(), "vi")
}

fn open(form: &Form) -> Session<'_, AnswerMap> {
    Session::new(form, AnswerMap::default(), context())
}

/// Text for a question with one answer, `a|b` for the ticked choices of a select_multiple, a number where it is one.
fn value(form: &Form, question: &str, written: &str) -> Value {
    match form.node(question).unwrap().kind {
        NodeKind::SelectMultiple { .. } => Value::Choices(written.split('|').map(str::to_owned).collect()),
        NodeKind::Integer => Value::Integer(written.parse().unwrap()),
        _ => Value::from(written),
    }
}

/// Answers in the order written; every one must be accepted.
fn fill(session: &mut Session<'_, AnswerMap>, instance: Option<&InstanceId>, answers: &[(&str, &str)]) {
    for (question, written) in answers {
        let path = AnswerPath {
            instance: instance.cloned(),
            question: (*question).to_owned(),
        };
        let value = value(session.form(), question, written);
        session
            .answer(&path, value)
            .unwrap_or_else(|error| panic!("{question} = {written}: {error}"));
    }
}

fn add_member(session: &mut Session<'_, AnswerMap>, id: &str, answers: &[(&str, &str)]) -> InstanceId {
    let id = InstanceId::new(id);
    session.add_instance("members", &id).unwrap();
    fill(session, Some(&id), answers);
    id
}

fn asked(session: &Session<'_, AnswerMap>, instance: Option<&InstanceId>) -> Vec<String> {
    let questions = session.questions().into_iter();
    questions
        .filter(|asked| asked.path.instance.as_ref() == instance)
        .map(|asked| asked.path.question)
        .collect()
}

fn refusal(result: Result<(), AnswerError<std::convert::Infallible>>) -> Refusal {
    match result {
        Err(AnswerError::Refused { refusal, .. }) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

const CONSENTED: [(&str, &str); 4] = [
    ("consent", "yes"),
    ("respondent_name", "Nguyễn Thị Hoa"),
    ("respondent_relation", "head"),
    ("visit_outcome", "completed"),
];

#[test]
fn nothing_is_asked_of_a_household_before_it_agrees() {
    let form = household();
    let mut session = open(&form);
    session.begin().unwrap();
    assert_eq!(asked(&session, None), ["consent", "visit_outcome", "flags", "remarks"]);
    // No answer is given in advance: consent must be an act.
    assert_eq!(session.value(&AnswerPath::top("consent")), None);
    fill(&mut session, None, &CONSENTED);
    let now = asked(&session, None);
    for question in ["respondent_name", "fibre_available", "phone", "location", "needs"] {
        assert!(now.contains(&question.to_owned()), "{question} should be asked now");
    }
}

#[test]
fn refusal_of_consent_ends_the_interview_with_the_outcome_refused() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &[("consent", "no")]);
    let outcome = AnswerPath::top("visit_outcome");
    let broken = refusal(session.answer(&outcome, Value::from("completed")));
    assert!(
        matches!(&broken, Refusal::Constraint(message) if message.contains("Từ chối")),
        "{broken:?}"
    );
    session.set_language("en");
    let broken = refusal(session.answer(&outcome, Value::from("partly")));
    assert!(
        matches!(&broken, Refusal::Constraint(message) if message.contains("Refused")),
        "{broken:?}"
    );
    fill(&mut session, None, &[("visit_outcome", "refused")]);
    assert_eq!(asked(&session, None), ["consent", "visit_outcome", "flags", "remarks"]);
    assert_eq!(session.validate(), []);
    let unasked = refusal(session.answer(&AnswerPath::top("fibre_available"), Value::from("yes")));
    assert_eq!(unasked, Refusal::NotRelevant);
}

#[test]
fn nobody_at_home_needs_no_consent_but_an_interview_does() {
    let form = household();
    let mut session = open(&form);
    assert!(!session.is_required(&AnswerPath::top("consent")));
    fill(&mut session, None, &[("visit_outcome", "nobody_home")]);
    assert_eq!(session.validate(), []);
    let without_consent = session.answer(&AnswerPath::top("visit_outcome"), Value::from("completed"));
    assert!(matches!(refusal(without_consent), Refusal::Constraint(_)));
}

#[test]
fn fibre_questions_follow_one_another() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    let is_asked = |session: &Session<'_, AnswerMap>, question: &str| session.is_relevant(&AnswerPath::top(question));
    assert!(!is_asked(&session, "fibre_subscribed") && is_asked(&session, "connection_other"));
    fill(
        &mut session,
        None,
        &[("fibre_available", "yes"), ("fibre_subscribed", "yes")],
    );
    assert!(is_asked(&session, "fibre_provider") && !is_asked(&session, "connection_other"));
    fill(
        &mut session,
        None,
        &[("fibre_provider", "viettel"), ("fibre_available", "no")],
    );
    // The subscription's answer is kept but no longer counts, so the provider is not asked either.
    assert!(!is_asked(&session, "fibre_subscribed") && !is_asked(&session, "fibre_provider"));
    assert!(is_asked(&session, "connection_other"));
    assert_eq!(session.value(&AnswerPath::top("fibre_provider")), None);
}

#[test]
fn each_member_is_asked_what_the_age_allows() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    let expect = |session: &mut Session<'_, AnswerMap>, id: &str, age: &str, more: &[&str]| {
        let mut answers = vec![("member_name", id), ("relation", "other_relative"), ("sex", "male")];
        answers.extend([("age", age), ("lives_here", "yes")]);
        let member = add_member(session, id, &answers);
        let mut expected = vec![
            "member_name",
            "relation",
            "sex",
            "birth_year",
            "age",
            "lives_here",
            "health_record",
        ];
        expected.extend(more);
        assert_eq!(asked(session, Some(&member)), expected, "aged {age}");
    };
    expect(&mut session, "a", "5", &[]);
    expect(&mut session, "b", "6", &["smartphone", "online"]);
    expect(
        &mut session,
        "c",
        "15",
        &["smartphone", "online", "account", "skills_training"],
    );
    let adult = ["signature", "public_service", "telehealth"];
    let with = |first: &[&'static str]| [first, &adult].concat();
    expect(
        &mut session,
        "d",
        "18",
        &with(&["smartphone", "online", "account", "skills_training"]),
    );
    expect(
        &mut session,
        "e",
        "62",
        &with(&["smartphone", "online", "account", "skills_training"]),
    );
    expect(&mut session, "f", "63", &with(&["smartphone", "online", "account"]));
}

#[test]
fn protection_is_asked_of_those_online_and_the_year_of_those_trained() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    let answers = [
        ("member_name", "Hoa"),
        ("relation", "head"),
        ("sex", "female"),
        ("birth_year", "1980"),
        ("lives_here", "yes"),
    ];
    let hoa = add_member(&mut session, "hoa", &answers);
    let at = |question: &str| AnswerPath::within(&hoa, question);
    assert!(!session.is_relevant(&at("protection")));
    fill(&mut session, Some(&hoa), &[("online", "yes")]);
    assert!(session.is_relevant(&at("protection")));
    fill(&mut session, Some(&hoa), &[("skills_training", "none")]);
    assert!(!session.is_relevant(&at("skills_year")));
    fill(&mut session, Some(&hoa), &[("skills_training", "team|online_course")]);
    assert!(session.is_relevant(&at("skills_year")));
    assert!(matches!(
        refusal(session.answer(&at("skills_year"), Value::Integer(2026))),
        Refusal::Constraint(_)
    ));
    fill(&mut session, Some(&hoa), &[("skills_year", "2024")]);
    assert_eq!(session.value(&at("age_years")), Some(Value::from("45")));
}

#[test]
fn people_who_do_not_live_here_are_asked_nothing_more() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    let answers = [
        ("member_name", "Nam"),
        ("relation", "child"),
        ("sex", "male"),
        ("age", "30"),
        ("lives_here", "no"),
    ];
    let nam = add_member(&mut session, "nam", &answers);
    assert_eq!(
        asked(&session, Some(&nam)),
        ["member_name", "relation", "sex", "birth_year", "age", "lives_here"]
    );
}

#[test]
fn birth_year_and_age_must_agree_and_one_of_them_suffices() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    let an = add_member(&mut session, "an", &[("member_name", "An")]);
    let (birth_year, age) = (AnswerPath::within(&an, "birth_year"), AnswerPath::within(&an, "age"));
    assert!(session.is_required(&age));
    for wrong in [1899, 2026] {
        assert!(matches!(
            refusal(session.answer(&birth_year, Value::Integer(wrong))),
            Refusal::Constraint(_)
        ));
    }
    session.answer(&birth_year, Value::Integer(1990)).unwrap();
    assert!(!session.is_required(&age));
    // 2025 - 1990 = 35: the birthday may still lie ahead (34), and ages are also counted by the lunar year (36).
    for (right, accepted) in [(33, false), (34, true), (35, true), (36, true), (37, false)] {
        assert_eq!(session.answer(&age, Value::Integer(right)).is_ok(), accepted, "{right}");
    }
    assert!(matches!(
        refusal(session.answer(&birth_year, Value::Integer(1970))),
        Refusal::Constraint(_)
    ));
    assert!(matches!(
        refusal(session.answer(&age, Value::from("36"))),
        Refusal::WrongType { .. }
    ));
}

#[test]
fn none_excludes_every_other_choice() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    let answers = [
        ("member_name", "An"),
        ("relation", "head"),
        ("sex", "male"),
        ("age", "40"),
        ("lives_here", "yes"),
    ];
    let an = add_member(&mut session, "an", &answers);
    let account = AnswerPath::within(&an, "account");
    let choices = |names: &[&str]| Value::Choices(names.iter().map(|name| (*name).to_owned()).collect());
    for exclusive in ["none", "dont_know", "refused"] {
        let both = choices(&["mobile_money", exclusive]);
        assert!(
            matches!(refusal(session.answer(&account, both)), Refusal::Constraint(_)),
            "{exclusive}"
        );
        session.answer(&account, choices(&[exclusive])).unwrap();
    }
    session.answer(&account, choices(&["mobile_money", "bank"])).unwrap();
    let unknown = refusal(session.answer(&account, choices(&["gold"])));
    assert_eq!(unknown, Refusal::UnknownChoice("gold".to_owned()));
    assert_eq!(
        session.value(&account),
        Some(choices(&["mobile_money", "bank"])),
        "a refused answer changes nothing"
    );
}

#[test]
fn a_household_has_one_head_also_after_a_merge() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    add_member(&mut session, "a", &[("member_name", "A"), ("relation", "head")]);
    let b = add_member(&mut session, "b", &[("member_name", "B")]);
    let second = session.answer(&AnswerPath::within(&b, "relation"), Value::from("head"));
    assert!(matches!(refusal(second), Refusal::Constraint(message) if message.contains("chủ hộ")));
    // Two phones that each named a head cannot refuse one another; the merged form shows it.
    let mut store = session.into_store();
    store
        .put_answer(&AnswerPath::within(&b, "relation"), &Value::from("head"))
        .unwrap();
    let session = Session::new(&form, store, context());
    let problems = session.validate();
    let problem = problems
        .iter()
        .find(|problem| problem.path.question == "check_one_head")
        .unwrap();
    assert_eq!(
        (problem.severity, problem.kind),
        (Severity::Error, AnswerProblemKind::Missing)
    );
    assert_eq!(problem.message, "Mỗi hộ chỉ có một chủ hộ.");
}

#[test]
fn unusual_answers_are_asked_again_and_not_refused() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    add_member(
        &mut session,
        "head",
        &[("member_name", "A"), ("relation", "head"), ("birth_year", "1990")],
    );
    let spouse = [("member_name", "B"), ("relation", "spouse"), ("birth_year", "2012")];
    let spouse = add_member(&mut session, "spouse", &spouse);
    let child = add_member(
        &mut session,
        "child",
        &[("member_name", "C"), ("relation", "child"), ("birth_year", "1985")],
    );
    for number in 0..13 {
        add_member(
            &mut session,
            &format!("more{number}"),
            &[("member_name", "D"), ("relation", "other_relative")],
        );
    }
    let warnings = |session: &Session<'_, AnswerMap>| -> Vec<AnswerPath> {
        let problems = session.validate().into_iter();
        problems
            .filter(|problem| problem.severity == Severity::Warning)
            .map(|problem| problem.path)
            .collect()
    };
    let expected = [
        AnswerPath::within(&spouse, "check_spouse_age"),
        AnswerPath::within(&child, "check_child_age"),
        AnswerPath::top("check_household_size"),
    ];
    assert_eq!(warnings(&session), expected);
    for path in &expected {
        session.answer(path, Value::from("OK")).unwrap();
    }
    assert_eq!(warnings(&session), []);
}

#[test]
fn a_completed_interview_lists_at_least_one_member() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    let missing: BTreeSet<String> = session
        .validate()
        .into_iter()
        .map(|problem| problem.path.question)
        .collect();
    let expected = ["fibre_available", "connection_other", "check_members"].map(str::to_owned);
    assert_eq!(missing, BTreeSet::from(expected));
}

#[test]
fn every_question_says_what_it_is_for_and_speaks_both_languages() {
    let form = household();
    let codes: Vec<&str> = form.languages().iter().map(|language| language.code.as_str()).collect();
    assert_eq!(codes, ["vi", "en"]);
    for node in form.nodes().iter().filter(|node| node.is_asked()) {
        assert!(node.other.contains_key("indicator"), "{} serves no purpose", node.name);
        let sensitive = node.other.get("sensitive").map(String::as_str);
        assert!(matches!(sensitive, Some("yes" | "no")), "{}", node.name);
        assert!(node.default.is_none(), "{} is answered in advance", node.name);
        for texts in [
            &node.label,
            &node.hint,
            &node.constraint_message,
            &node.required_message,
        ] {
            assert!(
                texts.is_empty() || texts.0.len() == 2,
                "{} lacks a translation",
                node.name
            );
        }
        if node.constraint.is_some() {
            assert!(
                !node.constraint_message.is_empty(),
                "{} does not say what would be right",
                node.name
            );
        }
        for choice in form.choices(node) {
            assert_eq!(choice.label.0.len(), 2, "{}: {}", node.name, choice.name);
        }
    }
    for name in ["location", "health_record", "account", "telehealth"] {
        assert_eq!(form.node(name).unwrap().other["sensitive"], "yes");
    }
}

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
    let projector = Projector::new(form, indicators, respondent).unwrap();
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
