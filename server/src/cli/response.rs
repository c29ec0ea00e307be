//! `khaosat response`.

use clap::{Args, Subcommand};
use sync_core::exchange::intake::Unit;
use uuid::Uuid;

use super::{Failure, round};
use crate::config::Config;
use crate::store::{DataFolder, Store};
use crate::sync;

/// Single responses.
#[derive(Debug, Subcommand)]
pub(super) enum ResponseCommand {
    /// Xóa phiếu theo yêu cầu của hộ: erase a response, here now and on every device at its next contact
    Erase(EraseArguments),
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
    let ResponseCommand::Erase(arguments) = command;
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
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
