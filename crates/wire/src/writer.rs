//! Puts values into bytes.
//!
//! What is written need not be allowed: the audit sends hellos that no client would. Only what the
//! form has no room for is an error.

use crate::registry::CodePoint;

/// Collects octets.
#[derive(Debug, Default)]
pub struct Writer {
    octets: Vec<u8>,
    error: Option<EncodeError>,
}

/// A value has no room in its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("\"{field}\" would have {octets} octets, and has room for {most}")]
pub struct EncodeError {
    /// The field, as the RFC calls it.
    pub field: &'static str,
    /// How many octets it would have.
    pub octets: usize,
    /// How many it may have.
    pub most: usize,
}

/// A value that has a form on the wire.
pub trait Encode {
    /// Appends the value to what `writer` has.
    fn write(&self, writer: &mut Writer);

    /// The octets of the value.
    ///
    /// # Errors
    ///
    /// Something in it is longer than its length field can say.
    fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.finish()
    }
}

impl Writer {
    /// What was written.
    ///
    /// # Errors
    ///
    /// Something was longer than its length field can say: the first of these.
    pub fn finish(self) -> Result<Vec<u8>, EncodeError> {
        match self.error {
            None => Ok(self.octets),
            Some(error) => Err(error),
        }
    }

    /// Appends octets as they are.
    pub fn octets(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// Appends a number of one octet.
    pub fn u8(&mut self, value: u8) {
        self.octets.push(value);
    }

    /// Appends a number of two octets.
    pub fn u16(&mut self, value: u16) {
        self.octets(&value.to_be_bytes());
    }

    /// Appends a number of three octets.
    pub fn u24(&mut self, name: &'static str, value: u32) {
        self.number(name, 3, value as usize);
    }

    /// Appends a number of four octets.
    pub fn u32(&mut self, value: u32) {
        self.octets(&value.to_be_bytes());
    }

    /// Appends a number of eight octets.
    pub fn u64(&mut self, value: u64) {
        self.octets(&value.to_be_bytes());
    }

    /// Appends a number as QUIC does, in as few octets as hold it (RFC 9000, section 16).
    pub fn quic_number(&mut self, name: &'static str, value: u64) {
        let (length, mark) = match value {
            0..=0x3f => (1, 0),
            0x40..=0x3fff => (2, 0x40),
            0x4000..=0x3fff_ffff => (4, 0x80),
            0x4000_0000..=0x3fff_ffff_ffff_ffff => (8, 0xc0),
            _ => return self.no_room(name, 9, 8),
        };
        let at = self.octets.len();
        if let Some(low) = value.to_be_bytes().get(8 - length..) {
            self.octets.extend_from_slice(low);
        }
        if let Some(first) = self.octets.get_mut(at) {
            *first |= mark;
        }
    }

    /// Appends a code point.
    pub fn code<C: CodePoint>(&mut self, code: C) {
        let octets = code.code().to_be_bytes();
        if let Some(low) = octets.get(octets.len() - C::REGISTRY.octets..) {
            self.octets.extend_from_slice(low);
        }
    }

    /// Appends code points.
    pub fn codes<C: CodePoint>(&mut self, codes: &[C]) {
        for code in codes {
            self.code(*code);
        }
    }

    /// Appends octets behind a length of one octet.
    pub fn opaque8(&mut self, name: &'static str, octets: &[u8]) {
        self.vector8(name, |writer| writer.octets(octets));
    }

    /// Appends octets behind a length of two octets.
    pub fn opaque16(&mut self, name: &'static str, octets: &[u8]) {
        self.vector16(name, |writer| writer.octets(octets));
    }

    /// Appends octets behind a length of three octets.
    pub fn opaque24(&mut self, name: &'static str, octets: &[u8]) {
        self.vector24(name, |writer| writer.octets(octets));
    }

    /// Appends what `inside` writes behind a length of one octet.
    pub fn vector8(&mut self, name: &'static str, inside: impl FnOnce(&mut Self)) {
        self.vector(name, 1, inside);
    }

    /// Appends what `inside` writes behind a length of two octets.
    pub fn vector16(&mut self, name: &'static str, inside: impl FnOnce(&mut Self)) {
        self.vector(name, 2, inside);
    }

    /// Appends what `inside` writes behind a length of three octets.
    pub fn vector24(&mut self, name: &'static str, inside: impl FnOnce(&mut Self)) {
        self.vector(name, 3, inside);
    }

    fn vector(&mut self, name: &'static str, width: usize, inside: impl FnOnce(&mut Self)) {
        let at = self.octets.len();
        self.octets.resize(at + width, 0);
        inside(self);
        let length = self.octets.len() - at - width;
        let most = (1 << (8 * width)) - 1;
        if length > most {
            return self.no_room(name, length, most);
        }
        let digits = length.to_be_bytes();
        if let (Some(field), Some(low)) = (
            self.octets.get_mut(at..at + width),
            digits.get(digits.len() - width..),
        ) {
            field.copy_from_slice(low);
        }
    }

    /// Appends a length of two octets whose octets follow elsewhere.
    pub(crate) fn length16(&mut self, name: &'static str, length: usize) {
        self.number(name, 2, length);
    }

    /// Appends what `body` wrote behind a length of two octets, below `mark`, in which `mark` is set.
    pub(crate) fn length_and_mark(&mut self, name: &'static str, mark: u16, body: &Self) {
        let length = body.octets.len();
        if length >= usize::from(mark) {
            self.no_room(name, length, usize::from(mark) - 1);
        }
        self.u16(length as u16 | mark);
        self.octets(&body.octets);
        self.error = self.error.or(body.error);
    }

    /// Appends what `body` wrote behind its length, a number of QUIC.
    pub(crate) fn quic_vector(&mut self, name: &'static str, body: &Self) {
        self.quic_number(name, body.octets.len() as u64);
        self.octets(&body.octets);
        self.error = self.error.or(body.error);
    }

    fn number(&mut self, name: &'static str, width: usize, value: usize) {
        let most = (1 << (8 * width)) - 1;
        if value > most {
            self.no_room(name, value, most);
        }
        let digits = value.to_be_bytes();
        if let Some(low) = digits.get(digits.len() - width..) {
            self.octets(low);
        }
    }

    fn no_room(&mut self, field: &'static str, octets: usize, most: usize) {
        self.error.get_or_insert(EncodeError {
            field,
            octets,
            most,
        });
    }
}
