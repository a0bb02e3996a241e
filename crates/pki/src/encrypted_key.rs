//! Private keys under a passphrase: encrypted PKCS#8 (RFC 5958, RFC 8018) in and out, and OpenSSL's
//! older way of encrypting PEM in only.
//!
//! What kind of key it is, and whether it is sound, is [`crate::PrivateKey`]'s business.

use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};

use crate::ber;
use crate::der::{DerError, Reader, Tag, Writer};
use crate::passphrase::Passphrase;
use crate::pbe::{self, PbeError, Scheme, Secret, Work};
use crate::pem::{self, Block, PemError};

mod traditional;

/// How a passphrase is made into a key. In both cases the key is encrypted with AES-256-CBC, which
/// OpenSSL 1.1 and later, Java 17 and later, Python's cryptography and `GnuTLS` read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Derivation {
    /// PBKDF2 with HMAC-SHA256 and 600,000 rounds, as OWASP's cheat sheet on storing passwords asks
    /// for (2023): read everywhere.
    #[default]
    Pbkdf2,
    /// scrypt with N = 2^14, r = 8 and p = 1 (RFC 7914), 16 MiB of memory, the most that OpenSSL 3
    /// reads untold. Costs who guesses more than PBKDF2 does; Java does not read it.
    Scrypt,
}

/// Why a key cannot be read or written under a passphrase. Never holds any of it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EncryptedKeyError {
    /// The file around the key is wrong.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// The DER around what is encrypted is malformed.
    #[error("the encrypted private key is damaged")]
    Damaged(#[from] DerError),
    /// The passphrase does not fit; or what is encrypted is damaged, which these formats cannot tell
    /// apart.
    #[error("the passphrase of the private key is wrong")]
    WrongPassphrase,
    /// The encryption cannot be undone.
    #[error("the private key cannot be decrypted")]
    Encryption(#[source] PbeError),
    /// The headers of an encrypted PEM block are missing or malformed.
    #[error(
        "the private key in line {line} is encrypted, but its DEK-Info header is missing or wrong"
    )]
    BadDekInfo {
        /// The line of its BEGIN.
        line: usize,
    },
    /// The key is not encrypted at all.
    #[error("the private key is not encrypted")]
    NotEncrypted,
}

impl EncryptedKeyError {
    /// A command that mends it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Pem(error) => error.hint(),
            Self::Encryption(error) => error.hint(),
            _ => None,
        }
    }
}

impl From<PbeError> for EncryptedKeyError {
    fn from(error: PbeError) -> Self {
        match error {
            PbeError::WrongPassphrase => Self::WrongPassphrase,
            other => Self::Encryption(other),
        }
    }
}

/// Whether a file, PEM or DER, holds a private key that takes a passphrase.
#[must_use]
pub fn is_encrypted(file: &[u8]) -> bool {
    if pem::looks_like_der(file) {
        return ber::to_der(file).is_ok_and(|der| parts(&der).is_ok());
    }
    pem::blocks(file).is_ok_and(|blocks| blocks.iter().any(is_encrypted_block))
}

/// Decrypts the one encrypted private key of a file: PEM with `ENCRYPTED PRIVATE KEY` or with OpenSSL's
/// `Proc-Type: 4,ENCRYPTED`, or bare DER.
///
/// Read are PBES2 with PBKDF2 or scrypt and AES, 3DES or RC2, and the schemes of PKCS#12 with 3DES and
/// RC2. A file that asks for more than some seconds of work, or 256 MiB, is refused.
///
/// ```
/// use ravelin_pki::encrypted_key::{self, Derivation};
/// use ravelin_pki::{Passphrase, PrivateKey, PrivateKeyDer};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = PrivateKey::generate()?;
/// # let PrivateKeyDer::Pkcs8(pkcs8) = key.der()? else { panic!() };
/// let passphrase = Passphrase::from("correct horse");
/// let pem = encrypted_key::encrypt_to_pem(&pkcs8, &passphrase, Derivation::Pbkdf2)?;
/// assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
///
/// let decrypted = encrypted_key::decrypt(pem.as_bytes(), &passphrase)?;
/// let again = PrivateKey::from_der(&decrypted)?;
/// assert_eq!(again.public_fingerprint(), key.public_fingerprint());
/// # Ok(())
/// # }
/// ```
pub fn decrypt(
    file: &[u8],
    passphrase: &Passphrase,
) -> Result<PrivateKeyDer<'static>, EncryptedKeyError> {
    if pem::looks_like_der(file) {
        return decrypt_der(file, passphrase).map(PrivateKeyDer::from);
    }
    let blocks = pem::blocks(file)?;
    let mut keys = blocks.iter().filter(|block| is_encrypted_block(block));
    let Some(block) = keys.next() else {
        if blocks
            .iter()
            .any(|block| block.label.ends_with("PRIVATE KEY"))
        {
            return Err(EncryptedKeyError::NotEncrypted);
        }
        let found = pem::labels(&blocks);
        return Err(PemError::NoKey { found }.into());
    };
    if let Some(second) = keys.next() {
        return Err(PemError::SeveralKeys { line: second.line }.into());
    }
    decrypt_block(block, passphrase)
}

/// Decrypts the key in a block that [`is_encrypted_block`] says yes to.
pub(crate) fn decrypt_block(
    block: &Block<'_>,
    passphrase: &Passphrase,
) -> Result<PrivateKeyDer<'static>, EncryptedKeyError> {
    let content = block.decode()?;
    if !block.encrypted {
        return decrypt_der(&content, passphrase).map(PrivateKeyDer::from);
    }
    let info = block.dek_info.as_deref().unwrap_or_default();
    let Some((cipher, iv)) = traditional::dek_info(info)? else {
        return Err(EncryptedKeyError::BadDekInfo { line: block.line });
    };
    let secret = Secret::new(passphrase);
    let der = traditional::decrypt(cipher, &iv, &content, secret.octets())?;
    check_plain(&der)?;
    match block.label.as_str() {
        "PRIVATE KEY" => Ok(PrivatePkcs8KeyDer::from(der.to_vec()).into()),
        "EC PRIVATE KEY" => Ok(PrivateSec1KeyDer::from(der.to_vec()).into()),
        "RSA PRIVATE KEY" => Ok(PrivatePkcs1KeyDer::from(der.to_vec()).into()),
        other => {
            let (label, line) = (other.to_owned(), block.line);
            Err(PemError::UnsupportedKey { label, line }.into())
        }
    }
}

/// Decrypts an `EncryptedPrivateKeyInfo` (RFC 5958, section 3), BER or DER.
pub fn decrypt_der(
    der: &[u8],
    passphrase: &Passphrase,
) -> Result<PrivatePkcs8KeyDer<'static>, EncryptedKeyError> {
    if is_plain(der) {
        return Err(EncryptedKeyError::NotEncrypted);
    }
    let mut work = Work::for_a_file();
    let readings = Secret::readings(passphrase);
    let mut tried = Err(EncryptedKeyError::WrongPassphrase);
    for secret in &readings {
        tried = decrypt_with(der, secret, &mut work);
        if !matches!(tried, Err(EncryptedKeyError::WrongPassphrase)) {
            break;
        }
    }
    tried
}

/// Decrypts with one reading of a passphrase, for a file of which the key is only a part.
pub(crate) fn decrypt_with(
    der: &[u8],
    secret: &Secret,
    work: &mut Work,
) -> Result<PrivatePkcs8KeyDer<'static>, EncryptedKeyError> {
    let der = ber::to_der(der)?;
    let (algorithm, encrypted) = parts(&der)?;
    let plain = pbe::decrypt(algorithm, encrypted, secret, work)?;
    check_plain(&plain)?;
    Ok(PrivatePkcs8KeyDer::from(plain.to_vec()))
}

/// Encrypts a key into an `EncryptedPrivateKeyInfo` in DER.
///
/// # Errors
///
/// The system gives no randomness.
pub fn encrypt(
    key: &PrivatePkcs8KeyDer<'_>,
    passphrase: &Passphrase,
    derivation: Derivation,
) -> Result<Vec<u8>, EncryptedKeyError> {
    let scheme = match derivation {
        Derivation::Pbkdf2 => Scheme::Pbkdf2 {
            iterations: PBKDF2_ITERATIONS,
        },
        Derivation::Scrypt => Scheme::Scrypt,
    };
    encrypt_with(key, &Secret::new(passphrase), scheme)
}

/// Encrypts a key into PEM, under the label `ENCRYPTED PRIVATE KEY` (RFC 7468, section 11).
///
/// # Errors
///
/// The system gives no randomness.
pub fn encrypt_to_pem(
    key: &PrivatePkcs8KeyDer<'_>,
    passphrase: &Passphrase,
    derivation: Derivation,
) -> Result<String, EncryptedKeyError> {
    encrypt(key, passphrase, derivation).map(|der| pem::encode("ENCRYPTED PRIVATE KEY", &der))
}

pub(crate) fn encrypt_with(
    key: &PrivatePkcs8KeyDer<'_>,
    secret: &Secret,
    scheme: Scheme,
) -> Result<Vec<u8>, EncryptedKeyError> {
    let (algorithm, encrypted) = pbe::encrypt(scheme, key.secret_pkcs8_der(), secret)?;
    let mut writer = Writer::with_capacity(algorithm.len() + encrypted.len() + 16);
    writer.sequence(|w| {
        w.raw(&algorithm);
        w.octet_string(&encrypted);
    });
    Ok(writer.into_bytes())
}

fn is_encrypted_block(block: &Block<'_>) -> bool {
    block.label == "ENCRYPTED PRIVATE KEY"
        || block.encrypted && block.label.ends_with("PRIVATE KEY")
}

/// The two parts of an `EncryptedPrivateKeyInfo`.
fn parts(der: &[u8]) -> Result<(crate::der::Element<'_>, &[u8]), DerError> {
    let mut parts = Reader::only(der, Tag::SEQUENCE)?.reader();
    let algorithm = parts.expect(Tag::SEQUENCE)?;
    let encrypted = parts.expect(Tag::OCTET_STRING)?;
    parts.finish()?;
    Ok((algorithm, encrypted.content))
}

/// All forms of private keys are a SEQUENCE that begins with a version. A wrong passphrase has right
/// padding once in 256 times, and one element of just that length about never.
fn check_plain(plain: &[u8]) -> Result<(), EncryptedKeyError> {
    if is_plain(plain) {
        Ok(())
    } else {
        Err(EncryptedKeyError::WrongPassphrase)
    }
}

pub(crate) fn is_plain(key: &[u8]) -> bool {
    Reader::only(key, Tag::SEQUENCE).is_ok_and(|key| key.reader().expect(Tag::INTEGER).is_ok())
}

const PBKDF2_ITERATIONS: u32 = 600_000;
