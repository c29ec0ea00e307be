//! Brotli (RFC 7932) across whole messages.

use std::io::{Read, Write};

use super::{Coding, WireError};

/// Brotli's smallest and largest window here, as base-2 logarithms of their bytes: see [`window`].
const WINDOWS: (u32, u32) = (18, 22);
/// Bytes of its window that brotli does not reach back to.
const WINDOW_GAP: usize = 16;
/// The first seven bits of a stream with a window of more than 16 MiB.
const LARGE_WINDOW: u8 = 0x11;
/// Bytes of the buffers between brotli and memory.
pub(super) const BUFFER: usize = 16 * 1024;

/// How much processor time a smaller stream is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange) enum Effort {
    /// For messages: what a cheap machine affords for each, and close to the best in size.
    Message,
    /// For what is written once, by a server, and kept for years.
    Archive,
}

impl Effort {
    /// Brotli's quality, 0 to 11.
    fn quality(self) -> u32 {
        match self {
            Self::Message => 5,
            Self::Archive => 9,
        }
    }
}

pub(in crate::exchange) fn compress(inflated: &[u8], effort: Effort) -> std::io::Result<Vec<u8>> {
    let window = window(inflated.len());
    let mut writer = brotli::CompressorWriter::new(Vec::new(), BUFFER, effort.quality(), window);
    writer.write_all(inflated)?;
    Ok(writer.into_inner())
}

/// The smallest window in which a message of this many bytes can reach back to its start, as a base-2 logarithm.
///
/// A larger one brings nothing, but the compressor makes a buffer of twice its size for it, and whoever inflates may make
/// one too: a megabyte or several for a message of some hundred kilobytes. Below 17 the crate brotli falls back to a table
/// of 32 MiB, which costs more than any window and twenty times the time; 17 itself is told in three bits more than 18.
pub(super) fn window(length: usize) -> u32 {
    let (smallest, largest) = WINDOWS;
    let enough = |bits: &u32| length.saturating_add(WINDOW_GAP) <= 1 << bits;
    (smallest..largest).find(enough).unwrap_or(largest)
}

/// What inflates a stream. RFC 7932 ends at windows of 16 MiB; the crate brotli also reads an extension of it, with windows
/// of up to 1 GiB.
pub(super) fn reader(compressed: &[u8]) -> Result<impl Read, WireError> {
    if compressed.first().is_some_and(|first| first & 0x7f == LARGE_WINDOW) {
        return Err(WireError::NotCompressed {
            coding: Coding::Brotli.name(),
        });
    }
    Ok(brotli::Decompressor::new(compressed, BUFFER))
}
