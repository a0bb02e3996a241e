//! What a tunnel has done so far, in numbers.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use crate::plan::{Entry, Tunnel};

/// The numbers of one tunnel. Workers add to them as connections come and go, and every few seconds while
/// octets flow.
#[derive(Debug, Default)]
pub struct Meters {
    pub(crate) accepted: AtomicU64,
    pub(crate) open: AtomicU64,
    pub(crate) established: AtomicU64,
    pub(crate) resumed: AtomicU64,
    pub(crate) turned_away: AtomicU64,
    pub(crate) handshakes_failed: AtomicU64,
    pub(crate) not_allowed: AtomicU64,
    pub(crate) service_failures: AtomicU64,
    pub(crate) up: AtomicU64,
    pub(crate) down: AtomicU64,
}

impl Meters {
    pub(crate) fn one(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    /// Connections that are open now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Relaxed)
    }
}

/// A connection that is counted as open; dropping it ends that.
pub(crate) struct Open(Arc<Meters>);

impl Open {
    pub(crate) fn new(meters: &Arc<Meters>) -> Self {
        Meters::one(&meters.accepted);
        Meters::one(&meters.open);
        Self(meters.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

/// The numbers of tunnels in the text format of Prometheus (version 0.0.4).
#[must_use]
pub fn text(tunnels: &[Arc<Tunnel>]) -> String {
    let mut text = String::new();
    for family in FAMILIES {
        let Family {
            name, kind, help, ..
        } = family;
        // A string takes all.
        let _ = writeln!(text, "# HELP ravelin_tunnel_{name} {help}");
        let _ = writeln!(text, "# TYPE ravelin_tunnel_{name} {kind}");
        for tunnel in tunnels {
            let label = escaped(&tunnel.name);
            let value = (family.value)(&tunnel.meters).load(Relaxed);
            let _ = writeln!(text, "ravelin_tunnel_{name}{{tunnel=\"{label}\"}} {value}");
        }
    }
    certificates(tunnels, &mut text);
    text
}

/// When the certificates end that tunnels show.
fn certificates(tunnels: &[Arc<Tunnel>], text: &mut String) {
    let name = "ravelin_tunnel_certificate_not_after_seconds";
    let _ = writeln!(
        text,
        "# HELP {name} When the certificate ends, in seconds since 1970."
    );
    let _ = writeln!(text, "# TYPE {name} gauge");
    for tunnel in tunnels {
        let Entry::Terminate(terminate) = &tunnel.entry else {
            continue;
        };
        let end = terminate.not_after;
        if let Some(Ok(end)) = end.map(|end| end.duration_since(SystemTime::UNIX_EPOCH)) {
            let label = escaped(&tunnel.name);
            let _ = writeln!(text, "{name}{{tunnel=\"{label}\"}} {}", end.as_secs());
        }
    }
}

struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    value: fn(&Meters) -> &AtomicU64,
}

const FAMILIES: &[Family] = &[
    counter("connections_total", "Connections that came in.", |meters| {
        &meters.accepted
    }),
    Family {
        name: "connections_open",
        kind: "gauge",
        help: "Connections that are open now.",
        value: |meters| &meters.open,
    },
    counter(
        "connections_established_total",
        "Connections that reached their service.",
        |meters| &meters.established,
    ),
    counter(
        "handshakes_resumed_total",
        "TLS handshakes with clients that resumed a session.",
        |meters| &meters.resumed,
    ),
    counter(
        "handshakes_failed_total",
        "Connections that ended before a TLS handshake with their client did.",
        |meters| &meters.handshakes_failed,
    ),
    counter(
        "turned_away_total",
        "Connections that were closed because there were too many.",
        |meters| &meters.turned_away,
    ),
    counter(
        "not_allowed_total",
        "Connections of clients whose certificate fits no rule.",
        |meters| &meters.not_allowed,
    ),
    counter(
        "service_failures_total",
        "Servers of a service that could not be reached, or were not believed.",
        |meters| &meters.service_failures,
    ),
    counter(
        "received_bytes_total",
        "Octets of clients that were passed on, without TLS.",
        |meters| &meters.up,
    ),
    counter(
        "sent_bytes_total",
        "Octets of services that were passed on, without TLS.",
        |meters| &meters.down,
    ),
];

const fn counter(
    name: &'static str,
    help: &'static str,
    value: fn(&Meters) -> &AtomicU64,
) -> Family {
    Family {
        name,
        kind: "counter",
        help,
        value,
    }
}

/// A value of a label: a backslash, a quote and a line's end are escaped.
fn escaped(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
