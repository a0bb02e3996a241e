//! What is agreed on, with whom, and what is refused.

use std::net::Ipv4Addr;

use rustls::crypto::aws_lc_rs::cipher_suite::{
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384,
    TLS13_CHACHA20_POLY1305_SHA256,
};
use rustls::{CipherSuite, HandshakeKind, NamedGroup};

use crate::{World, shake_hands};

#[test]
fn aes_128_is_agreed_on_with_clients_that_put_aes_256_first() {
    let world = World::new();
    let client = world.client(&[
        TLS13_AES_256_GCM_SHA384,
        TLS13_CHACHA20_POLY1305_SHA256,
        TLS13_AES_128_GCM_SHA256,
    ]);
    let agreed = shake_hands(&client, &world.server, "a.test").unwrap();
    assert_eq!(agreed.suite, CipherSuite::TLS13_AES_128_GCM_SHA256);
    assert_eq!(agreed.group, NamedGroup::X25519MLKEM768);
    assert_eq!(agreed.alpn, b"h2");
}

#[test]
fn clients_without_fast_aes_get_chacha20() {
    let world = World::new();
    let client = world.client(&[TLS13_CHACHA20_POLY1305_SHA256, TLS13_AES_128_GCM_SHA256]);
    let agreed = shake_hands(&client, &world.server, "a.test").unwrap();
    assert_eq!(agreed.suite, CipherSuite::TLS13_CHACHA20_POLY1305_SHA256);
}

#[test]
fn tls_1_2_is_spoken_with_an_aead_suite() {
    let world = World::new();
    let client = world.client(&[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]);
    let agreed = shake_hands(&client, &world.server, "a.test").unwrap();
    assert_eq!(
        agreed.suite,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
    );
}

#[test]
fn sessions_are_resumed_across_a_reload() {
    let world = World::new();
    let client = world.client(&[TLS13_AES_128_GCM_SHA256]);
    let first = shake_hands(&client, &world.server, "a.test").unwrap();
    assert_eq!(first.kind, HandshakeKind::Full);
    let second = shake_hands(&client, &world.reloaded(), "a.test").unwrap();
    assert_eq!(second.kind, HandshakeKind::Resumed);
}

#[test]
fn a_session_of_one_name_is_not_resumed_for_another() {
    let world = World::new();
    let client = world.client(&[TLS13_AES_128_GCM_SHA256]);
    shake_hands(&client, &world.server, "x.b.test").unwrap();
    let other = shake_hands(&client, &world.server, "y.b.test").unwrap();
    assert_eq!(other.kind, HandshakeKind::Full);
}

#[test]
fn each_name_is_answered_with_its_own_certificate() {
    let world = World::new();
    let client = world.client(&[TLS13_AES_128_GCM_SHA256]);
    // The client verifies the name: that the handshake succeeds is the test.
    for name in ["a.test", "x.b.test", "127.0.0.1", "127.0.0.2"] {
        shake_hands(&client, &world.server, name).unwrap();
    }
    for name in ["b.test", "x.y.b.test", "c.test", "127.0.0.3"] {
        assert!(shake_hands(&client, &world.server, name).is_err(), "{name}");
    }
}

#[test]
fn a_name_with_the_dot_of_the_root_is_that_name() {
    let world = World::new();
    let names = |asked: &str| {
        let found = world.server.certificates();
        let found = found.find(Some(asked), Ipv4Addr::LOCALHOST.into()).unwrap();
        found.names().to_vec()
    };
    assert_eq!(names("x.b.test."), names("x.b.test"));
    assert_ne!(names("x.b.test."), names("a.test"));
}

#[test]
fn debug_shows_no_key() {
    let world = World::new();
    let shown = format!("{:?} {:?}", world.server, world.tickets);
    assert!(!shown.to_lowercase().contains("key:"), "{shown}");
}
