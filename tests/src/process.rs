//! Processes that tests watch, signal and kill.

use std::ffi::OsStr;
use std::io::{BufReader, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// A running process whose output is collected and whose standard error can be followed line by line.
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: String,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// All of its standard error.
    pub stderr: String,
}

impl Ended {
    /// Standard output as one JSON document.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard output as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    /// Checks that the process ended well.
    #[track_caller]
    pub fn success(self) -> Self {
        assert!(self.status.success(), "{}: {}", self.status, self.stderr);
        self
    }

    /// Checks that the process ended with a failure that it told, and not by a panic.
    #[track_caller]
    pub fn failure(self) -> Self {
        assert_eq!(self.status.code(), Some(1), "{}: {}", self.status, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }
}

impl Process {
    /// Starts a command.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let stdout = std::thread::spawn(move || {
            let mut all = Vec::new();
            stdout.read_to_end(&mut all).unwrap();
            all
        });
        let stderr = child.stderr.take().unwrap();
        let (sender, lines) = channel();
        std::thread::spawn(move || follow(BufReader::new(stderr), &sender));
        Self {
            child,
            lines,
            stdout: Some(stdout),
            stderr: String::new(),
        }
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line of standard error that contains `text`; none where the process ended before.
    pub fn line_with(&mut self, text: &str) -> Option<String> {
        loop {
            let line = self.lines.recv().ok()?;
            self.stderr.push_str(&line);
            if line.contains(text) {
                return Some(line);
            }
        }
    }

    /// Whether the process still runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until the process has ended.
    pub fn end(mut self) -> Ended {
        let status = self.child.wait().unwrap();
        let stdout = self.stdout.take().unwrap().join().unwrap();
        let mut stderr = std::mem::take(&mut self.stderr);
        stderr.extend(self.lines.iter());
        Ended { status, stdout, stderr }
    }

    /// Asks the process to stop, as a service manager does (SIGTERM), and waits until it has.
    pub fn terminate(self) -> Ended {
        signal(self.id(), "TERM");
        self.end()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(mut stderr: impl std::io::BufRead, lines: &Sender<String>) {
    let mut line = Vec::new();
    while stderr.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
            // Nobody listens any more, but somebody has to read on, or the process blocks once the pipe is full.
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            return;
        }
        line.clear();
    }
}

/// Runs a command to its end.
pub fn run_to_end(command: &mut Command) -> Ended {
    Process::start(command).end()
}

/// The program under test with these arguments and without any settings from the environment.
pub fn khaosat<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(crate::installation::khaosat());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KHAOSAT_") {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

/// Sends a signal, such as `KILL`; a process that has ended already is no error.
pub fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .stderr(Stdio::null())
        .status();
    assert!(sent.is_ok(), "cannot run kill: {sent:?}");
}

/// The processes that a process has started and that still run, by Linux's table of processes (proc(5)).
pub fn children(parent: u32) -> Vec<u32> {
    let running = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let process: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The command's name stands in parentheses and may hold anything; state and parent follow it.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let (state, of) = (fields.next()?, fields.next()?.parse::<u32>().ok()?);
        (of == parent && state != "Z").then_some(process)
    });
    running.collect()
}

/// The processor time that a process has used so far, in seconds; none where the system does not tell (proc(5)).
pub fn processor_seconds(process: u32) -> Option<f64> {
    /// Clock ticks in a second, as on every Linux.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses; user and system time are the 14th and 15th.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

/// The most memory that a process has had so far, in bytes; none where the system does not tell (proc(5), `VmHWM`).
pub fn peak_memory(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}
