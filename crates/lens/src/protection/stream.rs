//! RC4, and no cipher at all: content and MAC, one behind the other (RFC 5246, section 6.2.3.1).

use ravelin_wire::record::Record;
use ravelin_wire::registry::Cipher;
use zeroize::Zeroizing;

use super::mac::RecordMac;
use super::{OpenError, Opened};
use crate::digest::Octets;

pub(super) struct Stream {
    cipher: Option<Rc4>,
    mac: RecordMac,
    lost: bool,
}

impl Stream {
    pub(super) fn new(cipher: Cipher, mac: RecordMac, key: Option<&[u8]>) -> Option<Self> {
        let cipher = match cipher {
            Cipher::Null => None,
            Cipher::Rc4_40 | Cipher::Rc4_56 | Cipher::Rc4_128 => {
                let key = key.filter(|key| key.len() == cipher.final_key_octets())?;
                Some(Rc4::new(key))
            }
            _ => return None,
        };
        Some(Self {
            cipher,
            mac,
            lost: false,
        })
    }

    pub(super) fn lose(&mut self) {
        self.lost = self.cipher.is_some();
    }

    pub(super) fn open(&mut self, sequence: u64, record: &Record<'_>) -> Result<Opened, OpenError> {
        if self.lost {
            return Err(OpenError::Lost);
        }
        let (octets, least) = (record.fragment.len(), self.mac.octets());
        let end = octets
            .checked_sub(least)
            .ok_or(OpenError::TooShort { octets, least })?;
        let mut content = Octets::new(record.fragment.to_vec());
        // Goes on only where the record is right.
        let mut cipher = self.cipher.clone();
        if let Some(cipher) = &mut cipher {
            cipher.apply(&mut content);
        }
        let additional_data = self.mac.additional_data(sequence, record, end);
        let (inside, mac) = content.split_at(end);
        self.mac.check(&additional_data, inside, mac)?;
        content.truncate(end);
        self.cipher = cipher;
        Ok(Opened {
            content,
            content_type: record.content_type,
            padding: 0,
            nonce: Vec::new(),
            additional_data,
        })
    }
}

/// The cipher itself, in its few lines: the crates for it cannot go back to where they were before a
/// record that turns out to be wrong.
#[derive(Clone)]
struct Rc4 {
    state: Zeroizing<[u8; 256]>,
    i: u8,
    j: u8,
}

impl Rc4 {
    fn new(key: &[u8]) -> Self {
        let mut state = Zeroizing::new([0; 256]);
        for (octet, value) in state.iter_mut().zip(0..=u8::MAX) {
            *octet = value;
        }
        let mut j = 0_u8;
        for (i, key) in (0..state.len()).zip(key.iter().cycle()) {
            j = j.wrapping_add(state[i]).wrapping_add(*key);
            state.swap(i, usize::from(j));
        }
        Self { state, i: 0, j: 0 }
    }

    fn apply(&mut self, octets: &mut [u8]) {
        for octet in octets {
            self.i = self.i.wrapping_add(1);
            let i = usize::from(self.i);
            self.j = self.j.wrapping_add(self.state[i]);
            let j = usize::from(self.j);
            self.state.swap(i, j);
            let sum = self.state[i].wrapping_add(self.state[j]);
            *octet ^= self.state[usize::from(sum)];
        }
    }
}
