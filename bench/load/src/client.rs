//! The TLS client of the load: rustls with everything left out that a benchmark's client need not
//! do, since the server is to be the busy side. It trusts any certificate and reuses its key share.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::agreement;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{ActiveKeyExchange, CryptoProvider, SharedSecret, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, NamedGroup, SignatureScheme};

use crate::run::LoadError;

/// Whom to connect to, under which names, and what to ask.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    sites: Vec<TargetSite>,
}

/// One name of the server and the request for it, ready to be sent.
pub(crate) struct TargetSite {
    pub(crate) name: ServerName<'static>,
    /// In HTTP/1.1.
    pub(crate) request: Vec<u8>,
    /// As in `Host` and `:authority`.
    pub(crate) authority: String,
    pub(crate) path: String,
}

impl Target {
    /// `{}` in `name` becomes each number below `names`.
    pub(crate) fn new(
        address: SocketAddr,
        name: &str,
        names: usize,
        path: &str,
        keep_open: bool,
    ) -> Result<Self, LoadError> {
        let connection = if keep_open { "keep-alive" } else { "close" };
        let sites = (0..names.max(1))
            .map(|number| {
                let host = name.replace("{}", &number.to_string());
                let authority = format!("{host}:{}", address.port());
                let request = format!(
                    "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: {connection}\r\n\r\n"
                );
                let name = ServerName::try_from(host.clone()).map_err(|_| LoadError::Name(host))?;
                let path = path.to_owned();
                Ok(TargetSite {
                    name,
                    request: request.into_bytes(),
                    authority,
                    path,
                })
            })
            .collect::<Result<_, LoadError>>()?;
        Ok(Self { address, sites })
    }

    /// The site for the n-th connection: scattered over all of them, the same in every run.
    pub(crate) fn site(&self, nth: u64) -> &TargetSite {
        // The finaliser of splitmix64.
        let mut z = nth.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        &self.sites[(z % self.sites.len() as u64) as usize]
    }
}

/// What the client offers.
pub(crate) struct ClientOptions {
    pub(crate) groups: Vec<KeyExchange>,
    pub(crate) openssl_order: bool,
}

/// The protocol that is asked for in ALPN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Protocol {
    #[value(name = "http/1.1")]
    Http1,
    #[value(name = "h2")]
    Http2,
}

impl Protocol {
    pub(crate) fn alpn(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}

/// A key exchange group by the name that users give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum KeyExchange {
    X25519,
    X25519mlkem768,
    P256,
    P384,
}

impl ClientOptions {
    /// TLS 1.3 only. Without `tickets` every handshake is a full one.
    pub(crate) fn config(
        &self,
        protocol: Protocol,
        tickets: Option<Arc<TicketQueue>>,
    ) -> Result<Arc<ClientConfig>, LoadError> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(self.provider()?))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(TrustAnything))
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.alpn().to_vec()];
        config.resumption = match tickets {
            None => Resumption::disabled(),
            Some(tickets) => Resumption::store(tickets),
        };
        Ok(Arc::new(config))
    }

    fn provider(&self) -> Result<CryptoProvider, LoadError> {
        let aes128 = cipher_suite::TLS13_AES_128_GCM_SHA256;
        let aes256 = cipher_suite::TLS13_AES_256_GCM_SHA384;
        let chacha = cipher_suite::TLS13_CHACHA20_POLY1305_SHA256;
        let kx_groups = self
            .groups
            .iter()
            .map(|group| group.group())
            .collect::<Result<_, _>>()?;
        Ok(CryptoProvider {
            cipher_suites: if self.openssl_order {
                vec![aes256, chacha, aes128]
            } else {
                vec![aes128, aes256, chacha]
            },
            kx_groups,
            ..default_provider()
        })
    }
}

impl KeyExchange {
    fn group(self) -> Result<&'static dyn SupportedKxGroup, LoadError> {
        Ok(match self {
            // Leaked once a run: rustls wants groups that live for ever.
            Self::X25519 => Box::leak(Box::new(OneKeyShare::new()?)),
            Self::X25519mlkem768 => kx_group::X25519MLKEM768,
            Self::P256 => kx_group::SECP256R1,
            Self::P384 => kx_group::SECP384R1,
        })
    }
}

/// X25519 with one key pair for all connections: the server cannot tell, and the client saves one of
/// its two scalar multiplications, so that it stays the idler side.
#[derive(Debug)]
struct OneKeyShare(Arc<KeyPair>);

#[derive(Debug)]
struct KeyPair {
    private: agreement::PrivateKey,
    public: Vec<u8>,
}

impl OneKeyShare {
    fn new() -> Result<Self, LoadError> {
        let private =
            agreement::PrivateKey::generate(&agreement::X25519).map_err(|_| LoadError::KeyShare)?;
        let public = private
            .compute_public_key()
            .map_err(|_| LoadError::KeyShare)?
            .as_ref()
            .to_vec();
        Ok(Self(Arc::new(KeyPair { private, public })))
    }
}

impl SupportedKxGroup for OneKeyShare {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, rustls::Error> {
        Ok(Box::new(Self(Arc::clone(&self.0))))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for OneKeyShare {
    fn complete(self: Box<Self>, peer_pub_key: &[u8]) -> Result<SharedSecret, rustls::Error> {
        agreement::agree(
            &self.0.private,
            agreement::UnparsedPublicKey::new(&agreement::X25519, peer_pub_key),
            rustls::PeerMisbehaved::InvalidKeyShare.into(),
            |secret| Ok(SharedSecret::from(secret)),
        )
    }

    fn pub_key(&self) -> &[u8] {
        &self.0.public
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// The tickets of one server, oldest first, each used once as RFC 8446 appendix C.4 asks. All
/// connections of a run go to one server, so the name they were given under is not looked at.
///
/// It is filled by full handshakes before it gives anything: some servers (h2o 2.2) send no new
/// ticket on a resumed connection, and would be measured with a full handshake in every three.
#[derive(Debug, Default)]
pub(crate) struct TicketQueue {
    tickets: Mutex<VecDeque<Tls13ClientSessionValue>>,
    open: AtomicBool,
}

impl TicketQueue {
    const LONGEST: usize = 1 << 16;

    /// From now on tickets are offered.
    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Tls13ClientSessionValue>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientSessionStore for TicketQueue {
    fn insert_tls13_ticket(&self, _: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        let mut queue = self.lock();
        if queue.len() < Self::LONGEST {
            queue.push_back(ticket);
        }
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        if self.open.load(Ordering::Relaxed) {
            self.lock().pop_front()
        } else {
            None
        }
    }

    // The hint would only save a HelloRetryRequest, and TLS 1.2 is not offered.
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}
}

/// Accepts every certificate and signature without looking: what is measured is the server.
#[derive(Debug)]
struct TrustAnything;

impl ServerCertVerifier for TrustAnything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ED25519,
            SignatureScheme::RSA_PSS_SHA256,
        ]
    }
}
