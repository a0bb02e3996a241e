//! The head of a response, and how its body is framed (RFC 9112, section 6).

use std::io::Write;

use http::response::Parts;
use http::{HeaderMap, StatusCode, header};

use super::Asked;
use crate::prepared::PreparedFields;
use crate::worker::Dates;

/// What a head takes, more or less.
const HEAD: usize = 384;

/// A body up to this length follows its head in one buffer.
const GATHERED: u64 = 16 * 1024;

/// How the client knows where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// There is no body.
    None,
    /// So many bytes are still to be sent.
    Exact(u64),
    Chunked,
    /// At the end of the connection: HTTP/1.0 knows no chunks.
    UntilClose,
}

impl Length {
    /// Whether `n` more bytes may be sent.
    pub(super) fn allows(self, n: u64) -> bool {
        match self {
            Self::Exact(left) => n <= left,
            _ => true,
        }
    }

    pub(super) fn sent(&mut self, n: u64) {
        if let Self::Exact(left) = self {
            *left = left.saturating_sub(n);
        }
    }
}

/// Whether the handler wants the connection closed.
pub(super) fn says_close(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONNECTION)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"close"))
}

/// Writes status line and fields, and says how the body is to be sent. `exact` is its length,
/// where that is known.
pub(super) fn write_head(
    buffer: &mut Vec<u8>,
    head: &Parts,
    prepared: Option<&PreparedFields>,
    exact: Option<u64>,
    asked: Asked,
    keep_alive: bool,
    dates: &Dates,
) -> Length {
    let status = head.status;
    let (length, said) = body_length(head, exact, asked);
    // One growth for head and body together.
    buffer.reserve(HEAD + exact.unwrap_or(0).min(GATHERED) as usize);
    if status == StatusCode::OK {
        buffer.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    } else {
        buffer.extend_from_slice(b"HTTP/1.1 ");
        buffer.extend_from_slice(status.as_str().as_bytes());
        buffer.push(b' ');
        buffer.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
        buffer.extend_from_slice(b"\r\n");
    }
    let mut said_date = false;
    for (name, value) in &head.headers {
        match *name {
            // How the message is framed is decided here alone.
            header::CONNECTION | header::TRANSFER_ENCODING | header::CONTENT_LENGTH => continue,
            header::DATE => said_date = true,
            _ => {}
        }
        write_field(buffer, name.as_str(), value.as_bytes());
    }
    if !said_date {
        write_field(buffer, "date", dates.now().as_bytes());
    }
    match (prepared, said) {
        (Some(prepared), _) => buffer.extend_from_slice(prepared.http1()),
        (None, Some(said)) => {
            buffer.extend_from_slice(b"content-length: ");
            write_number(buffer, said);
            buffer.extend_from_slice(b"\r\n");
        }
        (None, None) if length == Length::Chunked => {
            buffer.extend_from_slice(b"transfer-encoding: chunked\r\n");
        }
        (None, None) => {}
    }
    if !keep_alive || length == Length::UntilClose {
        buffer.extend_from_slice(b"connection: close\r\n");
    } else if asked.minor_version == 0 {
        buffer.extend_from_slice(b"connection: keep-alive\r\n");
    }
    buffer.extend_from_slice(b"\r\n");
    length
}

/// How the body is sent, and the `Content-Length` that is said (RFC 9112, section 6.3; RFC 9110,
/// section 8.6). The handler's own counts only where it alone knows.
fn body_length(head: &Parts, exact: Option<u64>, asked: Asked) -> (Length, Option<u64>) {
    let said = head.headers.get(header::CONTENT_LENGTH);
    let said = said.and_then(|value| value.to_str().ok()?.parse().ok());
    match (head.status, exact) {
        (status, _) if status.is_informational() => (Length::None, None),
        (StatusCode::NO_CONTENT, _) => (Length::None, None),
        // What a whole response would say, where that is known.
        (StatusCode::NOT_MODIFIED, _) => (Length::None, said),
        (_, Some(1..)) if asked.head => (Length::None, exact),
        _ if asked.head => (Length::None, said),
        (_, Some(0)) => (Length::None, Some(0)),
        (_, Some(n)) => (Length::Exact(n), exact),
        (_, None) => match said {
            Some(n) => (Length::Exact(n), said),
            None if asked.minor_version == 1 => (Length::Chunked, None),
            None => (Length::UntilClose, None),
        },
    }
}

fn write_field(buffer: &mut Vec<u8>, name: &str, value: &[u8]) {
    buffer.extend_from_slice(name.as_bytes());
    buffer.extend_from_slice(b": ");
    buffer.extend_from_slice(value);
    buffer.extend_from_slice(b"\r\n");
}

fn write_number(buffer: &mut Vec<u8>, number: u64) {
    // Writing to a vector cannot fail.
    let _ = write!(buffer, "{number}");
}
