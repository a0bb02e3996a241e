//! Answers as HTTP has them, with what caches have to know (RFC 5019, section 6).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ravelin_pki::ocsp::ResponseStatus;
use ravelin_pki::{Certificate, Fingerprint, OcspResponse};

use super::ResponderError;
use super::issuer::Prepared;

/// An answer to an HTTP request.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The fields, in lower case: `content-type`, and what concerns caches.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Arc<[u8]>,
    /// What went wrong, for the log: it is nothing that the client should read.
    pub problem: Option<ResponderError>,
}

impl Answer {
    /// One of its fields.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn ocsp(prepared: &Prepared, now: SystemTime) -> Self {
        Self::of(200, OCSP, prepared.body.clone()).cached(prepared, now, Duration::MAX)
    }

    /// A response to this one request, for its nonce or the certificates it asks for.
    pub(super) fn ocsp_once(response: &OcspResponse) -> Self {
        Self::of(200, OCSP, response.der().into()).uncached()
    }

    /// HTTP has no part in it when a responder has nothing to say: the status is 200 (RFC 6960,
    /// appendix A.2). It is not signed, so no cache may keep it (RFC 5019, section 6.2).
    pub(super) fn ocsp_error(status: ResponseStatus) -> Self {
        Self::of(200, OCSP, OcspResponse::error(status).der().into()).uncached()
    }

    pub(super) fn list(list: &Prepared, now: SystemTime) -> Self {
        // RFC 2585, section 3.
        Self::of(200, "application/pkix-crl", list.body.clone()).cached(list, now, LIST_CACHED)
    }

    pub(super) fn certificate(certificate: &Certificate) -> Self {
        let body = certificate.der().as_ref().into();
        let mut answer = Self::of(200, "application/pkix-cert", body);
        // One with the same key may take its place.
        answer.add("cache-control", "public, max-age=3600".to_owned());
        answer
    }

    pub(super) fn not_found() -> Self {
        Self::of(404, PLAIN, Arc::from(&b"there is nothing here\n"[..]))
    }

    pub(super) fn not_allowed(methods: &str) -> Self {
        let mut answer = Self::of(405, PLAIN, Arc::from(&b"not with this method\n"[..]));
        answer.add("allow", methods.to_owned());
        answer
    }

    pub(super) fn failed(problem: ResponderError) -> Self {
        Self::of(503, PLAIN, Arc::from(&b"please try again later\n"[..]))
            .uncached()
            .because(problem)
    }

    pub(super) fn because(mut self, problem: ResponderError) -> Self {
        self.problem = Some(problem);
        self
    }

    pub(super) fn uncached(mut self) -> Self {
        self.headers.retain(|(name, _)| *name == "content-type");
        self.add("cache-control", "no-store".to_owned());
        self
    }

    fn of(status: u16, content_type: &'static str, body: Arc<[u8]>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body,
            problem: None,
        }
    }

    /// To be kept until there is something newer, but not longer than `most`.
    fn cached(mut self, prepared: &Prepared, now: SystemTime, most: Duration) -> Self {
        let left = prepared.next_update.duration_since(now);
        let age = left.unwrap_or_default().min(most);
        let etag = Fingerprint::of(&prepared.body).to_string();
        self.add("etag", format!("\"{}\"", &etag[..32]));
        self.add(
            "last-modified",
            httpdate::fmt_http_date(prepared.this_update),
        );
        self.add("expires", httpdate::fmt_http_date(now + age));
        self.add(
            "cache-control",
            format!(
                "public, no-transform, must-revalidate, max-age={}",
                age.as_secs()
            ),
        );
        self
    }

    fn add(&mut self, name: &'static str, value: String) {
        self.headers.push((name, value));
    }
}

const OCSP: &str = "application/ocsp-response";
const PLAIN: &str = "text/plain; charset=utf-8";

/// A list is good for days and may say something new in minutes.
const LIST_CACHED: Duration = Duration::from_secs(5 * 60);
