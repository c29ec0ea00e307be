//! One world: a few days in the field, drawn from a number. What happens is here, what is checked in `judging`.

mod judging;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_bytes::ByteBuf;
use survey_forms::answers::{AnswerMap, AnswerPath, Answers as _, Value};
use sync_core::Change;
use sync_core::device::{DeviceKey, DevicePublicKey, Succession};
use sync_core::exchange::message::{Attestation, PROTOCOL_VERSION};
use sync_core::exchange::packing::Form;
use sync_core::exchange::{ResponseChanges, SyncRequest, wire};

use super::bug::Bug;
use super::history::{History, QUESTIONS, ROUND, START, UNITS, code, hamlet_of};
use super::invariant::{Invariant, Violation};
use super::network::Weather;
use super::phone::Phone;
use super::server::{Reply, Rotation, Server, Step, Transaction};

/// How long failures go on, in milliseconds.
const DURATION: u64 = 60_000;
/// How long a phone waits for an answer, in milliseconds.
const PATIENCE: u64 = 6_000;
/// How often everybody exchanges once everything works, at most. Reading takes several answers, and what was lost is
/// found at the end of a log.
const LAST_ROUNDS: usize = 400;

/// How much happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Answers that people gave.
    pub answers: u64,
    /// Messages that were sent.
    pub messages: u64,
    /// Messages that were lost, cut off or came again.
    pub mishaps: u64,
    /// Phones and servers whose power failed.
    pub crashes: u64,
    /// Servers that were set back to a backup.
    pub restored: u64,
    /// Responses that were erased, some of them twice.
    pub erased: u64,
    /// Messages by which somebody tried to write in another's name.
    pub forgeries: u64,
    /// Changes that the server did not take.
    pub refused: u64,
    /// Devices that were revoked, and hamlets that were withdrawn.
    pub withdrawals: u64,
    /// Changes in quarantine in the end.
    pub quarantined: u64,
    /// Phones whose disks were copied onto others.
    pub clones: u64,
    /// New keys that phones took.
    pub new_keys: u64,
}

impl Statistics {
    /// Adds another world's.
    pub fn add(&mut self, other: &Self) {
        self.answers += other.answers;
        self.messages += other.messages;
        self.mishaps += other.mishaps;
        self.crashes += other.crashes;
        self.restored += other.restored;
        self.erased += other.erased;
        self.forgeries += other.forgeries;
        self.refused += other.refused;
        self.withdrawals += other.withdrawals;
        self.quarantined += other.quarantined;
        self.clones += other.clones;
        self.new_keys += other.new_keys;
    }
}

/// What came of a world.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How much happened.
    pub statistics: Statistics,
    /// The first promise that was broken.
    pub violation: Option<Violation>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Answer(usize),
    Exchange(usize),
    GiveUp(usize, u64),
    PhoneFlush(usize),
    PhoneCrash(usize),
    PhoneRestart(usize),
    PhoneDisk(usize),
    Clock(usize),
    Meet(usize, usize),
    Request(usize, u64, DevicePublicKey, Vec<u8>),
    Reply(usize, u64, Option<Vec<u8>>),
    Replaced(usize, u64),
    Rotate(usize, usize),
    Rotated(usize, DevicePublicKey, Rotation),
    Enrol(usize, DevicePublicKey),
    Clone(usize),
    Lose(usize),
    Step(u64),
    ServerFlush,
    ServerCrash,
    ServerRestart,
    ServerDisk,
    Backup,
    Restore,
    Revoke(usize),
    Withdraw(usize),
    AskAgain(usize),
    Erase(usize),
    Forge(usize),
}

/// What is counted for the figures: the share of households with this answer to the second question.
const COUNTED: &str = "yes";

struct World {
    luck: ChaCha8Rng,
    now: u64,
    order: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    weather: Weather,
    phones: Vec<Phone>,
    server: Server,
    history: History,
    backups: Vec<Vec<Transaction>>,
    overheard: Vec<Vec<u8>>,
    /// The successions that were asked for.
    successions: Vec<Succession>,
    connections: u64,
    figures: Figures,
    bug: Option<Bug>,
    tell: bool,
    /// Whether officials revoke devices and withdraw hamlets.
    decides: bool,
    /// Whether households ask to be forgotten.
    erases: bool,
    /// Whether nothing fails any more.
    healed: bool,
    statistics: Statistics,
    violations: Vec<Violation>,
}

/// Households by what they answered, kept up as the log grows.
#[derive(Debug, Default)]
struct Figures {
    counted: BTreeMap<usize, bool>,
    sum: i64,
    seen: usize,
}

/// Plays the world with this number, and says what came of it. `tell` prints what happens.
pub fn play(number: u64, bug: Option<Bug>, tell: bool) -> Outcome {
    let mut world = World::new(number, bug, tell);
    while let Some(Reverse((time, _, event))) = world.events.pop() {
        world.now = time;
        world.happen(event);
        if !world.violations.is_empty() {
            break;
        }
    }
    if world.violations.is_empty() {
        world.heal();
        world.judge();
    }
    Outcome {
        statistics: world.statistics,
        violation: world.violations.into_iter().next(),
    }
}

impl World {
    fn new(number: u64, bug: Option<Bug>, tell: bool) -> Self {
        let mut luck = ChaCha8Rng::seed_from_u64(number);
        let count = luck.random_range(1..=4);
        let scopes = [vec![0], vec![1], vec![0, 1], vec![0]];
        let compares = luck.random_bool(0.7);
        let phones = (0..count).map(|phone| Phone::new(phone, scopes[phone].iter().copied().collect(), compares, bug));
        let mut world = Self {
            phones: phones.collect(),
            weather: Weather::drawn(&mut luck),
            luck,
            now: 0,
            order: 0,
            events: BinaryHeap::new(),
            server: Server::new(bug),
            history: History::default(),
            backups: Vec::new(),
            overheard: Vec::new(),
            successions: Vec::new(),
            connections: 0,
            figures: Figures::default(),
            bug,
            tell,
            decides: false,
            erases: false,
            healed: false,
            statistics: Statistics::default(),
            violations: Vec::new(),
        };
        for phone in &mut world.phones {
            if world.luck.random_bool(0.5) {
                phone.clock_ahead = drawn_clock(&mut world.luck);
            }
        }
        world.draw(count);
        world
    }

    /// Draws what people do and what fails.
    fn draw(&mut self, count: usize) {
        for phone in 0..count {
            self.often(4, 16, |_| Event::Answer(phone));
            self.often(2, 10, |_| Event::Exchange(phone));
            self.often(0, 3, |_| Event::PhoneCrash(phone));
            self.often(0, 2, |_| Event::Clock(phone));
            self.often(0, 1, |_| Event::PhoneDisk(phone));
        }
        self.often(0, 3, |_| Event::ServerCrash);
        self.often(0, 1, |_| Event::ServerDisk);
        self.often(0, 3, |luck| Event::Forge(luck.random_range(0..count)));
        // A phone that was taken away cannot bring again what a backup lost, and others have built on it: that needs
        // somebody who carries its changes.
        if self.luck.random_bool(0.5) {
            self.often(0, 2, |_| Event::Backup);
            self.often(0, 1, |_| Event::Restore);
            self.often(0, 4, |luck| {
                Event::Meet(luck.random_range(0..count), luck.random_range(0..count))
            });
        } else if self.luck.random_bool(0.24) {
            // Apart from the above: who takes in from another phone what only a copy of that can write again has to write
            // again what he built on it, and the keys that a backup of the server has forgotten are enrolled by people.
            self.often(1, 2, |luck| Event::Clone(luck.random_range(0..count)));
            self.erases = self.luck.random_bool(0.2);
        } else {
            self.decides = true;
            self.often(0, 1, |luck| Event::Revoke(luck.random_range(0..count)));
            self.often(0, 2, |luck| Event::Withdraw(luck.random_range(0..count)));
            self.often(0, 3, |luck| Event::AskAgain(luck.random_range(0..count)));
            self.erases = self.luck.random_bool(0.4);
            if self.erases {
                self.often(1, 2, |luck| Event::Erase(luck.random_range(0..UNITS)));
            }
        }
    }

    fn often(&mut self, least: usize, most: usize, event: impl Fn(&mut ChaCha8Rng) -> Event) {
        for _ in 0..self.luck.random_range(least..=most) {
            let delay = self.luck.random_range(0..DURATION);
            let event = event(&mut self.luck);
            self.later(delay, event);
        }
    }

    fn later(&mut self, delay: u64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((self.now + delay, self.order, event)));
    }

    fn soon(&mut self, event: Event) {
        let delay = self.luck.random_range(1..200);
        self.later(delay, event);
    }

    fn happen(&mut self, event: Event) {
        if self.tell {
            match &event {
                Event::Request(phone, connection, _, bytes) => {
                    println!("{:>7} Request({phone}, {connection}, {} bytes)", self.now, bytes.len());
                }
                Event::Reply(phone, connection, bytes) => {
                    let length = bytes.as_ref().map(Vec::len);
                    println!("{:>7} Reply({phone}, {connection}, {length:?} bytes)", self.now);
                }
                event => println!("{:>7} {event:?}", self.now),
            }
        }
        match event {
            Event::Answer(phone) => self.answer(phone),
            Event::Exchange(phone) => self.exchange(phone),
            Event::GiveUp(phone, connection) => self.phones[phone].disconnected(connection),
            Event::PhoneFlush(phone) => self.phones[phone].flush(&mut self.history),
            Event::PhoneCrash(phone) => {
                self.statistics.crashes += 1;
                self.phones[phone].crash(&mut self.luck);
                self.soon(Event::PhoneRestart(phone));
            }
            Event::PhoneRestart(phone) if self.phones[phone].is_lost => {}
            Event::PhoneRestart(phone) => self.phones[phone].restart(&mut self.history),
            Event::PhoneDisk(phone) => {
                let disk = &mut self.phones[phone].disk;
                disk.full = !disk.full;
                if disk.full {
                    self.later(5_000, Event::PhoneDisk(phone));
                }
            }
            Event::Clock(phone) => {
                self.phones[phone].clock_ahead = drawn_clock(&mut self.luck);
                self.phones[phone].clock_was_set = true;
            }
            Event::Meet(from, to) if from != to => self.meet(from, to),
            Event::Meet(..) => {}
            Event::Request(phone, connection, device, bytes) => self.arrive(phone, connection, device, &bytes),
            Event::Replaced(phone, connection) => self.phones[phone].is_replaced(connection, &mut self.history),
            Event::Rotate(phone, number) => self.rotate(phone, number),
            Event::Rotated(phone, key, rotation) => {
                if self.phones[phone].rotated(key, rotation, &mut self.history) {
                    self.later(2_000, Event::Enrol(phone, key));
                }
                self.statistics.new_keys += u64::from(rotation == Rotation::Done);
            }
            Event::Enrol(phone, key) => {
                self.statistics.new_keys += 1;
                self.phones[phone].enrolled(key, &mut self.history);
            }
            Event::Clone(phone) => self.clone_phone(phone),
            Event::Lose(phone) => {
                self.phones[phone].is_lost = true;
                self.phones[phone].crash(&mut self.luck);
            }
            Event::Reply(phone, connection, bytes) => self.reply(phone, connection, bytes),
            Event::Step(connection) => self.step(connection),
            Event::ServerFlush => self.flush(),
            Event::ServerCrash => {
                self.statistics.crashes += 1;
                self.server.crash(&mut self.luck);
                self.soon(Event::ServerRestart);
            }
            Event::ServerRestart => {
                self.server.restart();
                self.figures = Figures::default();
                self.count();
            }
            Event::ServerDisk => {
                let disk = &mut self.server.disk;
                disk.full = !disk.full;
                if disk.full {
                    self.later(5_000, Event::ServerDisk);
                }
            }
            Event::Backup => self.backups.push(self.server.disk.flushed().to_vec()),
            Event::Restore => self.restore(),
            Event::Revoke(_) | Event::Withdraw(_) | Event::Erase(_) if !self.server.is_running => {}
            Event::Revoke(phone) => {
                self.statistics.withdrawals += 1;
                self.server.revoke(self.phones[phone].keys.now().public());
                self.soon(Event::ServerFlush);
            }
            Event::Withdraw(phone) => {
                self.statistics.withdrawals += 1;
                let scope: Vec<i64> = self.phones[phone].scope.iter().copied().collect();
                let hamlet = scope[self.luck.random_range(0..scope.len())];
                self.server
                    .withdraw(self.phones[phone].keys.now().public(), hamlet, self.now);
                self.soon(Event::ServerFlush);
            }
            Event::AskAgain(phone) => self.phones[phone].ask_again(),
            Event::Erase(unit) => {
                self.statistics.erased += 1;
                self.server.erase(unit);
                self.soon(Event::ServerFlush);
            }
            Event::Forge(phone) => self.forge(phone),
        }
    }

    fn answer(&mut self, phone: usize) {
        if !self.phones[phone].is_running() {
            return;
        }
        self.statistics.answers += 1;
        let unit = self.luck.random_range(0..UNITS);
        // Now and then somebody answers for a hamlet that is not theirs.
        if !self.phones[phone].scope.contains(&hamlet_of(unit)) && self.luck.random_bool(0.8) {
            return;
        }
        let question = self.luck.random_range(0..QUESTIONS.len());
        let value = ["yes", "no", "Nhà ở cuối ấp, cạnh cầu", "?"][self.luck.random_range(0..4)];
        let decide = self.luck.random_bool(0.2);
        let now = self.now;
        self.phones[phone].answer(unit, question, value, now, &mut self.history, decide);
        self.soon(Event::PhoneFlush(phone));
        self.fail_soon(0.25, Event::Exchange(phone));
        self.fail_soon(0.05, Event::PhoneCrash(phone));
    }

    /// Most of what can go wrong goes wrong in the moments between two steps.
    fn fail_soon(&mut self, chance: f64, failure: Event) {
        if !self.healed && self.luck.random_bool(chance) {
            self.soon(failure);
        }
    }

    /// A backup of a phone is put onto another, and both are in the field, or only the other one.
    fn clone_phone(&mut self, phone: usize) {
        if self.phones[phone].is_lost {
            return;
        }
        self.statistics.clones += 1;
        let number = self.phones.len();
        let copy = self.phones[phone].copied(number, &mut self.history);
        self.phones.push(copy);
        self.often(2, 10, |_| Event::Answer(number));
        self.often(1, 6, |_| Event::Exchange(number));
        self.often(0, 3, |_| Event::PhoneCrash(number));
        self.often(0, 1, |_| Event::PhoneDisk(number));
        self.often(0, 6, |_| Event::Answer(phone));
        if self.luck.random_bool(0.3) {
            let delay = self.luck.random_range(0..DURATION);
            self.later(delay, Event::Lose(phone));
        }
    }

    /// A phone that has drawn a key asks the server to put it in the place of the one in use.
    fn ask_for_rotation(&mut self, phone: usize) {
        let succession = self.phones[phone].keys.succession();
        let Some(succession) = succession.filter(|_| self.phones[phone].is_running()) else {
            return;
        };
        let asking = &self.phones[phone];
        let mut others = self.phones.iter().filter(|other| other.number != phone);
        if !others.any(|other| other.is_copy_of(asking)) {
            self.break_promise(Invariant::OnlyCopiesTakeNewKeys, format!("phone {phone}"));
        }
        self.successions.push(succession);
        let number = self.successions.len() - 1;
        for (delay, bytes) in self.weather.carry(&[0; 256], &mut self.luck) {
            // What was cut off says nothing.
            if bytes.len() == 256 {
                self.later(delay, Event::Rotate(phone, number));
            }
        }
    }

    fn rotate(&mut self, phone: usize, number: usize) {
        if !self.server.is_running {
            return;
        }
        let succession = self.successions[number];
        let rotation = self.server.rotate(&succession);
        // It is told when it is on disk.
        self.flush();
        for (delay, _) in self.weather.carry(&[0; 64], &mut self.luck) {
            self.later(delay, Event::Rotated(phone, succession.successor, rotation));
        }
    }

    fn exchange(&mut self, phone: usize) {
        self.ask_for_rotation(phone);
        self.connections += 1;
        let (connection, now) = (self.connections, self.now);
        let piece = self.luck.random_range(1..2_000);
        let Some(bytes) = self.phones[phone].request(connection, now, piece) else {
            return;
        };
        self.statistics.messages += 1;
        self.overheard.push(bytes.clone());
        let copies = self.weather.carry(&bytes, &mut self.luck);
        self.statistics.mishaps += u64::from(copies.len() != 1 || copies[0].1.len() != bytes.len());
        let device = self.phones[phone].keys.now().public();
        for (number, (delay, bytes)) in copies.into_iter().enumerate() {
            // What comes a second time comes over a connection on which nobody waits.
            let connection = connection + (number as u64) * 1_000_000;
            self.later(delay, Event::Request(phone, connection, device, bytes));
        }
        self.later(PATIENCE, Event::GiveUp(phone, connection));
    }

    fn arrive(&mut self, phone: usize, connection: u64, device: DevicePublicKey, bytes: &[u8]) {
        if !self.server.is_running {
            return;
        }
        let replaced = self.server.data.successors.contains_key(&device);
        let scope = self.phones[phone].scope.clone();
        match self.server.arrive(connection, phone, device, &scope, bytes, self.now) {
            Ok(()) => {
                if replaced {
                    self.break_promise(Invariant::ReplacedKeysAreRefused, format!("phone {phone}"));
                }
                self.soon(Event::Step(connection));
            }
            Err(reply) => self.send(phone, connection, reply),
        }
        self.soon(Event::ServerFlush);
    }

    fn step(&mut self, connection: u64) {
        if !self.server.is_running {
            return;
        }
        match self.server.step(connection) {
            Step::GoesOn(phone) => {
                self.soon(Event::Step(connection));
                self.fail_soon(0.02, Event::ServerCrash);
                if self.decides {
                    self.fail_soon(0.015, Event::Revoke(phone));
                    self.fail_soon(0.005, Event::Withdraw(phone));
                }
                if self.erases {
                    let unit = self.luck.random_range(0..UNITS);
                    self.fail_soon(0.02, Event::Erase(unit));
                }
            }
            Step::AwaitsFlush => {
                self.soon(Event::ServerFlush);
                self.fail_soon(0.02, Event::ServerCrash);
            }
            Step::Replied {
                phone,
                reply,
                acknowledged,
                quarantined,
            } => {
                self.check_durable(&acknowledged);
                self.check_quarantined(&quarantined);
                self.send(phone, connection, reply);
            }
        }
    }

    fn flush(&mut self) {
        if !self.server.is_running {
            return;
        }
        for connection in self.server.flush() {
            self.soon(Event::Step(connection));
        }
        self.check_log();
        if self.violations.is_empty() {
            self.count();
        }
    }

    fn send(&mut self, phone: usize, connection: u64, reply: Reply) {
        self.statistics.messages += 1;
        let bytes = match reply {
            Reply::Failed => return self.later(1, Event::Reply(phone, connection, None)),
            Reply::Replaced => return self.later(1, Event::Replaced(phone, connection)),
            Reply::Answer(bytes) => bytes,
        };
        let copies = self.weather.carry(&bytes, &mut self.luck);
        self.statistics.mishaps += u64::from(copies.len() != 1 || copies[0].1.len() != bytes.len());
        for (delay, bytes) in copies {
            self.later(delay, Event::Reply(phone, connection, Some(bytes)));
        }
    }

    fn reply(&mut self, phone: usize, connection: u64, bytes: Option<Vec<u8>>) {
        let now = self.now;
        match bytes {
            Some(bytes) => self.phones[phone].receive(connection, &bytes, now, &mut self.history),
            None => self.phones[phone].disconnected(connection),
        }
        self.soon(Event::PhoneFlush(phone));
        self.fail_soon(0.25, Event::Exchange(phone));
        self.fail_soon(0.05, Event::PhoneCrash(phone));
    }

    fn meet(&mut self, from: usize, to: usize) {
        // What is handed on is saved.
        self.phones[from].flush(&mut self.history);
        let [from, to] = self.phones.get_disjoint_mut([from, to]).unwrap();
        to.meet(from);
        let to = to.number;
        self.soon(Event::PhoneFlush(to));
    }

    fn restore(&mut self) {
        if self.backups.is_empty() {
            return;
        }
        self.statistics.restored += 1;
        let backup = self.luck.random_range(0..self.backups.len());
        let backup = self.backups[backup].clone();
        self.server.crash(&mut self.luck);
        self.server.disk.restore(backup);
        self.soon(Event::ServerRestart);
    }

    /// Somebody who holds an enrolled phone tries to write in another's name, or sends again what was overheard.
    fn forge(&mut self, phone: usize) {
        let device = self.phones[phone].keys.now().public();
        self.statistics.forgeries += 1;
        self.connections += 1;
        let connection = self.connections;
        if self.luck.random_bool(0.3)
            && let Some(overheard) = self.overheard.last().cloned()
        {
            return self.soon(Event::Request(phone, connection, device, overheard));
        }
        let victims: Vec<Change> = self.server.data.log.iter().map(|entry| entry.change.clone()).collect();
        if victims.is_empty() {
            return;
        }
        let victim = &self.server.data.log[self.luck.random_range(0..victims.len())];
        let mut forged = victim.change.decode();
        forged.seq += 1;
        forged.start_op = forged.start_op.saturating_add(1);
        forged.deps = vec![victim.change.hash()];
        forged.hash = None;
        let forged = Change::from(forged);
        let forger = DeviceKey::from_secret(&[99; 32]);
        let named = if self.luck.random_bool(0.5) {
            victim.device
        } else {
            self.phones[phone].keys.now().public()
        };
        let request = SyncRequest {
            version: PROTOCOL_VERSION,
            cursor: None,
            acknowledged: None,
            restoring: false,
            device_time: 0,
            reconciliation: None,
            answer_form: Form::Packed,
            attestations: vec![Attestation {
                device: named,
                first: 0,
                count: 1,
                signature: forger.attest(&[forged.hash()]),
            }],
            responses: vec![ResponseChanges {
                round: ROUND,
                unit: code(victim.unit),
                changes: vec![ByteBuf::from(forged.raw_bytes())],
            }],
        };
        let bytes = wire::encode(&request).unwrap();
        self.soon(Event::Request(phone, connection, device, bytes));
    }

    /// Adds what is new in the log to the figures, as the server's projection does.
    fn count(&mut self) {
        let data = &self.server.data;
        let entries = data.log.iter().map(|entry| (entry.unit, entry.place));
        let tombstones = data.erased.iter().map(|(unit, place)| (*unit, *place));
        let new = entries
            .chain(tombstones)
            .filter(|(_, place)| *place > self.figures.seen);
        let changed: BTreeSet<usize> = new.map(|(unit, _)| unit).collect();
        self.figures.seen = data.head();
        for unit in changed {
            let counts = counts(&self.server.data.response(unit).read().answers);
            let before = self.figures.counted.insert(unit, counts).unwrap_or(false);
            self.figures.sum += i64::from(counts);
            if self.bug != Some(Bug::CountsTwice) {
                self.figures.sum -= i64::from(before);
            }
        }
    }

    fn break_promise(&mut self, invariant: Invariant, what: String) {
        self.violations.push(Violation::new(invariant, what));
    }

    /// Everything works again, and everybody exchanges until nobody has anything left.
    fn heal(&mut self) {
        self.healed = true;
        self.weather = Weather::FINE;
        self.server.disk.full = false;
        if !self.server.is_running {
            self.happen(Event::ServerRestart);
        }
        for phone in 0..self.phones.len() {
            self.phones[phone].disk.full = false;
            if !self.phones[phone].is_running() {
                self.happen(Event::PhoneRestart(phone));
            }
            self.happen(Event::PhoneFlush(phone));
        }
        let mut quiet = 0;
        for _ in 0..LAST_ROUNDS {
            let before = self.server.sizes();
            for phone in 0..self.phones.len() {
                self.exchange(phone);
                while let Some(Reverse((time, _, event))) = self.events.pop() {
                    self.now = time;
                    self.happen(event);
                }
            }
            let after = self.server.sizes();
            let pending =
                (0..self.phones.len()).any(|phone| !self.phones[phone].is_lost && self.phones[phone].is_pending());
            quiet = if before == after && !pending { quiet + 1 } else { 0 };
            if quiet == 2 || !self.violations.is_empty() {
                break;
            }
        }
        self.statistics.quarantined = self.server.data.quarantine.len() as u64;
        self.statistics.refused = self.phones.iter().map(|phone| phone.refused.len() as u64).sum();
    }

    /// Whether nothing can be asked of a phone any more.
    fn is_out(&self, phone: usize) -> bool {
        self.is_revoked(phone) || self.phones[phone].is_lost
    }

    fn is_revoked(&self, phone: usize) -> bool {
        let key = self.phones[phone].keys.now().public();
        self.server.data.revoked.contains(&key)
    }
}

/// How far a wrong clock is ahead, in seconds: behind as far as 1970, or ahead by thirty years.
fn drawn_clock(luck: &mut ChaCha8Rng) -> i64 {
    luck.random_range(-START..1_000_000_000)
}

fn counts(answers: &AnswerMap) -> bool {
    answers.answer(&AnswerPath::top(QUESTIONS[1])) == Some(Value::Text(COUNTED.to_owned()))
}
