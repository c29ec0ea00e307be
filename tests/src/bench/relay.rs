//! Stands between a phone and a server, counts every byte that travels, and holds it up as a slow link does.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// A running relay; it ends with the process.
pub struct Relay {
    /// Where phones connect.
    pub address: SocketAddr,
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
}

impl Relay {
    /// Starts a relay to `server`.
    pub fn start(server: SocketAddr) -> Self {
        Self::with_delay(server, Duration::ZERO)
    }

    /// Starts a relay to `server` over which each byte travels for so long, as many at a time as there are. Connections are
    /// made at once.
    pub fn with_delay(server: SocketAddr, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sent, received) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let counters = (Arc::clone(&sent), Arc::clone(&received));
        thread::spawn(move || {
            for phone in listener.incoming() {
                let (phone, server) = (phone.unwrap(), TcpStream::connect(server).unwrap());
                // Small messages must not wait here for others.
                phone.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let (phone_too, server_too) = (phone.try_clone().unwrap(), server.try_clone().unwrap());
                let (sent, received) = (Arc::clone(&counters.0), Arc::clone(&counters.1));
                thread::spawn(move || carry(phone, server, &sent, delay));
                thread::spawn(move || carry(server_too, phone_too, &received, delay));
            }
        });
        Self {
            address,
            sent,
            received,
        }
    }

    /// The bytes that went to the server and came back since the last call, HTTP's own among them.
    pub fn take(&self) -> (u64, u64) {
        (
            self.sent.swap(0, Ordering::SeqCst),
            self.received.swap(0, Ordering::SeqCst),
        )
    }

    /// Waits until nothing has come for so long, and tells when the last byte came.
    pub fn settle(&self, quiet: Duration) -> Instant {
        let counted = || self.sent.load(Ordering::SeqCst) + self.received.load(Ordering::SeqCst);
        let (mut before, mut last) = (counted(), Instant::now());
        while last.elapsed() < quiet {
            thread::sleep(Duration::from_millis(5));
            let now = counted();
            if now != before {
                (before, last) = (now, Instant::now());
            }
        }
        last
    }
}

/// Carries bytes until one side ends. They are counted before they are passed on, so that whoever has received an answer
/// finds all of it counted.
fn carry(mut from: TcpStream, mut to: TcpStream, counter: &AtomicU64, delay: Duration) -> io::Result<()> {
    let (travelling, arriving) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        for (due, bytes) in arriving {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            to.write_all(&bytes)?;
        }
        to.shutdown(Shutdown::Write)
    });
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        counter.fetch_add(length as u64, Ordering::SeqCst);
        if travelling
            .send((Instant::now() + delay, buffer[..length].to_vec()))
            .is_err()
        {
            return Ok(());
        }
    }
}
