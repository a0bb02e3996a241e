//! What extensions consist of, read and written: the pieces of [`super::ExtensionValue`].

use std::time::{Duration, SystemTime};

use super::{
    AccessDescription, AuthorityKeyIdentifier, BasicConstraints, DistributionPoint,
    DistributionPointName, IssuingDistributionPoint, PolicyConstraints, PolicyInformation, Sct,
};
use crate::der::{DerError, DerProblem, Element, Reader, Tag, Writer};
use crate::general_name::GeneralName;
use crate::oid::Oid;
use crate::serial::SerialNumber;

/// A SEQUENCE OF, which may be empty though RFC 5280 forbids it: that is for a linter to say.
pub(super) fn list<T>(
    value: Element<'_>,
    read: impl Fn(Element<'_>) -> Result<T, DerError>,
) -> Result<Vec<T>, DerError> {
    let mut reader = value.tagged(Tag::SEQUENCE)?.reader();
    let mut items = Vec::new();
    while !reader.is_at_end() {
        items.push(read(reader.next()?)?);
    }
    Ok(items)
}

/// The named bits of a BIT STRING of at most 16, of which none in X.509 has more than nine.
pub(super) fn bits(value: Element<'_>) -> Result<u16, DerError> {
    let bits = value.tagged(Tag::BIT_STRING)?.bit_string()?;
    named_bits(bits.octets).ok_or_else(|| DerProblem::OutOfRange.at(value.at))
}

fn implicit_bits(value: &Element<'_>) -> Result<u16, DerError> {
    let bits = value.bit_string()?;
    named_bits(bits.octets).ok_or_else(|| DerProblem::OutOfRange.at(value.at))
}

fn named_bits(octets: &[u8]) -> Option<u16> {
    match *octets {
        [] => Some(0),
        [first] => Some(u16::from_be_bytes([first, 0])),
        [first, second] => Some(u16::from_be_bytes([first, second])),
        _ => None,
    }
}

/// A number of certificates. More than fit into 32 bits are no bound at all.
pub(super) fn count(value: Element<'_>) -> Result<u32, DerError> {
    let octets = value.integer()?;
    if octets[0] & 0x80 != 0 {
        return Err(DerProblem::OutOfRange.at(value.at));
    }
    Ok(value
        .unsigned()
        .map_or(u32::MAX, |count| u32::try_from(count).unwrap_or(u32::MAX)))
}

pub(super) fn mapping(value: Element<'_>) -> Result<(Oid, Oid), DerError> {
    let mut reader = value.tagged(Tag::SEQUENCE)?.reader();
    let issuer = reader.expect(Tag::OBJECT_IDENTIFIER)?.oid()?;
    let subject = reader.expect(Tag::OBJECT_IDENTIFIER)?.oid()?;
    reader.finish()?;
    Ok((issuer, subject))
}

pub(super) fn crl_number(value: Element<'_>) -> Result<SerialNumber, DerError> {
    let octets = value.tagged(Tag::INTEGER)?.integer()?;
    Ok(SerialNumber::from_der_content(octets))
}

impl BasicConstraints {
    pub(super) fn read(value: Element<'_>) -> Result<Self, DerError> {
        let mut reader = value.tagged(Tag::SEQUENCE)?.reader();
        let ca = reader.default_false(Tag::BOOLEAN)?;
        let path_length = reader.optional(Tag::INTEGER)?.map(count).transpose()?;
        reader.finish()?;
        Ok(Self { ca, path_length })
    }
}

impl AuthorityKeyIdentifier {
    pub(super) fn read(value: Element<'_>) -> Result<Self, DerError> {
        let mut reader = value.tagged(Tag::SEQUENCE)?.reader();
        let key_identifier = reader.optional(Tag::context(0))?;
        let issuer = reader.optional(Tag::context_constructed(1))?;
        let serial_number = reader.optional(Tag::context(2))?;
        reader.finish()?;
        Ok(Self {
            key_identifier: key_identifier.map(|octets| octets.content.to_vec()),
            issuer: issuer.map_or(Ok(Vec::new()), |names| {
                GeneralName::read_all(names.reader())
            })?,
            serial_number: serial_number
                .map(|number| number.integer().map(SerialNumber::from_der_content))
                .transpose()?,
        })
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            if let Some(octets) = &self.key_identifier {
                w.primitive(Tag::context(0), octets);
            }
            if !self.issuer.is_empty() {
                w.constructed(Tag::context_constructed(1), |w| {
                    self.issuer.iter().for_each(|name| name.write(w));
                });
            }
            if let Some(number) = &self.serial_number {
                w.primitive(Tag::context(2), number.der_content());
            }
        });
    }
}

impl DistributionPoint {
    /// The place that these addresses name.
    #[must_use]
    pub fn at(addresses: Vec<GeneralName>) -> Self {
        Self {
            name: Some(DistributionPointName::Full(addresses)),
            ..Self::default()
        }
    }

    pub(super) fn read(value: Element<'_>) -> Result<Self, DerError> {
        let mut reader = value.tagged(Tag::SEQUENCE)?.reader();
        let name = reader.optional(Tag::context_constructed(0))?;
        let reasons = reader.optional(Tag::context(1))?;
        let crl_issuer = reader.optional(Tag::context_constructed(2))?;
        reader.finish()?;
        Ok(Self {
            name: name.map(DistributionPointName::read).transpose()?,
            reasons: reasons.as_ref().map(implicit_bits).transpose()?,
            crl_issuer: crl_issuer.map_or(Ok(Vec::new()), |names| {
                GeneralName::read_all(names.reader())
            })?,
        })
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            if let Some(name) = &self.name {
                name.write(w);
            }
            if let Some(reasons) = self.reasons {
                w.small_bits(Tag::context(1), reasons);
            }
            if !self.crl_issuer.is_empty() {
                w.constructed(Tag::context_constructed(2), |w| {
                    self.crl_issuer.iter().for_each(|name| name.write(w));
                });
            }
        });
    }
}

impl DistributionPointName {
    pub(super) fn read(outer: Element<'_>) -> Result<Self, DerError> {
        let name = outer.inner()?;
        match name.tag {
            Tag(0xa0) => Ok(Self::Full(GeneralName::read_all(name.reader())?)),
            Tag(0xa1) => {
                let mut writer = Writer::new();
                writer.primitive(Tag::SET, name.content);
                Ok(Self::Relative(writer.into_bytes()))
            }
            found => {
                let expected = Tag::context_constructed(0);
                Err(DerProblem::Unexpected { expected, found }.at(name.at))
            }
        }
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.constructed(Tag::context_constructed(0), |w| match self {
            Self::Full(names) => w.constructed(Tag::context_constructed(0), |w| {
                for name in names {
                    name.write(w);
                }
            }),
            Self::Relative(set) => {
                let content = Reader::only(set, Tag::SET).map_or(&[][..], |set| set.content);
                w.primitive(Tag::context_constructed(1), content);
            }
        });
    }
}

impl AccessDescription {
    pub(super) fn read(value: Element<'_>) -> Result<Self, DerError> {
        let mut reader = value.tagged(Tag::SEQUENCE)?.reader();
        let method = reader.expect(Tag::OBJECT_IDENTIFIER)?.oid()?;
        let location = GeneralName::read(reader.next()?)?;
        reader.finish()?;
        Ok(Self { method, location })
    }
}

impl PolicyInformation {
    /// A policy of which nothing more is said.
    #[must_use]
    pub fn of(policy: Oid) -> Self {
        Self {
            policy,
            cps: Vec::new(),
            other_qualifiers: false,
        }
    }

    pub(super) fn read(value: Element<'_>) -> Result<Self, DerError> {
        let mut reader = value.tagged(Tag::SEQUENCE)?.reader();
        let mut information = Self::of(reader.expect(Tag::OBJECT_IDENTIFIER)?.oid()?);
        if let Some(qualifiers) = reader.optional(Tag::SEQUENCE)? {
            let mut qualifiers = qualifiers.reader();
            while !qualifiers.is_at_end() {
                let mut qualifier = qualifiers.sequence()?;
                let kind = qualifier.expect(Tag::OBJECT_IDENTIFIER)?.oid()?;
                let value = qualifier.next()?;
                qualifier.finish()?;
                if kind == Oid::CPS {
                    information.cps.push(value.tagged(Tag::IA5_STRING)?.text()?);
                } else {
                    information.other_qualifiers = true;
                }
            }
        }
        reader.finish()?;
        Ok(information)
    }

    pub(super) fn write(&self, w: &mut Writer) {
        w.oid(&self.policy);
        if !self.cps.is_empty() {
            w.sequence(|w| {
                for address in &self.cps {
                    w.sequence(|w| {
                        w.oid(&Oid::CPS);
                        w.primitive(Tag::IA5_STRING, address.as_bytes());
                    });
                }
            });
        }
    }
}

impl PolicyConstraints {
    pub(super) fn read(value: Element<'_>) -> Result<Self, DerError> {
        let mut reader = value.tagged(Tag::SEQUENCE)?.reader();
        let require_explicit_policy = reader.optional(Tag::context(0))?.map(count).transpose()?;
        let inhibit_policy_mapping = reader.optional(Tag::context(1))?.map(count).transpose()?;
        reader.finish()?;
        Ok(Self {
            require_explicit_policy,
            inhibit_policy_mapping,
        })
    }
}

impl IssuingDistributionPoint {
    pub(super) fn read(value: Element<'_>) -> Result<Self, DerError> {
        let mut reader = value.tagged(Tag::SEQUENCE)?.reader();
        let name = reader.optional(Tag::context_constructed(0))?;
        let only_user_certificates = reader.default_false(Tag::context(1))?;
        let only_ca_certificates = reader.default_false(Tag::context(2))?;
        let reasons = reader.optional(Tag::context(3))?;
        let indirect = reader.default_false(Tag::context(4))?;
        let only_attribute_certificates = reader.default_false(Tag::context(5))?;
        reader.finish()?;
        Ok(Self {
            name: name.map(DistributionPointName::read).transpose()?,
            only_user_certificates,
            only_ca_certificates,
            only_some_reasons: reasons.as_ref().map(implicit_bits).transpose()?,
            indirect,
            only_attribute_certificates,
        })
    }

    pub(super) fn write(&self, w: &mut Writer) {
        let flag = |w: &mut Writer, tag, set: bool| {
            if set {
                w.primitive(Tag::context(tag), &[0xff]);
            }
        };
        w.sequence(|w| {
            if let Some(name) = &self.name {
                name.write(w);
            }
            flag(w, 1, self.only_user_certificates);
            flag(w, 2, self.only_ca_certificates);
            if let Some(reasons) = self.only_some_reasons {
                w.small_bits(Tag::context(3), reasons);
            }
            flag(w, 4, self.indirect);
            flag(w, 5, self.only_attribute_certificates);
        });
    }
}

/// Reads a `SignedCertificateTimestampList` (RFC 6962, section 3.3): TLS structures within an OCTET
/// STRING within the extension. Ones of later versions are left out.
pub(super) fn sct_list(value: Element<'_>) -> Result<Vec<Sct>, DerError> {
    let bad = || DerProblem::OutOfRange.at(value.at);
    let octets = value.tagged(Tag::OCTET_STRING)?.content;
    let (mut list, rest) = prefixed(octets).ok_or_else(bad)?;
    if !rest.is_empty() {
        return Err(bad());
    }
    let mut scts = Vec::new();
    while !list.is_empty() {
        let (sct, rest) = prefixed(list).ok_or_else(bad)?;
        list = rest;
        if let [0, fields @ ..] = sct {
            let (log, fields) = fields.split_first_chunk::<32>().ok_or_else(bad)?;
            let (time, _) = fields.split_first_chunk::<8>().ok_or_else(bad)?;
            let time = Duration::from_millis(u64::from_be_bytes(*time));
            scts.push(Sct {
                log: *log,
                time: SystemTime::UNIX_EPOCH.checked_add(time).ok_or_else(bad)?,
            });
        }
    }
    Ok(scts)
}

/// The octets behind a length of two octets, and what follows them.
fn prefixed(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
