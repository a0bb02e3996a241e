//! Servers that must not be believed, and what is told of them; and clients that servers do not believe.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use ravelin_pki::authority::leaf_template;
use ravelin_pki::{
    Authority, Leaf, NameConstraints, PrivateKey, RevocationListTemplate, RevokedCertificate,
    Template,
};

use super::get;
use crate::foreign::{python, run};
use crate::server::Place;

/// Python's TLS server, killed when dropped.
struct Python {
    child: Child,
    url: String,
}

impl Python {
    fn start(place: &Place, arguments: &[&str]) -> Self {
        let (python, script) = python("tls_server.py");
        let mut command = Command::new(python);
        place.furnish(&mut command);
        let mut child = command
            .arg(script)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = format!("https://localhost:{}/", line.trim());
        Self { child, url }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A root in `root.pem`, with an intermediate.
pub(super) struct Made {
    root: Authority,
    intermediate: Authority,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Made {
    pub(super) fn new(place: &Place, now: SystemTime) -> Self {
        let key = || PrivateKey::generate().unwrap();
        let root = Authority::root("test root", key(), &NameConstraints::local(), now).unwrap();
        let intermediate = root.intermediate("test intermediate", key(), now).unwrap();
        place.write("root.pem", root.certificate().to_pem());
        Self { root, intermediate }
    }

    pub(super) fn leaf(&self, place: &Place, name: &str, now: SystemTime) -> Leaf {
        self.leaf_of(place, &leaf_template(&[name.parse().unwrap()]), now)
    }

    /// A leaf in `chain.pem`, with its key in `key.pem`.
    pub(super) fn leaf_of(&self, place: &Place, template: &Template, now: SystemTime) -> Leaf {
        let leaf = self.intermediate.leaf_of(template, now).unwrap();
        place.write("chain.pem", leaf.chain_pem());
        place.write("key.pem", leaf.key_pem());
        leaf
    }

    /// Two CRLs: `good.crl`, and `bad.crl`, which has this leaf in it.
    pub(super) fn lists(&self, place: &Place, leaf: &Leaf) {
        let now = SystemTime::now();
        let list = |entries: Vec<RevokedCertificate>| {
            let issuer = self.intermediate.certificate();
            RevocationListTemplate::new(1, now - DAY, now + DAY)
                .sign(issuer, self.intermediate.key(), entries)
                .unwrap()
                .to_pem()
        };
        place.write("good.crl", list(Vec::new()));
        let serial = leaf.certificate().serial_number().clone();
        let revoked = RevokedCertificate::new(serial, now - DAY);
        place.write("bad.crl", list(vec![revoked]));
    }

    /// Two answers of OCSP for this leaf, of which openssl makes `good.ocsp` and `bad.ocsp`.
    pub(super) fn staples(&self, place: &Place, leaf: &Leaf) {
        place.write("issuer.pem", self.intermediate.certificate().to_pem());
        place.write("issuer.key", self.intermediate.key().to_pem().unwrap());
        let serial = leaf.certificate().serial_number().to_string();
        let serial = serial.replace(':', "").to_uppercase();
        for (state, file) in [
            ("R\t351231235959Z\t251231235959Z", "bad.ocsp"),
            ("V\t351231235959Z\t", "good.ocsp"),
        ] {
            let line = format!("{state}\t{serial}\tunknown\t/CN=localhost\n");
            place.write("index.txt", line);
            let command = format!(
                "ocsp -index index.txt -CA issuer.pem -rsigner issuer.pem -rkey issuer.key -issuer issuer.pem \
                 -cert chain.pem -ndays 1 -respout {file}"
            );
            let arguments: Vec<&str> = command.split(' ').collect();
            run(place, "openssl", &arguments).well();
        }
    }
}

const FILES: [&str; 2] = ["chain.pem", "key.pem"];
const ROOT: [&str; 2] = ["--ca", "root.pem"];

fn ask(place: &Place, server: &Python, more: &[&str]) -> crate::server::Ended {
    let all: Vec<&str> = [server.url.as_str()].iter().chain(more).copied().collect();
    get(place, &all)
}

#[test]
fn a_good_server_is_believed_by_its_root_its_pin_or_both() {
    let place = Place::new();
    let made = Made::new(&place, SystemTime::now());
    made.leaf(&place, "localhost", SystemTime::now());
    let server = Python::start(&place, &FILES);
    // What another program makes of the key is what is pinned.
    let pin = run(
        &place,
        "sh",
        &[
            "-c",
            "openssl x509 -in chain.pem -pubkey -noout | openssl pkey -pubin -outform der \
            | openssl dgst -sha256 -binary | openssl base64",
        ],
    );
    let pin = format!("sha256/{}", pin.text().trim());
    let other = format!("sha256/{}=", "A".repeat(43));
    for more in [
        &["--ca", "root.pem", "--explain"][..],
        &["--ca", "root.pem", "--pin", &pin],
        &["--ca", "root.pem", "--pin", &other, "--pin", &pin],
        &["--ca", "none", "--pin", &pin],
        &["--ca", "root.pem", "--http", "1.1"],
    ] {
        let seen = ask(&place, &server, more);
        seen.expect(0, &[]);
        assert_eq!(seen.stdout, "believed", "{more:?}");
    }
    let told = ask(&place, &server, &["--ca", "none", "--pin", &other]);
    told.expect(
        1,
        &[
            "is none of those that are pinned",
            &pin,
            "sent         1. localhost",
        ],
    );
    let explained = ask(
        &place,
        &server,
        &["--ca", "root.pem", "--pin", &pin, "--explain"],
    );
    explained.expect(
        0,
        &[
            "has a path to the one root",
            "its key is the one that is pinned",
            "ServerHello",
        ],
    );
    // A folder of roots, and OpenSSL's variables.
    std::fs::create_dir(place.path("roots")).unwrap();
    std::fs::copy(place.path("root.pem"), place.path("roots/a.crt")).unwrap();
    place.write("roots/README", "no certificate");
    ask(&place, &server, &["--ca", "roots"]).expect(0, &[]);
    for (name, value) in [("SSL_CERT_FILE", "root.pem"), ("SSL_CERT_DIR", "roots")] {
        let mut command = place.command(&["get", &server.url]);
        let ended = command.env(name, value).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{name}");
    }
}

#[test]
fn a_server_that_must_not_be_believed_is_sent_nothing_and_why_is_told() {
    let place = Place::new();
    let now = SystemTime::now();
    let made = Made::new(&place, now - 200 * DAY);
    made.leaf(&place, "localhost", now - 200 * DAY);
    let server = Python::start(&place, &FILES);
    ask(&place, &server, &ROOT).expect(
        1,
        &[
            "it expired 1",
            "RFC 5280",
            "sent         1. localhost",
            "nothing was sent",
        ],
    );
    ask(&place, &server, &["--ca", "root.pem", "--insecure"])
        .expect(0, &["--insecure", "it expired 1"]);
    drop(server);

    made.leaf(&place, "other.test", now);
    let server = Python::start(&place, &FILES);
    ask(&place, &server, &ROOT).expect(1, &["\"localhost\" is not one of its names", "other.test"]);
    ask(&place, &server, &[]).expect(1, &["is not at hand", "hint:", "searched"]);
    drop(server);

    let leaf = made.leaf(&place, "localhost", now);
    place.write("chain.pem", leaf.certificate().to_pem());
    let server = Python::start(&place, &FILES);
    ask(&place, &server, &ROOT).expect(1, &["CN=test intermediate\"", "is not at hand"]);
}

#[test]
fn weak_and_revoked_certificates_are_refused() {
    let place = Place::new();
    let now = SystemTime::now();
    let made = Made::new(&place, now);
    let leaf = made.leaf(&place, "localhost", now);
    let server = Python::start(&place, &FILES);
    made.lists(&place, &leaf);
    ask(&place, &server, &["--ca", "root.pem", "--crl", "good.crl"]).expect(0, &[]);
    ask(&place, &server, &["--ca", "root.pem", "--crl", "bad.crl"]).expect(1, &["it was revoked"]);
    drop(server);

    run(
        &place,
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:1024",
            "-nodes",
            "-keyout",
            "key.pem",
            "-out",
            "chain.pem",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-days",
            "9",
        ],
    )
    .well();
    let server = Python::start(&place, &FILES);
    ask(&place, &server, &["--ca", "chain.pem"])
        .expect(1, &["RSA 1024, is shorter than 2048 bits"]);
}

/// An openssl server with `chain.pem`, and these arguments.
fn s_server(place: &Place, arguments: &str) -> crate::inspect::Peer {
    crate::inspect::Peer::start(place, "openssl", |port| {
        let line = format!(
            "s_server -accept {port} -cert chain.pem -cert_chain chain.pem -key key.pem -www {arguments}"
        );
        line.split(' ').map(str::to_owned).collect()
    })
}

#[test]
fn a_signature_over_sha1_is_refused_by_its_name() {
    let place = Place::new();
    let made = Made::new(&place, SystemTime::now());
    made.leaf(&place, "localhost", SystemTime::now());
    place.write("issuer.pem", made.root.certificate().to_pem());
    place.write("issuer.key", made.root.key().to_pem().unwrap());
    place.write(
        "leaf.ext",
        "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n",
    );
    run(&place, "sh", &["-ec", "
        openssl req -new -key key.pem -out c.csr -subj /CN=localhost
        openssl x509 -req -sha1 -in c.csr -CA issuer.pem -CAkey issuer.key -set_serial 7 -days 9 -extfile leaf.ext \\
            -out chain.pem"])
    .well();
    let server = Python::start(&place, &FILES);
    ask(&place, &server, &ROOT).expect(
        1,
        &[
            "ECDSA with SHA-1, which can be forged",
            "sent         1. localhost",
            "nothing was sent",
        ],
    );
}

#[test]
fn a_server_of_old_versions_or_suites_alone_is_told_apart_from_one_that_is_not_believed() {
    let place = Place::new();
    let made = Made::new(&place, SystemTime::now());
    made.leaf(&place, "localhost", SystemTime::now());
    for old in [
        "-tls1 -cipher ALL:@SECLEVEL=0",
        "-tls1_1 -cipher ALL:@SECLEVEL=0",
        "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA",
    ] {
        let server = s_server(&place, old);
        let url = format!("https://{}/", server.name());
        let told = [
            "no handshake with",
            "nothing newer than TLS 1.1, or old cipher suites only",
        ];
        get(&place, &[&url, "--ca", "root.pem"]).expect(3, &told);
        // That nobody looks who it is makes it no newer.
        get(&place, &[&url, "--insecure"]).expect(3, &told);
    }
}

/// A stapled answer that says so is enough, without a CRL.
#[test]
fn a_certificate_whose_staple_says_that_it_was_revoked_is_refused() {
    let place = Place::new();
    let made = Made::new(&place, SystemTime::now());
    let leaf = made.leaf(&place, "localhost", SystemTime::now());
    made.staples(&place, &leaf);
    for (staple, code, told) in [("good.ocsp", 0, ""), ("bad.ocsp", 1, "that it was revoked")] {
        let server = s_server(&place, &format!("-status_file {staple}"));
        let url = format!("https://{}/", server.name());
        get(&place, &[&url, "--ca", "root.pem"]).expect(code, &[told]);
    }
}

#[test]
fn a_client_shows_who_it_is_and_is_told_when_the_server_does_not_like_that() {
    let place = Place::new();
    let made = Made::new(&place, SystemTime::now());
    made.leaf(&place, "localhost", SystemTime::now());
    let server = Python::start(&place, &["chain.pem", "key.pem", "root.pem"]);
    place.write("secret", "passphrase\n");
    client_certificate(&place, &made);
    ask(&place, &server, &ROOT).expect(
        3,
        &[
            "refused, after the handshake",
            "certificate_required",
            "--cert FILE",
        ],
    );
    for more in [
        &[
            "--ca",
            "root.pem",
            "--cert",
            "client.pem",
            "--key",
            "client.key",
        ][..],
        &[
            "--ca",
            "root.pem",
            "--cert",
            "client.p12",
            "--passphrase-file",
            "secret",
        ],
        &[
            "--ca",
            "root.pem",
            "--cert",
            "client.pem",
            "--key",
            "client-locked.key",
            "--passphrase-file",
            "secret",
        ],
    ] {
        let seen = ask(&place, &server, more);
        seen.expect(0, &[]);
        assert_eq!(seen.stdout, "ada", "{more:?}");
    }
    ask(
        &place,
        &server,
        &[
            "--ca",
            "root.pem",
            "--cert",
            "client.pem",
            "--key",
            "key.pem",
        ],
    )
    .expect(2, &["belongs to no certificate"]);
    let stranger = [
        "--ca",
        "root.pem",
        "--cert",
        "stranger.pem",
        "--key",
        "stranger.key",
    ];
    ask(&place, &server, &stranger).expect(
        3,
        &[
            "refused, after the handshake",
            "unknown_ca",
            "does not like the certificate",
        ],
    );
}

/// HTTP/2 has errors of its own, which say nothing of TLS.
#[test]
fn a_late_refusal_is_told_over_http2_too() {
    let place = Place::new();
    let made = Made::new(&place, SystemTime::now());
    made.leaf(&place, "localhost", SystemTime::now());
    let server = crate::inspect::Peer::start(&place, "openssl", |port| {
        let line = format!(
            "s_server -accept {port} -cert chain.pem -cert_chain chain.pem -key key.pem -alpn h2 -Verify 1"
        );
        line.split(' ').map(str::to_owned).collect()
    });
    let url = format!("https://{}/", server.name());
    get(&place, &[&url, "--ca", "root.pem"]).expect(
        3,
        &[
            "refused, after the handshake",
            "certificate_required",
            "--cert FILE",
        ],
    );
}

/// `client.pem` of the root for "ada" with `client.key`, the same under a passphrase, as PKCS#12, and a
/// certificate of nobody.
fn client_certificate(place: &Place, made: &Made) {
    place.write("issuer.pem", made.root.certificate().to_pem());
    place.write("issuer.key", made.root.key().to_pem().unwrap());
    place.write(
        "client.ext",
        "extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n",
    );
    run(place, "sh", &["-ec", "
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout client.key -out c.csr -subj /CN=ada
        openssl x509 -req -in c.csr -CA issuer.pem -CAkey issuer.key -set_serial 7 -days 9 -extfile client.ext -out c.pem
        cp c.pem client.pem
        openssl pkcs8 -topk8 -in client.key -out client-locked.key -passout file:secret
        openssl pkcs12 -export -in client.pem -inkey client.key -out client.p12 -passout file:secret
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout stranger.key -out stranger.pem \\
            -subj /CN=mallory"])
    .well();
}

/// Without a length, TLS alone says where the end is; who cuts the connection must not pass for it.
#[test]
fn an_end_without_close_notify_is_no_end() {
    let place = Place::new();
    let made = Made::new(&place, SystemTime::now());
    made.leaf(&place, "localhost", SystemTime::now());
    let server = Python::start(&place, &FILES);
    get(&place, &[&format!("{}cut", server.url), "--ca", "root.pem"])
        .expect(3, &["cut off after 8 octets"]);
}

/// The certificate has its own words here: none that a terminal would follow.
#[test]
fn certificates_are_told_without_what_would_move_a_cursor() {
    let place = Place::new();
    let now = SystemTime::now();
    let key = PrivateKey::generate().unwrap();
    let root = Authority::root("evil\u{1b}[2Jroot", key, &NameConstraints::local(), now).unwrap();
    let leaf = root.leaf(&["localhost".parse().unwrap()], now).unwrap();
    place.write("chain.pem", leaf.chain_pem());
    place.write("key.pem", leaf.key_pem());
    let server = Python::start(&place, &FILES);
    let told = ask(&place, &server, &[]);
    told.expect(1, &["evil", "sent"]);
    assert!(!told.stderr.contains('\u{1b}'), "{:?}", told.stderr);
}
