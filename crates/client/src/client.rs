//! Requests on their way: sent, redirected, challenged, and sent again.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::time::Instant;
use url::Url;

use crate::auth::Credentials;
use crate::body::Body;
use crate::builder::{Builder, Told, Versions};
use crate::challenge;
use crate::connect::Ways;
use crate::cookies::Jar;
use crate::decode::ACCEPTED;
use crate::error::Error;
use crate::exchange::{Connection, Head, target};
use crate::incoming::Incoming;
use crate::pool::{self, Pool, Takes};
use crate::request::{Request, take_login};
use crate::response::{Bounds, Hop, Lease, Reader, Response};
use crate::retry::{self, Retries};

/// Sends requests. Clones are the same client, with the same connections and cookies.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) ways: Ways,
    pub(crate) versions: Versions,
    pub(crate) pool: Arc<Pool>,
    pub(crate) stall: Duration,
    pub(crate) timeout: Option<Duration>,
    pub(crate) longest: Option<u64>,
    pub(crate) redirects: usize,
    pub(crate) allows_http: bool,
    pub(crate) jar: Option<Mutex<Jar>>,
    pub(crate) decompresses: bool,
    pub(crate) retries: Retries,
    pub(crate) told: Option<Told>,
}

/// Something that happened on the way.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice {
    /// The head of an answer is there: the last one's, or a redirect's or challenge's before.
    Answered(Box<Hop>),
    /// The request is sent again.
    Again {
        /// Why.
        why: String,
        /// After how long.
        after: Duration,
    },
    /// A server tried to set a cookie that it may not.
    CookieRefused {
        /// The host of the server.
        host: String,
    },
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// A request as it stands between two hops.
struct Under {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Body,
    /// For the origin that they were given for.
    credentials: Option<Credentials>,
    /// The answer to a challenge, for one request.
    answer: Option<HeaderValue>,
    hops: Vec<Hop>,
    redirected: usize,
}

impl Client {
    /// Makes one.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn of(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The cookies as they are now.
    #[must_use]
    pub fn cookies(&self) -> Jar {
        let jar = self.inner.jar.as_ref();
        jar.map_or_else(Jar::default, |jar| {
            jar.lock().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }

    /// The header fields that a request begins with, but for cookies.
    #[must_use]
    pub fn fields(&self, request: &Request) -> HeaderMap {
        self.inner.fields(request)
    }

    /// Sends a request, and follows it to its answer. A status of failure is an answer too.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let deadline = self
            .inner
            .timeout
            .map(|after| (Instant::now() + after, after));
        let following = self.inner.follow(request, deadline);
        match deadline {
            None => following.await,
            Some((at, after)) => match tokio::time::timeout_at(at, following).await {
                Ok(result) => result,
                Err(_) => Err(Error::TimedOut {
                    what: "the request",
                    after,
                }),
            },
        }
    }

    /// Says goodbye to the servers of connections that lie idle. Over TCP the end of a process does that; over QUIC
    /// nobody would, and servers would wait.
    pub async fn close(&self) {
        self.inner.pool.close();
        // Each connection has a task of its own, that sends what is left to be said.
        for _ in 0..GOODBYES {
            tokio::task::yield_now().await;
        }
    }
}

impl Inner {
    fn fields(&self, request: &Request) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host_field(&request.url));
        let agent = concat!("ravelin/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        if self.decompresses {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
        }
        let mut replaced: Option<HeaderName> = None;
        for (name, value) in request.headers.clone() {
            // Names are given once for all their values.
            match (name, &replaced) {
                (Some(name), _) => {
                    headers.insert(name.clone(), value);
                    replaced = Some(name);
                }
                (None, Some(name)) => {
                    headers.append(name.clone(), value);
                }
                (None, None) => {}
            }
        }
        for name in &request.removed {
            headers.remove(name);
        }
        match request.body.length() {
            Some(0) if !has_body(&request.method) => {}
            Some(length) => {
                headers.insert(header::CONTENT_LENGTH, length.into());
            }
            None => {}
        }
        headers
    }

    async fn follow(
        &self,
        request: Request,
        deadline: Option<(Instant, Duration)>,
    ) -> Result<Response, Error> {
        let bounds = Bounds {
            deadline,
            stall: self.stall,
            longest: self.longest,
        };
        let sent = request.sent.clone();
        let mut under = Under {
            headers: self.fields(&request),
            method: request.method,
            url: request.url,
            body: request.body,
            credentials: request.credentials,
            answer: None,
            hops: Vec::new(),
            redirected: 0,
        };
        loop {
            let (answer, lease) = self.exchange(&mut under, sent.clone()).await?;
            self.keep_cookies(&under);
            if Self::answer_challenge(&mut under) {
                drain(answer, lease, bounds).await;
                continue;
            }
            if self.redirect(&mut under)? {
                drain(answer, lease, bounds).await;
                continue;
            }
            let reader = Reader::new(answer, self.decompresses, lease, bounds);
            return Ok(Response::new(under.hops, reader));
        }
    }

    /// One hop, sent again as often as that is allowed and of use.
    async fn exchange(
        &self,
        under: &mut Under,
        sent: Option<crate::body::Sent>,
    ) -> Result<(http::Response<Incoming>, Lease), Error> {
        let may_repeat = retry::is_idempotent(&under.method) && under.body.can_repeat();
        let mut before = 0;
        loop {
            let result = self.exchange_once(under, sent.clone(), may_repeat).await;
            let wait = match &result {
                Ok((answer, _)) if retry::is_passing(answer.status()) => {
                    let now = SystemTime::now();
                    self.retries.wait_for(before, answer.headers(), now)
                }
                Err(error) if error.is_passing() => self.retries.wait(before),
                _ => None,
            };
            let Some(wait) = wait.filter(|_| may_repeat) else {
                return result;
            };
            let why = match &result {
                Ok((answer, _)) => format!("the server says {}", answer.status()),
                Err(error) => error.to_string(),
            };
            self.tell(&Notice::Again { why, after: wait });
            under
                .hops
                .truncate(under.hops.len() - usize::from(result.is_ok()));
            drop(result);
            tokio::time::sleep(wait).await;
            before += 1;
        }
    }

    /// One hop, over a connection that is free or a new one.
    async fn exchange_once(
        &self,
        under: &mut Under,
        sent: Option<crate::body::Sent>,
        may_repeat: bool,
    ) -> Result<(http::Response<Incoming>, Lease), Error> {
        let place = pool::place(&under.url);
        let headers = self.headers_of(under);
        let mut refused = 0;
        loop {
            let mut connection = self.connection(&under.url, &place).await?;
            let head = Head {
                method: &under.method,
                url: &under.url,
                headers: &headers,
            };
            let answer = connection
                .send(&head, &under.body, sent.clone(), self.stall)
                .await;
            let answer = match answer {
                Ok(answer) => answer,
                // The server ended it while it lay idle.
                Err(unanswered) if unanswered.was_stale && may_repeat => continue,
                // It says that it has not looked at it: any method may be sent once more.
                Err(unanswered)
                    if unanswered.was_left
                        && refused < MOST_REFUSALS
                        && under.body.can_repeat() =>
                {
                    refused += 1;
                    continue;
                }
                Err(unanswered) => return Err(unanswered.error),
            };
            under.answer = None;
            let hop = Hop {
                method: under.method.clone(),
                url: under.url.clone(),
                sent: headers,
                version: answer.version(),
                status: answer.status(),
                headers: answer.headers().clone(),
                tls: connection.tls.clone(),
                peer: connection.peer,
                timing: connection.timing,
            };
            if self.told.is_some() {
                self.tell(&Notice::Answered(Box::new(hop.clone())));
            }
            under.hops.push(hop);
            let lease = Lease {
                pool: self.pool.clone(),
                place,
                connection,
            };
            return Ok((answer, lease));
        }
    }

    /// A connection that is free, or a new one. Requests that come together to a place that is new wait for the first
    /// of them: where HTTP/2 is spoken, its connection does for all. Elsewhere they wait for one that gets free, but not
    /// for long.
    async fn connection(&self, url: &Url, place: &pool::Place) -> Result<Connection, Error> {
        if let Some(free) = self.pool.take(place) {
            return Ok(free);
        }
        let gate = self.pool.gate(place);
        let mut held = Some(gate.lock().await).filter(|takes| **takes != Takes::One);
        if let Some(takes) = &mut held {
            if let Some(shared) = self.pool.take(place) {
                return Ok(shared);
            }
            // Where it comes to nothing, the others shall not come to nothing one after the other.
            **takes = Takes::One;
        }
        let mut opening = None;
        if held.is_none() {
            match self.pool.free_soon(place).await {
                Ok(free) => return Ok(free),
                Err(turn) => opening = Some(turn),
            }
        }
        let connection = Connection::open(&self.ways, url, self.versions, self.stall).await?;
        drop(opening);
        if let Some(shared) = connection.shared() {
            self.pool.keep(place, shared);
            let mut takes = match held {
                Some(takes) => takes,
                None => gate.lock().await,
            };
            *takes = Takes::Many;
        } else {
            self.pool.opened(place, connection.timing.total());
        }
        Ok(connection)
    }

    /// What goes out in this hop: cookies and credentials are for their own sites alone.
    fn headers_of(&self, under: &Under) -> HeaderMap {
        let mut headers = under.headers.clone();
        if let Some(answer) = &under.answer {
            headers.insert(header::AUTHORIZATION, answer.clone());
        } else if let Some(credentials) = &under.credentials
            && let Some(value) = credentials.at_once()
        {
            headers.entry(header::AUTHORIZATION).or_insert(value);
        }
        if let Some(jar) = &self.jar {
            let jar = jar.lock().unwrap_or_else(PoisonError::into_inner);
            let own = jar.header(&under.url, SystemTime::now());
            let given = headers
                .get(header::COOKIE)
                .and_then(|given| given.to_str().ok());
            let all: Vec<&str> = given.into_iter().chain(own.as_deref()).collect();
            if let Ok(mut value) = HeaderValue::try_from(all.join("; "))
                && !value.is_empty()
            {
                value.set_sensitive(true);
                headers.insert(header::COOKIE, value);
            }
        }
        headers
    }

    fn keep_cookies(&self, under: &Under) {
        let (Some(jar), Some(hop)) = (&self.jar, under.hops.last()) else {
            return;
        };
        let mut refused = false;
        {
            let mut jar = jar.lock().unwrap_or_else(PoisonError::into_inner);
            for value in hop.headers.get_all(header::SET_COOKIE) {
                let text = String::from_utf8_lossy(value.as_bytes());
                refused |= !jar.set(&text, &under.url, SystemTime::now());
            }
        }
        if refused {
            let host = under.url.host_str().unwrap_or_default().to_owned();
            self.tell(&Notice::CookieRefused { host });
        }
    }

    /// Whether the server asks for a digest, and gets it in the next hop.
    fn answer_challenge(under: &mut Under) -> bool {
        let Some(hop) = under.hops.last() else {
            return false;
        };
        let Some(Credentials::Digest { user, password }) = &under.credentials else {
            return false;
        };
        let was_answered = hop.sent.contains_key(header::AUTHORIZATION);
        if hop.status != StatusCode::UNAUTHORIZED || was_answered || !under.body.can_repeat() {
            return false;
        }
        let method = under.method.as_str();
        let target = target(&under.url);
        under.answer = challenge::answer(&hop.headers, user, password, method, &target);
        under.answer.is_some()
    }

    /// Whether the answer leads elsewhere, where the next hop goes.
    fn redirect(&self, under: &mut Under) -> Result<bool, Error> {
        let Some(hop) = under.hops.last() else {
            return Ok(false);
        };
        let is_redirect = matches!(hop.status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(location) = hop.headers.get(header::LOCATION).filter(|_| is_redirect) else {
            return Ok(false);
        };
        if self.redirects == 0 {
            return Ok(false);
        }
        let location = String::from_utf8_lossy(location.as_bytes()).into_owned();
        let mut next = match under.url.join(&location) {
            Ok(next) if matches!(next.scheme(), "https" | "http") => next,
            _ => return Err(Error::Location(location)),
        };
        // A server says nothing about who we are.
        let _ = take_login(&mut next);
        next.set_fragment(None);
        if under.redirected == self.redirects {
            return Err(Error::Redirects {
                limit: self.redirects,
                last: next.to_string(),
            });
        }
        if under.url.scheme() == "https" && next.scheme() == "http" && !self.allows_http {
            return Err(Error::Downgrade(next.to_string()));
        }
        let status = hop.status.as_u16();
        under.go_to(next, status)?;
        Ok(true)
    }

    fn tell(&self, notice: &Notice) {
        if let Some(told) = &self.told {
            told(notice);
        }
    }
}

impl Under {
    fn go_to(&mut self, next: Url, status: u16) -> Result<(), Error> {
        // RFC 9110, section 15.4: what browsers do, who made it so.
        let becomes_get = match status {
            303 => self.method != Method::HEAD,
            301 | 302 => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.body = Body::default();
            for name in [
                header::CONTENT_LENGTH,
                header::CONTENT_TYPE,
                header::CONTENT_ENCODING,
                header::TRANSFER_ENCODING,
            ] {
                self.headers.remove(name);
            }
        } else if !self.body.can_repeat() {
            return Err(Error::BodyGone);
        }
        if self.url.origin() != next.origin() {
            self.credentials = None;
            for name in [
                header::AUTHORIZATION,
                header::COOKIE,
                header::PROXY_AUTHORIZATION,
            ] {
                self.headers.remove(name);
            }
        }
        self.headers.insert(header::HOST, host_field(&next));
        self.url = next;
        self.redirected += 1;
        Ok(())
    }
}

/// Reads a short body to its end, so that its connection is free for what follows. A long one is not worth it.
async fn drain(answer: http::Response<Incoming>, lease: Lease, bounds: Bounds) {
    let bounds = Bounds {
        stall: bounds.stall.min(Duration::from_secs(5)),
        ..bounds
    };
    // What is not read ends with its connection.
    let _ = Reader::new(answer, false, lease, bounds)
        .bytes(64 << 10)
        .await;
}

/// Whether a body is expected: its length is said even where it is 0 (RFC 9110, section 8.6).
fn has_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

fn host_field(url: &Url) -> HeaderValue {
    let host = url.host_str().unwrap_or_default();
    let text = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// How often a server may say that it has not looked at a request, which it then gets over another connection.
const MOST_REFUSALS: usize = 8;

/// How often the tasks of connections get their turn before a goodbye is taken for said.
const GOODBYES: usize = 4;
