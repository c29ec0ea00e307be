//! `khaosat bundle write`.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use serde::Serialize;
use serde_bytes::ByteBuf;
use sqlx::SqlitePool;
use sync_core::bundle::{BundleLimits, BundleWriter, RecipientKey};
use sync_core::device::{AttestationSignature, DevicePublicKey};
use sync_core::exchange::CarriedAttestation;
use sync_core::identity::RoundId;
use uuid::Uuid;

use super::{Failure, ReportFormat, print_json, write_new};
use crate::config::Config;
use crate::devices::InstallationKeys;
use crate::store::{DataFolder, Store, StoreError};
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

    let wanted = wanted_hamlets(&store.readers, &arguments).await?;
    let until = sync::log_head(&store.readers).await?;
    let mut attestations = Attestations::default();
    let mut last = i64::from(arguments.since);
    loop {
        let rows = entries(&store.readers, &wanted, last, until).await?;
        let Some(end) = rows.last().map(|row| row.seq) else {
            break;
        };
        attestations.load(&store.readers, &rows).await?;
        for row in &rows {
            let attestation = attestations.get(row.attestation_key)?;
            writer.add(RoundId(row.round), &row.unit, &row.bytes, attestation)?;
        }
        last = end;
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
        until,
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
        ),
    }
    Ok(())
}

/// The database's numbers of the hamlets to be written.
async fn wanted_hamlets(readers: &SqlitePool, arguments: &WriteArguments) -> Result<String, Failure> {
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
    let keys: Vec<i64> = rows
        .iter()
        .filter(|(_, code, round)| {
            in_rounds(round) && (arguments.hamlets.is_empty() || arguments.hamlets.contains(code))
        })
        .map(|(key, _, _)| *key)
        .collect();
    serde_json::to_string(&keys).map_err(|error| Failure::new(error.to_string(), error.to_string()))
}

/// One change of the log.
#[derive(Debug)]
struct Entry {
    seq: i64,
    round: Uuid,
    unit: String,
    bytes: Vec<u8>,
    attestation_key: i64,
}

async fn entries(readers: &SqlitePool, hamlets: &str, after: i64, until: i64) -> Result<Vec<Entry>, StoreError> {
    type Row = (i64, Uuid, String, Vec<u8>, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT change_log.seq, round.id, response.unit, change_log.bytes, change_log.attestation_key
         FROM change_log JOIN response USING (response_key) JOIN round USING (round_key)
         WHERE change_log.seq > $1 AND change_log.seq <= $2
             AND change_log.hamlet_key IN (SELECT value FROM json_each($3))
         ORDER BY change_log.seq LIMIT $4",
    )
    .bind(after)
    .bind(until)
    .bind(hamlets)
    .bind(PIECE)
    .fetch_all(readers)
    .await?;
    let entry = |(seq, round, unit, bytes, attestation_key)| Entry {
        seq,
        round,
        unit,
        bytes,
        attestation_key,
    };
    Ok(rows.into_iter().map(entry).collect())
}

/// The attestations of one piece.
#[derive(Debug, Default)]
struct Attestations(HashMap<i64, CarriedAttestation>);

impl Attestations {
    async fn load(&mut self, readers: &SqlitePool, rows: &[Entry]) -> Result<(), Failure> {
        let mut keys: Vec<i64> = rows.iter().map(|row| row.attestation_key).collect();
        keys.sort_unstable();
        keys.dedup();
        let json = serde_json::to_string(&keys).map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
        type Row = (i64, Vec<u8>, Vec<u8>, Vec<u8>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT attestation.attestation_key, device.public_key, attestation.hashes, attestation.signature
             FROM json_each($1) AS wanted JOIN attestation ON attestation.attestation_key = wanted.value
             JOIN device USING (device_key)",
        )
        .bind(json)
        .fetch_all(readers)
        .await?;
        self.0.clear();
        for (key, device, hashes, signature) in rows {
            let (Ok(device), Ok(signature)) = (device.try_into(), signature.try_into()) else {
                return Err(damaged(format!("attestation {key} has a key or signature of a wrong length")).into());
            };
            let attestation = CarriedAttestation {
                device: DevicePublicKey(device),
                hashes: ByteBuf::from(hashes),
                signature: AttestationSignature(signature),
            };
            self.0.insert(key, attestation);
        }
        Ok(())
    }

    fn get(&self, key: i64) -> Result<&CarriedAttestation, StoreError> {
        self.0
            .get(&key)
            .ok_or_else(|| damaged(format!("there is no attestation {key}")))
    }
}

fn damaged(reason: String) -> StoreError {
    StoreError::Damaged {
        table: "attestation",
        reason,
    }
}
