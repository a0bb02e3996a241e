//! The head of an age file: for whom it is. The `age` crate writes and opens it, and keeps the file's key to itself;
//! here it is overheard where the crate tells it to a recipient, or an identity to the crate.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::{BufRead, Cursor, Read as _};

use age::secrecy::ExposeSecret as _;
use age::{DecryptError, Decryptor, EncryptError, Encryptor, Identity, Recipient};
use age_core::format::{FileKey, Stanza};

use super::stream::{NONCE, Stream, cut_off};
use super::{AgeError, of_content, of_decryption, of_encryption};

/// A head for these recipients, with the nonce behind it; and what encrypts the rest.
pub(super) fn make(recipients: &[&dyn Recipient]) -> Result<(Vec<u8>, Stream), AgeError> {
    let key = RefCell::default();
    let overheard: Vec<_> = recipients.iter().map(|one| Overheard(*one, &key)).collect();
    let all = overheard.iter().map(|one| one as &dyn Recipient);
    let encryptor = Encryptor::with_recipients(all).map_err(of_encryption)?;
    let mut head = Vec::new();
    encryptor.wrap_output(&mut head).map_err(AgeError::Write)?;
    let nonce = head.last_chunk().ok_or(AgeError::NoRecipient)?;
    let stream = key.take().and_then(|key| Stream::new(&key, nonce));
    Ok((head, stream.ok_or(AgeError::NoRecipient)?))
}

/// A head that was read, with the nonce behind it.
pub(super) struct Head {
    decryptor: Decryptor<Cursor<Vec<u8>>>,
    nonce: [u8; NONCE],
}

impl Head {
    /// Reads to the line with the MAC and the nonce after it, and not an octet more.
    pub(super) fn read(input: &mut dyn BufRead) -> Result<Self, AgeError> {
        let mut head = Vec::new();
        let mut limited = input.take(LONGEST);
        loop {
            let begun = head.len();
            let read = limited.read_until(b'\n', &mut head).map_err(of_content)?;
            // What else is wrong the crate says.
            if read == 0 || head[begun..].starts_with(b"---") || !head.starts_with(VERSION) {
                break;
            }
        }
        let mut nonce = input.take(NONCE as u64);
        nonce.read_to_end(&mut head).map_err(of_content)?;
        let nonce = *head.last_chunk().ok_or_else(cut_off)?;
        let decryptor = Decryptor::new_buffered(Cursor::new(head));
        let decryptor = decryptor.map_err(|error| of_decryption(error, false))?;
        Ok(Self { decryptor, nonce })
    }

    pub(super) fn wants_passphrase(&self) -> bool {
        self.decryptor.is_scrypt()
    }

    /// What decrypts the rest, if one of these identities is one that the file is for, and the head is genuine.
    pub(super) fn open(self, identities: &[&dyn Identity]) -> Result<Stream, AgeError> {
        let passphrase = self.wants_passphrase();
        let key = RefCell::default();
        let overheard: Vec<_> = identities.iter().map(|one| Overheard(*one, &key)).collect();
        let all = overheard.iter().map(|one| one as &dyn Identity);
        let opened = self.decryptor.decrypt(all);
        opened.map_err(|error| match error {
            // All that the crate reads is in memory here: it is plugins that have files.
            DecryptError::Io(error) => AgeError::PluginBroken(error),
            error => of_decryption(error, passphrase),
        })?;
        let stream = key.take().and_then(|key| Stream::new(&key, &self.nonce));
        stream.ok_or(AgeError::NoMatchingKey)
    }
}

/// A recipient or an identity, with somebody who hears the file's key.
struct Overheard<'a, T: ?Sized>(&'a T, &'a RefCell<Option<FileKey>>);

impl<T: ?Sized> Overheard<'_, T> {
    fn hear(&self, key: &FileKey) {
        let copy = FileKey::init_with_mut(|copy| *copy = *key.expose_secret());
        self.1.replace(Some(copy));
    }
}

impl Recipient for Overheard<'_, dyn Recipient + '_> {
    fn wrap_file_key(&self, key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        self.hear(key);
        self.0.wrap_file_key(key)
    }
}

impl Identity for Overheard<'_, dyn Identity + '_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        self.unwrap_stanzas(std::slice::from_ref(stanza))
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, DecryptError>> {
        let key = self.0.unwrap_stanzas(stanzas)?;
        Some(key.inspect(|key| self.hear(key)))
    }
}

const VERSION: &[u8] = b"age-encryption.org/v1\n";

/// A recipient takes some 200 octets, one that is safe from quantum computers 1,700: this is thousands of them.
const LONGEST: u64 = 16 << 20;
