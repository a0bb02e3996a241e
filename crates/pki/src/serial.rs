//! Serial numbers of certificates (RFC 5280, section 4.1.2.2).

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::der::{DerError, Element, Tag};
use crate::fingerprint::write_hex;

/// The serial number of a certificate: the octets of its DER INTEGER, as they stand there.
///
/// What others issued may be negative, zero or longer than the 20 octets that RFC 5280 allows; what
/// is made here is 18 octets, positive, and begins with the time. `Display` writes lower-case hex digits, two an
/// octet, as most tools do; a leading zero octet that only keeps the number positive is left out.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SerialNumber(Vec<u8>);

/// Why a text is not a serial number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a serial number, which is 1 to 64 octets in hexadecimal digits")]
pub struct SerialNumberError(String);

impl SerialNumber {
    /// 112 random bits behind the time: always 18 octets and always positive, and that of a later time is
    /// greater. The Baseline Requirements ask for 64 random bits (section 7.1).
    ///
    /// The first 4 octets are the seconds since 1970 divided by 4, with the first bit but one set, so
    /// that all are of one length. They tell no more than the beginning of a certificate's life does,
    /// and let whoever keeps many numbers put a new one behind all others. In 2106 they begin anew.
    ///
    /// # Errors
    ///
    /// The system gives no randomness.
    pub fn random(now: SystemTime) -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut octets = [0; 18];
        let (time, random) = octets.split_at_mut(4);
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let steps = (seconds / 4) as u32;
        time.copy_from_slice(&(steps & 0x3fff_ffff | 0x4000_0000).to_be_bytes());
        aws_lc_rs::rand::fill(random)?;
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
    use std::time::Duration;

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
    fn random_ones_are_positive_and_of_one_length_whatever_the_time() {
        let centuries = Duration::from_secs(8000 * 365 * 86_400);
        for now in [
            UNIX_EPOCH - centuries,
            UNIX_EPOCH,
            SystemTime::now(),
            UNIX_EPOCH + Duration::from_secs(1 << 32),
            UNIX_EPOCH + centuries,
        ] {
            for _ in 0..64 {
                let serial = SerialNumber::random(now).unwrap();
                assert_eq!(serial.der_content().len(), 18);
                assert!(!serial.is_negative() && !serial.is_zero());
            }
        }
    }

    #[test]
    fn random_ones_are_in_the_order_of_their_times_and_differ_in_112_bits() {
        let year = Duration::from_secs(365 * 86_400);
        let times = (1..136).flat_map(|years| {
            let time = UNIX_EPOCH + year * years;
            [time, time + Duration::from_secs(4)]
        });
        let serials: Vec<_> = times.map(|t| SerialNumber::random(t).unwrap()).collect();
        assert!(serials.is_sorted_by(|a, b| a < b), "{serials:?}");
        let now = SystemTime::now();
        let (mut always, mut ever) = ([0xff; 18], [0; 18]);
        for _ in 0..64 {
            let serial = SerialNumber::random(now).unwrap();
            for (place, octet) in serial.der_content().iter().enumerate() {
                always[place] &= octet;
                ever[place] |= octet;
            }
        }
        assert_eq!(always[4..], [0; 14], "no bit is always set");
        assert_eq!(ever[4..], [0xff; 14], "nor never");
    }
}
