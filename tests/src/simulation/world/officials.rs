//! What officials decide.

use rand::RngExt as _;
use sync_core::ChangeHash;

use super::World;
use super::event::Event;

impl World {
    /// Where an official decides about a phone: at the province, or at the installation that it talks to.
    fn office(&mut self, phone: usize) -> usize {
        match self.luck.random_bool(0.7) {
            true => 0,
            false => self.phones[phone].place,
        }
    }

    pub(super) fn revoke(&mut self, phone: usize) {
        let site = self.office(phone);
        if !self.sites[site].is_running {
            return;
        }
        self.statistics.withdrawals += 1;
        let key = self.phones[phone].keys.public();
        self.sites[site].revoke(key);
        self.soon(Event::Flush(site));
    }

    pub(super) fn withdraw(&mut self, phone: usize) {
        let site = self.office(phone);
        if !self.sites[site].is_running {
            return;
        }
        self.statistics.withdrawals += 1;
        let scope: Vec<i64> = self.phones[phone].scope.iter().copied().collect();
        let hamlet = scope[self.luck.random_range(0..scope.len())];
        let key = self.phones[phone].keys.public();
        self.sites[site].withdraw(key, hamlet, self.queue.now);
        self.soon(Event::Flush(site));
    }

    pub(super) fn erase(&mut self, site: usize, unit: usize) {
        let answers_for = self.sites[site]
            .scope
            .contains(&crate::simulation::history::hamlet_of(unit));
        if !self.sites[site].is_running || !answers_for {
            return;
        }
        self.statistics.erased += 1;
        // Where there is no room nothing is erased.
        let _ = self.sites[site].erase(unit);
        self.soon(Event::Flush(site));
    }

    /// An official looks into quarantine and decides about a change there, perhaps two at once and differently.
    pub(super) fn decide(&mut self, site: usize) {
        let decidable = self.sites[site].decidable();
        if !self.sites[site].is_running || decidable.is_empty() {
            return;
        }
        let hash = decidable[self.luck.random_range(0..decidable.len())];
        let (releases, both) = (self.luck.random_bool(0.6), self.luck.random_bool(0.3));
        if releases || both {
            self.soon(Event::Release(site, hash));
        }
        if !releases || both {
            self.soon(Event::Discard(site, hash));
        }
    }

    pub(super) fn release(&mut self, site: usize, hash: ChangeHash) {
        let connection = self.connect();
        if self.sites[site].is_running && self.sites[site].release(connection, hash) {
            self.soon(Event::Step(site, connection));
        }
    }

    pub(super) fn discard(&mut self, site: usize, hash: ChangeHash) {
        if self.sites[site].is_running && self.sites[site].discard(hash) {
            self.statistics.discarded += 1;
            self.soon(Event::Flush(site));
        }
    }
}
