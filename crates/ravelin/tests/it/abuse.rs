//! What hostile, broken and slow clients, full disks and moving files do to a running server.
//!
//! Each test asks four things: did the right party get a clear error, were others served meanwhile,
//! did memory stay bounded, and is standard error free of panics and `Debug` dumps
//! ([`crate::server::Server`] looks at that at the end of every test). The clients are made of rustls, TCP
//! sockets and frames written by hand, because no decent client does what these do.

mod bodies;
mod connections;
mod disks;
mod files;
mod framing;
mod guards;
mod hosts;
mod http2;
mod paths;
mod plain_http;
mod slow;
mod tls;
