//! What can be wrong with a bundle.

use super::header::VERSION;
use super::sealing::RecipientId;
use crate::device::SignatureError;
use crate::exchange::{AdmissionError, WireError};

/// Why nothing of a file can be read, or a bundle not be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The file does not start as bundles do.
    #[error("byte {byte}: this is no bundle of Khảo Sát; choose a file that `khaosat bundle write` made")]
    NotABundle {
        /// The first byte that differs.
        byte: usize,
    },
    /// The bundle is of a later version.
    #[error("byte 8: the bundle has version {version}; this program reads version {VERSION}, so update it")]
    UnsupportedVersion {
        /// The bundle's version.
        version: u16,
    },
    /// The file ends within the header, so that not even what is missing can be told.
    #[error("byte {byte}: the file ends within its header, which goes on to byte {end}; copy it again")]
    Truncated {
        /// Where the file ends.
        byte: usize,
        /// Where the header ends as far as is known.
        end: usize,
    },
    /// Something is over its limit.
    #[error("the bundle has {found} {what}; at most {limit} are allowed, so make several bundles")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The same in Vietnamese.
        what_vi: &'static str,
        /// How much there is.
        found: u64,
        /// The most that is allowed.
        limit: u64,
    },
    /// The header is no CBOR of the right shape.
    #[error("byte {byte}: the bundle's header is malformed: {reason}")]
    MalformedHeader {
        /// Where in the file.
        byte: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The header was changed on the way, or somebody else signed it.
    #[error("the bundle was damaged or forged: {0}; ask for it again")]
    Signature(#[from] SignatureError),
    /// The recipient's key cannot be sealed to.
    #[error("the recipient's key is not usable; ask the recipient for it again")]
    UnusableRecipient,
    /// A section cannot be written, in practice never.
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl BundleError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::NotABundle { byte } => format!(
                "byte {byte}: tệp này không phải gói của Khảo Sát; hãy chọn tệp do `khaosat bundle write` tạo ra"
            ),
            Self::UnsupportedVersion { version } => format!(
                "byte 8: gói thuộc phiên bản {version}; chương trình này đọc phiên bản {VERSION}, hãy cập nhật chương trình"
            ),
            Self::Truncated { byte, end } => {
                format!("byte {byte}: tệp bị đứt trong phần đầu, phần này kéo dài đến byte {end}; hãy chép lại")
            }
            Self::TooLarge {
                what_vi, found, limit, ..
            } => format!("gói có {found} {what_vi}; tối đa là {limit}, hãy chia thành nhiều gói"),
            Self::MalformedHeader { byte, reason } => format!("byte {byte}: phần đầu của gói sai cấu trúc: {reason}"),
            Self::Signature(error) => format!("gói bị hỏng hoặc bị giả mạo: {}; hãy xin lại", error.vietnamese()),
            Self::UnusableRecipient => "khóa của người nhận không dùng được; hãy xin lại khóa".to_owned(),
            Self::Wire(error) => error.vietnamese(),
        }
    }
}

/// Why one section of a bundle cannot be read. The others may be whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SectionError {
    /// The bundle has no section of this number.
    #[error("there is no section {section}; the bundle has {sections}")]
    NoSuchSection {
        /// The number that was asked for, from 0.
        section: usize,
        /// How many there are.
        sections: usize,
    },
    /// The file ends before or within the section.
    #[error("section {section}, bytes {start} to {end}, is missing: the file ends at byte {file_end}; copy it again")]
    Missing {
        /// Its number from 0.
        section: usize,
        /// Where it starts.
        start: usize,
        /// Where the next one starts.
        end: usize,
        /// Where the file ends.
        file_end: usize,
    },
    /// The section's bytes are not those that the carrier signed.
    #[error("section {section}, from byte {start}, was damaged or forged; copy the file again")]
    Damaged {
        /// Its number from 0.
        section: usize,
        /// Where it starts.
        start: usize,
    },
    /// The section is sealed and no key was given.
    #[error("the bundle is sealed to key {recipient}; only the recipient can read it")]
    Sealed {
        /// The recipient.
        recipient: RecipientId,
    },
    /// The section is sealed to another key than the one that was given.
    #[error("the bundle is sealed to key {recipient}, but the key here is {own}; it is for another installation")]
    WrongKey {
        /// The recipient.
        recipient: RecipientId,
        /// Whose key was given.
        own: RecipientId,
    },
    /// The seal does not open although the key has the right name.
    #[error("section {section}, from byte {start}: the seal does not open; ask the carrier to write the bundle again")]
    Unopenable {
        /// Its number from 0.
        section: usize,
        /// Where it starts.
        start: usize,
    },
    /// What the carrier wrote into it is no set of changes, or too large.
    #[error("section {section}, from byte {start}: {source}")]
    Wire {
        /// Its number from 0.
        section: usize,
        /// Where it starts.
        start: usize,
        /// What is wrong inside.
        source: WireError,
    },
    /// It holds changes that nobody signed.
    #[error("section {section}, from byte {start}: {source}")]
    Admission {
        /// Its number from 0.
        section: usize,
        /// Where it starts.
        start: usize,
        /// What is wrong inside.
        source: AdmissionError,
    },
}

impl SectionError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::NoSuchSection { section, sections } => format!("không có phần {section}; gói có {sections} phần"),
            Self::Missing {
                section,
                start,
                end,
                file_end,
            } => format!("thiếu phần {section}, byte {start} đến {end}: tệp kết thúc ở byte {file_end}; hãy chép lại"),
            Self::Damaged { section, start } => {
                format!("phần {section}, từ byte {start}, bị hỏng hoặc bị giả mạo; hãy chép lại tệp")
            }
            Self::Sealed { recipient } => {
                format!("gói được niêm phong cho khóa {recipient}; chỉ người nhận mới đọc được")
            }
            Self::WrongKey { recipient, own } => {
                format!("gói được niêm phong cho khóa {recipient}, còn khóa ở đây là {own}; gói này dành cho nơi khác")
            }
            Self::Unopenable { section, start } => {
                format!("phần {section}, từ byte {start}: không mở được niêm phong; hãy nhờ người gửi tạo lại gói")
            }
            Self::Wire { section, start, source } => {
                format!("phần {section}, từ byte {start}: {}", source.vietnamese())
            }
            Self::Admission { section, start, source } => {
                format!("phần {section}, từ byte {start}: {}", source.vietnamese())
            }
        }
    }
}
