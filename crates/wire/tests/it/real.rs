//! What others say: flights of OpenSSL, by way of Python's `ssl`, without a network between.

use std::process::Command;

use ravelin_wire::extension::Extension;
use ravelin_wire::handshake::{Agreed, Handshake, Joiner, NewSessionTicket};
use ravelin_wire::record::{Next, Record};
use ravelin_wire::registry::{CipherSuite, ContentType, HandshakeType, ProtocolVersion};
use ravelin_wire::writer::Encode;

use crate::properties::covers;

/// Has a client and a server of Python's `ssl` speak to each other in memory, and gives what each
/// sent: in clear up to the first encrypted record.
const SPEAK: &str = r#"
import ssl, subprocess, sys, tempfile, os
version, suites = sys.argv[1], sys.argv[2]
whole = tempfile.TemporaryDirectory()
folder = whole.name
key, cert = os.path.join(folder, "k"), os.path.join(folder, "c")
subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
                "-subj", "/CN=wire.test", "-days", "2"], check=True, capture_output=True)
dh = os.path.join(folder, "d")
subprocess.run(["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048",
                "-out", dh], check=True, capture_output=True)
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(cert, key)
server.load_dh_params(dh)
server.set_alpn_protocols(["h2", "http/1.1"])
client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
client.set_alpn_protocols(["h2", "http/1.1"])
for context in (server, client):
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    if suites:
        context.set_ciphers(suites + ":@SECLEVEL=0")
pipes = [ssl.MemoryBIO() for _ in range(4)]
ends = [client.wrap_bio(pipes[0], pipes[1], server_hostname="wire.test"),
        server.wrap_bio(pipes[2], pipes[3], server_side=True)]
sent = [b"", b""]
for _ in range(10):
    for side in (0, 1):
        try:
            ends[side].do_handshake()
        except ssl.SSLWantReadError:
            pass
        data = pipes[1 + 2 * side].read()
        sent[side] += data
        pipes[2 - 2 * side].write(data)
print(sent[0].hex())
print(sent[1].hex())
print(ends[0].cipher()[0])
"#;

fn speak(version: &str, suites: &str) -> (Vec<u8>, Vec<u8>) {
    let output = Command::new("python3")
        .args(["-c", SPEAK, version, suites])
        .output()
        .expect("python3 runs");
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let mut flights = text.lines().map(octets);
    let client = flights.next().unwrap_or_else(|| panic!("{errors}"));
    (client, flights.next().unwrap())
}

fn octets(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// The handshake messages that are in clear.
fn messages(mut stream: &[u8]) -> Vec<Vec<u8>> {
    let mut joiner = Joiner::new(1 << 17);
    let mut messages = Vec::new();
    loop {
        let record = match Record::next(stream) {
            Next::Record(record) => record,
            Next::Incomplete { .. } if stream.is_empty() => return messages,
            other => panic!("{other:?}"),
        };
        covers(
            &Record::dissect(&stream[..record.octets()]).0,
            record.octets(),
        );
        assert_eq!(record.encode().unwrap(), stream[..record.octets()]);
        stream = &stream[record.octets()..];
        match record.content_type {
            ContentType::HANDSHAKE => joiner.push(record.fragment),
            _ => return messages,
        }
        while let Some(message) = joiner.next_message().unwrap() {
            messages.push(message.bytes.to_vec());
        }
    }
}

fn read(bytes: &[u8], agreed: Agreed) -> Handshake<'_> {
    let (tree, message) = Handshake::dissect(bytes, agreed);
    covers(&tree, bytes.len());
    let message = message.unwrap_or_else(|error| panic!("{error}: {tree:#?}"));
    assert_eq!(message.encode().unwrap(), bytes);
    message
}

/// Nothing that OpenSSL sends is unknown or malformed to us.
fn no_stranger(message: &Handshake<'_>) {
    let extensions: Vec<&Extension<'_>> = match message {
        Handshake::ClientHello(hello) => hello.extensions().collect(),
        Handshake::ServerHello(hello) => hello.extensions().collect(),
        Handshake::Unknown { .. } => panic!("{message:?}"),
        _ => Vec::new(),
    };
    for extension in extensions {
        assert!(
            !matches!(
                extension,
                Extension::Unknown { .. } | Extension::Malformed { .. }
            ),
            "{extension:?}"
        );
    }
}

#[test]
fn the_hellos_of_tls13_are_read_and_written_as_openssl_sends_them() {
    let (client, server) = speak("TLSv1_3", "");
    let sent = messages(&client);
    let Handshake::ClientHello(hello) = read(&sent[0], Agreed::default()) else {
        panic!("no hello");
    };
    no_stranger(&Handshake::ClientHello(hello.clone()));
    assert_eq!(hello.server_name(), Some(&b"wire.test"[..]));
    assert_eq!(hello.versions(), [ProtocolVersion::TLS_1_3]);
    assert!(
        hello
            .extensions()
            .any(|extension| *extension == Extension::Alpn(vec![&b"h2"[..], &b"http/1.1"[..]]))
    );
    let sent = messages(&server);
    let Handshake::ServerHello(hello) = read(&sent[0], Agreed::default()) else {
        panic!("no hello");
    };
    no_stranger(&Handshake::ServerHello(hello.clone()));
    assert_eq!(hello.version(), ProtocolVersion::TLS_1_3);
    assert!(!hello.is_retry());
}

/// Each kind of key exchange of TLS 1.2 and before: all messages in clear.
#[test]
fn the_messages_of_tls12_and_before_are_read_and_written_as_openssl_sends_them() {
    for (version, suite, count) in [
        ("TLSv1_2", "ECDHE-RSA-AES128-GCM-SHA256", 5),
        ("TLSv1_2", "AES128-GCM-SHA256", 4),
        ("TLSv1_2", "DHE-RSA-AES128-GCM-SHA256", 5),
        ("TLSv1_1", "ECDHE-RSA-AES128-SHA", 5),
        ("TLSv1", "DHE-RSA-AES128-SHA", 5),
        ("TLSv1", "AES128-SHA", 4),
    ] {
        let (client, server) = speak(version, suite);
        let mut agreed = Agreed::default();
        let mut kinds = Vec::new();
        for bytes in &messages(&server) {
            let message = read(bytes, agreed);
            no_stranger(&message);
            if let Handshake::ServerHello(hello) = &message {
                agreed.version = hello.version();
                agreed.suite = Some(hello.cipher_suite);
            }
            if let Handshake::NewSessionTicket(ticket) = &message {
                assert!(matches!(ticket, NewSessionTicket::Tls12 { .. }));
            }
            kinds.push(message.handshake_type());
        }
        assert!(
            kinds.contains(&HandshakeType::SERVER_HELLO_DONE),
            "{kinds:?}"
        );
        assert_eq!(kinds.len(), count, "{version} {suite}: {kinds:?}");
        for bytes in &messages(&client) {
            no_stranger(&read(bytes, agreed));
        }
        assert_ne!(agreed.suite, Some(CipherSuite(0)));
    }
}
