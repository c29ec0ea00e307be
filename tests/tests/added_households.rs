//! Households that are not on the list: added on a phone without network, they reach the server, the estimates, and the other
//! phones of the hamlet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use khaosat_tests::connection;
use khaosat_tests::handset::Handset;
use khaosat_tests::installation::{Installation, Server, repository};
use khaosat_tests::phone::Phone;
use khaosat_tests::process::{self, run_to_end};
use khaosat_tests::rows::rows;
use serde_json::{Value, json};
use survey_forms::answers::{AnswerPath, AnswersMut as _};
use sync_core::Change;
use sync_core::exchange::RefusalReason;
use sync_core::unit::AddedUnit;

/// The hamlets of an installation.
const HAMLETS: [&str; 2] = ["28249-01", "28270-01"];
/// Households with fibre, among those that know whether they have it.
const FIBRE: &str = "XHS-05";
/// Added households of a hamlet at most.
const LIMIT: u16 = 500;

fn enrolled(installation: &Installation, server: &Server, hamlets: &[&str]) -> Handset {
    Handset::enrolled(server.address, &installation.invite(hamlets))
}

/// Adds a household on a phone, and gives its code.
fn add(phone: &mut Handset, hamlet: &str, address: &str) -> String {
    let added = phone
        .ask("add_household", json!({ "hamlet": hamlet, "address": address }))
        .unwrap();
    added["unit"].as_str().unwrap().to_owned()
}

fn added(installation: &Installation) -> Value {
    installation
        .run(&["response", "added", "--format", "json"])
        .success()
        .json()
}

fn fibre(overview: &Value) -> &Value {
    let indicators = overview["indicators"].as_array().unwrap();
    let mut indicators = indicators.iter();
    &indicators.find(|indicator| indicator["code"] == FIBRE).unwrap()["estimate"]
}

fn point(overview: &Value) -> f64 {
    fibre(overview)["point"].as_f64().unwrap()
}

fn assert_close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
}

/// The code of an added household whose chance is this number.
fn code(hamlet: &str, number: u16) -> String {
    let [high, low] = number.to_be_bytes();
    AddedUnit::new(hamlet, [0, 0, 0, 0, high, low]).to_string()
}

/// A household that was added and answered one question.
fn interview(phone: &mut Phone, unit: &str, address: &str, fibre_available: &str) -> Change {
    phone
        .edit(unit, |edit| {
            edit.list_household(address)?;
            edit.put_answer(&AnswerPath::top("consent"), &"yes".into())?;
            edit.put_answer(&AnswerPath::top("visit_outcome"), &"completed".into())?;
            edit.put_answer(&AnswerPath::top("fibre_available"), &fibre_available.into())
        })
        .expect("a new answer makes a change")
}

/// What the server says of each change of a request, and whether it keeps it for an official.
fn refused(phone: &Phone, unit: &str, changes: &[&Change]) -> Vec<(RefusalReason, bool)> {
    let response = phone.exchange(&phone.carrying(unit, changes));
    let refused = response.refused.iter();
    refused.map(|refusal| (refusal.reason, refusal.quarantined)).collect()
}

fn assigned(installation: &Installation, server: &Server, token: &str) -> Vec<Value> {
    let path = format!("/api/v1/rounds/{}/assignment", installation.round);
    let answer = connection::get(server.address, &path, &[("authorization", &format!("Bearer {token}"))]);
    answer.json()["units"].as_array().unwrap().clone()
}

/// The overview once something holds of it: what a command wrote is noticed within seconds.
#[track_caller]
fn once(server: &Server, holds: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let overview = server.current_overview();
        if holds(&overview) {
            return overview;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "never comes: {overview}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_household_that_one_phone_adds_without_network_comes_to_the_server_and_to_the_other_phone() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = enrolled(&installation, &server, &HAMLETS[..1]);
    let mut other = enrolled(&installation, &server, &HAMLETS[..1]);
    let before = server.figures();
    server.kill();

    for (hamlet, address, problem) in [
        (HAMLETS[1], "Chòi lá ven kênh", "/problems/unknown-hamlet"),
        (HAMLETS[0], "  \n ", "/problems/unusable-change"),
        (HAMLETS[0], &"ô".repeat(201), "/problems/unusable-change"),
    ] {
        let argument = json!({ "hamlet": hamlet, "address": address });
        assert_eq!(phone.ask("add_household", argument).unwrap_err()["type"], problem);
    }
    assert!(phone.unsent().is_empty());

    let unit = add(&mut phone, HAMLETS[0], " Chòi lá\tven kênh ");
    assert_eq!(AddedUnit::parse(&unit).unwrap().hamlet(), HAMLETS[0]);
    let line = phone.line(&unit);
    assert_eq!(line["address"], "Chòi lá ven kênh");
    assert_eq!(
        (&line["added"], &line["hamlet"], &line["status"]),
        (&json!(true), &json!(HAMLETS[0]), &json!("not_started"))
    );
    assert_eq!(phone.line("A1")["added"], false);
    phone.restart();
    assert_eq!(phone.line(&unit)["address"], "Chòi lá ven kênh");
    assert!(phone.interview(&unit, "Lê Thị Mới"));
    phone.ask("leave_interview", Value::Null).unwrap();

    let server = installation.serve();
    phone.move_to(server.address);
    other.move_to(server.address);
    assert_eq!(phone.sync()["problem"], Value::Null);
    assert_eq!(phone.line(&unit)["status"], "sent");
    // It is there, and counts, also after a power cut.
    let figures = server.figures();
    server.kill();
    let server = installation.serve();
    phone.move_to(server.address);
    other.move_to(server.address);
    assert_eq!(server.figures(), figures);
    for (name, more) in [
        ("frame_households", 1),
        ("expected", 1),
        ("received", 1),
        ("added", 1),
        ("added_uncounted", 0),
    ] {
        let [now, then] = [&figures, &before].map(|figures| figures["coverage"][name].as_u64().unwrap());
        assert_eq!(now, then + more, "{name}");
    }
    assert_eq!(
        added(&installation),
        json!([{
            "unit": unit, "hamlet": HAMLETS[0], "hamlet_name": "1", "address": "Chòi lá ven kênh", "counted": true,
        }])
    );

    // The other phone sees it by the exchange, before the server has told it what is assigned.
    other.sync();
    let line = other.line(&unit);
    assert_eq!(
        (&line["address"], &line["added"], &line["person"]),
        (&json!("Chòi lá ven kênh"), &json!(true), &json!("Lê Thị Mới"))
    );
    let units = assigned(&installation, &server, &other.token());
    let told = units.iter().find(|told| told["code"] == unit.as_str()).unwrap();
    assert_eq!(
        (&told["hamlet"], &told["address"], &told["added"]),
        (&json!(HAMLETS[0]), &json!("Chòi lá ven kênh"), &json!(true))
    );
    assert_eq!(units.len(), 10);
    assert!(
        units
            .iter()
            .all(|told| told["code"] == unit.as_str() || told.get("added").is_none())
    );

    // Two correct the address at once: one of both stands everywhere, and nobody has to decide.
    let correct = |phone: &mut Handset, address: &str| {
        let argument = json!({ "unit": unit, "address": address });
        phone.ask("correct_address", argument).unwrap();
    };
    correct(&mut phone, "Chòi lá cạnh cầu Bà Tồn");
    correct(&mut other, "Số 1B, sau quán cà phê");
    phone.sync();
    other.sync();
    phone.sync();
    let address = phone.line(&unit)["address"].clone();
    assert_eq!(other.line(&unit)["address"], address);
    assert_eq!(phone.line(&unit)["conflicts"], 0);
    assert_eq!(server.current_overview()["coverage"]["open_conflicts"], 0);
    assert_eq!(added(&installation)[0]["address"], address);
    let listed = phone.ask("correct_address", json!({ "unit": "A1", "address": "Hẻm 2" }));
    assert_eq!(listed.unwrap_err()["type"], "/problems/listed-household");

    let export = |more: &[&str]| -> Value {
        let lines = installation.run(&[&["export", "responses"], more].concat()).success();
        serde_json::from_str(lines.text().lines().next().unwrap()).unwrap()
    };
    let whole = export(&["--with-identifying"]);
    assert_eq!((&whole["added"], &whole["address"]), (&json!(true), &address));
    let pseudonymous = export(&[]);
    assert_eq!(
        (&pseudonymous["added"], pseudonymous.get("address")),
        (&json!(true), None)
    );
    assert!(
        whole["answers"]
            .as_object()
            .unwrap()
            .keys()
            .all(|key| !key.starts_with('@'))
    );
}

#[test]
fn an_added_household_counts_where_all_are_surveyed_and_not_where_households_were_drawn() {
    let installation = Installation::with_sample(20);
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &HAMLETS, 1);
    for number in 1..=9 {
        phone.interview(&format!("A{number}"), if number <= 6 { "yes" } else { "no" });
        phone.interview(&format!("B{number}"), if number <= 3 { "yes" } else { "no" });
    }
    phone.sync();
    let before = server.figures();
    let weight = 20.0 / 9.0;
    assert_close(point(&before), (6.0 + weight * 3.0) / 29.0);

    // Of the sampled hamlet, nobody knows with which probability it would have been drawn.
    let uncounted = code(HAMLETS[1], 1);
    interview(&mut phone, &uncounted, "Tổ 10", "yes");
    phone.sync();
    let figures = server.figures();
    assert_eq!(figures["indicators"], before["indicators"]);
    assert_eq!(
        figures["children"][1]["indicators"],
        before["children"][1]["indicators"]
    );
    for name in ["frame_households", "expected", "received", "responded", "added"] {
        assert_eq!(figures["coverage"][name], before["coverage"][name], "{name}");
    }
    assert_eq!(figures["coverage"]["added_uncounted"], 1);
    assert_eq!(added(&installation)[0]["counted"], false);

    // Of the hamlet of which all are surveyed, it is one more; and another one of which nobody knows anything yet.
    let counted = code(HAMLETS[0], 2);
    interview(&mut phone, &counted, "Hẻm 10", "yes");
    phone.sync();
    let one_more = server.figures();
    assert_close(point(&one_more), (7.0 + weight * 3.0) / 30.0);
    assert_close(point(&server.overview(Some("28249"))), 0.7);
    phone.edit(&code(HAMLETS[0], 3), |edit| edit.list_household("Hẻm 11"));
    phone.sync();
    let figures = server.figures();
    // Ten of eleven have answered, and stand for all.
    assert_close(point(&figures), (7.0 * 1.1 + weight * 3.0) / 31.0);
    assert_eq!(figures["coverage"]["added"], 2);
    assert_eq!(figures["coverage"]["responded"], 19);

    // From the stored projections it is the same, and so it is from the whole log.
    server.kill();
    let server = installation.serve();
    assert_eq!(server.figures(), figures);
    server.kill();
    let twin = installation.run(&["estimate", "--format", "json"]).success().json();
    assert_eq!(twin["indicators"], figures["indicators"]);
    let server = installation.serve();

    // A pair with the uncounted one does not touch the listed household's share, whichever is said to stay.
    let arguments = ["duplicate", "suspect", "B1", &uncounted, "--reason", "cùng số nhà"];
    installation.run(&arguments).success();
    let open = once(&server, |overview| overview["coverage"]["suspected_duplicates"] == 1);
    assert_eq!(fibre(&open), fibre(&figures));
    installation
        .run(&["duplicate", "settle", "B1", &uncounted, "--same", &uncounted])
        .success();
    let settled = once(&server, |overview| overview["coverage"]["suspected_duplicates"] == 0);
    assert_eq!(fibre(&settled), fibre(&figures));
    // Where it counts, it is a listing like the others: as a duplicate, it counts zero.
    let arguments = ["duplicate", "suspect", "A1", &counted, "--reason", "cùng số nhà"];
    installation.run(&arguments).success();
    installation
        .run(&["duplicate", "settle", "A1", &counted, "--same", "A1"])
        .success();
    let settled = once(&server, |overview| fibre(overview) != fibre(&figures));
    assert_close(point(&settled), (6.0 * 1.1 + weight * 3.0) / (9.0 * 1.1 + 20.0));
}

#[test]
fn what_may_not_be_added_is_refused_by_name_and_leaves_no_household_behind() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &HAMLETS[..1], 1);
    let refusals = [
        (code(HAMLETS[1], 1), RefusalReason::OutsideScope),
        (code("28249-09", 1), RefusalReason::UnknownUnit),
        (format!("{}+00000000000A", HAMLETS[0]), RefusalReason::UnknownUnit),
        (format!("{}+0000000000", HAMLETS[0]), RefusalReason::UnknownUnit),
        (format!("{}+", HAMLETS[0]), RefusalReason::UnknownUnit),
        (code("A1", 1), RefusalReason::UnknownUnit),
    ];
    for (unit, reason) in &refusals {
        let change = interview(&mut phone, unit, "Chòi lá", "yes");
        assert_eq!(refused(&phone, unit, &[&change]), [(*reason, true)], "{unit}");
    }

    // After the round has ended it waits for an official, and is added when that one lets it in.
    installation.run(&["round", "close"]).success();
    let late = code(HAMLETS[0], 7);
    let change = interview(&mut phone, &late, "Chòi lá", "yes");
    assert_eq!(refused(&phone, &late, &[&change]), [(RefusalReason::RoundClosed, true)]);
    assert_eq!(added(&installation), json!([]));
    let hash = change.hash().to_string();
    installation
        .run(&["quarantine", "release", &hash, "--reason", "Ghi trước khi khóa"])
        .success();
    once(&server, |overview| overview["coverage"]["added"] == 1);
    assert_eq!(added(&installation)[0]["unit"], late);
    installation.run(&["round", "reopen"]).success();

    // So many households no list has forgotten.
    let mut client = sync_core::exchange::Client::default();
    for number in 1000..1000 + LIMIT {
        let unit = code(HAMLETS[0], number);
        let change = phone.edit(&unit, |edit| edit.list_household("Nhà trọ")).unwrap();
        client.enqueue(phone.outgoing(&unit, &change));
    }
    let response = phone.exchange(&client.request(&phone.key, phone.device_time(), usize::MAX));
    let reasons: Vec<_> = response
        .refused
        .iter()
        .map(|refusal| (refusal.reason, refusal.quarantined))
        .collect();
    assert_eq!(reasons, [(RefusalReason::HamletFull, true)]);
    let full = once(&server, |overview| overview["coverage"]["added"] == LIMIT);
    assert_eq!(full["coverage"]["frame_households"], 18 + LIMIT);
    // Whoever is there already goes on.
    let more = interview(&mut phone, &code(HAMLETS[0], 1000), "Nhà trọ, phòng 2", "no");
    assert_eq!(refused(&phone, &code(HAMLETS[0], 1000), &[&more]), []);
}

/// The files of the folder in which these bytes are.
fn files_with(folder: &Path, wanted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, wanted));
        } else if std::fs::read(&path)
            .unwrap()
            .windows(wanted.len())
            .any(|bytes| bytes == wanted)
        {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn an_added_household_that_asks_for_it_is_forgotten_with_its_address() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &HAMLETS, 1);
    phone.interview("A1", "no");
    phone.sync();
    let before = server.figures();
    let unit = code(HAMLETS[0], 1);
    let address = "Chòi lá bí mật sau miễu";
    interview(&mut phone, &unit, address, "yes");
    phone.sync();
    assert_eq!(server.current_overview()["coverage"]["added"], 1);
    assert!(!files_with(&installation.data(), address.as_bytes()).is_empty());

    let arguments = ["response", "erase", &unit, "--reason", "Đơn số 12/2026"];
    run_to_end(process::khaosat(arguments).arg("--data").arg(installation.data())).success();
    assert_eq!(files_with(&installation.data(), address.as_bytes()), [""; 0]);
    once(&server, |overview| overview["coverage"]["added"] == 0);
    assert_eq!(server.figures(), before);
    assert_eq!(added(&installation), json!([]));
    assert_eq!(assigned(&installation, &server, &phone.token).len(), 18);

    // It does not come back, and the phone forgets it too.
    let again = interview(&mut phone, &unit, "Nơi khác", "yes");
    assert_eq!(refused(&phone, &unit, &[&again]), [(RefusalReason::Erased, false)]);
    phone.sync();
    assert!(!phone.responses.contains_key(&unit));
    assert_eq!(server.current_overview()["coverage"]["added"], 0);
}

#[test]
fn an_added_household_goes_through_hubs_both_ways() {
    let province = Installation::new();
    let hub = province.twin();
    let (above, below) = (province.serve(), hub.serve());
    let code_of_hub = province.invite_hub(&HAMLETS);
    hub.run(&["upstream", "join", &format!("http://{}", above.address), &code_of_hub])
        .success();
    let mut one = Phone::of(&hub, &below, &HAMLETS, 1);
    let mut two = Phone::of(&province, &above, &HAMLETS, 2);
    interview(&mut one, &code(HAMLETS[0], 1), "Chòi lá", "yes");
    one.sync();
    interview(&mut two, &code(HAMLETS[1], 2), "Ghe đậu bến Chợ Cũ", "no");
    two.sync();
    hub.run(&["upstream", "sync"]).success();
    let figures = once(&above, |overview| overview["coverage"]["added"] == 2);
    let same = once(&below, |overview| overview["coverage"]["added"] == 2);
    assert_eq!(figures["indicators"], same["indicators"]);
    assert_eq!(added(&province), added(&hub));

    // A hub that joins now has them by their responses, not as of the list.
    let late = province.empty();
    let code_of_hub = province.invite_hub(&HAMLETS[..1]);
    late.run(&["upstream", "join", &format!("http://{}", above.address), &code_of_hub])
        .success();
    let counts = |installation: &Installation| {
        rows::<(i64, i64)>(
            &installation.data(),
            "SELECT added, COUNT(*) FROM sampled_unit GROUP BY added ORDER BY added",
        )
    };
    assert_eq!(counts(&late), [(0, 18)]);
    late.run(&["upstream", "sync"]).success();
    assert_eq!(counts(&late), [(0, 18), (1, 1)]);
}

#[test]
fn a_list_with_codes_of_added_households_is_not_taken() {
    let installation = Installation::new();
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let hamlets = written(
        "hamlets.csv",
        "code,name,kind,commune_code,stratum,households\n28249-01,1,khu phố,28249,815,9\n",
    );
    let households = written(
        "households.csv",
        "code,hamlet_code,address\nA1,28249-01,Hẻm 1\nA+2,28249-01,Hẻm 2\n",
    );
    let form = repository().join("forms/household.xlsx");
    let form = form.to_string_lossy();
    let ended = installation.run(&[
        "round",
        "create",
        "--name",
        "Thử",
        "--reference-date",
        "2025-10-01",
        "--units-on",
        "2022-12-19",
        "--form",
        &form,
        "--hamlets",
        &hamlets,
        "--households",
        &households,
    ]);
    let said = ended.failure().stderr;
    assert!(said.contains('3') && said.contains("A+2"), "{said}");
}
