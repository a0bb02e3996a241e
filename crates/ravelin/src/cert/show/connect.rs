//! A connection for a look at a server's certificates: no longer than ten seconds and 64 KiB, all in all.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ravelin_pki::HostName;
use ravelin_tls::observe::{self, Observation};

use crate::failure::{Failure, chain};

/// Connects, shakes hands, and says which address answered and what it showed.
pub(in crate::cert) fn observe(
    host: &str,
    port: u16,
) -> Result<(SocketAddr, Observation), Failure> {
    let deadline = Instant::now() + PATIENCE;
    let shown = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let addresses = resolve(host, port, deadline)
        .map_err(|error| Failure::network(format!("cannot find \"{host}\": {error}")))?;
    let mut last = io::Error::new(ErrorKind::NotFound, "it has no address");
    for (index, address) in addresses.iter().enumerate() {
        // One that does not answer must leave time for those behind it.
        let share = left(deadline) / (addresses.len() - index) as u32;
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => {
                let mut stream = Timed {
                    stream,
                    deadline,
                    octets: MOST_OCTETS,
                };
                let name = server_name(host)?;
                let seen = observe::observe(&mut stream, name).map_err(|error| {
                    Failure::network(format!("no certificate of \"{shown}\": {}", chain(&error)))
                        .hint(error.hint().map(str::to_owned))
                })?;
                return Ok((*address, seen));
            }
            Err(error) => last = error,
        }
    }
    Err(Failure::network(format!(
        "cannot connect to \"{shown}\": {last}"
    )))
}

fn server_name(host: &str) -> Result<rustls_pki_types::ServerName<'static>, Failure> {
    rustls_pki_types::ServerName::try_from(host.to_owned())
        .map_err(|_| Failure::usage(format!("\"{host}\" is no name for a server")))
}

/// Asks the system for addresses, which takes as long as it takes: its thread is left behind.
fn resolve(host: &str, port: u16, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    if let Ok(HostName::Ip(address)) = host.parse::<HostName>() {
        return Ok(vec![SocketAddr::from((address as IpAddr, port))]);
    }
    let (sender, receiver) = mpsc::channel();
    let host = host.to_owned();
    std::thread::Builder::new().spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs();
        // Nobody waits any more where it took too long.
        let _ = sender.send(found.map(Iterator::collect));
    })?;
    receiver
        .recv_timeout(left(deadline))
        .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// A connection whose every read and write ends by the deadline, and which reads no more than its octets: a
/// server that sends a byte a second does not hold it open, nor one that sends without end.
struct Timed {
    stream: TcpStream,
    deadline: Instant,
    /// How many may still be read.
    octets: usize,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        match left(self.deadline) {
            Duration::ZERO => Err(timed_out()),
            left => Ok(left),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        let most = buffer.len().min(self.octets);
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other(
                "the server sends more than a handshake has",
            ));
        }
        let read = self.stream.read(&mut buffer[..most]).map_err(in_words)?;
        self.octets -= read;
        Ok(read)
    }
}

impl Write for Timed {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(octets).map_err(in_words)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The system says "resource temporarily unavailable" of a time-out.
fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => timed_out(),
        _ => error,
    }
}

fn timed_out() -> io::Error {
    let seconds = PATIENCE.as_secs();
    io::Error::new(
        ErrorKind::TimedOut,
        format!("the server did not answer within {seconds} seconds"),
    )
}

/// For finding, connecting and the handshake together.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much is read of what a server sends. Most handshakes take 5 KiB, one with the longest of post-quantum
/// chains 30.
const MOST_OCTETS: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_server_that_sends_without_end_is_not_read_to_the_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        // It ends when nobody listens any more.
        let endless = std::thread::spawn(move || while server.write_all(&[0; 4096]).is_ok() {});
        let mut timed = Timed {
            stream,
            deadline: Instant::now() + PATIENCE,
            octets: MOST_OCTETS,
        };
        let mut all = Vec::new();
        timed.read_to_end(&mut all).unwrap_err();
        assert_eq!(all.len(), MOST_OCTETS);
        drop(timed);
        endless.join().unwrap();
    }
}
