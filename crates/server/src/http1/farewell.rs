//! The last that an HTTP/1.1 connection is sent: why a request was refused, and time to read it.

use std::future::poll_fn;
use std::io::IoSlice;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http::Version;

use crate::app::{App, Refused};
use crate::connection::Connection;
use crate::error_page;
use crate::framing::{Framing, Refusal};
use crate::stream::Stream;
use crate::worker::Dates;

/// How long, and for how many bytes, a client that was refused may go on sending before the socket
/// is closed for good.
pub(super) const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 256 * 1024;

/// Sends `farewell`, ends our side, and reads on for a moment, so that the client gets to read what
/// was said.
pub(super) async fn linger(
    mut with: impl FnMut(
        &mut Context<'_>,
        &mut dyn FnMut(&mut Stream, &mut Context<'_>) -> Poll<()>,
    ) -> Poll<()>,
    farewell: &[u8],
) {
    let mut sent = 0;
    let mut said = false;
    let mut left = LINGER_BYTES;
    let lingering = poll_fn(|cx| {
        with(cx, &mut |stream, cx| {
            if !said {
                while sent < farewell.len() {
                    match ready!(stream.poll_write(cx, &[IoSlice::new(&farewell[sent..])])) {
                        Ok(n) => sent += n,
                        Err(_) => return Poll::Ready(()),
                    }
                }
                if ready!(stream.poll_shutdown(cx)).is_err() {
                    return Poll::Ready(());
                }
                said = true;
            }
            stream.poll_drain(cx, &mut left)
        })
    });
    let _ = tokio::time::timeout(LINGER, lingering).await;
}

/// A whole response to a request that nobody else has answered, and a line for it in the log.
pub(super) fn refused(
    refusal: Refusal,
    line: &[u8],
    since: Option<Instant>,
    app: &dyn App,
    connection: &Connection,
    dates: &Dates,
) -> Vec<u8> {
    let (content_type, body) = error_page::body(refusal.status, None, Some(refusal.reason));
    let mut response = format!(
        "HTTP/1.1 {} {}\r\ncontent-type: {}\r\ncontent-length: {}\r\ndate: {}\r\n\
         connection: close\r\n\r\n",
        refusal.status.as_str(),
        refusal.status.canonical_reason().unwrap_or(""),
        content_type.to_str().unwrap_or("text/plain"),
        body.len(),
        dates.now().to_str().unwrap_or(""),
    )
    .into_bytes();
    response.extend_from_slice(&body);
    let refused = Refused {
        line,
        version: Version::HTTP_11,
        since,
        status: refusal.status,
        bytes: body.len(),
    };
    app.refused(&refused, connection);
    response
}

/// As much of the request line as has come, of a header block of which `framing` may hold a part.
pub(super) fn request_line(framing: &Framing, available: &[u8]) -> Vec<u8> {
    let held = framing.held();
    Refused::line_of(if held.is_empty() { available } else { held }).to_vec()
}
