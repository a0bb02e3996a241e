//! Alerts: the end of a connection, and why (RFC 8446, section 6).

use crate::dissect::{self, Field};
use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::{AlertDescription, AlertLevel};
use crate::writer::{Encode, Writer};

/// An alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// How grave it is. TLS 1.3 says so of nothing: all but two end the connection.
    pub level: AlertLevel,
    /// What it says.
    pub description: AlertDescription,
}

impl Alert {
    /// The alert that `bytes` are.
    ///
    /// # Errors
    ///
    /// They are not exactly one alert: encrypted ones are longer.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Reader::new(bytes, ()).enclosed("alert", bytes.len(), Self::read)
    }

    /// The tree of the alert that `bytes` are, and the alert or what is wrong with it.
    pub fn dissect(bytes: &[u8]) -> (Field, Result<Self, DecodeError>) {
        dissect::dissect("alert", bytes, Self::read)
    }

    fn read<T: Trace>(reader: &mut Reader<'_, T>) -> Result<Self, DecodeError> {
        Ok(Self {
            level: reader.code("level")?,
            description: reader.code("description")?,
        })
    }
}

impl Encode for Alert {
    fn write(&self, writer: &mut Writer) {
        writer.code(self.level);
        writer.code(self.description);
    }
}
