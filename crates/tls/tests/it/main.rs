//! The policy, seen from the other end: two endpoints in memory shake hands.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::SystemTime;

use ravelin_pki::{Authority, HostName, NameConstraints, PrivateKey};
use ravelin_tls::{Certificates, ServedCertificate, ServerTls, Tickets};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, kx_group};
use rustls::server::Acceptor;
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, HandshakeKind, NamedGroup, RootCertStore,
    ServerConnection, SupportedCipherSuite,
};

mod challenges;
mod handshake;
mod staple;

/// A CA, and a server with a certificate for `a.test`, one for `*.b.test` and two for addresses.
pub(crate) struct World {
    pub(crate) roots: Arc<RootCertStore>,
    certificates: Arc<Certificates>,
    pub(crate) tickets: Tickets,
    pub(crate) server: ServerTls,
}

impl World {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now();
        let key = || PrivateKey::generate().unwrap();
        let root = Authority::root("root", key(), &NameConstraints::local(), now).unwrap();
        let intermediate = root.intermediate("intermediate", key(), now).unwrap();
        let certify = |name: &str| {
            let names: Vec<HostName> = vec![name.parse().unwrap()];
            let leaf = intermediate.leaf(&names, now).unwrap();
            ServedCertificate::new(leaf.chain.clone(), leaf.key.clone_key(), &names).unwrap()
        };
        let mut certificates = Certificates::new(certify("a.test"));
        for name in ["*.b.test", "127.0.0.1", "127.0.0.2"] {
            certificates.insert(&name.parse().unwrap(), &certify(name));
        }
        let certificates = Arc::new(certificates);
        let tickets = Tickets::new().unwrap();
        let server = ServerTls::new(certificates.clone(), &tickets, &[b"h2"]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(root.certificate().der().clone()).unwrap();
        Self {
            roots: Arc::new(roots),
            certificates,
            tickets,
            server,
        }
    }

    /// The server as it is after a reload: configured anew, with the same tickets.
    pub(crate) fn reloaded(&self) -> ServerTls {
        ServerTls::new(self.certificates.clone(), &self.tickets, &[b"h2"]).unwrap()
    }

    /// The server with this OCSP response stapled to its first certificate.
    pub(crate) fn stapled(&self, response: Option<&[u8]>) -> ServerTls {
        let first = self
            .certificates
            .find(None, Ipv4Addr::UNSPECIFIED.into())
            .unwrap();
        let certificates = Certificates::new(first.with_staple(response));
        ServerTls::new(Arc::new(certificates), &self.tickets, &[b"h2"]).unwrap()
    }

    /// A client that offers these suites, best first.
    pub(crate) fn client(&self, suites: &[SupportedCipherSuite]) -> Arc<ClientConfig> {
        let provider = CryptoProvider {
            cipher_suites: suites.to_vec(),
            kx_groups: vec![kx_group::X25519MLKEM768, kx_group::X25519],
            ..aws_lc_rs::default_provider()
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        config.resumption = Resumption::in_memory_sessions(8);
        Arc::new(config)
    }
}

/// What a handshake came to, as the client sees it.
#[derive(Debug)]
pub(crate) struct Agreed {
    pub(crate) suite: CipherSuite,
    pub(crate) group: NamedGroup,
    pub(crate) kind: HandshakeKind,
    pub(crate) alpn: Vec<u8>,
}

/// Shakes hands in memory, with the hello read first as the server does it.
pub(crate) fn shake_hands(
    client: &Arc<ClientConfig>,
    server: &ServerTls,
    name: &'static str,
) -> Result<Agreed, rustls::Error> {
    // Who names an address has connected to it.
    let local = name.parse().unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let mut client = ClientConnection::new(client.clone(), name.try_into().unwrap())?;
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        acceptor.read_tls(&mut &hello[..]).unwrap();
        if let Some(accepted) = acceptor.accept().map_err(|(error, _)| error)? {
            break accepted;
        }
    };
    let config = server.for_client(&accepted.client_hello(), local);
    let mut server: ServerConnection = accepted
        .into_connection(config)
        .map_err(|(error, _)| error)?;
    // One flight more than a handshake has, so that tickets arrive too.
    for _ in 0..4 {
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut left = &bytes[..];
        while !left.is_empty() {
            client.read_tls(&mut left).unwrap();
            client.process_new_packets()?;
        }
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut left = &bytes[..];
        while !left.is_empty() {
            server.read_tls(&mut left).unwrap();
            server.process_new_packets()?;
        }
    }
    Ok(Agreed {
        suite: client.negotiated_cipher_suite().unwrap().suite(),
        group: client.negotiated_key_exchange_group().unwrap().name(),
        kind: client.handshake_kind().unwrap(),
        alpn: client.alpn_protocol().unwrap_or_default().to_vec(),
    })
}
