//! Values of the types beyond text, number, date and select.

use survey_forms::answers::{AnswerPath, Value};
use survey_forms::model::{FormNode, NodeKind};
use survey_forms::session::Refusal;

use super::{form, refusal, row, session};

fn range(name: &str, [start, end, step]: [&str; 3]) -> FormNode {
    let mut node = row(name, NodeKind::Range);
    node.parameters = [("start", start), ("end", end), ("step", step)]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into();
    node
}

#[test]
fn every_type_accepts_its_values_and_refuses_others() {
    let form = form(vec![
        range("tenths", ["0", "1", "0.1"]),
        range("down", ["10", "1", "-3"]),
        row("time", NodeKind::Time),
        row("moment", NodeKind::DateTime),
        row("line", NodeKind::Geotrace),
        row("area", NodeKind::Geoshape),
        row("picture", NodeKind::Image),
        row("code", NodeKind::Barcode),
        row("order", NodeKind::Rank { list: "colour".into() }),
        row(
            "list",
            NodeKind::SelectOne {
                list: "villages.csv".into(),
            },
        ),
    ]);
    let mut session = session(&form);
    let good = [
        ("tenths", Value::Decimal(0.3)),
        ("tenths", Value::Integer(1)),
        ("down", Value::Integer(4)),
        ("time", Value::from("08:30:00.000+07:00")),
        ("moment", Value::from("2025-10-15T08:30:00.000+07:00")),
        ("line", Value::from("10.3 106.3 0 0; 10.4 106.4 0 0")),
        ("area", Value::from("10 106 0 0;10 107 0 0;11 107 0 0;10 106 1 1")),
        ("picture", Value::from("1700000000.jpg")),
        ("code", Value::from("893 4567")),
        ("order", Value::from("blue red orange")),
        ("list", Value::from("any")),
    ];
    for (name, value) in good {
        session
            .answer(&AnswerPath::top(name), value.clone())
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(session.value(&AnswerPath::top(name)), Some(value));
    }
    let wrong = [
        ("tenths", Value::Decimal(0.35)),
        ("tenths", Value::Decimal(1.1)),
        ("tenths", Value::from("0.3")),
        ("down", Value::Integer(3)),
        ("down", Value::Integer(13)),
        ("time", Value::from("25:00:00")),
        ("moment", Value::from("2025-10-15")),
        ("line", Value::from("10.3 106.3")),
        ("line", Value::from("10.3 106.3; x")),
        ("area", Value::from("10 106;10 107;11 107;12 106")),
        ("picture", Value::from("../secret.jpg")),
        ("order", Value::from("blue red")),
        ("order", Value::from("blue red red")),
    ];
    for (name, value) in wrong {
        let refused = refusal(session.answer(&AnswerPath::top(name), value.clone()));
        assert!(
            matches!(refused, Refusal::WrongType { .. }),
            "{name} {value}: {refused:?}"
        );
        assert!(refused.vietnamese().starts_with("cần "));
    }
    let unknown = refusal(session.answer(&AnswerPath::top("order"), Value::from("blue red green")));
    assert_eq!(unknown, Refusal::UnknownChoice("green".into()));
}
