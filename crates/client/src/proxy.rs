//! Proxies: which one leads where, as the environment or the caller says.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use base64::Engine as _;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// A proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub(crate) kind: Kind,
    /// Without the brackets of IPv6.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Spoken to in clear; what goes through it to an https server is TLS all the same.
    Http,
    /// Spoken to over TLS.
    Https,
    /// SOCKS version 5 (RFC 1928), which is told an address: names are looked up here.
    Socks5,
    /// The same, which is told names.
    Socks5h,
}

/// Why a text is no proxy.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is no proxy: http://HOST:PORT, https://, socks5:// or socks5h://")]
pub struct ProxyError(String);

impl FromStr for Proxy {
    type Err = ProxyError;

    /// `http://user:password@proxy.example:3128`; without a scheme it is `http`.
    fn from_str(text: &str) -> Result<Self, ProxyError> {
        // Never the password, which would show in a terminal or a log.
        let shown = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
        let wrong = || ProxyError(shown.to_owned());
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let url = Url::parse(&whole).map_err(|_| wrong())?;
        let (kind, usual) = match url.scheme() {
            "http" => (Kind::Http, 80),
            "https" => (Kind::Https, 443),
            "socks5" => (Kind::Socks5, 1080),
            "socks5h" | "socks" => (Kind::Socks5h, 1080),
            _ => return Err(wrong()),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let login = (!url.username().is_empty()).then(|| {
            let password = url.password().unwrap_or_default();
            (decoded(url.username()), decoded(password))
        });
        Ok(Self {
            kind,
            host,
            port: url.port().unwrap_or(usual),
            login,
        })
    }
}

/// Without the password.
impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Https => "https",
            Kind::Socks5 => "socks5",
            Kind::Socks5h => "socks5h",
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Proxy {
    /// What `Proxy-Authorization` says.
    pub(crate) fn authorization(&self) -> Option<String> {
        let (user, password) = self.login.as_ref()?;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        Some(format!("Basic {pair}"))
    }

    /// Whether it is told whole requests, in place of being asked to connect.
    pub(crate) fn takes_requests(&self, url: &Url) -> bool {
        url.scheme() == "http" && matches!(self.kind, Kind::Http | Kind::Https)
    }
}

/// Which proxy leads where.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    bypass: Vec<String>,
}

impl Proxies {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// This one for all.
    #[must_use]
    pub fn all(proxy: Proxy) -> Self {
        Self {
            http: Some(proxy.clone()),
            https: Some(proxy),
            bypass: Vec::new(),
        }
    }

    /// What the environment says, as curl reads it: `https_proxy`, `http_proxy`, `all_proxy` and `no_proxy`,
    /// also in capitals but for `HTTP_PROXY`, which a request can set for a program that CGI starts.
    ///
    /// # Errors
    ///
    /// One of them is no proxy.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let first = |names: &[&str]| {
            let mut values = names.iter().filter_map(|name| variable(name));
            values.find(|value| !value.is_empty())
        };
        let proxy = |names: &[&str]| first(names).map(|text| text.parse()).transpose();
        let bypass = first(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
        Ok(Self {
            http: proxy(&["http_proxy", "all_proxy", "ALL_PROXY"])?,
            https: proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            bypass: bypass
                .split([',', ' '])
                .map(|entry| entry.trim().to_ascii_lowercase())
                .filter(|entry| !entry.is_empty())
                .collect(),
        })
    }

    /// Leaves these names, those below them, and addresses, alone; `*` is everything.
    #[must_use]
    pub fn but(mut self, bypass: impl IntoIterator<Item = String>) -> Self {
        self.bypass.extend(bypass);
        self
    }

    /// Whether one of them is spoken to over TLS.
    pub(crate) fn have_tls(&self) -> bool {
        let mut all = self.http.iter().chain(&self.https);
        all.any(|proxy| proxy.kind == Kind::Https)
    }

    /// The proxy for an address.
    #[must_use]
    pub fn of(&self, url: &Url) -> Option<&Proxy> {
        if self.bypass.iter().any(|entry| covers(entry, url)) {
            return None;
        }
        match url.scheme() {
            "https" => self.https.as_ref(),
            _ => self.http.as_ref(),
        }
    }
}

/// Whether an entry of `no_proxy` covers an address.
fn covers(entry: &str, url: &Url) -> bool {
    if entry == "*" {
        return true;
    }
    if let (Some((network, bits)), Some(address)) = (entry.split_once('/'), address(url)) {
        return within(network, bits, address).unwrap_or(false);
    }
    let (name, port) = match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => return false,
        },
        _ => (entry, None),
    };
    if port.is_some() && port != url.port_or_known_default() {
        return false;
    }
    let Some(host) = url.host_str() else {
        return false;
    };
    let name = name.trim_start_matches('.').trim_matches(['[', ']']);
    let host = host.trim_matches(['[', ']']);
    host == name
        || address(url).is_none()
            && host
                .strip_suffix(name)
                .is_some_and(|above| above.ends_with('.'))
}

fn address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

fn within(network: &str, bits: &str, address: IpAddr) -> Option<bool> {
    let bits: u32 = bits.parse().ok()?;
    Some(match (network.parse().ok()?, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            network.to_bits() & mask == address.to_bits() & mask
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_which_proxy_leads_where() {
        let variables = |name: &str| {
            let value = match name {
                "https_proxy" => "socks5h://tor:secret@127.0.0.1:9050",
                "http_proxy" => "proxy.example:3128",
                "HTTP_PROXY" => "http://evil.example",
                "no_proxy" => "localhost, .intern.example,10.0.0.0/8,a.example:8443",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let proxies = Proxies::from_environment(variables).unwrap();
        let of = |url: &str| {
            proxies
                .of(&Url::parse(url).unwrap())
                .map(ToString::to_string)
        };
        let https = Some("socks5h://127.0.0.1:9050".to_owned());
        assert_eq!(of("https://example.org/"), https);
        assert_eq!(
            of("http://example.org/"),
            Some("http://proxy.example:3128".to_owned())
        );
        for direct in [
            "https://localhost:1/",
            "https://b.intern.example/",
            "https://intern.example/",
            "https://10.1.2.3/",
            "https://a.example:8443/",
        ] {
            assert_eq!(of(direct), None, "{direct}");
        }
        for led in [
            "https://notintern.example/",
            "https://11.0.0.1/",
            "https://a.example/",
        ] {
            assert_eq!(of(led), https, "{led}");
        }
        assert!(!format!("{proxies:?}").contains("secret"));
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_its_password() {
        for text in ["ftp://a", "http://", "user:secret@"] {
            let error = text.parse::<Proxy>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        let proxy: Proxy = "https://ada:p%40ss@[::1]:8".parse().unwrap();
        assert_eq!(proxy.to_string(), "https://[::1]:8");
        assert_eq!(proxy.authorization().unwrap(), "Basic YWRhOnBAc3M=");
    }
}
