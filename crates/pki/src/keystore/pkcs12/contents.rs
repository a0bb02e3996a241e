//! The parts of a PKCS#12 file: an `AuthenticatedSafe` of plain and encrypted `SafeContents` (RFC 7292,
//! section 4).

use zeroize::Zeroizing;

use super::bags::{Bags, Found};
use super::{
    CERT_BAG, CRL_BAG, DATA, ENCRYPTED_DATA, ENVELOPED_DATA, FRIENDLY_NAME, KEY_BAG, KeyStoreError,
    LOCAL_KEY_ID, SAFE_CONTENTS_BAG, SECRET_BAG, SHROUDED_KEY_BAG, SIGNED_DATA, TRUSTED_KEY_USAGE,
    X509_CERTIFICATE,
};
use crate::ber;
use crate::der::{Element, Reader, Tag};
use crate::encrypted_key::{self, EncryptedKeyError};
use crate::keystore::shown;
use crate::pbe::{self, PbeError, Secret, Work};

/// The OCTET STRING of a `ContentInfo` that must be plain data.
pub(super) fn data<'f>(reader: &mut Reader<'f>) -> Result<Element<'f>, KeyStoreError> {
    match content_info(reader)? {
        (DATA, content) => Ok(content.tagged(Tag::OCTET_STRING)?),
        (SIGNED_DATA, _) => Err(KeyStoreError::Unsupported {
            what: "a signature in the place of a MAC".to_owned(),
        }),
        _ => Err(KeyStoreError::WrongFormat { format: "PKCS#12" }),
    }
}

/// Type and content of a `ContentInfo` (RFC 5652, section 3).
fn content_info<'f>(reader: &mut Reader<'f>) -> Result<(&'f [u8], Element<'f>), KeyStoreError> {
    let mut info = reader.sequence()?;
    let oid = info.expect(Tag::OBJECT_IDENTIFIER)?;
    let content = info.expect(Tag::context_constructed(0))?.inner()?;
    info.finish()?;
    Ok((oid.content, content))
}

/// What goes along while the parts are read.
struct Reading<'s> {
    secret: &'s Secret,
    /// Whether a MAC has shown that the passphrase is right.
    verified: bool,
    work: &'s mut Work,
    bags: Bags,
}

/// Reads an `AuthenticatedSafe`.
pub(super) fn read(
    safe: Element<'_>,
    secret: &Secret,
    verified: bool,
    work: &mut Work,
) -> Result<Bags, KeyStoreError> {
    let mut reading = Reading {
        secret,
        verified,
        work,
        bags: Bags::default(),
    };
    let safe = ber::to_der(safe.content)?;
    let mut parts = Reader::only(&safe, Tag::SEQUENCE)?.reader();
    while !parts.is_at_end() {
        let (kind, content) = content_info(&mut parts)?;
        match kind {
            DATA => {
                let content = content.tagged(Tag::OCTET_STRING)?;
                reading.safe_contents(&ber::to_der(content.content)?, 0)?;
            }
            ENCRYPTED_DATA => {
                let plain = reading.decrypt(content)?;
                reading.safe_contents(&plain, 0)?;
            }
            ENVELOPED_DATA => {
                return Err(KeyStoreError::Unsupported {
                    what: "a part that is encrypted to a certificate".to_owned(),
                });
            }
            _ => reading.bags.omit("a part of an unknown type"),
        }
    }
    Ok(reading.bags)
}

impl Reading<'_> {
    /// Decrypts an `EncryptedData` (RFC 5652, section 8) into `SafeContents` in DER.
    fn decrypt(&mut self, data: Element<'_>) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        let mut data = data.tagged(Tag::SEQUENCE)?.reader();
        data.expect(Tag::INTEGER)?;
        let mut info = data.sequence()?;
        info.expect(Tag::OBJECT_IDENTIFIER)?;
        let algorithm = info.expect(Tag::SEQUENCE)?;
        let content = info.next()?;
        let encrypted = if content.tag == Tag::context_constructed(0) {
            // Pieces, as BER has them, of a string with a tag of its own.
            let mut pieces = content.reader();
            let mut whole = Vec::with_capacity(content.content.len());
            while !pieces.is_at_end() {
                whole.extend_from_slice(pieces.expect(Tag::OCTET_STRING)?.content);
            }
            whole
        } else {
            content.tagged(Tag::context(0))?.content.to_vec()
        };
        let plain = match pbe::decrypt(algorithm, &encrypted, self.secret, self.work) {
            Err(PbeError::WrongPassphrase) => return Err(self.not_fitting()),
            plain => plain?,
        };
        // Without a MAC, that it can be read is what shows the passphrase to be right.
        match ber::to_der(&plain) {
            Ok(der) if der.first() == Some(&Tag::SEQUENCE.0) => Ok(der),
            _ => Err(self.not_fitting()),
        }
    }

    /// What it means that something does not decrypt.
    fn not_fitting(&self) -> KeyStoreError {
        if self.verified {
            KeyStoreError::Damaged {
                problem: "a part of it does not decrypt under the passphrase that its MAC is made with",
                at: 0,
            }
        } else {
            KeyStoreError::WrongPassphrase
        }
    }

    /// Reads `SafeContents`, a SEQUENCE of bags.
    fn safe_contents(&mut self, der: &[u8], depth: usize) -> Result<(), KeyStoreError> {
        let mut bags = Reader::only(der, Tag::SEQUENCE)?.reader();
        while !bags.is_at_end() {
            let mut bag = bags.sequence()?;
            let kind = bag.expect(Tag::OBJECT_IDENTIFIER)?;
            let value = bag.expect(Tag::context_constructed(0))?.inner()?;
            let attributes = bag.optional(Tag::SET)?;
            bag.finish()?;
            let found = attributes.map_or_else(|| Ok(Found::default()), attributes_of)?;
            match kind.content {
                KEY_BAG => {
                    let der = value.tagged(Tag::SEQUENCE)?.whole;
                    self.bags.key(found, der.to_vec().into())?;
                }
                SHROUDED_KEY_BAG => self.shrouded_key(found, value)?,
                CERT_BAG => self.certificate(found, value)?,
                CRL_BAG => self.bags.omit("a CRL"),
                SECRET_BAG => self.bags.omit("a secret key"),
                SAFE_CONTENTS_BAG if depth < 4 => self.safe_contents(value.whole, depth + 1)?,
                SAFE_CONTENTS_BAG => return Err(KeyStoreError::TooDeep),
                _ => self.bags.omit("something of an unknown type"),
            }
        }
        Ok(())
    }

    fn shrouded_key(&mut self, found: Found, value: Element<'_>) -> Result<(), KeyStoreError> {
        match encrypted_key::decrypt_with(value.whole, self.secret, self.work) {
            Ok(key) => self.bags.key(found, key),
            Err(EncryptedKeyError::WrongPassphrase) if !self.verified => {
                Err(KeyStoreError::WrongPassphrase)
            }
            Err(source) => {
                let alias = shown(found.name.as_deref().unwrap_or_default());
                Err(match source {
                    EncryptedKeyError::WrongPassphrase => KeyStoreError::KeyPassphrase { alias },
                    EncryptedKeyError::Encryption(error) => KeyStoreError::Encryption(error),
                    source => KeyStoreError::Key { alias, source },
                })
            }
        }
    }

    fn certificate(&mut self, found: Found, value: Element<'_>) -> Result<(), KeyStoreError> {
        let mut bag = value.tagged(Tag::SEQUENCE)?.reader();
        let kind = bag.expect(Tag::OBJECT_IDENTIFIER)?;
        let content = bag.expect(Tag::context_constructed(0))?.inner()?;
        bag.finish()?;
        if kind.content != X509_CERTIFICATE {
            self.bags.omit("a certificate of another kind than X.509");
            return Ok(());
        }
        let der = content.tagged(Tag::OCTET_STRING)?.content;
        self.bags.certificate(found, der.to_vec().into())
    }
}

/// Reads the attributes of a bag. Those that are malformed count as missing: names are a courtesy.
fn attributes_of(set: Element<'_>) -> Result<Found, KeyStoreError> {
    let mut found = Found::default();
    let mut attributes = set.reader();
    while !attributes.is_at_end() {
        let mut attribute = attributes.sequence()?;
        let kind = attribute.expect(Tag::OBJECT_IDENTIFIER)?;
        let mut values = attribute.expect(Tag::SET)?.reader();
        attribute.finish()?;
        let Ok(value) = values.next() else {
            continue;
        };
        match kind.content {
            // Some, Windows among them, write the zero at the end of a C string too.
            FRIENDLY_NAME => {
                let name = value.text().ok();
                found.name = name.map(|name| name.trim_end_matches('\0').to_owned());
            }
            LOCAL_KEY_ID => found.key_id = Some(value.content.to_vec()),
            TRUSTED_KEY_USAGE => found.trusted = true,
            _ => {}
        }
    }
    Ok(found)
}
