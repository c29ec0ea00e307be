//! What becomes of changes whose signatures hold, whichever way they came: in a request or in a bundle.
//!
//! ```text
//! Delivery ──frame──► Sorted ──stored──► Planned ──written──► Taken
//!  │ units              │ responses        │ plan, attestations
//! ```
//!
//! Each of these types says what has to be looked up or written, and takes what came of it. Nothing is acknowledged
//! before [`Planned::written`], which must be told only when the plan is durable. A delivery that ends earlier, wherever
//! it ends, is as if it had never come; one that comes again changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{Change, ChangeHash};

use super::admission::Verdict;
use super::intake::{self, Frame, HamletKey, Plan, Scoped, Stored, Unit};
use super::message::{Refusal, RefusalReason};
use crate::device::{AttestationSignature, DevicePublicKey};
use crate::identity::ResponseId;

/// What an enrolled device may write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// The hamlets, each with the moment when the right to write it was withdrawn, by the keeper's clock in milliseconds
    /// since 1970-01-01T00:00:00Z; none while it is in force.
    pub hamlets: BTreeMap<HamletKey, Option<i64>>,
    /// How far the device's clock is ahead of the keeper's, in milliseconds, as it was last measured; 0 where it never was.
    pub clock_ahead: i64,
}

impl Author {
    /// The hamlets that are in force: those that the device may also read.
    pub fn in_force(&self) -> BTreeSet<HamletKey> {
        let hamlets = self.hamlets.iter();
        hamlets
            .filter(|(_, withdrawn_at)| withdrawn_at.is_none())
            .map(|(hamlet, _)| *hamlet)
            .collect()
    }

    /// The hamlets that were withdrawn.
    pub fn withdrawn(&self) -> BTreeSet<HamletKey> {
        let hamlets = self.hamlets.iter();
        hamlets
            .filter(|(_, withdrawn_at)| withdrawn_at.is_some())
            .map(|(hamlet, _)| *hamlet)
            .collect()
    }

    /// Whether the device might write in this hamlet when it wrote the change.
    pub fn may_write(&self, hamlet: HamletKey, change: &Change) -> bool {
        match self.hamlets.get(&hamlet) {
            None => false,
            Some(None) => true,
            Some(Some(withdrawn_at)) => written_at(change, self.clock_ahead) < *withdrawn_at,
        }
    }
}

/// When a change was written, by the clock of whoever measured that its device's is `clock_ahead` milliseconds ahead; to
/// the second below, in milliseconds since 1970-01-01T00:00:00Z.
pub fn written_at(change: &Change, clock_ahead: i64) -> i64 {
    change.timestamp().saturating_mul(1000).saturating_sub(clock_ahead)
}

/// Who may write where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authors {
    known: BTreeMap<DevicePublicKey, Result<Author, RefusalReason>>,
    /// Why nothing of any other device is taken.
    others: RefusalReason,
    /// Changes that a person lets in, whatever their authors may.
    released: BTreeSet<ChangeHash>,
}

impl Authors {
    /// A device that brings what it wrote itself, with the key that it has or those before. Carrying other devices' changes
    /// is a hub's work.
    pub fn one(
        device: DevicePublicKey,
        predecessors: &BTreeSet<DevicePublicKey>,
        author: Result<Author, RefusalReason>,
    ) -> Self {
        let keys = predecessors.iter().copied().chain([device]);
        Self {
            known: keys.map(|key| (key, author.clone())).collect(),
            others: RefusalReason::ForeignAuthor,
            released: BTreeSet::new(),
        }
    }

    /// Devices whose changes somebody else may carry here: what each may write, or why nothing of it is taken. What any
    /// other device wrote is refused as [`RefusalReason::UnknownDevice`].
    pub fn enrolled(known: BTreeMap<DevicePublicKey, Result<Author, RefusalReason>>) -> Self {
        Self {
            known,
            others: RefusalReason::UnknownDevice,
            released: BTreeSet::new(),
        }
    }

    /// The same devices, for whom somebody speaks who answers for these hamlets only.
    #[must_use]
    pub fn within(mut self, hamlets: &BTreeSet<HamletKey>) -> Self {
        for author in self.known.values_mut().flatten() {
            author.hamlets.retain(|hamlet, _| hamlets.contains(hamlet));
        }
        self
    }

    /// The same, but for changes that a person lets in: their authors' scopes and whether the round is open do not count
    /// for them. Everything else does.
    pub fn releasing(self, released: BTreeSet<ChangeHash>) -> Self {
        Self { released, ..self }
    }

    /// What a device may write.
    ///
    /// # Errors
    /// Why nothing of it is taken.
    pub fn author(&self, device: &DevicePublicKey) -> Result<&Author, RefusalReason> {
        match self.known.get(device) {
            Some(author) => author.as_ref().map_err(|reason| *reason),
            None => Err(self.others),
        }
    }

    /// Whether a person lets this change in.
    pub(super) fn releases(&self, change: &ChangeHash) -> bool {
        self.released.contains(change)
    }
}

/// An attestation with all hashes that it signs. Whoever keeps it keeps both, or nobody can verify it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAttestation {
    /// The signed hashes, in the order in which they were signed.
    pub hashes: Vec<ChangeHash>,
    /// The signature.
    pub signature: AttestationSignature,
}

/// Changes whose signatures hold, or that are refused already.
#[derive(Debug, Clone)]
pub struct Delivery {
    verdicts: Vec<Verdict>,
    attestations: Vec<KeptAttestation>,
}

impl Delivery {
    /// Changes with one verdict each, numbered from 0, and the attestations that the admitted ones count.
    pub fn new(verdicts: Vec<Verdict>, attestations: Vec<KeptAttestation>) -> Self {
        Self { verdicts, attestations }
    }

    /// Who wrote them.
    pub fn devices(&self) -> BTreeSet<DevicePublicKey> {
        self.verdicts.iter().flatten().map(|admitted| admitted.device).collect()
    }

    /// The hashes of those that are not refused already.
    pub fn hashes(&self) -> BTreeSet<ChangeHash> {
        let admitted = self.verdicts.iter().flatten();
        admitted.map(|admitted| admitted.change.hash()).collect()
    }

    /// The rounds and units whose state the next step needs.
    pub fn units(&self) -> BTreeSet<Unit> {
        let admitted = self.verdicts.iter().flatten();
        admitted
            .map(|admitted| (admitted.round, admitted.unit.clone()))
            .collect()
    }

    /// Goes on with what is known of the units, and of those who wrote the changes.
    pub fn sort(self, frame: &Frame, authors: &Authors) -> Sorted {
        Sorted {
            brought: self.verdicts.len(),
            scoped: intake::check_scope(self.verdicts, frame, authors),
            attestations: self.attestations,
        }
    }
}

/// Changes within the scopes of their authors, or refused.
#[derive(Debug)]
pub struct Sorted {
    brought: usize,
    scoped: Scoped,
    attestations: Vec<KeptAttestation>,
}

impl Sorted {
    /// The responses of which the next step needs what is stored.
    pub fn responses(&self) -> BTreeSet<ResponseId> {
        let set_aside = self.scoped.set_aside.keys();
        self.scoped.groups.keys().chain(set_aside).copied().collect()
    }

    /// Goes on with what is stored of the responses that exist.
    pub fn plan(self, stored: &BTreeMap<ResponseId, Stored>) -> Planned {
        Planned {
            brought: self.brought,
            plan: intake::plan(self.scoped, stored),
            attestations: self.attestations,
        }
    }
}

/// Changes of which it is known what is to be written.
#[derive(Debug)]
pub struct Planned {
    brought: usize,
    plan: Plan,
    attestations: Vec<KeptAttestation>,
}

impl Planned {
    /// What is to be written, in one transaction, and the attestations that its changes name by number.
    pub fn plan(&self) -> (&Plan, &[KeptAttestation]) {
        (&self.plan, &self.attestations)
    }

    /// Goes on when the plan is durable. `told` has what the writer found of changes where it is not what was planned: what
    /// is kept in quarantine now ([`Refusal::quarantined`]), and what could not be written after all, because another change
    /// was logged under its author's sequence number since ([`RefusalReason::Contradiction`]), or its response was erased
    /// ([`RefusalReason::Erased`]).
    pub fn written(self, told: Vec<Refusal>) -> Taken {
        let told_of: BTreeSet<u32> = told.iter().map(|refusal| refusal.change).collect();
        let planned = self.plan.responses.iter().flat_map(|response| &response.log);
        let logged = planned.filter(|(number, _)| !told_of.contains(number)).count();
        let mut waiting = self.plan.waiting;
        waiting.retain(|number| !told_of.contains(number));
        let mut refused = self.plan.refused;
        refused.retain(|refusal| !told_of.contains(&refusal.change));
        refused.extend(told);
        refused.sort_by_key(|refusal| refusal.change);
        let accepted = self.brought.saturating_sub(refused.len() + waiting.len());
        Taken {
            accepted: u32::try_from(accepted).unwrap_or(u32::MAX),
            logged: u32::try_from(logged).unwrap_or(u32::MAX),
            changed: !self.plan.responses.is_empty(),
            waiting,
            refused,
        }
    }
}

/// What became of a delivery: each change is in the log, waits, or was refused. All that is not refused is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// How many are in the log, be it by this delivery or an earlier one.
    pub accepted: u32,
    /// How many of them were not in the log before.
    pub logged: u32,
    /// The numbers of those that wait for others, those that waited already among them.
    pub waiting: Vec<u32>,
    /// Those that are not taken.
    pub refused: Vec<Refusal>,
    /// Whether anything was written.
    pub changed: bool,
}
