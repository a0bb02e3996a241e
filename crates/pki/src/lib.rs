//! Names, keys and certificates as typed values.
//!
//! This crate does no IO and reads no clock: bytes and a given time go in, typed answers come out.
//! Where certificates are kept is `ravelin-certs`' business, how TLS uses them `ravelin-tls`'s.

pub mod name;

pub use name::HostName;
