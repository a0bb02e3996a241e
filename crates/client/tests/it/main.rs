//! The client against servers, and the programs in `examples/` as their readers run them.

#![allow(clippy::unwrap_used)]

mod bodies;
mod http3;
mod programs;
mod proxy;
mod servers;
