//! Opening what is under a passphrase, and asking for it no more than has to be.

use super::binary::Binary;
use super::{Item, Locked, LockedError, MAX_LOCKED, OpenStore, StoreEntry};
use crate::encrypted_key::{self, EncryptedKeyError};
use crate::keystore::{Content, KeyStore, KeyStoreError, jks, pkcs12};
use crate::passphrase::Passphrase;
use crate::pem::Block;

/// Where passphrases come from while a file is read.
pub(super) struct Keyring<'a> {
    ask: &'a mut dyn FnMut(Locked) -> Option<Passphrase>,
    /// How many keys may still be tried. Each may cost seconds.
    left: usize,
}

impl<'a> Keyring<'a> {
    pub(super) fn new(ask: &'a mut dyn FnMut(Locked) -> Option<Passphrase>) -> Self {
        Self {
            ask,
            left: MAX_LOCKED,
        }
    }

    /// Opens an `EncryptedPrivateKeyInfo`.
    pub(super) fn open_key(&mut self, der: &[u8]) -> Item {
        self.key(|passphrase| encrypted_key::decrypt_der(der, passphrase).map(Into::into))
    }

    /// Opens a key in OpenSSL's older form.
    pub(super) fn open_traditional(&mut self, block: &Block<'_>) -> Item {
        self.key(|passphrase| encrypted_key::decrypt_block(block, passphrase))
    }

    fn key(
        &mut self,
        open: impl FnOnce(
            &Passphrase,
        )
            -> Result<rustls_pki_types::PrivateKeyDer<'static>, EncryptedKeyError>,
    ) -> Item {
        let what = Locked::Key;
        let Some(left) = self.left.checked_sub(1) else {
            let why = Some(LockedError::TooMany);
            return Item::Locked { what, why };
        };
        self.left = left;
        let Some(passphrase) = (self.ask)(what) else {
            return Item::Locked { what, why: None };
        };
        match open(&passphrase) {
            Ok(der) => Item::private_key(&der, true),
            Err(error @ EncryptedKeyError::WrongPassphrase) => Item::Locked {
                what,
                why: Some(LockedError::Key(error)),
            },
            Err(error) => Item::damaged(Binary::EncryptedKey, error),
        }
    }

    /// Opens a keystore, with the passphrases that are none before one is asked for.
    pub(super) fn open_store(&mut self, kind: Binary, file: &[u8]) -> Item {
        let (what, usual) = match kind {
            Binary::Jks => (Locked::Jks, &["changeit", ""]),
            _ => (Locked::Pkcs12, &["", "changeit"]),
        };
        let read = |passphrase: &Passphrase| match what {
            Locked::Jks => jks::read(file, passphrase),
            _ => pkcs12::read(file, passphrase),
        };
        for passphrase in usual {
            match read(&Passphrase::from(*passphrase)) {
                Err(KeyStoreError::WrongPassphrase) => {}
                read => return opened(what, kind, read),
            }
        }
        match (self.ask)(what) {
            None => Item::Locked { what, why: None },
            Some(passphrase) => opened(what, kind, read(&passphrase)),
        }
    }
}

fn opened(what: Locked, kind: Binary, read: Result<KeyStore, KeyStoreError>) -> Item {
    let store = match read {
        Ok(store) => store,
        Err(error @ (KeyStoreError::WrongPassphrase | KeyStoreError::KeyPassphrase { .. })) => {
            let why = Some(LockedError::Store(error));
            return Item::Locked { what, why };
        }
        Err(error) => return Item::damaged(kind, error),
    };
    let entries = store.entries.into_iter().map(|entry| {
        let certificates = |chain: &[rustls_pki_types::CertificateDer<'static>]| {
            chain.iter().map(|der| Item::certificate(der)).collect()
        };
        let (key, chain, trusted) = match &entry.content {
            Content::Key { key, chain } => {
                let key = Item::private_key(&key.clone_key().into(), true);
                (Some(key), certificates(chain), false)
            }
            Content::Certificate {
                certificate,
                trusted,
            } => (
                None,
                certificates(std::slice::from_ref(certificate)),
                *trusted,
            ),
        };
        StoreEntry {
            alias: entry.alias,
            created: entry.created,
            trusted,
            key,
            chain,
        }
    });
    Item::KeyStore(OpenStore {
        format: what,
        entries: entries.collect(),
        omitted: store.omitted,
    })
}
