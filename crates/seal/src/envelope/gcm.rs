//! AES-GCM (NIST SP 800-38D) of a message that is longer than memory, with a nonce of 96 bits and nothing beside it.
//!
//! aws-lc takes a message whole or not at all. What GCM consists of is here put together again, AES in counter mode
//! (aws-lc's) and GHASH; tests hold it against aws-lc's own GCM.

use aws_lc_rs::cipher::{
    AES_128, AES_256, EncryptionContext, StreamingEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::iv::FixedLength;
use ghash::universal_hash::UniversalHash as _;
use ghash::{Block, GHash};

/// A message that is being encrypted or decrypted.
pub(super) struct Gcm {
    keystream: StreamingEncryptingKey,
    hash: GHash,
    /// What hides the hash in the tag.
    mask: [u8; BLOCK],
    /// The beginning of a block that is not whole yet.
    rest: Vec<u8>,
    octets: u64,
    /// Where the cipher writes: it asks for room beyond what it gives.
    room: Vec<u8>,
}

/// The key is of a length that AES does not have, or the message is longer than one nonce is good for.
#[derive(Debug)]
pub(super) struct Refused;

impl Gcm {
    pub(super) fn new(key: &[u8], nonce: [u8; NONCE]) -> Result<Self, Refused> {
        let mut counter = [0; BLOCK];
        let mut zero = keystream(key, counter)?;
        let subkey = block(&mut zero)?;
        counter[..NONCE].copy_from_slice(&nonce);
        counter[BLOCK - 1] = 1;
        // The counter has 32 bits in GCM and 128 in counter mode. They part when 32 bits have gone round, which is
        // further than a message may go.
        let mut keystream = keystream(key, counter)?;
        let mask = block(&mut keystream)?;
        Ok(Self {
            keystream,
            hash: GHash::new(&subkey.into()),
            mask,
            rest: Vec::with_capacity(BLOCK),
            octets: 0,
            room: Vec::new(),
        })
    }

    /// The next piece, encrypted.
    pub(super) fn encrypt(&mut self, plain: &[u8]) -> Result<&[u8], Refused> {
        self.apply(plain)?;
        let mut room = std::mem::take(&mut self.room);
        self.absorb(&room[..plain.len()]);
        std::mem::swap(&mut self.room, &mut room);
        Ok(&self.room[..plain.len()])
    }

    /// The next piece, decrypted. Nothing is known of it until the tag was checked.
    pub(super) fn decrypt(&mut self, encrypted: &[u8]) -> Result<&[u8], Refused> {
        self.absorb(encrypted);
        self.apply(encrypted)?;
        Ok(&self.room[..encrypted.len()])
    }

    /// The tag of all that went through.
    pub(super) fn tag(mut self) -> [u8; BLOCK] {
        if !self.rest.is_empty() {
            self.hash.update_padded(&self.rest);
        }
        let mut lengths = [0; BLOCK];
        lengths[8..].copy_from_slice(&(self.octets * 8).to_be_bytes());
        self.hash.update(&[lengths.into()]);
        let hash = self.hash.finalize();
        let mut tag = self.mask;
        tag.iter_mut()
            .zip(hash.iter())
            .for_each(|(tag, hash)| *tag ^= hash);
        tag
    }

    /// Whether a tag is that of all that went through.
    pub(super) fn has_tag(self, tag: &[u8]) -> bool {
        verify_slices_are_equal(&self.tag(), tag).is_ok()
    }

    fn apply(&mut self, input: &[u8]) -> Result<(), Refused> {
        self.octets += input.len() as u64;
        if self.octets > LONGEST {
            return Err(Refused);
        }
        self.room.resize(input.len() + BLOCK, 0);
        let update = self.keystream.update(input, &mut self.room);
        match update.map_err(|_| Refused)?.written().len() {
            written if written == input.len() => Ok(()),
            _ => Err(Refused),
        }
    }

    /// Takes what was encrypted into the hash, in whole blocks.
    fn absorb(&mut self, mut encrypted: &[u8]) {
        if !self.rest.is_empty() {
            let missing = (BLOCK - self.rest.len()).min(encrypted.len());
            let (first, after) = encrypted.split_at(missing);
            self.rest.extend_from_slice(first);
            encrypted = after;
            if self.rest.len() < BLOCK {
                return;
            }
            self.hash.update(Block::slice_as_chunks(&self.rest).0);
            self.rest.clear();
        }
        let (blocks, rest) = Block::slice_as_chunks(encrypted);
        self.hash.update(blocks);
        self.rest.extend_from_slice(rest);
    }
}

fn keystream(key: &[u8], counter: [u8; BLOCK]) -> Result<StreamingEncryptingKey, Refused> {
    let algorithm = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return Err(Refused),
    };
    let key = UnboundCipherKey::new(algorithm, key).map_err(|_| Refused)?;
    let context = EncryptionContext::Iv128(FixedLength::from(counter));
    StreamingEncryptingKey::less_safe_ctr(key, context).map_err(|_| Refused)
}

/// The next block of the key stream.
fn block(keystream: &mut StreamingEncryptingKey) -> Result<[u8; BLOCK], Refused> {
    let mut room = [0; 2 * BLOCK];
    let update = keystream.update(&[0; BLOCK], &mut room);
    let written = update.map_err(|_| Refused)?.written().try_into();
    written.map_err(|_| Refused)
}

pub(super) const BLOCK: usize = 16;
pub(super) const NONCE: usize = 12;

/// SP 800-38D, section 5.2.1.1: 2^39 - 256 bits.
const LONGEST: u64 = (1 << 36) - 32;

#[cfg(test)]
mod tests {
    use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_of_any_length_make_what_aws_lc_makes_of_the_whole(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..70), 0..12),
            key: [u8; 32],
            nonce: [u8; NONCE],
            short: bool,
        ) {
            let (key, algorithm) = if short {
                (&key[..16], &AES_128_GCM)
            } else {
                (&key[..], &AES_256_GCM)
            };
            let mut theirs = pieces.concat();
            LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap())
                .seal_in_place_append_tag(
                    Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut theirs,
                )
                .unwrap();

            let (mut there, mut back) = (Gcm::new(key, nonce).unwrap(), Gcm::new(key, nonce).unwrap());
            let mut ours = Vec::new();
            for piece in &pieces {
                let encrypted = there.encrypt(piece).unwrap();
                ours.extend_from_slice(encrypted);
                prop_assert_eq!(back.decrypt(encrypted).unwrap(), &piece[..]);
            }
            let tag = there.tag();
            ours.extend_from_slice(&tag);
            prop_assert_eq!(ours, theirs);
            prop_assert!(back.has_tag(&tag));
        }
    }

    #[test]
    fn another_tag_and_keys_of_other_lengths_are_refused() {
        let gcm = || Gcm::new(&[7; 32], [1; NONCE]).unwrap();
        let mut tag = gcm().tag();
        tag[15] ^= 1;
        assert!(!gcm().has_tag(&tag));
        assert!(!gcm().has_tag(&[]));
        assert!(Gcm::new(&[7; 24], [1; NONCE]).is_err());
        let mut long = gcm();
        long.octets = LONGEST;
        assert!(long.encrypt(b"x").is_err());
    }
}
