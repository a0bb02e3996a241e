//! Sites over HTTPS.

pub mod conditional;
pub mod limits;
pub mod log;
pub mod media;
pub mod negotiation;
pub mod site;

pub use limits::Limits;
