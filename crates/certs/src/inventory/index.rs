//! The index in SQLite: its file, its tables, and how far it has got with the journal.
//!
//! It is derived: whatever is wrong with it, it is made anew from the journal. That is why it need
//! not be synced at each entry (WAL with `synchronous = NORMAL`: a crash may lose the last entries
//! of the index, never its soundness).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ravelin_pki::{Fingerprint, SerialNumber};
use rusqlite::{
    Connection, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params,
};

mod bulk;
mod changes;
mod names;
mod place;
mod tables;
mod values;

use super::error::{InventoryError, is_damage};
use crate::journal::error::Refusal;
pub(crate) use bulk::Bulk;
pub(crate) use changes::{apply, issuers, known_issuer, last_crl, revocation};
pub(crate) use names::{for_each_packed, hash, named, packed_texts, texts, with_name, with_part};
pub(crate) use place::Place;
use tables::empty;
use values::serial_octets;
pub(crate) use values::{fingerprint, moment, reason, serial, signed, unreadable, unsigned};

#[derive(Debug)]
pub(crate) struct Index {
    path: PathBuf,
    connection: Connection,
}

/// How far the index has got with the journal: the last entry that is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Built {
    pub(crate) sequence: u64,
    /// The SHA-256 of its line, with the newline.
    pub(crate) head: Fingerprint,
    /// Where its line begins, and where the next will.
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl Built {
    pub(crate) const NOTHING: Self = Self {
        sequence: 0,
        head: Fingerprint::from_bytes([0; 32]),
        start: 0,
        end: 0,
    };
}

/// Why an entry does not go into the index.
#[derive(Debug)]
pub(crate) enum ApplyError {
    Refused(Refusal),
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for ApplyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Refusal> for ApplyError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Index {
    /// Opens the index. One that is damaged, or of another version, is emptied.
    pub(crate) fn open(path: &Path) -> Result<Self, InventoryError> {
        let failed = |source| InventoryError::Database {
            path: path.to_owned(),
            source,
        };
        let connection = match connect(path) {
            Err(error) if is_damage(&error) => {
                remove(path);
                connect(path).map_err(failed)?
            }
            other => other.map_err(failed)?,
        };
        Ok(Self {
            path: path.to_owned(),
            connection,
        })
    }

    /// Opens the index as it is, for looking at it: nothing is made or mended. `None` where it is
    /// still to be made, or to be made anew for this version.
    pub(crate) fn open_as_it_is(path: &Path) -> Result<Option<Connection>, rusqlite::Error> {
        if !path.exists() {
            return Ok(None);
        }
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(PATIENCE)?;
        connection.execute_batch("BEGIN")?;
        Ok((kind(&connection)? == (APPLICATION, VERSION)).then_some(connection))
    }

    /// Throws the file away and begins with an empty one.
    ///
    /// Others may have the old file open: they go on with it, each for itself, until they close it
    /// (SQLite then sees that it is no longer the file of that name, and leaves the new one alone).
    pub(crate) fn remake(&mut self) -> Result<(), InventoryError> {
        // The old one is closed first, so that it does not tidy up behind the new one.
        let memory = Connection::open_in_memory().map_err(|source| self.failed(source))?;
        drop(std::mem::replace(&mut self.connection, memory));
        remove(&self.path);
        self.connection = connect(&self.path).map_err(|source| self.failed(source))?;
        Ok(())
    }

    /// Begins to write. The lock of the journal must be held.
    pub(crate) fn write(&mut self) -> Result<Transaction<'_>, rusqlite::Error> {
        self.connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
    }

    /// Puts the names of the certificates that came last where they are found, if they are many by now.
    /// Where that fails, the next time will do: they are found meanwhile, only more slowly.
    pub(crate) fn sort_in_names(&mut self) {
        let _ = self.try_sort_in_names();
    }

    fn try_sort_in_names(&mut self) -> Result<(), rusqlite::Error> {
        if !names::are_to_be_sorted(&self.connection)? {
            return Ok(());
        }
        let transaction = self.write()?;
        names::sort_in(&transaction)?;
        transaction.commit()
    }

    /// Looks at the index as it is at one moment, until the value is dropped.
    pub(crate) fn look(&self) -> Result<Transaction<'_>, rusqlite::Error> {
        self.connection.unchecked_transaction()
    }

    /// Whether the issuer has given the number, as far as the index has got; it need not be looked for
    /// where it is greater than `greatest`, which is all that [`Self::greatest_serial`] said.
    pub(crate) fn has_given(
        &self,
        issuer: &Fingerprint,
        serial: &SerialNumber,
        greatest: Option<&[u8]>,
    ) -> Result<bool, ApplyError> {
        let octets = serial_octets(serial)?;
        if Some(octets) > greatest {
            return Ok(false);
        }
        let Some(issuer) = known_issuer(&self.connection, issuer)? else {
            return Ok(false);
        };
        let known = self
            .connection
            .prepare_cached("SELECT 1 FROM certificates WHERE serial = ?1 AND issuer = ?2")?
            .exists(params![octets, issuer])?;
        // One that was revoked without being known here was given by whoever issued it.
        Ok(known || revocation(&self.connection, issuer, serial)?.is_some())
    }

    /// The octets of the greatest serial number that is known here: no issuer has given a greater one.
    pub(crate) fn greatest_serial(&self) -> Result<Option<Vec<u8>>, rusqlite::Error> {
        self.connection
            .prepare_cached(
                "SELECT max(serial) FROM (
                     SELECT max(serial) AS serial FROM certificates
                     UNION ALL
                     SELECT (SELECT max(serial) FROM revocations WHERE issuer = id) FROM issuers
                 )",
            )?
            .query_row([], |row| row.get(0))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the line of entry `sequence` begins and how long it is, if it issued a certificate.
    pub(crate) fn line_of(&self, sequence: u64) -> Result<Option<(u64, u64)>, rusqlite::Error> {
        self.connection
            .prepare_cached("SELECT start, length FROM certificates WHERE sequence = ?1")?
            .query_row([signed(sequence)?], |row| {
                Ok((unsigned(row, 0)?, unsigned(row, 1)?))
            })
            .optional()
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn failed(&self, source: rusqlite::Error) -> InventoryError {
        InventoryError::Database {
            path: self.path.clone(),
            source,
        }
    }

    /// Gives the disk back what a long transaction took beside the file.
    pub(crate) fn tidy(&self) {
        let _ = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let _ = self.set_cache(CACHE);
        let _ = self.connection.execute_batch("PRAGMA shrink_memory");
    }

    /// Takes more memory for a while, as many entries are to come.
    pub(crate) fn prepare_for_many(&self) -> Result<(), rusqlite::Error> {
        self.set_cache(CACHE_FOR_MANY)
    }

    /// As [`Self::prepare_for_many`], where they are put into the tables in order: memory is for
    /// sorting them.
    pub(crate) fn prepare_for_bulk(&self) -> Result<(), rusqlite::Error> {
        self.set_cache(CACHE_FOR_BULK)
    }

    fn set_cache(&self, kibibytes: i64) -> Result<(), rusqlite::Error> {
        self.connection
            .pragma_update(None, "cache_size", -kibibytes)
    }
}

/// How long another process may keep the index from being used: rebuilding a million takes less.
const PATIENCE: Duration = Duration::from_secs(60);

/// KiB of the index that are kept in memory: the branches of the trees of a million certificates, and
/// most of what is new.
const CACHE: i64 = 64 << 10;

/// KiB while it takes many entries one by one: all of a million certificates, as they come in no order
/// of the trees.
const CACHE_FOR_MANY: i64 = 512 << 10;

/// KiB while it takes many entries at once.
const CACHE_FOR_BULK: i64 = 128 << 10;

/// Tells the file from others of SQLite: "Rvln".
const APPLICATION: i32 = 0x5276_6c6e;

/// The version of the tables. Any other is made anew.
const VERSION: i32 = 3;

/// Octets that the file's log may grow to before they are put into the file itself.
const WAL: i64 = 32 << 20;

/// Octets of a page. Certificates that end at about the same time were often issued at quite
/// different ones, so that their pages lie all over the file: 80,000 of a million in pages of 4 KiB
/// took 0.5 s to read from a disk that answers in 80 µs.
const PAGE: i64 = 16 << 10;

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let mut connection = connect_as_it_is(path)?;
    let kind_of_file = kind(&connection)?;
    if kind_of_file != (APPLICATION, VERSION) {
        let mut seen = Vec::new();
        if kind_of_file.0 == APPLICATION {
            // What another version knows that an audit should ask for.
            seen = doubts(&connection).unwrap_or_default();
            seen.extend(built(&connection).map(|built| (built.sequence, built.head)));
        }
        // An empty file, as the pages of one that has tables have their size for good.
        drop(connection);
        remove(path);
        connection = connect_as_it_is(path)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        empty(&transaction)?;
        for (sequence, head) in seen {
            note_doubt(&transaction, sequence, &head)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.commit()?;
    }
    built(&connection)?;
    Ok(connection)
}

fn connect_as_it_is(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "page_size", PAGE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -CACHE)?;
    // A checkpoint syncs, so they should be rare.
    connection.pragma_update(None, "wal_autocheckpoint", WAL / PAGE)?;
    Ok(connection)
}

/// Whose file it is, and of which version.
fn kind(connection: &Connection) -> Result<(i32, i32), rusqlite::Error> {
    let value = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((value("application_id")?, value("user_version")?))
}

fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        // What cannot be removed is told when the new one cannot be made.
        let _ = fs::remove_file(file);
    }
    // SQLite would make it with the modes of the umask.
    let _ = crate::store::make_private(path);
}

/// Begins anew, because the journal is not the one that `seen` was read from.
pub(crate) fn begin_anew(
    transaction: &Transaction<'_>,
    seen: Built,
) -> Result<(), rusqlite::Error> {
    empty(transaction)?;
    note_doubt(transaction, seen.sequence, &seen.head)
}

fn note_doubt(
    transaction: &Transaction<'_>,
    sequence: u64,
    head: &Fingerprint,
) -> Result<(), rusqlite::Error> {
    transaction.execute(
        "INSERT OR IGNORE INTO doubts (sequence, head) VALUES (?1, ?2)",
        params![signed(sequence)?, head.as_bytes()],
    )?;
    Ok(())
}

/// Entries that the journal had once, and the hashes of their lines.
pub(crate) fn doubts(connection: &Connection) -> Result<Vec<(u64, Fingerprint)>, rusqlite::Error> {
    let mut statement =
        connection.prepare("SELECT sequence, head FROM doubts ORDER BY sequence")?;
    let rows = statement.query_map([], |row| Ok((unsigned(row, 0)?, fingerprint(row, 1)?)))?;
    rows.collect()
}

pub(crate) fn built(connection: &Connection) -> Result<Built, rusqlite::Error> {
    let mut statement =
        connection.prepare_cached("SELECT sequence, head, start, end FROM built WHERE id = 1")?;
    statement.query_row([], |row| {
        Ok(Built {
            sequence: unsigned(row, 0)?,
            head: fingerprint(row, 1)?,
            start: unsigned(row, 2)?,
            end: unsigned(row, 3)?,
        })
    })
}

pub(crate) fn set_built(connection: &Connection, built: Built) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO built (id, sequence, head, start, end) VALUES (1, ?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE
         SET sequence = excluded.sequence, head = excluded.head, start = excluded.start,
             end = excluded.end",
    )?;
    statement.execute(params![
        signed(built.sequence)?,
        built.head.as_bytes(),
        signed(built.start)?,
        signed(built.end)?
    ])?;
    Ok(())
}
