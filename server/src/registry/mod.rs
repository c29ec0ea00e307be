//! The indicator registry: every target of the plan, who is responsible, and how the survey measures it.
//!
//! Names of agencies and expressions are data of a registry's version; none stands in the code.

use std::collections::{BTreeMap, BTreeSet};

use indicators::decision::{Operator, Target};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Row as _, SqlitePool};

use crate::http::Text;
use crate::store::StoreError;
use crate::table::{Faults, Table, TableError};

/// One indicator of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Indicator {
    /// The plan's code, for example XHS-01.
    pub code: String,
    /// `economy` or `society`.
    pub group: String,
    /// Its name.
    pub name: Text,
    /// What is counted: person, household, enterprise, institution, economy.
    pub unit_of_analysis: String,
    /// The numerator in words.
    pub numerator_vi: String,
    /// The denominator in words.
    pub denominator_vi: String,
    /// The plan's target.
    pub target: Target,
    /// The target's year.
    pub target_year: i64,
    /// Where figures come from: household survey, official statistics …
    pub source_kind: String,
    /// The agency in the lead (cơ quan chủ trì).
    pub lead_agency: String,
    /// The coordinating agencies (cơ quan phối hợp).
    pub coordinating_agencies: String,
    /// Whether it stands in the plan's section on targets.
    pub in_targets_section: bool,
    /// Whether it stands in the plan's appendix that assigns agencies.
    pub in_assignment_appendix: bool,
    /// A remark; empty where there is none.
    pub note: Text,
    /// How the household survey measures it, if it does.
    pub measurement: Option<Measurement>,
}

/// How the household survey measures an indicator: two expressions over one response.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The expression of the numerator.
    pub numerator: String,
    /// The expression of the denominator.
    pub denominator: String,
    /// The values of the expressions' variables.
    pub parameters: BTreeMap<String, f64>,
}

/// Columns of a registry's table.
pub const COLUMNS: [&str; 20] = [
    "code",
    "group",
    "name_vi",
    "name_en",
    "unit",
    "numerator_vi",
    "denominator_vi",
    "operator",
    "target_percent",
    "target_year",
    "source_kind",
    "lead_agency",
    "coordinating_agencies",
    "in_targets_section",
    "in_assignment_appendix",
    "note_vi",
    "note_en",
    "numerator",
    "denominator",
    "parameters",
];

const UNITS: [&str; 5] = ["person", "household", "enterprise", "institution", "economy"];

/// Reads a registry's table.
///
/// # Errors
/// [`TableError`] when a cell is wrong or a code stands twice. Whether the expressions fit a form is checked when a
/// round is made or served.
pub fn read(csv: &[u8]) -> Result<Vec<Indicator>, TableError> {
    let table = Table::read(csv, &COLUMNS)?;
    let mut faults = Faults::default();
    let mut codes = BTreeSet::new();
    let mut registry = Vec::new();
    for (line, cells) in table.rows() {
        let code = cells.required("code", &mut faults);
        if !codes.insert(code.clone()) {
            faults.repeated(line, "code", ("mã", "code"), &code);
        }
        let percent: Option<f64> = cells.parse("target_percent", &mut faults, "một số phần trăm", "a percentage");
        let operator = match cells.one_of("operator", &[">=", ">"], &mut faults).as_str() {
            ">" => Operator::MoreThan,
            _ => Operator::AtLeast,
        };
        let target = Target::new(operator, percent.unwrap_or(0.0));
        let Ok(target) = target else {
            let problem = Text::new("phải là số hữu hạn", "must be a finite number");
            faults.cell(line, "target_percent", problem);
            continue;
        };
        let measurement = match (cells.text("numerator"), cells.text("denominator")) {
            ("", "") => None,
            ("", _) => {
                cells.required("numerator", &mut faults);
                None
            }
            (_, "") => {
                cells.required("denominator", &mut faults);
                None
            }
            (numerator, denominator) => Some(Measurement {
                numerator: numerator.to_owned(),
                denominator: denominator.to_owned(),
                parameters: parameters(line, cells.text("parameters"), &mut faults),
            }),
        };
        registry.push(Indicator {
            code,
            group: cells.one_of("group", &["economy", "society"], &mut faults),
            name: Text::new(
                cells.required("name_vi", &mut faults),
                cells.required("name_en", &mut faults),
            ),
            unit_of_analysis: cells.one_of("unit", &UNITS, &mut faults),
            numerator_vi: cells.text("numerator_vi").to_owned(),
            denominator_vi: cells.text("denominator_vi").to_owned(),
            target,
            target_year: cells
                .parse("target_year", &mut faults, "một năm", "a year")
                .unwrap_or(0),
            source_kind: cells.required("source_kind", &mut faults),
            lead_agency: cells.text("lead_agency").to_owned(),
            coordinating_agencies: cells.text("coordinating_agencies").to_owned(),
            in_targets_section: cells.one_of("in_targets_section", &["yes", "no"], &mut faults) == "yes",
            in_assignment_appendix: cells.one_of("in_assignment_appendix", &["yes", "no"], &mut faults) == "yes",
            note: note(line, cells.text("note_vi"), cells.text("note_en"), &mut faults),
            measurement,
        });
    }
    faults.or(registry)
}

/// A remark in both languages, or in neither.
fn note(line: u64, vi: &str, en: &str, faults: &mut Faults) -> Text {
    if vi.is_empty() != en.is_empty() {
        let missing = if vi.is_empty() { "note_vi" } else { "note_en" };
        let problem = Text::new(
            "ghi chú phải có ở cả note_vi và note_en, hoặc bỏ trống cả hai",
            "a remark must stand in both note_vi and note_en, or both must be empty",
        );
        faults.cell(line, missing, problem);
    }
    Text::new(vi, en)
}

/// Parameters written as `name=number; name=number`.
fn parameters(line: u64, text: &str, faults: &mut Faults) -> BTreeMap<String, f64> {
    let mut parameters = BTreeMap::new();
    for entry in text.split(';').map(str::trim).filter(|entry| !entry.is_empty()) {
        let parsed = entry.split_once('=').and_then(|(name, value)| {
            let value: f64 = value.trim().parse().ok().filter(|value: &f64| value.is_finite())?;
            Some((name.trim().to_owned(), value))
        });
        match parsed {
            Some((name, value)) => drop(parameters.insert(name, value)),
            None => faults.cell(
                line,
                "parameters",
                Text::new(
                    format!("{entry:?} không hợp lệ; viết «tên=số», cách nhau bằng dấu chấm phẩy"),
                    format!("{entry:?} is not valid; write «name=number», separated by semicolons"),
                ),
            ),
        }
    }
    parameters
}

/// Replaces the registry by this one; the projections are made anew when the server starts.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn import(connection: &mut SqliteConnection, registry: &[Indicator]) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM indicator",
        "DELETE FROM projection",
        "DELETE FROM projection_progress",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    for (position, indicator) in registry.iter().enumerate() {
        let measurement = indicator.measurement.as_ref();
        let parameters =
            serde_json::to_string(&measurement.map(|measurement| &measurement.parameters)).map_err(|error| {
                StoreError::Damaged {
                    table: "indicator",
                    reason: error.to_string(),
                }
            })?;
        sqlx::query(
            "INSERT INTO indicator (position, code, indicator_group, name_vi, name_en, unit_of_analysis, numerator_vi,
                 denominator_vi, operator, target_percent, target_year, source_kind, lead_agency, coordinating_agencies,
                 in_targets_section, in_assignment_appendix, note_vi, note_en, numerator, denominator, parameters)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
        )
        .bind(position as i64)
        .bind(&indicator.code)
        .bind(&indicator.group)
        .bind(&indicator.name.vi)
        .bind(&indicator.name.en)
        .bind(&indicator.unit_of_analysis)
        .bind(&indicator.numerator_vi)
        .bind(&indicator.denominator_vi)
        .bind(operator_sign(indicator.target.operator()))
        .bind(indicator.target.percent())
        .bind(indicator.target_year)
        .bind(&indicator.source_kind)
        .bind(&indicator.lead_agency)
        .bind(&indicator.coordinating_agencies)
        .bind(indicator.in_targets_section)
        .bind(indicator.in_assignment_appendix)
        .bind(&indicator.note.vi)
        .bind(&indicator.note.en)
        .bind(measurement.map_or("", |measurement| &measurement.numerator))
        .bind(measurement.map_or("", |measurement| &measurement.denominator))
        .bind(parameters)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The registry in its own order.
///
/// # Errors
/// [`StoreError`] when the database fails or holds what this version did not write.
pub async fn load(readers: &SqlitePool) -> Result<Vec<Indicator>, StoreError> {
    let rows = sqlx::query("SELECT * FROM indicator ORDER BY position")
        .fetch_all(readers)
        .await?;
    rows.iter()
        .map(|row| {
            let damaged = |reason: String| StoreError::Damaged {
                table: "indicator",
                reason,
            };
            let operator = match row.try_get::<&str, _>("operator")? {
                ">" => Operator::MoreThan,
                _ => Operator::AtLeast,
            };
            let numerator: String = row.try_get("numerator")?;
            let parameters: Option<BTreeMap<String, f64>> =
                serde_json::from_str(row.try_get("parameters")?).map_err(|error| damaged(error.to_string()))?;
            let measurement = if numerator.is_empty() {
                None
            } else {
                Some(Measurement {
                    numerator,
                    denominator: row.try_get("denominator")?,
                    parameters: parameters.unwrap_or_default(),
                })
            };
            Ok(Indicator {
                code: row.try_get("code")?,
                group: row.try_get("indicator_group")?,
                name: Text {
                    vi: row.try_get("name_vi")?,
                    en: row.try_get("name_en")?,
                },
                unit_of_analysis: row.try_get("unit_of_analysis")?,
                numerator_vi: row.try_get("numerator_vi")?,
                denominator_vi: row.try_get("denominator_vi")?,
                target: Target::new(operator, row.try_get("target_percent")?)
                    .map_err(|error| damaged(error.to_string()))?,
                target_year: row.try_get("target_year")?,
                source_kind: row.try_get("source_kind")?,
                lead_agency: row.try_get("lead_agency")?,
                coordinating_agencies: row.try_get("coordinating_agencies")?,
                in_targets_section: row.try_get("in_targets_section")?,
                in_assignment_appendix: row.try_get("in_assignment_appendix")?,
                note: Text {
                    vi: row.try_get("note_vi")?,
                    en: row.try_get("note_en")?,
                },
                measurement,
            })
        })
        .collect()
}

/// The sign of a target's operator.
pub fn operator_sign(operator: Operator) -> &'static str {
    match operator {
        Operator::AtLeast => ">=",
        Operator::MoreThan => ">",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &[u8] = include_bytes!("../../reference/indicators.csv");

    #[test]
    fn remarks_stand_in_both_languages() {
        let registry = read(REFERENCE).expect("the reference data is valid");
        let note = |code| {
            registry
                .iter()
                .find(|indicator| indicator.code == code)
                .map(|found| &found.note)
        };
        assert_eq!(note("XHS-09"), Some(&Text::new("mọi lứa tuổi", "all ages")));
        assert_eq!(note("XHS-01"), Some(&Text::new("", "")));
    }

    #[test]
    fn a_remark_in_one_language_is_a_fault_of_the_other_column() {
        let csv = String::from_utf8_lossy(REFERENCE).replace("mọi lứa tuổi,all ages", "mọi lứa tuổi,");
        let error = read(csv.as_bytes()).expect_err("the English remark is missing");
        let message = error.to_string();
        assert!(
            message.contains("note_en") && message.contains("both note_vi and note_en"),
            "{message}"
        );
    }
}
