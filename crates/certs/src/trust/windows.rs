//! The current user's root certificates on Windows, through its `certutil` (which is not NSS's).
//! Windows asks the user before it trusts one; no administrator is needed.
//!
//! Compiled and tested on Linux, against a program that records what it is asked. Never run on Windows.

use std::ffi::OsStr;
use std::path::Path;

use super::programs::complaint;
use super::{Outcome, TrustChange, TrustEnvironment, TrustStore, TrustedRoot, failed, thumbprint};

/// `NTE_NOT_FOUND` and `CRYPT_E_NOT_FOUND`, which `certutil` writes where no certificate is as asked
/// for. The words around them are in the user's language.
const NOT_FOUND: [&str; 2] = ["0x80090011", "0x80092004"];

/// Puts the root into the user's root certificates.
#[must_use]
pub fn install(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> TrustChange {
    on_store(root, environment, |store| match store.holds() {
        Err(why) => failed(why, None),
        Ok(true) => Outcome::AlreadyThere,
        Ok(false) => store.change("-addstore", root.file.as_os_str(), Outcome::Added),
    })
}

/// Takes the root out of the user's root certificates.
#[must_use]
pub fn remove(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> TrustChange {
    on_store(root, environment, |store| match store.holds() {
        Err(why) => failed(why, None),
        Ok(false) => Outcome::NotThere,
        Ok(true) => store.change("-delstore", store.thumbprint.as_ref(), Outcome::Removed),
    })
}

/// Whether the root is in the user's root certificates.
#[must_use]
pub fn status(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> TrustChange {
    on_store(root, environment, |store| match store.holds() {
        Err(why) => failed(why, None),
        Ok(true) => Outcome::AlreadyThere,
        Ok(false) => Outcome::NotThere,
    })
}

struct RootStore<'e> {
    program: &'e Path,
    thumbprint: String,
    environment: &'e TrustEnvironment,
}

fn on_store(
    root: TrustedRoot<'_>,
    environment: &TrustEnvironment,
    act: impl FnOnce(&RootStore<'_>) -> Outcome,
) -> TrustChange {
    let outcome = match environment.program("certutil") {
        None => failed("the program \"certutil\" is missing", None),
        Some(program) => act(&RootStore {
            program: &program,
            thumbprint: thumbprint(root.certificate),
            environment,
        }),
    };
    TrustChange {
        store: TrustStore::WindowsRoots,
        outcome,
    }
}

impl RootStore<'_> {
    fn holds(&self) -> Result<bool, String> {
        let arguments = ["-user", "-store", "Root", &self.thumbprint];
        let output = self.environment.output(self.program, arguments, "")?;
        if output.status.success() {
            return Ok(true);
        }
        let said = String::from_utf8_lossy(&output.stdout);
        if NOT_FOUND.iter().any(|code| said.contains(code)) {
            return Ok(false);
        }
        Err(complaint(self.program, &output, &output.stdout))
    }

    fn change(&self, verb: &str, what: &OsStr, done: Outcome) -> Outcome {
        let arguments = ["-user".as_ref(), verb.as_ref(), "Root".as_ref(), what];
        let why = match self.environment.output(self.program, arguments, "") {
            Ok(output) if output.status.success() => return done,
            // It writes its errors to standard output.
            Ok(output) => complaint(self.program, &output, &output.stdout),
            Err(why) => why,
        };
        let what = what.display();
        failed(why, Some(format!("certutil -user {verb} Root \"{what}\"")))
    }
}
