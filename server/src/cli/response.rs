//! `khaosat response`.

use clap::{Args, Subcommand};
use sync_core::exchange::intake::Unit;
use uuid::Uuid;

use super::quarantine::{ByArguments, plain};
use super::{Failure, ReportFormat, print_json, round, unit};
use crate::app::App;
use crate::config::Config;
use crate::rounds::{AddedHousehold, added_households};
use crate::store::{DataFolder, Store};
use crate::supervision::{Judgement, Review, ReviewState};
use crate::sync;

/// Single responses.
#[derive(Debug, Subcommand)]
pub(super) enum ResponseCommand {
    /// Xóa phiếu theo yêu cầu của hộ: erase a response, here now and on every device at its next contact
    Erase(EraseArguments),
    /// Hộ được thêm: show the households that were not on the list and were added in the field
    Added(AddedArguments),
    /// Duyệt phiếu: say how an interview was found; whoever made it sees that on the phone
    Review(ReviewArguments),
}

/// Of which round.
#[derive(Debug, Args)]
pub(super) struct AddedArguments {
    /// The round's identity [default: the newest round]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// How which interview was found.
#[derive(Debug, Args)]
pub(super) struct ReviewArguments {
    /// The surveyed unit's code
    #[arg(value_name = "UNIT")]
    unit: String,
    /// How it stands
    #[arg(long, value_name = "STATE")]
    state: ReviewState,
    /// Why, for whoever made the interview; needed for has_issues and rejected
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    #[command(flatten)]
    by: ByArguments,
    /// The round's identity [default: the newest round]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
}

/// What to erase. It cannot be brought back.
#[derive(Debug, Args)]
pub(super) struct EraseArguments {
    /// The surveyed unit's code
    #[arg(value_name = "UNIT")]
    unit: String,
    /// Why, to be kept: a document's number, no personal data
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The round's identity [default: the newest round]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
}

pub(super) async fn run(command: ResponseCommand, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    match command {
        ResponseCommand::Erase(arguments) => erase(&store, arguments).await,
        ResponseCommand::Added(arguments) => {
            // A server that has not run since the last answers came has not read their addresses.
            let app = App::load(store.clone(), config.publication_rules()).await?;
            app.catch_up().await?;
            added(&store, &arguments).await
        }
        ResponseCommand::Review(arguments) => review(&store, arguments).await,
    }?;
    store.close().await;
    Ok(())
}

async fn added(store: &Store, arguments: &AddedArguments) -> Result<(), Failure> {
    let round = round::pick(store, arguments.round).await?;
    let households = added_households(&store.readers, &round).await?;
    match arguments.format {
        ReportFormat::Json => print_json(&households)?,
        ReportFormat::Text if households.is_empty() => println!("Chưa có hộ nào được thêm. (none was added)"),
        ReportFormat::Text => households.iter().for_each(print),
    }
    Ok(())
}

fn print(household: &AddedHousehold) {
    let AddedHousehold {
        unit,
        hamlet,
        hamlet_name,
        address,
        counted,
    } = household;
    println!("{}: {}", plain(unit), plain(address));
    let told = match counted {
        true => "được tính vào ước lượng (estimates count it)",
        false => "không tính vào ước lượng vì ấp được chọn mẫu (estimates do not count it: the hamlet was sampled)",
    };
    println!("  {} {}; {told}", plain(hamlet), plain(hamlet_name));
}

async fn review(store: &Store, arguments: ReviewArguments) -> Result<(), Failure> {
    let round = round::pick(store, arguments.round).await?;
    let judgement = Judgement::Review(Review {
        state: arguments.state,
        reason: arguments.reason,
        seen: None,
    });
    let code = arguments.unit.clone();
    unit::decide(store, &round, arguments.by.name(), vec![(arguments.unit, judgement)]).await?;
    println!("{code}: {}", arguments.state.word());
    Ok(())
}

async fn erase(store: &Store, arguments: EraseArguments) -> Result<(), Failure> {
    let round = round::pick(store, arguments.round).await?;
    let unit: Unit = (round.id, arguments.unit);
    let code = unit.1.clone();
    let erasure = sync::erase(store, unit, arguments.reason).await?;
    if erasure.already {
        println!("{code}: đã xóa từ trước. (erased before)");
    } else {
        println!(
            "{code}: đã xóa {} thay đổi; các thiết bị xóa bản của mình ở lần đồng bộ tới. \
             ({} changes erased; devices delete their copies at their next contact)",
            erasure.changes, erasure.changes
        );
    }
    Ok(())
}
