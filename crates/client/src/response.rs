//! What comes of a request.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode, Version};
use rustls::CommonState;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Instant;
use url::Url;

use crate::decode::{Coding, Raw, most_after};
use crate::error::Error;
use crate::exchange::Connection;
use crate::incoming::{Broken, Incoming};
use crate::pool::{Place, Pool};
use crate::timing::Timing;

/// What comes of a request: the head, and the body piece by piece.
pub struct Response {
    hops: Vec<Hop>,
    reader: Reader,
}

/// A body that is read within bounds, and gives its connection back at its end.
pub(crate) struct Reader {
    body: Reading,
    host: String,
    length: Option<u64>,
    given: u64,
    bounds: Bounds,
    /// What the connection goes back to when the body is over.
    lease: Option<Lease>,
    /// What went wrong behind what was given.
    failed: Option<Error>,
}

/// A request and the head of its answer: the last is the response, those before were redirects and challenges.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Hop {
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// The fields that were sent. Sensitive ones are marked so.
    pub sent: HeaderMap,
    /// The version of HTTP.
    pub version: Version,
    /// The status.
    pub status: StatusCode,
    /// The fields that came.
    pub headers: HeaderMap,
    /// What TLS agreed on; none without it.
    pub tls: Option<TlsFacts>,
    /// The other end; none of a Unix socket.
    pub peer: Option<SocketAddr>,
    /// How long each part took.
    pub timing: Timing,
}

/// What TLS agreed on.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TlsFacts {
    /// The version: `TLS 1.3`.
    pub version: &'static str,
    /// The suite: `TLS13_AES_128_GCM_SHA256`.
    pub suite: String,
    /// The group of the key exchange: `X25519MLKEM768`.
    pub group: Option<String>,
    /// The protocol that was agreed on (RFC 7301).
    pub alpn: Option<Vec<u8>>,
    /// The other side's certificates, as it sent them; of a session that was resumed, those of its beginning.
    pub chain: Vec<CertificateDer<'static>>,
    /// Whether a session was resumed.
    pub is_resumed: bool,
}

impl TlsFacts {
    pub(crate) fn of(connection: &CommonState) -> Self {
        let chain = connection.peer_certificates().unwrap_or_default();
        Self {
            version: match connection.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "TLS 1.3",
            },
            suite: connection
                .negotiated_cipher_suite()
                .map_or_else(String::new, |suite| format!("{:?}", suite.suite())),
            group: connection
                .negotiated_key_exchange_group()
                .map(|group| format!("{:?}", group.name())),
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            chain: chain.iter().map(|der| der.clone().into_owned()).collect(),
            is_resumed: connection.handshake_kind() == Some(rustls::HandshakeKind::Resumed),
        }
    }
}

pub(crate) struct Lease {
    pub(crate) pool: Arc<Pool>,
    pub(crate) place: Place,
    pub(crate) connection: Connection,
}

/// How long a body may take, and be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) deadline: Option<(Instant, Duration)>,
    pub(crate) stall: Duration,
    pub(crate) longest: Option<u64>,
}

enum Reading {
    Plain(Raw, Arc<AtomicU64>),
    Coded {
        coding: Coding,
        decoder: Pin<Box<dyn AsyncRead + Send>>,
        received: Arc<AtomicU64>,
    },
    Over(u64),
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.status(), self.url())
    }
}

impl Response {
    pub(crate) fn new(hops: Vec<Hop>, reader: Reader) -> Self {
        Self { hops, reader }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        last(&self.hops).status
    }

    /// The header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &last(&self.hops).headers
    }

    /// The address that answered, behind all redirects.
    #[must_use]
    pub fn url(&self) -> &Url {
        &last(&self.hops).url
    }

    /// All requests that it took, in their order. Never empty.
    #[must_use]
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// How many octets the body has in all, where that is known before.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.reader.length
    }

    /// How many octets of the body came over the network so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.reader.received()
    }

    /// The next piece of the body, decompressed; none at the end. A body that ends before it should is an error.
    ///
    /// # Errors
    ///
    /// The connection ended too soon, nothing came in time, or the body is not what it says.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.reader.chunk().await
    }

    /// The next pieces of the body: waits for one, and takes along what is there already, up to some 64 KiB. None are
    /// its end.
    ///
    /// # Errors
    ///
    /// [`Response::chunk`] fails, which is told once what came before was taken.
    pub async fn chunks(&mut self) -> Result<Vec<Bytes>, Error> {
        self.reader.chunks().await
    }

    /// The whole body, of so many octets at most.
    ///
    /// # Errors
    ///
    /// It is longer, or [`Response::chunk`] fails.
    pub async fn bytes(&mut self, most: u64) -> Result<Bytes, Error> {
        self.reader.bytes(most).await
    }
}

impl Reader {
    pub(crate) fn new(
        answer: http::Response<Incoming>,
        decompresses: bool,
        lease: Lease,
        bounds: Bounds,
    ) -> Self {
        let headers = answer.headers();
        let coding = decompresses.then(|| Coding::of(headers)).flatten();
        let length = headers.get(http::header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse().ok());
        let (raw, received) = Raw::new(answer.into_body());
        let is_over = raw.is_over();
        let body = match coding {
            Some(coding) if !is_over => Reading::Coded {
                coding,
                decoder: coding.decoder(raw),
                received,
            },
            _ => Reading::Plain(raw, received),
        };
        let mut reader = Self {
            length: length.filter(|_| coding.is_none()),
            host: lease.connection.host().to_owned(),
            body,
            given: 0,
            bounds,
            lease: Some(lease),
            failed: None,
        };
        if is_over {
            reader.finish();
        }
        reader
    }

    fn received(&self) -> u64 {
        match &self.body {
            Reading::Plain(_, received) | Reading::Coded { received, .. } => {
                received.load(Ordering::Relaxed)
            }
            Reading::Over(received) => *received,
        }
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let Some(lease) = &self.lease else {
            return Ok(None);
        };
        let movement = lease.connection.movement.clone();
        let Bounds {
            deadline, stall, ..
        } = self.bounds;
        let late = async {
            match deadline {
                Some((at, _)) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let chunk = tokio::select! {
            biased;
            chunk = self.body.next() => chunk?,
            () = movement.stalled(stall) => {
                let host = self.host.clone();
                return Err(Error::Stalled { host, after: stall });
            }
            () = late => {
                let after = deadline.map_or(Duration::ZERO, |(_, after)| after);
                return Err(Error::TimedOut { what: "the answer", after });
            }
        };
        self.took(chunk)
    }

    /// Servers send HTTP/2 in frames of 8 KiB or 16: written one by one, each costs a call to the system.
    async fn chunks(&mut self) -> Result<Vec<Bytes>, Error> {
        let mut chunks: Vec<Bytes> = self.chunk().await?.into_iter().collect();
        let mut octets = chunks.iter().map(Bytes::len).sum::<usize>();
        while octets > 0 && octets < TOGETHER && self.lease.is_some() {
            let next = pin!(self.body.next()).poll(&mut Context::from_waker(Waker::noop()));
            let Poll::Ready(next) = next else {
                break;
            };
            match next.and_then(|chunk| self.took(chunk)) {
                Ok(Some(chunk)) => {
                    octets += chunk.len();
                    chunks.push(chunk);
                }
                Ok(None) => break,
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(chunks)
    }

    fn took(&mut self, chunk: Option<Bytes>) -> Result<Option<Bytes>, Error> {
        match &chunk {
            Some(chunk) => {
                self.given += chunk.len() as u64;
                self.check_size()?;
            }
            None => self.finish(),
        }
        Ok(chunk)
    }

    pub(crate) async fn bytes(&mut self, most: u64) -> Result<Bytes, Error> {
        let mut all = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if all.len() as u64 + chunk.len() as u64 > most {
                return Err(Error::TooLong(most));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    fn check_size(&self) -> Result<(), Error> {
        if let Reading::Coded { received, .. } = &self.body {
            let received = received.load(Ordering::Relaxed);
            let limit = most_after(received);
            if self.given > limit {
                return Err(Error::Bomb { received, limit });
            }
        }
        match self.bounds.longest {
            Some(longest) if self.given > longest => Err(Error::TooLong(longest)),
            _ => Ok(()),
        }
    }

    /// Gives the connection back, which is free from here on.
    fn finish(&mut self) {
        self.body = Reading::Over(self.received());
        if let Some(mut lease) = self.lease.take() {
            lease.connection.timing = Timing::default();
            lease.connection.is_used = true;
            if lease.connection.shared().is_none() {
                lease.pool.keep(&lease.place, lease.connection);
            }
        }
    }
}

fn last(hops: &[Hop]) -> &Hop {
    hops.last()
        .unwrap_or_else(|| unreachable!("a response has a last hop"))
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        match self {
            Self::Over(_) => Ok(None),
            Self::Plain(raw, received) => {
                match std::future::poll_fn(|cx| raw.poll_next(cx)).await {
                    None => Ok(None),
                    Some(Ok(data)) => Ok(Some(data)),
                    Some(Err(source)) => Err(cut_off(received, source)),
                }
            }
            Self::Coded {
                coding,
                decoder,
                received,
            } => {
                let mut room = vec![0; PIECE];
                let mut buffer = ReadBuf::new(&mut room);
                let read = std::future::poll_fn(|cx| decoder.as_mut().poll_read(cx, &mut buffer));
                match read.await {
                    Ok(()) => {
                        let read = buffer.filled().len();
                        room.truncate(read);
                        Ok((read > 0).then(|| Bytes::from(room)))
                    }
                    Err(error) => Err(undecoded(*coding, received, error)),
                }
            }
        }
    }
}

fn undecoded(coding: Coding, received: &AtomicU64, error: io::Error) -> Error {
    let is_cut = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Broken>())
        .is_some();
    if is_cut {
        return cut_off(received, error);
    }
    Error::Decode {
        coding: coding.name(),
        source: error,
    }
}

fn cut_off(received: &AtomicU64, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Truncated {
        received: received.load(Ordering::Relaxed),
        source: Box::new(source),
    }
}

/// How much is given together, once there is so much.
const TOGETHER: usize = 64 << 10;

/// How much is decompressed at once.
const PIECE: usize = 64 << 10;
