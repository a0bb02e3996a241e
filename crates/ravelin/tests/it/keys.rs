//! `ravelin key`: what it writes, others read; what others write, it reads.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::foreign::{run, run_python};
use crate::server::Place;

const KINDS: [&str; 10] = [
    "p256", "p384", "p521", "ed25519", "rsa2048", "rsa3072", "rsa4096", "mldsa44", "mldsa65",
    "mldsa87",
];

/// What the peer printed: files, and the SHA-256 of the public key in each.
fn digests(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().map(|line| line.split_once(' ').unwrap());
    pairs
        .map(|(file, digest)| (file.to_owned(), digest.to_owned()))
        .collect()
}

fn shown(place: &Place, file: &str) -> Value {
    let shown = place.run(&["key", "show", "--json", "--passphrase-file", "secret", file]);
    shown.expect(0, &[]);
    serde_json::from_str(&shown.stdout).unwrap()
}

fn place() -> Place {
    let place = Place::new();
    place.write("secret", "correct horse\n");
    place.write("wrong", "wrong horse\n");
    place
}

#[test]
fn keys_of_every_kind_and_form_are_read_by_python_and_openssl() {
    let place = place();
    let mut files = Vec::new();
    let mut new = |kind: &str, file: String, more: &[&str]| {
        let made = place.run(&[&["key", "new", "--type", kind, &file][..], more].concat());
        made.expect(0, &["made "]);
        let said = made.stdout + &made.stderr;
        assert!(
            !said.contains("PRIVATE") && !said.contains("horse"),
            "{said}"
        );
        let rights = std::fs::metadata(place.path(&file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(rights & 0o777, 0o600, "{file}");
        files.push((kind.to_owned(), file));
    };
    for kind in KINDS {
        new(kind, format!("{kind}.pem"), &[]);
        new(kind, format!("{kind}.der"), &["--der"]);
        new(
            kind,
            format!("{kind}.enc"),
            &["--new-passphrase-file", "secret"],
        );
        let form = match &kind[..1] {
            "p" => "sec1",
            "r" => "pkcs1",
            _ => continue,
        };
        new(kind, format!("{kind}-{form}.pem"), &["--form", form]);
        new(
            kind,
            format!("{kind}-{form}.der"),
            &["--form", form, "--der"],
        );
    }
    let mut all = vec!["keys"];
    all.extend(files.iter().map(|(_, file)| file.as_str()));
    let read = digests(&run_python(&place, "certificates.py", &all).well().text());
    for (kind, file) in &files {
        assert_eq!(
            shown(&place, file)["public_key_sha256"],
            read[file],
            "{file}"
        );
        if !kind.starts_with("mldsa") {
            let form = if file.ends_with("der") { "DER" } else { "PEM" };
            let pkey = [
                "pkey",
                "-in",
                file,
                "-inform",
                form,
                "-passin",
                "pass:correct horse",
            ];
            run(
                &place,
                "openssl",
                &[&pkey[..], &["-noout", "-check"]].concat(),
            )
            .well();
        }
    }
}

#[test]
fn keys_of_others_of_every_kind_and_form_are_read() {
    let place = place();
    let made = digests(
        &run_python(&place, "certificates.py", &["make-keys"])
            .well()
            .text(),
    );
    assert!(made.len() > 20);
    for (file, digest) in &made {
        assert_eq!(shown(&place, file)["public_key_sha256"], **digest, "{file}");
    }
    // openssl's own: PKCS#8 under scrypt and under PBKDF2, SEC1 with its parameters in front.
    let openssl = |arguments: &[&str]| run(&place, "openssl", arguments).well();
    openssl(&[
        "ecparam",
        "-genkey",
        "-name",
        "prime256v1",
        "-out",
        "ec.pem",
    ]);
    let pkcs8 = [
        "pkcs8",
        "-topk8",
        "-in",
        "ec.pem",
        "-passout",
        "pass:correct horse",
        "-out",
    ];
    openssl(&[&pkcs8[..], &["scrypt.pem", "-scrypt"]].concat());
    openssl(
        &[
            &pkcs8[..],
            &[
                "pbkdf2.pem",
                "-v2",
                "aes-128-cbc",
                "-v2prf",
                "hmacWithSHA512",
            ],
        ]
        .concat(),
    );
    let digest = shown(&place, "ec.pem")["public_key_sha256"].clone();
    for file in ["scrypt.pem", "pbkdf2.pem"] {
        let shown = shown(&place, file);
        assert_eq!(shown["public_key_sha256"], digest);
        assert_eq!(shown["encrypted"], true);
    }
    let certtool = [
        "--generate-privkey",
        "--key-type",
        "ed25519",
        "--outfile",
        "gnutls.pem",
    ];
    run(&place, "certtool", &certtool).well();
    assert_eq!(shown(&place, "gnutls.pem")["kind"], "Ed25519");
}

#[test]
fn a_key_is_the_same_in_every_form_it_is_converted_to() {
    let place = place();
    for (kind, form) in [("p384", "sec1"), ("rsa2048", "pkcs1")] {
        let convert = |from: &str, to: &str, more: &[&str]| {
            let all = ["key", "convert", "--passphrase-file", "secret", from, to];
            place.run(&[&all[..], more].concat()).expect(0, &["wrote "]);
        };
        let names = ["first", "form", "secret", "der", "last"];
        let [first, other, secret, der, last] = names.map(|name| format!("{kind}.{name}"));
        place
            .run(&["key", "new", "--type", kind, &first])
            .expect(0, &[]);
        convert(&first, &other, &["--form", form]);
        let encrypted = ["--new-passphrase-file", "secret", "--der"];
        convert(&other, &secret, &encrypted);
        convert(&secret, &der, &["--form", form, "--der"]);
        convert(&der, &last, &[]);
        let read = |file: &str| std::fs::read(place.path(file)).unwrap();
        assert_eq!(read(&first), read(&last));
        let kept = place.run(&["key", "convert", &first, &other]);
        kept.expect(4, &["is there already", "--force"]);
        let public = place.run(&["key", "show", "--public", &first]);
        let theirs = run(&place, "openssl", &["pkey", "-in", &first, "-pubout"]).well();
        assert_eq!(theirs.text(), public.stdout);
    }
    // A pipe.
    let script =
        "\"$0\" key new - | \"$0\" key convert - - --der | openssl pkey -inform DER -noout";
    run(&place, "sh", &["-c", script, env!("CARGO_BIN_EXE_ravelin")]).well();
}

#[test]
fn what_is_wrong_with_a_key_or_its_passphrase_is_told_and_nothing_secret() {
    let place = place();
    let new = ["key", "new", "a.key", "--new-passphrase-file", "secret"];
    place.run(&new).expect(0, &["encrypted"]);
    let wrong = place.run(&["key", "show", "a.key", "--passphrase-file", "wrong"]);
    wrong.expect(1, &["error: \"a.key\": "]);
    assert!(!wrong.stderr.contains("horse"), "{}", wrong.stderr);
    let convert = [
        "key",
        "convert",
        "a.key",
        "b.key",
        "--passphrase-file",
        "wrong",
    ];
    place.run(&convert).expect(1, &[]);
    assert!(!place.path("b.key").exists());
    place
        .run(&["key", "show", "a.key"])
        .expect(2, &["no terminal", "hint: give it with --passphrase-file"]);
    let argument = place.run(&["key", "show", "a.key", "--passphrase", "correct horse"]);
    argument.expect(2, &["unexpected argument"]);
    place.write("empty", "\n");
    let empty = ["key", "new", "c.key", "--new-passphrase-file", "empty"];
    place
        .run(&empty)
        .expect(2, &["the new passphrase is empty"]);
    assert!(!place.path("c.key").exists());
    let form = ["key", "new", "--type", "ed25519", "--form", "sec1", "c.key"];
    place
        .run(&form)
        .expect(2, &["SEC1 is a form of ECDSA keys", "hint: --form pkcs8"]);
    let weak = [
        "key",
        "new",
        "--form",
        "sec1",
        "--new-passphrase-file",
        "secret",
        "c.key",
    ];
    place.run(&weak).expect(2, &["hint: leave --form out"]);
    place.write(
        "damaged",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIE\n-----END PRIVATE KEY-----\n",
    );
    place
        .run(&["key", "show", "damaged"])
        .expect(2, &["cannot use the key in \"damaged\""]);
    place
        .run(&["key", "show", "none"])
        .expect(4, &["cannot read \"none\""]);
}

#[test]
fn a_passphrase_comes_from_a_descriptor() {
    let place = place();
    let script = "exec 3<secret && \"$0\" key new a.key --new-passphrase-fd 3 && exec 4<secret &&
        \"$0\" key show a.key --passphrase-fd 4";
    let ran = run(
        &place,
        "bash",
        &["-c", script, env!("CARGO_BIN_EXE_ravelin")],
    )
    .well();
    assert!(
        ran.text().contains("encrypted with a passphrase"),
        "{}",
        ran.text()
    );
}

#[test]
fn a_passphrase_is_asked_for_on_a_terminal_and_not_shown() {
    let place = place();
    let typed = |answers: &str, arguments: &[&str]| {
        let all = [&[answers, env!("CARGO_BIN_EXE_ravelin")][..], arguments].concat();
        let ran = run_python(&place, "terminal.py", &all);
        let said = ran.text();
        assert!(!said.contains("horse"), "{said}");
        (ran.code, said)
    };
    let (code, said) = typed(
        "correct horse|correct horse",
        &["key", "new", "--encrypt", "a.key"],
    );
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("New passphrase for a.key: ") && said.contains("Once more: "),
        "{said}"
    );
    assert_eq!(shown(&place, "a.key")["encrypted"], true);
    let (code, said) = typed("correct horse", &["key", "show", "a.key"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Passphrase of a.key: "), "{said}");
    let (code, said) = typed("wrong horse", &["key", "show", "a.key"]);
    assert_eq!(code, 1, "{said}");
    let (code, said) = typed(
        "one horse|other horse",
        &["key", "new", "--encrypt", "b.key"],
    );
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("the two passphrases differ") && !place.path("b.key").exists(),
        "{said}"
    );
}
