//! Connections of rustls, recorded at either end and recomputed: the schedule of the one is held against that of
//! the other.

use std::sync::Arc;

use ravelin_lens::connection::Limits;
use ravelin_lens::ledger::{Side, Standing};
use ravelin_lens::recorder::{self, Recorder};
use ravelin_lens::story::{Claim, Story, Verdict};
use rustls::crypto::aws_lc_rs;
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};

/// A recorder at each end, what each of them tells.
fn talk(client: Arc<ClientConfig>, server: Arc<ServerConfig>) -> [Story; 2] {
    let recorders = [Recorder::new(1 << 20), Recorder::new(1 << 20)];
    let name = ServerName::try_from("example.test").unwrap();
    let [at_client, at_server] = &recorders;
    let mut client = at_client.scope(|| ClientConnection::new(client, name).unwrap());
    let mut server = ServerConnection::new(server).unwrap();
    loop {
        let mut sent = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut sent).unwrap();
        }
        let said = !sent.is_empty();
        for recorder in &recorders {
            recorder.sent(Side::Client, &sent);
        }
        server.read_tls(&mut &sent[..]).unwrap();
        at_server.scope(|| server.process_new_packets().unwrap());

        let mut sent = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut sent).unwrap();
        }
        let heard = !sent.is_empty();
        for recorder in &recorders {
            recorder.sent(Side::Server, &sent);
        }
        client.read_tls(&mut &sent[..]).unwrap();
        at_client.scope(|| client.process_new_packets().unwrap());
        if !said && !heard {
            break;
        }
    }
    recorders.map(|recorder| recorder.look(|recording| recording.story(Limits::default())))
}

/// A handshake with a hybrid key share of each side, as the client saw it.
pub(crate) fn hybrid() -> Story {
    let (ends, group) = (Ends::new(), group("X25519MLKEM768"));
    let [seen, _] = talk(ends.client(&[group], &TLS13), ends.server(&[group]));
    seen
}

pub(crate) struct Ends {
    chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    pub(crate) roots: Arc<RootCertStore>,
}

impl Ends {
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["example.test".to_owned()]).unwrap();
        let certificate = parameters.self_signed(&key).unwrap().der().clone();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        Self {
            chain: vec![certificate],
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            roots: Arc::new(roots),
        }
    }

    pub(crate) fn server(&self, groups: &[&'static dyn SupportedKxGroup]) -> Arc<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(provider(groups))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), self.key.clone_key())
            .unwrap();
        config.key_log = recorder::witness().key_log;
        Arc::new(config)
    }

    fn client(
        &self,
        groups: &[&'static dyn SupportedKxGroup],
        version: &'static SupportedProtocolVersion,
    ) -> Arc<ClientConfig> {
        let mut config = ClientConfig::builder_with_provider(provider(groups))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.key_log = recorder::witness().key_log;
        Arc::new(config)
    }
}

pub(crate) fn group(name: &str) -> &'static dyn SupportedKxGroup {
    recorder::group(name).unwrap()
}

pub(crate) fn provider(groups: &[&'static dyn SupportedKxGroup]) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        kx_groups: groups.to_vec(),
        ..aws_lc_rs::default_provider()
    })
}

/// All that was derived is what rustls derived, from the shared secret on.
fn assert_confirmed(story: &Story, secrets: &[&str]) {
    assert!(story.agreement.complete.is_some(), "{story:#?}");
    for side in [Side::Client, Side::Server] {
        let finished = story
            .checks
            .iter()
            .find(|check| check.claim == Claim::Finished(side))
            .unwrap();
        assert_eq!(finished.verdict, Verdict::Confirmed);
    }
    for name in secrets {
        let mut of_name = story.ledger.iter().filter(|(_, found)| found.name == *name);
        let (_, secret) = of_name
            .next()
            .unwrap_or_else(|| panic!("there is no {name}"));
        assert!(
            matches!(secret.standing, Standing::Confirmed(_)),
            "{name} is {:?}",
            secret.standing
        );
    }
    let refuted = story
        .ledger
        .iter()
        .find(|(_, quantity)| matches!(quantity.standing, Standing::Refuted(_)));
    assert!(refuted.is_none(), "{refuted:?}");
}

const SECRETS_OF_TLS_1_3: &[&str] = &[
    "client_handshake_traffic_secret",
    "server_handshake_traffic_secret",
    "client_application_traffic_secret_0",
    "server_application_traffic_secret_0",
    "exporter_secret",
];

#[test]
fn the_shared_secret_of_every_group_leads_to_the_secrets_of_rustls_in_tls_1_3() {
    let ends = Ends::new();
    for group in [
        group("X25519MLKEM768"),
        group("SecP256r1MLKEM768"),
        group("MLKEM768"),
        group("x25519"),
        group("secp256r1"),
        group("secp384r1"),
    ] {
        for story in talk(ends.client(&[group], &TLS13), ends.server(&[group])) {
            assert_confirmed(&story, SECRETS_OF_TLS_1_3);
        }
    }
}

#[test]
fn the_classical_half_of_a_hybrid_share_leads_there_too() {
    let ends = Ends::new();
    let client = ends.client(&[group("X25519MLKEM768"), group("x25519")], &TLS13);
    for story in talk(client, ends.server(&[group("x25519")])) {
        assert_confirmed(&story, SECRETS_OF_TLS_1_3);
        assert!(!story.agreement.retried);
    }
}

#[test]
fn a_second_hello_leads_there_too() {
    let ends = Ends::new();
    let client = ends.client(&[group("x25519"), group("secp384r1")], &TLS13);
    for story in talk(client, ends.server(&[group("secp384r1")])) {
        assert_confirmed(&story, SECRETS_OF_TLS_1_3);
        assert!(story.agreement.retried);
    }
}

#[test]
fn the_shared_secret_leads_to_the_main_secret_of_rustls_in_tls_1_2() {
    let ends = Ends::new();
    for group in [group("x25519"), group("secp256r1"), group("secp384r1")] {
        for story in talk(ends.client(&[group], &TLS12), ends.server(&[group])) {
            assert_confirmed(&story, &["master_secret"]);
        }
    }
}
