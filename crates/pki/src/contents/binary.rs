//! Which kind of thing some DER is, by its first tags, and reading it as that.
//!
//! What is damaged behind the first tags, or cut off, is still told apart: the error is then that of
//! the kind that it was meant to be.

use rustls_pki_types::{PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use super::Item;
use super::locked::Keyring;
use crate::ber;
use crate::der::Tag;
use crate::keystore::{jks, pkcs12};
use crate::ocsp::{OcspRequest, OcspResponse};
use crate::pem;
use crate::pkcs7;
use crate::public_key::PublicKey;
use crate::request::CertificateRequest;
use crate::revocation_list::RevocationList;

/// A kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Certificate,
    Request,
    RevocationList,
    OcspResponse,
    OcspRequest,
    Pkcs7,
    Pkcs12,
    Jks,
    Pkcs8,
    Sec1,
    Pkcs1,
    EncryptedKey,
    PublicKey,
    RsaPublicKey,
}

impl Binary {
    /// Finds out what bytes are; none where they are nothing of all that.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        if jks::is_jks(bytes) {
            return Some(Self::Jks);
        }
        if pkcs7::is_pkcs7(bytes) {
            return Some(Self::Pkcs7);
        }
        if pkcs12::is_pkcs12(bytes) {
            return Some(Self::Pkcs12);
        }
        // The digit 0 begins much text, and its second octet is a short length: those of things that
        // are kept here are longer, or just as long as the file.
        if !matches!(bytes, [0x30, 0x80..=0xff, ..]) && !pem::looks_like_der(bytes) {
            return None;
        }
        let outer = elements(ber::first_content(bytes)?);
        match tags(&outer).as_slice() {
            [Tag::INTEGER, Tag::SEQUENCE, Tag::OCTET_STRING, ..] => Some(Self::Pkcs8),
            [Tag::INTEGER, Tag::OCTET_STRING, ..] => Some(Self::Sec1),
            [Tag::INTEGER, Tag::INTEGER, Tag::INTEGER, ..] => Some(Self::Pkcs1),
            // The modulus is cut off, so that what follows is not there to be seen.
            [Tag::INTEGER, Tag::INTEGER] if outer[0].1 == [0] => Some(Self::Pkcs1),
            [Tag::INTEGER, Tag::INTEGER] => Some(Self::RsaPublicKey),
            [Tag::ENUMERATED, ..] => Some(Self::OcspResponse),
            [Tag::SEQUENCE, Tag::BIT_STRING, ..] => Some(Self::PublicKey),
            [Tag::SEQUENCE, Tag::OCTET_STRING, ..] => Some(Self::EncryptedKey),
            [Tag::SEQUENCE, ..] => Self::of_signed(outer[0].1, outer.len() == 1),
            _ => None,
        }
    }

    /// Tells what is signed apart by the fields within (RFC 5280, RFC 2986, RFC 6960).
    fn of_signed(fields: &[u8], alone: bool) -> Option<Self> {
        const VERSION: Tag = Tag::context_constructed(0);
        const TIME: [Tag; 2] = [Tag::UTC_TIME, Tag::GENERALIZED_TIME];
        match tags(&elements(fields)).as_slice() {
            [Tag::SEQUENCE, Tag::SEQUENCE, time, ..]
            | [Tag::INTEGER, Tag::SEQUENCE, Tag::SEQUENCE, time, ..]
                if TIME.contains(time) =>
            {
                Some(Self::RevocationList)
            }
            // Those of version 1 have a serial number where requests have their version.
            [VERSION, Tag::INTEGER, ..]
            | [
                Tag::INTEGER,
                Tag::SEQUENCE,
                Tag::SEQUENCE,
                Tag::SEQUENCE,
                ..,
            ] => Some(Self::Certificate),
            [Tag::INTEGER, Tag::SEQUENCE, Tag::SEQUENCE, ..] => Some(Self::Request),
            [Tag::SEQUENCE | VERSION, ..] if alone => Some(Self::OcspRequest),
            _ => None,
        }
    }

    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Request => "certificate request",
            Self::RevocationList => "CRL",
            Self::OcspResponse => "OCSP response",
            Self::OcspRequest => "OCSP request",
            Self::Pkcs7 => "PKCS#7 bundle",
            Self::Pkcs12 => "PKCS#12 keystore",
            Self::Jks => "Java keystore",
            Self::Pkcs8 | Self::Sec1 | Self::Pkcs1 => "private key",
            Self::EncryptedKey => "encrypted private key",
            Self::PublicKey | Self::RsaPublicKey => "public key",
        }
    }

    /// Reads bytes as this.
    pub(super) fn read(self, der: &[u8], keyring: &mut Keyring<'_>) -> Item {
        let read = match self {
            Self::Certificate => return Item::certificate(der),
            Self::Request => CertificateRequest::from_der(der)
                .map(|request| Item::Request(Box::new(request)))
                .map_err(Into::into),
            Self::RevocationList => RevocationList::from_der(der)
                .map(|list| Item::RevocationList(Box::new(list)))
                .map_err(Into::into),
            Self::OcspResponse => OcspResponse::from_der(der)
                .map(|response| Item::OcspResponse(Box::new(response)))
                .map_err(Into::into),
            Self::OcspRequest => OcspRequest::from_der(der)
                .map(|request| Item::OcspRequest(Box::new(request)))
                .map_err(Into::into),
            Self::PublicKey => PublicKey::from_der(der)
                .map(|key| Item::PublicKey(Box::new(key)))
                .map_err(Into::into),
            Self::RsaPublicKey => PublicKey::from_pkcs1(der)
                .map(|key| Item::PublicKey(Box::new(key)))
                .map_err(Into::into),
            Self::Pkcs7 => pkcs7::read(der)
                .map(|read| bundle(&read))
                .map_err(Into::into),
            Self::Pkcs8 => {
                return Item::private_key(&PrivatePkcs8KeyDer::from(der).into(), false);
            }
            Self::Sec1 => return Item::private_key(&PrivateSec1KeyDer::from(der).into(), false),
            Self::Pkcs1 => return Item::private_key(&PrivatePkcs1KeyDer::from(der).into(), false),
            Self::EncryptedKey => return keyring.open_key(der),
            Self::Pkcs12 | Self::Jks => return keyring.open_store(self, der),
        };
        read.unwrap_or_else(|why| Item::Damaged {
            what: self.name(),
            why,
            rather: None,
        })
    }
}

fn bundle(bundle: &pkcs7::Bundle) -> Item {
    let certificates = bundle.certificates.iter().map(|der| Item::certificate(der));
    let lists = bundle
        .crls
        .iter()
        .map(|der| match RevocationList::from_der(der) {
            Ok(list) => Item::RevocationList(Box::new(list)),
            Err(error) => Item::damaged(Binary::RevocationList, error),
        });
    Item::Bundle(certificates.chain(lists).collect())
}

/// The first elements of some DER: their tags, and as much of their contents as is there.
fn elements(mut bytes: &[u8]) -> Vec<(Tag, &[u8])> {
    let mut elements = Vec::new();
    while let [tag, length, rest @ ..] = bytes
        && elements.len() < SEEN
    {
        let long = if *length > 0x80 {
            usize::from(length & 0x7f)
        } else {
            0
        };
        let Some(octets) = rest.get(..long) else {
            break;
        };
        let claimed = match *length {
            // The indefinite form reaches as far as there is something.
            0x80 => usize::MAX,
            0x81.. => octets
                .iter()
                .fold(0_usize, |sum, octet| sum << 8 | usize::from(*octet)),
            short => usize::from(short),
        };
        let rest = &rest[long..];
        let (content, behind) = rest.split_at(claimed.min(rest.len()));
        elements.push((Tag(*tag), content));
        bytes = behind;
    }
    elements
}

fn tags(elements: &[(Tag, &[u8])]) -> Vec<Tag> {
    elements.iter().map(|(tag, _)| *tag).collect()
}

/// As many fields are looked at.
const SEEN: usize = 5;
