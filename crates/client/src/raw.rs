//! Connections for what is spoken over TLS besides HTTP.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ravelin_tls::client::{ClientOptions, Trust, config};
use ravelin_tls::starttls::Protocol;
use url::Url;

use crate::connect::{Ways, shown};
use crate::error::{Error, rustls_error};
use crate::exchange::is_about_client;
use crate::proxy::Proxies;
use crate::response::TlsFacts;
use crate::stream::BoxedIo;

/// Connects to servers over TLS, whatever is spoken then.
///
/// ```no_run
/// use ravelin_client::{ClientOptions, Connector, Trust};
/// use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
///
/// # async fn example(root: ravelin_pki::CertificateDer<'static>) -> Result<(), Box<dyn std::error::Error>> {
/// let connector = Connector::new(&Trust::roots([root]), ClientOptions::default())?;
/// let mut connection = connector.connect("localhost", 8443).await?;
/// connection.io.write_all(b"hello\n").await?;
/// let mut answer = [0; 6];
/// connection.io.read_exact(&mut answer).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Connector {
    ways: Ways,
    /// For proxies that are spoken to over TLS.
    trust: Trust,
}

/// A connection over TLS, with the handshake done.
pub struct Raw {
    /// The octets, in clear. To shut it down is to say `close_notify` (RFC 8446, section 6.1); an end that the server
    /// did not say is an error, [`io::ErrorKind::UnexpectedEof`].
    pub io: BoxedIo,
    /// What was agreed.
    pub tls: TlsFacts,
    /// The other end, where it is no Unix socket; that of the proxy, where there is one.
    pub peer: Option<SocketAddr>,
}

impl Connector {
    /// Connects to servers that `trust` believes.
    ///
    /// # Errors
    ///
    /// The certificate and key of the client, or a CRL, cannot be used.
    pub fn new(trust: &Trust, options: ClientOptions) -> Result<Self, Error> {
        let has_identity = options.identity.is_some();
        Ok(Self {
            ways: Ways {
                tls: config(trust, options).map_err(Error::Config)?,
                proxy_tls: None,
                has_identity,
                proxies: Proxies::none(),
                resolve: Vec::new(),
                unix_socket: None,
                patience: Duration::from_secs(10),
                onlooker: None,
                starttls: None,
                server_name: None,
            },
            trust: trust.without_pins(),
        })
    }

    /// Speaks this protocol up to where TLS begins.
    #[must_use]
    pub fn starttls(mut self, protocol: Protocol) -> Self {
        self.ways.starttls = Some(protocol);
        self
    }

    /// Asks for this name, which the certificate has to be for, in place of the host.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.ways.server_name = Some(name.into());
        self
    }

    /// Which proxies lead where; none where nothing is said.
    ///
    /// # Errors
    ///
    /// A CRL cannot be used.
    pub fn proxies(mut self, proxies: Proxies) -> Result<Self, Error> {
        if proxies.have_tls() {
            let tls = config(&self.trust, ClientOptions::default());
            self.ways.proxy_tls = Some(tls.map_err(Error::Config)?);
        }
        self.ways.proxies = proxies;
        Ok(self)
    }

    /// Connects to these addresses for a host and a port, in place of those that its name has. Said again for the
    /// same, it adds to them.
    #[must_use]
    pub fn resolve(mut self, host: &str, port: u16, addresses: Vec<IpAddr>) -> Self {
        self.ways.resolve.push((host.to_owned(), port, addresses));
        self
    }

    /// How long connecting may take, from the name to the end of the handshake; 10 seconds where nothing is said.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.ways.patience = patience;
        self
    }

    /// Connects, and does the handshake. `host` is a name or an address, without brackets.
    ///
    /// # Errors
    ///
    /// All that can be in the way, which [`Error`] names.
    pub async fn connect(&self, host: &str, port: u16) -> Result<Raw, Error> {
        let text = format!("https://{}/", shown(host, port));
        let url = Url::parse(&text).map_err(|source| Error::Url { text, source })?;
        let connected = self.ways.connect(&url).await?;
        let tls = connected.tls.ok_or_else(|| Error::NotTls {
            host: shown(host, port),
        })?;
        Ok(Raw {
            io: connected.io,
            tls,
            peer: connected.peer,
        })
    }

    /// What an error of reading means, before anything was read: in TLS 1.3 a server says only then that it does not
    /// take the client's certificate, or wants one.
    #[must_use]
    pub fn explain(&self, host: &str, port: u16, source: io::Error) -> Error {
        let host = shown(host, port);
        match rustls_error(&source) {
            Some(rustls::Error::AlertReceived(alert)) if is_about_client(*alert) => {
                Error::TakenBack {
                    host,
                    alert: *alert,
                    had_identity: self.ways.has_identity,
                }
            }
            _ => Error::Broken { host, source },
        }
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Raw")
            .field("tls", &self.tls)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
