//! Stands between a phone and a server and counts every byte that travels.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sent, received) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let counters = (Arc::clone(&sent), Arc::clone(&received));
        thread::spawn(move || {
            for phone in listener.incoming() {
                let (phone, server) = (phone.unwrap(), TcpStream::connect(server).unwrap());
                let (phone_too, server_too) = (phone.try_clone().unwrap(), server.try_clone().unwrap());
                let (sent, received) = (Arc::clone(&counters.0), Arc::clone(&counters.1));
                thread::spawn(move || carry(phone, server, &sent));
                thread::spawn(move || carry(server_too, phone_too, &received));
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
}

/// Carries bytes until one side ends. They are counted before they are passed on, so that whoever has received an answer
/// finds all of it counted.
fn carry(mut from: TcpStream, mut to: TcpStream, counter: &AtomicU64) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return to.shutdown(Shutdown::Write);
        }
        counter.fetch_add(length as u64, Ordering::SeqCst);
        to.write_all(&buffer[..length])?;
    }
}
