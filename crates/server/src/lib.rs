//! Sites over HTTPS.

pub mod site;
