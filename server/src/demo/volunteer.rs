//! A volunteer's phone: its key, its copies of responses, its wrong clock, and its exchange with the server.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, ETAG};
use hyper::{Method, Request, Response as HttpResponse, StatusCode};
use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;
use sync_core::device::DeviceKey;
use sync_core::exchange::{Client, Limits, OutgoingChange, SyncResponse, reconciliation, wire};
use sync_core::identity::{ResponseId, RoundId};
use sync_core::response::{Edit, Response, Visit};
use sync_core::{Change, ChangeHash};

use super::network::{self, Break, NetworkError};
use super::progress::Progress;
use crate::cli::Failure;
use crate::clock;
use crate::devices::{Enrolment, EnrolmentRequest};
use crate::hex;
use crate::rounds::AssignedUnit;

/// How often in a row a phone tries to reach a server that does not answer before it gives up.
const ATTEMPTS: u32 = 240;
/// How long it waits between two attempts.
const PATIENCE: Duration = Duration::from_millis(250);
/// Of how many exchanges one breaks.
const BREAKS: f64 = 0.2;

/// One volunteer with a phone.
pub(super) struct Volunteer {
    key: DeviceKey,
    server: SocketAddr,
    token: String,
    round: RoundId,
    client: Client,
    responses: BTreeMap<String, Response>,
    /// What this phone has written in this run of the demo.
    written: BTreeSet<ChangeHash>,
    /// What the server sent before this run has come to the moment at which it was written.
    early: Vec<(String, Change)>,
    /// The true time in the simulation, in seconds since 1970-01-01T00:00:00Z.
    time: i64,
    /// How far the phone's clock is ahead, in seconds.
    clock_ahead: i64,
    /// Chances of the network. They are apart from the chances of the answers, so that a retry changes no answer.
    luck: ChaCha12Rng,
    pace: Duration,
    progress: Progress,
}

/// What a phone needs to start.
pub(super) struct Start {
    pub(super) key: DeviceKey,
    pub(super) server: SocketAddr,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(super) time: i64,
    pub(super) luck: ChaCha12Rng,
    pub(super) pace: Duration,
    pub(super) progress: Progress,
}

impl Volunteer {
    /// Enrols with a one-time code.
    pub(super) async fn enrol(mut start: Start, code: &str) -> Result<Self, Failure> {
        let clock_ahead = match start.luck.random_range(0..10) {
            // A phone that lost its clock begins again in 1970; another was set a year wrong.
            0 => -start.time,
            1 => 365 * 24 * 3600,
            _ => start.luck.random_range(-600..600),
        };
        let mut volunteer = Self {
            key: start.key,
            server: start.server,
            token: String::new(),
            round: RoundId(uuid::Uuid::nil()),
            client: Client::default(),
            responses: BTreeMap::new(),
            written: BTreeSet::new(),
            early: Vec::new(),
            time: start.time,
            clock_ahead,
            luck: start.luck,
            pace: start.pace,
            progress: start.progress,
        };
        let request = EnrolmentRequest {
            code: code.to_owned(),
            public_key: volunteer.key.public().to_string(),
            signature: hex::encode(&volunteer.key.sign_enrolment(code)),
            name: None,
        };
        let body = serde_json::to_vec(&request).map_err(|error| wrong(&error))?;
        let enrolment = volunteer
            .ask(
                Method::POST,
                "/api/v1/devices/enrol",
                &[(CONTENT_TYPE.as_str(), "application/json")],
                body,
            )
            .await?;
        let enrolment: Enrolment = serde_json::from_slice(enrolment.body()).map_err(|error| wrong(&error))?;
        volunteer.token = enrolment.token;
        volunteer.round = enrolment.round;
        Ok(volunteer)
    }

    /// The form's tag and workbook.
    pub(super) async fn form(&mut self) -> Result<(String, Bytes), Failure> {
        let path = format!("/api/v1/rounds/{}/form", self.round);
        let answer = self.ask(Method::GET, &path, &[], Vec::new()).await?;
        let tag = answer
            .headers()
            .get(ETAG)
            .and_then(|tag| tag.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        Ok((tag, answer.into_body()))
    }

    /// The households to visit.
    pub(super) async fn units(&mut self) -> Result<Vec<AssignedUnit>, Failure> {
        let path = format!("/api/v1/rounds/{}/units", self.round);
        let answer = self.ask(Method::GET, &path, &[], Vec::new()).await?;
        serde_json::from_slice(answer.body()).map_err(|error| wrong(&error))
    }

    /// What the phone takes for now, in seconds since 1970-01-01T00:00:00Z.
    pub(super) fn phone_time(&self) -> i64 {
        self.time + self.clock_ahead
    }

    /// The phone's copy of a unit's response.
    pub(super) fn response(&self, unit: &str) -> Option<&Response> {
        self.responses.get(unit)
    }

    /// Visits a unit and writes what `visit` does, as one change, for the next exchange.
    pub(super) fn visit(
        &mut self,
        unit: &str,
        minutes: i64,
        outcome: &str,
        visit: impl FnOnce(&mut Edit<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let started = self.phone_time();
        self.time += minutes * 60;
        let ended = self.phone_time();
        let device = self.key.actor().to_string();
        let record = Visit {
            device,
            started_at: started * 1000,
            ended_at: ended * 1000,
            outcome: outcome.to_owned(),
            call_back_at: None,
            position: None,
            audit: None,
        };
        let id = format!("{}-{started}", &record.device[..16]);
        self.write(unit, ended, |edit| {
            visit(edit)?;
            edit.record_visit(&id, &record).map_err(Failure::from)
        })
    }

    /// Changes a unit's response without a visit.
    pub(super) fn correct(
        &mut self,
        unit: &str,
        correction: impl FnOnce(&mut Edit<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.time += 120;
        self.write(unit, self.phone_time(), correction)
    }

    fn write(
        &mut self,
        unit: &str,
        time: i64,
        edit: impl FnOnce(&mut Edit<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let actor = self.key.actor();
        let round = self.round;
        let ((), change) = self.open(unit)?.edit(&actor, time, edit)?;
        if let Some(change) = change {
            self.written.insert(change.hash());
            self.client.enqueue(OutgoingChange {
                round,
                unit: unit.to_owned(),
                change,
            });
        }
        Ok(())
    }

    fn open(&mut self, unit: &str) -> Result<&mut Response, Failure> {
        use std::collections::btree_map::Entry;
        match self.responses.entry(unit.to_owned()) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(Response::new(ResponseId::of(self.round, unit))?)),
        }
    }

    /// Exchanges changes with the server until neither has anything left for the other.
    pub(super) async fn sync(&mut self, teammate: &Self) -> Result<(), Failure> {
        let early = std::mem::take(&mut self.early);
        self.take_in(early, teammate)?;
        loop {
            tokio::time::sleep(self.pace).await;
            let piece = self.client.piece_size().bytes();
            let device_time = clock::now() + self.clock_ahead * 1000;
            let request = self.client.request(&self.key, device_time, piece);
            let body = wire::encode(&request).map_err(|error| Failure::new(error.vietnamese(), error.to_string()))?;
            self.progress.sent(body.len());
            let headers = [
                (CONTENT_TYPE.as_str(), wire::CONTENT_TYPE),
                (CONTENT_ENCODING.as_str(), wire::CONTENT_ENCODING),
            ];
            let answer = self.ask(Method::POST, "/api/v1/sync", &headers, body).await?;
            let response: SyncResponse = wire::decode(
                answer.body(),
                &Limits {
                    compressed_bytes: 64 << 20,
                    ..Limits::default()
                },
            )
            .map_err(|error| Failure::new(error.vietnamese(), error.to_string()))?;
            let received = self.client.receive(response, device_time);
            self.progress.acknowledged(received.acknowledged);
            for group in received.responses {
                let changes: Vec<(String, Change)> = group
                    .changes
                    .iter()
                    .map(|bytes| {
                        let change = Change::try_from(bytes.as_slice()).map_err(|error| wrong(&error))?;
                        Ok((group.unit.clone(), change))
                    })
                    .collect::<Result<_, Failure>>()?;
                self.take_in(changes, teammate)?;
            }
            for erased in &received.erased {
                self.responses.remove(&erased.unit);
            }
            if received.unknown_cursor {
                self.reconcile()?;
            }
            if received.whole_log {
                self.offer();
            }
            if let Some(refused) = self.client.refused().first() {
                let (unit, reason) = (&refused.outgoing.unit, refused.reason);
                return Err(Failure::new(
                    format!("máy chủ từ chối thay đổi của hộ {unit}: {}", reason.vietnamese()),
                    format!("the server refused a change of unit {unit}: {reason}"),
                ));
            }
            if let Some(change) = self.client.stranded().first() {
                return Err(Failure::new(
                    format!("khóa của máy đã ghi hộ {} đang được dùng trên máy khác", change.unit),
                    format!("the key that wrote unit {} is in use on another phone", change.unit),
                ));
            }
            if !self.client.pending() {
                return Ok(());
            }
        }
    }

    /// The server's log is another one: begins to find out how it differs from what this phone has.
    fn reconcile(&mut self) -> Result<(), Failure> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| wrong(&error))?;
        let early = self.early.iter().map(|(_, change)| change.hash());
        let here = self.responses.values().flat_map(Response::changes);
        let here = here.map(|change| change.hash()).chain(early);
        self.client
            .reconcile(here, reconciliation::Salt(salt), reconciliation::Limits::default());
        Ok(())
    }

    /// Sends again what the server's log was found not to have of what this phone wrote.
    fn offer(&mut self) {
        let (actor, round) = (self.key.actor(), self.round);
        let responses = self.responses.iter();
        let written = responses.flat_map(|(unit, response)| OutgoingChange::written_by(&actor, round, unit, response));
        self.client.offer(written);
    }

    /// Applies what came from the server.
    ///
    /// A demo that goes on after an interruption plays a hamlet's days again from the morning, and the server may have
    /// changes of the afternoon already. A phone that read them in the morning would answer otherwise than the first time,
    /// so it keeps them aside until they are written again.
    fn take_in(&mut self, changes: Vec<(String, Change)>, teammate: &Self) -> Result<(), Failure> {
        for (unit, change) in changes {
            let hash = change.hash();
            if self.written.contains(&hash) || teammate.written.contains(&hash) {
                self.open(&unit)?.apply([change])?;
            } else {
                self.early.push((unit, change));
            }
        }
        Ok(())
    }

    /// Sends a request until an answer comes through, as a phone on a bad link does. The same bytes are sent each time:
    /// the server takes them once.
    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<HttpResponse<Bytes>, Failure> {
        let body = Bytes::from(body);
        for attempt in 0..ATTEMPTS {
            let mut request = Request::builder().method(method.clone()).uri(path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            if !self.token.is_empty() {
                request = request.header(AUTHORIZATION, format!("Bearer {}", self.token));
            }
            let request = request.body(Full::new(body.clone())).map_err(|error| wrong(&error))?;
            let breaks = if attempt < 3 {
                self.break_by_chance(body.len())
            } else {
                Break::Never
            };
            match network::send(self.server, request, breaks).await {
                Ok(answer) if answer.status() == StatusCode::SERVICE_UNAVAILABLE => {}
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => {
                    let problem = String::from_utf8_lossy(answer.body()).into_owned();
                    return Err(Failure::new(problem.clone(), problem));
                }
                Err(NetworkError::Broken(_)) => {
                    self.progress.broke();
                    if breaks != Break::Never {
                        continue;
                    }
                }
                Err(NetworkError::Connect(_)) => self.progress.broke(),
            }
            tokio::time::sleep(PATIENCE).await;
        }
        Err(Failure::new(
            format!("không liên lạc được với máy chủ {}", self.server),
            format!("the server at {} cannot be reached", self.server),
        ))
    }

    fn break_by_chance(&mut self, body: usize) -> Break {
        if !self.luck.random_bool(BREAKS) {
            Break::Never
        } else if self.luck.random_bool(0.5) {
            Break::Sending(self.luck.random_range(0..body + 200))
        } else {
            Break::Receiving(self.luck.random_range(0..100))
        }
    }
}

fn wrong(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(error.to_string(), error.to_string())
}
