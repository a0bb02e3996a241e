//! What reading a capture costs before anybody looks into its streams.
//!
//!     cargo bench -p ravelin-lens --bench capture --profile bench-run
//!
//! Each file has 256 MiB and is in memory. `long` is a few connections that carry much, `many` 100,000 that
//! are open at once and take turns, packet by packet.

#![allow(missing_docs, reason = "criterion writes functions")]

use std::hint::black_box;
use std::time::SystemTime;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ravelin_lens::capture::{Capture, Consumer, Limits, Opening, StreamId};
use ravelin_lens::ledger::Side;

const FILE_OCTETS: usize = 256 << 20;
const SEGMENT_OCTETS: usize = 1400;

/// Counts what it hears.
#[derive(Default)]
struct Count {
    octets: u64,
}

impl Consumer for Count {
    fn opened(&mut self, _: StreamId, _: &Opening) {}

    fn data(&mut self, _: StreamId, _: Side, _: SystemTime, octets: &[u8]) {
        self.octets += black_box(octets).len() as u64;
    }
}

/// A capture of so many connections, whose server speaks.
fn file(connections: u32) -> Vec<u8> {
    let mut file = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1]
        .map(u32::to_le_bytes)
        .concat();
    file.reserve(FILE_OCTETS + 2 * SEGMENT_OCTETS);
    let mut packets = 0_u32;
    let mut sequence = 1;
    while file.len() < FILE_OCTETS {
        for connection in 0..connections {
            if file.len() >= FILE_OCTETS {
                break;
            }
            let octets = 54 + SEGMENT_OCTETS as u32;
            let header = [packets / 100_000, packets % 100_000 * 10, octets, octets];
            file.extend(header.map(u32::to_le_bytes).concat());
            file.extend([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]);
            let [high, low] = (octets as u16 - 14).to_be_bytes();
            file.extend([
                0x45, 0, high, low, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10,
            ]);
            let [_, network, upper, lower] = connection.to_be_bytes();
            file.extend([network, upper, lower, 1, 187, 0xc0, 0]);
            file.extend(u32::to_be_bytes(sequence));
            file.extend([0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
            file.extend([packets as u8; SEGMENT_OCTETS]);
            packets += 1;
        }
        sequence += SEGMENT_OCTETS as u32;
    }
    file
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("capture");
    group.sample_size(10);
    for (name, connections) in [("long", 4), ("many", 100_000)] {
        let file = file(connections);
        group.throughput(Throughput::Bytes(file.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut count = Count::default();
                let mut capture = Capture::new(&file[..], Limits::default());
                capture.read(&mut count).expect("the file is good");
                assert_eq!(
                    capture.summary().packets * SEGMENT_OCTETS as u64,
                    count.octets
                );
            });
        });
    }
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
