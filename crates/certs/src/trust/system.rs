//! The store of a Linux system: a folder where roots are put, and a program that makes a bundle of
//! them.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use ravelin_pki::{Certificate, CertificateDer, pem};

use super::programs::Package;
use super::{Outcome, TrustChange, TrustEnvironment, TrustStore, TrustedRoot, failed};
use crate::store::modes::{Readers, new_file};
use crate::store::shell_word;

/// How a family of systems is told to trust a root.
struct Family {
    /// The folder for roots, from the file system's root.
    anchors: &'static str,
    /// What a root's file must end in.
    suffix: &'static str,
    /// The command that makes the bundle anew after one was added.
    add: &'static [&'static str],
    /// The same after one was removed.
    remove: &'static [&'static str],
}

/// The first whose folder exists is the one.
const FAMILIES: [Family; 4] = [
    // Fedora, RHEL: update-ca-trust(8).
    Family {
        anchors: "etc/pki/ca-trust/source/anchors",
        suffix: ".pem",
        add: &["update-ca-trust", "extract"],
        remove: &["update-ca-trust", "extract"],
    },
    // Arch, whose update-ca-trust(8) is another program. p11-kit's "trust extract-compat" is a link
    // to it.
    Family {
        anchors: "etc/ca-certificates/trust-source/anchors",
        suffix: ".crt",
        add: &["update-ca-trust"],
        remove: &["update-ca-trust"],
    },
    // openSUSE. The folder of the same name below /usr/share is for packages, and is read-only on
    // systems with transactional updates.
    Family {
        anchors: "etc/pki/trust/anchors",
        suffix: ".pem",
        add: &["update-ca-certificates"],
        remove: &["update-ca-certificates"],
    },
    // Debian, Ubuntu, Alpine. Without --fresh, links to a root that was removed stay.
    Family {
        anchors: "usr/local/share/ca-certificates",
        suffix: ".crt",
        add: &["update-ca-certificates"],
        remove: &["update-ca-certificates", "--fresh"],
    },
];

/// The bundles that the families' programs read.
const BUNDLES: [&str; 6] = [
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "etc/ca-certificates/extracted/tls-ca-bundle.pem",
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/ssl/ca-bundle.pem",
    "etc/ssl/cert.pem",
];

/// Puts the root into the system's store.
#[must_use]
pub fn install(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> TrustChange {
    on_store(environment, |store| store.install(root))
}

/// Takes the root out of the system's store.
#[must_use]
pub fn remove(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> TrustChange {
    on_store(environment, |store| store.remove(root))
}

/// Whether the root is in the system's store.
#[must_use]
pub fn status(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> TrustChange {
    on_store(environment, |_| {
        if is_in_bundle(root.certificate, environment) {
            Outcome::AlreadyThere
        } else {
            Outcome::NotThere
        }
    })
}

/// The roots that the programs of this system trust, and the bundle that they are in; `None` where
/// none is found. Whether each can be read is for who reads it.
#[must_use]
pub fn roots(environment: &TrustEnvironment) -> Option<(PathBuf, Vec<CertificateDer<'static>>)> {
    BUNDLES.iter().find_map(|bundle| {
        let path = environment.path(bundle);
        let roots = pem::unread_certificates(&fs::read(&path).ok()?).ok()?;
        Some((path, roots))
    })
}

/// Whether a bundle holds the root.
pub(super) fn is_in_bundle(root: &Certificate, environment: &TrustEnvironment) -> bool {
    // Bundles differ in how they break lines, so both sides are compared without any.
    let compact = |text: &[u8]| -> Vec<u8> {
        let octets = text.iter().copied();
        octets
            .filter(|octet| !octet.is_ascii_whitespace())
            .collect()
    };
    let root = compact(root.to_pem().as_bytes());
    BUNDLES.iter().any(|bundle| {
        fs::read(environment.path(bundle)).is_ok_and(|bundle| contains(&compact(&bundle), &root))
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// The command that makes the system's stores anew out of all that is in its folder, those that
/// other programs read included.
pub(super) fn refresh_command(environment: &TrustEnvironment) -> Option<String> {
    family(environment).map(|family| format!("sudo {}", family.remove.join(" ")))
}

fn family(environment: &TrustEnvironment) -> Option<&'static Family> {
    FAMILIES
        .iter()
        .find(|family| environment.path(family.anchors).is_dir())
}

fn on_store(
    environment: &TrustEnvironment,
    act: impl FnOnce(SystemStore<'_>) -> Outcome,
) -> TrustChange {
    match family(environment) {
        Some(family) => {
            let anchors = environment.path(family.anchors);
            let outcome = act(SystemStore {
                family,
                anchors: &anchors,
                environment,
            });
            TrustChange {
                store: TrustStore::System {
                    anchors: Some(anchors),
                },
                outcome,
            }
        }
        None => TrustChange {
            store: TrustStore::System { anchors: None },
            outcome: failed(
                "this system has no trust store that Ravelin knows",
                environment.install_command(Package::Certificates),
            ),
        },
    }
}

struct SystemStore<'e> {
    family: &'static Family,
    anchors: &'e Path,
    environment: &'e TrustEnvironment,
}

impl SystemStore<'_> {
    fn install(&self, root: TrustedRoot<'_>) -> Outcome {
        let file = self.file(root.certificate);
        let was_there = is_in_bundle(root.certificate, self.environment);
        if was_there && holds(&file, root.certificate) {
            return Outcome::AlreadyThere;
        }
        let hint = || {
            Some(format!(
                "sudo install -m 644 {} {} && sudo {}",
                shell_word(root.file),
                shell_word(&file),
                self.family.add.join(" ")
            ))
        };
        if let Err(error) = write(&file, &root.certificate.to_pem()) {
            let hint = hint().filter(|_| is_denied(&error));
            return failed(
                format!("cannot write \"{}\": {error}", file.display()),
                hint,
            );
        }
        let outcome = match self.update(self.family.add) {
            Err(why) => failed(why, hint()),
            Ok(()) if !is_in_bundle(root.certificate, self.environment) => failed(
                format!(
                    "\"{}\" ran, but the root is still not in the system's bundle",
                    self.family.add.join(" ")
                ),
                None,
            ),
            Ok(()) if was_there => return Outcome::AlreadyThere,
            Ok(()) => return Outcome::Added,
        };
        // Else the next run of the program, for whatever reason, would add it unasked.
        let _ = fs::remove_file(&file);
        outcome
    }

    fn remove(&self, root: TrustedRoot<'_>) -> Outcome {
        let files = self.files(root.certificate);
        let in_bundle = is_in_bundle(root.certificate, self.environment);
        if files.is_empty() && !in_bundle {
            return Outcome::NotThere;
        }
        let update = self.family.remove.join(" ");
        let hint = || {
            let files: Vec<String> = files.iter().map(|file| shell_word(file)).collect();
            Some(format!("sudo rm -f {} && sudo {update}", files.join(" ")))
        };
        for file in &files {
            if let Err(error) = fs::remove_file(file) {
                let hint = hint().filter(|_| is_denied(&error));
                return failed(
                    format!("cannot remove \"{}\": {error}", file.display()),
                    hint,
                );
            }
        }
        if let Err(why) = self.update(self.family.remove) {
            return failed(why, Some(format!("sudo {update}")));
        }
        if is_in_bundle(root.certificate, self.environment) {
            return failed(
                format!("\"{update}\" ran, but the root is still in the system's bundle"),
                None,
            );
        }
        Outcome::Removed
    }

    /// The file that a root is put in. The digits keep roots of several homes apart.
    fn file(&self, root: &Certificate) -> PathBuf {
        let digits = root.fingerprint_sha256().short();
        let name = format!("ravelin-local-ca-{digits}{}", self.family.suffix);
        self.anchors.join(name)
    }

    /// All files in the folder that hold the root, however they are called.
    fn files(&self, root: &Certificate) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.anchors).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths.filter(|path| holds(path, root)).collect()
    }

    fn update(&self, command: &[&str]) -> Result<(), String> {
        let (name, arguments) = command.split_first().unwrap_or((&"", &[]));
        let program = self
            .environment
            .program(name)
            .ok_or_else(|| format!("the program \"{name}\" is missing"))?;
        self.environment.run(&program, arguments, "").map(drop)
    }
}

fn holds(file: &Path, root: &Certificate) -> bool {
    fs::read(file)
        .ok()
        .and_then(|bytes| pem::certificates(&bytes).ok())
        .is_some_and(|certificates| certificates.contains(root.der()))
}

/// Writes a file that all may read, whole or not at all: the system's programs read this folder at
/// any time.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let temporary = file.with_extension("ravelin-new");
    let written = new_file(Readers::All)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&temporary)
        .and_then(|mut temporary| {
            temporary.write_all(text.as_bytes())?;
            temporary.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, file));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied
}
