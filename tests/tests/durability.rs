//! What was acknowledged is there after any death of the process, and figures do not depend on deaths.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use khaosat_tests::demonstration::{Demonstration, figures};
use khaosat_tests::installation::{Installation, Server, free_address, repository};
use khaosat_tests::phone::{Phone, agent};
use khaosat_tests::process::{Process, khaosat, run_to_end, signal};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use serde_json::Value;
use survey_forms::answers::{AnswerPath, AnswersMut as _};
use sync_core::ChangeHash;
use sync_core::exchange::{Client, Limits, SyncRequest, SyncResponse, wire};

/// The demo whose figures are compared. The pace only stretches it, so that there is a middle to die in.
const DEMO: [&str; 7] = ["--seed", "7", "--households", "480", "--once", "--pace", "150"];

/// The figures of the demo that nobody disturbs.
fn undisturbed() -> &'static Value {
    static FIGURES: OnceLock<Value> = OnceLock::new();
    FIGURES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let document = figures(&Demonstration::document(folder.path(), &DEMO[..5]));
        assert_eq!(document["coverage"]["received"], document["coverage"]["expected"]);
        document
    })
}

/// How far the field work has come, by the server's own account.
#[derive(Debug, Clone, Copy)]
struct Moment {
    received: u64,
    expected: u64,
    log_head: u64,
}

impl Moment {
    fn of(demo: &Demonstration) -> Option<Self> {
        let overview = demo.overview()?;
        Some(Self {
            received: overview["coverage"]["received"].as_u64()?,
            expected: overview["coverage"]["expected"].as_u64()?,
            log_head: overview["freshness"]["log_head"].as_u64()?,
        })
    }

    fn is_midway(self) -> bool {
        self.received >= 1 && self.received < self.expected
    }
}

#[test]
fn deaths_of_the_server_in_the_middle_of_syncing_change_no_figure() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Demonstration::start(folder.path(), &DEMO);
    let mut random = ChaCha12Rng::seed_from_u64(1);
    let mut killed: BTreeSet<u32> = BTreeSet::new();
    // The next death comes once so many more changes have been logged.
    let (mut log_head, mut more) = (0, random.random_range(1..60));
    while demo.is_alive() {
        let (Some(moment), Some(server)) = (Moment::of(&demo), demo.server()) else {
            continue;
        };
        if moment.is_midway() && moment.log_head >= log_head + more && killed.insert(server) {
            signal(server, "KILL");
            (log_head, more) = (moment.log_head, random.random_range(1..60));
        }
    }
    let disturbed = demo.end().success().json();
    assert!(killed.len() >= 5, "the server died only {} times midway", killed.len());
    assert_eq!(figures(&disturbed), *undisturbed());
}

#[test]
fn a_demo_that_died_goes_on_to_the_same_figures() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut random = ChaCha12Rng::seed_from_u64(2);

    // It dies while it makes the database …
    let mut process = Demonstration::begin(&data, &DEMO);
    while !data.join("khaosat.sqlite").exists() {
        assert!(process.is_alive());
    }
    signal(process.id(), "KILL");
    process.end();

    // … and several times in the middle of syncing, with its server.
    for death in 1..=3 {
        let mut demo = Demonstration::start(&data, &DEMO);
        let goal = random.random_range(1..120) * death;
        let moment = loop {
            assert!(demo.is_alive(), "the demo ended before its death");
            match Moment::of(&demo) {
                Some(moment) if moment.is_midway() && moment.received >= goal => break moment,
                _ => {}
            }
        };
        demo.kill();
        assert!(moment.is_midway(), "{moment:?}");
        live_figures_equal_those_made_anew(&data);
    }

    let resumed = Demonstration::document(&data, &DEMO);
    assert_eq!(figures(&resumed), *undisturbed());
}

/// Compares what a server restores after a death with what is computed from the log alone.
fn live_figures_equal_those_made_anew(data: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let anew = copy(data, &folder.path().join("anew"));
    let imported = khaosat(["import", "indicators", "--data"])
        .arg(&anew)
        .arg(repository().join("server/reference/indicators.csv"))
        .output()
        .unwrap();
    assert!(imported.status.success(), "{imported:?}");
    let estimate = |data: &Path| {
        run_to_end(khaosat(["estimate", "--format", "json", "--data"]).arg(data))
            .success()
            .json()
    };
    let restored = copy(data, &folder.path().join("restored"));
    let server = Server::start(&restored, free_address());
    let live = server.current_overview();
    drop(server);
    let anew = estimate(&anew);
    for part in ["coverage", "indicators"] {
        assert_eq!(live[part], anew[part], "{part}");
        assert_eq!(estimate(&restored)[part], anew[part], "{part}");
    }
    assert!(live["coverage"]["received"].as_u64() > Some(0));
}

fn copy(from: &Path, to: &Path) -> PathBuf {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    to.to_owned()
}

/// Sends a request to a server that may die meanwhile. None where no whole answer came.
fn attempt(phone: &Phone, server: SocketAddr, request: &SyncRequest) -> Option<SyncResponse> {
    // A client of its own for every request: no connection outlives a death.
    let sent = agent()
        .post(format!("http://{server}/api/v1/sync"))
        .header("authorization", format!("Bearer {}", phone.token))
        .header("content-type", wire::CONTENT_TYPE)
        .header("content-encoding", wire::CONTENT_ENCODING)
        .send(wire::encode(request).unwrap());
    let mut answer = sent.ok()?;
    assert_eq!(answer.status(), 200, "{:?}", answer.body_mut().read_to_string());
    let body = answer.body_mut().with_config().limit(64 << 20).read_to_vec().ok()?;
    let limits = Limits {
        compressed_bytes: 64 << 20,
        ..Limits::default()
    };
    Some(wire::decode(&body, &limits).unwrap())
}

/// What a phone has been told is durable: each change's hash and its unit.
type Acknowledged = Mutex<BTreeMap<ChangeHash, String>>;

/// A volunteer who writes one change after another and sends each until an answer comes.
fn write_until(stop: &AtomicBool, mut phone: Phone, server: SocketAddr, acknowledged: &Acknowledged) {
    for number in 0u64.. {
        let unit = format!("A{}", number % 9 + 1);
        let remark = format!("{} {number}", phone.key.actor());
        let change = phone
            .edit(&unit, |edit| {
                edit.put_answer(&AnswerPath::top("remarks"), &remark.as_str().into())
            })
            .unwrap();
        let request = phone.client.request(&phone.key, 0, 1 << 20);
        let response = loop {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            match attempt(&phone, server, &request) {
                Some(response) => break response,
                None => phone.client.disconnected(),
            }
        };
        // The request is the same as before, so asking for it again only tells the client what is under way.
        let again = phone.client.request(&phone.key, 0, 1 << 20);
        assert_eq!(again, request);
        assert_eq!(
            (response.accepted, response.waiting.as_slice()),
            (1, &[][..]),
            "{:?}",
            response.refused
        );
        acknowledged.lock().unwrap().insert(change.hash(), unit);
        let received = phone.client.receive(response, 0);
        for group in received.responses {
            let changes = group.changes.iter().map(|bytes| bytes.as_slice().try_into().unwrap());
            let changes: Vec<_> = changes.collect();
            phone.open(&group.unit).apply(changes).unwrap();
        }
    }
}

/// Ends the writers however the thread that holds it ends, so that a failed check fails the test at once.
struct StopAll<'a>(&'a AtomicBool);

impl Drop for StopAll<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Deaths in one run of the test below.
const DEATHS: usize = 24;

#[test]
fn what_was_acknowledged_survives_every_death_of_the_server() {
    let installation = Installation::new();
    // Every life of the server uses it, as after the restart of a real one.
    let address = free_address();
    let mut server = Server::start(&installation.data(), address);
    let enrol = |number| {
        let code = installation.invite(&["28249-01"]);
        Phone::enrol(address, installation.round, &code, number)
    };
    let (writers, mut reader) = ([enrol(1), enrol(2), enrol(3)], enrol(4));
    let acknowledged = Acknowledged::default();
    let (stop, mut random) = (AtomicBool::new(false), ChaCha12Rng::seed_from_u64(3));
    let audits = AtomicUsize::new(0);

    let server = std::thread::scope(|scope| {
        for phone in writers {
            let (stop, acknowledged) = (&stop, &acknowledged);
            scope.spawn(move || {
                let _stop_all = StopAll(stop);
                write_until(stop, phone, address, acknowledged);
            });
        }
        let _stop_all = StopAll(&stop);
        for _ in 0..DEATHS {
            let told = || acknowledged.lock().unwrap().len();
            let goal = told() + random.random_range(1..6);
            while told() < goal {
                assert!(server.is_alive(), "the server died by itself");
                assert!(!stop.load(Ordering::Relaxed), "a writer failed");
                std::thread::yield_now();
            }
            // Anywhere within the requests that follow, and not always just after an answer.
            std::thread::sleep(Duration::from_micros(random.random_range(0..12_000)));
            server.kill();
            let promised = acknowledged.lock().unwrap().clone();
            server = Server::start(&installation.data(), address);

            // A phone that starts from nothing gets everything that was promised.
            reader.client = Client::default();
            reader.responses.clear();
            reader.sync();
            for (hash, unit) in promised {
                assert!(reader.open(&unit).has(&hash), "change {hash} of {unit} is lost");
            }
            audits.fetch_add(1, Ordering::Relaxed);
        }
        server
    });
    assert_eq!(audits.into_inner(), DEATHS);
    assert!(acknowledged.lock().unwrap().len() >= DEATHS);

    // The same for a device that the server has never seen.
    let mut stranger = enrol(5);
    stranger.sync();
    for (hash, unit) in acknowledged.into_inner().unwrap() {
        assert!(stranger.open(&unit).has(&hash), "change {hash} of {unit} is lost");
    }
    drop(server);
}

#[test]
fn a_damaged_database_is_refused_or_told_and_never_a_panic() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::enrol(
        server.address,
        installation.round,
        &installation.invite(&["28249-01"]),
        1,
    );
    for number in 1..=9 {
        for question in ["remarks", "needs_note", "address_note"] {
            let text = format!("{question} {number} ").repeat(200);
            phone.edit(&format!("A{number}"), |edit| {
                edit.put_answer(&AnswerPath::top(question), &text.as_str().into())
            });
        }
    }
    phone.sync();
    server.current_overview();
    signal(server.id(), "TERM");
    let mut server = server;
    while server.is_alive() {
        std::thread::yield_now();
    }
    drop(server);
    let whole = std::fs::read(installation.data().join("khaosat.sqlite")).unwrap();
    assert!(
        !installation.data().join("khaosat.sqlite-wal").exists(),
        "the database did not close cleanly"
    );

    let mut random = ChaCha12Rng::seed_from_u64(4);
    let pages = whole.len() / 4096;
    let mut refusals = 0;
    for number in 0..24 {
        let folder = tempfile::tempdir().unwrap();
        let data = copy(&installation.data(), &folder.path().join("data"));
        let mut damaged = whole.clone();
        // The header first, then stretches all over the file.
        let start = match number {
            0 => 0,
            1 => 100,
            _ => pages * number / 24 * 4096 + random.random_range(0..2048),
        };
        let length = random.random_range(64..4096).min(damaged.len() - start);
        damaged[start..start + length].fill_with(|| random.random());
        std::fs::write(data.join("khaosat.sqlite"), damaged).unwrap();
        refusals += usize::from(serve_damaged(&data, &phone, &format!("{length} bytes at {start}")));
    }
    // Damage to the header stops it at the start; damage to what nobody reads at the start does not.
    assert!(refusals > 0 && refusals < 24, "{refusals} refusals");
}

/// Serves a damaged database and asks it for everything. Says whether the server refused to start.
fn serve_damaged(data: &Path, phone: &Phone, what: &str) -> bool {
    let mut process = Process::start(khaosat(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data));
    let Some(line) = process.line_with("http://") else {
        let ended = process.end().failure();
        assert!(ended.stderr.contains("Lỗi: "), "{what}: {}", ended.stderr);
        return true;
    };
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
    let pull = wire::encode(&Client::default().request(&phone.key, 0, 1 << 20)).unwrap();
    let bearer = format!("Bearer {}", phone.token);
    let get = |path: &str| {
        let url = format!("http://{address}{path}");
        agent().get(url).header("authorization", &bearer).call().unwrap()
    };
    let answers = [
        get("/api/v1/health"),
        get("/api/v1/overview"),
        get(&format!("/api/v1/rounds/{}/units", phone.round())),
        get(&format!("/api/v1/rounds/{}/form", phone.round())),
        agent()
            .post(format!("http://{address}/api/v1/sync"))
            .header("authorization", &bearer)
            .header("content-type", wire::CONTENT_TYPE)
            .header("content-encoding", wire::CONTENT_ENCODING)
            .send(pull)
            .unwrap(),
    ];
    for mut answer in answers {
        let status = answer.status();
        let body = answer.body_mut().read_to_vec().unwrap();
        if status != 200 {
            let problem: Value = serde_json::from_slice(&body).unwrap();
            assert!(
                problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
                "{what}: {problem}"
            );
        }
    }
    let ended = process.terminate();
    assert!(!ended.stderr.contains("panicked"), "{what}: {}", ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{what}: {}", ended.stderr);
    false
}
