//! A connection of either kind, TCP or Unix.

use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpStream, UnixStream};

#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// The address of the other end; none of a Unix socket.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(tcp) => tcp.peer_addr().ok(),
            Self::Unix(_) => None,
        }
    }

    /// The address of this end; none of a Unix socket.
    pub(crate) fn local(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(tcp) => tcp.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }

    pub(crate) async fn readable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.readable().await,
            Self::Unix(unix) => unix.readable().await,
        }
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        match self {
            Self::Tcp(tcp) => tcp.writable().await,
            Self::Unix(unix) => unix.writable().await,
        }
    }

    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.try_read(buffer),
            Self::Unix(unix) => unix.try_read(buffer),
        }
    }

    pub(crate) fn try_write(&self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.try_write(octets),
            Self::Unix(unix) => unix.try_write(octets),
        }
    }

    pub(crate) fn try_write_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(tcp) => tcp.try_write_vectored(pieces),
            Self::Unix(unix) => unix.try_write_vectored(pieces),
        }
    }

    /// Says that nothing more will be sent.
    pub(crate) fn end_writing(&self) -> io::Result<()> {
        let ended = match self {
            Self::Tcp(tcp) => SockRef::from(tcp).shutdown(Shutdown::Write),
            Self::Unix(unix) => SockRef::from(unix).shutdown(Shutdown::Write),
        };
        match ended {
            // The other end was faster.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            ended => ended,
        }
    }

    /// Has the other end told by a reset, when this is dropped, that what it got is not all there was.
    pub(crate) fn reset_when_dropped(&self) {
        if let Self::Tcp(tcp) = self {
            let _ = SockRef::from(tcp).set_linger(Some(Duration::ZERO));
        }
    }
}
