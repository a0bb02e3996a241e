//! One request and the head of its answer over one connection, by HTTP/1.1, HTTP/2 or HTTP/3.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method, Uri, header};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::AlertDescription;
use url::Url;

use crate::body::{Body, Outgoing, Sent};
use crate::builder::Versions;
use crate::connect::{Connected, Ways, host_and_port, shown};
use crate::error::{Error, unreadable_below};
use crate::http3::{Fault, Http3};
use crate::incoming::{Broken, Incoming};
use crate::proxy::Proxy;
use crate::quic::Reached;
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
    Http3(Http3),
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
    /// A new connection. `stall` is how long anybody waits for something to move over it.
    pub(crate) async fn open(
        ways: &Ways,
        url: &Url,
        versions: Versions,
        stall: Duration,
    ) -> Result<Self, Error> {
        if versions == Versions::Http3 {
            return Self::open_over_quic(ways, url, stall).await;
        }
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
        let failed = |source: hyper::Error| failed(&host, source.into(), None, false);
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

    async fn open_over_quic(ways: &Ways, url: &Url, stall: Duration) -> Result<Self, Error> {
        let reached = ways.connect_over_quic(url, stall).await?;
        let Reached {
            connection,
            tls,
            peer,
            timing,
        } = reached;
        let (host, port) = host_and_port(url);
        let host = shown(&host, port);
        let movement = Arc::new(Movement::new());
        let begun = Http3::begin(connection, movement.clone(), stall).await;
        let http3 = begun.map_err(|fault: Fault| {
            let alert = fault.alert();
            failed(&host, fault.into(), alert, ways.has_identity)
        })?;
        Ok(Self {
            sender: Sender::Http3(http3),
            host,
            movement,
            tls: Some(tls),
            peer: Some(peer),
            timing,
            is_used: false,
            has_identity: ways.has_identity,
            proxy: None,
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
            Sender::Http3(sender) => sender.is_closed(),
        }
    }

    /// The same connection for one more request, where it takes several at a time.
    pub(crate) fn shared(&self) -> Option<Self> {
        let sender = match &self.sender {
            Sender::Http1(_) => return None,
            Sender::Http2(sender) => Sender::Http2(sender.clone()),
            Sender::Http3(sender) => Sender::Http3(sender.clone()),
        };
        Some(Self {
            sender,
            host: self.host.clone(),
            movement: self.movement.clone(),
            tls: self.tls.clone(),
            peer: self.peer,
            timing: Timing::default(),
            is_used: true,
            has_identity: self.has_identity,
            proxy: self.proxy.clone(),
        })
    }

    /// Says goodbye where the end of a process would not: over QUIC.
    pub(crate) fn close(&self) {
        if let Sender::Http3(sender) = &self.sender {
            sender.close();
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
                    Ok(sender.send_request(request).await?.map(Incoming::Tcp))
                }
                Sender::Http2(sender) => {
                    sender.ready().await?;
                    Ok(sender.send_request(request).await?.map(Incoming::Tcp))
                }
                Sender::Http3(sender) => {
                    let answer = sender.send(request).await?;
                    Ok(answer.map(|body| Incoming::Quic(Box::new(body))))
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
        let answer = answer.map_err(|source: Broken| {
            let nothing_came = movement.received() == before;
            Unanswered {
                was_stale: self.is_used && nothing_came && source.is_of_connection(),
                was_left: self.is_used && source.is_left(),
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

    fn failed(&self, source: Broken) -> Error {
        let alert = match (&source, self.movement.tls_error()) {
            (Broken::Quic(fault), _) => fault.alert(),
            (Broken::Tcp(_), Some(rustls::Error::AlertReceived(alert))) => Some(alert),
            (Broken::Tcp(_), _) => None,
        };
        let alert = alert.filter(|_| !self.is_used);
        failed(&self.host, source, alert, self.has_identity)
    }
}

/// Why there is no answer: the alert that came with the first, if one did, may be about the client.
fn failed(
    host: &str,
    source: Broken,
    alert: Option<AlertDescription>,
    had_identity: bool,
) -> Error {
    if let Some(source) = unreadable_below(&source) {
        return Error::Input { source };
    }
    let host = host.to_owned();
    match alert.filter(|alert| is_about_client(*alert)) {
        Some(alert) => Error::TakenBack {
            host,
            alert,
            had_identity,
        },
        None => Error::Exchange {
            host,
            source: Box::new(source),
        },
    }
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
pub(crate) const MOST_FIELDS: usize = 256;

/// How long the head of an answer may be, in octets.
pub(crate) const LONGEST_HEAD: usize = 128 << 10;

/// What may be on the way to us: at 100 ms, 40 MiB/s.
const WINDOW: u32 = 4 << 20;
