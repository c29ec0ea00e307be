//! What pyxform does not read, or reads otherwise: OpenDocument, one CSV file a sheet, other separators, wrong endings.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use survey_forms::model::ProblemKind;
use survey_forms::workbook::{Row, Sheet, Workbook, read, read_files};

use crate::binary_writer::{Cell, compound, stream};

/// An archive of parts that are stored as they are.
pub(crate) fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// An `.ods` with tables given as XML.
pub(crate) fn open_document(tables: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content \
         xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
         xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet>{tables}\
         </office:spreadsheet></office:body></office:document-content>"
    );
    archive(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", &content),
    ])
}

fn cells(texts: &[(u32, &str)]) -> BTreeMap<u32, String> {
    texts
        .iter()
        .map(|(column, text)| (*column, (*text).to_owned()))
        .collect()
}

fn sheet(name: &str, headings: &[(u32, &str)], rows: &[(u32, &[(u32, &str)])]) -> Sheet {
    let rows = rows.iter().map(|(number, texts)| Row {
        number: *number,
        cells: cells(texts),
    });
    Sheet {
        name: name.to_owned(),
        headings: cells(headings),
        rows: rows.collect(),
        without_heading: None,
    }
}

/// The sheet that most tests here write, in whatever container.
fn small() -> Sheet {
    sheet(
        "survey",
        &[(0, "type"), (1, "name"), (2, "label")],
        &[
            (2, &[(0, "text"), (1, "a"), (2, "A; một, hai")]),
            (3, &[(0, "note"), (1, "b"), (2, "B")]),
        ],
    )
}

#[test]
fn open_document_cells_are_read_as_those_of_other_spreadsheets() {
    let text = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let value = |kind: &str, attribute: &str, value: &str| {
        format!(
            "<table:table-cell office:value-type=\"{kind}\" office:{attribute}=\"{value}\"><text:p>shown</text:p></table:table-cell>"
        )
    };
    let row = |cells: &[String]| format!("<table:table-row>{}</table:table-row>", cells.concat());
    let rows = [
        row(&[text("type"), text("name"), "<table:table-cell/>".to_owned(), text("a<text:s text:c=\"3\"/>b")]),
        "<table:table-row table:number-rows-repeated=\"2\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>".to_owned(),
        row(&[value("float", "value", "12.50"), value("boolean", "boolean-value", "true"), text("lost"), value("date", "date-value", "2026-11-25")]),
        row(&[value("float", "value", "3"), value("time", "time-value", "PT09H05M00S"), text("lost"), value("date", "date-value", "2026-11-25T07:30:00")]),
        format!("<table:table-row table:number-rows-repeated=\"2\">{}</table:table-row>", text("twice")),
        "<table:table-row><table:table-cell><office:annotation><text:p>comment</text:p></office:annotation><text:p>one \n  <text:span>two</text:span>&amp;</text:p><text:p>three</text:p></table:table-cell><table:covered-table-cell/><table:table-cell/><table:table-cell table:number-columns-repeated=\"2\"><text:p>x\u{a0}y</text:p></table:table-cell></table:table-row>".to_owned(),
        "<table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>".to_owned(),
    ];
    let tables = format!(
        "<table:table table:name=\"Survey\"><table:table-columns/>{}</table:table><table:table table:name=\"khác\"><table:table-row>{}</table:table-row></table:table>",
        rows.concat(),
        text("z")
    );
    let workbook = read(&open_document(&tables), Some("form.xlsx")).unwrap();
    assert_eq!(workbook.sheet_names, ["Survey", "khác"]);
    let expected = sheet(
        "Survey",
        &[(0, "type"), (1, "name"), (3, "a b")],
        &[
            (4, &[(0, "12.5"), (1, "TRUE"), (3, "2026-11-25 00:00:00")]),
            (5, &[(0, "3"), (1, "09:05:00"), (3, "2026-11-25 07:30:00")]),
            (6, &[(0, "twice")]),
            (7, &[(0, "twice")]),
            (8, &[(0, "one two&\nthree"), (3, "x y")]),
        ],
    );
    let expected = Sheet {
        without_heading: Some((4, "C".to_owned())),
        ..expected
    };
    assert_eq!(workbook.sheets, [expected]);
}

#[test]
fn csv_files_hold_a_sheet_each_alone_or_in_an_archive() {
    let survey =
        "\u{feff}type;name;label\r\n\"text\";a;A; một, hai\r\nnote;b;B\r\n".replace("A; một, hai", "\"A; một, hai\"");
    let choices = "list_name\tname\n\nl\t\"1\n2\"\n";
    let files = [
        ("form/survey.csv", survey.as_str()),
        ("form/Choices.CSV", choices),
        ("form/media/list.csv", "\u{1}"),
        ("form/readme.txt", "hello"),
    ];
    let pairs: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let workbook = read_files(&pairs).unwrap();
    assert_eq!(workbook.sheet_names, ["survey", "Choices", "list"]);
    let lists = sheet(
        "Choices",
        &[(0, "list_name"), (1, "name")],
        // The reader of CSV skips lines without anything.
        &[(2, &[(0, "l"), (1, "1\n2")])],
    );
    assert_eq!(workbook.sheets, [small(), lists]);
    assert_eq!(read(&archive(&files), Some("form.zip")).unwrap(), workbook);
    let broken: [(&str, &[u8]); 1] = [("survey.csv", b"type\ntext\nn\xffte")];
    let problems = read_files(&broken).unwrap_err();
    assert_eq!(problems.0[0].place.sheet, "survey");
    assert!(
        matches!(problems.0[0].kind, ProblemKind::NotText { line: 3, byte: 11 }),
        "{problems}"
    );
}

#[test]
fn a_single_csv_file_may_have_other_separators_and_a_byte_order_mark() {
    for separator in [',', ';', '\t'] {
        let text =
            "survey\n|type|name|label\n|text|a|\"A; một, hai\"\n|note|b|B\n".replace('|', &separator.to_string());
        for text in [text.clone(), format!("\u{feff}{text}"), text.replace('\n', "\r\n")] {
            let workbook = read(text.as_bytes(), None).unwrap();
            assert_eq!(workbook.sheets, [small()], "{separator:?}");
        }
    }
    // Commas in the texts do not hide that semicolons make the columns.
    let text = "survey;\n;type;name;label\n;note;a;one, two, three, four, five, six\n";
    let workbook = read(text.as_bytes(), Some("form.csv")).unwrap();
    assert_eq!(workbook.sheets[0].headings.len(), 3);
}

#[test]
fn the_content_decides_and_not_the_ending() {
    let cells = || [(0, 0, Cell::Text("type")), (1, 0, Cell::Text("note"))];
    let old = compound("Workbook", &stream(&[("survey", &cells())]));
    let mut new = rust_xlsxwriter::Workbook::new();
    let sheet = new.add_worksheet().set_name("survey").unwrap();
    sheet.write_string(0, 0, "type").unwrap();
    sheet.write_string(1, 0, "note").unwrap();
    let new = new.save_to_buffer().unwrap();
    let markdown = b"| survey |\n| | type |\n| | note |\n".to_vec();
    let csv = b"survey\n,type\n,note\n".to_vec();
    let expected: Workbook = read(&new, None).unwrap();
    for bytes in [old, new, markdown, csv] {
        for name in ["form.xlsx", "form.xls", "form.ods", "form.csv", "form.md", "form"] {
            assert_eq!(read(&bytes, Some(name)).unwrap(), expected, "{name}");
        }
    }
}

#[test]
fn error_cells_are_told_by_what_a_spreadsheet_shows() {
    let cells = [
        (0, 0, Cell::Text("type")),
        (0, 1, Cell::Text("label")),
        (2, 1, Cell::Error(0x2a)),
        (3, 0, Cell::Error(0x17)),
        (3, 1, Cell::Number(-5.0, 1)),
    ];
    let workbook = read(&stream(&[("survey", &cells)]), None).unwrap();
    let problems: Vec<String> = workbook.sheets[0]
        .error_cells()
        .map(|problem| problem.to_string())
        .collect();
    let cell = |row: u32, column: &str, error: &str| {
        format!(
            "sheet survey, row {row}, column {column}: the cell holds the spreadsheet error {error}; write the value itself"
        )
    };
    // A day before the epoch is shown as an error by spreadsheets too.
    let expected = [
        cell(3, "label", "#N/A"),
        cell(4, "type", "#REF!"),
        cell(4, "label", "#VALUE!"),
    ];
    assert_eq!(problems, expected);
}

#[test]
fn sheets_are_found_by_name_in_any_capitals() {
    let workbook = read(
        b"| Survey |\n| | type |\n| Entities |\n| | list_name |\n| x |\n| | y |\n",
        None,
    )
    .unwrap();
    assert_eq!(workbook.sheet("survey").unwrap().name, "Survey");
    assert_eq!(workbook.sheet("entities").unwrap().name, "Entities");
    assert!(workbook.sheet("choices").is_none());
    assert!(workbook.sheet("x").is_none());
    let only = read(b"| Sheet1 |\n| | type |\n", None).unwrap();
    assert_eq!(only.sheet("survey").unwrap().name, "Sheet1");
    let only = read(b"| choices |\n| | type |\n", None).unwrap();
    assert!(only.sheet("survey").is_none());
}
