//! The server's estimates against the R package survey, and against counting by hand, on the data of a demo.
//!
//! Neither comparison goes through the crate `indicators`; the second goes around the expressions as well.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

mod modelled;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use khaosat::estimates::Reduced;
use khaosat_tests::demonstration::Demonstration;
use khaosat_tests::installation::{Server, free_address, repository};
use khaosat_tests::phone::Phone;
use khaosat_tests::process::{khaosat, run_to_end};
use khaosat_tests::rows::rows;
use serde_json::{Value, json};
use survey_forms::answers::{AnswerMap, AnswerPath, Answers as _, InstanceId, Value as Answer};
use uuid::Uuid;

/// The data of a demo with enough hamlets that every district has several.
fn data() -> &'static Path {
    static DATA: OnceLock<PathBuf> = OnceLock::new();
    DATA.get_or_init(|| {
        let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("r_comparison");
        let _ = std::fs::remove_dir_all(&data);
        let document = Demonstration::document(&data, &["--once", "--seed", "7", "--households", "480"]);
        assert!(
            document["coverage"]["open_conflicts"].as_u64() > Some(0),
            "the demo has no conflicts"
        );
        data
    })
}

/// A copy of the data that a server of its own may use.
fn serve() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("khaosat.sqlite");
    std::fs::copy(data().join("khaosat.sqlite"), copy).unwrap();
    let server = Server::start(folder.path(), free_address());
    (folder, server)
}

/// A hamlet of the frame.
#[derive(Debug)]
struct Hamlet {
    key: i64,
    code: String,
    commune_code: String,
    kind: String,
    /// The demo's strata are the districts.
    stratum: String,
    households: i64,
}

struct Frame {
    hamlets: BTreeMap<i64, Hamlet>,
    /// Hamlets of each stratum.
    strata: BTreeMap<String, u64>,
}

impl Frame {
    fn read() -> Self {
        let rows: Vec<(i64, String, String, String, String, i64)> = rows(
            data(),
            "SELECT hamlet_key, code, commune_code, kind, stratum, households FROM frame_hamlet",
        );
        let (mut hamlets, mut strata) = (BTreeMap::new(), BTreeMap::new());
        for (key, code, commune_code, kind, stratum, households) in rows {
            *strata.entry(stratum.clone()).or_default() += 1;
            let hamlet = Hamlet {
                key,
                code,
                commune_code,
                kind,
                stratum,
                households,
            };
            hamlets.insert(key, hamlet);
        }
        Self { hamlets, strata }
    }

    /// The codes of every unit of which a hamlet is a part: province, district, commune, hamlet.
    fn units_of(hamlet: &Hamlet) -> [&str; 4] {
        ["82", &hamlet.stratum, &hamlet.commune_code, &hamlet.code]
    }
}

/// What a script of `indicators/tests/oracle` makes of an input.
fn run_r(script: &str, input: &Value) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("input.json"), folder.path().join("output.json"));
    std::fs::write(&from, input.to_string()).unwrap();
    let script = repository().join("indicators/tests/oracle").join(script);
    let run = Command::new("Rscript").arg(script).arg(&from).arg(&to).output();
    let advice = "this test needs R with the packages survey and jsonlite: run `cargo xtask test`, which installs them";
    let run = run.unwrap_or_else(|error| panic!("cannot run Rscript ({error}); {advice}"));
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "Rscript failed; {advice}\n{complaint}");
    serde_json::from_slice(&std::fs::read(&to).unwrap()).unwrap()
}

/// The design and the households as the script takes them, and for every unit with data the hamlets of which it consists.
fn oracle_input(frame: &Frame, indicators: &[String]) -> Value {
    let stored: Vec<(i64, Vec<u8>)> = rows(
        data(),
        "SELECT hamlet_key, reduced FROM projection ORDER BY response_key",
    );
    let households: Vec<(&Hamlet, Reduced)> = stored
        .iter()
        .map(|(hamlet, reduced)| (&frame.hamlets[hamlet], Reduced::from_bytes(reduced).unwrap()))
        .filter(|(_, reduced)| reduced.responded)
        .collect();
    let responding: BTreeSet<i64> = households.iter().map(|(hamlet, _)| hamlet.key).collect();
    let mut units: BTreeMap<&str, Vec<&Hamlet>> = BTreeMap::new();
    for hamlet in frame.hamlets.values() {
        for unit in Frame::units_of(hamlet) {
            units.entry(unit).or_default().push(hamlet);
        }
    }
    let is_responding = |hamlet: &&&Hamlet| responding.contains(&hamlet.key);
    units.retain(|_, hamlets| hamlets.iter().any(|hamlet| is_responding(&hamlet)));
    let column = |of: &dyn Fn(&Hamlet, &Reduced) -> Value| -> Vec<Value> {
        households.iter().map(|(hamlet, reduced)| of(hamlet, reduced)).collect()
    };
    json!({ "designs": [{
        "name": "demo",
        "level": 0.95,
        "lonely_psu": "adjust",
        "households": {
            "stratum": column(&|hamlet, _| json!(hamlet.stratum)),
            "hamlet": column(&|hamlet, _| json!(hamlet.key)),
            "stratum_hamlets": column(&|hamlet, _| json!(frame.strata[&hamlet.stratum])),
            "hamlet_households": column(&|hamlet, _| json!(hamlet.households)),
        },
        "indicators": indicators.iter().enumerate().map(|(place, code)| json!({
            "name": code,
            "numerator": column(&|_, reduced| json!(reduced.values[place].0)),
            "denominator": column(&|_, reduced| json!(reduced.values[place].1)),
        })).collect::<Vec<_>>(),
        "domains": units.iter().map(|(code, hamlets)| json!({
            "name": code,
            "hamlets": hamlets.iter().map(|hamlet| hamlet.key).collect::<Vec<_>>(),
            "population_hamlets": hamlets.len(),
        })).collect::<Vec<_>>(),
    }] })
}

#[track_caller]
fn assert_close(actual: f64, expected: f64, what: &str) {
    assert!(
        (actual - expected).abs() <= 1e-9 * expected.abs().max(1e-6),
        "{what}: {actual:e} from the server, {expected:e} expected"
    );
}

/// What of the server's figures was compared with R's.
#[derive(Debug, Default)]
struct Compared {
    levels: BTreeMap<String, usize>,
    methods: BTreeMap<String, usize>,
    withheld: usize,
}

impl Compared {
    fn compare(&mut self, indicator: &Value, level: &str, expected: &Value, what: &str) {
        if !indicator["withheld"].is_null() {
            // Only figures that rest on too few households are kept back.
            assert!(expected["households"].as_f64() < Some(5.0), "{what}: {indicator}");
            self.withheld += 1;
            return;
        }
        let estimate = &indicator["estimate"];
        for field in ["point", "standard_error", "degrees_of_freedom", "households"] {
            match (estimate[field].as_f64(), expected[field].as_f64()) {
                (Some(actual), Some(expected)) => assert_close(actual, expected, &format!("{what}, {field}")),
                // R gives a degenerate variance where one hamlet stands for several; the server gives none.
                (None, _) if field == "standard_error" => {
                    assert_eq!(estimate["reason"], "single_psu", "{what}");
                    assert!(estimate["interval"].is_null(), "{what}");
                    return;
                }
                (actual, expected) => panic!("{what}, {field}: {actual:?} from the server, {expected:?} expected"),
            }
        }
        let Some(method) = estimate["interval"]["method"].as_str() else {
            assert!(estimate["reason"].is_string(), "{what}: {estimate}");
            return;
        };
        let fields = match method {
            "census" => ["point", "point"],
            "logit" => ["logit_lower", "logit_upper"],
            "clopper_pearson" => ["exact_lower", "exact_upper"],
            "student_t" => ["linear_lower", "linear_upper"],
            other => panic!("{what}: unknown interval {other}"),
        };
        for (end, field) in ["lower", "upper"].into_iter().zip(fields) {
            let actual = estimate["interval"][end].as_f64().unwrap();
            assert_close(actual, expected[field].as_f64().unwrap(), &format!("{what}, {field}"));
        }
        *self.levels.entry(level.to_owned()).or_default() += 1;
        *self.methods.entry(method.to_owned()).or_default() += 1;
    }
}

#[test]
fn every_estimate_of_every_unit_agrees_with_r_survey() {
    let frame = Frame::read();
    let (_folder, server) = serve();
    let province = server.current_overview();
    let measured: Vec<String> = province["indicators"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|indicator| !indicator["estimate"].is_null())
        .map(|indicator| indicator["code"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(measured.len(), 9);

    let output = run_r("estimates.R", &oracle_input(&frame, &measured));
    let mut by_unit: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for estimate in output["designs"][0]["estimates"].as_array().unwrap() {
        by_unit
            .entry(estimate["domain"].as_str().unwrap())
            .or_default()
            .push(estimate);
    }
    let mut compared = Compared::default();
    for (unit, expected) in &by_unit {
        let overview = server.overview(Some(unit));
        let level = overview["unit"]["level"].as_str().unwrap();
        assert_eq!(expected.len(), measured.len());
        for expected in expected {
            let code = expected["indicator"].as_str().unwrap();
            let mut indicators = overview["indicators"].as_array().unwrap().iter();
            let indicator = indicators.find(|indicator| indicator["code"] == code).unwrap();
            compared.compare(indicator, level, expected, &format!("unit {unit}, indicator {code}"));
        }
    }
    let levels: Vec<&str> = compared.levels.keys().map(String::as_str).collect();
    assert_eq!(levels, ["commune", "district", "hamlet", "province"], "{compared:?}");
    assert!(compared.levels["district"] >= 9 * 9, "{compared:?}");
    assert!(compared.levels["hamlet"] >= 9 * 20, "{compared:?}");
    assert!(compared.methods.contains_key("logit"), "{compared:?}");
    assert!(compared.methods.contains_key("clopper_pearson"), "{compared:?}");
}

/// Numerator and denominator of a household or of several.
type Counts = (f64, f64);

/// Counts one household.
type Count = fn(&AnswerMap) -> Counts;

/// Indicators counted by hand, as `server/reference/README.md` puts them in words.
const BY_HAND: [(&str, Count); 3] = [("XHS-01", smartphone), ("XHS-05", fibre), ("XHS-07", public_service)];

fn word(answers: &AnswerMap, path: &AnswerPath) -> String {
    answers
        .answer(path)
        .map(|answer| answer.to_string())
        .unwrap_or_default()
}

fn top(answers: &AnswerMap, question: &str) -> String {
    word(answers, &AnswerPath::top(question))
}

/// The adults who usually live in the dwelling: born 2007 or before, as the round asks for 2025.
fn adults(answers: &AnswerMap) -> impl Iterator<Item = InstanceId> {
    answers.instances("members", None).into_iter().filter(|member| {
        let born = match answers.answer(&AnswerPath::within(member, "birth_year")) {
            Some(Answer::Integer(year)) => year,
            other => panic!("no year of birth: {other:?}"),
        };
        word(answers, &AnswerPath::within(member, "lives_here")) == "yes" && born <= 2007
    })
}

/// Of the adults who gave one of these answers, how many gave one of those.
fn share(answers: &AnswerMap, question: &str, those: &[&str], of: &[&str]) -> Counts {
    let given: Vec<String> = adults(answers)
        .map(|member| word(answers, &AnswerPath::within(&member, question)))
        .collect();
    let count = |words: &[&str]| given.iter().filter(|answer| words.contains(&answer.as_str())).count() as f64;
    (count(those), count(of))
}

fn smartphone(answers: &AnswerMap) -> Counts {
    share(answers, "smartphone", &["own"], &["own", "shared", "none"])
}

fn public_service(answers: &AnswerMap) -> Counts {
    share(
        answers,
        "public_service",
        &["self", "with_help"],
        &["self", "with_help", "no"],
    )
}

fn fibre(answers: &AnswerMap) -> Counts {
    match top(answers, "fibre_available").as_str() {
        "yes" => (1.0, 1.0),
        "no" => (0.0, 1.0),
        _ => (0.0, 0.0),
    }
}

fn responded(answers: &AnswerMap) -> bool {
    top(answers, "consent") == "yes" && ["completed", "partly"].contains(&top(answers, "visit_outcome").as_str())
}

/// Every household's answers as a phone of all hamlets gets them, by hamlet.
fn answers_by_hamlet(frame: &Frame, server: &Server, data: &Path) -> BTreeMap<i64, Vec<AnswerMap>> {
    let hamlet_of: BTreeMap<String, i64> =
        rows::<(String, i64)>(self::data(), "SELECT code, hamlet_key FROM sampled_unit")
            .into_iter()
            .collect();
    let sampled: BTreeSet<i64> = hamlet_of.values().copied().collect();
    let mut invite = khaosat(["device", "invite", "--data"]);
    invite.arg(data);
    for hamlet in &sampled {
        invite.args(["--hamlet", &frame.hamlets[hamlet].code]);
    }
    let code = run_to_end(&mut invite).success().text().trim().to_owned();
    let round: Uuid = server.overview(None)["round"]["id"].as_str().unwrap().parse().unwrap();
    let mut phone = Phone::enrol(server.address, round, &code, 1);
    phone.sync();
    assert_eq!(phone.responses.len(), hamlet_of.len());

    let mut by_hamlet: BTreeMap<i64, Vec<AnswerMap>> = BTreeMap::new();
    for (unit, response) in &phone.responses {
        by_hamlet
            .entry(hamlet_of[unit])
            .or_default()
            .push(response.read().answers);
    }
    for households in by_hamlet.values_mut() {
        households.retain(responded);
    }
    by_hamlet.retain(|_, households| !households.is_empty());
    by_hamlet
}

#[test]
fn points_agree_with_counting_answers_by_hand() {
    let frame = Frame::read();
    let (folder, server) = serve();
    let by_hamlet = answers_by_hamlet(&frame, &server, folder.path());
    let mut responding: BTreeMap<&str, u64> = BTreeMap::new();
    for hamlet in by_hamlet.keys() {
        *responding.entry(&frame.hamlets[hamlet].stratum).or_default() += 1;
    }

    // A household stands for N/n hamlets of its stratum and M/m households of its hamlet.
    let mut totals: BTreeMap<(&str, &str), Counts> = BTreeMap::new();
    for (key, households) in &by_hamlet {
        let hamlet = &frame.hamlets[key];
        let stratum = hamlet.stratum.as_str();
        let weight = frame.strata[stratum] as f64 / responding[stratum] as f64
            * (hamlet.households as f64 / households.len() as f64);
        for answers in households {
            for (indicator, count) in BY_HAND {
                let (numerator, denominator) = count(answers);
                for unit in Frame::units_of(hamlet) {
                    let total = totals.entry((unit, indicator)).or_default();
                    total.0 += weight * numerator;
                    total.1 += weight * denominator;
                }
            }
        }
    }

    let (mut hamlets, mut overviews) = (0, BTreeMap::new());
    for ((unit, code), (numerator, denominator)) in totals {
        let overview: &Value = overviews.entry(unit).or_insert_with(|| server.overview(Some(unit)));
        let mut indicators = overview["indicators"].as_array().unwrap().iter();
        let indicator = indicators.find(|indicator| indicator["code"] == code).unwrap();
        if let Some(point) = indicator["estimate"]["point"].as_f64() {
            assert_close(
                point,
                numerator / denominator,
                &format!("unit {unit}, indicator {code}"),
            );
            hamlets += usize::from(overview["unit"]["level"] == "hamlet");
        } else {
            assert!(
                indicator["withheld"].is_object(),
                "unit {unit}, indicator {code}: {indicator}"
            );
        }
    }
    assert!(hamlets >= 3 * 40, "only {hamlets} figures of hamlets were compared");
}
