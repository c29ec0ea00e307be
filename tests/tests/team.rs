//! A team's invitation over HTTP: one code, and every phone takes a name of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::sync::Barrier;

use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::{Answer, agent, enrolment_request, try_enrol};
use serde_json::{Value, json};
use sync_core::device::DeviceKey;

const HAMLET: &str = "28249-01";
const TEAM: &str = "Nguyễn Văn A, Trần Thị B, Lê Văn C";

fn invite(installation: &Installation, more: &[&str]) -> String {
    let arguments = [&["device", "invite", "--hamlet", HAMLET], more].concat();
    let told = installation.run(&arguments).success().text().to_owned();
    told.lines().next().unwrap().to_owned()
}

fn key(number: u8) -> DeviceKey {
    DeviceKey::from_secret(&[number; 32])
}

fn take(server: &Server, number: u8, code: &str, name: Option<&str>) -> Answer {
    let mut request = enrolment_request(&key(number), code);
    if let Some(name) = name {
        request["name"] = json!(name);
    }
    try_enrol(server.address, &request)
}

fn ask(server: &Server, question: &Value) -> Answer {
    let address = format!("http://{}/api/v1/devices/invitation", server.address);
    Answer::read(agent().post(address).send_json(question).unwrap())
}

fn free(server: &Server, code: &str) -> Value {
    let answer = ask(server, &json!({ "code": code }));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["names"].clone()
}

fn names(installation: &Installation) -> Vec<String> {
    let listed = installation
        .run(&["device", "list", "--format", "json"])
        .success()
        .json();
    let devices = listed.as_array().unwrap().iter();
    let mut names: Vec<String> = devices
        .map(|device| device["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn problem(answer: &Answer) -> String {
    answer.json()["type"].as_str().unwrap().to_owned()
}

#[test]
fn every_phone_of_a_team_takes_a_name_that_nobody_has() {
    let installation = Installation::new();
    let server = installation.serve();
    let code = invite(&installation, &["--team", TEAM]);
    assert_eq!(free(&server, &code), json!(["Nguyễn Văn A", "Trần Thị B", "Lê Văn C"]));

    assert_eq!(problem(&take(&server, 1, &code, None)), "/problems/name-needed");
    let taken = take(&server, 1, &code, Some("Trần Thị B"));
    assert_eq!(taken.status, 201, "{taken:?}");
    assert_eq!(taken.json()["hamlets"], json!([HAMLET]));
    assert_eq!(free(&server, &code), json!(["Nguyễn Văn A", "Lê Văn C"]));

    let refused = take(&server, 2, &code, Some("Trần Thị B"));
    assert_eq!(
        (refused.status, problem(&refused).as_str()),
        (409, "/problems/name-taken")
    );
    let refused = take(&server, 2, &code, Some("Ai đó"));
    assert_eq!(
        (refused.status, problem(&refused).as_str()),
        (409, "/problems/name-taken")
    );
    assert_eq!(take(&server, 2, &code, Some("Lê Văn C")).status, 201);
    assert_eq!(names(&installation), ["Lê Văn C", "Trần Thị B"]);
}

#[test]
fn a_phone_whose_answer_was_lost_still_has_its_name_and_may_take_another() {
    let installation = Installation::new();
    let server = installation.serve();
    let code = invite(&installation, &["--team", TEAM]);
    assert_eq!(take(&server, 1, &code, Some("Lê Văn C")).status, 201);
    let question = json!({ "code": code, "public_key": key(1).public().to_string() });
    let own = ask(&server, &question).json()["names"].clone();
    assert_eq!(own, json!(["Nguyễn Văn A", "Trần Thị B", "Lê Văn C"]));
    assert_eq!(take(&server, 1, &code, Some("Lê Văn C")).status, 201);
    assert_eq!(take(&server, 1, &code, Some("Nguyễn Văn A")).status, 201);
    assert_eq!(free(&server, &code), json!(["Trần Thị B", "Lê Văn C"]));
    assert_eq!(names(&installation), ["Nguyễn Văn A"]);
}

#[test]
fn of_phones_that_take_one_name_at_once_one_gets_it() {
    let installation = Installation::new();
    let server = installation.serve();
    let code = invite(&installation, &["--team", TEAM]);
    let start = Barrier::new(8);
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let phones: Vec<_> = (1..=8)
            .map(|number| {
                let (start, server, code) = (&start, &server, &code);
                scope.spawn(move || {
                    start.wait();
                    take(server, number, code, Some("Trần Thị B")).status
                })
            })
            .collect();
        phones.into_iter().map(|phone| phone.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(names(&installation), ["Trần Thị B"]);
}

#[test]
fn an_invitation_for_one_phone_goes_on_as_it_was() {
    let installation = Installation::new();
    let server = installation.serve();
    let code = invite(&installation, &["--name", "Võ Thị D"]);
    assert_eq!(free(&server, &code), Value::Null);
    assert_eq!(take(&server, 1, &code, None).status, 201);
    assert_eq!(names(&installation), ["Võ Thị D"]);
    // It is used up, and tells nobody else that it ever was one.
    let refused = ask(&server, &json!({ "code": code }));
    assert_eq!(
        (refused.status, problem(&refused).as_str()),
        (403, "/problems/unknown-code")
    );
    let refused = ask(&server, &json!({ "code": "0000-0000-0000-0000" }));
    assert_eq!(
        (refused.status, problem(&refused).as_str()),
        (403, "/problems/unknown-code")
    );
}

#[test]
fn the_names_may_stand_in_a_file_and_the_link_becomes_a_picture() {
    let installation = Installation::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("to.txt");
    std::fs::write(&file, "\u{feff}Nguyễn Văn A\r\nTrần Thị B, Tổ 2\r\n\r\n").unwrap();
    let picture = folder.path().join("ma.svg");
    let arguments = [
        ["device", "invite"],
        ["--hamlet", HAMLET],
        ["--team-file", file.to_str().unwrap()],
        ["--address", "https://khaosat.example/"],
        ["--qr", picture.to_str().unwrap()],
    ];
    let told = installation.run(&arguments.concat()).success().text().to_owned();
    let (code, link) = told.trim().split_once('\n').unwrap();
    assert_eq!(link, format!("https://khaosat.example/phone/#code={code}"));
    assert!(std::fs::read_to_string(picture).unwrap().starts_with("<svg xmlns="));
    let server = installation.serve();
    assert_eq!(free(&server, code), json!(["Nguyễn Văn A", "Trần Thị B, Tổ 2"]));
}

#[test]
fn names_that_cannot_be_told_apart_make_no_invitation() {
    let installation = Installation::new();
    let arguments = ["device", "invite", "--hamlet", HAMLET, "--team", "Lê C, Lê C"];
    let refused = installation.run(&arguments);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("Lê C"), "{refused:?}");
}
