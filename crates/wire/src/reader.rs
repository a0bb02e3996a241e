//! Takes bytes apart, front to back, and tells a [`Trace`] what each of them is.
//!
//! Whoever describes a message with a [`Reader`] gets both from one description: the value, and the
//! tree of named byte ranges. Lengths are checked before anything is read by them, and what a length
//! encloses has to be used up.

use std::ops::Range;

use crate::registry::{CodePoint, Registry};

/// Reads bytes, one field after the other.
#[derive(Debug)]
pub struct Reader<'b, T> {
    /// What is left of the innermost enclosing length.
    left: &'b [u8],
    /// Where `left` begins, in octets from the beginning of what the reader was given.
    at: usize,
    trace: T,
    /// The error that the trace knows of: it is said where it arose, and not of what encloses it.
    told: Option<DecodeError>,
}

/// Is told what a [`Reader`] reads.
pub trait Trace {
    /// What follows, until [`Trace::close`], is part of `name`, which begins at `at`.
    fn open(&mut self, name: &'static str, at: usize);
    /// The octets of `range` are `name` and mean `meaning`.
    fn leaf(&mut self, name: &'static str, range: Range<usize>, meaning: Meaning);
    /// What was opened last ends at `at`.
    fn close(&mut self, at: usize);
    /// What was opened last is this code point: an extension's type, say.
    fn label(&mut self, code: Code);
}

/// Nothing is told, and nothing is paid.
impl Trace for () {
    #[inline]
    fn open(&mut self, _: &'static str, _: usize) {}
    #[inline]
    fn leaf(&mut self, _: &'static str, _: Range<usize>, _: Meaning) {}
    #[inline]
    fn close(&mut self, _: usize) {}
    #[inline]
    fn label(&mut self, _: Code) {}
}

/// What the octets of a field mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// How many octets follow that belong together.
    Length(usize),
    /// A number.
    Number(u64),
    /// A code point of a registry.
    Code(Code),
    /// Text: a host's name, a protocol's.
    Text,
    /// Octets that mean something to another layer, or nothing at all.
    Opaque,
    /// Octets that the description of the message has no place for, and why.
    Wrong(DecodeError),
    /// Octets that were not looked at, since something before them is wrong.
    Unread,
}

/// A number of a registry, without the type of the registry.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// The registry.
    pub registry: &'static Registry,
    /// The number.
    pub code: u64,
}

/// What is wrong with the bytes, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("\"{field}\" at octet {at}: {problem}")]
pub struct DecodeError {
    /// Where the field begins, in octets from the beginning of what the reader was given.
    pub at: usize,
    /// The field, as the RFC calls it.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The field does not fit into what is left.
    #[error("takes {needed} octets, and {left} are left")]
    Truncated {
        /// How many octets it takes.
        needed: usize,
        /// How many are left.
        left: usize,
    },
    /// A length says more than what is left.
    #[error("says that {length} octets follow, and {left} do")]
    TooLong {
        /// What the length says.
        length: usize,
        /// How many octets are left.
        left: usize,
    },
    /// Octets are left over where everything has been read.
    #[error("has {left} octets after its end")]
    Trailing {
        /// How many.
        left: usize,
    },
    /// A list of things of equal size does not end where one of them does.
    #[error("has {length} octets, which is no multiple of {item}")]
    Uneven {
        /// How many octets the list has.
        length: usize,
        /// How many one thing has.
        item: usize,
    },
    /// It must not be empty.
    #[error("is empty, which it must not be")]
    Empty,
    /// It is shorter or longer than it may be.
    #[error("has {length} octets, where {least} to {most} are allowed")]
    Size {
        /// How many it has.
        length: usize,
        /// The fewest that are allowed.
        least: usize,
        /// The most that are allowed.
        most: usize,
    },
    /// The value means nothing here.
    #[error("is {value}, which means nothing here")]
    Value {
        /// The value.
        value: u64,
    },
}

impl<'b, T: Trace> Reader<'b, T> {
    /// Reads `bytes`.
    pub fn new(bytes: &'b [u8], trace: T) -> Self {
        Self {
            left: bytes,
            at: 0,
            trace,
            told: None,
        }
    }

    /// The trace, with all that it was told.
    pub fn into_trace(self) -> T {
        self.trace
    }

    /// Where the next octet is, from the beginning of what the reader was given.
    pub fn at(&self) -> usize {
        self.at
    }

    /// How many octets are left.
    pub fn left(&self) -> usize {
        self.left.len()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// What is left, without reading it.
    pub fn peek(&self) -> &'b [u8] {
        self.left
    }

    /// A number of one octet.
    pub fn u8(&mut self, name: &'static str) -> Result<u8, DecodeError> {
        let [value] = *self.number(name)?;
        Ok(value)
    }

    /// A number of two octets.
    pub fn u16(&mut self, name: &'static str) -> Result<u16, DecodeError> {
        self.number(name).map(|octets| u16::from_be_bytes(*octets))
    }

    /// A number of three octets.
    pub fn u24(&mut self, name: &'static str) -> Result<u32, DecodeError> {
        let [high, middle, low] = *self.number(name)?;
        Ok(u32::from_be_bytes([0, high, middle, low]))
    }

    /// A number of four octets.
    pub fn u32(&mut self, name: &'static str) -> Result<u32, DecodeError> {
        self.number(name).map(|octets| u32::from_be_bytes(*octets))
    }

    /// A number of eight octets.
    pub fn u64(&mut self, name: &'static str) -> Result<u64, DecodeError> {
        self.number(name).map(|octets| u64::from_be_bytes(*octets))
    }

    fn number<const N: usize>(&mut self, name: &'static str) -> Result<&'b [u8; N], DecodeError> {
        let at = self.at;
        let octets = self.take_array(name)?;
        self.trace
            .leaf(name, at..self.at, Meaning::Number(big_endian(octets)));
        Ok(octets)
    }

    /// A number of QUIC, of one, two, four or eight octets (RFC 9000, section 16).
    pub fn quic_number(&mut self, name: &'static str) -> Result<u64, DecodeError> {
        let at = self.at;
        let value = self.take_quic_number(name)?;
        self.trace.leaf(name, at..self.at, Meaning::Number(value));
        Ok(value)
    }

    /// A code point.
    pub fn code<C: CodePoint>(&mut self, name: &'static str) -> Result<C, DecodeError> {
        let at = self.at;
        let octets = self.take(name, C::REGISTRY.octets)?;
        let code = big_endian(octets);
        self.trace
            .leaf(name, at..self.at, Meaning::Code(Code::new::<C>(code)));
        Ok(C::from_code(code))
    }

    /// A code point that is written as a number of QUIC.
    pub fn quic_code<C: CodePoint>(&mut self, name: &'static str) -> Result<C, DecodeError> {
        let at = self.at;
        let code = self.take_quic_number(name)?;
        self.trace
            .leaf(name, at..self.at, Meaning::Code(Code::new::<C>(code)));
        Ok(C::from_code(code))
    }

    /// `N` octets that mean nothing here.
    pub fn array<const N: usize>(
        &mut self,
        name: &'static str,
    ) -> Result<&'b [u8; N], DecodeError> {
        let at = self.at;
        let octets = self.take_array(name)?;
        self.trace.leaf(name, at..self.at, Meaning::Opaque);
        Ok(octets)
    }

    /// `length` octets that mean nothing here.
    pub fn octets(&mut self, name: &'static str, length: usize) -> Result<&'b [u8], DecodeError> {
        let at = self.at;
        let octets = self.take(name, length)?;
        self.leaf_unless_empty(name, at, Meaning::Opaque);
        Ok(octets)
    }

    /// All that is left, which means nothing here.
    pub fn rest(&mut self, name: &'static str) -> &'b [u8] {
        self.all(name, Meaning::Opaque)
    }

    /// All that is left, which is text.
    pub fn text(&mut self, name: &'static str) -> &'b [u8] {
        self.all(name, Meaning::Text)
    }

    fn all(&mut self, name: &'static str, meaning: Meaning) -> &'b [u8] {
        let at = self.at;
        let octets = std::mem::take(&mut self.left);
        self.at += octets.len();
        self.leaf_unless_empty(name, at, meaning);
        octets
    }

    fn leaf_unless_empty(&mut self, name: &'static str, at: usize, meaning: Meaning) {
        if at < self.at {
            self.trace.leaf(name, at..self.at, meaning);
        }
    }

    /// A length of one octet and that many octets that mean nothing here.
    pub fn opaque8(&mut self, name: &'static str) -> Result<&'b [u8], DecodeError> {
        self.vector8(name, |reader| Ok(reader.rest(name)))
    }

    /// A length of two octets and that many octets that mean nothing here.
    pub fn opaque16(&mut self, name: &'static str) -> Result<&'b [u8], DecodeError> {
        self.vector16(name, |reader| Ok(reader.rest(name)))
    }

    /// A length of three octets and that many octets that mean nothing here.
    pub fn opaque24(&mut self, name: &'static str) -> Result<&'b [u8], DecodeError> {
        self.vector24(name, |reader| Ok(reader.rest(name)))
    }

    /// A length of one octet, and what `inside` makes of what it encloses.
    pub fn vector8<V>(
        &mut self,
        name: &'static str,
        inside: impl FnOnce(&mut Self) -> Result<V, DecodeError>,
    ) -> Result<V, DecodeError> {
        self.vector::<1, V>(name, inside)
    }

    /// A length of two octets, and what `inside` makes of what it encloses.
    pub fn vector16<V>(
        &mut self,
        name: &'static str,
        inside: impl FnOnce(&mut Self) -> Result<V, DecodeError>,
    ) -> Result<V, DecodeError> {
        self.vector::<2, V>(name, inside)
    }

    /// A length of three octets, and what `inside` makes of what it encloses.
    pub fn vector24<V>(
        &mut self,
        name: &'static str,
        inside: impl FnOnce(&mut Self) -> Result<V, DecodeError>,
    ) -> Result<V, DecodeError> {
        self.vector::<3, V>(name, inside)
    }

    fn vector<const N: usize, V>(
        &mut self,
        name: &'static str,
        inside: impl FnOnce(&mut Self) -> Result<V, DecodeError>,
    ) -> Result<V, DecodeError> {
        self.group(name, |reader| {
            let length = reader.length::<N>(name)?;
            reader.enclosed(name, length, inside)
        })
    }

    /// A length of `N` octets, at most four, that must not reach beyond what is left: that of `name`.
    pub(crate) fn length<const N: usize>(
        &mut self,
        name: &'static str,
    ) -> Result<usize, DecodeError> {
        let at = self.at;
        let octets = self.take_array::<N>(name)?;
        let length = octets
            .iter()
            .fold(0, |value: usize, octet| value << 8 | usize::from(*octet));
        self.trace
            .leaf("length", at..self.at, Meaning::Length(length));
        self.reaches(name, at, length)?;
        Ok(length)
    }

    /// A length that is written as a number of QUIC, and what `inside` makes of what it encloses.
    pub fn quic_vector<V>(
        &mut self,
        name: &'static str,
        inside: impl FnOnce(&mut Self) -> Result<V, DecodeError>,
    ) -> Result<V, DecodeError> {
        self.group(name, |reader| {
            let at = reader.at;
            let value = reader.take_quic_number(name)?;
            let length = usize::try_from(value).unwrap_or(usize::MAX);
            reader
                .trace
                .leaf("length", at..reader.at, Meaning::Length(length));
            reader.reaches(name, at, length)?;
            reader.enclosed(name, length, inside)
        })
    }

    fn reaches(&self, name: &'static str, at: usize, length: usize) -> Result<(), DecodeError> {
        let left = self.left.len();
        if length <= left {
            return Ok(());
        }
        Err(DecodeError {
            at,
            field: name,
            problem: Problem::TooLong { length, left },
        })
    }

    /// What `inside` makes of the next `length` octets, of which nothing may be left.
    pub fn enclosed<V>(
        &mut self,
        name: &'static str,
        length: usize,
        inside: impl FnOnce(&mut Self) -> Result<V, DecodeError>,
    ) -> Result<V, DecodeError> {
        self.reaches(name, self.at, length)?;
        let (inner, outer) = self.left.split_at(length);
        let end = self.at + length;
        self.left = inner;
        let value = inside(self).and_then(|value| match self.left.len() {
            0 => Ok(value),
            left => Err(DecodeError {
                at: self.at,
                field: name,
                problem: Problem::Trailing { left },
            }),
        });
        // What is left was not read because something is wrong: the tree has it all the same.
        if let Err(error) = &value {
            self.give_up(*error);
        }
        self.left = outer;
        self.at = end;
        value
    }

    /// Fields that belong together under a name of their own.
    pub fn group<V>(
        &mut self,
        name: &'static str,
        inside: impl FnOnce(&mut Self) -> Result<V, DecodeError>,
    ) -> Result<V, DecodeError> {
        self.trace.open(name, self.at);
        let value = inside(self);
        self.trace.close(self.at);
        value
    }

    /// Says that the group that is open is `code`.
    pub fn label<C: CodePoint>(&mut self, code: C) {
        self.trace.label(Code::new::<C>(code.code()));
    }

    /// Things, one after the other, until nothing is left.
    pub fn list<V>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<V, DecodeError>,
    ) -> Result<Vec<V>, DecodeError> {
        let mut items = Vec::new();
        while !self.left.is_empty() {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Code points, one after the other, until nothing is left.
    pub fn codes<C: CodePoint>(&mut self, name: &'static str) -> Result<Vec<C>, DecodeError> {
        let (length, item) = (self.left.len(), C::REGISTRY.octets);
        if length % item != 0 {
            return Err(self.wrong(name, Problem::Uneven { length, item }));
        }
        let mut codes = Vec::with_capacity(length / item);
        while !self.left.is_empty() {
            codes.push(self.code(name)?);
        }
        Ok(codes)
    }

    /// The error that `name`, which begins at the next octet, has this problem.
    pub fn wrong(&self, name: &'static str, problem: Problem) -> DecodeError {
        DecodeError {
            at: self.at,
            field: name,
            problem,
        }
    }

    /// Tells the trace that what is left is not read, since `error` came before.
    fn give_up(&mut self, error: DecodeError) {
        let range = self.at..self.at + self.left.len();
        self.left = &[];
        self.at = range.end;
        if self.told != Some(error) {
            self.told = Some(error);
            self.trace.leaf(error.field, range, Meaning::Wrong(error));
        } else if !range.is_empty() {
            self.trace.leaf("unread", range, Meaning::Unread);
        }
    }

    #[inline]
    fn take(&mut self, name: &'static str, length: usize) -> Result<&'b [u8], DecodeError> {
        let Some((taken, left)) = self.left.split_at_checked(length) else {
            return Err(self.truncated(name, length));
        };
        self.left = left;
        self.at += length;
        Ok(taken)
    }

    #[inline]
    fn take_array<const N: usize>(
        &mut self,
        name: &'static str,
    ) -> Result<&'b [u8; N], DecodeError> {
        let Some((taken, left)) = self.left.split_first_chunk() else {
            return Err(self.truncated(name, N));
        };
        self.left = left;
        self.at += N;
        Ok(taken)
    }

    fn take_quic_number(&mut self, name: &'static str) -> Result<u64, DecodeError> {
        let first = *self.left.first().ok_or_else(|| self.truncated(name, 1))?;
        let octets = self.take(name, 1 << (first >> 6))?;
        // The two highest bits say how long it is.
        Ok(big_endian(octets) & (u64::MAX >> 2 >> (64 - 8 * octets.len())))
    }

    #[cold]
    fn truncated(&self, name: &'static str, needed: usize) -> DecodeError {
        let left = self.left.len();
        self.wrong(name, Problem::Truncated { needed, left })
    }
}

impl Code {
    /// The number `code` of the registry of `C`.
    #[must_use]
    pub fn new<C: CodePoint>(code: u64) -> Self {
        Self {
            registry: C::REGISTRY,
            code,
        }
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.registry.name == other.registry.name && self.code == other.code
    }
}

impl Eq for Code {}

/// The number that `octets`, at most eight, are.
#[inline]
fn big_endian(octets: &[u8]) -> u64 {
    octets
        .iter()
        .fold(0, |value, octet| value << 8 | u64::from(*octet))
}
