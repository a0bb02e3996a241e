//! The extensions of certificates (RFC 5280, section 4.2), read as values and written from them.

use std::time::SystemTime;

use crate::constraints::NameConstraints;
use crate::der::{DerError, DerProblem, Element, Reader, Tag, Writer};
use crate::distinguished_name::DistinguishedName;
use crate::general_name::GeneralName;
use crate::oid::Oid;
use crate::serial::SerialNumber;

mod list;
mod part;

pub(crate) use list::ExtensionError;
pub use list::Extensions;

use part::{bits, count, crl_number, list, mapping, sct_list};

/// An extension of a certificate, a request, a CRL or an OCSP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// What it is.
    pub oid: Oid,
    /// Whether those who do not know it must refuse the whole.
    pub critical: bool,
    /// The content of its `extnValue`.
    pub der: Vec<u8>,
    /// What it says.
    pub value: ExtensionValue,
}

/// What an extension says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtensionValue {
    /// Whether the subject is a CA, and how many CAs may follow (section 4.2.1.9).
    BasicConstraints(BasicConstraints),
    /// What the key may do (section 4.2.1.3).
    KeyUsage(KeyUsage),
    /// What the certificate is for (section 4.2.1.12).
    ExtendedKeyUsage(Vec<Oid>),
    /// Whom it is for (section 4.2.1.6).
    SubjectAltName(Vec<GeneralName>),
    /// Other names of the issuer (section 4.2.1.7).
    IssuerAltName(Vec<GeneralName>),
    /// What names the key among others of the subject (section 4.2.1.2).
    SubjectKeyIdentifier(Vec<u8>),
    /// Which key and certificate of the issuer it was signed with (section 4.2.1.1).
    AuthorityKeyIdentifier(AuthorityKeyIdentifier),
    /// What a CA may certify (section 4.2.1.10).
    NameConstraints(NameConstraints),
    /// Where CRLs are (section 4.2.1.13), or newer ones (section 4.2.1.15).
    DistributionPoints(Vec<DistributionPoint>),
    /// Where the issuer's certificate and OCSP responder are (section 4.2.2.1), or the subject's
    /// services (section 4.2.2.2).
    InfoAccess(Vec<AccessDescription>),
    /// Under which policies it was issued (section 4.2.1.4).
    CertificatePolicies(Vec<PolicyInformation>),
    /// Which policies of the issuer are which of the subject (section 4.2.1.5).
    PolicyMappings(Vec<(Oid, Oid)>),
    /// What policies a path must have from here on (section 4.2.1.11).
    PolicyConstraints(PolicyConstraints),
    /// After how many certificates `anyPolicy` stands for nothing (section 4.2.1.14).
    InhibitAnyPolicy(u32),
    /// TLS extensions that the server must speak (RFC 7633): 5 is a stapled OCSP response.
    TlsFeature(Vec<u64>),
    /// What logs said of it (RFC 6962, section 3.3).
    SctList(Vec<Sct>),
    /// The number of a CRL (section 5.2.3) or of the CRL that a delta is to (section 5.2.4).
    CrlNumber(SerialNumber),
    /// Why an entry of a CRL was revoked (section 5.3.1).
    CrlReason(u8),
    /// Since when the key is known to be unsafe (section 5.3.2).
    InvalidityDate(SystemTime),
    /// The issuer of an entry in an indirect CRL (section 5.3.3).
    CertificateIssuer(Vec<GeneralName>),
    /// What a CRL is about (section 5.2.5).
    IssuingDistributionPoint(IssuingDistributionPoint),
    /// One that Ravelin does not read.
    Unread,
}

/// Whether a certificate is that of a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BasicConstraints {
    /// Whether it is.
    pub ca: bool,
    /// How many CAs may stand between it and the last certificate, where that is bounded.
    pub path_length: Option<u32>,
}

/// What a key may be used for: a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyUsage(u16);

/// What tells the key of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorityKeyIdentifier {
    /// The issuer's subject key identifier.
    pub key_identifier: Option<Vec<u8>>,
    /// The issuer of the issuer's certificate.
    pub issuer: Vec<GeneralName>,
    /// The serial number of the issuer's certificate.
    pub serial_number: Option<SerialNumber>,
}

/// A place where a CRL is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DistributionPoint {
    /// Where.
    pub name: Option<DistributionPointName>,
    /// The reasons that its CRL covers, as bits (section 4.2.1.13); all where absent.
    pub reasons: Option<u16>,
    /// Who signs it, where that is not the certificate's issuer.
    pub crl_issuer: Vec<GeneralName>,
}

/// The name of a place where a CRL is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DistributionPointName {
    /// Addresses of the same CRL.
    Full(Vec<GeneralName>),
    /// Attributes that are added to the name of the CRL's issuer: the SET in DER.
    Relative(Vec<u8>),
}

/// Where something about a certificate is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessDescription {
    /// What: [`Oid::OCSP`], [`Oid::CA_ISSUERS`].
    pub method: Oid,
    /// Where.
    pub location: GeneralName,
}

/// A policy, and what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyInformation {
    /// The policy.
    pub policy: Oid,
    /// The addresses of practice statements.
    pub cps: Vec<String>,
    /// Whether there are qualifiers of other kinds.
    pub other_qualifiers: bool,
}

/// What policies a path must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PolicyConstraints {
    /// After how many certificates each must have an acceptable policy.
    pub require_explicit_policy: Option<u32>,
    /// After how many certificates policies are not mapped any more.
    pub inhibit_policy_mapping: Option<u32>,
}

/// A signed certificate timestamp: a log's promise that it shows a certificate to all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sct {
    /// The log: the SHA-256 of its key.
    pub log: [u8; 32],
    /// When it saw the certificate.
    pub time: SystemTime,
}

/// What certificates a CRL is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "RFC 5280 has them")]
pub struct IssuingDistributionPoint {
    /// Where it is.
    pub name: Option<DistributionPointName>,
    /// Whether only certificates that are no CA's.
    pub only_user_certificates: bool,
    /// Whether only certificates of CAs.
    pub only_ca_certificates: bool,
    /// The only reasons that it covers, as bits.
    pub only_some_reasons: Option<u16>,
    /// Whether there are certificates of other issuers in it.
    pub indirect: bool,
    /// Whether only attribute certificates.
    pub only_attribute_certificates: bool,
}

#[allow(
    missing_docs,
    reason = "the names are those of RFC 5280, section 4.2.1.3"
)]
impl KeyUsage {
    pub const DIGITAL_SIGNATURE: Self = Self(0x8000);
    pub const CONTENT_COMMITMENT: Self = Self(0x4000);
    pub const KEY_ENCIPHERMENT: Self = Self(0x2000);
    pub const DATA_ENCIPHERMENT: Self = Self(0x1000);
    pub const KEY_AGREEMENT: Self = Self(0x0800);
    pub const KEY_CERT_SIGN: Self = Self(0x0400);
    pub const CRL_SIGN: Self = Self(0x0200);
    pub const ENCIPHER_ONLY: Self = Self(0x0100);
    pub const DECIPHER_ONLY: Self = Self(0x0080);

    /// All, with their names in RFC 5280.
    pub const NAMES: [(&str, Self); 9] = [
        ("digitalSignature", Self::DIGITAL_SIGNATURE),
        ("contentCommitment", Self::CONTENT_COMMITMENT),
        ("keyEncipherment", Self::KEY_ENCIPHERMENT),
        ("dataEncipherment", Self::DATA_ENCIPHERMENT),
        ("keyAgreement", Self::KEY_AGREEMENT),
        ("keyCertSign", Self::KEY_CERT_SIGN),
        ("cRLSign", Self::CRL_SIGN),
        ("encipherOnly", Self::ENCIPHER_ONLY),
        ("decipherOnly", Self::DECIPHER_ONLY),
    ];

    /// The bits; the first is the highest.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are among these.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of those that are set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let set = Self::NAMES
            .into_iter()
            .filter(move |(_, bit)| self.has(*bit));
        set.map(|(name, _)| name)
    }
}

impl Extension {
    /// An extension of this value, for writing.
    #[must_use]
    pub fn of(oid: Oid, critical: bool, value: ExtensionValue) -> Self {
        // Few are longer: growing octet by octet took as long as writing.
        let mut writer = Writer::with_capacity(64);
        value.write(&mut writer);
        Self {
            oid,
            critical,
            der: writer.into_bytes(),
            value,
        }
    }

    /// The one that names the issuer's key, for writing (section 4.2.1.1).
    pub(crate) fn naming_key(key_identifier: Vec<u8>) -> Self {
        let identifier = AuthorityKeyIdentifier {
            key_identifier: Some(key_identifier),
            ..AuthorityKeyIdentifier::default()
        };
        let value = ExtensionValue::AuthorityKeyIdentifier(identifier);
        Self::of(Oid::AUTHORITY_KEY_IDENTIFIER, false, value)
    }

    /// Reads what follows the identifier of one.
    fn read(oid: Oid, mut reader: Reader<'_>) -> Result<Self, DerError> {
        let critical = reader.default_false(Tag::BOOLEAN)?;
        let octets = reader.expect(Tag::OCTET_STRING)?;
        reader.finish()?;
        Ok(Self {
            critical,
            der: octets.content.to_vec(),
            value: ExtensionValue::read(&oid, octets)?,
            oid,
        })
    }

    fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.oid(&self.oid);
            if self.critical {
                w.boolean(true);
            }
            w.octet_string(&self.der);
        });
    }
}

impl ExtensionValue {
    fn read(oid: &Oid, octets: Element<'_>) -> Result<Self, DerError> {
        // Nothing has to be read to know that there is nothing to be read.
        let Some((_, read)) = READERS.iter().find(|(known, _)| known == oid) else {
            return Ok(Self::Unread);
        };
        read(octets.inner()?)
    }

    fn write(&self, w: &mut Writer) {
        let names = |w: &mut Writer, names: &[GeneralName]| {
            w.sequence(|w| names.iter().for_each(|name| name.write(w)));
        };
        match self {
            Self::BasicConstraints(constraints) => w.sequence(|w| {
                if constraints.ca {
                    w.boolean(true);
                }
                if let Some(length) = constraints.path_length {
                    w.unsigned(length.into());
                }
            }),
            Self::KeyUsage(usage) => w.named_bits(usage.0),
            Self::ExtendedKeyUsage(purposes) => {
                w.sequence(|w| purposes.iter().for_each(|purpose| w.oid(purpose)));
            }
            Self::SubjectAltName(list)
            | Self::IssuerAltName(list)
            | Self::CertificateIssuer(list) => names(w, list),
            Self::SubjectKeyIdentifier(octets) => w.octet_string(octets),
            Self::AuthorityKeyIdentifier(identifier) => identifier.write(w),
            Self::NameConstraints(constraints) => constraints.write(w),
            Self::DistributionPoints(points) => {
                w.sequence(|w| points.iter().for_each(|point| point.write(w)));
            }
            Self::InfoAccess(list) => w.sequence(|w| {
                for access in list {
                    w.sequence(|w| {
                        w.oid(&access.method);
                        access.location.write(w);
                    });
                }
            }),
            Self::CertificatePolicies(policies) => w.sequence(|w| {
                for information in policies {
                    w.sequence(|w| information.write(w));
                }
            }),
            Self::PolicyMappings(mappings) => w.sequence(|w| {
                for (issuer, subject) in mappings {
                    w.sequence(|w| {
                        w.oid(issuer);
                        w.oid(subject);
                    });
                }
            }),
            Self::PolicyConstraints(constraints) => w.sequence(|w| {
                let both = [
                    constraints.require_explicit_policy,
                    constraints.inhibit_policy_mapping,
                ];
                for (tag, skip) in (0..).zip(both) {
                    if let Some(skip) = skip {
                        w.small(Tag::context(tag), skip.into());
                    }
                }
            }),
            Self::InhibitAnyPolicy(skip) => w.unsigned(u64::from(*skip)),
            Self::TlsFeature(features) => {
                w.sequence(|w| features.iter().for_each(|feature| w.unsigned(*feature)));
            }
            Self::CrlNumber(number) => w.primitive(Tag::INTEGER, number.der_content()),
            Self::CrlReason(reason) => w.primitive(Tag::ENUMERATED, &[*reason]),
            Self::InvalidityDate(time) => w.generalized_time(*time),
            Self::IssuingDistributionPoint(point) => point.write(w),
            // Only logs make these, and nobody can write what cannot be read.
            Self::SctList(_) | Self::Unread => {}
        }
    }
}

type Read = fn(Element<'_>) -> Result<ExtensionValue, DerError>;

static READERS: [(Oid, Read); 24] = [
    (Oid::BASIC_CONSTRAINTS, |value| {
        BasicConstraints::read(value).map(ExtensionValue::BasicConstraints)
    }),
    (Oid::KEY_USAGE, |value| {
        bits(value).map(KeyUsage).map(ExtensionValue::KeyUsage)
    }),
    (Oid::EXTENDED_KEY_USAGE, |value| {
        list(value, |purpose| {
            purpose.tagged(Tag::OBJECT_IDENTIFIER)?.oid()
        })
        .map(ExtensionValue::ExtendedKeyUsage)
    }),
    (Oid::SUBJECT_ALT_NAME, |value| {
        list(value, GeneralName::read).map(ExtensionValue::SubjectAltName)
    }),
    (Oid::ISSUER_ALT_NAME, |value| {
        list(value, GeneralName::read).map(ExtensionValue::IssuerAltName)
    }),
    (Oid::CERTIFICATE_ISSUER, |value| {
        list(value, GeneralName::read).map(ExtensionValue::CertificateIssuer)
    }),
    (Oid::SUBJECT_KEY_IDENTIFIER, |value| {
        let octets = value.tagged(Tag::OCTET_STRING)?.content.to_vec();
        Ok(ExtensionValue::SubjectKeyIdentifier(octets))
    }),
    (Oid::AUTHORITY_KEY_IDENTIFIER, |value| {
        AuthorityKeyIdentifier::read(value).map(ExtensionValue::AuthorityKeyIdentifier)
    }),
    (Oid::NAME_CONSTRAINTS, |value| {
        NameConstraints::read(value).map(ExtensionValue::NameConstraints)
    }),
    (Oid::CRL_DISTRIBUTION_POINTS, |value| {
        list(value, DistributionPoint::read).map(ExtensionValue::DistributionPoints)
    }),
    (Oid::FRESHEST_CRL, |value| {
        list(value, DistributionPoint::read).map(ExtensionValue::DistributionPoints)
    }),
    (Oid::AUTHORITY_INFO_ACCESS, |value| {
        list(value, AccessDescription::read).map(ExtensionValue::InfoAccess)
    }),
    (Oid::SUBJECT_INFO_ACCESS, |value| {
        list(value, AccessDescription::read).map(ExtensionValue::InfoAccess)
    }),
    (Oid::CERTIFICATE_POLICIES, |value| {
        list(value, PolicyInformation::read).map(ExtensionValue::CertificatePolicies)
    }),
    (Oid::POLICY_MAPPINGS, |value| {
        list(value, mapping).map(ExtensionValue::PolicyMappings)
    }),
    (Oid::POLICY_CONSTRAINTS, |value| {
        PolicyConstraints::read(value).map(ExtensionValue::PolicyConstraints)
    }),
    (Oid::INHIBIT_ANY_POLICY, |value| {
        count(value.tagged(Tag::INTEGER)?).map(ExtensionValue::InhibitAnyPolicy)
    }),
    (Oid::TLS_FEATURE, |value| {
        list(value, |feature| feature.tagged(Tag::INTEGER)?.unsigned())
            .map(ExtensionValue::TlsFeature)
    }),
    (Oid::SCT_LIST, |value| {
        sct_list(value).map(ExtensionValue::SctList)
    }),
    (Oid::CRL_NUMBER, |value| {
        crl_number(value).map(ExtensionValue::CrlNumber)
    }),
    (Oid::DELTA_CRL_INDICATOR, |value| {
        crl_number(value).map(ExtensionValue::CrlNumber)
    }),
    (Oid::CRL_REASON, |value| {
        let reason = value.tagged(Tag::ENUMERATED)?.unsigned()?;
        let reason = u8::try_from(reason).map_err(|_| DerProblem::OutOfRange.at(value.at))?;
        Ok(ExtensionValue::CrlReason(reason))
    }),
    (Oid::INVALIDITY_DATE, |value| {
        let time = value.tagged(Tag::GENERALIZED_TIME)?.time()?;
        Ok(ExtensionValue::InvalidityDate(time))
    }),
    (Oid::ISSUING_DISTRIBUTION_POINT, |value| {
        IssuingDistributionPoint::read(value).map(ExtensionValue::IssuingDistributionPoint)
    }),
];

/// The identifier of a key that RFC 7093 (section 2, method 1) proposes: the first 160 bits of the
/// SHA-256 of its bits. Method 1 of RFC 5280 is the same with SHA-1.
pub(crate) fn key_identifier(public_bits: &[u8]) -> Vec<u8> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public_bits);
    digest.as_ref()[..20].to_vec()
}

/// A distinguished name of an issuer's certificate as `authorityCertIssuer` has it.
impl From<DistinguishedName> for GeneralName {
    fn from(name: DistinguishedName) -> Self {
        Self::Directory(name)
    }
}
