//! Randomness for others: octets, UUIDs and passphrases. It is that of aws-lc, which the system seeds.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use bip39::Language;
use ravelin_pki::fingerprint::hex;
use zeroize::Zeroizing;

/// The system gave no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gave no randomness")]
pub struct NoRandomness;

/// Fills octets.
pub fn fill(octets: &mut [u8]) -> Result<(), NoRandomness> {
    SystemRandom::new().fill(octets).map_err(|_| NoRandomness)
}

/// A UUID of version 4 (RFC 9562, section 5.4), which has 122 random bits.
pub fn uuid() -> Result<String, NoRandomness> {
    let mut octets = [0; 16];
    fill(&mut octets)?;
    octets[6] = octets[6] & 0x0f | 0x40;
    octets[8] = octets[8] & 0x3f | 0x80;
    let parts: [String; 5] = [
        hex(&octets[..4]),
        hex(&octets[4..6]),
        hex(&octets[6..8]),
        hex(&octets[8..10]),
        hex(&octets[10..]),
    ];
    Ok(parts.join("-"))
}

/// A passphrase of so many words with a dash between them. Each word is one of 2,048 (the English list of BIP-39,
/// whose words can be told apart by their first four letters), and so worth [`BITS_OF_A_WORD`].
pub fn words(count: usize) -> Result<Zeroizing<String>, NoRandomness> {
    let list = Language::English.word_list();
    // Never grown: no part of it is left in freed memory.
    let mut passphrase = Zeroizing::new(String::with_capacity(count * LONGEST_WORD));
    for at in 0..count {
        let mut octets = Zeroizing::new([0; 2]);
        fill(&mut *octets)?;
        // The list's length divides 2^16, so that no word comes more often than another.
        let word = list[usize::from(u16::from_be_bytes(*octets)) % list.len()];
        if at > 0 {
            passphrase.push('-');
        }
        passphrase.push_str(word);
    }
    Ok(passphrase)
}

/// How many bits of randomness a word stands for.
pub const BITS_OF_A_WORD: usize = 11;

/// With the dash.
const LONGEST_WORD: usize = 9;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_are_of_the_list_and_none_is_preferred() {
        let list = Language::English.word_list();
        assert_eq!(list.len(), 1 << BITS_OF_A_WORD);
        assert!(list.iter().all(|word| word.len() < LONGEST_WORD));
        let passphrase = words(4096).unwrap();
        let seen: HashSet<&str> = passphrase.split('-').collect();
        assert_eq!(passphrase.split('-').count(), 4096);
        assert!(seen.iter().all(|word| list.contains(word)));
        // About 1771 different ones are to be expected; the deviation is about 18.
        assert!((1600..1950).contains(&seen.len()), "{}", seen.len());
    }

    #[test]
    fn uuids_are_of_version_4_and_never_the_same() {
        let uuids: HashSet<_> = (0..100).map(|_| uuid().unwrap()).collect();
        assert_eq!(uuids.len(), 100);
        for uuid in uuids {
            assert_eq!(uuid.len(), 36);
            assert_eq!(&uuid[14..15], "4");
            assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        }
    }
}
