//! Connections that are made to be looked at: a client that takes whatever a server shows, and whoever is
//! told the secrets of connections while they run.
//!
//! **The client accepts every certificate**, as [`crate::observe`] does and for the same reason: who wants to
//! know what is wrong with a handshake has to see all of it. Its caller judges the chain afterwards, and
//! sends nothing over it that an impostor must not read.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, KeyLog, SignatureScheme, SupportedProtocolVersion,
};

use crate::policy;

/// Who is told the secrets of connections.
#[derive(Debug, Clone)]
pub struct Witness {
    /// The groups of [`policy::GROUPS`], in their order, as somebody offers them who notes what they agree on.
    pub groups: Vec<&'static dyn SupportedKxGroup>,
    /// Who takes the secrets of the key schedule.
    pub key_log: Arc<dyn KeyLog>,
}

/// How a client is to connect.
#[derive(Debug)]
pub struct ClientOptions {
    /// The versions offered: 1.3, 1.2 or both.
    pub versions: Vec<&'static SupportedProtocolVersion>,
    /// The protocols offered by ALPN (RFC 7301), best first; none is no ALPN.
    pub alpn: Vec<Vec<u8>>,
    /// The client's certificates, its own first, and its key: shown where the server asks for them.
    pub certificate: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    /// How many servers' tickets are kept for connections that follow; 0 resumes nothing.
    pub sessions: usize,
}

/// A client that takes every certificate, and tells `witness` its secrets. It offers the groups of `witness`
/// in their order, whichever and however many they are.
///
/// # Errors
///
/// The certificate and its key do not belong together or cannot be used; there are no groups; or a group does
/// not do for the only version.
pub fn client(options: ClientOptions, witness: &Witness) -> Result<Arc<ClientConfig>, Error> {
    let provider = policy::provider_with_groups(witness.groups.clone());
    let verifier = Arc::new(Anyone(provider.clone()));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&options.versions)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match options.certificate {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = options.alpn;
    config.key_log = witness.key_log.clone();
    config.resumption = match options.sessions {
        0 => Resumption::disabled(),
        most => Resumption::store(Arc::new(ClientSessionMemoryCache::new(most))),
    };
    Ok(Arc::new(config))
}

/// Takes whatever comes: it is judged by somebody else, and shown in any case.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
