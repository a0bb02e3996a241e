//! Packets with long headers, and the frames of Initial packets, as bytes.

use super::{Notice, Version};

/// A packet at the front of a datagram.
pub(super) struct Packet<'d> {
    pub(super) header: Header<'d>,
    /// `None` where it is shorter than it says.
    pub(super) kind: Option<Kind<'d>>,
    /// How many octets of the datagram it is.
    pub(super) octets: usize,
}

/// What all versions have in common (RFC 8999, section 5.1).
#[derive(Clone, Copy)]
pub(super) struct Header<'d> {
    pub(super) version: Version,
    pub(super) destination: &'d [u8],
    pub(super) source: &'d [u8],
}

pub(super) enum Kind<'d> {
    Initial {
        /// Where its number is.
        number_at: usize,
    },
    Retry {
        token: &'d [u8],
        tag: [u8; 16],
    },
    Negotiation {
        versions: Vec<u32>,
    },
    /// 0-RTT or Handshake.
    Other,
}

/// How many versions of a negotiation are told.
const MAX_VERSIONS: usize = 64;

impl<'d> Packet<'d> {
    /// The packet that a datagram begins with; `None` where it has no long header of a version that is known.
    pub(super) fn next(datagram: &'d [u8]) -> Option<Self> {
        let version = Version::of(datagram)?;
        let mut cursor = Cursor(datagram.get(5..)?);
        let mut id = || {
            let octets = usize::from(*cursor.take(1)?.first()?);
            (octets <= 20).then(|| cursor.take(octets))?
        };
        let header = Header {
            version,
            destination: id()?,
            source: id()?,
        };
        if datagram.get(1..5) == Some(&[0; 4]) {
            let words = cursor.0.chunks_exact(4).take(MAX_VERSIONS);
            let word = |word: &[u8]| u32::from_be_bytes(word.try_into().unwrap_or_default());
            let versions = words.map(word).collect();
            return Some(Self {
                header,
                kind: Some(Kind::Negotiation { versions }),
                octets: datagram.len(),
            });
        }
        let (kind, octets) = match Self::kind(version, datagram, cursor) {
            Some((kind, octets)) => (Some(kind), octets),
            None => (None, datagram.len()),
        };
        Some(Self {
            header,
            kind,
            octets,
        })
    }

    /// RFC 9000, section 17.2; version 2 turns the types by one (RFC 9369, section 3.2).
    fn kind(version: Version, datagram: &'d [u8], cursor: Cursor<'d>) -> Option<(Kind<'d>, usize)> {
        const INITIAL: u8 = 0;
        const RETRY: u8 = 3;
        let mut cursor = cursor;
        let kind = datagram.first()? >> 4 & 3;
        let kind = match version {
            Version::V1 => kind,
            Version::V2 => kind.wrapping_sub(1) & 3,
        };
        if kind == RETRY {
            let (token, tag) = cursor.0.split_last_chunk()?;
            return Some((Kind::Retry { token, tag: *tag }, datagram.len()));
        }
        if kind == INITIAL {
            let token = cursor.number()?;
            cursor.take(usize::try_from(token).ok()?)?;
        }
        let length = usize::try_from(cursor.number()?).ok()?;
        let number_at = datagram.len() - cursor.0.len();
        cursor.take(length)?;
        let octets = datagram.len() - cursor.0.len();
        let kind = if kind == INITIAL {
            Kind::Initial { number_at }
        } else {
            Kind::Other
        };
        Some((kind, octets))
    }
}

/// A frame, as far as it matters here.
pub(super) enum Frame<'p> {
    /// PADDING, PING or ACK.
    Nothing,
    Crypto {
        offset: u64,
        octets: &'p [u8],
    },
    Close {
        code: u64,
        reason: &'p [u8],
    },
}

impl<'p> Frame<'p> {
    /// The frame that a payload begins with, and what is behind it. Only some may be in an Initial packet (RFC
    /// 9000, section 12.4).
    pub(super) fn read(payload: &'p [u8]) -> Result<(Self, &'p [u8]), Notice> {
        let mut cursor = Cursor(payload);
        let frame_type = cursor.number().ok_or(Notice::FrameTruncated)?;
        let frame = match frame_type {
            0 => {
                let end = cursor.0.iter().position(|octet| *octet != 0);
                cursor.0 = cursor
                    .0
                    .get(end.unwrap_or(cursor.0.len())..)
                    .unwrap_or_default();
                Some(Self::Nothing)
            }
            1 => Some(Self::Nothing),
            2 | 3 => cursor.acknowledgement(frame_type == 3),
            6 => cursor.crypto(),
            0x1c => cursor.close(),
            _ => return Err(Notice::Frame { frame_type }),
        };
        let frame = frame.ok_or(Notice::FrameTruncated)?;
        Ok((frame, cursor.0))
    }
}

/// Octets that are taken apart from the front.
#[derive(Clone, Copy)]
struct Cursor<'d>(&'d [u8]);

impl<'d> Cursor<'d> {
    fn take(&mut self, octets: usize) -> Option<&'d [u8]> {
        let (taken, rest) = self.0.split_at_checked(octets)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number that says itself how long it is (RFC 9000, section 16).
    fn number(&mut self) -> Option<u64> {
        let first = *self.0.first()?;
        let octets = self.take(1 << (first >> 6))?;
        let value = octets
            .iter()
            .fold(0, |value, octet| value << 8 | u64::from(*octet));
        Some(value & (u64::MAX >> (66 - 8 * octets.len())))
    }

    /// RFC 9000, section 19.3.
    fn acknowledgement(&mut self, with_counts: bool) -> Option<Frame<'d>> {
        let _largest = self.number()?;
        let _delay = self.number()?;
        let ranges = self.number()?;
        let numbers = 1 + ranges.checked_mul(2)? + if with_counts { 3 } else { 0 };
        for _ in 0..numbers {
            self.number()?;
        }
        Some(Frame::Nothing)
    }

    fn crypto(&mut self) -> Option<Frame<'d>> {
        let offset = self.number()?;
        let length = self.number()?;
        let octets = self.take(usize::try_from(length).ok()?)?;
        Some(Frame::Crypto { offset, octets })
    }

    fn close(&mut self) -> Option<Frame<'d>> {
        let code = self.number()?;
        let _frame_type = self.number()?;
        let length = self.number()?;
        let reason = self.take(usize::try_from(length).ok()?)?;
        Some(Frame::Close { code, reason })
    }
}

/// The whole number of a packet, of which only the last octets are sent (RFC 9000, appendix A.3).
pub(super) fn number(expected: u64, truncated: u64, octets: usize) -> u64 {
    let window = 1_u64 << (8 * octets);
    let candidate = (expected & !(window - 1)) | truncated;
    if candidate + window / 2 <= expected && candidate < (1 << 62) - window {
        candidate + window
    } else if candidate > expected + window / 2 && candidate >= window {
        candidate - window
    } else {
        candidate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9000, appendix A.1.
    #[test]
    fn numbers_are_as_long_as_they_say() {
        for (octets, value) in [
            (
                &[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c][..],
                151_288_809_941_952_652,
            ),
            (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
            (&[0x7b, 0xbd], 15_293),
            (&[0x25], 37),
            (&[0x40, 0x25], 37),
        ] {
            assert_eq!(Cursor(octets).number(), Some(value));
        }
        assert_eq!(Cursor(&[0x40]).number(), None);
    }

    /// RFC 9000, appendix A.3.
    #[test]
    fn packet_numbers_are_those_near_what_is_expected() {
        assert_eq!(number(0xa82f_30eb, 0x9b32, 2), 0xa82f_9b32);
        assert_eq!(number(0, 0xff, 1), 0xff);
        assert_eq!(number(0x1ff, 0x01, 1), 0x201);
    }
}
