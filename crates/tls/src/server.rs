//! How the server side of a connection is configured.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ProducesTickets, ServerConfig, WebPkiClientVerifier,
};
use rustls::{
    CertificateError, CipherSuite, DigitallySignedStruct, DistinguishedName, Error, OtherError,
    RootCertStore, SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion,
};

use crate::carried_by;
use crate::certificates::Certificates;
use crate::challenges::{ACME_TLS_ALPN, Challenges, is_validation};
use crate::inspect::Witness;
use crate::policy;

/// The keys that session tickets are sealed with (RFC 8446, section 4.6.1; RFC 5077).
///
/// Made once and shared by all workers and across reloads, so that a client resumes wherever it
/// comes back. Keys rotate every six hours and open tickets for twelve; they live in memory only.
#[derive(Clone)]
pub struct Tickets(Arc<dyn ProducesTickets>);

impl Tickets {
    /// Draws the first keys.
    ///
    /// # Errors
    ///
    /// When the system gives no random bytes.
    pub fn new() -> Result<Self, Error> {
        rustls::crypto::aws_lc_rs::Ticketer::new().map(Self)
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tickets")
    }
}

/// Which clients are let in by their certificates.
#[derive(Debug, Clone, Default)]
pub enum ClientAuth {
    /// None is asked for one.
    #[default]
    Nobody,
    /// Who shows one has to have it from one of these CAs.
    Optional(Vec<CertificateDer<'static>>),
    /// Each has to show one of one of these CAs.
    Required(Vec<CertificateDer<'static>>),
}

impl ClientAuth {
    fn verifier(
        &self,
        provider: Arc<CryptoProvider>,
        rule: Option<&ClientRule>,
    ) -> Result<Arc<dyn ClientCertVerifier>, Error> {
        let (roots, is_optional) = match self {
            Self::Nobody => return Ok(WebPkiClientVerifier::no_client_auth()),
            Self::Optional(roots) => (roots, true),
            Self::Required(roots) => (roots, false),
        };
        let mut store = RootCertStore::empty();
        for root in roots {
            store.add(root.clone())?;
        }
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider);
        if is_optional {
            builder = builder.allow_unauthenticated();
        }
        let verifier = builder
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        Ok(match rule {
            Some(rule) => Arc::new(Ruled {
                verifier,
                rule: rule.clone(),
            }),
            None => verifier,
        })
    }
}

/// What is asked of clients' certificates besides their CA. It is asked in the handshake, so that a client that is not
/// let in hears of it by an alert; a session that is resumed has none, and is for the caller to judge.
#[derive(Clone)]
pub struct ClientRule(Arc<dyn Fn(&CertificateDer<'_>) -> bool + Send + Sync>);

impl ClientRule {
    /// Lets in clients for whose certificate `allows` says so.
    pub fn new(allows: impl Fn(&CertificateDer<'_>) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(allows))
    }
}

impl fmt::Debug for ClientRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientRule")
    }
}

/// A client with a good certificate that the [`ClientRule`] does not let in.
#[derive(Debug, thiserror::Error)]
#[error("no rule lets in the client's certificate")]
pub struct NotAllowed {
    /// Its certificate.
    pub certificate: CertificateDer<'static>,
}

impl NotAllowed {
    /// What is in an error of a connection, where it came to that.
    #[must_use]
    pub fn in_error(error: &Error) -> Option<&Self> {
        carried_by(error)
    }
}

/// A verifier, and a rule behind it.
#[derive(Debug)]
struct Ruled {
    verifier: Arc<dyn ClientCertVerifier>,
    rule: ClientRule,
}

impl ClientCertVerifier for Ruled {
    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.verifier.verify_client_cert(leaf, intermediates, now)?;
        if self.rule.0(leaf) {
            return Ok(verified);
        }
        let certificate = leaf.clone().into_owned();
        let error = OtherError(Arc::new(NotAllowed { certificate }));
        Err(CertificateError::Other(error).into())
    }

    fn offer_client_auth(&self) -> bool {
        self.verifier.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.verifier.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// What a server does besides showing its certificates.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// The protocols of ALPN (RFC 7301), best first.
    pub alpn: Vec<Vec<u8>>,
    /// The versions; those of [`policy::VERSIONS`] where empty.
    pub versions: Vec<&'static SupportedProtocolVersion>,
    /// The cipher suites, best first; those of [`policy`] where empty, of which a client that has `ChaCha20` first gets
    /// that.
    pub suites: Vec<SupportedCipherSuite>,
    /// Which clients are let in by their certificates. Tickets are not to be shared with servers that let in others.
    pub client_auth: ClientAuth,
    /// What is asked of their certificates besides.
    pub client_rule: Option<ClientRule>,
    /// Who is told the secrets of the connections.
    pub witness: Option<Witness>,
    /// What ACME servers are answered that look whether a name leads here.
    pub challenges: Option<Challenges>,
}

/// The configuration of all TLS connections that a server accepts.
#[derive(Debug, Clone)]
pub struct ServerTls {
    certificates: Arc<Certificates>,
    challenges: Option<Challenges>,
    is_witnessed: bool,
    aes_first: Arc<ServerConfig>,
    chacha_first: Arc<ServerConfig>,
}

impl ServerTls {
    /// Configures TLS with `certificates`, offering the protocols of `alpn` (RFC 7301) best first.
    ///
    /// # Errors
    ///
    /// When rustls does not take the policy; that would be a mistake of this crate.
    pub fn new(
        certificates: Arc<Certificates>,
        tickets: &Tickets,
        alpn: &[&[u8]],
    ) -> Result<Self, Error> {
        let options = ServerOptions {
            alpn: alpn.iter().map(|protocol| protocol.to_vec()).collect(),
            ..ServerOptions::default()
        };
        Self::with(certificates, tickets, &options)
    }

    /// The same, with somebody who is told the secrets of the connections.
    ///
    /// # Errors
    ///
    /// When rustls does not take the policy; that would be a mistake of this crate.
    pub fn witnessed(
        certificates: Arc<Certificates>,
        tickets: &Tickets,
        alpn: &[&[u8]],
        witness: &Witness,
    ) -> Result<Self, Error> {
        let options = ServerOptions {
            alpn: alpn.iter().map(|protocol| protocol.to_vec()).collect(),
            witness: Some(witness.clone()),
            ..ServerOptions::default()
        };
        Self::with(certificates, tickets, &options)
    }

    /// The same, as `options` say.
    ///
    /// # Errors
    ///
    /// When a CA of the clients cannot be read, or there is none.
    pub fn with(
        certificates: Arc<Certificates>,
        tickets: &Tickets,
        options: &ServerOptions,
    ) -> Result<Self, Error> {
        let witness = options.witness.as_ref();
        let versions = match &options.versions[..] {
            [] => policy::VERSIONS,
            some => some,
        };
        let config = |mut provider: CryptoProvider| -> Result<Arc<ServerConfig>, Error> {
            if let Some(witness) = witness {
                provider.kx_groups.clone_from(&witness.groups);
            }
            let provider = policy::with_suites(Arc::new(provider), &options.suites);
            let verifier = options
                .client_auth
                .verifier(provider.clone(), options.client_rule.as_ref())?;
            let mut config = ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(versions)?
                .with_client_cert_verifier(verifier)
                .with_cert_resolver(certificates.clone());
            config.alpn_protocols.clone_from(&options.alpn);
            config.ticketer = tickets.0.clone();
            // Without this, sessions without tickets go to a cache of 256 behind one lock.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.ignore_client_order = true;
            // One ticket a handshake: who comes back with several connections at once gets a new
            // one on each.
            config.send_tls13_tickets = 1;
            if let Some(witness) = witness {
                config.key_log = witness.key_log.clone();
            }
            Ok(Arc::new(config))
        };
        Ok(Self {
            aes_first: config(policy::provider_with(policy::AES_FIRST))?,
            chacha_first: config(policy::provider_with(policy::CHACHA_FIRST))?,
            certificates,
            challenges: options.challenges.clone(),
            is_witnessed: witness.is_some(),
        })
    }

    /// The same with other certificates, for the connections that come from now on.
    #[must_use]
    pub fn with_certificates(&self, certificates: Arc<Certificates>) -> Self {
        let with = |config: &Arc<ServerConfig>| {
            let mut config = ServerConfig::clone(config);
            config.cert_resolver = certificates.clone();
            Arc::new(config)
        };
        Self {
            aes_first: with(&self.aes_first),
            chacha_first: with(&self.chacha_first),
            challenges: self.challenges.clone(),
            is_witnessed: self.is_witnessed,
            certificates,
        }
    }

    /// The configuration for a client that has connected to `local`: its own wish decides between AES
    /// and `ChaCha20`, since it knows which its machine does fast.
    #[must_use]
    pub fn for_client(&self, hello: &ClientHello<'_>, local: IpAddr) -> Arc<ServerConfig> {
        if let Some(challenges) = &self.challenges
            && is_validation(hello)
        {
            return challenges.config_for(hello.server_name());
        }
        let first = hello
            .cipher_suites()
            .iter()
            .find(|suite| !is_grease(**suite));
        let config = match first {
            Some(
                CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
            ) => &self.chacha_first,
            _ => &self.aes_first,
        };
        match (hello.server_name(), self.certificates.of_address(local)) {
            (None, Some(own)) => {
                let mut config = ServerConfig::clone(config);
                config.cert_resolver = Arc::new(own.clone());
                Arc::new(config)
            }
            _ => config.clone(),
        }
    }

    /// Whether a connection with this protocol of ALPN is an ACME server's that looks whether a name leads here. It is
    /// over with its handshake: nothing that comes over it is for anybody (RFC 8737, section 3).
    #[must_use]
    pub fn is_validation(&self, alpn: Option<&[u8]>) -> bool {
        self.challenges.is_some() && alpn == Some(ACME_TLS_ALPN)
    }

    /// Whether somebody is told the secrets of the connections.
    #[must_use]
    pub fn is_witnessed(&self) -> bool {
        self.is_witnessed
    }

    /// The certificates that are served.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        &self.certificates
    }
}

/// Values that clients send only to keep servers tolerant (RFC 8701).
fn is_grease(suite: CipherSuite) -> bool {
    u16::from(suite) & 0x0f0f == 0x0a0a
}
