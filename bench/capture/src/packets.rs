//! Octets of connections as packets of a pcap file: Ethernet, IPv4, TCP.

use std::io::{self, Write};

use crate::ends::Flight;

/// The most octets of TCP in a packet: what Ethernet takes, less the headers and time stamps.
const SEGMENT: usize = 1448;

/// How many segments a side sends before the other acknowledges them.
const WINDOW: usize = 10;

const FIN: u8 = 1;
const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// A capture that is being written.
pub(crate) struct Capture<W> {
    out: W,
    /// Microseconds since 1970.
    clock: u64,
}

impl<W: Write> Capture<W> {
    pub(crate) fn begin(mut out: W) -> io::Result<Self> {
        const ETHERNET: u32 = 1;
        out.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?;
        out.write_all(&[2, 0, 4, 0])?;
        out.write_all(&[0; 8])?;
        out.write_all(&u32::from(u16::MAX).to_le_bytes())?;
        out.write_all(&ETHERNET.to_le_bytes())?;
        Ok(Self {
            out,
            clock: 1_700_000_000_000_000,
        })
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn packet(&mut self, headers: &[u8], payload: &[u8]) -> io::Result<()> {
        self.clock += 7;
        let length = (headers.len() + payload.len()) as u32;
        for number in [
            (self.clock / 1_000_000) as u32,
            (self.clock % 1_000_000) as u32,
            length,
            length,
        ] {
            self.out.write_all(&number.to_le_bytes())?;
        }
        self.out.write_all(headers)?;
        self.out.write_all(payload)
    }
}

/// A connection on its way into the capture.
pub(crate) struct Flow {
    client: ([u8; 4], u16),
    server: ([u8; 4], u16),
    /// What each side sends next: the server's first.
    sequence: [u32; 2],
    flights: std::vec::IntoIter<Flight>,
    begun: bool,
}

impl Flow {
    pub(crate) fn new(number: u32, flights: Vec<Flight>) -> Self {
        let [a, b, c, _] = (number / 50_000 + 1).to_be_bytes();
        Self {
            client: ([10, a, b, c | 1], 10_000 + (number % 50_000) as u16),
            server: ([192, 0, 2, 1], 443),
            sequence: [
                number.wrapping_mul(2_654_435_761),
                number.wrapping_mul(40_503),
            ],
            flights: flights.into_iter(),
            begun: false,
        }
    }

    /// Writes the next of it; whether there is more.
    pub(crate) fn step<W: Write>(&mut self, capture: &mut Capture<W>) -> io::Result<bool> {
        if !self.begun {
            self.begun = true;
            self.send(capture, true, SYN, &[])?;
            self.send(capture, false, SYN | ACK, &[])?;
            self.send(capture, true, ACK, &[])?;
            return Ok(true);
        }
        let Some((by_client, octets)) = self.flights.next() else {
            self.send(capture, false, FIN | ACK, &[])?;
            self.send(capture, true, FIN | ACK, &[])?;
            self.send(capture, false, ACK, &[])?;
            return Ok(false);
        };
        for window in octets.chunks(SEGMENT * WINDOW) {
            for segment in window.chunks(SEGMENT) {
                self.send(capture, by_client, PSH | ACK, segment)?;
            }
            self.send(capture, !by_client, ACK, &[])?;
        }
        Ok(true)
    }

    fn send<W: Write>(
        &mut self,
        capture: &mut Capture<W>,
        by_client: bool,
        flags: u8,
        payload: &[u8],
    ) -> io::Result<()> {
        let (from, to) = if by_client {
            (self.client, self.server)
        } else {
            (self.server, self.client)
        };
        let sequence = self.sequence[usize::from(by_client)];
        let acknowledged = if flags & ACK == 0 {
            0
        } else {
            self.sequence[usize::from(!by_client)]
        };
        let takes = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.sequence[usize::from(by_client)] = sequence.wrapping_add(takes);
        let headers = [
            // Ethernet: two addresses, and that IPv4 follows.
            &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0][..],
            // IPv4: version and length, length of all, no fragment, 64 hops, TCP. Readers do not look at the
            // sums, which network cards make after a capture is taken.
            &[0x45, 0],
            &(40 + payload.len() as u16).to_be_bytes(),
            &[0, 0, 0x40, 0, 64, 6, 0, 0],
            &from.0,
            &to.0,
            // TCP.
            &from.1.to_be_bytes(),
            &to.1.to_be_bytes(),
            &sequence.to_be_bytes(),
            &acknowledged.to_be_bytes(),
            &[0x50, flags],
            &u16::MAX.to_be_bytes(),
            &[0; 4],
        ]
        .concat();
        capture.packet(&headers, payload)
    }
}
