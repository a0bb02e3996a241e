//! Public keys, and the kinds of keys that there are.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::der::{DerError, DerProblem, Element, Reader, Tag, Writer};
use crate::fingerprint::Fingerprint;
use crate::oid::Oid;
use crate::signature::{AlgorithmIdentifier, Hash, Pss, PssKey, SignatureAlgorithm};

/// A kind of key that Ravelin can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KeyType {
    /// ECDSA on the curve P-256 (FIPS 186-5): what everyone takes.
    #[default]
    EcdsaP256,
    /// ECDSA on the curve P-384.
    EcdsaP384,
    /// ECDSA on the curve P-521, which browsers do not take.
    EcdsaP521,
    /// Ed25519 (RFC 8032), which browsers do not take.
    Ed25519,
    /// RSA (RFC 8017) with a modulus of so many bits. Keys are made with 2048, 3072 and 4096.
    Rsa(u16),
    /// RSA with a modulus of so many bits, for RSASSA-PSS alone (RFC 4055, section 1.2). Such keys are
    /// read, and none are made.
    RsaPss(u16),
    /// ML-DSA-44 (FIPS 204): safe from quantum computers, and new.
    MlDsa44,
    /// ML-DSA-65.
    MlDsa65,
    /// ML-DSA-87.
    MlDsa87,
}

/// Why a text is not a kind of key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a kind of key; there are: {}", KeyType::NAMES.map(|(name, _)| name).join(", "))]
pub struct KeyTypeError {
    /// The text.
    pub text: String,
}

impl KeyType {
    /// All kinds that keys are made of, by the names that commands take.
    pub const NAMES: [(&str, Self); 10] = [
        ("p256", Self::EcdsaP256),
        ("p384", Self::EcdsaP384),
        ("p521", Self::EcdsaP521),
        ("ed25519", Self::Ed25519),
        ("rsa2048", Self::Rsa(2048)),
        ("rsa3072", Self::Rsa(3072)),
        ("rsa4096", Self::Rsa(4096)),
        ("mldsa44", Self::MlDsa44),
        ("mldsa65", Self::MlDsa65),
        ("mldsa87", Self::MlDsa87),
    ];

    /// The algorithm that keys of this kind sign with.
    #[must_use]
    pub fn signature_algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::EcdsaP256 => SignatureAlgorithm::Ecdsa(Hash::Sha256),
            Self::EcdsaP384 => SignatureAlgorithm::Ecdsa(Hash::Sha384),
            Self::EcdsaP521 => SignatureAlgorithm::Ecdsa(Hash::Sha512),
            Self::Ed25519 => SignatureAlgorithm::Ed25519,
            Self::Rsa(_) => SignatureAlgorithm::RsaPkcs1(Hash::Sha256),
            Self::RsaPss(_) => SignatureAlgorithm::RsaPss(Pss::of(Hash::Sha256)),
            Self::MlDsa44 => SignatureAlgorithm::MlDsa44,
            Self::MlDsa65 => SignatureAlgorithm::MlDsa65,
            Self::MlDsa87 => SignatureAlgorithm::MlDsa87,
        }
    }

    /// The `AlgorithmIdentifier` of such a key: what is in front of its bits in a certificate.
    pub(crate) fn write_identifier(self, w: &mut Writer) {
        w.sequence(|w| match self {
            Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521 => {
                w.oid(&Oid::EC_PUBLIC_KEY);
                w.oid(&match self {
                    Self::EcdsaP256 => Oid::P256,
                    Self::EcdsaP384 => Oid::P384,
                    _ => Oid::P521,
                });
            }
            Self::Rsa(_) => {
                w.oid(&Oid::RSA_ENCRYPTION);
                w.null();
            }
            Self::RsaPss(_) => w.oid(&Oid::RSA_PSS),
            Self::Ed25519 => w.oid(&Oid::ED25519),
            Self::MlDsa44 => w.oid(&Oid::ML_DSA_44),
            Self::MlDsa65 => w.oid(&Oid::ML_DSA_65),
            Self::MlDsa87 => w.oid(&Oid::ML_DSA_87),
        });
    }

    /// The kind that an identifier and the bits behind it say; none where it is another.
    pub(crate) fn of(identifier: &AlgorithmIdentifier, bits: &[u8]) -> Option<Self> {
        let curve = || {
            let parameters = identifier.parameters.as_deref()?;
            let element = Reader::only(parameters, Tag::OBJECT_IDENTIFIER).ok()?;
            element.oid().ok()
        };
        match &identifier.oid {
            oid if *oid == Oid::EC_PUBLIC_KEY => match curve()? {
                curve if curve == Oid::P256 => Some(Self::EcdsaP256),
                curve if curve == Oid::P384 => Some(Self::EcdsaP384),
                curve if curve == Oid::P521 => Some(Self::EcdsaP521),
                _ => None,
            },
            oid if *oid == Oid::RSA_ENCRYPTION => modulus_bits(bits).map(Self::Rsa),
            oid if *oid == Oid::RSA_PSS => modulus_bits(bits).map(Self::RsaPss),
            oid if *oid == Oid::ED25519 => Some(Self::Ed25519),
            oid if *oid == Oid::ML_DSA_44 => Some(Self::MlDsa44),
            oid if *oid == Oid::ML_DSA_65 => Some(Self::MlDsa65),
            oid if *oid == Oid::ML_DSA_87 => Some(Self::MlDsa87),
            _ => None,
        }
    }
}

/// `ECDSA P-256`: as people say it.
impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("ECDSA P-256"),
            Self::EcdsaP384 => f.write_str("ECDSA P-384"),
            Self::EcdsaP521 => f.write_str("ECDSA P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::RsaPss(bits) => write!(f, "RSA-PSS {bits}"),
            Self::MlDsa44 => f.write_str("ML-DSA-44"),
            Self::MlDsa65 => f.write_str("ML-DSA-65"),
            Self::MlDsa87 => f.write_str("ML-DSA-87"),
        }
    }
}

impl FromStr for KeyType {
    type Err = KeyTypeError;

    /// Reads `p256`, `P-256`, `rsa3072`, `ML-DSA-65`: case and hyphens make no difference.
    fn from_str(text: &str) -> Result<Self, KeyTypeError> {
        let plain = text.to_ascii_lowercase().replace(['-', '_', ':'], "");
        Self::NAMES
            .into_iter()
            .find(|(name, _)| *name == plain)
            .map(|(_, kind)| kind)
            .ok_or_else(|| KeyTypeError {
                text: text.chars().take(80).collect(),
            })
    }
}

/// A public key, as it stands in certificates: a `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey {
    der: Vec<u8>,
    algorithm: AlgorithmIdentifier,
    key_type: Option<KeyType>,
    bits: Range<usize>,
}

impl PublicKey {
    /// Reads exactly one `SubjectPublicKeyInfo`, of whatever algorithm. Whether its bits are a key
    /// shows once it is used.
    ///
    /// # Errors
    ///
    /// It is not DER, or none.
    pub fn from_der(der: &[u8]) -> Result<Self, DerError> {
        Self::read(Reader::only(der, Tag::SEQUENCE)?)
    }

    pub(crate) fn read(element: Element<'_>) -> Result<Self, DerError> {
        let mut reader = element.tagged(Tag::SEQUENCE)?.reader();
        let algorithm = AlgorithmIdentifier::read(reader.next()?)?;
        let bits = reader.expect(Tag::BIT_STRING)?.octet_bits()?;
        reader.finish()?;
        let end = element.whole.len();
        Ok(Self {
            key_type: KeyType::of(&algorithm, bits),
            algorithm,
            bits: end - bits.len()..end,
            der: element.whole.to_vec(),
        })
    }

    /// The key in an `RSAPublicKey` (RFC 8017, appendix A.1.1), the form `RSA PUBLIC KEY` of PEM.
    ///
    /// # Errors
    ///
    /// It is none, or has more than 65,535 bits.
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, DerError> {
        let wrong = DerProblem::OutOfRange.at(0);
        Reader::only(der, Tag::SEQUENCE)?;
        let bits = modulus_bits(der).ok_or(wrong)?;
        Ok(Self::of(KeyType::Rsa(bits), der))
    }

    /// The key of a kind, from the bits that are in its `subjectPublicKey`.
    #[must_use]
    pub fn of(key_type: KeyType, bits: &[u8]) -> Self {
        let mut identifier = Writer::new();
        key_type.write_identifier(&mut identifier);
        let mut writer = Writer::with_capacity(bits.len() + 40);
        writer.sequence(|w| {
            w.raw(identifier.bytes());
            w.octet_bits(bits);
        });
        let der = writer.into_bytes();
        let algorithm = Reader::new(identifier.bytes())
            .next()
            .and_then(AlgorithmIdentifier::read)
            .unwrap_or_else(|_| unreachable!("what was just written is DER"));
        Self {
            algorithm,
            key_type: Some(key_type),
            bits: der.len() - bits.len()..der.len(),
            der,
        }
    }

    /// The `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The bits of the key itself: a point (RFC 5480), an `RSAPublicKey` (RFC 8017), or the raw key.
    #[must_use]
    pub fn bits(&self) -> &[u8] {
        &self.der[self.bits.clone()]
    }

    /// Its algorithm.
    #[must_use]
    pub fn algorithm(&self) -> &AlgorithmIdentifier {
        &self.algorithm
    }

    /// Its kind, where Ravelin can use it.
    #[must_use]
    pub fn key_type(&self) -> Option<KeyType> {
        self.key_type
    }

    /// Its kind in words: `ECDSA P-256`, or the name or number of an algorithm that is not known. With
    /// what it is for, where that is a part of RSASSA-PSS alone.
    #[must_use]
    pub fn kind(&self) -> String {
        let Some(kind) = self.key_type else {
            return self.algorithm.oid.name_or_dots();
        };
        match PssKey::of(&self.algorithm) {
            Some(PssKey::AtLeast(Pss { hash, salt })) => {
                format!("{kind} for {hash} and salts of {salt} bytes or more")
            }
            Some(PssKey::Unsupported) => format!("{kind} with parameters that are not supported"),
            _ => kind.to_string(),
        }
    }

    /// The public exponent of an RSA key, where it is below 2⁶⁴.
    #[must_use]
    pub fn rsa_exponent(&self) -> Option<u64> {
        rsa_numbers(self.bits()).and_then(|(_, exponent)| exponent.unsigned().ok())
    }

    /// The modulus of an RSA key: big-endian octets, without zeros in front.
    #[must_use]
    pub fn rsa_modulus(&self) -> Option<&[u8]> {
        rsa_numbers(self.bits()).map(|(modulus, _)| {
            let octets = modulus.content;
            octets.strip_prefix(&[0]).unwrap_or(octets)
        })
    }

    /// The SHA-256 of its DER, which names the key whatever certificate it is in. In base64, it is
    /// the pin of RFC 7469.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PublicKey({}, {})",
            self.kind(),
            self.fingerprint().short()
        )
    }
}

/// The length of the modulus in an `RSAPublicKey`, in bits.
fn modulus_bits(bits: &[u8]) -> Option<u16> {
    let (modulus, _) = rsa_numbers(bits)?;
    let octets = modulus.content;
    let octets = octets.strip_prefix(&[0]).unwrap_or(octets);
    let unused = octets.first()?.leading_zeros() as usize;
    u16::try_from(octets.len() * 8 - unused).ok()
}

fn rsa_numbers(bits: &[u8]) -> Option<(Element<'_>, Element<'_>)> {
    let mut reader = Reader::only(bits, Tag::SEQUENCE).ok()?.reader();
    let modulus = reader.expect(Tag::INTEGER).ok()?;
    let exponent = reader.expect(Tag::INTEGER).ok()?;
    modulus.integer().ok()?;
    reader.finish().ok()?;
    Some((modulus, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_however_they_are_written() {
        for (text, kind) in [
            ("p256", KeyType::EcdsaP256),
            ("P-384", KeyType::EcdsaP384),
            ("RSA-2048", KeyType::Rsa(2048)),
            ("rsa:4096", KeyType::Rsa(4096)),
            ("ML-DSA-65", KeyType::MlDsa65),
        ] {
            assert_eq!(text.parse(), Ok(kind), "{text}");
        }
        assert!("rsa1024".parse::<KeyType>().is_err());
    }

    #[test]
    fn a_key_is_read_back() {
        let key = PublicKey::of(KeyType::Ed25519, &[7; 32]);
        let read = PublicKey::from_der(key.der()).unwrap();
        assert_eq!(read, key);
        assert_eq!(read.bits(), [7; 32]);
    }
}
