//! The store, the journal and its inventory, the local CA and the trust stores, with openssl, certutil and Python as judges.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

mod acme;
mod examples;
mod inventory;
mod journal;
mod judges;
mod kill;
mod local;
mod responder;
mod store;
mod token;
mod trust;
mod victim;
