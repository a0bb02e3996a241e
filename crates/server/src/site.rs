//! What a server serves, as checked values: sites, their routes, and what each route does.
//!
//! These types are the end of configuration: whoever builds them has parsed and checked
//! everything, and the handlers never parse again. How a config file becomes them is the
//! binary's business.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use ravelin_pki::HostName;

/// One site: the names it answers to and its routes.
#[derive(Debug, Clone)]
pub struct Site {
    /// The names this site answers to, wildcards allowed. The `Host` of a request must match one.
    pub hosts: Vec<HostName>,
    /// Headers set on every response of the site; a route's own headers win.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// `Strict-Transport-Security` (RFC 6797), sent only where the request's host is public.
    pub hsts: Option<HeaderValue>,
    /// The routes; the longest matching path prefix wins, an exact path before a prefix.
    pub routes: Vec<Route>,
}

/// One route of a site: which paths it takes, what it asks of the client, and what it does.
#[derive(Debug, Clone)]
pub struct Route {
    /// The paths that the route takes.
    pub path: PathPattern,
    /// Headers set on every response of the route.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The path that the handler sees instead of the request's own.
    pub rewrite: Option<Template>,
    /// Who may come in (RFC 7617).
    pub auth: Option<Arc<BasicAuth>>,
    /// How often a client address may come.
    pub rate_limit: Option<RateLimit>,
    /// The longest request body taken, in bytes; a longer one is answered 413.
    pub body_limit: u64,
    /// What the route does.
    pub handler: Handler,
}

/// The paths a route takes: exactly one, or all that start with a prefix of whole segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPattern {
    /// `/hello`: that path alone.
    Exact(String),
    /// `/old/*`: kept as `/old/`. Takes `/old/` and everything below it; `/*` is kept as `/`.
    Prefix(String),
}

/// A path or URL with `{rest}`, `{host}`, `{path}` and `{query}` in it, cut up once.
///
/// `{rest}` is what follows the prefix of the route's pattern, `{path}` the whole path, both as the
/// client wrote them (percent-encoded); `{query}` is the query with its `?`, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(pub Vec<TemplatePart>);

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// Text as it stands.
    Text(String),
    /// What follows the route's prefix.
    Rest,
    /// The host that the client asked for, without its port.
    Host,
    /// The request's path.
    Path,
    /// The request's query with its `?`, or nothing.
    Query,
}

/// What a route does.
#[derive(Debug, Clone)]
pub enum Handler {
    /// Serves the files of a folder.
    Files(Arc<Files>),
    /// Sends the client elsewhere.
    Redirect {
        /// The `Location`. Where it has no `{query}`, the request's query is kept.
        to: Template,
        /// 301, 302, 303, 307 or 308.
        status: StatusCode,
    },
    /// Always answers the same.
    Respond {
        /// The status.
        status: StatusCode,
        /// The whole body.
        body: Bytes,
        /// The `Content-Type`; none for an empty body.
        content_type: Option<HeaderValue>,
    },
    /// Shows each client the TLS handshake of its own connection, and of no other.
    Handshake,
}

/// How a folder is served.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Files {
    /// The folder. Nothing outside it is ever served, whatever links lie in it.
    pub root: PathBuf,
    /// The file that stands for a folder, `index.html`.
    pub index: String,
    /// Whether a folder without an index shows a page that lists it.
    pub listing: bool,
    /// The file served where nothing was found, relative to the root: single-page applications.
    pub fallback: Option<String>,
    /// Whether `NAME.br`, `NAME.zst` and `NAME.gz` beside a file are served in its place.
    pub precompressed: bool,
    /// Whether compressible types are compressed while they are served.
    pub compress: bool,
    /// `Cache-Control`, if any.
    pub cache_control: Option<HeaderValue>,
}

impl Files {
    /// A folder served as it is when nothing else is said.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            index: "index.html".to_owned(),
            listing: false,
            fallback: None,
            precompressed: true,
            compress: true,
            cache_control: None,
        }
    }
}

/// Names and argon2 hashes of those who may come in (RFC 7617).
#[derive(PartialEq, Eq)]
pub struct BasicAuth {
    /// The realm, shown by browsers.
    pub realm: String,
    /// User name and PHC string (`$argon2id$…`) each, checked when the config was read.
    pub users: Vec<(String, String)>,
}

/// A token bucket a client address (an IPv6 client is its /64).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a `per` that are let through in the long run.
    pub requests: NonZeroU32,
    /// The time that `requests` are counted in.
    pub per: std::time::Duration,
    /// How many may come at once after a quiet time.
    pub burst: NonZeroU32,
}

/// Hashes are secrets: `Debug` shows the names alone.
impl std::fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let users: Vec<_> = self.users.iter().map(|(name, _)| name).collect();
        f.debug_struct("BasicAuth")
            .field("realm", &self.realm)
            .field("users", &users)
            .finish()
    }
}

impl PathPattern {
    /// What of `path` lies behind this pattern, or `None` where the pattern does not take it.
    #[must_use]
    pub fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        match self {
            Self::Exact(exact) => (path == exact).then_some(""),
            Self::Prefix(prefix) => path.strip_prefix(prefix.as_str()),
        }
    }
}

impl Template {
    /// Cuts `text` at its placeholders.
    ///
    /// # Errors
    ///
    /// The name of the first placeholder that does not exist, or `{` for a brace left open.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut left = text;
        while let Some(open) = left.find('{') {
            if open > 0 {
                parts.push(TemplatePart::Text(left[..open].to_owned()));
            }
            let Some(close) = left[open..].find('}') else {
                return Err("{".to_owned());
            };
            parts.push(match &left[open + 1..open + close] {
                "rest" => TemplatePart::Rest,
                "host" => TemplatePart::Host,
                "path" => TemplatePart::Path,
                "query" => TemplatePart::Query,
                other => return Err(other.to_owned()),
            });
            left = &left[open + close + 1..];
        }
        if !left.is_empty() {
            parts.push(TemplatePart::Text(left.to_owned()));
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_takes_what_is_below_it() {
        let old = PathPattern::Prefix("/old/".into());
        assert_eq!(old.rest("/old/a/b"), Some("a/b"));
        assert_eq!(old.rest("/older"), None);
        assert_eq!(PathPattern::Exact("/hello".into()).rest("/hello/"), None);
    }

    #[test]
    fn a_template_is_cut_at_its_placeholders() {
        let template = Template::parse("https://{host}/new/{rest}").unwrap();
        assert_eq!(template.0.len(), 4);
        assert_eq!(Template::parse("/{nope}"), Err("nope".into()));
        assert_eq!(Template::parse("/{"), Err("{".into()));
    }
}
