//! Every TLS connection of a capture, read to its end and told.
//!
//! One thread reads the capture and deals out what it holds, by connection, to threads that recompute; the
//! caller's is told of each connection in the order in which they ended, whatever thread was first. All queues
//! between them are bounded, so that memory is what the open connections take.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Read;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread;
use std::time::SystemTime;

use foldhash::fast::RandomState;

use crate::capture::preface::{Found, Preface};
use crate::capture::{
    self, Capture, CaptureError, Closed, Consumer, Notice, Opening, StreamId, Summary, Transport,
};
use crate::connection::{Connection, Limits};
use crate::digest::Octets;
use crate::keylog::KeyLog;
use crate::knowledge::{Knowledge, Psk};
use crate::ledger::Side;
use crate::story::Story;
use crate::tickets::{self, Memory};

/// A connection of a capture, from its beginning to its end.
#[derive(Debug)]
pub struct Told {
    /// Which.
    pub stream: StreamId,
    /// How it was seen first.
    pub opening: Opening,
    /// Why nothing more came.
    pub closed: Closed,
    /// How many octets of each side came in plain text before TLS began; the client's first.
    pub preface: [usize; 2],
    /// What was odd about its packets; at most [`MAX_NOTICES`].
    pub notices: Vec<(Side, Notice)>,
    /// What was said.
    pub story: Story,
}

/// How many notices are kept of a connection.
pub const MAX_NOTICES: usize = 16;

/// What is read of a capture, and how.
#[derive(Debug, Clone, Copy)]
pub struct Survey {
    /// Of each connection.
    pub connection: Limits,
    /// Of all of them.
    pub capture: capture::Limits,
    /// Only this connection, where it is given.
    pub only: Option<StreamId>,
    /// How many threads recompute, from 1 on.
    pub threads: usize,
}

/// What came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// What was in the file.
    pub capture: Summary,
    /// Connections in which TLS was spoken.
    pub tls: u64,
    /// Connections in which it was not.
    pub others: u64,
}

/// Secrets for all connections of a capture: a key log, which may go on in the capture, and whoever knows
/// more; and what the connections leave behind for each other.
pub struct Keys {
    log: RwLock<KeyLog>,
    more: Vec<Box<dyn Knowledge + Send + Sync>>,
    memory: Mutex<Memory>,
}

/// How many tickets and sessions are remembered.
const REMEMBERED: usize = 4096;

impl Keys {
    /// The secrets of a key log, and of whoever knows more.
    #[must_use]
    pub fn new(log: KeyLog, more: Vec<Box<dyn Knowledge + Send + Sync>>) -> Self {
        Self {
            log: RwLock::new(log),
            more,
            memory: Mutex::new(Memory::new(REMEMBERED)),
        }
    }

    /// Whether nothing is known at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.more.is_empty() && self.log.read().is_ok_and(|log| log.is_empty())
    }

    fn push(&self, lines: &[u8]) {
        let mut log = self.log.write().unwrap_or_else(PoisonError::into_inner);
        log.push(lines);
        log.finish();
    }

    fn remember(&self, story: &Story) {
        let secrets = tickets::left_behind(story);
        if !secrets.is_empty() {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.keep(secrets);
        }
    }

    fn remembered<S>(&self, recall: impl FnOnce(&Memory) -> Option<S>) -> Option<S> {
        recall(&self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn asked<S>(
        &self,
        ask: impl FnMut(&Box<dyn Knowledge + Send + Sync>) -> Option<S>,
    ) -> Option<S> {
        self.more.iter().find_map(ask)
    }
}

impl Knowledge for Keys {
    fn logged(&self, client_random: &[u8; 32], label: &str) -> Option<Octets> {
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        let logged = log.logged(client_random, label);
        drop(log);
        logged.or_else(|| self.asked(|more| more.logged(client_random, label)))
    }

    fn shared_secret(&self, server_share: &[u8]) -> Option<Octets> {
        self.asked(|more| more.shared_secret(server_share))
    }

    fn psk(&self, identity: &[u8]) -> Option<Psk> {
        self.remembered(|memory| memory.psk(identity))
            .or_else(|| self.asked(|more| more.psk(identity)))
    }

    fn main_secret(&self, session: &[u8]) -> Option<Octets> {
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        let logged = log.main_secret(session);
        drop(log);
        logged
            .or_else(|| self.remembered(|memory| memory.main_secret(session)))
            .or_else(|| self.asked(|more| more.main_secret(session)))
    }

    fn decrypted_premaster(&self, encrypted: &[u8]) -> Option<Octets> {
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        let logged = log.decrypted_premaster(encrypted);
        drop(log);
        logged.or_else(|| self.asked(|more| more.decrypted_premaster(encrypted)))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Survey {
    /// Reads a capture and tells `tell` of each TLS connection in it, in the order in which they ended.
    ///
    /// What it is told is what `sum_up` makes of each, in the thread that followed the connection: whoever
    /// made a story frees it, with its memory still at hand.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or not to its end. All that was before has been told then; the totals are of
    /// what was read.
    pub fn read<S: Send>(
        &self,
        source: impl Read + Send,
        keys: &Keys,
        sum_up: impl Fn(Told) -> S + Sync,
        mut tell: impl FnMut(S),
    ) -> (Totals, Result<(), CaptureError>) {
        let threads = self.threads.max(1);
        let sum_up = &sum_up;
        thread::scope(|scope| {
            let (told, told_of) = sync_channel::<Pack<S>>(QUEUED_PACKS);
            let (used, used_of) = channel();
            let queues: Vec<_> = (0..threads)
                .map(|_| {
                    let (queue, queued) = sync_channel::<Batch>(QUEUED_BATCHES);
                    let worker = Worker::new(keys, self.connection, sum_up, told.clone());
                    let used = used.clone();
                    scope.spawn(move || worker.work(&queued, &used));
                    queue
                })
                .collect();
            // What ends when all workers have.
            drop(told);
            let reader = scope.spawn(move || {
                let mut dealer = Dealer::new(queues, used_of, keys, self.only);
                let mut capture = Capture::new(source, self.capture);
                let result = capture.read(&mut dealer);
                dealer.deal();
                (capture.summary(), result)
            });
            let mut totals = Totals::default();
            for told in in_order(told_of.into_iter().flatten()) {
                match told {
                    Some(told) => {
                        totals.tls += 1;
                        tell(told);
                    }
                    None => totals.others += 1,
                }
            }
            match reader.join() {
                Ok((summary, result)) => {
                    totals.capture = summary;
                    (totals, result)
                }
                Err(panicked) => std::panic::resume_unwind(panicked),
            }
        })
    }
}

/// How many batches wait for a worker, and how many octets a batch has before it is sent off.
const QUEUED_BATCHES: usize = 4;
const BATCH_OCTETS: usize = 256 << 10;

/// How many events a batch has before it is sent off.
const BATCH_EVENTS: usize = 4096;

/// What was told of the connections that ended in one batch, with their numbers; nothing of those in which no TLS
/// was spoken. To hand each over alone would be to wake a thread for each.
type Pack<S> = Vec<(u64, Option<S>)>;

/// How many packs wait to be told.
const QUEUED_PACKS: usize = 8;

/// What a worker is told, with the octets of all of it one behind the other.
#[derive(Default)]
struct Batch {
    events: Vec<(StreamId, Event)>,
    octets: Vec<u8>,
}

enum Event {
    Opened(Opening),
    Data(Side, SystemTime, usize),
    Lost(Side, SystemTime, u64),
    Ended(Side, bool),
    Noticed(Side, Notice),
    /// With the number by which it is told.
    Closed(Closed, u64),
}

/// Deals out what is in a capture.
struct Dealer<'k> {
    queues: Vec<SyncSender<Batch>>,
    batches: Vec<Batch>,
    /// Batches that workers are done with: to make each anew would be to grow it to its size and have the
    /// kernel clear its pages.
    used: Receiver<Batch>,
    keys: &'k Keys,
    only: Option<StreamId>,
    closed: u64,
}

impl<'k> Dealer<'k> {
    fn new(
        queues: Vec<SyncSender<Batch>>,
        used: Receiver<Batch>,
        keys: &'k Keys,
        only: Option<StreamId>,
    ) -> Self {
        let batches = queues.iter().map(|_| Batch::default()).collect();
        Self {
            queues,
            batches,
            used,
            keys,
            only,
            closed: 0,
        }
    }

    fn add(&mut self, stream: StreamId, event: Event, octets: &[u8]) {
        if self.only.is_some_and(|only| only != stream) {
            return;
        }
        let worker = scattered(stream, self.batches.len());
        let Some(batch) = self.batches.get_mut(worker) else {
            return;
        };
        batch.events.push((stream, event));
        batch.octets.extend_from_slice(octets);
        if batch.octets.len() >= BATCH_OCTETS || batch.events.len() >= BATCH_EVENTS {
            self.deal();
        }
    }

    /// Sends all batches off: one that is kept back while others go on would keep their stories from being
    /// told.
    fn deal(&mut self) {
        for (batch, queue) in self.batches.iter_mut().zip(&self.queues) {
            if !batch.events.is_empty() {
                // A worker that is gone has panicked, which is told when it is joined.
                let empty = self.used.try_recv().unwrap_or_default();
                let _ = queue.send(std::mem::replace(batch, empty));
            }
        }
    }
}

/// Which of so many workers follows a connection. Clients often open connections in a pattern, a new one and then
/// one that goes on from it, say: dealt out in turns, one worker would get all that take long.
fn scattered(stream: StreamId, workers: usize) -> usize {
    let scattered = stream.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (scattered % workers as u64) as usize
}

impl Consumer for Dealer<'_> {
    fn opened(&mut self, stream: StreamId, opening: &Opening) {
        self.add(stream, Event::Opened(*opening), &[]);
    }

    fn data(&mut self, stream: StreamId, side: Side, at: SystemTime, octets: &[u8]) {
        self.add(stream, Event::Data(side, at, octets.len()), octets);
    }

    fn lost(&mut self, stream: StreamId, side: Side, at: SystemTime, octets: u64) {
        self.add(stream, Event::Lost(side, at, octets), &[]);
    }

    fn ended(&mut self, stream: StreamId, side: Side, _at: SystemTime, reset: bool) {
        self.add(stream, Event::Ended(side, reset), &[]);
    }

    fn noticed(&mut self, stream: StreamId, side: Side, _at: SystemTime, notice: Notice) {
        self.add(stream, Event::Noticed(side, notice), &[]);
    }

    fn closed(&mut self, stream: StreamId, why: Closed) {
        if self.only.is_none_or(|only| only == stream) {
            self.add(stream, Event::Closed(why, self.closed), &[]);
            self.closed += 1;
        }
    }

    fn secrets(&mut self, lines: &[u8]) {
        self.keys.push(lines);
    }
}

/// Recomputes connections.
struct Worker<'k, S, F> {
    keys: &'k Keys,
    limits: Limits,
    sum_up: &'k F,
    told: SyncSender<Pack<S>>,
    pack: Pack<S>,
    open: HashMap<StreamId, Open<'k>, RandomState>,
}

/// A connection that is open.
struct Open<'k> {
    opening: Opening,
    preface: Preface,
    notices: Vec<(Side, Notice)>,
    /// Made when TLS begins: most of what a capture holds may be something else.
    connection: Option<Box<Connection<&'k Keys>>>,
}

impl<'k, S, F: Fn(Told) -> S> Worker<'k, S, F> {
    fn new(keys: &'k Keys, limits: Limits, sum_up: &'k F, told: SyncSender<Pack<S>>) -> Self {
        Self {
            keys,
            limits,
            sum_up,
            told,
            pack: Vec::new(),
            open: HashMap::default(),
        }
    }

    fn work(mut self, queued: &Receiver<Batch>, used: &Sender<Batch>) {
        for mut batch in queued {
            let mut rest = &batch.octets[..];
            for (stream, event) in batch.events.drain(..) {
                let length = match &event {
                    Event::Data(_, _, length) => *length,
                    _ => 0,
                };
                let (octets, behind) = rest.split_at(length.min(rest.len()));
                rest = behind;
                self.take(stream, event, octets);
            }
            if !self.pack.is_empty() {
                let pack = std::mem::take(&mut self.pack);
                // Nobody is told any more where the one who is told has panicked.
                let _ = self.told.send(pack);
            }
            batch.octets.clear();
            // Nobody needs it where all has been read.
            let _ = used.send(batch);
        }
    }

    fn take(&mut self, stream: StreamId, event: Event, octets: &[u8]) {
        if let Event::Opened(opening) = event {
            let open = Open {
                opening,
                preface: Preface::default(),
                notices: Vec::new(),
                connection: None,
            };
            self.open.insert(stream, open);
            return;
        }
        if let Event::Closed(why, number) = event {
            let told = self.open.remove(&stream);
            let told = told.and_then(|open| open.told(stream, why, self.keys));
            let told = told.map(self.sum_up);
            self.pack.push((number, told));
            return;
        }
        let Some(open) = self.open.get_mut(&stream) else {
            return;
        };
        match event {
            Event::Data(side, at, _) => open.data(self.keys, self.limits, side, at, octets),
            Event::Lost(side, at, octets) => {
                if let Some(connection) = &mut open.connection {
                    connection.lost(side, at, octets);
                }
            }
            Event::Ended(side, reset) => {
                if let Some(connection) = &mut open.connection {
                    connection.ended(side, reset);
                }
            }
            Event::Noticed(side, notice) => {
                if open.notices.len() < MAX_NOTICES {
                    open.notices.push((side, notice));
                }
            }
            Event::Opened(_) | Event::Closed(..) => {}
        }
    }
}

impl<'k> Open<'k> {
    fn data(&mut self, keys: &'k Keys, limits: Limits, side: Side, at: SystemTime, octets: &[u8]) {
        let connection = &mut self.connection;
        let begin = || Box::new(Connection::new(keys, limits));
        match self.opening.transport {
            Transport::Quic(_) => {
                let connection = connection.get_or_insert_with(begin);
                connection.receive_handshake(side, at, octets);
            }
            Transport::Tcp => {
                let tls = self.preface.receive(side, octets);
                if self.preface.found() != Found::Tls {
                    return;
                }
                let connection = connection.get_or_insert_with(begin);
                connection.receive(side, at, &tls.kept);
                connection.receive(side, at, tls.octets);
            }
        }
    }

    fn told(self, stream: StreamId, closed: Closed, keys: &Keys) -> Option<Told> {
        let story = self.connection?.finish();
        keys.remember(&story);
        Some(Told {
            stream,
            opening: self.opening,
            closed,
            preface: [Side::Client, Side::Server].map(|side| self.preface.skipped(side)),
            notices: self.notices,
            story,
        })
    }
}

/// What comes numbered in any order, in the order of its numbers.
fn in_order<T>(mut numbered: impl Iterator<Item = (u64, T)>) -> impl Iterator<Item = T> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    std::iter::from_fn(move || {
        loop {
            if let Some(ready) = early.remove(&next) {
                next += 1;
                return Some(ready);
            }
            match numbered.next() {
                Some((number, one)) => drop(early.insert(number, one)),
                // All have ended; numbers are missing only where a worker has panicked.
                None => {
                    let (number, one) = early.pop_first()?;
                    next = number + 1;
                    return Some(one);
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pattern_of_connections_burdens_one_worker() {
        for workers in 1..=16 {
            for period in 1..=12 {
                let mut dealt = vec![0_usize; workers];
                for number in (0..120_000).step_by(period) {
                    dealt[scattered(StreamId(number), workers)] += 1;
                }
                let fair = 120_000 / period / workers;
                for count in dealt {
                    assert!(
                        count.abs_diff(fair) <= fair / 3,
                        "{workers}, {period}: {count}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_comes_in_any_order_is_told_in_the_order_of_its_numbers() {
        let (numbers, numbered) = sync_channel(9);
        for number in [3, 0, 2, 1, 6, 5] {
            numbers.send((number, number * 10)).unwrap();
        }
        drop(numbers);
        let told: Vec<_> = in_order(numbered.into_iter()).collect();
        assert_eq!(
            told,
            [0, 10, 20, 30, 50, 60],
            "one is missing, and kept nobody"
        );
    }
}
