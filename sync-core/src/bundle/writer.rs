//! Writing a bundle.

use std::collections::{BTreeSet, HashSet};

use sha2::{Digest, Sha256};

use super::header::{BundleHeader, Contents, SectionEntry};
use super::sealing::RecipientKey;
use super::{BundleError, BundleLimits, CODING, CryptoRng};
use crate::device::{DeviceKey, DevicePublicKey};
use crate::exchange::wire;
use crate::exchange::{CarriedAttestation, CarriedBuilder};
use crate::identity::RoundId;

/// Gathers changes into the sections of a bundle.
///
/// Changes that were signed together are best added one after the other, and the dependencies of a change before it:
/// the order of a server's log is both.
#[derive(Debug)]
pub struct BundleWriter<'a, R> {
    carrier: &'a DeviceKey,
    recipient: Option<RecipientKey>,
    random: R,
    limits: BundleLimits,
    header: BundleHeader,
    contents: Contents,
    rounds: BTreeSet<RoundId>,
    responses: HashSet<(RoundId, String)>,
    authors: HashSet<DevicePublicKey>,
    /// The finished sections.
    sections: Vec<Vec<u8>>,
    /// The section that takes more changes.
    open: CarriedBuilder,
}

impl<'a, R: CryptoRng> BundleWriter<'a, R> {
    /// Starts a bundle that `carrier` signs, made at `created_at` (milliseconds since 1970-01-01T00:00:00Z).
    ///
    /// `random` is needed where a recipient is named; it must be a secure source.
    pub fn new(
        carrier: &'a DeviceKey,
        created_at: i64,
        recipient: Option<RecipientKey>,
        random: R,
        limits: BundleLimits,
    ) -> Self {
        Self {
            carrier,
            recipient,
            random,
            limits,
            header: BundleHeader {
                carrier: carrier.public(),
                created_at,
                recipient: recipient.map(|key| key.id()),
                contents: None,
                sections: Vec::new(),
            },
            contents: Contents::default(),
            rounds: BTreeSet::new(),
            responses: HashSet::new(),
            authors: HashSet::new(),
            sections: Vec::new(),
            open: CarriedBuilder::default(),
        }
    }

    /// Adds a change (an uncompressed Automerge change chunk) of the response of `unit`, signed by `attestation`.
    ///
    /// # Errors
    /// [`BundleError::TooLarge`] when the bundle has as many sections as it may, [`BundleError::UnusableRecipient`] when the
    /// recipient's key cannot be sealed to.
    pub fn add(
        &mut self,
        round: RoundId,
        unit: &str,
        change: &[u8],
        attestation: &CarriedAttestation,
    ) -> Result<(), BundleError> {
        let bytes = self
            .open
            .bytes()
            .saturating_add(self.open.more_bytes(change, attestation));
        let full = bytes > self.limits.section_bytes || self.open.change_count() >= self.limits.section.changes;
        if full && self.open.bytes() > 0 {
            self.close_section()?;
        }
        self.open.add(round, unit, change, attestation);
        self.contents.changes += 1;
        self.rounds.insert(round);
        self.authors.insert(attestation.device);
        self.responses.insert((round, unit.to_owned()));
        Ok(())
    }

    /// What was added so far.
    pub fn contents(&self) -> Contents {
        Contents {
            rounds: self.rounds.iter().copied().collect(),
            responses: self.responses.len() as u64,
            changes: self.contents.changes,
            authors: self.authors.len() as u64,
        }
    }

    /// Signs the bundle and gives its bytes.
    ///
    /// # Errors
    /// As [`Self::add`]; [`BundleError::TooLarge`] also when the bundle is larger than readers take.
    pub fn finish(mut self) -> Result<Vec<u8>, BundleError> {
        if self.open.bytes() > 0 {
            self.close_section()?;
        }
        if self.recipient.is_none() {
            self.header.contents = Some(self.contents());
        }
        let mut bundle = self.header.write(self.carrier, &self.limits)?;
        for section in &self.sections {
            bundle.extend_from_slice(section);
        }
        Ok(bundle)
    }

    fn close_section(&mut self) -> Result<(), BundleError> {
        let section = std::mem::take(&mut self.open).finish();
        let number = u32::try_from(self.sections.len()).unwrap_or(u32::MAX);
        if self.sections.len() >= self.limits.sections {
            return Err(BundleError::TooLarge {
                what: "sections",
                what_vi: "phần",
                found: u64::from(number) + 1,
                limit: self.limits.sections as u64,
            });
        }
        let plain = wire::encode_as(&section, CODING)?;
        let bytes = match &self.recipient {
            Some(recipient) => recipient
                .seal(&plain, &self.header, number, &mut self.random)
                .ok_or(BundleError::UnusableRecipient)?,
            None => plain,
        };
        self.header.sections.push(SectionEntry {
            bytes: bytes.len() as u64,
            sha256: Sha256::digest(&bytes).into(),
        });
        self.sections.push(bytes);
        Ok(())
    }
}
