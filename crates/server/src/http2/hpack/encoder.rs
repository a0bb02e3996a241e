//! From a response's head to a header block (RFC 7541, section 6).
//!
//! Strings are not Huffman-coded: that saves a quarter of some hundred bytes and costs more than
//! encrypting them. Fields that repeat are indexed: from the second response on they are a byte.

use std::collections::VecDeque;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::static_table::{self, Habit, Known};
use super::{OVERHEAD, put_integer};

/// How much of the client's table we use, of the 4096 bytes that it is assumed to offer. The table
/// is searched entry by entry, and `date` takes a new one each second, so a small one is faster.
const TABLE: usize = 1024;
const ASSUMED: usize = 4096;

/// One direction's compression state, kept for as long as the connection.
#[derive(Debug)]
pub(in super::super) struct Encoder {
    /// The newest entry first.
    entries: VecDeque<(HeaderName, HeaderValue)>,
    size: usize,
    limit: usize,
    /// The smallest limit since the client was last told of one (section 4.2).
    smallest: Option<usize>,
}

impl Default for Encoder {
    fn default() -> Self {
        let mut encoder = Self {
            entries: VecDeque::new(),
            size: 0,
            limit: ASSUMED,
            smallest: None,
        };
        encoder.set_limit(ASSUMED);
        encoder
    }
}

/// What a response gets beside the fields that its handler has set, where that has not.
pub(in super::super) struct Additions<'a> {
    pub(in super::super) date: HeaderValue,
    pub(in super::super) length: Option<u64>,
    /// Fields as they stand on the wire, `content-length` among them.
    pub(in super::super) prepared: Option<&'a [u8]>,
}

impl Encoder {
    /// Takes note of the client's `SETTINGS_HEADER_TABLE_SIZE`.
    pub(in super::super) fn set_limit(&mut self, limit: usize) {
        let limit = limit.min(TABLE);
        if limit != self.limit {
            self.limit = limit;
            self.smallest = Some(self.smallest.unwrap_or(limit).min(limit));
            self.evict(limit);
        }
    }

    /// Adds the head of a response to `out`.
    pub(in super::super) fn head(
        &mut self,
        out: &mut Vec<u8>,
        status: StatusCode,
        headers: &HeaderMap,
        additions: &Additions<'_>,
    ) {
        self.status(out, status);
        let (mut dated, mut measured) = (false, additions.length.is_none());
        if let Some(prepared) = additions.prepared {
            out.extend_from_slice(prepared);
            measured = true;
        }
        for (name, value) in headers {
            match *name {
                header::DATE => dated = true,
                // RFC 9110, section 8.6: not even one of 0.
                header::CONTENT_LENGTH if status == StatusCode::NO_CONTENT => continue,
                header::CONTENT_LENGTH => measured = true,
                _ => {}
            }
            self.field(out, name, value);
        }
        if !dated {
            self.field(out, &header::DATE, &additions.date);
        }
        if let Some(length) = additions.length
            && !measured
        {
            self.field(out, &header::CONTENT_LENGTH, &length.into());
        }
    }

    /// Adds an interim response (RFC 9110, section 15.2).
    pub(in super::super) fn interim(&mut self, out: &mut Vec<u8>, status: StatusCode) {
        self.status(out, status);
    }

    pub(in super::super) fn trailers(&mut self, out: &mut Vec<u8>, trailers: &HeaderMap) {
        self.begin(out);
        for (name, value) in trailers {
            self.field(out, name, value);
        }
    }

    /// Tells of a new table size, at the beginning of a block.
    fn begin(&mut self, out: &mut Vec<u8>) {
        if let Some(smallest) = self.smallest.take() {
            if smallest < self.limit {
                put_integer(out, 0x20, 5, smallest);
            }
            put_integer(out, 0x20, 5, self.limit);
        }
    }

    fn status(&mut self, out: &mut Vec<u8>, status: StatusCode) {
        self.begin(out);
        if let Some(index) = static_table::status(status.as_u16()) {
            out.push(0x80 | index);
        } else {
            put_integer(out, 0, 4, static_table::STATUS.into());
            put_string(out, status.as_str().as_bytes());
        }
    }

    fn field(&mut self, out: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
        let Known { index, habit } = static_table::known(name.as_str());
        let size = name.as_str().len() + value.len() + OVERHEAD;
        match habit {
            Habit::Dropped => {}
            // A value that would drive out half of the others is not worth it.
            Habit::Repeats if size <= self.limit / 2 && !value.is_sensitive() => {
                let found = self
                    .entries
                    .iter()
                    .position(|(n, v)| n == name && v == value);
                if let Some(place) = found {
                    put_integer(out, 0x80, 7, static_table::ENTRIES + 1 + place);
                    return;
                }
                put_literal(out, 0x40, 6, index, name, value);
                self.evict(self.limit - size);
                self.size += size;
                self.entries.push_front((name.clone(), value.clone()));
            }
            _ if value.is_sensitive() => put_literal(out, 0x10, 4, index, name, value),
            _ => put_literal(out, 0, 4, index, name, value),
        }
    }

    fn evict(&mut self, limit: usize) {
        while self.size > limit
            && let Some((name, value)) = self.entries.pop_back()
        {
            self.size -= name.as_str().len() + value.len() + OVERHEAD;
        }
    }
}

fn put_literal(
    out: &mut Vec<u8>,
    pattern: u8,
    prefix: u32,
    index: u8,
    name: &HeaderName,
    value: &HeaderValue,
) {
    put_integer(out, pattern, prefix, index.into());
    if index == 0 {
        put_string(out, name.as_str().as_bytes());
    }
    put_string(out, value.as_bytes());
}

fn put_string(out: &mut Vec<u8>, string: &[u8]) {
    put_integer(out, 0, 7, string.len());
    out.extend_from_slice(string);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn additions() -> Additions<'static> {
        Additions {
            date: HeaderValue::from_static("now"),
            length: Some(5),
            prepared: None,
        }
    }

    #[test]
    fn what_repeats_becomes_one_byte() {
        let mut encoder = Encoder::default();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("t"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        headers.insert("x-a", HeaderValue::from_static("b"));
        let mut first = Vec::new();
        encoder.head(&mut first, StatusCode::OK, &headers, &additions());
        let expected = [
            &[0x3f, 0xe1, 0x07, 0x88, 0x5f, 1, b't', 0, 3][..],
            b"x-a\x01b",
            b"\x61\x03now",
            b"\x0f\x0d\x015",
        ];
        assert_eq!(first, expected.concat());
        let mut second = Vec::new();
        encoder.head(&mut second, StatusCode::IM_A_TEAPOT, &headers, &additions());
        assert_eq!(
            second,
            [
                b"\x08\x03418\xbf",
                &b"\0\x03x-a\x01b"[..],
                b"\xbe\x0f\x0d\x015"
            ]
            .concat()
        );
    }

    #[test]
    fn a_response_without_content_has_no_length_of_it() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        let additions = Additions {
            length: None,
            ..additions()
        };
        for (status, length) in [
            (StatusCode::NO_CONTENT, &b""[..]),
            (StatusCode::NOT_MODIFIED, b"\x0f\x0d\x010"),
        ] {
            let mut out = Vec::new();
            Encoder::default().head(&mut out, status, &headers, &additions);
            let start = [
                b"\x3f\xe1\x07",
                &[0x80 | static_table::status(status.as_u16()).unwrap()][..],
            ];
            assert_eq!(out, [&start.concat()[..], length, b"\x61\x03now"].concat());
        }
    }

    #[test]
    fn a_client_without_a_table_gets_literals() {
        let mut encoder = Encoder::default();
        encoder.set_limit(0);
        encoder.set_limit(10);
        let mut out = Vec::new();
        encoder.head(&mut out, StatusCode::OK, &HeaderMap::new(), &additions());
        assert_eq!(out, b"\x20\x2a\x88\x0f\x12\x03now\x0f\x0d\x015");
    }

    #[test]
    fn the_table_stays_within_its_size() {
        let mut encoder = Encoder::default();
        for n in 0..100 {
            let mut out = Vec::new();
            let mut headers = HeaderMap::new();
            headers.insert(header::DATE, HeaderValue::from(n));
            encoder.head(&mut out, StatusCode::OK, &headers, &additions());
            assert!(encoder.size <= TABLE);
        }
        assert_eq!(encoder.entries.len(), TABLE / (4 + 2 + OVERHEAD));
        encoder.set_limit(0);
        assert!(encoder.entries.is_empty() && encoder.size == 0);
    }
}
