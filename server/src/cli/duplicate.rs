//! `khaosat duplicate`: pairs of responses that may be about one household.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::quarantine::{ByArguments, OfficialArguments, plain};
use super::{Failure, ReportFormat, print_json, read_file, round, table_failure};
use crate::config::Config;
use crate::duplicates::{self, ListedPair, Raised, Settlement, Standing};
use crate::store::{DataFolder, Store};

/// Responses that may be about one household, because it was listed twice.
#[derive(Debug, Subcommand)]
pub(super) enum DuplicateCommand {
    /// Nghi trùng: raise the suspicion that two households are one
    Suspect(SuspectArguments),
    /// Nhập từ CSV: raise many at once (columns first, second, reason); all rows or none
    Import(ImportArguments),
    /// Danh sách: show the pairs and how they stand
    List(ListArguments),
    /// Kết luận: settle a pair; where both are one household, one response stays and the other counts zero
    Settle(SettleArguments),
    /// Mở lại: open a settled pair again; what counted zero counts as before
    Reopen(ReopenArguments),
}

/// Two households.
#[derive(Debug, Args)]
struct PairArguments {
    /// The code of one surveyed unit
    #[arg(value_name = "FIRST")]
    first: String,
    /// The code of the other
    #[arg(value_name = "SECOND")]
    second: String,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
}

/// Which two, and why.
#[derive(Debug, Args)]
pub(super) struct SuspectArguments {
    #[command(flatten)]
    pair: PairArguments,
    #[command(flatten)]
    official: OfficialArguments,
}

/// Which file.
#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    /// The CSV file, UTF-8; a reason holds no personal data
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
    #[command(flatten)]
    by: ByArguments,
}

/// Which pairs.
#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Only those with a household in this administrative unit or hamlet
    #[arg(long, value_name = "CODE")]
    unit: Option<String>,
    /// Only those that are to be settled
    #[arg(long)]
    open: bool,
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// Which pair, and what was found.
#[derive(Debug, Args)]
pub(super) struct SettleArguments {
    #[command(flatten)]
    pair: PairArguments,
    /// They are one household, and this one's response stays
    #[arg(
        long,
        value_name = "KEEP",
        required_unless_present = "different",
        conflicts_with = "different"
    )]
    same: Option<String>,
    /// They are two households
    #[arg(long)]
    different: bool,
    #[command(flatten)]
    by: ByArguments,
}

/// Which pair.
#[derive(Debug, Args)]
pub(super) struct ReopenArguments {
    #[command(flatten)]
    pair: PairArguments,
}

pub(super) async fn run(command: DuplicateCommand, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    match command {
        DuplicateCommand::Suspect(arguments) => suspect(&store, arguments).await,
        DuplicateCommand::Import(arguments) => import(&store, arguments).await,
        DuplicateCommand::List(arguments) => list(&store, &arguments).await,
        DuplicateCommand::Settle(arguments) => settle(&store, arguments).await,
        DuplicateCommand::Reopen(arguments) => reopen(&store, arguments).await,
    }?;
    store.close().await;
    Ok(())
}

async fn suspect(store: &Store, arguments: SuspectArguments) -> Result<(), Failure> {
    let SuspectArguments { pair, official } = arguments;
    let (name, round) = (pair.name(), round::pick(store, pair.round).await?);
    let raised = duplicates::suspect(store, round.id, pair.units(), official.official()).await?;
    match raised {
        Raised::New => println!("{name}: đã ghi là nghi trùng. (suspected)"),
        Raised::Before => println!("{name}: đã ghi là nghi trùng từ trước. (suspected before)"),
    }
    Ok(())
}

async fn import(store: &Store, arguments: ImportArguments) -> Result<(), Failure> {
    let ImportArguments { file, round, by } = arguments;
    let round = round::pick(store, round).await?;
    let of_file = |error| table_failure(&file, &error);
    let suspicions = duplicates::read(&read_file(&file)?).map_err(of_file)?;
    let rows = suspicions.len();
    let new = duplicates::import(store, round.id, suspicions, by.name())
        .await?
        .map_err(of_file)?;
    println!("Đã nhập {rows} cặp, {new} cặp mới ({rows} pairs imported, {new} of them new).");
    Ok(())
}

async fn list(store: &Store, arguments: &ListArguments) -> Result<(), Failure> {
    let round = round::pick(store, arguments.round).await?;
    let unit = arguments.unit.as_deref();
    let pairs = duplicates::list(store, &round, unit, arguments.open)
        .await?
        .ok_or_else(|| {
            let unit = unit.unwrap_or_default();
            Failure::new(
                format!("đợt khảo sát không có đơn vị mã {unit}"),
                format!("the round has no unit with the code {unit}"),
            )
        })?;
    match arguments.format {
        ReportFormat::Json => print_json(&pairs)?,
        ReportFormat::Text if pairs.is_empty() => println!("Không có cặp nào. (No pairs.)"),
        ReportFormat::Text => pairs.iter().for_each(print),
    }
    Ok(())
}

fn print(pair: &ListedPair) {
    let standing = match (pair.standing, &pair.kept) {
        (Standing::Open, _) => "chưa kết luận (open)".to_owned(),
        (Standing::Different, _) => "hai hộ khác nhau (different)".to_owned(),
        (Standing::Same, kept) => {
            let kept = kept.as_deref().unwrap_or_default();
            format!("một hộ, giữ phiếu {kept} (same; {kept} stays)")
        }
        (Standing::KnownDifferent, _) => "hai hộ khác nhau theo các cặp khác (different by other pairs)".to_owned(),
        (Standing::KnownSame, _) => "một hộ theo các cặp khác (same by other pairs)".to_owned(),
    };
    println!(
        "{} ({}) – {} ({}): {standing}",
        plain(&pair.first),
        pair.first_hamlet,
        plain(&pair.second),
        pair.second_hamlet
    );
    println!(
        "  Nêu bởi (raised by): {} {}; lý do (reason): {}",
        plain(&pair.raised_by),
        pair.raised_at,
        plain(&pair.reason)
    );
    if let (Some(by), Some(at)) = (&pair.settled_by, &pair.settled_at) {
        println!("  Kết luận bởi (settled by): {} {at}", plain(by));
    }
}

async fn settle(store: &Store, arguments: SettleArguments) -> Result<(), Failure> {
    let SettleArguments { pair, same, by, .. } = arguments;
    let (name, round) = (pair.name(), round::pick(store, pair.round).await?);
    let told = match &same {
        Some(kept) => format!("một hộ, giữ phiếu {kept}. (same; {kept} stays, the other counts zero)"),
        None => "hai hộ khác nhau. (different)".to_owned(),
    };
    let settlement = same.map_or(Settlement::Different, |kept| Settlement::Same { kept });
    if duplicates::settle(store, round.id, pair.units(), settlement, by.name()).await? {
        println!("{name}: {told}");
    } else {
        println!("{name}: đã kết luận như vậy từ trước. (settled so before)");
    }
    Ok(())
}

async fn reopen(store: &Store, arguments: ReopenArguments) -> Result<(), Failure> {
    let pair = arguments.pair;
    let (name, round) = (pair.name(), round::pick(store, pair.round).await?);
    if duplicates::reopen(store, round.id, pair.units()).await? {
        println!("{name}: đã mở lại. (reopened)");
    } else {
        println!("{name}: chưa kết luận. (it was open)");
    }
    Ok(())
}

impl PairArguments {
    fn name(&self) -> String {
        format!("{} – {}", self.first, self.second)
    }

    fn units(self) -> (String, String) {
        (self.first, self.second)
    }
}
