//! All extensions of something, found by what they are.

use std::ops::Deref;

use super::{
    AccessDescription, AuthorityKeyIdentifier, BasicConstraints, DistributionPoint, Extension,
    ExtensionValue, KeyUsage,
};
use crate::constraints::NameConstraints;
use crate::der::{DerError, DerProblem, Element, FieldError, Fields, Tag, Writer};
use crate::general_name::GeneralName;
use crate::oid::Oid;

/// The extensions of a certificate, a request or a CRL, in their order, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extensions(Vec<Extension>);

impl Deref for Extensions {
    type Target = [Extension];

    fn deref(&self) -> &[Extension] {
        &self.0
    }
}

impl Extensions {
    /// The one of a kind.
    #[must_use]
    pub fn get(&self, oid: &Oid) -> Option<&Extension> {
        self.iter().find(|extension| extension.oid == *oid)
    }

    /// What the one of a kind says.
    #[must_use]
    pub fn value(&self, oid: &Oid) -> Option<&ExtensionValue> {
        self.get(oid).map(|extension| &extension.value)
    }

    /// Whether it is for a CA (section 4.2.1.9).
    #[must_use]
    pub fn basic_constraints(&self) -> Option<BasicConstraints> {
        match self.value(&Oid::BASIC_CONSTRAINTS) {
            Some(ExtensionValue::BasicConstraints(constraints)) => Some(*constraints),
            _ => None,
        }
    }

    /// What the key may do (section 4.2.1.3).
    #[must_use]
    pub fn key_usage(&self) -> Option<KeyUsage> {
        match self.value(&Oid::KEY_USAGE) {
            Some(ExtensionValue::KeyUsage(usage)) => Some(*usage),
            _ => None,
        }
    }

    /// What it is for (section 4.2.1.12).
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<&[Oid]> {
        match self.value(&Oid::EXTENDED_KEY_USAGE) {
            Some(ExtensionValue::ExtendedKeyUsage(purposes)) => Some(purposes),
            _ => None,
        }
    }

    /// Whom it is for: none where it does not say (section 4.2.1.6).
    #[must_use]
    pub fn alternative_names(&self) -> &[GeneralName] {
        match self.value(&Oid::SUBJECT_ALT_NAME) {
            Some(ExtensionValue::SubjectAltName(names)) => names,
            _ => &[],
        }
    }

    /// What names its key among others of its holder (section 4.2.1.2).
    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        match self.value(&Oid::SUBJECT_KEY_IDENTIFIER) {
            Some(ExtensionValue::SubjectKeyIdentifier(octets)) => Some(octets),
            _ => None,
        }
    }

    /// Which key of its issuer it was signed with (sections 4.2.1.1 and 5.2.1).
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&AuthorityKeyIdentifier> {
        match self.value(&Oid::AUTHORITY_KEY_IDENTIFIER) {
            Some(ExtensionValue::AuthorityKeyIdentifier(identifier)) => Some(identifier),
            _ => None,
        }
    }

    /// What a CA may certify (section 4.2.1.10).
    #[must_use]
    pub fn name_constraints(&self) -> Option<&NameConstraints> {
        match self.value(&Oid::NAME_CONSTRAINTS) {
            Some(ExtensionValue::NameConstraints(constraints)) => Some(constraints),
            _ => None,
        }
    }

    /// Where the CRLs of a kind are: [`Oid::CRL_DISTRIBUTION_POINTS`] (section 4.2.1.13),
    /// [`Oid::FRESHEST_CRL`] (sections 4.2.1.15 and 5.2.6).
    #[must_use]
    pub fn distribution_points(&self, oid: &Oid) -> &[DistributionPoint] {
        match self.value(oid) {
            Some(ExtensionValue::DistributionPoints(points)) => points,
            _ => &[],
        }
    }

    /// Where its issuer's certificate and OCSP responder are (section 4.2.2.1).
    #[must_use]
    pub fn authority_info_access(&self) -> &[AccessDescription] {
        match self.value(&Oid::AUTHORITY_INFO_ACCESS) {
            Some(ExtensionValue::InfoAccess(list)) => list,
            _ => &[],
        }
    }

    /// The TLS extensions that the server must speak (RFC 7633).
    #[must_use]
    pub fn tls_features(&self) -> &[u64] {
        match self.value(&Oid::TLS_FEATURE) {
            Some(ExtensionValue::TlsFeature(features)) => features,
            _ => &[],
        }
    }

    /// Reads a SEQUENCE of them, a field of this name. None may be there twice (section 4.2).
    pub(crate) fn read(list: Element<'_>, field: &'static str) -> Result<Self, ExtensionError> {
        let wrong = |source| ExtensionError::Field(FieldError { field, source });
        let mut reader = list.tagged(Tag::SEQUENCE).map_err(wrong)?.reader();
        let mut extensions = Self::default();
        if reader.is_at_end() {
            return Err(wrong(DerProblem::Empty.at(list.at)));
        }
        while !reader.is_at_end() {
            let place = reader.place();
            if extensions.len() == MOST {
                return Err(wrong(DerProblem::TooMany { most: MOST }.at(place)));
            }
            let mut extension = reader.sequence().map_err(wrong)?;
            let oid = extension
                .expect(Tag::OBJECT_IDENTIFIER)
                .and_then(|oid| oid.oid())
                .map_err(wrong)?;
            let extension = match Extension::read(oid.clone(), extension) {
                Ok(_) if extensions.get(&oid).is_some() => Err(DerProblem::Doubled.at(place)),
                read => read,
            };
            let extension =
                extension.map_err(|source| ExtensionError::Extension { oid, source })?;
            extensions.0.push(extension);
        }
        Ok(extensions)
    }

    /// Reads those in the explicit tag `[n]` that may be next, a field of this name.
    pub(crate) fn read_tagged(
        fields: &mut Fields<'_>,
        field: &'static str,
        n: u8,
    ) -> Result<Self, ExtensionError> {
        let list = fields
            .optional(field, Tag::context_constructed(n), |list| list.inner())
            .map_err(ExtensionError::Field)?;
        list.map_or(Ok(Self::default()), |list| Self::read(list, field))
    }

    /// Writes a SEQUENCE of them.
    pub(crate) fn write(&self, w: &mut Writer) {
        w.sequence(|w| self.iter().for_each(|extension| extension.write(w)));
    }
}

impl<'e> IntoIterator for &'e Extensions {
    type Item = &'e Extension;
    type IntoIter = std::slice::Iter<'e, Extension>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Those who make them see that none is there twice.
impl FromIterator<Extension> for Extensions {
    fn from_iter<I: IntoIterator<Item = Extension>>(extensions: I) -> Self {
        Self(extensions.into_iter().collect())
    }
}

/// So many are read, and no more: each is compared with all before it. Certificates have ten or so.
const MOST: usize = 256;

/// Why extensions cannot be read.
pub(crate) enum ExtensionError {
    /// The field that they are in is none.
    Field(FieldError),
    /// One of them is malformed, or there twice.
    Extension { oid: Oid, source: DerError },
}
