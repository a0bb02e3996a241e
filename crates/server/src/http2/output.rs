//! What waits to be written: frames in one buffer, and between them large payloads that are not
//! copied.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::Bytes;

/// Payloads from this size on are passed on as they are.
const SHARED: usize = 4096;

/// So much waits at most before those who produce have to: enough for TLS records to be full and
/// for one write to carry many small responses, and still small.
const FULL: usize = 64 * 1024;

/// Pieces that one write takes.
pub(super) const PIECES: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Output {
    buffer: Vec<u8>,
    /// How much of the buffer is written.
    written: usize,
    /// Payloads, each with its place in the buffer.
    shared: VecDeque<(usize, Bytes)>,
    shared_bytes: usize,
}

impl Output {
    /// The buffer, to add whole frames to.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Adds a frame's payload, or a part of it.
    pub(super) fn push(&mut self, payload: Bytes) {
        if payload.len() < SHARED {
            self.buffer.extend_from_slice(&payload);
        } else {
            self.shared_bytes += payload.len();
            self.shared.push_back((self.buffer.len(), payload));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.buffer.len() - self.written + self.shared_bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether nothing more should be added before some of it is written.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= FULL
    }

    /// What is to be written next: the first `PIECES` pieces at most.
    pub(super) fn pieces(&self) -> ([IoSlice<'_>; PIECES], usize) {
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut n = 0;
        let mut at = self.written;
        for (place, payload) in &self.shared {
            if at < *place && n < PIECES {
                pieces[n] = IoSlice::new(&self.buffer[at..*place]);
                at = *place;
                n += 1;
            }
            if n == PIECES {
                return (pieces, n);
            }
            pieces[n] = IoSlice::new(payload);
            n += 1;
        }
        if n < PIECES && at < self.buffer.len() {
            pieces[n] = IoSlice::new(&self.buffer[at..]);
            n += 1;
        }
        (pieces, n)
    }

    /// Takes note that `n` bytes were written.
    pub(super) fn advance(&mut self, mut n: usize) {
        while let Some((place, payload)) = self.shared.front_mut() {
            let before = n.min(*place - self.written);
            self.written += before;
            n -= before;
            if n < payload.len() || self.written < *place {
                let _ = payload.split_to(n);
                self.shared_bytes -= n;
                n = 0;
                break;
            }
            n -= payload.len();
            self.shared_bytes -= payload.len();
            self.shared.pop_front();
        }
        self.written += n;
        // Not only when all is written: to a client that reads slowly that never happens, and the
        // buffer would hold whatever the connection has ever said. By halves, so that no byte is
        // moved more than once on average.
        if self.written >= self.buffer.len() / 2 {
            self.buffer.drain(..self.written);
            for (place, _) in &mut self.shared {
                *place -= self.written;
            }
            self.written = 0;
        }
    }

    /// Gives memory back that nothing waits in.
    pub(super) fn shrink(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_out_in_the_order_in_which_they_went_in() {
        let large = Bytes::from(vec![b'x'; SHARED]);
        for step in [1, 7, 100, SHARED, SHARED + 4, 1 << 20] {
            let mut output = Output::default();
            let mut expected = Vec::new();
            for n in 0..12_u8 {
                let small = vec![n; usize::from(n % 3)];
                output.buffer().extend_from_slice(&small);
                expected.extend_from_slice(&small);
                if n % 4 != 0 {
                    output.push(large.clone());
                    expected.extend_from_slice(&large);
                }
            }
            assert_eq!(output.len(), expected.len());
            let mut seen = Vec::new();
            while !output.is_empty() {
                let (pieces, n) = output.pieces();
                let flat: Vec<u8> = pieces[..n].iter().flat_map(|p| p.iter().copied()).collect();
                let taken = step.min(flat.len());
                seen.extend_from_slice(&flat[..taken]);
                output.advance(taken);
            }
            assert!(seen == expected, "step {step}");
        }
    }
    #[test]
    fn what_is_written_is_forgotten_even_if_something_always_waits() {
        let large = Bytes::from(vec![b'x'; SHARED]);
        let mut output = Output::default();
        for _ in 0..1000 {
            while !output.is_full() {
                output.buffer().extend_from_slice(&[0; 1000]);
                output.push(large.clone());
            }
            let (pieces, n) = output.pieces();
            let length: usize = pieces[..n].iter().map(|piece| piece.len()).sum();
            output.advance(length / 2);
            assert!(!output.is_empty());
        }
        assert!(output.buffer.len() <= 2 * FULL, "{}", output.buffer.len());
    }
}
