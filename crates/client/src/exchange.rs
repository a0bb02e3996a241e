//! One request and the head of its answer over one connection, by HTTP/1.1 or HTTP/2.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, Uri, header};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::AlertDescription;
use url::Url;

use crate::body::{Body, Outgoing, Sent};
use crate::builder::Versions;
use crate::connect::{Connected, Ways, host_and_port, shown};
use crate::error::{Error, unreadable_below};
use crate::proxy::Proxy;
use crate::response::TlsFacts;
use crate::stream::Movement;
use crate::timing::Timing;

/// A connection with HTTP on it.
pub(crate) struct Connection {
    sender: Sender,
    /// The host and port, as they are told.
    host: String,
    pub(crate) movement: Arc<Movement>,
    pub(crate) tls: Option<TlsFacts>,
    pub(crate) peer: Option<SocketAddr>,
    /// What it took to get here; nothing once it has been told.
    pub(crate) timing: Timing,
    /// Whether it has answered before.
    pub(crate) is_used: bool,
    has_identity: bool,
    /// The proxy that is told whole requests, where there is one.
    proxy: Option<Proxy>,
}

enum Sender {
    Http1(http1::SendRequest<Outgoing>),
    Http2(http2::SendRequest<Outgoing>),
}

/// What is sent, all but the address.
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) headers: &'a HeaderMap,
}

/// Why there was no answer, and whether the server can have seen the request.
pub(crate) struct Unanswered {
    pub(crate) error: Error,
    /// Whether a connection from the pool had gone before the request went out.
    pub(crate) was_stale: bool,
    /// Whether the server says that it has not looked at it, over a connection that had answered before.
    pub(crate) was_left: bool,
}

impl Connection {
    pub(crate) async fn open(ways: &Ways, url: &Url, versions: Versions) -> Result<Self, Error> {
        let (host, port) = host_and_port(url);
        let host = shown(&host, port);
        let proxy = ways.proxies.of(url).filter(|_| ways.unix_socket.is_none());
        let proxy = proxy.filter(|proxy| proxy.takes_requests(url));
        let Connected {
            io,
            movement,
            tls,
            peer,
            timing,
        } = ways.connect(url).await?;
        let is_http2 = match &tls {
            Some(facts) => facts.alpn.as_deref() == Some(b"h2"),
            None => versions == Versions::Http2,
        };
        if versions == Versions::Http2 && !is_http2 {
            return Err(Error::NoHttp2 { host });
        }
        let failed = |source| Error::Exchange {
            host: host.clone(),
            source,
        };
        let sender = if is_http2 {
            http2_on(io).await.map_err(failed)?
        } else {
            http1_on(io).await.map_err(failed)?
        };
        Ok(Self {
            sender,
            host,
            movement,
            tls,
            peer,
            timing,
            is_used: false,
            has_identity: ways.has_identity,
            proxy: proxy.cloned(),
        })
    }

    /// The host and port, as they are told.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::Http1(sender) => sender.is_closed(),
            Sender::Http2(sender) => sender.is_closed(),
        }
    }

    /// The same connection for one more request, where it takes several at a time.
    pub(crate) fn shared(&self) -> Option<Self> {
        match &self.sender {
            Sender::Http1(_) => None,
            Sender::Http2(sender) => Some(Self {
                sender: Sender::Http2(sender.clone()),
                host: self.host.clone(),
                movement: self.movement.clone(),
                tls: self.tls.clone(),
                peer: self.peer,
                timing: Timing::default(),
                is_used: true,
                has_identity: self.has_identity,
                proxy: self.proxy.clone(),
            }),
        }
    }

    /// Sends a request, and waits for the head of the answer as long as something moves.
    pub(crate) async fn send(
        &mut self,
        head: &Head<'_>,
        body: &Body,
        sent: Option<Sent>,
        stall: Duration,
    ) -> Result<http::Response<Incoming>, Unanswered> {
        let began = Instant::now();
        let movement = self.movement.clone();
        let before = movement.received();
        let request = self.request(head, Outgoing::new(body, sent));
        let answered = async {
            match &mut self.sender {
                Sender::Http1(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await
                }
                Sender::Http2(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await
                }
            }
        };
        let answer = tokio::select! {
            answer = answered => answer,
            () = movement.stalled(stall) => {
                let error = Error::Stalled { host: self.host.clone(), after: stall };
                return Err(Unanswered { error, was_stale: false, was_left: false });
            }
        };
        let answer = answer.map_err(|source| {
            let nothing_came = movement.received() == before;
            Unanswered {
                was_stale: self.is_used && nothing_came,
                was_left: self.is_used && is_left(&source),
                error: self.failed(source),
            }
        })?;
        self.timing.answer = began.elapsed();
        Ok(answer)
    }

    fn request(&self, head: &Head<'_>, body: Outgoing) -> http::Request<Outgoing> {
        let mut request = http::Request::new(body);
        *request.method_mut() = head.method.clone();
        let is_http1 = matches!(self.sender, Sender::Http1(_));
        let uri = match (&self.proxy, is_http1) {
            (None, true) => target(head.url),
            _ => head.url.as_str().to_owned(),
        };
        // An address that was parsed once is one for HTTP too.
        let mut uri: Uri = uri.parse().unwrap_or_else(|_| Uri::from_static("/"));
        if !is_http1 {
            uri = asked_as(uri, head.headers);
        }
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.clone_from(head.headers);
        if is_http1 {
            let authorization = self.proxy.as_ref().and_then(Proxy::authorization);
            if let Some(Ok(value)) = authorization.map(HeaderValue::try_from) {
                headers.insert(header::PROXY_AUTHORIZATION, value);
            }
        } else {
            // It goes into the pseudo-header field (RFC 9113, section 8.3.1).
            headers.remove(header::HOST);
            for name in [
                header::CONNECTION,
                header::TRANSFER_ENCODING,
                header::UPGRADE,
            ] {
                headers.remove(name);
            }
        }
        request
    }

    fn failed(&self, source: hyper::Error) -> Error {
        let host = self.host.clone();
        if let Some(source) = unreadable_below(&source) {
            return Error::Input { source };
        }
        match self.movement.tls_error() {
            Some(rustls::Error::AlertReceived(alert))
                if !self.is_used && is_about_client(alert) =>
            {
                Error::TakenBack {
                    host,
                    alert,
                    had_identity: self.has_identity,
                }
            }
            _ => Error::Exchange { host, source },
        }
    }
}

/// Whether a request was left behind: its connection took no more before it went out, or the server said that it took
/// no more when it came (RFC 9113, section 8.7). Servers do that after a thousand requests, as a rule.
fn is_left(error: &hyper::Error) -> bool {
    let h2 = std::error::Error::source(error).and_then(|source| source.downcast_ref::<h2::Error>());
    error.is_canceled()
        || h2.is_some_and(|error| {
            error.reason() == Some(h2::Reason::REFUSED_STREAM)
                || error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR)
        })
}

/// Whether an alert may be about the client's certificate. Servers use all of these for it.
pub(crate) fn is_about_client(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::HandshakeFailure
            | Alert::DecryptError
            | Alert::NoCertificate
    )
}

/// The address with the host that the `Host` field says, where somebody wrote one: HTTP/2 has no such field.
fn asked_as(uri: Uri, headers: &HeaderMap) -> Uri {
    let mut parts = uri.clone().into_parts();
    let host = headers.get(header::HOST);
    parts.authority = host.and_then(|host| host.to_str().ok()?.parse().ok());
    Uri::from_parts(parts).unwrap_or(uri)
}

/// The address as it stands in a request to the server itself (RFC 9112, section 3.2.1).
pub(crate) fn target(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

async fn http1_on(io: crate::stream::BoxedIo) -> Result<Sender, hyper::Error> {
    let (sender, connection) = http1::Builder::new()
        .max_headers(MOST_FIELDS)
        .max_buf_size(LONGEST_HEAD)
        .handshake(TokioIo::new(io))
        .await?;
    // What goes wrong, the request that it goes wrong for is told.
    tokio::spawn(async move { connection.await.ok() });
    Ok(Sender::Http1(sender))
}

async fn http2_on(io: crate::stream::BoxedIo) -> Result<Sender, hyper::Error> {
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(LONGEST_HEAD as u32)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(2 * WINDOW)
        .handshake(TokioIo::new(io))
        .await?;
    tokio::spawn(async move { connection.await.ok() });
    Ok(Sender::Http2(sender))
}

/// How many header fields an answer may have.
const MOST_FIELDS: usize = 256;

/// How long the head of an answer may be, in octets.
const LONGEST_HEAD: usize = 128 << 10;

/// What may be on the way to us: at 100 ms, 40 MiB/s.
const WINDOW: u32 = 4 << 20;
