//! The files that Python's `cryptography` tests itself with (`cryptography-vectors`). Each one is
//! named here with what comes of it: a file more or less, or another outcome, fails.

use std::fs;
use std::path::Path;

use ravelin_pki::encrypted_key::{self, EncryptedKeyError};
use ravelin_pki::keystore::{Content, KeyStore, pkcs12};
use ravelin_pki::{Certificate, PrivateKey, PrivateKeyDer, pkcs7};

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
    assert_eq!(found.lines().count(), 31);
}

#[test]
fn pkcs7_files_of_others_are_read() {
    let found = outcomes("pkcs7", |file| match pkcs7::read(file) {
        Ok(bundle) => format!("{} certificates", bundle.certificates.len()),
        Err(error) => in_words(&error),
    });
    assert_is(&found, "pkcs7.txt");
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
    let read = found
        .lines()
        .filter(|line| line.contains(": under "))
        .count();
    assert_eq!(read, 28);
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
