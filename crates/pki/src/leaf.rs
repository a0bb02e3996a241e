//! What a server needs to prove a name: a certificate, the chain above it, and its private key.

use std::fmt;
use std::time::SystemTime;

use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::certificate::{Certificate, CertificateError};
use crate::key::{self, KeyError, PrivateKey};
use crate::name::HostName;
use crate::pem::{self, PemError};

/// A certificate with its chain and its key, known to belong together.
pub struct Leaf {
    /// The certificate, then the intermediates, each signed by the next; the root is left out, as
    /// clients have it (RFC 8446, section 4.4.2).
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the first certificate.
    pub key: PrivateKeyDer<'static>,
    certificate: Certificate,
}

/// Why certificates and a key do not make a [`Leaf`].
#[derive(Debug, thiserror::Error)]
pub enum LeafError {
    /// The certificate's file is wrong.
    #[error("the certificate's file cannot be used")]
    CertificatePem(#[source] PemError),
    /// The key's file is wrong.
    #[error("the private key's file cannot be used")]
    KeyPem(#[source] PemError),
    /// There is no certificate.
    #[error("there is no certificate")]
    Empty,
    /// The first certificate is damaged.
    #[error("the certificate is damaged")]
    Certificate(#[source] CertificateError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(KeyError),
    /// The key belongs to another certificate.
    #[error("the private key does not belong to the certificate for \"{subject}\"")]
    Mismatch {
        /// The first certificate's first name, or its subject.
        subject: String,
    },
    /// The key belongs to a certificate further down: the file is in the wrong order.
    #[error(
        "the private key belongs to certificate number {number} of the chain, \
         which must be the first"
    )]
    Order {
        /// Which certificate the key belongs to, counted from 1.
        number: usize,
    },
}

impl Leaf {
    /// Takes a chain and its key.
    ///
    /// # Errors
    ///
    /// The chain is empty, one of both is damaged, or they do not belong together.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, LeafError> {
        let private_key = PrivateKey::from_der(&key).map_err(LeafError::Key)?;
        let first = chain.first().ok_or(LeafError::Empty)?;
        let certificate = Certificate::from_der(first).map_err(LeafError::Certificate)?;
        if !certificate.matches(&private_key) {
            let other = chain.iter().position(|der| {
                Certificate::from_der(der).is_ok_and(|other| other.matches(&private_key))
            });
            return Err(match other {
                Some(index) => LeafError::Order { number: index + 1 },
                None => LeafError::Mismatch {
                    subject: certificate
                        .names()
                        .first()
                        .map_or_else(|| certificate.subject().to_owned(), HostName::to_string),
                },
            });
        }
        Ok(Self {
            chain,
            key,
            certificate,
        })
    }

    /// Takes what was just made: the certificate, which is the first of the chain too, and its key. To
    /// read the key back from its DER would cost more than making it did: aws-lc checks that the public
    /// half is the private one's, by computing it twice.
    pub(crate) fn of_new(
        certificate: Certificate,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Self {
        Self {
            chain,
            key,
            certificate,
        }
    }

    /// Reads a chain and a key, each in PEM or DER; both may be the same file.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, LeafError> {
        Self::new(
            pem::certificates(chain).map_err(LeafError::CertificatePem)?,
            pem::private_key(key).map_err(LeafError::KeyPem)?,
        )
    }

    /// The first certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The names that the certificate is for.
    #[must_use]
    pub fn names(&self) -> &[HostName] {
        self.certificate.names()
    }

    /// The first second of the certificate's life.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.certificate.not_before()
    }

    /// The last second of the certificate's life.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.certificate.not_after()
    }

    /// When two thirds of its life are gone: time to renew it.
    #[must_use]
    pub fn renew_at(&self) -> SystemTime {
        self.certificate.renew_at()
    }

    /// The chain in PEM.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        self.chain
            .iter()
            .map(|der| pem::encode("CERTIFICATE", der))
            .collect()
    }

    /// The key in PEM: for a file that only its owner may read.
    #[must_use]
    pub fn key_pem(&self) -> String {
        key::to_pem(&self.key)
    }
}

impl LeafError {
    /// A command that mends it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::CertificatePem(error) | Self::KeyPem(error) => error.hint(),
            _ => None,
        }
    }
}

impl Clone for Leaf {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
            certificate: self.certificate.clone(),
        }
    }
}

/// Shows whom it is for, and nothing of the key.
impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leaf")
            .field("names", &self.names())
            .field("not_after", &self.not_after())
            .finish_non_exhaustive()
    }
}
