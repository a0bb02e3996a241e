//! The streams of a QUIC connection as h3 wants them.
//!
//! h3-quinn does the same, but for three things: a stream that is given up before it was finished is reset, for a
//! request that breaks off must not look whole; what comes is counted and kept within bounds; and no order of calls
//! panics.

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use h3::error::Code;
use h3::quic::{self, ConnectionErrorIncoming, StreamErrorIncoming, StreamId, WriteBuf};
use quinn::{ConnectionError, ReadError, VarInt, WriteError};
use tokio::sync::watch;

use super::guard::{Excess, Guard};
use crate::stream::Movement;

/// A connection, and what its streams tell of themselves.
pub(crate) struct Streams {
    connection: quinn::Connection,
    told: Arc<Told>,
    begins: Waiting<(quinn::SendStream, quinn::RecvStream)>,
    begins_one_way: Waiting<quinn::SendStream>,
    comes: Waiting<(quinn::SendStream, quinn::RecvStream)>,
    comes_one_way: Waiting<quinn::RecvStream>,
}

/// What is waited for. quinn forgets who waits as soon as it is dropped.
type Waiting<T> = Option<Pin<Box<dyn Future<Output = Result<T, ConnectionError>> + Send + Sync>>>;

/// What streams tell of themselves.
pub(crate) struct Told {
    movement: Arc<Movement>,
    /// The first request that the server does not answer any more.
    goes_before: watch::Sender<u64>,
    requests: Mutex<HashMap<StreamId, Arc<Ahead>>>,
}

/// How many octets of a body h3 holds, whether that is all, and the number of its stream.
pub(crate) struct Ahead {
    pub(crate) number: u64,
    octets: AtomicU64,
    is_all: AtomicBool,
}

impl Told {
    pub(crate) fn new(movement: Arc<Movement>) -> Self {
        Self {
            movement,
            goes_before: watch::Sender::new(u64::MAX),
            requests: Mutex::default(),
        }
    }

    /// Ends when the server says that it does not answer the request of this number.
    pub(crate) async fn leaves(&self, number: u64) {
        let mut goes_before = self.goes_before.subscribe();
        // Who tells is there as long as `self` is.
        let _ = goes_before.wait_for(|first| number >= *first).await;
    }

    /// Whether the server takes no more requests.
    pub(crate) fn is_leaving(&self) -> bool {
        *self.goes_before.borrow() < u64::MAX
    }

    /// What is told of a stream, from here on to the one who asks.
    pub(crate) fn take(&self, stream: StreamId) -> Option<Arc<Ahead>> {
        let requests = self.requests.lock();
        let mut requests = requests.unwrap_or_else(PoisonError::into_inner);
        requests.remove(&stream)
    }

    fn begun(&self, stream: StreamId, ahead: Arc<Ahead>) {
        let requests = self.requests.lock();
        let mut requests = requests.unwrap_or_else(PoisonError::into_inner);
        requests.insert(stream, ahead);
    }
}

impl Ahead {
    /// So many octets were taken from h3.
    pub(crate) fn taken(&self, octets: usize) {
        self.octets.fetch_sub(octets as u64, Ordering::Relaxed);
    }

    /// Whether the stream has ended, and all of the body was taken.
    pub(crate) fn is_over(&self) -> bool {
        self.is_all.load(Ordering::Relaxed) && self.octets.load(Ordering::Relaxed) == 0
    }
}

impl Streams {
    pub(crate) fn new(connection: quinn::Connection, told: Arc<Told>) -> Self {
        Self {
            connection,
            told,
            begins: None,
            begins_one_way: None,
            comes: None,
            comes_one_way: None,
        }
    }

    fn sending(&self, stream: quinn::SendStream, is_request: bool) -> Sending {
        Sending {
            stream,
            writing: None,
            movement: self.told.movement.clone(),
            is_open: is_request,
        }
    }

    fn receiving(&self, stream: quinn::RecvStream, guard: Guard) -> Receiving {
        Receiving {
            guard,
            ahead: Arc::new(Ahead {
                number: VarInt::from(stream.id()).into_inner(),
                octets: AtomicU64::new(0),
                is_all: AtomicBool::new(false),
            }),
            told: self.told.clone(),
            stream,
        }
    }

    fn both(&self, (send, receive): (quinn::SendStream, quinn::RecvStream)) -> Both {
        let receiving = self.receiving(receive, Guard::of_request());
        let stream = quic::RecvStream::recv_id(&receiving);
        self.told.begun(stream, receiving.ahead.clone());
        Both {
            sending: self.sending(send, true),
            receiving,
        }
    }
}

impl Clone for Streams {
    fn clone(&self) -> Self {
        Self::new(self.connection.clone(), self.told.clone())
    }
}

fn poll_waiting<T, F>(
    waiting: &mut Waiting<T>,
    cx: &mut Context<'_>,
    begin: impl FnOnce() -> F,
) -> Poll<Result<T, ConnectionErrorIncoming>>
where
    F: Future<Output = Result<T, ConnectionError>> + Send + Sync + 'static,
{
    let future = waiting.get_or_insert_with(|| Box::pin(begin()));
    let result = ready!(future.as_mut().poll(cx));
    *waiting = None;
    Poll::Ready(result.map_err(lost))
}

impl quic::OpenStreams<Bytes> for Streams {
    type BidiStream = Both;
    type SendStream = Sending;

    fn poll_open_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, StreamErrorIncoming>> {
        let connection = self.connection.clone();
        let begin = || async move { connection.open_bi().await };
        let opened = ready!(poll_waiting(&mut self.begins, cx, begin));
        Poll::Ready(opened.map(|streams| self.both(streams)).map_err(of_stream))
    }

    fn poll_open_send(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::SendStream, StreamErrorIncoming>> {
        let connection = self.connection.clone();
        let begin = || async move { connection.open_uni().await };
        let opened = ready!(poll_waiting(&mut self.begins_one_way, cx, begin));
        Poll::Ready(
            opened
                .map(|stream| self.sending(stream, false))
                .map_err(of_stream),
        )
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.connection.close(code_of(code.value()), reason);
    }
}

impl quic::Connection<Bytes> for Streams {
    type RecvStream = Receiving;
    type OpenStreams = Self;

    fn poll_accept_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::RecvStream, ConnectionErrorIncoming>> {
        let connection = self.connection.clone();
        let begin = || async move { connection.accept_uni().await };
        let stream = ready!(poll_waiting(&mut self.comes_one_way, cx, begin))?;
        Poll::Ready(Ok(self.receiving(stream, Guard::of_server())))
    }

    fn poll_accept_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, ConnectionErrorIncoming>> {
        let connection = self.connection.clone();
        let begin = || async move { connection.accept_bi().await };
        let streams = ready!(poll_waiting(&mut self.comes, cx, begin))?;
        Poll::Ready(Ok(self.both(streams)))
    }

    fn opener(&self) -> Self::OpenStreams {
        self.clone()
    }
}

/// A stream both ways: a request and its answer.
pub(crate) struct Both {
    sending: Sending,
    receiving: Receiving,
}

impl quic::BidiStream<Bytes> for Both {
    type SendStream = Sending;
    type RecvStream = Receiving;

    fn split(self) -> (Sending, Receiving) {
        (self.sending, self.receiving)
    }
}

impl quic::RecvStream for Both {
    type Buf = Bytes;

    fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        self.receiving.poll_data(cx)
    }

    fn stop_sending(&mut self, code: u64) {
        self.receiving.stop_sending(code);
    }

    fn recv_id(&self) -> StreamId {
        self.receiving.recv_id()
    }
}

impl quic::SendStream<Bytes> for Both {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.sending.poll_ready(cx)
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        self.sending.send_data(data)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.sending.poll_finish(cx)
    }

    fn reset(&mut self, code: u64) {
        self.sending.reset(code);
    }

    fn send_id(&self) -> StreamId {
        self.sending.send_id()
    }
}

/// What is sent over a stream.
pub(crate) struct Sending {
    stream: quinn::SendStream,
    writing: Option<WriteBuf<Bytes>>,
    movement: Arc<Movement>,
    /// Whether it is of a request, and not finished yet.
    is_open: bool,
}

impl quic::SendStream<Bytes> for Sending {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        while let Some(writing) = &mut self.writing {
            if !writing.has_remaining() {
                self.writing = None;
                break;
            }
            let stream = Pin::new(&mut self.stream);
            let written = ready!(stream.poll_write(cx, writing.chunk()));
            writing.advance(written.map_err(unwritten)?);
            self.movement.moved();
        }
        Poll::Ready(Ok(()))
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        if self.writing.is_some() {
            let why = "what was sent before has not gone out";
            return Err(StreamErrorIncoming::Unknown(why.into()));
        }
        self.writing = Some(data.into());
        Ok(())
    }

    fn poll_finish(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.is_open = false;
        // One that was stopped by the other end needs no end.
        let _ = self.stream.finish();
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self, code: u64) {
        self.is_open = false;
        let _ = self.stream.reset(code_of(code));
    }

    fn send_id(&self) -> StreamId {
        id(self.stream.id())
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if self.is_open {
            // quinn would end it as if all had been sent.
            quic::SendStream::<Bytes>::reset(self, Code::H3_REQUEST_CANCELLED.value());
        }
    }
}

/// What comes over a stream.
pub(crate) struct Receiving {
    stream: quinn::RecvStream,
    guard: Guard,
    ahead: Arc<Ahead>,
    told: Arc<Told>,
}

impl Receiving {
    fn excess(&mut self, excess: Excess) -> StreamErrorIncoming {
        let code = match excess {
            Excess::Long => Code::H3_EXCESSIVE_LOAD,
            Excess::Cut => Code::H3_FRAME_ERROR,
        };
        quic::RecvStream::stop_sending(self, code.value());
        StreamErrorIncoming::Unknown(Box::new(excess))
    }
}

impl quic::RecvStream for Receiving {
    type Buf = Bytes;

    fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        // h3 reads on whenever it is asked for what it has. As long as it holds octets of a body it gives them, and asks
        // again.
        if self.ahead.octets.load(Ordering::Relaxed) >= MOST_AHEAD {
            return Poll::Pending;
        }
        let read = ready!(pin!(self.stream.read_chunk(PIECE, true)).poll(cx));
        let Some(chunk) = read.map_err(unread)? else {
            self.ahead.is_all.store(true, Ordering::Relaxed);
            return Poll::Ready(match self.guard.end() {
                Ok(()) => Ok(None),
                Err(excess) => Err(self.excess(excess)),
            });
        };
        let octets = chunk.bytes;
        self.told.movement.came(octets.len());
        let passed = match self.guard.pass(&octets) {
            Ok(passed) => passed,
            Err(excess) => return Poll::Ready(Err(self.excess(excess))),
        };
        self.ahead.octets.fetch_add(passed.data, Ordering::Relaxed);
        if let Some(first) = passed.goes_before {
            self.told.goes_before.send_replace(first);
        }
        Poll::Ready(Ok(Some(octets)))
    }

    fn stop_sending(&mut self, code: u64) {
        let _ = self.stream.stop(code_of(code));
    }

    fn recv_id(&self) -> StreamId {
        id(self.stream.id())
    }
}

fn id(stream: quinn::StreamId) -> StreamId {
    let number = VarInt::from(stream).into_inner();
    // Both libraries count to the same number.
    StreamId::try_from(number).unwrap_or_else(|_| unreachable!("a number of 62 bits"))
}

fn code_of(code: u64) -> VarInt {
    VarInt::from_u64(code).unwrap_or(VarInt::MAX)
}

fn lost(error: ConnectionError) -> ConnectionErrorIncoming {
    match error {
        ConnectionError::ApplicationClosed(close) => ConnectionErrorIncoming::ApplicationClose {
            error_code: close.error_code.into_inner(),
        },
        ConnectionError::TimedOut => ConnectionErrorIncoming::Timeout,
        other => ConnectionErrorIncoming::Undefined(Arc::new(other)),
    }
}

fn of_stream(connection_error: ConnectionErrorIncoming) -> StreamErrorIncoming {
    StreamErrorIncoming::ConnectionErrorIncoming { connection_error }
}

fn unread(error: ReadError) -> StreamErrorIncoming {
    match error {
        ReadError::Reset(code) => StreamErrorIncoming::StreamTerminated {
            error_code: code.into_inner(),
        },
        ReadError::ConnectionLost(error) => of_stream(lost(error)),
        other => StreamErrorIncoming::Unknown(Box::new(other)),
    }
}

fn unwritten(error: WriteError) -> StreamErrorIncoming {
    match error {
        WriteError::Stopped(code) => StreamErrorIncoming::StreamTerminated {
            error_code: code.into_inner(),
        },
        WriteError::ConnectionLost(error) => of_stream(lost(error)),
        other => StreamErrorIncoming::Unknown(Box::new(other)),
    }
}

/// How many octets of a body h3 holds at most, and one piece more.
const MOST_AHEAD: u64 = 128 << 10;

/// How much is read at once.
const PIECE: usize = 64 << 10;
