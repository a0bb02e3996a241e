//! How much the machine gives.

use std::{io, thread};

/// File descriptors that connections leave to listeners, files, logs and the store.
const RESERVED_FILES: usize = 128;

/// The workers that `configured` stands for: one a core for 0.
#[must_use]
pub fn worker_count(configured: usize) -> usize {
    match configured {
        0 => thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// As many files as the process may have open, less a reserve.
#[must_use]
pub fn files_for_connections() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let files = limit.map_or(usize::MAX / 2, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX / 2)
    });
    files.saturating_sub(RESERVED_FILES).max(files / 2).max(1)
}

/// EMFILE, ENFILE, ENOBUFS, ENOMEM: accepting again at once would only burn CPU.
#[must_use]
pub fn is_out_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(
        errno,
        Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)
    )
}
