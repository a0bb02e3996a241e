//! The event loop of commands that wait for the network: on the thread that they are on.

use std::panic::resume_unwind;

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

use crate::failure::Failure;

/// Makes one, with sockets and clocks.
pub(crate) fn new() -> Result<LocalRuntime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())
        .map_err(|error| Failure::of(&error))
}

/// Runs `future` to its end, as a task beside those that carry its connections. Were the loop blocked on it itself, it
/// would look for octets each time that a connection wakes it, before it lets it go on: a call into the kernel for each
/// record of a long download.
pub(crate) fn run<F>(runtime: &LocalRuntime, future: F) -> F::Output
where
    F: Future<Output: 'static> + 'static,
{
    let ended = runtime.block_on(runtime.spawn_local(future));
    ended.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}
