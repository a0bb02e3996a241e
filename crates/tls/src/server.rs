//! How the server side of a connection is configured.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ProducesTickets, ServerConfig, WebPkiClientVerifier,
};
use rustls::{CipherSuite, Error, RootCertStore, SupportedCipherSuite, SupportedProtocolVersion};

use crate::certificates::Certificates;
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
        builder
            .build()
            .map_err(|error| Error::General(error.to_string()))
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
    /// Who is told the secrets of the connections.
    pub witness: Option<Witness>,
}

/// The configuration of all TLS connections that a server accepts.
#[derive(Debug, Clone)]
pub struct ServerTls {
    certificates: Arc<Certificates>,
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
            let verifier = options.client_auth.verifier(provider.clone())?;
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
            is_witnessed: witness.is_some(),
        })
    }

    /// The configuration for a client that has connected to `local`: its own wish decides between AES
    /// and `ChaCha20`, since it knows which its machine does fast.
    #[must_use]
    pub fn for_client(&self, hello: &ClientHello<'_>, local: IpAddr) -> Arc<ServerConfig> {
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
