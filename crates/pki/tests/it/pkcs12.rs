//! PKCS#12, written and read by openssl, keytool, certtool, NSS and Python's cryptography.

use ravelin_pki::keystore::{Entry, Pkcs12For, jks, pkcs12};
use ravelin_pki::{KeyStore, KeyStoreError, Passphrase, PrivateKeyDer};

use crate::identity::Identity;
use crate::peers::python;

const TARGETS: [Pkcs12For; 4] = [
    Pkcs12For::OpenSsl3,
    Pkcs12For::MacOs,
    Pkcs12For::Windows,
    Pkcs12For::Java,
];

#[test]
fn what_openssl_writes_is_read_whatever_the_algorithms() {
    for passphrase in ["changeit", "", "pässwörd €"] {
        let identity = Identity::new(passphrase);
        for how in [
            "",
            "-legacy",
            "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
            "-keypbe PBE-SHA1-2DES -certpbe PBE-SHA1-RC2-128 -legacy",
            "-keypbe PBE-SHA1-RC2-40 -certpbe AES-128-CBC -macalg sha224 -legacy",
            "-keypbe AES-192-CBC -certpbe AES-256-CBC -macalg sha512",
            "-keypbe DES-EDE3-CBC -certpbe NONE -macalg sha384",
            "-keypbe NONE -certpbe NONE",
            "-keypbe NONE -certpbe NONE -nomac",
            "-nomac",
            "-iter 1 -nomaciter",
        ] {
            let made = identity.folder.run(&format!(
                "pkcs12 -export -inkey leaf.key -in leaf.pem -certfile above.pem -name leaf \
                 -passout file:pass -out made.p12 {how}"
            ));
            made.unwrap_or_else(|words| panic!("{how}: {words}"));
            let file = identity.folder.read("made.p12");
            let store = pkcs12::read(&file, &passphrase.into());
            let store = store.unwrap_or_else(|error| panic!("{how}: {error:?}"));
            identity.assert_in(&store, how);
            assert_eq!(store.entries[0].alias.as_deref(), Some("leaf"), "{how}");
            assert_eq!(store.entries.len(), 1, "{how}");
            let without = how.contains("-certpbe NONE -nomac");
            let wrong = pkcs12::read(&file, &"wrong".into());
            if without {
                assert_eq!(wrong, Ok(store), "{how}");
            } else {
                assert_eq!(wrong, Err(KeyStoreError::WrongPassphrase), "{how}");
            }
        }
    }
}

#[test]
fn what_certtool_and_nss_write_is_read() {
    let identity = Identity::new("changeit");
    for cipher in ["3des-pkcs12", "aes-128", "aes-256", "rc2-40"] {
        let made = identity.folder.tool(
            "certtool",
            &format!(
                "--to-p12 --load-privkey leaf.key --load-certificate chain.pem \
                 --p12-name leaf --password changeit \
                 --pkcs-cipher {cipher} --outder --outfile made.p12"
            ),
        );
        made.unwrap();
        let store = pkcs12::read(&identity.folder.read("made.p12"), &"changeit".into());
        identity.assert_in(&store.unwrap(), cipher);
    }
    let file = pkcs12::write(
        &identity.store("leaf"),
        &"changeit".into(),
        Pkcs12For::default(),
    );
    identity.folder.write("ours.p12", file.unwrap());
    let nss = |tool: &str, arguments: &str| identity.folder.tool(tool, arguments).unwrap();
    nss("certutil", "-N -d sql:. --empty-password");
    nss("pk12util", "-i ours.p12 -d sql:. -W changeit");
    for more in [
        "",
        "-c DES-EDE3-CBC -C NONE -M SHA-1",
        "-c AES-128-CBC -C AES-256-CBC",
    ] {
        nss(
            "pk12util",
            &format!("-o nss.p12 -n leaf -d sql:. -W changeit {more}"),
        );
        let store = pkcs12::read(&identity.folder.read("nss.p12"), &"changeit".into()).unwrap();
        let keys: Vec<_> = store.keys().collect();
        assert_eq!(keys[0].1, identity.chain, "{more}");
    }
}

#[test]
fn what_keytool_writes_is_read() {
    let identity = Identity::new("changeit");
    let keytool = |arguments: &str| identity.folder.tool("keytool", arguments).unwrap();
    for old in ["", "-J-Dkeystore.pkcs12.legacy"] {
        keytool(&format!(
            "{old} -genkeypair -alias made -keyalg RSA -dname CN=made -storepass changeit \
             -storetype PKCS12 -keystore made{old}.p12"
        ));
        keytool(&format!(
            "{old} -importcert -noprompt -alias root -file root.pem -storepass changeit \
             -storetype PKCS12 -keystore made{old}.p12"
        ));
        let file = identity.folder.read(&format!("made{old}.p12"));
        let store = pkcs12::read(&file, &"changeit".into()).unwrap();
        let aliases: Vec<_> = store
            .entries
            .iter()
            .map(|entry| entry.alias.as_deref())
            .collect();
        assert_eq!(aliases, [Some("made"), Some("root")]);
        let (key, chain) = store.keys().next().unwrap();
        let key = PrivateKeyDer::from(key.clone_key());
        let leaf = ravelin_pki::Certificate::from_der(&chain[0]).unwrap();
        assert_eq!(leaf.public_key_matches(&key).ok(), Some(true));
        assert_eq!(store.certificates().nth(1), Some(&identity.chain[2]));
    }
}

#[test]
fn what_is_written_for_each_is_read_by_openssl_certtool_and_nss() {
    for passphrase in ["changeit", "pässwörd €"] {
        let identity = Identity::new(passphrase);
        for target in TARGETS {
            let file = pkcs12::write(&identity.store("leaf"), &passphrase.into(), target).unwrap();
            identity.folder.write("ours.p12", &file);
            let ours = |command: &str| {
                let words = identity.folder.run(command);
                words.unwrap_or_else(|words| panic!("{target:?}: {words}"))
            };
            ours("pkcs12 -in ours.p12 -passin file:pass -nodes -nocerts -out key.pem");
            ours("pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der");
            assert_eq!(
                identity.folder.read("key.der"),
                identity.key.secret_pkcs8_der()
            );
            let words = ours("pkcs12 -in ours.p12 -passin file:pass -nokeys -info");
            assert_eq!(words.matches("BEGIN CERTIFICATE").count(), 4, "{words}");
            let (mac, cipher) = match target {
                Pkcs12For::MacOs => ("sha1", "pbeWithSHA1And3-KeyTripleDES-CBC"),
                _ => ("sha256", "PBES2, PBKDF2, AES-256-CBC"),
            };
            assert!(words.contains(&format!("MAC: {mac}")), "{words}");
            assert!(words.contains(cipher), "{words}");
            if passphrase.is_ascii() {
                let arguments = "--p12-info --inder --infile ours.p12 --password changeit";
                let words = identity.folder.tool("certtool", arguments).unwrap();
                assert_eq!(words.matches("BEGIN CERTIFICATE").count(), 4, "{words}");
            }
        }
    }
}

#[test]
fn what_is_written_for_each_is_read_by_java_and_python() {
    let identity = Identity::new("changeit");
    for target in TARGETS {
        let file = pkcs12::write(&identity.store("leaf"), &"changeit".into(), target).unwrap();
        identity.folder.write("ours.p12", &file);
        let arguments = "-list -v -keystore ours.p12 -storetype PKCS12 -storepass changeit";
        let words = identity.folder.tool("keytool", arguments).unwrap();
        assert!(words.contains("contains 2 entries"), "{words}");
        assert!(words.contains("Entry type: PrivateKeyEntry"), "{words}");
        assert!(words.contains("Certificate chain length: 3"), "{words}");
        assert!(words.contains("Entry type: trustedCertEntry"), "{words}");
        // Java opens the key too when it writes it anew.
        let again = format!(
            "-importkeystore -srckeystore ours.p12 -srcstorepass changeit -noprompt \
             -destkeystore {target:?}.jks -deststoretype JKS -deststorepass changeit"
        );
        identity.folder.tool("keytool", &again).unwrap();
        let store = identity.folder.read(&format!("{target:?}.jks"));
        identity.assert_in(&jks::read(&store, &"changeit".into()).unwrap(), "keytool");

        let words = python(IN_PYTHON, &[identity.folder.name()]);
        assert_eq!(words.trim(), "b'leaf' leaf issuer,root,root");
    }
}

const IN_PYTHON: &str = "
import os, sys, warnings
os.chdir(sys.argv[1])
warnings.simplefilter('error')
from cryptography.hazmat.primitives.serialization import pkcs12
store = pkcs12.load_pkcs12(open('ours.p12', 'rb').read(), b'changeit')
assert store.key.public_key() == store.cert.certificate.public_key()
name = lambda certificate: certificate.subject.rdns[0].rfc4514_string()[3:]
print(store.cert.friendly_name, name(store.cert.certificate),
      ','.join(sorted(name(more.certificate) for more in store.additional_certs)))
";

#[test]
fn what_is_written_is_read_again_whatever_is_in_it() {
    let identity = Identity::new("");
    for target in TARGETS {
        for passphrase in ["", "changeit", "\u{1f600}"] {
            let passphrase = Passphrase::from(passphrase);
            let mut store = identity.store("leaf");
            store.entries[0].alias = None;
            store
                .entries
                .push(Entry::key("ключ", identity.key.clone_key(), Vec::new()));
            for store in [store, KeyStore::default()] {
                let file = pkcs12::write(&store, &passphrase, target).unwrap();
                assert!(pkcs12::is_pkcs12(&file));
                // A key without a chain finds its certificate by its public key.
                let mut read = pkcs12::read(&file, &passphrase).unwrap();
                if let Some(entry) = read.entries.get_mut(1) {
                    let expected =
                        Entry::key("ключ", identity.key.clone_key(), identity.chain.clone());
                    assert_eq!(*entry, expected);
                    read.entries.swap(1, 2);
                    assert_eq!(read.entries[..2], store.entries[..2]);
                } else {
                    assert_eq!(read, store);
                }
            }
        }
    }
}

#[test]
fn of_two_issuers_of_one_name_the_one_that_signed_is_in_the_chain() {
    let identity = Identity::new("");
    let other = Identity::new("");
    let mut store = KeyStore::default();
    // The other's are first, and have the same names.
    for (alias, index) in [("other issuer", 1), ("other root", 2)] {
        store
            .entries
            .push(Entry::trusted(alias, other.chain[index].clone()));
    }
    let key = Entry::key("leaf", identity.key.clone_key(), identity.chain.clone());
    store.entries.push(key);
    let file = pkcs12::write(&store, &"x".into(), Pkcs12For::Java).unwrap();
    let read = pkcs12::read(&file, &"x".into()).unwrap();
    identity.assert_in(&read, "ours");
    assert_eq!(read.entries.len(), 3);
}

#[test]
fn a_store_of_many_keys_that_was_written_is_read_again() {
    let identity = Identity::new("");
    let mut store = KeyStore::default();
    for number in 0..300 {
        let key = identity.key.clone_key();
        let name = format!("key {number}");
        let entry = Entry::key(name, key, identity.chain.clone());
        store.entries.push(entry);
    }
    for target in TARGETS {
        let file = pkcs12::write(&store, &"changeit".into(), target).unwrap();
        assert_eq!(
            pkcs12::read(&file, &"changeit".into()).as_ref(),
            Ok(&store),
            "{target:?}"
        );
    }
}

#[test]
fn damage_is_told_from_a_wrong_passphrase_where_it_can_be() {
    let identity = Identity::new("");
    let passphrase = Passphrase::from("changeit");
    let file = pkcs12::write(&identity.store("leaf"), &passphrase, Pkcs12For::Java).unwrap();
    assert_eq!(
        pkcs12::read(&file, &"wrong".into()),
        Err(KeyStoreError::WrongPassphrase)
    );
    let cut = pkcs12::read(&file[..file.len() - 1], &passphrase);
    assert!(matches!(cut, Err(KeyStoreError::Der(_))), "{cut:?}");
    let longer = pkcs12::read(&[file.as_slice(), b"x"].concat(), &passphrase);
    assert!(matches!(longer, Err(KeyStoreError::Der(_))), "{longer:?}");
    let other = pkcs12::read(identity.key.secret_pkcs8_der(), &passphrase);
    assert_eq!(other, Err(KeyStoreError::WrongFormat { format: "PKCS#12" }));
    let huge = pkcs12::read(&vec![0x30; 17 << 20], &passphrase);
    assert!(
        matches!(huge, Err(KeyStoreError::TooLong { .. })),
        "{huge:?}"
    );
}
