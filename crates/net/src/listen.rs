//! Sockets that connections come in by.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

/// How many connections may wait to be accepted. The system clips it to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// An address with one socket for each worker: the kernel deals new connections out between them
/// (`SO_REUSEPORT`), so workers share no accept queue.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    sockets: Vec<TcpListener>,
}

impl Listener {
    /// Listens on `address` for `workers` workers. With port 0 the system chooses a free one.
    pub fn bind(address: SocketAddr, workers: usize) -> Result<Self, ListenError> {
        Self::bind_beside(&[], address, workers)
    }

    /// The same, in a process that listens on the addresses `own` already.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind_beside(
        own: &[SocketAddr],
        address: SocketAddr,
        workers: usize,
    ) -> Result<Self, ListenError> {
        let error = |source| ListenError { address, source };
        // The first socket is opened without SO_REUSEPORT, so that an address which another
        // process uses is refused, even where that process shares it. Our own would be in its way.
        if !own.iter().any(|own| overlap(own, &address)) {
            drop(open(address, false).map_err(error)?);
        }
        let first = open(address, true).map_err(error)?;
        let address = first.local_addr().map_err(error)?;
        let mut sockets = vec![first];
        for _ in 1..workers {
            sockets.push(open(address, true).map_err(error)?);
        }
        Ok(Self { address, sockets })
    }

    /// Takes over a socket that already listens, such as one from systemd: the workers share its
    /// queue.
    pub fn inherit(socket: TcpListener, workers: usize) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        prepare(&SockRef::from(&socket))?;
        let address = socket.local_addr()?;
        let mut sockets = Vec::with_capacity(workers);
        for _ in 1..workers {
            sockets.push(socket.try_clone()?);
        }
        sockets.push(socket);
        Ok(Self { address, sockets })
    }

    /// The address, with the port that the system chose where 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The sockets, one for each worker.
    #[must_use]
    pub fn into_sockets(self) -> Vec<TcpListener> {
        self.sockets
    }
}

/// Whether two addresses are different and one takes connections of the other: `0.0.0.0:443` and
/// `127.0.0.1:443`. (Sockets of IPv6 take none of IPv4.)
#[must_use]
pub fn overlap(one: &SocketAddr, other: &SocketAddr) -> bool {
    one != other
        && one.port() == other.port()
        && one.is_ipv4() == other.is_ipv4()
        && (one.ip().is_unspecified() || other.ip().is_unspecified())
}

fn open(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    prepare(&SockRef::from(&socket))?;
    socket.bind(&address.into())?;
    if shared {
        socket.listen(BACKLOG)?;
    }
    Ok(socket.into())
}

/// What connections inherit from the socket that they come in by: to be sent what is written at
/// once, and to be found out when their client has gone without a word.
fn prepare(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(Duration::from_secs(60))
            .with_interval(Duration::from_secs(15))
            .with_retries(4),
    )
}
