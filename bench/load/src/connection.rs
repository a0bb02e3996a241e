//! One connection of the load: connect, handshake, one request, its response.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Instant;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustls::{ClientConfig, ClientConnection, HandshakeKind};

use crate::client::TargetSite;
use crate::run::OperationError;

/// A connection with its request already on the way.
pub(crate) struct Connection {
    socket: TcpStream,
    tls: ClientConnection,
    response: Response,
    pub(crate) begun: Instant,
}

/// What reading all that there is led to.
pub(crate) enum Progress {
    /// More has to come.
    Pending,
    /// The response is here; the server has not closed the connection.
    Answered,
    /// The server has closed the connection, after the whole response.
    Closed,
}

impl Connection {
    /// Connects and sends the `ClientHello`. Blocks only for the TCP handshake, which on loopback the
    /// kernel answers within the call.
    pub(crate) fn begin(
        address: SocketAddr,
        site: &TargetSite,
        config: &Arc<ClientConfig>,
    ) -> Result<Self, OperationError> {
        let begun = Instant::now();
        let socket = TcpStream::connect(address).map_err(OperationError::Connect)?;
        socket
            .set_nonblocking(true)
            .map_err(OperationError::Connect)?;
        socket.set_nodelay(true).map_err(OperationError::Connect)?;
        let mut tls = ClientConnection::new(Arc::clone(config), site.name.clone())?;
        // Kept by rustls until the handshake is done, then sent along with our Finished.
        tls.writer()
            .write_all(&site.request)
            .map_err(OperationError::Write)?;
        let mut connection = Self {
            socket,
            tls,
            response: Response::default(),
            begun,
        };
        connection.flush()?;
        Ok(connection)
    }

    pub(crate) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(
            &mut SourceFd(&self.socket.as_raw_fd()),
            token,
            Interest::READABLE,
        )
    }

    pub(crate) fn deregister(&self, registry: &Registry) -> io::Result<()> {
        registry.deregister(&mut SourceFd(&self.socket.as_raw_fd()))
    }

    /// Reads until the socket has no more, answering what the handshake asks for.
    pub(crate) fn advance(&mut self) -> Result<Progress, OperationError> {
        loop {
            match self.tls.read_tls(&mut self.socket) {
                Ok(0) => {
                    return if self.response.is_whole() {
                        Ok(Progress::Closed)
                    } else {
                        Err(OperationError::Truncated)
                    };
                }
                Ok(_) => {
                    let state = self.tls.process_new_packets()?;
                    self.response
                        .take(&mut self.tls, state.plaintext_bytes_to_read())?;
                    self.flush()?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(OperationError::Read(error)),
            }
        }
        Ok(if self.response.is_whole() {
            Progress::Answered
        } else {
            Progress::Pending
        })
    }

    /// Whether the server took up the session of the ticket that was offered.
    pub(crate) fn was_resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// What this client sends fits into any socket buffer, so a socket that is full is an error.
    fn flush(&mut self) -> Result<(), OperationError> {
        while self.tls.wants_write() {
            self.tls
                .write_tls(&mut self.socket)
                .map_err(OperationError::Write)?;
        }
        Ok(())
    }
}

/// As much of a response as says whether it is whole and good.
#[derive(Default)]
struct Response {
    head: Vec<u8>,
    /// Body bytes still to come; `None` before the end of the header block.
    remaining: Option<u64>,
}

impl Response {
    fn is_whole(&self) -> bool {
        self.remaining == Some(0)
    }

    fn take(&mut self, tls: &mut ClientConnection, mut bytes: usize) -> Result<(), OperationError> {
        let mut buffer = [0; 4096];
        while bytes > 0 {
            let wanted = bytes.min(buffer.len());
            let read = tls
                .reader()
                .read(&mut buffer[..wanted])
                .map_err(OperationError::Read)?;
            self.feed(&buffer[..read])?;
            bytes -= read;
        }
        Ok(())
    }

    fn feed(&mut self, plaintext: &[u8]) -> Result<(), OperationError> {
        if let Some(remaining) = self.remaining {
            let left = remaining.checked_sub(plaintext.len() as u64);
            self.remaining = Some(left.ok_or(OperationError::TooLong)?);
            return Ok(());
        }
        self.head.extend_from_slice(plaintext);
        let Some(end) = self
            .head
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
        else {
            return Ok(());
        };
        self.remaining = Some(body_length(&self.head[..end])?);
        let body = self.head.split_off(end + 4);
        self.feed(&body)
    }
}

/// The `Content-Length` of a 200; anything else is not the file that was asked for.
fn body_length(head: &[u8]) -> Result<u64, OperationError> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(OperationError::Status(status.to_owned()));
    }
    lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .ok_or(OperationError::NoLength)
}

#[cfg(test)]
mod tests {
    use super::{OperationError, Response, body_length};

    #[test]
    fn the_body_length_is_read_whatever_the_case() {
        let head = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 1024";
        assert_eq!(body_length(head).unwrap(), 1024);
    }

    #[test]
    fn another_status_or_no_length_is_an_error() {
        let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 3";
        assert!(matches!(
            body_length(missing),
            Err(OperationError::Status(_))
        ));
        assert!(matches!(
            body_length(b"HTTP/1.1 200 OK"),
            Err(OperationError::NoLength)
        ));
    }

    #[test]
    fn a_response_in_pieces_is_whole_with_its_last_byte() {
        let mut response = Response::default();
        for piece in [
            &b"HTTP/1.1 200 OK\r\nContent-Le"[..],
            b"ngth: 5\r\n\r",
            b"\nhel",
            b"l",
        ] {
            response.feed(piece).unwrap();
            assert!(!response.is_whole());
        }
        response.feed(b"o").unwrap();
        assert!(response.is_whole());
        assert!(matches!(response.feed(b"!"), Err(OperationError::TooLong)));
    }
}
