//! `ravelin cert convert`: what others wrote in each format is read, and what is written in each they
//! read back.

use std::os::unix::fs::PermissionsExt as _;

use crate::server::Place;
use crate::show::{python, tool};

/// A root, an intermediate and a leaf with its key, made by openssl; in files of each format that
/// others write. All passphrases are `secret`.
fn made_by_others() -> Place {
    let place = Place::new();
    place.write("secret.txt", "secret\n");
    place.write("new.txt", "different\n");
    place.write("ca.cnf", "basicConstraints=critical,CA:true\n");
    place.write(
        "leaf.cnf",
        "basicConstraints=CA:false\nsubjectAltName=DNS:leaf.test\n",
    );
    for name in ["root", "sub", "leaf"] {
        tool(
            &place,
            &format!("openssl ecparam -name prime256v1 -genkey -noout -out {name}.sec1"),
        );
        tool(
            &place,
            &format!("openssl pkcs8 -topk8 -nocrypt -in {name}.sec1 -out {name}.key"),
        );
        tool(
            &place,
            &format!("openssl req -new -key {name}.key -subj /CN={name} -out {name}.csr"),
        );
    }
    tool(
        &place,
        "openssl x509 -req -in root.csr -signkey root.key -extfile ca.cnf -days 99 -out root.pem",
    );
    tool(
        &place,
        "openssl x509 -req -in sub.csr -CA root.pem -CAkey root.key -CAcreateserial -extfile ca.cnf -days 99 -out sub.pem",
    );
    tool(
        &place,
        "openssl x509 -req -in leaf.csr -CA sub.pem -CAkey sub.key -CAcreateserial -extfile leaf.cnf -days 99 -out leaf.pem",
    );
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    // In an order that no server could send.
    place.write(
        "chain.pem",
        read("root.pem") + &read("leaf.pem") + &read("sub.pem"),
    );
    place.write("all.pem", read("chain.pem") + &read("leaf.sec1"));
    place.write("rest.pem", read("sub.pem") + &read("root.pem"));
    tool(
        &place,
        "openssl pkcs12 -export -in leaf.pem -inkey leaf.key -certfile rest.pem -name it -passout pass:secret -out all.p12",
    );
    tool(
        &place,
        "openssl pkcs12 -export -legacy -in leaf.pem -inkey leaf.key -certfile rest.pem -name it -passout pass:secret -out old.p12",
    );
    tool(
        &place,
        "keytool -importkeystore -srckeystore all.p12 -srcstorepass secret -destkeystore all.jks -deststoretype JKS -deststorepass secret -noprompt",
    );
    tool(
        &place,
        "openssl crl2pkcs7 -nocrl -certfile chain.pem -out chain.p7b",
    );
    tool(
        &place,
        "openssl crl2pkcs7 -nocrl -certfile chain.pem -outform DER -out chain.p7c",
    );
    place
}

const PASSPHRASES: [&str; 4] = [
    "--passphrase-file",
    "secret.txt",
    "--new-passphrase-file",
    "new.txt",
];

fn convert(place: &Place, arguments: &[&str]) {
    let mut all = vec!["cert", "convert", "--force"];
    all.extend(arguments);
    place.run(&all).expect(0, &["wrote"]);
}

#[test]
fn every_format_with_a_key_becomes_every_other_and_judges_read_it() {
    let place = made_by_others();
    let fingerprint = tool(
        &place,
        "openssl x509 -in leaf.pem -noout -fingerprint -sha256",
    );
    let fingerprint = fingerprint.split('=').nth(1).unwrap().trim();
    for from in ["all.pem", "all.p12", "old.p12", "all.jks"] {
        // A key that is not encrypted is not asked a new passphrase for.
        convert(
            &place,
            &["--passphrase-file", "secret.txt", from, "out.pem"],
        );
        python(
            &place,
            "import ssl; ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain('out.pem')",
            &[],
        );
        let first = tool(&place, "openssl x509 -in out.pem -noout -subject");
        assert!(
            first.contains("leaf"),
            "{from}: the leaf comes first: {first}"
        );
        assert_eq!(mode(&place, "out.pem"), 0o600, "{from}");
        let pem = std::fs::read_to_string(place.path("out.pem")).unwrap();
        assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 3, "{from}");
        let judged = tool(
            &place,
            "openssl verify -CAfile root.pem -untrusted out.pem out.pem",
        );
        assert!(judged.contains("OK"), "{judged}");

        for reader in ["openssl3", "macos", "windows", "java"] {
            let mut arguments = vec!["--for", reader, from, "out.p12"];
            arguments.extend(PASSPHRASES);
            convert(&place, &arguments);
            assert_eq!(mode(&place, "out.p12"), 0o600, "{from}");
            let keys = tool(
                &place,
                "openssl pkcs12 -in out.p12 -passin pass:different -nodes -legacy",
            );
            assert!(
                keys.contains("PRIVATE KEY") && keys.contains("leaf"),
                "{from}, {reader}"
            );
            let read = python(
                &place,
                "from cryptography.hazmat.primitives.serialization import pkcs12\n\
                 p = pkcs12.load_pkcs12(open('out.p12','rb').read(), b'different')\n\
                 print(p.cert.certificate.public_key() == p.key.public_key(), len(p.additional_certs))",
                &[],
            );
            assert_eq!(read.trim(), "True 2", "{from}, {reader}");
            let info = tool(
                &place,
                "certtool --p12-info --inder --infile out.p12 --password different",
            );
            assert!(
                info.contains("BEGIN CERTIFICATE"),
                "{from}, {reader}: {info}"
            );
        }
        let listed = tool(
            &place,
            "keytool -list -v -keystore out.p12 -storepass different",
        );
        assert!(
            listed.contains("PrivateKeyEntry") && listed.contains(fingerprint),
            "{listed}"
        );
        assert!(listed.contains("chain length: 3"), "{from}: {listed}");

        let mut arguments = vec![from, "out.jks"];
        arguments.extend(PASSPHRASES);
        convert(&place, &arguments);
        let listed = tool(
            &place,
            "keytool -list -v -keystore out.jks -storepass different",
        );
        assert!(
            listed.contains("PrivateKeyEntry") && listed.contains(fingerprint),
            "{listed}"
        );
        assert!(listed.contains("chain length: 3"), "{from}: {listed}");
    }
}

#[test]
fn certificates_become_every_format_and_judges_read_it() {
    let place = made_by_others();
    for from in ["chain.pem", "chain.p7b", "chain.p7c", "all.jks"] {
        for (to, form) in [("out.p7b", "PEM"), ("out.p7c", "DER")] {
            convert(&place, &["--passphrase-file", "secret.txt", from, to]);
            let printed = tool(
                &place,
                &format!("openssl pkcs7 -inform {form} -in {to} -print_certs"),
            );
            assert_eq!(
                printed.matches("BEGIN CERTIFICATE").count(),
                3,
                "{from}, {to}"
            );
            let inder = if form == "DER" { "--inder" } else { "" };
            let info = tool(&place, &format!("certtool --p7-info {inder} --infile {to}"));
            assert!(
                info.contains("Number of certificates: 3"),
                "{from}, {to}: {info}"
            );
        }
        if from == "all.jks" {
            continue;
        }
        convert(&place, &[from, "out.pem"]);
        let judged = tool(
            &place,
            "openssl verify -CAfile root.pem -untrusted out.pem out.pem",
        );
        assert!(judged.contains("OK"), "{from}: {judged}");
        assert_eq!(
            mode(&place, "out.pem") & 0o077,
            0o044,
            "certificates are for all to read"
        );
        // As what is trusted: Java takes them for roots.
        convert(
            &place,
            &[
                "--for",
                "java",
                "--new-passphrase-file",
                "new.txt",
                from,
                "trust.p12",
            ],
        );
        convert(
            &place,
            &["--new-passphrase-file", "new.txt", from, "trust.jks"],
        );
        for store in ["trust.p12", "trust.jks"] {
            let listed = tool(
                &place,
                &format!("keytool -list -keystore {store} -storepass different"),
            );
            assert_eq!(
                listed.matches("trustedCertEntry").count(),
                3,
                "{from}: {listed}"
            );
        }
    }
}

#[test]
fn one_thing_becomes_der_and_comes_back() {
    let place = made_by_others();
    for (from, judge) in [
        ("leaf.pem", "openssl x509 -inform DER -in out.der -noout"),
        (
            "leaf.csr",
            "openssl req -inform DER -in out.der -noout -verify",
        ),
        (
            "leaf.sec1",
            "openssl pkey -inform DER -in out.der -noout -check",
        ),
    ] {
        convert(&place, &[from, "out.der"]);
        tool(&place, judge);
        convert(&place, &["out.der", "back.pem"]);
    }
    place
        .run(&["cert", "convert", "chain.pem", "several.der"])
        .expect(
            2,
            &["a DER file holds one thing", "3 certificates", "hint: "],
        );
    assert!(!place.path("several.der").exists());
}

#[test]
fn keys_can_be_encrypted_on_the_way() {
    let place = made_by_others();
    convert(
        &place,
        &["--new-passphrase-file", "new.txt", "all.pem", "out.pem"],
    );
    let pem = std::fs::read_to_string(place.path("out.pem")).unwrap();
    assert!(pem.contains("BEGIN ENCRYPTED PRIVATE KEY") && !pem.contains("BEGIN PRIVATE KEY"));
    tool(
        &place,
        "openssl pkey -in out.pem -passin pass:different -noout",
    );
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let place = made_by_others();
    for key in [&["--key", "sub.key"][..], &["--key", "root.key"]] {
        let mut arguments = vec!["cert", "convert", "leaf.pem", "out.p12"];
        arguments.extend(key);
        arguments.extend(PASSPHRASES);
        place.run(&arguments).expect(
            2,
            &["belongs to none of the certificates (leaf.test)", "hint: "],
        );
        assert!(!place.path("out.p12").exists());
    }
    let mut arguments = vec![
        "--key",
        "leaf.key",
        "--alias",
        "mine",
        "chain.pem",
        "out.p12",
    ];
    arguments.extend(PASSPHRASES);
    convert(&place, &arguments);
    let listed = tool(
        &place,
        "keytool -list -keystore out.p12 -storepass different",
    );
    assert!(
        listed.contains("mine,") && listed.contains("PrivateKeyEntry"),
        "{listed}"
    );
}

#[test]
fn nothing_is_overwritten_or_guessed() {
    let place = made_by_others();
    place.write("there.pem", "mine");
    place
        .run(&["cert", "convert", "leaf.pem", "there.pem"])
        .expect(4, &["there.pem", "--force"]);
    assert_eq!(
        std::fs::read_to_string(place.path("there.pem")).unwrap(),
        "mine"
    );
    place
        .run(&["cert", "convert", "leaf.pem", "out.what"])
        .expect(2, &["nothing says in which format", "--to"]);
    place
        .run(&["cert", "convert", "leaf.pem", "out.p12"])
        .expect(2, &["a passphrase is needed", "--new-passphrase-file"]);
    place.write("wrong.txt", "wrong\n");
    place
        .run(&[
            "cert",
            "convert",
            "--passphrase-file",
            "wrong.txt",
            "all.p12",
            "out.pem",
        ])
        .expect(1, &["passphrase", "wrong"]);
    place.write("short.txt", "short\n");
    place
        .run(&[
            "cert",
            "convert",
            "--new-passphrase-file",
            "short.txt",
            "leaf.pem",
            "out.jks",
        ])
        .expect(2, &["6 characters"]);
    let piped = place.run(&["cert", "convert", "--to", "pem", "chain.p7b", "-"]);
    piped.expect(0, &[]);
    assert!(
        piped.stdout.starts_with("-----BEGIN CERTIFICATE"),
        "{piped:?}"
    );
    let lost = place.run(&["cert", "convert", "all.pem", "out.p7b"]);
    lost.expect(0, &["warning: ", "the private key is left out"]);
}

fn mode(place: &Place, file: &str) -> u32 {
    let metadata = std::fs::metadata(place.path(file)).unwrap();
    metadata.permissions().mode() & 0o777
}
