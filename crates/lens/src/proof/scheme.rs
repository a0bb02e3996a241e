//! What the schemes and the versions mean: which keys sign so, over which hash, and in what form.

use aws_lc_rs::digest;
use ravelin_pki::signature::{Hash as PkiHash, SignatureError};
use ravelin_pki::{KeyType, Pss, PublicKey, SignatureAlgorithm};
use ravelin_wire::registry::{HashAlgorithm, SignatureScheme};

use super::{dsa, rsa};
use crate::digest::{Hash, Prf};
use crate::ledger::Side;
use crate::story::{Missing, Refutation, Verdict};

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// RSASSA-PKCS1-v1_5.
    Pkcs1(Digest),
    /// RSASSA-PSS with a salt as long as the hash.
    Pss(PkiHash, PssKeys),
    /// ECDSA; in TLS 1.3 on this curve and no other.
    Ecdsa(Digest, Option<KeyType>),
    /// DSA.
    Dsa(Digest),
    /// Ed25519 and ML-DSA, which hash for themselves.
    Whole(SignatureAlgorithm),
}

/// How a scheme is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MeansOf {
    Known(Means),
    /// It is not known here.
    Unknown,
    /// The version does not allow it.
    Forbidden,
}

/// Which RSA keys make signatures of PSS (RFC 8446, section 4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PssKeys {
    /// Those that are for all of RSA.
    All,
    /// Those that are for PSS alone.
    PssAlone,
}

/// What of a message is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    /// MD5 and SHA-1, one behind the other and without a name: before TLS 1.2 (RFC 4346, section 4.7).
    Md5Sha1,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// What was signed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Message<'m> {
    /// These octets, one behind the other.
    Octets(&'m [&'m [u8]]),
    /// What has these hashes: SSL 3.0 does not sign plain hashes.
    Hashed { md5: &'m [u8], sha1: &'m [u8] },
}

impl Means {
    /// The scheme in TLS 1.3 (RFC 8446, section 4.2.3), which has no PKCS#1 but for clients that can do no
    /// other (RFC 9963), and no SHA-1.
    pub(super) fn of_tls13(scheme: SignatureScheme, side: Side) -> MeansOf {
        use SignatureScheme as S;
        MeansOf::Known(match scheme {
            S::ECDSA_SECP256R1_SHA256 => Self::Ecdsa(Digest::Sha256, Some(KeyType::EcdsaP256)),
            S::ECDSA_SECP384R1_SHA384 => Self::Ecdsa(Digest::Sha384, Some(KeyType::EcdsaP384)),
            S::ECDSA_SECP521R1_SHA512 => Self::Ecdsa(Digest::Sha512, Some(KeyType::EcdsaP521)),
            S::RSA_PKCS1_SHA256_LEGACY if side == Side::Client => Self::Pkcs1(Digest::Sha256),
            S::RSA_PKCS1_SHA384_LEGACY if side == Side::Client => Self::Pkcs1(Digest::Sha384),
            S::RSA_PKCS1_SHA512_LEGACY if side == Side::Client => Self::Pkcs1(Digest::Sha512),
            S::RSA_PKCS1_SHA256_LEGACY
            | S::RSA_PKCS1_SHA384_LEGACY
            | S::RSA_PKCS1_SHA512_LEGACY => return MeansOf::Forbidden,
            _ => match Self::of_new(scheme) {
                MeansOf::Unknown if is_pair(scheme) => return MeansOf::Forbidden,
                means => return means,
            },
        })
    }

    /// The scheme in TLS 1.2: a hash and a kind of key (RFC 5246, section 7.4.1.4.1), whatever the curve,
    /// or one of the newer ones (RFC 8446, section 4.2.3; RFC 8422).
    pub(super) fn of_tls12(scheme: SignatureScheme) -> MeansOf {
        if !is_pair(scheme) {
            return Self::of_new(scheme);
        }
        let digest = match scheme.hash() {
            HashAlgorithm::MD5 => Digest::Md5,
            HashAlgorithm::SHA1 => Digest::Sha1,
            HashAlgorithm::SHA224 => Digest::Sha224,
            HashAlgorithm::SHA256 => Digest::Sha256,
            HashAlgorithm::SHA384 => Digest::Sha384,
            _ => Digest::Sha512,
        };
        MeansOf::Known(match scheme.signature().0 {
            1 => Self::Pkcs1(digest),
            2 => Self::Dsa(digest),
            _ => Self::Ecdsa(digest, None),
        })
    }

    /// What is signed before TLS 1.2 follows from the key (RFC 4346, sections 4.7 and 7.4.3; RFC 4492,
    /// section 5.4).
    pub(super) fn of_key(key: &PublicKey) -> MeansOf {
        MeansOf::Known(match key.key_type() {
            Some(KeyType::Rsa(_)) => Self::Pkcs1(Digest::Md5Sha1),
            Some(KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521) => {
                Self::Ecdsa(Digest::Sha1, None)
            }
            None if dsa::is_key(key) => Self::Dsa(Digest::Sha1),
            None => return MeansOf::Unknown,
            Some(_) => return MeansOf::Forbidden,
        })
    }

    /// The schemes that mean the same in TLS 1.2 and 1.3.
    fn of_new(scheme: SignatureScheme) -> MeansOf {
        use SignatureScheme as S;
        MeansOf::Known(match scheme {
            S::RSA_PSS_RSAE_SHA256 => Self::Pss(PkiHash::Sha256, PssKeys::All),
            S::RSA_PSS_RSAE_SHA384 => Self::Pss(PkiHash::Sha384, PssKeys::All),
            S::RSA_PSS_RSAE_SHA512 => Self::Pss(PkiHash::Sha512, PssKeys::All),
            S::RSA_PSS_PSS_SHA256 => Self::Pss(PkiHash::Sha256, PssKeys::PssAlone),
            S::RSA_PSS_PSS_SHA384 => Self::Pss(PkiHash::Sha384, PssKeys::PssAlone),
            S::RSA_PSS_PSS_SHA512 => Self::Pss(PkiHash::Sha512, PssKeys::PssAlone),
            S::ED25519 => Self::Whole(SignatureAlgorithm::Ed25519),
            S::MLDSA44 => Self::Whole(SignatureAlgorithm::MlDsa44),
            S::MLDSA65 => Self::Whole(SignatureAlgorithm::MlDsa65),
            S::MLDSA87 => Self::Whole(SignatureAlgorithm::MlDsa87),
            _ => return MeansOf::Unknown,
        })
    }

    /// Checks a signature of `key`.
    pub(super) fn check(self, key: &PublicKey, message: &Message<'_>, signature: &[u8]) -> Verdict {
        match self {
            Self::Pkcs1(digest) => pkcs1(digest, key, message, signature),
            Self::Pss(hash, keys) => pss(hash, keys, key, message, signature),
            Self::Ecdsa(digest, curve) => ecdsa(digest, curve, key, message, signature),
            Self::Dsa(digest) => {
                let digest = digest.of(message);
                dsa::check(key, &digest, signature)
            }
            Self::Whole(algorithm) => by_pki(algorithm, key, message, signature),
        }
    }
}

/// Whether a scheme is a pair of TLS 1.2: a hash that is known, with RSA, DSA or ECDSA.
fn is_pair(scheme: SignatureScheme) -> bool {
    (HashAlgorithm::MD5.0..=HashAlgorithm::SHA512.0).contains(&scheme.hash().0)
        && (1..=3).contains(&scheme.signature().0)
}

fn pkcs1(digest: Digest, key: &PublicKey, message: &Message<'_>, signature: &[u8]) -> Verdict {
    let Some(KeyType::Rsa(bits)) = key.key_type() else {
        return wrong_key(key);
    };
    match digest.of_pki() {
        // The sizes that aws-lc checks with each of these hashes.
        Some(hash) if (2048..=8192).contains(&bits) => {
            by_pki(SignatureAlgorithm::RsaPkcs1(hash), key, message, signature)
        }
        _ => {
            let named = [digest.name(), &digest.of(message)].concat();
            rsa::check_pkcs1(key, &named, signature)
        }
    }
}

fn pss(
    hash: PkiHash,
    keys: PssKeys,
    key: &PublicKey,
    message: &Message<'_>,
    signature: &[u8],
) -> Verdict {
    let ((PssKeys::All, Some(KeyType::Rsa(bits)))
    | (PssKeys::PssAlone, Some(KeyType::RsaPss(bits)))) = (keys, key.key_type())
    else {
        return wrong_key(key);
    };
    let algorithm = SignatureAlgorithm::RsaPss(Pss::of(hash));
    match (keys, message) {
        _ if (2048..=8192).contains(&bits) => by_pki(algorithm, key, message, signature),
        (PssKeys::All, Message::Octets(parts)) => {
            rsa::check_pss(key, lens_hash(hash), parts, signature)
        }
        _ => Verdict::NotDerivable(Missing::Algorithm),
    }
}

fn ecdsa(
    digest: Digest,
    curve: Option<KeyType>,
    key: &PublicKey,
    message: &Message<'_>,
    signature: &[u8],
) -> Verdict {
    let is_curve = matches!(
        key.key_type(),
        Some(KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521)
    );
    if !is_curve || curve.is_some_and(|curve| key.key_type() != Some(curve)) {
        return wrong_key(key);
    }
    match digest.of_pki() {
        Some(hash) => by_pki(SignatureAlgorithm::Ecdsa(hash), key, message, signature),
        None => Verdict::NotDerivable(Missing::Algorithm),
    }
}

fn by_pki(
    algorithm: SignatureAlgorithm,
    key: &PublicKey,
    message: &Message<'_>,
    signature: &[u8],
) -> Verdict {
    // What is known by its hashes alone is of SSL 3.0, where nothing but RSA and DSA signs.
    let Message::Octets(parts) = message else {
        return Verdict::NotDerivable(Missing::Algorithm);
    };
    match algorithm.verify(key, &parts.concat(), signature) {
        Ok(()) => Verdict::Confirmed,
        Err(SignatureError::Wrong) => Verdict::Refuted(Refutation::BadSignature),
        Err(SignatureError::WrongKey { .. }) => wrong_key(key),
        Err(SignatureError::Unsupported { .. } | SignatureError::KeySize { .. }) => {
            Verdict::NotDerivable(Missing::Algorithm)
        }
    }
}

/// A key of a kind that is not known may be of any kind.
pub(super) fn wrong_key(key: &PublicKey) -> Verdict {
    if key.key_type().is_some() || dsa::is_key(key) {
        Verdict::Refuted(Refutation::WrongKeyForScheme)
    } else {
        Verdict::NotDerivable(Missing::Algorithm)
    }
}

fn lens_hash(hash: PkiHash) -> Hash {
    match hash {
        PkiHash::Sha1 => Hash::Sha1,
        PkiHash::Sha256 => Hash::Sha256,
        PkiHash::Sha384 => Hash::Sha384,
        PkiHash::Sha512 => Hash::Sha512,
    }
}

impl Digest {
    fn of(self, message: &Message<'_>) -> Vec<u8> {
        let parts = match (self, message) {
            (_, Message::Octets(parts)) => parts,
            (Self::Md5Sha1, Message::Hashed { md5, sha1 }) => return [*md5, *sha1].concat(),
            (Self::Md5, Message::Hashed { md5, .. }) => return md5.to_vec(),
            (_, Message::Hashed { sha1, .. }) => return sha1.to_vec(),
        };
        let hash = match self {
            Self::Md5Sha1 => return Prf::Tls10.digest(parts).to_vec(),
            Self::Sha224 => {
                let mut context = digest::Context::new(&digest::SHA224);
                for part in *parts {
                    context.update(part);
                }
                return context.finish().as_ref().to_vec();
            }
            Self::Md5 => Hash::Md5,
            Self::Sha1 => Hash::Sha1,
            Self::Sha256 => Hash::Sha256,
            Self::Sha384 => Hash::Sha384,
            Self::Sha512 => Hash::Sha512,
        };
        hash.digest(parts).to_vec()
    }

    fn of_pki(self) -> Option<PkiHash> {
        match self {
            Self::Md5Sha1 | Self::Md5 | Self::Sha224 => None,
            Self::Sha1 => Some(PkiHash::Sha1),
            Self::Sha256 => Some(PkiHash::Sha256),
            Self::Sha384 => Some(PkiHash::Sha384),
            Self::Sha512 => Some(PkiHash::Sha512),
        }
    }

    /// What PKCS#1 puts before the digest: a `DigestInfo` up to its octets (RFC 8017, section 9.2).
    fn name(self) -> &'static [u8] {
        match self {
            Self::Md5Sha1 => b"",
            Self::Md5 => {
                b"\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10"
            }
            Self::Sha1 => b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
            Self::Sha224 => {
                b"\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c"
            }
            Self::Sha256 => {
                b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
            }
            Self::Sha384 => {
                b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"
            }
            Self::Sha512 => {
                b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"
            }
        }
    }
}
