//! What is between ACME and HTTP: requests go to whoever sends them, and of answers is noted what the client of ACME
//! has no place for: when to come again, and which terms there are.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use serde::Deserialize;

/// Who sends requests. Bodies of answers must be bounded, and so must be the time that they take.
pub trait Http: fmt::Debug + Send + Sync + 'static {
    /// Sends a request and reads the whole answer, whatever its status is.
    fn send(&self, request: Request<Bytes>) -> HttpFuture;
}

/// What comes of a request.
pub type HttpFuture =
    Pin<Box<dyn Future<Output = Result<Response<Bytes>, Box<dyn Error + Send + Sync>>> + Send>>;

/// Why there is no answer of ACME.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransportError {
    /// No answer at all.
    #[error("cannot ask \"{url}\"")]
    Unreachable {
        url: String,
        source: Box<dyn Error + Send + Sync>,
    },
    /// An answer that says no, and not why.
    #[error("\"{url}\" answers with status {status}")]
    Status { url: String, status: StatusCode },
}

/// The time, as it was when something was begun and has gone on since.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    began_at: SystemTime,
    begun: Instant,
}

impl Clock {
    pub(super) fn at(now: SystemTime) -> Self {
        Self {
            began_at: now,
            begun: Instant::now(),
        }
    }

    pub(super) fn now(&self) -> SystemTime {
        self.began_at + self.begun.elapsed()
    }
}

/// What one conversation with a CA goes through.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    http: Arc<dyn Http>,
    directory: Arc<str>,
    clock: Clock,
    noted: Arc<Mutex<Noted>>,
}

#[derive(Debug, Default)]
struct Noted {
    retry_after: Option<SystemTime>,
    meta: Meta,
}

/// What a directory says of its CA (RFC 8555, section 7.1.1).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Meta {
    pub(super) terms_of_service: Option<String>,
    pub(super) external_account_required: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Directory {
    meta: Meta,
}

impl Transport {
    pub(super) fn new(http: Arc<dyn Http>, directory: &str, clock: Clock) -> Self {
        Self {
            http,
            directory: directory.into(),
            clock,
            noted: Arc::default(),
        }
    }

    /// When the last answer said that one should come again.
    pub(super) fn retry_after(&self) -> Option<SystemTime> {
        self.noted().retry_after
    }

    /// What the directory said of the CA.
    pub(super) fn meta(&self) -> Meta {
        self.noted().meta.clone()
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Asks for the directory alone, for what it says of the CA.
    pub(super) async fn look(&self) -> Result<Meta, TransportError> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() =
            self.directory
                .parse()
                .map_err(|error| TransportError::Unreachable {
                    url: self.directory.to_string(),
                    source: Box::<dyn Error + Send + Sync>::from(error as http::uri::InvalidUri),
                })?;
        self.exchange(request).await?;
        Ok(self.meta())
    }

    async fn exchange(
        &self,
        mut request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let url = request.uri().to_string();
        request
            .headers_mut()
            .insert(USER_AGENT, HeaderValue::from_static(OUR_NAME));
        let answer = self.http.send(request).await;
        let answer = answer.map_err(|source| TransportError::Unreachable {
            url: url.clone(),
            source,
        })?;
        let status = answer.status();
        let mut noted = self.noted();
        noted.retry_after = retry_after(answer.headers(), self.clock.now());
        if url == *self.directory
            && status.is_success()
            && let Ok(directory) = serde_json::from_slice::<Directory>(answer.body())
        {
            noted.meta = directory.meta;
        }
        drop(noted);
        // A proxy or a broken server says no in HTML: that it is no JSON would tell nobody what happened.
        let says_why = serde_json::from_slice::<instant_acme::Problem>(answer.body()).is_ok();
        if !status.is_success() && !says_why {
            return Err(TransportError::Status { url, status });
        }
        Ok(answer)
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type AcmeFuture = Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>>;

impl HttpClient for Transport {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> AcmeFuture {
        let transport = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(never) => match never {},
            };
            let answer = transport
                .exchange(Request::from_parts(head, body))
                .await
                .map_err(|error| instant_acme::Error::Other(Box::new(error)))?;
            let (parts, body) = answer.into_parts();
            Ok(BytesResponse {
                parts,
                body: Box::new(body),
            })
        })
    }
}

/// When to come again, in seconds or as a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<SystemTime> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let at = match text.parse::<u64>() {
        Ok(seconds) => now.checked_add(Duration::from_secs(seconds))?,
        Err(_) => httpdate::parse_http_date(text).ok()?,
    };
    // Whoever says more has made a mistake, and nobody would look at it before that time.
    Some(at.min(now + LONGEST_WAIT))
}

const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// RFC 8555, section 6.1, asks for a name.
const OUR_NAME: &str = concat!("ravelin/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_to_come_again_is_read_in_both_forms_and_bounded() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let after = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now).map(|at| at.duration_since(now).unwrap().as_secs())
        };
        assert_eq!(after("120"), Some(120));
        assert_eq!(after("Tue, 14 Nov 2023 22:13:30 GMT"), Some(10));
        assert_eq!(after("99999999999"), Some(LONGEST_WAIT.as_secs()));
        assert_eq!(after("soon"), None);
        assert_eq!(after("18446744073709551615"), None);
    }
}
