//! A CA as it is asked for, and its policy.

use crate::certificates::{ROOT, make, openssl_verify};
use crate::foreign::run;
use crate::server::Place;

fn text_of(place: &Place, file: &str) -> String {
    let all = ["x509", "-in", file, "-noout", "-text"];
    run(place, "openssl", &all).well().text()
}

#[test]
fn a_ca_is_made_as_it_was_asked_for() {
    let place = Place::new();
    let init = [
        "ca",
        "init",
        "--organization",
        "Example Ltd",
        "--name",
        "Example root",
        "--years",
        "3",
        "--key",
        "p384",
        "--only",
        "--permit",
        "corp.example.com",
        "--permit",
        "10.0.0.0/8",
        "--exclude",
        "secret.corp.example.com",
        "--path-length",
        "3",
        "--intermediate-days",
        "100",
        "--address",
        "http://pki.corp.example.com",
    ];
    place
        .run(&init)
        .expect(0, &["made ", "Example root", "policy.toml"]);
    let root = text_of(&place, ROOT);
    for part in [
        "O = Example Ltd, CN = Example root",
        "secp384r1",
        "pathlen:3",
        "DNS:corp.example.com",
        "IP:10.0.0.0/255.0.0.0",
        "DNS:secret.corp.example.com",
    ] {
        assert!(root.contains(part), "no {part} in {root}");
    }
    assert!(!root.contains("localhost"), "{root}");
    make(&place, &["app.corp.example.com", "10.1.2.3"]);
    openssl_verify(&place, ROOT, "app.corp.example.com.pem", &[]).well();
    let leaf = text_of(&place, "app.corp.example.com.pem");
    for part in [
        "URI:http://pki.corp.example.com/crl/",
        "OCSP - URI:http://pki.corp.example.com/ocsp",
        "CA Issuers - URI:http://pki.corp.example.com/issuer/",
    ] {
        assert!(leaf.contains(part), "no {part} in {leaf}");
    }
    assert!(!leaf.contains("{issuer}"), "{leaf}");
    for outside in [
        "a.secret.corp.example.com",
        "localhost",
        "192.168.1.1",
        "example.com",
    ] {
        place
            .run(&["cert", "new", outside])
            .expect(2, &["may not certify", "--permit"]);
    }
    // Once made, it is fixed.
    let again = place.run(&init);
    again.expect(2, &["there is a CA already", "hint: name another folder"]);
}

#[test]
fn a_ca_for_any_name_says_what_that_means() {
    let place = Place::new();
    place
        .run(&["ca", "init", "--any-name"])
        .expect(0, &["signs for any name"]);
    make(&place, &["www.google.com"]);
    openssl_verify(&place, ROOT, "www.google.com.pem", &[]).well();
}

#[test]
fn an_address_that_certificates_cannot_have_is_refused_before_anything_is_made() {
    let place = Place::new();
    for address in ["https://pki.internal", "pki.internal", "ftp://a"] {
        let init = place.run(&["ca", "init", "--address", address]);
        init.expect(2, &["--address: ", "must begin with http://"]);
    }
    assert!(!place.home().exists());
}

#[test]
fn a_policy_is_told_line_by_line_what_is_wrong_with_it() {
    let place = Place::new();
    make(&place, &["a.test"]);
    for (policy, line, why) in [
        (
            "[template.server]\n\nmax_dyas = 3\n",
            3,
            "unknown field `max_dyas`",
        ),
        (
            "[template.web]\npurposes = [\"web\"]\n",
            2,
            "is not a purpose",
        ),
        ("[authority]\nkey = \"rsa1024\"\n", 2, "rsa1024"),
        (
            "[template.server]\nnames = [\"10.0.0.0/40\"]\n",
            2,
            "10.0.0.0/40",
        ),
        ("[template.server]\nmax_days = 1\ndays = 2\n", 3, "max_days"),
        ("x", 1, ""),
    ] {
        place.write("home/ca/policy.toml", policy);
        let refused = place.run(&["cert", "new", "b.test"]);
        refused.expect(
            2,
            &[
                "policy.toml\" cannot be used",
                &format!("line {line}: "),
                why,
            ],
        );
        assert!(!place.path("b.test.key").exists());
    }
    // And one that is right is heeded.
    place.write(
        "home/ca/policy.toml",
        "[template.iot]\npurposes = [\"client\"]\ndays = 7\nmax_days = 14\nkeys = [\"ed25519\"]\n\
         names = [\"iot.test\"]\norganization = \"Things\"\n",
    );
    let iot = ["cert", "new", "--template", "iot"];
    let ended = place.run(&[&iot[..], &["x.iot.test"]].concat());
    ended.expect(
        2,
        &["certifies no keys of the kind ECDSA P-256, but: Ed25519"],
    );
    let ended = place.run(&[&iot[..], &["--key", "ed25519", "other.test"]].concat());
    ended.expect(
        2,
        &["\"other.test\" is outside the names of the template \"iot\""],
    );
    let said = make(
        &place,
        &[
            "--template",
            "iot",
            "--key",
            "ed25519",
            "--days",
            "90",
            "x.iot.test",
        ],
    );
    assert!(
        said.contains("lifetime: 14 days instead of 90 days"),
        "{said}"
    );
    let text = text_of(&place, "x.iot.test.pem");
    assert!(text.contains("O = Things, CN = x.iot.test"), "{text}");
    openssl_verify(&place, ROOT, "x.iot.test.pem", &["-purpose", "sslclient"]).well();
}
