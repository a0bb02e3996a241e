//! What tunnels are to do, as checked values.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ravelin_pki::HostName;
use ravelin_tls::ServerTls;
use ravelin_tls::starttls::Protocol;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::allow::Rule;
use crate::backends::Backends;
use crate::meters::Meters;

/// Where clients come in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// An address and port.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// One tunnel: what its clients speak, and where they get.
#[derive(Debug, Clone)]
pub struct Tunnel {
    /// What it is called in logs and metrics.
    pub name: Arc<str>,
    /// Where its clients come in.
    pub listen: Vec<Place>,
    /// Whether each connection begins with a header of the PROXY protocol, version 1 or 2, which says who the client
    /// is. Whoever can connect could claim to be anybody: for tunnels that only a proxy can reach.
    pub takes_proxy_header: bool,
    /// What clients speak.
    pub entry: Entry,
    /// The services by the name that clients ask for (RFC 6066, section 3). The first that fits is taken.
    pub routes: Vec<Route>,
    /// The service of all others; those are refused where there is none.
    pub service: Option<Arc<Service>>,
    /// What clients may take.
    pub limits: Limits,
    /// What is counted. Kept when a tunnel is changed.
    pub meters: Arc<Meters>,
}

/// What clients speak.
#[derive(Debug, Clone)]
pub enum Entry {
    /// No TLS: it begins at the service's side.
    Plain,
    /// TLS, which ends here.
    Terminate(Box<Terminate>),
    /// TLS, which is looked at for the name that is asked for, and passed on as it is.
    Pass,
}

/// TLS that ends here.
#[derive(Debug, Clone)]
pub struct Terminate {
    /// Certificates, and whether clients have to show theirs.
    pub tls: ServerTls,
    /// The last second of the certificate that is shown, where there is one.
    pub not_after: Option<SystemTime>,
    /// What is spoken in clear before TLS begins.
    pub starttls: Option<Protocol>,
    /// Who may pass: whose certificate one of these fits. Everybody, where there is none.
    pub allow: Vec<Rule>,
}

/// A service for clients that ask for some names.
#[derive(Debug, Clone)]
pub struct Route {
    /// The names; `*.example.org` is for all that have one label more.
    pub names: Vec<HostName>,
    /// The service.
    pub service: Arc<Service>,
}

/// Where connections go.
#[derive(Debug)]
pub struct Service {
    /// Its servers.
    pub backends: Backends,
    /// TLS that begins here; none where the service speaks clear text.
    pub originate: Option<Originate>,
    /// Whether the service is told who the client is, by a header of the PROXY protocol.
    pub proxy_header: Option<ProxyVersion>,
    /// How long one server may take to answer, TLS and all.
    pub connect_timeout: Duration,
}

/// TLS that begins here.
#[derive(Debug, Clone)]
pub struct Originate {
    /// Whom to believe, and who we are.
    pub config: Arc<ClientConfig>,
    /// The name that the service's certificate has to be for; its host, where none is given.
    pub name: Option<ServerName<'static>>,
    /// What is spoken in clear before TLS begins.
    pub starttls: Option<Protocol>,
    /// Which servers are taken: those whose certificate one of these fits. All that are believed, where there is none.
    pub allow: Vec<Rule>,
}

/// A version of the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyVersion {
    /// A line of text: the addresses.
    V1,
    /// Binary: the addresses, what was agreed in TLS, and the client's certificate's common name.
    V2,
}

/// What clients of a tunnel may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest that all may take that comes before the client's first octet for the service: header, STARTTLS
    /// and handshake.
    pub handshake_timeout: Duration,
    /// How long a connection may lie still.
    pub idle_timeout: Duration,
    /// Connections that the tunnel holds at once. `None`: what the file descriptors allow.
    pub connections: Option<usize>,
    /// Connections that one address may hold at once (an IPv6 client is its /64). `None`: 1,000,
    /// and no limit for loopback addresses.
    pub connections_per_address: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60 * 60),
            connections: None,
            connections_per_address: None,
        }
    }
}

impl Tunnel {
    /// The service of clients that ask for `name`.
    pub(crate) fn service_of(&self, name: Option<&str>) -> Option<&Arc<Service>> {
        let routed = || {
            let name: HostName = name?.parse().ok()?;
            let fits = |route: &&Route| route.names.iter().any(|own| own.covers(&name));
            self.routes.iter().find(fits)
        };
        match routed() {
            Some(route) => Some(&route.service),
            None => self.service.as_ref(),
        }
    }
}
