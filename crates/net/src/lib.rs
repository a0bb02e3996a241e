//! Sockets of servers, whatever is spoken over them: a listener for each worker ([`listen`]), how many
//! connections one client may hold ([`gate`]), and how many the process can ([`capacity`]).

pub mod capacity;
pub mod gate;
pub mod listen;

pub use capacity::{is_out_of_files, worker_count};
pub use gate::{Gate, Pass};
pub use listen::{ListenError, Listener, overlap};
