//! What was found in a PKCS#12 file, and what entries it makes.

use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Content, KeyStore, KeyStoreError, MAX_ENTRIES};
use crate::keystore::Entry;
use crate::keystore::chain::Heap;
use crate::{Certificate, PrivateKey};

/// The attributes of a bag.
#[derive(Default)]
pub(super) struct Found {
    /// The "friendly name".
    pub(super) name: Option<String>,
    /// What a key and its certificate have in common.
    pub(super) key_id: Option<Vec<u8>>,
    /// Whether Java is told to trust it.
    pub(super) trusted: bool,
}

/// All keys and certificates of a file.
#[derive(Default)]
pub(super) struct Bags {
    keys: Vec<(Found, PrivatePkcs8KeyDer<'static>)>,
    attributes: Vec<Found>,
    certificates: Vec<CertificateDer<'static>>,
    omitted: KeyStore,
}

impl Bags {
    pub(super) fn key(
        &mut self,
        found: Found,
        key: PrivatePkcs8KeyDer<'static>,
    ) -> Result<(), KeyStoreError> {
        self.keys.push((found, key));
        self.check_count()
    }

    pub(super) fn certificate(
        &mut self,
        found: Found,
        certificate: CertificateDer<'static>,
    ) -> Result<(), KeyStoreError> {
        self.attributes.push(found);
        self.certificates.push(certificate);
        self.check_count()
    }

    pub(super) fn omit(&mut self, what: &str) {
        self.omitted.omit(what);
    }

    fn check_count(&self) -> Result<(), KeyStoreError> {
        if self.keys.len() + self.certificates.len() > MAX_ENTRIES {
            return Err(KeyStoreError::TooMany);
        }
        Ok(())
    }

    /// Gives each key its chain; what is left over become entries of their own.
    pub(super) fn into_store(self) -> KeyStore {
        let mut store = self.omitted;
        let heap = Heap::new(&self.certificates);
        let mut in_chain = vec![false; self.certificates.len()];
        for (index, (found, key)) in self.keys.into_iter().enumerate() {
            let by_key = || {
                // Without an identifier a key is one of few: this is not how to find thousands.
                (index < 100).then(|| with_public_key(&key, &self.certificates))?
            };
            let leaf = with_id(&found, &self.attributes).or_else(by_key);
            let chain = leaf.map_or_else(Vec::new, |leaf| heap.chain(leaf));
            for index in &chain {
                in_chain[*index] = true;
            }
            // Some programs name the certificate only.
            let name_of_leaf = || leaf.and_then(|leaf| self.attributes[leaf].name.clone());
            store.entries.push(Entry {
                alias: found.name.or_else(name_of_leaf),
                created: None,
                content: Content::Key {
                    key,
                    chain: chain
                        .into_iter()
                        .map(|index| self.certificates[index].clone())
                        .collect(),
                },
            });
        }
        let all = self.attributes.into_iter().zip(self.certificates);
        for ((found, certificate), in_chain) in all.zip(in_chain) {
            if found.trusted || !in_chain {
                store.entries.push(Entry {
                    alias: found.name,
                    created: None,
                    content: Content::Certificate {
                        certificate,
                        trusted: found.trusted,
                    },
                });
            }
        }
        store
    }
}

/// The certificate with the identifier of a key.
fn with_id(found: &Found, attributes: &[Found]) -> Option<usize> {
    let id = found.key_id.as_ref()?;
    let mut ids = attributes.iter().map(|attributes| &attributes.key_id);
    ids.position(|other| other.as_ref() == Some(id))
}

/// The certificate with the public half of a key.
fn with_public_key(
    key: &PrivatePkcs8KeyDer<'_>,
    certificates: &[CertificateDer<'static>],
) -> Option<usize> {
    let key = PrivateKey::from_der(&PrivateKeyDer::from(key.clone_key())).ok()?;
    certificates
        .iter()
        .take(100)
        .position(|der| Certificate::from_der(der).is_ok_and(|leaf| leaf.matches(&key)))
}
