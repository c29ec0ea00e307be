//! The pages of a column, unpacked within limits.
//!
//! The library unpacks a page into as much room as the page claims, or as its bytes swell to. So it is given columns as if
//! they were not packed, and the pages are unpacked here.

use std::io::Read;

use bytes::Bytes;
use parquet::basic::{CompressionCodec, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::serialized_reader::SerializedPageReader;

/// Bytes that a Brotli reader takes at once.
const BROTLI_BUFFER: usize = 4096;

/// How pages are packed, as far as it can be undone here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Snappy,
    Gzip,
    Brotli,
    Zstandard,
}

impl Packing {
    pub(super) fn of(codec: CompressionCodec) -> Option<Self> {
        match codec {
            CompressionCodec::UNCOMPRESSED => Some(Self::None),
            CompressionCodec::SNAPPY => Some(Self::Snappy),
            CompressionCodec::GZIP => Some(Self::Gzip),
            CompressionCodec::BROTLI => Some(Self::Brotli),
            CompressionCodec::ZSTD => Some(Self::Zstandard),
            CompressionCodec::LZO | CompressionCodec::LZ4 | CompressionCodec::LZ4_RAW => None,
        }
    }

    /// Unpacks into at most `limit` bytes.
    fn unpack(self, packed: &[u8], limit: usize) -> Result<Vec<u8>> {
        let mut unpacked = Vec::new();
        let mut read = |source: &mut dyn Read| source.take(limit as u64 + 1).read_to_end(&mut unpacked).map(drop);
        match self {
            Self::None => read(&mut &*packed)?,
            Self::Gzip => read(&mut flate2::read::MultiGzDecoder::new(packed))?,
            Self::Brotli => read(&mut brotli::Decompressor::new(packed, BROTLI_BUFFER))?,
            Self::Zstandard => read(&mut ruzstd::decoding::StreamingDecoder::new(packed).map_err(broken)?)?,
            Self::Snappy => {
                if snap::raw::decompress_len(packed).map_err(broken)? > limit {
                    return Err(too_long());
                }
                unpacked = snap::raw::Decoder::new().decompress_vec(packed).map_err(broken)?;
            }
        }
        if unpacked.len() > limit {
            return Err(too_long());
        }
        Ok(unpacked)
    }
}

fn broken(error: impl std::error::Error) -> ParquetError {
    ParquetError::General(error.to_string())
}

fn too_long() -> ParquetError {
    ParquetError::General("a page is longer than the column says".to_owned())
}

/// The pages of one column in one group of rows.
pub(super) struct Pages {
    /// Pages as they are in the file.
    packed: SerializedPageReader<Bytes>,
    packing: Packing,
    /// Bytes that the pages to come may have, unpacked.
    left: usize,
    /// Rows of the group.
    rows: usize,
    has_dictionary: bool,
}

impl Pages {
    pub(super) fn new(packed: SerializedPageReader<Bytes>, packing: Packing, bytes: usize, rows: usize) -> Self {
        Self {
            packed,
            packing,
            left: bytes,
            rows,
            has_dictionary: false,
        }
    }

    fn unpack(&mut self, packed: Bytes) -> Result<Bytes> {
        let unpacked = match self.packing {
            Packing::None => packed,
            packing => packing.unpack(&packed, self.left)?.into(),
        };
        self.left = self.left.checked_sub(unpacked.len()).ok_or_else(too_long)?;
        Ok(unpacked)
    }

    /// A page of values must have no more of them than the group has rows, and a dictionary before it if it needs one.
    fn check(&self, page: &Page) -> Result<()> {
        if page.num_values() as usize > self.rows {
            return Err(ParquetError::General("a page has more values than rows".to_owned()));
        }
        match page.encoding() {
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY if !self.has_dictionary => {
                Err(ParquetError::General("a dictionary is missing".to_owned()))
            }
            // It makes room for as many texts as a number inside it says.
            Encoding::DELTA_BYTE_ARRAY | Encoding::DELTA_LENGTH_BYTE_ARRAY => {
                let problem = format!("the encoding {} is not supported", page.encoding());
                Err(ParquetError::NYI(problem))
            }
            _ => Ok(()),
        }
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(mut page) = self.packed.get_next_page()? else {
            return Ok(None);
        };
        match &mut page {
            Page::DictionaryPage { buf, num_values, .. } => {
                *buf = self.unpack(std::mem::take(buf))?;
                // A value takes a byte at least.
                if *num_values as usize > buf.len() {
                    return Err(ParquetError::General("a dictionary is shorter than it says".to_owned()));
                }
                self.has_dictionary = true;
            }
            Page::DataPage { buf, .. } => {
                *buf = self.unpack(std::mem::take(buf))?;
                self.check(&page)?;
            }
            Page::DataPageV2 {
                buf,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                ..
            } => {
                // The levels before the values are never packed.
                let levels = *def_levels_byte_len as usize + *rep_levels_byte_len as usize;
                if levels > buf.len() {
                    return Err(ParquetError::General("a page is shorter than its levels".to_owned()));
                }
                if *is_compressed && levels < buf.len() {
                    let values = self.unpack(buf.slice(levels..))?;
                    *buf = [&buf[..levels], &values].concat().into();
                }
                self.check(&page)?;
            }
        }
        Ok(Some(page))
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.packed.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.packed.skip_next_page()
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}
