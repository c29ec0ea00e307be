//! `khaosat response`.

use clap::{Args, Subcommand};
use sync_core::exchange::intake::Unit;
use uuid::Uuid;

use super::quarantine::ByArguments;
use super::{Failure, round, unit};
use crate::config::Config;
use crate::store::{DataFolder, Store};
use crate::supervision::{Judgement, Review, ReviewState};
use crate::sync;

/// Single responses.
#[derive(Debug, Subcommand)]
pub(super) enum ResponseCommand {
    /// Xóa phiếu theo yêu cầu của hộ: erase a response, here now and on every device at its next contact
    Erase(EraseArguments),
    /// Duyệt phiếu: say how an interview was found; whoever made it sees that on the phone
    Review(ReviewArguments),
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
        ResponseCommand::Erase(arguments) => erase(store, arguments).await,
        ResponseCommand::Review(arguments) => review(store, arguments).await,
    }
}

async fn review(store: Store, arguments: ReviewArguments) -> Result<(), Failure> {
    let round = round::pick(&store, arguments.round).await?;
    let judgement = Judgement::Review(Review {
        state: arguments.state,
        reason: arguments.reason,
        seen: None,
    });
    let code = arguments.unit.clone();
    unit::decide(&store, &round, arguments.by.name(), vec![(arguments.unit, judgement)]).await?;
    store.close().await;
    println!("{code}: {}", arguments.state.word());
    Ok(())
}

async fn erase(store: Store, arguments: EraseArguments) -> Result<(), Failure> {
    let round = round::pick(&store, arguments.round).await?;
    let unit: Unit = (round.id, arguments.unit);
    let code = unit.1.clone();
    let erasure = sync::erase(&store, unit, arguments.reason).await?;
    store.close().await;
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
