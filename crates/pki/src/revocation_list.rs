//! Certificate revocation lists (RFC 5280, section 5): what a CA has taken back.
//!
//! A list is read once, in full, and searched through an index of four octets an entry, so that one
//! of a million entries costs little more than its own size. Whether a list is the right one for a
//! certificate is [`crate::verify`]'s business.

use std::fmt;
use std::time::SystemTime;

use crate::certificate::Certificate;
use crate::der::{DerError, DerProblem, Element, Reader, Tag, from_field_errors};
use crate::distinguished_name::DistinguishedName;
use crate::extension::{
    AuthorityKeyIdentifier, DistributionPoint, ExtensionValue, Extensions,
    IssuingDistributionPoint, KeyUsage,
};
use crate::general_name::GeneralName;
use crate::oid::Oid;
use crate::pem::{self, PemError};
use crate::public_key::PublicKey;
use crate::serial::SerialNumber;
use crate::signature::{AlgorithmIdentifier, SignatureError};
use crate::signed::{Envelope, Signed};

mod entry;
mod reason;
mod template;

pub use entry::RevokedCertificate;
pub use reason::{RevocationReason, RevocationReasonError};
pub use template::{RevocationListTemplate, RevocationListTemplateError};

use entry::Entries;

/// A CRL that was read and whose form is sound, down to its last entry.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use ravelin_pki::{Authority, NameConstraints, PrivateKey, SerialNumber};
/// use ravelin_pki::revocation_list::{
///     RevocationListTemplate, RevocationReason, RevokedCertificate,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let now = SystemTime::now();
/// let ca = Authority::root("Example CA", PrivateKey::generate()?, &NameConstraints::local(), now)?;
/// let stolen = RevokedCertificate {
///     reason: RevocationReason::KeyCompromise,
///     ..RevokedCertificate::new("1a2b".parse()?, now)
/// };
/// let template = RevocationListTemplate::new(1, now, now + Duration::from_secs(7 * 24 * 3600));
/// let list = template.sign(ca.certificate(), ca.key(), [stolen])?;
///
/// assert!(list.is_signed_by(ca.certificate()));
/// let found = list.lookup(&"1a2b".parse()?).expect("it is in the list");
/// assert_eq!(found.reason.to_string(), "keyCompromise");
/// assert_eq!(list.lookup(&"77".parse()?), None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RevocationList {
    signed: Signed,
    version: u8,
    algorithms_agree: bool,
    issuer: DistinguishedName,
    this_update: SystemTime,
    next_update: Option<SystemTime>,
    entries: Entries,
    extensions: Extensions,
}

/// Why bytes are not a CRL.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RevocationListError {
    /// The file around it is wrong.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// There are PEM blocks, but no CRL is among them.
    #[error("it holds no CRL but {found}")]
    NoList {
        /// What it holds, in words.
        found: String,
    },
    /// The bytes are not DER, or not a CRL.
    #[error("the CRL's {field} cannot be read")]
    Field {
        /// The field, as RFC 5280 calls it.
        field: &'static str,
        /// What is wrong, and where.
        source: DerError,
    },
    /// An extension of the list is malformed or there twice.
    #[error("the CRL's extension \"{name}\" is malformed")]
    Extension {
        /// The extension's name in RFC 5280.
        name: String,
        /// What is wrong, and where.
        source: DerError,
    },
    /// It has 4 GiB or more.
    #[error("the CRL is larger than 4 GiB")]
    TooLarge,
}

impl RevocationList {
    /// Reads exactly one CRL in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, RevocationListError> {
        let field = |source| RevocationListError::Field {
            field: "outermost SEQUENCE",
            source,
        };
        // Places of entries are kept in 32 bits.
        if u32::try_from(der.len()).is_err() {
            return Err(RevocationListError::TooLarge);
        }
        let whole = Reader::only(der, Tag::SEQUENCE).map_err(field)?;
        let envelope = Envelope::read_whole(whole, ["tbsCertList", "signatureValue"])?;

        let mut fields = envelope.fields();
        let version = fields.read("version", read_version)?;
        let inner_algorithm = fields.next("signature", AlgorithmIdentifier::read)?;
        let issuer = fields.next("issuer", DistinguishedName::read)?;
        let this_update = fields.next("thisUpdate", |time| time.time())?;
        let next_update = fields.read("nextUpdate", |reader| match reader.peek() {
            Some(Tag::UTC_TIME | Tag::GENERALIZED_TIME) => reader.next()?.time().map(Some),
            _ => Ok(None),
        })?;
        let entries = fields
            .optional("revokedCertificates", Tag::SEQUENCE, Entries::read)?
            .unwrap_or_default();
        let extensions = Extensions::read_tagged(&mut fields, "crlExtensions", 0)?;
        fields.finish("tbsCertList")?;
        Ok(Self {
            version,
            algorithms_agree: inner_algorithm == envelope.algorithm,
            issuer,
            this_update,
            next_update,
            entries,
            extensions,
            signed: envelope.keep(),
        })
    }

    /// Reads the CRLs of a file: one in DER, or all that are in a PEM file (RFC 7468, section 6),
    /// passing over blocks of other kinds.
    ///
    /// # Errors
    ///
    /// There is none, or one of them is damaged. Never returns an empty list.
    pub fn from_file(bytes: &[u8]) -> Result<Vec<Self>, RevocationListError> {
        if pem::looks_like_der(bytes) {
            return Ok(vec![Self::from_der(bytes)?]);
        }
        let blocks = pem::blocks(bytes)?;
        let lists: Vec<Self> = blocks
            .iter()
            .filter(|block| block.label == LABEL)
            .map(|block| Self::from_der(&block.decode()?))
            .collect::<Result<_, _>>()?;
        if lists.is_empty() {
            let found = pem::labels(&blocks);
            return Err(RevocationListError::NoList { found });
        }
        Ok(lists)
    }

    /// The CRL in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        self.signed.der()
    }

    /// The CRL in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(LABEL, self.der())
    }

    /// The version: 2, or 1 where it has no extensions.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Whether the algorithm within what is signed is the one outside (RFC 5280, section 5.1.1.2).
    #[must_use]
    pub fn algorithms_agree(&self) -> bool {
        self.algorithms_agree
    }

    /// Who issued it.
    #[must_use]
    pub fn issuer_name(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// When it was issued.
    #[must_use]
    pub fn this_update(&self) -> SystemTime {
        self.this_update
    }

    /// When there will be a newer one at the latest. RFC 5280 wants every CRL to say it.
    #[must_use]
    pub fn next_update(&self) -> Option<SystemTime> {
        self.next_update
    }

    /// Whether `now` is not before it was issued, and not after the next one had to be there. One
    /// that does not say when that is, is never too old.
    #[must_use]
    pub fn is_current_at(&self, now: SystemTime) -> bool {
        self.this_update <= now && self.next_update.is_none_or(|next| now <= next)
    }

    /// The extensions of the list, in their order.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Its number: a later list of the same issuer and scope has a higher one (section 5.2.3).
    #[must_use]
    pub fn number(&self) -> Option<&SerialNumber> {
        match self.extensions.value(&Oid::CRL_NUMBER) {
            Some(ExtensionValue::CrlNumber(number)) => Some(number),
            _ => None,
        }
    }

    /// The number of the list that this one says the changes to, where it is a delta (section
    /// 5.2.4).
    #[must_use]
    pub fn base_number(&self) -> Option<&SerialNumber> {
        match self.extensions.value(&Oid::DELTA_CRL_INDICATOR) {
            Some(ExtensionValue::CrlNumber(number)) => Some(number),
            _ => None,
        }
    }

    /// Whether it says but the changes to another list.
    #[must_use]
    pub fn is_delta(&self) -> bool {
        self.extensions.get(&Oid::DELTA_CRL_INDICATOR).is_some()
    }

    /// What it is about; all certificates of its issuer where it does not say (section 5.2.5).
    #[must_use]
    pub fn issuing_distribution_point(&self) -> Option<&IssuingDistributionPoint> {
        match self.extensions.value(&Oid::ISSUING_DISTRIBUTION_POINT) {
            Some(ExtensionValue::IssuingDistributionPoint(point)) => Some(point),
            _ => None,
        }
    }

    /// Which key of its issuer it was signed with (section 5.2.1).
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&AuthorityKeyIdentifier> {
        self.extensions.authority_key_identifier()
    }

    /// Where deltas to it are (section 5.2.6).
    #[must_use]
    pub fn freshest_crl(&self) -> &[DistributionPoint] {
        self.extensions.distribution_points(&Oid::FRESHEST_CRL)
    }

    /// A critical extension, of the list or of one of its entries, that Ravelin does not know. Such
    /// a list must not be used to say that a certificate is good, and one with such an entry not at
    /// all (sections 5.2 and 5.3).
    #[must_use]
    pub fn unknown_critical_extension(&self) -> Option<&Oid> {
        self.extensions
            .iter()
            .find(|extension| extension.critical && !KNOWN.contains(&extension.oid))
            .map(|extension| &extension.oid)
            .or(self.entries.unknown_critical())
    }

    /// How many certificates are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is in it, in the order of the list. Nothing is kept of what was passed.
    pub fn entries(&self) -> impl Iterator<Item = RevokedCertificate> {
        let mut issuer = Vec::new();
        self.entries.in_order(self.der()).map(move |entry| {
            if let Some(names) = &entry.certificate_issuer {
                issuer = issuer_names(names);
            }
            entry.to_revoked(issuer.clone())
        })
    }

    /// What it says of the certificate of its issuer with this serial number. Where it says several
    /// things, that it is revoked counts before that it is not any more.
    #[must_use]
    pub fn lookup(&self, serial_number: &SerialNumber) -> Option<RevokedCertificate> {
        self.lookup_of(&self.issuer, serial_number)
    }

    /// What it says of the certificate of `issuer` with this serial number. Lists say something of
    /// certificates of others only where they are indirect (section 5.3.3).
    #[must_use]
    pub fn lookup_of(
        &self,
        issuer: &DistinguishedName,
        serial_number: &SerialNumber,
    ) -> Option<RevokedCertificate> {
        let of_own = self.issuer.matches(issuer);
        let mut found: Option<RevokedCertificate> = None;
        for (at, entry) in self.entries.find(self.der(), serial_number.der_content()) {
            let names = self.entries.issuer_of(self.der(), at);
            let fits = match &names {
                None => of_own,
                Some(names) => names.iter().any(
                    |name| matches!(name, GeneralName::Directory(name) if name.matches(issuer)),
                ),
            };
            if fits {
                let entry = entry.to_revoked(names.unwrap_or_default());
                if entry.reason != RevocationReason::RemoveFromCrl {
                    return Some(entry);
                }
                found.get_or_insert(entry);
            }
        }
        found
    }

    /// Whether `issuer` has the name of this list's issuer, may sign CRLs (section 4.2.1.3), and
    /// made the signature.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &Certificate) -> bool {
        self.issuer.matches(issuer.subject_name())
            && issuer
                .key_usage()
                .is_none_or(|usage| usage.has(KeyUsage::CRL_SIGN))
            && self.verify_signature(issuer.public_key()).is_ok()
    }

    /// The CRL as something signed: the bytes that are, and the signature.
    #[must_use]
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    /// Checks the signature with a key.
    ///
    /// # Errors
    ///
    /// It is wrong, or of an algorithm that is not known or not the key's.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), SignatureError> {
        self.signed.verify(key)
    }
}

/// Two are equal if their DER is.
impl PartialEq for RevocationList {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for RevocationList {}

/// Names it; its entries may be a million.
impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationList")
            .field("issuer", &self.issuer.to_string())
            .field("number", &self.number())
            .field("entries", &self.len())
            .finish_non_exhaustive()
    }
}

from_field_errors!(RevocationListError);

/// Version 1 is told by saying nothing (section 5.1.2.1).
fn read_version(fields: &mut Reader<'_>) -> Result<u8, DerError> {
    let Some(version) = fields.optional(Tag::INTEGER)? else {
        return Ok(1);
    };
    match version.unsigned()? {
        VERSION_2 => Ok(2),
        _ => Err(DerProblem::OutOfRange.at(version.at)),
    }
}

fn issuer_names(extension: &Element<'_>) -> Vec<GeneralName> {
    // It was read once before.
    GeneralName::read_all(extension.reader()).unwrap_or_default()
}

const VERSION_2: u64 = 1;

/// The label in PEM (RFC 7468, section 6).
const LABEL: &str = "X509 CRL";

/// The extensions of CRLs that Ravelin knows.
static KNOWN: [Oid; 7] = [
    Oid::AUTHORITY_KEY_IDENTIFIER,
    Oid::ISSUER_ALT_NAME,
    Oid::CRL_NUMBER,
    Oid::DELTA_CRL_INDICATOR,
    Oid::ISSUING_DISTRIBUTION_POINT,
    Oid::FRESHEST_CRL,
    Oid::AUTHORITY_INFO_ACCESS,
];
