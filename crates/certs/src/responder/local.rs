//! The local CA as what is answered from.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use ravelin_pki::ocsp::CertificateStatus;
use ravelin_pki::{
    Authority, Certificate, DistinguishedName, Fingerprint, Oid, PublicKey, Purpose,
    RevocationList, SerialNumber, Template,
};

use super::{Register, RegisterError, books, lock};
use crate::journal::event::Issued;
use crate::journal::{Journal, JournalError};
use crate::local::{AuthorityKey, LocalAuthority, LocalError};

/// The local CA of a store, with its journal. What other processes revoke counts at once.
#[derive(Debug)]
pub struct LocalRegister {
    authority: LocalAuthority,
    /// Connections to the inventory: those that ask at the same time do not wait for each other. Each
    /// has a cache of its own, so that there are few.
    journals: [Mutex<Option<Journal>>; 4],
    next: AtomicUsize,
    journal: PathBuf,
    known: RwLock<Known>,
}

/// What the journal said of certificates when it was last asked. It only grows, so that all of it still
/// holds while its file is as it was.
#[derive(Debug, Default)]
struct Known {
    at: Option<Stamp>,
    statuses: HashMap<(Fingerprint, SerialNumber), CertificateStatus>,
}

/// Which file the journal is, and how far it has grown: device, inode, length, and the time of the last
/// change, as what was written for a full disk is taken back.
type Stamp = (u64, u64, u64, i64, i64);

impl LocalRegister {
    /// Answers for this CA.
    ///
    /// # Errors
    ///
    /// Its journal cannot be opened.
    pub fn new(authority: LocalAuthority) -> Result<Self, LocalError> {
        let first = authority.journal()?;
        let journal = first.path().to_owned();
        let journals = <[Mutex<Option<Journal>>; 4]>::default();
        *lock(&journals[0]) = Some(first);
        Ok(Self {
            journals,
            next: AtomicUsize::new(0),
            journal,
            known: RwLock::default(),
            authority,
        })
    }

    /// Has a connection that nobody else uses do something.
    fn with_journal<T>(
        &self,
        work: impl FnOnce(&mut Journal) -> Result<T, JournalError>,
    ) -> Result<T, RegisterError> {
        let free = self.journals.iter().find_map(|slot| slot.try_lock().ok());
        let mut slot = free.unwrap_or_else(|| {
            let turn = self.next.fetch_add(1, Ordering::Relaxed);
            lock(&self.journals[turn % self.journals.len()])
        });
        let journal = match &mut *slot {
            Some(journal) => journal,
            none => none.insert(self.authority.journal()?),
        };
        Ok(work(journal)?)
    }

    /// How the journal is now.
    fn stamp(&self) -> Option<Stamp> {
        let found: Metadata = std::fs::metadata(&self.journal).ok()?;
        let changed = (found.mtime(), found.mtime_nsec());
        Some((found.dev(), found.ino(), found.len(), changed.0, changed.1))
    }

    /// Keeps what was found after the journal had been as `at` says.
    fn keep(&self, at: Option<Stamp>, of: (Fingerprint, SerialNumber), status: CertificateStatus) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.at != at || known.statuses.len() >= MOST_KNOWN {
            known.statuses.clear();
            known.at = at;
        }
        known.statuses.insert(of, status);
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
        if let Some(known) = self.status_at_hand(issuer, serial) {
            return Ok(known);
        }
        let at = self.stamp();
        let status = self.with_journal(|journal| books::status(journal, issuer, serial))?;
        // Numbers that anyone can make up would take the place of others.
        if status != CertificateStatus::Unknown {
            let of = (issuer.public_key().fingerprint(), serial.clone());
            self.keep(at, of, status);
        }
        Ok(status)
    }

    /// Costs one `stat` of the journal.
    fn status_at_hand(
        &self,
        issuer: &Certificate,
        serial: &SerialNumber,
    ) -> Option<CertificateStatus> {
        let at = Some(self.stamp()?);
        let of = (issuer.public_key().fingerprint(), serial.clone());
        // A writer holds it for no longer than it takes to put something in.
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        (known.at == at)
            .then(|| known.statuses.get(&of).copied())
            .flatten()
    }

    fn revoked_so_far(&self, issuer: &Certificate) -> Result<Vec<u8>, RegisterError> {
        let issuer = issuer.public_key().fingerprint();
        let mut all = Vec::new();
        for revoked in self.with_journal(|journal| journal.revoked(&issuer))? {
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
        self.with_journal(|journal| journal.append(&[event.into()], now))?;
        Ok(certificate)
    }
}

/// How many statuses are kept: some 4 MB.
const MOST_KNOWN: usize = 20_000;
