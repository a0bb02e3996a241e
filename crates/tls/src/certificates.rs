//! Which certificate answers to which server name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
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

    /// The same certificate with this OCSP response in DER stapled to it, or with none: sent as it is
    /// to clients that ask for one (RFC 6066, section 8; RFC 8446, section 4.4.2.1). Whether clients
    /// will believe it is for the caller to have checked.
    #[must_use]
    pub fn with_staple(&self, response: Option<&[u8]>) -> Self {
        let mut certified = CertifiedKey::clone(&self.certified);
        certified.ocsp = response.map(<[u8]>::to_vec);
        Self {
            certified: Arc::new(certified),
            names: self.names.clone(),
        }
    }

    /// The OCSP response that is stapled to it, in DER.
    #[must_use]
    pub fn staple(&self) -> Option<&[u8]> {
        self.certified.ocsp.as_deref()
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
    address: HashMap<IpAddr, ServedCertificate>,
    default: Option<ServedCertificate>,
}

impl Certificates {
    /// Starts with the certificate for clients that name no server, or one that is not known, and
    /// come by an address that has none of its own.
    #[must_use]
    pub fn new(default: ServedCertificate) -> Self {
        Self {
            default: Some(default),
            ..Self::none()
        }
    }

    /// Starts with none: who asks for a name that has none is told by an alert, and gets nothing else.
    #[must_use]
    pub fn none() -> Self {
        Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            address: HashMap::new(),
            default: None,
        }
    }

    /// Lets `certificate` answer to `name`. Addresses never come as server names (RFC 6066,
    /// section 3): one answers to clients that name none and have connected to it.
    pub fn insert(&mut self, name: &HostName, certificate: &ServedCertificate) {
        match name {
            HostName::Dns(name) => match name.strip_prefix("*.") {
                Some(parent) => self.wildcard.insert(parent.into(), certificate.clone()),
                None => self.exact.insert(name.as_str().into(), certificate.clone()),
            },
            HostName::Ip(address) => self.address.insert(*address, certificate.clone()),
        };
    }

    /// The certificate for a server name in lower case, or for a client that has none and has
    /// connected to `local`; none where there is none for that name, and none for all others.
    #[must_use]
    pub fn find(&self, server_name: Option<&str>, local: IpAddr) -> Option<&ServedCertificate> {
        let found = match server_name {
            Some(name) => {
                // Some clients send the dot that their user typed (RFC 6066 has it left out).
                let name = name.strip_suffix('.').unwrap_or(name);
                let parent = || Some(name.split_once('.')?.1);
                let exact = self.exact.get(name);
                exact.or_else(|| self.wildcard.get(parent()?))
            }
            None => self.of_address(local),
        };
        found.or(self.default.as_ref())
    }

    /// The certificate of an address, where it has one of its own.
    pub(crate) fn of_address(&self, local: IpAddr) -> Option<&ServedCertificate> {
        self.address.get(&local.to_canonical())
    }
}

/// By the name alone: rustls does not know where a client has connected to.
impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = self.find(hello.server_name(), Ipv4Addr::UNSPECIFIED.into())?;
        Some(named.certified.clone())
    }
}

/// Always this one.
impl ResolvesServerCert for ServedCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certified.clone())
    }
}
