//! How a client is made.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ravelin_tls::client::{ClientOptions, Identity, Trust, config};
use ravelin_tls::policy::TLS13;

use crate::client::{Client, Inner, Notice};
use crate::connect::{Onlooker, Ways};
use crate::cookies::Jar;
use crate::error::Error;
use crate::pool::Pool;
use crate::proxy::Proxies;
use crate::retry::Retries;

/// Which versions of HTTP are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    /// HTTP/2 where the server does over TLS, else HTTP/1.1.
    #[default]
    Any,
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2 alone; without TLS too, as somebody who knows that the server does.
    Http2,
    /// HTTP/3 alone, over QUIC: to servers of `https` addresses that answer at the UDP port of that number, and neither
    /// through a proxy nor over a Unix socket. Where it is not said, QUIC is not tried, whatever servers say of it.
    Http3,
}

/// Makes a [`Client`]. Nobody is believed until [`Builder::trust`] says who is.
pub struct Builder {
    trust: Trust,
    identity: Option<Identity>,
    versions: Versions,
    proxies: Proxies,
    resolve: Vec<(String, u16, Vec<IpAddr>)>,
    unix_socket: Option<PathBuf>,
    connect_timeout: Duration,
    stall: Duration,
    timeout: Option<Duration>,
    longest: Option<u64>,
    redirects: usize,
    allows_http: bool,
    jar: Option<Jar>,
    decompresses: bool,
    retries: Retries,
    onlooker: Option<Arc<dyn Onlooker>>,
    told: Option<Told>,
}

pub(crate) type Told = Arc<dyn Fn(&Notice) + Send + Sync>;

impl Default for Builder {
    fn default() -> Self {
        Self {
            trust: Trust::default(),
            identity: None,
            versions: Versions::Any,
            proxies: Proxies::none(),
            resolve: Vec::new(),
            unix_socket: None,
            connect_timeout: Duration::from_secs(10),
            stall: Duration::from_secs(60),
            timeout: None,
            longest: None,
            redirects: 10,
            allows_http: false,
            jar: None,
            decompresses: true,
            retries: Retries::default(),
            onlooker: None,
            told: None,
        }
    }
}

impl Builder {
    /// Who is believed.
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Who the client is, for servers that ask.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Which versions of HTTP are spoken.
    #[must_use]
    pub fn versions(mut self, versions: Versions) -> Self {
        self.versions = versions;
        self
    }

    /// Which proxies lead where; none where nothing is said.
    #[must_use]
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Connects to these addresses for a host and a port, in place of those that its name has. Said again for the
    /// same, it adds to them.
    #[must_use]
    pub fn resolve(mut self, host: &str, port: u16, addresses: Vec<IpAddr>) -> Self {
        let host = host.trim_matches(['[', ']']).to_owned();
        self.resolve.push((host, port, addresses));
        self
    }

    /// Connects to this socket, whatever the host is.
    #[must_use]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.unix_socket = Some(path.into());
        self
    }

    /// How long connecting may take, from the name to the end of the handshake; 10 seconds where nothing is said.
    #[must_use]
    pub fn connect_timeout(mut self, patience: Duration) -> Self {
        self.connect_timeout = patience;
        self
    }

    /// How long it may be that nothing moves; 60 seconds where nothing is said.
    #[must_use]
    pub fn stall_timeout(mut self, patience: Duration) -> Self {
        self.stall = patience;
        self
    }

    /// How long all may take, with redirects, repetitions and the body; without end where nothing is said.
    #[must_use]
    pub fn timeout(mut self, patience: Duration) -> Self {
        self.timeout = Some(patience);
        self
    }

    /// The most octets that a body may have, decompressed.
    #[must_use]
    pub fn longest(mut self, octets: u64) -> Self {
        self.longest = Some(octets);
        self
    }

    /// How many redirects are followed; 10 where nothing is said. With 0 a redirect is an answer like others.
    #[must_use]
    pub fn redirects(mut self, most: usize) -> Self {
        self.redirects = most;
        self
    }

    /// Follows redirects from https to http.
    #[must_use]
    pub fn allow_http(mut self, allows: bool) -> Self {
        self.allows_http = allows;
        self
    }

    /// Keeps cookies, beginning with these.
    #[must_use]
    pub fn cookies(mut self, jar: Jar) -> Self {
        self.jar = Some(jar);
        self
    }

    /// Whether compressed bodies are asked for, and decompressed.
    #[must_use]
    pub fn decompress(mut self, decompresses: bool) -> Self {
        self.decompresses = decompresses;
        self
    }

    /// How often a request is sent again; not at all where nothing is said.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Lets somebody look at the TLS of all connections but those to proxies.
    #[must_use]
    pub fn onlooker(mut self, onlooker: Arc<dyn Onlooker>) -> Self {
        self.onlooker = Some(onlooker);
        self
    }

    /// Tells what happens on the way.
    #[must_use]
    pub fn telling(mut self, told: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        self.told = Some(Arc::new(told));
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    ///
    /// The certificate and key of the client, or a CRL, cannot be used.
    pub fn build(self) -> Result<Client, Error> {
        let alpn = match self.versions {
            Versions::Any => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Versions::Http1 => vec![b"http/1.1".to_vec()],
            Versions::Http2 => vec![b"h2".to_vec()],
            Versions::Http3 => vec![b"h3".to_vec()],
        };
        let has_identity = self.identity.is_some();
        // RFC 9001, section 4.2.
        let versions = match self.versions {
            Versions::Http3 => vec![&TLS13],
            _ => Vec::new(),
        };
        let options = ClientOptions {
            versions,
            alpn,
            identity: self.identity,
            witness: self.onlooker.as_ref().map(|onlooker| onlooker.witness()),
            ..ClientOptions::default()
        };
        let for_proxies = ClientOptions {
            alpn: vec![b"http/1.1".to_vec()],
            ..ClientOptions::default()
        };
        let proxy_tls = self
            .proxies
            .have_tls()
            .then(|| config(&self.trust.without_pins(), for_proxies));
        let ways = Ways {
            tls: config(&self.trust, options).map_err(Error::Config)?,
            proxy_tls: proxy_tls.transpose().map_err(Error::Config)?,
            has_identity,
            proxies: self.proxies,
            resolve: self.resolve,
            unix_socket: self.unix_socket,
            patience: self.connect_timeout,
            onlooker: self.onlooker,
            starttls: None,
            server_name: None,
        };
        Ok(Client::of(Inner {
            ways,
            versions: self.versions,
            pool: Arc::new(Pool::default()),
            stall: self.stall,
            timeout: self.timeout,
            longest: self.longest,
            redirects: self.redirects,
            allows_http: self.allows_http,
            jar: self.jar.map(Mutex::new),
            decompresses: self.decompresses,
            retries: self.retries,
            told: self.told,
        }))
    }
}
