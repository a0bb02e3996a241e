//! The consumers that are here, each asked about the whole corpus at once. A test fails where one is
//! missing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use ravelin_pki::lint::Consumer;
use ravelin_pki::{PrivateKey, Signer};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tempfile::TempDir;

use super::corpus::CASES;
use super::forge::{HOST, Signed, good, to_pem};
use crate::openssl::Openssl;

/// What a consumer said of each case: nothing where it accepts, else why not; and none where it could
/// not be asked.
pub(crate) type Verdicts = BTreeMap<&'static str, Option<Result<(), String>>>;

/// The corpus on disk, a folder a case.
pub(crate) struct Corpus {
    pub(crate) folder: TempDir,
    pub(crate) chains: BTreeMap<&'static str, Signed>,
}

impl Corpus {
    pub(crate) fn write() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut chains = BTreeMap::new();
        // ECDSA signatures differ each time; a root that is not spoilt is the same for all.
        let (unspoilt, root) = (good().root.to_be_signed(), good().root.sign());
        for (name, _, spoil) in CASES {
            let mut chain = good();
            spoil(&mut chain);
            let mut signed = chain.sign();
            if chain.root.to_be_signed() == unspoilt {
                signed.root.clone_from(&root);
            }
            let at = folder.path().join(name);
            fs::create_dir(&at).unwrap();
            fs::write(at.join("root.pem"), to_pem(&signed.root)).unwrap();
            fs::write(at.join("intermediate.pem"), to_pem(&signed.intermediate)).unwrap();
            fs::write(at.join("leaf.pem"), to_pem(&signed.leaf)).unwrap();
            if let Some(key) = &signed.leaf_key {
                fs::write(at.join("leaf.key"), key).unwrap();
            }
            assert!(
                chains.insert(*name, signed).is_none(),
                "{name} is there twice"
            );
        }
        Self { folder, chains }
    }

    pub(crate) fn ask(&self, consumer: Consumer) -> Verdicts {
        match consumer {
            Consumer::OpenSsl => self.each(openssl),
            Consumer::Rustls => self
                .chains
                .iter()
                .map(|(name, chain)| (*name, Some(webpki(chain))))
                .collect(),
            Consumer::Python => self.program(Command::new("python3").arg(judge("judge.py"))),
            Consumer::Java => self.program(
                Command::new("java")
                    .args(["--add-exports", "java.base/sun.security.util=ALL-UNNAMED"])
                    .arg(judge("Judge.java")),
            ),
            Consumer::Go => {
                self.program(Command::new(venv("go")).arg("run").arg(judge("judge.go")))
            }
            Consumer::Chromium => self.program(Command::new("python3").arg(judge("chromium.py"))),
            other => panic!("{other} is not here"),
        }
    }

    fn each(&self, ask: impl Fn(&Path) -> Result<(), String>) -> Verdicts {
        self.chains
            .keys()
            .map(|name| (*name, Some(ask(&self.folder.path().join(name)))))
            .collect()
    }

    /// Runs a program that answers for all cases, a line each.
    fn program(&self, command: &mut Command) -> Verdicts {
        let output = command.arg(self.folder.path()).arg(HOST).output();
        let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let said: BTreeMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .collect();
        let verdict = |said: &str| match said {
            "ok" => Some(Ok(())),
            _ if said.starts_with('?') => None,
            _ => Some(Err(said.to_owned())),
        };
        self.chains
            .keys()
            .map(|name| (*name, verdict(said[name])))
            .collect()
    }
}

fn openssl(folder: &Path) -> Result<(), String> {
    let output = Command::new("openssl")
        .args([
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_hostname",
            HOST,
        ])
        .args([
            "-CAfile",
            "root.pem",
            "-untrusted",
            "intermediate.pem",
            "leaf.pem",
        ])
        .current_dir(folder)
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(text
        .lines()
        .filter(|line| line.contains("error"))
        .collect::<Vec<_>>()
        .join("; "))
}

/// As rustls does it, with all algorithms that aws-lc-rs has by default.
fn webpki(chain: &Signed) -> Result<(), String> {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let root = CertificateDer::from(chain.root.clone());
    let anchor =
        webpki::anchor_from_trusted_cert(&root).map_err(|error| format!("root: {error:?}"))?;
    let intermediates = [CertificateDer::from(chain.intermediate.clone())];
    let leaf = CertificateDer::from(chain.leaf.clone());
    let leaf = webpki::EndEntityCert::try_from(&leaf).map_err(|error| format!("{error:?}"))?;
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &[anchor],
        &intermediates,
        UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs())),
        webpki::KeyUsage::server_auth(),
        None,
        None,
    )
    .map_err(|error| format!("{error:?}"))?;
    leaf.verify_is_valid_for_subject_name(&ServerName::try_from(HOST).unwrap())
        .map_err(|error| format!("{error:?}"))?;
    // What the handshake does next: the key has to have signed it.
    let Some(key) = &chain.leaf_key else {
        return Ok(());
    };
    let signature = sign_with(key);
    webpki::ALL_VERIFICATION_ALGS
        .iter()
        .any(|algorithm| {
            leaf.verify_signature(*algorithm, MESSAGE, &signature)
                .is_ok()
        })
        .then_some(())
        .ok_or_else(|| "no algorithm for the key".to_owned())
}

const MESSAGE: &[u8] = b"a handshake";

fn sign_with(key: &str) -> Vec<u8> {
    if let Ok(key) = PrivateKey::from_pem(key.as_bytes()) {
        return key.sign(MESSAGE).unwrap();
    }
    let openssl = Openssl::new();
    openssl.write("key.pem", key);
    openssl.write("message", MESSAGE);
    let sign = "pkeyutl -sign -rawin -in message -inkey key.pem -out signature";
    // Ed448 brings its own hash, and takes no other.
    openssl
        .run(&format!("{sign} -digest sha256"))
        .or_else(|_| openssl.run(sign))
        .unwrap();
    openssl.read("signature")
}

pub(crate) fn judge(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/lint/judges")
        .join(file)
}

/// A program of ./test's Python environment.
pub(crate) fn venv(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../.venv/bin")
        .join(program)
}
