//! What was recorded as a capture (pcapng), with its secrets, so that Wireshark opens it decrypted.
//!
//! There were no packets where octets were recorded above TCP: they are made up here, of IP with nothing below
//! it, with a handshake before them, an end behind them, and checksums that are right.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use super::file::{
    END_OF_OPTIONS, ENHANCED_PACKET, IF_TSRESOL, INTERFACE, SECRETS, SECTION, TLS_KEY_LOG,
};
use crate::ledger::Side;

/// A connection that was recorded.
#[derive(Debug, Clone)]
pub struct Recorded<'r> {
    /// Who opened it.
    pub client: SocketAddr,
    /// Who was asked.
    pub server: SocketAddr,
    /// What was said, in order.
    pub said: Vec<Said<'r>>,
    /// The lines of a key log with its secrets; empty where none are to be in the file.
    pub key_log: &'r [u8],
}

/// What one side said at one time.
#[derive(Debug, Clone, Copy)]
pub struct Said<'r> {
    /// Who.
    pub side: Side,
    /// When.
    pub at: SystemTime,
    /// What.
    pub octets: &'r [u8],
    /// How many octets of this side are not there before it: whoever opens the file sees that they are missing.
    pub missing: u64,
}

/// The most that a packet carries of a stream: what fits into the packets of Ethernet.
const SEGMENT_OCTETS: usize = 1440;

/// The longest block of secrets, which is less than what Wireshark reads.
const SECRETS_OCTETS: usize = 8 << 20;

/// Bare IP of either version.
const LINK: u16 = 101;

/// Writes connections one after the other; `out` is given small pieces, and is to be buffered.
///
/// # Errors
///
/// What `out` says.
pub fn write(mut out: impl Write, connections: &[Recorded<'_>]) -> io::Result<()> {
    let out = &mut out;
    // Any length: the section goes on to the end of the file.
    let mut section = Vec::new();
    section.extend(0x1a2b_3c4d_u32.to_le_bytes());
    section.extend([1, 0, 0, 0]);
    section.extend((-1_i64).to_le_bytes());
    block(out, SECTION, &[&section])?;
    let mut interface = Vec::new();
    for half in [LINK, 0, 0, 0, IF_TSRESOL, 1, 9, 0, END_OF_OPTIONS, 0] {
        interface.extend(half.to_le_bytes());
    }
    block(out, INTERFACE, &[&interface])?;
    for recorded in connections {
        secrets(out, recorded.key_log)?;
    }
    for recorded in connections {
        Ends::new(recorded).write(out, recorded)?;
    }
    out.flush()
}

/// Key logs, cut between lines.
fn secrets(out: &mut impl Write, mut lines: &[u8]) -> io::Result<()> {
    while !lines.is_empty() {
        let most = lines.get(..SECRETS_OCTETS).unwrap_or(lines);
        let end = if most.len() < lines.len() {
            memchr::memrchr(b'\n', most).map_or(most.len(), |at| at + 1)
        } else {
            lines.len()
        };
        let (part, rest) = lines.split_at(end);
        lines = rest;
        // The lines of the next connection are in a block of their own, but readers may join them.
        let newline: &[u8] = if part.ends_with(b"\n") { b"" } else { b"\n" };
        let length = (part.len() + newline.len()) as u32;
        let head = [TLS_KEY_LOG.to_le_bytes(), length.to_le_bytes()].concat();
        let joined = Zeroizing::new([part, newline].concat());
        block(out, SECRETS, &[&head, &joined])?;
    }
    Ok(())
}

/// A block: its type, its length, its body in parts, and its length again.
fn block(out: &mut impl Write, kind: u32, body: &[&[u8]]) -> io::Result<()> {
    let octets: usize = body.iter().map(|part| part.len()).sum();
    let padded = octets.next_multiple_of(4);
    let length = (padded as u32 + 12).to_le_bytes();
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&length)?;
    for part in body {
        out.write_all(part)?;
    }
    out.write_all([0; 3].get(..padded - octets).unwrap_or_default())?;
    out.write_all(&length)
}

/// The two ends of a connection, and the numbers of their next octets: the client's first.
struct Ends {
    addresses: [SocketAddr; 2],
    next: [u32; 2],
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;

impl Ends {
    fn new(recorded: &Recorded<'_>) -> Self {
        let mut addresses = [recorded.client, recorded.server];
        if addresses.iter().any(SocketAddr::is_ipv6) {
            addresses = addresses.map(|end| {
                let address = match end.ip() {
                    IpAddr::V4(address) => address.to_ipv6_mapped(),
                    IpAddr::V6(address) => address,
                };
                SocketAddr::new(address.into(), end.port())
            });
        }
        Self {
            addresses,
            next: [0; 2],
        }
    }

    fn write(&mut self, out: &mut impl Write, recorded: &Recorded<'_>) -> io::Result<()> {
        let mut at = recorded.said.first().map_or(UNIX_EPOCH, |said| said.at);
        self.packet(out, Side::Client, at, SYN, &[])?;
        self.packet(out, Side::Server, at, SYN | ACK, &[])?;
        self.packet(out, Side::Client, at, ACK, &[])?;
        for said in &recorded.said {
            at = said.at;
            // Numbers are counted round and round.
            let side = said.side as usize;
            self.next[side] = self.next[side].wrapping_add(said.missing as u32);
            for part in said.octets.chunks(SEGMENT_OCTETS) {
                self.packet(out, said.side, at, PSH | ACK, part)?;
            }
        }
        self.packet(out, Side::Client, at, FIN | ACK, &[])?;
        self.packet(out, Side::Server, at, FIN | ACK, &[])?;
        self.packet(out, Side::Client, at, ACK, &[])
    }

    fn packet(
        &mut self,
        out: &mut impl Write,
        side: Side,
        at: SystemTime,
        flags: u8,
        octets: &[u8],
    ) -> io::Result<()> {
        let (from, to) = (side as usize, 1 - side as usize);
        let segment = self.segment(from, to, flags, octets);
        let taken = octets.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.next[from] = self.next[from].wrapping_add(taken);
        let header = header(
            self.addresses[from].ip(),
            self.addresses[to].ip(),
            segment.len(),
        );
        let length = (header.len() + segment.len()) as u32;
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let units = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        let [high, low] = [(units >> 32) as u32, units as u32];
        let head = [0, high, low, length, length]
            .map(u32::to_le_bytes)
            .concat();
        block(out, ENHANCED_PACKET, &[&head, &header, &segment])
    }

    /// RFC 9293, section 3.1.
    fn segment(&self, from: usize, to: usize, flags: u8, octets: &[u8]) -> Vec<u8> {
        const WINDOW: u16 = 0xffff;
        const HEADER_WORDS: u8 = 5;
        let acknowledgement = if flags & ACK == 0 { 0 } else { self.next[to] };
        let mut segment = Vec::with_capacity(20 + octets.len());
        for end in [from, to] {
            segment.extend(self.addresses[end].port().to_be_bytes());
        }
        segment.extend(self.next[from].to_be_bytes());
        segment.extend(acknowledgement.to_be_bytes());
        segment.extend([HEADER_WORDS << 4, flags]);
        segment.extend(WINDOW.to_be_bytes());
        segment.extend([0; 4]);
        segment.extend(octets);
        let length = segment.len() as u32;
        let ends = [from, to].map(|end| match self.addresses[end].ip() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        });
        let pseudo = [&ends.concat()[..], &length.to_be_bytes(), &[0, 0, 0, TCP]].concat();
        let checksum = checksum(&[&pseudo, &segment]);
        if let Some(field) = segment.get_mut(16..18) {
            field.copy_from_slice(&checksum.to_be_bytes());
        }
        segment
    }
}

const TCP: u8 = 6;
const HOPS: u8 = 64;

/// The header of IP (RFC 791, section 3.1; RFC 8200, section 3).
fn header(from: IpAddr, to: IpAddr, octets: usize) -> Vec<u8> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let total = (20 + octets) as u16;
            let [high, low] = total.to_be_bytes();
            let mut header = vec![0x45, 0, high, low, 0, 0, 0x40, 0, HOPS, TCP, 0, 0];
            header.extend(from.octets());
            header.extend(to.octets());
            let checksum = checksum(&[&header]);
            if let Some(field) = header.get_mut(10..12) {
                field.copy_from_slice(&checksum.to_be_bytes());
            }
            header
        }
        (from, to) => {
            let [high, low] = (octets as u16).to_be_bytes();
            let mut header = vec![0x60, 0, 0, 0, high, low, TCP, HOPS];
            for end in [from, to] {
                let address = match end {
                    IpAddr::V4(address) => address.to_ipv6_mapped(),
                    IpAddr::V6(address) => address,
                };
                header.extend(Ipv6Addr::octets(&address));
            }
            header
        }
    }
}

/// The checksum of the internet (RFC 1071); each part but the last has an even number of octets.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for part in parts {
        for pair in part.chunks(2) {
            let low = pair.get(1).copied().unwrap_or_default();
            sum += u32::from(u16::from_be_bytes([pair[0], low]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
