//! How the key of an envelope reaches those it is for: under RSA-OAEP (RFC 3560), or under a key agreed on with the
//! elliptic curve of a certificate (RFC 5753).
//!
//! RSA with the padding of PKCS#1 v1.5 is not read: whoever can watch what becomes of many such envelopes can open one
//! (RFC 3218).

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, UnparsedPublicKey};
use aws_lc_rs::digest::{self, Context};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap as _};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use ravelin_pki::der::{DerError, Element, Reader, Tag, Writer};
use ravelin_pki::signature::{AlgorithmIdentifier, Hash};
use ravelin_pki::{Certificate, KeyForm, KeyType, KeyUsage, Oid, PrivateKey};
use zeroize::Zeroizing;

use super::EnvelopeError;

/// Whether a certificate's key can be encrypted to, and its certificate allows it (RFC 5280, section 4.2.1.3).
pub(super) fn check(certificate: &Certificate) -> Result<(), EnvelopeError> {
    let needed = match certificate.public_key().key_type() {
        Some(KeyType::Rsa(_)) => KeyUsage::KEY_ENCIPHERMENT,
        Some(KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521) => {
            KeyUsage::KEY_AGREEMENT
        }
        _ => {
            return Err(EnvelopeError::KeyCannot {
                key: certificate.public_key().kind(),
            });
        }
    };
    match certificate.key_usage() {
        Some(usage) if !usage.has(needed) => Err(EnvelopeError::Forbidden {
            who: certificate.title(),
            usage: needed.names().next().unwrap_or_default(),
        }),
        _ => Ok(()),
    }
}

/// Writes a `RecipientInfo` (RFC 5652, section 6.2) with the key for the holder of a certificate.
pub(super) fn write(
    certificate: &Certificate,
    key: &[u8],
    w: &mut Writer,
) -> Result<(), EnvelopeError> {
    check(certificate)?;
    match certificate.public_key().key_type().and_then(curve) {
        Some(curve) => write_agreed(certificate, curve, key, w),
        None => write_transported(certificate, key, w),
    }
}

/// `KeyTransRecipientInfo` (section 6.2.1).
fn write_transported(
    certificate: &Certificate,
    key: &[u8],
    w: &mut Writer,
) -> Result<(), EnvelopeError> {
    let failed = |_| EnvelopeError::KeyCannot {
        key: certificate.public_key().kind(),
    };
    let public = PublicEncryptingKey::from_der(certificate.public_key().der())
        .map_err(|_| failed(aws_lc_rs::error::Unspecified))?;
    let public = OaepPublicEncryptingKey::new(public).map_err(failed)?;
    let mut room = vec![0; public.ciphertext_size()];
    let encrypted = public
        .encrypt(&OAEP_SHA256_MGF1SHA256, key, &mut room, None)
        .map_err(failed)?;
    w.sequence(|w| {
        w.unsigned(0);
        write_name(certificate, w);
        w.sequence(|w| {
            w.oid(&Oid::RSAES_OAEP);
            write_oaep(w);
        });
        w.octet_string(encrypted);
    });
    Ok(())
}

/// `RSAES-OAEP-params` of SHA-256 (RFC 4055, section 4.1).
fn write_oaep(w: &mut Writer) {
    let sha256 = |w: &mut Writer| {
        w.sequence(|w| {
            w.oid(&Oid::SHA256);
            w.null();
        });
    };
    w.sequence(|w| {
        w.constructed(Tag::context_constructed(0), sha256);
        w.constructed(Tag::context_constructed(1), |w| {
            w.sequence(|w| {
                w.oid(&Oid::MGF1);
                sha256(w);
            });
        });
    });
}

/// `KeyAgreeRecipientInfo` (section 6.2.2), with a key pair that is made for this envelope alone.
fn write_agreed(
    certificate: &Certificate,
    curve: &'static agreement::Algorithm,
    key: &[u8],
    w: &mut Writer,
) -> Result<(), EnvelopeError> {
    let failed = |_| EnvelopeError::KeyCannot {
        key: certificate.public_key().kind(),
    };
    let own = agreement::PrivateKey::generate(curve).map_err(|_| EnvelopeError::NoRandomness)?;
    let own_public = own.compute_public_key().map_err(failed)?;
    let peer = UnparsedPublicKey::new(curve, certificate.public_key().bits());
    let scheme = Scheme {
        hash: &digest::SHA256,
        wrap: Wrap::Aes256,
    };
    let unspecified = aws_lc_rs::error::Unspecified;
    let wrapped = agreement::agree(&own, peer, unspecified, |secret| {
        let kek = scheme.wrapping_key(secret, None)?;
        let mut room = vec![0; key.len() + 8];
        kek.wrap(key, &mut room)?;
        Ok(room)
    })
    .map_err(failed)?;
    w.constructed(Tag::context_constructed(1), |w| {
        w.unsigned(3);
        w.constructed(Tag::context_constructed(0), |w| {
            w.constructed(Tag::context_constructed(1), |w| {
                certificate.public_key().algorithm().write(w);
                w.octet_bits(own_public.as_ref());
            });
        });
        w.sequence(|w| {
            w.oid(&Oid::DH_SHA256_KDF);
            w.sequence(|w| w.oid(&Oid::AES256_WRAP));
        });
        w.sequence(|w| {
            w.sequence(|w| {
                write_name(certificate, w);
                w.octet_string(&wrapped);
            });
        });
    });
    Ok(())
}

/// `IssuerAndSerialNumber` (section 10.2.4).
pub(crate) fn write_name(certificate: &Certificate, w: &mut Writer) {
    w.sequence(|w| {
        w.raw(certificate.issuer_name().der());
        w.primitive(Tag::INTEGER, certificate.serial_number().der_content());
    });
}

/// The key of an envelope, from the one `RecipientInfo` that this key opens. Both ways authenticate what they carry,
/// so that all can be tried: envelopes need not say whom they are for.
pub(super) fn open(
    recipients: Element<'_>,
    own: &PrivateKey,
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let damaged = |_| EnvelopeError::Recipients;
    let mut reader = recipients.reader();
    let mut unread = None;
    for _ in 0..MOST_RECIPIENTS {
        if reader.is_at_end() {
            break;
        }
        let info = reader.next().map_err(damaged)?;
        let opened = match (info.tag, own.key_type()) {
            (Tag::SEQUENCE, KeyType::Rsa(_)) => open_transported(info, own),
            (AGREED, key_type) => match curve(key_type) {
                Some(curve) => open_agreed(info, curve, own),
                None => Ok(Opened::No),
            },
            _ => Ok(Opened::No),
        };
        match opened.map_err(damaged)? {
            Opened::Key(key) => return Ok(key),
            Opened::No => {}
            Opened::Unread(what) => unread = Some(what),
        }
    }
    Err(match unread {
        Some(what) => EnvelopeError::Unsupported { what },
        None => EnvelopeError::NoMatchingKey,
    })
}

enum Opened {
    Key(Zeroizing<Vec<u8>>),
    /// It is for another key.
    No,
    /// It may be for this key, by an algorithm that is not read.
    Unread(String),
}

fn open_transported(info: Element<'_>, own: &PrivateKey) -> Result<Opened, DerError> {
    let mut fields = info.reader();
    fields.expect(Tag::INTEGER)?;
    fields.next()?;
    let algorithm = AlgorithmIdentifier::read(fields.next()?)?;
    let encrypted = fields.expect(Tag::OCTET_STRING)?.content;
    fields.finish()?;
    if algorithm.oid != Oid::RSAES_OAEP {
        let what = match algorithm.oid {
            oid if oid == Oid::RSA_ENCRYPTION => {
                "RSA with the padding of PKCS#1 v1.5, which leaks".to_owned()
            }
            oid => oid.name_or_dots(),
        };
        return Ok(Opened::Unread(what));
    }
    let Some(oaep) = oaep(algorithm.parameters.as_deref())? else {
        return Ok(Opened::Unread(
            "RSA-OAEP with unusual parameters".to_owned(),
        ));
    };
    let decrypt = || {
        let pkcs8 = own.to_der(KeyForm::Pkcs8).ok()?;
        let key = PrivateDecryptingKey::from_pkcs8(pkcs8.secret_der()).ok()?;
        let key = OaepPrivateDecryptingKey::new(key).ok()?;
        let mut room = Zeroizing::new(vec![0; key.min_output_size()]);
        let octets = key.decrypt(oaep, encrypted, &mut room, None).ok()?.len();
        room.truncate(octets);
        Some(room)
    };
    Ok(decrypt().map_or(Opened::No, Opened::Key))
}

/// The variant that `RSAES-OAEP-params` say (RFC 4055, section 4.1), where hash and mask use the same function.
fn oaep(parameters: Option<&[u8]>) -> Result<Option<&'static OaepAlgorithm>, DerError> {
    let parameters = parameters.unwrap_or(&[0x30, 0]);
    let mut fields = Reader::only(parameters, Tag::SEQUENCE)?.reader();
    let mut algorithm = |tag| -> Result<Option<AlgorithmIdentifier>, DerError> {
        let field = fields.optional(Tag::context_constructed(tag))?;
        field
            .map(|field| AlgorithmIdentifier::read(field.inner()?))
            .transpose()
    };
    let (hash, mask) = (algorithm(0)?, algorithm(1)?);
    let hash = hash.map_or(Some(Hash::Sha1), |hash| Hash::of_oid(&hash.oid));
    let mask = match mask {
        None => Some(Hash::Sha1),
        Some(mask) => {
            let inner = mask.parameters.as_deref().unwrap_or_default();
            let inner = Reader::only(inner, Tag::SEQUENCE)?;
            Hash::of_oid(&AlgorithmIdentifier::read(inner)?.oid).filter(|_| mask.oid == Oid::MGF1)
        }
    };
    // A label is never used.
    let usual = fields.is_at_end() && hash == mask;
    Ok(hash.filter(|_| usual).map(|hash| match hash {
        Hash::Sha1 => &OAEP_SHA1_MGF1SHA1,
        Hash::Sha256 => &OAEP_SHA256_MGF1SHA256,
        Hash::Sha384 => &OAEP_SHA384_MGF1SHA384,
        Hash::Sha512 => &OAEP_SHA512_MGF1SHA512,
    }))
}

fn open_agreed(
    info: Element<'_>,
    curve: &'static agreement::Algorithm,
    own: &PrivateKey,
) -> Result<Opened, DerError> {
    let mut fields = info.reader();
    fields.expect(Tag::INTEGER)?;
    let originator = fields.expect(Tag::context_constructed(0))?.inner()?;
    let material = fields.optional(Tag::context_constructed(1))?;
    let algorithm = AlgorithmIdentifier::read(fields.next()?)?;
    let keys = fields.expect(Tag::SEQUENCE)?;
    fields.finish()?;
    // Other originators are certificates with a key for long, which nobody uses (RFC 5753, section 3.1.1).
    if originator.tag != AGREED {
        return Ok(Opened::Unread(
            "a key that is agreed on with another certificate".to_owned(),
        ));
    }
    let mut public = originator.reader();
    AlgorithmIdentifier::read(public.next()?)?;
    let public = public.expect(Tag::BIT_STRING)?.octet_bits()?;
    let Some(scheme) = Scheme::read(&algorithm)? else {
        return Ok(Opened::Unread(algorithm.oid.name_or_dots()));
    };
    let material = material
        .map(|material| material.inner()?.tagged(Tag::OCTET_STRING))
        .transpose()?
        .map(|material| material.content);
    let mut keys = keys.reader();
    for _ in 0..MOST_RECIPIENTS {
        if keys.is_at_end() {
            break;
        }
        let mut fields = keys.sequence()?;
        fields.next()?;
        let wrapped = fields.expect(Tag::OCTET_STRING)?.content;
        let decrypt = || {
            let pkcs8 = own.to_der(KeyForm::Pkcs8).ok()?;
            let own =
                agreement::PrivateKey::from_private_key_der(curve, pkcs8.secret_der()).ok()?;
            let peer = UnparsedPublicKey::new(curve, public);
            let unspecified = aws_lc_rs::error::Unspecified;
            agreement::agree(&own, peer, unspecified, |secret| {
                let mut room = Zeroizing::new(vec![0; wrapped.len()]);
                let kek = scheme.wrapping_key(secret, material)?;
                let octets = kek.unwrap(wrapped, &mut room)?.len();
                room.truncate(octets);
                Ok(room)
            })
            .ok()
        };
        if let Some(key) = decrypt() {
            return Ok(Opened::Key(key));
        }
    }
    Ok(Opened::No)
}

/// How a secret that was agreed on becomes a key, and what that key does (RFC 5753, section 7.1.4).
struct Scheme {
    hash: &'static digest::Algorithm,
    wrap: Wrap,
}

#[derive(Clone, Copy)]
enum Wrap {
    Aes128,
    Aes256,
}

impl Scheme {
    fn read(algorithm: &AlgorithmIdentifier) -> Result<Option<Self>, DerError> {
        let hash = match &algorithm.oid {
            oid if *oid == Oid::DH_SHA1_KDF => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            oid if *oid == Oid::DH_SHA256_KDF => &digest::SHA256,
            oid if *oid == Oid::DH_SHA384_KDF => &digest::SHA384,
            oid if *oid == Oid::DH_SHA512_KDF => &digest::SHA512,
            _ => return Ok(None),
        };
        let inner = algorithm.parameters.as_deref().unwrap_or_default();
        let inner = AlgorithmIdentifier::read(Reader::only(inner, Tag::SEQUENCE)?)?;
        let wrap = match inner.oid {
            oid if oid == Oid::AES128_WRAP => Wrap::Aes128,
            oid if oid == Oid::AES256_WRAP => Wrap::Aes256,
            _ => return Ok(None),
        };
        Ok(Some(Self { hash, wrap }))
    }

    fn wrapping_key(
        &self,
        secret: &[u8],
        material: Option<&[u8]>,
    ) -> Result<AesKek, aws_lc_rs::error::Unspecified> {
        let (cipher, octets) = match self.wrap {
            Wrap::Aes128 => (&AES_128, 16),
            Wrap::Aes256 => (&AES_256, 32),
        };
        let shared = self.shared_info(octets, material);
        // X9.63 (SEC 1, section 3.6.1). The first round is enough: no hash here is shorter than its key but SHA-1.
        let mut key = Zeroizing::new(Vec::with_capacity(96));
        for counter in 1_u32..=2 {
            let mut context = Context::new(self.hash);
            context.update(secret);
            context.update(&counter.to_be_bytes());
            context.update(&shared);
            key.extend_from_slice(context.finish().as_ref());
        }
        AesKek::new(cipher, &key[..octets])
    }

    /// `ECC-CMS-SharedInfo` (RFC 5753, section 7.2).
    fn shared_info(&self, octets: usize, material: Option<&[u8]>) -> Vec<u8> {
        let mut w = Writer::new();
        w.sequence(|w| {
            w.sequence(|w| {
                w.oid(&match self.wrap {
                    Wrap::Aes128 => Oid::AES128_WRAP,
                    Wrap::Aes256 => Oid::AES256_WRAP,
                });
            });
            if let Some(material) = material {
                w.constructed(Tag::context_constructed(0), |w| w.octet_string(material));
            }
            w.constructed(Tag::context_constructed(2), |w| {
                w.octet_string(&(octets as u32 * 8).to_be_bytes());
            });
        });
        w.into_bytes()
    }
}

fn curve(key_type: KeyType) -> Option<&'static agreement::Algorithm> {
    match key_type {
        KeyType::EcdsaP256 => Some(&ECDH_P256),
        KeyType::EcdsaP384 => Some(&ECDH_P384),
        KeyType::EcdsaP521 => Some(&ECDH_P521),
        _ => None,
    }
}

/// `[1]`: a `KeyAgreeRecipientInfo`, and within it an `OriginatorPublicKey`.
const AGREED: Tag = Tag::context_constructed(1);

/// Each costs a private operation.
const MOST_RECIPIENTS: usize = 1000;
