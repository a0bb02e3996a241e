//! The index in SQLite: its tables, how far it has got with the journal, and what an entry changes
//! in it.
//!
//! It is derived: whatever is wrong with it, it is made anew from the journal. That is why it need
//! not be synced at each entry (WAL with `synchronous = NORMAL`: a crash may lose the last entries
//! of the index, never its soundness).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ravelin_pki::{Fingerprint, SerialNumber};
use rusqlite::types::Type;
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension as _, Row, Transaction,
    TransactionBehavior, params,
};

use super::Revocation;
use super::error::{InventoryError, is_damage};
use crate::journal::entry::Entry;
use crate::journal::error::Refusal;
use crate::journal::event::{
    CrlIssued, Event, Issued, RevocationReason, RevocationUndone, Revoked,
};
use crate::journal::form::seconds;

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

    /// Whether the issuer has given the number, as far as the index has got.
    pub(crate) fn has_given(
        &self,
        issuer: &Fingerprint,
        serial: &SerialNumber,
    ) -> Result<bool, ApplyError> {
        let octets = serial_octets(serial)?;
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

/// KiB while it is made anew: all of a million certificates, as they come in no order of the trees.
const CACHE_FOR_MANY: i64 = 512 << 10;

/// Tells the file from others of SQLite: "Rvln".
const APPLICATION: i32 = 0x5276_6c6e;

/// The version of the tables. Any other is made anew.
const VERSION: i32 = 1;

/// Certificates lie in the order of their ends, in which they are asked for: 80,000 of a million that
/// end within a month are read in 0.15 s, and took 0.5 s when they lay in the order of the journal.
const TABLES: &str = "
    CREATE TABLE built (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        sequence INTEGER NOT NULL, head BLOB NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL
    );
    CREATE TABLE issuers (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE);
    CREATE TABLE certificates (
        sequence INTEGER NOT NULL,
        issuer INTEGER NOT NULL, serial BLOB NOT NULL,
        not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, issued_at INTEGER NOT NULL,
        revoked_at INTEGER, reason INTEGER,
        fingerprint BLOB NOT NULL,
        subject TEXT NOT NULL, names TEXT NOT NULL,
        profile TEXT NOT NULL, requester TEXT, request BLOB,
        start INTEGER NOT NULL, length INTEGER NOT NULL,
        PRIMARY KEY (not_after, sequence)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX by_sequence ON certificates (sequence);
    CREATE UNIQUE INDEX by_serial ON certificates (serial, issuer);
    CREATE INDEX by_times ON certificates (not_before, not_after, revoked_at);
    CREATE INDEX revoked_by_end ON certificates (not_after) WHERE revoked_at IS NOT NULL;
    CREATE TABLE searchable (
        text TEXT NOT NULL COLLATE NOCASE, certificate INTEGER NOT NULL,
        PRIMARY KEY (text, certificate)
    ) WITHOUT ROWID;
    CREATE TABLE revocations (
        issuer INTEGER NOT NULL, serial BLOB NOT NULL, reason INTEGER NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (issuer, serial)
    ) WITHOUT ROWID;
    CREATE TABLE crls (
        issuer INTEGER NOT NULL, number INTEGER NOT NULL, fingerprint BLOB NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (issuer, number)
    ) WITHOUT ROWID;
";

/// Kept when all else is made anew: the entries that the journal had once, for an audit to ask.
const DOUBTS: &str = "
    CREATE TABLE IF NOT EXISTS doubts (
        sequence INTEGER NOT NULL, head BLOB NOT NULL, PRIMARY KEY (sequence, head)
    ) WITHOUT ROWID;
";

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -CACHE)?;
    // Pages: 16 MiB. A checkpoint syncs, so they should be rare.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    if kind(&connection)? != (APPLICATION, VERSION) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been faster.
        if kind(&transaction)? != (APPLICATION, VERSION) {
            empty(&transaction)?;
            transaction.execute_batch(&format!("DROP TABLE IF EXISTS doubts; {DOUBTS}"))?;
            transaction.pragma_update(None, "application_id", APPLICATION)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        transaction.commit()?;
    }
    built(&connection)?;
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

/// Makes the tables anew. Doubts stay.
fn empty(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    for table in [
        "built",
        "issuers",
        "certificates",
        "searchable",
        "revocations",
        "crls",
    ] {
        transaction.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
    }
    transaction.execute_batch(TABLES)?;
    set_built(transaction, Built::NOTHING)
}

/// Begins anew, because the journal is not the one that `seen` was read from.
pub(crate) fn begin_anew(
    transaction: &Transaction<'_>,
    seen: Built,
) -> Result<(), rusqlite::Error> {
    transaction.execute_batch(DOUBTS)?;
    transaction.execute(
        "INSERT OR IGNORE INTO doubts (sequence, head) VALUES (?1, ?2)",
        params![signed(seen.sequence)?, seen.head.as_bytes()],
    )?;
    empty(transaction)
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

/// Puts what an entry tells into the tables, if it can have happened. Its line begins at `start`.
pub(crate) fn apply(
    transaction: &Transaction<'_>,
    entry: &Entry,
    start: u64,
    length: usize,
) -> Result<(), ApplyError> {
    match &entry.event {
        Event::Issued(issued) => issue(transaction, entry, issued, start, length),
        Event::Revoked(revoked) => revoke(transaction, revoked),
        Event::RevocationUndone(undone) => undo(transaction, undone),
        Event::CrlIssued(crl) => list(transaction, entry, crl),
        _ => Ok(()),
    }
}

fn issue(
    transaction: &Transaction<'_>,
    entry: &Entry,
    leaf: &Issued,
    start: u64,
    length: usize,
) -> Result<(), ApplyError> {
    let issuer = issuer_id(transaction, &leaf.issuer)?;
    let serial = serial_octets(&leaf.serial)?;
    let twice = || Refusal::SerialTwice {
        serial: leaf.serial.clone(),
        issuer: leaf.issuer,
    };
    // One that was revoked without being known here was given by whoever issued it.
    if revocation(transaction, issuer, &leaf.serial)?.is_some() {
        return Err(twice().into());
    }
    let names = serde_json::to_string(&leaf.names).map_err(Refusal::Form)?;
    let sequence = signed(entry.sequence)?;
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO certificates (sequence, issuer, serial, not_before, not_after, issued_at,
                 fingerprint, subject, names, profile, requester, request, start, length)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            sequence,
            issuer,
            serial,
            time(leaf.not_before)?,
            time(leaf.not_after)?,
            time(entry.time)?,
            Fingerprint::of(&leaf.certificate).as_bytes(),
            leaf.subject,
            names,
            leaf.profile,
            leaf.requester,
            leaf.request.as_ref().map(Fingerprint::as_bytes),
            signed(start)?,
            signed(length as u64)?,
        ]);
    match inserted {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            return Err(twice().into());
        }
        other => other?,
    };
    let mut searchable = transaction
        .prepare_cached("INSERT OR IGNORE INTO searchable (text, certificate) VALUES (?1, ?2)")?;
    let subject = Some(&leaf.subject).filter(|subject| !subject.is_empty());
    for text in leaf.names.iter().chain(subject) {
        searchable.execute(params![text, sequence])?;
    }
    Ok(())
}

fn revoke(transaction: &Transaction<'_>, revoked: &Revoked) -> Result<(), ApplyError> {
    let issuer = issuer_id(transaction, &revoked.issuer)?;
    let serial = serial_octets(&revoked.serial)?;
    match revocation(transaction, issuer, &revoked.serial)?.map(|known| known.reason) {
        // A hold may become final, and nothing else may change.
        Some(RevocationReason::CertificateHold)
            if revoked.reason != RevocationReason::CertificateHold => {}
        Some(reason) => {
            return Err(ApplyError::Refused(Refusal::RevokedBefore {
                serial: revoked.serial.clone(),
                reason,
            }));
        }
        None => {}
    }
    let (reason, at) = (i64::from(revoked.reason.code()), time(revoked.at)?);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO revocations (issuer, serial, reason, at)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![issuer, serial, reason, at])?;
    transaction
        .prepare_cached(
            "UPDATE certificates SET reason = ?3, revoked_at = ?4
             WHERE serial = ?2 AND issuer = ?1",
        )?
        .execute(params![issuer, serial, reason, at])?;
    Ok(())
}

fn undo(transaction: &Transaction<'_>, undone: &RevocationUndone) -> Result<(), ApplyError> {
    let issuer = issuer_id(transaction, &undone.issuer)?;
    let serial = serial_octets(&undone.serial)?;
    let known = revocation(transaction, issuer, &undone.serial)?;
    let refusal = match known.map(|known| known.reason) {
        Some(RevocationReason::CertificateHold) => None,
        Some(reason) => Some(Refusal::NotOnHold {
            serial: undone.serial.clone(),
            reason,
        }),
        None => Some(Refusal::NotRevoked {
            serial: undone.serial.clone(),
        }),
    };
    if let Some(refusal) = refusal {
        return Err(refusal.into());
    }
    transaction
        .prepare_cached("DELETE FROM revocations WHERE issuer = ?1 AND serial = ?2")?
        .execute(params![issuer, serial])?;
    transaction
        .prepare_cached(
            "UPDATE certificates SET reason = NULL, revoked_at = NULL
             WHERE serial = ?2 AND issuer = ?1",
        )?
        .execute(params![issuer, serial])?;
    Ok(())
}

fn list(transaction: &Transaction<'_>, entry: &Entry, crl: &CrlIssued) -> Result<(), ApplyError> {
    let issuer = issuer_id(transaction, &crl.issuer)?;
    let number = i64::try_from(crl.number).map_err(|_| Refusal::Number(crl.number))?;
    if let Some(last) = last_crl(transaction, issuer)?
        && crl.number <= last
    {
        return Err(ApplyError::Refused(Refusal::CrlNumber {
            number: crl.number,
            last,
        }));
    }
    transaction
        .prepare_cached(
            "INSERT INTO crls (issuer, number, fingerprint, at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            issuer,
            number,
            crl.fingerprint.as_bytes(),
            time(entry.time)?
        ])?;
    Ok(())
}

/// The number under which an issuer is known in the tables; one is given where it has none yet.
fn issuer_id(transaction: &Transaction<'_>, key: &Fingerprint) -> Result<i64, rusqlite::Error> {
    if let Some(id) = known_issuer(transaction, key)? {
        return Ok(id);
    }
    transaction.execute("INSERT INTO issuers (key) VALUES (?1)", [key.as_bytes()])?;
    Ok(transaction.last_insert_rowid())
}

pub(super) fn known_issuer(
    connection: &Connection,
    key: &Fingerprint,
) -> Result<Option<i64>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT id FROM issuers WHERE key = ?1")?
        .query_row([key.as_bytes()], |row| row.get(0))
        .optional()
}

/// Since when and why a certificate is revoked.
pub(super) fn revocation(
    connection: &Connection,
    issuer: i64,
    serial: &SerialNumber,
) -> Result<Option<Revocation>, rusqlite::Error> {
    let Ok(octets) = serial_octets(serial) else {
        return Ok(None);
    };
    connection
        .prepare_cached("SELECT at, reason FROM revocations WHERE issuer = ?1 AND serial = ?2")?
        .query_row(params![issuer, octets], |row| {
            Ok(Revocation {
                at: moment(row, 0)?,
                reason: reason(row, 1)?,
            })
        })
        .optional()
}

pub(super) fn last_crl(
    connection: &Connection,
    issuer: i64,
) -> Result<Option<u64>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT number FROM crls WHERE issuer = ?1 ORDER BY number DESC LIMIT 1")?
        .query_row([issuer], |row| unsigned(row, 0))
        .optional()
}

/// A positive number's octets, without the zero that only keeps it positive.
fn serial_octets(serial: &SerialNumber) -> Result<&[u8], Refusal> {
    // In its shortest form, and positive: then what is shown of it tells all.
    match serial.der_content() {
        [] => Err(Refusal::Serial(serial.clone())),
        [0, second, ..] if second & 0x80 == 0 => Err(Refusal::Serial(serial.clone())),
        [0, rest @ ..] if !rest.is_empty() => Ok(rest),
        [first, ..] if first & 0x80 != 0 => Err(Refusal::Serial(serial.clone())),
        all => Ok(all),
    }
}

fn time(time: std::time::SystemTime) -> Result<i64, Refusal> {
    seconds(time).ok_or(Refusal::Time)
}

pub(crate) fn signed(number: u64) -> Result<i64, rusqlite::Error> {
    i64::try_from(number).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

pub(crate) fn fingerprint(row: &Row<'_>, column: usize) -> Result<Fingerprint, rusqlite::Error> {
    row.get(column).map(Fingerprint::from_bytes)
}

pub(crate) fn serial(row: &Row<'_>, column: usize) -> Result<SerialNumber, rusqlite::Error> {
    let octets: Vec<u8> = row.get(column)?;
    Ok(serial_from_octets(octets))
}

fn serial_from_octets(mut octets: Vec<u8>) -> SerialNumber {
    if octets.first().is_some_and(|first| first & 0x80 != 0) {
        octets.insert(0, 0);
    }
    SerialNumber::from_der_content(&octets)
}

pub(crate) fn reason(row: &Row<'_>, column: usize) -> Result<RevocationReason, rusqlite::Error> {
    let code: i64 = row.get(column)?;
    u8::try_from(code)
        .ok()
        .and_then(RevocationReason::from_code)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, code))
}

pub(crate) fn moment(
    row: &Row<'_>,
    column: usize,
) -> Result<std::time::SystemTime, rusqlite::Error> {
    let seconds: i64 = row.get(column)?;
    crate::journal::form::from_seconds(seconds)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, seconds))
}

/// What does not look like it should, in words of [`rusqlite`]'s.
pub(super) fn unreadable(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
