//! The journal of a CA as its books: what it says of a certificate.

use std::sync::Mutex;
use std::time::SystemTime;

use ravelin_pki::ocsp::CertificateStatus;
use ravelin_pki::verify::IssuerBooks;
use ravelin_pki::{Certificate, SerialNumber};

use super::lock;
use crate::inventory::Query;
use crate::journal::{Journal, JournalError};
use crate::store::FileStore;

/// What the journal of a store says of certificates, for whoever judges them. No key is needed for it.
#[derive(Debug)]
pub struct JournalBooks(Mutex<Journal>);

impl JournalBooks {
    /// Answers from the journal of this store.
    ///
    /// # Errors
    ///
    /// The journal cannot be opened.
    pub fn open(store: &FileStore) -> Result<Self, JournalError> {
        Ok(Self(Mutex::new(Journal::open(store)?)))
    }
}

/// A journal that cannot be read any more knows nothing.
impl IssuerBooks for JournalBooks {
    fn status(&self, issuer: &Certificate, serial: &SerialNumber) -> CertificateStatus {
        status(&mut lock(&self.0), issuer, serial).unwrap_or(CertificateStatus::Unknown)
    }
}

/// Whether a certificate was revoked; unknown where `issuer` never issued it.
pub(super) fn status(
    journal: &mut Journal,
    issuer: &Certificate,
    serial: &SerialNumber,
) -> Result<CertificateStatus, JournalError> {
    let issuer = issuer.public_key().fingerprint();
    if let Some(revocation) = journal.revocation(&issuer, serial)? {
        return Ok(CertificateStatus::Revoked {
            at: revocation.at,
            reason: revocation.reason,
        });
    }
    let query = Query::default().issuer(issuer).serial_is(serial.into());
    // The time is for the state, which is not looked at.
    let found = journal.page(&query, SystemTime::UNIX_EPOCH, None, 1)?;
    Ok(if found.records.is_empty() {
        CertificateStatus::Unknown
    } else {
        CertificateStatus::Good
    })
}
