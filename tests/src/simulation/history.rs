//! What people did, kept by the simulation itself: who answered what, knowing what. Automerge has no part in it, so what
//! must be there in the end is not decided by what is being tested.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use survey_forms::answers::{AnswerPath, Value};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::Reading;
use sync_core::{Change, ChangeHash};
use uuid::Uuid;

/// The round.
pub(super) const ROUND: RoundId = RoundId(Uuid::from_u128(394));
/// Units of the frame; the first half is in hamlet 0, the others in hamlet 1.
pub(super) const UNITS: usize = 6;
/// What is asked.
pub(super) const QUESTIONS: [&str; 3] = ["fibre_available", "smartphone", "note"];

/// 15 October 2025, when a world begins, in seconds since 1970-01-01T00:00:00Z.
pub(super) const START: i64 = 1_760_500_000;

/// The true time so many milliseconds after the beginning, in seconds since 1970-01-01T00:00:00Z.
pub(super) fn seconds(now: u64) -> i64 {
    START + (now / 1000) as i64
}

/// The same in milliseconds, which is what the server's clock shows.
pub(super) fn milliseconds(now: u64) -> i64 {
    START * 1000 + now as i64
}

/// A unit's code.
pub(super) fn code(unit: usize) -> String {
    format!("28249-{unit}")
}

/// The unit with a code.
pub(super) fn unit_of(code: &str) -> Option<usize> {
    (0..UNITS).find(|unit| self::code(*unit) == code)
}

/// A unit's response.
pub(super) fn response_of(unit: usize) -> ResponseId {
    ResponseId::of(ROUND, &code(unit))
}

/// A unit's hamlet.
pub(super) fn hamlet_of(unit: usize) -> i64 {
    i64::from(unit >= UNITS / 2)
}

/// One person's answer to one question.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) phone: usize,
    pub(super) unit: usize,
    pub(super) question: usize,
    pub(super) value: Value,
    /// When it was, by the true clock, in milliseconds since the world began.
    pub(super) written: u64,
    /// The edits that the person could have seen.
    pub(super) past: BTreeSet<usize>,
    /// The changes that the edit's own depends on.
    pub(super) builds_on: Vec<ChangeHash>,
    /// The edit that is said again by this one.
    pub(super) first: Option<usize>,
}

/// Everything that people did.
#[derive(Debug, Default)]
pub(super) struct History {
    edits: Vec<Edit>,
    by_hash: HashMap<ChangeHash, usize>,
    saved: BTreeSet<usize>,
}

impl History {
    pub(super) fn wrote(&mut self, change: &Change, edit: Edit) {
        let hash = change.hash();
        // Two copies of one phone that do the same in the same second do it once.
        if self.by_hash.contains_key(&hash) {
            return;
        }
        self.by_hash.insert(hash, self.edits.len());
        self.edits.push(Edit {
            builds_on: change.deps().to_vec(),
            ..edit
        });
    }

    /// A phone said again, by another change each, what these changes said, in their order.
    pub(super) fn wrote_again(&mut self, replaced: &[(ChangeHash, Change)]) {
        let mut again = BTreeMap::new();
        for (dropped, written) in replaced {
            let Some((number, edit)) = self.find(dropped) else {
                continue;
            };
            let now = |number: &usize| again.get(number).copied().unwrap_or(*number);
            let edit = Edit {
                past: edit.past.iter().map(now).collect(),
                first: Some(self.first(number)),
                ..edit.clone()
            };
            self.wrote(written, edit);
            again.extend(self.find(&written.hash()).map(|(now, _)| (number, now)));
        }
    }

    /// The edit that this one says again, or itself.
    pub(super) fn first(&self, number: usize) -> usize {
        self.edits[number].first.unwrap_or(number)
    }

    /// The app told the volunteer that the answer is saved.
    pub(super) fn saved(&mut self, hash: &ChangeHash) {
        self.saved.extend(self.by_hash.get(hash));
    }

    pub(super) fn find(&self, hash: &ChangeHash) -> Option<(usize, &Edit)> {
        let number = *self.by_hash.get(hash)?;
        Some((number, &self.edits[number]))
    }

    /// The saved edits with their numbers.
    pub(super) fn all_saved(&self) -> impl Iterator<Item = (usize, &Edit)> {
        self.saved.iter().map(|number| (*number, &self.edits[*number]))
    }

    /// What a unit's questions must show to who has these edits: the answers that none of the others replaced with
    /// knowledge of them.
    pub(super) fn open_answers(&self, unit: usize, has: &BTreeSet<usize>) -> BTreeMap<&'static str, BTreeSet<String>> {
        let mut open: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        let of_unit = |number: &&usize| self.edits[**number].unit == unit;
        for number in has.iter().filter(of_unit) {
            let edit = &self.edits[*number];
            let replaced = has.iter().filter(of_unit).any(|other| {
                let later = &self.edits[*other];
                later.question == edit.question && later.past.contains(number)
            });
            if !replaced {
                let values = open.entry(QUESTIONS[edit.question]).or_default();
                values.insert(text(&edit.value));
            }
        }
        open
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// What a reading shows of each question: its answer, and where a conflict is open every different answer.
pub(super) fn shown(reading: &Reading) -> BTreeMap<&'static str, BTreeSet<String>> {
    use survey_forms::answers::Answers as _;
    let mut shown = BTreeMap::new();
    for question in QUESTIONS {
        let path = AnswerPath::top(question);
        let conflict = reading.conflicts.iter().find(|conflict| conflict.path == path);
        let values: BTreeSet<String> = match conflict {
            Some(conflict) => conflict.values().iter().flatten().map(text).collect(),
            None => reading.answers.answer(&path).iter().map(text).collect(),
        };
        if !values.is_empty() {
            shown.insert(question, values);
        }
    }
    shown
}
