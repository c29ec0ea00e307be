//! Everything works again, and everybody exchanges until nobody has anything left.

use rand::RngExt as _;

use super::World;
use super::event::Event;
use crate::simulation::network::Weather;

/// How often everybody exchanges once everything works, at most. Reading takes several answers, and what was lost is
/// found at the end of a log.
const LAST_ROUNDS: usize = 120;

impl World {
    pub(super) fn heal(&mut self) {
        self.healed = true;
        self.weather = Weather::FINE;
        for site in 0..self.sites.len() {
            self.sites[site].disk.full = false;
            if !self.sites[site].is_running {
                self.happen(Event::SiteRestart(site));
            }
            self.flush(site);
        }
        for phone in 0..self.phones.len() {
            self.phones[phone].disk.full = false;
            if !self.phones[phone].is_running() {
                self.happen(Event::PhoneRestart(phone));
            }
            self.happen(Event::PhoneFlush(phone));
            self.settle(phone);
        }
        self.exchange_all();
        if self.draws.decides {
            self.decide_all();
            self.exchange_all();
            // Volunteers look what became of what was refused.
            for phone in 0..self.phones.len() {
                self.phones[phone].ask_again();
            }
            self.exchange_all();
        }
        self.statistics.quarantined = self.sites.iter().map(|site| site.data.quarantine.len() as u64).sum();
        self.statistics.refused = self.phones.iter().map(|phone| phone.refused.len() as u64).sum();
        self.count_forwarded();
    }

    /// A phone stays from now on with an installation that answers for all of its hamlets. Copies of one phone come to the
    /// province: what two of them wrote at two installations contradicts each other there, and neither of them hears of that
    /// before it has been at both.
    fn settle(&mut self, phone: usize) {
        if self.has_copies(phone) {
            self.phones[phone].place = 0;
            return;
        }
        let scope = &self.phones[phone].scope;
        let places: Vec<usize> = (0..self.sites.len())
            .filter(|site| self.sites[*site].scope.is_superset(scope))
            .collect();
        if !places.contains(&self.phones[phone].place) || self.luck.random_bool(0.3) {
            self.phones[phone].place = places[self.luck.random_range(0..places.len())];
        }
    }

    /// Officials decide about most of what is in quarantine, some at once with another.
    fn decide_all(&mut self) {
        for site in 0..self.sites.len() {
            for hash in self.sites[site].decidable() {
                match self.luck.random_range(0..10) {
                    0..=4 => self.soon(Event::Release(site, hash)),
                    5..=6 => self.soon(Event::Discard(site, hash)),
                    7 => {
                        self.soon(Event::Release(site, hash));
                        self.soon(Event::Discard(site, hash));
                    }
                    _ => {}
                }
            }
        }
        self.run();
    }

    fn exchange_all(&mut self) {
        let mut quiet = 0;
        for _ in 0..LAST_ROUNDS {
            let before = self.state();
            for phone in 0..self.phones.len() {
                self.exchange(phone);
                self.run();
            }
            for hub in 1..self.sites.len() {
                self.reach(hub);
                self.run();
            }
            let pending = (0..self.phones.len()).any(|phone| !self.is_out(phone) && self.phones[phone].is_pending());
            let same = before == self.state();
            quiet = if same && !pending { quiet + 1 } else { 0 };
            if quiet == 2 || !self.violations.is_empty() {
                break;
            }
        }
    }

    /// What changes as long as anybody has something for anybody.
    fn state(&self) -> Vec<([usize; 3], String)> {
        let sites = self.sites.iter();
        sites
            .map(|site| (site.sizes(), format!("{:?}", site.data.state)))
            .collect()
    }

    /// Whether nothing can be asked of a phone any more.
    pub(super) fn is_out(&self, phone: usize) -> bool {
        self.is_revoked(phone) || self.phones[phone].is_lost
    }

    /// Whether some installation revoked the phone.
    fn is_revoked(&self, phone: usize) -> bool {
        let key = self.phones[phone].keys.public();
        self.sites.iter().any(|site| site.data.revoked.contains(&key))
    }
}
