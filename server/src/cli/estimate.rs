//! `khaosat estimate`.

use clap::{Args, ValueEnum};
use uuid::Uuid;

use super::{Failure, round, table};
use crate::app::App;
use crate::config::Config;
use crate::estimates::{FieldState, Overview, overview};
use crate::official;
use crate::store::{DataFolder, Store};

/// Print every indicator's estimate, interval, target and bounds for a unit.
#[derive(Debug, Args)]
pub(super) struct EstimateArguments {
    /// The unit's code [default: the round's whole territory]
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: EstimateFormat,
}

/// How to print estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EstimateFormat {
    /// A table for people
    Table,
    /// One JSON document
    Json,
}

pub(super) async fn run(arguments: EstimateArguments, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let round = round::pick(&store, arguments.round).await?;
    let rules = config.publication_rules();
    let app = App::load(store, rules).await?;
    app.catch_up().await?;
    let mut view = {
        let rounds = app.live.read().await;
        let live = rounds.iter().find(|live| live.round.id == round.id);
        let unit = arguments.unit.as_deref().unwrap_or(&round.root_code);
        live.and_then(|live| overview(live, live.tree.find(unit)?, &rules, FieldState::default()))
            .ok_or_else(|| {
                Failure::new(
                    format!("đợt khảo sát không có đơn vị mã {unit}"),
                    format!("the round has no unit with the code {unit}"),
                )
            })?
    };
    let figures = official::load(&app.store.readers, Some(&view.unit.code)).await?;
    official::attach(&mut view, figures);
    app.store.close().await;
    print(&view, arguments.format, config)
}

/// Prints an overview on standard output.
fn print(view: &Overview, format: EstimateFormat, config: &Config) -> Result<(), Failure> {
    match format {
        EstimateFormat::Table => {
            println!("{}", table::indicator_table(view, config.language));
            for line in table::official_lines(view, config.language) {
                println!("{line}");
            }
            if view.round.simulated {
                println!("Dữ liệu mô phỏng. (Simulated data.)");
            }
        }
        EstimateFormat::Json => {
            let json = serde_json::to_string_pretty(view)
                .map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
            println!("{json}");
        }
    }
    Ok(())
}
