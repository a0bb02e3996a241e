//! What is below TLS: any stream, with a look at whether it moves.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use ravelin_tls::pieces::pieces;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// A stream of octets both ways.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Io for S {}

/// Any stream.
pub type BoxedIo = Box<dyn Io>;

/// What moved over a connection so far.
#[derive(Debug)]
pub(crate) struct Movement {
    received: AtomicU64,
    /// How often something moved. Not when: asking a clock each time took 2 % of a large download.
    moves: AtomicU64,
    /// What TLS found wrong first.
    tls_error: Mutex<Option<rustls::Error>>,
}

impl Movement {
    pub(crate) fn new() -> Self {
        Self {
            received: AtomicU64::new(0),
            moves: AtomicU64::new(0),
            tls_error: Mutex::new(None),
        }
    }

    /// What TLS found wrong, or was told by the other. The errors of HTTP/2 do not say.
    pub(crate) fn tls_error(&self) -> Option<rustls::Error> {
        let found = self.tls_error.lock();
        found.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// TLS found something wrong.
    pub(crate) fn tls_failed(&self, error: &rustls::Error) {
        let found = self.tls_error.lock();
        let mut found = found.unwrap_or_else(PoisonError::into_inner);
        found.get_or_insert_with(|| error.clone());
    }

    pub(crate) fn moved(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// So many octets came.
    pub(crate) fn came(&self, octets: usize) {
        if octets > 0 {
            self.moved();
            self.received.fetch_add(octets as u64, Ordering::Relaxed);
        }
    }

    /// How many octets came.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Ends when nothing moved for so long, from now on, or up to a quarter longer.
    pub(crate) async fn stalled(&self, patience: Duration) {
        let mut before = self.moves.load(Ordering::Relaxed);
        let mut since = Instant::now();
        loop {
            tokio::time::sleep(patience / LOOKS).await;
            let moves = self.moves.load(Ordering::Relaxed);
            if moves != before {
                (before, since) = (moves, Instant::now());
            } else if since.elapsed() >= patience {
                return;
            }
        }
    }
}

/// How often it is looked whether something moves, before it was waited for long enough.
const LOOKS: u32 = 4;

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
        self.movement.came(buffer.filled().len() - before);
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

/// Copies as many octets as there is room for, in pieces. How many.
pub(crate) fn put_gently(buffer: &mut ReadBuf<'_>, octets: &[u8]) -> usize {
    let given = octets.len().min(buffer.remaining());
    for piece in pieces(&octets[..given]) {
        buffer.put_slice(piece);
    }
    given
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// Whatever sizes are asked for, what comes is what was there, and is counted once.
    #[tokio::test]
    async fn what_comes_is_counted_once() {
        let octets: Vec<u8> = (0..300_000_u32).map(|number| (number >> 3) as u8).collect();
        let (mut watched, movement) = Watched::new(&octets[..]);
        let mut read = Vec::new();
        for size in (1..).step_by(997) {
            let mut piece = vec![0; size % 9000 + 1];
            match watched.read(&mut piece).await.unwrap() {
                0 => break,
                came => read.extend_from_slice(&piece[..came]),
            }
        }
        assert!(read == octets);
        assert_eq!(movement.received(), 300_000);
    }
}
