//! Our sheets against those that pyxform reads from the same bytes, cell by cell.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::binary_writer::{Cell, compound, stream};
use serde_json::{Map, Value, json};
use survey_forms::workbook::{SHEETS, Sheet, Workbook, read};

/// Reads the files named on the standard input, one a line, and prints what pyxform finds in each as a line of JSON. A
/// file that pyxform refuses gives its message.
const READ: &str = "
import dataclasses, json, sys
from pyxform.xls2json_backends import get_xlsform
for line in sys.stdin:
    path, _, kind = line.rstrip('\\n').partition('\\t')
    try:
        with open(path, 'rb') as file:
            found = dataclasses.asdict(get_xlsform(file.read(), file_type=kind or None))
    except Exception as error:
        found = {'refused': f'{type(error).__name__}: {error}'}
    print(json.dumps(found))
";

/// What pyxform reads from files, each with the ending that tells it the format, or none.
fn pyxform(files: &[(PathBuf, &str)]) -> Vec<Map<String, Value>> {
    let python = std::env::var("KHAOSAT_PYTHON").expect(
        "KHAOSAT_PYTHON is not set: run these tests with `cargo xtask test`, which makes a Python environment with \
         pyxform from survey-forms/tests/oracles/requirements.txt and names its interpreter in that variable",
    );
    let mut child = Command::new(python)
        .args(["-c", READ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<String> = files
        .iter()
        .map(|(path, kind)| format!("{}\t{kind}\n", path.display()))
        .collect();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(lines.concat().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let found: Vec<Map<String, Value>> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), files.len());
    found
}

/// A sheet as pyxform has it: the headings, and the cells of each row by heading, with the empty rows in between.
fn as_pyxform(sheet: &Sheet) -> (Vec<String>, Vec<Value>) {
    let mut rows: BTreeMap<u32, Map<String, Value>> = BTreeMap::new();
    for row in &sheet.rows {
        let cells = row
            .cells
            .iter()
            .map(|(column, text)| (sheet.headings[column].clone(), json!(text)));
        rows.insert(row.number, cells.collect());
    }
    let last = rows.keys().next_back().copied().unwrap_or(1);
    let rows = (2..=last).map(|number| Value::Object(rows.remove(&number).unwrap_or_default()));
    (sheet.headings.values().cloned().collect(), rows.collect())
}

fn assert_same(label: &str, ours: &Workbook, theirs: &Map<String, Value>) {
    assert_eq!(json!(ours.sheet_names), theirs["sheet_names"], "sheets of {label}");
    for name in SHEETS {
        let mut their_rows = theirs[name].as_array().cloned().unwrap_or_default();
        for row in &mut their_rows {
            // In CSV pyxform keeps the last cell below no heading, under an empty one.
            row.as_object_mut().unwrap().remove("");
        }
        let their_headings: Vec<String> = match theirs[&format!("{name}_header")].as_array() {
            // The order of a JSON object is not kept, so headings are compared as a set.
            Some(headings) => headings
                .iter()
                .flat_map(|row| row.as_object().unwrap().keys().cloned())
                .collect(),
            None => Vec::new(),
        };
        let (our_headings, our_rows) = ours.sheet(name).map(as_pyxform).unwrap_or_default();
        let sorted = |mut headings: Vec<String>| {
            headings.retain(|heading| !heading.is_empty() && heading != "None");
            headings.sort();
            headings.dedup();
            headings
        };
        assert_eq!(
            sorted(our_headings),
            sorted(their_headings),
            "headings of {name} in {label}"
        );
        for (position, (our, their)) in our_rows.iter().zip(&their_rows).enumerate() {
            assert_eq!(our, their, "row {} of {name} in {label}", position + 2);
        }
        assert_eq!(our_rows.len(), their_rows.len(), "rows of {name} in {label}");
    }
}

/// Compares generated files, each under a name with the ending by which pyxform is told the format; returns pyxform's
/// refusals, with whether we refuse too.
fn compare(files: &[(&str, Vec<u8>)]) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("workbook-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let paths: Vec<(PathBuf, &str)> = files
        .iter()
        .map(|(name, bytes)| {
            let path = folder.join(name);
            std::fs::write(&path, bytes).unwrap();
            (path, &name[name.rfind('.').unwrap()..])
        })
        .collect();
    let mut refused = Vec::new();
    for ((name, bytes), theirs) in files.iter().zip(pyxform(&paths)) {
        let ours = read(bytes, Some(name));
        match theirs.get("refused") {
            Some(message) => refused.push(((*name).to_owned(), message.as_str().unwrap().to_owned())),
            None => assert_same(
                name,
                &ours.unwrap_or_else(|problems| panic!("{name}: {problems}")),
                &theirs,
            ),
        }
    }
    refused
}

#[test]
fn real_workbooks_are_read_cell_by_cell_as_pyxform_reads_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/xlsforms");
    let manifest: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap();
    let names: Vec<&str> = manifest.iter().map(|entry| entry["file"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 23);
    // pyxform is told no format, so that it goes by the content as we do.
    let files: Vec<(PathBuf, &str)> = names.iter().map(|name| (folder.join(name), "")).collect();
    let mut refused = Vec::new();
    for (name, theirs) in names.iter().zip(pyxform(&files)) {
        let ours = read(&std::fs::read(folder.join(name)).unwrap(), Some(name));
        if theirs.contains_key("refused") {
            refused.push(format!("{name}: {}", theirs["refused"]));
            continue;
        }
        assert_same(
            name,
            &ours.unwrap_or_else(|problems| panic!("{name}: {problems}")),
            &theirs,
        );
    }
    assert_eq!(refused, Vec::<String>::new());
}

/// An `.xlsx` whose cells are of every kind, with gaps, formats and a second sheet that is hidden.
fn spreadsheet() -> Vec<u8> {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    let duration = rust_xlsxwriter::Format::new().set_num_format("[h]:mm:ss");
    let percent = rust_xlsxwriter::Format::new().set_num_format("0.00%");
    let bold = rust_xlsxwriter::Format::new().set_bold();
    let plain = rust_xlsxwriter::Format::new();
    let sheet = workbook.add_worksheet().set_name("Survey").unwrap();
    for (column, heading) in [
        (0, " type "),
        (1, "name"),
        (2, "label::Tiếng  Việt (vi)"),
        (5, "default"),
        (30, "lost"),
    ] {
        sheet.write_string(0, column, heading).unwrap();
    }
    let texts = [
        "\u{a0} a\u{a0}b ",
        "“curly”  and   wide",
        "one\ntwo",
        "  ",
        "_x000D_",
        "a & b < c",
        "#REF!",
    ];
    for (row, text) in (1..).zip(texts) {
        sheet.write_string(row, 0, text).unwrap();
        sheet.write_string(row, 3, "below no heading").unwrap();
    }
    sheet
        .write_rich_string(9, 2, &[(&bold, "bold "), (&plain, "and plain")])
        .unwrap();
    sheet.merge_range(11, 1, 13, 2, "merged", &plain).unwrap();
    let numbers = [
        0.0,
        -0.0,
        1.0,
        0.1,
        1e22,
        1.5e-7,
        -2.5,
        123_456_789_012_345_680.0,
        0.30000000000000004,
    ];
    for (row, number) in (1..).zip(numbers) {
        sheet.write_number(row, 5, number).unwrap();
    }
    for (row, days) in (20..).zip([43_831.0, 43_831.75, 0.25, 1.0, 59.0, 61.0, 43_831.123_456_7, 3e6, -2.0]) {
        sheet.write_number_with_format(row, 1, days, &date).unwrap();
        sheet.write_number_with_format(row, 2, days, &duration).unwrap();
        sheet.write_number_with_format(row, 5, days, &percent).unwrap();
    }
    sheet.write_boolean(30, 1, true).unwrap();
    sheet.write_boolean(30, 2, false).unwrap();
    sheet
        .write_formula(31, 1, rust_xlsxwriter::Formula::new("=1+1").set_result("2"))
        .unwrap();
    sheet
        .write_formula(32, 1, rust_xlsxwriter::Formula::new("=\"x\"").set_result("x y"))
        .unwrap();
    // 60 empty rows belong to the sheet, 61 end it.
    sheet.write_string(93, 0, "after sixty").unwrap();
    sheet.write_string(155, 0, "after sixty-one").unwrap();
    let hidden = workbook.add_worksheet().set_name("choices").unwrap();
    hidden.set_hidden(true);
    for (column, text) in [(0, "list_name"), (1, "name")] {
        hidden.write_string(0, column, text).unwrap();
        hidden.write_string(1, column, text).unwrap();
    }
    workbook.add_worksheet().set_name("notes").unwrap();
    workbook.save_to_buffer().unwrap()
}

fn binary_spreadsheet() -> Vec<u8> {
    stream(&[
        (
            "SURVEY",
            &[
                (0, 0, Cell::Text(" type  of ")),
                (0, 1, Cell::Text("name")),
                (0, 3, Cell::Text("label")),
                (1, 0, Cell::Text("\u{a0}ô trống\u{a0}x ")),
                (1, 1, Cell::Number(12.0, 0)),
                (1, 3, Cell::Number(0.1, 0)),
                (2, 0, Cell::Boolean(true)),
                (2, 1, Cell::Boolean(false)),
                (2, 2, Cell::Text("below no heading")),
                (3, 0, Cell::Number(43_831.0, 1)),
                (3, 1, Cell::Number(43_831.5, 2)),
                (3, 3, Cell::Number(0.75, 2)),
                (9, 0, Cell::Formula("Kết quả")),
                (9, 1, Cell::Number(1e15, 0)),
                (9, 3, Cell::Number(-1.25e-9, 0)),
            ],
        ),
        ("settings", &[(0, 0, Cell::Text("form_id")), (1, 0, Cell::Text("f"))]),
        ("other", &[(0, 0, Cell::Text("x"))]),
    ])
}

#[test]
fn generated_spreadsheets_are_read_as_pyxform_reads_them() {
    let mut only = rust_xlsxwriter::Workbook::new();
    let sheet = only.add_worksheet().set_name("Sheet1").unwrap();
    sheet.write_string(0, 0, "type").unwrap();
    sheet.write_string(1, 0, "note").unwrap();
    let mut late = rust_xlsxwriter::Workbook::new();
    let sheet = late.add_worksheet().set_name("survey").unwrap();
    sheet.write_string(1, 0, "type").unwrap();
    sheet.write_string(2, 0, "note").unwrap();
    let refused = compare(&[
        ("kinds.xlsx", spreadsheet()),
        ("only.xlsx", only.save_to_buffer().unwrap()),
        ("late.xlsx", late.save_to_buffer().unwrap()),
        ("kinds.xls", binary_spreadsheet()),
        ("compound.xls", compound("Workbook", &binary_spreadsheet())),
    ]);
    assert_eq!(refused, []);
}

#[test]
fn generated_csv_and_markdown_are_read_as_pyxform_reads_them() {
    let text = |text: &str| text.as_bytes().to_vec();
    let refused = compare(&[
        (
            "plain.csv",
            text("survey\n,type,name,label\n,text,a,A\n,note,b,\"B, \"\"quoted\"\"\nand two lines\"\n"),
        ),
        (
            "excel.csv",
            text(
                "survey,,,\r\n,type,name,label\r\n,text,a, A \r\n,,,\r\n\r\n,text,b,B\r\nchoices,,,\r\n,list_name,name,\r\n,l,1,beyond\r\n",
            ),
        ),
        (
            "beside.csv",
            text("Survey,type,name,label\n,text,a,A\n,text,b\n,text,c,C,beyond\n"),
        ),
        (
            "again.csv",
            text("survey\n,type,name\n,text,a\nchoices\n,list_name,name\n,l,1\nsurvey\n,name,type,label\n,b,text,B\n"),
        ),
        (
            "quotes.csv",
            text(
                "survey\n,type,name,label\n,text,a,say \"so\"\n,text,b,\"x\"y\n,text, c,\u{a0}nbsp\u{a0}in\u{a0}side\n",
            ),
        ),
        (
            "tables.md",
            text(
                "# a form\n\n| survey |\n| | type | name | label |\n| |------|------|-------|\n| | text | a | x \\| y |\n| | | | |\n| | note | b | “curly”\u{a0}é |\n\nsome words\n\n| choices | list_name | name | # |\n| | l | 1 | c | # comment\n| settings |\n| | form_id |\n| | f |\n",
            ),
        ),
        (
            "rule.md",
            text(
                "| survey |\n|--------|\n|  | type | name |\n|--|--|--|\n|  | --- | - |\n  # | | x | y |\n\t| | text | a\\\\|b |\r\n| | \\\\ | \\ |\n",
            ),
        ),
        (
            "again.md",
            text(
                "| survey |\n| | type | name |\n| | text | a |\n| other | x |\n| | y |\n| survey | type |\n| | note |\n",
            ),
        ),
        ("only.md", text("| anything |\n| | type | name |\n| | text | a |\n")),
    ]);
    assert_eq!(refused, []);
}
