//! How single keys are protected: by Sun's SHA-1 keystream in JKS, by MD5 and 3DES in JCEKS. Both are
//! as the JDK's source has them; no standard describes them.

use rustls_pki_types::PrivatePkcs8KeyDer;
use zeroize::Zeroizing;

use super::super::{KeyStoreError, shown};
use super::{DIGEST_OCTETS, opened, sha1};
use crate::ber;
use crate::der::{Reader, Tag, Writer};
use crate::encrypted_key::{self, EncryptedKeyError};
use crate::passphrase::Passphrase;
use crate::pbe::cipher::Cipher;
use crate::pbe::{self, PbeError, Work, kdf};

/// Opens a protected key.
pub(super) fn open(
    protected: &[u8],
    passphrase: &Passphrase,
    alias: &str,
    work: &mut Work,
) -> Result<PrivatePkcs8KeyDer<'static>, KeyStoreError> {
    open_der(protected, passphrase, work).map_err(|source| {
        let alias = shown(alias);
        match source {
            EncryptedKeyError::WrongPassphrase => KeyStoreError::KeyPassphrase { alias },
            source => KeyStoreError::Key { alias, source },
        }
    })
}

fn open_der(
    protected: &[u8],
    passphrase: &Passphrase,
    work: &mut Work,
) -> Result<PrivatePkcs8KeyDer<'static>, EncryptedKeyError> {
    let der = ber::to_der(protected)?;
    let mut parts = Reader::only(&der, Tag::SEQUENCE)?.reader();
    let (oid, parameters) = pbe::identifier(parts.expect(Tag::SEQUENCE)?)?;
    let encrypted = parts.expect(Tag::OCTET_STRING)?.content;
    parts.finish()?;
    match oid.content {
        SUN_JKS => open_sun(encrypted, passphrase),
        SUN_JCEKS => {
            let mut parameters = parameters.clone().sequence()?;
            let salt = parameters.expect(Tag::OCTET_STRING)?.content;
            let iterations = pbe::iterations(parameters.expect(Tag::INTEGER)?)?;
            parameters.finish()?;
            open_jceks(encrypted, salt, iterations, passphrase, work)
        }
        _ => Err(pbe::unsupported(oid).into()),
    }
}

/// Sun's key protector: salt, key under a keystream, digest of passphrase and key.
fn open_sun(
    encrypted: &[u8],
    passphrase: &Passphrase,
) -> Result<PrivatePkcs8KeyDer<'static>, EncryptedKeyError> {
    let octets = encrypted.len();
    let damaged = || EncryptedKeyError::from(PbeError::Length { octets });
    let (salt, rest) = encrypted.split_first_chunk().ok_or_else(damaged)?;
    let (hidden, digest) = rest
        .split_last_chunk::<DIGEST_OCTETS>()
        .ok_or_else(damaged)?;
    let plain = under_keystream(hidden, passphrase, salt);
    if sha1(&[&passphrase.utf16(), &plain]) == *digest && encrypted_key::is_plain(&plain) {
        Ok(opened(&plain))
    } else {
        Err(EncryptedKeyError::WrongPassphrase)
    }
}

/// Protects a key as [`open`] opens it.
pub(super) fn protect(plain: &[u8], passphrase: &Passphrase, salt: [u8; DIGEST_OCTETS]) -> Vec<u8> {
    let hidden = under_keystream(plain, passphrase, &salt);
    let digest = sha1(&[&passphrase.utf16(), plain]);
    let mut writer = Writer::new();
    writer.sequence(|w| {
        w.sequence(|w| {
            w.primitive(Tag::OBJECT_IDENTIFIER, SUN_JKS);
            w.null();
        });
        w.octet_string(&[&salt, hidden.as_slice(), &digest].concat());
    });
    writer.into_bytes()
}

/// Each block of the keystream is the digest of the passphrase and the block before it.
fn under_keystream(
    octets: &[u8],
    passphrase: &Passphrase,
    salt: &[u8; DIGEST_OCTETS],
) -> Zeroizing<Vec<u8>> {
    let secret = passphrase.utf16();
    let mut block = *salt;
    let mut result = Zeroizing::new(octets.to_vec());
    for part in result.chunks_mut(DIGEST_OCTETS) {
        block = sha1(&[&secret, &block]);
        part.iter_mut()
            .zip(block)
            .for_each(|(octet, key)| *octet ^= key);
    }
    result
}

/// `PBEWithMD5AndTripleDES` of `SunJCE`: each half of the salt is hashed with the passphrase over and
/// over; both together are the key of 3DES and its initialisation vector.
fn open_jceks(
    encrypted: &[u8],
    salt: &[u8],
    iterations: u32,
    passphrase: &Passphrase,
    work: &mut Work,
) -> Result<PrivatePkcs8KeyDer<'static>, EncryptedKeyError> {
    let Ok(mut salt) = <[u8; 8]>::try_from(salt) else {
        let problem = "its salt is not of 8 bytes";
        return Err(PbeError::Nonsense { problem }.into());
    };
    // Measured: a million rounds of MD5 take 0.43 s, and each is done for two halves.
    work.spend(u64::from(iterations) * 8)?;
    if salt[..4] == salt[4..] {
        // Equal halves would make equal keys: SunJCE turns the first around, and gets it wrong.
        let [first, second, _, last, ..] = salt;
        salt[..4].copy_from_slice(&[last, first, second, last]);
    }
    let mut derived = Zeroizing::new(Vec::with_capacity(32));
    for half in salt.chunks(4) {
        let mut round = kdf::md5(&[half, passphrase.as_bytes()]);
        for _ in 1..iterations {
            round = kdf::md5(&[&round, passphrase.as_bytes()]);
        }
        derived.extend_from_slice(&round);
    }
    let (key, iv) = derived.split_at(24);
    let plain = Cipher::TripleDes.decrypt(key, iv, encrypted)?;
    if encrypted_key::is_plain(&plain) {
        Ok(opened(&plain))
    } else {
        Err(EncryptedKeyError::WrongPassphrase)
    }
}

/// 1.3.6.1.4.1.42.2.17.1.1, of Sun.
const SUN_JKS: &[u8] = b"\x2b\x06\x01\x04\x01\x2a\x02\x11\x01\x01";

/// 1.3.6.1.4.1.42.2.19.1, of Sun.
const SUN_JCEKS: &[u8] = b"\x2b\x06\x01\x04\x01\x2a\x02\x13\x01";
