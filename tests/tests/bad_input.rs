//! What comes through the network's doors and is wrong: it is answered by a problem that says where and what would be
//! right, costs the server little, and changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use khaosat_tests::connection::{self, Connection, FullAnswer};
use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::Phone;
#[cfg(target_os = "linux")]
use khaosat_tests::process::peak_memory;
use survey_forms::answers::{AnswerPath, AnswersMut};
use sync_core::device::{AttestationSignature, DevicePublicKey};
use sync_core::exchange::message::{Attestation, PROTOCOL_VERSION};
use sync_core::exchange::wire::Message as _;
use sync_core::exchange::{Limits, SyncRequest, wire};

const SYNC: &str = "/api/v1/sync";
/// What the server may take of memory at most while it is sent the worst that fits its limits, in KiB.
#[cfg(target_os = "linux")]
const PEAK_MEMORY: u64 = 400 << 10;

/// A server with one phone that is tormented.
struct Door {
    server: Server,
    phone: Phone,
    _installation: Installation,
}

impl Door {
    fn open() -> Self {
        let installation = Installation::new();
        let server = installation.serve();
        let code = installation.invite(&["28249-01"]);
        let phone = Phone::enrol(server.address, installation.round, &code, 1);
        Self {
            server,
            phone,
            _installation: installation,
        }
    }

    /// The head of a sync request but for the length of its body.
    fn head(&self, more: &str) -> String {
        format!(
            "POST {SYNC} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: {}\r\ncontent-encoding: {}\r\n{more}\r\n",
            self.phone.token,
            wire::CONTENT_TYPE,
            wire::CONTENT_ENCODING,
        )
    }

    fn post(&self, body: &[u8]) -> FullAnswer {
        let mut connection = Connection::open(self.server.address);
        connection.send(self.head(&format!("content-length: {}\r\n", body.len())).as_bytes());
        connection.send(body);
        connection.answer()
    }

    /// After all of it the server lives, has stored nothing, and serves.
    fn still_serves(mut self) {
        assert!(self.server.is_alive());
        let overview = self.server.current_overview();
        assert_eq!(overview["freshness"]["log_head"], 0);
        assert_eq!(overview["coverage"]["received"], 0);
        let change = self.phone.edit("A1", |edit| {
            edit.put_answer(&AnswerPath::top("fibre_available"), &"yes".into())
        });
        assert!(change.is_some());
        assert_eq!(
            self.phone
                .sync()
                .iter()
                .map(|received| received.acknowledged)
                .sum::<usize>(),
            1
        );
        assert_eq!(self.server.current_overview()["coverage"]["received"], 1);
    }
}

/// A request of the phone with one honest change.
fn honest(phone: &mut Phone) -> SyncRequest {
    let mut copy = sync_core::exchange::Client::default();
    let round = phone.round();
    let mut response = sync_core::response::Response::new(sync_core::identity::ResponseId::of(round, "A9")).unwrap();
    let edited = response.edit(&phone.key.actor(), 1, |edit| {
        edit.put_answer(&AnswerPath::top("note"), &"x".into())
    });
    copy.enqueue(sync_core::exchange::OutgoingChange {
        round,
        unit: "A9".to_owned(),
        change: edited.unwrap().1.unwrap(),
    });
    copy.request(&phone.key, 0, usize::MAX)
}

fn compressed(inflated: &[u8]) -> Vec<u8> {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    writer.write_all(inflated).unwrap();
    writer.into_inner()
}

fn assert_secure(answer: &FullAnswer) {
    for (header, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(header), value, "{answer:?}");
    }
    assert!(
        answer
            .header("content-security-policy")
            .starts_with("default-src 'self'")
    );
    assert!(!answer.header("cache-control").is_empty());
}

/// The answer is a problem (RFC 9457) of this kind; gives its detail.
fn assert_problem(answer: &FullAnswer, status: u16, name: &str) -> String {
    let what = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, status, "{what}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
    let json = answer.json();
    assert_eq!(json["type"], format!("/problems/{name}"), "{what}");
    assert_eq!(json["status"], status, "{what}");
    assert!(!json["title"].as_str().unwrap().is_empty(), "{what}");
    assert_secure(answer);
    let detail = json["detail"].as_str().unwrap().to_owned();
    assert!(!detail.is_empty(), "{what}");
    detail
}

#[test]
fn malformed_messages_name_their_place() {
    let mut door = Door::open();
    let request = honest(&mut door.phone);
    let inflated = request.to_cbor().unwrap();

    for end in (0..inflated.len()).step_by(7).chain([inflated.len() - 1]) {
        let answer = door.post(&compressed(&inflated[..end]));
        let detail = assert_problem(&answer, 400, "malformed-message");
        assert!(detail.contains("byte "), "cut after {end}: {detail}");
    }
    let sent = wire::encode(&request).unwrap();
    // The last bytes may be brotli's mark of the end alone, without which everything is there.
    for end in (0..sent.len() - 4).step_by(11) {
        assert_problem(&door.post(&sent[..end]), 400, "malformed-message");
    }
    let mut trailing = inflated.clone();
    trailing.push(0);
    let detail = assert_problem(&door.post(&compressed(&trailing)), 400, "malformed-message");
    assert!(detail.contains(&format!("byte {}", inflated.len())), "{detail}");
    for rubbish in [&b"\xff\xff\xff\xff rubbish"[..], &inflated, b"{}", b"\x00"] {
        let detail = assert_problem(&door.post(rubbish), 400, "malformed-message");
        assert!(
            detail.contains("content encoding br") || detail.contains("byte "),
            "{detail}"
        );
    }
    let future = wire::encode(&SyncRequest { version: 9, ..request }).unwrap();
    let detail = assert_problem(&door.post(&future), 400, "unsupported-version");
    assert!(
        detail.contains('9') && detail.contains(&PROTOCOL_VERSION.to_string()),
        "{detail}"
    );
    assert_eq!(
        door.post(&future).json()["versions"],
        serde_json::json!([PROTOCOL_VERSION])
    );
    door.still_serves();
}

#[test]
fn another_content_type_or_encoding_is_not_guessed_at() {
    let mut door = Door::open();
    let body = wire::encode(&honest(&mut door.phone)).unwrap();
    let token = format!("Bearer {}", door.phone.token);
    let (cbor, br) = (
        ("content-type", wire::CONTENT_TYPE),
        ("content-encoding", wire::CONTENT_ENCODING),
    );
    for headers in [
        vec![],
        vec![cbor],
        vec![br],
        vec![cbor, ("content-encoding", "gzip")],
        vec![cbor, ("content-encoding", "br, br")],
        vec![("content-type", "application/json"), br],
        vec![("content-type", ""), br],
        vec![("content-type", "\u{fc}"), br],
    ] {
        let mut headers = headers;
        headers.push(("authorization", &token));
        let answer = connection::request(door.server.address, "POST", SYNC, &headers, &body);
        let detail = assert_problem(&answer, 415, "unsupported-media-type");
        assert!(detail.contains(wire::CONTENT_TYPE) && detail.contains(wire::CONTENT_ENCODING));
    }
    door.still_serves();
}

#[test]
fn what_is_too_large_is_refused_whatever_it_says_of_its_size() {
    let door = Door::open();
    let limit = Limits::default().compressed_bytes;
    let large = vec![0; limit + 1];
    let too_large = |answer: &FullAnswer| {
        let detail = assert_problem(answer, 413, "too-large");
        assert!(detail.contains(&limit.to_string()), "{detail}");
    };
    too_large(&door.post(&large));

    // Said to be larger still: refused before any of it is read.
    let mut connection = Connection::open(door.server.address);
    connection.send(door.head("content-length: 5000000000\r\n").as_bytes());
    too_large(&connection.answer());

    // Of no stated length (RFC 9112, section 7.1).
    let mut connection = Connection::open(door.server.address);
    connection.send(door.head("transfer-encoding: chunked\r\n").as_bytes());
    for piece in large.chunks(1 << 20) {
        connection.send(format!("{:x}\r\n", piece.len()).as_bytes());
        connection.send(piece);
        connection.send(b"\r\n");
    }
    connection.send(b"0\r\n\r\n");
    too_large(&connection.answer());

    // Said to be short: only as much is read.
    let mut connection = Connection::open(door.server.address);
    connection.send(door.head("content-length: 10\r\n").as_bytes());
    connection.send(&large[..1 << 20]);
    assert_problem(&connection.answer(), 400, "malformed-message");

    // Said to be long, and cut off.
    let mut connection = Connection::open(door.server.address);
    connection.send(door.head("content-length: 1000\r\n").as_bytes());
    connection.send(&large[..100]);
    connection.end();
    assert_problem(&connection.answer(), 400, "broken-body");
    door.still_serves();
}

#[test]
fn bombs_go_off_outside() {
    let mut door = Door::open();
    let limits = Limits::default();
    let bomb = compressed(&vec![0; 40 << 20]);
    let detail = assert_problem(&door.post(&bomb), 413, "too-large");
    assert!(detail.contains(&limits.inflated_bytes.to_string()), "{detail}");

    // Thirty million empty changes in a few kilobytes.
    let request = honest(&mut door.phone);
    let inflated = request.to_cbor().unwrap();
    let place = inflated.windows(7).position(|window| window == b"changes").unwrap() + 7;
    let mut many = inflated[..place].to_vec();
    many.extend([0x9a, 0x01, 0xc9, 0xc3, 0x80]);
    many.resize(many.len() + 30_000_000, 0x40);
    assert_problem(&door.post(&compressed(&many)), 413, "too-large");

    let rubbish = |number: u32| Attestation {
        device: DevicePublicKey([number as u8; 32]),
        first: 0,
        count: 1,
        signature: AttestationSignature([7; 64]),
    };
    let attested = |count: u32| {
        let attestations = (0..count).map(rubbish).collect();
        wire::encode(&SyncRequest {
            attestations,
            ..request.clone()
        })
        .unwrap()
    };
    assert_problem(&door.post(&attested(100_000)), 413, "too-large");
    assert_problem(&door.post(&attested(limits.changes as u32)), 422, "invalid-attestation");

    #[cfg(target_os = "linux")]
    {
        let peak = peak_memory(door.server.id()).unwrap() as u64 >> 10;
        assert!(peak < PEAK_MEMORY, "the server took {peak} KiB");
    }
    door.still_serves();
}

#[test]
fn many_large_bodies_wait_outside_until_there_is_room() {
    let door = Door::open();
    let length = Limits::default().compressed_bytes;
    let head = door.head(&format!("content-length: {length}\r\n"));
    // Together more than the server may take; the last byte never comes.
    let sender = |_| {
        let (address, head) = (door.server.address, head.clone());
        std::thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            // What waits outside cannot be sent to the end.
            let _ = stream.write_all(&vec![0; length - 1]);
            stream
        })
    };
    let senders: Vec<_> = (0..120).map(sender).collect();
    let stalled: Vec<TcpStream> = senders.into_iter().map(|sender| sender.join().unwrap()).collect();
    #[cfg(target_os = "linux")]
    {
        let peak = peak_memory(door.server.id()).unwrap() as u64 >> 10;
        assert!(peak < PEAK_MEMORY, "the server took {peak} KiB");
    }
    // Who hangs up makes room for who waits.
    drop(stalled);
    door.still_serves();
}

#[test]
fn clients_that_stop_in_the_middle_keep_nobody_waiting() {
    let mut door = Door::open();
    let body = wire::encode(&honest(&mut door.phone)).unwrap();
    let stalled: Vec<Connection> = (0..100)
        .map(|number| {
            let mut connection = Connection::open(door.server.address);
            let head = door.head(&format!("content-length: {}\r\n", body.len()));
            // Some stop within the head, some within the body.
            let end = if number % 2 == 0 { head.len() / 2 } else { head.len() };
            connection.send(&head.as_bytes()[..end]);
            if number % 2 == 1 {
                connection.send(&body[..body.len() / 2]);
            }
            connection
        })
        .collect();
    let health = connection::get(door.server.address, "/api/v1/health", &[]);
    assert_eq!(health.status, 200);
    door.still_serves();
    drop(stalled);
}

#[cfg(unix)]
#[test]
fn clients_that_stop_in_the_middle_do_not_keep_the_server_from_stopping() {
    let mut door = Door::open();
    let mut connection = Connection::open(door.server.address);
    connection.send(door.head("content-length: 1000\r\n").as_bytes());
    // An answer to another request shows that the server has come to this one.
    assert_eq!(connection::get(door.server.address, "/api/v1/health", &[]).status, 200);
    let asked = std::process::Command::new("kill")
        .args(["-TERM", &door.server.id().to_string()])
        .status()
        .unwrap();
    assert!(asked.success());
    let start = Instant::now();
    while door.server.is_alive() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "the server waits for a client that says nothing"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn problems_speak_the_callers_language() {
    let door = Door::open();
    let ask = |wanted: &str| {
        connection::get(
            door.server.address,
            "/api/v1/overview?unit=99999",
            &[("accept-language", wanted)],
        )
    };
    for (wanted, language, words) in [
        ("vi", "vi", "không có đơn vị"),
        ("en", "en", "no unit"),
        ("en-GB,en;q=0.8,vi;q=0.9", "en", "no unit"),
        ("vi;q=0.9,en;q=0.8", "vi", "không có đơn vị"),
        ("fr", "vi", "không có đơn vị"),
        ("", "vi", "không có đơn vị"),
        (";;q=,,=", "vi", "không có đơn vị"),
    ] {
        let answer = ask(wanted);
        let detail = assert_problem(&answer, 404, "not-found");
        assert!(detail.contains(words) && detail.contains("99999"), "{wanted}: {detail}");
        assert_eq!(answer.header("content-language"), language, "{wanted}");
    }
    door.still_serves();
}

#[test]
fn wrong_addresses_methods_and_queries_are_problems() {
    let door = Door::open();
    let address = door.server.address;
    for path in [
        "/api/v1/nothing",
        "/api/",
        "/nothing",
        "/../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/%ff",
        "/a//b",
    ] {
        assert_problem(&connection::get(address, path, &[]), 404, "not-found");
    }
    for (method, path, allowed) in [
        ("GET", SYNC, "POST"),
        ("DELETE", SYNC, "POST"),
        ("POST", "/api/v1/overview", "GET"),
        ("PUT", "/api/v1/devices/enrol", "POST"),
        ("BREW", "/api/v1/health", "GET"),
    ] {
        let answer = connection::request(address, method, path, &[], b"");
        assert_problem(&answer, 405, "method-not-allowed");
        // RFC 9110, section 15.5.6.
        assert!(
            answer.header("allow").contains(allowed),
            "{method} {path}: {:?}",
            answer.headers
        );
    }
    let long = "9".repeat(60_000);
    for (query, status, name) in [
        ("unit=99999", 404, "not-found"),
        ("unit=", 404, "not-found"),
        ("unit=%00", 404, "not-found"),
        ("unit=%ff%fe", 404, "not-found"),
        ("unit=82%27%20OR%201=1--", 404, "not-found"),
        (&format!("unit={long}"), 404, "not-found"),
        ("round=nonsense", 404, "not-found"),
        ("round=00000000-0000-0000-0000-000000000000", 404, "not-found"),
        ("unit=82&unit=82", 400, "bad-request"),
    ] {
        let answer = connection::get(address, &format!("/api/v1/overview?{query}"), &[]);
        assert_problem(&answer, status, name);
    }
    for query in ["", "?", "?nonsense=1&&&=", "?unit=82", "?unit=28249-01"] {
        let answer = connection::get(address, &format!("/api/v1/overview{query}"), &[]);
        assert_eq!(answer.status, 200, "{query}");
        assert_secure(&answer);
    }
    for path in ["/", "/api/v1/health"] {
        assert_secure(&connection::get(address, path, &[]));
    }
    door.still_serves();
}
