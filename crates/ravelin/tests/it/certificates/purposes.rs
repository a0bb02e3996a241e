//! Certificates of each purpose, kind of name, key and file, read by openssl, certtool, NSS, Java,
//! Go and Python's `cryptography`.

use std::path::Path;
use std::process::Stdio;

use super::{ROOT, make, openssl_verify};
use crate::foreign::{Ran, run, run_for, run_python};
use crate::server::Place;

/// A place with a certificate for each purpose, named after it.
fn one_of_each() -> Place {
    let place = Place::new();
    let server = [
        "web.test",
        "*.web.test",
        "bücher.test",
        "127.0.0.1",
        "fd00::1",
    ];
    make(&place, &server);
    make(
        &place,
        &["--client", "ada@client.test", "spiffe://client.test/ada"],
    );
    make(&place, &["--both", "both.test", "10.1.2.3"]);
    make(&place, &["--email", "ada@email.test"]);
    make(&place, &["--code", "code.test"]);
    place
}

const FILES: [&str; 5] = [
    "web.test.pem",
    "ada@client.test.pem",
    "both.test.pem",
    "ada@email.test.pem",
    "code.test.pem",
];

#[test]
fn openssl_takes_each_for_its_purpose_and_for_no_other() {
    let place = one_of_each();
    // Which of the certificates above are good for it.
    let purposes = [
        ("sslserver", [true, false, true, false, false]),
        ("sslclient", [false, true, true, false, false]),
        ("smimesign", [false, false, false, true, false]),
    ];
    for (purpose, good) in purposes {
        for (file, good) in FILES.iter().zip(good) {
            let ran = openssl_verify(&place, ROOT, file, &["-purpose", purpose]);
            assert_eq!(ran.code == 0, good, "{purpose} {file}: {}", ran.stderr);
        }
    }
    openssl_verify(&place, ROOT, "code.test.pem", &["-purpose", "any"]).well();
    let names = [
        ("web.test.pem", "-verify_hostname", "web.test"),
        ("web.test.pem", "-verify_hostname", "a.web.test"),
        ("web.test.pem", "-verify_hostname", "xn--bcher-kva.test"),
        ("web.test.pem", "-verify_ip", "127.0.0.1"),
        ("web.test.pem", "-verify_ip", "fd00::1"),
        ("both.test.pem", "-verify_ip", "10.1.2.3"),
        ("ada@client.test.pem", "-verify_email", "ada@client.test"),
        ("ada@email.test.pem", "-verify_email", "ada@email.test"),
    ];
    for (file, option, name) in names {
        openssl_verify(&place, ROOT, file, &[option, name]).well();
    }
    let other = ["-verify_hostname", "b.a.web.test"];
    assert_ne!(openssl_verify(&place, ROOT, "web.test.pem", &other).code, 0);
    let shown = ["x509", "-noout", "-ext", "subjectAltName", "-in", FILES[1]];
    let shown = run(&place, "openssl", &shown).well().text();
    assert!(shown.contains("URI:spiffe://client.test/ada"), "{shown}");
}

#[test]
fn a_certificate_for_mail_is_good_for_its_mailbox_alone() {
    let place = one_of_each();
    let verify = |email: &str, file: &str| {
        place.run(&["cert", "verify", "--ca", "local", "--email", email, file])
    };
    let good = verify("ada@EMAIL.test", "ada@email.test.pem");
    good.expect(0, &[]);
    assert!(
        good.stdout.contains(" for ada@email.test"),
        "{}",
        good.stdout
    );
    let other = verify("Ada@email.test", "ada@email.test.pem");
    other.expect(1, &[]);
    let why = "\"Ada@email.test\" is not one of its mailboxes; it has: ada@email.test";
    assert!(other.stdout.contains(why), "{}", other.stdout);
    // The mailbox is right, and the certificate is for a client of TLS.
    let client = verify("ada@client.test", "ada@client.test.pem");
    client.expect(1, &[]);
    assert!(client.stdout.contains("not for mail"), "{}", client.stdout);
}

#[test]
fn gnutls_takes_each_for_its_purpose_and_for_no_other() {
    let place = one_of_each();
    let verify = |file: &str, more: &[&str]| -> Ran {
        let mut all = vec!["--verify", "--load-ca-certificate", ROOT, "--infile", file];
        all.extend(more);
        run(&place, "certtool", &all)
    };
    let purposes = [
        "1.3.6.1.5.5.7.3.1",
        "1.3.6.1.5.5.7.3.2",
        "1.3.6.1.5.5.7.3.1",
        "1.3.6.1.5.5.7.3.4",
        "1.3.6.1.5.5.7.3.3",
    ];
    for (file, purpose) in FILES.iter().zip(purposes) {
        verify(file, &["--verify-purpose", purpose]).well();
    }
    let name = ["--verify-hostname", "a.web.test"];
    verify("web.test.pem", &name).well();
    for wrong in [
        ["--verify-hostname", "other.test"],
        ["--verify-purpose", "1.3.6.1.5.5.7.3.2"],
    ] {
        assert_ne!(verify("web.test.pem", &wrong).code, 0, "{wrong:?}");
    }
}

#[test]
fn nss_takes_each_for_its_use_and_for_no_other() {
    let place = one_of_each();
    std::fs::create_dir(place.path("nss")).unwrap();
    let certutil = |arguments: &[&str]| {
        let mut all = vec!["-d", "sql:nss"];
        all.extend(arguments);
        run(&place, "certutil", &all)
    };
    certutil(&["-N", "--empty-password"]).well();
    certutil(&["-A", "-n", "root", "-t", "CT,C,C", "-a", "-i", ROOT]).well();
    for file in FILES {
        let text = std::fs::read_to_string(place.path(file)).unwrap();
        let second = text.rfind("-----BEGIN").unwrap();
        place.write("leaf.pem", &text[..second]);
        place.write("issuer.pem", &text[second..]);
        let issuer = format!("issuer of {file}");
        // The server's intermediate comes once; what is there already is no mistake.
        certutil(&["-A", "-n", &issuer, "-t", ",,", "-a", "-i", "issuer.pem"]).well();
        certutil(&["-A", "-n", file, "-t", ",,", "-a", "-i", "leaf.pem"]).well();
    }
    let uses = [
        ("V", [true, false, true, false, false]),
        ("C", [false, true, true, false, false]),
        ("S", [false, false, false, true, false]),
        ("J", [false, false, false, false, true]),
    ];
    for (usage, good) in uses {
        for (file, good) in FILES.iter().zip(good) {
            let ran = certutil(&["-V", "-n", file, "-u", usage, "-e"]);
            let said = ran.text() + &ran.stderr;
            assert_eq!(ran.code == 0, good, "{usage} {file}: {said}");
        }
    }
}

/// Go's crypto/x509, by a program that is compiled once, as its standard library takes a minute, or more beside other tests.
fn go_verify(place: &Place, arguments: &[&str]) -> Ran {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let go = package.join("../../.venv/bin/go");
    assert!(go.exists(), "there is no Go in .venv: ./test installs it");
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go");
    let source = package.join("tests/peers/verify/verify.go");
    let program = built.join("verify");
    std::fs::create_dir_all(&built).unwrap();
    let mut all = vec![
        format!("GOCACHE={}", built.join("cache").display()),
        "GO111MODULE=off".to_owned(),
        "GOTOOLCHAIN=local".to_owned(),
        "CGO_ENABLED=0".to_owned(),
        go.display().to_string(),
    ];
    all.extend(["build", "-o"].map(str::to_owned));
    all.extend([program.display().to_string(), source.display().to_string()]);
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    run_for(place, 200, "env", &all, Stdio::null()).well();
    run(place, program.to_str().unwrap(), arguments)
}

#[test]
fn go_takes_each_for_its_purpose_and_name() {
    let place = one_of_each();
    let good = [
        "server:web.test:web.test.pem",
        "server:a.web.test:web.test.pem",
        "server:127.0.0.1:web.test.pem",
        "server:[fd00::1]:web.test.pem",
        "server:both.test:both.test.pem",
        "client::both.test.pem",
        "client::ada@client.test.pem",
        "email::ada@email.test.pem",
        "code::code.test.pem",
    ];
    let mut all = vec![ROOT];
    all.extend(good);
    let ran = go_verify(&place, &all).well();
    assert_eq!(ran.text().lines().count(), good.len(), "{}", ran.text());
    for wrong in [
        "client::web.test.pem",
        "server:other.test:web.test.pem",
        "server::code.test.pem",
    ] {
        let ran = go_verify(&place, &[ROOT, wrong]);
        assert_eq!(ran.code, 1, "{wrong}: {}", ran.text());
    }
}

#[test]
fn keystores_are_read_by_java_and_openssl_with_their_passphrase_alone() {
    let place = Place::new();
    place.write("secret", "correct horse\n");
    let said = make(
        &place,
        &[
            "--p12",
            "--jks",
            "--new-passphrase-file",
            "secret",
            "app.test",
        ],
    );
    assert!(!said.contains("correct horse"), "{said}");
    for store in ["app.test.p12", "app.test.jks"] {
        let list = |passphrase: &str| {
            let all = ["-list", "-v", "-keystore", store, "-storepass", passphrase];
            run(&place, "keytool", &all)
        };
        let listed = list("correct horse").well().text();
        assert!(listed.contains("Entry type: PrivateKeyEntry"), "{listed}");
        assert!(listed.contains("Certificate chain length: 2"), "{listed}");
        assert!(listed.contains("DNSName: app.test"), "{listed}");
        assert_ne!(list("wrong horse").code, 0);
        assert_eq!(mode(&place, store), 0o600);
    }
    let opened = |passphrase: &str| {
        let from = format!("pass:{passphrase}");
        let all = ["pkcs12", "-in", "app.test.p12", "-nodes", "-passin", &from];
        run(&place, "openssl", &all)
    };
    let text = opened("correct horse").well().text();
    assert_eq!(text.matches("-----BEGIN CERTIFICATE").count(), 2, "{text}");
    assert_eq!(text.matches("-----BEGIN PRIVATE KEY").count(), 1, "{text}");
    assert_ne!(opened("wrong horse").code, 0);
}

fn mode(place: &Place, file: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(place.path(file)).unwrap();
    metadata.permissions().mode() & 0o777
}

#[test]
fn keys_of_every_kind_are_certified() {
    let place = Place::new();
    for kind in ["p256", "p384", "p521", "ed25519", "rsa2048", "rsa3072"] {
        let name = format!("{kind}.test");
        make(&place, &["--key", kind, &name]);
        let file = format!("{name}.pem");
        openssl_verify(&place, ROOT, &file, &["-verify_hostname", &name]).well();
        let infile = ["--verify", "--load-ca-certificate", ROOT, "--infile", &file];
        run(&place, "certtool", &infile).well();
        assert_eq!(mode(&place, &format!("{name}.key")), 0o600);
    }
    // Neither openssl 3.0 nor GnuTLS 3.7 knows the keys of FIPS 204.
    for kind in ["mldsa44", "mldsa65", "mldsa87"] {
        make(&place, &["--key", kind, &format!("{kind}.test")]);
    }
    let pairs = [
        "p256", "ed25519", "rsa2048", "mldsa44", "mldsa65", "mldsa87",
    ];
    let stems = pairs.map(|kind| format!("{kind}.test"));
    let mut all = vec!["pairs", ROOT];
    all.extend(stems.iter().map(String::as_str));
    run_python(&place, "certificates.py", &all).well();
}

#[test]
fn a_ca_of_every_kind_of_key_signs_what_others_verify() {
    for kind in ["p384", "p521", "ed25519", "rsa2048"] {
        let place = Place::new();
        place.run(&["ca", "init", "--key", kind]).expect(0, &[]);
        make(&place, &["app.test"]);
        let name = ["-verify_hostname", "app.test"];
        openssl_verify(&place, ROOT, "app.test.pem", &name).well();
    }
    for kind in ["mldsa44", "mldsa65", "mldsa87"] {
        let place = Place::new();
        place.run(&["ca", "init", "--key", kind]).expect(0, &[]);
        make(&place, &["app.test"]);
        run_python(&place, "certificates.py", &["chain", ROOT, "app.test.pem"]).well();
    }
}

#[test]
fn one_that_signs_itself_is_good_for_who_trusts_it() {
    let place = Place::new();
    let said = make(
        &place,
        &["--self-signed", "--both", "--days", "7", "demo.example"],
    );
    assert!(
        said.contains("curl --cacert demo.example.pem https://demo.example"),
        "{said}"
    );
    for purpose in ["sslserver", "sslclient"] {
        let more = ["-purpose", purpose, "-verify_hostname", "demo.example"];
        openssl_verify(&place, "demo.example.pem", "demo.example.pem", &more).well();
    }
    // No CA was made for it.
    assert!(!place.home().exists());
}

#[test]
fn who_asks_for_too_long_a_time_is_told_what_is_given_and_why() {
    let place = Place::new();
    let init = place.run(&["ca", "init", "--intermediate-days", "10"]);
    init.expect(0, &[]);
    let said = make(&place, &["--days", "1000", "a.test"]);
    assert!(
        said.contains(
            "lifetime: 397 days instead of 1000 days, as the template \"server\" gives no more"
        ),
        "{said}"
    );
    assert!(
        said.contains("days instead of 397 days, as no certificate outlives its issuer"),
        "{said}"
    );
    openssl_verify(&place, ROOT, "a.test.pem", &[]).well();
    run_python(&place, "certificates.py", &["chain", ROOT, "a.test.pem"]).well();
}

#[test]
fn the_first_use_says_that_it_made_a_ca() {
    let place = Place::new();
    let said = make(&place, &["a.test"]);
    assert!(said.contains("made         a local CA: "), "{said}");
    let said = make(&place, &["b.test"]);
    assert!(!said.contains("a local CA: "), "{said}");
}
