//! Java's own keystores, with keytool as judge.

use std::time::{Duration, SystemTime};

use ravelin_pki::keystore::{Entry, jks};
use ravelin_pki::{KeyStore, KeyStoreError, Passphrase};

use crate::identity::Identity;

/// An identity, and keytool's files `made.jks` and `made.jceks` with its key and its root.
fn with_files_of_keytool() -> Identity {
    let identity = Identity::new("changeit");
    identity
        .folder
        .run(
            "pkcs12 -export -inkey leaf.key -in leaf.pem -certfile above.pem -name leaf \
             -passout file:pass -out made.p12",
        )
        .unwrap();
    let keytool = |arguments: String| identity.folder.tool("keytool", &arguments).unwrap();
    for kind in ["jks", "jceks"] {
        keytool(format!(
            "-importkeystore -srckeystore made.p12 -srcstorepass changeit \
             -destkeystore made.{kind} -deststoretype {kind} -deststorepass changeit"
        ));
        keytool(format!(
            "-importcert -noprompt -alias root -file root.pem -storetype {kind} \
             -storepass changeit -keystore made.{kind}"
        ));
    }
    identity
}

#[test]
fn what_keytool_writes_is_read() {
    let identity = with_files_of_keytool();
    for kind in ["jks", "jceks"] {
        let file = identity.folder.read(&format!("made.{kind}"));
        assert!(jks::is_jks(&file));
        let store = jks::read(&file, &"changeit".into()).unwrap();
        identity.assert_in(&store, kind);
        let age = store.entries[0].created.unwrap().elapsed().unwrap();
        assert!(age < Duration::from_secs(600), "{age:?}");
        assert_eq!(store.entries.len(), 2);
        assert!(store.certificates().any(|der| *der == identity.chain[2]));
        assert_eq!(
            jks::read(&file, &"wrong".into()),
            Err(KeyStoreError::WrongPassphrase)
        );
    }
}

#[test]
fn what_is_written_is_read_by_keytool_and_read_again() {
    let identity = Identity::new("");
    let passphrase = Passphrase::from("changeit");
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    let file = jks::write(&identity.store("Leaf"), &passphrase, now).unwrap();
    let mut expected = identity.store("leaf");
    expected
        .entries
        .iter_mut()
        .for_each(|entry| entry.created = Some(now));
    assert_eq!(jks::read(&file, &passphrase), Ok(expected));

    identity.folder.write("ours.jks", &file);
    let arguments = "-list -v -keystore ours.jks -storetype JKS -storepass changeit";
    let words = identity.folder.tool("keytool", arguments).unwrap();
    assert!(words.contains("contains 2 entries"), "{words}");
    assert!(words.contains("Certificate chain length: 3"), "{words}");
    assert!(words.contains("Entry type: trustedCertEntry"), "{words}");
    // Java opens the key when it writes it anew.
    let again = "-importkeystore -srckeystore ours.jks -srcstorepass changeit -noprompt \
                 -destkeystore again.p12 -deststoretype PKCS12 -deststorepass changeit";
    identity.folder.tool("keytool", again).unwrap();
    let again = identity.folder.read("again.p12");
    let store = ravelin_pki::keystore::pkcs12::read(&again, &passphrase).unwrap();
    identity.assert_in(&store, "keytool");
}

#[test]
fn damage_is_told_from_a_wrong_passphrase_where_it_can_be() {
    let identity = Identity::new("");
    let passphrase = Passphrase::from("changeit");
    let store = identity.store("leaf");
    let file = jks::write(&store, &passphrase, SystemTime::UNIX_EPOCH).unwrap();
    // A key opens all the same when a certificate was changed.
    let mut changed = file.clone();
    let place = changed.len() - 30;
    changed[place] ^= 1;
    let damaged = jks::read(&changed, &passphrase).unwrap_err();
    assert!(
        matches!(damaged, KeyStoreError::Damaged { .. }),
        "{damaged:?}"
    );
    for cut in [0, 3, 4, 11, 12, 100, file.len() - 1] {
        let error = jks::read(&file[..cut], &passphrase).unwrap_err();
        let expected = matches!(
            error,
            KeyStoreError::Damaged { .. } | KeyStoreError::WrongFormat { .. }
        );
        assert!(expected, "{cut}: {error:?}");
    }
    let of_key = jks::read_with_key_passphrase(&file, &passphrase, &"other".into());
    let alias = "leaf".to_owned();
    assert_eq!(of_key, Err(KeyStoreError::KeyPassphrase { alias }));
}

#[test]
fn a_key_with_a_passphrase_of_its_own_is_read() {
    let identity = Identity::new("");
    identity
        .folder
        .tool(
            "keytool",
            "-genkeypair -alias one -keyalg EC -dname CN=one -storepass changeit \
             -keypass another -storetype JKS -keystore own.jks",
        )
        .unwrap();
    let file = identity.folder.read("own.jks");
    let error = jks::read(&file, &"changeit".into()).unwrap_err();
    let alias = "one".to_owned();
    assert_eq!(error, KeyStoreError::KeyPassphrase { alias });
    assert!(error.hint().is_some());
    let store = jks::read_with_key_passphrase(&file, &"changeit".into(), &"another".into());
    assert_eq!(store.unwrap().keys().count(), 1);
}

#[test]
fn secret_keys_and_same_names_are_refused_in_words() {
    let identity = Identity::new("");
    identity
        .folder
        .tool(
            "keytool",
            "-genseckey -alias secret -keyalg AES -keysize 128 -storepass changeit \
             -storetype JCEKS -keystore secret.jceks",
        )
        .unwrap();
    let file = identity.folder.read("secret.jceks");
    let error = jks::read(&file, &"changeit".into()).unwrap_err();
    assert!(
        matches!(error, KeyStoreError::Unsupported { .. }),
        "{error:?}"
    );

    let mut store = KeyStore::default();
    for alias in ["a", "A"] {
        let root = identity.chain[2].clone();
        store.entries.push(Entry::trusted(alias, root));
    }
    let error = jks::write(&store, &"changeit".into(), SystemTime::UNIX_EPOCH).unwrap_err();
    assert_eq!(error.to_string(), "two entries have the alias \"a\"");
}

#[test]
fn all_roots_that_java_trusts_are_read() {
    let folder = crate::openssl::Openssl::new();
    // Debian's, in either format.
    let path = "/etc/ssl/certs/java/cacerts";
    let file = std::fs::read(path).unwrap();
    let read = if jks::is_jks(&file) {
        jks::read(&file, &"changeit".into())
    } else {
        ravelin_pki::keystore::pkcs12::read(&file, &"changeit".into())
    };
    let entries = read.unwrap().entries;
    let arguments = format!("-list -keystore {path} -storepass changeit");
    let words = folder.tool("keytool", &arguments).unwrap();
    let count = format!("contains {} entries", entries.len());
    assert!(words.contains(&count), "{count}");
    assert!(entries.len() > 100);
}
