//! Python with itself, whose `ssl` writes key logs of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use ravelin_lens::ledger::Side;
use ravelin_wire::registry::ProtocolVersion;

use super::{Known, NOT_LOGGED, Program, Recorder, Recording, Workshop, is_said};
use crate::traces::all_is_well_but;

const SERVER: &str = "
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('certificate.pem', 'key.pem')
context.set_alpn_protocols(['b', 'a'])
listener = socket.create_server(('127.0.0.1', 0))
print(f'port {listener.getsockname()[1]} ', flush=True)
connection, _ = listener.accept()
with context.wrap_socket(connection, server_side=True) as tls:
    tls.sendall(tls.recv(100).upper())
    tls.unwrap()
";

const CLIENT: &str = "
import socket, ssl, sys
context = ssl.create_default_context(cafile='certificate.pem')
context.keylog_filename = 'keys'
context.set_alpn_protocols(['a', 'b'])
context.maximum_version = ssl.TLSVersion[sys.argv[2]]
connection = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
with context.wrap_socket(connection, server_hostname='localhost') as tls:
    tls.sendall(b'ping')
    assert tls.recv(100) == b'PING'
    tls.unwrap()
";

/// A connection of the version that `ssl` has under this name.
pub(super) fn connect(shop: &Workshop, version: &str) -> Recording {
    let folder = shop.folder.path();
    let python = || {
        let mut command = Command::new("python3");
        command.arg("-c").current_dir(folder);
        command
    };
    let mut server = Program::start(python().arg(SERVER));
    let output = server.hear(" \n");
    let port = output.split_whitespace().nth(1).unwrap().parse().unwrap();
    let recorder = Recorder::start(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), 1);
    let output = python()
        .arg(CLIENT)
        .arg(recorder.address.port().to_string())
        .arg(version)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let passed = recorder.finish().remove(0);
    let known = Known::read(&shop.path("keys"));
    Recording { passed, known }
}

#[test]
fn its_connections_are_told() {
    let shop = Workshop::ecdsa();
    for (version, name) in [
        (ProtocolVersion::TLS_1_2, "TLSv1_2"),
        (ProtocolVersion::TLS_1_3, "TLSv1_3"),
    ] {
        let story = connect(&shop, name).tell();
        all_is_well_but(&story, NOT_LOGGED, &[]);
        is_said(&story, Side::Server, "PING");
        assert_eq!(story.agreement.version, Some(version));
        assert_eq!(story.agreement.alpn.as_deref(), Some(&b"b"[..]));
    }
}
