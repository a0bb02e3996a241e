//! Keys in a token of softhsm2's, with openssl and pkcs11-tool as judges.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use cryptoki::context::Pkcs11;
use ravelin_certs::token::{TokenError, TokenKey, TokenUri, Tokens, TriesLeft};
use ravelin_pki::authority::self_signed_certificate;
use ravelin_pki::{
    DistinguishedName, KeyType, Oid, Passphrase, PrivateKey, PublicKey, Signer as _, Template, pem,
};

use crate::judges::run;

mod authority;

/// The folder of a token, for a test that runs in a process of its own: `SoftHSM` reads where its
/// tokens are from the environment, once a process.
const FOLDER: &str = "RAVELIN_TEST_TOKEN_FOLDER";

pub(crate) const PIN: &str = "correct-horse-4711";

/// A token with the label "vault", whose PIN is in a file.
pub(crate) struct Vault(PathBuf);

/// Runs a test in a process of its own that has a [`Vault`].
pub(crate) fn with_vault(test: &str, body: impl FnOnce(&Vault)) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return body(&Vault(folder.into()));
    }
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault(folder.path().to_owned());
    let configuration = format!("directories.tokendir = {}/tokens\n", vault.0.display());
    std::fs::create_dir(vault.file("tokens")).unwrap();
    std::fs::write(vault.file("softhsm2.conf"), configuration).unwrap();
    std::fs::write(vault.file("pin"), format!("{PIN}\n")).unwrap();
    vault.softhsm(&["--init-token", "--free", "--label", "vault", "--pin", PIN]);
    let output = vault.again(test).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let ran = String::from_utf8_lossy(&output.stdout).contains("1 passed");
    assert!(ran, "\"{test}\" is not the name of a test");
}

impl Vault {
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A URI with these attributes, and the file with the PIN.
    pub(crate) fn uri(&self, path: &str) -> TokenUri {
        let pin = self.file("pin");
        Self::uri_without_pin(path, &format!("&pin-source=file:{}", pin.display()))
    }

    pub(crate) fn uri_without_pin(path: &str, query: &str) -> TokenUri {
        let module = Self::module().display();
        format!("pkcs11:token=vault{path}?module-path={module}{query}")
            .parse()
            .unwrap()
    }

    pub(crate) fn module() -> &'static Path {
        [
            "/usr/lib/softhsm/libsofthsm2.so",
            "/usr/lib64/pkcs11/libsofthsm2.so",
        ]
        .iter()
        .map(Path::new)
        .find(|path| path.exists())
        .expect("softhsm2 must be installed")
    }

    /// Another process with the same token, which runs a test.
    pub(crate) fn again(&self, test: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "--nocapture", test])
            .env(FOLDER, &self.0);
        self.configure(&mut command);
        command
    }

    fn configure(&self, command: &mut Command) {
        command.env("SOFTHSM2_CONF", self.file("softhsm2.conf"));
    }

    pub(crate) fn softhsm(&self, arguments: &[&str]) {
        let mut command = Command::new("softhsm2-util");
        command
            .args(arguments)
            .args(["--so-pin", "security-officer"]);
        self.configure(&mut command);
        let output = command.output().expect("softhsm2 must be installed");
        assert!(output.status.success(), "{output:?}");
    }

    /// What pkcs11-tool says, logged in; nothing where it refuses.
    pub(crate) fn pkcs11_tool(&self, arguments: &[&str]) -> Option<Vec<u8>> {
        let mut command = Command::new("pkcs11-tool");
        command.arg("--module").arg(Self::module());
        command.args(["--token-label", "vault", "--login", "--pin", PIN]);
        command.args(arguments);
        self.configure(&mut command);
        let output = command.output().expect("opensc must be installed");
        output.status.success().then_some(output.stdout)
    }

    /// Whether pkcs11-tool finds a key with a label in the token, of which the private half cannot
    /// be had, and which is this one.
    pub(crate) fn holds(&self, label: &str, key: &PublicKey) -> bool {
        let listed = String::from_utf8(self.pkcs11_tool(&["-O"]).unwrap()).unwrap();
        let named = format!("label:      {label}\n");
        // Each object begins a line, and what is said of it is indented.
        let mut objects: Vec<String> = Vec::new();
        for line in listed.lines() {
            match objects.last_mut() {
                Some(object) if line.starts_with(' ') => {
                    object.push_str(line);
                    object.push('\n');
                }
                _ => objects.push(format!("{line}\n")),
            }
        }
        let block = |class: &str| {
            let mut objects = objects.iter();
            let found = objects.find(|o| o.starts_with(class) && o.contains(&named));
            found.map_or("", String::as_str)
        };
        let private = block("Private");
        if !private.contains("always sensitive, never extractable, local") {
            return false;
        }
        if key.rsa_modulus().is_some() {
            let file = self.file("read.der");
            let path = file.to_str().unwrap();
            let read = self.pkcs11_tool(&["-r", "-y", "pubkey", "--label", label, "-o", path]);
            return read.is_some() && std::fs::read(file).unwrap() == key.der();
        }
        let point = key.bits().iter().map(|octet| format!("{octet:02x}"));
        block("Public").contains(&point.collect::<String>())
    }
}

/// Everything that an error shows, to look for what it must not.
pub(crate) fn shown(error: &TokenError) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    format!("{error} {error:?} {source:?} {:?}", error.hint())
}

#[test]
fn keys_of_every_kind_are_made_and_sign_what_openssl_verifies() {
    with_vault(
        "token::keys_of_every_kind_are_made_and_sign_what_openssl_verifies",
        |vault| {
            let tokens = Tokens::new();
            let file = |name: &str, bytes: &[u8]| {
                let path = vault.file(name);
                std::fs::write(&path, bytes).unwrap();
                path.to_str().unwrap().to_owned()
            };
            for (key_type, digest) in [
                (KeyType::EcdsaP256, Some("sha256")),
                (KeyType::EcdsaP384, Some("sha384")),
                (KeyType::EcdsaP521, Some("sha512")),
                (KeyType::Rsa(2048), Some("sha256")),
                (KeyType::Rsa(3072), Some("sha256")),
                (KeyType::Ed25519, None),
            ] {
                let label = key_type.to_string();
                let uri = vault.uri("").with_key(Some(&label), None);
                let key = TokenKey::generate(&tokens, &uri, key_type).unwrap();
                assert_eq!(key.public_key().key_type(), Some(key_type));
                // Numbers whose first octets are zero are as rare as one in 256.
                for round in 0..20_u8 {
                    let message = [b"what is signed ".as_slice(), &[round]].concat();
                    let signature = key.sign(&message).unwrap();
                    let algorithm = key.algorithm();
                    algorithm
                        .verify(key.public_key(), &message, &signature)
                        .unwrap();
                    if round > 0 {
                        continue;
                    }
                    let public = pem::encode("PUBLIC KEY", key.public_key().der());
                    let (public, message, signature) = (
                        file("public.pem", public.as_bytes()),
                        file("message", &message),
                        file("signature", &signature),
                    );
                    let mut arguments = vec!["pkeyutl", "-verify", "-pubin", "-inkey", &public];
                    arguments.extend(["-rawin", "-in", &message, "-sigfile", &signature]);
                    if let Some(digest) = digest {
                        arguments.extend(["-digest", digest]);
                    }
                    let (verified, words) = run("openssl", &arguments);
                    assert!(verified, "{key_type}: {words}");
                }
                // Found again, by what its URI says, and only there.
                let found = TokenKey::open(&Tokens::new(), key.uri()).unwrap();
                assert_eq!(found.public_key(), key.public_key());
                let twice = TokenKey::generate(&tokens, &uri, key_type).unwrap_err();
                assert!(matches!(twice, TokenError::KeyThere { .. }), "{twice:?}");
                assert!(vault.holds(&label, key.public_key()), "{label}");
            }
            let listed = tokens.keys(&vault.uri("")).unwrap();
            assert_eq!(listed.len(), 6);
            for key in listed {
                let public = key.public.unwrap();
                let opened = TokenKey::open(&tokens, &key.uri).unwrap();
                assert_eq!(opened.public_key(), &public);
            }
            let no = TokenKey::generate(&tokens, &vault.uri(""), KeyType::MlDsa65).unwrap_err();
            assert!(matches!(no, TokenError::Kind { .. }), "{no:?}");
            let found = tokens.tokens(Vault::module()).unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].token(), Some("vault"));
        },
    );
}

#[test]
fn a_key_that_others_made_is_found_and_signs() {
    with_vault(
        "token::a_key_that_others_made_is_found_and_signs",
        |vault| {
            let make = [
                "-k",
                "--key-type",
                "EC:secp384r1",
                "--label",
                "theirs",
                "--id",
                "0a0b",
            ];
            vault.pkcs11_tool(&make).unwrap();
            let tokens = Tokens::new();
            for path in [";object=theirs", ";id=%0a%0b", ""] {
                let key = TokenKey::open(&tokens, &vault.uri(path)).unwrap();
                assert!(vault.holds("theirs", key.public_key()));
                key.sign(b"message").unwrap();
            }
            vault
                .pkcs11_tool(&["-k", "--key-type", "RSA:2048", "--label", "theirs"])
                .unwrap();
            let error = TokenKey::open(&tokens, &vault.uri(";object=theirs")).unwrap_err();
            assert!(
                matches!(error, TokenError::SeveralKeys { count: 2, .. }),
                "{error:?}"
            );
            let error = TokenKey::open(&tokens, &vault.uri(";object=none")).unwrap_err();
            assert!(matches!(error, TokenError::NoKey { .. }), "{error:?}");
            // A certificate's key is another than what lies there now.
            let other = PrivateKey::generate().unwrap().public_key().clone();
            let key = TokenKey::expected(&tokens, &vault.uri(";id=%0a%0b"), other);
            assert!(matches!(key.ready(), Err(TokenError::OtherKey { .. })));
            key.sign(b"message").unwrap_err();
        },
    );
}

#[test]
fn without_its_public_half_in_the_token_a_key_signs_for_its_certificate_alone() {
    let name = "token::without_its_public_half_in_the_token_a_key_signs_for_its_certificate_alone";
    with_vault(name, |vault| {
        let tokens = Tokens::new();
        let uri = vault.uri("").with_key(Some("a"), Some(&[1]));
        let key = TokenKey::generate(&tokens, &uri, KeyType::EcdsaP256).unwrap();
        let subject = DistinguishedName::of(&[(Oid::COMMON_NAME, "a")]);
        let day = Duration::from_secs(24 * 60 * 60);
        let template = Template::ca(subject, None);
        let certificate = self_signed_certificate(&template, &key, day, SystemTime::now()).unwrap();
        let delete = ["--delete-object", "-y", "pubkey", "--label", "a"];
        vault.pkcs11_tool(&delete).unwrap();

        let open = || TokenKey::open(&Tokens::new(), &uri);
        let error = open().unwrap_err();
        assert!(
            matches!(error, TokenError::NoPublicHalf { .. }),
            "{error:?}"
        );
        let expected = |public: &PublicKey| TokenKey::expected(&tokens, &uri, public.clone());
        expected(key.public_key()).sign(b"message").unwrap();
        // It shows by the signature that it is another's.
        let other = PrivateKey::generate().unwrap();
        let error = expected(other.public_key()).signed(b"message").unwrap_err();
        assert!(matches!(error, TokenError::Signature { .. }), "{error:?}");

        let file = vault.file("certificate.der");
        std::fs::write(&file, &certificate).unwrap();
        let path = file.to_str().unwrap();
        let write = ["-w", path, "-y", "cert", "--id", "01", "--label", "other"];
        vault.pkcs11_tool(&write).unwrap();
        assert_eq!(open().unwrap().public_key(), key.public_key());
    });
}

#[test]
fn a_wrong_pin_is_told_once_and_not_tried_again() {
    with_vault(
        "token::a_wrong_pin_is_told_once_and_not_tried_again",
        |vault| {
            let wrong = "wrong-horse-0815";
            std::fs::write(vault.file("wrong"), wrong).unwrap();
            let query = format!("&pin-source=file:{}", vault.file("wrong").display());
            let uri = Vault::uri_without_pin(";object=none", &query);
            let tokens = Tokens::new();
            let error = TokenKey::open(&tokens, &uri).unwrap_err();
            let TokenError::PinWrong { token, left } = &error else {
                panic!("{error:?}");
            };
            assert_eq!((token.as_str(), *left), ("vault", TriesLeft::Fewer));
            assert!(error.to_string().contains("may lock it"), "{error}");
            assert!(!shown(&error).contains(wrong), "{}", shown(&error));
            let error = TokenKey::open(&tokens, &uri).unwrap_err();
            assert!(matches!(error, TokenError::PinRefused { .. }), "{error:?}");
            assert!(!shown(&error).contains(wrong), "{}", shown(&error));
            assert!(!format!("{tokens:?}").contains(wrong));
            // The file was corrected.
            std::fs::write(vault.file("wrong"), PIN).unwrap();
            let error = TokenKey::open(&tokens, &uri).unwrap_err();
            assert!(matches!(error, TokenError::NoKey { .. }), "{error:?}");

            std::fs::remove_file(vault.file("wrong")).unwrap();
            let error = TokenKey::open(&tokens, &uri).unwrap_err();
            assert!(matches!(error, TokenError::PinFile { .. }), "{error:?}");
        },
    );
}

#[test]
fn somebody_is_asked_for_the_pin_once_however_many_keys_there_are() {
    let name = "token::somebody_is_asked_for_the_pin_once_however_many_keys_there_are";
    with_vault(name, |_| {
        let uri = |label: &str| Vault::uri_without_pin(&format!(";object={label}"), "");
        for nobody in [Tokens::new(), Tokens::asking(|_| None)] {
            let error = TokenKey::open(&nobody, &uri("a")).unwrap_err();
            assert!(matches!(error, TokenError::PinNeeded { .. }), "{error:?}");
            assert!(error.hint().unwrap().contains("pin-source=file:"));
        }
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let tokens = Tokens::asking(move |request| {
            assert_eq!(
                (request.token.as_str(), request.left),
                ("vault", TriesLeft::Enough)
            );
            count.fetch_add(1, Ordering::SeqCst);
            Some(Passphrase::from(PIN))
        });
        let key = TokenKey::generate(&tokens, &uri("a"), KeyType::EcdsaP256).unwrap();
        // Held by the first: without a session, the login ends.
        let others: Vec<TokenKey> = thread::scope(|scope| {
            let make =
                |label| TokenKey::generate(&tokens, &uri(label), KeyType::EcdsaP256).unwrap();
            let threads = ["b", "c", "d"].map(|label| scope.spawn(move || make(label)));
            threads.map(|thread| thread.join().unwrap()).into()
        });
        for key in others.iter().chain([&key]) {
            key.sign(b"message").unwrap();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(!format!("{key:?} {tokens:?}").contains(PIN));
    });
}

#[test]
fn many_threads_sign_with_few_keys() {
    with_vault("token::many_threads_sign_with_few_keys", |vault| {
        let tokens = Tokens::new();
        let make = |_| TokenKey::generate(&tokens, &vault.uri(""), KeyType::EcdsaP256).unwrap();
        let keys: Vec<TokenKey> = (0..3).map(make).collect();
        thread::scope(|scope| {
            for number in 0..9_u8 {
                let key = &keys[usize::from(number % 3)];
                scope.spawn(move || {
                    for round in 0..20 {
                        let message = [number, round];
                        let signature = key.sign(&message).unwrap();
                        let algorithm = key.algorithm();
                        algorithm
                            .verify(key.public_key(), &message, &signature)
                            .unwrap();
                    }
                });
            }
        });
    });
}

#[test]
fn a_lost_session_is_opened_anew() {
    with_vault("token::a_lost_session_is_opened_anew", |vault| {
        let key = TokenKey::generate(&Tokens::new(), &vault.uri(""), KeyType::EcdsaP256).unwrap();
        key.sign(b"message").unwrap();
        // Ends all sessions of the process, as pulling a card does.
        Pkcs11::new(Vault::module()).unwrap().finalize().unwrap();
        key.sign(b"message").unwrap();
    });
}

#[test]
fn a_module_that_is_missing_or_none_is_told_with_its_path() {
    let library = "/usr/lib/x86_64-linux-gnu/libm.so.6";
    let text = tempfile::NamedTempFile::new().unwrap();
    for module in [
        "/nonexistent/libhsm.so",
        library,
        text.path().to_str().unwrap(),
    ] {
        let uri: TokenUri = format!("pkcs11:token=vault?module-path={module}")
            .parse()
            .unwrap();
        let error = TokenKey::open(&Tokens::new(), &uri).unwrap_err();
        assert!(matches!(error, TokenError::Module { .. }), "{error:?}");
        assert!(error.to_string().contains(module), "{error}");
        assert!(error.hint().unwrap().contains("module-path"));
    }
}

#[test]
fn a_token_that_goes_away_is_told_and_nothing_is_signed() {
    with_vault(
        "token::a_token_that_goes_away_is_told_and_nothing_is_signed",
        |vault| {
            let tokens = Tokens::new();
            let key = TokenKey::generate(&tokens, &vault.uri(""), KeyType::EcdsaP256).unwrap();
            key.sign(b"message").unwrap();
            let none = format!(
                "pkcs11:token=other?module-path={}",
                Vault::module().display()
            );
            let error = TokenKey::open(&tokens, &none.parse().unwrap()).unwrap_err();
            let there = matches!(&error, TokenError::NoToken { there_are, .. } if there_are.contains("\"vault\""));
            assert!(there, "{error:?}");
            vault.softhsm(&["--delete-token", "--token", "vault"]);
            let error = key.signed(b"message").unwrap_err();
            println!("{}", shown(&error));
            assert!(matches!(error, TokenError::NoToken { .. }), "{error:?}");
            let error = key.sign(b"message").unwrap_err();
            assert!(error.to_string().contains("vault"), "{error}");
        },
    );
}
