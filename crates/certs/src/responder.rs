//! What a CA answers to the world over HTTP: OCSP requests, its CRLs, and its own certificates.
//!
//! Bytes and a time go in, bytes and fields come out: how they travel is the mount's business. Plain
//! HTTP is right for all of it, and RFC 5280 (section 8) warns of HTTPS here: what is sent is signed
//! and public, and a client that checks the certificate of the server that tells whether
//! certificates are good would go round in a circle.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use ravelin_pki::ocsp::{CertId, CertificateStatus, OcspSignError, ResponseStatus};
use ravelin_pki::signature::Hash;
use ravelin_pki::{
    Authority, Certificate, KeyError, OcspRequest, PublicKey, RevocationList, SerialNumber,
};

mod answer;
mod books;
mod issuer;
mod local;

pub use answer::Answer;
pub use books::JournalBooks;
pub use local::LocalRegister;

use crate::local::{AuthorityKey, issuer_id};
use issuer::{Issuer, Prepared};

/// What a CA knows about the certificates that it issued.
pub trait Register: Send + Sync {
    /// All authorities whose keys are there.
    fn issuers(&self) -> Result<Vec<Authority<AuthorityKey>>, RegisterError>;

    /// The certificates of all authorities, whether their keys are there or not.
    fn issuer_certificates(&self) -> Result<Vec<Certificate>, RegisterError>;

    /// Whether a certificate is good; [`CertificateStatus::Unknown`] where `issuer` never issued it.
    fn status(
        &self,
        issuer: &Certificate,
        serial: &SerialNumber,
    ) -> Result<CertificateStatus, RegisterError>;

    /// The same, where it is known for sure without waiting: none where [`Self::status`] has to be
    /// asked, and always none where that never takes long.
    fn status_at_hand(
        &self,
        _issuer: &Certificate,
        _serial: &SerialNumber,
    ) -> Option<CertificateStatus> {
        None
    }

    /// Something that is another thing once `issuer` has revoked more, or taken a hold back.
    fn revoked_so_far(&self, issuer: &Certificate) -> Result<Vec<u8>, RegisterError>;

    /// Signs the next CRL of `issuer`, good for `life`, and keeps that it did.
    fn revocation_list(
        &self,
        issuer: &Authority<AuthorityKey>,
        life: Duration,
        now: SystemTime,
    ) -> Result<RevocationList, RegisterError>;

    /// Issues a certificate for the OCSP responder of `issuer`, and keeps that it did.
    fn responder_certificate(
        &self,
        issuer: &Authority<AuthorityKey>,
        key: &PublicKey,
        life: Duration,
        now: SystemTime,
    ) -> Result<Certificate, RegisterError>;
}

/// What went wrong in a [`Register`].
pub type RegisterError = Box<dyn std::error::Error + Send + Sync>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ResponderError {
    /// The register failed.
    #[error("what the CA knows of its certificates cannot be read or written")]
    Register(#[source] RegisterError),
    /// No key could be made.
    #[error("the OCSP responder got no key")]
    Key(#[from] KeyError),
    /// The response could not be signed.
    #[error("the OCSP response could not be made")]
    Sign(#[from] OcspSignError),
    /// The certificate is none of this CA's, or was never issued.
    #[error(
        "the certificate {serial} is not known to this CA, or the key of its issuer is not here"
    )]
    Unknown {
        /// Its serial number.
        serial: SerialNumber,
    },
}

/// Answers for the authorities of a register.
///
/// Responses are signed by a certificate of its own for each authority, which lasts a week and whose
/// key never leaves memory: the authorities' keys, which may be in a token, sign but once in days.
/// They are kept and sent again until half their time is gone or the certificate is revoked, which
/// counts from the next request on.
///
/// Several threads may ask at once. They wait for each other only while something is looked up in
/// what is kept, or while the register is asked.
pub struct Responder<R> {
    register: R,
    issuers: Mutex<Loaded>,
}

#[derive(Default)]
struct Loaded {
    at: Option<SystemTime>,
    issuers: Arc<[Arc<Issuer>]>,
    certificates: Arc<[Certificate]>,
}

impl<R: Register> Responder<R> {
    /// A responder that has answered nothing yet.
    #[must_use]
    pub fn new(register: R) -> Self {
        Self {
            register,
            issuers: Mutex::default(),
        }
    }

    /// What it answers from.
    #[must_use]
    pub fn register(&self) -> &R {
        &self.register
    }

    /// Answers a request. `path` is the path as it was sent, without a query:
    ///
    /// | path | |
    /// |---|---|
    /// | `/ocsp` | an OCSP request in the body of a POST |
    /// | `/ocsp/…` | an OCSP request in base64, as RFC 6960 (appendix A.1) puts it into a GET |
    /// | `/crl/ISSUER.crl` | the CRL of an authority, in DER |
    /// | `/issuer/ISSUER.cer` | its certificate, in DER |
    ///
    /// `ISSUER` is [`crate::local::issuer_id`]. The body of the answer to a HEAD is that of a GET, for
    /// the mount to leave out. Bodies should be bounded by
    /// [`MAX_REQUEST_OCTETS`](ravelin_pki::ocsp::MAX_REQUEST_OCTETS) before they come here; beyond
    /// that they are refused.
    #[must_use]
    pub fn answer(&self, method: &str, path: &str, body: &[u8], now: SystemTime) -> Answer {
        let answer = match Asked::of(method, path, body) {
            Asked::Ocsp { der, post } => {
                let answer = self.ocsp(&der, now);
                return if post { answer.uncached() } else { answer };
            }
            Asked::List(id) => self.list(id, now),
            Asked::Issuer(id) => self.issuer_certificate(id, now),
            Asked::Nothing(answer) => return answer,
        };
        match answer {
            Ok(Some(answer)) => answer,
            Ok(None) => Answer::not_found(),
            Err(problem) => Answer::failed(problem),
        }
    }

    /// The same, where it is at hand: what was asked lately, and has not changed since. For a thread
    /// that must not wait: nothing is read, signed or waited for, beyond what
    /// [`Register::status_at_hand`] does. Where there is none, [`Self::answer`] has one.
    #[must_use]
    pub fn answer_at_hand(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        now: SystemTime,
    ) -> Option<Answer> {
        let asked = match Asked::of(method, path, body) {
            Asked::Nothing(answer) => return Some(answer),
            asked => asked,
        };
        let loaded = self.loaded_at_hand(now)?;
        match asked {
            Asked::Ocsp { der, post } => {
                let request = OcspRequest::from_der(&der).ok()?;
                let ([one], None, None) = (
                    request.cert_ids(),
                    request.nonce(),
                    request.unknown_critical_extension(),
                ) else {
                    return None;
                };
                let issuer = loaded.issuer_of(one)?;
                let status = self
                    .register
                    .status_at_hand(issuer.certificate(), one.serial_number())?;
                let answer = Answer::ocsp(&issuer.prepared_at_hand(one, status, now)?, now);
                Some(if post { answer.uncached() } else { answer })
            }
            Asked::List(id) => {
                let issuer = loaded.issuers.iter().find(|issuer| issuer.id() == id)?;
                Some(Answer::list(&issuer.list_at_hand(now)?, now))
            }
            Asked::Issuer(id) => loaded.certificate(id),
            Asked::Nothing(answer) => Some(answer),
        }
    }

    /// The OCSP response to staple to a certificate: signed, current, and with no nonce. The same one,
    /// until half its time is gone or the certificate's status is another.
    ///
    /// # Errors
    ///
    /// The certificate is none of an authority whose key is there, or something failed.
    pub fn staple(
        &self,
        certificate: &Certificate,
        now: SystemTime,
    ) -> Result<Staple, ResponderError> {
        let serial = certificate.serial_number();
        let unknown = || ResponderError::Unknown {
            serial: serial.clone(),
        };
        // SHA-1 is what clients ask with (RFC 5019, section 2.1.1), and they compare.
        let asked = |issuer: &Issuer| CertId::of(Hash::Sha1, certificate, issuer.certificate());
        let stapled = |status: CertificateStatus, prepared: Prepared| Staple {
            response: prepared.body,
            status,
            this_update: prepared.this_update,
            next_update: prepared.next_update,
        };
        let loaded = self.load(now)?;
        // One that was answered before was signed by its issuer: checking it costs more than all else.
        let at_hand = loaded.issuers.iter().find_map(|issuer| {
            let of = issuer.certificate();
            let status = (certificate.issuer_name().matches(of.subject_name()))
                .then(|| self.register.status_at_hand(of, serial))??;
            let prepared = issuer.prepared_at_hand(&asked(issuer), status, now)?;
            Some(stapled(status, prepared))
        });
        if let Some(staple) = at_hand {
            return Ok(staple);
        }
        let issuer = loaded
            .issuers
            .iter()
            .find(|issuer| certificate.is_signed_by(issuer.certificate()))
            .ok_or_else(unknown)?;
        match self.status(issuer, serial)? {
            CertificateStatus::Unknown => Err(unknown()),
            status => {
                let prepared = issuer.prepared(&self.register, &asked(issuer), status, now)?;
                Ok(stapled(status, prepared))
            }
        }
    }

    fn ocsp(&self, der: &[u8], now: SystemTime) -> Answer {
        let Ok(request) = OcspRequest::from_der(der) else {
            return Answer::ocsp_error(ResponseStatus::MalformedRequest);
        };
        // Section 4.4: what is critical and not known must not be passed over.
        if request.unknown_critical_extension().is_some() {
            return Answer::ocsp_error(ResponseStatus::MalformedRequest);
        }
        self.answer_request(&request, now)
            .unwrap_or_else(|problem| {
                let answer = Answer::ocsp_error(ResponseStatus::TryLater);
                answer.because(problem)
            })
    }

    fn answer_request(
        &self,
        request: &OcspRequest,
        now: SystemTime,
    ) -> Result<Answer, ResponderError> {
        let unauthorized = || Answer::ocsp_error(ResponseStatus::Unauthorized);
        let loaded = self.load(now)?;
        let asked = request.cert_ids();
        let Some(issuer) = asked.first().and_then(|first| loaded.issuer_of(first)) else {
            return Ok(unauthorized());
        };
        if let ([one], None) = (asked, request.nonce()) {
            let status = self.status(issuer, one.serial_number())?;
            if status == CertificateStatus::Unknown {
                // Nothing is signed for numbers that anyone can make up (RFC 5019, section 2.2.3).
                return Ok(unauthorized());
            }
            let prepared = issuer.prepared(&self.register, one, status, now)?;
            return Ok(Answer::ocsp(&prepared, now));
        }
        let mut statuses = Vec::with_capacity(asked.len());
        for cert_id in asked {
            let status = if issuer.is_asked(cert_id) {
                self.status(issuer, cert_id.serial_number())?
            } else {
                CertificateStatus::Unknown
            };
            statuses.push((cert_id.clone(), status));
        }
        if statuses
            .iter()
            .all(|(_, status)| *status == CertificateStatus::Unknown)
        {
            return Ok(unauthorized());
        }
        let nonce = request.nonce().map(<[u8]>::to_vec);
        let response = issuer.sign(&self.register, statuses, nonce, now)?;
        Ok(Answer::ocsp_once(&response))
    }

    fn status(
        &self,
        issuer: &Issuer,
        serial: &SerialNumber,
    ) -> Result<CertificateStatus, ResponderError> {
        self.register
            .status(issuer.certificate(), serial)
            .map_err(ResponderError::Register)
    }

    fn list(&self, id: &str, now: SystemTime) -> Result<Option<Answer>, ResponderError> {
        let loaded = self.load(now)?;
        let Some(issuer) = loaded.issuers.iter().find(|issuer| issuer.id() == id) else {
            return Ok(None);
        };
        let list = issuer.list(&self.register, now)?;
        Ok(Some(Answer::list(&list, now)))
    }

    fn issuer_certificate(
        &self,
        id: &str,
        now: SystemTime,
    ) -> Result<Option<Answer>, ResponderError> {
        Ok(self.load(now)?.certificate(id))
    }

    /// The authorities, as they were a little ago at most: intermediates are renewed and roots rolled
    /// over while this runs.
    fn load(&self, now: SystemTime) -> Result<LoadedNow, ResponderError> {
        let mut loaded = lock(&self.issuers);
        if !loaded.is_new(now) {
            let failed = ResponderError::Register;
            let authorities = self.register.issuers().map_err(failed)?;
            let certificates = self.register.issuer_certificates().map_err(failed)?;
            let issuers = authorities.into_iter().map(|authority| {
                let kept = loaded
                    .issuers
                    .iter()
                    .find(|kept| kept.certificate() == authority.certificate());
                kept.cloned()
                    .unwrap_or_else(|| Arc::new(Issuer::new(authority)))
            });
            *loaded = Loaded {
                issuers: issuers.collect(),
                certificates: certificates.into(),
                at: Some(now),
            };
        }
        Ok(loaded.now())
    }

    fn loaded_at_hand(&self, now: SystemTime) -> Option<LoadedNow> {
        // Whoever holds the lock may be reading from the disk.
        let loaded = self.issuers.try_lock().ok()?;
        loaded.is_new(now).then(|| loaded.now())
    }
}

/// What a request is for.
enum Asked<'r> {
    /// The status of certificates.
    Ocsp { der: Cow<'r, [u8]>, post: bool },
    /// The CRL of an authority.
    List(&'r str),
    /// The certificate of an authority.
    Issuer(&'r str),
    /// Nothing that there is.
    Nothing(Answer),
}

impl<'r> Asked<'r> {
    fn of(method: &str, path: &'r str, body: &'r [u8]) -> Self {
        let get = matches!(method, "GET" | "HEAD");
        if let Some(encoded) = path.strip_prefix("/ocsp/").filter(|rest| !rest.is_empty()) {
            return match decoded(encoded) {
                _ if !get => Self::Nothing(Answer::not_allowed("GET, HEAD")),
                Some(der) => Self::Ocsp {
                    der: der.into(),
                    post: false,
                },
                None => Self::Nothing(Answer::ocsp_error(ResponseStatus::MalformedRequest)),
            };
        }
        if matches!(path, "/ocsp" | "/ocsp/") {
            return match method {
                // What a POST gets is not to be kept by caches (RFC 9110, section 9.3.3).
                "POST" => Self::Ocsp {
                    der: body.into(),
                    post: true,
                },
                _ => Self::Nothing(Answer::not_allowed("POST")),
            };
        }
        let named = |prefix: &str, suffix: &str| {
            let id = path.strip_prefix(prefix)?.strip_suffix(suffix)?;
            (!id.is_empty()).then_some(id)
        };
        let asked = if let Some(id) = named("/crl/", ".crl") {
            Self::List(id)
        } else if let Some(id) = named("/issuer/", ".cer") {
            Self::Issuer(id)
        } else {
            return Self::Nothing(Answer::not_found());
        };
        if get {
            asked
        } else {
            Self::Nothing(Answer::not_allowed("GET, HEAD"))
        }
    }
}

impl Loaded {
    fn is_new(&self, now: SystemTime) -> bool {
        self.at
            .is_some_and(|at| at <= now && now < at + LOADED_AGAIN)
    }

    fn now(&self) -> LoadedNow {
        LoadedNow {
            issuers: self.issuers.clone(),
            certificates: self.certificates.clone(),
        }
    }
}

impl LoadedNow {
    fn issuer_of(&self, asked: &CertId) -> Option<&Arc<Issuer>> {
        self.issuers.iter().find(|issuer| issuer.is_asked(asked))
    }

    fn certificate(&self, id: &str) -> Option<Answer> {
        let found = self
            .certificates
            .iter()
            .find(|certificate| issuer_id(&certificate.public_key().fingerprint()) == id);
        found.map(Answer::certificate)
    }
}

/// What a server sends along with its certificate, so that clients need not ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staple {
    /// The OCSP response in DER.
    pub response: Arc<[u8]>,
    /// What it says.
    pub status: CertificateStatus,
    /// Since when that is so.
    pub this_update: SystemTime,
    /// Until when it counts.
    pub next_update: SystemTime,
}

struct LoadedNow {
    issuers: Arc<[Arc<Issuer>]>,
    certificates: Arc<[Certificate]>,
}

/// The request in a path: base64, with whatever of it needs escaping in a URL escaped, or not.
fn decoded(encoded: &str) -> Option<Vec<u8>> {
    let text: Vec<u8> = percent_decode_str(encoded).collect();
    BASE64.decode(text).ok()
}

/// Standard base64; some clients leave out the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a thread that panicked left is whole: nothing is changed in several steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long it takes to notice that authorities were renewed.
const LOADED_AGAIN: Duration = Duration::from_secs(60);
