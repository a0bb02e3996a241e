//! TLS looked at: recomputed from first principles, to be explained and judged.
//!
//! - [`story`] is what all of it leads to: what was seen of a connection, step by step.
//! - [`connection`] writes it, from the octets of both sides.
//! - [`fingerprint`] tells clients by their hellos.
//! - [`recorder`] takes down a connection that runs here, with its secrets.
//! - [`credentials`] puts chains, and what logs promised, to the test once a story is told.
//! - [`survey`] reads all connections of a capture to their ends.
//! - [`tickets`] is what a connection leaves behind for the next.
//! - [`capture`] takes the streams out of pcap and pcapng files, and writes what was recorded as one.
//! - [`knowledge`] is what is known of it besides its octets: by a [`keylog`], or a [`server_key`].
//! - [`ledger`] keeps everything that a handshake derives, each as a formula with its inputs and its
//!   result, and whether a second way led to the same.
//! - [`schedule`] walks down the key schedules of TLS 1.3, and of TLS 1.2 and before.
//! - [`protection`] opens records with the keys that come out.
//! - [`proof`] tells whether signatures, certificates and promises of logs hold.
//! - [`judgement`] is what to think of the whole, and [`explain`] puts everything into words, in
//!   English and in Chinese.
//! - [`page`] shows all of it on one page of HTML.
//! - [`text`] shows it all on a terminal, and [`json`] gives it to programs.
//! - [`digest`] has the hashes and derivation functions that these stand on.
//!
//! It stands on primitives alone, never on the schedule of a TLS library: it is a second opinion.

pub mod capture;
pub mod connection;
pub mod credentials;
pub mod digest;
pub mod explain;
pub mod fingerprint;
pub mod json;
pub mod judgement;
pub mod keylog;
pub mod knowledge;
pub mod ledger;
mod octets;
pub mod page;
pub mod proof;
pub mod protection;
pub mod recorder;
pub mod schedule;
pub mod server_key;
pub mod story;
pub mod survey;
pub mod text;
pub mod tickets;
