//! Signatures of the handshake.

use super::Agreed;
use crate::reader::{DecodeError, Reader, Trace};
use crate::registry::SignatureScheme;
use crate::writer::{Encode, Writer};

/// A signature, and how it was made (RFC 5246, section 4.7; RFC 8446, section 4.4.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigitallySigned<'b> {
    /// How it is signed; said from TLS 1.2 on.
    pub algorithm: Option<SignatureScheme>,
    /// The signature.
    pub signature: &'b [u8],
}

impl<'b> DigitallySigned<'b> {
    pub(super) fn read<T: Trace>(
        reader: &mut Reader<'b, T>,
        agreed: Agreed,
    ) -> Result<Self, DecodeError> {
        Ok(Self {
            algorithm: if agreed.names_signatures() {
                Some(reader.code("algorithm")?)
            } else {
                None
            },
            signature: reader.opaque16("signature")?,
        })
    }
}

impl Encode for DigitallySigned<'_> {
    fn write(&self, writer: &mut Writer) {
        if let Some(algorithm) = self.algorithm {
            writer.code(algorithm);
        }
        writer.opaque16("signature", self.signature);
    }
}
