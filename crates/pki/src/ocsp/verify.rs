//! Whether a response may be believed (RFC 6960, section 3.2).

use std::time::{Duration, SystemTime};

use super::template::may_answer;
use super::{BasicResponse, CertId, OcspResponse, ResponseStatus, SingleResponse};
use crate::certificate::Certificate;
use crate::extension::KeyUsage;
use crate::signature::{Hash, SignatureError};

/// Why a response is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OcspVerifyError {
    /// The responder gives no answer.
    #[error("the responder gives no answer but \"{0}\"")]
    NoAnswer(ResponseStatus),
    /// It is about other certificates.
    #[error("the response says nothing about the certificate")]
    OtherCertificate,
    /// It answers another request.
    #[error("the response repeats another nonce than was sent")]
    OtherNonce,
    /// What it says was not so yet.
    #[error("the response is not valid yet: is the clock right?")]
    NotYet,
    /// What it says may not be so any more.
    #[error("the response is out of date")]
    Stale,
    /// Neither the CA nor a certificate that came with it is what it names as its signer.
    #[error("the response names a signer that is not the CA, and comes without its certificate")]
    UnknownResponder,
    /// Its signer has a certificate that does not allow it to.
    #[error("the responder \"{subject}\" may not answer for the CA: {reason}")]
    NotAuthorized {
        /// The responder's subject.
        subject: String,
        /// Why.
        reason: &'static str,
    },
    /// It is signed with SHA-1, which can be forged.
    #[error("the response is signed with {algorithm}, which is too weak")]
    Weak {
        /// The algorithm.
        algorithm: String,
    },
    /// It was not signed by whom it names.
    #[error("the signature of the response does not hold")]
    Signature(#[from] SignatureError),
}

impl OcspResponse {
    /// What the response says of `certificate`, where that may be believed at `now`: it is about it,
    /// current, and signed by `issuer`, which must have issued it, or by one that `issuer` lets
    /// answer. Clocks may differ by five minutes.
    ///
    /// A response without a nonce is taken although one was sent, as most responders sign in advance:
    /// that it is not too old is what its times say. One without an end counts as old after a day.
    ///
    /// Whether the responder's own certificate was revoked is not looked up: what the CA issues for
    /// this is short-lived and marked so ([`crate::Oid::OCSP_NO_CHECK`]).
    pub fn verify(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        nonce: Option<&[u8]>,
        now: SystemTime,
    ) -> Result<&SingleResponse, OcspVerifyError> {
        let basic = self
            .basic()
            .ok_or(OcspVerifyError::NoAnswer(self.status()))?;
        // The newest, where a response has several that say different things.
        let single = basic
            .responses
            .iter()
            .filter(|single| {
                single
                    .cert_id
                    .hash()
                    .is_some_and(|hash| single.cert_id == CertId::of(hash, certificate, issuer))
            })
            .max_by_key(|single| single.this_update)
            .ok_or(OcspVerifyError::OtherCertificate)?;
        if let (Some(sent), Some(repeated)) = (nonce, basic.nonce())
            && sent != repeated
        {
            return Err(OcspVerifyError::OtherNonce);
        }
        basic.responder_of(issuer, now)?;
        if single.this_update > now + CLOCKS_DIFFER {
            return Err(OcspVerifyError::NotYet);
        }
        let end = single.good_until();
        if end + CLOCKS_DIFFER < now {
            return Err(OcspVerifyError::Stale);
        }
        Ok(single)
    }
}

impl BasicResponse {
    /// Who signed it, as far as `issuer` lets it: `issuer` itself, or one of the certificates that
    /// came with it.
    ///
    /// # Errors
    ///
    /// It is nobody, or nobody who may.
    pub fn responder_of<'r>(
        &'r self,
        issuer: &'r Certificate,
        now: SystemTime,
    ) -> Result<&'r Certificate, OcspVerifyError> {
        let algorithm = self.signed.algorithm().signature_algorithm();
        if let Some(algorithm) = algorithm
            && algorithm.hash() == Some(Hash::Sha1)
        {
            let algorithm = algorithm.to_string();
            return Err(OcspVerifyError::Weak { algorithm });
        }
        let check = |signer: &Certificate| self.signed.verify(signer.public_key());
        if self.responder.names(issuer) && check(issuer).is_ok() {
            return Ok(issuer);
        }
        let named = self
            .certificates
            .iter()
            .find(|certificate| self.responder.names(certificate));
        let Some(responder) = named else {
            return Err(if self.responder.names(issuer) {
                check(issuer).map_or_else(OcspVerifyError::from, |()| {
                    OcspVerifyError::UnknownResponder
                })
            } else {
                OcspVerifyError::UnknownResponder
            });
        };
        // What is cheap comes first: a stranger's response costs no more than two signatures.
        let refused = |reason| OcspVerifyError::NotAuthorized {
            subject: responder.subject().to_owned(),
            reason,
        };
        if !may_answer(responder) {
            return Err(refused("its extKeyUsage lacks OCSPSigning"));
        }
        if responder
            .key_usage()
            .is_some_and(|usage| !usage.has(KeyUsage::DIGITAL_SIGNATURE))
        {
            return Err(refused("its keyUsage lacks digitalSignature"));
        }
        if !responder.is_valid_at(now) {
            return Err(refused("its certificate is not valid at this time"));
        }
        if !responder.is_signed_by(issuer) {
            return Err(refused("the CA did not issue its certificate"));
        }
        check(responder)?;
        Ok(responder)
    }
}

/// How far clocks may differ.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5 * 60);
