//! OCSP (RFC 6960): asking whether a certificate was revoked, and answering it.
//!
//! Requests and responses are read and written here, within bounds, as the profile of RFC 5019 and
//! the nonces of RFC 9654 want them. How they travel is the business of whoever has a network.

use aws_lc_rs::digest;

use crate::certificate::Certificate;
use crate::der::{
    DerError, DerProblem, Element, FieldError, Fields, Reader, Tag, Writer, from_field_errors,
};
use crate::distinguished_name::DistinguishedName;
use crate::extension::Extensions;
use crate::oid::Oid;
use crate::public_key::PublicKey;
use crate::serial::SerialNumber;
use crate::signature::{AlgorithmIdentifier, Hash};

mod request;
mod response;
mod template;
mod verify;

pub use request::OcspRequest;
pub use response::{
    BasicResponse, CertificateStatus, OcspResponse, ResponderId, ResponseStatus, SingleResponse,
};
pub use template::{OcspResponseTemplate, OcspSignError};
pub use verify::OcspVerifyError;

/// What tells the certificate that is asked for: its serial number, and hashes of its issuer's name
/// and key (section 4.1.1).
///
/// Two are equal if they name the same certificate with the same hash, however the hash's identifier
/// is written.
#[derive(Debug, Clone)]
pub struct CertId {
    /// As it was read: answers repeat it octet by octet, as some clients compare it so.
    der: Vec<u8>,
    algorithm: Oid,
    issuer_name_hash: Vec<u8>,
    issuer_key_hash: Vec<u8>,
    serial_number: SerialNumber,
}

/// Why bytes are no OCSP request or response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OcspError {
    /// The bytes are not DER, or not what they should be.
    #[error("its {field} cannot be read")]
    Field {
        /// The field, as RFC 6960 calls it.
        field: &'static str,
        /// What is wrong, and where.
        source: DerError,
    },
    /// An extension is malformed or there twice.
    #[error("its extension \"{name}\" is malformed")]
    Extension {
        /// The extension's name in RFC 6960.
        name: String,
        /// What is wrong, and where.
        source: DerError,
    },
    /// It is longer than anything sensible is.
    #[error("it has {octets} bytes, and more than {most} are not read")]
    TooLarge {
        /// How long it is.
        octets: usize,
        /// How long it may be.
        most: usize,
    },
    /// There are more parts in it than are sensible.
    #[error("there are more than {most} entries in its {field}")]
    TooMany {
        /// The field, as RFC 6960 calls it.
        field: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// A nonce of a length that no client may send (RFC 9654, section 2.1).
    #[error("its nonce has {octets} bytes, which is not between 1 and 128")]
    Nonce {
        /// How long it is.
        octets: usize,
    },
    /// The response is of a kind that is no basic one.
    #[error("it is of the unknown type \"{0}\"")]
    UnknownType(Oid),
    /// A certificate in it cannot be read.
    #[error("a certificate in it cannot be read")]
    Certificate(#[source] crate::certificate::CertificateError),
}

impl CertId {
    /// The identifier of a certificate, whose `issuer` is given.
    ///
    /// SHA-1 is what all responders know and what RFC 5019 asks for; here it only looks something
    /// up. SHA-256 is in RFC 9654's successors and not known everywhere.
    #[must_use]
    pub fn of(hash: Hash, certificate: &Certificate, issuer: &Certificate) -> Self {
        Self::new(
            hash,
            certificate.issuer_name(),
            issuer.public_key(),
            certificate.serial_number(),
        )
    }

    /// The identifier of the certificate with a serial number, of the issuer with this name and key.
    #[must_use]
    pub fn new(
        hash: Hash,
        issuer_name: &DistinguishedName,
        issuer_key: &PublicKey,
        serial_number: &SerialNumber,
    ) -> Self {
        let issuer_name_hash = digest_of(hash, issuer_name.der());
        let issuer_key_hash = digest_of(hash, issuer_key.bits());
        let mut writer = Writer::with_capacity(128);
        writer.sequence(|w| {
            w.sequence(|w| {
                w.oid(&hash.oid());
                // Absent would be as right (RFC 4055, section 2.1); NULL is what all write.
                w.null();
            });
            w.octet_string(&issuer_name_hash);
            w.octet_string(&issuer_key_hash);
            w.primitive(Tag::INTEGER, serial_number.der_content());
        });
        Self {
            der: writer.into_bytes(),
            algorithm: hash.oid(),
            issuer_name_hash,
            issuer_key_hash,
            serial_number: serial_number.clone(),
        }
    }

    fn read(element: Element<'_>) -> Result<Self, DerError> {
        let mut reader = element.tagged(Tag::SEQUENCE)?.reader();
        let algorithm = AlgorithmIdentifier::read(reader.next()?)?.oid;
        let issuer_name_hash = reader.expect(Tag::OCTET_STRING)?.content.to_vec();
        let issuer_key_hash = reader.expect(Tag::OCTET_STRING)?.content.to_vec();
        let serial_number = reader.expect(Tag::INTEGER)?.integer()?;
        reader.finish()?;
        Ok(Self {
            der: element.whole.to_vec(),
            algorithm,
            issuer_name_hash,
            issuer_key_hash,
            serial_number: SerialNumber::from_der_content(serial_number),
        })
    }

    /// The serial number of the certificate.
    #[must_use]
    pub fn serial_number(&self) -> &SerialNumber {
        &self.serial_number
    }

    /// The hash function; none where it is not known here.
    #[must_use]
    pub fn hash(&self) -> Option<Hash> {
        Hash::of_oid(&self.algorithm)
    }

    /// The identifier in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether its issuer has this name and key.
    #[must_use]
    pub fn is_of_issuer(&self, name: &DistinguishedName, key: &PublicKey) -> bool {
        self.hash().is_some_and(|hash| {
            self.issuer_name_hash == digest_of(hash, name.der())
                && self.issuer_key_hash == digest_of(hash, key.bits())
        })
    }
}

impl PartialEq for CertId {
    fn eq(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
            && self.serial_number == other.serial_number
            && self.issuer_name_hash == other.issuer_name_hash
            && self.issuer_key_hash == other.issuer_key_hash
    }
}

impl Eq for CertId {}

/// How long a request may be: 300 certificates would fit.
pub const MAX_REQUEST_OCTETS: usize = 32 * 1024;

/// How long a response may be. Real ones have up to some kilobytes, with the responder's
/// certificate.
pub const MAX_RESPONSE_OCTETS: usize = 1024 * 1024;

/// How many certificates one request may ask for. Clients of RFC 5019 ask for one.
pub const MAX_ASKED: usize = 100;

/// How many certificates may come with a response.
const MAX_CERTIFICATES: usize = 16;

/// The lengths of nonces that may be sent, in octets (RFC 9654, section 2.1).
const NONCE_OCTETS: std::ops::RangeInclusive<usize> = 1..=128;

fn bounded(der: &[u8], most: usize) -> Result<(), OcspError> {
    let octets = der.len();
    if octets > most {
        return Err(OcspError::TooLarge { octets, most });
    }
    Ok(())
}

from_field_errors!(OcspError);

/// The fields of the one structure in some bytes.
fn whole<'b>(der: &'b [u8], structure: &'static str) -> Result<Fields<'b>, FieldError> {
    let whole = Reader::only(der, Tag::SEQUENCE).map_err(|source| FieldError {
        field: structure,
        source,
    })?;
    Ok(Fields::of(&whole))
}

/// A SEQUENCE, for [`Fields`] to read.
fn sequence(element: Element<'_>) -> Result<Element<'_>, DerError> {
    element.tagged(Tag::SEQUENCE)
}

/// The SEQUENCEs of a list, as long as there are not too many.
fn at_most<'b>(
    most: usize,
    field: &'static str,
    list: &Element<'b>,
) -> Result<Vec<Element<'b>>, OcspError> {
    let wrong = |source| FieldError { field, source };
    let mut reader = list.reader();
    let mut elements = Vec::new();
    while !reader.is_at_end() {
        if elements.len() == most {
            return Err(OcspError::TooMany { field, most });
        }
        elements.push(reader.next().and_then(sequence).map_err(wrong)?);
    }
    Ok(elements)
}

/// The one version that there is, which is not written (DER, section 11.5).
fn version_1(fields: &mut Fields<'_>) -> Result<(), FieldError> {
    let tag = Tag::context_constructed(0);
    let refuse = |version: Element<'_>| Err(DerProblem::OutOfRange.at(version.at));
    fields
        .optional("version", tag, refuse)
        .map(|_: Option<()>| ())
}

/// The octets of the nonce among extensions: an OCTET STRING within that of the extension (RFC 9654,
/// section 2.1). One that is not written so is none.
fn nonce(extensions: &Extensions) -> Option<&[u8]> {
    let extension = extensions.get(&Oid::OCSP_NONCE)?;
    let octets = Reader::only(&extension.der, Tag::OCTET_STRING).ok()?;
    Some(octets.content)
}

fn write_nonce(w: &mut Writer, nonce: &[u8]) {
    w.sequence(|w| {
        w.oid(&Oid::OCSP_NONCE);
        w.constructed(Tag::OCTET_STRING, |w| w.octet_string(nonce));
    });
}

/// The SHA-1 of a key's bits, by which responders are named (section 4.2.1).
fn key_hash(key: &PublicKey) -> Vec<u8> {
    digest_of(Hash::Sha1, key.bits())
}

fn digest_of(hash: Hash, octets: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    digest::digest(algorithm, octets).as_ref().to_vec()
}
