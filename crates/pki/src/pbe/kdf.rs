//! Keys from passphrases: PBKDF2 (RFC 8018), scrypt (RFC 7914), the derivation of PKCS#12 (RFC 7292,
//! appendix B) and OpenSSL's own of old.
//!
//! The number of rounds is bounded by the callers.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::{PbeError, identifier, unsupported};
use crate::der::Element;

/// A hash function, in the places where a passphrase goes through one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The hash of an HMAC, from its `AlgorithmIdentifier` (RFC 8018, appendix B.1).
    pub(crate) fn of_hmac(algorithm: Element<'_>) -> Result<Self, PbeError> {
        let (oid, _) = identifier(algorithm)?;
        Ok(match oid.content {
            b"\x2a\x86\x48\x86\xf7\x0d\x02\x07" => Self::Sha1,
            b"\x2a\x86\x48\x86\xf7\x0d\x02\x08" => Self::Sha224,
            HMAC_SHA256 => Self::Sha256,
            b"\x2a\x86\x48\x86\xf7\x0d\x02\x0a" => Self::Sha384,
            b"\x2a\x86\x48\x86\xf7\x0d\x02\x0b" => Self::Sha512,
            _ => return Err(unsupported(oid)),
        })
    }

    /// A hash, from its object identifier (RFC 8017, appendix A.2.4).
    pub(crate) fn of_digest(oid: Element<'_>) -> Result<Self, PbeError> {
        Ok(match oid.content {
            SHA1 => Self::Sha1,
            b"\x60\x86\x48\x01\x65\x03\x04\x02\x04" => Self::Sha224,
            SHA256 => Self::Sha256,
            b"\x60\x86\x48\x01\x65\x03\x04\x02\x02" => Self::Sha384,
            b"\x60\x86\x48\x01\x65\x03\x04\x02\x03" => Self::Sha512,
            _ => return Err(unsupported(oid)),
        })
    }

    /// How long its output is.
    pub(crate) fn octets(self) -> usize {
        self.digest().output_len()
    }

    /// What a round of it costs, in rounds of SHA-256. Measured: a million rounds of PBKDF2 take
    /// 0.13 s with SHA-1 and SHA-256, 0.53 s with SHA-512, and 0.64 s with SHA-224, which is ours.
    pub(crate) fn weight(self) -> u64 {
        match self {
            Self::Sha1 | Self::Sha256 => 1,
            Self::Sha384 | Self::Sha512 => 4,
            Self::Sha224 => 5,
        }
    }

    pub(crate) fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => hmac::HMAC_SHA224,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// PBKDF2 (RFC 8018, section 5.2). `iterations` is not zero.
pub(crate) fn pbkdf2(hash: Hash, secret: &[u8], salt: &[u8], iterations: u32, key: &mut [u8]) {
    let rounds = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    let algorithm = match hash {
        Hash::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Hash::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        // aws-lc-rs has no PBKDF2 of it, and OpenSSL writes it where it is told to.
        Hash::Sha224 => {
            let hmac_key = hmac::Key::new(hash.hmac(), secret);
            for (index, block) in key.chunks_mut(hash.octets()).enumerate() {
                let counted = [salt, &(index as u32 + 1).to_be_bytes()].concat();
                let mut round = hmac::sign(&hmac_key, &counted);
                let mut sum = round.as_ref().to_vec();
                for _ in 1..rounds.get() {
                    round = hmac::sign(&hmac_key, round.as_ref());
                    sum.iter_mut()
                        .zip(round.as_ref())
                        .for_each(|(sum, octet)| *sum ^= octet);
                }
                block.copy_from_slice(&sum[..block.len()]);
            }
            return;
        }
    };
    pbkdf2::derive(algorithm, rounds, salt, secret, key);
}

/// What scrypt is asked for, checked.
pub(crate) struct ScryptCost {
    /// The logarithm of N, r and p.
    pub(crate) parameters: (u8, u32, u32),
    /// What it costs.
    pub(crate) rounds: u64,
}

/// Checks the parameters of scrypt (RFC 7914, section 2). It takes 128 · N · r octets of memory, of
/// which 256 MiB are allowed.
pub(crate) fn scrypt_cost(n: u64, r: u64, p: u64) -> Result<ScryptCost, PbeError> {
    if n < 2 || !n.is_power_of_two() || r == 0 || p == 0 {
        return Err(PbeError::Nonsense {
            problem: "scrypt takes a power of two for N, and no zeros",
        });
    }
    let memory = n.checked_mul(r).ok_or(PbeError::TooCostly)?;
    let cost = memory.checked_mul(p).ok_or(PbeError::TooCostly)?;
    if memory > (256 << 20) / 128 {
        return Err(PbeError::TooCostly);
    }
    let (Ok(r), Ok(p)) = (u32::try_from(r), u32::try_from(p)) else {
        return Err(PbeError::TooCostly);
    };
    Ok(ScryptCost {
        parameters: (n.trailing_zeros() as u8, r, p),
        // Measured: 2^17, which is OpenSSL's default, takes 54 ms, and 2^21 a second.
        rounds: cost.saturating_mul(4),
    })
}

/// scrypt (RFC 7914), with the logarithm of N, r and p.
pub(crate) fn scrypt(
    secret: &[u8],
    salt: &[u8],
    (log_n, r, p): (u8, u32, u32),
    key: &mut [u8],
) -> Result<(), PbeError> {
    const NONSENSE: PbeError = PbeError::Nonsense {
        problem: "scrypt does not take its parameters together",
    };
    let parameters = scrypt::Params::new(log_n, r, p).map_err(|_| NONSENSE)?;
    scrypt::scrypt(secret, salt, &parameters, key).map_err(|_| NONSENSE)
}

/// What a key of PKCS#12 is for (RFC 7292, appendix B.3).
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// How many rounds [`pkcs12`] takes.
pub(crate) fn pkcs12_rounds(hash: Hash, iterations: u32, octets: usize) -> u64 {
    u64::from(iterations) * octets.div_ceil(hash.octets()) as u64 * hash.weight()
}

/// The key derivation of PKCS#12 (RFC 7292, appendix B.2).
pub(crate) fn pkcs12(
    hash: Hash,
    purpose: Purpose,
    secret: &[u8],
    salt: &[u8],
    iterations: u32,
    octets: usize,
) -> Zeroizing<Vec<u8>> {
    let block = hash.digest().block_len();
    let filled = |bytes: &[u8]| {
        let whole = bytes.len().div_ceil(block) * block;
        Zeroizing::new(
            bytes
                .iter()
                .copied()
                .cycle()
                .take(whole)
                .collect::<Vec<u8>>(),
        )
    };
    let diversifier = vec![purpose as u8; block];
    let mut input = Zeroizing::new([filled(salt).as_slice(), &filled(secret)].concat());
    let mut key = Zeroizing::new(Vec::with_capacity(octets));
    loop {
        let mut context = digest::Context::new(hash.digest());
        context.update(&diversifier);
        context.update(&input);
        let mut round = context.finish();
        for _ in 1..iterations {
            round = digest::digest(hash.digest(), round.as_ref());
        }
        let wanted = octets - key.len();
        key.extend(round.as_ref().iter().take(wanted));
        if key.len() == octets {
            return key;
        }
        // Each block of the input, taken as one large number, plus the hash repeated, plus one.
        for part in input.chunks_mut(block) {
            let mut carry = 1_u16;
            let addend = round.as_ref().iter().cycle().take(block);
            for (octet, add) in part.iter_mut().zip(addend.collect::<Vec<_>>()).rev() {
                carry += u16::from(*octet) + u16::from(*add);
                *octet = carry as u8;
                carry >>= 8;
            }
        }
    }
}

/// What OpenSSL calls `EVP_BytesToKey`, with MD5 and one round, as its PEM encryption has it.
pub(crate) fn openssl(secret: &[u8], salt: &[u8], octets: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(octets));
    let mut last: Zeroizing<Vec<u8>> = Zeroizing::default();
    while key.len() < octets {
        last = Zeroizing::new(md5(&[&last, secret, salt]).to_vec());
        let wanted = octets - key.len();
        key.extend(last.iter().take(wanted));
    }
    key
}

/// MD5 of some parts, for formats that know nothing else.
pub(crate) fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

pub(crate) const HMAC_SHA256: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02\x09";
pub(crate) const SHA1: &[u8] = b"\x2b\x0e\x03\x02\x1a";
pub(crate) const SHA256: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02\x01";
