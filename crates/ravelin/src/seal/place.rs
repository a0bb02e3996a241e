//! Where sealed files come from, and where they go to: streams, as long as they may be.
//!
//! A file that is written appears whole or not at all. What is not to be seen before its end was reached is held
//! back from pipes too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Cursor, IsTerminal as _, Read, Seek as _, SeekFrom, Write};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use ravelin_certs::StoreError;
use ravelin_seal::contents::{Contents, ENOUGH};
use whole::WholeFile;

use crate::failure::Failure;
use crate::key;

mod whole;

/// A file that is read, or standard input.
pub(super) struct Source {
    what: String,
    input: Box<dyn Read>,
}

impl Source {
    pub(super) fn open(file: &Path) -> Result<Self, Failure> {
        let what = key::shown(file);
        let input: Box<dyn Read> = if key::is_standard(file) {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(file).map_err(|error| unread(&what, &error))?)
        };
        Ok(Self { what, input })
    }

    /// What messages call it.
    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// What it seems to be, by its beginning, which is read again after that.
    pub(super) fn contents(&mut self) -> Result<Option<Contents>, Failure> {
        let mut beginning = Vec::with_capacity(ENOUGH);
        (&mut self.input)
            .take(ENOUGH as u64)
            .read_to_end(&mut beginning)
            .map_err(|error| unread(&self.what, &error))?;
        let contents = Contents::of(&beginning);
        let rest = std::mem::replace(&mut self.input, Box::new(io::empty()));
        self.input = Box::new(Cursor::new(beginning).chain(rest));
        Ok(contents)
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }
}

pub(super) fn unread(what: &str, error: &io::Error) -> Failure {
    Failure::local(format!("cannot read \"{what}\": {error}"))
}

/// What is written, and how.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Writing {
    /// Whether a file that is there is replaced.
    pub(super) force: bool,
    /// Whether the file is for its owner alone.
    pub(super) private: bool,
    /// Whether nothing may come out before all of it was found to be good.
    pub(super) held: bool,
}

/// A file that is written, or standard output.
pub(super) struct Destination {
    what: String,
    output: BufWriter<Output>,
}

enum Output {
    /// A pipe, a terminal or a device: what is written is out.
    Direct(Box<dyn Write>),
    /// The same, for what is held back: a file without a name in between.
    Held(File, Box<dyn Write>),
    /// A file that has its name once it is whole.
    Named {
        file: WholeFile,
        path: PathBuf,
        force: bool,
    },
}

impl Destination {
    pub(super) fn open(path: &Path, writing: Writing) -> Result<Self, Failure> {
        let (what, direct): (_, Option<Box<dyn Write>>) = if key::is_standard(path) {
            ("standard output".to_owned(), Some(standard_output()?))
        } else {
            (path.display().to_string(), device(path)?)
        };
        let failed = |error: &io::Error| unwritten(&what, error);
        let output = match direct {
            Some(direct) if writing.held => Output::Held(
                tempfile::tempfile().map_err(|error| failed(&error))?,
                direct,
            ),
            Some(direct) => Output::Direct(direct),
            None => {
                check(path, writing.force)?;
                let mode = if writing.private { 0o600 } else { 0o666 };
                let file = WholeFile::begin(path, mode).map_err(|error| failed(&error))?;
                Output::Named {
                    file,
                    path: path.to_owned(),
                    force: writing.force,
                }
            }
        };
        Ok(Self {
            output: BufWriter::with_capacity(BUFFER, output),
            what,
        })
    }

    /// What messages call it.
    pub(super) fn what(&self) -> &str {
        &self.what
    }

    /// All of it was written, and is good.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let what = self.what;
        let failed = |error: &io::Error| unwritten(&what, error);
        let output = self
            .output
            .into_inner()
            .map_err(|error| failed(error.error()))?;
        match output {
            Output::Direct(mut out) => out.flush().map_err(|error| failed(&error)),
            Output::Held(mut file, mut out) => file
                .seek(SeekFrom::Start(0))
                .and_then(|_| io::copy(&mut file, &mut out))
                .and_then(|_| out.flush())
                .map_err(|error| failed(&error)),
            Output::Named { file, path, force } => match file.finish(force) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    Err(already_there(&path))
                }
                kept => kept.map_err(|error| failed(&error)),
            },
        }
    }
}

impl Write for Destination {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.output.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

impl Write for Output {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Direct(out) => out.write(octets),
            Self::Held(file, _) => file.write(octets),
            Self::Named { file, .. } => file.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Direct(out) => out.flush(),
            Self::Held(..) | Self::Named { .. } => Ok(()),
        }
    }
}

/// What is not text does a terminal no good.
pub(super) fn refuse_terminal(path: &Path) -> Result<(), Failure> {
    if key::is_standard(path) && io::stdout().is_terminal() {
        return Err(Failure::usage("this is nothing for a terminal")
            .hint("name a file with --out, or pipe it somewhere".to_owned()));
    }
    Ok(())
}

/// Looks whether a file would be replaced that is not to be, before a passphrase is asked for in vain. Only after that
/// is a file begun, since whoever is asked may well interrupt.
pub(super) fn check(path: &Path, force: bool) -> Result<(), Failure> {
    let there = fs::symlink_metadata(path).is_ok();
    let is_file = fs::metadata(path).is_ok_and(|there| there.is_file()) || !path.exists();
    if there && is_file && !force && !key::is_standard(path) {
        return Err(already_there(path));
    }
    Ok(())
}

/// Standard output as it is: `io::stdout` looks for the ends of lines in all that it is given.
fn standard_output() -> Result<Box<dyn Write>, Failure> {
    let own = io::stdout().as_fd().try_clone_to_owned();
    let own = own.map_err(|error| unwritten("standard output", &error))?;
    Ok(Box::new(File::from(own)))
}

/// What is at a path and no file: a device or a pipe is written to, and never replaced.
fn device(path: &Path) -> Result<Option<Box<dyn Write>>, Failure> {
    match fs::metadata(path) {
        Ok(there) if !there.is_file() => {
            let opened = OpenOptions::new().write(true).open(path);
            let opened = opened.map_err(|error| unwritten(&path.display().to_string(), &error))?;
            Ok(Some(Box::new(opened)))
        }
        _ => Ok(None),
    }
}

pub(super) fn unwritten(what: &str, error: &io::Error) -> Failure {
    Failure::local(format!("cannot write \"{what}\": {error}"))
}

fn already_there(path: &Path) -> Failure {
    let error = StoreError::AlreadyThere {
        path: path.to_owned(),
    };
    Failure::of(&error).hint(error.hint())
}

const BUFFER: usize = 256 << 10;
