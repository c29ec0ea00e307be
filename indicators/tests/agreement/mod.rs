//! The table of comparisons with other programs. It is part of what the tests show, so it is told also where the test
//! runner keeps back what passing tests print.

use std::io::Write as _;

/// Oracle, data set, statistic, largest relative difference, number of comparisons.
pub(crate) type Row<'a> = (&'a str, &'a str, &'a str, f64, usize);

/// Tells the rows and how many comparisons they are together.
#[allow(clippy::unwrap_used, reason = "a table that cannot be told fails the test")]
pub(crate) fn tell<'a>(rows: impl Iterator<Item = Row<'a>>) -> usize {
    let mut table = format!(
        "{:<26} {:<22} {:<36} {:>18} {:>11}\n",
        "oracle", "data set", "statistic", "largest difference", "comparisons"
    );
    let mut all = 0;
    for (oracle, data, statistic, largest, count) in rows {
        table += &format!("{oracle:<26} {data:<22} {statistic:<36} {largest:>18.1e} {count:>11}\n");
        all += count;
    }
    table += &format!("{all} comparisons\n");
    std::io::stderr().write_all(table.as_bytes()).unwrap();
    all
}
