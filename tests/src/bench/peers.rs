//! The same households carried by PouchDB's replication and by automerge-repo: bytes, messages, and seconds over a link
//! that is slow to answer.
//!
//! Each of them is used as its authors show it, with everything in memory, and speaks through a [`Relay`] that counts what
//! TCP carries. `KHAOSAT_POUCHDB` and `KHAOSAT_AUTOMERGE` name the folders of their packages; `cargo xtask bench peers`
//! sets both up.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use sync_core::identity::ResponseId;

use super::relay::Relay;
use super::survey::{Assignment, Survey};
use super::table::{Better, Comparison};
use super::wire::{correct, document, exchange};
use crate::automerge::node_at;
use crate::installation::{Server, repository};
use crate::script::Script;

/// Households of the device; one more is delivered beforehand, so that all devices are in use already.
const HOUSEHOLDS: usize = 300;
/// Of these, how many are corrected.
const CORRECTED: usize = 10;
/// How long a byte travels: half a round trip of 600 ms, as over a poor mobile link.
const DELAY: Duration = Duration::from_millis(300);
/// After so long without a byte an exchange is over.
const QUIET: Duration = Duration::from_millis(1_200);
/// Measured repetitions, each with new servers and devices.
const REPETITIONS: usize = 3;

/// What the device exchanges with its server.
#[derive(Debug, Clone, Copy)]
enum Exchange {
    /// The households are delivered.
    Push,
    /// Another device, which has nothing, gets all households.
    Pull,
    /// Some of the households were corrected and are delivered.
    Correct,
    /// The device makes a new connection and has nothing new.
    Nothing,
}

impl Exchange {
    /// All, in the order in which they are made.
    const ALL: [Self; 4] = [Self::Push, Self::Pull, Self::Correct, Self::Nothing];

    fn what(self) -> String {
        match self {
            Self::Push => format!("first push of {HOUSEHOLDS} households"),
            Self::Pull => format!("fresh device pulls {} households", HOUSEHOLDS + 1),
            Self::Correct => format!("{CORRECTED} corrected of {HOUSEHOLDS} households"),
            Self::Nothing => "nothing new, connected anew".to_owned(),
        }
    }
}

/// What one exchange cost.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Bytes that TCP carried, both ways.
    bytes: f64,
    /// Messages from the device: requests of HTTP, or what it sends through a WebSocket.
    messages: f64,
    /// Seconds until everything was where it should be.
    seconds: f64,
}

/// A household as each of the ways needs it.
struct Household {
    unit: String,
    id: String,
    /// Its answers.
    document: Json,
    /// The Automerge document, or what is new of it.
    bytes: Vec<u8>,
    heads: Vec<String>,
}

/// Devices and their server.
trait Peers {
    /// What stands between them.
    fn relay(&self) -> &Relay;
    /// Makes an exchange and gives its seconds.
    fn exchange(&mut self, exchange: Exchange) -> f64;
    /// Messages from devices since the last call.
    fn messages(&mut self) -> u64;
    /// Bytes that TCP carried since the last call, both ways.
    fn bytes(&mut self) -> u64 {
        let (sent, received) = self.relay().take();
        sent + received
    }
}

fn measured(peers: &mut dyn Peers, exchange: Exchange) -> Cost {
    peers.messages();
    peers.bytes();
    let seconds = peers.exchange(exchange);
    peers.relay().settle(QUIET);
    Cost {
        bytes: peers.bytes() as f64,
        messages: peers.messages() as f64,
        seconds,
    }
}

/// Measures, against each of the two.
pub fn measure() -> Vec<Comparison> {
    if ["KHAOSAT_POUCHDB", "KHAOSAT_AUTOMERGE"]
        .iter()
        .any(|name| std::env::var_os(name).is_none())
    {
        eprintln!("peers: KHAOSAT_POUCHDB and KHAOSAT_AUTOMERGE are not both set; not measured");
        return Vec::new();
    }
    // By exchange: the costs of ours, of PouchDB's and of automerge-repo's in each repetition.
    let mut costs: [Vec<[Cost; 3]>; 4] = Default::default();
    for _ in 0..REPETITIONS {
        let mut ours = Ours::start();
        let households = ours.households(&ours.assignment.units.clone());
        let mut pouchdb = PouchDb::start(&households);
        let mut automerge = AutomergeRepo::start(&households);
        for exchange in Exchange::ALL {
            if let Exchange::Correct = exchange {
                let corrected = ours.correct();
                pouchdb.put(&corrected);
                automerge.corrected = corrected;
            }
            let peers: [&mut dyn Peers; 3] = [&mut ours, &mut pouchdb, &mut automerge];
            let cost = peers.map(|peers| measured(peers, exchange));
            eprintln!("peers: {exchange:?}: {cost:?}");
            costs[exchange as usize].push(cost);
        }
    }
    let mut comparisons = Vec::new();
    for exchange in Exchange::ALL {
        type Of = fn(&Cost) -> f64;
        let quantities: [(&str, &str, Of); 3] = [
            ("bytes", "bytes", |cost| cost.bytes),
            ("messages", "messages", |cost| cost.messages),
            ("seconds", "s", |cost| cost.seconds),
        ];
        for (place, against) in [(1, "PouchDB"), (2, "automerge-repo")] {
            for (quantity, unit, of) in quantities {
                let costs = costs[exchange as usize].iter();
                comparisons.push(Comparison {
                    what: format!("{}: {quantity}", exchange.what()),
                    against: against.to_owned(),
                    unit,
                    better: Better::Lower,
                    pairs: costs.map(|costs| (of(&costs[0]), of(&costs[place]))).collect(),
                });
            }
        }
    }
    comparisons
}

/// Our phone and server.
struct Ours {
    survey: Survey,
    _server: Server,
    assignment: Assignment,
    relay: Relay,
    round_trips: u64,
    /// What the exchange has counted.
    bytes: u64,
}

impl Ours {
    /// One household is delivered, the others wait.
    fn start() -> Self {
        let survey = Survey::new(HOUSEHOLDS as u64 + 1);
        let server = survey.serve();
        let mut assignment = survey.enrol(&server, 1).remove(0);
        let relay = Relay::with_delay(server.address, DELAY);
        survey.interview(std::slice::from_mut(&mut assignment), usize::MAX);
        let phone = &mut assignment.phone;
        let first = phone.client.request(&phone.key, 0, 1);
        let response = phone.exchange(&first);
        assert!(phone.client.receive(response, 0).whole_log);
        phone.offer();
        assert_eq!(phone.client.unacknowledged(), HOUSEHOLDS);
        phone.move_to(relay.address);
        Self {
            survey,
            _server: server,
            assignment,
            relay,
            round_trips: 0,
            bytes: 0,
        }
    }

    /// Corrects some households, and gives what is new of them.
    fn correct(&mut self) -> Vec<Household> {
        let units = self.assignment.units[1..].iter().step_by(HOUSEHOLDS / CORRECTED);
        let units: Vec<String> = units.cloned().collect();
        for unit in &units {
            correct(&mut self.assignment.phone, unit);
        }
        let mut corrected = self.households(&units);
        for household in &mut corrected {
            let last = self.assignment.phone.open(&household.unit).changes().pop();
            household.bytes = last.unwrap().raw_bytes().to_vec();
        }
        corrected
    }

    fn households(&mut self, units: &[String]) -> Vec<Household> {
        let phone = &mut self.assignment.phone;
        let round = phone.round();
        units
            .iter()
            .map(|unit| {
                let response = phone.open(unit);
                let mut answers = document(&self.survey.form, unit, response);
                let fields = answers.as_object_mut().unwrap();
                let code = fields.remove("unit").unwrap();
                fields.insert("_id".to_owned(), code);
                Household {
                    unit: unit.clone(),
                    id: ResponseId::of(round, unit).0.simple().to_string(),
                    document: answers,
                    bytes: response.save(),
                    heads: response.heads().iter().map(ToString::to_string).collect(),
                }
            })
            .collect()
    }
}

impl Peers for Ours {
    fn relay(&self) -> &Relay {
        &self.relay
    }

    fn exchange(&mut self, kind: Exchange) -> f64 {
        let phone = &mut self.assignment.phone;
        // A client without a cursor gets everything, be it the writer's own.
        let used = matches!(kind, Exchange::Pull).then(|| std::mem::take(&mut phone.client));
        let begun = Instant::now();
        let cost = exchange(phone, &self.relay);
        let seconds = begun.elapsed().as_secs_f64();
        if let Some(used) = used {
            phone.client = used;
        }
        self.round_trips += cost.round_trips;
        self.bytes += cost.requests + cost.answers + cost.headers;
        seconds
    }

    fn messages(&mut self) -> u64 {
        std::mem::take(&mut self.round_trips)
    }

    fn bytes(&mut self) -> u64 {
        let (sent, received) = self.relay.take();
        std::mem::take(&mut self.bytes) + sent + received
    }
}

/// A script of this folder's that is a server, and the relay before it.
fn server(mut command: Command) -> (Script, Relay) {
    let mut server = Script::start(command.arg("server"));
    let port = server.hear()["port"].as_u64().unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port as u16));
    (server, Relay::with_delay(address, DELAY))
}

/// PouchDB: a document a household, which is replaced when it changes.
struct PouchDb {
    server: Script,
    device: Script,
    relay: Relay,
    address: String,
}

impl PouchDb {
    fn start(households: &[Household]) -> Self {
        let command = || {
            let mut command = Command::new("node");
            command.arg(repository().join("tests/src/bench/pouchdb.js"));
            command
        };
        let (server, relay) = server(command());
        let mut pouchdb = Self {
            server,
            device: Script::start(command().arg("device")),
            address: format!("http://{}/survey", relay.address),
            relay,
        };
        pouchdb.put(&households[..1]);
        pouchdb.replicate("push", "used", 1);
        pouchdb.put(&households[1..]);
        pouchdb
    }

    fn put(&mut self, households: &[Household]) {
        let documents: Vec<&Json> = households.iter().map(|household| &household.document).collect();
        self.device.ask(&json!({ "put": documents, "database": "used" }));
    }

    fn replicate(&mut self, direction: &str, database: &str, expected: usize) -> f64 {
        let answer = self
            .device
            .ask(&json!({ direction: self.address, "database": database }));
        assert_eq!(answer["written"], expected, "{answer}");
        answer["seconds"].as_f64().unwrap()
    }
}

impl Peers for PouchDb {
    fn relay(&self) -> &Relay {
        &self.relay
    }

    fn exchange(&mut self, exchange: Exchange) -> f64 {
        match exchange {
            Exchange::Push => self.replicate("push", "used", HOUSEHOLDS),
            Exchange::Pull => self.replicate("pull", "fresh", HOUSEHOLDS + 1),
            Exchange::Correct => self.replicate("push", "used", CORRECTED),
            Exchange::Nothing => self.replicate("push", "used", 0),
        }
    }

    fn messages(&mut self) -> u64 {
        self.server.ask(&json!({ "count": true }))["requests"].as_u64().unwrap()
    }
}

/// automerge-repo: an Automerge document a household, the same as ours, change for change. A device is told the documents'
/// names without a byte, and the seconds of what it sends end when the server has it, not when the device knows.
struct AutomergeRepo {
    server: Script,
    device: Script,
    fresh: Script,
    relay: Relay,
    address: String,
    /// Those that the device has not loaded yet.
    waiting: Json,
    heads: BTreeMap<String, Vec<String>>,
    corrected: Vec<Household>,
}

impl AutomergeRepo {
    fn start(households: &[Household]) -> Self {
        let command = || node_at(&repository().join("tests/src/bench/automerge_repo.js"));
        let (server, relay) = server(command());
        let mut repo = Self {
            server,
            device: Script::start(command().arg("device")),
            fresh: Script::start(command().arg("device")),
            address: format!("ws://{}", relay.address),
            relay,
            waiting: bytes(&households[1..]),
            heads: heads(households),
            corrected: Vec::new(),
        };
        repo.device.ask(&json!({ "load": bytes(&households[..1]) }));
        repo.device.ask(&json!({ "connect": repo.address }));
        repo.server.ask(&json!({ "has": heads(&households[..1]) }));
        repo.fresh.ask(&json!({ "load": {} }));
        repo.relay.settle(QUIET);
        repo
    }
}

impl Peers for AutomergeRepo {
    fn relay(&self) -> &Relay {
        &self.relay
    }

    fn exchange(&mut self, exchange: Exchange) -> f64 {
        let begun = Instant::now();
        match exchange {
            Exchange::Push => {
                self.device.ask(&json!({ "load": self.waiting }));
                self.server.ask(&json!({ "has": self.heads }));
            }
            Exchange::Pull => {
                self.fresh.ask(&json!({ "connect": self.address }));
                let names: Vec<&String> = self.heads.keys().collect();
                self.fresh.ask(&json!({ "find": names }));
                self.fresh.ask(&json!({ "has": self.heads }));
            }
            Exchange::Correct => {
                self.device.ask(&json!({ "load": bytes(&self.corrected) }));
                self.server.ask(&json!({ "has": heads(&self.corrected) }));
            }
            Exchange::Nothing => {
                self.device.ask(&json!({ "leave": true }));
                self.device.ask(&json!({ "connect": self.address }));
                let last = self.relay.settle(QUIET);
                return (last + DELAY).duration_since(begun).as_secs_f64();
            }
        }
        begun.elapsed().as_secs_f64()
    }

    fn messages(&mut self) -> u64 {
        let count = |device: &mut Script| device.ask(&json!({ "count": true }))["sent"].as_u64().unwrap();
        count(&mut self.device) + count(&mut self.fresh)
    }
}

/// What households have, by their documents' names.
fn bytes(households: &[Household]) -> Json {
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let named = households
        .iter()
        .map(|household| (household.id.clone(), hexadecimal(&household.bytes).into()));
    Json::Object(named.collect())
}

fn heads(households: &[Household]) -> BTreeMap<String, Vec<String>> {
    let named = households
        .iter()
        .map(|household| (household.id.clone(), household.heads.clone()));
    named.collect()
}
