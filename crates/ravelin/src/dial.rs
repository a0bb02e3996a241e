//! A connection that ends: no longer than it is given time, and no more octets than a look at a server takes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ravelin_pki::HostName;

use crate::failure::{Failure, chain};

/// How long a connection may take, and how much is read of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// For finding, connecting and all that follows together.
    pub(crate) patience: Duration,
    /// How many octets are read at most.
    pub(crate) octets: usize,
}

/// Nobody answers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    /// The name leads nowhere.
    #[error("cannot find \"{host}\"")]
    NotFound { host: String, source: io::Error },
    /// None of its addresses takes a connection.
    #[error("cannot connect to \"{name}\"")]
    NotReached { name: String, source: io::Error },
}

impl From<DialError> for Failure {
    fn from(error: DialError) -> Self {
        Self::network(chain(&error))
    }
}

/// What is within an error of the system that is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Bound {
    /// The time is over.
    #[error("the server did not answer within {} second{}", .0.as_secs_f32(), if .0.as_millis() == 1000 { "" } else { "s" })]
    Time(Duration),
    /// All octets were read.
    #[error("it sends more than a handshake has")]
    Octets,
    /// A name without addresses.
    #[error("it has no address")]
    NoAddress,
}

/// Connects to a host by its name or address. Of several addresses the first that answers is taken.
pub(crate) fn dial(
    host: &str,
    port: u16,
    bounds: Bounds,
) -> Result<(SocketAddr, Timed), DialError> {
    let deadline = Instant::now() + bounds.patience;
    let addresses =
        resolve(host, port, deadline, bounds.patience).map_err(|source| DialError::NotFound {
            host: host.to_owned(),
            source,
        })?;
    let mut last = io::Error::new(ErrorKind::NotFound, Bound::NoAddress);
    for (index, address) in addresses.iter().enumerate() {
        // One that does not answer must leave time for those behind it.
        let share = left(deadline) / (addresses.len() - index) as u32;
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => return Ok((*address, Timed::new(stream, deadline, bounds))),
            Err(error) => last = in_words(error, bounds.patience),
        }
    }
    Err(DialError::NotReached {
        name: shown(host, port),
        source: last,
    })
}

/// Connects to an address.
pub(crate) fn dial_address(address: SocketAddr, bounds: Bounds) -> Result<Timed, DialError> {
    let deadline = Instant::now() + bounds.patience;
    let patience = bounds.patience.max(Duration::from_millis(1));
    match TcpStream::connect_timeout(&address, patience) {
        Ok(stream) => Ok(Timed::new(stream, deadline, bounds)),
        Err(error) => Err(DialError::NotReached {
            name: address.to_string(),
            source: in_words(error, bounds.patience),
        }),
    }
}

/// A host and its port as they are written.
pub(crate) fn shown(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Asks the system for addresses, which takes as long as it takes: its thread is left behind.
fn resolve(
    host: &str,
    port: u16,
    deadline: Instant,
    patience: Duration,
) -> io::Result<Vec<SocketAddr>> {
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
        .unwrap_or_else(|_| Err(timed_out(patience)))
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// A connection whose every read and write ends by the deadline, and which reads no more than its octets: a
/// server that sends a byte a second does not hold it open, nor one that sends without end.
#[derive(Debug)]
pub(crate) struct Timed {
    stream: TcpStream,
    deadline: Instant,
    /// When it ends at the latest.
    last: Instant,
    /// How long that is in all, to be told.
    patience: Duration,
    /// How many may still be read.
    octets: usize,
}

impl Timed {
    /// A connection that is there, and that ends by `deadline`.
    pub(crate) fn new(stream: TcpStream, deadline: Instant, bounds: Bounds) -> Self {
        // What TLS writes in several pieces would wait for the other to say that it has the first: 40 ms or more.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            deadline,
            last: deadline,
            patience: bounds.patience,
            octets: bounds.octets,
        }
    }

    /// Lets it end so soon, if it would not sooner, in place of what was said so before.
    pub(crate) fn hurry(&mut self, patience: Duration) {
        self.deadline = self.last.min(Instant::now() + patience);
    }

    /// The address of this end.
    pub(crate) fn local(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    /// Says that nothing more is sent.
    pub(crate) fn shut(&self) {
        // The other may have taken the connection down before.
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    fn in_words(&self, error: io::Error) -> io::Error {
        in_words(error, self.patience)
    }

    fn left(&self) -> io::Result<Duration> {
        match left(self.deadline) {
            Duration::ZERO => Err(timed_out(self.patience)),
            left => Ok(left),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        let most = buffer.len().min(self.octets);
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other(Bound::Octets));
        }
        let read = self
            .stream
            .read(&mut buffer[..most])
            .map_err(|error| self.in_words(error))?;
        self.octets -= read;
        Ok(read)
    }
}

impl Write for Timed {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream
            .write(octets)
            .map_err(|error| self.in_words(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The system says "resource temporarily unavailable" of a time-out.
fn in_words(error: io::Error, patience: Duration) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => timed_out(patience),
        _ => error,
    }
}

fn timed_out(patience: Duration) -> io::Error {
    io::Error::new(ErrorKind::TimedOut, Bound::Time(patience))
}

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
        let bounds = Bounds {
            patience: Duration::from_secs(10),
            octets: 64 << 10,
        };
        let mut timed = Timed::new(stream, Instant::now() + bounds.patience, bounds);
        assert!(timed.stream.nodelay().unwrap());
        let mut all = Vec::new();
        timed.read_to_end(&mut all).unwrap_err();
        assert_eq!(all.len(), bounds.octets);
        drop(timed);
        endless.join().unwrap();
    }
}
