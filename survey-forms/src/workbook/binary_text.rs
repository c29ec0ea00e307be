//! The strings of `.xls` ([MS-XLS] §2.5.293 and following): in one byte or two a character, and cut by records.

use crate::Phrase;

/// What is wrong with a string.
pub(super) enum TextProblem {
    /// It ends before its length says.
    CutOff,
    /// It is written in a code page of Excel 95 that is not read here.
    CodePage,
}

impl TextProblem {
    pub(super) fn phrase(&self) -> Phrase {
        match self {
            Self::CutOff => Phrase::new("a text is cut off", "một chuỗi bị cắt cụt"),
            Self::CodePage => Phrase::new(
                "a text is written in a code page of Excel 95 that is not supported",
                "một chuỗi dùng bảng mã của Excel 95 không được hỗ trợ",
            ),
        }
    }
}

/// A record and its continuations, read from front to back.
pub(super) struct Parts<'a> {
    parts: std::vec::IntoIter<&'a [u8]>,
    /// What is left of the part being read.
    left: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(super) fn new(parts: Vec<&'a [u8]>) -> Self {
        let mut parts = parts.into_iter();
        let left = parts.next().unwrap_or_default();
        Self { parts, left }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty() && self.parts.as_slice().iter().all(|part| part.is_empty())
    }

    /// Takes bytes of the part being read, or of the next one where it is used up.
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        if self.left.is_empty() {
            self.left = self.parts.next()?;
        }
        let (taken, left) = self.left.split_at_checked(length)?;
        self.left = left;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn word(&mut self) -> Option<u16> {
        super::compound::u16_at(self.take(2)?, 0)
    }

    pub(super) fn double_word(&mut self) -> Option<u32> {
        super::compound::u32_at(self.take(4)?, 0)
    }

    /// Skips bytes, over the ends of parts.
    fn skip(&mut self, mut length: usize) -> Option<()> {
        while length > 0 {
            if self.left.is_empty() {
                self.left = self.parts.next()?;
            }
            let step = length.min(self.left.len());
            self.left = self.left.get(step..)?;
            length -= step;
        }
        Some(())
    }

    /// A string of Excel 97 and later that begins with its length in characters, in one byte or two.
    pub(super) fn unicode(&mut self, length_bytes: usize) -> Result<String, TextProblem> {
        let length = match length_bytes {
            1 => self.byte().map(u16::from),
            _ => self.word(),
        };
        let length = length.ok_or(TextProblem::CutOff)?.into();
        self.unicode_of(length).ok_or(TextProblem::CutOff)
    }

    fn unicode_of(&mut self, length: usize) -> Option<String> {
        const WIDE: u8 = 1;
        const PHONETIC: u8 = 4;
        const RICH: u8 = 8;
        if length == 0 && self.is_empty() {
            return Some(String::new());
        }
        let options = self.byte()?;
        let runs = if options & RICH != 0 {
            self.word()?.into()
        } else {
            0_usize
        };
        let phonetic = if options & PHONETIC != 0 {
            self.double_word()? as usize
        } else {
            0
        };
        let mut wide = options & WIDE != 0;
        let mut units: Vec<u16> = Vec::new();
        while units.len() < length {
            if self.left.is_empty() {
                self.left = self.parts.next()?;
                // A continuation says anew how wide its characters are.
                wide = self.byte()? & WIDE != 0;
            }
            let missing = length - units.len();
            let width = if wide { 2 } else { 1 };
            let count = missing.min(self.left.len() / width);
            if count == 0 {
                return None;
            }
            let bytes = self.take(count * width)?;
            if wide {
                units.extend(bytes.as_chunks::<2>().0.iter().copied().map(u16::from_le_bytes));
            } else {
                units.extend(bytes.iter().copied().map(u16::from));
            }
        }
        self.skip(runs * 4)?;
        self.skip(phonetic)?;
        Some(
            char::decode_utf16(units)
                .map(|unit| unit.unwrap_or('\u{fffd}'))
                .collect(),
        )
    }

    /// A string of Excel 95 that begins with its length in bytes, in one byte or two.
    pub(super) fn code_page(&mut self, length_bytes: usize, code_page: u16) -> Result<String, TextProblem> {
        let length = match length_bytes {
            1 => self.byte().map(u16::from),
            _ => self.word(),
        };
        let length = usize::from(length.ok_or(TextProblem::CutOff)?);
        if length == 0 {
            return Ok(String::new());
        }
        let bytes = self.take(length).ok_or(TextProblem::CutOff)?;
        if bytes.is_ascii() || matches!(code_page, 1252 | 0x8001) {
            return Ok(bytes.iter().map(|byte| windows_1252(*byte)).collect());
        }
        Err(TextProblem::CodePage)
    }
}

/// A character of Windows code page 1252; its five unused bytes are control characters, as on the Web
/// (encoding.spec.whatwg.org).
fn windows_1252(byte: u8) -> char {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    let upper = byte.checked_sub(0x80).and_then(|place| UPPER.get(usize::from(place)));
    upper.copied().unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_go_on_in_continuations_with_another_width() {
        // "Xin chào": four characters in one byte each, then four in two.
        let first = b"\x08\x00\x00Xin ";
        let second = b"\x01c\x00h\x00\xe0\x00o\x00";
        let mut parts = Parts::new(vec![first, second]);
        assert_eq!(parts.unicode(2).ok(), Some("Xin chào".into()));
        assert!(parts.is_empty());
        let mut cut = Parts::new(vec![first]);
        assert!(cut.unicode(2).is_err());
    }

    #[test]
    fn rich_and_phonetic_parts_are_skipped() {
        let bytes = b"\x02\x00\x0c\x01\x00\x02\x00\x00\x00ab\x00\x00\x00\x00zzrest";
        let mut parts = Parts::new(vec![bytes]);
        assert_eq!(parts.unicode(2).ok(), Some("ab".into()));
        assert_eq!(parts.left, b"rest");
    }

    #[test]
    fn excel_95_strings_are_read_in_its_western_code_page_only() {
        let bytes = b"\x03\x80ab";
        assert_eq!(Parts::new(vec![bytes]).code_page(1, 1252).ok(), Some("€ab".into()));
        assert!(Parts::new(vec![bytes]).code_page(1, 1258).is_err());
        assert_eq!(Parts::new(vec![b"\x02ab"]).code_page(1, 1258).ok(), Some("ab".into()));
    }
}
