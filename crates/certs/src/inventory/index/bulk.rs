//! Many entries at once into an index that is empty: what they tell is put aside as it comes, and
//! into the tables in their own order at the end.
//!
//! That is several times faster than one by one, and what is asked for together then lies together
//! on the disk. The price is that a serial number given twice, or a place, shows at the end only, as
//! an error of SQLite's: then they are to be gone through one by one.

use rusqlite::Transaction;

use super::ApplyError;
use super::changes::{self, Row};
use super::names::{self, Packer};
use super::tables::INDEXES;
use crate::journal::entry::Entry;
use crate::journal::event::{Event, Issued};

/// Entries that are being put aside.
pub(crate) struct Bulk {
    packer: Packer,
}

impl Bulk {
    /// Begins, in tables that are empty.
    pub(crate) fn begin(transaction: &Transaction<'_>) -> Result<Self, rusqlite::Error> {
        transaction.execute_batch(
            "DROP INDEX by_sequence; DROP INDEX by_serial; DROP INDEX revoked_by_end;
             DROP TABLE IF EXISTS temp.aside;
             CREATE TEMP TABLE aside (
                 place INTEGER, sequence INTEGER, issuer INTEGER, serial BLOB, not_before INTEGER,
                 not_after INTEGER, issued_at INTEGER, fingerprint BLOB, subject TEXT, names TEXT,
                 profile TEXT, requester TEXT, request BLOB, start INTEGER, length INTEGER
             );",
        )?;
        Ok(Self {
            packer: Packer::default(),
        })
    }

    /// Takes what an entry tells, as far as it can be seen now that it can have happened.
    pub(crate) fn apply(
        &mut self,
        transaction: &Transaction<'_>,
        entry: &Entry,
        start: u64,
        length: usize,
    ) -> Result<(), ApplyError> {
        match &entry.event {
            Event::Issued(leaf) => self.issue(transaction, entry, leaf, start, length),
            _ => changes::apply(transaction, entry, start, length),
        }
    }

    fn issue(
        &mut self,
        transaction: &Transaction<'_>,
        entry: &Entry,
        leaf: &Issued,
        start: u64,
        length: usize,
    ) -> Result<(), ApplyError> {
        let row = Row::of(transaction, entry, leaf, start, length)?;
        row.insert(transaction, "temp.aside", row.place)?;
        self.packer.add(transaction, entry.sequence, leaf)?;
        Ok(())
    }

    /// Puts all of it into the tables.
    pub(crate) fn finish(mut self, transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
        self.packer.finish(transaction)?;
        transaction.execute_batch(
            "INSERT INTO certificates (place, sequence, issuer, serial, not_before, not_after,
                 issued_at, revoked_at, reason, fingerprint, subject, names, profile, requester,
                 request, start, length)
             SELECT a.place, a.sequence, a.issuer, a.serial, a.not_before, a.not_after, a.issued_at,
                 r.at, r.reason, a.fingerprint, a.subject, a.names, a.profile, a.requester,
                 a.request, a.start, a.length
             FROM temp.aside a
                 LEFT JOIN revocations r ON r.issuer = a.issuer AND r.serial = a.serial
             ORDER BY a.place;
             DROP TABLE temp.aside;",
        )?;
        names::sort_in(transaction)?;
        transaction.execute_batch(INDEXES)
    }
}
