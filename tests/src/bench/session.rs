//! One answer in a large form: computing what it touches, against computing everything and against ODK Web Forms' engine;
//! and reading a form, against pyxform.
//!
//! The engine and pyxform are measured where `KHAOSAT_WEB_FORMS` and `KHAOSAT_PYTHON` name them (see `cargo xtask test`,
//! which sets both up below `target/oracles`).

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rust_xlsxwriter::Workbook;
use serde_json::{Value as Json, json};
use survey_forms::answers::{AnswerMap, AnswerPath, InstanceId, Value};
use survey_forms::model::Form;
use survey_forms::session::Session;
use survey_forms::xpath::{EvaluationContext, Moment};

use super::table::{Better, Comparison};
use crate::installation::repository;

/// Groups at the top of the large form; each has [`GROUP`] rows.
pub(super) const GROUPS: usize = 20;
/// Rows of a group: 34 questions and 15 calculations.
const GROUP: usize = 49;
/// Rows of the repeat: 14 questions and 6 calculations, so that the form has 1,000 rows and 306 calculations.
const MEMBER: usize = 20;
/// Instances of the repeat.
pub(super) const INSTANCES: usize = 100;
/// Measured repetitions; one more goes before them to warm up.
pub(super) const REPETITIONS: usize = 7;
/// Answers in a repetition, which the engine gets as well.
const ANSWERS: usize = 200;
/// Groups of the form that is only read: 490 rows.
const READ_GROUPS: usize = 10;

/// One row of the sheet: type, name, label, relevant, calculation, constraint.
type Row = [String; 6];

/// Converts the workbook of the first argument as often as the second says; prints the seconds of each, as JSON.
const CONVERT: &str = "
import json, sys, time
from pyxform.xls2xform import convert
times = []
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    xform = convert(sys.argv[1], validate=False, form_name='data').xform
    times.append(time.perf_counter() - start)
print(json.dumps({'times': times, 'xform': xform}))
";

/// Measures microseconds an answer, and milliseconds a form.
pub fn measure() -> Vec<Comparison> {
    let folder = tempfile::tempdir().unwrap();
    let large = workbook(GROUPS, true);
    let form = survey_forms::xlsform::read(&large).unwrap();
    let answers = script();
    let ours = filled(&form, &answers);
    let mut comparisons = against_everything(&form, &answers, &ours);
    let python = std::env::var_os("KHAOSAT_PYTHON");
    match (&python, std::env::var("KHAOSAT_WEB_FORMS")) {
        (Some(python), Ok(packages)) => {
            let path = folder.path().join("large.xlsx");
            std::fs::write(&path, &large).unwrap();
            let converted = convert(Path::new(python), &path, 1);
            let xform = converted["xform"].as_str().unwrap();
            comparisons.extend(against_engine(&packages, xform, &answers, &ours));
        }
        _ => eprintln!("session: KHAOSAT_PYTHON and KHAOSAT_WEB_FORMS are not both set; measured without them"),
    }
    if let Some(python) = &python {
        comparisons.push(reading(Path::new(python), folder.path()));
    }
    comparisons
}

/// The sheets of a form whose groups have questions that depend on one another, calculations in chains, and totals over
/// the repeat.
pub(super) fn workbook(groups: usize, with_repeat: bool) -> Vec<u8> {
    let mut rows: Vec<Row> = Vec::new();
    let mut add = |kind: &str, name: String, relevant: String, calculation: String, constraint: &str| {
        let label = if kind == "calculate" {
            String::new()
        } else {
            format!("Question {name}")
        };
        rows.push([
            kind.to_owned(),
            name,
            label,
            relevant,
            calculation,
            constraint.to_owned(),
        ]);
    };
    let none = String::new;
    for group in 0..groups {
        add("begin_group", format!("group{group}"), none(), none(), "");
        let mut last = None;
        for row in 0..GROUP {
            let name = format!("q{group}_{row}");
            if row % 10 < 7 && row != GROUP - 3 {
                // Every fifth question is asked only where the first of its group is not negative.
                let relevant = if row % 5 == 4 {
                    format!("not(${{q{group}_0}} < 0)")
                } else {
                    none()
                };
                add("integer", name, relevant, none(), ". < 1000000");
                continue;
            }
            let (one, other) = (
                format!("q{group}_{}", row - row % 10),
                format!("q{group}_{}", row - row % 10 + 1),
            );
            let calculation = match &last {
                // Chains of calculations, one from ten to ten.
                Some(last) if row % 10 == 8 => format!("${{{last}}} + 1"),
                _ if row == 9 && with_repeat => "sum(${m0})".to_owned(),
                _ => format!("${{{one}}} + coalesce(${{{other}}}, 0)"),
            };
            add("calculate", name.clone(), none(), calculation, "");
            last = Some(name);
        }
        add("end_group", none(), none(), none(), "");
    }
    if with_repeat {
        add("begin_repeat", "members".into(), none(), none(), "");
        for row in 0..MEMBER {
            let name = format!("m{row}");
            match row % 10 {
                7 => add("calculate", name, none(), format!("${{m{}}} * 2", row - 7), ""),
                8 => add(
                    "calculate",
                    name,
                    none(),
                    format!("concat(position(..), ': ', ${{m{}}})", row - 1),
                    "",
                ),
                9 => add(
                    "calculate",
                    name,
                    none(),
                    format!("if(${{m{}}} > ${{q0_0}}, 'more', 'less')", row - 8),
                    "",
                ),
                _ => add("integer", name, none(), none(), ""),
            }
        }
        add("end_repeat", none(), none(), none(), "");
    }
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("survey").unwrap();
    let headings = ["type", "name", "label", "relevant", "calculation", "constraint"].map(str::to_owned);
    for (number, cells) in (0..).zip(std::iter::once(&headings).chain(&rows)) {
        for (column, text) in (0..).zip(cells).filter(|(_, text)| !text.is_empty()) {
            sheet.write_string(number, column, text).unwrap();
        }
    }
    workbook.save_to_buffer().unwrap()
}

/// One answer: the member's number, or none outside the repeat; the question; the value.
pub(super) type Answer = (Option<usize>, String, i64);

/// Which questions are answered, in which order; the same every time.
pub(super) fn script() -> Vec<Answer> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let answers = (0..ANSWERS).map(|number| {
        let value = random.random_range(0..1000);
        if number % 2 == 0 {
            let question = random.random_range(0..MEMBER / 10) * 10 + random.random_range(0..7);
            return (Some(random.random_range(0..INSTANCES)), format!("m{question}"), value);
        }
        let group = random.random_range(0..GROUPS);
        let row = random.random_range(0..4) * 10 + random.random_range(0..7);
        (None, format!("q{group}_{row}"), value)
    });
    answers.collect()
}

/// Where an answer goes.
pub(super) fn path_of((member, question, _): &Answer) -> AnswerPath {
    match member {
        Some(member) => AnswerPath::within(&InstanceId::new(format!("member{member}")), question),
        None => AnswerPath::top(question),
    }
}

/// A session with all instances and all answers of the script.
fn filled<'f>(form: &'f Form, answers: &[Answer]) -> Session<'f, AnswerMap> {
    let now = Moment {
        unix_milliseconds: 1_764_000_000_000,
        utc_offset_minutes: 420,
    };
    let mut session = Session::new(form, AnswerMap::default(), EvaluationContext::new(now, "vi"));
    for member in 0..INSTANCES {
        session
            .add_instance("members", None, &InstanceId::new(format!("member{member}")))
            .unwrap();
    }
    for answer in answers {
        session.answer(&path_of(answer), Value::Integer(answer.2)).unwrap();
    }
    session
}

/// The time that is not exceeded by a share of all.
pub(super) fn quantile(times: &mut [f64], share: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    let place = (times.len() as f64 * share).ceil() as usize;
    times[place.saturating_sub(1).min(times.len() - 1)]
}

fn against_everything(form: &Form, answers: &[Answer], filled: &Session<'_, AnswerMap>) -> Vec<Comparison> {
    let (mut halves, mut tails) = (Vec::new(), Vec::new());
    let mut session = Session::new(form, filled.store().clone(), filled.context().clone());
    for repetition in 0..=REPETITIONS {
        let (mut ours, mut everything) = (Vec::new(), Vec::new());
        for (number, answer) in answers.iter().enumerate() {
            let value = Value::Integer(answer.2 + 1 + repetition as i64);
            let path = path_of(answer);
            let start = Instant::now();
            session.answer(&path, value).unwrap();
            ours.push(start.elapsed().as_secs_f64() * 1e6);
            if number % 10 == 0 {
                let start = Instant::now();
                session.refresh();
                everything.push(start.elapsed().as_secs_f64() * 1e6);
            }
        }
        if repetition > 0 {
            halves.push((quantile(&mut ours, 0.5), quantile(&mut everything, 0.5)));
            tails.push((quantile(&mut ours, 0.99), quantile(&mut everything, 0.99)));
        }
    }
    let everything = || "everything read and computed anew".to_owned();
    let mut comparisons: Vec<Comparison> = [("half of all within", halves), ("99 of 100 within", tails)]
        .map(|(what, pairs)| Comparison {
            what: format!("one answer of 1,000 rows and 100 instances, {what}"),
            against: everything(),
            unit: "µs",
            better: Better::Lower,
            pairs,
        })
        .into();
    comparisons.push(Comparison {
        what: "one instance added and removed, half of all within".to_owned(),
        against: everything(),
        unit: "µs",
        better: Better::Lower,
        pairs: roster(&mut session),
    });
    comparisons
}

/// The time to add an instance and to remove it again, beside that of computing everything.
fn roster(session: &mut Session<'_, AnswerMap>) -> Vec<(f64, f64)> {
    let id = InstanceId::new("added");
    let repetitions = (0..=REPETITIONS).map(|_| {
        let (mut ours, mut everything) = (Vec::new(), Vec::new());
        for _ in 0..ANSWERS / 10 {
            let start = Instant::now();
            session.add_instance("members", None, &id).unwrap();
            session.remove_instance("members", &id).unwrap();
            ours.push(start.elapsed().as_secs_f64() * 1e6);
            let start = Instant::now();
            session.refresh();
            everything.push(start.elapsed().as_secs_f64() * 1e6);
        }
        (quantile(&mut ours, 0.5), quantile(&mut everything, 0.5))
    });
    repetitions.skip(1).collect()
}

fn against_engine(packages: &str, xform: &str, answers: &[Answer], filled: &Session<'_, AnswerMap>) -> Vec<Comparison> {
    let reference = |(member, question, _): &Answer| match member {
        Some(member) => format!("/data/members[{}]/{question}", member + 1),
        None => {
            let group = question[1..].split('_').next().unwrap();
            format!("/data/group{group}/{question}")
        }
    };
    let mut steps: Vec<Json> = vec![json!({ "add": "/data/members" }); INSTANCES];
    let value = |answer: &Answer, more: i64| (answer.2 + more).to_string();
    for more in [0, 1] {
        steps.extend(
            answers
                .iter()
                .map(|answer| json!({ "answer": reference(answer), "value": value(answer, more) })),
        );
    }
    let input = json!([{ "xform": xform, "steps": steps, "timed": ANSWERS }]);
    let mut node = Command::new("node")
        .arg(repository().join("survey-forms/tests/oracles/web-forms/fill.js"))
        .env("KHAOSAT_WEB_FORMS", packages)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = serde_json::to_vec(&input).unwrap();
    node.stdin.take().unwrap().write_all(&input).unwrap();
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success(), "the engine failed");
    let mut times: Vec<Vec<f64>> = serde_json::from_slice(&output.stdout).unwrap();
    let mut theirs = times.remove(0);

    let mut session = Session::new(filled.form(), filled.store().clone(), filled.context().clone());
    let mut ours = Vec::new();
    for answer in answers {
        let path = path_of(answer);
        let start = Instant::now();
        session.answer(&path, Value::Integer(answer.2 + 1)).unwrap();
        ours.push(start.elapsed().as_secs_f64() * 1e6);
    }
    [("half of all within", 0.5), ("99 of 100 within", 0.99)]
        .map(|(what, share)| Comparison {
            what: format!("one answer of the same form, {what}"),
            against: "ODK Web Forms' engine in Node".to_owned(),
            unit: "µs",
            better: Better::Lower,
            pairs: vec![(quantile(&mut ours, share), quantile(&mut theirs, share))],
        })
        .into()
}

fn convert(python: &Path, workbook: &Path, times: usize) -> Json {
    let output = Command::new(python)
        .args(["-c", CONVERT])
        .arg(workbook)
        .arg(times.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn reading(python: &Path, folder: &Path) -> Comparison {
    let workbook = workbook(READ_GROUPS, false);
    let path = folder.join("read.xlsx");
    std::fs::write(&path, &workbook).unwrap();
    let converted = convert(python, &path, REPETITIONS + 1);
    let theirs = converted["times"]
        .as_array()
        .unwrap()
        .iter()
        .map(|time| time.as_f64().unwrap() * 1e3);
    let ours = (0..=REPETITIONS).map(|_| {
        let start = Instant::now();
        survey_forms::xlsform::read(&workbook).unwrap();
        start.elapsed().as_secs_f64() * 1e3
    });
    Comparison {
        what: "a workbook of 490 rows, read and checked".to_owned(),
        against: "pyxform, workbook to XForm".to_owned(),
        unit: "ms",
        better: Better::Lower,
        pairs: ours.zip(theirs).skip(1).collect(),
    }
}
