//! When the same request is sent again, and how long is waited before.

use std::time::{Duration, SystemTime};

use aws_lc_rs::rand;
use http::{HeaderMap, Method, StatusCode, header};

/// How often a request is sent again that came to nothing by what may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// How often at most.
    pub most: u32,
    /// How long is waited before the first; twice as long before each that follows, and by chance up to a quarter
    /// less, so that many clients do not come back together.
    pub first_wait: Duration,
    /// The longest that is waited. A server that asks for more by `Retry-After` is not asked again.
    pub longest_wait: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            most: 0,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(60),
        }
    }
}

impl Retries {
    /// How long is waited before the request is sent again after `before` times; none where it is not.
    pub(crate) fn wait(&self, before: u32) -> Option<Duration> {
        if before >= self.most {
            return None;
        }
        let whole = self.first_wait.saturating_mul(1 << before.min(20));
        let whole = whole.min(self.longest_wait);
        let mut chance = [0];
        // Without chance it is as good, but for who comes back at the same time.
        let _ = rand::fill(&mut chance);
        Some(whole.saturating_sub(whole / 4 * u32::from(chance[0]) / 255))
    }

    /// The same where a response said how long.
    pub(crate) fn wait_for(
        &self,
        before: u32,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Option<Duration> {
        let wait = self.wait(before)?;
        match retry_after(headers, now) {
            Some(asked) if asked > self.longest_wait => None,
            Some(asked) => Some(asked.max(wait)),
            None => Some(wait),
        }
    }
}

/// Whether a request can be sent twice and means the same (RFC 9110, section 9.2.2).
pub(crate) fn is_idempotent(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS | Method::TRACE
    )
}

/// Whether a status says that it may pass.
pub(crate) fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 502 | 503 | 504)
}

/// RFC 9110, section 10.2.3.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let moment = httpdate::parse_http_date(text).ok()?;
            Some(moment.duration_since(now).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn waits_double_and_servers_are_obeyed_within_bounds() {
        let retries = Retries {
            most: 8,
            ..Retries::default()
        };
        let millis = |before| retries.wait(before).unwrap().as_millis();
        assert!((375..=500).contains(&millis(0)));
        assert!((1500..=2000).contains(&millis(2)));
        assert!((45_000..=60_000).contains(&millis(7)));
        assert_eq!(retries.wait(8), None);
        let now = SystemTime::now();
        let asked = |text: &str| {
            let value = HeaderValue::from_str(text).unwrap();
            retries.wait_for(
                0,
                &HeaderMap::from_iter([(header::RETRY_AFTER, value)]),
                now,
            )
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("61"), None);
        let date = httpdate::fmt_http_date(now + Duration::from_secs(30));
        assert!((29..=30).contains(&asked(&date).unwrap().as_secs()));
        assert!(asked("soon").unwrap() < Duration::from_secs(1));
    }
}
