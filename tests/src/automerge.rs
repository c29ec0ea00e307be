//! Automerge for JavaScript, run under Node: what it says of response documents.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::installation::repository;

/// Node with one of the scripts of `tests/oracles/automerge`, where it finds the packages.
pub fn node(script: &str) -> Command {
    let packages = std::env::var_os("KHAOSAT_AUTOMERGE").expect(
        "KHAOSAT_AUTOMERGE is not set: run these tests with `cargo xtask test`, which installs the packages of \
         tests/oracles/automerge and names their folder in that variable",
    );
    let folder: PathBuf = repository().join("tests/oracles/automerge");
    let mut command = Command::new("node");
    command
        .arg("--import")
        .arg(folder.join("packages.js"))
        .arg(folder.join(script))
        .env("KHAOSAT_AUTOMERGE", packages);
    command
}

/// Runs a script to its end with this JSON as its input, and gives the JSON that it answers.
pub fn run(script: &str, input: &Value) -> Value {
    let mut child = node(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(input.to_string().as_bytes()).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script} failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A Node process that looks into responses live and does as it is told, line by line; ended when dropped.
pub struct Watcher {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Watcher {
    /// Starts one that is not connected.
    pub fn start() -> Self {
        let mut process = node("watch.js")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self {
            process,
            commands,
            answers,
        }
    }

    /// Starts one that is connected to a server with a device's token.
    pub fn connected(server: SocketAddr, token: &str) -> Self {
        let mut watcher = Self::start();
        let opened = watcher.ask(&json!({ "open": Self::address(server), "token": token }));
        assert!(opened["server"].is_string(), "{opened}");
        watcher
    }

    /// Where a server shows responses live.
    pub fn address(server: SocketAddr) -> String {
        format!("ws://{server}/api/v1/automerge")
    }

    /// Gives a command, as `watch.js` lists them, and waits for its answer.
    #[track_caller]
    pub fn ask(&mut self, command: &Value) -> Value {
        self.tell(command);
        self.hear()
    }

    /// Gives a command whose answer is heard later.
    pub fn tell(&mut self, command: &Value) {
        writeln!(self.commands, "{command}").unwrap();
    }

    /// Waits for the answer to the next command.
    #[track_caller]
    pub fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "watch.js ended");
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
