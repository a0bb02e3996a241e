//! Writing: into one buffer, in one pass. Lengths are put in when an element is closed.

use std::net::IpAddr;
use std::time::SystemTime;

use time::OffsetDateTime;

use super::Tag;
use crate::oid::Oid;

/// Writes DER into a growing buffer.
///
/// ```
/// use ravelin_pki::der::{Tag, Writer};
///
/// let mut writer = Writer::new();
/// writer.sequence(|w| {
///     w.unsigned(5);
///     w.boolean(true);
/// });
/// assert_eq!(writer.into_bytes(), [0x30, 6, 2, 1, 5, 1, 1, 0xff]);
/// ```
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer with room for `octets`.
    #[must_use]
    pub fn with_capacity(octets: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(octets),
        }
    }

    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What was written so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// An element whose content `write` writes; gives what `write` does.
    pub fn constructed<R>(&mut self, tag: Tag, write: impl FnOnce(&mut Self) -> R) -> R {
        self.bytes.push(tag.0);
        // Most elements are shorter than 128 octets: one octet is kept free for the length, and the
        // content moved along where that was wrong.
        self.bytes.push(0);
        let start = self.bytes.len();
        let result = write(self);
        let length = self.bytes.len() - start;
        if length < 0x80 {
            self.bytes[start - 1] = length as u8;
            return result;
        }
        let octets = length.to_be_bytes();
        let octets = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
        self.bytes[start - 1] = 0x80 | octets.len() as u8;
        let end = self.bytes.len();
        self.bytes.resize(end + octets.len(), 0);
        self.bytes.copy_within(start..end, start + octets.len());
        self.bytes[start..start + octets.len()].copy_from_slice(octets);
        result
    }

    /// A SEQUENCE.
    pub fn sequence<R>(&mut self, write: impl FnOnce(&mut Self) -> R) -> R {
        self.constructed(Tag::SEQUENCE, write)
    }

    /// An element of content that is there already.
    pub fn primitive(&mut self, tag: Tag, content: &[u8]) {
        self.constructed(tag, |w| w.raw(content));
    }

    /// Elements that are DER already.
    pub fn raw(&mut self, der: &[u8]) {
        self.bytes.extend_from_slice(der);
    }

    /// A BOOLEAN.
    pub fn boolean(&mut self, value: bool) {
        self.primitive(Tag::BOOLEAN, &[if value { 0xff } else { 0 }]);
    }

    /// An INTEGER.
    pub fn unsigned(&mut self, value: u64) {
        self.positive(&value.to_be_bytes());
    }

    /// An INTEGER that is not negative, from its big-endian octets, with or without zeros in front.
    pub fn positive(&mut self, octets: &[u8]) {
        self.integer(Tag::INTEGER, octets);
    }

    /// An INTEGER that is not negative, under another tag.
    pub fn small(&mut self, tag: Tag, value: u64) {
        self.integer(tag, &value.to_be_bytes());
    }

    fn integer(&mut self, tag: Tag, octets: &[u8]) {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let octets = &octets[zeros.min(octets.len().saturating_sub(1))..];
        self.constructed(tag, |w| {
            if octets.first().is_none_or(|first| first & 0x80 != 0) {
                w.bytes.push(0);
            }
            w.raw(octets);
        });
    }

    /// An OBJECT IDENTIFIER.
    pub fn oid(&mut self, oid: &Oid) {
        self.primitive(Tag::OBJECT_IDENTIFIER, oid.der_content());
    }

    /// A NULL.
    pub fn null(&mut self) {
        self.primitive(Tag::NULL, &[]);
    }

    /// An OCTET STRING.
    pub fn octet_string(&mut self, octets: &[u8]) {
        self.primitive(Tag::OCTET_STRING, octets);
    }

    /// A BIT STRING of whole octets.
    pub fn octet_bits(&mut self, octets: &[u8]) {
        self.constructed(Tag::BIT_STRING, |w| {
            w.bytes.push(0);
            w.raw(octets);
        });
    }

    /// A BIT STRING of named bits, the first of which is the highest of `bits`: zeros at the end are
    /// left out (X.690, 11.2.2).
    pub fn named_bits(&mut self, bits: u16) {
        self.small_bits(Tag::BIT_STRING, bits);
    }

    /// [`Self::named_bits`] under another tag.
    pub fn small_bits(&mut self, tag: Tag, bits: u16) {
        self.constructed(tag, |w| {
            let unused = bits.trailing_zeros().min(16) as u8;
            w.bytes.push(if bits == 0 { 0 } else { unused % 8 });
            let octets = bits.to_be_bytes();
            w.raw(&octets[..2 - usize::from(unused / 8)]);
        });
    }

    /// A `UTF8String`.
    pub fn utf8(&mut self, text: &str) {
        self.primitive(Tag::UTF8_STRING, text.as_bytes());
    }

    /// A time as RFC 5280 wants it (section 4.1.2.5): `UTCTime` to 2049, `GeneralizedTime` from then
    /// on and before 1950. Parts of a second are left out; what is beyond the year 9999 becomes its
    /// last second, and what is before the year 0 its first.
    pub fn time(&mut self, time: SystemTime) {
        let time = civil(time);
        let year = time.year();
        if (1950..2050).contains(&year) {
            self.constructed(Tag::UTC_TIME, |w| {
                w.two_digits(year);
                w.month_to_second(time);
            });
        } else {
            self.generalized(time);
        }
    }

    /// A `GeneralizedTime`, as OCSP wants it for every year (RFC 6960, section 4.2.2.1).
    pub fn generalized_time(&mut self, time: SystemTime) {
        self.generalized(civil(time));
    }

    fn generalized(&mut self, time: OffsetDateTime) {
        self.constructed(Tag::GENERALIZED_TIME, |w| {
            w.two_digits(time.year() / 100);
            w.two_digits(time.year());
            w.month_to_second(time);
        });
    }

    fn month_to_second(&mut self, time: OffsetDateTime) {
        let month = u8::from(time.month());
        for part in [month, time.day(), time.hour(), time.minute(), time.second()] {
            self.two_digits(part.into());
        }
        self.bytes.push(b'Z');
    }

    /// The last two digits of a number.
    fn two_digits(&mut self, value: i32) {
        let value = value.rem_euclid(100).unsigned_abs() as u8;
        self.bytes.extend([b'0' + value / 10, b'0' + value % 10]);
    }

    /// The octets of an address under a tag (RFC 5280, section 4.2.1.6).
    pub fn address(&mut self, tag: Tag, address: IpAddr) {
        match address {
            IpAddr::V4(v4) => self.primitive(tag, &v4.octets()),
            IpAddr::V6(v6) => self.primitive(tag, &v6.octets()),
        }
    }
}

/// `OffsetDateTime::from` would panic on what it cannot express.
fn civil(time: SystemTime) -> OffsetDateTime {
    let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        // Down to the second before, as above.
        Err(before) => {
            let before = before.duration();
            let up = u64::from(before.subsec_nanos() != 0);
            i64::try_from(before.as_secs() + up).map_or(i64::MIN, |seconds| -seconds)
        }
    };
    OffsetDateTime::from_unix_timestamp(seconds.clamp(YEAR_0, YEAR_9999))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// The first second of the year 0.
const YEAR_0: i64 = -62_167_219_200;

/// The last second of the year 9999.
const YEAR_9999: i64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::der::Reader;

    #[test]
    fn lengths_of_every_size_are_read_back() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let mut writer = Writer::new();
            writer.sequence(|w| w.octet_string(&vec![7; length]));
            let bytes = writer.into_bytes();
            let outer = Reader::only(&bytes, Tag::SEQUENCE).unwrap();
            assert_eq!(outer.inner().unwrap().content.len(), length);
        }
    }

    #[test]
    fn times_are_read_back() {
        let epoch = SystemTime::UNIX_EPOCH;
        let year = Duration::from_secs(31_557_600);
        for time in [
            epoch,
            epoch - year * 20,
            epoch - year * 21,
            epoch + year * 79,
            epoch + year * 81,
        ] {
            let mut writer = Writer::new();
            writer.time(time);
            writer.generalized_time(time);
            let mut reader = Reader::new(writer.bytes());
            assert_eq!(reader.next().unwrap().time(), Ok(time));
            assert_eq!(reader.next().unwrap().time(), Ok(time));
        }
        let mut writer = Writer::new();
        writer.time(epoch + year * 100_000);
        assert_eq!(writer.bytes(), b"\x18\x0f99991231235959Z");
    }

    #[test]
    fn named_bits_end_with_the_last_that_is_set() {
        let bits = |bits| {
            let mut writer = Writer::new();
            writer.named_bits(bits);
            writer.into_bytes()
        };
        assert_eq!(bits(0), [3, 1, 0]);
        assert_eq!(bits(0x8000), [3, 2, 7, 0x80]);
        assert_eq!(bits(0x0600), [3, 2, 1, 6]);
        assert_eq!(bits(0x0080), [3, 3, 7, 0, 0x80]);
    }

    #[test]
    fn numbers_are_written_in_the_one_form() {
        let mut writer = Writer::new();
        writer.unsigned(0);
        writer.unsigned(128);
        writer.positive(&[0, 0, 1]);
        assert_eq!(writer.bytes(), [2, 1, 0, 2, 2, 0, 128, 2, 1, 1]);
    }
}
