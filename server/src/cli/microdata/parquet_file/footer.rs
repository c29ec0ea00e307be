//! A look at a Parquet file's footer before it is read: whoever reads it makes room for as many parts as it claims to have.
//!
//! The footer is a structure in Thrift's compact protocol. All that is looked at are the counts in it.

/// Bytes of a footer at most: some hundred for each column and group of rows.
const FOOTER_BYTES: usize = 16 << 20;
/// Structures inside one another at most.
const DEPTH: usize = 32;
/// Columns inside one another at most.
const NESTED_COLUMNS: usize = 32;
/// Bytes after the footer: its length, and the mark of the format.
const END_BYTES: usize = 8;
/// The list of the schema in the footer, and the number of children in an entry of it.
const SCHEMA: i64 = 2;
const CHILDREN: i64 = 5;

/// The types of the compact protocol.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
const UUID: u8 = 13;

/// Whether every list of the footer has no more entries than there are bytes for them, and the tree of columns hangs
/// together.
pub(super) fn is_plausible(file: &[u8]) -> bool {
    let Some((rest, end)) = file.split_last_chunk::<END_BYTES>() else {
        return false;
    };
    let [a, b, c, d, mark @ ..] = end;
    let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
    if mark != super::MARK || length > FOOTER_BYTES {
        return false;
    }
    let footer = rest.len().checked_sub(length).and_then(|start| rest.get(start..));
    footer.is_some_and(|footer| Walk { rest: footer }.footer().is_some())
}

/// What is left to look at. Every step is `None` where the bytes are none of the protocol's.
struct Walk<'a> {
    rest: &'a [u8],
}

impl Walk<'_> {
    fn footer(&mut self) -> Option<()> {
        let mut id = 0;
        while let Some(kind) = self.field(&mut id)? {
            if id == SCHEMA && kind == LIST {
                self.schema()?;
            } else {
                self.skip(kind, 0)?;
            }
        }
        Some(())
    }

    /// The entries of the schema, each before its children.
    fn schema(&mut self) -> Option<()> {
        let (kind, entries) = self.list()?;
        // How many children of each open group are still to come.
        let mut open: Vec<usize> = Vec::new();
        for _ in 0..entries {
            while open.last() == Some(&0) {
                open.pop();
            }
            if let Some(left) = open.last_mut() {
                *left -= 1;
            }
            let children = self.schema_entry(kind)?;
            if children > entries {
                return None;
            }
            open.push(children);
            if open.len() > NESTED_COLUMNS {
                return None;
            }
        }
        open.iter().all(|left| *left == 0).then_some(())
    }

    fn schema_entry(&mut self, kind: u8) -> Option<usize> {
        if kind != STRUCT {
            return None;
        }
        let (mut id, mut children) = (0, 0);
        while let Some(kind) = self.field(&mut id)? {
            if id == CHILDREN && kind == I32 {
                children = usize::try_from(zigzag(self.varint()?)).ok()?;
            } else {
                self.skip(kind, 0)?;
            }
        }
        Some(children)
    }

    /// The type of a structure's next field, whose number becomes `id`; none at its end.
    fn field(&mut self, id: &mut i64) -> Option<Option<u8>> {
        let header = self.byte()?;
        let (kind, step) = (header & 0x0f, header >> 4);
        if kind == 0 {
            return Some(None);
        }
        *id = match step {
            0 => zigzag(self.varint()?),
            step => id.checked_add(i64::from(step))?,
        };
        Some(Some(kind))
    }

    /// The type and number of a list's entries.
    fn list(&mut self) -> Option<(u8, usize)> {
        let header = self.byte()?;
        let size = match header >> 4 {
            0x0f => usize::try_from(self.varint()?).ok()?,
            size => usize::from(size),
        };
        // An entry takes a byte at least.
        (size <= self.rest.len()).then_some((header & 0x0f, size))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEPTH {
            return None;
        }
        match kind {
            // A field's header says it already.
            TRUE | FALSE => Some(()),
            BYTE => self.skip_bytes(1),
            I16 | I32 | I64 => self.varint().map(drop),
            DOUBLE => self.skip_bytes(8),
            UUID => self.skip_bytes(16),
            BINARY => {
                let length = self.varint()?;
                self.skip_bytes(usize::try_from(length).ok()?)
            }
            LIST | SET => {
                let (kind, size) = self.list()?;
                (0..size).try_for_each(|_| self.skip_entry(kind, depth + 1))
            }
            MAP => {
                let size = usize::try_from(self.varint()?).ok()?;
                if size == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                if size > self.rest.len() {
                    return None;
                }
                (0..size).try_for_each(|_| {
                    self.skip_entry(kinds >> 4, depth + 1)?;
                    self.skip_entry(kinds & 0x0f, depth + 1)
                })
            }
            STRUCT => {
                let mut id = 0;
                while let Some(kind) = self.field(&mut id)? {
                    self.skip(kind, depth + 1)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// As a field, but that a truth value takes a byte here.
    fn skip_entry(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            TRUE | FALSE => self.skip_bytes(1),
            kind => self.skip(kind, depth),
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn skip_bytes(&mut self, count: usize) -> Option<()> {
        self.rest = self.rest.get(count..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
