//! A passphrase: kept out of `Debug`, errors and freed memory.
//!
//! Where it comes from, and whether a line break belongs to it, is its caller's business.

use std::fmt;

use zeroize::Zeroizing;

/// What protects a key in a file. Its memory is overwritten when it is dropped, and `Debug` shows
/// nothing of it, not even its length.
///
/// ```
/// use ravelin_pki::Passphrase;
///
/// let passphrase = Passphrase::from("correct horse");
/// assert_eq!(format!("{passphrase:?}"), "Passphrase(…)");
/// ```
#[derive(Clone, Default)]
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// The empty passphrase, which many keystores have.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Its octets: UTF-8 where it was typed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// UTF-16, big-endian, as PKCS#12 (RFC 7292, appendix B.1) and Java want it, without a zero at
    /// the end. What is no UTF-8 is taken as Latin-1, as OpenSSL does.
    pub(crate) fn utf16(&self) -> Zeroizing<Vec<u8>> {
        // Never grown, so that no copy of it is left in freed memory.
        let mut octets = Zeroizing::new(Vec::with_capacity(self.0.len() * 2 + 2));
        if let Ok(text) = std::str::from_utf8(&self.0) {
            text.encode_utf16()
                .for_each(|unit| octets.extend_from_slice(&unit.to_be_bytes()));
        } else {
            self.0
                .iter()
                .for_each(|octet| octets.extend_from_slice(&[0, *octet]));
        }
        octets
    }
}

impl From<String> for Passphrase {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text.into_bytes()))
    }
}

impl From<Vec<u8>> for Passphrase {
    fn from(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }
}

impl From<&str> for Passphrase {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.as_bytes().to_vec()))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_beyond_ascii_become_utf_16() {
        let utf16 = |passphrase: Passphrase| passphrase.utf16().to_vec();
        assert_eq!(utf16("aé€".into()), [0, 0x61, 0, 0xe9, 0x20, 0xac]);
        assert_eq!(utf16("\u{1f600}".into()), [0xd8, 0x3d, 0xde, 0x00]);
        assert_eq!(utf16(vec![0x61, 0xe9].into()), [0, 0x61, 0, 0xe9]);
        assert!(utf16(Passphrase::empty()).is_empty());
    }
}
