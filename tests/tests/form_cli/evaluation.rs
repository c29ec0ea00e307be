//! `khaosat form eval` over filled forms and documents.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use khaosat_tests::process::{Ended, khaosat, run_to_end};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::workbooks;

const FORM: &str = "\
| survey | type | name | label | relevant | calculation | default |
| | text | head | Chủ hộ | | | |
| | begin_group | contact | Liên lạc | | | |
| | text | phone | Số máy | | | |
| | select_multiple sites | used | Đã dùng | | | |
| | end_group | | | | | |
| | begin_repeat | members | Thành viên | | | |
| | integer | age | Tuổi | | | |
| | text | school | Trường | ${age} < 18 | | |
| | begin_repeat | devices | Máy | | | |
| | text | model | Loại | | | |
| | end_repeat | | | | | |
| | end_repeat | | | | | |
| | decimal | income | Thu nhập | | | 2.5 |
| | calculate | oldest | | | max(${age}) | |
| choices | list_name | name | label |
| | sites | portal | Cổng |
| | sites | health | Sức khoẻ |
";

struct Desk {
    folder: TempDir,
    form: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let form = workbooks::write(folder.path(), "form.xlsx", FORM);
        Self { folder, form }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Evaluates over the form with these answers.
    fn over(&self, answers: &Value, expression: &str, more: &[&str]) -> Ended {
        let answers = self.file("answers.json", &answers.to_string());
        let mut command = khaosat(["form", "eval", "--answers"]);
        run_to_end(
            command
                .arg(answers)
                .args(more)
                .arg(&self.form)
                .arg("--")
                .arg(expression),
        )
    }

    fn value(&self, answers: &Value, expression: &str) -> Value {
        self.over(answers, expression, &[]).success().json()["value"].clone()
    }
}

fn family() -> Value {
    json!({
        "head": "Nguyễn Văn A",
        "contact": {"used": ["health", "portal"]},
        "phone": "0900",
        "members": [
            {"age": 41, "school": "quên"},
            {"age": "9", "school": "Tiểu học", "devices": [{"model": "X"}, {"model": null}]},
        ],
        "income": 1.5,
    })
}

#[test]
fn an_expression_sees_answers_relevance_and_calculations() {
    let desk = Desk::new();
    for (expression, value) in [
        ("${head}", json!("Nguyễn Văn A")),
        ("/data/contact/phone", json!("0900")),
        ("selected(${used}, 'portal')", json!(true)),
        ("count(${members})", json!(2)),
        ("sum(${age})", json!(50)),
        ("${oldest} + ${income}", json!(42.5)),
        ("/data/members[1]/school", json!("")),
        ("count(/data/members/school)", json!(1)),
        ("1 div 0", json!("Infinity")),
        ("-1 div 0", json!("-Infinity")),
        ("number('x')", json!("NaN")),
        ("concat('a', 1 div 4)", json!("a0.25")),
    ] {
        assert_eq!(desk.value(&family(), expression), value, "{expression}");
    }
    assert_eq!(desk.value(&json!({}), "${head} = ''"), json!(true));
    let nested = json!({"members": [{"age": 9, "devices": [{"model": "X"}, {"model": "Y"}]}]});
    assert_eq!(desk.value(&nested, "/data/members/devices[2]/model"), json!("Y"));
}

#[test]
fn a_result_has_its_type_its_conversions_and_its_nodes() {
    let desk = Desk::new();
    let found = desk.over(&family(), "${age}", &[]).success().json();
    assert_eq!(
        found,
        json!({
            "type": "nodeset", "value": "41", "number": 41, "string": "41", "boolean": true,
            "nodes": [
                {"path": "/data/members[1]/age", "value": "41"},
                {"path": "/data/members[2]/age", "value": "9"},
            ],
        })
    );
    let number = desk.over(&family(), "0 div 0", &[]).success().json();
    assert_eq!(
        number,
        json!({"type": "number", "value": "NaN", "number": "NaN", "string": "NaN", "boolean": false})
    );
    let empty = desk.over(&family(), "/data/nothing", &[]).success().json();
    assert_eq!((&empty["value"], &empty["nodes"]), (&json!(""), &json!([])));
}

#[test]
fn the_context_is_one_node_and_the_clock_is_given() {
    let desk = Desk::new();
    let at = |context: &str, expression: &str| desk.over(&family(), expression, &["--context", context]);
    let inside = at("/data/members[2]/age", ". + count(../devices)").success().json();
    assert_eq!(inside["value"], 11);
    assert_eq!(at("/data/members[2]", "${age}").success().json()["value"], "9");
    for (context, told) in [("/data/members", "2 nút"), ("/data/absent", "nút"), ("1 + 1", "nút")] {
        let refused = at(context, "1").failure();
        assert!(
            refused.stderr.contains(context) && refused.stderr.contains(told),
            "{}",
            refused.stderr
        );
    }
    // What is not to be asked is not there.
    at("/data/members[1]/school", ".").failure();

    let clock = |arguments: &[&str], expression: &str| desk.over(&json!({}), expression, arguments).success().json();
    let now = ["--now", "2026-11-25T10:00:00+07:00"];
    assert_eq!(clock(&now, "string(now())")["value"], "2026-11-25T10:00:00.000+07:00");
    let west = ["--now", "2026-11-25T10:00:00+07:00", "--time-zone", "-07:00"];
    assert_eq!(clock(&west, "string(today())")["value"], "2026-11-24");
    let refused = desk.over(&json!({}), "1", &["--now", "tomorrow"]).failure();
    assert!(
        refused.stderr.contains("2026-11-25T10:00:00+07:00"),
        "{}",
        refused.stderr
    );
}

#[test]
fn defaults_are_put_in_only_where_asked_for_and_never_over_a_blank() {
    let desk = Desk::new();
    assert_eq!(desk.value(&json!({}), "string(${income})"), "");
    let with = |answers: Value| {
        let ended = desk.over(&answers, "string(${income})", &["--defaults"]);
        ended.success().json()["value"].clone()
    };
    assert_eq!(with(json!({})), "2.5");
    assert_eq!(with(json!({"income": 7})), "7");
    assert_eq!(with(json!({"income": null})), "");
}

#[test]
fn wrong_answers_are_told_with_their_place_and_cure() {
    let desk = Desk::new();
    for (answers, parts) in [
        (json!({"haed": "A"}), ["haed", "did you mean \"head\"?"]),
        (
            json!({"members": [{}, {"aeg": 1}]}),
            ["members[2].aeg", "did you mean \"age\"?"],
        ),
        (json!({"age": 4}), ["age: the form has no question", "here"]),
        (json!({"members": {"age": 4}}), ["members", "array"]),
        (json!({"contact": "0900"}), ["contact", "an object"]),
        (
            json!({"members": [{"age": "old"}]}),
            ["members[1].age", "a whole number"],
        ),
        (json!({"income": "much"}), ["income", "a number"]),
        (json!({"head": ["A"]}), ["head", "a text"]),
        (json!({"used": {"a": 1}}), ["used", "array of choice names"]),
        (json!({"oldest": 4}), ["oldest", "computed"]),
        (json!({"phone": "1", "contact": {"phone": "2"}}), ["phone", "keep one"]),
        (json!([1]), ["expected an object", "[1]"]),
    ] {
        let refused = desk.over(&answers, "1", &["--language", "en"]).failure();
        for part in parts {
            assert!(refused.stderr.contains(part), "{answers}: {}", refused.stderr);
        }
        assert!(refused.stdout.is_empty());
    }
    let refused = desk.over(&json!({}), "${haed}", &[]).failure();
    assert!(refused.stderr.contains("có phải là \"head\"?"), "{}", refused.stderr);
    let refused = desk.over(&json!({}), "1 +", &["--language", "en"]).failure();
    assert!(refused.stderr.contains("1 +\n   ^"), "{}", refused.stderr);
    let noise = desk.file("noise.json", "{");
    let unreadable = run_to_end(
        khaosat(["form", "eval", "--answers"])
            .arg(noise)
            .arg(&desk.form)
            .arg("1"),
    );
    assert_eq!(unreadable.status.code(), Some(2));
    let unsaid = run_to_end(khaosat(["form", "eval"]).arg(&desk.form));
    assert_eq!(unsaid.status.code(), Some(2));
    assert!(unsaid.stderr.contains("khaosat form eval"), "{}", unsaid.stderr);
}

#[test]
fn an_expression_is_evaluated_over_any_document() {
    let desk = Desk::new();
    let xml = desk.file(
        "document.xml",
        "<a xmlns:x=\"urn:one\"><b n=\"1\">t&amp;&#x1EA5;<![CDATA[<c>]]></b><!-- d --><x:e>2</x:e></a>",
    );
    let over = |arguments: &[&str]| {
        let mut command = khaosat(["form", "eval", "--xml"]);
        run_to_end(command.arg(&xml).args(arguments))
    };
    let found = over(&["/a/b/node()"]).success().json();
    assert_eq!(
        found["nodes"],
        json!([
            {"path": "/node()[1]/node()[1]/node()[1]", "value": "t&ấ"},
            {"path": "/node()[1]/node()[1]/node()[2]", "value": "<c>"},
        ])
    );
    assert_eq!(
        over(&["--context", "/a/b", "@n"]).success().json()["nodes"][0]["path"],
        "/node()[1]/node()[1]/@n"
    );
    let by_path = over(&["--context", "/node()[1]/node()[1]/@n", ". + 1"])
        .success()
        .json();
    assert_eq!(by_path["number"], 2);
    let named = over(&["--namespace", "y=urn:one", "number(/a/y:e)"]).success().json();
    assert_eq!(named["value"], 2);
    let several = over(&["--context", "/a/node()", "1"]).failure();
    assert!(several.stderr.contains("3 nút"), "{}", several.stderr);
    for broken in ["<a><b></a>", "<a>&nbsp;</a>", "<a/><b/>", "", "<a b='1' b='2'/>", "<a>"] {
        let path = desk.file("broken.xml", broken);
        let refused = run_to_end(
            khaosat(["form", "eval", "--language", "en", "--xml"])
                .arg(path)
                .arg("1"),
        )
        .failure();
        assert!(refused.stderr.contains("line 1"), "{broken}: {}", refused.stderr);
    }
}

#[test]
fn an_xform_is_evaluated_over_its_primary_instance() {
    let desk = Desk::new();
    let xml = desk.file(
        "form.xml",
        "<h:html xmlns=\"http://www.w3.org/2002/xforms\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:head><model>\
         <instance><data><age>4</age></data></instance></model></h:head></h:html>",
    );
    let over = |more: &[&str]| run_to_end(khaosat(["form", "eval", "--xml"]).arg(&xml).args(more));
    let found = over(&["/data/age"]).success().json();
    assert_eq!(
        found["nodes"][0]["path"],
        "/node()[1]/node()[1]/node()[1]/node()[1]/node()[1]/node()[1]"
    );
    assert_eq!(found["number"], 4);
    let whole = over(&[
        "count(ancestor::h:head/model)",
        "--context",
        "/node()[1]/node()[1]/node()[1]",
    ])
    .success()
    .json();
    assert_eq!(whole["value"], 1);
}

#[test]
fn a_batch_answers_every_case_on_its_own_line() {
    let desk = Desk::new();
    let cases = [
        json!({"id": 1, "expression": "/a + 1", "xml": "<a>1</a>"}),
        json!({"id": "two", "expr": ". * 2", "xml": "<a>1<b>7</b></a>", "context": "/node()[1]/node()[2]"}),
        json!({"id": 3, "expression": "/a/b +", "xml": "<a>1</a>"}),
        json!({"id": 4, "expression": "string(today())", "now": "2026-11-25T01:00:00+07:00", "time_zone": "+00:00",
               "xml": "<a/>"}),
        json!({"id": 5, "expression": "/a/p:b", "xml": "<a xmlns:q='urn:u'><q:b>x</q:b></a>",
               "namespaces": {"p": "urn:u"}}),
        json!({"id": 6, "expression": "1"}),
        json!({"id": 7, "expression": "1", "unknown": 1}),
    ];
    let lines: Vec<String> = cases.iter().map(Value::to_string).collect();
    let file = desk.file("cases.jsonl", &(lines.join("\n\n") + "\nnoise"));
    let ended = run_to_end(khaosat(["form", "eval", "--batch"]).arg(file)).failure();
    let results: Vec<Value> = ended
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let values: Vec<&Value> = results.iter().map(|result| &result["value"]).collect();
    let none = Value::Null;
    assert_eq!(
        values,
        [
            &json!(2),
            &json!(14),
            &none,
            &json!("2026-11-24"),
            &json!("x"),
            &none,
            &none,
            &none
        ]
    );
    let ids: Vec<&Value> = results.iter().map(|result| &result["id"]).collect();
    assert_eq!(
        ids,
        [
            &json!(1),
            &json!("two"),
            &json!(3),
            &json!(4),
            &json!(5),
            &json!(6),
            &none,
            &none
        ]
    );
    assert!(
        results[2]["error"]["en"].as_str().unwrap().contains('^'),
        "{}",
        results[2]
    );
    assert!(
        results[2]["error"]["vi"].as_str().unwrap().contains("cần"),
        "{}",
        results[2]
    );
    assert!(
        results[7]["error"]["en"].as_str().unwrap().contains("line 14"),
        "{}",
        results[7]
    );
}

#[test]
fn a_batch_over_a_form_comes_from_standard_input_too() {
    let desk = Desk::new();
    let mut process = khaosat(["form", "eval", "--batch", "-"])
        .arg(&desk.form)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    for age in [1, 2] {
        let case = json!({"expression": "sum(${age})", "answers": {"members": [{"age": age}, {"age": 40}]}});
        writeln!(input, "{case}").unwrap();
    }
    drop(input);
    let done = process.wait_with_output().unwrap();
    assert!(done.status.success());
    let values: Vec<Value> = String::from_utf8(done.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["value"].clone())
        .collect();
    assert_eq!(values, [41, 42]);
}
