//! The databases of NSS: one for Chromium and its kin, one for each Firefox profile. They are
//! changed by NSS's own `certutil`.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use ravelin_pki::{Certificate, pem};

use super::{Outcome, Package, TrustChange, TrustEnvironment, TrustStore, TrustedRoot, failed};
use crate::store::shell_word;

/// Folders below the home folder that may be a database themselves.
const DATABASES: [(&str, &str); 5] = [
    ("snap/chromium/current/.pki/nssdb", "Chromium"),
    (".var/app/org.chromium.Chromium/.pki/nssdb", "Chromium"),
    (".var/app/com.google.Chrome/.pki/nssdb", "Chrome"),
    (".var/app/com.brave.Browser/.pki/nssdb", "Brave"),
    (".var/app/com.microsoft.Edge/.pki/nssdb", "Edge"),
];

/// Folders below the home folder whose folders may be Firefox profiles, each with a database.
const PROFILES: [(&str, &str); 5] = [
    (".mozilla/firefox", "Firefox"),
    // Since Firefox 147.
    (".config/mozilla/firefox", "Firefox"),
    ("snap/firefox/common/.mozilla/firefox", "Firefox"),
    (".var/app/org.mozilla.firefox/.mozilla/firefox", "Firefox"),
    (".librewolf", "LibreWolf"),
];

/// The file that tells that a folder is a database, in the format since NSS 3.12.
const MARK: &str = "cert9.db";

/// Puts the root into every database, making Chromium's where it is missing: Chromium makes it
/// only when it first starts, and would then not know the root.
pub(super) fn install(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    let mut databases = find(environment);
    let shared = [shared_in_home(environment), shared_in_data(environment)];
    if !databases.iter().any(|database| {
        shared
            .iter()
            .flatten()
            .any(|folder| *folder == database.folder)
    }) && let [Some(folder), _] = shared
    {
        databases.insert(0, Database::new(folder, "Chromium"));
    }
    on_each(databases, environment, |certutil, database| {
        if !database.folder.join(MARK).is_file()
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
    on_each(find(environment), environment, |certutil, database| {
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
    })
}

/// Looks into every database.
pub(super) fn status(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    on_each(
        find(environment),
        environment,
        |certutil, database| match certutil.trusts(&database.folder, root.certificate) {
            Err(why) => failed(why, None),
            Ok(true) => Outcome::AlreadyThere,
            Ok(false) => Outcome::NotThere,
        },
    )
}

struct Database {
    folder: PathBuf,
    browser: &'static str,
}

impl Database {
    fn new(folder: PathBuf, browser: &'static str) -> Self {
        Self { folder, browser }
    }
}

fn find(environment: &TrustEnvironment) -> Vec<Database> {
    let mut databases = Vec::new();
    let Some(home) = &environment.home else {
        return databases;
    };
    let shared = [shared_in_home(environment), shared_in_data(environment)];
    databases.extend(
        shared
            .into_iter()
            .flatten()
            .map(|f| Database::new(f, "Chromium")),
    );
    databases.extend(DATABASES.map(|(below, browser)| Database::new(home.join(below), browser)));
    for (below, browser) in PROFILES {
        let entries = fs::read_dir(home.join(below))
            .into_iter()
            .flatten()
            .flatten();
        let mut profiles: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        profiles.sort();
        databases.extend(
            profiles
                .into_iter()
                .map(|path| Database::new(path, browser)),
        );
    }
    databases.retain(|database| database.folder.join(MARK).is_file());
    databases
}

/// The user's shared database, which Chromium uses, and NSS before the next one (`nsssysinit.c`).
fn shared_in_home(environment: &TrustEnvironment) -> Option<PathBuf> {
    environment
        .home
        .as_ref()
        .map(|home| home.join(".pki/nssdb"))
}

/// The shared database where the former does not exist; Chromium makes this one since version 146.
fn shared_in_data(environment: &TrustEnvironment) -> Option<PathBuf> {
    environment
        .data_home
        .as_ref()
        .map(|data| data.join("pki/nssdb"))
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
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
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
