//! One authority that is answered for: its responder's certificate, and what was signed already.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use ravelin_pki::extension::Extensions;
use ravelin_pki::ocsp::{CertId, CertificateStatus, OcspResponseTemplate, SingleResponse};
use ravelin_pki::{Authority, Certificate, OcspResponse, PrivateKey};

use super::{Register, ResponderError, lock};
use crate::local::{AuthorityKey, issuer_id};

pub(super) struct Issuer {
    id: String,
    authority: Authority<AuthorityKey>,
    helper: Mutex<Option<Arc<Helper>>>,
    /// By what was asked, in DER.
    answers: Mutex<HashMap<Vec<u8>, (CertificateStatus, Prepared)>>,
    list: Mutex<Option<PreparedList>>,
}

/// Who signs the responses.
struct Helper {
    certificate: Certificate,
    key: PrivateKey,
}

/// Something signed, and how long it is good for.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) body: Arc<[u8]>,
    pub(super) this_update: SystemTime,
    pub(super) next_update: SystemTime,
}

struct PreparedList {
    list: Prepared,
    revoked_so_far: Vec<u8>,
    looked_at: SystemTime,
}

impl Prepared {
    /// Whether more than half of its time is left. Clocks that were set back count as well.
    fn is_fresh(&self, now: SystemTime) -> bool {
        let life = self.next_update.duration_since(self.this_update);
        let half = self.this_update + life.unwrap_or_default() / 2;
        (self.this_update..half).contains(&now)
    }
}

impl PreparedList {
    fn at_hand(&self, now: SystemTime) -> Option<Prepared> {
        let looked = self.looked_at..self.looked_at + LOOKED_AGAIN;
        (self.list.is_fresh(now) && looked.contains(&now)).then(|| self.list.clone())
    }
}

impl Issuer {
    pub(super) fn new(authority: Authority<AuthorityKey>) -> Self {
        Self {
            id: issuer_id(&authority.certificate().public_key().fingerprint()),
            authority,
            helper: Mutex::default(),
            answers: Mutex::default(),
            list: Mutex::default(),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn certificate(&self) -> &Certificate {
        self.authority.certificate()
    }

    /// Whether it is asked about a certificate of this authority.
    pub(super) fn is_asked(&self, asked: &CertId) -> bool {
        let certificate = self.certificate();
        asked.is_of_issuer(certificate.subject_name(), certificate.public_key())
    }

    /// The response that says this of a certificate, where it was signed before and still holds.
    pub(super) fn prepared_at_hand(
        &self,
        cert_id: &CertId,
        status: CertificateStatus,
        now: SystemTime,
    ) -> Option<Prepared> {
        let answers = lock(&self.answers);
        let (kept, prepared) = answers.get(cert_id.der())?;
        (*kept == status && prepared.is_fresh(now)).then(|| prepared.clone())
    }

    /// The response that says this of a certificate: one that was signed before, where that still
    /// holds.
    pub(super) fn prepared<R: Register>(
        &self,
        register: &R,
        cert_id: &CertId,
        status: CertificateStatus,
        now: SystemTime,
    ) -> Result<Prepared, ResponderError> {
        if let Some(prepared) = self.prepared_at_hand(cert_id, status, now) {
            return Ok(prepared);
        }
        let response = self.sign(register, vec![(cert_id.clone(), status)], None, now)?;
        let single = response.basic().and_then(|basic| basic.responses.first());
        let prepared = Prepared {
            body: response.der().into(),
            this_update: single.map_or(now, |single| single.this_update),
            next_update: single.and_then(|single| single.next_update).unwrap_or(now),
        };
        let mut answers = lock(&self.answers);
        if answers.len() >= MOST_KEPT {
            answers.retain(|_, (_, kept)| kept.is_fresh(now));
            if answers.len() >= MOST_KEPT {
                answers.clear();
            }
        }
        answers.insert(cert_id.der().to_vec(), (status, prepared.clone()));
        Ok(prepared)
    }

    /// Signs a response.
    pub(super) fn sign<R: Register>(
        &self,
        register: &R,
        statuses: Vec<(CertId, CertificateStatus)>,
        nonce: Option<Vec<u8>>,
        now: SystemTime,
    ) -> Result<OcspResponse, ResponderError> {
        let helper = self.helper(register, now)?;
        let next_update = (now + ANSWER_LIFE).min(helper.certificate.not_after());
        let template = OcspResponseTemplate {
            produced_at: now,
            responses: statuses
                .into_iter()
                .map(|(cert_id, status)| SingleResponse {
                    cert_id,
                    status,
                    this_update: now,
                    next_update: Some(next_update),
                    extensions: Extensions::default(),
                })
                .collect(),
            nonce,
        };
        Ok(template.sign(&helper.certificate, &helper.key)?)
    }

    fn helper<R: Register>(
        &self,
        register: &R,
        now: SystemTime,
    ) -> Result<Arc<Helper>, ResponderError> {
        // The lock is kept, so that only one is made.
        let mut kept = lock(&self.helper);
        if let Some(helper) = &*kept {
            let certificate = &helper.certificate;
            if certificate.is_valid_at(now) && now < certificate.renew_at() {
                return Ok(helper.clone());
            }
        }
        let key = PrivateKey::generate()?;
        let certificate = register
            .responder_certificate(&self.authority, key.public_key(), HELPER_LIFE, now)
            .map_err(ResponderError::Register)?;
        let helper = Arc::new(Helper { certificate, key });
        *kept = Some(helper.clone());
        Ok(helper)
    }

    /// The CRL, where it was looked at lately.
    pub(super) fn list_at_hand(&self, now: SystemTime) -> Option<Prepared> {
        // Whoever holds the lock may be signing one.
        self.list.try_lock().ok()?.as_ref()?.at_hand(now)
    }

    /// The CRL: the last one, unless half its time is gone or something was revoked since.
    pub(super) fn list<R: Register>(
        &self,
        register: &R,
        now: SystemTime,
    ) -> Result<Prepared, ResponderError> {
        let failed = ResponderError::Register;
        // The lock is kept, so that a list is signed once however many ask for it.
        let mut kept = lock(&self.list);
        if let Some(list) = kept.as_ref().and_then(|kept| kept.at_hand(now)) {
            return Ok(list);
        }
        // Asked before the list is signed: what is revoked in between is seen the next time.
        let revoked_so_far = register
            .revoked_so_far(self.certificate())
            .map_err(failed)?;
        if let Some(kept) = &mut *kept
            && kept.list.is_fresh(now)
            && kept.revoked_so_far == revoked_so_far
        {
            kept.looked_at = now;
            return Ok(kept.list.clone());
        }
        let signed = register
            .revocation_list(&self.authority, LIST_LIFE, now)
            .map_err(failed)?;
        let list = Prepared {
            body: signed.der().into(),
            this_update: signed.this_update(),
            next_update: signed.next_update().unwrap_or(now),
        };
        *kept = Some(PreparedList {
            list: list.clone(),
            revoked_so_far,
            looked_at: now,
        });
        Ok(list)
    }
}

/// How long an OCSP response is good for. Public CAs may make it 8 hours to 10 days (CA/Browser
/// Forum, Baseline Requirements, section 4.9.10).
const ANSWER_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a CRL is good for.
const LIST_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a responder's certificate is good for: nobody can revoke it (RFC 6960, section
/// 4.2.2.2.1), so it is soon over.
const HELPER_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How often it is looked whether a new CRL has something new to say.
const LOOKED_AGAIN: Duration = Duration::from_secs(60);

/// How many responses are kept for an authority: some 20 MB.
const MOST_KEPT: usize = 20_000;
