//! `khaosat bundle write`.

use std::path::PathBuf;

use clap::Args;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde::Serialize;
use sqlx::SqlitePool;
use sync_core::bundle::{BundleLimits, BundleWriter, RecipientKey};
use uuid::Uuid;

use super::{Failure, ReportFormat, print_json, write_new};
use crate::config::Config;
use crate::devices::InstallationKeys;
use crate::store::{DataFolder, Store};
use crate::sync::carrying::{self, Selection};
use crate::{clock, sync};

/// Changes that are read from the database together.
const PIECE: i64 = 2_000;

/// What to write.
#[derive(Debug, Args)]
pub(in crate::cli) struct WriteArguments {
    /// The file to write, by custom NAME.khaosat
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Only these rounds; give it several times for several [default: all]
    #[arg(long = "round", value_name = "UUID")]
    rounds: Vec<Uuid>,
    /// Only these hamlets; give it several times for several [default: all]
    #[arg(long = "hamlet", value_name = "CODE")]
    hamlets: Vec<String>,
    /// Only what came after this number of the log, which the bundle before printed
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    since: u32,
    /// Seal the bundle so that only the installation with this key can read it
    #[arg(long, value_name = "KEY")]
    seal_to: Option<String>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: ReportFormat,
}

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    bytes: usize,
    rounds: usize,
    responses: u64,
    changes: u64,
    authors: u64,
    /// What `--since` takes next time.
    until: i64,
}

pub(super) async fn run(arguments: WriteArguments, config: &Config) -> Result<(), Failure> {
    let recipient: Option<RecipientKey> = match &arguments.seal_to {
        Some(key) => Some(key.parse().map_err(|error: sync_core::bundle::RecipientKeyError| {
            Failure::new(
                format!("--seal-to: {}", error.vietnamese()),
                format!("--seal-to: {error}"),
            )
        })?),
        None => None,
    };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
    let folder = DataFolder::open(&config.data)?;
    let keys = InstallationKeys::of(&folder)?;
    let store = Store::open(&folder.database()).await?;
    let random = ChaCha20Rng::from_seed(seed);
    let limits = BundleLimits::default();
    let mut writer = BundleWriter::new(&keys.signing, clock::now(), recipient, random, limits);

    let mut selection = Selection {
        hamlets: Some(wanted_hamlets(&store.readers, &arguments).await?),
        after: i64::from(arguments.since),
        until: sync::log_head(&store.readers).await?,
        without: None,
    };
    loop {
        let entries = carrying::read(&store.readers, &selection, PIECE).await?;
        for entry in entries.iter() {
            writer.add(entry.round, entry.unit, entry.bytes, entry.attestation)?;
            selection.after = entry.seq;
        }
        if entries.len() == 0 {
            break;
        }
    }
    store.close().await;
    let contents = writer.contents();
    let bundle = writer.finish()?;
    write_new(&arguments.output, &bundle)?;
    let written = Written {
        bytes: bundle.len(),
        rounds: contents.rounds.len(),
        responses: contents.responses,
        changes: contents.changes,
        authors: contents.authors,
        until: selection.until,
    };
    match arguments.format {
        ReportFormat::Json => print_json(&written)?,
        ReportFormat::Text => println!(
            "Đã ghi {changes} thay đổi của {responses} phiếu vào {file} ({bytes} byte); lần sau: --since {until}. \
             ({changes} changes of {responses} responses written; next time: --since {until})",
            changes = written.changes,
            responses = written.responses,
            file = arguments.output.display(),
            bytes = written.bytes,
            until = written.until,
        ),
    }
    Ok(())
}

/// The database's numbers of the hamlets to be written.
async fn wanted_hamlets(readers: &SqlitePool, arguments: &WriteArguments) -> Result<Vec<i64>, Failure> {
    let rows: Vec<(i64, String, Uuid)> =
        sqlx::query_as("SELECT hamlet_key, frame_hamlet.code, round.id FROM frame_hamlet JOIN round USING (round_key)")
            .fetch_all(readers)
            .await?;
    let known = |round: &Uuid| rows.iter().any(|(_, _, id)| id == round);
    if let Some(unknown) = arguments.rounds.iter().find(|round| !known(round)) {
        return Err(Failure::new(
            format!("không có đợt khảo sát {unknown}"),
            format!("there is no round {unknown}"),
        ));
    }
    let in_rounds = |round: &Uuid| arguments.rounds.is_empty() || arguments.rounds.contains(round);
    let known = |hamlet: &String| rows.iter().any(|(_, code, round)| code == hamlet && in_rounds(round));
    if let Some(unknown) = arguments.hamlets.iter().find(|hamlet| !known(hamlet)) {
        return Err(Failure::new(
            format!("không có ấp, khu phố mã {unknown} trong các đợt khảo sát này"),
            format!("these rounds have no hamlet {unknown}"),
        ));
    }
    let wanted = rows.iter().filter(|(_, code, round)| {
        in_rounds(round) && (arguments.hamlets.is_empty() || arguments.hamlets.contains(code))
    });
    Ok(wanted.map(|(key, _, _)| *key).collect())
}
