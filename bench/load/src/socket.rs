//! A non-blocking socket with TLS on it.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use crate::run::OperationError;

pub(crate) struct TlsSocket {
    socket: TcpStream,
    pub(crate) tls: ClientConnection,
}

/// What one read brought.
pub(crate) enum Received {
    /// The socket has no more for now.
    Nothing,
    /// So many bytes of plaintext wait in `tls.reader()`; 0 within the handshake.
    Plaintext(usize),
    /// The server has closed the connection.
    End,
}

impl TlsSocket {
    /// Connects and sends the `ClientHello`, and `first` as soon as the handshake allows. Blocks only
    /// for the TCP handshake, which on loopback the kernel answers within the call.
    pub(crate) fn connect(
        address: SocketAddr,
        name: &ServerName<'static>,
        config: &Arc<ClientConfig>,
        first: &[u8],
    ) -> Result<Self, OperationError> {
        let socket = TcpStream::connect(address).map_err(OperationError::Connect)?;
        socket
            .set_nonblocking(true)
            .map_err(OperationError::Connect)?;
        socket.set_nodelay(true).map_err(OperationError::Connect)?;
        let tls = ClientConnection::new(Arc::clone(config), name.clone())?;
        let mut connected = Self { socket, tls };
        // Kept by rustls until the handshake is done, then sent along with our Finished.
        connected.send(first)?;
        Ok(connected)
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

    /// Reads once, and answers what the handshake asks for.
    pub(crate) fn receive(&mut self) -> Result<Received, OperationError> {
        match self.tls.read_tls(&mut self.socket) {
            Ok(0) => Ok(Received::End),
            Ok(_) => {
                let state = self.tls.process_new_packets()?;
                self.flush()?;
                Ok(Received::Plaintext(state.plaintext_bytes_to_read()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Received::Nothing),
            Err(error) => Err(OperationError::Read(error)),
        }
    }

    pub(crate) fn send(&mut self, plaintext: &[u8]) -> Result<(), OperationError> {
        self.tls
            .writer()
            .write_all(plaintext)
            .map_err(OperationError::Write)?;
        self.flush()
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
