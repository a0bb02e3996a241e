//! What a client can and wants.

use crate::extension::{Extension, Extensions, Place, ServerName};
use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::{CipherSuite, CompressionMethod, ProtocolVersion};
use crate::writer::{Encode, Writer};

/// How many octets the random of a hello has.
pub const RANDOM_OCTETS: usize = 32;

/// A client's hello (RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHello<'b> {
    /// The newest version that the client speaks, up to 1.2: newer ones stand in `supported_versions`.
    pub legacy_version: ProtocolVersion,
    /// What makes this handshake unlike any other.
    pub random: &'b [u8; RANDOM_OCTETS],
    /// The session to resume, or octets that make TLS 1.3 look like 1.2 to what stands between; 0 to 32
    /// octets.
    pub legacy_session_id: &'b [u8],
    /// The cipher suites, what the client likes best first.
    pub cipher_suites: Vec<CipherSuite>,
    /// How the client would compress; nothing but `null` is safe.
    pub legacy_compression_methods: Vec<CompressionMethod>,
    /// The extensions; a hello may end before them.
    pub extensions: Option<Extensions<'b>>,
}

impl<'b> ClientHello<'b> {
    pub(super) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        Ok(Self {
            legacy_version: reader.code("legacy_version")?,
            random: reader.array("random")?,
            legacy_session_id: reader.opaque8("legacy_session_id")?,
            cipher_suites: reader
                .vector16("cipher_suites", |reader| reader.codes("cipher_suite"))?,
            legacy_compression_methods: reader.vector8("legacy_compression_methods", |reader| {
                reader.codes("compression_method")
            })?,
            extensions: Extensions::read_if_there(reader, Place::ClientHello)?,
        })
    }

    /// The extensions; none where the hello ends before them.
    pub fn extensions(&self) -> impl Iterator<Item = &Extension<'b>> {
        self.extensions.iter().flat_map(|extensions| &extensions.0)
    }

    /// The host name that the client asks for (RFC 6066, section 3), as it was sent.
    #[must_use]
    pub fn server_name(&self) -> Option<&'b [u8]> {
        self.extensions().find_map(|extension| match extension {
            Extension::ServerName(names) => names.iter().find_map(ServerName::host_name),
            _ => None,
        })
    }

    /// The versions that the client speaks: those of `supported_versions`, or the one of
    /// `legacy_version`.
    #[must_use]
    pub fn versions(&self) -> Vec<ProtocolVersion> {
        self.extensions()
            .find_map(|extension| match extension {
                Extension::SupportedVersions(versions) => Some(versions.clone()),
                _ => None,
            })
            .unwrap_or_else(|| vec![self.legacy_version])
    }
}

impl Encode for ClientHello<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.code(self.legacy_version);
        writer.octets(self.random);
        writer.opaque8("legacy_session_id", self.legacy_session_id);
        writer.vector16("cipher_suites", |writer| writer.codes(&self.cipher_suites));
        writer.vector8("legacy_compression_methods", |writer| {
            writer.codes(&self.legacy_compression_methods);
        });
        if let Some(extensions) = &self.extensions {
            extensions.write(writer);
        }
    }
}
