//! DSA, which aws-lc does not have and TLS 1.2 and before did (FIPS 186-4, section 4.7).

use num_bigint::BigUint;
use num_traits::{One as _, Zero as _};
use ravelin_pki::PublicKey;
use ravelin_pki::der::{Element, Reader, Tag};

use crate::story::{Missing, Refutation, Verdict};

/// `id-dsa` (RFC 3279, section 2.3.2), as the content of its DER.
const ID_DSA: &[u8] = b"\x2a\x86\x48\xce\x38\x04\x01";

/// Longer primes cost more than they are worth: FIPS 186-4 ends at 3072 bits and 256.
const MAX_BITS: (u64, u64) = (8192, 512);

/// Whether a key is one of DSA.
pub(super) fn is_key(key: &PublicKey) -> bool {
    key.algorithm().oid.der_content() == ID_DSA
}

/// Checks a signature over a digest.
pub(super) fn check(key: &PublicKey, digest: &[u8], signature: &[u8]) -> Verdict {
    if !is_key(key) {
        return super::scheme::wrong_key(key);
    }
    let Some(key) = DsaKey::of(key) else {
        return Verdict::NotDerivable(Missing::Algorithm);
    };
    match key.is_good(digest, signature) {
        Some(true) => Verdict::Confirmed,
        _ => Verdict::Refuted(Refutation::BadSignature),
    }
}

struct DsaKey {
    p: BigUint,
    q: BigUint,
    g: BigUint,
    y: BigUint,
}

impl DsaKey {
    fn of(key: &PublicKey) -> Option<Self> {
        let parameters = key.algorithm().parameters.as_deref()?;
        let [p, q, g] = numbers(Reader::only(parameters, Tag::SEQUENCE).ok()?)?;
        let y = number(Reader::only(key.bits(), Tag::INTEGER).ok()?)?;
        let is_sane = p.bit(0)
            && q.bit(0)
            && q > BigUint::one()
            && p > q
            && p.bits() <= MAX_BITS.0
            && q.bits() <= MAX_BITS.1;
        is_sane.then_some(Self { p, q, g, y })
    }

    fn is_good(&self, digest: &[u8], signature: &[u8]) -> Option<bool> {
        let [r, s] = numbers(Reader::only(signature, Tag::SEQUENCE).ok()?)?;
        let in_range = |number: &BigUint| !number.is_zero() && number < &self.q;
        if !in_range(&r) || !in_range(&s) {
            return Some(false);
        }
        // The leftmost bits of the digest, as many as q has.
        let surplus = (8 * digest.len() as u64).saturating_sub(self.q.bits());
        let hash = BigUint::from_bytes_be(digest) >> surplus;
        let inverse = s.modinv(&self.q)?;
        let u1 = hash * &inverse % &self.q;
        let u2 = &r * &inverse % &self.q;
        let product = self.g.modpow(&u1, &self.p) * self.y.modpow(&u2, &self.p);
        Some(product % &self.p % &self.q == r)
    }
}

fn numbers<const N: usize>(sequence: Element<'_>) -> Option<[BigUint; N]> {
    let mut reader = sequence.reader();
    let mut numbers = Vec::with_capacity(N);
    for _ in 0..N {
        numbers.push(number(reader.expect(Tag::INTEGER).ok()?)?);
    }
    reader.finish().ok()?;
    numbers.try_into().ok()
}

/// A number that is not negative.
fn number(element: Element<'_>) -> Option<BigUint> {
    let octets = element.integer().ok()?;
    let is_negative = octets.first()? & 0x80 != 0;
    (!is_negative).then(|| BigUint::from_bytes_be(octets))
}
