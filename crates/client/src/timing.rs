//! How long each part of an exchange took.

use std::time::Duration;

/// How long each part took; zero where there was none, as on a connection that was there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// Asking for the addresses of the name.
    pub lookup: Duration,
    /// Connecting to one of them.
    pub connect: Duration,
    /// Getting the proxy to connect.
    pub proxy: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// From the first octet of the request to the head of the answer.
    pub answer: Duration,
}

impl Timing {
    /// All of it together.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.lookup + self.connect + self.proxy + self.tls + self.answer
    }
}
