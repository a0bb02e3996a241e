//! Schedules that others wrote down, recomputed.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod rfc8448;
