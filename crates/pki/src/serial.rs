//! Serial numbers of certificates (RFC 5280, section 4.1.2.2).

use std::fmt;
use std::str::FromStr;

use crate::der::{DerError, Element, Tag};
use crate::fingerprint::write_hex;

/// The serial number of a certificate: the octets of its DER INTEGER, as they stand there.
///
/// What others issued may be negative, zero or longer than the 20 octets that RFC 5280 allows; what
/// is made here is 16 random octets, and positive. `Display` writes lower-case hex digits, two an
/// octet, as most tools do; a leading zero octet that only keeps the number positive is left out.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SerialNumber(Vec<u8>);

/// Why a text is not a serial number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a serial number, which is 1 to 64 octets in hexadecimal digits")]
pub struct SerialNumberError(String);

impl SerialNumber {
    /// 126 random bits: always 16 octets and always positive. The first bit but one is set, so that
    /// all are of one length; two of a hundred million million are alike with a chance of 10⁻¹⁰.
    ///
    /// # Errors
    ///
    /// The system gives no randomness.
    pub fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut octets = [0; 16];
        aws_lc_rs::rand::fill(&mut octets)?;
        octets[0] = octets[0] & 0x3f | 0x40;
        Ok(Self(octets.to_vec()))
    }

    /// Takes the content octets of a DER INTEGER; nothing is checked.
    #[must_use]
    pub fn from_der_content(octets: &[u8]) -> Self {
        Self(octets.to_vec())
    }

    /// Reads an INTEGER.
    pub(crate) fn read(element: Element<'_>) -> Result<Self, DerError> {
        let octets = element.tagged(Tag::INTEGER)?.integer()?;
        Ok(Self(octets.to_vec()))
    }

    /// The content octets of the DER INTEGER.
    #[must_use]
    pub fn der_content(&self) -> &[u8] {
        &self.0
    }

    /// Whether the number is below zero, which RFC 5280 forbids and some CAs of old made.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.0.first().is_some_and(|first| first & 0x80 != 0)
    }

    /// Whether the number is zero, which RFC 5280 forbids.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.0.iter().all(|octet| *octet == 0)
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = match self.0.as_slice() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        };
        write_hex(shown, f)
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

impl FromStr for SerialNumber {
    type Err = SerialNumberError;

    /// Reads hexadecimal digits of either case, with or without colons and a leading `0x`: as
    /// openssl, browsers and `Display` write them. The number is taken as positive.
    fn from_str(text: &str) -> Result<Self, SerialNumberError> {
        let error = || SerialNumberError(text.chars().take(80).collect());
        let digits = text.strip_prefix("0x").unwrap_or(text).replace(':', "");
        if digits.is_empty() || digits.len() > 128 || !digits.bytes().all(|b| b.is_ascii_hexdigit())
        {
            return Err(error());
        }
        let padded = format!("{}{digits}", if digits.len() % 2 == 1 { "0" } else { "" });
        let mut octets: Vec<u8> = (0..padded.len())
            .step_by(2)
            .filter_map(|at| u8::from_str_radix(&padded[at..at + 2], 16).ok())
            .collect();
        // The one form that DER has of it: no zero octet in front that could be left out.
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        octets.drain(..zeros.min(octets.len() - 1));
        if octets[0] & 0x80 != 0 {
            octets.insert(0, 0);
        }
        Ok(Self(octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        for octets in [&[0x01][..], &[0], &[0x00, 0x80], &[0x7f, 0, 1]] {
            let serial = SerialNumber::from_der_content(octets);
            assert_eq!(serial.to_string().parse(), Ok(serial));
        }
        assert_eq!("0X".parse::<SerialNumber>().ok(), None);
        assert_eq!(
            "0x00:AB".parse(),
            Ok(SerialNumber::from_der_content(&[0, 0xab]))
        );
        assert_eq!("1".parse(), Ok(SerialNumber::from_der_content(&[1])));
        for text in ["", ":", "g", "-1", &"0".repeat(129)] {
            assert!(text.parse::<SerialNumber>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn random_ones_are_positive_and_of_one_length() {
        for _ in 0..64 {
            let serial = SerialNumber::random().unwrap();
            assert_eq!(serial.der_content().len(), 16);
            assert!(!serial.is_negative() && !serial.is_zero());
        }
    }
}
