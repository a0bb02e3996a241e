//! Writing PKCS#12: one encrypted part with all certificates, one plain part with the keys, each
//! encrypted by itself, and the MAC. So does everyone, and some read nothing else.

use std::collections::HashMap;

use aws_lc_rs::digest;

use super::{
    ANY_EXTENDED_KEY_USAGE, CERT_BAG, Content, DATA, ENCRYPTED_DATA, FRIENDLY_NAME, KeyStore,
    KeyStoreError, LOCAL_KEY_ID, Passphrase, PbeError, Pkcs12For, SHROUDED_KEY_BAG, Secret,
    TRUSTED_KEY_USAGE, X509_CERTIFICATE, mac,
};
use crate::der::{Tag, Writer};
use crate::encrypted_key::{self, EncryptedKeyError};
use crate::pbe::kdf::Hash;
use crate::pbe::{self, Scheme};

pub(super) fn write(
    store: &KeyStore,
    passphrase: &Passphrase,
    reader: Pkcs12For,
) -> Result<Vec<u8>, KeyStoreError> {
    let secret = Secret::new(passphrase);
    let iterations = iterations(reader, store.keys().count());
    let (scheme, hash) = match reader {
        Pkcs12For::MacOs => (Scheme::TripleDes { iterations }, Hash::Sha1),
        _ => (Scheme::Pbkdf2 { iterations }, Hash::Sha256),
    };

    let mut safe = Writer::new();
    let certificates = certificate_bags(store, reader);
    let keys = key_bags(store, reader, &secret, scheme)?;
    let mut encrypted = Ok(());
    safe.sequence(|w| {
        if let Some(bags) = certificates {
            encrypted = encrypted_data(w, &bags, &secret, scheme);
        }
        if let Some(bags) = keys {
            data(w, &bags);
        }
    });
    encrypted?;
    let safe = safe.into_bytes();

    let mut pfx = Writer::with_capacity(safe.len() + 256);
    let mut written = Ok(());
    pfx.sequence(|w| {
        w.unsigned(3);
        data(w, &safe);
        written = mac::write(w, &safe, &secret, hash, iterations);
    });
    written.map(|()| pfx.into_bytes())
}

/// How many rounds the MAC, the certificates and each of the keys take. Who guesses attacks the
/// cheapest of them, so all are alike.
fn iterations(reader: Pkcs12For, keys: usize) -> u32 {
    let (most, in_all) = match reader {
        Pkcs12For::OpenSsl3 => (200_000, ROUNDS_READ),
        // What the JDK wrote with these algorithms before 8u301, and so what macOS has met.
        Pkcs12For::MacOs => (50_000, ROUNDS_READ),
        // .NET counts all parts together.
        Pkcs12For::Windows => (200_000, 600_000),
        Pkcs12For::Java => (10_000, ROUNDS_READ),
    };
    // With 3DES a part takes three keys' worth.
    (in_all / (2 + keys as u32)).clamp(500, most)
}

/// What is written has to be read again, here too.
const ROUNDS_READ: u32 = 3_000_000;

/// `SafeContents` with all certificates: those of chains once, however many keys have them.
fn certificate_bags(store: &KeyStore, reader: Pkcs12For) -> Option<Vec<u8>> {
    let mut leaves = HashMap::new();
    for entry in &store.entries {
        if let Content::Key { chain, .. } = &entry.content
            && let Some(leaf) = chain.first()
        {
            leaves
                .entry(leaf.as_ref())
                .or_insert(entry.alias.as_deref());
        }
    }
    let mut written = std::collections::HashSet::new();
    let mut bags = Writer::new();
    bags.sequence(|w| {
        for entry in &store.entries {
            match &entry.content {
                Content::Key { chain, .. } => {
                    for der in chain {
                        if !written.insert(der.as_ref()) {
                            continue;
                        }
                        let leaf = leaves.get(der.as_ref());
                        let id = leaf.map(|_| key_id(der));
                        let alias = leaf.copied().flatten();
                        certificate_bag(w, der, &Attributes::new(alias, id, false, reader));
                    }
                }
                Content::Certificate {
                    certificate,
                    trusted,
                } => {
                    let alias = entry.alias.as_deref();
                    let attributes = Attributes::new(alias, None, *trusted, reader);
                    certificate_bag(w, certificate, &attributes);
                }
            }
        }
    });
    let bags = bags.into_bytes();
    (bags.len() > 2).then_some(bags)
}

fn certificate_bag(writer: &mut Writer, der: &[u8], attributes: &Attributes<'_>) {
    writer.sequence(|w| {
        w.primitive(Tag::OBJECT_IDENTIFIER, CERT_BAG);
        w.constructed(Tag::context_constructed(0), |w| {
            w.sequence(|w| {
                w.primitive(Tag::OBJECT_IDENTIFIER, X509_CERTIFICATE);
                w.constructed(Tag::context_constructed(0), |w| w.octet_string(der));
            });
        });
        attributes.write(w);
    });
}

/// `SafeContents` with all keys.
fn key_bags(
    store: &KeyStore,
    reader: Pkcs12For,
    secret: &Secret,
    scheme: Scheme,
) -> Result<Option<Vec<u8>>, KeyStoreError> {
    let mut bags = Writer::new();
    let mut failed = Ok(());
    bags.sequence(|w| {
        for entry in &store.entries {
            let Content::Key { key, chain } = &entry.content else {
                continue;
            };
            let encrypted = match encrypted_key::encrypt_with(key, secret, scheme) {
                Ok(encrypted) => encrypted,
                Err(error) => {
                    failed = Err(match error {
                        EncryptedKeyError::Encryption(error) => error,
                        _ => PbeError::NoRandomness,
                    });
                    break;
                }
            };
            let id = chain.first().map(|leaf| key_id(leaf));
            w.sequence(|w| {
                w.primitive(Tag::OBJECT_IDENTIFIER, SHROUDED_KEY_BAG);
                w.constructed(Tag::context_constructed(0), |w| w.raw(&encrypted));
                Attributes::new(entry.alias.as_deref(), id, false, reader).write(w);
            });
        }
    });
    failed?;
    let bags = bags.into_bytes();
    Ok((bags.len() > 2).then_some(bags))
}

/// What a key and its certificate have in common: the SHA-1 of the certificate, as OpenSSL does it.
fn key_id(leaf: &[u8]) -> Vec<u8> {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, leaf);
    digest.as_ref().to_vec()
}

/// The attributes of a bag.
struct Attributes<'a> {
    alias: Option<&'a str>,
    key_id: Option<Vec<u8>>,
    trusted: bool,
    reader: Pkcs12For,
}

impl<'a> Attributes<'a> {
    fn new(
        alias: Option<&'a str>,
        key_id: Option<Vec<u8>>,
        trusted: bool,
        reader: Pkcs12For,
    ) -> Self {
        Self {
            alias,
            key_id,
            trusted,
            reader,
        }
    }

    /// Writes them in DER's order, which is that of their octets (X.690, 11.6): as all begin alike,
    /// the shorter is first.
    fn write(&self, writer: &mut Writer) {
        let mut all = Vec::new();
        if let Some(alias) = self.alias {
            let alias = match self.reader {
                Pkcs12For::Java => alias.to_lowercase(),
                _ => alias.to_owned(),
            };
            let utf16 = Passphrase::from(alias).utf16();
            all.push(attribute(FRIENDLY_NAME, Tag::BMP_STRING, &utf16));
        }
        if let Some(id) = &self.key_id {
            all.push(attribute(LOCAL_KEY_ID, Tag::OCTET_STRING, id));
        }
        if self.trusted {
            let usage = ANY_EXTENDED_KEY_USAGE;
            all.push(attribute(TRUSTED_KEY_USAGE, Tag::OBJECT_IDENTIFIER, usage));
        }
        if !all.is_empty() {
            all.sort();
            writer.constructed(Tag::SET, |w| all.iter().for_each(|one| w.raw(one)));
        }
    }
}

fn attribute(kind: &[u8], tag: Tag, value: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.sequence(|w| {
        w.primitive(Tag::OBJECT_IDENTIFIER, kind);
        w.constructed(Tag::SET, |w| w.primitive(tag, value));
    });
    writer.into_bytes()
}

/// A `ContentInfo` of plain data.
fn data(writer: &mut Writer, content: &[u8]) {
    writer.sequence(|w| {
        w.primitive(Tag::OBJECT_IDENTIFIER, DATA);
        w.constructed(Tag::context_constructed(0), |w| w.octet_string(content));
    });
}

/// A `ContentInfo` of encrypted data (RFC 5652, section 8).
fn encrypted_data(
    writer: &mut Writer,
    content: &[u8],
    secret: &Secret,
    scheme: Scheme,
) -> Result<(), KeyStoreError> {
    let (algorithm, encrypted) = pbe::encrypt(scheme, content, secret)?;
    writer.sequence(|w| {
        w.primitive(Tag::OBJECT_IDENTIFIER, ENCRYPTED_DATA);
        w.constructed(Tag::context_constructed(0), |w| {
            w.sequence(|w| {
                w.unsigned(0);
                w.sequence(|w| {
                    w.primitive(Tag::OBJECT_IDENTIFIER, DATA);
                    w.raw(&algorithm);
                    w.primitive(Tag::context(0), &encrypted);
                });
            });
        });
    });
    Ok(())
}
