//! TLS looked at: recomputed from first principles, to be explained and judged.
//!
//! - [`story`] is what all of it leads to: what was seen of a connection, step by step.
//! - [`capture`] takes the streams out of pcap and pcapng files, and writes what was recorded as one.
//! - [`knowledge`] is what is known of it besides its octets: by a [`keylog`], or a [`server_key`].
//! - [`ledger`] keeps everything that a handshake derives, each as a formula with its inputs and its
//!   result, and whether a second way led to the same.
//! - [`schedule`] walks down the key schedules of TLS 1.3, and of TLS 1.2 and before.
//! - [`digest`] has the hashes and derivation functions that these stand on.
//!
//! It stands on primitives alone, never on the schedule of a TLS library: it is a second opinion.

pub mod capture;
pub mod digest;
pub mod keylog;
pub mod knowledge;
pub mod ledger;
pub mod schedule;
pub mod server_key;
pub mod story;
