//! SHA-256 fingerprints: how people and stores tell one certificate from another.

use std::fmt;

use aws_lc_rs::digest;

/// The SHA-256 digest of some bytes, of a certificate's DER most of the time.
///
/// `Display` writes 64 lower-case hex digits, as `openssl x509 -fingerprint -sha256` does without
/// its colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
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
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_sha256_in_hex() {
        // FIPS 180-2, appendix B.1.
        let abc = Fingerprint::of(b"abc");
        assert_eq!(abc.short(), "ba7816bf");
        assert!(abc.to_string().ends_with("f20015ad"));
    }
}
