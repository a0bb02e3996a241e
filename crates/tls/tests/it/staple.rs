//! OCSP responses that are stapled to a certificate.

use std::sync::{Arc, Mutex};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, HandshakeKind, SignatureScheme,
    SupportedProtocolVersion, version,
};

use crate::{World, shake_hands};

/// A client that verifies, and notes what was stapled.
#[derive(Debug)]
struct Noting {
    verifier: Arc<WebPkiServerVerifier>,
    stapled: Mutex<Vec<Vec<u8>>>,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.stapled.lock().unwrap().push(staple.to_vec());
        self.verifier
            .verify_server_cert(leaf, others, name, &[], now)
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

fn client(
    world: &World,
    version: &'static SupportedProtocolVersion,
) -> (Arc<ClientConfig>, Arc<Noting>) {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(world.roots.clone(), provider.clone())
            .build()
            .unwrap();
    let noting = Arc::new(Noting {
        verifier,
        stapled: Mutex::default(),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(noting.clone())
        .with_no_client_auth();
    (Arc::new(config), noting)
}

#[test]
fn a_staple_is_sent_as_it_is_in_both_versions_and_a_reload_changes_it() {
    let world = World::new();
    for version in [&version::TLS13, &version::TLS12] {
        let (config, noting) = client(&world, version);
        for response in [Some(&b"first"[..]), Some(b"second"), None] {
            // Else the session is resumed, and no certificate is shown.
            let mut config = ClientConfig::clone(&config);
            config.resumption = rustls::client::Resumption::disabled();
            let server = world.stapled(response);
            shake_hands(&Arc::new(config), &server, "a.test").unwrap();
        }
        let stapled = std::mem::take(&mut *noting.stapled.lock().unwrap());
        assert_eq!(stapled, [&b"first"[..], b"second", b""], "{version:?}");
    }
}

#[test]
fn a_session_is_resumed_though_the_staple_has_changed() {
    let world = World::new();
    let (config, _) = client(&world, &version::TLS13);
    shake_hands(&config, &world.stapled(Some(b"first")), "a.test").unwrap();
    let again = shake_hands(&config, &world.stapled(Some(b"second")), "a.test").unwrap();
    assert_eq!(again.kind, HandshakeKind::Resumed);
}
