//! How soon a change is a figure on a page, and what recomputing everything costs.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use indicators::summary::PsuSummary;
use khaosat::estimates::{Live, LiveRound, Measures, Reduced};
use survey_forms::answers::{AnswerPath, Answers as _, AnswersMut as _};
use sync_core::Change;
use sync_core::exchange::{Limits, SyncResponse, wire};
use sync_core::identity::ResponseId;
use sync_core::response::Response;
use uuid::Uuid;

use super::figures::Page;
use super::province::{self, Row};
use super::survey::{Assignment, QUESTION, ROSTER, Survey, another};
use super::table::{Better, Comparison};
use crate::installation::Server;

/// Households whose answers are in the figures.
const HOUSEHOLDS: u64 = 10_000;
/// Phones that deliver them.
const PHONES: u16 = 20;
/// Corrections that are followed to the page.
const CORRECTIONS: usize = 40;
/// Repetitions of recomputing everything.
const REPETITIONS: usize = 3;
/// Repetitions of what takes milliseconds.
const SHORT_REPETITIONS: usize = 9;

/// What the database holds of one response.
struct Logged {
    id: ResponseId,
    hamlet_key: i64,
    changes: Vec<Vec<u8>>,
}

/// Measures.
pub fn measure() -> Vec<Comparison> {
    let survey = Survey::new(HOUSEHOLDS);
    let server = survey.serve();
    let mut assignments = survey.enrol(&server, PHONES);
    survey.interview(&mut assignments, usize::MAX);
    thread::scope(|scope| {
        for assignment in &mut assignments {
            scope.spawn(|| assignment.phone.sync());
        }
    });
    let overview = server.current_overview();
    assert_eq!(overview["coverage"]["received"], HOUSEHOLDS);

    let mut comparisons = vec![time_to_page(&server, &mut assignments[0])];
    server.current_overview();
    server.kill();
    comparisons.extend(recomputation(&survey));
    comparisons
}

/// From the acknowledgement of a correction to the page that contains it, against the exchange itself.
fn time_to_page(server: &Server, assignment: &mut Assignment) -> Comparison {
    let page = Page::open(server.address);
    let (phone, units) = (&mut assignment.phone, &assignment.units);
    let mut pairs = Vec::new();
    for unit in units.iter().cycle().take(CORRECTIONS + 1) {
        let answers = phone.open(unit).read().answers;
        let path = AnswerPath::within(&answers.instances(ROSTER, None)[0], QUESTION);
        let after = another(answers.answer(&path));
        phone.edit(unit, |edit| edit.put_answer(&path, &after)).unwrap();
        let request = wire::encode(&phone.client.request(&phone.key, 0, usize::MAX)).unwrap();
        let start = Instant::now();
        let answer = phone.post(&request);
        let acknowledged = Instant::now();
        let response: SyncResponse = wire::decode(&answer.body, &Limits::default()).unwrap();
        assert_eq!(response.accepted, 1);
        let sequence = i64::try_from(response.cursor.unwrap().sequence()).unwrap();
        phone.client.receive(response, 0);
        page.show(sequence);
        let shown = Instant::now();
        pairs.push((milliseconds(acknowledged, shown), milliseconds(start, acknowledged)));
    }
    // The first one opens connections and fills caches.
    pairs.remove(0);
    Comparison {
        what: format!("acknowledged → event → page fetched again ({HOUSEHOLDS} households)"),
        against: "the sync request itself".to_owned(),
        unit: "ms",
        better: Better::Lower,
        pairs,
    }
}

/// Projections, sums and estimates from nothing, against one household's update and against R.
fn recomputation(survey: &Survey) -> Vec<Comparison> {
    let store = survey.store();
    let runtime = survey.runtime();
    let live = runtime.block_on(Live::load(&store)).unwrap();
    let rounds = runtime.block_on(live.read());
    let live = &rounds[0];
    let logged = runtime.block_on(logged(&store.readers));
    assert_eq!(logged.len() as u64, HOUSEHOLDS);
    let (frame, strata) = runtime.block_on(frame(&store.readers));

    let mut projected = Vec::new();
    let mut households: Vec<Reduced> = Vec::new();
    for _ in 0..REPETITIONS {
        let start = Instant::now();
        households = logged.iter().map(|logged| project(logged, &live.measures)).collect();
        let summaries = sums(&logged, &households, live, &frame);
        let all = milliseconds(start, Instant::now());
        assert_eq!(summaries, live.summaries(), "the figures must be those of the server");
        let mut summaries = summaries;
        projected.push((
            update_one(&logged[0], &households[0], live, &frame, &mut summaries),
            all,
        ));
    }

    let root = live.tree.find(&live.round.root_code).unwrap();
    let hamlet = live.tree.nodes().iter().position(|node| node.children.is_empty());
    let path = live.tree.path(hamlet.unwrap());
    let nodes: Vec<usize> = (0..live.tree.nodes().len()).collect();
    let evaluated = (0..SHORT_REPETITIONS)
        .map(|_| (evaluate(live, &path), evaluate(live, &nodes)))
        .collect();

    let mut comparisons = vec![
        comparison(
            "one household projected, its sums updated".to_owned(),
            format!("all {HOUSEHOLDS} projected from change bytes, all sums"),
            projected,
        ),
        comparison(
            format!("estimates of a hamlet's {} units evaluated", path.len()),
            format!("whole tree: {} units × {} indicators", nodes.len(), live.measures.len()),
            evaluated,
        ),
    ];
    if province::available() {
        let rows = rows(&logged, &households, &frame, &strata);
        let answer = province::estimate(survey.folder(), &rows, REPETITIONS);
        let pairs = answer
            .seconds
            .iter()
            .map(|seconds| {
                let start = Instant::now();
                black_box(sums(&logged, &households, live, &frame));
                let summed = milliseconds(start, Instant::now());
                (summed + evaluate(live, &[root]), seconds * 1e3)
            })
            .collect();
        for (measured, (point, standard_error)) in answer.estimates.iter().enumerate() {
            let estimate = live.estimate(root, measured).unwrap().estimate;
            assert_close(estimate.point.unwrap(), *point);
            assert_close(estimate.standard_error.unwrap(), *standard_error);
        }
        comparisons.push(comparison(
            format!(
                "province: sums of {HOUSEHOLDS} households, {} estimates with variance and interval",
                live.measures.len()
            ),
            "R survey: svydesign and svyratio on the same table".to_owned(),
            pairs,
        ));
    } else {
        eprintln!("estimates: without Rscript and its package survey there is no comparison with R");
    }
    drop(rounds);
    runtime.block_on(store.close());
    comparisons
}

fn comparison(what: String, against: String, pairs: Vec<(f64, f64)>) -> Comparison {
    Comparison {
        what,
        against,
        unit: "ms",
        better: Better::Lower,
        pairs,
    }
}

fn milliseconds(from: Instant, to: Instant) -> f64 {
    (to - from).as_secs_f64() * 1e3
}

fn assert_close(ours: f64, expected: f64) {
    assert!(
        (ours - expected).abs() <= 1e-9 * expected.abs(),
        "{ours:e} here, {expected:e} in R"
    );
}

/// The log, response by response.
async fn logged(readers: &sqlx::SqlitePool) -> Vec<Logged> {
    let rows: Vec<(i64, Uuid, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT response_key, response.id, response.hamlet_key, change_log.bytes FROM change_log
         JOIN response USING (response_key) ORDER BY change_log.seq",
    )
    .fetch_all(readers)
    .await
    .unwrap();
    let mut responses: BTreeMap<i64, Logged> = BTreeMap::new();
    for (key, id, hamlet_key, bytes) in rows {
        let response = responses.entry(key).or_insert_with(|| Logged {
            id: ResponseId(id),
            hamlet_key,
            changes: Vec::new(),
        });
        response.changes.push(bytes);
    }
    responses.into_values().collect()
}

/// A hamlet of the frame.
struct FrameHamlet {
    /// Its place among the hamlets.
    place: usize,
    stratum: String,
    households: u64,
}

/// The frame's hamlets by the database's number, and how many hamlets each stratum has.
async fn frame(readers: &sqlx::SqlitePool) -> (BTreeMap<i64, FrameHamlet>, BTreeMap<String, u64>) {
    let rows: Vec<(i64, String, i64)> =
        sqlx::query_as("SELECT hamlet_key, stratum, households FROM frame_hamlet ORDER BY code")
            .fetch_all(readers)
            .await
            .unwrap();
    let mut strata: BTreeMap<String, u64> = BTreeMap::new();
    let mut hamlets = BTreeMap::new();
    for (place, (key, stratum, households)) in rows.into_iter().enumerate() {
        *strata.entry(stratum.clone()).or_default() += 1;
        let households = households.unsigned_abs();
        hamlets.insert(
            key,
            FrameHamlet {
                place,
                stratum,
                households,
            },
        );
    }
    (hamlets, strata)
}

fn project(logged: &Logged, measures: &Arc<Measures>) -> Reduced {
    let changes = logged
        .changes
        .iter()
        .map(|bytes| Change::try_from(bytes.as_slice()).unwrap());
    let response = Response::with_changes(logged.id, changes).unwrap();
    measures.reduce(&response.read())
}

fn sums(
    logged: &[Logged],
    households: &[Reduced],
    live: &LiveRound,
    frame: &BTreeMap<i64, FrameHamlet>,
) -> Vec<PsuSummary> {
    let mut summaries = vec![PsuSummary::new(live.measures.len()); frame.len()];
    for (logged, household) in logged.iter().zip(households) {
        if let Some(contributions) = household.contributions() {
            summaries[frame[&logged.hamlet_key].place].add(&contributions).unwrap();
        }
    }
    summaries
}

/// Milliseconds to project one household anew and replace what it counts.
fn update_one(
    logged: &Logged,
    before: &Reduced,
    live: &LiveRound,
    frame: &BTreeMap<i64, FrameHamlet>,
    summaries: &mut [PsuSummary],
) -> f64 {
    let before = before.contributions();
    let place = frame[&logged.hamlet_key].place;
    // Once to warm up.
    project(logged, &live.measures);
    let start = Instant::now();
    let after = project(logged, &live.measures).contributions();
    summaries[place].apply(before.as_deref(), after.as_deref()).unwrap();
    milliseconds(start, Instant::now())
}

/// Milliseconds to estimate every indicator for these units.
fn evaluate(live: &LiveRound, nodes: &[usize]) -> f64 {
    let start = Instant::now();
    for node in nodes {
        for measured in 0..live.measures.len() {
            black_box(live.estimate(*node, measured));
        }
    }
    milliseconds(start, Instant::now())
}

fn rows(
    logged: &[Logged],
    households: &[Reduced],
    frame: &BTreeMap<i64, FrameHamlet>,
    strata: &BTreeMap<String, u64>,
) -> Vec<Row> {
    logged
        .iter()
        .zip(households)
        .filter_map(|(logged, household)| {
            let hamlet = &frame[&logged.hamlet_key];
            Some(Row {
                stratum: strata.keys().position(|stratum| *stratum == hamlet.stratum)?,
                hamlet: hamlet.place,
                stratum_hamlets: strata[&hamlet.stratum],
                hamlet_households: hamlet.households,
                contributions: household.contributions()?,
            })
        })
        .collect()
}
