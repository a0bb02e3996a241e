//! Header fields that are written once, as they stand on the wire, and sent many times.
//!
//! A cached file's fields never change while it is cached: making a `HeaderMap` of them for each
//! response, and fields of that again, is work that can be done once.

use http::{HeaderMap, HeaderValue, header};

/// The fields of a response, all but `Date` and those of the connection, with `Content-Length`
/// among them.
#[derive(Debug)]
pub(crate) struct PreparedFields {
    fields: HeaderMap,
    http1: Box<[u8]>,
    http2: Box<[u8]>,
}

impl PreparedFields {
    pub(crate) fn new(fields: HeaderMap) -> Self {
        let mut http1 = Vec::new();
        let mut http2 = Vec::new();
        for (name, value) in &fields {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                http1.extend_from_slice(part);
            }
            write_literal(&mut http2, name, value);
        }
        Self {
            fields,
            http1: http1.into(),
            http2: http2.into(),
        }
    }

    /// The fields one by one.
    pub(crate) fn fields(&self) -> &HeaderMap {
        &self.fields
    }

    /// The field lines of HTTP/1.1 (RFC 9112, section 5), without the empty line at their end.
    pub(crate) fn http1(&self) -> &[u8] {
        &self.http1
    }

    /// The field representations of HTTP/2 (RFC 7541, section 6.2.2). They neither need nor change
    /// a dynamic table.
    pub(crate) fn http2(&self) -> &[u8] {
        &self.http2
    }
}

/// A literal field without indexing, its name from the static table where it is there.
fn write_literal(block: &mut Vec<u8>, name: &header::HeaderName, value: &HeaderValue) {
    // RFC 7541, appendix A.
    let index = match *name {
        header::ACCEPT_RANGES => 18,
        header::CACHE_CONTROL => 24,
        header::CONTENT_ENCODING => 26,
        header::CONTENT_LENGTH => 28,
        header::CONTENT_TYPE => 31,
        header::ETAG => 34,
        header::LAST_MODIFIED => 44,
        header::VARY => 59,
        _ => 0,
    };
    write_integer(block, 4, index);
    if index == 0 {
        write_integer(block, 7, name.as_str().len());
        block.extend_from_slice(name.as_str().as_bytes());
    }
    write_integer(block, 7, value.len());
    block.extend_from_slice(value.as_bytes());
}

/// An integer behind a prefix of `bits` bits, the bits before it zero (RFC 7541, section 5.1).
fn write_integer(block: &mut Vec<u8>, bits: u8, value: usize) {
    let full = (1 << bits) - 1;
    if value < full {
        block.push(value as u8);
        return;
    }
    block.push(full as u8);
    let mut left = value - full;
    while left >= 0x80 {
        block.push(left as u8 | 0x80);
        left >>= 7;
    }
    block.push(left as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_for_both_protocols() {
        let mut fields = HeaderMap::new();
        fields.insert(header::ETAG, HeaderValue::from_static("\"a\""));
        fields.insert("x-y", HeaderValue::from_static("z"));
        let prepared = PreparedFields::new(fields);
        assert_eq!(prepared.http1(), b"etag: \"a\"\r\nx-y: z\r\n");
        assert_eq!(prepared.http2(), b"\x0f\x13\x03\"a\"\x00\x03x-y\x01z");
    }

    #[test]
    fn long_values_have_long_lengths() {
        // RFC 7541, appendix C.1.2, with a prefix of 5 bits: 1337.
        let mut block = Vec::new();
        write_integer(&mut block, 5, 1337);
        assert_eq!(block, [0b11111, 0b1001_1010, 0b0000_1010]);
    }
}
