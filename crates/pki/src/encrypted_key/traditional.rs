//! How OpenSSL encrypted keys before PKCS#8: a PEM block with headers, `Proc-Type: 4,ENCRYPTED` and
//! `DEK-Info: CIPHER,IV`. One round of MD5 protects nothing against guessing: it is only read.

use zeroize::Zeroizing;

use crate::pbe::PbeError;
use crate::pbe::cipher::Cipher;
use crate::pbe::kdf;

/// Reads what a `DEK-Info` header says: the cipher, and the initialisation vector. None where it is
/// malformed.
pub(super) fn dek_info(info: &str) -> Result<Option<(Cipher, Vec<u8>)>, PbeError> {
    let Some((name, digits)) = info.split_once(',') else {
        return Ok(None);
    };
    let cipher = match name.trim() {
        "AES-128-CBC" => Cipher::Aes128,
        "AES-192-CBC" => Cipher::Aes192,
        "AES-256-CBC" => Cipher::Aes256,
        "DES-EDE3-CBC" => Cipher::TripleDes,
        other => {
            // It goes into a message.
            let known = other.chars().filter(char::is_ascii_graphic).take(40);
            let algorithm = known.collect();
            return Err(PbeError::Unsupported { algorithm });
        }
    };
    let digits = digits.trim().as_bytes();
    let hex = |pair: &[u8; 2]| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    };
    let (pairs, rest) = digits.as_chunks::<2>();
    let iv: Option<Vec<u8>> = pairs.iter().map(hex).collect();
    let whole = rest.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    Ok(iv
        .filter(|iv| whole && iv.len() == cipher.block_octets())
        .map(|iv| (cipher, iv)))
}

/// Decrypts. The salt is the beginning of the initialisation vector.
pub(super) fn decrypt(
    cipher: Cipher,
    iv: &[u8],
    encrypted: &[u8],
    secret: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PbeError> {
    let key = kdf::openssl(secret, &iv[..iv.len().min(8)], cipher.key_octets());
    cipher.decrypt(&key, iv, encrypted)
}
