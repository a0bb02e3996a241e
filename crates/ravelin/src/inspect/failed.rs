//! Why a handshake came to nothing, in words, and what may help.

use std::io::{self, ErrorKind};

use ravelin_lens::story::{Story, What};
use ravelin_tls::starttls::Protocol;
use ravelin_wire::record::Foreign;
use ravelin_wire::registry;
use rustls::{AlertDescription, Error, PeerIncompatible};

use crate::failure::Failure;
use crate::words::inspect::{Errors, Help, NoHandshake, Why};

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
    pub(super) fn of_server(&self) -> NoHandshake {
        match self {
            Self::Io(error) if error.kind() == ErrorKind::UnexpectedEof => NoHandshake::Left,
            Self::Io(error) if error.kind() == ErrorKind::TimedOut => NoHandshake::Silent,
            Self::Io(error) => NoHandshake::Other(error.to_string()),
            Self::Tls(Error::AlertReceived(alert)) | Self::TakenBack(alert) => {
                NoHandshake::Alert(alert_name(*alert))
            }
            Self::Tls(Error::PeerIncompatible(why)) => NoHandshake::Other(in_words(why)),
            Self::Tls(Error::PeerMisbehaved(why)) => NoHandshake::Other(in_words(why)),
            Self::Tls(error) => NoHandshake::Other(error.to_string()),
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
pub(super) fn of_client(
    ended: &Ended,
    story: &Story,
    name: &str,
    port: u16,
    errors: Errors,
) -> Failure {
    if let Some(foreign) = foreign(story) {
        return errors.no_tls(name, foreign);
    }
    let (why, help) = match ended {
        Ended::Io(error) => (Why::Io(error), unheard(error, story, port)),
        Ended::TakenBack(alert) => (Why::TakenBack(alert_name(*alert)), certificate_help(story)),
        Ended::Tls(error) => of_tls(error, story),
    };
    errors.no_handshake(name, &why, help)
}

fn of_tls(error: &Error, story: &Story) -> (Why<'static>, Option<Help>) {
    match error {
        Error::AlertReceived(alert) => (Why::Alert(alert_name(*alert)), alert_help(*alert, story)),
        Error::InvalidMessage(_) => (Why::Unreadable, None),
        Error::PeerIncompatible(why) => (Why::Incompatible(in_words(why)), incompatible_help(why)),
        Error::PeerMisbehaved(why) => (Why::Misbehaved(in_words(why)), None),
        error => (Why::Other(error.to_string()), None),
    }
}

/// What else than TLS came.
pub(super) fn foreign(story: &Story) -> Option<Foreign> {
    story.steps.iter().find_map(|step| match step.what {
        What::Foreign(foreign) => Some(foreign),
        _ => None,
    })
}

/// A server that ended without a word may speak something else.
fn unheard(error: &io::Error, story: &Story, port: u16) -> Option<Help> {
    let ends = matches!(
        error.kind(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::TimedOut
    );
    (ends && story.traffic[1].octets == 0).then(|| unspoken(port))
}

fn unspoken(port: u16) -> Help {
    let protocol = Protocol::ALL
        .into_iter()
        .find(|protocol| protocol.port() == port || (port, protocol.port()) == (587, 25));
    match protocol {
        Some(protocol) => Help::InClear(protocol, port),
        None => Help::MaybeInClear,
    }
}

fn alert_help(alert: AlertDescription, story: &Story) -> Option<Help> {
    if let Some(help) = certificate_help(story) {
        return Some(help);
    }
    match alert {
        AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => Some(Help::Offer),
        AlertDescription::UnrecognisedName => Some(Help::Name),
        AlertDescription::NoApplicationProtocol => Some(Help::Alpn),
        _ => None,
    }
}

/// Servers refuse clients without a certificate by several alerts: what tells is that they asked for one.
fn certificate_help(story: &Story) -> Option<Help> {
    let agreement = &story.agreement;
    match (
        agreement.client_certificate_asked,
        agreement.client_chain.is_empty(),
    ) {
        (true, true) => Some(Help::WantsCertificate),
        (true, false) => Some(Help::OtherCertificate),
        (false, _) => None,
    }
}

fn incompatible_help(why: &PeerIncompatible) -> Option<Help> {
    match why {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => Some(Help::Version),
        _ => None,
    }
}

/// rustls has names for what its peers do, and no sentences: `NoCipherSuitesInCommon`.
fn in_words(name: &impl std::fmt::Debug) -> String {
    let mut words = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// The name of an alert, as RFC 8446 writes it.
fn alert_name(alert: AlertDescription) -> registry::AlertDescription {
    registry::AlertDescription(u8::from(alert))
}
