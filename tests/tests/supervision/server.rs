//! What the server takes, from whom, and what it tells.

use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::{Phone, agent};
use serde_json::{Value, json};

use crate::HAMLETS;

/// An answer: status and JSON.
type Answer = (u16, Value);

fn leader(installation: &Installation, server: &Server, hamlets: &[&str], number: u8) -> Phone {
    let code = installation.invite_leader(hamlets);
    Phone::enrol(server.address, installation.round, &code, number)
}

/// Sends a body to the route of decisions.
fn post(installation: &Installation, server: &Server, token: &str, language: &str, body: &str) -> Answer {
    let round = installation.round;
    let mut answer = agent()
        .post(format!("http://{}/api/v1/rounds/{round}/supervision", server.address))
        .header("authorization", &format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header("accept-language", language)
        .send(body)
        .unwrap();
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap())
}

fn send(installation: &Installation, server: &Server, phone: &Phone, decisions: &[Value]) -> Answer {
    let body = json!({ "decisions": decisions }).to_string();
    post(installation, server, &phone.token, "vi", &body)
}

/// A decision with the identity of a number.
fn decision(number: u8, unit: &str, what: Value) -> Value {
    json!({ "id": format!("00000000-0000-4000-8000-0000000000{number:02x}"), "at": 1, "unit": unit, "decision": what })
}

fn assign(number: u8, unit: &str, to: Option<&Phone>) -> Value {
    let actor = to.map(|phone| phone.key.actor().to_string());
    decision(number, unit, json!({ "assign": actor }))
}

fn review(number: u8, unit: &str, state: &str, reason: &str) -> Value {
    decision(number, unit, json!({ "review": { "state": state, "reason": reason } }))
}

/// The reasons of refusals, in the order of the decisions; null for those that were accepted.
fn reasons((status, answer): &Answer) -> Vec<Value> {
    assert_eq!(*status, 200, "{answer}");
    let verdicts = answer["verdicts"].as_array().unwrap().iter();
    verdicts.map(|verdict| verdict["reason"].clone()).collect()
}

/// What the assignment of a phone says of a unit.
fn assigned(installation: &Installation, server: &Server, phone: &Phone, unit: &str) -> Value {
    let units = assignment(installation, server, phone)["units"].clone();
    let mut units = units.as_array().unwrap().iter();
    units.find(|assigned| assigned["code"] == unit).unwrap().clone()
}

fn assignment(installation: &Installation, server: &Server, phone: &Phone) -> Value {
    let round = installation.round;
    let mut answer = agent()
        .get(format!("http://{}/api/v1/rounds/{round}/assignment", server.address))
        .header("authorization", &format!("Bearer {}", phone.token))
        .call()
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.body_mut().read_json().unwrap()
}

fn history(installation: &Installation, unit: &str) -> Vec<Value> {
    let listed = installation
        .run(&["unit", "history", unit, "--format", "json"])
        .success()
        .json();
    listed.as_array().unwrap().clone()
}

fn key(phone: &Phone) -> String {
    phone.key.public().to_string()
}

#[test]
fn only_a_leader_decides_and_only_in_its_own_hamlets() {
    let installation = Installation::new();
    let server = installation.serve();
    let lead = leader(&installation, &server, &HAMLETS[..1], 1);
    let volunteer = Phone::of(&installation, &server, &HAMLETS[..1], 2);
    let elsewhere = Phone::of(&installation, &server, &HAMLETS[1..], 3);

    let (status, problem) = send(&installation, &server, &volunteer, &[assign(1, "A1", Some(&volunteer))]);
    assert_eq!((status, &problem["type"]), (403, &json!("/problems/not-a-leader")));

    let decisions = [
        assign(1, "A1", Some(&volunteer)),
        assign(2, "B1", Some(&elsewhere)),
        assign(3, "A2", Some(&elsewhere)),
        assign(4, "none", None),
        review(5, "A1", "approved", ""),
    ];
    let answer = send(&installation, &server, &lead, &decisions);
    let expected = [
        Value::Null,
        json!("outside_scope"),
        json!("unknown_assignee"),
        json!("outside_scope"),
        json!("no_response"),
    ];
    assert_eq!(reasons(&answer), expected);
    assert_eq!(
        answer.1["verdicts"][1]["detail"],
        "Hộ này không thuộc địa bàn của ông/bà."
    );
    let body = json!({ "decisions": [assign(2, "B1", None)] }).to_string();
    let english = post(&installation, &server, &lead.token, "en", &body);
    assert_eq!(
        english.1["verdicts"][0]["detail"],
        "This household is not in your hamlets."
    );

    let unit = assigned(&installation, &server, &volunteer, "A1");
    assert_eq!(unit["assignee"], volunteer.key.actor().to_string());
    let told = assignment(&installation, &server, &lead);
    assert_eq!(told["device"]["leader"], true);
    assert_eq!(told["teammates"][0]["hamlets"], json!([HAMLETS[0]]));
    assert_eq!(
        assignment(&installation, &server, &volunteer)["device"]["leader"],
        false
    );

    // The role is an official's to give and to take.
    let appointed = installation.run(&["device", "appoint", &key(&volunteer)]).success();
    assert!(appointed.text().contains("A team leader now"));
    assert_eq!(
        reasons(&send(&installation, &server, &volunteer, &[assign(6, "A3", None)])),
        [Value::Null]
    );
    installation.run(&["device", "dismiss", &key(&volunteer)]).success();
    assert_eq!(
        send(&installation, &server, &volunteer, &[assign(7, "A3", None)]).0,
        403
    );
}

#[test]
fn a_review_is_about_what_was_seen_and_ends_with_the_next_change() {
    let installation = Installation::new();
    let server = installation.serve();
    let lead = leader(&installation, &server, &HAMLETS[..1], 1);
    let mut volunteer = Phone::of(&installation, &server, &HAMLETS[..1], 2);
    volunteer.interview("A1", "yes");
    volunteer.sync();
    let seen: Vec<String> = {
        let response = volunteer.open("A1");
        response
            .changes()
            .iter()
            .map(|change| change.hash().to_string())
            .collect()
    };

    let what = json!({ "review": { "state": "has_issues", "reason": "  Thiếu người  ", "seen": seen } });
    let answer = send(&installation, &server, &lead, &[decision(1, "A1", what)]);
    assert_eq!(reasons(&answer), [Value::Null]);
    let told = assigned(&installation, &server, &volunteer, "A1")["review"].clone();
    assert_eq!(
        (&told["state"], &told["reason"]),
        (&json!("has_issues"), &json!("Thiếu người"))
    );

    // Corrected and sent: nobody has said anything about that yet.
    volunteer.interview("A1", "no");
    volunteer.sync();
    assert_eq!(
        assigned(&installation, &server, &volunteer, "A1")["review"],
        Value::Null
    );

    // Approved by somebody who had not seen the correction: kept, and of no effect.
    let late = json!({ "review": { "state": "approved", "reason": "", "seen": seen } });
    let answer = send(&installation, &server, &lead, &[decision(2, "A1", late)]);
    assert_eq!(reasons(&answer), [Value::Null]);
    assert_eq!(
        assigned(&installation, &server, &volunteer, "A1")["review"],
        Value::Null
    );
    assert_eq!(history(&installation, "A1").len(), 2);

    // By an official, with all that there is.
    installation
        .run(&["response", "review", "A1", "--state", "approved", "--by", "Lan"])
        .success();
    let told = assigned(&installation, &server, &volunteer, "A1")["review"].clone();
    assert_eq!((&told["state"], &told["by"]), (&json!("approved"), &Value::Null));
    let units = installation
        .run(&["unit", "list", "--hamlet", HAMLETS[0], "--format", "json"])
        .success()
        .json();
    assert_eq!(units[0]["review"]["state"], "approved");
    let refused = installation
        .run(&["response", "review", "A1", "--state", "rejected"])
        .failure();
    assert!(refused.stderr.contains("lý do"), "{}", refused.stderr);

    // Erased with the response.
    installation
        .run(&["response", "erase", "A1", "--reason", "Theo yêu cầu"])
        .success();
    assert_eq!(history(&installation, "A1"), Vec::<Value>::new());
}

#[test]
fn sending_again_is_harmless_also_after_the_server_was_killed() {
    let installation = Installation::new();
    let server = installation.serve();
    let lead = leader(&installation, &server, &HAMLETS[..1], 1);
    let other = leader(&installation, &server, &HAMLETS[..1], 2);
    let decisions = [assign(1, "A1", Some(&other)), assign(2, "A2", Some(&lead))];
    let first = send(&installation, &server, &lead, &decisions);
    server.kill();
    let server = installation.serve();
    assert_eq!(send(&installation, &server, &lead, &decisions), first);
    assert_eq!(history(&installation, "A1").len(), 1);

    // The identity is of this decision alone.
    let mine = send(&installation, &server, &other, &decisions[..1]);
    assert_eq!(reasons(&mine), [json!("id_in_use")]);
    let changed = send(&installation, &server, &lead, &[assign(1, "A1", None)]);
    assert_eq!(reasons(&changed), [json!("id_in_use")]);

    // Of two leaders the later counts, and both are in the history.
    let later = send(&installation, &server, &other, &[assign(3, "A1", Some(&lead))]);
    assert_eq!(reasons(&later), [Value::Null]);
    let unit = assigned(&installation, &server, &lead, "A1");
    assert_eq!(unit["assignee"], lead.key.actor().to_string());
    assert_eq!(history(&installation, "A1").len(), 2);
}

#[test]
fn who_lost_the_hamlet_the_device_or_the_round_decides_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let lead = leader(&installation, &server, &HAMLETS, 1);
    let volunteer = Phone::of(&installation, &server, &HAMLETS[..1], 2);
    let decisions = [assign(1, "A1", Some(&volunteer)), assign(2, "B1", None)];
    assert_eq!(
        reasons(&send(&installation, &server, &lead, &decisions)),
        [Value::Null, Value::Null]
    );

    installation
        .run(&["device", "withdraw", &key(&lead), "--hamlet", HAMLETS[1]])
        .success();
    let answer = send(
        &installation,
        &server,
        &lead,
        &[assign(3, "B1", None), assign(4, "A2", None)],
    );
    assert_eq!(reasons(&answer), [json!("outside_scope"), Value::Null]);

    // Whoever works there no more is nobody's assignee.
    installation
        .run(&["device", "withdraw", &key(&volunteer), "--hamlet", HAMLETS[0]])
        .success();
    assert_eq!(assigned(&installation, &server, &lead, "A1")["assignee"], Value::Null);

    installation.run(&["round", "close"]).success();
    let answer = send(&installation, &server, &lead, &[assign(5, "A1", None)]);
    assert_eq!(reasons(&answer), [json!("round_closed")]);
    installation.run(&["unit", "assign", "A1", "--anybody"]).success();
    installation.run(&["round", "reopen"]).success();

    installation
        .run(&["device", "revoke", &key(&lead), "--reason", "Mất máy"])
        .success();
    let (status, problem) = send(&installation, &server, &lead, &[assign(6, "A1", None)]);
    assert_eq!((status, &problem["type"]), (403, &json!("/problems/device-revoked")));
}

#[test]
fn a_new_key_is_the_same_leader_and_the_same_assignee() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut lead = leader(&installation, &server, &HAMLETS[..1], 1);
    let decisions = [assign(1, "A1", Some(&lead))];
    assert_eq!(reasons(&send(&installation, &server, &lead, &decisions)), [Value::Null]);
    lead.rotate();
    let unit = assigned(&installation, &server, &lead, "A1");
    assert_eq!(unit["assignee"], lead.key.actor().to_string());
    assert_eq!(
        reasons(&send(&installation, &server, &lead, &[assign(2, "A2", Some(&lead))])),
        [Value::Null]
    );
}

#[test]
fn rubbish_is_refused_by_name_and_changes_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut lead = leader(&installation, &server, &HAMLETS[..1], 1);
    lead.interview("A1", "yes");
    lead.sync();
    for body in [
        "",
        "[]",
        "{\"decisions\":[{}]}",
        "{\"decisions\":[{\"id\":\"x\",\"at\":1,\"unit\":\"A1\",\"decision\":{\"assign\":null}}]}",
        "{\"decisions\":[],\"more\":1}",
    ] {
        let (status, problem) = post(&installation, &server, &lead.token, "vi", body);
        assert_eq!(
            (status, &problem["type"]),
            (400, &json!("/problems/malformed-decisions")),
            "{body}"
        );
    }
    let unknown_state = review(1, "A1", "perhaps", "");
    assert_eq!(send(&installation, &server, &lead, &[unknown_state]).0, 400);
    let many: Vec<Value> = (0..=200).map(|_| assign(1, "A1", None)).collect();
    assert_eq!(send(&installation, &server, &lead, &many).0, 413);
    let huge = format!("{{\"decisions\":[\"{}\"]}}", "x".repeat(1 << 20));
    assert_eq!(post(&installation, &server, &lead.token, "vi", &huge).0, 413);
    assert_eq!(post(&installation, &server, "no-token", "vi", "{}").0, 401);

    let seen = json!({ "review": { "state": "approved", "seen": ["xyz"] } });
    let answer = send(
        &installation,
        &server,
        &lead,
        &[
            review(1, "A1", "has_issues", "   "),
            review(2, "A1", "rejected", &"ă".repeat(501)),
            decision(3, "A1", seen),
            decision(4, &"x".repeat(5_000), json!({ "assign": null })),
            decision(5, "A1", json!({ "assign": "nobody" })),
        ],
    );
    let expected = [
        "reason_needed",
        "reason_too_long",
        "malformed_seen",
        "outside_scope",
        "unknown_assignee",
    ];
    assert_eq!(reasons(&answer), expected);
    assert_eq!(history(&installation, "A1"), Vec::<Value>::new());
}

#[test]
fn a_hub_is_supervised_as_the_server_above_is() {
    let province = Installation::new();
    let above = province.serve();
    let hub = province.twin();
    let code = province.invite_hub(&HAMLETS);
    hub.run(&["upstream", "join", &format!("http://{}", above.address), &code])
        .success();
    let below = hub.serve();
    let lead = leader(&hub, &below, &HAMLETS[..1], 1);
    let mut volunteer = Phone::of(&hub, &below, &HAMLETS[..1], 2);
    volunteer.interview("A1", "yes");
    volunteer.sync();
    let answer = send(
        &hub,
        &below,
        &lead,
        &[
            assign(1, "A2", Some(&volunteer)),
            review(2, "A1", "has_issues", "Thiếu"),
        ],
    );
    assert_eq!(reasons(&answer), [Value::Null, Value::Null]);
    let told = assigned(&hub, &below, &volunteer, "A1")["review"].clone();
    assert_eq!(told["state"], "has_issues");
    // What the hub brings up is the answers; who is to do what is the hub's own.
    hub.run(&["upstream", "sync"]).success();
    assert_eq!(history(&province, "A1"), Vec::<Value>::new());
}
