//! An installation, the province's or a hub: the answering side of the exchange, bound to a disk that may fail. Exchanges run
//! side by side; between any two steps of one others go on, and the power may fail.
//!
//! | room | subject |
//! | --- | --- |
//! | `data` | what it keeps |
//! | `writing` | what its one writer does with what was brought |
//! | `reading` | what it looks up for who asks |
//! | `forwarding` | both sides of the exchange between a hub and the installation above it |
//! | `roster` | the devices that neighbours tell each other of |
//! | `officials` | what people decide, and new keys |

mod data;
mod forwarding;
mod officials;
mod reading;
mod roster;
mod writing;

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::answering::{self, ArrivalError, Peer, Query, Question};
use sync_core::exchange::delivery::{Authors, Delivery, Planned, Taken};
use sync_core::exchange::{Coding, Limits, Narrowing, Refusal, wire};
use sync_core::{Change, ChangeHash};

use super::bug::Bug;
use super::disk::{Disk, DiskFull};
use super::history::{UNITS, milliseconds, response_of};

pub(super) use data::{Bringer, Data, Entry, Transaction, contradicts};
use forwarding::{Comparing, HubQuestion, UnderWay};
pub(super) use officials::Rotation;

/// Where an exchange is.
enum Stage {
    Arrived(Box<Delivery>),
    /// With the delivery, should it turn out that something else is decided than when it was planned.
    Planned(Box<Planned>, Box<Delivery>, Decided),
    /// In the writer's transaction, waiting for the flush.
    Flushing(Box<Planned>, Vec<Refusal>),
    Taken(Taken),
}

/// What people have decided, as far as it matters for a plan.
#[derive(Debug, Clone, PartialEq)]
struct Decided {
    authors: Authors,
    discarded: BTreeSet<ChangeHash>,
}

/// Who brings changes, and what they ask for.
enum Caller {
    Phone {
        phone: usize,
        device: DevicePublicKey,
        /// How far its clock is ahead, in milliseconds.
        clock_ahead: i64,
        question: Box<Question>,
        /// What to look up in the end, once the cursors were.
        query: Option<Query>,
    },
    Hub(Box<HubQuestion>),
    /// An official, who releases this change from quarantine.
    Official(Box<Entry>),
}

/// One exchange under way.
struct Exchange {
    caller: Caller,
    hashes: Vec<ChangeHash>,
    stage: Stage,
}

/// Who waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    Phone(usize),
    Hub(usize),
    Official,
}

/// What a phone or hub gets.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// The answer's bytes.
    Answer(Vec<u8>),
    /// An error of HTTP.
    Failed,
    /// Another key has taken the place of the device's.
    Replaced,
    /// No device with this key is enrolled here.
    Unknown,
}

/// What an exchange ends with.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) asker: Asker,
    pub(super) reply: Reply,
    /// The changes that it acknowledges.
    pub(super) acknowledged: Vec<ChangeHash>,
    /// Those of which it says that they are in quarantine.
    pub(super) quarantined: Vec<ChangeHash>,
}

/// What came of a step.
pub(super) enum Step {
    /// The exchange goes on.
    GoesOn(Asker),
    /// It waits for the next flush.
    AwaitsFlush,
    /// It is over.
    Over(Box<Answer>),
}

/// The installation.
pub(super) struct Site {
    /// The province is 0.
    number: usize,
    pub(super) disk: Disk<Transaction>,
    /// What readers see: what is flushed.
    pub(super) data: Data,
    /// What the one writer sees.
    ahead: Data,
    /// The hamlets that it answers for.
    pub(super) scope: BTreeSet<i64>,
    /// The devices that were enrolled before the world began.
    enrolled: BTreeMap<DevicePublicKey, BTreeSet<i64>>,
    exchanges: BTreeMap<u64, Exchange>,
    /// Answers to hubs that wait for the flush of what was erased with them.
    answers: Vec<(u64, Answer)>,
    /// The request to the installation above.
    under_way: Option<UnderWay>,
    comparing: Comparing,
    pub(super) is_running: bool,
    bug: Option<Bug>,
}

impl Site {
    pub(super) fn new(
        number: usize,
        scope: BTreeSet<i64>,
        enrolled: BTreeMap<DevicePublicKey, BTreeSet<i64>>,
        bug: Option<Bug>,
    ) -> Self {
        let data = Data::new(&enrolled);
        Self {
            number,
            disk: Disk::new(),
            ahead: data.clone(),
            data,
            scope,
            enrolled,
            exchanges: BTreeMap::new(),
            answers: Vec::new(),
            under_way: None,
            comparing: Comparing::default(),
            is_running: true,
            bug,
        }
    }

    /// Writes; it is on disk with the next flush.
    fn write(&mut self, transaction: Transaction) -> Result<(), DiskFull> {
        self.disk.write(transaction.clone())?;
        self.ahead.apply(&transaction);
        Ok(())
    }

    /// A request comes over a connection of the device that holds `phone`'s token.
    pub(super) fn arrive(
        &mut self,
        connection: u64,
        phone: usize,
        device: DevicePublicKey,
        bytes: &[u8],
        now: u64,
    ) -> Result<(), Reply> {
        if !self.data.known.contains_key(&device) {
            return Err(Reply::Unknown);
        }
        if self.data.successors.contains_key(&device) && self.bug != Some(Bug::IgnoresSuccession) {
            return Err(Reply::Replaced);
        }
        let reader = self.data.author(&device, 0, self.bug);
        let narrowing = match &reader {
            Ok(reader) => Narrowing::of(&reader.withdrawn()),
            Err(_) => Narrowing::EVERYTHING,
        };
        let peer = Peer {
            device,
            scope: reader.map_or_else(|_| BTreeSet::new(), |reader| reader.in_force()),
            narrowing,
        };
        let (delivery, question) = match answering::read(bytes, Coding::Brotli, peer, &Limits::default()) {
            Ok(read) => read,
            Err(ArrivalError::Admission(_)) if self.bug == Some(Bug::IgnoresSignatures) => {
                self.believe(bytes);
                return Err(Reply::Failed);
            }
            Err(_) => return Err(Reply::Failed),
        };
        let exchange = Exchange {
            hashes: hashes(bytes),
            caller: Caller::Phone {
                phone,
                device,
                clock_ahead: question.clock_ahead(milliseconds(now)),
                question: Box::new(question),
                query: None,
            },
            stage: Stage::Arrived(Box::new(delivery)),
        };
        self.exchanges.insert(connection, exchange);
        Ok(())
    }

    /// What is decided about those who wrote what somebody brings.
    fn decided(&self, data: &Data, caller: &Caller) -> Decided {
        let authors = match caller {
            Caller::Phone {
                device, clock_ahead, ..
            } => data.authors(*device, *clock_ahead, self.bug),
            Caller::Hub(question) => self.authors_of_hub(data, question),
            Caller::Official(entry) => data.all_authors(self.bug).releasing([entry.hash()].into()),
        };
        Decided {
            authors,
            discarded: data.discarded.clone(),
        }
    }

    /// Whether a plan still stands.
    fn stands(&self, then: &Decided, caller: &Caller) -> bool {
        let now = self.decided(&self.ahead, caller);
        let same_authors = now.authors == then.authors || self.bug == Some(Bug::PlansOnOldAuthority);
        let same_decisions = now.discarded == then.discarded || self.bug == Some(Bug::ReleasesDiscarded);
        same_authors && same_decisions
    }

    /// One step of an exchange.
    pub(super) fn step(&mut self, connection: u64) -> Step {
        let Some(Exchange {
            mut caller,
            hashes,
            stage,
        }) = self.exchanges.remove(&connection)
        else {
            return Step::AwaitsFlush;
        };
        let asker = caller.asker();
        let mut outcome = Step::GoesOn(asker);
        let stage = match stage {
            Stage::Arrived(delivery) => {
                if let Caller::Phone { question, query, .. } = &mut caller {
                    *query = question.query(self.cursor_state(question.cursors()));
                }
                let decided = self.decided(&self.data, &caller);
                let planned = self.plan(&self.data, delivery.as_ref().clone(), &decided.authors);
                Stage::Planned(Box::new(planned), delivery, decided)
            }
            Stage::Planned(_, delivery, decided) if !self.stands(&decided, &caller) => Stage::Arrived(delivery),
            Stage::Planned(planned, ..) => match self.write_plan(&planned, &mut caller) {
                Ok(late) if self.answers_early(asker) => Stage::Taken(planned.written(late)),
                Ok(late) => {
                    outcome = Step::AwaitsFlush;
                    Stage::Flushing(planned, late)
                }
                Err(DiskFull) => return Step::Over(Box::new(Answer::failed(asker))),
            },
            Stage::Flushing(..) => {
                outcome = Step::AwaitsFlush;
                stage
            }
            Stage::Taken(taken) => match caller {
                Caller::Phone {
                    phone, question, query, ..
                } => return Step::Over(Box::new(self.answer(phone, *question, query.as_ref(), taken, &hashes))),
                Caller::Hub(question) => match self.answer_hub(*question, taken, &hashes) {
                    Ok(answer) if self.answers_early(asker) => return Step::Over(Box::new(answer)),
                    Ok(answer) => {
                        self.answers.push((connection, answer));
                        return Step::AwaitsFlush;
                    }
                    Err(DiskFull) => return Step::Over(Box::new(Answer::failed(asker))),
                },
                Caller::Official(_) => {
                    return Step::Over(Box::new(Answer {
                        acknowledged: Vec::new(),
                        ..Answer::failed(asker)
                    }));
                }
            },
        };
        self.exchanges.insert(connection, Exchange { caller, hashes, stage });
        outcome
    }

    fn plan(&self, data: &Data, delivery: Delivery, authors: &Authors) -> Planned {
        let sorted = delivery.sort(&data.frame(), authors);
        let wanted = sorted.responses();
        let units = (0..UNITS).filter(|unit| wanted.contains(&response_of(*unit)));
        let stored = units.map(|unit| (response_of(unit), data.stored(unit))).collect();
        sorted.plan(&stored)
    }

    /// Whether it answers before what it acknowledges is on disk: a planted mistake.
    fn answers_early(&self, asker: Asker) -> bool {
        match asker {
            Asker::Phone(_) if self.number == 0 => self.bug == Some(Bug::AcknowledgesBeforeFlush),
            Asker::Phone(_) => self.bug == Some(Bug::HubAcknowledgesBeforeFlush),
            Asker::Hub(_) => self.bug == Some(Bug::UpstreamAcknowledgesBeforeFlush),
            Asker::Official => false,
        }
    }

    fn answer(
        &self,
        phone: usize,
        question: Question,
        query: Option<&Query>,
        taken: Taken,
        hashes: &[ChangeHash],
    ) -> Answer {
        let found = query.map(|query| self.look_up(query));
        let mut answer = question.answer(taken, found, 0);
        if self.bug == Some(Bug::DropsWaiting) {
            answer.waiting.clear();
        }
        Answer {
            asker: Asker::Phone(phone),
            acknowledged: acknowledged(hashes, &answer.waiting, &answer.refused),
            quarantined: quarantined(hashes, &answer.refused),
            reply: Reply::Answer(wire::encode(&answer).unwrap()),
        }
    }

    /// The disk has everything now. The connections whose exchange can go on, and the answers that are given now.
    pub(super) fn flush(&mut self) -> (Vec<u64>, Vec<(u64, Answer)>) {
        self.disk.flush();
        self.data = self.ahead.clone();
        self.settled();
        let mut ready = Vec::new();
        for (connection, mut exchange) in std::mem::take(&mut self.exchanges) {
            exchange.stage = match exchange.stage {
                Stage::Flushing(planned, late) => {
                    ready.push(connection);
                    Stage::Taken(planned.written(late))
                }
                stage => stage,
            };
            self.exchanges.insert(connection, exchange);
        }
        (ready, std::mem::take(&mut self.answers))
    }

    /// How many changes are in the log, wait, and are in quarantine.
    pub(super) fn sizes(&self) -> [usize; 3] {
        [self.data.log.len(), self.data.waiting.len(), self.data.quarantine.len()]
    }

    /// The power fails.
    pub(super) fn crash(&mut self, luck: &mut ChaCha8Rng) {
        self.is_running = false;
        self.exchanges.clear();
        self.answers.clear();
        self.under_way = None;
        self.comparing = Comparing::default();
        self.disk.crash(luck);
    }

    /// It starts from what is on disk.
    pub(super) fn restart(&mut self) {
        self.is_running = true;
        self.data = Data::of(&self.enrolled, self.disk.flushed());
        self.ahead = self.data.clone();
    }
}

impl Caller {
    fn asker(&self) -> Asker {
        match self {
            Self::Phone { phone, .. } => Asker::Phone(*phone),
            Self::Hub(question) => Asker::Hub(question.hub()),
            Self::Official(_) => Asker::Official,
        }
    }

    fn bringer(&self) -> Bringer {
        match self {
            Self::Phone { .. } | Self::Official(_) => Bringer::Author,
            Self::Hub(question) => Bringer::Hub(question.hub()),
        }
    }
}

impl Answer {
    fn failed(asker: Asker) -> Self {
        Self {
            asker,
            reply: Reply::Failed,
            acknowledged: Vec::new(),
            quarantined: Vec::new(),
        }
    }
}

/// Those of a request's changes that an answer acknowledges.
fn acknowledged(hashes: &[ChangeHash], waiting: &[u32], refused: &[Refusal]) -> Vec<ChangeHash> {
    let left: Vec<u32> = refused.iter().map(|refusal| refusal.change).collect();
    let acknowledged = (0..).zip(hashes);
    let acknowledged = acknowledged.filter(|(number, _)| !left.contains(number) && !waiting.contains(number));
    acknowledged.map(|(_, hash)| *hash).collect()
}

/// Those of which it says that they are in quarantine.
fn quarantined(hashes: &[ChangeHash], refused: &[Refusal]) -> Vec<ChangeHash> {
    let quarantined = refused.iter().filter(|refusal| refusal.quarantined);
    quarantined.map(|refusal| hashes[refusal.change as usize]).collect()
}

/// The hashes of a request's changes, in their order.
fn hashes(bytes: &[u8]) -> Vec<ChangeHash> {
    let request = wire::decode_request(bytes, &Limits::default()).unwrap();
    let changes = request.responses.iter().flat_map(|group| &group.changes);
    let hash = |bytes: &serde_bytes::ByteBuf| {
        Change::from_bytes(bytes.to_vec()).map_or(ChangeHash([0; 32]), |change| change.hash())
    };
    changes.map(hash).collect()
}
