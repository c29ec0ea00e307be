//! Bytes on the wire, against the same answers as compressed JSON and the same changes compressed as they are.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value as Json, json};
use survey_forms::answers::{AnswerPath, Answers as _, AnswersMut as _};
use survey_forms::model::Form;
use sync_core::exchange::{Limits, SyncResponse, wire};
use sync_core::response::Response;

use super::histories;
use super::relay::Relay;
use super::survey::{QUESTION, ROSTER, Survey, another};
use super::table::{Better, Comparison};
use crate::phone::Phone;

/// Households of the phone.
const HOUSEHOLDS: usize = 300;
/// Of these, how many are corrected before the second exchange.
const CORRECTED: usize = 10;
/// Uncompressed bytes of a request at most: what a phone sends at once over a tolerable link.
const PIECE_BYTES: usize = 1 << 20;

/// What one exchange cost.
#[derive(Debug, Default)]
pub(super) struct Cost {
    /// Requests and their answers.
    pub(super) round_trips: u64,
    /// Bytes of bodies of requests.
    pub(super) requests: u64,
    /// Bytes of bodies of answers.
    pub(super) answers: u64,
    /// Bytes of HTTP's own.
    pub(super) headers: u64,
}

/// Measures the bytes of a first push, a fresh phone's pull, an incremental exchange and an empty one. The same inputs
/// give the same bytes but for the random keys of a round, so one repetition tells all.
pub fn measure() -> Vec<Comparison> {
    // One household more, which is delivered beforehand: a phone in use has a cursor and knows what the log has; one
    // without gets what it wrote itself too.
    let survey = Survey::new(HOUSEHOLDS as u64 + 1);
    let server = survey.serve();
    let mut assignments = survey.enrol(&server, 1);
    let assignment = &mut assignments[0];
    assert_eq!(assignment.units.len(), HOUSEHOLDS + 1);
    let relay = Relay::start(server.address);
    assignment.phone.move_to(relay.address);
    let units = assignment.units[1..].to_vec();

    survey.interview(std::slice::from_mut(assignment), usize::MAX);
    let phone = &mut assignment.phone;
    let first = phone.client.request(&phone.key, 0, 1);
    let response = phone.exchange(&first);
    assert!(phone.client.receive(response, 0).whole_log);
    phone.offer();
    assert_eq!(phone.client.unacknowledged(), HOUSEHOLDS);
    let all = documents(&survey.form, phone, &units);
    let answers: usize = all.iter().map(answers).sum();
    eprintln!("wire: {:.1} answers a household", answers as f64 / HOUSEHOLDS as f64);
    let mut comparisons = Vec::new();
    let mut against = baselines(&all, "households");
    against.extend(unpacked(phone, &units));
    let first = exchange(phone, &relay);
    let what = format!("first push of {HOUSEHOLDS} households");
    compare(&mut comparisons, &what, HOUSEHOLDS, &first, &against);

    // A client without a cursor gets everything, be it the writer's own; the household delivered beforehand is one more.
    let used = std::mem::take(&mut phone.client);
    let mut against = baselines(&documents(&survey.form, phone, &assignment.units), "households");
    against.extend(unpacked(phone, &assignment.units));
    let fresh = exchange(phone, &relay);
    phone.client = used;
    let what = format!("fresh phone pulls {} households", HOUSEHOLDS + 1);
    compare(&mut comparisons, &what, HOUSEHOLDS + 1, &fresh, &against);

    let corrected: Vec<String> = units.iter().step_by(HOUSEHOLDS / CORRECTED).cloned().collect();
    let corrections: Vec<Json> = corrected.iter().map(|unit| correct(phone, unit)).collect();
    let changed = documents(&survey.form, phone, &corrected);
    let mut against = baselines(&changed, "households");
    against.extend(unpacked(phone, &corrected));
    let incremental = exchange(phone, &relay);
    against.push((
        "only the corrected answers, one gzip".to_owned(),
        gzip(&Json::Array(corrections)),
    ));
    let what = format!("{} corrected of {HOUSEHOLDS} households", corrected.len());
    compare(&mut comparisons, &what, corrected.len(), &incremental, &against);

    let empty = exchange(phone, &relay);
    let against = [("an empty JSON list, gzip".to_owned(), gzip(&json!([])))];
    compare(&mut comparisons, "nothing new", 1, &empty, &against);
    comparisons.extend(histories::measure());
    comparisons
}

fn compare(into: &mut Vec<Comparison>, what: &str, households: usize, cost: &Cost, baselines: &[(String, u64)]) {
    eprintln!(
        "wire: {what}: {} round trips, {} bytes of requests, {} of answers, {} of HTTP headers",
        cost.round_trips, cost.requests, cost.answers, cost.headers
    );
    for (against, bytes) in baselines {
        let each = |bytes: u64| bytes as f64 / households as f64;
        into.push(Comparison {
            what: format!("{what}: bodies"),
            against: against.clone(),
            unit: if households > 1 { "bytes/household" } else { "bytes" },
            better: Better::Lower,
            pairs: vec![(each(cost.requests + cost.answers), each(*bytes))],
        });
    }
}

/// Exchanges as [`Phone::sync`] does, and counts.
pub(super) fn exchange(phone: &mut Phone, relay: &Relay) -> Cost {
    let mut cost = Cost::default();
    relay.take();
    loop {
        let request = wire::encode(&phone.client.request(&phone.key, 0, PIECE_BYTES)).unwrap();
        let answer = phone.post(&request);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let response: SyncResponse = wire::decode(&answer.body, &Limits::default()).unwrap();
        assert_eq!(response.refused, []);
        if phone.client.receive(response, 0).whole_log {
            phone.offer();
        }
        cost.round_trips += 1;
        cost.requests += request.len() as u64;
        cost.answers += answer.body.len() as u64;
        if !phone.client.pending() {
            let (sent, received) = relay.take();
            cost.headers = sent + received - cost.requests - cost.answers;
            return cost;
        }
    }
}

/// Corrects an answer about the first member of a household, and gives what a client that sends nothing else would send.
pub(super) fn correct(phone: &mut Phone, unit: &str) -> Json {
    let instance = phone.open(unit).read().answers.instances(ROSTER, None).remove(0);
    let path = AnswerPath::within(&instance, QUESTION);
    let after = another(phone.open(unit).read().answers.answer(&path));
    phone.edit(unit, |edit| edit.put_answer(&path, &after)).unwrap();
    json!({ "unit": unit, "member": instance.as_str(), QUESTION: after })
}

/// The last change of each unit as Automerge writes it, all in one brotli stream of some qualities.
fn unpacked(phone: &mut Phone, units: &[String]) -> Vec<(String, u64)> {
    let mut bytes = Vec::new();
    for unit in units {
        bytes.extend_from_slice(phone.open(unit).changes().pop().unwrap().raw_bytes());
    }
    [5, 11]
        .map(|quality| {
            (
                format!("the changes as they are, brotli {quality}"),
                brotli(&bytes, quality),
            )
        })
        .to_vec()
}

/// How many answers a household's document has, those of its members among them.
fn answers(document: &Json) -> usize {
    let fields = |object: &Json| object.as_object().map_or(0, serde_json::Map::len);
    let members = document[ROSTER].as_array().unwrap();
    // Beside the answers stand the unit's code, the members and the visits, and each member's identity.
    let own = fields(document) - 3;
    own + members.iter().map(|member| fields(member) - 1).sum::<usize>()
}

/// Gzip of each document by itself, and of all in one, and brotli of all in one.
fn baselines(documents: &[Json], what: &str) -> Vec<(String, u64)> {
    vec![
        (
            format!("JSON, one gzip a household ({} {what})", documents.len()),
            documents.iter().map(gzip).sum(),
        ),
        (
            format!("JSON, all {} {what} in one gzip", documents.len()),
            gzip(&Json::Array(documents.to_vec())),
        ),
        (
            format!("JSON, all {} {what} in one brotli 11", documents.len()),
            brotli(&serde_json::to_vec(documents).unwrap(), 11),
        ),
    ]
}

pub(super) fn brotli(bytes: &[u8], quality: u32) -> u64 {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, quality, 22);
    writer.write_all(bytes).unwrap();
    writer.into_inner().len() as u64
}

fn gzip(document: &Json) -> u64 {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&serde_json::to_vec(document).unwrap()).unwrap();
    encoder.finish().unwrap().len() as u64
}

/// The households' answers as a JSON document each, as a client without merging would send them.
fn documents(form: &Form, phone: &mut Phone, units: &[String]) -> Vec<Json> {
    units
        .iter()
        .map(|unit| document(form, unit, phone.open(unit)))
        .collect()
}

/// A household's answers as a JSON document.
pub(super) fn document(form: &Form, unit: &str, response: &Response) -> Json {
    let reading = response.read();
    let answers = |path: &dyn Fn(&str) -> AnswerPath| -> serde_json::Map<String, Json> {
        form.nodes()
            .iter()
            .filter_map(|node| {
                let value = reading.answers.answer(&path(&node.name))?;
                Some((node.name.clone(), json!(value)))
            })
            .collect()
    };
    let mut document = answers(&|question| AnswerPath::top(question));
    let members: Vec<Json> = reading
        .answers
        .instances(ROSTER, None)
        .iter()
        .map(|instance| {
            let mut member = answers(&|question| AnswerPath::within(instance, question));
            member.insert("id".to_owned(), json!(instance.as_str()));
            Json::Object(member)
        })
        .collect();
    document.insert("unit".to_owned(), json!(unit));
    document.insert(ROSTER.to_owned(), Json::Array(members));
    document.insert("visits".to_owned(), json!(reading.visits.values().collect::<Vec<_>>()));
    Json::Object(document)
}
