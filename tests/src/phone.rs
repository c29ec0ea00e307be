//! A phone that talks to a server as phones do, and can be made to misbehave.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::installation::{Installation, Server};
use survey_forms::answers::{AnswerPath, AnswersMut as _};
use sync_core::device::{DeviceKey, Succession};
use sync_core::exchange::{
    Client, Limits, OutgoingChange, Received, Rekeying, SyncRequest, SyncResponse, reconciliation, wire,
};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Edit, Response, ResponseError};
use sync_core::{ActorId, Change};
use ureq::http::Response as HttpResponse;
use ureq::{Agent, Body};
use uuid::Uuid;

/// Keys that phones drew after their first.
static DRAWN: AtomicU64 = AtomicU64::new(0);

/// A key that no other phone of this test has.
pub fn new_key() -> DeviceKey {
    let mut secret = [0xa5; 32];
    secret[..8].copy_from_slice(&DRAWN.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    DeviceKey::from_secret(&secret)
}

/// What the first key of the phone with this number follows from.
fn secret(number: u16) -> [u8; 32] {
    let [high, low] = number.to_be_bytes();
    let mut secret = [low; 32];
    secret[0] ^= high;
    secret
}

/// One enrolled phone with copies of responses.
pub struct Phone {
    /// The key.
    pub key: DeviceKey,
    /// The bearer token.
    pub token: String,
    /// The device's side of the exchange.
    pub client: Client,
    /// Its copies of responses, by unit.
    pub responses: BTreeMap<String, Response>,
    /// How many milliseconds its clock is ahead of this machine's; none for one that goes a minute forward with each edit
    /// and shows 1970 to the server, so that the same changes have the same bytes in each run.
    pub clock_ahead: Option<i64>,
    /// The actors of the keys that it had before.
    earlier: Vec<ActorId>,
    /// What its first key follows from.
    number: u16,
    server: SocketAddr,
    round: RoundId,
    agent: Agent,
    time: i64,
}

/// An answer over HTTP: its status and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The content type.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as a problem (RFC 9457) or other JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Reads an answer to its end.
    pub fn read(mut response: HttpResponse<Body>) -> Self {
        let content_type = response
            .headers()
            .get("content-type")
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default();
        let body = response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
        Self {
            status: response.status().as_u16(),
            content_type,
            body,
        }
    }
}

/// An HTTP client that gives answers of every status.
pub fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().into()
}

/// Sends a request to enrol and gives the answer, whatever it is.
pub fn try_enrol(server: SocketAddr, request: &serde_json::Value) -> Answer {
    Answer::read(
        agent()
            .post(format!("http://{server}/api/v1/devices/enrol"))
            .send_json(request)
            .unwrap(),
    )
}

/// The request with which the holder of two keys puts one in the place of the other.
pub fn rotation_request(succession: &Succession) -> serde_json::Value {
    let signature = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    serde_json::json!({
        "predecessor": succession.predecessor.to_string(),
        "successor": succession.successor.to_string(),
        "by_predecessor": signature(&succession.by_predecessor),
        "by_successor": signature(&succession.by_successor),
    })
}

/// The request with which the holder of `key` enrols.
pub fn enrolment_request(key: &DeviceKey, code: &str) -> serde_json::Value {
    let signature: String = key
        .sign_enrolment(code)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    serde_json::json!({ "code": code, "public_key": key.public().to_string(), "signature": signature })
}

/// This machine's clock, in milliseconds since 1970-01-01T00:00:00Z.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_millis()).unwrap()
}

impl Phone {
    /// A phone that an installation invites for these hamlets and that enrols at its server.
    pub fn of(installation: &Installation, server: &Server, hamlets: &[&str], number: u8) -> Self {
        let code = installation.invite(hamlets);
        Self::enrol(server.address, installation.round, &code, number)
    }

    /// Enrols a phone whose key follows from `number`.
    pub fn enrol(server: SocketAddr, round: Uuid, code: &str, number: u8) -> Self {
        Self::enrol_as(server, round, code, number.into())
    }

    /// As [`Self::enrol`], for more phones than a byte counts.
    pub fn enrol_as(server: SocketAddr, round: Uuid, code: &str, number: u16) -> Self {
        let key = DeviceKey::from_secret(&secret(number));
        let answer = try_enrol(server, &enrolment_request(&key, code));
        assert_eq!(answer.status, 201, "{answer:?}");
        let token = answer.json()["token"].as_str().unwrap().to_owned();
        Self {
            key,
            token,
            client: Client::default(),
            responses: BTreeMap::new(),
            clock_ahead: None,
            earlier: Vec::new(),
            number,
            server,
            round: RoundId(round),
            agent: agent(),
            time: 1_760_000_000,
        }
    }

    /// Another phone with all that this one has, as a backup of it makes one. Only of a phone that has its first key still.
    pub fn copied(&self) -> Self {
        Self {
            key: DeviceKey::from_secret(&secret(self.number)),
            token: self.token.clone(),
            client: Client::new(self.client.state()),
            responses: self.responses.clone(),
            earlier: self.earlier.clone(),
            agent: agent(),
            ..*self
        }
    }

    /// Asks the server to put a key in the place of another, and gives the answer, whatever it is.
    pub fn try_rotate(&self, succession: &Succession) -> Answer {
        let request = self
            .agent
            .post(format!("http://{}/api/v1/devices/rotate", self.server))
            .header("authorization", format!("Bearer {}", self.token));
        Answer::read(request.send_json(rotation_request(succession)).unwrap())
    }

    /// Takes a new key, which the server puts in the place of the old one.
    pub fn rotate(&mut self) {
        let key = new_key();
        let answer = self.try_rotate(&Succession::sign(&self.key, &key));
        assert_eq!(answer.status, 201, "{answer:?}");
        self.token = answer.json()["token"].as_str().unwrap().to_owned();
        let old = std::mem::replace(&mut self.key, key);
        self.earlier.push(old.actor());
        self.client.succeed(old);
    }

    /// Takes a new key and enrols with it, because the old one has another successor.
    pub fn enrol_anew(&mut self, code: &str) {
        let key = new_key();
        let answer = try_enrol(self.server, &enrolment_request(&key, code));
        assert_eq!(answer.status, 201, "{answer:?}");
        self.token = answer.json()["token"].as_str().unwrap().to_owned();
        self.earlier.push(std::mem::replace(&mut self.key, key).actor());
        self.client.begin_again();
    }

    /// Writes again what earlier keys wrote and the log can not take, now that it is known what it has.
    fn rewrite(&mut self) {
        let mut dropped = Vec::new();
        for response in self.responses.values_mut() {
            let rewritten = self.client.rewrite(response, &self.key).unwrap().unwrap();
            dropped.extend(rewritten.replaced.iter().map(|replacement| replacement.dropped));
            *response = rewritten.response;
        }
        self.client.rewrote(dropped);
    }

    /// Moves to another address of the server, as after a restart on another port.
    pub fn move_to(&mut self, server: SocketAddr) {
        self.server = server;
    }

    /// Enrols also at another server, and speaks with that one from now on.
    pub fn switch(&mut self, installation: &Installation, server: &Server, hamlets: &[&str]) {
        let code = installation.invite(hamlets);
        let answer = try_enrol(server.address, &enrolment_request(&self.key, &code));
        assert_eq!(answer.status, 201, "{answer:?}");
        self.token = answer.json()["token"].as_str().unwrap().to_owned();
        self.server = server.address;
    }

    /// Interviews a household about one question.
    pub fn interview(&mut self, unit: &str, fibre_available: &str) {
        self.edit(unit, |edit| {
            edit.put_answer(&AnswerPath::top("consent"), &"yes".into())?;
            edit.put_answer(&AnswerPath::top("visit_outcome"), &"completed".into())?;
            edit.put_answer(&AnswerPath::top("fibre_available"), &fibre_available.into())
        });
    }

    /// The round.
    pub fn round(&self) -> RoundId {
        self.round
    }

    /// Edits the phone's copy of a response; the change waits for the next exchange.
    pub fn edit(
        &mut self,
        unit: &str,
        edit: impl FnOnce(&mut Edit<'_>) -> Result<(), ResponseError>,
    ) -> Option<Change> {
        self.time += 60;
        let time = self
            .clock_ahead
            .map_or(self.time, |ahead| (now() + ahead).div_euclid(1000));
        let (actor, round) = (self.key.actor(), self.round);
        let ((), change) = self.open(unit).edit(&actor, time, edit).unwrap();
        if let Some(change) = change.clone() {
            self.client.enqueue(OutgoingChange {
                round,
                unit: unit.to_owned(),
                change,
            });
        }
        change
    }

    /// The phone's copy of a response.
    pub fn open(&mut self, unit: &str) -> &mut Response {
        let id = ResponseId::of(self.round, unit);
        self.responses
            .entry(unit.to_owned())
            .or_insert_with(|| Response::new(id).unwrap())
    }

    /// Sends bytes as a sync request and gives the answer, whatever it is.
    pub fn post(&self, body: &[u8]) -> Answer {
        match self.try_post(body) {
            // A server that refuses a request without reading it closes the connection, which the next request may find out
            // too late. As a phone would, it sends again.
            Err(ureq::Error::Io(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => self.try_post(body),
            answer => answer,
        }
        .unwrap()
    }

    /// Sends bytes as a sync request and gives the answer, or why there is none.
    ///
    /// # Errors
    /// When the connection is not made or breaks.
    pub fn try_post(&self, body: &[u8]) -> Result<Answer, ureq::Error> {
        let request = self
            .agent
            .post(format!("http://{}/api/v1/sync", self.server))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", wire::CONTENT_TYPE)
            .header("content-encoding", wire::CONTENT_ENCODING);
        Ok(Answer::read(request.send(body)?))
    }

    /// Sends a request and gives the server's answer, which must be one.
    pub fn exchange(&self, request: &SyncRequest) -> SyncResponse {
        let answer = self.post(&wire::encode(request).unwrap());
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        wire::decode(
            &answer.body,
            &Limits {
                compressed_bytes: 64 << 20,
                ..Limits::default()
            },
        )
        .unwrap()
    }

    /// Sends again what the server's log was found not to have of what this phone wrote.
    pub fn offer(&mut self) {
        let round = self.round;
        let actors = self.earlier.iter().cloned().chain([self.key.actor()]);
        let actors: Vec<ActorId> = actors.collect();
        let mut written = Vec::new();
        for (unit, response) in &self.responses {
            for actor in &actors {
                written.extend(OutgoingChange::written_by(actor, round, unit, response));
            }
        }
        self.client.offer(written);
    }

    /// A request with these changes of one unit and no others, signed by the phone.
    pub fn carrying(&self, unit: &str, changes: &[&Change]) -> SyncRequest {
        let mut client = Client::default();
        for change in changes {
            client.enqueue(self.outgoing(unit, change));
        }
        client.request(&self.key, self.device_time(), usize::MAX)
    }

    /// What its clock shows to the server, in milliseconds since 1970-01-01T00:00:00Z.
    pub fn device_time(&self) -> i64 {
        self.clock_ahead.map_or(0, |ahead| now() + ahead)
    }

    /// A change on its way to the server.
    pub fn outgoing(&self, unit: &str, change: &Change) -> OutgoingChange {
        OutgoingChange {
            round: self.round,
            unit: unit.to_owned(),
            change: change.clone(),
        }
    }

    /// Begins to compare what it has with the server's log, in which its cursor is not.
    pub fn reconcile(&mut self) {
        let here = self.responses.values().flat_map(Response::changes);
        let limits = reconciliation::Limits {
            change_bytes: None,
            ..reconciliation::Limits::default()
        };
        self.client
            .reconcile(here.map(|change| change.hash()), reconciliation::Salt([7; 16]), limits);
    }

    /// Exchanges everything and takes in what others wrote.
    pub fn sync(&mut self) -> Vec<Received> {
        let mut all = Vec::new();
        loop {
            let device_time = self.device_time();
            let request = self.client.request(&self.key, device_time, 1 << 20);
            let response = self.exchange(&request);
            let received = self.client.receive(response, device_time);
            for group in &received.responses {
                let changes: Vec<Change> = group
                    .changes
                    .iter()
                    .map(|bytes| Change::try_from(bytes.as_slice()).unwrap())
                    .collect();
                // Where this phone is about to take a new key, the log has what does not fit.
                let fits = self.open(&group.unit).apply(changes);
                assert!(fits.is_ok() || !self.client.stranded().is_empty(), "{fits:?}");
            }
            for erased in &received.erased {
                self.responses.remove(&erased.unit);
            }
            if received.unknown_cursor {
                self.reconcile();
            }
            if received.whole_log {
                if self.client.rekeying(&self.key) == Some(Rekeying::Rewrite) {
                    self.rewrite();
                }
                self.offer();
            }
            match self.client.rekeying(&self.key) {
                Some(Rekeying::NewKey) => {
                    self.rotate();
                    self.reconcile();
                }
                Some(Rekeying::BeginAgain) => {
                    self.client.begin_again();
                    self.reconcile();
                }
                Some(Rekeying::Rewrite) | None => {}
            }
            all.push(received);
            if !self.client.pending() {
                return all;
            }
        }
    }
}
