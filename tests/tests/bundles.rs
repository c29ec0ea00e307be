//! Changes carried by hand between servers that never meet: all of them arrive, once, and nobody on the way can read,
//! change or invent any.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::path::{Path, PathBuf};

use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::Phone;
use khaosat_tests::process::{khaosat, run_to_end};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The hamlets of an installation.
const HAMLETS: [&str; 2] = ["28249-01", "28270-01"];

/// The two lines of `khaosat bundle key`: the recipient's key and the signing key.
fn keys(installation: &Installation) -> (String, String) {
    let printed = installation.run(&["bundle", "key"]).success();
    let (recipient, signing) = printed.text().trim_end().split_once('\n').unwrap();
    (recipient.to_owned(), signing.to_owned())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Writes a bundle and gives its report.
fn write(installation: &Installation, file: &Path, more: &[&str]) -> Value {
    let arguments = ["bundle", "write", "--format", "json", "--output", text(file)];
    installation.run(&[&arguments, more].concat()).success().json()
}

/// Reads a bundle and gives the report on it.
fn read(installation: &Installation, file: &Path) -> Value {
    let arguments = ["bundle", "read", "--format", "json", text(file)];
    installation.run(&arguments).success().json()[0].clone()
}

fn counts(report: &Value) -> [u64; 4] {
    ["changes", "new", "known", "waiting"].map(|name| report[name].as_u64().unwrap())
}

/// What a server shows. There are estimates in it, with a conflict that leaves them open.
fn figures(server: &Server) -> Value {
    let figures = server.figures();
    let indicators = figures["indicators"].as_array().unwrap();
    assert!(
        indicators.iter().any(|indicator| indicator["estimate"].is_object()),
        "{indicators:?}"
    );
    assert_eq!(figures["coverage"]["open_conflicts"], 1);
    figures
}

/// Tells the devices of one installation to another.
fn introduce(from: &Installation, to: &Installation, folder: &Path) {
    let roster = folder.join("devices.roster");
    from.run(&["device", "export", "--output", text(&roster)]).success();
    let (_, signing) = keys(from);
    to.run(&["device", "import", text(&roster), "--from", &signing])
        .success();
}

/// Installation A with what two phones wrote, and installation B with the same round, which knows nothing of it.
struct World {
    folder: TempDir,
    a: Installation,
    b: Installation,
}

impl World {
    fn new() -> Self {
        let a = Installation::new();
        let server = a.serve();
        let mut first = Phone::of(&a, &server, &HAMLETS, 1);
        let mut second = Phone::of(&a, &server, &HAMLETS, 2);
        for (unit, text) in [("A1", "yes"), ("A2", "no"), ("A3", "yes"), ("B1", "no"), ("B2", "yes")] {
            first.interview(unit, text);
        }
        // Both write A1 and B1 without knowing of each other.
        for (unit, text) in [("A1", "no"), ("A4", "yes"), ("B1", "no"), ("B3", "no")] {
            second.interview(unit, text);
        }
        first.sync();
        second.sync();
        server.kill();
        let b = a.twin();
        Self {
            folder: tempfile::tempdir().unwrap(),
            a,
            b,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn introduce(&self) {
        introduce(&self.a, &self.b, self.folder.path());
    }
}

#[test]
fn a_sealed_bundle_makes_two_servers_say_the_same() {
    let world = World::new();
    world.introduce();
    let (recipient, _) = keys(&world.b);
    let file = world.file("a.khaosat");
    let written = write(&world.a, &file, &["--seal-to", &recipient]);
    assert_eq!(
        (written["changes"].as_u64(), written["authors"].as_u64()),
        (Some(9), Some(2))
    );

    // The courier learns who carries it and that it is whole, and no more.
    let shown = run_to_end(
        khaosat(["bundle", "show", "--format", "json"])
            .arg(&file)
            .arg("--data")
            .arg(world.file("none")),
    )
    .success()
    .json();
    assert_eq!(shown["readable"], false);
    assert_eq!(shown["carrier"], keys(&world.a).1.as_str());
    assert_eq!(
        (shown["changes"].as_u64(), shown["authors"].clone()),
        (Some(0), json!([]))
    );
    // Nor can another installation read it, not even the one that wrote it.
    let refused = world.a.run(&["bundle", "read", text(&file)]).failure();
    assert!(refused.stderr.contains("niêm phong"), "{}", refused.stderr);

    // B reads it while its server runs, and shows what A shows.
    let server = world.b.serve();
    assert_eq!(counts(&read(&world.b, &file)), [9, 9, 0, 0]);
    let expected = figures(&world.a.serve());
    assert_eq!(figures(&server), expected);
    // A second time changes nothing.
    assert_eq!(counts(&read(&world.b, &file)), [9, 0, 9, 0]);
    assert_eq!(server.current_overview()["freshness"]["log_head"], 9);
    assert_eq!(figures(&server), expected);

    // What came by hand goes on by the network and by hand: a phone gets it, and a third server.
    let mut newcomer = Phone::of(&world.b, &server, &HAMLETS, 3);
    newcomer.sync();
    assert_eq!(newcomer.responses.len(), 7);
    let onward = world.file("b.khaosat");
    assert_eq!(write(&world.b, &onward, &[])["changes"], 9);
    let c = world.a.twin();
    let second = tempfile::tempdir().unwrap();
    introduce(&world.b, &c, second.path());
    assert_eq!(counts(&read(&c, &onward)), [9, 9, 0, 0]);
    assert_eq!(figures(&c.serve()), expected);
}

#[test]
fn what_the_authors_may_not_write_is_refused_by_reason() {
    let world = World::new();
    let file = world.file("a.khaosat");
    write(&world.a, &file, &[]);
    // Nobody is enrolled at B.
    let report = read(&world.b, &file);
    assert_eq!(counts(&report), [9, 0, 0, 0]);
    assert_eq!(report["refused"], json!({ "unknown_device": 9 }));

    // One of them is, for one hamlet.
    let server = world.b.serve();
    Phone::of(&world.b, &server, &HAMLETS[..1], 1);
    let report = read(&world.b, &file);
    assert_eq!(counts(&report), [9, 3, 0, 0]);
    assert_eq!(report["refused"], json!({ "outside_scope": 2, "unknown_device": 4 }));
    assert_eq!(server.current_overview()["coverage"]["received"], 3);

    // What was refused comes in later, and another round's bundle never.
    world.introduce();
    let report = read(&world.b, &file);
    assert_eq!((counts(&report), report["refused"].clone()), ([9, 6, 3, 0], json!({})));
    let stranger = Installation::new();
    stranger.run(&["bundle", "key"]).success();
    let second = tempfile::tempdir().unwrap();
    introduce(&world.a, &stranger, second.path());
    assert_eq!(read(&stranger, &file)["refused"], json!({ "unknown_round": 9 }));
}

#[test]
fn hamlets_and_new_changes_can_be_chosen() {
    let world = World::new();
    world.introduce();
    let (one, rest, nothing) = (
        world.file("1.khaosat"),
        world.file("2.khaosat"),
        world.file("3.khaosat"),
    );
    let written = write(&world.a, &one, &["--hamlet", HAMLETS[1]]);
    assert_eq!(written["changes"], 4);
    assert_eq!(counts(&read(&world.b, &one)), [4, 4, 0, 0]);
    write(&world.a, &rest, &["--round", &world.a.round.to_string()]);
    assert_eq!(counts(&read(&world.b, &rest)), [9, 5, 4, 0]);
    let until = written["until"].to_string();
    assert_eq!(write(&world.a, &nothing, &["--since", &until])["changes"], 0);
    assert_eq!(counts(&read(&world.b, &nothing)), [0, 0, 0, 0]);
    let fourth = world.file("4.khaosat");
    let mistaken = ["bundle", "write", "--output", text(&fourth), "--hamlet", "1"];
    assert!(world.a.run(&mistaken).failure().stderr.contains("khu phố mã 1"));
}

#[test]
fn a_dependency_that_comes_later_releases_what_waits() {
    let a = Installation::new();
    let server = a.serve();
    let mut phone = Phone::of(&a, &server, &HAMLETS, 1);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    phone.interview("A1", "yes");
    phone.sync();
    let first = write(&a, &file("1.khaosat"), &[]);
    phone.interview("A1", "no");
    phone.sync();
    let since = first["until"].to_string();
    write(&a, &file("2.khaosat"), &["--since", &since]);
    let b = a.twin();
    introduce(&a, &b, folder.path());
    assert_eq!(counts(&read(&b, &file("2.khaosat"))), [1, 0, 0, 1]);
    assert_eq!(counts(&read(&b, &file("2.khaosat"))), [1, 0, 0, 1]);
    assert_eq!(counts(&read(&b, &file("1.khaosat"))), [1, 1, 0, 0]);
    assert_eq!(counts(&read(&b, &file("2.khaosat"))), [1, 0, 1, 0]);
}

#[test]
fn damaged_files_and_rosters_are_refused_and_change_nothing() {
    let world = World::new();
    world.introduce();
    let file = world.file("a.khaosat");
    write(&world.a, &file, &[]);
    let bundle = std::fs::read(&file).unwrap();
    let broken = world.file("broken.khaosat");
    for length in [0, 8, 20, bundle.len() / 2, bundle.len() - 1] {
        std::fs::write(&broken, &bundle[..length]).unwrap();
        let refused = world.b.run(&["bundle", "read", text(&broken)]).failure();
        assert!(refused.stderr.contains("byte"), "{}", refused.stderr);
    }
    // What is whole is read although the file beside it is not.
    let both = world
        .b
        .run(&["bundle", "read", "--format", "json", text(&broken), text(&file)])
        .failure();
    assert_eq!(counts(&both.json()[1]), [9, 9, 0, 0]);

    let (roster, signing) = (world.file("devices.roster"), keys(&world.a).1);
    let own = keys(&world.b).1;
    let refused = world
        .b
        .run(&["device", "import", text(&roster), "--from", &own])
        .failure();
    assert!(refused.stderr.contains(&signing), "{}", refused.stderr);
    let changed = std::fs::read_to_string(&roster)
        .unwrap()
        .replace(HAMLETS[0], HAMLETS[1]);
    std::fs::write(&roster, changed).unwrap();
    let refused = world
        .b
        .run(&["device", "import", text(&roster), "--from", &signing])
        .failure();
    assert!(refused.stderr.contains("giả mạo"), "{}", refused.stderr);
}

#[test]
fn secrets_are_neither_printed_nor_readable_by_others() {
    let installation = Installation::new();
    let printed = installation.run(&["bundle", "key"]).success();
    let path = installation.data().join("installation.key");
    let secret = std::fs::read_to_string(&path).unwrap();
    assert!(!printed.text().contains(secret.trim()) && !printed.stderr.contains(secret.trim()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let mistyped = ["bundle", "write", "--output", "x", "--seal-to", "00"];
    assert!(installation.run(&mistyped).failure().stderr.contains("khóa người nhận"));
}

#[test]
fn frames_of_which_a_third_is_lost_restore_the_bundle() {
    let world = World::new();
    let file = world.file("a.khaosat");
    write(&world.a, &file, &[]);
    let shown = run_to_end(&mut khaosat([
        "bundle",
        "frames",
        text(&file),
        "--output",
        "-",
        "--per-ten",
        "30",
    ]))
    .success();
    let mut lines: Vec<&str> = shown.text().lines().collect();
    lines.shuffle(&mut ChaCha20Rng::seed_from_u64(30));
    lines.truncate(lines.len() * 7 / 10);
    let (frames, restored) = (world.file("frames.txt"), world.file("restored.khaosat"));
    std::fs::write(&frames, lines.join("\n")).unwrap();
    let arguments = ["bundle", "frames", "--read", text(&frames), "--output", text(&restored)];
    run_to_end(&mut khaosat(arguments)).success();
    assert_eq!(std::fs::read(&restored).unwrap(), std::fs::read(&file).unwrap());

    let none = world.file("none");
    std::fs::write(&frames, lines[0]).unwrap();
    let arguments = ["bundle", "frames", "--read", text(&frames), "--output", text(&none)];
    let few = run_to_end(&mut khaosat(arguments)).failure();
    assert!(few.stderr.contains("cần ít nhất"), "{}", few.stderr);
    let page = world.file("frames.html");
    run_to_end(&mut khaosat(["bundle", "frames", text(&file), "--output", text(&page)])).success();
    assert!(std::fs::read_to_string(&page).unwrap().contains("<svg viewBox"));
}
