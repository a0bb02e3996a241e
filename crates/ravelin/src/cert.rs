//! `ravelin cert`: certificates, made, asked for, signed, shown, judged, watched and converted.

mod convert;
mod lint;
mod new;
mod request;
pub(crate) mod roots;
pub(crate) mod show;
mod sign;
pub(crate) mod verify;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use ravelin_certs::policy::Change;
use ravelin_certs::store::{NewFile, finish_writing, write_together};
use ravelin_certs::{LocalError, StoreError};
use ravelin_pki::{Certificate, GeneralName, Purpose, pem};

use crate::arguments::cert::{CertCommand, PurposeArguments};
use crate::failure::{Failure, chain};
use crate::key;

pub(crate) fn run(command: &CertCommand) -> Result<ExitCode, Failure> {
    match command {
        CertCommand::New(arguments) => new::run(arguments),
        CertCommand::Request(arguments) => request::run(arguments),
        CertCommand::Sign(arguments) => sign::run(arguments),
        CertCommand::Show(arguments) => show::run(arguments),
        CertCommand::Convert(arguments) => convert::run(arguments),
        CertCommand::Verify(arguments) => verify::run(arguments),
        CertCommand::Lint(arguments) => lint::run(arguments),
        CertCommand::Watch(arguments) => watch::run(arguments),
    }
}

impl PurposeArguments {
    /// The purposes that were asked for.
    fn purposes(&self) -> &'static [Purpose] {
        match self {
            Self { client: true, .. } => &[Purpose::Client],
            Self { both: true, .. } => &[Purpose::Server, Purpose::Client],
            Self { email: true, .. } => &[Purpose::Email],
            Self { code: true, .. } => &[Purpose::Code],
            _ => &[Purpose::Server],
        }
    }
}

/// The file name of what is for a name: its own, where a file can have it. `*.a.test` becomes
/// `_.a.test`.
fn file_stem(name: &GeneralName) -> String {
    let stem: String = name
        .to_string()
        .chars()
        .map(|c| match c {
            '*' => '_',
            c if c.is_ascii_alphanumeric() || "._-@+".contains(c) => c,
            _ => '-',
        })
        .take(100)
        .collect();
    match stem.trim_start_matches(['.', '-']) {
        "" => "certificate".to_owned(),
        stem => stem.to_owned(),
    }
}

/// A file beside others of the same name.
pub(crate) fn beside(folder: &Path, stem: &str, extension: &str) -> PathBuf {
    let name = format!("{stem}.{extension}");
    // "./" would stand before every name that is shown.
    if folder == Path::new(".") {
        PathBuf::from(name)
    } else {
        folder.join(name)
    }
}

fn write(files: &[NewFile<'_>], force: bool) -> Result<(), Failure> {
    write_together(files, force).map_err(|error| unwritten(&error))
}

/// Looks whether files can be written, before anything is signed that nobody would get.
fn check_places<'p>(
    files: impl IntoIterator<Item = &'p PathBuf>,
    force: bool,
) -> Result<(), Failure> {
    for path in files {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new("."));
        // What a killed process left may be what is in the way.
        finish_writing(folder).map_err(|error| unwritten(&error))?;
        let error = match std::fs::metadata(folder) {
            Err(source) => StoreError::Io {
                action: "write",
                path: path.clone(),
                source,
            },
            Ok(_) if !force && std::fs::symlink_metadata(path).is_ok() => {
                StoreError::AlreadyThere { path: path.clone() }
            }
            Ok(_) => continue,
        };
        return Err(unwritten(&error));
    }
    Ok(())
}

fn unwritten(error: &StoreError) -> Failure {
    let hint = match error {
        StoreError::Io { source, path, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(Path::new("."));
            Some(format!(
                "make the folder first: mkdir -p {}",
                ravelin_certs::store::shell_word(folder)
            ))
        }
        other => other.hint(),
    };
    Failure::of(error).hint(hint)
}

/// The certificates of a file, never none.
pub(crate) fn certificates(file: &Path) -> Result<Vec<Certificate>, Failure> {
    let what = key::shown(file);
    let bytes = key::read_file(file)?;
    let wrong =
        |why: String| Failure::usage(format!("cannot read certificates from \"{what}\": {why}"));
    let ders = pem::certificates(&bytes).map_err(|error| wrong(chain(&error)))?;
    ders.iter()
        .map(|der| Certificate::from_der(der).map_err(|error| wrong(chain(&error))))
        .collect()
}

/// A chain in PEM, the first certificate first.
fn chain_pem(chain: &[Certificate]) -> String {
    chain.iter().map(Certificate::to_pem).collect()
}

/// That a certificate ends before the time that was granted, because its issuer does.
fn cut_short(chain: &[Certificate], life: Duration, now: SystemTime) -> Option<Change> {
    let (leaf, issuer) = (chain.first()?, chain.get(1)?);
    let cut = leaf.not_after() == issuer.not_after() && leaf.not_after() + DAY / 24 < now + life;
    let days = |life: Duration| format!("{} days", life.as_secs() / DAY.as_secs());
    cut.then(|| Change {
        field: "lifetime",
        asked: days(life),
        given: days(leaf.not_after().duration_since(now).unwrap_or_default()),
        why: "no certificate outlives its issuer".to_owned(),
    })
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A name or a purpose that is not to be had is the command's fault, all else the machine's.
fn local_failure(error: &LocalError) -> Failure {
    let failure = match error {
        LocalError::NotPermitted { .. }
        | LocalError::Purpose { .. }
        | LocalError::Authority(_)
        | LocalError::Policy { .. } => Failure::usage(chain(error)),
        _ => Failure::of(error),
    };
    failure.hint(error.hint())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_what_they_are_for() {
        let stem = |name: &str| file_stem(&name.parse().unwrap());
        assert_eq!(stem("*.a.test"), "_.a.test");
        assert_eq!(stem("::1"), "--1".trim_start_matches('-'));
        assert_eq!(stem("fd00::1"), "fd00--1");
        assert_eq!(stem("ada@example.org"), "ada@example.org");
        assert_eq!(stem("spiffe://a/../b"), "spiffe---a-..-b");
    }
}
