//! The server as programs meet it that use it as a library.

// A helper of tests may fail as a test may; clippy knows only functions marked as tests.
#![allow(clippy::unwrap_used)]

mod axum;
