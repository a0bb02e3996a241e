//! HTTP/3: Caddy, and aioquic, which answers well and badly as it is told.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, UdpSocket};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use ravelin_pki::authority::leaf_template;

use super::get;
use super::refused::Made;
use crate::foreign::python;
use crate::inspect::{Peer, certify};
use crate::server::{Ended, Place, free_port};

/// What [`Made`] writes of its leaves.
const CHAIN: [&str; 2] = ["chain.pem", "key.pem"];

const OVER_QUIC: [&str; 4] = ["--ca", "root.pem", "--http", "3"];

fn ask(place: &Place, url: &str, more: &[&str]) -> Ended {
    get(place, &[&[url], &OVER_QUIC[..], more].concat())
}

/// Caddy, with a second site beside the first that wants a certificate of the client.
fn caddy(place: &Place) -> (Peer, String) {
    certify(place);
    place.write("page", "a page\n");
    let second = free_port();
    let peer = Peer::start(place, "sh", |port| {
        // Caddy 2.6 compares the host with SNI, which it forgets over QUIC.
        let config = format!(
            "{{\n admin off\n auto_https disable_redirects\n storage file_system caddy\n\
             servers {{\n strict_sni_host insecure_off\n }}\n}}\n\
             https://localhost:{port} {{\n bind 127.0.0.1\n tls c.pem k.pem\n root * .\n redir /go /page\n\
             respond /port {{http.request.remote.port}}\n respond /echo {{http.request.body}}\n file_server\n}}\n\
             https://localhost:{second} {{\n bind 127.0.0.1\n tls c.pem k.pem {{\n client_auth {{\n\
             mode require_and_verify\n trusted_ca_cert_file root.pem\n }}\n }}\n\
             respond welcome\n}}\n"
        );
        place.write("Caddyfile", config);
        let run = "exec caddy run --config Caddyfile --adapter caddyfile";
        ["-c", run].map(str::to_owned).to_vec()
    });
    (peer, format!("https://localhost:{second}/"))
}

#[test]
fn caddy_answers_over_http3_and_takes_what_is_sent() {
    let place = Place::new();
    let (peer, _) = caddy(&place);
    let url = |path: &str| format!("https://{}{path}", peer.name());
    let seen = ask(&place, &url("/go"), &["--head", "--verbose"]);
    seen.expect(0, &["< HTTP/3 302", "TLS 1.3, TLS13_", "X25519"]);
    let head_and_page =
        seen.stdout.starts_with("HTTP/3 200") && seen.stdout.ends_with("\n\na page\n");
    assert!(head_and_page, "{seen:?}");
    let part = ask(&place, &url("/page"), &["Range:bytes=2-5"]);
    assert_eq!(part.stdout, "page");
    // More than the windows of either end.
    let large = "0123456789abcdef".repeat(600_000);
    place.write("large", &large);
    let echo = url("/echo");
    let echoed = place.run(&[&["post", &echo, "--body", "large"], &OVER_QUIC[..]].concat());
    echoed.expect(0, &[]);
    assert!(echoed.stdout == large, "{}", echoed.stdout.len());
}

#[test]
fn many_requests_over_http3_share_a_connection() {
    let place = Place::new();
    let (peer, _) = caddy(&place);
    let url = format!("https://{}/port", peer.name());
    place.write("urls", format!("{url}\n").repeat(200));
    let seen = get(
        &place,
        &[&["--urls", "urls", "--parallel", "50"], &OVER_QUIC[..]].concat(),
    );
    seen.expect(0, &[]);
    let port = &seen.stdout[..seen.stdout.len() / 200];
    assert!(port.parse::<u16>().is_ok(), "{port}");
    assert_eq!(seen.stdout, port.repeat(200));
}

#[test]
fn caddy_lets_in_over_http3_who_shows_a_certificate_and_refuses_others_late() {
    let place = Place::new();
    let (_peer, url) = caddy(&place);
    let seen = ask(&place, &url, &["--cert", "c.pem", "--key", "k.pem"]);
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "welcome");
    ask(&place, &url, &[]).expect(3, &["after the handshake", "--cert FILE --key FILE"]);
}

/// aioquic, as `tests/peers/http3_server.py` has it, killed when dropped.
struct Aioquic {
    child: Child,
    told: BufReader<ChildStdout>,
    port: String,
}

impl Aioquic {
    fn start(place: &Place, options: &[&str]) -> Self {
        certify(place);
        Self::start_with(place, ["c.pem", "k.pem"], options)
    }

    /// The same with this certificate and key.
    fn start_with(place: &Place, files: [&str; 2], options: &[&str]) -> Self {
        let (python, script) = python("http3_server.py");
        let mut command = Command::new(python);
        place.furnish(&mut command);
        command.arg(script).args(files).args(options);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap());
        let mut port = String::new();
        told.read_line(&mut port).unwrap();
        let port = port.trim().to_owned();
        Self { child, told, port }
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}/{path}", self.port)
    }

    /// All that it told, once the last connection has ended.
    fn told(mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut open = 0;
        loop {
            let mut line = String::new();
            self.told.read_line(&mut line).unwrap();
            open += i32::from(line.starts_with("connection"));
            open -= i32::from(line.starts_with("ended"));
            lines.push(line.trim().to_owned());
            if open == 0 {
                return lines;
            }
        }
    }

    /// How many requests came. It tells of each before it answers.
    fn requests(mut self) -> usize {
        self.child.kill().unwrap();
        let mut told = String::new();
        self.told.read_to_string(&mut told).unwrap();
        told.lines().filter(|line| line.starts_with("GET")).count()
    }
}

impl Drop for Aioquic {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.told.read_to_end(&mut Vec::new());
    }
}

#[test]
fn answers_over_http3_come_whole_in_every_shape() {
    let place = Place::new();
    // It asks first whether the client is where it says (RFC 9000, section 8.1.2).
    let server = Aioquic::start(&place, &["retry"]);
    for (path, body) in [
        ("trailers", "in pieces\n"),
        ("gzip", "unpacked\n"),
        ("large", &"0123456789abcde\n".repeat(128_000)),
    ] {
        let seen = ask(&place, &server.url(path), &[]);
        seen.expect(0, &[]);
        assert!(seen.stdout == body, "{path}: {}", seen.stdout.len());
    }
    place.write("body", "x".repeat(3_000_000));
    for (path, answer) in [("count", "3000000 octets\n"), ("early", "enough\n")] {
        let url = server.url(path);
        let seen = place.run(&[&["post", &url, "--body", "body"], &OVER_QUIC[..]].concat());
        seen.expect(0, &[]);
        assert_eq!(seen.stdout, answer);
    }
}

/// A body that ends too soon is no short body; and what never ends is left.
#[test]
fn what_a_server_breaks_over_http3_is_told() {
    let place = Place::new();
    let server = Aioquic::start(&place, &[]);
    let asking: Vec<_> = [
        ("never", "nothing came from or went to"),
        ("half", "nothing came from or went to"),
        ("short", "cut off after 4 octets"),
        ("long", "cut off after 0 octets"),
        ("within", "the stream ended within a frame"),
        ("reset", "gave the request up: H3_INTERNAL_ERROR"),
        ("closed", "closed the connection: H3_INTERNAL_ERROR"),
        ("nothing", "gave no answer that can be read"),
        ("headless", "H3_FRAME_UNEXPECTED"),
        ("nonsense", "QPACK_DECOMPRESSION_FAILED"),
        ("statusless", "H3_MESSAGE_ERROR"),
        ("huge", "longer than 262144 octets"),
        ("fields", "more than 256 fields"),
        ("heads", "longer than 262144 octets"),
        ("alert", "the alert certificate_required"),
    ]
    .into_iter()
    .map(|(path, told)| {
        let (place, url) = (place.clone(), server.url(path));
        thread::spawn(move || ask(&place, &url, &["--stall-timeout", "1s"]).expect(3, &[told]))
    })
    .collect();
    for asked in asking {
        asked.join().unwrap();
    }
}

#[test]
fn what_a_server_left_over_http3_is_sent_again_and_it_is_told_goodbye() {
    let place = Place::new();
    let server = Aioquic::start(&place, &[]);
    let (good, rejected) = (server.url("good"), server.url("reject"));
    let one_by_one = ["--parallel", "1"];
    let seen = ask(
        &place,
        &good,
        &[&[rejected.as_str()], &one_by_one[..]].concat(),
    );
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "good\ngood\n");
    let last = server.url("goaway");
    let seen = ask(&place, &last, &[&[last.as_str()], &one_by_one[..]].concat());
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "last\nlast\n");
    let bye = server.url("bye");
    let seen = ask(&place, &bye, &[&[bye.as_str()], &one_by_one[..]].concat());
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "bye\nbye\n");
    let told = server.told();
    let expected = [
        "connection h3",
        "GET /good 0",
        "GET /reject 4",
        "GET /reject 8",
    ];
    assert_eq!(told[..4], expected);
    let goodbyes = told.iter().filter(|line| line.starts_with("ended 0x100"));
    assert_eq!(goodbyes.count(), 5, "{told:?}");
}

#[test]
fn who_does_not_answer_over_quic_is_told_apart() {
    let place = Place::new();
    let asking: Vec<_> = [
        ("quiet", "nothing came in 1 seconds"),
        ("no-h3", "does not speak HTTP/3"),
        ("version", "does not speak version 1 of QUIC"),
    ]
    .into_iter()
    .map(|(option, told)| {
        thread::spawn(move || {
            let place = Place::new();
            let server = Aioquic::start(&place, &[option]);
            let seen = ask(&place, &server.url(""), &["--connect-timeout", "1s"]);
            seen.expect(3, &[told]);
        })
    })
    .collect();
    certify(&place);
    let port = {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap().port()
    };
    let closed = format!("https://localhost:{port}/");
    ask(&place, &closed, &[]).expect(3, &["does not answer over QUIC", "refused", "--http 2"]);
    for asked in asking {
        asked.join().unwrap();
    }
}

#[test]
fn servers_over_http3_are_believed_by_the_same_rule() {
    let place = Place::new();
    let server = Aioquic::start(&place, &[]);
    let url = server.url("");
    let other = format!("sha256/{}=", "A".repeat(43));
    ask(&place, &url, &["--pin", &other]).expect(
        1,
        &["none of those that are pinned", "sent         1. localhost"],
    );
    let explained = ask(&place, &url, &["--explain"]);
    explained.expect(
        0,
        &[
            "has a path to the one root",
            "TLS within QUIC",
            "\"quic key\"",
            "✓ The signature of the server over the handshake",
            "✓ The Finished message of the client is what it has to be",
        ],
    );
    let by_address = format!("https://127.0.0.1:{}/", server.port);
    ask(&place, &by_address, &[]).expect(1, &["\"127.0.0.1\" is not one of its names"]);
    let insecure = get(&place, &[&by_address, "--http", "3", "--insecure"]);
    insecure.expect(0, &["nobody knows who that server is"]);
    let resolved = format!("example.test:{}:127.0.0.1", server.port);
    let named = format!("https://example.test:{}/", server.port);
    ask(&place, &named, &["--resolve", &resolved])
        .expect(1, &["\"example.test\" is not one of its names"]);
}

#[test]
fn a_certificate_that_a_crl_has_revoked_is_refused_over_http3() {
    let place = Place::new();
    let now = SystemTime::now();
    let made = Made::new(&place, now);
    let leaf = made.leaf(&place, "localhost", now);
    made.lists(&place, &leaf);
    let server = Aioquic::start_with(&place, CHAIN, &[]);
    let url = server.url("");
    ask(&place, &url, &["--crl", "good.crl"]).expect(0, &[]);
    ask(&place, &url, &["--crl", "bad.crl"]).expect(1, &["it was revoked", "nothing was sent"]);
    assert_eq!(server.requests(), 1);
}

/// The certificate promises a staple, so that none is taken for a good one.
#[test]
fn what_is_stapled_over_http3_is_heeded() {
    let place = Place::new();
    let now = SystemTime::now();
    let made = Made::new(&place, now);
    let mut template = leaf_template(&["localhost".parse().unwrap()]);
    template.must_staple = true;
    let leaf = made.leaf_of(&place, &template, now);
    made.staples(&place, &leaf);
    let asking: Vec<_> = [
        (&["staple=good.ocsp"][..], 0, ""),
        (&["staple=bad.ocsp"], 1, "that it was revoked"),
        (
            &[],
            1,
            "always comes with a stapled answer of its CA, and there is none",
        ),
    ]
    .into_iter()
    .map(|(options, code, told)| {
        let place = place.clone();
        thread::spawn(move || {
            let server = Aioquic::start_with(&place, CHAIN, options);
            ask(&place, &server.url(""), &[]).expect(code, &[told]);
        })
    })
    .collect();
    for asked in asking {
        asked.join().unwrap();
    }
}

/// Both addresses are of this machine, and the server has the second alone.
#[test]
fn of_a_host_with_two_addresses_the_second_is_asked_over_quic_where_the_first_does_not_answer() {
    let place = Place::new();
    let server = Aioquic::start(&place, &[]);
    let url = server.url("");
    let address = |address: &str| format!("localhost:{}:{address}", server.port);
    let (first, second) = (address("127.0.0.2"), address("127.0.0.1"));
    let both = ["--resolve", &first, "--resolve", &second];
    // Nobody is there, of which the kernel tells at once.
    let seen = ask(&place, &url, &both);
    seen.expect(0, &[]);
    assert_eq!(seen.stdout, "good\n");
    // Somebody is there who says nothing, and is tried all the same.
    let silent = UdpSocket::bind(format!("127.0.0.2:{}", server.port)).unwrap();
    let seen = ask(&place, &url, &[&both[..], &["--verbose"]].concat());
    seen.expect(0, &["127.0.0.1"]);
    assert_eq!(seen.stdout, "good\n");
    silent
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let (octets, _) = silent.recv_from(&mut [0; 2048]).unwrap();
    assert!(
        octets >= 1200,
        "no first datagram of QUIC has {octets} octets"
    );
    // curl takes the last that it is told of a host, with all that is in it.
    let command = ask(&place, &url, &[&both[..], &["--curl"]].concat());
    let resolved = format!("--resolve {first},127.0.0.1");
    assert!(command.stdout.contains(&resolved), "{command:?}");
}

/// What is said of the command line is said of what the environment says, with the way out, and nobody is asked.
#[test]
fn a_proxy_of_the_environment_is_gone_around_over_quic_only_where_that_is_said() {
    let place = Place::new();
    let server = Aioquic::start(&place, &[]);
    let url = server.url("");
    let asked = |variables: &[(&str, &str)], more: &[&str], code, told: &[&str]| {
        let mut command = place.command(&[&["get", &url], &OVER_QUIC[..], more].concat());
        command.envs(variables.iter().copied());
        let output = command.output().unwrap();
        let seen = Ended {
            status: output.status,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        seen.expect(code, told);
    };
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let http = format!("http://{}", proxy.local_addr().unwrap());
    let socks = http.replace("http:", "socks5h:");
    for (variable, value) in [
        ("https_proxy", &http),
        ("HTTPS_PROXY", &http),
        ("all_proxy", &socks),
    ] {
        let refused = format!("HTTP/3 cannot go through the proxy \"{value}\"");
        let told = [refused.as_str(), "--http 2", "--proxy none"];
        asked(&[(variable, value)], &[], 2, &told);
        asked(&[(variable, value)], &["--proxy", "none"], 0, &[]);
        asked(&[(variable, value), ("no_proxy", "localhost")], &[], 0, &[]);
    }
    // That is for what has no TLS.
    asked(&[("http_proxy", &http)], &[], 0, &[]);
    proxy.set_nonblocking(true).unwrap();
    assert!(proxy.accept().is_err(), "the proxy was asked");
    assert_eq!(server.requests(), 7);
}

#[test]
fn http3_goes_no_other_way() {
    let place = Place::new();
    certify(&place);
    let url = "https://localhost:1/";
    ask(&place, "http://localhost:1/", &[]).expect(2, &["without TLS", "--http 2"]);
    ask(&place, url, &["--proxy", "http://localhost:2"]).expect(2, &["through the proxy"]);
    ask(&place, url, &["--unix-socket", "socket"]).expect(2, &["over the Unix socket"]);
}
