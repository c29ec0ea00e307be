//! Draws who is there, what people do and what fails.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::event::{Event, Queue};
use super::figures::Figures;
use super::telling::Teller;
use super::{DURATION, Draws, World};
use crate::simulation::bug::Bug;
use crate::simulation::history::{History, START, UNITS};
use crate::simulation::network::Weather;
use crate::simulation::phone::Phone;
use crate::simulation::site::Site;
use crate::simulation::statistics::Statistics;

/// What each of the first four phones may read and write.
const SCOPES: [&[i64]; 4] = [&[0], &[1], &[0, 1], &[0]];

impl World {
    pub(super) fn new(number: u64, bug: Option<Bug>, tell: bool) -> Self {
        let mut luck = ChaCha8Rng::seed_from_u64(number);
        let count = luck.random_range(1..=SCOPES.len());
        let compares = luck.random_bool(0.7);
        let scope = |phone: usize| SCOPES[phone].iter().copied().collect::<BTreeSet<i64>>();
        let phones: Vec<Phone> = (0..count)
            .map(|phone| Phone::new(phone, scope(phone), compares, bug))
            .collect();
        let enrolled = phones.iter().map(|phone| (phone.keys.public(), phone.scope.clone()));
        let (sites, above) = draw_sites(&mut luck, &enrolled.collect(), bug);
        let mut world = Self {
            phones,
            weather: Weather::drawn(&mut luck),
            luck,
            queue: Queue::default(),
            sites,
            above,
            history: History::default(),
            backups: BTreeMap::new(),
            overheard: Vec::new(),
            successions: Vec::new(),
            released: BTreeSet::new(),
            connections: 0,
            figures: Figures::default(),
            bug,
            teller: tell.then(Teller::new),
            draws: Draws {
                clones: false,
                decides: false,
                erases: false,
            },
            healed: false,
            statistics: Statistics::default(),
            violations: Vec::new(),
        };
        for phone in 0..count {
            if world.luck.random_bool(0.5) {
                world.phones[phone].clock_ahead = drawn_clock(&mut world.luck);
                world.phones[phone].clock_was_wrong = true;
            }
        }
        world.draw(count);
        world
    }

    /// Draws what people do and what fails.
    fn draw(&mut self, count: usize) {
        let restores = self.luck.random_bool(0.55);
        let meets = self.luck.random_bool(0.5);
        self.draws = Draws {
            clones: self.luck.random_bool(0.25),
            decides: self.luck.random_bool(0.5),
            // A server that is set back to a backup has forgotten that it erased something, and phones bring each other what
            // one of them has deleted: what is promised of erasure holds without either.
            erases: !restores && !meets && self.luck.random_bool(0.7),
        };
        for phone in 0..count {
            self.often(4, 16, |_| Event::Answer(phone));
            self.often(2, 10, |_| Event::Exchange(phone));
            self.often(0, 3, |_| Event::PhoneCrash(phone));
            self.often(0, 2, |_| Event::Clock(phone));
            self.often(0, 1, |_| Event::PhoneDisk(phone));
            if self.sites.len() > 1 {
                self.often(0, 4, |_| Event::Move(phone));
            }
        }
        if self.luck.random_bool(0.2) {
            self.often(1, 1, |luck| Event::Lose(luck.random_range(0..count)));
        }
        self.often(0, 3, |luck| Event::Forge(luck.random_range(0..count)));
        if meets {
            self.often(1, 5, |luck| {
                Event::Meet(luck.random_range(0..count), luck.random_range(0..count))
            });
        }
        if self.draws.clones {
            self.often(1, 2, |luck| Event::Clone(luck.random_range(0..count)));
        }
        for site in 0..self.sites.len() {
            self.often(0, 3, |_| Event::SiteCrash(site));
            self.often(0, 1, |_| Event::SiteDisk(site));
            if site > 0 {
                self.often(2, 8, |_| Event::Reach(site));
            }
            if restores {
                self.often(1, 3, |_| Event::Backup(site));
                self.often(0, 2, |_| Event::Restore(site));
            }
            if self.draws.decides {
                self.often(0, 4, |_| Event::Decide(site));
            }
        }
        if self.draws.decides {
            self.often(0, 1, |luck| Event::Revoke(luck.random_range(0..count)));
            self.often(0, 2, |luck| Event::Withdraw(luck.random_range(0..count)));
            self.often(0, 3, |luck| Event::AskAgain(luck.random_range(0..count)));
        }
        if self.draws.erases {
            let sites = self.sites.len();
            self.often(1, 2, |luck| {
                Event::Erase(luck.random_range(0..sites), luck.random_range(0..UNITS))
            });
        }
        if restores && self.sites.len() > 1 && self.luck.random_bool(0.6) {
            for _ in 0..self.luck.random_range(1..=2) {
                self.draw_storm(count);
            }
        }
    }

    /// Draws mishaps that seldom meet by themselves: an installation is set back right after it has exchanged with its
    /// neighbour, its volunteers have gone on, and the hub's power fails while the two find out.
    fn draw_storm(&mut self, count: usize) {
        let hub = self.luck.random_range(1..self.sites.len());
        let above = self.above[hub].unwrap_or(0);
        let struck = if self.luck.random_bool(0.5) { hub } else { above };
        let start = self.luck.random_range(0..DURATION - 12_000);
        if self.draws.decides {
            // The backup does not know of it.
            let phone = self.luck.random_range(0..count);
            self.queue.later(start + 50, Event::Withdraw(phone));
        }
        let mut within = |from: u64, until: u64, event: Event| {
            let delay = start + self.luck.random_range(from..until);
            self.queue.later(delay, event);
        };
        within(0, 1, Event::Backup(struck));
        for phone in 0..count {
            within(100, 2_000, Event::Answer(phone));
            within(500, 3_000, Event::Exchange(phone));
            within(4_000, 6_000, Event::Move(phone));
        }
        within(2_000, 4_000, Event::Reach(hub));
        within(2_500, 5_000, Event::SiteCrash(hub));
        within(5_000, 6_000, Event::Restore(struck));
        for _ in 0..2 {
            within(6_500, 9_000, Event::Reach(hub));
            within(7_000, 10_000, Event::SiteCrash(hub));
        }
    }

    pub(super) fn often(&mut self, least: usize, most: usize, event: impl Fn(&mut ChaCha8Rng) -> Event) {
        for _ in 0..self.luck.random_range(least..=most) {
            let delay = self.luck.random_range(0..DURATION);
            let event = event(&mut self.luck);
            self.queue.later(delay, event);
        }
    }
}

/// The province, in most worlds with hubs below it and perhaps below each other; and the installation above each.
fn draw_sites(
    luck: &mut ChaCha8Rng,
    enrolled: &BTreeMap<sync_core::device::DevicePublicKey, BTreeSet<i64>>,
    bug: Option<Bug>,
) -> (Vec<Site>, Vec<Option<usize>>) {
    let mut sites = vec![Site::new(0, BTreeSet::from([0, 1]), enrolled.clone(), bug)];
    let mut above = vec![None];
    let hubs = if luck.random_bool(0.6) {
        luck.random_range(1..=3)
    } else {
        0
    };
    for hub in 1..=hubs {
        let over: usize = if luck.random_bool(0.5) {
            luck.random_range(0..hub)
        } else {
            0
        };
        let mut scope = sites[over].scope.clone();
        if luck.random_bool(0.4) {
            let hamlet = luck.random_range(0..2);
            scope = [hamlet].into();
            if !sites[over].scope.contains(&hamlet) {
                scope.clone_from(&sites[over].scope);
            }
        }
        sites.push(Site::new(hub, scope, enrolled.clone(), bug));
        above.push(Some(over));
    }
    (sites, above)
}

/// How far a wrong clock is ahead, in seconds: behind as far as 1970, or ahead by thirty years.
pub(super) fn drawn_clock(luck: &mut ChaCha8Rng) -> i64 {
    luck.random_range(-START..1_000_000_000)
}
