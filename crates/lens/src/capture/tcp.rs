//! A connection of TCP: its segments put in order (RFC 9293), with the holes that a capture has.
//!
//! Order is also kept between the sides: what a side said after it had heard something is told after
//! that, even where the capture has it before. A hole is given up when the other side has acknowledged what
//! is behind it and it was waited for a while, when too much waits behind it, or at the end.

use super::assembly::{Assembly, Piece};
use super::file::time;
use super::link::Segment;
use super::{Consumer, Notice, StreamId};
use crate::ledger::Side;

/// How many packets, or nanoseconds, a hole is waited for once the other side has what was in it.
const PATIENCE_PACKETS: u8 = 16;
const PATIENCE_NANOSECONDS: u64 = 1_000_000_000;

/// How far ahead a segment may be: as far as the widest window (RFC 7323, section 2.3).
const FAR: u64 = 1 << 30;

/// How near to what is expected a reset has to be.
const RESET_WINDOW: u64 = 1 << 20;

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: StreamId,
    /// Which of the two directions is the client's.
    client: Direction,
    directions: [Stream; 2],
    /// When it was heard of last, in nanoseconds since 1970.
    pub(super) at: u64,
    /// How long each direction has waited for something that is missing.
    waiting: [Option<Waiting>; 2],
    /// One side heard what the capture does not have: acknowledgements say nothing of what will come.
    holed: bool,
    pub(super) is_closed: bool,
}

/// One of two directions, whichever.
pub(super) type Direction = usize;

/// What one side says.
#[derive(Debug, Default)]
struct Stream {
    /// The number of its first octet.
    base: u32,
    started: bool,
    ended: bool,
    assembly: Assembly,
    /// How much of it the other side has.
    acknowledged: u64,
    /// Where it ends.
    end: Option<u64>,
}

/// How long something that is missing has been waited for.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    /// Since when, in nanoseconds since 1970.
    since: u64,
    packets: u8,
    /// How far the direction was that has to go on. Where it does, the wait is another one.
    at: u64,
}

/// What became of a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    Open,
    Finished,
    Reset,
}

impl Stream {
    fn start(&mut self, first: u32) {
        self.base = first;
        self.started = true;
    }

    /// Which octet has this number, counted from the first. Numbers wrap around: it is the one that is
    /// nearest to what is expected.
    fn offset(&self, number: u32) -> i64 {
        let next = self.assembly.next();
        let expected = self.base.wrapping_add(next as u32);
        next.cast_signed() + i64::from(number.wrapping_sub(expected).cast_signed())
    }
}

impl Connection {
    pub(super) fn new(stream: StreamId, client: Direction) -> Self {
        Self {
            stream,
            client,
            directions: Default::default(),
            at: 0,
            waiting: [None; 2],
            holed: false,
            is_closed: false,
        }
    }

    /// Octets that wait.
    pub(super) fn held(&self) -> usize {
        let [one, other] = &self.directions;
        one.assembly.held() + other.assembly.held()
    }

    fn side(&self, direction: Direction) -> Side {
        if direction == self.client {
            Side::Client
        } else {
            Side::Server
        }
    }

    /// Whether a SYN begins another connection of the same ports.
    pub(super) fn is_replaced_by(&self, direction: Direction, segment: &Segment<'_>) -> bool {
        let stream = &self.directions[direction];
        let again = stream.started && stream.base == segment.first();
        let answer = segment.ack() && !stream.started && !self.is_closed;
        segment.syn() && !again && !answer && (stream.started || self.is_closed)
    }

    pub(super) fn receive(
        &mut self,
        direction: Direction,
        at: u64,
        segment: Segment<'_>,
        consumer: &mut impl Consumer,
    ) -> After {
        if self.is_closed {
            return After::Open;
        }
        self.at = at;
        let other = 1 - direction;
        let mut acknowledged = 0;
        if segment.ack() && self.directions[other].started {
            let stream = &mut self.directions[other];
            let offset = stream
                .offset(segment.acknowledgement)
                .max(0)
                .cast_unsigned();
            // The end takes a number of its own.
            acknowledged = stream.end.map_or(offset, |end| offset.min(end));
            if acknowledged < stream.assembly.next() + FAR {
                stream.acknowledged = stream.acknowledged.max(acknowledged);
            }
        }
        let stream = &mut self.directions[direction];
        if !stream.started && (segment.syn() || !segment.octets.is_empty()) {
            stream.start(segment.first());
        }
        if segment.rst() {
            return self.reset(direction, at, &segment, consumer);
        }
        if !stream.started {
            return After::Open;
        }
        self.place(direction, at, &segment, acknowledged, consumer);
        self.deliver(consumer);
        self.wait(at, consumer);
        if self.directions.iter().all(|stream| stream.ended) {
            self.is_closed = true;
            return After::Finished;
        }
        After::Open
    }

    /// Gives a segment on if it is next, else holds it.
    fn place(
        &mut self,
        direction: Direction,
        at: u64,
        segment: &Segment<'_>,
        acknowledged: u64,
        consumer: &mut impl Consumer,
    ) {
        let side = self.side(direction);
        let holed = self.holed;
        let heard = self.heard(1 - direction);
        let stream = &mut self.directions[direction];
        let start = stream.offset(segment.first());
        let length = segment.octets.len() as u64 + u64::from(segment.missing);
        let Some(end) = u64::try_from(start.saturating_add_unsigned(length)).ok() else {
            return;
        };
        let next = stream.assembly.next();
        if segment.fin() && stream.end.is_none() && end >= next && end < next + FAR {
            stream.end = Some(end);
        }
        if end <= next || end >= next + FAR || stream.end.is_some_and(|fin| end > fin) {
            return;
        }
        let skipped = next
            .cast_signed()
            .saturating_sub(start)
            .max(0)
            .cast_unsigned() as usize;
        let octets = segment.octets.get(skipped..).unwrap_or_default();
        let missing = (length - (skipped as u64).min(length)) as usize - octets.len();
        let start = start.max(next.cast_signed()).cast_unsigned();
        if start == next && !stream.assembly.is_holding() && (holed || acknowledged <= heard) {
            stream.assembly.advance(end - next);
            if !octets.is_empty() {
                consumer.data(self.stream, side, time(at), octets);
            }
            if missing > 0 {
                consumer.lost(self.stream, side, time(at), missing as u64);
            }
            return;
        }
        let like = Piece {
            octets: Vec::new(),
            missing: missing as u32,
            at,
            acknowledged,
        };
        if let Some(offset) = stream.assembly.hold(start, octets, &like) {
            let notice = Notice::Overlap { offset };
            consumer.noticed(self.stream, side, time(at), notice);
        }
    }

    /// How much of a direction may be taken as heard by the other side.
    fn heard(&self, direction: Direction) -> u64 {
        let stream = &self.directions[direction];
        if stream.started && !stream.ended {
            stream.assembly.next()
        } else {
            u64::MAX
        }
    }

    /// Gives on all that is in order.
    fn deliver(&mut self, consumer: &mut impl Consumer) {
        let mut directions = [0, 1];
        let mut idle = 0;
        while idle < 2 {
            let direction = directions[0];
            directions.reverse();
            idle += 1;
            let heard = self.heard(1 - direction);
            while let Some(front) = self.directions[direction].assembly.front() {
                if !self.holed && front.acknowledged > heard {
                    break;
                }
                self.deliver_front(direction, consumer);
                idle = 0;
            }
            self.end_if_over(direction, consumer);
        }
    }

    fn deliver_front(&mut self, direction: Direction, consumer: &mut impl Consumer) {
        let side = self.side(direction);
        let assembly = &mut self.directions[direction].assembly;
        let Some(piece) = assembly.pop() else {
            return;
        };
        let octets = piece.octets.len() as u64 + u64::from(piece.missing);
        assembly.advance(octets);
        if !piece.octets.is_empty() {
            consumer.data(self.stream, side, time(piece.at), &piece.octets);
        }
        if piece.missing > 0 {
            let missing = u64::from(piece.missing);
            consumer.lost(self.stream, side, time(piece.at), missing);
        }
    }

    fn end_if_over(&mut self, direction: Direction, consumer: &mut impl Consumer) {
        let side = self.side(direction);
        let stream = &mut self.directions[direction];
        let over = stream.end.is_some_and(|end| stream.assembly.next() >= end);
        if over && !stream.ended {
            stream.ended = true;
            // What came early and lies behind the end is nobody's.
            stream.assembly.clear();
            consumer.ended(self.stream, side, time(self.at), false);
        }
    }

    /// Counts how long a hole is waited for that is known to be one, and gives it up in the end.
    fn wait(&mut self, at: u64, consumer: &mut impl Consumer) {
        let mut counted = false;
        loop {
            let mut over = false;
            for direction in 0..2 {
                over |= self.waits_too_long(direction, at, !counted);
            }
            counted = true;
            if !over {
                return;
            }
            self.waiting = [None; 2];
            self.give_up(at, consumer);
        }
    }

    /// Whether a direction has waited long enough; `counts` if it waits a packet more.
    fn waits_too_long(&mut self, direction: Direction, at: u64, counts: bool) -> bool {
        let stream = &self.directions[direction];
        let reach = stream.acknowledged.max(stream.assembly.next());
        let is_missing = stream.assembly.first().is_some_and(|first| first <= reach);
        if !is_missing {
            self.waiting[direction] = None;
            return false;
        }
        // What waits for the other side goes on where that does.
        let mut progress = stream.assembly.next();
        if stream.assembly.front().is_some() {
            progress += self.directions[1 - direction].assembly.next();
        }
        let new = Waiting {
            since: at,
            packets: 0,
            at: progress,
        };
        let before = self.waiting[direction].filter(|waiting| waiting.at == progress);
        let mut waiting = before.unwrap_or(new);
        waiting.packets += u8::from(counts);
        self.waiting[direction] = Some(waiting);
        waiting.packets >= PATIENCE_PACKETS
            || at.saturating_sub(waiting.since) >= PATIENCE_NANOSECONDS
    }

    /// Gives up a hole: one that the other side does not have, else that which most waits behind. What only
    /// waits for what the other side must have said waits no more before that, now and later.
    pub(super) fn give_up(&mut self, at: u64, consumer: &mut impl Consumer) {
        let behind = |direction: Direction| {
            let Stream {
                assembly,
                acknowledged,
                ..
            } = &self.directions[direction];
            let first = assembly.first().filter(|first| *first > assembly.next())?;
            Some((first <= *acknowledged, assembly.held(), direction))
        };
        let hole = (0..2).filter_map(behind).max();
        let is_gated = |stream: &Stream| stream.assembly.front().is_some();
        match hole {
            Some((true, _, direction)) => self.give_up_to(direction, None, at, consumer),
            _ if self.directions.iter().any(is_gated) => self.holed = true,
            Some((_, _, direction)) => self.give_up_to(direction, None, at, consumer),
            None => {}
        }
        self.deliver(consumer);
    }

    /// Gives up what is missing before the first piece, or before `end`.
    fn give_up_to(
        &mut self,
        direction: Direction,
        end: Option<u64>,
        at: u64,
        consumer: &mut impl Consumer,
    ) {
        let side = self.side(direction);
        let assembly = &mut self.directions[direction].assembly;
        let Some(to) = assembly.first().or(end) else {
            return;
        };
        let octets = to.saturating_sub(assembly.next());
        if octets > 0 {
            assembly.advance(octets);
            consumer.lost(self.stream, side, time(at), octets);
        }
    }

    /// Nothing more comes: gives on what is left, with its holes.
    pub(super) fn flush(&mut self, at: u64, consumer: &mut impl Consumer) {
        if self.is_closed {
            return;
        }
        while self
            .directions
            .iter()
            .any(|stream| stream.assembly.is_holding())
        {
            self.give_up(at, consumer);
        }
        for direction in 0..2 {
            let stream = &self.directions[direction];
            // One octet more than there is can be the end, which takes a number of its own.
            let next = stream.assembly.next();
            let heard = (stream.acknowledged > next + 1).then_some(stream.acknowledged);
            self.give_up_to(direction, stream.end.or(heard), at, consumer);
            self.end_if_over(direction, consumer);
        }
    }

    fn reset(
        &mut self,
        direction: Direction,
        at: u64,
        segment: &Segment<'_>,
        consumer: &mut impl Consumer,
    ) -> After {
        let stream = &self.directions[direction];
        let is_near = if stream.started {
            let distance = stream.offset(segment.sequence) - stream.assembly.next().cast_signed();
            distance.unsigned_abs() <= RESET_WINDOW
        } else {
            // An answer to a SYN has no number of its own.
            let other = &self.directions[1 - direction];
            let far = other.offset(segment.acknowledgement) - other.assembly.next().cast_signed();
            other.started && segment.ack() && far.unsigned_abs() <= RESET_WINDOW
        };
        if !is_near {
            return After::Open;
        }
        self.flush(at, consumer);
        let side = self.side(direction);
        if !self.directions[direction].ended {
            self.directions[direction].ended = true;
            consumer.ended(self.stream, side, time(at), true);
        }
        self.is_closed = true;
        After::Reset
    }
}
