//! What the codec promises of any bytes, and what it makes of the bytes of others: openssl, gnutls and
//! tshark are the judges.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod properties;
mod real;
mod registry;
mod values;
