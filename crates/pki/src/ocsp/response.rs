//! Responses (RFC 6960, section 4.2).

use std::fmt;
use std::time::{Duration, SystemTime};

use super::{
    CertId, MAX_ASKED, MAX_CERTIFICATES, MAX_RESPONSE_OCTETS, OcspError, at_most, bounded, nonce,
    sequence, version_1, whole,
};
use crate::certificate::Certificate;
use crate::der::{DerError, DerProblem, Element, Fields, Tag, Writer};
use crate::distinguished_name::DistinguishedName;
use crate::extension::Extensions;
use crate::oid::Oid;
use crate::revocation_list::RevocationReason;
use crate::signed::{Envelope, Signed};

/// A response that was read. Whether it may be believed, [`Self::verify`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspResponse {
    der: Vec<u8>,
    status: ResponseStatus,
    basic: Option<BasicResponse>,
}

/// Whether there is an answer, and why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponseStatus {
    /// There is an answer.
    Successful,
    /// What was sent is no request.
    MalformedRequest,
    /// The responder failed.
    InternalError,
    /// The responder has no time.
    TryLater,
    /// The responder answers signed requests alone.
    SigRequired,
    /// The responder does not answer for this CA, or not to this client (RFC 5019, section 2.2.3).
    Unauthorized,
}

/// What a responder says, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicResponse {
    pub(super) signed: Signed,
    /// Who says it.
    pub responder: ResponderId,
    /// When it was signed.
    pub produced_at: SystemTime,
    /// What it says of each certificate.
    pub responses: Vec<SingleResponse>,
    /// Its extensions, in their order.
    pub extensions: Extensions,
    /// What came with it: the responder's certificate where that is not the CA.
    pub certificates: Vec<Certificate>,
}

/// What names a responder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponderId {
    /// The subject of its certificate.
    ByName(DistinguishedName),
    /// The SHA-1 of its key.
    ByKey(Vec<u8>),
}

/// What a responder says of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleResponse {
    /// Which certificate.
    pub cert_id: CertId,
    /// What it says.
    pub status: CertificateStatus,
    /// When that was known to be so.
    pub this_update: SystemTime,
    /// When there will be something newer at the latest; at any time where it does not say.
    pub next_update: Option<SystemTime>,
    /// Extensions, in their order.
    pub extensions: Extensions,
}

/// Whether a certificate was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateStatus {
    /// It was not.
    Good,
    /// It was.
    Revoked {
        /// When.
        at: SystemTime,
        /// Why.
        reason: RevocationReason,
    },
    /// The responder does not know the certificate.
    Unknown,
}

impl OcspResponse {
    /// A response without an answer: an error. They are not signed, so that nobody may rely on them.
    #[must_use]
    pub fn error(status: ResponseStatus) -> Self {
        let mut writer = Writer::new();
        writer.sequence(|w| w.primitive(Tag::ENUMERATED, &[status.code()]));
        Self {
            der: writer.into_bytes(),
            status,
            basic: None,
        }
    }

    /// Reads exactly one response in DER.
    ///
    /// # Errors
    ///
    /// It is none, is too long, says that there is an answer and has none, or one of another kind
    /// than the basic one of section 4.2.1.
    pub fn from_der(der: &[u8]) -> Result<Self, OcspError> {
        bounded(der, MAX_RESPONSE_OCTETS)?;
        let mut fields = whole(der, "OCSPResponse")?;
        let status = fields.next("responseStatus", |status| {
            let code = status.tagged(Tag::ENUMERATED)?.unsigned()?;
            ResponseStatus::from_code(code).ok_or_else(|| DerProblem::OutOfRange.at(status.at))
        })?;
        // There is an answer where the status says so. What comes with an error is signed by nobody
        // that counts.
        let bytes = match status {
            ResponseStatus::Successful => fields.next("responseBytes", |bytes| {
                let bytes = bytes.tagged(Tag::context_constructed(0))?.inner()?;
                sequence(bytes).map(Some)
            })?,
            _ => fields.optional("responseBytes", Tag::context_constructed(0), Ok)?,
        };
        fields.finish("OCSPResponse")?;
        let basic = bytes
            .filter(|_| status == ResponseStatus::Successful)
            .map(read_bytes)
            .transpose()?;
        Ok(Self {
            der: der.to_vec(),
            status,
            basic,
        })
    }

    /// The response in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether there is an answer.
    #[must_use]
    pub fn status(&self) -> ResponseStatus {
        self.status
    }

    /// The answer: there is one where the status is [`ResponseStatus::Successful`].
    #[must_use]
    pub fn basic(&self) -> Option<&BasicResponse> {
        self.basic.as_ref()
    }
}

impl BasicResponse {
    fn read(element: Element<'_>) -> Result<Self, OcspError> {
        let mut envelope = Envelope::read(element, ["tbsResponseData", "signature"])?;
        let certificates =
            envelope
                .behind
                .optional("certs", Tag::context_constructed(0), |list| {
                    list.inner().and_then(sequence)
                })?;
        envelope.behind.finish("BasicOCSPResponse")?;

        let mut fields = envelope.fields();
        version_1(&mut fields)?;
        let responder = fields.next("responderID", |element| ResponderId::read(&element))?;
        let produced_at = fields.next("producedAt", generalized_time)?;
        let responses = fields.next("responses", sequence)?;
        let responses = read_responses(&responses)?;
        let extensions = Extensions::read_tagged(&mut fields, "responseExtensions", 1)?;
        fields.finish("tbsResponseData")?;
        Ok(Self {
            signed: envelope.keep(),
            responder,
            produced_at,
            responses,
            extensions,
            certificates: certificates.map_or(Ok(Vec::new()), |list| read_certificates(&list))?,
        })
    }

    /// It as something signed: the bytes that are, the algorithm and the signature.
    #[must_use]
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    /// The nonce of the request that it answers.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        nonce(&self.extensions)
    }
}

fn read_bytes(bytes: Element<'_>) -> Result<BasicResponse, OcspError> {
    let mut fields = Fields::of(&bytes);
    let kind = fields.next("responseType", |kind| {
        kind.tagged(Tag::OBJECT_IDENTIFIER)?.oid()
    })?;
    let response = fields.next("response", |octets| octets.tagged(Tag::OCTET_STRING))?;
    fields.finish("responseBytes")?;
    if kind != Oid::OCSP_BASIC {
        return Err(OcspError::UnknownType(kind));
    }
    let mut fields = Fields::of(&response);
    let basic = fields.next("BasicOCSPResponse", sequence)?;
    fields.finish("response")?;
    BasicResponse::read(basic)
}

fn read_responses(list: &Element<'_>) -> Result<Vec<SingleResponse>, OcspError> {
    at_most(MAX_ASKED, "responses", list)?
        .into_iter()
        .map(SingleResponse::read)
        .collect()
}

fn read_certificates(list: &Element<'_>) -> Result<Vec<Certificate>, OcspError> {
    at_most(MAX_CERTIFICATES, "certs", list)?
        .into_iter()
        .map(|element| Certificate::from_der(element.whole).map_err(OcspError::Certificate))
        .collect()
}

/// A time in the one form that OCSP has of it.
fn generalized_time(element: Element<'_>) -> Result<SystemTime, DerError> {
    element.tagged(Tag::GENERALIZED_TIME)?.time()
}

impl SingleResponse {
    /// Until when it counts: as it says, or for a day where it does not.
    #[must_use]
    pub fn good_until(&self) -> SystemTime {
        self.next_update.unwrap_or(self.this_update + NO_END)
    }

    fn read(single: Element<'_>) -> Result<Self, OcspError> {
        let mut fields = Fields::of(&single);
        let cert_id = fields.next("certID", CertId::read)?;
        let status = fields.next("certStatus", |status| CertificateStatus::read(&status))?;
        let this_update = fields.next("thisUpdate", generalized_time)?;
        let next_update = fields.optional("nextUpdate", Tag::context_constructed(0), |time| {
            generalized_time(time.inner()?)
        })?;
        let extensions = Extensions::read_tagged(&mut fields, "singleExtensions", 1)?;
        fields.finish("responses")?;
        Ok(Self {
            cert_id,
            status,
            this_update,
            next_update,
            extensions,
        })
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.raw(self.cert_id.der());
            self.status.write(w);
            w.generalized_time(self.this_update);
            if let Some(next) = self.next_update {
                w.constructed(Tag::context_constructed(0), |w| w.generalized_time(next));
            }
            if !self.extensions.is_empty() {
                w.constructed(Tag::context_constructed(1), |w| self.extensions.write(w));
            }
        });
    }
}

/// How long a response counts that does not say it.
const NO_END: Duration = Duration::from_secs(24 * 60 * 60);

impl CertificateStatus {
    fn read(element: &Element<'_>) -> Result<Self, DerError> {
        let nothing = || element.reader().finish();
        match element.tag {
            GOOD => nothing().map(|()| Self::Good),
            UNKNOWN => nothing().map(|()| Self::Unknown),
            REVOKED => {
                let mut reader = element.reader();
                let at = reader.expect(Tag::GENERALIZED_TIME)?.time()?;
                let reason = reader.optional(Tag::context_constructed(0))?;
                reader.finish()?;
                let reason = match reason {
                    None => RevocationReason::Unspecified,
                    Some(reason) => {
                        let value = reason.inner()?.tagged(Tag::ENUMERATED)?;
                        let code = u8::try_from(value.unsigned()?).ok();
                        code.and_then(RevocationReason::from_code)
                            .ok_or_else(|| DerProblem::OutOfRange.at(value.at))?
                    }
                };
                Ok(Self::Revoked { at, reason })
            }
            found => {
                let expected = GOOD;
                Err(DerProblem::Unexpected { expected, found }.at(element.at))
            }
        }
    }

    fn write(self, w: &mut Writer) {
        match self {
            Self::Good => w.primitive(GOOD, &[]),
            Self::Unknown => w.primitive(UNKNOWN, &[]),
            Self::Revoked { at, reason } => w.constructed(REVOKED, |w| {
                w.generalized_time(at);
                if reason != RevocationReason::Unspecified {
                    w.constructed(Tag::context_constructed(0), |w| {
                        w.primitive(Tag::ENUMERATED, &[reason.code()]);
                    });
                }
            }),
        }
    }
}

const GOOD: Tag = Tag::context(0);
const REVOKED: Tag = Tag::context_constructed(1);
const UNKNOWN: Tag = Tag::context(2);

impl ResponderId {
    fn read(element: &Element<'_>) -> Result<Self, DerError> {
        match element.tag {
            BY_NAME => DistinguishedName::read(element.inner()?).map(Self::ByName),
            BY_KEY => {
                let octets = element.inner()?.tagged(Tag::OCTET_STRING)?;
                Ok(Self::ByKey(octets.content.to_vec()))
            }
            found => {
                let expected = BY_NAME;
                Err(DerProblem::Unexpected { expected, found }.at(element.at))
            }
        }
    }

    /// What names the holder of a certificate: its subject, unless that is empty. Some clients take
    /// the hash of the key for the `subjectKeyIdentifier`, where something else may stand (RFC 7093),
    /// and do not find the responder by it: those with gnutls 3.7 are among them.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        if certificate.subject_name().is_empty() {
            Self::ByKey(super::key_hash(certificate.public_key()))
        } else {
            Self::ByName(certificate.subject_name().clone())
        }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        match self {
            Self::ByName(name) => w.constructed(BY_NAME, |w| w.raw(name.der())),
            Self::ByKey(hash) => w.constructed(BY_KEY, |w| w.octet_string(hash)),
        }
    }

    /// Whether it names the holder of a certificate.
    #[must_use]
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::ByName(name) => name.matches(certificate.subject_name()),
            Self::ByKey(hash) => *hash == super::key_hash(certificate.public_key()),
        }
    }
}

const BY_NAME: Tag = Tag::context_constructed(1);
const BY_KEY: Tag = Tag::context_constructed(2);

impl ResponseStatus {
    /// Its number. There is no 4.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Successful => 0,
            Self::MalformedRequest => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::SigRequired => 5,
            Self::Unauthorized => 6,
        }
    }

    fn from_code(code: u64) -> Option<Self> {
        [
            Self::Successful,
            Self::MalformedRequest,
            Self::InternalError,
            Self::TryLater,
            Self::SigRequired,
            Self::Unauthorized,
        ]
        .into_iter()
        .find(|status| u64::from(status.code()) == code)
    }
}

/// The names of RFC 6960: `tryLater`.
impl fmt::Display for ResponseStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Successful => "successful",
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        })
    }
}
