//! The pieces that a JKS file is put together from: big-endian numbers, Java's text, blocks with a
//! length in front.

use std::time::SystemTime;

use super::super::KeyStoreError;

/// What is still to be read, and where.
pub(super) struct Input<'f> {
    bytes: &'f [u8],
    at: usize,
}

impl<'f> Input<'f> {
    pub(super) fn new(bytes: &'f [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn damaged(&self, problem: &'static str) -> KeyStoreError {
        let at = self.at;
        KeyStoreError::Damaged { problem, at }
    }

    pub(super) fn take(&mut self, octets: usize) -> Result<&'f [u8], KeyStoreError> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(octets)
            .ok_or_else(|| self.damaged("the file ends in the middle of what begins"))?;
        self.bytes = rest;
        self.at += octets;
        Ok(taken)
    }

    pub(super) fn number(&mut self) -> Result<u32, KeyStoreError> {
        let octets = self.take(4)?;
        Ok(octets
            .iter()
            .fold(0, |number, octet| number << 8 | u32::from(*octet)))
    }

    pub(super) fn time(&mut self) -> Result<Option<SystemTime>, KeyStoreError> {
        let octets = self.take(8)?;
        let number = octets
            .iter()
            .fold(0, |number, octet| number << 8 | u64::from(*octet));
        Ok(super::time(number))
    }

    /// Octets with their number in front.
    pub(super) fn block(&mut self) -> Result<&'f [u8], KeyStoreError> {
        let octets = self.number()?;
        self.take(octets as usize)
    }

    /// Java's "modified UTF-8": characters beyond 16 bits as two surrogates, each in three octets, and
    /// zero in two.
    pub(super) fn text(&mut self) -> Result<String, KeyStoreError> {
        let octets = self.take(2)?;
        let length = usize::from(octets[0]) << 8 | usize::from(octets[1]);
        let octets = self.take(length)?;
        let bad = || self.damaged("a text that is not in Java's encoding ends");
        let mut units = Vec::with_capacity(length);
        let mut left = octets;
        while let [first, rest @ ..] = left {
            let first = u16::from(*first);
            let (unit, octets) = match (first, rest) {
                (0..=0x7f, _) => (first, 0),
                (0xc0..=0xdf, [second @ 0x80..=0xbf, ..]) => {
                    ((first & 0x1f) << 6 | u16::from(second & 0x3f), 1)
                }
                (0xe0..=0xef, [second @ 0x80..=0xbf, third @ 0x80..=0xbf, ..]) => {
                    let second = u16::from(second & 0x3f);
                    let third = u16::from(third & 0x3f);
                    ((first & 0x0f) << 12 | second << 6 | third, 2)
                }
                _ => return Err(bad()),
            };
            units.push(unit);
            left = &rest[octets..];
        }
        String::from_utf16(&units).map_err(|_| bad())
    }

    pub(super) fn finish(&self) -> Result<(), KeyStoreError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(self.damaged("something follows behind the last entry"))
        }
    }
}

/// Writes a text as [`Input::text`] reads it. None where it is longer than 65,535 octets.
pub(super) fn write_text(file: &mut Vec<u8>, text: &str) -> Option<()> {
    let mut octets = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        let [six, twelve] = [unit & 0x3f, unit >> 6 & 0x3f].map(|bits| 0x80 | bits as u8);
        match unit {
            1..=0x7f => octets.push(unit as u8),
            0 | 0x80..=0x7ff => octets.extend([0xc0 | (unit >> 6) as u8, six]),
            _ => octets.extend([0xe0 | (unit >> 12) as u8, twelve, six]),
        }
    }
    let length = u16::try_from(octets.len()).ok()?;
    file.extend_from_slice(&length.to_be_bytes());
    file.extend_from_slice(&octets);
    Some(())
}

/// Writes octets with their number in front.
pub(super) fn write_block(file: &mut Vec<u8>, octets: &[u8]) {
    file.extend_from_slice(&(octets.len() as u32).to_be_bytes());
    file.extend_from_slice(octets);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_in_java_s_encoding() {
        for (text, octets) in [
            ("a", &[0, 1, 0x61][..]),
            ("\0é", &[0, 4, 0xc0, 0x80, 0xc3, 0xa9]),
            ("€", &[0, 3, 0xe2, 0x82, 0xac]),
            ("\u{1f600}", &[0, 6, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]),
        ] {
            let mut file = Vec::new();
            write_text(&mut file, text).unwrap();
            assert_eq!(file, octets);
            assert_eq!(Input::new(&file).text().as_deref(), Ok(text));
        }
        assert_eq!(write_text(&mut Vec::new(), &"a".repeat(65_536)), None);
        for bad in [
            &[0, 1, 0x80][..],
            &[0, 1, 0xc3],
            &[0, 3, 0xed, 0xa0, 0xbd],
            &[0, 2, 0x61],
        ] {
            assert!(Input::new(bad).text().is_err(), "{bad:?}");
        }
    }
}
