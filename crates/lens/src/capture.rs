//! Captures as streams: pcap and pcapng files in, what the two ends of each connection said out, in order.
//!
//! - `file` reads the file, `link` finds TCP and UDP in its packets, `fragments` puts packets of IP together
//!   that came in parts, `tcp` puts segments in order, `flows` knows the connections; [`quic`] opens the Initial packets of QUIC.
//! - [`preface`] finds where TLS begins in a stream that begins in plain text.
//! - [`write`](mod@write) is the way back: a capture of what was recorded, with its secrets.
//!
//! A file is read once, front to back. Octets that come in order are lent from the packet; a copy is made
//! only of what has to wait. Memory is bounded by [`Limits`], never by the file: a connection takes about
//! 400 octets here and what it holds of segments that are out of order, so that 100,000 take less than 64 MB.
//!
//! What is not here: checksums of TCP and IP are not looked at, and of QUIC only what Initial packets hold is
//! read.

use std::io::Read;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

mod assembly;
mod file;
mod flows;
mod fragments;
mod link;
pub mod preface;
pub mod quic;
mod tcp;
pub mod write;

pub use file::{CaptureError, Damage, MAX_BLOCK_OCTETS};

use crate::ledger::Side;
use file::{File, Item, Packet, time};
use flows::Flows;
use fragments::Fragments;
use link::Content;

/// Whoever wants to know what is in a capture. Each connection begins with [`opened`](Self::opened) and ends with
/// [`closed`](Self::closed), after which its number is never used again.
pub trait Consumer {
    /// A connection was seen.
    fn opened(&mut self, stream: StreamId, opening: &Opening);

    /// What one side said, in order. Of TCP what it carries, TLS or not; of QUIC the handshake messages
    /// of its Initial packets, without any records around them.
    fn data(&mut self, stream: StreamId, side: Side, at: SystemTime, octets: &[u8]);

    /// So many octets, the next that this side said, are not in the capture.
    fn lost(&mut self, stream: StreamId, side: Side, at: SystemTime, octets: u64) {
        let _ = (stream, side, at, octets);
    }

    /// This side says nothing more: it closed its direction, or reset the connection.
    fn ended(&mut self, stream: StreamId, side: Side, at: SystemTime, reset: bool) {
        let _ = (stream, side, at, reset);
    }

    /// Something is odd about a connection.
    fn noticed(&mut self, stream: StreamId, side: Side, at: SystemTime, notice: Notice) {
        let _ = (stream, side, at, notice);
    }

    /// Nothing more comes of this connection.
    fn closed(&mut self, stream: StreamId, why: Closed) {
        let _ = (stream, why);
    }

    /// Lines of a key log that are in the file, of all connections in it: for
    /// [`KeyLog::push`](crate::keylog::KeyLog::push).
    fn secrets(&mut self, lines: &[u8]) {
        let _ = lines;
    }
}

/// A connection of a capture, numbered from 0 in the order in which they were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// How a connection was seen first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Who opened it. Where that was not seen: who sends the hello of a client, or has the higher port.
    pub client: SocketAddr,
    /// Who was asked.
    pub server: SocketAddr,
    /// What carries it.
    pub transport: Transport,
    /// When.
    pub at: SystemTime,
    /// The packet, counted from 1 as Wireshark does.
    pub packet: u64,
    /// Whether its beginning was seen.
    pub whole: bool,
}

/// What carries TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A stream of records.
    Tcp,
    /// CRYPTO frames, whose packets QUIC protects itself.
    Quic(quic::Version),
}

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Octets came twice, and not the same. Those that came first were taken; another receiver may take
    /// the others. Only octets that wait for others before them can be compared.
    Overlap {
        /// Which octet differs first, counted from the first of its side.
        offset: u64,
    },
    /// Something about the packets of QUIC.
    Quic(quic::Notice),
}

/// Why nothing more comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Both sides ended.
    Finished,
    /// A side reset it.
    Reset,
    /// Nothing was heard of it for [`Limits::idle`].
    Idle,
    /// Another connection has its ports.
    Replaced,
    /// There were more than [`Limits::connections`].
    Crowded,
    /// The capture ended.
    EndOfCapture,
}

/// How much is kept at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections of TCP, and as many of QUIC. Those of which nothing was heard for longest make room.
    pub connections: usize,
    /// Octets of a connection that wait for others before them.
    pub held_octets: usize,
    /// The same, of all connections.
    pub held_octets_in_all: usize,
    /// How long nothing may be heard of a connection until it is forgotten, by the clock of the capture.
    pub idle: Duration,
}

impl Default for Limits {
    /// 200,000 connections, 1 MiB and 256 MiB that wait, one hour.
    fn default() -> Self {
        Self {
            connections: 200_000,
            held_octets: 1 << 20,
            held_octets_in_all: 256 << 20,
            idle: Duration::from_secs(3600),
        }
    }
}

/// What was in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Packets.
    pub packets: u64,
    /// Their octets, as far as they were captured.
    pub octets: u64,
    /// Connections of TCP and QUIC.
    pub connections: u64,
    /// Packets on links that are not read.
    pub unknown_links: u64,
    /// Packets that are neither TCP nor UDP.
    pub others: u64,
    /// Fragments of IP.
    pub fragments: u64,
    /// Packets that are not what they say.
    pub malformed: u64,
}

/// A capture that is read.
pub struct Capture<R> {
    file: File<R>,
    streams: Streams,
}

/// What is known of the connections so far.
struct Streams {
    fragments: Fragments,
    flows: Flows,
    quic: quic::Flows,
    summary: Summary,
}

impl<R: Read> Capture<R> {
    /// A capture in a file, or from anything else that can be read. It is read in large pieces: there is
    /// no need of a buffer before it.
    pub fn new(source: R, limits: Limits) -> Self {
        Self {
            file: File::new(source),
            streams: Streams {
                fragments: Fragments::default(),
                flows: Flows::new(limits),
                quic: quic::Flows::new(limits),
                summary: Summary::default(),
            },
        }
    }

    /// Reads all of it and tells `consumer`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or not to its end. All that was before has been told then, and all
    /// connections have been closed.
    pub fn read(&mut self, consumer: &mut impl Consumer) -> Result<(), CaptureError> {
        let mut at = 0;
        let result = loop {
            match self.file.next() {
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
                Ok(Some(Item::Secrets(lines))) => consumer.secrets(lines),
                Ok(Some(Item::Packet(packet))) => {
                    at = packet.at;
                    self.streams.receive(packet, consumer);
                }
            }
        };
        self.streams.flows.finish(at, consumer);
        self.streams.quic.finish(consumer);
        result
    }

    /// What was in the file, as far as it was read.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.streams.summary
    }
}

impl Streams {
    fn receive(&mut self, packet: Packet<'_>, consumer: &mut impl Consumer) {
        self.summary.packets += 1;
        self.summary.octets += packet.octets.len() as u64;
        match packet.link.content(packet.octets) {
            Content::Other if packet.link == link::Link::Unknown => self.summary.unknown_links += 1,
            Content::Fragment(fragment) => {
                self.summary.fragments += 1;
                if let Some(whole) = self.fragments.receive(packet.at, &fragment) {
                    self.content(packet.at, whole.content(), consumer);
                }
            }
            content => self.content(packet.at, content, consumer),
        }
    }

    /// Takes what a packet of IP holds that is whole.
    fn content(&mut self, at: u64, content: Content<'_>, consumer: &mut impl Consumer) {
        let packet = self.summary.packets;
        let next_stream = StreamId(self.summary.connections);
        let mut opened = false;
        match content {
            Content::Tcp(ends, segment) => {
                let seen = flows::Seen {
                    at,
                    packet,
                    next_stream,
                };
                opened = self.flows.receive(seen, ends, segment, consumer);
            }
            Content::Udp(ends, datagram) => {
                if quic::Version::of(datagram).is_some() {
                    let opening = |client: link::End, server: link::End, version| Opening {
                        client: client.address(),
                        server: server.address(),
                        transport: Transport::Quic(version),
                        at: time(at),
                        packet,
                        whole: true,
                    };
                    let quic = &mut self.quic;
                    opened = quic.receive(at, next_stream, ends, datagram, opening, consumer);
                }
            }
            Content::Malformed => self.summary.malformed += 1,
            Content::Other | Content::Fragment(_) => self.summary.others += 1,
        }
        self.summary.connections += u64::from(opened);
    }
}
