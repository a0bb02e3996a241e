//! What is below TLS: any stream, with a look at whether it moves.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::error::rustls_error;

/// A stream of octets both ways.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Io for S {}

/// Any stream.
pub type BoxedIo = Box<dyn Io>;

/// What moved over a connection so far.
#[derive(Debug)]
pub(crate) struct Movement {
    began: Instant,
    received: AtomicU64,
    /// When something moved last, in milliseconds from the beginning.
    last: AtomicU64,
    /// What TLS found wrong first.
    tls_error: Mutex<Option<rustls::Error>>,
}

impl Movement {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            received: AtomicU64::new(0),
            last: AtomicU64::new(0),
            tls_error: Mutex::new(None),
        }
    }

    /// What TLS found wrong, or was told by the other. The errors of HTTP/2 do not say.
    pub(crate) fn tls_error(&self) -> Option<rustls::Error> {
        let found = self.tls_error.lock();
        found.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn moved(&self) {
        self.last
            .store(self.began.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// How many octets came.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Ends when nothing moved for so long, from now on.
    pub(crate) async fn stalled(&self, patience: Duration) {
        // What lay idle in a pool did not stall.
        self.moved();
        loop {
            let last = self.began + Duration::from_millis(self.last.load(Ordering::Relaxed));
            let until = last + patience;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

/// A stream whose movement is seen.
pub(crate) struct Watched<S> {
    stream: S,
    movement: Arc<Movement>,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S) -> (Self, Arc<Movement>) {
        let movement = Arc::new(Movement::new());
        let watched = Self {
            stream,
            movement: movement.clone(),
        };
        (watched, movement)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let read = buffer.filled().len() - before;
        if read > 0 {
            self.movement.moved();
            self.movement
                .received
                .fetch_add(read as u64, Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, octets);
        if let Poll::Ready(Ok(1..)) = polled {
            self.movement.moved();
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, octets);
        if let Poll::Ready(Ok(1..)) = polled {
            self.movement.moved();
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A stream of TLS, whose errors are kept for whoever asks.
pub(crate) struct Remembering<S> {
    stream: S,
    movement: Arc<Movement>,
}

impl<S> Remembering<S> {
    pub(crate) fn new(stream: S, movement: Arc<Movement>) -> Self {
        Self { stream, movement }
    }

    fn remember<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &polled
            && let Some(error) = rustls_error(error)
        {
            let found = self.movement.tls_error.lock();
            let mut found = found.unwrap_or_else(PoisonError::into_inner);
            found.get_or_insert_with(|| error.clone());
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Remembering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.remember(polled)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Remembering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, octets);
        self.remember(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, octets);
        self.remember(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.remember(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
