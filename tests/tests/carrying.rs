//! What one phone gives to another where there is no network: it is seen there, and reaches the server by either of the two,
//! once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use khaosat_tests::connection::{FullAnswer, request};
use khaosat_tests::handset::Handset;
use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::Phone;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use sync_core::bundle::{BundleLimits, BundleWriter, MEDIA_TYPE, RecipientSecret};
use sync_core::exchange::CarriedAttestation;

const HAMLET: &str = "28249-01";
const OTHER_HAMLET: &str = "28270-01";

/// By then a phone asks anew who its colleagues are.
const LATER: i64 = 6 * 60_000;

fn enrolled(installation: &Installation, server: &Server, hamlets: &[&str], name: &str) -> Handset {
    Handset::enrolled(server.address, &installation.invite_named(hamlets, name))
}

/// Lets a phone learn what is new, its colleagues among it.
fn refresh(phone: &mut Handset) -> Value {
    phone.now += LATER;
    let state = phone.sync();
    assert_eq!(state["problem"], Value::Null, "{state}");
    state
}

/// An installation with its server, and two phones of one hamlet that know each other.
struct World {
    installation: Installation,
    server: Server,
    a: Handset,
    b: Handset,
}

impl World {
    fn new() -> Self {
        let installation = Installation::new();
        let server = installation.serve();
        let mut a = enrolled(&installation, &server, &[HAMLET], "An");
        let b = enrolled(&installation, &server, &[HAMLET], "Bình");
        refresh(&mut a);
        Self {
            installation,
            server,
            a,
            b,
        }
    }

    fn give_to_b(&mut self) -> Value {
        give(&mut self.a, "Bình", &mut self.b)
    }
}

fn give(from: &mut Handset, name: &str, to: &mut Handset) -> Value {
    let key = from.colleague(name).unwrap();
    let gift = from.give(Some(&key)).unwrap();
    to.receive(gift).unwrap()
}

fn interview(phone: &mut Handset, unit: &str, person: &str) {
    assert!(phone.interview(unit, person));
    phone.now += 15 * 60_000;
    phone.ask("leave_interview", Value::Null).unwrap();
}

/// Answers one question.
fn answer(phone: &mut Handset, unit: &str, question: &str, value: &str) {
    phone.ask("open_interview", json!({ "unit": unit })).unwrap();
    phone.answer(question, json!(value));
    phone.now += 60_000;
    phone.ask("leave_interview", Value::Null).unwrap();
}

fn state(phone: &mut Handset) -> Value {
    phone.ask("sync_state", Value::Null).unwrap()
}

fn carried(phone: &mut Handset) -> (u64, u64) {
    let state = state(phone);
    (
        state["carriedResponses"].as_u64().unwrap(),
        state["carriedParcels"].as_u64().unwrap(),
    )
}

fn exported(installation: &Installation) -> Vec<Value> {
    let lines = installation
        .run(&["export", "responses", "--with-identifying"])
        .success();
    lines
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn log_head(server: &Server) -> u64 {
    server.current_overview()["freshness"]["log_head"].as_u64().unwrap()
}

#[test]
fn what_a_colleague_gives_is_seen_and_reaches_the_server_once() {
    let mut world = World::new();
    interview(&mut world.a, "A1", "Nguyễn Thị Hoa");
    let taken = world.give_to_b();
    assert_eq!(
        (&taken["from"], &taken["responses"], &taken["changes"]),
        (&json!("An"), &json!(1), &json!(1))
    );
    let b = &mut world.b;
    for _ in 0..2 {
        let line = b.line("A1");
        assert_eq!(line["person"], "Nguyễn Thị Hoa");
        assert_eq!((&line["status"], &line["carried"]), (&json!("finished"), &json!(true)));
        assert_eq!(line["unsent"], false);
        assert_eq!(carried(b), (1, 0));
        assert_eq!(state(b)["unsentResponses"], 0);
        // Also for whoever rescues the phone.
        assert_eq!(b.storage.sealed.len(), 1);
        b.restart();
    }
    // Again is harmless.
    let again = world.give_to_b();
    assert_eq!((&again["changes"], &again["known"]), (&json!(0), &json!(1)));

    let b = &mut world.b;
    refresh(b);
    assert_eq!(carried(b), (0, 0));
    assert!(b.storage.sealed.is_empty());
    assert_eq!(b.line("A1")["status"], "sent");
    let responses = exported(&world.installation);
    assert_eq!(responses[0]["answers"]["respondent_name"], "Nguyễn Thị Hoa");
    assert_eq!(log_head(&world.server), 1);

    // A's own delivery later changes nothing, and neither does another of B's exchanges, nor one from nothing.
    let sent = refresh(&mut world.a);
    assert_eq!(sent["unsentChanges"], 0);
    assert_eq!(world.a.line("A1")["status"], "sent");
    assert_eq!(refresh(&mut world.b)["received"], 0);
    world.b.restart();
    refresh(&mut world.b);
    assert_eq!((exported(&world.installation), log_head(&world.server)), (responses, 1));
    let mut c = enrolled(&world.installation, &world.server, &[HAMLET], "Cúc");
    assert_eq!(c.line("A1"), world.b.line("A1"));
}

#[test]
fn different_answers_meet_without_network() {
    let mut world = World::new();
    answer(&mut world.a, "A5", "consent", "yes");
    answer(&mut world.b, "A5", "consent", "no");
    world.give_to_b();
    assert_eq!(world.b.line("A5")["conflicts"], 1);
    let conflicts = world.b.ask("conflicts", json!({ "unit": "A5" })).unwrap();
    let authors: Vec<&Value> = conflicts[0]["claims"]
        .as_array()
        .unwrap()
        .iter()
        .map(|claim| &claim["author"])
        .collect();
    assert!(authors.contains(&&json!("An")), "{conflicts}");
    // B settles it, goes first to the server, and A sees the same.
    let settled = world
        .b
        .ask(
            "settle",
            json!({ "unit": "A5", "path": { "instance": null, "question": "consent" }, "value": "yes" }),
        )
        .unwrap();
    assert_eq!(settled, json!([]));
    refresh(&mut world.b);
    refresh(&mut world.a);
    assert_eq!(world.a.line("A5")["conflicts"], 0);
    assert_eq!(state(&mut world.b)["unsentChanges"], 0);
    assert_eq!(log_head(&world.server), 3);
}

#[test]
fn a_household_that_was_added_in_the_field_is_given_like_the_others() {
    let mut world = World::new();
    let added = json!({ "hamlet": HAMLET, "address": "Hẻm 99" });
    let unit = world.a.ask("add_household", added).unwrap()["unit"]
        .as_str()
        .unwrap()
        .to_owned();
    let taken = world.give_to_b();
    assert_eq!((&taken["responses"], &taken["aside"]), (&json!(1), &json!(0)));
    assert_eq!(world.b.line(&unit)["address"], "Hẻm 99");
    refresh(&mut world.b);
    assert_eq!((carried(&mut world.b), log_head(&world.server)), ((0, 0), 1));
}

#[test]
fn what_comes_while_the_interview_is_open_is_seen_when_it_ends() {
    let mut world = World::new();
    interview(&mut world.a, "A2", "Lê Văn Tám");
    world.b.ask("open_interview", json!({ "unit": "A2" })).unwrap();
    world.b.answer("consent", json!("yes"));
    world.b.answer("fibre_available", json!("no"));
    world.give_to_b();
    world.b.restart();
    let open = world.b.ask("interview", Value::Null).unwrap();
    assert!(!open.to_string().contains("Lê Văn Tám"), "{open}");
    world.b.now += 60_000;
    world.b.ask("leave_interview", Value::Null).unwrap();
    let line = world.b.line("A2");
    assert_eq!((&line["person"], &line["conflicts"]), (&json!("Lê Văn Tám"), &json!(1)));
    refresh(&mut world.b);
    assert_eq!(carried(&mut world.b), (0, 0));
    assert_eq!(log_head(&world.server), 2);
}

#[test]
fn nothing_is_dropped_before_the_server_has_answered() {
    let mut world = World::new();
    interview(&mut world.a, "A1", "Nguyễn Thị Hoa");
    world.give_to_b();
    let b = &mut world.b;
    b.ask("begin_sync", Value::Null).unwrap();
    assert_eq!(b.step_without_answer(), "/api/v1/bundles");
    assert_eq!((carried(b), b.storage.sealed.len()), ((1, 0), 1));
    b.restart();
    // The server took it, and dies; it is there when it comes back, and comes again.
    let address = world.server.address;
    let data = world.installation.data();
    world.server.kill();
    b.now += LATER;
    assert_ne!(b.sync()["problem"], Value::Null);
    assert_eq!(carried(b), (1, 0));
    let server = Server::start(&data, address);
    assert_eq!(log_head(&server), 1);
    refresh(b);
    assert_eq!((carried(b), b.storage.sealed.len()), ((0, 0), 0));
    assert_eq!(log_head(&server), 1);
}

#[test]
fn who_does_not_know_a_colleague_gives_what_only_the_server_reads() {
    let mut world = World::new();
    let mut c = enrolled(&world.installation, &world.server, &[HAMLET], "Cúc");
    interview(&mut world.a, "A3", "Phạm Thị Sáu");
    // C enrolled later than A last asked.
    assert_eq!(world.a.colleague("Cúc"), None);
    let gift = world.a.give(None).unwrap();
    let taken = c.receive(gift.clone()).unwrap();
    assert_eq!((&taken["parcels"], &taken["changes"]), (&json!(1), &json!(0)));
    assert_eq!(c.receive(gift).unwrap()["parcels"], 0);
    c.restart();
    assert_eq!((carried(&mut c), c.storage.sealed.len()), ((0, 1), 1));
    assert_eq!(c.line("A3")["status"], "not_started");
    // It goes on from hand to hand.
    refresh(&mut world.b);
    let taken = give_parcels(&mut c, &mut world.b);
    assert_eq!(taken["parcels"], 1);
    refresh(&mut c);
    assert_eq!((carried(&mut c), c.storage.sealed.len()), ((0, 0), 0));
    assert_eq!(c.line("A3")["person"], "Phạm Thị Sáu");
    refresh(&mut world.b);
    assert_eq!(carried(&mut world.b), (0, 0));
    assert_eq!(log_head(&world.server), 1);
}

fn give_parcels(from: &mut Handset, to: &mut Handset) -> Value {
    let gift = from.give(None).unwrap();
    to.receive(gift).unwrap()
}

#[test]
fn a_third_phone_hands_on_what_it_was_given() {
    let mut world = World::new();
    let mut c = enrolled(&world.installation, &world.server, &[HAMLET], "Cúc");
    refresh(&mut world.b);
    interview(&mut world.a, "A4", "Võ Thị Năm");
    world.give_to_b();
    // What B writes builds on it.
    answer(&mut world.b, "A4", "fibre_provider", "fpt");
    let taken = give(&mut world.b, "Cúc", &mut c);
    assert_eq!((&taken["from"], &taken["changes"]), (&json!("Bình"), &json!(2)));
    assert_eq!(c.line("A4")["person"], "Võ Thị Năm");
    refresh(&mut c);
    assert_eq!((carried(&mut c), log_head(&world.server)), ((0, 0), 2));
    refresh(&mut world.b);
    refresh(&mut world.a);
    assert_eq!(log_head(&world.server), 2);
    assert_eq!(exported(&world.installation)[0]["answers"]["fibre_provider"], "fpt");
}

#[test]
fn codes_of_which_a_third_is_not_seen_give_the_same() {
    let mut world = World::new();
    for unit in ["A1", "A2", "A3"] {
        interview(&mut world.a, unit, "Nguyễn Thị Hoa");
    }
    let key = world.a.colleague("Bình").unwrap();
    let mut first = 0;
    let taken = 'scanned: loop {
        let batch = json!({ "to": key, "first": first, "count": 10 });
        let batch = world.a.ask("give_frames", batch).unwrap();
        for (number, text) in batch["texts"].as_array().unwrap().iter().enumerate() {
            if number % 3 == 1 {
                // The camera sees something else.
                let other = world
                    .b
                    .ask("receive_frame", json!({ "text": "https://vi.dụ/" }))
                    .unwrap();
                assert_eq!(other["received"], Value::Null);
                continue;
            }
            let progress = world.b.ask("receive_frame", json!({ "text": text })).unwrap();
            assert_eq!(progress["needed"], batch["needed"]);
            if progress["taken"] != Value::Null {
                break 'scanned progress["taken"].clone();
            }
        }
        first += 10;
        assert!(first < 200);
    };
    assert_eq!(taken["responses"], 3);
    assert_eq!(carried(&mut world.b), (3, 0));
}

#[test]
fn what_a_revoked_colleague_gave_is_brought_and_an_official_decides() {
    let mut world = World::new();
    interview(&mut world.a, "A1", "Nguyễn Thị Hoa");
    world.give_to_b();
    let key = world.b.colleague("An").unwrap();
    world
        .installation
        .run(&["device", "revoke", &key, "--reason", "Mất máy"])
        .success();
    refresh(&mut world.b);
    assert_eq!((carried(&mut world.b), log_head(&world.server)), ((0, 0), 0));
    let listed = world
        .installation
        .run(&["quarantine", "list", "--format", "json"])
        .success()
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    // B has seen it, and goes on seeing it; nobody gives to the revoked phone any more.
    assert_eq!(world.b.line("A1")["person"], "Nguyễn Thị Hoa");
    assert_eq!(world.b.colleague("An"), None);
    let hash = listed[0]["hash"].as_str().unwrap();
    world
        .installation
        .run(&["quarantine", "release", hash, "--reason", "Máy đã tìm thấy"])
        .success();
    refresh(&mut world.b);
    assert_eq!(log_head(&world.server), 1);
    assert_eq!(world.b.line("A1")["status"], "sent");
}

#[test]
fn strangers_are_carried_but_not_believed() {
    let mut world = World::new();
    // Somebody of another hamlet writes about a household of this one.
    let mut stranger = enrolled(&world.installation, &world.server, &[HAMLET, OTHER_HAMLET], "Lạ");
    refresh(&mut stranger);
    interview(&mut stranger, "B1", "Trần Văn Bé");
    interview(&mut stranger, "A1", "Trần Văn Bé");
    // B does not know the stranger, who enrolled later.
    let taken = give(&mut stranger, "Bình", &mut world.b);
    assert_eq!((&taken["aside"], &taken["responses"]), (&json!(2), &json!(0)));
    assert_eq!(world.b.line("A1")["status"], "not_started");
    refresh(&mut world.b);
    assert_eq!((carried(&mut world.b), log_head(&world.server)), ((0, 0), 2));
    assert_eq!(world.b.line("A1")["person"], "Trần Văn Bé");
    assert_eq!(world.b.line("B1"), Value::Null);

    // A gift for another phone, a broken one and rubbish say what they are, and change nothing.
    interview(&mut world.a, "A2", "Lê Văn Tám");
    let key = world.a.colleague("Bình").unwrap();
    let gift = world.a.give(Some(&key)).unwrap();
    let before = stranger.storage.records.len();
    for bad in [
        gift.clone(),
        gift[..gift.len() - 1].to_vec(),
        b"khaosat".to_vec(),
        Vec::new(),
    ] {
        let problem = stranger.receive(bad).unwrap_err();
        assert_eq!(problem["type"], "/problems/no-bundle", "{problem}");
    }
    assert_eq!(stranger.storage.records.len(), before);
    let unknown = stranger.give(Some(&"0".repeat(64))).unwrap_err();
    assert_eq!(unknown["type"], "/problems/unknown-colleague");
}

fn upload(server: &Server, token: &str, body: &[u8]) -> FullAnswer {
    let token = format!("Bearer {token}");
    let headers = [("authorization", token.as_str()), ("content-type", MEDIA_TYPE)];
    request(server.address, "POST", "/api/v1/bundles", &headers, body)
}

/// An open bundle of what a phone wrote about a unit.
fn bundle_of(phone: &mut Phone, unit: &str, recipient: Option<&RecipientSecret>) -> Vec<u8> {
    let (round, key_of) = (phone.round(), phone.key.public());
    let changes = phone.open(unit).changes_of(&key_of.actor());
    let random = ChaCha20Rng::seed_from_u64(1);
    let recipient = recipient.map(RecipientSecret::public);
    let mut writer = BundleWriter::new(&phone.key, 0, recipient, random, BundleLimits::default());
    for change in changes {
        let attestation = CarriedAttestation {
            device: key_of,
            hashes: change.hash().0.to_vec().into(),
            signature: phone.key.attest(&[change.hash()]),
        };
        writer.add(round, unit, change.raw_bytes(), &attestation).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn whoever_brings_bundles_is_told_what_became_of_each_change() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut author = Phone::of(&installation, &server, &[HAMLET], 1);
    let carrier = Phone::of(&installation, &server, &[OTHER_HAMLET], 2);
    let twin = installation.twin();
    let elsewhere = twin.serve();
    let mut unknown = Phone::of(&twin, &elsewhere, &[HAMLET], 3);
    for phone in [&mut author, &mut unknown] {
        phone.interview("A1", "yes");
    }
    author.interview("B1", "yes");
    let good = bundle_of(&mut author, "A1", None);
    let token = &carrier.token;

    let told = upload(&server, token, &good).json();
    assert_eq!((&told["changes"], &told["new"]), (&json!(1), &json!(1)));
    // Several at once: one again, one outside its author's scope, one of nobody who is known.
    let outside = bundle_of(&mut author, "B1", None);
    let several = [good.clone(), outside, bundle_of(&mut unknown, "A1", None)].concat();
    let told = upload(&server, token, &several).json();
    assert_eq!(
        (&told["changes"], &told["known"], &told["new"]),
        (&json!(3), &json!(1), &json!(0))
    );
    let refused = told["refused"].as_array().unwrap();
    let reasons: Vec<_> = refused
        .iter()
        .map(|refused| (&refused["reason"], &refused["quarantined"]))
        .collect();
    assert_eq!(
        reasons,
        [
            (&json!("outside_scope"), &json!(true)),
            (&json!("unknown_device"), &json!(false))
        ]
    );

    // What cannot be read says why, and nothing of it is taken.
    let before = log_head(&server);
    let stranger = RecipientSecret::from_secret(&[7; 32]);
    let sealed = bundle_of(&mut author, "A1", Some(&stranger));
    let mut forged = good.clone();
    forged[60] ^= 1;
    let mut later = good.clone();
    later[9] = 9;
    for (body, status, kind) in [
        (b"".to_vec(), 400, "malformed-bundle"),
        (b"rubbish".to_vec(), 400, "malformed-bundle"),
        (good[..40].to_vec(), 400, "malformed-bundle"),
        (forged, 400, "malformed-bundle"),
        (later, 400, "unsupported-version"),
        (good[..good.len() - 1].to_vec(), 422, "unreadable-bundle"),
        (sealed, 422, "unreadable-bundle"),
        (vec![0; (4 << 20) + 1], 413, "too-large"),
    ] {
        let answer = upload(&server, token, &body);
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.json()["type"], format!("/problems/{kind}"), "{answer:?}");
    }
    assert_eq!(upload(&server, "00", &good).status, 401);
    let untyped = [("authorization", &*format!("Bearer {token}"))];
    assert_eq!(
        request(server.address, "POST", "/api/v1/bundles", &untyped, &good).status,
        415
    );
    assert_eq!(log_head(&server), before);

    // A phone whose rights were taken away still brings what others gave it: the authors count.
    installation
        .run(&[
            "device",
            "revoke",
            &carrier.key.public().to_string(),
            "--reason",
            "Mất máy",
        ])
        .success();
    assert_eq!(upload(&server, token, &good).json()["known"], 1);
}

#[test]
fn a_hub_takes_what_is_carried_there_and_forwards_it() {
    let province = Installation::new();
    let hub = province.twin();
    let (above, below) = (province.serve(), hub.serve());
    let code = province.invite_hub(&[HAMLET, OTHER_HAMLET]);
    hub.run(&["upstream", "join", &format!("http://{}", above.address), &code])
        .success();
    let mut a = enrolled(&province, &above, &[HAMLET], "An");
    let mut b = enrolled(&hub, &below, &[HAMLET], "Bình");
    let reach = || hub.run(&["upstream", "sync"]).success();
    reach();
    refresh(&mut a);
    refresh(&mut b);
    interview(&mut a, "A1", "Nguyễn Thị Hoa");
    let taken = give(&mut a, "Bình", &mut b);
    assert_eq!((&taken["from"], &taken["responses"]), (&json!("An"), &json!(1)));
    refresh(&mut b);
    assert_eq!((carried(&mut b), log_head(&below)), ((0, 0), 1));
    reach();
    assert_eq!(log_head(&above), 1);
    refresh(&mut a);
    assert_eq!(exported(&province)[0]["answers"]["respondent_name"], "Nguyễn Thị Hoa");
    assert_eq!(log_head(&above), 1);
}

/// Three phones interview, give one another and exchange with the server in any order; in the end all have the same.
#[test]
fn in_whatever_order_phones_meet_all_come_to_have_the_same() {
    const NAMES: [&str; 3] = ["An", "Bình", "Cúc"];
    const UNITS: [&str; 3] = ["A1", "A2", "A3"];
    let installation = Installation::new();
    let server = installation.serve();
    let mut phones = NAMES.map(|name| enrolled(&installation, &server, &[HAMLET], name));
    phones.iter_mut().for_each(|phone| {
        refresh(phone);
    });
    let mut random = ChaCha20Rng::seed_from_u64(25);
    for step in 0..120 {
        let one = random.random_range(0..3);
        match random.random_range(0..10) {
            0..5 => {
                let unit = UNITS[random.random_range(0..UNITS.len())];
                let provider = ["vnpt", "fpt", "viettel"][random.random_range(0..3)];
                let phone = &mut phones[one];
                phone.ask("open_interview", json!({ "unit": unit })).unwrap();
                phone.answer("consent", json!("yes"));
                phone.answer("respondent_name", json!(format!("Tên {step}")));
                phone.answer("fibre_available", json!("yes"));
                phone.answer("fibre_subscribed", json!("yes"));
                phone.answer("fibre_provider", json!(provider));
                phone.now += 60_000;
                phone.ask("leave_interview", Value::Null).unwrap();
            }
            5..8 => {
                let other = (one + random.random_range(1..3)) % 3;
                let key = phones[one].colleague(NAMES[other]).unwrap();
                if let Ok(gift) = phones[one].give(Some(&key)) {
                    phones[other].receive(gift).unwrap();
                }
            }
            8 => phones[one].restart(),
            _ => {
                refresh(&mut phones[one]);
            }
        }
    }
    for _ in 0..2 {
        phones.iter_mut().for_each(|phone| {
            refresh(phone);
        });
    }
    let mut newcomer = enrolled(&installation, &server, &[HAMLET], "Dũng");
    for unit in UNITS {
        let said = |phone: &mut Handset| {
            let conflicts = phone.ask("conflicts", json!({ "unit": unit })).unwrap();
            let count = conflicts.as_array().unwrap().len();
            let mut line = phone.line(unit);
            // Whoever has seen that something was refused says so; nothing was.
            assert_eq!(line["refused"], Value::Null);
            line["conflicts"] = json!(count);
            line
        };
        let expected = said(&mut newcomer);
        for phone in &mut phones {
            assert_eq!(said(phone), expected);
            assert_eq!(
                (carried(phone), state(phone)["unsentChanges"].clone()),
                ((0, 0), json!(0))
            );
            assert!(phone.storage.sealed.is_empty());
        }
    }
}
