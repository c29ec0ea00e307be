//! A server: the answering side of the exchange, bound to a disk that may fail. Exchanges run side by side; between any
//! two steps of one others go on, and the power may fail.

mod data;

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use serde_bytes::ByteBuf;
use sync_core::device::{DevicePublicKey, Succession};
use sync_core::exchange::answering::{self, ArrivalError, CursorState, Found, LogQuery, Peer, Query, Question, Read};
use sync_core::exchange::delivery::{Authors, Delivery, Planned, Taken};
use sync_core::exchange::intake::{self, HamletKey, Plan, SetAside};
use sync_core::exchange::{Cursor, ErasedResponse, Limits, Refusal, RefusalReason, ResponseChanges, wire};
use sync_core::{Change, ChangeHash};

use super::bug::Bug;
use super::disk::{Disk, DiskFull};
use super::history::{ROUND, UNITS, code, hamlet_of, milliseconds, response_of};

use data::frame;
pub(super) use data::{Data, Entry, Transaction};

/// Entries in one answer: few, so that reading takes several answers.
const READ_ENTRIES: usize = 4;

/// Where an exchange is.
enum Stage {
    Arrived(Box<Delivery>),
    /// With the delivery, should it turn out that its authors may do other than when it was planned.
    Planned(Box<Planned>, Box<Delivery>, Authors),
    /// In the writer's transaction, waiting for the flush.
    Flushing(Box<Planned>, Vec<Refusal>),
    Taken(Taken),
}

/// One exchange under way.
struct Exchange {
    phone: usize,
    device: DevicePublicKey,
    /// The hamlets of the device in the beginning.
    scope: BTreeSet<i64>,
    /// How far its clock is ahead, in milliseconds.
    clock_ahead: i64,
    hashes: Vec<ChangeHash>,
    question: Question,
    /// What to look up in the end, once the cursors were.
    query: Option<Query>,
    stage: Stage,
}

/// What a phone gets.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// The answer's bytes.
    Answer(Vec<u8>),
    /// An error of HTTP.
    Failed,
    /// Another key has taken the place of the device's.
    Replaced,
}

/// What a device is told that wants another key in the place of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rotation {
    /// It is.
    Done,
    /// Another one is already.
    Replaced,
    /// The server has no room to write it down.
    Failed,
}

/// What came of a step.
pub(super) enum Step {
    /// This phone's exchange goes on.
    GoesOn(usize),
    /// It waits for the next flush.
    AwaitsFlush,
    /// It is over. The hashes are those that the reply acknowledges.
    Replied {
        phone: usize,
        reply: Reply,
        acknowledged: Vec<ChangeHash>,
        /// Those of which it says that they are in quarantine.
        quarantined: Vec<ChangeHash>,
    },
}

/// The server.
pub(super) struct Server {
    pub(super) disk: Disk<Transaction>,
    /// What readers see: what is flushed.
    pub(super) data: Data,
    /// What the one writer sees.
    ahead: Data,
    exchanges: BTreeMap<u64, Exchange>,
    pub(super) is_running: bool,
    bug: Option<Bug>,
}

impl Server {
    pub(super) fn new(bug: Option<Bug>) -> Self {
        Self {
            disk: Disk::new(),
            data: Data::default(),
            ahead: Data::default(),
            exchanges: BTreeMap::new(),
            is_running: true,
            bug,
        }
    }

    /// A request comes over a connection of the device that holds `phone`'s token.
    pub(super) fn arrive(
        &mut self,
        connection: u64,
        phone: usize,
        device: DevicePublicKey,
        scope: &BTreeSet<i64>,
        bytes: &[u8],
        now: u64,
    ) -> Result<(), Reply> {
        if self.data.successors.contains_key(&device) && self.bug != Some(Bug::IgnoresSuccession) {
            return Err(Reply::Replaced);
        }
        let reader = self.data.author(&device, scope, 0, self.bug);
        let peer = Peer {
            device,
            scope: reader.map_or_else(|_| BTreeSet::new(), |reader| reader.in_force()),
        };
        let (delivery, question) = match answering::read(bytes, peer, &Limits::default()) {
            Ok(read) => read,
            Err(ArrivalError::Admission(_)) if self.bug == Some(Bug::IgnoresSignatures) => {
                self.believe(bytes, device);
                return Err(Reply::Failed);
            }
            Err(_) => return Err(Reply::Failed),
        };
        let exchange = Exchange {
            phone,
            device,
            scope: scope.clone(),
            clock_ahead: question.clock_ahead(milliseconds(now)),
            hashes: hashes(bytes),
            question,
            query: None,
            stage: Stage::Arrived(Box::new(delivery)),
        };
        self.exchanges.insert(connection, exchange);
        Ok(())
    }

    /// The planted mistake of a server that looks at no signature.
    fn believe(&mut self, bytes: &[u8], device: DevicePublicKey) {
        let request = wire::decode_request(bytes, &Limits::default()).unwrap();
        for group in &request.responses {
            let Some(unit) = super::history::unit_of(&group.unit) else {
                continue;
            };
            for change in group
                .changes
                .iter()
                .filter_map(|bytes| Change::from_bytes(bytes.to_vec()).ok())
            {
                let entries = vec![Entry {
                    unit,
                    device,
                    change,
                    place: 0,
                }];
                let transaction = Transaction::Logged {
                    entries,
                    waiting: Vec::new(),
                    released: Vec::new(),
                    quarantined: Vec::new(),
                };
                if self.disk.write(transaction.clone()).is_ok() {
                    self.ahead.apply(&transaction);
                }
            }
        }
    }

    /// One step of an exchange.
    pub(super) fn step(&mut self, connection: u64) -> Step {
        let Some(Exchange {
            phone,
            device,
            scope,
            clock_ahead,
            hashes,
            question,
            mut query,
            stage,
        }) = self.exchanges.remove(&connection)
        else {
            return Step::AwaitsFlush;
        };
        let mut outcome = Step::GoesOn(phone);
        let stage = match stage {
            Stage::Arrived(delivery) => {
                query = question.query(self.cursor_state(question.cursors()));
                let authors = self.data.authors(device, &scope, clock_ahead, self.bug);
                let sorted = delivery.clone().sort(&frame(&self.data), &authors);
                let stored = (0..UNITS).map(|unit| (response_of(unit), self.data.stored(unit)));
                let wanted = sorted.responses();
                let stored = stored.filter(|(id, _)| wanted.contains(id)).collect();
                Stage::Planned(Box::new(sorted.plan(&stored)), delivery, authors)
            }
            Stage::Planned(_, delivery, authors)
                if authors != self.ahead.authors(device, &scope, clock_ahead, self.bug)
                    && self.bug != Some(Bug::PlansOnOldAuthority) =>
            {
                Stage::Arrived(delivery)
            }
            Stage::Planned(planned, ..) => match self.write(planned.plan().0) {
                Ok(late) if self.bug == Some(Bug::AcknowledgesBeforeFlush) => Stage::Taken(planned.written(late)),
                Ok(late) => {
                    outcome = Step::AwaitsFlush;
                    Stage::Flushing(planned, late)
                }
                Err(DiskFull) => {
                    return Step::Replied {
                        phone,
                        reply: Reply::Failed,
                        acknowledged: Vec::new(),
                        quarantined: Vec::new(),
                    };
                }
            },
            Stage::Flushing(planned, late) => {
                outcome = Step::AwaitsFlush;
                Stage::Flushing(planned, late)
            }
            Stage::Taken(taken) => {
                let found = query.as_ref().map(|query| self.look_up(query));
                let mut answer = question.answer(taken, found, 0);
                if self.bug == Some(Bug::DropsWaiting) {
                    answer.waiting.clear();
                }
                let left: Vec<u32> = answer.refused.iter().map(|refusal| refusal.change).collect();
                let acknowledged = (0..).zip(&hashes);
                let acknowledged =
                    acknowledged.filter(|(number, _)| !left.contains(number) && !answer.waiting.contains(number));
                let quarantined = answer.refused.iter().filter(|refusal| refusal.quarantined);
                return Step::Replied {
                    phone,
                    acknowledged: acknowledged.map(|(_, hash)| *hash).collect(),
                    quarantined: quarantined.map(|refusal| hashes[refusal.change as usize]).collect(),
                    reply: Reply::Answer(wire::encode(&answer).unwrap()),
                };
            }
        };
        let exchange = Exchange {
            phone,
            device,
            scope,
            clock_ahead,
            hashes,
            question,
            query,
            stage,
        };
        self.exchanges.insert(connection, exchange);
        outcome
    }

    /// The disk has everything now. The connections whose exchange can go on.
    pub(super) fn flush(&mut self) -> Vec<u64> {
        self.disk.flush();
        self.data = self.ahead.clone();
        let mut ready = Vec::new();
        for (connection, mut exchange) in std::mem::take(&mut self.exchanges) {
            if let Stage::Flushing(planned, late) = exchange.stage {
                exchange.stage = Stage::Taken(planned.written(late));
                ready.push(connection);
            }
            self.exchanges.insert(connection, exchange);
        }
        ready
    }

    /// What the one writer does with a plan; those of its changes that cannot be written any more.
    fn write(&mut self, plan: &Plan) -> Result<Vec<Refusal>, DiskFull> {
        let mut writer = self.ahead.clone();
        let mut late = Vec::new();
        let (mut logged, mut kept, mut released) = (Vec::new(), Vec::new(), Vec::new());
        let mut set_aside = plan.set_aside.clone();
        for response in &plan.responses {
            let Some(unit) = super::history::unit_of(&response.unit.1) else {
                continue;
            };
            if writer.erased.contains_key(&unit) && self.bug != Some(Bug::BringsBackErased) {
                let changes = response.log.iter().chain(&response.wait);
                late.extend(changes.map(|(change, _)| Refusal::new(*change, RefusalReason::Erased)));
                continue;
            }
            for (number, admitted) in &response.log {
                let entry = Entry {
                    unit,
                    device: admitted.device,
                    change: admitted.change.clone(),
                    place: 0,
                };
                if writer.has(&entry.change.hash()) && self.bug != Some(Bug::LogsTwice) {
                    continue;
                }
                let taken = |other: &Entry| {
                    let (one, other) = (&entry.change, &other.change);
                    other.hash() != one.hash() && (other.actor_id(), other.seq()) == (one.actor_id(), one.seq())
                };
                if writer.log.iter().any(|other| other.unit == unit && taken(other)) {
                    set_aside.push(SetAside {
                        number: *number,
                        reason: RefusalReason::Contradiction,
                        admitted: admitted.clone(),
                    });
                    continue;
                }
                writer.log.push(entry.clone());
                logged.push(entry);
            }
            if self.bug != Some(Bug::DropsWaiting) {
                for (_, admitted) in &response.wait {
                    let device = admitted.device;
                    let change = admitted.change.clone();
                    let waits = writer.waiting.iter().any(|entry| entry.change.hash() == change.hash());
                    if !waits && !writer.has(&change.hash()) {
                        let entry = Entry {
                            unit,
                            device,
                            change,
                            place: 0,
                        };
                        writer.waiting.push(entry.clone());
                        kept.push(entry);
                    }
                }
            }
            let ready = intake::released(response.id, writer.stored(unit)).unwrap();
            for change in ready {
                let place = writer
                    .waiting
                    .iter()
                    .position(|entry| entry.change.hash() == change.hash());
                let Some(place) = place else { continue };
                let entry = writer.waiting.remove(place);
                released.push(change.hash());
                writer.log.push(entry.clone());
                logged.push(entry);
            }
        }
        let mut quarantined = Vec::new();
        for SetAside {
            number,
            reason,
            admitted,
        } in set_aside
        {
            let Some(unit) = super::history::unit_of(&admitted.unit) else {
                continue;
            };
            if writer.erased.contains_key(&unit) {
                late.push(Refusal::new(number, RefusalReason::Erased));
                continue;
            }
            let hash = admitted.change.hash();
            late.push(Refusal {
                quarantined: true,
                ..Refusal::new(number, reason)
            });
            let there = |entry: &Entry| entry.change.hash() == hash;
            let known = writer.quarantine.iter().chain(&quarantined).any(there) || writer.has(&hash);
            if !known && self.bug != Some(Bug::ForgetsQuarantine) {
                quarantined.push(Entry {
                    unit,
                    device: admitted.device,
                    change: admitted.change,
                    place: 0,
                });
            }
        }
        let transaction = Transaction::Logged {
            entries: logged,
            waiting: kept,
            released,
            quarantined,
        };
        self.disk.write(transaction.clone())?;
        self.ahead.apply(&transaction);
        Ok(late)
    }

    fn cursor_state(&self, mut cursors: impl Iterator<Item = Cursor>) -> CursorState {
        let known = cursors.all(|cursor| {
            let place = usize::try_from(cursor.sequence()).unwrap_or(usize::MAX).wrapping_sub(1);
            let mark = self.data.marks.get(place);
            mark.is_some_and(|mark| *mark == cursor.mark() || self.bug == Some(Bug::IgnoresMarks))
        });
        if known {
            CursorState::Known
        } else {
            CursorState::Foreign
        }
    }

    /// The entry at a place counted from 1.
    fn entry(&self, place: usize) -> Option<Cursor> {
        let mark = self.data.marks.get(place.wrapping_sub(1))?;
        Some(Cursor(place as u64, *mark))
    }

    fn look_up(&self, query: &Query) -> Found {
        let in_scope = |scope: &BTreeSet<HamletKey>, entry: &&Entry| scope.contains(&HamletKey(hamlet_of(entry.unit)));
        let head = self.entry(self.data.marks.len());
        match query {
            Query::Entries(query) => Found::Entries(self.read(query)),
            Query::Set { scope } => {
                let late = usize::from(self.bug == Some(Bug::ComparesOldSet));
                let end = self.data.marks.len().saturating_sub(late);
                let compared = self.data.log.iter().filter(|entry| entry.place <= end);
                let compared = compared.filter(|entry| in_scope(scope, entry));
                Found::Set {
                    changes: compared.map(|entry| entry.change.hash()).collect(),
                    erased: self.erased(scope, 0, self.data.marks.len()),
                    head,
                }
            }
            Query::Changes { hashes, scope } => {
                let wanted = self.data.log.iter().filter(|entry| in_scope(scope, entry));
                let wanted = wanted.filter(|entry| hashes.contains(&entry.change.hash()));
                let responses: Vec<ResponseChanges> = wanted.map(carried).collect();
                Found::Changes {
                    more: responses.len() > READ_ENTRIES,
                    responses: responses.into_iter().take(READ_ENTRIES).collect(),
                    head,
                }
            }
        }
    }

    fn read(&self, query: &LogQuery) -> Read {
        let after = query.after.map_or(0, |cursor| cursor.sequence() as usize);
        let mut responses = Vec::new();
        let mut end = self.data.marks.len();
        for entry in self.data.log.iter().filter(|entry| entry.place > after) {
            if responses.len() == READ_ENTRIES {
                end = entry.place - 1;
                break;
            }
            if query.without != Some(entry.device) && query.scope.contains(&HamletKey(hamlet_of(entry.unit))) {
                responses.push(carried(entry));
            }
        }
        let end = end.max(after);
        Read {
            responses,
            erased: self.erased(&query.scope, after, end),
            cursor: self.entry(end),
            head: self.entry(self.data.marks.len()),
            more: end < self.data.marks.len(),
        }
    }

    /// The tombstones after one place up to another.
    fn erased(&self, scope: &BTreeSet<HamletKey>, after: usize, end: usize) -> Vec<ErasedResponse> {
        let erased = self
            .data
            .erased
            .iter()
            .filter(|(_, place)| (after + 1..=end).contains(place));
        let erased = erased.filter(|(unit, _)| scope.contains(&HamletKey(hamlet_of(**unit))));
        erased
            .map(|(unit, _)| ErasedResponse {
                round: ROUND,
                unit: code(*unit),
            })
            .collect()
    }

    /// How many changes are in the log, wait, and are in quarantine.
    pub(super) fn sizes(&self) -> [usize; 3] {
        [&self.data.log, &self.data.waiting, &self.data.quarantine].map(Vec::len)
    }

    /// An official erases a response.
    pub(super) fn erase(&mut self, unit: usize) {
        let transaction = Transaction::Erased(unit);
        if !self.ahead.erased.contains_key(&unit) && self.disk.write(transaction.clone()).is_ok() {
            self.ahead.apply(&transaction);
        }
    }

    /// A device wants another key in the place of its own, again where the answer was lost.
    pub(super) fn rotate(&mut self, succession: &Succession) -> Rotation {
        let Succession {
            predecessor, successor, ..
        } = *succession;
        match self.ahead.successors.get(&predecessor) {
            Some(there) if *there == successor => return Rotation::Done,
            Some(_) => return Rotation::Replaced,
            None => {}
        }
        let transaction = Transaction::Succeeded { predecessor, successor };
        if succession.verify().is_err() || self.disk.write(transaction.clone()).is_err() {
            return Rotation::Failed;
        }
        self.ahead.apply(&transaction);
        Rotation::Done
    }

    /// An official revokes a device.
    pub(super) fn revoke(&mut self, device: DevicePublicKey) {
        let transaction = Transaction::Revoked(device);
        if self.disk.write(transaction.clone()).is_ok() {
            self.ahead.apply(&transaction);
        }
    }

    /// An official withdraws a hamlet from a device.
    pub(super) fn withdraw(&mut self, device: DevicePublicKey, hamlet: i64, now: u64) {
        let transaction = Transaction::Withdrawn(device, hamlet, milliseconds(now));
        if self.disk.write(transaction.clone()).is_ok() {
            self.ahead.apply(&transaction);
        }
    }

    /// The power fails.
    pub(super) fn crash(&mut self, luck: &mut ChaCha8Rng) {
        self.is_running = false;
        self.exchanges.clear();
        self.disk.crash(luck);
    }

    /// The server starts from what is on disk.
    pub(super) fn restart(&mut self) {
        self.is_running = true;
        self.data = Data::of(self.disk.flushed());
        self.ahead = self.data.clone();
    }
}

/// The hashes of a request's changes, in their order.
fn hashes(bytes: &[u8]) -> Vec<ChangeHash> {
    let request = wire::decode_request(bytes, &Limits::default()).unwrap();
    let changes = request.responses.iter().flat_map(|group| &group.changes);
    let hash = |bytes: &ByteBuf| Change::from_bytes(bytes.to_vec()).map_or(ChangeHash([0; 32]), |change| change.hash());
    changes.map(hash).collect()
}

fn carried(entry: &Entry) -> ResponseChanges {
    ResponseChanges {
        round: ROUND,
        unit: code(entry.unit),
        changes: vec![ByteBuf::from(entry.change.raw_bytes())],
    }
}
