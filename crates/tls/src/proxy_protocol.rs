//! The PROXY protocol of `HAProxy`, versions 1 and 2: who a connection is from, said before all else by a proxy that
//! passes it on. Octets in, values out, and back; that only known proxies are believed is up to the caller.
//!
//! <https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::starttls::shown;

mod crc32c;
mod tlv;

/// What a proxy says of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// Where the connection comes from and went to. `None` where the proxy does not know, where its client came by a
    /// Unix socket, and where it speaks for itself, as in a health check: the connection's own addresses hold.
    pub addresses: Option<Addresses>,
    /// The protocol that was agreed on (ALPN), as it is in TLS.
    pub alpn: Option<Vec<u8>>,
    /// The name that the client asked for (SNI, in TLS).
    pub authority: Option<String>,
    /// How the client came to the proxy, if by TLS.
    pub tls: Option<ClientTls>,
}

/// Both ends of a connection of TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The client's.
    pub source: SocketAddr,
    /// The one that the client connected to.
    pub destination: SocketAddr,
}

/// TLS between the client and the proxy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientTls {
    /// Its version, such as `TLSv1.3`.
    pub version: Option<String>,
    /// Its cipher suite, such as `TLS_AES_128_GCM_SHA256`.
    pub cipher: Option<String>,
    /// The client's certificate, if it has shown one, now or in the session that was resumed.
    pub certificate: Option<ClientCertificate>,
}

/// What is said of a client's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientCertificate {
    /// Whether the proxy has verified it.
    pub verified: bool,
    /// The common name of its subject.
    pub common_name: Option<String>,
}

/// Why what a connection begins with is no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyProtocolError {
    /// It is something else.
    #[error("the connection does not begin with a PROXY header")]
    NotProxied,
    /// A line of version 1 that is none.
    #[error("\"{0}\" is no line of the PROXY protocol")]
    Line(String),
    /// More came than a header may have.
    #[error(
        "the PROXY header is longer than {MOST_LINE} octets in version 1, or {MOST_BODY} in version 2"
    )]
    TooLong,
    /// Neither 1 nor 2.
    #[error("version {0} of the PROXY protocol is not known")]
    Version(u8),
    /// Neither LOCAL nor PROXY.
    #[error("command {0} of the PROXY protocol is not known")]
    Command(u8),
    /// A family of addresses, or a protocol above it, that is not known.
    #[error("family {0:#04x} of addresses is not known in the PROXY protocol")]
    Family(u8),
    /// A part ends behind the whole.
    #[error("a part of the PROXY header is longer than the header has room for")]
    Short,
    /// A value that may be there once: which of them holds cannot be told.
    #[error("value {0:#04x} is in the PROXY header twice")]
    Twice(u8),
    /// A value that is not what its type is.
    #[error("value {0:#04x} in the PROXY header is not of its type")]
    Value(u8),
    /// The checksum is another.
    #[error("the checksum of the PROXY header is wrong")]
    Checksum,
}

/// The header that `octets` begin with, and how many of them it has; `None` where more is needed.
///
/// # Errors
///
/// They begin with no header, or with one that is not right.
pub fn read(octets: &[u8]) -> Result<Option<(Header, usize)>, ProxyProtocolError> {
    let begins = |with: &[u8]| octets.iter().zip(with).all(|(one, other)| one == other);
    if begins(SIGNATURE) {
        return read_v2(octets);
    }
    if begins(LINE) {
        return read_v1(octets);
    }
    Err(ProxyProtocolError::NotProxied)
}

/// A header of version 1: addresses, and no more.
#[must_use]
pub fn write_v1(addresses: Option<&Addresses>) -> Vec<u8> {
    let Some(addresses) = addresses else {
        return b"PROXY UNKNOWN\r\n".to_vec();
    };
    let (source, destination) = addresses.of_one_family();
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let ports = [addresses.source.port(), addresses.destination.port()];
    format!(
        "PROXY {family} {source} {destination} {} {}\r\n",
        ports[0], ports[1]
    )
    .into_bytes()
}

/// A header of version 2. Values of more than 512 octets are left out.
#[must_use]
pub fn write_v2(header: &Header) -> Vec<u8> {
    let mut body = Vec::new();
    let mut family = UNSPECIFIED;
    if let Some(addresses) = &header.addresses {
        match addresses.of_one_family() {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                family = TCP4;
                body.extend(source.octets());
                body.extend(destination.octets());
            }
            (source, destination) => {
                family = TCP6;
                body.extend(mapped(source).octets());
                body.extend(mapped(destination).octets());
            }
        }
        for port in [addresses.source.port(), addresses.destination.port()] {
            body.extend(port.to_be_bytes());
        }
    }
    tlv::write(header, &mut body);
    let mut octets = SIGNATURE.to_vec();
    octets.extend([VERSION | PROXY, family]);
    octets.extend((body.len() as u16).to_be_bytes());
    octets.extend(body);
    octets
}

impl Addresses {
    /// Both as IPv4, or both as IPv6. A socket that takes both says `::ffff:192.0.2.1` for 192.0.2.1.
    fn of_one_family(&self) -> (IpAddr, IpAddr) {
        let [source, destination] =
            [self.source, self.destination].map(|address| address.ip().to_canonical());
        if source.is_ipv4() && destination.is_ipv4() {
            return (source, destination);
        }
        (mapped(source).into(), mapped(destination).into())
    }
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

fn read_v1(octets: &[u8]) -> Result<Option<(Header, usize)>, ProxyProtocolError> {
    let most = octets.get(..MOST_LINE).unwrap_or(octets);
    let Some(end) = most.iter().position(|octet| *octet == b'\n') else {
        if octets.len() >= MOST_LINE {
            return Err(ProxyProtocolError::TooLong);
        }
        return Ok(None);
    };
    let line = most.get(..end).unwrap_or_default();
    let header = str::from_utf8(line)
        .ok()
        .and_then(|line| of_line(line.strip_suffix('\r')?))
        .ok_or_else(|| ProxyProtocolError::Line(shown(line)))?;
    Ok(Some((header, end + 1)))
}

fn of_line(line: &str) -> Option<Header> {
    let line = line.strip_prefix("PROXY ")?;
    // What follows is not looked at, as the protocol wants it.
    if line == "UNKNOWN" || line.starts_with("UNKNOWN ") {
        return Some(Header::default());
    }
    let mut words = line.split(' ');
    let family = words.next()?;
    let mut address = || -> Option<IpAddr> {
        let word = words.next()?;
        match family {
            "TCP4" => word.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            "TCP6" => word.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            _ => None,
        }
    };
    let (source, destination) = (address()?, address()?);
    let (from, to) = (port(words.next()?)?, port(words.next()?)?);
    if words.next().is_some() {
        return None;
    }
    Some(Header {
        addresses: Some(Addresses {
            source: SocketAddr::new(source, from),
            destination: SocketAddr::new(destination, to),
        }),
        ..Header::default()
    })
}

/// A number as it is written in one way alone: no sign, and no zero before it.
fn port(word: &str) -> Option<u16> {
    let port: u16 = word.parse().ok()?;
    (port.to_string() == word).then_some(port)
}

fn read_v2(octets: &[u8]) -> Result<Option<(Header, usize)>, ProxyProtocolError> {
    // Each octet is judged as soon as it is there.
    let Some(version) = octets.get(12) else {
        return Ok(None);
    };
    let command = version & 0x0f;
    if version & 0xf0 != VERSION {
        return Err(ProxyProtocolError::Version(version >> 4));
    }
    if command > PROXY {
        return Err(ProxyProtocolError::Command(command));
    }
    let Some(family) = octets.get(13) else {
        return Ok(None);
    };
    if *family >> 4 > 3 || family & 0x0f > 2 {
        return Err(ProxyProtocolError::Family(*family));
    }
    let Some(&[high, low]) = octets.get(14..16) else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MOST_BODY {
        return Err(ProxyProtocolError::TooLong);
    }
    let Some(whole) = octets.get(..16 + length) else {
        return Ok(None);
    };
    if command == LOCAL {
        return Ok(Some((Header::default(), whole.len())));
    }
    Ok(Some((of_octets(whole, *family)?, whole.len())))
}

fn of_octets(whole: &[u8], family: u8) -> Result<Header, ProxyProtocolError> {
    let size = match family >> 4 {
        1 => 2 * (4 + 2),
        2 => 2 * (16 + 2),
        3 => 2 * 108,
        _ => 0,
    };
    let (addresses, values) = whole
        .get(16..)
        .and_then(|body| body.split_at_checked(size))
        .ok_or(ProxyProtocolError::Short)?;
    let mut header = tlv::read(whole, values)?;
    header.addresses = match (family, addresses.len()) {
        (TCP4, 12) => pair::<4>(addresses),
        (TCP6, 36) => pair::<16>(addresses),
        // Datagrams are no connection, and a Unix socket has no address.
        _ => None,
    };
    Ok(header)
}

/// Two addresses of `N` octets, and then two ports.
fn pair<const N: usize>(octets: &[u8]) -> Option<Addresses>
where
    IpAddr: From<[u8; N]>,
{
    let (source, rest) = octets.split_first_chunk::<N>()?;
    let (destination, rest) = rest.split_first_chunk::<N>()?;
    let (from, rest) = rest.split_first_chunk::<2>()?;
    let to = rest.first_chunk::<2>()?;
    let end = |address: &[u8; N], port: &[u8; 2]| {
        SocketAddr::new(IpAddr::from(*address), u16::from_be_bytes(*port))
    };
    Some(Addresses {
        source: end(source, from),
        destination: end(destination, to),
    })
}

const LINE: &[u8] = b"PROXY ";
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

const VERSION: u8 = 0x20;
const LOCAL: u8 = 0;
const PROXY: u8 = 1;
const UNSPECIFIED: u8 = 0x00;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;

/// The longest line that there is, with its end.
const MOST_LINE: usize = 107;

/// How much follows the first 16 octets at most.
const MOST_BODY: usize = 4096;

#[cfg(test)]
mod tests;
