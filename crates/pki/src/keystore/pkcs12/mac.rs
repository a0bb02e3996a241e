//! The MAC over a PKCS#12 file: that of RFC 7292 (appendix A) and PBMAC1 (RFC 9579).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use super::KeyStoreError;
use crate::der::{Element, Tag, Writer};
use crate::pbe::kdf::{self, Hash, Purpose};
use crate::pbe::{self, PbeError, Secret, Work, random};

/// A MAC and how it is made.
pub(super) struct Mac<'f> {
    expected: &'f [u8],
    method: Method<'f>,
}

enum Method<'f> {
    /// The derivation of PKCS#12 gives the key of an HMAC.
    Pkcs12 {
        hash: Hash,
        salt: &'f [u8],
        iterations: u32,
    },
    /// PBKDF2 does.
    Pbmac1 {
        hash: Hash,
        derivation: Element<'f>,
        key_octets: usize,
    },
}

impl<'f> Mac<'f> {
    /// Reads a `MacData`.
    pub(super) fn read(data: Element<'f>) -> Result<Self, KeyStoreError> {
        let mut data = data.reader();
        let mut info = data.sequence()?;
        let (oid, mut parameters) = pbe::identifier(info.expect(Tag::SEQUENCE)?)?;
        let expected = info.expect(Tag::OCTET_STRING)?.content;
        info.finish()?;
        let salt = pbe::salt(data.expect(Tag::OCTET_STRING)?)?;
        let iterations = match data.optional(Tag::INTEGER)? {
            Some(iterations) => pbe::iterations(iterations)?,
            None => 1,
        };
        data.finish()?;
        let method = if oid.content == PBMAC1 {
            // Salt and iterations above are there for the syntax only (RFC 9579).
            let mut parameters = parameters.sequence()?;
            let derivation = parameters.expect(Tag::SEQUENCE)?;
            let hash = Hash::of_hmac(parameters.expect(Tag::SEQUENCE)?)?;
            parameters.finish()?;
            Method::Pbmac1 {
                hash,
                derivation,
                key_octets: key_octets(derivation)?,
            }
        } else {
            Method::Pkcs12 {
                hash: Hash::of_digest(oid)?,
                salt,
                iterations,
            }
        };
        Ok(Self { expected, method })
    }

    /// Whether it is the MAC of `content` under a passphrase.
    pub(super) fn fits(
        &self,
        content: &[u8],
        secret: &Secret,
        work: &mut Work,
    ) -> Result<bool, KeyStoreError> {
        let (hash, key) = match &self.method {
            Method::Pkcs12 {
                hash,
                salt,
                iterations,
            } => {
                let octets = hash.octets();
                work.spend(kdf::pkcs12_rounds(*hash, *iterations, octets))?;
                let secret = secret.utf16();
                let key = kdf::pkcs12(*hash, Purpose::Mac, secret, salt, *iterations, octets);
                (*hash, key)
            }
            Method::Pbmac1 {
                hash,
                derivation,
                key_octets,
            } => {
                let key = pbe::derive(*derivation, *key_octets, secret, work)?;
                (*hash, key)
            }
        };
        let made = hmac::sign(&hmac::Key::new(hash.hmac(), &key), content);
        Ok(verify_slices_are_equal(made.as_ref(), self.expected).is_ok())
    }
}

/// How long the key of PBMAC1 is, which its PBKDF2 must say (RFC 9579). At least 20 octets, the output
/// of SHA-1: a key of a few would be guessed without the passphrase.
fn key_octets(derivation: Element<'_>) -> Result<usize, KeyStoreError> {
    let (oid, mut parameters) = pbe::identifier(derivation)?;
    if oid.content != pbe::PBKDF2 {
        return Err(pbe::unsupported(oid).into());
    }
    let mut parameters = parameters.sequence()?;
    parameters.expect(Tag::OCTET_STRING)?;
    parameters.expect(Tag::INTEGER)?;
    let octets = match parameters.optional(Tag::INTEGER)? {
        Some(octets) => octets.unsigned()?,
        None => 0,
    };
    if (20..=64).contains(&octets) {
        Ok(octets as usize)
    } else {
        let problem = "the key of its MAC is not of 20 to 64 bytes";
        Err(PbeError::Nonsense { problem }.into())
    }
}

/// Writes a `MacData` for `content`.
pub(super) fn write(
    writer: &mut Writer,
    content: &[u8],
    secret: &Secret,
    hash: Hash,
    iterations: u32,
) -> Result<(), KeyStoreError> {
    let salt: [u8; 16] = random()?;
    let octets = hash.octets();
    let key = kdf::pkcs12(
        hash,
        Purpose::Mac,
        secret.utf16(),
        &salt,
        iterations,
        octets,
    );
    let made = hmac::sign(&hmac::Key::new(hash.hmac(), &key), content);
    writer.sequence(|w| {
        w.sequence(|w| {
            w.sequence(|w| {
                let oid = match hash {
                    Hash::Sha1 => kdf::SHA1,
                    _ => kdf::SHA256,
                };
                w.primitive(Tag::OBJECT_IDENTIFIER, oid);
                w.null();
            });
            w.octet_string(made.as_ref());
        });
        w.octet_string(&salt);
        w.unsigned(iterations.into());
    });
    Ok(())
}

/// RFC 8018, appendix A.5.
const PBMAC1: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0e";
