//! The files that a sample is drawn from.

use std::collections::{BTreeMap, BTreeSet};

use indicators::sampling::LARGEST_SIZE;

use crate::http::Text;
use crate::table::{Cells, Faults, Table, TableError};

/// The units of a frame, in the file's order.
#[derive(Debug)]
pub(super) struct Frame {
    /// Each unit's code.
    pub(super) units: Vec<String>,
    /// The position of each unit's stratum in `strata`.
    pub(super) stratum_of: Vec<usize>,
    /// Each unit's measure of size; 1 where the file has none.
    pub(super) sizes: Vec<u64>,
    /// The strata's names, sorted; one without a name where the file has no such column.
    pub(super) strata: Vec<String>,
}

/// Whether a frame must say how large its units are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SizeColumn {
    /// The method reads sizes.
    Needed,
    /// It does not.
    Unread,
}

/// Reads a frame: columns `unit`, and `stratum` and `size` where there are such.
///
/// # Errors
/// [`TableError`] when a cell is empty or wrong, or a unit stands twice.
pub(super) fn read_frame(csv: &[u8], size_column: SizeColumn) -> Result<Frame, TableError> {
    let required: &[&str] = match size_column {
        SizeColumn::Needed => &["unit", "size"],
        SizeColumn::Unread => &["unit"],
    };
    let table = Table::read(csv, required)?;
    let is_stratified = table.has_column("stratum");
    let mut faults = Faults::default();
    let (mut seen, mut units, mut names, mut sizes) = (BTreeSet::new(), Vec::new(), Vec::new(), Vec::new());
    for (line, cells) in table.rows() {
        let unit = cells.required("unit", &mut faults);
        if !unit.is_empty() && !seen.insert(unit.clone()) {
            faults.repeated(line, "unit", ("đơn vị", "unit"), &unit);
        }
        units.push(unit);
        names.push(match is_stratified {
            true => cells.required("stratum", &mut faults),
            false => String::new(),
        });
        sizes.push(match size_column {
            SizeColumn::Needed => size(line, &cells, &mut faults),
            SizeColumn::Unread => 1,
        });
    }
    let sorted: BTreeSet<&String> = names.iter().collect();
    let strata: Vec<String> = sorted.into_iter().cloned().collect();
    let places: BTreeMap<&str, usize> = strata
        .iter()
        .enumerate()
        .map(|(place, name)| (name.as_str(), place))
        .collect();
    let stratum_of = names
        .iter()
        .filter_map(|name| places.get(name.as_str()).copied())
        .collect();
    faults.or(Frame {
        units,
        stratum_of,
        sizes,
        strata,
    })
}

fn size(line: u64, cells: &Cells<'_>, faults: &mut Faults) -> u64 {
    let (vi, en) = ("một số nguyên từ 1", "a whole number from 1 on");
    let size: u64 = cells.parse("size", faults, vi, en).unwrap_or(1);
    if !(1..=LARGEST_SIZE).contains(&size) {
        let problem = Text::new(
            format!("kích thước {size} nằm ngoài khoảng; phải từ 1 đến {LARGEST_SIZE}"),
            format!("the size {size} is out of range; it must be from 1 to {LARGEST_SIZE}"),
        );
        faults.cell(line, "size", problem);
    }
    size
}

impl Frame {
    /// N_h: how many units each stratum has.
    pub(super) fn units_of_strata(&self) -> Vec<u64> {
        let mut counts = vec![0; self.strata.len()];
        self.stratum_of.iter().for_each(|stratum| counts[*stratum] += 1);
        counts
    }
}

/// What is known of each stratum: a number a stratum for each column asked for, in the frame's order of strata.
pub(super) fn read_strata(csv: &[u8], frame: &Frame, columns: &[&str]) -> Result<Vec<Vec<f64>>, TableError> {
    let required: Vec<&str> = std::iter::once("stratum").chain(columns.iter().copied()).collect();
    let table = Table::read(csv, &required)?;
    let mut faults = Faults::default();
    let mut rows: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (line, cells) in table.rows() {
        let stratum = cells.required("stratum", &mut faults);
        if !frame.strata.contains(&stratum) && !stratum.is_empty() {
            let problem = Text::new(
                format!("dàn mẫu không có tầng {stratum}"),
                format!("the frame has no stratum {stratum}"),
            );
            faults.cell(line, "stratum", problem);
        }
        let numbers = columns
            .iter()
            .map(|column| number(line, column, &cells, &mut faults))
            .collect();
        if rows.insert(stratum.clone(), numbers).is_some() {
            faults.repeated(line, "stratum", ("tầng", "stratum"), &stratum);
        }
    }
    for stratum in frame.strata.iter().filter(|stratum| !rows.contains_key(*stratum)) {
        faults.table(Text::new(
            format!("thiếu dòng của tầng {stratum}"),
            format!("the row of stratum {stratum} is missing"),
        ));
    }
    let of_frame = |place: usize| {
        let numbers = frame
            .strata
            .iter()
            .filter_map(|stratum| rows.get(stratum)?.get(place).copied());
        numbers.collect()
    };
    let lists = (0..columns.len()).map(of_frame).collect();
    faults.or(lists)
}

/// A number that is not negative; costs and sample sizes must be above 0 as well, sample sizes whole.
fn number(line: u64, column: &str, cells: &Cells<'_>, faults: &mut Faults) -> f64 {
    let (is_right, vi, en): (fn(f64) -> bool, _, _) = match column {
        "cost" => (|number| number > 0.0, "một số lớn hơn 0", "a number above 0"),
        "sample_size" => (
            |number| number >= 1.0 && number.fract() == 0.0 && number <= LARGEST_SIZE as f64,
            "một số nguyên từ 1",
            "a whole number from 1 on",
        ),
        _ => (|number| number >= 0.0, "một số không âm", "a number not below 0"),
    };
    let text = cells.text(column);
    let parsed = text
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && is_right(*number));
    parsed.unwrap_or_else(|| {
        let problem = Text::new(
            format!("{text:?} không hợp lệ; cần {vi}"),
            format!("{text:?} is not valid; {en} is needed"),
        );
        faults.cell(line, column, problem);
        0.0
    })
}
