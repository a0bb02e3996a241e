//! From the octets of a connection to its [`Story`]: a state machine without IO and without a clock.
//!
//! It is told what each side sent, in pieces of any size, and keeps the story up to date. Records are cut
//! here; `records` opens them, `messages` tells what is in them, `tls13` and `tls12` follow the handshake, and
//! `steps` writes it all down.
//!
//! What it holds is bounded by [`Limits`]: of each side a record and a message that are not whole, the
//! handshake's messages before TLS 1.3 until it is over, and the story.

use std::time::SystemTime;

use ravelin_wire::handshake::{Agreed, Joiner};
use ravelin_wire::record::{Foreign, Next, Record};
use ravelin_wire::sslv2;

use crate::knowledge::Knowledge;
use crate::ledger::Side;
use crate::story::{End, Epoch, FaultKind, Story, What};

mod hello;
mod keys;
mod messages;
mod proofs;
mod records;
mod steps;
mod tls12;
mod tls13;
mod transcript;

use hello::Hello;
use keys::Guard;
use proofs::{Exchange, Identity};
use transcript::Transcript;

/// A connection, as far as it was seen.
#[derive(Debug)]
pub struct Connection<K> {
    knowledge: K,
    limits: Limits,
    story: Story,
    streams: [Stream; 2],
    guards: [Guard; 2],
    transcript: Transcript,
    agreed: Agreed,
    /// The last hello of the client.
    hello: Option<Hello>,
    /// Who each side says that it is.
    identities: [Identity; 2],
    /// The last key exchange, until it is checked.
    exchange: Option<Exchange>,
    phase: Phase,
    /// Who spoke last.
    speaker: Option<Side>,
    /// How many quantities the ledger had when the last step was told.
    told: usize,
    /// Whether QUIC carries it, whose packets have keys of their own.
    is_quic: bool,
}

/// How much is read, and how much of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many octets of application data are kept of each side; with 0, application data before TLS 1.3 is
    /// not even decrypted.
    pub data_octets: usize,
    /// How long a handshake message may be, in octets. Longer ones are a fault, and nothing of the handshake
    /// is read after one.
    pub message_octets: usize,
    /// How many steps are told. What follows is counted, and no more.
    pub steps: usize,
    /// How many records are kept.
    pub records: usize,
    /// Whether signatures are checked, which takes longer than all else of a handshake.
    pub signatures: bool,
    /// Whether records are kept with their octets, as they were on the wire.
    pub keep_bytes: bool,
}

impl Default for Limits {
    /// What suits a person who looks at one connection.
    fn default() -> Self {
        Self {
            data_octets: 64 * 1024,
            message_octets: 256 * 1024,
            steps: 4096,
            records: 4096,
            signatures: true,
            keep_bytes: true,
        }
    }
}

impl Limits {
    /// What suits the handshakes of many connections: no application data, and no octets of records.
    #[must_use]
    pub fn brief() -> Self {
        Self {
            data_octets: 0,
            steps: 64,
            records: 0,
            keep_bytes: false,
            ..Self::default()
        }
    }
}

/// Which protocol is spoken, as far as it is known, and where in it the connection is.
#[derive(Debug, Default)]
enum Phase {
    /// Nobody has answered a hello.
    #[default]
    Hello,
    /// The server has said that it speaks TLS 1.3.
    Tls13(Box<tls13::Tls13>),
    /// The server has said that it speaks TLS 1.2 or older.
    Tls12(Box<tls12::Tls12>),
}

/// What one side sent, as far as it is not read yet.
#[derive(Debug)]
struct Stream {
    /// A record that is not whole, or nothing.
    buffer: Vec<u8>,
    /// Where the next record begins, in octets from the first of the side.
    offset: u64,
    joiner: Joiner,
    /// Where the message in the joiner began.
    began: Place,
    /// How many octets of a record of which the beginning is missing are still to come.
    skip: u64,
    /// What it is, if it is no TLS.
    foreign: Option<Foreign>,
    /// Whether no message can be found any more.
    unreadable: bool,
    /// How many octets of application data may still be kept, decrypted and as they were on the wire.
    room: [usize; 2],
}

/// Where a message began.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// In which of the story's records.
    record: usize,
    /// In octets from the first of its side.
    offset: u64,
}

impl<K: Knowledge> Connection<K> {
    /// A connection of which nothing was seen yet.
    #[must_use]
    pub fn new(knowledge: K, limits: Limits) -> Self {
        let stream = || Stream {
            buffer: Vec::new(),
            offset: 0,
            joiner: Joiner::new(limits.message_octets),
            began: Place::default(),
            skip: 0,
            foreign: None,
            unreadable: false,
            room: [limits.data_octets; 2],
        };
        Self {
            knowledge,
            limits,
            story: Story::default(),
            streams: [stream(), stream()],
            guards: [Guard::default(), Guard::default()],
            transcript: Transcript::new(limits.message_octets.saturating_mul(4)),
            agreed: Agreed::default(),
            hello: None,
            identities: [Identity::default(), Identity::default()],
            exchange: None,
            phase: Phase::default(),
            speaker: None,
            told: 0,
            is_quic: false,
        }
    }

    /// `side` sent these octets, of which the last was seen `at` this time.
    pub fn receive(&mut self, side: Side, at: SystemTime, mut octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        self.story.traffic[side as usize].octets += octets.len() as u64;
        octets = self.streams[side as usize].skip(octets);
        // A record that began before is made whole first, so that no more than one is ever copied.
        let mut buffer = std::mem::take(&mut self.streams[side as usize].buffer);
        while !buffer.is_empty() && !self.is_foreign(side) {
            let wanted = match self.next(side, at, &buffer) {
                Ok(taken) => {
                    buffer.drain(..taken);
                    continue;
                }
                Err(missing) => missing,
            };
            if octets.is_empty() {
                break;
            }
            let (piece, rest) = octets.split_at(wanted.min(octets.len()));
            buffer.extend_from_slice(piece);
            octets = rest;
        }
        while !octets.is_empty() && !self.is_foreign(side) {
            match self.next(side, at, octets) {
                Ok(taken) => octets = octets.get(taken..).unwrap_or_default(),
                Err(_) => {
                    buffer.extend_from_slice(octets);
                    break;
                }
            }
        }
        if self.is_foreign(side) {
            buffer = Vec::new();
            self.foreign(side, at, octets);
        }
        self.streams[side as usize].buffer = buffer;
    }

    /// `side` sent these octets of its handshake, without records around them, as QUIC carries them (RFC 9001,
    /// section 4): in clear, whatever protected them on the way.
    pub fn receive_handshake(&mut self, side: Side, at: SystemTime, octets: &[u8]) {
        let length = octets.len() as u64;
        self.story.traffic[side as usize].octets += length;
        if octets.is_empty() || self.story.steps.len() >= self.limits.steps {
            return;
        }
        self.is_quic = true;
        self.spoke(side, length);
        self.bare(side, at, octets);
        self.streams[side as usize].offset += length;
    }

    /// So many octets of `side` were not seen.
    pub fn lost(&mut self, side: Side, at: SystemTime, octets: u64) {
        if octets == 0 {
            return;
        }
        self.story.traffic[side as usize].octets += octets;
        self.spoke(side, octets);
        if self.is_foreign(side) {
            return;
        }
        self.fault(side, None, FaultKind::Lost { octets });
        self.gap(side, at, octets);
    }

    /// `side` sends no more; `reset`, if it tore the connection down.
    pub fn ended(&mut self, side: Side, reset: bool) {
        let mut steps = self.story.steps.iter();
        let sealed = steps.any(|step| step.side == side && matches!(step.what, What::Sealed(_)));
        let end = &mut self.story.end[side as usize];
        if *end == End::Open {
            *end = match (reset, sealed) {
                (true, _) => End::Reset,
                (false, true) => End::Hidden,
                (false, false) => End::Cut,
            };
        }
        let stream = &self.streams[side as usize];
        let missing = match Record::next(&stream.buffer) {
            Next::Incomplete { missing } if !stream.buffer.is_empty() => Some(missing),
            _ if !stream.unreadable => stream.joiner.missing(),
            _ => None,
        };
        if let Some(missing) = missing {
            self.fault(side, None, FaultKind::Truncated { missing });
        }
    }

    /// What is known so far.
    #[must_use]
    pub fn story(&self) -> &Story {
        &self.story
    }

    /// What is known in the end.
    #[must_use]
    pub fn finish(mut self) -> Story {
        self.check_exchange();
        self.story
    }

    /// Reads what `bytes` begin with, and says how many octets of them it took; or how many are missing at
    /// least.
    fn next(&mut self, side: Side, at: SystemTime, bytes: &[u8]) -> Result<usize, usize> {
        match Record::next(bytes) {
            Next::Record(record) => {
                self.spoke(side, record.octets() as u64);
                self.record(side, at, &record, bytes);
                let taken = record.octets();
                self.streams[side as usize].offset += taken as u64;
                Ok(taken)
            }
            Next::Incomplete { missing } => Err(missing),
            Next::NoRecord(Foreign::SslV2) if self.may_be_sslv2(side) => {
                let octets = sslv2::Message::octets(bytes).unwrap_or(sslv2::HEADER_OCTETS);
                let Some(message) = bytes.get(..octets) else {
                    return Err(octets - bytes.len());
                };
                self.spoke(side, octets as u64);
                self.sslv2(side, at, message);
                self.streams[side as usize].offset += octets as u64;
                Ok(octets)
            }
            Next::NoRecord(foreign) => {
                self.fault(
                    side,
                    Some(self.story.steps.len()),
                    FaultKind::Foreign(foreign),
                );
                self.streams[side as usize].foreign = Some(foreign);
                self.foreign(side, at, bytes);
                Ok(bytes.len())
            }
        }
    }

    fn is_foreign(&self, side: Side) -> bool {
        self.streams[side as usize].foreign.is_some()
    }

    /// Tells what is no TLS, as far as there is room for it.
    fn foreign(&mut self, side: Side, at: SystemTime, octets: &[u8]) {
        let Some(foreign) = self.streams[side as usize].foreign else {
            return;
        };
        if octets.is_empty() {
            return;
        }
        self.spoke(side, octets.len() as u64);
        let place = self.place(side);
        let what = What::Foreign(foreign);
        self.run(side, at, what, octets, octets.len(), Epoch::Clear, place);
        self.streams[side as usize].offset += octets.len() as u64;
    }

    /// Counts what `side` said, as long as the handshake goes on.
    fn spoke(&mut self, side: Side, octets: u64) {
        if self.story.agreement.complete.is_none() {
            let traffic = &mut self.story.traffic[side as usize];
            traffic.handshake_octets += octets;
            if self.speaker != Some(side) {
                traffic.flights += 1;
            }
        }
        self.speaker = Some(side);
    }
}

impl Stream {
    /// What is left of `octets` behind the rest of a record of which the beginning is missing.
    fn skip<'b>(&mut self, octets: &'b [u8]) -> &'b [u8] {
        let skipped = self.skip.min(octets.len() as u64);
        self.skip -= skipped;
        self.offset += skipped;
        octets.get(skipped as usize..).unwrap_or_default()
    }
}
