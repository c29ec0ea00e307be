//! `khaosat indicator`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Failure, ReportFormat, print_json, read_within, table_failure};
use crate::config::Config;
use crate::official::{self, OfficialFigure, OfficialFigureError};
use crate::store::{DataFolder, Store};
use crate::table::FILE_BYTES;

/// What belongs to single indicators of the plan.
#[derive(Debug, Subcommand)]
pub(super) enum IndicatorCommand {
    /// Số liệu chính thức: yearly figures that ministries and agencies supply, shown beside the survey's
    #[command(subcommand)]
    Official(OfficialCommand),
}

/// Official figures. They are shown as such, with their source, and nothing is computed from them.
#[derive(Debug, Subcommand)]
pub(super) enum OfficialCommand {
    /// Ghi số liệu chính thức: record a figure, or correct one of the same year, source and sector
    Set(SetArguments),
    /// Liệt kê số liệu chính thức: list the figures that count
    List(ListArguments),
    /// Nhập từ CSV: record every figure of a CSV file, or none if anything in it is wrong
    Import(ImportArguments),
    /// Xuất ra CSV: write the figures that count to standard output, as a file that `import` takes
    Export,
}

/// A CSV file with the columns unit, indicator, year, source, sector, percent and note.
#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    /// The file
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
}

/// One figure.
#[derive(Debug, Args)]
pub(super) struct SetArguments {
    /// The indicator's code in the plan, for example KTS-01
    #[arg(value_name = "CODE")]
    indicator: String,
    /// The year that the figure is about
    #[arg(long, value_name = "YYYY")]
    year: i64,
    /// The figure, in percent
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    percent: f64,
    /// Who published it, and where
    #[arg(long, value_name = "TEXT")]
    source: String,
    /// The sector, where the indicator has one value a sector
    #[arg(long, value_name = "TEXT", default_value = "")]
    sector: String,
    /// A remark
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// The code of the administrative unit
    #[arg(long, value_name = "CODE", default_value = "82")]
    unit: String,
}

/// Which figures.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Only those of this indicator
    #[arg(value_name = "CODE")]
    indicator: Option<String>,
    /// Only those of this administrative unit
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

#[derive(Debug, Serialize)]
struct Figure<'a> {
    unit: &'a str,
    indicator: &'a str,
    year: i64,
    source: &'a str,
    sector: &'a str,
    percent: f64,
    note: &'a str,
}

pub(super) async fn run(command: IndicatorCommand, config: &Config) -> Result<(), Failure> {
    let IndicatorCommand::Official(command) = command;
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    match command {
        OfficialCommand::Set(arguments) => set(arguments, &store).await?,
        OfficialCommand::List(arguments) => list(&arguments, &store).await?,
        OfficialCommand::Import(arguments) => import(&arguments, &store).await?,
        OfficialCommand::Export => {
            let figures = official::load(&store.readers, None).await?;
            official::write_csv(&figures, std::io::stdout().lock()).map_err(std::io::Error::from)?;
        }
    }
    store.close().await;
    Ok(())
}

async fn set(arguments: SetArguments, store: &Store) -> Result<(), Failure> {
    let SetArguments {
        indicator,
        year,
        percent,
        source,
        sector,
        note,
        unit,
    } = arguments;
    let told = format!("{indicator}, {year}: {percent} %");
    let figure = OfficialFigure {
        unit_code: unit,
        indicator_code: indicator,
        year,
        source,
        part: sector,
        percent,
        note,
    };
    official::record(store, figure).await?;
    println!("{told}: đã ghi. (recorded)");
    Ok(())
}

async fn import(arguments: &ImportArguments, store: &Store) -> Result<(), Failure> {
    let csv = read_within(&arguments.file, FILE_BYTES)?;
    let count = official::import(store, &csv).await.map_err(|error| match error {
        OfficialFigureError::Table(error) => table_failure(&arguments.file, &error),
        other => other.into(),
    })?;
    println!("{count} số liệu: đã ghi. ({count} figures recorded)");
    Ok(())
}

async fn list(arguments: &ListArguments, store: &Store) -> Result<(), Failure> {
    let mut figures = official::load(&store.readers, arguments.unit.as_deref()).await?;
    figures.retain(|figure| {
        arguments
            .indicator
            .as_ref()
            .is_none_or(|code| *code == figure.indicator_code)
    });
    let rows: Vec<Figure<'_>> = figures
        .iter()
        .map(|figure| Figure {
            unit: &figure.unit_code,
            indicator: &figure.indicator_code,
            year: figure.year,
            source: &figure.source,
            sector: &figure.part,
            percent: figure.percent,
            note: &figure.note,
        })
        .collect();
    if arguments.format == ReportFormat::Json {
        return print_json(&rows);
    }
    for row in rows {
        println!(
            "{}\t{}\t{}\t{} %\t{}\t{}\t{}",
            row.unit, row.indicator, row.year, row.percent, row.sector, row.source, row.note
        );
    }
    Ok(())
}
