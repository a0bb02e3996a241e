//! One connection of a capture as a capture of its own, with its secrets, so that Wireshark opens it decrypted.

use std::io::Read;
use std::path::Path;
use std::time::SystemTime;

use ravelin_lens::capture::write::{self, Recorded, Said};
use ravelin_lens::capture::{Capture, Consumer, Limits, Opening, StreamId, Transport};
use ravelin_lens::explain::Language;
use ravelin_lens::keylog;
use ravelin_lens::ledger::{Secrets, Side};
use ravelin_lens::survey::Told;

use crate::failure::Failure;
use crate::words;
use crate::words::inspect::Errors;

/// How many octets of a connection are written.
const MOST_OCTETS: usize = 256 << 20;

/// Reads the capture once more, and writes what the connection said. Its packets are made anew: of a link of any kind
/// comes bare IP, and what came twice or in disorder comes once and in order.
pub(super) fn write(
    file: &Path,
    told: &Told,
    source: impl Read,
    language: Language,
) -> Result<(), Failure> {
    if told.opening.transport != Transport::Tcp {
        return Err(Errors::of(language).quic());
    }
    let mut picked = Picked {
        stream: told.stream,
        said: Vec::new(),
        missing: [0; 2],
        octets: 0,
        is_cut: false,
    };
    // What is wrong with the file was said when it was read before.
    let _ = Capture::new(source, Limits::default()).read(&mut picked);
    let key_log = keylog::lines(&told.story);
    let recorded = Recorded {
        client: told.opening.client,
        server: told.opening.server,
        said: picked.said.iter().map(Piece::said).collect(),
        key_log: &key_log,
    };
    let mut capture = Vec::new();
    write::write(&mut capture, &[recorded]).map_err(|error| Failure::of(&error))?;
    super::write(file, &capture, Secrets::Shown, language)?;
    words::inspect::exported(language, key_log.is_empty(), picked.is_cut);
    Ok(())
}

/// What one connection said.
struct Picked {
    stream: StreamId,
    said: Vec<Piece>,
    /// What is missing before the next octets of each side.
    missing: [u64; 2],
    octets: usize,
    is_cut: bool,
}

struct Piece {
    side: Side,
    at: SystemTime,
    octets: Vec<u8>,
    missing: u64,
}

impl Piece {
    fn said(&self) -> Said<'_> {
        Said {
            side: self.side,
            at: self.at,
            octets: &self.octets,
            missing: self.missing,
        }
    }
}

impl Consumer for Picked {
    fn opened(&mut self, _: StreamId, _: &Opening) {}

    fn data(&mut self, stream: StreamId, side: Side, at: SystemTime, octets: &[u8]) {
        if stream != self.stream || octets.is_empty() || self.is_cut {
            return;
        }
        if self.octets + octets.len() > MOST_OCTETS {
            self.is_cut = true;
            return;
        }
        self.octets += octets.len();
        self.said.push(Piece {
            side,
            at,
            octets: octets.to_vec(),
            missing: std::mem::take(&mut self.missing[side as usize]),
        });
    }

    fn lost(&mut self, stream: StreamId, side: Side, _: SystemTime, octets: u64) {
        if stream == self.stream {
            self.missing[side as usize] += octets;
        }
    }
}
