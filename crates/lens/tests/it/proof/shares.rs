//! What servers sign in handshakes of TLS 1.2 and before.

use ravelin_lens::ledger::Side;
use ravelin_lens::proof::{HandshakeSignature, Signer};
use ravelin_lens::story::{Refutation, Verdict};
use ravelin_wire::handshake::{Agreed, Certificate, ClientHello, Handshake, Joiner};
use ravelin_wire::record::{Next, Record};
use ravelin_wire::registry::{ContentType, ProtocolVersion};

use crate::peers::{Connection, Server};

const ALL: &str = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";

#[test]
fn shares_signed_by_rsa_ecdsa_and_ed25519_of_openssl_are_confirmed() {
    let p384 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
    for (key, old_too) in [
        (&["rsa:2048"][..], true),
        (&["rsa:1024"], true),
        (&["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], true),
        // Before TLS 1.2, ECDSA signs SHA-1, which aws-lc does not check on P-384.
        (&p384, false),
        (&["ed25519"], false),
    ] {
        let server = Server::openssl(key, &["-cipher", ALL, "-min_protocol", "TLSv1"]);
        let versions = [
            ("-tls1_2", ProtocolVersion::TLS_1_2),
            ("-tls1_1", ProtocolVersion::TLS_1_1),
            ("-tls1", ProtocolVersion::TLS_1_0),
        ];
        let most = if old_too { 3 } else { 1 };
        for (option, version) in &versions[..most] {
            for cipher in ["ECDHE", "DHE"] {
                // There is no DHE with ECDSA.
                if cipher == "DHE" && !key[0].starts_with("rsa") {
                    continue;
                }
                let only = format!("k{cipher}:@SECLEVEL=0");
                let connection = server.openssl_client(&[*option, "-cipher", &only]);
                check(&connection, *version);
            }
        }
    }
}

fn check(connection: &Connection, version: ProtocolVersion) {
    let client = messages(&connection.client);
    let server = messages(&connection.server);
    let decode = |message: &'static str, bytes, agreed| {
        Handshake::decode(bytes, agreed).unwrap_or_else(|error| panic!("{message}: {error}"))
    };
    let Handshake::ClientHello(client_hello) = decode("client", &client[0], Agreed::default())
    else {
        panic!();
    };
    let Handshake::ServerHello(server_hello) = decode("server", &server[0], Agreed::default())
    else {
        panic!();
    };
    assert_eq!(server_hello.version(), version);
    let agreed = Agreed {
        version,
        suite: Some(server_hello.cipher_suite),
        ..Agreed::default()
    };
    let Handshake::Certificate(Certificate::Tls12(chain)) =
        decode("certificate", &server[1], agreed)
    else {
        panic!();
    };
    let Handshake::ServerKeyExchange(exchange) = decode("share", &server[2], agreed) else {
        panic!();
    };
    let schemes = offered(&client_hello);
    let signature = HandshakeSignature {
        version,
        side: Side::Server,
        signer: Signer::Certificate(chain[0]),
        signed: exchange.signature.as_ref().unwrap(),
        offered: schemes.as_deref(),
    };
    let over = |server_random| {
        signature.over_share(client_hello.random, server_random, &exchange.parameters)
    };
    let suite = server_hello.cipher_suite;
    assert_eq!(
        over(server_hello.random),
        Verdict::Confirmed,
        "{version} {suite}"
    );
    let bad = Verdict::Refuted(Refutation::BadSignature);
    assert_eq!(over(client_hello.random), bad, "{version} {suite}");
}

fn offered(hello: &ClientHello<'_>) -> Option<Vec<ravelin_wire::registry::SignatureScheme>> {
    use ravelin_wire::extension::Extension;
    hello.extensions().find_map(|extension| match extension {
        Extension::SignatureAlgorithms(schemes) => Some(schemes.clone()),
        _ => None,
    })
}

/// The messages of one side that are in clear, header and all.
pub(super) fn messages(mut stream: &[u8]) -> Vec<Vec<u8>> {
    let mut joiner = Joiner::new(1 << 16);
    let mut messages = Vec::new();
    while let Next::Record(record) = Record::next(stream) {
        if record.content_type == ContentType::CHANGE_CIPHER_SPEC {
            break;
        }
        if record.content_type == ContentType::HANDSHAKE {
            joiner.push(record.fragment);
        }
        while let Ok(Some(message)) = joiner.next_message() {
            messages.push(message.bytes.to_vec());
        }
        stream = &stream[record.octets()..];
    }
    messages
}
