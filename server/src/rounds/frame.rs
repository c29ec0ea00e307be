//! A round's frame and sample from CSV.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sync_core::unit::ADDED_SEPARATOR;

use crate::http::Text;
use crate::table::{Faults, Table, TableError};

/// One hamlet of the frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameHamlet {
    /// The hamlet's code.
    pub code: String,
    /// Its name without the kind.
    pub name: String,
    /// Its kind: ấp, khu phố …
    pub kind: String,
    /// The code of its commune.
    pub commune_code: String,
    /// The stratum of the sampling design that it belongs to.
    pub stratum: String,
    /// How many households it has.
    pub households: u64,
}

/// One surveyed unit: a sampled household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledUnit {
    /// The unit's code.
    pub code: String,
    /// The code of its hamlet.
    pub hamlet_code: String,
    /// Where it is to be found.
    pub address: String,
}

/// Columns of a table of hamlets.
pub(super) const HAMLET_COLUMNS: [&str; 6] = ["code", "name", "kind", "commune_code", "stratum", "households"];
/// Columns of a table of households.
pub(super) const HOUSEHOLD_COLUMNS: [&str; 3] = ["code", "hamlet_code", "address"];
/// Bytes of a code at most; as in the exchange's limits.
const CODE_BYTES: usize = 64;

/// Reads the frame's hamlets: all of the territory, sampled or not, since their number is what the sample stands for.
///
/// # Errors
/// [`TableError`] when a cell is wrong or a code stands twice.
pub fn read_hamlets(csv: &[u8]) -> Result<Vec<FrameHamlet>, TableError> {
    let table = Table::read(csv, &HAMLET_COLUMNS)?;
    let mut faults = Faults::default();
    let mut codes = BTreeSet::new();
    let mut hamlets = Vec::new();
    for (line, cells) in table.rows() {
        let code = cells.required("code", &mut faults);
        once(&mut codes, line, &code, &mut faults);
        let households: Option<u64> = cells.parse("households", &mut faults, "số hộ", "a number of households");
        if households == Some(0) {
            let problem = Text::new("ấp phải có ít nhất một hộ", "a hamlet has at least one household");
            faults.cell(line, "households", problem);
        }
        hamlets.push(FrameHamlet {
            code,
            name: cells.required("name", &mut faults),
            kind: cells.required("kind", &mut faults),
            commune_code: cells.required("commune_code", &mut faults),
            stratum: cells.required("stratum", &mut faults),
            households: households.unwrap_or(1),
        });
    }
    faults.or(hamlets)
}

/// Reads the households to be surveyed, each in one of `hamlets`.
///
/// # Errors
/// [`TableError`] when a cell is wrong, a code stands twice, a hamlet is not in the frame or has more listed households
/// than the frame counts.
pub fn read_households(csv: &[u8], hamlets: &[FrameHamlet]) -> Result<Vec<SampledUnit>, TableError> {
    let table = Table::read(csv, &HOUSEHOLD_COLUMNS)?;
    let mut faults = Faults::default();
    let mut codes = BTreeSet::new();
    let mut left: BTreeMap<&str, u64> = hamlets
        .iter()
        .map(|hamlet| (hamlet.code.as_str(), hamlet.households))
        .collect();
    let mut households = Vec::new();
    for (line, cells) in table.rows() {
        let code = cells.required("code", &mut faults);
        once(&mut codes, line, &code, &mut faults);
        if code.contains(ADDED_SEPARATOR) {
            let problem = Text::new(
                format!("mã {code} có dấu {ADDED_SEPARATOR}, dành riêng cho hộ được thêm khi đi khảo sát"),
                format!(
                    "code {code} has a {ADDED_SEPARATOR}, which is kept for households that are added in the field"
                ),
            );
            faults.cell(line, "code", problem);
        }
        let hamlet_code = cells.required("hamlet_code", &mut faults);
        match left.get_mut(hamlet_code.as_str()) {
            None => faults.cell(
                line,
                "hamlet_code",
                Text::new(
                    format!("không có ấp, khu phố mã {hamlet_code} trong danh sách ấp"),
                    format!("the table of hamlets has no {hamlet_code}"),
                ),
            ),
            Some(0) => faults.cell(
                line,
                "hamlet_code",
                Text::new(
                    format!("ấp {hamlet_code} có nhiều hộ được liệt kê hơn số hộ trong danh sách ấp"),
                    format!("hamlet {hamlet_code} has more listed households than the table of hamlets counts"),
                ),
            ),
            Some(left) => *left -= 1,
        }
        households.push(SampledUnit {
            code,
            hamlet_code,
            address: cells.text("address").to_owned(),
        });
    }
    faults.or(households)
}

fn once(codes: &mut BTreeSet<String>, line: u64, code: &str, faults: &mut Faults) {
    if code.len() > CODE_BYTES {
        let problem = Text::new(
            format!("mã dài hơn {CODE_BYTES} byte"),
            format!("the code has more than {CODE_BYTES} bytes"),
        );
        faults.cell(line, "code", problem);
    }
    if !codes.insert(code.to_owned()) {
        let problem = Text::new(
            format!("mã {code} đã có ở một dòng trước"),
            format!("code {code} stands in an earlier row"),
        );
        faults.cell(line, "code", problem);
    }
}
