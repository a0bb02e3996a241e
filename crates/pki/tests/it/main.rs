//! Keys and certificates, with openssl as judge: what it makes is read, what is made it verifies.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod authority;
mod keys;
mod lint;
mod openssl;
mod outside;
mod pem;
