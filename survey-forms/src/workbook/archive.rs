//! Parts of zip archives, inflated within limits.

use std::io::{Cursor, Read};

use super::grid::{MAX_INFLATED_BYTES, MAX_PARTS, damaged, within};
use crate::Phrase;
use crate::model::{FormProblems, ProblemKind};

const INFLATED: Phrase = Phrase::new("the inflated size in bytes", "kích thước sau giải nén (byte)");

/// A zip archive whose parts are inflated when they are asked for.
pub(super) struct Archive<'a> {
    zip: zip::ZipArchive<Cursor<&'a [u8]>>,
    /// The name of the format, for messages.
    pub(super) format: &'static str,
    /// The bytes inflated so far, over all parts.
    inflated: u64,
}

impl<'a> Archive<'a> {
    /// Opens an archive; one that says itself that it is too large when inflated is refused at once.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, FormProblems> {
        const BROKEN: Phrase = Phrase::new("the archive is cut off or damaged", "tệp nén bị cắt cụt hoặc bị hỏng");
        let broken = |_| FormProblems::workbook(ProblemKind::NotAWorkbook(BROKEN));
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
        within(
            Phrase::new("the number of parts in the file", "số phần trong tệp"),
            zip.len() as u64,
            MAX_PARTS,
        )
        .map_err(FormProblems::workbook)?;
        let mut declared = 0_u64;
        for part in 0..zip.len() {
            let entry = zip.by_index_raw(part).map_err(broken)?;
            if entry.encrypted() {
                return Err(FormProblems::workbook(ProblemKind::UnsupportedWorkbook(PROTECTED)));
            }
            declared = declared.saturating_add(entry.size());
        }
        within(INFLATED, declared, MAX_INFLATED_BYTES).map_err(FormProblems::workbook)?;
        Ok(Self {
            zip,
            format: ".zip",
            inflated: 0,
        })
    }

    /// The names of the parts, folders aside.
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.zip.file_names().flatten().map(std::borrow::Cow::into_owned);
        names.filter(|name| !name.ends_with('/')).collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// The bytes of a part. What has been inflated counts over all parts, because a declared size can be a lie.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Vec<u8>, FormProblems> {
        const BROKEN: Phrase = Phrase::new("its compressed bytes cannot be inflated", "không giải nén được");
        let broken = || damaged(self.format, name.to_owned(), BROKEN);
        let entry = self.zip.by_name(name).map_err(|_| broken())?;
        let left = MAX_INFLATED_BYTES - self.inflated;
        let mut bytes = Vec::new();
        entry.take(left + 1).read_to_end(&mut bytes).map_err(|_| broken())?;
        self.inflated += bytes.len() as u64;
        within(INFLATED, self.inflated, MAX_INFLATED_BYTES).map_err(FormProblems::workbook)?;
        Ok(bytes)
    }

    /// The text of a part, which is XML in UTF-8.
    pub(super) fn text(&mut self, name: &str) -> Result<String, FormProblems> {
        const NOT_TEXT: Phrase = Phrase::new("this is not UTF-8 text", "đây không phải là văn bản UTF-8");
        String::from_utf8(self.bytes(name)?).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            damaged(self.format, format!("{name}, byte {at}"), NOT_TEXT)
        })
    }
}

/// A workbook that can only be opened with its password.
pub(super) const PROTECTED: Phrase = Phrase::new(
    "a workbook protected by a password; remove the password and save it again",
    "sổ tính có mật khẩu; hãy bỏ mật khẩu rồi lưu lại",
);
