//! The head of a response, and how its body is framed (RFC 9112, section 6).

use std::io::Write;

use http::response::Parts;
use http::{HeaderMap, StatusCode, header};

use super::Asked;
use crate::prepared::PreparedFields;
use crate::worker::Dates;

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
    if status == StatusCode::OK {
        buffer.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    } else {
        buffer.extend_from_slice(b"HTTP/1.1 ");
        buffer.extend_from_slice(status.as_str().as_bytes());
        buffer.push(b' ');
        buffer.extend_from_slice(status.canonical_reason().unwrap_or("").as_bytes());
        buffer.extend_from_slice(b"\r\n");
    }
    let mut said_length = None;
    let mut said_date = false;
    if let Some(prepared) = prepared {
        buffer.extend_from_slice(prepared.http1());
        said_length = exact;
    }
    for (name, value) in &head.headers {
        match *name {
            // How the message is framed is decided here alone.
            header::CONNECTION | header::TRANSFER_ENCODING => continue,
            header::CONTENT_LENGTH if exact.is_some_and(|n| n > 0) => continue,
            header::CONTENT_LENGTH => {
                said_length = value.to_str().ok().and_then(|digits| digits.parse().ok());
            }
            header::DATE => said_date = true,
            _ => {}
        }
        write_field(buffer, name.as_str(), value.as_bytes());
    }
    if !said_date {
        write_field(buffer, "date", dates.now().as_bytes());
    }
    // RFC 9110, section 6.4.1: these never have a body, whatever their fields say.
    let bodiless = status.is_informational()
        || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let length = match (exact, said_length) {
        _ if bodiless => Length::None,
        // The body does not know its length, but the handler does.
        (None, Some(n)) => Length::Exact(n),
        (Some(n), _) => {
            if said_length.is_none() {
                buffer.extend_from_slice(b"content-length: ");
                write_number(buffer, n);
                buffer.extend_from_slice(b"\r\n");
            }
            if n == 0 {
                Length::None
            } else {
                Length::Exact(n)
            }
        }
        (None, None) if asked.minor_version == 1 => {
            if !asked.head {
                buffer.extend_from_slice(b"transfer-encoding: chunked\r\n");
            }
            Length::Chunked
        }
        (None, None) => Length::UntilClose,
    };
    if !keep_alive || length == Length::UntilClose {
        buffer.extend_from_slice(b"connection: close\r\n");
    } else if asked.minor_version == 0 {
        buffer.extend_from_slice(b"connection: keep-alive\r\n");
    }
    buffer.extend_from_slice(b"\r\n");
    if asked.head { Length::None } else { length }
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
