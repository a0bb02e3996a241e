//! One direction of a stream put in order: pieces come in any order, overlap, come twice or never.
//!
//! Where pieces overlap, the one that came first is right. What follows a hole is held until the hole is
//! filled or given up; whoever feeds it bounds what is held.

use std::collections::BTreeMap;

/// What it costs to hold a piece, besides its octets. Without it, many short ones would be cheap.
const PIECE_OCTETS: usize = 96;

/// What has come of a stream, and is not in order yet.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    /// How many octets are in order: where the next begins.
    next: u64,
    /// What is held, by where it begins. No two overlap.
    pieces: BTreeMap<u64, Piece>,
    /// What that costs.
    held: usize,
}

/// A piece that is held.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) octets: Vec<u8>,
    /// How many more follow it that were on the link, and not captured.
    pub(super) missing: u32,
    /// When it was seen.
    pub(super) at: u64,
    /// How much of the other direction its sender had.
    pub(super) acknowledged: u64,
}

impl Piece {
    fn end(&self, start: u64) -> u64 {
        start + self.octets.len() as u64 + u64::from(self.missing)
    }

    fn cost(&self) -> usize {
        PIECE_OCTETS + self.octets.len()
    }
}

impl Assembly {
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// What is held, in octets of memory.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    pub(super) fn is_holding(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// Lets go of all that is held.
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.held = 0;
    }

    /// So many octets are in order, or are given up.
    pub(super) fn advance(&mut self, octets: u64) {
        self.next += octets;
    }

    /// Where the first piece begins that is held.
    pub(super) fn first(&self) -> Option<u64> {
        self.pieces.keys().next().copied()
    }

    /// The piece that is next.
    pub(super) fn front(&self) -> Option<&Piece> {
        let (start, piece) = self.pieces.first_key_value()?;
        (*start <= self.next).then_some(piece)
    }

    /// The piece that is next, which is held no more. It does not count as in order yet.
    pub(super) fn pop(&mut self) -> Option<Piece> {
        self.front()?;
        let (start, mut piece) = self.pieces.pop_first()?;
        self.held -= piece.cost();
        // Pieces are cut when they come, so that this is only after a hole was given up in a piece.
        let seen = (self.next - start).min(piece.octets.len() as u64);
        piece.octets.drain(..seen as usize);
        Some(piece)
    }

    /// Holds what is new of a piece. Where the first octet is that differs from one that came before.
    pub(super) fn hold(&mut self, start: u64, octets: &[u8], like: &Piece) -> Option<u64> {
        let end = start + octets.len() as u64 + u64::from(like.missing);
        let mut at = start.max(self.next);
        let mut differs = None;
        if at >= end {
            return None;
        }
        // The piece before may reach into this one.
        let before = self.pieces.range(..at).next_back();
        let from = before.map_or(at, |(start, _)| *start);
        let mut gaps = Vec::new();
        for (&held_start, held) in self.pieces.range(from..end) {
            let held_end = held.end(held_start);
            if held_end <= at {
                continue;
            }
            if held_start > at {
                gaps.push(at..held_start);
            }
            differs = differs.or_else(|| difference(start, octets, held_start, &held.octets));
            at = held_end;
        }
        if at < end {
            gaps.push(at..end);
        }
        for gap in gaps {
            let [from, to] = [gap.start, gap.end].map(|at| (at - start) as usize);
            let part = octets.get(from.min(octets.len())..to.min(octets.len()));
            let part = part.unwrap_or_default().to_vec();
            let missing = (to - from - part.len()) as u32;
            let piece = Piece {
                missing,
                octets: part,
                ..*like
            };
            self.held += piece.cost();
            self.pieces.insert(gap.start, piece);
        }
        differs
    }
}

/// Where two pieces differ first, of what both have.
fn difference(start: u64, octets: &[u8], other_start: u64, other: &[u8]) -> Option<u64> {
    let from = start.max(other_start);
    let rest = |start: u64, octets: &'_ [u8]| {
        let skipped = usize::try_from(from - start).unwrap_or(usize::MAX);
        octets.len().min(skipped)..octets.len()
    };
    let octets = octets.get(rest(start, octets))?;
    let other = other.get(rest(other_start, other))?;
    let at = octets
        .iter()
        .zip(other)
        .position(|(one, other)| one != other)?;
    Some(from + at as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assemble(pieces: &[(u64, &str)]) -> (String, Vec<u64>) {
        let mut assembly = Assembly::default();
        let mut text = Vec::new();
        let mut differences = Vec::new();
        for (start, piece) in pieces {
            let like = Piece::default();
            differences.extend(assembly.hold(*start, piece.as_bytes(), &like));
            while let Some(piece) = assembly.pop() {
                assembly.advance(piece.octets.len() as u64);
                text.extend(piece.octets);
            }
        }
        if assembly.pieces.is_empty() {
            assert_eq!(assembly.held(), 0);
        }
        (String::from_utf8(text).expect("text"), differences)
    }

    #[test]
    fn pieces_come_in_any_order_and_twice() {
        let pieces = [(3, "def"), (6, "ghi"), (3, "def"), (0, "abc"), (0, "abc")];
        assert_eq!(assemble(&pieces), ("abcdefghi".into(), vec![]));
    }

    #[test]
    fn what_came_first_is_right_and_what_differs_is_told() {
        let pieces = [(2, "cd"), (6, "gh"), (1, "bXdefgY"), (0, "a"), (8, "i")];
        assert_eq!(assemble(&pieces), ("abcdefghi".into(), vec![2]));
    }

    #[test]
    fn a_long_piece_fills_holes_around_short_ones() {
        let pieces = [(1, "b"), (3, "d"), (5, "f"), (0, "abcdefg")];
        assert_eq!(assemble(&pieces), ("abcdefg".into(), vec![]));
    }
}
