//! Why there is no answer, or not all of it.

use std::io;
use std::time::Duration;

use ravelin_tls::certificates::CertificateError;
use ravelin_tls::client::Refused;
use ravelin_tls::starttls::StartTlsError;
use rustls::AlertDescription;

/// Why a request came to nothing, or a body ended before its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is none.
    #[error("\"{text}\" is no address")]
    Url {
        /// What was given.
        text: String,
        /// Why.
        #[source]
        source: url::ParseError,
    },
    /// Neither `https` nor `http`.
    #[error("\"{0}\" is neither https nor http")]
    Scheme(String),
    /// The client's certificate or key, or a CRL, cannot be used.
    #[error("no connection can be made with that certificate, key or CRL")]
    Config(#[source] rustls::Error),
    /// The server's own certificate or key cannot be used.
    #[error("no connection can be accepted with that certificate and key")]
    Served(
        #[source]
        #[from]
        CertificateError,
    ),
    /// A file of the body cannot be read.
    #[error("the body cannot be sent")]
    Input {
        /// Which, and why.
        #[source]
        source: io::Error,
    },
    /// The server speaks no HTTP/2, and nothing else was to be spoken.
    #[error("\"{host}\" does not speak HTTP/2")]
    NoHttp2 {
        /// The host and port.
        host: String,
    },
    /// The server speaks no HTTP/3, and nothing else was to be spoken.
    #[error("\"{host}\" does not speak HTTP/3")]
    NoHttp3 {
        /// The host and port.
        host: String,
    },
    /// Nobody answers at that UDP port, or what answers does not come through.
    #[error("\"{place}\" does not answer over QUIC (UDP), which HTTP/3 needs")]
    NoQuic {
        /// The host and port.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// HTTP/3 alone was to be spoken, where there is no way for it.
    #[error("HTTP/3 cannot go {what}")]
    NotOverQuic {
        /// Where, or over what.
        what: String,
    },
    /// The name has no address.
    #[error("cannot find \"{host}\"")]
    Lookup {
        /// The name.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nobody answers.
    #[error("cannot connect to \"{place}\"")]
    Connect {
        /// The host and port, or the socket.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The proxy does not let through.
    #[error("the proxy \"{proxy}\" does not connect to \"{to}\": {why}")]
    Proxy {
        /// The proxy, without its password.
        proxy: String,
        /// Where to.
        to: String,
        /// What it says.
        why: String,
    },
    /// The certificate of the server is not believed.
    #[error("\"{host}\" is not who it has to be")]
    Refused {
        /// The host that was asked for.
        host: String,
        /// The chain, and which part of the rule.
        #[source]
        refused: Box<Refused>,
    },
    /// What answers speaks no TLS.
    #[error("what answers at \"{host}\" does not speak TLS")]
    NotTls {
        /// The host and port.
        host: String,
    },
    /// There is no handshake.
    #[error("no handshake with \"{host}\"")]
    Handshake {
        /// The host and port.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The server ended the handshake well, and then took it back: in TLS 1.3 it sees the client's certificate,
    /// or that there is none, only when the client is done (RFC 8446, section 4.4.2.4).
    #[error(
        "\"{host}\" refused, after the handshake, what the client ended it with: the alert {}",
        alert_name(*alert)
    )]
    TakenBack {
        /// The host and port.
        host: String,
        /// The alert.
        alert: AlertDescription,
        /// Whether a certificate of the client was there to show.
        had_identity: bool,
    },
    /// TLS does not begin, in a protocol that begins in clear.
    #[error("no TLS with \"{host}\"")]
    StartTls {
        /// The host and port.
        host: String,
        /// Why.
        #[source]
        source: StartTlsError,
    },
    /// The connection broke.
    #[error("the connection with \"{host}\" broke")]
    Broken {
        /// The host and port.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The connection ended, or HTTP was broken, before there was an answer.
    #[error("\"{host}\" gave no answer that can be read")]
    Exchange {
        /// The host and port.
        host: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection ended before the body did.
    #[error("the body is cut off after {received} octets")]
    Truncated {
        /// How many came.
        received: u64,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The body is not what its `Content-Encoding` says.
    #[error("the body is not {coding} as it says")]
    Decode {
        /// The coding.
        coding: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The body grows so much while it is decompressed that it is meant to fill memory.
    #[error("the body grows from {received} octets to more than {limit} while it is decompressed")]
    Bomb {
        /// How many octets came.
        received: u64,
        /// How many they may become.
        limit: u64,
    },
    /// The body is longer than it may be.
    #[error("the body has more than {0} octets")]
    TooLong(u64),
    /// Nothing was done in time.
    #[error("{what} took more than {} seconds", after.as_secs_f32())]
    TimedOut {
        /// What.
        what: &'static str,
        /// How long it may take.
        after: Duration,
    },
    /// Nothing moved.
    #[error("nothing came from or went to \"{host}\" for {} seconds", after.as_secs_f32())]
    Stalled {
        /// The host and port.
        host: String,
        /// How long that may be.
        after: Duration,
    },
    /// It redirects again and again.
    #[error("it redirects more than {limit} times, in the end to \"{last}\"")]
    Redirects {
        /// How often it may.
        limit: usize,
        /// Where to, in the end.
        last: String,
    },
    /// It redirects from https to http.
    #[error("it redirects from https to \"{0}\", which everyone on the way can read and change")]
    Downgrade(String),
    /// It redirects to what is no address.
    #[error("it redirects to \"{0}\", where nobody can go")]
    Location(String),
    /// A redirect asks for the body once more, which is gone.
    #[error("the body would have to be sent once more, and came from a pipe")]
    BodyGone,
}

impl Error {
    /// What to do about it, where there is something that is not about one program alone.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::StartTls { source, .. } => match source {
                StartTlsError::AlreadyTls => Some("the server speaks TLS from the beginning"),
                StartTlsError::NotOffered => Some("who is between may have taken the offer away"),
                _ => None,
            },
            Self::NotTls { .. } => Some("is it the right port? HTTPS is at 443, plain HTTP at 80"),
            Self::Handshake { source, .. } => match rustls_error(source) {
                Some(
                    rustls::Error::AlertReceived(
                        AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure,
                    )
                    | rustls::Error::PeerIncompatible(_),
                ) => Some(
                    "it may speak nothing newer than TLS 1.1, or old cipher suites only, which are not spoken \
                     here; or it wants a certificate of the client",
                ),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the same request may do well when it is sent again, as far as the network is concerned.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        if let Self::Handshake { source, .. } = self {
            // What TLS finds wrong stays wrong.
            return rustls_error(source).is_none();
        }
        matches!(
            self,
            Self::Lookup { .. }
                | Self::Connect { .. }
                | Self::NoQuic { .. }
                | Self::Exchange { .. }
                | Self::Stalled { .. }
                | Self::TimedOut {
                    what: "connecting",
                    ..
                }
        )
    }
}

/// The error of TLS in one of a stream.
pub(crate) fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What could not be read of a body, where that caused an error of HTTP.
pub(crate) fn unreadable_below(error: &(dyn std::error::Error + 'static)) -> Option<io::Error> {
    let found = error.source()?.downcast_ref::<io::Error>()?.get_ref()?;
    let found = found.downcast_ref::<crate::body::Unreadable>()?;
    Some(found.repeated())
}

/// As RFC 8446 writes it: `certificate_required`.
fn alert_name(alert: AlertDescription) -> String {
    let mut name = String::new();
    for letter in format!("{alert:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    // Abbreviations are told letter by letter.
    name.replace("c_a", "ca")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_called_as_the_standard_calls_them() {
        let name = alert_name(AlertDescription::CertificateRequired);
        assert_eq!(name, "certificate_required");
        assert_eq!(alert_name(AlertDescription::UnknownCA), "unknown_ca");
    }
}
