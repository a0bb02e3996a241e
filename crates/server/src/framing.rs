//! Strict HTTP/1.1 framing: where each request begins and ends, decided once and without doubt.
//!
//! Request smuggling lives from two parsers that read the same bytes differently. This guard sits
//! in front of the HTTP parser and lets through only requests that every parser must read the same
//! way; what is ambiguous is refused, never repaired (RFC 9112, sections 2.2, 5.1, 6.1, 11.2). The
//! parser behind it sees complete header blocks only. It does not judge what a request means.

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::time::Instant;

use http::StatusCode;
use memchr::memchr;

/// Follows the bytes of one connection through its requests.
#[derive(Debug)]
pub(crate) struct Framing {
    state: State,
    /// A header block that has not arrived whole, and how far it was looked through.
    held: Vec<u8>,
    seen: Seen,
    /// When its first byte came.
    held_since: Option<Instant>,
    /// What the last complete header block says.
    head: Head,
    max_head: usize,
    max_fields: usize,
    /// Whether a request to switch protocols means anything here.
    switching: bool,
}

/// What a header block says, as places in its bytes.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Head {
    pub(crate) method: Range<usize>,
    pub(crate) target: Range<usize>,
    /// Names and values of all fields, in order.
    pub(crate) fields: Vec<(Range<u32>, Range<u32>)>,
    /// The 1 of HTTP/1.1, or the 0 of HTTP/1.0.
    pub(crate) minor_version: u8,
    /// The length of the body, where the client has said it.
    pub(crate) length: Option<u64>,
    /// Whether there is a body.
    pub(crate) has_body: bool,
    /// Whether the client wants to go on after this request (RFC 9112, section 9.3).
    pub(crate) keep_alive: bool,
    /// Whether the client waits for a word before it sends the body (RFC 9110, section 10.1.1).
    pub(crate) expects_continue: bool,
    /// Whether the client asks for another protocol.
    pub(crate) switches: bool,
}

/// The next part of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Bytes that frame the body, before its own.
    pub(crate) framing: usize,
    /// Bytes of the body behind them.
    pub(crate) data: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Body(u64),
    Chunk(Chunk),
    /// The client asked for another protocol: what it sends next is HTTP only if we say no.
    AwaitSwitch,
    /// Another protocol: not ours to judge.
    Switched,
}

/// Where in a chunked body (RFC 9112, section 7.1) the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    Size {
        value: u64,
        digits: u8,
    },
    Extension {
        value: u64,
        length: u16,
    },
    SizeLf {
        value: u64,
    },
    Data(u64),
    DataCr,
    DataLf,
    /// In the trailer section; `line` is the length of the line so far.
    Trailer {
        line: u16,
        total: u16,
    },
    TrailerLf {
        last: bool,
        total: u16,
    },
}

/// What is to be done with the bytes at hand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// So many bytes may go to the parser.
    Pass(usize),
    /// The header block is not complete; these bytes were put aside.
    Held,
    /// The header block is complete, take it with [`Framing::take_held`]; so many of the bytes at
    /// hand belong to it and were put aside with it.
    Complete(usize),
    /// Nothing may go on until the response to a request to switch protocols is out.
    Wait,
}

/// A request that may be read in more than one way, or is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'static str,
    /// Whether the header block itself was refused, so that nobody has answered the request.
    pub(crate) in_head: bool,
}

const CHUNK_EXTENSION_LIMIT: u16 = 256;
const TRAILER_LIMIT: u16 = 8 * 1024;

impl Framing {
    /// `switching` says whether what answers requests knows how to switch protocols. Where it does
    /// not, a request to do so is an ordinary one (RFC 9110, section 7.8).
    pub(crate) fn new(max_head: usize, max_fields: usize, switching: bool) -> Self {
        Self {
            state: State::Head,
            held: Vec::new(),
            seen: Seen::default(),
            held_since: None,
            head: Head::default(),
            max_head,
            max_fields,
            switching,
        }
    }

    /// What the header block says that has passed last.
    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Takes the next part of a body apart. Once the last part was taken, [`Framing::is_in_body`]
    /// is false.
    pub(crate) fn next_piece(&mut self, input: &[u8]) -> Result<Piece, Refusal> {
        match self.state {
            State::Body(left) => {
                let n = left.min(input.len() as u64);
                self.state = if left == n {
                    State::Head
                } else {
                    State::Body(left - n)
                };
                Ok(Piece {
                    framing: 0,
                    data: n as usize,
                })
            }
            State::Chunk(chunk) => self.next_chunk_piece(chunk, input),
            _ => Ok(Piece {
                framing: 0,
                data: 0,
            }),
        }
    }

    /// Judges the next bytes.
    pub(crate) fn inspect(&mut self, input: &[u8]) -> Result<Verdict, Refusal> {
        match self.state {
            State::Head => self.inspect_head(input),
            State::Body(_) | State::Chunk(_) => {
                let mut passed = 0;
                while passed < input.len() && self.is_in_body() {
                    let piece = self.next_piece(&input[passed..])?;
                    passed += piece.framing + piece.data;
                }
                Ok(Verdict::Pass(passed))
            }
            State::AwaitSwitch => Ok(Verdict::Wait),
            State::Switched => Ok(Verdict::Pass(input.len())),
        }
    }

    /// The header block that [`Verdict::Complete`] spoke of.
    pub(crate) fn take_held(&mut self) -> Vec<u8> {
        self.held_since = None;
        std::mem::take(&mut self.held)
    }

    /// Tells what was answered to a request to switch protocols, from the first bytes of the
    /// response (RFC 9110, section 15.2.2).
    pub(crate) fn response_begins(&mut self, response: &[u8]) {
        if self.state == State::AwaitSwitch {
            self.state = if response.starts_with(b"HTTP/1.1 101") {
                State::Switched
            } else if response.starts_with(b"HTTP/1.1 1") {
                State::AwaitSwitch
            } else {
                State::Head
            };
        }
    }

    /// Whether the connection speaks another protocol now.
    pub(crate) fn has_switched(&self) -> bool {
        self.state == State::Switched
    }

    /// The part of a header block that has come, where it has not come whole.
    pub(crate) fn held(&self) -> &[u8] {
        &self.held
    }

    /// Since when a header block has been coming in.
    pub(crate) fn head_since(&self) -> Option<Instant> {
        self.held_since
    }

    /// Whether the last request's body has not arrived whole.
    pub(crate) fn is_in_body(&self) -> bool {
        matches!(self.state, State::Body(_) | State::Chunk(_))
    }

    fn inspect_head(&mut self, input: &[u8]) -> Result<Verdict, Refusal> {
        if self.held.is_empty() {
            let mut seen = Seen::default();
            match seen.end_of_head(input, self.max_head)? {
                Some(end) => {
                    self.accept_head(&input[..end])?;
                    return Ok(Verdict::Pass(end));
                }
                None => {
                    self.held_since = Some(Instant::now());
                    self.held.extend_from_slice(input);
                    self.seen = seen;
                }
            }
            return Ok(Verdict::Held);
        }
        let known = self.held.len();
        self.held.extend_from_slice(input);
        match self.seen.end_of_head(&self.held, self.max_head)? {
            Some(end) => {
                let head = std::mem::take(&mut self.held);
                let accepted = self.accept_head(&head[..end]);
                self.held = head;
                accepted?;
                self.held.truncate(end);
                Ok(Verdict::Complete(end - known))
            }
            None => Ok(Verdict::Held),
        }
    }

    /// Reads a complete header block and decides how the body is framed.
    fn accept_head(&mut self, head: &[u8]) -> Result<(), Refusal> {
        let mut at = 0;
        // RFC 9112, section 2.2: empty lines before the request line are to be ignored.
        while head[at..].starts_with(b"\r\n") {
            at += 2;
        }
        let mut line = next_line(head, at).ok_or_else(|| bad("there is no request line"))?;
        let facts = &mut self.head;
        facts.fields.clear();
        facts.minor_version = check_request_line(head, line.clone(), facts)?;
        facts.expects_continue = false;

        let mut hosts = 0;
        let mut length: Option<u64> = None;
        let mut chunked = false;
        let mut close = false;
        let mut keep_alive = facts.minor_version == 1;
        let mut upgrade = false;
        let mut connection_upgrade = false;
        loop {
            line = match next_line(head, line.end + 2) {
                Some(line) if !line.is_empty() => line,
                _ => break,
            };
            if facts.fields.len() == self.max_fields {
                return Err(too_large("the request has too many header fields"));
            }
            let (name_at, value_at) = split_field(head, line.clone())?;
            let (name, value) = (&head[name_at.clone()], &head[value_at.clone()]);
            // One look at the length spares most comparisons.
            match name.len() {
                4 if name.eq_ignore_ascii_case(b"host") => {
                    hosts += 1;
                    if hosts > 1 {
                        return Err(bad("the request has more than one Host"));
                    }
                }
                6 if name.eq_ignore_ascii_case(b"expect") => {
                    facts.expects_continue = value.eq_ignore_ascii_case(b"100-continue");
                }
                7 if name.eq_ignore_ascii_case(b"upgrade") => upgrade = true,
                10 if name.eq_ignore_ascii_case(b"connection") => {
                    for option in value.split(|&b| b == b',').map(<[u8]>::trim_ascii) {
                        if option.eq_ignore_ascii_case(b"close") {
                            close = true;
                        } else if option.eq_ignore_ascii_case(b"keep-alive") {
                            keep_alive = true;
                        } else if option.eq_ignore_ascii_case(b"upgrade") {
                            connection_upgrade = true;
                        }
                    }
                }
                14 if name.eq_ignore_ascii_case(b"content-length") => {
                    if length.is_some() {
                        return Err(bad("the request has more than one Content-Length"));
                    }
                    length =
                        Some(decimal(value).ok_or_else(|| bad("Content-Length is not a number"))?);
                }
                17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                    if chunked {
                        return Err(bad("the request has more than one Transfer-Encoding"));
                    }
                    if !value.eq_ignore_ascii_case(b"chunked") {
                        return Err(Refusal {
                            status: StatusCode::NOT_IMPLEMENTED,
                            reason: "the only Transfer-Encoding taken is chunked",
                            in_head: true,
                        });
                    }
                    chunked = true;
                }
                _ => {}
            }
            facts.fields.push((narrow(name_at), narrow(value_at)));
        }
        if hosts == 0 && facts.minor_version == 1 {
            return Err(bad("the request has no Host"));
        }
        if chunked && length.is_some() {
            return Err(bad(
                "the request has both Content-Length and Transfer-Encoding",
            ));
        }
        if chunked && facts.minor_version == 0 {
            return Err(bad("HTTP/1.0 has no Transfer-Encoding"));
        }
        // RFC 9112, section 9.3: `close` wins over `keep-alive`.
        facts.keep_alive = keep_alive && !close;
        facts.length = length;
        facts.has_body = chunked || length.is_some_and(|n| n > 0);
        facts.switches = self.switching && upgrade && connection_upgrade && !facts.has_body;
        self.state = match (chunked, length) {
            (true, _) => State::Chunk(Chunk::Size {
                value: 0,
                digits: 0,
            }),
            (false, Some(n)) if n > 0 => State::Body(n),
            _ if facts.switches => State::AwaitSwitch,
            _ => State::Head,
        };
        Ok(())
    }

    /// Walks through a chunked body up to and including the next data.
    fn next_chunk_piece(&mut self, mut chunk: Chunk, input: &[u8]) -> Result<Piece, Refusal> {
        let mut at = 0;
        while at < input.len() {
            let byte = input[at];
            chunk = match chunk {
                Chunk::Data(left) => {
                    let n = left.min((input.len() - at) as u64);
                    let next = if n == left {
                        Chunk::DataCr
                    } else {
                        Chunk::Data(left - n)
                    };
                    self.state = State::Chunk(next);
                    return Ok(Piece {
                        framing: at,
                        data: n as usize,
                    });
                }
                Chunk::Size { value, digits } => match (byte, (byte as char).to_digit(16)) {
                    (_, Some(_)) if digits == 15 => return Err(bad_body("a chunk is too large")),
                    (_, Some(digit)) => Chunk::Size {
                        value: value << 4 | u64::from(digit),
                        digits: digits + 1,
                    },
                    _ if digits == 0 => return Err(bad_body("a chunk has no size")),
                    (b'\r', _) => Chunk::SizeLf { value },
                    (b';', _) => Chunk::Extension { value, length: 0 },
                    _ => return Err(bad_body("a chunk's size is not a number")),
                },
                Chunk::Extension { value, .. } if byte == b'\r' => Chunk::SizeLf { value },
                Chunk::Extension { .. } if is_control(byte) => {
                    return Err(bad_body("a chunk extension has a control character"));
                }
                Chunk::Extension { length, .. } if length == CHUNK_EXTENSION_LIMIT => {
                    return Err(bad_body("a chunk extension is too long"));
                }
                Chunk::Extension { value, length } => Chunk::Extension {
                    value,
                    length: length + 1,
                },
                Chunk::SizeLf { value } if byte == b'\n' => match value {
                    0 => Chunk::Trailer { line: 0, total: 0 },
                    n => Chunk::Data(n),
                },
                Chunk::DataCr if byte == b'\r' => Chunk::DataLf,
                Chunk::DataLf if byte == b'\n' => Chunk::Size {
                    value: 0,
                    digits: 0,
                },
                Chunk::Trailer { line, total } if byte == b'\r' => Chunk::TrailerLf {
                    last: line == 0,
                    total,
                },
                Chunk::Trailer {
                    total: TRAILER_LIMIT,
                    ..
                } => {
                    return Err(bad_body("the trailers are too long"));
                }
                Chunk::Trailer { line: 0, .. } if byte == b' ' || byte == b'\t' => {
                    return Err(bad_body("a trailer is folded"));
                }
                Chunk::Trailer { .. } if is_control(byte) => {
                    return Err(bad_body("a trailer has a control character"));
                }
                Chunk::Trailer { line, total } => Chunk::Trailer {
                    line: line + 1,
                    total: total + 1,
                },
                Chunk::TrailerLf { last: true, .. } if byte == b'\n' => {
                    self.state = State::Head;
                    return Ok(Piece {
                        framing: at + 1,
                        data: 0,
                    });
                }
                Chunk::TrailerLf { last: false, total } if byte == b'\n' => {
                    Chunk::Trailer { line: 0, total }
                }
                _ => return Err(bad_body("a chunk does not end where its size says")),
            };
            at += 1;
        }
        self.state = State::Chunk(chunk);
        Ok(Piece {
            framing: input.len(),
            data: 0,
        })
    }
}

/// How far a header block was looked through: no byte is looked at twice, or a client that sends
/// one at a time could keep us busy.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    bytes: usize,
    /// Empty lines before the request line: where that begins.
    start: usize,
}

impl Seen {
    /// The length of the header block at the start of `input`, its empty line included, or `None`
    /// where it is not complete. `input` begins with what it began with the last time.
    fn end_of_head(&mut self, input: &[u8], max: usize) -> Result<Option<usize>, Refusal> {
        if self.start == self.bytes {
            let empty = input[self.start..]
                .iter()
                .position(|b| !b"\r\n".contains(b));
            self.start = empty.map_or(input.len(), |n| self.start + n);
        }
        let mut at = self.bytes;
        self.bytes = input.len();
        while let Some(found) = memchr(b'\n', &input[at..]) {
            let lf = at + found;
            if lf == 0 || input[lf - 1] != b'\r' {
                return Err(bad("a line ends with LF alone"));
            }
            if lf >= max {
                break;
            }
            // An empty line ends the block, but for empty lines before the request line.
            if lf > self.start && lf >= 3 && input[lf - 2] == b'\n' {
                return Ok(Some(lf + 1));
            }
            at = lf + 1;
        }
        if input.len() > max {
            return Err(too_large("the request's header block is too large"));
        }
        Ok(None)
    }
}

/// Where the line that starts at `at` stands, without its CRLF.
fn next_line(head: &[u8], at: usize) -> Option<Range<usize>> {
    let lf = memchr(b'\n', head.get(at..)?)?;
    Some(at..at + lf.saturating_sub(1))
}

/// `method SP request-target SP HTTP/1.x` (RFC 9112, section 3), the minor version back.
fn check_request_line(bytes: &[u8], line: Range<usize>, head: &mut Head) -> Result<u8, Refusal> {
    let text = &bytes[line.clone()];
    let wrong = || bad("the request line is not \"METHOD TARGET HTTP/1.1\"");
    let first = memchr(b' ', text).ok_or_else(wrong)?;
    let second = first + 1 + memchr(b' ', &text[first + 1..]).ok_or_else(wrong)?;
    let (method, target, version) = (
        &text[..first],
        &text[first + 1..second],
        &text[second + 1..],
    );
    if method.is_empty() || !method.iter().all(|&b| is_token(b)) {
        return Err(bad("the method is not a word"));
    }
    if target.is_empty() || target.iter().any(|&b| b <= b' ' || b == 0x7f) {
        return Err(bad("the request target has a control character"));
    }
    // Some parsers would cut it off, others would not (RFC 9112, section 3.2).
    if target.contains(&b'#') {
        return Err(bad("the request target has a fragment"));
    }
    head.method = line.start..line.start + first;
    head.target = line.start + first + 1..line.start + second;
    match version {
        b"HTTP/1.1" => Ok(1),
        b"HTTP/1.0" => Ok(0),
        version if version.contains(&b' ') || !version.starts_with(b"HTTP/") => Err(wrong()),
        _ => Err(Refusal {
            status: StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            reason: "the version is neither HTTP/1.1 nor HTTP/1.0",
            in_head: true,
        }),
    }
}

/// `name: value` (RFC 9112, section 5), the value without white space around it.
fn split_field(bytes: &[u8], line: Range<usize>) -> Result<(Range<usize>, Range<usize>), Refusal> {
    let text = &bytes[line.clone()];
    if text[0] == b' ' || text[0] == b'\t' {
        return Err(bad("a header field is folded over several lines"));
    }
    let colon = memchr(b':', text).ok_or_else(|| bad("a header field has no colon"))?;
    let (name, value) = (&text[..colon], &text[colon + 1..]);
    if name.is_empty() || !name.iter().all(|&b| is_token(b)) {
        return Err(bad(
            "a header field's name has a space or another character it must not have",
        ));
    }
    if value.iter().any(|&b| is_control(b)) {
        return Err(bad("a header field has a control character"));
    }
    let start = line.start + colon + 1 + (value.len() - value.trim_ascii_start().len());
    let end = start + value.trim_ascii().len();
    Ok((line.start..line.start + colon, start..end))
}

/// Header blocks are far shorter than 4 GiB.
fn narrow(range: Range<usize>) -> Range<u32> {
    range.start as u32..range.end as u32
}

/// Digits and nothing else: no sign, no list, no `0x`, nothing that does not fit.
fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Characters of names (RFC 9110, section 5.6.2).
fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}

/// A table: this is asked for every character of every name.
static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < others.len() {
        table[others[at] as usize] = true;
        at += 1;
    }
    table
};

fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}

fn bad(reason: &'static str) -> Refusal {
    Refusal {
        status: StatusCode::BAD_REQUEST,
        reason,
        in_head: true,
    }
}

fn bad_body(reason: &'static str) -> Refusal {
    Refusal {
        status: StatusCode::BAD_REQUEST,
        reason,
        in_head: false,
    }
}

fn too_large(reason: &'static str) -> Refusal {
    Refusal {
        status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        reason,
        in_head: true,
    }
}
