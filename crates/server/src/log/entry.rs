//! What is known of one request when it is over.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::uri::{Authority, PathAndQuery};
use http::{HeaderValue, Method, StatusCode, Version};

/// One request that is over. Made of shared pieces, so that keeping it while the response goes out
/// costs no copy; sending it copies what is needed and lets go of the rest.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When the request came.
    pub time: SystemTime,
    /// The host that was asked for, as the client wrote it.
    pub host: Text,
    /// The client's address.
    pub client: IpAddr,
    /// The method; none where the request could not be read.
    pub method: Option<Method>,
    /// The path with its query, as the client wrote it.
    pub path: Text,
    /// The version of HTTP.
    pub version: Version,
    /// How the connection is secured; none for plain HTTP.
    pub tls: Option<Tls>,
    /// The status of the response. 499 where the client left before there was one.
    pub status: StatusCode,
    /// Bytes of the response's body that were sent.
    pub bytes: u64,
    /// From the request's last header byte to the response's last byte.
    pub duration: Duration,
    /// `User-Agent`.
    pub user_agent: Option<HeaderValue>,
    /// `Referer`.
    pub referer: Option<HeaderValue>,
}

/// How a connection is secured, in the names of the IANA registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tls {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: &'static str,
    /// `TLS13_AES_128_GCM_SHA256` for one.
    pub suite: &'static str,
    /// The group of the key exchange, `X25519MLKEM768` for one; none where a resumption had none.
    pub group: Option<&'static str>,
    /// Whether the session was resumed.
    pub resumed: bool,
}

/// Bytes that a client sent or the server knows, held without a copy.
#[derive(Debug, Clone, Default)]
pub enum Text {
    /// Nothing is known.
    #[default]
    None,
    /// Part of the program.
    Static(&'static str),
    /// Shared with a site or a connection.
    Shared(Arc<str>),
    /// A header field.
    Field(HeaderValue),
    /// The authority of a URI.
    Authority(Authority),
    /// The path and query of a URI.
    Path(PathAndQuery),
}

impl Text {
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Static(text) => text.as_bytes(),
            Self::Shared(text) => text.as_bytes(),
            Self::Field(value) => value.as_bytes(),
            Self::Authority(authority) => authority.as_str().as_bytes(),
            Self::Path(path) => path.as_str().as_bytes(),
        }
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self::Shared(text)
    }
}

impl From<HeaderValue> for Text {
    fn from(value: HeaderValue) -> Self {
        Self::Field(value)
    }
}

impl From<Authority> for Text {
    fn from(authority: Authority) -> Self {
        Self::Authority(authority)
    }
}

impl From<PathAndQuery> for Text {
    fn from(path: PathAndQuery) -> Self {
        Self::Path(path)
    }
}

impl<T: Into<Self>> From<Option<T>> for Text {
    fn from(text: Option<T>) -> Self {
        text.map_or(Self::None, Into::into)
    }
}
