//! `ravelin tunnel`, with OpenSSL, stunnel, `HAProxy`, nginx, `PostgreSQL` and others at its ends.

mod acme;
mod peers;
mod starttls;
mod trouble;

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use ravelin_client::{ClientOptions, Identity, Trust};
use ravelin_pki::pem;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::foreign::{run, run_with_input};
use crate::inspect::{Peer, certify};
use crate::server::{PATIENCE, Place, Server};

/// Tunnels that run.
pub(crate) struct Tunnels(pub(crate) Server);

impl Tunnels {
    /// Those of a file.
    pub(crate) fn of_file(place: &Place, text: &str) -> Self {
        place.write("tunnels.toml", text);
        Self::start(place, &["--config", "tunnels.toml"])
    }

    pub(crate) fn start(place: &Place, arguments: &[&str]) -> Self {
        let all = [&["tunnel"], arguments].concat();
        Self(Server::start(place, &mut place.command(&all)))
    }

    /// The port of IPv4 of the tunnel with this number.
    pub(crate) fn port(&self, number: usize) -> u16 {
        let said = self.0.said();
        let mut ports = said
            .lines()
            .filter_map(|line| line.strip_prefix("  127.0.0.1:"))
            .map(|rest| rest.split(',').next().unwrap().trim().parse().unwrap());
        ports.nth(number).unwrap_or_else(|| panic!("{said}"))
    }

    pub(crate) fn tcp(&self, number: usize) -> TcpStream {
        connect(self.port(number))
    }

    /// A connection of TLS to the tunnel with this number, which asks for `name`.
    pub(crate) fn tls(&self, number: usize, name: &'static str) -> Tls {
        tls(self.tcp(number), name, None).unwrap()
    }
}

pub(crate) type Tls = StreamOwned<ClientConnection, TcpStream>;

pub(crate) fn connect(port: u16) -> TcpStream {
    let tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp.set_write_timeout(Some(PATIENCE)).unwrap();
    tcp
}

/// Shakes hands, whoever is there.
pub(crate) fn tls(
    tcp: TcpStream,
    name: &'static str,
    identity: Option<Identity>,
) -> io::Result<Tls> {
    let options = ClientOptions {
        identity,
        ..ClientOptions::default()
    };
    let config = ravelin_tls::client::config(&Trust::everyone(), options).unwrap();
    let name = ServerName::try_from(name).unwrap();
    let mut tls = StreamOwned::new(ClientConnection::new(config, name).unwrap(), tcp);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    Ok(tls)
}

/// A service of this process: `serve` is called for each connection, on a thread of its own.
pub(crate) fn service(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// One that says `greeting` and then sends back what comes.
pub(crate) fn echo(greeting: &'static str) -> u16 {
    service(move |mut stream| {
        let _ = stream.write_all(greeting.as_bytes());
        let mut back = stream.try_clone().unwrap();
        if io::copy(&mut stream, &mut back).is_ok() {
            let _ = back.shutdown(Shutdown::Write);
        }
    })
}

/// What comes up to the end, which has to be said.
pub(crate) fn rest(mut stream: impl Read) -> io::Result<String> {
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// So many octets.
pub(crate) fn exactly(mut stream: impl Read, octets: usize) -> String {
    let mut read = vec![0; octets];
    stream.read_exact(&mut read).unwrap();
    String::from_utf8(read).unwrap()
}

/// More than fits into any buffer on the way.
pub(crate) fn many() -> Vec<u8> {
    (0..5_000_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

/// Makes `NAME.pem` with `NAME.key` from the root of `certify`, for a client with this subject and these names.
fn client(place: &Place, name: &str, subject: &str, names: &str) -> Identity {
    let make = |arguments: &[&str]| run(place, "openssl", arguments).well();
    let (key, request, chain) = (
        format!("{name}.key"),
        format!("{name}.csr"),
        format!("{name}.pem"),
    );
    let curve = "ec_paramgen_curve:P-256";
    make(&[
        "req", "-newkey", "ec", "-pkeyopt", curve, "-nodes", "-keyout", &key, "-out", &request,
        "-subj", subject,
    ]);
    let extensions = format!(
        "subjectAltName={names}\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\n"
    );
    place.write(&format!("{name}.ext"), extensions);
    make(&[
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        "root.pem",
        "-CAkey",
        "root.key",
        "-CAcreateserial",
        "-days",
        "30",
        "-extfile",
        &format!("{name}.ext"),
        "-out",
        &chain,
    ]);
    let read = |file: &str| std::fs::read(place.path(file)).unwrap();
    Identity {
        chain: pem::certificates(&read(&chain)).unwrap(),
        key: pem::private_key(&read(&key)).unwrap(),
    }
}

#[test]
fn octets_come_through_as_they_are_both_ways_and_each_side_may_end_first() {
    let place = Place::new();
    let to = echo("").to_string();
    let tunnels = Tunnels::start(&place, &["0", &to, "--log"]);
    let mut tls = tunnels.tls(0, "localhost");
    let sent = many();
    let mut half = tls.sock.try_clone().unwrap();
    // What is sent and not read yet fills all that is on the way: the tunnel has to hold back, not to take it all.
    for piece in sent.chunks(100_000) {
        tls.write_all(piece).unwrap();
        let mut back = vec![0; piece.len()];
        tls.read_exact(&mut back).unwrap();
        assert!(back == piece);
    }
    tls.conn.send_close_notify();
    tls.flush().unwrap();
    // The service has heard our end, and says its own, in TLS.
    assert_eq!(rest(&mut tls).unwrap(), "");
    half.flush().unwrap();
    let line = tunnels.0.wait_printed(1);
    for part in [
        " tunnel 127.0.0.1:",
        " TLSv1.3 TLS13_AES_128_GCM_SHA256 for localhost -> 127.0.0.1:",
        " received 5000000 sent 5000000 in ",
        ": done",
    ] {
        assert!(line.contains(part), "{line}");
    }
    tunnels.0.stop();
}

#[test]
fn curl_and_openssl_are_clients_like_others() {
    let place = Place::new();
    let to = service(|mut stream| {
        let mut head = [0; 4096];
        let _ = stream.read(&mut head);
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nhi\n");
    });
    let tunnels = Tunnels::start(&place, &["0", &to.to_string()]);
    let url = format!("https://localhost:{}/", tunnels.port(0));
    let root = place.root();
    let root = root.to_str().unwrap();
    let curl = run(&place, "curl", &["-sS", "-4", "--cacert", root, &url]).well();
    assert_eq!(curl.text(), "hi\n");
    for version in ["-tls1_2", "-tls1_3"] {
        let name = format!("localhost:{}", tunnels.port(0));
        let arguments = [
            "s_client",
            "-connect",
            &name,
            "-CAfile",
            root,
            "-verify_return_error",
            "-quiet",
            "-4",
            version,
        ];
        let input = std::fs::File::open(place.write("input", "GET / HTTP/1.0\r\n\r\n")).unwrap();
        let seen = run_with_input(&place, "openssl", &arguments, input.into());
        assert!(seen.text().contains("hi"), "{version}: {}", seen.stderr);
    }
}

#[test]
fn tls_begins_here_for_clients_that_have_none_and_ends_in_clear_for_nobody() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-rev", "-quiet"]);
    let (name, root) = (peer.name(), "root.pem");
    let tunnels = Tunnels::start(&place, &["0", &name, "--tls", "originate", "--to-ca", root]);
    let mut tcp = tunnels.tcp(0);
    tcp.write_all(b"ravelin\n").unwrap();
    assert_eq!(exactly(&mut tcp, 8), "nilevar\n");
    // It serves one after the other.
    drop(tcp);
    // With TLS on both sides, too.
    let both = Tunnels::start(&place, &["0", &name, "--tls", "both", "--to-ca", root]);
    let mut tls = both.tls(0, "localhost");
    tls.write_all(b"stressed\n").unwrap();
    assert_eq!(exactly(&mut tls, 9), "desserts\n");
    drop(tls);
    // Who is not believed gets nothing: the system's roots do not know it.
    let none = Tunnels::start(
        &place,
        &["0", &name, "--tls", "originate", "--to-ca", "system"],
    );
    assert_cut(rest(none.tcp(0)));
    none.0.wait_said(0, &format!("{name}: no TLS: "));
    // Nor who has another key than the pinned one, or another name.
    let pin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let pinned = [
        "0",
        &name,
        "--tls",
        "originate",
        "--to-ca",
        root,
        "--to-pin",
        pin,
    ];
    let none = Tunnels::start(&place, &pinned);
    assert_cut(rest(none.tcp(0)));
    let named = [
        "0",
        &name,
        "--tls",
        "originate",
        "--to-ca",
        root,
        "--to-name",
        "example.org",
    ];
    let none = Tunnels::start(&place, &named);
    assert_cut(rest(none.tcp(0)));
}

/// A connection that came to nothing: it has ended, or was reset, before anything was said.
#[allow(
    clippy::needless_pass_by_value,
    reason = "what it is given is made for it"
)]
pub(crate) fn assert_cut(read: io::Result<String>) {
    assert!(read.as_ref().map_or(true, String::is_empty), "{read:?}");
}

/// A client whose certificate is good and may not pass, which an alert has told.
#[allow(
    clippy::needless_pass_by_value,
    reason = "what it is given is made for it"
)]
fn assert_told(read: io::Result<String>) {
    let error = read.unwrap_err().to_string();
    assert!(error.contains("alert: CertificateUnknown"), "{error}");
}

#[test]
fn clients_are_let_in_by_what_is_in_their_certificates() {
    let place = Place::new();
    certify(&place);
    let spiffe = "URI:spiffe://example.org/web/1,DNS:web.internal";
    let ada = client(&place, "ada", "/OU=backup/CN=Ada", spiffe);
    let eve = client(
        &place,
        "eve",
        "/OU=sales/CN=Eve",
        "URI:spiffe://example.org/db,DNS:eve.internal",
    );
    let pin = run(
        &place,
        "sh",
        &[
            "-c",
            "openssl x509 -in ada.pem -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64",
        ],
    );
    let pin = format!("pin=sha256/{}", pin.well().text().trim());
    let to = echo("in\n").to_string();
    let rules = [
        "cn=Ada",
        "ou=backup",
        "dns=web.internal",
        "uri=spiffe://example.org/web/*",
        &pin,
        "cn=Ada,ou=backup",
    ];
    let mut config = String::new();
    for (number, rule) in rules.iter().enumerate() {
        let keys = rule.split(',').map(|part| {
            let (key, value) = part.split_once('=').unwrap();
            format!("{key} = \"{value}\"")
        });
        let keys: Vec<_> = keys.collect();
        let keys = keys.join(", ");
        writeln!(
            config,
            "[[tunnel]]\nname = \"{number}\"\nlisten = \"127.0.0.1:0\"\nto = \"{to}\"\ntls = \"terminate\"\n\
             client_ca = \"root.pem\"\nallow = [{{ {keys} }}]"
        )
        .unwrap();
    }
    let tunnels = Tunnels::of_file(&place, &config);
    for (number, rule) in rules.iter().enumerate() {
        let mut let_in = tls(tunnels.tcp(number), "localhost", Some(ada.clone())).unwrap();
        assert_eq!(exactly(&mut let_in, 3), "in\n", "{rule}");
        assert_told(tls(tunnels.tcp(number), "localhost", Some(eve.clone())).and_then(rest));
    }
    tunnels
        .0
        .wait_said(0, "the client is not allowed: no rule fits its certificate");
    // The same from the command line.
    let arguments = [
        "0",
        &to,
        "--client-ca",
        "root.pem",
        "--allow",
        "cn=Ada,ou=sales",
    ];
    let tunnels = Tunnels::start(&place, &arguments);
    assert_told(tls(tunnels.tcp(0), "localhost", Some(ada.clone())).and_then(rest));
    let config = format!(
        "[log]\nformat = \"json\"\n\
         [[tunnel]]\nname = \"a\"\nlisten = \"127.0.0.1:0\"\nto = \"{to}\"\ntls = \"terminate\"\n\
         client_ca = \"root.pem\"\nallow = [{{ cn = \"Eve\", ou = \"backup\" }}, {{ ou = \"sales\" }}]\n"
    );
    let tunnels = Tunnels::of_file(&place, &config);
    let none = tls(tunnels.tcp(0), "localhost", None).and_then(rest);
    assert_cut(none);
    assert_told(tls(tunnels.tcp(0), "localhost", Some(ada)).and_then(rest));
    let mut eve = tls(tunnels.tcp(0), "localhost", Some(eve)).unwrap();
    assert_eq!(exactly(&mut eve, 3), "in\n");
    drop(eve);
    let lines = tunnels.0.wait_printed(3);
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let endings: Vec<_> = lines
        .iter()
        .map(|line| line["ending"].as_str().unwrap())
        .collect();
    assert_eq!(endings, ["handshake", "not-allowed", "client-cut-off"]);
    assert_eq!(lines[1]["identity"], "OU=backup, CN=Ada");
    assert_eq!(lines[2]["identity"], "OU=sales, CN=Eve");
    assert_eq!(lines[2]["sent"], 3);
}

#[test]
fn a_client_gets_to_the_service_of_the_name_that_it_asks_for() {
    let place = Place::new();
    let (one, two, rest_of) = (echo("one\n"), echo("two\n"), echo("rest\n"));
    let config = format!(
        "[[tunnel]]\nlisten = \"127.0.0.1:0\"\nto = \"{rest_of}\"\ntls = \"terminate\"\n\
         hosts = [\"*.one.internal\", \"two.internal\"]\n\
         [[tunnel.route]]\nnames = \"*.one.internal\"\nto = \"{one}\"\n\
         [[tunnel.route]]\nnames = [\"two.internal\"]\nto = \"{two}\"\n\
         [[tunnel]]\nlisten = \"127.0.0.1:0\"\ntls = \"terminate\"\n\
         [[tunnel.route]]\nnames = \"two.internal\"\nto = \"{two}\"\n"
    );
    let tunnels = Tunnels::of_file(&place, &config);
    assert_eq!(exactly(tunnels.tls(0, "a.one.internal"), 4), "one\n");
    assert_eq!(exactly(tunnels.tls(0, "two.internal"), 4), "two\n");
    assert_eq!(exactly(tunnels.tls(0, "a.b.one.internal"), 5), "rest\n");
    assert_eq!(exactly(tunnels.tls(1, "two.internal"), 4), "two\n");
    assert_cut(tls(tunnels.tcp(1), "other.internal", None).and_then(rest));
}

#[test]
fn tls_that_passes_is_looked_at_for_its_name_alone() {
    let place = Place::new();
    let peer = Peer::s_server(&place, &["-rev", "-quiet"]);
    let port = peer.name().rsplit_once(':').unwrap().1.to_owned();
    let nobody = service(drop);
    let config = format!(
        "[[tunnel]]\nlisten = \"127.0.0.1:0\"\nto = \"{nobody}\"\ntls = \"pass\"\n\
         [[tunnel.route]]\nnames = \"localhost\"\nto = \"{port}\"\n"
    );
    let tunnels = Tunnels::of_file(&place, &config);
    let name = format!("localhost:{}", tunnels.port(0));
    let arguments = ["connect", &name, "--ca", "root.pem", "--stay", "--quiet"];
    let mut command = place.command(&arguments);
    command.stdin(std::fs::File::open(place.write("input", "ravelin\n")).unwrap());
    command.stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    // The certificate is the server's own: nothing was opened on the way.
    let said = exactly(child.stdout.take().unwrap(), 8);
    assert_eq!(said, "nilevar\n");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn unix_sockets_are_places_like_others() {
    use std::os::unix::net::{UnixListener, UnixStream};
    let place = Place::new();
    let listener = UnixListener::bind(place.path("service.sock")).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut back = stream.try_clone().unwrap();
            let _ = io::copy(&mut stream, &mut back);
            let _ = back.shutdown(Shutdown::Write);
        }
    });
    let there = Tunnels::start(&place, &["0", "unix:service.sock"]);
    let name = format!("localhost:{}", there.port(0));
    let arguments = [
        "unix:here.sock",
        &name,
        "--tls",
        "originate",
        "--to-ca",
        "local",
    ];
    let here = Tunnels::start(&place, &arguments);
    let mut stream = UnixStream::connect(place.path("here.sock")).unwrap();
    stream.write_all(b"through both").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(stream).unwrap(), "through both");
    // A second one cannot have the same, and the first leaves nothing behind.
    let second = place.run(&["tunnel", "unix:here.sock", &name, "--tls", "originate"]);
    second.expect(
        4,
        &["cannot listen on the Unix socket \"here.sock\"", "hint: "],
    );
    here.0.stop();
    assert!(!place.path("here.sock").exists());
}
