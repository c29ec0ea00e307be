//! Administrative units and their successions from CSV.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use sqlx::sqlite::SqliteConnection;

use super::Level;
use crate::http::Text;
use crate::store::StoreError;
use crate::table::{Faults, Table, TableError};

/// One administrative unit in the time in which its code meant it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminUnit {
    /// The statistics office's code.
    pub code: String,
    /// The first day.
    pub valid_from: Date,
    /// The first day on which it no longer exists.
    pub valid_to: Option<Date>,
    /// The code of the unit above.
    pub parent_code: Option<String>,
    /// Its level.
    pub level: Level,
    /// Its kind: tỉnh, huyện, thị xã, phường, xã …
    pub kind: String,
    /// Its name without the kind.
    pub name: String,
}

/// Which unit took over which at a reform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Succession {
    /// The code before.
    pub predecessor_code: String,
    /// The code between two steps of a reform.
    pub intermediate_code: Option<String>,
    /// The day of the first step.
    pub intermediate_on: Option<Date>,
    /// The code after.
    pub successor_code: String,
    /// How many sources say so.
    pub sources: i64,
    /// A remark.
    pub note: String,
}

/// Columns of a table of units.
pub(super) const UNIT_COLUMNS: [&str; 7] = ["code", "valid_from", "valid_to", "parent_code", "level", "kind", "name"];
/// Columns of a table of successions.
pub(super) const SUCCESSION_COLUMNS: [&str; 6] = [
    "predecessor_code",
    "intermediate_code",
    "intermediate_on",
    "successor_code",
    "sources",
    "note",
];

/// Reads a table of administrative units.
///
/// # Errors
/// [`TableError`] when a cell is wrong, a unit stands twice, or a parent is missing or not of a higher level.
pub fn read_units(csv: &[u8]) -> Result<Vec<AdminUnit>, TableError> {
    let table = Table::read(csv, &UNIT_COLUMNS)?;
    let mut faults = Faults::default();
    let mut units = Vec::new();
    for (line, cells) in table.rows() {
        let unit = AdminUnit {
            code: cells.required("code", &mut faults),
            valid_from: cells.date("valid_from", &mut faults),
            valid_to: cells.optional_date("valid_to", &mut faults),
            parent_code: Some(cells.text("parent_code"))
                .filter(|code| !code.is_empty())
                .map(str::to_owned),
            level: Level::from_word(&cells.one_of("level", &Level::WORDS, &mut faults)),
            kind: cells.required("kind", &mut faults),
            name: cells.required("name", &mut faults),
        };
        if unit.valid_to.is_some_and(|end| end <= unit.valid_from) {
            faults.cell(
                line,
                "valid_to",
                Text::new("phải sau valid_from", "must be later than valid_from"),
            );
        }
        units.push((line, unit));
    }

    let mut by_code: BTreeMap<&str, Vec<&AdminUnit>> = BTreeMap::new();
    for (line, unit) in &units {
        let others = by_code.entry(&unit.code).or_default();
        if others.iter().any(|other| overlap(other, unit)) {
            faults.cell(
                *line,
                "code",
                Text::new(
                    format!("mã {} đã có trong cùng thời gian ở một dòng trước", unit.code),
                    format!("code {} stands in an earlier row for the same time", unit.code),
                ),
            );
        }
        others.push(unit);
    }
    for (line, unit) in &units {
        let Some(parent_code) = &unit.parent_code else {
            continue;
        };
        let parents = by_code.get(parent_code.as_str()).map(Vec::as_slice).unwrap_or_default();
        if !parents.iter().any(|parent| overlap(parent, unit)) {
            faults.cell(
                *line,
                "parent_code",
                Text::new(
                    format!("không có đơn vị mã {parent_code} trong cùng thời gian"),
                    format!("there is no unit {parent_code} at that time"),
                ),
            );
        } else if parents
            .iter()
            .any(|parent| overlap(parent, unit) && parent.level >= unit.level)
        {
            faults.cell(
                *line,
                "parent_code",
                Text::new(
                    format!("đơn vị {parent_code} không ở cấp trên"),
                    format!("unit {parent_code} is not of a higher level"),
                ),
            );
        }
    }
    faults.or(units.into_iter().map(|(_, unit)| unit).collect())
}

fn overlap(one: &AdminUnit, other: &AdminUnit) -> bool {
    one.valid_to.is_none_or(|end| other.valid_from < end) && other.valid_to.is_none_or(|end| one.valid_from < end)
}

/// Reads a table of successions among the units with the codes `units`.
///
/// # Errors
/// [`TableError`] when a cell is wrong, a code is none of `units`, or a succession stands twice.
pub fn read_successions(csv: &[u8], units: &BTreeSet<String>) -> Result<Vec<Succession>, TableError> {
    let table = Table::read(csv, &SUCCESSION_COLUMNS)?;
    let mut faults = Faults::default();
    let mut read = BTreeSet::new();
    let mut successions = Vec::new();
    for (line, cells) in table.rows() {
        for column in ["predecessor_code", "intermediate_code", "successor_code"] {
            let code = cells.text(column);
            if !code.is_empty() && !units.contains(code) {
                let problem = Text::new(
                    format!("không có đơn vị hành chính mã {code}; hãy nhập danh mục đơn vị trước"),
                    format!("there is no administrative unit {code}; import the units first"),
                );
                faults.cell(line, column, problem);
            }
        }
        let (predecessor, successor) = (cells.text("predecessor_code"), cells.text("successor_code"));
        if !read.insert((predecessor, successor)) {
            let problem = Text::new(
                format!("{predecessor} → {successor} đã có ở một dòng trước"),
                format!("{predecessor} → {successor} stands in an earlier row"),
            );
            faults.cell(line, "successor_code", problem);
        }
        successions.push(Succession {
            predecessor_code: cells.required("predecessor_code", &mut faults),
            intermediate_code: Some(cells.text("intermediate_code"))
                .filter(|code| !code.is_empty())
                .map(str::to_owned),
            intermediate_on: cells.optional_date("intermediate_on", &mut faults),
            successor_code: cells.required("successor_code", &mut faults),
            sources: cells
                .parse("sources", &mut faults, "một số nguyên", "a whole number")
                .unwrap_or(0),
            note: cells.text("note").to_owned(),
        });
    }
    faults.or(successions)
}

/// Replaces the administrative units by these.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn import_units(connection: &mut SqliteConnection, units: &[AdminUnit]) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM admin_unit").execute(&mut *connection).await?;
    for unit in units {
        sqlx::query(
            "INSERT INTO admin_unit (code, valid_from, valid_to, parent_code, level, kind, name)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&unit.code)
        .bind(unit.valid_from.to_string())
        .bind(unit.valid_to.map(|date| date.to_string()))
        .bind(&unit.parent_code)
        .bind(unit.level.word())
        .bind(&unit.kind)
        .bind(&unit.name)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Replaces the successions by these.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn import_successions(
    connection: &mut SqliteConnection,
    successions: &[Succession],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM admin_unit_succession")
        .execute(&mut *connection)
        .await?;
    for succession in successions {
        sqlx::query(
            "INSERT INTO admin_unit_succession
                 (predecessor_code, intermediate_code, intermediate_on, successor_code, sources, note)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&succession.predecessor_code)
        .bind(&succession.intermediate_code)
        .bind(succession.intermediate_on.map(|date| date.to_string()))
        .bind(&succession.successor_code)
        .bind(succession.sources)
        .bind(&succession.note)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "code,valid_from,valid_to,parent_code,level,kind,name\n";

    fn faults(rows: &str) -> Vec<(Option<u64>, Option<String>)> {
        let error = read_units(format!("{HEADER}{rows}").as_bytes()).unwrap_err();
        error
            .faults
            .into_iter()
            .map(|fault| (fault.line, fault.column))
            .collect()
    }

    #[test]
    fn the_projects_own_tables_are_sound() {
        let units = read_units(include_bytes!("../../reference/admin_units.csv")).unwrap();
        let on = |date: Date, level| {
            let exists = |unit: &&AdminUnit| {
                unit.level == level && unit.valid_from <= date && unit.valid_to.is_none_or(|end| date < end)
            };
            units.iter().filter(exists).count()
        };
        let (plan, reform) = (jiff::civil::date(2022, 12, 19), jiff::civil::date(2025, 7, 1));
        // The national list of 1 October 2022 has 11 districts and 172 communes in Tiền Giang; after the reform
        // (resolution 1663/NQ-UBTVQH15) there are 57 communes and no district.
        assert_eq!((on(plan, Level::District), on(plan, Level::Commune)), (11, 172));
        assert_eq!((on(reform, Level::District), on(reform, Level::Commune)), (0, 57));
        let codes = units.iter().map(|unit| unit.code.clone()).collect();
        let table = include_bytes!("../../reference/admin_unit_successions.csv");
        let successions = read_successions(table, &codes).unwrap();
        assert_eq!(successions.len(), 172);
    }

    #[test]
    fn faults_name_line_and_column() {
        let place = |line, column: &str| (Some(line), Some(column.to_owned()));
        assert_eq!(faults("82,2022-10-01,,,province,tỉnh,\n"), [place(2, "name")]);
        assert_eq!(faults("82,2022-13-01,,,province,tỉnh,A\n"), [place(2, "valid_from")]);
        assert_eq!(faults("82,2022-10-01,,,parish,tỉnh,A\n"), [place(2, "level")]);
        assert_eq!(faults("82,2022-10-01,,7,province,tỉnh,A\n"), [place(2, "parent_code")]);
        let twice = "82,2022-10-01,,,province,tỉnh,A\n82,2023-10-01,,,province,tỉnh,B\n";
        assert_eq!(faults(twice), [place(3, "code")]);
        let level = "82,2022-10-01,,,province,tỉnh,A\n8,2022-10-01,,82,province,tỉnh,B\n";
        assert_eq!(faults(level), [place(3, "parent_code")]);
        assert_eq!(
            faults("82,2022-10-01,2022-10-01,,province,tỉnh,A\n"),
            [place(2, "valid_to")]
        );
    }
}
