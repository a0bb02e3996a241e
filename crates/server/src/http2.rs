//! The HTTP/2 driver (RFC 9113): the `h2` crate on a stream that is flushed once a poll.
//!
//! Requests that can be answered at once are answered while the frames that brought them are being
//! read, without a task of their own. The others, and bodies that come piece by piece, run as
//! tasks on the same thread.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, SendStream};
use http::{Response, header};
use http_body::Body as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::app::{Answer, App};
use crate::body::{Body, Progress, RequestBody};
use crate::connection::Connection;
use crate::lease::{Activity, Lease};
use crate::limits::Limits;
use crate::stream::Stream;
use crate::worker::Dates;

/// What a client may send before a handler has asked for it, per stream and per connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Bodies up to this size are handed to `h2` whole: they are shared slices of a cache, not copies.
const WHOLE_BODY: usize = 256 * 1024;

/// Streams that a client has reset and that were not looked at yet, and errors of a client that we
/// answer with a reset: past these the connection is closed (CVE-2023-44487, "rapid reset").
const PENDING_RESETS: usize = 32;
const ERROR_RESETS: usize = 128;

/// Bytes of frames that are neither a request nor its body (PING, SETTINGS, PRIORITY, empty DATA)
/// that a client may send, beside what each request and each answer naturally bring with them.
const NOISE: u64 = 256 * 1024;
const NOISE_A_REQUEST: u64 = 64 * 1024;

/// Serves requests on `stream` until either side has had enough.
pub(crate) async fn serve(
    stream: Stream,
    app: Rc<dyn App>,
    connection: Arc<Connection>,
    lease: &Lease,
    limits: &Limits,
    dates: Rc<Dates>,
) {
    let shared = Shared(Rc::new(RefCell::new(stream)));
    let work = Rc::new(Work::default());
    let mut handshake = pin!(
        h2::server::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_streams(limits.http2_streams)
            .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
            .max_concurrent_reset_streams(PENDING_RESETS)
            .max_pending_accept_reset_streams(PENDING_RESETS)
            .max_local_error_reset_streams(Some(ERROR_RESETS))
            .handshake::<_, Bytes>(shared.clone())
    );
    let handshake = poll_fn(|cx| {
        let http = handshake.as_mut().poll(cx);
        // An error shows again at the next read.
        let _ = shared.0.borrow_mut().poll_flush(cx);
        if http.is_pending() && lease.poll_over(cx, Activity::Idle, 0, 0).is_ready() {
            return Poll::Ready(None);
        }
        http.map(Result::ok)
    });
    let Some(mut http) = handshake.await else {
        return;
    };

    let mut told_to_close = false;
    let mut requests = 0;
    let mut sent_on_streams = 0;
    poll_fn(|cx| {
        lease.begin_turn();
        loop {
            match http.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    requests += 1;
                    if request.headers().len() > limits.header_fields {
                        refuse(respond, &dates);
                        continue;
                    }
                    let request =
                        request.map(|body| RequestBody::http2(body, work.progress.clone()));
                    match app.call(request, &connection) {
                        Answer::Ready(response) => answer(response, respond, &work, &dates),
                        Answer::Later(later) => {
                            let (work, dates) = (work.clone(), dates.clone());
                            tokio::task::spawn_local(answer_later(later, respond, work, dates));
                        }
                    }
                }
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        let mut stream = shared.0.borrow_mut();
        // The one flush of this poll. What is left when the socket is full wakes us again.
        if let Poll::Ready(Err(_)) = stream.poll_flush(cx) {
            return Poll::Ready(());
        }
        let activity = if !http.has_streams() {
            stream.shrink();
            Activity::Idle
        } else if work.is_busy() && !stream.is_blocked() {
            sent_on_streams = stream.sent();
            Activity::Working
        } else {
            sent_on_streams = stream.sent();
            Activity::Client
        };
        let bodies = work.progress.received();
        let noise = stream.received().saturating_sub(bodies);
        let flooded = noise > NOISE + requests * NOISE_A_REQUEST + sent_on_streams / 32;
        drop(stream);
        if flooded {
            http.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
            cx.waker().wake_by_ref();
        }
        // PINGs are no sign of life: only requests and their bodies count.
        let over = lease
            .poll_over(cx, activity, requests + bodies, sent_on_streams)
            .is_ready();
        if !told_to_close && (lease.is_draining() || over && activity == Activity::Idle) {
            told_to_close = true;
            http.graceful_shutdown();
            cx.waker().wake_by_ref();
        } else if over {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
}

/// Waits for a handler's response, unless the client goes away first.
async fn answer_later(
    mut later: Pin<Box<dyn Future<Output = Response<Body>>>>,
    mut respond: SendResponse<Bytes>,
    work: Rc<Work>,
    dates: Rc<Dates>,
) {
    let busy = work.busy();
    let response = poll_fn(|cx| match respond.poll_reset(cx) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => later.as_mut().poll(cx).map(Some),
    })
    .await;
    drop(busy);
    if let Some(response) = response {
        answer(response, respond, &work, &dates);
    }
}

/// Sends a response: at once where its body is at hand, else by a task of its own.
fn answer(
    response: Response<Body>,
    mut respond: SendResponse<Bytes>,
    work: &Rc<Work>,
    dates: &Dates,
) {
    let (mut head, mut body) = response.into_parts();
    body.unprepare(&mut head.headers);
    head.headers
        .entry(header::DATE)
        .or_insert_with(|| dates.now());
    let whole = body.take_ready();
    if whole.is_none()
        && let Some(length) = body.size_hint().exact()
    {
        head.headers
            .entry(header::CONTENT_LENGTH)
            .or_insert_with(|| length.into());
    }
    let ended = whole.as_ref().is_some_and(Bytes::is_empty);
    // An error here is a stream that the client has reset: nobody is there to be told.
    let Ok(mut send) = respond.send_response(Response::from_parts(head, ()), ended) else {
        return;
    };
    match whole {
        Some(_) if ended => {}
        Some(bytes) if bytes.len() <= WHOLE_BODY => {
            let _ = send.send_data(bytes, true);
        }
        Some(bytes) => {
            tokio::task::spawn_local(async move {
                let _ = send_pieces(&mut send, bytes, true).await;
                drop(body);
            });
        }
        None => {
            tokio::task::spawn_local(send_body(body, send, work.clone()));
        }
    }
}

/// Sends a body as it comes and as the client takes it.
async fn send_body(body: Body, mut send: SendStream<Bytes>, work: Rc<Work>) {
    let mut body = pin!(body);
    loop {
        let busy = work.busy();
        let frame = poll_fn(|cx| match send.poll_reset(cx) {
            Poll::Ready(_) => Poll::Ready(Err(())),
            Poll::Pending => body.as_mut().poll_frame(cx).map(Ok),
        })
        .await;
        drop(busy);
        match frame {
            Err(()) => return,
            Ok(None) => {
                let _ = send.send_data(Bytes::new(), true);
                return;
            }
            Ok(Some(Err(_))) => return send.send_reset(Reason::INTERNAL_ERROR),
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    let last = body.is_end_stream();
                    if send_pieces(&mut send, data, last).await.is_err() || last {
                        return;
                    }
                }
                Err(frame) => {
                    let _ = send.send_trailers(frame.into_trailers().unwrap_or_default());
                    return;
                }
            },
        }
    }
}

/// Sends `bytes` in pieces that the client's windows have room for (RFC 9113, section 5.2).
async fn send_pieces(
    send: &mut SendStream<Bytes>,
    mut bytes: Bytes,
    last: bool,
) -> Result<(), h2::Error> {
    while !bytes.is_empty() {
        send.reserve_capacity(bytes.len());
        let room = match poll_fn(|cx| send.poll_capacity(cx)).await {
            Some(room) => room?,
            None => return Err(Reason::CANCEL.into()),
        };
        let piece = bytes.split_to(room.min(bytes.len()));
        send.send_data(piece, last && bytes.is_empty())?;
    }
    Ok(())
}

/// Answers a request with too many header fields.
fn refuse(mut respond: SendResponse<Bytes>, dates: &Dates) {
    let status = http::StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    let (content_type, body) = crate::error_page::body(status, None, None);
    let mut response = Response::new(());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response.headers_mut().insert(header::DATE, dates.now());
    if let Ok(mut send) = respond.send_response(response, false) {
        let _ = send.send_data(body, true);
    }
}

/// What a connection's handlers are doing, for the rule that tells a slow client from a slow
/// handler.
#[derive(Debug, Default)]
struct Work {
    busy: Cell<usize>,
    progress: Arc<Progress>,
}

impl Work {
    /// Counts a handler that works until the guard is dropped.
    fn busy(&self) -> Busy<'_> {
        self.busy.set(self.busy.get() + 1);
        Busy(self)
    }

    /// Whether a handler works that does not itself wait for the client.
    fn is_busy(&self) -> bool {
        self.busy.get() > self.progress.waiting()
    }
}

struct Busy<'a>(&'a Work);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get() - 1);
    }
}

/// The stream, held by `h2` and by the driver that flushes it.
#[derive(Clone)]
struct Shared(Rc<RefCell<Stream>>);

impl AsyncRead for Shared {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut stream = self.0.borrow_mut();
        if ready!(stream.poll_fill(cx))? {
            let available = stream.available();
            let n = available.len().min(buf.remaining());
            buf.put_slice(&available[..n]);
            stream.consume(n);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Shared {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0
            .borrow_mut()
            .poll_write(cx, &[io::IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_write(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// The driver flushes, once a poll.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().poll_shutdown(cx)
    }
}
