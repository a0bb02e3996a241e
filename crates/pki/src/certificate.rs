//! One X.509 certificate (RFC 5280), read once and kept as values.
//!
//! Reading checks the form alone. Whether a chain holds is [`crate::verify`]'s business; whether one
//! certificate signed another is answered here.

use std::fmt;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::constraints::NameConstraints;
use crate::der::{DerError, DerProblem, Reader, Tag};
use crate::distinguished_name::DistinguishedName;
use crate::extension::{
    AccessDescription, AuthorityKeyIdentifier, BasicConstraints, DistributionPoint, Extension,
    ExtensionError, ExtensionValue, KeyUsage,
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
use crate::template::STATUS_REQUEST;

/// A certificate that was read and whose form is sound.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: CertificateDer<'static>,
    /// What is signed, within the DER.
    signed: Range<usize>,
    version: u8,
    serial_number: SerialNumber,
    /// The algorithm inside what is signed, and the one outside: the same in all that are sound.
    inner_algorithm: AlgorithmIdentifier,
    outer_algorithm: AlgorithmIdentifier,
    signature: Vec<u8>,
    issuer: DistinguishedName,
    subject: DistinguishedName,
    issuer_text: String,
    subject_text: String,
    not_before: SystemTime,
    not_after: SystemTime,
    public_key: PublicKey,
    extensions: Vec<Extension>,
    names: Vec<HostName>,
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
        let field = |field| move |source| CertificateError::Field { field, source };
        let mut reader = Reader::new(der);
        let whole = reader
            .expect(Tag::SEQUENCE)
            .map_err(field("outermost SEQUENCE"))?;
        if whole.whole.len() < der.len() {
            let octets = der.len() - whole.whole.len();
            return Err(CertificateError::TrailingData { octets });
        }
        let mut reader = whole.reader();
        let tbs = reader
            .expect(Tag::SEQUENCE)
            .map_err(field("tbsCertificate"))?;
        let outer_algorithm = reader
            .next()
            .and_then(AlgorithmIdentifier::read)
            .map_err(field("signatureAlgorithm"))?;
        let signature = reader
            .expect(Tag::BIT_STRING)
            .and_then(|bits| bits.octet_bits())
            .map_err(field("signatureValue"))?
            .to_vec();
        reader.finish().map_err(field("end"))?;

        let mut fields = tbs.reader();
        let version = read_version(&mut fields).map_err(field("version"))?;
        let serial_number = fields
            .expect(Tag::INTEGER)
            .and_then(|number| number.integer())
            .map_err(field("serialNumber"))?;
        let inner_algorithm = fields
            .next()
            .and_then(AlgorithmIdentifier::read)
            .map_err(field("signature"))?;
        let issuer = fields
            .next()
            .and_then(DistinguishedName::read)
            .map_err(field("issuer"))?;
        let (not_before, not_after) = read_validity(&mut fields).map_err(field("validity"))?;
        let subject = fields
            .next()
            .and_then(DistinguishedName::read)
            .map_err(field("subject"))?;
        let public_key = fields
            .next()
            .and_then(PublicKey::read)
            .map_err(field("subjectPublicKeyInfo"))?;
        for (name, tag) in [("issuerUniqueID", 1), ("subjectUniqueID", 2)] {
            fields.optional(Tag::context(tag)).map_err(field(name))?;
        }
        let extensions = match fields
            .optional(Tag::context_constructed(3))
            .map_err(field("extensions"))?
        {
            Some(list) => list
                .inner()
                .map_err(field("extensions"))
                .and_then(|list| Extension::read_all(list).map_err(CertificateError::from))?,
            None => Vec::new(),
        };
        fields.finish().map_err(field("tbsCertificate"))?;

        let mut certificate = Self {
            signed: tbs.at..tbs.at + tbs.whole.len(),
            version,
            serial_number: SerialNumber::from_der_content(serial_number),
            inner_algorithm,
            outer_algorithm,
            signature,
            issuer_text: issuer.to_string(),
            subject_text: subject.to_string(),
            issuer,
            subject,
            not_before,
            not_after,
            public_key,
            extensions,
            names: Vec::new(),
            der: CertificateDer::from(der.to_vec()),
        };
        certificate.names = certificate
            .alternative_names()
            .iter()
            .filter_map(GeneralName::host)
            .collect();
        Ok(certificate)
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// The part of the DER that is signed.
    #[must_use]
    pub fn signed_part(&self) -> &[u8] {
        &self.der[self.signed.clone()]
    }

    /// The certificate in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
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
        &self.subject_text
    }

    /// The distinguished name of its issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer_text
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
            None if !self.subject.is_empty() => self.subject_text.clone(),
            None => self.serial_number.to_string(),
        }
    }

    /// The DNS names and IP addresses in its `subjectAltName`, in their order. Entries of other
    /// kinds, and DNS entries that are no host names, are left out.
    #[must_use]
    pub fn names(&self) -> &[HostName] {
        &self.names
    }

    /// All names in its `subjectAltName`.
    #[must_use]
    pub fn alternative_names(&self) -> &[GeneralName] {
        match self.value(&Oid::SUBJECT_ALT_NAME) {
            Some(ExtensionValue::SubjectAltName(names)) => names,
            _ => &[],
        }
    }

    /// Whether one of its names, which may be wildcards, covers `host` (RFC 9525, section 6.3).
    #[must_use]
    pub fn covers(&self, host: &HostName) -> bool {
        self.names.iter().any(|name| name.covers(host))
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
        Fingerprint::of(&self.der)
    }

    /// The SHA-1 of its DER, by which older tools and Windows name certificates. It tells them apart
    /// and proves nothing: other bytes can be made to have it.
    #[must_use]
    pub fn fingerprint_sha1(&self) -> [u8; 20] {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der);
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
        &self.outer_algorithm
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether the algorithm within what is signed is the one outside (RFC 5280, section 4.1.1.2).
    #[must_use]
    pub fn algorithms_agree(&self) -> bool {
        self.inner_algorithm == self.outer_algorithm
    }

    /// Its extensions, in their order.
    #[must_use]
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// One of its extensions.
    #[must_use]
    pub fn extension(&self, oid: &Oid) -> Option<&Extension> {
        self.extensions
            .iter()
            .find(|extension| extension.oid == *oid)
    }

    fn value(&self, oid: &Oid) -> Option<&ExtensionValue> {
        self.extension(oid).map(|extension| &extension.value)
    }

    /// Its `basicConstraints`.
    #[must_use]
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        match self.value(&Oid::BASIC_CONSTRAINTS) {
            Some(ExtensionValue::BasicConstraints(constraints)) => Some(*constraints),
            _ => None,
        }
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
        match self.value(&Oid::KEY_USAGE) {
            Some(ExtensionValue::KeyUsage(usage)) => Some(*usage),
            _ => None,
        }
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
        match self.value(&Oid::EXTENDED_KEY_USAGE) {
            Some(ExtensionValue::ExtendedKeyUsage(purposes)) => Some(purposes),
            _ => None,
        }
    }

    /// What names its key among others of its holder.
    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        match self.value(&Oid::SUBJECT_KEY_IDENTIFIER) {
            Some(ExtensionValue::SubjectKeyIdentifier(octets)) => Some(octets),
            _ => None,
        }
    }

    /// Which key of its issuer it was signed with.
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&AuthorityKeyIdentifier> {
        match self.value(&Oid::AUTHORITY_KEY_IDENTIFIER) {
            Some(ExtensionValue::AuthorityKeyIdentifier(identifier)) => Some(identifier),
            _ => None,
        }
    }

    /// The names it may certify, where it is confined to some.
    #[must_use]
    pub fn name_constraints(&self) -> Option<&NameConstraints> {
        match self.value(&Oid::NAME_CONSTRAINTS) {
            Some(ExtensionValue::NameConstraints(constraints)) => Some(constraints),
            _ => None,
        }
    }

    /// Where CRLs of its issuer are.
    #[must_use]
    pub fn crl_distribution_points(&self) -> &[DistributionPoint] {
        match self.value(&Oid::CRL_DISTRIBUTION_POINTS) {
            Some(ExtensionValue::DistributionPoints(points)) => points,
            _ => &[],
        }
    }

    /// Where its issuer's certificate and OCSP responder are.
    #[must_use]
    pub fn authority_info_access(&self) -> &[AccessDescription] {
        match self.value(&Oid::AUTHORITY_INFO_ACCESS) {
            Some(ExtensionValue::InfoAccess(list)) => list,
            _ => &[],
        }
    }

    /// Whether servers must staple an OCSP response to it (RFC 7633): clients that know this refuse it
    /// without one.
    #[must_use]
    pub fn must_staple(&self) -> bool {
        match self.value(&Oid::TLS_FEATURE) {
            Some(ExtensionValue::TlsFeature(features)) => features.contains(&STATUS_REQUEST),
            _ => false,
        }
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

    /// Checks the signature with a key.
    ///
    /// # Errors
    ///
    /// It is wrong, or of an algorithm that is not known or not the key's.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), SignatureError> {
        let algorithm = self.outer_algorithm.signature_algorithm().ok_or_else(|| {
            SignatureError::Unsupported {
                algorithm: self.outer_algorithm.name(),
            }
        })?;
        algorithm.verify(key, self.signed_part(), &self.signature)
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

fn read_validity(fields: &mut Reader<'_>) -> Result<(SystemTime, SystemTime), DerError> {
    let mut validity = fields.sequence()?;
    let not_before = validity.next()?.time()?;
    let not_after = validity.next()?.time()?;
    validity.finish()?;
    Ok((not_before, not_after))
}

impl From<ExtensionError> for CertificateError {
    fn from(error: ExtensionError) -> Self {
        let ExtensionError { oid, source } = error;
        match oid {
            Some(oid) => Self::Extension {
                name: oid.name_or_dots(),
                source,
            },
            None => Self::Field {
                field: "extensions",
                source,
            },
        }
    }
}
