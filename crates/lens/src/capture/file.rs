//! Capture files as packets: pcap in both byte orders and resolutions, and pcapng.
//!
//! A file is read once, from front to back, through a buffer that a packet is borrowed from. It is as large
//! as the largest block, which is at most 16 MiB. What the packets hold is [`super::link`]'s business.

use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::time::{Duration, SystemTime};

use super::link::Link;

/// The largest block or packet that is read; Wireshark has the same limit.
pub const MAX_BLOCK_OCTETS: usize = 16 << 20;

/// How many interfaces a section of pcapng may have.
const MAX_INTERFACES: usize = 1 << 16;

const BUFFER_OCTETS: usize = 256 << 10;

/// The header of pcap.
const FILE_HEADER_OCTETS: usize = 24;

/// Why a capture cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// The file cannot be read.
    #[error("the capture cannot be read")]
    Read(#[from] std::io::Error),
    /// The file is something else.
    #[error("this is no capture: a pcap or pcapng file begins otherwise")]
    NoCapture,
    /// The file is compressed.
    #[error("this file is compressed with gzip; it has to be unpacked first")]
    Gzip,
    /// The file ends within a packet, as those do that are still being written.
    #[error("the capture ends within a packet or block, which begins at octet {offset}")]
    Truncated {
        /// Where that begins, in octets from the start of the file.
        offset: u64,
    },
    /// The file says something that cannot be.
    #[error("the capture is damaged at octet {offset}: {what}")]
    Damaged {
        /// Where the packet or block begins, in octets from the start of the file.
        offset: u64,
        /// What cannot be.
        what: Damage,
    },
}

/// What cannot be in a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// A packet or block is longer than any.
    #[error("a packet or block of {0} octets, where 16 MiB are the most")]
    TooLong(u32),
    /// A block is shorter than its fields.
    #[error("a block that is shorter than its fields")]
    TooShort,
    /// The length at the end of a block is not the one at its beginning.
    #[error("a block that says two lengths")]
    Lengths,
    /// A section does not say its byte order.
    #[error("a section without a byte order")]
    ByteOrder,
    /// A version that is not known.
    #[error("a version of the format that is not known, {0}")]
    Version(u16),
    /// A packet of an interface that was not described.
    #[error("a packet of interface {0}, which nothing describes")]
    Interface(u32),
    /// More interfaces than are taken.
    #[error("more than 65,536 interfaces")]
    TooManyInterfaces,
}

/// A capture file that is read.
pub(super) struct File<R> {
    source: R,
    buffer: Vec<u8>,
    /// What has been read into the buffer and not been given.
    unread: Range<usize>,
    /// Where `unread` begins in the file.
    offset: u64,
    format: Format,
    interfaces: Vec<Interface>,
    /// When the last packet was seen, for those that do not say it. In nanoseconds since 1970.
    at: u64,
}

/// What there is in a file.
pub(super) enum Item<'f> {
    Packet(Packet<'f>),
    /// Lines of a key log.
    Secrets(&'f [u8]),
}

/// A packet, as it was on a link.
#[derive(Clone, Copy)]
pub(super) struct Packet<'f> {
    /// When it was seen, in nanoseconds since 1970.
    pub(super) at: u64,
    pub(super) link: Link,
    /// Of it what was captured.
    pub(super) octets: &'f [u8],
}

#[derive(Clone, Copy)]
enum Format {
    Unknown,
    Pcap {
        order: Order,
        /// How many nanoseconds the fraction of a second counts.
        unit: u32,
        link: Link,
    },
    Pcapng {
        order: Order,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Big,
    Little,
}

#[derive(Clone, Copy)]
struct Interface {
    link: Link,
    resolution: Resolution,
    /// Seconds to be added to each time.
    offset: i64,
    /// How much of a packet is captured; all of it where this is 0.
    snap: u32,
}

/// How many units of an interface's clock a second has.
#[derive(Clone, Copy)]
enum Resolution {
    Decimal(u8),
    Binary(u8),
}

/// What a block is, and where in the buffer.
enum Found {
    Packet {
        at: u64,
        link: Link,
        range: Range<usize>,
    },
    Secrets(Range<usize>),
    Nothing,
}

impl<R: Read> File<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            unread: 0..0,
            offset: 0,
            format: Format::Unknown,
            interfaces: Vec::new(),
            at: 0,
        }
    }

    /// The next packet; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Item<'_>>, CaptureError> {
        loop {
            let found = match self.format {
                Format::Unknown => {
                    self.begin()?;
                    continue;
                }
                Format::Pcap { order, unit, link } => self.pcap_packet(order, unit, link)?,
                Format::Pcapng { order } => self.block(order)?,
            };
            match found {
                None => return Ok(None),
                Some(Found::Nothing) => {}
                Some(Found::Packet { at, link, range }) => {
                    let octets = self.buffer.get(range).unwrap_or_default();
                    return Ok(Some(Item::Packet(Packet { at, link, octets })));
                }
                Some(Found::Secrets(range)) => {
                    let octets = self.buffer.get(range).unwrap_or_default();
                    return Ok(Some(Item::Secrets(octets)));
                }
            }
        }
    }

    /// Tells the formats apart by their first octets, and reads the header of pcap.
    fn begin(&mut self) -> Result<(), CaptureError> {
        if !self.fill(4)? {
            return Err(CaptureError::NoCapture);
        }
        let first = self.peek(0);
        let (order, unit) = match first.to_be_bytes() {
            [0xa1, 0xb2, 0xc3, 0xd4] => (Order::Big, 1000),
            [0xd4, 0xc3, 0xb2, 0xa1] => (Order::Little, 1000),
            [0xa1, 0xb2, 0x3c, 0x4d] => (Order::Big, 1),
            [0x4d, 0x3c, 0xb2, 0xa1] => (Order::Little, 1),
            [0x0a, 0x0d, 0x0d, 0x0a] => {
                // The section that comes says the order.
                self.format = Format::Pcapng { order: Order::Big };
                return Ok(());
            }
            [0x1f, 0x8b, ..] => return Err(CaptureError::Gzip),
            _ => return Err(CaptureError::NoCapture),
        };
        if !self.fill(FILE_HEADER_OCTETS)? {
            return Err(self.truncated());
        }
        let major = order.u16(self.bytes(4, 2));
        if major != 2 {
            return Err(self.damaged(Damage::Version(major)));
        }
        // The upper bits say how long the checksum of each frame is; IP knows where it ends.
        let link = Link::of(order.u32(self.bytes(20, 4)) & 0xffff);
        self.format = Format::Pcap { order, unit, link };
        self.take(FILE_HEADER_OCTETS);
        Ok(())
    }

    fn pcap_packet(
        &mut self,
        order: Order,
        unit: u32,
        link: Link,
    ) -> Result<Option<Found>, CaptureError> {
        const HEADER_OCTETS: usize = 16;
        if !self.fill(HEADER_OCTETS)? {
            return self.end();
        }
        let [seconds, fraction, captured] = [0, 4, 8].map(|at| order.u32(self.bytes(at, 4)));
        let octets = HEADER_OCTETS + self.bounded(captured)?;
        if !self.fill(octets)? {
            return Err(self.truncated());
        }
        let nanoseconds = u64::from(fraction) * u64::from(unit);
        let at = u64::from(seconds) * 1_000_000_000 + nanoseconds;
        let start = self.take(octets);
        let range = start + HEADER_OCTETS..start + octets;
        Ok(Some(Found::Packet { at, link, range }))
    }

    /// A block of pcapng (draft-ietf-opsawg-pcapng, section 3.1).
    fn block(&mut self, order: Order) -> Result<Option<Found>, CaptureError> {
        const FRAME_OCTETS: usize = 12;
        if !self.fill(FRAME_OCTETS)? {
            return self.end();
        }
        let mut order = order;
        if self.peek(0) == SECTION {
            order = match self.bytes(8, 4) {
                [0x1a, 0x2b, 0x3c, 0x4d] => Order::Big,
                [0x4d, 0x3c, 0x2b, 0x1a] => Order::Little,
                _ => return Err(self.damaged(Damage::ByteOrder)),
            };
            self.format = Format::Pcapng { order };
            self.interfaces.clear();
        }
        let kind = order.u32(self.bytes(0, 4));
        let length = order.u32(self.bytes(4, 4));
        if (length as usize) < FRAME_OCTETS {
            return Err(self.damaged(Damage::TooShort));
        }
        // Lengths are whole words, and some writers forget to say so.
        let octets = self.bounded(length)?.next_multiple_of(4);
        if !self.fill(octets)? {
            return Err(self.truncated());
        }
        if order.u32(self.bytes(octets - 4, 4)) != length {
            return Err(self.damaged(Damage::Lengths));
        }
        let start = self.unread.start;
        let found = self.body(order, kind, start + 8..start + octets - 4)?;
        self.take(octets);
        Ok(Some(found))
    }

    /// What the body of a block says.
    fn body(&mut self, order: Order, kind: u32, body: Range<usize>) -> Result<Found, CaptureError> {
        let bytes = self.buffer.get(body.clone()).unwrap_or_default();
        let word = |at: usize| bytes.get(at..at + 4).map(|word| order.u32(word));
        let half = |at: usize| bytes.get(at..at + 2).map(|half| order.u16(half));
        let part = |at: usize, octets: u32| {
            let range = body.start + at..body.start + at + octets as usize;
            (range.end <= body.end).then_some(range)
        };
        let found = match kind {
            SECTION => {
                return match half(4) {
                    Some(1) => Ok(Found::Nothing),
                    Some(version) => Err(self.damaged(Damage::Version(version))),
                    None => Err(self.damaged(Damage::TooShort)),
                };
            }
            INTERFACE => {
                let interface = Interface::read(order, bytes);
                if self.interfaces.len() >= MAX_INTERFACES {
                    return Err(self.damaged(Damage::TooManyInterfaces));
                }
                self.interfaces.extend(interface);
                interface.map(|_| Found::Nothing)
            }
            ENHANCED_PACKET | OLD_PACKET => {
                let number = if kind == OLD_PACKET {
                    half(0).map(u32::from)
                } else {
                    word(0)
                };
                match (number, word(4), word(8), word(12)) {
                    (Some(number), Some(high), Some(low), Some(captured)) => {
                        let interface = self.interface(number)?;
                        let units = u64::from(high) << 32 | u64::from(low);
                        part(20, captured).map(|range| Found::Packet {
                            at: interface.nanoseconds(units),
                            link: interface.link,
                            range,
                        })
                    }
                    _ => None,
                }
            }
            SIMPLE_PACKET => match word(0) {
                Some(original) => {
                    let interface = self.interface(0)?;
                    let captured = match interface.snap {
                        0 => original,
                        snap => original.min(snap),
                    };
                    part(4, captured).map(|range| Found::Packet {
                        at: self.at,
                        link: interface.link,
                        range,
                    })
                }
                None => None,
            },
            SECRETS => match (word(0), word(4)) {
                (Some(TLS_KEY_LOG), Some(octets)) => part(8, octets).map(Found::Secrets),
                (Some(_), Some(_)) => Some(Found::Nothing),
                _ => None,
            },
            _ => Some(Found::Nothing),
        };
        if let Some(Found::Packet { at, .. }) = found {
            self.at = at;
        }
        found.ok_or_else(|| self.damaged(Damage::TooShort))
    }

    fn interface(&self, number: u32) -> Result<Interface, CaptureError> {
        let interface = self.interfaces.get(number as usize).copied();
        interface.ok_or_else(|| self.damaged(Damage::Interface(number)))
    }

    fn bounded(&self, octets: u32) -> Result<usize, CaptureError> {
        if octets as usize > MAX_BLOCK_OCTETS {
            return Err(self.damaged(Damage::TooLong(octets)));
        }
        Ok(octets as usize)
    }

    /// Sees to it that so many octets are in the buffer; `false` where the file ends before.
    fn fill(&mut self, octets: usize) -> Result<bool, CaptureError> {
        if self.unread.len() >= octets {
            return Ok(true);
        }
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..self.unread.len();
        if self.buffer.len() < octets.max(BUFFER_OCTETS) {
            self.buffer.resize(octets.max(BUFFER_OCTETS), 0);
        }
        while self.unread.len() < octets {
            let free = self.buffer.get_mut(self.unread.end..).unwrap_or_default();
            match self.source.read(free) {
                Ok(0) => return Ok(false),
                Ok(read) => self.unread.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    fn bytes(&self, at: usize, octets: usize) -> &[u8] {
        let start = self.unread.start + at;
        self.buffer.get(start..start + octets).unwrap_or_default()
    }

    fn peek(&self, at: usize) -> u32 {
        Order::Big.u32(self.bytes(at, 4))
    }

    /// Where in the buffer the octets are that are done with.
    fn take(&mut self, octets: usize) -> usize {
        let start = self.unread.start;
        self.unread.start += octets;
        self.offset += octets as u64;
        start
    }

    /// The end of the file, if it is one.
    fn end(&self) -> Result<Option<Found>, CaptureError> {
        if self.unread.is_empty() {
            Ok(None)
        } else {
            Err(self.truncated())
        }
    }

    fn truncated(&self) -> CaptureError {
        CaptureError::Truncated {
            offset: self.offset,
        }
    }

    fn damaged(&self, what: Damage) -> CaptureError {
        CaptureError::Damaged {
            offset: self.offset,
            what,
        }
    }
}

/// The time of a packet.
pub(super) fn time(nanoseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

impl Interface {
    /// An interface description (section 4.2).
    fn read(order: Order, body: &[u8]) -> Option<Self> {
        let mut interface = Self {
            link: Link::of(u32::from(order.u16(body.get(..2)?))),
            resolution: Resolution::Decimal(6),
            offset: 0,
            snap: order.u32(body.get(4..8)?),
        };
        let mut options = body.get(8..).unwrap_or_default();
        while let Some((header, rest)) = options.split_first_chunk::<4>() {
            let [code, length] = [&header[..2], &header[2..]].map(|half| order.u16(half));
            let length = usize::from(length);
            let Some(value) = rest.get(..length) else {
                break;
            };
            match (code, value) {
                (END_OF_OPTIONS, _) => break,
                (IF_TSRESOL, [base]) if base & 0x80 == 0 => {
                    interface.resolution = Resolution::Decimal(*base);
                }
                (IF_TSRESOL, [base]) => interface.resolution = Resolution::Binary(base & 0x7f),
                (IF_TSOFFSET, value) => {
                    if let Ok(octets) = value.try_into() {
                        interface.offset = match order {
                            Order::Big => i64::from_be_bytes(octets),
                            Order::Little => i64::from_le_bytes(octets),
                        };
                    }
                }
                _ => {}
            }
            options = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Some(interface)
    }

    /// The time that so many units of the clock are, in nanoseconds since 1970.
    fn nanoseconds(&self, units: u64) -> u64 {
        let since = match self.resolution {
            Resolution::Decimal(6) => u128::from(units) * 1000,
            Resolution::Decimal(9) => u128::from(units),
            Resolution::Decimal(places @ ..9) => {
                u128::from(units) * 10_u128.pow(u32::from(9 - places))
            }
            Resolution::Decimal(places) => {
                let divisor = 10_u128.checked_pow(u32::from(places - 9));
                divisor.map_or(0, |divisor| u128::from(units) / divisor)
            }
            Resolution::Binary(places) => {
                let nanoseconds = u128::from(units) * 1_000_000_000;
                nanoseconds.checked_shr(u32::from(places)).unwrap_or(0)
            }
        };
        let offset = i128::from(self.offset) * 1_000_000_000;
        let at = i128::try_from(since)
            .unwrap_or(i128::MAX)
            .saturating_add(offset);
        u64::try_from(at.max(0)).unwrap_or(u64::MAX)
    }
}

impl Order {
    fn u16(self, bytes: &[u8]) -> u16 {
        let bytes = bytes.try_into().unwrap_or_default();
        match self {
            Self::Big => u16::from_be_bytes(bytes),
            Self::Little => u16::from_le_bytes(bytes),
        }
    }

    fn u32(self, bytes: &[u8]) -> u32 {
        let bytes = bytes.try_into().unwrap_or_default();
        match self {
            Self::Big => u32::from_be_bytes(bytes),
            Self::Little => u32::from_le_bytes(bytes),
        }
    }
}

// Types of blocks. That of a section reads the same in both byte orders.
pub(super) const SECTION: u32 = 0x0a0d_0d0a;
pub(super) const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
pub(super) const ENHANCED_PACKET: u32 = 6;
pub(super) const SECRETS: u32 = 10;

/// What the secrets of a block are: lines of a TLS key log.
pub(super) const TLS_KEY_LOG: u32 = 0x544c_534b;

// Options.
pub(super) const END_OF_OPTIONS: u16 = 0;
pub(super) const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
