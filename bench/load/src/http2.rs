//! As much of an HTTP/2 client (RFC 9113) as asks for one file over and over: its requests are bytes
//! made once, and of the answers only the frames are looked at. h2load does the same with a whole
//! implementation, and is then slower than a fast server.

use std::time::Instant;

use crate::record::Records;
use crate::run::OperationError;

pub(crate) struct Http2 {
    /// The header block of every request but the first.
    headers: Vec<u8>,
    streams: Vec<Stream>,
    next_stream: u32,
    /// The length that every body must have: that of the first.
    body_length: Option<u64>,
    /// Body bytes taken since the connection's window was last widened.
    unacknowledged: u32,
    frame: Frame,
}

struct Stream {
    id: u32,
    begun: Instant,
    answered: bool,
    body: u64,
}

/// The frame that is coming in: its header as far as it is here, then its payload.
#[derive(Default)]
struct Frame {
    header: Vec<u8>,
    payload: Vec<u8>,
    remaining: usize,
}

const HEADER_LENGTH: usize = 9;
const WINDOW: u32 = 1 << 30;

// RFC 9113 section 6.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

impl Http2 {
    /// The preface and the first requests go to `output`.
    pub(crate) fn begin(authority: &str, path: &str, streams: usize, output: &mut Vec<u8>) -> Self {
        output.extend_from_slice(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        let mut settings = Vec::new();
        for (identifier, value) in [(2_u16, 0), (4, WINDOW)] {
            // ENABLE_PUSH and INITIAL_WINDOW_SIZE.
            settings.extend_from_slice(&identifier.to_be_bytes());
            settings.extend_from_slice(&value.to_be_bytes());
        }
        put_frame(output, SETTINGS, 0, 0, &settings);
        put_frame(output, WINDOW_UPDATE, 0, 0, &WINDOW.to_be_bytes());
        let (first, headers) = header_blocks(authority, path);
        let mut http2 = Self {
            headers: first,
            streams: Vec::with_capacity(streams),
            next_stream: 1,
            body_length: None,
            unacknowledged: 0,
            frame: Frame::default(),
        };
        for _ in 0..streams.max(1) {
            http2.request(output);
            http2.headers.clone_from(&headers);
        }
        http2
    }

    pub(crate) fn is_done(&self) -> bool {
        self.streams.is_empty()
    }

    /// Takes in what was read. What is to be sent goes to `output`: a new request for every answer,
    /// if `more`.
    pub(crate) fn feed(
        &mut self,
        mut input: &[u8],
        more: bool,
        output: &mut Vec<u8>,
        records: &mut Records,
    ) -> Result<(), OperationError> {
        while !input.is_empty() {
            let frame = &mut self.frame;
            if frame.header.len() < HEADER_LENGTH {
                let taken = input.len().min(HEADER_LENGTH - frame.header.len());
                frame.header.extend_from_slice(&input[..taken]);
                input = &input[taken..];
                if frame.header.len() < HEADER_LENGTH {
                    return Ok(());
                }
                frame.remaining = frame.length();
            }
            let taken = input.len().min(frame.remaining);
            if frame.kind() != DATA {
                frame.payload.extend_from_slice(&input[..taken]);
            }
            frame.remaining -= taken;
            input = &input[taken..];
            if frame.remaining == 0 {
                self.end_of_frame(more, output, records)?;
                self.frame.header.clear();
                self.frame.payload.clear();
            }
        }
        Ok(())
    }

    fn end_of_frame(
        &mut self,
        more: bool,
        output: &mut Vec<u8>,
        records: &mut Records,
    ) -> Result<(), OperationError> {
        let (kind, flags, id) = (self.frame.kind(), self.frame.flags(), self.frame.stream());
        match kind {
            DATA => {
                let length = self.frame.length();
                self.unacknowledged += length as u32;
                if self.unacknowledged > WINDOW / 2 {
                    put_frame(
                        output,
                        WINDOW_UPDATE,
                        0,
                        0,
                        &self.unacknowledged.to_be_bytes(),
                    );
                    self.unacknowledged = 0;
                }
                // Padding is not told from the body: no server here pads.
                self.stream(id)?.body += length as u64;
            }
            HEADERS if flags & END_HEADERS == 0 => {
                return Err(OperationError::Http2("a header block in several frames"));
            }
            HEADERS => {
                if !says_200(&self.frame.payload) {
                    return Err(OperationError::Http2("the status is not 200"));
                }
                self.stream(id)?.answered = true;
            }
            SETTINGS if flags & ACK == 0 => put_frame(output, SETTINGS, ACK, 0, &[]),
            PING if flags & ACK == 0 => put_frame(output, PING, ACK, 0, &self.frame.payload),
            RST_STREAM => return Err(OperationError::Http2("the server reset a stream")),
            GOAWAY => return Err(OperationError::Http2("the server sent GOAWAY")),
            _ => {}
        }
        if matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0 {
            self.end_of_stream(id, records)?;
            if more {
                self.request(output);
            }
        }
        Ok(())
    }

    fn end_of_stream(&mut self, id: u32, records: &mut Records) -> Result<(), OperationError> {
        let place = self.streams.iter().position(|stream| stream.id == id);
        let stream = self.streams.swap_remove(place.ok_or(UNKNOWN_STREAM)?);
        if !stream.answered {
            return Err(OperationError::Http2("a body without a header block"));
        }
        if stream.body != *self.body_length.get_or_insert(stream.body) || stream.body == 0 {
            return Err(OperationError::Http2(
                "a body of another length than the first",
            ));
        }
        records.done(stream.begun);
        Ok(())
    }

    fn request(&mut self, output: &mut Vec<u8>) {
        let id = self.next_stream;
        self.next_stream += 2;
        put_frame(output, HEADERS, END_STREAM | END_HEADERS, id, &self.headers);
        self.streams.push(Stream {
            id,
            begun: Instant::now(),
            answered: false,
            body: 0,
        });
    }

    fn stream(&mut self, id: u32) -> Result<&mut Stream, OperationError> {
        self.streams
            .iter_mut()
            .find(|stream| stream.id == id)
            .ok_or(UNKNOWN_STREAM)
    }
}

const UNKNOWN_STREAM: OperationError = OperationError::Http2("a frame for a stream that is closed");

impl Frame {
    fn length(&self) -> usize {
        usize::from(self.header[0]) << 16
            | usize::from(self.header[1]) << 8
            | usize::from(self.header[2])
    }

    fn kind(&self) -> u8 {
        self.header[3]
    }

    fn flags(&self) -> u8 {
        self.header[4]
    }

    fn stream(&self) -> u32 {
        u32::from_be_bytes([
            self.header[5],
            self.header[6],
            self.header[7],
            self.header[8],
        ]) & 0x7fff_ffff
    }
}

fn put_frame(output: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    output.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    output.extend_from_slice(&[kind, flags]);
    output.extend_from_slice(&stream.to_be_bytes());
    output.extend_from_slice(payload);
}

/// The header block of the first request, which puts its fields into the dynamic table of HPACK
/// (RFC 7541), and that of all others, which points at them. The fields are those of h2load.
fn header_blocks(authority: &str, path: &str) -> (Vec<u8>, Vec<u8>) {
    const METHOD_GET: u8 = 0x82;
    const SCHEME_HTTPS: u8 = 0x87;
    let mut first = vec![METHOD_GET, SCHEME_HTTPS];
    // Literals with incremental indexing, their names from the static table.
    for (name, value) in [(4_u8, path), (1, authority), (58, "ravelin-bench-load")] {
        // A length of 127 and more would take a second byte; a benchmark's names are short.
        let value = &value.as_bytes()[..value.len().min(126)];
        first.extend_from_slice(&[0x40 | name, value.len() as u8]);
        first.extend_from_slice(value);
    }
    // The newest entry of the dynamic table is 62; an index has the highest bit set.
    (
        first,
        vec![METHOD_GET, SCHEME_HTTPS, 128 + 64, 128 + 63, 128 + 62],
    )
}

/// Whether a header block begins with `:status: 200` from the static table, as every server writes it,
/// after any changes of the table's size.
fn says_200(block: &[u8]) -> bool {
    let mut bytes = block.iter().copied();
    loop {
        match bytes.next() {
            Some(0x3f) => while bytes.next().is_some_and(|byte| byte & 0x80 != 0) {},
            Some(byte) if byte & 0xe0 == 0x20 => {}
            other => return other == Some(0x88),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_however_the_bytes_come() {
        let mut answers = Vec::new();
        put_frame(&mut answers, SETTINGS, 0, 0, &[]);
        for id in [3, 1] {
            put_frame(&mut answers, HEADERS, END_HEADERS, id, &[0x20, 0x88]);
            put_frame(&mut answers, DATA, 0, id, b"hel");
            put_frame(&mut answers, DATA, END_STREAM, id, b"lo");
        }
        for size in 1..answers.len() {
            let mut records = Records::new(None).unwrap();
            let mut output = Vec::new();
            let mut http2 = Http2::begin("localhost:1", "/1k", 2, &mut output);
            output.clear();
            for piece in answers.chunks(size) {
                http2.feed(piece, false, &mut output, &mut records).unwrap();
            }
            assert_eq!(records.len(), 2);
            assert!(http2.is_done());
            // The settings were acknowledged, and nothing else was sent.
            assert_eq!(output, [0, 0, 0, SETTINGS, ACK, 0, 0, 0, 0]);
        }
    }

    #[test]
    fn a_short_body_or_another_status_is_an_error() {
        let whole = |id, block: &[u8], body: &[u8]| {
            let mut bytes = Vec::new();
            put_frame(&mut bytes, HEADERS, END_HEADERS, id, block);
            put_frame(&mut bytes, DATA, END_STREAM, id, body);
            bytes
        };
        let feed = |bytes: &[u8]| {
            let mut records = Records::new(None).unwrap();
            let mut output = Vec::new();
            Http2::begin("localhost:1", "/1k", 2, &mut output).feed(
                bytes,
                true,
                &mut output,
                &mut records,
            )
        };
        assert!(feed(&whole(1, &[0x88], b"hello")).is_ok());
        assert!(feed(&whole(1, &[0x8d], b"hello")).is_err());
        assert!(feed(&[whole(1, &[0x88], b"hello"), whole(3, &[0x88], b"hell")].concat()).is_err());
    }

    #[test]
    fn a_size_update_of_several_bytes_is_passed_over() {
        assert!(says_200(&[0x3f, 0xe1, 0x1f, 0x88]));
        assert!(!says_200(&[0x3f, 0xe1, 0x1f, 0x8d]));
        assert!(!says_200(&[]));
    }
}
