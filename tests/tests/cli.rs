//! Commands as a person at a terminal uses them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use std::path::{Path, PathBuf};

use khaosat_tests::installation::{Installation, repository};
use khaosat_tests::phone::Phone;
use khaosat_tests::process::{Ended, khaosat, run_to_end};
use serde_json::Value;
use survey_forms::answers::{AnswerPath, AnswersMut as _, InstanceId};
use tempfile::TempDir;

fn run(data: &Path, arguments: &[&str]) -> Ended {
    run_to_end(khaosat(arguments).arg("--data").arg(data))
}

fn written(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Every command, with the options and arguments that are its own.
const COMMANDS: [(&[&str], &[&str]); 47] = [
    (&["init"], &[]),
    (&["import"], &["units", "successions", "indicators"]),
    (&["import", "units"], &["<FILE>"]),
    (&["import", "successions"], &["<FILE>"]),
    (&["import", "indicators"], &["<FILE>"]),
    (&["round"], &["create", "list"]),
    (
        &["round", "create"],
        &[
            "--form",
            "--hamlets",
            "--households",
            "--name",
            "--name-en",
            "--reference-date",
            "--units-on",
            "--root",
            "--id",
        ],
    ),
    (&["round", "list"], &[]),
    (&["indicator"], &["official"]),
    (&["indicator", "official"], &["set", "list"]),
    (
        &["indicator", "official", "set"],
        &[
            "<CODE>",
            "--year",
            "--percent",
            "--source",
            "--sector",
            "--note",
            "--unit",
        ],
    ),
    (&["indicator", "official", "list"], &["[CODE]", "--unit", "--format"]),
    (&["sample"], &["draw", "plan"]),
    (
        &["sample", "draw"],
        &[
            "<FRAME.csv>",
            "--output",
            "--record",
            "--size",
            "--method",
            "--allocation",
            "--strata",
            "--minimum",
            "--exponent",
            "--budget",
            "--households",
            "--second-stage",
            "--seed",
        ],
    ),
    (
        &["sample", "plan"],
        &[
            "--margin",
            "--interviews",
            "--proportion",
            "--confidence",
            "--population",
            "--design-effect",
            "--icc",
            "--per-hamlet",
            "--weight-variation",
            "--response-rate",
            "--format",
        ],
    ),
    (&["serve"], &["--until-input-ends"]),
    (&["demo"], &["--households", "--seed", "--once", "--format", "--pace"]),
    (
        &["estimate"],
        &["--unit", "--round", "--design", "--indicators", "--by", "--format"],
    ),
    (&["device"], &["invite", "export", "import"]),
    (&["device", "export"], &["--output"]),
    (&["device", "import"], &["<FILE>", "--from"]),
    (&["bundle"], &["write", "read", "show", "key", "frames"]),
    (
        &["bundle", "write"],
        &["--output", "--round", "--hamlet", "--since", "--seal-to", "--format"],
    ),
    (&["bundle", "read"], &["<FILE>...", "--format"]),
    (&["bundle", "show"], &["<FILE>", "--format"]),
    (&["bundle", "key"], &[]),
    (&["bundle", "frames"], &["<FILE>", "--output", "--read", "--per-ten"]),
    (&["device", "invite"], &["--hamlet", "--name", "--round", "--format"]),
    (&["device", "list"], &["--format"]),
    (&["device", "revoke"], &["<KEY>", "--reason"]),
    (&["device", "grant"], &["<KEY>", "--hamlet", "--round"]),
    (&["device", "withdraw"], &["<KEY>", "--hamlet", "--round"]),
    (&["quarantine", "list"], &["--format"]),
    (
        &["quarantine", "release"],
        &[
            "[HASH]...",
            "--device",
            "--unit",
            "--round",
            "--reason",
            "--by",
            "--format",
        ],
    ),
    (&["quarantine", "discard"], &["<HASH>...", "--reason", "--by"]),
    (&["conflict"], &["list", "show", "settle"]),
    (
        &["conflict", "list"],
        &["--indicator", "--unit", "--limit", "--round", "--format"],
    ),
    (&["conflict", "show"], &["<UNIT>", "--round", "--format"]),
    (
        &["conflict", "settle"],
        &[
            "<UNIT>",
            "<QUESTION>",
            "--instance",
            "--answer",
            "--value",
            "--clear",
            "--by",
            "--round",
        ],
    ),
    (&["duplicate"], &["suspect", "import", "list", "settle", "reopen"]),
    (
        &["duplicate", "suspect"],
        &["<FIRST>", "<SECOND>", "--round", "--reason", "--by"],
    ),
    (&["duplicate", "import"], &["<FILE.csv>", "--round", "--by"]),
    (&["duplicate", "list"], &["--unit", "--open", "--round", "--format"]),
    (
        &["duplicate", "settle"],
        &["<FIRST>", "<SECOND>", "--round", "--same", "--different", "--by"],
    ),
    (&["duplicate", "reopen"], &["<FIRST>", "<SECOND>", "--round"]),
    (
        &["export"],
        &[
            "--output",
            "--round",
            "--format",
            "--with-identifying",
            "--unit",
            "--response",
        ],
    ),
    (&["export"], &["estimates", "responses", "document"]),
];

/// The settings that every command takes.
const SETTINGS: [&str; 8] = [
    "--data",
    "--listen",
    "--config",
    "--log",
    "--log-format",
    "--language",
    "--minimum-households",
    "--maximum-variation",
];

fn is_vietnamese(text: &str) -> bool {
    text.chars()
        .any(|character| character.is_alphabetic() && !character.is_ascii())
}

#[test]
fn the_help_of_every_command_says_what_it_is_for_in_both_languages() {
    let top = run_to_end(&mut khaosat(["--help"])).success();
    assert!(top.text().contains("khảo sát hộ gia đình ngoại tuyến"));
    assert!(top.text().contains("Offline-first household surveys"));
    for (command, own) in COMMANDS {
        let help = run_to_end(khaosat(command.iter().copied()).arg("--help")).success();
        let text = help.text();
        let (vietnamese, english) = text.lines().next().unwrap().split_once(": ").unwrap();
        assert!(is_vietnamese(vietnamese), "{command:?}: {vietnamese}");
        assert!(
            english.split_whitespace().count() >= 3 && !is_vietnamese(english),
            "{command:?}: {english}"
        );
        assert!(top.text().contains(command[0]), "{command:?}");
        for option in own.iter().chain(&SETTINGS) {
            let mut lines = text.lines().skip_while(|line| {
                let line = line.trim_start().trim_start_matches("- ");
                !line
                    .strip_prefix(option)
                    .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric) && !rest.starts_with('-'))
            });
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("{command:?} does not list {option}:\n{text}"));
            // What it means stands beside it or on the next line.
            let words = line.split_whitespace().count() + lines.next().unwrap_or_default().split_whitespace().count();
            assert!(words >= 4, "{command:?} does not explain {option}:\n{text}");
        }
    }
}

#[test]
fn an_installation_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let made = run(&data, &["init"]).success();
    assert!(made.text().contains("new installation") && made.text().contains("khaosat round create"));
    let again = run(&data, &["init"]).failure();
    assert!(
        again.stderr.starts_with("Lỗi: ") && again.stderr.contains("đã có dữ liệu"),
        "{}",
        again.stderr
    );
    let again = run(&data, &["init", "--language", "en"]).failure();
    assert!(
        again.stderr.starts_with("Error: ") && again.stderr.contains("already holds"),
        "{}",
        again.stderr
    );
    for command in [["round", "list"], ["export", "estimates"]] {
        let nowhere = run(&folder.path().join("nowhere"), &command).failure();
        assert!(nowhere.stderr.contains("khaosat init"), "{}", nowhere.stderr);
    }
}

#[test]
fn reference_data_are_replaced_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    run(&data, &["init"]).success();
    let reference = |name: &str| repository().join("server/reference").join(name).display().to_string();
    for (what, file) in [
        ("units", "admin_units.csv"),
        ("successions", "admin_unit_successions.csv"),
        ("indicators", "indicators.csv"),
    ] {
        let imported = run(&data, &["import", what, &reference(file)]).success();
        let rows = std::fs::read_to_string(reference(file)).unwrap().lines().count() - 1;
        assert!(
            imported.text().contains(&format!("{rows} rows")),
            "{what}: {}",
            imported.text()
        );
    }

    let table = "code,valid_from,valid_to,parent_code,level,kind,name\n\
                 82,2000-01-01,,,province,tỉnh,Tiền Giang\n\
                 815,2000-13-01,,82,district,thành phố,Mỹ Tho\n\
                 28249,2000-01-01,,815,ward,phường,5\n";
    let wrong = written(&folder, "wrong.csv", table).display().to_string();
    let database = || std::fs::read(data.join("khaosat.sqlite")).unwrap();
    let before = database();
    let refused = run(&data, &["import", "units", &wrong, "--language", "en"]).failure();
    for place in [
        "wrong.csv",
        "line 3, column valid_from",
        "line 4, column level",
        "2000-13-01",
        "commune",
    ] {
        assert!(refused.stderr.contains(place), "{place}: {}", refused.stderr);
    }
    let refused = run(&data, &["import", "units", &wrong]).failure();
    assert!(refused.stderr.contains("dòng 3, cột valid_from"), "{}", refused.stderr);
    let missing = run(&data, &["import", "units", "nowhere.csv"]).failure();
    assert!(missing.stderr.contains("nowhere.csv"), "{}", missing.stderr);
    assert_eq!(database(), before);
}

#[test]
fn a_round_is_listed_and_a_wrong_one_is_not_made() {
    let installation = Installation::new();
    let listed = run(&installation.data(), &["round", "list"]).success();
    assert_eq!(
        listed.text(),
        format!("{}\t2025-10-01\tThử\tđang mở (open)\n", installation.round)
    );

    let folder = tempfile::tempdir().unwrap();
    let form = repository().join("forms/household.xlsx").display().to_string();
    let hamlets = written(
        &folder,
        "hamlets.csv",
        "code,name,kind,commune_code,stratum,households\n28249-01,1,khu phố,28249,815,9\n28249-02,2,khu phố,99999,815,many\n",
    );
    let households = written(&folder, "households.csv", "code,hamlet_code,address\nA1,28249-01,\n");
    let create = |hamlets: &Path, language: &str| {
        let mut command = khaosat(["round", "create", "--name", "Sai", "--reference-date", "2025-10-01"]);
        command.args(["--units-on", "2022-12-19", "--form", &form, "--language", language]);
        command
            .arg("--hamlets")
            .arg(hamlets)
            .arg("--households")
            .arg(&households);
        run_to_end(command.arg("--data").arg(installation.data()))
    };
    let refused = create(&hamlets, "en").failure();
    assert!(
        refused.stderr.contains("line 3, column households"),
        "{}",
        refused.stderr
    );
    let hamlets = written(
        &folder,
        "hamlets.csv",
        "code,name,kind,commune_code,stratum,households\n28249-01,1,khu phố,28249,815,9\n28249-02,2,khu phố,99999,815,9\n",
    );
    let refused = create(&hamlets, "vi").failure();
    assert!(refused.stderr.contains("99999"), "{}", refused.stderr);
    let listed = run(&installation.data(), &["round", "list"]).success();
    assert_eq!(listed.text().lines().count(), 1);
}

#[test]
fn an_invitation_is_one_code_for_people_or_one_document_for_programs() {
    let installation = Installation::new();
    let invite = |arguments: &[&str]| run(&installation.data(), &[&["device", "invite"], arguments].concat());
    let for_people = invite(&["--hamlet", "28249-01"]).success();
    let code = for_people.text().strip_suffix('\n').unwrap();
    let groups: Vec<&str> = code.split('-').collect();
    assert_eq!(groups.len(), 4, "{code}");
    let is_easy =
        |character: char| character.is_ascii_digit() || (character.is_ascii_uppercase() && !"ILOU".contains(character));
    assert!(
        groups
            .iter()
            .all(|group| group.len() == 4 && group.chars().all(is_easy)),
        "{code}"
    );
    assert!(for_people.stderr.contains("One-time code"), "{}", for_people.stderr);

    let both = [
        "--hamlet",
        "28249-01",
        "--hamlet",
        "28270-01",
        "--name",
        "Máy của Lan",
        "--format",
        "json",
    ];
    let document = invite(&both).success().json();
    assert_eq!(document["hamlets"], serde_json::json!(["28249-01", "28270-01"]));
    assert_eq!(document["name"], "Máy của Lan");
    assert!(
        document["expires_at"]
            .as_i64()
            .is_some_and(|until| until > 1_700_000_000_000)
    );
    assert_ne!(document["code"], code);

    // Both codes let a phone in, and each only once.
    let server = installation.serve();
    let phone = Phone::enrol(server.address, installation.round, code, 1);
    let other = Phone::enrol(
        server.address,
        installation.round,
        document["code"].as_str().unwrap(),
        2,
    );
    assert_ne!(phone.token, other.token);

    let unknown = invite(&["--hamlet", "00000-00"]).failure();
    assert!(unknown.stderr.contains("00000-00"), "{}", unknown.stderr);
    let none = invite(&[]);
    assert_eq!(none.status.code(), Some(2));
    assert!(none.stderr.contains("--hamlet"), "{}", none.stderr);
}

/// An installation with answers: in `28249-01` six of eight adults have a smartphone of their own.
fn answered() -> Installation {
    let installation = Installation::new();
    let server = installation.serve();
    let code = installation.invite(&["28249-01", "28270-01"]);
    let mut phone = Phone::enrol(server.address, installation.round, &code, 1);
    for number in 1..=8 {
        phone.edit(&format!("A{number}"), |edit| {
            let adult = InstanceId::new(format!("member-{number}"));
            for (question, word) in [
                ("consent", "yes"),
                ("visit_outcome", "completed"),
                ("fibre_available", "yes"),
            ] {
                edit.put_answer(&AnswerPath::top(question), &word.into())?;
            }
            edit.add_instance("members", None, &adult)?;
            edit.put_answer(&AnswerPath::within(&adult, "birth_year"), &1980.into())?;
            edit.put_answer(&AnswerPath::within(&adult, "age_years"), &45.into())?;
            let phone = if number <= 6 { "own" } else { "none" };
            for (question, word) in [("lives_here", "yes"), ("smartphone", phone)] {
                edit.put_answer(&AnswerPath::within(&adult, question), &word.into())?;
            }
            Ok(())
        });
    }
    phone.sync();
    server.current_overview();
    installation
}

#[test]
fn estimates_are_printed_for_people_and_for_programs() {
    let installation = answered();
    let estimate = |arguments: &[&str]| run(&installation.data(), &[&["estimate"], arguments].concat());
    let point = |ended: Ended| {
        let document = ended.success().json();
        let indicators = document["indicators"].as_array().unwrap().clone();
        let smartphones = indicators
            .into_iter()
            .find(|indicator| indicator["code"] == "XHS-01")
            .unwrap();
        (document["unit"]["code"].as_str().unwrap().to_owned(), smartphones)
    };
    let (unit, smartphones) = point(estimate(&["--format", "json"]));
    assert_eq!(
        (unit.as_str(), smartphones["estimate"]["point"].as_f64()),
        ("82", Some(0.75))
    );
    let (unit, smartphones) = point(estimate(&["--format", "json", "--unit", "28249-01"]));
    assert_eq!(
        (unit.as_str(), smartphones["estimate"]["households"].as_u64()),
        ("28249-01", Some(8))
    );
    let (_, withheld) = point(estimate(&["--format", "json", "--minimum-households", "9"]));
    assert_eq!(
        (&withheld["estimate"], withheld["withheld"]["minimum"].as_u64()),
        (&Value::Null, Some(9))
    );
    let hamlet = ["--format", "json", "--unit", "28249-01"];
    let (_, imprecise) = point(estimate(&[&hamlet[..], &["--maximum-variation", "0.1"]].concat()));
    assert_eq!(imprecise["withheld"]["rule"], "maximum_coefficient_of_variation");
    assert_eq!(
        imprecise["withheld"]["maximum_coefficient_of_variation"].as_f64(),
        Some(0.001)
    );
    let refused = estimate(&["--maximum-variation=-1"]).failure();
    assert!(refused.stderr.contains("maximum_variation"), "{}", refused.stderr);

    // Of nine households eight have answered: only the ninth can decide.
    let (_, undecided) = point(estimate(&hamlet));
    assert_eq!(undecided["decision"], "undecided");
    assert_eq!(
        undecided["more_interviews"],
        serde_json::json!({"outcome": "all", "households": 1})
    );

    let official = ["indicator", "official", "set", "XHS-01", "--year", "2024"];
    let figure = ["--percent", "70", "--source", "Sở Thông tin và Truyền thông"];
    run(&installation.data(), &[&official[..], &figure[..]].concat()).success();
    let (_, beside) = point(estimate(&["--format", "json"]));
    assert_eq!(beside["official"][0]["difference"].as_f64(), Some(5.0));
    let table = estimate(&[]).success();
    assert!(
        table.text().contains("khảo sát chênh +5,0 điểm phần trăm"),
        "{}",
        table.text()
    );

    let round = installation.round.to_string();
    let (_, named) = point(estimate(&["--format", "json", "--round", &round]));
    assert_eq!(named["estimate"]["point"].as_f64(), Some(0.75));

    let vietnamese = estimate(&[]).success();
    for words in ["Chỉ tiêu", "XHS-01", "75,0 %"] {
        assert!(vietnamese.text().contains(words), "{words}:\n{}", vietnamese.text());
    }
    let english = estimate(&["--language", "en"]).success();
    for words in ["Indicator", "XHS-01", "75.0 %"] {
        assert!(english.text().contains(words), "{words}:\n{}", english.text());
    }
    // These answers are not simulated, and nothing says so.
    assert!(!vietnamese.text().contains("mô phỏng") && !english.text().contains("Simulated"));

    let unknown = estimate(&["--unit", "12345"]).failure();
    assert!(
        unknown.stderr.contains("12345") && unknown.stdout.is_empty(),
        "{}",
        unknown.stderr
    );
    let unknown = estimate(&["--round", "00000000-0000-0000-0000-000000000000"]).failure();
    assert!(unknown.stderr.contains("khaosat round create"), "{}", unknown.stderr);
}

#[test]
fn exports_hold_the_same_figures_in_every_format() {
    let installation = answered();
    let export = |arguments: &[&str]| run(&installation.data(), &[&["export"], arguments].concat());
    let csv = export(&[]).success();
    let lines: Vec<Value> = export(&["estimates", "--format", "jsonl"])
        .success()
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let header: Vec<&str> = csv.text().lines().next().unwrap().split(',').collect();
    assert_eq!(csv.text().lines().count(), lines.len() + 1);
    let place = |column: &str| header.iter().position(|name| *name == column).unwrap();
    for (row, line) in csv.text().lines().skip(1).zip(&lines) {
        let cells: Vec<&str> = row.split(',').collect();
        assert_eq!(cells.len(), header.len(), "{row}");
        assert_eq!(cells[place("simulated")], "false");
        for column in ["unit_code", "indicator"] {
            assert_eq!(cells[place(column)], line[column], "{row}");
        }
        for column in ["point", "standard_error", "bound_lower"] {
            let cell = cells[place(column)].parse::<f64>().ok();
            assert_eq!(cell, line[column].as_f64(), "{row}");
        }
    }
    let is_ours = |line: &&Value| line["unit_code"] == "28249-01" && line["indicator"] == "XHS-01";
    assert_eq!(lines.iter().find(is_ours).unwrap()["point"], 0.75);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("estimates.csv");
    let to_file = export(&["--output", file.to_str().unwrap()]).success();
    assert!(to_file.stdout.is_empty());
    assert_eq!(std::fs::read(file).unwrap(), csv.stdout);

    let responses = export(&["responses"]).success();
    assert_eq!(responses.text().lines().count(), 8);
    assert!(
        !responses.text().contains("\"unit\":\"A1\""),
        "a unit's code left without being asked for"
    );
    let named = export(&["responses", "--with-identifying"]).success();
    assert!(named.text().contains("\"unit\":\"A1\""));
    let refused = export(&["responses", "--format", "csv"]).failure();
    assert!(refused.stderr.contains("jsonl"), "{}", refused.stderr);
}
