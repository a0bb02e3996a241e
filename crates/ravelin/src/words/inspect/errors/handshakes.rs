//! Why a handshake with a server came to nothing.

use std::io::{self, ErrorKind};

use ravelin_lens::explain::fill_in;
use ravelin_tls::starttls::{Protocol, StartTlsError};
use ravelin_wire::record::Foreign;
use ravelin_wire::registry::AlertDescription;

use super::Errors;
use crate::failure::Failure;

/// Why there is no handshake.
pub(crate) enum Why<'a> {
    /// The transport failed, or ended.
    Io(&'a io::Error),
    /// The server refused.
    Alert(AlertDescription),
    /// It refused behind the handshake.
    TakenBack(AlertDescription),
    /// What it sends is no TLS.
    Unreadable,
    /// It cannot do what was offered; in rustls' words.
    Incompatible(String),
    /// It did what it must not; in rustls' words.
    Misbehaved(String),
    /// Something else, in rustls' words.
    Other(String),
}

/// What may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Help {
    /// At this port, this protocol begins in clear.
    InClear(Protocol, u16),
    /// Some servers begin in clear.
    MaybeInClear,
    /// The server wants a certificate.
    WantsCertificate,
    /// The server may not like the certificate that it got.
    OtherCertificate,
    /// It may want what was not offered.
    Offer,
    /// It may know another name.
    Name,
    /// It may know other protocols.
    Alpn,
    /// It speaks another version.
    Version,
}

impl Errors {
    /// What answers is no TLS.
    pub(crate) fn no_tls(self, name: &str, foreign: Foreign) -> Failure {
        let words = self.words;
        let (what, hint) = match foreign {
            Foreign::HttpRequest | Foreign::HttpResponse => {
                (words.plain_http, Some(words.plain_http_hint))
            }
            Foreign::Http2 => (words.http2, Some(words.plain_http_hint)),
            Foreign::Ssh => (words.ssh, Some(words.unknown_hint)),
            Foreign::Greeting => (words.greeting, Some(words.greeting_hint)),
            Foreign::SslV2 => (words.sslv2, None),
            Foreign::ProxyHeader => (words.proxy_header, None),
            Foreign::Dtls => (words.dtls, None),
            _ => (words.unknown, Some(words.unknown_hint)),
        };
        let text = fill_in(words.no_tls, &[("name", name), ("what", what)]);
        Failure::network(text).hint(hint.map(str::to_owned))
    }

    /// The handshake came to nothing.
    pub(crate) fn no_handshake(self, name: &str, why: &Why<'_>, help: Option<Help>) -> Failure {
        let values = [("name", name), ("why", &*self.why(why))];
        let text = fill_in(self.words.no_handshake, &values);
        Failure::network(text).hint(help.map(|help| self.help(help)))
    }

    fn why(self, why: &Why<'_>) -> String {
        let words = self.words;
        match why {
            Why::Io(error) => match error.kind() {
                ErrorKind::UnexpectedEof => words.ended.to_owned(),
                ErrorKind::ConnectionReset => words.reset.to_owned(),
                _ => self.system(error),
            },
            Why::Alert(alert) => fill_in(words.alert, &[("alert", &alert.to_string())]),
            Why::TakenBack(alert) => fill_in(words.taken_back, &[("alert", &alert.to_string())]),
            Why::Unreadable => words.unreadable.to_owned(),
            Why::Incompatible(what) => fill_in(words.incompatible, &[("what", what)]),
            Why::Misbehaved(what) => fill_in(words.misbehaved, &[("what", what)]),
            Why::Other(why) => why.clone(),
        }
    }

    fn help(self, help: Help) -> String {
        let words = self.words;
        match help {
            Help::InClear(protocol, port) => {
                let (port, shown) = (port.to_string(), protocol.to_string());
                let values = [("port", &*port), ("protocol", &*shown)];
                let name = ("name", protocol.name());
                fill_in(words.in_clear_hint, &[values[0], values[1], name])
            }
            Help::MaybeInClear => words.maybe_in_clear_hint.to_owned(),
            Help::WantsCertificate => words.want_certificate_hint.to_owned(),
            Help::OtherCertificate => words.certificate_hint.to_owned(),
            Help::Offer => words.offer_hint.to_owned(),
            Help::Name => words.name_hint.to_owned(),
            Help::Alpn => words.alpn_hint.to_owned(),
            Help::Version => words.version_hint.to_owned(),
        }
    }

    /// What came before TLS failed with the transport.
    pub(crate) fn starttls_cut(self, name: &str, error: &io::Error) -> Failure {
        let words = self.words;
        let is_end = error.kind() == ErrorKind::UnexpectedEof;
        let is_silent = error.kind() == ErrorKind::TimedOut;
        let why = if is_end {
            words.starttls_ended.to_owned()
        } else {
            self.system(error)
        };
        let hint = is_silent.then(|| words.starttls_silent_hint.to_owned());
        self.no_starttls(name, &why).hint(hint)
    }

    /// What came before TLS did not lead to it.
    pub(crate) fn starttls_refused(self, name: &str, error: &StartTlsError) -> Failure {
        let words = self.words;
        let why = match error {
            StartTlsError::NotOffered => words.not_offered.to_owned(),
            StartTlsError::Refused(said) => fill_in(words.not_begun, &[("said", said)]),
            StartTlsError::Unexpected { protocol, said } => {
                let protocol = protocol.to_string();
                let values = [("protocol", &*protocol), ("said", said)];
                fill_in(words.other_protocol, &values)
            }
            StartTlsError::AlreadyTls => words.already_tls.to_owned(),
            StartTlsError::TooLong => words.starttls_long.to_owned(),
            StartTlsError::Injected(octets) => {
                fill_in(words.injected, &[("octets", &octets.to_string())])
            }
        };
        let hint = match error {
            StartTlsError::AlreadyTls => Some(words.already_tls_hint),
            StartTlsError::NotOffered => Some(words.not_offered_hint),
            _ => None,
        };
        self.no_starttls(name, &why).hint(hint.map(str::to_owned))
    }

    fn no_starttls(self, name: &str, why: &str) -> Failure {
        let values = [("name", name), ("why", why)];
        Failure::network(fill_in(self.words.no_starttls, &values))
    }
}
