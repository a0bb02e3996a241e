//! What is asked for.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, Method};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::auth::Credentials;
use crate::body::{Body, Sent};
use crate::error::Error;

/// A request.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) removed: Vec<HeaderName>,
    pub(crate) body: Body,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) sent: Option<Sent>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

impl Request {
    /// Asks for an address by a method. A user and password in the address become credentials.
    ///
    /// # Errors
    ///
    /// It is no address of `https` or `http`.
    pub fn new(method: Method, url: &str) -> Result<Self, Error> {
        let mut url = Url::parse(url).map_err(|source| Error::Url {
            text: url.to_owned(),
            source,
        })?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Error::Scheme(url.scheme().to_owned()));
        }
        let credentials = take_login(&mut url);
        url.set_fragment(None);
        Ok(Self {
            method,
            url,
            headers: HeaderMap::new(),
            removed: Vec::new(),
            body: Body::default(),
            credentials,
            sent: None,
        })
    }

    /// Asks for what is at an address.
    ///
    /// # Errors
    ///
    /// It is no address of `https` or `http`.
    pub fn get(url: &str) -> Result<Self, Error> {
        Self::new(Method::GET, url)
    }

    /// Sends these header fields too. Names that are sent anyhow are replaced.
    #[must_use]
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// Leaves these header fields out, which are sent else.
    #[must_use]
    pub fn without(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.removed.extend(names);
        self
    }

    /// Sends a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// Says who asks, to this origin and no other.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Tells how many octets of the body went out, piece by piece.
    #[must_use]
    pub fn telling(mut self, sent: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.sent = Some(Arc::new(sent));
        self
    }

    /// Adds these names and values to the query of the address.
    pub fn add_query(&mut self, pairs: &[(String, String)]) {
        if !pairs.is_empty() {
            self.url.query_pairs_mut().extend_pairs(pairs);
        }
    }

    /// The header fields that were given.
    #[must_use]
    pub fn given(&self) -> &HeaderMap {
        &self.headers
    }

    /// Who asks.
    #[must_use]
    pub fn who(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// What is sent.
    #[must_use]
    pub fn content(&self) -> &Body {
        &self.body
    }

    /// The address.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Whether there are credentials.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }
}

/// Takes the user and the password out of an address: they are for one header field, and for nobody's log.
pub(crate) fn take_login(url: &mut Url) -> Option<Credentials> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = Credentials::Basic {
        user: decoded(url.username()),
        password: decoded(url.password().unwrap_or_default()),
    };
    // Both are refused only for addresses without a host, which no request has.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Some(credentials)
}
