//! Clients that others wrote, at work against `ravelin serve`: that our own client agrees with our
//! own server would prove little.

pub(crate) mod chromium;
mod curl;
mod log;
mod nghttp;
pub(crate) mod openssl;
mod python;
mod trust;
