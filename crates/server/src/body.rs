//! Request and response bodies: what handlers read and what they answer with.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::files::FileBody;
use crate::inbox::Outlet;
use crate::prepared::PreparedFields;
use crate::record::Record;

/// Any error of a body, whoever made it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a response.
pub struct Body {
    source: Source,
    /// Fields of the response that were written before, for drivers to send as they stand.
    prepared: Option<Rc<PreparedFields>>,
    /// The access log's entry for this response; written when the body is dropped.
    record: Option<Box<Record>>,
}

enum Source {
    Empty,
    Full(Bytes),
    File(FileBody),
    Stream(Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError>>>),
}

impl Body {
    /// A body of no bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self::new(Source::Empty)
    }

    /// A body that comes piece by piece.
    pub fn stream<B>(body: B) -> Self
    where
        B: HttpBody + 'static,
        B::Error: Into<BoxError>,
    {
        let body = body
            .map_frame(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
            .map_err(Into::into);
        Self::new(Source::Stream(Box::pin(body)))
    }

    pub(crate) fn file(body: FileBody) -> Self {
        Self::new(Source::File(body))
    }

    fn new(source: Source) -> Self {
        Self {
            source,
            prepared: None,
            record: None,
        }
    }

    /// Sends these fields with the response, beside those in its `HeaderMap`.
    pub(crate) fn set_prepared(&mut self, fields: Rc<PreparedFields>) {
        self.prepared = Some(fields);
    }

    /// Fields to be sent with the response beside those in its `HeaderMap`.
    pub(crate) fn prepared(&self) -> Option<&PreparedFields> {
        self.prepared.as_deref()
    }

    /// Moves the prepared fields into `headers`, for who wants to look at them or add to them.
    pub(crate) fn unprepare(&mut self, headers: &mut HeaderMap) {
        if let Some(prepared) = self.prepared.take() {
            headers.extend(prepared.fields().clone());
        }
    }

    pub(crate) fn set_record(&mut self, record: Box<Record>) {
        self.record = Some(record);
    }

    /// The whole body where it is at hand, so that it can be sent without polling.
    pub(crate) fn take_ready(&mut self) -> Option<Bytes> {
        let bytes = match &mut self.source {
            Source::Empty => Bytes::new(),
            Source::Full(bytes) => std::mem::take(bytes),
            _ => return None,
        };
        self.source = Source::Empty;
        self.count(bytes.len());
        Some(bytes)
    }

    fn count(&mut self, bytes: usize) {
        if let Some(record) = &mut self.record {
            record.add_bytes(bytes as u64);
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::new(if bytes.is_empty() {
            Source::Empty
        } else {
            Source::Full(bytes)
        })
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("size", &self.size_hint())
            .finish_non_exhaustive()
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let frame = match &mut this.source {
            Source::Empty => None,
            Source::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                this.source = Source::Empty;
                Some(Ok(Frame::data(bytes)))
            }
            Source::File(file) => {
                ready!(file.poll_chunk(cx)).map(|chunk| chunk.map(Frame::data).map_err(Into::into))
            }
            Source::Stream(stream) => ready!(stream.as_mut().poll_frame(cx)),
        };
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            this.count(data.len());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Empty => true,
            Source::Full(bytes) => bytes.is_empty(),
            Source::File(file) => file.remaining() == 0,
            Source::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Empty => SizeHint::with_exact(0),
            Source::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Source::File(file) => SizeHint::with_exact(file.remaining()),
            Source::Stream(stream) => stream.size_hint(),
        }
    }
}

/// The body of a request, as it comes in.
pub struct RequestBody {
    source: RequestSource,
    /// Bytes that may still come.
    left: u64,
    /// Where what was read is counted, for drivers that want to know.
    progress: Option<Arc<Progress>>,
    /// Whether the handler is waiting for the client.
    waiting: bool,
}

/// How far the request bodies of a connection have come, for the rule that slow ones are cut off.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    received: AtomicU64,
    waiting: AtomicUsize,
}

impl Progress {
    /// Body bytes that handlers have read.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Handlers that wait for body bytes.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

enum RequestSource {
    None,
    Inbox { outlet: Outlet, length: Option<u64> },
    Http1(hyper::body::Incoming),
}

/// The request's body is longer than the route takes (413).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request body is longer than this route takes")]
pub struct BodyTooLarge;

impl RequestBody {
    /// No body.
    pub(crate) fn none() -> Self {
        let source = RequestSource::None;
        Self {
            source,
            left: u64::MAX,
            progress: None,
            waiting: false,
        }
    }

    /// A body that a driver pushes, of `length` bytes where the client has said how many.
    pub(crate) fn inbox(
        outlet: Outlet,
        length: Option<u64>,
        progress: Option<Arc<Progress>>,
    ) -> Self {
        let source = RequestSource::Inbox { outlet, length };
        Self {
            source,
            left: u64::MAX,
            progress,
            waiting: false,
        }
    }

    pub(crate) fn http1(body: hyper::body::Incoming) -> Self {
        Self {
            source: RequestSource::Http1(body),
            left: u64::MAX,
            progress: None,
            waiting: false,
        }
    }

    /// Takes no more than `limit` bytes from the client.
    ///
    /// # Errors
    ///
    /// When the client has announced more.
    pub(crate) fn limit(&mut self, limit: u64) -> Result<(), BodyTooLarge> {
        self.left = limit;
        if self.size_hint().lower() > limit {
            Err(BodyTooLarge)
        } else {
            Ok(())
        }
    }

    fn poll_source(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match &mut self.source {
            RequestSource::None => None,
            RequestSource::Inbox { outlet, .. } => {
                ready!(outlet.poll_frame(cx)).map(|frame| frame.map_err(Into::into))
            }
            RequestSource::Http1(body) => {
                ready!(Pin::new(body).poll_frame(cx)).map(|frame| frame.map_err(Into::into))
            }
        })
    }

    fn set_waiting(&mut self, waiting: bool) {
        if waiting != self.waiting
            && let Some(progress) = &self.progress
        {
            self.waiting = waiting;
            if waiting {
                progress.waiting.fetch_add(1, Ordering::Relaxed);
            } else {
                progress.waiting.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.set_waiting(false);
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let frame = this.poll_source(cx);
        this.set_waiting(frame.is_pending());
        let frame = ready!(frame);
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            let n = data.len() as u64;
            if let Some(progress) = &this.progress {
                progress.received.fetch_add(n, Ordering::Relaxed);
            }
            match this.left.checked_sub(n) {
                Some(left) => this.left = left,
                None => return Poll::Ready(Some(Err(BodyTooLarge.into()))),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            RequestSource::None => true,
            RequestSource::Inbox { outlet, .. } => outlet.is_end_stream(),
            RequestSource::Http1(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            RequestSource::None => SizeHint::with_exact(0),
            RequestSource::Inbox { length, .. } => {
                length.map_or_else(SizeHint::default, SizeHint::with_exact)
            }
            RequestSource::Http1(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody")
            .field("size", &self.size_hint())
            .finish_non_exhaustive()
    }
}

/// For tests of drivers: a body that does not know its length. The piece that comes first is the
/// last here.
#[cfg(test)]
pub(crate) struct Pieces(pub(crate) Vec<&'static str>);

#[cfg(test)]
impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let piece = self.0.pop();
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece.into()))))
    }
}
