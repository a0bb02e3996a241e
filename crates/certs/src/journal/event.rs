//! What a CA did, as the journal keeps it.
//!
//! How an event stands in a line is [`super::entry`]'s business, whether it may happen now
//! [`crate::inventory`]'s.

use std::time::SystemTime;

pub use ravelin_pki::RevocationReason;
use ravelin_pki::{Certificate, CertificateDer, Fingerprint, PublicKey, SerialNumber};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::form;

/// Something that a CA did. In JSON, its name and its details are two fields of the entry.
///
/// An issuer is named by the SHA-256 of the `SubjectPublicKeyInfo` of its certificate, in DER: one
/// that was renewed or cross-signed with the same key is the same issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// `issued`: a certificate was signed.
    Issued(Box<Issued>),
    /// `revoked`: a certificate is not to be trusted any more.
    Revoked(Revoked),
    /// `revocation-undone`: a certificate that was on hold is good again.
    RevocationUndone(RevocationUndone),
    /// `crl-issued`: a list of revoked certificates was signed.
    CrlIssued(CrlIssued),
    /// `authority-made`: a root or an intermediate was made here.
    AuthorityMade(AuthorityNoted),
    /// `authority-imported`: certificate and key came from elsewhere.
    AuthorityImported(AuthorityNoted),
    /// `authority-exported`: certificate and key were given out.
    AuthorityExported(AuthorityNoted),
    /// `authority-rolled-over`: another takes the place of an authority.
    AuthorityRolledOver(AuthorityRolledOver),
    /// Something that a newer version wrote. It is kept and shown.
    Other(OtherEvent),
}

/// A certificate that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// The SHA-256 of the issuer's `SubjectPublicKeyInfo`.
    #[serde(with = "form::text")]
    pub issuer: Fingerprint,
    /// The certificate's serial number: positive or zero.
    #[serde(with = "form::text")]
    pub serial: SerialNumber,
    /// The distinguished name of its holder; may be empty.
    pub subject: String,
    /// All names in its `subjectAltName`, as a person writes them.
    pub names: Vec<String>,
    /// The first second of its life.
    #[serde(with = "form::time")]
    pub not_before: SystemTime,
    /// The last second of its life.
    #[serde(with = "form::time")]
    pub not_after: SystemTime,
    /// The name of the template it was made by: `server`.
    pub profile: String,
    /// Who asked for it, in words: `ravelin cert new by ada`, an ACME account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<String>,
    /// The SHA-256 of the certificate request in DER, where there was one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "form::text_if_any"
    )]
    pub request: Option<Fingerprint>,
    /// The certificate.
    #[serde(with = "form::base64")]
    pub certificate: CertificateDer<'static>,
}

/// A certificate that is not to be trusted any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// The SHA-256 of the issuer's `SubjectPublicKeyInfo`.
    #[serde(with = "form::text")]
    pub issuer: Fingerprint,
    /// The certificate's serial number. The certificate need not be in the journal.
    #[serde(with = "form::text")]
    pub serial: SerialNumber,
    /// Why. `removeFromCRL` is none: see [`Event::RevocationUndone`].
    #[serde(with = "form::text")]
    pub reason: RevocationReason,
    /// Since when.
    #[serde(with = "form::time")]
    pub at: SystemTime,
}

/// A certificate that was on hold and is good again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationUndone {
    /// The SHA-256 of the issuer's `SubjectPublicKeyInfo`.
    #[serde(with = "form::text")]
    pub issuer: Fingerprint,
    /// The certificate's serial number.
    #[serde(with = "form::text")]
    pub serial: SerialNumber,
}

/// A list of revoked certificates that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrlIssued {
    /// The SHA-256 of the issuer's `SubjectPublicKeyInfo`.
    #[serde(with = "form::text")]
    pub issuer: Fingerprint,
    /// The list's `cRLNumber` (RFC 5280, section 5.2.3): each is greater than the issuer's last.
    pub number: u64,
    /// The SHA-256 of the list in DER.
    #[serde(with = "form::text")]
    pub fingerprint: Fingerprint,
}

/// An authority to which something happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityNoted {
    /// The SHA-256 of its `SubjectPublicKeyInfo`: the name by which it is an issuer.
    #[serde(with = "form::text")]
    pub issuer: Fingerprint,
    /// The SHA-256 of its certificate in DER.
    #[serde(with = "form::text")]
    pub fingerprint: Fingerprint,
    /// The distinguished name of its certificate.
    pub subject: String,
}

/// An authority whose place another takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityRolledOver {
    /// The one that goes.
    pub from: AuthorityNoted,
    /// The one that comes.
    pub to: AuthorityNoted,
}

/// An event that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherEvent {
    /// Its name.
    pub name: String,
    /// Its details: any JSON.
    pub details: String,
}

impl Issued {
    /// What is to be recorded of a certificate whose issuer has this key.
    #[must_use]
    pub fn new(certificate: &Certificate, issuer: &PublicKey, profile: &str) -> Self {
        let names = certificate.alternative_names();
        Self {
            issuer: issuer.fingerprint(),
            serial: certificate.serial_number().clone(),
            subject: certificate.subject().to_owned(),
            names: names.iter().map(ToString::to_string).collect(),
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            profile: profile.to_owned(),
            requester: None,
            request: None,
            certificate: certificate.der().clone(),
        }
    }

    /// Tells who asked for it.
    #[must_use]
    pub fn asked_by(mut self, requester: impl Into<String>) -> Self {
        self.requester = Some(requester.into());
        self
    }

    /// Tells from which request it was made: the SHA-256 of its DER.
    #[must_use]
    pub fn from_request(mut self, request: Fingerprint) -> Self {
        self.request = Some(request);
        self
    }
}

impl From<Issued> for Event {
    fn from(issued: Issued) -> Self {
        Self::Issued(Box::new(issued))
    }
}

impl AuthorityNoted {
    /// What is to be recorded of an authority.
    #[must_use]
    pub fn new(certificate: &Certificate) -> Self {
        Self {
            issuer: certificate.public_key().fingerprint(),
            fingerprint: certificate.fingerprint_sha256(),
            subject: certificate.subject().to_owned(),
        }
    }
}

impl Event {
    /// The event's name in the journal: `issued`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Issued(_) => "issued",
            Self::Revoked(_) => "revoked",
            Self::RevocationUndone(_) => "revocation-undone",
            Self::CrlIssued(_) => "crl-issued",
            Self::AuthorityMade(_) => "authority-made",
            Self::AuthorityImported(_) => "authority-imported",
            Self::AuthorityExported(_) => "authority-exported",
            Self::AuthorityRolledOver(_) => "authority-rolled-over",
            Self::Other(other) => &other.name,
        }
    }

    pub(super) fn details(&self) -> Result<Box<RawValue>, serde_json::Error> {
        use serde_json::value::to_raw_value;
        match self {
            Self::Issued(issued) => to_raw_value(issued),
            Self::Revoked(revoked) => to_raw_value(revoked),
            Self::RevocationUndone(undone) => to_raw_value(undone),
            Self::CrlIssued(crl) => to_raw_value(crl),
            Self::AuthorityMade(authority)
            | Self::AuthorityImported(authority)
            | Self::AuthorityExported(authority) => to_raw_value(authority),
            Self::AuthorityRolledOver(rolled) => to_raw_value(rolled),
            // One line: between the tokens of JSON, a space is as good as a newline.
            Self::Other(other) => RawValue::from_string(other.details.replace(['\n', '\r'], " ")),
        }
    }

    pub(super) fn from_details(name: &str, details: &RawValue) -> Result<Self, serde_json::Error> {
        use serde_json::from_str;
        let json = details.get();
        Ok(match name {
            "issued" => Self::Issued(from_str(json)?),
            "revoked" => Self::Revoked(from_str(json)?),
            "revocation-undone" => Self::RevocationUndone(from_str(json)?),
            "crl-issued" => Self::CrlIssued(from_str(json)?),
            "authority-made" => Self::AuthorityMade(from_str(json)?),
            "authority-imported" => Self::AuthorityImported(from_str(json)?),
            "authority-exported" => Self::AuthorityExported(from_str(json)?),
            "authority-rolled-over" => Self::AuthorityRolledOver(from_str(json)?),
            _ => Self::Other(OtherEvent {
                name: name.to_owned(),
                details: json.to_owned(),
            }),
        })
    }
}
