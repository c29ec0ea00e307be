//! One world of hubs, drawn from a number.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use survey_forms::answers::{AnswerPath, AnswersMut as _};
use sync_core::device::{DeviceKey, DevicePublicKey};
use sync_core::exchange::{CarriedAttestation, CarriedBuilder, CarriedChanges};
use sync_core::response::{Response, ResponseError};
use sync_core::{Change, ChangeHash};

use super::HubBug;
use super::site::{Bringer, Site, Transaction, authors};
use crate::simulation::history::{QUESTIONS, ROUND, UNITS, code, hamlet_of, response_of};
use crate::simulation::invariant::{Invariant, Violation};
use crate::simulation::network::Weather;

/// How long failures go on, in milliseconds.
const DURATION: u64 = 60_000;
/// How long a hub waits for an answer, in milliseconds.
const PATIENCE: u64 = 6_000;
/// How often all hubs exchange once everything works, at most.
const LAST_ROUNDS: usize = 200;

/// How much happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HubStatistics {
    /// Answers that people gave.
    pub answers: u64,
    /// Messages between installations.
    pub messages: u64,
    /// Messages that were lost, cut off or came again.
    pub mishaps: u64,
    /// Installations whose power failed.
    pub crashes: u64,
    /// Installations that were set back to a backup.
    pub restored: u64,
    /// Devices that were lost after they had brought what they wrote.
    pub lost: u64,
    /// Changes that came from above.
    pub from_above: u64,
}

impl HubStatistics {
    /// Adds another world's.
    pub fn add(&mut self, other: &Self) {
        self.answers += other.answers;
        self.messages += other.messages;
        self.mishaps += other.mishaps;
        self.crashes += other.crashes;
        self.restored += other.restored;
        self.lost += other.lost;
        self.from_above += other.from_above;
    }
}

/// What came of a world.
#[derive(Debug, Clone)]
pub struct HubOutcome {
    /// How much happened.
    pub statistics: HubStatistics,
    /// The first promise that was broken.
    pub violation: Option<Violation>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Answer(usize),
    Bring(usize),
    Lose(usize),
    Reach(usize),
    GiveUp(usize, u64),
    Request(usize, u64, Vec<u8>),
    Reply(usize, u64, Vec<u8>),
    Flush(usize),
    Crash(usize),
    Restart(usize),
    Backup(usize),
    Restore(usize),
}

/// A volunteer's device, which works as long as it is not lost.
struct Device {
    key: DeviceKey,
    scope: BTreeSet<i64>,
    /// The installations where it brings what it writes; each time one of them.
    sites: Vec<usize>,
    responses: BTreeMap<usize, Response>,
    /// What it wrote, each with its signature, and whether the installation that has it by now is known.
    written: Vec<(usize, Change, CarriedAttestation)>,
    unbrought: BTreeSet<ChangeHash>,
    is_lost: bool,
}

struct World {
    luck: ChaCha8Rng,
    now: u64,
    order: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    weather: Weather,
    /// The first is the province.
    sites: Vec<Site>,
    /// The installation above each hub; none above the province.
    above: Vec<Option<usize>>,
    devices: Vec<Device>,
    known: BTreeMap<DevicePublicKey, BTreeSet<i64>>,
    backups: BTreeMap<usize, Vec<Transaction>>,
    connections: u64,
    healed: bool,
    tell: bool,
    statistics: HubStatistics,
    violation: Option<Violation>,
}

/// Plays the world with this number, and says what came of it. `tell` prints what happens.
pub fn play(number: u64, bug: Option<HubBug>, tell: bool) -> HubOutcome {
    let mut world = World::new(number, bug, tell);
    while let Some(Reverse((time, _, event))) = world.events.pop() {
        world.now = time;
        world.happen(event);
        if world.violation.is_some() {
            break;
        }
    }
    if world.violation.is_none() {
        world.heal();
    }
    HubOutcome {
        statistics: world.statistics,
        violation: world.violation,
    }
}

impl World {
    fn new(number: u64, bug: Option<HubBug>, tell: bool) -> Self {
        let mut luck = ChaCha8Rng::seed_from_u64(number);
        let mut sites = vec![Site::new(BTreeSet::from([0, 1]), bug)];
        let mut above = vec![None];
        for hub in 1..=luck.random_range(1..=3) {
            let over: usize = if luck.random_bool(0.4) {
                luck.random_range(0..hub)
            } else {
                0
            };
            let mut scope: BTreeSet<i64> = sites[over].scope.clone();
            if luck.random_bool(0.4) {
                scope.retain(|hamlet| *hamlet == luck.random_range(0..2));
            }
            sites.push(Site::new(scope, bug));
            above.push(Some(over));
        }
        let devices: Vec<Device> = (0..luck.random_range(1..=4))
            .map(|number: u8| Device {
                key: DeviceKey::from_secret(&[number + 1; 32]),
                scope: BTreeSet::from([0, luck.random_range(0..2)]),
                sites: (0..luck.random_range(1..=2))
                    .map(|_| luck.random_range(0..sites.len()))
                    .collect(),
                responses: BTreeMap::new(),
                written: Vec::new(),
                unbrought: BTreeSet::new(),
                is_lost: false,
            })
            .collect();
        let mut world = Self {
            weather: Weather::drawn(&mut luck),
            luck,
            now: 0,
            order: 0,
            events: BinaryHeap::new(),
            known: devices
                .iter()
                .map(|device| (device.key.public(), device.scope.clone()))
                .collect(),
            sites,
            above,
            devices,
            backups: BTreeMap::new(),
            connections: 0,
            healed: false,
            tell,
            statistics: HubStatistics::default(),
            violation: None,
        };
        world.draw();
        world
    }

    /// Draws what people do and what fails.
    fn draw(&mut self) {
        for device in 0..self.devices.len() {
            self.often(3, 12, Event::Answer(device));
            self.often(1, 5, Event::Bring(device));
            self.often(0, 1, Event::Lose(device));
        }
        let restores = self.luck.random_bool(0.5);
        for site in 0..self.sites.len() {
            self.often(2, 10, Event::Reach(site));
            self.often(0, 2, Event::Crash(site));
            if restores {
                self.often(1, 2, Event::Backup(site));
                self.often(0, 2, Event::Restore(site));
            }
        }
    }

    fn often(&mut self, least: usize, most: usize, event: Event) {
        for _ in 0..self.luck.random_range(least..=most) {
            let delay = self.luck.random_range(0..DURATION);
            self.later(delay, event.clone());
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

    /// Most of what can go wrong goes wrong in the moments between two steps.
    fn fail_soon(&mut self, chance: f64, failure: Event) {
        if !self.healed && self.luck.random_bool(chance) {
            self.soon(failure);
        }
    }

    fn happen(&mut self, event: Event) {
        if self.tell {
            match &event {
                Event::Request(hub, connection, bytes) | Event::Reply(hub, connection, bytes) => {
                    let what = if matches!(event, Event::Request(..)) {
                        "Request"
                    } else {
                        "Reply"
                    };
                    println!("{:>7} {what}({hub}, {connection}, {} bytes)", self.now, bytes.len());
                }
                event => println!("{:>7} {event:?}", self.now),
            }
        }
        match event {
            Event::Answer(device) => self.answer(device),
            Event::Bring(device) => self.bring(device),
            Event::Lose(device) => {
                let device = &mut self.devices[device];
                if device.unbrought.is_empty() && !device.is_lost {
                    device.is_lost = true;
                    self.statistics.lost += 1;
                }
            }
            Event::Reach(hub) => self.reach(hub),
            Event::GiveUp(hub, connection) => self.sites[hub].give_up(connection),
            Event::Request(hub, connection, bytes) => self.arrive(hub, connection, &bytes),
            Event::Reply(hub, connection, bytes) => self.reply(hub, connection, &bytes),
            Event::Flush(site) => self.flush(site),
            Event::Crash(site) => {
                self.statistics.crashes += 1;
                self.sites[site].crash(&mut self.luck);
                self.soon(Event::Restart(site));
            }
            Event::Restart(site) => self.sites[site].restart(),
            Event::Backup(site) => {
                let transactions = self.sites[site].disk.flushed().to_vec();
                self.backups.insert(site, transactions);
            }
            Event::Restore(site) => {
                if let Some(backup) = self.backups.get(&site) {
                    self.statistics.restored += 1;
                    self.sites[site].disk.restore(backup.clone());
                    self.sites[site].restart();
                    self.offer_again(site);
                }
            }
        }
    }

    fn answer(&mut self, number: usize) {
        let device = &mut self.devices[number];
        if device.is_lost {
            return;
        }
        let unit = self.luck.random_range(0..UNITS);
        if !device.scope.contains(&hamlet_of(unit)) {
            return;
        }
        self.statistics.answers += 1;
        let question = QUESTIONS[self.luck.random_range(0..QUESTIONS.len())];
        let value = ["yes", "no", "Nhà ở cuối ấp"][self.luck.random_range(0..3)];
        let response = device
            .responses
            .entry(unit)
            .or_insert_with(|| Response::new(response_of(unit)).unwrap());
        let edited = response.edit::<_, ResponseError>(&device.key.actor(), 1, |edit| {
            edit.put_answer(&AnswerPath::top(question), &value.into())
        });
        let ((), Some(change)) = edited.unwrap() else { return };
        let hash = change.hash();
        let attestation = CarriedAttestation {
            device: device.key.public(),
            hashes: hash.0.to_vec().into(),
            signature: device.key.attest(&[hash]),
        };
        device.written.push((unit, change, attestation));
        device.unbrought.insert(hash);
        self.fail_soon(0.3, Event::Bring(number));
    }

    /// A device brings what it wrote to one of its installations, and hears what that has.
    fn bring(&mut self, number: usize) {
        let device = &mut self.devices[number];
        let place = device.sites[self.luck.random_range(0..device.sites.len())];
        let site = &mut self.sites[place];
        if device.is_lost || !site.is_running {
            return;
        }
        let mut wanted = device.unbrought.clone();
        // Now and then a phone brings only some of it, so that what comes first must wait.
        if !self.healed && self.luck.random_bool(0.2) {
            let first = wanted.iter().next().copied();
            wanted.retain(|hash| Some(*hash) != first);
        }
        let carried = carried(device, &wanted);
        if let Ok(taken) = site.take(&carried, authors(&self.known), Bringer::Author, None) {
            // A phone is told when it is durable; that it asks again until then is another simulation's subject.
            site.disk.flush();
            let hashes: Vec<ChangeHash> = carried.hashes().flatten().collect();
            for (hash, _) in hashes
                .iter()
                .zip(0..)
                .filter(|(_, number)| !taken.waiting.contains(number))
            {
                device.unbrought.remove(hash);
            }
        }
        for entry in &site.data.log {
            if device.scope.contains(&hamlet_of(entry.unit)) {
                let response = device.responses.entry(entry.unit);
                let response = response.or_insert_with(|| Response::new(response_of(entry.unit)).unwrap());
                if !response.has(&entry.change.hash()) {
                    let _ = response.apply([entry.change.clone()]);
                }
            }
        }
        self.fail_soon(0.3, Event::Reach(place));
    }

    /// Devices find that the log of an installation was set back, and bring again what they wrote.
    fn offer_again(&mut self, site: usize) {
        for device in self.devices.iter_mut().filter(|device| device.sites.contains(&site)) {
            device.unbrought = device.written.iter().map(|(_, change, _)| change.hash()).collect();
        }
    }

    fn reach(&mut self, hub: usize) {
        if self.above[hub].is_none() {
            return;
        }
        self.connections += 1;
        let connection = self.connections;
        let retry = self.healed || self.luck.random_bool(0.5);
        let Some(bytes) = self.sites[hub].request(connection, retry) else {
            return;
        };
        self.send(&bytes, |bytes| Event::Request(hub, connection, bytes));
        self.later(PATIENCE, Event::GiveUp(hub, connection));
    }

    fn send(&mut self, bytes: &[u8], event: impl Fn(Vec<u8>) -> Event) {
        self.statistics.messages += 1;
        let copies = self.weather.carry(bytes, &mut self.luck);
        self.statistics.mishaps += u64::from(copies.len() != 1 || copies[0].1.len() != bytes.len());
        for (delay, bytes) in copies {
            self.later(delay, event(bytes));
        }
    }

    fn arrive(&mut self, hub: usize, connection: u64, bytes: &[u8]) {
        let Some(over) = self.above[hub] else { return };
        let scope = self.sites[hub].scope.clone();
        let site = &mut self.sites[over];
        if !site.is_running || !site.arrive(connection, hub, &scope, &self.known, bytes) {
            return;
        }
        if site.answers_early() {
            self.answer_hub(hub, over, connection);
        }
        self.fail_soon(0.05, Event::Crash(over));
        self.soon(Event::Flush(over));
        // Answered with the next flush of the installation above.
        self.later(400, Event::Reply(hub, connection, Vec::new()));
    }

    /// Sends the answer that is ready; what it acknowledges is on disk, or the promise is broken.
    fn answer_hub(&mut self, hub: usize, over: usize, connection: u64) {
        let Some(answer) = self.sites[over].answer(connection) else {
            return;
        };
        let durable = self.sites[over].durable();
        if let Some(hash) = answer.acknowledged.iter().find(|hash| !durable.has(hash)) {
            self.violation = Some(Violation::new(
                Invariant::AcknowledgedIsDurable,
                format!("{hash} was acknowledged to hub {hub}"),
            ));
        }
        self.send(&answer.bytes, |bytes| Event::Reply(hub, connection, bytes));
    }

    fn reply(&mut self, hub: usize, connection: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            // The moment at which the installation above answers.
            let Some(over) = self.above[hub] else { return };
            if self.sites[over].is_running {
                self.sites[over].disk.flush();
                self.answer_hub(hub, over, connection);
            }
            return;
        }
        let site = &mut self.sites[hub];
        if !site.is_running {
            return;
        }
        let before = site.data.log.len();
        let more = site.receive(connection, &self.known, bytes);
        self.statistics.from_above += (self.sites[hub].data.log.len() - before) as u64;
        self.fail_soon(0.25, Event::Crash(hub));
        self.soon(Event::Flush(hub));
        if more == Some(true) {
            self.soon(Event::Reach(hub));
        }
    }

    fn flush(&mut self, site: usize) {
        if self.sites[site].is_running {
            self.sites[site].disk.flush();
        }
    }

    /// Everything works from now on, until nobody has anything for anybody.
    fn heal(&mut self) {
        self.healed = true;
        self.weather = Weather::FINE;
        for site in 0..self.sites.len() {
            self.sites[site].restart();
        }
        for _ in 0..LAST_ROUNDS {
            let before: Vec<usize> = self.sites.iter().map(|site| site.data.log.len()).collect();
            let states: Vec<_> = self.sites.iter().map(|site| site.data.state.clone()).collect();
            for device in 0..self.devices.len() {
                self.later(1, Event::Bring(device));
            }
            for hub in 1..self.sites.len() {
                self.later(1_000, Event::Reach(hub));
            }
            while let Some(Reverse((time, _, event))) = self.events.pop() {
                self.now = time;
                self.happen(event);
            }
            let quiet = self.sites.iter().map(|site| site.data.log.len()).eq(before)
                && self
                    .sites
                    .iter()
                    .zip(&states)
                    .all(|(site, state)| site.data.state == *state);
            if self.violation.is_some() || quiet {
                break;
            }
        }
        if self.violation.is_none() {
            self.violation = self.judge().err();
        }
    }

    /// Whether all installations of a device may forward what it writes of a unit.
    fn is_forwarded(&self, device: &Device, unit: usize) -> bool {
        let mut sites = device.sites.iter().map(|site| &self.sites[*site]);
        sites.all(|site| site.scope.contains(&hamlet_of(unit)))
    }

    /// The changes that nobody has who could forward them, since a lost device had brought them only to an installation
    /// that was set back, or to a hub outside its scope; and those that build on them.
    fn gone(&self) -> BTreeSet<ChangeHash> {
        let mut gone = BTreeSet::new();
        loop {
            let before = gone.len();
            for device in &self.devices {
                for (unit, change, _) in &device.written {
                    let hash = change.hash();
                    let of_device = !device.is_lost && self.is_forwarded(device, *unit);
                    let mut sites = self.sites.iter().filter(|site| site.scope.contains(&hamlet_of(*unit)));
                    let somewhere = of_device || sites.any(|site| site.data.has(&hash));
                    if !somewhere || change.deps().iter().any(|dependency| gone.contains(dependency)) {
                        gone.insert(hash);
                    }
                }
            }
            if gone.len() == before {
                return gone;
            }
        }
    }

    fn judge(&self) -> Result<(), Violation> {
        for (number, site) in self.sites.iter().enumerate() {
            let mut seen = BTreeSet::new();
            for entry in &site.data.log {
                let hash = entry.change.hash();
                if !seen.insert(hash) {
                    let what = format!("{hash} is twice in the log of {number}");
                    return Err(Violation::new(Invariant::LoggedOnce, what));
                }
                if let Bringer::Hub(hub) = entry.bringer
                    && !self.sites[hub].scope.contains(&hamlet_of(entry.unit))
                {
                    let what = format!("hub {hub} brought {hash} of a hamlet that it does not answer for");
                    return Err(Violation::new(Invariant::NothingOutsideScope, what));
                }
            }
        }
        // A device that works has brought everything, but for what builds on changes that are nowhere any more, or that
        // never come to a hub because they are outside its scope.
        let gone = self.gone();
        for device in self.devices.iter().filter(|device| !device.is_lost) {
            for (unit, change, _) in &device.written {
                let hash = change.hash();
                if self.is_forwarded(device, *unit)
                    && !gone.contains(&hash)
                    && !device.sites.iter().any(|site| self.sites[*site].data.has(&hash))
                {
                    let what = format!("{hash} is at none of its device's installations");
                    return Err(Violation::new(Invariant::SavedAnswersArrive, what));
                }
            }
        }
        for hub in 1..self.sites.len() {
            let Some(over) = self.above[hub] else { continue };
            let (below, above) = (&self.sites[hub], &self.sites[over]);
            for (from, to, way) in [(below, above, "up"), (above, below, "down")] {
                let in_scope = from
                    .data
                    .log
                    .iter()
                    .filter(|entry| below.scope.contains(&hamlet_of(entry.unit)));
                for entry in in_scope {
                    let hash = entry.change.hash();
                    if !to.data.has(&hash) {
                        let what = format!("{hash} did not go {way} between {over} and its hub {hub}");
                        return Err(Violation::new(Invariant::SavedAnswersArrive, what));
                    }
                }
            }
            for unit in (0..UNITS).filter(|unit| below.scope.contains(&hamlet_of(*unit))) {
                let (one, other) = (below.data.response(unit), above.data.response(unit));
                if one.heads() != other.heads() || one.read().answers != other.read().answers {
                    let what = format!("{} differs between {over} and its hub {hub}", code(unit));
                    return Err(Violation::new(Invariant::ReplicasConverge, what));
                }
            }
        }
        Ok(())
    }
}

/// These changes of a device, each after those that it depends on.
fn carried(device: &Device, wanted: &BTreeSet<ChangeHash>) -> CarriedChanges {
    let mut builder = CarriedBuilder::default();
    for (unit, change, attestation) in &device.written {
        if wanted.contains(&change.hash()) {
            builder.add(ROUND, &code(*unit), change.raw_bytes(), attestation);
        }
    }
    builder.finish()
}
