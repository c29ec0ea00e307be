//! Both sides of the exchange between a hub and the installation above it, bound to a disk as the server binds them.

use std::collections::BTreeSet;

use serde_bytes::ByteBuf;
use sync_core::ChangeHash;
use sync_core::exchange::answering::{CursorState, Found, Query};
use sync_core::exchange::delivery::{Authors, Delivery, KeptAttestation, Taken};
use sync_core::exchange::forwarding::{
    Comparison, FORWARDING_VERSION, ForwardRequest, ForwardResponse, ForwardedErasure, Piece,
};
use sync_core::exchange::intake::HamletKey;
use sync_core::exchange::reconciliation::{self, Salt};
use sync_core::exchange::{CarriedChanges, Cursor, Limits, Reconciliation, admit_carried, wire};

use super::data::{Bringer, Data, Entry, Transaction};
use super::roster::Roster;
use super::{Answer, Asker, Caller, Exchange, Reply, Site, Stage, acknowledged, quarantined};
use crate::simulation::bug::Bug;
use crate::simulation::disk::DiskFull;
use crate::simulation::history::{hamlet_of, unit_of};

/// What a hub asks for.
pub(super) struct HubQuestion {
    hub: usize,
    /// The hamlets that it answers for.
    scope: BTreeSet<i64>,
    request: ForwardRequest,
    cursors: CursorState,
    /// Whether it was set back, as far as is known when what it brings is written.
    set_back: bool,
}

impl HubQuestion {
    pub(super) fn hub(&self) -> usize {
        self.hub
    }

    /// What waits at the hub only, and so is none of its own.
    pub(super) fn unlogged(&self) -> BTreeSet<ChangeHash> {
        self.request.unlogged.iter().map(|hash| ChangeHash(**hash)).collect()
    }

    /// What is to be remembered of it together with what it brings, as it is remembered now.
    pub(super) fn remember(&mut self, seen: &Data, bug: Option<Bug>) -> Transaction {
        let remembered = seen.hubs.get(&self.hub).copied().unwrap_or_default();
        let mut memory = remembered.after(&self.request);
        if bug == Some(Bug::OverlooksSetBack) {
            memory.set_back = false;
        }
        self.set_back = memory.set_back;
        if bug == Some(Bug::TellsSetBackOnce) {
            memory.set_back = false;
        }
        Transaction::Remembered(self.hub, memory)
    }
}

/// A request of a hub that is under way.
#[derive(Debug, Clone)]
pub(super) struct UnderWay {
    connection: u64,
    until: Option<Cursor>,
    more: bool,
    hashes: Vec<ChangeHash>,
    /// Whether the answer is written, and waits for the flush.
    is_answered: bool,
}

/// Whether the hub compares its log with the one above. Nothing of it is on disk.
#[derive(Debug, Default)]
pub(super) struct Comparing {
    comparison: Option<Comparison>,
    /// Whether it was tried since the hub last had a cursor.
    tried: bool,
}

impl Site {
    /// Begins to compare where the hub has something and no cursor.
    fn begin_to_compare(&mut self) {
        let state = &self.data.state;
        if !state.everything || state.forwarded.is_some() {
            self.comparing = Comparing::default();
        } else if self.data.head() > 0 && !std::mem::replace(&mut self.comparing.tried, true) {
            let here = self.data.entry(self.data.head());
            let changes = self.data.log.iter().map(Entry::hash).collect();
            let comparison = Comparison::new(changes, here, Salt([9; 16]), reconciliation::Limits::default());
            self.comparing.comparison = comparison.ok();
        }
    }

    /// The next request to the installation above. With `retry` what that has not logged before is brought again.
    pub(in crate::simulation) fn request(&mut self, connection: u64, retry: bool) -> Option<Vec<u8>> {
        if !self.is_running || self.under_way.is_some() {
            return None;
        }
        self.begin_to_compare();
        let data = &self.data;
        let roster = Roster::of(data, None).to_bytes();
        if let Some(comparison) = &self.comparing.comparison {
            let erasures = comparison.brings_erasures().then_some(data.head());
            let piece = data.wanted(&comparison.to_bring().iter().copied().collect(), None, erasures);
            let more = piece.more;
            let request = comparison.request(piece, Some(roster), None, 0);
            self.under_way = Some(UnderWay {
                connection,
                until: None,
                more,
                hashes: request.carried.hashes().flatten().collect(),
                is_answered: false,
            });
            return Some(wire::encode(&request).unwrap());
        }
        let (mut first, mut unlogged) = (BTreeSet::new(), Vec::new());
        if retry {
            let waiting = data.waiting.iter().filter(|entry| entry.bringer != Bringer::Upstream);
            unlogged.extend(waiting.map(Entry::hash));
            first.extend(&unlogged);
            first.extend(&data.unsettled);
        }
        let after = data.state.forwarded.map_or(0, |cursor| cursor.sequence() as usize);
        let everything = data.state.everything;
        let piece = data.piece(after, &first, None, |entry| {
            everything || entry.bringer != Bringer::Upstream
        });
        let (until, more) = (piece.until, piece.more);
        let piece = Piece { unlogged, ..piece };
        let request = data.state.request(piece, Some(roster), None, 0);
        self.under_way = Some(UnderWay {
            connection,
            until,
            more,
            hashes: request.carried.hashes().flatten().collect(),
            is_answered: false,
        });
        Some(wire::encode(&request).unwrap())
    }

    /// A hub's request comes; whether it was one.
    pub(in crate::simulation) fn hub_arrives(
        &mut self,
        connection: u64,
        hub: usize,
        scope: &BTreeSet<i64>,
        bytes: &[u8],
    ) -> bool {
        let Ok(request) = wire::decode::<ForwardRequest>(bytes, &Limits::default()) else {
            return false;
        };
        let Some(delivery) = delivery(&request.carried) else {
            return false;
        };
        if let Some(roster) = &request.roster {
            let roster = Roster::from_bytes(roster).within(scope);
            if self.write(Transaction::Imported(roster)).is_err() {
                return false;
            }
        }
        let exchange = Exchange {
            hashes: request.carried.hashes().flatten().collect(),
            caller: Caller::Hub(Box::new(HubQuestion {
                hub,
                scope: scope.clone(),
                cursors: self.cursor_state(request.cursor.into_iter().chain(request.acknowledged)),
                request,
                set_back: false,
            })),
            stage: Stage::Arrived(Box::new(delivery)),
        };
        self.exchanges.insert(connection, exchange);
        true
    }

    pub(super) fn authors_of_hub(&self, data: &Data, question: &HubQuestion) -> Authors {
        let authors = data.all_authors(self.bug);
        match self.bug {
            Some(Bug::IgnoresHubScope) => authors,
            _ => authors.within(&question.scope.iter().map(|hamlet| HamletKey(*hamlet)).collect()),
        }
    }

    /// The answer to a hub whose changes are taken. It is given when what the hub erased is on disk too.
    pub(super) fn answer_hub(
        &mut self,
        question: HubQuestion,
        taken: Taken,
        hashes: &[ChangeHash],
    ) -> Result<Answer, DiskFull> {
        let HubQuestion {
            hub,
            scope,
            request,
            cursors,
            set_back,
        } = question;
        self.erase_all(&request.erased, Some(&scope))?;
        let unknown_cursor = matches!(cursors, CursorState::Foreign);
        let after = request.cursor.map_or(0, |cursor| cursor.sequence() as usize);
        let mut compared = None;
        let piece = match (&request.reconciliation, cursors) {
            (Some(Reconciliation::Compare(asked)), _) => {
                let hamlets: BTreeSet<HamletKey> = scope.iter().map(|hamlet| HamletKey(*hamlet)).collect();
                let Found::Set { changes, head, .. } = self.look_up(&Query::Set { scope: hamlets }) else {
                    unreachable!("a set is asked for")
                };
                let cells = reconciliation::answer(&changes, asked, &reconciliation::Limits::default());
                compared = cells.ok().map(ByteBuf::from);
                let mut piece = self.data.wanted(&BTreeSet::new(), Some(&scope), Some(self.data.head()));
                piece.until = head;
                Some(piece)
            }
            (Some(Reconciliation::Fetch(hashes)), _) => {
                let hashes = hashes.iter().map(|hash| ChangeHash(**hash)).collect();
                Some(self.data.wanted(&hashes, Some(&scope), None))
            }
            (None, CursorState::Foreign) => None,
            (None, CursorState::Known) => Some(self.data.piece(after, &BTreeSet::new(), Some(&scope), |entry| {
                self.is_for(entry, hub, &scope, set_back || request.restoring)
            })),
        };
        let piece = piece.unwrap_or_default();
        let head = self.data.entry(self.data.head());
        let answer = ForwardResponse {
            version: FORWARDING_VERSION,
            server_time: 0,
            waiting: taken.waiting,
            refused: taken.refused,
            roster: Some(ByteBuf::from(Roster::of(&self.data, Some(&scope)).to_bytes())),
            carried: piece.carried,
            erased: piece.erased,
            cursor: piece.until,
            acknowledged: head.filter(|head| piece.until.or(request.cursor) != Some(*head)),
            reconciliation: compared,
            unknown_cursor,
            set_back,
            more: piece.more,
        };
        Ok(Answer {
            asker: Asker::Hub(hub),
            acknowledged: acknowledged(hashes, &answer.waiting, &answer.refused),
            quarantined: quarantined(hashes, &answer.refused),
            reply: Reply::Answer(wire::encode(&answer).unwrap()),
        })
    }

    /// Whether an entry is brought to a hub.
    fn is_for(&self, entry: &Entry, hub: usize, scope: &BTreeSet<i64>, with_own: bool) -> bool {
        let own = entry.bringer == Bringer::Hub(hub);
        let hidden = entry.let_in && self.bug == Some(Bug::KeepsReleasedToItself);
        scope.contains(&entry.hamlet()) && (with_own || !own) && !hidden
    }

    /// The answer from above comes. Gives whether there is more to exchange; none where nobody waits for it, or nothing of it
    /// is kept.
    pub(in crate::simulation) fn receive(&mut self, connection: u64, bytes: &[u8]) -> Option<bool> {
        let awaited = self.under_way.as_ref();
        if !awaited.is_some_and(|under_way| under_way.connection == connection && !under_way.is_answered) {
            return None;
        }
        let under_way = self.under_way.take()?;
        let answer: ForwardResponse = wire::decode(bytes, &Limits::default()).ok()?;
        let mut until = under_way.until;
        if self.bug == Some(Bug::SkipsWhatCameMeanwhile) && !under_way.more {
            until = self.data.entry(self.data.head());
        }
        // Where nothing of the answer is kept, the comparison is begun anew.
        let mut comparing = std::mem::take(&mut self.comparing);
        let (mut state, more) = match comparing.comparison.take() {
            Some(mut comparison) => {
                let brought = under_way.hashes.iter().copied().collect();
                match comparison.after(&brought, under_way.more, &answer) {
                    Ok(Some(state)) => (state, true),
                    Ok(None) => {
                        comparing.comparison = Some(comparison);
                        (self.data.state.clone(), true)
                    }
                    Err(_) => (self.data.state.clone(), true),
                }
            }
            None => self.data.state.after(until, under_way.more, &answer),
        };
        if self.bug == Some(Bug::NeverBringsAgain) && answer.unknown_cursor {
            state.forwarded = self.data.state.forwarded;
        }
        let left = answer.refused.iter().map(|refusal| refusal.change);
        let left = left.chain(answer.waiting.iter().copied());
        let unsettled = left.filter_map(|number| under_way.hashes.get(number as usize).copied());
        let reached = Transaction::Reached {
            state,
            unsettled: unsettled.collect(),
            brought: under_way.hashes.clone(),
        };
        if let Some(roster) = &answer.roster {
            self.write(Transaction::Imported(Roster::from_bytes(roster))).ok()?;
        }
        self.erase_all(&answer.erased, None).ok()?;
        let authors = self.ahead.everybody();
        let planned = self.plan(&self.ahead, delivery(&answer.carried)?, &authors);
        match self.bug {
            Some(Bug::KeepsStateBeforeChanges) => {
                self.write(reached).ok()?;
                self.write_together(&planned, Bringer::Upstream, None).ok()?;
            }
            Some(Bug::KeepsChangesBeforeState) => {
                self.write_together(&planned, Bringer::Upstream, None).ok()?;
                self.write(reached).ok()?;
            }
            _ => {
                self.write_together(&planned, Bringer::Upstream, Some(reached)).ok()?;
            }
        }
        self.comparing = comparing;
        self.under_way = Some(UnderWay {
            is_answered: true,
            ..under_way
        });
        Some(more)
    }

    /// What an answer from above brought is on disk, so the next request may go.
    pub(super) fn settled(&mut self) {
        self.under_way = self.under_way.take().filter(|under_way| !under_way.is_answered);
    }

    /// No answer came.
    pub(in crate::simulation) fn give_up(&mut self, connection: u64) {
        let is_it = |under_way: &UnderWay| under_way.connection == connection && !under_way.is_answered;
        if self.under_way.as_ref().is_some_and(is_it) {
            self.under_way = None;
            self.comparing = Comparing::default();
        }
    }

    /// Erases what a neighbour erased, as far as the neighbour answers for it.
    fn erase_all(&mut self, erased: &[ForwardedErasure], within: Option<&BTreeSet<i64>>) -> Result<(), DiskFull> {
        let units = erased.iter().filter_map(|erasure| unit_of(&erasure.unit));
        for unit in units.filter(|unit| within.is_none_or(|within| within.contains(&hamlet_of(*unit)))) {
            self.erase(unit)?;
        }
        Ok(())
    }
}

/// Carried changes as they are taken in; none where they are forged.
fn delivery(carried: &CarriedChanges) -> Option<Delivery> {
    let verdicts = admit_carried(carried, &Limits::default()).ok()?;
    let attestations = carried.attestations.iter().map(|attestation| KeptAttestation {
        hashes: attestation.hashes().unwrap_or_default(),
        signature: attestation.signature,
    });
    Some(Delivery::new(verdicts, attestations.collect()))
}
