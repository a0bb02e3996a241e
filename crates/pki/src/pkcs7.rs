//! PKCS#7, which is CMS now (RFC 5652), as a bag of certificates and CRLs: `.p7b` and `.p7c` files.
//!
//! Signatures in such a file are not looked at: it proves nothing, and the certificates in it have to be
//! judged like any others.

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::ber;
use crate::der::{DerError, Element, Reader, Tag, Writer};
use crate::pem::{self, PemError};

/// The certificates and CRLs of a PKCS#7 file, in its order.
///
/// ```
/// use std::time::SystemTime;
/// use ravelin_pki::pkcs7::{self, Bundle};
/// use ravelin_pki::{Authority, NameConstraints, PrivateKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = PrivateKey::generate()?;
/// let root = Authority::root("Example CA", key, &NameConstraints::local(), SystemTime::now())?;
/// let mut bundle = Bundle::default();
/// bundle.certificates.push(root.certificate().der().clone());
/// assert_eq!(pkcs7::read(bundle.to_pem().as_bytes())?, bundle);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bundle {
    /// The certificates.
    pub certificates: Vec<CertificateDer<'static>>,
    /// The certificate revocation lists.
    pub crls: Vec<CertificateRevocationListDer<'static>>,
}

impl Bundle {
    /// Writes them in DER, as `SignedData` without content and without signers (RFC 5652, section
    /// 5.1; RFC 2315 calls it degenerate).
    ///
    /// They are a SET, which DER has sorted by octets (X.690, 11.6): their order is lost. OpenSSL keeps
    /// it, and Python's cryptography warns of such files that it may refuse them one day.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.sequence(|w| {
            w.primitive(Tag::OBJECT_IDENTIFIER, SIGNED_DATA);
            w.constructed(Tag::context_constructed(0), |w| {
                w.sequence(|w| {
                    w.unsigned(1);
                    w.constructed(Tag::SET, |_| {});
                    w.sequence(|w| w.primitive(Tag::OBJECT_IDENTIFIER, DATA));
                    sorted(w, 0, self.certificates.iter().map(AsRef::as_ref));
                    sorted(w, 1, self.crls.iter().map(AsRef::as_ref));
                    w.constructed(Tag::SET, |_| {});
                });
            });
        });
        writer.into_bytes()
    }

    /// Writes them in PEM, under the label `PKCS7`, which openssl and Java expect (RFC 7468, section
    /// 8).
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("PKCS7", &self.to_der())
    }
}

/// A SET under a tag of its own, unless there is nothing in it.
fn sorted<'a>(writer: &mut Writer, tag: u8, members: impl Iterator<Item = &'a [u8]>) {
    let mut members: Vec<&[u8]> = members.collect();
    members.sort_unstable();
    if !members.is_empty() {
        writer.constructed(Tag::context_constructed(tag), |w| {
            for der in members {
                w.raw(der);
            }
        });
    }
}

/// Why a file is no PKCS#7 bundle.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Pkcs7Error {
    /// The PEM around it is wrong.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// There are PEM blocks, but none is PKCS#7.
    #[error("it holds no PKCS#7 but {found}")]
    NoBlock {
        /// What it holds, in words.
        found: String,
    },
    /// The DER or BER is malformed.
    #[error("the PKCS#7 data is damaged")]
    Damaged(#[from] DerError),
    /// It is CMS of another type: encrypted, for example.
    #[error("it is {what}, which carries no certificates to take out")]
    OtherContent {
        /// Its type, in words.
        what: String,
    },
    /// It is longer than 16 MiB.
    #[error("it is {octets} bytes long, more than the {MAX_OCTETS} that are read")]
    TooLong {
        /// Its length.
        octets: usize,
    },
    /// It has more certificates or CRLs than are read.
    #[error("it holds more than {MAX_ENTRIES} certificates and CRLs")]
    TooMany,
}

impl Pkcs7Error {
    /// A command that mends it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Pem(error) => error.hint(),
            _ => None,
        }
    }
}

/// Whether bytes are CMS of any type in DER or BER: a SEQUENCE that begins with an object identifier
/// of PKCS#7.
#[must_use]
pub fn is_pkcs7(bytes: &[u8]) -> bool {
    ber::first_content(bytes).is_some_and(|content| content.starts_with(TYPES))
}

/// Reads the certificates and CRLs of a file: PEM (`PKCS7`, `CMS`, and what Windows mislabels as
/// `CERTIFICATE`), DER, or BER. Several blocks are taken together.
///
/// # Errors
///
/// It is something else, damaged or too large. It may well be empty.
pub fn read(file: &[u8]) -> Result<Bundle, Pkcs7Error> {
    if file.len() > MAX_OCTETS {
        let octets = file.len();
        return Err(Pkcs7Error::TooLong { octets });
    }
    let mut bundle = Bundle::default();
    if pem::looks_like_der(file) {
        add(&mut bundle, file)?;
        return Ok(bundle);
    }
    let blocks = pem::blocks(file)?;
    let mut found = false;
    for block in &blocks {
        let content = match block.label.as_str() {
            "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" => block.decode()?,
            "CERTIFICATE" => match block.decode()? {
                content if is_pkcs7(&content) => content,
                _ => continue,
            },
            _ => continue,
        };
        add(&mut bundle, &content)?;
        found = true;
    }
    if found {
        Ok(bundle)
    } else {
        let found = pem::labels(&blocks);
        Err(Pkcs7Error::NoBlock { found })
    }
}

/// Adds what is in a `ContentInfo` (RFC 5652, section 3).
fn add(bundle: &mut Bundle, bytes: &[u8]) -> Result<(), Pkcs7Error> {
    let der = ber::to_der(bytes)?;
    let mut info = Reader::only(&der, Tag::SEQUENCE)?.reader();
    let kind = info.expect(Tag::OBJECT_IDENTIFIER)?;
    if kind.content != SIGNED_DATA {
        return Err(other_content(kind));
    }
    let mut signed = info.expect(Tag::context_constructed(0))?.reader();
    info.finish()?;
    let mut data = signed.sequence()?;
    signed.finish()?;

    data.expect(Tag::INTEGER)?;
    data.expect(Tag::SET)?;
    data.expect(Tag::SEQUENCE)?;
    let mut room = MAX_ENTRIES.saturating_sub(bundle.certificates.len() + bundle.crls.len());
    if let Some(set) = data.optional(Tag::context_constructed(0))? {
        for der in sequences(set, &mut room)? {
            bundle.certificates.push(der.into());
        }
    }
    if let Some(set) = data.optional(Tag::context_constructed(1))? {
        for der in sequences(set, &mut room)? {
            bundle.crls.push(der.into());
        }
    }
    data.expect(Tag::SET)?;
    data.finish()?;
    Ok(())
}

/// The X.509 members of a SET. Attribute certificates and the like have tags of their own (RFC 5652,
/// sections 10.2.1 and 10.2.2) and are passed over.
fn sequences(set: Element<'_>, room: &mut usize) -> Result<Vec<Vec<u8>>, Pkcs7Error> {
    let mut members = set.reader();
    let mut ders = Vec::new();
    while !members.is_at_end() {
        let member = members.next()?;
        *room = room.checked_sub(1).ok_or(Pkcs7Error::TooMany)?;
        if member.tag == Tag::SEQUENCE {
            ders.push(member.whole.to_vec());
        }
    }
    Ok(ders)
}

fn other_content(kind: Element<'_>) -> Pkcs7Error {
    let what = match kind.content.strip_prefix(&TYPES[2..]) {
        Some([1]) => "plain data".to_owned(),
        Some([3]) => "data encrypted to a certificate (EnvelopedData)".to_owned(),
        Some([6]) => "encrypted data (EncryptedData)".to_owned(),
        _ => match kind.oid() {
            Ok(oid) => format!("something of the type {}", oid.name_or_dots()),
            Err(error) => return error.into(),
        },
    };
    Pkcs7Error::OtherContent { what }
}

/// How long a file may be. Windows' list of all roots takes less than 1 MiB.
const MAX_OCTETS: usize = 16 << 20;

/// How many certificates and CRLs there may be.
const MAX_ENTRIES: usize = 10_000;

/// How all types of PKCS#7 begin, with the tag and the length: 1.2.840.113549.1.7, and one number.
const TYPES: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
