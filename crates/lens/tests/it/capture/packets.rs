//! Packets and capture files made by hand, and what a capture is heard to say.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use ravelin_lens::capture::{
    Capture, CaptureError, Closed, Consumer, Limits, Notice, Opening, StreamId, Summary,
};
use ravelin_lens::ledger::Side;

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// A segment, from the client or from the server.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) side: Side,
    pub(crate) sequence: u32,
    pub(crate) acknowledgement: u32,
    pub(crate) flags: u8,
    pub(crate) octets: Vec<u8>,
}

/// The client's port; the server's is 443.
pub(crate) const CLIENT_PORT: u16 = 50_000;

impl Segment {
    pub(crate) fn new(side: Side, sequence: u32, ack: u32, flags: u8, octets: &[u8]) -> Self {
        Self {
            side,
            sequence,
            acknowledgement: ack,
            flags,
            octets: octets.to_vec(),
        }
    }

    pub(crate) fn tcp(&self, client_port: u16) -> Vec<u8> {
        let mut ports = [client_port, 443];
        if self.side == Side::Server {
            ports.reverse();
        }
        let mut tcp = ports.map(u16::to_be_bytes).concat();
        tcp.extend(self.sequence.to_be_bytes());
        tcp.extend(self.acknowledgement.to_be_bytes());
        tcp.extend([5 << 4, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(&self.octets);
        tcp
    }

    /// In IPv4.
    pub(crate) fn ipv4(&self) -> Vec<u8> {
        self.ipv4_from(CLIENT_PORT)
    }

    pub(crate) fn ipv4_from(&self, client_port: u16) -> Vec<u8> {
        ipv4(self.side, 6, &self.tcp(client_port))
    }

    /// In IPv6, with these extension headers, the first of which is of this type.
    pub(crate) fn ipv6(&self, next: u8, extensions: &[u8]) -> Vec<u8> {
        let tcp = self.tcp(CLIENT_PORT);
        let octets = (extensions.len() + tcp.len()) as u16;
        let [high, low] = octets.to_be_bytes();
        let mut ip = vec![0x60, 0, 0, 0, high, low, next, 64];
        let mut ends = [[1; 16], [2; 16]];
        if self.side == Side::Server {
            ends.reverse();
        }
        ip.extend(ends.concat());
        ip.extend(extensions);
        ip.extend(tcp);
        ip
    }
}

pub(crate) fn ipv4(side: Side, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16 + 20).to_be_bytes();
    let mut ip = vec![0x45, 0, high, low, 0, 0, 0x40, 0, 64, protocol, 0, 0];
    let mut ends = [[10, 0, 0, 1], [10, 0, 0, 2]];
    if side == Side::Server {
        ends.reverse();
    }
    ip.extend(ends.concat());
    ip.extend(payload);
    ip
}

/// A packet of IPv4 in fragments that carry so many octets, a multiple of 8.
pub(crate) fn fragments4(packet: &[u8], number: u16, octets: usize) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(20);
    let parts = payload.chunks(octets).enumerate();
    let fragment = |(at, part): (usize, &[u8])| {
        let more = (at + 1) * octets < payload.len();
        let place = (at * octets / 8) as u16 | u16::from(more) << 13;
        let mut header = header.to_vec();
        header[2..4].copy_from_slice(&(20 + part.len() as u16).to_be_bytes());
        header[4..6].copy_from_slice(&number.to_be_bytes());
        header[6..8].copy_from_slice(&place.to_be_bytes());
        [&header, part].concat()
    };
    parts.map(fragment).collect()
}

/// The same of IPv6.
pub(crate) fn fragments6(packet: &[u8], number: u32, octets: usize) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(40);
    let parts = payload.chunks(octets).enumerate();
    let fragment = |(at, part): (usize, &[u8])| {
        let more = (at + 1) * octets < payload.len();
        let place = (at * octets) as u16 | u16::from(more);
        let mut head = header.to_vec();
        head[4..6].copy_from_slice(&(8 + part.len() as u16).to_be_bytes());
        let next = std::mem::replace(&mut head[6], 44);
        head.extend([next, 0]);
        head.extend(place.to_be_bytes());
        head.extend(number.to_be_bytes());
        head.extend(part);
        head
    };
    parts.map(fragment).collect()
}

pub(crate) fn ethernet(kind: u16, ip: &[u8]) -> Vec<u8> {
    [&[2; 12], &kind.to_be_bytes()[..], ip].concat()
}

/// A pcap file of microseconds, a packet each millisecond.
pub(crate) fn pcap(link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let timed = packets.iter().enumerate();
    let timed: Vec<_> = timed
        .map(|(at, packet)| (at as u64 * 1000, packet.clone()))
        .collect();
    pcap_at(link, &timed)
}

/// The same, with times in microseconds.
pub(crate) fn pcap_at(link: u32, packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut file = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, link]
        .map(u32::to_le_bytes)
        .concat();
    for (at, packet) in packets {
        let length = packet.len() as u32;
        let header = [
            (at / 1_000_000) as u32,
            (at % 1_000_000) as u32,
            length,
            length,
        ];
        file.extend(header.map(u32::to_le_bytes).concat());
        file.extend(packet);
    }
    file
}

/// What was told of one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) opening: Option<Opening>,
    /// The client's first.
    pub(crate) octets: [Vec<u8>; 2],
    /// Where octets are missing, and how many.
    pub(crate) lost: [Vec<(usize, u64)>; 2],
    /// Whether each side ended, and whether by a reset.
    pub(crate) ended: [Option<bool>; 2],
    pub(crate) notices: Vec<Notice>,
    pub(crate) closed: Option<Closed>,
    /// Who spoke in turn, and how much.
    pub(crate) turns: Vec<(Side, usize)>,
    pub(crate) times: Vec<SystemTime>,
}

/// What was told of a capture. Checks that what is told of a connection is told in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ear {
    pub(crate) streams: BTreeMap<StreamId, Heard>,
    pub(crate) secrets: Vec<u8>,
}

impl Ear {
    pub(crate) fn hear(file: &[u8]) -> (Self, Result<Summary, CaptureError>) {
        Self::hear_within(Limits::default(), file)
    }

    pub(crate) fn hear_within(
        limits: Limits,
        file: &[u8],
    ) -> (Self, Result<Summary, CaptureError>) {
        let mut ear = Self::default();
        let mut capture = Capture::new(file, limits);
        let result = capture.read(&mut ear);
        let open = ear
            .streams
            .values()
            .filter(|heard| heard.closed.is_none())
            .count();
        assert_eq!(open, 0, "each connection is closed at the end");
        (ear, result.map(|()| capture.summary()))
    }

    /// The only connection of a file without faults.
    pub(crate) fn only(file: &[u8]) -> Heard {
        let (ear, result) = Self::hear(file);
        result.expect("the file is good");
        assert_eq!(ear.streams.len(), 1);
        ear.streams.into_values().next().expect("there is one")
    }

    fn heard(&mut self, stream: StreamId) -> &mut Heard {
        let heard = self.streams.get_mut(&stream).expect("it was opened");
        assert_eq!(heard.closed, None, "nothing comes after the end");
        heard
    }
}

impl Consumer for Ear {
    fn opened(&mut self, stream: StreamId, opening: &Opening) {
        let heard = Heard {
            opening: Some(*opening),
            ..Heard::default()
        };
        assert_eq!(stream.0, self.streams.len() as u64);
        self.streams.insert(stream, heard);
    }

    fn data(&mut self, stream: StreamId, side: Side, at: SystemTime, octets: &[u8]) {
        assert!(!octets.is_empty());
        assert!(at >= UNIX_EPOCH);
        let heard = self.heard(stream);
        assert_eq!(
            heard.ended[side as usize], None,
            "a side that ended says nothing"
        );
        heard.octets[side as usize].extend(octets);
        heard.times.push(at);
        match heard.turns.last_mut() {
            Some((last, count)) if *last == side => *count += octets.len(),
            _ => heard.turns.push((side, octets.len())),
        }
    }

    fn lost(&mut self, stream: StreamId, side: Side, _at: SystemTime, octets: u64) {
        assert!(octets > 0);
        let heard = self.heard(stream);
        let at = heard.octets[side as usize].len();
        heard.lost[side as usize].push((at, octets));
    }

    fn ended(&mut self, stream: StreamId, side: Side, _at: SystemTime, reset: bool) {
        let ended = &mut self.heard(stream).ended[side as usize];
        assert_eq!(*ended, None);
        *ended = Some(reset);
    }

    fn noticed(&mut self, stream: StreamId, _side: Side, _at: SystemTime, notice: Notice) {
        self.heard(stream).notices.push(notice);
    }

    fn closed(&mut self, stream: StreamId, why: Closed) {
        self.heard(stream).closed = Some(why);
    }

    fn secrets(&mut self, lines: &[u8]) {
        self.secrets.extend(lines);
    }
}
