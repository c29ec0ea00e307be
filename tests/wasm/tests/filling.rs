//! A form filled in through the module's requests, as JavaScript sends them.

#![allow(clippy::unwrap_used, reason = "a step that fails is a failed test")]

use serde_json::{Value as Json, json};
use survey_forms_module::Module;

const FORM: &str = "
| survey |
|        | type                | name    | label::Tiếng Việt (vi) | label::English (en) | relevant       | constraint | required | calculation  |
|        | integer             | rooms   | Số phòng               | Rooms               |                | . > 0      | yes      |              |
|        | select_one yes_no   | network | Có mạng                | Network             | ${rooms} > 1   |            |          |              |
|        | begin_repeat        | members | Thành viên             | Member              |                |            |          |              |
|        | integer             | age     | Tuổi                   | Age                 |                |            |          |              |
|        | end_repeat          |         |                        |                     |                |            |          |              |
|        | calculate           | total   |                        |                     |                |            |          | sum(${age})  |
| choices |
|         | list_name | name | label::Tiếng Việt (vi) | label::English (en) |
|         | yes_no    | yes  | Có                     | Yes                 |
|         | yes_no    | no   | Không                  | No                  |
| settings |
|          | form_title | form_id | default_language |
|          | Nhà        | house   | Tiếng Việt (vi)  |
";

fn ask(module: &mut Module, request: &Json) -> Json {
    let reply = module.handle(request.to_string().as_bytes());
    serde_json::from_slice(&reply).unwrap()
}

fn done(module: &mut Module, request: &Json) {
    assert_eq!(ask(module, request), json!({ "value": null }), "{request}");
}

fn opened(language: &str) -> Module {
    let form = survey_forms::read_form(FORM.as_bytes(), Some("house.md")).unwrap().form;
    let context = json!({
        "now": { "unix_milliseconds": 1_764_000_000_000_i64, "utc_offset_minutes": 420 },
        "language": language,
        "device_id": null,
    });
    let mut module = Module::default();
    done(&mut module, &json!({ "open": { "form": form, "context": context } }));
    module
}

fn rooms(value: &Json) -> Json {
    json!({ "answer": { "path": { "instance": null, "question": "rooms" }, "value": value } })
}

fn labels(module: &mut Module) -> Vec<String> {
    let reply = ask(module, &json!("questions"));
    let questions = reply["value"].as_array().unwrap();
    questions
        .iter()
        .map(|question| question["label"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn answers_decide_what_is_asked_and_what_is_missing() {
    let mut module = opened("vi");
    assert_eq!(labels(&mut module), ["Số phòng"]);
    let missing = ask(&mut module, &json!("validate"));
    assert_eq!(missing["value"][0]["path"]["question"], "rooms");
    assert_eq!(missing["value"][0]["kind"], "missing");
    assert_eq!(missing["value"][0]["severity"], "error");

    done(&mut module, &rooms(&json!(3)));
    assert_eq!(ask(&mut module, &json!("validate")), json!({ "value": [] }));
    assert_eq!(labels(&mut module), ["Số phòng", "Có mạng"]);
    let questions = ask(&mut module, &json!("questions"));
    assert_eq!(questions["value"][0]["value"], 3);
    assert_eq!(questions["value"][0]["required"], true);
    assert_eq!(
        questions["value"][1]["choices"],
        json!([{ "name": "yes", "label": "Có" }, { "name": "no", "label": "Không" }])
    );

    done(&mut module, &rooms(&Json::Null));
    assert_eq!(labels(&mut module), ["Số phòng"]);
}

#[test]
fn instances_come_and_go_and_totals_follow() {
    let mut module = opened("en");
    for (member, age) in [("one", 40), ("two", 2)] {
        done(
            &mut module,
            &json!({ "add_instance": { "repeat": "members", "parent": null, "instance": member } }),
        );
        let path = json!({ "instance": member, "question": "age" });
        done(&mut module, &json!({ "answer": { "path": path, "value": age } }));
    }
    let total = json!({ "value": { "instance": null, "question": "total" } });
    assert_eq!(ask(&mut module, &total), json!({ "value": "42" }));
    assert_eq!(
        ask(&mut module, &json!({ "evaluate": "count(${age}) + max(${age})" })),
        json!({ "value": "42" })
    );
    done(
        &mut module,
        &json!({ "remove_instance": { "repeat": "members", "instance": "one" } }),
    );
    assert_eq!(ask(&mut module, &total), json!({ "value": "2" }));
    done(&mut module, &json!("refresh"));
    assert_eq!(ask(&mut module, &total), json!({ "value": "2" }));
}

#[test]
fn what_is_wrong_is_said_in_both_languages_and_changes_nothing() {
    let closed = ask(&mut Module::default(), &json!("questions"));
    assert_eq!(closed["error"]["en"], "no form is open; open one first");
    assert!(closed["error"]["vi"].as_str().unwrap().starts_with("chưa mở"));

    let mut module = opened("vi");
    done(&mut module, &rooms(&json!(3)));
    for wrong in [
        rooms(&json!(0)),
        rooms(&json!("three")),
        json!({ "answer": { "path": { "instance": "nobody", "question": "age" }, "value": 1 } }),
        json!({ "add_instance": { "repeat": "rooms", "parent": null, "instance": "one" } }),
        json!({ "evaluate": "1 +" }),
        json!({ "evaluate": "$unknown" }),
        json!({ "open": { "form": {}, "context": {} } }),
        json!({ "close": null }),
        json!(7),
    ] {
        let reply = ask(&mut module, &wrong);
        for language in ["vi", "en"] {
            let message = reply["error"][language].as_str();
            assert!(message.is_some_and(|message| !message.is_empty()), "{wrong}: {reply}");
        }
    }
    let reply: Json = serde_json::from_slice(&module.handle(b"{\"answer\":\xff")).unwrap();
    assert!(
        reply["error"]["en"]
            .as_str()
            .unwrap()
            .starts_with("the request cannot be read")
    );
    let rooms = json!({ "value": { "instance": null, "question": "rooms" } });
    assert_eq!(ask(&mut module, &rooms), json!({ "value": 3 }));
}
