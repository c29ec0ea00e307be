//! One installation: a log on a disk that may fail, and both sides of forwarding, bound to it as the server binds them.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::answering::CursorState;
use sync_core::exchange::delivery::{Author, Authors, Delivery, KeptAttestation, Planned, Taken};
use sync_core::exchange::forwarding::{
    FORWARDING_VERSION, ForwardRequest, ForwardResponse, ForwardingState, HubMemory, Piece,
};
use sync_core::exchange::intake::{self, Frame, HamletKey, RoundState, Stored};
use sync_core::exchange::{
    CarriedAttestation, CarriedBuilder, CarriedChanges, Cursor, Limits, LogMark, Refusal, RefusalReason, admit_carried,
    wire,
};
use sync_core::response::Response;
use sync_core::{Change, ChangeHash};

use super::HubBug;
use crate::simulation::disk::{Disk, DiskFull};
use crate::simulation::history::{ROUND, UNITS, code, hamlet_of, response_of, unit_of};

/// Entries in one message: few, so that an occasion takes several.
const PIECE: usize = 3;

/// Who brought a change: nobody but its author's device, the installation above, or the hub with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bringer {
    Author,
    Upstream,
    Hub(usize),
}

/// One change in the log, or one that waits.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) unit: usize,
    pub(super) change: Change,
    pub(super) bringer: Bringer,
    attestation: CarriedAttestation,
}

/// One transaction of an installation's storage.
#[derive(Debug, Clone)]
pub(super) enum Transaction {
    Logged {
        entries: Vec<Entry>,
        waiting: Vec<Entry>,
        released: Vec<ChangeHash>,
    },
    /// How far upstream and this installation have come in each other's logs, and what is settled and unsettled.
    Reached {
        state: ForwardingState,
        brought: Vec<ChangeHash>,
        unsettled: Vec<ChangeHash>,
    },
    /// What is remembered of a hub.
    Remembered(usize, HubMemory),
    /// All of these, or nothing.
    Together(Vec<Self>),
}

/// What the transactions add up to.
#[derive(Debug, Clone, Default)]
pub(super) struct Data {
    pub(super) log: Vec<Entry>,
    marks: Vec<LogMark>,
    waiting: Vec<Entry>,
    pub(super) state: ForwardingState,
    unsettled: BTreeSet<ChangeHash>,
    hubs: BTreeMap<usize, HubMemory>,
}

impl Data {
    fn apply(&mut self, transaction: &Transaction) {
        match transaction {
            Transaction::Logged {
                entries,
                waiting,
                released,
            } => {
                for entry in entries {
                    let last = self.marks.last().copied().unwrap_or_default();
                    self.marks.push(last.then(&entry.change.hash()));
                    self.log.push(entry.clone());
                }
                self.waiting.extend(waiting.iter().cloned());
                self.waiting.retain(|entry| !released.contains(&entry.change.hash()));
            }
            Transaction::Reached {
                state,
                brought,
                unsettled,
            } => {
                self.state = state.clone();
                for hash in brought {
                    self.unsettled.remove(hash);
                }
                self.unsettled.extend(unsettled);
            }
            Transaction::Remembered(hub, memory) => {
                self.hubs.insert(*hub, *memory);
            }
            Transaction::Together(transactions) => transactions.iter().for_each(|transaction| self.apply(transaction)),
        }
    }

    pub(super) fn has(&self, hash: &ChangeHash) -> bool {
        self.log.iter().any(|entry| entry.change.hash() == *hash)
    }

    fn stored(&self, unit: usize) -> Stored {
        let of = |entries: &[Entry]| -> Vec<Change> {
            let entries = entries.iter().filter(|entry| entry.unit == unit);
            entries.map(|entry| entry.change.clone()).collect()
        };
        Stored {
            logged: of(&self.log),
            waiting: of(&self.waiting),
        }
    }

    /// A unit's response as the log has it.
    pub(super) fn response(&self, unit: usize) -> Response {
        Response::restored(response_of(unit), self.stored(unit).logged).unwrap()
    }

    /// The entry at a place counted from 1.
    fn entry(&self, place: usize) -> Option<Cursor> {
        let mark = self.marks.get(place.wrapping_sub(1))?;
        Some(Cursor(place as u64, *mark))
    }

    /// The next stretch after a place, and before it these changes.
    fn piece(&self, after: usize, first: &BTreeSet<ChangeHash>, wanted: impl Fn(&Entry) -> bool) -> Piece {
        let mut builder = CarriedBuilder::default();
        let mut add = |entry: &Entry| {
            builder.add(ROUND, &code(entry.unit), entry.change.raw_bytes(), &entry.attestation);
        };
        self.log
            .iter()
            .filter(|entry| first.contains(&entry.change.hash()))
            .for_each(&mut add);
        let (mut count, mut end) = (0, self.log.len());
        for (place, entry) in self.log.iter().enumerate().skip(after) {
            if !wanted(entry) {
                continue;
            }
            if count == PIECE {
                end = place;
                break;
            }
            count += 1;
            if !first.contains(&entry.change.hash()) {
                add(entry);
            }
        }
        Piece {
            carried: builder.finish(),
            erased: Vec::new(),
            until: (end > after).then(|| self.entry(end)).flatten(),
            more: end < self.log.len(),
        }
    }
}

/// What a request of a hub waits for, until it is answered.
struct Answering {
    hub: usize,
    scope: BTreeSet<i64>,
    request: ForwardRequest,
    cursors: CursorState,
    set_back: bool,
    taken: Taken,
}

/// A request of this installation that is under way.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    pub(super) connection: u64,
    until: Option<Cursor>,
    more: bool,
    hashes: Vec<ChangeHash>,
}

/// What a step acknowledged, with the answer's bytes.
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) acknowledged: Vec<ChangeHash>,
}

/// The installation.
pub(super) struct Site {
    pub(super) disk: Disk<Transaction>,
    pub(super) data: Data,
    /// The hamlets that it answers for.
    pub(super) scope: BTreeSet<i64>,
    pub(super) is_running: bool,
    pub(super) under_way: Option<UnderWay>,
    answering: BTreeMap<u64, Answering>,
    bug: Option<HubBug>,
}

impl Site {
    pub(super) fn new(scope: BTreeSet<i64>, bug: Option<HubBug>) -> Self {
        Self {
            disk: Disk::new(),
            data: Data::default(),
            scope,
            is_running: true,
            under_way: None,
            answering: BTreeMap::new(),
            bug,
        }
    }

    /// Writes; what readers see is only right while the power does not fail before the flush, which the caller sees to.
    fn write(&mut self, transaction: Transaction) -> Result<(), DiskFull> {
        self.disk.write(transaction.clone())?;
        self.data.apply(&transaction);
        Ok(())
    }

    /// Takes changes in as the server does, whoever brings them, and writes something together with them.
    pub(super) fn take(
        &mut self,
        carried: &CarriedChanges,
        authors: Authors,
        bringer: Bringer,
        together: Option<Transaction>,
    ) -> Result<Taken, DiskFull> {
        let Ok(verdicts) = admit_carried(carried, &Limits::default()) else {
            return Err(DiskFull);
        };
        let attestations = carried.attestations.iter().map(|attestation| KeptAttestation {
            hashes: attestation.hashes().unwrap(),
            signature: attestation.signature,
        });
        let devices: Vec<DevicePublicKey> = carried
            .attestations
            .iter()
            .map(|attestation| attestation.device)
            .collect();
        let delivery = Delivery::new(verdicts, attestations.collect());
        let sorted = delivery.sort(&frame(), &authors);
        let stored = (0..UNITS)
            .map(|unit| (response_of(unit), self.data.stored(unit)))
            .collect();
        let planned = sorted.plan(&stored);
        let late = self.log(&planned, &devices, bringer, together)?;
        Ok(planned.written(late))
    }

    fn log(
        &mut self,
        planned: &Planned,
        devices: &[DevicePublicKey],
        bringer: Bringer,
        together: Option<Transaction>,
    ) -> Result<Vec<Refusal>, DiskFull> {
        let (plan, attestations) = planned.plan();
        let mut writer = self.data.clone();
        let (mut entries, mut waiting, mut released, mut late) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for response in &plan.responses {
            let unit = unit_of(&response.unit.1).unwrap();
            let entry = |admitted: &sync_core::exchange::Admitted| {
                let kept = &attestations[admitted.attestation];
                Entry {
                    unit,
                    change: admitted.change.clone(),
                    bringer,
                    attestation: CarriedAttestation {
                        device: devices[admitted.attestation],
                        hashes: kept.hashes.iter().flat_map(|hash| hash.0).collect::<Vec<u8>>().into(),
                        signature: kept.signature,
                    },
                }
            };
            for (number, admitted) in &response.log {
                let entry = entry(admitted);
                let change = &entry.change;
                if writer.has(&change.hash()) {
                    continue;
                }
                let taken =
                    |other: &Entry| (other.change.actor_id(), other.change.seq()) == (change.actor_id(), change.seq());
                if writer.log.iter().any(|other| other.unit == unit && taken(other)) {
                    late.push(Refusal::new(*number, RefusalReason::Contradiction));
                    continue;
                }
                writer.log.push(entry.clone());
                entries.push(entry);
            }
            for (_, admitted) in &response.wait {
                let entry = entry(admitted);
                writer.waiting.push(entry.clone());
                waiting.push(entry);
            }
            for change in intake::released(response.id, writer.stored(unit)).unwrap() {
                let place = writer
                    .waiting
                    .iter()
                    .position(|entry| entry.change.hash() == change.hash());
                let entry = writer.waiting.remove(place.unwrap());
                released.push(change.hash());
                writer.log.push(entry.clone());
                entries.push(entry);
            }
        }
        if self.bug == Some(HubBug::LogsTwice) && bringer == Bringer::Upstream {
            entries.extend(self.data.log.first().cloned());
        }
        let logged = Transaction::Logged {
            entries,
            waiting,
            released,
        };
        self.write(Transaction::Together([logged].into_iter().chain(together).collect()))?;
        Ok(late)
    }

    /// The next request to the installation above.
    pub(super) fn request(&mut self, connection: u64, retry: bool) -> Option<Vec<u8>> {
        if !self.is_running || self.under_way.is_some() {
            return None;
        }
        let data = &self.data;
        let none = BTreeSet::new();
        let first = if retry { &data.unsettled } else { &none };
        let after = data.state.forwarded.map_or(0, |cursor| cursor.sequence() as usize);
        let everything = data.state.everything;
        let piece = data.piece(after, first, |entry| everything || entry.bringer != Bringer::Upstream);
        let (until, more) = (piece.until, piece.more);
        let request = data.state.request(piece, None, None, 0);
        self.under_way = Some(UnderWay {
            connection,
            until,
            more,
            hashes: request.carried.hashes().flatten().collect(),
        });
        Some(wire::encode(&request).unwrap())
    }

    /// A hub's request comes. Whether it was one; the answer is ready when the disk is flushed.
    pub(super) fn arrive(
        &mut self,
        connection: u64,
        hub: usize,
        scope: &BTreeSet<i64>,
        known: &BTreeMap<DevicePublicKey, BTreeSet<i64>>,
        bytes: &[u8],
    ) -> bool {
        let Ok(request) = wire::decode::<ForwardRequest>(bytes, &Limits::default()) else {
            return false;
        };
        let cursors = self.cursor_state(request.cursor.into_iter().chain(request.acknowledged));
        let mut memory = self.data.hubs.get(&hub).copied().unwrap_or_default().after(&request);
        if self.bug == Some(HubBug::OverlooksSetBack) {
            memory.set_back = false;
        }
        let set_back = memory.set_back;
        if self.bug == Some(HubBug::TellsSetBackOnce) {
            memory.set_back = false;
        }
        let authors = match self.bug {
            Some(HubBug::IgnoresHubScope) => authors(known),
            _ => authors(known).within(&keys(scope)),
        };
        let Ok(taken) = self.take(&request.carried, authors, Bringer::Hub(hub), None) else {
            return false;
        };
        if self.write(Transaction::Remembered(hub, memory)).is_err() {
            return false;
        }
        let answering = Answering {
            hub,
            scope: scope.clone(),
            request,
            cursors,
            set_back,
            taken,
        };
        self.answering.insert(connection, answering);
        true
    }

    /// Whether the answer may be given before the disk is flushed.
    pub(super) fn answers_early(&self) -> bool {
        self.bug == Some(HubBug::AcknowledgesBeforeFlush)
    }

    /// The answer to a hub's request.
    pub(super) fn answer(&mut self, connection: u64) -> Option<Answer> {
        let Answering {
            hub,
            scope,
            request,
            cursors,
            set_back,
            taken,
        } = self.answering.remove(&connection)?;
        let after = request.cursor.map_or(0, |cursor| cursor.sequence() as usize);
        let piece = match cursors {
            CursorState::Foreign => None,
            CursorState::Known => Some(self.data.piece(after, &BTreeSet::new(), |entry| {
                let own = entry.bringer == Bringer::Hub(hub);
                scope.contains(&hamlet_of(entry.unit)) && (set_back || request.restoring || !own)
            })),
        };
        let unknown_cursor = piece.is_none();
        let piece = piece.unwrap_or_default();
        let left: Vec<u32> = taken.refused.iter().map(|refusal| refusal.change).collect();
        let left: Vec<u32> = left.into_iter().chain(taken.waiting.iter().copied()).collect();
        let acknowledged = (0..).zip(request.carried.hashes().flatten());
        let acknowledged = acknowledged.filter(|(number, _)| !left.contains(number));
        let head = self.data.entry(self.data.log.len());
        let answer = ForwardResponse {
            version: FORWARDING_VERSION,
            server_time: 0,
            waiting: taken.waiting,
            refused: taken.refused,
            roster: None,
            carried: piece.carried,
            erased: Vec::new(),
            cursor: piece.until,
            acknowledged: head.filter(|head| piece.until.or(request.cursor) != Some(*head)),
            reconciliation: None,
            unknown_cursor,
            set_back,
            more: piece.more,
        };
        Some(Answer {
            bytes: wire::encode(&answer).unwrap(),
            acknowledged: acknowledged.map(|(_, hash)| hash).collect(),
        })
    }

    /// The answer from above comes. Gives whether there is more to exchange.
    pub(super) fn receive(
        &mut self,
        connection: u64,
        known: &BTreeMap<DevicePublicKey, BTreeSet<i64>>,
        bytes: &[u8],
    ) -> Option<bool> {
        let awaited = self
            .under_way
            .as_ref()
            .is_some_and(|under_way| under_way.connection == connection);
        if !awaited {
            return None;
        }
        let under_way = self.under_way.take()?;
        let answer: ForwardResponse = wire::decode(bytes, &Limits::default()).ok()?;
        let mut until = under_way.until;
        if self.bug == Some(HubBug::SkipsWhatCameMeanwhile) && !under_way.more {
            until = self.data.entry(self.data.log.len());
        }
        let (mut state, more) = self.data.state.after(until, under_way.more, &answer);
        if self.bug == Some(HubBug::NeverBringsAgain) && answer.unknown_cursor {
            state.forwarded = self.data.state.forwarded;
        }
        let left = answer
            .refused
            .iter()
            .map(|refusal| refusal.change)
            .chain(answer.waiting.iter().copied());
        let unsettled = left.filter_map(|number| under_way.hashes.get(number as usize).copied());
        let reached = Transaction::Reached {
            state,
            unsettled: unsettled.collect(),
            brought: under_way.hashes,
        };
        // What upstream has logged was its decision: an author must only be known.
        let everywhere = known
            .keys()
            .map(|device| (*device, Ok(author(&BTreeSet::from([0, 1])))));
        let authors = Authors::enrolled(everywhere.collect());
        match self.bug {
            Some(HubBug::KeepsStateBeforeChanges) => {
                self.write(reached).ok()?;
                self.take(&answer.carried, authors, Bringer::Upstream, None).ok()?;
            }
            Some(HubBug::KeepsChangesBeforeState) => {
                self.take(&answer.carried, authors, Bringer::Upstream, None).ok()?;
                self.write(reached).ok()?;
            }
            _ => {
                self.take(&answer.carried, authors, Bringer::Upstream, Some(reached))
                    .ok()?;
            }
        }
        Some(more)
    }

    /// No answer came.
    pub(super) fn give_up(&mut self, connection: u64) {
        self.under_way = self
            .under_way
            .take()
            .filter(|under_way| under_way.connection != connection);
    }

    /// The power fails.
    pub(super) fn crash(&mut self, luck: &mut ChaCha8Rng) {
        self.is_running = false;
        self.disk.crash(luck);
    }

    /// It starts from what is on disk.
    pub(super) fn restart(&mut self) {
        self.is_running = true;
        self.under_way = None;
        self.answering.clear();
        self.data = self.durable();
    }

    /// What is on disk for certain.
    pub(super) fn durable(&self) -> Data {
        let mut data = Data::default();
        for transaction in self.disk.flushed() {
            data.apply(transaction);
        }
        data
    }

    fn cursor_state(&self, mut cursors: impl Iterator<Item = Cursor>) -> CursorState {
        let known = cursors.all(|cursor| self.data.entry(cursor.sequence() as usize) == Some(cursor));
        if known {
            CursorState::Known
        } else {
            CursorState::Foreign
        }
    }
}

fn keys(hamlets: &BTreeSet<i64>) -> BTreeSet<HamletKey> {
    hamlets.iter().map(|hamlet| HamletKey(*hamlet)).collect()
}

/// A device that may write in these hamlets.
fn author(scope: &BTreeSet<i64>) -> Author {
    Author {
        hamlets: scope.iter().map(|hamlet| (HamletKey(*hamlet), None)).collect(),
        clock_ahead: 0,
    }
}

/// The devices with their scopes.
pub(super) fn authors(known: &BTreeMap<DevicePublicKey, BTreeSet<i64>>) -> Authors {
    Authors::enrolled(
        known
            .iter()
            .map(|(device, scope)| (*device, Ok(author(scope))))
            .collect(),
    )
}

fn frame() -> Frame {
    Frame {
        discarded: BTreeSet::new(),
        erased: BTreeSet::new(),
        rounds: [(ROUND, RoundState::Open)].into(),
        units: (0..UNITS)
            .map(|unit| ((ROUND, code(unit)), HamletKey(hamlet_of(unit))))
            .collect(),
    }
}
