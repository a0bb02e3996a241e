//! Captures, and how much of them is kept. What is told of a connection is told in order, each octet at most
//! once, and no more of it than there is in the file; plain text before TLS is looked through too.

#![no_main]

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use ravelin_lens::capture::preface::Preface;
use ravelin_lens::capture::{Capture, Closed, Consumer, Limits, Opening, StreamId};
use ravelin_lens::ledger::Side;

#[derive(Default)]
struct Ear {
    open: HashMap<StreamId, (Preface, [bool; 2])>,
    octets: usize,
}

impl Consumer for Ear {
    fn opened(&mut self, stream: StreamId, _: &Opening) {
        assert!(self.open.insert(stream, Default::default()).is_none());
    }

    fn data(&mut self, stream: StreamId, side: Side, _: SystemTime, octets: &[u8]) {
        assert!(!octets.is_empty());
        self.octets += octets.len();
        let (preface, ended) = self.open.get_mut(&stream).expect("it is open");
        assert!(!ended[side as usize]);
        let tls = preface.receive(side, octets);
        assert!(tls.kept.len() <= 10 && tls.octets.len() <= octets.len());
    }

    fn lost(&mut self, stream: StreamId, _: Side, _: SystemTime, octets: u64) {
        assert!(octets > 0 && self.open.contains_key(&stream));
    }

    fn ended(&mut self, stream: StreamId, side: Side, _: SystemTime, _: bool) {
        let (_, ended) = self.open.get_mut(&stream).expect("it is open");
        assert!(!std::mem::replace(&mut ended[side as usize], true));
    }

    fn closed(&mut self, stream: StreamId, _: Closed) {
        assert!(self.open.remove(&stream).is_some());
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(([connections, held, all, idle], file)) = data.split_first_chunk() else {
        return;
    };
    let limits = Limits {
        connections: usize::from(*connections),
        held_octets: usize::from(*held) * 100,
        held_octets_in_all: usize::from(*all) * 200,
        idle: Duration::from_secs(u64::from(*idle)),
    };
    let mut ear = Ear::default();
    let mut capture = Capture::new(file, limits);
    let _ = capture.read(&mut ear);
    assert!(ear.open.is_empty());
    assert!(ear.octets <= file.len());
});
