//! Names, keys and certificates as typed values.
//!
//! This crate does no IO and reads no clock: bytes and a given time go in, typed answers come out.
//! Where certificates are kept is `ravelin-certs`' business, how TLS uses them `ravelin-tls`'s.
//!
//! ```
//! use std::time::SystemTime;
//! use ravelin_pki::{Authority, HostName, NameConstraints, PrivateKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = SystemTime::now();
//! let root = Authority::root("Example CA", PrivateKey::generate()?, &NameConstraints::local(), now)?;
//! let intermediate = root.intermediate("Example intermediate", PrivateKey::generate()?, now)?;
//! let names: Vec<HostName> = vec!["localhost".parse()?, "::1".parse()?];
//! let leaf = intermediate.leaf(&names, now)?;
//! assert_eq!(leaf.names(), names);
//! # Ok(())
//! # }
//! ```

pub mod authority;
pub mod certificate;
pub mod constraints;
pub mod fingerprint;
pub mod key;
pub mod leaf;
pub mod name;
pub mod pem;
pub mod serial;

pub use authority::{Authority, AuthorityError};
pub use certificate::{Certificate, CertificateError};
pub use constraints::NameConstraints;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use key::{KeyError, PrivateKey};
pub use leaf::{Leaf, LeafError};
pub use name::{HostName, HostNameError};
pub use pem::PemError;
pub use rustls_pki_types::{CertificateDer, PrivateKeyDer};
pub use serial::{SerialNumber, SerialNumberError};
