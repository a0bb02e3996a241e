//! OCSP responses that `ravelin serve` staples to its certificates, under the eyes of others.

use std::time::UNIX_EPOCH;

use crate::certificates::{ROOT, make};
use crate::foreign::{Ran, run};
use crate::judges::openssl::s_client;
use crate::life::renewal::{START, serve_at};
use crate::server::{Place, Server};

/// A place with a CA whose certificates say where their status can be asked.
fn with_address() -> Place {
    let place = Place::new();
    let init = ["ca", "init", "--address", "http://pki.test"];
    place.run(&init).expect(0, &["made "]);
    place
}

/// What openssl says of the staple.
fn status(server: &Server) -> String {
    s_client(server, &["-status"]).well().text()
}

/// The same, for the certificate of a CA of others.
fn foreign_status(server: &Server) -> String {
    let arguments = [
        "-status",
        "-CAfile",
        "ca.pem",
        "-servername",
        "own.localhost",
    ];
    s_client(server, &arguments).well().text()
}

/// curl, which takes no certificate that it is not told to be good.
fn curl(server: &Server, root: &str, host: &str) -> Ran {
    let url = format!("https://{host}:{}/", server.port());
    let at = format!("{host}:{}:127.0.0.1", server.port());
    let arguments = ["-sS", "--cert-status", "--cacert", root, "--resolve", &at];
    run(&server.place, "curl", &[&arguments[..], &[&url]].concat())
}

const INVALID_STATUS: i32 = 91;

/// gnutls-cli, which heeds that a certificate must be stapled.
fn gnutls(server: &Server, root: &str, host: &str) -> Ran {
    let port = server.port().to_string();
    let arguments = [
        "--x509cafile",
        root,
        "-p",
        &port,
        "--sni-hostname",
        host,
        "--verify-hostname",
        host,
        "127.0.0.1",
    ];
    run(&server.place, "gnutls-cli", &arguments)
}

#[test]
fn what_the_local_ca_says_is_stapled_and_a_reload_tells_of_a_revocation() {
    let server = with_address().serve(&[]);
    let place = server.place.clone();
    server.wait_said(0, "stapled      OCSP responses of the local CA");
    for version in ["-tls1_3", "-tls1_2"] {
        let told = s_client(&server, &["-status", version]).text();
        assert!(
            told.contains("OCSP Response Status: successful"),
            "{version}: {told}"
        );
        assert!(told.contains("Cert Status: good"), "{version}: {told}");
    }
    curl(&server, ROOT, "localhost").well();
    let unasked = s_client(&server, &["-tls1_3"]).text();
    assert!(!unasked.contains("OCSP"), "{unasked}");
    let target = format!("localhost:{}", server.port());
    let shown = place.run(&["cert", "show", "--json", &target]);
    shown.expect(0, &[]);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let stapled = &shown["sources"][0]["connection"]["stapled_ocsp"];
    assert_eq!(stapled["answers"][0]["answer"], "good", "{shown}");

    let revoke = ["ca", "revoke", "localhost", "--reason", "superseded"];
    place.run(&revoke).expect(0, &["revoked "]);
    let said = server.reload();
    assert!(said.contains("localhost was revoked"), "{said}");
    let told = status(&server);
    assert!(told.contains("Cert Status: revoked"), "{told}");
    assert_eq!(curl(&server, ROOT, "localhost").code, INVALID_STATUS);
    server.stop();
}

#[test]
fn nothing_is_stapled_where_a_certificate_does_not_ask_for_it() {
    let server = Place::new().serve(&[]);
    let told = status(&server);
    assert!(told.contains("OCSP response: no response sent"), "{told}");
    assert!(!server.said().contains("stapled"), "{}", server.said());
    assert_eq!(curl(&server, ROOT, "localhost").code, INVALID_STATUS);
}

#[test]
fn a_certificate_that_must_be_stapled_is_taken_with_its_staple_and_refused_without() {
    let place = Place::new();
    place.write(
        "home/ca/policy.toml",
        "[template.server]\nmust_staple = true\n",
    );
    make(&place, &["own.localhost"]);
    let files = ["--cert", "own.localhost.pem", "--key", "own.localhost.key"];
    let server = place.serve(&files);
    gnutls(&server, ROOT, "own.localhost").well();
    server.stop();
    // Elsewhere there is no CA that knows it.
    let server = place.serve(&[&files[..], &["--home", "elsewhere"]].concat());
    let refused = gnutls(&server, ROOT, "own.localhost");
    assert_ne!(refused.code, 0);
    assert!(
        refused.text().contains("OCSP status is missing"),
        "{}",
        refused.text()
    );
    let warning = "the certificate for own.localhost must be stapled (RFC 7633)";
    assert!(server.said().contains(warning), "{}", server.said());
    assert!(!place.path("elsewhere").exists(), "looking makes no home");
    server.stop();
    // Its own certificates are made as its policy says, too.
    let server = place.serve(&[]);
    gnutls(&server, ROOT, "localhost").well();
}

/// A CA of openssl, and a certificate of it.
struct Foreign {
    place: Place,
}

const CONFIG: &str = "[[site]]\nhosts = [\"own.localhost\"]\nroute = [{ files = \"public\" }]\n\
    certificate = { cert = \"cert.pem\", key = \"own.key\", staple = \"staple.der\" }\n\
    [server]\nlisten = [\"127.0.0.1:0\"]\n";

impl Foreign {
    fn new() -> Self {
        let place = Place::new();
        let script = r"
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=CA \
                -keyout ca.key -out ca.pem -addext keyUsage=critical,keyCertSign,digitalSignature
            for name in own other; do
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$name \
                    -keyout $name.key -out $name.csr
                printf 'subjectAltName=DNS:%s.localhost\n' $name > $name.ext
                number=$([ $name = own ] && echo 0x1001 || echo 0x1002)
                openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -set_serial $number -days 20 \
                    -extfile $name.ext -out $name.pem
            done
            cat own.pem ca.pem > cert.pem
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=CA \
                -keyout forger.key -out forger.pem
        ";
        run(&place, "sh", &["-euc", script]).well();
        let line = |state: &str, number: &str| {
            let revoked = if state == "R" { "260101000000Z" } else { "" };
            format!("{state}\t490101000000Z\t{revoked}\t{number}\tunknown\t/CN={number}\n")
        };
        place.write("good.txt", line("V", "1001") + &line("V", "1002"));
        place.write("revoked.txt", line("R", "1001"));
        place.write("empty.txt", "");
        let foreign = Self { place };
        foreign.answer("staple.der", &[]);
        foreign
    }

    /// Has the CA's answer about a certificate, good for an hour, in a file.
    fn answer(&self, file: &str, other: &[(&str, &str)]) {
        let given = |option: &str, usual: &str| {
            let found = other.iter().find(|(name, _)| *name == option);
            found.map_or(usual, |(_, value)| value).to_owned()
        };
        let signer = given("signer", "ca");
        let arguments = [
            "ocsp".to_owned(),
            "-noverify".to_owned(),
            "-index".to_owned(),
            given("index", "good.txt"),
            "-CA".to_owned(),
            "ca.pem".to_owned(),
            "-issuer".to_owned(),
            "ca.pem".to_owned(),
            "-rsigner".to_owned(),
            format!("{signer}.pem"),
            "-rkey".to_owned(),
            format!("{signer}.key"),
            "-cert".to_owned(),
            format!("{}.pem", given("of", "own")),
            "-nmin".to_owned(),
            given("minutes", "60"),
            "-no_nonce".to_owned(),
            "-respout".to_owned(),
            "new.der".to_owned(),
        ];
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        match given("clock", "").as_str() {
            "" => run(&self.place, "openssl", &arguments),
            clock => {
                let all = [&[clock, "openssl"][..], &arguments].concat();
                run(&self.place, "faketime", &all)
            }
        }
        .well();
        // In one step, so that what watches sees one change.
        std::fs::rename(self.place.path("new.der"), self.place.path(file)).unwrap();
    }
}

#[test]
fn the_response_in_a_file_is_stapled_and_read_again_when_it_changes() {
    let foreign = Foreign::new();
    let place = &foreign.place;
    place.write("ravelin.toml", CONFIG);
    let checked = place.run(&["check", "ravelin.toml"]);
    checked.expect(0, &[]);
    let stapled = "\nstapled      own.localhost: staple.der, good until ";
    assert!(checked.stdout.contains(stapled), "{}", checked.stdout);
    let server = place.serve_config(CONFIG);
    curl(&server, "ca.pem", "own.localhost").well();
    let first = foreign_status(&server);
    assert!(first.contains("Cert Status: good"), "{first}");

    // Nothing good comes of this one: the one from before is kept.
    let before = server.said().len();
    foreign.answer("staple.der", &[("index", "revoked.txt")]);
    server.wait_reloaded();
    server.wait_said(before, "it says that the certificate was revoked");
    server.wait_said(before, "the one from before is sent until ");
    assert_eq!(response(&foreign_status(&server)), response(&first));

    let later = [("minutes", "120")];
    foreign.answer("staple.der", &later);
    server.wait_reloaded();
    let second = foreign_status(&server);
    assert!(second.contains("Cert Status: good"), "{second}");
    assert_ne!(response(&second), response(&first));
    curl(&server, "ca.pem", "own.localhost").well();
    server.stop();
}

/// The part of what openssl tells that is about the staple.
fn response(told: &str) -> &str {
    let begin = told.find("OCSP Response Data").expect(told);
    let end = told.find("Certificate chain").expect(told);
    &told[begin..end]
}

#[test]
fn what_is_wrong_or_over_is_never_stapled_and_check_says_why() {
    let foreign = Foreign::new();
    let place = &foreign.place;
    place.write("ravelin.toml", CONFIG);
    let answer = |other: &'static [(&'static str, &'static str)]| {
        let foreign = &foreign;
        move || foreign.answer("staple.der", other)
    };
    let cases: &[(&str, &dyn Fn())] = &[
        (
            "the response says nothing about the certificate",
            &answer(&[("of", "other")]),
        ),
        (
            "the responder \"CN=CA\" may not answer for the CA",
            &answer(&[("signer", "forger")]),
        ),
        (
            "it says that the certificate was revoked",
            &answer(&[("index", "revoked.txt")]),
        ),
        (
            "it says that the responder does not know the certificate",
            &answer(&[("index", "empty.txt")]),
        ),
        (
            "the response is out of date",
            &answer(&[("clock", "62 minutes ago")]),
        ),
        (
            "the response is not valid yet",
            &answer(&[("clock", "10 minutes")]),
        ),
        ("it is no OCSP response in DER", &|| {
            place.replace("staple.der", "-----BEGIN");
        }),
    ];
    for (why, spoil) in cases {
        spoil();
        place.run(&["check", "ravelin.toml"]).expect(2, &[why]);
        let server = place.serve_config(CONFIG);
        server.wait_said(0, why);
        let told = foreign_status(&server);
        assert!(told.contains("no response sent"), "{why}: {told}");
        server.stop();
    }
    foreign.answer("staple.der", &[]);
    std::fs::copy(place.path("own.pem"), place.path("cert.pem")).unwrap();
    let missing = "the issuer's certificate, which it is checked by, is not in";
    place.run(&["check", "ravelin.toml"]).expect(2, &[missing]);
    std::fs::remove_file(place.path("staple.der")).unwrap();
    place
        .run(&["check", "ravelin.toml"])
        .expect(2, &["\"staple.der\" is not there"]);
}

#[test]
fn a_staple_is_taken_away_at_its_end() {
    let foreign = Foreign::new();
    let place = &foreign.place;
    place.write("ravelin.toml", CONFIG);
    // An hour after it was signed, less what a start takes.
    let signed = place.path("staple.der").metadata().unwrap().modified();
    let signed = signed.unwrap().duration_since(UNIX_EPOCH).unwrap();
    let end = i64::try_from(signed.as_secs()).unwrap() + 3600;
    let server = serve_at(place, end - START, &["--config", "ravelin.toml"]);
    let told = foreign_status(&server);
    assert!(told.contains("Cert Status: good"), "{told}");
    server.wait_said(0, "nothing is stapled to own.localhost any more");
    let told = foreign_status(&server);
    assert!(told.contains("no response sent"), "{told}");
}
