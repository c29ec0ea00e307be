//! Half a million stored responses: does ingest slow down, what do they weigh, and how long does a server take to start.
//!
//! Two servers have the same round, phones and first responses; to one of them are added, in SQL, as many responses as a
//! province with every household surveyed would have. What is added are rows as the server writes them, in the same order
//! and of the same sizes, copied from responses that were delivered, with identities and hashes of their own and marks
//! that follow from them. Delivering looks at nothing of other responses than that they are there; the copies' changes
//! could not be opened, since each names the genesis of the response that it was copied from.

use std::path::Path;
use std::time::Instant;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sync_core::exchange::{ClientState, Cursor, LogMark};
use sync_core::{Change, ChangeHash};

use super::ingest::{PHONES, PIECE, PIECES, Prepared, REPETITIONS, deliver, introduce, prepare};
use super::survey::{Assignment, Survey};
use super::table::{Better, Comparison};
use crate::installation::{Server, free_address};
use crate::process::{peak_memory, processor_seconds};

/// Responses that both servers have at first.
const FEW: usize = 1_000;
/// Responses that one of them has.
const MANY: usize = 500_000;
/// Of these, how many are written in one transaction.
const TRANSACTION: usize = 20_000;
/// Households in the survey, so many that every phone finds enough in its hamlets.
const HOUSEHOLDS: u64 = 12_000;
/// Measured starts of each server.
const STARTS: usize = 5;

/// Measures by turns on both servers.
pub fn measure() -> Vec<Comparison> {
    let survey = Survey::new(HOUSEHOLDS);
    let few = survey.data();
    let many = survey.folder().join("many");
    let server = survey.serve();
    let mut assignments = survey.enrol(&server, PHONES);
    let (first, rounds) = (FEW / usize::from(PHONES), REPETITIONS + 1);
    let changes = survey.interview(&mut assignments, first + PIECE * PIECES * rounds);
    for (assignment, changes) in assignments.iter_mut().zip(&changes) {
        for piece in changes[..first].chunks(PIECE) {
            introduce(&mut assignment.phone, piece);
        }
    }
    server.current_overview();
    server.kill();
    copy(&few, &many);
    let begun = Instant::now();
    survey.runtime().block_on(fill(&many));
    eprintln!(
        "large: {MANY} responses written in {:.0} s",
        begun.elapsed().as_secs_f64()
    );

    let folders = [&many, &few];
    let [many_bytes, few_bytes] = folders.map(|folder| survey.runtime().block_on(size(folder)));
    let added = (MANY - FEW) as f64;
    let mut comparisons = vec![Comparison {
        what: "the database".to_owned(),
        against: "the bytes of the changes in it".to_owned(),
        unit: "bytes/response",
        better: Better::Lower,
        pairs: vec![(
            (many_bytes.database - few_bytes.database) / added,
            (many_bytes.changes - few_bytes.changes) / added,
        )],
    }];

    let starts = (0..STARTS).map(|_| {
        let [many, few] = folders.map(|folder| start(folder).1);
        (many, few)
    });
    comparisons.push(against_few("from start to the first answer", "s", starts.collect()));

    let servers = folders.map(|folder| start(folder).0);
    let memory = || servers.each_ref().map(|server| peak_memory(server.id()));
    let pair = |[many, few]: [Option<f64>; 2]| many.zip(few).map(|(many, few)| (many / 1e6, few / 1e6));
    comparisons.extend(pair(memory()).map(|pair| against_few("most memory until the first answer", "MB", vec![pair])));

    let states = folders.map(|folder| survey.runtime().block_on(end(folder)));
    let prepared = states.map(|state| requests(&assignments, state, &changes, first));
    let (mut rates, mut busy) = (Vec::new(), Vec::new());
    for repetition in 0..rounds {
        let pieces = repetition * PIECES..(repetition + 1) * PIECES;
        let responses = (usize::from(PHONES) * PIECES * PIECE) as f64;
        let mut measured = [(0.0, None); 2];
        // By turns also in who comes first.
        for place in if repetition % 2 == 0 { [0, 1] } else { [1, 0] } {
            let server = &servers[place];
            for assignment in &mut assignments {
                assignment.phone.move_to(server.address);
            }
            let before = processor_seconds(server.id());
            let rate = responses / deliver(&assignments, &prepared[place], pieces.clone());
            let overview = server.current_overview();
            let after = processor_seconds(server.id());
            let logged = [MANY, FEW][place] + (repetition + 1) * usize::from(PHONES) * PIECES * PIECE;
            assert_eq!(
                overview["freshness"]["sequence"], logged,
                "what is measured is new to the log"
            );
            measured[place] = (
                rate,
                before
                    .zip(after)
                    .map(|(before, after)| (after - before) / responses * 1e3),
            );
        }
        eprintln!("large: {measured:?}");
        if repetition > 0 {
            let [(many, many_busy), (few, few_busy)] = measured;
            rates.push((many, few));
            busy.extend(many_busy.zip(few_busy));
        }
    }
    comparisons.push(Comparison {
        better: Better::Higher,
        ..against_few(
            &format!("{PHONES} phones, {PIECE} responses a request"),
            "responses/s",
            rates,
        )
    });
    if !busy.is_empty() {
        comparisons.push(against_few("processor time, projection included", "ms/response", busy));
    }
    comparisons.extend(pair(memory()).map(|pair| against_few("most memory in all", "MB", vec![pair])));
    comparisons
}

fn against_few(what: &str, unit: &'static str, pairs: Vec<(f64, f64)>) -> Comparison {
    Comparison {
        what: format!("{MANY} responses stored: {what}"),
        against: format!("{FEW} stored at first"),
        unit,
        better: Better::Lower,
        pairs,
    }
}

/// Starts a server, and gives it with the seconds until it shows figures of all that its log has.
fn start(data: &Path) -> (Server, f64) {
    let begun = Instant::now();
    let server = Server::start(data, free_address());
    server.current_overview();
    (server, begun.elapsed().as_secs_f64())
}

/// The requests of all phones after their `first` changes, when they have read the log to its end.
fn requests(
    assignments: &[Assignment],
    state: ClientState,
    changes: &[Vec<(String, Change)>],
    first: usize,
) -> Vec<Prepared> {
    let prepared: Vec<Prepared> = assignments
        .iter()
        .zip(changes)
        .map(|(assignment, changes)| prepare(&assignment.phone, state, &changes[first..]))
        .collect();
    let pieces = PIECES * (REPETITIONS + 1);
    assert!(
        prepared.iter().all(|requests| requests.len() == pieces),
        "a phone has too few households"
    );
    prepared
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

async fn open(data: &Path) -> SqliteConnection {
    let database = khaosat::store::DataFolder::open(data).unwrap().database();
    let options = SqliteConnectOptions::new()
        .filename(database)
        .journal_mode(SqliteJournalMode::Wal);
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// What a database weighs.
struct Size {
    database: f64,
    changes: f64,
}

async fn size(data: &Path) -> Size {
    let mut connection = open(data).await;
    let (pages, page): (i64, i64) =
        sqlx::query_as("SELECT page_count, page_size FROM pragma_page_count(), pragma_page_size()")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    let changes: i64 = sqlx::query_scalar("SELECT SUM(LENGTH(bytes)) FROM change_log")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    Size {
        database: (pages * page) as f64,
        changes: changes as f64,
    }
}

/// What a phone remembers that has read the log to its end.
async fn end(data: &Path) -> ClientState {
    let mut connection = open(data).await;
    let (seq, mark): (i64, Vec<u8>) = sqlx::query_as("SELECT seq, mark FROM change_log ORDER BY seq DESC LIMIT 1")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    ClientState {
        cursor: Some(Cursor(seq.unsigned_abs(), LogMark(mark.try_into().unwrap()))),
        acknowledged: None,
        caught_up: true,
    }
}

/// A stored response, as rows are copied from it.
struct Stored {
    round_key: i64,
    hamlet_key: i64,
    device_key: i64,
    author_seq: i64,
    received_at: i64,
    clock_ahead: Option<i64>,
    bytes: Vec<u8>,
    conflicts: i64,
    reduced: Vec<u8>,
}

async fn stored(connection: &mut SqliteConnection) -> Vec<Stored> {
    type Row = (i64, i64, i64, i64, i64, Option<i64>, Vec<u8>, i64, Vec<u8>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT projection.round_key, change_log.hamlet_key, device_key, author_seq, received_at, clock_ahead, bytes,
             conflicts, reduced
         FROM change_log JOIN projection USING (response_key) ORDER BY seq",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    rows.into_iter()
        .map(
            |(round_key, hamlet_key, device_key, author_seq, received_at, clock_ahead, bytes, conflicts, reduced)| {
                Stored {
                    round_key,
                    hamlet_key,
                    device_key,
                    author_seq,
                    received_at,
                    clock_ahead,
                    bytes,
                    conflicts,
                    reduced,
                }
            },
        )
        .collect()
}

/// Adds responses until there are [`MANY`].
async fn fill(data: &Path) {
    let mut connection = open(data).await;
    let stored = stored(&mut connection).await;
    assert_eq!(stored.len(), FEW);
    let (last, mark): (i64, Vec<u8>) = sqlx::query_as("SELECT seq, mark FROM change_log ORDER BY seq DESC LIMIT 1")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let mut log = (last, LogMark(mark.try_into().unwrap()));
    let mut random = ChaCha8Rng::seed_from_u64(MANY as u64);
    let numbers: Vec<usize> = (FEW..MANY).collect();
    for numbers in numbers.chunks(TRANSACTION) {
        let mut transaction = connection.begin().await.unwrap();
        for piece in numbers.chunks(PIECE) {
            let copied: Vec<(usize, &Stored)> = piece.iter().map(|number| (*number, &stored[number % FEW])).collect();
            add(&mut transaction, &copied, &mut log, &mut random).await;
        }
        transaction.commit().await.unwrap();
    }
    // A frame that holds them all.
    sqlx::query("UPDATE frame_hamlet SET households = households + $1")
        .bind(MANY as i64)
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::query("UPDATE projection_progress SET seq = $1")
        .bind(log.0)
        .execute(&mut connection)
        .await
        .unwrap();
    // The last connection brings the write-ahead log into the file.
    connection.close().await.unwrap();
}

/// Writes copies of responses as one request of a phone brings them, with their numbers.
async fn add(
    connection: &mut SqliteConnection,
    piece: &[(usize, &Stored)],
    (seq, mark): &mut (i64, LogMark),
    random: &mut ChaCha8Rng,
) {
    let mut hashes = vec![ChangeHash([0; 32]); piece.len()];
    hashes.iter_mut().for_each(|hash| random.fill_bytes(&mut hash.0));
    let mut signature = [0; 64];
    random.fill_bytes(&mut signature);
    let attestation_key: i64 = sqlx::query_scalar(
        "INSERT INTO attestation (device_key, hashes, signature) VALUES ($1, $2, $3) RETURNING attestation_key",
    )
    .bind(piece[0].1.device_key)
    .bind(hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>())
    .bind(signature.as_slice())
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    for ((number, stored), hash) in piece.iter().zip(&hashes) {
        let mut id = [0; 16];
        random.fill_bytes(&mut id);
        // As long as the codes of the households that were drawn.
        let unit = format!("99999-{:02}-{:04}", number / 10_000, number % 10_000);
        let address = format!("Số nhà {number}");
        sqlx::query("INSERT INTO sampled_unit (round_key, code, hamlet_key, address) VALUES ($1, $2, $3, $4)")
            .bind(stored.round_key)
            .bind(&unit)
            .bind(stored.hamlet_key)
            .bind(address)
            .execute(&mut *connection)
            .await
            .unwrap();
        let response_key: i64 = sqlx::query_scalar(
            "INSERT INTO response (id, round_key, unit, hamlet_key) VALUES ($1, $2, $3, $4) RETURNING response_key",
        )
        .bind(id.as_slice())
        .bind(stored.round_key)
        .bind(unit)
        .bind(stored.hamlet_key)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        (*seq, *mark) = (*seq + 1, mark.then(hash));
        sqlx::query(
            "INSERT INTO change_log (response_key, hamlet_key, hash, device_key, author_seq, attestation_key,
                 received_at, clock_ahead, bytes, mark, seq)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(response_key)
        .bind(stored.hamlet_key)
        .bind(hash.0.as_slice())
        .bind(stored.device_key)
        .bind(stored.author_seq)
        .bind(attestation_key)
        .bind(stored.received_at)
        .bind(stored.clock_ahead)
        .bind(&stored.bytes)
        .bind(mark.0.as_slice())
        .bind(*seq)
        .execute(&mut *connection)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO projection (response_key, hamlet_key, round_key, conflicts, reduced) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(response_key)
        .bind(stored.hamlet_key)
        .bind(stored.round_key)
        .bind(stored.conflicts)
        .bind(&stored.reduced)
        .execute(&mut *connection)
        .await
        .unwrap();
    }
}
