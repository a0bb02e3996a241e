//! How events get behind the end of the journal: whether they can happen, their lines, and what a
//! crash left there.

use std::collections::HashSet;
use std::fs::File;
use std::time::SystemTime;

use ravelin_pki::{Fingerprint, SerialNumber};

use super::entry::{Entry, LINE_MAX};
use super::error::{JournalError, Refusal};
use super::event::Event;
use super::lines::{Lines, Piece};
use super::replay::{replay, replay_within};
use super::{Head, Journal, failed_to_read};
use crate::inventory::InventoryError;
use crate::inventory::index::{self, ApplyError, Built, Index};
use crate::store::offsets::read_exact_at;
use crate::store::{AppendFile, LockedFile};

/// What was issued since the index was brought up to the journal.
///
/// Many certificates at once are not put into the index while their issuer waits: that takes several
/// times what writing them down does, and the more the larger it is. It is enough to know their
/// serial numbers; the index catches up when it is asked.
#[derive(Debug)]
pub(super) struct Recent {
    /// The entry up to which the index had got when this began.
    indexed: u64,
    /// The last entry that is in here.
    read: Built,
    serials: HashSet<(Fingerprint, SerialNumber)>,
}

/// From so many events in one call on, the index is left to catch up. A few do not matter beside the
/// wait for the disk, and the index then remembers the last line for an audit.
const MANY: usize = 8;

/// So many may be missing in the index: to catch up with them takes a fraction of a second.
const RECENT_MAX: usize = 20_000;

impl Journal {
    /// Writes many certificates down without waiting for the index; `None` where they are few, or
    /// where it takes the index to know whether the events can happen. The lock is held.
    pub(super) fn append_many(
        &mut self,
        locked: &mut LockedFile,
        events: &[Event],
        now: SystemTime,
    ) -> Result<Option<Head>, JournalError> {
        if events.len() < MANY || !events.iter().all(|event| matches!(event, Event::Issued(_))) {
            return Ok(None);
        }
        // Whatever is wrong with the index, it is mended where it is needed.
        let Ok(built) = index::built(self.index.connection()) else {
            return Ok(None);
        };
        let recent = Recent::read(self.recent.take(), built, locked)
            .map_err(failed_to_read(self.file.path()))?;
        let Some(mut recent) = recent else {
            return Ok(None);
        };
        let mut batch = Batch::after(recent.read);
        // One look at the index for all of them: to begin and end it takes as long as to find a
        // number in it. Numbers that we make are greater than all that were made before.
        let Ok(look) = self.index.look() else {
            return Ok(None);
        };
        let Ok(greatest) = self.index.greatest_serial() else {
            return Ok(None);
        };
        for event in events {
            match recent.add(&self.index, event, greatest.as_deref()) {
                Ok(()) => {}
                Err(ApplyError::Refused(refusal)) => return Err(refusal.into()),
                Err(ApplyError::Database(_)) => return Ok(None),
            }
            batch.add(event, now)?;
        }
        drop(look);
        locked.append(batch.lines.as_bytes())?;
        recent.read = batch.built;
        if recent.serials.len() < RECENT_MAX {
            self.recent = Some(recent);
        } else {
            // They are on the disk, whatever becomes of the index.
            let _ = replay(&self.file, &mut self.index, locked);
        }
        Ok(Some(batch.built.head()))
    }
}

impl Recent {
    /// What others wrote meanwhile is taken in as well; `None` where it is not certificates alone.
    fn read(
        before: Option<Self>,
        built: Built,
        locked: &LockedFile,
    ) -> std::io::Result<Option<Self>> {
        // One that was made anew meanwhile, or is further, makes what is known here useless.
        let usable = |recent: &Self| {
            recent.indexed <= built.sequence && built.sequence <= recent.read.sequence
        };
        let mut recent = before.filter(usable).unwrap_or_else(|| Self {
            indexed: built.sequence,
            read: built,
            serials: HashSet::new(),
        });
        let length = locked.length();
        if !built.is_in(locked.file(), length)? || !recent.read.is_in(locked.file(), length)? {
            return Ok(None);
        }
        let mut lines = Lines::new(locked.file(), recent.read.end, length);
        loop {
            let (entry, read) = match lines.next()? {
                Piece::End => return Ok(Some(recent)),
                Piece::Line(line, start) => match recent.read.follow(line, start) {
                    Ok(followed) => followed,
                    Err(_) => return Ok(None),
                },
                Piece::TooLong | Piece::Tail(_) => return Ok(None),
            };
            let Event::Issued(issued) = entry.event else {
                return Ok(None);
            };
            if !recent.serials.insert((issued.issuer, issued.serial)) {
                return Ok(None);
            }
            recent.read = read;
        }
    }

    /// Notes a certificate, if its number was not given before.
    fn add(
        &mut self,
        index: &Index,
        event: &Event,
        greatest: Option<&[u8]>,
    ) -> Result<(), ApplyError> {
        let Event::Issued(issued) = event else {
            return Ok(());
        };
        let known = index.has_given(&issued.issuer, &issued.serial, greatest)?;
        let new = self.serials.insert((issued.issuer, issued.serial.clone()));
        if known || !new {
            return Err(ApplyError::Refused(Refusal::SerialTwice {
                serial: issued.serial.clone(),
                issuer: issued.issuer,
            }));
        }
        Ok(())
    }
}

/// Lines that are to be written at once.
struct Batch {
    lines: String,
    /// The last of them.
    built: Built,
}

impl Batch {
    fn after(built: Built) -> Self {
        Self {
            lines: String::new(),
            built,
        }
    }

    fn add(&mut self, event: &Event, now: SystemTime) -> Result<Entry, Refusal> {
        let entry = Entry {
            sequence: self.built.sequence + 1,
            time: now,
            previous: self.built.head,
            event: event.clone(),
        };
        let line = entry.to_line().map_err(Refusal::Form)?;
        if line.len() > LINE_MAX {
            return Err(Refusal::TooLong { octets: line.len() });
        }
        self.built = Built {
            sequence: entry.sequence,
            head: Fingerprint::of(line.as_bytes()),
            start: self.built.end,
            end: self.built.end + line.len() as u64,
        };
        self.lines.push_str(&line);
        Ok(entry)
    }
}

/// Writes events behind the end, and into the index. The lock is held, and what a crash left is
/// gone.
pub(super) fn append(
    file: &AppendFile,
    index: &mut Index,
    locked: &mut LockedFile,
    events: &[Event],
    now: SystemTime,
) -> Result<Head, JournalError> {
    let path = index.path().to_owned();
    let failed = |source| InventoryError::Database {
        path: path.clone(),
        source,
    };
    let transaction = index.write().map_err(failed)?;
    let built = replay_within(file, &path, &transaction, locked, |entry, start, length| {
        index::apply(&transaction, entry, start, length)
    })?;
    let mut batch = Batch::after(built);
    for event in events {
        let entry = batch.add(event, now)?;
        let Built { start, end, .. } = batch.built;
        // Before it is written, for it is here that a serial number given twice shows.
        let length = (end - start) as usize;
        index::apply(&transaction, &entry, start, length).map_err(|error| match error {
            ApplyError::Refused(refusal) => JournalError::Refused(refusal),
            ApplyError::Database(source) => failed(source).into(),
        })?;
    }
    index::set_built(&transaction, batch.built).map_err(failed)?;
    locked.append(batch.lines.as_bytes())?;
    // The entries are on the disk: an index that cannot take them now will catch up later.
    let _ = transaction.commit();
    index.sort_in_names();
    Ok(batch.built.head())
}

/// Cuts off a last line that is not whole: it was being written when its process died or the power
/// failed, so that nobody was told of it. All whole lines are in the index.
///
/// One that only lacks its newline gets it. It may be of that kind too, but also be what an editor
/// made of an entry whose certificate is in use.
pub(super) fn mend_tail(
    index: &Index,
    locked: &mut LockedFile,
    mut tail: Vec<u8>,
) -> Result<(), JournalError> {
    let start = locked.length() - tail.len() as u64;
    let built = index::built(index.connection()).map_err(|source| index.failed(source))?;
    tail.push(b'\n');
    if built.end == start && built.follow(&tail, start).is_ok() {
        locked.append(b"\n")?;
    } else {
        locked.cut(start)?;
    }
    Ok(())
}

/// What stands behind the last newline: nothing, most of the time.
pub(super) fn tail(file: &File, length: u64) -> std::io::Result<Vec<u8>> {
    let mut size = 1;
    loop {
        let step = length.min(size);
        let mut bytes = vec![0; step as usize];
        read_exact_at(file, &mut bytes, length - step)?;
        let newline = bytes.iter().rposition(|byte| *byte == b'\n');
        // What is longer than a line is not what a crash left: reading the lines will tell.
        if newline.is_some() || step == length || step >= LINE_MAX as u64 {
            bytes.drain(..newline.map_or(0, |at| at + 1));
            return Ok(bytes);
        }
        size = step * 64;
    }
}
