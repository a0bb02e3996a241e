//! Hellos that must not change, and versions that must not fall.

use ravelin_lens::proof::{no_downgrade, retry_kept};
use ravelin_lens::story::{Refutation, Verdict};
use ravelin_wire::extension::{Extension, KeyShareEntry, OfferedPsks, PskIdentity};
use ravelin_wire::handshake::{Agreed, ClientHello, Handshake, ServerHello};
use ravelin_wire::registry::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion};

use super::shares::messages;
use crate::peers::Server;

#[test]
fn a_second_hello_of_openssl_keeps_what_it_must_and_each_change_is_named() {
    let server = Server::openssl(&["rsa:2048"], &["-groups", "P-256"]);
    let connection = server.openssl_client(&["-tls1_3", "-groups", "X25519:P-256"]);
    let client = messages(&connection.client);
    // What openssl says after its first hello stands behind a change of ciphers that says nothing.
    let after = &connection.client[5 + client[0].len()..];
    let second = messages(after.strip_prefix(&[20, 3, 3, 0, 1, 1]).unwrap_or(after));
    let server = messages(&connection.server);
    let first = client_hello(&client[0]);
    let request = server_hello(&server[0]);
    let second = client_hello(&second[0]);
    assert!(request.is_retry());
    let verdict = |second: &ClientHello<'_>| retry_kept(&first, &request, second);
    assert_eq!(verdict(&second), Verdict::Confirmed);

    let refuted = |name| Verdict::Refuted(Refutation::ChangedHello(name));
    assert_eq!(verdict(&first), refuted("key_share"), "the other group");
    let mut changed = second.clone();
    changed.random = request.random;
    assert_eq!(verdict(&changed), refuted("random"));
    let mut changed = second.clone();
    changed
        .cipher_suites
        .push(CipherSuite::TLS_AES_128_CCM_SHA256);
    assert_eq!(verdict(&changed), refuted("cipher_suites"));

    let with = |change: &dyn Fn(&mut Vec<Extension<'_>>)| {
        let mut changed = second.clone();
        if let Some(extensions) = &mut changed.extensions {
            change(&mut extensions.0);
        }
        verdict(&changed)
    };
    for (name, verdict) in [
        (
            "supported_groups",
            with(&|all| all.retain(|it| it.extension_type() != ExtensionType::SUPPORTED_GROUPS)),
        ),
        ("cookie", with(&|all| all.push(Extension::Cookie(b"none")))),
        ("heartbeat", {
            let heartbeat = ravelin_wire::registry::HeartbeatMode(1);
            with(&|all| all.push(Extension::Heartbeat(heartbeat)))
        }),
        (
            "signature_algorithms",
            with(&|all| {
                for extension in all {
                    if let Extension::SignatureAlgorithms(schemes) = extension {
                        schemes.reverse();
                    }
                }
            }),
        ),
    ] {
        assert_eq!(verdict, refuted(name));
    }
    let padded = with(&|all| all.push(Extension::Padding(&[0; 9])));
    assert_eq!(padded, Verdict::Confirmed);
}

#[test]
fn a_retry_lets_go_of_early_data_and_keys_and_must_get_its_cookie_back() {
    let psks = |identities: &[&'static [u8]]| {
        let identities = identities.iter().map(|identity| PskIdentity {
            identity,
            obfuscated_ticket_age: 7,
        });
        Extension::PreSharedKeys(OfferedPsks {
            identities: identities.collect(),
            binders: Vec::new(),
        })
    };
    let shares = |group| {
        Extension::KeyShares(vec![KeyShareEntry {
            group,
            key_exchange: b"public",
        }])
    };
    let early = Extension::Present(ExtensionType::EARLY_DATA);
    let cookie = Extension::Cookie(b"cookie");
    let (x25519, p256) = (NamedGroup::X25519, NamedGroup::SECP256R1);
    let first = hello(vec![shares(x25519), early.clone(), psks(&[b"a", b"b"])]);
    let request = ServerHello {
        random: &ServerHello::RETRY,
        ..answer(
            ProtocolVersion::TLS_1_3,
            &[0; 32],
            vec![Extension::KeyShareGroup(p256), cookie.clone()],
        )
    };
    let verdict = |extensions| retry_kept(&first, &request, &hello(extensions));
    let refuted = |name| Verdict::Refuted(Refutation::ChangedHello(name));
    for kept in [
        vec![shares(p256), cookie.clone(), psks(&[b"a", b"b"])],
        vec![cookie.clone(), shares(p256), psks(&[b"b"])],
        vec![shares(p256), cookie.clone()],
    ] {
        assert_eq!(verdict(kept), Verdict::Confirmed);
    }
    for (name, changed) in [
        ("cookie", vec![shares(p256), psks(&[b"a"])]),
        ("cookie", vec![shares(p256), Extension::Cookie(b"biscuit")]),
        ("early_data", vec![shares(p256), cookie.clone(), early]),
        ("key_share", vec![shares(x25519), cookie.clone()]),
        ("key_share", vec![cookie.clone()]),
        ("pre_shared_key", vec![shares(p256), cookie, psks(&[b"c"])]),
    ] {
        assert_eq!(verdict(changed), refuted(name));
    }
}

/// The random of a server that speaks TLS 1.3 says so in its end where it is asked for less.
#[test]
fn a_server_of_openssl_that_was_asked_for_less_says_so() {
    let server = Server::openssl(&["rsa:2048"], &["-cipher", "ALL:@SECLEVEL=0"]);
    let connection = server.openssl_client(&["-tls1_2"]);
    let hellos = messages(&connection.server);
    let hello = server_hello(&hellos[0]);
    let (old, new) = (ProtocolVersion::TLS_1_2, ProtocolVersion::TLS_1_3);
    assert_eq!(no_downgrade(&hello, &[old]), Verdict::Confirmed);
    let refuted = Verdict::Refuted(Refutation::Downgraded(new));
    assert_eq!(no_downgrade(&hello, &[new, old]), refuted);
}

#[test]
fn only_versions_that_the_client_offered_can_be_taken_from_it() {
    let random: [u8; 32] = *b"a random of so many octeDOWNGRD\0";
    let (old, middle) = (ProtocolVersion::TLS_1_0, ProtocolVersion::TLS_1_2);
    let grease = ProtocolVersion(0xfafa);
    let hello = answer(ProtocolVersion::TLS_1_1, &random, Vec::new());
    assert_eq!(no_downgrade(&hello, &[old, grease]), Verdict::Confirmed);
    let refuted = Verdict::Refuted(Refutation::Downgraded(middle));
    assert_eq!(no_downgrade(&hello, &[middle, old]), refuted);
    // Such octets mean nothing where the version is the one that they speak of.
    let hello = answer(middle, &random, Vec::new());
    assert_eq!(no_downgrade(&hello, &[middle]), Verdict::Confirmed);
}

fn client_hello(bytes: &[u8]) -> ClientHello<'_> {
    match Handshake::decode(bytes, Agreed::default()) {
        Ok(Handshake::ClientHello(hello)) => hello,
        other => panic!("{other:?}"),
    }
}

fn server_hello(bytes: &[u8]) -> ServerHello<'_> {
    match Handshake::decode(bytes, Agreed::default()) {
        Ok(Handshake::ServerHello(hello)) => hello,
        other => panic!("{other:?}"),
    }
}

fn hello(extensions: Vec<Extension<'_>>) -> ClientHello<'_> {
    ClientHello {
        legacy_version: ProtocolVersion::TLS_1_2,
        random: &[7; 32],
        legacy_session_id: &[],
        cipher_suites: vec![CipherSuite::TLS_AES_128_GCM_SHA256],
        legacy_compression_methods: Vec::new(),
        extensions: Some(ravelin_wire::extension::Extensions(extensions)),
    }
}

fn answer<'b>(
    legacy_version: ProtocolVersion,
    random: &'b [u8; 32],
    extensions: Vec<Extension<'b>>,
) -> ServerHello<'b> {
    ServerHello {
        legacy_version,
        random,
        legacy_session_id_echo: &[],
        cipher_suite: CipherSuite::TLS_AES_128_GCM_SHA256,
        legacy_compression_method: ravelin_wire::registry::CompressionMethod(0),
        extensions: Some(ravelin_wire::extension::Extensions(extensions)),
    }
}
