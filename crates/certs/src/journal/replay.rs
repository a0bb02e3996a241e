//! How the index is brought up to the journal: what was written since it was last looked at, or all.

use std::path::Path;

use rusqlite::Transaction;

use super::entry::Entry;
use super::error::{Fault, JournalError};
use super::failed_to_read;
use super::lines::{Lines, Piece};
use crate::inventory::InventoryError;
use crate::inventory::index::{self, ApplyError, Built, Bulk, Index};
use crate::store::{AppendFile, LockedFile};

/// Brings the index up to the journal. The lock is held.
pub(super) fn replay(
    file: &AppendFile,
    index: &mut Index,
    locked: &LockedFile,
) -> Result<(), JournalError> {
    let path = index.path().to_owned();
    let failed = |source| InventoryError::Database {
        path: path.clone(),
        source,
    };
    let before = index::built(index.connection()).map_err(failed)?;
    // An index that turns out to be of another journal begins anew, and is slower.
    let many = locked.length().saturating_sub(before.end) > MANY_BYTES;
    let at_once = many && before == Built::NOTHING && replay_at_once(file, index, locked)?;
    if !at_once {
        if many {
            index.prepare_for_many().map_err(failed)?;
        }
        let transaction = index.write().map_err(failed)?;
        replay_within(file, &path, &transaction, locked, |entry, start, length| {
            index::apply(&transaction, entry, start, length)
        })?;
        transaction.commit().map_err(failed)?;
        index.sort_in_names();
    }
    if many {
        index.tidy();
    }
    Ok(())
}

/// Fills an index that is empty; `false` where the database refuses. Then the entries are to be
/// taken one by one: it shows which of them is at fault, and takes less space meanwhile.
fn replay_at_once(
    file: &AppendFile,
    index: &mut Index,
    locked: &LockedFile,
) -> Result<bool, JournalError> {
    let path = index.path().to_owned();
    let mut filled = || -> Result<(), JournalError> {
        let failed = |source| InventoryError::Database {
            path: path.clone(),
            source,
        };
        index.prepare_for_bulk().map_err(failed)?;
        let transaction = index.write().map_err(failed)?;
        let mut bulk = Bulk::begin(&transaction).map_err(failed)?;
        replay_within(file, &path, &transaction, locked, |entry, start, length| {
            bulk.apply(&transaction, entry, start, length)
        })?;
        bulk.finish(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(())
    };
    match filled() {
        Ok(()) => Ok(true),
        Err(JournalError::Inventory(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Bytes of the journal that are taken in at once, beyond which that is done with more memory, and
/// tidied up after.
const MANY_BYTES: u64 = 32 << 20;

pub(super) fn replay_within(
    file: &AppendFile,
    index_path: &Path,
    transaction: &Transaction<'_>,
    locked: &LockedFile,
    mut apply: impl FnMut(&Entry, u64, usize) -> Result<(), ApplyError>,
) -> Result<Built, JournalError> {
    let failed = |source| InventoryError::Database {
        path: index_path.to_owned(),
        source,
    };
    let unread = failed_to_read(file.path());
    let mut built = index::built(transaction).map_err(failed)?;
    let length = locked.length();
    if !built.is_in(locked.file(), length).map_err(&unread)? {
        index::begin_anew(transaction, built).map_err(failed)?;
        built = Built::NOTHING;
    }
    let start = built;
    let mut lines = Lines::new(locked.file(), built.end, length);
    loop {
        let damaged = |fault| JournalError::damaged(file.path(), built.sequence + 1, fault);
        match lines.next().map_err(&unread)? {
            Piece::Line(line, start) => {
                let (entry, now) = built.follow(line, start).map_err(damaged)?;
                apply(&entry, start, line.len()).map_err(|error| match error {
                    ApplyError::Refused(refusal) => damaged(Fault::Impossible(refusal)),
                    ApplyError::Database(source) => failed(source).into(),
                })?;
                built = now;
            }
            Piece::TooLong => return Err(damaged(Fault::TooLong)),
            // What stands behind the last newline is no entry yet.
            Piece::Tail(_) | Piece::End => break,
        }
    }
    if built != start {
        index::set_built(transaction, built).map_err(failed)?;
    }
    Ok(built)
}
