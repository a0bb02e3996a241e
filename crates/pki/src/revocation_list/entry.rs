//! The entries of a CRL, and the index that finds them.

use std::time::SystemTime;

use super::{RevocationReason, issuer_names};
use crate::der::{DerError, DerProblem, Element, Reader, Tag};
use crate::general_name::GeneralName;
use crate::oid::Oid;
use crate::serial::SerialNumber;

/// What a CRL says of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedCertificate {
    /// Its serial number.
    pub serial_number: SerialNumber,
    /// When it was revoked.
    pub revoked_at: SystemTime,
    /// Why. A number that stands for no reason is read as none told.
    pub reason: RevocationReason,
    /// Since when its key is known or suspected to be unsafe (section 5.3.2).
    pub invalid_since: Option<SystemTime>,
    /// Who issued it, where that is not the issuer of the CRL (section 5.3.3).
    pub certificate_issuer: Vec<GeneralName>,
}

impl RevokedCertificate {
    /// A certificate that was revoked for no reason told.
    #[must_use]
    pub fn new(serial_number: SerialNumber, revoked_at: SystemTime) -> Self {
        Self {
            serial_number,
            revoked_at,
            reason: RevocationReason::Unspecified,
            invalid_since: None,
            certificate_issuer: Vec::new(),
        }
    }
}

/// Where the entries of a CRL are in its DER. Nothing else is kept of them.
#[derive(Clone, Default)]
pub(super) struct Entries {
    /// The octets of all entries.
    list: (usize, usize),
    /// Where each entry begins, ordered by serial number, then by place.
    sorted: Vec<u32>,
    /// Where the entries begin that name an issuer, which is that of those behind them as well.
    naming_issuers: Vec<u32>,
    unknown_critical: Option<Oid>,
}

/// An entry, with nothing copied.
pub(super) struct RawEntry<'b> {
    serial_number: &'b [u8],
    revoked_at: SystemTime,
    reason: RevocationReason,
    invalid_since: Option<SystemTime>,
    /// The SEQUENCE of names.
    pub(super) certificate_issuer: Option<Element<'b>>,
    unknown_critical: Option<Oid>,
}

impl Entries {
    /// Reads the SEQUENCE of entries, every one of them.
    pub(super) fn read(list: Element<'_>) -> Result<Self, DerError> {
        let mut reader = list.reader();
        let first = reader.place();
        let mut entries = Self {
            list: (first, first + list.content.len()),
            ..Self::default()
        };
        // Sorted by the first octets of the serial number, which stand beside the place: to look
        // every time where the place points would cost more than all else.
        let mut keys: Vec<(u64, u32)> = Vec::new();
        while !reader.is_at_end() {
            let element = reader.next()?;
            let at = element.at as u32;
            let entry = RawEntry::read(element)?;
            keys.push((first_octets(entry.serial_number), at));
            if let Some(names) = entry.certificate_issuer {
                GeneralName::read_all(names.reader())?;
                entries.naming_issuers.push(at);
            }
            if entries.unknown_critical.is_none() {
                entries.unknown_critical = entry.unknown_critical;
            }
        }
        let serial_at = |at: u32| {
            let element = list.content.get(at as usize - first..);
            element.map_or(&[][..], serial_of)
        };
        keys.sort_unstable_by(|(x, x_at), (y, y_at)| {
            x.cmp(y)
                .then_with(|| serial_at(*x_at).cmp(serial_at(*y_at)))
                .then(x_at.cmp(y_at))
        });
        entries.sorted = keys.into_iter().map(|(_, at)| at).collect();
        Ok(entries)
    }

    pub(super) fn len(&self) -> usize {
        self.sorted.len()
    }

    pub(super) fn unknown_critical(&self) -> Option<&Oid> {
        self.unknown_critical.as_ref()
    }

    /// The entries with a serial number, in their order in the list, each with its place.
    pub(super) fn find<'b>(
        &'b self,
        der: &'b [u8],
        serial_number: &'b [u8],
    ) -> impl Iterator<Item = (u32, RawEntry<'b>)> {
        let start = self
            .sorted
            .partition_point(|at| serial_of(&der[*at as usize..]) < serial_number);
        self.sorted[start..]
            .iter()
            .map_while(move |at| Some((*at, entry_at(der, *at)?)))
            .take_while(move |(_, entry)| entry.serial_number == serial_number)
    }

    /// The issuer of the entry at a place, where it is not that of the list.
    pub(super) fn issuer_of(&self, der: &[u8], at: u32) -> Option<Vec<GeneralName>> {
        let before = self.naming_issuers.partition_point(|naming| *naming <= at);
        let naming = self.naming_issuers.get(before.checked_sub(1)?)?;
        entry_at(der, *naming)?
            .certificate_issuer
            .map(|names| issuer_names(&names))
    }

    pub(super) fn in_order<'b>(&self, der: &'b [u8]) -> impl Iterator<Item = RawEntry<'b>> {
        let mut reader = Reader::at(&der[self.list.0..self.list.1], self.list.0);
        std::iter::from_fn(move || reader.next().and_then(RawEntry::read).ok())
    }
}

impl<'b> RawEntry<'b> {
    fn read(element: Element<'b>) -> Result<Self, DerError> {
        let mut reader = element.tagged(Tag::SEQUENCE)?.reader();
        let mut entry = Self {
            serial_number: reader.expect(Tag::INTEGER)?.integer()?,
            revoked_at: reader.next()?.time()?,
            reason: RevocationReason::Unspecified,
            invalid_since: None,
            certificate_issuer: None,
            unknown_critical: None,
        };
        if let Some(extensions) = reader.optional(Tag::SEQUENCE)? {
            entry.read_extensions(&extensions)?;
        }
        reader.finish()?;
        Ok(entry)
    }

    /// As [`crate::extension::Extension`] does it, but without allocating for each of a million.
    fn read_extensions(&mut self, extensions: &Element<'b>) -> Result<(), DerError> {
        let mut reader = extensions.reader();
        let mut reason = None;
        while !reader.is_at_end() {
            let mut extension = reader.sequence()?;
            let oid = extension.expect(Tag::OBJECT_IDENTIFIER)?;
            let critical = extension.default_false(Tag::BOOLEAN)?;
            let octets = extension.expect(Tag::OCTET_STRING)?;
            extension.finish()?;
            let doubled = match oid.content {
                content if content == Oid::CRL_REASON.der_content() => {
                    let value = octets.inner()?.tagged(Tag::ENUMERATED)?;
                    let code = u8::try_from(value.unsigned()?)
                        .map_err(|_| DerProblem::OutOfRange.at(value.at))?;
                    let read = RevocationReason::from_code(code).unwrap_or_default();
                    reason.replace(read).is_some()
                }
                content if content == Oid::INVALIDITY_DATE.der_content() => {
                    let value = octets.inner()?.tagged(Tag::GENERALIZED_TIME)?;
                    self.invalid_since.replace(value.time()?).is_some()
                }
                content if content == Oid::CERTIFICATE_ISSUER.der_content() => {
                    let names = octets.inner()?.tagged(Tag::SEQUENCE)?;
                    self.certificate_issuer.replace(names).is_some()
                }
                _ => {
                    let known = oid.oid()?;
                    if critical && self.unknown_critical.is_none() {
                        self.unknown_critical = Some(known);
                    }
                    false
                }
            };
            if doubled {
                return Err(DerProblem::Doubled.at(oid.at));
            }
        }
        self.reason = reason.unwrap_or_default();
        Ok(())
    }

    pub(super) fn to_revoked(&self, certificate_issuer: Vec<GeneralName>) -> RevokedCertificate {
        RevokedCertificate {
            serial_number: SerialNumber::from_der_content(self.serial_number),
            revoked_at: self.revoked_at,
            reason: self.reason,
            invalid_since: self.invalid_since,
            certificate_issuer,
        }
    }
}

fn entry_at(der: &[u8], at: u32) -> Option<RawEntry<'_>> {
    let mut reader = Reader::at(der.get(at as usize..)?, at as usize);
    reader.next().and_then(RawEntry::read).ok()
}

/// The serial number of the entry that `bytes` begin with, which was read before.
fn serial_of(bytes: &[u8]) -> &[u8] {
    let mut reader = Reader::new(bytes);
    reader
        .sequence()
        .and_then(|mut entry| entry.next())
        .map_or(&[], |number| number.content)
}

/// The first eight octets, filled up with zeros: in the order of the octets as far as they go.
fn first_octets(serial_number: &[u8]) -> u64 {
    let mut octets = [0; 8];
    let length = serial_number.len().min(8);
    octets[..length].copy_from_slice(&serial_number[..length]);
    u64::from_be_bytes(octets)
}
