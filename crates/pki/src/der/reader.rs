//! Reading: one element after the other, each with its place.

use std::time::{Duration, SystemTime};

use time::{Date, Month, PrimitiveDateTime, Time};

use super::{DerError, DerProblem, Tag};
use crate::oid::Oid;

/// Reads the elements of some bytes, one after the other.
#[derive(Debug, Clone)]
pub struct Reader<'b> {
    bytes: &'b [u8],
    /// Where `bytes` begins in what the outermost reader was given.
    at: usize,
}

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'b> {
    /// Its tag.
    pub tag: Tag,
    /// What is in it.
    pub content: &'b [u8],
    /// Tag, length and content.
    pub whole: &'b [u8],
    /// Where it begins, in octets from the beginning of what the outermost reader was given.
    pub at: usize,
}

/// The bits of a BIT STRING.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitString<'b> {
    /// How many bits of the last octet do not count, 0 to 7. They are zero.
    pub unused: u8,
    /// The octets.
    pub octets: &'b [u8],
}

impl<'b> Reader<'b> {
    /// Reads `bytes` from their beginning.
    #[must_use]
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Reads `bytes` that begin at `at` of something larger, which errors count from.
    #[must_use]
    pub fn at(bytes: &'b [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// Reads exactly one element of `bytes`, which must have the tag.
    pub fn only(bytes: &'b [u8], tag: Tag) -> Result<Element<'b>, DerError> {
        let mut reader = Self::new(bytes);
        let element = reader.expect(tag)?;
        reader.finish()?;
        Ok(element)
    }

    /// Where the next element begins.
    #[must_use]
    pub fn place(&self) -> usize {
        self.at
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The tag of the next element, where there is one.
    #[must_use]
    pub fn peek(&self) -> Option<Tag> {
        self.bytes.first().copied().map(Tag)
    }

    /// The next element, whatever it is.
    #[allow(
        clippy::should_implement_trait,
        reason = "an iterator would go on after an error"
    )]
    pub fn next(&mut self) -> Result<Element<'b>, DerError> {
        let start = self.at;
        let (tag, header, length) = header(self.bytes).map_err(|problem| problem.at(start))?;
        let left = self.bytes.len() - header;
        if length > left {
            let claimed = length;
            return Err(DerProblem::TooLong { claimed, left }.at(start));
        }
        let (whole, rest) = self.bytes.split_at(header + length);
        self.bytes = rest;
        self.at += whole.len();
        Ok(Element {
            tag,
            content: &whole[header..],
            whole,
            at: start,
        })
    }

    /// The next element, which must have the tag.
    pub fn expect(&mut self, expected: Tag) -> Result<Element<'b>, DerError> {
        match self.peek() {
            None => Err(DerProblem::Missing { expected }.at(self.at)),
            Some(found) if found != expected => {
                Err(DerProblem::Unexpected { expected, found }.at(self.at))
            }
            Some(_) => self.next(),
        }
    }

    /// The next element if it has the tag.
    pub fn optional(&mut self, tag: Tag) -> Result<Option<Element<'b>>, DerError> {
        if self.peek() == Some(tag) {
            self.next().map(Some)
        } else {
            Ok(None)
        }
    }

    /// The elements of the SEQUENCE that is next.
    pub fn sequence(&mut self) -> Result<Reader<'b>, DerError> {
        self.expect(Tag::SEQUENCE).map(|element| element.reader())
    }

    /// A `BOOLEAN DEFAULT FALSE` under its own or another tag, which DER forbids to write where it is
    /// false.
    pub fn default_false(&mut self, tag: Tag) -> Result<bool, DerError> {
        match self.optional(tag)? {
            None => Ok(false),
            Some(element) if element.boolean()? => Ok(true),
            Some(element) => Err(DerProblem::WrittenDefault.at(element.at)),
        }
    }

    /// Nothing may be left.
    pub fn finish(&self) -> Result<(), DerError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            let octets = self.bytes.len();
            Err(DerProblem::Trailing { octets }.at(self.at))
        }
    }
}

impl<'b> Element<'b> {
    /// Reads what is in it.
    #[must_use]
    pub fn reader(&self) -> Reader<'b> {
        let header = self.whole.len() - self.content.len();
        Reader::at(self.content, self.at + header)
    }

    /// The one element in an explicit tag or in an OCTET STRING.
    pub fn inner(&self) -> Result<Element<'b>, DerError> {
        let mut reader = self.reader();
        let inner = reader.next()?;
        reader.finish()?;
        Ok(inner)
    }

    /// The element itself where it has the tag.
    pub fn tagged(self, expected: Tag) -> Result<Self, DerError> {
        if self.tag == expected {
            Ok(self)
        } else {
            let found = self.tag;
            Err(DerProblem::Unexpected { expected, found }.at(self.at))
        }
    }

    /// A BOOLEAN (X.690, 11.1).
    pub fn boolean(&self) -> Result<bool, DerError> {
        match self.content {
            [0] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(DerProblem::BadBoolean.at(self.at)),
        }
    }

    /// The content octets of an INTEGER, in the one form that DER has of it: big-endian, two's
    /// complement.
    pub fn integer(&self) -> Result<&'b [u8], DerError> {
        match self.content {
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => {
                Err(DerProblem::BadInteger.at(self.at))
            }
            content => Ok(content),
        }
    }

    /// An INTEGER or ENUMERATED from 0 to `u64::MAX`.
    pub fn unsigned(&self) -> Result<u64, DerError> {
        let octets = self.integer()?;
        let octets = octets.strip_prefix(&[0]).unwrap_or(octets);
        if self.content[0] & 0x80 != 0 || octets.len() > 8 {
            return Err(DerProblem::OutOfRange.at(self.at));
        }
        Ok(octets
            .iter()
            .fold(0, |value, octet| value << 8 | u64::from(*octet)))
    }

    /// An OBJECT IDENTIFIER.
    pub fn oid(&self) -> Result<Oid, DerError> {
        Oid::from_der_content(self.content)
            .ok_or_else(|| DerProblem::BadObjectIdentifier.at(self.at))
    }

    /// A BIT STRING (X.690, 8.6 and 11.2).
    pub fn bit_string(&self) -> Result<BitString<'b>, DerError> {
        let bad = || DerProblem::BadBitString.at(self.at);
        let (&unused, octets) = self.content.split_first().ok_or_else(bad)?;
        let padding = match octets.last() {
            _ if unused > 7 => return Err(bad()),
            None => unused,
            Some(last) => last & ((1_u16 << unused) - 1) as u8,
        };
        if padding != 0 {
            return Err(bad());
        }
        Ok(BitString { unused, octets })
    }

    /// The octets of a BIT STRING whose bits are whole octets, as keys and signatures are.
    pub fn octet_bits(&self) -> Result<&'b [u8], DerError> {
        match self.bit_string()? {
            BitString { unused: 0, octets } => Ok(octets),
            _ => Err(DerProblem::BadBitString.at(self.at)),
        }
    }

    /// The text of a string of any of the types that X.509 has.
    pub fn text(&self) -> Result<String, DerError> {
        let bad = || DerProblem::BadString.at(self.at);
        match self.tag {
            Tag::UTF8_STRING => std::str::from_utf8(self.content)
                .map(str::to_owned)
                .map_err(|_| bad()),
            Tag::NUMERIC_STRING | Tag::PRINTABLE_STRING | Tag::IA5_STRING | Tag::VISIBLE_STRING => {
                if self.content.is_ascii() {
                    Ok(String::from_utf8_lossy(self.content).into_owned())
                } else {
                    Err(bad())
                }
            }
            // T.61 in the standards, Latin-1 in all certificates that have it.
            Tag::TELETEX_STRING => Ok(self.content.iter().copied().map(char::from).collect()),
            Tag::BMP_STRING => {
                let (units, rest) = self.content.as_chunks::<2>();
                if !rest.is_empty() {
                    return Err(bad());
                }
                char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit)))
                    .collect::<Result<_, _>>()
                    .map_err(|_| bad())
            }
            Tag::UNIVERSAL_STRING => {
                let (units, rest) = self.content.as_chunks::<4>();
                if !rest.is_empty() {
                    return Err(bad());
                }
                units
                    .iter()
                    .map(|unit| char::from_u32(u32::from_be_bytes(*unit)))
                    .collect::<Option<_>>()
                    .ok_or_else(bad)
            }
            _ => Err(bad()),
        }
    }

    /// A time in one of the two forms of RFC 5280 (section 4.1.2.5): `UTCTime`, whose years are 1950
    /// to 2049, or `GeneralizedTime`, both to the second and in UTC.
    pub fn time(&self) -> Result<SystemTime, DerError> {
        let read = || {
            let (digits, year) = match self.tag {
                Tag::UTC_TIME => {
                    let year = i32::from(two_digits(self.content.get(..2)?)?);
                    let year = if year < 50 { year + 2000 } else { year + 1900 };
                    (self.content.get(2..)?, year)
                }
                Tag::GENERALIZED_TIME => {
                    let century = two_digits(self.content.get(..2)?)?;
                    let year = two_digits(self.content.get(2..4)?)?;
                    (
                        self.content.get(4..)?,
                        i32::from(century) * 100 + i32::from(year),
                    )
                }
                _ => return None,
            };
            let [rest @ .., b'Z'] = digits else {
                return None;
            };
            let (parts, left) = rest.as_chunks::<2>();
            let parts: &[[u8; 2]; 5] = parts.try_into().ok()?;
            if !left.is_empty() {
                return None;
            }
            let [month, day, hour, minute, second] = parts.map(|digits| two_digits(&digits));
            let date = Date::from_calendar_date(year, Month::try_from(month?).ok()?, day?).ok()?;
            let time = Time::from_hms(hour?, minute?, second?).ok()?;
            let seconds = PrimitiveDateTime::new(date, time)
                .assume_utc()
                .unix_timestamp();
            let distance = Duration::from_secs(seconds.unsigned_abs());
            if seconds < 0 {
                SystemTime::UNIX_EPOCH.checked_sub(distance)
            } else {
                SystemTime::UNIX_EPOCH.checked_add(distance)
            }
        };
        read().ok_or_else(|| DerProblem::BadTime.at(self.at))
    }
}

fn two_digits(digits: &[u8]) -> Option<u8> {
    match digits {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

/// Reads tag and length: the tag, how many octets both take, the length.
fn header(bytes: &[u8]) -> Result<(Tag, usize, usize), DerProblem> {
    let (tag, first) = match bytes {
        [tag, ..] if tag & 0x1f == 0x1f => return Err(DerProblem::Unsupported),
        [tag, first, ..] => (Tag(*tag), *first),
        _ => return Err(DerProblem::Truncated),
    };
    match first {
        0..=0x7f => Ok((tag, 2, usize::from(first))),
        0x80 => Err(DerProblem::Indefinite),
        _ => {
            let count = usize::from(first & 0x7f);
            if count > 4 {
                // 0xff is reserved (X.690, 8.1.3.5); five octets may still be four with padding.
                return Err(match bytes.get(2) {
                    Some(0) if first != 0xff => DerProblem::LongLength,
                    _ => DerProblem::Unsupported,
                });
            }
            let octets = bytes.get(2..2 + count).ok_or(DerProblem::Truncated)?;
            let length = octets
                .iter()
                .fold(0_usize, |length, octet| length << 8 | usize::from(*octet));
            if length < 0x80 || octets[0] == 0 {
                return Err(DerProblem::LongLength);
            }
            Ok((tag, 2 + count, length))
        }
    }
}

#[cfg(test)]
mod tests;
