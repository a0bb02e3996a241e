//! The keychain of macOS, through its `security` program. The root is trusted for this user alone,
//! so that it takes the user's own password and no administrator's.
//!
//! Compiled and tested on Linux, against a program that records what it is asked. Never run on macOS.

use std::path::{Path, PathBuf};

use ravelin_pki::pem;

use super::{Outcome, TrustChange, TrustEnvironment, TrustStore, TrustedRoot, failed, thumbprint};
use crate::store::shell_word;

/// Puts the root into the user's keychain, trusted for servers. macOS asks for the password.
#[must_use]
pub fn install(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> TrustChange {
    on_keychain(environment, |keychain| {
        match keychain.trusts(root) {
            Err(why) => return failed(why, None),
            Ok(true) => return Outcome::AlreadyThere,
            Ok(false) => {}
        }
        let file = root.file.to_string_lossy();
        let arguments = [
            "add-trusted-cert",
            "-r",
            "trustRoot",
            "-p",
            "ssl",
            "-p",
            "basic",
        ];
        match keychain.run(&[&arguments[..], &["-k", &keychain.path(), &file]].concat()) {
            Ok(_) => Outcome::Added,
            Err(why) => {
                let keychain = shell_word(&keychain.file);
                let root = shell_word(root.file);
                let arguments = arguments.join(" ");
                failed(
                    why,
                    Some(format!("security {arguments} -k {keychain} {root}")),
                )
            }
        }
    })
}

/// Takes the root out of the user's keychain, and what it was trusted for.
#[must_use]
pub fn remove(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> TrustChange {
    on_keychain(environment, |keychain| {
        match keychain.holds(root) {
            Err(why) => return failed(why, None),
            Ok(false) => return Outcome::NotThere,
            Ok(true) => {}
        }
        let thumbprint = thumbprint(root.certificate);
        // -t takes the user's trust settings away with it.
        let arguments = ["delete-certificate", "-Z", &thumbprint, "-t"];
        match keychain.run(&[&arguments[..], &[&keychain.path()]].concat()) {
            Ok(_) => Outcome::Removed,
            Err(why) => {
                let keychain = shell_word(&keychain.file);
                let arguments = arguments.join(" ");
                failed(why, Some(format!("security {arguments} {keychain}")))
            }
        }
    })
}

/// Whether the root is in the user's keychain, and trusted.
#[must_use]
pub fn status(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> TrustChange {
    on_keychain(environment, |keychain| match keychain.trusts(root) {
        Err(why) => failed(why, None),
        Ok(true) => Outcome::AlreadyThere,
        Ok(false) => Outcome::NotThere,
    })
}

struct Keychain<'e> {
    program: PathBuf,
    file: PathBuf,
    environment: &'e TrustEnvironment,
}

fn on_keychain(
    environment: &TrustEnvironment,
    act: impl FnOnce(&Keychain<'_>) -> Outcome,
) -> TrustChange {
    let home = environment.home.as_deref().unwrap_or(Path::new("/"));
    let keychain = home.join("Library/Keychains/login.keychain-db");
    let outcome = match environment.program("security") {
        None => failed("the program \"security\" is missing", None),
        Some(program) => act(&Keychain {
            program,
            file: keychain.clone(),
            environment,
        }),
    };
    TrustChange {
        store: TrustStore::Keychain { keychain },
        outcome,
    }
}

impl Keychain<'_> {
    /// Whether the root is in the keychain and has trust settings of the user's.
    fn trusts(&self, root: TrustedRoot<'_>) -> Result<bool, String> {
        if !self.holds(root)? {
            return Ok(false);
        }
        // "Cert 0: NAME" for each; fails where there is none at all.
        let settings = self.run(&["dump-trust-settings"]).unwrap_or_default();
        let name = root.certificate.common_name().unwrap_or_default();
        Ok(settings.lines().any(|line| {
            line.strip_prefix("Cert ")
                .and_then(|rest| rest.split_once(": "))
                .is_some_and(|(_, named)| named.trim() == name)
        }))
    }

    fn holds(&self, root: TrustedRoot<'_>) -> Result<bool, String> {
        // Without a name it lists all, and succeeds where there is none.
        let all = self.run(&["find-certificate", "-a", "-p", &self.path()])?;
        if all.trim().is_empty() {
            return Ok(false);
        }
        let all = pem::certificates(all.as_bytes())
            .map_err(|error| format!("\"security\" wrote no certificates: {error}"))?;
        Ok(all.contains(root.certificate.der()))
    }

    fn path(&self) -> String {
        self.file.to_string_lossy().into_owned()
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        self.environment.run(&self.program, arguments, "")
    }
}
