//! The names that a certificate or a site may carry: DNS names (a leading wildcard label allowed)
//! and IP addresses, told apart by their look.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

mod unicode;

pub use unicode::in_unicode;

/// A DNS name in its lower-case ASCII form, or an IP address.
///
/// A DNS name may start with a wildcard label, `*.example.org`, which stands for exactly one label
/// (RFC 9525, section 6.3). Internationalised names are converted to their A-labels (RFC 5890).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HostName {
    /// `example.org` or `*.example.org`: lower case, ASCII, without a trailing dot.
    Dns(String),
    /// `127.0.0.1` or `::1`, written without brackets.
    Ip(IpAddr),
}

/// Why a text is not a host name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostNameError {
    /// Nothing was given.
    #[error("a host name cannot be empty")]
    Empty,
    /// A label is empty, too long, or has a character that host names do not have.
    #[error("\"{0}\" is not a host name")]
    Invalid(String),
    /// A `*` anywhere but as the whole first label of a name of at least two labels.
    #[error("\"{0}\" has a wildcard that is not its whole first label")]
    Wildcard(String),
}

impl HostName {
    /// Whether this name, which may be a wildcard, covers `host`. A wildcard covers one label, so
    /// `*.example.org` covers `a.example.org` but neither `example.org` nor `a.b.example.org`.
    #[must_use]
    pub fn covers(&self, host: &HostName) -> bool {
        match (self, host) {
            (Self::Dns(pattern), Self::Dns(host)) => match pattern.strip_prefix("*.") {
                Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
                None => pattern == host,
            },
            (Self::Ip(a), Self::Ip(b)) => a == b,
            _ => false,
        }
    }

    /// Whether the name starts with a wildcard label.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::Dns(name) if name.starts_with("*."))
    }

    /// Whether it is a wildcard for all names below a single label, such as `*.localhost`. OpenSSL,
    /// Chromium and Firefox want two labels behind the `*` and refuse a certificate for less.
    #[must_use]
    pub fn is_too_wide(&self) -> bool {
        match self {
            Self::Dns(name) => name
                .strip_prefix("*.")
                .is_some_and(|parent| !parent.contains('.')),
            Self::Ip(_) => false,
        }
    }

    /// Whether the name can only mean something on this machine or in a private network: loopback,
    /// private and link-local addresses (RFC 1918, RFC 4193, RFC 3927), `localhost` (RFC 6761),
    /// `.test` (RFC 6761), `.internal`, `.home.arpa` (RFC 8375), and names of a single label.
    #[must_use]
    pub fn is_private(&self) -> bool {
        match self {
            Self::Dns(name) => Self::is_private_dns(name),
            Self::Ip(IpAddr::V4(ip)) => {
                ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()
            }
            Self::Ip(IpAddr::V6(ip)) => {
                ip.is_loopback()
                    || ip.is_unique_local()
                    || ip.is_unicast_link_local()
                    || ip.is_unspecified()
                    || ip
                        .to_ipv4_mapped()
                        .is_some_and(|ip| Self::Ip(ip.into()).is_private())
            }
        }
    }

    /// [`HostName::is_private`] for a DNS name in lower case that nobody has made a `HostName` of.
    #[must_use]
    pub fn is_private_dns(name: &str) -> bool {
        let name = name.strip_prefix("*.").unwrap_or(name);
        !name.contains('.')
            || ["localhost", "test", "internal", "local", "home.arpa"]
                .iter()
                .any(|suffix| {
                    name.strip_suffix(suffix)
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
                })
    }
}

impl FromStr for HostName {
    type Err = HostNameError;

    /// Reads a DNS name or an IP address; an IPv6 address may stand in brackets.
    fn from_str(text: &str) -> Result<Self, HostNameError> {
        if text.is_empty() {
            return Err(HostNameError::Empty);
        }
        let unbracketed = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(ip) = unbracketed.parse::<IpAddr>() {
            return Ok(Self::Ip(ip));
        }
        let invalid = || HostNameError::Invalid(text.to_owned());
        let text_name = text.strip_suffix('.').unwrap_or(text);
        let (wildcard, name) = match text_name.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text_name),
        };
        if name.contains('*') {
            return Err(HostNameError::Wildcard(text.to_owned()));
        }
        let name = if is_ascii_host(name) {
            name.to_ascii_lowercase()
        } else if name.is_ascii() {
            return Err(invalid());
        } else {
            let ascii = idna::domain_to_ascii_strict(name).map_err(|_| invalid())?;
            if is_ascii_host(&ascii) {
                ascii
            } else {
                return Err(invalid());
            }
        };
        // Four numbers that are no IPv4 address are a typing mistake, never a name (WHATWG URL, 3.5).
        if name
            .rsplit('.')
            .next()
            .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(invalid());
        }
        Ok(Self::Dns(if wildcard { format!("*.{name}") } else { name }))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

/// Letters, digits, hyphens and underscores in labels of 1 to 63 octets, 253 in all (RFC 1035,
/// section 2.3.4). Underscores are no host names in RFC 952, but real names in private networks.
fn is_ascii_host(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> HostName {
        text.parse().unwrap()
    }

    #[test]
    fn names_are_told_apart_by_their_look() {
        assert_eq!(name("Example.ORG."), HostName::Dns("example.org".into()));
        assert_eq!(name("[::1]"), HostName::Ip("::1".parse().unwrap()));
        assert_eq!(
            name("127.0.0.1"),
            HostName::Ip("127.0.0.1".parse().unwrap())
        );
        assert_eq!(
            name("bücher.example"),
            HostName::Dns("xn--bcher-kva.example".into())
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            ".",
            "a..b",
            "-a.b",
            "a b",
            "a/b",
            "1.2.3.999",
            "*",
            "a.*.b",
            "*a.b",
            "é\u{0}",
        ] {
            assert!(text.parse::<HostName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_wildcard_covers_exactly_one_label() {
        let wildcard = name("*.example.org");
        assert!(wildcard.covers(&name("a.example.org")));
        assert!(!wildcard.covers(&name("example.org")));
        assert!(!wildcard.covers(&name("a.b.example.org")));
    }

    #[test]
    fn wildcards_that_no_client_takes_are_known() {
        assert!(name("*.localhost").is_too_wide());
        for text in ["*.a.localhost", "*.home.arpa", "localhost", "127.0.0.1"] {
            assert!(!name(text).is_too_wide(), "{text}");
        }
    }

    #[test]
    fn private_names_are_known() {
        for text in [
            "localhost",
            "a.localhost",
            "x.test",
            "10.0.0.1",
            "::1",
            "fd00::1",
            "nas",
            "p.home.arpa",
        ] {
            assert!(name(text).is_private(), "{text}");
        }
        for text in [
            "example.org",
            "8.8.8.8",
            "notlocalhost.com",
            "mytest.dev",
            "2001:db8::1",
        ] {
            assert!(!name(text).is_private(), "{text}");
        }
    }
}
