//! SHA-256 fingerprints: how people and stores tell one certificate from another.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;

/// The SHA-256 digest of some bytes, of a certificate's DER most of the time.
///
/// `Display` writes 64 lower-case hex digits, as `openssl x509 -fingerprint -sha256` does without
/// its colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// Why a text is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a SHA-256 fingerprint, which is 64 hexadecimal digits")]
pub struct FingerprintError(String);

impl Fingerprint {
    /// A digest that was made elsewhere, or kept.
    #[must_use]
    pub const fn from_bytes(octets: [u8; 32]) -> Self {
        Self(octets)
    }

    /// The fingerprint of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut octets = [0; 32];
        octets.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
        Self(octets)
    }

    /// The 32 octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 8 hex digits: enough to tell apart the few certificates that one person keeps,
    /// never enough to trust one by.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// Octets as lower-case hexadecimal digits, two each: as fingerprints, key identifiers and nonces are
/// shown.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .flat_map(|octet| digits(*octet))
        .map(char::from)
        .collect()
}

/// The same into `f`. Not by `write!` for each octet: that was 35 % of what a list of certificates in
/// JSON cost.
pub(crate) fn write_hex(octets: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for part in octets.chunks(32) {
        let mut text = [0; 64];
        for (pair, octet) in text.chunks_exact_mut(2).zip(part) {
            pair.copy_from_slice(&digits(*octet));
        }
        let text = std::str::from_utf8(&text[..2 * part.len()]).map_err(|_| fmt::Error)?;
        f.write_str(text)?;
    }
    Ok(())
}

fn digits(octet: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [octet >> 4, octet & 15].map(|half| DIGITS[usize::from(half)])
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Reads 64 hexadecimal digits of either case, with or without colons between the octets.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let error = || FingerprintError(text.chars().take(100).collect());
        let mut octets = [0; 32];
        let mut digits = text.bytes().filter(|byte| *byte != b':');
        for octet in &mut octets {
            for _ in 0..2 {
                let digit = digits.next().and_then(|byte| char::from(byte).to_digit(16));
                *octet = *octet << 4 | digit.ok_or_else(error)? as u8;
            }
        }
        if digits.next().is_some() {
            return Err(error());
        }
        Ok(Self(octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        let fingerprint = Fingerprint::of(b"abc");
        let text = fingerprint.to_string();
        assert_eq!(text.parse(), Ok(fingerprint));
        assert_eq!(text.to_uppercase().parse(), Ok(fingerprint));
        let pairs: Vec<&str> = (0..64).step_by(2).map(|at| &text[at..at + 2]).collect();
        assert_eq!(pairs.join(":").parse(), Ok(fingerprint));
        for wrong in ["", &text[1..], &format!("{text}0"), &text.replace('a', "g")] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_fingerprint_is_sha256_in_hex() {
        // FIPS 180-2, appendix B.1.
        let abc = Fingerprint::of(b"abc");
        assert_eq!(abc.short(), "ba7816bf");
        assert!(abc.to_string().ends_with("f20015ad"));
    }
}
