//! What is said of encrypted hellos (ECH): of those that are real, those that say nothing, and those of which nobody
//! outside can tell. rustls makes them; no server here takes any.

use std::io::Write;
use std::sync::Arc;
use std::time::SystemTime;

use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::explain::Language;
use ravelin_lens::judgement::{EncryptedHello, Judgement, Seen, Weakness};
use ravelin_lens::knowledge::Nothing;
use ravelin_lens::ledger::Side;
use ravelin_lens::recorder::{self, Recorder};
use ravelin_lens::story::Story;
use rustls::client::{EchConfig, EchGreaseConfig, EchMode};
use rustls::crypto::aws_lc_rs::hpke::{ALL_SUPPORTED_SUITES, DH_KEM_X25519_HKDF_SHA256_AES_128};
use rustls::crypto::hpke::HpkePublicKey;
use rustls::pki_types::{EchConfigListBytes, ServerName};
use rustls::{ClientConfig, ClientConnection, ServerConnection};

use crate::recorder::{Ends, group, provider};

/// What both sides said, in turn.
type Said = Vec<(Side, Vec<u8>)>;

/// A connection whose client offers `ech`, and sends data after its handshake if it is to. The story of its client.
fn talk(ech: EchMode, name: &'static str, sends: bool) -> (Story, Said) {
    let (ends, groups) = (Ends::new(), [group("x25519")]);
    let mut config = ClientConfig::builder_with_provider(provider(&groups))
        .with_ech(ech)
        .unwrap()
        .with_root_certificates(ends.roots.clone())
        .with_no_client_auth();
    config.key_log = recorder::witness().key_log;
    let (recorder, name) = (Recorder::new(1 << 20), ServerName::try_from(name).unwrap());
    let mut client = recorder.scope(|| ClientConnection::new(Arc::new(config), name).unwrap());
    let mut server = ServerConnection::new(ends.server(&groups)).unwrap();
    let (mut said, mut sent) = (Said::new(), !sends);
    loop {
        if !client.is_handshaking() && !sent {
            sent = true;
            client.writer().write_all(b"hello").unwrap();
        }
        let mut octets = [Vec::new(), Vec::new()];
        while client.wants_write() {
            client.write_tls(&mut octets[0]).unwrap();
        }
        server.read_tls(&mut &octets[0][..]).unwrap();
        // The alert of a client whose hello was refused is an error.
        let _ = server.process_new_packets();
        while server.wants_write() {
            server.write_tls(&mut octets[1]).unwrap();
        }
        client.read_tls(&mut &octets[1][..]).unwrap();
        recorder.sent(Side::Client, &octets[0]);
        recorder.sent(Side::Server, &octets[1]);
        // So is the refusal.
        let _ = recorder.scope(|| client.process_new_packets().map(drop));
        if octets.iter().all(Vec::is_empty) {
            break;
        }
        said.extend([Side::Client, Side::Server].into_iter().zip(octets));
    }
    let story = recorder.look(|recording| recording.story(Limits::default()));
    (story, said)
}

/// What says nothing.
fn grease() -> EchMode {
    let key = HpkePublicKey(vec![9; 32]);
    EchMode::Grease(EchGreaseConfig::new(DH_KEM_X25519_HKDF_SHA256_AES_128, key))
}

/// A hello for a host that is hidden, by a key that the server does not have. In front is `example.test`.
fn real() -> EchMode {
    let mut contents = vec![7, 0, 0x20, 0, 32];
    contents.extend([9; 32]);
    contents.extend([0, 4, 0, 1, 0, 1, 0]);
    contents.push(12);
    contents.extend(b"example.test\0\0");
    let length = u16::try_from(contents.len()).unwrap();
    let mut list = (length + 4).to_be_bytes().to_vec();
    list.extend([0xfe, 0x0d]);
    list.extend(length.to_be_bytes());
    list.extend(contents);
    EchMode::Enable(EchConfig::new(EchConfigListBytes::from(list), ALL_SUPPORTED_SUITES).unwrap())
}

/// What is seen of names, and whether a name in clear is found to be weak.
fn judged(story: &Story) -> (Vec<Seen>, bool) {
    let judgement = Judgement::of(story);
    let names = judgement.seen.into_iter().filter(|seen| {
        matches!(
            seen,
            Seen::ServerName(_) | Seen::OuterName(_) | Seen::EncryptedHello(_)
        )
    });
    let weak = judgement.weaknesses.contains(&Weakness::NameInClear);
    (names.collect(), weak)
}

fn said(story: &Story) -> String {
    Language::English.step(story, 0).says
}

#[test]
fn one_that_says_nothing_is_told_by_a_client_that_goes_on() {
    let (story, _) = talk(grease(), "example.test", true);
    let name = Seen::ServerName("example.test".to_owned());
    let grease = Seen::EncryptedHello(EncryptedHello::Grease);
    assert_eq!(judged(&story), (vec![name, grease], true));
    assert!(said(&story).contains("(GREASE)"), "{}", said(&story));
}

#[test]
fn one_that_was_real_and_refused_is_told_by_the_alert() {
    let (story, _) = talk(real(), "hidden.test", true);
    let name = Seen::OuterName("example.test".to_owned());
    let refused = Seen::EncryptedHello(EncryptedHello::Refused);
    assert_eq!(judged(&story), (vec![name, refused], false));
}

#[test]
fn one_that_the_server_left_may_be_either_until_the_client_goes_on() {
    let (story, _) = talk(grease(), "example.test", false);
    let name = Seen::OuterName("example.test".to_owned());
    let left = Seen::EncryptedHello(EncryptedHello::NotTaken);
    assert_eq!(judged(&story), (vec![name, left], false));
}

#[test]
fn nobody_outside_can_tell_a_real_one_from_one_that_says_nothing() {
    for (ech, name) in [(grease(), "example.test"), (real(), "hidden.test")] {
        let (_, said_by_both) = talk(ech, name, true);
        let mut connection = Connection::new(Nothing, Limits::default());
        for (side, octets) in &said_by_both {
            connection.receive(*side, SystemTime::UNIX_EPOCH, octets);
        }
        let story = connection.finish();
        let name = Seen::OuterName("example.test".to_owned());
        let unknown = Seen::EncryptedHello(EncryptedHello::Unknown);
        assert_eq!(judged(&story), (vec![name, unknown], false));
        assert!(said(&story).contains("perhaps"), "{}", said(&story));
    }
}
