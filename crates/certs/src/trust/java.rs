//! The keystores that Java programs trust, one for each JVM or one for several. They are read and
//! changed by Java's own `keytool`, on a copy that takes the place of the original when it is whole:
//! `keytool` itself writes over what is there. `find` looks for them.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::path::Path;

use ravelin_pki::{Certificate, pem};

use super::programs::{Package, complaint};
use super::{Outcome, TrustChange, TrustEnvironment, TrustStore, TrustedRoot, failed, system};
use crate::store::modes::{Readers, give_to_owner_of, new_file};
use crate::store::shell_word;
use find::{Keystore, Origin};

mod find;

/// The password of every JVM's keystore of roots: it keeps nothing secret.
const PASSWORD: &str = "changeit";

/// Puts the root into every keystore but those that follow the system's store, of which `system` is
/// what was done with that.
pub(super) fn install(
    root: TrustedRoot<'_>,
    environment: &TrustEnvironment,
    system: &Outcome,
) -> Vec<TrustChange> {
    on_each(environment, |keytool| {
        let aliases = match keytool.aliases(root.certificate) {
            Err(refusal) => return keytool.refused(refusal, &[Keytool::add_command(root)]),
            Ok(aliases) => aliases,
        };
        let follows = keytool.keystore.origin != Origin::Own;
        if !aliases.is_empty() {
            return if follows && *system == Outcome::Added {
                Outcome::Added
            } else {
                Outcome::AlreadyThere
            };
        }
        if follows {
            return keytool.left_to_system("will have the root when that has it");
        }
        let alias = alias(root.certificate);
        let arguments = ["-importcert", "-noprompt", "-alias", &alias];
        let pem = root.certificate.to_pem();
        let changed = keytool.change(|copy| keytool.run(copy, &arguments, &pem).map(drop));
        match changed {
            Ok(()) => Outcome::Added,
            Err(refusal) => keytool.refused(refusal, &[Keytool::add_command(root)]),
        }
    })
}

/// Takes the root out of every keystore but those that the system makes anew, by whatever alias it
/// is there. `system` is what was done with the system's store.
pub(super) fn remove(
    root: TrustedRoot<'_>,
    environment: &TrustEnvironment,
    system: &Outcome,
) -> Vec<TrustChange> {
    on_each(environment, |keytool| {
        let aliases = match keytool.aliases(root.certificate) {
            Err(refusal) => return failed(refusal.why, None),
            Ok(aliases) => aliases,
        };
        let made = keytool.keystore.origin == Origin::Made;
        if aliases.is_empty() {
            return if made && *system == Outcome::Removed {
                Outcome::Removed
            } else {
                Outcome::NotThere
            };
        }
        if made {
            return keytool.left_to_system("has the root until that is made anew");
        }
        let changed = keytool.change(|copy| {
            aliases.iter().try_for_each(|alias| {
                keytool
                    .run(copy, &["-delete", "-alias", alias], "")
                    .map(drop)
            })
        });
        match changed {
            Ok(()) => Outcome::Removed,
            Err(refusal) => {
                let commands = aliases.iter().map(|alias| Keytool::delete_command(alias));
                keytool.refused(refusal, &commands.collect::<Vec<_>>())
            }
        }
    })
}

/// Looks into every keystore.
pub(super) fn status(root: TrustedRoot<'_>, environment: &TrustEnvironment) -> Vec<TrustChange> {
    on_each(environment, |keytool| {
        match keytool.aliases(root.certificate) {
            Err(refusal) => failed(refusal.why, None),
            Ok(aliases) if aliases.is_empty() => Outcome::NotThere,
            Ok(_) => Outcome::AlreadyThere,
        }
    })
}

fn on_each(
    environment: &TrustEnvironment,
    act: impl Fn(&Keytool<'_>) -> Outcome,
) -> Vec<TrustChange> {
    find::keystores(environment)
        .into_iter()
        .map(|keystore| TrustChange {
            outcome: match &keystore.keytool {
                Some(program) => act(&Keytool {
                    program,
                    keystore: &keystore,
                    environment,
                }),
                None => failed(
                    "the program \"keytool\" is missing",
                    environment.install_command(Package::Java),
                ),
            },
            store: TrustStore::Java {
                keystore: keystore.file,
                follows_system: keystore.origin != Origin::Own,
            },
        })
        .collect()
}

/// The root's name in a keystore. `keytool` folds case.
fn alias(root: &Certificate) -> String {
    format!("ravelin-local-ca-{}", root.fingerprint_sha256().short())
}

struct Keytool<'e> {
    program: &'e Path,
    keystore: &'e Keystore,
    environment: &'e TrustEnvironment,
}

impl Keytool<'_> {
    /// The aliases that the root has in the keystore.
    fn aliases(&self, root: &Certificate) -> Result<Vec<String>, Refusal> {
        let list = self.run(&self.keystore.file, &["-list", "-rfc"], "")?;
        Ok(aliases_of(root, &list))
    }

    fn run(&self, keystore: &Path, arguments: &[&str], input: &str) -> Result<String, Refusal> {
        let arguments = arguments.iter().map(AsRef::as_ref);
        let arguments = arguments
            // Its words are read here, whatever the user's language.
            .chain(["-J-Duser.language=en".as_ref(), "-keystore".as_ref()])
            .chain([keystore.as_os_str()])
            .chain(["-storepass".as_ref(), PASSWORD.as_ref()]);
        let output = self
            .environment
            .output(self.program, arguments, input)
            .map_err(Refusal::lasting)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        // Its errors are on standard output, its warnings and the JVM's errors on the other.
        let said = if output.stdout.is_empty() {
            &output.stderr
        } else {
            &output.stdout
        };
        let why = complaint(self.program, &output, said).replace("keytool error: ", "");
        Err(Refusal {
            // The words of Java's own keystores, and of its PKCS#12.
            remedy: if why.contains("password was incorrect") {
                Remedy::Password
            } else {
                Remedy::None
            },
            why,
        })
    }

    /// Has a copy of the keystore changed, and puts it in the keystore's place.
    fn change(&self, act: impl FnOnce(&Path) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let file = &self.keystore.file;
        let copy = file.with_extension(format!("ravelin-{}", std::process::id()));
        let changed = copy_of(file, &copy)
            .map_err(|error| cannot_write(file, &error))
            .and_then(|permissions| {
                act(&copy)?;
                replace(file, &copy, permissions).map_err(|error| cannot_write(file, &error))
            });
        if changed.is_err() {
            let _ = fs::remove_file(&copy);
        }
        changed
    }

    fn left_to_system(&self, until: &str) -> Outcome {
        Outcome::LeftAlone {
            why: format!("it {until}"),
            hint: system::refresh_command(self.environment),
        }
    }

    fn refused(&self, refusal: Refusal, commands: &[String]) -> Outcome {
        let commands = commands.iter().map(|command| {
            let program = shell_word(self.program);
            let keystore = shell_word(&self.keystore.file);
            let command = format!("sudo {program} {command} -keystore {keystore}");
            match refusal.remedy {
                // It asks for the one that is right.
                Remedy::Password => command,
                Remedy::Rights | Remedy::None => {
                    format!("{command} -noprompt -storepass {PASSWORD}")
                }
            }
        });
        let hint = commands.collect::<Vec<_>>().join(" && ");
        failed(
            refusal.why,
            (refusal.remedy != Remedy::None).then_some(hint),
        )
    }

    fn add_command(root: TrustedRoot<'_>) -> String {
        let (alias, file) = (alias(root.certificate), shell_word(root.file));
        format!("-importcert -alias {alias} -file {file}")
    }

    fn delete_command(alias: &str) -> String {
        format!("-delete -alias {}", shell_word(Path::new(alias)))
    }
}

/// The aliases of the entries in a list of `keytool -list -rfc` that are `root`.
fn aliases_of(root: &Certificate, list: &str) -> Vec<String> {
    // Each entry is "Alias name: …", its kind and date, and its certificates in PEM.
    let entries = list.split("Alias name: ").skip(1);
    entries
        .filter(|entry| {
            pem::certificates(entry.as_bytes())
                .is_ok_and(|certificates| certificates.contains(root.der()))
        })
        .filter_map(|entry| entry.lines().next())
        .map(|alias| alias.trim_end().to_owned())
        .collect()
}

/// Copies the keystore to where nothing is, for its owner to change. Gives the permissions that the
/// original has.
fn copy_of(file: &Path, copy: &Path) -> io::Result<Permissions> {
    let mut original = File::open(file)?;
    match fs::remove_file(copy) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        // What an earlier process of this number may have left when it was killed.
        _ => {}
    }
    let mut options = new_file(Readers::Owner);
    options.write(true).create_new(true);
    io::copy(&mut original, &mut options.open(copy)?)?;
    Ok(original.metadata()?.permissions())
}

fn replace(file: &Path, copy: &Path, permissions: Permissions) -> io::Result<()> {
    // An administrator may change the keystore of somebody else, who has to stay its owner.
    give_to_owner_of(file, copy)?;
    fs::set_permissions(copy, permissions)?;
    File::open(copy)?.sync_all()?;
    fs::rename(copy, file)
}

fn cannot_write(file: &Path, error: &io::Error) -> Refusal {
    Refusal {
        why: format!("cannot write \"{}\": {error}", file.display()),
        remedy: if error.kind() == ErrorKind::PermissionDenied {
            Remedy::Rights
        } else {
            Remedy::None
        },
    }
}

/// Why a keystore was not read or changed.
struct Refusal {
    why: String,
    remedy: Remedy,
}

/// What makes the same command work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    Rights,
    Password,
    None,
}

impl Refusal {
    fn lasting(why: String) -> Self {
        Self {
            why,
            remedy: Remedy::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::{FileStore, LocalAuthority};

    #[test]
    fn an_entry_is_known_by_its_certificate_and_not_by_its_alias() {
        let folder = tempfile::tempdir().unwrap();
        let authority = |name| {
            let store = FileStore::open(folder.path().join(name)).unwrap();
            LocalAuthority::open(&store, &[], SystemTime::now()).unwrap()
        };
        let (authority, other) = (authority("one"), authority("other"));
        let root = authority.root_certificate();
        let list = format!(
            "Keystore type: JKS\nKeystore provider: SUN\n\nYour keystore contains 3 entries\n\n\
             Alias name: {}\nCreation date: Nov 24, 2026\nEntry type: trustedCertEntry\n\n{}\n\n\
             *******************************************\n\n\n\
             Alias name: debian:a b.pem\nCreation date: Nov 24, 2026\nEntry type: \
             trustedCertEntry\n\n{}\n\n\
             Alias name: broken\n-----BEGIN CERTIFICATE-----\nAAAA\n",
            alias(root),
            other.root_pem(),
            authority.root_pem()
        );
        assert_eq!(aliases_of(root, &list), ["debian:a b.pem"]);
        assert!(aliases_of(root, "").is_empty());
    }
}
