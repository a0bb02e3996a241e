//! The connections of TCP in a capture: which segment belongs to which, when one ends and another begins,
//! and which are forgotten.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::file::time;
use super::link::{End, Ends, Segment};
use super::tcp::{After, Connection, Direction};
use super::{Closed, Consumer, Limits, Opening, StreamId, Transport};

/// How often idle connections are looked for, by the clock of the capture.
const SWEEP_NANOSECONDS: u64 = 30_000_000_000;

/// How long a connection is remembered that has ended: late segments of it begin no other.
const CLOSED_NANOSECONDS: u64 = 60_000_000_000;

/// All connections.
pub(super) struct Flows {
    limits: Limits,
    /// Where in `connections` each is.
    places: HashMap<Pair, u32, RandomState>,
    connections: Vec<Option<(Pair, Connection)>>,
    free: Vec<u32>,
    /// Where that of the segment before is: most follow one of the same.
    last: Option<(Pair, u32)>,
    /// Octets that wait, of all connections.
    held: usize,
    next_sweep: u64,
}

/// The two ends of a connection, the lower one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Pair(End, End);

/// Which packet is looked at.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) at: u64,
    pub(super) packet: u64,
    /// The number of the connection, if it is a new one.
    pub(super) next_stream: StreamId,
}

impl Flows {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            places: HashMap::default(),
            connections: Vec::new(),
            free: Vec::new(),
            last: None,
            held: 0,
            next_sweep: 0,
        }
    }

    /// Takes a segment. Whether it opened a connection.
    pub(super) fn receive(
        &mut self,
        seen: Seen,
        ends: Ends,
        segment: Segment<'_>,
        consumer: &mut impl Consumer,
    ) -> bool {
        if seen.at >= self.next_sweep {
            self.sweep(seen.at, consumer);
        }
        let (pair, direction) = if ends.source <= ends.destination {
            (Pair(ends.source, ends.destination), 0)
        } else {
            (Pair(ends.destination, ends.source), 1)
        };
        let known = match self.last {
            Some((last, place)) if last == pair => Some(place),
            _ => self.places.get(&pair).copied(),
        };
        if let Some(place) = known {
            self.last = Some((pair, place));
            let connection = self.at(place);
            if !connection.is_some_and(|known| known.is_replaced_by(direction, &segment)) {
                self.segment(place, direction, seen.at, segment, consumer);
                return false;
            }
            self.close(place, seen.at, Closed::Replaced, consumer);
        }
        // What carries nothing tells nothing of a connection that is not known.
        if !segment.syn() && segment.octets.is_empty() || segment.rst() {
            return false;
        }
        let place = self.open(seen, pair, direction, &segment, consumer);
        self.segment(place, direction, seen.at, segment, consumer);
        true
    }

    fn at(&mut self, place: u32) -> Option<&mut Connection> {
        let entry = self.connections.get_mut(place as usize)?;
        entry.as_mut().map(|(_, connection)| connection)
    }

    fn open(
        &mut self,
        seen: Seen,
        pair: Pair,
        direction: Direction,
        segment: &Segment<'_>,
        consumer: &mut impl Consumer,
    ) -> u32 {
        if self.places.len() >= self.limits.connections.max(1) {
            self.make_room(seen.at, consumer);
        }
        let by_client = is_by_client(pair, direction, segment);
        let client = if by_client { direction } else { 1 - direction };
        let ends = [pair.0, pair.1].map(End::address);
        let opening = Opening {
            client: ends[client],
            server: ends[1 - client],
            transport: Transport::Tcp,
            at: time(seen.at),
            packet: seen.packet,
            whole: segment.syn(),
        };
        consumer.opened(seen.next_stream, &opening);
        let connection = Some((pair, Connection::new(seen.next_stream, client)));
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.connections.push(None);
                self.connections.len() as u32 - 1
            }
        };
        if let Some(entry) = self.connections.get_mut(place as usize) {
            *entry = connection;
        }
        self.places.insert(pair, place);
        self.last = Some((pair, place));
        place
    }

    fn segment(
        &mut self,
        place: u32,
        direction: Direction,
        at: u64,
        segment: Segment<'_>,
        consumer: &mut impl Consumer,
    ) {
        let Limits {
            held_octets,
            held_octets_in_all,
            ..
        } = self.limits;
        let others = self.held;
        let Some(connection) = self.at(place) else {
            return;
        };
        let before = connection.held();
        let after = connection.receive(direction, at, segment, consumer);
        let others = others - before;
        while connection.held() > held_octets
            || connection.held() > 0 && others + connection.held() > held_octets_in_all
        {
            connection.give_up(at, consumer);
        }
        let held = connection.held();
        let stream = connection.stream;
        self.held = others + held;
        match after {
            After::Open => {}
            After::Finished => consumer.closed(stream, Closed::Finished),
            After::Reset => consumer.closed(stream, Closed::Reset),
        }
    }

    /// Forgets a connection, and says so where that has not been said.
    fn close(&mut self, place: u32, at: u64, why: Closed, consumer: &mut impl Consumer) {
        let Some(entry) = self.connections.get_mut(place as usize) else {
            return;
        };
        let Some((pair, mut connection)) = entry.take() else {
            return;
        };
        self.places.remove(&pair);
        self.free.push(place);
        self.last = None;
        self.held -= connection.held();
        if !connection.is_closed {
            connection.flush(at, consumer);
            consumer.closed(connection.stream, why);
        }
    }

    /// Forgets those of which nothing was heard for long.
    fn sweep(&mut self, at: u64, consumer: &mut impl Consumer) {
        self.next_sweep = at.saturating_add(SWEEP_NANOSECONDS);
        let idle = u64::try_from(self.limits.idle.as_nanos()).unwrap_or(u64::MAX);
        for place in 0..self.connections.len() {
            let Some(Some((_, connection))) = self.connections.get(place) else {
                continue;
            };
            let quiet = at.saturating_sub(connection.at);
            if quiet >= idle || connection.is_closed && quiet >= CLOSED_NANOSECONDS {
                self.close(place as u32, at, Closed::Idle, consumer);
            }
        }
    }

    /// Forgets an eighth of the connections: those that have ended, then those that are silent for longest.
    fn make_room(&mut self, at: u64, consumer: &mut impl Consumer) {
        let key = |(place, entry): (usize, &Option<(Pair, Connection)>)| {
            let (_, connection) = entry.as_ref()?;
            Some((!connection.is_closed, connection.at, place as u32))
        };
        let entries = self.connections.iter().enumerate();
        let mut oldest: Vec<_> = entries.filter_map(key).collect();
        let room = (oldest.len() / 8).min(oldest.len().saturating_sub(1));
        if !oldest.is_empty() {
            oldest.select_nth_unstable(room);
        }
        oldest.truncate(room + 1);
        for (_, _, place) in oldest {
            self.close(place, at, Closed::Crowded, consumer);
        }
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self, at: u64, consumer: &mut impl Consumer) {
        for place in 0..self.connections.len() {
            self.close(place as u32, at, Closed::EndOfCapture, consumer);
        }
    }
}

/// Whether the first segment that was seen is the client's.
fn is_by_client(pair: Pair, direction: Direction, segment: &Segment<'_>) -> bool {
    const HANDSHAKE: u8 = 22;
    const CLIENT_HELLO: u8 = 1;
    const SERVER_HELLO: u8 = 2;
    match segment.octets {
        _ if segment.syn() => !segment.ack(),
        [HANDSHAKE, 3, _, _, _, CLIENT_HELLO, ..] => true,
        [HANDSHAKE, 3, _, _, _, SERVER_HELLO, ..] => false,
        _ => {
            let ports = [pair.0, pair.1].map(End::port);
            ports[direction] >= ports[1 - direction]
        }
    }
}
