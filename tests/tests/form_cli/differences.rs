//! `khaosat form diff` between two versions.

use std::path::Path;

use khaosat_tests::process::{Ended, khaosat, run_to_end};
use serde_json::Value;

use super::{household, workbooks};

const OLD: &str = "\
| survey | type | name | label::Tiếng Việt (vi) | required | relevant | constraint | indicator |
| | text | head | Chủ hộ | | | | |
| | integer | size | Số người | yes | | . > 0 | XHS-01 |
| | select_one phones | phone | Máy | | ${size} > 1 | | |
| | text | note_text | Ghi chú | | | | |
| | begin_repeat | members | Thành viên | | | | |
| | integer | age | Tuổi | | | | |
| | end_repeat | | | | | | |
| choices | list_name | name | label::Tiếng Việt (vi) |
| | phones | own | Riêng |
| | phones | shared | Chung |
| settings | form_id | form_title | version |
| | household | Hộ | 1 |
";

fn compare(old: &Path, new: &Path, more: &[&str]) -> Ended {
    run_to_end(khaosat(["form", "diff"]).arg(old).arg(new).args(more))
}

/// Compares the old form with itself after replacing texts in it, each of which it must hold.
fn changed(replacements: &[(&str, &str)], more: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let mut text = OLD.to_owned();
    for (from, to) in replacements {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let old = workbooks::write(folder.path(), "old.xlsx", OLD);
    let new = workbooks::write(folder.path(), "new.xlsx", &text);
    compare(&old, &new, more)
}

const VERSION: (&str, &str) = ("| Hộ | 1 |", "| Hộ | 2 |");

#[test]
fn the_same_form_has_no_changes() {
    let ended = compare(&household(), &household(), &["--json"]).success();
    let document = ended.json();
    assert_eq!(
        (&document["safe"], &document["changes"]),
        (&Value::Bool(true), &Value::Array(vec![]))
    );
    assert_eq!(document["old"], document["new"]);
}

#[test]
fn each_change_is_classed_and_reasoned_and_the_exit_code_tells() {
    let cases: [(&str, &str, &str, &str); 12] = [
        ("| | text | note_text | Ghi chú | | | | |\n", "", "row_removed", "safe"),
        (
            "| | text | note_text | Ghi chú |",
            "| | text | more | Thêm | | | | |\n| | text | note_text | Ghi chú |",
            "row_added",
            "safe",
        ),
        (
            "| | text | note_text | Ghi chú |",
            "| | text | more | Thêm | yes | | | |\n| | text | note_text | Ghi chú |",
            "row_added",
            "unsafe",
        ),
        ("| integer | age |", "| decimal | age |", "type_changed", "safe"),
        ("| integer | age |", "| date | age |", "type_changed", "unsafe"),
        ("select_one phones", "select_multiple phones", "type_changed", "safe"),
        ("Chủ hộ", "Tên chủ hộ", "text_changed", "safe"),
        ("${size} > 1", "${size} > 2", "expression_changed", "unsafe"),
        (". > 0", "", "expression_changed", "safe"),
        ("XHS-01", "XHS-02", "column_changed", "unsafe"),
        ("| | phones | shared | Chung |\n", "", "choice_removed", "unsafe"),
        (
            "| | phones | own | Riêng |",
            "| | phones | own | Riêng |\n| | phones | none | Không |",
            "choice_added",
            "safe",
        ),
    ];
    for (from, to, change, safety) in cases {
        let ended = changed(&[(from, to), VERSION], &["--json"]);
        let document = ended.json();
        let changes = document["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 1, "{from} → {to}: {changes:?}");
        assert_eq!(
            (changes[0]["change"].as_str(), changes[0]["safety"].as_str()),
            (Some(change), Some(safety)),
            "{from} → {to}"
        );
        for language in ["vi", "en"] {
            assert!(!changes[0]["reason"][language].as_str().unwrap().is_empty());
        }
        assert_eq!(document["safe"], safety == "safe");
        assert_eq!(ended.status.code(), Some(i32::from(safety != "safe")), "{from} → {to}");
    }
}

#[test]
fn renames_and_moves_are_told_for_people_in_both_languages() {
    let renamed = [
        ("| indicator |\n", "| indicator | renamed_from |\n"),
        (
            "| | integer | size | Số người | yes | | . > 0 | XHS-01 |",
            "| | integer | people | Số người | yes | | . > 0 | XHS-01 | size |",
        ),
        ("${size} > 1", "${people}>1"),
        VERSION,
    ];
    let ended = changed(&renamed, &[]).success();
    assert!(ended.text().contains("1 thay đổi, 0 không an toàn"), "{}", ended.text());
    assert!(
        ended
            .text()
            .contains("[an toàn] survey, hàng 3, people: đổi tên từ size;"),
        "{}",
        ended.text()
    );
    let moved = [
        ("| | end_repeat | | | | | | |\n", ""),
        ("| | text | note_text | Ghi chú | | | | |\n", ""),
        (
            "| | integer | age | Tuổi | | | | |\n",
            "| | integer | age | Tuổi | | | | |\n| | text | note_text | Ghi chú | | | | |\n| | end_repeat | | | | | | |\n",
        ),
        VERSION,
    ];
    let ended = changed(&moved, &["--language", "en"]).failure();
    assert!(
        ended
            .text()
            .contains("[unsafe] survey, row 7, note_text: moved from repeat – to \"members\";"),
        "{}",
        ended.text()
    );
}

#[test]
fn a_version_that_keeps_its_label_is_a_warning() {
    let ended = changed(&[("Chủ hộ", "Tên chủ hộ")], &["--json"]).success();
    let document = ended.json();
    let warning = &document["changes"][0];
    assert_eq!(
        (warning["change"].as_str(), warning["safety"].as_str()),
        (Some("version_unchanged"), Some("warning"))
    );
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let other = changed(&[("| household |", "| school |")], &["--language", "en"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(
        other.stderr.contains("\"household\"") && other.stderr.contains("\"school\""),
        "{}",
        other.stderr
    );
    let broken = changed(&[("| integer | age |", "| intger | age |")], &[]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(
        broken.stderr.contains("new.xlsx") && broken.stderr.contains("hàng 7"),
        "{}",
        broken.stderr
    );
}
