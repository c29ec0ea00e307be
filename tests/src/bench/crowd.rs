//! Hundreds of phones that find their signal at the same moment, against a few that deliver as much: memory, time, and
//! whether anything is lost.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use sync_core::exchange::{Limits, SyncResponse, wire};

use super::survey::{Assignment, Survey};
use super::table::{Better, Comparison};
use crate::installation::Server;
use crate::process::{peak_memory, processor_seconds};

/// Phones at once.
const CROWD: u16 = 500;
/// Phones of the baseline.
const FEW: u16 = 20;
/// Households that are surveyed, by many phones or by few.
const HOUSEHOLDS: u64 = 10_000;
/// Uncompressed bytes of a request at most, so that few phones do not deliver everything in one.
const PIECE_BYTES: usize = 64 << 10;
/// Measured repetitions.
const REPETITIONS: usize = 3;
/// How long a phone that was refused or cut off waits before it tries again.
const PATIENCE: Duration = Duration::from_millis(200);

/// What it took until every phone was done.
#[derive(Debug, Clone, Copy)]
struct Cost {
    seconds: f64,
    /// Bytes of the server's memory at most, and before the phones came.
    memory: f64,
    memory_before: f64,
    /// Seconds of processor time of the server.
    processor: f64,
    responses: usize,
    /// Requests without an answer, and answers that were none.
    cut_off: usize,
    turned_away: usize,
}

/// Measures by turns, each time with a new server.
pub fn measure() -> Vec<Comparison> {
    let mut costs: Vec<(Cost, Cost)> = Vec::new();
    for _ in 0..REPETITIONS {
        let pair = [CROWD, FEW].map(|phones| {
            let cost = deliver(phones);
            eprintln!(
                "crowd: {phones} phones: {:.1} s, {} times cut off, {} turned away",
                cost.seconds, cost.cut_off, cost.turned_away
            );
            cost
        });
        costs.push(pair.into());
    }
    let comparison = |what: &str, unit, of: &dyn Fn(&Cost) -> f64| Comparison {
        what: format!("{CROWD} phones at once, {HOUSEHOLDS} households: {what}"),
        against: format!("{FEW} phones"),
        unit,
        better: Better::Lower,
        pairs: costs.iter().map(|(crowd, few)| (of(crowd), of(few))).collect(),
    };
    vec![
        comparison("until everything is delivered and read", "s", &|cost| cost.seconds),
        comparison("most memory of the server", "MB", &|cost| cost.memory / 1e6),
        comparison("of it for the phones", "MB", &|cost| {
            (cost.memory - cost.memory_before) / 1e6
        }),
        comparison("processor time, projection included", "ms/response", &|cost| {
            cost.processor / cost.responses as f64 * 1e3
        }),
    ]
}

/// Lets phones with all their households' first answers call at the same moment, each over a connection of its own.
fn deliver(phones: u16) -> Cost {
    let survey = Survey::new(HOUSEHOLDS);
    let server = survey.serve();
    let mut assignments = survey.enrol(&server, phones);
    survey.interview(&mut assignments, usize::MAX);
    let responses = assignments.iter().map(|assignment| assignment.units.len()).sum();
    // The connections over which they enrolled are of no use any more, as after days without a signal.
    server.current_overview();
    let memory_before = peak_memory(server.id()).unwrap_or(f64::NAN);
    let processor_before = processor_seconds(server.id());
    let start = Barrier::new(assignments.len() + 1);
    let (tries, seconds) = thread::scope(|scope| {
        let calling: Vec<_> = assignments
            .iter_mut()
            .map(|assignment| scope.spawn(|| call(assignment, &start)))
            .collect();
        start.wait();
        let begun = Instant::now();
        let tries: Vec<(usize, usize)> = calling.into_iter().map(|phone| phone.join().unwrap()).collect();
        (tries, begun.elapsed().as_secs_f64())
    });
    let memory = peak_memory(server.id()).unwrap_or(f64::NAN);
    let overview = server.current_overview();
    let processor = processor_seconds(server.id());
    assert_delivered(&survey, &server, responses, &overview);
    Cost {
        seconds,
        memory,
        memory_before,
        processor: processor
            .zip(processor_before)
            .map_or(f64::NAN, |(after, before)| after - before),
        responses,
        cut_off: tries.iter().map(|(cut_off, _)| cut_off).sum(),
        turned_away: tries.iter().map(|(_, turned_away)| turned_away).sum(),
    }
}

/// Exchanges until the phone is done, and gives how often it was cut off and turned away.
fn call(assignment: &mut Assignment, start: &Barrier) -> (usize, usize) {
    let phone = &mut assignment.phone;
    // The first request is written before the signal comes.
    let mut request = wire::encode(&phone.client.request(&phone.key, 0, PIECE_BYTES)).unwrap();
    let (mut cut_off, mut turned_away) = (0, 0);
    start.wait();
    loop {
        match phone.try_post(&request) {
            Ok(answer) if answer.status == 200 => {
                let response: SyncResponse = wire::decode(&answer.body, &Limits::default()).unwrap();
                assert_eq!(response.refused, []);
                if phone.client.receive(response, 0).whole_log {
                    phone.offer();
                }
                if !phone.client.pending() {
                    return (cut_off, turned_away);
                }
                request = wire::encode(&phone.client.request(&phone.key, 0, PIECE_BYTES)).unwrap();
            }
            Ok(answer) => {
                assert_eq!(answer.status, 503, "{}", String::from_utf8_lossy(&answer.body));
                turned_away += 1;
                thread::sleep(PATIENCE);
            }
            Err(_) => {
                cut_off += 1;
                thread::sleep(PATIENCE);
            }
        }
    }
}

/// Everything is in the log, and in the figures.
fn assert_delivered(survey: &Survey, server: &Server, responses: usize, overview: &serde_json::Value) {
    assert_eq!(overview["freshness"]["sequence"], responses, "{}", server.address);
    let store = survey.store();
    let logged: i64 = survey.runtime().block_on(async {
        let counted = sqlx::query_scalar("SELECT COUNT(DISTINCT response_key) FROM change_log");
        counted.fetch_one(&store.readers).await.unwrap()
    });
    survey.runtime().block_on(store.close());
    assert_eq!(logged as usize, responses);
}
