//! What happens to the province's server and the hubs, and between them.

use rand::RngExt as _;
use sync_core::device::DevicePublicKey;

use super::event::{Event, Message};
use super::{PATIENCE, World};
use crate::simulation::history::UNITS;
use crate::simulation::invariant::Invariant;
use crate::simulation::site::{Answer, Asker, Bringer, Reply, Step};

impl World {
    pub(super) fn arrive(&mut self, message: Message, device: DevicePublicKey) {
        let Message {
            from,
            site: number,
            connection,
            bytes,
        } = message;
        let site = &mut self.sites[number];
        if !site.is_running {
            return;
        }
        let replaced = site.data.successors.contains_key(&device);
        match site.arrive(connection, from, device, &bytes, self.queue.now) {
            Ok(()) => {
                if replaced {
                    self.break_promise(Invariant::ReplacedKeysAreRefused, format!("phone {from}"));
                }
                self.soon(Event::Step(number, connection));
            }
            Err(reply) => self.tell(number, Asker::Phone(from), connection, reply),
        }
        self.soon(Event::Flush(number));
    }

    pub(super) fn step(&mut self, site: usize, connection: u64) {
        if !self.sites[site].is_running {
            return;
        }
        match self.sites[site].step(connection) {
            Step::GoesOn(asker) => {
                self.soon(Event::Step(site, connection));
                self.fail_soon(0.02, Event::SiteCrash(site));
                if let (Asker::Phone(phone), true) = (asker, self.draws.decides) {
                    self.fail_soon(0.01, Event::Revoke(phone));
                    self.fail_soon(0.005, Event::Withdraw(phone));
                }
                if self.draws.erases {
                    let unit = self.luck.random_range(0..UNITS);
                    self.fail_soon(0.02, Event::Erase(site, unit));
                }
            }
            Step::AwaitsFlush => {
                self.soon(Event::Flush(site));
                self.fail_soon(0.02, Event::SiteCrash(site));
            }
            Step::Over(answer) => self.give(site, connection, *answer),
        }
    }

    pub(super) fn flush(&mut self, site: usize) {
        if !self.sites[site].is_running {
            return;
        }
        let (ready, answers) = self.sites[site].flush();
        for connection in ready {
            self.soon(Event::Step(site, connection));
        }
        for (connection, answer) in answers {
            self.give(site, connection, answer);
        }
        self.check_log(site);
        if site == 0 && self.violations.is_empty() {
            self.count();
        }
    }

    /// An installation gives an answer, of which what it acknowledges must be on its disk.
    fn give(&mut self, site: usize, connection: u64, answer: Answer) {
        self.check_durable(site, &answer.acknowledged);
        self.check_quarantined(site, &answer.quarantined);
        self.tell(site, answer.asker, connection, answer.reply);
    }

    fn tell(&mut self, site: usize, asker: Asker, connection: u64, reply: Reply) {
        let event = |bytes| match asker {
            Asker::Phone(phone) => Some(Event::Reply(phone, connection, bytes)),
            Asker::Hub(hub) => Some(Event::HubReply(hub, connection, bytes)),
            Asker::Official => None,
        };
        let told = match (reply, asker) {
            (_, Asker::Official) => None,
            (Reply::Answer(bytes), _) => {
                return self.send(&bytes, |_, bytes| match asker {
                    Asker::Hub(hub) => Event::HubReply(hub, connection, Some(bytes)),
                    Asker::Phone(phone) => Event::Reply(phone, connection, Some(bytes)),
                    Asker::Official => Event::Flush(site),
                });
            }
            (Reply::Replaced, Asker::Phone(phone)) => Some(Event::Replaced(phone, connection)),
            (Reply::Unknown, Asker::Phone(phone)) => Some(Event::Unknown(phone, site, connection)),
            (Reply::Failed | Reply::Replaced | Reply::Unknown, _) => event(None),
        };
        if let Some(told) = told {
            self.queue.later(1, told);
        }
    }

    pub(super) fn crash_site(&mut self, site: usize) {
        self.statistics.crashes += 1;
        self.sites[site].crash(&mut self.luck);
        self.soon(Event::SiteRestart(site));
    }

    pub(super) fn restart_site(&mut self, site: usize) {
        self.sites[site].restart();
        if site == 0 {
            self.recount();
        }
    }

    pub(super) fn fill_site(&mut self, site: usize) {
        let disk = &mut self.sites[site].disk;
        disk.full = !disk.full;
        if disk.full {
            self.queue.later(5_000, Event::SiteDisk(site));
        }
    }

    pub(super) fn back_up(&mut self, site: usize) {
        let transactions = self.sites[site].disk.flushed().to_vec();
        self.backups.entry(site).or_default().push(transactions);
    }

    pub(super) fn restore(&mut self, site: usize) {
        let Some(backups) = self.backups.get(&site) else { return };
        let backup = backups[self.luck.random_range(0..backups.len())].clone();
        match site {
            0 => self.statistics.restored += 1,
            _ => self.statistics.restored_hubs += 1,
        }
        self.sites[site].crash(&mut self.luck);
        self.sites[site].disk.restore(backup);
        self.released.retain(|(at, _)| *at != site);
        self.soon(Event::SiteRestart(site));
    }

    /// A hub looks for the installation above it.
    pub(super) fn reach(&mut self, hub: usize) {
        let Some(site) = self.above[hub] else { return };
        let connection = self.connect();
        let retry = self.healed || self.luck.random_bool(0.5);
        let Some(bytes) = self.sites[hub].request(connection, retry) else {
            return;
        };
        self.send(&bytes, |copy, bytes| {
            Event::HubRequest(Message {
                from: hub,
                site,
                connection: connection + copy * 1_000_000,
                bytes,
            })
        });
        self.queue.later(PATIENCE, Event::HubGivesUp(hub, connection));
    }

    pub(super) fn hub_arrives(&mut self, message: Message) {
        let Message {
            from,
            site,
            connection,
            bytes,
        } = message;
        let scope = self.sites[from].scope.clone();
        if self.sites[site].is_running && self.sites[site].hub_arrives(connection, from, &scope, &bytes) {
            self.fail_soon(0.05, Event::SiteCrash(site));
            self.soon(Event::Step(site, connection));
            // For the roster that came with it.
            self.soon(Event::Flush(site));
        }
    }

    pub(super) fn hub_reply(&mut self, hub: usize, connection: u64, bytes: Option<Vec<u8>>) {
        if !self.sites[hub].is_running {
            return;
        }
        let Some(bytes) = bytes else {
            return self.sites[hub].give_up(connection);
        };
        let more = self.sites[hub].receive(connection, &bytes);
        self.fail_soon(0.2, Event::SiteCrash(hub));
        self.soon(Event::Flush(hub));
        if more == Some(true) {
            self.queue.later(200, Event::Reach(hub));
        }
    }

    /// Counts what came from neighbours.
    pub(super) fn count_forwarded(&mut self) {
        for site in &self.sites {
            let from =
                |wanted: fn(&Bringer) -> bool| site.data.log.iter().filter(|entry| wanted(&entry.bringer)).count();
            self.statistics.from_above += from(|bringer| *bringer == Bringer::Upstream) as u64;
            self.statistics.from_below += from(|bringer| matches!(bringer, Bringer::Hub(_))) as u64;
        }
    }
}
