//! Writing responses (RFC 6960, section 4.2.1), signed.

use std::time::SystemTime;

use super::{NONCE_OCTETS, OcspError, OcspResponse, ResponderId, SingleResponse, write_nonce};
use crate::certificate::Certificate;
use crate::der::{Tag, Writer};
use crate::key::{SignError, Signer};
use crate::oid::Oid;
use crate::signed::{self, Signed};

/// What a response is to say.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use ravelin_pki::{Authority, HostName, NameConstraints, PrivateKey};
/// use ravelin_pki::ocsp::{CertId, CertificateStatus, OcspResponseTemplate, SingleResponse};
/// use ravelin_pki::extension::Extensions;
/// use ravelin_pki::signature::Hash;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let now = SystemTime::now();
/// let ca = Authority::root("Example CA", PrivateKey::generate()?, &NameConstraints::local(), now)?;
/// let leaf = ca.leaf(&["localhost".parse::<HostName>()?], now)?;
/// let answer = SingleResponse {
///     cert_id: CertId::of(Hash::Sha1, leaf.certificate(), ca.certificate()),
///     status: CertificateStatus::Good,
///     this_update: now,
///     next_update: Some(now + Duration::from_secs(24 * 3600)),
///     extensions: Extensions::default(),
/// };
/// let template = OcspResponseTemplate { produced_at: now, responses: vec![answer], nonce: None };
/// let response = template.sign(ca.certificate(), ca.key())?;
/// let found = response.verify(leaf.certificate(), ca.certificate(), None, now)?;
/// assert_eq!(found.status, CertificateStatus::Good);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspResponseTemplate {
    /// When it is signed.
    pub produced_at: SystemTime,
    /// What it says of each certificate.
    pub responses: Vec<SingleResponse>,
    /// The nonce of the request, where it had one.
    pub nonce: Option<Vec<u8>>,
}

/// Why no response is signed.
#[derive(Debug, thiserror::Error)]
pub enum OcspSignError {
    /// The certificate is neither a CA's, nor may it sign OCSP responses.
    #[error(
        "\"{subject}\" may not sign OCSP responses, as it is no CA and its extKeyUsage lacks \
         OCSPSigning"
    )]
    NotResponder {
        /// Its subject.
        subject: String,
    },
    /// The key is not the certificate's.
    #[error("the private key does not belong to the certificate \"{subject}\"")]
    Mismatch {
        /// The certificate's subject.
        subject: String,
    },
    /// The key did not sign.
    #[error("the OCSP response could not be signed")]
    Sign(#[from] SignError),
    /// What was signed cannot be read back, which no input should cause.
    #[error("the new OCSP response cannot be read back")]
    ReadBack(#[source] OcspError),
}

impl OcspResponseTemplate {
    /// Writes the response and signs it as `responder`: the CA that issued the certificates, or one
    /// that it issued a certificate for [`crate::Purpose::OcspSigning`] (section 4.2.2.2). The
    /// latter goes with the response.
    ///
    /// # Errors
    ///
    /// The responder may not sign responses, the key is not its, or does not sign.
    pub fn sign<K: Signer + ?Sized>(
        &self,
        responder: &Certificate,
        key: &K,
    ) -> Result<OcspResponse, OcspSignError> {
        let subject = || responder.subject().to_owned();
        if responder.public_key().bits() != key.public_key().bits() {
            return Err(OcspSignError::Mismatch { subject: subject() });
        }
        if !responder.is_ca() && !may_answer(responder) {
            return Err(OcspSignError::NotResponder { subject: subject() });
        }
        let data = |w: &mut Writer| {
            ResponderId::of(responder).write(w);
            w.generalized_time(self.produced_at);
            w.sequence(|w| self.responses.iter().for_each(|response| response.write(w)));
            if let Some(nonce) = &self.nonce {
                let nonce = &nonce[..nonce.len().min(*NONCE_OCTETS.end())];
                w.constructed(Tag::context_constructed(1), |w| {
                    w.sequence(|w| write_nonce(w, nonce));
                });
            }
        };
        let certificates = |w: &mut Writer| {
            if !responder.is_ca() {
                w.constructed(Tag::context_constructed(0), |w| {
                    w.sequence(|w| w.raw(responder.der()));
                });
            }
        };
        let room = 256 * (self.responses.len() + 2) + responder.der().len();
        let basic: Signed = signed::sign(key, room, data, certificates)?;
        let mut whole = Writer::with_capacity(basic.der().len() + 64);
        whole.sequence(|w| {
            w.primitive(Tag::ENUMERATED, &[0]);
            w.constructed(Tag::context_constructed(0), |w| {
                w.sequence(|w| {
                    w.oid(&Oid::OCSP_BASIC);
                    w.octet_string(basic.der());
                });
            });
        });
        OcspResponse::from_der(whole.bytes()).map_err(OcspSignError::ReadBack)
    }
}

/// Whether a certificate says that it is for OCSP responses: in so many words, as "any purpose" is
/// not enough (section 4.2.2.2).
pub(super) fn may_answer(certificate: &Certificate) -> bool {
    certificate
        .extended_key_usage()
        .is_some_and(|purposes| purposes.contains(&Oid::OCSP_SIGNING))
}
