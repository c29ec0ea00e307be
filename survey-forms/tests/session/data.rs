//! Forms that look into lists, files and the form saved last.

use survey_forms::answers::{AnswerMap, AnswerPath, AnswersMut, InstanceId, Value};
use survey_forms::session::Session;
use survey_forms::xpath::{EvaluationContext, Moment};
use survey_forms::{FormData, read_form};

const FORM: &str = "
| survey |
| | type                                | name   | label | calculation                                              | choice_filter      | default                | parameters           |
| | text                                | hamlet | Ấp    |                                                          |                    | ${last-saved#hamlet}   |                      |
| | select_one kinds                    | kind   | Loại  |                                                          |                    |                        |                      |
| | calculate                           | fee    |       | instance('kinds')/root/item[name = ${kind}]/fee          |                    |                        |                      |
| | select_one_from_file communes.csv   | place  | Xã    |                                                          | district = ${kind} |                        | value=code label=vi  |
| | calculate                           | people |       | pulldata('communes', 'people', 'code', ${place})         |                    |                        |                      |

| choices |
| | list_name | name | label | fee |
| | kinds     | a    | A     | 12  |
| | kinds     | b    | B     | 30  |
";

const COMMUNES: &str = "code,vi,district,people\n1,Mỹ Phong,a,15000\n2,Tân Mỹ Chánh,b,9000\n3,Đạo Thạnh,a,20000\n";

fn context() -> EvaluationContext {
    EvaluationContext::new(Moment::parse("2026-11-25T08:30:00+07:00", 420).unwrap(), "vi")
}

fn text(session: &Session<'_, AnswerMap>, question: &str) -> Option<String> {
    session.value(&AnswerPath::top(question)).map(|value| value.to_string())
}

#[test]
fn expressions_look_into_lists_files_and_the_form_saved_last() {
    let form = read_form(FORM.as_bytes(), Some("places.md")).unwrap().form;
    let mut last = AnswerMap::default();
    last.put_answer(&AnswerPath::top("hamlet"), &Value::from("Ấp 3"))
        .unwrap();
    let data = FormData::new(&form, &[("communes.csv", COMMUNES)], Some(&last)).unwrap();
    let mut session = Session::new(&form, AnswerMap::default(), context()).with_data(data);
    session.begin().unwrap();
    assert_eq!(text(&session, "hamlet").as_deref(), Some("Ấp 3"));

    session.answer(&AnswerPath::top("kind"), Value::from("a")).unwrap();
    assert_eq!(text(&session, "fee").as_deref(), Some("12"));
    let place = AnswerPath::top("place");
    let offered: Vec<String> = session
        .choices(&place)
        .iter()
        .map(|choice| choice.name.clone())
        .collect();
    assert_eq!(offered, ["1", "3"]);
    assert_eq!(session.text(&session.choices(&place)[1].label.clone()), "Đạo Thạnh");

    session.answer(&place, Value::from("3")).unwrap();
    assert_eq!(text(&session, "people").as_deref(), Some("20000"));
    assert!(
        session.answer(&place, Value::from("2")).is_err(),
        "a choice that the filter hides"
    );
    session.answer(&AnswerPath::top("kind"), Value::from("b")).unwrap();
    assert_eq!(text(&session, "fee").as_deref(), Some("30"));
}

#[test]
fn without_its_files_a_form_can_still_be_filled() {
    let form = read_form(FORM.as_bytes(), Some("places.md")).unwrap().form;
    let mut session = Session::new(&form, AnswerMap::default(), context());
    session.begin().unwrap();
    assert_eq!(text(&session, "hamlet"), None);
    session.answer(&AnswerPath::top("kind"), Value::from("b")).unwrap();
    assert_eq!(text(&session, "fee").as_deref(), Some("30"));
    assert!(session.choices(&AnswerPath::top("place")).is_empty());
    assert_eq!(text(&session, "people"), None);
}

#[test]
fn files_that_the_form_does_not_use_or_that_are_none_are_refused() {
    let form = read_form(FORM.as_bytes(), Some("places.md")).unwrap().form;
    let unused = FormData::new(&form, &[("towns.csv", COMMUNES)], None).unwrap_err();
    assert!(unused.to_string().contains("towns.csv") && unused.vietnamese().contains("towns.csv"));
    let broken = FormData::new(&form, &[("communes.csv", "code,vi\n1,\"open")], None).unwrap_err();
    assert!(broken.to_string().contains("communes"), "{broken}");
}

#[test]
fn a_predicate_on_a_repeat_tests_each_instance_by_its_own_answers() {
    const ANIMALS: &str = "
| survey |
| | type         | name   | label | calculation                                 |
| | begin_repeat | animal | Con   |                                             |
| | text         | kind   | Loài  |                                             |
| | calculate    | alike  |       | count(${animal}[kind = ${kind}])            |
| | end_repeat   |        |       |                                             |
| | calculate    | ducks  |       | count(${animal}[${kind} = 'vịt'])           |
";
    let form = read_form(ANIMALS.as_bytes(), Some("animals.md")).unwrap().form;
    let mut session = Session::new(&form, AnswerMap::default(), context());
    for (number, kind) in ["vịt", "gà", "vịt"].into_iter().enumerate() {
        let animal = InstanceId::new(format!("animal-{number}"));
        session.add_instance("animal", None, &animal).unwrap();
        session
            .answer(&AnswerPath::within(&animal, "kind"), Value::from(kind))
            .unwrap();
    }
    assert_eq!(text(&session, "ducks").as_deref(), Some("2"));
    let alike = |number| {
        let path = AnswerPath::within(&InstanceId::new(format!("animal-{number}")), "alike");
        session.value(&path).map(|value| value.to_string())
    };
    assert_eq!([alike(0), alike(1), alike(2)].map(Option::unwrap), ["2", "1", "2"]);
}
