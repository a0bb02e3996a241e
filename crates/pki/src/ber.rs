//! BER (ITU-T X.690, clause 8) made into DER's lengths and strings, so that `der` can read it.
//!
//! Windows, NSS and Bouncy Castle write keystores and PKCS#7 with lengths in the indefinite form and
//! strings in pieces. What DER asks beyond that, the order of a SET for example, is left as it stands.

use zeroize::Zeroizing;

use crate::der::{DerError, DerProblem, Tag, Writer};

/// Writes `bytes`, which must be one element, with definite lengths, each as short as can be, and each
/// OCTET STRING in one piece. DER comes out as it went in. Nothing of it is left in freed memory but
/// by the buffer's growth, since there may be keys in it.
///
/// ```
/// use ravelin_pki::ber;
///
/// let pieces = [0x24, 0x80, 4, 1, b'a', 4, 1, b'b', 0, 0];
/// assert_eq!(*ber::to_der(&pieces)?, [4, 2, b'a', b'b']);
/// # Ok::<(), ravelin_pki::der::DerError>(())
/// ```
pub fn to_der(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, DerError> {
    // No element grows by more than two octets and an element takes two at least; nearly all files
    // are DER already and do not grow at all.
    let mut writer = Writer::with_capacity(bytes.len() + 16);
    let mut input = Input { bytes, at: 0 };
    let written = input.element(&mut writer, 0);
    let der = Zeroizing::new(writer.into_bytes());
    written?;
    match input.bytes.len() {
        0 => Ok(der),
        octets => Err(DerProblem::Trailing { octets }.at(input.at)),
    }
}

/// What follows behind the header of the SEQUENCE that a file begins with, to tell formats apart by
/// their first bytes. The file may be cut off.
pub(crate) fn first_content(file: &[u8]) -> Option<&[u8]> {
    match file {
        [0x30, first @ ..=0x80, rest @ ..] if *first != 0 => Some(rest),
        [0x30, first, rest @ ..] => rest.get(usize::from(first & 0x7f)..),
        _ => None,
    }
}

/// What is still to be read, and where it begins in the whole.
struct Input<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Input<'b> {
    /// Copies the next element.
    fn element(&mut self, writer: &mut Writer, depth: usize) -> Result<(), DerError> {
        let start = self.at;
        let (tag, length) = self.header()?;
        if depth > MAX_DEPTH {
            return Err(DerProblem::TooDeep.at(start));
        }
        if !tag.is_constructed() {
            let Some(length) = length else {
                return Err(DerProblem::Indefinite.at(start));
            };
            let content = self.take(length, start)?;
            writer.primitive(tag, content);
            return Ok(());
        }
        let mut copied = Ok(());
        if tag == PIECES {
            writer.constructed(Tag::OCTET_STRING, |w| {
                copied = self.within(length, start, |input| input.piece(w, depth + 1));
            });
        } else {
            writer.constructed(tag, |w| {
                copied = self.within(length, start, |input| input.element(w, depth + 1));
            });
        }
        copied
    }

    /// Copies the content of the next piece of an OCTET STRING.
    fn piece(&mut self, writer: &mut Writer, depth: usize) -> Result<(), DerError> {
        let start = self.at;
        let (tag, length) = self.header()?;
        if depth > MAX_DEPTH {
            return Err(DerProblem::TooDeep.at(start));
        }
        match (tag, length) {
            (Tag::OCTET_STRING, Some(length)) => {
                writer.raw(self.take(length, start)?);
                Ok(())
            }
            (PIECES, length) => self.within(length, start, |input| input.piece(writer, depth + 1)),
            (Tag::OCTET_STRING, None) => Err(DerProblem::Indefinite.at(start)),
            (found, _) => {
                let expected = Tag::OCTET_STRING;
                Err(DerProblem::Unexpected { expected, found }.at(start))
            }
        }
    }

    /// Does `each` for all elements of a constructed one: as many octets as it has, or up to the end
    /// of contents.
    fn within(
        &mut self,
        length: Option<usize>,
        start: usize,
        mut each: impl FnMut(&mut Self) -> Result<(), DerError>,
    ) -> Result<(), DerError> {
        let Some(length) = length else {
            while !self.bytes.starts_with(&[0, 0]) {
                if self.bytes.is_empty() {
                    return Err(DerProblem::Truncated.at(start));
                }
                each(self)?;
            }
            self.take(2, start)?;
            return Ok(());
        };
        let at = self.at;
        let bytes = self.take(length, start)?;
        let mut inner = Input { bytes, at };
        while !inner.bytes.is_empty() {
            each(&mut inner)?;
        }
        Ok(())
    }

    fn take(&mut self, octets: usize, start: usize) -> Result<&'b [u8], DerError> {
        let left = self.bytes.len();
        if octets > left {
            let claimed = octets;
            return Err(DerProblem::TooLong { claimed, left }.at(start));
        }
        let (taken, rest) = self.bytes.split_at(octets);
        self.bytes = rest;
        self.at += octets;
        Ok(taken)
    }

    /// Reads tag and length; no length is the indefinite form.
    fn header(&mut self) -> Result<(Tag, Option<usize>), DerError> {
        let start = self.at;
        let truncated = || DerProblem::Truncated.at(start);
        let &[tag, first] = self.bytes.first_chunk().ok_or_else(truncated)?;
        if tag & 0x1f == 0x1f {
            return Err(DerProblem::Unsupported.at(start));
        }
        self.take(2, start)?;
        let length = match first {
            0..=0x7f => Some(usize::from(first)),
            0x80 => None,
            // Reserved (X.690, 8.1.3.5).
            0xff => return Err(DerProblem::Unsupported.at(start)),
            _ => {
                let count = usize::from(first & 0x7f);
                let octets = self.bytes.get(..count).ok_or_else(truncated)?;
                self.take(count, start)?;
                let zeros = octets.iter().take_while(|octet| **octet == 0).count();
                let octets = &octets[zeros..];
                if octets.len() > 4 {
                    return Err(DerProblem::Unsupported.at(start));
                }
                let length = octets
                    .iter()
                    .fold(0, |length, octet| length << 8 | usize::from(*octet));
                Some(length)
            }
        };
        Ok((Tag(tag), length))
    }
}

/// An OCTET STRING in pieces (X.690, 8.7.3).
const PIECES: Tag = Tag(0x24);

/// A PKCS#12 file is nested about ten deep, and pieces of strings one or two.
const MAX_DEPTH: usize = 40;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn der(bytes: &[u8]) -> Vec<u8> {
        to_der(bytes).unwrap().to_vec()
    }

    fn problem(bytes: &[u8]) -> DerProblem {
        to_der(bytes).unwrap_err().problem
    }

    #[test]
    fn indefinite_and_long_lengths_and_pieces_become_der() {
        assert_eq!(der(&[0x30, 0x80, 5, 0, 0, 0]), [0x30, 2, 5, 0]);
        assert_eq!(der(&[0x30, 0x81, 2, 5, 0]), [0x30, 2, 5, 0]);
        assert_eq!(der(&[0x30, 0x83, 0, 0, 2, 5, 0]), [0x30, 2, 5, 0]);
        let pieces = [0x24, 0x80, 4, 1, 7, 0x24, 3, 4, 1, 8, 4, 1, 9, 0, 0];
        assert_eq!(der(&pieces), [4, 3, 7, 8, 9]);
        // Two zeros within a primitive element end nothing.
        assert_eq!(der(&[0x30, 0x80, 4, 2, 0, 0, 0, 0]), [0x30, 4, 4, 2, 0, 0]);
    }

    #[test]
    fn what_is_no_ber_is_refused_by_name() {
        assert_eq!(problem(&[]), DerProblem::Truncated);
        assert_eq!(problem(&[0x30, 0x80]), DerProblem::Truncated);
        assert_eq!(problem(&[0x30, 0x80, 0]), DerProblem::Truncated);
        assert_eq!(problem(&[4, 0x80, 0, 0]), DerProblem::Indefinite);
        assert_eq!(
            problem(&[0x24, 2, 5, 0]),
            DerProblem::Unexpected {
                expected: Tag::OCTET_STRING,
                found: Tag::NULL
            }
        );
        assert_eq!(problem(&[5, 0, 0]), DerProblem::Trailing { octets: 1 });
        assert_eq!(problem(&[0x30, 0x80].repeat(1000)), DerProblem::TooDeep);
        assert_eq!(problem(&[0x24, 0x80].repeat(1000)), DerProblem::TooDeep);
    }

    proptest! {
        #[test]
        fn what_comes_out_is_left_as_it_is(bytes in proptest::collection::vec(
            prop_oneof![Just(0x30), Just(0x24), Just(4), Just(0x80), Just(0), 0..8_u8], 0..40,
        )) {
            if let Ok(once) = to_der(&bytes) {
                prop_assert_eq!(to_der(&once), Ok(once));
            }
        }
    }
}
