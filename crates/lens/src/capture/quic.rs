//! The Initial packets of QUIC (RFC 9000; version 2: RFC 9369), which carry the hellos.
//!
//! Their keys follow from what is in clear (RFC 9001, section 5.2), so that whoever sees them can open them.
//! What comes after the hellos is in Handshake packets, under keys of the handshake: those are not
//! opened here, with or without a key log.

use std::collections::HashMap;

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey, quic as header};
use foldhash::fast::RandomState;

use super::assembly::{Assembly, Piece};
use super::file::time;
use super::link::{End, Ends};
use super::{Closed, Consumer, Limits, Notice as CaptureNotice, Opening, StreamId};
use crate::digest::Hash;
use crate::ledger::Side;

mod packet;

use packet::{Header, Kind, Packet};

/// How many octets of hellos may wait for others before them: as many as hellos can have, and more.
const MAX_HELD_OCTETS: usize = 64 << 10;

/// How far into the hellos a frame may reach.
const MAX_CRYPTO_OCTETS: u64 = 1 << 20;

/// A version whose Initial packets are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// RFC 9000.
    V1,
    /// RFC 9369.
    V2,
}

/// Something about the packets of QUIC.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The server wants the client to come again, with a token that proves its address (RFC 9000,
    /// section 17.2.5).
    Retry {
        /// How many octets the token has.
        token_octets: usize,
        /// Whether it is by somebody who saw the client's packet (RFC 9001, section 5.8).
        authentic: bool,
    },
    /// The server does not know the client's version; it knows these (RFC 9000, section 17.2.1).
    VersionNegotiation {
        /// The versions.
        versions: Vec<u32>,
    },
    /// The connection was ended before the handshake was complete (section 19.19).
    ConnectionClose {
        /// The code; those from 0x100 to 0x1ff are alerts of TLS.
        code: u64,
        /// What was said besides.
        reason: String,
    },
    /// A packet that the keys do not open: it was changed, or the client's first is not in the capture.
    Undecryptable {
        /// Its destination, of which keys may follow.
        destination: Vec<u8>,
    },
    /// A packet that is shorter than it says.
    Truncated,
    /// A packet with a frame that cannot be in it.
    Frame {
        /// The type of the frame.
        frame_type: u64,
    },
    /// A frame that is shorter than it says.
    FrameTruncated,
    /// Octets of a hello came twice, and not the same; those that came first were taken.
    Overlap {
        /// Which octet differs first.
        offset: u64,
    },
    /// Hellos longer than any.
    TooLong,
}

/// Connections of QUIC.
pub(super) struct Flows {
    limits: Limits,
    connections: HashMap<(End, End), Connection, RandomState>,
    /// A packet that is being decrypted.
    scratch: Vec<u8>,
    next_sweep: u64,
}

struct Connection {
    stream: StreamId,
    client: End,
    /// When it was heard of last.
    at: u64,
    initials: Initials,
}

/// How often idle connections are looked for.
const SWEEP_NANOSECONDS: u64 = 30_000_000_000;

impl Flows {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            connections: HashMap::default(),
            scratch: Vec::new(),
            next_sweep: 0,
        }
    }

    /// Takes a datagram. Whether it opened a connection.
    pub(super) fn receive(
        &mut self,
        at: u64,
        stream: StreamId,
        ends: Ends,
        datagram: &[u8],
        opening: impl Fn(End, End, Version) -> Opening,
        consumer: &mut impl Consumer,
    ) -> bool {
        if at >= self.next_sweep {
            self.sweep(at, consumer);
        }
        let Ends {
            source,
            destination,
        } = ends;
        let pair = (source.min(destination), source.max(destination));
        self.scratch.clear();
        self.scratch.extend_from_slice(datagram);
        if let Some(connection) = self.connections.get_mut(&pair) {
            let is_new = source == connection.client
                && !connection.initials.is_known(datagram)
                && Initials::of_first(datagram, &mut self.scratch.clone()).is_some();
            if !is_new {
                connection.receive(source, at, &mut self.scratch, consumer);
                return false;
            }
            consumer.closed(connection.stream, Closed::Replaced);
            self.connections.remove(&pair);
        }
        let Some(initials) = Initials::of_first(datagram, &mut self.scratch.clone()) else {
            return false;
        };
        if self.connections.len() >= self.limits.connections.max(1) {
            self.make_room(consumer);
        }
        consumer.opened(stream, &opening(source, destination, initials.version));
        let mut connection = Connection {
            stream,
            client: source,
            at,
            initials,
        };
        connection.receive(source, at, &mut self.scratch, consumer);
        self.connections.insert(pair, connection);
        true
    }

    fn sweep(&mut self, at: u64, consumer: &mut impl Consumer) {
        self.next_sweep = at.saturating_add(SWEEP_NANOSECONDS);
        let idle = u64::try_from(self.limits.idle.as_nanos()).unwrap_or(u64::MAX);
        self.connections.retain(|_, connection| {
            let is_idle = at.saturating_sub(connection.at) >= idle;
            if is_idle {
                consumer.closed(connection.stream, Closed::Idle);
            }
            !is_idle
        });
    }

    /// Forgets an eighth of the connections: those that are silent for longest.
    fn make_room(&mut self, consumer: &mut impl Consumer) {
        let times = self.connections.values().map(|connection| connection.at);
        let mut times: Vec<_> = times.collect();
        let room = times.len() / 8;
        if times.is_empty() {
            return;
        }
        let (_, limit, _) = times.select_nth_unstable(room);
        let limit = *limit;
        self.connections.retain(|_, connection| {
            let stays = connection.at > limit;
            if !stays {
                consumer.closed(connection.stream, Closed::Crowded);
            }
            stays
        });
    }

    pub(super) fn finish(&mut self, consumer: &mut impl Consumer) {
        let mut streams: Vec<_> = self
            .connections
            .drain()
            .map(|(_, gone)| gone.stream)
            .collect();
        streams.sort_unstable();
        for stream in streams {
            consumer.closed(stream, Closed::EndOfCapture);
        }
    }
}

impl Connection {
    fn receive(&mut self, source: End, at: u64, datagram: &mut [u8], consumer: &mut impl Consumer) {
        self.at = at;
        let side = if source == self.client {
            Side::Client
        } else {
            Side::Server
        };
        let stream = self.stream;
        self.initials.receive(side, datagram, |seen| match seen {
            Seen::Crypto(octets) => consumer.data(stream, side, time(at), octets),
            Seen::Notice(notice) => {
                consumer.noticed(stream, side, time(at), CaptureNotice::Quic(notice));
            }
        });
    }
}

/// The Initial packets of one connection.
pub struct Initials {
    version: Version,
    /// The destination of the client's first packet.
    destination: Vec<u8>,
    /// Of each version that was spoken: both ends may change from one to the other (RFC 9368).
    keys: [Option<[Keys; 2]>; 2],
    crypto: [Assembly; 2],
    /// The packet numbers that are expected next.
    expected: [u64; 2],
    /// The client comes again, to this.
    retried: bool,
}

/// What was in a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen<'s> {
    /// The next octets of the handshake messages of its side.
    Crypto(&'s [u8]),
    /// Something else.
    Notice(Notice),
}

/// The keys of one side (RFC 9001, section 5.1). They are no secret.
#[derive(Clone)]
struct Keys {
    key: [u8; 16],
    iv: [u8; 12],
    header: [u8; 16],
}

impl Version {
    /// The version of a datagram that begins with a long header; `None` for all else and all others. Version
    /// negotiation has no version: it counts as the first.
    #[must_use]
    pub fn of(datagram: &[u8]) -> Option<Self> {
        match datagram.first_chunk()? {
            [0x80..=0xff, 0, 0, 0, 0 | 1] => Some(Self::V1),
            [0xc0..=0xff, 0x6b, 0x33, 0x43, 0xcf] => Some(Self::V2),
            _ => None,
        }
    }

    /// RFC 9001, section 5.2; RFC 9369, section 3.3.1.
    fn salt(self) -> [u8; 20] {
        match self {
            Self::V1 => [
                0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8,
                0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a,
            ],
            Self::V2 => [
                0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26,
                0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9,
            ],
        }
    }

    /// RFC 9001, section 5.1; RFC 9369, section 3.3.2.
    fn labels(self) -> [&'static str; 3] {
        match self {
            Self::V1 => ["quic key", "quic iv", "quic hp"],
            Self::V2 => ["quicv2 key", "quicv2 iv", "quicv2 hp"],
        }
    }

    /// What signs Retry packets (RFC 9001, section 5.8; RFC 9369, section 3.3.3).
    fn retry(self) -> ([u8; 16], [u8; 12]) {
        match self {
            Self::V1 => (
                [
                    0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a, 0x1d, 0x76, 0x6b, 0x54, 0xe3,
                    0x68, 0xc8, 0x4e,
                ],
                [
                    0x46, 0x15, 0x99, 0xd3, 0x5d, 0x63, 0x2b, 0xf2, 0x23, 0x98, 0x25, 0xbb,
                ],
            ),
            Self::V2 => (
                [
                    0x8f, 0xb4, 0xb0, 0x1b, 0x56, 0xac, 0x48, 0xe2, 0x60, 0xfb, 0xcb, 0xce, 0xad,
                    0x7c, 0xcc, 0x92,
                ],
                [
                    0xd8, 0x69, 0x69, 0xbc, 0x2d, 0x7c, 0x6d, 0x99, 0x90, 0xef, 0xb0, 0x4a,
                ],
            ),
        }
    }
}

impl Keys {
    /// Those of both sides: the client's first.
    fn of(version: Version, destination: &[u8]) -> [Self; 2] {
        let secret = Hash::Sha256.extract(&version.salt(), destination);
        ["client in", "server in"].map(|label| {
            let secret = Hash::Sha256.expand_label(&secret, label, &[], 32);
            let [key, iv, header] = version.labels();
            Self {
                key: derived(&secret, key),
                iv: derived(&secret, iv),
                header: derived(&secret, header),
            }
        })
    }

    /// Takes the protection from the header of a packet and opens it. Its number, and where its payload is in
    /// `packet`.
    fn open<'p>(
        &self,
        packet: &'p mut [u8],
        number_at: usize,
        expected: u64,
    ) -> Option<(u64, &'p mut [u8])> {
        const SAMPLE_OCTETS: usize = 16;
        let sample = packet.get(number_at + 4..number_at + 4 + SAMPLE_OCTETS)?;
        let key = header::HeaderProtectionKey::new(&header::AES_128, &self.header).ok()?;
        let [first, mask @ ..] = key.new_mask(sample).ok()?;
        let byte = packet.first_mut()?;
        *byte ^= first & 0xf;
        let octets = usize::from(*byte & 3) + 1;
        let field = packet.get_mut(number_at..number_at + octets)?;
        let mut number = 0;
        for (octet, mask) in field.iter_mut().zip(mask) {
            *octet ^= mask;
            number = number << 8 | u64::from(*octet);
        }
        let number = packet::number(expected, number, octets);
        let (header, payload) = packet.split_at_mut(number_at + octets);
        let mut nonce = self.iv;
        for (octet, number) in nonce.iter_mut().skip(4).zip(number.to_be_bytes()) {
            *octet ^= number;
        }
        let key = LessSafeKey::new(UnboundKey::new(&aead::AES_128_GCM, &self.key).ok()?);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let opened = key.open_in_place(nonce, Aad::from(header), payload).ok()?;
        Some((number, opened))
    }
}

fn derived<const N: usize>(secret: &[u8], label: &str) -> [u8; N] {
    let octets = Hash::Sha256.expand_label(secret, label, &[], N);
    octets.as_slice().try_into().unwrap_or([0; N])
}

impl Initials {
    /// Those of a connection whose first datagram this is. `None` where it does not begin with an Initial
    /// packet of a client that its own keys open.
    #[must_use]
    pub fn begin(datagram: &[u8]) -> Option<Self> {
        Self::of_first(datagram, &mut datagram.to_vec())
    }

    fn of_first(datagram: &[u8], scratch: &mut [u8]) -> Option<Self> {
        let packet = Packet::next(datagram)?;
        let (Kind::Initial { number_at }, header) = (packet.kind?, packet.header) else {
            return None;
        };
        let [client, _] = &Keys::of(header.version, header.destination);
        client.open(scratch.get_mut(..packet.octets)?, number_at, 0)?;
        Some(Self::of(header.version, header.destination))
    }

    fn of(version: Version, destination: &[u8]) -> Self {
        Self {
            version,
            destination: destination.to_vec(),
            keys: [None, None],
            crypto: Default::default(),
            expected: [0; 2],
            retried: false,
        }
    }

    /// For the fuzzer, which cannot seal a packet: frames as if they were those of one.
    #[cfg(fuzzing)]
    pub fn receive_frames(side: Side, payloads: &[&[u8]], mut tell: impl FnMut(Seen<'_>)) {
        let mut initials = Self::of(Version::V1, &[]);
        for payload in payloads {
            initials.frames(side, payload, &mut tell);
        }
    }

    /// The version of the client's first packet.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether a datagram of the client may belong to the connection: one to where its first one went, or a
    /// later one, which goes to where the server says.
    fn is_known(&self, datagram: &[u8]) -> bool {
        let Some(packet) = Packet::next(datagram) else {
            return true;
        };
        let is_initial = matches!(packet.kind, Some(Kind::Initial { .. }));
        !is_initial || self.retried || packet.header.destination == self.destination
    }

    /// Takes a datagram that this side sent, and tells what is in it. The datagram is decrypted in place.
    pub fn receive(&mut self, side: Side, mut datagram: &mut [u8], mut tell: impl FnMut(Seen<'_>)) {
        while !datagram.is_empty() {
            let Some(packet) = Packet::next(datagram) else {
                return;
            };
            let Header {
                version,
                destination,
                source,
            } = packet.header;
            match packet.kind {
                None => return tell(Seen::Notice(Notice::Truncated)),
                Some(Kind::Negotiation { versions }) => {
                    return tell(Seen::Notice(Notice::VersionNegotiation { versions }));
                }
                Some(Kind::Retry { token, tag }) => {
                    let length = self.destination.len() as u8;
                    let covered = datagram.len() - tag.len();
                    let covered = datagram.get(..covered).unwrap_or_default();
                    let signed = [&[length], &self.destination[..], covered].concat();
                    let authentic = is_authentic(version, &signed, tag);
                    tell(Seen::Notice(Notice::Retry {
                        token_octets: token.len(),
                        authentic,
                    }));
                    if authentic && side == Side::Server && !self.retried {
                        self.retried = true;
                        self.destination = source.to_vec();
                        self.keys = [None, None];
                    }
                    return;
                }
                Some(Kind::Initial { number_at }) => {
                    let destination = destination.to_vec();
                    let (whole, rest) = datagram.split_at_mut(packet.octets);
                    let known = &self.destination;
                    let keys =
                        self.keys[version as usize].get_or_insert_with(|| Keys::of(version, known));
                    let expected = self.expected[side as usize];
                    match keys[side as usize].open(whole, number_at, expected) {
                        Some((number, payload)) => {
                            let expected = &mut self.expected[side as usize];
                            *expected = (*expected).max(number + 1);
                            self.frames(side, payload, &mut tell);
                        }
                        None => tell(Seen::Notice(Notice::Undecryptable { destination })),
                    }
                    datagram = rest;
                }
                Some(Kind::Other) => {
                    datagram = datagram.get_mut(packet.octets..).unwrap_or_default();
                }
            }
        }
    }

    /// The frames of a packet (RFC 9000, section 19).
    fn frames(&mut self, side: Side, payload: &[u8], tell: &mut impl FnMut(Seen<'_>)) {
        let mut rest = payload;
        while !rest.is_empty() {
            let (frame, behind) = match packet::Frame::read(rest) {
                Ok(read) => read,
                Err(notice) => return tell(Seen::Notice(notice)),
            };
            rest = behind;
            match frame {
                packet::Frame::Nothing => {}
                packet::Frame::Close { code, reason } => {
                    let reason = String::from_utf8_lossy(reason).into_owned();
                    tell(Seen::Notice(Notice::ConnectionClose { code, reason }));
                }
                packet::Frame::Crypto { offset, octets } => {
                    self.crypto(side, offset, octets, tell);
                }
            }
        }
    }

    fn crypto(&mut self, side: Side, offset: u64, octets: &[u8], tell: &mut impl FnMut(Seen<'_>)) {
        let assembly = &mut self.crypto[side as usize];
        let end = offset.saturating_add(octets.len() as u64);
        if end > MAX_CRYPTO_OCTETS || assembly.held() + octets.len() > MAX_HELD_OCTETS {
            return tell(Seen::Notice(Notice::TooLong));
        }
        if offset == assembly.next() && !assembly.is_holding() {
            assembly.advance(octets.len() as u64);
            if !octets.is_empty() {
                tell(Seen::Crypto(octets));
            }
            return;
        }
        if let Some(offset) = assembly.hold(offset, octets, &Piece::default()) {
            tell(Seen::Notice(Notice::Overlap { offset }));
        }
        while let Some(piece) = assembly.pop() {
            assembly.advance(piece.octets.len() as u64);
            tell(Seen::Crypto(&piece.octets));
        }
    }
}

/// Whether a Retry packet is by somebody who saw the client's packet.
fn is_authentic(version: Version, signed: &[u8], tag: [u8; 16]) -> bool {
    let (key, nonce) = version.retry();
    let Ok(key) = UnboundKey::new(&aead::AES_128_GCM, &key) else {
        return false;
    };
    let nonce = Nonce::assume_unique_for_key(nonce);
    let mut tag = tag;
    LessSafeKey::new(key)
        .open_in_place(nonce, Aad::from(signed), &mut tag)
        .is_ok()
}
