//! What is on a TLS port and is not TLS.

use std::fmt;

use crate::registry::ContentType;

/// What a stream of bytes is that is no record of SSL 3.0 or TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// A request in plain HTTP.
    HttpRequest,
    /// An answer in plain HTTP.
    HttpResponse,
    /// The beginning of HTTP/2 without TLS.
    Http2,
    /// An SSH server or client.
    Ssh,
    /// A server that greets first and waits to be asked for TLS: SMTP, FTP, IMAP, POP3 and others.
    Greeting,
    /// A message of SSL 2.0: see [`crate::sslv2`].
    SslV2,
    /// The header that a load balancer puts before a connection (PROXY protocol).
    ProxyHeader,
    /// A record of DTLS, which is not read here.
    Dtls,
    /// None of these.
    Unknown,
}

/// The first octets of what else is spoken on ports, and what they tell.
const BEGINNINGS: [(&[u8], Foreign); 23] = [
    (b"GET ", Foreign::HttpRequest),
    (b"HEAD ", Foreign::HttpRequest),
    (b"POST ", Foreign::HttpRequest),
    (b"PUT ", Foreign::HttpRequest),
    (b"DELETE ", Foreign::HttpRequest),
    (b"OPTIONS ", Foreign::HttpRequest),
    (b"PATCH ", Foreign::HttpRequest),
    (b"CONNECT ", Foreign::HttpRequest),
    (b"TRACE ", Foreign::HttpRequest),
    (b"HTTP/", Foreign::HttpResponse),
    // What servers answer that take a hello for a request of HTTP/0.9: no status line, but a page.
    (b"<!DOCTYPE", Foreign::HttpResponse),
    (b"<html", Foreign::HttpResponse),
    (b"PRI * HTTP/2", Foreign::Http2),
    (b"SSH-", Foreign::Ssh),
    (b"220", Foreign::Greeting),
    (b"* OK", Foreign::Greeting),
    (b"* PREAUTH", Foreign::Greeting),
    (b"+OK", Foreign::Greeting),
    (b"200 ", Foreign::Greeting),
    (b"201 ", Foreign::Greeting),
    (b"\"IMPLEMENTATION\"", Foreign::Greeting),
    (b"PROXY ", Foreign::ProxyHeader),
    (b"\r\n\r\n\0\r\nQUIT\n", Foreign::ProxyHeader),
];

impl Foreign {
    /// What `bytes` begin, if that is no record; `None` for a record, or where too little is there.
    pub(super) fn guess(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let is_content_type =
            (ContentType::CHANGE_CIPHER_SPEC.0..=ContentType::HEARTBEAT.0).contains(&first);
        match bytes.get(1) {
            Some(3) | None if is_content_type => None,
            Some(0xfe) if is_content_type => Some(Self::Dtls),
            // Two octets of length, the highest bit set, then the type and the version of a hello.
            _ if first & 0x80 != 0 => match bytes.get(2..5) {
                Some([1 | 4, ..]) => Some(Self::SslV2),
                Some(_) => Some(Self::Unknown),
                None => None,
            },
            _ => Self::by_beginning(bytes),
        }
    }

    fn by_beginning(bytes: &[u8]) -> Option<Self> {
        let mut may_become = false;
        for (beginning, foreign) in BEGINNINGS {
            if bytes.starts_with(beginning) {
                return Some(foreign);
            }
            may_become |= beginning.starts_with(bytes);
        }
        if may_become {
            None
        } else {
            Some(Self::Unknown)
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HttpRequest => "a request in plain HTTP",
            Self::HttpResponse => "an answer in plain HTTP",
            Self::Http2 => "HTTP/2 without TLS",
            Self::Ssh => "SSH",
            Self::Greeting => {
                "the greeting of a mail, news or file server, which speaks plain text first"
            }
            Self::SslV2 => "SSL 2.0",
            Self::ProxyHeader => "the header of a proxy (PROXY protocol)",
            Self::Dtls => "DTLS",
            Self::Unknown => "no TLS",
        })
    }
}
