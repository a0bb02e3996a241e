//! What the codec says of TLS, with openssl, gnutls and tshark as judges.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod registry;
