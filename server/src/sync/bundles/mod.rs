//! Bundles that somebody carries here, by `khaosat bundle read` or by `POST /api/v1/bundles`. Either way each author's own
//! scope counts, and the carrier need not be trusted.

mod route;

use sync_core::ChangeHash;
use sync_core::bundle::{BundleReader, RecipientSecret, Section, SectionError};
use sync_core::exchange::delivery::{Delivery, KeptAttestation};
use sync_core::exchange::{ErasedResponse, RefusalReason, Verdict};

use super::delivery::take;
use super::source::Source;
use crate::store::{Store, StoreError};

pub(super) use route::routes;

/// What became of a bundle.
#[derive(Debug, Default)]
pub(crate) struct TakenBundle {
    /// Changes in the sections that could be read.
    pub(crate) changes: u64,
    /// Of them, those that were not here before.
    pub(crate) new: u64,
    /// Those that were.
    pub(crate) known: u64,
    /// Those that are kept until what they depend on comes.
    pub(crate) waiting: u64,
    /// Those that were not taken.
    pub(crate) refused: Vec<RefusedCarried>,
    /// The sections that could not be read, by number.
    pub(crate) failed: Vec<(usize, SectionError)>,
    /// Whether the log or quarantine is another now.
    pub(crate) changed: bool,
}

/// A carried change that was not taken.
#[derive(Debug)]
pub(crate) struct RefusedCarried {
    /// Its hash; none where its bytes are damaged.
    pub(crate) hash: Option<ChangeHash>,
    /// Why.
    pub(crate) reason: RefusalReason,
    /// Whether it is in quarantine.
    pub(crate) quarantined: bool,
    /// Its response where that was erased.
    pub(crate) erased: Option<ErasedResponse>,
}

impl TakenBundle {
    /// Takes in what `reader` has, section by section. Taking it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; sections before are durable then.
    pub(crate) async fn of(
        store: &Store,
        reader: &BundleReader<'_>,
        key: Option<&RecipientSecret>,
    ) -> Result<Self, StoreError> {
        let mut taken = Self::default();
        for number in 0..reader.section_count() {
            taken.take_section(store, reader, number, key).await?;
        }
        Ok(taken)
    }

    /// Takes one section in as the server takes a phone's request, but for that each author's own scope counts.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    async fn take_section(
        &mut self,
        store: &Store,
        reader: &BundleReader<'_>,
        number: usize,
        key: Option<&RecipientSecret>,
    ) -> Result<(), StoreError> {
        let section = match reader.section(number, key) {
            Ok(section) => section,
            Err(error) => {
                self.failed.push((number, error));
                return Ok(());
            }
        };
        let Section { verdicts, attestations } = section;
        let attestations = attestations.iter().map(|attestation| KeptAttestation {
            hashes: attestation.hashes().unwrap_or_default(),
            signature: attestation.signature,
        });
        let places: Vec<Option<(ChangeHash, ErasedResponse)>> = verdicts.iter().map(place).collect();
        let delivery = Delivery::new(verdicts, attestations.collect());
        let told = take(store, delivery, Source::Carried).await?;
        let changes = places.len() as u64;
        let (refused, waiting, new) = (
            told.refused.len() as u64,
            told.waiting.len() as u64,
            u64::from(told.logged),
        );
        self.changes += changes;
        self.new += new;
        self.waiting += waiting;
        self.known += changes.saturating_sub(refused + waiting + new);
        self.changed |= told.changed;
        self.refused.extend(told.refused.into_iter().map(|refusal| {
            let place = places.get(refusal.change as usize).and_then(Option::as_ref);
            RefusedCarried {
                hash: place.map(|(hash, _)| *hash),
                reason: refusal.reason,
                quarantined: refusal.quarantined,
                erased: place
                    .filter(|_| refusal.reason == RefusalReason::Erased)
                    .map(|(_, response)| response.clone()),
            }
        }));
        Ok(())
    }
}

/// Which change of which response it is; none where it is damaged.
fn place(verdict: &Verdict) -> Option<(ChangeHash, ErasedResponse)> {
    let admitted = verdict.as_ref().ok()?;
    let response = ErasedResponse {
        round: admitted.round,
        unit: admitted.unit.clone(),
    };
    Some((admitted.change.hash(), response))
}
