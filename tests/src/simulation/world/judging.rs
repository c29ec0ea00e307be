//! What must hold in the end.
//!
//! What an author who still works has saved must be in the province's log, and what is in the log of a hub or its upstream at
//! the other one, unless it was refused there for a reason that is known here, or builds on something that is nowhere it
//! could come from.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt as _;
use sync_core::response::{Reading, Response};
use sync_core::{Change, ChangeHash};

use super::figures::counts;
use super::{PATIENCE, World};
use crate::simulation::bug::Bug;
use crate::simulation::history::{Edit, UNITS, hamlet_of, milliseconds, response_of, shown};
use crate::simulation::invariant::Invariant;
use crate::simulation::phone::known;
use crate::simulation::site::{Data, Entry, contradicts};

type Broken = Vec<(Invariant, String)>;

impl World {
    /// Whether what there is in the end is what there must be.
    pub(super) fn judge(&mut self) {
        for site in 0..self.sites.len() {
            self.check_log(site);
        }
        let mut broken = self.missing_answers();
        broken.extend(self.lost_of_quarantine());
        broken.extend(self.unreached_releases());
        broken.extend(self.disagreeing_neighbours());
        broken.extend(self.wrong_readings());
        broken.extend(self.diverging_phones());
        for (invariant, what) in broken {
            self.break_promise(invariant, what);
        }
    }

    /// Whether an edit may stay outside of logs because of who wrote it where and when.
    fn is_refused(&self, edit: &Edit) -> bool {
        let author = &self.phones[edit.phone];
        let hamlet = hamlet_of(edit.unit);
        let withdrawn = self.sites.iter().flat_map(|site| &site.data.withdrawn);
        let of_author = withdrawn.filter(|((key, of), _)| *of == hamlet && author.keys.had(key));
        // A message takes some time, so what was written right before a withdrawal may seem to be written after it.
        let late = of_author
            .map(|(_, at)| at)
            .any(|at| self.clock_was_wrong(edit.phone) || milliseconds(edit.written + PATIENCE) > *at);
        !author.scope.contains(&hamlet) || late
    }

    /// Whether somebody refused a change, and nobody let it in there.
    fn is_set_aside(&self, hash: &ChangeHash) -> bool {
        self.sites.iter().any(|site| site.data.refuses(hash))
    }

    /// Whether a phone's change builds on one that is not in a log, and that this phone cannot bring there: another's, or an
    /// own one that is refused.
    fn builds_on_absent(&self, hash: &ChangeHash, phone: usize, log: &BTreeSet<ChangeHash>) -> bool {
        let Some((_, edit)) = self.history.find(hash) else {
            return false;
        };
        let absent = edit.builds_on.iter().filter(|dependency| !log.contains(dependency));
        absent.into_iter().any(|dependency| {
            let Some((_, before)) = self.history.find(dependency) else {
                return false;
            };
            let by_another = before.phone != phone;
            let refused =
                self.is_refused(before) || self.sites.iter().any(|site| site.data.discarded.contains(dependency));
            by_another || refused || self.builds_on_absent(dependency, phone, log)
        })
    }

    /// The saved answers that did not arrive at the province.
    fn missing_answers(&self) -> Broken {
        let province = &self.sites[0].data;
        let log: BTreeSet<ChangeHash> = province.log.iter().map(Entry::hash).collect();
        let first = |hash: &ChangeHash| self.history.find(hash).map(|(number, _)| self.history.first(number));
        let arrived: BTreeSet<usize> = log.iter().filter_map(first).collect();
        let mut broken = Broken::new();
        for (number, edit) in self.history.all_saved() {
            let author = &self.phones[edit.phone];
            let erased = self.sites.iter().any(|site| site.data.erased.contains_key(&edit.unit));
            if self.is_refused(edit) || self.is_out(edit.phone) || erased {
                continue;
            }
            let number = self.history.first(number);
            if arrived.contains(&number) {
                continue;
            }
            // As the author has it now, written again or not.
            let changes = author.response(edit.unit).map(Response::changes).unwrap_or_default();
            let versions = changes
                .iter()
                .map(Change::hash)
                .filter(|hash| first(hash) == Some(number));
            let excused = |hash: &ChangeHash| {
                let discarded = self.sites.iter().any(|site| site.data.discarded.contains(hash));
                discarded || self.builds_on_absent(hash, edit.phone, &log)
            };
            if versions.into_iter().any(|hash| excused(&hash)) {
                continue;
            }
            let is_edit = |hash: &ChangeHash| first(hash) == Some(number);
            let refused = author.refused.iter().find(|(hash, _)| is_edit(hash));
            let waits = province.waiting.iter().any(|entry| is_edit(&entry.hash()));
            let what = format!("{edit:?}, waiting: {waits}, refused: {refused:?}");
            broken.push((Invariant::SavedAnswersArrive, what));
        }
        broken
    }

    /// What was in quarantine and is neither there nor decided about. A server that was set back to a backup has what its
    /// backup had; the phone has the rest.
    fn lost_of_quarantine(&self) -> Broken {
        let first = |hash: &ChangeHash| self.history.find(hash).map(|(number, _)| self.history.first(number));
        let restored = self.statistics.restored + self.statistics.restored_hubs > 0;
        let mut lost = Broken::new();
        for phone in &self.phones {
            for hash in &phone.quarantined {
                let Some((_, edit)) = self.history.find(hash) else {
                    continue;
                };
                let kept = self.sites.iter().any(|site| site.data.keeps(hash));
                let erased = self.sites.iter().any(|site| site.data.erased.contains_key(&edit.unit));
                let changes = phone.response(edit.unit).map(Response::changes).unwrap_or_default();
                let with_phone = changes.iter().any(|change| first(&change.hash()) == first(hash));
                if !kept && !erased && !phone.is_lost && (!restored || !with_phone) {
                    lost.push((Invariant::RefusedIsKept, format!("{hash} of phone {}", phone.number)));
                }
            }
        }
        lost
    }

    /// The hubs with the installations above them.
    fn neighbours(&self) -> impl Iterator<Item = (usize, usize)> {
        let hubs = self.above.iter().enumerate();
        hubs.filter_map(|(hub, above)| Some((hub, (*above)?)))
    }

    /// Why a log need not have an entry of a neighbour's.
    fn may_lack(&self, to: &Data, entry: &Entry, goes_up: bool) -> bool {
        let hash = entry.hash();
        // What waits has the first claim to its number, also where nothing ever comes of it.
        let mut there = to.log.iter().chain(&to.waiting);
        let contradicted = there.any(|there| there.contradicts(entry));
        let decided = goes_up && to.refuses(&hash);
        let mut dependencies = entry.change.deps().iter();
        let waits = dependencies.any(|dependency| self.history.find(dependency).is_some() && !to.has(dependency));
        contradicted || decided || to.discarded.contains(&hash) || waits
    }

    /// What a hub and its upstream do not have of each other.
    fn disagreeing_neighbours(&self) -> Broken {
        let mut broken = Broken::new();
        for (hub, above) in self.neighbours() {
            let scope = &self.sites[hub].scope;
            let (below, over) = (&self.sites[hub].data, &self.sites[above].data);
            for (from, to, goes_up) in [(below, over, true), (over, below, false)] {
                for entry in from.log.iter().filter(|entry| scope.contains(&entry.hamlet())) {
                    if !to.has(&entry.hash()) && !self.may_lack(to, entry, goes_up) {
                        let way = if goes_up { "up" } else { "down" };
                        let what = format!("{} did not go {way} between {above} and its hub {hub}", entry.hash());
                        broken.push((Invariant::NeighboursAgree, what));
                    }
                }
            }
            for unit in (0..UNITS).filter(|unit| scope.contains(&hamlet_of(*unit))) {
                if below.erased.contains_key(&unit) != over.erased.contains_key(&unit) {
                    let what = format!("unit {unit} is erased at one of {above} and its hub {hub}");
                    broken.push((Invariant::ErasedIsForgotten, what));
                }
            }
        }
        broken
    }

    /// What officials let in and did not come down to a hub.
    fn unreached_releases(&mut self) -> Broken {
        let mut broken = Broken::new();
        for (number, site) in self.sites.iter().enumerate() {
            for entry in site.data.log.iter().filter(|entry| entry.let_in) {
                self.statistics.released += 1;
                let below = self.above.iter().enumerate();
                for (hub, _) in below.filter(|(_, above)| **above == Some(number)) {
                    let hub_data = &self.sites[hub].data;
                    let concerned = self.sites[hub].scope.contains(&entry.hamlet());
                    if concerned && !hub_data.has(&entry.hash()) && !self.may_lack(hub_data, entry, false) {
                        let what = format!("{} is not at hub {hub}", entry.hash());
                        broken.push((Invariant::ReleasedReachesEverybody, what));
                    }
                }
            }
        }
        broken
    }

    fn read(&self, response: &Response, reader: Option<usize>) -> Reading {
        let mut reading = response.read();
        if self.bug == Some(Bug::HidesConflicts) {
            reading.conflicts.clear();
        }
        if let (Some(Bug::PrefersOwnAnswer), Some(reader)) = (self.bug, reader) {
            use survey_forms::answers::AnswersMut as _;
            let actor = self.phones[reader].keys.now().actor();
            for conflict in &reading.conflicts {
                let own = conflict.claims.iter().find(|claim| claim.actor == actor);
                if let Some(value) = own.and_then(|claim| claim.value.as_ref()) {
                    let Ok(()) = reading.answers.put_answer(&conflict.path, value);
                }
            }
        }
        reading
    }

    /// Whether installations show what people said, and the province's figures are those of one replica.
    fn wrong_readings(&mut self) -> Broken {
        let mut broken = Broken::new();
        let mut sum = 0;
        for (site, unit) in (0..self.sites.len()).flat_map(|site| (0..UNITS).map(move |unit| (site, unit))) {
            let response = self.sites[site].data.response(unit);
            let has = known(&response, &self.history);
            let (expected, found) = (
                self.history.open_answers(unit, &has),
                shown(&self.read(&response, None)),
            );
            if expected != found {
                let what = format!("unit {unit} shows {found:?} and not {expected:?} at installation {site}");
                broken.push((Invariant::NoConflictVanishes, what));
            }
            let mut changes = response.changes();
            for place in (1..changes.len()).rev() {
                changes.swap(place, self.luck.random_range(0..=place));
            }
            let mut replica = Response::new(response_of(unit)).unwrap();
            replica.apply(changes).unwrap();
            if replica.heads() != response.heads() {
                broken.push((Invariant::ReplicasConverge, format!("unit {unit} in another order")));
            }
            if site == 0 {
                sum += i64::from(counts(&replica.read().answers));
            }
        }
        self.count();
        if self.figures.sum != sum {
            let what = format!("{} households instead of {sum}", self.figures.sum);
            broken.push((Invariant::FiguresEqualOneReplica, what));
        }
        broken
    }

    /// Whether another phone has the same key still. Neither hears then what the other writes, until both write into one
    /// response.
    fn is_undiscovered(&self, phone: usize) -> bool {
        let key = self.phones[phone].keys.public();
        let others = self.phones.iter().filter(|other| other.number != phone);
        others.into_iter().any(|other| other.keys.public() == key)
    }

    /// What phones that still work have other than their installation.
    fn diverging_phones(&self) -> Broken {
        let mut broken = Broken::new();
        for phone in (0..self.phones.len()).filter(|phone| !self.is_out(*phone) && !self.is_undiscovered(*phone)) {
            let key = self.phones[phone].keys.public();
            let data = &self.sites[self.phones[phone].place].data;
            let scope = self.phones[phone].scope.iter();
            let scope: BTreeSet<i64> = scope
                .filter(|hamlet| !data.withdrawn.contains_key(&(key, **hamlet)))
                .copied()
                .collect();
            for unit in (0..UNITS).filter(|unit| scope.contains(&hamlet_of(*unit))) {
                if let Some((invariant, what)) = self.diverging(phone, unit, data) {
                    broken.push((invariant, format!("unit {unit} on phone {phone}: {what}")));
                }
            }
        }
        broken
    }

    fn diverging(&self, phone: usize, unit: usize, data: &Data) -> Option<(Invariant, String)> {
        let empty = Response::new(response_of(unit)).unwrap();
        let replica = self.phones[phone].response(unit).unwrap_or(&empty);
        let by_hash = |changes: Vec<Change>| -> BTreeMap<ChangeHash, Change> {
            changes.into_iter().map(|change| (change.hash(), change)).collect()
        };
        let here = by_hash(replica.changes());
        let response = data.response(unit);
        let there = by_hash(response.changes());
        if data.erased.contains_key(&unit) {
            let what = format!("{} changes of what is erased", here.len());
            return (!here.is_empty()).then_some((Invariant::ErasedIsForgotten, what));
        }
        let log: BTreeSet<ChangeHash> = there.keys().copied().collect();
        let contradicted = |change: &&Change| there.values().any(|other| contradicts(change, other));
        let mut contradicting = here.values().filter(contradicted).peekable();
        if contradicting.peek().is_some() {
            // What another has to write again, and this phone heard from that one, stands in its way.
            let own = contradicting.find(|change| {
                let edit = self.history.find(&change.hash());
                edit.is_some_and(|(_, edit)| edit.phone == phone)
            });
            return own.map(|change| {
                (
                    Invariant::ReplicasConverge,
                    format!("own {} contradicts", change.hash()),
                )
            });
        }
        if let Some(missing) = log.iter().find(|hash| !here.contains_key(hash)) {
            return Some((Invariant::ReplicasConverge, format!("{missing} is missing")));
        }
        let mut extra = here.keys().filter(|hash| !log.contains(hash)).peekable();
        if extra.peek().is_some() {
            let wrong = extra.find(|hash| !self.may_be_on_phones_only(hash, &log));
            return wrong.map(|hash| (Invariant::ReplicasConverge, format!("{hash} is nowhere else")));
        }
        let same = self.read(replica, Some(phone)).answers == self.read(&response, None).answers;
        (replica.heads() != response.heads() || !same)
            .then_some((Invariant::ReplicasConverge, "it shows something else".to_owned()))
    }

    /// Whether a change may be on phones and in no log: refused, its author cannot bring it any more or has written it
    /// again, or it builds on such a one.
    fn may_be_on_phones_only(&self, hash: &ChangeHash, log: &BTreeSet<ChangeHash>) -> bool {
        let Some((_, edit)) = self.history.find(hash) else {
            // The genesis is in every replica, and in no log.
            return true;
        };
        let author = &self.phones[edit.phone];
        let gone = self.is_out(edit.phone) || author.response(edit.unit).is_none_or(|response| !response.has(hash));
        let refused = self.is_refused(edit) || self.is_set_aside(hash);
        let mut absent = edit.builds_on.iter().filter(|dependency| !log.contains(dependency));
        gone || refused
            || absent.any(|dependency| {
                self.history.find(dependency).is_some() && self.may_be_on_phones_only(dependency, log)
            })
    }
}
