//! PKCS#12 (RFC 7292): `.p12` and `.pfx` files, read as everyone writes them and written as each can
//! read them.
//!
//! The crates for it do not read what Windows, NSS and Bouncy Castle write as BER, know no PBMAC1, and
//! let a file ask for a gigabyte and a million rounds in each of any number of parts.

use rustls_pki_types::PrivatePkcs8KeyDer;

use super::{Content, KeyStore, KeyStoreError, MAX_ENTRIES, check_length};
use crate::ber;
use crate::der::{Reader, Tag};
use crate::passphrase::Passphrase;
use crate::pbe::{PbeError, Secret, Work};

mod bags;
mod contents;
mod mac;
mod write;

/// Who is to read a PKCS#12 file that is written. Each reads what is written for it, and what it is
/// written for reads nothing that is better protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pkcs12For {
    /// OpenSSL 3 and all that is up to date: AES-256-CBC, PBKDF2 and a MAC with HMAC-SHA256.
    #[default]
    OpenSsl3,
    /// The keychain of macOS and iOS: 3DES and a MAC with SHA-1, without which the import fails with
    /// "MAC verification failed" (ruby/openssl issue 654, openssl issue 19871, rust-security-framework
    /// issue 216). OpenSSL 1 and Windows Server 2016 and earlier read it too.
    MacOs,
    /// Windows 10 and Server 2019 and later: as for OpenSSL, with rounds that are at most 600,000 in
    /// all, beyond which .NET refuses a file (Microsoft's KB5025823); with more than 1,198 keys that
    /// would be too few, and it is more.
    Windows,
    /// Java 8u301, 11.0.12 and 17 and later: as for OpenSSL, with 10,000 rounds, which is the JDK's
    /// own number (`keystore.pkcs12.*` in `java.security`), and lower-case aliases. Certificates
    /// without a key are marked as trusted in all files, which only Java asks for.
    Java,
}

/// Whether a file begins as PKCS#12 does: a SEQUENCE, and in it the version 3.
#[must_use]
pub fn is_pkcs12(file: &[u8]) -> bool {
    // The version alone would be that of a private key too; theirs are 0 and 1.
    ber::first_content(file).is_some_and(|content| content.starts_with(&[2, 1, 3]))
}

/// Reads a keystore.
///
/// Keys come out with their chains, in which certificates are put by the names of their issuers.
/// Certificates that are in no chain, or marked as trusted, are entries of their own.
///
/// # Errors
///
/// [`KeyStoreError::WrongPassphrase`] where the MAC does not fit; a file without one may also be
/// damaged in what is encrypted. A file that asks for more than some seconds of work is refused.
pub fn read(file: &[u8], passphrase: &Passphrase) -> Result<KeyStore, KeyStoreError> {
    check_length(file)?;
    if !is_pkcs12(file) {
        return Err(KeyStoreError::WrongFormat { format: "PKCS#12" });
    }
    let der = ber::to_der(file)?;
    let mut pfx = Reader::only(&der, Tag::SEQUENCE)?.reader();
    pfx.expect(Tag::INTEGER)?;
    let safe = contents::data(&mut pfx)?;
    let mac = pfx.optional(Tag::SEQUENCE)?;
    pfx.finish()?;

    let mut work = Work::for_a_file();
    let mut readings = Secret::readings(passphrase);
    if let Some(mac) = mac {
        let mac = mac::Mac::read(mac)?;
        let mut fitting = Vec::new();
        for secret in readings {
            if mac.fits(safe.content, &secret, &mut work)? {
                fitting.push(secret);
                break;
            }
        }
        readings = fitting;
    }
    // Without a MAC, each reading is tried for all of it.
    let mut tried = Err(KeyStoreError::WrongPassphrase);
    for secret in &readings {
        tried = contents::read(safe, secret, mac.is_some(), &mut work);
        if !matches!(tried, Err(KeyStoreError::WrongPassphrase)) {
            break;
        }
    }
    tried.map(bags::Bags::into_store)
}

/// Writes a keystore.
///
/// # Errors
///
/// An alias cannot be written, or the system gives no randomness.
pub fn write(
    store: &KeyStore,
    passphrase: &Passphrase,
    reader: Pkcs12For,
) -> Result<Vec<u8>, KeyStoreError> {
    if store.entries.len() > MAX_ENTRIES {
        return Err(KeyStoreError::TooMany);
    }
    write::write(store, passphrase, reader)
}

/// Writes a key with its chain under a name: what most want of PKCS#12.
///
/// # Errors
///
/// The system gives no randomness.
pub fn write_key(
    name: &str,
    key: PrivatePkcs8KeyDer<'static>,
    chain: Vec<rustls_pki_types::CertificateDer<'static>>,
    passphrase: &Passphrase,
    reader: Pkcs12For,
) -> Result<Vec<u8>, KeyStoreError> {
    let mut store = KeyStore::default();
    store.entries.push(super::Entry::key(name, key, chain));
    write(&store, passphrase, reader)
}

// PKCS#7 and PKCS#9 (RFC 5652, RFC 2985), RFC 7292, appendix D.
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const ENVELOPED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
const ENCRYPTED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06";
const KEY_BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01";
const SHROUDED_KEY_BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02";
const CERT_BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03";
const CRL_BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x04";
const SECRET_BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x05";
const SAFE_CONTENTS_BAG: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x06";
const X509_CERTIFICATE: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01";
const FRIENDLY_NAME: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14";
const LOCAL_KEY_ID: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15";

/// 2.16.840.1.113894.746875.1.1, of Oracle: what a certificate is trusted for. Java takes those
/// without it for parts of chains.
const TRUSTED_KEY_USAGE: &[u8] = b"\x60\x86\x48\x01\x86\xf9\x66\xad\xca\x7b\x01\x01";
const ANY_EXTENDED_KEY_USAGE: &[u8] = b"\x55\x1d\x25\x00";
