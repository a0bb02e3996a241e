//! Signatures in CMS, with `openssl cms` as judge.

use std::path::Path;

use serde_json::Value;

use super::{certify, place, seal, sealed};
use crate::foreign::{Ran, run};
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

/// Runs `seal sign` with the environment of a token.
fn sign_in_token(place: &Place, key: &str) -> Ran {
    let conf = format!("SOFTHSM2_CONF={}", place.path("softhsm2.conf").display());
    let ravelin = [conf.as_str(), env!("CARGO_BIN_EXE_ravelin"), "seal"];
    let mut sign = SIGN.to_vec();
    sign[3] = key;
    run(place, "env", &[&ravelin[..], &sign].concat())
}

#[test]
fn a_key_in_a_token_signs_and_openssl_verifies_it() {
    let place = place();
    issued(&place, "p256");
    place.write("pin", "4711\n");
    place.write("tokens/.keep", "");
    let folder = format!(
        "directories.tokendir = {}\n",
        place.path("tokens").display()
    );
    place.write("softhsm2.conf", folder);
    let conf = format!("SOFTHSM2_CONF={}", place.path("softhsm2.conf").display());
    let softhsm = |arguments: &[&str]| {
        let all = [&[&conf, "softhsm2-util", "--pin", "4711"][..], arguments].concat();
        run(&place, "env", &all).well();
    };
    softhsm(&[
        "--init-token",
        "--free",
        "--label",
        "vault",
        "--so-pin",
        "0815",
    ]);
    let import = |file, label, id| {
        let object = ["--token", "vault", "--label", label, "--id", id];
        softhsm(&[&["--import", file][..], &object].concat());
    };
    import("ada@example.org.key", "ada", "01");
    std::fs::remove_file(place.path("ada@example.org.key")).unwrap();
    certify(&place, "eve@example.org", "p256");
    import("eve@example.org.key", "eve", "02");

    let modules = ["/usr/lib/softhsm/", "/usr/lib64/pkcs11/"]
        .map(|folder| folder.to_owned() + "libsofthsm2.so");
    let module = modules
        .iter()
        .find(|module| Path::new(module).exists())
        .unwrap();
    let pin = place.path("pin").display().to_string();
    let uri = |object: &str| {
        format!("pkcs11:token=vault;object={object}?module-path={module}&pin-source=file:{pin}")
    };
    let another = sign_in_token(&place, &uri("eve"));
    assert_eq!(another.code, 2, "{another:?}");
    assert!(another.stderr.contains("--cert must be"), "{another:?}");
    let missing = sign_in_token(&place, &uri("bob"));
    assert_eq!(missing.code, 4, "{missing:?}");
    assert_eq!(sign_in_token(&place, "pkcs11:color=red").code, 2);
    assert!(!place.path("file.p7s").exists());
    sign_in_token(&place, &uri("ada")).well();
    let root = place.root();
    let verify = [
        "cms", "-verify", "-binary", "-inform", "DER", "-in", "file.p7s",
    ];
    let over = [
        "-content",
        "file",
        "-CAfile",
        root.to_str().unwrap(),
        "-out",
        "/dev/null",
    ];
    run(&place, "openssl", &[&verify[..], &over].concat()).well();
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
