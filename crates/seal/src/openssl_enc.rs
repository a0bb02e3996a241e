//! What `openssl enc -aes-256-cbc -pbkdf2` made, to be read and never to be written: nothing in it tells whether it
//! was changed, and a wrong passphrase shows by chance alone.
//!
//! `Salted__`, 8 octets of salt, then AES in CBC mode with the padding of PKCS#7. Which cipher, which hash and how
//! many rounds is nowhere in the file.

use std::io::{self, Read, Write};
use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptionContext, StreamingDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use ravelin_pki::Passphrase;
use zeroize::Zeroizing;

use crate::copy::fill;

/// How a file was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The cipher.
    pub cipher: Cipher,
    /// The hash of PBKDF2, `-md`.
    pub hash: Hash,
    /// The rounds of PBKDF2, `-iter`.
    pub rounds: NonZeroU32,
}

/// A cipher of `openssl enc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Cipher {
    Aes128Cbc,
    Aes192Cbc,
    Aes256Cbc,
}

/// A hash for PBKDF2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Default for Options {
    /// What `openssl enc -aes-256-cbc -pbkdf2` takes by itself.
    fn default() -> Self {
        Self {
            cipher: Cipher::Aes256Cbc,
            hash: Hash::Sha256,
            rounds: NonZeroU32::new(10_000).unwrap_or(NonZeroU32::MIN),
        }
    }
}

/// Why a file is not decrypted.
#[derive(Debug, thiserror::Error)]
pub enum OpensslEncError {
    /// It is something else.
    #[error("it does not begin as what openssl enc makes with a passphrase")]
    OtherFormat,
    /// Its length is not one that the cipher makes.
    #[error("it is damaged or cut off: what is encrypted is not whole blocks of 16 bytes")]
    CutOff,
    /// The padding is wrong: mostly because the passphrase is.
    #[error("the passphrase is wrong, the file is damaged, or it was made with other options")]
    WrongPassphrase,
    /// Reading failed.
    #[error("reading failed")]
    Read(#[source] io::Error),
    /// Writing failed.
    #[error("writing failed")]
    Write(#[source] io::Error),
}

/// Decrypts all of `input`, which may be in base64 (`-a`). What is written is worth nothing if an error comes, and of
/// wrong passphrases one in 256 brings none.
pub fn decrypt(
    options: Options,
    passphrase: &Passphrase,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<(), OpensslEncError> {
    let mut head = [0; HEAD];
    let read = fill(input, &mut head).map_err(of_reading)?;
    if read == HEAD && head.starts_with(MAGIC_IN_BASE64) {
        let text = Unbroken(io::Cursor::new(head).chain(input));
        let mut decoded =
            base64::read::DecoderReader::new(text, &base64::engine::general_purpose::STANDARD);
        let mut head = [0; HEAD];
        let read = fill(&mut decoded, &mut head).map_err(of_reading)?;
        return decrypt_rest(options, passphrase, &head[..read], &mut decoded, output);
    }
    decrypt_rest(options, passphrase, &head[..read], input, output)
}

fn decrypt_rest(
    options: Options,
    passphrase: &Passphrase,
    head: &[u8],
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<(), OpensslEncError> {
    let salt = head
        .strip_prefix(MAGIC)
        .filter(|salt| salt.len() == HEAD - MAGIC.len())
        .ok_or(OpensslEncError::OtherFormat)?;
    let mut key = decrypting_key(options, passphrase, salt)?;
    let mut buffer = vec![0; PIECE];
    let mut plain = Zeroizing::new(vec![0; PIECE + BLOCK]);
    let mut total = 0;
    loop {
        let read = fill(input, &mut buffer).map_err(of_reading)?;
        total += read;
        if read == 0 {
            break;
        }
        let update = key.update(&buffer[..read], &mut plain);
        let update = update.map_err(|_| OpensslEncError::WrongPassphrase)?;
        output
            .write_all(update.written())
            .map_err(OpensslEncError::Write)?;
    }
    if total == 0 || !total.is_multiple_of(BLOCK) {
        return Err(OpensslEncError::CutOff);
    }
    let last = key.finish(&mut plain);
    let last = last.map_err(|_| OpensslEncError::WrongPassphrase)?;
    output
        .write_all(last.written())
        .and_then(|()| output.flush())
        .map_err(OpensslEncError::Write)
}

fn decrypting_key(
    options: Options,
    passphrase: &Passphrase,
    salt: &[u8],
) -> Result<StreamingDecryptingKey, OpensslEncError> {
    let (algorithm, octets) = match options.cipher {
        Cipher::Aes128Cbc => (&AES_128, 16),
        Cipher::Aes192Cbc => (&AES_192, 24),
        Cipher::Aes256Cbc => (&AES_256, 32),
    };
    let hash = match options.hash {
        Hash::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Hash::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
    };
    let mut derived = Zeroizing::new(vec![0; octets + BLOCK]);
    pbkdf2::derive(
        hash,
        options.rounds,
        salt,
        passphrase.as_bytes(),
        &mut derived,
    );
    let (key, iv) = derived.split_at(octets);
    let mut first = [0; BLOCK];
    first.copy_from_slice(iv);
    let context = DecryptionContext::Iv128(FixedLength::from(first));
    UnboundCipherKey::new(algorithm, key)
        .and_then(|key| StreamingDecryptingKey::cbc_pkcs7(key, context))
        .map_err(|_| OpensslEncError::WrongPassphrase)
}

/// Base64 that is none comes as an error of reading.
fn of_reading(error: io::Error) -> OpensslEncError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => OpensslEncError::CutOff,
        _ => OpensslEncError::Read(error),
    }
}

/// Text without its line breaks, as base64 wants it.
struct Unbroken<R>(R);

impl<R: Read> Read for Unbroken<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.0.read(buffer)?;
            let mut kept = 0;
            for at in 0..read {
                if !buffer[at].is_ascii_whitespace() {
                    buffer[kept] = buffer[at];
                    kept += 1;
                }
            }
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

const MAGIC: &[u8] = b"Salted__";
const MAGIC_IN_BASE64: &[u8] = b"U2FsdGVkX1";
const HEAD: usize = 16;
const BLOCK: usize = 16;
const PIECE: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn decrypted(
        options: Options,
        passphrase: &str,
        file: &[u8],
    ) -> Result<Vec<u8>, OpensslEncError> {
        let mut plain = Vec::new();
        decrypt(options, &passphrase.into(), &mut { file }, &mut plain)?;
        Ok(plain)
    }

    /// `printf 'attack at dawn' | openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -a`
    const FILE: &[u8] = b"U2FsdGVkX19e6hXPhSKfbnsoJnFnk+WThacxwLMlZMk=";

    #[test]
    fn a_file_of_openssl_is_opened_and_another_passphrase_said() {
        assert_eq!(
            decrypted(Options::default(), "x", FILE).unwrap(),
            b"attack at dawn"
        );
        let wrong = decrypted(Options::default(), "y", FILE).unwrap_err();
        assert!(matches!(wrong, OpensslEncError::WrongPassphrase));
    }

    #[test]
    fn what_is_cut_off_anywhere_is_refused() {
        for end in 0..FILE.len() - 1 {
            assert!(
                decrypted(Options::default(), "x", &FILE[..end]).is_err(),
                "{end}"
            );
        }
    }
}
