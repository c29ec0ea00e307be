//! A leader's and a volunteer's phone: decisions are made without a network, survive every stop, and reach the other.

use khaosat_tests::handset::Handset;
use khaosat_tests::installation::{Installation, Server};
use serde_json::{Value, json};

use crate::HAMLETS;

const TEN_MINUTES: i64 = 10 * 60_000;

fn enrolled(server: &Server, code: &str) -> Handset {
    let mut handset = Handset::new(server.address);
    let state = handset.enrol(code);
    assert_eq!(state["problem"], Value::Null);
    handset
}

fn leader_and_volunteer(installation: &Installation, server: &Server) -> (Handset, Handset) {
    let volunteer = enrolled(server, &installation.invite(&HAMLETS[..1]));
    let leader = enrolled(server, &installation.invite_leader(&HAMLETS[..1]));
    (leader, volunteer)
}

/// A whole interview that took so many minutes, sent.
fn interviews(phone: &mut Handset, unit: &str, person: &str, minutes: i64) {
    assert!(phone.interview(unit, person));
    phone.now += minutes * 60_000;
    phone.ask("leave_interview", Value::Null).unwrap();
    phone.sync();
}

/// Opens a finished interview again and corrects an answer.
fn corrects(phone: &mut Handset, unit: &str) {
    phone.ask("open_interview", json!({ "unit": unit })).unwrap();
    phone.answer("fibre_provider", json!("fpt"));
    phone.ask("leave_interview", Value::Null).unwrap();
}

fn review(phone: &mut Handset, unit: &str, state: &str, reason: &str) -> Result<Value, Value> {
    let decision = json!({ "review": { "state": state, "reason": reason } });
    phone.ask("decide", json!({ "units": [unit], "decision": decision }))
}

fn interview(team: &Value, unit: &str) -> Value {
    let mut interviews = team["interviews"].as_array().unwrap().iter();
    interviews.find(|interview| interview["unit"] == unit).unwrap().clone()
}

fn flags(team: &Value, unit: &str) -> Vec<Value> {
    let interview = interview(team, unit);
    let flags = interview["flags"].as_array().unwrap().iter();
    flags.map(|flag| flag["kind"].clone()).collect()
}

fn person(team: &Value, own: bool) -> Value {
    let mut people = team["people"].as_array().unwrap().iter();
    people.find(|person| person["own"] == own).unwrap().clone()
}

#[test]
fn an_interview_goes_back_is_corrected_and_is_received_again() {
    let installation = Installation::new();
    let server = installation.serve();
    let (mut leader, mut volunteer) = leader_and_volunteer(&installation, &server);
    interviews(&mut volunteer, "A1", "Nguyễn Thị Hoa", 15);
    leader.sync();

    // Without a network, and switched off in between.
    let team = review(&mut leader, "A1", "has_issues", "Còn thiếu người").unwrap();
    assert_eq!(team["queue"]["waiting"], 1);
    leader.restart();
    assert_eq!(leader.line("A1")["status"], "attention");
    assert_eq!(leader.line("A1")["review"]["unsent"], true);
    leader.sync();
    let queue = leader.ask("decisions", Value::Null).unwrap();
    assert_eq!(queue, json!({ "waiting": 0, "refused": [] }));
    let line = leader.line("A1");
    assert_eq!(
        (&line["review"]["state"], &line["review"]["unsent"]),
        (&json!("has_issues"), &json!(false))
    );

    volunteer.now += TEN_MINUTES;
    volunteer.sync();
    let line = volunteer.line("A1");
    assert_eq!(line["status"], "attention");
    assert_eq!(line["review"]["reason"], "Còn thiếu người");

    corrects(&mut volunteer, "A1");
    // What was corrected is nobody's finding any more, though it is not sent yet.
    let line = volunteer.line("A1");
    assert_eq!((&line["status"], &line["review"]), (&json!("finished"), &Value::Null));
    volunteer.sync();
    let line = volunteer.line("A1");
    assert_eq!((&line["status"], &line["review"]), (&json!("sent"), &Value::Null));
    leader.sync();
    assert_eq!(leader.line("A1")["review"], Value::Null);
}

#[test]
fn an_approval_that_had_not_seen_the_correction_does_not_count() {
    let installation = Installation::new();
    let server = installation.serve();
    let (mut leader, mut volunteer) = leader_and_volunteer(&installation, &server);
    interviews(&mut volunteer, "A1", "Nguyễn Thị Hoa", 15);
    leader.sync();
    review(&mut leader, "A1", "approved", "").unwrap();
    assert_eq!(leader.line("A1")["review"]["state"], "approved");
    corrects(&mut volunteer, "A1");
    volunteer.sync();
    leader.sync();
    assert_eq!(leader.line("A1")["review"], Value::Null);
    let history = installation
        .run(&["unit", "history", "A1", "--format", "json"])
        .success()
        .json();
    assert_eq!(history[0]["state"], "approved");
}

#[test]
fn households_are_assigned_and_found_again_as_ones_own() {
    let installation = Installation::new();
    let server = installation.serve();
    let (mut leader, mut volunteer) = leader_and_volunteer(&installation, &server);
    leader.now += TEN_MINUTES;
    leader.sync();
    let team = leader.ask("team", Value::Null).unwrap();
    let mate = person(&team, false);
    let decision = json!({ "assign": { "actor": mate["actor"] } });
    let team = leader
        .ask("decide", json!({ "units": ["A1", "A2"], "decision": decision }))
        .unwrap();
    assert_eq!(person(&team, false)["assigned"], 2);
    assert_eq!(leader.line("A1")["mine"], false);
    leader.sync();
    volunteer.now += TEN_MINUTES;
    volunteer.sync();
    assert_eq!(volunteer.line("A1")["mine"], true);
    assert_eq!(volunteer.line("A3")["mine"], false);
    assert_eq!(volunteer.line("A3")["assignee"], Value::Null);

    // Whoever comes may do it all the same, and decides nothing.
    interviews(&mut volunteer, "A3", "Trần Văn Bé", 15);
    assert!(review(&mut volunteer, "A3", "approved", "").is_err());
    assert!(volunteer.ask("team", Value::Null).is_err());
}

#[test]
fn what_is_unusual_is_told_in_words() {
    let installation = Installation::new();
    let server = installation.serve();
    let (mut leader, mut volunteer) = leader_and_volunteer(&installation, &server);
    interviews(&mut volunteer, "A1", "Nguyễn Thị Hoa", 0);
    interviews(&mut volunteer, "A2", "Nguyễn  thị hoa", 15);
    interviews(&mut volunteer, "A3", "Lê Văn Tám", 15);
    for unit in ["A4", "A5", "A6", "A7"] {
        let argument =
            json!({ "unit": unit, "outcome": "nobody_home", "callBackAt": volunteer.now + 1, "position": null });
        volunteer.ask("failed_visit", argument).unwrap();
    }
    volunteer.sync();
    leader.now = volunteer.now + TEN_MINUTES;
    leader.sync();
    let team = leader.ask("team", Value::Null).unwrap();
    assert_eq!(flags(&team, "A1"), ["quick", "same_person"]);
    assert_eq!(flags(&team, "A2"), ["same_person"]);
    assert_eq!(flags(&team, "A3"), Vec::<Value>::new());
    let text = interview(&team, "A2")["flags"][0]["text"].clone();
    assert_eq!(
        text,
        "Nguyễn  thị hoa, sinh năm 1980, cũng có trong phiếu của hộ Hẻm 1."
    );
    let mate = person(&team, false);
    assert_eq!(
        (&mate["done"], &mate["visits"], &mate["failed"]),
        (&json!(3), &json!(7), &json!(4))
    );
    assert_eq!(mate["flag"], "4 trên 7 lần đến không phỏng vấn được.");
    let hamlet = &team["hamlets"][0];
    assert_eq!(
        (&hamlet["done"], &hamlet["callBacks"], &hamlet["due"]),
        (&json!(3), &json!(4), &json!(4))
    );

    let answers = leader.ask("answers", json!({ "unit": "A1" })).unwrap();
    assert_eq!(answers["person"], "Nguyễn Thị Hoa");
    let sections = answers["sections"].as_array().unwrap().iter();
    let shown: Vec<&Value> = sections
        .flat_map(|section| section["answers"].as_array().unwrap())
        .collect();
    let provider = shown.iter().find(|answer| answer["label"] == "Nhà mạng nào cung cấp?");
    assert_eq!(provider.unwrap()["shown"], "VNPT");
    // Whoever only reads leaves no trace.
    let assignment = leader.ask("assignment", Value::Null).unwrap();
    assert_eq!(assignment["openInterview"], Value::Null);
}

#[test]
fn what_the_server_refuses_is_told_and_forgotten_when_it_was_read() {
    let installation = Installation::new();
    let server = installation.serve();
    let (mut leader, mut volunteer) = leader_and_volunteer(&installation, &server);
    interviews(&mut volunteer, "A1", "Nguyễn Thị Hoa", 15);
    leader.sync();
    // Refused on the phone already.
    assert!(review(&mut leader, "A1", "has_issues", " ").is_err());
    assert!(review(&mut leader, "A9", "approved", "").is_err());

    review(&mut leader, "A1", "approved", "").unwrap();
    installation.run(&["round", "close"]).success();
    leader.sync();
    leader.restart();
    let queue = leader.ask("decisions", Value::Null).unwrap();
    let refused = &queue["refused"][0];
    assert_eq!((&refused["unit"], &queue["waiting"]), (&json!("A1"), &json!(0)));
    assert!(refused["detail"].as_str().unwrap().contains("khóa"), "{refused}");
    assert_eq!(leader.line("A1")["review"], Value::Null);
    let argument = json!({ "id": refused["id"] });
    let queue = leader.ask("dismiss_decision", argument).unwrap();
    assert_eq!(queue["refused"], json!([]));
    leader.restart();
    let queue = leader.ask("decisions", Value::Null).unwrap();
    assert_eq!(queue["refused"], json!([]));
}

#[test]
fn a_decision_whose_answer_was_lost_is_sent_again_and_taken_once() {
    let installation = Installation::new();
    let server = installation.serve();
    let (mut leader, mut volunteer) = leader_and_volunteer(&installation, &server);
    interviews(&mut volunteer, "A1", "Nguyễn Thị Hoa", 15);
    leader.sync();
    review(&mut leader, "A1", "approved", "").unwrap();
    let before = leader.storage.clone();
    leader.sync();
    // The phone was switched off before any answer was on its disk, and the server was killed.
    server.kill();
    let server = installation.serve();
    let mut leader = Handset::with_storage(server.address, before);
    let queue = leader.ask("decisions", Value::Null).unwrap();
    assert_eq!(queue["waiting"], 1);
    leader.sync();
    assert_eq!(leader.ask("decisions", Value::Null).unwrap()["waiting"], 0);
    assert_eq!(leader.line("A1")["review"]["state"], "approved");
    let history = installation
        .run(&["unit", "history", "A1", "--format", "json"])
        .success()
        .json();
    assert_eq!(history.as_array().unwrap().len(), 1);
}
