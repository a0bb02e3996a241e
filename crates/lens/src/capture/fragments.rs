//! Fragments of IP (RFC 791, section 3.2; RFC 8200, section 4.5), put together.
//!
//! Parts that overlap without being the same make their packet worthless: each receiver would make another of it
//! (RFC 5722). What is kept is bounded by the constants below, 16 MiB in all.

use std::collections::BTreeMap;

use super::link::{Content, Fragment, PacketId};

/// How many packets may wait for parts at once. The oldest makes room.
const MOST_PACKETS: usize = 256;

/// How many parts a packet may have: even in the smallest that IP has to carry, 576 octets, there are not half
/// as many.
const MOST_PARTS: usize = 256;

/// How long a packet waits for its parts, by the clock of the capture.
const PATIENCE_NANOSECONDS: u64 = 30_000_000_000;

/// The packets that wait for parts, the oldest first.
#[derive(Default)]
pub(super) struct Fragments {
    waiting: Vec<Waiting>,
}

struct Waiting {
    packet: PacketId,
    /// When the first part came.
    since: u64,
    /// What the packet carries, once its first part is there.
    next: Option<u8>,
    /// How many octets it has, once its last part is there.
    octets: Option<usize>,
    /// By where they belong.
    parts: BTreeMap<usize, Vec<u8>>,
    /// How many octets are there.
    there: usize,
}

/// A packet that was put together.
pub(super) struct Whole {
    packet: PacketId,
    next: u8,
    payload: Vec<u8>,
}

impl Fragments {
    /// Takes a fragment, which may be the last that its packet lacked.
    pub(super) fn receive(&mut self, at: u64, fragment: &Fragment<'_>) -> Option<Whole> {
        let is_late = |waiting: &Waiting| at.saturating_sub(waiting.since) > PATIENCE_NANOSECONDS;
        self.waiting.retain(|waiting| !is_late(waiting));
        let mut packets = self.waiting.iter();
        let place = match packets.position(|waiting| waiting.packet == fragment.packet) {
            Some(place) => place,
            None => self.begin(at, fragment.packet),
        };
        match self.waiting.get_mut(place)?.add(fragment) {
            Added::Waits => None,
            Added::Clashes => {
                self.waiting.remove(place);
                None
            }
            Added::Completes(next) => Some(self.waiting.remove(place).whole(next)),
        }
    }

    /// A packet of which nothing is there yet.
    fn begin(&mut self, at: u64, packet: PacketId) -> usize {
        if self.waiting.len() >= MOST_PACKETS {
            self.waiting.remove(0);
        }
        self.waiting.push(Waiting {
            packet,
            since: at,
            next: None,
            octets: None,
            parts: BTreeMap::new(),
            there: 0,
        });
        self.waiting.len() - 1
    }
}

enum Added {
    Waits,
    /// It cannot be of the same packet as the others.
    Clashes,
    /// All is there; what the packet carries.
    Completes(u8),
}

impl Waiting {
    fn add(&mut self, fragment: &Fragment<'_>) -> Added {
        let (start, end) = (fragment.offset, fragment.offset + fragment.octets.len());
        if self
            .parts
            .get(&start)
            .is_some_and(|part| part == fragment.octets)
        {
            return Added::Waits;
        }
        let before = self.parts.range(..=start).next_back();
        let overlaps = before.is_some_and(|(at, part)| at + part.len() > start)
            || self.parts.range(start..end).next().is_some();
        let octets = if fragment.is_last {
            Some(end)
        } else {
            self.octets
        };
        let is_longer = octets.is_some_and(|octets| end > octets || self.end() > octets);
        let is_other_end = fragment.is_last && self.octets.is_some();
        if overlaps || is_longer || is_other_end || self.parts.len() >= MOST_PARTS {
            return Added::Clashes;
        }
        self.octets = octets;
        if start == 0 {
            self.next = Some(fragment.next);
        }
        self.there += fragment.octets.len();
        self.parts.insert(start, fragment.octets.to_vec());
        match self.next {
            Some(next) if self.octets == Some(self.there) => Added::Completes(next),
            _ => Added::Waits,
        }
    }

    /// Where what is there ends.
    fn end(&self) -> usize {
        let last = self.parts.last_key_value();
        last.map_or(0, |(at, part)| at + part.len())
    }

    fn whole(self, next: u8) -> Whole {
        let parts = self.parts.into_values();
        Whole {
            packet: self.packet,
            next,
            payload: parts.flatten().collect(),
        }
    }
}

impl Whole {
    pub(super) fn content(&self) -> Content<'_> {
        self.packet.content(self.next, &self.payload)
    }
}
