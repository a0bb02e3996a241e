//! From a packet of a link to what TCP and UDP carry: Ethernet with VLAN tags, Linux cooked, BSD loopback and
//! bare IP; IPv4, and IPv6 with its extension headers.
//!
//! Nothing is copied. Fragments of IP are put together elsewhere. Checksums are not looked at: where a network card computes them, a capture of what
//! its own machine sends has none that are right.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// What a packet was on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Ethernet,
    /// Linux, of all interfaces at once.
    Cooked,
    /// The same, version 2.
    Cooked2,
    /// BSD, to itself: four octets say the family, in the byte order of the machine or the network's.
    Loopback,
    /// IP and nothing before it.
    Ip,
    /// Something else.
    Unknown,
}

/// What a packet holds.
#[derive(Clone, Copy)]
pub(super) enum Content<'p> {
    Tcp(Ends, Segment<'p>),
    Udp(Ends, &'p [u8]),
    Fragment(Fragment<'p>),
    /// Neither TCP nor UDP.
    Other,
    /// Something shorter than it says, or otherwise wrong.
    Malformed,
}

/// Who sends to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct End {
    /// The address; that of IPv4 as IPv6 has it (RFC 4291, section 2.5.5.2).
    address: u128,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) source: End,
    pub(super) destination: End,
}

/// A part of a packet of IP (RFC 791, section 3.2; RFC 8200, section 4.5).
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment<'p> {
    pub(super) packet: PacketId,
    /// What the packet carries, where this is its first part.
    pub(super) next: u8,
    /// Where its octets belong.
    pub(super) offset: usize,
    pub(super) is_last: bool,
    pub(super) octets: &'p [u8],
}

/// What the fragments of one packet have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PacketId {
    source: u128,
    destination: u128,
    number: u32,
    /// Of IPv4, where each protocol has numbers of its own.
    protocol: Option<u8>,
}

impl PacketId {
    /// What a packet holds that was put together.
    pub(super) fn content(self, next: u8, payload: &[u8]) -> Content<'_> {
        let ends = (self.source, self.destination);
        match self.protocol {
            Some(protocol) => transport(protocol, ends, payload, 0),
            None => match extensions(next, ends, payload, 0) {
                // A fragment of a fragment is nothing that anybody sends.
                Content::Fragment(_) => Content::Malformed,
                content => content,
            },
        }
    }
}

/// A segment of TCP (RFC 9293, section 3.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'p> {
    pub(super) sequence: u32,
    pub(super) acknowledgement: u32,
    pub(super) flags: u8,
    pub(super) octets: &'p [u8],
    /// How many more octets it had than were captured.
    pub(super) missing: u32,
}

impl Segment<'_> {
    const FIN: u8 = 1;
    const SYN: u8 = 2;
    const RST: u8 = 4;
    const ACK: u8 = 16;

    pub(super) fn fin(&self) -> bool {
        self.flags & Self::FIN != 0
    }

    pub(super) fn syn(&self) -> bool {
        self.flags & Self::SYN != 0
    }

    pub(super) fn rst(&self) -> bool {
        self.flags & Self::RST != 0
    }

    pub(super) fn ack(&self) -> bool {
        self.flags & Self::ACK != 0
    }

    /// The number of its first octet: a SYN takes one of its own.
    pub(super) fn first(&self) -> u32 {
        self.sequence.wrapping_add(u32::from(self.syn()))
    }
}

impl End {
    pub(super) fn port(self) -> u16 {
        self.port
    }

    pub(super) fn address(self) -> SocketAddr {
        let address = Ipv6Addr::from_bits(self.address);
        let address = address
            .to_ipv4_mapped()
            .map_or(IpAddr::V6(address), IpAddr::V4);
        SocketAddr::new(address, self.port)
    }
}

impl Link {
    /// The link of a number in captures (<https://www.tcpdump.org/linktypes.html>).
    pub(super) fn of(number: u32) -> Self {
        match number {
            1 => Self::Ethernet,
            0 | 108 => Self::Loopback,
            // 12 and 14 are what some systems wrote for 101.
            12 | 14 | 101 | 228 | 229 => Self::Ip,
            113 => Self::Cooked,
            276 => Self::Cooked2,
            _ => Self::Unknown,
        }
    }

    /// What a packet of the link holds.
    pub(super) fn content(self, packet: &[u8]) -> Content<'_> {
        let ip = match self {
            Self::Ethernet => ethertype(packet, 12),
            Self::Cooked => ethertype(packet, 14),
            Self::Cooked2 => match packet.get(..2) {
                // The type comes first here, and the packet after 20 octets.
                Some([high, low]) => {
                    let kind = u16::from_be_bytes([*high, *low]);
                    packet
                        .get(20..)
                        .map_or(Ether::Short, |rest| tagged(kind, rest))
                }
                _ => Ether::Short,
            },
            // The version of IP says what the family says, which each BSD numbers in its own way.
            Self::Loopback => packet.get(4..).map_or(Ether::Short, Ether::Ip),
            Self::Ip => Ether::Ip(packet),
            Self::Unknown => Ether::Other,
        };
        match ip {
            Ether::Ip(packet) => match packet.first() {
                Some(0x45..=0x4f) => ipv4(packet),
                Some(0x60..=0x6f) => ipv6(packet),
                Some(_) if self == Self::Loopback => Content::Other,
                _ => Content::Malformed,
            },
            Ether::Other => Content::Other,
            Ether::Short => Content::Malformed,
        }
    }
}

enum Ether<'p> {
    Ip(&'p [u8]),
    Other,
    Short,
}

/// What follows a type at this place.
fn ethertype(packet: &[u8], at: usize) -> Ether<'_> {
    match packet.get(at..).and_then(<[u8]>::split_first_chunk) {
        Some((kind, rest)) => tagged(u16::from_be_bytes(*kind), rest),
        None => Ether::Short,
    }
}

/// What is behind tags of VLANs: 802.1Q, 802.1ad, and what was there before the latter.
fn tagged(mut kind: u16, mut rest: &[u8]) -> Ether<'_> {
    const VLAN: [u16; 4] = [0x8100, 0x88a8, 0x9100, 0x9200];
    while VLAN.contains(&kind) {
        let Some(([_, _, high, low], behind)) = rest.split_first_chunk() else {
            return Ether::Short;
        };
        kind = u16::from_be_bytes([*high, *low]);
        rest = behind;
    }
    match kind {
        0x0800 | 0x86dd => Ether::Ip(rest),
        _ => Ether::Other,
    }
}

/// RFC 791, section 3.1.
fn ipv4(packet: &[u8]) -> Content<'_> {
    let Some(header) = packet.first_chunk::<20>() else {
        return Content::Malformed;
    };
    let header_octets = usize::from(header[0] & 0xf) * 4;
    let total = match usize::from(u16::from_be_bytes([header[2], header[3]])) {
        // What a network card is given to cut does not say how long it is.
        0 => packet.len(),
        total => total,
    };
    let captured = packet.get(header_octets..total.min(packet.len()));
    let Some(captured) = captured else {
        return Content::Malformed;
    };
    let [source, destination] = [12, 16].map(|at| {
        let octets = header
            .get(at..at + 4)
            .and_then(|octets| octets.try_into().ok());
        0xffff_0000_0000 | u128::from(u32::from_be_bytes(octets.unwrap_or_default()))
    });
    let missing = total.saturating_sub(packet.len());
    let place = u16::from_be_bytes([header[6], header[7]]);
    let (more, offset) = (place & 0x2000 != 0, place & 0x1fff);
    if !more && offset == 0 {
        return transport(header[9], (source, destination), captured, missing);
    }
    let packet = PacketId {
        source,
        destination,
        number: u32::from(u16::from_be_bytes([header[4], header[5]])),
        protocol: Some(header[9]),
    };
    fragment(packet, header[9], offset, !more, captured, missing)
}

/// A part that can be put in its place: all but the last have a multiple of 8 octets.
fn fragment(
    packet: PacketId,
    next: u8,
    offset: u16,
    is_last: bool,
    octets: &[u8],
    missing: usize,
) -> Content<'_> {
    let offset = usize::from(offset) * 8;
    let is_whole =
        missing == 0 && !octets.is_empty() && (is_last || octets.len().is_multiple_of(8));
    if !is_whole || offset + octets.len() > usize::from(u16::MAX) {
        return Content::Malformed;
    }
    Content::Fragment(Fragment {
        packet,
        next,
        offset,
        is_last,
        octets,
    })
}

/// RFC 8200, sections 3 and 4.
fn ipv6(packet: &[u8]) -> Content<'_> {
    let Some((header, rest)) = packet.split_first_chunk::<40>() else {
        return Content::Malformed;
    };
    let length = match usize::from(u16::from_be_bytes([header[4], header[5]])) {
        0 => rest.len(),
        length => length,
    };
    let [source, destination] = [8, 24].map(|at| {
        let octets = header
            .get(at..at + 16)
            .and_then(|octets| octets.try_into().ok());
        u128::from_be_bytes(octets.unwrap_or_default())
    });
    let missing = length.saturating_sub(rest.len());
    let rest = rest.get(..length.min(rest.len())).unwrap_or_default();
    extensions(header[6], (source, destination), rest, missing)
}

/// Passes over the headers between that of IPv6 and what it carries.
fn extensions(
    mut next: u8,
    (source, destination): (u128, u128),
    mut rest: &[u8],
    missing: usize,
) -> Content<'_> {
    loop {
        let octets = match (next, rest) {
            (HOP_BY_HOP | ROUTING | DESTINATION, [_, length, ..]) => 8 + usize::from(*length) * 8,
            // A fragment that is all of its packet (RFC 6946) is none.
            (FRAGMENT, [_, _, 0, flags, ..]) if flags & 0xf9 == 0 => 8,
            (FRAGMENT, [next, _, high, low, a, b, c, d, octets @ ..]) => {
                let place = u16::from_be_bytes([*high, *low]);
                let packet = PacketId {
                    source,
                    destination,
                    number: u32::from_be_bytes([*a, *b, *c, *d]),
                    protocol: None,
                };
                let is_last = place & 1 == 0;
                return fragment(packet, *next, place >> 3, is_last, octets, missing);
            }
            (AUTHENTICATION, [_, length, ..]) => 8 + usize::from(*length) * 4,
            _ => break,
        };
        let (Some(following), Some(behind)) = (rest.first(), rest.get(octets..)) else {
            return Content::Malformed;
        };
        next = *following;
        rest = behind;
    }
    transport(next, (source, destination), rest, missing)
}

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

fn transport(
    protocol: u8,
    (source, destination): (u128, u128),
    payload: &[u8],
    missing: usize,
) -> Content<'_> {
    const TCP: u8 = 6;
    const UDP: u8 = 17;
    if protocol != TCP && protocol != UDP {
        return Content::Other;
    }
    let Some(ports) = payload.first_chunk::<4>() else {
        return Content::Malformed;
    };
    let [from, to] = [[ports[0], ports[1]], [ports[2], ports[3]]].map(u16::from_be_bytes);
    let end = |address, port| End { address, port };
    let ends = Ends {
        source: end(source, from),
        destination: end(destination, to),
    };
    if protocol == UDP {
        return match payload.get(8..) {
            Some(octets) if missing == 0 => Content::Udp(ends, octets),
            _ => Content::Malformed,
        };
    }
    let Some(header) = payload.first_chunk::<20>() else {
        return Content::Malformed;
    };
    let header_octets = usize::from(header[12] >> 4) * 4;
    let (true, Some(octets)) = (header_octets >= 20, payload.get(header_octets..)) else {
        return Content::Malformed;
    };
    let word = |at: usize| {
        let octets = header
            .get(at..at + 4)
            .and_then(|octets| octets.try_into().ok());
        u32::from_be_bytes(octets.unwrap_or_default())
    };
    let segment = Segment {
        sequence: word(4),
        acknowledgement: word(8),
        flags: header[13],
        octets,
        missing: missing as u32,
    };
    Content::Tcp(ends, segment)
}
