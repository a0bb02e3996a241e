//! Why a handshake came to nothing, in words, and what may help.

use std::io::{self, ErrorKind};

use ravelin_lens::story::{Story, What};
use ravelin_wire::record::Foreign;
use ravelin_wire::registry;
use rustls::{AlertDescription, Error, PeerIncompatible};

use crate::failure::Failure;
use crate::words::inspect::NoHandshake;

/// Why a connection ended before it was there.
#[derive(Debug)]
pub(super) enum Ended {
    /// The transport failed, or ended.
    Io(io::Error),
    /// The other refused, or did what it must not.
    Tls(Error),
    /// The server refused behind the handshake what the client had sent in it.
    TakenBack(AlertDescription),
}

impl Ended {
    /// Why a client of ours did not get its handshake.
    pub(super) fn of_server(&self) -> NoHandshake<'_> {
        match self {
            Self::Io(error) if error.kind() == ErrorKind::UnexpectedEof => NoHandshake::Left,
            Self::Io(error) if error.kind() == ErrorKind::TimedOut => NoHandshake::Silent,
            Self::Io(error) => NoHandshake::Other(error),
            Self::Tls(Error::AlertReceived(alert)) | Self::TakenBack(alert) => {
                NoHandshake::Alert(alert_name(*alert))
            }
            Self::Tls(error) => NoHandshake::Other(error),
        }
    }
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Tls(error)
    }
}

/// The failure of a connection to a server at `name`, of which `story` was seen.
pub(super) fn of_client(ended: &Ended, story: &Story, name: &str, port: u16) -> Failure {
    if let Some(foreign) = foreign(story) {
        let (what, hint) = words(foreign);
        return Failure::network(format!(
            "what answers at \"{name}\" is no TLS: it is {what}"
        ))
        .hint(hint.map(str::to_owned));
    }
    let heard = story.traffic[1].octets > 0;
    let (why, hint): (String, Option<String>) = match ended {
        Ended::Io(error) if error.kind() == ErrorKind::UnexpectedEof => (
            "the server ended the connection during the handshake".to_owned(),
            (!heard).then(|| unspoken(port)),
        ),
        Ended::Io(error) if error.kind() == ErrorKind::ConnectionReset => (
            "the server reset the connection during the handshake".to_owned(),
            (!heard).then(|| unspoken(port)),
        ),
        Ended::Io(error) if error.kind() == ErrorKind::TimedOut => {
            (error.to_string(), (!heard).then(|| unspoken(port)))
        }
        Ended::Io(error) => (error.to_string(), None),
        Ended::Tls(Error::AlertReceived(alert)) => (
            format!("the server refused it by the alert {}", alert_name(*alert)),
            alert_hint(*alert, story).map(str::to_owned),
        ),
        Ended::TakenBack(alert) => (
            format!(
                "the server refused it by the alert {}, when it had seen what the client ended the handshake \
                 with",
                alert_name(*alert)
            ),
            certificate_hint(story).map(str::to_owned),
        ),
        Ended::Tls(Error::InvalidMessage(_)) => (
            "what the server sends cannot be read as TLS".to_owned(),
            None,
        ),
        Ended::Tls(error @ Error::PeerIncompatible(why)) => {
            (error.to_string(), incompatible_hint(why).map(str::to_owned))
        }
        Ended::Tls(error) => (error.to_string(), None),
    };
    Failure::network(format!("no handshake with \"{name}\": {why}")).hint(hint)
}

/// What else than TLS came.
pub(super) fn foreign(story: &Story) -> Option<Foreign> {
    story.steps.iter().find_map(|step| match step.what {
        What::Foreign(foreign) => Some(foreign),
        _ => None,
    })
}

/// What it is, and what may help.
fn words(foreign: Foreign) -> (&'static str, Option<&'static str>) {
    match foreign {
        Foreign::HttpRequest | Foreign::HttpResponse => (
            "plain HTTP",
            Some("HTTPS is at another port, 443 as a rule"),
        ),
        Foreign::Http2 => ("HTTP/2 without TLS", None),
        Foreign::Ssh => ("SSH, which has an encryption of its own", None),
        Foreign::Greeting => (
            "the greeting of a server that begins in clear",
            Some("say which protocol it is: --starttls smtp, imap, pop3, ftp, nntp"),
        ),
        Foreign::SslV2 => ("SSL 2.0, which nobody may speak any more", None),
        Foreign::ProxyHeader => (
            "the header that a load balancer puts before a connection",
            None,
        ),
        Foreign::Dtls => ("DTLS, which is not looked at here", None),
        _ => ("nothing that is known here", None),
    }
}

fn unspoken(port: u16) -> String {
    let protocol = ravelin_tls::starttls::Protocol::ALL
        .into_iter()
        .find(|protocol| protocol.port() == port || (port, protocol.port()) == (587, 25));
    match protocol {
        Some(protocol) => format!(
            "at port {port}, {protocol} begins in clear: --starttls {}",
            protocol.name()
        ),
        None => "does it speak TLS at this port? Some servers begin in clear: --starttls PROTOCOL"
            .to_owned(),
    }
}

fn alert_hint(alert: AlertDescription, story: &Story) -> Option<&'static str> {
    if let Some(hint) = certificate_hint(story) {
        return Some(hint);
    }
    match alert {
        AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => Some(
            "it may want an older version, suite or group than is offered, or another: see what was \
             offered above",
        ),
        AlertDescription::UnrecognisedName => {
            Some("it knows no such name: --sni NAME asks for another")
        }
        AlertDescription::NoApplicationProtocol => {
            Some("it speaks none of the protocols that were offered: --alpn NAMES offers others")
        }
        _ => None,
    }
}

/// Servers refuse clients without a certificate by several alerts: what tells is that they asked for one.
fn certificate_hint(story: &Story) -> Option<&'static str> {
    let agreement = &story.agreement;
    match (
        agreement.client_certificate_asked,
        agreement.client_chain.is_empty(),
    ) {
        (true, true) => Some("it wants a certificate of the client: --cert FILE --key FILE"),
        (true, false) => Some(
            "it may not like the certificate of --cert: its CertificateRequest says whom it believes",
        ),
        (false, _) => None,
    }
}

fn incompatible_hint(why: &PeerIncompatible) -> Option<&'static str> {
    match why {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            Some("it speaks another version than was offered")
        }
        _ => None,
    }
}

/// The name of an alert, as RFC 8446 writes it.
fn alert_name(alert: AlertDescription) -> registry::AlertDescription {
    registry::AlertDescription(u8::from(alert))
}
