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
pub mod ber;
pub mod certificate;
pub mod constraints;
pub mod contents;
pub mod der;
pub mod distinguished_name;
pub mod encrypted_key;
pub mod extension;
pub mod fingerprint;
pub mod general_name;
pub mod key;
pub mod keystore;
pub mod leaf;
pub mod lint;
pub mod mailbox;
pub mod name;
pub mod ocsp;
pub mod oid;
pub mod passphrase;
pub mod pbe;
pub mod pem;
pub mod pkcs7;
pub mod public_key;
pub mod request;
pub mod revocation_list;
pub mod serial;
pub mod signature;
pub mod signed;
pub mod template;
pub mod verify;

pub use authority::{Authority, AuthorityError};
pub use certificate::{Certificate, CertificateError};
pub use constraints::NameConstraints;
pub use distinguished_name::DistinguishedName;
pub use encrypted_key::{Derivation, EncryptedKeyError};
pub use extension::{Extension, ExtensionValue, KeyUsage};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use general_name::{GeneralName, GeneralNameError};
pub use key::{KeyError, KeyForm, PrivateKey, SignError, Signer};
pub use keystore::{KeyStore, KeyStoreError};
pub use leaf::{Leaf, LeafError};
pub use mailbox::{Mailbox, MailboxError};
pub use name::{HostName, HostNameError};
pub use ocsp::{OcspRequest, OcspResponse};
pub use oid::Oid;
pub use passphrase::Passphrase;
pub use pem::PemError;
pub use public_key::{KeyType, PublicKey};
pub use request::{CertificateRequest, RequestError};
pub use revocation_list::{
    RevocationList, RevocationListError, RevocationListTemplate, RevocationListTemplateError,
    RevocationReason, RevokedCertificate,
};
pub use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
pub use serial::{SerialNumber, SerialNumberError};
pub use signature::{Pss, SignatureAlgorithm, SignatureError};
pub use signed::Signed;
pub use template::{Purpose, Template};
pub use verify::{Judge, Question, Rules, Trust, Verdict};
