//! Public values for the key exchange (RFC 8446, section 4.2.8).

use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::NamedGroup;
use crate::writer::{Encode, Writer};

/// A public value in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyShareEntry<'b> {
    /// The group.
    pub group: NamedGroup,
    /// The public value. A hybrid has the parts of both one behind the other, the post-quantum one first
    /// in `X25519MLKEM768` and last in `SecP256r1MLKEM768` (draft-ietf-tls-ecdhe-mlkem).
    pub key_exchange: &'b [u8],
}

impl<'b> KeyShareEntry<'b> {
    pub(super) fn read<T: Trace>(reader: &mut Reader<'b, T>) -> Result<Self, DecodeError> {
        reader.group("key_share_entry", |reader| {
            let group = reader.code("group")?;
            reader.label::<NamedGroup>(group);
            Ok(Self {
                group,
                key_exchange: reader.opaque16("key_exchange")?,
            })
        })
    }
}

impl Encode for KeyShareEntry<'_> {
    fn write(&self, writer: &mut Writer) {
        writer.code(self.group);
        writer.opaque16("key_exchange", self.key_exchange);
    }
}
