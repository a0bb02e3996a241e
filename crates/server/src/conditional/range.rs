//! Ranges of a representation: which bytes `Range` asks for, and the frame around several of them
//! (RFC 9110, sections 14 and 15.3.7).

use bytes::Bytes;
use http::HeaderValue;

/// Ranges taken from one request. More is no download or seek but an attack, or so many seeks that
/// the whole is cheaper (section 17.15).
pub const MAX_RANGES: usize = 16;

/// Bytes of a representation: from `start` up to, not including, `end`. Never empty and never
/// beyond the representation that it was selected from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    start: u64,
    end: u64,
}

/// What of a representation is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All of it, with 200: the field is not valid, asks for too much, or the representation is
    /// empty.
    Whole,
    /// One range, with 206 and [`ByteRange::content_range`].
    One(ByteRange),
    /// At least two ranges that neither overlap nor lie close, with 206, as [`Multipart`].
    Many(Vec<ByteRange>),
    /// Nothing, with 416 and [`unsatisfied`].
    Unsatisfiable,
}

/// Selects what `range`, the field value, asks for of a representation of `length` bytes.
///
/// Ranges that overlap, or that are closer than a part's header is long, become one; the others
/// stay in the order asked for (section 15.3.7.2). So the answer is never longer than the
/// representation, whatever is asked: a multipart that would be is sent whole.
#[must_use]
pub fn select(range: &HeaderValue, length: u64) -> Selection {
    // Some clients send `bytes=0-` with everything; of an empty file nothing could satisfy them.
    if length == 0 {
        return Selection::Whole;
    }
    let Some(specs) = byte_specs(range.as_bytes()) else {
        return Selection::Whole;
    };

    let mut ranges: Vec<ByteRange> = Vec::new();
    let mut seen = 0;
    for spec in specs.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
        if spec.is_empty() {
            continue;
        }
        seen += 1;
        if seen > MAX_RANGES {
            return Selection::Whole;
        }
        match Spec::parse(spec) {
            Some(spec) => {
                if let Some(range) = spec.of(length) {
                    join(&mut ranges, range);
                }
            }
            None => return Selection::Whole,
        }
    }

    match ranges.as_slice() {
        [] if seen == 0 => Selection::Whole,
        [] => Selection::Unsatisfiable,
        [range] => Selection::One(*range),
        _ if multipart_may_exceed(&ranges, length) => Selection::Whole,
        _ => Selection::Many(ranges),
    }
}

/// The `Content-Range` of a 416 (section 15.5.17).
#[must_use]
pub fn unsatisfied(length: u64) -> HeaderValue {
    ascii_value(format!("bytes */{length}"))
}

impl ByteRange {
    /// The first byte.
    #[must_use]
    pub fn start(self) -> u64 {
        self.start
    }

    /// The byte after the last.
    #[must_use]
    pub fn end(self) -> u64 {
        self.end
    }

    /// How many bytes, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a range is never empty")]
    pub fn len(self) -> u64 {
        self.end - self.start
    }

    /// The `Content-Range` of a 206 with this range of `length` bytes.
    #[must_use]
    pub fn content_range(self, length: u64) -> HeaderValue {
        ascii_value(format!("bytes {}-{}/{length}", self.start, self.end - 1))
    }
}

/// The frame of a `multipart/byteranges` answer (section 14.6).
#[derive(Debug, Clone)]
pub struct Multipart {
    boundary: String,
    parts: Vec<Part>,
    closing: Bytes,
}

/// One part of a [`Multipart`]: its header, then the bytes of its range.
#[derive(Debug, Clone)]
pub struct Part {
    /// The boundary before the part and its header fields, as they stand on the wire.
    pub head: Bytes,
    /// The bytes that follow.
    pub range: ByteRange,
}

impl Multipart {
    /// The frame of `ranges` of a representation of `length` bytes.
    ///
    /// `random` makes the boundary, which must not occur in the content: give a number that who
    /// wrote the content could not know.
    #[must_use]
    pub fn new(
        ranges: &[ByteRange],
        length: u64,
        content_type: Option<&HeaderValue>,
        random: u128,
    ) -> Self {
        let boundary = format!("{random:032x}");
        let parts = ranges
            .iter()
            .enumerate()
            .map(|(index, &range)| {
                let mut head = Vec::with_capacity(PART_OVERHEAD as usize + 40);
                // The line break before a boundary belongs to it; before the first none is needed.
                if index > 0 {
                    head.extend_from_slice(b"\r\n");
                }
                head.extend_from_slice(b"--");
                head.extend_from_slice(boundary.as_bytes());
                if let Some(content_type) = content_type {
                    head.extend_from_slice(b"\r\nContent-Type: ");
                    head.extend_from_slice(content_type.as_bytes());
                }
                head.extend_from_slice(b"\r\nContent-Range: ");
                head.extend_from_slice(range.content_range(length).as_bytes());
                head.extend_from_slice(b"\r\n\r\n");
                Part {
                    head: head.into(),
                    range,
                }
            })
            .collect();
        let closing = format!("\r\n--{boundary}--\r\n").into();
        Self {
            boundary,
            parts,
            closing,
        }
    }

    /// The `Content-Type` of the answer.
    #[must_use]
    pub fn content_type(&self) -> HeaderValue {
        ascii_value(format!("multipart/byteranges; boundary={}", self.boundary))
    }

    /// The parts, in the order in which they are sent.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What follows the last part.
    #[must_use]
    pub fn closing(&self) -> &Bytes {
        &self.closing
    }

    /// The `Content-Length` of the answer: all heads, all ranges and the closing.
    #[must_use]
    pub fn length(&self) -> u64 {
        let parts = self
            .parts
            .iter()
            .map(|part| part.head.len() as u64 + part.range.len());
        parts.sum::<u64>() + self.closing.len() as u64
    }
}

/// What one element of the list asks for (section 14.1.2).
#[derive(Clone, Copy)]
enum Spec {
    From(u64),
    FromTo(u64, u64),
    Last(u64),
}

impl Spec {
    fn parse(spec: &[u8]) -> Option<Self> {
        let dash = spec.iter().position(|&byte| byte == b'-')?;
        let (first, last) = (&spec[..dash], &spec[dash + 1..]);
        Some(match (first.is_empty(), last.is_empty()) {
            (true, _) => Self::Last(number(last)?),
            (false, true) => Self::From(number(first)?),
            (false, false) => {
                let (first, last) = (number(first)?, number(last)?);
                if last < first {
                    return None;
                }
                Self::FromTo(first, last)
            }
        })
    }

    /// The range of a representation of `length` bytes, or `None` where it has no such bytes.
    fn of(self, length: u64) -> Option<ByteRange> {
        let (start, end) = match self {
            Self::From(first) => (first, length),
            Self::FromTo(first, last) => (first, last.saturating_add(1).min(length)),
            Self::Last(count) => (length.saturating_sub(count), length),
        };
        (start < end).then_some(ByteRange { start, end })
    }
}

/// The list after `bytes=`; units are case-insensitive (section 14.1).
fn byte_specs(value: &[u8]) -> Option<&[u8]> {
    let (unit, specs) = value.trim_ascii().split_at_checked(6)?;
    unit.eq_ignore_ascii_case(b"bytes=").then_some(specs)
}

/// A number of digits only; one too large for any file is as good as the largest.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        Some(number.saturating_mul(10).saturating_add(digit))
    })
}

/// Adds `range`, merged with all that it overlaps or nearly touches, in the place of the first.
fn join(ranges: &mut Vec<ByteRange>, mut range: ByteRange) {
    let mut place = ranges.len();
    // A range that grew may touch one that was passed over before: at most MAX_RANGES rounds.
    while let Some(index) = ranges.iter().position(|other| {
        other.start <= range.end.saturating_add(PART_OVERHEAD)
            && range.start <= other.end.saturating_add(PART_OVERHEAD)
    }) {
        let other = ranges.remove(index);
        range.start = range.start.min(other.start);
        range.end = range.end.max(other.end);
        place = place.min(index);
    }
    ranges.insert(place, range);
}

fn multipart_may_exceed(ranges: &[ByteRange], length: u64) -> bool {
    let bytes: u64 = ranges.iter().map(|range| range.len()).sum();
    bytes.saturating_add((ranges.len() as u64 + 1) * PART_OVERHEAD) > length
}

/// Text of printable ASCII made here, so that it is a field value.
fn ascii_value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// About what a part costs beside its bytes: a boundary line, `Content-Type` and `Content-Range`.
const PART_OVERHEAD: u64 = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn selected(range: &str, length: u64) -> Selection {
        select(&range.parse().unwrap(), length)
    }

    fn range(start: u64, end: u64) -> ByteRange {
        ByteRange { start, end }
    }

    #[test]
    fn one_range_is_cut_to_the_file() {
        for (text, start, end) in [
            ("bytes=0-0", 0, 1),
            ("bytes=0-499", 0, 500),
            ("bytes=500-", 500, 1000),
            ("bytes=-1", 999, 1000),
            ("bytes=-2000", 0, 1000),
            ("bytes=900-99999999999999999999999999", 900, 1000),
            ("BYTES=0-1", 0, 2),
            ("bytes= 0-1 ", 0, 2),
            ("bytes=,0-1,", 0, 2),
            ("bytes=0-1,5000-", 0, 2),
        ] {
            assert_eq!(
                selected(text, 1000),
                Selection::One(range(start, end)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_field_that_is_not_valid_is_ignored() {
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=5",
            "bytes=5-4",
            "bytes=a-b",
            "bytes=1-2x",
            "bytes=0-1,9-8",
            "bytes=--1",
            "bytes=+1-2",
            "bytes=0 - 1",
            "lines=0-1",
            "bytes 0-1",
        ] {
            assert_eq!(selected(text, 1000), Selection::Whole, "{text}");
        }
    }

    #[test]
    fn a_range_behind_the_end_is_unsatisfiable() {
        for text in [
            "bytes=1000-",
            "bytes=1000-1001,2000-",
            "bytes=-0",
            "bytes=99999999999999999999999-",
        ] {
            assert_eq!(selected(text, 1000), Selection::Unsatisfiable, "{text}");
        }
        assert_eq!(unsatisfied(1000), "bytes */1000");
    }

    #[test]
    fn an_empty_file_is_sent_whole() {
        for text in ["bytes=0-", "bytes=-5", "bytes=7-8"] {
            assert_eq!(selected(text, 0), Selection::Whole, "{text}");
        }
    }

    #[test]
    fn ranges_apart_stay_in_the_order_asked_for() {
        assert_eq!(
            selected("bytes=9000-9009,0-9,-10", 100_000),
            Selection::Many(vec![
                range(9000, 9010),
                range(0, 10),
                range(99_990, 100_000)
            ])
        );
    }

    #[test]
    fn ranges_that_overlap_become_one() {
        assert_eq!(
            selected("bytes=0-10,5-20", 100_000),
            Selection::One(range(0, 21))
        );
        assert_eq!(
            selected("bytes=0-10,11-20", 100_000),
            Selection::One(range(0, 21))
        );
        assert_eq!(
            selected("bytes=0-10,50-60", 100_000),
            Selection::One(range(0, 61))
        );
        assert_eq!(
            selected("bytes=0-,0-,0-,0-,0-", 1000),
            Selection::One(range(0, 1000))
        );
        // The third joins the first two; the fourth stays.
        assert_eq!(
            selected("bytes=0-9,1000-1009,5-1005,9000-9001", 100_000),
            Selection::Many(vec![range(0, 1010), range(9000, 9002)])
        );
        // What is joined keeps the place of the first of its ranges.
        assert_eq!(
            selected("bytes=9000-9001,0-9,5000-5001,5-15", 100_000),
            Selection::Many(vec![range(9000, 9002), range(0, 16), range(5000, 5002)])
        );
    }

    #[test]
    fn too_many_ranges_are_ignored() {
        let ranges = |count: u64| {
            let list: Vec<_> = (0..count)
                .map(|n| format!("{}-{}", n * 1000, n * 1000 + 1))
                .collect();
            format!("bytes={}", list.join(","))
        };
        assert!(
            matches!(selected(&ranges(16), 1 << 30), Selection::Many(parts) if parts.len() == 16)
        );
        assert_eq!(selected(&ranges(17), 1 << 30), Selection::Whole);
    }

    #[test]
    fn a_multipart_longer_than_the_file_is_not_worth_it() {
        assert_eq!(selected("bytes=0-399,600-999", 1000), Selection::Whole);
    }

    #[test]
    fn the_frame_of_several_ranges_is_as_the_rfc_shows() {
        let ranges = [range(500, 1000), range(7000, 8000)];
        let pdf = HeaderValue::from_static("application/pdf");
        let multipart = Multipart::new(&ranges, 8000, Some(&pdf), 0xabc);
        let boundary = "00000000000000000000000000000abc";
        assert_eq!(
            multipart.content_type(),
            format!("multipart/byteranges; boundary={boundary}").as_str()
        );
        let heads: Vec<_> = multipart
            .parts()
            .iter()
            .map(|part| str::from_utf8(&part.head).unwrap())
            .collect();
        assert_eq!(
            heads,
            [
                format!(
                    "--{boundary}\r\nContent-Type: application/pdf\r\n\
                     Content-Range: bytes 500-999/8000\r\n\r\n"
                ),
                format!(
                    "\r\n--{boundary}\r\nContent-Type: application/pdf\r\n\
                     Content-Range: bytes 7000-7999/8000\r\n\r\n"
                ),
            ]
        );
        assert_eq!(
            multipart.closing(),
            format!("\r\n--{boundary}--\r\n").as_bytes()
        );
        let wire = heads[0].len() + 500 + heads[1].len() + 1000 + multipart.closing().len();
        assert_eq!(multipart.length(), wire as u64);
    }

    proptest! {
        #[test]
        fn ranges_lie_inside_and_apart(
            specs in proptest::collection::vec((0..3, 0..5000_u64, 0..5000_u64), 1..20),
            length in 0..4000_u64,
        ) {
            let list: Vec<_> = specs
                .iter()
                .map(|&(kind, a, b)| match kind {
                    0 => format!("{a}-"),
                    1 => format!("-{a}"),
                    _ => format!("{}-{}", a.min(b), a.max(b)),
                })
                .collect();
            let value = format!("bytes={}", list.join(","));
            let ranges = match selected(&value, length) {
                Selection::Whole => {
                    prop_assert!(length == 0 || specs.len() > 1);
                    vec![]
                }
                Selection::Unsatisfiable => vec![],
                Selection::One(range) => vec![range],
                Selection::Many(ranges) => {
                    prop_assert!(ranges.len() >= 2);
                    let multipart = Multipart::new(&ranges, length, None, u128::MAX);
                    prop_assert!(multipart.length() <= length);
                    ranges
                }
            };
            let mut sorted = ranges.clone();
            sorted.sort_by_key(|range| range.start);
            prop_assert!(sorted.iter().all(|range| range.start < range.end && range.end <= length));
            prop_assert!(sorted.windows(2).all(|pair| pair[0].end + PART_OVERHEAD < pair[1].start));
        }

        #[test]
        fn any_field_value_is_borne(
            bytes in proptest::collection::vec(any::<u8>(), 0..60),
            length: u64,
        ) {
            let text = [b"bytes=", bytes.as_slice()].concat();
            for text in [&bytes, &text] {
                if let Ok(value) = HeaderValue::from_bytes(text)
                    && let Selection::One(range) = select(&value, length)
                {
                    prop_assert!(range.end <= length);
                    prop_assert!(!range.content_range(length).is_empty());
                }
            }
        }

        #[test]
        fn numbers_at_the_edge_are_borne(spec in "[0-9]{0,25}-[0-9]{0,25}(,[0-9]{0,22}-)?", length: u64) {
            let _ = selected(&format!("bytes={spec}"), length);
        }
    }
}
