//! Taking certificates back, and the lists that tell of it.

use std::time::{Duration, SystemTime};

use ravelin_pki::{
    Authority, Fingerprint, RevocationList, RevocationListTemplate, RevokedCertificate,
};

use super::{AuthorityKey, LocalAuthority, LocalError};
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
        issuer: &Authority<AuthorityKey>,
        life: Duration,
        now: SystemTime,
    ) -> Result<RevocationList, LocalError> {
        let mut lists = self.crls(std::slice::from_ref(issuer), life, now)?;
        Ok(lists.remove(0))
    }

    /// As [`Self::crl`], a list for each of several issuers, in their order. They are in the journal
    /// together or not at all.
    ///
    /// # Errors
    ///
    /// As of [`Self::crl`].
    pub fn crls(
        &self,
        issuers: &[Authority<AuthorityKey>],
        life: Duration,
        now: SystemTime,
    ) -> Result<Vec<RevocationList>, LocalError> {
        let mut journal = Journal::open(&self.store)?;
        let (mut lists, mut noted) = (Vec::new(), Vec::<CrlIssued>::new());
        for issuer in issuers {
            let id: Fingerprint = issuer.certificate().public_key().fingerprint();
            // Two certificates of one key share its numbers.
            let before = noted.iter().rfind(|event| event.issuer == id);
            let greatest = match before {
                Some(event) => Some(event.number),
                None => journal.last_crl_number(&id)?,
            };
            let number = greatest.unwrap_or(0) + 1;
            let list = signed_list(&mut journal, issuer, number, life, now)?;
            noted.push(CrlIssued {
                issuer: id,
                number,
                fingerprint: Fingerprint::of(list.der()),
            });
            lists.push(list);
        }
        let events: Vec<_> = noted.into_iter().map(Event::CrlIssued).collect();
        if !events.is_empty() {
            journal.append(&events, now)?;
        }
        Ok(lists)
    }
}

/// The list of an issuer, of what the journal has now.
fn signed_list(
    journal: &mut Journal,
    issuer: &Authority<AuthorityKey>,
    number: u64,
    life: Duration,
    now: SystemTime,
) -> Result<RevocationList, LocalError> {
    let mut entries = Vec::new();
    for revoked in journal.revoked(&issuer.certificate().public_key().fingerprint())? {
        // An expired one must be on one list at least (section 3.3).
        if revoked.not_after.is_some_and(|end| end + KEPT < now) {
            continue;
        }
        let mut entry = RevokedCertificate::new(revoked.serial, revoked.revocation.at);
        entry.reason = revoked.revocation.reason;
        entries.push(entry);
    }
    let template = RevocationListTemplate::new(number, now, now + life);
    issuer
        .key()
        .ready(|| issuer.certificate().subject().to_owned())?;
    template
        .sign(issuer.certificate(), issuer.key(), entries)
        .map_err(LocalError::Crl)
}

/// How long a revoked certificate stays on the lists after its end.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
