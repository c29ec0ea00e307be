//! Automerge for JavaScript, run under Node: what it says of response documents.

use std::io::Write as _;
use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::installation::repository;
use crate::script::Script;

/// Node with one of the scripts of `tests/oracles/automerge`, where it finds the packages.
pub fn node(script: &str) -> Command {
    node_at(&repository().join("tests/oracles/automerge").join(script))
}

/// Node with a script of another folder, which finds the packages as well.
pub fn node_at(script: &Path) -> Command {
    let packages = std::env::var_os("KHAOSAT_AUTOMERGE").expect(
        "KHAOSAT_AUTOMERGE is not set: run these tests with `cargo xtask test`, which installs the packages of \
         tests/oracles/automerge and names their folder in that variable",
    );
    let mut command = Command::new("node");
    command
        .arg("--import")
        .arg(repository().join("tests/oracles/automerge/packages.js"))
        .arg(script)
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

/// A Node process that looks into responses live and does as it is told, as `watch.js` lists it.
pub struct Watcher(Script);

impl Watcher {
    /// Starts one that is not connected.
    pub fn start() -> Self {
        Self(Script::start(&mut node("watch.js")))
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
}

impl Deref for Watcher {
    type Target = Script;

    fn deref(&self) -> &Script {
        &self.0
    }
}

impl DerefMut for Watcher {
    fn deref_mut(&mut self) -> &mut Script {
        &mut self.0
    }
}
