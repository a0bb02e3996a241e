//! Private keys: made here, or read from what others made.
//!
//! Keys that are read may also be RSA of any size from 2048 to 8192 bits. Encrypted ones are
//! [`crate::encrypted_key`]'s business.

use std::fmt;

use aws_lc_rs::encoding::{AsBigEndian as _, AsDer as _, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self as aws, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, PqdsaKeyPair,
    PqdsaSigningAlgorithm,
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use crate::der::{DerError, Reader, Tag, Writer};
use crate::fingerprint::Fingerprint;
use crate::oid::Oid;
use crate::pem::{self, PemError};
use crate::public_key::{KeyType, PublicKey};
use crate::signature::{AlgorithmIdentifier, SignatureAlgorithm};

/// What can sign certificates: a private key in memory, or one in a token that never leaves it.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// The algorithm that [`Self::sign`] signs with.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Signs `message`: the signature as certificates carry it.
    ///
    /// # Errors
    ///
    /// The key, or what holds it, refuses.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key {key} did not sign: {reason}")]
pub struct SignError {
    /// Which key.
    pub key: String,
    /// What it, or what holds it, said.
    pub reason: String,
}

/// A private key that can sign. `Debug` shows its kind and nothing secret.
pub struct PrivateKey {
    pair: Pair,
    public: PublicKey,
    form: KeyForm,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
    MlDsa(PqdsaKeyPair),
}

/// The forms that a private key is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyForm {
    /// PKCS#8 (RFC 5958), for every kind of key: `PRIVATE KEY` in PEM.
    #[default]
    Pkcs8,
    /// SEC1 (RFC 5915), for ECDSA alone: `EC PRIVATE KEY`.
    Sec1,
    /// PKCS#1 (RFC 8017), for RSA alone: `RSA PRIVATE KEY`.
    Pkcs1,
}

/// Why a key cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file around the key is wrong.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The bytes are damaged, or a key of a kind that is not supported. What exactly is wrong is
    /// not told: texts about key material end up in logs.
    #[error(
        "the private key is damaged or of an unsupported kind; supported are ECDSA (P-256, P-384, \
         P-521), Ed25519, RSA of 2048 to 8192 bits and ML-DSA"
    )]
    Unusable,
    /// The system gave no randomness.
    #[error("no key could be generated: the system gave no randomness")]
    Generate,
    /// Keys of this size are not made.
    #[error("RSA keys are made with 2048, 3072 or 4096 bits, not {bits}")]
    RsaSize {
        /// The size that was asked for.
        bits: u16,
    },
    /// Keys of this kind are read, and none are made.
    #[error("keys of the kind {key_type} are not made here")]
    NotMade {
        /// The kind that was asked for.
        key_type: KeyType,
    },
    /// The form does not exist for keys of this kind.
    #[error("{} is a form of {} keys, and this one is {key_type}", form.name(), form.family())]
    Form {
        /// The form that was asked for.
        form: KeyForm,
        /// The key.
        key_type: KeyType,
    },
}

impl PrivateKey {
    /// Makes a new ECDSA P-256 key (FIPS 186-5).
    pub fn generate() -> Result<Self, KeyError> {
        Self::generate_of(KeyType::EcdsaP256)
    }

    /// Makes a new key of a kind. RSA keys of 4096 bits take seconds.
    ///
    /// # Errors
    ///
    /// The system gave no randomness, or the size of an RSA key is none of 2048, 3072 and 4096.
    pub fn generate_of(key_type: KeyType) -> Result<Self, KeyError> {
        let none = |_| KeyError::Generate;
        let pair = match key_type {
            KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(ecdsa(key_type)).map_err(none)?)
            }
            KeyType::Ed25519 => Pair::Ed25519(Ed25519KeyPair::generate().map_err(none)?),
            KeyType::Rsa(bits) => {
                let size = match bits {
                    2048 => KeySize::Rsa2048,
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    _ => return Err(KeyError::RsaSize { bits }),
                };
                Pair::Rsa(Box::new(RsaKeyPair::generate(size).map_err(none)?))
            }
            // Nobody but TLS asks for them, and it is content with any RSA key.
            KeyType::RsaPss(_) => return Err(KeyError::NotMade { key_type }),
            KeyType::MlDsa44 | KeyType::MlDsa65 | KeyType::MlDsa87 => {
                Pair::MlDsa(PqdsaKeyPair::generate(ml_dsa(key_type)).map_err(none)?)
            }
        };
        Ok(Self::of(pair, key_type, KeyForm::Pkcs8))
    }

    /// Reads a key from PEM (PKCS#8, SEC1 or PKCS#1), or from bare DER of the same forms.
    pub fn from_pem(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_der(&pem::private_key(bytes)?)
    }

    /// Takes a key in any of its DER forms.
    pub fn from_der(der: &PrivateKeyDer<'_>) -> Result<Self, KeyError> {
        let unusable = |_| KeyError::Unusable;
        let secret = der.secret_der();
        let (pair, key_type, form) = match der {
            PrivateKeyDer::Pkcs1(_) => {
                let pair = RsaKeyPair::from_der(secret).map_err(unusable)?;
                let key_type = rsa(&pair)?;
                (Pair::Rsa(Box::new(pair)), key_type, KeyForm::Pkcs1)
            }
            PrivateKeyDer::Sec1(_) => {
                let key_type = sec1_curve(secret).map_err(|_| KeyError::Unusable)?;
                // Keys without a curve are of one of three.
                let tried = key_type.map_or(&CURVES[..], |kind| match kind {
                    KeyType::EcdsaP256 => &CURVES[..1],
                    KeyType::EcdsaP384 => &CURVES[1..2],
                    _ => &CURVES[2..],
                });
                let (pair, key_type) = tried
                    .iter()
                    .find_map(|kind| {
                        let pair = EcdsaKeyPair::from_private_key_der(ecdsa(*kind), secret).ok()?;
                        Some((pair, *kind))
                    })
                    .ok_or(KeyError::Unusable)?;
                (Pair::Ecdsa(pair), key_type, KeyForm::Sec1)
            }
            _ => {
                let (pair, key_type) = from_pkcs8(secret)?;
                (pair, key_type, KeyForm::Pkcs8)
            }
        };
        Ok(Self::of(pair, key_type, form))
    }

    fn of(pair: Pair, key_type: KeyType, form: KeyForm) -> Self {
        let public = PublicKey::of(
            key_type,
            match &pair {
                Pair::Ecdsa(pair) => pair.public_key().as_ref(),
                Pair::Ed25519(pair) => pair.public_key().as_ref(),
                Pair::Rsa(pair) => pair.public_key().as_ref(),
                Pair::MlDsa(pair) => pair.public_key().as_ref(),
            },
        );
        Self { pair, public, form }
    }

    /// The kind of key.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.public.key_type().unwrap_or_default()
    }

    /// The form that it was read in; PKCS#8 where it was made here.
    #[must_use]
    pub fn form(&self) -> KeyForm {
        self.form
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The key in DER, in the form that it was read in; PKCS#8 where it was made here.
    pub fn der(&self) -> Result<PrivateKeyDer<'static>, KeyError> {
        self.to_der(self.form)
    }

    /// The key in DER, in a form.
    ///
    /// # Errors
    ///
    /// [`KeyError::Form`] where the form is none of this kind of key.
    pub fn to_der(&self, form: KeyForm) -> Result<PrivateKeyDer<'static>, KeyError> {
        let unusable = |_| KeyError::Unusable;
        let pkcs8 = match &self.pair {
            Pair::Ecdsa(pair) => self.ecdsa_pkcs8(pair)?,
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(unusable)?.as_ref().to_vec(),
            Pair::MlDsa(pair) => pair.to_pkcs8v1().map_err(unusable)?.as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(unusable)?;
                der.as_ref().to_vec()
            }
        };
        let inner = || {
            pkcs8_key(&pkcs8)
                .map(|(_, inner)| inner)
                .map_err(|_| KeyError::Unusable)
        };
        match (form, &self.pair) {
            (KeyForm::Pkcs8, _) => Ok(PrivatePkcs8KeyDer::from(pkcs8).into()),
            (KeyForm::Pkcs1, Pair::Rsa(_)) => {
                Ok(PrivatePkcs1KeyDer::from(inner()?.to_vec()).into())
            }
            (KeyForm::Sec1, Pair::Ecdsa(_)) => {
                let der = self.sec1(inner()?).map_err(|_| KeyError::Unusable)?;
                Ok(PrivateSec1KeyDer::from(der).into())
            }
            _ => Err(KeyError::Form {
                form,
                key_type: self.key_type(),
            }),
        }
    }

    /// The key as PEM, in the form that it was read in, for a file that only its owner may read.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        Ok(to_pem(&self.der()?))
    }

    /// The SHA-256 of the public key (its `SubjectPublicKeyInfo`): names the key, tells nothing
    /// about the private half.
    #[must_use]
    pub fn public_fingerprint(&self) -> Fingerprint {
        self.public.fingerprint()
    }

    /// What `to_pkcs8v1` gives, octet for octet (RFC 5958, section 2; RFC 5915, section 3), with the public
    /// half that is known already. aws-lc works it out once more, which is a tenth of what making and
    /// signing a P-256 certificate costs.
    fn ecdsa_pkcs8(&self, pair: &EcdsaKeyPair) -> Result<Vec<u8>, KeyError> {
        let secret: EcPrivateKeyBin<'_> = pair
            .private_key()
            .as_be_bytes()
            .map_err(|_| KeyError::Unusable)?;
        // No less than it takes: growing would leave copies of the secret behind.
        let mut writer = Writer::with_capacity(512);
        writer.sequence(|w| {
            w.unsigned(0);
            self.public.algorithm().write(w);
            w.constructed(Tag::OCTET_STRING, |w| {
                w.sequence(|w| {
                    w.unsigned(1);
                    w.octet_string(secret.as_ref());
                    w.constructed(Tag::context_constructed(1), |w| {
                        w.octet_bits(self.public.bits());
                    });
                });
            });
        });
        Ok(writer.into_bytes())
    }

    /// The `ECPrivateKey` within PKCS#8 leaves out the curve, which stands outside. By itself it has
    /// to say it (RFC 5915, section 3).
    fn sec1(&self, inner: &[u8]) -> Result<Vec<u8>, DerError> {
        let mut reader = Reader::only(inner, Tag::SEQUENCE)?.reader();
        let version = reader.expect(Tag::INTEGER)?;
        let secret = reader.expect(Tag::OCTET_STRING)?;
        let mut writer = Writer::new();
        writer.sequence(|w| {
            w.raw(version.whole);
            w.raw(secret.whole);
            w.constructed(Tag::context_constructed(0), |w| {
                w.raw(
                    self.public
                        .algorithm()
                        .parameters
                        .as_deref()
                        .unwrap_or_default(),
                );
            });
            w.constructed(Tag::context_constructed(1), |w| {
                w.octet_bits(self.public.bits());
            });
        });
        Ok(writer.into_bytes())
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key_type().signature_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signed = match &self.pair {
            Pair::Ecdsa(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(
                    &aws::RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .map(|()| signature)
            }
            Pair::MlDsa(pair) => {
                let mut signature = vec![0; pair.algorithm().signature_len()];
                pair.sign(message, &mut signature).map(|_| signature)
            }
        };
        signed.map_err(|_| SignError {
            key: self.public_fingerprint().short(),
            reason: "the cryptographic library refused it".to_owned(),
        })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("key_type", &self.key_type())
            .finish_non_exhaustive()
    }
}

impl KeyForm {
    /// `PKCS#8`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pkcs8 => "PKCS#8",
            Self::Sec1 => "SEC1",
            Self::Pkcs1 => "PKCS#1",
        }
    }

    fn family(self) -> &'static str {
        match self {
            Self::Pkcs8 => "all",
            Self::Sec1 => "ECDSA",
            Self::Pkcs1 => "RSA",
        }
    }
}

/// `der` as PEM under the label of its form.
pub(crate) fn to_pem(der: &PrivateKeyDer<'_>) -> String {
    let label = match der {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    pem::encode(label, der.secret_der())
}

fn from_pkcs8(der: &[u8]) -> Result<(Pair, KeyType), KeyError> {
    let unusable = |_| KeyError::Unusable;
    let (identifier, _) = pkcs8_key(der).map_err(|_| KeyError::Unusable)?;
    if identifier.oid == Oid::RSA_ENCRYPTION {
        let pair = RsaKeyPair::from_pkcs8(der).map_err(unusable)?;
        let key_type = rsa(&pair)?;
        return Ok((Pair::Rsa(Box::new(pair)), key_type));
    }
    let key_type = KeyType::of(&identifier, &[]).ok_or(KeyError::Unusable)?;
    let pair = match key_type {
        KeyType::Ed25519 => {
            Pair::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(unusable)?)
        }
        KeyType::MlDsa44 | KeyType::MlDsa65 | KeyType::MlDsa87 => {
            Pair::MlDsa(PqdsaKeyPair::from_pkcs8(ml_dsa(key_type), der).map_err(unusable)?)
        }
        _ => Pair::Ecdsa(EcdsaKeyPair::from_pkcs8(ecdsa(key_type), der).map_err(unusable)?),
    };
    Ok((pair, key_type))
}

/// The algorithm of a PKCS#8 key (RFC 5958, section 2), and the octets of the key itself.
fn pkcs8_key(der: &[u8]) -> Result<(AlgorithmIdentifier, &[u8]), DerError> {
    let mut reader = Reader::only(der, Tag::SEQUENCE)?.reader();
    reader.expect(Tag::INTEGER)?;
    let identifier = AlgorithmIdentifier::read(reader.next()?)?;
    let inner = reader.expect(Tag::OCTET_STRING)?.content;
    Ok((identifier, inner))
}

/// The curve that an `ECPrivateKey` names, where it names one.
fn sec1_curve(der: &[u8]) -> Result<Option<KeyType>, DerError> {
    let mut reader = Reader::only(der, Tag::SEQUENCE)?.reader();
    reader.expect(Tag::INTEGER)?;
    reader.expect(Tag::OCTET_STRING)?;
    let Some(parameters) = reader.optional(Tag::context_constructed(0))? else {
        return Ok(None);
    };
    let identifier = AlgorithmIdentifier {
        oid: Oid::EC_PUBLIC_KEY,
        parameters: Some(parameters.inner()?.whole.to_vec()),
    };
    Ok(KeyType::of(&identifier, &[]))
}

const CURVES: [KeyType; 3] = [KeyType::EcdsaP256, KeyType::EcdsaP384, KeyType::EcdsaP521];

fn ecdsa(key_type: KeyType) -> &'static EcdsaSigningAlgorithm {
    match key_type {
        KeyType::EcdsaP384 => &aws::ECDSA_P384_SHA384_ASN1_SIGNING,
        KeyType::EcdsaP521 => &aws::ECDSA_P521_SHA512_ASN1_SIGNING,
        _ => &aws::ECDSA_P256_SHA256_ASN1_SIGNING,
    }
}

fn ml_dsa(key_type: KeyType) -> &'static PqdsaSigningAlgorithm {
    match key_type {
        KeyType::MlDsa65 => &aws::ML_DSA_65_SIGNING,
        KeyType::MlDsa87 => &aws::ML_DSA_87_SIGNING,
        _ => &aws::ML_DSA_44_SIGNING,
    }
}

fn rsa(pair: &RsaKeyPair) -> Result<KeyType, KeyError> {
    let identifier = AlgorithmIdentifier {
        oid: Oid::RSA_ENCRYPTION,
        parameters: None,
    };
    KeyType::of(&identifier, pair.public_key().as_ref()).ok_or(KeyError::Unusable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecdsa_keys_are_written_as_aws_lc_writes_them() {
        for key_type in CURVES {
            // Several, as some have zeros in front.
            for _ in 0..300 {
                let key = PrivateKey::generate_of(key_type).unwrap();
                let Pair::Ecdsa(pair) = &key.pair else {
                    panic!("{key:?}");
                };
                let theirs = pair.to_pkcs8v1().unwrap();
                assert!(key.ecdsa_pkcs8(pair).unwrap() == theirs.as_ref(), "{key:?}");
            }
        }
    }
}
