//! Taking certificates back, and the lists that tell of it.

use std::time::{Duration, SystemTime};

use ravelin_pki::{
    Authority, Fingerprint, RevocationList, RevocationListTemplate, RevokedCertificate,
};

use super::{LocalAuthority, LocalError};
use crate::inventory::Record;
use crate::journal::Journal;
use crate::journal::event::{CrlIssued, Event, RevocationReason, RevocationUndone, Revoked};

impl LocalAuthority {
    /// Revokes a certificate, from `now` on. The next CRL has it.
    ///
    /// # Errors
    ///
    /// It is revoked already, for another reason than a hold; or the journal cannot be written.
    pub fn revoke(
        &self,
        record: &Record,
        reason: RevocationReason,
        now: SystemTime,
    ) -> Result<(), LocalError> {
        let revoked = Revoked {
            issuer: record.issuer,
            serial: record.serial.clone(),
            reason,
            at: now,
        };
        Journal::open(&self.store)?.append(&[Event::Revoked(revoked)], now)?;
        Ok(())
    }

    /// Takes a hold back (RFC 5280, section 5.3.1): the one revocation that can be.
    ///
    /// # Errors
    ///
    /// It is not on hold; or the journal cannot be written.
    pub fn undo_hold(&self, record: &Record, now: SystemTime) -> Result<(), LocalError> {
        let undone = RevocationUndone {
            issuer: record.issuer,
            serial: record.serial.clone(),
        };
        Journal::open(&self.store)?.append(&[Event::RevocationUndone(undone)], now)?;
        Ok(())
    }

    /// Signs a CRL for one of the issuers, good for `life` from `now`, with the next number. It is in
    /// the journal when this returns. Certificates that are expired for more than 30 days are left
    /// out.
    ///
    /// # Errors
    ///
    /// The issuer may sign no CRLs, or the journal cannot be written.
    pub fn crl(
        &self,
        issuer: &Authority,
        life: Duration,
        now: SystemTime,
    ) -> Result<RevocationList, LocalError> {
        let id: Fingerprint = issuer.certificate().public_key().fingerprint();
        let mut journal = Journal::open(&self.store)?;
        let number = journal.last_crl_number(&id)?.unwrap_or(0) + 1;
        let mut entries = Vec::new();
        for revoked in journal.revoked(&id)? {
            // An expired one must be on one list at least (section 3.3).
            if revoked.not_after.is_some_and(|end| end + KEPT < now) {
                continue;
            }
            let mut entry = RevokedCertificate::new(revoked.serial, revoked.revocation.at);
            entry.reason = revoked.revocation.reason;
            entries.push(entry);
        }
        let template = RevocationListTemplate::new(number, now, now + life);
        let list = template
            .sign(issuer.certificate(), issuer.key(), entries)
            .map_err(LocalError::Crl)?;
        let event = CrlIssued {
            issuer: id,
            number,
            fingerprint: Fingerprint::of(list.der()),
        };
        journal.append(&[Event::CrlIssued(event)], now)?;
        Ok(list)
    }
}

/// How long a revoked certificate stays on the lists after its end.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
