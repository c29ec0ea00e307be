//! Every response with its answers.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use survey_forms::answers::{AnswerPath, Answers as _, InstanceId, Value};
use survey_forms::model::{Form, NodeKind};
use sync_core::ChangeHash;
use sync_core::response::{Reading, Response};

use super::Failure;
use super::pieces::{self, Stored};
use crate::clock;
use crate::hex;
use crate::rounds::{self, Round};
use crate::settling::is_claimed;
use crate::store::Store;
use crate::sync::clocks_of;

/// The form's column that says whether an answer identifies a person.
const IDENTIFYING: &str = "identifying";
/// Characters of a pseudonym.
const PSEUDONYM: usize = 16;

/// One response.
#[derive(Serialize)]
struct Line<'a> {
    simulated: bool,
    round: String,
    /// The unit's code, or a pseudonym.
    unit: String,
    hamlet: &'a str,
    /// Whether the household was not on the list and was added in the field.
    added: bool,
    /// Where an added household is to be found, in an export with identifying answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    answers: BTreeMap<&'a str, Value>,
    #[serde(flatten)]
    rosters: BTreeMap<&'a str, Vec<BTreeMap<&'a str, Value>>>,
    conflicts: Vec<OpenConflict>,
    visits: Vec<ListedVisit>,
}

/// A question with differing answers.
#[derive(Serialize)]
struct OpenConflict {
    question: String,
    /// The place of the roster member from 0, for a member's question.
    member: Option<usize>,
    /// The answers, the one that counts until somebody settles first; null where somebody cleared it.
    values: Vec<Option<Value>>,
}

/// One visit, RFC 3339.
#[derive(Serialize)]
struct ListedVisit {
    /// The device that made it: its actor, or a pseudonym.
    device: String,
    /// By the device's own clock.
    started_at: String,
    /// By the device's own clock.
    ended_at: String,
    /// The same less what the device's clock was wrong by when the visit was delivered; null where that is not known,
    /// because somebody else brought it.
    started_at_corrected: Option<String>,
    ended_at_corrected: Option<String>,
    outcome: String,
    /// When somebody should come again, as agreed on the visit; null where nothing was.
    call_back_at: Option<String>,
}

/// Writes one JSON object a line.
pub(super) async fn write(
    store: &Store,
    round: &Round,
    with_identifying: bool,
    output: &mut (impl Write + Send),
) -> Result<(), Failure> {
    let workbook = rounds::workbook(&store.readers, &round.form_hash)
        .await?
        .unwrap_or_default();
    let form = survey_forms::xlsform::read(&workbook)
        .map_err(|errors| Failure::new(errors.vietnamese(), errors.to_string()))?;
    let withheld: BTreeSet<&str> = form
        .nodes()
        .iter()
        .filter(|node| node.other.get(IDENTIFYING).is_some_and(|word| word == "yes"))
        .map(|node| node.name.as_str())
        .filter(|_| !with_identifying)
        .collect();
    let pseudonyms = Pseudonyms::draw()?;

    let mut last = 0;
    loop {
        let piece = pieces::after(store, round, last).await?;
        let Some(stored) = piece.last() else { return Ok(()) };
        last = stored.key;
        let keys: Vec<i64> = piece.iter().map(|stored| stored.key).collect();
        let clocks = clocks_of(&store.readers, &keys).await?;
        for Stored {
            id,
            unit,
            hamlet,
            added,
            response,
            ..
        } in &piece
        {
            let reading = response.read();
            let unit = identified(with_identifying, unit, || pseudonyms.of(id.as_bytes()));
            let line = Line {
                simulated: round.simulated,
                round: round.id.to_string(),
                unit,
                hamlet,
                added: *added,
                address: reading.address.clone().filter(|_| with_identifying),
                answers: answers(&form, &reading, None, &withheld),
                rosters: rosters(&form, &reading, &withheld),
                conflicts: conflicts(&form, &reading, &withheld),
                visits: visits(response, &reading, &clocks, |device| {
                    identified(with_identifying, device, || pseudonyms.of(device.as_bytes()))
                }),
            };
            serde_json::to_writer(&mut *output, &line).map_err(std::io::Error::from)?;
            output.write_all(b"\n")?;
        }
    }
}

/// Names that are the same through one export and mean nothing outside it.
pub(super) struct Pseudonyms {
    salt: [u8; 32],
}

impl Pseudonyms {
    /// Those of a new export.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub(super) fn draw() -> Result<Self, Failure> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| Failure::new(error.to_string(), error.to_string()))?;
        Ok(Self { salt })
    }

    /// The pseudonym of what has this name.
    pub(super) fn of(&self, name: &[u8]) -> String {
        let mut text = hex::encode(&Sha256::new().chain_update(self.salt).chain_update(name).finalize());
        text.truncate(PSEUDONYM);
        text
    }
}

/// The name itself where identifying data are wanted, else its pseudonym.
pub(super) fn identified(with_identifying: bool, name: &str, pseudonym: impl FnOnce() -> String) -> String {
    match with_identifying {
        true => name.to_owned(),
        false => pseudonym(),
    }
}

/// The answers of the household, or of one member, in the form's words.
fn answers<'f>(
    form: &'f Form,
    reading: &Reading,
    instance: Option<&InstanceId>,
    withheld: &BTreeSet<&str>,
) -> BTreeMap<&'f str, Value> {
    form.nodes()
        .iter()
        .enumerate()
        .filter(|(_, node)| !withheld.contains(node.name.as_str()))
        .filter_map(|(position, _)| {
            let question = form.key(position);
            let path = AnswerPath {
                instance: instance.cloned(),
                question: question.to_owned(),
            };
            Some((question, reading.answers.answer(&path)?))
        })
        .collect()
}

fn repeats(form: &Form) -> impl Iterator<Item = usize> {
    let rows = form.nodes().iter().enumerate();
    rows.filter(|(_, node)| node.kind == NodeKind::Repeat)
        .map(|(position, _)| position)
}

fn rosters<'f>(
    form: &'f Form,
    reading: &Reading,
    withheld: &BTreeSet<&str>,
) -> BTreeMap<&'f str, Vec<BTreeMap<&'f str, Value>>> {
    repeats(form)
        .map(|repeat| {
            let instances = form.instances(&reading.answers, repeat);
            (
                form.key(repeat),
                instances
                    .iter()
                    .map(|instance| answers(form, reading, Some(instance), withheld))
                    .collect(),
            )
        })
        .collect()
}

/// The visits, with their times by the server's clock where it is known how wrong the device's was.
fn visits(
    response: &Response,
    reading: &Reading,
    clocks: &BTreeMap<ChangeHash, i64>,
    name: impl Fn(&str) -> String,
) -> Vec<ListedVisit> {
    let sources = response.visit_sources();
    let corrected = |time: i64, source: Option<ChangeHash>| {
        let clock_ahead = source.and_then(|source| clocks.get(&source));
        clock_ahead.map(|ahead| clock::rfc3339(time.saturating_sub(*ahead)))
    };
    let listed = reading.visits.iter().map(|(id, visit)| {
        let source = sources.get(id).copied().unwrap_or_default();
        ListedVisit {
            device: name(&visit.device),
            started_at: clock::rfc3339(visit.started_at),
            ended_at: clock::rfc3339(visit.ended_at),
            started_at_corrected: corrected(visit.started_at, source.started_at),
            ended_at_corrected: corrected(visit.ended_at, source.ended_at),
            outcome: visit.outcome.clone(),
            call_back_at: visit.call_back_at.map(clock::rfc3339),
        }
    });
    listed.collect()
}

fn conflicts(form: &Form, reading: &Reading, withheld: &BTreeSet<&str>) -> Vec<OpenConflict> {
    let places: BTreeMap<InstanceId, usize> = repeats(form)
        .flat_map(|repeat| form.instances(&reading.answers, repeat).into_iter().zip(0..))
        .collect();
    reading
        .conflicts
        .iter()
        .filter(|conflict| !withheld.contains(conflict.path.question.as_str()))
        .filter(|conflict| is_claimed(form, conflict))
        .map(|conflict| OpenConflict {
            question: conflict.path.question.clone(),
            member: conflict
                .path
                .instance
                .as_ref()
                .and_then(|instance| places.get(instance).copied()),
            values: conflict.values(),
        })
        .collect()
}
