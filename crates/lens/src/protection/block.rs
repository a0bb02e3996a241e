//! Block ciphers in CBC mode (RFC 5246, section 6.2.3.2), with the MAC inside or outside (RFC 7366).

use aes::{Aes128, Aes256};
use aria::{Aria128, Aria256};
use camellia::{Camellia128, Camellia256};
use cbc::Decryptor;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt as _, InnerIvInit as _, KeyInit};
use des::{Des, TdesEde3};
use ravelin_wire::record::Record;
use ravelin_wire::registry::{Cipher, ProtocolVersion};
use rc2::Rc2;
use sm4::Sm4;

use super::mac::RecordMac;
use super::{Keys, OpenError, Opened};
use crate::digest::Octets;

pub(super) struct Blocks {
    cipher: Box<dyn Decrypt>,
    block_octets: usize,
    vector: Vector,
    mac: RecordMac,
    encrypt_then_mac: bool,
    /// SSL 3.0 says how long the padding is, and leaves open what it is.
    any_padding: bool,
}

/// Where the initialization vector of a record is.
enum Vector {
    /// At its beginning.
    InRecord,
    /// It is the last block of the record before; `None` where that was not seen.
    Chained(Option<Vec<u8>>),
}

/// A block cipher, whichever.
trait Decrypt: Send + Sync {
    /// Decrypts in place what is made of whole blocks.
    fn decrypt(&self, vector: &[u8], octets: &mut [u8]);
}

impl Blocks {
    pub(super) fn new(
        version: ProtocolVersion,
        cipher: Cipher,
        encrypt_then_mac: bool,
        mac: RecordMac,
        keys: Keys<'_>,
    ) -> Option<Self> {
        let block_octets = cipher.block_octets();
        let vector = if cipher.record_iv_octets(version) > 0 {
            Vector::InRecord
        } else {
            let first = keys.iv.filter(|iv| iv.len() == block_octets)?;
            Vector::Chained(Some(first.to_vec()))
        };
        Some(Self {
            cipher: decrypt(cipher, keys.key?)?,
            block_octets,
            vector,
            mac,
            encrypt_then_mac,
            any_padding: version == ProtocolVersion::SSL_3,
        })
    }

    pub(super) fn lose(&mut self) {
        if let Vector::Chained(before) = &mut self.vector {
            *before = None;
        }
    }

    pub(super) fn open(&mut self, sequence: u64, record: &Record<'_>) -> Result<Opened, OpenError> {
        let fragment = record.fragment;
        let least = self.least_octets();
        let octets = fragment.len();
        if octets < least {
            return Err(OpenError::TooShort { octets, least });
        }
        let mut sealed = fragment;
        let mut additional_data = Vec::new();
        if self.encrypt_then_mac {
            let (inside, mac) = fragment.split_at(octets - self.mac.octets());
            additional_data = self.mac.additional_data(sequence, record, inside.len());
            self.mac.check(&additional_data, inside, mac)?;
            sealed = inside;
        }
        let (nonce, blocks) = match &self.vector {
            Vector::InRecord => sealed.split_at(self.block_octets),
            Vector::Chained(Some(block)) => (&block[..], sealed),
            Vector::Chained(None) => return Err(OpenError::Lost),
        };
        if blocks.len() % self.block_octets != 0 {
            return Err(OpenError::Uneven {
                octets: blocks.len(),
                block: self.block_octets,
            });
        }
        let nonce = nonce.to_vec();
        let mut content = Octets::new(blocks.to_vec());
        self.cipher.decrypt(&nonce, &mut content);
        let padding = self.padding(&content).ok_or(OpenError::Padding)?;
        let mut end = content.len() - padding;
        content.truncate(end);
        if !self.encrypt_then_mac {
            end = end
                .checked_sub(self.mac.octets())
                .ok_or(OpenError::Padding)?;
            let (inside, mac) = content.split_at(end);
            additional_data = self.mac.additional_data(sequence, record, end);
            self.mac.check(&additional_data, inside, mac)?;
            content.truncate(end);
        }
        if let Vector::Chained(before) = &mut self.vector {
            *before = Some(blocks[blocks.len() - self.block_octets..].to_vec());
        }
        Ok(Opened {
            content,
            content_type: record.content_type,
            padding,
            nonce,
            additional_data,
        })
    }

    /// How many octets a record without content has.
    fn least_octets(&self) -> usize {
        let vector = match self.vector {
            Vector::InRecord => self.block_octets,
            Vector::Chained(_) => 0,
        };
        // One octet at least says how much padding there is.
        vector
            + if self.encrypt_then_mac {
                self.block_octets + self.mac.octets()
            } else {
                (self.mac.octets() + 1).next_multiple_of(self.block_octets)
            }
    }

    /// How many octets of padding there are, with the one that says so; `None` where they are wrong.
    fn padding(&self, content: &[u8]) -> Option<usize> {
        let last = *content.last()?;
        let padding = usize::from(last) + 1;
        let octets = content.get(content.len().checked_sub(padding)?..)?;
        let right = if self.any_padding {
            padding <= self.block_octets
        } else {
            octets.iter().all(|octet| *octet == last)
        };
        right.then_some(padding)
    }
}

fn decrypt(cipher: Cipher, key: &[u8]) -> Option<Box<dyn Decrypt>> {
    match cipher {
        Cipher::Aes128Cbc => with::<Aes128>(key),
        Cipher::Aes256Cbc => with::<Aes256>(key),
        Cipher::Camellia128Cbc => with::<Camellia128>(key),
        Cipher::Camellia256Cbc => with::<Camellia256>(key),
        Cipher::Aria128Cbc => with::<Aria128>(key),
        Cipher::Aria256Cbc => with::<Aria256>(key),
        Cipher::Sm4Cbc => with::<Sm4>(key),
        Cipher::TripleDesEdeCbc => with::<TdesEde3>(key),
        Cipher::DesCbc | Cipher::Des40Cbc => with::<Des>(key),
        // As many bits of the key count as it has, also where few of them are secret.
        Cipher::Rc2Cbc40 | Cipher::Rc2Cbc56 | Cipher::Rc2Cbc128 => with::<Rc2>(key),
        _ => None,
    }
}

fn with<C>(key: &[u8]) -> Option<Box<dyn Decrypt>>
where
    C: BlockCipherDecrypt + KeyInit + Send + Sync + 'static,
{
    Some(Box::new(C::new_from_slice(key).ok()?))
}

impl<C: BlockCipherDecrypt + Send + Sync> Decrypt for C {
    fn decrypt(&self, vector: &[u8], octets: &mut [u8]) {
        let Ok(mut cbc) = Decryptor::inner_iv_slice_init(self, vector) else {
            return;
        };
        let (blocks, _) = cbc::cipher::Array::slice_as_chunks_mut(octets);
        cbc.decrypt_blocks(blocks);
    }
}
