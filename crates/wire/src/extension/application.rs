//! Which host, and which protocol above TLS.

use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::NameType;
use crate::writer::{Encode, Writer};

/// A name of the server (RFC 6066, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerName<'b> {
    /// What kind of name it is; hosts are the only one.
    pub name_type: NameType,
    /// The name. Of a host it should be ASCII without a dot at its end, which is not looked at here.
    pub name: &'b [u8],
}

/// Profiles of SRTP (RFC 5764, section 4.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SrtpProtection<'b> {
    /// The profiles, by IANA's numbers.
    pub profiles: Vec<u16>,
    /// Which master key is meant, 0 to 255 octets.
    pub mki: &'b [u8],
}

impl<'b> ServerName<'b> {
    pub(super) fn read_list<T: Trace>(
        reader: &mut Reader<'b, T>,
    ) -> Result<Vec<Self>, DecodeError> {
        reader.vector16("server_name_list", |reader| {
            reader.list(|reader| {
                reader.group("server_name", |reader| {
                    let name_type = reader.code("name_type")?;
                    let name = reader.vector16("name", |reader| Ok(reader.text("name")))?;
                    Ok(Self { name_type, name })
                })
            })
        })
    }

    pub(super) fn write_list(names: &[Self], writer: &mut Writer) {
        writer.vector16("server_name_list", |writer| {
            for name in names {
                writer.code(name.name_type);
                writer.opaque16("name", name.name);
            }
        });
    }

    /// The name, where it is a host's.
    #[must_use]
    pub fn host_name(&self) -> Option<&'b [u8]> {
        (self.name_type == NameType::HOST_NAME).then_some(self.name)
    }
}

impl<'b> SrtpProtection<'b> {
    pub(super) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        Ok(Self {
            profiles: reader.vector16("srtp_protection_profiles", |reader| {
                reader.list(|reader| reader.u16("srtp_protection_profile"))
            })?,
            mki: reader.opaque8("srtp_mki")?,
        })
    }
}

impl Encode for SrtpProtection<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.vector16("srtp_protection_profiles", |writer| {
            for profile in &self.profiles {
                writer.u16(*profile);
            }
        });
        writer.opaque8("srtp_mki", self.mki);
    }
}

/// Names of protocols, in a list that has its length before it.
pub(super) fn read_protocols<'b, T: Trace>(
    reader: &mut Reader<'b, T>,
    name: &'static str,
) -> Result<Vec<&'b [u8]>, DecodeError> {
    reader.vector16(name, read_bare_protocols)
}

/// Names of protocols, to the end.
pub(super) fn read_bare_protocols<'b, T: Trace>(
    reader: &mut Reader<'b, T>,
) -> Result<Vec<&'b [u8]>, DecodeError> {
    reader.list(|reader| reader.vector8("protocol_name", |reader| Ok(reader.text("protocol_name"))))
}

pub(super) fn write_protocols(protocols: &[&[u8]], writer: &mut Writer) {
    for protocol in protocols {
        writer.opaque8("protocol_name", protocol);
    }
}
