//! The byte stream under HTTP: TLS (or plain TCP) over a socket, written in large pieces.
//!
//! HTTP drivers write and flush every response on its own. That costs a TLS record and a system
//! call each, so this stream gathers what one poll of the connection writes and the driver calls
//! [`Stream::poll_flush`] once when that poll returns. With `hyper` and `h2` as drivers that alone
//! more than halved the cost of a 1 KiB response over HTTP/2, 32 streams at a time.

use std::io::{self, BufRead, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ravelin_lens::ledger::Side;
use ravelin_lens::recorder::Recorder;
use ravelin_tls::pieces::{self, RECORD};
use rustls::ServerConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Plaintext of up to this size waits for its neighbours: more would need another record.
const GATHER: usize = RECORD;

/// Ciphertext that may wait for the socket before writers have to. Large enough that one `writev`
/// carries many records, small enough to stay in the cache.
const BACKLOG: usize = 256 * 1024;

/// One end of a connection. After [`Stream::poll_fill`] the received plaintext is read with
/// [`Stream::available`] and [`Stream::consume`].
pub(crate) struct Stream {
    tcp: TcpStream,
    layer: Layer,
    /// Where the connection is recorded, until that is full.
    recorder: Option<Recorder>,
    /// Plaintext that is waiting to be sealed and sent.
    gathered: Vec<u8>,
    /// The peer has said that it will send nothing more.
    ended: bool,
    /// Whether the last flush found the socket full: the peer is not reading.
    blocked: bool,
    received: u64,
    sent: u64,
}

enum Layer {
    /// Boxed: an established connection is large and the stream moves a few times.
    Tls(Box<ServerConnection>),
    Plain {
        input: Vec<u8>,
        read: usize,
    },
}

impl Stream {
    /// A TLS stream whose handshake may still be under way; all from here on goes to the `recorder`,
    /// where there is one.
    pub(crate) fn tls(
        tcp: TcpStream,
        mut connection: ServerConnection,
        recorder: Option<Recorder>,
    ) -> Self {
        connection.set_buffer_limit(Some(BACKLOG));
        Self {
            recorder,
            ..Self::new(tcp, Layer::Tls(Box::new(connection)))
        }
    }

    /// A stream without TLS: the redirect listener's.
    pub(crate) fn plain(tcp: TcpStream) -> Self {
        Self::new(
            tcp,
            Layer::Plain {
                input: Vec::new(),
                read: 0,
            },
        )
    }

    fn new(tcp: TcpStream, layer: Layer) -> Self {
        Self {
            tcp,
            layer,
            recorder: None,
            gathered: Vec::new(),
            ended: false,
            blocked: false,
            received: 0,
            sent: 0,
        }
    }

    /// The TLS connection, where there is one.
    pub(crate) fn connection(&self) -> Option<&ServerConnection> {
        match &self.layer {
            Layer::Tls(connection) => Some(connection),
            Layer::Plain { .. } => None,
        }
    }

    /// Plaintext bytes received so far.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Bytes that the socket has taken so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether the peer keeps us from sending.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Whether the connection was reset, or given up by the system.
    pub(crate) fn has_failed(&self) -> bool {
        !matches!(self.tcp.take_error(), Ok(None))
    }

    /// Waits until the handshake is over. Session tickets may be left to go out with the first
    /// response: that saves a system call.
    pub(crate) fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let Layer::Tls(connection) = &mut self.layer else {
                return Poll::Ready(Ok(()));
            };
            if !connection.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            if connection.wants_write() {
                ready!(self.poll_flush(cx))?;
                continue;
            }
            let ended = ready!(self.poll_receive(cx))? == 0;
            // Its end may come together with the last of the handshake, and with a request.
            if ended && self.connection().is_some_and(|tls| tls.is_handshaking()) {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Waits until there is plaintext to read, or the peer has ended its side (`false`).
    pub(crate) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            if !self.available().is_empty() {
                return Poll::Ready(Ok(true));
            }
            if self.ended || ready!(self.poll_receive(cx))? == 0 {
                self.ended = true;
                return Poll::Ready(Ok(!self.available().is_empty()));
            }
        }
    }

    /// Plaintext that has arrived and was not consumed yet.
    pub(crate) fn available(&mut self) -> &[u8] {
        match &mut self.layer {
            Layer::Tls(connection) => connection.reader().into_first_chunk().unwrap_or_default(),
            Layer::Plain { input, read } => &input[*read..],
        }
    }

    /// Marks `n` bytes of [`Stream::available`] as read.
    pub(crate) fn consume(&mut self, n: usize) {
        self.received += n as u64;
        match &mut self.layer {
            Layer::Tls(connection) => connection.reader().consume(n),
            Layer::Plain { input, read } => {
                *read += n;
                if *read == input.len() {
                    *input = Vec::new();
                    *read = 0;
                }
            }
        }
    }

    /// Reads from the socket once. 0 is the end: `close_notify`, or the end of the TCP stream.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match &mut self.layer {
            Layer::Tls(connection) => {
                let mut socket = Socket {
                    tcp: &mut self.tcp,
                    recorder: self.recorder.as_ref(),
                    cx,
                };
                let n = ready!(or_pending(connection.read_tls(&mut socket)))?;
                let processed = match &self.recorder {
                    Some(recorder) => recorder.scope(|| connection.process_new_packets()),
                    None => connection.process_new_packets(),
                };
                match processed {
                    Ok(state) if state.peer_has_closed() => Poll::Ready(Ok(0)),
                    Ok(_) => Poll::Ready(Ok(n)),
                    Err(error) => {
                        // The alert that tells the peer what was wrong is worth one try.
                        let _ = self.poll_flush(cx);
                        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)))
                    }
                }
            }
            Layer::Plain { input, read } => {
                input.drain(..*read);
                *read = 0;
                let held = input.len();
                input.resize(held + 4096, 0);
                let mut socket = Socket {
                    tcp: &mut self.tcp,
                    recorder: self.recorder.as_ref(),
                    cx,
                };
                let result = socket.read(&mut input[held..]);
                input.truncate(held + *result.as_ref().unwrap_or(&0));
                or_pending(result)
            }
        }
    }

    /// The plaintext that waits to be sealed, to write short things into directly. Bounded by who
    /// calls: it is to be flushed, or followed by [`Stream::poll_write`], before much more.
    pub(crate) fn gather(&mut self) -> &mut Vec<u8> {
        &mut self.gathered
    }

    /// Takes plaintext to send; some of it, where the peer is slow to read.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let total: usize = pieces.iter().map(|piece| piece.len()).sum();
        if self.gathered.len() + total <= GATHER {
            for piece in pieces {
                self.gathered.extend_from_slice(piece);
            }
            return Poll::Ready(Ok(total));
        }
        loop {
            let written = match &mut self.layer {
                Layer::Tls(connection) => {
                    // What was gathered begins the first record.
                    let sealed = pieces::write(&mut connection.writer(), &self.gathered, pieces)?;
                    let written = sealed.saturating_sub(self.gathered.len());
                    self.gathered.drain(..sealed - written);
                    written
                }
                Layer::Plain { .. } if self.gathered.len() < BACKLOG => {
                    for piece in pieces {
                        self.gathered.extend_from_slice(piece);
                    }
                    total
                }
                Layer::Plain { .. } => 0,
            };
            if written > 0 {
                return Poll::Ready(Ok(written));
            }
            ready!(self.poll_flush(cx))?;
        }
    }

    /// Turns gathered plaintext into records. `false` where the backlog is full.
    fn seal_gathered(&mut self) -> io::Result<bool> {
        match &mut self.layer {
            Layer::Tls(connection) => {
                if self.gathered.is_empty() {
                    return Ok(true);
                }
                let n = pieces::write(&mut connection.writer(), &self.gathered, &[])?;
                self.gathered.drain(..n);
                Ok(self.gathered.is_empty())
            }
            Layer::Plain { .. } => Ok(self.gathered.len() < BACKLOG),
        }
    }

    /// Sends everything that was written.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let sealed = self.seal_gathered()?;
            let sent = match &mut self.layer {
                Layer::Tls(connection) if connection.wants_write() => {
                    let mut socket = Socket {
                        tcp: &mut self.tcp,
                        recorder: self.recorder.as_ref(),
                        cx,
                    };
                    or_pending(connection.write_tls(&mut socket))
                }
                Layer::Plain { .. } if !self.gathered.is_empty() => {
                    let sent = Pin::new(&mut self.tcp).poll_write(cx, &self.gathered);
                    if let Poll::Ready(Ok(n)) = sent {
                        self.gathered.drain(..n);
                    }
                    sent
                }
                _ if sealed => {
                    self.blocked = false;
                    return Poll::Ready(Ok(()));
                }
                _ => continue,
            };
            self.blocked = sent.is_pending();
            match ready!(sent)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.sent += n as u64,
            }
        }
    }

    /// Gives idle memory back: what is left between requests is what thousands of idle
    /// connections cost.
    pub(crate) fn shrink(&mut self) {
        if self.gathered.is_empty() && self.gathered.capacity() > 0 {
            self.gathered = Vec::new();
        }
    }

    /// Says that nothing more will be sent (`close_notify`, then FIN), after sending what waits.
    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.seal_gathered()? {
            ready!(self.poll_flush(cx))?;
        }
        if let Layer::Tls(connection) = &mut self.layer {
            connection.send_close_notify();
        }
        ready!(self.poll_flush(cx))?;
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    /// Reads and forgets what the peer still sends, so that closing the socket does not make the
    /// kernel reset the connection and throw away the response that the peer has not read yet
    /// (RFC 9112, section 9.6). Ready at the end, or when `left` bytes were read.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>, left: &mut usize) -> Poll<()> {
        let mut scratch = [0; 4096];
        loop {
            let mut socket = Socket {
                tcp: &mut self.tcp,
                recorder: self.recorder.as_ref(),
                cx,
            };
            match ready!(or_pending(socket.read(&mut scratch))) {
                Ok(n) if n > 0 && n <= *left => *left -= n,
                _ => return Poll::Ready(()),
            }
        }
    }
}

/// The socket as rustls wants it: `WouldBlock` where the task has to wait and will be woken.
struct Socket<'a, 'cx> {
    tcp: &'a mut TcpStream,
    recorder: Option<&'a Recorder>,
    cx: &'a mut Context<'cx>,
}

impl Socket<'_, '_> {
    /// Takes down the first `octets` of what went, or what came.
    fn record<'b>(&self, side: Side, pieces: impl Iterator<Item = &'b [u8]>, mut octets: usize) {
        let Some(recorder) = &self.recorder else {
            return;
        };
        for piece in pieces {
            let taken = piece.get(..octets).unwrap_or(piece);
            recorder.sent(side, taken);
            octets -= taken.len();
        }
    }
}

impl Read for Socket<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // `poll_read` rather than `try_read`: a short read tells tokio that the socket is empty,
        // and spares the system call that would find nothing.
        let mut buf = ReadBuf::new(buf);
        match Pin::new(&mut *self.tcp).poll_read(self.cx, &mut buf) {
            Poll::Ready(Ok(())) => {
                let filled = buf.filled();
                let octets = filled.len();
                self.record(Side::Client, std::iter::once(filled), octets);
                Ok(octets)
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Socket<'_, '_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match Pin::new(&mut *self.tcp).poll_write(self.cx, buf) {
            Poll::Ready(result) => {
                let octets = *result.as_ref().unwrap_or(&0);
                self.record(Side::Server, std::iter::once(buf), octets);
                result
            }
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        // A single record is the common case, and `send` is cheaper than `writev`.
        if let [buf] = bufs {
            return self.write(buf);
        }
        match Pin::new(&mut *self.tcp).poll_write_vectored(self.cx, bufs) {
            Poll::Ready(result) => {
                let octets = *result.as_ref().unwrap_or(&0);
                self.record(Side::Server, bufs.iter().map(|buf| &**buf), octets);
                result
            }
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn or_pending(result: io::Result<usize>) -> Poll<io::Result<usize>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
        other => Poll::Ready(other),
    }
}
