//! Connections as a capture: each piece that passed is a packet of TCP in IPv4, without a link below.

use ravelin_lens::ledger::Side;

use super::super::{Passed, Recording};

/// The number of the format whose packets begin with IP.
const RAW_IP: u32 = 101;

/// How many octets of TCP one packet carries: IP has 65,535 at most, headers and all.
const MOST_OCTETS: usize = 60_000;

const SERVER_PORT: u16 = 443;

const FIN: u8 = 1;
const SYN: u8 = 2;
const PUSH: u8 = 8;
const ACK: u8 = 16;

/// A capture of connections, one behind the other, in the order in which tshark counts them.
pub(super) fn capture(recordings: &[Recording]) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(0xa1b2_c3d4_u32.to_le_bytes());
    file.extend([2, 0, 4, 0]);
    file.extend([0; 8]);
    file.extend(65_535_u32.to_le_bytes());
    file.extend(RAW_IP.to_le_bytes());
    let ports = 10_000..;
    for (recording, port) in recordings.iter().zip(ports) {
        Conversation::new(port).write(recording, &mut file);
    }
    file
}

/// Where a connection is: the client's number and the server's.
struct Conversation {
    client_port: u16,
    next: [u32; 2],
}

impl Conversation {
    fn new(client_port: u16) -> Self {
        Self {
            client_port,
            next: [1000, 5000],
        }
    }

    fn write(mut self, recording: &Recording, file: &mut Vec<u8>) {
        self.packet(Side::Client, SYN, &[], file);
        self.packet(Side::Server, SYN | ACK, &[], file);
        self.packet(Side::Client, ACK, &[], file);
        for passed in &recording.passed {
            match passed {
                Passed::Octets(side, _, octets) => {
                    for piece in octets.chunks(MOST_OCTETS) {
                        self.packet(*side, PUSH | ACK, piece, file);
                    }
                }
                Passed::End(side) => self.packet(*side, FIN | ACK, &[], file),
            }
        }
    }

    fn packet(&mut self, side: Side, flags: u8, octets: &[u8], file: &mut Vec<u8>) {
        let (server, client) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        let (from, to, ports) = match side {
            Side::Client => (client, server, [self.client_port, SERVER_PORT]),
            Side::Server => (server, client, [SERVER_PORT, self.client_port]),
        };
        let [sent, received] = match side {
            Side::Client => self.next,
            Side::Server => [self.next[1], self.next[0]],
        };
        let length = u16::try_from(40 + octets.len()).expect("fits by its limit");
        let mut packet = vec![0x45, 0];
        packet.extend(length.to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        packet.extend(from);
        packet.extend(to);
        packet.extend(ports.into_iter().flat_map(u16::to_be_bytes));
        packet.extend(sent.to_be_bytes());
        let acknowledged = if flags & ACK == 0 { 0 } else { received };
        packet.extend(acknowledged.to_be_bytes());
        packet.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        packet.extend(octets);
        // Seconds and microseconds, octets that are kept and octets that there were.
        file.extend([0; 8]);
        let kept = u32::from(length).to_le_bytes();
        file.extend(kept);
        file.extend(kept);
        file.extend(&packet);
        let counted = octets.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.next[side as usize] += counted;
    }
}
