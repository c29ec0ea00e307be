//! Pictures, recordings and other files that answers name: kept until the server has them. They are sealed nowhere, so that a
//! phone that holds some counts as one with an open interview.

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use survey_forms::answers::{AnswerPath, Value as Answer};
use sync_core::exchange::{BatchedFile, FileBatch};

use crate::interview::OpenInterview;
use crate::phone::{Phone, Reply, Turn};
use crate::problem::PhoneError;
use crate::record::{AttachmentRecord, Record, RecordId};

/// Bytes of a file at most, as the server takes it.
const MAX_BYTES: usize = 8 << 20;
/// Bytes of the content's SHA-256 that its name begins with.
const HASH_BYTES: usize = 16;
/// Bytes of logs that are sent together, before compression, which takes them to about a twentieth: half a minute on a slow line.
const LOGS_BYTES: usize = 512 << 10;
/// Characters of an extension at most.
const EXTENSION: usize = 8;

/// What the server says of several files, in their order.
#[derive(Deserialize)]
struct FileStatuses {
    statuses: Vec<u16>,
}

impl Phone {
    /// Answers a question of the open interview with a file.
    pub(crate) fn keep_attachment(
        &mut self,
        path: &AnswerPath,
        given_name: &str,
        media_type: String,
        bytes: Vec<u8>,
        turn: &mut Turn,
    ) -> Result<Value, PhoneError> {
        if bytes.len() > MAX_BYTES {
            return Err(PhoneError::Refused {
                vi: format!(
                    "Tệp lớn hơn {} MB; hãy chụp nhỏ hơn hoặc ghi ngắn hơn.",
                    MAX_BYTES >> 20
                ),
                en: format!(
                    "The file has more than {} MB; take a smaller picture or a shorter recording.",
                    MAX_BYTES >> 20
                ),
            });
        }
        let open = self.open.as_mut().ok_or(PhoneError::NoInterview)?;
        let name = name_of(&bytes, &extension(given_name));
        let refused = open.answer(path, Some(Answer::Text(name.clone())), turn.now);
        let unit = open.unit.clone();
        self.keep_steps(turn);
        self.keep_events(turn);
        let household = self.households.entry(unit.clone()).or_default();
        let is_known = household.attachments.iter().any(|(_, kept)| kept.name == name);
        if refused.is_none() && !is_known {
            let kept = AttachmentRecord {
                unit: unit.clone(),
                name,
                media_type,
                bytes: bytes.into(),
                is_log: false,
            };
            let record = self.new_record();
            turn.store.put(record, &Record::Attachment(kept.clone()));
            turn.store.draft(true);
            let household = self.households.entry(unit).or_default();
            household.attachments.push((record, kept));
        }
        Ok(json!({ "interview": self.told_interview(turn)?, "refused": refused }))
    }

    /// Keeps the log of a visit, and gives its name.
    pub(crate) fn keep_log(&mut self, unit: &str, log: String, turn: &mut Turn) -> String {
        let name = name_of(log.as_bytes(), "csv");
        let kept = AttachmentRecord {
            unit: unit.to_owned(),
            name: name.clone(),
            media_type: "text/csv".to_owned(),
            bytes: log.into_bytes().into(),
            is_log: true,
        };
        let record = self.new_record();
        turn.store.put(record, &Record::Attachment(kept.clone()));
        let household = self.households.entry(unit.to_owned()).or_default();
        household.attachments.push((record, kept));
        name
    }

    /// A file that this phone has: `{type, bytes}`, or nothing where the server has it and the phone no longer does.
    pub(crate) fn attachment(&self, name: &str) -> Reply {
        let mut files = self.files();
        let Some((_, file)) = files.find(|(_, file)| file.name == name) else {
            return Value::Null.into();
        };
        Reply {
            value: json!({ "type": file.media_type, "bytes": null }),
            parts: vec![("/bytes", file.bytes.to_vec())],
        }
    }

    /// Forgets files of the visit that ends which no answer names: pictures that were taken again.
    pub(crate) fn drop_unnamed(&mut self, open: &OpenInterview, turn: &mut Turn) {
        let asked = open.session.questions();
        let named: Vec<String> = asked
            .iter()
            .filter_map(|asked| open.session.value(&asked.path))
            .map(|value| value.to_string())
            .collect();
        let Some(household) = self.households.get_mut(&open.unit) else {
            return;
        };
        household.attachments.retain(|(record, file)| {
            let stays = file.is_log || named.contains(&file.name);
            if !stays {
                turn.store.delete(*record);
            }
            stays
        });
    }

    /// Whether there are files of answers that the server does not have. The log of a visit is none: for its sake nobody's
    /// answers stay on a phone that somebody tries to open.
    pub(crate) fn holds_attachments(&self) -> bool {
        self.files().any(|(_, file)| !file.is_log)
    }

    /// The next file to send that was not tried: one whose interview is open may still be taken again.
    pub(crate) fn file_to_send(&self, tried: &[RecordId]) -> Option<RecordId> {
        let open = self.open.as_ref().map(|open| open.unit.as_str());
        let mut files = self.files().filter(|(_, file)| !file.is_log);
        let file = files.find(|(record, file)| open != Some(file.unit.as_str()) && !tried.contains(record));
        file.map(|(record, _)| *record)
    }

    /// The next logs of visits to send together that were not tried.
    pub(crate) fn logs_to_send(&self, tried: &[RecordId]) -> Vec<RecordId> {
        let mut room = LOGS_BYTES;
        let untried = self
            .files()
            .filter(|(record, file)| file.is_log && !tried.contains(record));
        let fitting = untried.take_while(|(_, file)| {
            let is_first = room == LOGS_BYTES;
            let rest = room.checked_sub(file.bytes.len());
            room = rest.unwrap_or(0);
            is_first || rest.is_some()
        });
        fitting.map(|(record, _)| *record).collect()
    }

    /// These files as one message.
    pub(crate) fn batch_of(&self, records: &[RecordId]) -> FileBatch {
        let files = records.iter().filter_map(|record| self.file(*record));
        FileBatch {
            files: files
                .map(|(unit, file)| BatchedFile {
                    unit: unit.to_owned(),
                    name: file.name.clone(),
                    media_type: file.media_type.clone(),
                    bytes: file.bytes.clone(),
                })
                .collect(),
        }
    }

    /// What the server says of the logs that were sent. What was erased is kept nowhere; what it does not take waits for the
    /// next exchange.
    pub(crate) fn take_logged(&mut self, sent: &[RecordId], body: &[u8], turn: &mut Turn) -> Result<(), PhoneError> {
        let told: FileStatuses = serde_json::from_slice(body)?;
        for (record, status) in sent.iter().zip(told.statuses) {
            if matches!(status, 200..=204 | 410) {
                self.forget_file(*record, turn);
            }
        }
        Ok(())
    }

    /// A file and its unit.
    pub(crate) fn file(&self, record: RecordId) -> Option<(&str, &AttachmentRecord)> {
        let mut files = self.files();
        let (_, file) = files.find(|(other, _)| *other == record)?;
        Some((&file.unit, file))
    }

    /// The server has the file.
    pub(crate) fn forget_file(&mut self, record: RecordId, turn: &mut Turn) {
        for household in self.households.values_mut() {
            household.attachments.retain(|(other, _)| *other != record);
        }
        turn.store.delete(record);
        let is_open = self.open.as_ref().is_some_and(|open| open.is_touched());
        turn.store.draft(is_open || self.holds_attachments());
    }

    fn files(&self) -> impl Iterator<Item = &(RecordId, AttachmentRecord)> {
        self.households.values().flat_map(|household| &household.attachments)
    }
}

/// The name of a file: the beginning of its content's hash, and an extension.
fn name_of(bytes: &[u8], extension: &str) -> String {
    let hash = Sha256::digest(bytes);
    let digits: String = hash.iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}.{extension}")
}

/// The extension of a file's name, if it is a plain one.
fn extension(name: &str) -> String {
    let extension = name
        .rsplit_once('.')
        .map_or("", |(_, extension)| extension)
        .to_ascii_lowercase();
    let is_plain = (1..=EXTENSION).contains(&extension.len())
        && extension
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if is_plain { extension } else { "bin".to_owned() }
}
