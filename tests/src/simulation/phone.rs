//! A phone: the device's side of the exchange, bound to a disk that may fail.

mod rekeying;

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use survey_forms::answers::{AnswerPath, AnswersMut as _, Value};
use sync_core::exchange::{
    Client, ClientState, Limits, OutgoingChange, RefusalReason, Rekeying, SyncResponse, reconciliation, wire,
};
use sync_core::response::{Response, ResponseError};
use sync_core::{Change, ChangeHash};

use super::bug::Bug;
use super::disk::Disk;
use super::history::{Edit, History, QUESTIONS, ROUND, code, hamlet_of, response_of, seconds, unit_of};
use super::keys::{Keys, Secret};
use super::record::Record;

/// A phone and the volunteer who carries it.
pub(super) struct Phone {
    pub(super) number: usize,
    first: Secret,
    pub(super) keys: Keys,
    /// The hamlets that it may read and write.
    pub(super) scope: BTreeSet<i64>,
    /// Whether it compares what it has with a log that it does not know, instead of reading that from its start.
    compares: bool,
    /// How far its clock is ahead, in seconds.
    pub(super) clock_ahead: i64,
    /// Whether somebody set its clock since the world began.
    pub(super) clock_was_set: bool,
    pub(super) disk: Disk<Record>,
    pub(super) refused: Vec<(ChangeHash, RefusalReason)>,
    /// What the server was said to have in quarantine.
    pub(super) quarantined: BTreeSet<ChangeHash>,
    /// The installation that it talks to.
    pub(super) place: usize,
    /// Whether it took in what another phone has.
    pub(super) has_met: bool,
    /// Whether its clock was wrong ever.
    pub(super) clock_was_wrong: bool,
    /// Whether it lies at the bottom of a canal.
    pub(super) is_lost: bool,
    /// What is gone when the app ends; none while it does not run.
    memory: Option<Memory>,
    bug: Option<Bug>,
}

#[derive(Default)]
struct Memory {
    client: Client,
    responses: BTreeMap<usize, Response>,
    /// Written, but not flushed: not to be sent yet.
    unsaved: Vec<OutgoingChange>,
    /// The exchange whose answer is awaited.
    connection: Option<u64>,
}

impl Memory {
    fn open(&mut self, unit: usize) -> &mut Response {
        self.responses
            .entry(unit)
            .or_insert_with(|| Response::new(response_of(unit)).unwrap())
    }
}

impl Phone {
    pub(super) fn new(number: usize, scope: BTreeSet<i64>, compares: bool, bug: Option<Bug>) -> Self {
        Self {
            number,
            first: [number as u8 + 1; 32],
            keys: Keys::new([number as u8 + 1; 32]),
            scope,
            compares,
            clock_ahead: 0,
            clock_was_set: false,
            disk: Disk::new(),
            refused: Vec::new(),
            quarantined: BTreeSet::new(),
            place: 0,
            has_met: false,
            clock_was_wrong: false,
            is_lost: false,
            memory: Some(Memory::default()),
            bug,
        }
    }

    /// Whether the disks of the two were one once.
    pub(super) fn is_copy_of(&self, other: &Self) -> bool {
        self.first == other.first
    }

    /// Another phone, onto which the disk of this one is copied.
    pub(super) fn copied(&self, number: usize, history: &mut History) -> Self {
        let mut copy = Self::new(number, self.scope.clone(), self.compares, self.bug);
        copy.first = self.first;
        copy.place = self.place;
        copy.disk.restore(self.disk.flushed().to_vec());
        copy.restart(history);
        copy
    }

    pub(super) fn is_running(&self) -> bool {
        self.memory.is_some()
    }

    /// The volunteer answers a question; `decide` says that they saw a conflict and end it.
    pub(super) fn answer(
        &mut self,
        unit: usize,
        question: usize,
        value: &str,
        now: u64,
        history: &mut History,
        decide: bool,
    ) {
        let (actor, time, number) = (self.keys.now().actor(), seconds(now) + self.clock_ahead, self.number);
        let Some(memory) = &mut self.memory else { return };
        let value = Value::Text(value.to_owned());
        let path = AnswerPath::top(QUESTIONS[question]);
        let response = memory.open(unit);
        let past = known(response, history);
        let ((), change) = response
            .edit::<_, ResponseError>(&actor, time, |edit| match decide {
                true => edit.settle(&path, Some(&value)),
                false => edit.put_answer(&path, &value),
            })
            .unwrap();
        let Some(change) = change else { return };
        history.wrote(
            &change,
            Edit {
                phone: number,
                unit,
                question,
                value,
                written: now,
                past,
                builds_on: Vec::new(),
                first: None,
            },
        );
        let outgoing = OutgoingChange {
            round: ROUND,
            unit: code(unit),
            change: change.clone(),
        };
        let change = Box::new(change);
        if self.disk.write(Record::Wrote { unit, change }).is_err() {
            // The app says that the answer is not saved, and shows what is.
            self.read_responses();
        } else {
            if self.bug == Some(Bug::SendsBeforeFlush) {
                memory.client.enqueue(outgoing.clone());
            }
            memory.unsaved.push(outgoing);
        }
    }

    /// What was written is on disk now: the volunteer is told, and it may be sent.
    pub(super) fn flush(&mut self, history: &mut History) {
        self.disk.flush();
        let Some(memory) = &mut self.memory else { return };
        for outgoing in memory.unsaved.drain(..) {
            history.saved(&outgoing.change.hash());
            if self.bug != Some(Bug::SendsBeforeFlush) {
                memory.client.enqueue(outgoing);
            }
        }
    }

    /// Another phone is at hand, and this one takes in all that it has of the units that both may read. What this one's key
    /// wrote, by a copy of this phone, it also sends: nobody else might.
    pub(super) fn meet(&mut self, other: &Self) {
        let (Some(memory), Some(others)) = (&mut self.memory, &other.memory) else {
            return;
        };
        let own = self.keys.actors();
        let (mut changes, mut records) = (Vec::new(), Vec::new());
        for (unit, theirs) in &others.responses {
            let hamlet = hamlet_of(*unit);
            if !self.scope.contains(&hamlet) || !other.scope.contains(&hamlet) {
                continue;
            }
            for change in theirs.changes() {
                let here = memory.responses.get(unit);
                if own.contains(change.actor_id()) && !here.is_some_and(|here| here.has(&change.hash())) {
                    let change = Box::new(change.clone());
                    records.push(Record::Wrote { unit: *unit, change });
                }
                changes.push((*unit, change));
            }
        }
        let heard = Record::Heard {
            changes: changes.clone(),
        };
        if self
            .disk
            .write(Record::Exchanged([heard].into_iter().chain(records.clone()).collect()))
            .is_err()
        {
            return;
        }
        self.has_met = true;
        for (unit, change) in changes {
            take_in(memory.open(unit), change);
        }
        for record in records {
            if let Record::Wrote { unit, change } = record {
                memory.unsaved.push(OutgoingChange {
                    round: ROUND,
                    unit: code(unit),
                    change: *change,
                });
            }
        }
    }

    /// Begins an exchange and gives the request's bytes.
    pub(super) fn request(&mut self, connection: u64, now: u64, piece: usize) -> Option<Vec<u8>> {
        let memory = self.memory.as_mut().filter(|memory| memory.connection.is_none())?;
        memory.connection = Some(connection);
        let device_time = (seconds(now) + self.clock_ahead) * 1000;
        Some(wire::encode(&memory.client.request(&self.keys.now(), device_time, piece)).unwrap())
    }

    /// No answer came, or none that can be read.
    pub(super) fn disconnected(&mut self, connection: u64) {
        let Some(memory) = &mut self.memory else { return };
        if memory.connection == Some(connection) {
            memory.connection = None;
            memory.client.disconnected();
            if self.bug == Some(Bug::ForgetsOutbox) {
                let state = memory.client.state();
                memory.client = Client::new(state);
            }
        }
    }

    /// An answer came.
    pub(super) fn receive(&mut self, connection: u64, bytes: &[u8], now: u64, history: &mut History) {
        let Some(memory) = self
            .memory
            .as_mut()
            .filter(|memory| memory.connection == Some(connection))
        else {
            return;
        };
        let Ok(mut response) = wire::decode::<SyncResponse>(bytes, &Limits::default()) else {
            return self.disconnected(connection);
        };
        if self.bug == Some(Bug::KeepsForeignCursor) {
            response.unknown_cursor = false;
        }
        memory.connection = None;
        let received = memory
            .client
            .receive(response, (seconds(now) + self.clock_ahead) * 1000);
        for refused in memory.client.refused() {
            let hash = refused.outgoing.change.hash();
            if refused.quarantined {
                self.quarantined.insert(hash);
            }
            if !self.refused.contains(&(hash, refused.reason)) {
                self.refused.push((hash, refused.reason));
            }
        }
        let mut changes = Vec::new();
        for group in &received.responses {
            let unit = unit_of(&group.unit).expect("the server sends units of the frame");
            for bytes in &group.changes {
                changes.push((unit, Change::from_bytes(bytes.to_vec()).unwrap()));
            }
        }
        let heard = Record::Heard {
            changes: changes.clone(),
        };
        let mut left_outbox = received.left_outbox.clone();
        if self.bug == Some(Bug::ForgetsContradiction) {
            let stranded = memory.client.stranded().iter();
            left_outbox.extend(stranded.map(|outgoing| outgoing.change.hash()));
            memory.client.rewrote(left_outbox.clone());
        }
        let reached = Record::Reached {
            state: memory.client.state(),
            left_outbox,
        };
        let erased = received.erased.iter().filter_map(|erased| unit_of(&erased.unit));
        let erased: Vec<usize> = match self.bug {
            Some(Bug::KeepsErased) => Vec::new(),
            _ => erased.collect(),
        };
        let forgotten = Record::Erased { units: erased.clone() };
        let written = if self.bug == Some(Bug::KeepsCursorBeforeChanges) {
            let reached = self.disk.write(reached);
            self.disk.flush();
            reached.and_then(|()| self.disk.write(heard))
        } else {
            self.disk.write(Record::Exchanged(vec![heard, forgotten, reached]))
        };
        if written.is_err() {
            // Nothing of the answer is kept, so the app begins again from what is.
            return self.restart_app();
        }
        for (unit, change) in changes {
            take_in(memory.open(unit), change);
        }
        for unit in erased {
            memory.responses.remove(&unit);
        }
        let rekeying = memory.client.rekeying(&self.keys.now());
        if received.whole_log && rekeying == Some(Rekeying::Rewrite) && !self.rewrite(history) {
            return self.restart_app();
        }
        let Some(memory) = &mut self.memory else { return };
        if received.whole_log && self.bug == Some(Bug::NeverOffersAgain) {
            memory.client.offer([]);
        } else if received.whole_log {
            self.offer();
        }
        if received.unknown_cursor && self.compares {
            self.reconcile(connection);
        }
        let memory = self.memory.as_mut();
        match memory.and_then(|memory| memory.client.rekeying(&self.keys.now())) {
            Some(Rekeying::NewKey) => self.draw_key(history),
            Some(Rekeying::BeginAgain) => {
                if let Some(memory) = &mut self.memory {
                    memory.client.begin_again();
                }
                if self.compares {
                    self.reconcile(connection);
                }
            }
            Some(Rekeying::Rewrite) | None => {}
        }
    }

    /// The server's log is another one: begins to find out how it differs from what the phone has.
    fn reconcile(&mut self, connection: u64) {
        let Some(memory) = &mut self.memory else { return };
        let mut salt = [self.number as u8; 16];
        salt[..8].copy_from_slice(&connection.to_le_bytes());
        let limits = reconciliation::Limits {
            first_cells: 2,
            change_bytes: None,
            ..reconciliation::Limits::default()
        };
        let here = memory.responses.values().flat_map(Response::changes);
        memory
            .client
            .reconcile(here.map(|change| change.hash()), reconciliation::Salt(salt), limits);
    }

    /// Sends again what the server's log was found not to have, of what is saved.
    fn offer(&mut self) {
        let Some(memory) = &mut self.memory else { return };
        let actors = self.keys.actors();
        let unsaved: BTreeSet<ChangeHash> = memory.unsaved.iter().map(|outgoing| outgoing.change.hash()).collect();
        let mut written = Vec::new();
        for (unit, response) in &memory.responses {
            for actor in &actors {
                let changes = OutgoingChange::written_by(actor, ROUND, &code(*unit), response);
                written.extend(changes.filter(|outgoing| !unsaved.contains(&outgoing.change.hash())));
            }
        }
        memory.client.offer(written);
    }

    /// The volunteer looks whether somebody has decided about what was refused.
    pub(super) fn ask_again(&mut self) {
        if let Some(memory) = self.memory.as_mut().filter(|memory| memory.connection.is_none()) {
            memory.client.ask_again();
        }
    }

    /// Whether there is something to send or to fetch, or a new key to take.
    pub(super) fn is_pending(&self) -> bool {
        let is_pending = |memory: &Memory| memory.client.pending() || !memory.client.stranded().is_empty();
        self.keys.drawn().is_some() || self.memory.as_ref().is_some_and(is_pending)
    }

    /// The battery is taken out.
    pub(super) fn crash(&mut self, luck: &mut ChaCha8Rng) {
        self.memory = None;
        self.disk.crash(luck);
    }

    /// The app starts from what is on disk.
    pub(super) fn restart(&mut self, history: &mut History) {
        for record in self.disk.flushed() {
            record.each(&mut |record| {
                if let Record::Wrote { change, .. } = record {
                    history.saved(&change.hash());
                }
            });
        }
        self.restart_app();
    }

    fn restart_app(&mut self) {
        let unsaved = self.memory.take().map(|memory| memory.unsaved).unwrap_or_default();
        let mut queued: Vec<OutgoingChange> = Vec::new();
        let mut state = ClientState::default();
        let mut keys = Keys::new(self.first);
        for record in self.disk.written() {
            record.replay(&mut queued, &mut state, &mut keys);
        }
        let mut client = Client::new(state);
        keys.predecessors().for_each(|key| client.keep_predecessor(key));
        self.keys = keys;
        for outgoing in queued {
            if !unsaved
                .iter()
                .any(|unsaved| unsaved.change.hash() == outgoing.change.hash())
            {
                client.enqueue(outgoing);
            }
        }
        self.memory = Some(Memory {
            client,
            unsaved,
            ..Memory::default()
        });
        self.read_responses();
        if self.compares {
            self.reconcile(self.disk.written().count() as u64);
        }
    }

    fn read_responses(&mut self) {
        let mut changes: BTreeMap<usize, Vec<Change>> = BTreeMap::new();
        for record in self.disk.written() {
            record.changes(&mut changes);
        }
        if let Some(memory) = &mut self.memory {
            memory.responses.clear();
            for (unit, changes) in changes {
                let response = memory.open(unit);
                changes.into_iter().for_each(|change| take_in(response, change));
            }
        }
    }

    /// The phone's copy of a response.
    pub(super) fn response(&self, unit: usize) -> Option<&Response> {
        self.memory.as_ref()?.responses.get(&unit)
    }
}

/// A change that contradicts what the phone has stays outside, and the replicas are found not to converge.
fn take_in(response: &mut Response, change: Change) {
    let _ = response.apply([change]);
}

/// The edits that a replica has heard of.
pub(super) fn known(response: &Response, history: &History) -> BTreeSet<usize> {
    let changes = response.changes();
    let numbers = changes.iter().filter_map(|change| history.find(&change.hash()));
    numbers.map(|(number, _)| number).collect()
}
