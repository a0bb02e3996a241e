//! The other end: connections over TLS that are accepted, whatever is spoken then.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ravelin_tls::client::Identity;
use ravelin_tls::{Certificates, ServedCertificate, ServerOptions, ServerTls, Tickets};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;

use crate::error::Error;
use crate::response::TlsFacts;
use crate::stream::BoxedIo;

/// Does the server's part of a handshake, with connections that are there.
///
/// ```no_run
/// use ravelin_client::{Acceptor, Identity, ServerOptions};
/// use tokio::io::AsyncWriteExt as _;
/// use tokio::net::TcpListener;
///
/// # async fn example(identity: Identity) -> Result<(), Box<dyn std::error::Error>> {
/// let acceptor = Acceptor::new(identity, &ServerOptions::default())?;
/// let listener = TcpListener::bind("127.0.0.1:4433").await?;
/// let (tcp, address) = listener.accept().await?;
/// let mut client = acceptor.accept(tcp, address).await?;
/// client.io.write_all(b"hello\n").await?;
/// client.io.shutdown().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Acceptor {
    tls: ServerTls,
    patience: Duration,
}

/// A client, with the handshake done.
pub struct Accepted {
    /// The octets, in clear. To shut it down is to say `close_notify` (RFC 8446, section 6.1); an end that the client
    /// did not say is an error, [`std::io::ErrorKind::UnexpectedEof`].
    pub io: BoxedIo,
    /// What was agreed, and the certificates that the client showed, where it was asked for any.
    pub tls: TlsFacts,
    /// The name of the server that the client asked for.
    pub server_name: Option<String>,
    /// Where the client is.
    pub peer: SocketAddr,
}

impl Acceptor {
    /// Shows this certificate to all clients.
    ///
    /// # Errors
    ///
    /// The certificate and the key do not belong together, a CA of the clients cannot be read, or the suites are none
    /// of the versions.
    pub fn new(identity: Identity, options: &ServerOptions) -> Result<Self, Error> {
        let served = ServedCertificate::new(identity.chain, identity.key, &[])?;
        let tickets = Tickets::new().map_err(Error::Config)?;
        let tls = ServerTls::with(Arc::new(Certificates::new(served)), &tickets, options);
        Ok(Self::from(tls.map_err(Error::Config)?))
    }

    /// How long a handshake may take; 10 seconds where nothing is said.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Does the handshake with a client.
    ///
    /// # Errors
    ///
    /// The two agree on nothing, the client shows no certificate that is asked for, or it takes too long.
    pub async fn accept(&self, tcp: TcpStream, peer: SocketAddr) -> Result<Accepted, Error> {
        match tokio::time::timeout(self.patience, self.shake_hands(tcp, peer)).await {
            Ok(accepted) => accepted.map_err(|source| Error::Handshake {
                host: peer.to_string(),
                source,
            }),
            Err(_) => Err(Error::TimedOut {
                what: "the handshake",
                after: self.patience,
            }),
        }
    }

    async fn shake_hands(&self, tcp: TcpStream, peer: SocketAddr) -> std::io::Result<Accepted> {
        // What is sent in pieces would wait for the other to say that it has the first.
        tcp.set_nodelay(true)?;
        let local = tcp.local_addr()?.ip();
        let begun = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), tcp).await?;
        let config = self.tls.for_client(&begun.client_hello(), local);
        let stream = begun.into_stream(config).await?;
        let connection = stream.get_ref().1;
        Ok(Accepted {
            tls: TlsFacts::of(connection),
            server_name: connection.server_name().map(str::to_owned),
            io: Box::new(stream),
            peer,
        })
    }
}

impl From<ServerTls> for Acceptor {
    fn from(tls: ServerTls) -> Self {
        Self {
            tls,
            patience: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("tls", &self.tls)
            .field("server_name", &self.server_name)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
