//! What both sides of a TLS connection send, in pieces and with gaps. How it is cut into pieces changes
//! nothing, and what is told of it fits together.
//!
//! Each piece is an octet that says what happens, two of length, and its octets.

#![no_main]

use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use ravelin_lens::connection::{Connection, Limits};
use ravelin_lens::digest::Octets;
use ravelin_lens::knowledge::{Knowledge, Psk};
use ravelin_lens::ledger::Side;
use ravelin_lens::schedule::tls13::PskKind;
use ravelin_lens::story::Story;
use ravelin_lens::tickets::tickets;

const LIMITS: Limits = Limits {
    data_octets: 1000,
    message_octets: 20_000,
    steps: 100,
    records: 100,
    signatures: true,
    keep_bytes: true,
};

/// The shared secret of RFC 8448, section 3, whose connection is among the seeds.
const SHARED: [u8; 32] = [
    0x8b, 0xd4, 0x05, 0x4f, 0xb5, 0x5b, 0x9d, 0x63, 0xfd, 0xfb, 0xac, 0xf9, 0xf0, 0x4b, 0x9f, 0x0d,
    0x35, 0xe6, 0xd6, 0x3f, 0x53, 0x75, 0x63, 0xef, 0xd4, 0x62, 0x72, 0x90, 0x0f, 0x89, 0x49, 0x2d,
];

/// All keys are known, and most are wrong.
struct All;

impl Knowledge for All {
    fn logged(&self, _: &[u8; 32], label: &str) -> Option<Octets> {
        (label == "CLIENT_RANDOM").then(|| Octets::new(SHARED.to_vec()))
    }

    fn shared_secret(&self, _: &[u8]) -> Option<Octets> {
        Some(Octets::new(SHARED.to_vec()))
    }

    fn psk(&self, _: &[u8]) -> Option<Psk> {
        Some(Psk {
            key: Octets::new(SHARED.to_vec()),
            kind: PskKind::Resumption,
        })
    }

    fn main_secret(&self, session: &[u8]) -> Option<Octets> {
        Some(Octets::new(session.to_vec()))
    }

    fn decrypted_premaster(&self, encrypted: &[u8]) -> Option<Octets> {
        Some(Octets::new(encrypted.to_vec()))
    }
}

fuzz_target!(|data: &[u8]| {
    let whole = told(data, usize::MAX);
    let cut = told(data, 1);
    assert_eq!(whole.steps.len(), cut.steps.len());
    assert_eq!(whole.faults, cut.faults);
    assert_eq!(whole.agreement, cut.agreement);
    assert_eq!(whole.checks, cut.checks);
    // Two more where both sides end with what is no record.
    assert!(whole.steps.len() <= LIMITS.steps + 2);
    assert!(whole.records.len() <= LIMITS.records);
    for step in &whole.steps {
        let _ = step.value();
        step.dissect();
        assert!(step.records.start <= step.records.end);
        assert!(step.records.end <= whole.records.len());
        assert!(step.bytes.len() <= LIMITS.message_octets);
    }
    let _ = tickets(&whole);
});

fn told(mut data: &[u8], most: usize) -> Story {
    let now = SystemTime::UNIX_EPOCH;
    let mut connection = Connection::new(All, LIMITS);
    while let Some(([what, high, low], rest)) = data.split_first_chunk() {
        let side = if what & 1 == 0 {
            Side::Client
        } else {
            Side::Server
        };
        let octets = usize::from(u16::from_be_bytes([*high, *low]));
        if *what == 0xfe {
            connection.lost(side, now, octets as u64);
            data = rest;
            continue;
        }
        let (piece, rest) = rest.split_at(octets.min(rest.len()));
        for part in piece.chunks(most) {
            connection.receive(side, now, part);
        }
        data = rest;
    }
    for side in [Side::Client, Side::Server] {
        connection.ended(side, false);
    }
    connection.finish()
}
