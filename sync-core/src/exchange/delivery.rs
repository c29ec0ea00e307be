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

use automerge::ChangeHash;

use super::admission::Verdict;
use super::intake::{self, Frame, Group, HamletKey, Plan, Stored, Unit};
use super::message::{Refusal, RefusalReason};
use crate::device::{AttestationSignature, DevicePublicKey};
use crate::identity::ResponseId;

/// Who may write where.
#[derive(Debug, Clone)]
pub struct Authors {
    known: BTreeMap<DevicePublicKey, Result<BTreeSet<HamletKey>, RefusalReason>>,
    /// Why nothing of any other device is taken.
    others: RefusalReason,
}

impl Authors {
    /// A device that brings what it wrote itself, with the key that it has or those before, in these hamlets. Carrying other
    /// devices' changes is a hub's work.
    pub fn one(device: DevicePublicKey, predecessors: &BTreeSet<DevicePublicKey>, scope: &BTreeSet<HamletKey>) -> Self {
        let keys = predecessors.iter().copied().chain([device]);
        Self {
            known: keys.map(|key| (key, Ok(scope.clone()))).collect(),
            others: RefusalReason::ForeignAuthor,
        }
    }

    /// Devices whose changes somebody else may carry here: the hamlets of each, or why nothing of it is taken. What any
    /// other device wrote is refused as [`RefusalReason::UnknownDevice`].
    pub fn enrolled(known: BTreeMap<DevicePublicKey, Result<BTreeSet<HamletKey>, RefusalReason>>) -> Self {
        Self {
            known,
            others: RefusalReason::UnknownDevice,
        }
    }

    /// The same devices, for whom somebody speaks who answers for these hamlets only.
    #[must_use]
    pub fn within(mut self, hamlets: &BTreeSet<HamletKey>) -> Self {
        for scope in self.known.values_mut().flatten() {
            scope.retain(|hamlet| hamlets.contains(hamlet));
        }
        self
    }

    /// The hamlets that a device may write.
    ///
    /// # Errors
    /// Why nothing of it is taken.
    pub fn scope(&self, device: &DevicePublicKey) -> Result<&BTreeSet<HamletKey>, RefusalReason> {
        match self.known.get(device) {
            Some(scope) => scope.as_ref().map_err(|reason| *reason),
            None => Err(self.others),
        }
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

/// Changes, and what is known of those who wrote them.
#[derive(Debug)]
pub struct Delivery {
    verdicts: Vec<Verdict>,
    attestations: Vec<KeptAttestation>,
    authors: Authors,
}

impl Delivery {
    /// Changes with one verdict each, numbered from 0, and the attestations that the admitted ones count.
    pub fn new(verdicts: Vec<Verdict>, attestations: Vec<KeptAttestation>, authors: Authors) -> Self {
        Self {
            verdicts,
            attestations,
            authors,
        }
    }

    /// The rounds and units whose state the next step needs.
    pub fn units(&self) -> BTreeSet<Unit> {
        let admitted = self.verdicts.iter().flatten();
        admitted
            .map(|admitted| (admitted.round, admitted.unit.clone()))
            .collect()
    }

    /// Goes on with what is known of the units.
    pub fn sort(self, frame: &Frame) -> Sorted {
        let brought = self.verdicts.len();
        let (refused, groups) = intake::check_scope(self.verdicts, frame, &self.authors);
        Sorted {
            brought,
            refused,
            groups,
            attestations: self.attestations,
        }
    }
}

/// Changes within the scopes of their authors, or refused.
#[derive(Debug)]
pub struct Sorted {
    brought: usize,
    refused: Vec<Refusal>,
    groups: BTreeMap<ResponseId, Group>,
    attestations: Vec<KeptAttestation>,
}

impl Sorted {
    /// The responses of which the next step needs what is stored.
    pub fn responses(&self) -> Vec<ResponseId> {
        self.groups.keys().copied().collect()
    }

    /// Goes on with what is stored of the responses that exist.
    pub fn plan(self, stored: &BTreeMap<ResponseId, Stored>) -> Planned {
        Planned {
            brought: self.brought,
            plan: intake::plan(self.refused, self.groups, stored),
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

    /// Goes on when the plan is durable. `late` are those of its changes that could not be written after all: another
    /// change was logged under their author's sequence number since ([`RefusalReason::Contradiction`]), or the response was
    /// erased ([`RefusalReason::Erased`]).
    pub fn written(self, late: Vec<Refusal>) -> Taken {
        let refused_late: BTreeSet<u32> = late.iter().map(|refusal| refusal.change).collect();
        let planned = self.plan.responses.iter().flat_map(|response| &response.log);
        let logged = planned.filter(|(number, _)| !refused_late.contains(number)).count();
        let mut waiting = self.plan.waiting;
        waiting.retain(|number| !refused_late.contains(number));
        let mut refused = self.plan.refused;
        refused.extend(late);
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
