//! Reading a bundle.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::header::{BundleHeader, MAGIC};
use super::sealing::{RecipientSecret, SEAL_BYTES};
use super::{BundleError, BundleLimits, CODING, SectionError};
use crate::exchange::wire::{self, WireError};
use crate::exchange::{CarriedAttestation, CarriedChanges, Verdict, admit_carried};

/// A bundle whose header holds. Its sections are checked when they are read.
#[derive(Debug)]
pub struct BundleReader<'a> {
    file: &'a [u8],
    header: BundleHeader,
    limits: BundleLimits,
    /// Where each section is or should be.
    places: Vec<Range<usize>>,
    /// Where the last one ends.
    end: usize,
}

/// What a section holds, as far as its authors signed it.
#[derive(Debug)]
pub struct Section {
    /// One verdict for each change, in their order.
    pub verdicts: Vec<Verdict>,
    /// The attestations that [`Admitted::attestation`](crate::exchange::Admitted) counts, to be kept and handed on.
    pub attestations: Vec<CarriedAttestation>,
}

impl<'a> BundleReader<'a> {
    /// Reads the header of a file, which may break off after it.
    ///
    /// # Errors
    /// [`BundleError`] when the header is not whole, not the carrier's, or says that the bundle is larger than the limits.
    pub fn open(file: &'a [u8], limits: BundleLimits) -> Result<Self, BundleError> {
        if file.len() as u64 > limits.file_bytes {
            return Err(BundleError::TooLarge {
                what: "bytes",
                what_vi: "byte",
                found: file.len() as u64,
                limit: limits.file_bytes,
            });
        }
        let (header, mut start) = BundleHeader::read(file, &limits)?;
        let mut places = Vec::with_capacity(header.sections.len());
        for section in &header.sections {
            let length = usize::try_from(section.bytes).unwrap_or(usize::MAX);
            let end = start.saturating_add(length);
            places.push(start..end);
            start = end;
        }
        Ok(Self {
            file,
            header,
            limits,
            places,
            end: start,
        })
    }

    /// Who carries what.
    pub fn header(&self) -> &BundleHeader {
        &self.header
    }

    /// How many sections the bundle has, whole or not.
    pub fn section_count(&self) -> usize {
        self.places.len()
    }

    /// How many bytes the bundle has when it is whole.
    pub fn whole_bytes(&self) -> usize {
        self.end
    }

    /// How many bytes follow the end of the bundle. They mean nothing and do no harm.
    pub fn surplus_bytes(&self) -> usize {
        self.file.len().saturating_sub(self.whole_bytes())
    }

    /// The file from the next bundle on, where one begins at this one's end: several bundles may stand in one file, one
    /// after the other.
    pub fn following(&self) -> Option<&'a [u8]> {
        let rest = self.file.get(self.whole_bytes()..)?;
        rest.starts_with(&MAGIC).then_some(rest)
    }

    /// The numbers of the sections that are not here as the carrier signed them, and why. Needs no key.
    pub fn missing(&self) -> Vec<(usize, SectionError)> {
        (0..self.section_count())
            .filter_map(|section| self.bytes(section).err().map(|error| (section, error)))
            .collect()
    }

    /// Reads one section, counted from 0, and checks who wrote each change.
    ///
    /// # Errors
    /// [`SectionError`]; nothing of the section can be used then.
    pub fn section(&self, number: usize, key: Option<&RecipientSecret>) -> Result<Section, SectionError> {
        let (start, bytes) = self.bytes(number)?;
        let carried = self.decode(number, start, bytes, key)?;
        let verdicts = admit_carried(&carried, &self.limits.section).map_err(|source| SectionError::Admission {
            section: number,
            start,
            source,
        })?;
        Ok(Section {
            verdicts,
            attestations: carried.attestations,
        })
    }

    /// A section's bytes as the carrier signed them, and where they start.
    fn bytes(&self, number: usize) -> Result<(usize, &'a [u8]), SectionError> {
        let (Some(place), Some(entry)) = (self.places.get(number), self.header.sections.get(number)) else {
            return Err(SectionError::NoSuchSection {
                section: number,
                sections: self.section_count(),
            });
        };
        let Some(bytes) = self.file.get(place.clone()) else {
            return Err(SectionError::Missing {
                section: number,
                start: place.start,
                end: place.end,
                file_end: self.file.len(),
            });
        };
        if <[u8; 32]>::from(Sha256::digest(bytes)) != entry.sha256 {
            return Err(SectionError::Damaged {
                section: number,
                start: place.start,
            });
        }
        Ok((place.start, bytes))
    }

    fn decode(
        &self,
        section: usize,
        start: usize,
        bytes: &[u8],
        key: Option<&RecipientSecret>,
    ) -> Result<CarriedChanges, SectionError> {
        let failed = |source| SectionError::Wire { section, start, source };
        // Before memory is spent on opening it.
        if bytes.len() > self.limits.section.compressed_bytes + SEAL_BYTES {
            return Err(failed(WireError::CompressedTooLarge {
                limit: self.limits.section.compressed_bytes,
            }));
        }
        let opened;
        let plain = match (self.header.recipient, key) {
            (None, _) => bytes,
            (Some(recipient), None) => return Err(SectionError::Sealed { recipient }),
            (Some(recipient), Some(key)) => {
                let own = key.public().id();
                if own != recipient {
                    return Err(SectionError::WrongKey { recipient, own });
                }
                let number = u32::try_from(section).unwrap_or(u32::MAX);
                let unopenable = SectionError::Unopenable { section, start };
                opened = key.open(bytes, &self.header, number).ok_or(unopenable)?;
                &opened
            }
        };
        let limits = self.limits.of_section(plain.len());
        let carried: CarriedChanges = wire::decode_as(plain, CODING, &limits).map_err(failed)?;
        for (what, count) in [
            ("changes", carried.change_count()),
            ("attestations", carried.attestations.len()),
            ("responses", carried.responses.len()),
        ] {
            if count > limits.changes {
                return Err(failed(WireError::TooMany {
                    what,
                    limit: limits.changes,
                }));
            }
        }
        Ok(carried)
    }
}
