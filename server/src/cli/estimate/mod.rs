//! `khaosat estimate`: the live table of an installation, or estimates from any CSV or Parquet file under any design.

mod calibration;
mod design;
mod expression;
mod grouping;
mod hot_deck;
mod live;
mod output;
mod publication;
mod registry;
mod replicates;
mod report;
mod results;
mod sampling;
mod small_areas;
mod variables;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use uuid::Uuid;

use super::microdata::{Data, data_file};
use super::{Failure, read_file, table_failure};
use crate::config::Config;
use crate::table::TableError;

/// Print every indicator's estimate, interval, target and bounds for a unit, or estimates from a file.
///
/// With --design, no installation is needed: --data is then a CSV or Parquet file of microdata, the design says how its
/// rows were sampled, and --indicators what to estimate. All keys are described in docs/statistics.md.
#[derive(Debug, Args)]
pub(super) struct EstimateArguments {
    /// The unit's code [default: the round's whole territory]
    #[arg(long, value_name = "CODE", conflicts_with = "design")]
    unit: Option<String>,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID", conflicts_with = "design")]
    round: Option<Uuid>,
    /// TOML file with the design of the sample; --data is then the CSV or Parquet file to estimate from
    #[arg(long, value_name = "DESIGN.toml", requires = "indicators")]
    design: Option<PathBuf>,
    /// CSV file with the indicators to estimate
    #[arg(long, value_name = "REGISTRY.csv", requires = "design")]
    indicators: Option<PathBuf>,
    /// Column whose values are domains; «a,b» crosses two. May be given several times
    #[arg(long, value_name = "COLUMN", requires = "design")]
    by: Vec<String>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: OutputFormat,
}

/// How to print the estimates of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EstimateFormat {
    /// A table for people
    Table,
    /// One JSON document
    Json,
}

/// How to print estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    /// A table for people
    Table,
    /// One JSON document
    Json,
    /// One line per estimate, for a file's estimates only
    Csv,
}

pub(super) async fn run(arguments: EstimateArguments, config: &Config) -> Result<(), Failure> {
    match (&arguments.design, &arguments.indicators) {
        (Some(design), Some(indicators)) => {
            let data = data_file(config).ok_or_else(|| {
                Failure::new(
                    "với --design, --data phải là tệp CSV hoặc Parquet chứa dữ liệu vi mô",
                    "with --design, --data must be the CSV or Parquet file with the microdata",
                )
            })?;
            let files = Files {
                data: data.to_owned(),
                design: design.clone(),
                indicators: indicators.clone(),
            };
            let report = estimate_files(&files, &arguments.by)?;
            output::print(&report, arguments.format, config.language)
        }
        _ => live::run(arguments, config).await,
    }
}

/// The files that estimates are made from.
struct Files {
    data: PathBuf,
    design: PathBuf,
    indicators: PathBuf,
}

/// Why estimates cannot be made.
enum Fault {
    /// The data are wrong.
    Data(TableError),
    /// The design is wrong.
    Design(Failure),
    /// Anything else, which names its place itself.
    Other(Failure),
}

impl Files {
    fn failure(&self, fault: Fault) -> Failure {
        match fault {
            Fault::Data(error) => table_failure(&self.data, &error),
            Fault::Design(failure) => failure.of_file(&self.design),
            Fault::Other(failure) => failure,
        }
    }
}

fn estimate_files(files: &Files, by: &[String]) -> Result<report::Report, Failure> {
    let of_file = |fault| files.failure(fault);
    let design = design::read(&files.design).map_err(|failure| of_file(Fault::Design(failure)))?;
    let data = Data::read(&files.data)?;
    design::check_columns(&design, &data).map_err(|failure| of_file(Fault::Design(failure)))?;
    let registry = registry::read(&read_file(&files.indicators)?, &data)
        .map_err(|error| table_failure(&files.indicators, &error))?;
    let groupings = grouping::groupings(&data, by)?;
    estimate_sample(files, &design, &data, &registry, &groupings).map_err(of_file)
}

fn estimate_sample(
    files: &Files,
    design: &design::Design,
    data: &Data,
    registry: &[registry::Indicator],
    groupings: &[grouping::Grouping],
) -> Result<report::Report, Fault> {
    let columns = sampling::Columns::read(design, data).map_err(Fault::Data)?;
    let checked = |weights: &[f64]| {
        columns
            .design(weights)
            .map_err(|error| Fault::Data(columns.fault(&error, data)))
    };
    let as_designed = checked(&columns.weights)?;
    let calibration = calibration::Calibration::read(design, data, &files.design)?;
    let calibrated = match &calibration {
        None => None,
        Some(calibration) => Some(calibration.calibrate(&columns.weights).map_err(Fault::Design)?),
    };
    let survey = match &calibrated {
        None => as_designed,
        Some(calibrated) => {
            let name = design.entries.weights.get_ref();
            calibration::check_weights(&calibrated.weights, data, name).map_err(Fault::Data)?;
            checked(&calibrated.weights)?
        }
    };
    let replicates = replicates::make(design, data, &columns, calibration.as_ref())?;
    let sample = results::Sample {
        design,
        survey: &survey,
        calibrated: calibrated.as_ref(),
        replicates: replicates.as_ref(),
    };
    let further = results::Further {
        publication: publication::Publication::read(design, data).map_err(Fault::Design)?,
        filling: hot_deck::Filling::read(design, data)?,
    };
    let areas = small_areas::Areas::read(design, &files.design, groupings)?;
    let mut report = results::estimate_all(&sample, data, registry, groupings, &further)?;
    if let Some(areas) = areas {
        areas.model(&mut report);
    }
    if let Some(publication) = further.publication {
        publication.apply(&mut report.estimates);
    }
    Ok(report)
}
