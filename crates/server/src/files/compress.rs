//! Compressing what is served: brotli (RFC 7932), zstd (RFC 8878) and gzip (RFC 1952).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::Level;
use async_compression::tokio::bufread::{BrotliEncoder, GzipEncoder, ZstdEncoder};
use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt, ReadBuf};

use super::body::FileBody;
use crate::body::Body;
use crate::negotiation::Coding;
use crate::worker::Turn;

/// Effort for content that is compressed once and served often, and for content that is compressed
/// for one download. Brotli beyond 5 and zstd beyond 9 cost several times more for a few per cent.
pub(crate) const ONCE: [i32; 3] = [5, 9, 6];
pub(crate) const EACH_TIME: [i32; 3] = [3, 3, 4];

/// How much compressed content is gathered before it is sent.
const PIECE: usize = 32 * 1024;

/// How much of a file is compressed before others have their turn. What shrinks a thousand times
/// does not fill a piece for long: a poll would go on for as long as the page cache has more.
const STRETCH: usize = 256 * 1024;

/// Compresses all of `content`, on a thread where that holds nobody up. `None` where it would not
/// become shorter.
pub(crate) async fn whole(content: Bytes, coding: Coding, levels: [i32; 3]) -> Option<Bytes> {
    let length = content.len();
    let compressing = tokio::task::spawn_blocking(move || {
        let mut encoder = encoder(Source::Bytes(content), coding, levels);
        let mut compressed = Vec::new();
        // The source never waits, so neither does the encoder.
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut reading = Box::pin(encoder.read_to_end(&mut compressed));
        let done = reading.as_mut().poll(&mut cx);
        drop(reading);
        matches!(done, Poll::Ready(Ok(_))).then_some(compressed)
    });
    let compressed = compressing.await.ok()??;
    (compressed.len() < length).then(|| compressed.into())
}

/// A body that is compressed while it is sent.
pub(crate) fn streaming(source: FileBody, coding: Coding, turn: &Turn) -> Body {
    let source = Source::File {
        body: source,
        chunk: Bytes::new(),
        left: STRETCH,
        rest: Rest::new(turn),
    };
    let encoder = encoder(source, coding, EACH_TIME);
    Body::stream(Compressed {
        encoder,
        rested: true,
        rest: Rest::new(turn),
    })
}

/// Lets the worker do all else that it has to do. Waking the task at once would not: it would be run
/// again, many times, before the system is asked what has come in meanwhile.
struct Rest {
    turn: Turn,
    resting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Rest {
    fn new(turn: &Turn) -> Self {
        Self {
            turn: turn.clone(),
            resting: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let resting = self
            .resting
            .get_or_insert_with(|| Box::pin(tokio::task::yield_now()));
        ready!(resting.as_mut().poll(cx));
        self.resting = None;
        self.turn.begin();
        Poll::Ready(())
    }
}

type Encoder = Pin<Box<dyn AsyncRead + Send>>;

fn encoder(source: Source, coding: Coding, levels: [i32; 3]) -> Encoder {
    let level = |at: usize| Level::Precise(levels[at]);
    match coding {
        Coding::Brotli => Box::pin(BrotliEncoder::with_quality(source, level(0))),
        Coding::Zstd => Box::pin(ZstdEncoder::with_quality(source, level(1))),
        Coding::Gzip => Box::pin(GzipEncoder::with_quality(source, level(2))),
        Coding::Identity => Box::pin(source),
    }
}

/// What is compressed.
enum Source {
    Bytes(Bytes),
    File {
        body: FileBody,
        chunk: Bytes,
        /// What may still be read before others have their turn.
        left: usize,
        rest: Rest,
    },
}

impl AsyncBufRead for Source {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        match self.get_mut() {
            Self::Bytes(bytes) => Poll::Ready(Ok(bytes)),
            Self::File {
                body,
                chunk,
                left,
                rest,
            } => {
                if chunk.is_empty() {
                    if *left == 0 {
                        ready!(rest.poll(cx));
                        *left = STRETCH;
                    }
                    if let Some(next) = ready!(body.poll_chunk(cx)) {
                        *chunk = next?;
                        *left = left.saturating_sub(chunk.len());
                    }
                }
                Poll::Ready(Ok(chunk))
            }
        }
    }

    fn consume(self: Pin<&mut Self>, n: usize) {
        match self.get_mut() {
            Self::Bytes(bytes) | Self::File { chunk: bytes, .. } => bytes.advance(n),
        }
    }
}

impl AsyncRead for Source {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let available = ready!(self.as_mut().poll_fill_buf(cx))?;
        let n = available.len().min(buf.remaining());
        buf.put_slice(&available[..n]);
        self.consume(n);
        Poll::Ready(Ok(()))
    }
}

struct Compressed {
    encoder: Encoder,
    /// Whether the others have had their turn since the last piece. Compressing a piece takes a
    /// millisecond, and a client with an open window would get one after the other.
    rested: bool,
    rest: Rest,
}

impl HttpBody for Compressed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if !self.rested {
            ready!(self.rest.poll(cx));
            self.rested = true;
        }
        let mut piece = BytesMut::zeroed(PIECE);
        let mut buf = ReadBuf::new(&mut piece);
        ready!(self.encoder.as_mut().poll_read(cx, &mut buf))?;
        let n = buf.filled().len();
        if n == 0 {
            return Poll::Ready(None);
        }
        piece.truncate(n);
        self.rested = false;
        Poll::Ready(Some(Ok(Frame::data(piece.freeze()))))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;
    use std::sync::Arc;
    use std::task::Waker;

    use super::super::body::Piece;
    use super::*;

    #[test]
    fn others_have_their_turn_however_far_a_file_shrinks() {
        const LENGTH: u64 = 16 << 20;
        // For file systems that cannot say whether a read has to wait.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let _runtime = runtime.enter();
        for coding in [Coding::Brotli, Coding::Zstd, Coding::Gzip] {
            let file = tempfile::tempfile().unwrap();
            file.write_all_at(&vec![b'a'; LENGTH as usize], 0).unwrap();
            let source = FileBody::new(Arc::new(file), [Piece::Range(0, LENGTH)]);
            let mut body = streaming(source, coding, &Turn::default());
            let mut polls = 0;
            let mut cx = Context::from_waker(Waker::noop());
            loop {
                polls += 1;
                match Pin::new(&mut body).poll_frame(&mut cx) {
                    Poll::Ready(None) => break,
                    Poll::Ready(Some(frame)) => drop(frame.unwrap()),
                    Poll::Pending => {}
                }
            }
            assert!(polls > LENGTH / STRETCH as u64, "{coding:?}: {polls}");
        }
    }
}
