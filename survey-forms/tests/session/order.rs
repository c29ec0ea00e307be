//! The order in which choices are offered.

use survey_forms::answers::{AnswerMap, AnswerPath, Value};
use survey_forms::model::{Form, FormNode, NodeKind};
use survey_forms::session::Session;
use survey_forms::xpath::{EvaluationContext, RandomSeed};

use super::{choice, context, definition, row};

/// A question with the choices a to h in a random order.
fn letters(seed: Option<&str>) -> Form {
    let mut letter = row("letter", NodeKind::SelectOne { list: "letters".into() });
    letter.parameters.insert("randomize".to_owned(), "true".to_owned());
    if let Some(seed) = seed {
        letter.parameters.insert("seed".to_owned(), seed.to_owned());
    }
    let mut definition = definition(vec![row("number", NodeKind::Integer), letter, other_letters()]);
    let list = "abcdefgh".chars().map(|letter| choice(&letter.to_string(), ""));
    definition.choices.insert("letters".to_owned(), list.collect());
    Form::compile(definition).unwrap_or_else(|problems| panic!("{problems}"))
}

fn other_letters() -> FormNode {
    let mut other = row("other", NodeKind::SelectOne { list: "letters".into() });
    other.parameters.insert("randomize".to_owned(), "true".to_owned());
    other
}

fn offered(session: &Session<'_, AnswerMap>, question: &str) -> String {
    let choices = session.choices(&AnswerPath::top(question));
    choices.iter().map(|choice| choice.name.as_str()).collect()
}

fn chance(seed: u8) -> EvaluationContext {
    context().with_random_seed(RandomSeed([seed; 16]))
}

#[test]
fn a_seed_gives_the_order_of_odk() {
    let form = letters(Some("2026"));
    assert_eq!(offered(&super::session(&form), "letter"), "deghabcf");
    let form = letters(Some("${number}"));
    let mut session = super::session(&form);
    assert_eq!(offered(&session, "letter"), "cbhafdge", "no answer counts as 0");
    session.answer(&AnswerPath::top("number"), Value::Integer(-7)).unwrap();
    assert_eq!(offered(&session, "letter"), "afcehdbg");
}

#[test]
fn without_a_seed_the_order_is_the_sessions_own_and_stays() {
    let form = letters(None);
    let mut session = Session::new(&form, AnswerMap::default(), chance(1));
    let first = offered(&session, "letter");
    session.answer(&AnswerPath::top("letter"), Value::from("a")).unwrap();
    assert_eq!(offered(&session, "letter"), first, "it stays while somebody chooses");
    assert_ne!(offered(&session, "other"), first, "each question has its own");
    let mut sorted: Vec<char> = first.chars().collect();
    sorted.sort_unstable();
    assert_eq!(sorted.into_iter().collect::<String>(), "abcdefgh", "none is lost");

    let orders = (0..20).map(|seed| offered(&Session::new(&form, AnswerMap::default(), chance(seed)), "letter"));
    let different: std::collections::BTreeSet<String> = orders.collect();
    assert!(different.len() > 15, "{different:?}");

    let unseeded = super::session(&form);
    assert_eq!(offered(&unseeded, "letter"), "abcdefgh", "no chance was passed in");
}
