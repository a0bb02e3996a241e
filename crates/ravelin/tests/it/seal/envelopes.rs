//! CMS envelopes for certificates, with `openssl cms` as judge.

use super::{certify, content, files, mode, place, read, seal, seal_of, sealed};
use crate::foreign::run;
use crate::server::Place;

const KINDS: [&str; 4] = ["p256", "p384", "p521", "rsa2048"];

fn certified() -> Place {
    let place = place();
    for kind in KINDS {
        certify(&place, &format!("{kind}@example.org"), kind);
    }
    place
}

#[test]
fn openssl_opens_what_is_encrypted_for_certificates_of_every_kind() {
    let place = certified();
    let names = KINDS.map(|kind| format!("{kind}@example.org.pem"));
    let mut arguments = vec!["encrypt", "file"];
    for name in &names {
        arguments.extend(["--to", name]);
    }
    seal(&place, &arguments);
    arguments.extend(["--armor", "--out", "file.txt"]);
    seal(&place, &arguments);
    for kind in KINDS {
        let (certificate, key) = (
            format!("{kind}@example.org.pem"),
            format!("{kind}@example.org.key"),
        );
        for (form, file) in [("DER", "file.cms"), ("PEM", "file.txt")] {
            let arguments = [
                "cms",
                "-decrypt",
                "-binary",
                "-inform",
                form,
                "-in",
                file,
                "-recip",
                &certificate,
                "-inkey",
                &key,
            ];
            let opened = run(&place, "openssl", &arguments).well();
            assert!(opened.stdout == content(), "{kind} {form}");
            let ours = seal(&place, &["decrypt", file, "--key", &key, "--out", "-"]);
            assert!(ours.stdout == content(), "{kind} {form}");
        }
    }
}

/// `openssl cms -encrypt` of `file`.
fn openssl(place: &Place, kind: &str, more: &[&str]) {
    let certificate = format!("{kind}@example.org.pem");
    let arguments = [
        &[
            "cms",
            "-encrypt",
            "-binary",
            "-in",
            "file",
            "-out",
            "theirs.cms",
        ][..],
        more,
        &["-recip", &certificate],
    ];
    // -keyopt belongs behind -recip.
    let mut arguments = arguments.concat();
    if kind.starts_with("rsa") && !more.contains(&"-pkcs1") {
        arguments.extend(["-keyopt", "rsa_padding_mode:oaep"]);
    }
    arguments.retain(|argument| *argument != "-pkcs1");
    run(place, "openssl", &arguments).well();
}

#[test]
fn what_openssl_encrypts_for_certificates_is_opened() {
    let place = certified();
    for (kind, more) in [
        ("p256", &["-aes-256-gcm", "-outform", "DER"][..]),
        ("p384", &["-aes-128-gcm", "-outform", "PEM"]),
        ("p521", &["-aes-256-gcm", "-outform", "DER", "-stream"]),
        ("rsa2048", &["-aes-256-gcm", "-outform", "DER"]),
    ] {
        openssl(&place, kind, more);
        let key = format!("{kind}@example.org.key");
        seal(&place, &["decrypt", "theirs.cms", "--key", &key, "--force"]);
        assert!(read(&place, "theirs") == content(), "{kind}");
        assert_eq!(mode(&place, "theirs"), 0o600);
        let piped = seal_of(&place, "theirs.cms", &["decrypt", "--key", &key]).well();
        assert!(piped.stdout == content(), "{kind}");
    }
}

#[test]
fn what_is_not_authenticated_or_leaks_is_refused_with_a_way_out() {
    let place = certified();
    for (kind, more, said) in [
        (
            "p256",
            &["-aes-256-cbc", "-outform", "DER"][..],
            "without authentication",
        ),
        (
            "rsa2048",
            &["-aes-256-gcm", "-outform", "DER", "-pkcs1"],
            "PKCS#1 v1.5",
        ),
    ] {
        openssl(&place, kind, more);
        let key = format!("{kind}@example.org.key");
        let refused = sealed(&place, &["decrypt", "theirs.cms", "--key", &key]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(
            refused.stderr.contains(said) && refused.stderr.contains("hint: "),
            "{refused:?}"
        );
    }
}

#[test]
fn what_was_changed_does_not_come_out_at_all() {
    let place = certified();
    seal(&place, &["encrypt", "file", "--to", "p256@example.org.pem"]);
    let whole = read(&place, "file.cms");
    let mut changed = whole.clone();
    changed[whole.len() - 40] ^= 1;
    place.write("changed.cms", changed);
    place.write("cut.cms", &whole[..whole.len() - 10]);
    let before = files(&place);
    for file in ["changed.cms", "cut.cms"] {
        for out in [&[][..], &["--out", "-"]] {
            let arguments = [&["decrypt", file, "--key", "p256@example.org.key"][..], out];
            let refused = sealed(&place, &arguments.concat());
            assert_eq!(refused.code, 1, "{refused:?}");
            assert_eq!(refused.stdout, b"");
        }
    }
    assert_eq!(files(&place), before);
}

#[test]
fn a_certificate_that_is_not_for_encrypting_is_refused() {
    let place = place();
    certify(&place, "ed@example.org", "ed25519");
    place
        .run(&["cert", "new", "--self-signed", "a.test"])
        .expect(0, &[]);
    for (to, said) in [
        ("ed@example.org.pem", "cannot be encrypted to"),
        ("a.test.pem", "ravelin cert new --email"),
        ("file", "neither a certificate nor recipients of age"),
    ] {
        let refused = sealed(&place, &["encrypt", "file", "--to", to]);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
}
