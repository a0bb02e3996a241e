//! What there is to say of a connection when it is over.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::{Connection, HandshakeKind};

use crate::secure::HandshakeError;

/// One connection that is over.
#[derive(Debug)]
pub struct Record {
    /// When it came in.
    pub time: SystemTime,
    /// The tunnel.
    pub tunnel: Arc<str>,
    /// The client's address, as a proxy has told it where one is believed; none of a Unix socket.
    pub client: Option<SocketAddr>,
    /// The name that the client asked for.
    pub server_name: Option<String>,
    /// What was agreed on with the client.
    pub tls: Option<TlsFacts>,
    /// Who the client is, by its certificate: the subject, as RFC 4514 writes it, or its first name where there is
    /// none.
    pub identity: Option<String>,
    /// The server that answered.
    pub service: Option<String>,
    /// What was agreed on with the server.
    pub service_tls: Option<TlsFacts>,
    /// Octets from the client to the service.
    pub received: u64,
    /// Octets from the service to the client.
    pub sent: u64,
    /// How long it lasted.
    pub duration: Duration,
    /// How it ended.
    pub ending: Ending,
}

/// What was agreed on in a handshake, in the names of the IANA registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: &'static str,
    /// The cipher suite.
    pub suite: &'static str,
    /// The group of the key exchange; none where a resumption had none.
    pub group: Option<String>,
    /// Whether a session was resumed.
    pub resumed: bool,
    /// The protocol of ALPN.
    pub alpn: Option<String>,
}

impl TlsFacts {
    pub(crate) fn of(tls: &Connection) -> Option<Self> {
        let version = match tls.protocol_version()? {
            rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3",
            _ => "TLSv1.2",
        };
        Some(Self {
            version,
            suite: tls.negotiated_cipher_suite()?.suite().as_str()?,
            group: tls
                .negotiated_key_exchange_group()
                .map(|group| format!("{:?}", group.name())),
            resumed: tls.handshake_kind() == Some(HandshakeKind::Resumed),
            alpn: tls
                .alpn_protocol()
                .map(|name| String::from_utf8_lossy(name).into_owned()),
        })
    }
}

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum Ending {
    /// Both sides have said that they end.
    #[error("done")]
    Done,
    /// Nothing had moved for so long.
    #[error("nothing moved for {} seconds", .0.as_secs())]
    Idle(Duration),
    /// The process stopped, or it panicked.
    #[error("the tunnel was stopped")]
    Stopped,
    /// The header of the PROXY protocol is none.
    #[error("no header of the PROXY protocol: {0}")]
    ProxyHeader(String),
    /// What has to be said before TLS was not.
    #[error("TLS does not begin: {0}")]
    StartTls(String),
    /// The client took too long over its handshake.
    #[error("the handshake took more than {} seconds", .0.as_secs())]
    TooSlow(Duration),
    /// The handshake failed.
    #[error("no TLS with the client: {0}")]
    Handshake(HandshakeError),
    /// It was an ACME server's, which looked whether a name leads here. It was shown what it looked for.
    #[error("an ACME server has looked whether the name leads here")]
    Validation,
    /// No rule fits the client's certificate.
    #[error("the client is not allowed: no rule fits its certificate")]
    NotAllowed,
    /// There is no service for the name that was asked for.
    #[error("there is no service for that name")]
    NoService,
    /// No server of the service can be reached, and why the last of them cannot.
    #[error("no server of the service can be reached: {0}")]
    Unreachable(ServiceError),
    /// The client's side failed.
    #[error("the client's side: {0}")]
    Client(#[source] io::Error),
    /// The service's side failed.
    #[error("the service's side: {0}")]
    Service(#[source] io::Error),
}

/// Why a server of a service is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no connection to it.
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// It took too long.
    #[error("it took more than {} seconds to answer", .0.as_secs_f32())]
    TooSlow(Duration),
    /// TLS does not begin.
    #[error("TLS does not begin: {0}")]
    StartTls(String),
    /// Its certificate is not believed, or the handshake failed otherwise.
    #[error("no TLS: {0}")]
    Handshake(#[source] HandshakeError),
    /// No rule fits its certificate.
    #[error("it is not allowed: no rule fits its certificate")]
    NotAllowed,
}

impl Ending {
    /// A word for it, for logs that programs read.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Idle(_) => "idle",
            Self::Stopped => "stopped",
            Self::ProxyHeader(_) => "proxy-header",
            Self::StartTls(_) => "starttls",
            Self::TooSlow(_) => "too-slow",
            Self::Handshake(_) => "handshake",
            Self::Validation => "validation",
            Self::NotAllowed => "not-allowed",
            Self::NoService => "no-service",
            Self::Unreachable(_) => "unreachable",
            Self::Client(error) if error.kind() == io::ErrorKind::UnexpectedEof => "client-cut-off",
            Self::Client(_) => "client",
            Self::Service(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                "service-cut-off"
            }
            Self::Service(_) => "service",
        }
    }
}
