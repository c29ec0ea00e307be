//! A phone as a volunteer has it: the core of the app over a storage that survives, and a network that may fail.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::net::SocketAddr;

use phone_core::{Frame, Phone};
use rand::RngExt as _;
use serde_json::{Map, Value, json};

use crate::phone::agent;

/// What a handset keeps: as the app's worker does, but without encryption.
#[derive(Debug, Clone, Default)]
pub struct Storage {
    /// The records by number.
    pub records: BTreeMap<u64, Vec<u8>>,
    /// What only the server can read.
    pub sealed: BTreeMap<u64, Vec<u8>>,
    /// Whether an interview is open.
    pub draft: bool,
}

/// A phone with the app.
#[derive(Debug)]
pub struct Handset {
    core: Phone,
    /// What survives when it is switched off.
    pub storage: Storage,
    server: SocketAddr,
    /// The clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
}

/// What a request gave.
pub type Outcome = Result<Value, Value>;

impl Handset {
    /// A new phone.
    pub fn new(server: SocketAddr) -> Self {
        Self::with_storage(server, Storage::default())
    }

    /// A new phone that has enrolled with this code.
    pub fn enrolled(server: SocketAddr, code: &str) -> Self {
        let mut handset = Self::new(server);
        let state = handset.enrol(code);
        assert_eq!(state["problem"], Value::Null);
        handset
    }

    /// A phone with this storage, switched on.
    pub fn with_storage(server: SocketAddr, storage: Storage) -> Self {
        let mut handset = Self {
            core: Phone::default(),
            storage,
            server,
            now: crate::phone::now(),
        };
        handset.restart();
        handset
    }

    /// Switches it off and on: what was not in the storage is gone.
    pub fn restart(&mut self) {
        self.core = Phone::default();
        let records: Vec<(u64, Vec<u8>)> = self.storage.records.clone().into_iter().collect();
        let ids: Vec<u64> = records.iter().map(|(id, _)| *id).collect();
        let parts = records.into_iter().map(|(_, bytes)| bytes).collect();
        self.call("start", json!({ "language": "vi", "records": ids }), parts)
            .unwrap();
    }

    /// Points it to another server.
    pub fn move_to(&mut self, server: SocketAddr) {
        self.server = server;
    }

    /// A request without parts.
    ///
    /// # Errors
    /// With the problem.
    pub fn ask(&mut self, name: &str, argument: Value) -> Outcome {
        self.call(name, argument, Vec::new()).map(|(value, _)| value)
    }

    /// A request, and the parts of its reply that are no records.
    ///
    /// # Errors
    /// With the problem.
    pub fn call(&mut self, name: &str, argument: Value, parts: Vec<Vec<u8>>) -> Result<(Value, Vec<Vec<u8>>), Value> {
        let mut head = Map::new();
        head.insert("name".to_owned(), json!(name));
        head.insert("argument".to_owned(), argument);
        head.insert("now".to_owned(), json!(self.now));
        head.insert("utcOffsetMinutes".to_owned(), json!(420));
        let chance: [u8; 32] = rand::rng().random();
        let parts = std::iter::once(chance.to_vec()).chain(parts).collect();
        let reply = self.core.handle(&Frame { head, parts }.write());
        let mut reply = Frame::read(&reply).unwrap();
        if let Some(problem) = reply.head.remove("problem") {
            return Err(problem);
        }
        let store = reply.head["store"].clone();
        let ids = |name: &str| -> Vec<u64> { serde_json::from_value(store[name].clone()).unwrap() };
        let mut contents = reply.parts.clone().into_iter();
        for id in ids("put") {
            self.storage.records.insert(id, contents.next().unwrap());
        }
        for id in ids("sealed") {
            self.storage.sealed.insert(id, contents.next().unwrap());
        }
        for id in ids("delete") {
            self.storage.records.remove(&id);
        }
        for id in ids("unsealed") {
            self.storage.sealed.remove(&id);
        }
        if let Some(draft) = store["draft"].as_bool() {
            self.storage.draft = draft;
        }
        Ok((reply.head.remove("value").unwrap(), reply.parts))
    }

    /// Enrols with an invitation and fetches everything.
    pub fn enrol(&mut self, code: &str) -> Value {
        self.ask("begin_enrolment", json!({ "code": code })).unwrap();
        self.exchange()
    }

    /// Exchanges everything with the server, and says how that went.
    pub fn sync(&mut self) -> Value {
        self.ask("begin_sync", Value::Null).unwrap();
        self.exchange()
    }

    /// Carries requests of the core out until it has none.
    pub fn exchange(&mut self) -> Value {
        while self.step() {}
        self.ask("sync_state", Value::Null).unwrap()
    }

    /// Carries one request of the core out; whether there was one.
    pub fn step(&mut self) -> bool {
        let (value, parts) = self.call("next_request", Value::Null, Vec::new()).unwrap();
        let Some(request) = value.get("request").filter(|request| !request.is_null()) else {
            return false;
        };
        let body = request["body"].as_u64().map(|part| parts[part as usize].clone());
        match self.send(request, body) {
            Some((status, headers, body)) => {
                let argument = json!({ "status": status, "headers": headers, "body": 1 });
                self.call("answer_request", argument, vec![body]).unwrap();
            }
            None => {
                self.ask("request_failed", json!({ "reason": "network" })).unwrap();
            }
        }
        true
    }

    /// Carries one request of the core out and loses the answer, as a line does that breaks then; the request's path.
    pub fn step_without_answer(&mut self) -> String {
        let (value, parts) = self.call("next_request", Value::Null, Vec::new()).unwrap();
        let request = &value["request"];
        let body = request["body"].as_u64().map(|part| parts[part as usize].clone());
        self.send(request, body);
        self.ask("request_failed", json!({ "reason": "network" })).unwrap();
        request["path"].as_str().unwrap().to_owned()
    }

    /// What it gives to the phone with this key, or sealed to the server, as a file.
    ///
    /// # Errors
    /// With the problem.
    pub fn give(&mut self, to: Option<&str>) -> Result<Vec<u8>, Value> {
        let (value, parts) = self.call("give", json!({ "to": to }), Vec::new())?;
        Ok(parts[value["bytes"].as_u64().unwrap() as usize].clone())
    }

    /// Takes what another phone gives.
    ///
    /// # Errors
    /// With the problem.
    pub fn receive(&mut self, bytes: Vec<u8>) -> Outcome {
        let (value, _) = self.call("receive", json!({ "bytes": 1 }), vec![bytes])?;
        Ok(value)
    }

    /// The key of the colleague of this name, as this phone knows it.
    pub fn colleague(&mut self, name: &str) -> Option<String> {
        let colleagues = self.ask("colleagues", Value::Null).unwrap();
        let mut colleagues = colleagues.as_array().unwrap().iter();
        let found = colleagues.find(|colleague| colleague["name"] == name)?;
        Some(found["key"].as_str().unwrap().to_owned())
    }

    fn send(&self, request: &Value, body: Option<Vec<u8>>) -> Option<(u16, BTreeMap<String, String>, Vec<u8>)> {
        let address = format!("http://{}{}", self.server, request["path"].as_str().unwrap());
        let mut builder = ureq::http::Request::builder()
            .method(request["method"].as_str().unwrap())
            .uri(address);
        for (name, value) in request["headers"].as_object().unwrap() {
            builder = builder.header(name, value.as_str().unwrap());
        }
        let mut response = agent().run(builder.body(body.unwrap_or_default()).unwrap()).ok()?;
        let headers = response.headers().iter();
        let headers = headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let headers: BTreeMap<String, String> = headers.collect();
        let status = response.status().as_u16();
        let mut body = response.body_mut().with_config().limit(64 << 20).read_to_vec().ok()?;
        // As browsers do before a page sees the answer.
        if headers.get("content-encoding").is_some_and(|encoding| encoding == "br") {
            let mut inflated = Vec::new();
            brotli::Decompressor::new(&body[..], 4096)
                .read_to_end(&mut inflated)
                .ok()?;
            body = inflated;
        }
        Some((status, headers, body))
    }

    /// The line of a household in the list.
    pub fn line(&mut self, unit: &str) -> Value {
        let households = self.ask("households", Value::Null).unwrap();
        let mut lines = households.as_array().unwrap().iter();
        lines.find(|line| line["unit"] == unit).cloned().unwrap_or(Value::Null)
    }

    /// Answers a question outside rosters in the open interview, and gives what the reply says.
    pub fn answer(&mut self, question: &str, value: Value) -> Value {
        self.answer_at(Value::Null, question, value)
    }

    /// Answers a question of a roster instance.
    pub fn answer_at(&mut self, instance: Value, question: &str, value: Value) -> Value {
        let path = json!({ "instance": instance, "question": question });
        self.ask("answer", json!({ "path": path, "value": value })).unwrap()
    }

    /// Interviews a household with one person, who answers so that nothing is missing; whether the form is complete then.
    pub fn interview(&mut self, unit: &str, person: &str) -> bool {
        self.ask("open_interview", json!({ "unit": unit })).unwrap();
        for (question, value) in [
            ("consent", "yes"),
            ("respondent_name", person),
            ("respondent_relation", "head"),
            ("visit_outcome", "completed"),
            ("fibre_available", "yes"),
            ("fibre_subscribed", "yes"),
            ("fibre_provider", "vnpt"),
        ] {
            let reply = self.answer(question, json!(value));
            assert_eq!(reply["refused"], Value::Null, "{question}");
        }
        let entered = self
            .ask("add_instance", json!({ "repeat": "members", "parent": null }))
            .unwrap();
        let member = entered["step"]["instance"]["id"].clone();
        for (question, value) in [
            ("member_name", json!(person)),
            ("relation", json!("head")),
            ("sex", json!("female")),
            ("birth_year", json!(1980)),
            ("lives_here", json!("yes")),
            ("health_record", json!("no")),
            ("smartphone", json!("own")),
            ("online", json!("yes")),
            ("account", json!(["bank"])),
            ("protection", json!(["updates"])),
            ("skills_training", json!(["none"])),
            ("signature", json!(["none"])),
            ("public_service", json!("no")),
            ("telehealth", json!("no")),
        ] {
            let reply = self.answer_at(member.clone(), question, value);
            assert_eq!(reply["refused"], Value::Null, "{question}");
        }
        let end = self.ask("go_to", json!({ "step": "end" })).unwrap();
        end["step"]["problems"] == json!([])
    }

    /// The names of the questions on the page, in their order.
    pub fn questions(interview: &Value) -> Vec<String> {
        let questions = interview["step"]["questions"].as_array();
        let questions = questions.into_iter().flatten();
        questions
            .map(|question| question["path"]["question"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The bearer token, as the next request would carry it.
    pub fn token(&mut self) -> String {
        self.ask("begin_sync", Value::Null).unwrap();
        let next = self.ask("next_request", Value::Null).unwrap();
        let header = next["request"]["headers"]["authorization"].as_str().unwrap().to_owned();
        self.ask("request_failed", json!({ "reason": "network" })).unwrap();
        header.trim_start_matches("Bearer ").to_owned()
    }

    /// The units with unsent changes.
    pub fn unsent(&mut self) -> BTreeSet<String> {
        let households = self.ask("households", Value::Null).unwrap();
        let lines = households.as_array().unwrap().iter();
        let unsent = lines.filter(|line| line["unsent"] == true);
        unsent.map(|line| line["unit"].as_str().unwrap().to_owned()).collect()
    }
}
