//! `certificate`: that the local authority may sign, or that the files are there, fit each other
//! and cover the site.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ravelin_pki::{Certificate, HostName, KeyError, PemError, PrivateKey, pem};
use time::OffsetDateTime;

use super::super::CertificateSource;
use super::super::fault::Fault;
use super::super::placed::{At, Key, TextOr};
use super::super::raw::CertificateFiles;
use super::Check;
use crate::certificates::staple::{Staple, StapleError};
use crate::failure::chain as chain_of;

/// Where the certificate of the site with these hosts comes from.
pub(super) fn source(
    key: &Key<TextOr<CertificateFiles>>,
    hosts: &[(Range<usize>, HostName)],
    check: &mut Check<'_>,
) -> CertificateSource {
    if let Some(TextOr::Table(files)) = key.value() {
        return from_files(files, hosts, check);
    }
    for (place, host) in hosts {
        if !check.local.permits(host) {
            check.problems.add(place, Fault::NotLocal(host.clone()));
        } else if host.is_too_wide() {
            check.problems.add(place, Fault::TooWide(host.clone()));
        }
    }
    CertificateSource::Local
}

fn from_files(
    files: &CertificateFiles,
    hosts: &[(Range<usize>, HostName)],
    check: &mut Check<'_>,
) -> CertificateSource {
    let path = |key: &Key<String>, check: &mut Check<'_>| {
        let path = key.value().map(|text| check.path(text)).unwrap_or_default();
        check.watch(&path);
        path
    };
    let (cert, key) = (path(&files.cert, check), path(&files.key, check));
    let staple = files.staple.given().map(|_| path(&files.staple, check));
    let certificates = files
        .cert
        .given()
        .and_then(|at| certificates(&cert, at, hosts, check));
    if let Some(at) = files.key.given()
        && let Some(private) = check.problems.take(&at.place, read_key(&key))
        && let Some([certificate, ..]) = certificates.as_deref()
        && !certificate.matches(&private)
    {
        let fault = Fault::KeyMismatch(cert.clone());
        check.problems.add(&at.place, fault);
    }
    // A server goes on without a staple, and says so: it may be over when the machine starts again.
    if let (Some(now), Some(chain)) = (check.now, certificates)
        && let (Some(at), Some(path)) = (files.staple.given(), &staple)
    {
        let staple = Staple::load(path, &chain, now).map_err(|error| match error {
            StapleError::Unreadable(error) => unreadable(path, &error),
            error => Fault::Pem {
                path: path.clone(),
                why: chain_of(&error),
                mend: error.hint(),
            },
        });
        check.problems.take(&at.place, staple);
    }
    CertificateSource::Files { cert, key, staple }
}

/// The certificates of the file. The first is the site's own (RFC 8446, section 4.4.2).
fn certificates(
    path: &Path,
    at: &At<String>,
    hosts: &[(Range<usize>, HostName)],
    check: &mut Check<'_>,
) -> Option<Vec<Certificate>> {
    let certificates = check.problems.take(&at.place, read_certificates(path))?;
    let certificate = certificates.first()?;
    let path = path.to_owned();
    if check.now.is_some_and(|now| now > certificate.not_after()) {
        let day = day(certificate.not_after());
        check.problems.add(&at.place, Fault::Expired { path, day });
    } else if check.now.is_some_and(|now| now < certificate.not_before()) {
        let day = day(certificate.not_before());
        check
            .problems
            .add(&at.place, Fault::NotYetValid { path, day });
    }
    for (place, host) in hosts {
        if !certificate.covers(host) {
            let fault = Fault::NotCovered {
                host: host.clone(),
                names: certificate
                    .names()
                    .iter()
                    .map(HostName::to_string)
                    .collect(),
            };
            check.problems.add(place, fault);
        }
    }
    Some(certificates)
}

/// The first certificate of a file, and as many of those behind it as can be read: those are for the
/// client to judge.
fn read_certificates(path: &Path) -> Result<Vec<Certificate>, Fault> {
    let bytes = read(path)?;
    let ders = pem::certificates(&bytes).map_err(|error| unusable(path, &error))?;
    let Some((first, others)) = ders.split_first() else {
        return Err(unusable(path, &PemError::Empty));
    };
    let first = Certificate::from_der(first).map_err(|error| Fault::Pem {
        path: path.to_owned(),
        why: error.to_string(),
        mend: COPY_ANEW,
    })?;
    let others = others
        .iter()
        .map_while(|der| Certificate::from_der(der).ok());
    Ok(std::iter::once(first).chain(others).collect())
}

fn read_key(path: &Path) -> Result<PrivateKey, Fault> {
    PrivateKey::from_pem(&read(path)?).map_err(|error| match error {
        KeyError::Pem(error) => unusable(path, &error),
        error => Fault::Pem {
            path: path.to_owned(),
            why: error.to_string(),
            mend: COPY_ANEW,
        },
    })
}

fn unusable(path: &Path, error: &PemError) -> Fault {
    Fault::Pem {
        path: path.to_owned(),
        why: chain_of(error),
        mend: error.hint().unwrap_or(match error {
            PemError::NoCertificate { .. } | PemError::NoKey { .. } => {
                "`cert` is for the certificate and its intermediates, `key` for the private key"
            }
            PemError::SeveralKeys { .. } => "leave only the key of this certificate in the file",
            _ => COPY_ANEW,
        }),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    let path: PathBuf = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => Fault::FileMissing(path),
        io::ErrorKind::IsADirectory => Fault::FileIsFolder(path),
        kind => Fault::FileUnreadable {
            path,
            why: kind.to_string(),
        },
    }
}

fn day(time: SystemTime) -> String {
    OffsetDateTime::from(time).date().to_string()
}

const COPY_ANEW: &str = "copy the file anew from where it came from";

#[cfg(test)]
mod tests {
    use super::*;

    // The tests may run as root, whom no file refuses.
    #[test]
    fn a_file_that_may_not_be_read_is_told_from_one_that_is_not_there() {
        let path = Path::new("key.pem");
        let fault = |kind: io::ErrorKind| unreadable(path, &kind.into());
        assert_eq!(
            fault(io::ErrorKind::PermissionDenied).to_string(),
            "\"key.pem\" cannot be read: permission denied"
        );
        assert_eq!(
            fault(io::ErrorKind::NotFound),
            Fault::FileMissing(path.to_owned())
        );
    }
}
