//! Responses are plain Automerge documents: the JavaScript package opens what `khaosat export document` writes and says
//! the same of it, conflicts included, and what it changes and saves is read here again with everybody's history.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ::automerge::Automerge;
use khaosat_tests::automerge;
use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::Phone;
use khaosat_tests::process::{Ended, khaosat, run_to_end};
use serde_json::{Value as Json, json};
use survey_forms::answers::{AnswerPath, Answers as _, AnswersMut as _, InstanceId, Value};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Reading, Response, Visit};
use tempfile::TempDir;

const HAMLET: &str = "28249-01";
const UNIT: &str = "A1";
const MEMBER: &str = "9f86d081";
const VISIT: &str = "b4b147bc";

/// The single answers of the household and of the member.
const HOUSEHOLD_QUESTIONS: [&str; 7] = [
    "consent",
    "fibre_available",
    "household_size",
    "area",
    "note",
    "address",
    "roof",
];
const MEMBER_QUESTIONS: [&str; 3] = ["full_name", "smartphone", "birth_year"];

fn member() -> InstanceId {
    InstanceId::new(MEMBER)
}

fn enrol(installation: &Installation, server: &Server, number: u8) -> Phone {
    Phone::enrol(
        server.address,
        installation.round,
        &installation.invite(&[HAMLET]),
        number,
    )
}

/// Writes single answers in one change.
fn answer(phone: &mut Phone, answers: &[(AnswerPath, Option<Value>)]) {
    phone.edit(UNIT, |edit| {
        for (path, value) in answers {
            match value {
                Some(value) => edit.put_answer(path, value)?,
                None => edit.clear_answer(path)?,
            }
        }
        Ok(())
    });
}

fn top(question: &str, value: impl Into<Value>) -> (AnswerPath, Option<Value>) {
    (AnswerPath::top(question), Some(value.into()))
}

fn of_member(question: &str, value: impl Into<Value>) -> (AnswerPath, Option<Value>) {
    (AnswerPath::within(&member(), question), Some(value.into()))
}

/// Two phones with one household between them: what both know, what each wrote without knowing of the other, and one
/// difference that was settled. Gives the first phone, which has everything.
fn surveyed(installation: &Installation, server: &Server) -> Phone {
    let (mut first, mut second) = (enrol(installation, server, 1), enrol(installation, server, 2));
    first.edit(UNIT, |edit| {
        edit.put_answer(&AnswerPath::top("consent"), &"yes".into())?;
        edit.put_answer(&AnswerPath::top("note"), &"cổng xanh".into())?;
        edit.put_answer(&AnswerPath::top("address"), &"12 Lý Thường Kiệt".into())?;
        edit.add_instance("members", None, &member())?;
        edit.put_answer(&AnswerPath::within(&member(), "full_name"), &"Nguyễn Thị Lan".into())
    });
    first.sync();
    second.sync();

    let device = first.key.public().actor().to_string();
    answer(
        &mut first,
        &[
            top("fibre_available", "yes"),
            top("household_size", 4),
            top("roof", "tile"),
            (AnswerPath::top("note"), None),
            (AnswerPath::top("address"), None),
            of_member("smartphone", "own"),
            of_member("birth_year", 1957),
        ],
    );
    first.edit(UNIT, |edit| {
        let tools = BTreeSet::from(["radio".to_owned(), "television".to_owned()]);
        edit.put_answer(&AnswerPath::top("tools"), &Value::Choices(tools))?;
        edit.record_visit(
            VISIT,
            &Visit {
                device,
                started_at: 1_760_000_000_123,
                ended_at: 1_760_000_900_456,
                outcome: "completed".to_owned(),
                call_back_at: None,
                position: None,
                audit: None,
            },
        )
    });
    answer(
        &mut second,
        &[
            top("fibre_available", "no"),
            top("household_size", 5),
            top("area", Value::Decimal(72.5)),
            top("roof", "tile"),
            top("address", "12/3 Lý Thường Kiệt"),
            of_member("smartphone", "shared"),
        ],
    );
    second.sync();
    first.sync();
    second.sync();
    second.edit(UNIT, |edit| {
        edit.settle(&AnswerPath::top("household_size"), Some(&5.into()))
    });
    second.sync();
    first.sync();
    first
}

fn export(installation: &Installation, arguments: &[&str]) -> Ended {
    let command = [&["export", "document", "--with-identifying"], arguments].concat();
    run_to_end(khaosat(command).arg("--data").arg(installation.data()))
}

fn exported(installation: &Installation, folder: &TempDir) -> PathBuf {
    let file = folder.path().join("household.automerge");
    let done = export(installation, &["--unit", UNIT, "--output", file.to_str().unwrap()]).success();
    assert!(done.stdout.is_empty());
    assert!(done.stderr.contains("dữ liệu cá nhân"), "{}", done.stderr);
    file
}

/// The response in an Automerge file, each change judged as if it had just come.
fn opened(id: ResponseId, file: &Path) -> Response {
    let document = Automerge::load(&std::fs::read(file).unwrap()).unwrap();
    Response::with_changes(id, document.get_changes(&[])).unwrap()
}

fn plain(value: Option<&Value>) -> Json {
    match value {
        None => Json::Null,
        Some(Value::Integer(number)) => json!(number),
        Some(Value::Decimal(number)) => json!(number),
        Some(Value::Text(text)) => json!(text),
        Some(Value::Choices(_)) => panic!("choices are keys of their own"),
    }
}

/// Compares what JavaScript says of a document with what is read here: every answer, every claim of every conflict, which
/// one wins, and the visits.
fn compare(js: &Json, response: &Response) {
    let reading = response.read();
    let hashes = |hashes: &mut dyn Iterator<Item = String>| hashes.collect::<BTreeSet<String>>();
    let js_hashes = |list: &Json| -> BTreeSet<String> {
        let list = list.as_array().unwrap();
        list.iter().map(|hash| hash.as_str().unwrap().to_owned()).collect()
    };
    let ours = hashes(&mut response.changes().iter().map(|change| change.hash().to_string()));
    let heads = hashes(&mut response.heads().iter().map(ToString::to_string));
    assert_eq!(js_hashes(&js["heads"]), heads);
    // The genesis is the one that is not among them.
    assert_eq!(js_hashes(&js["changes"]).len(), ours.len() + 1);
    assert!(js_hashes(&js["changes"]).is_superset(&ours));

    for question in HOUSEHOLD_QUESTIONS {
        compare_answer(&js["answers"][question], &AnswerPath::top(question), &reading);
    }
    for question in MEMBER_QUESTIONS {
        let path = AnswerPath::within(&member(), question);
        compare_answer(&js["members"][MEMBER][question], &path, &reading);
    }
    for (visit, read) in &reading.visits {
        let told = &js["visits"][visit];
        assert_eq!(told["device"]["value"], json!(read.device));
        assert_eq!(told["started_at"]["value"], json!({ "timestamp": read.started_at }));
        assert_eq!(told["ended_at"]["value"], json!({ "timestamp": read.ended_at }));
        assert_eq!(told["outcome"]["value"], json!(read.outcome));
    }
    assert_eq!(js["visits"].as_object().unwrap().len(), reading.visits.len());
}

fn compare_answer(told: &Json, path: &AnswerPath, reading: &Reading) {
    assert!(told.get("value").is_some(), "JavaScript does not see {path}");
    assert_eq!(told["value"], plain(reading.answers.answer(path).as_ref()), "{path}");
    let claims: BTreeMap<&str, &Json> = told["claims"]
        .as_array()
        .unwrap()
        .iter()
        .map(|claim| (claim["actor"].as_str().unwrap(), &claim["value"]))
        .collect();
    let Some(conflict) = reading.conflicts.iter().find(|conflict| conflict.path == *path) else {
        let equal = claims.values().all(|value| **value == told["value"]);
        assert!(equal, "{path} is no conflict here: {told}");
        return;
    };
    let ours: BTreeMap<String, Json> = conflict
        .claims
        .iter()
        .map(|claim| (claim.actor.to_string(), plain(claim.value.as_ref())))
        .collect();
    assert_eq!(claims.len(), ours.len(), "{path}: {told}");
    for (actor, value) in &ours {
        assert_eq!(claims[actor.as_str()], value, "{path}");
    }
    assert_eq!(told["value"], plain(conflict.claims[0].value.as_ref()), "{path}");
}

#[test]
fn javascript_reads_an_exported_response_as_it_is_read_here() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = surveyed(&installation, &server);
    let folder = tempfile::tempdir().unwrap();
    let file = exported(&installation, &folder);
    let js = automerge::run("document.js", &json!({ "document": file }))[0].clone();

    let response = phone.open(UNIT);
    compare(&js, response);
    compare(&js, &opened(response.id(), &file));

    // What the comparison stands on: an open conflict of the household, one of the member, one between an answer and a
    // cleared one, an answer that both gave alike, a settled one, a null, ticks.
    let conflicts: Vec<String> = response
        .read()
        .conflicts
        .iter()
        .map(|conflict| conflict.path.to_string())
        .collect();
    assert_eq!(conflicts, ["address", "fibre_available", "9f86d081/smartphone"]);
    let values = |told: &Json| -> BTreeSet<String> {
        let claims = told["claims"].as_array().unwrap().iter();
        claims.map(|claim| claim["value"].to_string()).collect()
    };
    let set = |values: &[&str]| -> BTreeSet<String> { values.iter().map(|value| (*value).to_owned()).collect() };
    let answers = &js["answers"];
    assert_eq!(values(&answers["fibre_available"]), set(&["\"yes\"", "\"no\""]));
    assert_eq!(values(&answers["address"]), set(&["null", "\"12/3 Lý Thường Kiệt\""]));
    assert_eq!(
        values(&js["members"][MEMBER]["smartphone"]),
        set(&["\"own\"", "\"shared\""])
    );
    assert_eq!(values(&answers["roof"]), set(&["\"tile\""]));
    assert_eq!(answers["household_size"], json!({ "value": 5, "claims": [] }));
    assert_eq!(answers["note"], json!({ "value": null, "claims": [] }));
    assert_eq!(answers["area"], json!({ "value": 72.5, "claims": [] }));
    assert_eq!(answers["tools/radio"]["value"], json!(true));
    assert_eq!(answers.as_object().unwrap().len(), HOUSEHOLD_QUESTIONS.len() + 2);
}

#[test]
fn what_javascript_changes_and_saves_is_read_here_with_everybodys_history() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = surveyed(&installation, &server);
    let folder = tempfile::tempdir().unwrap();
    let file = exported(&installation, &folder);
    let saved = folder.path().join("changed.automerge");
    let author = "6a73".repeat(8);
    let told = automerge::run(
        "document.js",
        &json!({
            "document": file,
            "actor": author,
            "edits": [
                { "path": ["answers"], "answers": { "fibre_available": "yes", "household_size": 6, "area": 80.25, "roof": null } },
                { "path": ["members", MEMBER], "answers": { "birth_year": 1958 } },
            ],
            "save": saved,
        }),
    );
    let response = phone.open(UNIT);
    let changed = opened(response.id(), &saved);
    compare(&told[0], response);
    compare(&told[1], &changed);
    assert_eq!(changed.changes().len(), response.changes().len() + 1);
    let theirs = changed.changes().pop().unwrap();
    assert_eq!(theirs.actor_id().to_string(), author);
    let reading = changed.read();
    let answered = |question| plain(reading.answers.answer(&AnswerPath::top(question)).as_ref());
    let of_member = plain(
        reading
            .answers
            .answer(&AnswerPath::within(&member(), "birth_year"))
            .as_ref(),
    );
    assert_eq!(answered("household_size"), json!(6));
    assert_eq!(answered("area"), json!(80.25));
    assert_eq!(answered("roof"), Json::Null);
    assert_eq!(of_member, json!(1958));
    // Who knew of both answers and wrote another has settled the difference; the others are still open.
    let open: Vec<String> = reading
        .conflicts
        .iter()
        .map(|conflict| conflict.path.to_string())
        .collect();
    assert_eq!(open, ["address", "9f86d081/smartphone"]);

    // Meanwhile the phone wrote too: merged either way, both say the same, and the difference is there.
    answer(&mut phone, &[top("household_size", 7)]);
    let mut merged = changed.clone();
    merged.merge(phone.open(UNIT)).unwrap();
    phone.open(UNIT).merge(&changed).unwrap();
    assert_eq!(merged.heads(), phone.open(UNIT).heads());
    let conflicts = merged.read().conflicts;
    assert_eq!(conflicts, phone.open(UNIT).read().conflicts);
    let sizes = conflicts
        .iter()
        .find(|conflict| conflict.path.question == "household_size")
        .unwrap();
    let mut values: Vec<Json> = sizes.values().iter().map(|value| plain(value.as_ref())).collect();
    values.sort_by_key(ToString::to_string);
    assert_eq!(values, [json!(6), json!(7)]);
}

#[test]
fn a_document_is_written_only_where_there_is_one_and_it_is_meant() {
    let installation = Installation::new();
    let server = installation.serve();
    surveyed(&installation, &server);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.automerge");
    let output = ["--output", file.to_str().unwrap()];
    let round = installation.round.to_string();
    let id = ResponseId::of(RoundId(installation.round), UNIT).to_string();

    let run = |arguments: &[&str]| {
        let command = [&["export", "document"], arguments, &output].concat();
        run_to_end(khaosat(command).arg("--data").arg(installation.data()))
    };
    let other = "00000000-0000-0000-0000-000000000000";
    for (arguments, words) in [
        (&["--unit", UNIT][..], ["dữ liệu cá nhân", "personal data"]),
        (&["--with-identifying"], ["--unit", "--unit"]),
        (
            &["--with-identifying", "--unit", "A2"],
            ["chưa có", "nothing has come in"],
        ),
        (
            &["--with-identifying", "--unit", "Z9"],
            ["không khảo sát", "does not survey"],
        ),
        (
            &["--with-identifying", "--response", other],
            ["không có phiếu", "no response"],
        ),
        (
            &["--with-identifying", "--unit", UNIT, "--round", other],
            ["đợt khảo sát", "no such round"],
        ),
        (
            &["--with-identifying", "--unit", UNIT, "--format", "csv"],
            ["--format", "--format"],
        ),
    ] {
        for (language, words) in ["vi", "en"].iter().zip(words) {
            let refused = run(&[arguments, &["--language", language]].concat()).failure();
            assert!(refused.stderr.contains(words), "{arguments:?}: {}", refused.stderr);
            assert!(!file.exists(), "{arguments:?} left a file");
        }
    }
    let both = run(&["--with-identifying", "--response", &id, "--unit", UNIT]);
    assert_eq!(both.status.code(), Some(2), "{}", both.stderr);
    let stray = run_to_end(
        khaosat(["export", "responses", "--unit", UNIT])
            .arg("--data")
            .arg(installation.data()),
    );
    assert!(stray.failure().stderr.contains("export document"));

    // By unit, by unit and round, by id, into a file and to standard output: the same bytes.
    let by_unit = export(&installation, &["--unit", UNIT]).success().stdout;
    let by_round = export(&installation, &["--unit", UNIT, "--round", &round])
        .success()
        .stdout;
    let by_id = export(&installation, &["--response", &id]).success().stdout;
    run(&["--with-identifying", "--response", &id]).success();
    assert_eq!(by_unit, by_id);
    assert_eq!(by_round, by_id);
    assert_eq!(std::fs::read(&file).unwrap(), by_id);
    // The container of the Automerge binary document format starts with these bytes.
    assert!(by_id.starts_with(&[0x85, 0x6f, 0x4a, 0x83]));
}
