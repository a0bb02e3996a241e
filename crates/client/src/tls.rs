//! TLS over a stream, in the part of the client.
//!
//! rustls is used by its API without buffers: what comes is deciphered where it was read to. Its other API takes 4 KiB
//! at a time into a buffer that shrinks and grows with each record: 1 GiB over HTTP/1.1 cost 11 % more.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ravelin_tls::pieces::{RECORD, pieces};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, CommonState, Error};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::stream::{Movement, put_gently};

mod buffer;
mod records;

use buffer::Buffer;
use records::{Records, Turn};

/// A connection over TLS.
pub(crate) struct TlsStream<S> {
    stream: S,
    records: Records,
    /// What was deciphered before there was room for it.
    ahead: Buffer,
    /// Plaintext on its way to become a record.
    record: Buffer,
    /// What TLS found wrong. Nothing is deciphered behind it.
    error: Option<Error>,
    /// Whether it was said to the server that no more is sent.
    is_shut: bool,
    movement: Arc<Movement>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream<S> {
    /// Does the handshake with the server `name`. `within` runs what calls into TLS for it.
    pub(crate) async fn connect(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        stream: S,
        movement: Arc<Movement>,
        within: impl Fn(&mut dyn FnMut()),
    ) -> io::Result<Self> {
        let mut this = Self {
            stream,
            records: Records::new(config, name).map_err(invalid)?,
            ahead: Buffer::beside_page(),
            record: Buffer::beside_page(),
            error: None,
            is_shut: false,
            movement,
        };
        std::future::poll_fn(|cx| {
            let mut polled = Poll::Pending;
            within(&mut || polled = this.poll_handshake(cx));
            polled
        })
        .await?;
        Ok(this)
    }

    /// What was agreed on.
    pub(crate) fn agreed(&self) -> &CommonState {
        self.records.agreed()
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let ahead = &mut self.ahead;
            let is_open = match self.records.turn(&mut |plain| ahead.put(plain), None) {
                Ok(Turn::Another) => continue,
                Ok(Turn::More) => false,
                Ok(Turn::Open | Turn::Over) => true,
                Err(error) => return Poll::Ready(Err(self.fail(error, cx))),
            };
            ready!(self.poll_send(cx))?;
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            if is_open {
                return Poll::Ready(Ok(()));
            }
            if ready!(self.poll_receive(cx))? == 0 {
                let why = "it ended the connection before the handshake was over";
                return Poll::Ready(Err(io::Error::new(ErrorKind::UnexpectedEof, why)));
            }
        }
    }

    /// Deciphers what came, as much as there is room for.
    fn decipher(&mut self, buffer: &mut ReadBuf<'_>, cx: &mut Context<'_>) -> io::Result<()> {
        let taken = put_gently(buffer, self.ahead.octets());
        self.ahead.consume(taken);
        if let Some(error) = &self.error {
            return Err(invalid(error.clone()));
        }
        while buffer.remaining() > 0 {
            let ahead = &mut self.ahead;
            let mut deliver = |plain: &[u8]| {
                let taken = put_gently(buffer, plain);
                ahead.put(&plain[taken..]);
            };
            match self.records.turn(&mut deliver, None) {
                Ok(Turn::Another) => {}
                Ok(_) => break,
                Err(error) => return Err(self.fail(error, cx)),
            }
        }
        Ok(())
    }

    /// Reads what has come. How many octets; none where the connection has ended.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let incoming = &mut self.records.incoming;
        let mut room = ReadBuf::new(incoming.room(LEAST_INCOMING));
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut room))?;
        let (octets, is_plenty) = (room.filled().len(), room.remaining() == 0);
        incoming.add(octets);
        if is_plenty {
            incoming.room(MOST_INCOMING.saturating_sub(incoming.len()));
        }
        Poll::Ready(Ok(octets))
    }

    /// Sends what waits for that.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outgoing = &mut self.records.outgoing;
        while !outgoing.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, outgoing.octets()))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                sent => outgoing.consume(sent),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Keeps what is wrong, and tells it to the server if that takes no waiting.
    fn fail(&mut self, error: Error, cx: &mut Context<'_>) -> io::Error {
        // One turn gives the alert. In another one, rustls would go on with what is behind.
        let _ = self.records.turn(&mut |_| {}, None);
        let _ = self.poll_send(cx);
        self.movement.tls_failed(&error);
        self.error = Some(error.clone());
        invalid(error)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        loop {
            let deciphered = this.decipher(buffer, cx);
            // What is wrong is told behind what was right.
            if buffer.filled().len() > before || buffer.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            deciphered?;
            if this.records.is_ended {
                return Poll::Ready(Ok(()));
            }
            if ready!(this.poll_receive(cx))? == 0 {
                let why = "the connection ended without close_notify, so that it may have been cut";
                return Poll::Ready(Err(io::Error::new(ErrorKind::UnexpectedEof, why)));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        plain: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(plain)])
    }

    /// Takes as much as `MOST_OUTGOING` lets wait, and sends of it what goes out at once.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        plain: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let Some(error) = &this.error {
            return Poll::Ready(Err(invalid(error.clone())));
        }
        if this.is_shut {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        if this.records.outgoing.len() >= MOST_OUTGOING {
            ready!(this.poll_send(cx))?;
        }
        let mut pieces = plain.iter().flat_map(|slice| pieces(slice));
        let mut piece: &[u8] = &[];
        let mut written = 0;
        let encrypted = this.records.open(
            &mut |octets| this.ahead.put(octets),
            &mut |traffic, outgoing| {
                while outgoing.len() < MOST_OUTGOING {
                    fill(&mut this.record, &mut piece, &mut pieces);
                    if this.record.is_empty() {
                        break;
                    }
                    records::encrypt(traffic, this.record.octets(), outgoing)?;
                    written += this.record.len();
                    this.record.consume(this.record.len());
                }
                Ok(())
            },
        );
        if let Err(error) = encrypted {
            return Poll::Ready(Err(this.fail(error, cx)));
        }
        // What could not be sent yet is sent when more is written, or flushed.
        if let Poll::Ready(Err(error)) = this.poll_send(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says `close_notify` (RFC 8446, section 6.1), and nothing more.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.is_shut && this.error.is_none() {
            this.is_shut = true;
            let closed = this
                .records
                .open(&mut |octets| this.ahead.put(octets), &mut records::close);
            if let Err(error) = closed {
                return Poll::Ready(Err(this.fail(error, cx)));
            }
        }
        ready!(this.poll_send(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

/// Fills a record with the rest of a piece, and what comes behind it.
fn fill<'a>(
    record: &mut Buffer,
    piece: &mut &'a [u8],
    pieces: &mut impl Iterator<Item = &'a [u8]>,
) {
    while record.len() < RECORD {
        if piece.is_empty() {
            match pieces.next() {
                Some(next) => *piece = next,
                None => break,
            }
        }
        let (taken, left) = piece.split_at(piece.len().min(RECORD - record.len()));
        record.put(taken);
        *piece = left;
    }
}

fn invalid(error: Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

/// How much is read at once at first, and at least.
const LEAST_INCOMING: usize = 16 << 10;

/// How much is read at once where there is plenty. What waits for its rest is never as long: rustls refuses records of
/// more than 18 KiB, and messages of the handshake of more than 64.
const MOST_INCOMING: usize = 256 << 10;

/// How much waits to be sent before no more is taken.
const MOST_OUTGOING: usize = 64 << 10;

#[cfg(test)]
mod tests;
