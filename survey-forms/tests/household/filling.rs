//! What is asked of whom, what is refused, and what is asked again.

use std::collections::BTreeSet;

use survey_forms::answers::{AnswerMap, AnswerPath, AnswersMut, InstanceId, Value};
use survey_forms::session::{AnswerError, AnswerProblemKind, Refusal, Session, Severity};

use crate::{CONSENTED, add_member, context, fill, household, open};

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
    let parent = [("member_name", "P"), ("relation", "parent"), ("birth_year", "1976")];
    let parent = add_member(&mut session, "parent", &parent);
    for number in 0..12 {
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
        AnswerPath::within(&parent, "check_parent_age"),
        AnswerPath::top("check_household_size"),
    ];
    assert_eq!(warnings(&session), expected);
    for path in &expected {
        session.answer(path, Value::from("OK")).unwrap();
    }
    assert_eq!(warnings(&session), []);
}

#[test]
fn ages_are_asked_again_where_they_are_implausible_for_the_relation() {
    let form = household();
    let mut session = open(&form);
    fill(&mut session, None, &CONSENTED);
    add_member(
        &mut session,
        "head",
        &[("member_name", "A"), ("relation", "head"), ("birth_year", "1980")],
    );
    let cases = [
        ("spouse", "male", "2006", true),
        ("spouse", "female", "2006", false),
        ("spouse", "female", "2008", true),
        ("child", "male", "1994", true),
        ("child", "male", "1995", false),
        ("parent", "female", "1966", true),
        ("parent", "female", "1965", false),
        ("sibling", "male", "1981", false),
    ];
    for (number, (relation, sex, birth_year, expected)) in cases.into_iter().enumerate() {
        let answers = [
            ("member_name", "B"),
            ("relation", relation),
            ("sex", sex),
            ("birth_year", birth_year),
        ];
        let member = add_member(&mut session, &format!("m{number}"), &answers);
        let problems = session.validate().into_iter();
        let mut of_member = problems.filter(|problem| problem.path.instance.as_ref() == Some(&member));
        let warned = of_member.any(|problem| problem.severity == Severity::Warning);
        assert_eq!(warned, expected, "{relation}, {sex}, {birth_year}");
    }
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
