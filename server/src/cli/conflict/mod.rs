//! `khaosat conflict`: where people answered differently, what to settle first, and settling.

mod list;
mod settle;

use clap::Subcommand;

use super::Failure;
use crate::config::Config;

/// Open conflicts and suspected duplicates.
#[derive(Debug, Subcommand)]
pub(super) enum ConflictCommand {
    /// Danh sách: what is open about an indicator, what to settle first for its target at the front
    List(list::ListArguments),
    /// Xem một phiếu: the answers that differ in a unit's response, with who gave which
    Show(settle::ShowArguments),
    /// Giải quyết: decide between answers that differ; works while the server runs
    Settle(settle::SettleArguments),
}

pub(super) async fn run(command: ConflictCommand, config: &Config) -> Result<(), Failure> {
    match command {
        ConflictCommand::List(arguments) => list::run(arguments, config).await,
        ConflictCommand::Show(arguments) => settle::show(arguments, config).await,
        ConflictCommand::Settle(arguments) => settle::settle(arguments, config).await,
    }
}
