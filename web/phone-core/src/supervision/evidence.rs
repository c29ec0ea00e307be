//! What of a response is looked at when field work is supervised. It follows from the response and the form, and is kept with
//! the response's line in the list, so that a whole hamlet is looked through without reading a document.

use serde::{Deserialize, Serialize};
use survey_forms::answers::{AnswersMut, InstanceId, Value};
use survey_forms::model::NodeKind;
use survey_forms::session::{AskedQuestion, Session};
use sync_core::response::Visit;

/// The first year in which somebody who lives now may have been born.
const FIRST_BIRTH_YEAR: i64 = 1900;
/// The last one that is taken for a year rather than for something else that is counted.
const LAST_BIRTH_YEAR: i64 = 2100;

/// What is looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    /// The people in the form's rosters of whom name and year of birth are known.
    pub(crate) people: Vec<Person>,
    /// All visits, the first first.
    pub(crate) visits: Vec<VisitEvidence>,
    /// How many questions were answered.
    pub(crate) answered: usize,
}

/// Somebody in a roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) birth_year: i64,
}

/// A visit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct VisitEvidence {
    /// The actor of the device that made it, in hexadecimal.
    pub(crate) device: String,
    pub(crate) started_at: i64,
    pub(crate) ended_at: i64,
    pub(crate) outcome: String,
    /// Where it was told to be, in degrees.
    pub(crate) place: Option<(f64, f64)>,
}

impl Evidence {
    /// Reads a filled form and its visits, which are in their order.
    pub(crate) fn of<S: AnswersMut>(session: &Session<'_, S>, visits: &[&Visit]) -> Self {
        let asked = session.questions();
        let answered = asked.iter().filter(|asked| {
            // What the form itself put there is nobody's answer.
            asked.takes_answer() && asked.node.default.is_none() && session.value(&asked.path).is_some()
        });
        Self {
            answered: answered.count(),
            people: people(session, &asked),
            visits: visits
                .iter()
                .map(|visit| VisitEvidence {
                    device: visit.device.clone(),
                    started_at: visit.started_at,
                    ended_at: visit.ended_at,
                    outcome: visit.outcome.clone(),
                    place: visit.position.as_deref().and_then(place),
                })
                .collect(),
        }
    }
}

/// The people of all rosters. Somebody's name is the first text that the form's author marked as identifying (column
/// `identifying`); the year of birth is the first date, or whole number that can be one.
fn people<S: AnswersMut>(session: &Session<'_, S>, asked: &[AskedQuestion<'_>]) -> Vec<Person> {
    let mut found: Vec<(InstanceId, Option<String>, Option<i64>)> = Vec::new();
    for asked in asked {
        let Some(instance) = &asked.path.instance else { continue };
        if found.last().is_none_or(|(last, ..)| last != instance) {
            found.push((instance.clone(), None, None));
        }
        let Some((_, name, birth_year)) = found.last_mut() else {
            continue;
        };
        let is_marked = asked.node.other.get("identifying").is_some_and(|mark| mark == "yes");
        match (&asked.node.kind, session.value(&asked.path)) {
            (NodeKind::Text, Some(value)) if is_marked && name.is_none() => *name = Some(value.to_string()),
            (NodeKind::Integer, Some(Value::Integer(year)))
                if birth_year.is_none() && (FIRST_BIRTH_YEAR..=LAST_BIRTH_YEAR).contains(&year) =>
            {
                *birth_year = Some(year);
            }
            (NodeKind::Date, Some(value)) if birth_year.is_none() => {
                *birth_year = value.to_string().split('-').next().and_then(|year| year.parse().ok());
            }
            _ => {}
        }
    }
    let known = found.into_iter().filter_map(|(_, name, birth_year)| {
        Some(Person {
            name: name?,
            birth_year: birth_year?,
        })
    });
    known.collect()
}

/// Latitude and longitude of a geopoint of ODK XForms.
fn place(point: &str) -> Option<(f64, f64)> {
    let mut numbers = point.split_ascii_whitespace().map_while(|number| number.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}
