//! Writes a capture of many TLS connections and the key log of all of them, for `bench/inspect`.
//!
//! Both ends are rustls, in memory. Their octets are put into packets by this program alone, so that what
//! reads the capture is not measured with what the same hands wrote.

mod ends;
mod packets;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Parser;

use ends::{Ends, Kind};
use packets::{Capture, Flow};

/// Write a capture of many TLS connections and their key log
#[derive(Debug, Parser)]
struct Arguments {
    /// The capture, in pcap
    #[arg(long, value_name = "FILE")]
    capture: PathBuf,
    /// The key log
    #[arg(long, value_name = "FILE")]
    keylog: PathBuf,
    /// The root of the servers' certificates, in PEM
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// How many connections
    #[arg(long, default_value_t = 100_000)]
    connections: u32,
    /// How many octets the capture has in all
    #[arg(long, default_value_t = 1 << 30)]
    octets: u64,
    /// How many connections are open at a time
    #[arg(long, default_value_t = 64)]
    open: usize,
}

/// Of ten connections, what each is: most of what a server sees is TLS 1.3, and much of it resumed.
const KINDS: [Kind; 10] = [
    Kind::Tls13,
    Kind::Tls13,
    Kind::Resumed,
    Kind::Tls13,
    Kind::Tls12,
    Kind::Tls13,
    Kind::Resumed,
    Kind::Tls13,
    Kind::Tls12,
    Kind::Tls13,
];

/// What packets, acknowledgements and records add to each connection's data, about.
const OVERHEAD: u64 = 2830;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let keylog = BufWriter::new(File::create(&arguments.keylog)?);
    let mut ends = Ends::new(keylog)?;
    fs::write(&arguments.root, ends.root())?;
    let mut capture = Capture::begin(BufWriter::with_capacity(
        1 << 20,
        File::create(&arguments.capture)?,
    ))?;
    let each = arguments.octets / u64::from(arguments.connections.max(1));
    let response = vec![b'x'; usize::try_from(each.saturating_sub(OVERHEAD).max(1))?];

    let mut open: Vec<Flow> = Vec::with_capacity(arguments.open);
    let mut next = 0;
    while next < arguments.connections || !open.is_empty() {
        while open.len() < arguments.open && next < arguments.connections {
            let kind = KINDS[next as usize % KINDS.len()];
            open.push(Flow::new(next, ends.talk(kind, &response)?));
            next += 1;
        }
        // One turn of each, so that they lie between each other.
        let mut still = Vec::with_capacity(open.len());
        for mut flow in open.drain(..) {
            if flow.step(&mut capture)? {
                still.push(flow);
            }
        }
        open = still;
    }
    ends.finish()?;
    capture.finish()?;
    let mut out = io::stdout().lock();
    writeln!(out, "{next} connections")?;
    Ok(())
}
