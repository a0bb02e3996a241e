//! Signature algorithms: how they are written in certificates, and whether a signature is right.

use std::fmt;

use aws_lc_rs::signature::{self as aws, RsaParameters, VerificationAlgorithm};

use crate::der::{DerError, Element, Tag, Writer};
use crate::oid::Oid;
use crate::public_key::{KeyType, PublicKey};

mod pss;

pub use pss::Pss;
pub(crate) use pss::PssKey;

/// An `AlgorithmIdentifier` (RFC 5280, section 4.1.1.2), of whatever algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AlgorithmIdentifier {
    /// The algorithm.
    pub oid: Oid,
    /// Its parameters in DER.
    pub parameters: Option<Vec<u8>>,
}

/// A signature algorithm that Ravelin knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2; identifiers in RFC 4055).
    RsaPkcs1(Hash),
    /// RSASSA-PSS (RFC 8017, section 8.1).
    RsaPss(Pss),
    /// ECDSA (FIPS 186-5; identifiers in RFC 5758).
    Ecdsa(Hash),
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// ML-DSA-44 (FIPS 204; identifiers in RFC 9881).
    MlDsa44,
    /// ML-DSA-65.
    MlDsa65,
    /// ML-DSA-87.
    MlDsa87,
}

/// A hash function that signatures are made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-1: broken, and only ever verified.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Nobody here can tell: the algorithm is old, new or rare.
    #[error("signatures of the algorithm \"{algorithm}\" cannot be checked")]
    Unsupported {
        /// Its name or number.
        algorithm: String,
    },
    /// The key is of a kind that makes no such signatures.
    #[error(
        "a signature of the algorithm \"{algorithm}\" cannot come from a key of the kind {key}"
    )]
    WrongKey {
        /// What the signature says it is.
        algorithm: String,
        /// What the key is.
        key: String,
    },
    /// Nobody here checks such signatures with a key of this size. That says nothing of the signature.
    #[error(
        "a signature of the algorithm \"{algorithm}\" is not checked with a key of {bits} bits: {least} to {most} \
         are supported"
    )]
    KeySize {
        /// What the signature says it is.
        algorithm: String,
        /// How many bits the key has.
        bits: u16,
        /// How many it must have.
        least: u16,
        /// How many it may have.
        most: u16,
    },
    /// The signature is not of this key over these bytes.
    #[error("the signature is wrong")]
    Wrong,
}

impl AlgorithmIdentifier {
    /// Reads one.
    pub fn read(element: Element<'_>) -> Result<Self, DerError> {
        let mut reader = element.tagged(Tag::SEQUENCE)?.reader();
        let oid = reader.expect(Tag::OBJECT_IDENTIFIER)?.oid()?;
        let parameters = if reader.is_at_end() {
            None
        } else {
            Some(reader.next()?.whole.to_vec())
        };
        reader.finish()?;
        Ok(Self { oid, parameters })
    }

    /// Writes it.
    pub fn write(&self, w: &mut Writer) {
        w.sequence(|w| {
            w.oid(&self.oid);
            w.raw(self.parameters.as_deref().unwrap_or_default());
        });
    }

    /// The signature algorithm that it stands for, where that is known.
    #[must_use]
    pub fn signature_algorithm(&self) -> Option<SignatureAlgorithm> {
        use SignatureAlgorithm as S;
        let parameters = self.parameters.as_deref();
        if self.oid == Oid::RSA_PSS {
            return Pss::read(parameters?).ok()?.map(S::RsaPss);
        }
        let known = [
            (Oid::SHA1_WITH_RSA, S::RsaPkcs1(Hash::Sha1)),
            (Oid::SHA256_WITH_RSA, S::RsaPkcs1(Hash::Sha256)),
            (Oid::SHA384_WITH_RSA, S::RsaPkcs1(Hash::Sha384)),
            (Oid::SHA512_WITH_RSA, S::RsaPkcs1(Hash::Sha512)),
            (Oid::ECDSA_SHA1, S::Ecdsa(Hash::Sha1)),
            (Oid::ECDSA_SHA256, S::Ecdsa(Hash::Sha256)),
            (Oid::ECDSA_SHA384, S::Ecdsa(Hash::Sha384)),
            (Oid::ECDSA_SHA512, S::Ecdsa(Hash::Sha512)),
            (Oid::ED25519, S::Ed25519),
            (Oid::ML_DSA_44, S::MlDsa44),
            (Oid::ML_DSA_65, S::MlDsa65),
            (Oid::ML_DSA_87, S::MlDsa87),
        ];
        let (_, algorithm) = known.into_iter().find(|(oid, _)| *oid == self.oid)?;
        let fits = match algorithm {
            S::RsaPkcs1(_) => matches!(parameters, None | Some([5, 0])),
            // Some old libraries wrote the NULL of RSA here as well; RFC 5758 forbids it.
            _ => parameters.is_none(),
        };
        fits.then_some(algorithm)
    }

    /// Checks a signature over `message`, as [`SignatureAlgorithm::verify`] does.
    ///
    /// # Errors
    ///
    /// The signature is wrong, or of an algorithm that is not known or not the key's.
    pub fn verify(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let algorithm = self
            .signature_algorithm()
            .ok_or_else(|| SignatureError::Unsupported {
                algorithm: self.name(),
            })?;
        algorithm.verify(key, message, signature)
    }

    /// Its name in the standards; with the hash for RSASSA-PSS.
    #[must_use]
    pub fn name(&self) -> String {
        match self.signature_algorithm() {
            Some(algorithm) => algorithm.to_string(),
            None => self.oid.name_or_dots(),
        }
    }
}

impl SignatureAlgorithm {
    /// Writes its `AlgorithmIdentifier`.
    pub(crate) fn write(self, w: &mut Writer) {
        self.identifier().write(w);
    }

    /// Its `AlgorithmIdentifier`.
    #[must_use]
    pub fn identifier(self) -> AlgorithmIdentifier {
        AlgorithmIdentifier {
            oid: self.oid(),
            parameters: match self {
                Self::RsaPkcs1(_) => Some(vec![5, 0]),
                Self::RsaPss(pss) => Some(pss.parameters()),
                _ => None,
            },
        }
    }

    fn oid(self) -> Oid {
        match self {
            Self::RsaPkcs1(Hash::Sha1) => Oid::SHA1_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha256) => Oid::SHA256_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha384) => Oid::SHA384_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha512) => Oid::SHA512_WITH_RSA,
            Self::RsaPss(_) => Oid::RSA_PSS,
            Self::Ecdsa(Hash::Sha1) => Oid::ECDSA_SHA1,
            Self::Ecdsa(Hash::Sha256) => Oid::ECDSA_SHA256,
            Self::Ecdsa(Hash::Sha384) => Oid::ECDSA_SHA384,
            Self::Ecdsa(Hash::Sha512) => Oid::ECDSA_SHA512,
            Self::Ed25519 => Oid::ED25519,
            Self::MlDsa44 => Oid::ML_DSA_44,
            Self::MlDsa65 => Oid::ML_DSA_65,
            Self::MlDsa87 => Oid::ML_DSA_87,
        }
    }

    /// The hash it is made over; none for those that bring their own.
    #[must_use]
    pub fn hash(self) -> Option<Hash> {
        match self {
            Self::RsaPkcs1(hash) | Self::Ecdsa(hash) => Some(hash),
            Self::RsaPss(pss) => Some(pss.hash),
            _ => None,
        }
    }

    /// Checks a signature over `message`.
    ///
    /// RSA keys of 1024 bits, and SHA-1, are checked too, as what is old may have to be read: whether
    /// they are to be accepted is a question for [`crate::verify`].
    ///
    /// # Errors
    ///
    /// The signature is wrong, cannot come from such a key, or cannot be checked.
    pub fn verify(
        self,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        self.check_size(key)?;
        let pss;
        let algorithm: &dyn VerificationAlgorithm = match self {
            Self::RsaPss(parameters) => {
                pss = self.pss_for_key(parameters, key)?;
                &pss
            }
            _ => self.for_key(key)?,
        };
        algorithm
            .verify_sig(key.bits(), message, signature)
            .map_err(|_| SignatureError::Wrong)
    }

    /// aws-lc refuses keys of other sizes as if the signature were wrong.
    fn check_size(self, key: &PublicKey) -> Result<(), SignatureError> {
        let (Some(KeyType::Rsa(bits) | KeyType::RsaPss(bits)), Some(least)) =
            (key.key_type(), self.least_rsa_bits())
        else {
            return Ok(());
        };
        let most = 8192;
        if (least..=most).contains(&bits) {
            return Ok(());
        }
        Err(SignatureError::KeySize {
            algorithm: self.to_string(),
            bits,
            least,
            most,
        })
    }

    /// The smallest RSA key that aws-lc checks such a signature with.
    fn least_rsa_bits(self) -> Option<u16> {
        match self {
            Self::RsaPkcs1(Hash::Sha384) => Some(2048),
            Self::RsaPkcs1(_) => Some(1024),
            Self::RsaPss(Pss {
                hash: Hash::Sha1, ..
            }) => None,
            Self::RsaPss(_) => Some(2048),
            _ => None,
        }
    }

    fn pss_for_key(self, pss: Pss, key: &PublicKey) -> Result<RsaParameters, SignatureError> {
        let fits = match key.key_type() {
            Some(KeyType::Rsa(_)) => true,
            Some(KeyType::RsaPss(_)) => {
                PssKey::of(key.algorithm()).is_some_and(|key| key.allows(pss))
            }
            _ => false,
        };
        if !fits {
            return Err(self.wrong_key(key));
        }
        pss.verification().ok_or_else(|| self.unsupported())
    }

    fn unsupported(self) -> SignatureError {
        SignatureError::Unsupported {
            algorithm: self.to_string(),
        }
    }

    fn wrong_key(self, key: &PublicKey) -> SignatureError {
        SignatureError::WrongKey {
            algorithm: self.to_string(),
            key: key.kind(),
        }
    }

    fn for_key(
        self,
        key: &PublicKey,
    ) -> Result<&'static dyn VerificationAlgorithm, SignatureError> {
        use KeyType as Key;
        Ok(match (self, key.key_type()) {
            (Self::RsaPkcs1(hash), Some(Key::Rsa(_))) => match hash {
                Hash::Sha1 => &aws::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
                Hash::Sha256 => &aws::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                Hash::Sha384 => &aws::RSA_PKCS1_2048_8192_SHA384,
                Hash::Sha512 => &aws::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
            },
            (Self::Ecdsa(hash), Some(Key::EcdsaP256)) => match hash {
                Hash::Sha1 => &aws::ECDSA_P256_SHA1_ASN1,
                Hash::Sha256 => &aws::ECDSA_P256_SHA256_ASN1,
                Hash::Sha384 => &aws::ECDSA_P256_SHA384_ASN1,
                Hash::Sha512 => &aws::ECDSA_P256_SHA512_ASN1,
            },
            (Self::Ecdsa(hash), Some(Key::EcdsaP384)) => match hash {
                Hash::Sha1 => return Err(self.unsupported()),
                Hash::Sha256 => &aws::ECDSA_P384_SHA256_ASN1,
                Hash::Sha384 => &aws::ECDSA_P384_SHA384_ASN1,
                Hash::Sha512 => &aws::ECDSA_P384_SHA512_ASN1,
            },
            (Self::Ecdsa(hash), Some(Key::EcdsaP521)) => match hash {
                Hash::Sha1 => &aws::ECDSA_P521_SHA1_ASN1,
                Hash::Sha256 => &aws::ECDSA_P521_SHA256_ASN1,
                Hash::Sha384 => &aws::ECDSA_P521_SHA384_ASN1,
                Hash::Sha512 => &aws::ECDSA_P521_SHA512_ASN1,
            },
            (Self::Ed25519, Some(Key::Ed25519)) => &aws::ED25519,
            (Self::MlDsa44, Some(Key::MlDsa44)) => &aws::ML_DSA_44,
            (Self::MlDsa65, Some(Key::MlDsa65)) => &aws::ML_DSA_65,
            (Self::MlDsa87, Some(Key::MlDsa87)) => &aws::ML_DSA_87,
            _ => return Err(self.wrong_key(key)),
        })
    }
}

/// `ECDSA with SHA-256`.
impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaPkcs1(hash) => write!(f, "RSA with {hash}"),
            Self::RsaPss(pss) => write!(f, "RSA-PSS with {pss}"),
            Self::Ecdsa(hash) => write!(f, "ECDSA with {hash}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::MlDsa44 => f.write_str("ML-DSA-44"),
            Self::MlDsa65 => f.write_str("ML-DSA-65"),
            Self::MlDsa87 => f.write_str("ML-DSA-87"),
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

impl Hash {
    /// Its object identifier.
    #[must_use]
    pub fn oid(self) -> Oid {
        match self {
            Self::Sha1 => Oid::SHA1,
            Self::Sha256 => Oid::SHA256,
            Self::Sha384 => Oid::SHA384,
            Self::Sha512 => Oid::SHA512,
        }
    }

    /// The hash that an object identifier stands for, where it is one of these.
    #[must_use]
    pub fn of_oid(oid: &Oid) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|hash| hash.oid() == *oid)
    }

    fn octets(self) -> u16 {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::Reader;

    #[test]
    fn every_algorithm_is_read_back() {
        use SignatureAlgorithm as S;
        let hashes = [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512];
        let with_hash = hashes
            .into_iter()
            .flat_map(|hash| [S::RsaPkcs1(hash), S::Ecdsa(hash), S::RsaPss(Pss::of(hash))]);
        let without = [S::Ed25519, S::MlDsa44, S::MlDsa65, S::MlDsa87];
        for algorithm in with_hash.chain(without) {
            let mut writer = Writer::new();
            algorithm.write(&mut writer);
            let element = Reader::only(writer.bytes(), Tag::SEQUENCE).unwrap();
            let read = AlgorithmIdentifier::read(element).unwrap();
            assert_eq!(read.signature_algorithm(), Some(algorithm), "{algorithm}");
        }
    }
}
