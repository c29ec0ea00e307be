//! Deliberately broken forms: `khaosat form check` names the cell and what would be right, in both languages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use khaosat_tests::installation::repository;
use khaosat_tests::process::{khaosat, run_to_end};
use tempfile::TempDir;

use super::{form, household, workbooks};

struct Broken {
    name: &'static str,
    sheet: &'static str,
    row: u64,
    column: &'static str,
    /// What both languages' messages hold.
    both: &'static [&'static str],
    vietnamese: &'static str,
    english: &'static str,
}

const BROKEN: [Broken; 13] = [
    Broken {
        name: "unknown-type",
        sheet: "survey",
        row: 3,
        column: "type",
        both: &["intger", "integer"],
        vietnamese: "có phải là integer?",
        english: "did you mean integer?",
    },
    Broken {
        name: "unclosed-group",
        sheet: "survey",
        row: 3,
        column: "type",
        both: &["begin_group", "end_group"],
        vietnamese: "chưa được đóng",
        english: "never closed",
    },
    Broken {
        name: "unopened-repeat",
        sheet: "survey",
        row: 3,
        column: "type",
        both: &["end_repeat"],
        vietnamese: "hãy bỏ hàng này",
        english: "remove the row",
    },
    Broken {
        name: "unknown-question",
        sheet: "survey",
        row: 3,
        column: "relevant",
        both: &["\"membres\"", "\"members\""],
        vietnamese: "có phải là",
        english: "did you mean",
    },
    Broken {
        name: "syntax-error",
        sheet: "survey",
        row: 2,
        column: "constraint",
        both: &["    . >= 0 and\n              ^\n"],
        vietnamese: "cần",
        english: "expected",
    },
    Broken {
        name: "circular-calculation",
        sheet: "survey",
        row: 3,
        column: "calculation",
        both: &["income → total → income"],
        vietnamese: "vòng tròn",
        english: "break the circle",
    },
    Broken {
        name: "missing-choice-list",
        sheet: "survey",
        row: 3,
        column: "type",
        both: &["\"phones\"", "choices"],
        vietnamese: "hãy thêm",
        english: "add its rows",
    },
    Broken {
        name: "duplicate-name",
        sheet: "survey",
        row: 4,
        column: "name",
        both: &["\"age\""],
        vietnamese: "hàng 2",
        english: "row 2",
    },
    Broken {
        name: "wrong-arity",
        sheet: "survey",
        row: 3,
        column: "calculation",
        both: &["if()", "    if(${age} >= 18)\n    ^\n", "3"],
        vietnamese: "đối số",
        english: "takes",
    },
    Broken {
        name: "unknown-function",
        sheet: "survey",
        row: 3,
        column: "calculation",
        both: &["maxx()", "    maxx(${age}, 60)\n    ^\n"],
        vietnamese: "không có hàm",
        english: "there is no function",
    },
    Broken {
        name: "spreadsheet-error",
        sheet: "survey",
        row: 3,
        column: "relevant",
        both: &["#REF!"],
        vietnamese: "hãy ghi giá trị",
        english: "write the value itself",
    },
    Broken {
        name: "choice-with-space",
        sheet: "choices",
        row: 3,
        column: "name",
        both: &["\"health app\"", "_"],
        vietnamese: "dấu cách",
        english: "space",
    },
    Broken {
        name: "bad-name",
        sheet: "survey",
        row: 2,
        column: "name",
        both: &["\"1st_age\""],
        vietnamese: "bắt đầu bằng chữ",
        english: "beginning with a letter",
    },
];

/// The workbook of a fixture.
fn fixture(folder: &TempDir, name: &str) -> PathBuf {
    let markdown = repository().join(format!("tests/fixtures/broken-forms/{name}.md"));
    let markdown = std::fs::read_to_string(&markdown).unwrap();
    workbooks::write(folder.path(), &format!("{name}.xlsx"), &markdown)
}

#[test]
fn each_broken_form_is_told_with_its_cell_and_cure_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    for broken in &BROKEN {
        let path = fixture(&folder, broken.name);
        let check = |more: &[&str]| run_to_end(khaosat(["form", "check"]).args(more).arg(&path)).failure();
        let (vietnamese, english) = (check(&[]), check(&["--language", "en"]));
        let (name, sheet, row) = (broken.name, broken.sheet, broken.row);
        let column = broken.column;
        let cell = format!("lỗi: trang tính {sheet}, hàng {row}, cột {column}: ");
        assert!(vietnamese.text().contains(&cell), "{name}: {}", vietnamese.text());
        let cell = format!("error: sheet {sheet}, row {row}, column {column}: ");
        assert!(english.text().contains(&cell), "{name}: {}", english.text());
        for (text, own) in [(vietnamese.text(), broken.vietnamese), (english.text(), broken.english)] {
            for part in broken.both.iter().chain([&own]) {
                assert!(text.contains(part), "{name}: {part:?} is not in {text}");
            }
        }

        let document = check(&["--json"]).json();
        let errors = document["files"][0]["errors"].as_array().unwrap().clone();
        assert_eq!(errors.len(), 1, "{name}: {errors:?}");
        let error = &errors[0];
        assert_eq!(
            (&error["sheet"], &error["row"], &error["column"]),
            (&sheet.into(), &row.into(), &column.into()),
            "{name}"
        );
        let message = &error["message"];
        assert!(message["vi"].as_str().unwrap().contains(broken.vietnamese), "{name}");
        assert!(message["en"].as_str().unwrap().contains(broken.english), "{name}");
    }
}

#[test]
fn a_markdown_form_is_told_the_same_as_its_workbook() {
    let folder = tempfile::tempdir().unwrap();
    for broken in &BROKEN {
        let markdown = repository().join(format!("tests/fixtures/broken-forms/{}.md", broken.name));
        let check = |path: &Path| {
            let document = run_to_end(khaosat(["form", "check", "--json"]).arg(path))
                .failure()
                .json();
            document["files"][0]["errors"].clone()
        };
        assert_eq!(
            check(&markdown),
            check(&fixture(&folder, broken.name)),
            "{}",
            broken.name
        );
    }
}

#[test]
fn a_warning_leaves_the_form_usable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("form.md");
    std::fs::write(
        &path,
        "| survey | type | name | label |\n| | text | a | A |\n| setting | form_id |\n| | x |\n",
    )
    .unwrap();
    let told = run_to_end(khaosat(["form", "check"]).arg(&path)).success();
    assert!(told.text().contains("0 lỗi, 1 cảnh báo"), "{}", told.text());
    assert!(told.text().contains("cảnh báo: "), "{}", told.text());
    let document = run_to_end(khaosat(["form", "check", "--json"]).arg(&path))
        .success()
        .json();
    let warning = &document["files"][0]["warnings"][0];
    assert!(
        warning["message"]["en"].as_str().unwrap().contains("\"setting\""),
        "{warning}"
    );
}

#[test]
fn every_fixture_is_checked() {
    let files = std::fs::read_dir(repository().join("tests/fixtures/broken-forms")).unwrap();
    let files: BTreeSet<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    let named = BROKEN.iter().map(|broken| broken.name).chain(["several"]);
    let named: BTreeSet<String> = named.map(|name| format!("{name}.md")).collect();
    assert_eq!(files, named);
}

#[test]
fn everything_wrong_is_told_at_once_in_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let (several, single) = (fixture(&folder, "several"), fixture(&folder, "bad-name"));
    let ended = run_to_end(khaosat(["form", "check"]).args([&several, &single, &household()])).failure();
    let places = [
        "hàng 2, cột type",
        "hàng 3, cột type",
        "hàng 3, cột relevant",
        "hàng 4, cột name",
    ];
    for place in places {
        assert!(ended.text().contains(place), "{place}: {}", ended.text());
    }
    assert!(ended.text().contains("4 lỗi, 0 cảnh báo"), "{}", ended.text());
    assert!(ended.text().contains("1 lỗi, 0 cảnh báo"), "{}", ended.text());
    assert!(ended.text().contains("household.xlsx: 0 lỗi"), "{}", ended.text());
    assert!(ended.stderr.is_empty(), "{}", ended.stderr);
}

#[test]
fn the_place_in_an_expression_is_a_number_of_characters_for_machines() {
    let folder = tempfile::tempdir().unwrap();
    let markdown = "| survey | type | name | label | relevant |\n| | text | a | A | 'ấp' = 'ấp' ! |\n";
    let path = workbooks::write(folder.path(), "form.xlsx", markdown);
    let document = run_to_end(khaosat(["form", "check", "--json"]).arg(&path))
        .failure()
        .json();
    let expression = &document["files"][0]["errors"][0]["expression"];
    assert_eq!(expression["text"], "'ấp' = 'ấp' !");
    assert_eq!(
        (expression["character"].as_u64(), expression["offset"].as_u64()),
        (Some(12), Some(16))
    );
}

#[test]
fn what_is_no_form_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, noise) = (folder.path().join("missing.xlsx"), folder.path().join("noise.xlsx"));
    std::fs::write(&noise, [0x00, 0xFF, 0x13, 0x37]).unwrap();
    for path in [&missing, &noise] {
        let ended = run_to_end(khaosat(["form", "check", "--language", "en"]).arg(path));
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        assert!(ended.text().contains("1 error"), "{ended:?}");
        let document = run_to_end(khaosat(["form", "check", "--json"]).args([path, &household()]));
        assert_eq!(document.status.code(), Some(2));
        let readable: Vec<bool> = document.json()["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["readable"].as_bool().unwrap())
            .collect();
        assert_eq!(readable, [false, true]);
    }
    assert_eq!(form(["check"]).status.code(), Some(2), "a file must be named");
}

#[test]
fn a_broken_form_is_not_converted() {
    let folder = tempfile::tempdir().unwrap();
    let path = fixture(&folder, "unknown-type");
    let output = folder.path().join("out.json");
    for format in ["json", "xform", "md"] {
        let refused = run_to_end(
            khaosat(["form", "convert", "--to", format, "--output"])
                .arg(&output)
                .arg(&path),
        )
        .failure();
        assert!(refused.stderr.contains("hàng 3, cột type"), "{}", refused.stderr);
        assert!(refused.stderr.contains("có phải là integer?"), "{}", refused.stderr);
        assert!(refused.stdout.is_empty() && !output.exists());
    }
}
