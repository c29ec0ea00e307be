//! Requests and replies as bytes: a JSON text, and beside it parts that JSON would only make longer.
//!
//! `length of the JSON (u32, little-endian) | JSON | parts`. The JSON's member `parts` lists the parts' lengths in bytes.

use serde_json::{Map, Value, json};
use thiserror::Error;

/// The longest frame that is taken: a phone's whole storage comes as one at the start.
pub const MAX_FRAME_BYTES: usize = 256 << 20;

/// The member of the JSON that lists the lengths.
const PARTS: &str = "parts";

/// A request or a reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frame {
    /// What is said.
    pub head: Map<String, Value>,
    /// Bytes that the head refers to by their number from 0.
    pub parts: Vec<Vec<u8>>,
}

/// Why bytes are no frame.
#[derive(Debug, Error)]
pub enum FrameError {
    /// They end too early.
    #[error("the frame ends at byte {found}, {expected} were announced")]
    Short {
        /// Bytes announced.
        expected: usize,
        /// Bytes there.
        found: usize,
    },
    /// The head is no JSON object.
    #[error("the frame's head is no JSON object: {0}")]
    Head(#[from] serde_json::Error),
    /// The head's list of parts is none.
    #[error("the frame's member `parts` lists no lengths in bytes")]
    Parts,
}

impl FrameError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Short { expected, found } => format!("gói tin dừng ở byte {found}, đã báo {expected} byte"),
            Self::Head(error) => format!("phần đầu gói tin không phải là đối tượng JSON: {error}"),
            Self::Parts => "thành phần `parts` của gói tin không phải là danh sách độ dài".to_owned(),
        }
    }
}

impl Frame {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`FrameError`] when the bytes are none.
    pub fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        let short = |expected| FrameError::Short {
            expected,
            found: bytes.len(),
        };
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| short(4))?;
        let length = u32::from_le_bytes(*length) as usize;
        let (head, mut rest) = rest.split_at_checked(length).ok_or_else(|| short(4 + length))?;
        let head: Map<String, Value> = serde_json::from_slice(head)?;
        let lengths = match head.get(PARTS) {
            None => Vec::new(),
            Some(lengths) => lengths
                .as_array()
                .and_then(|lengths| lengths.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>())
                .ok_or(FrameError::Parts)?,
        };
        let mut parts = Vec::with_capacity(lengths.len().min(rest.len()));
        for length in lengths {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let there = bytes.len() - rest.len();
            let (part, after) = rest
                .split_at_checked(length)
                .ok_or_else(|| short(there.saturating_add(length)))?;
            parts.push(part.to_vec());
            rest = after;
        }
        Ok(Self { head, parts })
    }

    /// The frame as bytes.
    pub fn write(mut self) -> Vec<u8> {
        let lengths: Vec<usize> = self.parts.iter().map(Vec::len).collect();
        self.head.insert(PARTS.to_owned(), json!(lengths));
        // A map with text keys and JSON values is always written.
        let head = serde_json::to_vec(&self.head).unwrap_or_default();
        let mut bytes = Vec::with_capacity(4 + head.len() + lengths.iter().sum::<usize>());
        bytes.extend_from_slice(&u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&head);
        for part in &self.parts {
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written_and_a_broken_one_is_refused() {
        let mut frame = Frame {
            head: Map::new(),
            parts: vec![vec![1, 2, 3], vec![], vec![4]],
        };
        frame.head.insert("name".to_owned(), json!("answer"));
        let bytes = frame.clone().write();
        let read = Frame::read(&bytes).unwrap();
        assert_eq!((&read.head["name"], &read.parts), (&frame.head["name"], &frame.parts));
        for end in 0..bytes.len() {
            assert!(Frame::read(&bytes[..end]).is_err(), "{end}");
        }
        assert!(matches!(
            Frame::read(&[2, 0, 0, 0, b'[', b']']),
            Err(FrameError::Head(_))
        ));
        let negative = br#"{"parts":[-1]}"#;
        let bytes = [&u32::try_from(negative.len()).unwrap().to_le_bytes()[..], negative].concat();
        assert!(matches!(Frame::read(&bytes), Err(FrameError::Parts)));
    }
}
