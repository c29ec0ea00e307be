//! The exchange with the server: enrolling, the assignment, pushing and pulling, new keys.
//!
//! The worker asks `next_request` what to send and hands the answer to `answer_request`, until there is nothing more. Each
//! answer is durable before the next request is made, and sending anything twice is harmless, so a phone that stops
//! anywhere goes on from there.

mod answers;
mod invitation;
mod rekeying;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sync_core::bundle::MEDIA_TYPE;
use sync_core::device::DeviceKey;
use sync_core::exchange::{Coding, PieceSize, wire};

use self::invitation::Invited;
use crate::carrying::Batch;
use crate::phone::{Language, Phone, Reply, Turn};
use crate::problem::PhoneError;
use crate::record::{Identity, RecordId, Secret};
use crate::requests::Failure;

/// How messages are compressed. The compressor of brotli would be a third of what phones download for this core.
const CODING: Coding = Coding::Deflate;
/// How long an assignment is taken for current, in milliseconds.
const ASSIGNMENT_AGE: i64 = 5 * 60 * 1000;
/// A clock that is wrong by less does not matter to anybody, in milliseconds.
const CLOCK_TOLERANCE: i64 = 5 * 60 * 1000;

/// How the exchange stands. It is forgotten when the app is closed.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    running: Option<Run>,
    /// What was asked last and not answered yet.
    asked: Option<Ask>,
    /// What of others' was brought with it.
    brought: Batch,
    /// The logs that were sent with it.
    logs: Vec<RecordId>,
    /// Why the last attempt failed.
    problem: Option<Told>,
    /// How much the exchange that is running, or the last one, moved.
    moved: Moved,
    /// Whom the invitation is for that was asked about last.
    invited: Invited,
}

/// What an exchange moved.
#[derive(Debug, Default)]
struct Moved {
    /// Changes that were unsent when it began, and those sent since.
    to_send: usize,
    sent: usize,
    /// Responses that came from others.
    received: usize,
}

/// One exchange.
#[derive(Debug, Default)]
struct Run {
    /// The code of the invitation that is asked about, and nothing else.
    invitation: Option<String>,
    /// Whether the assignment is to be asked for.
    assignment_due: bool,
    /// Whether the form was asked for: a version that comes in between is for the next exchange.
    form_asked: bool,
    /// Whether changes were exchanged.
    synced: bool,
    /// What the last request was sent at, by the phone's clock.
    sent_at: i64,
    /// Whether the server said nothing of the decisions that it was told last, so that they wait for the next exchange.
    decisions_tried: bool,
    /// Files, and what is carried for others, that were tried: what is not taken does not hold up the rest.
    tried: Vec<RecordId>,
}

/// What is asked of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Invitation,
    Enrol,
    Rotate,
    Assignment,
    Form,
    Sync,
    /// Brings what is carried for others.
    Bundles,
    /// A file, by its record.
    Attachment(RecordId),
    /// The logs of visits, some together.
    Logs,
    /// A leader's decisions.
    Decisions,
}

/// A problem, for people.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Told {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

impl Told {
    fn new(language: Language, kind: &str, vi: (&str, &str), en: (&str, &str)) -> Self {
        let (title, detail) = match language {
            Language::Vietnamese => vi,
            Language::English => en,
        };
        Self {
            kind: format!("/problems/{kind}"),
            title: title.to_owned(),
            detail: detail.to_owned(),
        }
    }

    /// What happened and what would be right.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    fn is(&self, name: &str) -> bool {
        self.kind.strip_prefix("/problems/") == Some(name)
    }
}

impl Phone {
    /// Begins to enrol. The key is kept before the server hears of it, so that a phone whose answer was lost asks again
    /// with the same.
    pub(crate) fn begin_enrolment(&mut self, code: String, name: Option<String>, turn: &mut Turn) -> Value {
        let secret = Secret(turn.secret());
        match &mut self.identity {
            // The same invitation again: the answer was lost.
            Some(identity) if identity.code.as_ref() == Some(&code) => {}
            // A phone whose key is another phone's as well goes on with one of its own.
            Some(identity) => {
                identity.secret = secret;
                identity.code = Some(code);
                identity.token = None;
                identity.next = None;
                identity.revoked = false;
            }
            None => {
                self.identity = Some(Identity {
                    secret,
                    code: Some(code),
                    name: None,
                    token: None,
                    round: None,
                    predecessors: Vec::new(),
                    next: None,
                    volunteer: None,
                    revoked: false,
                });
            }
        }
        if let Some(identity) = &mut self.identity {
            // Everybody is to read the name that was taken, also here.
            if name.is_some() {
                identity.volunteer = None;
            }
            identity.name = name;
        }
        self.save_identity(turn);
        self.begin(true);
        self.sync_state()
    }

    /// Begins an exchange; one that is under way goes on.
    pub(crate) fn begin_sync(&mut self, turn: &mut Turn) -> Value {
        if self.exchange.running.is_none() {
            let asked_at = self.progress.assignment_asked_at;
            let age = asked_at.map(|asked_at| turn.milliseconds().saturating_sub(asked_at));
            // A clock that was set back makes it due as well.
            self.begin(age.is_none_or(|age| !(0..ASSIGNMENT_AGE).contains(&age)));
            self.client.ask_again();
        }
        self.sync_state()
    }

    fn begin(&mut self, assignment_due: bool) {
        self.exchange.problem = None;
        self.exchange.moved = Moved {
            to_send: self.client.unacknowledged(),
            ..Moved::default()
        };
        self.exchange.running = Some(Run {
            assignment_due,
            ..Run::default()
        });
    }

    /// What to ask the server next: `{"request": {method, path, headers, body}}` or `{"done": true}`.
    pub(crate) fn next_request(&mut self, turn: &mut Turn) -> Result<Reply, PhoneError> {
        let Some(ask) = self.next_ask() else {
            return self.done(turn);
        };
        self.exchange.asked = Some(ask);
        let now = turn.milliseconds();
        if let Some(run) = &mut self.exchange.running {
            run.sent_at = now;
            run.form_asked |= ask == Ask::Form;
        }
        let round = self.round().map_or_else(String::new, |round| round.to_string());
        let mut headers: BTreeMap<&str, String> = BTreeMap::new();
        headers.insert("accept-language", self.language.code().to_owned());
        if let Some(token) = self.token() {
            headers.insert("authorization", format!("Bearer {token}"));
        }
        let (method, path, body) = match ask {
            Ask::Invitation => {
                headers.insert("content-type", "application/json".to_owned());
                (
                    "POST",
                    "/api/v1/devices/invitation".to_owned(),
                    Some(self.invitation_question()?),
                )
            }
            Ask::Enrol => {
                headers.insert("content-type", "application/json".to_owned());
                ("POST", "/api/v1/devices/enrol".to_owned(), Some(self.enrolment()?))
            }
            Ask::Rotate => {
                headers.insert("content-type", "application/json".to_owned());
                ("POST", "/api/v1/devices/rotate".to_owned(), Some(self.rotation()?))
            }
            Ask::Assignment => {
                if let Some((tag, _)) = &self.assignment {
                    headers.insert("if-none-match", tag.clone());
                }
                ("GET", format!("/api/v1/rounds/{round}/assignment"), None)
            }
            Ask::Form => ("GET", format!("/api/v1/rounds/{round}/definition"), None),
            Ask::Attachment(record) => {
                let (unit, file) = self.file(record).ok_or(PhoneError::NothingUnsent)?;
                headers.insert("content-type", file.media_type.clone());
                let path = format!(
                    "/api/v1/rounds/{round}/units/{}/attachments/{}",
                    escaped(unit),
                    file.name
                );
                let bytes = file.bytes.to_vec();
                if let Some(run) = &mut self.exchange.running {
                    run.tried.push(record);
                }
                ("PUT", path, Some(bytes))
            }
            Ask::Logs => {
                let tried = self.exchange.running.as_ref().map_or(&[][..], |run| &run.tried);
                let logs = self.logs_to_send(tried);
                let body = wire::encode_as(&self.batch_of(&logs), CODING)?;
                if let Some(run) = &mut self.exchange.running {
                    run.tried.extend(&logs);
                }
                self.exchange.logs = logs;
                headers.insert("content-type", wire::CONTENT_TYPE.to_owned());
                headers.insert("content-encoding", CODING.name().to_owned());
                ("POST", format!("/api/v1/rounds/{round}/attachments"), Some(body))
            }
            Ask::Bundles => {
                let tried = self.exchange.running.as_ref().map_or(&[][..], |run| &run.tried);
                let batch = self.next_batch(tried).unwrap_or_default();
                let body = self.batch_body(&batch, turn)?;
                if let Some(run) = &mut self.exchange.running {
                    run.tried.extend(&batch.records);
                }
                self.exchange.brought = batch;
                headers.insert("content-type", MEDIA_TYPE.to_owned());
                ("POST", "/api/v1/bundles".to_owned(), Some(body))
            }
            Ask::Decisions => {
                headers.insert("content-type", "application/json".to_owned());
                let path = format!("/api/v1/rounds/{round}/supervision");
                ("POST", path, Some(self.decisions_to_send()?))
            }
            Ask::Sync => {
                let (_, key) = self.enrolled()?;
                let piece = self.client.piece_size();
                let request = self.client.request(&key, now, piece.bytes());
                headers.insert("content-type", wire::CONTENT_TYPE.to_owned());
                headers.insert("content-encoding", CODING.name().to_owned());
                (
                    "POST",
                    "/api/v1/sync".to_owned(),
                    Some(wire::encode_as(&request, CODING)?),
                )
            }
        };
        let request = json!({ "method": method, "path": path, "headers": headers, "body": null });
        Ok(Reply {
            value: json!({ "request": request }),
            parts: body.map(|body| ("/request/body", body)).into_iter().collect(),
        })
    }

    fn next_ask(&self) -> Option<Ask> {
        let run = self.exchange.running.as_ref()?;
        if run.invitation.is_some() {
            return Some(Ask::Invitation);
        }
        let identity = self.identity.as_ref()?;
        if identity.token.is_none() {
            return identity.code.as_ref().map(|_| Ask::Enrol);
        }
        if identity.next.is_some() {
            return Some(Ask::Rotate);
        }
        let assignment = match &self.assignment {
            None if !identity.revoked => return Some(Ask::Assignment),
            None => None,
            Some((_, assignment)) => Some(assignment),
        };
        // What is being filled in is not changed under the volunteer's hands.
        if let Some(assignment) = assignment
            && self.open.is_none()
            && !run.form_asked
            && self.form.as_ref().is_none_or(|form| form.tag != assignment.form.tag)
            && !identity.revoked
        {
            return Some(Ask::Form);
        }
        // First, since what this phone wrote may build on it.
        if self.next_batch(&run.tried).is_some() {
            return Some(Ask::Bundles);
        }
        if !run.synced || self.client.pending() {
            return Some(Ask::Sync);
        }
        if !identity.revoked && !self.logs_to_send(&run.tried).is_empty() {
            return Some(Ask::Logs);
        }
        if let Some(record) = self.file_to_send(&run.tried)
            && !identity.revoked
        {
            return Some(Ask::Attachment(record));
        }
        // After the answers, which the server must have to know what a review is about.
        if self.has_waiting_decisions() && !run.decisions_tried && !identity.revoked {
            return Some(Ask::Decisions);
        }
        (run.assignment_due && !identity.revoked).then_some(Ask::Assignment)
    }

    fn done(&mut self, turn: &mut Turn) -> Result<Reply, PhoneError> {
        if let Some(run) = self.exchange.running.take()
            && run.synced
        {
            self.progress.last_success = Some(turn.milliseconds());
            if self.client.state().caught_up {
                self.progress.mended = self.damaged.clone();
            }
            self.save_progress(turn);
            if self.identity.as_ref().is_some_and(|identity| identity.revoked) {
                self.forget_answers(turn)?;
            }
        }
        Ok(json!({ "done": true }).into())
    }

    /// No answer came, or none of the server's: what was sent is sent again some other time.
    pub(crate) fn request_failed(&mut self, reason: Failure) -> Value {
        if matches!(self.exchange.asked.take(), Some(Ask::Sync | Ask::Bundles)) {
            self.client.disconnected();
        }
        self.exchange.running = None;
        let (vi, en) = match reason {
            Failure::Network => (
                (
                    "Không liên lạc được với máy chủ",
                    "Máy sẽ tự gửi lại khi có mạng. Phiếu vẫn an toàn trên máy.",
                ),
                (
                    "The server cannot be reached",
                    "The phone tries again when there is a network. Answers are safe on it.",
                ),
            ),
            Failure::Portal => (
                (
                    "Mạng này chưa vào được Internet",
                    "Mạng Wi-Fi đang trả về trang khác thay cho máy chủ. Hãy đăng nhập mạng đó hoặc dùng mạng khác.",
                ),
                (
                    "This network does not reach the server",
                    "Another page answers in its place. Log in to the network or use another one.",
                ),
            ),
            Failure::Timeout => (
                (
                    "Máy chủ trả lời quá chậm",
                    "Mạng yếu; máy sẽ thử lại với từng phần nhỏ hơn.",
                ),
                (
                    "The server answers too slowly",
                    "The network is weak; the phone tries again in smaller pieces.",
                ),
            ),
        };
        self.exchange.problem = Some(Told::new(self.language, "unreachable", vi, en));
        self.sync_state()
    }

    /// `SyncState` of the protocol, as far as the core knows it.
    pub(crate) fn sync_state(&self) -> Value {
        let run = self.exchange.running.as_ref();
        let unsent = self
            .households
            .values()
            .filter(|household| !household.outgoing.is_empty())
            .count();
        let clock = self.progress.clock_ahead.filter(|ahead| ahead.abs() > CLOCK_TOLERANCE);
        json!({
            "phase": if run.is_some() { "running" } else { "idle" },
            "unsentResponses": unsent,
            "unsentChanges": self.client.unacknowledged(),
            "carriedResponses": self.carried_responses(),
            "carriedParcels": self.parcels.len(),
            "sentNow": self.exchange.moved.sent,
            "toSendNow": self.exchange.moved.to_send,
            "received": self.exchange.moved.received,
            "lastSuccess": self.progress.last_success,
            "problem": self.exchange.problem,
            "retryAt": null,
            "clockAhead": clock,
        })
    }

    /// What an enrolment sends.
    fn enrolment(&self) -> Result<Vec<u8>, PhoneError> {
        let identity = self.identity.as_ref().ok_or(PhoneError::NotEnrolled)?;
        let key = DeviceKey::from_secret(&identity.secret.0);
        let code = identity.code.as_deref().unwrap_or_default();
        let request = json!({
            "code": code,
            "public_key": key.public().to_string(),
            "signature": hexadecimal(&key.sign_enrolment(code)),
            "name": identity.name,
        });
        Ok(serde_json::to_vec(&request)?)
    }

    /// Whether a piece could still be smaller.
    fn can_shrink(&self) -> bool {
        self.client.piece_size().bytes() > PieceSize::SMALLEST
    }
}

/// A unit's code in a path (RFC 3986, section 2.1).
fn escaped(unit: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    unit.bytes().map(escape).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
