//! Schedules that others wrote down, or derive too, recomputed; records that others sealed, opened.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod conversations;
mod damage;
mod fingerprint;
mod json;
mod peers;
mod protection;
mod rfc8448;
mod text;
mod tls12;
mod traces;
mod words;
