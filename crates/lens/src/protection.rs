//! What opens the records of one direction.

use aws_lc_rs::aead::{
    AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey,
};
use ravelin_wire::record::{InnerPlaintext, Record};
use ravelin_wire::registry::{Cipher, CipherSuite, ContentType, ProtocolVersion};

use crate::digest::Octets;

/// Keys of one direction, and the number of the next record.
pub struct Protection {
    key: LessSafeKey,
    iv: [u8; 12],
    sequence: u64,
}

/// The keys of TLS 1.2 and before.
#[derive(Clone, Copy)]
pub struct Keys<'k> {
    /// The key of the MAC.
    pub mac_key: Option<&'k [u8]>,
    /// The key of the cipher.
    pub key: Option<&'k [u8]>,
    /// The first vector, or the fixed part of nonces.
    pub iv: Option<&'k [u8]>,
}

/// A record, opened.
pub struct Opened {
    /// What it carries.
    pub content: Octets,
    /// What that is.
    pub content_type: ContentType,
    /// How many octets hide its length.
    pub padding: usize,
    /// The nonce.
    pub nonce: Vec<u8>,
    /// What was authenticated with it.
    pub additional_data: Vec<u8>,
}

/// A record that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record is not what its key says")]
pub struct OpenError;

impl Protection {
    /// Of TLS 1.3.
    #[must_use]
    pub fn tls13(suite: CipherSuite, key: &[u8], iv: &[u8]) -> Option<Self> {
        let algorithm = match suite.cipher()? {
            Cipher::Aes128Gcm => &AES_128_GCM,
            Cipher::Aes256Gcm => &AES_256_GCM,
            Cipher::ChaCha20Poly1305 => &CHACHA20_POLY1305,
            _ => return None,
        };
        Some(Self {
            key: LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?),
            iv: iv.try_into().ok()?,
            sequence: 0,
        })
    }

    /// Of TLS 1.2 and before.
    #[must_use]
    pub fn tls12(_: ProtocolVersion, _: CipherSuite, _: bool, _: Keys<'_>) -> Option<Self> {
        None
    }

    /// The number of the next record.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Opens a record.
    pub fn open(&mut self, record: &Record<'_>) -> Result<Opened, OpenError> {
        let mut nonce = self.iv;
        for (octet, number) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *octet ^= number;
        }
        let header = record.header();
        let mut bytes = Octets::new(record.fragment.to_vec());
        let unique = Nonce::assume_unique_for_key(nonce);
        let opened = self
            .key
            .open_in_place(unique, Aad::from(header), &mut bytes);
        let inner = InnerPlaintext::decode(opened.map_err(|_| OpenError)?).ok_or(OpenError)?;
        let (length, content_type, padding) =
            (inner.content.len(), inner.content_type, inner.padding);
        bytes.truncate(length);
        self.sequence += 1;
        Ok(Opened {
            content: bytes,
            content_type,
            padding,
            nonce: nonce.to_vec(),
            additional_data: header.to_vec(),
        })
    }

    /// Goes on behind so many records.
    pub fn skip(&mut self, records: u64) {
        self.sequence += records;
    }
}
