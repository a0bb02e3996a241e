//! Records, which carry all else (RFC 8446, section 5; RFC 5246, section 6.2).

use crate::dissect::{self, Field};
use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::{ContentType, ProtocolVersion};
use crate::writer::{Encode, Writer};

mod foreign;

pub use foreign::Foreign;

/// The octets before the fragment of a record: its type, version and length.
pub const HEADER_OCTETS: usize = 5;

/// The longest plaintext that a record carries: 16 KiB (RFC 8446, section 5.1).
pub const MAX_PLAINTEXT_OCTETS: usize = 1 << 14;

/// The longest fragment of an encrypted record of TLS 1.3 (RFC 8446, section 5.2).
pub const MAX_TLS13_FRAGMENT_OCTETS: usize = MAX_PLAINTEXT_OCTETS + 256;

/// The longest fragment of any record (RFC 5246, section 6.2.3).
pub const MAX_FRAGMENT_OCTETS: usize = MAX_PLAINTEXT_OCTETS + 2048;

/// A record, encrypted or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'b> {
    /// What it carries; `application_data` for all that TLS 1.3 encrypts.
    pub content_type: ContentType,
    /// The version, which says nothing in TLS 1.3.
    pub legacy_version: ProtocolVersion,
    /// What it carries, encrypted or not; at most 65,535 octets, of which
    /// [`MAX_FRAGMENT_OCTETS`] are allowed.
    pub fragment: &'b [u8],
}

/// What a stream of bytes begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'b> {
    /// A record, whole.
    Record(Record<'b>),
    /// The beginning of one, of which at least as many octets are missing.
    Incomplete {
        /// How many are missing at least.
        missing: usize,
    },
    /// No record of SSL 3.0 or TLS.
    NoRecord(Foreign),
}

impl<'b> Record<'b> {
    /// What `bytes` begin with.
    #[must_use]
    pub fn next(bytes: &'b [u8]) -> Next<'b> {
        if let Some(foreign) = Foreign::guess(bytes) {
            return Next::NoRecord(foreign);
        }
        let Some(([content_type, major, minor, high, low], rest)) =
            bytes.split_first_chunk::<HEADER_OCTETS>()
        else {
            return Next::Incomplete {
                missing: HEADER_OCTETS - bytes.len(),
            };
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        match rest.get(..length) {
            Some(fragment) => Next::Record(Record {
                content_type: ContentType(*content_type),
                legacy_version: ProtocolVersion(u16::from_be_bytes([*major, *minor])),
                fragment,
            }),
            None => Next::Incomplete {
                missing: length - rest.len(),
            },
        }
    }

    /// How many octets it has, header and all.
    #[must_use]
    pub fn octets(&self) -> usize {
        HEADER_OCTETS + self.fragment.len()
    }

    /// The header, which TLS 1.3 authenticates with what it encrypts (RFC 8446, section 5.2).
    #[must_use]
    pub fn header(&self) -> [u8; HEADER_OCTETS] {
        let [major, minor] = self.legacy_version.0.to_be_bytes();
        let [.., high, low] = self.fragment.len().to_be_bytes();
        [self.content_type.0, major, minor, high, low]
    }

    /// The tree of the record that `bytes` are, and the record or what is wrong with it.
    pub fn dissect(bytes: &'b [u8]) -> (Field, Result<Self, DecodeError>) {
        dissect::dissect("record", bytes, |reader| {
            let content_type = reader.code("type")?;
            reader.label::<ContentType>(content_type);
            Ok(Self {
                content_type,
                legacy_version: reader.code("legacy_record_version")?,
                fragment: reader.opaque16("fragment")?,
            })
        })
    }
}

impl Encode for Record<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.code(self.content_type);
        writer.code(self.legacy_version);
        writer.opaque16("fragment", self.fragment);
    }
}

/// What an encrypted record of TLS 1.3 holds once it is decrypted (RFC 8446, section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InnerPlaintext<'b> {
    /// What it carries.
    pub content: &'b [u8],
    /// What that is.
    pub content_type: ContentType,
    /// How many zeros follow, which hide how long it is.
    pub padding: usize,
}

impl<'b> InnerPlaintext<'b> {
    /// What `bytes` hold; `None` where they are nothing but zeros, which ends a connection.
    #[must_use]
    pub fn decode(bytes: &'b [u8]) -> Option<Self> {
        let end = bytes.iter().rposition(|octet| *octet != 0)?;
        Some(Self {
            content: bytes.get(..end)?,
            content_type: ContentType(*bytes.get(end)?),
            padding: bytes.len() - end - 1,
        })
    }
}

/// A change of keys, before TLS 1.3; in TLS 1.3 it says nothing (RFC 8446, appendix D.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeCipherSpec;

impl ChangeCipherSpec {
    /// The tree of the change that `bytes` are, and what is wrong with it.
    pub fn dissect(bytes: &[u8]) -> (Field, Result<Self, DecodeError>) {
        dissect::dissect("change_cipher_spec", bytes, |reader| {
            let value = reader.u8("type")?;
            if value == 1 {
                return Ok(Self);
            }
            let value = u64::from(value);
            Err(reader.wrong("type", crate::reader::Problem::Value { value }))
        })
    }
}

/// A sign of life (RFC 6520, section 4). One that says more octets than it has is Heartbleed
/// (CVE-2014-0160): it is a value here, and the server that answers it is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat<'b> {
    /// 1 asks, 2 answers.
    pub message_type: u8,
    /// How many octets the payload has, by what the message says.
    pub payload_length: u16,
    /// The payload and at least 16 octets of padding, as far as they are there.
    pub payload_and_padding: &'b [u8],
}

impl<'b> Heartbeat<'b> {
    /// The tree of the message that `bytes` are, and the message or what is wrong with it.
    pub fn dissect(bytes: &'b [u8]) -> (Field, Result<Self, DecodeError>) {
        dissect::dissect("heartbeat", bytes, Self::read)
    }

    fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        Ok(Self {
            message_type: reader.u8("type")?,
            payload_length: reader.u16("payload_length")?,
            payload_and_padding: reader.rest("payload_and_padding"),
        })
    }
}
