//! What one client may take of the server, so that the others get their share.

use std::time::Duration;

/// Limits on connections and requests. `Limits::default()` is what a public server wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The longest that a TLS handshake may take, from the accepted connection on.
    pub handshake_timeout: Duration,
    /// The longest that a request's header block may take, from its first byte on.
    pub header_timeout: Duration,
    /// How long a connection may stay open with nothing asked on it.
    pub idle_timeout: Duration,
    /// Bytes a second that a body must flow with, either way, measured over ten seconds; a client
    /// that is slower is cut off. 0 switches the rule off.
    pub min_body_rate: u64,
    /// The longest header block taken, in bytes; a longer one is answered 431.
    pub header_bytes: usize,
    /// The most fields that a header block may have.
    pub header_fields: usize,
    /// Streams that an HTTP/2 connection may have open at once.
    pub http2_streams: u32,
    /// Connections that the whole server holds at once. `None`: what the file descriptors allow.
    pub connections: Option<usize>,
    /// Connections that one address may hold at once (an IPv6 client is its /64). `None`: 1,000,
    /// and no limit for loopback addresses.
    pub connections_per_address: Option<usize>,
    /// How long running requests may take to end after the server was told to stop.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            min_body_rate: 256,
            header_bytes: 32 * 1024,
            header_fields: 100,
            http2_streams: 128,
            connections: None,
            connections_per_address: None,
            drain_timeout: Duration::from_secs(30),
        }
    }
}
