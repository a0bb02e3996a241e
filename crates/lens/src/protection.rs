//! What opens the records of one direction: the key of a cipher, and the number of the next record.
//!
//! Where the keys come from is the affair of [`schedule`](crate::schedule), when they change that of
//! whoever follows the connection.
//!
//! Not opened here, although the registry names them: Fortezza, IDEA and SEED, SM1, Salsa20,
//! the GOST ciphers and their MACs, the `ChaCha20` of 2013, AEGIS, Ascon, and what TLS 1.3 has without
//! encryption (RFC 9150). Export ciphers open with their final keys.

use std::fmt;

use ravelin_wire::record::Record;
use ravelin_wire::registry::{CipherSuite, ContentType, ProtocolVersion};
use thiserror::Error;

use crate::digest::Octets;

mod aead;
mod block;
mod mac;
mod stream;

use aead::Aead;
use block::Blocks;
use mac::RecordMac;
use stream::Stream;

/// Opens the records of one direction, in their order.
pub struct Protection {
    suite: CipherSuite,
    means: Means,
    sequence: u64,
}

/// What the key derivation gives, before TLS 1.3.
#[derive(Clone, Copy, Default)]
pub struct Keys<'k> {
    /// The key of the MAC, of suites without AEAD.
    pub mac_key: Option<&'k [u8]>,
    /// The key of the cipher; none where nothing is encrypted.
    pub key: Option<&'k [u8]>,
    /// The first initialization vector of CBC in SSL 3.0 and TLS 1.0, or the fixed part of nonces.
    pub iv: Option<&'k [u8]>,
}

/// A record, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What it carries.
    pub content: Octets,
    /// What that is: in TLS 1.3 what is written inside.
    pub content_type: ContentType,
    /// How many octets hide the length: zeros in TLS 1.3; with CBC the padding and the octet that says
    /// how much there is.
    pub padding: usize,
    /// The nonce, or the initialization vector; empty for RC4 and where nothing is encrypted.
    pub nonce: Vec<u8>,
    /// What was authenticated with the content, before it.
    pub additional_data: Vec<u8>,
}

/// Why a record does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenError {
    /// It cannot hold what the cipher adds to each record.
    #[error("the record has {octets} octets, and the protection alone takes {least}")]
    TooShort {
        /// How many octets its fragment has.
        octets: usize,
        /// How many a record without content has.
        least: usize,
    },
    /// What is encrypted is not made of blocks.
    #[error("{octets} octets are encrypted, which is no multiple of the {block} of a block")]
    Uneven {
        /// How many octets are encrypted.
        octets: usize,
        /// How many a block has.
        block: usize,
    },
    /// The key is another one, or the record was changed.
    #[error("the record was changed, or the key is not its own")]
    NotAuthentic,
    /// The padding of CBC is not what it must be. With another key, most records end here.
    #[error("the padding of the record is wrong, or the key is not its own")]
    Padding,
    /// It is of TLS 1.3 and does not say what it carries (RFC 8446, section 5.4).
    #[error("the record holds nothing but zeros")]
    NoContentType,
    /// RC4, and CBC in SSL 3.0 and TLS 1.0, go on from the record before, which was skipped.
    #[error("the record goes on from one that is missing")]
    Lost,
}

enum Means {
    Aead(Aead),
    Blocks(Blocks),
    Stream(Box<Stream>),
}

impl Protection {
    /// Opens records of TLS 1.3 (RFC 8446, section 5.2); `None` where the cipher is not known here, or
    /// the key or the initialization vector is not of its length.
    #[must_use]
    pub fn tls13(suite: CipherSuite, key: &[u8], iv: &[u8]) -> Option<Self> {
        let means = Aead::tls13(suite.cipher()?, key, iv)?;
        Some(Self::new(suite, Means::Aead(means)))
    }

    /// Opens records of SSL 3.0 to TLS 1.2; `None` where the cipher or its MAC is not known here, the
    /// version has no such cipher, or a key is not of its length.
    ///
    /// `encrypt_then_mac` says that it was agreed on (RFC 7366), which changes nothing but CBC.
    #[must_use]
    pub fn tls12(
        version: ProtocolVersion,
        suite: CipherSuite,
        encrypt_then_mac: bool,
        keys: Keys<'_>,
    ) -> Option<Self> {
        if !(ProtocolVersion::SSL_3..=ProtocolVersion::TLS_1_2).contains(&version) {
            return None;
        }
        let cipher = suite.cipher()?;
        if cipher.is_aead() {
            let has_aeads = version == ProtocolVersion::TLS_1_2 && !suite.is_tls13();
            let means = has_aeads.then(|| Aead::tls12(cipher, keys.key?, keys.iv?))??;
            return Some(Self::new(suite, Means::Aead(means)));
        }
        let mac = RecordMac::new(version, suite.mac()?, keys.mac_key.unwrap_or_default())?;
        let means = if cipher.is_cbc() {
            Means::Blocks(Blocks::new(version, cipher, encrypt_then_mac, mac, keys)?)
        } else {
            Means::Stream(Box::new(Stream::new(cipher, mac, keys.key)?))
        };
        Some(Self::new(suite, means))
    }

    fn new(suite: CipherSuite, means: Means) -> Self {
        Self {
            suite,
            means,
            sequence: 0,
        }
    }

    /// The number of the next record, from 0.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether the cipher authenticates too (AEAD), and needs nothing of one record for the next.
    #[must_use]
    pub fn is_aead(&self) -> bool {
        matches!(self.means, Means::Aead(_))
    }

    /// Opens the next record, and goes on to the one after it. Of a record that does not open nothing is
    /// shown, and the next has its number.
    ///
    /// # Errors
    ///
    /// It was not sealed with this key under this number, or makes no sense.
    pub fn open(&mut self, record: &Record<'_>) -> Result<Opened, OpenError> {
        let opened = match &mut self.means {
            Means::Aead(means) => means.open(self.sequence, record),
            Means::Blocks(means) => means.open(self.sequence, record),
            Means::Stream(means) => means.open(self.sequence, record),
        }?;
        self.skip_numbers(1);
        Ok(opened)
    }

    /// Goes on as if so many records had been opened. RC4, and CBC in SSL 3.0 and TLS 1.0, open nothing
    /// after that.
    pub fn skip(&mut self, records: u64) {
        if records > 0 {
            match &mut self.means {
                Means::Aead(_) => {}
                Means::Blocks(means) => means.lose(),
                Means::Stream(means) => means.lose(),
            }
        }
        self.skip_numbers(records);
    }

    /// Nobody sends 2^64 records: the last number is as good as any.
    fn skip_numbers(&mut self, records: u64) {
        self.sequence = self.sequence.saturating_add(records);
    }
}

/// Without the keys.
impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protection")
            .field("suite", &self.suite)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

/// Without the keys.
impl fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}
