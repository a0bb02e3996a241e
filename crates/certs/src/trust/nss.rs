//! The databases of NSS: one for Chromium and its kin, one for each profile of Firefox and
//! Thunderbird, those of snaps and Flatpak programs too. They are changed by NSS's own `certutil`;
//! `find` looks for them.

use std::path::{Path, PathBuf};

use ravelin_pki::{Certificate, pem};

use super::programs::Package;
use super::{Outcome, TrustChange, TrustEnvironment, TrustStore, TrustedRoot, failed};
use crate::store::modes::folder_maker;
use crate::store::shell_word;
use find::{Database, State};

mod find;

/// Puts the root into every database, making Chromium's where it is missing: Chromium makes it
/// only when it first starts, and would then not know the root.
pub(super) fn install(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    let mut databases = find::databases(environment);
    if let Some(missing) = find::missing_of_chromium(environment) {
        databases.insert(0, missing);
    }
    on_each(databases, environment, |certutil, database| {
        if database.state == State::Missing
            && let Err(why) = certutil.make(&database.folder)
        {
            return failed(why, None);
        }
        match certutil.trusts(&database.folder, root.certificate) {
            Err(why) => return failed(why, None),
            Ok(true) => return Outcome::AlreadyThere,
            Ok(false) => {}
        }
        match certutil.add(&database.folder, root.certificate) {
            Ok(()) => Outcome::Added,
            Err(why) => failed(why, Some(by_hand(database, root.file))),
        }
    })
}

/// Takes the root out of every database.
pub(super) fn remove(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    on_each(
        find::databases(environment),
        environment,
        |certutil, database| {
            let mut removed = false;
            // NSS keeps several certificates under one nickname, and deletes one at a time.
            loop {
                match certutil.holds(&database.folder, root.certificate) {
                    Err(why) => return failed(why, None),
                    Ok(false) if removed => return Outcome::Removed,
                    Ok(false) => return Outcome::NotThere,
                    Ok(true) if removed => {
                        return failed("certutil deleted the root, but it is still there", None);
                    }
                    Ok(true) => {}
                }
                if let Err(why) = certutil.delete(&database.folder, root.certificate) {
                    return failed(why, None);
                }
                removed = true;
            }
        },
    )
}

/// Looks into every database.
pub(super) fn status(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    on_each(
        find::databases(environment),
        environment,
        |certutil, database| match certutil.trusts(&database.folder, root.certificate) {
            Err(why) => failed(why, None),
            Ok(true) => Outcome::AlreadyThere,
            Ok(false) => Outcome::NotThere,
        },
    )
}

fn on_each(
    databases: Vec<Database>,
    environment: &TrustEnvironment,
    act: impl Fn(&Certutil<'_>, &Database) -> Outcome,
) -> Vec<TrustChange> {
    let certutil = environment.program("certutil").map(|program| Certutil {
        program,
        environment,
    });
    databases
        .into_iter()
        .map(|database| TrustChange {
            outcome: match &certutil {
                _ if database.state == State::Legacy => legacy(&database),
                Some(certutil) => act(certutil, &database),
                None => failed(
                    "the program \"certutil\" is missing",
                    environment.install_command(Package::NssTools),
                ),
            },
            store: TrustStore::Nss {
                database: database.folder,
                browser: database.browser,
            },
        })
        .collect()
}

/// Firefox converts its databases when it starts, since version 58 of January 2018. `certutil` would
/// too, but only in part where there is a password, which nobody would be asked for.
fn legacy(database: &Database) -> Outcome {
    Outcome::LeftAlone {
        why: "its format is that of before 2018 (cert8.db)".to_owned(),
        hint: Some(format!(
            "if it is still in use, start {} once, which converts it, and run this again",
            database.browser
        )),
    }
}

fn by_hand(database: &Database, file: &Path) -> String {
    format!(
        "import {} in {}'s settings, under certificates; where the store has a password, only the \
         browser can",
        shell_word(file),
        database.browser
    )
}

struct Certutil<'e> {
    program: PathBuf,
    environment: &'e TrustEnvironment,
}

impl Certutil<'_> {
    /// Makes an empty database, and its folder.
    fn make(&self, folder: &Path) -> Result<(), String> {
        folder_maker()
            .recursive(true)
            .create(folder)
            .map_err(|error| format!("cannot make the folder \"{}\": {error}", folder.display()))?;
        self.run(folder, &["-N", "--empty-password"], "").map(drop)
    }

    fn add(&self, folder: &Path, root: &Certificate) -> Result<(), String> {
        // Trusted to sign servers' certificates, and for nothing else.
        let arguments = ["-A", "-a", "-t", "C,,", "-n", &nickname(root)];
        self.run(folder, &arguments, &root.to_pem()).map(drop)
    }

    fn delete(&self, folder: &Path, root: &Certificate) -> Result<(), String> {
        self.run(folder, &["-D", "-n", &nickname(root)], "")
            .map(drop)
    }

    /// Whether the root is in, and trusted for servers.
    fn trusts(&self, folder: &Path, root: &Certificate) -> Result<bool, String> {
        let list = self.run(folder, &["-L"], "")?;
        let nickname = nickname(root);
        // A line is the nickname, spaces, and the flags: "Example CA     CT,C,C".
        let trusted = list.lines().any(|line| {
            line.strip_prefix(&nickname).is_some_and(|rest| {
                let flags = rest.trim().split(',').next().unwrap_or_default();
                rest.starts_with(' ') && flags.contains('C')
            })
        });
        Ok(trusted && self.holds(folder, root)?)
    }

    /// Whether the root is in, trusted or not.
    fn holds(&self, folder: &Path, root: &Certificate) -> Result<bool, String> {
        // Fails where the database cannot be read, which the next call does not tell from a
        // nickname that is not there.
        self.run(folder, &["-L"], "")?;
        let found = self.run(folder, &["-L", "-a", "-n", &nickname(root)], "");
        let found = found
            .ok()
            .and_then(|text| pem::certificates(text.as_bytes()).ok());
        Ok(found.is_some_and(|certificates| certificates.contains(root.der())))
    }

    fn run(&self, folder: &Path, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut database = std::ffi::OsString::from("sql:");
        database.push(folder);
        let arguments = arguments.iter().map(std::convert::Into::into);
        // The empty password file keeps certutil from asking the terminal for one.
        let arguments = arguments
            .chain(["-d".into(), database])
            .chain(["-f".into(), "/dev/null".into()]);
        self.environment.run(&self.program, arguments, input)
    }
}

/// The root's name in the databases: its common name, which is unique (NSS gives certificates of
/// the same subject one nickname, whatever was asked for).
fn nickname(root: &Certificate) -> String {
    root.common_name().map_or_else(
        || format!("Ravelin local CA {}", root.fingerprint_sha256().short()),
        str::to_owned,
    )
}
