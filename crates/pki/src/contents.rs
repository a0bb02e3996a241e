//! What is in a file, whatever it is: certificates, requests, CRLs, OCSP messages, keys, keystores and
//! bundles, in PEM, DER or bare base64, several in one.
//!
//! Each kind is read by its own module; here it is found out which one it is. Damaged parts are
//! reported beside those that are sound. What it all means is left to whoever asked.

use std::error::Error;
use std::fmt;
use std::time::SystemTime;

use base64::Engine as _;
use rustls_pki_types::PrivateKeyDer;

use crate::certificate::Certificate;
use crate::encrypted_key::EncryptedKeyError;
use crate::key::PrivateKey;
use crate::keystore::KeyStoreError;
use crate::ocsp::{OcspRequest, OcspResponse};
use crate::passphrase::Passphrase;
use crate::pem::{self, PemError};
use crate::public_key::PublicKey;
use crate::request::CertificateRequest;
use crate::revocation_list::RevocationList;

mod binary;
mod chain;
mod guess;
mod locked;

pub use chain::{Issuer, issuers, ordered};

use binary::Binary;
use locked::Keyring;

/// What a file holds, in its order. Never empty.
#[derive(Debug)]
pub struct Contents {
    /// Each thing, and where it is.
    pub items: Vec<Found>,
}

/// One thing, and where it is in the file.
#[derive(Debug)]
pub struct Found {
    /// The line of its `BEGIN`, from 1; none in a file that is not PEM.
    pub line: Option<usize>,
    /// What it is.
    pub item: Item,
}

/// One thing that was found.
#[derive(Debug)]
pub enum Item {
    /// A certificate.
    Certificate(Box<Certificate>),
    /// A certificate signing request.
    Request(Box<CertificateRequest>),
    /// A certificate revocation list.
    RevocationList(Box<RevocationList>),
    /// An OCSP response.
    OcspResponse(Box<OcspResponse>),
    /// An OCSP request.
    OcspRequest(Box<OcspRequest>),
    /// A private key.
    PrivateKey {
        /// The key.
        key: Box<PrivateKey>,
        /// Whether the file has it under a passphrase.
        encrypted: bool,
    },
    /// A public key.
    PublicKey(Box<PublicKey>),
    /// The certificates and CRLs of a PKCS#7 file.
    Bundle(Vec<Item>),
    /// A keystore.
    KeyStore(OpenStore),
    /// Something under a passphrase that was not given, or does not fit.
    Locked {
        /// What it is.
        what: Locked,
        /// Why it did not open; none where there was no passphrase.
        why: Option<LockedError>,
    },
    /// Something that is named and not read: parameters, SSH keys, PGP messages.
    Other {
        /// Its PEM label.
        label: String,
    },
    /// Something that is damaged, or not what its label says.
    Damaged {
        /// What it should be: `certificate`.
        what: &'static str,
        /// What is wrong.
        why: Box<dyn Error + Send + Sync>,
        /// What it is instead, where that can be told.
        rather: Option<&'static str>,
    },
}

/// What takes a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// A private key.
    Key,
    /// A PKCS#12 keystore.
    Pkcs12,
    /// A Java keystore: JKS or JCEKS.
    Jks,
}

/// Why something under a passphrase did not open.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LockedError {
    /// A key's passphrase is wrong.
    #[error(transparent)]
    Key(EncryptedKeyError),
    /// A keystore's passphrase is wrong.
    #[error(transparent)]
    Store(KeyStoreError),
    /// The file holds more encrypted keys than are tried: each may cost seconds.
    #[error("it is not tried, since the file holds more than {MAX_LOCKED} encrypted keys")]
    TooMany,
}

/// A keystore that was opened.
#[derive(Debug)]
pub struct OpenStore {
    /// Its format: [`Locked::Pkcs12`] or [`Locked::Jks`].
    pub format: Locked,
    /// Its entries, in the order of the file.
    pub entries: Vec<StoreEntry>,
    /// What the file holds besides, in words.
    pub omitted: Vec<String>,
}

/// An entry of a keystore.
#[derive(Debug)]
pub struct StoreEntry {
    /// Its name.
    pub alias: Option<String>,
    /// When it was made, where the format tells.
    pub created: Option<SystemTime>,
    /// Whether the file says that its certificate is trusted.
    pub trusted: bool,
    /// Its private key, or a damaged one.
    pub key: Option<Item>,
    /// Its certificates, the key's own first, sound or damaged.
    pub chain: Vec<Item>,
}

/// Why nothing was found in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentsError {
    /// It is empty, or nothing but white space.
    #[error("it is empty")]
    Empty,
    /// It is something else, and what, is known.
    #[error("it holds neither certificates nor keys: it looks like {looks}")]
    Other {
        /// What it looks like, in words.
        looks: &'static str,
        /// A command that makes use of it, where there is one.
        mend: Option<&'static str>,
    },
    /// Nobody knows what it is.
    #[error("it holds neither certificates nor keys that are known here; it begins with {begins}")]
    Unknown {
        /// Its first octets in hexadecimal digits.
        begins: String,
    },
    /// It holds more than anybody reads.
    #[error("it holds more than {MAX_ITEMS} certificates, keys and the like")]
    TooMany,
}

impl ContentsError {
    /// A command that mends it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Other { mend, .. } => *mend,
            _ => None,
        }
    }
}

/// Reads a file of any kind.
///
/// `passphrase` is asked once for each thing that takes one, and may say that there is none. Keystores
/// are tried with the usual ones before: none at all, and Java's `changeit`.
///
/// ```
/// use std::time::SystemTime;
/// use ravelin_pki::contents::{self, Item};
/// use ravelin_pki::{Authority, NameConstraints, PrivateKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = PrivateKey::generate()?;
/// let file = format!("my CA:\r\n{}", key.to_pem()?);
/// let contents = contents::read(file.as_bytes(), &mut |_| None)?;
/// assert_eq!(contents.items[0].line, Some(2));
/// assert!(matches!(contents.items[0].item, Item::PrivateKey { encrypted: false, .. }));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Nothing was found. What is damaged is an [`Item::Damaged`] instead.
pub fn read(
    bytes: &[u8],
    passphrase: &mut dyn FnMut(Locked) -> Option<Passphrase>,
) -> Result<Contents, ContentsError> {
    let mut keyring = Keyring::new(passphrase);
    if let Some(kind) = Binary::of(bytes) {
        let item = kind.read(bytes, &mut keyring);
        return Ok(Contents {
            items: vec![Found { line: None, item }],
        });
    }
    let blocks = match pem::scan(bytes) {
        Ok(blocks) => blocks,
        Err(PemError::Empty) => return Err(ContentsError::Empty),
        // UTF-16, which the guess knows to name.
        Err(_) => return Err(guess::what_it_is(bytes)),
    };
    if blocks.len() > MAX_ITEMS {
        return Err(ContentsError::TooMany);
    }
    if blocks.is_empty() {
        return bare_base64(bytes, &mut keyring).ok_or_else(|| guess::what_it_is(bytes));
    }
    let items = blocks
        .into_iter()
        .map(|block| match block {
            Ok(block) => Found {
                line: Some(block.line),
                item: of_block(&block, &mut keyring),
            },
            Err(error) => Found {
                line: error.line(),
                item: Item::Damaged {
                    what: "PEM block",
                    why: error.into(),
                    rather: None,
                },
            },
        })
        .collect();
    Ok(Contents { items })
}

/// Reads what is between BEGIN and END as what the label says (RFC 7468; those of old, and those that
/// OpenSSL, Netscape and Windows write).
fn of_block(block: &pem::Block<'_>, keyring: &mut Keyring<'_>) -> Item {
    let wanted = match block.label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Binary::Certificate,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Binary::Request,
        "X509 CRL" | "CRL" => Binary::RevocationList,
        "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" => Binary::Pkcs7,
        "PKCS12" => Binary::Pkcs12,
        "PRIVATE KEY" => Binary::Pkcs8,
        "EC PRIVATE KEY" => Binary::Sec1,
        "RSA PRIVATE KEY" => Binary::Pkcs1,
        "ENCRYPTED PRIVATE KEY" => Binary::EncryptedKey,
        "PUBLIC KEY" => Binary::PublicKey,
        "RSA PUBLIC KEY" => Binary::RsaPublicKey,
        "OCSP RESPONSE" => Binary::OcspResponse,
        "OCSP REQUEST" => Binary::OcspRequest,
        other => {
            let label = other.to_owned();
            return Item::Other { label };
        }
    };
    let what = wanted.name();
    if block.encrypted {
        return keyring.open_traditional(block);
    }
    let mut der = match block.decode() {
        Ok(der) => der,
        Err(error) => {
            return Item::Damaged {
                what,
                why: error.into(),
                rather: None,
            };
        }
    };
    // OpenSSL puts what it trusts the certificate for behind it.
    if block.label == "TRUSTED CERTIFICATE"
        && let Ok(first) = crate::der::Reader::new(&der).next()
    {
        let octets = first.whole.len();
        der.truncate(octets);
    }
    let found = Binary::of(&der);
    // Windows labels PKCS#7 a certificate.
    if wanted == Binary::Certificate && found == Some(Binary::Pkcs7) {
        return Binary::Pkcs7.read(&der, keyring);
    }
    match wanted.read(&der, keyring) {
        Item::Damaged { what, why, .. } => Item::Damaged {
            what,
            why,
            rather: found.filter(|found| *found != wanted).map(Binary::name),
        },
        item => item,
    }
}

/// DER in base64 that lost its BEGIN and END, as it stands in XML, DNS and JSON.
fn bare_base64(bytes: &[u8], keyring: &mut Keyring<'_>) -> Option<Contents> {
    let text: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|octet| !octet.is_ascii_whitespace())
        .collect();
    let der = pem::BASE64.decode(text).ok()?;
    let item = Binary::of(&der)?.read(&der, keyring);
    Some(Contents {
        items: vec![Found { line: None, item }],
    })
}

impl Contents {
    /// All certificates that are sound, in the order of the file: those of bundles and keystores too.
    #[must_use]
    pub fn certificates(&self) -> Vec<&Certificate> {
        let mut certificates = Vec::new();
        for found in &self.items {
            found.item.add_certificates(&mut certificates);
        }
        certificates
    }
}

impl Item {
    fn add_certificates<'c>(&'c self, to: &mut Vec<&'c Certificate>) {
        match self {
            Self::Certificate(certificate) => to.push(certificate),
            Self::Bundle(items) => items.iter().for_each(|item| item.add_certificates(to)),
            Self::KeyStore(store) => store
                .entries
                .iter()
                .flat_map(|entry| &entry.chain)
                .for_each(|item| item.add_certificates(to)),
            _ => {}
        }
    }

    /// Whether something in it is damaged, or did not open under the passphrase that was given.
    #[must_use]
    pub fn is_faulty(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Locked { why: Some(_), .. } => true,
            Self::Bundle(items) => items.iter().any(Self::is_faulty),
            Self::KeyStore(store) => store.entries.iter().any(|entry| {
                entry.key.as_ref().is_some_and(Self::is_faulty)
                    || entry.chain.iter().any(Self::is_faulty)
            }),
            _ => false,
        }
    }

    fn certificate(der: &[u8]) -> Self {
        match Certificate::from_der(der) {
            Ok(certificate) => Self::Certificate(Box::new(certificate)),
            Err(error) => Self::damaged(Binary::Certificate, error),
        }
    }

    fn private_key(der: &PrivateKeyDer<'_>, encrypted: bool) -> Self {
        match PrivateKey::from_der(der) {
            Ok(key) => Self::PrivateKey {
                key: Box::new(key),
                encrypted,
            },
            Err(error) => Self::damaged(Binary::Pkcs8, error),
        }
    }

    fn damaged(what: Binary, why: impl Error + Send + Sync + 'static) -> Self {
        Self::Damaged {
            what: what.name(),
            why: Box::new(why),
            rather: None,
        }
    }
}

/// `PKCS#12 keystore`.
impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "private key",
            Self::Pkcs12 => "PKCS#12 keystore",
            Self::Jks => "Java keystore",
        })
    }
}

/// How many blocks a PEM file may have. The largest bundles have some hundreds.
pub const MAX_ITEMS: usize = 100_000;

/// How many encrypted keys of one file are opened.
pub const MAX_LOCKED: usize = 16;
