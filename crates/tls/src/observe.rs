//! Looking at what a server shows in a handshake, to print it.
//!
//! **This accepts every certificate: expired, forged, for another name.** That is what it is for:
//! whoever wants to know what is wrong with a certificate has to see it. Nothing but a handshake is ever
//! sent over such a connection, and it is closed at once. Requests belong to a client that verifies.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

use crate::policy;

/// What a server showed. Nothing of it was verified but what [`Self::holds_key`] says.
#[derive(Debug, Clone)]
pub struct Observation {
    /// The certificates, as they were sent: the server's own first, if it keeps to the rules.
    pub chain: Vec<CertificateDer<'static>>,
    /// The stapled OCSP response (RFC 6066, section 8); empty where there is none.
    pub ocsp_response: Vec<u8>,
    /// Whether the server proved that it holds the key of its certificate; none where the handshake
    /// did not come so far, or the certificate cannot be read.
    pub holds_key: Option<bool>,
    /// The version, `TLS 1.3`; none where the handshake did not end well.
    pub version: Option<String>,
    /// The cipher suite: `TLS13_AES_128_GCM_SHA256`.
    pub cipher_suite: Option<String>,
    /// The key exchange group: `X25519`.
    pub group: Option<String>,
    /// The protocol that was agreed on by ALPN.
    pub alpn: Option<String>,
    /// Why the handshake failed after the certificates had been shown: servers that ask for a client's
    /// certificate do that.
    pub failure: Option<String>,
}

/// Why nothing was seen.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The connection failed or was closed.
    #[error("the connection failed during the handshake")]
    Io(#[from] std::io::Error),
    /// What came is no TLS.
    #[error("what answers does not speak TLS")]
    NotTls,
    /// The server refused, or speaks nothing that is spoken here.
    #[error("the handshake failed")]
    Tls(#[source] Error),
}

impl ObserveError {
    /// What to do about it, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotTls => Some("is it the right port? HTTPS is at 443, mail at 465 or 993"),
            Self::Tls(
                Error::AlertReceived(
                    rustls::AlertDescription::ProtocolVersion
                    | rustls::AlertDescription::HandshakeFailure,
                )
                | Error::PeerIncompatible(_),
            ) => Some(
                "it may speak nothing newer than TLS 1.1, or old cipher suites only, which are not \
                 spoken here",
            ),
            _ => None,
        }
    }
}

/// Does a handshake over `stream` with the server of that name, which goes into SNI unless it is an
/// address. Reading and writing must time out by themselves.
///
/// # Errors
///
/// No certificate was seen.
pub fn observe(
    stream: &mut (impl Read + Write),
    name: ServerName<'static>,
) -> Result<Observation, ObserveError> {
    let seen = Arc::new(Seen::new());
    let mut config = ClientConfig::builder_with_provider(policy::provider())
        .with_protocol_versions(policy::VERSIONS)
        .map_err(ObserveError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(seen.clone())
        .with_no_client_auth();
    // A resumed session shows no certificate.
    config.resumption = rustls::client::Resumption::disabled();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut connection =
        ClientConnection::new(Arc::new(config), name).map_err(ObserveError::Tls)?;
    let failure = shake_hands(&mut connection, stream).err();
    let shown = seen
        .shown
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(shown) = shown else {
        return Err(failure.unwrap_or(ObserveError::NotTls));
    };
    connection.send_close_notify();
    let _ = connection.write_tls(stream);
    Ok(Observation {
        chain: shown.chain,
        ocsp_response: shown.ocsp_response,
        holds_key: shown.holds_key,
        version: connection.protocol_version().map(|version| match version {
            rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
            rustls::ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
            other => format!("{other:?}"),
        }),
        cipher_suite: connection
            .negotiated_cipher_suite()
            .map(|suite| format!("{:?}", suite.suite())),
        group: connection
            .negotiated_key_exchange_group()
            .map(|group| format!("{:?}", group.name())),
        alpn: connection
            .alpn_protocol()
            .map(|name| String::from_utf8_lossy(name).into_owned()),
        failure: failure.map(|failure| match failure {
            ObserveError::Tls(error) => error.to_string(),
            ObserveError::Io(error) => error.to_string(),
            ObserveError::NotTls => failure.to_string(),
        }),
    })
}

fn shake_hands(
    connection: &mut ClientConnection,
    stream: &mut (impl Read + Write),
) -> Result<(), ObserveError> {
    while connection.is_handshaking() {
        while connection.wants_write() {
            connection.write_tls(stream)?;
        }
        if !connection.is_handshaking() {
            break;
        }
        if connection.read_tls(stream)? == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        if let Err(error) = connection.process_new_packets() {
            // The alert says why, to the server's log.
            let _ = connection.write_tls(stream);
            return Err(match error {
                Error::InvalidMessage(_) => ObserveError::NotTls,
                error => ObserveError::Tls(error),
            });
        }
    }
    Ok(())
}

/// Takes whatever comes, and keeps it.
#[derive(Debug)]
struct Seen {
    provider: Arc<CryptoProvider>,
    shown: Mutex<Option<Shown>>,
}

#[derive(Debug)]
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    ocsp_response: Vec<u8>,
    holds_key: Option<bool>,
}

impl Seen {
    fn new() -> Self {
        Self {
            provider: policy::provider(),
            shown: Mutex::new(None),
        }
    }

    /// Keeps whether a signature was right, and goes on in any case.
    fn signed(&self, outcome: &Result<HandshakeSignatureValid, Error>) -> HandshakeSignatureValid {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = &mut *shown {
            shown.holds_key = match outcome {
                Ok(_) => Some(true),
                Err(Error::InvalidCertificate(rustls::CertificateError::BadSignature)) => {
                    Some(false)
                }
                // A certificate that webpki cannot read, or a kind of key that it does not know.
                Err(_) => None,
            };
        }
        HandshakeSignatureValid::assertion()
    }
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity).chain(intermediates);
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(Shown {
            chain: chain.map(|der| der.clone().into_owned()).collect(),
            ocsp_response: ocsp_response.to_vec(),
            holds_key: None,
        });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let outcome =
            rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms);
        Ok(self.signed(&outcome))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let outcome =
            rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms);
        Ok(self.signed(&outcome))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
