//! Schedules that others wrote down, or derive too, recomputed; records that others sealed, opened.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod browser;
mod capture;
mod conversations;
mod damage;
mod encrypted_hello;
mod fingerprint;
mod json;
mod page;
mod peers;
mod proof;
mod protection;
mod recorder;
mod rfc8448;
mod text;
mod tls12;
mod traces;
mod words;
