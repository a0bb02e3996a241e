//! Private keys under a passphrase, with openssl, keytool's Java, certtool and Python as judges.

use std::time::Instant;

use proptest::prelude::*;
use ravelin_pki::der::Writer;
use ravelin_pki::encrypted_key::{self, Derivation, EncryptedKeyError};
use ravelin_pki::pbe::PbeError;
use ravelin_pki::{Passphrase, PemError, PrivateKeyDer, pem};
use rustls_pki_types::PrivatePkcs8KeyDer;

use crate::openssl::Openssl;
use crate::peers::python;

/// A folder with a key in `key.pem` and its passphrase in `pass`.
fn folder(passphrase: &str) -> (Openssl, PrivatePkcs8KeyDer<'static>) {
    let folder = Openssl::new();
    folder.write("pass", format!("{passphrase}\n"));
    folder
        .run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem")
        .unwrap();
    folder
        .run("pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out key.der")
        .unwrap();
    let key = PrivatePkcs8KeyDer::from(folder.read("key.der"));
    (folder, key)
}

#[test]
fn what_openssl_encrypts_is_decrypted() {
    let (folder, key) = folder("pässwörd €");
    let passphrase = Passphrase::from("pässwörd €");
    for how in [
        "-v2 aes-128-cbc",
        "-v2 aes-192-cbc -v2prf hmacWithSHA512",
        "-v2 aes-256-cbc -v2prf hmacWithSHA1 -iter 1",
        "-v2 aes-256-cbc -v2prf hmacWithSHA224",
        "-v2 des3 -v2prf hmacWithSHA384",
        "-scrypt",
        "-scrypt -scrypt_N 4096 -scrypt_r 16 -scrypt_p 3",
        "-v1 PBE-SHA1-3DES",
        "-v1 PBE-SHA1-2DES",
        "-v1 PBE-SHA1-RC2-128 -provider legacy -provider default",
    ] {
        for form in ["PEM", "DER"] {
            let made = folder.run(&format!(
                "pkcs8 -topk8 -in key.pem -passout file:pass -outform {form} -out made {how}"
            ));
            made.unwrap_or_else(|words| panic!("{how}: {words}"));
            let file = folder.read("made");
            assert!(encrypted_key::is_encrypted(&file), "{how}");
            let decrypted = encrypted_key::decrypt(&file, &passphrase);
            let decrypted = decrypted.unwrap_or_else(|error| panic!("{how}: {error:?}"));
            assert_eq!(decrypted.secret_der(), key.secret_pkcs8_der(), "{how}");
            let wrong = encrypted_key::decrypt(&file, &"wrong".into());
            assert_eq!(wrong, Err(EncryptedKeyError::WrongPassphrase), "{how}");
        }
    }
}

#[test]
fn what_openssl_encrypted_before_pkcs8_is_decrypted() {
    let (folder, _) = folder("changeit");
    folder
        .run("ecparam -genkey -noout -name secp384r1 -out ec.pem")
        .unwrap();
    for cipher in ["aes128", "aes192", "aes256", "des3"] {
        for (kind, source) in [("rsa", "key.pem"), ("ec", "ec.pem")] {
            let traditional = if kind == "rsa" { "-traditional" } else { "" };
            folder
                .run(&format!(
                    "{kind} -in {source} -{cipher} -passout file:pass -out made {traditional}"
                ))
                .unwrap();
            folder
                .run(&format!(
                    "{kind} -in {source} -outform DER -out made.der {traditional}"
                ))
                .unwrap();
            let file = folder.read("made");
            assert!(String::from_utf8_lossy(&file).contains("DEK-Info"));
            assert!(encrypted_key::is_encrypted(&file));
            let key = encrypted_key::decrypt(&file, &"changeit".into()).unwrap();
            assert_eq!(key.secret_der(), folder.read("made.der"));
            assert_eq!(matches!(key, PrivateKeyDer::Sec1(_)), kind == "ec");
            let wrong = encrypted_key::decrypt(&file, &"wrong".into());
            assert_eq!(wrong, Err(EncryptedKeyError::WrongPassphrase));
        }
    }
}

#[test]
fn what_is_encrypted_is_decrypted_by_openssl_certtool_and_python() {
    for passphrase in ["pässwörd €", "x"] {
        let (folder, key) = folder(passphrase);
        for derivation in [Derivation::Pbkdf2, Derivation::Scrypt] {
            let made = encrypted_key::encrypt_to_pem(&key, &passphrase.into(), derivation).unwrap();
            folder.write("ours.pem", &made);
            let again = encrypted_key::decrypt(made.as_bytes(), &passphrase.into()).unwrap();
            assert_eq!(again.secret_der(), key.secret_pkcs8_der());

            folder
                .run("pkcs8 -in ours.pem -passin file:pass -out again.pem")
                .unwrap();
            folder
                .run("pkcs8 -topk8 -nocrypt -in again.pem -outform DER -out again")
                .unwrap();
            assert_eq!(folder.read("again"), key.secret_pkcs8_der());

            python(IN_PYTHON, &[folder.name()]);
            assert_eq!(folder.read("again"), key.secret_pkcs8_der());

            if passphrase == "x" && derivation == Derivation::Pbkdf2 {
                let command = "--key-info --infile ours.pem --password x";
                let words = folder.tool("certtool", command).unwrap();
                assert!(words.contains("Public Key Algorithm: RSA"), "{words}");
            }
        }
    }
}

const IN_PYTHON: &str = "
import os, sys, warnings
os.chdir(sys.argv[1])
warnings.simplefilter('error')
from cryptography.hazmat.primitives import serialization as s
passphrase = open('pass', 'rb').read().rstrip(b'\\n')
key = s.load_pem_private_key(open('ours.pem', 'rb').read(), passphrase)
open('again', 'wb').write(key.private_bytes(s.Encoding.DER, s.PrivateFormat.PKCS8, s.NoEncryption()))
";

#[test]
fn java_opens_what_is_encrypted() {
    let (folder, key) = folder("changeit");
    let made = encrypted_key::encrypt(&key, &"changeit".into(), Derivation::Pbkdf2).unwrap();
    folder.write("ours.der", &made);
    folder.write("Open.java", IN_JAVA);
    let words = folder.tool("java", "Open.java").unwrap();
    assert_eq!(words.trim(), "RSA");
}

const IN_JAVA: &str = r#"
import java.nio.file.*;
import java.security.*;
import java.security.spec.*;
import javax.crypto.*;
import javax.crypto.spec.*;
class Open {
    public static void main(String[] none) throws Exception {
        var info = new EncryptedPrivateKeyInfo(Files.readAllBytes(Path.of("ours.der")));
        var name = info.getAlgParameters().toString();
        var secret = SecretKeyFactory.getInstance(name).generateSecret(
            new PBEKeySpec("changeit".toCharArray()));
        var cipher = Cipher.getInstance(name);
        cipher.init(Cipher.DECRYPT_MODE, secret, info.getAlgParameters());
        var key = KeyFactory.getInstance("RSA").generatePrivate(info.getKeySpec(cipher));
        System.out.println(key.getAlgorithm());
    }
}
"#;

/// An `EncryptedPrivateKeyInfo` with a key derivation of one's own.
fn with_derivation(derivation: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.sequence(|w| {
        w.sequence(|w| {
            w.oid(&"1.2.840.113549.1.5.13".parse().unwrap());
            w.sequence(|w| {
                w.sequence(derivation);
                w.sequence(|w| {
                    w.oid(&"2.16.840.1.101.3.4.1.42".parse().unwrap());
                    w.octet_string(&[0; 16]);
                });
            });
        });
        w.octet_string(&[0; 64]);
    });
    writer.into_bytes()
}

#[test]
fn a_file_cannot_ask_for_minutes_or_gigabytes() {
    let pbkdf2 = |iterations: u64| {
        with_derivation(|w| {
            w.oid(&"1.2.840.113549.1.5.12".parse().unwrap());
            w.sequence(|w| {
                w.octet_string(&[1; 8]);
                w.unsigned(iterations);
            });
        })
    };
    let scrypt = |n: u64, r: u64, p: u64| {
        with_derivation(|w| {
            w.oid(&"1.3.6.1.4.1.11591.4.11".parse().unwrap());
            w.sequence(|w| {
                w.octet_string(&[1; 8]);
                for number in [n, r, p] {
                    w.unsigned(number);
                }
            });
        })
    };
    let begin = Instant::now();
    for file in [
        pbkdf2(50_000_001),
        pbkdf2(u64::from(u32::MAX)),
        pbkdf2(1 << 40),
        pbkdf2(u64::MAX),
        scrypt(1 << 22, 8, 1),
        scrypt(1 << 63, 1 << 63, 1 << 63),
        scrypt(2, 1 << 40, 1),
        scrypt(2, 1, 1 << 40),
        scrypt(1 << 14, 8, 1000),
    ] {
        let error = encrypted_key::decrypt(&file, &"x".into()).unwrap_err();
        assert_eq!(error, EncryptedKeyError::Encryption(PbeError::TooCostly));
    }
    for file in [
        pbkdf2(0),
        scrypt(0, 8, 1),
        scrypt(1, 8, 1),
        scrypt(15, 8, 1),
        scrypt(16, 0, 1),
    ] {
        let error = encrypted_key::decrypt(&file, &"x".into()).unwrap_err();
        let nonsense = matches!(
            error,
            EncryptedKeyError::Encryption(PbeError::Nonsense { .. })
        );
        assert!(nonsense, "{error:?}");
    }
    // Nothing of it was tried.
    assert!(begin.elapsed().as_secs() < 2, "{:?}", begin.elapsed());
}

#[test]
fn what_is_no_encrypted_key_is_told() {
    let (folder, key) = folder("changeit");
    let error = |file: &[u8]| encrypted_key::decrypt(file, &"x".into()).unwrap_err();
    assert_eq!(
        error(&folder.read("key.pem")),
        EncryptedKeyError::NotEncrypted
    );
    assert_eq!(
        error(key.secret_pkcs8_der()),
        EncryptedKeyError::NotEncrypted
    );
    assert!(!encrypted_key::is_encrypted(&folder.read("key.pem")));
    assert!(!encrypted_key::is_encrypted(key.secret_pkcs8_der()));
    assert!(matches!(
        error(b""),
        EncryptedKeyError::Pem(PemError::Empty)
    ));
    let certificate = pem::encode("CERTIFICATE", b"x");
    let no_key = error(certificate.as_bytes());
    assert!(matches!(
        no_key,
        EncryptedKeyError::Pem(PemError::NoKey { .. })
    ));

    let made = encrypted_key::encrypt_to_pem(&key, &"x".into(), Derivation::Scrypt).unwrap();
    let two = error((made.clone() + &made).as_bytes());
    assert!(matches!(
        two,
        EncryptedKeyError::Pem(PemError::SeveralKeys { .. })
    ));
    let broken = pem::encode("ENCRYPTED PRIVATE KEY", &[0x30, 3, 1]);
    assert!(matches!(
        error(broken.as_bytes()),
        EncryptedKeyError::Damaged(_)
    ));
    let des = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
               DEK-Info: DES-CBC,0011223344556677\n\nAAAAAAAAAAA=\n-----END RSA PRIVATE KEY-----\n";
    assert!(error(des.as_bytes()).hint().unwrap().contains("openssl"));
}

#[test]
fn passphrases_show_up_nowhere() {
    let (_, key) = folder("changeit");
    let made = encrypted_key::encrypt(&key, &"s3cret".into(), Derivation::Scrypt).unwrap();
    let passphrase = Passphrase::from("another-s3cret");
    let error = encrypted_key::decrypt(&made, &passphrase).unwrap_err();
    for shown in [
        format!("{passphrase:?}"),
        format!("{error:?}"),
        error.to_string(),
    ] {
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Nothing panics, and nothing but a key comes out.
    #[test]
    fn damaged_files_are_refused(place in 0..200_usize, bit in 0..8, cut in 0..200_usize) {
        // One round, so that many can be tried.
        let file = with_derivation(|w| {
            w.oid(&"1.2.840.113549.1.5.12".parse().unwrap());
            w.sequence(|w| {
                w.octet_string(&[1; 8]);
                w.unsigned(1);
            });
        });
        let mut damaged = file.clone();
        let place = place % file.len();
        damaged[place] ^= 1_u8 << bit;
        prop_assert!(encrypted_key::decrypt_der(&damaged, &"x".into()).is_err());
        let cut = &file[..cut % file.len()];
        prop_assert!(encrypted_key::decrypt_der(cut, &"x".into()).is_err());
    }
}
