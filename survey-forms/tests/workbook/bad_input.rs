//! Hostile and broken files: each is refused with the place and a way out.

use std::io::{Cursor, Write};

use survey_forms::model::{FormProblems, ProblemKind};
use survey_forms::workbook::{MAX_CELLS, MAX_COLUMNS, MAX_FILE_BYTES, MAX_ROWS, MAX_TEXT_BYTES, read};

use crate::binary_writer::{Cell, compound, stream};
use crate::containers::{archive, open_document};

/// What is wrong with a file, which must be told in both languages.
fn refusal(bytes: &[u8]) -> FormProblems {
    let problems = read(bytes, None).unwrap_err();
    assert!(!problems.0.is_empty());
    assert!(!problems.vietnamese().is_empty());
    problems
}

fn assert_too_large(bytes: &[u8], limit: u64) -> FormProblems {
    let problems = refusal(bytes);
    let found = matches!(&problems.0[0].kind, ProblemKind::TooLarge { most, .. } if *most == limit);
    assert!(found, "{problems}");
    problems
}

fn assert_damaged(bytes: &[u8], part: &str) {
    let problems = refusal(bytes);
    let found = matches!(problems.0[0].kind, ProblemKind::Damaged { .. });
    assert!(found && problems.to_string().contains(part), "{problems}");
}

/// An `.xlsx` from the XML of its one sheet and of its shared strings.
pub(crate) fn office_open(sheet: &str, strings: &str) -> Vec<u8> {
    let kind = |name: &str| format!("http://schemas.openxmlformats.org/officeDocument/2006/relationships/{name}");
    archive(&[
        (
            "_rels/.rels",
            &format!(
                "<Relationships><Relationship Id=\"r1\" Type=\"{}\" Target=\"xl/workbook.xml\"/></Relationships>",
                kind("officeDocument")
            ),
        ),
        (
            "xl/workbook.xml",
            "<workbook xmlns:r=\"r\"><sheets><sheet name=\"survey\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            &format!(
                "<Relationships><Relationship Id=\"r1\" Type=\"{}\" Target=\"worksheets/sheet1.xml\"/><Relationship \
                 Id=\"r2\" Type=\"{}\" Target=\"/xl/sharedStrings.xml\"/></Relationships>",
                kind("worksheet"),
                kind("sharedStrings")
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            &format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>"),
        ),
        ("xl/sharedStrings.xml", &format!("<sst>{strings}</sst>")),
    ])
}

#[test]
fn a_cell_in_the_last_corner_is_refused_with_its_place() {
    let cell = |address: &str| {
        format!(
            "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>type</t></is></c></row><row r=\"{}\"><c r=\"{address}\"><v>1</v></c></row>",
            &address[3..]
        )
    };
    let problems = assert_too_large(&office_open(&cell("XFD1048576"), ""), MAX_ROWS.into());
    assert!(
        problems.to_string().contains("sheet survey, row 1048576, column XFD"),
        "{problems}"
    );
    let problems = assert_too_large(&office_open(&cell("XFD2"), ""), MAX_COLUMNS.into());
    assert!(problems.to_string().contains("row 2, column XFD"), "{problems}");
    // An empty cell there, as a stray format leaves it, does no harm.
    let empty = cell("XFD1048576").replace("<v>1</v>", "");
    assert_eq!(read(&office_open(&empty, ""), None).unwrap().sheets[0].rows, []);
    let corner = stream(&[(
        "survey",
        &[(0, 0, Cell::Text("type")), (u16::MAX, 255, Cell::Boolean(true))],
    )]);
    assert_too_large(&corner, MAX_ROWS.into());
}

#[test]
fn long_and_many_texts_are_refused_before_they_are_copied() {
    // One long string, referred to again and again.
    let long = "x".repeat(100_000);
    let mut sheet = String::new();
    for row in 1..=10_000 {
        sheet += &format!("<row r=\"{row}\">{}</row>", "<c t=\"s\"><v>0</v></c>".repeat(100));
    }
    let problems = assert_too_large(&office_open(&sheet, &format!("<si><t>{long}</t></si>")), MAX_TEXT_BYTES);
    assert!(problems.to_string().contains("row 4"), "{problems}");
    assert_too_large(&office_open(&sheet, "<si><t>x</t></si>"), MAX_CELLS);
    assert_too_large(&office_open("", &"<si/>".repeat(600_000)), MAX_CELLS);
}

#[test]
fn repetitions_of_open_document_are_not_believed() {
    let table = |rows: &str| open_document(&format!("<table:table table:name=\"survey\">{rows}</table:table>"));
    let filled = "<table:table-cell><text:p>x</text:p></table:table-cell>";
    let rows = format!("<table:table-row table:number-rows-repeated=\"1048576\">{filled}</table:table-row>");
    assert_too_large(&table(&rows), MAX_ROWS.into());
    let wide = filled
        .replace("-cell>", "-cell table:number-columns-repeated=\"4294967295\">")
        .replacen(
            "</table:table-cell table:number-columns-repeated=\"4294967295\">",
            "</table:table-cell>",
            1,
        );
    assert_too_large(
        &table(&format!("<table:table-row>{wide}</table:table-row>")),
        MAX_COLUMNS.into(),
    );
    let spaces = "<text:s text:c=\"1000\"/>".repeat(100_000);
    let row =
        format!("<table:table-row><table:table-cell><text:p>a{spaces}b</text:p></table:table-cell></table:table-row>");
    assert_too_large(&table(&row), MAX_TEXT_BYTES);
    let row = row.replacen("\"1000\"", "\"4000000000\"", 1);
    assert_damaged(&table(&row), "too many spaces");
    assert_damaged(
        &table("<table:table-row table:number-rows-repeated=\"-1\"/>"),
        "repetitions",
    );
}

#[test]
fn entities_and_deep_nesting_are_refused() {
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let parts = |content: &str| archive(&[("mimetype", "x"), ("content.xml", content)]);
    assert_damaged(&parts(&format!("{bomb}<x>&b;</x>")), "content.xml");
    assert_damaged(&parts("<x>&b;</x>"), "entities");
    assert_damaged(
        &office_open("<row><c t=\"inlineStr\"><is><t>&b;</t></is></c></row>", ""),
        "xl/worksheets/sheet1.xml",
    );
    assert_damaged(&office_open(&"<row>".repeat(100_000), ""), "nested too deeply");
    assert_damaged(&office_open(&"<c/></row>".repeat(3), ""), "malformed");
}

#[test]
fn bad_references_of_cells_are_refused_with_their_place() {
    assert_damaged(&office_open("<row><c t=\"s\"><v>7</v></c></row>", ""), "shared string");
    assert_damaged(&office_open("<row r=\"0\"/>", ""), "number of a row");
    assert_damaged(&office_open("<row r=\"99999999999\"/>", ""), "number of a row");
    assert_damaged(&office_open("<row><c r=\"AAAAAAAA1\"/></row>", ""), "address");
    assert_damaged(&office_open("<row><c r=\"B2\"><v>1x</v></c></row>", ""), "(B2)");
}

#[test]
fn binary_workbooks_with_lying_lengths_are_refused_or_read() {
    let good = stream(&[("survey", &[(0, 0, Cell::Text("type")), (1, 0, Cell::Text("một"))])]);
    assert_eq!(read(&good, None).unwrap().sheets[0].rows.len(), 1);
    // Every cut, and every pair of bytes at its largest, in the stream and in the container around it.
    let contained = compound("Workbook", &good);
    for bytes in [&good, &contained] {
        for length in 0..bytes.len() {
            let _ = read(&bytes[..length], None);
        }
        for at in 0..bytes.len() - 1 {
            let mut lying = bytes.clone();
            lying[at..at + 2].copy_from_slice(&[0xff, 0xff]);
            let _ = read(&lying, None);
        }
    }
    // The first record of the table of strings is longer than the stream.
    let at = good.windows(2).position(|pair| pair == [0xfc, 0]).unwrap();
    let mut lying = good.clone();
    lying[at + 2..at + 4].copy_from_slice(&[0xff, 0xff]);
    assert_damaged(&lying, "record is cut off");
    // The chain of sectors of the stream returns to its beginning.
    let mut circle = contained.clone();
    circle[512 + 4 * 3..512 + 4 * 4].copy_from_slice(&2_u32.to_le_bytes());
    assert_damaged(&circle, "circle");
    let mut missing = contained.clone();
    missing[512 + 4 * 3..512 + 4 * 4].copy_from_slice(&60_000_u32.to_le_bytes());
    assert_damaged(&missing, "cut off");
}

#[test]
fn files_of_other_kinds_are_named() {
    let named = |bytes: &[u8], part: &str| {
        let problems = refusal(bytes);
        assert!(problems.to_string().contains(part), "{problems}");
    };
    named(&compound("EncryptedPackage", &[0; 5000]), "password");
    named(&compound("WordDocument", &[0; 5000]), "no workbook");
    named(&[9, 4, 6, 0, 0, 0, 0x10, 0, 0, 0], "Excel 4");
    named(&archive(&[("word/document.xml", "<x/>")]), "xl/workbook.xml");
    let protected = stream(&[("survey", &[])]);
    let protected = [&protected[..20], &[0x2f, 0, 0, 0], &protected[20..]].concat();
    named(&protected, "password");
    named(
        b"<html><table><tr><td>survey</td></tr></table></html>",
        "neither a spreadsheet nor CSV",
    );
    named(b"{\"survey\": []}", "neither");
    named(b"", "neither");
}

#[test]
fn text_in_other_encodings_is_refused_with_its_line() {
    let text = "survey\n,type,name\n,note,ô\n";
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xff, 0xfe][..], &wide].concat();
    for (bytes, line, byte) in [
        (wide, 1, 1),
        (marked, 1, 0),
        (b"survey\n,type,name\n,note,\xf4\n".to_vec(), 3, 24),
        (b"survey\n,type\0,name\n".to_vec(), 2, 12),
    ] {
        let problems = refusal(&bytes);
        assert_eq!(problems.0[0].kind, ProblemKind::NotText { line, byte });
        assert!(problems.to_string().contains("CSV UTF-8"), "{problems}");
    }
}

#[test]
fn large_texts_are_refused_at_once() {
    assert_too_large(&b"| survey |\n| | type |\n".repeat(5_000_000), MAX_FILE_BYTES);
    let many_rows = [&b"| survey |\n"[..], &b"| | type |\n".repeat(600_000)].concat();
    let problems = assert_too_large(&many_rows, MAX_ROWS.into());
    assert!(problems.to_string().contains("sheet survey, row 20001"), "{problems}");
    let many_rows = [&b"survey\n"[..], &b",type\n".repeat(30_000)].concat();
    assert_too_large(&many_rows, MAX_ROWS.into());
    let many_sheets: String = (0..300).map(|sheet| format!("| s{sheet} |\n")).collect();
    assert_too_large(many_sheets.as_bytes(), 256);
    assert!(refusal(b"| | type |\n| survey |\n").to_string().contains("row 1: "));
    assert!(refusal(b",a\n,b,c,d,e\n").to_string().contains("row 1: "));
}

#[test]
fn zip_archives_with_many_parts_or_broken_ones_are_refused() {
    let names: Vec<String> = (0..1001).map(|part| format!("{part}")).collect();
    let parts: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_too_large(&archive(&parts), 1000);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    writer.start_file("mimetype", options).unwrap();
    writer.start_file("content.xml", options).unwrap();
    writer.write_all(&b"<x></x>".repeat(10_000)).unwrap();
    let mut broken = writer.finish().unwrap().into_inner();
    let at = broken.windows(11).position(|window| window == b"content.xml").unwrap() + 15;
    broken[at..at + 8].fill(0xff);
    assert_damaged(&broken, "content.xml");
}

#[test]
fn ten_thousand_nested_groups_are_refused_with_their_row() {
    let mut text = "| survey |\n| | type | name | label |\n".to_owned();
    for group in 0..10_000 {
        text += &format!("| | begin group | g{group} | G |\n");
    }
    text += "| | text | q | Q |\n";
    text += &"| | end group |\n".repeat(9_998);
    // The sheet itself is fine; the form that it makes is not.
    assert_eq!(read(text.as_bytes(), None).unwrap().sheets[0].rows.len(), 19_999);
    let problems = survey_forms::xlsform::read(text.as_bytes()).unwrap_err();
    let deep = problems
        .0
        .iter()
        .find(|problem| matches!(problem.kind, ProblemKind::TooDeep(_)));
    assert!(
        deep.is_some_and(|problem| problem.place.row.is_some()),
        "{}",
        problems.0[0]
    );
}
