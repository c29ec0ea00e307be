//! The form engine as phones run it: the weight of its WebAssembly module against the budget, and one answer in a large
//! form in Node's WebAssembly against the same engine compiled for this machine and against computing everything.
//!
//! `KHAOSAT_MODULE` names the module of the profile `phone`, `KHAOSAT_FAST_MODULE` that of `phone-fast`;
//! `cargo xtask bench wasm` builds both.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use survey_forms::answers::{InstanceId, Value};
use survey_forms::model::Form;
use survey_forms::xpath::{EvaluationContext, Moment};
use survey_forms_module::size::{BUDGET, Size};
use survey_forms_module::{Module, Request};

use super::session::{Answer, GROUPS, INSTANCES, REPETITIONS, path_of, quantile, script, workbook};
use super::table::{Better, Comparison};
use crate::installation::repository;

/// After so many answers everything is computed anew once.
const ANSWERS_A_REFRESH: usize = 10;

/// Weighs the modules, then measures microseconds an answer.
///
/// # Panics
/// When the module is over its budget, or says something else than the engine on this machine.
pub fn measure() -> Vec<Comparison> {
    let (small, fast) = (built("KHAOSAT_MODULE"), built("KHAOSAT_FAST_MODULE"));
    let mut comparisons = weights(&small, &fast);
    let form = survey_forms::xlsform::read(&workbook(GROUPS, true)).unwrap();
    for (module, profile) in [(&small, "phone"), (&fast, "phone-fast")] {
        comparisons.extend(answering(module, profile, &form));
    }
    comparisons
}

fn built(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable);
    PathBuf::from(path.unwrap_or_else(|| panic!("{variable} is not set; run `cargo xtask bench wasm`")))
}

/// The modules' sizes in kB, and the smaller one's after wasm-opt where that is installed.
fn weights(small: &Path, fast: &Path) -> Vec<Comparison> {
    let size = Size::of(&std::fs::read(small).unwrap()).unwrap();
    let larger = Size::of(&std::fs::read(fast).unwrap()).unwrap();
    let mut weights = vec![
        ("module of the profile phone-fast", larger.plain),
        ("module of the profile phone-fast, brotli", larger.brotli),
        ("module of the profile phone", size.plain),
        ("module of the profile phone, brotli", size.brotli),
    ];
    match optimised(small) {
        Some(optimised) => weights.extend([
            ("the same after wasm-opt -Oz", optimised.plain),
            ("the same after wasm-opt -Oz, brotli", optimised.brotli),
        ]),
        None => eprintln!("wasm: wasm-opt is not installed; weighed without it"),
    }
    assert!(size.is_within_budget(), "the module is over its budget: {size}");
    let comparison = |(what, bytes): (&str, usize)| Comparison {
        what: what.to_owned(),
        against: "the budget of what travels".to_owned(),
        unit: "kB",
        better: Better::Lower,
        pairs: vec![(bytes as f64 / 1e3, BUDGET as f64 / 1e3)],
    };
    weights.into_iter().map(comparison).collect()
}

fn optimised(module: &Path) -> Option<Size> {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("optimised.wasm");
    let status = Command::new("wasm-opt")
        .args(["-Oz", "--all-features", "--output"])
        .args([&output, module])
        .status()
        .ok()?;
    assert!(status.success(), "wasm-opt failed");
    Some(Size::of(&std::fs::read(output).unwrap()).unwrap())
}

/// The module in Node, which waits for requests.
struct Node {
    child: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

/// What a list of requests brought: the replies, and the microseconds that each took.
#[derive(Deserialize)]
struct Replies {
    replies: Vec<Json>,
    microseconds: Vec<f64>,
}

impl Node {
    fn start(module: &Path) -> Self {
        let mut child = Command::new("node")
            .arg(repository().join("tests/src/bench/wasm.js"))
            .arg(module)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            requests: child.stdin.take().unwrap(),
            replies: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn ask(&mut self, requests: &[Request]) -> Replies {
        let mut line = serde_json::to_vec(requests).unwrap();
        line.push(b'\n');
        self.requests.write_all(&line).unwrap();
        let mut reply = String::new();
        self.replies.read_line(&mut reply).unwrap();
        serde_json::from_str(&reply).unwrap()
    }

    fn stop(self) {
        let Self {
            mut child, requests, ..
        } = self;
        drop(requests);
        assert!(child.wait().unwrap().success(), "Node failed");
    }
}

/// The same requests to the engine compiled for this machine.
fn ask_here(module: &mut Module, requests: &[Request]) -> Replies {
    let mut answered = Replies {
        replies: Vec::new(),
        microseconds: Vec::new(),
    };
    for request in requests {
        let start = Instant::now();
        let reply = module.handle(&serde_json::to_vec(request).unwrap());
        let reply = serde_json::from_slice(&reply).unwrap();
        answered.microseconds.push(start.elapsed().as_secs_f64() * 1e6);
        answered.replies.push(reply);
    }
    answered
}

/// Opens the form, adds the instances and gives each answer once.
fn beginning(form: &Form, answers: &[Answer]) -> Vec<Request> {
    let now = Moment {
        unix_milliseconds: 1_764_000_000_000,
        utc_offset_minutes: 420,
    };
    let open = Request::Open {
        form: Box::new(form.definition().clone()),
        context: EvaluationContext::new(now, "vi"),
    };
    let instances = (0..INSTANCES).map(|member| Request::AddInstance {
        repeat: "members".to_owned(),
        parent: None,
        instance: InstanceId::new(format!("member{member}")),
    });
    let answers = answers.iter().map(|answer| changed(answer, 0));
    std::iter::once(open).chain(instances).chain(answers).collect()
}

fn changed(answer: &Answer, more: i64) -> Request {
    Request::Answer {
        path: path_of(answer),
        value: Some(Value::Integer(answer.2 + more)),
    }
}

/// The changed answers of one repetition; every so often everything is computed anew.
fn changes(answers: &[Answer], repetition: usize) -> Vec<Request> {
    let mut requests = Vec::new();
    for (number, answer) in answers.iter().enumerate() {
        requests.push(changed(answer, 1 + repetition as i64));
        if number % ANSWERS_A_REFRESH == 0 {
            requests.push(Request::Refresh);
        }
    }
    requests
}

/// Ours and a baseline's times of one repetition, at half and at 99 of 100.
#[derive(Default)]
struct Shares {
    halves: Vec<(f64, f64)>,
    tails: Vec<(f64, f64)>,
}

impl Shares {
    fn add(&mut self, ours: &mut [f64], theirs: &mut [f64]) {
        self.halves.push((quantile(ours, 0.5), quantile(theirs, 0.5)));
        self.tails.push((quantile(ours, 0.99), quantile(theirs, 0.99)));
    }

    fn compared(self, profile: &str, against: &str) -> [Comparison; 2] {
        [("half of all within", self.halves), ("99 of 100 within", self.tails)].map(|(share, pairs)| Comparison {
            what: format!("one answer in WebAssembly ({profile}), {share}"),
            against: against.to_owned(),
            unit: "µs",
            better: Better::Lower,
            pairs,
        })
    }
}

fn answering(module: &Path, profile: &str, form: &Form) -> Vec<Comparison> {
    let answers = script();
    let (mut node, mut here) = (Node::start(module), Module::default());
    let beginning = beginning(form, &answers);
    let agreed = |theirs: &Replies, ours: &Replies| assert_eq!(theirs.replies, ours.replies, "wasm, then native");
    let (there, native) = (node.ask(&beginning), ask_here(&mut here, &beginning));
    assert_eq!(native.replies, vec![json!({ "value": null }); beginning.len()]);
    agreed(&there, &native);
    let (mut against_native, mut against_everything) = (Shares::default(), Shares::default());
    for repetition in 0..=REPETITIONS {
        let requests = changes(&answers, repetition);
        let (there, native) = (node.ask(&requests), ask_here(&mut here, &requests));
        agreed(&there, &native);
        let split = |times: Vec<f64>| -> (Vec<f64>, Vec<f64>) {
            let (everything, answers): (Vec<_>, Vec<_>) = requests
                .iter()
                .zip(times)
                .partition(|(request, _)| matches!(request, Request::Refresh));
            let only_times = |pairs: Vec<(&Request, f64)>| pairs.into_iter().map(|(_, time)| time).collect();
            (only_times(answers), only_times(everything))
        };
        let (mut there, mut everything) = split(there.microseconds);
        let (mut native, _) = split(native.microseconds);
        if repetition > 0 {
            against_native.add(&mut there, &mut native);
            against_everything.add(&mut there, &mut everything);
        }
    }
    let last = [
        Request::Questions,
        Request::Validate,
        Request::Evaluate("sum(${m0}) + ${q0_9}".to_owned()),
    ];
    let (there, native) = (node.ask(&last), ask_here(&mut here, &last));
    assert!(native.replies.iter().all(|reply| reply.get("value").is_some()));
    agreed(&there, &native);
    node.stop();
    let mut comparisons: Vec<Comparison> = against_native
        .compared(profile, "the same requests, compiled for this machine")
        .into();
    comparisons.extend(against_everything.compared(profile, "everything read and computed anew in WebAssembly"));
    comparisons
}
