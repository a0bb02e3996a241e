//! Datagrams of QUIC: the frames of Initial packets, as if they had been opened, and a client's first datagram
//! with others behind it. No more of the hellos is told than there is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ravelin_lens::capture::quic::{Initials, Seen};
use ravelin_lens::ledger::Side;

fuzz_target!(|data: &[u8]| {
    let Some((cuts, rest)) = data.split_first_chunk::<4>() else {
        return;
    };
    let mut rest = rest;
    let mut parts = Vec::new();
    for cut in cuts.chunks(2) {
        let cut = usize::from(u16::from_be_bytes([cut[0], cut[1]])) % (rest.len() + 1);
        let (part, behind) = rest.split_at(cut);
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    let mut told = 0;
    Initials::receive_frames(Side::Server, &parts, |seen| {
        if let Seen::Crypto(octets) = seen {
            told += octets.len();
        }
    });
    assert!(told <= data.len());
    let Some(mut initials) = Initials::begin(parts[0]) else {
        return;
    };
    told = 0;
    for (side, part) in [Side::Client, Side::Server, Side::Client].into_iter().zip(parts) {
        initials.receive(side, &mut part.to_vec(), |seen| {
            if let Seen::Crypto(octets) = seen {
                told += octets.len();
            }
        });
    }
    assert!(told <= data.len());
});
