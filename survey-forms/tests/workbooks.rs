//! Broken workbooks: each is refused with an error that names the place and says what would be right.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

use std::io::{Cursor, Write};

use rust_xlsxwriter::Workbook;
use survey_forms::model::{Form, FormProblem, NodeKind, ProblemKind};
use survey_forms::workbook::{MAX_FILE_BYTES, MAX_INFLATED_BYTES, MAX_ROWS};
use survey_forms::xlsform::read;

/// Builds a workbook from sheets of rows of cells.
fn workbook(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for (name, rows) in sheets {
        let sheet = workbook.add_worksheet().set_name(*name).unwrap();
        for (row, cells) in (0..).zip(*rows) {
            for (column, text) in (0..).zip(*cells) {
                sheet.write_string(row, column, *text).unwrap();
            }
        }
    }
    workbook.save_to_buffer().unwrap()
}

const CHOICES: &[&[&str]] = &[
    &["list_name", "name", "label"],
    &["yes_no", "yes", "Yes"],
    &["yes_no", "no", "No"],
];

/// Reads a survey with the given rows below the usual headings.
fn survey(rows: &[&[&str]]) -> Result<Form, Vec<FormProblem>> {
    const HEADINGS: &[&str] = &["type", "name", "label", "relevant", "constraint", "calculation"];
    let rows: Vec<&[&str]> = std::iter::once(HEADINGS).chain(rows.iter().copied()).collect();
    read(&workbook(&[("survey", &rows), ("choices", CHOICES)])).map_err(|problems| problems.0)
}

/// The only problem, as its English text.
fn only_problem(rows: &[&[&str]]) -> String {
    let problems = survey(rows).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(!problems[0].vietnamese().is_empty());
    problems[0].to_string()
}

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

#[test]
fn a_good_workbook_is_read() {
    let form = survey(&[
        &["text", "name", "Name"],
        &["begin group", "more", "More"],
        &["select_one yes_no", "agree", "Agree?", "${name} != ''"],
        &["end group"],
        &["begin_repeat", "children", "Children"],
        &["integer", "age", "Age", "", ". >= 0"],
        &["end_repeat"],
        &["calculate", "oldest", "", "", "", "max(${age})"],
    ])
    .unwrap();
    let names: Vec<&str> = form.nodes().iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["name", "more", "agree", "children", "age", "oldest"]);
    assert_eq!(form.node("agree").unwrap().parent, form.position("more"));
    assert_eq!(form.repeat_of(form.position("age").unwrap()), form.position("children"));
    assert_eq!(
        form.node("agree").unwrap().kind,
        NodeKind::SelectOne { list: "yes_no".into() }
    );
}

#[test]
fn an_unknown_type_is_named_with_its_cell_and_the_type_meant() {
    let text = only_problem(&[&["text", "a", "A"], &["intger", "b", "B"]]);
    contains(
        &text,
        &[
            "sheet survey",
            "row 3",
            "column type",
            "intger",
            "did you mean integer?",
        ],
    );
}

#[test]
fn an_unknown_reference_is_named_with_the_question_meant() {
    let text = only_problem(&[&["text", "village", "V"], &["text", "b", "B", "${vilage} = 'x'"]]);
    contains(
        &text,
        &["row 3", "column relevant", "\"vilage\"", "did you mean \"village\""],
    );
}

#[test]
fn a_duplicate_name_is_named_with_its_first_row() {
    let text = only_problem(&[&["text", "a", "A"], &["text", "b", "B"], &["text", "a", "C"]]);
    contains(&text, &["row 4", "column name", "\"a\"", "row 2"]);
}

#[test]
fn a_missing_choice_list_is_named() {
    contains(
        &only_problem(&[&["select_one colours", "a", "A"]]),
        &["row 2", "column type", "\"colours\"", "choices"],
    );
    contains(
        &only_problem(&[&["select_one", "a", "A"]]),
        &["row 2", "needs the name of its choice list"],
    );
}

#[test]
fn unbalanced_groups_are_named() {
    let open = only_problem(&[&["begin group", "g", "G"], &["text", "a", "A"]]);
    contains(&open, &["row 2", "begin_group is never closed", "end_group"]);
    let stray = only_problem(&[&["text", "a", "A"], &["end repeat"]]);
    contains(&stray, &["row 3", "end_repeat closes nothing"]);
    let crossed = survey(&[&["begin group", "g", "G"], &["text", "a", "A"], &["end repeat"]]).unwrap_err();
    contains(&crossed[0].to_string(), &["row 4", "end_group is expected first"]);
}

#[test]
fn expressions_are_checked_with_byte_and_caret() {
    let text = only_problem(&[&["text", "a", "A", "1 + (2"]]);
    contains(&text, &["row 2", "column relevant", "at byte 6", "1 + (2\n      ^"]);
    contains(
        &only_problem(&[&["text", "a", "A", "sellected(., 'x')"]]),
        &["no function sellected()"],
    );
    contains(
        &only_problem(&[&["text", "a", "A", "", "selected(.)"]]),
        &["column constraint", "selected() takes 2, not 1"],
    );
    contains(
        &only_problem(&[&["text", "a", "A", "$b = 1"]]),
        &["$b has no value", "${b}"],
    );
}

#[test]
fn problems_are_told_in_vietnamese_too() {
    let told = |rows: &[&[&str]]| survey(rows).unwrap_err()[0].vietnamese();
    let place = "trang tính survey, hàng 2, cột type: ";
    let text = told(&[&["intger", "a", "A"]]);
    assert_eq!(
        text,
        format!("{place}không có loại câu hỏi \"intger\"; có phải là integer?")
    );
    let text = told(&[&["text", "a", "A", "1 + (2"]]);
    let expected = "trang tính survey, hàng 2, cột relevant: cần dấu đóng ngoặc ), nhưng gặp chỗ kết thúc (tại byte 6)";
    assert_eq!(text, format!("{expected}\n1 + (2\n      ^"));
    let text = told(&[&["text", "a"]]);
    assert_eq!(
        text,
        "trang tính survey, hàng 2, cột label: ô trống; cần điền nội dung hiển thị"
    );
}

#[test]
fn circles_are_named() {
    let rows: &[&[&str]] = &[
        &["calculate", "a", "", "", "", "${b} + 1"],
        &["calculate", "b", "", "", "", "${c} + 1"],
        &["calculate", "c", "", "", "", "${a} + 1"],
    ];
    contains(
        &only_problem(rows),
        &["column calculation", "depends on itself", "a", "b", "c"],
    );
    contains(
        &only_problem(&[&["text", "a", "A", "${a} = 'x'"]]),
        &["column relevant", "a → a"],
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let problems = survey(&[
        &["txt", "a", "A"],
        &["text", "b"],
        &["select_one nowhere", "c", "C", "${d} = 1"],
        &["text", "2x", "X", "1 +"],
        &["begin repeat", "r", "R"],
    ])
    .unwrap_err();
    let rows: Vec<Option<u32>> = problems.iter().map(|problem| problem.place.row).collect();
    for row in 2..=6 {
        assert!(rows.contains(&Some(row)), "row {row} is missing in {problems:?}");
    }
}

#[test]
fn missing_sheets_and_columns_are_named() {
    let problems = read(&workbook(&[("choices", CHOICES)])).unwrap_err();
    contains(&problems.to_string(), &["no sheet named survey"]);
    let problems = read(&workbook(&[("survey", &[&["name", "label"], &["a", "A"]])])).unwrap_err();
    contains(&problems.to_string(), &["sheet survey", "no column type"]);
}

#[test]
fn bytes_that_are_no_workbook_are_refused() {
    let good = workbook(&[("survey", &[&["type", "name", "label"], &["text", "a", "A"]])]);
    assert!(read(&good).is_ok());
    for bytes in [
        &b""[..],
        b"type,name\ntext,a",
        &good[..good.len() / 2],
        &good[..good.len() - 30],
    ] {
        let problems = read(bytes).unwrap_err();
        assert!(matches!(problems.0[0].kind, ProblemKind::NotAWorkbook(_)), "{problems}");
        contains(&problems.to_string(), &[".xlsx"]);
        contains(&problems.vietnamese(), &["tệp"]);
    }
}

#[test]
fn a_workbook_damaged_anywhere_never_panics() {
    let good = workbook(&[
        ("survey", &[&["type", "name", "label"], &["text", "a", "A"]]),
        ("choices", CHOICES),
    ]);
    for position in 0..good.len() {
        let mut damaged = good.clone();
        damaged[position] ^= 0x55;
        // Some bytes (times, for example) mean nothing; whatever the outcome, there is one.
        let _ = read(&damaged);
    }
}

/// A zip archive with one part of zeros; the sizes written in its headers can be made to lie.
fn bomb(bytes: u64, declared: Option<u32>) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file("xl/workbook.xml", options).unwrap();
    let block = vec![0; 1 << 20];
    for _ in 0..bytes >> 20 {
        writer.write_all(&block).unwrap();
    }
    let mut archive = writer.finish().unwrap().into_inner();
    if let Some(declared) = declared {
        // The uncompressed size stands 22 bytes into a local header and 24 into a central one.
        for (signature, offset) in [(b"PK\x03\x04", 22), (b"PK\x01\x02", 24)] {
            let at = archive.windows(4).position(|window| window == signature).unwrap() + offset;
            archive[at..at + 4].copy_from_slice(&declared.to_le_bytes());
        }
    }
    archive
}

#[test]
fn zip_bombs_are_refused_by_declared_and_by_real_size() {
    let size = MAX_INFLATED_BYTES + (2 << 20);
    let honest = bomb(size, None);
    assert!((honest.len() as u64) < MAX_FILE_BYTES);
    let by_declared_size = read(&honest).unwrap_err();
    let refused = matches!(
        &by_declared_size.0[0].kind,
        ProblemKind::TooLarge { found, most: MAX_INFLATED_BYTES, .. } if *found == size
    );
    assert!(refused, "refused before anything is inflated: {by_declared_size}");
    // An archive that declares little is inflated no further than the limit.
    let lying = read(&bomb(size, Some(1000))).unwrap_err();
    let refused = matches!(
        &lying.0[0].kind,
        ProblemKind::TooLarge {
            most: MAX_INFLATED_BYTES,
            ..
        } | ProblemKind::Damaged { .. }
    );
    assert!(refused, "{lying}");
}

#[test]
fn too_large_a_file_and_too_long_a_sheet_are_refused() {
    let problems = read(&vec![0; usize::try_from(MAX_FILE_BYTES).unwrap() + 1]).unwrap_err();
    assert!(matches!(
        problems.0[0].kind,
        ProblemKind::TooLarge {
            most: MAX_FILE_BYTES,
            ..
        }
    ));
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("survey").unwrap();
    sheet.write_string(0, 0, "type").unwrap();
    sheet.write_string(MAX_ROWS, 0, "text").unwrap();
    let problems = read(&workbook.save_to_buffer().unwrap()).unwrap_err();
    contains(&problems.to_string(), &["sheet survey", "number of rows"]);
}

#[test]
fn the_content_hash_depends_on_content_and_not_on_layout() {
    let rows: &[&[&str]] = &[&["type", "name", "label"], &["text", "a", "A"], &["text", "b", "B"]];
    let spaced: &[&[&str]] = &[
        &["type", "name", "label"],
        &["text", "a", " A "],
        &[],
        &[],
        &["text", "b", "B"],
    ];
    let changed: &[&[&str]] = &[&["type", "name", "label"], &["text", "a", "A"], &["text", "b", "C"]];
    let hash = |rows: &[&[&str]]| read(&workbook(&[("survey", rows)])).unwrap().content_hash();
    assert_eq!(hash(rows), hash(spaced));
    assert_ne!(hash(rows), hash(changed));
}

#[test]
fn a_form_survives_json_with_its_hash() {
    let form = survey(&[&["select_one yes_no", "a", "A"], &["text", "b", "B", "${a} = 'yes'"]]).unwrap();
    let json = serde_json::to_string(&form).unwrap();
    let again: Form = serde_json::from_str(&json).unwrap();
    assert_eq!(again.content_hash(), form.content_hash());
    let broken = json.replace("${a} = 'yes'", "${nowhere} = 'yes'");
    let error = serde_json::from_str::<Form>(&broken).unwrap_err();
    contains(&error.to_string(), &["column relevant", "nowhere"]);
}
