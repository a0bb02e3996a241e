//! Schedules that others wrote down, or derive too, recomputed; records that others sealed, opened.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod conversations;
mod damage;
mod peers;
mod proof;
mod protection;
mod rfc8448;
mod tls12;
mod traces;
