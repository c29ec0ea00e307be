//! `khaosat demo`, run, watched and disturbed.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::process::{Ended, Process, children, khaosat, signal};

/// A running demo.
pub struct Demonstration {
    process: Process,
    /// Where its server listens.
    pub address: SocketAddr,
}

impl Demonstration {
    /// Starts `khaosat demo` on a data folder with these arguments and waits until its server answers.
    pub fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut process = Self::begin(data, arguments);
        let line = process.line_with("http://");
        let Some(line) = line else {
            panic!("the demo ended before its server answered: {:?}", process.end());
        };
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.unwrap().parse().unwrap();
        Self { process, address }
    }

    /// Starts `khaosat demo` without waiting for anything.
    pub fn begin(data: &Path, arguments: &[&str]) -> Process {
        let mut command = khaosat(["demo", "--format", "json", "--listen", "127.0.0.1:0", "--data"]);
        Process::start(command.arg(data).args(arguments))
    }

    /// Runs a demo to its end and gives its document.
    pub fn document(data: &Path, arguments: &[&str]) -> Value {
        Self::begin(data, arguments).end().success().json()
    }

    /// The process of its server, if one runs at the moment.
    pub fn server(&self) -> Option<u32> {
        children(self.process.id()).first().copied()
    }

    /// Whether the demo still runs.
    pub fn is_alive(&mut self) -> bool {
        self.process.is_alive()
    }

    /// The overview of everything, if the server answers at the moment.
    pub fn overview(&self) -> Option<Value> {
        let mut answer = ureq::get(format!("http://{}/api/v1/overview", self.address))
            .call()
            .ok()?;
        answer.body_mut().read_json().ok()
    }

    /// Waits until the demo has ended.
    pub fn end(self) -> Ended {
        self.process.end()
    }

    /// Ends the demo and its servers at once, as a power cut would.
    pub fn kill(self) {
        let servers = children(self.process.id());
        signal(self.process.id(), "KILL");
        for server in servers {
            signal(server, "KILL");
        }
        self.process.end();
    }
}

/// Everything in a demo's document that follows from its seed.
pub fn figures(document: &Value) -> Value {
    let mut document = document.clone();
    document.as_object_mut().unwrap().remove("address").unwrap();
    document
}
