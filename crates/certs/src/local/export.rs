//! A whole CA in one encrypted file: keys, certificates, policy and journal.
//!
//! A header in JSON, in the first line, then base64. What is in it is encrypted and authenticated
//! together with the header by AES-256-GCM, under a key that Argon2id (RFC 9106) makes of the
//! passphrase.

use std::path::Path;
use std::time::SystemTime;

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ravelin_pki::{Certificate, Passphrase, pem};
use serde::{Deserialize, Serialize};

use super::{LEASE, LEASE_PATIENCE, LocalAuthority, LocalError, ROOT, object};
use crate::journal::event::{AuthorityNoted, Event};
use crate::journal::{Journal, JournalError};
use crate::store::{FileStore, ObjectName, Store, StoreError, shell_word};

/// Why a CA cannot be given out or taken in.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file was not made by `ravelin ca export`.
    #[error("it is no exported CA")]
    Format,
    /// The file is of a version that is not known, or asks for more work than is sensible.
    #[error("it was written by a version of Ravelin that this one does not know")]
    Newer,
    /// The passphrase is wrong, or the file was changed: the two cannot be told apart.
    #[error("the passphrase is wrong, or the file is damaged")]
    WrongPassphrase,
    /// There is a CA already.
    #[error("there is a CA already: \"{location}\"")]
    AlreadyThere {
        /// Where its root is kept.
        location: String,
    },
    /// There is no root, but something else of a CA, such as a key that may be needed.
    #[error("there are remains of a CA: \"{location}\"")]
    Remains {
        /// The first of them.
        location: String,
    },
    /// The system gave no randomness.
    #[error("nothing could be encrypted: the system gave no randomness")]
    Randomness,
    /// The CA cannot be used.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ExportError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::AlreadyThere { .. } => Some("name another folder with --home DIR".to_owned()),
            Self::Remains { location } => {
                let folder = Path::new(location).parent().unwrap_or("ca".as_ref());
                Some(format!(
                    "name another folder with --home DIR; or, where nobody needs them: rm -r {}",
                    shell_word(folder)
                ))
            }
            // It is made anew while a CA is taken in: the disk is at fault, not the index.
            Self::Local(LocalError::Journal(JournalError::Inventory(_))) => Some(
                "free some space, or name another folder with --home or RAVELIN_HOME".to_owned(),
            ),
            Self::Local(error) => error.hint(),
            Self::Store(error) => error.hint(),
            Self::Format | Self::Newer | Self::WrongPassphrase | Self::Randomness => None,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    /// Argon2id's memory in KiB, passes and lanes.
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    nonce: String,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    objects: Vec<(String, String)>,
}

impl LocalAuthority {
    /// The whole CA, encrypted: everything below `ca/` but what can be made anew. That it was given
    /// out is in its journal first.
    ///
    /// # Errors
    ///
    /// The store fails, or the system gives no randomness.
    pub fn export(&self, passphrase: &Passphrase, now: SystemTime) -> Result<Vec<u8>, ExportError> {
        let event = Event::AuthorityExported(AuthorityNoted::new(&self.root));
        let append = |journal: &mut Journal| journal.append(&[event], now);
        let mut journal = self.journal()?;
        append(&mut journal).map_err(LocalError::from)?;
        let _lease = self.store.lease(&object(LEASE), LEASE_PATIENCE)?;
        let mut objects = Vec::new();
        for name in not_derived(&self.store)? {
            if let Some(object) = self.store.get(&name)? {
                objects.push((name.as_str().to_owned(), STANDARD.encode(&object.bytes)));
            }
        }
        seal(&Contents { objects }, passphrase)
    }

    /// Takes a CA that was exported into a store that has none: all of it, or nothing, wherever it is
    /// broken off. What a process left that was killed is swept by the next that imports or makes a
    /// CA here.
    ///
    /// # Errors
    ///
    /// The passphrase is wrong, the file is damaged, there is a CA already, or the store fails.
    pub fn import(
        store: &FileStore,
        file: &[u8],
        passphrase: &Passphrase,
        now: SystemTime,
    ) -> Result<Self, ExportError> {
        let contents = open(file, passphrase)?;
        let mut objects = Vec::new();
        for (name, bytes) in contents.objects {
            let name: ObjectName = name.parse()?;
            if !name.as_str().starts_with("ca/") || is_derived(&name) {
                return Err(ExportError::Format);
            }
            let bytes = STANDARD.decode(bytes).map_err(|_| ExportError::Format)?;
            objects.push((name, bytes));
        }
        let _lease = store.lease(&object(LEASE), LEASE_PATIENCE)?;
        if let Some(name) = not_derived(store)?.first() {
            return Err(in_the_way(store, store.location(name)));
        }
        let staging = store.stage()?;
        for (name, bytes) in &objects {
            staging.store().put_if_unchanged(name, bytes, None)?;
        }
        // It has to be a CA whose books can be gone on with, before it is one here.
        let authority = Self::load(staging.store())?.ok_or(ExportError::Format)?;
        let noted = AuthorityNoted::new(&authority.root);
        let mut journal = authority.journal()?;
        journal
            .append(&[Event::AuthorityImported(noted)], now)
            .map_err(LocalError::from)?;
        drop(journal);
        staging
            .publish("ca", is_derived)
            .map_err(|error| match error {
                StoreError::AlreadyThere { path } => in_the_way(store, path.display().to_string()),
                other => other.into(),
            })?;
        Self::load(store)?.ok_or(ExportError::Format)
    }
}

/// What there is of a CA: remains of one may be needed as well, and nothing is ever written over.
fn not_derived(store: &FileStore) -> Result<Vec<ObjectName>, StoreError> {
    let mut names = store.list("ca/")?;
    names.retain(|name| !is_derived(name));
    Ok(names)
}

fn in_the_way(store: &FileStore, location: String) -> ExportError {
    let root = object(ROOT);
    match store.get(&root) {
        Ok(None) => ExportError::Remains { location },
        _ => ExportError::AlreadyThere {
            location: store.location(&root),
        },
    }
}

/// The certificate of the root in an exported CA, for whoever has its passphrase.
///
/// # Errors
///
/// As of [`LocalAuthority::import`].
pub fn exported_root(file: &[u8], passphrase: &Passphrase) -> Result<Certificate, ExportError> {
    let contents = open(file, passphrase)?;
    let root = contents.objects.iter().find(|(name, _)| name == ROOT);
    let (_, bytes) = root.ok_or(ExportError::Format)?;
    let bytes = STANDARD.decode(bytes).map_err(|_| ExportError::Format)?;
    let ders = pem::certificates(&bytes).map_err(|_| ExportError::Format)?;
    Certificate::from_der(&ders[0]).map_err(|_| ExportError::Format)
}

/// The inventory is made from the journal.
fn is_derived(name: &ObjectName) -> bool {
    name.as_str().starts_with("ca/inventory")
}

fn seal(contents: &Contents, passphrase: &Passphrase) -> Result<Vec<u8>, ExportError> {
    let mut random = [0; 28];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| ExportError::Randomness)?;
    let (salt, nonce) = random.split_at(16);
    let header = Header {
        format: FORMAT.to_owned(),
        version: 1,
        memory: MEMORY,
        passes: PASSES,
        lanes: 1,
        salt: STANDARD.encode(salt),
        nonce: STANDARD.encode(nonce),
    };
    let head = serde_json::to_string(&header).map_err(|_| ExportError::Format)?;
    let mut sealed = serde_json::to_vec(contents).map_err(|_| ExportError::Format)?;
    let (key, nonce) = key(&header, passphrase)?;
    key.seal_in_place_append_tag(nonce, Aad::from(head.as_bytes()), &mut sealed)
        .map_err(|_| ExportError::Randomness)?;
    let body = STANDARD.encode(&sealed);
    let mut file = head.into_bytes();
    for line in body.as_bytes().chunks(76) {
        file.push(b'\n');
        file.extend_from_slice(line);
    }
    file.push(b'\n');
    Ok(file)
}

fn open(file: &[u8], passphrase: &Passphrase) -> Result<Contents, ExportError> {
    let end = file.iter().position(|octet| *octet == b'\n');
    let (head, body) = file.split_at(end.ok_or(ExportError::Format)?);
    let header: Header = serde_json::from_slice(head).map_err(|_| ExportError::Format)?;
    if header.format != FORMAT {
        return Err(ExportError::Format);
    }
    // A file must not make us use gigabytes or minutes.
    if header.version != 1
        || header.memory > MEMORY * 4
        || header.passes > PASSES * 4
        || header.lanes > 4
    {
        return Err(ExportError::Newer);
    }
    let body: Vec<u8> = body
        .iter()
        .copied()
        .filter(|octet| !octet.is_ascii_whitespace())
        .collect();
    let mut sealed = STANDARD.decode(body).map_err(|_| ExportError::Format)?;
    let (key, nonce) = key(&header, passphrase)?;
    let opened = key
        .open_in_place(nonce, Aad::from(head), &mut sealed)
        .map_err(|_| ExportError::WrongPassphrase)?;
    serde_json::from_slice(opened).map_err(|_| ExportError::Format)
}

fn key(header: &Header, passphrase: &Passphrase) -> Result<(LessSafeKey, Nonce), ExportError> {
    let salt = STANDARD
        .decode(&header.salt)
        .map_err(|_| ExportError::Format)?;
    let nonce = STANDARD
        .decode(&header.nonce)
        .map_err(|_| ExportError::Format)?;
    let params = Params::new(header.memory, header.passes, header.lanes, Some(32))
        .map_err(|_| ExportError::Format)?;
    let mut octets = zeroize::Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.as_bytes(), &salt, octets.as_mut())
        .map_err(|_| ExportError::Format)?;
    let key = UnboundKey::new(&AES_256_GCM, octets.as_ref()).map_err(|_| ExportError::Format)?;
    let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| ExportError::Format)?;
    Ok((LessSafeKey::new(key), nonce))
}

const FORMAT: &str = "ravelin-ca-export";

/// 64 MiB and three passes: the second choice of RFC 9106, section 4.
const MEMORY: u32 = 64 * 1024;
const PASSES: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_by_its_passphrase_alone() {
        let contents = Contents {
            objects: vec![("ca/root.pem".to_owned(), STANDARD.encode("x"))],
        };
        let file = seal(&contents, &"secret".into()).unwrap();
        let opened = open(&file, &"secret".into()).unwrap();
        assert_eq!(opened.objects, contents.objects);
        let wrong = open(&file, &"Secret".into());
        assert!(matches!(wrong, Err(ExportError::WrongPassphrase)));
        // The header is authenticated too.
        let text = String::from_utf8(file).unwrap();
        let other = text.replace("\"lanes\":1", "\"lanes\":2");
        assert!(matches!(
            open(other.as_bytes(), &"secret".into()),
            Err(ExportError::WrongPassphrase)
        ));
        let costly = text.replace("\"memory\":65536", "\"memory\":4294967295");
        assert!(matches!(
            open(costly.as_bytes(), &"secret".into()),
            Err(ExportError::Newer)
        ));
        assert!(matches!(
            open(b"{}\n", &"".into()),
            Err(ExportError::Format)
        ));
    }
}
