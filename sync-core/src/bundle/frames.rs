//! A small bundle as an endless sequence of frames for QR codes, any few more than enough of which restore it.
//!
//! A camera misses frames and sees others twice, so the frames are encoding symbols of the fountain code RaptorQ (RFC
//! 6330) in one source block: it does not matter which frames arrive or in which order. A frame is text of QR's
//! alphanumeric mode ([`base45`]); its bytes are laid out in `docs/protocol-bundle.md`.

use raptorq::{
    Decoder, EncodingPacket, ObjectTransmissionInformation, PayloadId, SourceBlockEncoder, SourceBlockEncodingPlan,
};
use sha2::{Digest, Sha256};

use super::base45;

/// Bytes of a bundle that is shown as frames, at most: about 180 frames of the usual size.
pub const BUNDLE_BYTES: usize = 64 << 10;
/// Bytes of a symbol that make QR codes which cheap cameras read: 573 characters, version 15 with error correction M.
pub const USUAL_SYMBOL_BYTES: u16 = 360;

/// The version of the frames that this code shows and reads.
const VERSION: u8 = 1;
/// Where the fields of a frame start.
const ID: usize = 1;
const LENGTH: usize = 9;
const NUMBER: usize = 13;
const SYMBOL: usize = 16;
/// Bytes of the check at a frame's end.
const CHECK_BYTES: usize = 4;
/// Bytes of a symbol; multiples of the alignment.
const SYMBOL_BYTES: std::ops::RangeInclusive<usize> = 64..=1024;
const ALIGNMENT: u8 = 8;
/// Frames are numbered in 24 bits (RFC 6330, section 3.2).
const NUMBERS: u32 = 1 << 24;
/// Frames beyond those that are needed after which a sequence is given up: RaptorQ fails less than once in a million with
/// two (RFC 6330, section 1), so somebody made them up.
const HOPELESS: usize = 256;

/// Why there are no frames of a bundle, or a frame is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bundle is empty or too large.
    #[error("the bundle has {bytes} bytes; frames carry 1 to {BUNDLE_BYTES}, so carry it as a file or choose less")]
    BundleSize {
        /// Its bytes.
        bytes: usize,
    },
    /// The size of symbols is none that frames may have.
    #[error("a frame's symbol cannot have {bytes} bytes; 64 to 1024 in steps of 8 are allowed")]
    SymbolSize {
        /// The size.
        bytes: usize,
    },
    /// The text is no Base45.
    #[error("character {place}: this is no frame of a bundle")]
    Text {
        /// The byte of the text.
        place: usize,
    },
    /// The frame was cut or damaged.
    #[error("the frame is damaged: its check is wrong; show it again")]
    Check,
    /// The frame is of a later version.
    #[error("the frame has version {version}; this program reads version {VERSION}, so update it")]
    UnsupportedVersion {
        /// The frame's version.
        version: u8,
    },
    /// The frame is of another bundle than those before.
    #[error("the frame is of another bundle; finish one before the other")]
    OtherBundle,
    /// The frames do not give the bundle that they name.
    #[error("the frames do not give the bundle that they name; start over")]
    Contradiction,
}

impl FrameError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::BundleSize { bytes } => format!(
                "gói có {bytes} byte; mã QR chở từ 1 đến {BUNDLE_BYTES} byte, hãy chuyển bằng tệp hoặc chọn ít hơn"
            ),
            Self::SymbolSize { bytes } => {
                format!("phần dữ liệu của khung không thể có {bytes} byte; cho phép 64 đến 1024, theo bước 8")
            }
            Self::Text { place } => format!("ký tự {place}: đây không phải khung của gói"),
            Self::Check => "khung bị hỏng: mã kiểm tra sai; hãy chiếu lại".to_owned(),
            Self::UnsupportedVersion { version } => format!(
                "khung thuộc phiên bản {version}; chương trình này đọc phiên bản {VERSION}, hãy cập nhật chương trình"
            ),
            Self::OtherBundle => "khung thuộc gói khác; hãy đọc xong từng gói một".to_owned(),
            Self::Contradiction => "các khung không tạo thành gói mà chúng nêu; hãy đọc lại từ đầu".to_owned(),
        }
    }
}

/// What all frames of one bundle have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sequence {
    /// The first 8 bytes of the bundle's SHA-256.
    id: [u8; 8],
    length: usize,
    symbol_bytes: u16,
}

impl Sequence {
    fn new(id: [u8; 8], length: usize, symbol_bytes: usize) -> Result<Self, FrameError> {
        if length == 0 || length > BUNDLE_BYTES {
            return Err(FrameError::BundleSize { bytes: length });
        }
        let allowed = SYMBOL_BYTES.contains(&symbol_bytes) && symbol_bytes.is_multiple_of(usize::from(ALIGNMENT));
        let refused = FrameError::SymbolSize { bytes: symbol_bytes };
        match u16::try_from(symbol_bytes) {
            Ok(symbol_bytes) if allowed => Ok(Self {
                id,
                length,
                symbol_bytes,
            }),
            _ => Err(refused),
        }
    }

    /// How many different frames are needed at least.
    fn symbols(&self) -> usize {
        self.length.div_ceil(usize::from(self.symbol_bytes))
    }

    fn transmission(&self) -> ObjectTransmissionInformation {
        // At most 1024 symbols: far below what one source block holds.
        ObjectTransmissionInformation::new(self.length as u64, self.symbol_bytes, 1, 1, ALIGNMENT)
    }
}

fn id_of(bundle: &[u8]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(bundle).into();
    let mut id = [0; 8];
    id.copy_from_slice(&digest[..8]);
    id
}

fn check_of(frame: &[u8]) -> [u8; CHECK_BYTES] {
    let digest: [u8; 32] = Sha256::digest(frame).into();
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&digest[..CHECK_BYTES]);
    check
}

/// Shows a bundle as frames.
#[derive(Debug)]
pub struct FrameWriter {
    sequence: Sequence,
    encoder: SourceBlockEncoder,
    source: Vec<EncodingPacket>,
}

impl FrameWriter {
    /// Prepares the frames of a bundle, each with a symbol of this many bytes.
    ///
    /// # Errors
    /// [`FrameError::BundleSize`] and [`FrameError::SymbolSize`].
    pub fn new(bundle: &[u8], symbol_bytes: u16) -> Result<Self, FrameError> {
        let sequence = Sequence::new(id_of(bundle), bundle.len(), usize::from(symbol_bytes))?;
        let symbols = sequence.symbols();
        let mut padded = bundle.to_vec();
        padded.resize(symbols * usize::from(symbol_bytes), 0);
        let plan = SourceBlockEncodingPlan::generate(u16::try_from(symbols).unwrap_or(u16::MAX));
        let encoder = SourceBlockEncoder::with_encoding_plan(0, &sequence.transmission(), &padded, &plan);
        let source = encoder.source_packets();
        Ok(Self {
            sequence,
            encoder,
            source,
        })
    }

    /// How many different frames are needed at least to restore the bundle.
    pub fn needed(&self) -> usize {
        self.sequence.symbols()
    }

    /// The frame of this number, as text. After 2²⁴ frames they start over.
    pub fn frame(&self, number: u32) -> String {
        let number = number % NUMBERS;
        let symbols = u32::try_from(self.source.len()).unwrap_or(u32::MAX);
        let symbol = match self.source.get(number as usize) {
            Some(packet) => packet.data().to_vec(),
            None => {
                let repair = self.encoder.repair_packets(number - symbols, 1);
                repair.first().map(|packet| packet.data().to_vec()).unwrap_or_default()
            }
        };
        let mut frame = vec![VERSION];
        frame.extend_from_slice(&self.sequence.id);
        frame.extend_from_slice(&u32::try_from(self.sequence.length).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend_from_slice(&number.to_be_bytes()[1..]);
        frame.extend_from_slice(&symbol);
        frame.extend_from_slice(&check_of(&frame));
        base45::encode(&frame)
    }
}

/// Restores a bundle from frames.
#[derive(Debug, Default)]
pub struct FrameReader {
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    sequence: Sequence,
    decoder: Decoder,
    numbers: std::collections::HashSet<u32>,
}

/// How far a bundle is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameProgress {
    /// How many different frames were taken.
    pub received: usize,
    /// How many are needed at least.
    pub needed: usize,
    /// The bundle's bytes, once they are whole. They still have to be read as a bundle, which verifies who carries it.
    pub bundle: Option<Vec<u8>>,
}

impl FrameReader {
    /// Waits for the first frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a frame's text; one that was taken before does nothing.
    ///
    /// # Errors
    /// [`FrameError`]; the frames before are as they were, but after [`FrameError::Contradiction`] the reader starts over.
    pub fn take(&mut self, text: &str) -> Result<FrameProgress, FrameError> {
        // Before memory is spent: two bytes take three characters.
        let most = (SYMBOL + SYMBOL_BYTES.end() + CHECK_BYTES).div_ceil(2) * 3;
        if text.len() > most {
            return Err(FrameError::Text { place: most });
        }
        let bytes = base45::decode(text).map_err(|place| FrameError::Text { place })?;
        let (frame, check) = bytes.split_last_chunk::<CHECK_BYTES>().ok_or(FrameError::Check)?;
        if check_of(frame) != *check {
            return Err(FrameError::Check);
        }
        let version = frame.first().copied().ok_or(FrameError::Check)?;
        if version != VERSION {
            return Err(FrameError::UnsupportedVersion { version });
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
        let (Some(id), Some(length), Some(at), Some(symbol)) = (
            frame.get(ID..LENGTH).and_then(|id| <[u8; 8]>::try_from(id).ok()),
            frame.get(LENGTH..NUMBER).map(number),
            frame.get(NUMBER..SYMBOL).map(number),
            frame.get(SYMBOL..),
        ) else {
            return Err(FrameError::Check);
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let sequence = Sequence::new(id, length, symbol.len())?;
        let under_way = self.under_way.get_or_insert_with(|| UnderWay {
            sequence,
            decoder: Decoder::new(sequence.transmission()),
            numbers: std::collections::HashSet::new(),
        });
        if under_way.sequence != sequence {
            return Err(FrameError::OtherBundle);
        }
        let bundle = match under_way.numbers.insert(at) {
            true => {
                let packet = EncodingPacket::new(PayloadId::new(0, at), symbol.to_vec());
                under_way.decoder.decode(packet)
            }
            false => under_way.decoder.get_result(),
        };
        let (received, needed) = (under_way.numbers.len(), sequence.symbols());
        let wrong = bundle.as_ref().is_some_and(|bundle| id_of(bundle) != sequence.id);
        if wrong || (bundle.is_none() && received > needed + HOPELESS) {
            self.under_way = None;
            return Err(FrameError::Contradiction);
        }
        Ok(FrameProgress {
            received,
            needed,
            bundle,
        })
    }
}
