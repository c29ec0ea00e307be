//! The streams of a compound file ([MS-CFB]), the container of `.xls`.

use super::grid::damaged;
use crate::Phrase;
use crate::model::FormProblems;

/// The first bytes of a compound file ([MS-CFB] §2.2).
pub(super) const SIGNATURE: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

const FORMAT: &str = ".xls";
/// Sector numbers from here on are no sectors but marks.
const FIRST_MARK: u32 = 0xffff_fffa;
/// Streams shorter than this are kept in the small sectors of the mini stream.
const MINI_STREAM_CUTOFF: u64 = 4096;
const MINI_SECTOR_BYTES: usize = 64;
const DIRECTORY_ENTRY_BYTES: usize = 128;

/// A compound file whose allocation tables are read.
pub(super) struct CompoundFile<'a> {
    bytes: &'a [u8],
    sector_bytes: usize,
    /// For each sector the one that follows it in its stream.
    next: Vec<u32>,
    /// The same for the sectors of the mini stream.
    next_mini: Vec<u32>,
    mini_stream: Vec<u8>,
    entries: Vec<Entry>,
}

struct Entry {
    name: String,
    /// 2 for a stream, 5 for the root.
    kind: u8,
    first: u32,
    size: u64,
}

fn problem(at: usize, what: Phrase) -> FormProblems {
    damaged(FORMAT, format!("byte {at}"), what)
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let found = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(found.try_into().ok()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let found = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(found.try_into().ok()?))
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.as_chunks::<4>().0.iter().copied().map(u32::from_le_bytes)
}

impl<'a> CompoundFile<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, FormProblems> {
        const HEADER: Phrase = Phrase::new("the header of the file is cut off", "phần đầu tệp bị cắt cụt");
        const SECTOR: Phrase = Phrase::new("the size of a sector is none", "kích thước sector không hợp lệ");
        let short = || problem(bytes.len(), HEADER);
        let word = |at| u32_at(bytes, at).ok_or_else(short);
        let sector_bytes = match u16_at(bytes, 30).ok_or_else(short)? {
            9 => 512,
            12 => 4096,
            _ => return Err(problem(30, SECTOR)),
        };
        let mut file = Self {
            bytes,
            sector_bytes,
            next: Vec::new(),
            next_mini: Vec::new(),
            mini_stream: Vec::new(),
            entries: Vec::new(),
        };
        file.read_allocation_table(word(68)?)?;
        let directory = file.chain(word(48)?)?;
        for entry in directory.as_chunks::<DIRECTORY_ENTRY_BYTES>().0 {
            file.entries.extend(directory_entry(entry));
        }
        let root = file.entries.iter().find(|entry| entry.kind == 5).map(|root| root.first);
        if let Some(first) = root {
            file.mini_stream = file.chain(first)?;
        }
        file.next_mini = words(&file.chain(word(60)?)?).collect();
        Ok(file)
    }

    /// Gathers the table of following sectors: the header names its first 109 sectors, a chain of sectors the others.
    fn read_allocation_table(&mut self, mut more: u32) -> Result<(), FormProblems> {
        const CIRCLE: Phrase = Phrase::new("the table of sectors runs in a circle", "bảng sector chạy vòng tròn");
        let sectors = self.bytes.len() / self.sector_bytes;
        let header = self.bytes.get(76..512).unwrap_or_default();
        let mut tables: Vec<u32> = words(header).filter(|sector| *sector < FIRST_MARK).collect();
        let mut steps = 0;
        while more < FIRST_MARK {
            steps += 1;
            if steps > sectors {
                return Err(problem(68, CIRCLE));
            }
            let sector = self.sector(more)?;
            let mut numbers: Vec<u32> = words(sector).collect();
            more = numbers.pop().unwrap_or(u32::MAX);
            tables.extend(numbers.into_iter().filter(|sector| *sector < FIRST_MARK));
        }
        if tables.len() > sectors {
            return Err(problem(68, CIRCLE));
        }
        for table in tables {
            // A sector that is named but cut off is only missed if a stream needs it.
            if let Ok(sector) = self.sector(table) {
                self.next.extend(words(sector));
            }
        }
        Ok(())
    }

    /// A sector; the last one of a file may be shorter.
    fn sector(&self, number: u32) -> Result<&'a [u8], FormProblems> {
        const MISSING: Phrase = Phrase::new(
            "the file is cut off: a part of it is missing",
            "tệp bị cắt cụt: thiếu một phần",
        );
        let start = (number as usize).saturating_add(1).saturating_mul(self.sector_bytes);
        let end = start.saturating_add(self.sector_bytes).min(self.bytes.len());
        match self.bytes.get(start..end) {
            Some(sector) if !sector.is_empty() => Ok(sector),
            _ => Err(problem(self.bytes.len(), MISSING)),
        }
    }

    /// The bytes of the sectors from `first` on; never more than the file has.
    fn chain(&self, first: u32) -> Result<Vec<u8>, FormProblems> {
        const CIRCLE: Phrase = Phrase::new("the sectors of a stream run in a circle", "các sector chạy vòng tròn");
        let mut bytes = Vec::new();
        let mut sector = first;
        while sector < FIRST_MARK {
            if bytes.len() > self.bytes.len() {
                return Err(problem(self.bytes.len(), CIRCLE));
            }
            bytes.extend_from_slice(self.sector(sector)?);
            sector = self.next.get(sector as usize).copied().unwrap_or(u32::MAX);
        }
        Ok(bytes)
    }

    fn mini_chain(&self, first: u32) -> Result<Vec<u8>, FormProblems> {
        const BROKEN: Phrase = Phrase::new("the sectors of a short stream are broken", "các sector nhỏ bị hỏng");
        let broken = || problem(self.bytes.len(), BROKEN);
        let mut bytes = Vec::new();
        let mut sector = first;
        while sector < FIRST_MARK {
            let start = (sector as usize).saturating_mul(MINI_SECTOR_BYTES);
            let found = self.mini_stream.get(start..).filter(|left| !left.is_empty());
            let found = found.ok_or_else(broken)?;
            bytes.extend_from_slice(found.get(..MINI_SECTOR_BYTES).unwrap_or(found));
            if bytes.len() > self.mini_stream.len() {
                return Err(broken());
            }
            sector = self.next_mini.get(sector as usize).copied().unwrap_or(u32::MAX);
        }
        Ok(bytes)
    }

    /// Whether there is a stream of that name, written in capitals or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        let named = |entry: &&Entry| entry.kind == 2 && entry.name.eq_ignore_ascii_case(name);
        self.entries.iter().find(named)
    }

    /// The bytes of a stream; none where there is no such stream.
    pub(super) fn stream(&self, name: &str) -> Result<Option<Vec<u8>>, FormProblems> {
        let Some(entry) = self.entry(name) else {
            return Ok(None);
        };
        let mut bytes = if entry.size < MINI_STREAM_CUTOFF {
            self.mini_chain(entry.first)?
        } else {
            self.chain(entry.first)?
        };
        bytes.truncate(usize::try_from(entry.size).unwrap_or(usize::MAX));
        Ok(Some(bytes))
    }
}

/// Reads an entry of the directory ([MS-CFB] §2.6.1); none where it is unused.
fn directory_entry(entry: &[u8; DIRECTORY_ENTRY_BYTES]) -> Option<Entry> {
    let name_bytes = usize::from(u16_at(entry, 64)?).clamp(2, 64) - 2;
    let units = entry.get(..name_bytes)?.as_chunks::<2>().0;
    let units = units.iter().copied().map(u16::from_le_bytes);
    let kind = *entry.get(66)?;
    (kind != 0).then_some(())?;
    Some(Entry {
        name: char::decode_utf16(units)
            .map(|unit| unit.unwrap_or('\u{fffd}'))
            .collect(),
        kind,
        first: u32_at(entry, 116)?,
        // Of the eight bytes of the size, small sectors leave the upper four undefined; no file is that large.
        size: u32_at(entry, 120)?.into(),
    })
}
