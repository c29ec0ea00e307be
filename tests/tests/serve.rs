//! Settings and the life of the server process: how it starts, tells, and stops.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use khaosat_tests::installation::{Installation, free_address, repository};
use khaosat_tests::phone::Phone;
use khaosat_tests::process::{Ended, Process, khaosat, run_to_end, signal};
use serde_json::Value;
use survey_forms::answers::{AnswerPath, AnswersMut as _};
use sync_core::exchange::wire;

/// A started server process and its address.
fn serve(data: &Path, arguments: &[&str]) -> (Process, SocketAddr) {
    let address = free_address();
    let mut command = khaosat(["serve", "--listen", &address.to_string(), "--data"]);
    let mut process = Process::start(command.arg(data).args(arguments));
    assert!(process.line_with("http://").is_some(), "{:?}", process.end());
    (process, address)
}

/// `round list` in a folder without any installation: its complaint names the data folder that is in force.
fn complaint(folder: &Path, flag: Option<&str>, environment: Option<&str>, file: Option<&str>) -> Ended {
    let mut command = khaosat(["round", "list"]);
    command.current_dir(folder);
    if let Some(data) = flag {
        command.args(["--data", data, "--language", "en"]);
    }
    if let Some(data) = environment {
        command.env("KHAOSAT_DATA", data).env("KHAOSAT_LANGUAGE", "vi");
    }
    if let Some(data) = file {
        let toml = folder.join("settings.toml");
        std::fs::write(&toml, format!("data = \"{data}\"\nlanguage = \"en\"\n")).unwrap();
        command.env("KHAOSAT_CONFIG", toml);
    }
    run_to_end(&mut command).failure()
}

#[test]
fn a_flag_comes_before_the_environment_before_the_file_before_the_default() {
    let folder = tempfile::tempdir().unwrap();
    for (flag, environment, file, data, language) in [
        (Some("by-flag"), Some("by-env"), Some("by-file"), "by-flag", "Error: "),
        (None, Some("by-env"), Some("by-file"), "by-env", "Lỗi: "),
        (None, None, Some("by-file"), "by-file", "Error: "),
        (None, None, None, "khaosat-data", "Lỗi: "),
        (Some("by-flag"), None, None, "by-flag", "Error: "),
        (None, Some("by-env"), None, "by-env", "Lỗi: "),
    ] {
        let told = complaint(folder.path(), flag, environment, file).stderr;
        assert!(
            told.starts_with(&format!("{language}{data} ")),
            "{flag:?} {environment:?} {file:?}: {told}"
        );
    }
}

#[test]
fn the_file_takes_every_setting() {
    let installation = Installation::new();
    let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
    let file = folder.path().join("khaosat.toml");
    let settings = format!(
        "data = {:?}\nlisten = \"{address}\"\nlog = \"info\"\nlog_format = \"json\"\nlanguage = \"en\"\nminimum_households = 7\n\
         maximum_variation = 33.3\n",
        installation.data()
    );
    std::fs::write(&file, settings).unwrap();
    let mut process = Process::start(khaosat(["serve", "--config"]).arg(&file));
    let line = process.line_with("http://").unwrap();
    assert!(
        line.contains(&format!("http://{address}/")) && line.starts_with('{'),
        "{line}"
    );
    let ended = process.terminate().success();
    assert!(
        ended
            .stderr
            .lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok())
    );
}

#[test]
fn a_wrong_setting_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |text: &str| {
        let file = folder.path().join("khaosat.toml");
        std::fs::write(&file, text).unwrap();
        run_to_end(khaosat(["round", "list", "--config"]).arg(file))
            .failure()
            .stderr
    };
    let unknown = refused("language = \"vi\"\n\nlisen = \"127.0.0.1:1\"\n");
    for words in ["khaosat.toml", "line 3", "lisen", "listen"] {
        assert!(unknown.contains(words), "{words}: {unknown}");
    }
    let wrong = refused("listen = \"here\"\n");
    assert!(wrong.contains("line 1") && wrong.contains("socket address"), "{wrong}");
    let missing = run_to_end(&mut khaosat(["round", "list", "--config", "nowhere.toml"])).failure();
    assert!(missing.stderr.contains("nowhere.toml"), "{}", missing.stderr);
    let filter = run_to_end(&mut khaosat(["round", "list", "--log", "khaosat=loud"])).failure();
    assert!(
        filter.stderr.contains("--log") && filter.stderr.contains("loud"),
        "{}",
        filter.stderr
    );
}

#[test]
fn logs_for_machines_are_one_object_a_line() {
    let installation = Installation::new();
    let (process, address) = serve(&installation.data(), &["--log-format", "json"]);
    let phone = Phone::enrol(address, installation.round, &installation.invite(&["28249-01"]), 1);
    assert_eq!(phone.post(b"no message").status, 400);
    let ended = process.terminate().success();
    assert!(ended.stdout.is_empty(), "the log goes to standard error");
    let lines: Vec<Value> = ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(lines.len() >= 3, "{lines:?}");
    for line in &lines {
        for field in ["timestamp", "level", "message"] {
            assert!(line[field].is_string(), "{field}: {line}");
        }
    }
}

#[test]
fn the_server_answers_with_the_console_and_its_health() {
    let installation = Installation::new();
    let server = installation.serve();
    let get = |path: &str| ureq::get(format!("http://{}{path}", server.address)).call().unwrap();
    let health: Value = get("/api/v1/health").body_mut().read_json().unwrap();
    assert_eq!(health["status"], "ok");
    let mut page = get("/");
    assert_eq!(
        page.headers()["content-type"].to_str().unwrap().split(';').next(),
        Some("text/html")
    );
    let page = page.body_mut().read_to_string().unwrap();
    match std::fs::read_to_string(repository().join("web/console/dist/index.html")) {
        Ok(built) => {
            assert_eq!(page, built);
            let script = page.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
            let script = get(&format!("/{}", script.trim_start_matches(['.', '/'])));
            let kind = script.headers()["content-type"].to_str().unwrap();
            assert!(kind.contains("javascript"), "{kind}");
        }
        Err(_) => assert!(page.contains("cargo xtask web"), "{page}"),
    }
}

/// An open stream of server-sent events (HTML standard, section 9.2).
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(server: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(server).unwrap();
        // Only so that a missing event fails the test instead of holding it up for ever.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "GET /api/v1/events HTTP/1.1\r\nhost: {server}\r\n\r\n").unwrap();
        let mut events = Self(BufReader::new(stream));
        let head = events.lines_until(|line| line == "\r\n");
        assert!(
            head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream"),
            "{head}"
        );
        events
    }

    fn lines_until(&mut self, last: impl Fn(&str) -> bool) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended: {all}");
            all += &line;
            if last(&line) {
                return all;
            }
        }
    }

    /// The sequence number of the next event `estimates`.
    fn next(&mut self) -> i64 {
        self.lines_until(|line| line.trim_end() == "event: estimates");
        let data = self.lines_until(|line| line.starts_with("data: "));
        let data = data.lines().last().unwrap().strip_prefix("data: ").unwrap();
        serde_json::from_str::<Value>(data).unwrap()["sequence"]
            .as_i64()
            .unwrap()
    }

    /// Whether the server ends the stream as HTTP asks for, with an empty last chunk (RFC 9112, section 7.1).
    fn ends(mut self) -> bool {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).is_ok() && rest.ends_with("0\r\n\r\n")
    }
}

fn write_remark(phone: &mut Phone, unit: &str) {
    phone.edit(unit, |edit| {
        edit.put_answer(&AnswerPath::top("remarks"), &"Đã gọi lại".into())
    });
}

#[test]
fn an_open_page_is_told_of_new_figures_without_asking() {
    let installation = Installation::new();
    let (_process, address) = serve(&installation.data(), &[]);
    let mut phone = Phone::enrol(address, installation.round, &installation.invite(&["28249-01"]), 1);
    let mut events = Events::open(address);
    // A page learns at once how current its figures are.
    assert_eq!(events.next(), 0);
    let mut last = 0;
    for unit in ["A1", "A2", "A3"] {
        write_remark(&mut phone, unit);
        phone.sync();
        let sequence = events.next();
        assert!(sequence > last, "{sequence} after {last}");
        last = sequence;
        let overview = ureq::get(format!("http://{address}/api/v1/overview")).call().unwrap();
        let overview: Value = overview.into_body().read_json().unwrap();
        assert!(
            overview["freshness"]["sequence"].as_i64() >= Some(sequence),
            "{}",
            overview["freshness"]
        );
    }
}

#[test]
fn a_server_that_is_asked_to_stop_finishes_what_is_under_way() {
    let installation = Installation::new();
    let (mut process, address) = serve(&installation.data(), &[]);
    let mut phone = Phone::enrol(address, installation.round, &installation.invite(&["28249-01"]), 1);
    let mut events = Events::open(address);
    events.next();

    // Half of a request is under way when the server is asked to stop.
    write_remark(&mut phone, "A1");
    let body = wire::encode(&phone.client.request(&phone.key, 0, 1 << 20)).unwrap();
    let (first, second) = body.split_at(body.len() / 2);
    let mut connection = TcpStream::connect(address).unwrap();
    write!(
        connection,
        "POST /api/v1/sync HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-type: {}\r\n\
         content-encoding: {}\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        phone.token,
        wire::CONTENT_TYPE,
        wire::CONTENT_ENCODING,
        body.len()
    )
    .unwrap();
    // The server asks for the body, so it has begun with the request.
    let mut answer = BufReader::new(connection.try_clone().unwrap());
    let mut line = String::new();
    answer.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    answer.read_line(&mut line).unwrap();
    connection.write_all(first).unwrap();
    signal(process.id(), "TERM");
    assert!(process.line_with("stopping").is_some());
    assert!(events.ends(), "the stream of events was cut off");
    connection.write_all(second).unwrap();
    let mut whole = Vec::new();
    answer.read_to_end(&mut whole).unwrap();
    assert!(
        whole.starts_with(b"HTTP/1.1 200 OK\r\n"),
        "{}",
        String::from_utf8_lossy(&whole)
    );

    let ended = process.end();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("stopped"), "{}", ended.stderr);
    assert!(TcpStream::connect(address).is_err());
    assert!(
        !installation.data().join("khaosat.sqlite-wal").exists(),
        "the database was not closed"
    );

    // What it answered last is there when it starts again.
    let (_process, address) = serve(&installation.data(), &[]);
    let mut other = Phone::enrol(address, installation.round, &installation.invite(&["28249-01"]), 2);
    other.sync();
    assert!(other.responses.contains_key("A1"));
}

#[test]
fn one_folder_has_one_server() {
    let installation = Installation::new();
    let (process, _) = serve(&installation.data(), &[]);
    let address = free_address().to_string();
    let second = run_to_end(khaosat(["serve", "--listen", &address, "--data"]).arg(installation.data())).failure();
    assert!(second.stderr.contains("đang chạy"), "{}", second.stderr);
    drop(process);
    let (process, address) = serve(&installation.data(), &[]);
    let other = Installation::new();
    let taken = run_to_end(khaosat(["serve", "--listen", &address.to_string(), "--data"]).arg(other.data())).failure();
    assert!(taken.stderr.contains(&address.to_string()), "{}", taken.stderr);
    process.terminate().success();
}
