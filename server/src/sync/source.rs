//! Where changes come from, and what that says about when they were written.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::sqlite::SqliteConnection;
use sync_core::ChangeHash;
use sync_core::device::DevicePublicKey;
use sync_core::exchange::RefusalReason;
use sync_core::exchange::delivery::{Author, Authors};
use sync_core::exchange::intake::{Frame, HamletKey, RoundState};

use super::quarantine::Release;
use crate::clock;
use crate::devices::Enrolled;
use crate::hubs::{HubVisit, Settlement};
use crate::store::StoreError;

/// By how many milliseconds a reading of a device's clock must differ from the one before to get a row of its own. A
/// quartz clock drifts by some seconds a day and a message takes some seconds on a bad link, so a phone that keeps time
/// gets a row now and then, and one whose clock is set gets one at once.
const CLOCK_STEP: i64 = 30_000;
/// Rows of a device's clock history at most; the oldest go first.
const CLOCK_READINGS: i64 = 1_000;

/// The number of `change_log.carried_by` for what came from the upstream.
pub(crate) const UPSTREAM: i64 = 0;

/// Who brings changes.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The device that wrote them.
    Phone(Heard),
    /// Somebody else: a courier with a bundle.
    Carried,
    /// A hub, which answers for these hamlets, with what is to be remembered of its request.
    Hub(Heard, BTreeSet<HamletKey>, HubVisit),
    /// The upstream, with what is kept of the exchange with it. Who may write where, and until when, was its decision: here
    /// an author must only be known, and the unit in the frame.
    Upstream(Settlement),
    /// An official, who releases them from quarantine.
    Quarantine(Release),
}

/// A device that was just heard from.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// The database's number of it.
    pub(crate) device_key: i64,
    /// Its public key.
    pub(crate) device: DevicePublicKey,
    /// The keys that it had before, of which it brings what they wrote.
    pub(crate) predecessors: BTreeSet<DevicePublicKey>,
    /// How far its clock is ahead of the server's, in milliseconds.
    pub(crate) clock_ahead: i64,
}

/// How a change came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub(super) received_at: i64,
    /// How far its author's clock was ahead then, in milliseconds; none where somebody else brought it.
    pub(super) clock_ahead: Option<i64>,
    /// The neighbour who brought it: a hub's number, or [`UPSTREAM`]; none where its author or a courier did.
    pub(super) carried_by: Option<i64>,
    /// The attestation that signs it, where that is in the database already.
    pub(super) attestation_key: Option<i64>,
}

impl Source {
    /// Who may write what, of the devices that wrote the changes.
    pub(super) fn authors(&self, enrolled: &BTreeMap<DevicePublicKey, Enrolled>) -> Authors {
        match self {
            Self::Phone(heard) => {
                let author = match enrolled.get(&heard.device) {
                    // What the device's clock shows now says more of what it brings now than any earlier reading.
                    Some(enrolled) => enrolled.author.clone().map(|author| Author {
                        clock_ahead: heard.clock_ahead,
                        ..author
                    }),
                    None => Err(RefusalReason::UnknownDevice),
                };
                Authors::one(heard.device, &heard.predecessors, author)
            }
            Self::Carried => Authors::enrolled(all(enrolled)),
            Self::Hub(_, hamlets, _) => Authors::enrolled(all(enrolled)).within(hamlets),
            Self::Upstream(settlement) => {
                let everywhere = Author {
                    hamlets: settlement.frame.iter().map(|hamlet| (*hamlet, None)).collect(),
                    clock_ahead: 0,
                };
                let known = enrolled.keys().map(|device| (*device, Ok(everywhere.clone())));
                Authors::enrolled(known.collect())
            }
            Self::Quarantine(release) => {
                let released: BTreeSet<ChangeHash> = release.origins.keys().copied().collect();
                Authors::enrolled(all(enrolled)).releasing(released)
            }
        }
    }

    /// How a change of the delivery came first, if it came now.
    pub(super) fn origin(&self, hash: &ChangeHash, now: i64) -> Origin {
        let first = match self {
            Self::Quarantine(release) => release.origins.get(hash).copied(),
            Self::Phone(_) | Self::Carried | Self::Hub(..) | Self::Upstream(_) => None,
        };
        first.unwrap_or(Origin {
            received_at: now,
            clock_ahead: match self {
                Self::Phone(heard) => Some(heard.clock_ahead),
                Self::Carried | Self::Hub(..) | Self::Upstream(_) | Self::Quarantine(_) => None,
            },
            carried_by: match self {
                Self::Hub(heard, _, visit) if !visit.is_unlogged(hash) => Some(heard.device_key),
                Self::Upstream(_) => Some(UPSTREAM),
                Self::Hub(..) | Self::Phone(_) | Self::Carried | Self::Quarantine(_) => None,
            },
            attestation_key: None,
        })
    }
}

impl Source {
    /// The device of which has to be known what it may write, besides those that wrote the changes.
    pub(super) fn device(&self) -> Option<DevicePublicKey> {
        match self {
            Self::Phone(heard) => Some(heard.device),
            Self::Carried | Self::Hub(..) | Self::Upstream(_) | Self::Quarantine(_) => None,
        }
    }

    /// What counts of what is known here of rounds and units.
    pub(super) fn frame(&self, mut frame: Frame) -> Frame {
        if let Self::Upstream(_) = self {
            // What the upstream has logged came while the round was open there.
            frame.rounds.values_mut().for_each(|state| *state = RoundState::Open);
            // And nobody doubted there that so many households were added.
            frame.crowded.clear();
        }
        frame
    }

    /// Keeps what is to be kept of whoever brings the changes, in the transaction that takes them in.
    pub(super) async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        match self {
            Self::Phone(heard) => heard.write(connection).await,
            Self::Hub(heard, _, visit) => {
                heard.write(connection).await?;
                visit.write(connection, heard.device_key).await
            }
            Self::Upstream(settlement) => settlement.write(connection).await,
            Self::Carried | Self::Quarantine(_) => Ok(()),
        }
    }
}

fn all(enrolled: &BTreeMap<DevicePublicKey, Enrolled>) -> BTreeMap<DevicePublicKey, Result<Author, RefusalReason>> {
    let enrolled = enrolled.iter();
    enrolled
        .map(|(device, enrolled)| (*device, enrolled.author.clone()))
        .collect()
}

impl Heard {
    /// Keeps when, and how wrong its clock is.
    pub(super) async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let now = clock::now();
        sqlx::query("UPDATE device SET last_heard_at = $2, clock_ahead = $3 WHERE device_key = $1")
            .bind(self.device_key)
            .bind(now)
            .bind(self.clock_ahead)
            .execute(&mut *connection)
            .await?;
        let last: Option<i64> = sqlx::query_scalar(
            "SELECT clock_ahead FROM clock_reading WHERE device_key = $1 ORDER BY read_at DESC LIMIT 1",
        )
        .bind(self.device_key)
        .fetch_optional(&mut *connection)
        .await?;
        if last.is_some_and(|last| last.abs_diff(self.clock_ahead) < CLOCK_STEP.unsigned_abs()) {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO clock_reading (device_key, read_at, clock_ahead) VALUES ($1, $2, $3)
             ON CONFLICT DO UPDATE SET clock_ahead = excluded.clock_ahead",
        )
        .bind(self.device_key)
        .bind(now)
        .bind(self.clock_ahead)
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "DELETE FROM clock_reading WHERE device_key = $1 AND read_at <=
                 (SELECT read_at FROM clock_reading WHERE device_key = $1 ORDER BY read_at DESC LIMIT 1 OFFSET $2)",
        )
        .bind(self.device_key)
        .bind(CLOCK_READINGS)
        .execute(&mut *connection)
        .await?;
        Ok(())
    }
}
