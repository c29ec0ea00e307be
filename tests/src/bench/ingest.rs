//! Durable ingest: many phones deliver at once to a real server over HTTP, against bare inserts of the same bytes into
//! SQLite on the same disk.

use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Executor as _};
use sync_core::Change;
use sync_core::exchange::{Client, Limits, OutgoingChange, SyncResponse, wire};

use super::survey::{Assignment, Survey};
use super::table::{Better, Comparison, Spread};
use crate::installation::Server;
use crate::phone::{Answer, Phone};

/// Phones that deliver at the same time.
const PHONES: u8 = 20;
/// Responses in one exchange of a phone.
const PIECE: usize = 10;
/// Exchanges of each phone in one repetition, one after another.
const PIECES: usize = 5;
/// Measured repetitions; one more goes before them to warm up.
const REPETITIONS: usize = 7;
/// Households in the survey, so many that every phone finds enough in its hamlets.
const HOUSEHOLDS: u64 = 10_000;

/// Encoded requests of one phone, and the bytes of the changes in each.
type Prepared = Vec<(Vec<u8>, Vec<Vec<u8>>)>;

/// Measures responses per second.
pub fn measure() -> Vec<Comparison> {
    let survey = Survey::new(HOUSEHOLDS);
    let server = survey.serve();
    let mut assignments = survey.enrol(&server, PHONES);
    let rounds = REPETITIONS + 1;
    let changes = survey.interview(&mut assignments, 1 + PIECE * PIECES * rounds);
    let prepared: Vec<Prepared> = assignments
        .iter_mut()
        .zip(&changes)
        .map(|(assignment, changes)| prepare(&mut assignment.phone, changes))
        .collect();
    assert!(
        prepared.iter().all(|requests| requests.len() == PIECES * rounds),
        "a phone has too few households"
    );

    let runtime = survey.runtime();
    let mut baseline = runtime.block_on(open(&survey.folder().join("baseline.db")));
    let (mut each, mut together) = (Vec::new(), Vec::new());
    let mut busy = Vec::new();
    for repetition in 0..rounds {
        let pieces = repetition * PIECES..(repetition + 1) * PIECES;
        let bytes: Vec<&[u8]> = prepared
            .iter()
            .flat_map(|requests| requests[pieces.clone()].iter())
            .flat_map(|(_, changes)| changes.iter().map(Vec::as_slice))
            .collect();
        let responses = bytes.len() as f64;
        let before = processor_seconds(&server);
        let ours = responses / deliver(&assignments, &prepared, pieces);
        // The server projects what it has acknowledged; that is its own work and must not disturb the baseline.
        server.current_overview();
        let after = processor_seconds(&server);
        let one_by_one = responses / runtime.block_on(insert_each(&mut baseline, &bytes));
        let at_once = responses / runtime.block_on(insert_together(&mut baseline, &bytes));
        if repetition > 0 {
            each.push((ours, one_by_one));
            together.push((ours, at_once));
            busy.extend(
                before
                    .zip(after)
                    .map(|(before, after)| (after - before) / responses * 1e3),
            );
        }
    }
    runtime.block_on(baseline.close()).unwrap();
    if !busy.is_empty() {
        let busy = Spread::of(busy);
        eprintln!(
            "ingest: processor time of the server, projection included, {:.2} ms ({:.2}–{:.2}) a response",
            busy.median, busy.least, busy.greatest
        );
    }
    let what = format!("{PHONES} phones, {PIECE} responses a request");
    let comparison = |against: &str, pairs| Comparison {
        what: what.clone(),
        against: against.to_owned(),
        unit: "responses/s",
        better: Better::Higher,
        pairs,
    };
    vec![
        comparison("bare inserts, a transaction each", each),
        comparison("bare inserts, one transaction", together),
    ]
}

/// The requests of a phone, each signed and encoded beforehand: that is the phone's work, done on another machine.
///
/// Its first response is delivered at once, so that the phone has a cursor as any phone in use: one without gets what it
/// wrote itself too.
fn prepare(phone: &mut Phone, changes: &[(String, Change)]) -> Prepared {
    let round = phone.round();
    let outgoing = |(unit, change): &(String, Change)| OutgoingChange {
        round,
        unit: unit.clone(),
        change: change.clone(),
    };
    phone.client = Client::default();
    phone.client.enqueue(outgoing(&changes[0]));
    phone.sync();
    let state = phone.client.state();
    changes[1..]
        .chunks_exact(PIECE)
        .map(|piece| {
            let mut client = Client::new(state);
            piece.iter().map(outgoing).for_each(|change| client.enqueue(change));
            let request = client.request(&phone.key, 0, usize::MAX);
            let bytes = piece.iter().map(|(_, change)| change.raw_bytes().to_vec()).collect();
            (wire::encode(&request).unwrap(), bytes)
        })
        .collect()
}

/// Delivers these pieces of every phone at the same time, and gives the seconds until the last acknowledgement.
fn deliver(assignments: &[Assignment], prepared: &[Prepared], pieces: std::ops::Range<usize>) -> f64 {
    let start = Barrier::new(assignments.len() + 1);
    let answers: Vec<Answer>;
    let seconds;
    (answers, seconds) = thread::scope(|scope| {
        let phones: Vec<_> = assignments
            .iter()
            .zip(prepared)
            .map(|(assignment, requests)| {
                let (start, pieces) = (&start, pieces.clone());
                scope.spawn(move || {
                    start.wait();
                    requests[pieces]
                        .iter()
                        .map(|(body, _)| assignment.phone.post(body))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        start.wait();
        let started = Instant::now();
        let answers = phones
            .into_iter()
            .flat_map(|phone| phone.join().unwrap())
            .collect::<Vec<_>>();
        (answers, started.elapsed().as_secs_f64())
    });
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let response: SyncResponse = wire::decode(&answer.body, &Limits::default()).unwrap();
        assert_eq!(response.accepted as usize, PIECE);
    }
    seconds
}

/// A database as durable as the server's.
async fn open(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection
        .execute("CREATE TABLE change (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")
        .await
        .unwrap();
    connection
}

async fn insert(connection: &mut SqliteConnection, bytes: &[u8]) {
    sqlx::query("INSERT INTO change (bytes) VALUES ($1)")
        .bind(bytes)
        .execute(connection)
        .await
        .unwrap();
}

async fn insert_each(connection: &mut SqliteConnection, changes: &[&[u8]]) -> f64 {
    let start = Instant::now();
    for bytes in changes {
        insert(connection, bytes).await;
    }
    start.elapsed().as_secs_f64()
}

async fn insert_together(connection: &mut SqliteConnection, changes: &[&[u8]]) -> f64 {
    let start = Instant::now();
    let mut transaction = connection.begin().await.unwrap();
    for bytes in changes {
        insert(&mut transaction, bytes).await;
    }
    transaction.commit().await.unwrap();
    start.elapsed().as_secs_f64()
}

/// The processor time that the server has used so far, in seconds; none where the system does not tell (proc(5)).
fn processor_seconds(server: &Server) -> Option<f64> {
    /// Clock ticks in a second, as on every Linux.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.id())).ok()?;
    // The second field is the program's name in parentheses; user and system time are the 14th and 15th.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}
