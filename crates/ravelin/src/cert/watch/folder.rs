//! The files of a folder that may hold certificates.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Finding, Source, file, plain};
use crate::words::watch::Unread;

/// Reads the files of a folder, in the order of their names; with `recursive`, those of its folders too.
///
/// A file that several links lead to is read once, by the first: OpenSSL's folders have a link for each
/// certificate, named by a hash. Links to folders are not followed: one that leads up would have the whole
/// disk read.
pub(super) fn read(folder: &Path, recursive: bool) -> Source {
    let mut findings = Vec::new();
    let mut seen = HashSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match entries(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                findings.push(unread(&folder, &error));
                continue;
            }
        };
        let mut below = Vec::new();
        for (path, is_folder) in entries {
            if is_folder {
                below.push(path);
            } else if seen.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone()))
                && may_hold_certificates(&path)
                && let Source::Read(read) = file(&path, false)
            {
                findings.extend(read);
            }
        }
        if recursive {
            // A stack: the first comes last.
            folders.extend(below.into_iter().rev());
        }
    }
    if findings
        .iter()
        .all(|finding| finding.certificates.is_empty() && finding.unread.is_empty())
    {
        findings.push(empty(folder, recursive));
    }
    Source::Read(findings)
}

/// What is in a folder by name, and whether it is a folder.
fn entries(folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    let mut entries = fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.path(), entry.file_type()?.is_dir()))
        })
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

/// Pipes and devices would be waited for, and what is longer than any keystore is none. What cannot be
/// asked is told when it is read.
fn may_hold_certificates(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |about| {
        about.is_file() && (1..=LONGEST).contains(&about.len())
    })
}

fn unread(folder: &Path, error: &io::Error) -> Finding {
    let name = plain(folder);
    Finding {
        unread: vec![Unread {
            why: format!("cannot read the folder \"{name}\": {error}"),
            hint: None,
            server: false,
            notice: false,
            source: name.clone(),
        }],
        name,
        ..Finding::default()
    }
}

fn empty(folder: &Path, recursive: bool) -> Finding {
    let name = plain(folder);
    Finding {
        unread: vec![Unread {
            why: format!("there is no certificate in the folder \"{name}\""),
            hint: (!recursive).then(|| "--recursive looks into the folders in it".to_owned()),
            server: false,
            notice: false,
            source: name.clone(),
        }],
        name,
        ..Finding::default()
    }
}

/// As long as keystores may be; a bundle of all public roots takes 300 KiB.
const LONGEST: u64 = 16 << 20;
