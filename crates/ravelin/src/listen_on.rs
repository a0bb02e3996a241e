//! Where to listen, as `--listen` and the config file take it. Each way of writing it says who can
//! connect, so that nobody opens a server to the network by leaving something out.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::str::FromStr;

/// The addresses that one text stands for.
///
/// | written | means |
/// |---|---|
/// | `8443`, `localhost:8443` | this machine alone, over IPv4 and IPv6 |
/// | `*:8443` | everyone, over IPv4 and IPv6 |
/// | `192.0.2.1:8443`, `[2001:db8::1]:8443` | who can reach that address |
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListenOn(Vec<SocketAddr>);

impl ListenOn {
    /// This machine alone, over IPv4 and IPv6.
    pub(crate) fn this_machine(port: u16) -> Self {
        Self(vec![
            (Ipv4Addr::LOCALHOST, port).into(),
            (Ipv6Addr::LOCALHOST, port).into(),
        ])
    }

    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.0
    }

    /// Listens there: on one port, where any would do.
    pub(crate) fn bind(&self) -> Result<Vec<TcpListener>, BindError> {
        let mut listeners = Vec::new();
        let mut port = 0;
        for address in &self.0 {
            let mut address = *address;
            // Of any port, that which the first address got.
            if address.port() == 0 {
                address.set_port(port);
            }
            match TcpListener::bind(address) {
                Ok(listener) => {
                    port = listener.local_addr().map_or(0, |address| address.port());
                    listeners.push(listener);
                }
                // A machine without IPv6 has the other.
                Err(error)
                    if error.kind() == ErrorKind::AddrNotAvailable && !listeners.is_empty() => {}
                Err(source) => return Err(BindError { address, source }),
            }
        }
        Ok(listeners)
    }
}

/// Why nobody can listen there.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub(crate) struct BindError {
    pub(crate) address: SocketAddr,
    pub(crate) source: io::Error,
}

/// What is wrong with it, and how it is written instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ListenError {
    #[error("it has no port: write {0}:8443")]
    NoPort(String),
    #[error("{0:?} is not a port: ports are 0 to 65535, and 0 is any free one")]
    Port(String),
    #[error(
        "who may connect? {0} alone is for this machine, *:{0} for everyone, ADDR:{0} for one address"
    )]
    NoAddress(u16),
    #[error("an IPv6 address stands in brackets: write {0}")]
    NoBrackets(SocketAddr),
    #[error(
        "{0:?} is not an address of this machine: names are not looked up, but localhost. Write \
         PORT, *:PORT or ADDR:PORT; the name of a site is its host, not where it listens"
    )]
    Address(String),
}

impl FromStr for ListenOn {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        if let Ok(address) = text.parse() {
            return Ok(Self(vec![address]));
        }
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::this_machine(port(text)?));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Err(match address {
                IpAddr::V4(address) => ListenError::NoPort(address.to_string()),
                // `::1:8443` is an address too, and hardly the one that was meant.
                IpAddr::V6(address) => match without_brackets(text) {
                    Some(meant) => ListenError::NoBrackets(meant),
                    None => ListenError::NoPort(format!("[{address}]")),
                },
            });
        }
        let Some((host, digits)) = text.rsplit_once(':').filter(|_| !text.ends_with(']')) else {
            return Err(
                if ["localhost", "*"].contains(&text) || text.starts_with('[') {
                    ListenError::NoPort(text.to_owned())
                } else {
                    ListenError::Address(text.to_owned())
                },
            );
        };
        let port = port(digits)?;
        match host {
            "" => Err(ListenError::NoAddress(port)),
            "localhost" => Ok(Self::this_machine(port)),
            "*" => Ok(Self(vec![
                (Ipv4Addr::UNSPECIFIED, port).into(),
                (Ipv6Addr::UNSPECIFIED, port).into(),
            ])),
            _ => match without_brackets(text) {
                Some(meant) => Err(ListenError::NoBrackets(meant)),
                None => Err(ListenError::Address(host.to_owned())),
            },
        }
    }
}

fn port(digits: &str) -> Result<u16, ListenError> {
    // `u16` would take a sign too.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ListenError::Port(digits.to_owned()));
    }
    digits
        .parse()
        .map_err(|_| ListenError::Port(digits.to_owned()))
}

/// `::1:8443` as it was meant, if what is behind it looks like a port more than like a group.
fn without_brackets(text: &str) -> Option<SocketAddr> {
    let (address, digits) = text.rsplit_once(':')?;
    let address: Ipv6Addr = address.parse().ok()?;
    (digits.len() >= 4 || ["80", "443"].contains(&digits))
        .then(|| digits.parse().ok())?
        .map(|port: u16| (address, port).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_for_this_machine() {
        assert_eq!(on("8443"), ["127.0.0.1:8443", "[::1]:8443"]);
        assert_eq!(on("localhost:8443"), ["127.0.0.1:8443", "[::1]:8443"]);
        assert_eq!(on("0"), ["127.0.0.1:0", "[::1]:0"]);
    }

    #[test]
    fn everyone_has_to_be_said() {
        assert_eq!(on("*:443"), ["0.0.0.0:443", "[::]:443"]);
        assert_eq!(on("0.0.0.0:443"), ["0.0.0.0:443"]);
        assert_eq!(wrong(":8443"), ListenError::NoAddress(8443));
    }

    #[test]
    fn an_address_with_a_port_is_that_address() {
        assert_eq!(on("192.0.2.7:1"), ["192.0.2.7:1"]);
        assert_eq!(on("[2001:db8::1]:65535"), ["[2001:db8::1]:65535"]);
    }

    #[test]
    fn what_is_missing_is_said() {
        assert_eq!(
            wrong("127.0.0.1"),
            ListenError::NoPort("127.0.0.1".to_owned())
        );
        assert_eq!(wrong("::1"), ListenError::NoPort("[::1]".to_owned()));
        assert_eq!(wrong("[::1]"), ListenError::NoPort("[::1]".to_owned()));
        assert_eq!(
            wrong("localhost"),
            ListenError::NoPort("localhost".to_owned())
        );
        let meant = "[::1]:8443".parse().unwrap();
        assert_eq!(wrong("::1:8443"), ListenError::NoBrackets(meant));
        assert_eq!(wrong("*"), ListenError::NoPort("*".to_owned()));
        let meant = "[::1]:443".parse().unwrap();
        assert_eq!(wrong("::1:443"), ListenError::NoBrackets(meant));
        let meant = "[2001:db8::1]:65000".parse().unwrap();
        assert_eq!(wrong("2001:db8::1:65000"), ListenError::NoBrackets(meant));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for port in ["65536", "99999999999"] {
            assert_eq!(wrong(port), ListenError::Port(port.to_owned()));
        }
        for port in ["", "-1", "+1", "https", " 1"] {
            assert_eq!(
                wrong(&format!("localhost:{port}")),
                ListenError::Port(port.to_owned())
            );
        }
        for text in ["", "example.org", "[::1", "/run/a.sock", "https"] {
            assert!(text.parse::<ListenOn>().is_err(), "{text:?}");
        }
        let name = ListenError::Address("example.org".to_owned());
        assert_eq!(wrong("example.org:443"), name);
    }

    fn on(text: &str) -> Vec<String> {
        let on: ListenOn = text.parse().unwrap();
        on.addresses().iter().map(ToString::to_string).collect()
    }

    fn wrong(text: &str) -> ListenError {
        text.parse::<ListenOn>().unwrap_err()
    }
}
