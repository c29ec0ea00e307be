//! What is printed of a world that is played again to see what went wrong.

use std::collections::BTreeMap;

use super::event::Event;
use crate::simulation::site::{Entry, Site};

/// Prints what happens.
pub(super) struct Teller {
    /// How the hash of the change begins that is followed.
    change: Option<String>,
    /// What was last said of each installation.
    said: BTreeMap<usize, String>,
}

impl Teller {
    pub(super) fn new() -> Self {
        Self {
            change: std::env::var("KHAOSAT_CHANGE").ok(),
            said: BTreeMap::new(),
        }
    }

    /// That something happens now.
    pub(super) fn tell(&self, now: u64, event: &Event) {
        match event {
            Event::Reply(to, connection, Some(bytes)) | Event::HubReply(to, connection, Some(bytes)) => {
                println!("{now:>7} reply to {to}, {connection}, {} bytes", bytes.len());
            }
            event => println!("{now:>7} {event:?}"),
        }
    }

    /// Where the followed change is, at each installation where that or the exchange with its neighbours has changed.
    pub(super) fn tell_of_change(&mut self, now: u64, sites: &[Site]) {
        let Some(change) = &self.change else { return };
        let is_it = |entry: &Entry| entry.hash().to_string().starts_with(change);
        for (number, site) in sites.iter().enumerate() {
            let data = &site.data;
            let logged = data.log.iter().find(|entry| is_it(entry));
            let says = format!(
                "installation {number}: {} entries, {:?}, logged {:?}, waits {}, quarantined {}, {:?}",
                data.head(),
                data.hubs,
                logged.map(|entry| (entry.place, entry.bringer)),
                data.waiting.iter().any(is_it),
                data.quarantine.iter().any(|(entry, _)| is_it(entry)),
                data.state,
            );
            if self.said.get(&number) != Some(&says) {
                println!("{now:>7} {says}");
                self.said.insert(number, says);
            }
        }
    }
}
