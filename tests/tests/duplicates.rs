//! Responses that may be about one household: bounds while it is open, zero for the other one once it is settled, and the
//! same figures as before when the pair is reopened.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::Phone;
use khaosat_tests::rows::rows;
use serde_json::{Value, json};
use survey_forms::answers::{AnswerPath, AnswersMut as _};

/// The hamlets of an installation, of nine households each.
const HAMLETS: [&str; 2] = ["28249-01", "28270-01"];
/// Households with fibre, among those that know whether they have it; its target is at least 80 %.
const FIBRE: &str = "XHS-05";

fn fibre(overview: &Value) -> &Value {
    let indicators = overview["indicators"].as_array().unwrap();
    indicators.iter().find(|indicator| indicator["code"] == FIBRE).unwrap()
}

fn point(overview: &Value) -> f64 {
    fibre(overview)["estimate"]["point"].as_f64().unwrap()
}

fn bounds(overview: &Value) -> [f64; 2] {
    let bounds = &fibre(overview)["estimate"]["bounds"];
    ["lower", "upper"].map(|end| bounds[end].as_f64().unwrap())
}

fn assert_close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
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

/// All households of the first hamlet, six of nine with fibre, and six of the second one, two of them with fibre.
fn interviewed(installation: &Installation, server: &Server, b1: &str) -> Phone {
    let mut phone = Phone::of(installation, server, &HAMLETS, 1);
    for number in 1..=9 {
        phone.interview(&format!("A{number}"), if number <= 6 { "yes" } else { "no" });
    }
    phone.interview("B1", b1);
    for number in 2..=6 {
        phone.interview(&format!("B{number}"), if number == 2 { "yes" } else { "no" });
    }
    phone.sync();
    phone
}

fn suspect(installation: &Installation, first: &str, second: &str) {
    let arguments = ["duplicate", "suspect", first, second, "--reason", "cùng số nhà"];
    installation.run(&arguments).success();
}

fn settle(installation: &Installation, arguments: &[&str]) {
    installation
        .run(&[&["duplicate", "settle"], arguments].concat())
        .success();
}

fn list(installation: &Installation, more: &[&str]) -> Vec<Value> {
    let arguments = [&["duplicate", "list", "--format", "json"], more].concat();
    installation
        .run(&arguments)
        .success()
        .json()
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn a_duplicate_counts_zero_with_the_weights_kept_until_it_is_reopened() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = interviewed(&installation, &server, "yes");
    let before = server.figures();
    // The second hamlet's six stand for nine.
    assert_close(point(&before), (6.0 + 1.5 * 2.0) / (9.0 + 1.5 * 6.0));
    assert_eq!(bounds(&before), [point(&before); 2]);
    assert_eq!(before["coverage"]["suspected_duplicates"], 0);

    suspect(&installation, "B1", "A1");
    let open = once(&server, |overview| overview["coverage"]["suspected_duplicates"] == 1);
    assert_close(point(&open), point(&before));
    // Without A1's "yes", or without B1's, or with both.
    let (without_a1, without_b1) = ((5.0 + 3.0) / (8.0 + 9.0), (6.0 + 1.5) / (9.0 + 7.5));
    assert_close(bounds(&open)[0], f64::min(without_a1, without_b1));
    assert_close(bounds(&open)[1], point(&before));
    assert_eq!(fibre(&open)["open_conflicts"], 0);
    assert_eq!(fibre(&open)["estimate"]["bounds_exact"], true);
    // Each commune has one of the two; the bounds say that it may be the other's.
    for (commune, point, without) in [("28249", 6.0 / 9.0, 5.0 / 8.0), ("28270", 2.0 / 6.0, 1.0 / 5.0)] {
        let overview = server.overview(Some(commune));
        assert_eq!(overview["coverage"]["suspected_duplicates"], 1);
        assert_close(bounds(&overview)[0], without);
        assert_close(bounds(&overview)[1], point);
    }

    settle(&installation, &["A1", "B1", "--same", "A1"]);
    let settled = once(&server, |overview| overview["coverage"]["suspected_duplicates"] == 0);
    assert_close(point(&settled), without_b1);
    assert_eq!(bounds(&settled), [point(&settled); 2]);
    // Nothing else than its share of the estimates is gone.
    assert_eq!(settled["coverage"], before["coverage"]);
    // As where the household had said from the start what is in nobody's numerator or denominator.
    let twin = installation.twin();
    let other = twin.serve();
    interviewed(&twin, &other, "dont_know");
    assert_eq!(
        fibre(&settled)["estimate"],
        fibre(&other.current_overview())["estimate"]
    );

    // It counts zero also after a power cut, and when its answers change.
    server.kill();
    let server = installation.serve();
    phone.move_to(server.address);
    let figures = server.figures();
    assert_eq!(fibre(&figures), fibre(&settled));
    phone.interview("B1", "no");
    phone.interview("A1", "no");
    phone.sync();
    assert_close(point(&server.current_overview()), (5.0 + 1.5) / (9.0 + 7.5));
    phone.interview("A1", "yes");
    phone.interview("B1", "yes");
    phone.sync();
    assert_eq!(server.figures(), figures);

    // The power goes right after the command: what it wrote is there.
    let reopen = ["duplicate", "reopen", "A1", "B1"];
    assert!(installation.run(&reopen).success().text().contains("đã mở lại"));
    server.kill();
    let server = installation.serve();
    let mut reopened = server.figures();
    assert_eq!(reopened["coverage"]["suspected_duplicates"], 1);
    assert_eq!(bounds(&reopened), bounds(&open));
    settle(&installation, &["B1", "A1", "--different"]);
    once(&server, |overview| overview["coverage"]["suspected_duplicates"] == 0);
    reopened = server.figures();
    assert_eq!(reopened, before);

    // A command in another process says the same.
    settle_again_otherwise(&installation);
    let estimates = installation.run(&["estimate", "--format", "json"]).success().json();
    assert_close(point(&estimates), without_a1);
}

fn settle_again_otherwise(installation: &Installation) {
    let refused = installation
        .run(&["duplicate", "settle", "A1", "B1", "--same", "B1"])
        .failure();
    assert!(refused.stderr.contains("đã được kết luận khác"), "{}", refused.stderr);
    installation.run(&["duplicate", "reopen", "B1", "A1"]).success();
    settle(installation, &["A1", "B1", "--same", "B1"]);
    let again = installation
        .run(&["duplicate", "settle", "A1", "B1", "--same", "B1"])
        .success();
    assert!(again.text().contains("từ trước"), "{}", again.text());
}

#[test]
fn pairs_settle_each_other_and_contradictions_are_refused() {
    let installation = Installation::new();
    let server = installation.serve();
    interviewed(&installation, &server, "yes");
    for (first, second) in [("A1", "A2"), ("A2", "A3"), ("A1", "A3"), ("A3", "A4")] {
        suspect(&installation, first, second);
    }
    let open = once(&server, |overview| overview["coverage"]["suspected_duplicates"] == 4);
    // All four are "yes", and three of them may go.
    assert_close(bounds(&open)[0], (3.0 + 3.0) / (6.0 + 9.0));
    settle(&installation, &["A1", "A2", "--same", "A1"]);
    let run = |arguments: &[&str]| installation.run(&[&["duplicate"], arguments].concat());
    let refused = |arguments: &[&str], reason: &str| {
        let stderr = run(arguments).failure().stderr;
        assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
    };
    refused(
        &["settle", "A2", "A3", "--same", "A3"],
        "hộ A2 đã được kết luận trùng với A1",
    );
    // That A2 is none of A3 says that A1 is not either.
    settle(&installation, &["A2", "A3", "--different"]);
    refused(&["settle", "A1", "A3", "--same", "A1"], "là hai hộ khác nhau");
    let standing = |more: &[&str]| -> Vec<(String, String)> {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let pairs = list(&installation, more);
        let pairs = pairs.iter();
        pairs
            .map(|pair| {
                (
                    format!("{}–{}", word(&pair["first"]), word(&pair["second"])),
                    word(&pair["standing"]),
                )
            })
            .collect()
    };
    let named = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(pair, standing)| ((*pair).to_owned(), (*standing).to_owned()))
            .collect()
    };
    let all = [
        ("A1–A2", "same"),
        ("A2–A3", "different"),
        ("A1–A3", "known_different"),
        ("A3–A4", "open"),
    ];
    assert_eq!(standing(&[]), named(&all));
    assert_eq!(standing(&["--open"]), named(&all[3..]));
    assert_eq!(standing(&["--unit", "28249"]), named(&all));
    assert_eq!(standing(&["--unit", "28270-01"]), []);
    let settled = once(&server, |overview| overview["coverage"]["suspected_duplicates"] == 1);
    assert_close(point(&settled), (5.0 + 3.0) / (8.0 + 9.0));
    assert_close(bounds(&settled)[0], (4.0 + 3.0) / (7.0 + 9.0));

    // A duplicate of a duplicate: one of the three stays.
    run(&["reopen", "A2", "A3"]).success();
    settle(&installation, &["A1", "A3", "--same", "A3"]);
    assert_eq!(standing(&["--open"]), named(&all[3..]));
    refused(&["settle", "A2", "A3", "--different"], "là một hộ");
    let settled = once(&server, |overview| (point(overview) - 7.0 / 16.0).abs() < 1e-12);
    assert_close(bounds(&settled)[0], 6.0 / 15.0);

    refused(&["suspect", "A1", "A1", "--reason", "r"], "được nêu hai lần");
    refused(&["suspect", "A1", "B9", "--reason", "r"], "hộ B9 chưa có phiếu");
    refused(&["suspect", "A1", "A9", "--reason", " "], "chưa ghi lý do");
    refused(&["settle", "A1", "A9", "--different"], "chưa bị nghi trùng");
    refused(&["settle", "A3", "A4", "--same", "A1"], "không thuộc cặp này");
    refused(&["list", "--unit", "99999"], "không có đơn vị mã 99999");
    let raised = run(&["suspect", "A4", "A3", "--reason", "khác"]).success();
    assert!(raised.text().contains("từ trước"), "{}", raised.text());
    let pair = &list(&installation, &["--open"])[0];
    assert_eq!((&pair["reason"], &pair["kept"]), (&json!("cùng số nhà"), &Value::Null));
}

#[test]
fn a_table_of_pairs_is_taken_whole_or_not_at_all() {
    let installation = Installation::new();
    let server = installation.serve();
    interviewed(&installation, &server, "yes");
    let folder = tempfile::tempdir().unwrap();
    let import = |table: &str| {
        let file = folder.path().join("pairs.csv");
        std::fs::write(&file, table).unwrap();
        let file = file.to_str().unwrap().to_owned();
        installation.run(&["duplicate", "import", &file, "--by", "Chương trình dò trùng"])
    };
    let good = "first,second,reason\nA1,B1,cùng điện thoại\nA2,B2,cùng điện thoại\n";
    for (rows, faults) in [
        (
            "A3,B9,r\nZ1,A3,r\n",
            &["dòng 4, cột second: hộ B9", "dòng 5, cột first: hộ Z1"][..],
        ),
        (
            "A3,A3,r\nB1,A1,r\nA4,A5,\n",
            &[
                "dòng 4, cột second: hộ A3 được nêu hai lần",
                "dòng 5, cột second: cặp B1, A1",
                "dòng 6, cột reason",
            ][..],
        ),
    ] {
        let refused = import(&format!("{good}{rows}")).failure();
        for fault in faults {
            assert!(refused.stderr.contains(fault), "{}", refused.stderr);
        }
        assert_eq!(list(&installation, &[]), [] as [Value; 0]);
    }
    let taken = import(good).success();
    assert!(taken.text().contains("Đã nhập 2 cặp, 2 cặp mới"), "{}", taken.text());
    let taken = import(&format!("{good}A3,B3,r\n")).success();
    assert!(taken.text().contains("Đã nhập 3 cặp, 1 cặp mới"), "{}", taken.text());
    let pairs = list(&installation, &["--open"]);
    assert_eq!(pairs.len(), 3);
    assert_eq!(pairs[0]["raised_by"], "Chương trình dò trùng");
    once(&server, |overview| overview["coverage"]["suspected_duplicates"] == 3);
}

/// Whether these bytes are in a file of the folder.
fn is_in_files(folder: &Path, wanted: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        path.is_file()
            && std::fs::read(path)
                .unwrap()
                .windows(wanted.len())
                .any(|bytes| bytes == wanted.as_bytes())
    })
}

#[test]
fn an_erased_response_takes_its_pairs_with_it() {
    let installation = Installation::new();
    let server = installation.serve();
    interviewed(&installation, &server, "yes");
    let reason = "trùng số 0912345678 theo đơn 7";
    installation
        .run(&["duplicate", "suspect", "A1", "B1", "--reason", reason])
        .success();
    settle(&installation, &["A1", "B1", "--same", "A1"]);
    suspect(&installation, "A2", "B2");
    once(&server, |overview| (point(overview) - 7.5 / 16.5).abs() < 1e-12);
    assert!(is_in_files(&installation.data(), reason));

    let erase = ["response", "erase", "A1", "--reason", "Đơn số 12/2026"];
    installation.run(&erase).success();
    // Eight of nine in the first hamlet, and the other response of the household counts again.
    let erased = (5.0 * 9.0 / 8.0 + 3.0) / (9.0 + 9.0);
    once(&server, |overview| (point(overview) - erased).abs() < 1e-12);
    assert!(!is_in_files(&installation.data(), reason));
    let left = list(&installation, &[]);
    assert_eq!((left.len(), &left[0]["first"]), (1, &json!("A2")));
    server.kill();
    let pairs: Vec<(i64,)> = rows(&installation.data(), "SELECT COUNT(*) FROM suspected_duplicate");
    assert_eq!(pairs, [(1,)]);
    let server = installation.serve();
    assert_close(point(&server.current_overview()), erased);
}

fn conflicts(installation: &Installation, more: &[&str]) -> Value {
    let arguments = ["conflict", "list", "--indicator", FIBRE, "--format", "json"];
    installation.run(&[&arguments[..], more].concat()).success().json()
}

#[test]
fn what_to_settle_first_is_what_can_change_the_decision_most() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut one = Phone::of(&installation, &server, &HAMLETS, 1);
    let mut other = Phone::of(&installation, &server, &HAMLETS, 2);
    // Everybody is visited, and 16 of 18 have fibre: the target of 80 % is met. What is written twice wins over what others
    // write once without knowing of it.
    for answer in ["dont_know", "yes"] {
        for number in 1..=9 {
            one.interview(&format!("A{number}"), answer);
        }
        for number in 1..=9 {
            one.interview(&format!("B{number}"), if number <= 7 { answer } else { "no" });
        }
    }
    one.edit("B9", |edit| {
        edit.put_answer(&AnswerPath::top("fibre_available"), &"yes".into())
    });
    one.edit("B9", |edit| {
        edit.put_answer(&AnswerPath::top("fibre_available"), &"no".into())
    });
    one.sync();
    let nothing_open = conflicts(&installation, &[]);
    assert_eq!(nothing_open["matters"], json!([]));
    assert_eq!(
        [
            &nothing_open["decision"],
            &nothing_open["decision_as_counted"],
            &nothing_open["sufficient"]
        ],
        [&json!("met"), &json!("met"), &json!(0)]
    );
    for (unit, answer) in [("A1", "no"), ("A2", "no"), ("B9", "yes"), ("A3", "dont_know")] {
        other.interview(unit, answer);
    }
    other.sync();
    suspect(&installation, "A4", "B4");
    let overview = once(&server, |overview| overview["coverage"]["suspected_duplicates"] == 1);
    let now = 16.0 / 18.0;
    assert_close(point(&overview), now);
    // At worst A1 and A2 have none, A3 does not know and A4 is B4; at best B9 has fibre, and nobody is anybody else.
    assert_close(bounds(&overview)[0], 12.0 / 16.0);
    assert_close(bounds(&overview)[1], 17.0 / 18.0);
    assert_eq!(fibre(&overview)["decision"], "undecided");
    let found = conflicts(&installation, &[]);
    assert_close(found["point"].as_f64().unwrap(), now);
    assert_eq!(found["bounds"], json!(bounds(&overview)));
    assert_eq!(found["open"], 5);
    assert_eq!(
        [&found["decision"], &found["decision_as_counted"], &found["is_in_doubt"]],
        [&json!("undecided"), &json!("met"), &json!(true)]
    );

    // Each by itself, with all others as they are counted now: what can lower the estimate most comes first. Between two that
    // are alike the order is that in which they came.
    let points = |ratio: f64| (ratio - now).abs() * 100.0;
    let expected: [(&[&str], f64, f64); 5] = [
        (&["A1"], points(15.0 / 18.0), 0.0),
        (&["A2"], points(15.0 / 18.0), 0.0),
        (&["A4", "B4"], points(15.0 / 17.0), 0.0),
        (&["A3"], points(15.0 / 17.0), 0.0),
        (&["B9"], 0.0, points(17.0 / 18.0)),
    ];
    let matters = found["matters"].as_array().unwrap();
    assert_eq!(matters.len(), expected.len());
    let unit_of = |matter: &Value| matter["responses"][0]["unit"].as_str().unwrap().to_owned();
    let first = unit_of(&matters[0]);
    let mut alike = [first.clone(), unit_of(&matters[1])];
    alike.sort();
    assert_eq!(alike, ["A1", "A2"]);
    for (matter, (units, down, up)) in matters.iter().zip(expected) {
        let responses = matter["responses"].as_array().unwrap().iter();
        let named: Vec<&str> = responses.map(|response| response["unit"].as_str().unwrap()).collect();
        assert!(
            named == units || named == ["A1"] && units == ["A2"] || named == ["A2"] && units == ["A1"],
            "{matter}"
        );
        assert_eq!(matter["is_suspected_duplicate"], units.len() == 2);
        assert!(
            (matter["points_down"].as_f64().unwrap() - down).abs() < 1e-9,
            "{matter}"
        );
        assert!((matter["points_up"].as_f64().unwrap() - up).abs() < 1e-9, "{matter}");
    }
    assert_eq!(matters[0]["responses"][0]["hamlet"], HAMLETS[0]);
    assert_eq!(matters[0]["responses"][0]["possible"], json!([[0.0, 1.0], [1.0, 1.0]]));
    // If the first one has fibre indeed, the worst is 13 of 16, which meets 80 %.
    assert_eq!(found["sufficient"], 1);

    let told = installation
        .run(&["conflict", "list", "--indicator", FIBRE, "--limit", "2"])
        .success();
    let lines: Vec<&str> = told.text().lines().collect();
    assert!(
        lines[0].contains("ước lượng 88,9 %") && lines[0].contains("75,0 % – 94,4 %") && lines[0].contains("5 mục"),
        "{}",
        lines[0]
    );
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(lines[1], "1. −5,6 … +0,0 điểm phần trăm, câu trả lời khác nhau");
    assert!(
        lines[2].ends_with(&format!("28249-01  {first}  0/1 | 1/1")),
        "{}",
        lines[2]
    );

    // Of one hamlet only what lies there, and the pair that one of the two lies in.
    let of_hamlet = conflicts(&installation, &["--unit", HAMLETS[1], "--limit", "1"]);
    assert_eq!(
        (
            of_hamlet["open"].as_u64(),
            of_hamlet["matters"].as_array().unwrap().len()
        ),
        (Some(2), 1)
    );

    one.sync();
    one.edit(&first, |edit| {
        edit.settle(&AnswerPath::top("fibre_available"), Some(&"yes".into()))
    });
    one.sync();
    let sure = conflicts(&installation, &[]);
    assert_eq!(sure["open"], 4);
    assert_eq!(
        [&sure["decision"], &sure["sufficient"], &sure["is_in_doubt"]],
        [&json!("met"), &json!(0), &json!(false)]
    );
    assert_close(sure["bounds"][0].as_f64().unwrap(), 13.0 / 16.0);

    for (arguments, reason) in [
        (["--indicator", "XXX-01", "--limit", "1"], "không đo chỉ tiêu XXX-01"),
        (["--indicator", FIBRE, "--unit", "99999"], "không có đơn vị mã 99999"),
    ] {
        let refused = installation
            .run(&[&["conflict", "list"], &arguments[..]].concat())
            .failure();
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
    }
}

#[test]
fn a_conflict_where_nobody_has_responded_yet_hides_no_estimate() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut one = Phone::of(&installation, &server, &HAMLETS, 1);
    let mut other = Phone::of(&installation, &server, &HAMLETS, 2);
    for number in 1..=9 {
        one.interview(&format!("A{number}"), if number <= 6 { "yes" } else { "no" });
    }
    // The only visit of the second hamlet: by one phone refused, by the other not, and the refusal counts.
    other.interview("B1", "yes");
    for answer in ["yes", "no"] {
        one.edit("B1", |edit| {
            edit.put_answer(&AnswerPath::top("consent"), &answer.into())
        });
    }
    one.edit("B1", |edit| edit.put_answer(&AnswerPath::top("consent"), &"yes".into()));
    one.edit("B1", |edit| edit.put_answer(&AnswerPath::top("consent"), &"no".into()));
    one.sync();
    other.sync();
    let overview = server.current_overview();
    assert_eq!(overview["coverage"]["responded"], 9);
    assert_close(point(&overview), 6.0 / 9.0);
    // What it would weigh is not known.
    assert_eq!(fibre(&overview)["estimate"]["bounds_exact"], false);
}

#[test]
fn figures_stay_right_where_another_process_projects_first() {
    // What a bundle brings is noticed by the server within seconds, and a command that prints estimates is faster.
    let installation = Installation::new();
    let away = installation.twin();
    let away_server = away.serve();
    let mut phone = interviewed(&away, &away_server, "yes");
    let server = installation.serve();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (roster, first, second) = (file("devices.roster"), file("first.khaosat"), file("second.khaosat"));
    away.run(&["device", "export", "--output", &roster]).success();
    let keys = away.run(&["bundle", "key"]).success();
    let signing = keys.text().trim_end().lines().last().unwrap().to_owned();
    installation
        .run(&["device", "import", &roster, "--from", &signing])
        .success();
    for (bundle, answer) in [(&first, None), (&second, Some("no"))] {
        if let Some(answer) = answer {
            phone.interview("A1", answer);
            phone.sync();
        }
        away.run(&["bundle", "write", "--output", bundle]).success();
        installation.run(&["bundle", "read", bundle]).success();
        let told = installation.run(&["estimate", "--format", "json"]).success().json();
        let shown = server.figures();
        assert_eq!(fibre(&shown), fibre(&told));
        assert_eq!(shown["coverage"], told["coverage"]);
        assert_eq!(shown["coverage"]["received"], 15);
    }
}
