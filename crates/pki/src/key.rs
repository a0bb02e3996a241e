//! Private keys: made here, or read from what others made.
//!
//! New keys are ECDSA P-256. Keys that are read may also be P-384, P-521, Ed25519 or RSA of 2048
//! to 8192 bits.

use std::fmt;

use rcgen::{KeyPair, PublicKeyData, SigningKey};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::fingerprint::Fingerprint;
use crate::pem::{self, PemError};

/// A private key that can sign. `Debug` shows its algorithm and nothing secret.
pub struct PrivateKey {
    pair: KeyPair,
    // rcgen writes whatever it read under the label of PKCS#8, so the form is kept here.
    der: PrivateKeyDer<'static>,
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
        "the private key is damaged or of an unsupported kind; \
         supported are ECDSA (P-256, P-384, P-521), Ed25519 and RSA of 2048 to 8192 bits"
    )]
    Unusable,
    /// The system gave no randomness.
    #[error("no key could be generated: the system gave no randomness")]
    Generate,
}

impl PrivateKey {
    /// Makes a new ECDSA P-256 key (FIPS 186-5).
    pub fn generate() -> Result<Self, KeyError> {
        let pair = KeyPair::generate().map_err(|_| KeyError::Generate)?;
        let der = PrivatePkcs8KeyDer::from(pair.serialize_der()).into();
        Ok(Self { pair, der })
    }

    /// Reads a key from PEM (PKCS#8, SEC1 or PKCS#1), or from bare DER of the same forms.
    pub fn from_pem(bytes: &[u8]) -> Result<Self, KeyError> {
        Self::from_der(&pem::private_key(bytes)?)
    }

    /// Takes a key in any of its DER forms.
    pub fn from_der(der: &PrivateKeyDer<'_>) -> Result<Self, KeyError> {
        let pair = KeyPair::try_from(der).map_err(|_| KeyError::Unusable)?;
        let der = der.clone_key();
        Ok(Self { pair, der })
    }

    /// The key in DER, in the form that it was read in; PKCS#8 where it was made here.
    #[must_use]
    pub fn der(&self) -> &PrivateKeyDer<'static> {
        &self.der
    }

    /// The key as PEM, for a file that only its owner may read.
    #[must_use]
    pub fn to_pem(&self) -> String {
        to_pem(&self.der)
    }

    /// The SHA-256 of the public key (its `SubjectPublicKeyInfo`): names the key, tells nothing
    /// about the private half.
    #[must_use]
    pub fn public_fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.pair.subject_public_key_info())
    }

    /// The bits of the public key, as they stand in a certificate's `subjectPublicKey`.
    pub(crate) fn public_bits(&self) -> &[u8] {
        self.pair.public_key_raw()
    }
}

/// Lets rcgen sign with the key without a copy of it.
impl SigningKey for &PrivateKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.pair.sign(message)
    }
}

impl PublicKeyData for &PrivateKey {
    fn der_bytes(&self) -> &[u8] {
        self.pair.der_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.pair.algorithm()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey")
            .field("algorithm", self.pair.algorithm())
            .finish_non_exhaustive()
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
