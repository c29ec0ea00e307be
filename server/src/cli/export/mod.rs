//! `khaosat export`.

mod estimates;
mod responses;

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use indicators::publication::PublicationRules;
use uuid::Uuid;

use super::{Failure, round};
use crate::app::App;
use crate::config::Config;
use crate::store::{DataFolder, Store};

/// Write estimates or answers as open, machine-readable files.
///
/// Estimates: figures that the publication rules withhold are left empty, with the rule named. Responses: without names,
/// addresses and other identifying answers, under pseudonyms that differ from export to export. Simulated data are marked
/// in every row.
#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// What to write
    #[arg(default_value = "estimates")]
    what: Exported,
    /// File to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
    /// How to write [default: csv for estimates, jsonl for responses]
    #[arg(long, value_name = "FORMAT")]
    format: Option<ExportFormat>,
    /// Responses with the units' codes and identifying answers: personal data, to be kept as such
    #[arg(long)]
    with_identifying: bool,
}

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Exported {
    /// Every estimate of every unit
    Estimates,
    /// Every response with its answers, roster and open conflicts
    Responses,
}

/// How to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// A table with a header row
    Csv,
    /// One JSON object a line
    Jsonl,
}

pub(super) async fn run(arguments: ExportArguments, config: &Config) -> Result<(), Failure> {
    let format = match (arguments.what, arguments.format) {
        (Exported::Responses, Some(ExportFormat::Csv)) => {
            return Err(Failure::new(
                "phiếu có danh sách thành viên nên chỉ xuất được dạng jsonl",
                "responses have rosters, which one table cannot hold; use --format jsonl",
            ));
        }
        (Exported::Responses, _) => ExportFormat::Jsonl,
        (Exported::Estimates, format) => format.unwrap_or(ExportFormat::Csv),
    };
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let wanted = round::pick(&store, arguments.round).await?;
    let rules = PublicationRules {
        minimum_households: config.minimum_households,
    };
    let app = App::load(store, rules).await?;
    app.catch_up().await?;
    let file: Box<dyn Write + Send> = match &arguments.output {
        Some(path) => Box::new(std::fs::File::create(path)?),
        None => Box::new(std::io::stdout()),
    };
    let mut output = BufWriter::new(file);
    match arguments.what {
        Exported::Estimates => {
            let rounds = app.live.read().await;
            if let Some(live) = rounds.iter().find(|live| live.round.id == wanted.id) {
                estimates::write(live, &rules, format, &mut output)?;
            }
        }
        Exported::Responses => {
            responses::write(&app.store, &wanted, arguments.with_identifying, &mut output).await?;
        }
    }
    output.flush()?;
    app.store.close().await;
    Ok(())
}
