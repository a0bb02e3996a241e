//! Signatures in CMS, with `openssl cms` as judge.

use serde_json::Value;

use super::{certify, place, seal, sealed};
use crate::foreign::run;
use crate::server::Place;

/// A certificate of the local CA for a mailbox: `ada@example.org.pem`, and its key.
fn issued(place: &Place, kind: &str) {
    let new = [
        "cert",
        "new",
        "--email",
        "--force",
        "--key",
        kind,
        "ada@example.org",
    ];
    place.run(&new).expect(0, &[]);
}

const SIGN: [&str; 6] = [
    "sign",
    "file",
    "--key",
    "ada@example.org.key",
    "--cert",
    "ada@example.org.pem",
];

#[test]
fn openssl_verifies_signatures_by_keys_of_every_kind() {
    let place = place();
    for kind in ["p256", "p384", "p521", "rsa2048"] {
        issued(&place, kind);
        seal(&place, &[&SIGN[..], &["--force"]].concat());
        seal(
            &place,
            &[&SIGN[..], &["--pem", "--out", "file.pem", "--force"]].concat(),
        );
        let root = place.root();
        for (form, file) in [("DER", "file.p7s"), ("PEM", "file.pem")] {
            let arguments = [
                "cms",
                "-verify",
                "-binary",
                "-inform",
                form,
                "-in",
                file,
                "-content",
                "file",
                "-CAfile",
                root.to_str().unwrap(),
                "-out",
                "/dev/null",
            ];
            run(&place, "openssl", &arguments).well();
            seal(
                &place,
                &["verify", "file", file, "--email", "ada@example.org"],
            );
        }
    }
}

#[test]
fn what_openssl_signs_is_verified() {
    let place = place();
    for (kind, more) in [
        ("p256", &[][..]),
        ("rsa2048", &["-md", "sha512"]),
        ("rsa2048", &["-keyopt", "rsa_padding_mode:pss"]),
        ("p384", &["-keyid"]),
        ("p256", &["-outform", "PEM"]),
    ] {
        issued(&place, kind);
        let arguments = [
            "cms",
            "-sign",
            "-binary",
            "-in",
            "file",
            "-signer",
            "ada@example.org.pem",
            "-inkey",
            "ada@example.org.key",
            "-outform",
            "DER",
            "-out",
            "file.p7s",
        ];
        run(&place, "openssl", &[&arguments[..], more].concat()).well();
        let verified = seal(
            &place,
            &["verify", "file", "--chain", "ada@example.org.pem"],
        );
        assert!(
            verified.text().contains("signed by ada@example.org"),
            "{verified:?}"
        );
    }
}

/// OpenSSL learned it after version 3.0.
#[test]
fn gnutls_verifies_and_makes_signatures_by_ed25519() {
    let place = place();
    certify(&place, "ada@example.org", "ed25519");
    seal(&place, &SIGN);
    let verify = [
        "--p7-verify",
        "--inder",
        "--infile",
        "file.p7s",
        "--load-data",
        "file",
        "--load-ca-certificate",
        "ada@example.org.pem",
    ];
    run(&place, "certtool", &verify).well();
    let sign = [
        "--p7-detached-sign",
        "--p7-time",
        "--load-privkey",
        "ada@example.org.key",
        "--load-certificate",
        "ada@example.org.pem",
        "--infile",
        "file",
        "--outder",
        "--outfile",
        "theirs.p7s",
    ];
    run(&place, "certtool", &sign).well();
    seal(
        &place,
        &[
            "verify",
            "file",
            "theirs.p7s",
            "--ca",
            "ada@example.org.pem",
        ],
    );
}

#[test]
fn other_content_and_strangers_are_answers() {
    let place = place();
    issued(&place, "p256");
    certify(&place, "eve@example.org", "p256");
    seal(&place, &SIGN);
    place.write("other", "x");
    let missing = sealed(&place, &["verify", "other"]);
    assert_eq!(missing.code, 4);
    let hint = "where the signature is elsewhere: ravelin seal verify other SIGNATURE";
    assert!(missing.stderr.contains(hint), "{missing:?}");
    let refused = sealed(&place, &["verify", "other", "file.p7s"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("not what was signed"),
        "{refused:?}"
    );
    let eve = [
        "sign",
        "other",
        "--key",
        "eve@example.org.key",
        "--cert",
        "eve@example.org.pem",
    ];
    seal(&place, &eve);
    let stranger = sealed(&place, &["verify", "other"]);
    assert_eq!(stranger.code, 1);
    assert!(stranger.text().contains("holds "), "{stranger:?}");
    seal(&place, &["verify", "other", "--ca", "eve@example.org.pem"]);
    // One who is trusted, and not the one who was to sign.
    let another = sealed(&place, &["verify", "file", "--email", "bob@example.org"]);
    assert_eq!(another.code, 1);
    // And one who was, and is not any more.
    place
        .run(&["ca", "revoke", "ada@example.org.pem"])
        .expect(0, &[]);
    let revoked = sealed(&place, &["verify", "file", "--json"]);
    assert_eq!(revoked.code, 1);
    let facts: Value = serde_json::from_slice(&revoked.stdout).unwrap();
    assert_eq!(facts[0]["signer"], "ada@example.org");
    assert!(revoked.text().contains("revoked"), "{revoked:?}");
}

#[test]
fn a_key_signs_for_its_own_certificate_alone() {
    let place = place();
    issued(&place, "p256");
    certify(&place, "eve@example.org", "p256");
    let mut arguments = SIGN.to_vec();
    arguments[3] = "eve@example.org.key";
    let refused = sealed(&place, &arguments);
    assert_eq!(refused.code, 2);
    assert!(!place.path("file.p7s").exists());
    assert_eq!(
        sealed(&place, &["verify", "file", "ada@example.org.pem"]).code,
        2
    );
}
