//! The tables of the index, as they are made.

use rusqlite::Transaction;

use super::{Built, set_built};

/// Makes the tables anew. Doubts stay.
pub(super) fn empty(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    for table in [
        "built",
        "issuers",
        "certificates",
        "named",
        "packed",
        "revocations",
        "crls",
    ] {
        transaction.execute_batch(&format!("DROP TABLE IF EXISTS {table}"))?;
    }
    transaction.execute_batch(TABLES)?;
    transaction.execute_batch(INDEXES)?;
    transaction.execute_batch(DOUBTS)?;
    set_built(transaction, Built::NOTHING)
}

/// Certificates lie in the order of their ends, in which they are asked for: see [`super::Place`]. The
/// names of those up to entry `named` are in the table of that name; those of the others are only
/// packed yet: see [`super::names`].
pub(super) const TABLES: &str = "
    CREATE TABLE built (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        sequence INTEGER NOT NULL, head BLOB NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
        named INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE issuers (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE);
    CREATE TABLE certificates (
        place INTEGER PRIMARY KEY, sequence INTEGER NOT NULL,
        issuer INTEGER NOT NULL, serial BLOB NOT NULL,
        not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, issued_at INTEGER NOT NULL,
        revoked_at INTEGER, reason INTEGER,
        fingerprint BLOB NOT NULL,
        subject TEXT NOT NULL, names TEXT NOT NULL,
        profile TEXT NOT NULL, requester TEXT, request BLOB,
        start INTEGER NOT NULL, length INTEGER NOT NULL
    );
    CREATE TABLE named (
        hash INTEGER NOT NULL, certificate INTEGER NOT NULL,
        PRIMARY KEY (hash, certificate)
    ) WITHOUT ROWID;
    CREATE TABLE packed (first INTEGER PRIMARY KEY, texts BLOB NOT NULL);
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

/// By what else certificates are looked for. What is counted is in the first. Both that each new one
/// goes into grow at their end: the serial numbers we make begin with the time.
pub(super) const INDEXES: &str = "
    CREATE INDEX by_sequence ON certificates (sequence, not_before, not_after, revoked_at);
    CREATE UNIQUE INDEX by_serial ON certificates (serial, issuer);
    CREATE INDEX revoked_by_end ON certificates (not_after) WHERE revoked_at IS NOT NULL;
";

/// Kept when all else is made anew: the entries that the journal had once, for an audit to ask.
const DOUBTS: &str = "
    CREATE TABLE IF NOT EXISTS doubts (
        sequence INTEGER NOT NULL, head BLOB NOT NULL, PRIMARY KEY (sequence, head)
    ) WITHOUT ROWID;
";
