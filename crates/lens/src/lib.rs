//! TLS looked at: recomputed from first principles, to be explained and judged.
//!
//! - [`story`] is what all of it leads to: what was seen of a connection, step by step.
//! - [`connection`] writes it, from the octets of both sides.
//! - [`recorder`] takes down a connection that runs here, with its secrets.
//! - [`fingerprint`] tells clients by their hellos.
//! - [`knowledge`] is what is known of it besides its octets.
//! - [`credentials`] puts chains, and what logs promised, to the test once a story is told.
//! - [`tickets`] is what a connection leaves behind for the next.
//! - [`ledger`] keeps everything that a handshake derives, each as a formula with its inputs and its
//!   result, and whether a second way led to the same.
//! - [`schedule`] walks down the key schedules of TLS 1.3, and of TLS 1.2 and before.
//! - [`protection`] opens records with the keys that come out.
//! - [`judgement`] is what to think of the whole, and [`explain`] puts everything into words, in
//!   English and in Chinese.
//! - [`text`] shows it all on a terminal, and [`json`] gives it to programs.
//! - [`proof`] tells whether signatures, certificates and promises of logs hold.
//! - [`digest`] has the hashes and derivation functions that these stand on.
//!
//! It stands on primitives alone, never on the schedule of a TLS library: it is a second opinion.

pub mod connection;
pub mod credentials;
pub mod digest;
pub mod explain;
pub mod fingerprint;
pub mod json;
pub mod judgement;
pub mod knowledge;
pub mod ledger;
pub mod proof;
pub mod protection;
pub mod recorder;
pub mod schedule;
pub mod story;
pub mod text;
pub mod tickets;
