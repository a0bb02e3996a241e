//! What a server chose, or what it asks for first.

use super::RANDOM_OCTETS;
use crate::extension::{Extension, Extensions, Place};
use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::{CipherSuite, CompressionMethod, ProtocolVersion};
use crate::writer::{Encode, Writer};

/// A server's hello (RFC 8446, section 4.1.3; RFC 5246, section 7.4.1.3), or a `HelloRetryRequest`, which
/// has the same form (RFC 8446, section 4.1.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHello<'b> {
    /// The version, up to 1.2: a newer one stands in `supported_versions`.
    pub legacy_version: ProtocolVersion,
    /// What makes this handshake unlike any other; [`ServerHello::RETRY`] marks a `HelloRetryRequest`.
    pub random: &'b [u8; RANDOM_OCTETS],
    /// The session, or what the client sent; 0 to 32 octets.
    pub legacy_session_id_echo: &'b [u8],
    /// The cipher suite that the server chose.
    pub cipher_suite: CipherSuite,
    /// How the server compresses; nothing but `null` is safe.
    pub legacy_compression_method: CompressionMethod,
    /// The extensions; a hello may end before them.
    pub extensions: Option<Extensions<'b>>,
}

/// The mark of a server that speaks a newer version than it was asked for. A client that offered the
/// newer one knows by it that somebody between took the offer out (RFC 8446, section 4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Downgrade {
    /// A server of TLS 1.3 speaks 1.2.
    ToTls12,
    /// A server of TLS 1.2 or 1.3 speaks 1.1 or older.
    ToTls11,
}

impl<'b> ServerHello<'b> {
    /// The random of a `HelloRetryRequest`: the SHA-256 of its name (RFC 8446, section 4.1.3).
    pub const RETRY: [u8; RANDOM_OCTETS] = [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8,
        0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8,
        0x33, 0x9c,
    ];

    pub(super) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        let legacy_version = reader.code("legacy_version")?;
        let random = reader.array("random")?;
        let place = if *random == Self::RETRY {
            Place::HelloRetryRequest
        } else {
            Place::ServerHello
        };
        Ok(Self {
            legacy_version,
            random,
            legacy_session_id_echo: reader.opaque8("legacy_session_id_echo")?,
            cipher_suite: reader.code("cipher_suite")?,
            legacy_compression_method: reader.code("legacy_compression_method")?,
            extensions: Extensions::read_if_there(reader, place)?,
        })
    }

    /// Whether it is a `HelloRetryRequest`.
    #[must_use]
    pub fn is_retry(&self) -> bool {
        *self.random == Self::RETRY
    }

    /// The mark against downgrades, if it is there.
    #[must_use]
    pub fn downgrade(&self) -> Option<Downgrade> {
        match self.random.last_chunk() {
            Some(b"DOWNGRD\x01") => Some(Downgrade::ToTls12),
            Some(b"DOWNGRD\x00") => Some(Downgrade::ToTls11),
            _ => None,
        }
    }

    /// The version that the server chose.
    #[must_use]
    pub fn version(&self) -> ProtocolVersion {
        self.extensions()
            .find_map(|extension| match extension {
                Extension::SelectedVersion(version) => Some(*version),
                _ => None,
            })
            .unwrap_or(self.legacy_version)
    }

    /// The extensions; none where the hello ends before them.
    pub fn extensions(&self) -> impl Iterator<Item = &Extension<'b>> {
        self.extensions.iter().flat_map(|extensions| &extensions.0)
    }
}

impl Encode for ServerHello<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.code(self.legacy_version);
        writer.octets(self.random);
        writer.opaque8("legacy_session_id_echo", self.legacy_session_id_echo);
        writer.code(self.cipher_suite);
        writer.code(self.legacy_compression_method);
        if let Some(extensions) = &self.extensions {
            extensions.write(writer);
        }
    }
}
