//! Sites over HTTPS.

pub mod limits;
pub mod site;

pub use limits::Limits;
