//! `khaosat quarantine`: changes that were refused for a reason that an official can decide about.

use clap::{Args, Subcommand};
use sync_core::ChangeHash;
use sync_core::device::DevicePublicKey;
use uuid::Uuid;

use super::{Failure, ReportFormat, digits, print_json, round};
use crate::config::Config;
use crate::store::{DataFolder, Store};
use crate::sync::{self, ListedChange, Official, Selection};

/// Changes that wait for a decision.
#[derive(Debug, Subcommand)]
pub(super) enum QuarantineCommand {
    /// Danh sách: show what waits, with what it writes; answers are personal data
    List(ListArguments),
    /// Nhận: let changes in, as if their authors might write them
    Release(ReleaseArguments),
    /// Bỏ: delete changes; a record of which and why stays
    Discard(DiscardArguments),
}

/// How to list.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// What to let in.
#[derive(Debug, Args)]
pub(super) struct ReleaseArguments {
    /// The changes' hashes
    #[arg(value_name = "HASH", required_unless_present_any = ["device", "unit"], conflicts_with_all = ["device", "unit"])]
    hashes: Vec<String>,
    /// All of the device with this public key
    #[arg(long, value_name = "KEY", conflicts_with = "unit")]
    device: Option<String>,
    /// All of the surveyed unit with this code
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// The unit's round [default: the newest]
    #[arg(long, value_name = "UUID", requires = "unit")]
    round: Option<Uuid>,
    #[command(flatten)]
    official: OfficialArguments,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// What to discard.
#[derive(Debug, Args)]
pub(super) struct DiscardArguments {
    /// The changes' hashes
    #[arg(value_name = "HASH", required = true)]
    hashes: Vec<String>,
    #[command(flatten)]
    official: OfficialArguments,
}

/// Who decides, and why.
#[derive(Debug, Args)]
pub(super) struct OfficialArguments {
    /// Why, to be kept: a document's number, no personal data
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    by: ByArguments,
}

/// Who decides.
#[derive(Debug, Args)]
pub(super) struct ByArguments {
    /// Who decides, to be kept [default: the user of this machine]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl ByArguments {
    /// The name to be kept.
    pub(super) fn name(self) -> String {
        let user = || {
            std::env::var("USER")
                .or_else(|_| std::env::var("USERNAME"))
                .unwrap_or_default()
        };
        self.by.unwrap_or_else(user)
    }
}

impl OfficialArguments {
    pub(super) fn official(self) -> Official {
        Official {
            name: self.by.name(),
            reason: self.reason,
        }
    }
}

pub(super) async fn run(command: QuarantineCommand, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    match command {
        QuarantineCommand::List(arguments) => list(&store, &arguments).await,
        QuarantineCommand::Release(arguments) => release(&store, arguments).await,
        QuarantineCommand::Discard(arguments) => discard(&store, arguments).await,
    }?;
    store.close().await;
    Ok(())
}

async fn list(store: &Store, arguments: &ListArguments) -> Result<(), Failure> {
    let changes = sync::list_quarantine(store).await?;
    match arguments.format {
        ReportFormat::Json => print_json(&changes)?,
        ReportFormat::Text if changes.is_empty() => println!("Không có gì chờ xét. (Nothing waits.)"),
        ReportFormat::Text => changes.iter().for_each(print),
    }
    Ok(())
}

/// What somebody else wrote, without the control characters by which a text could take over the terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

fn print(change: &ListedChange) {
    println!("{}", change.hash);
    println!("  Thiết bị (device): {} {}", plain(&change.device_name), change.device);
    println!("  Hộ (unit): {}", plain(&change.unit));
    println!("  Lý do (reason): {}", change.reason);
    println!(
        "  Nhận lúc (received): {}; ghi lúc (written): {}{}",
        change.received_at,
        change.written_at,
        match change.clock_ahead {
            Some(_) => "",
            None => " theo đồng hồ của máy (by the device's own clock)",
        }
    );
    for written in &change.writes {
        let value = written
            .value
            .as_ref()
            .map_or_else(|| "–".to_owned(), ToString::to_string);
        println!("  {}", plain(&format!("{} {}: {value}", written.within, written.key)));
    }
}

async fn release(store: &Store, arguments: ReleaseArguments) -> Result<(), Failure> {
    let selection = match (arguments.device, arguments.unit) {
        (Some(device), _) => Selection::Device(DevicePublicKey(digits("--device", &device)?)),
        (None, Some(unit)) => Selection::Unit((round::pick(store, arguments.round).await?.id, unit)),
        (None, None) => Selection::Hashes(hashes(&arguments.hashes)?),
    };
    let released = sync::release(store, &selection, arguments.official.official()).await?;
    match arguments.format {
        ReportFormat::Json => print_json(&released)?,
        ReportFormat::Text => {
            let (logged, waiting, kept) = (released.logged, released.waiting, released.kept.len());
            println!(
                "{logged} thay đổi đã nhận, {waiting} chờ thay đổi khác, {kept} để lại. \
                 ({logged} taken in, {waiting} waiting for others, {kept} kept)"
            );
            for (hash, reason) in &released.kept {
                println!("  {hash}: {} ({reason})", reason.vietnamese());
            }
        }
    }
    Ok(())
}

async fn discard(store: &Store, arguments: DiscardArguments) -> Result<(), Failure> {
    let count = sync::discard(store, &hashes(&arguments.hashes)?, arguments.official.official()).await?;
    println!("Đã bỏ {count} thay đổi. ({count} changes discarded)");
    Ok(())
}

fn hashes(texts: &[String]) -> Result<Vec<ChangeHash>, Failure> {
    texts.iter().map(|text| Ok(ChangeHash(digits("HASH", text)?))).collect()
}
