//! The private key of a server, which opens the key exchange of RSA (RFC 5246, section 7.4.7.1): whoever has it
//! reads every connection that was ever made so, which is why TLS 1.3 has it no more.

use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use ravelin_pki::key::{KeyError, KeyForm, PrivateKey};
use ravelin_pki::public_key::KeyType;

use crate::digest::Octets;
use crate::knowledge::Knowledge;

/// An RSA key of a server, of 2048 to 8192 bits.
///
/// It decrypts with aws-lc-rs, which takes the same time whatever it finds and is here already.
pub struct ServerKey {
    key: Pkcs1PrivateDecryptingKey,
}

/// Why a key opens nothing.
#[derive(Debug, thiserror::Error)]
pub enum ServerKeyError {
    /// The file holds no key, or a damaged one.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Keys of other kinds sign and never decrypt.
    #[error("only RSA keys decrypt what a client sends, and this is an {0} key")]
    NotRsa(KeyType),
}

impl ServerKey {
    /// A key in PEM, or in bare DER.
    ///
    /// # Errors
    ///
    /// It is damaged, too short or too long, or none of RSA.
    pub fn from_pem(bytes: &[u8]) -> Result<Self, ServerKeyError> {
        Self::of(&PrivateKey::from_pem(bytes)?)
    }

    /// A key that was read.
    ///
    /// # Errors
    ///
    /// It is none of RSA.
    pub fn of(key: &PrivateKey) -> Result<Self, ServerKeyError> {
        let key_type = key.key_type();
        if !matches!(key_type, KeyType::Rsa(_)) {
            return Err(ServerKeyError::NotRsa(key_type));
        }
        let der = key.to_der(KeyForm::Pkcs8)?;
        let key = PrivateDecryptingKey::from_pkcs8(der.secret_der());
        let key = key.map_err(|_| KeyError::Unusable)?;
        let key = Pkcs1PrivateDecryptingKey::new(key).map_err(|_| KeyError::Unusable)?;
        Ok(Self { key })
    }
}

impl Knowledge for ServerKey {
    fn decrypted_premaster(&self, encrypted: &[u8]) -> Option<Octets> {
        const PREMASTER_OCTETS: usize = 48;
        let mut room = Octets::new(vec![0; self.key.min_output_size()]);
        let premaster = self.key.decrypt(encrypted, &mut room).ok()?;
        (premaster.len() == PREMASTER_OCTETS).then(|| Octets::new(premaster.to_vec()))
    }
}
