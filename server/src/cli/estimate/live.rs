//! The live table of an installation.

use super::super::{Failure, round, table};
use super::{EstimateArguments, EstimateFormat, OutputFormat};
use crate::app::App;
use crate::config::Config;
use crate::estimates::{FieldState, Overview, overview};
use crate::official;
use crate::store::{DataFolder, Store};

/// Prints every indicator's estimate for a unit of a round.
pub(super) async fn run(arguments: EstimateArguments, config: &Config) -> Result<(), Failure> {
    let format = match arguments.format {
        OutputFormat::Table => EstimateFormat::Table,
        OutputFormat::Json => EstimateFormat::Json,
        OutputFormat::Csv => {
            return Err(Failure::new(
                "bảng của một đợt khảo sát được ghi ra CSV bằng lệnh khaosat export estimates",
                "khaosat export estimates writes the estimates of a round as CSV",
            ));
        }
    };
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
    let figures = official::load(&app.store.readers, Some(&view.page.unit.code)).await?;
    official::attach(&mut view.indicators, figures);
    app.store.close().await;
    print(&view, format, config)
}

/// Prints an overview on standard output.
fn print(view: &Overview, format: EstimateFormat, config: &Config) -> Result<(), Failure> {
    match format {
        EstimateFormat::Table => {
            println!("{}", table::indicator_table(view, config.language));
            for line in table::official_lines(view, config.language) {
                println!("{line}");
            }
            if view.page.round.simulated {
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
