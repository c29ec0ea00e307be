//! The entry points that read foreign bytes, over seeds that are damaged in the ways of a fuzzer: a fixed number of
//! inputs from a fixed beginning, so that every run is the same. The targets in `fuzz` do the same for as long as one
//! likes, guided by coverage; what they find becomes a seed here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test's own helpers fail by panicking

#[path = "../fuzz/packing.rs"]
mod packing;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use survey_forms::workbook::{Workbook, read, write_markdown};
use survey_forms::xpath::parse;

/// Xorshift64 (G. Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8(14), 2003).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Damages a few places: bits, bytes, words at their limits, cuts, copies within the input and from another one.
fn mutated(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seeds[numbers.below(seeds.len())].clone();
    let other = &seeds[numbers.below(seeds.len())];
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(bytes.len());
        let length = numbers.below(16).min(bytes.len() - at);
        match numbers.below(8) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << numbers.below(8),
            1 if !bytes.is_empty() => bytes[at] = numbers.next().to_le_bytes()[0],
            2 => bytes[at..at + length.min(4)].fill(0xff),
            3 => bytes[at..at + length.min(4)].fill(0),
            4 => bytes.truncate(at),
            5 => {
                bytes.drain(at..at + length);
            }
            6 => {
                let copy = bytes[at..at + length].repeat(1 + numbers.below(20));
                bytes.splice(at..at, copy);
            }
            _ => {
                let from = numbers.below(other.len());
                let until = (from + numbers.below(200)).min(other.len());
                bytes.splice(at..at + length, other[from..until].iter().copied());
            }
        }
    }
    bytes
}

/// Reads mutated seeds, and tells the number of those that were still good.
fn survivors(target: &str, inputs: usize, mut is_good: impl FnMut(&[u8]) -> bool) -> usize {
    let seeds = seeds(target);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for seed in &seeds {
        is_good(seed);
    }
    (0..inputs).filter(|_| is_good(&mutated(&seeds, &mut numbers))).count()
}

#[test]
fn damaged_workbooks_are_read_or_refused() {
    let good = survivors("workbook", 30_000, |input| {
        let workbooks = packing::workbooks(input);
        workbooks.iter().filter(|bytes| is_read_and_written(bytes)).count() > 0
    });
    assert!(good > 5000, "only {good} inputs came as far as the cells");
}

/// Whether bytes are a workbook; if they are, what is written of it must read as the same cells.
fn is_read_and_written(bytes: &[u8]) -> bool {
    let Ok(workbook) = read(bytes, None) else {
        return false;
    };
    if let Ok(written) = write_markdown(&workbook)
        && !workbook.sheets.is_empty()
    {
        let again = read(written.as_bytes(), Some("form.md")).unwrap();
        assert_eq!(cells(&again), cells(&workbook));
    }
    true
}

fn cells(workbook: &Workbook) -> Vec<&BTreeMap<u32, String>> {
    let sheets = workbook.sheets.iter();
    sheets
        .flat_map(|sheet| std::iter::once(&sheet.headings).chain(sheet.rows.iter().map(|row| &row.cells)))
        .collect()
}

#[test]
fn damaged_expressions_are_read_or_refused_and_print_as_they_were_read() {
    let good = survivors("expression", 100_000, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return false;
        };
        let Ok(expression) = parse(text) else {
            return false;
        };
        let printed = expression.to_string();
        let again = parse(&printed).unwrap_or_else(|error| panic!("{text:?} prints as {printed:?}: {error}"));
        assert_eq!(again, expression, "{text:?} prints as {printed:?}");
        true
    });
    assert!(good > 1000, "only {good} inputs were expressions");
}

#[test]
fn damaged_forms_are_read_or_refused() {
    let good = survivors("form", 10_000, |bytes| match survey_forms::xlsform::read(bytes) {
        Ok(form) => {
            let json = serde_json::to_string(&form).unwrap();
            let again: survey_forms::model::Form = serde_json::from_str(&json).unwrap();
            assert_eq!(again.content_hash(), form.content_hash());
            true
        }
        Err(problems) => {
            assert!(!problems.0.is_empty());
            assert!(!problems.to_string().is_empty() && !problems.vietnamese().is_empty());
            false
        }
    });
    assert!(good > 100, "only {good} inputs were forms");
}
