//! The writer of Markdown tables is the inverse of their reader.

use std::collections::BTreeMap;

use proptest::prelude::*;
use survey_forms::model::ProblemKind;
use survey_forms::workbook::{MAX_COLUMNS, Row, SHEETS, Sheet, Workbook, read, write_markdown};

/// A text that a cell can hold: without line breaks and NUL, with no white space at its ends.
fn cell() -> impl Strategy<Value = String> {
    let any_text = "[^\n\0]{0,12}";
    let special = "[ |#\\\\\"'a\\-\u{a0}\r\t\u{1c}\u{feff}]{0,8}";
    prop_oneof![any_text, special]
        .prop_map(|text| {
            text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
                .to_owned()
        })
        .prop_filter("a cell is not empty", |text| !text.is_empty())
}

fn sheet(name: &'static str) -> impl Strategy<Value = Sheet> {
    let headings = prop::collection::btree_map(0..12_u32, cell(), 1..6);
    let rows = prop::collection::vec(prop::collection::btree_map(0..12_u32, cell(), 1..8), 0..6);
    (headings, rows).prop_map(move |(headings, rows)| {
        let mut sheet = Sheet {
            name: name.to_owned(),
            headings,
            ..Sheet::default()
        };
        for mut cells in rows {
            cells.retain(|column, _| sheet.headings.contains_key(column));
            if !cells.is_empty() {
                let number = u32::try_from(sheet.rows.len()).unwrap() + 2;
                sheet.rows.push(Row { number, cells });
            }
        }
        sheet
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        survey in sheet("survey"),
        choices in sheet("Choices"),
        entities in prop::option::of(sheet("entities")),
    ) {
        let sheets: Vec<Sheet> = [survey, choices].into_iter().chain(entities).collect();
        let sheet_names = sheets.iter().map(|sheet| sheet.name.clone()).collect();
        let workbook = Workbook { sheets, sheet_names };
        let written = write_markdown(&workbook).unwrap();
        prop_assert_eq!(read(written.as_bytes(), Some("form.md")).unwrap(), workbook.clone());
        // The content alone shows the format too.
        prop_assert_eq!(read(written.as_bytes(), None).unwrap(), workbook);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "([| #\\\\\n\r,;\t\"a-]|survey|choices|\\PC){0,200}") {
        for name in ["form.md", "form.csv", ""] {
            if let Ok(workbook) = read(text.as_bytes(), Some(name)) {
                let known = |sheet: &Sheet| SHEETS.contains(&sheet.name.trim().to_lowercase().as_str());
                prop_assert!(workbook.sheet_names.len() == 1 || workbook.sheets.iter().all(known));
                for sheet in &workbook.sheets {
                    for row in &sheet.rows {
                        prop_assert!(row.cells.keys().all(|column| sheet.headings.contains_key(column)));
                    }
                }
            }
        }
    }
}

#[test]
fn what_a_table_cannot_hold_is_refused_with_its_place() {
    let workbook = |heading: &str, text: &str| {
        let cells = |text: &str| BTreeMap::from([(0, text.to_owned())]);
        let row = Row {
            number: 7,
            cells: cells(text),
        };
        Workbook {
            sheets: vec![Sheet {
                name: "survey".to_owned(),
                headings: cells(heading),
                rows: vec![row],
                without_heading: None,
            }],
            sheet_names: vec!["survey".to_owned()],
        }
    };
    assert_eq!(
        write_markdown(&workbook("label", "a | b")).unwrap(),
        "| survey |\n| | label |\n| | a \\| b |\n"
    );
    for (heading, text, place) in [
        (
            "label",
            "a\nb",
            "row 7, column label: a Markdown table cannot hold a line break",
        ),
        (
            "label",
            " a",
            "row 7, column label: a Markdown table cannot hold a text with spaces",
        ),
        (
            "label",
            "",
            "row 7, column label: a Markdown table cannot hold an empty text",
        ),
        (
            "la\nbel",
            "a",
            "row 1, column A: a Markdown table cannot hold a line break",
        ),
    ] {
        let problems = write_markdown(&workbook(heading, text)).unwrap_err();
        assert!(problems.to_string().contains(place), "{problems}");
    }
    let mut twice = workbook("label", "a");
    twice.sheets.push(twice.sheets[0].clone());
    let problems = write_markdown(&twice).unwrap_err();
    assert!(
        problems.to_string().contains("two sheets of the same name"),
        "{problems}"
    );
    let problems = write_markdown(&Workbook {
        sheets: vec![Sheet::empty("survey")],
        sheet_names: Vec::new(),
    });
    assert!(problems.unwrap_err().to_string().contains("a sheet without headings"));
    let mut far = workbook("label", "a");
    far.sheets[0].headings.insert(u32::MAX, "far".to_owned());
    let problems = write_markdown(&far).unwrap_err();
    assert!(matches!(problems.0[0].kind, ProblemKind::TooLarge { .. }), "{problems}");
    let mut last = workbook("label", "a");
    last.sheets[0].headings.insert(MAX_COLUMNS - 1, "last".to_owned());
    last.sheets[0].rows[0].number = 2;
    assert_eq!(read(write_markdown(&last).unwrap().as_bytes(), None).unwrap(), last);
}
