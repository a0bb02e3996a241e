//! TLS as bytes and as values, from SSL 2's hello to TLS 1.3, with every byte range named.
//!
//! - [`record`] cuts a stream into records, [`handshake`] joins their fragments into messages.
//! - [`Handshake`](handshake::Handshake) and the types below it are messages as values: they borrow
//!   from the bytes, keep what they do not know, and can be written again.
//! - [`dissect`] gives the same messages as trees of [`Field`](dissect::Field)s, in which each byte
//!   belongs to exactly one leaf.
//! - [`registry`] knows the code points: their names, where they are defined, what to think of them.
//!
//! Values and trees come from one description of each message: a [`Reader`](reader::Reader) takes
//! the bytes apart and tells a [`Trace`](reader::Trace) what each of them is. With `()` for a trace
//! nothing is told and nothing paid.
//!
//! ```
//! use ravelin_wire::alert::Alert;
//! use ravelin_wire::registry::AlertDescription;
//!
//! let (tree, alert) = Alert::dissect(&[2, 40]);
//! assert_eq!(alert?.description, AlertDescription::HANDSHAKE_FAILURE);
//! let names: Vec<_> = tree.leaves().map(|leaf| (leaf.range.clone(), leaf.name)).collect();
//! assert_eq!(names, [(0..1, "level"), (1..2, "description")]);
//! # Ok::<(), ravelin_wire::reader::DecodeError>(())
//! ```
//!
//! What is not here: IO, cryptography, clocks, and DTLS, whose records and handshake are others.

pub mod alert;
pub mod dissect;
pub mod extension;
pub mod handshake;
pub mod reader;
pub mod record;
pub mod registry;
pub mod sslv2;
pub mod writer;
