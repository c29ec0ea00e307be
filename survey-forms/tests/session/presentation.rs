//! What people see: the rows of each level, and texts that mention answers.

use survey_forms::answers::{AnswerMap, AnswerPath, InstanceId, Value};
use survey_forms::model::{Form, FormNode, NodeKind, Translations};
use survey_forms::session::{Row, Session};

use super::{form, row, session};

/// `name`, then a roster of members who are asked for their children, then one of boats that only owners have.
fn household() -> Form {
    let members = row("members", NodeKind::Repeat);
    let mut member = FormNode::new("member", NodeKind::Text, Some(1));
    member.label = Translations::plain("Tên của người sống với ${name}?");
    let children = FormNode::new("children", NodeKind::Repeat, Some(1));
    let mut child = FormNode::new("child", NodeKind::Text, Some(3));
    child.label = Translations::plain("Con của ${member}; giá ${ 5 }");
    let mut boats = row("boats", NodeKind::Repeat);
    boats.relevant = Some("${name} = 'Ba'".into());
    let boat = FormNode::new("boat", NodeKind::Text, Some(5));
    form(vec![
        row("name", NodeKind::Text),
        members,
        member,
        children,
        child,
        boats,
        boat,
    ])
}

fn shown(session: &Session<'_, AnswerMap>, level: Option<&InstanceId>) -> Vec<String> {
    let rows = session.rows(level).into_iter();
    rows.map(|row| match row {
        Row::Question(asked) => asked.path.to_string(),
        Row::Roster { repeat, parent } => {
            let parent = parent.map_or_else(String::new, |parent| format!("{parent}/"));
            format!("{parent}{}*", session.form().key(repeat))
        }
    })
    .collect()
}

#[test]
fn each_level_has_its_rows_and_a_roster_stands_for_its_instances() {
    let form = household();
    let mut session = session(&form);
    assert_eq!(shown(&session, None), ["name", "members*"]);
    let (one, inner) = (InstanceId::new("m1"), InstanceId::new("c1"));
    session.add_instance("members", None, &one).unwrap();
    session.add_instance("children", Some(&one), &inner).unwrap();
    assert_eq!(shown(&session, None), ["name", "members*"]);
    assert_eq!(shown(&session, Some(&one)), ["m1/member", "m1/children*"]);
    assert_eq!(shown(&session, Some(&inner)), ["c1/child"]);
    assert_eq!(session.shown_instances(3, Some(&one)), [inner]);
    assert!(shown(&session, Some(&InstanceId::new("nobody"))).is_empty());
}

#[test]
fn a_roster_is_offered_only_where_it_is_to_be_filled() {
    let form = household();
    let mut session = session(&form);
    session.answer(&AnswerPath::top("name"), "Ba".into()).unwrap();
    assert_eq!(shown(&session, None), ["name", "members*", "boats*"]);
    let boat = InstanceId::new("b1");
    session.add_instance("boats", None, &boat).unwrap();
    assert_eq!(shown(&session, Some(&boat)), ["b1/boat"]);
    session.answer(&AnswerPath::top("name"), "Tư".into()).unwrap();
    assert_eq!(shown(&session, None), ["name", "members*"]);
    assert!(session.shown_instances(5, None).is_empty());
    assert!(shown(&session, Some(&boat)).is_empty());
}

#[test]
fn texts_show_the_answers_that_they_mention_and_keep_what_only_looks_so() {
    let form = household();
    let mut session = session(&form);
    let (one, inner) = (InstanceId::new("m1"), InstanceId::new("c1"));
    session.answer(&AnswerPath::top("name"), "Ba".into()).unwrap();
    session.add_instance("members", None, &one).unwrap();
    session
        .answer(&AnswerPath::within(&one, "member"), Value::from("Hoa"))
        .unwrap();
    session.add_instance("children", Some(&one), &inner).unwrap();
    let text = |instance, question| {
        let path = AnswerPath::within(instance, question);
        session.shown_text(&path, &form.node(question).unwrap().label)
    };
    assert_eq!(text(&one, "member"), "Tên của người sống với Ba?");
    // `${ 5 }` is no reference.
    assert_eq!(text(&inner, "child"), "Con của Hoa; giá ${ 5 }");
}
