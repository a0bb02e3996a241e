//! Which certificate answers to which server name.

use std::fmt;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};
use ravelin_pki::HostName;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// A certificate chain with its key, ready to sign, and the names that it may speak for.
#[derive(Clone)]
pub struct ServedCertificate {
    certified: Arc<CertifiedKey>,
    names: Arc<[HostName]>,
}

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The private key is not the one of the first certificate of the chain.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// rustls or aws-lc-rs cannot sign with this key.
    #[error("the private key cannot be used for TLS")]
    UnusableKey(#[source] rustls::Error),
    /// There is no certificate in the chain.
    #[error("the chain has no certificate in it")]
    EmptyChain,
}

impl ServedCertificate {
    /// Pairs `chain` (leaf first) with `key`. `names` are those of the leaf.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        names: &[HostName],
    ) -> Result<Self, CertificateError> {
        if chain.is_empty() {
            return Err(CertificateError::EmptyChain);
        }
        let certified =
            CertifiedKey::from_der(chain, key, &crate::policy::provider()).map_err(|error| {
                match error {
                    rustls::Error::InconsistentKeys(_) => CertificateError::KeyMismatch,
                    other => CertificateError::UnusableKey(other),
                }
            })?;
        Ok(Self {
            certified: Arc::new(certified),
            names: names.into(),
        })
    }

    /// The names that the certificate covers, wildcards included.
    #[must_use]
    pub fn names(&self) -> &[HostName] {
        &self.names
    }

    /// Whether the certificate covers `host`.
    #[must_use]
    pub fn covers(&self, host: &HostName) -> bool {
        self.names.iter().any(|name| name.covers(host))
    }
}

/// Private keys never show; the names do.
impl fmt::Debug for ServedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedCertificate")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// The certificates of all sites, found by server name in time that does not depend on their
/// number.
#[derive(Debug)]
pub struct Certificates {
    exact: HashMap<Box<str>, ServedCertificate>,
    /// By the name behind `*.`.
    wildcard: HashMap<Box<str>, ServedCertificate>,
    default: ServedCertificate,
}

impl Certificates {
    /// Starts with the certificate for clients that name no server, or one that is not known.
    #[must_use]
    pub fn new(default: ServedCertificate) -> Self {
        Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            default,
        }
    }

    /// Lets `certificate` answer to `name`. Addresses never come as server names (RFC 6066,
    /// section 3): they are ignored here and answered by the default.
    pub fn insert(&mut self, name: &HostName, certificate: &ServedCertificate) {
        if let HostName::Dns(name) = name {
            match name.strip_prefix("*.") {
                Some(parent) => self.wildcard.insert(parent.into(), certificate.clone()),
                None => self.exact.insert(name.as_str().into(), certificate.clone()),
            };
        }
    }

    /// The certificate for a server name in lower case.
    #[must_use]
    pub fn find(&self, server_name: Option<&str>) -> &ServedCertificate {
        server_name
            .and_then(|name| {
                self.exact
                    .get(name)
                    .or_else(|| self.wildcard.get(name.split_once('.')?.1))
            })
            .unwrap_or(&self.default)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // rustls hands the name over in lower case, without a trailing dot.
        Some(self.find(hello.server_name()).certified.clone())
    }
}
