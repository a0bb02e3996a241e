//! Java's own keystores, as the JDK's source defines them: JKS in and out, JCEKS in only.
//!
//! JKS protects keys with SHA-1 as a keystream, which is weak: new keystores for Java are better
//! written with [`super::pkcs12`], which Java has by default since version 9.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::{Content, Entry, KeyStore, KeyStoreError, MAX_ENTRIES, check_length, shown};
use crate::passphrase::Passphrase;
use crate::pbe::{Work, random};

mod bytes;
mod protection;

use bytes::Input;

/// Whether a file begins as a JKS or a JCEKS keystore does.
#[must_use]
pub fn is_jks(file: &[u8]) -> bool {
    file.starts_with(&JKS) || file.starts_with(&JCEKS)
}

/// Reads a JKS or JCEKS keystore whose keys have its own passphrase, as most have.
///
/// # Errors
///
/// [`KeyStoreError::WrongPassphrase`] where the digest at the end does not fit: the format cannot tell
/// that from a change of the file. Where a key opens all the same, it is damage.
pub fn read(file: &[u8], passphrase: &Passphrase) -> Result<KeyStore, KeyStoreError> {
    read_with_key_passphrase(file, passphrase, passphrase)
}

/// Reads a JKS or JCEKS keystore whose keys have a passphrase of their own.
pub fn read_with_key_passphrase(
    file: &[u8],
    passphrase: &Passphrase,
    key_passphrase: &Passphrase,
) -> Result<KeyStore, KeyStoreError> {
    check_length(file)?;
    if !is_jks(file) {
        return Err(KeyStoreError::WrongFormat { format: "JKS" });
    }
    let body_octets = file.len().saturating_sub(DIGEST_OCTETS);
    let (body, stored) = file.split_at(body_octets);
    let raw = entries(body)?;
    let intact = verify_slices_are_equal(&keyed_digest(passphrase, body), stored).is_ok();
    let mut work = Work::for_a_file();
    let mut store = KeyStore::default();
    for entry in raw {
        let content = match entry.content {
            Raw::Certificate(certificate) => Content::Certificate {
                certificate,
                trusted: true,
            },
            Raw::Key { protected, chain } => {
                let key = protection::open(protected, key_passphrase, &entry.alias, &mut work);
                match key {
                    // A key opens under the right passphrase only, so the digest tells of a change.
                    Ok(_) if !intact => {
                        let at = body_octets;
                        let problem = "the digest at its end does not fit";
                        return Err(KeyStoreError::Damaged { problem, at });
                    }
                    Ok(key) => Content::Key { key, chain },
                    Err(_) if !intact => return Err(KeyStoreError::WrongPassphrase),
                    Err(error) => return Err(error),
                }
            }
        };
        store.entries.push(Entry {
            alias: Some(entry.alias),
            created: entry.created,
            content,
        });
    }
    if intact {
        Ok(store)
    } else {
        Err(KeyStoreError::WrongPassphrase)
    }
}

/// Writes a JKS keystore: all of it under one passphrase, as keytool does. An entry without an alias
/// gets its number, one without a time `now`.
///
/// # Errors
///
/// Two entries have one alias, or the system gives no randomness.
///
/// ```
/// use std::time::SystemTime;
/// use ravelin_pki::keystore::{KeyStore, jks};
/// use ravelin_pki::Passphrase;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let passphrase = Passphrase::from("changeit");
/// let file = jks::write(&KeyStore::default(), &passphrase, SystemTime::now())?;
/// assert!(jks::is_jks(&file));
/// assert!(jks::read(&file, &passphrase)?.entries.is_empty());
/// assert!(jks::read(&file, &"wrong".into()).is_err());
/// # Ok(())
/// # }
/// ```
pub fn write(
    store: &KeyStore,
    passphrase: &Passphrase,
    now: SystemTime,
) -> Result<Vec<u8>, KeyStoreError> {
    if store.entries.len() > MAX_ENTRIES {
        return Err(KeyStoreError::TooMany);
    }
    let mut file = Vec::new();
    file.extend_from_slice(&JKS);
    file.extend_from_slice(&2_u32.to_be_bytes());
    file.extend_from_slice(&(store.entries.len() as u32).to_be_bytes());
    let mut aliases = HashSet::new();
    for (index, entry) in store.entries.iter().enumerate() {
        // Java looks entries up in lower case and stores them so.
        let alias = match &entry.alias {
            Some(alias) => alias.to_lowercase(),
            None => (index + 1).to_string(),
        };
        let kind = match entry.content {
            Content::Key { .. } => KEY,
            Content::Certificate { .. } => CERTIFICATE,
        };
        file.extend_from_slice(&kind.to_be_bytes());
        bytes::write_text(&mut file, &alias).ok_or_else(|| KeyStoreError::Unwritable {
            what: "the alias",
            alias: shown(&alias),
            format: "JKS",
        })?;
        let created = entry.created.unwrap_or(now);
        let since = created
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let milliseconds = u64::try_from(since.as_millis()).unwrap_or(0);
        file.extend_from_slice(&milliseconds.to_be_bytes());
        match &entry.content {
            Content::Key { key, chain } => {
                let salt = random()?;
                let protected = protection::protect(key.secret_pkcs8_der(), passphrase, salt);
                bytes::write_block(&mut file, &protected);
                file.extend_from_slice(&(chain.len() as u32).to_be_bytes());
                for der in chain {
                    write_certificate(&mut file, der);
                }
            }
            Content::Certificate { certificate, .. } => write_certificate(&mut file, certificate),
        }
        if let Some(alias) = aliases.replace(alias) {
            let alias = shown(&alias);
            return Err(KeyStoreError::SameAlias { alias });
        }
    }
    let digest = keyed_digest(passphrase, &file);
    file.extend_from_slice(&digest);
    Ok(file)
}

fn write_certificate(file: &mut Vec<u8>, der: &[u8]) {
    file.extend_from_slice(&[0, 5]);
    file.extend_from_slice(b"X.509");
    bytes::write_block(file, der);
}

/// An entry whose key is still protected.
struct RawEntry<'f> {
    alias: String,
    created: Option<SystemTime>,
    content: Raw<'f>,
}

enum Raw<'f> {
    Key {
        protected: &'f [u8],
        chain: Vec<CertificateDer<'static>>,
    },
    Certificate(CertificateDer<'static>),
}

/// Reads all but the digest at the end.
fn entries(body: &[u8]) -> Result<Vec<RawEntry<'_>>, KeyStoreError> {
    let mut input = Input::new(body);
    input.take(4)?;
    // In version 1 certificates have no type in front.
    let version = input.number()?;
    if !(1..=2).contains(&version) {
        return Err(input.damaged("a version other than 1 and 2 is"));
    }
    let count = input.number()?;
    let mut left = MAX_ENTRIES;
    let mut entries = Vec::new();
    for _ in 0..count {
        left = left.checked_sub(1).ok_or(KeyStoreError::TooMany)?;
        let kind = input.number()?;
        if kind == SECRET {
            // Its length is nowhere: it is a Java object, and ends where Java finds that it does.
            return Err(KeyStoreError::Unsupported {
                what: SECRET_KEY.to_owned(),
            });
        }
        let alias = input.text()?;
        let created = input.time()?;
        let content = match kind {
            KEY => {
                let protected = input.block()?;
                let length = input.number()?;
                let mut chain = Vec::new();
                for _ in 0..length {
                    left = left.checked_sub(1).ok_or(KeyStoreError::TooMany)?;
                    chain.push(certificate(&mut input, version)?);
                }
                Raw::Key { protected, chain }
            }
            CERTIFICATE => Raw::Certificate(certificate(&mut input, version)?),
            _ => return Err(input.damaged("an entry of an unknown kind is")),
        };
        entries.push(RawEntry {
            alias,
            created,
            content,
        });
    }
    input.finish()?;
    Ok(entries)
}

fn certificate(
    input: &mut Input<'_>,
    version: u32,
) -> Result<CertificateDer<'static>, KeyStoreError> {
    if version == 2 {
        let kind = input.text()?;
        if kind != "X.509" {
            let kind: String = kind
                .chars()
                .filter(char::is_ascii_graphic)
                .take(40)
                .collect();
            let what = format!("a certificate of the type \"{kind}\"");
            return Err(KeyStoreError::Unsupported { what });
        }
    }
    Ok(CertificateDer::from(input.block()?.to_vec()))
}

/// The digest at the end: over the passphrase, a text that the JDK's authors chose, and the rest.
fn keyed_digest(passphrase: &Passphrase, body: &[u8]) -> [u8; DIGEST_OCTETS] {
    sha1(&[&passphrase.utf16(), b"Mighty Aphrodite", body])
}

fn sha1(parts: &[&[u8]]) -> [u8; DIGEST_OCTETS] {
    let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    for part in parts {
        context.update(part);
    }
    let mut octets = [0; DIGEST_OCTETS];
    octets.copy_from_slice(context.finish().as_ref());
    octets
}

/// A time of Java's: milliseconds since 1970, which may be negative and is then not believed.
fn time(milliseconds: u64) -> Option<SystemTime> {
    let milliseconds = i64::try_from(milliseconds).ok()?.try_into().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
}

/// A key in the clear, on its way out.
fn opened(plain: &[u8]) -> PrivatePkcs8KeyDer<'static> {
    PrivatePkcs8KeyDer::from(plain.to_vec())
}

const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const JCEKS: [u8; 4] = [0xce, 0xce, 0xce, 0xce];

const KEY: u32 = 1;
const CERTIFICATE: u32 = 2;
const SECRET: u32 = 3;

pub(super) const SECRET_KEY: &str = "a secret key in Java's serialized form";

const DIGEST_OCTETS: usize = 20;
