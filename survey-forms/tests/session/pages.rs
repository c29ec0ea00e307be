//! Moving through a form.

use survey_forms::answers::{AnswerMap, AnswerPath, InstanceId, Value};
use survey_forms::model::{Form, FormNode, NodeKind};
use survey_forms::session::{AnswerProblemKind, Page, Progress, Session};

use super::{form, row, session};

fn household() -> Form {
    let mut adult = row("adult", NodeKind::Integer);
    adult.relevant = Some("${name} != ''".into());
    let mut address = row("address", NodeKind::Group);
    address.appearance = Some("field-list".into());
    let mut head = FormNode::new("head", NodeKind::SelectOne { list: "colour".into() }, Some(2));
    head.appearance = Some("label".into());
    head.required = Some("true()".into());
    let mut street = FormNode::new("street", NodeKind::Text, Some(2));
    street.required = Some("true()".into());
    let inner = FormNode::new("inner", NodeKind::Group, Some(2));
    let door = FormNode::new("door", NodeKind::Text, Some(5));
    let members = row("members", NodeKind::Repeat);
    let age = FormNode::new("age", NodeKind::Integer, Some(7));
    let note = FormNode::new("note", NodeKind::Note, Some(7));
    form(vec![
        row("name", NodeKind::Text),
        adult,
        address,
        head,
        street,
        inner,
        door,
        members,
        age,
        note,
    ])
}

fn shown(page: &Page<'_>) -> Vec<String> {
    page.questions.iter().map(|asked| asked.path.to_string()).collect()
}

fn walk(session: &Session<'_, AnswerMap>) -> Vec<Vec<String>> {
    let mut seen = Vec::new();
    let mut page = session.next_page(None);
    while let Some(now) = page {
        seen.push(shown(&now));
        page = session.next_page(now.first());
    }
    seen
}

#[test]
fn each_question_has_its_page_and_a_field_list_one_together() {
    let form = household();
    let mut session = session(&form);
    for id in ["m1", "m2"] {
        session.add_instance("members", None, &InstanceId::new(id)).unwrap();
    }
    let together = vec!["head", "street", "door"];
    let expected = [
        vec!["name"],
        together.clone(),
        vec!["m1/age"],
        vec!["m1/note"],
        vec!["m2/age"],
        vec!["m2/note"],
    ];
    assert_eq!(walk(&session), expected);
    session.answer(&AnswerPath::top("name"), Value::from("Lan")).unwrap();
    assert_eq!(walk(&session)[1], ["adult"]);
    let last = session.previous_page(None).unwrap();
    assert_eq!(shown(&last), ["m2/note"]);
    assert_eq!(shown(&session.previous_page(last.first()).unwrap()), ["m2/age"]);
    assert_eq!(session.previous_page(Some(&AnswerPath::top("name"))), None);
    // Where the question at hand went out of sight, the way goes on from its place.
    let adult = AnswerPath::top("adult");
    session.clear(&AnswerPath::top("name")).unwrap();
    assert_eq!(shown(&session.next_page(Some(&adult)).unwrap()), together);
    assert_eq!(shown(&session.previous_page(Some(&adult)).unwrap()), ["name"]);
}

#[test]
fn a_page_is_checked_by_itself_and_headings_ask_nothing() {
    let form = household();
    let mut session = session(&form);
    let page = session.next_page(Some(&AnswerPath::top("name"))).unwrap();
    assert_eq!(page.questions.iter().filter(|asked| asked.takes_answer()).count(), 2);
    let problems = session.validate_questions(&page.questions);
    let [problem] = problems.as_slice() else {
        panic!("{problems:?}")
    };
    assert_eq!(
        (problem.path.to_string().as_str(), problem.kind),
        ("street", AnswerProblemKind::Missing)
    );
    let progress = |group, answered, asked| Progress { group, answered, asked };
    assert_eq!(session.progress(), [progress(None, 0, 1), progress(Some(2), 0, 2)]);
    session
        .answer(&AnswerPath::top("street"), Value::from("Lê Lợi"))
        .unwrap();
    session.add_instance("members", None, &InstanceId::new("m1")).unwrap();
    assert_eq!(
        session.progress(),
        [progress(None, 0, 1), progress(Some(2), 1, 2), progress(Some(7), 0, 1)]
    );
}
