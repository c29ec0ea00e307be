//! HTTP/1.1 written byte by byte, for requests that no client library would send.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// How long a test waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection to a server.
pub struct Connection(TcpStream);

/// An answer with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullAnswer {
    /// The status.
    pub status: u16,
    /// The headers; names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl FullAnswer {
    /// The header with this name, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Connection {
    /// Connects.
    pub fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// Sends bytes. A server that has answered and hung up already is no failure.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).and_then(|()| self.0.flush());
    }

    /// Says that nothing more will be sent.
    pub fn end(&mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }

    /// Reads the answer.
    pub fn answer(&mut self) -> FullAnswer {
        let mut read = Vec::new();
        let head = loop {
            if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            self.more(&mut read);
        };
        let text = std::str::from_utf8(&read[..head]).unwrap().to_owned();
        let mut lines = text.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: BTreeMap<String, String> = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length: usize = headers
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let mut body = read.split_off(head + 4);
        while body.len() < length {
            self.more(&mut body);
        }
        body.truncate(length);
        FullAnswer { status, headers, body }
    }

    fn more(&mut self, read: &mut Vec<u8>) {
        let mut buffer = [0; 8 << 10];
        let count = self.0.read(&mut buffer).unwrap();
        assert!(
            count > 0,
            "the server hung up after {:?}",
            String::from_utf8_lossy(read)
        );
        read.extend_from_slice(&buffer[..count]);
    }
}

/// Sends one request with these header lines and this body, whose length it states, and reads the answer.
pub fn request(server: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> FullAnswer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() || method == "POST" {
        head += &format!("content-length: {}\r\n", body.len());
    }
    let mut connection = Connection::open(server);
    connection.send(format!("{head}\r\n").as_bytes());
    connection.send(body);
    connection.answer()
}

/// Asks for a page.
pub fn get(server: SocketAddr, path: &str, headers: &[(&str, &str)]) -> FullAnswer {
    request(server, "GET", path, headers, b"")
}
