//! Octets on their way into rustls and out of it, in pieces: copied so, they take less time than all at once.
//!
//! Where they come from and go to is the business of whoever copies; all of it is meant to be inlined there.

use std::io::{self, IoSlice, Write};
use std::slice::Chunks;

/// Octets in the pieces in which they are copied.
#[inline]
pub fn pieces(octets: &[u8]) -> Chunks<'_, u8> {
    octets.chunks(COPIED_FAST)
}

/// Writes `first` and `rest` to rustls, which copies them into records, full ones but for the last. How many octets
/// that were, which are fewer than all where rustls takes no more now.
///
/// # Errors
///
/// The writer's own.
#[inline]
pub fn write<W: Write>(writer: &mut W, first: &[u8], rest: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut record = [IoSlice::new(&[]); 2 + RECORD / COPIED_FAST];
    let (mut slices, mut length, mut written) = (0, 0, 0);
    for mut left in std::iter::once(first).chain(rest.iter().map(|piece| &**piece)) {
        while !left.is_empty() {
            let (slice, behind) = left.split_at(left.len().min(COPIED_FAST).min(RECORD - length));
            record[slices] = IoSlice::new(slice);
            slices += 1;
            length += slice.len();
            left = behind;
            if length == RECORD || slices == record.len() {
                let n = writer.write_vectored(&record[..slices])?;
                written += n;
                if n < length {
                    return Ok(written);
                }
                (slices, length) = (0, 0);
            }
        }
    }
    if slices > 0 {
        written += writer.write_vectored(&record[..slices])?;
    }
    Ok(written)
}

/// The most that a record holds of plaintext (RFC 8446, section 5.1).
pub const RECORD: usize = 16 << 10;

/// What is copied at once. glibc copies more than 2112 octets by `rep movsb` where the processor promises that to be
/// fast, and Zen 3 breaks its word where the copy begins 1 to 63 octets further into its page than the original, as a
/// record behind its header does: 16 KiB were then copied at 2 GB/s in place of 60, and a 1 GiB download spent 38 % of
/// its server's time in that. Less is copied by vector registers.
const COPIED_FAST: usize = 2048;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What was written, a vector for each call and in it the lengths of the slices; and how much more is taken.
    struct Noting {
        octets: Vec<u8>,
        calls: Vec<Vec<usize>>,
        room: usize,
    }

    impl Noting {
        fn with_room(room: usize) -> Self {
            Self {
                octets: Vec::new(),
                calls: Vec::new(),
                room,
            }
        }
    }

    impl Write for Noting {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(octets)])
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            self.calls
                .push(slices.iter().map(|slice| slice.len()).collect());
            let all: Vec<&[u8]> = slices.iter().map(|slice| &**slice).collect();
            let all = all.concat();
            let taken = all.len().min(self.room);
            self.room -= taken;
            self.octets.extend_from_slice(&all[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn long_plaintext_is_written_in_full_records_of_pieces_that_are_copied_fast() {
        let octets = vec![7; 2 * RECORD + 5000];
        let mut noting = Noting::with_room(usize::MAX);
        assert_eq!(write(&mut noting, &octets, &[]).unwrap(), octets.len());
        let full = vec![COPIED_FAST; 8];
        assert_eq!(noting.calls, [full.clone(), full, vec![2048, 2048, 904]]);
    }

    proptest! {
        /// Whatever comes in whatever pieces, and however much of it is taken.
        #[test]
        fn what_is_written_is_what_there_was_in_its_order(
            lengths in prop::collection::vec(prop_oneof![0_usize..20, 0_usize..40_000], 1..6),
            room in prop_oneof![0_usize..100_000, Just(usize::MAX)],
        ) {
            let all = b"what is not at its place shows".repeat(4000 * lengths.len());
            let all = &all[..lengths.iter().sum()];
            let mut left = all;
            let mut parts = lengths.iter().map(|length| {
                let (part, behind) = left.split_at(*length);
                left = behind;
                part
            });
            let first = parts.next().unwrap();
            let rest: Vec<_> = parts.map(IoSlice::new).collect();
            let mut noting = Noting::with_room(room);
            let written = write(&mut noting, first, &rest).unwrap();
            prop_assert_eq!(written, all.len().min(room));
            prop_assert!(noting.octets == all[..written]);
            for call in &noting.calls {
                prop_assert!(call.iter().all(|length| (1..=COPIED_FAST).contains(length)));
                prop_assert!(call.iter().sum::<usize>() <= RECORD);
            }
        }
    }

    #[test]
    fn pieces_are_all_there_is_and_none_is_copied_slowly() {
        let octets: Vec<u8> = (0..10_000_u32).map(|at| (at / 3) as u8).collect();
        assert_eq!(pieces(&octets).collect::<Vec<_>>().concat(), octets);
        assert!(pieces(&octets).all(|piece| piece.len() <= COPIED_FAST));
        assert_eq!(pieces(&[]).count(), 0);
    }
}
