//! The phone: its state, and requests about it.

use std::collections::BTreeMap;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use survey_forms::answers::InstanceId;
use survey_forms::model::{Form, FormDefinition};
use survey_forms::xpath::{EvaluationContext, Moment, RandomSeed, SignatureVerifier};
use sync_core::bundle::frames::FrameReader;
use sync_core::device::{DeviceKey, DevicePublicKey};
use sync_core::exchange::Client;
use sync_core::identity::{ResponseId, RoundId};

use crate::assignment::Assignment;
use crate::carrying::{Parcel, ShownBundle};
use crate::exchange::Exchange;
use crate::frame::Frame;
use crate::household::Household;
use crate::interview::OpenInterview;
use crate::key;
use crate::problem::PhoneError;
use crate::record::{self, Identity, Keys, Progress, Record, RecordId, Settings};
use crate::requests::{PartNumber, Request};
use crate::store::StoreChanges;
use crate::supervision::DecisionRecord;

/// The language of what people read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Language {
    #[default]
    #[serde(rename = "vi")]
    Vietnamese,
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// The language's code (BCP 47).
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Vietnamese => "vi",
            Self::English => "en",
        }
    }
}

/// What a volunteer's phone knows. It begins empty; the request `start` hands in what is stored.
#[derive(Debug, Default)]
pub struct Phone {
    pub(crate) started: bool,
    pub(crate) language: Language,
    pub(crate) next_record: RecordId,
    pub(crate) identity: Option<Identity>,
    /// Its keys, as far as they were needed.
    pub(crate) keys: Keys,
    pub(crate) progress: Progress,
    pub(crate) settings: Settings,
    pub(crate) assignment: Option<(String, Assignment)>,
    pub(crate) form: Option<LoadedForm>,
    pub(crate) households: BTreeMap<String, Household>,
    pub(crate) open: Option<OpenInterview>,
    pub(crate) client: Client,
    pub(crate) exchange: Exchange,
    /// Records that could not be read.
    pub(crate) damaged: Vec<RecordId>,
    /// What is being shown as QR codes.
    pub(crate) shown: Option<ShownBundle>,
    /// What is being scanned.
    pub(crate) frames: FrameReader,
    /// Bundles that only the server can read, carried for others.
    pub(crate) parcels: Vec<Parcel>,
    /// A leader's decisions in the order in which they were made.
    pub(crate) decisions: BTreeMap<RecordId, DecisionRecord>,
}

/// A form with its entity tag.
///
/// A session borrows its form, and both live here together, so a form stays in memory as long as the program: a phone
/// gets a new version a few times in a campaign, and is started anew more often.
#[derive(Debug, Clone)]
pub(crate) struct LoadedForm {
    pub(crate) tag: String,
    pub(crate) form: &'static Form,
}

impl LoadedForm {
    /// Reads a definition.
    ///
    /// # Errors
    /// [`PhoneError::Unreadable`] when it is no definition, [`PhoneError::Form`] when the form has problems.
    pub(crate) fn read(tag: &str, json: &str) -> Result<Self, PhoneError> {
        let definition: FormDefinition = serde_json::from_str(json)?;
        Ok(Self {
            tag: tag.to_owned(),
            form: Box::leak(Box::new(Form::compile(definition)?)),
        })
    }
}

/// One request's time and chance, and what it changes.
pub(crate) struct Turn {
    pub(crate) now: Moment,
    pub(crate) random: ChaCha20Rng,
    pub(crate) store: StoreChanges,
    parts: Vec<Vec<u8>>,
}

impl Turn {
    /// The clock in milliseconds since 1970-01-01T00:00:00Z.
    pub(crate) fn milliseconds(&self) -> i64 {
        self.now.unix_milliseconds
    }

    /// Thirty-two random bytes.
    pub(crate) fn secret(&mut self) -> [u8; 32] {
        let mut secret = [0; 32];
        self.random.fill_bytes(&mut secret);
        secret
    }

    /// A new random identity: 64 bits in hexadecimal.
    pub(crate) fn identity(&mut self) -> String {
        format!("{:016x}", self.random.next_u64())
    }

    /// Takes a part of the request.
    pub(crate) fn part(&mut self, number: PartNumber) -> Result<Vec<u8>, PhoneError> {
        let part = self.parts.get_mut(number).map(std::mem::take);
        part.ok_or(PhoneError::Part(number))
    }
}

/// What a request gives: a value, and bytes with the place in the value (RFC 6901) where their number goes.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    pub(crate) value: Value,
    pub(crate) parts: Vec<(&'static str, Vec<u8>)>,
}

impl From<Value> for Reply {
    fn from(value: Value) -> Self {
        Self {
            value,
            parts: Vec::new(),
        }
    }
}

/// What every request brings beside its name and argument.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Circumstances {
    now: i64,
    utc_offset_minutes: i32,
}

impl Phone {
    /// Handles a request. Both are [`Frame`]s; the reply's head has the member `value` or `problem`, and in `store` what has
    /// to be made durable before anybody learns of it: `put` and `sealed` name records whose contents are the first parts,
    /// `delete` and `unsealed` records to forget, `draft` says whether an interview is open.
    pub fn handle(&mut self, request: &[u8]) -> Vec<u8> {
        let outcome = Frame::read(request).map_err(PhoneError::from).and_then(|frame| {
            let (request, mut turn) = begin(frame)?;
            #[cfg(target_family = "wasm")]
            crate::chance::seed(&mut turn.random);
            let reply = self.reply(request, &mut turn)?;
            Ok((reply, turn.store))
        });
        let mut head = Map::new();
        let mut parts = Vec::new();
        match outcome {
            Ok((reply, store)) => {
                let (told, contents) = store.write();
                parts = contents;
                let mut value = reply.value;
                for (place, bytes) in reply.parts {
                    if let Some(place) = value.pointer_mut(place) {
                        *place = json!(parts.len());
                    }
                    parts.push(bytes);
                }
                head.insert("value".to_owned(), value);
                head.insert("store".to_owned(), told);
            }
            Err(error) => {
                head.insert("problem".to_owned(), error.told(self.language));
            }
        }
        Frame { head, parts }.write()
    }

    fn reply(&mut self, request: Request, turn: &mut Turn) -> Result<Reply, PhoneError> {
        match request {
            Request::DeriveKey {
                pin,
                salt,
                memory_kib,
                iterations,
            } => {
                let salt = turn.part(salt)?;
                return Ok(Reply {
                    value: json!({ "key": null }),
                    parts: vec![("/key", key::derive(&pin, &salt, memory_kib, iterations)?)],
                });
            }
            Request::Start {
                language,
                records,
                damaged,
            } => return self.start(language, &records, damaged, turn),
            _ if !self.started => return Err(PhoneError::NotStarted),
            _ => {}
        }
        let value = match request {
            // Handled above.
            Request::DeriveKey { .. } | Request::Start { .. } => Value::Null,
            Request::BeginEnrolment { code, name } => self.begin_enrolment(code, name, turn),
            Request::BeginInvitation { code } => self.begin_invitation(code),
            Request::Invited => self.invited(),
            Request::BeginSync => self.begin_sync(turn),
            Request::NextRequest => return self.next_request(turn),
            Request::AnswerRequest { status, headers, body } => {
                let body = turn.part(body)?;
                self.answer_request(status, &headers, &body, turn)
            }
            Request::RequestFailed { reason } => self.request_failed(reason),
            Request::SyncState => self.sync_state(),
            Request::Bundle => return self.give(None, turn),
            Request::Frames { first, count } => self.give_frames(None, first, count, turn)?,
            Request::Colleagues => self.colleagues(),
            Request::Give { to } => return self.give(to.as_deref(), turn),
            Request::GiveFrames { to, first, count } => self.give_frames(to.as_deref(), first, count, turn)?,
            Request::Receive { bytes } => {
                let bytes = turn.part(bytes)?;
                self.receive(&bytes, turn)?
            }
            Request::BeginFrames => self.begin_frames(),
            Request::ReceiveFrame { text } => self.receive_frame(&text, turn)?,
            Request::LeaveDraft => {
                self.leave_draft(turn)?;
                Value::Null
            }
            Request::Assignment => self.told_assignment()?,
            Request::SetLanguage { language } => {
                self.set_language(language);
                Value::Null
            }
            Request::RenameVolunteer { name } => self.rename_volunteer(&name, turn)?,
            Request::Households => self.told_households(turn)?,
            Request::Outcomes => self.outcomes()?,
            Request::FailedVisit {
                unit,
                outcome,
                call_back_at,
                position,
            } => self.failed_visit(&unit, &outcome, call_back_at, position, turn)?,
            Request::AddHousehold { hamlet, address } => self.add_household(&hamlet, &address, turn)?,
            Request::CorrectAddress { unit, address } => self.correct_address(&unit, &address, turn)?,
            Request::Conflicts { unit } => self.conflicts(&unit, turn)?,
            Request::Settle { unit, path, value } => self.settle(&unit, &path, value, turn)?,
            Request::Team => self.team(turn)?,
            Request::Decide { units, decision } => self.decide(&units, &decision, turn)?,
            Request::Decisions => self.told_decisions(),
            Request::DismissDecision { id } => self.dismiss_decision(&id, turn),
            Request::Answers { unit } => self.told_answers(&unit, turn)?,
            Request::OpenInterview { unit } => self.open_interview(&unit, turn)?,
            Request::LeaveInterview => self.leave_interview(turn)?,
            Request::SetFormLanguage { language } => self.set_form_language(&language, turn)?,
            Request::KeepAttachment {
                path,
                name,
                media_type,
                bytes,
            } => {
                let bytes = turn.part(bytes)?;
                self.keep_attachment(&path, &name, media_type, bytes, turn)?
            }
            Request::Attachment { name } => return Ok(self.attachment(&name)),
            Request::SetLayout { layout } => self.set_layout(layout, turn)?,
            Request::ConsentToPositions { agreed } => self.consent_to_positions(agreed, turn)?,
            Request::Locate { position } => {
                self.locate(position, turn);
                Value::Null
            }
            other => self.in_interview(other, turn)?,
        };
        Ok(value.into())
    }

    /// A number for a new record.
    pub(crate) fn new_record(&mut self) -> RecordId {
        let id = self.next_record;
        self.next_record += 1;
        id
    }

    pub(crate) fn round(&self) -> Option<RoundId> {
        self.identity.as_ref().and_then(|identity| identity.round)
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.identity.as_ref().and_then(|identity| identity.token.as_deref())
    }

    /// The round and the key that the phone writes with.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`] before it has enrolled.
    pub(crate) fn enrolled(&self) -> Result<(RoundId, DeviceKey), PhoneError> {
        let identity = self.identity.as_ref().ok_or(PhoneError::NotEnrolled)?;
        let round = identity.round.ok_or(PhoneError::NotEnrolled)?;
        Ok((round, self.keys.key(&identity.secret)))
    }

    /// The form.
    ///
    /// # Errors
    /// [`PhoneError::NoForm`] before it was fetched.
    pub(crate) fn loaded_form(&self) -> Result<LoadedForm, PhoneError> {
        self.form.clone().ok_or(PhoneError::NoForm)
    }

    pub(crate) fn save_identity(&self, turn: &mut Turn) {
        if let Some(identity) = &self.identity {
            turn.store.put(record::IDENTITY, &Record::Identity(identity.clone()));
        }
    }

    pub(crate) fn save_progress(&self, turn: &mut Turn) {
        turn.store
            .put(record::PROGRESS, &Record::Progress(self.progress.clone()));
    }

    /// The language in which forms are shown.
    pub(crate) fn form_language(&self) -> String {
        let chosen = self.settings.form_language.clone();
        chosen.unwrap_or_else(|| self.language.code().to_owned())
    }

    /// What a form's expressions about a unit's response see.
    pub(crate) fn context(&self, unit: &str, now: Moment) -> EvaluationContext {
        let mut context = EvaluationContext::new(now, self.form_language());
        if let Ok((round, key)) = self.enrolled() {
            context.device_id = Some(key.actor().to_string());
            // The same for everybody who opens the response, so that what was shuffled stays in its order.
            context.random_seed = Some(RandomSeed(*ResponseId::of(round, unit).0.as_bytes()));
        }
        context.signature_verifier = Some(SignatureVerifier(|key, message, signature| {
            DevicePublicKey(*key).verify(message, signature).is_ok()
        }));
        context
    }

    fn set_language(&mut self, language: Language) {
        self.language = language;
        if self.settings.form_language.is_none()
            && let Some(open) = &mut self.open
        {
            open.session.set_language(language.code());
        }
    }

    fn rename_volunteer(&mut self, name: &str, turn: &mut Turn) -> Result<Value, PhoneError> {
        let name = name.trim();
        let identity = self.identity.as_mut().ok_or(PhoneError::NotEnrolled)?;
        identity.volunteer = (!name.is_empty()).then(|| name.to_owned());
        self.save_identity(turn);
        self.told_assignment()
    }

    /// `Assignment` of the protocol.
    pub(crate) fn told_assignment(&self) -> Result<Value, PhoneError> {
        let identity = self.identity.as_ref().ok_or(PhoneError::NotEnrolled)?;
        let missing = || {
            if identity.revoked {
                PhoneError::Revoked
            } else {
                PhoneError::NotEnrolled
            }
        };
        let (_, assignment) = self.assignment.as_ref().ok_or_else(missing)?;
        let volunteer = identity.volunteer.as_ref().unwrap_or(&assignment.device.name);
        Ok(json!({
            "volunteer": volunteer,
            "round": assignment.round.id.to_string(),
            "roundName": assignment.round.name.get(self.language),
            "open": assignment.round.open,
            "simulated": assignment.round.simulated,
            "hamlets": assignment.device.hamlets,
            "formTitle": assignment.form.title,
            "formVersion": assignment.form.version,
            "revoked": identity.revoked,
            "leader": assignment.device.leader,
            "openInterview": self.open.as_ref().map(|open| &open.unit),
            "asksPositions": self.asks_positions(),
            "positionConsent": self.settings.position_consent,
        }))
    }
}

/// Reads what a request says, and its circumstances.
fn begin(frame: Frame) -> Result<(Request, Turn), PhoneError> {
    let name = frame
        .head
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let wrong = |source| PhoneError::Argument {
        name: name.clone(),
        source,
    };
    let mut parts = frame.parts;
    let seed = parts
        .first()
        .and_then(|seed| <[u8; 32]>::try_from(seed.as_slice()).ok());
    let seed = seed.ok_or(PhoneError::Part(0))?;
    parts[0].clear();
    let circumstances: Circumstances = serde_json::from_value(Value::Object(frame.head.clone())).map_err(wrong)?;
    let argument = frame.head.get("argument").cloned().unwrap_or(Value::Null);
    let request = serde_json::from_value(json!({ "name": name, "argument": argument })).map_err(wrong)?;
    let turn = Turn {
        now: Moment {
            unix_milliseconds: circumstances.now,
            utc_offset_minutes: circumstances.utc_offset_minutes,
        },
        random: ChaCha20Rng::from_seed(seed),
        store: StoreChanges::default(),
        parts,
    };
    Ok((request, turn))
}

/// Draws identities of roster instances, one after the other, from one seed.
pub(crate) fn instance_ids(seed: [u8; 32]) -> Box<dyn FnMut() -> InstanceId> {
    let mut random = ChaCha20Rng::from_seed(seed);
    Box::new(move || InstanceId::new(format!("{:016x}", random.next_u64())))
}
