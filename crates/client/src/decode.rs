//! Bodies as they come, decompressed where they are compressed, and no more of them than they may become.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use bytes::{Buf as _, Bytes};
use http::{HeaderMap, header};
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::incoming::{Broken, Incoming};

/// A coding that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Brotli,
    Zstd,
}

/// What is asked for.
pub(crate) const ACCEPTED: &str = "zstd, br, gzip";

impl Coding {
    /// The one that a body says it is in; none where it is in none, or one that is not understood.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
        let value = values.next()?.to_str().ok()?.trim().to_ascii_lowercase();
        if values.next().is_some() {
            return None;
        }
        match value.as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    pub(crate) fn decoder(self, raw: Raw) -> Pin<Box<dyn AsyncRead + Send>> {
        match self {
            Self::Gzip => {
                let mut decoder = GzipDecoder::new(raw);
                decoder.multiple_members(true);
                Box::pin(decoder)
            }
            Self::Brotli => Box::pin(BrotliDecoder::new(raw)),
            // RFC 9659: no window of more than 8 MiB.
            Self::Zstd => Box::pin(ZstdDecoder::with_params(
                raw,
                &[DParameter::window_log_max(23)],
            )),
        }
    }
}

/// A body as it comes.
pub(crate) struct Raw {
    incoming: Incoming,
    current: Bytes,
    received: Arc<AtomicU64>,
}

impl Raw {
    pub(crate) fn new(incoming: Incoming) -> (Self, Arc<AtomicU64>) {
        let received = Arc::new(AtomicU64::new(0));
        let raw = Self {
            incoming,
            current: Bytes::new(),
            received: received.clone(),
        };
        (raw, received)
    }

    /// Whether nothing will come.
    pub(crate) fn is_over(&self) -> bool {
        self.incoming.is_over()
    }

    /// The next octets as they come; none at the end.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Broken>>> {
        let data = ready!(self.incoming.poll_data(cx));
        if let Some(Ok(data)) = &data {
            self.received
                .fetch_add(data.len() as u64, Ordering::Relaxed);
        }
        Poll::Ready(data)
    }
}

impl AsyncBufRead for Raw {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.current.is_empty() {
            match ready!(this.poll_next(cx)) {
                None => {}
                Some(Ok(data)) => this.current = data,
                // Told apart from what decoders find wrong.
                Some(Err(error)) => return Poll::Ready(Err(io::Error::other(error))),
            }
        }
        Poll::Ready(Ok(&this.current))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.current.advance(amount);
    }
}

impl AsyncRead for Raw {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let available = ready!(self.as_mut().poll_fill_buf(cx))?;
        let amount = available.len().min(buffer.remaining());
        buffer.put_slice(&available[..amount]);
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

/// What `received` octets may become. Deflate makes 1032 of one at most; zstd and brotli make millions, which
/// nobody sends who does not mean to fill memory or a disk.
pub(crate) fn most_after(received: u64) -> u64 {
    received.saturating_mul(1100).saturating_add(16 << 20)
}
