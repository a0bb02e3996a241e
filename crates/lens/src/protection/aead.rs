//! AEADs: GCM, CCM, and `ChaCha20` with Poly1305.

use aes::{Aes128, Aes256};
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::{U8, U12, U16};
use aes_gcm::aead::{self, AeadInOut, KeyInit};
use aria::{Aria128, Aria256};
use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use camellia::{Camellia128, Camellia256};
use ccm::Ccm;
use ravelin_wire::record::{InnerPlaintext, Record};
use ravelin_wire::registry::{Cipher, ProtocolVersion};
use sm4::Sm4;

use super::mac::pseudo_header;
use super::{OpenError, Opened};
use crate::digest::Octets;

/// All AEADs here have nonces of so many octets.
const NONCE_OCTETS: usize = 12;

/// How many octets of a record of TLS 1.2 are its nonce, where it has one.
const EXPLICIT_OCTETS: usize = 8;

pub(super) struct Aead {
    key: Key,
    tag_octets: usize,
    iv: [u8; NONCE_OCTETS],
    shape: Shape,
}

/// How records are laid out, and their nonces made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The number is added to the vector; the type is inside (RFC 8446, sections 5.2 and 5.3).
    Tls13,
    /// The number is added to the vector (RFC 7905, section 2).
    Added,
    /// The nonce is four octets that were derived, and eight of the record (RFC 5288, section 3).
    Explicit,
}

enum Key {
    /// Of aws-lc, which is the fastest.
    Fast(LessSafeKey),
    Other(Box<dyn Unseal>),
}

/// Any AEAD of `RustCrypto`.
trait Unseal: Send + Sync {
    /// Decrypts what comes before the tag, in place, and says how long it is; `None` where it is not
    /// authentic.
    fn unseal(
        &self,
        nonce: [u8; NONCE_OCTETS],
        additional_data: &[u8],
        sealed: &mut [u8],
    ) -> Option<usize>;
}

impl Aead {
    pub(super) fn tls13(cipher: Cipher, key: &[u8], iv: &[u8]) -> Option<Self> {
        Self::new(cipher, key, iv.try_into().ok()?, Shape::Tls13)
    }

    pub(super) fn tls12(cipher: Cipher, key: &[u8], iv: &[u8]) -> Option<Self> {
        if cipher.record_iv_octets(ProtocolVersion::TLS_1_2) == 0 {
            return Self::new(cipher, key, iv.try_into().ok()?, Shape::Added);
        }
        let [a, b, c, d] = *<&[u8; NONCE_OCTETS - EXPLICIT_OCTETS]>::try_from(iv).ok()?;
        let iv = [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0];
        Self::new(cipher, key, iv, Shape::Explicit)
    }

    fn new(cipher: Cipher, key: &[u8], iv: [u8; NONCE_OCTETS], shape: Shape) -> Option<Self> {
        Some(Self {
            key: Key::new(cipher, key)?,
            tag_octets: cipher.tag_octets(),
            iv,
            shape,
        })
    }

    pub(super) fn open(&self, sequence: u64, record: &Record<'_>) -> Result<Opened, OpenError> {
        let octets = record.fragment.len();
        let explicit_octets = match self.shape {
            Shape::Explicit => EXPLICIT_OCTETS,
            Shape::Tls13 | Shape::Added => 0,
        };
        let least = explicit_octets + self.tag_octets;
        let too_short = OpenError::TooShort { octets, least };
        let content_octets = octets.checked_sub(least).ok_or(too_short)?;
        let (explicit, sealed) = record.fragment.split_at(explicit_octets);
        let nonce = self.nonce(sequence, explicit);
        let additional_data = match self.shape {
            Shape::Tls13 => record.header().to_vec(),
            Shape::Added | Shape::Explicit => pseudo_header(sequence, record, content_octets),
        };

        let mut content = Octets::new(sealed.to_vec());
        let opened = self
            .key
            .open(nonce, &additional_data, &mut content)
            .ok_or(OpenError::NotAuthentic)?;
        let (end, content_type, padding) = match self.shape {
            Shape::Tls13 => {
                let plaintext = content.get(..opened).unwrap_or_default();
                let inner = InnerPlaintext::decode(plaintext).ok_or(OpenError::NoContentType)?;
                (inner.content.len(), inner.content_type, inner.padding)
            }
            Shape::Added | Shape::Explicit => (opened, record.content_type, 0),
        };
        content.truncate(end);
        Ok(Opened {
            content,
            content_type,
            padding,
            nonce: nonce.to_vec(),
            additional_data,
        })
    }

    fn nonce(&self, sequence: u64, explicit: &[u8]) -> [u8; NONCE_OCTETS] {
        let number = sequence.to_be_bytes();
        let added: &[u8] = match self.shape {
            Shape::Tls13 | Shape::Added => &number,
            Shape::Explicit => explicit,
        };
        let mut nonce = self.iv;
        for (octet, added) in nonce.iter_mut().rev().zip(added.iter().rev()) {
            *octet ^= added;
        }
        nonce
    }
}

impl Key {
    fn new(cipher: Cipher, key: &[u8]) -> Option<Self> {
        match cipher {
            Cipher::Aes128Gcm => Self::fast(&AES_128_GCM, key),
            Cipher::Aes256Gcm => Self::fast(&AES_256_GCM, key),
            Cipher::ChaCha20Poly1305 => Self::fast(&CHACHA20_POLY1305, key),
            Cipher::Aes128Ccm => Self::other::<Ccm<Aes128, U16, U12>>(key),
            Cipher::Aes256Ccm => Self::other::<Ccm<Aes256, U16, U12>>(key),
            Cipher::Aes128Ccm8 => Self::other::<Ccm<Aes128, U8, U12>>(key),
            Cipher::Aes256Ccm8 => Self::other::<Ccm<Aes256, U8, U12>>(key),
            Cipher::Camellia128Gcm => Self::other::<AesGcm<Camellia128, U12>>(key),
            Cipher::Camellia256Gcm => Self::other::<AesGcm<Camellia256, U12>>(key),
            Cipher::Aria128Gcm => Self::other::<AesGcm<Aria128, U12>>(key),
            Cipher::Sm4Gcm => Self::other::<AesGcm<Sm4, U12>>(key),
            Cipher::Sm4Ccm => Self::other::<Ccm<Sm4, U16, U12>>(key),
            Cipher::Aria256Gcm => Self::other::<AesGcm<Aria256, U12>>(key),
            _ => None,
        }
    }

    fn fast(algorithm: &'static Algorithm, key: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(algorithm, key).ok()?;
        Some(Self::Fast(LessSafeKey::new(key)))
    }

    fn other<A: Unseal + KeyInit + 'static>(key: &[u8]) -> Option<Self> {
        Some(Self::Other(Box::new(A::new_from_slice(key).ok()?)))
    }

    /// Decrypts in place; how many octets that gives, or `None` where they are not authentic.
    fn open(
        &self,
        nonce: [u8; NONCE_OCTETS],
        additional_data: &[u8],
        sealed: &mut [u8],
    ) -> Option<usize> {
        match self {
            Self::Fast(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                let opened = key.open_in_place(nonce, Aad::from(additional_data), sealed);
                opened.ok().map(|opened| opened.len())
            }
            Self::Other(key) => key.unseal(nonce, additional_data, sealed),
        }
    }
}

impl<A: AeadInOut<NonceSize = U12> + Send + Sync> Unseal for A {
    fn unseal(
        &self,
        nonce: [u8; NONCE_OCTETS],
        additional_data: &[u8],
        sealed: &mut [u8],
    ) -> Option<usize> {
        let tag = aead::Tag::<A>::default();
        let octets = sealed.len().checked_sub(tag.len())?;
        let (content, tag) = sealed.split_at_mut(octets);
        let tag = aead::Tag::<A>::try_from(&*tag).ok()?;
        self.decrypt_inout_detached(&nonce.into(), additional_data, content.into(), &tag)
            .ok()
            .map(|()| octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        let digit = |at| u8::from_str_radix(hex.get(at..at + 2).unwrap(), 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    /// RFC 8998, appendix A.
    #[test]
    fn sm4_is_that_of_rfc_8998() {
        let key = octets("0123456789abcdeffedcba9876543210");
        let nonce = [0, 0, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0, 0xab, 0xcd];
        let additional_data = octets("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let content: Vec<u8> = [0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0xee, 0xaa]
            .into_iter()
            .flat_map(|octet| [octet; 8])
            .collect();
        for (cipher, sealed) in [
            (
                Cipher::Sm4Gcm,
                "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
                 d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d\
                 83de3541e4c2b58177e065a9bf7b62ec",
            ),
            (
                Cipher::Sm4Ccm,
                "48af93501fa62adbcd414cce6034d895dda1bf8f132f042098661572e7483094\
                 fd12e518ce062c98acee28d95df4416bed31a2f04476c18bb40c84a74b97dc5b\
                 16842d4fa186f56ab33256971fa110f4",
            ),
        ] {
            let key = Key::new(cipher, &key).unwrap();
            let mut sealed = octets(sealed);
            let opened = key.open(nonce, &additional_data, &mut sealed);
            assert_eq!(opened, Some(content.len()), "{cipher:?}");
            assert_eq!(sealed[..content.len()], content, "{cipher:?}");
        }
    }
}
