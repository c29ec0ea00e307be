//! What happens to the keys of phones.

use sync_core::device::DevicePublicKey;

use super::World;
use super::event::Event;
use crate::simulation::invariant::Invariant;
use crate::simulation::site::Rotation;

/// How long it takes until an official has enrolled a phone, in milliseconds.
const ENROLMENT: u64 = 2_000;

impl World {
    /// A phone that has drawn a key asks its installation to put it in the place of the one in use.
    pub(super) fn ask_for_rotation(&mut self, phone: usize) {
        let succession = self.phones[phone].keys.succession();
        let Some(succession) = succession.filter(|_| self.phones[phone].is_running()) else {
            return;
        };
        // A phone that has deleted what is erased, and goes where nobody has heard of that, begins anew under numbers that
        // are taken there.
        let forgot = self.statistics.erased > 0 && self.sites.len() > 1;
        if !self.has_copies(phone) && !forgot {
            self.break_promise(Invariant::OnlyCopiesTakeNewKeys, format!("phone {phone}"));
        }
        self.successions.push(succession);
        let (number, site) = (self.successions.len() - 1, self.phones[phone].place);
        for (delay, bytes) in self.weather.carry(&[0; 256], &mut self.luck) {
            // What was cut off says nothing.
            if bytes.len() == 256 {
                self.queue.later(delay, Event::Rotate(phone, site, number));
            }
        }
    }

    pub(super) fn rotate(&mut self, phone: usize, site: usize, number: usize) {
        if !self.sites[site].is_running {
            return;
        }
        let succession = self.successions[number];
        let rotation = self.sites[site].rotate(&succession);
        // It is told when it is on disk.
        self.flush(site);
        for (delay, _) in self.weather.carry(&[0; 64], &mut self.luck) {
            let event = Event::Rotated(phone, site, succession.successor, rotation);
            self.queue.later(delay, event);
        }
    }

    pub(super) fn rotated(&mut self, phone: usize, site: usize, key: DevicePublicKey, rotation: Rotation) {
        if self.phones[phone].rotated(key, rotation, &mut self.history) {
            self.queue.later(ENROLMENT, Event::Enrol(phone, site, key));
        }
        self.statistics.new_keys += u64::from(rotation == Rotation::Done);
    }

    /// An installation that was set back to a backup, or has not heard of a new key, does not know the phone.
    pub(super) fn is_unknown(&mut self, phone: usize, site: usize, connection: u64) {
        self.phones[phone].disconnected(connection);
        let key = self.phones[phone].keys.public();
        self.queue.later(ENROLMENT, Event::Enrol(phone, site, key));
    }

    /// An official enrols a phone, when there is somebody to do so and room for it.
    pub(super) fn enrol(&mut self, phone: usize, site: usize, key: DevicePublicKey) {
        let scope = self.phones[phone].scope.clone();
        if !self.sites[site].is_running || !self.sites[site].enrol(key, &scope) {
            if !self.healed {
                self.queue.later(ENROLMENT, Event::Enrol(phone, site, key));
            }
            return;
        }
        self.statistics.new_keys += 1;
        self.flush(site);
        self.phones[phone].enrolled(key, &mut self.history);
    }
}
