//! A server that keeps everything in memory, whose clock stands still.

use std::collections::{BTreeMap, BTreeSet};

use serde_bytes::ByteBuf;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::answering::{self, CursorState, Found, LogQuery, Peer, Query, Read};
use sync_core::exchange::delivery::{Author, Authors};
use sync_core::exchange::intake::{self, Frame, HamletKey, RoundState, Stored, Unit};
use sync_core::exchange::{
    Coding, Cursor, ErasedResponse, Limits, LogMark, Narrowing, ResponseChanges, SyncResponse, tombstone_hash,
};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::{Change, ChangeHash};

/// The server's clock, in milliseconds since 1970-01-01T00:00:00Z.
const NOW: i64 = 1_760_000_000_123;
/// The most entries in one answer.
const PAGE: usize = 4;
/// The hamlet of every device.
pub(crate) const HAMLET: HamletKey = HamletKey(1);
/// A hamlet of no device.
pub(crate) const ELSEWHERE: HamletKey = HamletKey(2);

struct Entry {
    unit: Unit,
    /// The change and who wrote it; none for a tombstone.
    written: Option<(DevicePublicKey, Change)>,
    hash: ChangeHash,
    cursor: Cursor,
}

/// The server's state.
pub(crate) struct Server {
    frame: Frame,
    log: Vec<Entry>,
    waiting: Vec<(Unit, DevicePublicKey, Change)>,
}

impl Server {
    /// A server of these units, whose rounds are open.
    pub(crate) fn new(units: impl IntoIterator<Item = (Unit, HamletKey)>) -> Self {
        let units: BTreeMap<Unit, HamletKey> = units.into_iter().collect();
        let rounds = units.keys().map(|(round, _)| (*round, RoundState::Open)).collect();
        Self {
            frame: Frame {
                crowded: BTreeSet::new(),
                rounds,
                units,
                erased: BTreeSet::new(),
                discarded: BTreeSet::new(),
            },
            log: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Each entry's hash and mark, in the order of the log.
    pub(crate) fn marks(&self) -> impl Iterator<Item = (ChangeHash, LogMark)> {
        self.log.iter().map(|entry| (entry.hash, entry.cursor.mark()))
    }

    /// The answer to a request's bytes.
    pub(crate) fn answer(&mut self, request: &[u8], device: DevicePublicKey) -> SyncResponse {
        let peer = Peer {
            device,
            scope: BTreeSet::from([HAMLET]),
            narrowing: Narrowing::default(),
        };
        let (delivery, question) = answering::read(request, Coding::Brotli, peer, &Limits::default()).unwrap();
        let known = question
            .cursors()
            .all(|cursor| self.log.iter().any(|entry| entry.cursor == cursor));
        let state = if known {
            CursorState::Known
        } else {
            CursorState::Foreign
        };
        let query = question.query(state);
        let author = Author {
            hamlets: BTreeMap::from([(HAMLET, None)]),
            clock_ahead: 0,
        };
        let sorted = delivery.sort(&self.frame, &Authors::one(device, &BTreeSet::new(), Ok(author)));
        let planned = sorted.plan(&self.stored());
        for response in &planned.plan().0.responses {
            for (_, admitted) in &response.log {
                self.append_change(response.unit.clone(), admitted.device, admitted.change.clone());
            }
            let waiting = response.wait.iter();
            self.waiting
                .extend(waiting.map(|(_, admitted)| (response.unit.clone(), admitted.device, admitted.change.clone())));
            let stored = self.stored().remove(&response.id).unwrap_or_default();
            for change in intake::released(response.id, stored).unwrap().log {
                let place = self
                    .waiting
                    .iter()
                    .position(|(_, _, waiting)| waiting.hash() == change.hash());
                let (unit, device, change) = self.waiting.remove(place.unwrap());
                self.append_change(unit, device, change);
            }
        }
        let found = query.map(|query| match query {
            Query::Entries(query) => Found::Entries(self.read(&query)),
            Query::Set { .. } | Query::Changes { .. } => panic!("sets are compared in the vectors of sync-core"),
        });
        question.answer(planned.written(Vec::new()), found, NOW)
    }

    /// Erases a response.
    pub(crate) fn erase(&mut self, unit: &Unit) {
        let response = ResponseId::of(unit.0, &unit.1);
        self.frame.erased.insert(unit.clone());
        self.append(unit.clone(), tombstone_hash(response), None);
    }

    /// Sets the server back to a backup from when its log had so many entries.
    pub(crate) fn set_back(&mut self, entries: usize) {
        self.log.truncate(entries);
        self.waiting.clear();
    }

    fn append_change(&mut self, unit: Unit, device: DevicePublicKey, change: Change) {
        self.append(unit, change.hash(), Some((device, change)));
    }

    fn append(&mut self, unit: Unit, hash: ChangeHash, written: Option<(DevicePublicKey, Change)>) {
        let mark = self.log.last().map_or(LogMark::default(), |entry| entry.cursor.mark());
        let cursor = Cursor(self.log.len() as u64 + 1, mark.then(&hash));
        self.log.push(Entry {
            unit,
            written,
            hash,
            cursor,
        });
    }

    fn stored(&self) -> BTreeMap<ResponseId, Stored> {
        let mut stored: BTreeMap<ResponseId, Stored> = BTreeMap::new();
        let id = |(round, unit): &(RoundId, String)| ResponseId::of(*round, unit);
        for entry in &self.log {
            if let Some((_, change)) = &entry.written {
                stored.entry(id(&entry.unit)).or_default().logged.push(change.clone());
            }
        }
        for (unit, _, change) in &self.waiting {
            stored.entry(id(unit)).or_default().waiting.push(change.clone());
        }
        stored
    }

    fn read(&self, query: &LogQuery) -> Read {
        let after = query.after.map_or(0, |cursor| cursor.sequence() as usize);
        let entries = self.log.iter().skip(after).take(PAGE);
        let mut read = Read {
            cursor: query.after,
            head: self.log.last().map(|entry| entry.cursor),
            ..Read::default()
        };
        for entry in entries {
            read.cursor = Some(entry.cursor);
            let (round, unit) = entry.unit.clone();
            match &entry.written {
                None => read.erased.push(ErasedResponse { round, unit }),
                Some(_) if self.frame.erased.contains(&entry.unit) => {}
                Some((device, _)) if query.without == Some(*device) => {}
                Some((_, change)) => {
                    let bytes = ByteBuf::from(change.raw_bytes());
                    let found = read.responses.iter_mut();
                    match found
                        .into_iter()
                        .find(|group| (group.round, &group.unit) == (round, &unit))
                    {
                        Some(group) => group.changes.push(bytes),
                        None => read.responses.push(ResponseChanges {
                            round,
                            unit,
                            changes: vec![bytes],
                        }),
                    }
                }
            }
        }
        read.more = read.cursor != read.head;
        read
    }
}
