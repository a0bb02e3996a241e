//! Schedules that others wrote down, or derive too, recomputed.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod capture;
mod rfc8448;
mod tls12;
