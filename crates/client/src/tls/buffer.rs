//! Octets that wait, in one piece of memory that is used again.

use std::ops::Range;

use ravelin_tls::pieces::pieces;

/// Octets that wait to be taken, in the order in which they came.
pub(crate) struct Buffer {
    /// Never made smaller, so that no octet is set to zero twice.
    memory: Vec<u8>,
    filled: Range<usize>,
    /// Where in the memory the first octet is put.
    start: usize,
}

impl Buffer {
    /// For what the kernel copies, which begins with a page too, as a rule.
    pub(crate) fn at_page() -> Self {
        Self::at(0)
    }

    /// For what is copied from pieces of memory that begin with a page, or to them behind the header of a record.
    pub(crate) fn beside_page() -> Self {
        Self::at(BESIDE)
    }

    fn at(start: usize) -> Self {
        Self {
            memory: Vec::new(),
            filled: start..start,
            start,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.filled.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.filled.len()
    }

    pub(crate) fn octets(&self) -> &[u8] {
        self.memory.get(self.filled.clone()).unwrap_or_default()
    }

    pub(crate) fn octets_mut(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.filled.clone()).unwrap_or_default()
    }

    /// Throws the first away.
    pub(crate) fn consume(&mut self, octets: usize) {
        self.filled.start += octets;
        debug_assert!(self.filled.start <= self.filled.end);
        if self.filled.is_empty() {
            self.filled = self.start..self.start;
        }
    }

    /// Room for so many octets behind those that are there, or for more.
    pub(crate) fn room(&mut self, least: usize) -> &mut [u8] {
        if self.memory.len() < self.filled.end + least && self.filled.start > self.start {
            self.memory.copy_within(self.filled.clone(), self.start);
            self.filled = self.start..self.start + self.filled.len();
        }
        let needed = self.filled.end + least;
        if self.memory.len() < needed {
            self.memory.resize(needed, 0);
        }
        &mut self.memory[self.filled.end..]
    }

    /// So many octets are there now where there was room.
    pub(crate) fn add(&mut self, octets: usize) {
        self.filled.end += octets;
        debug_assert!(self.filled.end <= self.memory.len());
    }

    pub(crate) fn put(&mut self, octets: &[u8]) {
        let mut room = self.room(octets.len());
        for piece in pieces(octets) {
            let (here, behind) = room.split_at_mut(piece.len());
            here.copy_from_slice(piece);
            room = behind;
        }
        self.add(octets.len());
    }
}

/// Zen 3 copies by `rep movsb`, as the kernel does, and glibc more than 2112 octets, at 2 GB/s in place of 60 where the
/// copy begins 1 to 63 octets further into its page than the original. Large pieces of memory begin with a page, as a
/// rule. What rustls copies from here it puts behind 5 octets of a header; what is copied from there comes behind some
/// records that are here, each 22 octets longer than some pages.
const BESIDE: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is put and taken in turns, with no more memory than what was there at once takes.
        #[test]
        fn what_is_put_is_taken_in_its_order(turns in prop::collection::vec((0_usize..5000, 0_usize..120), 1..60)) {
            let mut buffer = Buffer::beside_page();
            let (mut put, mut taken, mut most) = (0, 0, 0);
            for (more, share) in turns {
                let octets: Vec<u8> = (put..put + more).map(|at| (at / 3) as u8).collect();
                buffer.put(&octets);
                put += more;
                most = most.max(buffer.len());
                prop_assert_eq!(buffer.len(), put - taken);
                prop_assert!(buffer.octets().iter().enumerate().all(|(at, octet)| *octet == ((taken + at) / 3) as u8));
                let gone = (buffer.len() * share / 100).min(buffer.len());
                buffer.consume(gone);
                taken += gone;
                prop_assert!(buffer.memory.len() <= BESIDE + most);
            }
        }
    }
}
