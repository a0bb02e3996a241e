//! The program as its users meet it: arguments in, output and exit codes out.

// A helper of tests may fail as a test may; clippy knows only functions marked as tests.
#![allow(clippy::unwrap_used)]

mod abuse;
mod authority;
#[path = "../../../lens/tests/it/browser.rs"]
#[allow(dead_code, reason = "not all that it can do is done here")]
mod browser;
mod certificates;
mod client;
mod config;
mod connect;
mod convert;
mod docs;
mod explained;
mod foreign;
mod get;
mod inspect;
mod judges;
mod keys;
mod life;
mod seal;
mod server;
mod show;
mod stapling;
mod tunnel;
mod watch;
