//! `khaosat unit`: who is to do which surveyed unit, and how its interview was found.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde::Serialize;
use sync_core::device::DevicePublicKey;
use uuid::{Builder, Uuid};

use super::quarantine::ByArguments;
use super::{Failure, ReportFormat, digits, print_json, round};
use crate::clock;
use crate::config::Config;
use crate::devices::InvitationError;
use crate::rounds::Round;
use crate::store::{DataFolder, Store};
use crate::supervision::{self, Decider, Decision, Judgement, Person, Standing, StandingReview};

/// Surveyed units.
#[derive(Debug, Subcommand)]
pub(super) enum UnitCommand {
    /// Danh sách: show the units with who is to do them and how their interviews were found
    List(ListArguments),
    /// Lịch sử: show everything that was decided about a unit
    History(HistoryArguments),
    /// Giao hộ: say who is to do some units
    Assign(AssignArguments),
}

/// What to list.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// The units of this hamlet only
    #[arg(long, value_name = "CODE")]
    hamlet: Option<String>,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// Whose history.
#[derive(Debug, Args)]
pub(super) struct HistoryArguments {
    /// The unit's code
    #[arg(value_name = "UNIT")]
    unit: String,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// Which units to whom.
#[derive(Debug, Args)]
pub(super) struct AssignArguments {
    /// The units' codes
    #[arg(value_name = "UNIT", required = true)]
    units: Vec<String>,
    /// The public key of the device that is to do them, as `khaosat device list` shows it
    #[arg(long, value_name = "KEY", required_unless_present = "anybody")]
    to: Option<String>,
    /// Leave them to whoever comes
    #[arg(long, conflicts_with = "to")]
    anybody: bool,
    #[command(flatten)]
    by: ByArguments,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
}

/// A unit in the list.
#[derive(Debug, Serialize)]
struct ListedUnit {
    unit: String,
    hamlet: String,
    address: String,
    assignee: Option<Person>,
    review: Option<StandingReview>,
}

pub(super) async fn run(command: UnitCommand, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    match command {
        UnitCommand::List(arguments) => list(&store, arguments).await,
        UnitCommand::History(arguments) => history(&store, arguments).await,
        UnitCommand::Assign(arguments) => assign(&store, arguments).await,
    }?;
    store.close().await;
    Ok(())
}

async fn list(store: &Store, arguments: ListArguments) -> Result<(), Failure> {
    let round = round::pick(store, arguments.round).await?;
    let units: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT sampled_unit.code, frame_hamlet.code, sampled_unit.address
         FROM sampled_unit JOIN frame_hamlet USING (hamlet_key)
         WHERE sampled_unit.round_key = $1 AND ($2 IS NULL OR frame_hamlet.code = $2)
         ORDER BY frame_hamlet.code, sampled_unit.code",
    )
    .bind(round.key)
    .bind(&arguments.hamlet)
    .fetch_all(&store.readers)
    .await?;
    let mut standing: BTreeMap<String, Standing> = supervision::standing(&store.readers, round.key, None).await?;
    let units = units.into_iter().map(|(unit, hamlet, address)| {
        let Standing { assignee, review } = standing.remove(&unit).unwrap_or_default();
        ListedUnit {
            unit,
            hamlet,
            address,
            assignee,
            review,
        }
    });
    let units: Vec<ListedUnit> = units.collect();
    match arguments.format {
        ReportFormat::Json => print_json(&units)?,
        ReportFormat::Text => units.iter().for_each(print),
    }
    Ok(())
}

fn print(unit: &ListedUnit) {
    println!("{}  {}  {}", unit.unit, unit.hamlet, unit.address);
    if let Some(assignee) = &unit.assignee {
        println!("  Giao cho (to be done by): {}", assignee.name);
    }
    if let Some(review) = &unit.review {
        let by = review.by.as_ref().map_or("", |person| person.name.as_str());
        let at = clock::rfc3339(review.received_at);
        println!(
            "  Duyệt phiếu (review): {} {} {by} {at}",
            review.state.word(),
            review.reason
        );
    }
}

async fn history(store: &Store, arguments: HistoryArguments) -> Result<(), Failure> {
    let round = round::pick(store, arguments.round).await?;
    let decisions = supervision::history(&store.readers, round.key, &arguments.unit).await?;
    if arguments.format == ReportFormat::Json {
        return print_json(&decisions);
    }
    for decision in decisions {
        let what = match decision.state {
            Some(state) => format!("{} {}", state.word(), decision.reason),
            None => format!("→ {}", decision.assignee.as_deref().unwrap_or("—")),
        };
        println!("{}  {}: {}", decision.received_at, decision.by, what.trim());
    }
    Ok(())
}

async fn assign(store: &Store, arguments: AssignArguments) -> Result<(), Failure> {
    let round = round::pick(store, arguments.round).await?;
    let assignee = match arguments.to {
        Some(key) => Some(DevicePublicKey(digits("KEY", &key)?).actor().to_string()),
        None => None,
    };
    let decisions = arguments.units.into_iter();
    let decisions = decisions.map(|unit| (unit, Judgement::Assign(assignee.clone())));
    decide(store, &round, arguments.by.name(), decisions.collect()).await?;
    println!("Đã giao. (Assigned.)");
    Ok(())
}

/// Takes an official's decisions about units.
///
/// # Errors
/// The first that is refused, by its unit; the others are taken.
pub(super) async fn decide(
    store: &Store,
    round: &Round,
    official: String,
    judgements: Vec<(String, Judgement)>,
) -> Result<(), Failure> {
    let units: Vec<String> = judgements.iter().map(|(unit, _)| unit.clone()).collect();
    let mut decisions = Vec::with_capacity(units.len());
    for (unit, decision) in judgements {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(InvitationError::from)?;
        decisions.push(Decision {
            id: Builder::from_random_bytes(random).into_uuid(),
            at: clock::now(),
            unit,
            decision,
        });
    }
    let outcomes = supervision::decide(store, round.id, Decider::Official(official), decisions).await?;
    for (unit, outcome) in units.iter().zip(outcomes.unwrap_or_default()) {
        if let Err(refusal) = outcome {
            let text = refusal.text();
            return Err(Failure::new(
                format!("{unit}: {}", text.vi),
                format!("{unit}: {}", text.en),
            ));
        }
    }
    Ok(())
}
