//! TLS in front of any TCP or Unix service, and TLS from any client to a TLS server: many tunnels in one process.
//!
//! A connection comes in at a [`Place`], one listener a worker, and its life is told in `connection`: what may
//! stand before TLS (the PROXY protocol, STARTTLS), the handshake, who may pass ([`allow`]), which service it
//! is for ([`plan`]), which of that service's servers answers ([`backends`]), and then octets both ways (`end`,
//! `pipe`) until both sides have ended. Each leaves a [`Record`], and counts in [`meters`].
//!
//! Workers are threads with an event loop each and share nothing that is locked while octets flow. A connection
//! that is idle holds no buffer: what is read goes through one of its worker's.
//!
//! This crate reads no configuration file and prints nothing: that is the binary's business.

pub mod allow;
pub mod backends;
mod connection;
mod end;
pub mod meters;
mod pipe;
pub mod plan;
mod preamble;
pub mod record;
mod secure;
mod socket;
mod tunnels;
mod worker;

pub use allow::Rule;
pub use backends::{Backends, Balance, Target};
pub use plan::{Entry, Limits, Originate, Place, ProxyVersion, Route, Service, Terminate, Tunnel};
pub use record::{Ending, Record, TlsFacts};
pub use tunnels::{Builder, Door, DoorError, Tunnels};
pub use worker::Notice;
