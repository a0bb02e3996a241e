//! The host that a request is for.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use http::header;
use http::request::Parts;
use ravelin_pki::HostName;

use crate::connection::Connection;

/// The host of a request, without its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AskedHost<'a> {
    /// In lower case, without a trailing dot.
    Dns(Cow<'a, str>),
    Ip(IpAddr),
}

/// Why a request is for no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostProblem {
    Missing,
    Invalid,
    Contradiction,
}

impl HostProblem {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "the request names no host",
            Self::Invalid => "the request's host is not a host name",
            Self::Contradiction => "the request's target and its Host name different hosts",
        }
    }
}

/// Reads the host from the target (HTTP/2's `:authority`, HTTP/1.1's absolute form) or from `Host`
/// (RFC 9112, section 3.2; RFC 9113, section 8.3.1). Where both are there they must agree: one of
/// them may have been what a proxy in front of us looked at.
pub(crate) fn asked(head: &Parts) -> Result<AskedHost<'_>, HostProblem> {
    let field = match head.headers.get(header::HOST) {
        None => None,
        Some(value) => Some(value.to_str().map_err(|_| HostProblem::Invalid)?),
    };
    let asked = match (head.uri.authority(), field) {
        (Some(authority), Some(field)) if !authority.as_str().eq_ignore_ascii_case(field) => {
            return Err(HostProblem::Contradiction);
        }
        (Some(authority), _) => authority.as_str(),
        (None, Some(field)) => field,
        (None, None) => return Err(HostProblem::Missing),
    };
    parse(asked).ok_or(HostProblem::Invalid)
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(crate) fn parse(text: &str) -> Option<AskedHost<'_>> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (ip, port) = rest.split_once(']')?;
            let port = if port.is_empty() {
                None
            } else {
                Some(port.strip_prefix(':')?)
            };
            check_port(port)?;
            return ip.parse().ok().map(|ip| AskedHost::Ip(IpAddr::V6(ip)));
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    check_port(port)?;
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() || host.len() > 253 {
        return None;
    }
    let mut upper = false;
    let mut last = b'.';
    for byte in host.bytes() {
        match byte {
            // An empty label: `.localhost` must not be what `*.localhost` stands for.
            b'.' if last == b'.' => return None,
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {}
            b'A'..=b'Z' => upper = true,
            _ => return None,
        }
        last = byte;
    }
    if last == b'.' {
        return None;
    }
    if host.as_bytes()[host.len() - 1].is_ascii_digit()
        && let Ok(ip) = host.parse()
    {
        return Some(AskedHost::Ip(IpAddr::V4(ip)));
    }
    Some(AskedHost::Dns(if upper {
        host.to_ascii_lowercase().into()
    } else {
        host.into()
    }))
}

fn check_port(port: Option<&str>) -> Option<()> {
    match port {
        None | Some("") => Some(()),
        Some(port) => (port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit())).then_some(()),
    }
}

impl AskedHost<'_> {
    /// Whether `connection` may carry requests for this host: the client asked for it when it
    /// connected, or was shown a certificate that covers it too (RFC 9110, section 7.4).
    pub(crate) fn may_come_by(&self, connection: &Connection) -> bool {
        if let (Self::Dns(name), Some(tls)) = (self, &connection.tls)
            && tls.server_name.as_deref() == Some(name)
        {
            return true;
        }
        connection.may_speak_for(&self.to_name())
    }

    /// Whether the host can only mean something in a private network.
    pub(crate) fn is_private(&self) -> bool {
        match self {
            Self::Dns(name) => HostName::is_private_dns(name),
            Self::Ip(ip) => HostName::Ip(*ip).is_private(),
        }
    }

    fn to_name(&self) -> HostName {
        match self {
            Self::Dns(name) => HostName::Dns(name.clone().into_owned()),
            Self::Ip(ip) => HostName::Ip(*ip),
        }
    }
}

impl fmt::Display for AskedHost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_with_and_without_port() {
        assert_eq!(parse("A.test:8443"), Some(AskedHost::Dns("a.test".into())));
        assert_eq!(parse("a.test."), Some(AskedHost::Dns("a.test".into())));
        assert_eq!(
            parse("127.0.0.1:1"),
            Some(AskedHost::Ip([127, 0, 0, 1].into()))
        );
        assert_eq!(
            parse("[::1]:8443"),
            Some(AskedHost::Ip("::1".parse().unwrap()))
        );
    }

    #[test]
    fn target_and_host_must_agree_but_not_in_their_case() {
        for (host, agrees) in [("A.test", true), ("a.test", true), ("b.test", false)] {
            let request = http::Request::get("https://a.test/").header(header::HOST, host);
            let head = request.body(()).unwrap().into_parts().0;
            assert_eq!(asked(&head).is_ok(), agrees, "{host}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            ".", "..", ".a", "a..b", "a..", "", ":1", "a b", "a@b", "a:b", "a:123456", "[::1",
            "[::1]x", "[a]", "a/b", "é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
