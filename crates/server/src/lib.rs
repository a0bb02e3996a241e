//! Sites over HTTPS: HTTP/1.1 and HTTP/2 on TLS, one worker a core.
//!
//! A request flows from a [`Listener`] through `worker` (accept, limits), `handshake` (TLS), `http1` or
//! `http2` (one driver each), `sites` (host and route) to a handler such as `files`, and at its end
//! into the [`log`]. [`site`] says what is served, as checked values; [`Server`] serves it.
//!
//! This crate reads no configuration file, prints nothing and ends no process: that is the
//! binary's business. Certificates come from `ravelin-certs`, TLS policy from `ravelin-tls`.
//!
//! Any tower service can be served too, an axum router for one:
//!
//! ```no_run
//! # fn main() -> Result<(), ravelin_server::BoxError> {
//! let app = axum::Router::new().route("/", axum::routing::get(|| async { "hello\n" }));
//! let tls = ravelin_server::local_tls(&["localhost".parse()?])?;
//! let mut server = ravelin_server::Builder::new(tls).serve(app)?;
//! server.listen(ravelin_server::Listener::bind("127.0.0.1:8443".parse()?, server.workers())?);
//! # server.shutdown()?;
//! # Ok(())
//! # }
//! ```

mod app;
mod apps;
pub mod auth;
mod body;
pub mod conditional;
mod connection;
pub mod error_page;
mod explained;
mod files;
mod framing;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod handshake;
mod host;
mod http1;
mod http2;
mod inbox;
mod lease;
pub mod limits;
pub mod listing;
pub mod log;
pub mod media;
pub mod negotiation;
pub mod page;
mod path;
mod prepared;
pub mod rate;
mod record;
mod reply;
mod server;
pub mod site;
mod sites;
mod stream;
mod tower;
mod worker;

pub use body::{Body, BodyTooLarge, BoxError, RequestBody};
pub use connection::{Connection, TlsFacts};
pub use limits::Limits;
pub use ravelin_net::{ListenError, Listener, overlap, worker_count};
pub use server::{ALPN, Builder, Server, SiteServer, local_tls};
pub use worker::Notice;
