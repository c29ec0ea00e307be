//! Any bytes are a workbook or are refused; what is read can be written as Markdown and read again.
#![no_main]

#[path = "../packing.rs"]
mod packing;

use libfuzzer_sys::fuzz_target;
use survey_forms::workbook::{read, write_markdown};

fuzz_target!(|input: &[u8]| {
    for bytes in packing::workbooks(input) {
        check(&bytes);
    }
});

fn check(bytes: &[u8]) {
    match read(bytes, None) {
        Ok(workbook) if !workbook.sheets.is_empty() => {
            if let Ok(written) = write_markdown(&workbook) {
                let again = read(written.as_bytes(), Some("form.md")).expect("what is written is readable");
                assert_eq!(again.sheets.len(), workbook.sheets.len());
                for (sheet, again) in workbook.sheets.iter().zip(&again.sheets) {
                    assert_eq!(again.headings, sheet.headings);
                    let cells = again.rows.iter().map(|row| &row.cells);
                    assert!(cells.eq(sheet.rows.iter().map(|row| &row.cells)));
                }
            }
        }
        Ok(_) => {}
        Err(problems) => assert!(!problems.0.is_empty() && !problems.vietnamese().is_empty()),
    }
}
