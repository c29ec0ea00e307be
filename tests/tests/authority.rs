//! Who may write and read what: a server takes nothing from strangers, nothing outside a device's hamlets, nothing in
//! another's name, and shows nobody what is not theirs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use khaosat_tests::connection::{self, FullAnswer};
use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::{Phone, enrolment_request, try_enrol};
use survey_forms::answers::{AnswerPath, AnswersMut};
use sync_core::Change;
use sync_core::device::DeviceKey;
use sync_core::exchange::message::Attestation;
use sync_core::exchange::{
    Client, Cursor, LogMark, OutgoingChange, Refusal, RefusalReason, ResponseChanges, SyncRequest, wire,
};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::Response;
use uuid::Uuid;

/// The hamlets of an installation.
const HAMLETS: [&str; 2] = ["28249-01", "28270-01"];

fn answer(phone: &mut Phone, unit: &str, text: &str) -> Change {
    phone
        .edit(unit, |edit| {
            edit.put_answer(&AnswerPath::top("fibre_available"), &text.into())
        })
        .expect("a new answer makes a change")
}

/// A request with these changes and no others, signed by the phone.
fn carrying(phone: &Phone, changes: &[(&str, &Change)]) -> SyncRequest {
    let mut client = Client::default();
    for (unit, change) in changes {
        client.enqueue(OutgoingChange {
            round: phone.round(),
            unit: (*unit).to_owned(),
            change: (*change).clone(),
        });
    }
    client.request(&phone.key, 0, usize::MAX)
}

fn hashes(phone: &mut Phone, unit: &str) -> Vec<sync_core::ChangeHash> {
    phone.open(unit).changes().iter().map(Change::hash).collect()
}

fn get(server: &Server, path: &str, token: &str) -> FullAnswer {
    connection::get(server.address, path, &[("authorization", &format!("Bearer {token}"))])
}

#[test]
fn strangers_get_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let round = installation.round;
    let phone = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let body = wire::encode(&carrying(&phone, &[])).unwrap();
    let headers = [
        ("content-type", wire::CONTENT_TYPE),
        ("content-encoding", wire::CONTENT_ENCODING),
    ];
    let paths = [
        "/api/v1/sync".to_owned(),
        format!("/api/v1/rounds/{round}/form"),
        format!("/api/v1/rounds/{round}/units"),
    ];
    let mut longer = phone.token.clone();
    longer.push('0');
    let claims = [
        None,
        Some(String::new()),
        Some("Bearer ".to_owned()),
        Some("Bearer wrong".to_owned()),
        Some(format!("Basic {}", phone.token)),
        Some(phone.token.clone()),
        Some(format!("Bearer {longer}")),
        Some(format!("Bearer {}", &phone.token[1..])),
        Some(format!("Bearer {}", phone.token.to_uppercase())),
    ];
    for path in &paths {
        for claim in &claims {
            let mut headers = headers.to_vec();
            headers.extend(claim.as_deref().map(|claim| ("authorization", claim)));
            let answer = match path.ends_with("sync") {
                true => connection::request(server.address, "POST", path, &headers, &body),
                false => connection::get(server.address, path, &headers),
            };
            assert_eq!(answer.status, 401, "{path} {claim:?}");
            assert_eq!(answer.json()["type"], "/problems/unauthorised");
            // RFC 9110, section 11.6.1: the answer says how to authenticate.
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    assert_eq!(get(&server, &paths[1], &phone.token).status, 200);
}

#[test]
fn a_code_enrols_one_key() {
    let installation = Installation::new();
    let server = installation.serve();
    let code = installation.invite(&HAMLETS[..1]);
    let (own, other) = (DeviceKey::from_secret(&[1; 32]), DeviceKey::from_secret(&[2; 32]));
    let request = enrolment_request(&own, &code);

    // A wrong proof, another code's proof or a malformed request does not use the code up.
    let mut forged = request.clone();
    forged["public_key"] = other.public().to_string().into();
    assert_eq!(try_enrol(server.address, &forged).status, 422);
    let mut forged = request.clone();
    forged["code"] = "0000-0000-0000-0000".into();
    assert_eq!(try_enrol(server.address, &forged).status, 422);
    let unknown = try_enrol(server.address, &enrolment_request(&own, "0000-0000-0000-0000"));
    assert_eq!(
        (unknown.status, unknown.json()["type"].as_str()),
        (403, Some("/problems/unknown-code"))
    );
    for (field, value) in [
        ("public_key", "zz".repeat(32)),
        ("public_key", "00".repeat(31)),
        ("public_key", "00".repeat(33)),
        ("public_key", "á".repeat(32)),
        ("signature", String::new()),
        ("signature", "0g".repeat(64)),
    ] {
        let mut malformed = request.clone();
        malformed[field] = value.clone().into();
        let refused = try_enrol(server.address, &malformed);
        assert_eq!(refused.status, 400, "{field} {value}");
        assert_eq!(refused.content_type, "application/problem+json");
        assert!(
            refused.json()["detail"].as_str().unwrap().contains(field),
            "{refused:?}"
        );
    }

    // The phone whose answer was lost tries again: it gets a token that works, and the lost one does not.
    let first = try_enrol(server.address, &request);
    assert_eq!(first.status, 201);
    let second = try_enrol(server.address, &request);
    assert_eq!(second.status, 201);
    let token = |answer: &khaosat_tests::phone::Answer| answer.json()["token"].as_str().unwrap().to_owned();
    let units = format!("/api/v1/rounds/{}/units", installation.round);
    assert_eq!(get(&server, &units, &token(&first)).status, 401);
    assert_eq!(get(&server, &units, &token(&second)).status, 200);
    assert_eq!(second.json()["hamlets"], serde_json::json!([HAMLETS[0]]));
    // Somebody who saw the code comes too late.
    let late = try_enrol(server.address, &enrolment_request(&other, &code));
    assert_eq!(
        (late.status, late.json()["type"].as_str()),
        (403, Some("/problems/unknown-code"))
    );
    assert_eq!(get(&server, &units, &token(&second)).status, 200);
}

#[test]
fn of_many_phones_with_one_code_one_enrols() {
    let installation = Installation::new();
    let server = installation.serve();
    let code = installation.invite(&HAMLETS);
    let requests: Vec<_> = (1..=8u8)
        .map(|number| enrolment_request(&DeviceKey::from_secret(&[number; 32]), &code))
        .collect();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = requests
            .iter()
            .map(|request| scope.spawn(|| try_enrol(server.address, request).status))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| matches!(status, 201 | 403)),
        "{statuses:?}"
    );
    assert_eq!(server.overview(None)["freshness"]["devices_enrolled"], 1);
}

#[test]
fn malformed_enrolments_are_refused() {
    let installation = Installation::new();
    let server = installation.serve();
    let json = [("content-type", "application/json")];
    let path = "/api/v1/devices/enrol";
    for body in [
        "",
        "{",
        "null",
        "[]",
        "{}",
        r#"{"code":1}"#,
        "\u{0}",
        r#"{"code":"a","public_key":"","signature":""}"#,
    ] {
        for (language, words) in [("vi", ["đăng ký", "cần 64"]), ("en", ["enrolment", "are needed"])] {
            let headers = [json[0], ("accept-language", language)];
            let answer = connection::request(server.address, "POST", path, &headers, body.as_bytes());
            assert_eq!(answer.status, 400, "{body}");
            assert_eq!(answer.json()["type"], "/problems/malformed-enrolment");
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(words.iter().any(|words| detail.contains(words)), "{body}: {detail}");
        }
    }
    let large = format!(r#"{{"code":"{}"}}"#, "x".repeat(3 << 20));
    assert_eq!(
        connection::request(server.address, "POST", path, &json, large.as_bytes()).status,
        413
    );
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(
        connection::request(server.address, "POST", path, &form, b"code=1").status,
        415
    );
}

#[test]
fn what_is_not_allowed_is_refused_by_name_and_the_rest_is_kept() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut ours = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let mut theirs = Phone::of(&installation, &server, &HAMLETS[1..], 2);
    let mut colleague = Phone::of(&installation, &server, &HAMLETS[..1], 3);

    let (first, last) = (answer(&mut ours, "A1", "yes"), answer(&mut ours, "A2", "no"));
    let outside = answer(&mut ours, "B1", "yes");
    let unknown_unit = answer(&mut ours, "Z9", "yes");
    let elsewhere = RoundId(Uuid::from_u128(5));
    let actor = ours.key.actor();
    let unknown_round = Response::new(ResponseId::of(elsewhere, "A1"))
        .unwrap()
        .edit(&actor, 1, |edit| {
            edit.put_answer(&AnswerPath::top("fibre_available"), &"yes".into())
        })
        .unwrap()
        .1
        .unwrap();
    // A colleague of the same hamlet wrote and signed it, but it is not for this phone to deliver.
    let carried = answer(&mut colleague, "A3", "yes");

    let mut client = Client::default();
    for (round, unit, change) in [
        (ours.round(), "A1", &first),
        (ours.round(), "B1", &outside),
        (ours.round(), "Z9", &unknown_unit),
        (elsewhere, "A1", &unknown_round),
        (ours.round(), "A2", &last),
    ] {
        client.enqueue(OutgoingChange {
            round,
            unit: unit.to_owned(),
            change: change.clone(),
        });
    }
    let mut request = client.request(&ours.key, 0, usize::MAX);
    request.responses.push(ResponseChanges {
        round: ours.round(),
        unit: "A3".to_owned(),
        changes: vec![carried.raw_bytes().to_vec().into()],
    });
    request.attestations.push(Attestation {
        device: colleague.key.public(),
        first: 5,
        count: 1,
        signature: colleague.key.attest(&[carried.hash()]),
    });
    let response = ours.exchange(&request);
    let refusal = |change, reason, quarantined| Refusal {
        change,
        reason,
        quarantined,
    };
    assert_eq!(
        response.refused,
        [
            refusal(1, RefusalReason::OutsideScope, true),
            refusal(2, RefusalReason::UnknownUnit, true),
            refusal(3, RefusalReason::UnknownRound, false),
            refusal(5, RefusalReason::ForeignAuthor, false),
        ]
    );
    assert_eq!((response.accepted, response.waiting), (2, vec![]));

    // After a power cut there is what was accepted and nothing else.
    server.kill();
    let server = installation.serve();
    for phone in [&mut ours, &mut theirs, &mut colleague] {
        phone.move_to(server.address);
    }
    let overview = server.current_overview();
    assert_eq!(overview["freshness"]["log_head"], 2);
    assert_eq!(overview["coverage"]["received"], 2);
    colleague.client = Client::default();
    colleague.responses.clear();
    colleague.sync();
    assert_eq!(colleague.responses.keys().collect::<Vec<_>>(), ["A1", "A2"]);
    assert_eq!(hashes(&mut colleague, "A1"), [first.hash()]);
    assert_eq!(hashes(&mut colleague, "A2"), [last.hash()]);
    theirs.sync();
    assert!(theirs.responses.is_empty());
}

#[test]
fn an_attestation_that_does_not_hold_refuses_everything() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let change = answer(&mut phone, "A1", "yes");
    let honest = carrying(&phone, &[("A1", &change)]);
    let mut wrong = honest.clone();
    wrong.attestations[0].signature = DeviceKey::from_secret(&[9; 32]).attest(&[change.hash()]);
    let mut uncovered = honest.clone();
    uncovered.attestations.clear();
    let mut beyond = honest.clone();
    beyond.attestations[0].count = u32::MAX;
    for forged in [wrong, uncovered, beyond] {
        let refused = phone.post(&wire::encode(&forged).unwrap());
        assert_eq!(refused.status, 422);
        assert_eq!(refused.json()["type"], "/problems/invalid-attestation");
    }
    assert_eq!(server.current_overview()["freshness"]["log_head"], 0);
    assert_eq!(phone.exchange(&honest).accepted, 1);
}

#[test]
fn a_phone_sees_its_own_hamlets_only() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut ours = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let mut theirs = Phone::of(&installation, &server, &HAMLETS[1..], 2);
    let mut both = Phone::of(&installation, &server, &HAMLETS, 3);
    for unit in ["A1", "A2", "A3"] {
        answer(&mut ours, unit, "yes");
    }
    answer(&mut theirs, "B1", "no");
    ours.sync();
    theirs.sync();

    let mut request = carrying(&theirs, &[]);
    loop {
        let response = theirs.exchange(&request);
        for group in &response.responses {
            assert_eq!(group.unit, "B1", "cursor {:?}", request.cursor);
        }
        if response.cursor == request.cursor {
            break;
        }
        request.cursor = response.cursor;
    }
    // Also one who makes up cursors gets to see no more.
    for sequence in 0..=5 {
        request.cursor = Some(Cursor(sequence, LogMark::default()));
        let response = theirs.exchange(&request);
        assert!(
            response.unknown_cursor && response.responses.is_empty(),
            "cursor {sequence}"
        );
    }
    both.sync();
    assert_eq!(both.responses.keys().collect::<Vec<_>>(), ["A1", "A2", "A3", "B1"]);

    let units = format!("/api/v1/rounds/{}/units", installation.round);
    let codes = |token: &str| -> Vec<String> {
        let answer = get(&server, &units, token).json();
        answer
            .as_array()
            .unwrap()
            .iter()
            .map(|unit| unit["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let named = |letters: &[&str]| -> Vec<String> {
        letters
            .iter()
            .flat_map(|letter| (1..=9).map(move |number| format!("{letter}{number}")))
            .collect()
    };
    assert_eq!(codes(&ours.token), named(&["A"]));
    assert_eq!(codes(&theirs.token), named(&["B"]));
    assert_eq!(codes(&both.token), named(&["A", "B"]));
    let unknown = format!("/api/v1/rounds/{}/", Uuid::from_u128(5));
    for what in ["units", "form"] {
        assert_eq!(get(&server, &format!("{unknown}{what}"), &ours.token).status, 404);
        assert_eq!(
            get(&server, &format!("/api/v1/rounds/not-a-round/{what}"), &ours.token).status,
            400
        );
    }

    // A second invitation widens a phone's scope without a new installation, and old changes come along.
    let code = installation.invite(&HAMLETS[..1]);
    let enrolled = try_enrol(server.address, &enrolment_request(&theirs.key, &code));
    assert_eq!(enrolled.status, 201);
    theirs.token = enrolled.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(codes(&theirs.token), named(&["A", "B"]));
    theirs.client = Client::default();
    theirs.sync();
    assert_eq!(theirs.responses.keys().collect::<Vec<_>>(), ["A1", "A2", "A3", "B1"]);
}
