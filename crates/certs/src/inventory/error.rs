//! Why the inventory does not answer.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use crate::store::shell_word;

/// Why the inventory does not answer.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// Several certificates have serial numbers that begin like that.
    #[error(
        "\"{prefix}\" is the beginning of {} serial numbers: {}",
        if *more { "more than 5".to_owned() } else { serials.len().to_string() },
        serials.join(", ")
    )]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The first 5 of them.
        serials: Vec<String>,
        /// Whether there are more.
        more: bool,
    },
    /// SQLite refused.
    #[error("cannot use the inventory \"{}\"", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

impl InventoryError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Ambiguous {
                prefix, serials, ..
            } => Some(
                if serials.contains(prefix) {
                    "several issuers gave this number: look for it by name"
                } else {
                    "give more digits"
                }
                .to_owned(),
            ),
            Self::Database { path, source } => match source.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => Some("free some space".to_owned()),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    Some("see whether another ravelin process hangs, and end it".to_owned())
                }
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                    Some(format!("see who owns it: ls -l {}", shell_word(path)))
                }
                _ => Some(format!(
                    "it is made anew from the journal: rm {}",
                    shell_word(path)
                )),
            },
        }
    }
}

/// Whether the file itself is at fault, and not the disk or another process: it can be made anew.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            // 522 is SQLITE_IOERR_SHORT_READ: the file ends too soon.
            ErrorCode::SystemIoFailure => failure.extended_code == 522,
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory
            | ErrorCode::OperationInterrupted
            | ErrorCode::FileLockingProtocolFailed => false,
            _ => true,
        },
        _ => true,
    }
}
