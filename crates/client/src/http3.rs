//! HTTP/3 (RFC 9114) over a QUIC connection: requests, their bodies, and what comes of them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use h3::client::{RequestStream, SendRequest};
use h3::error::{Code, LocalError, StreamError};
use http::{HeaderMap, Method, StatusCode, header};
use http_body::Body as _;
use quinn::{ConnectionError, VarInt};
use rustls::AlertDescription;
use tokio::task::JoinHandle;

use crate::body::Outgoing;
use crate::exchange::{LONGEST_HEAD, MOST_FIELDS};
use crate::quic::streams::{Ahead, Receiving, Sending, Streams, Told};
use crate::quic::{Excess, alert_of};
use crate::stream::Movement;

/// A connection that takes requests. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Http3 {
    sender: SendRequest<Streams, Bytes>,
    quic: quinn::Connection,
    told: Arc<Told>,
}

/// Why a request came to nothing, or its answer broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The request, or its answer, was given up.
    #[error("the server gave the request up: {0}")]
    Reset(Code),
    /// The server takes no more requests, and did not look at this one.
    #[error("the server takes no more requests")]
    Left,
    /// The server closed the connection.
    #[error("the server closed the connection: {0}")]
    Closed(Code),
    /// TLS or QUIC did.
    #[error("the connection ended: {0}")]
    Ended(ConnectionError),
    /// What the server sends breaks rules.
    #[error("what it sends is no HTTP/3: {0}")]
    Wrong(String),
    /// What the server sends is too much, or too little.
    #[error(transparent)]
    Excess(#[from] Excess),
    /// The head of the answer is too long.
    #[error(
        "the head of the answer is longer than {LONGEST_HEAD} octets, or has more than {MOST_FIELDS} fields"
    )]
    LongHead,
    /// The request is longer than the server takes.
    #[error("the head of the request is longer than the {0} octets that the server takes")]
    LongRequest(u64),
    /// The body is not as long as it says.
    #[error("the body has {given} octets, and was to have {said}")]
    Length {
        /// How many came.
        given: u64,
        /// How many were to come.
        said: u64,
    },
    /// A body that was to be sent cannot be read.
    #[error("the body cannot be sent")]
    Input(#[source] io::Error),
}

impl Fault {
    /// Whether the server says that it has not looked at the request (RFC 9114, sections 4.1.1 and 5.2).
    pub(crate) fn is_left(&self) -> bool {
        matches!(self, Self::Left | Self::Reset(Code::H3_REQUEST_REJECTED))
    }

    /// The alert by which the server took the handshake back.
    pub(crate) fn alert(&self) -> Option<AlertDescription> {
        match self {
            Self::Ended(error) => alert_of(error),
            _ => None,
        }
    }

    /// Whether the whole connection is gone, and not this request alone.
    pub(crate) fn is_of_connection(&self) -> bool {
        matches!(self, Self::Closed(_) | Self::Ended(_))
    }
}

impl Http3 {
    /// Begins to speak HTTP/3. A connection over which nothing moves for longer than `stall` has nobody who waits for
    /// it, and is closed.
    pub(crate) async fn begin(
        quic: quinn::Connection,
        movement: Arc<Movement>,
        stall: Duration,
    ) -> Result<Self, Fault> {
        let told = Arc::new(Told::new(movement.clone()));
        let streams = Streams::new(quic.clone(), told.clone());
        let begun = h3::client::builder()
            .max_field_section_size(LONGEST_HEAD as u64)
            .send_grease(false)
            .build::<_, _, Bytes>(streams)
            .await;
        let (mut driver, sender) = begun.map_err(|error| lost(&error, &quic))?;
        let idle = stall.saturating_add(LONGER);
        let closing = quic.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = std::future::poll_fn(|cx| driver.poll_close(cx)) => {}
                () = movement.stalled(idle) => close(&closing),
            }
        });
        Ok(Self { sender, quic, told })
    }

    /// Whether it takes no more requests.
    pub(crate) fn is_closed(&self) -> bool {
        self.told.is_leaving() || self.quic.close_reason().is_some()
    }

    /// Says goodbye.
    pub(crate) fn close(&self) {
        close(&self.quic);
    }

    /// Sends a request, its body beside what comes, and waits for the head of the answer.
    pub(crate) async fn send(
        &mut self,
        request: http::Request<Outgoing>,
    ) -> Result<http::Response<Incoming>, Fault> {
        let (parts, body) = request.into_parts();
        let method = parts.method.clone();
        let sent = self
            .sender
            .send_request(http::Request::from_parts(parts, ()))
            .await;
        let stream = sent.map_err(|error| fault(error, &self.quic))?;
        let ahead = self.told.take(stream.id());
        let (mut sending, mut stream) = stream.split();
        let mut upload = Upload(None);
        if body.is_end_stream() {
            // Where the server does not want to hear the end, it says so in its answer.
            let _ = sending.finish().await;
        } else {
            upload.0 = Some(tokio::spawn(send_body(sending, body)));
        }
        let number = ahead.as_ref().map(|ahead| ahead.number);
        let answer = self.answer(&mut stream, number, &mut upload).await?;
        let (parts, ()) = answer.into_parts();
        if parts.headers.len() > MOST_FIELDS {
            return Err(Fault::LongHead);
        }
        let said = length(&method, parts.status, &parts.headers)?;
        let incoming = Incoming {
            stream,
            ahead,
            quic: self.quic.clone(),
            upload,
            said,
            given: 0,
            end: None,
        };
        Ok(http::Response::from_parts(parts, incoming))
    }

    /// The head of the answer to the request of this number.
    async fn answer(
        &self,
        stream: &mut RequestStream<Receiving, Bytes>,
        number: Option<u64>,
        upload: &mut Upload,
    ) -> Result<http::Response<()>, Fault> {
        let leaves = async {
            match number {
                Some(number) => self.told.leaves(number).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            answer = head(stream) => answer.map_err(|error| fault(error, &self.quic)),
            error = upload.failed() => Err(Fault::Input(error)),
            () = leaves => Err(Fault::Left),
        }
    }
}

/// The head of the answer, behind those that come before it (RFC 9110, section 15.2).
async fn head(
    stream: &mut RequestStream<Receiving, Bytes>,
) -> Result<http::Response<()>, StreamError> {
    loop {
        let answer = stream.recv_response().await?;
        if !answer.status().is_informational() {
            return Ok(answer);
        }
    }
}

/// How long the body says that it is; none where it does not, or there is none. One that says several things is
/// malformed (RFC 9114, section 4.1.2).
fn length(method: &Method, status: StatusCode, headers: &HeaderMap) -> Result<Option<u64>, Fault> {
    let mut said = None;
    for value in headers.get_all(header::CONTENT_LENGTH) {
        let number = value.to_str().ok().and_then(|text| text.parse().ok());
        let number: u64 =
            number.ok_or_else(|| Fault::Wrong("a content-length that is no number".to_owned()))?;
        if said.is_some_and(|before| before != number) {
            return Err(Fault::Wrong("two lengths of one body".to_owned()));
        }
        said = Some(number);
    }
    let has_none = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    Ok(said.filter(|_| *method != Method::HEAD && !has_none))
}

/// A body on its way to the server. It breaks off, for both ends to see, where nobody waits for the answer any more.
struct Upload(Option<JoinHandle<io::Result<()>>>);

impl Upload {
    /// Ends when the body cannot be read.
    async fn failed(&mut self) -> io::Error {
        if let Some(task) = &mut self.0 {
            let done = task.await;
            self.0 = None;
            if let Ok(Err(error)) = done {
                return error;
            }
        }
        std::future::pending().await
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

async fn send_body(
    mut stream: RequestStream<Sending, Bytes>,
    mut body: Outgoing,
) -> io::Result<()> {
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        let Some(frame) = frame.transpose()? else {
            let _ = stream.finish().await;
            return Ok(());
        };
        if let Ok(data) = frame.into_data()
            && stream.send_data(data).await.is_err()
        {
            // The server wants no more of it, and its answer says why.
            return Ok(());
        }
    }
}

/// The body of an answer, as it comes.
pub(crate) struct Incoming {
    stream: RequestStream<Receiving, Bytes>,
    ahead: Option<Arc<Ahead>>,
    quic: quinn::Connection,
    upload: Upload,
    said: Option<u64>,
    given: u64,
    /// What follows what has been given.
    end: Option<Result<(), Fault>>,
}

impl Incoming {
    /// The next octets, as many as there are; none at the end.
    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        let mut gathered = BytesMut::new();
        while self.end.is_none() && gathered.len() < PIECE {
            match self.poll_piece(cx) {
                Poll::Ready(Ok(Some(piece))) if gathered.is_empty() && piece.len() >= PIECE / 4 => {
                    return Poll::Ready(Some(Ok(piece)));
                }
                // A datagram has little: who reads is not woken for each.
                Poll::Ready(Ok(Some(piece))) => gathered.extend_from_slice(&piece),
                Poll::Ready(Ok(None)) => self.end = Some(Ok(())),
                Poll::Ready(Err(fault)) => self.end = Some(Err(fault)),
                Poll::Pending if gathered.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        if !gathered.is_empty() {
            return Poll::Ready(Some(Ok(gathered.freeze())));
        }
        let end = self.end.replace(Ok(()));
        Poll::Ready(end.and_then(|end| end.err().map(Err)))
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        let polled = loop {
            // h3 says that nothing follows where an empty frame does.
            match ready!(self.stream.poll_recv_data(cx)) {
                Ok(None) if self.ahead.as_ref().is_some_and(|ahead| !ahead.is_over()) => {}
                polled => break polled,
            }
        };
        let piece =
            polled.map(|piece| piece.map(|mut piece| piece.copy_to_bytes(piece.remaining())));
        let piece = piece.map_err(|error| fault(error, &self.quic))?;
        let octets = piece.as_ref().map_or(0, Bytes::len);
        if let Some(ahead) = &self.ahead {
            ahead.taken(octets);
        }
        self.given += octets as u64;
        let is_wrong = |said| self.given > said || piece.is_none() && self.given < said;
        if let Some(said) = self.said.filter(|said| is_wrong(*said)) {
            let given = self.given;
            return Poll::Ready(Err(Fault::Length { given, said }));
        }
        if piece.is_none() {
            // What is still to be sent is the server's to take or leave.
            self.upload.0 = None;
        }
        Poll::Ready(Ok(piece))
    }
}

fn close(quic: &quinn::Connection) {
    quic.close(VarInt::from_u32(Code::H3_NO_ERROR.value() as u32), b"");
}

fn fault(error: StreamError, quic: &quinn::Connection) -> Fault {
    match error {
        StreamError::RemoteTerminate { code, .. } => Fault::Reset(code),
        StreamError::ConnectionError(error, ..) => lost(&error, quic),
        StreamError::RemoteClosing => Fault::Left,
        StreamError::HeaderTooBig { max_size, .. } if max_size == LONGEST_HEAD as u64 => {
            Fault::LongHead
        }
        StreamError::HeaderTooBig { max_size, .. } => Fault::LongRequest(max_size),
        StreamError::StreamError { code, reason, .. } => Fault::Wrong(format!("{code} ({reason})")),
        StreamError::Undefined(error, ..) => match error.downcast::<Excess>() {
            Ok(excess) => Fault::Excess(*excess),
            Err(other) => Fault::Wrong(other.to_string()),
        },
        other => Fault::Wrong(other.to_string()),
    }
}

/// Why the connection is gone: quinn knows what the other end said, and h3 what it found wrong.
fn lost(error: &h3::error::ConnectionError, quic: &quinn::Connection) -> Fault {
    use h3::error::ConnectionError as Lost;
    match (quic.close_reason(), error) {
        (Some(ConnectionError::ApplicationClosed(close)), _) => {
            Fault::Closed(close.error_code.into_inner().into())
        }
        (Some(ConnectionError::LocallyClosed) | None, Lost::Local { error, .. }) => match error {
            LocalError::Application { code, reason, .. } => {
                Fault::Wrong(format!("{code} ({reason})"))
            }
            other => Fault::Wrong(format!("{other:?}")),
        },
        (Some(reason), _) => Fault::Ended(reason),
        (None, other) => Fault::Wrong(other.to_string()),
    }
}

/// How much longer than anybody waits a connection stays open.
const LONGER: Duration = Duration::from_secs(10);

/// How much is given at once where there is plenty.
const PIECE: usize = 64 << 10;
