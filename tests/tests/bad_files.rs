//! Files that are wrong, brought to the program's commands: each is refused whole, by line and column, in the caller's
//! language, and changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use khaosat_tests::installation::{Installation, Server, khaosat, repository};

const UNITS: &str = "code,valid_from,valid_to,parent_code,level,kind,name\n";
const SUCCESSIONS: &str = "predecessor_code,intermediate_code,intermediate_on,successor_code,sources,note\n";
const HAMLETS: &str = "code,name,kind,commune_code,stratum,households\n";
const HOUSEHOLDS: &str = "code,hamlet_code,address\n";

/// An installation, and a place for files to bring to it.
struct Door {
    installation: Installation,
    files: tempfile::TempDir,
}

impl Door {
    fn open() -> Self {
        Self {
            installation: Installation::new(),
            files: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.files.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn run(&self, arguments: &[&str], files: &[(&str, &Path)]) -> Output {
        let mut command = Command::new(khaosat());
        command.args(arguments);
        for (flag, file) in files {
            if !flag.is_empty() {
                command.arg(flag);
            }
            command.arg(file);
        }
        command.arg("--data").arg(self.installation.data()).output().unwrap()
    }

    /// What the installation says of itself.
    fn state(&self) -> (String, serde_json::Value) {
        let rounds = self.run(&["round", "list"], &[]);
        assert!(rounds.status.success());
        let estimate = self.run(&["estimate", "--format", "json"], &[]);
        assert!(
            estimate.status.success(),
            "{}",
            String::from_utf8_lossy(&estimate.stderr)
        );
        let mut overview: serde_json::Value = serde_json::from_slice(&estimate.stdout).unwrap();
        overview.as_object_mut().unwrap().remove("generated_at").unwrap();
        (String::from_utf8(rounds.stdout).unwrap(), overview)
    }

    /// The command fails with exit code 1 and says this in Vietnamese, or in English where that is asked for.
    fn refuses(&self, arguments: &[&str], files: &[(&str, &Path)], vi: &[&str], en: &[&str]) {
        for (language, start, parts) in [(None, "Lỗi: ", vi), (Some("en"), "Error: ", en)] {
            let mut arguments = arguments.to_vec();
            arguments.extend(language.map(|_| "--language"));
            arguments.extend(language);
            let done = self.run(&arguments, files);
            let told = String::from_utf8(done.stderr).unwrap();
            assert_eq!(done.status.code(), Some(1), "{arguments:?}: {told}");
            assert!(told.starts_with(start), "{arguments:?}: {told}");
            for part in parts {
                assert!(told.contains(part), "{arguments:?}: {part:?} is not in {told:?}");
            }
            assert!(done.stdout.is_empty(), "{arguments:?}");
        }
    }

    fn refuses_import(&self, what: &str, content: &[u8], vi: &[&str], en: &[&str]) {
        let file = self.file("table.csv", content);
        let (mut vi, mut en) = (vi.to_vec(), en.to_vec());
        vi.push("table.csv");
        en.push("table.csv");
        self.refuses(&["import", what], &[("", &file)], &vi, &en);
    }
}

/// Rows below a header, in which a byte that is no UTF-8 stands for each `?`.
fn rows(header: &str, rows: &str) -> Vec<u8> {
    let text = format!("{header}{rows}");
    text.bytes()
        .map(|byte| if byte == b'?' { 0xff } else { byte })
        .collect()
}

#[test]
fn wrong_tables_are_refused_by_line_and_column() {
    let door = Door::open();
    let before = door.state();
    for (what, header) in [("units", UNITS), ("successions", SUCCESSIONS)] {
        door.refuses_import(what, b"", &["thiếu cột"], &["is missing"]);
        door.refuses_import(
            what,
            header.as_bytes(),
            &["không có dòng dữ liệu nào"],
            &["has no rows"],
        );
        door.refuses_import(what, b"\x00\x01\x02", &["thiếu cột"], &["is missing"]);
        let row = format!("?{}\n", ",".repeat(header.matches(',').count()));
        door.refuses_import(what, &rows(header, &row), &["dòng 2", "UTF-8"], &["line 2", "UTF-8"]);
        door.refuses_import(what, &rows(header, "1,2\n"), &["dòng 2", "2 ô"], &["line 2", "2 cells"]);
    }
    let province = "82,2022-10-01,,,province,tỉnh,A\n";
    for (row, line, column) in [
        ("1,2022-10-01,,9,commune,xã,B\n", 3, "parent_code"),
        ("1,2022-13-01,,82,commune,xã,B\n", 3, "valid_from"),
        ("1,2022-10-01,soon,82,commune,xã,B\n", 3, "valid_to"),
        ("1,2022-10-01,,82,parish,xã,B\n", 3, "level"),
        ("1,2022-10-01,,82,commune,,B\n", 3, "kind"),
        (
            "\"1\n1\",2022-10-01,,82,commune,xã,B\n82,2023-01-01,,,province,tỉnh,A\n",
            5,
            "code",
        ),
    ] {
        let table = format!("{UNITS}{province}{row}");
        let (vi, en) = (
            format!("dòng {line}, cột {column}"),
            format!("line {line}, column {column}"),
        );
        door.refuses_import("units", table.as_bytes(), &[&vi], &[&en]);
    }
    door.refuses_import(
        "units",
        format!("code,valid_from,valid_to,parent_code,kind,name\n{province}").as_bytes(),
        &["thiếu cột level", "code"],
        &["column level is missing", "code"],
    );
    for (row, line, column) in [
        ("28249,,,28249,many,\n", 2, "sources"),
        (",,,28249,1,\n", 2, "predecessor_code"),
        ("28249,,2025-02-30,28249,1,\n", 2, "intermediate_on"),
        ("28249,,,28249,1,\n28252,,,99999,1,\n", 3, "successor_code"),
        ("99999,,,28249,1,\n", 2, "predecessor_code"),
        ("28249,99999,2024-05-01,28249,1,\n", 2, "intermediate_code"),
        ("28249,,,28249,1,\n28249,,,28249,2,\n", 3, "successor_code"),
    ] {
        let table = format!("{SUCCESSIONS}{row}");
        let (vi, en) = (
            format!("dòng {line}, cột {column}"),
            format!("line {line}, column {column}"),
        );
        door.refuses_import("successions", table.as_bytes(), &[&vi], &[&en]);
    }
    let missing = door.files.path().join("nothing.csv");
    door.refuses(
        &["import", "units"],
        &[("", &missing)],
        &["không đọc được", "nothing.csv"],
        &["cannot read", "nothing.csv"],
    );
    assert_eq!(door.state(), before);
}

#[test]
fn units_that_a_round_rests_on_cannot_be_taken_from_under_it() {
    let door = Door::open();
    let before = door.state();
    // Sound by itself, but without the communes of the round's hamlets.
    let table = format!("{UNITS}82,2022-10-01,,,province,tỉnh,A\n28249,2022-10-01,,82,commune,phường,B\n");
    door.refuses_import("units", table.as_bytes(), &["28270"], &["28270"]);
    assert_eq!(door.state(), before);
    // With them it is taken.
    let file = door.file(
        "units.csv",
        format!("{table}28270,2022-10-01,,82,commune,xã,C\n").as_bytes(),
    );
    let done = door.run(&["import", "units"], &[("", &file)]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(door.state().1["unit"]["name"], "A");
}

#[test]
fn a_wrong_registry_names_the_indicator_and_points_at_the_fault() {
    let door = Door::open();
    let before = door.state();
    let registry = std::fs::read_to_string(repository().join("server/reference/indicators.csv")).unwrap();
    let expression = "count(${members}[lives_here = 'yes' and age_years >= $adult_age and smartphone = 'own'])";
    let changed = |from: &str, to: &str| {
        assert!(registry.contains(from), "{from}");
        registry.replacen(from, to, 1).into_bytes()
    };
    let caret = |expression: &str, place: &str| format!("\n{}^", " ".repeat(expression.find(place).unwrap()));
    let wrong = "count(${members}[lives_here = = 'yes'])";
    door.refuses_import(
        "indicators",
        &changed(expression, wrong),
        &["XHS-01", "tử số", wrong, &caret(wrong, "= 'yes'")],
        &["XHS-01", "numerator", wrong, &caret(wrong, "= 'yes'")],
    );
    for (from, to, vi, en) in [
        (
            "smartphone = 'own'",
            "smartphon = 'own'",
            ["XHS-01", "smartphone"],
            ["XHS-01", "did you mean"],
        ),
        (
            "$adult_age",
            "$adultage",
            ["XHS-01", "$adultage"],
            ["XHS-01", "parameters"],
        ),
        (
            ",adult_age=18",
            ",adult_age=eighteen",
            ["dòng 9, cột parameters", "eighteen"],
            ["line 9, column parameters", "eighteen"],
        ),
        (
            "XHS-01,society",
            "XHS-01,nobody",
            ["dòng 9, cột group", "society"],
            ["line 9, column group", "society"],
        ),
        (
            "XHS-02",
            "XHS-01",
            ["dòng 10, cột code", "XHS-01"],
            ["line 10, column code", "XHS-01"],
        ),
        (",>=,80,", ",=>,80,", ["cột operator", ">="], ["column operator", ">="]),
        (
            ",>=,80,",
            ",>=,most,",
            ["cột target_percent", "most"],
            ["column target_percent", "most"],
        ),
        (
            ",>=,80,",
            ",>=,NaN,",
            ["cột target_percent", "hữu hạn"],
            ["column target_percent", "finite"],
        ),
        (
            ",numerator,",
            ",counter,",
            ["thiếu cột numerator", "counter"],
            ["column numerator is missing", "counter"],
        ),
    ] {
        door.refuses_import("indicators", &changed(from, to), &vi, &en);
    }
    let header = registry.lines().next().unwrap();
    door.refuses_import("indicators", b"", &["thiếu cột"], &["is missing"]);
    door.refuses_import(
        "indicators",
        header.as_bytes(),
        &["không có dòng dữ liệu nào"],
        &["has no rows"],
    );
    assert_eq!(door.state(), before);
}

#[test]
fn a_round_is_made_whole_or_not_at_all() {
    let door = Door::open();
    let before = door.state();
    let form = std::fs::read(repository().join("forms/household.xlsx")).unwrap();
    let hamlets = format!("{HAMLETS}28249-01,1,khu phố,28249,815,9\n");
    let households = format!("{HOUSEHOLDS}H1,28249-01,\n");
    let refuses = |form: &[u8], hamlets: &[u8], households: &[u8], vi: &[&str], en: &[&str]| {
        let files = [
            ("--form", door.file("form.xlsx", form)),
            ("--hamlets", door.file("hamlets.csv", hamlets)),
            ("--households", door.file("households.csv", households)),
        ];
        let files: Vec<(&str, &Path)> = files.iter().map(|(flag, file)| (*flag, file.as_path())).collect();
        let arguments = [
            "round",
            "create",
            "--name",
            "Hai",
            "--reference-date",
            "2025-10-01",
            "--units-on",
            "2022-12-19",
        ];
        door.refuses(&arguments, &files, vi, en);
    };
    let (sound_hamlets, sound_households) = (hamlets.as_bytes(), households.as_bytes());
    for broken in [
        &b""[..],
        b"PK\x03\x04",
        b"type,name\ntext,a\n",
        &form[..form.len() / 2],
        &[0; 4096],
    ] {
        refuses(
            broken,
            sound_hamlets,
            sound_households,
            &["phiếu khảo sát có lỗi"],
            &["the form has errors"],
        );
    }
    for (rows, vi, en) in [
        (
            "a,1,ấp,28249,815,many\n",
            "dòng 2, cột households",
            "line 2, column households",
        ),
        (
            "a,1,ấp,28249,815,0\n",
            "dòng 2, cột households",
            "line 2, column households",
        ),
        (
            "a,1,ấp,28249,815,-1\n",
            "dòng 2, cột households",
            "line 2, column households",
        ),
        (
            "a,1,ấp,28249,815,9\na,2,ấp,28249,815,9\n",
            "dòng 3, cột code",
            "line 3, column code",
        ),
        (
            "a,1,ấp,,815,9\n",
            "dòng 2, cột commune_code",
            "line 2, column commune_code",
        ),
        ("a,1,?,28249,815,9\n", "dòng 2", "line 2"),
    ] {
        refuses(
            &form,
            &self::rows(HAMLETS, rows),
            sound_households,
            &["hamlets.csv", vi],
            &["hamlets.csv", en],
        );
    }
    refuses(
        &form,
        HAMLETS.as_bytes(),
        sound_households,
        &["hamlets.csv", "không có dòng"],
        &["hamlets.csv", "no rows"],
    );
    refuses(
        &form,
        format!("{HAMLETS}28249-01,1,khu phố,99999,815,9\n").as_bytes(),
        sound_households,
        &["28249-01", "99999"],
        &["28249-01", "99999"],
    );
    for (rows, vi, en) in [
        ("H1,nowhere,\n", "dòng 2, cột hamlet_code", "line 2, column hamlet_code"),
        (
            "H1,28249-01,\nH1,28249-01,\n",
            "dòng 3, cột code",
            "line 3, column code",
        ),
        (",28249-01,\n", "dòng 2, cột code", "line 2, column code"),
    ] {
        refuses(
            &form,
            sound_hamlets,
            &self::rows(HOUSEHOLDS, rows),
            &["households.csv", vi],
            &["households.csv", en],
        );
    }
    let many: String = (0..10).map(|number| format!("H{number},28249-01,\n")).collect();
    let place = ("dòng 11, cột hamlet_code", "line 11, column hamlet_code");
    refuses(&form, sound_hamlets, &rows(HOUSEHOLDS, &many), &[place.0], &[place.1]);
    assert_eq!(door.state(), before);
}

#[test]
fn folders_are_refused_with_what_to_do() {
    let door = Door::open();
    let before = door.state();
    let refuses = |arguments: &[&str], data: &Path, vi: &str, en: &str| {
        for (language, part) in [("vi", vi), ("en", en)] {
            let done = Command::new(khaosat())
                .args(arguments)
                .args(["--language", language, "--data"])
                .arg(data)
                .output()
                .unwrap();
            let told = String::from_utf8(done.stderr).unwrap();
            assert_eq!(done.status.code(), Some(1), "{arguments:?}: {told}");
            assert!(told.contains(part), "{arguments:?}: {told}");
        }
    };
    let data = door.installation.data();
    refuses(&["init"], &data, "khaosat serve --data", "khaosat serve --data");
    let foreign = tempfile::tempdir().unwrap();
    std::fs::write(foreign.path().join("letter.txt"), "dear").unwrap();
    refuses(&["init"], foreign.path(), "không trống", "not empty");
    let missing = door.files.path().join("missing");
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    for arguments in [
        &serve[..],
        &["estimate"],
        &["round", "list"],
        &["device", "invite", "--hamlet", "a"],
    ] {
        refuses(arguments, &missing, "khaosat init --data", "khaosat init --data");
    }
    assert!(!missing.exists(), "asking for a folder made one");

    // A second server, and an import under a running one.
    let mut server: Server = door.installation.serve();
    refuses(&serve, &data, "máy chủ đang chạy", "a server is running");
    let units = door.file(
        "units.csv",
        format!("{UNITS}82,2022-10-01,,,province,tỉnh,A\n").as_bytes(),
    );
    refuses(
        &["import", "units", units.to_str().unwrap()],
        &data,
        "máy chủ đang chạy",
        "a server is running",
    );
    assert!(server.is_alive());
    // The address of the first is taken for a server on another folder too.
    let other = Installation::new();
    let taken = ["serve", "--listen", &server.address.to_string()];
    refuses(&taken, &other.data(), "không mở được địa chỉ", "cannot listen on");
    drop(server);
    assert_eq!(door.state(), before);
}
