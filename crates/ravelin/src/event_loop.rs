//! The event loop of commands that wait for the network: on the thread that they are on.

use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// Makes one, with sockets and clocks.
pub(crate) fn new() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::of(&error))
}
