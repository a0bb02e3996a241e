//! HTTP/2 frames written by hand (RFC 9113, section 4; RFC 7541), and read as far as tests need.

use std::io::{self, Read, Write};

use super::{Tls, handshake, is_cut, read};
use crate::server::Server;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const ACK: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const PROTOCOL_ERROR: u32 = 1;
pub(crate) const FLOW_CONTROL_ERROR: u32 = 3;
pub(crate) const STREAM_CLOSED: u32 = 5;
pub(crate) const FRAME_SIZE_ERROR: u32 = 6;
pub(crate) const COMPRESSION_ERROR: u32 = 9;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

/// An HTTP/2 connection.
pub(crate) struct Http2 {
    pub(crate) tls: Tls,
    buffer: Vec<u8>,
    ended: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// What a client is left with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The server said goodbye with this code.
    GoAway(u32),
    /// The server reset this stream with this code.
    Reset(u32, u32),
    /// A response with this status began on this stream.
    Status(u32, u16),
    /// The connection ended without a word.
    Cut,
}

impl Http2 {
    /// Connects, with the preface and settings that forbid the server to index header fields: that
    /// keeps [`status`] simple.
    pub(crate) fn connect(server: &Server) -> Self {
        Self::connect_with(server, &[])
    }

    /// The same with more settings.
    pub(crate) fn connect_with(server: &Server, settings: &[(u16, u32)]) -> Self {
        let tls = handshake(server.tcp(), "localhost", b"h2").unwrap();
        let mut client = Self {
            tls,
            buffer: Vec::new(),
            ended: false,
        };
        let mut payload = Vec::new();
        for (id, value) in [(1, 0)].iter().chain(settings) {
            payload.extend_from_slice(&id.to_be_bytes());
            payload.extend_from_slice(&value.to_be_bytes());
        }
        let hello = [
            &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
            &frame(SETTINGS, 0, 0, &payload),
        ];
        client.send(&hello.concat());
        client
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).unwrap();
    }

    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tls.write_all(bytes)?;
        self.tls.flush()
    }

    /// Sends `pieces` for as long as the server takes them, reading what it says meanwhile. Ends
    /// early at a GOAWAY or the end of the connection.
    pub(crate) fn flood(&mut self, pieces: impl IntoIterator<Item = Vec<u8>>) -> Vec<Frame> {
        let mut seen = Vec::new();
        for piece in pieces {
            let sent = self.try_send(&piece);
            let received = self.pump();
            seen.extend(std::iter::from_fn(|| self.parse()));
            let told = seen.iter().any(|frame| frame.kind == GOAWAY);
            if sent.is_err() || received.is_err() || told || self.ended {
                break;
            }
        }
        seen
    }

    /// [`Http2::flood`], and then the code with which the server says goodbye.
    pub(crate) fn goodbye_to(&mut self, pieces: impl IntoIterator<Item = Vec<u8>>) -> u32 {
        let seen = self.flood(pieces);
        let told = seen
            .iter()
            .find(|frame| frame.kind == GOAWAY)
            .map(Frame::goaway_code);
        told.unwrap_or_else(|| self.goodbye())
    }

    /// The code of the next GOAWAY, which has to come.
    pub(crate) fn goodbye(&mut self) -> u32 {
        loop {
            match self.next() {
                Some(frame) if frame.kind == GOAWAY => return frame.goaway_code(),
                Some(_) => {}
                None => panic!("the connection ended without a GOAWAY"),
            }
        }
    }

    /// What comes first of an error, a response, or the end.
    pub(crate) fn outcome(&mut self) -> End {
        self.outcome_from(0)
    }

    /// The same, without what still comes on streams below `first`.
    fn outcome_from(&mut self, first: u32) -> End {
        loop {
            match self.next() {
                None => return End::Cut,
                Some(frame) if frame.kind == GOAWAY => return End::GoAway(frame.goaway_code()),
                Some(frame) if frame.stream < first => {}
                Some(frame) if frame.kind == RST_STREAM => {
                    return End::Reset(frame.stream, frame.code_at(0));
                }
                Some(frame) if frame.kind == HEADERS => {
                    return End::Status(frame.stream, status(&frame.payload));
                }
                Some(_) => {}
            }
        }
    }

    /// Sends a request with these fields on `stream`, without a body, and waits for what comes.
    pub(crate) fn ask(&mut self, stream: u32, fields: &[(&str, &str)]) -> End {
        self.send(&headers(stream, fields));
        self.outcome_from(stream)
    }

    /// Waits until the server has seen all that was sent so far: it answers a PING.
    pub(crate) fn settle(&mut self) -> Vec<Frame> {
        self.send(&frame(PING, 0, 0, b"settled?"));
        let mut seen = Vec::new();
        loop {
            match self.next() {
                Some(frame) if frame.kind == PING && frame.payload == b"settled?" => return seen,
                Some(frame) => seen.push(frame),
                None => panic!("the connection ended: {seen:?}"),
            }
        }
    }

    /// Checks that the connection is cut, whatever comes before that.
    pub(crate) fn assert_closed(&mut self) {
        while self.next().is_some() {}
    }

    /// The next frame; `None` at the end of the connection.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.parse() {
                return Some(frame);
            }
            let mut piece = [0; 16 * 1024];
            match read(&mut self.tls, &mut piece) {
                Ok(0) => return None,
                Ok(n) => self.buffer.extend_from_slice(&piece[..n]),
                Err(error) if is_cut(&error) => return None,
                Err(error) => panic!("the connection stays open: {error}"),
            }
        }
    }

    fn parse(&mut self) -> Option<Frame> {
        let head = self.buffer.first_chunk::<9>()?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let payload = self.buffer.get(9..9 + length)?.to_vec();
        self.buffer.drain(..9 + length);
        Some(Frame {
            kind,
            flags,
            stream,
            payload,
        })
    }

    /// Takes in what has arrived, without waiting.
    fn pump(&mut self) -> io::Result<()> {
        self.tls.sock.set_nonblocking(true)?;
        let result = loop {
            match self.tls.conn.read_tls(&mut self.tls.sock) {
                Ok(0) => {
                    self.ended = true;
                    break Ok(());
                }
                Ok(_) => {
                    self.tls
                        .conn
                        .process_new_packets()
                        .map_err(io::Error::other)?;
                    let mut piece = [0; 16 * 1024];
                    while let Ok(n @ 1..) = self.tls.conn.reader().read(&mut piece) {
                        self.buffer.extend_from_slice(&piece[..n]);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.tls.sock.set_nonblocking(false)?;
        result
    }
}

impl Frame {
    fn goaway_code(&self) -> u32 {
        self.code_at(4)
    }

    fn code_at(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [
        &length[1..],
        &[kind, flags],
        &stream.to_be_bytes()[..],
        payload,
    ]
    .concat()
}

/// A HEADERS frame that is a whole request.
pub(crate) fn headers(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(fields))
}

/// A HEADERS frame behind which a body comes.
pub(crate) fn headers_of_body(stream: u32, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, stream, &block(fields))
}

/// The fields of a request for `path`.
pub(crate) fn get(path: &str) -> [(&str, &str); 4] {
    [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", path),
    ]
}

/// Fields as literals without indexing (RFC 7541, section 6.2.2).
pub(crate) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            integer(&mut block, text.len());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541, section 5.1).
fn integer(block: &mut Vec<u8>, mut value: usize) {
    if value < 127 {
        block.push(value as u8);
        return;
    }
    block.push(127);
    value -= 127;
    while value >= 128 {
        block.push((value % 128) as u8 | 128);
        value /= 128;
    }
    block.push(value as u8);
}

/// The status that a response's header block begins with.
pub(crate) fn status(block: &[u8]) -> u16 {
    // Behind updates of the table's size.
    let start = block.iter().position(|b| b & 0xe0 != 0x20).unwrap();
    match block[start..] {
        [indexed @ 0x88..=0x8e, ..] => {
            [200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)]
        }
        // A literal with the name of entry 8, in digits or Huffman code (RFC 7541, appendix B).
        [0x48 | 0x08 | 0x18, 3, a, b, c, ..] => {
            std::str::from_utf8(&[a, b, c]).unwrap().parse().unwrap()
        }
        [0x48 | 0x08 | 0x18, 0x82, a, b, ..] => {
            huffman_digits(u32::from(a) << 8 | u32::from(b), 16)
        }
        [0x48 | 0x08 | 0x18, 0x83, a, b, c, ..] => {
            huffman_digits(u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c), 24)
        }
        _ => panic!("no status in {block:02x?}"),
    }
}

/// Three digits: `0` to `2` have five bits, the others six.
fn huffman_digits(bits: u32, mut left: u32) -> u16 {
    let mut number = 0;
    for _ in 0..3 {
        let five = (bits >> (left - 5)) & 31;
        let digit = if five < 3 {
            left -= 5;
            five
        } else {
            left -= 6;
            ((bits >> left) & 63) - 22
        };
        number = number * 10 + digit;
    }
    u16::try_from(number).unwrap()
}
