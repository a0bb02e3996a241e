//! One connection of the handshake loads: connect, handshake, one request, its response.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use mio::{Registry, Token};
use rustls::{ClientConfig, HandshakeKind};

use crate::client::TargetSite;
use crate::response::Response;
use crate::run::OperationError;
use crate::socket::{Received, TlsSocket};

/// A connection with its request already on the way.
pub(crate) struct Connection {
    socket: TlsSocket,
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
    pub(crate) fn begin(
        address: SocketAddr,
        site: &TargetSite,
        config: &Arc<ClientConfig>,
    ) -> Result<Self, OperationError> {
        let begun = Instant::now();
        let socket = TlsSocket::connect(address, &site.name, config, &site.request)?;
        Ok(Self {
            socket,
            response: Response::default(),
            begun,
        })
    }

    pub(crate) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        self.socket.register(registry, token)
    }

    pub(crate) fn deregister(&self, registry: &Registry) -> io::Result<()> {
        self.socket.deregister(registry)
    }

    /// Reads until the socket has no more.
    pub(crate) fn advance(&mut self) -> Result<Progress, OperationError> {
        loop {
            match self.socket.receive()? {
                Received::Plaintext(bytes) => self.response.take(&mut self.socket.tls, bytes)?,
                Received::Nothing if self.response.is_whole() => return Ok(Progress::Answered),
                Received::Nothing => return Ok(Progress::Pending),
                Received::End if self.response.is_whole() => return Ok(Progress::Closed),
                Received::End => return Err(OperationError::Truncated),
            }
        }
    }

    /// Whether the server took up the session of the ticket that was offered.
    pub(crate) fn was_resumed(&self) -> bool {
        self.socket.tls.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}
