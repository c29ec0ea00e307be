//! automerge-repo looks into responses live: within its token's scope it sees answers and what comes in later, beyond it
//! nothing, and what it writes stays with it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use std::collections::BTreeSet;

use automerge::sync::{Message, State, SyncDoc as _};
use automerge::transaction::Transactable as _;
use automerge::{Automerge, ReadDoc as _};
use ciborium::cbor;
use khaosat_tests::automerge::Watcher;
use khaosat_tests::connection;
use khaosat_tests::installation::Installation;
use khaosat_tests::phone::{Phone, enrolment_request, try_enrol};
use khaosat_tests::process::{khaosat, signal};
use serde_json::{Value, json};
use survey_forms::answers::{AnswerPath, AnswersMut as _};
use sync_core::automerge_repo::document_id;
use sync_core::identity::{ResponseId, RoundId};
use uuid::Uuid;

/// The hamlets of an installation.
const HAMLETS: [&str; 2] = ["28249-01", "28270-01"];

fn answer(phone: &mut Phone, unit: &str, question: &str, text: &str) {
    phone.edit(unit, |edit| edit.put_answer(&AnswerPath::top(question), &text.into()));
}

fn document_of(installation: &Installation, unit: &str) -> String {
    document_id(ResponseId::of(RoundId(installation.round), unit))
}

fn url(installation: &Installation, unit: &str) -> String {
    format!("automerge:{}", document_of(installation, unit))
}

/// The server's document of a unit as a file.
fn stored(installation: &Installation, unit: &str) -> Vec<u8> {
    let command = khaosat(["export", "document", "--with-identifying", "--unit", unit])
        .arg("--data")
        .arg(installation.data())
        .output();
    let done = command.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

fn heads(response: &sync_core::response::Response) -> BTreeSet<String> {
    response.heads().iter().map(ToString::to_string).collect()
}

fn told_heads(answer: &Value) -> BTreeSet<String> {
    let heads = answer["said"]["heads"].as_array().unwrap_or_else(|| panic!("{answer}"));
    heads.iter().map(|head| head.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_repo_sees_answers_conflicts_and_later_changes_live() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut first = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let mut second = Phone::of(&installation, &server, &HAMLETS[..1], 2);
    answer(&mut first, "A1", "fibre_available", "yes");
    answer(&mut second, "A1", "fibre_available", "no");
    first.sync();
    second.sync();
    first.sync();
    let mut watcher = Watcher::connected(server.address, &first.token);
    let a1 = url(&installation, "A1");
    let found = watcher.ask(&json!({ "find": a1 }));
    assert_eq!(told_heads(&found), heads(first.open("A1")));
    let claims: BTreeSet<(String, String)> = found["said"]["answers"]["fibre_available"]["claims"]
        .as_array()
        .unwrap()
        .iter()
        .map(|claim| {
            (
                claim["actor"].as_str().unwrap().to_owned(),
                claim["value"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let expected = [(&first, "yes"), (&second, "no")];
    let expected = expected.map(|(phone, text)| (phone.key.actor().to_string(), text.to_owned()));
    assert_eq!(claims, BTreeSet::from(expected));

    // Later changes come by themselves, one after another.
    for roof in ["tile", "metal", "concrete"] {
        let until = json!({ "path": ["answers", "roof"], "value": roof });
        watcher.tell(&json!({ "wait": a1, "until": until }));
        answer(&mut second, "A1", "roof", roof);
        second.sync();
        assert_eq!(told_heads(&watcher.hear()), heads(second.open("A1")), "{roof}");
    }

    // A response that nobody has begun is unavailable until somebody does.
    let a2 = url(&installation, "A2");
    let missing = watcher.ask(&json!({ "find": a2 }));
    assert!(missing["unavailable"].is_string(), "{missing}");
    watcher.tell(&json!({ "appears": a2 }));
    answer(&mut second, "A2", "roof", "tile");
    second.sync();
    assert_eq!(told_heads(&watcher.hear()), heads(second.open("A2")));
}

#[test]
fn what_a_repo_writes_stays_with_it() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut volunteer = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    for unit in ["A1", "A2", "A3"] {
        answer(&mut volunteer, unit, "roof", "tile");
    }
    volunteer.sync();
    let before = stored(&installation, "A1");
    let mut watcher = Watcher::connected(server.address, &volunteer.token);
    let a1 = url(&installation, "A1");
    watcher.ask(&json!({ "find": a1 }));
    let written = watcher.ask(&json!({ "write": a1, "path": ["answers"], "answers": { "roof": "straw" } }));
    assert_eq!(written["said"]["answers"]["roof"]["value"], "straw");
    // The server answers in order: once it has answered this, it has dealt with what came before.
    assert!(watcher.ask(&json!({ "find": url(&installation, "A2") }))["said"].is_object());
    assert_eq!(stored(&installation, "A1"), before);

    // A peer of an earlier release, which does not know that the server only shows, sends its change all the same.
    let mut copy = Automerge::load(&before).unwrap();
    let mut transaction = copy.transaction();
    let (_, answers) = transaction.get(automerge::ROOT, "answers").unwrap().unwrap();
    transaction.put(&answers, "roof", "straw").unwrap();
    transaction.commit();
    let change = copy.get_last_local_change().unwrap().raw_bytes().to_vec();
    let mut message: Message = copy.generate_sync_message(&mut State::new()).unwrap();
    message.changes = vec![change].into();
    let document = document_of(&installation, "A1");
    let sent = watcher.ask(&json!({
        "socket": Watcher::address(server.address),
        "token": volunteer.token,
        "frames": [join(), sync(&document, &message.encode()), leave()],
    }));
    let kinds: Vec<&str> = sent["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["peer", "sync"], "{sent}");
    assert_eq!((&sent["code"], &sent["reason"]), (&json!(1000), &json!("left")));
    assert_eq!(stored(&installation, "A1"), before);
    assert_eq!(server.current_overview()["freshness"]["log_head"], 3);

    // What others write still comes, beside what the repo wrote for itself.
    watcher.tell(&json!({ "wait": a1, "until": { "path": ["answers", "consent"], "value": "yes" } }));
    answer(&mut volunteer, "A1", "consent", "yes");
    volunteer.sync();
    let merged = watcher.hear();
    assert_eq!(merged["said"]["answers"]["roof"]["value"], "straw");
    assert!(told_heads(&merged).is_superset(&heads(volunteer.open("A1"))));
    assert_eq!(
        volunteer.sync().iter().flat_map(|received| &received.responses).count(),
        0
    );
}

#[test]
fn beyond_its_scope_a_repo_finds_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut ours = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let mut theirs = Phone::of(&installation, &server, &HAMLETS[1..], 2);
    answer(&mut ours, "A1", "roof", "tile");
    answer(&mut theirs, "B1", "roof", "metal");
    ours.sync();
    theirs.sync();
    let mut watcher = Watcher::connected(server.address, &theirs.token);
    let own = watcher.ask(&json!({ "find": url(&installation, "B1") }));
    assert_eq!(own["said"]["answers"]["roof"]["value"], "metal");
    let nowhere = document_id(ResponseId(Uuid::from_u128(5)));
    let mut reasons = BTreeSet::new();
    for document in [
        document_of(&installation, "A1"),
        document_of(&installation, "A2"),
        nowhere,
    ] {
        let missing = watcher.ask(&json!({ "find": format!("automerge:{document}") }));
        let reason = missing["unavailable"].as_str().unwrap_or_else(|| panic!("{missing}"));
        reasons.insert(reason.replace(&document, ""));
    }
    assert_eq!(reasons.len(), 1, "{reasons:?}");

    // Later changes there are not told either: what comes next is of the own hamlet.
    let b1 = url(&installation, "B1");
    watcher.tell(&json!({ "wait": b1, "until": { "path": ["answers", "roof"], "value": "tile" } }));
    answer(&mut ours, "A1", "roof", "metal");
    ours.sync();
    answer(&mut theirs, "B1", "roof", "tile");
    theirs.sync();
    watcher.hear();
    let missing = watcher.ask(&json!({ "find": url(&installation, "A1") }));
    assert!(missing["unavailable"].is_string(), "{missing}");
}

fn hex(value: Result<ciborium::Value, ciborium::value::Error>) -> Value {
    let mut bytes = Vec::new();
    ciborium::into_writer(&value.unwrap(), &mut bytes).unwrap();
    bytes
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into()
}

fn join() -> Value {
    hex(cbor!({ "type" => "join", "senderId" => "tool", "supportedProtocolVersions" => ["1"] }))
}

fn leave() -> Value {
    hex(cbor!({ "type" => "leave", "senderId" => "tool" }))
}

fn sync(document: &str, data: &[u8]) -> Value {
    let data = ciborium::Value::Bytes(data.to_vec());
    hex(cbor!({ "type" => "sync", "senderId" => "tool", "targetId" => "x", "documentId" => document, "data" => data }))
}

#[test]
fn strangers_and_plain_requests_are_refused() {
    let installation = Installation::new();
    let server = installation.serve();
    let own = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let mut watcher = Watcher::start();
    let address = Watcher::address(server.address);
    for token in [None, Some(""), Some("wrong"), Some(&own.token[1..])] {
        let refused = watcher.ask(&json!({ "socket": address, "token": token, "frames": [] }));
        assert_eq!(refused, json!({ "status": 401 }), "{token:?}");
    }
    let path = "/api/v1/automerge";
    let stranger = connection::get(server.address, path, &[]);
    assert_eq!((stranger.status, stranger.header("www-authenticate")), (401, "Bearer"));
    let bearer = format!("Bearer {}", own.token);
    for (language, words) in [("vi", "kết nối WebSocket"), ("en", "WebSocket connections")] {
        let headers = [("authorization", bearer.as_str()), ("accept-language", language)];
        let plain = connection::get(server.address, path, &headers);
        assert_eq!(
            (plain.status, &plain.json()["type"]),
            (400, &json!("/problems/websocket-needed"))
        );
        assert!(plain.json()["detail"].as_str().unwrap().contains(words), "{plain:?}");
    }
}

#[test]
fn rubbish_ends_the_connection_with_a_reason() {
    let installation = Installation::new();
    let server = installation.serve();
    let own = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let mut watcher = Watcher::start();
    let document = document_of(&installation, "A1");
    // A Bloom filter with an entry and no bits, and one with four thousand million probes.
    let no_bits = [0x42, 0, 0, 1, 0, 3, 1, 0, 7, 0];
    let endless = [0x42, 0, 0, 1, 0, 9, 1, 10, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0];
    let large = "00".repeat((64 << 10) + 1);
    let other = hex(cbor!({ "type" => "join", "senderId" => "tool", "supportedProtocolVersions" => ["2"] }));
    for (frames, code, reason) in [
        (json!(["ff"]), 1002, "malformed-message"),
        (json!([""]), 1002, "malformed-message"),
        (json!([{ "text": "{}" }]), 1003, "not-binary"),
        (json!([leave()]), 1002, "not-joined"),
        (json!([other]), 1002, "unsupported-version"),
        (json!([join(), join()]), 1002, "joined-already"),
        (json!([join(), "a0"]), 1002, "malformed-message"),
        (json!([join(), large]), 1009, "too-large"),
        (json!([join(), sync(&document, b"")]), 1002, "bad-sync-message"),
        (json!([join(), sync(&document, &no_bits)]), 1002, "bad-sync-message"),
        (json!([join(), sync(&document, &endless)]), 1002, "bad-sync-message"),
    ] {
        let command = json!({ "socket": Watcher::address(server.address), "token": own.token, "frames": frames });
        let ended = watcher.ask(&command);
        assert_eq!(
            (&ended["code"], &ended["reason"]),
            (&json!(code), &json!(reason)),
            "{frames}"
        );
        let last = ended["messages"].as_array().unwrap().last().unwrap();
        assert_eq!(last["type"], "error", "{frames}");
    }
    // Far longer than is borne: nobody reads it, so that it may break off before the reason is read.
    let endless = "00".repeat(1 << 20);
    let command =
        json!({ "socket": Watcher::address(server.address), "token": own.token, "frames": [join(), endless] });
    assert!(watcher.ask(&command)["code"].is_number());
    let mut after = Watcher::connected(server.address, &own.token);
    let missing = after.ask(&json!({ "find": url(&installation, "A1") }));
    assert!(missing["unavailable"].is_string(), "{missing}");
}

#[test]
fn a_token_that_counts_no_more_shows_nothing_more() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut own = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    answer(&mut own, "A1", "roof", "tile");
    own.sync();
    let mut watcher = Watcher::start();
    let nothing = Automerge::new().generate_sync_message(&mut State::new()).unwrap();
    let opened = watcher.ask(&json!({
        "socket": Watcher::address(server.address),
        "token": own.token,
        "frames": [join(), sync(&document_of(&installation, "A1"), &nothing.encode())],
        "until": "sync",
    }));
    assert_eq!(opened["messages"].as_array().unwrap().len(), 2, "{opened}");
    // The phone enrols again: its old token is void from then on.
    let code = installation.invite(&HAMLETS[..1]);
    let enrolled = try_enrol(server.address, &enrolment_request(&own.key, &code));
    own.token = enrolled.json()["token"].as_str().unwrap().to_owned();
    answer(&mut own, "A1", "roof", "metal");
    own.sync();
    let ended = watcher.ask(&json!({ "ends": true }));
    assert_eq!(
        (&ended["code"], &ended["reason"]),
        (&json!(1008), &json!("unauthorised"))
    );
    let kinds: Vec<&Value> = ended["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["type"])
        .collect();
    assert_eq!(kinds, ["peer", "sync", "error"]);
}

#[test]
fn one_device_has_few_connections_and_a_stopping_server_says_so() {
    let installation = Installation::new();
    let server = installation.serve();
    let own = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let other = Phone::of(&installation, &server, &HAMLETS[..1], 2);
    let stays = |phone: &Phone| {
        let address = Watcher::address(server.address);
        json!({ "socket": address, "token": phone.token, "frames": [join()], "until": "peer" })
    };
    let mut open: Vec<Watcher> = (0..4).map(|_| Watcher::start()).collect();
    for watcher in &mut open {
        assert_eq!(watcher.ask(&stays(&own))["messages"][0]["type"], "peer");
    }
    let mut more = Watcher::start();
    assert_eq!(more.ask(&stays(&own)), json!({ "status": 503 }));
    // Another device has a share of its own.
    assert_eq!(more.ask(&stays(&other))["messages"][0]["type"], "peer");

    signal(server.id(), "TERM");
    for mut watcher in open {
        let ended = watcher.ask(&json!({ "ends": true }));
        assert_eq!(
            (&ended["code"], &ended["reason"]),
            (&json!(1001), &json!("shutting-down"))
        );
    }
}
