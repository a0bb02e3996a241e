//! The lines of the journal's file, and whether each belongs where it stands: numbers without gaps,
//! and each line with the hash of the one before.

use std::borrow::Borrow;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};

use ravelin_pki::Fingerprint;

use super::entry::{Entry, LINE_MAX};
use super::error::Fault;
use crate::inventory::index::Built;
use crate::store::ReadFrom;

/// Reads lines, one after the other.
pub(crate) struct Lines<F> {
    reader: BufReader<ReadFrom<F>>,
    line: Vec<u8>,
    /// Where the next line begins.
    next: u64,
}

/// What comes next.
pub(crate) enum Piece<'a> {
    /// A line, with its newline, and where it begins.
    Line(&'a [u8], u64),
    /// More than an entry can have.
    TooLong,
    /// What stands behind the last newline: not a line yet, or not any more.
    Tail(&'a [u8]),
    End,
}

impl<F: Borrow<File>> Lines<F> {
    pub(crate) fn new(file: F, offset: u64, end: u64) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER, ReadFrom { file, offset, end }),
            line: Vec::new(),
            next: offset,
        }
    }

    pub(crate) fn next(&mut self) -> io::Result<Piece<'_>> {
        self.line.clear();
        let limit = LINE_MAX as u64 + 1;
        let read = (&mut self.reader)
            .take(limit)
            .read_until(b'\n', &mut self.line)?;
        let start = self.next;
        self.next += read as u64;
        Ok(match self.line.last() {
            None => Piece::End,
            Some(b'\n') => Piece::Line(&self.line, start),
            Some(_) if read as u64 == limit => Piece::TooLong,
            Some(_) => Piece::Tail(&self.line),
        })
    }

    /// Goes on behind a line that is too long.
    pub(crate) fn skip_rest_of_line(&mut self) -> io::Result<()> {
        self.next += self.reader.skip_until(b'\n')? as u64;
        Ok(())
    }
}

const BUFFER: usize = 256 << 10;

impl Built {
    /// The entry in `line`, which begins at `start`, if it is the one that follows; and how far one
    /// is with it.
    pub(crate) fn follow(&self, line: &[u8], start: u64) -> Result<(Entry, Self), Fault> {
        let entry =
            Entry::from_line(line.strip_suffix(b"\n").unwrap_or(line)).map_err(Fault::Form)?;
        if entry.sequence != self.sequence + 1 {
            return Err(Fault::Sequence {
                found: entry.sequence,
            });
        }
        if entry.previous != self.head {
            return Err(Fault::Chain);
        }
        let now = Self {
            sequence: entry.sequence,
            head: Fingerprint::of(line),
            start,
            end: start + line.len() as u64,
        };
        Ok((entry, now))
    }

    /// Whether the file still has the entry where it was.
    pub(crate) fn is_in(&self, file: &File, length: u64) -> io::Result<bool> {
        if self.sequence == 0 {
            return Ok(true);
        }
        let size = self.end.saturating_sub(self.start);
        if length < self.end || size > LINE_MAX as u64 {
            return Ok(false);
        }
        let mut line = Vec::new();
        let mut reader = ReadFrom {
            file,
            offset: self.start,
            end: self.end,
        };
        reader.read_to_end(&mut line)?;
        Ok(Fingerprint::of(&line) == self.head)
    }
}
