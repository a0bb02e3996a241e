//! Puts the local root into the trust stores of this machine, and takes it out again: the system's
//! store ([`system`]) and the NSS databases of browsers ([`nss`]).
//!
//! Nothing here prints or asks for rights: each store gets its line in the report, with the command
//! that would help where it failed.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ravelin_pki::Certificate;

pub mod nss;
pub mod system;

/// A root that is to be trusted, and the file that holds it, for hints.
#[derive(Debug, Clone, Copy)]
pub struct TrustedRoot<'r> {
    /// The root.
    pub certificate: &'r Certificate,
    /// Where its PEM file is.
    pub file: &'r Path,
}

/// Where trust stores are looked for.
#[derive(Debug, Clone)]
pub struct TrustEnvironment {
    /// The user's home folder, where browsers keep their databases.
    pub home: Option<PathBuf>,
    /// The user's data folder, `~/.local/share` where nothing else is said.
    pub data_home: Option<PathBuf>,
    /// The root of the file system: `/`, or a folder in tests.
    pub filesystem: PathBuf,
    /// The folders that programs are looked for in.
    pub programs: Vec<PathBuf>,
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
    /// A database of NSS, which Chromium and Firefox use.
    Nss {
        /// The folder of the database.
        database: PathBuf,
        /// Whose database it is: `Chromium`, `Firefox`.
        browser: &'static str,
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
    /// It did not work.
    Failed {
        /// Why: a sentence without its full stop.
        why: String,
        /// A command, or what else helps.
        hint: Option<String>,
    },
}

/// Puts the root into every store.
#[must_use]
pub fn install(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    let mut changes = vec![system::install(root, environment)];
    changes.extend(nss::install(root, environment));
    changes
}

/// Takes the root out of every store. Other roots, older ones of Ravelin too, stay.
#[must_use]
pub fn remove(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    let mut changes = vec![system::remove(root, environment)];
    changes.extend(nss::remove(root, environment));
    changes
}

/// Looks into every store: [`Outcome::AlreadyThere`], [`Outcome::NotThere`] or a failure.
#[must_use]
pub fn status(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    let mut changes = vec![system::status(root, environment)];
    changes.extend(nss::status(root, environment));
    changes
}

/// Whether the programs of this system trust `root`: whether it is in the bundle they read. Takes
/// about a millisecond.
#[must_use]
pub fn is_trusted_by_system(root: &Certificate, environment: &TrustEnvironment) -> bool {
    system::is_in_bundle(root, environment)
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
        let home = folder("HOME");
        let mut programs: Vec<PathBuf> = variable("PATH")
            .map(|path| std::env::split_paths(&path).collect())
            .unwrap_or_default();
        // Debian gives users no sbin, where update-ca-certificates is.
        programs.extend(["/usr/sbin", "/sbin"].map(PathBuf::from));
        Self {
            data_home: folder("XDG_DATA_HOME")
                .or_else(|| home.as_ref().map(|home| home.join(".local/share"))),
            home,
            filesystem: PathBuf::from("/"),
            programs,
        }
    }

    fn path(&self, below_root: &str) -> PathBuf {
        self.filesystem.join(below_root)
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        self.programs
            .iter()
            .map(|folder| folder.join(name))
            .find(|program| program.is_file())
    }

    /// The command that installs a package here, by the package managers that are there.
    fn install_command(&self, package: Package) -> Option<String> {
        PACKAGE_MANAGERS
            .iter()
            .find(|(program, ..)| self.program(program).is_some())
            .map(|(_, command, tools, certificates)| {
                let package = match package {
                    Package::NssTools => tools,
                    Package::Certificates => certificates,
                };
                format!("sudo {command} {package}")
            })
    }

    /// Runs a program with `input`, in the language that this code reads.
    fn run<A: AsRef<OsStr>>(
        &self,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        input: &str,
    ) -> Result<String, String> {
        let name = program.file_name().unwrap_or_default().display();
        let path = std::env::join_paths(&self.programs).unwrap_or_default();
        let run = || -> std::io::Result<_> {
            let mut child = Command::new(program)
                .args(arguments)
                .env("PATH", path)
                .env("LC_ALL", "C")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                // A program that ends without reading tells why by its status.
                let _ = stdin.write_all(input.as_bytes());
            }
            child.wait_with_output()
        };
        let output = run().map_err(|error| format!("\"{name}\" cannot be run: {error}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().replace('\n', " ");
        Err(if said.is_empty() {
            format!("\"{name}\" ended with {}", output.status)
        } else {
            format!("\"{name}\" failed: {said}")
        })
    }
}

/// What a hint may tell to install.
#[derive(Debug, Clone, Copy)]
enum Package {
    NssTools,
    Certificates,
}

/// Program, command, package of certutil, package of the system's certificates.
const PACKAGE_MANAGERS: [(&str, &str, &str, &str); 6] = [
    (
        "apt-get",
        "apt-get install",
        "libnss3-tools",
        "ca-certificates",
    ),
    ("dnf", "dnf install", "nss-tools", "ca-certificates"),
    ("yum", "yum install", "nss-tools", "ca-certificates"),
    ("pacman", "pacman -S", "nss", "ca-certificates"),
    (
        "zypper",
        "zypper install",
        "mozilla-nss-tools",
        "ca-certificates",
    ),
    ("apk", "apk add", "nss-tools", "ca-certificates"),
];

impl fmt::Display for TrustStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { anchors: None } => f.write_str("the system's trust store"),
            Self::System {
                anchors: Some(path),
            } => write!(f, "the system's trust store \"{}\"", path.display()),
            Self::Nss { database, browser } => {
                write!(f, "{browser}'s trust store \"{}\"", database.display())
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
