//! The files that Python's `cryptography` tests itself with (`cryptography-vectors`). Each one is
//! named here with what comes of it: a file more or less, or another outcome, fails.

use std::fs;
use std::path::Path;

use ravelin_pki::encrypted_key::{self, EncryptedKeyError};
use ravelin_pki::keystore::{Content, KeyStore, pkcs12};
use ravelin_pki::{Certificate, CertificateRequest, PrivateKey, PrivateKeyDer, pem, pkcs7};

use crate::counts;
use crate::peers::{vector, vector_names};

/// Reads all files of a folder, and gives a line for each: its name, and what came of it.
fn outcomes(folder: &str, read: impl Fn(&[u8]) -> String) -> String {
    let mut lines = String::new();
    // What has no ending is a folder.
    for name in vector_names(folder)
        .iter()
        .filter(|name| name.contains('.'))
    {
        let outcome = read(&vector(&format!("{folder}/{name}")));
        lines += &[name, ": ", &outcome, "\n"].concat();
    }
    lines
}

/// Compares with a file of the folder `vectors`, which `RAVELIN_BLESS=1` writes anew.
fn assert_is(found: &str, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/vectors")
        .join(file);
    if std::env::var_os("RAVELIN_BLESS").is_some() {
        fs::write(&path, found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(&path).unwrap());
}

fn in_words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text += " / ";
        text += &error.to_string();
        source = error.source();
    }
    text
}

fn contents(store: &KeyStore) -> String {
    let words = store.entries.iter().map(|entry| {
        let what = match &entry.content {
            Content::Key { key, chain } => {
                let key = PrivateKeyDer::from(key.clone_key());
                let key = PrivateKey::from_der(&key).map_err(|_| ());
                let leaf = chain
                    .first()
                    .map(|leaf| Certificate::from_der(leaf).unwrap());
                let fits = match (&key, &leaf) {
                    (Ok(key), Some(leaf)) if leaf.matches(key) => "key and its certificate",
                    (Ok(_), None) => "key",
                    (Err(()), _) => "key that is not used",
                    _ => "key and another certificate",
                };
                match chain.len() {
                    0 | 1 => fits.to_owned(),
                    more => format!("{fits} and {} above", more - 1),
                }
            }
            Content::Certificate { trusted: true, .. } => "trusted certificate".to_owned(),
            Content::Certificate { .. } => "certificate".to_owned(),
        };
        match &entry.alias {
            Some(alias) => format!("{what} \"{alias}\""),
            None => what,
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

#[test]
fn pkcs12_files_of_others_are_read() {
    let found = outcomes("pkcs12", |file| {
        for passphrase in ["", "cryptography", "password"] {
            match pkcs12::read(file, &passphrase.into()) {
                Ok(store) => return format!("under \"{passphrase}\", {}", contents(&store)),
                Err(ravelin_pki::KeyStoreError::WrongPassphrase) => {}
                Err(error) => return in_words(&error),
            }
        }
        "no passphrase".to_owned()
    });
    assert_is(&found, "pkcs12.txt");
    let read = lines_with(&found, ": under ");
    counts::PKCS12.assert_is(read, found.lines().count(), 0);
}

#[test]
fn pkcs7_files_of_others_are_read() {
    let found = outcomes("pkcs7", |file| match pkcs7::read(file) {
        Ok(bundle) => format!("{} certificates", bundle.certificates.len()),
        Err(error) => in_words(&error),
    });
    assert_is(&found, "pkcs7.txt");
    let read = lines_with(&found, " certificates");
    counts::PKCS7.assert_is(
        read - lines_with(&found, "no certificates"),
        found.lines().count(),
        0,
    );
}

#[test]
fn private_keys_of_others_are_decrypted() {
    let decrypted = |file: &[u8]| {
        for passphrase in PASSPHRASES {
            match encrypted_key::decrypt(file, &(*passphrase).into()) {
                Ok(key) => {
                    return match PrivateKey::from_der(&key) {
                        Ok(_) => format!("under \"{passphrase}\""),
                        Err(_) => format!("under \"{passphrase}\", key that is not used"),
                    };
                }
                Err(EncryptedKeyError::WrongPassphrase) => {}
                Err(error) => return in_words(&error),
            }
        }
        "no passphrase".to_owned()
    };
    let mut found = String::new();
    for folder in [
        "PKCS8",
        "Traditional_OpenSSL_Serialization",
        "DER_Serialization",
    ] {
        found.push_str(folder);
        found.push('\n');
        found += &outcomes(&format!("asymmetric/{folder}"), decrypted);
        found += "\n";
    }
    assert_is(&found, "encrypted_keys.txt");
    let read = lines_with(&found, ": under ");
    // The rest of the files are not encrypted, or hold public keys.
    let refused = lines_with(&found, ": the private key cannot be decrypted")
        + lines_with(&found, "is encrypted, but its DEK-Info header");
    counts::ENCRYPTED_KEYS.assert_is(read, read + refused, 0);
}

/// Certificates of all makers, and those that are made to be wrong.
#[test]
fn certificates_of_others_are_read() {
    let mut found = String::new();
    for folder in ["x509", "x509/custom", "x509/ed25519", "x509/ed448"] {
        let read = outcomes(folder, |file| match certificates(file) {
            Ok(number) => format!("{number} certificates"),
            Err(error) => error,
        });
        let lists = |line: &&str| !line.contains("crl") || line.contains("crldp");
        let is_certificate = |line: &&str| lists(line) && !line.ends_with(": none");
        let lines = read.lines().filter(is_certificate);
        found += &[folder, "\n"].concat();
        lines.for_each(|line| found += &[line, "\n"].concat());
        found += "\n";
    }
    assert_is(&found, "certificates.txt");
    let read = lines_with(&found, " certificates");
    counts::CERTIFICATES.assert_is(read, lines_with(&found, ": "), 0);
}

/// How many certificates are in a file; `none` where it is about something else.
fn certificates(file: &[u8]) -> Result<usize, String> {
    let ders = if is_der(file) {
        vec![file.to_vec().into()]
    } else {
        pem::certificates(file).map_err(|error| match error {
            pem::PemError::NoCertificate { .. } => "none".to_owned(),
            error => in_words(&error),
        })?
    };
    let read = ders.iter().map(|der| Certificate::from_der(der));
    let read: Result<Vec<_>, _> = read.collect();
    read.map(|read| read.len())
        .map_err(|error| in_words(&error))
}

#[test]
fn requests_of_others_are_read() {
    let found = outcomes("x509/requests", |file| {
        let der = if is_der(file) {
            Ok(file.to_vec())
        } else {
            pem::certificate_request(file)
        };
        match der.map(|der| CertificateRequest::from_der(&der)) {
            Ok(Ok(_)) => "a request".to_owned(),
            Ok(Err(error)) => in_words(&error),
            Err(error) => in_words(&error),
        }
    });
    assert_is(&found, "requests.txt");
    let read = lines_with(&found, ": a request");
    counts::REQUESTS.assert_is(read, found.lines().count(), 0);
}

/// The tag of a SEQUENCE, which is no letter of PEM.
fn is_der(file: &[u8]) -> bool {
    file.first() == Some(&0x30)
}

fn lines_with(text: &str, part: &str) -> usize {
    text.lines().filter(|line| line.contains(part)).count()
}

const PASSPHRASES: &[&str] = &[
    "",
    "foobar",
    "baz",
    "password",
    "123456",
    "hunter2",
    "hunter42",
    "PolarSSLTest",
    "Red Hat Enterprise Linux 7.4",
    "asdf",
    "a123456",
    "tulip",
    "passwordpassword",
];
