//! The local CA as what is answered from.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use ravelin_pki::ocsp::CertificateStatus;
use ravelin_pki::verify::IssuerBooks;
use ravelin_pki::{
    Authority, Certificate, DistinguishedName, Fingerprint, Oid, PublicKey, Purpose,
    RevocationList, SerialNumber, Template,
};

use super::{Register, RegisterError, lock};
use crate::inventory::Query;
use crate::journal::event::Issued;
use crate::journal::{Journal, JournalError};
use crate::local::{AuthorityKey, LocalAuthority, LocalError};
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

/// The local CA of a store, with its journal. What other processes revoke counts at once.
#[derive(Debug)]
pub struct LocalRegister {
    authority: LocalAuthority,
    /// One connection to the inventory for all: a question takes tens of microseconds.
    journal: Mutex<Journal>,
}

impl LocalRegister {
    /// Answers for this CA.
    ///
    /// # Errors
    ///
    /// Its journal cannot be opened.
    pub fn new(authority: LocalAuthority) -> Result<Self, LocalError> {
        Ok(Self {
            journal: Mutex::new(authority.journal()?),
            authority,
        })
    }

    /// The CA.
    #[must_use]
    pub fn authority(&self) -> &LocalAuthority {
        &self.authority
    }
}

impl Register for LocalRegister {
    fn issuers(&self) -> Result<Vec<Authority<AuthorityKey>>, RegisterError> {
        Ok(self.authority.issuers()?)
    }

    fn issuer_certificates(&self) -> Result<Vec<Certificate>, RegisterError> {
        Ok(self.authority.issuer_certificates()?)
    }

    fn status(
        &self,
        issuer: &Certificate,
        serial: &SerialNumber,
    ) -> Result<CertificateStatus, RegisterError> {
        Ok(status(&mut lock(&self.journal), issuer, serial)?)
    }

    fn revoked_so_far(&self, issuer: &Certificate) -> Result<Vec<u8>, RegisterError> {
        let issuer = issuer.public_key().fingerprint();
        let mut all = Vec::new();
        for revoked in lock(&self.journal).revoked(&issuer)? {
            all.extend(revoked.serial.der_content());
            all.extend([0xff, revoked.revocation.reason.code()]);
        }
        Ok(Fingerprint::of(&all).as_bytes().to_vec())
    }

    fn revocation_list(
        &self,
        issuer: &Authority<AuthorityKey>,
        life: Duration,
        now: SystemTime,
    ) -> Result<RevocationList, RegisterError> {
        Ok(self.authority.crl(issuer, life, now)?)
    }

    fn responder_certificate(
        &self,
        issuer: &Authority<AuthorityKey>,
        key: &PublicKey,
        life: Duration,
        now: SystemTime,
    ) -> Result<Certificate, RegisterError> {
        let subject = DistinguishedName::of(&[
            (Oid::ORGANIZATION, "Ravelin local CA"),
            (Oid::COMMON_NAME, "OCSP responder"),
        ]);
        let mut template = Template::leaf(Vec::new())
            .with_subject(subject)
            .for_purposes(&[Purpose::OcspSigning]);
        template.ocsp_no_check = true;
        let der = issuer.issue(&template, key, life, now)?;
        let certificate = Certificate::from_der(&der)?;
        let event = Issued::new(&certificate, issuer.certificate().public_key(), "ocsp")
            .asked_by("OCSP responder");
        lock(&self.journal).append(&[event.into()], now)?;
        Ok(certificate)
    }
}

fn status(
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
