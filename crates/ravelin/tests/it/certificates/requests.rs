//! `ravelin cert request` and `sign`: requests of others, and ours in the hands of others.

use std::fs;

use super::{ROOT, leaves, make, openssl_verify};
use crate::foreign::{run, run_python};
use crate::server::Place;

fn openssl(place: &Place, arguments: &[&str]) {
    run(place, "openssl", arguments).well();
}

/// Has openssl make a request in `NAME.csr` with a P-256 key, a subject and extensions.
fn openssl_request(place: &Place, name: &str, subject: &str, extensions: &[&str]) {
    let (key, csr) = (format!("{name}.key"), format!("{name}.csr"));
    let mut all = vec![
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ];
    all.extend(["-nodes", "-keyout", &key, "-out", &csr, "-subj", subject]);
    for extension in extensions {
        all.extend(["-addext", extension]);
    }
    openssl(place, &all);
}

#[test]
fn a_table_shows_what_was_asked_what_is_given_and_why() {
    let place = Place::new();
    openssl_request(
        &place,
        "web",
        "/C=DE/O=X/CN=web.test",
        &[
            "subjectAltName=DNS:web.test,DNS:*.web.test,IP:10.1.2.3",
            "tlsfeature=status_request",
            "1.2.3.4=ASN1:UTF8String:strange",
        ],
    );
    let shown = "           asked                           given
names      web.test, *.web.test, 10.1.2.3  web.test, *.web.test, 10.1.2.3
subject    C=DE, O=X, CN=web.test          CN=web.test
purposes   none                            serverAuth
key        ECDSA P-256                     ECDSA P-256
lifetime   1000 days                       397 days
extension  tlsfeature                      left out
extension  1.2.3.4                         left out
purposes   a certificate that says nothing would be good for everything
lifetime   the template \"server\" gives no more
subject    only the policy's attributes and a name that is certified are kept
extension  the template \"server\" does not have it
extension  the template \"server\" does not have it
";
    let sign = ["cert", "sign", "web.csr", "--days", "1000", "--dry-run"];
    let dry = place.run(&sign);
    dry.expect(0, &[]);
    assert_eq!(dry.stdout, shown);
    assert!(!place.path("web.test.pem").exists());
    assert_eq!(leaves(&place), 0);
    let signed = place.run(&sign[..5]);
    signed.expect(
        0,
        &["signed       web.test.pem, with the intermediate's, good until "],
    );
    assert_eq!(signed.stdout, shown);
    openssl_verify(
        &place,
        ROOT,
        "web.test.pem",
        &["-verify_hostname", "a.web.test"],
    )
    .well();
    let text = ["x509", "-in", "web.test.pem", "-noout", "-text"];
    let text = run(&place, "openssl", &text).well().text();
    assert!(
        !text.contains("1.2.3.4") && !text.contains("TLS Feature"),
        "{text}"
    );
}

#[test]
fn requests_of_openssl_gnutls_java_and_python_are_signed() {
    let place = Place::new();
    requests_of_others(&place);
    for name in [
        "openssl",
        "challenge",
        "gnutls",
        "java",
        "p384",
        "ed25519",
        "mldsa65",
    ] {
        let csr = format!("{name}.csr");
        let signed = place.run(&["cert", "sign", &csr]);
        signed.expect(0, &["signed "]);
        assert!(!signed.stdout.contains("hunter22"), "{}", signed.stdout);
        let host = format!("{name}.test");
        let file = format!("{host}.pem");
        if name == "mldsa65" {
            run_python(&place, "certificates.py", &["chain", ROOT, &file]).well();
        } else {
            openssl_verify(&place, ROOT, &file, &["-verify_hostname", &host]).well();
        }
    }
    // Java takes its answer, for which it has to find the way to the root.
    let import = ["-importcert", "-noprompt", "-file", ROOT, "-alias", "root"];
    run(&place, "keytool", &[&import[..], &STORE[..4]].concat()).well();
    let answer = ["-importcert", "-noprompt", "-file", "java.test.pem"];
    run(&place, "keytool", &[&answer[..], STORE].concat()).well();
    let all = leaves(&place);
    assert_eq!(all, 7);
}

/// Each in a file of its own, for a host of the same name.
fn requests_of_others(place: &Place) {
    openssl_request(
        place,
        "openssl",
        "/CN=openssl.test",
        &["extendedKeyUsage=serverAuth"],
    );
    // With a challenge password, an attribute that is for the CA and no extension (RFC 2985).
    place.write(
        "challenge.cnf",
        "[req]\nprompt = no\ndistinguished_name = dn\nattributes = more\n[dn]\nCN = challenge.test\n\
         [more]\nchallengePassword = hunter22\nunstructuredName = a name\n",
    );
    let challenge = [
        "req",
        "-new",
        "-key",
        "openssl.key",
        "-config",
        "challenge.cnf",
    ];
    openssl(
        place,
        &[
            &challenge[..],
            &["-outform", "DER", "-out", "challenge.csr"],
        ]
        .concat(),
    );
    place.write(
        "gnutls.cfg",
        "cn = gnutls.test\ndns_name = gnutls.test\nip_address = 10.0.0.7\ntls_www_server\nsigning_key\n",
    );
    let certtool = |arguments: &[&str]| run(place, "certtool", arguments).well();
    certtool(&[
        "--generate-privkey",
        "--key-type",
        "rsa",
        "--bits",
        "2048",
        "--outfile",
        "gnutls.key",
    ]);
    let request = ["--generate-request", "--load-privkey", "gnutls.key"];
    certtool(
        &[
            &request[..],
            &["--template", "gnutls.cfg", "--outfile", "gnutls.csr"],
        ]
        .concat(),
    );
    let pair = [
        "-genkeypair",
        "-keyalg",
        "EC",
        "-groupname",
        "secp384r1",
        "-dname",
        "CN=java.test",
    ];
    run(place, "keytool", &[&pair[..], STORE].concat()).well();
    let request = [
        "-certreq",
        "-ext",
        "SAN=dns:java.test,ip:10.0.0.8",
        "-file",
        "java.csr",
    ];
    run(place, "keytool", &[&request[..], STORE].concat()).well();
    for kind in ["p384", "ed25519", "mldsa65"] {
        run_python(place, "certificates.py", &["make-request", kind]).well();
    }
}

/// The keystore of somebody who asks with Java.
const STORE: &[&str] = &[
    "-keystore",
    "java.p12",
    "-storepass",
    "changeit",
    "-alias",
    "a",
];

#[test]
fn requests_that_ask_for_what_nobody_gets_are_refused_and_leave_nothing() {
    let place = Place::new();
    make(&place, &["first.test"]);
    place.write(
        "home/ca/policy.toml",
        "[template.server]\nkeys = [\"p256\", \"ed25519\"]\n",
    );
    openssl_request(&place, "good", "/CN=good.test", &[]);
    openssl(
        &place,
        &[
            "req", "-in", "good.csr", "-outform", "DER", "-out", "good.der",
        ],
    );
    // The last octet is of the signature.
    let mut der = fs::read(place.path("good.der")).unwrap();
    *der.last_mut().unwrap() ^= 1;
    place.write("forged.csr", der);
    openssl_request(
        &place,
        "ca",
        "/CN=ca.test",
        &["basicConstraints=critical,CA:TRUE"],
    );
    openssl_request(
        &place,
        "outside",
        "/CN=x",
        &["subjectAltName=DNS:good.test,DNS:google.com"],
    );
    openssl_request(&place, "nameless", "/O=Nobody", &[]);
    openssl_request(&place, "nothing", "/", &[]);
    openssl_request(
        &place,
        "strange",
        "/CN=s.test",
        &["extendedKeyUsage=1.2.3.4"],
    );
    let rsa = [
        "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "rsa.key",
    ];
    openssl(
        &place,
        &[&rsa[..], &["-subj", "/CN=rsa.test", "-out", "rsa.csr"]].concat(),
    );
    for (name, why) in [
        ("forged", "did not prove to have its key"),
        ("ca", "the certificate of a CA, which no template gives"),
        ("outside", "may not certify \"google.com\""),
        ("nameless", "it asks for no name"),
        ("nothing", "it asks for no name"),
        ("strange", "no template of the policy is for 1.2.3.4"),
        ("rsa", "certifies no keys of the kind RSA 2048, but: "),
    ] {
        let refused = place.run(&["cert", "sign", &format!("{name}.csr")]);
        refused.expect(
            1,
            &["error: the request in \"forged.csr\" is refused", why]
                [usize::from(name != "forged")..],
        );
        refused.expect(1, &["is refused: "]);
    }
    assert_eq!(leaves(&place), 1);
    let written: Vec<_> = fs::read_dir(place.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".pem"))
        .collect();
    assert_eq!(written, ["first.test.pem"]);
    // What is no request at all is the command's mistake.
    for (file, why) in [
        ("first.test.pem", "no certificate request"),
        ("good.key", "no certificate request"),
    ] {
        place.run(&["cert", "sign", file]).expect(2, &[why]);
    }
    place
        .run(&["cert", "sign", "missing.csr"])
        .expect(4, &["missing.csr"]);
}

#[test]
fn a_request_of_a_megabyte_is_answered_and_harms_nobody() {
    let place = Place::new();
    let names: Vec<_> = (0..40_000)
        .map(|n| format!("DNS:name-{n:08}.example.test"))
        .collect();
    place.write(
        "big.cnf",
        format!(
            "[req]\nprompt = no\ndistinguished_name = dn\nreq_extensions = more\n[dn]\nCN = big.test\n\
             [more]\nsubjectAltName = @names\n[names]\n{}",
            names
                .iter()
                .enumerate()
                .fold(String::new(), |text, (n, name)| text + &format!("DNS.{n} = {}\n", &name[4..]))
        ),
    );
    let request = [
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    openssl(
        &place,
        &[
            &request[..],
            &[
                "-keyout", "big.key", "-config", "big.cnf", "-out", "big.csr",
            ],
        ]
        .concat(),
    );
    assert!(fs::metadata(place.path("big.csr")).unwrap().len() > 1 << 20);
    let refused = place.run(&["cert", "sign", "big.csr"]);
    refused.expect(
        1,
        &["it asks for 40000 names, and no certificate has more than 1000"],
    );
    place.run(&["ca", "audit"]).expect(0, &[]);
}

#[test]
fn our_requests_are_read_by_openssl_gnutls_and_python() {
    let place = Place::new();
    let subject = [
        "--subject",
        "organization=Example",
        "--subject",
        "country=DE",
    ];
    for kind in ["p256", "p521", "ed25519", "rsa2048", "mldsa44"] {
        let name = format!("{kind}.example");
        let asked = ["cert", "request", "--key", kind, &name, "10.0.0.1"];
        place
            .run(&[&asked[..], &subject].concat())
            .expect(0, &["send it to your CA"]);
        let csr = format!("{name}.csr");
        let read = run_python(&place, "certificates.py", &["request", &csr]).well();
        assert_eq!(read.text(), format!("{name} 10.0.0.1\n"));
        if kind != "mldsa44" {
            openssl(&place, &["req", "-in", &csr, "-verify", "-noout"]);
            let shown = run(&place, "certtool", &["--crq-info", "--infile", &csr]).well();
            assert!(shown.text().contains("C=DE"), "{}", shown.text());
        }
    }
    // Another CA signs it for the key beside it.
    let sign = [
        "x509",
        "-req",
        "-in",
        "p256.example.csr",
        "-signkey",
        "p256.example.key",
    ];
    openssl(
        &place,
        &[
            &sign[..],
            &["-copy_extensions", "copyall", "-out", "signed.pem"],
        ]
        .concat(),
    );
    // A key that is there is asked for, and not written again.
    let kept = [
        "cert",
        "request",
        "--key-file",
        "p256.example.key",
        "again.example",
    ];
    place.run(&kept).expect(0, &[]);
    assert!(!place.path("again.example.key").exists());
    let wrong = [
        "cert",
        "request",
        "a.example",
        "--subject",
        "country=Germany",
    ];
    place.run(&wrong).expect(2, &["is not a country code"]);
    assert!(!place.path("a.example.key").exists());
}
