//! Paradata: a phone logs how a visit's answers came about, the log reaches the server, and its times are told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::collections::BTreeMap;

use khaosat_tests::handset::Handset;
use khaosat_tests::installation::{Installation, Server, repository};
use khaosat_tests::phone::Answer;
use khaosat_tests::rows::change;
use serde_bytes::ByteBuf;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use survey_forms::model::{Form, FormNode, Metadata, NodeKind};
use sync_core::exchange::{BatchedFile, Coding, FileBatch, wire};

const HAMLET: &str = "28249-01";
const SECOND: i64 = 1_000;

fn enrolled(installation: &Installation, server: &Server) -> Handset {
    Handset::enrolled(server.address, &installation.invite(&[HAMLET]))
}

/// The household form, with these parameters of its row `audit`; without the row where they are none.
fn form(folder: &tempfile::TempDir, parameters: Option<&[(&str, &str)]>) -> std::path::PathBuf {
    let workbook = std::fs::read(repository().join("forms/household.xlsx")).unwrap();
    let mut definition = survey_forms::xlsform::read(&workbook).unwrap().definition().clone();
    let is_audit = |node: &FormNode| node.kind == NodeKind::Metadata(Metadata::Audit);
    let place = definition.nodes.iter().position(is_audit).unwrap();
    match parameters {
        Some(parameters) => {
            let given = parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            definition.nodes[place].parameters = given.collect();
        }
        None => {
            definition.nodes.remove(place);
            for node in &mut definition.nodes {
                node.parent = node.parent.map(|parent| parent - usize::from(parent > place));
            }
        }
    }
    let form = Form::compile(definition).unwrap();
    let written = survey_forms::workbook::write_markdown(&survey_forms::xlsform::write(form.definition())).unwrap();
    let path = folder.path().join("form.md");
    std::fs::write(&path, written).unwrap();
    path
}

/// The logs that the server has of a unit.
fn logs(installation: &Installation, unit: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    let export = ["export", "attachments", "--with-identifying", "--output"];
    installation
        .run(&[&export[..], &[files.to_str().unwrap()]].concat())
        .success();
    let Ok(entries) = std::fs::read_dir(files.join(unit)) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut read: Vec<String> = paths.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    read.sort();
    read
}

fn rows(installation: &Installation) -> Vec<BTreeMap<String, String>> {
    let exported = installation
        .run(&["export", "paradata", "--with-identifying"])
        .success();
    // No cell of it has a comma.
    let mut lines = exported.text().lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let row = |line: &str| {
        let cells = header.iter().zip(line.split(','));
        cells
            .map(|(name, cell)| ((*name).to_owned(), cell.to_owned()))
            .collect()
    };
    lines.map(row).collect()
}

#[test]
fn a_visit_that_is_killed_again_and_again_is_logged_whole_and_once() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    let began = phone.now;
    phone.ask("open_interview", json!({ "unit": "A1" })).unwrap();
    // Whoever only looks leaves no trace.
    let before = phone.storage.records.len();
    phone.ask("next", Value::Null).unwrap();
    phone.ask("back", Value::Null).unwrap();
    assert_eq!(phone.storage.records.len(), before);
    for (question, value) in [
        ("consent", "yes"),
        ("respondent_name", "Hoa"),
        ("visit_outcome", "partly"),
    ] {
        phone.now += 10 * SECOND;
        phone.answer(question, json!(value));
        // The same again, as whoever types sends it.
        phone.now += SECOND;
        phone.answer(question, json!(value));
        phone.restart();
        phone.now += 60 * SECOND;
        phone.ask("open_interview", json!({ "unit": "A1" })).unwrap();
    }
    phone.now += 5 * SECOND;
    let refused = phone.answer("visit_outcome", json!("a choice that is not there"));
    assert_ne!(refused["refused"], Value::Null);
    phone.ask("go_to", json!({ "step": "end" })).unwrap();
    phone.now += 2 * SECOND;
    phone.restart();
    phone.now += 3 * SECOND;
    phone.ask("leave_interview", Value::Null).unwrap();
    // Nothing of the draft is left, and for a log's sake alone a phone is wiped like any other.
    assert!(!phone.storage.draft);
    let state = phone.sync();
    assert_eq!(state["problem"], Value::Null);

    let read = logs(&installation, "A1");
    assert_eq!(read.len(), 1);
    let at = |seconds: i64| began + seconds * SECOND;
    let expected = [
        "event,node,start,end".to_owned(),
        format!("form start,,{},", at(0)),
        format!("group questions,/data,{},{}", at(0), at(0)),
        format!("end screen,,{},{}", at(0), at(0)),
        format!("group questions,/data,{},{}", at(0), at(11)),
        format!("question,/data/consent,{},{}", at(0), at(11)),
        format!("form resume,,{},", at(71)),
        format!("group questions,/data,{},{}", at(71), at(82)),
        format!("question,/data/respondent_name,{},{}", at(71), at(82)),
        format!("form resume,,{},", at(142)),
        format!("group questions,/data,{},{}", at(142), at(153)),
        format!("question,/data/visit_outcome,{},{}", at(142), at(153)),
        format!("form resume,,{},", at(213)),
        format!("group questions,/data,{},{}", at(213), at(218)),
        format!("constraint error,/data/visit_outcome,{},", at(218)),
        format!("jump,,{},{}", at(218), at(218)),
        format!("end screen,,{},{}", at(218), at(218)),
        format!("form resume,,{},", at(223)),
        format!("form save,,{},", at(223)),
        format!("form exit,,{},", at(223)),
    ];
    let lines: Vec<&str> = read[0].lines().collect();
    assert_eq!(lines, expected, "{}", read[0]);

    let told = rows(&installation);
    let times = |node: &str| {
        let row = told.iter().find(|row| row["node"] == node).unwrap();
        (
            row["unit"].as_str(),
            row["seconds"].as_str(),
            row["visits"].as_str(),
            row["edits"].as_str(),
        )
    };
    assert_eq!(times(""), ("A1", "38.0", "5", ""));
    assert_eq!(times("/data/respondent_name"), ("A1", "11.0", "1", ""));
}

#[test]
fn a_form_that_does_not_ask_for_a_log_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let installation = Installation::with_form(&form(&folder, None));
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    phone.interview("A1", "Hoa");
    phone
        .ask("locate", json!({ "position": [10.36, 106.36, 5.0] }))
        .unwrap();
    phone.ask("leave_interview", Value::Null).unwrap();
    phone.sync();
    assert_eq!(logs(&installation, "A1"), Vec::<String>::new());
    assert_eq!(rows(&installation), []);
}

#[test]
fn positions_are_logged_where_the_form_asks_and_the_volunteer_agreed() {
    let folder = tempfile::tempdir().unwrap();
    let parameters = [
        ("location-priority", "high-accuracy"),
        ("location-min-interval", "10"),
        ("location-max-age", "60"),
        ("track-changes", "true"),
        ("identify-user", "true"),
    ];
    let installation = Installation::with_form(&form(&folder, Some(&parameters)));
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    let assignment = phone.ask("assignment", Value::Null).unwrap();
    assert_eq!(
        (&assignment["asksPositions"], &assignment["positionConsent"]),
        (&json!(true), &Value::Null)
    );
    let here = json!({ "position": [10.36, 106.365, 12.5] });
    // Before anybody agreed.
    let opened = phone.ask("open_interview", json!({ "unit": "A1" })).unwrap();
    assert_eq!(
        opened["positions"],
        json!({ "priority": "high-accuracy", "minInterval": 10_000, "maxAge": 60_000 })
    );
    phone.ask("locate", here.clone()).unwrap();
    phone.answer("consent", json!("yes"));
    phone.answer("respondent_name", json!("Hoa"));
    phone.ask("leave_interview", Value::Null).unwrap();
    let agreed = phone.ask("consent_to_positions", json!({ "agreed": true })).unwrap();
    assert_eq!(agreed["positionConsent"], true);
    phone.restart();
    phone.ask("open_interview", json!({ "unit": "A2" })).unwrap();
    phone.ask("locate", here).unwrap();
    phone.answer("consent", json!("yes"));
    phone.answer("respondent_name", json!("Hoa, \"Sáu\""));
    phone.now += SECOND;
    phone.answer("consent", json!("no"));
    phone.ask("leave_interview", Value::Null).unwrap();
    phone.sync();

    let without = logs(&installation, "A1").pop().unwrap();
    assert!(without.starts_with("event,node,start,end,latitude,longitude,accuracy,old-value,new-value,user\n"));
    assert!(
        !without.contains("106.365") && without.contains("location tracking disabled"),
        "{without}"
    );
    let with = logs(&installation, "A2").pop().unwrap();
    let line = |start: &str| with.lines().find(|line| line.starts_with(start)).unwrap();
    assert!(
        line("question,/data/consent").contains("10.36,106.365,12.5,,yes,Điện thoại"),
        "{with}"
    );
    assert!(
        line("question,/data/respondent_name").contains("\"Hoa, \"\"Sáu\"\"\""),
        "{with}"
    );
    assert!(with.contains("12.5,yes,no,"), "{with}");
    let told = rows(&installation);
    let edited = told
        .iter()
        .find(|row| row["unit"] == "A2" && row["node"] == "/data/consent")
        .unwrap();
    assert_eq!((edited["visits"].as_str(), edited["edits"].as_str()), ("2", "1"));
}

#[test]
fn two_phones_that_visited_one_household_have_a_log_each_and_no_conflict_over_them() {
    let installation = Installation::new();
    let server = installation.serve();
    let (mut one, mut other) = (enrolled(&installation, &server), enrolled(&installation, &server));
    for phone in [&mut one, &mut other] {
        phone.ask("open_interview", json!({ "unit": "A1" })).unwrap();
        phone.now += SECOND;
        phone.answer("consent", json!("yes"));
        phone.ask("leave_interview", Value::Null).unwrap();
    }
    one.sync();
    other.sync();
    one.sync();
    for phone in [&mut one, &mut other] {
        assert_eq!(phone.ask("conflicts", json!({ "unit": "A1" })).unwrap(), json!([]));
    }
    let whole = rows(&installation).into_iter().filter(|row| row["node"].is_empty());
    let devices: std::collections::BTreeSet<String> = whole.map(|row| row["device"].clone()).collect();
    assert_eq!(devices.len(), 2);

    // Without being asked for as such, units and devices have pseudonyms.
    let exported = installation.run(&["export", "paradata"]).success();
    let text = exported.text();
    assert!(text.starts_with("simulated,round,unit,device,visit,node,seconds,visits,edits\n"));
    assert!(!text.contains(",A1,") && devices.iter().all(|device| !text.contains(device)));
}

#[test]
fn rubbish_in_a_log_is_told_by_line() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    phone.interview("A1", "Hoa");
    phone.ask("leave_interview", Value::Null).unwrap();
    // The answers come, and of the log something else than the phone wrote, by a phone that was tampered with.
    phone.sync();
    server.kill();
    change(
        &installation.data(),
        "UPDATE attachment SET bytes = CAST('event,node,start,end
question,/data/a,1,2501
question,/data/a,soon,2
question,/data/b' AS BLOB)",
    );
    let exported = installation
        .run(&["export", "paradata", "--with-identifying"])
        .success();
    let read: Vec<&str> = exported.text().lines().skip(1).collect();
    assert!(read.len() == 2 && read[1].ends_with(",/data/a,2.5,1,"), "{read:?}");
    assert!(
        exported.stderr.contains(", dòng 3: start không phải là thời điểm"),
        "{}",
        exported.stderr
    );
    assert!(exported.stderr.contains(", dòng 4: "), "{}", exported.stderr);
}

#[test]
fn the_logs_of_a_day_travel_together() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    let units: Vec<String> = (1..=9).map(|number| format!("A{number}")).collect();
    for unit in &units {
        phone.interview(unit, "Hoa");
        phone.now += 15 * 60 * SECOND;
        phone.ask("leave_interview", Value::Null).unwrap();
    }
    phone.ask("begin_sync", Value::Null).unwrap();
    let mut requests = 0;
    while phone.step() {
        requests += 1;
    }
    // The answers, all logs, and nothing for each.
    assert!(requests <= 4, "{requests} requests");
    assert!(units.iter().all(|unit| logs(&installation, unit).len() == 1));

    let bearer = format!("Bearer {}", phone.token());
    let send = |files: Vec<BatchedFile>| {
        let address = format!(
            "http://{}/api/v1/rounds/{}/attachments",
            server.address, installation.round
        );
        let request = khaosat_tests::phone::agent()
            .post(address)
            .header("authorization", &bearer)
            .header("content-type", wire::CONTENT_TYPE)
            .header("content-encoding", Coding::Deflate.name());
        let body = wire::encode_as(&FileBatch { files }, Coding::Deflate).unwrap();
        Answer::read(request.send(&body[..]).unwrap())
    };
    let file = |unit: &str, content: &str, name: Option<&str>| {
        let hash = Sha256::digest(content.as_bytes());
        let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        BatchedFile {
            unit: unit.to_owned(),
            name: name.map_or_else(|| format!("{digits}.csv"), str::to_owned),
            media_type: "text/csv".to_owned(),
            bytes: ByteBuf::from(content),
        }
    };
    // Each has its own answer, and what is wrong with one holds up no other.
    let sent = vec![
        file("A1", "event", None),
        file("A1", "event", None),
        file("B1", "event", None),
        file("A2", "event", Some("audit.csv")),
        file("A2", "event", Some("00000000000000000000000000000000.csv")),
        file("A3", "event,node", None),
    ];
    let answer = send(sent);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["statuses"], json!([201, 204, 404, 400, 422, 201]));
    assert_eq!(logs(&installation, "A3").len(), 2);
    assert_eq!(send(vec![file("A1", "event", None); 1_001]).status, 413);
    let whole = "x".repeat(5 << 20);
    assert_eq!(
        send(vec![file("A1", &whole, None), file("A1", &whole, None)]).status,
        413
    );
    installation
        .run(&["response", "erase", "A1", "--reason", "Yêu cầu"])
        .success();
    assert_eq!(send(vec![file("A1", "event", None)]).json()["statuses"], json!([410]));
}

#[test]
fn the_next_member_takes_over_what_the_form_allows() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    phone.interview("A1", "Hoa");
    let added = phone
        .ask("add_instance", json!({ "repeat": "members", "parent": null }))
        .unwrap();
    let second = added["step"]["instance"]["id"].clone();
    let question = |interview: &Value, name: &str| {
        let questions = interview["step"]["questions"].as_array().unwrap();
        let found = questions.iter().find(|question| question["path"]["question"] == name);
        found.cloned().unwrap_or(Value::Null)
    };
    assert_eq!(
        question(&added, "lives_here")["previous"],
        json!({ "value": "yes", "shown": "Có" })
    );
    // Only where the form allows it, and only while nobody answered.
    assert_eq!(question(&added, "sex")["previous"], Value::Null);
    let answered = phone.answer_at(second.clone(), "lives_here", json!("no"));
    assert_eq!(question(&answered["interview"], "lives_here")["previous"], Value::Null);
    phone.answer_at(second.clone(), "lives_here", Value::Null);
    phone.answer_at(second.clone(), "birth_year", json!(2000));

    // Whether the person uses the Internet is asked only once it is known that they live here.
    assert_eq!(
        question(&phone.ask("interview", Value::Null).unwrap(), "online"),
        Value::Null
    );
    let filled = phone.ask("answer_as_previous", json!({ "instance": second })).unwrap();
    assert_eq!(question(&filled, "lives_here")["value"], "yes");
    assert_eq!(question(&filled, "online")["value"], "yes");
    assert_eq!(question(&filled, "sex")["value"], Value::Null);
    assert_eq!(filled["step"]["instance"]["previous"], 0);
    // The first one has nobody before them.
    phone.restart();
    let kept = phone.ask("interview", Value::Null).unwrap();
    let sections = kept["sections"].as_array().unwrap();
    let members = sections
        .iter()
        .find(|section| section["label"] == "Thành viên trong hộ")
        .unwrap();
    let roster = phone.ask("go_to", json!({ "step": members["step"] })).unwrap();
    let previous: Vec<&Value> = roster["step"]["instances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|instance| &instance["previous"])
        .collect();
    assert_eq!(previous, [&json!(0), &json!(0)]);
}

#[test]
fn what_looks_odd_is_told_and_is_in_nobodys_way() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server);
    phone.interview("A1", "Nguyễn Thị Hoa");
    phone.now += 40 * SECOND;
    let hints = |phone: &mut Handset| -> Vec<String> {
        let end = phone.ask("go_to", json!({ "step": "end" })).unwrap();
        let hints = end["hints"].as_array().unwrap().iter();
        hints.map(|hint| hint["text"].as_str().unwrap().to_owned()).collect()
    };
    let told = hints(&mut phone);
    assert!(told.len() == 1 && told[0].contains("40 giây"), "{told:?}");
    phone.now += 60 * SECOND;
    assert_eq!(hints(&mut phone), Vec::<String>::new());
    let mut add = |name: &str, relation: &str, birth_year: i64| {
        let added = phone
            .ask("add_instance", json!({ "repeat": "members", "parent": null }))
            .unwrap();
        let id = added["step"]["instance"]["id"].clone();
        for (question, value) in [
            ("member_name", json!(name)),
            ("relation", json!(relation)),
            ("birth_year", json!(birth_year)),
        ] {
            assert_eq!(phone.answer_at(id.clone(), question, value)["refused"], Value::Null);
        }
        let told = hints(&mut phone);
        phone
            .ask("remove_instance", json!({ "repeat": "members", "instance": id }))
            .unwrap();
        told
    };
    // The head was born in 1980.
    assert_eq!(add("Lan", "child", 2005), Vec::<String>::new());
    for (name, relation, birth_year, expected) in [
        ("Lan", "child", 1990, "Con không kém chủ hộ đủ 15 tuổi"),
        ("Lan", "child", 1970, "Con không kém chủ hộ đủ 15 tuổi"),
        ("Lan", "parent", 1970, "Cha mẹ không hơn chủ hộ đủ 15 tuổi"),
        ("Lan", "spouse", 2010, "chưa đủ tuổi kết hôn"),
        ("nguyễn  thị hoa", "sibling", 1980, "Có hai người cùng tên"),
    ] {
        let told = add(name, relation, birth_year);
        assert!(
            told.len() == 1 && told[0].contains(expected),
            "{name}, {relation}: {told:?}"
        );
    }
    // One name, and another year: two people.
    assert_eq!(add("Nguyễn Thị Hoa", "sibling", 1984), Vec::<String>::new());
    phone.ask("leave_interview", Value::Null).unwrap();
    assert_eq!(phone.line("A1")["status"], "finished");
}
