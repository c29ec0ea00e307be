//! Official figures: yearly values that ministries and agencies supply for indicators of the plan.
//!
//! They stand in until an indicator is measured, and beside the survey's estimate afterwards. Nothing is computed from them,
//! and they are never mixed with what the survey measured.

mod csv_file;

use std::collections::BTreeSet;

use indicators::decision::Decision;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Row as _, SqlitePool};

use crate::clock;
use crate::estimates::IndicatorView;
use crate::store::{Store, StoreError};
use crate::table::TableError;

pub use csv_file::write as write_csv;

/// Years that figures are taken for.
pub const YEARS: std::ops::RangeInclusive<i64> = 1990..=2100;
/// Bytes of a source, part or note at most.
const TEXT_BYTES: usize = 1_000;

/// A figure as somebody states it.
#[derive(Debug, Clone, PartialEq)]
pub struct OfficialFigure {
    /// The code of the administrative unit.
    pub unit_code: String,
    /// The plan's code of the indicator.
    pub indicator_code: String,
    /// The year that it is about.
    pub year: i64,
    /// Who published it and where, for people.
    pub source: String,
    /// The sector that it is about, where an indicator has one value a sector; empty otherwise.
    pub part: String,
    /// The value in percent.
    pub percent: f64,
    /// A remark; empty where there is none.
    pub note: String,
}

/// Why a figure cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum OfficialFigureError {
    /// The registry has no such indicator.
    #[error("the registry has no indicator {0}; `khaosat export estimates` lists their codes")]
    UnknownIndicator(String),
    /// There is no such unit.
    #[error("there is no administrative unit with the code {0}")]
    UnknownUnit(String),
    /// A year that cannot be meant.
    #[error("the year is {0}; it must be from 1990 to 2100")]
    Year(i64),
    /// Not a number.
    #[error("the value is {0}; it must be a finite percentage")]
    Percent(f64),
    /// No source is named.
    #[error("the source is empty; name who published the figure, and where")]
    NoSource,
    /// A text is too long.
    #[error("source, sector and note have at most {TEXT_BYTES} bytes each")]
    TooLong,
    /// A CSV file is wrong.
    #[error(transparent)]
    Table(TableError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for OfficialFigureError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl OfficialFigureError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::UnknownIndicator(code) => {
                format!("bộ chỉ tiêu không có chỉ tiêu mã {code}; xem mã bằng `khaosat export estimates`")
            }
            Self::UnknownUnit(code) => format!("không có đơn vị hành chính mã {code}"),
            Self::Year(year) => format!("năm là {year}; phải từ 1990 đến 2100"),
            Self::Percent(percent) => format!("giá trị là {percent}; phải là số phần trăm hữu hạn"),
            Self::NoSource => "chưa ghi nguồn; hãy ghi cơ quan công bố và nơi công bố".to_owned(),
            Self::TooLong => format!("nguồn, ngành và ghi chú dài tối đa {TEXT_BYTES} byte mỗi mục"),
            Self::Table(error) => error.vietnamese(),
            Self::Store(error) => error.vietnamese(),
        }
    }
}

impl OfficialFigure {
    /// What is wrong with the figure by itself, and in which column of the CSV file.
    fn faults(&self) -> Vec<(&'static str, OfficialFigureError)> {
        let mut faults = Vec::new();
        if !YEARS.contains(&self.year) {
            faults.push(("year", OfficialFigureError::Year(self.year)));
        }
        if !self.percent.is_finite() {
            faults.push(("percent", OfficialFigureError::Percent(self.percent)));
        }
        if self.source.trim().is_empty() {
            faults.push(("source", OfficialFigureError::NoSource));
        }
        for (column, text) in [("source", &self.source), ("sector", &self.part), ("note", &self.note)] {
            if text.len() > TEXT_BYTES {
                faults.push((column, OfficialFigureError::TooLong));
            }
        }
        faults
    }
}

/// Records the figures of a CSV file as [`record`] does each, or none of them if anything in the file is wrong. Gives how
/// many there are.
///
/// # Errors
/// [`OfficialFigureError::Table`] with every cell that is wrong, or the database's failure.
pub async fn import(store: &Store, csv: &[u8]) -> Result<usize, OfficialFigureError> {
    let units = codes(&store.readers, "SELECT code FROM admin_unit").await?;
    let indicators = codes(&store.readers, "SELECT code FROM indicator").await?;
    let figures = csv_file::read(csv, &units, &indicators).map_err(OfficialFigureError::Table)?;
    let count = figures.len();
    let job = store.writer.write(move |connection| {
        Box::pin(async move {
            for figure in &figures {
                insert(connection, figure).await?;
            }
            Ok(())
        })
    });
    job.await?;
    Ok(count)
}

async fn codes(readers: &SqlitePool, query: &'static str) -> Result<BTreeSet<String>, sqlx::Error> {
    let codes: Vec<String> = sqlx::query_scalar(query).fetch_all(readers).await?;
    Ok(codes.into_iter().collect())
}

/// Records a figure, in place of one for the same unit, indicator, year, source and sector.
///
/// # Errors
/// [`OfficialFigureError`] when the indicator or unit does not exist, a value is out of range, or the database fails.
pub async fn record(store: &Store, figure: OfficialFigure) -> Result<(), OfficialFigureError> {
    if let Some((_, error)) = figure.faults().into_iter().next() {
        return Err(error);
    }
    let known = "SELECT COUNT(*) FROM indicator WHERE code = $1";
    if count(&store.readers, known, &figure.indicator_code).await? == 0 {
        return Err(OfficialFigureError::UnknownIndicator(figure.indicator_code));
    }
    let known = "SELECT COUNT(*) FROM admin_unit WHERE code = $1";
    if count(&store.readers, known, &figure.unit_code).await? == 0 {
        return Err(OfficialFigureError::UnknownUnit(figure.unit_code));
    }
    let job = store
        .writer
        .write(move |connection| Box::pin(async move { insert(connection, &figure).await }));
    Ok(job.await?)
}

async fn count(readers: &SqlitePool, query: &'static str, code: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(query).bind(code).fetch_one(readers).await
}

async fn insert(connection: &mut SqliteConnection, figure: &OfficialFigure) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO official_figure (unit_code, indicator_code, year, source, part, percent, note, recorded_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&figure.unit_code)
    .bind(&figure.indicator_code)
    .bind(figure.year)
    .bind(figure.source.trim())
    .bind(figure.part.trim())
    .bind(figure.percent)
    .bind(figure.note.trim())
    .bind(clock::now())
    .execute(connection)
    .await?;
    Ok(())
}

/// The figures that count, by unit, indicator, year (the newest first), source and sector; of one unit where it is named.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn load(readers: &SqlitePool, unit_code: Option<&str>) -> Result<Vec<OfficialFigure>, StoreError> {
    let rows = sqlx::query(
        "SELECT unit_code, indicator_code, year, source, part, percent, note FROM official_figure
         WHERE figure_key IN (SELECT MAX(figure_key) FROM official_figure
                              WHERE $1 IS NULL OR unit_code = $1
                              GROUP BY unit_code, indicator_code, year, source, part)
         ORDER BY unit_code, indicator_code, year DESC, source, part",
    )
    .bind(unit_code)
    .fetch_all(readers)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(OfficialFigure {
                unit_code: row.try_get("unit_code")?,
                indicator_code: row.try_get("indicator_code")?,
                year: row.try_get("year")?,
                source: row.try_get("source")?,
                part: row.try_get("part")?,
                percent: row.try_get("percent")?,
                note: row.try_get("note")?,
            })
        })
        .collect()
}

/// An official figure beside the survey's.
#[derive(Debug, Serialize, Deserialize)]
pub struct OfficialFigureView {
    /// The year.
    pub year: i64,
    /// Who published it.
    pub source: String,
    /// The sector, or empty.
    pub part: String,
    /// In percent.
    pub percent: f64,
    /// A remark, or empty.
    pub note: String,
    /// Whether the figure as such meets the target: met or missed, as nothing is said of its uncertainty.
    pub decision: Decision,
    /// The survey's estimate less this figure, in percentage points; none without an estimate or for a sector.
    pub difference: Option<f64>,
}

/// Puts the figures of a unit beside its estimates.
pub fn attach(indicators: &mut [IndicatorView], figures: Vec<OfficialFigure>) {
    for figure in figures {
        let indicator = indicators
            .iter_mut()
            .find(|indicator| indicator.code == figure.indicator_code);
        let Some(indicator) = indicator else { continue };
        let target = &indicator.target;
        let is_met = match target.operator.as_str() {
            ">" => figure.percent > target.percent,
            _ => figure.percent >= target.percent,
        };
        let estimate = indicator.estimate.as_ref().filter(|_| figure.part.is_empty());
        indicator.official.push(OfficialFigureView {
            difference: estimate.map(|estimate| estimate.point * 100.0 - figure.percent),
            year: figure.year,
            source: figure.source,
            part: figure.part,
            percent: figure.percent,
            note: figure.note,
            decision: if is_met { Decision::Met } else { Decision::Missed },
        });
    }
}
