//! `ravelin seal hash`: hashes of files, and lists of them checked.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ravelin_seal::checksum::{self, Entry};
use ravelin_seal::hash::{self, Digest};

use super::place::{Source, unread};
use crate::arguments::seal::SealHashArguments;
use crate::failure::{ANSWER_IS_NO, Failure, LOCAL_FAILURE};
use crate::words::{self, seal as say};

pub(super) fn run(arguments: &SealHashArguments) -> Result<ExitCode, Failure> {
    let standard = [PathBuf::from("-")];
    let files = if arguments.files.is_empty() {
        &standard[..]
    } else {
        &arguments.files
    };
    if arguments.check {
        check(files, arguments)
    } else {
        print(files, arguments)
    }
}

fn print(files: &[PathBuf], arguments: &SealHashArguments) -> Result<ExitCode, Failure> {
    let algorithm = arguments.algorithm.unwrap_or_default();
    let mut all_read = true;
    for file in files {
        // One that cannot be read does not keep the others from being hashed.
        match of_file(file, algorithm) {
            Ok(digest) => {
                let line = checksum::line(algorithm, &digest, file, arguments.tag);
                say::checksum(&line)?;
            }
            Err(failure) => {
                words::say_failure(&failure);
                all_read = false;
            }
        }
    }
    Ok(if all_read {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(LOCAL_FAILURE)
    })
}

fn of_file(file: &Path, algorithm: hash::Algorithm) -> Result<Digest, Failure> {
    let mut source = Source::open(file)?;
    hash::of(algorithm, &mut source).map_err(|error| unread(source.what(), &error))
}

/// What became of the files of some lists.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) good: usize,
    pub(crate) other: usize,
    pub(crate) unread: usize,
    /// Lines that are none of a list.
    pub(crate) malformed: usize,
}

fn check(lists: &[PathBuf], arguments: &SealHashArguments) -> Result<ExitCode, Failure> {
    let mut tally = Tally::default();
    for list in lists {
        let before = tally.good + tally.other + tally.unread;
        check_list(list, arguments, &mut tally)?;
        if before == tally.good + tally.other + tally.unread && !arguments.ignore_missing {
            return Err(
                Failure::usage(format!("\"{}\" lists no file", crate::key::shown(list))).hint(
                    "a line is HASH, two spaces, and a name: ravelin seal hash FILE makes one"
                        .to_owned(),
                ),
            );
        }
    }
    say::tally(&tally);
    let all_good = tally.other + tally.unread + tally.malformed == 0;
    // Where everything is missing nothing was found to be right.
    Ok(if all_good && tally.good > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(ANSWER_IS_NO)
    })
}

fn check_list(
    list: &Path,
    arguments: &SealHashArguments,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let source = Source::open(list)?;
    let what = source.what().to_owned();
    let mut lines = BufReader::new(source);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line);
        if read.map_err(|error| unread(&what, &error))? == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if line.trim_ascii().is_empty() || line.starts_with(b"#") {
            continue;
        }
        let entry = Entry::parse(&line);
        let known = entry.and_then(|entry| Some((entry.algorithm(arguments.algorithm)?, entry)));
        match known {
            Some((algorithm, entry)) => check_entry(&entry, algorithm, arguments, tally)?,
            None => tally.malformed += 1,
        }
    }
}

fn check_entry(
    entry: &Entry,
    algorithm: hash::Algorithm,
    arguments: &SealHashArguments,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let missing = || std::fs::symlink_metadata(&entry.name).is_err();
    if arguments.ignore_missing && missing() {
        return Ok(());
    }
    match of_file(&entry.name, algorithm) {
        Ok(digest) if digest == entry.digest => {
            tally.good += 1;
            if arguments.quiet {
                return Ok(());
            }
            say::checked(&entry.name, say::Checked::Good)
        }
        Ok(_) => {
            tally.other += 1;
            say::checked(&entry.name, say::Checked::Other)
        }
        Err(failure) => {
            words::say_failure(&failure);
            tally.unread += 1;
            say::checked(&entry.name, say::Checked::Unread)
        }
    }
}

/// Longer than any name that a file can have, with its hash.
const LONGEST_LINE: u64 = 64 << 10;
