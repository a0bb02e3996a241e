//! The journal of a CA: what it issued, revoked and did, in a file that only grows, and is on the
//! disk before a certificate is handed out.
//!
//! One entry a line, in JSON, each with the hash of the line before. The journal is the truth; the
//! [inventory] answers questions about it, and can be made anew from it. Whether
//! an event *should* happen is the caller's business; here is seen to that it can.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::SystemTime;

use ravelin_pki::{CertificateDer, Fingerprint};

pub mod audit;
pub mod entry;
pub mod error;
pub mod event;
pub(crate) mod form;
mod lines;
mod replay;
mod writing;

use crate::inventory::index::{self, Built, Index};
use crate::inventory::{self, InventoryError};
use crate::store::{AppendFile, FileStore, ObjectName, StoreError};
pub use audit::{AuditReport, Finding, audit};
pub use entry::{Entry, LINE_MAX};
pub use error::{Fault, JournalError, Refusal};
pub use event::Event;
use lines::{Lines, Piece};
use replay::replay;
use writing::{Recent, append, mend_tail, tail};

/// The journal of a store, and the inventory that goes with it. Several processes may use one at
/// once; each sees what the others wrote.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use ravelin_certs::inventory::Query;
/// use ravelin_certs::journal::event::Issued;
/// use ravelin_certs::{FileStore, Journal};
/// use ravelin_pki::{Authority, HostName, NameConstraints, PrivateKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let now = SystemTime::now();
/// let ca = Authority::root("Example", PrivateKey::generate()?, &NameConstraints::local(), now)?;
/// let leaf = ca.leaf(&["localhost".parse::<HostName>()?], now)?;
///
/// let mut journal = Journal::open(&FileStore::open(folder)?)?;
/// let issued = Issued::new(leaf.certificate(), ca.certificate().public_key(), "server");
/// let head = journal.append(&[issued.asked_by("ada").into()], now)?;
/// // Now, and not before, may the certificate be handed out.
/// assert_eq!(head.sequence, 1);
///
/// let query = Query::default().expiring_before(now + Duration::from_secs(100 * 86_400));
/// assert_eq!(journal.page(&query, now, None, 10)?.records.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Journal {
    file: AppendFile,
    index: Index,
    recent: Option<Recent>,
}

/// The last entry of a journal. Noted elsewhere, it tells later whether the end of the journal was
/// cut off, which the journal itself cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 where there is none.
    pub sequence: u64,
    /// The SHA-256 of its line, with the newline: `tail -n 1 journal.jsonl | sha256sum`.
    pub hash: Fingerprint,
}

impl Journal {
    /// Opens the journal of a store, and brings the inventory up to it. Where there is none, it
    /// begins with the first entry.
    ///
    /// # Errors
    ///
    /// [`JournalError::Damaged`] where a line that the inventory had not read yet is.
    pub fn open(store: &FileStore) -> Result<Self, JournalError> {
        let file = store.append_file(&journal_name()?);
        // Under the lock: SQLite does not wait for another process that makes the same file.
        let locked = file.lock()?;
        let index = Index::open(&store.derived_file(&inventory_name()?)?)?;
        drop(locked);
        let mut journal = Self {
            file,
            index,
            recent: None,
        };
        journal.catch_up()?;
        Ok(journal)
    }

    /// Where the journal is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Writes events down, with `now` as their time, all of them or none; returns when they are on
    /// the disk. Many in one call cost little more than one: they share the wait for the disk. Where
    /// the process dies before that, the first of them may be there: then nobody was told of them.
    ///
    /// # Errors
    ///
    /// [`JournalError::Refused`] where one cannot happen: the serial number was given before, by
    /// whichever process. [`JournalError::Store`] where the disk is full. In either case nothing
    /// was written.
    pub fn append(&mut self, events: &[Event], now: SystemTime) -> Result<Head, JournalError> {
        let mut locked = self.file.lock()?;
        let tail = tail(locked.file(), locked.length()).map_err(failed_to_read(self.path()))?;
        if !tail.is_empty() {
            self.with_index(|file, index| replay(file, index, &locked))?;
            mend_tail(&self.index, &mut locked, tail)?;
        }
        if let Some(head) = self.append_many(&mut locked, events, now)? {
            return Ok(head);
        }
        self.recent = None;
        self.with_index(|file, index| append(file, index, &mut locked, events, now))
    }

    /// The last entry.
    pub fn head(&mut self) -> Result<Head, JournalError> {
        self.ask(|index| Ok(index::built(index.connection())?.head()))
    }

    /// The entries from number `first` on, as they are at this moment.
    pub fn entries(&self, first: u64) -> Result<Entries, JournalError> {
        Ok(Entries {
            path: self.path().to_owned(),
            lines: self
                .file
                .read()?
                .map(|(file, length)| Lines::new(file, 0, length)),
            built: Built::NOTHING,
            first,
        })
    }

    /// The certificate that entry `sequence` is about.
    ///
    /// # Errors
    ///
    /// [`JournalError::NoEntry`] where it is about none.
    pub fn certificate(&mut self, sequence: u64) -> Result<CertificateDer<'static>, JournalError> {
        let none = || JournalError::NoEntry {
            path: self.file.path().to_owned(),
            sequence,
        };
        let place = self.index.line_of(sequence);
        let place = place.map_err(|source| self.index.failed(source))?;
        let ((start, length), (file, end)) = place.zip(self.file.read()?).ok_or_else(none)?;
        let mut lines = Lines::new(file, start, end.min(start + length));
        let damaged = |fault| JournalError::damaged(self.file.path(), sequence, fault);
        match lines.next().map_err(failed_to_read(self.file.path()))? {
            Piece::Line(line, _) => {
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                let entry = Entry::from_line(line).map_err(|error| damaged(Fault::Form(error)))?;
                match entry.event {
                    Event::Issued(issued) if entry.sequence == sequence => Ok(issued.certificate),
                    _ => Err(damaged(Fault::Inventory)),
                }
            }
            _ => Err(damaged(Fault::Inventory)),
        }
    }

    /// Makes the inventory anew from the whole journal.
    pub fn rebuild_inventory(&mut self) -> Result<(), JournalError> {
        let locked = self.file.lock()?;
        self.index.remake()?;
        replay(&self.file, &mut self.index, &locked)
    }

    /// Asks the inventory when it has everything that the journal has. An inventory that turns out
    /// to be damaged is made anew, and asked again.
    pub(crate) fn ask<T>(
        &mut self,
        mut question: impl FnMut(&Index) -> Result<T, rusqlite::Error>,
    ) -> Result<T, JournalError> {
        self.catch_up()?;
        match question(&self.index) {
            Err(error) if inventory::is_damage(&error) => {
                self.rebuild_inventory()?;
                question(&self.index)
            }
            other => other,
        }
        .map_err(|source| self.index.failed(source).into())
    }

    /// Brings the inventory up to the journal.
    fn catch_up(&mut self) -> Result<(), JournalError> {
        if self.is_caught_up()? {
            return Ok(());
        }
        // Under the lock: what is being written may still be taken back if the disk is full.
        let locked = self.file.lock()?;
        self.with_index(|file, index| replay(file, index, &locked))
    }

    fn is_caught_up(&self) -> Result<bool, JournalError> {
        let Ok(built) = index::built(self.index.connection()) else {
            return Ok(false);
        };
        let Some((file, length)) = self.file.read()? else {
            return Ok(built.sequence == 0);
        };
        Ok(built.end == length
            && built
                .is_in(&file, length)
                .map_err(failed_to_read(self.path()))?)
    }

    /// Does something with the index; where that turns out to be damaged, once more with a new one.
    fn with_index<T>(
        &mut self,
        mut work: impl FnMut(&AppendFile, &mut Index) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        match work(&self.file, &mut self.index) {
            Err(JournalError::Inventory(InventoryError::Database { source, .. }))
                if inventory::is_damage(&source) =>
            {
                self.index.remake()?;
                work(&self.file, &mut self.index)
            }
            other => other,
        }
    }
}

impl Built {
    fn head(&self) -> Head {
        Head {
            sequence: self.sequence,
            hash: self.head,
        }
    }
}

/// The entries of a journal, in their order. The first that is damaged is the last that is told.
pub struct Entries {
    path: PathBuf,
    lines: Option<Lines<File>>,
    built: Built,
    first: u64,
}

impl Iterator for Entries {
    type Item = Result<Entry, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let lines = self.lines.as_mut()?;
            let read = match lines.next() {
                Err(error) => {
                    self.lines = None;
                    return Some(Err(failed_to_read(&self.path)(error)));
                }
                Ok(Piece::End | Piece::Tail(_)) => {
                    self.lines = None;
                    return None;
                }
                Ok(Piece::TooLong) => Err(Fault::TooLong),
                Ok(Piece::Line(line, start)) => self.built.follow(line, start),
            };
            match read {
                Ok((entry, now)) => {
                    self.built = now;
                    if entry.sequence >= self.first {
                        return Some(Ok(entry));
                    }
                }
                Err(fault) => {
                    self.lines = None;
                    let line = self.built.sequence + 1;
                    return Some(Err(JournalError::damaged(&self.path, line, fault)));
                }
            }
        }
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries")
            .field("path", &self.path)
            .field("read", &self.built.sequence)
            .finish_non_exhaustive()
    }
}

/// Number and hash, with a colon between them.
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.hash)
    }
}

/// Not the head of a journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not the head of a journal, which is a number, a colon and a hash")]
pub struct HeadError(String);

impl FromStr for Head {
    type Err = HeadError;

    fn from_str(text: &str) -> Result<Self, HeadError> {
        text.split_once(':')
            .and_then(|(sequence, hash)| {
                Some(Self {
                    sequence: sequence.parse().ok()?,
                    hash: hash.parse().ok()?,
                })
            })
            .ok_or_else(|| HeadError(text.chars().take(100).collect()))
    }
}

fn journal_name() -> Result<ObjectName, StoreError> {
    "ca/journal.jsonl".parse()
}

fn inventory_name() -> Result<ObjectName, StoreError> {
    "ca/inventory.db".parse()
}

fn failed_to_read(path: &Path) -> impl Fn(std::io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| {
        JournalError::Store(StoreError::Io {
            action: "read",
            path: path.clone(),
            source,
        })
    }
}
