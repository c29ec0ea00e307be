//! Durable ingest: many phones deliver at once to a real server over HTTP, against bare inserts of the same bytes into
//! SQLite on the same disk.

use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Executor as _};
use sync_core::Change;
use sync_core::exchange::{Client, ClientState, Limits, SyncResponse, wire};

use super::survey::{Assignment, Survey};
use super::table::{Better, Comparison};
use crate::phone::{Answer, Phone};
use crate::process::processor_seconds;

/// Phones that deliver at the same time.
pub(super) const PHONES: u16 = 20;
/// Responses in one exchange of a phone.
pub(super) const PIECE: usize = 10;
/// Exchanges of each phone in one repetition, one after another.
pub(super) const PIECES: usize = 5;
/// Measured repetitions; one more goes before them to warm up.
pub(super) const REPETITIONS: usize = 7;
/// Households in the survey, so many that every phone finds enough in its hamlets.
const HOUSEHOLDS: u64 = 10_000;

/// Encoded requests of one phone, and the bytes of the changes in each.
pub(super) type Prepared = Vec<(Vec<u8>, Vec<Vec<u8>>)>;

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
        .map(|(assignment, changes)| {
            let (first, others) = changes.split_at(1);
            let state = introduce(&mut assignment.phone, first);
            prepare(&assignment.phone, state, others)
        })
        .collect();
    assert!(
        prepared.iter().all(|requests| requests.len() == PIECES * rounds),
        "a phone has too few households"
    );

    let runtime = survey.runtime();
    let mut baseline = runtime.block_on(open(&survey.folder().join("baseline.db")));
    let (mut each, mut together) = (Vec::new(), Vec::new());
    let (mut busy, mut busy_each) = (Vec::new(), Vec::new());
    let own = std::process::id();
    let mut logged = server.current_overview()["freshness"]["sequence"].as_u64().unwrap();
    assert_eq!(logged, u64::from(PHONES), "one response of each phone is delivered");
    for repetition in 0..rounds {
        let pieces = repetition * PIECES..(repetition + 1) * PIECES;
        let bytes: Vec<&[u8]> = prepared
            .iter()
            .flat_map(|requests| requests[pieces.clone()].iter())
            .flat_map(|(_, changes)| changes.iter().map(Vec::as_slice))
            .collect();
        let responses = bytes.len() as f64;
        let before = processor_seconds(server.id());
        let ours = responses / deliver(&assignments, &prepared, pieces);
        // The server projects what it has acknowledged; that is its own work and must not disturb the baseline.
        let overview = server.current_overview();
        let after = processor_seconds(server.id());
        logged += bytes.len() as u64;
        assert_eq!(
            overview["freshness"]["sequence"], logged,
            "what is measured is new to the log"
        );
        let before_each = processor_seconds(own);
        let one_by_one = responses / runtime.block_on(insert_each(&mut baseline, &bytes));
        let after_each = processor_seconds(own);
        let at_once = responses / runtime.block_on(insert_together(&mut baseline, &bytes));
        if repetition > 0 {
            each.push((ours, one_by_one));
            together.push((ours, at_once));
            let milliseconds = |before: f64, after: f64| (after - before) / responses * 1e3;
            busy.extend(before.zip(after).map(|(before, after)| milliseconds(before, after)));
            let each = before_each.zip(after_each);
            busy_each.extend(each.map(|(before, after)| milliseconds(before, after)));
        }
    }
    runtime.block_on(baseline.close()).unwrap();
    let what = format!("{PHONES} phones, {PIECE} responses a request");
    let comparison = |against: &str, pairs| Comparison {
        what: what.clone(),
        against: against.to_owned(),
        unit: "responses/s",
        better: Better::Higher,
        pairs,
    };
    let mut comparisons = vec![
        comparison("bare inserts, a transaction each", each),
        comparison("bare inserts, one transaction", together),
    ];
    // The system counts in hundredths of a second, which the inserts in one transaction hardly take.
    if !busy.is_empty() {
        comparisons.push(Comparison {
            what: "processor time of the server, projection included".to_owned(),
            against: "bare inserts, a transaction each".to_owned(),
            unit: "ms/response",
            better: Better::Lower,
            pairs: busy.into_iter().zip(busy_each).collect(),
        });
    }
    comparisons
}

/// Lets a phone deliver changes, and gives what it remembers then: with a cursor, as any phone in use has one; a phone
/// without gets what it wrote itself too.
pub(super) fn introduce(phone: &mut Phone, changes: &[(String, Change)]) -> ClientState {
    phone.client = Client::default();
    // A phone that has read the log offers all that it has; what it is to deliver later must not be in its hands yet.
    phone.responses.clear();
    for (unit, change) in changes {
        let outgoing = phone.outgoing(unit, change);
        phone.client.enqueue(outgoing);
    }
    phone.sync();
    phone.client.state()
}

/// The requests of a phone that remembers this, each signed and encoded beforehand: that is the phone's work, done on
/// another machine.
pub(super) fn prepare(phone: &Phone, state: ClientState, changes: &[(String, Change)]) -> Prepared {
    changes
        .chunks_exact(PIECE)
        .map(|piece| {
            let mut client = Client::new(state);
            for (unit, change) in piece {
                client.enqueue(phone.outgoing(unit, change));
            }
            let request = client.request(&phone.key, 0, usize::MAX);
            let bytes = piece.iter().map(|(_, change)| change.raw_bytes().to_vec()).collect();
            (wire::encode(&request).unwrap(), bytes)
        })
        .collect()
}

/// Delivers these pieces of every phone at the same time, and gives the seconds until the last acknowledgement.
pub(super) fn deliver(assignments: &[Assignment], prepared: &[Prepared], pieces: std::ops::Range<usize>) -> f64 {
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
