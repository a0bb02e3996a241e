//! Servers that begin in clear: a dialogue by a Python program, and then its own TLS; and servers that people use.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Shutdown;
use std::process::{Command, Stdio};

use super::{certify, expect, inspect, scripted};
use crate::server::Place;

mod servers;

/// Speaks each protocol up to its TLS, once: the protocol, the certificate, the key and whether something is
/// injected are its arguments. It says its port first.
const SERVER: &str = r#"
import socket, ssl, struct, sys
protocol, cert, key, injected = sys.argv[1:5]
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
c = listener.accept()[0]
c.settimeout(30)
evil = b"250 evil\r\n" if injected == "yes" else b""

def line():
    text = b""
    while not text.endswith(b"\r\n"):
        got = c.recv(1)
        if not got:
            sys.exit()
        text += got
    return text.decode()

def until(end):
    text = b""
    while not text.endswith(end):
        got = c.recv(1)
        if not got:
            sys.exit()
        text += got

def asked(want):
    got = line()
    assert got.upper().startswith(want), got

if protocol == "smtp":
    c.sendall(b"220 mail.test\r\n"); asked("EHLO")
    c.sendall(b"250-mail.test\r\n250 STARTTLS\r\n"); asked("STARTTLS"); c.sendall(b"220 go\r\n" + evil)
elif protocol == "imap":
    c.sendall(b"* OK hello\r\n"); asked("A1 CAPABILITY")
    c.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK\r\n"); asked("A2 STARTTLS"); c.sendall(b"a2 OK go\r\n" + evil)
elif protocol == "pop3":
    c.sendall(b"+OK\r\n"); asked("STLS"); c.sendall(b"+OK\r\n" + evil)
elif protocol == "ftp":
    c.sendall(b"220 hello\r\n"); asked("AUTH TLS"); c.sendall(b"234 go\r\n" + evil)
elif protocol == "sieve":
    c.sendall(b'"STARTTLS"\r\nOK\r\n'); asked("STARTTLS"); c.sendall(b"OK\r\n" + evil)
elif protocol == "nntp":
    c.sendall(b"200 hello\r\n"); asked("STARTTLS"); c.sendall(b"382 go\r\n" + evil)
elif protocol == "xmpp":
    until(b"version='1.0'>")
    c.sendall(b"<stream:stream><stream:features><starttls/></stream:features>")
    until(b"/>")
    c.sendall(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + evil)
elif protocol == "ldap":
    assert b"1.3.6.1.4.1.1466.20037" in c.recv(4096)
    c.sendall(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00" + evil)
elif protocol == "postgres":
    assert c.recv(8) == struct.pack(">II", 8, 80877103)
    c.sendall(b"S" + evil)
elif protocol == "mysql":
    body = b"\x0a8.0\0" + bytes(4) + b"challeng\0" + struct.pack("<H", 0xffff) + bytes(20)
    c.sendall(struct.pack("<I", len(body)) + body + evil)
    if not injected == "yes":
        assert len(c.recv(36, socket.MSG_WAITALL)) == 36
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
s = context.wrap_socket(c, server_side=True)
try:
    s.unwrap()
except OSError:
    pass
"#;

/// What is told of a server of this protocol.
fn told(place: &Place, protocol: &str, injected: &str) -> (i32, String, String) {
    let mut command = Command::new("python3");
    place.furnish(&mut command);
    let mut child = command
        .args(["-c", SERVER, protocol, "c.pem", "k.pem", injected])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python3 must be there");
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut port)
        .unwrap();
    let name = format!("localhost:{}", port.trim());
    let address = format!("127.0.0.1:{}", port.trim());
    let ran = inspect(
        place,
        &[
            &name,
            "--connect",
            &address,
            "--ca",
            "root.pem",
            "--starttls",
            protocol,
        ],
    );
    let _ = child.kill();
    child.wait().unwrap();
    ran
}

const PROTOCOLS: [&str; 10] = [
    "smtp", "imap", "pop3", "ftp", "xmpp", "ldap", "postgres", "mysql", "sieve", "nntp",
];

#[test]
fn tls_begins_behind_every_protocol() {
    let place = Place::new();
    certify(&place);
    for protocol in PROTOCOLS {
        let ran = told(&place, protocol, "no");
        expect(
            &ran,
            0,
            &[
                "✓ The Finished message of the server",
                "✓ The certificates of the server",
            ],
        );
    }
}

#[test]
fn what_is_injected_before_tls_is_noticed() {
    let place = Place::new();
    certify(&place);
    for protocol in PROTOCOLS {
        let (code, told, said) = told(&place, protocol, "yes");
        assert_eq!((code, told.as_str()), (3, ""), "{protocol}: {said}");
        assert!(
            said.contains("10 octets came in clear"),
            "{protocol}: {said}"
        );
    }
}

/// What is told of a server that begins so, and goes on with `more` as often as it is heard.
fn told_of(protocol: &str, begins: &[u8], more: &[u8]) -> (i32, String) {
    let place = Place::in_memory();
    let (begins, more) = (begins.to_vec(), more.to_vec());
    let (address, server) = scripted(move |mut stream| {
        let _ = stream.write_all(&begins);
        while !more.is_empty() && stream.write_all(&more).is_ok() {}
        // Closed with something unread, it would be reset.
        let _ = stream.shutdown(Shutdown::Write);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let address = address.to_string();
    let ask = [&address, "--starttls", protocol, "--timeout", "5s"];
    let (code, told, said) = inspect(&place, &ask);
    server.join().unwrap();
    assert_eq!(told, "", "{protocol}");
    (code, said)
}

#[test]
fn an_answer_that_is_cut_and_one_without_end_are_told_as_such() {
    let greetings: [(&str, &[u8], &[u8]); 10] = [
        ("smtp", b"220-mail", b"220-more\r\n"),
        ("imap", b"* O", b"* OK "),
        ("pop3", b"+OK", b"+"),
        ("ftp", b"220-files\r\n", b"220-more\r\n"),
        ("xmpp", b"<stream:stream>", b"<a/>"),
        ("ldap", b"\x30\x84", b"\x30\x84\0\0\x1f\xff"),
        ("postgres", b"", b"EEEE"),
        ("mysql", b"\x4a\0\0", b"\xff\x1f\0"),
        ("sieve", b"\"IMPL", b"\"SIEVE\" \"x\"\r\n"),
        ("nntp", b"20", b"2"),
    ];
    for (protocol, cut, endless) in greetings {
        let (code, said) = told_of(protocol, cut, b"");
        assert_eq!(code, 3, "{protocol}: {said}");
        assert!(
            said.contains("the server ended the connection before TLS began"),
            "{protocol}: {said}"
        );
        let (code, said) = told_of(protocol, b"", endless);
        assert_eq!(code, 3, "{protocol}: {said}");
        let why = [
            "before TLS begins",
            "does not speak",
            "refuses to begin TLS",
        ];
        assert!(
            why.iter().any(|why| said.contains(why)),
            "{protocol}: {said}"
        );
        assert!(said.chars().count() < 400, "{protocol}: {said}");
    }
}
