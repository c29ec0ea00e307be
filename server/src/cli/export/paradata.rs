//! How long interviews and their questions took, from the logs that phones wrote.

use std::io::Write;

use serde::Serialize;
use sync_core::response::Visit;

use super::responses::{Pseudonyms, identified};
use super::{Failure, pieces};
use crate::config::MessageLanguage;
use crate::paradata::{self, Fault, Sum, Times};
use crate::rounds::Round;
use crate::store::{Store, StoreError};
use crate::table::guard_formula;

/// The time that something took on a visit.
#[derive(Serialize)]
struct Row<'a> {
    simulated: bool,
    round: String,
    /// The unit's code, or a pseudonym.
    unit: &'a str,
    /// The device's actor, or a pseudonym.
    device: &'a str,
    /// The visit's identity.
    visit: &'a str,
    /// The path in the filled form; empty for the whole interview.
    node: &'a str,
    seconds: f64,
    /// How often it was visited; of the whole interview how often the form was opened.
    visits: u64,
    /// How often an answer became another one; empty where the form does not ask to track changes.
    edits: Option<u64>,
}

/// Writes a row for each visit with a log, and one for each node of it. What is wrong with logs is told on the terminal.
pub(super) async fn write(
    store: &Store,
    round: &Round,
    with_identifying: bool,
    language: MessageLanguage,
    output: &mut (impl Write + Send),
) -> Result<(), Failure> {
    let pseudonyms = Pseudonyms::draw()?;
    let mut csv = csv::Writer::from_writer(output);
    let mut last = 0;
    loop {
        let piece = pieces::after(store, round, last).await?;
        let Some(stored) = piece.last() else { break };
        last = stored.key;
        for stored in &piece {
            let unit = identified(with_identifying, &stored.unit, || pseudonyms.of(stored.id.as_bytes()));
            let reading = stored.response.read();
            let mut visits: Vec<(&String, &Visit)> = reading.visits.iter().collect();
            visits.sort_by_key(|(_, visit)| visit.started_at);
            for (id, visit) in visits {
                let Some(name) = &visit.audit else { continue };
                let Some(bytes) = file(store, stored.key, name).await? else {
                    tell(language, &stored.unit, name, &[not_here()]);
                    continue;
                };
                let (log, faults) = paradata::read(&bytes);
                tell(language, &stored.unit, name, &faults);
                let times = Times::of(&log);
                let device = identified(with_identifying, &visit.device, || {
                    pseudonyms.of(visit.device.as_bytes())
                });
                let whole = std::iter::once((String::new(), times.whole));
                for (node, sum) in whole.chain(times.nodes) {
                    let Sum {
                        milliseconds,
                        visits,
                        edits,
                    } = sum;
                    let row = Row {
                        simulated: round.simulated,
                        round: round.id.to_string(),
                        unit: &guard_formula(&unit),
                        device: &guard_formula(&device),
                        visit: &guard_formula(id),
                        node: &node,
                        seconds: seconds(milliseconds),
                        visits,
                        edits,
                    };
                    csv.serialize(row).map_err(std::io::Error::from)?;
                }
            }
        }
    }
    Ok(csv.flush()?)
}

/// The bytes of a file, once it has come.
async fn file(store: &Store, response_key: i64, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let bytes = sqlx::query_scalar("SELECT bytes FROM attachment WHERE response_key = $1 AND name = $2")
        .bind(response_key)
        .bind(name)
        .fetch_optional(&store.readers)
        .await?;
    Ok(bytes)
}

fn not_here() -> Fault {
    Fault {
        line: None,
        problem: crate::http::Text::new(
            "tệp chưa về đến máy chủ này",
            "the file has not come to this server yet",
        ),
    }
}

/// Tells what is wrong with a file. Its name comes from a phone, and is shown so that it cannot steer the terminal.
fn tell(language: MessageLanguage, unit: &str, name: &str, faults: &[Fault]) {
    for Fault { line, problem } in faults {
        let (line, problem) = match (language, line) {
            (MessageLanguage::Vi, Some(line)) => (format!(", dòng {line}"), &problem.vi),
            (MessageLanguage::En, Some(line)) => (format!(", line {line}"), &problem.en),
            (MessageLanguage::Vi, None) => (String::new(), &problem.vi),
            (MessageLanguage::En, None) => (String::new(), &problem.en),
        };
        eprintln!("{unit}, {}{line}: {problem}", name.escape_debug());
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a visit are far below 2⁵³")]
fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}
