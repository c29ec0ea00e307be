//! What happens to phones, and to those who carry them.

use rand::RngExt as _;

use super::drawing::drawn_clock;
use super::event::{Event, Message};
use super::{DURATION, PATIENCE, World};
use crate::simulation::history::{QUESTIONS, UNITS, hamlet_of};

impl World {
    pub(super) fn answer(&mut self, phone: usize) {
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
        let now = self.queue.now;
        self.phones[phone].answer(unit, question, value, now, &mut self.history, decide);
        self.soon(Event::PhoneFlush(phone));
        self.fail_soon(0.25, Event::Exchange(phone));
        self.fail_soon(0.05, Event::PhoneCrash(phone));
        // An app that sends at once, and a battery that gives out with the next breath.
        if !self.healed && self.luck.random_bool(0.04) {
            self.queue.later(1, Event::Exchange(phone));
            self.queue.later(2, Event::PhoneCrash(phone));
        }
    }

    pub(super) fn exchange(&mut self, phone: usize) {
        self.ask_for_rotation(phone);
        let (connection, now) = (self.connect(), self.queue.now);
        let piece = self.luck.random_range(1..2_000);
        let Some(bytes) = self.phones[phone].request(connection, now, piece) else {
            return;
        };
        self.overheard.push(bytes.clone());
        let (device, site) = (self.phones[phone].keys.public(), self.phones[phone].place);
        self.send(&bytes, |copy, bytes| {
            let message = Message {
                from: phone,
                site,
                // What comes a second time comes over a connection on which nobody waits.
                connection: connection + copy * 1_000_000,
                bytes,
            };
            Event::Request(message, device)
        });
        self.queue.later(PATIENCE, Event::GiveUp(phone, connection));
    }

    pub(super) fn reply(&mut self, phone: usize, connection: u64, bytes: Option<Vec<u8>>) {
        let now = self.queue.now;
        match bytes {
            Some(bytes) => self.phones[phone].receive(connection, &bytes, now, &mut self.history),
            None => self.phones[phone].disconnected(connection),
        }
        self.soon(Event::PhoneFlush(phone));
        self.fail_soon(0.25, Event::Exchange(phone));
        self.fail_soon(0.05, Event::PhoneCrash(phone));
        // An app that sends at once, and a battery that gives out with the next breath.
        if !self.healed && self.luck.random_bool(0.04) {
            self.queue.later(1, Event::Exchange(phone));
            self.queue.later(2, Event::PhoneCrash(phone));
        }
    }

    pub(super) fn crash_phone(&mut self, phone: usize) {
        self.statistics.crashes += 1;
        self.phones[phone].crash(&mut self.luck);
        self.soon(Event::PhoneRestart(phone));
    }

    pub(super) fn fill_phone(&mut self, phone: usize) {
        let disk = &mut self.phones[phone].disk;
        disk.full = !disk.full;
        if disk.full {
            self.queue.later(5_000, Event::PhoneDisk(phone));
        }
    }

    pub(super) fn set_clock(&mut self, phone: usize) {
        self.phones[phone].clock_ahead = drawn_clock(&mut self.luck);
        self.phones[phone].clock_was_set = true;
        self.phones[phone].clock_was_wrong = true;
    }

    pub(super) fn meet(&mut self, from: usize, to: usize) {
        if from == to {
            return;
        }
        self.statistics.meetings += 1;
        // What is handed on is saved.
        self.phones[from].flush(&mut self.history);
        let [from, to] = self.phones.get_disjoint_mut([from, to]).unwrap();
        to.meet(from);
        let to = to.number;
        self.soon(Event::PhoneFlush(to));
    }

    /// A phone comes to another installation.
    pub(super) fn go(&mut self, phone: usize) {
        let scope = &self.phones[phone].scope;
        // A key is rotated, and enrolled, where somebody answers for all of its hamlets.
        let takes = |site: &usize| match self.draws.clones {
            true => self.sites[*site].scope.is_superset(scope),
            false => !self.sites[*site].scope.is_disjoint(scope),
        };
        let places: Vec<usize> = (0..self.sites.len()).filter(takes).collect();
        let place = places[self.luck.random_range(0..places.len())];
        if place != self.phones[phone].place {
            self.statistics.moves += 1;
            self.phones[phone].place = place;
            self.fail_soon(0.5, Event::Exchange(phone));
        }
    }

    /// A backup of a phone is put onto another, and both are in the field, or only the other one.
    pub(super) fn clone_phone(&mut self, phone: usize) {
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
        self.often(0, 2, |_| Event::Move(number));
        self.often(0, 6, |_| Event::Answer(phone));
        if self.statistics.meetings > 0 {
            self.often(0, 3, |luck| Event::Meet(luck.random_range(0..number), number));
            self.often(0, 3, |luck| Event::Meet(number, luck.random_range(0..number)));
        }
        if self.luck.random_bool(0.3) {
            let delay = self.luck.random_range(0..DURATION);
            self.queue.later(delay, Event::Lose(phone));
        }
    }

    pub(super) fn lose(&mut self, phone: usize) {
        self.statistics.lost += u64::from(!self.phones[phone].is_lost);
        self.phones[phone].is_lost = true;
        self.phones[phone].crash(&mut self.luck);
    }
}
