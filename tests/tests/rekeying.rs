//! Phones that were cloned or restored from a backup, and keys that take the place of others, against a real server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::collections::BTreeSet;

use khaosat_tests::installation::{Installation, Server, run};
use khaosat_tests::phone::{Phone, agent, enrolment_request, new_key, rotation_request, try_enrol};
use survey_forms::answers::{AnswerPath, Answers as _, AnswersMut as _, InstanceId, Value};
use sync_core::device::{DeviceKey, Succession};
use sync_core::exchange::wire;
use sync_core::response::Response;

const HAMLETS: [&str; 1] = ["28249-01"];

fn say(phone: &mut Phone, unit: &str, question: &str, value: &str) {
    let (path, value) = (AnswerPath::top(question), Value::Text(value.to_owned()));
    phone.edit(unit, |edit| edit.put_answer(&path, &value)).unwrap();
}

/// What a question of a response shows: its answer, or each of those that are in conflict.
fn shown(response: &Response, question: &str) -> BTreeSet<String> {
    let (reading, path) = (response.read(), AnswerPath::top(question));
    let conflict = reading.conflicts.iter().find(|conflict| conflict.path == path);
    let values = match conflict {
        Some(conflict) => conflict.values(),
        None => vec![reading.answers.answer(&path)],
    };
    values.into_iter().flatten().map(|value| value.to_string()).collect()
}

fn texts<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A phone and the same phone as a backup of it made another one, both in the field.
fn clones(installation: &Installation, server: &Server) -> (Phone, Phone) {
    let mut phone = Phone::of(installation, server, &HAMLETS, 1);
    say(&mut phone, "A1", "smartphone", "no");
    phone.sync();
    let clone = phone.copied();
    (phone, clone)
}

#[test]
fn what_two_phones_wrote_with_one_key_arrives_and_counts_once() {
    let installation = Installation::new();
    let server = installation.serve();
    let (mut phone, mut clone) = clones(&installation, &server);
    let old_key = phone.key.public();

    // The same question, different questions, a household that only one of them visits, a person in the household.
    say(&mut phone, "A1", "fibre_available", "yes");
    say(&mut phone, "A1", "note_end", "by the bridge");
    say(&mut clone, "A1", "fibre_available", "no");
    say(&mut clone, "A1", "dwelling", "house");
    say(&mut clone, "A2", "smartphone", "yes");
    let member = InstanceId::new("m1");
    clone
        .edit("A1", |edit| {
            edit.add_instance("members", None, &member)?;
            let age = AnswerPath {
                instance: Some(member.clone()),
                question: "age".to_owned(),
            };
            edit.put_answer(&age, &Value::Integer(41))
        })
        .unwrap();
    phone.sync();
    clone.sync();
    assert_eq!(clone.client.unacknowledged(), 0);
    assert!(clone.client.refused().is_empty());
    assert_ne!(clone.key.public(), old_key, "the clone has another key");

    // The key of the other one serves no more; it enrols anew, and nothing that it had not sent is lost.
    say(&mut phone, "A1", "dwelling", "flat");
    say(&mut phone, "A3", "smartphone", "yes");
    let request = phone.client.request(&phone.key, 0, usize::MAX);
    let refused = phone.post(&wire::encode(&request).unwrap());
    assert_eq!(
        (refused.status, refused.json()["type"].as_str()),
        (403, Some("/problems/device-succeeded"))
    );
    phone.client.disconnected();
    phone.enrol_anew(&installation.invite(&HAMLETS));
    phone.sync();
    assert_eq!(phone.client.unacknowledged(), 0);
    clone.sync();

    let mut fresh = Phone::of(&installation, &server, &HAMLETS, 9);
    fresh.sync();
    for other in [&phone, &clone] {
        for unit in ["A1", "A2", "A3"] {
            assert_eq!(other.responses[unit].heads(), fresh.responses[unit].heads(), "{unit}");
        }
    }
    let first = &fresh.responses["A1"];
    for (question, values) in [
        ("smartphone", texts(["no"])),
        ("fibre_available", texts(["yes", "no"])),
        ("note_end", texts(["by the bridge"])),
        ("dwelling", texts(["house", "flat"])),
    ] {
        assert_eq!(shown(first, question), values, "{question}");
    }
    assert_eq!(first.read().answers.instances("members", None), [member]);
    assert_eq!(shown(&fresh.responses["A2"], "smartphone"), texts(["yes"]));
    assert_eq!(shown(&fresh.responses["A3"], "smartphone"), texts(["yes"]));

    let overview = server.current_overview();
    assert_eq!(overview["coverage"]["received"], 3, "{overview}");
    assert_eq!(overview["coverage"]["open_conflicts"], 2, "{overview}");
    // The clone, the phone that enrolled anew, and the fresh one.
    assert_eq!(overview["freshness"]["devices_enrolled"], 3, "{overview}");
}

/// A phone whose disk was set back writes again under numbers that it has used.
#[test]
fn a_phone_restored_from_a_backup_loses_nothing_that_it_writes_then() {
    let installation = Installation::new();
    let server = installation.serve();
    let (mut lost, mut restored) = clones(&installation, &server);
    say(&mut lost, "A1", "fibre_available", "yes");
    lost.sync();
    drop(lost);
    say(&mut restored, "A1", "note_end", "mới");
    restored.sync();
    assert_eq!(restored.client.unacknowledged(), 0);
    assert_eq!(shown(&restored.responses["A1"], "fibre_available"), texts(["yes"]));
    assert_eq!(shown(&restored.responses["A1"], "note_end"), texts(["mới"]));
    // It goes on as any phone.
    say(&mut restored, "A1", "note_end", "cuối");
    restored.sync();
    let mut fresh = Phone::of(&installation, &server, &HAMLETS, 9);
    fresh.sync();
    assert_eq!(shown(&fresh.responses["A1"], "note_end"), texts(["cuối"]));
}

#[test]
fn what_the_old_key_had_not_sent_comes_by_the_new_one() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &HAMLETS, 1);
    let old_token = phone.token.clone();
    say(&mut phone, "A1", "smartphone", "yes");
    phone.rotate();
    say(&mut phone, "A1", "fibre_available", "no");
    phone.rotate();
    say(&mut phone, "A2", "smartphone", "no");
    phone.sync();
    assert_eq!(phone.client.unacknowledged(), 0);
    assert!(phone.client.refused().is_empty());
    let authors: BTreeSet<_> = phone.responses["A1"]
        .changes()
        .iter()
        .map(|change| change.actor_id().clone())
        .collect();
    assert_eq!(authors.len(), 2, "what was written is as it was signed");

    // Somebody who has the first key and its token can write nothing more.
    let mut thief = phone.copied();
    thief.token = old_token;
    say(&mut thief, "A3", "smartphone", "no");
    let request = thief.client.request(&thief.key, 0, usize::MAX);
    assert_eq!(thief.post(&wire::encode(&request).unwrap()).status, 403);
    let code = installation.invite(&HAMLETS);
    let again = try_enrol(server.address, &enrolment_request(&thief.key, &code));
    assert_eq!(
        (again.status, again.json()["type"].as_str()),
        (403, Some("/problems/device-succeeded"))
    );
    let other = thief.try_rotate(&Succession::sign(&thief.key, &new_key()));
    assert_eq!(
        (other.status, other.json()["type"].as_str()),
        (403, Some("/problems/device-succeeded"))
    );

    // The code was not used up by it.
    let fresh = Phone::enrol(server.address, installation.round, &code, 9);
    assert_eq!(fresh.try_rotate(&Succession::sign(&thief.key, &fresh.key)).status, 403);
}

#[test]
fn a_lost_answer_to_a_rotation_costs_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &HAMLETS, 1);
    say(&mut phone, "A1", "smartphone", "yes");
    let key = new_key();
    let succession = Succession::sign(&phone.key, &key);
    let token = |phone: &Phone| {
        let answer = phone.try_rotate(&succession);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["token"].as_str().unwrap().to_owned()
    };
    let (first, second) = (token(&phone), token(&phone));
    assert_ne!(first, second);
    phone.token = second.clone();
    let third = token(&phone);
    // Only the last one counts.
    for (token, status) in [(first, 401), (second, 401), (third, 200)] {
        phone.token = token;
        let request = phone.client.request(&key, 0, usize::MAX);
        let answer = phone.post(&wire::encode(&request).unwrap());
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[test]
fn misuse_is_told_by_name_in_vietnamese_and_english() {
    let installation = Installation::new();
    let server = installation.serve();
    let phone = Phone::of(&installation, &server, &HAMLETS, 1);
    let other = Phone::of(&installation, &server, &HAMLETS, 2);
    let (key, unknown) = (new_key(), DeviceKey::from_secret(&[77; 32]));
    let honest = Succession::sign(&phone.key, &key);
    let forged = Succession {
        by_predecessor: honest.by_successor,
        ..honest
    };
    for (succession, status, problem) in [
        (forged, 422, "wrong-signature"),
        (Succession::sign(&phone.key, &phone.key), 400, "malformed-succession"),
        (Succession::sign(&other.key, &key), 403, "other-device"),
        (Succession::sign(&unknown, &phone.key), 403, "other-device"),
        (Succession::sign(&phone.key, &other.key), 409, "key-in-use"),
    ] {
        let answer = phone.try_rotate(&succession);
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.content_type, "application/problem+json");
        assert_eq!(answer.json()["type"], format!("/problems/{problem}"));
    }

    let post = |token: Option<&str>, language: &str, body: &str| {
        let mut request = agent()
            .post(format!("http://{}/api/v1/devices/rotate", server.address))
            .header("content-type", "application/json")
            .header("accept-language", language);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut answer = request.send(body).unwrap();
        let json: serde_json::Value = answer.body_mut().read_json().unwrap();
        (answer.status().as_u16(), json["detail"].as_str().unwrap().to_owned())
    };
    let valid = rotation_request(&honest).to_string();
    assert_eq!(post(None, "vi", &valid).0, 401);
    assert_eq!(post(Some("0000"), "vi", &valid).0, 401);
    for body in ["", "{", "[]", "{\"predecessor\":1}", "\u{0}"] {
        assert_eq!(post(Some(&phone.token), "vi", body).0, 400, "{body:?}");
    }
    let mut short = rotation_request(&honest);
    short["by_successor"] = "ab".into();
    let short = short.to_string();
    let (status, detail) = post(Some(&phone.token), "vi", &short);
    assert_eq!(
        (status, detail.as_str()),
        (400, "by_successor: cần 128 chữ số thập lục phân")
    );
    let (_, detail) = post(Some(&phone.token), "en", &short);
    assert_eq!(detail, "by_successor: 128 hexadecimal digits are needed");

    // Nothing of all this has changed anything.
    assert_eq!(phone.try_rotate(&honest).status, 201);
}

#[test]
fn a_roster_tells_other_installations_of_the_succession() {
    let (here, there) = {
        let here = Installation::new();
        let there = here.twin();
        (here, there)
    };
    let server = here.serve();
    let mut phone = Phone::of(&here, &server, &HAMLETS, 1);
    let old = phone.key.public();
    phone.rotate();
    let file = there.data().join("roster.txt");
    let done = run([
        "device".as_ref(),
        "export".as_ref(),
        "--output".as_ref(),
        file.as_os_str(),
        "--data".as_ref(),
        here.data().as_os_str(),
    ]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let text = std::fs::read_to_string(&file).unwrap();
    let key = text.split(' ').nth(2).unwrap().to_owned();
    let done = run([
        "device".as_ref(),
        "import".as_ref(),
        "--from".as_ref(),
        key.as_ref(),
        "--data".as_ref(),
        there.data().as_os_str(),
        file.as_os_str(),
    ]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));

    // The old key is replaced there too.
    let server = there.serve();
    let code = there.invite(&HAMLETS);
    let old_key = DeviceKey::from_secret(&[1; 32]);
    assert_eq!(old_key.public(), old);
    let refused = try_enrol(server.address, &enrolment_request(&old_key, &code));
    assert_eq!(
        (refused.status, refused.json()["type"].as_str()),
        (403, Some("/problems/device-succeeded"))
    );
}
