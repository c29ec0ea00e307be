//! The client of `tests/oracles/client.py`, which follows the documents and shares no code with ours.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::installation::{Installation, Server, repository};

/// Python with one of the scripts of `tests/oracles`.
pub fn python(script: &str) -> Command {
    let python = std::env::var_os("KHAOSAT_PYTHON").expect(
        "KHAOSAT_PYTHON is not set: run these tests with `cargo xtask test`, which makes a Python environment with \
         tests/oracles/requirements.txt and names its interpreter in that variable",
    );
    let mut command = Command::new(python);
    // Modules beside the script are not to leave compiled copies in the repository.
    command.arg("-B").arg(repository().join("tests/oracles").join(script));
    command
}

/// One device of the client, with a state file of its own.
pub struct PythonClient {
    folder: TempDir,
}

impl PythonClient {
    /// A device that an installation invites for these hamlets and that enrols at its server.
    pub fn of(installation: &Installation, server: &Server, hamlets: &[&str]) -> Self {
        let client = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let url = format!("http://{}", server.address);
        let state = client.state();
        client.told(&["enrol", &url, &installation.invite(hamlets), state.to_str().unwrap()]);
        client
    }

    /// Where it keeps what it has.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state.json")
    }

    /// Writes an answer, which waits for the next exchange. Gives what the device then holds.
    pub fn answer(&self, unit: &str, key: &str, value: &Json) -> Json {
        let state = self.state();
        self.told(&["answer", state.to_str().unwrap(), unit, key, &value.to_string()])
    }

    /// Exchanges everything, and gives what the device then holds.
    pub fn sync(&self) -> Json {
        self.told(&["sync", self.state().to_str().unwrap()])
    }

    /// Exchanges, or fails, and gives how that ended.
    pub fn try_sync(&self) -> Output {
        python("client.py").arg("sync").arg(self.state()).output().unwrap()
    }

    /// What the device holds: `answers` by unit and question, how many changes are `unacknowledged`, what was `refused`.
    pub fn show(&self) -> Json {
        self.told(&["show", self.state().to_str().unwrap()])
    }

    /// The device's files as they are now.
    pub fn backup(&self) -> Vec<u8> {
        std::fs::read(self.state()).unwrap()
    }

    /// Sets the device's files back.
    pub fn restore(&self, backup: &[u8]) {
        std::fs::write(self.state(), backup).unwrap();
    }

    fn told(&self, arguments: &[&str]) -> Json {
        let output = python("client.py").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Copies a folder of files without folders in it.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
