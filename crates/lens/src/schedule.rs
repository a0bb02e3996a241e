//! How keys come about: the schedule of TLS 1.3, and that of TLS 1.2 and before.

pub mod tls12;
pub mod tls13;
