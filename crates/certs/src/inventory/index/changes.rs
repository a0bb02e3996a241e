//! What an entry of the journal changes in the tables, if it can have happened.

use std::collections::HashMap;

use ravelin_pki::{Fingerprint, RevocationReason, SerialNumber};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, params};

use super::values::{fingerprint, moment, reason, seconds_of, serial_octets, signed, unsigned};
use super::{ApplyError, Place, names};
use crate::inventory::Revocation;
use crate::journal::entry::Entry;
use crate::journal::error::Refusal;
use crate::journal::event::{CrlIssued, Event, Issued, RevocationUndone, Revoked};

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
    let row = Row::of(transaction, entry, leaf, start, length)?;
    let place = free_place(transaction, row.place)?;
    match row.insert(transaction, "certificates", place) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            return Err(serial_twice(leaf).into());
        }
        other => other?,
    };
    names::add(transaction, entry.sequence, leaf)?;
    Ok(())
}

/// What an entry tells of a certificate, as the tables have it.
pub(super) struct Row<'e> {
    pub(super) place: Place,
    pub(super) sequence: i64,
    issuer: i64,
    serial: &'e [u8],
    not_before: i64,
    not_after: i64,
    issued_at: i64,
    names: String,
    leaf: &'e Issued,
    start: i64,
    length: i64,
}

impl<'e> Row<'e> {
    /// Fails where the serial number is known to have been given to another.
    pub(super) fn of(
        transaction: &Transaction<'_>,
        entry: &Entry,
        leaf: &'e Issued,
        start: u64,
        length: usize,
    ) -> Result<Self, ApplyError> {
        let issuer = issuer_id(transaction, &leaf.issuer)?;
        // One that was revoked without being known here was given by whoever issued it.
        if revocation(transaction, issuer, &leaf.serial)?.is_some() {
            return Err(serial_twice(leaf).into());
        }
        let not_after = seconds_of(leaf.not_after)?;
        Ok(Self {
            place: Place::new(not_after, entry.sequence),
            sequence: signed(entry.sequence)?,
            issuer,
            serial: serial_octets(&leaf.serial)?,
            not_before: seconds_of(leaf.not_before)?,
            not_after,
            issued_at: seconds_of(entry.time)?,
            names: serde_json::to_string(&leaf.names).map_err(Refusal::Form)?,
            leaf,
            start: signed(start)?,
            length: signed(length as u64)?,
        })
    }

    /// Puts it at `place` into `table`, which is ours by name.
    pub(super) fn insert(
        &self,
        transaction: &Transaction<'_>,
        table: &'static str,
        place: Place,
    ) -> Result<usize, rusqlite::Error> {
        let leaf = self.leaf;
        transaction
            .prepare_cached(&format!(
                "INSERT INTO {table} (place, sequence, issuer, serial, not_before, not_after,
                     issued_at, fingerprint, subject, names, profile, requester, request, start,
                     length)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            ))?
            .execute(params![
                place.number(),
                self.sequence,
                self.issuer,
                self.serial,
                self.not_before,
                self.not_after,
                self.issued_at,
                Fingerprint::of(&leaf.certificate).as_bytes(),
                leaf.subject,
                self.names,
                leaf.profile,
                leaf.requester,
                leaf.request.as_ref().map(Fingerprint::as_bytes),
                self.start,
                self.length,
            ])
    }
}

fn serial_twice(leaf: &Issued) -> Refusal {
    Refusal::SerialTwice {
        serial: leaf.serial.clone(),
        issuer: leaf.issuer,
    }
}

fn free_place(transaction: &Transaction<'_>, mut place: Place) -> Result<Place, rusqlite::Error> {
    let mut taken = transaction.prepare_cached("SELECT 1 FROM certificates WHERE place = ?1")?;
    while taken.exists([place.number()])? {
        place = place.next();
    }
    Ok(place)
}

fn revoke(transaction: &Transaction<'_>, revoked: &Revoked) -> Result<(), ApplyError> {
    let issuer = issuer_id(transaction, &revoked.issuer)?;
    let serial = serial_octets(&revoked.serial)?;
    match revocation(transaction, issuer, &revoked.serial)?.map(|known| known.reason) {
        _ if revoked.reason == RevocationReason::RemoveFromCrl => {
            return Err(ApplyError::Refused(Refusal::NotAReason));
        }
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
    let (reason, at) = (i64::from(revoked.reason.code()), seconds_of(revoked.at)?);
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
            seconds_of(entry.time)?
        ])?;
    Ok(())
}

/// The number under which an issuer is known in the tables; one is given where it has none yet.
pub(super) fn issuer_id(
    transaction: &Transaction<'_>,
    key: &Fingerprint,
) -> Result<i64, rusqlite::Error> {
    if let Some(id) = known_issuer(transaction, key)? {
        return Ok(id);
    }
    transaction.execute("INSERT INTO issuers (key) VALUES (?1)", [key.as_bytes()])?;
    Ok(transaction.last_insert_rowid())
}

pub(crate) fn known_issuer(
    connection: &Connection,
    key: &Fingerprint,
) -> Result<Option<i64>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT id FROM issuers WHERE key = ?1")?
        .query_row([key.as_bytes()], |row| row.get(0))
        .optional()
}

/// All issuers, by the numbers under which they are known in the tables.
pub(crate) fn issuers(
    connection: &Connection,
) -> Result<HashMap<i64, Fingerprint>, rusqlite::Error> {
    let mut statement = connection.prepare_cached("SELECT id, key FROM issuers")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, fingerprint(row, 1)?)))?;
    rows.collect()
}

/// Since when and why a certificate is revoked.
pub(crate) fn revocation(
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

pub(crate) fn last_crl(
    connection: &Connection,
    issuer: i64,
) -> Result<Option<u64>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT number FROM crls WHERE issuer = ?1 ORDER BY number DESC LIMIT 1")?
        .query_row([issuer], |row| unsigned(row, 0))
        .optional()
}
