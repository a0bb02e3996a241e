//! Questions about what a CA issued: by serial number, name, end and state, sorted by their end.
//!
//! They are asked of a [`Journal`]; the answers come from an index in SQLite that is made from it.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::SystemTime;

use ravelin_pki::{Fingerprint, RevocationReason, SerialNumber};
use rusqlite::{Row, params, params_from_iter};
use serde::Serialize;

mod error;
pub(crate) mod index;
mod query;

use crate::journal::{Journal, JournalError, form};
pub use error::InventoryError;
pub(crate) use error::is_damage;
use index::{Place, moment, reason, serial, unreadable, unsigned};
pub use query::{NamePattern, Query, SerialPrefix, SerialPrefixError};

/// A certificate that was issued. Times in JSON are RFC 3339 in UTC, hashes and serial numbers hex
/// digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The number of its entry in the journal.
    pub sequence: u64,
    /// What it is worth at the time that was asked about.
    pub state: State,
    /// Its serial number.
    #[serde(with = "form::text")]
    pub serial: SerialNumber,
    /// The distinguished name of its holder; may be empty.
    pub subject: String,
    /// All names in its `subjectAltName`.
    pub names: Vec<String>,
    /// The first second of its life.
    #[serde(with = "form::time")]
    pub not_before: SystemTime,
    /// The last second of its life.
    #[serde(with = "form::time")]
    pub not_after: SystemTime,
    /// Since when it is revoked, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
    /// When it was issued.
    #[serde(with = "form::time")]
    pub issued_at: SystemTime,
    /// The name of the template it was made by.
    pub profile: String,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requester: Option<String>,
    /// The SHA-256 of the request it was made from.
    #[serde(skip_serializing_if = "Option::is_none", with = "form::text_if_any")]
    pub request: Option<Fingerprint>,
    /// The SHA-256 of the certificate in DER.
    #[serde(with = "form::text")]
    pub fingerprint: Fingerprint,
    /// The SHA-256 of the issuer's `SubjectPublicKeyInfo`.
    #[serde(with = "form::text")]
    pub issuer: Fingerprint,
}

/// What a certificate is worth at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its time has not come.
    NotYetValid,
    /// It is good.
    Valid,
    /// Its time is over.
    Expired,
    /// It was revoked, whatever its time.
    Revoked,
}

/// That a certificate was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Revocation {
    /// Since when.
    #[serde(with = "form::time")]
    pub at: SystemTime,
    /// Why.
    #[serde(with = "form::text")]
    pub reason: RevocationReason,
}

/// A certificate that belongs on the CRL of its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedSerial {
    /// Its serial number.
    pub serial: SerialNumber,
    /// Since when, and why.
    pub revocation: Revocation,
    /// The last second of its life; `None` where it was not issued here. An expired one need not
    /// stay on the list (RFC 5280, section 3.3).
    pub not_after: Option<SystemTime>,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The records, by their end.
    pub records: Vec<Record>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// A place between two records, which stays where it is when others come or go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(Place);

/// How many certificates there are of each state. All of them are the sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Whose time has not come.
    pub not_yet_valid: u64,
    /// That are good.
    pub valid: u64,
    /// Whose time is over.
    pub expired: u64,
    /// That were revoked, whatever their time.
    pub revoked: u64,
}

/// Questions to the inventory. All of them see what other processes have written before.
impl Journal {
    /// The certificate whose serial number begins with `prefix`; one whose number is just that comes
    /// before those that are longer.
    ///
    /// # Errors
    ///
    /// [`InventoryError::Ambiguous`] where there are several.
    pub fn find(
        &mut self,
        prefix: &SerialPrefix,
        now: SystemTime,
    ) -> Result<Option<Record>, JournalError> {
        let mut look = |query| self.page(&query, now, None, EXAMPLES + 1);
        let mut found = look(Query::default().serial_is(prefix.clone()))?.records;
        if found.is_empty() {
            found = look(Query::default().serial(prefix.clone()))?.records;
        }
        if found.len() > 1 {
            let more = found.len() > EXAMPLES;
            found.truncate(EXAMPLES);
            let serials = found.iter().map(|record| record.serial.to_string());
            return Err(JournalError::Inventory(InventoryError::Ambiguous {
                prefix: prefix.to_string(),
                serials: serials.collect(),
                more,
            }));
        }
        Ok(found.pop())
    }

    /// The records that `query` asks for, as they are at `now`, by their end; at most `limit`, from
    /// `after` on.
    pub fn page(
        &mut self,
        query: &Query,
        now: SystemTime,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, JournalError> {
        let mut records = Vec::new();
        let (mut last, mut next) = (None, None);
        let wanted = limit.saturating_add(1);
        self.select(query, now, after, Some(wanted), &mut |record, place| {
            if records.len() < limit {
                records.push(record);
                last = Some(Cursor(place));
            } else {
                next = last;
            }
            ControlFlow::Continue(())
        })?;
        Ok(Page { records, next })
    }

    /// Hands over the records that `query` asks for, as they are at `now`, by their end, one after
    /// the other, until there are no more or `take` breaks off: however many there are, they are
    /// never all in memory.
    pub fn for_each(
        &mut self,
        query: &Query,
        now: SystemTime,
        mut take: impl FnMut(Record) -> ControlFlow<()>,
    ) -> Result<(), JournalError> {
        self.select(query, now, None, None, &mut |record, _| take(record))
    }

    /// How many certificates of each state there are at `now`.
    pub fn counts(&mut self, now: SystemTime) -> Result<Counts, JournalError> {
        let now = form::seconds(now).unwrap_or(i64::MAX);
        self.ask(|index| {
            // All of it is in one index, which is a tenth of the whole.
            let mut statement = index.connection().prepare_cached(
                "SELECT
                     count(*) FILTER (WHERE revoked_at IS NOT NULL),
                     count(*) FILTER (WHERE revoked_at IS NULL AND not_after < ?1),
                     count(*) FILTER (WHERE revoked_at IS NULL AND not_after >= ?1
                         AND not_before > ?1),
                     count(*) FILTER (WHERE revoked_at IS NULL AND not_after >= ?1
                         AND not_before <= ?1)
                 FROM certificates INDEXED BY by_sequence",
            )?;
            statement.query_row([now], |row| {
                Ok(Counts {
                    revoked: unsigned(row, 0)?,
                    expired: unsigned(row, 1)?,
                    not_yet_valid: unsigned(row, 2)?,
                    valid: unsigned(row, 3)?,
                })
            })
        })
    }

    /// What `issuer` revoked, by serial number: what goes on its CRL.
    pub fn revoked(&mut self, issuer: &Fingerprint) -> Result<Vec<RevokedSerial>, JournalError> {
        self.ask(|index| {
            let Some(issuer) = index::known_issuer(index.connection(), issuer)? else {
                return Ok(Vec::new());
            };
            let mut statement = index.connection().prepare_cached(
                "SELECT r.serial, r.at, r.reason, c.not_after
                 FROM revocations r LEFT JOIN certificates c USING (serial, issuer)
                 WHERE r.issuer = ?1 ORDER BY r.serial",
            )?;
            let rows = statement.query_map(params![issuer], |row| {
                let ends: Option<i64> = row.get(3)?;
                Ok(RevokedSerial {
                    serial: serial(row, 0)?,
                    revocation: Revocation {
                        at: moment(row, 1)?,
                        reason: reason(row, 2)?,
                    },
                    not_after: ends.and_then(form::from_seconds),
                })
            })?;
            rows.collect()
        })
    }

    /// Since when and why a certificate is revoked, if it is: what an OCSP responder is asked.
    pub fn revocation(
        &mut self,
        issuer: &Fingerprint,
        serial: &SerialNumber,
    ) -> Result<Option<Revocation>, JournalError> {
        self.ask(|index| {
            let Some(issuer) = index::known_issuer(index.connection(), issuer)? else {
                return Ok(None);
            };
            index::revocation(index.connection(), issuer, serial)
        })
    }

    /// The number of the issuer's last CRL.
    pub fn last_crl_number(&mut self, issuer: &Fingerprint) -> Result<Option<u64>, JournalError> {
        self.ask(|index| {
            let connection = index.connection();
            match index::known_issuer(connection, issuer)? {
                Some(issuer) => index::last_crl(connection, issuer),
                None => Ok(None),
            }
        })
    }

    fn select(
        &mut self,
        query: &Query,
        now: SystemTime,
        after: Option<Cursor>,
        limit: Option<usize>,
        take: &mut dyn FnMut(Record, Place) -> ControlFlow<()>,
    ) -> Result<(), JournalError> {
        let now = form::seconds(now).unwrap_or(i64::MAX);
        let limit = limit.unwrap_or(usize::MAX);
        let mut taken = 0;
        self.ask(|index| {
            let connection = index.connection();
            let (text, values) = query.statement(connection, now, after, limit)?;
            let issuers = index::issuers(connection)?;
            let mut statement = connection.prepare_cached(&text)?;
            let mut rows = statement.query(params_from_iter(&values))?;
            // What was handed over before the index turned out to be damaged is not told again.
            let mut skip = taken;
            while taken < limit
                && let Some(row) = rows.next()?
            {
                let record = Record::from_row(row, &issuers, now)?;
                if query.pattern().is_some_and(|name| !name.fits(&record)) {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                taken += 1;
                if take(record, Place::of_row(row, 14)?).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }
}

/// How many serial numbers are told when several begin alike.
const EXAMPLES: usize = 5;

const COLUMNS: &str = "c.sequence, c.serial, c.subject, c.names, c.not_before, c.not_after,
    c.revoked_at, c.reason, c.issued_at, c.profile, c.requester, c.request, c.fingerprint, c.issuer,
    c.place";

impl Record {
    fn from_row(
        row: &Row<'_>,
        issuers: &HashMap<i64, Fingerprint>,
        now: i64,
    ) -> Result<Self, rusqlite::Error> {
        let names = row.get_ref(3)?.as_str()?;
        let (begins, ends): (i64, i64) = (row.get(4)?, row.get(5)?);
        let revoked_at: Option<i64> = row.get(6)?;
        let revoked = match revoked_at {
            Some(_) => Some(Revocation {
                at: moment(row, 6)?,
                reason: reason(row, 7)?,
            }),
            None => None,
        };
        let request: Option<[u8; 32]> = row.get(11)?;
        let issuer = issuers.get(&row.get(13)?).copied();
        Ok(Self {
            sequence: unsigned(row, 0)?,
            state: match revoked {
                Some(_) => State::Revoked,
                None if ends < now => State::Expired,
                None if begins > now => State::NotYetValid,
                None => State::Valid,
            },
            serial: serial(row, 1)?,
            subject: row.get(2)?,
            names: serde_json::from_str(names).map_err(|error| unreadable(3, error))?,
            not_before: moment(row, 4)?,
            not_after: moment(row, 5)?,
            revoked,
            issued_at: moment(row, 8)?,
            profile: row.get(9)?,
            requester: row.get(10)?,
            request: request.map(Fingerprint::from_bytes),
            fingerprint: index::fingerprint(row, 12)?,
            issuer: issuer.ok_or(rusqlite::Error::QueryReturnedNoRows)?,
        })
    }
}
