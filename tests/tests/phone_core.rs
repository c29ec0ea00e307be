//! The phone's core against a real server: what a volunteer answers is never lost, wherever the phone stops.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use khaosat_tests::handset::{Handset, Storage};
use khaosat_tests::installation::{Installation, Server, repository};
use serde_json::{Value, json};
use survey_forms::model::{Form, FormNode, NodeKind, Translations};

const HAMLET: &str = "28249-01";

fn enrolled(installation: &Installation, server: &Server) -> Handset {
    Handset::enrolled(server.address, &installation.invite(&[HAMLET]))
}

fn responses(installation: &Installation) -> Vec<Value> {
    let exported = installation
        .run(&["export", "responses", "--with-identifying"])
        .success();
    let lines = exported.text();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_volunteer_enrols_interviews_and_sends() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    let assignment = phone.ask("assignment", Value::Null).unwrap();
    assert_eq!(assignment["hamlets"][0]["name"], "Khu phố 1");
    assert_eq!(assignment["hamlets"][0]["commune"], "Phường 5");
    assert_eq!(assignment["formTitle"], "Phiếu khảo sát hộ gia đình");
    assert_eq!(
        phone.ask("households", Value::Null).unwrap().as_array().unwrap().len(),
        9
    );
    assert_eq!(phone.line("A1")["status"], "not_started");

    assert!(phone.interview("A1", "Nguyễn Thị Hoa"));
    phone.now += 15 * 60_000;
    phone.ask("leave_interview", Value::Null).unwrap();
    let line = phone.line("A1");
    assert_eq!(
        (&line["status"], &line["person"]),
        (&json!("finished"), &json!("Nguyễn Thị Hoa"))
    );
    assert_eq!(phone.storage.sealed.len(), 1);

    let state = phone.sync();
    assert_eq!(
        (&state["problem"], &state["unsentResponses"]),
        (&Value::Null, &json!(0))
    );
    assert_eq!(phone.line("A1")["status"], "sent");
    assert!(phone.storage.sealed.is_empty());
    let exported = responses(&installation);
    assert_eq!(exported.len(), 1);
    assert_eq!(exported[0]["answers"]["respondent_name"], "Nguyễn Thị Hoa");
}

#[test]
fn a_phone_that_stops_after_any_answer_finds_all_of_them_again() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    phone.ask("open_interview", json!({ "unit": "A2" })).unwrap();
    // Whoever only looks leaves no trace.
    assert!(!phone.storage.draft);
    let before = phone.storage.records.len();
    phone.restart();
    assert_eq!(phone.storage.records.len(), before);

    phone.ask("open_interview", json!({ "unit": "A2" })).unwrap();
    let answers = [
        ("consent", "yes"),
        ("respondent_name", "Trần Văn Bé"),
        ("respondent_relation", "spouse"),
        ("visit_outcome", "partly"),
        ("fibre_available", "no"),
    ];
    for (number, (question, value)) in answers.iter().enumerate() {
        phone.answer(question, json!(value));
        assert!(phone.storage.draft);
        phone.restart();
        let assignment = phone.ask("assignment", Value::Null).unwrap();
        assert_eq!(assignment["openInterview"], "A2");
        let interview = phone.ask("interview", Value::Null).unwrap();
        assert!(interview["answered"].as_u64().unwrap() > number as u64, "{interview}");
    }
    // Also where the phone stops amid an exchange while the form is open.
    phone.sync();
    phone.restart();
    phone.ask("leave_interview", Value::Null).unwrap();
    phone.restart();
    assert!(!phone.storage.draft);
    assert_eq!(phone.line("A2")["status"], "draft");
    phone.sync();
    let exported = responses(&installation);
    for (question, value) in answers {
        assert_eq!(exported[0]["answers"][question], value);
    }
}

#[test]
fn a_form_is_walked_page_by_page_and_person_by_person() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    let first = phone.ask("open_interview", json!({ "unit": "A3" })).unwrap();
    // Before anybody agreed, nothing of the household is asked; remarks of the interviewer stand on the same page, for no
    // group with a label separates them.
    let questions = Handset::questions(&first);
    assert_eq!(questions[..2], ["consent", "visit_outcome"]);
    assert_eq!(first["first"], true);

    // An outcome that does not fit is refused with the form's words, and is not kept.
    let refused = phone.answer("visit_outcome", json!("completed"));
    assert!(
        refused["refused"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Kết quả không khớp")
    );
    phone.answer("consent", json!("yes"));
    let fits = phone.answer("visit_outcome", json!("completed"));
    assert_eq!(fits["refused"], Value::Null);

    let second = phone.ask("next", Value::Null).unwrap();
    assert_eq!(
        second["step"]["headings"],
        json!(["Phỏng vấn hộ gia đình", "Nhà ở và kết nối"])
    );
    let roster = phone.ask("next", Value::Null).unwrap();
    assert_eq!(
        (&roster["step"]["kind"], &roster["step"]["label"]),
        (&json!("roster"), &json!("Thành viên trong hộ"))
    );
    let member = phone
        .ask("add_instance", json!({ "repeat": "members", "parent": null }))
        .unwrap();
    assert_eq!(member["step"]["instance"]["number"], 1);
    let id = member["step"]["instance"]["id"].clone();
    let named = phone.answer_at(id.clone(), "member_name", json!("Lê Văn Tám"));
    assert_eq!(named["interview"]["step"]["instance"]["title"], "Lê Văn Tám");
    // After the last page of a person comes the roster again.
    let mut after = phone.ask("next", Value::Null).unwrap();
    while after["step"]["kind"] == "page" {
        after = phone.ask("next", Value::Null).unwrap();
    }
    assert_eq!(after["step"]["instances"][0]["title"], "Lê Văn Tám");
    let back = phone.ask("back", Value::Null).unwrap();
    assert_eq!(back["step"]["id"], second["step"]["id"]);

    // What is missing is listed with the place where it is, and the place can be gone to.
    let end = phone.ask("go_to", json!({ "step": "end" })).unwrap();
    let problems = end["step"]["problems"].as_array().unwrap();
    let missing = problems
        .iter()
        .find(|problem| problem["person"] == "Lê Văn Tám")
        .unwrap();
    let page = phone.ask("go_to", json!({ "step": missing["step"] })).unwrap();
    let path = &missing["problem"]["path"];
    assert!(Handset::questions(&page).contains(&path["question"].as_str().unwrap().to_owned()));

    // One question at a time.
    let single = phone.ask("set_layout", json!({ "layout": "question" })).unwrap();
    assert_eq!(Handset::questions(&single).len(), 1);
    let language = phone.ask("set_form_language", json!({ "language": "en" })).unwrap();
    assert_eq!(language["formTitle"], "Phiếu khảo sát hộ gia đình");
    assert!(phone.ask("go_to", json!({ "step": "page/9999/" })).is_err());

    phone
        .ask("remove_instance", json!({ "repeat": "members", "instance": id }))
        .unwrap();
    let empty = phone.ask("interview", Value::Null).unwrap();
    assert_eq!(empty["step"]["instances"], json!([]));
}

#[test]
fn two_phones_that_differ_meet_in_a_conflict_which_a_volunteer_settles() {
    let installation = Installation::new();
    let server = installation.serve();
    let (mut one, mut other) = (enrolled(&installation, &server), enrolled(&installation, &server));
    // Each learns the other's name.
    for phone in [&mut one, &mut other] {
        phone.now += 10 * 60_000;
        phone.sync();
    }
    for (phone, provider) in [(&mut one, "vnpt"), (&mut other, "viettel")] {
        phone.interview("A4", "Nguyễn Thị Hoa");
        phone.answer("fibre_provider", json!(provider));
        phone.ask("leave_interview", Value::Null).unwrap();
    }
    one.sync();
    // The other is answering in the same form while the first one's answers come.
    other.ask("open_interview", json!({ "unit": "A4" })).unwrap();
    other.answer("remarks", json!("Gọi trước khi đến"));
    let state = other.sync();
    assert_eq!(state["received"], 1);
    let asked = other.ask("conflicts", json!({ "unit": "A4" })).unwrap();
    assert_eq!(asked, json!([]));
    other.restart();
    other.ask("leave_interview", Value::Null).unwrap();
    let line = other.line("A4");
    assert_eq!(line["status"], "attention");
    let conflicts = other.ask("conflicts", json!({ "unit": "A4" })).unwrap();
    let provider = conflicts
        .as_array()
        .unwrap()
        .iter()
        .find(|conflict| conflict["path"] == json!({ "instance": null, "question": "fibre_provider" }));
    let claims = provider.unwrap()["claims"].as_array().unwrap();
    let mut shown: Vec<&str> = claims.iter().map(|claim| claim["shown"].as_str().unwrap()).collect();
    shown.sort_unstable();
    assert_eq!(shown, ["VNPT", "Viettel"]);
    let theirs = claims.iter().find(|claim| claim["own"] == false).unwrap();
    assert_eq!(theirs["author"], "Điện thoại");

    for conflict in conflicts.as_array().unwrap() {
        let settlement = json!({ "unit": "A4", "path": conflict["path"], "value": conflict["claims"][0]["value"] });
        other.ask("settle", settlement).unwrap();
    }
    assert_eq!(other.ask("conflicts", json!({ "unit": "A4" })).unwrap(), json!([]));
    other.sync();
    one.sync();
    let (line, other_line) = (one.line("A4"), other.line("A4"));
    assert_eq!((&line["conflicts"], &other_line["conflicts"]), (&json!(0), &json!(0)));
    let exported = responses(&installation);
    assert_eq!(exported[0]["answers"]["remarks"], "Gọi trước khi đến");
}

#[test]
fn a_visit_without_an_interview_is_told_and_may_be_followed_by_one() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    let outcomes = phone.ask("outcomes", Value::Null).unwrap();
    let names: Vec<&str> = outcomes
        .as_array()
        .unwrap()
        .iter()
        .map(|outcome| outcome["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "nobody_home",
            "refused",
            "moved_away",
            "empty_dwelling",
            "not_household"
        ]
    );
    let again = phone.now + 3_600_000;
    let visit = |unit: &str, outcome: &str, again: Option<i64>| json!({ "unit": unit, "outcome": outcome, "callBackAt": again, "position": [10.36, 106.36, 12.5] });
    phone
        .ask("failed_visit", visit("A5", "nobody_home", Some(again)))
        .unwrap();
    phone.ask("failed_visit", visit("A6", "moved_away", None)).unwrap();
    phone.restart();
    let line = phone.line("A5");
    assert_eq!(
        (&line["status"], &line["callBackAt"]),
        (&json!("call_back"), &json!(again))
    );
    assert_eq!(phone.line("A6")["status"], "closed");
    assert_eq!(phone.line("A5")["outcome"], "Không có ai ở nhà");
    phone.now += 1000;
    assert!(phone.interview("A5", "Phạm Thị Sáu"));
    phone.ask("leave_interview", Value::Null).unwrap();
    let refused = phone.ask("failed_visit", visit("A5", "refused", None)).unwrap_err();
    assert_eq!(refused["type"], "/problems/already-interviewed");
    phone.sync();
    assert_eq!(
        (phone.line("A5")["status"].clone(), phone.line("A5")["visits"].clone()),
        (json!("sent"), json!(2))
    );
    let exported = responses(&installation);
    let visits = exported.iter().find(|response| response["unit"] == "A5").unwrap()["visits"].clone();
    assert_eq!(visits.as_array().unwrap().len(), 2);
}

#[test]
fn a_damaged_record_costs_nothing_that_the_server_has() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    for unit in ["A1", "A2"] {
        phone.interview(unit, "Nguyễn Thị Hoa");
        phone.ask("leave_interview", Value::Null).unwrap();
    }
    phone.sync();
    phone.interview("A3", "Trần Văn Bé");
    phone.ask("leave_interview", Value::Null).unwrap();
    // Of each record in turn half is overwritten.
    for id in phone.storage.records.keys().copied().collect::<Vec<_>>() {
        // Without its identity the phone is a new one.
        if id == 1 {
            continue;
        }
        let mut storage: Storage = phone.storage.clone();
        let record = storage.records.get_mut(&id).unwrap();
        let half = record.len() / 2;
        record[half..].fill(0xff);
        let was_unsent = storage.sealed.contains_key(&id);
        let mut damaged = Handset::with_storage(server.address, storage);
        damaged.now += 10 * 60_000;
        let state = damaged.sync();
        assert_eq!(state["problem"], Value::Null, "record {id}");
        for unit in ["A1", "A2"] {
            assert_eq!(damaged.line(unit)["status"], "sent", "record {id}, {unit}");
        }
        // A change that nobody else has is lost on the phone, but not in what is sealed to the server.
        if was_unsent {
            assert!(damaged.storage.sealed.contains_key(&id));
        } else {
            assert_ne!(damaged.line("A3")["status"], "not_started", "record {id}");
        }
    }
}

#[test]
fn what_is_carried_by_hand_arrives() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    assert_eq!(
        phone.ask("bundle", Value::Null).unwrap_err()["type"],
        "/problems/nothing-unsent"
    );
    for unit in ["A7", "A8"] {
        phone.interview(unit, "Nguyễn Thị Hoa");
        phone.ask("leave_interview", Value::Null).unwrap();
    }
    let (bundle, parts) = phone.call("bundle", Value::Null, Vec::new()).unwrap();
    assert_eq!(bundle["responses"], 2);
    let frames = phone.ask("frames", json!({ "first": 0, "count": 3 })).unwrap();
    assert_eq!(frames["texts"].as_array().unwrap().len(), 3);
    drop(server);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(bundle["name"].as_str().unwrap());
    std::fs::write(&file, &parts[bundle["bytes"].as_u64().unwrap() as usize]).unwrap();
    installation.run(&["bundle", "read", file.to_str().unwrap()]).success();
    assert_eq!(responses(&installation).len(), 2);
}

#[test]
fn what_is_sealed_is_enough_where_the_phone_is_lost() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    for unit in ["A7", "A8"] {
        phone.interview(unit, "Nguyễn Thị Hoa");
        phone.ask("leave_interview", Value::Null).unwrap();
    }
    drop(server);
    // The page that rescues needs neither PIN nor core: it puts what is sealed one after the other.
    let rescued: Vec<u8> = phone.storage.sealed.values().flatten().copied().collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rescue.khaosat");
    std::fs::write(&file, rescued).unwrap();
    installation.run(&["bundle", "read", file.to_str().unwrap()]).success();
    assert_eq!(responses(&installation).len(), 2);
}

#[test]
fn a_revoked_phone_delivers_and_then_forgets() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    phone.interview("A1", "Nguyễn Thị Hoa");
    phone.ask("leave_interview", Value::Null).unwrap();
    let devices = installation.run(&["device", "list", "--format", "json"]).success();
    let devices: Value = serde_json::from_str(devices.text()).unwrap();
    let key = devices[0]["public_key"].as_str().unwrap().to_owned();
    installation
        .run(&["device", "revoke", "--reason", "Mất máy", &key])
        .success();
    phone.now += 10 * 60_000;
    phone.sync();
    let records: Vec<&u64> = phone.storage.records.keys().filter(|id| **id >= 100).collect();
    assert!(records.is_empty(), "{records:?}");
    phone.restart();
    let told = phone.ask("assignment", Value::Null).unwrap_err();
    assert_eq!(told["type"], "/problems/device-revoked");
    // What the server did not take for good is still sealed to it, should a person decide otherwise.
    assert_eq!(phone.storage.sealed.len(), 1);
}

#[test]
fn rubbish_from_a_page_or_a_network_changes_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    phone.interview("A1", "Nguyễn Thị Hoa");
    phone.ask("leave_interview", Value::Null).unwrap();
    let before = phone.storage.clone();
    for (name, argument) in [
        ("nonsense", Value::Null),
        ("answer", json!({ "path": 3 })),
        ("open_interview", json!({ "unit": "Z9" })),
        ("interview", Value::Null),
        ("enter", json!({ "repeat": "members", "instance": "none" })),
        ("answer_request", json!({ "status": 200, "headers": {}, "body": 7 })),
    ] {
        assert!(phone.ask(name, argument).is_err(), "{name}");
    }
    // What a server cannot have said, as an answer to a real question.
    for (status, body) in [
        (200, &b"<html>login</html>"[..]),
        (200, &[0xff; 40][..]),
        (500, b"oops"),
        (413, b""),
        (302, b""),
    ] {
        phone.ask("begin_sync", Value::Null).unwrap();
        phone.call("next_request", Value::Null, Vec::new()).unwrap();
        let argument = json!({ "status": status, "headers": {}, "body": 1 });
        let (state, _) = phone.call("answer_request", argument, vec![body.to_vec()]).unwrap();
        assert_eq!(state["unsentResponses"], 1, "{status}");
    }
    phone.ask("begin_sync", Value::Null).unwrap();
    assert_eq!(phone.storage.records, before.records);
    let state = phone.sync();
    assert_eq!(
        (&state["problem"], &state["unsentResponses"]),
        (&Value::Null, &json!(0))
    );
    assert_eq!(responses(&installation).len(), 1);
}

/// The household form with a picture at its end.
fn form_with_picture() -> Vec<u8> {
    let workbook = std::fs::read(repository().join("forms/household.xlsx")).unwrap();
    let mut definition = survey_forms::xlsform::read(&workbook).unwrap().definition().clone();
    let mut photo = FormNode::new("photo", NodeKind::Image, None);
    photo.label = Translations::plain("Ảnh nhà");
    definition.nodes.push(photo);
    let form = Form::compile(definition).unwrap();
    survey_forms::workbook::write_markdown(&survey_forms::xlsform::write(form.definition()))
        .unwrap()
        .into()
}

#[test]
fn pictures_reach_the_server_and_are_erased_with_their_response() {
    let folder = tempfile::tempdir().unwrap();
    let form = folder.path().join("pictures.md");
    std::fs::write(&form, form_with_picture()).unwrap();
    let installation = Installation::with_form(&form);
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    phone.ask("open_interview", json!({ "unit": "A1" })).unwrap();
    let path = json!({ "instance": null, "question": "photo" });
    let keep = |phone: &mut Handset, picture: &[u8]| {
        let argument = json!({ "path": path, "name": "IMG_1.JPG", "type": "image/jpeg", "bytes": 1 });
        let (kept, _) = phone.call("keep_attachment", argument, vec![picture.to_vec()]).unwrap();
        assert_eq!(kept["refused"], Value::Null);
        let questions = kept["interview"]["step"]["questions"].as_array().unwrap();
        questions.iter().find(|question| question["kind"] == "image").unwrap()["value"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let blurred = keep(&mut phone, b"a blurred picture");
    let sharp = keep(&mut phone, b"a sharp picture");
    phone.restart();
    let (shown, parts) = phone.call("attachment", json!({ "name": sharp }), Vec::new()).unwrap();
    assert_eq!(
        (&shown["type"], &parts[shown["bytes"].as_u64().unwrap() as usize][..]),
        (&json!("image/jpeg"), &b"a sharp picture"[..])
    );
    phone.ask("leave_interview", Value::Null).unwrap();
    // What nobody named in the end is kept nowhere, and what is not sent is not to be wiped.
    assert_eq!(
        phone.ask("attachment", json!({ "name": blurred })).unwrap(),
        Value::Null
    );
    assert!(phone.storage.draft);
    assert_eq!(phone.unsent().len(), 1);
    let state = phone.sync();
    assert_eq!(
        (&state["problem"], &state["unsentResponses"]),
        (&Value::Null, &json!(0))
    );
    assert!(!phone.storage.draft);

    let files = folder.path().join("files");
    let export = ["export", "attachments", "--output", files.to_str().unwrap()];
    installation.run(&export).failure();
    installation
        .run(&[&export[..], &["--with-identifying"]].concat())
        .success();
    assert_eq!(
        std::fs::read(files.join("A1").join(&sharp)).unwrap(),
        b"a sharp picture"
    );
    assert!(!files.join("A1").join(&blurred).exists());

    // Names that are not their content's, foreign hamlets and strangers are refused.
    let token = phone.token();
    let put = |unit: &str, name: &str, token: &str| {
        let address = format!(
            "http://{}/api/v1/rounds/{}/units/{unit}/attachments/{name}",
            server.address, installation.round
        );
        let request = khaosat_tests::phone::agent()
            .put(address)
            .header("authorization", format!("Bearer {token}"));
        request.send(&b"a sharp picture"[..]).unwrap().status().as_u16()
    };
    assert_eq!(put("A1", &sharp, &token), 204);
    assert_eq!(put("A1", &blurred, &token), 422);
    assert_eq!(put("A1", "photo.jpg", &token), 400);
    assert_eq!(put("B1", &sharp, &token), 404);
    assert_eq!(put("A1", &sharp, "stranger"), 401);

    installation
        .run(&["response", "erase", "A1", "--reason", "Yêu cầu"])
        .success();
    assert_eq!(put("A1", &sharp, &token), 410);
    drop(server);
    for entry in std::fs::read_dir(installation.data()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let holds = bytes.windows(15).any(|window| window == b"a sharp picture");
        assert!(!holds, "{}", path.display());
    }
}

#[test]
fn a_copied_phone_takes_a_new_key_and_nothing_is_lost() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    phone.interview("A1", "Nguyễn Thị Hoa");
    phone.ask("leave_interview", Value::Null).unwrap();
    phone.sync();
    let mut copy = Handset::with_storage(server.address, phone.storage.clone());
    for (phone, remark) in [(&mut phone, "Máy gốc"), (&mut copy, "Máy sao")] {
        phone.ask("open_interview", json!({ "unit": "A1" })).unwrap();
        phone.answer("remarks", json!(remark));
        phone.ask("leave_interview", Value::Null).unwrap();
        phone.interview(if remark == "Máy sao" { "A2" } else { "A3" }, "Trần Văn Bé");
        phone.ask("leave_interview", Value::Null).unwrap();
    }
    let mut invited = 0;
    for _ in 0..3 {
        for phone in [&mut phone, &mut copy] {
            phone.now += 10 * 60_000;
            phone.restart();
            let state = phone.sync();
            // One of the two took the key over; the other is told to ask for an invitation, and goes on with that.
            if state["problem"]["type"] == "/problems/device-succeeded" {
                invited += 1;
                let state = phone.enrol(&installation.invite(&[HAMLET]));
                assert_eq!(state["problem"], Value::Null);
            } else {
                assert_eq!(state["problem"], Value::Null);
            }
        }
    }
    assert_eq!(invited, 1);
    assert_eq!((phone.unsent().len(), copy.unsent().len()), (0, 0));
    let mut conflicts = 0;
    for phone in [&mut phone, &mut copy] {
        conflicts += phone.line("A1")["conflicts"].as_u64().unwrap();
        assert_eq!(phone.line("A2")["status"], "sent");
        assert_eq!(phone.line("A3")["status"], "sent");
    }
    assert_eq!(conflicts, 2);
}

#[test]
fn a_volunteer_takes_his_name_from_a_team_also_when_an_answer_is_lost() {
    let installation = Installation::new();
    let server = installation.serve();
    let team = ["device", "invite", "--hamlet", HAMLET, "--team", "Trần Thị B, Lê Văn C"];
    let code = installation.run(&team).success().text().trim().to_owned();
    let free = |phone: &mut Handset| {
        phone.ask("begin_invitation", json!({ "code": code })).unwrap();
        assert_eq!(phone.exchange()["problem"], Value::Null);
        phone.ask("invited", Value::Null).unwrap()["names"].clone()
    };
    let take = |phone: &mut Handset, name: &str| {
        let argument = json!({ "code": code, "name": name });
        phone.ask("begin_enrolment", argument).unwrap();
    };

    // The server has heard it, and the phone is switched off before it learns of that.
    let mut one = Handset::new(server.address);
    assert_eq!(free(&mut one), json!(["Trần Thị B", "Lê Văn C"]));
    take(&mut one, "Lê Văn C");
    one.step_without_answer();
    one.restart();
    let mut other = Handset::new(server.address);
    assert_eq!(free(&mut other), json!(["Trần Thị B"]));
    assert_eq!(free(&mut one), json!(["Trần Thị B", "Lê Văn C"]));

    take(&mut other, "Lê Văn C");
    assert_eq!(other.exchange()["problem"]["type"], "/problems/name-taken");
    for (phone, name) in [(&mut one, "Lê Văn C"), (&mut other, "Trần Thị B")] {
        take(phone, name);
        assert_eq!(phone.exchange()["problem"], Value::Null);
        assert_eq!(phone.ask("assignment", Value::Null).unwrap()["volunteer"], name);
    }

    // What others see is the name that was taken.
    assert!(one.interview("A1", "Nguyễn Thị Hoa"));
    one.ask("leave_interview", Value::Null).unwrap();
    one.sync();
    assert!(
        installation
            .run(&["device", "list"])
            .success()
            .text()
            .contains("Lê Văn C")
    );
}
