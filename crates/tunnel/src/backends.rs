//! The servers of a service: which of them is asked, and which are left alone for a while.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::net::{TcpStream, UnixStream};

use crate::socket::Socket;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// A host by name or address, and its port. Names are looked up for each connection.
    Tcp {
        /// The host, without brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Which server a connection goes to, of those that answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Balance {
    /// The first: the others stand by.
    #[default]
    First,
    /// One after the other.
    RoundRobin,
    /// The one with the fewest connections.
    LeastConnections,
}

/// The servers of a service.
#[derive(Debug)]
pub struct Backends {
    servers: Vec<Backend>,
    balance: Balance,
    next: AtomicUsize,
    /// What times are counted from.
    start: Instant,
}

#[derive(Debug)]
struct Backend {
    target: Target,
    /// Connections that it has.
    active: AtomicUsize,
    /// How often in a row it did not answer.
    failures: AtomicU32,
    /// Until when it is asked last, in milliseconds from the start.
    rests_until: AtomicU64,
}

impl Backends {
    /// The servers, best first.
    #[must_use]
    pub fn new(targets: Vec<Target>, balance: Balance) -> Self {
        let servers = targets.into_iter().map(|target| Backend {
            target,
            active: AtomicUsize::new(0),
            failures: AtomicU32::new(0),
            rests_until: AtomicU64::new(0),
        });
        Self {
            servers: servers.collect(),
            balance,
            next: AtomicUsize::new(0),
            start: Instant::now(),
        }
    }

    /// The servers in their order.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.servers.iter().map(|server| &server.target)
    }

    /// In which order servers are asked for a new connection: those that rest, last.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.servers.len()).collect();
        match self.balance {
            Balance::First => {}
            Balance::RoundRobin => {
                let first = self.next.fetch_add(1, Relaxed);
                order.rotate_left(first % self.servers.len().max(1));
            }
            Balance::LeastConnections => {
                order.sort_by_key(|server| self.servers[*server].active.load(Relaxed));
            }
        }
        let now = self.now();
        order.sort_by_key(|server| self.servers[*server].rests_until.load(Relaxed) > now);
        order
    }

    pub(crate) fn target(&self, server: usize) -> &Target {
        &self.servers[server].target
    }

    /// Notes that a server did not answer: it is asked last for a second, then for two, up to half a minute.
    pub(crate) fn failed(&self, server: usize) {
        let server = &self.servers[server];
        let failures = server.failures.fetch_add(1, Relaxed).min(10);
        let rest = (SHORTEST_REST * 2_u32.pow(failures)).min(LONGEST_REST);
        let until = self.now() + u64::try_from(rest.as_millis()).unwrap_or(u64::MAX);
        server.rests_until.store(until, Relaxed);
    }

    /// Notes that a server answers, and has a connection more.
    pub(crate) fn answered(&self, server: usize) {
        let server = &self.servers[server];
        if server.failures.load(Relaxed) > 0 {
            server.failures.store(0, Relaxed);
            server.rests_until.store(0, Relaxed);
        }
        server.active.fetch_add(1, Relaxed);
    }

    /// Notes that a server has a connection less.
    pub(crate) fn left(&self, server: usize) {
        self.servers[server].active.fetch_sub(1, Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Connects to a target, to the first of its addresses that answers.
pub(crate) async fn reach(target: &Target) -> std::io::Result<Socket> {
    match target {
        Target::Unix(path) => UnixStream::connect(path).await.map(Socket::Unix),
        Target::Tcp { host, port } => {
            let tcp = match host.parse() {
                Ok(ip) => TcpStream::connect(SocketAddr::new(ip, *port)).await?,
                Err(_) => TcpStream::connect((host.as_str(), *port)).await?,
            };
            tcp.set_nodelay(true)?;
            Ok(Socket::Tcp(tcp))
        }
    }
}

/// How long a server is left alone that did not answer, the first time.
const SHORTEST_REST: Duration = Duration::from_secs(1);

const LONGEST_REST: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    fn backends(balance: Balance) -> Backends {
        let target = |port| Target::Tcp {
            host: "127.0.0.1".to_owned(),
            port,
        };
        Backends::new(vec![target(1), target(2), target(3)], balance)
    }

    #[test]
    fn the_first_is_asked_first_until_it_fails() {
        let backends = backends(Balance::First);
        assert_eq!(backends.order(), [0, 1, 2]);
        backends.failed(0);
        assert_eq!(backends.order(), [1, 2, 0]);
        backends.answered(0);
        assert_eq!(backends.order(), [0, 1, 2]);
    }

    #[test]
    fn turns_are_taken() {
        let backends = backends(Balance::RoundRobin);
        assert_eq!(backends.order(), [0, 1, 2]);
        assert_eq!(backends.order(), [1, 2, 0]);
        backends.failed(2);
        assert_eq!(backends.order(), [0, 1, 2]);
    }

    #[test]
    fn the_one_with_the_fewest_connections_is_asked_first() {
        let backends = backends(Balance::LeastConnections);
        backends.answered(0);
        backends.answered(1);
        assert_eq!(backends.order(), [2, 0, 1]);
        backends.answered(2);
        backends.left(0);
        assert_eq!(backends.order(), [0, 1, 2]);
    }

    #[test]
    fn a_server_rests_longer_each_time_and_never_for_good() {
        let backends = backends(Balance::First);
        for _ in 0..40 {
            backends.failed(0);
        }
        let until = backends.servers[0].rests_until.load(Relaxed);
        assert!((29_000..=31_000).contains(&until), "{until}");
    }
}
