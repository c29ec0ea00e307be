//! A fresh installation and its server process.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::process::{self, Ended, run_to_end};
use tempfile::TempDir;
use uuid::Uuid;

/// The program under test, as cargo built it beside the tests.
pub fn khaosat() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.ancestors().find(|folder| folder.join("khaosat").is_file());
    folder
        .expect("no khaosat program beside the tests; run them by `cargo xtask test`")
        .join("khaosat")
}

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// An address that a server can be told to listen on, also again after its death. Its port is below those that systems
/// give to the callers' ends of connections (RFC 6335, section 6), of which the tests have many at any time.
pub fn free_address() -> SocketAddr {
    loop {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, rand::random_range(10_000..32_000)));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

/// The form of the plan's household survey.
fn household_form() -> PathBuf {
    repository().join("forms/household.xlsx")
}

/// Runs `khaosat` with these arguments to its end.
pub fn run<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    Command::new(khaosat()).args(arguments).output().unwrap()
}

/// An installation with a round of two hamlets in two communes, everything surveyed:
/// `28249-01` has the households `A1` … `A9`, `28270-01` the households `B1` … `B9`.
pub struct Installation {
    folder: TempDir,
    /// The round.
    pub round: Uuid,
}

impl Installation {
    /// Makes one by the program's own commands.
    pub fn new() -> Self {
        Self::with_round(None, &household_form(), 9)
    }

    /// Makes one whose round has this form.
    pub fn with_form(form: &Path) -> Self {
        Self::with_round(None, form, 9)
    }

    /// Makes one in whose second hamlet the nine households were drawn from so many.
    pub fn with_sample(households: u64) -> Self {
        Self::with_round(None, &household_form(), households)
    }

    /// Makes another one with the same round.
    pub fn twin(&self) -> Self {
        Self::with_round(Some(self.round), &household_form(), 9)
    }

    /// Makes one without any round, to become a hub of this one.
    pub fn empty(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let done = run(["init".as_ref(), "--data".as_ref(), data.as_os_str()]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Self {
            folder,
            round: self.round,
        }
    }

    fn with_round(round: Option<Uuid>, form: &Path, second: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let written = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let hamlets = written(
            "hamlets.csv",
            format!(
                "code,name,kind,commune_code,stratum,households\n\
                 28249-01,1,khu phố,28249,815,9\n28270-01,1,khu phố,28270,815,{second}\n"
            ),
        );
        let households = (1..=9)
            .flat_map(|number| {
                [
                    format!("A{number},28249-01,Hẻm {number}\n"),
                    format!("B{number},28270-01,Tổ {number}\n"),
                ]
            })
            .fold("code,hamlet_code,address\n".to_owned(), |table, row| table + &row);
        let households = written("households.csv", households);

        let done = run(["init".as_ref(), "--data".as_ref(), data.as_os_str()]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let done = Command::new(khaosat())
            .args([
                "round",
                "create",
                "--name",
                "Thử",
                "--reference-date",
                "2025-10-01",
                "--units-on",
                "2022-12-19",
            ])
            .arg("--data")
            .arg(&data)
            .arg("--form")
            .arg(form)
            .arg("--hamlets")
            .arg(hamlets)
            .arg("--households")
            .arg(households)
            .args(round.iter().flat_map(|round| ["--id".to_owned(), round.to_string()]))
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let round = String::from_utf8(done.stdout).unwrap().trim().parse().unwrap();
        Self { folder, round }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs `khaosat` on this installation to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        run_to_end(process::khaosat(arguments).arg("--data").arg(self.data()))
    }

    /// A one-time code for a device of these hamlets.
    pub fn invite(&self, hamlets: &[&str]) -> String {
        self.invite_with(hamlets, &[])
    }

    /// A one-time code for a device of this name.
    pub fn invite_named(&self, hamlets: &[&str], name: &str) -> String {
        self.invite_with(hamlets, &["--name", name])
    }

    /// A one-time code for a hub of these hamlets.
    pub fn invite_hub(&self, hamlets: &[&str]) -> String {
        self.invite_with(hamlets, &["--hub"])
    }

    /// A one-time code for the leader of the team of these hamlets.
    pub fn invite_leader(&self, hamlets: &[&str]) -> String {
        self.invite_with(hamlets, &["--leader"])
    }

    fn invite_with(&self, hamlets: &[&str], more: &[&str]) -> String {
        let hamlets = hamlets.iter().flat_map(|hamlet| ["--hamlet", hamlet]);
        let arguments: Vec<&str> = ["device", "invite"]
            .into_iter()
            .chain(hamlets)
            .chain(more.iter().copied())
            .collect();
        self.run(&arguments).success().text().trim().to_owned()
    }

    /// Starts the server on a free port and waits until it answers.
    pub fn serve(&self) -> Server {
        Server::start(&self.data(), free_address())
    }
}

impl Default for Installation {
    fn default() -> Self {
        Self::new()
    }
}

/// A running server process, killed when dropped.
pub struct Server {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts `khaosat serve` and waits until it listens.
    pub fn start(data: &Path, address: SocketAddr) -> Self {
        let mut process = Command::new(khaosat())
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(data)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let (mut line, mut said) = (String::new(), String::new());
        while !line.contains("http://") {
            line.clear();
            let read = log.read_line(&mut line).unwrap();
            said.push_str(&line);
            assert!(read > 0, "the server ended before it listened: {said}");
        }
        // Somebody has to read on, or the process blocks once the pipe is full.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { process, address }
    }

    /// Ends the process at once, as a power cut would (SIGKILL).
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether the process runs.
    pub fn is_alive(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// The overview of a unit (of everything where none is named).
    pub fn overview(&self, unit: Option<&str>) -> serde_json::Value {
        let query = unit.map(|unit| format!("?unit={unit}")).unwrap_or_default();
        let mut answer = ureq::get(format!("http://{}/api/v1/overview{query}", self.address))
            .call()
            .unwrap();
        answer.body_mut().read_json().unwrap()
    }

    /// The page of an indicator in a unit.
    pub fn indicator(&self, unit: &str, code: &str) -> serde_json::Value {
        let address = self.address;
        let mut answer = ureq::get(format!("http://{address}/api/v1/indicator?unit={unit}&code={code}"))
            .call()
            .unwrap();
        answer.body_mut().read_json().unwrap()
    }

    /// Everything that the overview says but what is of the one server's clock and log, once it contains all that the log
    /// has: two servers with the same changes say the same.
    pub fn figures(&self) -> serde_json::Value {
        let mut overview = self.current_overview();
        let object = overview.as_object_mut().unwrap();
        object.remove("freshness").unwrap();
        object.remove("generated_at").unwrap();
        overview
    }

    /// The overview of everything once it contains all that the log has.
    pub fn current_overview(&self) -> serde_json::Value {
        let start = Instant::now();
        loop {
            let overview = self.overview(None);
            let freshness = &overview["freshness"];
            if freshness["sequence"].as_i64() >= freshness["log_head"].as_i64() {
                return overview;
            }
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "figures do not become current: {freshness}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
