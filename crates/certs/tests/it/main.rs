//! The store, the local CA and the trust stores, with openssl, certutil and Python as judges.

mod judges;
mod local;
mod trust;
