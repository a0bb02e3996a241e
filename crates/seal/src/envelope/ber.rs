//! BER (X.690, clause 8) read as it comes: elements are entered and left, or taken whole where they are short.
//!
//! What is long, the content of an envelope, is given out in pieces. [`ravelin_pki::der`] reads what was taken whole.

use std::io::{self, BufRead};

use ravelin_pki::ber;
use ravelin_pki::der::Tag;
use zeroize::Zeroizing;

use super::EnvelopeError;

/// Where reading has come to.
pub(super) struct Stream<'r> {
    input: &'r mut dyn BufRead,
    at: u64,
    /// The ends of the elements that were entered; none where the end is marked (8.1.3.6).
    ends: Vec<Option<u64>>,
}

impl<'r> Stream<'r> {
    pub(super) fn new(input: &'r mut dyn BufRead) -> Self {
        Self {
            input,
            at: 0,
            ends: Vec::new(),
        }
    }

    /// Enters the next element, which must be of this tag.
    pub(super) fn enter(&mut self, tag: Tag) -> Result<(), EnvelopeError> {
        match self.header()? {
            (found, length) if found == tag => self.push(length),
            _ => Err(self.damaged()),
        }
    }

    /// Leaves what was entered last, of which nothing may be left.
    pub(super) fn leave(&mut self) -> Result<(), EnvelopeError> {
        let left = self.ends.pop();
        match left {
            Some(Some(end)) if end == self.at => Ok(()),
            Some(None) if self.octet()? == 0 && self.octet()? == 0 => Ok(()),
            _ => Err(self.damaged()),
        }
    }

    /// The tag of the next element; none where there is none more in what was entered last.
    pub(super) fn peek(&mut self) -> Result<Option<Tag>, EnvelopeError> {
        if self.end() == Some(self.at) {
            return Ok(None);
        }
        match self.buffer()?.first().copied() {
            None if self.ends.is_empty() => Ok(None),
            None => Err(self.damaged()),
            // The mark of an end looks like an element of the tag 0.
            Some(0) => Ok(None),
            Some(tag) => Ok(Some(Tag(tag))),
        }
    }

    /// The next element as a whole, in DER.
    pub(super) fn whole(&mut self) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let mut taken = Vec::new();
        self.take(&mut taken, 0)?;
        ber::to_der(&taken).map_err(|_| self.damaged())
    }

    /// The next element as a whole, if it has this tag.
    pub(super) fn optional(&mut self, tag: Tag) -> Result<bool, EnvelopeError> {
        let there = self.peek()? == Some(tag);
        if there {
            self.whole()?;
        }
        Ok(there)
    }

    /// An OCTET STRING under a tag of its own, in one piece or in many, each given to `take` as it comes.
    pub(super) fn pieces(
        &mut self,
        primitive: Tag,
        take: &mut dyn FnMut(&[u8]) -> Result<(), EnvelopeError>,
    ) -> Result<(), EnvelopeError> {
        let (tag, length) = self.header()?;
        if tag == primitive {
            return self.piece(length, take);
        }
        if tag.0 != primitive.0 | 0x20 {
            return Err(self.damaged());
        }
        self.push(length)?;
        while self.peek()?.is_some() {
            match self.header()? {
                (Tag::OCTET_STRING, length) => self.piece(length, take)?,
                _ => return Err(self.damaged()),
            }
        }
        self.leave()
    }

    fn piece(
        &mut self,
        length: Option<u64>,
        take: &mut dyn FnMut(&[u8]) -> Result<(), EnvelopeError>,
    ) -> Result<(), EnvelopeError> {
        let mut left = length.ok_or_else(|| self.damaged())?;
        self.fits(left)?;
        while left > 0 {
            let at = self.at;
            let buffer = self.buffer()?;
            let taken = buffer
                .len()
                .min(usize::try_from(left).unwrap_or(usize::MAX));
            if taken == 0 {
                return Err(EnvelopeError::Damaged { at });
            }
            take(&buffer[..taken])?;
            self.consume(taken);
            left -= taken as u64;
        }
        Ok(())
    }

    fn push(&mut self, length: Option<u64>) -> Result<(), EnvelopeError> {
        if let Some(length) = length {
            self.fits(length)?;
        }
        self.ends.push(length.map(|length| self.at + length));
        Ok(())
    }

    /// Copies the next element.
    fn take(&mut self, taken: &mut Vec<u8>, depth: usize) -> Result<(), EnvelopeError> {
        let (tag, length) = self.header_into(taken)?;
        if depth > MAX_DEPTH || taken.len() as u64 + length.unwrap_or(0) > LONGEST_WHOLE {
            return Err(self.damaged());
        }
        match length {
            Some(length) => self.piece(Some(length), &mut |piece| {
                taken.extend_from_slice(piece);
                Ok(())
            }),
            None if tag.is_constructed() => {
                self.push(None)?;
                while self.peek()?.is_some() {
                    self.take(taken, depth + 1)?;
                }
                taken.extend_from_slice(&[0, 0]);
                self.leave()
            }
            None => Err(self.damaged()),
        }
    }

    fn header(&mut self) -> Result<(Tag, Option<u64>), EnvelopeError> {
        self.header_into(&mut Vec::new())
    }

    /// Reads a tag and a length, and copies both.
    fn header_into(&mut self, taken: &mut Vec<u8>) -> Result<(Tag, Option<u64>), EnvelopeError> {
        let mut octet = |stream: &mut Self| {
            let octet = stream.octet()?;
            taken.push(octet);
            Ok::<u8, EnvelopeError>(octet)
        };
        let tag = octet(self)?;
        let first = octet(self)?;
        if tag & 0x1f == 0x1f {
            return Err(self.damaged());
        }
        let length = match first {
            0x80 => None,
            0..0x80 => Some(u64::from(first)),
            // More than 2^56 octets is nonsense.
            0x88.. => return Err(self.damaged()),
            _ => {
                let mut length = 0;
                for _ in 0..first & 0x7f {
                    length = length << 8 | u64::from(octet(self)?);
                }
                Some(length)
            }
        };
        Ok((Tag(tag), length))
    }

    fn octet(&mut self) -> Result<u8, EnvelopeError> {
        self.fits(1)?;
        match self.buffer()?.first().copied() {
            Some(octet) => {
                self.consume(1);
                Ok(octet)
            }
            None => Err(self.damaged()),
        }
    }

    /// Where the element ends that was entered last, if that is known.
    fn end(&self) -> Option<u64> {
        match self.ends.last() {
            Some(Some(end)) => Some(*end),
            _ => None,
        }
    }

    fn fits(&self, octets: u64) -> Result<(), EnvelopeError> {
        let end = self.ends.iter().rev().find_map(|end| *end);
        match end {
            Some(end) if self.at + octets > end => Err(self.damaged()),
            _ => Ok(()),
        }
    }

    /// What comes next, as much of it as is there; nothing at the end of the file.
    fn buffer(&mut self) -> Result<&[u8], EnvelopeError> {
        loop {
            match self.input.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Base64 that is none.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    return Err(self.damaged());
                }
                Err(error) => return Err(EnvelopeError::Read(error)),
            }
        }
        self.input.fill_buf().map_err(EnvelopeError::Read)
    }

    fn consume(&mut self, octets: usize) {
        self.input.consume(octets);
        self.at += octets as u64;
    }

    pub(super) fn damaged(&self) -> EnvelopeError {
        EnvelopeError::Damaged { at: self.at }
    }
}

/// How deep what is taken whole may be nested.
const MAX_DEPTH: usize = 16;

/// How long it may be: ten thousand recipients take less.
const LONGEST_WHOLE: u64 = 8 << 20;
