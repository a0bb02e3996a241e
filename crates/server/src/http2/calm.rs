//! When a client asks for more work than any client needs (RFC 9113, section 10.5).

use std::time::Instant;

/// Bytes of frames that are neither a request nor its body (PING, SETTINGS, PRIORITY, the headers
/// of DATA frames) that a client may send, beside what each request and each answer naturally
/// bring with them.
const NOISE: u64 = 256 * 1024;
const NOISE_A_REQUEST: u64 = 64 * 1024;

/// Streams that a client may reset, or make us reset by its errors: as many at once as a page that
/// is left may have open twice, then so many a second. A request costs its handler's work even
/// where it is taken back at once (CVE-2023-44487, "rapid reset", and CVE-2025-8671).
const RESETS: f64 = 256.0;
const RESETS_A_SECOND: f64 = 32.0;

/// What a client has done beside asking and reading.
#[derive(Debug, Default)]
pub(super) struct Calm {
    noise: u64,
    /// Resets that still count, as of then.
    resets: f64,
    counted: Option<Instant>,
}

impl Calm {
    pub(super) fn add_noise(&mut self, bytes: usize) {
        self.noise += bytes as u64;
    }

    /// Whether the noise is more than `requests` and `body_bytes`, sent and received, account for.
    pub(super) fn is_flooded(&self, requests: u64, body_bytes: u64) -> bool {
        self.noise > NOISE + requests * NOISE_A_REQUEST + body_bytes
    }

    /// Counts a reset. `false` where it is one too many.
    pub(super) fn add_reset(&mut self, now: Instant) -> bool {
        if let Some(counted) = self.counted.replace(now) {
            let forgotten = (now - counted).as_secs_f64() * RESETS_A_SECOND;
            self.resets = (self.resets - forgotten).max(0.0);
        }
        self.resets += 1.0;
        self.resets <= RESETS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn resets_are_forgotten_with_time() {
        let mut calm = Calm::default();
        let now = Instant::now();
        assert!((0..256).all(|_| calm.add_reset(now)));
        assert!(!calm.add_reset(now));
        let later = now + Duration::from_secs(2);
        assert!((0..60).all(|_| calm.add_reset(later)));
        assert!(!(0..10).all(|_| calm.add_reset(later)));
    }

    #[test]
    fn noise_is_measured_against_what_is_asked_and_sent() {
        let mut calm = Calm::default();
        calm.add_noise(300 * 1024);
        assert!(calm.is_flooded(0, 0));
        assert!(!calm.is_flooded(1, 0));
        assert!(!calm.is_flooded(0, 100 * 1024));
    }
}
