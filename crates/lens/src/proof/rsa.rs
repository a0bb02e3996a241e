//! RSA signatures that aws-lc does not check: over MD5 with SHA-1 as before TLS 1.2, and of keys that are
//! too short or too long for it (RFC 8017, sections 8 and 9).
//!
//! All of it is public, so that it may take as long as it takes: there is nothing to learn from that.

use num_bigint::BigUint;
use ravelin_pki::PublicKey;

use crate::digest::Hash;
use crate::story::{Missing, Refutation, Verdict};

/// Longer keys cost more than they are worth.
const MAX_BITS: u64 = 16_384;

/// Checks a signature of PKCS#1 v1.5 over a digest, with its name before it.
pub(super) fn check_pkcs1(key: &PublicKey, named_digest: &[u8], signature: &[u8]) -> Verdict {
    let Some(key) = RsaKey::of(key) else {
        return Verdict::NotDerivable(Missing::Algorithm);
    };
    // 0x00, 0x01, at least eight times 0xff, 0x00, and the digest.
    let good = key.opened(signature).is_some_and(|encoded| {
        let Some(filling) = encoded.len().checked_sub(named_digest.len() + 3) else {
            return false;
        };
        let expected = [&[0, 1], &vec![0xff; filling][..], &[0], named_digest].concat();
        filling >= 8 && encoded == expected
    });
    verdict(good)
}

/// Checks a signature of PSS whose salt is as long as the hash (RFC 8017, section 9.1.2).
pub(super) fn check_pss(
    key: &PublicKey,
    hash: Hash,
    message: &[&[u8]],
    signature: &[u8],
) -> Verdict {
    let Some(key) = RsaKey::of(key) else {
        return Verdict::NotDerivable(Missing::Algorithm);
    };
    verdict(pss_is_good(&key, hash, message, signature).is_some())
}

fn pss_is_good(key: &RsaKey, hash: Hash, message: &[&[u8]], signature: &[u8]) -> Option<()> {
    let opened = key.opened(signature)?;
    // One bit less than the modulus, which may be one octet less.
    let bits = key.modulus.bits() - 1;
    let octets = bits.div_ceil(8) as usize;
    let (before, encoded) = opened.split_at_checked(opened.len() - octets)?;
    let hash_octets = hash.octets();
    let (masked, rest) = encoded.split_at_checked(octets.checked_sub(hash_octets + 1)?)?;
    let (salted, trailer) = rest.split_at_checked(hash_octets)?;
    let unused = (8 * octets as u64 - bits) as u32;
    let first_bits = u8::MAX.checked_shr(unused).unwrap_or_default();
    let is_shaped = before.iter().all(|octet| *octet == 0)
        && trailer == [0xbc]
        && masked.first()? & !first_bits == 0;
    let mut block: Vec<u8> = masked
        .iter()
        .zip(mask(hash, salted, masked.len()))
        .map(|(octet, mask)| octet ^ mask)
        .collect();
    *block.first_mut()? &= first_bits;
    let (filling, salt) = block.split_at_checked(block.len().checked_sub(hash_octets)?)?;
    let (last, zeros) = filling.split_last()?;
    let is_filled = *last == 1 && zeros.iter().all(|octet| *octet == 0);
    let digest = hash.digest(message);
    let expected = hash.digest(&[&[0; 8], &digest, salt]);
    (is_shaped && is_filled && expected[..] == *salted).then_some(())
}

/// MGF1 (RFC 8017, appendix B.2.1).
fn mask(hash: Hash, seed: &[u8], octets: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(octets + hash.octets());
    for counter in 0_u32.. {
        if mask.len() >= octets {
            break;
        }
        mask.extend_from_slice(&hash.digest(&[seed, &counter.to_be_bytes()]));
    }
    mask.truncate(octets);
    mask
}

fn verdict(good: bool) -> Verdict {
    if good {
        Verdict::Confirmed
    } else {
        Verdict::Refuted(Refutation::BadSignature)
    }
}

struct RsaKey {
    modulus: BigUint,
    exponent: BigUint,
    octets: usize,
}

impl RsaKey {
    /// The numbers of a key, where they are such as can be worked with.
    fn of(key: &PublicKey) -> Option<Self> {
        let octets = key.rsa_modulus()?;
        let modulus = BigUint::from_bytes_be(octets);
        let exponent = key.rsa_exponent().filter(|exponent| exponent % 2 == 1)?;
        let is_sane = modulus.bit(0) && (256..=MAX_BITS).contains(&modulus.bits());
        is_sane.then(|| Self {
            octets: octets.len(),
            modulus,
            exponent: exponent.into(),
        })
    }

    /// What the signature encloses, as long as the modulus.
    fn opened(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let number = BigUint::from_bytes_be(signature);
        if signature.len() != self.octets || number >= self.modulus {
            return None;
        }
        let opened = number.modpow(&self.exponent, &self.modulus).to_bytes_be();
        let mut octets = vec![0; self.octets.checked_sub(opened.len())?];
        octets.extend_from_slice(&opened);
        Some(octets)
    }
}
