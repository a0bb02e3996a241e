//! Clients that others wrote, at work against `ravelin serve`: that our own client agrees with our
//! own server would prove little.

mod curl;
pub(crate) mod openssl;
