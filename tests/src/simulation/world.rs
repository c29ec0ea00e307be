//! One world: a few days in the field, drawn from a number.
//!
//! | room | subject |
//! | --- | --- |
//! | `event` | what can happen, and the queue of what will |
//! | `drawing` | who is there, what people do and what fails |
//! | `field` | what happens to phones |
//! | `keys` | what happens to their keys |
//! | `installations` | what happens to the province's server and the hubs, and between them |
//! | `officials` | what people decide there |
//! | `forging` | what somebody tries who has an enrolled phone |
//! | `figures` | what is counted as the log grows |
//! | `healing` | everything works again, until nobody has anything left |
//! | `checking` | what must hold at each step |
//! | `judging` | what must hold in the end |
//! | `telling` | what is printed of a world that is played again |

mod checking;
mod drawing;
mod event;
mod field;
mod figures;
mod forging;
mod healing;
mod installations;
mod judging;
mod keys;
mod officials;
mod telling;

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use sync_core::ChangeHash;
use sync_core::device::Succession;

use super::bug::Bug;
use super::history::History;
use super::invariant::{Invariant, Violation};
use super::network::Weather;
use super::phone::Phone;
use super::site::{Site, Transaction};
use super::statistics::Statistics;
use event::{Event, Queue};
use figures::Figures;
use telling::Teller;

/// How long failures go on, in milliseconds.
const DURATION: u64 = 60_000;
/// How long somebody waits for an answer, in milliseconds.
const PATIENCE: u64 = 6_000;

/// What came of a world.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How much happened.
    pub statistics: Statistics,
    /// The first promise that was broken.
    pub violation: Option<Violation>,
}

struct World {
    luck: ChaCha8Rng,
    queue: Queue,
    weather: Weather,
    phones: Vec<Phone>,
    /// The first is the province.
    sites: Vec<Site>,
    /// The installation above each hub; none above the province.
    above: Vec<Option<usize>>,
    history: History,
    backups: BTreeMap<usize, Vec<Vec<Transaction>>>,
    overheard: Vec<Vec<u8>>,
    /// The successions that were asked for.
    successions: Vec<Succession>,
    /// What was released, by installation.
    released: BTreeSet<(usize, ChangeHash)>,
    connections: u64,
    figures: Figures,
    bug: Option<Bug>,
    teller: Option<Teller>,
    draws: Draws,
    /// Whether nothing fails any more.
    healed: bool,
    statistics: Statistics,
    violations: Vec<Violation>,
}

/// What can happen in a world.
#[derive(Debug, Clone, Copy)]
struct Draws {
    /// Phones are copied.
    clones: bool,
    /// Officials revoke devices, withdraw hamlets, and look into quarantine.
    decides: bool,
    /// Households ask to be forgotten.
    erases: bool,
}

/// Plays the world with this number, and says what came of it. `tell` prints what happens, and where the change is whose hash
/// begins as `KHAOSAT_CHANGE` says.
pub fn play(number: u64, bug: Option<Bug>, tell: bool) -> Outcome {
    let mut world = World::new(number, bug, tell);
    world.run();
    if world.violations.is_empty() {
        world.heal();
    }
    if world.violations.is_empty() {
        world.judge();
    }
    Outcome {
        statistics: world.statistics,
        violation: world.violations.into_iter().next(),
    }
}

impl World {
    /// Lets happen what was arranged, until nothing is left or a promise is broken.
    fn run(&mut self) {
        while self.violations.is_empty()
            && let Some(event) = self.queue.next()
        {
            if let Some(teller) = &self.teller {
                teller.tell(self.queue.now, &event);
            }
            self.happen(event);
            if let Some(teller) = &mut self.teller {
                teller.tell_of_change(self.queue.now, &self.sites);
            }
        }
    }

    fn soon(&mut self, event: Event) {
        let delay = self.luck.random_range(1..200);
        self.queue.later(delay, event);
    }

    /// Most of what can go wrong goes wrong in the moments between two steps.
    fn fail_soon(&mut self, chance: f64, failure: Event) {
        if !self.healed && self.luck.random_bool(chance) {
            self.soon(failure);
        }
    }

    /// A new connection's number.
    fn connect(&mut self) -> u64 {
        self.connections += 1;
        self.connections
    }

    /// Puts bytes on the network: each copy that arrives, with its number, as an event.
    fn send(&mut self, bytes: &[u8], event: impl Fn(u64, Vec<u8>) -> Event) {
        self.statistics.messages += 1;
        let copies = self.weather.carry(bytes, &mut self.luck);
        self.statistics.mishaps += u64::from(copies.len() != 1 || copies[0].1.len() != bytes.len());
        for (number, (delay, bytes)) in (0..).zip(copies) {
            self.queue.later(delay, event(number, bytes));
        }
    }

    fn break_promise(&mut self, invariant: Invariant, what: String) {
        self.violations.push(Violation::new(invariant, what));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Answer(phone) => self.answer(phone),
            Event::Exchange(phone) => self.exchange(phone),
            Event::GiveUp(phone, connection) => self.phones[phone].disconnected(connection),
            Event::PhoneFlush(phone) => self.phones[phone].flush(&mut self.history),
            Event::PhoneCrash(phone) => self.crash_phone(phone),
            Event::PhoneRestart(phone) if self.phones[phone].is_lost => {}
            Event::PhoneRestart(phone) => self.phones[phone].restart(&mut self.history),
            Event::PhoneDisk(phone) => self.fill_phone(phone),
            Event::Clock(phone) => self.set_clock(phone),
            Event::Meet(from, to) => self.meet(from, to),
            Event::Move(phone) => self.go(phone),
            Event::Reply(phone, connection, bytes) => self.reply(phone, connection, bytes),
            Event::Replaced(phone, connection) => self.phones[phone].is_replaced(connection, &mut self.history),
            Event::Unknown(phone, site, connection) => self.is_unknown(phone, site, connection),
            Event::Rotate(phone, site, number) => self.rotate(phone, site, number),
            Event::Rotated(phone, site, key, rotation) => self.rotated(phone, site, key, rotation),
            Event::Enrol(phone, site, key) => self.enrol(phone, site, key),
            Event::Clone(phone) => self.clone_phone(phone),
            Event::Lose(phone) => self.lose(phone),
            Event::Request(message, device) => self.arrive(message, device),
            Event::Step(site, connection) => self.step(site, connection),
            Event::Flush(site) => self.flush(site),
            Event::SiteCrash(site) => self.crash_site(site),
            Event::SiteRestart(site) => self.restart_site(site),
            Event::SiteDisk(site) => self.fill_site(site),
            Event::Backup(site) => self.back_up(site),
            Event::Restore(site) => self.restore(site),
            Event::Reach(hub) => self.reach(hub),
            Event::HubGivesUp(hub, connection) => self.sites[hub].give_up(connection),
            Event::HubRequest(message) => self.hub_arrives(message),
            Event::HubReply(hub, connection, bytes) => self.hub_reply(hub, connection, bytes),
            Event::AskAgain(phone) => self.phones[phone].ask_again(),
            Event::Revoke(phone) => self.revoke(phone),
            Event::Withdraw(phone) => self.withdraw(phone),
            Event::Erase(site, unit) => self.erase(site, unit),
            Event::Decide(site) => self.decide(site),
            Event::Release(site, hash) => self.release(site, hash),
            Event::Discard(site, hash) => self.discard(site, hash),
            Event::Forge(phone) => self.forge(phone),
        }
    }
}
