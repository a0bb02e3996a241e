//! As much of an HTTP/1.1 response as says whether it is whole and good.

use std::io::Read;

use rustls::ClientConnection;

use crate::run::OperationError;

/// A response as far as it has come.
#[derive(Default)]
pub(crate) struct Response {
    head: Vec<u8>,
    /// Body bytes still to come; `None` before the end of the header block.
    remaining: Option<u64>,
}

impl Response {
    pub(crate) fn is_whole(&self) -> bool {
        self.remaining == Some(0)
    }

    /// Makes ready for the next response.
    pub(crate) fn clear(&mut self) {
        self.head.clear();
        self.remaining = None;
    }

    /// Reads so many bytes of plaintext.
    pub(crate) fn take(
        &mut self,
        tls: &mut ClientConnection,
        mut bytes: usize,
    ) -> Result<(), OperationError> {
        let mut buffer = [0; 4096];
        while bytes > 0 {
            let wanted = bytes.min(buffer.len());
            let read = tls
                .reader()
                .read(&mut buffer[..wanted])
                .map_err(OperationError::Read)?;
            self.feed(&buffer[..read])?;
            bytes -= read;
        }
        Ok(())
    }

    pub(crate) fn feed(&mut self, plaintext: &[u8]) -> Result<(), OperationError> {
        if let Some(remaining) = self.remaining {
            let left = remaining.checked_sub(plaintext.len() as u64);
            self.remaining = Some(left.ok_or(OperationError::TooLong)?);
            return Ok(());
        }
        self.head.extend_from_slice(plaintext);
        let Some(end) = self
            .head
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
        else {
            return Ok(());
        };
        self.remaining = Some(body_length(&self.head[..end])?);
        let body = self.head.split_off(end + 4);
        self.feed(&body)
    }
}

/// The `Content-Length` of a 200; anything else is not the file that was asked for.
fn body_length(head: &[u8]) -> Result<u64, OperationError> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(OperationError::Status(status.to_owned()));
    }
    lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .ok_or(OperationError::NoLength)
}

#[cfg(test)]
mod tests {
    use super::{OperationError, Response, body_length};

    #[test]
    fn the_body_length_is_read_whatever_the_case() {
        let head = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 1024";
        assert_eq!(body_length(head).unwrap(), 1024);
    }

    #[test]
    fn another_status_or_no_length_is_an_error() {
        let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 3";
        assert!(matches!(
            body_length(missing),
            Err(OperationError::Status(_))
        ));
        assert!(matches!(
            body_length(b"HTTP/1.1 200 OK"),
            Err(OperationError::NoLength)
        ));
    }

    #[test]
    fn a_response_in_pieces_is_whole_with_its_last_byte() {
        let mut response = Response::default();
        for piece in [
            &b"HTTP/1.1 200 OK\r\nContent-Le"[..],
            b"ngth: 5\r\n\r",
            b"\nhel",
            b"l",
        ] {
            response.feed(piece).unwrap();
            assert!(!response.is_whole());
        }
        response.feed(b"o").unwrap();
        assert!(response.is_whole());
        assert!(matches!(response.feed(b"!"), Err(OperationError::TooLong)));
    }
}
