//! Bundles: a signed set of changes as a file, carried by hand between any two of phones, hubs and servers.
//!
//! A bundle is a header and sections. The header says who carries it and names every section by its length and hash, and
//! the carrier signs the header; so each section can be checked by itself, a file that broke off still gives all whole
//! sections, and what is missing is known. A section is complete in itself: changes, the attestations of their authors,
//! compressed together and, where a recipient is named, sealed so that nobody on the way can read it.
//!
//! Who carries a bundle need not be trusted: every change is believed because its author signed it
//! ([`admit_carried`](crate::exchange::admit_carried)). The bytes are laid out in `docs/protocol-bundle.md`.

mod answer;
pub mod base45;
mod error;
pub mod frames;
mod header;
mod reader;
mod sealing;
mod writer;

pub use answer::{BundleAnswer, CarriedRefusal, FailedSection};
pub use error::{BundleError, SectionError};
pub use header::{BundleHeader, Contents, SectionEntry};
pub use hpke::rand_core::CryptoRng;
pub use reader::{BundleReader, Section};
pub use sealing::{RecipientId, RecipientKey, RecipientKeyError, RecipientSecret};
pub use writer::BundleWriter;

use crate::exchange::{Coding, Limits};

/// The name that bundle files end with, after a full stop.
pub const FILE_EXTENSION: &str = "khaosat";

/// How sections are compressed: in the way that every reader has, phones among them.
const CODING: Coding = Coding::Deflate;

/// The media type of bundles over HTTP, be it one or several one after the other.
pub const MEDIA_TYPE: &str = "application/vnd.khaosat.bundle";

/// What is refused before memory is spent on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleLimits {
    /// Bytes of a bundle.
    pub file_bytes: u64,
    /// Bytes of its header.
    pub header_bytes: usize,
    /// Sections in it.
    pub sections: usize,
    /// What a section may hold; `compressed_bytes` is without the seal.
    pub section: Limits,
    /// Bytes of changes and attestations that a writer puts into a section before compression; one change may bring more.
    /// A copy that breaks off loses at most what is left of one section.
    pub section_bytes: usize,
    /// How many bytes one compressed byte of a section may become, beyond [`FREE_INFLATED_BYTES`].
    pub inflation: usize,
}

/// Bytes that a section may inflate to however small it is: what a writer puts into a section never comes to more
/// without hashes, which do not compress.
pub const FREE_INFLATED_BYTES: usize = 2 << 20;

impl Default for BundleLimits {
    fn default() -> Self {
        Self {
            file_bytes: 256 << 20,
            header_bytes: 1 << 20,
            sections: 4_096,
            section_bytes: 512 << 10,
            section: Limits {
                inflated_bytes: 8 << 20,
                ..Limits::default()
            },
            inflation: 64,
        }
    }
}

impl BundleLimits {
    /// What a section of this many compressed bytes may hold.
    fn of_section(&self, compressed: usize) -> Limits {
        let inflated = compressed
            .saturating_mul(self.inflation)
            .saturating_add(FREE_INFLATED_BYTES);
        Limits {
            inflated_bytes: self.section.inflated_bytes.min(inflated),
            ..self.section
        }
    }
}
