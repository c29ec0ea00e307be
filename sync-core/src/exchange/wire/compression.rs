//! Whole messages compressed, by one of HTTP's content codings.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::{Limits, WireError};

/// How a message is compressed: a content coding of HTTP (RFC 9110, section 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Brotli (RFC 7932): what servers, hubs and everybody who has its compressor write. Needs the feature `brotli`.
    #[cfg(feature = "brotli")]
    Brotli,
    /// The zlib format (RFC 1950) around DEFLATE (RFC 1951): some percent larger, and what phones write.
    Deflate,
}

impl Coding {
    /// All that this program reads.
    pub const ALL: &[Self] = &[
        #[cfg(feature = "brotli")]
        Self::Brotli,
        Self::Deflate,
    ];

    /// The name as `Content-Encoding` has it.
    pub const fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "brotli")]
            Self::Brotli => "br",
            Self::Deflate => "deflate",
        }
    }

    /// The coding of a `Content-Encoding`; none where it is not among [`ALL`](Self::ALL).
    pub fn named(name: &str) -> Option<Self> {
        let mut codings = Self::ALL.iter().copied();
        codings.find(|coding| coding.name().eq_ignore_ascii_case(name.trim()))
    }

    pub(super) fn compress(self, inflated: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            #[cfg(feature = "brotli")]
            Self::Brotli => super::brotli::compress(inflated, super::Effort::Message),
            Self::Deflate => {
                let mut writer = ZlibEncoder::new(Vec::new(), Compression::best());
                writer.write_all(inflated)?;
                writer.finish()
            }
        }
    }

    pub(in crate::exchange) fn inflate(self, compressed: &[u8], limits: &Limits) -> Result<Vec<u8>, WireError> {
        if compressed.len() > limits.compressed_bytes {
            return Err(WireError::CompressedTooLarge {
                limit: limits.compressed_bytes,
            });
        }
        match self {
            #[cfg(feature = "brotli")]
            Self::Brotli => self.read(super::brotli::reader(compressed)?, limits),
            Self::Deflate => self.read(ZlibDecoder::new(compressed), limits),
        }
    }

    /// Inflates no more than is allowed.
    fn read(self, reader: impl Read, limits: &Limits) -> Result<Vec<u8>, WireError> {
        let mut inflated = Vec::new();
        reader
            .take(limits.inflated_bytes as u64 + 1)
            .read_to_end(&mut inflated)
            .map_err(|_| WireError::NotCompressed { coding: self.name() })?;
        if inflated.len() > limits.inflated_bytes {
            return Err(WireError::InflatedTooLarge {
                limit: limits.inflated_bytes,
            });
        }
        Ok(inflated)
    }
}
