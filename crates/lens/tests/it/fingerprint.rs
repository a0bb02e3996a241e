//! Fingerprints of hellos that real clients send, judged by tshark (JA3) and by a Python program (JA4), and
//! the table of clients that are known, which is made of them.

use std::fmt::Write as _;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ravelin_lens::fingerprint::known::{self, Traits};
use ravelin_lens::fingerprint::{Fingerprint, Transport};
use ravelin_lens::recorder;
use ravelin_tls::inspect::{self, ClientOptions};
use ravelin_wire::handshake::{Agreed, ClientHello, Handshake};

use crate::browser::UNATTENDED;

/// The octets of a client's first records, and of the hello in them.
struct Sent {
    records: Vec<u8>,
    hello: Vec<u8>,
}

impl Sent {
    fn hello(&self) -> ClientHello<'_> {
        match Handshake::decode(&self.hello, Agreed::default()).unwrap() {
            Handshake::ClientHello(hello) => hello,
            other => panic!("no hello: {other:?}"),
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.hello(), Transport::Tcp)
    }

    fn read(mut from: impl Read) -> Self {
        let mut sent = Self {
            records: Vec::new(),
            hello: Vec::new(),
        };
        while sent.hello.len() < 4 || sent.hello.len() < 4 + length(&sent.hello[1..4]) {
            let mut header = [0; 5];
            from.read_exact(&mut header).unwrap();
            assert_eq!(header[0], 22, "a handshake record");
            let mut fragment = vec![0; length(&header[3..])];
            from.read_exact(&mut fragment).unwrap();
            sent.records.extend(header);
            sent.records.extend(&fragment);
            sent.hello.extend(fragment);
        }
        sent
    }
}

fn length(octets: &[u8]) -> usize {
    octets
        .iter()
        .fold(0, |length, octet| length << 8 | usize::from(*octet))
}

/// What the first client sends that `start` starts with a port.
fn sent_by(start: impl FnOnce(u16) -> Child) -> Sent {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut child = start(port);
    let (sender, accepted) = std::sync::mpsc::channel();
    thread::spawn(move || {
        if let Ok((stream, _)) = listener.accept() {
            let _ = sender.send(stream);
        }
    });
    let stream: TcpStream = accepted
        .recv_timeout(Duration::from_secs(60))
        .expect("the client connects");
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let sent = Sent::read(&stream);
    let _ = child.kill();
    child.wait().unwrap();
    sent
}

fn spawn(program: &str, arguments: &[&str]) -> Child {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} must be there: {error}"))
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} must be there: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The word behind `before`, without what does not belong to a version.
fn version<'t>(text: &'t str, before: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{text}"));
    rest.split_whitespace().next().unwrap()
}

/// A client of this machine: what it is called, its version, and what it sends.
type Client = (&'static str, String, Sent);

fn curl() -> Client {
    let said = output("curl", &["--version"]);
    let library = version(&said, "OpenSSL/");
    let version = format!("{} (OpenSSL {library})", version(&said, "curl "));
    let sent = sent_by(|port| spawn("curl", &["-sk", &format!("https://localhost:{port}/")]));
    ("curl", version, sent)
}

fn openssl() -> Client {
    let version = version(&output("openssl", &["version"]), "OpenSSL ").to_owned();
    let sent = sent_by(|port| {
        let address = format!("localhost:{port}");
        spawn("openssl", &["s_client", "-connect", &address])
    });
    ("openssl", version, sent)
}

fn python() -> Client {
    let version = output(
        "python3",
        &[
            "-c",
            "import platform, ssl; print(platform.python_version(), '(' + \
             ' '.join(ssl.OPENSSL_VERSION.split()[:2]) + ')')",
        ],
    );
    let sent = sent_by(|port| {
        let fetch = format!(
            "import urllib.request; urllib.request.urlopen('https://localhost:{port}/', timeout=20)"
        );
        spawn("python3", &["-c", &fetch])
    });
    ("Python", version.trim().to_owned(), sent)
}

fn gnutls() -> Client {
    let version = version(&output("gnutls-cli", &["--version"]), "gnutls-cli ").to_owned();
    let sent = sent_by(|port| {
        let port = port.to_string();
        spawn("gnutls-cli", &["--insecure", "-p", &port, "localhost"])
    });
    ("GnuTLS", version, sent)
}

fn chromium() -> Client {
    let said = output("chromium", &["--version"]);
    let version = version(&said, "Chromium ").to_owned();
    let profile = tempfile::tempdir().unwrap();
    let folder = format!("--user-data-dir={}", profile.path().display());
    let sent = sent_by(|port| {
        let url = format!("https://localhost:{port}/");
        let own = ["--disable-quic", "--dump-dom", &folder, &url];
        spawn("chromium", &[&UNATTENDED[..], &own].concat())
    });
    ("Chromium", version, sent)
}

fn java() -> Client {
    let said = Command::new("java").arg("-version").output();
    let said = said.expect("java must be there").stderr;
    let said = String::from_utf8_lossy(&said).replace('"', " ");
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("Fetch.java");
    let source = r#"public class Fetch {
        public static void main(String[] a) throws Exception {
            new java.net.URL("https://localhost:" + a[0] + "/").openStream();
        }
    }"#;
    std::fs::write(&program, source).unwrap();
    let sent = sent_by(|port| spawn("java", &[program.to_str().unwrap(), &port.to_string()]));
    ("Java", version(&said, "version ").to_owned(), sent)
}

fn rustls() -> Client {
    let options = ClientOptions {
        versions: ravelin_tls::policy::VERSIONS.to_vec(),
        alpn: vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        certificate: None,
        sessions: 8,
    };
    let config = inspect::client(options, &recorder::witness()).unwrap();
    let name = "localhost".try_into().unwrap();
    let mut connection = rustls::ClientConnection::new(Arc::clone(&config), name).unwrap();
    let mut records = Vec::new();
    connection.write_tls(&mut records).unwrap();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    ("Ravelin", version, Sent::read(&records[..]))
}

fn check_line(client: &Client) {
    let (program, version, sent) = client;
    let hello = sent.hello();
    let own = known::clients().find(|known| known.program == *program);
    let own = own.unwrap_or_else(|| panic!("{program} is not in the table"));
    let closest = known::closest(&hello);
    assert!(
        closest
            .iter()
            .any(|likeness| likeness.known.program == *program),
        "{program} {version} is taken for {closest:?}"
    );
    // Another version may have another hello; the table is made anew by RAVELIN_BLESS=1.
    if own.version == version {
        assert_eq!(own.traits().line(), Traits::of(&hello).line(), "{program}");
        assert_eq!(closest[0].percent, 100);
    }
}

#[test]
fn programs_of_this_machine_are_known_again() {
    judge(&[curl(), openssl(), python(), gnutls(), rustls()]);
}

#[test]
fn chromium_and_java_are_known_again() {
    judge(&[chromium(), java()]);
}

fn judge(clients: &[Client]) {
    if std::env::var_os("RAVELIN_BLESS").is_some() {
        clients.iter().for_each(bless);
        return;
    }
    clients.iter().for_each(check_line);
    judge_ja3(clients);
    judge_ja4(clients);
}

/// Writes the line of a client anew. Of tests that run at the same time one may win: one thread is for this.
fn bless((program, version, sent): &Client) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/fingerprint/known.txt");
    let table = std::fs::read_to_string(path).unwrap();
    let own = format!("{program}|");
    let mut lines: Vec<_> = table
        .lines()
        .filter(|line| !line.starts_with(&own))
        .collect();
    let line = format!("{own}{version}|{}", Traits::of(&sent.hello()).line());
    lines.push(&line);
    lines.sort_unstable();
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
}

/// tshark says the same of the same octets.
fn judge_ja3(clients: &[Client]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hellos.pcap");
    std::fs::write(&file, capture(clients)).unwrap();
    let fields = ["-e", "tls.handshake.ja3_full", "-e", "tls.handshake.ja3"];
    let read = ["-r", file.to_str().unwrap(), "-T", "fields"];
    let said = output("tshark", &[&read[..], &fields[..]].concat());
    let expected: Vec<_> = clients
        .iter()
        .map(|(_, _, sent)| {
            let found = sent.fingerprint();
            format!("{}\t{}", found.ja3_text, found.ja3)
        })
        .collect();
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

/// A capture (pcap, raw IP) with a TCP segment to port 443 for each client, from a port of its own.
fn capture(clients: &[Client]) -> Vec<u8> {
    let mut file = Vec::new();
    for number in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101] {
        file.extend(number.to_le_bytes());
    }
    for (from, (_, _, sent)) in clients.iter().enumerate() {
        let mut tcp = vec![0x30, from as u8, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 1];
        tcp.extend([0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(&sent.records);
        let octets = u16::try_from(20 + tcp.len()).unwrap();
        let length = u32::from(octets);
        for number in [0, 0, length, length] {
            file.extend(number.to_le_bytes());
        }
        file.extend([0x45, 0]);
        file.extend(octets.to_be_bytes());
        file.extend([0, 1, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
        file.extend(tcp);
    }
    file
}

/// JA4 by its description, of octets in hexadecimal digits, one hello a line. It reads the hello by itself.
const JA4: &str = r#"
import hashlib, sys

def grease(code):
    return code & 0x0f0f == 0x0a0a and code >> 8 == code & 0xff

def numbers(octets):
    return [n for n in (int.from_bytes(octets[i:i + 2], "big") for i in range(0, len(octets), 2)) if not grease(n)]

def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12

for line in sys.stdin:
    hello = bytes.fromhex(line)
    at = 4
    version = int.from_bytes(hello[at:at + 2], "big")
    at += 34
    at += 1 + hello[at]
    size = int.from_bytes(hello[at:at + 2], "big")
    suites = numbers(hello[at + 2:at + 2 + size])
    at += 2 + size
    at += 1 + hello[at]
    end = at + 2 + int.from_bytes(hello[at:at + 2], "big")
    at += 2
    types, schemes, alpn = [], [], None
    while at < end:
        kind, size = int.from_bytes(hello[at:at + 2], "big"), int.from_bytes(hello[at + 2:at + 4], "big")
        body = hello[at + 4:at + 4 + size]
        at += 4 + size
        if grease(kind):
            continue
        types.append(kind)
        if kind == 43:
            version = max(numbers(body[1:]))
        if kind == 13:
            schemes = numbers(body[2:])
        if kind == 16:
            alpn = body[3:3 + body[2]].decode()
    names = {0x304: "13", 0x303: "12", 0x302: "11", 0x301: "10"}
    first = "t" + names[version] + ("d" if 0 in types else "i") + "%02d%02d" % (len(suites), len(types))
    first += alpn[0] + alpn[-1] if alpn else "00"
    kinds = ",".join(sorted("%04x" % kind for kind in types if kind not in (0, 16)))
    third = kinds + "_" + ",".join("%04x" % scheme for scheme in schemes) if schemes else kinds
    print(first + "_" + digest(",".join(sorted("%04x" % suite for suite in suites))) + "_" + digest(third))
"#;

fn judge_ja4(clients: &[Client]) {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for (_, _, sent) in clients {
        for octet in &sent.hello {
            write!(lines, "{octet:02x}").unwrap();
        }
        lines.push('\n');
    }
    let file = folder.path().join("hellos");
    std::fs::write(&file, lines).unwrap();
    let said = run_python(JA4, &file);
    let expected: Vec<_> = clients
        .iter()
        .map(|(_, _, sent)| sent.fingerprint().ja4)
        .collect();
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

fn run_python(program: &str, input: &Path) -> String {
    let output = Command::new("python3")
        .args(["-c", program])
        .stdin(std::fs::File::open(input).unwrap())
        .output()
        .expect("python3 must be there");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}
