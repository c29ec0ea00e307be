//! `khaosat round`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;
use sync_core::identity::RoundId;
use uuid::Uuid;

use super::{Failure, read_file, table_failure};
use crate::config::Config;
use crate::http::Text;
use crate::rounds::{self, NewRound, read_hamlets, read_households};
use crate::store::{DataFolder, Store};
use crate::sync::{self, Compaction};

/// Survey rounds.
#[derive(Debug, Subcommand)]
pub(super) enum RoundCommand {
    /// Tạo đợt khảo sát: make a round from a form, the frame of hamlets and the households to be surveyed
    Create(CreateArguments),
    /// Liệt kê các đợt khảo sát: list the rounds
    List,
    /// Đóng đợt khảo sát: take no more answers and pack those that are there; what comes later waits in quarantine
    Close(StateArguments),
    /// Mở lại đợt khảo sát: take answers again
    Reopen(StateArguments),
}

/// Which round.
#[derive(Debug, Args)]
pub(super) struct StateArguments {
    /// The round [default: the newest]
    #[arg(long, value_name = "UUID")]
    round: Option<Uuid>,
}

/// What makes a round. It is made whole or not at all.
#[derive(Debug, Args)]
pub(super) struct CreateArguments {
    /// The questionnaire, an XLSForm workbook
    #[arg(long, value_name = "FILE.xlsx")]
    form: PathBuf,
    /// All hamlets of the territory, surveyed or not (columns code, name, kind, commune_code, stratum, households)
    #[arg(long, value_name = "FILE.csv")]
    hamlets: PathBuf,
    /// The households to be surveyed: a sample, or all of some hamlets (columns code, hamlet_code, address)
    #[arg(long, value_name = "FILE.csv")]
    households: PathBuf,
    /// The round's name in Vietnamese
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The round's name in English [default: the Vietnamese name]
    #[arg(long, value_name = "NAME")]
    name_en: Option<String>,
    /// The date for which the round asks
    #[arg(long, value_name = "YYYY-MM-DD")]
    reference_date: Date,
    /// The day whose administrative units the round uses [default: the reference date]
    #[arg(long, value_name = "YYYY-MM-DD")]
    units_on: Option<Date>,
    /// The code of the unit that the round surveys
    #[arg(long, value_name = "CODE", default_value = "82")]
    root: String,
    /// The round's identity, where another installation has made the same round already [default: a new one]
    #[arg(long, value_name = "UUID")]
    id: Option<Uuid>,
}

pub(super) async fn run(command: RoundCommand, config: &Config) -> Result<(), Failure> {
    match command {
        RoundCommand::Create(arguments) => create(arguments, config).await,
        RoundCommand::List => list(config).await,
        RoundCommand::Close(arguments) => close(&arguments, config).await,
        RoundCommand::Reopen(arguments) => reopen(&arguments, config).await,
    }
}

async fn create(arguments: CreateArguments, config: &Config) -> Result<(), Failure> {
    let hamlets =
        read_hamlets(&read_file(&arguments.hamlets)?).map_err(|error| table_failure(&arguments.hamlets, &error))?;
    let households = read_households(&read_file(&arguments.households)?, &hamlets)
        .map_err(|error| table_failure(&arguments.households, &error))?;
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
    let new = || uuid::Builder::from_random_bytes(random).into_uuid();
    let id = RoundId(arguments.id.unwrap_or_else(new));
    let folder = DataFolder::open(&config.data)?.lock()?;
    let store = Store::open(&folder.database()).await?;
    let name_en = arguments.name_en.unwrap_or_else(|| arguments.name.clone());
    let round = NewRound {
        id,
        name: Text::new(arguments.name, name_en),
        reference_date: arguments.reference_date.to_string(),
        units_on: arguments.units_on.unwrap_or(arguments.reference_date).to_string(),
        root_code: arguments.root,
        simulated: false,
        workbook: read_file(&arguments.form)?,
        hamlets,
        households,
    };
    rounds::create(&store, round).await?;
    store.close().await;
    println!("{id}");
    Ok(())
}

async fn list(config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    for round in rounds::load(&store.readers).await? {
        let state = if round.open {
            "đang mở (open)"
        } else {
            "đã đóng (closed)"
        };
        println!("{}\t{}\t{}\t{state}", round.id, round.reference_date, round.name.vi);
    }
    store.close().await;
    Ok(())
}

async fn reopen(arguments: &StateArguments, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let round = pick(&store, arguments.round).await?;
    rounds::set_open(&store, round.key, true).await?;
    store.close().await;
    println!("{}: đã mở lại. (reopened)", round.id);
    Ok(())
}

/// Closes a round, then packs what it has. The file itself can only be made smaller while no server uses it.
async fn close(arguments: &StateArguments, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let alone = DataFolder::open(&config.data)?.lock();
    let store = Store::open(&folder.database()).await?;
    let round = pick(&store, arguments.round).await?;
    rounds::set_open(&store, round.key, false).await?;
    let Compaction {
        changes,
        bytes_before,
        bytes_after,
    } = sync::compact(&store, round.key).await?;
    if alone.is_ok() {
        store.writer.shrink().await?;
        store.writer.empty_log().await?;
    }
    store.close().await;
    println!(
        "{}: đã đóng; câu trả lời đến sau nằm ở `khaosat quarantine list`. (closed; later answers wait in quarantine)\n\
         Đã nén {changes} thay đổi: {bytes_before} byte còn {bytes_after} byte. \
         ({changes} changes packed: {bytes_before} bytes became {bytes_after})",
        round.id
    );
    if alone.is_err() {
        println!(
            "Máy chủ đang chạy, nên tệp dữ liệu chưa nhỏ lại; hãy dừng máy chủ rồi chạy lại lệnh này. \
             (a server is running, so the file keeps its size; stop it and run this again to make the file smaller)"
        );
    }
    Ok(())
}

/// The round that a command means: the one named, or the newest.
pub(super) async fn pick(store: &Store, wanted: Option<Uuid>) -> Result<rounds::Round, Failure> {
    let mut all = rounds::load(&store.readers).await?;
    let round = match wanted {
        None => all.pop(),
        Some(id) => all.into_iter().find(|round| round.id.0 == id),
    };
    round.ok_or_else(|| {
        Failure::new(
            "chưa có đợt khảo sát này; tạo bằng `khaosat round create`",
            "there is no such round; make one with `khaosat round create`",
        )
    })
}
