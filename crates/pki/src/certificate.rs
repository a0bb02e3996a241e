//! One X.509 certificate (RFC 5280), read once and kept as values.
//!
//! Reading checks the form alone. Whether a chain holds is [`crate::verify`]'s business; whether one
//! certificate signed another is answered here.

use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::constraints::NameConstraints;
use crate::der::{DerError, DerProblem, Element, Reader, Tag, from_field_errors};
use crate::distinguished_name::DistinguishedName;
use crate::extension::{
    AccessDescription, AuthorityKeyIdentifier, BasicConstraints, DistributionPoint, Extension,
    Extensions, KeyUsage, key_identifier,
};
use crate::fingerprint::Fingerprint;
use crate::general_name::GeneralName;
use crate::key::{KeyError, PrivateKey};
use crate::name::HostName;
use crate::oid::Oid;
use crate::pem;
use crate::public_key::PublicKey;
use crate::serial::SerialNumber;
use crate::signature::{AlgorithmIdentifier, SignatureError};
use crate::signed::{Envelope, Signed};
use crate::template::STATUS_REQUEST;

mod tbs;

pub(crate) use tbs::TbsCertificate;

/// A certificate that was read and whose form is sound.
#[derive(Clone)]
pub struct Certificate {
    signed: Signed<CertificateDer<'static>>,
    version: u8,
    serial_number: SerialNumber,
    algorithms_agree: bool,
    issuer: DistinguishedName,
    subject: DistinguishedName,
    not_before: SystemTime,
    not_after: SystemTime,
    public_key: PublicKey,
    extensions: Extensions,
    /// What is put together of these when it is first asked for: most certificates of a chain are
    /// asked for none of it.
    issuer_text: OnceLock<String>,
    subject_text: OnceLock<String>,
    names: OnceLock<Vec<HostName>>,
}

/// Why bytes are not a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The bytes are not DER, or not an X.509 certificate.
    #[error("its {field} cannot be read")]
    Field {
        /// The field, as RFC 5280 calls it.
        field: &'static str,
        /// What is wrong, and where.
        source: DerError,
    },
    /// There are bytes left behind the certificate's end.
    #[error("{octets} bytes follow behind the end of the certificate")]
    TrailingData {
        /// How many.
        octets: usize,
    },
    /// An extension is malformed or there twice.
    #[error("its extension \"{name}\" is malformed")]
    Extension {
        /// The extension's name in RFC 5280.
        name: String,
        /// What is wrong, and where.
        source: DerError,
    },
}

impl Certificate {
    /// Reads exactly one certificate in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let field = |source| CertificateError::Field {
            field: "outermost SEQUENCE",
            source,
        };
        let whole = Reader::new(der).expect(Tag::SEQUENCE).map_err(field)?;
        if whole.whole.len() < der.len() {
            let octets = der.len() - whole.whole.len();
            return Err(CertificateError::TrailingData { octets });
        }
        let envelope = Envelope::read_whole(whole, ["tbsCertificate", "signatureValue"])?;

        let mut fields = envelope.fields();
        let version = fields.read("version", read_version)?;
        let serial_number = fields.next("serialNumber", SerialNumber::read)?;
        let inner_algorithm = fields.next("signature", AlgorithmIdentifier::read)?;
        let issuer = fields.next("issuer", DistinguishedName::read)?;
        let (not_before, not_after) = fields.next("validity", read_validity)?;
        let subject = fields.next("subject", DistinguishedName::read)?;
        let public_key = fields.next("subjectPublicKeyInfo", PublicKey::read)?;
        for (name, tag) in [("issuerUniqueID", 1), ("subjectUniqueID", 2)] {
            fields.optional(name, Tag::context(tag), Ok)?;
        }
        let extensions = Extensions::read_tagged(&mut fields, "extensions", 3)?;
        fields.finish("tbsCertificate")?;
        Ok(Self {
            version,
            serial_number,
            algorithms_agree: inner_algorithm == envelope.algorithm,
            issuer,
            subject,
            not_before,
            not_after,
            public_key,
            extensions,
            issuer_text: OnceLock::new(),
            subject_text: OnceLock::new(),
            names: OnceLock::new(),
            signed: envelope.keep(),
        })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        self.signed.der()
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", self.der())
    }

    /// The version: 3 in all of today, 1 in some old roots.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.version
    }

    /// The number that its issuer gave it.
    #[must_use]
    pub fn serial_number(&self) -> &SerialNumber {
        &self.serial_number
    }

    /// The distinguished name of its holder: `O=Example, CN=Example CA`; may be empty.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.subject_text.get_or_init(|| self.subject.to_string())
    }

    /// The distinguished name of its issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer_text.get_or_init(|| self.issuer.to_string())
    }

    /// The name of its holder, attribute by attribute.
    #[must_use]
    pub fn subject_name(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The name of its issuer, attribute by attribute.
    #[must_use]
    pub fn issuer_name(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// The common name in its subject. It says nothing about the hosts it is for (RFC 9525,
    /// section 2): those are in [`Self::names`].
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.subject.get(&Oid::COMMON_NAME)
    }

    /// What a person would call it: its first name, else its subject, else its serial number.
    #[must_use]
    pub fn title(&self) -> String {
        if let Some(name) = self.alternative_names().first() {
            return name.to_string();
        }
        match self.common_name() {
            Some(name) => name.to_owned(),
            None if !self.subject.is_empty() => self.subject().to_owned(),
            None => self.serial_number.to_string(),
        }
    }

    /// The DNS names and IP addresses in its `subjectAltName`, in their order. Entries of other
    /// kinds, and DNS entries that are no host names, are left out.
    #[must_use]
    pub fn names(&self) -> &[HostName] {
        self.names.get_or_init(|| {
            let names = self.alternative_names().iter();
            names.filter_map(GeneralName::host).collect()
        })
    }

    /// All names in its `subjectAltName`.
    #[must_use]
    pub fn alternative_names(&self) -> &[GeneralName] {
        self.extensions.alternative_names()
    }

    /// Whether one of its names, which may be wildcards, covers `host` (RFC 9525, section 6.3).
    #[must_use]
    pub fn covers(&self, host: &HostName) -> bool {
        self.names().iter().any(|name| name.covers(host))
    }

    /// The first second of its life.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// The last second of its life.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Whether `now` is within its life.
    #[must_use]
    pub fn is_valid_at(&self, now: SystemTime) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// When two thirds of its life are gone: time to renew it.
    #[must_use]
    pub fn renew_at(&self) -> SystemTime {
        let life = self
            .not_after
            .duration_since(self.not_before)
            .unwrap_or(Duration::ZERO);
        self.not_before + life / 3 * 2
    }

    /// The SHA-256 of its DER.
    #[must_use]
    pub fn fingerprint_sha256(&self) -> Fingerprint {
        Fingerprint::of(self.der())
    }

    /// The SHA-1 of its DER, by which older tools and Windows name certificates. It tells them apart
    /// and proves nothing: other bytes can be made to have it.
    #[must_use]
    pub fn fingerprint_sha1(&self) -> [u8; 20] {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, self.der());
        let mut octets = [0; 20];
        octets.copy_from_slice(digest.as_ref());
        octets
    }

    /// Its public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The algorithm that it was signed with.
    #[must_use]
    pub fn signature_algorithm(&self) -> &AlgorithmIdentifier {
        self.signed.algorithm()
    }

    /// Its extensions, in their order.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// One of its extensions.
    #[must_use]
    pub fn extension(&self, oid: &Oid) -> Option<&Extension> {
        self.extensions.get(oid)
    }

    /// Its `basicConstraints`.
    #[must_use]
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        self.extensions.basic_constraints()
    }

    /// Whether its `basicConstraints` make it a CA (RFC 5280, section 4.2.1.9).
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.basic_constraints()
            .is_some_and(|constraints| constraints.ca)
    }

    /// What its key may do; anything where it does not say (RFC 5280, section 4.2.1.3).
    #[must_use]
    pub fn key_usage(&self) -> Option<KeyUsage> {
        self.extensions.key_usage()
    }

    /// Whether its `keyUsage`, if any, allows it to sign certificates.
    #[must_use]
    pub fn may_sign_certificates(&self) -> bool {
        self.is_ca()
            && self
                .key_usage()
                .is_none_or(|usage| usage.has(KeyUsage::KEY_CERT_SIGN))
    }

    /// What it is for; anything where it does not say.
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<&[Oid]> {
        self.extensions.extended_key_usage()
    }

    /// What names its key among others of its holder.
    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.extensions.subject_key_identifier()
    }

    /// What names its key in what it signs: what it says itself, or the usual hash of the key.
    pub(crate) fn key_identifier(&self) -> Vec<u8> {
        self.subject_key_identifier()
            .map_or_else(|| key_identifier(self.public_key.bits()), <[u8]>::to_vec)
    }

    /// Which key of its issuer it was signed with.
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&AuthorityKeyIdentifier> {
        self.extensions.authority_key_identifier()
    }

    /// The names it may certify, where it is confined to some.
    #[must_use]
    pub fn name_constraints(&self) -> Option<&NameConstraints> {
        self.extensions.name_constraints()
    }

    /// Where CRLs of its issuer are.
    #[must_use]
    pub fn crl_distribution_points(&self) -> &[DistributionPoint] {
        self.extensions
            .distribution_points(&Oid::CRL_DISTRIBUTION_POINTS)
    }

    /// Where its issuer's certificate and OCSP responder are.
    #[must_use]
    pub fn authority_info_access(&self) -> &[AccessDescription] {
        self.extensions.authority_info_access()
    }

    /// Whether servers must staple an OCSP response to it (RFC 7633): clients that know this refuse it
    /// without one.
    #[must_use]
    pub fn must_staple(&self) -> bool {
        self.extensions.tls_features().contains(&STATUS_REQUEST)
    }

    /// Whether it names itself as its issuer. See [`Self::is_signed_by`] for the signature.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.subject.matches(&self.issuer)
    }

    /// Whether `issuer` names itself as this certificate's issuer and made its signature.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Certificate) -> bool {
        self.issuer.matches(&issuer.subject) && self.verify_signature(&issuer.public_key).is_ok()
    }

    /// The certificate as something signed: the bytes that are, and the signature.
    #[must_use]
    pub fn signed(&self) -> &Signed<CertificateDer<'static>> {
        &self.signed
    }

    /// Whether the algorithm within what is signed is the one outside (RFC 5280, section 4.1.1.2).
    #[must_use]
    pub fn algorithms_agree(&self) -> bool {
        self.algorithms_agree
    }

    /// Checks the signature with a key.
    ///
    /// # Errors
    ///
    /// It is wrong, or of an algorithm that is not known or not the key's.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), SignatureError> {
        self.signed.verify(key)
    }

    /// Whether `key` is the private half of the certificate's public key.
    ///
    /// # Errors
    ///
    /// The key cannot be read.
    pub fn public_key_matches(&self, key: &PrivateKeyDer<'_>) -> Result<bool, KeyError> {
        Ok(self.matches(&PrivateKey::from_der(key)?))
    }

    /// Whether `key` is the private half of the certificate's public key.
    #[must_use]
    pub fn matches(&self, key: &PrivateKey) -> bool {
        self.public_key.bits() == key.public_key().bits()
    }
}

/// Two are equal if their DER is.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for Certificate {}

/// Names it; all that it says would fill a screen.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("title", &self.title())
            .field("serial_number", &self.serial_number)
            .finish_non_exhaustive()
    }
}

fn read_version(fields: &mut Reader<'_>) -> Result<u8, DerError> {
    let Some(explicit) = fields.optional(Tag::context_constructed(0))? else {
        return Ok(1);
    };
    match explicit.inner()?.tagged(Tag::INTEGER)?.unsigned()? {
        0 => Err(DerProblem::WrittenDefault.at(explicit.at)),
        version @ 1..=2 => Ok(version as u8 + 1),
        _ => Err(DerProblem::OutOfRange.at(explicit.at)),
    }
}

fn read_validity(element: Element<'_>) -> Result<(SystemTime, SystemTime), DerError> {
    let mut validity = element.tagged(Tag::SEQUENCE)?.reader();
    let not_before = validity.next()?.time()?;
    let not_after = validity.next()?.time()?;
    validity.finish()?;
    Ok((not_before, not_after))
}

from_field_errors!(CertificateError);
