//! Hashes and HMAC, and what TLS derives keys with: HKDF with labels (RFC 8446, section 7.1), and the
//! PRFs of TLS 1.2 and before (RFC 5246 and RFC 2246, section 5).
//!
//! The hashes are those of others. How TLS puts them together is written here anew: it is to be a
//! second opinion on what TLS libraries do.

use aws_lc_rs::{digest, hmac};
use md5::{Digest as _, Md5};
use ravelin_wire::registry;
use sm3::Sm3;
use zeroize::Zeroizing;

/// A hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// MD5, of TLS 1.1 and before.
    Md5,
    /// SHA-1, of TLS 1.1 and before.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SM3, of the suites of RFC 8998.
    Sm3,
}

pub use crate::octets::Octets;

impl Hash {
    /// The hash of a cipher suite; `None` where it cannot be computed here.
    #[must_use]
    pub fn of(hash: registry::Hash) -> Option<Self> {
        match hash {
            registry::Hash::Sha256 => Some(Self::Sha256),
            registry::Hash::Sha384 => Some(Self::Sha384),
            registry::Hash::Sha512 => Some(Self::Sha512),
            registry::Hash::Sm3 => Some(Self::Sm3),
            _ => None,
        }
    }

    /// How many octets a digest has.
    #[must_use]
    pub fn octets(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 | Self::Sm3 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of these parts, one behind the other.
    #[must_use]
    pub fn digest(self, parts: &[&[u8]]) -> Octets {
        let mut running = Running::new(self);
        for part in parts {
            running.update(part);
        }
        running.finish()
    }

    /// The HMAC of these parts, one behind the other (RFC 2104).
    #[must_use]
    pub fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Octets {
        HmacKey::new(self, key).sign(parts)
    }

    /// HKDF-Extract (RFC 5869, section 2.2).
    #[must_use]
    pub fn extract(self, salt: &[u8], secret: &[u8]) -> Octets {
        self.hmac(salt, &[secret])
    }

    /// HKDF-Expand (RFC 5869, section 2.3); at most 255 digests long.
    #[must_use]
    pub fn expand(self, secret: &[u8], info: &[u8], octets: usize) -> Octets {
        HmacKey::new(self, secret).expand(info, octets)
    }

    /// HKDF-Expand-Label (RFC 8446, section 7.1). Label and context have at most 255 octets.
    #[must_use]
    pub fn expand_label(self, secret: &[u8], label: &str, context: &[u8], octets: usize) -> Octets {
        HmacKey::new(self, secret).expand_label(label, context, octets)
    }
}

/// A key of HMAC, with what is hashed of it alone done: that is half of the work for a short message.
pub struct HmacKey {
    hash: Hash,
    means: Means,
}

#[allow(clippy::large_enum_variant, reason = "nearly all are of the large one")]
enum Means {
    Fast(hmac::Key),
    /// aws-lc-rs has no MD5 and no SM3. Both hashes have taken in the key.
    ByHand {
        inner: Running,
        outer: Running,
    },
}

impl HmacKey {
    /// A key for a hash.
    #[must_use]
    pub fn new(hash: Hash, key: &[u8]) -> Self {
        let means = match hash.hmac_algorithm() {
            Some(algorithm) => Means::Fast(hmac::Key::new(algorithm, key)),
            None => Self::by_hand(hash, key),
        };
        Self { hash, means }
    }

    /// The hash that it is for.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Blocks of both are 64 octets.
    fn by_hand(hash: Hash, key: &[u8]) -> Means {
        const BLOCK: usize = 64;
        let mut block = Zeroizing::new([0; BLOCK]);
        let short = if key.len() > BLOCK {
            hash.digest(&[key])
        } else {
            Octets::new(key.to_vec())
        };
        for (octet, key) in block.iter_mut().zip(short.iter()) {
            *octet = *key;
        }
        let [inner, outer] = [0x36, 0x5c].map(|pad| {
            let padded = Zeroizing::new(block.map(|octet| octet ^ pad));
            let mut running = Running::new(hash);
            running.update(&padded[..]);
            running
        });
        Means::ByHand { inner, outer }
    }

    /// The HMAC of these parts, one behind the other.
    #[must_use]
    pub fn sign(&self, parts: &[&[u8]]) -> Octets {
        match &self.means {
            Means::Fast(key) => {
                let mut context = hmac::Context::with_key(key);
                for part in parts {
                    context.update(part);
                }
                Octets::new(context.sign().as_ref().to_vec())
            }
            Means::ByHand { inner, outer } => {
                let (mut inner, mut outer) = (inner.clone(), outer.clone());
                for part in parts {
                    inner.update(part);
                }
                outer.update(&inner.finish());
                outer.finish()
            }
        }
    }

    /// HKDF-Expand (RFC 5869, section 2.3); at most 255 digests long.
    #[must_use]
    pub fn expand(&self, info: &[u8], octets: usize) -> Octets {
        let mut block = self.sign(&[info, &[1]]);
        if octets <= block.len() {
            block.truncate(octets);
            return block;
        }
        let mut output = Octets::new(Vec::with_capacity(octets + block.len()));
        output.extend_from_slice(&block);
        for counter in 2..=u8::MAX {
            if output.len() >= octets {
                break;
            }
            block = self.sign(&[&block, info, &[counter]]);
            output.extend_from_slice(&block);
        }
        output.truncate(octets);
        output
    }

    /// HKDF-Expand-Label (RFC 8446, section 7.1). Label and context have at most 255 octets.
    #[must_use]
    pub fn expand_label(&self, label: &str, context: &[u8], octets: usize) -> Octets {
        self.expand(&hkdf_label(label, context, octets), octets)
    }

    /// `P_hash` (RFC 5246, section 5).
    fn p_hash(&self, seed: &[&[u8]], octets: usize) -> Octets {
        let mut output = Octets::new(Vec::with_capacity(octets + self.hash.octets()));
        let mut a = self.sign(seed);
        while output.len() < octets {
            output.extend_from_slice(&self.sign(&[&[&a[..]], seed].concat()));
            a = self.sign(&[&a]);
        }
        output.truncate(octets);
        output
    }
}

/// Without the key.
impl std::fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HmacKey")
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

impl Hash {
    fn digest_algorithm(self) -> Option<&'static digest::Algorithm> {
        match self {
            Self::Md5 | Self::Sm3 => None,
            Self::Sha1 => Some(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            Self::Sha256 => Some(&digest::SHA256),
            Self::Sha384 => Some(&digest::SHA384),
            Self::Sha512 => Some(&digest::SHA512),
        }
    }

    fn hmac_algorithm(self) -> Option<hmac::Algorithm> {
        match self {
            Self::Md5 | Self::Sm3 => None,
            Self::Sha1 => Some(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
            Self::Sha256 => Some(hmac::HMAC_SHA256),
            Self::Sha384 => Some(hmac::HMAC_SHA384),
            Self::Sha512 => Some(hmac::HMAC_SHA512),
        }
    }
}

/// A digest of what comes in parts; a clone of it is one of the parts so far.
#[derive(Clone)]
pub struct Running(State);

#[derive(Clone)]
enum State {
    Md5(Md5),
    Sm3(Sm3),
    Other(digest::Context),
}

impl Running {
    /// Of nothing yet.
    #[must_use]
    pub fn new(hash: Hash) -> Self {
        Self(match (hash, hash.digest_algorithm()) {
            (_, Some(algorithm)) => State::Other(digest::Context::new(algorithm)),
            (Hash::Sm3, None) => State::Sm3(Sm3::new()),
            (_, None) => State::Md5(Md5::new()),
        })
    }

    /// Adds the next part.
    pub fn update(&mut self, part: &[u8]) {
        match &mut self.0 {
            State::Md5(context) => context.update(part),
            State::Sm3(context) => context.update(part),
            State::Other(context) => context.update(part),
        }
    }

    /// The digest of all parts.
    #[must_use]
    pub fn finish(self) -> Octets {
        Octets::new(match self.0 {
            State::Md5(context) => context.finalize().to_vec(),
            State::Sm3(context) => context.finalize().to_vec(),
            State::Other(context) => context.finish().as_ref().to_vec(),
        })
    }
}

/// Digests are not secret, but what they are of can be.
impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

/// The `HkdfLabel` that says what is derived (RFC 8446, section 7.1).
#[must_use]
pub fn hkdf_label(label: &str, context: &[u8], octets: usize) -> Vec<u8> {
    const PREFIX: &[u8] = b"tls13 ";
    let label_octets = PREFIX.len() + label.len();
    let mut written = Vec::with_capacity(4 + label_octets + context.len());
    written.extend_from_slice(&(octets as u16).to_be_bytes());
    written.push(label_octets as u8);
    written.extend_from_slice(PREFIX);
    written.extend_from_slice(label.as_bytes());
    written.push(context.len() as u8);
    written.extend_from_slice(context);
    written
}

/// The pseudorandom function of TLS 1.2 and before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prf {
    /// MD5 over SHA-1, with more and more letters in place of a label (RFC 6101, section 6.1).
    Ssl3,
    /// MD5 and SHA-1, each with a half of the secret (RFC 2246, section 5).
    Tls10,
    /// The hash of the suite (RFC 5246, section 5).
    Tls12(Hash),
}

impl Prf {
    /// So many octets from a secret, a label and a seed in parts.
    #[must_use]
    pub fn expand(self, secret: &[u8], label: &str, seed: &[&[u8]], octets: usize) -> Octets {
        let seed = [&[label.as_bytes()], seed].concat();
        match self {
            Self::Tls12(hash) => HmacKey::new(hash, secret).p_hash(&seed, octets),
            Self::Ssl3 => ssl3(secret, &seed, octets),
            Self::Tls10 => {
                // Where the secret is odd, its middle octet is in both halves.
                let half = secret.len().div_ceil(2);
                let first = secret.get(..half).unwrap_or_default();
                let second = secret.get(secret.len() - half..).unwrap_or_default();
                let mut output = HmacKey::new(Hash::Md5, first).p_hash(&seed, octets);
                let other = HmacKey::new(Hash::Sha1, second).p_hash(&seed, octets);
                for (octet, other) in output.iter_mut().zip(other.iter()) {
                    *octet ^= other;
                }
                output
            }
        }
    }

    /// The hashes of [`digest`](Self::digest), in their order.
    #[must_use]
    pub fn hashes(self) -> &'static [Hash] {
        match self {
            Self::Ssl3 | Self::Tls10 => &[Hash::Md5, Hash::Sha1],
            Self::Tls12(Hash::Sha384) => &[Hash::Sha384],
            Self::Tls12(Hash::Sha512) => &[Hash::Sha512],
            Self::Tls12(Hash::Md5) => &[Hash::Md5],
            Self::Tls12(Hash::Sha1) => &[Hash::Sha1],
            Self::Tls12(Hash::Sha256) => &[Hash::Sha256],
            Self::Tls12(Hash::Sm3) => &[Hash::Sm3],
        }
    }

    /// What the Finished messages and signatures hash the handshake with.
    #[must_use]
    pub fn digest(self, parts: &[&[u8]]) -> Octets {
        match self {
            Self::Tls12(hash) => hash.digest(parts),
            Self::Ssl3 | Self::Tls10 => {
                let mut digest = Hash::Md5.digest(parts);
                digest.extend_from_slice(&Hash::Sha1.digest(parts));
                digest
            }
        }
    }
}

/// `MD5(secret + SHA('A' + secret + seed)) + MD5(secret + SHA('BB' + secret + seed)) + …` (RFC 6101, section 6.2.2);
/// at most 26 digests long, as there are letters.
fn ssl3(secret: &[u8], seed: &[&[u8]], octets: usize) -> Octets {
    let mut output = Octets::new(Vec::with_capacity(octets + Hash::Md5.octets()));
    for (letter, times) in (b'A'..=b'Z').zip(1..) {
        if output.len() >= octets {
            break;
        }
        let letters = vec![letter; times];
        let inside = Hash::Sha1.digest(&[&[&letters[..], secret], seed].concat());
        output.extend_from_slice(&Hash::Md5.digest(&[secret, &inside]));
    }
    output.truncate(octets);
    output
}

/// What the keyed hashes of SSL 3.0 put behind the secret, within and without, as many octets as fill a block
/// (RFC 6101, section 5.2.3.1).
#[must_use]
pub fn ssl3_padding(hash: Hash) -> [Vec<u8>; 2] {
    let octets = match hash {
        Hash::Md5 => 48,
        _ => 40,
    };
    [vec![0x36; octets], vec![0x5c; octets]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        let pair =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    }

    /// RFC 2202, sections 2 and 3: the first cases, and those with a key longer than a block.
    #[test]
    fn hmac_is_that_of_rfc_2202() {
        for (hash, key, message, mac) in [
            (
                Hash::Md5,
                vec![0x0b; 16],
                "Hi There",
                "9294727a3638bb1c13f48ef8158bfc9d",
            ),
            (
                Hash::Md5,
                vec![0xaa; 80],
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd",
            ),
            (
                Hash::Sha1,
                vec![0x0b; 20],
                "Hi There",
                "b617318655057264e28bc0b6fb378c8ef146be00",
            ),
        ] {
            assert_eq!(*hash.hmac(&key, &[message.as_bytes()]), octets(mac));
        }
    }

    /// RFC 5869, appendix A.1.
    #[test]
    fn hkdf_is_that_of_rfc_5869() {
        let secret = Hash::Sha256.extract(&octets("000102030405060708090a0b0c"), &[0x0b; 22]);
        assert_eq!(
            *secret,
            octets("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5")
        );
        let output = Hash::Sha256.expand(&secret, &octets("f0f1f2f3f4f5f6f7f8f9"), 42);
        assert_eq!(
            *output,
            octets(
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
            )
        );
    }
}
