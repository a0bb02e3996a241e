//! RSASSA-PSS (RFC 8017, section 8.1): what its identifiers say (RFC 4055), of signatures and of keys that
//! make no others.

use std::fmt;

use aws_lc_rs::signature::{self as aws, RsaParameters, RsaPssSaltLength};

use super::{AlgorithmIdentifier, Hash};
use crate::der::{DerError, Element, Reader, Tag, Writer};
use crate::oid::Oid;

/// The parameters of RSASSA-PSS, as far as they are supported: the mask is made with MGF1 over the hash
/// that the message is hashed with. RFC 4055 recommends that (section 3.1), and aws-lc does no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pss {
    /// The hash of message and mask.
    pub hash: Hash,
    /// How long the salt is, in octets. As long as the hash is what is usual.
    pub salt: u16,
}

impl Pss {
    /// With a salt as long as the hash.
    #[must_use]
    pub fn of(hash: Hash) -> Self {
        let salt = hash.octets();
        Self { hash, salt }
    }

    /// Reads `RSASSA-PSS-params` (RFC 4055, section 3.1); none where they are not supported.
    pub(super) fn read(parameters: &[u8]) -> Result<Option<Self>, DerError> {
        let mut reader = Reader::only(parameters, Tag::SEQUENCE)?.reader();
        let mut field = |tag| {
            let field = reader.optional(Tag::context_constructed(tag))?;
            field.map(|field| field.inner()).transpose()
        };
        let algorithm =
            |field: Option<Element<'_>>| field.map(AlgorithmIdentifier::read).transpose();
        let number = |field: Option<Element<'_>>, default| {
            field.map_or(Ok(default), |field| field.tagged(Tag::INTEGER)?.unsigned())
        };
        let hash = algorithm(field(0)?)?;
        let mask = algorithm(field(1)?)?;
        let salt = number(field(2)?, 20)?;
        let trailer = number(field(3)?, 1)?;
        reader.finish()?;
        let hash = hash.map_or(Some(Hash::Sha1), |hash| Hash::of_oid(&hash.oid));
        let mask = match mask {
            None => Some(Hash::Sha1),
            Some(mask) if mask.oid == Oid::MGF1 => {
                let inner = mask.parameters.as_deref().unwrap_or_default();
                let inner = Reader::only(inner, Tag::SEQUENCE)?;
                Hash::of_oid(&AlgorithmIdentifier::read(inner)?.oid)
            }
            Some(_) => None,
        };
        let pss = hash.zip(u16::try_from(salt).ok());
        Ok(pss
            .filter(|(hash, _)| mask == Some(*hash) && trailer == 1)
            .map(|(hash, salt)| Self { hash, salt }))
    }

    /// Its `RSASSA-PSS-params`.
    pub(super) fn parameters(self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(64);
        let hash = |w: &mut Writer| {
            w.sequence(|w| {
                w.oid(&self.hash.oid());
                w.null();
            });
        };
        // What is the default is left out (X.690, 11.5).
        let is_sha1 = self.hash == Hash::Sha1;
        writer.sequence(|w| {
            if !is_sha1 {
                w.constructed(Tag::context_constructed(0), hash);
                w.constructed(Tag::context_constructed(1), |w| {
                    w.sequence(|w| {
                        w.oid(&Oid::MGF1);
                        hash(w);
                    });
                });
            }
            if self.salt != 20 {
                let salt = u64::from(self.salt);
                w.constructed(Tag::context_constructed(2), |w| w.unsigned(salt));
            }
        });
        writer.into_bytes()
    }

    /// How aws-lc checks such a signature; none where it does not, which is so for SHA-1.
    pub(super) fn verification(self) -> Option<RsaParameters> {
        let algorithm = match self.hash {
            Hash::Sha1 => return None,
            Hash::Sha256 => aws::RSA_PSS_2048_8192_SHA256,
            Hash::Sha384 => aws::RSA_PSS_2048_8192_SHA384,
            Hash::Sha512 => aws::RSA_PSS_2048_8192_SHA512,
        };
        Some(algorithm.with_pss_salt_length(RsaPssSaltLength::Custom(self.salt)))
    }
}

/// What a key that is for RSASSA-PSS alone allows: the parameters of its algorithm (RFC 4055, section 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PssKey {
    /// All of it.
    Any,
    /// This hash, and salts of this length or longer (section 3.3).
    AtLeast(Pss),
    /// What nobody here can check.
    Unsupported,
}

impl PssKey {
    /// What the algorithm of a key allows; none where that is for more than RSASSA-PSS.
    pub(crate) fn of(algorithm: &AlgorithmIdentifier) -> Option<Self> {
        (algorithm.oid == Oid::RSA_PSS).then(|| match algorithm.parameters.as_deref() {
            None => Self::Any,
            Some(parameters) => Pss::read(parameters)
                .ok()
                .flatten()
                .map_or(Self::Unsupported, Self::AtLeast),
        })
    }

    pub(super) fn allows(self, pss: Pss) -> bool {
        match self {
            Self::Any => true,
            Self::AtLeast(least) => pss.hash == least.hash && pss.salt >= least.salt,
            Self::Unsupported => false,
        }
    }
}

/// `SHA-256`, and how long the salt is where that is unusual.
impl fmt::Display for Pss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.hash)?;
        if self.salt != self.hash.octets() {
            write!(f, " and a salt of {} bytes", self.salt)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_back_without_what_is_the_default() {
        for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            for salt in [0, 20, 32, 64, 300] {
                let pss = Pss { hash, salt };
                assert_eq!(Pss::read(&pss.parameters()), Ok(Some(pss)));
            }
        }
        assert_eq!(Pss::of(Hash::Sha1).parameters(), [0x30, 0]);
    }

    #[test]
    fn a_key_allows_its_hash_and_no_shorter_salts() {
        let of = |hash, salt| Pss { hash, salt };
        let key = |parameters| {
            PssKey::of(&AlgorithmIdentifier {
                oid: Oid::RSA_PSS,
                parameters,
            })
            .unwrap()
        };
        let least = key(Some(of(Hash::Sha256, 32).parameters()));
        assert!(least.allows(of(Hash::Sha256, 32)) && least.allows(of(Hash::Sha256, 64)));
        assert!(!least.allows(of(Hash::Sha256, 31)) && !least.allows(of(Hash::Sha384, 48)));
        assert!(key(None).allows(of(Hash::Sha384, 0)));
        for nonsense in [vec![], vec![5, 0], vec![0x30, 3, 2, 1, 1]] {
            assert!(!key(Some(nonsense)).allows(of(Hash::Sha256, 32)));
        }
    }
}
