//! The traces of RFC 8448, from their octets and a private key to the story.

use std::collections::HashMap;
use std::time::SystemTime;

use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey, X25519};
use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::digest::Octets;
use ravelin_lens::knowledge::{Knowledge, Nothing};
use ravelin_lens::ledger::{Side, Standing};
use ravelin_lens::story::{
    Claim, EarlyData, End, Epoch, Refutation, Resumption, Sealed, Story, Verdict, What,
};
use ravelin_lens::tickets::Memory;
use ravelin_wire::registry::{HandshakeType, NamedGroup, SignatureScheme};

use crate::rfc8448::octets;

/// What a section of the RFC has of a connection.
pub(crate) struct Trace {
    /// The records, in the order of the RFC.
    pub(crate) records: Vec<(Side, Vec<u8>)>,
    private: HashMap<NamedGroup, Vec<u8>>,
}

impl Trace {
    pub(crate) fn read(text: &str) -> Self {
        let mut trace = Self {
            records: Vec::new(),
            private: HashMap::new(),
        };
        for line in text.lines().skip(1) {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["client", hex] => trace.records.push((Side::Client, octets(hex).to_vec())),
                ["server", hex] => trace.records.push((Side::Server, octets(hex).to_vec())),
                ["private", group, hex] => {
                    let group = NamedGroup(u16::from_str_radix(group, 16).unwrap());
                    trace.private.insert(group, octets(hex).to_vec());
                }
                _ => panic!("{line}"),
            }
        }
        trace
    }

    pub(crate) fn tell(&self) -> Story {
        self.tell_to(self)
    }

    pub(crate) fn tell_to(&self, knowledge: impl Knowledge) -> Story {
        let mut connection = Connection::new(knowledge, Limits::default());
        for (side, record) in &self.records {
            connection.receive(*side, SystemTime::UNIX_EPOCH, record);
        }
        connection.finish()
    }
}

/// The client's private key is known, as in the RFC.
impl Knowledge for Trace {
    fn shared_secret(&self, server_share: &[u8]) -> Option<Octets> {
        let (group, algorithm) = match server_share.len() {
            32 => (NamedGroup::X25519, &X25519),
            _ => (NamedGroup::SECP256R1, &ECDH_P256),
        };
        let private = PrivateKey::from_private_key(algorithm, self.private.get(&group)?).unwrap();
        let public = UnparsedPublicKey::new(algorithm, server_share);
        let take = |secret: &[u8]| Ok(Octets::new(secret.to_vec()));
        agreement::agree(&private, public, (), take).ok()
    }
}

/// All that was put to the test held, and nothing was in the way.
pub(crate) fn all_is_well(story: &Story) {
    all_is_well_but(story, &[], &[]);
}

/// The same, where these quantities cannot be known, and these claims not be tested.
pub(crate) fn all_is_well_but(story: &Story, unknown: &[&str], untested: &[Claim]) {
    assert_eq!(story.faults, []);
    for (id, quantity) in story.ledger.iter() {
        let is_known = match &quantity.standing {
            Standing::Stated | Standing::Confirmed(_) => true,
            Standing::NotDerivable(_) => unknown.contains(&quantity.name),
            Standing::Refuted(_) => false,
        };
        assert!(is_known, "{id:?} {quantity:?}");
    }
    for check in &story.checks {
        let is_so = check.verdict == Verdict::Confirmed || untested.contains(&check.claim);
        assert!(is_so, "{check:?}");
    }
    let claims: Vec<_> = story.checks.iter().map(|check| &check.claim).collect();
    for side in [Side::Client, Side::Server] {
        assert!(claims.contains(&&Claim::Finished(side)), "{claims:?}");
        assert!(claims.contains(&&Claim::Records(side)), "{claims:?}");
    }
    assert!(story.agreement.complete.is_some());
}

pub(crate) fn has(story: &Story, name: &str, hex: &str) {
    let value = octets(hex);
    let named = story.ledger.iter().filter(|(_, it)| it.name == name);
    let values: Vec<_> = named.map(|(_, it)| it.value.clone()).collect();
    assert!(values.contains(&Some(value)), "{name}");
}

#[test]
fn the_simple_handshake_is_told_from_its_octets_and_a_private_key() {
    let story = Trace::read(include_str!("rfc8448/section-3.txt")).tell();
    all_is_well(&story);
    for (name, hex) in [
        (
            "shared_secret",
            "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d",
        ),
        (
            "exporter_secret",
            "fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50",
        ),
        (
            "resumption_secret",
            "7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c",
        ),
        (
            "PSK of the ticket",
            "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3",
        ),
    ] {
        has(&story, name, hex);
    }
    let steps: Vec<_> = story
        .steps
        .iter()
        .map(|step| (step.side, step.what, step.epoch))
        .collect();
    let (client, server) = (Side::Client, Side::Server);
    let message = What::Handshake;
    let data = Epoch::Application(0);
    assert_eq!(
        steps,
        [
            (client, message(HandshakeType::CLIENT_HELLO), Epoch::Clear),
            (server, message(HandshakeType::SERVER_HELLO), Epoch::Clear),
            (
                server,
                message(HandshakeType::ENCRYPTED_EXTENSIONS),
                Epoch::Handshake
            ),
            (
                server,
                message(HandshakeType::CERTIFICATE),
                Epoch::Handshake
            ),
            (
                server,
                message(HandshakeType::CERTIFICATE_VERIFY),
                Epoch::Handshake
            ),
            (server, message(HandshakeType::FINISHED), Epoch::Handshake),
            (client, message(HandshakeType::FINISHED), Epoch::Handshake),
            (server, message(HandshakeType::NEW_SESSION_TICKET), data),
            (client, What::ApplicationData, data),
            (server, What::ApplicationData, data),
            (client, What::Alert, data),
            (server, What::Alert, data),
        ]
    );
    assert_eq!(story.agreement.complete, Some(6));
    assert_eq!(story.steps[8].bytes[..], (0..50).collect::<Vec<u8>>()[..]);
}

#[test]
fn a_second_hello_goes_on_from_the_hash_of_the_first() {
    let story = Trace::read(include_str!("rfc8448/section-5.txt")).tell();
    all_is_well(&story);
    assert!(story.agreement.retried);
    assert_eq!(story.agreement.group, Some(NamedGroup::SECP256R1));
}

/// The key of the ticket is what the trace before left behind.
#[test]
fn data_before_the_handshake_is_over_is_told() {
    let mut memory = Memory::new(1);
    memory.remember(&Trace::read(include_str!("rfc8448/section-3.txt")).tell());
    let trace = Trace::read(include_str!("rfc8448/section-4.txt"));
    let story = trace.tell_to((&trace, &memory));
    all_is_well(&story);
    has(
        &story,
        "PSK",
        "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3",
    );
    let claims: Vec<_> = story.checks.iter().map(|check| &check.claim).collect();
    assert!(claims.contains(&&Claim::Binder(0)));
    assert_eq!(story.agreement.early_data, EarlyData::Accepted);
    assert_eq!(story.steps[1].bytes[..], *b"ABCDEF");
    assert_eq!(story.steps[1].epoch, Epoch::EarlyData);
    let resumption = Resumption::Psk { key_exchange: true };
    assert_eq!(story.agreement.resumption, Some(resumption));
}

/// Where nothing of the ticket is known, the handshake is read all the same, but for what the key is part of.
#[test]
fn early_data_without_its_key_is_sealed() {
    let trace = Trace::read(include_str!("rfc8448/section-4.txt"));
    let story = trace.tell();
    assert_eq!(story.faults, []);
    assert_eq!(story.steps[1].what, What::Sealed(Sealed::NoKeys));
    assert_eq!(story.agreement.complete, None);
}

#[test]
fn a_client_that_shows_who_it_is_is_told() {
    let story = Trace::read(include_str!("rfc8448/section-6.txt")).tell();
    all_is_well(&story);
    assert!(story.agreement.client_certificate_asked);
    assert_eq!(story.agreement.client_chain.len(), 1);
    let scheme = |scheme: Option<SignatureScheme>| scheme.unwrap().to_string();
    let agreement = &story.agreement;
    assert_eq!(scheme(agreement.server_signature), "ecdsa_secp256r1_sha256");
    assert_eq!(scheme(agreement.client_signature), "rsa_pss_rsae_sha256");
}

#[test]
fn what_looks_like_an_older_version_is_told() {
    let story = Trace::read(include_str!("rfc8448/section-7.txt")).tell();
    all_is_well(&story);
    let is_change = |step: &&ravelin_lens::story::Step| step.what == What::ChangeCipherSpec;
    assert_eq!(story.steps.iter().filter(is_change).count(), 2);
    assert_eq!(story.end, [End::Said; 2]);
}

/// What another library derived, and a secret of the key exchange that is not that of the connection.
struct Mistaken {
    trace: Trace,
    secret: Octets,
}

impl Knowledge for Mistaken {
    fn shared_secret(&self, server_share: &[u8]) -> Option<Octets> {
        let mut secret = self.trace.shared_secret(server_share)?;
        secret[0] ^= 1;
        Some(secret)
    }

    fn logged(&self, _: &[u8; 32], label: &str) -> Option<Octets> {
        (label == "CLIENT_HANDSHAKE_TRAFFIC_SECRET").then(|| self.secret.clone())
    }
}

#[test]
fn a_shared_secret_that_does_not_lead_to_the_keys_is_refuted() {
    let trace = Trace::read(include_str!("rfc8448/section-3.txt"));
    let story = trace.tell();
    let claim = |story: &Story| {
        let check = story
            .checks
            .iter()
            .find(|it| it.claim == Claim::SharedSecret);
        check.map(|check| check.verdict.clone())
    };
    // Records that it opens are witness enough.
    assert_eq!(claim(&story), Some(Verdict::Confirmed));
    let name = "client_handshake_traffic_secret";
    let mut named = story.ledger.iter().filter(|(_, it)| it.name == name);
    let secret = named.next().unwrap().1.value.clone().unwrap();
    let mistaken = Mistaken { trace, secret };
    let story = mistaken.trace.tell_to(&mistaken);
    assert_eq!(claim(&story), Some(Verdict::Refuted(Refutation::Differs)));
    // Nothing is claimed of what nobody knows.
    assert_eq!(claim(&mistaken.trace.tell_to(Nothing)), None);
}
