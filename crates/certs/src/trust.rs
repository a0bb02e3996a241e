//! Puts the local root into the trust stores of this machine, and takes it out again: the system's
//! store ([`system`] on Linux, [`macos`], [`windows`]), the NSS databases of browsers ([`nss`]) and
//! the keystores of Java ([`java`]).
//!
//! Nothing here prints or asks for rights: each store gets its line in the report, with the command
//! that would help where it failed.

use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use ravelin_pki::Certificate;

pub mod java;
pub mod macos;
pub mod nss;
mod programs;
pub mod system;
pub mod windows;

/// A root that is to be trusted, and the file that holds it.
#[derive(Debug, Clone, Copy)]
pub struct TrustedRoot<'r> {
    /// The root.
    pub certificate: &'r Certificate,
    /// Where its PEM file is: for hints, and for the programs of macOS and Windows, which read no
    /// other input.
    pub file: &'r Path,
}

/// Where trust stores are looked for.
#[derive(Debug, Clone)]
pub struct TrustEnvironment {
    /// Whose system's store it is.
    pub platform: Platform,
    /// The user's home folder, where browsers keep their databases.
    pub home: Option<PathBuf>,
    /// The user's data folder, `~/.local/share` where nothing else is said.
    pub data_home: Option<PathBuf>,
    /// The user's folder for configuration, `~/.config` where nothing else is said.
    pub config_home: Option<PathBuf>,
    /// The JVM that `JAVA_HOME` names.
    pub java_home: Option<PathBuf>,
    /// The root of the file system: `/`, or a folder in tests.
    pub filesystem: PathBuf,
    /// The folders that programs are looked for in.
    pub programs: Vec<PathBuf>,
}

/// The systems that differ in how they keep what they trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux and what keeps roots in files as it does.
    Linux,
    /// macOS, with its keychains.
    MacOs,
    /// Windows, with its certificate stores.
    Windows,
}

/// What one store says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustChange {
    /// The store.
    pub store: TrustStore,
    /// What was done, or found.
    pub outcome: Outcome,
}

/// A store that certificates are trusted from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustStore {
    /// The system's own, which curl, Python, git and most programs use.
    System {
        /// The folder that roots are put in; none where the system has no store that is known.
        anchors: Option<PathBuf>,
    },
    /// The user's keychain, on macOS.
    Keychain {
        /// Its file.
        keychain: PathBuf,
    },
    /// The user's store of root certificates, on Windows.
    WindowsRoots,
    /// A database of NSS, which Chromium, Firefox and Thunderbird use.
    Nss {
        /// The folder of the database.
        database: PathBuf,
        /// Whose database it is: `Chromium`, `Firefox`, or the identifier of a Flatpak program or
        /// the name of a snap that is not known here.
        browser: String,
    },
    /// A keystore of Java.
    Java {
        /// Its file, with links resolved: several JVMs often share one.
        keystore: PathBuf,
        /// Whether the system's programs write it when the system's store changes: nothing is put
        /// into it by any other way then.
        follows_system: bool,
    },
}

/// What was done with a store, or found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The root was put in.
    Added,
    /// The root is in and trusted.
    AlreadyThere,
    /// The root was taken out.
    Removed,
    /// The root is not in.
    NotThere,
    /// It was left alone, and that is no failure: nothing reads it as it is, or others write it.
    LeftAlone {
        /// Why: a sentence without its full stop.
        why: String,
        /// A command, or what else helps.
        hint: Option<String>,
    },
    /// It did not work.
    Failed {
        /// Why: a sentence without its full stop.
        why: String,
        /// A command, or what else helps.
        hint: Option<String>,
    },
}

/// Puts the root into every store. The system's comes first: others are made out of it.
#[must_use]
pub fn install(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    let mut changes = vec![match environment.platform {
        Platform::Linux => system::install(root, environment),
        Platform::MacOs => macos::install(root, environment),
        Platform::Windows => windows::install(root, environment),
    }];
    let system = changes[0].outcome.clone();
    changes.extend(nss::install(root, environment));
    changes.extend(java::install(root, environment, &system));
    changes
}

/// Takes the root out of every store. Other roots, older ones of Ravelin too, stay.
#[must_use]
pub fn remove(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    let mut changes = vec![match environment.platform {
        Platform::Linux => system::remove(root, environment),
        Platform::MacOs => macos::remove(root, environment),
        Platform::Windows => windows::remove(root, environment),
    }];
    let system = changes[0].outcome.clone();
    changes.extend(nss::remove(root, environment));
    changes.extend(java::remove(root, environment, &system));
    changes
}

/// Looks into every store: [`Outcome::AlreadyThere`], [`Outcome::NotThere`],
/// [`Outcome::LeftAlone`] or a failure.
#[must_use]
pub fn status(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    let mut changes = vec![match environment.platform {
        Platform::Linux => system::status(root, environment),
        Platform::MacOs => macos::status(root, environment),
        Platform::Windows => windows::status(root, environment),
    }];
    changes.extend(nss::status(root, environment));
    changes.extend(java::status(root, environment));
    changes
}

/// Whether the programs of this system trust `root`. Takes about a millisecond on Linux, where it
/// reads the bundle that they read; elsewhere a program is asked.
#[must_use]
pub fn is_trusted_by_system(root: &Certificate, environment: &TrustEnvironment) -> bool {
    let trusted = TrustedRoot {
        certificate: root,
        file: Path::new(""),
    };
    let status = match environment.platform {
        Platform::Linux => return system::is_in_bundle(root, environment),
        Platform::MacOs => macos::status(trusted, environment),
        Platform::Windows => windows::status(trusted, environment),
    };
    status.outcome == Outcome::AlreadyThere
}

impl Platform {
    /// The one that this program was compiled for.
    #[must_use]
    pub const fn of_this_machine() -> Self {
        if cfg!(target_os = "macos") {
            Self::MacOs
        } else if cfg!(windows) {
            Self::Windows
        } else {
            Self::Linux
        }
    }
}

impl TrustEnvironment {
    /// This machine. `variable` looks up the environment: `|name| std::env::var_os(name)`.
    #[must_use]
    pub fn of_this_machine(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name| {
            variable(name)
                .map(PathBuf::from)
                .filter(|folder| folder.is_absolute())
        };
        let home = folder(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
        let mut programs: Vec<PathBuf> = variable("PATH")
            .map(|path| std::env::split_paths(&path).collect())
            .unwrap_or_default();
        // Debian gives users no sbin, where update-ca-certificates is.
        programs.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
        let below_home = |folder: &str| home.as_ref().map(|home| home.join(folder));
        Self {
            platform: Platform::of_this_machine(),
            data_home: folder("XDG_DATA_HOME").or_else(|| below_home(".local/share")),
            config_home: folder("XDG_CONFIG_HOME").or_else(|| below_home(".config")),
            java_home: folder("JAVA_HOME"),
            home,
            filesystem: PathBuf::from("/"),
            programs,
        }
    }

    fn path(&self, below_root: &str) -> PathBuf {
        self.filesystem.join(below_root)
    }
}

impl fmt::Display for TrustStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { anchors: None } => f.write_str("the system's trust store"),
            Self::System {
                anchors: Some(path),
            } => write!(f, "the system's trust store \"{}\"", path.display()),
            Self::Keychain { keychain } => write!(f, "the keychain \"{}\"", keychain.display()),
            Self::WindowsRoots => f.write_str("your trusted root certificates"),
            Self::Nss { database, browser } => {
                write!(f, "{browser}'s trust store \"{}\"", database.display())
            }
            Self::Java {
                keystore,
                follows_system,
            } => {
                write!(f, "Java's trust store \"{}\"", keystore.display())?;
                if *follows_system {
                    f.write_str(", which follows the system's")?;
                }
                Ok(())
            }
        }
    }
}

fn failed(why: impl Into<String>, hint: Option<String>) -> Outcome {
    Outcome::Failed {
        why: why.into(),
        hint,
    }
}

/// The SHA-1 digest of a certificate in hex, by which macOS and Windows name one. Nothing is
/// trusted for it.
fn thumbprint(certificate: &Certificate) -> String {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate.der());
    digest
        .as_ref()
        .iter()
        .fold(String::new(), |mut hex, octet| {
            let _ = write!(hex, "{octet:02X}");
            hex
        })
}
