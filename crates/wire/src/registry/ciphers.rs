//! What protects records, and what keys are derived with, as lengths: whoever takes a key block apart
//! or a record has to know them. Which suite has which is in `suites`.

use super::ProtocolVersion;

/// How a suite encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are named after what they are")]
pub enum Cipher {
    /// Not at all.
    Null,
    /// Not at all: HMAC-SHA256 in the place of an AEAD of TLS 1.3 (RFC 9150).
    IntegritySha256,
    /// Not at all: HMAC-SHA384 in the place of an AEAD of TLS 1.3 (RFC 9150).
    IntegritySha384,
    Rc4_40,
    Rc4_56,
    Rc4_128,
    Rc2Cbc40,
    Rc2Cbc56,
    Rc2Cbc128,
    Des40Cbc,
    DesCbc,
    TripleDesEdeCbc,
    IdeaCbc,
    FortezzaCbc,
    SeedCbc,
    Aes128Cbc,
    Aes256Cbc,
    Camellia128Cbc,
    Camellia256Cbc,
    Aria128Cbc,
    Aria256Cbc,
    Sm1Cbc,
    Sm4Cbc,
    Salsa20,
    EstreamSalsa20,
    Gost28147Cnt,
    KuznyechikCtr,
    MagmaCtr,
    Aes128Gcm,
    Aes256Gcm,
    Camellia128Gcm,
    Camellia256Gcm,
    Aria128Gcm,
    Aria256Gcm,
    Sm4Gcm,
    Aes128Ccm,
    Aes256Ccm,
    /// CCM with tags of eight octets.
    Aes128Ccm8,
    /// CCM with tags of eight octets.
    Aes256Ccm8,
    Sm4Ccm,
    ChaCha20Poly1305,
    /// As it was in 2013: the nonce is the number of the record and nothing else.
    ChaCha20Poly1305Old,
    /// MGM whose keys are changed seldom (RFC 9367).
    KuznyechikMgmL,
    /// MGM whose keys are changed often (RFC 9367).
    KuznyechikMgmS,
    /// MGM whose keys are changed seldom (RFC 9367).
    MagmaMgmL,
    /// MGM whose keys are changed often (RFC 9367).
    MagmaMgmS,
    Aegis128L,
    Aegis256,
    AsconAead128,
}

/// What keeps the records of a suite without AEAD from being changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mac {
    /// HMAC-MD5; in SSL 3 the keyed hash that HMAC came from.
    Md5,
    /// HMAC-SHA1; in SSL 3 the keyed hash that HMAC came from.
    Sha1,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA384.
    Sha384,
    /// HMAC-SM3.
    Sm3,
    /// HMAC with GOST R 34.11-94, or with Streebog in the suites of 2012.
    GostR3411,
    /// The imitation prefix of GOST 28147-89.
    GostImit,
    /// OMAC of Kuznyechik (RFC 9189).
    KuznyechikOmac,
    /// OMAC of Magma (RFC 9189).
    MagmaOmac,
}

/// The hash that a suite derives keys and sums up the handshake with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SM3.
    Sm3,
    /// GOST R 34.11-94.
    GostR3411,
    /// GOST R 34.11-2012 with 256 bits.
    Streebog256,
    /// Ascon-Hash256.
    AsconHash256,
}

impl Cipher {
    /// How many octets of the key block are its key. Export ciphers stretch them to
    /// [`final_key_octets`](Self::final_key_octets).
    #[must_use]
    pub fn key_octets(self) -> usize {
        self.shape().key
    }

    /// How many octets its key has when it is used.
    #[must_use]
    pub fn final_key_octets(self) -> usize {
        match self {
            // RFC 2246 (section 6.3.1), and draft-ietf-tls-56-bit-ciphersuites after it.
            Self::Rc4_40 | Self::Rc4_56 | Self::Rc2Cbc40 | Self::Rc2Cbc56 => 16,
            Self::Des40Cbc => 8,
            _ => self.key_octets(),
        }
    }

    /// Of how many octets records are a multiple: the blocks of CBC, else 1.
    #[must_use]
    pub fn block_octets(self) -> usize {
        match self.shape() {
            Shape {
                mode: Mode::Cbc,
                nonce,
                ..
            } => nonce,
            _ => 1,
        }
    }

    /// How many octets of nonce or initialization vector it takes.
    #[must_use]
    pub fn nonce_octets(self) -> usize {
        self.shape().nonce
    }

    /// How many octets of nonce or initialization vector come from the key derivation.
    ///
    /// In TLS 1.3 it is all of the nonce (RFC 8446, section 5.3). GCM and CCM have four before that
    /// (RFC 5288), `ChaCha20` twelve (RFC 7905). CBC has its first vector from there in SSL 3 and
    /// TLS 1.0, and none later, for BEAST's sake.
    #[must_use]
    pub fn fixed_iv_octets(self, version: ProtocolVersion) -> usize {
        let Shape { mode, nonce, .. } = self.shape();
        match mode {
            Mode::Cbc if chains_records(version) => nonce,
            Mode::Cbc => 0,
            Mode::Aead { .. } if version.is_tls13() => nonce,
            Mode::Aead { fixed, .. } | Mode::Stream { fixed } => fixed,
        }
    }

    /// How many octets of nonce or initialization vector each record begins with.
    #[must_use]
    pub fn record_iv_octets(self, version: ProtocolVersion) -> usize {
        let Shape { mode, nonce, .. } = self.shape();
        match mode {
            Mode::Cbc if !chains_records(version) => nonce,
            Mode::Aead { fixed: 4, .. } if !version.is_tls13() => 8,
            _ => 0,
        }
    }

    /// How many octets an AEAD adds to what it encrypts; 0 of what is none.
    #[must_use]
    pub fn tag_octets(self) -> usize {
        match self.shape().mode {
            Mode::Aead { tag, .. } => tag,
            Mode::Cbc | Mode::Stream { .. } => 0,
        }
    }

    /// Whether it keeps records from being changed, too.
    #[must_use]
    pub fn is_aead(self) -> bool {
        matches!(self.shape().mode, Mode::Aead { .. })
    }

    /// Whether it is a block cipher that chains its blocks: records are padded.
    #[must_use]
    pub fn is_cbc(self) -> bool {
        matches!(self.shape().mode, Mode::Cbc)
    }

    /// The cipher that suites call so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "NULL" => Self::Null,
            "SHA256" => Self::IntegritySha256,
            "SHA384" => Self::IntegritySha384,
            "RC4_40" => Self::Rc4_40,
            "RC4_56" => Self::Rc4_56,
            "RC4_128" => Self::Rc4_128,
            "RC2_CBC_40" => Self::Rc2Cbc40,
            "RC2_CBC_56" => Self::Rc2Cbc56,
            "RC2_CBC" => Self::Rc2Cbc128,
            "DES40_CBC" | "DES_CBC_40" => Self::Des40Cbc,
            "DES_CBC" => Self::DesCbc,
            "3DES_EDE_CBC" => Self::TripleDesEdeCbc,
            "IDEA_CBC" => Self::IdeaCbc,
            "FORTEZZA_CBC" => Self::FortezzaCbc,
            "SEED_CBC" => Self::SeedCbc,
            "AES_128_CBC" => Self::Aes128Cbc,
            "AES_256_CBC" => Self::Aes256Cbc,
            "CAMELLIA_128_CBC" => Self::Camellia128Cbc,
            "CAMELLIA_256_CBC" => Self::Camellia256Cbc,
            "ARIA_128_CBC" => Self::Aria128Cbc,
            "ARIA_256_CBC" => Self::Aria256Cbc,
            "SM1" => Self::Sm1Cbc,
            "SM4_CBC" => Self::Sm4Cbc,
            "SALSA20" => Self::Salsa20,
            "ESTREAM_SALSA20" => Self::EstreamSalsa20,
            "28147_CNT" => Self::Gost28147Cnt,
            "KUZNYECHIK_CTR" => Self::KuznyechikCtr,
            "MAGMA_CTR" => Self::MagmaCtr,
            "AES_128_GCM" => Self::Aes128Gcm,
            "AES_256_GCM" => Self::Aes256Gcm,
            "CAMELLIA_128_GCM" => Self::Camellia128Gcm,
            "CAMELLIA_256_GCM" => Self::Camellia256Gcm,
            "ARIA_128_GCM" => Self::Aria128Gcm,
            "ARIA_256_GCM" => Self::Aria256Gcm,
            "SM4_GCM" => Self::Sm4Gcm,
            "AES_128_CCM" => Self::Aes128Ccm,
            "AES_256_CCM" => Self::Aes256Ccm,
            "AES_128_CCM_8" => Self::Aes128Ccm8,
            "AES_256_CCM_8" => Self::Aes256Ccm8,
            "SM4_CCM" => Self::Sm4Ccm,
            "CHACHA20_POLY1305" => Self::ChaCha20Poly1305,
            "KUZNYECHIK_MGM_L" => Self::KuznyechikMgmL,
            "KUZNYECHIK_MGM_S" => Self::KuznyechikMgmS,
            "MAGMA_MGM_L" => Self::MagmaMgmL,
            "MAGMA_MGM_S" => Self::MagmaMgmS,
            "AEGIS_128L" => Self::Aegis128L,
            "AEGIS_256" => Self::Aegis256,
            "ASCONAEAD128" => Self::AsconAead128,
            _ => return None,
        })
    }

    fn shape(self) -> Shape {
        // GCM and CCM: in TLS 1.2, four octets of the nonce are derived and eight are in the record.
        const fn counter(key: usize, tag: usize) -> Shape {
            aead(key, 12, 4, tag)
        }
        const fn aead(key: usize, nonce: usize, fixed: usize, tag: usize) -> Shape {
            Shape {
                key,
                nonce,
                mode: Mode::Aead { fixed, tag },
            }
        }
        const fn cbc(key: usize, block: usize) -> Shape {
            Shape {
                key,
                nonce: block,
                mode: Mode::Cbc,
            }
        }
        const fn stream(key: usize, nonce: usize, fixed: usize) -> Shape {
            Shape {
                key,
                nonce,
                mode: Mode::Stream { fixed },
            }
        }
        match self {
            Self::Null => stream(0, 0, 0),
            // RFC 9150: key, nonce and tag are as long as the hash.
            Self::IntegritySha256 => aead(32, 32, 32, 32),
            Self::IntegritySha384 => aead(48, 48, 48, 48),
            Self::Rc4_40 => stream(5, 0, 0),
            Self::Rc4_56 => stream(7, 0, 0),
            Self::Rc4_128 => stream(16, 0, 0),
            Self::Salsa20 | Self::EstreamSalsa20 => stream(32, 8, 0),
            Self::Gost28147Cnt | Self::KuznyechikCtr => stream(32, 8, 8),
            Self::MagmaCtr => stream(32, 4, 4),
            Self::Rc2Cbc40 | Self::Des40Cbc => cbc(5, 8),
            Self::Rc2Cbc56 => cbc(7, 8),
            Self::DesCbc => cbc(8, 8),
            Self::Rc2Cbc128 | Self::IdeaCbc => cbc(16, 8),
            Self::TripleDesEdeCbc => cbc(24, 8),
            // RFC 6101 (appendix C): the card has the key, none of it is derived.
            Self::FortezzaCbc => Shape {
                key: 0,
                nonce: 8,
                mode: Mode::Cbc,
            },
            Self::SeedCbc
            | Self::Aes128Cbc
            | Self::Camellia128Cbc
            | Self::Aria128Cbc
            | Self::Sm1Cbc
            | Self::Sm4Cbc => cbc(16, 16),
            Self::Aes256Cbc | Self::Camellia256Cbc | Self::Aria256Cbc => cbc(32, 16),
            Self::Aes128Gcm
            | Self::Camellia128Gcm
            | Self::Aria128Gcm
            | Self::Sm4Gcm
            | Self::Aes128Ccm
            | Self::Sm4Ccm => counter(16, 16),
            Self::Aes256Gcm | Self::Camellia256Gcm | Self::Aria256Gcm | Self::Aes256Ccm => {
                counter(32, 16)
            }
            Self::Aes128Ccm8 => counter(16, 8),
            Self::Aes256Ccm8 => counter(32, 8),
            Self::ChaCha20Poly1305 => aead(32, 12, 12, 16),
            Self::ChaCha20Poly1305Old => aead(32, 8, 0, 16),
            Self::KuznyechikMgmL | Self::KuznyechikMgmS => aead(32, 16, 16, 16),
            Self::MagmaMgmL | Self::MagmaMgmS => aead(32, 8, 8, 8),
            Self::Aegis128L | Self::AsconAead128 => aead(16, 16, 16, 16),
            Self::Aegis256 => aead(32, 32, 32, 16),
        }
    }
}

impl Mac {
    /// How many octets it adds to a record.
    #[must_use]
    pub fn octets(self) -> usize {
        match self {
            Self::GostImit => 4,
            Self::MagmaOmac => 8,
            Self::Md5 | Self::KuznyechikOmac => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Sm3 | Self::GostR3411 => 32,
            Self::Sha384 => 48,
        }
    }

    /// How many octets of the key block are its key.
    #[must_use]
    pub fn key_octets(self) -> usize {
        match self {
            Self::GostImit | Self::MagmaOmac | Self::KuznyechikOmac => 32,
            _ => self.octets(),
        }
    }
}

impl Hash {
    /// How many octets it gives.
    #[must_use]
    pub fn octets(self) -> usize {
        match self {
            Self::Sha256 | Self::Sm3 | Self::GostR3411 | Self::Streebog256 | Self::AsconHash256 => {
                32
            }
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// Whether CBC goes on from the last block of the record before.
fn chains_records(version: ProtocolVersion) -> bool {
    version == ProtocolVersion::SSL_3 || version == ProtocolVersion::TLS_1_0
}

/// The lengths of a cipher, in octets.
struct Shape {
    key: usize,
    nonce: usize,
    mode: Mode,
}

enum Mode {
    Stream { fixed: usize },
    Cbc,
    Aead { fixed: usize, tag: usize },
}
