//! Keystores: keys with their certificates, and certificates that are trusted, under one passphrase.
//!
//! `pkcs12` and `jks` read and write the two formats; what is in them is the same. Whether keys and
//! certificates are sound, and fit each other, is left to [`crate::PrivateKey`] and
//! [`crate::Certificate`].

use std::fmt;
use std::time::SystemTime;

use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use crate::der::DerError;
use crate::encrypted_key::EncryptedKeyError;
use crate::pbe::PbeError;

mod chain;
pub mod jks;
pub mod pkcs12;

pub use pkcs12::Pkcs12For;

/// What is in a keystore, in the order of the file.
///
/// ```
/// use std::time::SystemTime;
/// use ravelin_pki::keystore::{Entry, KeyStore, Pkcs12For, pkcs12};
/// use ravelin_pki::{Authority, NameConstraints, Passphrase, PrivateKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let now = SystemTime::now();
/// let root = Authority::root("Example CA", PrivateKey::generate()?, &NameConstraints::local(), now)?;
/// let mut store = KeyStore::default();
/// store.entries.push(Entry::trusted("example ca", root.certificate().der().clone()));
///
/// let passphrase = Passphrase::from("changeit");
/// let file = pkcs12::write(&store, &passphrase, Pkcs12For::Java)?;
/// assert_eq!(pkcs12::read(&file, &passphrase)?, store);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default, PartialEq)]
pub struct KeyStore {
    /// The entries.
    pub entries: Vec<Entry>,
    /// What the file holds besides, in words, once each kind: secret keys, CRLs. It is not kept.
    pub omitted: Vec<String>,
}

/// One entry of a keystore.
#[derive(Debug, PartialEq)]
pub struct Entry {
    /// Its name; in PKCS#12 the "friendly name", which may be missing.
    pub alias: Option<String>,
    /// When it was made, where the format tells.
    pub created: Option<SystemTime>,
    /// What it is.
    pub content: Content,
}

/// What an entry is.
#[derive(PartialEq)]
pub enum Content {
    /// A private key.
    Key {
        /// The key in PKCS#8.
        key: PrivatePkcs8KeyDer<'static>,
        /// The certificate of the key, then that of its issuer and so on. May be empty.
        chain: Vec<CertificateDer<'static>>,
    },
    /// A certificate without a key: one that is trusted, or one that lies beside.
    Certificate {
        /// The certificate.
        certificate: CertificateDer<'static>,
        /// Whether the file says that it is trusted, as every such entry of a JKS does, and those of
        /// PKCS#12 that Java wrote.
        trusted: bool,
    },
}

impl Entry {
    /// A key with its chain, the key's own certificate first.
    #[must_use]
    pub fn key(
        alias: impl Into<String>,
        key: PrivatePkcs8KeyDer<'static>,
        chain: Vec<CertificateDer<'static>>,
    ) -> Self {
        Self {
            alias: Some(alias.into()),
            created: None,
            content: Content::Key { key, chain },
        }
    }

    /// A certificate that is trusted.
    #[must_use]
    pub fn trusted(alias: impl Into<String>, certificate: CertificateDer<'static>) -> Self {
        Self {
            alias: Some(alias.into()),
            created: None,
            content: Content::Certificate {
                certificate,
                trusted: true,
            },
        }
    }
}

impl KeyStore {
    /// The private keys, each with its chain.
    pub fn keys(
        &self,
    ) -> impl Iterator<Item = (&PrivatePkcs8KeyDer<'static>, &[CertificateDer<'static>])> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.content {
                Content::Key { key, chain } => Some((key, chain.as_slice())),
                Content::Certificate { .. } => None,
            })
    }

    /// All certificates: those of chains and those without a key.
    pub fn certificates(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.entries.iter().flat_map(|entry| match &entry.content {
            Content::Key { chain, .. } => chain.as_slice(),
            Content::Certificate { certificate, .. } => std::slice::from_ref(certificate),
        })
    }

    fn omit(&mut self, what: &str) {
        if !self.omitted.iter().any(|known| known == what) {
            self.omitted.push(what.to_owned());
        }
    }
}

/// Shows certificates by their length, and of a key nothing.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { chain, .. } => f
                .debug_struct("Key")
                .field("chain", &format_args!("{} certificates", chain.len()))
                .finish_non_exhaustive(),
            Self::Certificate {
                certificate,
                trusted,
            } => f
                .debug_struct("Certificate")
                .field("octets", &certificate.len())
                .field("trusted", trusted)
                .finish(),
        }
    }
}

/// Why a keystore cannot be read or written. Never holds a key or a passphrase.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum KeyStoreError {
    /// It is longer than [`MAX_OCTETS`].
    #[error("the keystore is {octets} bytes long, more than the {MAX_OCTETS} that are read")]
    TooLong {
        /// Its length.
        octets: usize,
    },
    /// It has more keys and certificates than are read.
    #[error("the keystore holds more than {MAX_ENTRIES} keys and certificates")]
    TooMany,
    /// It has parts in parts, more than anyone writes.
    #[error("the parts of the keystore are nested too deeply")]
    TooDeep,
    /// It is of another format.
    #[error("it is no {format} keystore")]
    WrongFormat {
        /// Which format was asked for.
        format: &'static str,
    },
    /// The DER of a PKCS#12 file is malformed.
    #[error("the keystore is damaged")]
    Der(#[from] DerError),
    /// The binary structure of a JKS file is malformed, or a digest says so under a passphrase that is
    /// known to be right.
    #[error("the keystore is damaged: {problem} at byte {at}")]
    Damaged {
        /// What is wrong.
        problem: &'static str,
        /// Where, from 0.
        at: usize,
    },
    /// The passphrase does not fit. That the file was changed instead is seen in the same way: only
    /// the passphrase tells.
    #[error("the passphrase of the keystore is wrong, or the keystore was changed")]
    WrongPassphrase,
    /// The keystore's passphrase fits, and that of a key in it is another one.
    #[error("the private key \"{alias}\" has another passphrase than the keystore")]
    KeyPassphrase {
        /// The name of its entry.
        alias: String,
    },
    /// A part that cannot be read, or made.
    #[error("a part of the keystore cannot be read or written")]
    Encryption(#[source] PbeError),
    /// A private key that cannot be read.
    #[error("the private key \"{alias}\" of the keystore cannot be read")]
    Key {
        /// The name of its entry.
        alias: String,
        /// What is wrong with it.
        source: EncryptedKeyError,
    },
    /// Something in the format that is not supported.
    #[error("the keystore holds {what}, which is not supported")]
    Unsupported {
        /// What, in words.
        what: String,
    },
    /// Two entries of a name, which JKS cannot hold; it does not tell upper case from lower.
    #[error("two entries have the alias \"{alias}\"")]
    SameAlias {
        /// The alias.
        alias: String,
    },
    /// An entry that the format cannot express.
    #[error("{what} of the entry \"{alias}\" cannot be written into a {format} keystore")]
    Unwritable {
        /// What.
        what: &'static str,
        /// The name of its entry.
        alias: String,
        /// The format.
        format: &'static str,
    },
}

impl KeyStoreError {
    /// A command that mends it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::KeyPassphrase { .. } => Some(
                "make them alike: keytool -importkeystore -srckeystore old.jks -destkeystore new.p12 \
                 -deststoretype PKCS12",
            ),
            Self::Encryption(PbeError::Unsupported { .. }) => Some(
                "write it anew: openssl pkcs12 -legacy -in old.p12 -nodes | \
                 openssl pkcs12 -export -out new.p12",
            ),
            Self::Unsupported { what } if what == jks::SECRET_KEY => Some(
                "take out what is needed: keytool -importkeystore -srckeystore old.jks \
                 -destkeystore new.p12 -deststoretype PKCS12 -srcalias NAME",
            ),
            _ => None,
        }
    }
}

impl From<PbeError> for KeyStoreError {
    fn from(error: PbeError) -> Self {
        match error {
            PbeError::WrongPassphrase => Self::WrongPassphrase,
            other => Self::Encryption(other),
        }
    }
}

/// How long a keystore may be: 16 MiB. The largest known, with all roots that Java trusts, take less
/// than 300 KiB.
pub const MAX_OCTETS: usize = 16 << 20;

/// How many keys and certificates a keystore may hold.
pub const MAX_ENTRIES: usize = 10_000;

fn check_length(file: &[u8]) -> Result<(), KeyStoreError> {
    if file.len() > MAX_OCTETS {
        let octets = file.len();
        return Err(KeyStoreError::TooLong { octets });
    }
    Ok(())
}

/// An alias for a message: files may put anything into it.
fn shown(alias: &str) -> String {
    let harmless = alias.chars().filter(|character| !character.is_control());
    harmless.take(80).collect()
}
