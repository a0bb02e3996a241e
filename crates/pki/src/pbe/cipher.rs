//! The ciphers that files are encrypted with: AES by aws-lc, what is older by crates of their own. All
//! in CBC mode, padded as in PKCS#7 (RFC 5652, section 6.3).

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext,
    PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{
    BlockCipherDecrypt, BlockModeDecrypt as _, BlockModeEncrypt as _, InnerIvInit as _,
    KeyInit as _, KeyIvInit as _,
};
use des::{TdesEde2, TdesEde3};
use rc2::Rc2;
use zeroize::Zeroizing;

use super::{PbeError, identifier, unsupported};
use crate::der::{Element, Tag};

/// A cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
    TwoKeyTripleDes,
    /// RC2 (RFC 2268) with a key of so many octets, of which it uses so many bits.
    Rc2 {
        key: usize,
        bits: usize,
    },
}

/// Reads an `encryptionScheme` of PBES2 (RFC 8018, appendix B.2): the cipher and its initialisation
/// vector.
pub(crate) fn read(algorithm: Element<'_>) -> Result<(Cipher, Vec<u8>), PbeError> {
    let (oid, mut parameters) = identifier(algorithm)?;
    let cipher = match oid.content {
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x02" => Cipher::Aes128,
        b"\x60\x86\x48\x01\x65\x03\x04\x01\x16" => Cipher::Aes192,
        AES_256_CBC => Cipher::Aes256,
        b"\x2a\x86\x48\x86\xf7\x0d\x03\x07" => Cipher::TripleDes,
        b"\x2a\x86\x48\x86\xf7\x0d\x03\x02" => {
            let mut parts = parameters.sequence()?;
            // The three values that RFC 8018 names (appendix B.2.3); without one it is 32 bits.
            let bits = match parts.optional(Tag::INTEGER)? {
                None => 32,
                Some(version) => match version.unsigned()? {
                    160 => 40,
                    120 => 64,
                    58 => 128,
                    _ => {
                        return Err(PbeError::Nonsense {
                            problem: "its version of RC2 is not known",
                        });
                    }
                },
            };
            let cipher = Cipher::Rc2 {
                key: bits / 8,
                bits,
            };
            let iv = parts.expect(Tag::OCTET_STRING)?;
            parts.finish()?;
            return checked(cipher, iv.content);
        }
        _ => return Err(unsupported(oid)),
    };
    let iv = parameters.expect(Tag::OCTET_STRING)?;
    parameters.finish()?;
    checked(cipher, iv.content)
}

fn checked(cipher: Cipher, iv: &[u8]) -> Result<(Cipher, Vec<u8>), PbeError> {
    if iv.len() == cipher.block_octets() {
        Ok((cipher, iv.to_vec()))
    } else {
        Err(PbeError::Nonsense {
            problem: "its initialisation vector is not of the length of a block",
        })
    }
}

impl Cipher {
    pub(crate) fn key_octets(self) -> usize {
        match self {
            Self::Aes128 | Self::TwoKeyTripleDes => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
            Self::Rc2 { key, .. } => key,
        }
    }

    pub(crate) fn block_octets(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            _ => 8,
        }
    }

    /// Decrypts and takes the padding away. Wrong padding means a wrong passphrase.
    pub(crate) fn decrypt(
        self,
        key: &[u8],
        iv: &[u8],
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, PbeError> {
        let octets = encrypted.len();
        if octets == 0 || !octets.is_multiple_of(self.block_octets()) {
            return Err(PbeError::Length { octets });
        }
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => self.decrypt_aes(key, iv, encrypted),
            Self::TripleDes => {
                let cipher = TdesEde3::new_from_slice(key).map_err(|_| BAD_KEY)?;
                decrypt_cbc(cipher, iv, encrypted)
            }
            Self::TwoKeyTripleDes => {
                let cipher = TdesEde2::new_from_slice(key).map_err(|_| BAD_KEY)?;
                decrypt_cbc(cipher, iv, encrypted)
            }
            Self::Rc2 { bits, .. } => {
                decrypt_cbc(Rc2::new_with_eff_key_len(key, bits), iv, encrypted)
            }
        }
    }

    fn decrypt_aes(
        self,
        key: &[u8],
        iv: &[u8],
        encrypted: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, PbeError> {
        let iv: [u8; 16] = iv.try_into().map_err(|_| BAD_KEY)?;
        let key = UnboundCipherKey::new(self.aes(), key).map_err(|_| BAD_KEY)?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(|_| BAD_KEY)?;
        let mut plain = Zeroizing::new(encrypted.to_vec());
        let octets = key
            .decrypt(&mut plain, DecryptionContext::Iv128(FixedLength::from(iv)))
            .map_err(|_| PbeError::WrongPassphrase)?
            .len();
        plain.truncate(octets);
        Ok(plain)
    }

    /// Pads and encrypts, with the two ciphers that new files have.
    pub(crate) fn encrypt(self, key: &[u8], iv: &[u8], plain: &[u8]) -> Result<Vec<u8>, PbeError> {
        if self == Self::TripleDes {
            let encryptor =
                cbc::Encryptor::<TdesEde3>::new_from_slices(key, iv).map_err(|_| BAD_KEY)?;
            return Ok(encryptor.encrypt_padded_vec::<Pkcs7>(plain));
        }
        let iv: [u8; 16] = iv.try_into().map_err(|_| BAD_KEY)?;
        let key = UnboundCipherKey::new(self.aes(), key).map_err(|_| BAD_KEY)?;
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(|_| BAD_KEY)?;
        // Not grown while there are keys in it.
        let mut encrypted = Vec::with_capacity(plain.len() + 16);
        encrypted.extend_from_slice(plain);
        key.less_safe_encrypt(
            &mut encrypted,
            EncryptionContext::Iv128(FixedLength::from(iv)),
        )
        .map_err(|_| BAD_KEY)?;
        Ok(encrypted)
    }

    fn aes(self) -> &'static Algorithm {
        match self {
            Self::Aes128 => &AES_128,
            Self::Aes192 => &AES_192,
            _ => &AES_256,
        }
    }
}

fn decrypt_cbc<C: BlockCipherDecrypt>(
    cipher: C,
    iv: &[u8],
    encrypted: &[u8],
) -> Result<Zeroizing<Vec<u8>>, PbeError> {
    let mut plain = Zeroizing::new(encrypted.to_vec());
    let octets = cbc::Decryptor::inner_iv_slice_init(cipher, iv)
        .map_err(|_| BAD_KEY)?
        .decrypt_padded::<Pkcs7>(&mut plain)
        .map_err(|_| PbeError::WrongPassphrase)?
        .len();
    plain.truncate(octets);
    Ok(plain)
}

/// Lengths are checked before: this is not seen.
const BAD_KEY: PbeError = PbeError::Nonsense {
    problem: "the cipher does not take the key",
};

pub(crate) const AES_256_CBC: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a";
