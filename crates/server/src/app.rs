//! The seam between the HTTP drivers and what answers requests.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use http::{Request, Response, StatusCode, Version};

use crate::body::{Body, RequestBody};
use crate::connection::Connection;

/// What answers the requests of one worker. An app lives on its worker's thread and never leaves
/// it.
pub(crate) trait App {
    /// Answers one request.
    fn call(&self, request: Request<RequestBody>, connection: &Arc<Connection>) -> Answer;

    /// Whether the app may answer a request to switch protocols with 101.
    fn switches_protocols(&self) -> bool {
        false
    }

    /// Hears of what a driver has refused by itself, since it is no request that an app may see.
    fn refused(&self, _refused: &Refused<'_>, _connection: &Connection) {}
}

/// How much of the first line of what was refused is kept for the log.
const LINE: usize = 4096;

/// What would have been a request.
pub(crate) struct Refused<'a> {
    /// As much of its request line as has come; nothing in HTTP/2.
    pub(crate) line: &'a [u8],
    pub(crate) version: Version,
    /// When it began to come in, if not just now.
    pub(crate) since: Option<Instant>,
    pub(crate) status: StatusCode,
    /// The length of what the client was told.
    pub(crate) bytes: usize,
}

impl Refused<'_> {
    /// The request line at the start of what has come of a header block.
    pub(crate) fn line_of(block: &[u8]) -> &[u8] {
        let is_break = |byte: &u8| b"\r\n".contains(byte);
        let start = block.iter().position(|byte| !is_break(byte));
        let line = &block[start.unwrap_or(block.len())..];
        let line = &line[..line.len().min(LINE)];
        &line[..line.iter().position(is_break).unwrap_or(line.len())]
    }
}

/// A response, at once where it can be: most are, and then nothing is boxed or woken.
pub(crate) enum Answer {
    Ready(Response<Body>),
    Later(Pin<Box<dyn Future<Output = Response<Body>>>>),
}
