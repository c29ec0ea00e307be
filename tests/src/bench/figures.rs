//! Waits for changed figures as a page of the console does: an open stream of events, then the page's data anew.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use ureq::Agent;

use crate::phone::agent;

/// How long figures may take to change.
const PATIENCE: Duration = Duration::from_secs(60);

/// An open page.
pub struct Page {
    server: SocketAddr,
    sequences: Receiver<i64>,
    agent: Agent,
}

impl Page {
    /// Opens the stream of events and reads the first one, which tells the present state.
    pub fn open(server: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(server).unwrap();
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nHost: {server}\r\n\r\n").unwrap();
        let (sender, sequences) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let Some(data) = line.strip_prefix("data: ") else {
                    continue;
                };
                let event: serde_json::Value = serde_json::from_str(data).unwrap();
                if sender.send(event["sequence"].as_i64().unwrap()).is_err() {
                    return;
                }
            }
        });
        let page = Self {
            server,
            sequences,
            agent: agent(),
        };
        page.sequences.recv_timeout(PATIENCE).unwrap();
        page
    }

    /// Waits for an event that tells of `sequence`, and fetches the page's data, which must contain it.
    pub fn show(&self, sequence: i64) -> serde_json::Value {
        while self.sequences.recv_timeout(PATIENCE).unwrap() < sequence {}
        let mut answer = self
            .agent
            .get(format!("http://{}/api/v1/overview", self.server))
            .call()
            .unwrap();
        let overview: serde_json::Value = answer.body_mut().read_json().unwrap();
        assert!(overview["freshness"]["sequence"].as_i64().unwrap() >= sequence);
        overview
    }
}
