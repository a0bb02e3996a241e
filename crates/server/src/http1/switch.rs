//! Connections on which a client asks for another protocol, such as `WebSocket` (RFC 9110, section
//! 7.8): hyper takes them over, since tower services know how to take a connection from hyper.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::sync::oneshot;

use super::farewell;
use crate::app::{Answer, App};
use crate::body::{Body, RequestBody};
use crate::connection::Connection;
use crate::framing::{Framing, Refusal, Verdict};
use crate::lease::{Activity, Lease};
use crate::limits::Limits;
use crate::stream::Stream;
use crate::worker::Dates;

/// A connection as the driver hands it over.
pub(super) struct Handed {
    pub(super) stream: Stream,
    pub(super) framing: Framing,
    /// The header block that asks to switch: `framing` has let it pass, nobody has answered it.
    pub(super) head: Vec<u8>,
}

/// Serves requests until either side has had enough. A connection that has switched protocols
/// counts as long as it is open, whoever has it.
pub(super) async fn serve(
    handed: Handed,
    app: Rc<dyn App>,
    connection: Arc<Connection>,
    lease: &Lease,
    limits: &Limits,
    dates: &Dates,
) {
    let (shared, closed) = Shared::new(handed);
    let draining = lease.draining();
    let service = hyper::service::service_fn(|request: Request<hyper::body::Incoming>| {
        let request = request.map(RequestBody::http1);
        let answer = app.call(request, &connection);
        let draining = draining.clone();
        Answering {
            answer: Some(answer),
            finish: move |response| close_if(draining.get(), response),
        }
    });
    // No header timeout of hyper's: the framing guard sees header blocks come in, and keeps time.
    let http = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .max_buf_size(limits.header_bytes.max(8192) + 4096)
        .serve_connection(shared.clone(), service)
        .with_upgrades();
    let mut http = Box::pin(http);
    let mut told_to_close = false;

    poll_fn(|cx| {
        lease.begin_turn();
        shared.lock().reading = false;
        let finished = http.as_mut().poll(cx);
        let mut io = shared.lock();
        // The one flush of this poll. What is left when the socket is full wakes us again.
        let flushed = io.stream.poll_flush(cx);
        if finished.is_ready() || matches!(flushed, Poll::Ready(Err(_))) {
            return Poll::Ready(());
        }
        let activity = io.activity();
        if activity == Activity::Idle {
            io.stream.shrink();
        }
        let over = lease.poll_over(cx, activity, io.stream.received(), io.stream.sent());
        if over.is_ready() {
            io.expired = matches!(activity, Activity::Head(_));
            drop(io);
            if !told_to_close && activity == Activity::Idle {
                // An idle connection is closed between requests, as HTTP/1.1 allows.
                told_to_close = true;
                http.as_mut().graceful_shutdown();
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
    let farewell = {
        let mut io = shared.lock();
        io.deferred = false;
        let refusal = match io.refusal {
            Some(refusal) if refusal.in_head => Some(refusal),
            None if io.expired => Some(super::HEAD_TOOK_TOO_LONG),
            _ => None,
        };
        match refusal {
            Some(refusal) => {
                let Io {
                    stream, framing, ..
                } = &mut *io;
                let line = farewell::request_line(framing, stream.available());
                let since = io.framing.head_since();
                let said = farewell::refused(refusal, &line, since, &*app, &connection, dates);
                Some(said)
            }
            None if io.framing.is_in_body() || io.refusal.is_some() => Some(Vec::new()),
            None => None,
        }
    };
    if let Some(farewell) = farewell {
        farewell::linger(|cx, act| act(&mut shared.lock().stream, cx), &farewell).await;
    }
    if shared.lock().framing.has_switched() {
        lease.stay();
        drop((http, shared));
        let _ = closed.await;
    }
}

fn close_if(draining: bool, mut response: Response<Body>) -> Response<Body> {
    if draining {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The future that hyper waits on for a response.
struct Answering<F> {
    answer: Option<Answer>,
    finish: F,
}

impl<F> Future for Answering<F>
where
    F: Fn(Response<Body>) -> Response<Body> + Unpin,
{
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = match self.answer.take() {
            Some(Answer::Ready(response)) => response,
            Some(Answer::Later(mut later)) => match later.as_mut().poll(cx) {
                Poll::Ready(response) => response,
                Poll::Pending => {
                    self.answer = Some(Answer::Later(later));
                    return Poll::Pending;
                }
            },
            None => Response::new(Body::from(Bytes::new())),
        };
        Poll::Ready(Ok((self.finish)(response)))
    }
}

/// The stream, held by hyper and by the driver that flushes it. A mutex, although one task alone
/// uses it, because hyper hands the stream of an upgraded connection (WebSocket) to whoever asked
/// for it; uncontended it costs a few nanoseconds.
#[derive(Clone)]
struct Shared(Arc<Mutex<Io>>);

struct Io {
    stream: Stream,
    framing: Framing,
    /// A header block that came in pieces and is on its way to hyper, and how much of it has gone.
    released: Vec<u8>,
    released_read: usize,
    refusal: Option<Refusal>,
    /// The header block took too long.
    expired: bool,
    /// Whether the driver flushes at the end of its poll, so that flushes in between need not.
    deferred: bool,
    /// Whether hyper waits for the client to send.
    reading: bool,
    /// Who waits for the response that says whether the protocol is switched.
    undecided: Option<Waker>,
    /// Dropped when nobody has the stream any more.
    _open: oneshot::Sender<()>,
}

impl Shared {
    /// The stream to be shared, and what is ready when it is closed.
    fn new(handed: Handed) -> (Self, oneshot::Receiver<()>) {
        let (open, closed) = oneshot::channel();
        let io = Io {
            stream: handed.stream,
            framing: handed.framing,
            released: handed.head,
            released_read: 0,
            refusal: None,
            expired: false,
            deferred: true,
            reading: false,
            undecided: None,
            _open: open,
        };
        (Self(Arc::new(Mutex::new(io))), closed)
    }

    fn lock(&self) -> MutexGuard<'_, Io> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Io {
    /// What the connection waits for, after hyper was polled.
    fn activity(&self) -> Activity {
        if self.stream.is_blocked() {
            Activity::Client
        } else if !self.reading {
            Activity::Working
        } else if self.framing.is_in_body() {
            Activity::Client
        } else {
            self.framing
                .head_since()
                .map_or(Activity::Idle, Activity::Head)
        }
    }

    /// Hands over what has been judged; nothing at the end of the stream, and once the client was
    /// refused.
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.refusal.is_some() {
                return Poll::Ready(Ok(()));
            }
            if self.released_read < self.released.len() {
                let rest = &self.released[self.released_read..];
                let n = rest.len().min(cursor.remaining());
                cursor.put_slice(&rest[..n]);
                self.released_read += n;
                if self.released_read == self.released.len() {
                    self.released = Vec::new();
                    self.released_read = 0;
                }
                return Poll::Ready(Ok(()));
            }
            if !ready!(self.stream.poll_fill(cx))? {
                return Poll::Ready(Ok(()));
            }
            let available = self.stream.available();
            // What does not fit hyper's buffer is judged when it is asked for.
            let room = available.len().min(cursor.remaining());
            let consumed = match self.framing.inspect(&available[..room]) {
                Ok(Verdict::Pass(n)) => {
                    cursor.put_slice(&available[..n]);
                    self.stream.consume(n);
                    return Poll::Ready(Ok(()));
                }
                Ok(Verdict::Held) => room,
                Ok(Verdict::Complete(n)) => {
                    self.released = self.framing.take_held();
                    n
                }
                Ok(Verdict::Wait) => {
                    self.undecided = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                Err(refusal) => {
                    self.refusal = Some(refusal);
                    return Poll::Ready(Ok(()));
                }
            };
            self.stream.consume(consumed);
        }
    }
}

impl Read for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut io = self.lock();
        let read = io.poll_read(cx, cursor);
        io.reading = read.is_pending();
        read
    }
}

impl Write for Shared {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut io = self.lock();
        if let Some(first) = pieces.first() {
            io.framing.response_begins(first);
            if let Some(reader) = io.undecided.take() {
                reader.wake();
            }
        }
        io.stream.poll_write(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut io = self.lock();
        if io.deferred {
            Poll::Ready(Ok(()))
        } else {
            io.stream.poll_flush(cx)
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut io = self.lock();
        if io.refusal.is_some() || io.expired || io.framing.is_in_body() {
            // The driver has the last word.
            return Poll::Ready(Ok(()));
        }
        io.stream.poll_shutdown(cx)
    }
}
