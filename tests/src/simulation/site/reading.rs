//! What an installation looks up in its log for who asks.

use std::collections::BTreeSet;

use serde_bytes::ByteBuf;
use sync_core::ChangeHash;
use sync_core::exchange::answering::{CursorState, Found, LogQuery, Query, Read};
use sync_core::exchange::forwarding::{ForwardedErasure, Piece};
use sync_core::exchange::intake::HamletKey;
use sync_core::exchange::{CarriedBuilder, Cursor, ErasedResponse, ResponseChanges};

use super::Site;
use super::data::{Data, Entry};
use crate::simulation::bug::Bug;
use crate::simulation::history::{ROUND, code, hamlet_of};

/// Entries in one answer to a phone: few, so that reading takes several answers.
const READ_ENTRIES: usize = 4;
/// Entries in one message between installations.
const PIECE_ENTRIES: usize = 3;

impl Site {
    pub(super) fn cursor_state(&self, mut cursors: impl Iterator<Item = Cursor>) -> CursorState {
        let known = cursors.all(|cursor| {
            let place = usize::try_from(cursor.sequence()).unwrap_or(usize::MAX);
            let entry = self.data.entry(place);
            entry.is_some_and(|entry| entry.mark() == cursor.mark() || self.bug == Some(Bug::IgnoresMarks))
        });
        if known {
            CursorState::Known
        } else {
            CursorState::Foreign
        }
    }

    pub(super) fn look_up(&self, query: &Query) -> Found {
        let in_scope = |scope: &BTreeSet<HamletKey>, entry: &&Entry| scope.contains(&HamletKey(entry.hamlet()));
        let data = &self.data;
        let head = data.entry(data.head());
        match query {
            Query::Entries(query) => Found::Entries(data.read(query)),
            Query::Set { scope } => {
                let late = usize::from(self.bug == Some(Bug::ComparesOldSet));
                let end = data.head().saturating_sub(late);
                let compared = data.log.iter().filter(|entry| entry.place <= end);
                let compared = compared.filter(|entry| in_scope(scope, entry));
                Found::Set {
                    changes: compared.map(Entry::hash).collect(),
                    erased: data.tombstones(scope, 0, data.head()),
                    head,
                }
            }
            Query::Changes { hashes, scope } => {
                let wanted = data.log.iter().filter(|entry| in_scope(scope, entry));
                let wanted = wanted.filter(|entry| hashes.contains(&entry.hash()));
                let responses: Vec<ResponseChanges> = wanted.map(carried).collect();
                Found::Changes {
                    more: responses.len() > READ_ENTRIES,
                    responses: responses.into_iter().take(READ_ENTRIES).collect(),
                    head,
                }
            }
        }
    }
}

impl Data {
    fn read(&self, query: &LogQuery) -> Read {
        let after = query.after.map_or(0, |cursor| cursor.sequence() as usize);
        let mut responses = Vec::new();
        let mut end = self.head();
        for entry in self.log.iter().filter(|entry| entry.place > after) {
            if responses.len() == READ_ENTRIES {
                end = entry.place - 1;
                break;
            }
            if query.without != Some(entry.device()) && query.scope.contains(&HamletKey(entry.hamlet())) {
                responses.push(carried(entry));
            }
        }
        let end = end.max(after);
        Read {
            responses,
            erased: self.tombstones(&query.scope, after, end),
            cursor: self.entry(end),
            head: self.entry(self.head()),
            more: end < self.head(),
        }
    }

    /// The tombstones after one place up to another.
    fn tombstones(&self, scope: &BTreeSet<HamletKey>, after: usize, end: usize) -> Vec<ErasedResponse> {
        let erased = self.erased_between(after, end);
        let erased = erased.filter(|unit| scope.contains(&HamletKey(hamlet_of(*unit))));
        erased
            .map(|unit| ErasedResponse {
                round: ROUND,
                unit: code(unit),
            })
            .collect()
    }

    fn erased_between(&self, after: usize, end: usize) -> impl Iterator<Item = usize> {
        let erased = self.erased.iter();
        erased
            .filter(move |(_, place)| (after + 1..=end).contains(place))
            .map(|(unit, _)| *unit)
    }

    /// The same for a neighbour; of all hamlets where none are named.
    fn forwarded_erasures(&self, after: usize, end: usize, hamlets: Option<&BTreeSet<i64>>) -> Vec<ForwardedErasure> {
        let erased = self.erased_between(after, end);
        let erased = erased.filter(|unit| hamlets.is_none_or(|hamlets| hamlets.contains(&hamlet_of(*unit))));
        erased.map(forwarded).collect()
    }

    /// As many of the changes with these hashes as fit into a message, and the tombstones up to a place. With hamlets only
    /// what is of those.
    pub(super) fn wanted(
        &self,
        hashes: &BTreeSet<ChangeHash>,
        hamlets: Option<&BTreeSet<i64>>,
        erased_until: Option<usize>,
    ) -> Piece {
        let mut builder = CarriedBuilder::default();
        let found = self.log.iter().filter(|entry| hashes.contains(&entry.hash()));
        let found: Vec<&Entry> = found
            .filter(|entry| hamlets.is_none_or(|hamlets| hamlets.contains(&entry.hamlet())))
            .collect();
        for entry in found.iter().take(PIECE_ENTRIES) {
            builder.add(ROUND, &code(entry.unit), entry.change.raw_bytes(), &entry.attestation);
        }
        Piece {
            unlogged: Vec::new(),
            carried: builder.finish(),
            erased: erased_until.map_or_else(Vec::new, |end| self.forwarded_erasures(0, end, hamlets)),
            until: None,
            more: found.len() > PIECE_ENTRIES,
        }
    }

    /// The next stretch of the log after a place, as far as it is wanted, and before it the changes with these hashes, also
    /// those that wait.
    /// `hamlets` are those whose tombstones are told; none for all.
    pub(super) fn piece(
        &self,
        after: usize,
        first: &BTreeSet<ChangeHash>,
        hamlets: Option<&BTreeSet<i64>>,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Piece {
        let mut builder = CarriedBuilder::default();
        let mut add = |entry: &Entry| {
            builder.add(ROUND, &code(entry.unit), entry.change.raw_bytes(), &entry.attestation);
        };
        let known = self.log.iter().chain(&self.waiting);
        let settled = known.filter(|entry| first.contains(&entry.hash()));
        settled.for_each(&mut add);
        let (mut count, mut end) = (0, self.head());
        for entry in self.log.iter().filter(|entry| entry.place > after && wanted(entry)) {
            if count == PIECE_ENTRIES {
                end = entry.place - 1;
                break;
            }
            count += 1;
            if !first.contains(&entry.hash()) {
                add(entry);
            }
        }
        Piece {
            unlogged: Vec::new(),
            erased: self.forwarded_erasures(after, end, hamlets),
            carried: builder.finish(),
            until: (end > after).then(|| self.entry(end)).flatten(),
            more: end < self.head(),
        }
    }
}

fn forwarded(unit: usize) -> ForwardedErasure {
    ForwardedErasure {
        round: ROUND,
        unit: code(unit),
        reason: String::new(),
    }
}

fn carried(entry: &Entry) -> ResponseChanges {
    ResponseChanges {
        round: ROUND,
        unit: code(entry.unit),
        changes: vec![ByteBuf::from(entry.change.raw_bytes())],
    }
}
